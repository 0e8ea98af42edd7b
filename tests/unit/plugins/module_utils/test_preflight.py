# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is ready: the rules on facts made up, one by one."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _preflight
from ansible_collections.starrocks.cluster.plugins.module_utils._checks import UNLIMITED, parse_limit
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight import FAILURE, GIB, OK, WARNING

FE = {'kind': 'fe', 'home': '/opt/starrocks/fe', 'unit': 'starrocks-fe', 'meta_dir': '/data/fe/meta',
      'ports': {'http_port': 8030, 'query_port': 9030}, 'paths': ['/opt/starrocks/fe'], 'storage_paths': [],
      'heap_size': '8g', 'first_start_file': None}
BE = {'kind': 'be', 'home': '/opt/starrocks/be', 'unit': 'starrocks-be', 'meta_dir': None,
      'ports': {'be_http_port': 8040}, 'paths': [], 'storage_paths': ['/data1'], 'heap_size': None}
BROKER = {'kind': 'broker', 'home': '/opt/starrocks/apache_hdfs_broker', 'unit': 'starrocks-broker', 'meta_dir': None,
          'ports': {'broker_ipc_port': 8000}, 'paths': [], 'storage_paths': [], 'heap_size': None}


def jdk(major, javac=True, home=None):
    version = '1.8.0_392' if major == 8 else '%d.0.1' % major
    return {'home': home or '/usr/lib/jvm/java-%d' % major, 'version': version, 'major': major, 'javac': javac}


def wishes(*nodes, **changes):
    result = {'nodes': list(nodes), 'version': '3.5.0', 'host_type': 'IP', 'priority_networks': [],
              'run_mode': 'shared_nothing', 'java_home': None,
              'install_jdk': False, 'jdk_package': None, 'jdk_archive': False, 'install_time_client': False,
              'manage_hosts_file': False, 'locale': 'C.UTF-8', 'release_space_gib': 0, 'sql': True,
              'install_pymysql': False, 'user': 'starrocks', 'systemd_scope': 'system', 'limit_nofile': 655350,
              'limit_nproc': 65535, 'skip': []}
    result.update(changes)
    return result


def space(path, **changes):
    result = {'path': path, 'nearest': path, 'exists': True, 'directory': True, 'free': 100 * GIB, 'size': 200 * GIB,
              'read_only': False, 'writable': None, 'mount': '/', 'filesystem': 'ext4'}
    result.update(changes)
    return result


def metadata(**changes):
    result = {'fe': True, 'complete': True, 'missing': [], 'role': 'follower', 'name': '10.0.0.1_9010_1700000000000',
              'host': '10.0.0.1', 'edit_log_port': 9010, 'host_type': 'IP', 'cluster_id': 42,
              'run_mode': 'shared_nothing', 'meta_dir': '/data/fe/meta', 'first_start': False}
    result.update(changes)
    return result


def process(kind, pid, managed=True):
    return {'kind': kind, 'home': '/opt/starrocks/' + kind, 'unit': 'starrocks-' + kind,
            'found': [{'pid': pid, 'managed': managed}] if pid else []}


ACCOUNT = {'name': 'starrocks', 'uid': 990, 'group': 'starrocks', 'home': '/var/lib/starrocks', 'shell': '/bin/bash'}
KERNEL = {'overcommit': 1, 'swappiness': 0, 'pid_max': 200000, 'threads_max': 120000, 'huge_pages': 'madvise',
          'huge_pages_defrag': 'madvise'}
DEBIAN_12 = {'id': 'debian', 'like': [], 'version': '12'}
FOLDERS = ('/data/fe/meta', '/data1', '/opt/starrocks/fe', '/opt/starrocks/be', '/opt/starrocks/apache_hdfs_broker')


def facts(**changes):
    result = {
        'host_name': 'sr1', 'addresses': ['10.0.0.1'], 'default_address': '10.0.0.1', 'canonical': None, 'ports': [],
        'processes': [], 'jdk': None, 'jdks': [jdk(17)],
        'space': {path: space(path) for path in FOLDERS}, 'installed': dict.fromkeys(FOLDERS, True),
        'strangers': [], 'storage_cluster_ids': {},
        'memory': 256 * GIB, 'cpu': {'machine': 'x86_64', 'cores': 64, 'avx2': True}, 'open_files': 655350,
        'process_limit': 65535, 'kernel': KERNEL, 'swaps': [], 'selinux': False, 'os': DEBIAN_12,
        'locale': {'exists': True, 'names': []}, 'time_client': {'name': 'chronyd', 'synchronised': True},
        'kernel_synchronised': None, 'chrony_installed': True,
        'metadata': None, 'account': ACCOUNT, 'uid': 0, 'lingers': None, 'systemd': True,
        'time': 1700000000.25, 'timezone': 'UTC', 'utc_offset': 0, 'python': (3, 6, 8), 'pymysql': True,
    }
    result.update(changes)
    return result


def judge(name, found, wanted):
    """Return the checks of one name."""
    return [row for row in _preflight.judge(found, wanted) if row['name'] == name]


def one(name, found, wanted):
    rows = judge(name, found, wanted)
    assert len(rows) == 1, rows
    return rows[0]


def test_a_good_host_has_no_finding():
    checks = _preflight.judge(facts(metadata=metadata()), wishes(FE, BE, BROKER))
    assert [row for row in checks if row['status'] != OK] == []
    assert _preflight.failure_text(checks, '3.5.0') == ''
    assert all(row['fix'] == '' for row in checks)


def test_every_check_is_judged_in_its_order():
    names = [row['name'] for row in _preflight.judge(facts(lingers=True, metadata=metadata()), wishes(FE, BE))]
    assert names == [name for name, dummy in _preflight.CHECKS]
    assert _preflight.CHECK_NAMES == tuple(names) + _preflight.CLUSTER_CHECKS


def test_names_of_checks_that_compare_hosts_may_be_left_out_too():
    rows = _preflight.judge(facts(), wishes(FE, skip=list(_preflight.CHECK_NAMES)))
    assert rows == []


def test_of_the_operating_system_nothing_is_asked_on_a_host_without_nodes():
    names = {row['name'] for row in _preflight.judge(facts(), wishes())}
    assert not names & {'huge_pages', 'swap', 'overcommit', 'swappiness', 'selinux', 'locale', 'disk', 'disk_size',
                        'filesystem'}


# (addresses, default address, networks) -> (address or None, status, what priority_networks must hold)
TWO = ['10.0.0.1', '192.168.1.1']
ADDRESSES = [
    (['10.0.0.1'], None, [], '10.0.0.1', OK, []),
    (['10.0.0.1', 'fd00::1'], None, [], '10.0.0.1', OK, []),
    (TWO, '192.168.1.1', [], '192.168.1.1', WARNING, ['192.168.1.1/32']),
    (TWO, None, [], None, FAILURE, []),
    (['fd00::1'], None, [], None, FAILURE, []),
    ([], None, [], None, FAILURE, []),
    (TWO, '192.168.1.1', ['10.0.0.0/8'], '10.0.0.1', OK, ['10.0.0.0/8']),
    (TWO, None, ['10.0.0.7/8'], '10.0.0.1', OK, ['10.0.0.7/8']),
    (TWO, None, ['172.16.0.0/12', '192.168.0.0/16'], '192.168.1.1', OK, ['172.16.0.0/12', '192.168.0.0/16']),
    (TWO, None, ['172.16.0.0/12'], None, FAILURE, ['172.16.0.0/12']),
    (TWO, None, ['0.0.0.0/0'], None, FAILURE, ['0.0.0.0/0']),
    (['10.0.0.1', '10.0.0.2'], None, ['10.0.0.2/32'], '10.0.0.2', OK, ['10.0.0.2/32']),
    (['10.0.0.1', 'fd00::1'], None, ['fd00::/8'], 'fd00::1', OK, ['fd00::/8']),
]


@pytest.mark.parametrize(('own', 'default', 'networks', 'address', 'status', 'written'), ADDRESSES)
def test_address(own, default, networks, address, status, written):
    found, wanted = facts(addresses=own, default_address=default), wishes(FE, priority_networks=networks)
    assert one('address', found, wanted)['status'] == status
    host = _preflight.host_summary(found, wanted)
    assert host['address'] == address
    assert host['priority_networks'] == written


def test_a_network_that_matches_nothing_says_what_the_host_has_and_what_to_write():
    row = one('address', facts(addresses=TWO), wishes(FE, priority_networks=['172.16.0.0/12']))
    assert '10.0.0.1, 192.168.1.1' in row['found']
    assert '172.16.0.0/12' in row['needed']
    assert '10.0.0.1/32' in row['fix']


NAMES = [
    ({'name': 'sr1.example', 'addresses': ['10.0.0.1'], 'error': None}, 'sr1.example', OK),
    ({'name': 'sr1.example', 'addresses': ['10.0.0.9', '10.0.0.1'], 'error': None}, 'sr1.example', OK),
    ({'name': 'sr1', 'addresses': ['127.0.1.1'], 'error': None}, None, FAILURE),
    ({'name': 'sr1', 'addresses': ['10.0.0.9'], 'error': None}, None, FAILURE),
    ({'name': 'sr1', 'addresses': [], 'error': "its host name 'sr1' does not resolve: no such name"}, None, FAILURE),
]


@pytest.mark.parametrize(('canonical', 'name', 'status'), NAMES)
def test_name(canonical, name, status):
    found, wanted = facts(canonical=canonical), wishes(FE, host_type='FQDN')
    assert one('address', found, wanted)['status'] == status
    assert _preflight.host_summary(found, wanted)['address'] == name


@pytest.mark.parametrize('canonical', [NAMES[4][0], NAMES[2][0]], ids=['no such name', 'loopback'])
def test_a_name_that_does_not_resolve_yet_will_when_etc_hosts_is_written(canonical):
    row = one('address', facts(canonical=canonical), wishes(FE, host_type='FQDN', manage_hosts_file=True))
    assert row['status'] == WARNING
    assert 'writes /etc/hosts' in row['fix']


# (addresses, default address, networks) -> the IP address in FQDN mode
IP_ADDRESSES = [
    (['10.0.0.1'], None, [], '10.0.0.1'),
    (TWO, '192.168.1.1', [], '192.168.1.1'),
    (TWO, '192.168.1.1', ['10.0.0.0/8'], '10.0.0.1'),
    (TWO, None, [], None),
]


@pytest.mark.parametrize(('own', 'default', 'networks', 'address'), IP_ADDRESSES)
def test_the_ip_address_of_a_host_known_by_its_name(own, default, networks, address):
    canonical = {'name': 'sr1.example', 'addresses': ['10.0.0.1'], 'error': None}
    found = facts(addresses=own, default_address=default, canonical=canonical)
    host = _preflight.host_summary(found, wishes(FE, host_type='FQDN', priority_networks=networks))
    assert (host['address'], host['ip_address']) == ('sr1.example', address)
    assert _preflight.host_summary(found, wishes(FE, priority_networks=networks))['ip_address'] == address


# version, JDKs there -> the one chosen (starrocks.md 4.1 and 6)
JDKS = [
    ('2.5.22', [jdk(8)], 8),
    ('2.5.22', [jdk(8), jdk(11), jdk(17)], 11),
    ('3.0.9', [jdk(9)], 9),
    ('3.1.17', [jdk(9), jdk(10)], None),
    ('3.2.16', [jdk(8), jdk(17)], 17),
    ('3.2.16', [jdk(11, javac=False), jdk(8)], 8),
    ('3.3.15', [jdk(8)], None),
    ('3.3.15', [jdk(11, javac=False)], None),
    ('3.3.15', [jdk(11)], 11),
    ('3.4.4', [jdk(11, javac=False)], 11),
    ('3.4.4', [jdk(8), jdk(21), jdk(17)], 17),
    ('3.5.0', [jdk(11)], None),
    ('3.5.0', [jdk(17, javac=False), jdk(25)], 17),
    ('3.5.0', [jdk(25)], 25),
    ('4.1.0', [jdk(17), jdk(21)], 17),
    ('4.2.0', [jdk(17), jdk(21)], 21),
    ('4.2.0', [jdk(17)], 17),
    ('4.9.0', [jdk(17)], 17),
    ('3.5.0', [], None),
]


@pytest.mark.parametrize(('version', 'there', 'chosen'), JDKS)
def test_jdk(version, there, chosen):
    found, wanted = facts(jdks=there), wishes(FE, version=version)
    row = one('jdk', found, wanted)
    assert row['status'] == (OK if chosen else FAILURE)
    host = _preflight.host_summary(found, wanted)
    assert host['java_major'] == chosen
    assert (host['java_home'] is None) == (chosen is None)


def test_a_missing_jdk_that_will_be_installed_is_a_warning():
    row = one('jdk', facts(jdks=[jdk(11)]), wishes(FE, install_jdk=True))
    assert row['status'] == WARNING
    assert '11.0.1, older than 17' in row['found']
    assert row['fix'] == 'The role starrocks.cluster.prerequisites installs openjdk-17-jdk-headless.'


DEBIAN_10 = {'id': 'debian', 'like': [], 'version': '10'}
NO_JDK = [
    ({'os': DEBIAN_10}, {'install_jdk': True}, FAILURE, ('debian 10', 'starrocks_java_archive', 'starrocks_java_home'),
     None),
    ({'os': {'id': '', 'like': [], 'version': ''}}, {'install_jdk': True}, FAILURE, ('this system is known',), None),
    ({'os': DEBIAN_10}, {'install_jdk': True, 'jdk_package': 'our-jdk'}, WARNING, ('installs our-jdk',), 'our-jdk'),
    ({'os': DEBIAN_10}, {'install_jdk': True, 'jdk_archive': True}, WARNING, ('unpacks', 'starrocks_java_archive'),
     None),
    ({}, {'jdk_archive': True}, WARNING, ('starrocks_java_archive',), 'openjdk-17-jdk-headless'),
    ({}, {'jdk_package': 'our-jdk'}, FAILURE, ('Install JDK 17',), 'our-jdk'),
]


@pytest.mark.parametrize(('found', 'wanted', 'status', 'words', 'package'), NO_JDK)
def test_a_host_without_a_jdk(found, wanted, status, words, package):
    found, wanted = facts(jdks=[], **found), wishes(FE, **wanted)
    row = one('jdk', found, wanted)
    assert row['status'] == status
    assert [word for word in words if word not in row['fix']] == []
    assert _preflight.host_summary(found, wanted)['jdk_package'] == package


def test_back_ends_start_without_java():
    assert one('jdk', facts(jdks=[]), wishes(BE))['status'] == WARNING
    assert one('jdk', facts(jdks=[]), wishes(BE, BROKER))['status'] == FAILURE


def test_a_given_java_home_is_used_or_refused_and_never_replaced():
    good = jdk(17, home='/opt/jdk')
    found, wanted = facts(jdk=good, jdks=[]), wishes(FE, java_home='/opt/jdk')
    assert one('jdk', found, wanted)['status'] == OK
    assert _preflight.host_summary(found, wanted)['java_home'] == '/opt/jdk'
    found = facts(jdk=jdk(11, home='/opt/jdk'))
    row = one('jdk', found, wishes(FE, java_home='/opt/jdk', install_jdk=True))
    assert row['status'] == FAILURE and 'older than 17' in row['found'] and 'starrocks_java_home' in row['fix']
    assert 'no Java in /opt/jdk' in one('jdk', facts(jdk=None), wishes(FE, java_home='/opt/jdk'))['found']


def port(kind, name, number, pid, program='java', own=False):
    return {'kind': kind, 'name': name, 'port': number, 'pid': pid, 'program': program, 'own': own}


def test_ports_held_by_our_own_nodes_are_fine():
    found = facts(ports=[port('fe', 'http_port', 8030, 7, own=True)])
    row = one('ports', found, wishes(FE, BE))
    assert row['status'] == OK
    assert row['found'] == '2 free, 1 held by our own nodes'


def test_each_port_taken_is_told_with_its_holder_and_its_variable():
    found = facts(ports=[port('be', 'be_http_port', 8040, 33, 'nginx'), port('broker', 'broker_ipc_port', 8000, None)])
    http, broker = judge('ports', found, wishes(BE, BROKER))
    assert (http['status'], http['found']) == (FAILURE, '8040 is taken by nginx (process 33)')
    assert 'starrocks_be_be_http_port' in http['fix']
    assert 'cannot see' in broker['found']
    assert 'starrocks_broker_ipc_port' in broker['fix']


PROCESSES = [
    ([process('fe', 7)], OK),
    ([process('fe', None)], OK),
    ([process('fe', 7, managed=False)], WARNING),
]


@pytest.mark.parametrize(('running', 'status'), PROCESSES)
def test_processes(running, status):
    found = facts(processes=running)
    assert one('processes', found, wishes(FE))['status'] == status
    assert _preflight.host_summary(found, wishes(FE))['processes'] == {'fe': 7 if running[0]['found'] else None}


def test_another_installation_is_told_with_its_folder():
    found = facts(processes=[process('be', 7)], strangers=[{'kind': 'be', 'pid': 99, 'home': '/home/sr/be'}])
    row = one('processes', found, wishes(BE))
    assert row['status'] == WARNING
    assert row['found'] == 'a back end that is none of ours runs from /home/sr/be (process 99)'
    assert '/home/sr/be/bin' in row['fix'] and 'starrocks_install_dir' in row['fix']


DISKS = [
    ('3.0.9', 5 * GIB, None, OK),
    ('3.0.9', 5 * GIB - 1, None, FAILURE),
    ('3.0.9', 5 * GIB - 1, 7, WARNING),
]


@pytest.mark.parametrize(('version', 'free', 'pid', 'status'), DISKS)
def test_disk(version, free, pid, status):
    found = facts(processes=[process('fe', pid)])
    found['space']['/data/fe/meta'] = space('/data/fe/meta', nearest='/data', free=free)
    row = one('disk', found, wishes(FE, version=version))
    assert row['status'] == status
    assert '5.0 GiB free at /data' == row['found']


def test_before_3_0_no_free_space_is_asked_for():
    found = facts()
    found['space']['/data/fe/meta'] = space('/data/fe/meta', free=0)
    assert judge('disk', found, wishes(FE, version='2.5.22')) == []


CN = dict(BE, kind='cn', unit='starrocks-cn')
# size and free space of a storage folder, kind, process -> status: both limits have to be passed
STORAGE = [
    (1000, 60, BE, None, OK),
    (1000, 50, BE, None, FAILURE),
    (1000, 50, BE, 7, WARNING),
    (1000, 50, CN, None, WARNING),
    (10000, 100, BE, None, FAILURE),
    (10000, 101, BE, None, OK),
    (0, 0, BE, None, OK),
]


@pytest.mark.parametrize(('size', 'free', 'node', 'pid', 'status'), STORAGE)
def test_room_for_loads(size, free, node, pid, status):
    found = facts(processes=[process(node['kind'], pid)])
    found['space']['/data1'] = space('/data1', nearest='/data1', size=size * GIB, free=free * GIB)
    row = one('disk', found, wishes(node))
    assert row['status'] == status
    assert ('loads into /data1 are refused' in row['needed']) == (status != OK)
    assert ('starrocks_%s_storage_root_path' % node['kind'] in row['fix']) == (status != OK)


def room_for_a_release(free, *nodes, **changes):
    """Return the checks of a host where nothing is installed and /opt has so many GiB left."""
    found = facts(installed=dict.fromkeys(FOLDERS, False))
    for path in FOLDERS:
        if path.startswith('/opt'):
            found['space'][path] = space(path, nearest='/opt', mount='/opt', free=free * GIB)
    return judge('disk', found, wishes(*nodes, **changes))


def test_room_for_a_release_is_an_estimate_and_a_warning():
    row, = room_for_a_release(7, BE)
    assert row['status'] == WARNING and '8.0 GiB for the release in /opt/starrocks/be (an estimate' in row['needed']
    assert 'starrocks_install_dir' in row['fix']
    assert [row['status'] for row in room_for_a_release(8, BE)] == [OK]


def test_components_that_share_a_disk_need_their_room_together():
    meta, release = room_for_a_release(10, FE, BE, CN)
    assert meta['status'] == OK and '11.0 GiB for the release' in release['needed']
    assert [row['status'] for row in room_for_a_release(11, FE, BE, CN)] == [OK]


def test_room_for_a_release_can_be_given():
    assert [row['status'] for row in room_for_a_release(7, BE, release_space_gib=6.5)] == [OK]
    row, = room_for_a_release(7, BE, release_space_gib=7.5)
    assert row['needed'] == '7.5 GiB for the release in /opt/starrocks/be'


def test_the_disk_of_a_front_end_is_measured_by_the_manual():
    found = facts()
    for size, status in ((100, OK), (92, OK), (80, WARNING)):
        found['space']['/data/fe/meta'] = space('/data/fe/meta', size=size * GIB)
        row = one('disk_size', found, wishes(FE, BE))
        assert (row['status'], row['needed']) == (status, '100.0 GiB for front end in production')
    assert judge('disk_size', found, wishes(BE)) == []


def test_filesystems():
    found = facts()
    assert one('filesystem', found, wishes(FE, BE))['status'] == OK
    found['space']['/data1'] = space('/data1', mount='/data1', filesystem='btrfs')
    found['space']['/opt/starrocks/be'] = space('/opt/starrocks/be', mount='/opt', filesystem='overlay')
    data, opt = judge('filesystem', found, wishes(FE, BE))
    assert (data['status'], data['found']) == (WARNING, 'btrfs at /data1, for /data1')
    assert (opt['status'], opt['found']) == (WARNING, 'overlay at /opt, for /opt/starrocks/be')
    unknown = {path: space(path, mount=None, filesystem=None) for path in FOLDERS}
    assert judge('filesystem', facts(space=unknown), wishes(FE, BE)) == []


PATHS = [
    ({'directory': False, 'nearest': '/data1'}, '/data1 is not a folder'),
    ({'read_only': True, 'nearest': '/'}, 'mounted read-only'),
    ({'writable': False, 'nearest': '/'}, 'may not write to /'),
]


@pytest.mark.parametrize(('change', 'words'), PATHS)
def test_paths(change, words):
    found = facts()
    found['space']['/data1'] = space('/data1', **change)
    row = one('paths', found, wishes(BE))
    assert row['status'] == FAILURE
    assert words in row['found']
    assert row['fix']


def test_memory_must_hold_the_heap():
    row = one('memory', facts(memory=8 * GIB - 1), wishes(FE))
    assert row['status'] == FAILURE and 'starrocks_fe_heap_size' in row['fix']
    assert one('memory', facts(memory=15 * GIB), wishes(FE))['status'] == OK
    assert one('memory', facts(memory=10 * GIB), wishes(FE))['status'] == WARNING
    assert judge('memory', facts(memory=None), wishes(FE)) == []
    assert judge('memory', facts(memory=1), wishes(BROKER)) == []


def test_cores_are_measured_by_the_manual():
    cpu = {'machine': 'x86_64', 'cores': 8, 'avx2': True}
    assert one('cores', facts(cpu=cpu), wishes(FE))['status'] == OK
    row = one('cores', facts(cpu=cpu), wishes(FE, BE))
    assert (row['status'], row['found'], row['needed']) == (
        WARNING, '8', '24 for front end and back end in production')


def test_avx2_is_asked_of_back_ends_on_x86_only():
    without = {'machine': 'x86_64', 'cores': 64, 'avx2': False}
    row = one('cpu_avx2', facts(cpu=without), wishes(BE))
    assert row['status'] == FAILURE and 'starrocks_preflight_skip: [cpu_avx2]' in row['fix']
    assert judge('cpu_avx2', facts(cpu=without), wishes(BE, skip=['cpu_avx2'])) == []
    assert judge('cpu_avx2', facts(cpu=without), wishes(FE)) == []
    assert judge('cpu_avx2', facts(cpu={'machine': 'aarch64', 'cores': 64, 'avx2': None}), wishes(BE)) == []


def test_open_files():
    assert one('open_files', facts(), wishes(BE))['status'] == OK
    row = one('open_files', facts(open_files=20000), wishes(BE))
    assert row['status'] == FAILURE and row['fix'] == 'Set starrocks_limit_nofile to 20000.'
    row = one('open_files', facts(open_files=20000), wishes(BE, systemd_scope='user'))
    assert 'administrator' in row['fix']
    row = one('open_files', facts(open_files=20000), wishes(BE, limit_nofile=20000))
    assert row['status'] == WARNING and 'min_file_descriptor_number' in row['fix']
    assert one('open_files', facts(open_files=20000), wishes(FE, limit_nofile=20000))['status'] == OK


# what a unit can have, kind -> status, words in fix
INFINITY = [
    (UNLIMITED, BE, OK, ''),
    (1048576, BE, OK, ''),
    (20000, BE, WARNING, 'limit of systemd itself'),
    (20000, FE, OK, ''),
]


@pytest.mark.parametrize(('possible', 'node', 'status', 'words'), INFINITY)
def test_infinity_is_as_many_open_files_as_can_be_had(possible, node, status, words):
    row = one('open_files', facts(open_files=possible), wishes(node, limit_nofile=UNLIMITED))
    assert row['status'] == status and words in row['fix']
    assert 'infinity, as starrocks_limit_nofile asks' in row['needed'] or status == WARNING


# asked, what a unit can have, scope -> status, words in found, words in fix
PROCESS_LIMITS = [
    (65535, 65535, 'system', OK, '65535', ''),
    (UNLIMITED, UNLIMITED, 'system', OK, 'infinity', ''),
    (UNLIMITED, 100000, 'system', OK, '100000', ''),
    (UNLIMITED, 20000, 'system', WARNING, '20000 at most', 'Set starrocks_limit_nproc to 20000.'),
    (65535, 20000, 'system', WARNING, '20000 at most', 'Set starrocks_limit_nproc to 20000.'),
    (65535, 20000, 'user', WARNING, '20000 at most', 'LimitNPROC'),
    (4096, 4096, 'system', WARNING, '4096, as starrocks_limit_nproc asks', 'Raise starrocks_limit_nproc.'),
]


@pytest.mark.parametrize(('asked', 'possible', 'scope', 'status', 'found', 'fix'), PROCESS_LIMITS)
def test_process_limit(asked, possible, scope, status, found, fix):
    row = one('process_limit', facts(process_limit=possible), wishes(FE, limit_nproc=asked, systemd_scope=scope))
    assert row['status'] == status
    assert found in row['found'] and fix in row['fix']


def test_the_whole_host_must_have_room_for_as_many_processes():
    found = facts(kernel=dict(KERNEL, pid_max=32768, threads_max=65534))
    pids, threads = judge('process_limit', found, wishes(FE))
    assert (pids['status'], pids['found']) == (WARNING, 'kernel.pid_max = 32768')
    assert 'the manual asks for 200000' in pids['needed'] and 'prerequisites sets it' in pids['fix']
    assert (threads['status'], threads['found']) == (WARNING, 'kernel.threads-max = 65534')
    pids, threads = judge('process_limit', found, wishes(FE, systemd_scope='user'))
    assert 'sysctl -w kernel.pid_max=200000' in pids['fix'] and 'threads-max=120000' in threads['fix']
    good = facts(kernel=dict(KERNEL, pid_max=65535, threads_max=None))
    assert one('process_limit', good, wishes(FE))['status'] == OK


def test_limits_are_numbers_or_infinity():
    assert [parse_limit(value) for value in (1024, '1024', ' 655350 ', 'infinity')] == [1024, 1024, 655350, UNLIMITED]
    for value in ('many', '', '0', 0, -1, None, '1k', 1.5, True):
        with pytest.raises(ValueError, match='is not a limit'):
            parse_limit(value)


# what the kernel has -> name of the check, status, words in found
KERNELS = [
    ({'overcommit': 0}, 'overcommit', WARNING, 'vm.overcommit_memory = 0'),
    ({'overcommit': 2}, 'overcommit', WARNING, 'vm.overcommit_memory = 2'),
    ({}, 'overcommit', OK, 'vm.overcommit_memory = 1'),
    ({'swappiness': 60}, 'swappiness', WARNING, 'vm.swappiness = 60'),
    ({'swappiness': 1}, 'swappiness', WARNING, 'vm.swappiness = 1'),
    ({}, 'swappiness', OK, 'vm.swappiness = 0'),
    ({'huge_pages': 'always'}, 'huge_pages', WARNING, 'enabled: always, defrag: madvise'),
    ({'huge_pages_defrag': 'defer+madvise'}, 'huge_pages', WARNING, 'defrag: defer+madvise'),
    ({'huge_pages': 'never', 'huge_pages_defrag': 'never'}, 'huge_pages', OK, 'enabled: never, defrag: never'),
    ({'huge_pages': None}, 'huge_pages', OK, 'defrag: madvise'),
]


@pytest.mark.parametrize(('change', 'name', 'status', 'words'), KERNELS)
def test_kernel(change, name, status, words):
    found = facts(kernel=dict(KERNEL, **change))
    row = one(name, found, wishes(FE))
    assert row['status'] == status and words in row['found']
    assert ('The role starrocks.cluster.prerequisites sets it.' in row['fix']) == (status == WARNING)
    assert ('An administrator sets it' in one(name, found, wishes(FE, systemd_scope='user'))['fix']) == (
        status == WARNING)


def test_swap_and_selinux():
    assert one('swap', facts(), wishes(FE))['status'] == OK
    row = one('swap', facts(swaps=['/dev/sda2', '/swap']), wishes(FE))
    assert (row['status'], row['found']) == (WARNING, '/dev/sda2, /swap') and 'starrocks_manage_swap' in row['fix']
    assert one('selinux', facts(), wishes(FE))['status'] == OK
    row = one('selinux', facts(selinux=True), wishes(FE))
    assert (row['status'], row['found']) == (WARNING, 'enforcing') and 'starrocks_manage_selinux' in row['fix']


def test_what_cannot_be_read_is_not_judged():
    found = facts(kernel=dict.fromkeys(KERNEL), swaps=None, selinux=None,
                  locale={'exists': None, 'names': []})
    for name in ('overcommit', 'swappiness', 'huge_pages', 'swap', 'selinux', 'locale'):
        assert judge(name, found, wishes(FE, BE)) == []


LOCALES = [
    (['C', 'en_US.utf8', 'de_DE.utf8'], 'Set starrocks_locale: en_US.utf8'),
    (['C', 'zh_CN.utf8', 'de_DE.utf8', 'de_DE.iso88591'], 'Set starrocks_locale: de_DE.utf8'),
    (['C', 'POSIX'], 'Install a UTF-8 locale'),
]


@pytest.mark.parametrize(('names', 'fix'), LOCALES)
def test_a_locale_that_the_host_does_not_have(names, fix):
    row = one('locale', facts(locale={'exists': False, 'names': names}), wishes(FE))
    assert row['status'] == WARNING and 'C.UTF-8' in row['needed'] and fix in row['fix']


# client, what the kernel says without one, role installs one -> status, words in found, words in fix
CLOCKS = [
    (('chronyd', True), None, False, OK, 'synchronised by chronyd', ''),
    (('ntpd', None), None, False, OK, 'cannot be seen', ''),
    (('chronyd', False), None, True, WARNING, 'is not synchronised', 'chronyc -n sources'),
    (('ntpd', False), None, True, WARNING, 'is not synchronised', 'reaches its servers.'),
    (None, True, False, WARNING, 'though the kernel takes its clock for synchronised', 'Install chrony'),
    (None, None, True, WARNING, 'no time client runs', 'The role starrocks.cluster.prerequisites installs chrony.'),
]


@pytest.mark.parametrize(('client', 'kernel', 'install', 'status', 'words', 'fix'), CLOCKS)
def test_clock(client, kernel, install, status, words, fix):
    client = {'name': client[0], 'synchronised': client[1]} if client else None
    found = facts(time_client=client, kernel_synchronised=kernel)
    row = one('clock', found, wishes(FE, install_time_client=install))
    assert row['status'] == status
    assert words in row['found'] and fix in row['fix']
    assert _preflight.host_summary(found, wishes(FE))['time_client'] == client


def test_what_is_handed_on_of_a_host():
    host = _preflight.host_summary(facts(storage_cluster_ids={'/data1': 42}, timezone='Europe/Berlin', utc_offset=3600),
                                   wishes(FE, BE))
    assert host['nodes'] == [{'kind': 'fe', 'ports': FE['ports']}, {'kind': 'be', 'ports': BE['ports']}]
    assert host['account'] == {'uid': 990, 'group': 'starrocks', 'home': '/var/lib/starrocks', 'shell': '/bin/bash'}
    assert host['os'] == {'id': 'debian', 'version': '12', 'family': 'debian'}
    assert (host['timezone'], host['utc_offset']) == ('Europe/Berlin', 3600)
    assert host['storage_cluster_ids'] == {'/data1': 42}
    assert host['jdk_package'] == 'openjdk-17-jdk-headless' and host['chrony_installed'] is True
    assert _preflight.host_summary(facts(account=None), wishes(FE))['account'] is None


USER = {'systemd_scope': 'user'}
ACCOUNTS = [
    (facts(account=None), wishes(FE), OK),
    (facts(uid=990), wishes(FE, **USER), OK),
    (facts(uid=0), wishes(FE, **USER), FAILURE),
    (facts(account=None, uid=1000), wishes(FE, **USER), FAILURE),
]


@pytest.mark.parametrize(('found', 'wanted', 'status'), ACCOUNTS)
def test_account(found, wanted, status):
    assert one('account', found, wanted)['status'] == status


def test_lingering_is_asked_for_in_user_scope_only():
    assert judge('linger', facts(lingers=None), wishes(FE)) == []
    assert one('linger', facts(lingers=True), wishes(FE, **USER))['status'] == OK
    row = one('linger', facts(lingers=False), wishes(FE, **USER))
    assert row['status'] == FAILURE and 'loginctl enable-linger starrocks' in row['fix']


def test_systemd_is_needed():
    assert one('systemd', facts(systemd=False), wishes(FE))['status'] == FAILURE
    assert 'enable-linger' in one('systemd', facts(systemd=False), wishes(FE, **USER))['fix']


def test_python_and_pymysql():
    assert one('python', facts(python=(3, 5, 2)), wishes(FE))['status'] == FAILURE
    assert one('pymysql', facts(pymysql=False), wishes(FE))['status'] == FAILURE
    assert one('pymysql', facts(pymysql=False), wishes(FE, install_pymysql=True))['status'] == WARNING
    assert judge('pymysql', facts(pymysql=False), wishes(FE, sql=False)) == []


METADATA = [
    (metadata(), {}, OK, ''),
    (metadata(fe=False, complete=False), {}, OK, 'none in'),
    (metadata(complete=False, missing=['VERSION']), {}, FAILURE, 'has no VERSION'),
    (metadata(complete=False, missing=['ROLE'], first_start=True), {}, WARNING, 'did not come to its end'),
    (metadata(host='10.0.0.7'), {}, WARNING, 'follower of cluster 42'),
    (metadata(host='sr1', host_type='FQDN'), {}, WARNING, 'by FQDN'),
    (metadata(host=None, name='sr1_9010'), {}, OK, ''),
    (metadata(host='10.0.0.7'), {'addresses': []}, OK, ''),
    (metadata(run_mode='shared_data'), {}, FAILURE, 'made in mode shared_data'),
    (metadata(run_mode=None), {}, OK, ''),
]


@pytest.mark.parametrize(('stored', 'change', 'status', 'words'), METADATA)
def test_metadata(stored, change, status, words):
    found = facts(metadata=stored, **change)
    row = one('metadata', found, wishes(FE))
    assert row['status'] == status
    assert words in row['found']
    host = _preflight.host_summary(found, wishes(FE))
    assert host['metadata'] == stored
    assert host['first_start'] == stored['first_start']


def test_a_host_without_a_front_end_says_so_in_the_same_shape():
    assert judge('metadata', facts(metadata=None), wishes(BE)) == []
    host = _preflight.host_summary(facts(metadata=None), wishes(BE))
    assert set(host['metadata']) == set(metadata())
    assert host['metadata']['fe'] is False


def test_a_skipped_check_says_nothing():
    found = facts(jdks=[], systemd=False)
    names = {row['name'] for row in _preflight.judge(found, wishes(FE, skip=['jdk'])) if row['status'] == FAILURE}
    assert names == {'systemd'}


def test_all_failures_stand_in_one_message():
    checks = _preflight.judge(facts(jdks=[], systemd=False), wishes(FE))
    text = _preflight.failure_text(checks, '3.5.0')
    assert text.startswith('This host is not ready for StarRocks 3.5.0; nothing was changed.')
    assert '\n- systemd: found: ' in text and '\n- jdk: found: none; needed: Java 17 or newer' in text


def test_heap_sizes():
    assert [_preflight.parse_heap(text) for text in ('1g', '1024m', '2G', '512k', '7')] == [
        GIB, GIB, 2 * GIB, 512 * 1024, 7]
    for text in ('8 g', '8gb', '', 'g'):
        with pytest.raises(ValueError, match='Java heap size'):
            _preflight.parse_heap(text)


PORT_VARIABLES = [('fe', 'http_port', 'starrocks_fe_http_port'), ('be', 'be_port', 'starrocks_be_be_port'),
                  ('cn', 'heartbeat_service_port', 'starrocks_cn_heartbeat_service_port'),
                  ('broker', 'broker_ipc_port', 'starrocks_broker_ipc_port')]


@pytest.mark.parametrize(('kind', 'name', 'variable'), PORT_VARIABLES)
def test_port_variables(kind, name, variable):
    assert _preflight.port_variable(kind, name) == variable
