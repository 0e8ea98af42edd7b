# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_backup on real files, some of which are written meanwhile, and killed anywhere."""

import errno
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import threading
import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _node_backup
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_backup
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import run_module

METADATA = {
    'image/ROLE': 'role=FOLLOWER\n',
    'image/VERSION': 'clusterId=1\n',
    'image/image.120': 'the image\n',
    'image/v2/image.120': 'the image\n',
    'image/v2/checksum.120': '7',
    'image/starmgr/image.12': 'the other image\n',
    'image/image.ckpt': 'half an ima',
    'image/v2/image.130.part': 'half an ima',
    'bdb/00000000.jdb': 'first ',
    'bdb/00000001.jdb': 'second ',
    'bdb/00000002.jdb': 'third ',
    'bdb/je.info.0': 'info',
    'bdb/je.config.csv': 'config',
    'bdb/je.lck': '',
}
PASSING = {'image/image.ckpt', 'image/v2/image.130.part', 'bdb/je.lck'}
LINKED = {'bdb/00000000.jdb', 'bdb/00000001.jdb'}
CONFIGURATION = {'fe.conf': 'http_port = 8030\n', 'hadoop/core-site.xml': '<configuration/>\n'}


class Node:
    """A front end's files, and the module run on them."""

    def __init__(self, folder):
        self.folder = folder
        self.meta, self.conf, self.dest = folder / 'meta', folder / 'conf', folder / 'backups' / 'fe'
        for root, files in ((self.meta, METADATA), (self.conf, CONFIGURATION)):
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
                os.utime(root / path, (1000, 1000))
        (self.conf / 'fe.conf').chmod(0o640)
        (self.conf / 'core-site.xml').symlink_to('hadoop/core-site.xml')
        (self.conf / 'hdfs-site.xml').symlink_to(folder / 'outside')
        (folder / 'outside').write_text('not of this node')
        os.mkfifo(self.conf / 'pipe')
        self.sources = [{'path': str(self.meta), 'kind': 'metadata', 'as': 'meta'},
                        {'path': str(self.conf), 'kind': 'configuration', 'as': 'fe/conf'}]

    def __call__(self, name='b1', check_mode=False, **arguments):
        asked = {'name': name, 'dest': self.dest, 'sources': self.sources, 'versions': {'from': '3.4.4'}}
        return run_module(starrocks_backup, dict(asked, **arguments), check_mode)

    def by_law(self, name='b1', **arguments):
        """Check mode, the real run, and once more. Returns what the real run returned."""
        before = contents(self.folder)
        foreseen = self(name, check_mode=True, **arguments)
        assert contents(self.folder) == before
        done = self(name, **arguments)
        assert not done['failed'], done['msg']
        told = ('changed', 'diff', 'path', 'bytes', 'files', 'linked', 'removed', 'versions')
        assert [foreseen[key] for key in told] == [done[key] for key in told]
        after = contents(self.folder)
        assert (after != before) == done['changed']
        again = self(name, **arguments)
        assert [again[key] for key in told] == [False, [], *[done[key] for key in told[2:-2]], [], done['versions']]
        assert again['time'] == done['time'] and contents(self.folder) == after
        return done

    def verify(self, name='b1', **arguments):
        return self(name, state='verified', sources=[], **arguments)

    def manifest(self, name='b1'):
        return json.loads((self.dest / name / 'manifest.json').read_text())

    def names(self):
        return sorted(os.listdir(self.dest)) if self.dest.exists() else []


def contents(folder):
    """{path: what it is} of all below a folder, with inode, so that nothing can be written anew unseen."""
    found = {}
    for path in sorted(folder.rglob('*')):
        status = path.lstat()
        text = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = status.st_ino, status.st_mode, status.st_mtime_ns, text
    return found


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def test_metadata_and_configuration_are_copied(node):
    done = node.by_law()
    path = node.dest / 'b1'
    wanted = {'meta/' + one: text for one, text in METADATA.items() if one not in PASSING}
    wanted.update({'fe/conf/' + one: text for one, text in CONFIGURATION.items()})
    found = {one: content for one, (dummy, dummy, dummy, content) in contents(path).items() if content is not None}
    links = {'fe/conf/core-site.xml': 'hadoop/core-site.xml', 'fe/conf/hdfs-site.xml': str(node.folder / 'outside')}
    assert found.pop('manifest.json') and found == dict({one: text.encode() for one, text in wanted.items()}, **links)
    assert done['changed'] and (done['files'], done['linked']) == (len(found), 2)
    assert done['bytes'] == sum(len(text) for text in wanted.values())
    # Files are as they were, and nobody else sees them.
    for one in ('fe/conf/fe.conf', 'meta/bdb/00000002.jdb'):
        original = (node.folder / one.replace('fe/', '', 1)).stat()
        assert (path / one).stat().st_mtime == 1000 and (path / one).stat().st_mode == original.st_mode
    assert stat.S_IMODE((path / 'meta').stat().st_mode) == stat.S_IMODE(node.meta.stat().st_mode)
    assert {stat.S_IMODE(one.stat().st_mode) for one in (node.dest, path, path / 'fe')} == {0o700}
    assert stat.S_IMODE((path / 'manifest.json').stat().st_mode) == 0o600


def test_what_the_manifest_says(node):
    done = node()
    manifest = node.manifest()
    assert manifest['sources'] == node.sources and manifest['versions'] == {'from': '3.4.4'}
    assert (manifest['name'], manifest['time'], manifest['host']) == ('b1', done['time'], os.uname().nodename)
    assert manifest['files']['fe/conf/fe.conf'] == {
        'size': 17, 'mtime_ns': 1000 * 10 ** 9, 'sha256': hashlib.sha256(b'http_port = 8030\n').hexdigest()}
    assert manifest['files']['meta/bdb/00000000.jdb'] == {'size': 6, 'mtime_ns': 1000 * 10 ** 9, 'linked': True}
    assert manifest['files']['fe/conf/core-site.xml'] == {'link': 'hadoop/core-site.xml'}


def test_the_journal_is_linked_but_for_its_newest(node):
    node()
    for path in METADATA:
        if path not in PASSING:
            same = os.path.samefile(node.meta / path, node.dest / 'b1' / 'meta' / path)
            assert same is (path in LINKED)
    # What the front end does with its files later reaches only what it does not do with them.
    (node.meta / 'bdb/00000002.jdb').open('a').write('more')
    (node.meta / 'bdb/00000000.jdb').unlink()
    assert node.verify()['problems'] == []


@pytest.mark.parametrize('error', [errno.EXDEV, errno.EPERM])
def test_where_files_cannot_be_linked_they_are_copied(node, monkeypatch, error):
    def refuse(*dummy, **options):
        raise OSError(error, 'no')

    monkeypatch.setattr(os, 'link', refuse)
    done = node()
    assert not done['failed'] and done['linked'] == 0 and node.verify()['problems'] == []
    assert not os.path.samefile(node.meta / 'bdb/00000000.jdb', node.dest / 'b1/meta/bdb/00000000.jdb')


def test_the_diff_lists_what_is_copied(node):
    text = ''.join(one['prepared'] for one in node()['diff'])
    for line in ('+meta/bdb/00000001.jdb (linked)', '+meta/bdb/00000002.jdb (copied)', '+fe/conf/fe.conf (copied)',
                 '+fe/conf/core-site.xml (a link)'):
        assert line in text.splitlines()
    assert '8030' not in text


def test_sources_are_files_or_links_to_folders_and_owners_are_given(node):
    (node.folder / 'to-conf').symlink_to(node.conf)
    node.sources = [{'path': str(node.folder / 'to-conf'), 'kind': 'configuration', 'as': 'all'},
                    {'path': str(node.conf / 'fe.conf'), 'kind': 'configuration', 'as': 'one/fe.conf'}]
    owner = {'owner': 'nobody', 'group': 'root', 'mode': '0750'} if os.geteuid() == 0 else {'mode': '0750'}
    node.by_law(**owner)
    path = node.dest / 'b1'
    assert (path / 'all/fe.conf').read_text() == (path / 'one/fe.conf').read_text() == 'http_port = 8030\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    if os.geteuid() == 0:
        assert {one.owner() for one in (path, path / 'one', path / 'manifest.json')} == {'nobody'}
        assert (path / 'all').owner() == (path / 'all/fe.conf').owner() == 'root'


def test_a_folder_that_is_there_is_left_as_it_is(node):
    node.dest.mkdir(parents=True)
    node.dest.chmod(0o755)
    node()
    assert stat.S_IMODE(node.dest.stat().st_mode) == 0o755
    assert stat.S_IMODE((node.dest / 'b1').stat().st_mode) == 0o700


@pytest.mark.parametrize(('change', 'words'), [
    (lambda node: node.sources.append({'path': '/none/such', 'kind': 'configuration', 'as': 'x'}), 'no /none/such on'),
    (lambda node: (node.meta / 'image/old').symlink_to('/elsewhere'), 'is a link to /elsewhere'),
    (lambda node: (node.dest / 'b1').mkdir(parents=True), 'b1 is in the way'),
    (lambda node: node.sources.append({'path': '/etc', 'kind': 'configuration', 'as': 'meta'}), 'place'),
])
def test_what_cannot_be_backed_up_is_said_before_anything_is_copied(node, change, words):
    change(node)
    before = contents(node.folder)
    for check_mode in (True, False):
        result = node(check_mode=check_mode)
        assert result['failed'] and words in result['msg']
    assert contents(node.folder) == before


def test_wrong_options_are_said(node):
    assert 'octal' in node(mode='rwx')['msg']
    assert "owner 'none-such' does not exist" in node(owner='none-such')['msg']
    assert not node(owner='none-such', check_mode=True)['failed']
    assert node.names() == []


def test_a_backup_of_other_files_does_not_count(node):
    node()
    node.sources[1]['path'] = '/etc/hosts'
    result = node()
    assert result['failed'] and str(node.conf) in result['msg'] and 'a dest for each node' in result['msg']


def test_too_little_room_is_said_with_figures_before_anything_is_copied(node, monkeypatch):
    node.dest.mkdir(parents=True)
    (node.meta / 'image/image.120').write_bytes(b'x' * 10 ** 6)

    class Full:
        f_frsize, f_bavail, f_bfree = 1000, 900, 900

    monkeypatch.setattr(_node_backup.os, 'statvfs', lambda path: Full)
    for check_mode in (True, False):
        result = node(check_mode=check_mode)
        assert result['failed'] and '900 kB of free space' in result['msg'] and 'needs 1.0' in result['msg']
    assert node.names() == []


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(node, monkeypatch):
    real = os.fsync

    def full(handle):
        if os.readlink('/proc/self/fd/%d' % handle).endswith('00000002.jdb'):
            raise OSError(errno.ENOSPC, 'No space left on device')
        return real(handle)

    monkeypatch.setattr(os, 'fsync', full)
    result = node()
    assert result['failed'] and 'No space left' in result['msg'] and node.names() == []


# -- how many are kept


def on_day(*date):
    return time.struct_time(date + (0, 0, 0, 0, 1, 0))


def test_the_newest_are_kept(node, monkeypatch):
    days = iter(range(1, 100))
    monkeypatch.setattr(_node_backup.time, 'gmtime', lambda: on_day(2026, 1, next(days)))
    for name in ('c', 'b', 'a'):
        assert node(name)['removed'] == []
    # What is no whole backup, and what is no backup at all, is neither counted nor touched.
    (node.dest / 'half').mkdir()
    (node.dest / 'foreign').write_text('x')
    (node.dest / 'renamed').mkdir()
    shutil.copy(node.dest / 'a/manifest.json', node.dest / 'renamed')
    done = node.by_law('d')
    assert done['removed'] == ['c'] and 'c (absent)' in ''.join(one['prepared'] for one in done['diff'])
    assert node.names() == ['a', 'b', 'd', 'foreign', 'half', 'renamed']
    assert node.by_law('e', keep=1)['removed'] == ['a', 'b', 'd']
    assert node('e', keep=0)['failed'] and (node.meta / 'bdb/00000000.jdb').read_text() == 'first '


def test_the_new_one_stays_whatever_the_clock_says(node, monkeypatch):
    node('a')
    node('b')
    monkeypatch.setattr(_node_backup.time, 'gmtime', lambda: on_day(2020, 1, 1))
    assert node('c', keep=2)['removed'] == ['a'] and node.names() == ['b', 'c']


# -- compared with its manifest


def test_a_backup_is_compared_with_its_manifest(node):
    node()
    before = contents(node.folder)
    good = node.verify()
    assert (good['failed'], good['problems'], good['changed']) == (False, [], False)
    assert good['versions'] == {'from': '3.4.4'}
    assert contents(node.folder) == before
    path = node.dest / 'b1'
    (path / 'fe/conf/fe.conf').write_text('http_port = 8031\n')
    (path / 'meta/image/ROLE').unlink()
    (path / 'meta/image/new').write_text('')
    (path / 'fe/conf/core-site.xml').unlink()
    (path / 'fe/conf/core-site.xml').symlink_to('/etc/passwd')
    (node.meta / 'bdb/00000001.jdb').write_text('2nd ago')  # of one inode with the backup's
    os.utime(node.meta / 'bdb/00000000.jdb')
    bad = node.verify()
    assert bad['failed'] and 'Do not restore from it' in bad['msg'] and 'and 1 more' in bad['msg']
    assert bad['problems'] == [
        'fe/conf/core-site.xml has another link', 'fe/conf/fe.conf has another sha256',
        'meta/bdb/00000000.jdb has another time', 'meta/bdb/00000001.jdb has another time',
        'meta/image/ROLE is missing', 'meta/image/new does not belong there']
    assert 'is no backup' in node.verify('none')['msg']


# -- a front end that runs meanwhile


class Writer:
    """A process that appends records to the newest journal file, begins a new one after some, as JE does."""

    def __init__(self, folder):
        self.folder = folder
        self.child = os.fork()
        if self.child == 0:
            try:
                self.write()
            finally:
                os._exit(0)

    def write(self):
        number = entry = 0
        while True:
            with open(self.folder / ('%08x.jdb' % number), 'ab', 0) as stream:
                for dummy in range(50):
                    stream.write(b'entry %08d\n' % entry)
                    entry += 1
                    if not entry % 10:
                        time.sleep(0.001)
            number += 1

    def end(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)


def test_what_is_copied_from_a_running_writer_is_what_a_crash_would_have_left(node):
    shutil.rmtree(node.meta / 'bdb')
    (node.meta / 'bdb').mkdir()
    writer = Writer(node.meta / 'bdb')
    try:
        time.sleep(0.3)
        for number in range(20):
            assert not node('b%d' % number, keep=100)['failed']
    finally:
        writer.end()
    for number in range(20):
        path = node.dest / ('b%d' % number)
        journal = sorted((path / 'meta/bdb').iterdir())
        entries = b''.join(one.read_bytes() for one in journal).split(b'\n')[:-1]
        assert entries and entries == [b'entry %08d' % one for one in range(len(entries))]
        assert node.verify('b%d' % number)['problems'] == []
        assert [one.stat().st_nlink > 1 for one in journal] == [True] * (len(journal) - 1) + [False]


def interrupt(monkeypatch, what, times=1):
    """Have something happen whenever the newest journal file is about to be copied, up to a number of times."""
    copy, left = _node_backup._copy, [times]

    def meanwhile(path, target):
        if path.endswith('.jdb') and left[0]:
            left[0] -= 1
            what()
        return copy(path, target)

    monkeypatch.setattr(_node_backup, '_copy', meanwhile)


def test_an_image_that_comes_meanwhile_is_taken_with_its_journal(node, monkeypatch):
    def checkpoint():
        (node.meta / 'image/image.200').write_text('newer')
        (node.meta / 'image/image.120').unlink()

    interrupt(monkeypatch, checkpoint)
    assert not node()['failed']
    assert sorted(os.listdir(node.dest / 'b1/meta/image')) == ['ROLE', 'VERSION', 'image.200', 'starmgr', 'v2']
    assert node.verify()['problems'] == []


def test_a_journal_file_that_is_cleaned_away_meanwhile_is_not_missed(node, monkeypatch):
    interrupt(monkeypatch, (node.meta / 'bdb/00000000.jdb').unlink)
    done = node()
    assert not done['failed'] and done['linked'] == 1
    assert not (node.dest / 'b1/meta/bdb/00000000.jdb').exists() and node.verify()['problems'] == []


@pytest.mark.parametrize('name', ['link', 'open', 'listdir'])
def test_what_vanishes_at_the_last_moment_is_looked_for_anew(node, monkeypatch, name):
    real, done = getattr(os, name), []

    def first_time(path, *arguments, **options):
        if not done and str(node.meta) in str(path) and str(path) != str(node.meta):
            done.append(path)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, name, first_time)
    assert not node()['failed'] and done
    assert node.verify()['problems'] == []


def test_a_source_that_never_rests_is_given_up(node, monkeypatch):
    numbers = iter(range(200, 300))
    interrupt(monkeypatch, lambda: (node.meta / ('image/image.%d' % next(numbers))).write_text('x'), times=100)
    result = node()
    assert result['failed'] and 'image/image.204 came at last' in result['msg'] and node.names() == []


def test_nobody_waits_for_a_file_that_grows_for_ever(node):
    path = node.meta / 'bdb/00000002.jdb'
    stop = threading.Event()

    def grow():
        with open(path, 'ab', 0) as stream:
            while not stop.is_set():
                stream.write(b'x' * 100000)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        assert not node()['failed']
    finally:
        stop.set()
        thread.join()
    assert node.verify()['problems'] == []


# -- cut short, and two at once

STEPS = ('mkdir', 'link', 'symlink', 'open', 'utime', 'fchmod', 'chmod', 'chown', 'fsync', 'rename', 'rmdir', 'unlink')


def killed_at(step, call):
    """Make a call in a child that kills itself before its n-th change on the disk; whether it came to that."""
    child = os.fork()
    if child == 0:
        count = [0]

        def counted(function):
            def counting(*arguments, **options):
                count[0] += 1
                if count[0] == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)
            return counting
        try:
            for name in STEPS:
                setattr(os, name, counted(getattr(os, name)))
            call()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_anywhere_there_is_a_whole_backup_or_none(node):
    live = contents(node.folder)
    whole = 0
    for step in range(1, 500):
        node('a')
        older = node.manifest('a')
        killed = killed_at(step, lambda: node('b', keep=1))
        for name in _node_backup.times(str(node.dest)):
            assert node.verify(name)['problems'] == []
            whole += name == 'b' and killed
        if 'a' in node.names():
            assert node.manifest('a') == older
        else:
            assert node.verify('b')['problems'] == []  # never none
        # The next run clears up.
        assert not node('b', keep=1)['failed'] and node.names() == ['b']
        assert node.verify('b')['problems'] == []
        shutil.rmtree(node.dest)
        if not killed:
            break
    assert not killed and step > 80 and whole > 20
    (node.folder / 'backups').rmdir()
    # Not even a time of the live files has changed.
    assert contents(node.folder) == live


def test_a_backup_that_another_run_makes_is_left_to_it(node):
    staging = node.dest / '.b1.staging'
    staging.mkdir(parents=True)
    (staging / 'x').write_text('of the other')
    handle = os.open(staging, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    result = node()
    assert result['failed'] and 'is in use' in result['msg'] and (staging / 'x').exists()
    assert not node('b2')['failed'] and (staging / 'x').exists()
    os.close(handle)
    assert '.b1.staging (absent)' in ''.join(one['prepared'] for one in node.by_law('b2')['diff'])
    assert node.names() == ['b2']


def test_of_two_runs_that_make_one_backup_one_makes_it(node):
    for dummy in range(5):
        children = []
        for dummy in range(3):
            children.append(os.fork())
            if not children[-1]:
                try:
                    node()
                finally:
                    os._exit(0)
        for child in children:
            os.waitpid(child, 0)
        assert node.names() == ['b1'] and node.verify()['problems'] == []
        shutil.rmtree(node.dest)


def test_what_only_looks_like_a_leftover_stays(node):
    node.dest.mkdir(parents=True)
    (node.dest / '.b9.staging').write_text('a file')
    (node.dest / '.b8.staging').symlink_to(node.meta)
    (node.dest / '.other').mkdir()
    node()
    assert node.names() == ['.b8.staging', '.b9.staging', '.other', 'b1'] and (node.meta / 'image/ROLE').exists()


def test_a_leftover_that_is_taken_up_meanwhile_stays(node):
    for name in ('.b1.staging', '.b2.staging'):
        (node.dest / name).mkdir(parents=True)
    found = _node_backup.leftovers(str(node.dest))
    handle = os.open(found[0], os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    _node_backup.remove_leftovers([*found, str(node.dest / '.gone.staging')])
    os.close(handle)
    assert node.names() == ['.b1.staging']


def test_a_backup_that_came_meanwhile_is_not_overwritten(node, monkeypatch):
    interrupt(monkeypatch, lambda: (pathlib.Path(node.dest) / 'b1/x').mkdir(parents=True))
    assert 'another run is at work' in node()['msg'] and node.names() == ['b1']
