# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module starrocks_release, with real archives, a real disk and a real server."""

import fcntl
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_disk as disk
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import (
    MTIME,
    Server,
    contents,
    frontend_jar,
    killed_at,
    listing,
    member,
    release_members,
    released,
    run_module,
    sha256,
    tar_bytes,
    unpack_by_hand,
    write_archive,
)

STAMP = '.starrocks-release.json'


@pytest.fixture(name='archive')
def _archive(tmp_path):
    return write_archive(tmp_path)


@pytest.fixture(name='dest')
def _dest(tmp_path):
    return tmp_path / 'opt'


def install(archive, dest, **params):
    """Run the module with an archive on the host."""
    return run_module(src=archive, remote_src=True, dest=dest, **params)


def installed(home):
    """What is there, without the stamp."""
    files = listing(home)
    files.pop(STAMP, None)
    return files


# -- first install


@pytest.mark.parametrize('component', ['fe', 'be', 'apache_hdfs_broker'])
def test_first_install_holds_the_component_and_nothing_else(archive, dest, component):
    result = install(archive, dest, component=component)
    assert (result['changed'], result['action'], result['previous_version']) == (True, 'install', None)
    assert result['home'] == str(dest / component)
    assert sorted(os.listdir(dest)) == [component]
    assert installed(dest / component) == released(component)


def test_modes_and_times_are_those_of_the_release(tmp_path, dest):
    members = release_members() + [member('StarRocks-3.5.0-ubuntu-amd64/fe/bin/odd', b'x', mode=0o6777)]
    install(write_archive(tmp_path, members=members), dest)
    assert (dest / 'fe/bin/start_fe.sh').stat().st_mode & 0o7777 == 0o755
    assert (dest / 'fe/conf/fe.conf').stat().st_mode & 0o7777 == 0o644
    assert (dest / 'fe/bin/odd').stat().st_mode & 0o7777 == 0o755, 'neither setuid nor writable by others'
    assert (dest / 'fe/lib/large.jar').stat().st_mtime == MTIME
    assert (dest / 'fe').stat().st_mode & 0o7777 == 0o755


def test_the_umask_of_the_user_makes_no_difference(archive, dest):
    before = os.umask(0o077)
    try:
        assert install(archive, dest)['changed']
        assert (dest / 'fe/webroot/static').stat().st_mode & 0o7777 == 0o755
        assert (dest / 'fe' / STAMP).stat().st_mode & 0o7777 == 0o644
        assert not install(archive, dest)['changed']
    finally:
        os.umask(before)


def test_stamp_tells_where_it_comes_from(archive, dest):
    result = install(archive, dest)
    stamp = json.loads((dest / 'fe' / STAMP).read_text())
    assert stamp['complete'] is True and stamp['version'] == '3.5.0' and stamp['component'] == 'fe'
    assert stamp['archive'] == {
        'name': archive.name, 'size': archive.stat().st_size, 'sha256': sha256(archive).partition(':')[2]}
    assert not any(path.startswith('conf/') for path in stamp['files'])
    assert result['stamp'] == {key: stamp[key] for key in ('version', 'archive', 'adopted', 'installed_at')}


def test_second_run_changes_nothing_and_needs_no_archive(archive, dest):
    install(archive, dest)
    before = {path: path.stat().st_mtime_ns for path in dest.rglob('*')}
    archive.unlink()
    result = install(archive, dest)
    assert (result['failed'], result['changed'], result['action']) == (False, False, 'nothing')
    assert result['diff']['before'] == result['diff']['after'] == 'version: 3.5.0\n'
    assert {path: path.stat().st_mtime_ns for path in dest.rglob('*')} == before


def test_check_mode_touches_nothing(archive, dest):
    result = install(archive, dest, check_mode=True)
    assert result['changed'] and result['archive_needed'] and not dest.exists()
    assert (result['diff']['before'], result['diff']['after']) == ('', 'version: 3.5.0\n')
    install(archive, dest)
    (dest / 'fe/bin/stop_fe.sh').unlink()
    before = listing(dest)
    result = install(archive, dest, check_mode=True)
    assert result['changed'] and result['files'] == ['bin/stop_fe.sh'] and listing(dest) == before


def test_check_mode_sees_a_missing_archive(tmp_path, dest):
    result = install(tmp_path / 'none.tar.gz', dest, check_mode=True)
    assert result['failed'] and 'there is no file' in result['msg']


def test_check_mode_goes_on_where_the_account_is_not_made_yet(archive, dest):
    assert install(archive, dest, owner='nobody-of-this-name', check_mode=True)['changed']
    result = install(archive, dest, owner='nobody-of-this-name')
    assert result['failed'] and 'the user "nobody-of-this-name" does not exist' in result['msg']


def test_a_plain_tar_and_one_without_a_top_folder_are_understood(tmp_path, dest):
    plain = tmp_path / 'release.tar'
    plain.write_bytes(tar_bytes(release_members(top='')))
    assert not install(plain, dest)['failed']
    assert installed(dest / 'fe') == released()


def test_links_inside_the_component_are_kept(tmp_path, dest):
    top = 'StarRocks-3.5.0-ubuntu-amd64/fe/lib/'
    members = release_members() + [
        member(top + 'current.jar', type=tarfile.SYMTYPE, linkname='large.jar'),
        member(top + 'same.jar', type=tarfile.LNKTYPE, linkname=top + 'large.jar')]
    archive = write_archive(tmp_path, members=members)
    assert not install(archive, dest)['failed']
    assert os.readlink(dest / 'fe/lib/current.jar') == 'large.jar'
    assert (dest / 'fe/lib/same.jar').read_bytes() == contents()['fe/lib/large.jar']
    assert not install(archive, dest)['changed']
    # Of the two, the second is mended from the first on the disk.
    (dest / 'fe/lib/same.jar').unlink()
    (dest / 'fe/lib/current.jar').unlink()
    assert install(archive, dest)['files'] == ['lib/current.jar', 'lib/same.jar']
    assert (dest / 'fe/lib/same.jar').read_bytes() == contents()['fe/lib/large.jar']
    assert not install(archive, dest)['changed']


@pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')
def test_owner_and_group_are_set_and_kept(archive, dest):
    install(archive, dest, owner='1234', group='4321')
    for path in [dest / 'fe', *(dest / 'fe').rglob('*')]:
        assert (path.lstat().st_uid, path.lstat().st_gid) == (1234, 4321), path
    assert not install(archive, dest, owner='1234', group='4321')['changed']
    os.chown(dest / 'fe/bin', 0, 0)
    os.chown(dest / 'fe/lib/large.jar', 0, 0)
    os.chmod(dest / 'fe/bin/start_fe.sh', 0o600)
    archive.unlink()
    result = install(archive, dest, owner='1234', group='4321')
    assert (result['action'], result['files']) == ('attributes', ['bin', 'bin/start_fe.sh', 'lib/large.jar'])
    assert (dest / 'fe/lib/large.jar').stat().st_uid == 1234
    assert (dest / 'fe/bin/start_fe.sh').stat().st_mode & 0o777 == 0o755
    assert not install(archive, dest, owner='1234', group='4321')['changed']


def test_a_folder_without_a_release_is_filled_and_keeps_its_files(archive, dest):
    (dest / 'fe/conf').mkdir(parents=True)
    (dest / 'fe/meta/image').mkdir(parents=True)
    (dest / 'fe/conf/fe.conf').write_text('mine')
    (dest / 'fe/meta/image/VERSION').write_text('mine')
    result = install(archive, dest)
    assert (result['changed'], result['action']) == (True, 'fill')
    expected = dict(released(), **{'conf/fe.conf': b'mine', 'meta/image/VERSION': b'mine'})
    assert installed(dest / 'fe') == expected
    assert os.listdir(dest) == ['fe']
    assert not install(archive, dest)['changed']


def test_a_component_folder_that_is_a_link_is_filled_where_it_leads(archive, dest, tmp_path):
    dest.mkdir()
    (tmp_path / 'elsewhere').mkdir()
    (dest / 'fe').symlink_to(tmp_path / 'elsewhere')
    assert install(archive, dest)['action'] == 'fill'
    assert (dest / 'fe').is_symlink() and installed(tmp_path / 'elsewhere') == released()


# -- refusals: nothing of the live installation, nothing left behind


def refused(result, *words):
    """Assert a failure whose message holds the words."""
    assert result['failed'], result
    for word in words:
        assert word in result['msg'], result['msg']


def top(path):
    """A member's name in the archive."""
    return 'StarRocks-3.5.0-ubuntu-amd64/' + path


BAD_MEMBERS = {
    'absolute': ([member('/etc/passwd', b'x')], 'points outside'),
    'dots': ([member(top('fe/../../x'), b'x')], 'points outside'),
    'dots of another component': ([member(top('be/../../x'), b'x')], 'points outside'),
    'link out': ([member(top('fe/lib/l'), type=tarfile.SYMTYPE, linkname='../../..')], 'points outside'),
    'absolute link': ([member(top('fe/lib/l'), type=tarfile.SYMTYPE, linkname='/etc')], 'points outside'),
    'link out by way of a link': ([member(top('fe/lib/up'), type=tarfile.SYMTYPE, linkname='..'),
                                   member(top('fe/out'), type=tarfile.SYMTYPE, linkname='lib/up/..')], 'outside'),
    'file below a link': ([member(top('fe/l'), type=tarfile.SYMTYPE, linkname='lib'), member(top('fe/l/x'), b'x')],
                          'below something that is no folder'),
    'hard link out': ([member(top('fe/lib/l'), type=tarfile.LNKTYPE, linkname=top('LICENSE.txt'))], 'points outside'),
    'hard link to nothing': ([member(top('fe/lib/l'), type=tarfile.LNKTYPE, linkname=top('fe/none'))], 'does not hold'),
    'device': ([member(top('fe/lib/null'), type=tarfile.CHRTYPE)], 'neither file, folder nor link'),
    'pipe': ([member(top('fe/lib/pipe'), type=tarfile.FIFOTYPE)], 'neither file, folder nor link'),
    'twice': ([member(top('fe/lib/large.jar'), b'x')], 'twice'),
    'two of a component': ([member('other/fe/bin/x', b'x')], 'twice'),
}


@pytest.mark.parametrize('name', BAD_MEMBERS)
def test_members_that_must_not_be(tmp_path, dest, name):
    members, words = BAD_MEMBERS[name]
    result = install(write_archive(tmp_path, members=release_members() + members), dest)
    refused(result, words, 'Nothing was installed')
    assert os.listdir(dest) == [] and sorted(os.listdir(tmp_path)) == ['StarRocks-3.5.0-ubuntu-amd64.tar.gz', 'opt']


def test_archive_without_the_component(tmp_path, dest):
    files = {path: data for path, data in contents().items() if not path.startswith('be/')}
    result = install(write_archive(tmp_path, members=release_members(files=files)), dest, component='be')
    refused(result, 'it holds no folder be', 'StarRocks-3.5.0-ubuntu-amd64.tar.gz')
    assert os.listdir(dest) == []


@pytest.mark.parametrize('form', ['tar.gz', 'tar'])
@pytest.mark.parametrize('kept', [0, 1, 100, 0.3, 0.6, 0.9, -1, -12])
def test_archive_cut_short(tmp_path, dest, form, kept):
    whole = tar_bytes(release_members())
    # A tar ends with blocks of zeros, of which two suffice: cut those that are padding first.
    data = gzip.compress(whole) if form == 'tar.gz' else whole.rstrip(b'\0')
    size = int(len(data) * kept) if isinstance(kept, float) else kept % len(data)
    archive = tmp_path / 'release.tar.gz'
    archive.write_bytes(data[:size])
    refused(install(archive, dest), 'Nothing was installed')
    assert os.listdir(dest) == []


@pytest.mark.parametrize('place', [0.2, 0.5, 0.95])
def test_archive_damaged_within(tmp_path, dest, place):
    data = bytearray(gzip.compress(tar_bytes(release_members())))
    data[int(len(data) * place)] ^= 0xFF
    archive = tmp_path / 'release.tar.gz'
    archive.write_bytes(data)
    refused(install(archive, dest), 'damaged')
    assert os.listdir(dest) == []


def test_damaged_header_is_not_taken_for_the_end(tmp_path, dest):
    data = bytearray(tar_bytes(release_members()))
    data[data.index(b'fe/webroot/static/index.html')] ^= 0xFF
    archive = tmp_path / 'release.tar'
    archive.write_bytes(data)
    refused(install(archive, dest), 'cut short or damaged')


def test_something_that_is_no_archive(tmp_path, dest):
    page = tmp_path / 'release.tar.gz'
    page.write_text('<html>Please log in</html>' * 100)
    refused(install(page, dest), 'it is no .tar.gz', '<html>')


@pytest.mark.parametrize('algorithm', ['sha256', 'sha512', 'md5'])
def test_checksum(archive, dest, algorithm):
    digest = hashlib.new(algorithm, archive.read_bytes()).hexdigest()
    refused(install(archive, dest, checksum=f'{algorithm}:{"0" * len(digest)}'), f'its {algorithm} is {digest}')
    assert os.listdir(dest) == []
    assert install(archive, dest, checksum=f'{algorithm}:{digest.upper()}')['changed']
    assert not install(archive, dest, checksum=f'{algorithm}:{digest}')['changed']


@pytest.mark.parametrize(('checksum', 'word'), [
    ('abc', 'sha256:<64'), ('sha256:abc', '64 hex digits'), ('crc:ab', 'sha256:')])
def test_a_checksum_that_is_none(archive, dest, checksum, word):
    refused(install(archive, dest, checksum=checksum), word)


def test_the_name_of_the_archive_tells_another_version(archive, dest):
    refused(install(archive, dest, version='3.5.1'), 'version 3.5.0, not the wanted 3.5.1')
    assert not dest.exists()


def test_the_top_folder_tells_another_version(tmp_path, dest):
    archive = write_archive(tmp_path, members=release_members('3.4.4'), name='release.tar.gz')
    refused(install(archive, dest, component='be'), 'its folder StarRocks-3.4.4-ubuntu-amd64', 'not the wanted 3.5.0')
    assert os.listdir(dest) == []


def test_the_front_end_inside_tells_another_version(tmp_path, dest):
    files = dict(contents(), **{'fe/lib/starrocks-fe.jar': frontend_jar('3.4.4')})
    archive = write_archive(tmp_path, members=release_members(files=files))
    refused(install(archive, dest), 'is version 3.4.4, not the wanted 3.5.0')
    assert os.listdir(dest) == []


@pytest.mark.parametrize('build', ['UNKNOWN', 'MAIN', 'branch-3.5', '3.5.0'])
def test_a_development_build_tells_no_version(tmp_path, dest, build):
    files = dict(contents(), **{'fe/lib/starrocks-fe.jar': frontend_jar(build)})
    assert install(write_archive(tmp_path, members=release_members(files=files)), dest)['changed']


@pytest.mark.parametrize('version', ['3.5', 'latest', '../3.5.0', ''])
def test_a_version_that_is_none(archive, dest, version):
    refused(install(archive, dest, version=version), 'is not a StarRocks version')


def test_no_room(archive, dest, monkeypatch):
    free = os.statvfs('/')

    class Full:
        f_frsize, f_bavail, f_bfree = free.f_frsize, 100, 100
    monkeypatch.setattr(os, 'statvfs', lambda path: Full)
    refused(install(archive, dest), 'of free space', '700 kB are needed')
    assert os.listdir(dest) == []


def test_the_part_of_the_controller_is_checked_for_room_first(archive, dest):
    part_of = {'name': archive.name, 'size': 1, 'sha256': '0' * 64, 'unpacked_size': 10 ** 18}
    refused(install(archive, dest, part_of=part_of), '1e+09 GB are needed')


def test_a_controller_path_needs_the_action_plugin(archive, dest):
    refused(run_module(src=archive, dest=dest), 'action plugin')
    assert not dest.exists()


def test_another_run_at_work(archive, dest):
    staging = dest / '.fe.staging-3.5.0'
    staging.mkdir(parents=True)
    (staging / 'bin').mkdir()
    handle = os.open(staging, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        refused(install(archive, dest), 'is in use')
        assert os.listdir(staging) == ['bin'], 'the other run goes on'
    finally:
        os.close(handle)
    assert install(archive, dest)['changed'] and os.listdir(dest) == ['fe']


def test_a_file_in_the_component_s_place(archive, dest):
    dest.mkdir()
    (dest / 'fe').write_text('x')
    refused(install(archive, dest), 'is no folder')


# -- versions that are there already


def test_another_version_is_not_deployed_over_an_installed_one(tmp_path, archive, dest):
    older = write_archive(tmp_path, '3.4.4')
    install(older, dest, version='3.4.4')
    before = listing(dest)
    for check_mode in (True, False):
        result = install(archive, dest, check_mode=check_mode)
        refused(result, 'holds version 3.4.4', 'wanted 3.5.0', 'starrocks.cluster.upgrade')
        assert result['previous_version'] == '3.4.4'
    assert listing(dest) == before


def test_another_build_of_the_same_version_is_refused(tmp_path, archive, dest):
    install(archive, dest)
    (tmp_path / 'new').mkdir()
    files = dict(contents(), **{'fe/lib/large.jar': b'other'})
    rebuilt = write_archive(tmp_path / 'new', members=release_members(files=files))
    refused(install(rebuilt, dest, checksum=sha256(rebuilt)), 'another build of the same version')
    # Without a checksum the archive is not looked at, as long as nothing is to be mended.
    assert not install(rebuilt, dest)['changed']
    (dest / 'fe/bin/stop_fe.sh').unlink()
    refused(install(rebuilt, dest), 'is not the archive from which')
    assert os.listdir(dest) == ['fe'] and not (dest / 'fe/bin/stop_fe.sh').exists()


# -- drift


def break_file(path, how):
    """Change one installed file."""
    if how == 'missing':
        path.unlink()
    elif how == 'longer':
        path.write_bytes(path.read_bytes() + b'x')
    elif how == 'same size':
        path.write_bytes(b'#' * path.stat().st_size)
    elif how == 'same size and time':
        status = path.stat()
        path.write_bytes(b'#' * status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif how == 'link':
        path.unlink()
        path.symlink_to('/etc/passwd')


@pytest.mark.parametrize(('name', 'how'), [
    (name, how) for name in ('bin/start_fe.sh', 'lib/large.jar')
    for how in ('missing', 'longer', 'same size', 'same size and time', 'link')
    if (name, how) != ('lib/large.jar', 'same size and time')])
def test_drift_is_seen_and_mended(archive, dest, name, how):
    install(archive, dest)
    (dest / 'fe/meta').mkdir()
    (dest / 'fe/meta/journal').write_text('mine')
    (dest / 'fe/conf/fe.conf').write_text('mine')
    break_file(dest / 'fe' / name, how)
    result = install(archive, dest)
    assert (result['changed'], result['action'], result['files']) == (True, 'repair', [name])
    assert f'{name}: ' in result['diff']['before'] and f'{name}: as released' in result['diff']['after']
    assert installed(dest / 'fe') == dict(released(), **{'meta/journal': b'mine', 'conf/fe.conf': b'mine'})
    assert os.listdir(dest) == ['fe']
    assert not install(archive, dest)['changed']


def test_folders_that_vanished_come_back(archive, dest):
    install(archive, dest)
    shutil.rmtree(dest / 'fe/webroot')
    shutil.rmtree(dest / 'fe/conf')
    result = install(archive, dest)
    assert result['files'] == ['webroot', 'webroot/static', 'webroot/static/index.html']
    assert (dest / 'fe/webroot/static/index.html').exists() and not (dest / 'fe/conf').exists()


def test_what_the_node_writes_is_no_drift(archive, dest):
    install(archive, dest, component='be')
    (dest / 'be/bin/be.pid').write_text('1\n')
    (dest / 'be/lib/udf-runtime').mkdir()
    (dest / 'be/storage').mkdir()
    (dest / 'be/conf/be.conf').write_text('mine')
    assert not install(archive, dest, component='be')['changed']


def test_touched_but_equal_is_no_drift(archive, dest):
    install(archive, dest)
    os.utime(dest / 'fe/bin/start_fe.sh')
    assert not install(archive, dest)['changed']


def test_a_folder_in_a_file_s_place_is_named(archive, dest):
    install(archive, dest)
    (dest / 'fe/bin/stop_fe.sh').unlink()
    (dest / 'fe/bin/stop_fe.sh').mkdir()
    refused(install(archive, dest), 'is a folder where the release has a file')


def test_a_damaged_stamp_is_named(archive, dest):
    install(archive, dest)
    (dest / 'fe' / STAMP).write_text('{"files": ')
    refused(install(archive, dest), STAMP, 'damaged')
    (dest / 'fe' / STAMP).unlink()
    assert install(archive, dest)['action'] == 'adopt'


# -- installations made by hand


@pytest.mark.parametrize('component', ['fe', 'be'])
def test_an_installation_by_hand_is_adopted(archive, dest, component):
    unpack_by_hand(archive, component, dest)
    (dest / component / 'bin/x.pid').write_text('12')
    (dest / component / 'conf/mine.conf').write_text('mine')
    before = listing(dest)
    check = install(archive, dest, component=component, check_mode=True)
    assert check['changed'] and check['action'] == 'adopt' and listing(dest) == before
    result = install(archive, dest, component=component)
    assert (result['changed'], result['action'], result['previous_version']) == (True, 'adopt', '3.5.0')
    assert not result['archive_needed'] and result['stamp']['adopted'] and result['stamp']['archive'] is None
    assert {path: data for path, data in listing(dest).items() if STAMP not in path} == before
    recorded = set(json.loads((dest / component / STAMP).read_text())['files'])
    assert recorded == {path for path in released(component) if not path.startswith('conf/')}
    assert (dest / component / STAMP).stat().st_mtime == MTIME, 'nothing changed under a running process'
    assert not install(archive, dest, component=component)['changed']


@pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')
def test_adoption_sets_the_owner_at_once(archive, dest):
    unpack_by_hand(archive, 'fe', dest)
    (dest / 'fe/meta').mkdir()
    install(archive, dest, owner='1234')
    assert (dest / 'fe/lib/large.jar').stat().st_uid == 1234
    assert (dest / 'fe/meta').stat().st_uid == 0, 'the role of the node sees to that'
    assert not install(archive, dest, owner='1234')['changed']


def test_drift_of_an_adopted_installation_is_mended(archive, dest):
    unpack_by_hand(archive, 'fe', dest)
    install(archive, dest)
    (dest / 'fe/lib/large.jar').unlink()
    assert install(archive, dest)['files'] == ['lib/large.jar']
    assert installed(dest / 'fe') == released()
    assert not install(archive, dest)['changed']


def test_a_file_that_the_archive_never_had_cannot_be_put_back(archive, dest):
    unpack_by_hand(archive, 'fe', dest)
    (dest / 'fe/lib/mine.jar').write_text('x')
    install(archive, dest)
    (dest / 'fe/lib/mine.jar').unlink()
    result = install(archive, dest)
    assert 'mine.jar' in str(result['warnings']) and not install(archive, dest)['changed']


@pytest.mark.parametrize('component', ['fe', 'be'])
def test_another_version_installed_by_hand_is_refused(tmp_path, archive, dest, component):
    unpack_by_hand(write_archive(tmp_path, '3.4.4'), component, dest)
    before = listing(dest)
    refused(install(archive, dest, component=component), 'holds version 3.4.4 (installed by hand), wanted 3.5.0')
    assert listing(dest) == before


def test_a_broker_by_hand_is_compared_with_the_archive(tmp_path, archive, dest):
    broker = dict(component='apache_hdfs_broker')
    unpack_by_hand(write_archive(tmp_path, '3.4.4'), 'apache_hdfs_broker', dest)
    before = listing(dest)
    refused(install(archive, dest, **broker), 'do not tell their version', '1 of them', 'lib/broker.jar')
    assert listing(dest) == before
    older = dict(broker, version='3.4.4')
    assert install(tmp_path / 'StarRocks-3.4.4-ubuntu-amd64.tar.gz', dest, **older)['action'] == 'compare'
    assert not install(tmp_path / 'StarRocks-3.4.4-ubuntu-amd64.tar.gz', dest, **older)['changed']
    stamp = json.loads((dest / 'apache_hdfs_broker' / STAMP).read_text())
    assert stamp['adopted'] and stamp['archive']['name'] == 'StarRocks-3.4.4-ubuntu-amd64.tar.gz'


def test_a_back_end_that_cannot_run_here_is_compared_with_the_archive(tmp_path, dest):
    files = dict(contents(), **{'be/lib/starrocks_be': b'\x7fELF of another machine'})
    archive = write_archive(tmp_path, members=release_members(files=files))
    unpack_by_hand(archive, 'be', dest)
    assert install(archive, dest, component='be')['action'] == 'compare'
    assert not install(archive, dest, component='be')['changed']


# -- interruptions


def check_after_a_crash(dest, archive, node_files, stamped_means_whole):
    """What must hold whenever a run was killed, and after the rerun."""
    home = dest / 'fe'
    if stamped_means_whole and (home / STAMP).exists() and json.loads((home / STAMP).read_text())['complete']:
        assert installed(home) == dict(released(), **node_files)
    for path, data in node_files.items():
        assert (home / path).read_bytes() == data
    result = install(archive, dest)
    assert not result['failed'], result
    assert installed(home) == dict(released(), **node_files)
    assert os.listdir(dest) == ['fe']
    assert not install(archive, dest)['changed']


def crash_everywhere(prepare, tmp_path, archive, node_files, stamped_means_whole=True):
    """Kill the module before each of its changes on the disk, each time anew; returns how many changes there were."""
    step = 0
    while True:
        step += 1
        dest = tmp_path / f'opt{step}'
        prepare(dest)
        killed = killed_at(step, src=archive, remote_src=True, dest=dest)
        check_after_a_crash(dest, archive, node_files, stamped_means_whole)
        shutil.rmtree(dest)
        if not killed:
            return step - 1


def test_killed_anywhere_in_a_first_install(tmp_path, archive):
    assert crash_everywhere(lambda dest: None, tmp_path, archive, {}) > 40


def test_killed_anywhere_while_filling_a_folder(tmp_path, archive):
    def prepare(dest):
        (dest / 'fe/conf').mkdir(parents=True)
        (dest / 'fe/conf/fe.conf').write_text('mine')
        (dest / 'fe/meta').mkdir()
        (dest / 'fe/meta/journal').write_text('mine')
    assert crash_everywhere(prepare, tmp_path, archive, {'conf/fe.conf': b'mine', 'meta/journal': b'mine'}) > 50


def test_killed_anywhere_in_a_repair(tmp_path, archive):
    def prepare(dest):
        install(archive, dest)
        (dest / 'fe/conf/fe.conf').write_text('mine')
        (dest / 'fe/lib/large.jar').unlink()
        (dest / 'fe/bin/start_fe.sh').write_text('broken')
    assert crash_everywhere(prepare, tmp_path, archive, {'conf/fe.conf': b'mine'}, stamped_means_whole=False) > 10


def test_killed_anywhere_in_an_adoption(tmp_path, archive):
    assert crash_everywhere(lambda dest: unpack_by_hand(archive, 'fe', dest), tmp_path, archive, {}) > 3


def test_an_unfinished_fill_of_another_version_leaves_no_file_of_it(tmp_path, archive):
    older_files = dict(contents('3.4.4'), **{'fe/lib/only-in-3.4.4.jar': b'x'})
    older = write_archive(tmp_path, '3.4.4', members=release_members('3.4.4', files=older_files))
    seen = False
    for step in range(1, 200, 3):
        dest = tmp_path / f'opt{step}'
        (dest / 'fe/meta').mkdir(parents=True)
        if not killed_at(step, src=older, remote_src=True, dest=dest, version='3.4.4'):
            break
        seen = seen or (dest / 'fe/lib/only-in-3.4.4.jar').exists()
        result = install(archive, dest)
        if 'holds version 3.4.4' in result['msg']:
            continue  # it was complete
        assert installed(dest / 'fe') == released() and os.listdir(dest) == ['fe']
    assert seen


def test_leftovers_of_another_version_are_cleared_by_the_next_run(tmp_path, archive, dest):
    (dest / '.fe.staging-3.4.4/bin').mkdir(parents=True)
    (dest / '.be.staging-3.4.4/bin').mkdir(parents=True)
    assert install(archive, dest, check_mode=True)['changed'] and (dest / '.fe.staging-3.4.4').exists()
    assert '.fe.staging-3.4.4' in install(archive, dest)['msg']
    assert sorted(os.listdir(dest)) == ['.be.staging-3.4.4', 'fe']
    assert not install(archive, dest)['changed']


# -- from a URL


def test_from_a_url(archive, dest):
    with Server(archive) as server:
        result = run_module(src=server.url, dest=dest, checksum=sha256(archive))
        assert result['changed'] and len(server.requests) == 1
        assert not run_module(src=server.url, dest=dest, checksum=sha256(archive))['changed']
        assert len(server.requests) == 1, 'a run that changes nothing asks nobody'
    assert installed(dest / 'fe') == released()


def test_plain_http_without_a_checksum_is_refused(archive, dest):
    with Server(archive) as server:
        refused(run_module(src=server.url, dest=dest), 'plain http', 'allow_insecure_http')
        assert server.requests == []
        assert run_module(src=server.url, dest=dest, allow_insecure_http=True)['changed']


def quick(monkeypatch):
    """No pauses between tries; returns the list of those asked for."""
    pauses = []
    from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import UrlSource
    monkeypatch.setattr(UrlSource.__init__, '__defaults__', (*UrlSource.__init__.__defaults__[:-1], pauses.append))
    return pauses


@pytest.mark.parametrize('ranges', [True, False])
def test_a_lost_connection_is_taken_up_again(archive, dest, monkeypatch, ranges):
    pauses = quick(monkeypatch)
    with Server(archive, cuts=[1000, 300_000, 0], ranges=ranges) as server:
        result = run_module(src=server.url, dest=dest, checksum=sha256(archive))
        assert result['changed'], result
        asked = [wanted for dummy, wanted in server.requests]
        assert asked[:2] == [None, 'bytes=1000-'] and len(asked) == 4
    assert installed(dest / 'fe') == released()
    assert pauses[0] == 1


def test_a_server_that_never_sends_all(archive, dest, monkeypatch):
    pauses = quick(monkeypatch)
    with Server(archive, cuts=[1000] + [0] * 20) as server:
        result = run_module(src=server.url, dest=dest, checksum=sha256(archive), retries=2)
        refused(result, 'could not be read to its end', 'the connection was closed', '1 kB')
        assert server.url in result['msg']
    assert os.listdir(dest) == [] and pauses == [1, 2]


def test_a_busy_server_is_asked_again(archive, dest, monkeypatch):
    quick(monkeypatch)
    with Server(archive, statuses=[503, 429]) as server:
        assert run_module(src=server.url, dest=dest, checksum=sha256(archive))['changed']
        assert len(server.requests) == 3


def test_a_server_without_the_archive_is_asked_once(archive, dest):
    with Server(archive, statuses=[404] * 5) as server:
        refused(run_module(src=server.url, dest=dest, checksum=sha256(archive)), 'answered 404')
        assert len(server.requests) == 1
    assert os.listdir(dest) == []


def test_an_archive_that_changes_while_it_is_read(archive, dest, monkeypatch):
    with Server(archive, cuts=[1000]) as server:
        def change(dummy):
            server.etag = '"two"'
        from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import UrlSource
        monkeypatch.setattr(UrlSource.__init__, '__defaults__', (*UrlSource.__init__.__defaults__[:-1], change))
        refused(run_module(src=server.url, dest=dest, checksum=sha256(archive)), 'changed on the server')


def test_credentials_go_to_the_named_server_only(archive, dest):
    with Server(archive) as other, Server(archive, password=True, moved=other.url) as server:
        given = dict(dest=dest, checksum=sha256(archive), url_username='reader', url_password='s3cret')
        assert run_module(src=server.url.rpartition('/')[0] + '/moved', **given)['changed']
        assert 'Authorization' in server.headers[0]
        assert all('Authorization' not in headers for headers in other.headers) and other.headers
    with Server(archive, password=True) as server:
        refused(run_module(src=server.url, dest=dest / 'b', checksum=sha256(archive)), 'answered 401')
        result = run_module(src=server.url, **dict(given, dest=dest / 'b'))
        assert result['changed'] and 's3cret' not in json.dumps(result)


def test_a_password_in_the_url_is_refused_and_not_shown(dest):
    result = run_module(src='https://reader:s3cret@example.com/r.tar.gz?token=t0ken', dest=dest)
    refused(result, 'url_password')
    assert 's3cret' not in result['msg'] and 't0ken' not in result['msg']


def test_nobody_listens(dest, monkeypatch):
    quick(monkeypatch)
    refused(run_module(src='http://127.0.0.1:9/r.tar.gz', dest=dest, allow_insecure_http=True, retries=1),
            '127.0.0.1:9', '2 tries', 'refused')


def test_mirrors_are_tried_in_order(archive, dest, monkeypatch):
    quick(monkeypatch)
    with Server(archive, statuses=[404]) as first, Server(archive, statuses=[503] * 9) as second, \
            Server(archive) as third, Server(archive) as fourth:
        addresses = ['http://127.0.0.1:9/' + archive.name, second.url, third.url, fourth.url]
        result = run_module(src=first.url, mirrors=addresses, dest=dest, checksum=sha256(archive), retries=1)
        assert result['changed'], result
        asked = [len(server.requests) for server in (first, second, third, fourth)]
    assert asked == [1, 2, 1, 0]
    assert installed(dest / 'fe') == released() and result['stamp']['archive']['name'] == archive.name


def test_a_mirror_goes_on_where_another_broke_off(archive, dest, monkeypatch):
    quick(monkeypatch)
    (archive.parent / 'other').mkdir()
    other = write_archive(archive.parent / 'other', members=release_members(files={'fe/bin/x': b'y'}))
    with Server(archive, cuts=[300_000] + [0] * 9) as first, Server(other, etag='"two"') as second, \
            Server(archive, etag='"three"') as third:
        result = run_module(src=first.url, mirrors=[second.url, third.url], dest=dest, checksum=sha256(archive),
                            retries=1)
        assert result['changed'], result
        assert [wanted for dummy, wanted in third.requests] == ['bytes=300000-'], 'the second one has another file'
    assert installed(dest / 'fe') == released()


def test_no_address_has_it(archive, dest, monkeypatch):
    quick(monkeypatch)
    with Server(archive, statuses=[404]) as first, Server(archive, statuses=[500] * 9) as second:
        result = run_module(src=first.url, mirrors=[second.url], dest=dest, checksum=sha256(archive), retries=1)
        refused(result, 'None of 2 addresses', f'{first.url}: the server answered 404',
                f'{second.url} could not be read', 'answered 500')
    assert os.listdir(dest) == []


def test_a_wrong_checksum_is_no_reason_to_ask_a_mirror(archive, dest):
    with Server(archive) as first, Server(archive) as second:
        refused(run_module(src=first.url, mirrors=[second.url], dest=dest, checksum='sha256:' + '0' * 64),
                'the checksum wanted is', first.url)
        assert second.requests == []


def test_mirrors_are_checked_like_the_first_address(archive, dest):
    url = 'https://example.com/' + archive.name
    refused(run_module(src=url, mirrors=['http://example.com/' + archive.name], dest=dest), 'plain http')
    refused(run_module(src=url, mirrors=['ftp://example.com/' + archive.name], dest=dest), 'http, https or a path')
    refused(run_module(src=url, mirrors=['https://example.com/StarRocks-3.4.4.tar.gz'], dest=dest), 'version 3.4.4')
    refused(install(archive, dest, mirrors=[url]), 'mirrors: they are for')


def test_credentials_do_not_go_to_mirrors(archive, dest):
    with Server(archive, statuses=[404]) as first, Server(archive) as second:
        assert run_module(src=first.url, mirrors=[second.url], dest=dest, checksum=sha256(archive),
                          url_username='reader', url_password='s3cret')['changed']
        assert 'Authorization' in first.headers[0] and 'Authorization' not in second.headers[0]


@pytest.mark.parametrize('url', ['ftp://example.com/r.tar.gz', 'file:///r.tar.gz', 's3://bucket/r.tar.gz'])
def test_other_schemes(dest, url):
    refused(run_module(src=url, dest=dest), 'http, https or a path')


# -- memory


def test_memory_is_bounded(tmp_path):
    """400 MB, most of it in one file that packs to nothing, and all of it wanted."""
    large = tmp_path / 'StarRocks-3.5.0-ubuntu-amd64.tar.gz'
    block = bytes(1024 * 1024)
    with gzip.open(large, 'wb', compresslevel=1) as stream:
        head, _dummy = member(top('be/lib/starrocks_be'))
        head.size = 400 * len(block)
        stream.write(head.tobuf())
        for _dummy in range(400):
            stream.write(block)
        stream.write(bytes(1024))
    program = (
        'import sys; sys.path[:0] = sys.argv[2:]\n'
        'from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import run_module\n'
        'r = run_module(src=sys.argv[1], remote_src=True, dest=sys.argv[1] + ".d", component="be")\n'
        'assert r["changed"], r\n'
        # Not ru_maxrss: a child inherits what its parent, pytest, had at its highest.
        'print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])\n')
    collections = str(pathlib.Path(disk.__file__).parents[5])
    out = subprocess.run([sys.executable, '-c', program, str(large), *sys.path, collections],
                         check=True, stdout=subprocess.PIPE, text=True)
    assert (tmp_path / (large.name + '.d') / 'be/lib/starrocks_be').stat().st_size == 400 * len(block)
    assert int(out.stdout) * 1024 < 100e6, f'{out.stdout.strip()} kB'
