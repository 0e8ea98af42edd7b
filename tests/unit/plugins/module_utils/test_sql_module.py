# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SQL modules from their arguments to their result, over a scripted driver."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _sql_module
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import ASK_VERSION
from ansible_collections.starrocks.cluster.plugins.modules import (
    starrocks_backend,
    starrocks_broker,
    starrocks_frontend,
)
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    BACKEND_COLUMNS,
    BROKER_COLUMNS,
    FRONTEND_COLUMNS,
    Driver,
    Frontend,
    backend_row,
    frontend_row,
    lost,
    said,
)

ADD = 'ALTER SYSTEM ADD BACKEND "10.0.0.1:9050"'


class Cluster:
    """One front end whose back ends are a list of rows, which ADD and DROP change."""

    def __init__(self):
        self.backends = []
        self.frontend = Frontend({
            'SHOW BACKENDS': lambda: (BACKEND_COLUMNS, self.backends),
            'SHOW FRONTENDS': (FRONTEND_COLUMNS, [frontend_row('fe1', 'LEADER'), frontend_row('fe2'),
                                                  frontend_row('fe3', 'OBSERVER', alive='false', join='false')]),
            'SHOW BROKER': (BROKER_COLUMNS, [['b', '10.0.0.1', '8000', 'true', '']]),
            "SHOW PROC '/statistic'": (('DbId', 'DbName', 'UnhealthyTabletNum'), [['Total', '3', '0']]),
            'SHOW COMPUTE NODES': (('ComputeNodeId', 'IP', 'HeartbeatPort', 'Alive'), []),
            ADD: self.add,
            'ALTER SYSTEM DROP BACKEND "10.0.0.1:9050"': self.drop_one,
        })
        self.driver = Driver({('fe1', 9030): self.frontend})

    def add(self):
        self.backends.append(backend_row('10.0.0.1'))
        return (), []

    def drop_one(self):
        """DROP takes the first of the rows that a duplicate ADD has made."""
        self.backends.pop(0)
        return (), []

    @property
    def changes(self):
        return [statement for statement in self.frontend.log if not statement.startswith('SHOW')]


@pytest.fixture
def cluster(use):
    made = Cluster()
    use(made.driver)
    return made


NODES = [{'host': '10.0.0.1'}]


def test_a_backend_is_added_once(cluster, run):
    result = run(starrocks_backend, check=True, nodes=NODES)
    assert (result['changed'], result['queries'], cluster.changes) == (True, [ADD], [])
    assert result['diff'] == {'before': {'10.0.0.1:9050': 'absent'}, 'after': {'10.0.0.1:9050': 'present'}}

    result = run(starrocks_backend, nodes=NODES)
    assert (result['changed'], result['queries'], cluster.changes) == (True, [ADD], [ADD])
    assert result['nodes'][0]['last_start_time'] == '2026-11-23T03:05:32Z'

    del cluster.frontend.log[:]
    result = run(starrocks_backend, nodes=NODES)
    assert (result['changed'], result['queries']) == (False, [])
    assert cluster.frontend.log == ['SHOW BACKENDS']  # an unchanged call reads once


def test_without_waiting_two_statements_do(cluster, run):
    result = run(starrocks_backend, nodes=NODES, wait=False)
    assert cluster.frontend.log == ['SHOW BACKENDS', ADD]
    assert result['nodes'] == [{'host': '10.0.0.1', 'heartbeat_port': 9050, 'alive': False, 'err_msg': ''}]


@pytest.mark.parametrize('done, sent', [(True, 1), (False, 2)])
@pytest.mark.parametrize('error', [lost(), said('Socket is closed by peer.')])
def test_a_statement_in_doubt_is_looked_up_before_it_is_repeated(cluster, run, error, done, sent):
    cluster.frontend.faults.append(('ALTER', error, done))
    result = run(starrocks_backend, nodes=NODES)
    assert len(cluster.backends) == 1 and cluster.changes == [ADD] * sent
    assert (result['changed'], result['queries']) == (True, [ADD])


def test_another_run_was_faster(cluster, run):
    error = said('Backend already exists with same host 10.0.0.1 and port 9050')
    cluster.frontend.faults.append(('ALTER', error, True))
    result = run(starrocks_backend, nodes=NODES)
    assert (result['changed'], result['queries']) == (False, [])


def test_a_name_that_the_cluster_knows_otherwise(cluster, run):
    error = said('Backend already exists with same host 10.0.0.9 and port 9050')
    cluster.frontend.faults.extend([('ALTER', error, False)] * 2)
    result = run(starrocks_backend, nodes=NODES)
    assert result['failed'] and 'another spelling' in result['msg'] and len(cluster.changes) == 2


def test_duplicate_rows_are_all_dropped(cluster, run):
    cluster.backends.extend([backend_row('10.0.0.1')] * 2)
    result = run(starrocks_backend, nodes=NODES, state='absent')
    assert cluster.backends == [] and len(result['queries']) == 2 and result['nodes'] == []


def test_a_backend_with_data_is_refused(cluster, run):
    cluster.backends.append(backend_row('10.0.0.1', tablets='3'))
    result = run(starrocks_backend, nodes=NODES, state='absent')
    assert result['failed'] and 'holds 3 tablets' in result['msg'] and cluster.changes == []


def test_the_guard_of_single_replicas_is_passed_on(cluster, run):
    cluster.backends.append(backend_row('10.0.0.1'))
    guard = 'Tables such as [d.t] on the backend[10.0.0.1:9050] have only one replica. To avoid data loss'
    cluster.frontend.faults.append(('ALTER SYSTEM DROP', said(guard), False))
    result = run(starrocks_backend, nodes=NODES, state='absent')
    assert result['failed'] and guard in result['msg'] and 'force: true throws it away' in result['msg']
    assert not result['changed'] and len(cluster.backends) == 1


LOCATE = 'ALTER SYSTEM MODIFY BACKEND "%s:9050" SET ("labels.location" = "rack:r1")'


def test_a_location_is_set_by_the_address_that_is_stored(cluster, run):
    """A cluster in IP mode stores the address of a name, which is seen when the node has been added."""
    def add():
        cluster.backends.append(backend_row('127.0.0.1') + [None])
        return (), []

    def locate():
        cluster.backends[0][-1] = 'rack:r1'
        return (), []

    cluster.frontend.answers.update({
        'SHOW BACKENDS': lambda: (BACKEND_COLUMNS + ('Location',), cluster.backends),
        'ALTER SYSTEM ADD BACKEND "localhost:9050"': add, LOCATE % '127.0.0.1': locate})
    wish = dict(nodes=[{'host': 'localhost'}], location='rack:r1', wait=False)
    result = run(starrocks_backend, check=True, **wish)
    assert result['queries'] == ['ALTER SYSTEM ADD BACKEND "localhost:9050"', LOCATE % 'localhost']
    result = run(starrocks_backend, **wish)
    assert result['queries'] == ['ALTER SYSTEM ADD BACKEND "localhost:9050"', LOCATE % '127.0.0.1']
    del cluster.frontend.log[:]
    assert not run(starrocks_backend, **wish)['changed'] and cluster.frontend.log == ['SHOW BACKENDS']


def test_what_a_version_does_not_have_is_refused(cluster, run):
    cluster.frontend.set_up[ASK_VERSION] = (('@@version_comment',), [['3.2.7']])
    result = run(starrocks_backend, nodes=NODES, location='rack:r1', wait=False)
    assert 'location labels of back ends came with StarRocks 3.2.8, and this is 3.2.7' in result['msg']
    assert cluster.changes == [] and not result['changed']


def test_time_out_names_node_and_words(cluster, run):
    row = backend_row('10.0.0.1', alive='false')
    row[BACKEND_COLUMNS.index('ErrMsg')] = 'Unmatched cluster id'
    cluster.backends.append(row)
    result = run(starrocks_backend, nodes=NODES, wait_timeout=20)
    assert result['failed']
    assert result['msg'] == ('not all back ends were alive within 20 s: 10.0.0.1:9050 is not alive '
                             '(ErrMsg: Unmatched cluster id)')
    assert result['nodes'][0]['err_msg'] == 'Unmatched cluster id' and not result['changed']


def test_the_ghost_of_the_process_before_is_not_believed(cluster, run):
    cluster.backends.append(backend_row('10.0.0.1'))
    nodes = [{'host': '10.0.0.1', 'previous_start_time': '2026-11-23T03:05:32Z'}]
    assert run(starrocks_backend, nodes=nodes, wait_timeout=5)['failed']
    cluster.backends[0][BACKEND_COLUMNS.index('LastStartTime')] = '2026-11-23 03:06:00'
    assert not run(starrocks_backend, nodes=nodes, wait_timeout=5).get('failed')


def test_decommissioning_waits_until_the_rows_are_gone(cluster, run):
    statement = 'ALTER SYSTEM DECOMMISSION BACKEND "10.0.0.1:9050"'
    cluster.backends.append(backend_row('10.0.0.1', tablets='9'))

    def leave():
        cluster.backends[0] = backend_row('10.0.0.1', tablets='9', leaving='true')
        return (), []

    cluster.frontend.answers[statement] = leave
    result = run(starrocks_backend, nodes=NODES, state='decommissioned', wait_timeout=5)
    assert result['failed'] and 'still holds 9 tablets' in result['msg'] and result['queries'] == [statement]
    cluster.backends.clear()
    result = run(starrocks_backend, nodes=NODES, state='decommissioned')
    assert (result['changed'], result['nodes']) == (False, [])


@pytest.mark.parametrize('nodes, words', [
    ([], 'nodes is empty'), ([{'host': 'a;b'}], 'neither an address nor a host name'),
    ([{'host': '10.0.0.1.'}], "nodes[0].host: '10.0.0.1.' is neither an address"),
    ([{'host': 'h', 'heartbeat_service_port': 0}], 'nodes[0].heartbeat_service_port: port 0 is not between'),
    (NODES * 2, '10.0.0.1:9050 is named twice'),
    ([{'host': '127.0.0.1'}, {'host': 'localhost'}], 'localhost:9050 is named twice, by spelling or by name'),
    ([{'host': 'h', 'location': 'r1'}], "nodes[0].location: 'r1' is no location such as rack:r1"),
    ([{'host': 'h', 'location': 'Rack:r1'}], 'is no location'),
    ([{'host': 'h', 'warehouse': ' '}], 'a warehouse needs a name'),
    ([{'host': '10.0.0.1', 'renamed_from': '10.0.0.2'}], 'does not change one IPv4 address to another'),
    ([{'host': 'g', 'renamed_from': 'x y'}], 'nodes[0].renamed_from: '),
    ([{'host': 'g', 'renamed_from': 'f'}, {'host': 'h', 'renamed_from': 'f'}], 'f:9050 is named twice in renamed_from'),
    ([{'host': 'h', 'disks': [{'path': 'a', 'state': 'online'}]}], "'a' is no path of a disk"),
    ([{'host': 'h', 'previous_start_time': 'now'}], "'now' is no time such as 2026-11-23T03:05:32Z"),
    ([{'host': 'h', 'disks': [{'path': '/a', 'state': 'online'}] * 2}], '/a is named twice'),
])
def test_bad_nodes_are_told_before_connecting(cluster, run, nodes, words):
    assert words in run(starrocks_backend, nodes=nodes)['msg']
    assert cluster.driver.connects == []


def test_all_that_is_bad_is_told_at_once(cluster, run):
    message = run(starrocks_broker, name=' ', nodes=[{'host': 'a b'}, {'host': 'c', 'broker_ipc_port': 70000}],
                  login_hosts=['d e'])['msg']
    for words in ("'d e'", 'name: a broker needs a name', "nodes[0].host: 'a b'", 'nodes[1].broker_ipc_port: port'):
        assert words in message
    assert cluster.driver.connects == []


def test_what_is_bad_for_all_nodes_is_told_once(cluster, run):
    message = run(starrocks_backend, nodes=[{'host': 'a'}, {'host': 'b', 'heartbeat_service_port': 9051}],
                  heartbeat_service_port=0, location='r1')['msg']
    assert message.count('port 0 is not between') == 1 and 'heartbeat_service_port: port 0' in message
    assert message.count("location: 'r1' is no location") == 1 and 'nodes[' not in message
    assert cluster.driver.connects == []


@pytest.mark.parametrize('module, options', [
    (starrocks_backend, dict(nodes=NODES)), (starrocks_broker, dict(name='b', nodes=NODES)),
    (starrocks_frontend, dict(host='fe1'))])
def test_nobody_waits_for_less_than_no_time(cluster, run, module, options):
    assert 'wait_timeout: -1 is not at least 0' in run(module, wait_timeout=-1, **options)['msg']
    assert cluster.driver.connects == []


def test_bad_hosts(cluster, run):
    assert 'login_hosts' in run(starrocks_backend, nodes=NODES, login_hosts=['a b'])['msg']


def test_no_driver(cluster, run, monkeypatch):
    monkeypatch.setattr(_sql_module, 'PYMYSQL_IMPORT_ERROR', 'Traceback')
    assert 'PyMySQL' in run(starrocks_backend, nodes=NODES)['msg']


def test_another_server(cluster, run):
    cluster.frontend.answers['SHOW BACKENDS'] = (('a', 'b'), [])
    assert 'not a StarRocks front end' in run(starrocks_backend, nodes=NODES)['msg']


def test_a_frontend(cluster, run):
    result = run(starrocks_frontend, host='fe4', check=True, role='observer')
    assert result['queries'] == ['ALTER SYSTEM ADD OBSERVER "fe4:9010"'] and cluster.changes == []
    result = run(starrocks_frontend, host='fe2')
    assert (result['changed'], result['frontend']['role']) == (False, 'FOLLOWER')
    assert 'leads the cluster' in run(starrocks_frontend, host='fe1', state='absent')['msg']
    assert 'has not joined' in run(starrocks_frontend, host='fe3', role='observer', wait_timeout=3)['msg']
    assert run(starrocks_frontend, host='fe9', state='absent')['frontend'] is None
    assert 'neither an address' in run(starrocks_frontend, host='fe 9')['msg']


def test_an_alive_frontend_that_is_dropped_is_warned_of(cluster, run):
    drop = 'ALTER SYSTEM DROP FOLLOWER "fe2:9010"'

    def dropped():
        cluster.frontend.answers['SHOW FRONTENDS'] = (FRONTEND_COLUMNS, [frontend_row('fe1', 'LEADER')])
        return (), []

    cluster.frontend.answers[drop] = dropped
    result = run(starrocks_frontend, host='fe2', state='absent')
    assert result['queries'] == [drop] and 'move its meta_dir aside' in result['warned']
    assert result['frontend'] is None


def test_brokers(cluster, run):
    result = run(starrocks_broker, name='b', nodes=[{'host': '10.0.0.1'}])
    assert not result['changed'] and result['nodes'][0]['port'] == 8000
    result = run(starrocks_broker, name='b', state='absent', check=True)
    assert result['queries'] == ['ALTER SYSTEM DROP ALL BROKER "b"']
    assert 'a broker needs a name' in run(starrocks_broker, name=' ', state='absent')['msg']
    assert 'nodes' in run(starrocks_broker, name='b')['msg']
    assert 'nodes is empty' in run(starrocks_broker, name='b', nodes=[], state='absent')['msg']
