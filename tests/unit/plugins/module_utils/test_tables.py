# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _tables as tables

# Columns by version, starrocks.md sections 1.2 to 1.5.
F24 = ('Name IP EditLogPort HttpPort QueryPort RpcPort Role ClusterId Join Alive ReplayedJournalId LastHeartbeat '
       'IsHelper ErrMsg StartTime Version').split()
B25 = ('BackendId IP HeartbeatPort BePort HttpPort BrpcPort LastStartTime LastHeartbeat Alive SystemDecommissioned '
       'ClusterDecommissioned TabletNum DataUsedCapacity AvailCapacity TotalCapacity UsedPct MaxDiskUsedPct ErrMsg '
       'Version Status DataTotalCapacity DataUsedPct CpuCores NumRunningQueries MemUsedPct CpuUsedPct').split()
C25 = ('ComputeNodeId IP HeartbeatPort BePort HttpPort BrpcPort LastStartTime LastHeartbeat Alive '
       'SystemDecommissioned ClusterDecommissioned ErrMsg Version').split()


def after(columns, column, *added):
    position = columns.index(column) + 1
    return columns[:position] + list(added) + columns[position:]


B328 = after(B25, 'CpuUsedPct', 'Location')
B330 = after(B25, 'CpuUsedPct', 'DataCacheMetrics', 'Location')
B334 = after(B330, 'CpuCores', 'MemLimit')
B34 = after(B334, 'Location', 'StatusCode')
C30 = C25 + 'CpuCores NumRunningQueries MemUsedPct CpuUsedPct'.split()
C34 = C25 + ('CpuCores MemLimit NumRunningQueries MemUsedPct CpuUsedPct DataCacheMetrics HasStoragePath '
             'StatusCode').split()
SHARED = ['StarletPort', 'WorkerId', 'WarehouseName']

FRONTEND_CELLS = {
    'Id': '1', 'Name': '10.0.0.1_9010_1', 'IP': '10.0.0.1', 'EditLogPort': '9010', 'HttpPort': '8030',
    'QueryPort': '9030', 'RpcPort': '9020', 'Role': 'LEADER', 'ClusterId': '1554306154', 'Join': 'true',
    'Alive': 'true', 'ReplayedJournalId': '7', 'LastHeartbeat': '2026-11-23 03:15:49', 'IsHelper': 'true',
    'ErrMsg': '', 'StartTime': '2026-11-23 03:15:46', 'Version': '3.5.0-0be11fd'}
BACKEND_CELLS = {
    'BackendId': '10002', 'IP': '10.0.0.2', 'HeartbeatPort': '9050', 'BePort': '9060', 'HttpPort': '8040',
    'BrpcPort': '8060', 'LastStartTime': '2026-11-23 03:05:32', 'LastHeartbeat': '2026-11-23 03:10:24',
    'Alive': 'true', 'SystemDecommissioned': 'false', 'ClusterDecommissioned': 'false', 'TabletNum': '83',
    'DataUsedCapacity': '1.000 B', 'AvailCapacity': '199.000 GB', 'TotalCapacity': '200.000 GB', 'UsedPct': '0.50 %',
    'MaxDiskUsedPct': '0.50 %', 'ErrMsg': '', 'Version': '3.5.0-0be11fd',
    'Status': '{"lastSuccessReportTabletsTime":"2026-11-23 03:10:22"}', 'DataTotalCapacity': '199.000 GB',
    'DataUsedPct': '0.00 %', 'CpuCores': '4', 'MemLimit': '8.000GB', 'NumRunningQueries': '0',
    'MemUsedPct': '0.00 %', 'CpuUsedPct': '0.0 %', 'DataCacheMetrics': 'N/A', 'Location': '', 'StatusCode': 'OK',
    'StarletPort': '9070', 'WorkerId': '1', 'WarehouseName': 'default_warehouse'}
COMPUTE_NODE_CELLS = dict(BACKEND_CELLS, ComputeNodeId='10005', HasStoragePath='false')


def read(table, columns, cells):
    return tables.read_rows(table, columns, [[cells[column] for column in columns]])[0]


@pytest.mark.parametrize('columns', [F24, ['Id'] + F24, list(reversed(F24))], ids=['2.4', '3.5', 'reversed'])
def test_frontends_of_every_version(columns):
    row = read(tables.FRONTENDS, columns, FRONTEND_CELLS)
    assert row['host'] == '10.0.0.1'
    assert (row['edit_log_port'], row['query_port'], row['cluster_id']) == (9010, 9030, 1554306154)
    assert row['join'] is True and row['alive'] is True
    assert row['err_msg'] == ''
    assert (row['start_time'], row['last_heartbeat']) == ('2026-11-23T03:15:46Z', '2026-11-23T03:15:49Z')
    assert ('id' in row) == ('Id' in columns)


@pytest.mark.parametrize('columns', [B25, B328, B330, B334, B34, B34 + SHARED, B25 + SHARED[:2]],
                         ids=['2.5', '3.2.8', '3.3.0', '3.3.4', '3.4', '3.5 shared', '3.0 shared'])
def test_backends_of_every_version(columns):
    row = read(tables.BACKENDS, columns, BACKEND_CELLS)
    assert len(row) == len(columns)
    assert (row['backend_id'], row['heartbeat_port'], row['tablet_num']) == (10002, 9050, 83)
    assert row['total_capacity'] == 200 * 1024 ** 3
    assert row['status'] == {'last_success_report_tablets_time': '2026-11-23T03:10:22Z'}
    assert row['used_pct'] == 0.5 and row['cpu_used_pct'] == 0.0
    assert row['system_decommissioned'] is False
    assert row.get('location') is None
    assert row.get('data_cache_metrics') is None
    if 'MemLimit' in columns:
        assert row['mem_limit'] == 8 * 1024 ** 3
    if 'WarehouseName' in columns:
        assert (row['starlet_port'], row['worker_id'], row['warehouse_name']) == (9070, 1, 'default_warehouse')


@pytest.mark.parametrize('columns', [C25, C30, C34, C34 + SHARED + ['TabletNum']], ids=['2.5', '3.0', '3.4', 'shared'])
def test_compute_nodes_of_every_version(columns):
    row = read(tables.COMPUTE_NODES, columns, COMPUTE_NODE_CELLS)
    assert (row['compute_node_id'], row['host'], row['alive']) == (10005, '10.0.0.2', True)
    assert row.get('has_storage_path') in (None, False)
    assert row.get('tablet_num') == (83 if 'TabletNum' in columns else None)


def test_brokers():
    columns = ['Name', 'IP', 'Port', 'Alive', 'LastStartTime', 'LastUpdateTime', 'ErrMsg']
    cells = ['b 4', '127.0.0.6', '8000', 'false', None, None, 'java.net.ConnectException: Connection refused']
    assert tables.read_rows(tables.BROKERS, columns, [cells]) == [{
        'name': 'b 4', 'host': '127.0.0.6', 'port': 8000, 'alive': False, 'last_start_time': None,
        'last_update_time': None, 'err_msg': 'java.net.ConnectException: Connection refused'}]


def test_a_front_end_that_never_started():
    """A literal NULL, an SQL NULL and an empty text in one row (transcript cluster/20)."""
    cells = dict(FRONTEND_CELLS, QueryPort='0', RpcPort='0', Role='FOLLOWER', Join='false', Alive='false',
                 ReplayedJournalId='0', LastHeartbeat=None, StartTime='NULL', Version='NULL')
    row = read(tables.FRONTENDS, F24, cells)
    assert row['query_port'] is None
    assert row['join'] is False and row['alive'] is False
    assert row['start_time'] is None and row['version'] is None and row['last_heartbeat'] is None
    assert row['err_msg'] == ''


@pytest.mark.parametrize('unknown', [None, '', 'NULL', '\\N', 'N/A', b'N/A'])
def test_unknown(unknown):
    assert tables.read_cell('version', unknown) is None
    assert tables.read_cell('tablet_num', unknown) is None


@pytest.mark.parametrize('cell', [None, ''])
def test_an_error_message_is_always_text(cell):
    assert tables.read_cell('err_msg', cell) == ''


@pytest.mark.parametrize('text, expected', [
    ('2026-11-23 03:05:32', '2026-11-23T03:05:32Z'), ('2026-11-23T03:05:32Z', '2026-11-23T03:05:32Z'),
    ('2026-11-23 03:05:32.123', '2026-11-23T03:05:32Z'),
])
def test_times(text, expected):
    assert tables.parse_time(text) == expected
    assert tables.iso_of(tables.seconds_of(expected)) == expected


@pytest.mark.parametrize('text', ['yesterday', '2026-11-23', '2026-13-23 03:05:32'])
def test_no_time(text):
    with pytest.raises(ValueError):
        tables.parse_time(text)


@pytest.mark.parametrize('text, expected', [
    ('{"lastSuccessReportTabletsTime":"N/A"}', {'last_success_report_tablets_time': None}),
    ('{}', {}), ('"N/A"', None), ('N/A', None),
])
def test_status(text, expected):
    assert tables.read_cell('status', text) == expected


@pytest.mark.parametrize('text', ['[]', '{', '{"lastSuccessReportTabletsTime":"soon"}'])
def test_no_status(text):
    with pytest.raises(ValueError):
        tables.read_cell('status', text)


@pytest.mark.parametrize('text, expected', [
    ('Status: Normal, DiskUsage: 0B/44.4GB, MemUsage: 512MB/2.5GB',
     {'status': 'Normal', 'disk_usage': {'used': 0, 'total': 47674136986},
      'mem_usage': {'used': 536870912, 'total': 2684354560}}),
    ('Status: Disabled', {'status': 'Disabled'}), ('N/A', None), ('Warming', {'status': 'Warming'}),
])
def test_data_cache(text, expected):
    assert tables.read_cell('data_cache_metrics', text) == expected


NOON = tables.seconds_of('2026-11-23T12:00:00Z')


@pytest.mark.parametrize('times, offset', [
    ([], None), ([None], None),
    (['2026-11-23T11:59:57Z'], 0),
    (['2026-11-23T12:00:09Z'], 0),                          # a clock of ours that is a little behind
    (['2026-11-23T19:59:57Z', '2026-11-20T01:00:00Z'], 8 * 3600),
    (['2026-11-23T17:44:50Z'], 5 * 3600 + 45 * 60),         # Kathmandu
    (['2026-11-23T04:00:00Z'], -8 * 3600),
    (['2026-11-23T11:55:00Z'], None),                       # too long ago to tell a zone
    (['2026-11-22T11:59:57Z'], None),                       # no zone is a day away
])
def test_the_zone_that_times_are_shown_in(times, offset):
    assert tables.zone_offset(times, NOON, tables.HEARTBEAT_AGE) == offset


def test_times_are_moved_to_utc():
    """As a 4.1 cut shows them, in Asia/Shanghai: transcript 4.1.0/04."""
    living = dict(BACKEND_CELLS, LastStartTime='2026-11-23 11:39:12', LastHeartbeat='2026-11-23 11:39:40',
                  Status='{"lastSuccessReportTabletsTime":"2026-11-23 11:39:37"}')
    dead = dict(living, Alive='false', LastHeartbeat='2026-11-23 10:00:00', Status='N/A', LastStartTime=None)
    rows = tables.read_rows(tables.BACKENDS, B34, [[cells[column] for column in B34] for cells in (living, dead)])
    now = tables.seconds_of('2026-11-23T03:39:44Z')
    assert tables.offset_of(tables.BACKENDS, rows, now) == 8 * 3600
    moved = tables.in_utc(tables.BACKENDS, rows, 8 * 3600)
    assert [row['last_heartbeat'] for row in moved] == ['2026-11-23T03:39:40Z', '2026-11-23T02:00:00Z']
    assert [row['last_start_time'] for row in moved] == ['2026-11-23T03:39:12Z', None]
    assert moved[0]['status'] == {'last_success_report_tablets_time': '2026-11-23T03:39:37Z'}
    # The session's zone was heard, the server's not: Status has its own.
    utc = tables.in_utc(tables.BACKENDS, [dict(rows[0], last_heartbeat=moved[0]['last_heartbeat'])], 0)
    assert (utc[0]['last_heartbeat'], utc[0]['status']) == ('2026-11-23T03:39:40Z', moved[0]['status'])


def test_dicts():
    assert tables.read_dicts(['BE_ID', 'Value', 'IP'], [(10001, b'', None)]) == [
        {'be_id': '10001', 'value': '', 'host': None}]


@pytest.mark.parametrize('text, expected', [
    ('341.965 GB', 367182122844), ('1.968 TB', 2163838883463), ('0.000 B', 0), ('0.000 ', 0), ('57.600GB', 61847529062),
    ('0.000B', 0), ('1.000 KB', 1024), ('2.000 PB', 2 * 1024 ** 5),
])
def test_sizes(text, expected):
    assert tables.parse_size(text) == expected


@pytest.mark.parametrize('text, expected', [('83.04 %', 83.04), ('0.00 %', 0.0), ('0.0 %', 0.0), ('100%', 100.0)])
def test_percents(text, expected):
    assert tables.parse_percent(text) == expected


@pytest.mark.parametrize('column, expected', [
    ('BackendId', 'backend_id'), ('IP', 'host'), ('BE_ID', 'be_id'), ('feIp', 'fe_ip'), ('UsedPct', 'used_pct'),
    ('CPUTime', 'cpu_time'), ('MaxDiskUsedPct', 'max_disk_used_pct'), ('DbId', 'db_id'), ('Name', 'name'),
])
def test_snake_case(column, expected):
    assert tables.snake_case(column) == expected


@pytest.mark.parametrize('column, text', [
    ('Alive', 'maybe'), ('HeartbeatPort', 'abc'), ('TotalCapacity', 'much'), ('UsedPct', '3'), ('TabletNum', '1.5'),
])
def test_a_cell_that_is_not_what_its_column_holds(column, text):
    with pytest.raises(tables.TableError, match='SHOW BACKENDS: column %s holds' % column):
        read(tables.BACKENDS, B25, dict(BACKEND_CELLS, **{column: text}))


def test_another_server():
    with pytest.raises(tables.TableError, match='without host .*not a StarRocks front end'):
        tables.read_rows(tables.FRONTENDS, ['Name', 'EditLogPort', 'QueryPort', 'Role', 'Join', 'Alive'], [])


STATISTIC_COLUMNS = ('DbId DbName TableNum PartitionNum IndexNum TabletNum ReplicaNum UnhealthyTabletNum '
                     'InconsistentTabletNum CloningTabletNum ErrorStateTabletNum').split()


def test_statistic():
    rows = [['10001', '_statistics_', '4', '4', '4', '40', '40', '1', '0', '0', '0'],
            ['Total', '3', '4', '4', '4', '40', '40', '1', '0', '0', '0']]
    totals, databases = tables.read_statistic(STATISTIC_COLUMNS, rows)
    assert [(row['db_id'], row['db_name'], row['unhealthy_tablet_num']) for row in databases] == [
        (10001, '_statistics_', 1)]
    assert totals == {'db_num': 3, 'table_num': 4, 'partition_num': 4, 'index_num': 4, 'tablet_num': 40,
                      'replica_num': 40, 'unhealthy_tablet_num': 1, 'inconsistent_tablet_num': 0,
                      'cloning_tablet_num': 0, 'error_state_tablet_num': 0}


@pytest.mark.parametrize('columns, rows, words', [
    (STATISTIC_COLUMNS, [], 'without a row Total'), (['a'], [['1']], 'without db_id')])
def test_statistic_of_another_server(columns, rows, words):
    with pytest.raises(tables.TableError, match=words):
        tables.read_statistic(columns, rows)


@pytest.mark.parametrize('rows, expected', [
    ([], None),
    ([{'role': 'FOLLOWER'}, {'role': 'OBSERVER'}], None),
    ([{'role': 'FOLLOWER'}, {'role': 'LEADER', 'host': 'x'}], {'role': 'LEADER', 'host': 'x'}),
    ([{'role': 'FOLLOWER', 'is_master': True}], {'role': 'FOLLOWER', 'is_master': True}),
])
def test_leader_of(rows, expected):
    assert tables.leader_of(rows) == expected
