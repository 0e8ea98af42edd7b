# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_release with state staged: another version waits beside the one that serves."""

import collections
import errno
import fcntl
import json
import os
import shutil
import subprocess
import tarfile

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_disk as disk
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import (
    Server,
    contents,
    killed_at,
    listing,
    member,
    release_members,
    released,
    run_module,
    sha256,
    unpack_by_hand,
    write_archive,
)

STAMP = '.starrocks-release.json'
STAGED = '.fe.staging-3.5.0'

# Archives of an older version, which is installed, and of a newer one.
Archives = collections.namedtuple('Archives', 'old new')


@pytest.fixture(name='archives')
def _archives(tmp_path):
    return Archives(write_archive(tmp_path, '3.4.4'), write_archive(tmp_path))


@pytest.fixture(name='dest')
def _dest(tmp_path, archives):
    """A folder with a front end of version 3.4.4 in it."""
    result = run_module(src=archives.old, remote_src=True, dest=tmp_path / 'opt', version='3.4.4')
    assert result['changed']
    (tmp_path / 'opt/fe/meta').mkdir()
    (tmp_path / 'opt/fe/meta/journal').write_text('mine')
    return tmp_path / 'opt'


def stage(archive, dest, **params):
    """Run the module with an archive on the host."""
    return run_module(src=archive, remote_src=True, dest=dest, state='staged', **params)


def refused(result, *words):
    assert result['failed'], result
    for word in words:
        assert word in result['msg'], result['msg']


def is_staged(dest, name=STAGED, version='3.5.0'):
    """Whether a release is there, whole."""
    files = listing(dest / name)
    return json.loads(files.pop(STAMP))['complete'] and files == released(version=version)


def test_it_waits_beside_what_serves(archives, dest):
    before = listing(dest / 'fe')
    check = stage(archives.new, dest, check_mode=True)
    assert (check['changed'], check['action'], check['archive_needed']) == (True, 'stage', True)
    assert check['staging'] == str(dest / STAGED) and os.listdir(dest) == ['fe']
    result = stage(archives.new, dest, checksum=sha256(archives.new))
    assert (result['changed'], result['action'], result['previous_version']) == (True, 'stage', '3.4.4')
    assert result['staging'] == str(dest / STAGED) and result['stamp']['version'] == '3.4.4'
    assert result['diff']['before'] == 'version: 3.4.4\n'
    assert result['diff']['after'] == f'version: 3.4.4\nstaged: {STAGED}\n'
    assert is_staged(dest) and listing(dest / 'fe') == before
    assert sorted(os.listdir(dest)) == [STAGED, 'fe']


def test_once_staged_nothing_is_done(archives, dest):
    stage(archives.new, dest)
    before = {path: path.stat().st_mtime_ns for path in dest.rglob('*')}
    archives.new.unlink()
    result = stage(archives.new, dest)
    assert (result['changed'], result['action'], result['archive_needed']) == (False, 'nothing', False)
    assert result['staging'] == str(dest / STAGED)
    assert {path: path.stat().st_mtime_ns for path in dest.rglob('*')} == before


def test_a_deploy_leaves_it_alone(archives, dest):
    stage(archives.new, dest)
    assert not run_module(src=archives.old, remote_src=True, dest=dest, version='3.4.4')['changed']
    assert is_staged(dest)


def test_what_is_installed_needs_not_wait(archives, dest):
    result = stage(archives.old, dest, version='3.4.4')
    assert (result['changed'], result['action'], result['staging']) == (False, 'nothing', None)
    stage(archives.new, dest)
    result = stage(archives.old, dest, version='3.4.4')
    assert result['changed'] and result['staging'] is None and STAGED in result['msg']
    assert os.listdir(dest) == ['fe']


def test_other_versions_are_removed(tmp_path, archives, dest):
    stage(archives.new, dest)
    newer = write_archive(tmp_path, '3.5.1')
    check = stage(newer, dest, version='3.5.1', check_mode=True)
    assert STAGED in check['diff']['before'] and STAGED not in check['diff']['after'] and is_staged(dest)
    assert stage(newer, dest, version='3.5.1')['action'] == 'stage'
    assert sorted(os.listdir(dest)) == ['.fe.staging-3.5.1', 'fe']


@pytest.mark.parametrize('how', ['missing', 'changed', 'stamp damaged', 'stamp missing'])
def test_what_is_staged_is_compared_with_its_stamp(archives, dest, how):
    stage(archives.new, dest)
    if how == 'missing':
        (dest / STAGED / 'lib/large.jar').unlink()
    elif how == 'changed':
        (dest / STAGED / 'bin/start_fe.sh').write_text('broken')
    elif how == 'stamp damaged':
        (dest / STAGED / STAMP).write_text('{')
    else:
        (dest / STAGED / STAMP).unlink()
    result = stage(archives.new, dest)
    assert result['action'] == 'stage' and is_staged(dest)
    if how in ('missing', 'changed'):
        assert len(result['files']) == 1 and result['files'][0] in result['diff']['before']
    assert not stage(archives.new, dest)['changed']


def test_another_build_takes_the_place_of_what_is_staged(tmp_path, archives, dest):
    stage(archives.new, dest)
    (tmp_path / 'new').mkdir()
    files = dict(contents(), **{'fe/lib/large.jar': b'other'})
    rebuilt = write_archive(tmp_path / 'new', members=release_members(files=files))
    assert not stage(rebuilt, dest)['changed'], 'without a checksum it is not known'
    assert stage(rebuilt, dest, checksum=sha256(rebuilt))['action'] == 'stage'
    assert (dest / STAGED / 'lib/large.jar').read_bytes() == b'other'
    refused(stage(archives.old, dest, version='3.4.4', checksum='sha256:' + '0' * 64), 'another build')


@pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')
def test_owner(archives, dest):
    stage(archives.new, dest, owner='1234', group='4321')
    for path in (dest / STAGED).rglob('*'):
        assert (path.lstat().st_uid, path.lstat().st_gid) == (1234, 4321), path
    assert not stage(archives.new, dest, owner='1234', group='4321')['changed']
    os.chown(dest / STAGED / 'bin', 0, 0)
    archives.new.unlink()
    result = stage(archives.new, dest, owner='1234', group='4321')
    assert (result['action'], result['files']) == ('attributes', ['bin'])
    assert not stage(archives.new, dest, owner='1234', group='4321')['changed']


@pytest.mark.parametrize('component', ['fe', 'be', 'apache_hdfs_broker'])
def test_beside_an_installation_made_by_hand(tmp_path, archives, component):
    dest = tmp_path / 'hand'
    unpack_by_hand(archives.old, component, dest)
    before = listing(dest / component)
    result = stage(archives.new, dest, component=component)
    assert result['action'] == 'stage' and listing(dest / component) == before
    assert result['previous_version'] == (None if component == 'apache_hdfs_broker' else '3.4.4')
    if component != 'apache_hdfs_broker':
        assert stage(archives.old, dest, component=component, version='3.4.4')['action'] == 'nothing'


@pytest.mark.parametrize('there', ['nothing', 'an empty folder', 'an unfinished install'])
def test_where_nothing_is_installed(tmp_path, archives, there):
    dest = tmp_path / 'fresh'
    if there != 'nothing':
        (dest / 'fe/conf').mkdir(parents=True)
    if there == 'an unfinished install':
        stamp = disk.new_stamp('fe', '3.4.4', None, {}, [], complete=False)
        (dest / 'fe' / STAMP).write_text(json.dumps(stamp))
    refused(stage(archives.new, dest), 'holds no release', 'starrocks.cluster.deploy')


def test_while_a_switch_is_half_done(archives, dest):
    stage(archives.new, dest)
    journal = {'format': 1, 'state': 'swapping', 'from': '3.4.4', 'to': '3.5.0'}
    (dest / 'fe/.starrocks-switch.json').write_text(json.dumps(journal))
    for version, archive in (('3.4.4', archives.old), ('3.5.0', archives.new)):
        result = stage(archive, dest, version=version)
        assert not result['changed'] and 'half done' in result['msg'] and (dest / STAGED).exists()
        refused(run_module(src=archive, remote_src=True, dest=dest, version=version), 'half 3.4.4 and half 3.5.0',
                'starrocks.cluster.rollback')
    refused(stage(archives.new, dest, version='3.5.1'), 'not the wanted 3.5.1')
    refused(stage('/none/release.tar.gz', dest, version='3.5.1'), 'half 3.4.4 and half 3.5.0')
    (dest / 'fe/.starrocks-switch.json').write_text('{')
    refused(stage(archives.new, dest), '.starrocks-switch.json is damaged')


def test_another_run_at_work(archives, dest):
    (dest / STAGED).mkdir()
    handle = os.open(dest / STAGED, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        refused(stage(archives.new, dest), 'is in use')
    finally:
        os.close(handle)
    assert stage(archives.new, dest)['changed']


@pytest.mark.parametrize('flaw', ['checksum', 'cut short', 'hard link to what only the old version has'])
def test_a_flawed_archive_leaves_nothing(tmp_path, archives, dest, flaw):
    params = {}
    if flaw == 'checksum':
        params['checksum'] = 'sha256:' + '0' * 64
    elif flaw == 'cut short':
        archives.new.write_bytes(archives.new.read_bytes()[:-1000])
    else:
        top = 'StarRocks-3.5.0-ubuntu-amd64/fe/lib/'
        write_archive(tmp_path, members=[
            *release_members(files={'fe/bin/start_fe.sh': b'x'}),
            member(top + 'same.jar', type=tarfile.LNKTYPE, linkname=top + 'large.jar')])
    before = listing(dest)
    refused(stage(archives.new, dest, **params))
    assert listing(dest) == before and os.listdir(dest) == ['fe']


def test_room_for_as_much_as_the_installed_one_takes(archives, dest, monkeypatch):
    free = os.statvfs('/')

    class Full:
        f_frsize, f_bavail, f_bfree = 1, 500_000, 500_000
    monkeypatch.setattr(os, 'statvfs', lambda path: Full)
    refused(stage(archives.new, dest), '500 kB of free space', 'are needed')
    part_of = {'name': archives.new.name, 'size': 1, 'sha256': '0' * 64, 'unpacked_size': 10 ** 9}
    refused(stage(archives.new, dest, part_of=part_of), '1 GB are needed')
    assert os.listdir(dest) == ['fe'] and free.f_bavail


def test_a_full_disk(archives, dest, monkeypatch):
    """The room that was there goes away while it is unpacked, as the node writes there too."""
    def fsync(handle):
        raise OSError(errno.ENOSPC, 'No space left on device')
    before = listing(dest)
    with monkeypatch.context() as patched:
        patched.setattr(os, 'fsync', fsync)
        refused(stage(archives.new, dest), 'No room is left on the device')
    assert listing(dest) == before and os.listdir(dest) == ['fe']
    assert stage(archives.new, dest)['changed']


@pytest.fixture(name='small_disk')
def _small_disk(tmp_path):
    """A file system of 2 MB; skips the test where this user may not mount one."""
    folder = tmp_path / 'small'
    folder.mkdir()
    if os.geteuid() or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', str(folder)],
                                      check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip('mounts nothing here')
    yield folder
    subprocess.run(['umount', str(folder)], check=True)


def test_a_disk_that_is_really_full(archives, small_disk):
    assert run_module(src=archives.old, remote_src=True, dest=small_disk, version='3.4.4')['changed']
    (small_disk / 'fe/meta').mkdir()
    (small_disk / 'fe/meta/journal').write_bytes(bytes(800_000))
    before = listing(small_disk)
    part_of = {'name': archives.new.name, 'size': 1, 'sha256': '0' * 64, 'unpacked_size': 1}
    for known in ({}, {'part_of': part_of}):
        result = stage(archives.new, small_disk, **known)
        refused(result)
        assert 'free space' in result['msg'] or 'No room is left' in result['msg']
        assert listing(small_disk) == before and os.listdir(small_disk) == ['fe']
    (small_disk / 'fe/meta/journal').write_bytes(b'')
    assert stage(archives.new, small_disk)['changed']


def test_a_home_that_is_a_file_system_of_its_own(archives, small_disk):
    (small_disk.parent / 'mounted').mkdir()
    home = small_disk.parent / 'mounted/fe'
    home.mkdir()
    subprocess.run(['mount', '--bind', str(small_disk), str(home)], check=True)
    try:
        unpack_by_hand(archives.old, 'fe', home.parent)
        for check_mode in (True, False):
            refused(stage(archives.new, home.parent, check_mode=check_mode), 'a file system of its own')
    finally:
        subprocess.run(['umount', str(home)], check=True)


def test_from_a_mirror(archives, dest):
    with Server(archives.new, statuses=[404]) as first, Server(archives.new) as second:
        assert run_module(src=first.url, mirrors=[second.url], dest=dest, checksum=sha256(archives.new),
                          state='staged')['action'] == 'stage'
    assert is_staged(dest)


@pytest.mark.parametrize('before', ['nothing', 'another version', 'a broken one'])
def test_killed_anywhere(tmp_path, archives, before):
    model = tmp_path / 'model'
    run_module(src=archives.old, remote_src=True, dest=model, version='3.4.4')
    if before == 'another version':
        stage(write_archive(tmp_path, '3.5.1'), model, version='3.5.1')
    elif before == 'a broken one':
        stage(archives.new, model)
        (model / STAGED / 'lib/large.jar').unlink()
    serving = listing(model / 'fe')
    step, killed = 0, True
    while killed:
        step += 1
        dest = tmp_path / f'opt{step}'
        shutil.copytree(model, dest, symlinks=True)
        killed = killed_at(step, src=archives.new, remote_src=True, dest=dest, state='staged')
        assert listing(dest / 'fe') == serving
        if (dest / STAGED / STAMP).exists() and disk.look_staged(str(dest / STAGED), (None, None)).drift == []:
            assert is_staged(dest)
        result = stage(archives.new, dest)
        assert not result['failed'], result
        assert is_staged(dest) and sorted(os.listdir(dest)) == [STAGED, 'fe']
        assert not stage(archives.new, dest)['changed']
        shutil.rmtree(dest)
    assert step > 30
