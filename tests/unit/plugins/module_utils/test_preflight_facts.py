# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is: read from /proc trees laid out here, and from this very machine."""

import os
import socket
import subprocess
import sys
import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _preflight_facts as facts
from ansible_collections.starrocks.cluster.plugins.module_utils import _system_facts
from ansible_collections.starrocks.cluster.plugins.module_utils._checks import UNLIMITED

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.0
           /24 link UNICAST
        |-- 10.0.0.12
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
     |-- 9.8.7.6
        /32 host LOCAL
     |-- 169.254.1.1
        /32 host LOCAL
Local:
     |-- 10.0.0.12
        /32 host LOCAL
"""

IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 04 40 00 82     eth0
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
"""

TCP_HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'


def tcp_line(port, state, inode, address='00000000'):
    columns = (address, port, state, inode)
    return ' 0: %s:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000 0 0 %d 1 0 100 0 0 10 0\n' % columns


def run_command(arguments, handle_exceptions=True):
    """Runs a program as AnsibleModule.run_command does."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Tree:
    """A host's files, laid out below a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.reader = facts.Reader(run_command, str(folder))
        (folder / 'proc/self/ns').mkdir(parents=True)
        os.symlink('pid:[1]', str(folder / 'proc/self/ns/pid'))

    def write(self, path, text=''):
        file = self.folder / path.lstrip('/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def program(self, path):
        self.write(path).chmod(0o755)

    def process(self, pid, command, unit=None, cwd='/', environment=(), sockets=(), namespace='pid:[1]'):
        slice_ = '/system.slice/%s' % unit if unit else '/user.slice/user-0.slice/session-1.scope'
        self.write('proc/%d/cmdline' % pid, '\0'.join(command) + ('\0' if command else ''))
        self.write('proc/%d/cgroup' % pid, '1:name=systemd:%s\n0::%s\n' % (slice_, slice_))
        self.write('proc/%d/environ' % pid, '\0'.join(environment))
        for folder in ('fd', 'ns'):
            (self.folder / 'proc' / str(pid) / folder).mkdir()
        os.symlink(cwd, str(self.folder / 'proc' / str(pid) / 'cwd'))
        os.symlink(namespace, str(self.folder / 'proc' / str(pid) / 'ns/pid'))
        for number, inode in enumerate(sockets):
            os.symlink('socket:[%d]' % inode, str(self.folder / 'proc' / str(pid) / 'fd' / str(number)))


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


FE = {'kind': 'fe', 'home': '/opt/starrocks/fe', 'unit': 'starrocks-fe', 'ports': {'http_port': 8030}}
BE = {'kind': 'be', 'home': '/opt/starrocks/be', 'unit': 'starrocks-be', 'ports': {'be_http_port': 8040}}
CN = {'kind': 'cn', 'home': '/opt/starrocks/be', 'unit': 'starrocks-cn', 'ports': {'be_http_port': 8041}}
BROKER = {'kind': 'broker', 'home': '/opt/starrocks/apache_hdfs_broker', 'unit': None, 'ports': {}}


# --- addresses

def test_addresses_are_the_hosts_own_without_loopback_and_link_local(tree):
    tree.write('proc/net/fib_trie', FIB_TRIE)
    tree.write('proc/net/if_inet6', IF_INET6)
    assert facts.addresses(tree.reader) == ['9.8.7.6', '10.0.0.12', 'fd00::2']


def test_a_host_without_network_has_no_address(tree):
    assert facts.addresses(tree.reader) == []


def test_this_machines_addresses_can_be_bound():
    for address in facts.addresses(facts.Reader(run_command)):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    assert facts.default_address() in facts.addresses(facts.Reader(run_command)) + [None]


def lookups(monkeypatch, names, reverse):
    def gethostbyname(name):
        if name not in names:
            raise socket.gaierror(-2, 'Name or service not known')
        return names[name][0]

    def gethostbyaddr(address):
        if address not in reverse:
            raise socket.herror(1, 'Unknown host')
        return reverse[address], [], [address]

    def getaddrinfo(name, port, family, kind):
        if name not in names:
            raise socket.gaierror(-2, 'Name or service not known')
        return [(socket.AF_INET, kind, 6, '', (address, 0)) for address in names[name]]

    for function in (gethostbyname, gethostbyaddr, getaddrinfo):
        monkeypatch.setattr(facts.socket, function.__name__, function)


NAMES = [
    ({'sr1': ['10.0.0.1'], 'sr1.example': ['10.0.0.2']}, {'10.0.0.1': 'sr1.example'}, 'sr1.example', ['10.0.0.2'],
     None),
    ({}, {}, 'sr1', [], 'does not resolve'),
    ({'sr1': ['10.0.0.1']}, {}, 'sr1', ['10.0.0.1'], 'reverse lookup'),
    ({'sr1': ['10.0.0.1']}, {'10.0.0.1': 'other.example'}, 'other.example', [], "'other.example' does not resolve"),
]


@pytest.mark.parametrize(('names', 'reverse', 'name', 'addresses', 'error'), NAMES)
def test_canonical_name(monkeypatch, names, reverse, name, addresses, error):
    lookups(monkeypatch, names, reverse)
    found = facts.canonical_name('sr1')
    assert (found['name'], found['addresses']) == (name, addresses)
    assert error in found['error'] if error else found['error'] is None


# --- processes and ports

def pids(tree, node):
    return facts.node_processes(tree.reader, facts.processes(tree.reader), node)


def test_a_node_is_known_by_its_unit_and_its_program_comes_first(tree):
    tree.process(20, ['/bin/bash', '/opt/starrocks/fe/bin/start_fe.sh'], unit='starrocks-fe.service')
    tree.process(21, ['/usr/bin/java', '-Xmx8g', 'com.starrocks.StarRocksFE'], unit='starrocks-fe.service')
    tree.process(22, ['/usr/bin/java', 'com.starrocks.StarRocksFE'], unit='other-fe.service')
    assert pids(tree, FE) == [{'pid': 21, 'managed': True}, {'pid': 20, 'managed': True}]


def test_a_node_of_a_users_unit(tree):
    tree.process(21, ['java', 'com.starrocks.StarRocksFE'])
    tree.write('proc/21/cgroup', '0::/user.slice/user-1500.slice/user@1500.service/app.slice/starrocks-fe.service\n')
    assert pids(tree, FE) == [{'pid': 21, 'managed': True}]


BY_HAND = [
    ({'command': ['java', '-cp', '/opt/starrocks/fe/lib/*', 'com.starrocks.StarRocksFE']}, True),
    ({'command': ['java', 'com.starrocks.StarRocksFE'], 'cwd': '/opt/starrocks/fe/bin'}, True),
    ({'command': ['java', 'com.starrocks.StarRocksFE'], 'environment': ['A=1', 'STARROCKS_HOME=/opt/starrocks/fe']},
     True),
    ({'command': ['java', 'com.starrocks.StarRocksFE'], 'environment': ['STARROCKS_HOME=/opt/starrocks/fe2']}, False),
    ({'command': ['java', '-cp', '/opt/starrocks/fe2/lib/*', 'com.starrocks.StarRocksFE']}, False),
    ({'command': ['tail', '-f', '/opt/starrocks/fe/log/fe.log']}, False),
    ({'command': ['java', '-cp', '/opt/starrocks/fe/lib/*', 'com.starrocks.StarRocksFE'], 'namespace': 'pid:[2]'},
     False),
]


@pytest.mark.parametrize(('process', 'ours'), BY_HAND)
def test_a_node_started_by_hand_is_known_by_program_and_home(tree, process, ours):
    tree.process(30, **process)
    assert pids(tree, FE) == ([{'pid': 30, 'managed': False}] if ours else [])


def test_a_compute_node_is_not_a_back_end(tree):
    program = '/opt/starrocks/be/lib/starrocks_be'
    tree.process(40, [program])
    tree.process(41, [program, '--cn'])
    assert [row['pid'] for row in pids(tree, BE)] == [40]
    assert [row['pid'] for row in pids(tree, CN)] == [41]


def test_a_broker_is_known_by_its_home_in_the_environment(tree):
    tree.process(50, ['java', 'com.starrocks.broker.hdfs.BrokerBootstrap'],
                 environment=['BROKER_HOME=/opt/starrocks/apache_hdfs_broker/'])
    assert [row['pid'] for row in pids(tree, BROKER)] == [50]


def test_kernel_threads_are_no_processes(tree):
    tree.process(2, [])
    assert facts.processes(tree.reader) == []


def strangers(tree, *nodes):
    running = facts.processes(tree.reader)
    return facts.strangers(tree.reader, running, [facts.node_processes(tree.reader, running, node) for node in nodes])


STRANGERS = [
    ({'command': ['java', 'com.starrocks.StarRocksFE'], 'environment': ['STARROCKS_HOME=/home/sr/fe/']},
     ('fe', '/home/sr/fe')),
    ({'command': ['java', '-cp', ':/home/sr/fe/lib/a.jar:/home/sr/fe/lib/b.jar', 'com.starrocks.StarRocksFE']},
     ('fe', '/home/sr/fe')),
    ({'command': ['/home/sr/be/lib/starrocks_be']}, ('be', '/home/sr/be')),
    ({'command': ['/home/sr/be/lib/starrocks_be', '--cn'], 'unit': 'sr-cn.service'}, ('cn', '/home/sr/be')),
    ({'command': ['java', 'com.starrocks.broker.hdfs.BrokerBootstrap'], 'environment': ['BROKER_HOME=/home/sr/broker']},
     ('broker', '/home/sr/broker')),
    ({'command': ['/opt/starrocks/be/lib/starrocks_be'], 'unit': 'starrocks-be.service'}, None),
    ({'command': ['java', '-cp', '/opt/starrocks/fe/lib/*', 'com.starrocks.StarRocksFE']}, None),
    ({'command': ['/home/sr/be/lib/starrocks_be'], 'namespace': 'pid:[2]'}, None),
    ({'command': ['pgrep', '-f', 'starrocks_be']}, None),
    ({'command': ['nginx'], 'environment': ['STARROCKS_HOME=/home/sr/fe']}, None),
]


@pytest.mark.parametrize(('process', 'stranger'), STRANGERS)
def test_another_installation_is_known_by_where_it_runs_from(tree, process, stranger):
    tree.process(30, **process)
    found = strangers(tree, FE)
    assert [(row['kind'], row['home'], row['pid']) for row in found] == ([stranger + (30,)] if stranger else [])


def in_use(reader, *nodes):
    running = facts.processes(reader)
    return facts.ports_in_use(reader, nodes, running, [facts.node_processes(reader, running, node) for node in nodes])


def test_who_listens(tree):
    tree.write('proc/net/tcp', TCP_HEAD + tcp_line(8030, '0A', 500, '0100007F') + tcp_line(8040, '01', 501))
    tree.write('proc/net/tcp6', TCP_HEAD + tcp_line(8041, '0A', 502, '0' * 32))
    tree.process(21, ['java', 'com.starrocks.StarRocksFE'], unit='starrocks-fe.service', sockets=[500])
    tree.process(60, ['nginx: master process --secret=hunter2'], sockets=[7, 502])
    assert in_use(tree.reader, FE, BE, CN) == [
        {'port': 8030, 'name': 'http_port', 'kind': 'fe', 'pid': 21, 'program': 'java com.starrocks.StarRocksFE',
         'own': True},
        {'port': 8041, 'name': 'be_http_port', 'kind': 'cn', 'pid': 60, 'program': 'nginx', 'own': False},
    ]


def test_a_port_of_one_node_held_by_another_is_not_its_own(tree):
    tree.write('proc/net/tcp', TCP_HEAD + tcp_line(8041, '0A', 500))
    tree.process(40, ['/opt/starrocks/be/lib/starrocks_be'], unit='starrocks-be.service', sockets=[500])
    assert [(row['kind'], row['pid'], row['own']) for row in in_use(tree.reader, BE, CN)] == [('cn', 40, False)]


def test_a_port_whose_holder_cannot_be_seen(tree):
    tree.write('proc/net/tcp', TCP_HEAD + tcp_line(8030, '0A', 500))
    row, = in_use(tree.reader, FE)
    assert (row['pid'], row['program'], row['own']) == (None, None, False)


def test_a_port_shared_with_a_stranger_is_told(tree):
    tree.write('proc/net/tcp', TCP_HEAD + tcp_line(8030, '0A', 500) + tcp_line(8030, '0A', 501, '0100007F'))
    tree.process(21, ['java', 'com.starrocks.StarRocksFE'], unit='starrocks-fe.service', sockets=[500])
    tree.process(60, ['nginx'], sockets=[501])
    row, = in_use(tree.reader, FE)
    assert (row['pid'], row['own']) == (60, False)


def test_our_own_listener_does_not_take_a_port(tree):
    tree.write('proc/net/tcp', TCP_HEAD + tcp_line(8030, '0A', 500) + tcp_line(8040, '0A', 501) +
               tcp_line(8040, '0A', 502, '0100007F'))
    tree.process(60, ['python3', '-I', '-S', '-', 'starrocks-preflight-listener', '3', '60', '4:7'], sockets=[500, 501])
    tree.process(61, ['nginx'], sockets=[502])
    assert [(row['port'], row['pid']) for row in in_use(tree.reader, FE, BE)] == [(8040, 61)]


@pytest.mark.parametrize(('family', 'address'), [(socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')],
                         ids=['IPv4', 'IPv6'])
def test_a_real_listener_is_found_with_its_process(family, address):
    code = ('import socket, sys, time; s = socket.socket(%d); s.bind(("%s", 0)); s.listen(1); '
            'print(s.getsockname()[1], flush=True); time.sleep(60)' % (family, address))
    listener = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    try:
        port = int(listener.stdout.readline())
        row, = in_use(facts.Reader(run_command), dict(FE, ports={'http_port': port}))
        assert (row['port'], row['pid'], row['own']) == (port, listener.pid, False)
        assert row['program'] == os.path.basename(sys.executable)
    finally:
        listener.kill()
        listener.communicate()


PROGRAMS = [
    (['/usr/bin/java', '-Dpassword=hunter2', '-jar', 'x.jar'], 'java'),
    (['java', '-Dpassword=hunter2', 'com.starrocks.StarRocksFE', 'hunter2'], 'java com.starrocks.StarRocksFE'),
    (['/opt/be/lib/starrocks_be', '--cn'], 'starrocks_be'),
    (['sshd: root@pts/0'], 'sshd'),
    ([], None),
    (None, None),
]


@pytest.mark.parametrize(('arguments', 'shown'), PROGRAMS)
def test_programs_are_shown_without_their_options(arguments, shown):
    assert facts.describe_program(arguments) == shown


# --- JDKs

VERSIONS = [
    ('JAVA_VERSION="17.0.15"\nOS_NAME="Linux"\n', ('17.0.15', 17)),
    ('JAVA_VERSION="1.8.0_392"', ('1.8.0_392', 8)),
    ('JAVA_VERSION="25"', ('25', 25)),
    ('JAVA_VERSION="21-ea"', ('21-ea', 21)),
    ('openjdk version "11.0.21" 2023-10-17 LTS', ('11.0.21', 11)),
    ('no java here', (None, None)),
    ('', (None, None)),
]


@pytest.mark.parametrize(('text', 'version'), VERSIONS)
def test_java_versions(text, version):
    assert facts.parse_java_version(text) == version


def add_jdk(tree, home, version, javac=True):
    tree.write(home + '/release', 'JAVA_VERSION="%s"\n' % version)
    tree.program(home + '/bin/java')
    if javac:
        tree.program(home + '/bin/javac')


def test_each_jdk_is_found_once_under_the_name_that_lasts(tree):
    jvm = '/usr/lib/jvm/'
    add_jdk(tree, jvm + 'java-17-openjdk-17.0.9.0.9-2.el8.x86_64', '17.0.9')
    add_jdk(tree, jvm + 'java-11-openjdk-amd64', '11.0.21', javac=False)
    add_jdk(tree, '/opt/jdk-21', '21')
    for name in ('java-17-openjdk', 'jre-17-openjdk', 'java', 'default-java'):
        os.symlink('java-17-openjdk-17.0.9.0.9-2.el8.x86_64', str(tree.folder / (jvm + name).lstrip('/')))
    os.symlink('java-11-openjdk-amd64', str(tree.folder / 'usr/lib/jvm/java-1.11.0-openjdk-amd64'))
    tree.write(jvm + 'openjdk-17/src.zip')
    found = facts.jdks(tree.reader, {})
    assert [(jdk['home'], jdk['major'], jdk['javac']) for jdk in found] == [
        (jvm + 'java-11-openjdk-amd64', 11, False), (jvm + 'java-17-openjdk', 17, True), ('/opt/jdk-21', 21, True)]


def test_java_home_of_the_environment_is_looked_at(tree):
    add_jdk(tree, '/srv/java', '17.0.9')
    assert [jdk['home'] for jdk in facts.jdks(tree.reader, {'JAVA_HOME': '/srv/java'})] == ['/srv/java']


def test_jdks_are_looked_for_where_they_are_said_to_be(tree):
    add_jdk(tree, '/srv/jdks/temurin-17', '17.0.9')
    assert facts.jdks(tree.reader, {}) == []
    assert [jdk['home'] for jdk in facts.jdks(tree.reader, {}, ['/srv/jdks/', '/none'])] == ['/srv/jdks/temurin-17']


def test_a_jdk_without_a_release_file_is_asked(tree):
    tree.program('/opt/jdk/bin/java')
    tree.write('/opt/jdk/bin/java', '#!/bin/sh\necho \'openjdk version "11.0.2" 2019-01-15\' >&2\n')
    assert facts.read_jdk(tree.reader, '/opt/jdk') == {'home': '/opt/jdk', 'version': '11.0.2', 'major': 11,
                                                       'javac': False}


def test_what_is_no_java_is_none(tree):
    tree.write('/opt/jdk/bin/java', 'not executable')
    assert facts.read_jdk(tree.reader, '/opt/jdk') is None
    tree.program('/opt/broken/bin/java')
    assert facts.read_jdk(tree.reader, '/opt/broken') is None


# --- space, memory, limits

def test_space_is_that_of_the_nearest_parent(tree):
    tree.write('/data/file')
    found = facts.space(tree.reader, '/data/fe/meta')
    status = os.statvfs(str(tree.folder))
    assert (found['nearest'], found['exists'], found['directory'], found['writable']) == ('/data', False, True, None)
    assert abs(found['free'] - status.f_bavail * status.f_frsize) < 2 ** 30
    assert facts.space(tree.reader, '/data')['exists'] is True
    assert facts.space(tree.reader, '/data/file/meta')['directory'] is False
    assert facts.space(tree.reader, '/data', 'starrocks')['writable'] is True
    assert found['size'] == status.f_blocks * status.f_frsize
    assert (found['mount'], found['filesystem']) == (None, None)


def test_space_says_what_filesystem_it_is_on(tree):
    (tree.folder / 'mnt/disk1').mkdir(parents=True)
    (tree.folder / 'data1').symlink_to(tree.folder / 'mnt/disk1')
    mounts = {'/': 'ext4', '/mnt/disk1': 'xfs'}
    for path, mount in (('/data1/storage', '/mnt/disk1'), ('/mnt/disk1', '/mnt/disk1'), ('/mnt', '/'), ('/', '/')):
        found = facts.space(tree.reader, path, None, mounts)
        assert (found['mount'], found['filesystem']) == (mount, mounts[mount])


def test_a_link_to_nowhere_is_no_folder(tree):
    (tree.folder / 'data1').symlink_to(tree.folder / 'gone/away')
    found = facts.space(tree.reader, '/data1/storage')
    assert (found['nearest'], found['directory']) == ('/data1', False)


def test_a_release_is_known_by_its_stamp_or_its_lib(tree):
    assert facts.installed(tree.reader, '/opt/starrocks/fe') is False
    tree.write('/opt/starrocks/fe/lib', 'a file')
    assert facts.installed(tree.reader, '/opt/starrocks/fe') is False
    tree.write('/opt/starrocks/fe/.starrocks-release.json', '{}')
    tree.write('/opt/starrocks/be/lib/starrocks_be')
    assert facts.installed(tree.reader, '/opt/starrocks/fe') is True
    assert facts.installed(tree.reader, '/opt/starrocks/be') is True


def test_memory_and_processor(tree):
    tree.write('proc/meminfo', 'MemTotal:       16384 kB\nMemFree:          1 kB\n')
    tree.write('proc/cpuinfo', 'processor\t: 0\nflags\t\t: fpu avx avx2\n\nprocessor\t: 1\nflags\t\t: fpu avx avx2\n')
    assert facts.memory_bytes(tree.reader) == 16 * 2 ** 20
    assert (facts.cpu(tree.reader)['cores'], facts.cpu(tree.reader)['avx2']) == (2, True)
    tree.write('proc/cpuinfo', 'processor\t: 0\nflags\t\t: fpu avx avx2_not\n')
    assert facts.cpu(tree.reader)['avx2'] is False
    tree.write('proc/cpuinfo', 'processor\t: 0\nFeatures\t: fp asimd\n')
    assert facts.cpu(tree.reader)['avx2'] is None


LIMITS = 'Limit                     Soft Limit           Hard Limit           Units\n' \
         'Max processes             1024                 %s               processes\n' \
         'Max open files            1024                 %s               files\n'


def test_a_users_units_get_what_the_users_manager_has(tree):
    tree.process(70, ['/usr/lib/systemd/systemd', '--user'])
    tree.write('proc/70/cgroup', '0::/user.slice/user-1500.slice/user@1500.service/init.scope\n')
    tree.write('proc/70/limits', LIMITS % ('2000', '4096'))
    tree.write('proc/self/limits', LIMITS % ('unlimited', '9999'))
    running = facts.processes(tree.reader)
    assert facts.unit_limit(tree.reader, 'user', 'open_files', 65535, 1500, running) == 4096
    assert facts.unit_limit(tree.reader, 'user', 'open_files', 1000, 1500, running) == 1000
    assert facts.unit_limit(tree.reader, 'user', 'open_files', UNLIMITED, 1501, running) == 9999
    assert facts.unit_limit(tree.reader, 'user', 'processes', 65535, 1500, running) == 2000
    assert facts.unit_limit(tree.reader, 'user', 'processes', UNLIMITED, 1501, running) == UNLIMITED


@pytest.mark.parametrize('name', ['open_files', 'processes'])
def test_the_systems_units_get_what_can_be_had(tree, monkeypatch, name):
    tree.write('proc/1/limits', LIMITS % ('20000', '20000'))
    monkeypatch.setattr(facts.os, 'geteuid', lambda: 0)
    for possible, limit in ((True, 655350), (False, 20000)):
        monkeypatch.setattr(facts, '_can_raise', lambda number, asked, possible=possible: possible)
        assert facts.unit_limit(tree.reader, 'system', name, 655350, 0, []) == limit
    assert facts.unit_limit(tree.reader, 'system', name, 20000, 0, []) == 20000
    assert facts.unit_limit(tree.reader, 'system', name, UNLIMITED, 0, []) == 20000
    tree.write('proc/1/limits', LIMITS % ('unlimited', 'unlimited'))
    assert facts.unit_limit(tree.reader, 'system', name, 655350, 0, []) == 655350
    assert facts.unit_limit(tree.reader, 'system', name, UNLIMITED, 0, []) == UNLIMITED


def test_trying_a_limit_leaves_this_process_as_it_is():
    for number in (facts.resource.RLIMIT_NOFILE, facts.resource.RLIMIT_NPROC):
        before = facts.resource.getrlimit(number)
        hard = UNLIMITED if before[1] == facts.resource.RLIM_INFINITY else before[1]
        assert facts._can_raise(number, hard) is True
        assert facts.resource.getrlimit(number) == before
    assert facts._can_raise(facts.resource.RLIMIT_NOFILE, 2 ** 40) is False
    assert facts._can_raise(facts.resource.RLIMIT_NOFILE, UNLIMITED) is False


# --- accounts, systemd, metadata

def test_accounts():
    entry = facts.pwd.getpwuid(0)
    assert facts.account('root') == {'name': 'root', 'uid': 0, 'group': 'root', 'home': entry.pw_dir,
                                     'shell': entry.pw_shell}
    assert facts.account('nobody-of-this-name') is None


def test_an_account_whose_group_is_gone(monkeypatch):
    def getgrgid(number):
        raise KeyError(number)

    monkeypatch.setattr(facts.grp, 'getgrgid', getgrgid)
    assert facts.account('root')['group'] == '0'


def test_systemd_and_lingering(tree):
    assert facts.systemd_runs(tree.reader, 'system', 0) is False
    (tree.folder / 'run/systemd/system').mkdir(parents=True)
    assert facts.systemd_runs(tree.reader, 'system', 0) is True
    assert facts.systemd_runs(tree.reader, 'user', 1500) is False
    (tree.folder / 'run/user/1500/systemd').mkdir(parents=True)
    assert facts.systemd_runs(tree.reader, 'user', 1500) is True
    assert facts.lingers(tree.reader, 'starrocks') is False
    tree.write('/var/lib/systemd/linger/starrocks')
    assert facts.lingers(tree.reader, 'starrocks') is True


ROLE = '#Mon Nov 23 03:31:06 UTC 2026\nrole=FOLLOWER\nname=10.0.0.1_9010_1700000000000\nhostType=IP\n'
VERSION = '#Mon Nov 23 03:31:06 UTC 2026\nclusterId=1577643443\ntoken=hunter2\nrunMode=shared_nothing\n'


def test_metadata_is_read_without_its_token(tree):
    tree.write('/data/meta/image/ROLE', ROLE)
    tree.write('/data/meta/image/VERSION', VERSION)
    found = facts.metadata(tree.reader, '/data/meta', '/data/first_start.env')
    assert found == {
        'fe': True, 'complete': True, 'missing': [], 'role': 'follower', 'name': '10.0.0.1_9010_1700000000000',
        'host': '10.0.0.1', 'edit_log_port': 9010, 'host_type': 'IP', 'cluster_id': 1577643443,
        'run_mode': 'shared_nothing', 'meta_dir': '/data/meta', 'first_start': False}
    assert 'hunter2' not in str(found)


def test_metadata_that_is_not_whole(tree):
    tree.write('/data/meta/image/ROLE', ROLE.replace('10.0.0.1_9010_1700000000000', 'fe_one.example_9010'))
    tree.write('/data/first_start.env')
    found = facts.metadata(tree.reader, '/data/meta', '/data/first_start.env')
    assert (found['fe'], found['complete'], found['missing']) == (True, False, ['VERSION'])
    assert (found['host'], found['cluster_id'], found['first_start']) == (None, None, True)


def test_no_metadata(tree):
    found = facts.metadata(tree.reader, '/data/meta', '/data/first_start.env')
    assert (found['fe'], found['complete'], found['first_start']) == (False, False, False)


def test_names_of_front_ends_hold_the_host_as_it_was_registered(tree):
    for name, host in (('sr_1.example_9010_1700000000000', 'sr_1.example'), ('fd00::2_9010_1700000000000', 'fd00::2')):
        tree.write('/data/meta/image/ROLE', ROLE.replace('10.0.0.1_9010_1700000000000', name.replace(':', '\\:')))
        assert facts.metadata(tree.reader, '/data/meta', '/none')['host'] == host


CLUSTER_IDS = [('1577643443', 1577643443), ('1577643443-0b9d-hunter2\n', 1577643443), ('-1', -1), ('', None),
               ('hunter2', None)]


@pytest.mark.parametrize(('text', 'number'), CLUSTER_IDS)
def test_the_cluster_of_a_storage_folder_is_read_without_its_token(tree, text, number):
    tree.write('/data1/cluster_id', text)
    nodes = [dict(BE, storage_paths=['/data1', '/data2']), dict(FE, storage_paths=['/data1']), BROKER]
    assert facts.storage_cluster_ids(tree.reader, nodes) == ({} if number is None else {'/data1': number})


# --- time client

def test_the_time_client_is_known_by_its_name(tree, monkeypatch):
    monkeypatch.setattr(_system_facts, 'kernel_synchronised', lambda: True)
    assert facts.time_client(tree.reader) is None
    tree.process(79, ['/usr/sbin/chronyd', '-F', '1'], namespace='pid:[2]')
    assert facts.time_client(tree.reader) is None
    for pid, command, name in ((80, ['phc2sys', '-a'], 'phc2sys'),
                               (81, ['/lib/systemd/systemd-timesyncd'], 'systemd-timesyncd'),
                               (82, ['ntpd: ntp engine'], 'ntpd')):
        tree.process(pid, command)
        assert facts.time_client(tree.reader) == {'name': name, 'synchronised': True}
    assert facts.time_client(tree.reader, []) is None


# --- all of it

def test_all_facts_of_this_machine_in_a_moment():
    node = dict(FE, meta_dir='/var/lib/starrocks/fe/meta', paths=['/opt/starrocks/fe'], storage_paths=[])
    wishes = {'nodes': [node, dict(BE, paths=[], storage_paths=['/data1'])], 'host_type': 'IP', 'java_home': None,
              'jdk_folders': [], 'locale': 'C.UTF-8', 'user': 'starrocks', 'systemd_scope': 'system',
              'limit_nofile': 1024, 'limit_nproc': 65535}
    begin = time.process_time()
    found = facts.collect(facts.Reader(run_command), wishes, os.environ)
    assert time.process_time() - begin < 0.3
    assert set(found['space']) == {'/var/lib/starrocks/fe/meta', '/opt/starrocks/fe', '/opt/starrocks/be', '/data1'}
    assert found['metadata']['fe'] is False
    assert found['host_name'] == socket.gethostname()
    assert abs(found['time'] - time.time()) < 5
