# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is ready: the rules on facts made up, one by one."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _preflight
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
              'install_jdk': False, 'sql': True, 'install_pymysql': False, 'user': 'starrocks',
              'systemd_scope': 'system', 'limit_nofile': 655350, 'skip': []}
    result.update(changes)
    return result


def space(path, **changes):
    result = {'path': path, 'nearest': path, 'exists': True, 'directory': True, 'free': 100 * GIB, 'read_only': False,
              'writable': None}
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


def facts(**changes):
    result = {
        'host_name': 'sr1', 'addresses': ['10.0.0.1'], 'default_address': '10.0.0.1', 'canonical': None, 'ports': [],
        'processes': [], 'jdk': None, 'jdks': [jdk(17)],
        'space': {path: space(path) for path in ('/data/fe/meta', '/opt/starrocks/fe', '/data1')},
        'memory': 256 * GIB, 'cpu': {'machine': 'x86_64', 'cores': 64, 'avx2': True}, 'open_files': 655350,
        'metadata': None, 'account': {'name': 'starrocks', 'uid': 990}, 'uid': 0, 'lingers': None, 'systemd': True,
        'time': 1700000000.25, 'timezone': 'UTC', 'python': (3, 6, 8), 'pymysql': True,
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


DISKS = [
    ('3.0.9', 5 * GIB, None, OK),
    ('3.0.9', 5 * GIB - 1, None, FAILURE),
    ('3.0.9', 5 * GIB - 1, 7, WARNING),
]


@pytest.mark.parametrize(('version', 'free', 'pid', 'status'), DISKS)
def test_disk(version, free, pid, status):
    found = facts(space={'/data/fe/meta': space('/data/fe/meta', nearest='/data', free=free)},
                  processes=[process('fe', pid)])
    row = one('disk', found, wishes(FE, version=version))
    assert row['status'] == status
    assert '5.0 GiB free at /data' == row['found']


def test_before_3_0_no_free_space_is_asked_for():
    found = facts(space={'/data/fe/meta': space('/data/fe/meta', free=0)})
    assert judge('disk', found, wishes(FE, version='2.5.22')) == []


PATHS = [
    ({'directory': False, 'nearest': '/data1'}, '/data1 is not a folder'),
    ({'read_only': True, 'nearest': '/'}, 'mounted read-only'),
    ({'writable': False, 'nearest': '/'}, 'may not write to /'),
]


@pytest.mark.parametrize(('change', 'words'), PATHS)
def test_paths(change, words):
    row = one('paths', facts(space={'/data1': space('/data1', **change)}), wishes(BE))
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
    assert one('cpu_avx2', facts(cpu=without), wishes(BE))['status'] == WARNING
    assert judge('cpu_avx2', facts(cpu=without), wishes(FE)) == []
    assert judge('cpu_avx2', facts(cpu={'machine': 'aarch64', 'cores': 64, 'avx2': None}), wishes(BE)) == []


def test_open_files():
    assert one('open_files', facts(), wishes(BE))['status'] == OK
    row = one('open_files', facts(open_files=20000), wishes(BE))
    assert row['status'] == FAILURE and row['fix'] == 'Set starrocks_limit_nofile to 20000.'
    row = one('open_files', facts(open_files=20000), wishes(BE, systemd_scope='user'))
    assert 'administrator' in row['fix']
    row = one('open_files', facts(), wishes(BE, limit_nofile=20000))
    assert row['status'] == WARNING and 'min_file_descriptor_number' in row['fix']
    assert one('open_files', facts(), wishes(FE, limit_nofile=20000))['status'] == OK


USER = {'systemd_scope': 'user'}
ACCOUNTS = [
    (facts(account=None), wishes(FE), OK),
    (facts(account={'name': 'starrocks', 'uid': 990}, uid=990), wishes(FE, **USER), OK),
    (facts(account={'name': 'starrocks', 'uid': 990}, uid=0), wishes(FE, **USER), FAILURE),
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
