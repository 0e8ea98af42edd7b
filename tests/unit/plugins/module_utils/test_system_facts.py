# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an operating system is set: read from files laid out here, with programs played by the test."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _system_facts as facts
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight_facts import Reader


class Host:
    """A host's files below a folder, and what its programs print: name -> (status, output)."""

    def __init__(self, folder):
        self.folder = folder
        self.programs = {}
        self.calls = []
        self.reader = Reader(self.run_command, str(folder))

    def run_command(self, arguments, handle_exceptions=True):
        assert arguments[:2] == ['timeout', '5'] and handle_exceptions is False
        self.calls.append(arguments[2:])
        if arguments[2] not in self.programs:
            raise FileNotFoundError(arguments[2])
        status, out = self.programs[arguments[2]]
        return status, out, ''

    def write(self, path, text=''):
        file = self.folder / path.lstrip('/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


# --- filesystems

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - btrfs /dev/vda rw
30 27 254:16 / /data\\0401 rw,noatime - xfs /dev/vdb rw
31 27 254:32 / /data2 rw - autofs systemd-1 rw
32 27 254:32 / /data2 rw,noatime shared:7 master:1 - ext4 /dev/vdc rw
a line that is none
"""


def test_mounts(host):
    assert facts.mounts(host.reader) == {}
    host.write('/proc/self/mountinfo', MOUNTINFO)
    known = facts.mounts(host.reader)
    assert known == {'/proc': 'proc', '/': 'btrfs', '/data 1': 'xfs', '/data2': 'ext4'}
    for path, found in (('/data 1/storage', ('/data 1', 'xfs')), ('/data2', ('/data2', 'ext4')),
                        ('/data20/x', ('/', 'btrfs')), ('/', ('/', 'btrfs'))):
        assert facts.mount_of(known, path) == found
    assert facts.mount_of({}, '/data/x') == (None, None)


# --- kernel

def test_kernel(host):
    assert set(facts.kernel(host.reader).values()) == {None}
    host.write('/proc/sys/vm/overcommit_memory', '1\n')
    host.write('/proc/sys/vm/swappiness', '60\n')
    host.write('/proc/sys/kernel/pid_max', '4194304\n')
    host.write('/proc/sys/kernel/threads-max', '95000\n')
    host.write('/sys/kernel/mm/transparent_hugepage/enabled', '[always] madvise never\n')
    host.write('/sys/kernel/mm/transparent_hugepage/defrag', 'always defer [defer+madvise] madvise never\n')
    assert facts.kernel(host.reader) == {
        'overcommit': 1, 'swappiness': 60, 'pid_max': 4194304, 'threads_max': 95000, 'huge_pages': 'always',
        'huge_pages_defrag': 'defer+madvise'}


def test_swaps(host):
    assert facts.swaps(host.reader) is None
    head = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
    host.write('/proc/swaps', head)
    assert facts.swaps(host.reader) == []
    host.write('/proc/swaps', head + '/dev/sda2 partition 2097148 0 -2\n/swap file 1 0 -3\n')
    assert facts.swaps(host.reader) == ['/dev/sda2', '/swap']


def test_selinux(host):
    assert facts.selinux(host.reader) is None
    for text, enforcing in (('1', True), ('0', False)):
        host.write('/sys/fs/selinux/enforce', text)
        assert facts.selinux(host.reader) is enforcing


def test_the_operating_system(host):
    assert facts.operating_system(host.reader) == {'id': '', 'like': [], 'version': ''}
    host.write('/usr/lib/os-release', 'NAME=Debian\nID=debian\n')
    assert facts.operating_system(host.reader) == {'id': 'debian', 'like': [], 'version': ''}
    host.write('/etc/os-release', '# a=b\nNAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'
               "VERSION_ID='9.3'\n\n")
    assert facts.operating_system(host.reader) == {
        'id': 'rocky', 'like': ['rhel', 'centos', 'fedora'], 'version': '9.3'}


# --- locale

THERE, UNKNOWN = {'exists': True, 'names': []}, {'exists': None, 'names': []}


@pytest.fixture
def old_glibc(monkeypatch):
    monkeypatch.setattr(facts, 'glibc_version', lambda: (2, 17))


@pytest.mark.usefixtures('old_glibc')
def test_a_locale_is_seen_without_a_program(host, monkeypatch):
    host.write('/usr/lib/locale/C.utf8/LC_CTYPE')
    host.write('/usr/lib/locale/en_US.utf8/LC_CTYPE')
    for name in ('C', 'POSIX', 'C.UTF-8', 'C.utf8', 'en_US.UTF-8', 'en_US.UTF8'):
        assert facts.locale_there(host.reader, name) == THERE
    assert host.calls == []


def test_a_newer_c_library_has_c_utf8_built_in(host, monkeypatch):
    for version, found in (((2, 35), THERE), ((2, 34), UNKNOWN)):
        monkeypatch.setattr(facts, 'glibc_version', lambda version=version: version)
        assert facts.locale_there(host.reader, 'C.UTF-8') == found


@pytest.mark.usefixtures('old_glibc')
def test_locales_in_an_archive_are_asked_for(host):
    assert facts.locale_there(host.reader, 'C.UTF-8') == UNKNOWN
    host.programs['locale'] = (0, 'C\nPOSIX\nen_US.utf8\n')
    assert facts.locale_there(host.reader, 'en_US.UTF-8') == THERE
    assert facts.locale_there(host.reader, 'C.UTF-8') == {'exists': False, 'names': ['C', 'POSIX', 'en_US.utf8']}
    assert host.calls[-1] == ['locale', '-a']
    host.programs['locale'] = (124, 'C\n')
    assert facts.locale_there(host.reader, 'C.UTF-8') == UNKNOWN


@pytest.mark.parametrize(('answer', 'version'), [('glibc 2.36', (2, 36)), ('', (0, 0)), (None, (0, 0))])
def test_versions_of_the_c_library(monkeypatch, answer, version):
    monkeypatch.setattr(facts.os, 'confstr', lambda name: answer)
    assert facts.glibc_version() == version


def test_another_c_library_has_no_version(monkeypatch):
    def confstr(name):
        raise ValueError('unrecognized configuration name')

    monkeypatch.setattr(facts.os, 'confstr', confstr)
    assert facts.glibc_version() == (0, 0)


# --- clock

TRACKING = 'A9FEA97B,169.254.169.123,4,1700000000.1,0.000001,-0.000002,0.000003,-1.2,0.0,0.1,0.0004,0.0002,16.1,%s\n'

LEAPS = [
    ((0, TRACKING % 'Normal'), True),
    ((0, TRACKING % 'Insert second'), True),
    ((0, TRACKING % 'Not synchronised'), False),
    ((1, '506 Cannot talk to daemon\n'), 'the kernel'),
    ((0, ''), 'the kernel'),
    (None, 'the kernel'),
]


@pytest.mark.parametrize(('answer', 'synchronised'), LEAPS)
def test_chronyd_is_asked_and_the_kernel_else(host, monkeypatch, answer, synchronised):
    monkeypatch.setattr(facts, 'kernel_synchronised', lambda: 'the kernel')
    if answer:
        host.programs['chronyc'] = answer
    assert facts.time_client(host.reader, {'ntpd', 'chronyd'}) == {'name': 'chronyd', 'synchronised': synchronised}
    assert host.calls == [['chronyc', '-n', '-c', 'tracking']]


def test_other_clients_tell_the_kernel(host, monkeypatch):
    monkeypatch.setattr(facts, 'kernel_synchronised', lambda: False)
    for name in facts.TIME_CLIENTS[1:]:
        assert facts.time_client(host.reader, {name, 'nginx'}) == {'name': name, 'synchronised': False}
    assert facts.time_client(host.reader, {'nginx'}) is None
    assert host.calls == []


@pytest.mark.parametrize(('state', 'synchronised'), [(0, True), (1, True), (5, False), (-1, None)])
def test_what_the_kernel_says(monkeypatch, state, synchronised):
    class Library:
        def __init__(self, name):
            assert name is None

        @staticmethod
        def adjtimex(timex):
            assert timex.raw == b'\0' * 256  # nothing to set
            return state

    monkeypatch.setattr(facts.ctypes, 'CDLL', Library)
    assert facts.kernel_synchronised() is synchronised


def test_a_kernel_that_cannot_be_asked(monkeypatch):
    assert facts.kernel_synchronised() in (True, False, None)
    monkeypatch.setattr(facts, 'ctypes', None)
    assert facts.kernel_synchronised() is None


def test_chrony_that_is_installed(host):
    assert facts.chrony_installed(host.reader) is False
    host.write('/usr/sbin/chronyd')
    assert facts.chrony_installed(host.reader) is True


def test_time_zone(host):
    assert facts.time_zone(host.reader) is None
    host.write('/etc/timezone', 'Asia/Tokyo\n')
    assert facts.time_zone(host.reader) == 'Asia/Tokyo'
    (host.folder / 'etc/localtime').symlink_to('../usr/share/zoneinfo/Europe/Berlin')
    assert facts.time_zone(host.reader) == 'Europe/Berlin'
