# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.starrocks.cluster.plugins.plugin_utils import _report as report

LEADER = {
    'host': '10.0.0.1',
    'edit_log_port': 9010,
    'role': 'LEADER',
    'version': '3.5.0-0be11fd',
    'join': True,
    'alive': True,
    'start_time': '2026-11-23T03:31:03Z',
    'err_msg': '',
}
DEAD = {
    'host': '10.0.0.2',
    'heartbeat_port': 9050,
    'version': '3.5.0',
    'alive': False,
    'last_start_time': None,
    'err_msg': 'java.net.ConnectException: Connection refused\n\tat somewhere',
    'system_decommissioned': True,
}
CLUSTER = {
    'answered': True,
    'leader': LEADER,
    'frontends': [LEADER],
    'backends': [DEAD],
    'compute_nodes': [],
    'brokers': None,
    'not_answering': [],
}


def node(name, kind, *addresses, process=None):
    return {'name': name, 'kind': kind, 'addresses': list(addresses), 'process': process}


def test_the_table_is_aligned_and_ends_with_totals():
    lines = report.status_lines(CLUSTER, [node('fe1', 'fe', '10.0.0.1'), node('be1', 'be', '10.0.0.2')], 'c1')
    assert lines == [
        'StarRocks cluster c1',
        '',
        'KIND       HOST  ADDRESS        ROLE             VERSION        ALIVE  SINCE                 LAST ERROR',
        'front end  fe1   10.0.0.1:9010  leader           3.5.0-0be11fd  yes    2026-11-23T03:31:03Z',
        'back end   be1   10.0.0.2:9050  decommissioning  3.5.0          no                           '
        'java.net.ConnectException: Connection refused',
        '',
        'Alive: 1 of 1 front end, 0 of 1 back end. Leader: 10.0.0.1.',
    ]


def test_what_the_inventory_asks_for_and_the_cluster_lacks_is_a_row():
    lines = report.status_lines(CLUSTER, [node('be2', 'be', '10.0.0.3', process=True)], 'c1')
    assert any('be2' in line and 'not registered, its process runs' in line for line in lines)


def test_what_the_cluster_has_and_the_inventory_lacks_is_shown_without_a_host():
    assert any(line.startswith('front end  -') for line in report.status_lines(CLUSTER, [], 'c1'))


def test_nobody_answers():
    found = {'answered': False, 'not_answering': [{'host': '10.0.0.1:9030', 'error': 'Connection refused'}]}
    lines = report.status_lines(found, [node('fe1', 'fe', '10.0.0.1', process=False)], 'c1')
    assert 'Front end 10.0.0.1:9030 did not answer: Connection refused' in lines
    assert 'No front end answers.' in lines and any('no process' in line and 'registered' not in line for line in lines)


def test_a_follower_that_has_not_joined_is_not_called_alive():
    joining = dict(LEADER, role='FOLLOWER', join=False)
    rows = report.table({'frontends': [joining]}, [])
    assert rows[0][5] == 'not joined'


def test_pending_restarts_are_named():
    assert 'Waits for a restart to see its new files: starrocks-fe on fe1' in report.status_lines(
        CLUSTER, [], 'c1', {'fe1': ['starrocks-fe']}
    )


def test_each_kind_of_node_has_its_port_and_its_role_in_words():
    cluster = {
        'answered': True,
        'compute_nodes': [{'host': '10.0.0.5', 'heartbeat_port': 9050, 'alive': True}],
        'brokers': [{'host': '10.0.0.6', 'port': 8000, 'name': 'hdfs', 'alive': True}],
    }
    rows = report.table(cluster, [node('cn1', 'cn', '10.0.0.5'), node('broker1', 'broker', '10.0.0.6')])
    assert [row[:4] for row in rows] == [
        ('compute node', 'cn1', '10.0.0.5:9050', ''),
        ('broker', 'broker1', '10.0.0.6:8000', 'hdfs'),
    ]


def test_without_a_node_there_is_no_table():
    assert report.status_lines({'answered': True}, [], 'c1') == [
        'StarRocks cluster c1',
        '',
        'No node is known.',
        '',
        'Alive: nothing. Leader: none.',
    ]


def test_the_nodes_of_the_inventory_are_known_by_all_their_addresses():
    hostvars = {
        'seen': {
            'ansible_host': '192.0.2.1',
            'starrocks_host': {
                'address': '10.0.0.1',
                'fqdn': 'seen.example',
                'addresses': ['10.0.0.1', '10.9.0.1'],
                'processes': {'fe': 17, 'be': None},
            },
        },
        'unseen': {'starrocks_address': '10.0.0.2'},
    }
    assert report.inventory_nodes({'fe': ['seen'], 'be': ['seen', 'unseen']}, hostvars) == [
        {
            'name': 'seen',
            'kind': kind,
            'addresses': ['10.0.0.1', 'seen.example', '192.0.2.1', 'seen', '10.0.0.1', '10.9.0.1'],
            'process': process,
        }
        for kind, process in (('fe', True), ('be', False))
    ] + [{'name': 'unseen', 'kind': 'be', 'addresses': ['10.0.0.2', 'unseen'], 'process': None}]
