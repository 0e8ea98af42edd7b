# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module starrocks_switch and what it is made of, with real releases on a real disk."""

import contextlib
import errno
import json
import os
import random
import shutil
import socket
import subprocess
import sys

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_disk as disk
from ansible_collections.starrocks.cluster.plugins.module_utils import _switch
from ansible_collections.starrocks.cluster.plugins.module_utils._release import Drift, ReleaseError
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_switch
from ansible_collections.starrocks.cluster.tests.unit.plugins import in_process
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import (
    contents,
    killed,
    listing,
    release_members,
    run_module,
    unpack_by_hand,
    write_archive,
)

STAMP = '.starrocks-release.json'
JOURNAL = '.starrocks-switch.json'
OLD, NEW, NEXT = '3.4.4', '3.5.0', '3.5.1'
# What belongs to the node, and what of it lies in lib.
NODE_FILES = {'conf/be.conf': b'mine', 'storage/data/1.dat': b'mine', 'log/be.INFO': b'mine', 'notes.txt': b'mine',
              'bin.bak/start_be.sh': b'by hand', 'lib.bak/starrocks_be': b'by hand'}
CARRIED = {'lib/udf/1/a.jar': b'function', 'lib/small_file/1/b': b'file', 'lib/udf-runtime/x.py': b'run'}


def write(home, files):
    for path, data in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(data)


@pytest.fixture(name='archives', scope='module')
def _archives(tmp_path_factory):
    """{version: archive}. The newer ones have an entry and a file that 3.4.4 has not, and 3.4.4 has one of its own."""
    folder = tmp_path_factory.mktemp('archives')
    archives = {}
    for version in (OLD, NEW, NEXT):
        archives[version] = write_archive(folder, version, release_members(version, files=release(version)))
    return archives


def release(version):
    """{path: bytes} of an archive."""
    files = contents(version)
    if version == OLD:
        files.update({'be/lib/only-old.so': b'x', 'be/dropped/file': b'x'})
    else:
        files.update({'be/lib/only-new.so': b'x', 'be/added/file': b'x', 'fe/spark-dpp/dpp.jar': b'x'})
    return files


def is_version(home, version, component='be', more=()):
    """Assert that a release is in place: its files and no other one's, and what its node has."""
    files = {path: data for path, data in listing(home).items()
             if '.bak-' not in path and not path.startswith(('.starrocks-', 'conf/'))}
    prefix = component + '/'
    expected = {path[len(prefix):]: data for path, data in release(version).items() if path.startswith(prefix)}
    expected = {path: data for path, data in expected.items() if not path.startswith('conf/')}
    expected.update((path, data) for path, data in dict(more).items() if not path.startswith('conf/'))
    assert files == expected
    assert all((home / path).read_bytes() == data for path, data in dict(more).items())


def stage(archives, dest, version=NEW, component='be'):
    result = run_module(src=archives[version], remote_src=True, dest=dest, version=version, component=component,
                        state='staged')
    assert not result['failed'], result


def install(archives, dest, version=OLD, component='be'):
    result = run_module(src=archives[version], remote_src=True, dest=dest, version=version, component=component)
    assert not result['failed'], result
    return result


@pytest.fixture(name='dest')
def _dest(tmp_path, archives):
    """A back end of version 3.4.4 with files of its own, and 3.5.0 staged beside it."""
    dest = tmp_path / 'opt'
    install(archives, dest)
    write(dest / 'be', dict(NODE_FILES, **CARRIED))
    stage(archives, dest)
    return dest


MINE = dict(NODE_FILES, **CARRIED)


def switch(dest, version=NEW, check_mode=False, **params):
    """Run the module; returns its result."""
    arguments = dict({'component': 'be', 'dest': dest, 'version': version}, **params)
    return in_process.run_module(starrocks_switch, arguments, check_mode)


def refused(result, *words):
    assert result['failed'], result
    for word in words:
        assert word in result['msg'], result['msg']


def backups(dest, component='be'):
    return [(one['version'], one['complete']) for one in _switch.backups(str(dest / component))]


# -- there and back


def test_switch(dest):
    before = listing(dest)
    check = switch(dest, check_mode=True)
    assert (check['changed'], check['action'], check['backups']) == (True, 'switch', [OLD]) and listing(dest) == before
    result = switch(dest)
    for one in (check, result):
        assert (one['changed'], one['action'], one['version'], one['previous_version']) == (True, 'switch', NEW, OLD)
        assert one['backup'] == ['bin.bak-3.4.4', 'dropped.bak-3.4.4', 'lib.bak-3.4.4', 'www.bak-3.4.4']
        assert '-bin, kept as bin.bak-3.4.4\n+bin, from ../.be.staging-3.5.0/bin\n' in one['diff']['prepared']
        assert ' lib/udf, carried over\n' in one['diff']['prepared']
    assert result['backups'] == [OLD] and result['msg'] == 'switched from 3.4.4 to 3.5.0'
    is_version(dest / 'be', NEW, more=MINE)
    assert os.listdir(dest) == ['be'] and not (dest / 'be' / JOURNAL).exists()
    kept = {path.replace('.bak-3.4.4', ''): data for path, data in listing(dest / 'be').items()
            if '.bak-3.4.4/' in path}
    expected = {path: data for path, data in before.items() if path.startswith(('be/bin/', 'be/lib/', 'be/www/',
                                                                                'be/dropped/'))}
    assert kept == {path[3:]: data for path, data in expected.items()}, 'the backup has its own functions too'


def test_a_second_call_does_nothing(dest):
    switch(dest)
    before = {path: path.stat().st_mtime_ns for path in dest.rglob('*')}
    result = switch(dest)
    assert (result['changed'], result['action'], result['backup'], result['backups']) == (False, 'nothing', [], [OLD])
    assert (result['version'], result['previous_version'], result['diff']['prepared']) == (NEW, NEW, '')
    assert not switch(dest, version=None)['changed']
    assert {path: path.stat().st_mtime_ns for path in dest.rglob('*')} == before


def test_a_deploy_of_the_new_version_finds_nothing_to_do(archives, dest):
    switch(dest)
    assert not install(archives, dest, NEW)['changed']
    (dest / 'be/lib/only-new.so').unlink()
    assert install(archives, dest, NEW)['files'] == ['lib/only-new.so']


def test_a_process_that_was_started_before_is_older_than_the_stamp(dest):
    before = (dest / 'be' / STAMP).stat().st_mtime_ns
    switch(dest)
    after = (dest / 'be' / STAMP).stat().st_mtime_ns
    switch(dest, version=OLD)
    assert before < after < (dest / 'be' / STAMP).stat().st_mtime_ns


def test_rollback(archives, dest):
    switch(dest)
    write(dest / 'be', {'lib/udf/2/new.jar': b'made with the new version'})
    result = switch(dest, version=OLD)
    assert (result['action'], result['version'], result['previous_version']) == ('switch', OLD, NEW)
    assert result['backups'] == [NEW] and backups(dest) == [(NEW, True)]
    is_version(dest / 'be', OLD, more=dict(MINE, **{'lib/udf/2/new.jar': b'made with the new version'}))
    assert not install(archives, dest, OLD)['changed']
    # And forward again, with nothing staged.
    refused(switch(dest, source='staged'), 'no staged release of version 3.5.0', 'Staged beside it: nothing',
            'Kept in it: 3.5.0 (complete)')
    assert switch(dest)['backups'] == [OLD]
    is_version(dest / 'be', NEW, more=dict(MINE, **{'lib/udf/2/new.jar': b'made with the new version'}))


def test_what_is_staged_goes_before_a_backup(archives, dest):
    switch(dest)
    switch(dest, version=OLD)
    stage(archives, dest)
    result = switch(dest, check_mode=True)
    assert '../.be.staging-3.5.0' in result['diff']['prepared'] and '-lib.bak-3.5.0' in result['diff']['prepared']
    assert 'from bin.bak-3.5.0' in switch(dest, source='backup', check_mode=True)['diff']['prepared']
    (dest / '.be.staging-3.5.0/lib/starrocks_be').unlink()
    assert 'from bin.bak-3.5.0' in switch(dest, check_mode=True)['diff']['prepared']


@pytest.mark.parametrize('component', ['fe', 'apache_hdfs_broker'])
def test_other_components(tmp_path, archives, component):
    dest = tmp_path / 'opt'
    install(archives, dest, component=component)
    write(dest / component, {'meta/image/ROLE': b'mine', f'conf/{component}.conf': b'mine'})
    stage(archives, dest, component=component)
    result = switch(dest, component=component)
    assert result['action'] == 'switch' and 'spark-dpp.bak-3.4.4' not in result['backup']
    more = {'meta/image/ROLE': b'mine', f'conf/{component}.conf': b'mine'}
    is_version(dest / component, NEW, component, more)
    assert not install(archives, dest, NEW, component)['changed']
    assert switch(dest, OLD, component=component)['backups'] == [NEW]
    is_version(dest / component, OLD, component, more)


def test_pid_files_stay_behind(dest):
    (dest / 'be/bin/be.pid').write_text('4194303\n')
    switch(dest)
    switch(dest, OLD)
    assert not list(dest.rglob('*.pid')), 'stop scripts fail where one is left'


def test_links_and_modes_of_what_is_carried_over(dest):
    udf = dest / 'be/lib/udf'
    (udf / 'link').symlink_to('1/a.jar')
    (udf / '1/a.jar').chmod(0o640)
    os.utime(udf / '1/a.jar', (1000, 1000))
    if os.geteuid() == 0:
        os.chown(udf / '1/a.jar', 1234, 4321)
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(dest / 'be/lib/udf-runtime')
    try:
        listener.bind('worker')
    finally:
        os.chdir(here)
        listener.close()
    before = (udf / '1/a.jar').stat()
    switch(dest)
    after = (udf / '1/a.jar').stat()
    for name in ('st_mode', 'st_uid', 'st_gid', 'st_mtime_ns'):
        assert getattr(after, name) == getattr(before, name)
    assert os.readlink(udf / 'link') == '1/a.jar'
    assert os.listdir(dest / 'be/lib/udf-runtime') == ['x.py'] and sorted(os.listdir(udf)) == ['1', 'link']


@pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')
def test_owner(archives, dest):
    switch(dest, owner='1234', group='4321')
    for path in ('bin', 'lib/starrocks_be', 'www/index.html', STAMP):
        assert (dest / 'be' / path).stat().st_uid == 1234, path
        assert (dest / 'be' / path).stat().st_gid == 4321, path
    assert (dest / 'be/storage/data/1.dat').stat().st_uid == 0
    refused(switch(dest, OLD, owner='nobody-of-this-name'), 'the user "nobody-of-this-name" does not exist')


def test_a_link_to_the_component_s_folder(tmp_path, dest):
    (dest / 'be').rename(tmp_path / 'real')
    (dest / '.be.staging-3.5.0').rename(tmp_path / '.real.staging-3.5.0')
    (dest / 'be').symlink_to(tmp_path / 'real')
    assert switch(dest)['action'] == 'switch'
    assert (dest / 'be').is_symlink()
    is_version(tmp_path / 'real', NEW, more=MINE)


def test_a_folder_in_the_way_of_a_new_entry_is_kept_and_comes_back(archives, dest):
    write(dest / 'be', {'added/by-hand': b'mine'})
    assert 'added.bak-3.4.4' in switch(dest)['backup']
    is_version(dest / 'be', NEW, more=MINE)
    switch(dest, OLD)
    is_version(dest / 'be', OLD, more=dict(MINE, **{'added/by-hand': b'mine'}))
    switch(dest)
    shutil.rmtree(dest / 'be/added.bak-3.4.4')
    refused(switch(dest, OLD), '3.4.4 (incomplete: added: missing)')


# -- backups


def test_names_that_are_taken_are_left_alone(dest):
    write(dest / 'be', {'bin.bak-3.4.4/x': b'by hand', 'lib.bak-3.4.4-2/x': b'by hand'})
    result = switch(dest)
    assert result['backup'] == [name + '.bak-3.4.4-3' for name in ('bin', 'dropped', 'lib', 'www')]
    switch(dest, OLD)
    assert (dest / 'be/bin.bak-3.4.4/x').read_bytes() == (dest / 'be/lib.bak-3.4.4-2/x').read_bytes() == b'by hand'
    assert backups(dest) == [(NEW, True)]


@pytest.mark.parametrize(('keep', 'kept'), [(0, [NEXT]), (1, [NEXT]), (2, [NEXT, OLD]), (9, [NEXT, OLD])])
def test_keep(archives, dest, keep, kept):
    """3.4.4 to 3.5.0, to 3.5.1, and down to 3.5.0 again: by time, not by version, and not the one that is live."""
    switch(dest, keep=9)
    stage(archives, dest, NEXT)
    assert switch(dest, NEXT, keep=9)['backups'] == [NEW, OLD]
    stage(archives, dest, NEW)
    check = switch(dest, NEW, keep=keep, check_mode=True)
    assert check['backups'] == kept
    assert ('-lib.bak-3.4.4' in check['diff']['prepared']) == (OLD not in kept)
    assert switch(dest, NEW, keep=keep)['backups'] == kept
    assert [version for version, complete in backups(dest)] == kept
    left = {path.name.partition('.bak-')[2] for path in (dest / 'be').glob('[a-z]*.bak-*')}
    assert left == set(kept), 'nothing is left of those that went'
    assert {path.name for path in (dest / 'be').glob('.starrocks-release.bak-*')} == {
        f'.starrocks-release.bak-{version}.json' for version in kept}


def test_an_edited_script_is_kept_as_it_was(archives, dest):
    (dest / 'be/bin/start_be.sh').write_text('#!/bin/sh\n# mine\n')
    (dest / 'be/lib/only-old.so').unlink()
    (dest / 'be/www/index.html').chmod(0o600)
    switch(dest)
    assert backups(dest) == [(OLD, True)]
    switch(dest, OLD)
    assert (dest / 'be/bin/start_be.sh').read_text() == '#!/bin/sh\n# mine\n'
    result = run_module(src=archives[OLD], remote_src=True, dest=dest, version=OLD, component='be', check_mode=True)
    assert result['files'] == ['bin/start_be.sh', 'lib/only-old.so', 'www/index.html'], 'which is still no release'


@pytest.mark.parametrize('how', ['missing', 'changed', 'folder gone', 'stamp damaged', 'stamp of another kind'])
def test_a_backup_that_is_not_complete_is_not_put_back(dest, how):
    switch(dest)
    home = dest / 'be'
    if how == 'missing':
        (home / 'lib.bak-3.4.4/starrocks_be').unlink()
    elif how == 'changed':
        (home / 'bin.bak-3.4.4/start_be.sh').write_text('x')
    elif how == 'folder gone':
        shutil.rmtree(home / 'lib.bak-3.4.4')
    elif how == 'stamp damaged':
        (home / '.starrocks-release.bak-3.4.4.json').write_text('{')
    else:
        (home / '.starrocks-release.bak-3.4.4.json').write_text((home / STAMP).read_text())
    assert backups(dest) == [(OLD, False)]
    before = listing(dest)
    refused(switch(dest, OLD), 'neither a staged release nor a backup of version 3.4.4 that is complete',
            '3.4.4 (incomplete:', 'state: staged')
    refused(switch(dest, OLD, source='backup'), 'no backup of version 3.4.4')
    assert listing(dest) == before


# -- installations made by hand


@pytest.mark.parametrize('component', ['fe', 'be'])
def test_an_installation_made_by_hand(tmp_path, archives, component):
    dest = tmp_path / 'opt'
    unpack_by_hand(archives[OLD], component, dest)
    write(dest / component, {'meta/image/ROLE': b'mine', 'lib.bak/x': b'by hand'})
    more = dict({'meta/image/ROLE': b'mine', 'lib.bak/x': b'by hand'},
                **({'dropped/file': b'x'} if component == 'be' else {}))
    stage(archives, dest, component=component)
    result = switch(dest, component=component)
    assert (result['previous_version'], result['backups']) == (OLD, [OLD])
    # What is in no release by its name is the node's; it cannot be known better.
    is_version(dest / component, NEW, component, more)
    assert switch(dest, OLD, component=component)['action'] == 'switch'
    is_version(dest / component, OLD, component, more)
    assert not install(archives, dest, OLD, component)['changed'], 'it has a stamp now'


def test_one_whose_files_tell_no_version(tmp_path, archives):
    dest, broker = tmp_path / 'opt', {'component': 'apache_hdfs_broker'}
    unpack_by_hand(archives[OLD], 'apache_hdfs_broker', dest)
    stage(archives, dest, **broker)
    assert _switch.installed_version(str(dest / 'apache_hdfs_broker'), 'apache_hdfs_broker', None) is None
    result = switch(dest, **broker)
    assert (result['previous_version'], result['backups']) == (None, ['unknown'])
    assert result['backup'] == ['bin.bak-unknown', 'lib.bak-unknown']
    result = switch(dest, 'unknown', **broker)
    assert (result['version'], result['backups']) == (None, [NEW])
    is_version(dest / 'apache_hdfs_broker', OLD, 'apache_hdfs_broker')
    assert not (dest / 'apache_hdfs_broker' / STAMP).exists(), 'as it was'
    assert run_module(src=archives[OLD], remote_src=True, dest=dest, version=OLD, **broker)['action'] == 'compare'


# -- refusals


@pytest.fixture(name='start')
def _start():
    """Start processes that look like nodes; they end with the test."""
    started = []

    def start(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, '-c', 'print(flush=True); import time; time.sleep(600)', *arguments],
            env=dict(os.environ, **environment), stdout=subprocess.PIPE)
        process.stdout.readline()
        started.append(process)
        return process
    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(('flag', 'title'), [((), 'back end'), (('--cn',), 'compute node')])
def test_refused_while_a_process_of_the_node_lives(dest, start, flag, title):
    before = listing(dest)
    process = start(f'{dest}/be/lib/starrocks_be', *flag)
    for check_mode in (True, False):
        refused(switch(dest, check_mode=check_mode), f'the {title} with pid {process.pid} lives', 'Stop it first')
    assert listing(dest) == before
    process.kill()
    process.wait()
    assert switch(dest)['changed']
    start(f'{dest}/be/lib/starrocks_be')
    assert not switch(dest)['changed'], 'who has nothing to do may live'


def test_a_process_of_another_folder_may_live(dest, start, tmp_path):
    start(f'{tmp_path}/other/be/lib/starrocks_be')
    start(f'{dest}/be2/lib/starrocks_be')
    start(f'{dest}/fe/lib/x.jar', 'com.starrocks.StarRocksFE')
    assert switch(dest)['changed']


@pytest.mark.parametrize(('component', 'program', 'variable'), [
    ('fe', 'com.starrocks.StarRocksFE', 'STARROCKS_HOME'),
    ('apache_hdfs_broker', 'com.starrocks.broker.hdfs.BrokerBootstrap', 'BROKER_HOME')])
def test_java_nodes_are_seen_by_what_their_scripts_export(tmp_path, archives, start, component, program, variable):
    dest = tmp_path / 'opt'
    install(archives, dest, component=component)
    stage(archives, dest, component=component)
    start(program, **{variable: f'{dest}/{component}'})
    refused(switch(dest, component=component), 'Stop it first')


@pytest.mark.parametrize('how', ['nothing staged', 'staged damaged', 'another version'])
def test_nothing_complete_to_switch_to(archives, dest, how):
    if how == 'nothing staged':
        shutil.rmtree(dest / '.be.staging-3.5.0')
    elif how == 'staged damaged':
        for name in ('start_be.sh', '../www/index.html', '../lib/starrocks_be'):
            (dest / '.be.staging-3.5.0/bin' / name).write_text('broken')
    before = listing(dest)
    words = {'nothing staged': 'Staged beside it: nothing', 'another version': 'Staged beside it: 3.5.0 (complete)',
             'staged damaged': '3.5.0 (incomplete: bin/start_be.sh: changed (6 bytes, released with 10), lib/'}[how]
    refused(switch(dest, NEXT if how == 'another version' else NEW), words, 'Kept in it: nothing')
    assert listing(dest) == before


def test_where_nothing_is_installed(tmp_path, archives):
    refused(switch(tmp_path / 'opt'), 'holds no complete release', 'starrocks.cluster.deploy')
    (tmp_path / 'opt/be/conf').mkdir(parents=True)
    refused(switch(tmp_path / 'opt'), 'holds no complete release')


@pytest.mark.parametrize('version', ['3.5', 'latest', '../3.5.0'])
def test_a_version_that_is_none(dest, version):
    refused(switch(dest, version), 'is not a StarRocks version')


def test_two_at_once(dest):
    handle = disk.locked(str(dest / 'be'))
    try:
        refused(switch(dest), 'another run is switching it')
    finally:
        os.close(handle)
    prepared = _switch.prepare(str(dest / 'be'), 'be', NEW, run_command=None)
    switch(dest)
    switch(dest, OLD)
    write(dest / 'be', {JOURNAL: b'{"format": 1, "state": "swapping"}'})
    with pytest.raises(ReleaseError, match='since this one looked'):
        prepared.apply()


@pytest.mark.skipif(os.geteuid() != 0, reason='only root mounts')
@pytest.mark.parametrize('path', ['www', 'lib/udf'])
def test_a_mount_point_cannot_be_renamed(dest, path):
    if subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', str(dest / 'be' / path)], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip('mounts nothing here')
    try:
        refused(switch(dest), f'be/{path} is a mount point')
    finally:
        subprocess.run(['umount', str(dest / 'be' / path)], check=True)


def test_no_room_for_what_is_carried_over(dest, monkeypatch):
    class Full:
        f_frsize, f_bavail, f_bfree = 1, 100, 100
    monkeypatch.setattr(os, 'statvfs', lambda path: Full)
    before = listing(dest)
    refused(switch(dest), '100 B of free space, and 12.29 kB are needed')
    assert listing(dest) == before


# -- errors half-way


@pytest.mark.parametrize('renames', range(11))
def test_an_error_puts_the_old_release_back(dest, monkeypatch, renames):
    real, before, count = os.rename, listing(dest), [0]

    def rename(source, target):
        if '/lib/' not in source and not source.endswith('.new'):
            count[0] += 1
            if count[0] > renames:
                monkeypatch.setattr(os, 'rename', real)
                raise OSError(errno.ENOSPC, 'No space left on device', source)
        return real(source, target)
    monkeypatch.setattr(os, 'rename', rename)
    result = switch(dest)
    monkeypatch.setattr(os, 'rename', real)
    if renames > 7:
        assert result['action'] == 'switch', 'four went aside, four came'
        return
    refused(result, 'could not be switched from 3.4.4 to 3.5.0: No room is left on the device', '3.4.4 again, complete')
    after = {path: data for path, data in listing(dest).items() if not path.startswith(tuple(
        '.be.staging-3.5.0/' + name for name in CARRIED))}
    assert after == before
    assert switch(dest)['action'] == 'switch'
    is_version(dest / 'be', NEW, more=MINE)


def test_what_is_staged_vanishes_half_way(archives, dest):
    prepared = _switch.prepare(str(dest / 'be'), 'be', NEW, run_command=None)
    shutil.rmtree(dest / '.be.staging-3.5.0/lib')
    shutil.rmtree(dest / '.be.staging-3.5.0/www')
    with pytest.raises(ReleaseError, match='3.4.4 again, complete'):
        prepared.apply()
    is_version(dest / 'be', OLD, more=MINE)
    assert not install(archives, dest, OLD)['changed']


def test_the_whole_staging_folder_vanishes_half_way(dest):
    assert killed_in(dest, lambda name, arguments: name == 'rename' and arguments[1].endswith('/be/lib'))
    shutil.rmtree(dest / '.be.staging-3.5.0')
    refused(switch(dest), 'somebody removed it', '3.4.4 again, complete')
    is_version(dest / 'be', OLD, more=MINE)


def test_an_error_after_the_last_step_and_another_one_while_going_back(dest, monkeypatch):
    sync, rename, failed = disk.sync, os.rename, []

    def failing_sync(path):
        journal = disk.read_journal(str(dest / 'be'))
        if journal and journal['state'] == 'swapped' and not failed:
            failed.append(path)
            raise OSError(errno.EIO, 'Input/output error', path)
        return sync(path)

    def failing_rename(source, target):
        if failed and '.staging-' in target:
            raise OSError(errno.EIO, 'Input/output error', source)
        return rename(source, target)
    with monkeypatch.context() as patched:
        patched.setattr(disk, 'sync', failing_sync)
        patched.setattr(os, 'rename', failing_rename)
        refused(switch(dest), 'is half 3.4.4 and half 3.5.0', 'going back failed', 'for either version')
    assert failed and _switch.pending(str(dest / 'be'))
    assert switch(dest, OLD)['action'] == 'undo'
    is_version(dest / 'be', OLD, more=MINE)


def test_what_cannot_be_tidied_up_is_no_failure(dest, monkeypatch):
    with monkeypatch.context() as patched:
        def remove(path):
            raise OSError(errno.EIO, 'Input/output error', path)
        patched.setattr(disk, 'remove', remove)
        result = switch(dest)
    assert result['action'] == 'switch' and 'is 3.5.0, complete' in str(result['warnings'])
    is_version(dest / 'be', NEW, more=MINE)
    assert switch(dest, check_mode=True)['action'] == 'resume'
    assert switch(dest)['action'] == 'resume' and os.listdir(dest) == ['be']
    assert switch(dest)['action'] == 'nothing'


# -- interruptions


def killed_in(dest, where, version=NEW):
    """Kill a switch before a change on the disk: where(name of the function of os, its arguments)."""
    child = os.fork()
    if child == 0:
        def watched(name, function):
            def call(*arguments, **options):
                if where(name, [str(one) for one in arguments]):
                    os.kill(os.getpid(), 9)
                return function(*arguments, **options)
            return call
        with contextlib.suppress(BaseException):
            for name in ('rename', 'unlink'):
                setattr(os, name, watched(name, getattr(os, name)))
            switch(dest, version)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def half_way(dest):
    """Kill a switch when the old release has gone and part of the new one has come."""
    assert killed_in(dest, lambda name, arguments: name == 'rename' and arguments[1].endswith('/be/lib'))


def test_what_is_told_of_an_interrupted_switch(dest):
    home = str(dest / 'be')
    assert _switch.pending(home) is None
    half_way(dest)
    found = _switch.pending(home)
    assert (found['from'], found['to'], found['source']) == (OLD, NEW, 'staged') and found['begun_at'].endswith('Z')
    assert _switch.installed_version(home, 'be', None) is None
    assert not (dest / 'be/bin').exists(), 'nobody can start it'
    check = switch(dest, check_mode=True)
    assert (check['action'], check['previous_version'], check['version']) == ('resume', OLD, NEW)
    assert check['backups'] == [OLD]
    assert check['backup'] == ['bin.bak-3.4.4', 'dropped.bak-3.4.4', 'lib.bak-3.4.4', 'www.bak-3.4.4']
    check = switch(dest, OLD, check_mode=True)
    assert (check['action'], check['previous_version'], check['version']) == ('undo', NEW, OLD)
    assert '+bin, from bin.bak-3.4.4\n' in check['diff']['prepared']
    refused(switch(dest, NEXT), 'half 3.4.4 and half 3.5.0')
    assert _switch.pending(home) == found
    assert switch(dest, None)['action'] == 'resume'
    is_version(dest / 'be', NEW, more=MINE)
    assert _switch.installed_version(home, 'be', None) == NEW


def test_an_undone_switch_can_be_made_again(archives, dest):
    half_way(dest)
    result = switch(dest, OLD)
    assert (result['action'], result['backup'], result['backups']) == ('undo', [], [])
    is_version(dest / 'be', OLD, more=MINE)
    assert not install(archives, dest, OLD)['changed'] and switch(dest, OLD)['action'] == 'nothing'
    assert switch(dest)['action'] == 'switch'
    is_version(dest / 'be', NEW, more=MINE)


def test_a_rest_is_refused_while_a_process_lives(dest, start):
    half_way(dest)
    start(f'{dest}/be/lib/starrocks_be')
    for version in (NEW, OLD, None):
        refused(switch(dest, version), 'Stop it first')


def test_the_tidying_alone_may_come_later(dest, start):
    assert killed_in(dest, lambda name, arguments: name == 'unlink' and arguments[0].endswith(JOURNAL))
    assert _switch.pending(str(dest / 'be')) is None
    start(f'{dest}/be/lib/starrocks_be')
    assert switch(dest)['action'] == 'resume' and not (dest / 'be' / JOURNAL).exists()


def test_a_damaged_journal(dest):
    half_way(dest)
    (dest / 'be' / JOURNAL).write_text('{')
    refused(switch(dest), JOURNAL + ' is damaged')
    (dest / 'be' / JOURNAL).write_text('{"format": 99}')
    refused(switch(dest), 'does not know')


def check_after_a_kill(dest, node_files):
    """What must hold whenever a switch was killed, before any rerun."""
    home = dest / 'be'
    for path, data in node_files.items():
        assert (home / path).read_bytes() == data
    if _switch.pending(str(home)) is None:
        whole(home)
    elif (home / 'bin').exists():
        # All others are of the version of bin, so whoever starts it gets one version.
        whole(home, by='bin')


def whole(home, by='stamp'):
    """Assert that one release is in place, that of the stamp or that of bin; returns its version."""
    if by == 'stamp':
        version = json.loads((home / STAMP).read_text())['version']
    else:
        version = OLD if (home / 'lib/only-old.so').exists() else NEW
    is_version(home, version, more=MINE)
    return version


def crash_everywhere(model, tmp_path, version, rerun):
    """Kill a switch before each of its changes on the disk, each time anew, and run again; returns how many."""
    step, more = 0, True
    while more:
        step += 1
        dest = tmp_path / f'opt{step}'
        shutil.copytree(model, dest, symlinks=True)
        more = killed(step, lambda where=dest: switch(where, version))
        check_after_a_kill(dest, NODE_FILES)
        result = switch(dest, rerun)
        # Warnings of other tests are among those of this process.
        assert not result['failed'] and str(dest) not in str(result.get('warnings')), result
        expected = rerun or whole(dest / 'be')
        is_version(dest / 'be', expected, more=MINE)
        assert not (dest / 'be' / JOURNAL).exists()
        assert switch(dest, expected)['action'] == 'nothing'
        assert all(complete for dummy, complete in backups(dest)), backups(dest)
        # Ready for the other one, which is either staged still or kept.
        assert switch(dest, OLD if expected == NEW else NEW, check_mode=True)['action'] == 'switch'
        shutil.rmtree(dest)
    return step - 1


@pytest.mark.parametrize('rerun', [NEW, OLD, None])
def test_killed_anywhere(tmp_path, dest, rerun):
    assert crash_everywhere(dest, tmp_path, NEW, rerun) > 60


@pytest.mark.parametrize('rerun', [OLD, NEW])
def test_killed_anywhere_in_a_rollback(tmp_path, dest, rerun):
    switch(dest)
    assert crash_everywhere(dest, tmp_path, OLD, rerun) > 60


@pytest.mark.parametrize('last', ['be/lib', f'be/{STAMP}'])
def test_killed_anywhere_while_undoing(tmp_path, dest, last):
    assert killed_in(dest, lambda name, arguments: name == 'rename' and arguments[1].endswith(last))
    step, more = 0, True
    while more:
        step += 1
        copy = tmp_path / f'opt{step}'
        shutil.copytree(dest, copy, symlinks=True)
        more = killed(step, lambda where=copy: switch(where, OLD))
        check_after_a_kill(copy, NODE_FILES)
        for wanted in random.Random(step).sample([OLD, NEW], 2):
            assert not switch(copy, wanted)['failed']
            is_version(copy / 'be', wanted, more=MINE)
        shutil.rmtree(copy)
    assert step > 15


def test_killed_anywhere_when_made_by_hand(tmp_path, archives):
    dest = tmp_path / 'opt'
    install(archives, dest)
    (dest / 'be' / STAMP).unlink()
    shutil.rmtree(dest / 'be/dropped')
    stage(archives, dest)
    step, more = 0, True
    while more:
        step += 2
        copy = tmp_path / f'opt{step}'
        shutil.copytree(dest, copy, symlinks=True)
        more = killed(step, lambda where=copy: switch(where))
        assert not switch(copy, OLD)['failed']
        files = {path: data for path, data in listing(copy / 'be').items()
                 if '.bak-' not in path and not path.startswith('.starrocks-')}
        assert files == listing(dest / 'be')
        shutil.rmtree(copy)


@pytest.mark.parametrize('seed', range(12))
def test_killed_again_and_again(tmp_path, archives, dest, seed):
    """Whoever comes next wants either version, and is killed too."""
    chance = random.Random(seed)
    for _dummy in range(12):
        wanted = chance.choice([OLD, NEW])
        killed(chance.randrange(1, 90), lambda version=wanted: switch(dest, version))
        check_after_a_kill(dest, NODE_FILES)
    for wanted in (chance.choice([OLD, NEW]), OLD, NEW):
        result = switch(dest, wanted)
        assert not result['failed'], result
        is_version(dest / 'be', wanted, more=MINE)
        assert install(archives, dest, wanted)['action'] == 'nothing'
    assert backups(dest) == [(OLD, True)]


# -- pure


def kept(version, number, complete=True, stamp=True):
    drift = [] if complete else [Drift('bin/x', 'missing', False)]
    return _switch.Kept('backup', version, {'files': {}} if stamp else None, drift, {}, '', None, number)


def test_to_prune_goes_by_the_order_in_which_they_were_made():
    made = [kept('2.5.9', 3), kept('2.5.10', 2), kept('3.5.0', 1)]
    assert _switch.to_prune(made, 2, '3.4.0') == [made[2]]
    assert _switch.to_prune(made, 9, '2.5.10') == [made[1]]
    damaged = [kept('3.4.4', 3, complete=False), kept('3.4.3', 2), kept('3.4.2', 1), kept('3.4.1', 0, stamp=False)]
    assert _switch.to_prune(damaged, 1, '3.5.0') == [damaged[2]], 'one that is damaged does not count'


def test_choose():
    staged = [kept('3.5.0', None)]
    backup = [kept('3.5.0', 1), kept('3.5.0', 2, complete=False), kept('3.4.4', 3)]
    assert _switch.choose('3.5.0', 'auto', staged, backup) is staged[0]
    assert _switch.choose('3.5.0', 'backup', staged, backup) is backup[0]
    assert _switch.choose('3.4.4', 'staged', staged, backup) is None
    assert _switch.choose('3.4.4', 'auto', [], backup) is backup[2]


def test_bin_goes_first():
    entries = _switch.plan_entries({'lib', 'bin', 'apple'}, {'bin': 'a/bin', 'lib': 'a/lib', 'zoo': 'a/zoo'}, '3.4.4')
    assert entries == [('bin', 'bin.bak-3.4.4', 'a/bin'), ('apple', 'apple.bak-3.4.4', None),
                       ('lib', 'lib.bak-3.4.4', 'a/lib'), ('zoo', None, 'a/zoo')]
