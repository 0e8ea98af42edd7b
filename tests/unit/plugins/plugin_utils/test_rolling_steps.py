# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of a batch need to know."""

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _rolling_steps as steps

HOSTVARS = {
    'h1': {'starrocks_host': {'address': '10.0.0.1', 'nodes': [
        {'kind': 'fe', 'ports': {'edit_log_port': '9010', 'query_port': 9030}},
        {'kind': 'be', 'ports': {'heartbeat_service_port': 9050}},
        {'kind': 'broker', 'ports': {'broker_ipc_port': 8000}}]}},
    'h2': {'starrocks_host': {'address': 'fd00::2', 'nodes': [
        {'kind': 'fe', 'ports': {'edit_log_port': 9010}}, {'kind': 'cn', 'ports': {'heartbeat_service_port': 9051}}]}},
}
FRONTENDS = [
    {'host': '10.0.0.1', 'edit_log_port': 9010, 'role': 'LEADER', 'alive': True, 'version': '3.4.4-abc',
     'start_time': '2026-11-30T10:00:00Z'},
    {'host': 'fd00::2', 'edit_log_port': 9010, 'role': 'FOLLOWER', 'alive': True, 'version': '3.4.4-abc',
     'start_time': '2026-11-30T11:00:00Z'},
    {'host': '10.0.0.3', 'edit_log_port': 9010, 'role': 'FOLLOWER', 'alive': True, 'version': '3.4.4-abc'},
]
CLUSTER = {
    'frontends': FRONTENDS,
    'backends': [{'host': '10.0.0.1', 'heartbeat_port': 9050, 'alive': True,
                  'last_start_time': '2026-11-30T09:00:00Z'}],
    'compute_nodes': [{'host': 'fd00::2', 'heartbeat_port': 9051, 'alive': False,
                       'last_start_time': '2026-11-30T09:00:00Z'}],
    'brokers': [{'host': '10.0.0.1', 'port': 8000, 'alive': True}],
}


def batch(kind, *hosts):
    return {'kind': kind, 'hosts': list(hosts)}


def test_a_back_end_is_waited_for_by_version_by_its_new_process_and_by_its_data():
    assert steps.batch_steps(batch('be', 'h1'), HOSTVARS, CLUSTER, '3.5.0') == {
        'component': 'be', 'nodes': [{'host': '10.0.0.1', 'heartbeat_service_port': 9050}], 'blacklist': True,
        'conditions': [
            {'kind': 'backends', 'nodes': ['10.0.0.1:9050'], 'condition': 'version', 'version': '3.5.0'},
            {'kind': 'backends', 'nodes': ['10.0.0.1:9050'], 'condition': 'alive', 'after': '2026-11-30T09:00:00Z'},
            {'kind': 'backends', 'nodes': ['10.0.0.1:9050'], 'condition': 'heard'},
            {'condition': 'replicas'}]}


def test_of_a_node_that_was_dead_before_any_process_is_a_new_one():
    conditions = steps.batch_conditions(batch('cn', 'h2'), HOSTVARS, CLUSTER, '3.5.0', True)
    assert conditions[1] == {'kind': 'compute_nodes', 'nodes': ['[fd00::2]:9051'], 'condition': 'alive'}
    assert {'condition': 'replicas'} not in conditions


def test_a_broker_shows_no_version():
    assert steps.batch_conditions(batch('broker', 'h1'), HOSTVARS, CLUSTER, '3.5.0', True) == [
        {'kind': 'brokers', 'nodes': ['10.0.0.1:8000'], 'condition': 'heard'}]


def test_nodes_that_the_cluster_does_not_show_and_unhealthy_data_are_waited_for_without_them():
    conditions = steps.batch_conditions(batch('fe', 'h2'), HOSTVARS, {}, '3.5.0', False)
    assert [one['condition'] for one in conditions] == ['version', 'alive', 'heard'] and 'after' not in conditions[1]


@pytest.mark.parametrize('kind, version, known', [
    ('be', '3.2.9', False), ('be', '3.3.0', True), ('cn', '3.5.0', False), ('cn', '4.0.0', True),
    ('fe', '4.0.0', False), ('be', None, False), ('be', 'MAIN-RELEASE-1', False)])
def test_who_can_be_kept_out_of_queries(kind, version, known):
    found = {'frontends': [dict(FRONTENDS[0], version=version), dict(FRONTENDS[1], alive=False, version='2.5.0')]}
    assert steps.queries_can_be_kept_off(batch(kind, 'h1'), found) == known


@pytest.mark.parametrize('kind, installed, followers, signal', [
    ('fe', '3.4.4', 3, 'SIGUSR1'), ('fe', '3.3.9', 3, ''), ('fe', '3.4.4', 2, ''), ('be', '3.5.0', 3, ''),
    ('fe', None, 3, '')])
def test_a_front_end_hands_over_where_it_can(kind, installed, followers, signal):
    found = {'frontends': FRONTENDS[:followers] + [dict(FRONTENDS[0], role='OBSERVER')]}
    assert steps.graceful_signal(batch(kind, 'h1'), found, installed) == signal


def test_what_is_changed_and_kept_of_a_host():
    assert steps.components_to_change([batch('be', 'h1'), batch('cn', 'h1'), batch('fe', 'h2')], 'h1') == ['be']
    nodes = [{'kind': 'fe', 'component': 'fe', 'home': '/opt/fe', 'meta_dir': '/data/meta'},
             {'kind': 'cn', 'component': 'be', 'home': '/opt/be'}]
    assert [steps.release_node(node) for node in nodes] == [
        {'kind': 'fe', 'component': 'fe'}, {'kind': 'cn', 'component': 'be'}]
    assert steps.backup_sources(nodes) == [
        {'path': '/opt/fe/conf', 'kind': 'configuration', 'as': 'fe/conf'},
        {'path': '/data/meta', 'kind': 'metadata', 'as': 'fe/meta'},
        {'path': '/opt/be/conf', 'kind': 'configuration', 'as': 'cn/conf'}]


@pytest.mark.parametrize('release, version', [
    (None, None),
    ({'installed': '3.4.4', 'backups': [], 'pending': None}, '3.4.4'),
    ({'installed': '3.5.0', 'backups': ['3.5.0', '3.4.4'], 'pending': None}, '3.4.4'),
    ({'installed': '3.5.0', 'backups': [], 'pending': None}, None),
    ({'installed': None, 'backups': ['3.3.0'], 'pending': {'from': '3.4.4', 'to': '3.5.0'}}, '3.4.4'),
], ids=['nothing known', 'not changed yet', 'changed by an earlier run', 'nothing kept', 'cut off'])
def test_what_a_node_is_put_back_on(release, version):
    assert steps.previous_release(release, '3.5.0') == version


def left(*versions, installed='3.5.0', pending=None):
    return {'_starrocks_releases': {'releases': [
        {'kind': 'fe', 'installed': installed, 'backups': list(versions), 'pending': pending}]}}


def test_a_rollback_goes_to_what_the_changed_nodes_had_before():
    hostvars = {'h1': left('3.4.4', '3.3.9'), 'h2': left(), 'h4': {},
                'h3': left(installed=None, pending={'from': '3.4.4', 'to': '3.5.0'}),
                # It was not changed, and keeps what it once had.
                'h5': left('3.5.9', installed='3.4.4')}
    assert steps.rollback_version(['h1', 'h2', 'h3', 'h4', 'h5', 'h1'], hostvars, '3.5.0') == '3.4.4'
    assert steps.rollback_version(['h5'], hostvars, '3.5.0') == '3.5.9'


def test_a_rollback_to_nothing_or_to_several_is_an_error_that_says_what_to_do():
    with pytest.raises(AnsibleFilterError, match='No host has kept a release.*downgrade'):
        steps.rollback_version(['h1'], {'h1': left()}, '3.5.0')
    with pytest.raises(AnsibleFilterError, match='3.3.9 on h2; 3.4.4 on h1. Set starrocks_rollback_version'):
        steps.rollback_version(['h1', 'h2'], {'h1': left('3.4.4'), 'h2': left('3.3.9')}, '3.5.0')


def test_of_several_hosts_the_operation_that_was_begun_first_counts():
    late, early = ({'operation': {'since': '2026-11-30T1%d:00:00Z' % hour, 'saved': {'a': hour}}} for hour in (2, 1))
    assert steps.first_operation([late, None, {'skipped': True}, {'operation': None}, early])['saved'] == {'a': 1}
    assert steps.first_operation([{'operation': None}]) == {}
