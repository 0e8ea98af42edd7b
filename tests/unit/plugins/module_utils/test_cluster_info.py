# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""starrocks_cluster_info over a scripted driver, and the pure functions behind it."""

import json

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _overview as overview
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_cluster_info
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    BACKEND_COLUMNS,
    BROKER_COLUMNS,
    FRONTEND_COLUMNS,
    Driver,
    Frontend,
    backend_row,
    frontend_row,
    said,
)

STATISTIC_COLUMNS = ('DbId', 'DbName', 'TabletNum', 'UnhealthyTabletNum', 'InconsistentTabletNum')
DISK_COLUMNS = ('RootPath', 'DataUsedCapacity', 'OtherUsedCapacity', 'AvailCapacity', 'TotalCapacity', 'TotalUsedPct',
                'State', 'PathHash', 'StorageMedium', 'TabletNum')
DISK = ['/data/starrocks', '1.000 GB', '1.000 MB', '199.000 GB', '200.000 GB', '0.50 %', 'ONLINE', '-4870194', 'HDD',
        '83']
SETTING_COLUMNS = ('Key', 'AliasNames', 'Value', 'Type', 'IsMutable', 'Comment')
SETTINGS = [
    ['tablet_sched_disable_balance', '[disable_balance]', 'false', 'boolean', 'true', ''],
    ['tablet_sched_disable_colocate_balance', '[disable_colocate_balance]', 'false', 'boolean', 'true', ''],
    ['tablet_sched_max_balancing_tablets', '[max_balancing_tablets]', '500', 'int', 'true', ''],
    ['tablet_sched_max_scheduling_tablets', '[max_scheduling_tablets]', '10000', 'int', 'true', ''],
    ['tablet_sched_slot_num_per_path', '[]', '8', 'int', 'true', '']]
WAREHOUSE_COLUMNS = ('Id', 'Name', 'State', 'NodeCount', 'CreatedOn')
DENIED = said('Access denied; you need (at least one of) the OPERATE privilege(s) on SYSTEM', 5203)


class Cluster:
    def __init__(self):
        self.frontend = Frontend({
            'SHOW FRONTENDS': (FRONTEND_COLUMNS, [frontend_row('fe1', 'LEADER'), frontend_row('fe2'),
                                                  frontend_row('fe3', 'OBSERVER', alive='false', join='false')]),
            'SHOW BACKENDS': (BACKEND_COLUMNS, []),
            'SHOW COMPUTE NODES': (('ComputeNodeId', 'IP', 'HeartbeatPort', 'Alive'), []),
            'SHOW BROKER': (BROKER_COLUMNS, [['b', '10.0.0.1', '8000', 'true', '']]),
            "SHOW PROC '/statistic'": (STATISTIC_COLUMNS, [
                ['1', 'information_schema', '0', '0', '0'], ['10210', 'sales', '40', '3', '0'],
                ['Total', '2', '40', '3', '0']]),
            "SHOW PROC '/backends/10001'": (DISK_COLUMNS, [DISK]),
            overview.SHOW_BALANCE_SETTINGS: (SETTING_COLUMNS, SETTINGS),
            overview.SHOW_SCHEDULING: (('Item', 'Number'), [['pending_tablets', '0'], ['running_tablets', '2']]),
            'SHOW WAREHOUSES': (WAREHOUSE_COLUMNS, [['0', 'default_warehouse', 'AVAILABLE', '3', '']]),
        })
        self.driver = Driver({('fe1', 9030): self.frontend})


@pytest.fixture
def cluster(use):
    made = Cluster()
    use(made.driver)
    return made


def test_info(cluster, run):
    result = run(starrocks_cluster_info, login_hosts=['fe0', 'fe1'])
    assert not result['changed'] and result['queries'] == []
    assert (result['answered'], result['answered_by'], result['version']) == (True, 'fe1:9030', '3.5.0-0be11fd')
    assert result['leader']['host'] == 'fe1' and len(result['frontends']) == 3
    assert (result['backends'], result['compute_nodes'], result['brokers'][0]['name']) == ([], [], 'b')
    assert result['statistic'] == {
        'db_num': 2, 'tablet_num': 40, 'unhealthy_tablet_num': 3, 'inconsistent_tablet_num': 0}
    assert [entry['host'] for entry in result['not_answering']] == ['fe0:9030']
    assert [row['db_name'] for row in result['unhealthy']] == ['sales']
    assert result['balance'] == {
        'settings': {'tablet_sched_disable_balance': False, 'tablet_sched_disable_colocate_balance': False,
                     'tablet_sched_max_balancing_tablets': 500, 'tablet_sched_max_scheduling_tablets': 10000},
        'enabled': True, 'scheduling': {'pending_tablets': 0, 'running_tablets': 2}}
    assert (result['disks'], result['warehouses'], result['run_mode']) == (None, None, 'shared_nothing')
    assert result['not_read'] == [{'subset': 'warehouses', 'reason': 'only shared-data clusters of StarRocks 3.3 and '
                                   'later have warehouses'}]
    assert result['versions'] == {'frontends': {'3.5.0-0be11fd': 3}, 'backends': {}, 'compute_nodes': {}}
    assert result['totals'] == {
        'frontends': {'registered': 3, 'alive': 2}, 'backends': {'registered': 0, 'alive': 0},
        'compute_nodes': {'registered': 0, 'alive': 0}, 'brokers': {'registered': 1, 'alive': 1},
        'tablet_num': 0, 'data_used_capacity': 0, 'avail_capacity': 0, 'total_capacity': 0, 'used_pct': None}
    assert len(cluster.frontend.log) == 7  # a statement for each listing, two for balance


def test_info_of_one_listing(cluster, run):
    result = run(starrocks_cluster_info, subset=['frontends'])
    assert cluster.frontend.log == ['SHOW FRONTENDS'] and result['backends'] is None and result['statistic'] is None


def test_the_listings_of_a_deploy(cluster, run):
    """Which asks for these in each run, and for no more."""
    run(starrocks_cluster_info, subset=['frontends', 'backends', 'compute_nodes', 'brokers'])
    assert cluster.frontend.log == ['SHOW FRONTENDS', 'SHOW BACKENDS', 'SHOW COMPUTE NODES', 'SHOW BROKER']


def test_info_of_disks(cluster, run):
    cluster.frontend.answers['SHOW BACKENDS'] = (BACKEND_COLUMNS, [backend_row('10.0.0.1')])
    result = run(starrocks_cluster_info, subset=['disks'])
    assert result['disks'] == [{
        'backend_id': 10001, 'host': '10.0.0.1', 'heartbeat_port': 9050, 'root_path': '/data/starrocks',
        'data_used_capacity': 1 << 30, 'other_used_capacity': 1 << 20, 'avail_capacity': 199 << 30,
        'total_capacity': 200 << 30, 'total_used_pct': 0.5, 'state': 'ONLINE', 'path_hash': '-4870194',
        'storage_medium': 'HDD', 'tablet_num': 83}]
    assert result['backends'] is None and cluster.frontend.log[-1] == "SHOW PROC '/backends/10001'"


@pytest.mark.parametrize('version, columns, read', [
    ('3.3.0', ('WorkerId', 'WarehouseName'), True), ('3.2.9', ('WorkerId',), False), ('3.5.0-0be11fd', (), False)])
def test_info_of_warehouses(cluster, run, version, columns, read):
    cluster.frontend.set_up['SELECT @@version_comment'] = (('v',), [[version]])
    cluster.frontend.answers['SHOW BACKENDS'] = (BACKEND_COLUMNS + columns, [])
    result = run(starrocks_cluster_info, subset=['backends', 'warehouses'])
    assert result['run_mode'] == ('shared_data' if columns else 'shared_nothing')
    if read:
        assert result['warehouses'] == [{'id': 0, 'name': 'default_warehouse', 'state': 'AVAILABLE', 'node_count': 3,
                                         'created_on': None}]
    assert [entry['subset'] for entry in result['not_read']] == ([] if read else ['warehouses'])
    assert ('SHOW WAREHOUSES' in cluster.frontend.log) is read


@pytest.mark.parametrize('statement, subsets', [
    ('SHOW FRONTENDS', ['frontends']), ('SHOW COMPUTE', ['compute_nodes']),
    ("SHOW PROC '/statistic'", ['statistic', 'unhealthy']), ('ADMIN SHOW', ['balance'])])
def test_what_the_account_may_not_see(cluster, run, statement, subsets):
    cluster.frontend.faults.extend([(statement, DENIED, False)] * 3)
    result = run(starrocks_cluster_info, subset=['all', '!warehouses', '!brokers'])
    assert not result.get('failed') and result['answered']
    assert [entry['subset'] for entry in result['not_read']] == subsets
    assert 'OPERATE' in result['not_read'][0]['reason']
    assert [name for name in overview.SUBSETS[:5] if result[name] is None and name != 'brokers'] == [
        name for name in subsets if name in overview.SUBSETS[:5]]


def test_an_account_that_may_see_nothing(cluster, run):
    cluster.frontend.faults.extend([('', DENIED, False)] * 20)
    result = run(starrocks_cluster_info)
    assert result['failed'] and 'privilege' in result['msg']


def test_the_leader_goes_away_meanwhile(cluster, run):
    cluster.frontend.faults.extend([('SHOW COMPUTE NODES', said('Socket is closed by peer.'), False)] * 100)
    result = run(starrocks_cluster_info)
    assert result['failed'] and 'Socket is closed' in result['msg']


def test_a_subset_that_there_is_not(cluster, run):
    result = run(starrocks_cluster_info, subset=['backend', '!nodes', '!!disks'], login_hosts=['a b'])
    assert 'subset: backend is none of' in result['msg'] and 'subset: !nodes is none of' in result['msg']
    assert 'subset: !!disks is none of' in result['msg']
    assert 'login_hosts' in result['msg'] and cluster.driver.connects == []


@pytest.mark.parametrize('wishes, names', [
    (['all'], overview.SUBSETS),
    (['all', '!disks'], overview.SUBSETS[:6] + overview.SUBSETS[7:]),
    (['!disks'], overview.SUBSETS[:6] + overview.SUBSETS[7:]),
    (['brokers', 'backends'], ('backends', 'brokers')),
    (['brokers', 'backends', '!brokers'], ('backends',)),
    (['!all'], ()), ([], ()),
])
def test_chosen_subsets(wishes, names):
    assert overview.chosen_subsets(wishes) == (list(names), [])


def node(version, **columns):
    return dict({'alive': True, 'version': version}, **columns)


def test_versions():
    tables = {'frontends': [node('3.5.0-a'), node('3.4.4-b'), node('3.4.4-b')], 'backends': [node(None)],
              'brokers': [{}]}
    assert overview.versions_of(tables) == ({'frontends': {'3.5.0-a': 1, '3.4.4-b': 2}, 'backends': {}}, True)
    assert overview.versions_of({'frontends': [node('3.5.0-a')]}) == ({'frontends': {'3.5.0-a': 1}}, False)
    assert overview.versions_of({}) == ({}, False)


@pytest.mark.parametrize('columns, version, mode', [
    ({}, '3.5.0', None), ({'frontends': ['name']}, '3.5.0', None),
    ({'backends': ['host'], 'compute_nodes': ['host', 'worker_id']}, '3.5.0-x', 'shared_data'),
    ({'backends': ['host']}, '3.5.0', 'shared_nothing'), ({'backends': ['worker_id']}, 'MAIN', 'shared_data'),
    ({'backends': ['worker_id']}, '2.5.22', 'shared_nothing'),
])
def test_run_mode(columns, version, mode):
    assert overview.run_mode_of(columns, version) == mode


def test_totals():
    size = {'tablet_num': 2, 'data_used_capacity': 1, 'avail_capacity': 150, 'total_capacity': 200}
    totals = overview.totals_of({'backends': [node('x', **size), node('x', **size), {'alive': False, 'tablet_num': 1}]})
    assert totals == {'frontends': None, 'backends': {'registered': 3, 'alive': 2}, 'compute_nodes': None,
                      'brokers': None, 'tablet_num': 5, 'data_used_capacity': 2, 'avail_capacity': 300,
                      'total_capacity': 400, 'used_pct': 25.0}
    assert overview.totals_of({})['tablet_num'] is None


@pytest.mark.parametrize('key, value, enabled', [
    (None, None, True), ('tablet_sched_disable_balance', 'true', False),
    ('tablet_sched_max_balancing_tablets', '0', False), ('tablet_sched_max_scheduling_tablets', '0', False),
    ('tablet_sched_disable_colocate_balance', 'true', True)])
def test_whether_balancing_is_on(key, value, enabled):
    rows = [{'key': row[0], 'type': row[3], 'value': value if row[0] == key else row[2]} for row in SETTINGS]
    assert overview.balance_of(rows, [])['enabled'] is enabled
    assert overview.balance_of(rows[1:], [])['enabled'] is None


def test_info_when_nobody_answers(cluster, run):
    result = run(starrocks_cluster_info, login_hosts=['fe8', 'fe9'], require_answer=False)
    assert not result.get('failed')
    assert (result['answered'], result['answered_by'], result['leader']) == (False, None, None)
    assert len(result['not_answering']) == 2
    result = run(starrocks_cluster_info, login_hosts=['fe8', 'fe9'])
    assert result['failed'] and len(result['not_answering']) == 2


def test_a_refusal_is_no_silence(cluster, run):
    cluster.frontend.passwords['root'] = 'x'
    result = run(starrocks_cluster_info, require_answer=False, login_password='wrong')
    assert result['failed'] and 'Access denied' in result['msg'] and 'wrong' not in json.dumps(result['msg'])


def test_info_without_a_leader(cluster, run):
    """A follower whose cluster lost its majority answers SHOW PROC from its own view."""
    listing = cluster.frontend.answers['SHOW FRONTENDS'][0], [frontend_row('fe1'), frontend_row('fe2', alive='false')]
    gone = said('com.sleepycat.je.rep.UnknownMasterException: (JE 18.3.16) Could not determine master')
    cluster.frontend.faults.extend([('SHOW FRONTENDS', gone, False)] * 100)
    cluster.frontend.faults.append(("SHOW PROC '/brokers'", gone, False))
    cluster.frontend.answers["SHOW PROC '/frontends'"] = listing
    cluster.frontend.answers["SHOW PROC '/backends'"] = (BACKEND_COLUMNS, [backend_row('10.0.0.1')])
    result = run(starrocks_cluster_info, subset=['backends', 'brokers'])
    assert (result['answered'], result['leader'], result['version']) == (True, None, '3.5.0-0be11fd')
    assert len(result['frontends']) == 2 and len(result['backends']) == 1
    assert result['brokers'] is None and result['not_read'][0]['subset'] == 'brokers'


def test_one_that_was_dropped_is_not_believed(cluster, run):
    cluster.frontend.faults.extend([('SHOW FRONTENDS', said('Internal error processing forward'), False)] * 100)
    result = run(starrocks_cluster_info, require_answer=False)
    assert not result['answered'] and 'processing forward' in result['not_answering'][0]['error']
    assert not [statement for statement in cluster.frontend.log if 'PROC' in statement]


def test_a_leader_that_cannot_be_asked_itself(cluster, run):
    rows = [frontend_row('fe1'), frontend_row('fe9', 'LEADER')]
    cluster.frontend.answers['SHOW FRONTENDS'] = (FRONTEND_COLUMNS, rows)
    result = run(starrocks_cluster_info, subset=['backends'])
    assert result['answered_by'] == 'fe1:9030' and result['leader']['host'] == 'fe9' and result['backends'] == []
    assert 'the leader fe9 could not be asked itself' in result['warned']
    assert [entry['host'] for entry in result['not_answering']] == ['fe9:9030']


def test_without_a_leader_and_without_an_own_view(cluster, run):
    gone = said('com.sleepycat.je.rep.UnknownMasterException: (JE 18.3.16) Could not determine master')
    for words, answered in ((gone, False), (DENIED, True)):
        del cluster.frontend.faults[:]
        cluster.frontend.faults.extend([('SHOW FRONTENDS', gone, False)] * 100)
        cluster.frontend.faults.append(("SHOW PROC '/frontends'", words, False))
        result = run(starrocks_cluster_info, require_answer=False, subset=['statistic'])
        assert (result['answered'], result['frontends'], result['leader']) == (answered, None, None)
        told = result['not_read'][0]['reason'] if answered else result['not_answering'][0]['error']
        assert words.args[1] in told and (result['statistic'] is not None) is answered
