# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _preflight
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _preflight_report as report


def row(name='ports', status='failure', found='9010 is taken', needed='free', fix='Stop it.'):
    return {'name': name, 'status': status, 'found': found, 'needed': needed, 'fix': fix}


def host(name, *kinds, problem='', network=(), **seen):
    seen['nodes'] = [{'kind': kind} for kind in kinds]
    return {'name': name, 'problem': problem, 'seen': None if problem else seen, 'network': list(network)}


def front_end(name, offset=0.0, error=0.01, **seen):
    return host(name, 'fe', clock={'offset': offset, 'error': error}, **seen)


def skew(*hosts):
    return report.check_clock_skew(list(hosts), {})


def told(findings):
    return [(one['status'], one['hosts']) for one in findings]


def test_the_checks_of_several_hosts_are_those_that_the_module_knows():
    names = [name for name, dummy in report.CLUSTER_CHECKS] + list(report.FROM_NETWORK)
    assert sorted(names) == sorted(_preflight.CLUSTER_CHECKS)
    assert sorted(report.ORDER) == sorted([*(name for name, dummy in _preflight.CHECKS), *names])


# --- the hosts of a run ---

def test_hosts_are_gathered_from_their_variables():
    checks = [row()]
    hostvars = {
        'h1': {'starrocks_host': {'checks': checks}, '_starrocks_look': {'changed': False},
               '_starrocks_connectivity': {'checks': [row('network')]}},
        # What a cache of facts holds of a host is not what was seen now.
        'h2': {'starrocks_host': {}, '_starrocks_look': {'unreachable': True, 'msg': 'Task failed: timed\nout'}},
        'h3': {'_starrocks_look': {'failed': True}},
        'h4': {},
        'h5': {'starrocks_host': {'checks': []}},
        'later': {},
    }
    hosts = report.gather_hosts(list(hostvars), hostvars, ['h1', 'h2', 'h3', 'h4', 'later'], ['h1', 'h2', 'h3', 'h4'])
    assert [(one['name'], one['problem'], one['seen']) for one in hosts] == [
        ('h1', '', {'checks': checks}), ('h2', 'timed out', None), ('h3', 'it was not said why', None),
        ('h4', 'it was not looked at', None), ('h5', 'it left this run with an error (see above)', None)]
    assert hosts[0]['network'] == [row('network')]


@pytest.mark.parametrize('result, rows', [
    ({}, []),
    ({'skipped': True}, []),
    ({'failed': True, 'msg': 'no\npython'}, [('network', 'warning', 'not known: the check itself failed (no python)')]),
])
def test_a_check_of_the_network_that_did_not_run(result, rows):
    hostvars = {'h1': {'starrocks_host': {'address': 'x'}, '_starrocks_connectivity': result}}
    hosts = report.gather_hosts(['h1'], hostvars, ['h1'], ['h1'])
    assert [(one['name'], one['status'], one['found']) for one in hosts[0]['network']] == rows


# --- connection ---

def test_a_host_that_was_not_looked_at_is_a_failure():
    failed, well = report.check_connection([host('h1', address='x'), host('h2', problem='timed out')], {})
    assert (failed['status'], failed['hosts'], failed['found']) == ('failure', ['h2'], 'timed out')
    assert 'ansible h2 -m ansible.builtin.ping' in failed['fix'] and '--limit' in failed['fix']
    assert (well['status'], well['hosts']) == ('ok', ['h1'])
    assert told(report.check_connection([host('h2', problem='x')], {})) == [('failure', ['h2'])]


# --- clocks ---

def test_clocks_that_agree():
    one, = skew(front_end('f1', 0.4), front_end('f2', -0.3), host('b1', 'be', clock={'offset': 99.0, 'error': 0.0}))
    assert (one['status'], one['found']) == ('ok', 'all within 0.70 s')


@pytest.mark.parametrize('offset, status', [(0.99, 'ok'), (1.0, 'warning'), (4.99, 'warning'), (5.0, 'failure')])
def test_limits_of_the_skew(offset, status):
    assert [one['status'] for one in skew(front_end('f1'), front_end('f2', offset))] == [status]


def test_the_two_hosts_and_the_figure_are_told():
    one, = skew(front_end('f1', 0.02, 0.01), front_end('f3', 7.32, 0.03), front_end('f2', 0.1))
    assert (one['name'], one['status'], one['hosts']) == ('clock_skew', 'failure', ['f1', 'f3'])
    assert one['found'] == ("the clock of f3 is 7.3 s ahead of that of f1 (± 0.04 s); against the controller's: "
                            'f3 +7.3 s, f1 +0.0 s')
    assert 'max_bdbje_clock_delta_ms' in one['needed'] and 'chrony' in one['fix']


def test_two_that_are_off_to_both_sides_are_compared_with_each_other():
    assert told(skew(front_end('f1'), front_end('f2', 3.0), front_end('f3', -3.0))) == [('failure', ['f2', 'f3'])]


def test_each_other_one_that_is_off_is_told_worst_first():
    clocks = [front_end('f1'), front_end('f2', 2.0), front_end('f3', 9.0), front_end('f4', 6.0), front_end('f5', 0.1),
              front_end('f6', 0.2), front_end('f7', 0.3)]
    assert told(skew(*clocks)) == [('failure', ['f1', 'f3']), ('failure', ['f4', 'f7']), ('warning', ['f2', 'f7'])]


def test_clocks_that_could_not_be_read():
    unread = front_end('f2', None, None)
    assert told(skew(front_end('f1'), unread)) == [('warning', ['f2'])]
    assert told(skew(front_end('f1'), unread, front_end('f3', 1.5))) == [('warning', ['f1', 'f3']), ('warning', ['f2'])]
    # Alone there is nothing to compare with.
    assert skew(unread) == skew(front_end('f1')) == skew(host('f1', 'fe', problem='x')) == []
    assert told(skew(host('f1', 'fe', address='x'), unread)) == [('warning', ['f1', 'f2'])]


# --- time zones ---

def zones(*names):
    hosts = [host('h%d' % number, timezone=zone, utc_offset=offset)
             for number, (zone, offset) in enumerate(names, 1)]
    return report.check_timezone(hosts, {})


def test_one_time_zone():
    one, = zones(('UTC', 0), ('Etc/UTC', 0), (None, None))
    assert (one['status'], one['found'], one['hosts']) == ('ok', 'UTC', ['h1', 'h2'])
    assert zones() == zones((None, None)) == []


def test_several_time_zones():
    one, = zones(('Asia/Kolkata', 19800), ('UTC', 0), ('Europe/Berlin', 3600), ('UTC', 0), ('Local', None))
    assert (one['status'], one['hosts']) == ('warning', ['h1', 'h3', 'h5'])
    assert one['found'] == 'UTC on h2, h4; Asia/Kolkata (UTC+5.5) on h1; Europe/Berlin (UTC+1) on h3; Local on h5'


def test_of_many_hosts_some_are_named():
    one, = zones(*[('UTC', 0)] * 9, ('Europe/Berlin', 3600))
    assert one['found'] == 'UTC on h1, h2, h3, h4, h5 and 4 more; Europe/Berlin (UTC+1) on h10'


# --- clusters ---

def member(name, cluster_id=None, first_start=False):
    return host(name, 'fe', metadata={'fe': cluster_id is not None, 'cluster_id': cluster_id}, first_start=first_start)


def storage(name, **folders):
    return host(name, 'be', storage_cluster_ids={'/' + folder: number for folder, number in folders.items()})


def clusters(*hosts, front_ends=('f1', 'f2', 'f3')):
    return report.check_cluster_id(list(hosts), {'fe': list(front_ends), 'be': []})


def test_one_cluster():
    one, = clusters(member('f1', '12'), member('f2', 12), member('f3'), storage('b1', data1='12', data2=None))
    assert (one['status'], one['hosts'], one['found']) == ('ok', ['f1', 'f2'], 'cluster 12')


def test_nothing_is_there():
    assert clusters(member('f1'), member('f2'), member('f3'), storage('b1'), storage('b2', data=-1)) == []


def test_metadata_of_two_clusters():
    one, = clusters(member('f1', '12'), member('f2', '12'), member('f3', '34'))
    assert (one['status'], one['hosts']) == ('failure', ['f1', 'f2', 'f3'])
    assert one['found'] == 'metadata of cluster 12 on f1, f2; metadata of cluster 34 on f3'
    assert 'aside' in one['fix'] and 'keep it' in one['fix']


def test_storage_of_another_cluster():
    one, = clusters(member('f1', '12'), storage('b1', data1='12', data2='34'))
    assert (one['status'], one['hosts'], one['found']) == ('failure', ['b1'], '/data2 holds data of cluster 34')
    assert one['needed'] == 'storage of cluster 12, or none'
    assert 'keep it' in one['fix'] and 'delete' not in one['fix']


def test_storage_that_is_there_before_the_cluster_is():
    one, = clusters(member('f1'), member('f2'), member('f3'), storage('b1', data='34'))
    assert 'no front end has metadata' in one['needed']
    # A front end that was not seen may have the metadata.
    assert clusters(member('f1'), storage('b1', data='34')) == []
    assert clusters(member('f1'), host('f2', 'fe', problem='x'), member('f3'), storage('b1', data='34')) == []
    assert clusters(storage('b1', data='34'), front_ends=()) == []


def test_what_an_unfinished_join_left_is_no_second_cluster():
    one, = clusters(member('f1', '12'), member('f2', '34', first_start=True))
    assert one['status'] == 'ok'
    # The first front end of a new cluster has joined nothing yet, and its back ends may be there.
    assert clusters(member('f1', '12', first_start=True), storage('b1', data='12')) == []


# --- all of it ---

SMALL = row('memory', 'warning', '1.0 GiB', '16.0 GiB', '')
HOSTS = [
    host('h1', 'fe', checks=[row(), row('jdk', 'ok'), SMALL], network=[row('network', 'ok')]),
    host('h2', 'fe', checks=[row(), row('jdk', 'failure', 'none'), SMALL]),
    host('h3', 'be', problem='timed out', network=[row('network')]),
]
KINDS = {'fe': ['h1', 'h2'], 'be': ['h3']}


def test_findings_of_all_hosts_are_collected_and_overruled_by_name():
    found = report.collect(HOSTS, KINDS, [])
    assert sorted((one['name'], one['status'], *one['hosts']) for one in found) == [
        ('clock_skew', 'warning', 'h1', 'h2'), ('connection', 'failure', 'h3'), ('connection', 'ok', 'h1', 'h2'),
        ('jdk', 'failure', 'h2'), ('jdk', 'ok', 'h1'), ('memory', 'warning', 'h1'), ('memory', 'warning', 'h2'),
        ('network', 'ok', 'h1'), ('ports', 'failure', 'h1'), ('ports', 'failure', 'h2')]
    left = report.collect(HOSTS, KINDS, ['connection', 'ports', 'clock_skew'])
    assert {one['name'] for one in left} == {'jdk', 'memory', 'network'}


def test_what_is_alike_is_one_row_and_the_worst_comes_first():
    merged = report.merge(report.collect(HOSTS, KINDS, ['clock_skew']))
    assert [(one['name'], one['status'], one['hosts']) for one in merged] == [
        ('connection', 'failure', ['h3']), ('jdk', 'failure', ['h2']), ('ports', 'failure', ['h1', 'h2']),
        ('memory', 'warning', ['h1', 'h2'])]
    unknown = report.merge([dict(row('of tomorrow'), hosts=['h1']), dict(row(), hosts=['h1'])])
    assert [one['name'] for one in unknown] == ['ports', 'of tomorrow']


def test_the_table():
    found = report.collect(HOSTS, KINDS, ['clock_skew'])
    assert report.report_lines('sales', HOSTS, found, ['clock_skew']) == [
        'Preflight of StarRocks cluster sales: 3 failures, 1 warning, 3 checks well, on 3 hosts.',
        'Left out by starrocks_preflight_skip: clock_skew.',
        '',
        'STATUS   CHECK       HOSTS   FOUND',
        'failure  connection  h3      timed out',
        '                             needed: a host that Ansible reaches and can run modules on',
        '                             to mend: Mend that (try: ansible h3 -m ansible.builtin.ping), or leave the host '
        'out by',
        '                               --limit.',
        'failure  jdk         h2      none',
        '                             needed: free',
        '                             to mend: Stop it.',
        'failure  ports       h1, h2  9010 is taken',
        '                             needed: free',
        '                             to mend: Stop it.',
        'warning  memory      h1, h2  1.0 GiB',
        '                             needed: 16.0 GiB',
    ]


def test_nothing_is_found():
    hosts = [host('h1', checks=[row('jdk', 'ok')], timezone='UTC')]
    assert report.report_lines('sales', hosts, report.collect(hosts, {}, []), []) == [
        'Preflight of StarRocks cluster sales: all is well, 3 checks on 1 host.']
    assert report.report_lines('sales', hosts, report.collect(hosts, {}, ['timezone']), ['timezone']) == [
        'Preflight of StarRocks cluster sales: all is well, 2 checks on 1 host.',
        'Left out by starrocks_preflight_skip: timezone.']


def test_the_table_is_no_wider_than_a_terminal_and_texts_stay_under_their_heads():
    names = ['node%02d' % number for number in range(20)]
    merged = report.merge([dict(row(found='word ' * 60, fix='way ' * 60), hosts=names)])
    lines = report.table(merged)
    assert max(len(line) for line in lines) <= report.WIDTH
    column = lines[0].index('FOUND')
    assert lines[1][column:].startswith('word word') and all(line[column - 2:column] == '  ' for line in lines[1:])
    said = ' '.join(line[lines[0].index('HOSTS'):column].strip() for line in lines[1:]).strip()
    assert said.split(', ') == names
    # A name longer than its column is not cut, and leaves room for texts.
    lines = report.table(report.merge([dict(row(), hosts=['n' * 90])]))
    assert 'n' * 90 + '  9010 is taken' in lines[1]


def test_why_a_run_ends():
    merged = report.merge(report.collect(HOSTS, KINDS, []))
    assert report.failure_text(merged) == (
        'The hosts are not ready, so this run ends here: connection (h3); jdk (h2); ports (h1, h2). The table above '
        'says what to do. A check that you know better than is overruled by its name: starrocks_preflight_skip: [jdk]')
    assert report.failure_text(merged[:1]) == (
        'The hosts are not ready, so this run ends here: connection (h3). The table above says what to do.')
    assert report.failure_text(merged[3:]) == ''


def test_counts():
    found = report.collect(HOSTS, KINDS, [])
    assert report.counts(found, report.merge(found)) == {'failures': 3, 'warnings': 2, 'ok': 3}
