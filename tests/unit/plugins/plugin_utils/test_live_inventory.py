# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _live_inventory as live

ADDRESSES = {'node1': ['10.0.0.1'], 'node2': ['10.0.0.2'], 'alias2': ['10.0.0.2'], 'looped': ['127.0.1.1']}


def resolve(host):
    return frozenset(ADDRESSES.get(host, [host]))


def never(host):
    raise AssertionError('%s was looked up' % host)


def frontend(host, role='FOLLOWER', version='3.5.0-0be11fd', alive=True, **columns):
    return {'host': host, 'edit_log_port': 9010, 'http_port': 8030, 'query_port': 9030, 'rpc_port': 9020, 'role': role,
            'alive': alive, 'version': version, **columns}


def backend(host, heartbeat_port=9050, **columns):
    return {'host': host, 'heartbeat_port': heartbeat_port, 'be_port': 9060, 'http_port': 8040, 'brpc_port': 8060,
            **columns}


def broker(host, name='b', port=8000):
    return {'name': name, 'host': host, 'port': port, 'alive': True}


def tables(frontends=(), backends=(), compute_nodes=(), brokers=()):
    return {'frontends': list(frontends), 'backends': list(backends), 'compute_nodes': list(compute_nodes),
            'brokers': list(brokers)}


def made(resolver=resolve, **rows):
    hosts, remarks = live.machines(tables(**rows), resolver)
    return {host.name: host.groups for host in hosts}, remarks


def test_one_machine_is_one_host_in_the_order_of_addresses():
    hosts, remarks = made(frontends=[frontend('10.0.0.10'), frontend('10.0.0.9')], backends=[backend('10.0.0.9')],
                          brokers=[broker('10.0.0.9'), broker('10.0.0.11')])
    assert list(hosts) == ['10.0.0.9', '10.0.0.10', '10.0.0.11'] and remarks == []
    assert hosts['10.0.0.9'] == ['starrocks_fe', 'starrocks_be', 'starrocks_broker']


@pytest.mark.parametrize('frontends, other, name', [
    (['10.0.0.1'], 'node1', '10.0.0.1'),  # IP mode, brokers are stored as they were given
    (['node1'], '10.0.0.1', 'node1'),
    (['fd00::1'], 'FD00:0::1', 'fd00::1'),
    (['node1'], 'NODE1', 'node1'),
])
def test_two_spellings_of_one_machine(frontends, other, name):
    hosts, dummy = made(frontends=map(frontend, frontends), brokers=[broker(other)])
    assert hosts == {name: ['starrocks_fe', 'starrocks_broker']}


def test_names_are_looked_up_only_beside_addresses():
    names = ['node1', 'node2', 'alias2']
    hosts, dummy = made(never, frontends=map(frontend, names), backends=map(backend, names))
    assert set(hosts) == set(names)
    addresses = ['10.0.0.%d' % number for number in range(1, 50)]
    assert len(made(never, backends=map(backend, addresses))[0]) == 49


def test_an_unknown_name_is_a_host_of_its_own():
    hosts, dummy = made(frontends=[frontend('10.0.0.1')], brokers=[broker('nobody'), broker('looped')])
    assert set(hosts) == {'10.0.0.1', 'nobody', 'looped'}


def test_several_of_a_kind_on_one_machine_are_all_shown():
    hosts, remarks = made(frontends=[frontend('10.0.0.1')],
                          backends=[backend('10.0.0.1', 9051), backend('10.0.0.1'), backend('10.0.0.1', 9052)])
    assert hosts == {'10.0.0.1': ['starrocks_fe', 'starrocks_be'], '10.0.0.1_9051': ['starrocks_be'],
                     '10.0.0.1_9052': ['starrocks_be']}
    assert remarks[0] == ('10.0.0.1 has several nodes in SHOW BACKENDS; that of port 9051 is in the inventory as '
                          '10.0.0.1_9051')


def test_one_node_that_is_registered_twice_is_one():
    hosts, remarks = made(backends=[backend('fd00::1'), backend('fd00::1')])
    assert hosts == {'fd00::1': ['starrocks_be']}
    assert remarks == ['[fd00::1]:9050 is registered more than once in SHOW BACKENDS; one of its rows is used']


def test_variables_of_a_host():
    hosts, dummy = live.machines(tables([frontend('10.0.0.1', 'OBSERVER')], [backend('10.0.0.1', starlet_port=9070)],
                                        brokers=[broker('10.0.0.1')]), never)
    variables = live.host_variables(hosts[0])
    assert variables.pop('starrocks_live') == hosts[0].rows
    assert variables == {
        'ansible_host': '10.0.0.1', 'starrocks_address': '10.0.0.1', 'starrocks_fe_role': 'observer',
        'starrocks_fe_edit_log_port': 9010, 'starrocks_fe_http_port': 8030, 'starrocks_fe_query_port': 9030,
        'starrocks_fe_rpc_port': 9020, 'starrocks_be_heartbeat_service_port': 9050, 'starrocks_be_be_port': 9060,
        'starrocks_be_be_http_port': 8040, 'starrocks_be_brpc_port': 8060, 'starrocks_be_starlet_port': 9070,
        'starrocks_broker_name': 'b', 'starrocks_broker_ipc_port': 8000,
    }


@pytest.mark.parametrize('unknown', [0, -1, None])
def test_unknown_ports_are_left_out(unknown):
    row = backend('node1', be_port=unknown, http_port=unknown, brpc_port=unknown)
    hosts, dummy = live.machines(tables(backends=[row]), never)
    variables = live.host_variables(hosts[0])
    assert set(variables) == {'ansible_host', 'starrocks_live', 'starrocks_be_heartbeat_service_port'}


@pytest.mark.parametrize('rows, run_mode, expected', [
    (dict(frontends=[frontend('10.0.0.1', 'FOLLOWER', '3.4.4'), frontend('10.0.0.2', 'LEADER')]), 'shared_data',
     {'starrocks_version': '3.5.0', 'starrocks_host_type': 'IP', 'starrocks_run_mode': 'shared_data'}),
    # Without a leader, one that is alive.
    (dict(frontends=[frontend('10.0.0.1', version='3.3.1', alive=False), frontend('10.0.0.2', version='3.4.0-rc1-x')]),
     None, {'starrocks_version': '3.4.0-rc01', 'starrocks_host_type': 'IP'}),
    (dict(frontends=[frontend('node1', 'LEADER', 'MAIN-RELEASE-d094052')]), None, {'starrocks_host_type': 'FQDN'}),
    (dict(frontends=[frontend('10.0.0.1', 'LEADER')], brokers=[broker('node1')]), None,
     {'starrocks_version': '3.5.0', 'starrocks_host_type': 'IP'}),
])
def test_variables_of_the_cluster(rows, run_mode, expected):
    assert live.cluster_variables(tables(**rows), run_mode) == expected


@pytest.mark.parametrize('asked, warned', [
    (['10.0.0.1'], True), (['node1', '::1'], False), (['127.0.0.1'], False), (['[::1]'], False),
])
def test_a_loopback_address_would_be_the_controller(asked, warned):
    hosts, dummy = live.machines(tables(frontends=[frontend('127.0.0.1'), frontend('10.0.0.2')]), never)
    assert [remark.split()[3] for remark in live.loopback_remarks(hosts, asked)] == ['127.0.0.1'] * warned
