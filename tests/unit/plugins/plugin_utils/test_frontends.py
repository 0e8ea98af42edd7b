# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that keeps one cluster one: every state a run can find the front ends in."""

import pytest
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _frontends as frontends

NOBODY = {'answered': False}


def host(name, **changes):
    number = name[-1]
    result = {
        'name': name,
        'address': '10.0.0.' + number,
        'names': ['10.0.0.' + number, name],
        'login': '10.0.0.%s:9030' % number,
        'edit_log_port': 9010,
        'role': 'follower',
        'metadata': False,
        'first_start': False,
        'active': False,
        'in_run': True,
    }
    result.update(changes)
    return result


def row(number, role='FOLLOWER', **changes):
    result = {
        'host': '10.0.0.%d' % number,
        'edit_log_port': 9010,
        'role': role,
        'join': True,
        'alive': True,
        'start_time': '2026-11-23T03:00:0%dZ' % number,
    }
    result.update(changes)
    return result


def answer(*rows):
    leader = next((one for one in rows if one['role'] == 'LEADER'), None)
    return {'answered': True, 'leader': leader, 'frontends': list(rows)}


MEMBER = {'metadata': True, 'active': True}


def test_bare_hosts_found_one_cluster_on_the_first_follower_whatever_the_order():
    plan = frontends.frontend_plan(NOBODY, [host('fe1', role='observer'), host('fe2'), host('fe3')])
    assert plan['found_on'] == 'fe2'
    assert plan['refusals'] == [] and plan['start'] == [] and plan['join'] == []


@pytest.mark.parametrize('unseen', ['fe1', 'fe2', 'fe3'])
def test_no_cluster_is_founded_while_one_front_end_was_not_seen(unseen):
    hosts = [
        host(name, **({'in_run': False, 'metadata': None} if name == unseen else {})) for name in ('fe1', 'fe2', 'fe3')
    ]
    plan = frontends.frontend_plan(NOBODY, hosts)
    assert plan['found_on'] is None
    assert unseen in plan['refusals'][0] and '--limit' in plan['refusals'][0]


def test_metadata_anywhere_is_started_and_never_a_second_cluster_founded():
    plan = frontends.frontend_plan(NOBODY, [host('fe1'), host('fe2', metadata=True), host('fe3')])
    assert plan == {'refusals': [], 'found_on': None, 'start': ['fe2'], 'join': [], 'leader': None}


def test_all_members_start_at_once_when_the_whole_cluster_is_down():
    hosts = [host('fe%d' % number, metadata=True) for number in (1, 2, 3)] + [
        host('fe4', role='observer', metadata=True)
    ]
    assert frontends.frontend_plan(NOBODY, hosts)['start'] == ['fe1', 'fe2', 'fe3', 'fe4']


def test_a_minority_is_not_started_alone():
    hosts = [
        host('fe1', metadata=True),
        host('fe2', metadata=None, in_run=False),
        host('fe3', metadata=None, in_run=False),
    ]
    plan = frontends.frontend_plan(NOBODY, hosts)
    assert plan['start'] == [] and 'fe2, fe3 are not part of this run' in plan['refusals'][0]


def test_a_majority_within_the_limit_is_started():
    hosts = [host('fe1', metadata=True), host('fe2', metadata=True), host('fe3', metadata=None, in_run=False)]
    assert frontends.frontend_plan(NOBODY, hosts)['start'] == ['fe1', 'fe2']


def test_new_front_ends_join_followers_first_and_then_observers():
    hosts = [host('fe1', **MEMBER), host('fe4', role='observer'), host('fe2'), host('fe3')]
    plan = frontends.frontend_plan(answer(row(1, 'LEADER')), hosts)
    assert [(step['name'], step['role'], step['add']) for step in plan['join']] == [
        ('fe2', 'follower', True),
        ('fe3', 'follower', True),
        ('fe4', 'observer', True),
    ]
    assert plan['leader'] == '10.0.0.1:9010'


def test_a_member_that_runs_needs_nothing():
    plan = frontends.frontend_plan(answer(row(1, 'LEADER'), row(2)), [host('fe1', **MEMBER), host('fe2', **MEMBER)])
    assert plan['join'] == [] and plan['start'] == [] and plan['refusals'] == []


@pytest.mark.parametrize(
    'state, add, set_aside',
    [
        # killed after ADD, before the first start
        ({'row': row(2, join=False, alive=False, start_time=None)}, False, False),
        # killed while the first start ran
        ({'row': row(2, join=False, alive=False), 'metadata': True, 'first_start': True, 'active': True}, False, False),
        # joined, killed before first_start.env was taken away
        ({'row': row(2), 'metadata': True, 'first_start': True, 'active': True}, False, False),
        # a failed join was dropped, its metadata is still there
        ({'row': None, 'metadata': True, 'first_start': True}, True, True),
        # a member whose disk was replaced
        ({'row': row(2)}, False, False),
    ],
)
def test_an_unfinished_join_goes_on_where_it_stopped(state, add, set_aside):
    rows = [row(1, 'LEADER')] + [one for one in [state.pop('row')] if one]
    (step,) = frontends.frontend_plan(answer(*rows), [host('fe1', **MEMBER), host('fe2', **state)])['join']
    assert (step['name'], step['add'], step['set_aside']) == ('fe2', add, set_aside)


def test_metadata_of_another_cluster_is_refused():
    plan = frontends.frontend_plan(answer(row(1, 'LEADER')), [host('fe1', **MEMBER), host('fe2', **MEMBER)])
    assert 'does not know it' in plan['refusals'][0] and plan['join'] == []


def test_a_role_is_not_changed_in_place():
    plan = frontends.frontend_plan(
        answer(row(1, 'LEADER'), row(2, 'OBSERVER')), [host('fe1', **MEMBER), host('fe2', **MEMBER)]
    )
    assert 'registered as observer' in plan['refusals'][0] and 'drop it' in plan['refusals'][0]


def test_another_edit_log_port_is_refused():
    plan = frontends.frontend_plan(
        answer(row(1, 'LEADER'), row(2, edit_log_port=9011)), [host('fe1', **MEMBER), host('fe2', **MEMBER)]
    )
    assert 'edit_log_port 9011' in plan['refusals'][0]


def test_hosts_outside_the_run_are_left_alone():
    plan = frontends.frontend_plan(
        answer(row(1, 'LEADER')), [host('fe1', **MEMBER), host('fe2', in_run=False, metadata=None)]
    )
    assert plan['join'] == [] and plan['refusals'] == []


def test_a_stopped_member_starts_while_others_serve():
    plan = frontends.frontend_plan(
        answer(row(1, 'LEADER'), row(2, alive=False)), [host('fe1', **MEMBER), host('fe2', metadata=True)]
    )
    assert plan['start'] == ['fe2'] and plan['join'] == []


def test_without_a_leader_the_stopped_members_start():
    found = answer(row(1), row(2, alive=False), row(3, alive=False))
    hosts = [host('fe1', **MEMBER), host('fe2', metadata=True), host('fe3', metadata=True)]
    assert frontends.frontend_plan(found, hosts)['start'] == ['fe2', 'fe3']


def test_without_a_leader_and_nothing_to_start_it_says_so():
    found = answer(row(1), row(2, alive=False))
    assert (
        'no leader'
        in frontends.frontend_plan(found, [host('fe1', **MEMBER), host('fe2', in_run=False, metadata=None)])[
            'refusals'
        ][0]
    )


def test_an_ipv6_leader_is_bracketed_for_helper():
    leader = row(1, 'LEADER', host='fd00::1')
    plan = frontends.frontend_plan(answer(leader), [host('fe1', names=['fd00::1'], **MEMBER)])
    assert plan['leader'] == '[fd00::1]:9010'


@pytest.mark.parametrize('members, needed', [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_majority(members, needed):
    assert frontends.majority(members) == needed


@pytest.mark.parametrize(
    'stopped, refused',
    [(['fe1'], False), (['fe1', 'fe2'], True), (['fe1', 'fe2', 'fe3'], False), (['fe4'], False), ([], False)],
)
def test_stopping_keeps_a_majority_or_takes_all(stopped, refused):
    found = answer(row(1, 'LEADER'), row(2), row(3), row(4, 'OBSERVER'))
    hosts = [host('fe%d' % number, in_run='fe%d' % number in stopped) for number in (1, 2, 3, 4)]
    assert bool(frontends.stop_refusal(found, hosts)) is refused


def test_a_dead_follower_counts_against_the_majority():
    found = answer(row(1, 'LEADER'), row(2), row(3, alive=False))
    hosts = [host('fe1', in_run=False), host('fe2'), host('fe3', in_run=False)]
    assert 'leave 1 of 3 followers alive' in frontends.stop_refusal(found, hosts)


def test_unsettled_nodes_are_the_missing_the_dead_and_the_started():
    rows = [
        {'host': 'a', 'heartbeat_port': 9050, 'alive': True, 'last_start_time': 'then'},
        {'host': 'b', 'heartbeat_port': 9050, 'alive': False, 'last_start_time': None},
        {'host': 'c', 'heartbeat_port': 9050, 'alive': True, 'last_start_time': 'then'},
    ]
    nodes = [{'host': name, 'heartbeat_service_port': 9050, 'started': name == 'c'} for name in 'abcd']
    assert frontends.unsettled(nodes, rows, 'starrocks_be_heartbeat_service_port') == [
        {'host': 'b', 'heartbeat_service_port': 9050},
        {'host': 'c', 'heartbeat_service_port': 9050, 'previous_start_time': 'then'},
        {'host': 'd', 'heartbeat_service_port': 9050},
    ]
    registered = frontends.unsettled(nodes, rows, 'starrocks_be_heartbeat_service_port', True)
    assert [node['host'] for node in registered] == ['b', 'c']


def test_frontend_host_of_an_unseen_host_knows_nothing_of_its_metadata():
    seen = frontends.frontend_host(
        'fe1', {'ansible_host': '10.0.0.1'}, False, {'edit_log_port': 9010, 'query_port': 9030, 'role': 'follower'}
    )
    assert seen['metadata'] is None and seen['login'] == '10.0.0.1:9030' and seen['address'] == '10.0.0.1'


def test_frontend_host_takes_its_own_variables_before_the_defaults():
    variables = {
        'starrocks_host': {
            'address': '10.0.0.1',
            'fqdn': 'fe1.example',
            'addresses': ['10.0.0.1', '10.9.0.1'],
            'metadata': {'fe': True},
            'first_start': False,
            'processes': {'fe': 17},
        },
        'starrocks_fe_role': 'observer',
        'starrocks_fe_query_port': 19030,
    }
    seen = frontends.frontend_host(
        'fe1', variables, True, {'edit_log_port': 9010, 'query_port': 9030, 'role': 'follower'}
    )
    assert seen['names'] == ['10.0.0.1', 'fe1.example', 'fe1', '10.9.0.1']
    assert (seen['metadata'], seen['active'], seen['role'], seen['login']) == (True, True, 'observer', '10.0.0.1:19030')


def test_after_the_founding_the_founder_ends_its_first_start_and_the_others_join():
    hosts = [host('fe1'), host('fe2')]
    first = frontends.frontend_plan(NOBODY, hosts)
    second = frontends.frontend_plan(answer(row(1, 'LEADER')), hosts, first)
    assert [(step['name'], step['add'], step['previous_start_time']) for step in second['join']] == [
        ('fe1', False, ''),
        ('fe2', True, ''),
    ]


def test_after_a_start_nothing_is_started_again():
    hosts = [host('fe1', metadata=True), host('fe2', metadata=True)]
    second = frontends.frontend_plan(answer(row(1, 'LEADER'), row(2)), hosts, frontends.frontend_plan(NOBODY, hosts))
    assert second['start'] == [] and second['join'] == []


def test_the_start_time_of_a_dead_process_is_kept_as_evidence():
    hosts = [host('fe1', **MEMBER), host('fe2', metadata=True, first_start=True)]
    (step,) = frontends.frontend_plan(answer(row(1, 'LEADER'), row(2)), hosts)['join']
    assert step['previous_start_time'] == '2026-11-23T03:00:02Z'


def test_a_failed_join_is_told_with_the_leaders_words_and_the_end_of_the_log():
    step = {'name': 'fe2', 'address': '10.0.0.2', 'add': True}
    text = frontends.join_error(
        step,
        '10.0.0.1:9010',
        'it did not open port 9030',
        answer(row(2, err_msg='invalid parameter')),
        {'logs': {'/fe.log': ['line 1', 'line 2'], '/fe.out': []}},
    )
    assert text == (
        'fe2 (10.0.0.2) did not join the cluster at 10.0.0.1:9010, and its registration was taken back.\n'
        'it did not open port 9030\n'
        'The leader says of it: invalid parameter\n'
        '/fe.log ends so:\n  line 1\n  line 2'
    )


def test_observers_alone_found_no_cluster():
    plan = frontends.frontend_plan(NOBODY, [host('fe1', role='observer'), host('fe2', role='observer')])
    assert plan['found_on'] is None and 'No front end of the inventory is a follower' in plan['refusals'][0]


def test_one_member_is_not_started_while_followers_were_not_seen():
    hosts = [host('fe1', metadata=True)] + [host(name, metadata=None, in_run=False) for name in ('fe2', 'fe3')]
    plan = frontends.frontend_plan(NOBODY, hosts)
    assert plan['start'] == [] and 'fe2, fe3 are not part of this run' in plan['refusals'][0]


def test_members_outside_the_run_that_do_not_run_count_against_the_majority():
    hosts = [host('fe1', metadata=True)] + [host(name, metadata=True, in_run=False) for name in ('fe2', 'fe3')]
    plan = frontends.frontend_plan(NOBODY, hosts)
    assert plan['start'] == []
    assert 'Metadata is on fe1, fe2, fe3, and this run may start only fe1' in plan['refusals'][0]
    hosts[1]['active'] = True
    assert frontends.frontend_plan(NOBODY, hosts)['start'] == ['fe1']


@pytest.mark.parametrize(
    'kind, variable, key',
    [
        ('be', 'starrocks_be_heartbeat_service_port', 'heartbeat_service_port'),
        ('cn', 'starrocks_cn_heartbeat_service_port', 'heartbeat_service_port'),
        ('broker', 'starrocks_broker_ipc_port', 'broker_ipc_port'),
    ],
)
def test_nodes_are_registered_by_their_address_and_their_own_port(kind, variable, key):
    hostvars = {
        'n1': {'starrocks_host': {'address': '10.0.0.1', 'processes': {kind: 17}}, variable: '19050'},
        'n2': {'starrocks_host': {'address': '10.0.0.2', 'processes': {kind: None}}},
        'n3': {},
    }
    assert frontends.registered_nodes(['n1', 'n2', 'n3'], hostvars, kind, variable, 9050) == [
        {'host': '10.0.0.1', key: 19050, 'started': False},
        {'host': '10.0.0.2', key: 9050, 'started': True},
        {'host': 'n3', key: 9050, 'started': True},
    ]


def test_the_start_time_of_a_front_end_is_that_of_its_row():
    found = answer(row(1, 'LEADER'), row(2, start_time=None))
    assert frontends.start_time_of(found, '10.0.0.1') == '2026-11-23T03:00:01Z'
    assert frontends.start_time_of(found, '10.0.0.2') == frontends.start_time_of(found, '10.0.0.3') == ''
    assert frontends.start_time_of(NOBODY, '10.0.0.1') == ''


def test_the_leader_has_a_name_only_if_the_inventory_has_it():
    found = answer(row(1), row(2, 'LEADER'))
    assert frontends.leader_name(found, [host('fe1'), host('fe2')]) == 'fe2'
    assert frontends.leader_name(found, [host('fe1')]) == ''
    assert frontends.leader_name(NOBODY, [host('fe1')]) == ''


def test_a_join_of_a_front_end_that_was_registered_before_leaves_it_registered():
    step = {'name': 'fe2', 'address': '10.0.0.2', 'add': False}
    text = frontends.join_error(step, '10.0.0.1:9010', 'see /fe.log', NOBODY, {'logs': {'/fe.log': ['line 1']}})
    assert text == (
        'fe2 (10.0.0.2) did not join the cluster at 10.0.0.1:9010, and stays registered as it was found.\nsee /fe.log'
    )
