# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import re

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _changes as changes
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import BACKEND, BROKER, COMPUTE_NODE, Node

NAMES = {'be1': {'10.0.0.1'}, 'be2': {'10.0.0.2'}, 'fe1': {'10.0.0.11'}}


def resolve(host):
    return frozenset(NAMES.get(host, ()))


def backend(host, port=9050, tablets=0, leaving=False, alive=True):
    return {'host': host, 'heartbeat_port': port, 'alive': alive, 'system_decommissioned': leaving,
            'tablet_num': tablets, 'err_msg': ''}


def broker(name, host, port=8000):
    return {'name': name, 'host': host, 'port': port, 'alive': True, 'err_msg': ''}


def frontend(host, role='FOLLOWER', alive=True, join=True, port=9010):
    return {'host': host, 'edit_log_port': port, 'query_port': 9030, 'role': role, 'alive': alive, 'join': join,
            'err_msg': ''}


ONE, TWO, THREE = Node('10.0.0.1', 9050), Node('10.0.0.2', 9050), Node('10.0.0.3', 9050)


@pytest.mark.parametrize('rows, nodes, state, force, expected', [
    # present
    ([], [ONE, TWO], 'present', False, ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050", "10.0.0.2:9050"']),
    ([backend('10.0.0.1')], [ONE, TWO], 'present', False, ['ALTER SYSTEM ADD BACKEND "10.0.0.2:9050"']),
    ([backend('10.0.0.1')], [ONE], 'present', False, []),
    ([backend('10.0.0.1', alive=False)], [ONE], 'present', False, []),
    ([backend('10.0.0.1')], [Node('be1', 9050)], 'present', False, []),
    ([backend('be1')], [ONE], 'present', False, []),
    ([backend('10.0.0.1')], [Node('be2', 9050)], 'present', False, ['ALTER SYSTEM ADD BACKEND "be2:9050"']),
    ([backend('10.0.0.1', port=9051)], [ONE], 'present', False, ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050"']),
    ([backend('10.0.0.1', leaving=True)], [ONE, TWO], 'present', False,
     ['ALTER SYSTEM ADD BACKEND "10.0.0.2:9050"', 'CANCEL DECOMMISSION BACKEND "10.0.0.1:9050"']),
    ([backend('10.0.0.1', leaving=True)], [Node('be1', 9050)], 'present', False,
     ['CANCEL DECOMMISSION BACKEND "10.0.0.1:9050"']),
    ([], [Node('fd00::1', 9050)], 'present', False, ['ALTER SYSTEM ADD BACKEND "[fd00::1]:9050"']),
    # absent: by the stored text
    ([], [ONE], 'absent', False, []),
    ([backend('10.0.0.1'), backend('10.0.0.2')], [Node('be1', 9050)], 'absent', False,
     ['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050"']),
    ([backend('10.0.0.1', tablets=5)], [ONE], 'absent', True, ['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050" FORCE']),
    ([backend('10.0.0.1'), backend('10.0.0.1')], [ONE], 'absent', False, ['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050"']),
    # decommissioned
    ([backend('10.0.0.1', tablets=5), backend('10.0.0.2', leaving=True)], [ONE, TWO, THREE], 'decommissioned', False,
     ['ALTER SYSTEM DECOMMISSION BACKEND "10.0.0.1:9050"']),
    ([], [ONE], 'decommissioned', False, []),
    ([backend('10.0.0.1', leaving=True)], [ONE], 'decommissioned', False, []),
])
def test_backends(rows, nodes, state, force, expected):
    change = changes.decide_nodes(BACKEND, rows, nodes, state, resolve, force)
    assert change.statements == expected
    assert change.refusals == []
    assert (change.before == change.after) == (not expected)


def test_a_backend_that_holds_data_is_not_dropped():
    rows = [backend('10.0.0.1', tablets=5), backend('10.0.0.2')]
    change = changes.decide_nodes(BACKEND, rows, [ONE, TWO], 'absent', resolve)
    assert len(change.refusals) == 1
    assert '10.0.0.1:9050 holds 5 tablets' in change.refusals[0] and 'state: decommissioned' in change.refusals[0]


@pytest.mark.parametrize('rows, nodes, state, expected', [
    ([], [ONE, TWO], 'present', ['ALTER SYSTEM ADD COMPUTE NODE "10.0.0.1:9050", "10.0.0.2:9050"']),
    # In shared-data mode a compute node shows tablets, which are none of its own.
    ([backend('10.0.0.1', tablets=7)], [ONE], 'absent', ['ALTER SYSTEM DROP COMPUTE NODE "10.0.0.1:9050"']),
    ([backend('10.0.0.1')], [TWO], 'absent', []),
])
def test_compute_nodes(rows, nodes, state, expected):
    change = changes.decide_nodes(COMPUTE_NODE, rows, nodes, state, resolve)
    assert (change.statements, change.refusals) == (expected, [])


B1, B2 = Node('10.0.0.1', 8000), Node('10.0.0.2', 8000)


@pytest.mark.parametrize('rows, nodes, state, expected', [
    ([], [B1, B2], 'present', ['ALTER SYSTEM ADD BROKER "b" "10.0.0.1:8000", "10.0.0.2:8000"']),
    ([broker('other', '10.0.0.1')], [B1], 'present', ['ALTER SYSTEM ADD BROKER "b" "10.0.0.1:8000"']),
    ([broker('b', '10.0.0.1')], [B1], 'present', []),
    ([broker('b', '10.0.0.1'), broker('b', '10.0.0.2')], [B1], 'absent',
     ['ALTER SYSTEM DROP BROKER "b" "10.0.0.1:8000"']),
    ([broker('b', '10.0.0.1'), broker('other', '10.0.0.2')], [B1], 'absent', ['ALTER SYSTEM DROP ALL BROKER "b"']),
    ([broker('b', '10.0.0.1'), broker('b', '10.0.0.2')], [], 'absent', ['ALTER SYSTEM DROP ALL BROKER "b"']),
    ([broker('other', '10.0.0.1')], [], 'absent', []),
])
def test_brokers(rows, nodes, state, expected):
    change = changes.decide_nodes(BROKER, rows, nodes, state, resolve, name='b')
    assert (change.statements, change.refusals) == (expected, [])


def test_diff_and_predicted_rows():
    change = changes.decide_nodes(
        BACKEND, [backend('10.0.0.1', leaving=True)], [Node('be1', 9050), TWO], 'present', resolve)
    assert change.before == {'10.0.0.1:9050': 'decommissioned', '10.0.0.2:9050': 'absent'}
    assert change.after == {'10.0.0.1:9050': 'present', '10.0.0.2:9050': 'present'}
    assert change.rows == [
        backend('10.0.0.1'), {'host': '10.0.0.2', 'heartbeat_port': 9050, 'alive': False, 'err_msg': ''}]


def test_rows_are_not_changed_by_deciding():
    rows = [backend('10.0.0.1', leaving=True)]
    changes.decide_nodes(BACKEND, rows, [ONE], 'present', resolve)
    assert rows == [backend('10.0.0.1', leaving=True)]


def test_duplicates():
    kept, dropped = changes.without_duplicates([ONE, Node('be1', 9050), TWO, ONE, Node('10.0.0.1', 9051)], resolve)
    assert kept == [ONE, TWO, Node('10.0.0.1', 9051)]
    assert dropped == [Node('be1', 9050), ONE]


LEADER, SECOND, THIRD = (frontend('10.0.0.11', 'LEADER'), frontend('10.0.0.12'), frontend('10.0.0.13'))
DEAD_THIRD = frontend('10.0.0.13', alive=False)
OBSERVER = frontend('10.0.0.14', 'OBSERVER')


@pytest.mark.parametrize('rows, host, role, state, expected', [
    ([LEADER], '10.0.0.12', 'follower', 'present', ['ALTER SYSTEM ADD FOLLOWER "10.0.0.12:9010"']),
    ([LEADER], '10.0.0.12', 'observer', 'present', ['ALTER SYSTEM ADD OBSERVER "10.0.0.12:9010"']),
    ([LEADER], 'fe1', 'follower', 'present', []),
    ([LEADER, OBSERVER], '10.0.0.14', 'observer', 'present', []),
    ([LEADER, OBSERVER], '10.0.0.14', 'observer', 'absent', ['ALTER SYSTEM DROP OBSERVER "10.0.0.14:9010"']),
    ([LEADER], '10.0.0.12', 'follower', 'absent', []),
    # The role of the row counts, not the one that is given.
    ([LEADER, SECOND, THIRD], '10.0.0.12', 'observer', 'absent', ['ALTER SYSTEM DROP FOLLOWER "10.0.0.12:9010"']),
    ([LEADER, SECOND], '10.0.0.12', 'follower', 'absent', ['ALTER SYSTEM DROP FOLLOWER "10.0.0.12:9010"']),
    ([LEADER, SECOND, DEAD_THIRD], '10.0.0.13', 'follower', 'absent', ['ALTER SYSTEM DROP FOLLOWER "10.0.0.13:9010"']),
    # One that never joined counts in no majority.
    ([LEADER, frontend('10.0.0.12', alive=False, join=False)], '10.0.0.12', 'follower', 'absent',
     ['ALTER SYSTEM DROP FOLLOWER "10.0.0.12:9010"']),
    ([LEADER, SECOND, frontend('10.0.0.13', alive=False, join=False)], '10.0.0.12', 'follower', 'absent',
     ['ALTER SYSTEM DROP FOLLOWER "10.0.0.12:9010"']),
])
def test_frontends(rows, host, role, state, expected):
    change = changes.decide_frontend(rows, host, 9010, role, state, resolve)
    assert (change.statements, change.refusals) == (expected, [])
    assert (change.before == change.after) == (not expected)


@pytest.mark.parametrize('rows, host, port, role, state, words', [
    ([LEADER], '10.0.0.11', 9011, 'follower', 'present', 'registered with edit_log_port 9010, not 9011'),
    ([LEADER], '10.0.0.11', 9010, 'observer', 'present', 'registered as follower, not observer'),
    ([LEADER, OBSERVER], '10.0.0.14', 9010, 'follower', 'present', 'registered as observer, not follower'),
    ([LEADER, SECOND], '10.0.0.11', 9010, 'follower', 'absent', 'leads the cluster'),
    ([LEADER, SECOND, DEAD_THIRD], '10.0.0.12', 9010, 'follower', 'absent',
     'only 1 of 2 followers would be alive.*10.0.0.13:9010'),
    ([LEADER, SECOND, THIRD, DEAD_THIRD, DEAD_THIRD], '10.0.0.12', 9010, 'follower', 'absent', 'only 2 of 4 followers'),
    # The only follower left, seen by one that knows no leader.
    ([SECOND], '10.0.0.12', 9010, 'follower', 'absent', 'only 0 of 0 followers'),
])
def test_refused_frontends(rows, host, port, role, state, words):
    change = changes.decide_frontend(rows, host, port, role, state, resolve)
    assert len(change.refusals) == 1
    assert re.search(words, change.refusals[0])


def test_what_still_runs_is_told():
    alive = changes.decide_frontend([LEADER, OBSERVER], '10.0.0.14', 9010, 'observer', 'absent', resolve)
    gone = [LEADER, dict(OBSERVER, alive=False)]
    dead = changes.decide_frontend(gone, '10.0.0.14', 9010, 'observer', 'absent', resolve)
    assert 'Stop it and move its meta_dir aside' in alive.notes[0]
    assert dead.notes == []


@pytest.mark.parametrize('exists, fits, name, password, update, state, expected', [
    (True, True, 'root', 'x', 'always', 'present', []),
    (True, False, 'root', 'x', 'always', 'present', ["SET PASSWORD FOR 'root'@'%' = PASSWORD('x')"]),
    (True, False, 'root', '', 'always', 'present', ["SET PASSWORD FOR 'root'@'%' = PASSWORD('')"]),
    (True, False, 'root', 'x', 'on_create', 'present', []),
    (True, False, 'u', None, 'always', 'present', []),
    (False, False, 'u', 'x', 'on_create', 'present', ["CREATE USER 'u'@'%' IDENTIFIED BY 'x'"]),
    (True, False, 'u', None, 'always', 'absent', ["DROP USER 'u'@'%'"]),
    (False, False, 'u', None, 'always', 'absent', []),
])
def test_users(exists, fits, name, password, update, state, expected):
    change = changes.decide_user(exists, fits, name, '%', password, update, state)
    assert (change.statements, change.refusals) == (expected, [])
    assert (change.before == change.after) == (not expected)


@pytest.mark.parametrize('exists, name, state, words', [
    (True, 'root', 'absent', 'does not drop root'), (False, 'u', 'present', 'a password is needed')])
def test_refused_users(exists, name, state, words):
    assert words in changes.decide_user(exists, False, name, '%', None, 'always', state).refusals[0]
