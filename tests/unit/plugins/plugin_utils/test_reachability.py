# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _reachability as reachability

PORTS = {
    'fe': {'http_port': 8030, 'rpc_port': 9020, 'query_port': 9030, 'edit_log_port': 9010,
           'cloud_native_meta_port': 6090},
    'be': {'be_port': 9060, 'be_http_port': 8040, 'heartbeat_service_port': 9050, 'brpc_port': 8060,
           'starlet_port': 9070},
    'cn': {'be_port': 9160, 'be_http_port': 8140, 'heartbeat_service_port': 9150, 'brpc_port': 8160,
           'starlet_port': 9170},
    'broker': {'broker_ipc_port': 8000},
}


def seen(number, *kinds, running=(), **changes):
    """The fact starrocks_host of a host."""
    return dict({
        'address': '10.0.0.%d' % number, 'ip_address': '10.0.0.%d' % number, 'addresses': ['10.0.0.%d' % number],
        'nodes': [{'kind': kind, 'ports': PORTS[kind]} for kind in kinds],
        'processes': {kind: 42 if kind in running else None for kind in kinds}, 'ports_in_use': [],
    }, **changes)


def play(**hosts):
    """hostvars of a run in which each host was looked at."""
    return {name: {'starrocks_host': fact, '_starrocks_look': {'changed': False}} for name, fact in hosts.items()}


def reached(hostvars, host):
    """(host, port) of each port that a host is to reach."""
    peers = reachability.connectivity_peers(list(hostvars), hostvars)
    return {(row['host'], row['name']) for row in reachability.connectivity_targets(peers, host)}


CLUSTER = play(f1=seen(1, 'fe'), f2=seen(2, 'fe'), b1=seen(3, 'be', 'broker'), b2=seen(4, 'be'), c1=seen(5, 'cn'),
               k1=seen(6, 'broker'))


@pytest.mark.parametrize('host, targets', [
    ('f1', {'f2': 'edit_log_port http_port rpc_port query_port',
            'b1': 'heartbeat_service_port be_port brpc_port be_http_port broker_ipc_port',
            'b2': 'heartbeat_service_port be_port brpc_port be_http_port',
            'c1': 'heartbeat_service_port be_port brpc_port be_http_port', 'k1': 'broker_ipc_port'}),
    ('b2', {'f1': 'http_port rpc_port', 'f2': 'http_port rpc_port', 'b1': 'brpc_port be_http_port broker_ipc_port',
            'c1': 'brpc_port be_http_port', 'k1': 'broker_ipc_port'}),
    ('c1', {'f1': 'http_port rpc_port', 'f2': 'http_port rpc_port', 'b1': 'brpc_port be_http_port broker_ipc_port',
            'b2': 'brpc_port be_http_port', 'k1': 'broker_ipc_port'}),
    ('k1', {}),
])
def test_who_must_reach_whom(host, targets):
    assert reached(CLUSTER, host) == {(name, port) for name, ports in targets.items() for port in ports.split()}


def test_a_host_with_several_nodes_needs_what_each_of_them_needs():
    hostvars = play(h1=seen(1, 'fe', 'be'), h2=seen(2, 'fe', 'be'))
    assert reached(hostvars, 'h1') == {('h2', port) for port in (
        'edit_log_port', 'http_port', 'rpc_port', 'query_port', 'heartbeat_service_port', 'be_port', 'brpc_port',
        'be_http_port')}


def test_every_reach_is_of_a_port_that_its_kind_has_and_has_a_reason():
    for reach in reachability.REACHES:
        assert reach.port in PORTS[reach.kind] and reach.why and set(reach.sources) <= set(PORTS)
    assert len(set(reachability.REACHES)) == len(reachability.REACHES)


def test_a_target_says_address_and_whether_somebody_listens():
    hostvars = play(h1=seen(1, 'fe'), h2=seen(2, 'fe', address='h2.example', ports_in_use=[{'port': 8030}]))
    hostvars['h2']['_starrocks_listening'] = {'listening': [{'port': 9010}]}
    peers = reachability.connectivity_peers(['h1', 'h2'], hostvars)
    rows = {row['name']: row for row in reachability.connectivity_targets(peers, 'h1')}
    assert rows['edit_log_port'] == {'host': 'h2', 'address': '10.0.0.2', 'kind': 'fe', 'name': 'edit_log_port',
                                     'port': 9010, 'listening': True}
    assert [rows[name]['listening'] for name in ('http_port', 'rpc_port')] == [True, False]
    assert reachability.connectivity_names(peers, 'h1') == [
        {'host': 'h2', 'name': 'h2.example', 'addresses': ['10.0.0.2']}]


def test_hosts_that_were_not_seen_or_have_no_address_are_left_out():
    hostvars = play(h1=seen(1, 'fe'), h2=seen(2, 'fe'), h3=seen(3, 'fe'), h4=seen(4, 'fe', address=None,
                                                                               ip_address=None))
    hostvars['h2']['_starrocks_look'] = {'unreachable': True}
    hostvars['h3']['_starrocks_look'] = {'failed': True}
    hostvars['h5'] = {}
    peers = reachability.connectivity_peers(list(hostvars), hostvars)
    assert [peer['host'] for peer in peers] == ['h1', 'h4']
    assert reachability.connectivity_targets(peers, 'h1') == reachability.connectivity_names(peers, 'h1') == []
    assert reachability.connectivity_targets(peers, 'h4') != []


def test_ports_are_opened_for_nodes_that_do_not_run():
    rows = reachability.connectivity_ports(seen(1, 'fe', 'be', running=['be']))
    assert [(row['kind'], row['name'], row['port'], row['address']) for row in rows] == [
        ('fe', 'edit_log_port', 9010, ''), ('fe', 'http_port', 8030, ''), ('fe', 'query_port', 9030, ''),
        ('fe', 'rpc_port', 9020, '')]
    assert reachability.connectivity_ports({}) == []


@pytest.mark.parametrize('hostvars, wanted', [
    (play(h1=seen(1, 'fe', running=['fe']), h2=seen(2, 'fe')), True),
    (play(h1=seen(1, 'fe', running=['fe']), h2=seen(2, 'fe', running=['fe'])), False),
    (play(h1=seen(1, 'fe')), False),
    ({**play(h1=seen(1, 'fe', running=['fe'])), 'h2': {}}, False),
])
def test_hosts_are_asked_for_each_other_when_a_node_does_not_run(hostvars, wanted):
    assert reachability.connectivity_wanted(list(hostvars), hostvars) is wanted
