# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import socket

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _wait as wait
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import DENIED, NO_LEADER, SqlError
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import Clock


def poll(states, timeout, state=None):
    """poll() over ``states``, each a list of reasons or an exception; returns (result, looks, seconds)."""
    clock, looks = Clock(), []

    def read():
        looks.append(clock.now)
        current = states[min(len(looks), len(states)) - 1]
        if isinstance(current, Exception):
            raise current
        return current

    return wait.poll(read, list, timeout, state=state, clock=clock, sleep=clock.sleep), looks, clock.now


def test_what_holds_at_once_is_not_waited_for():
    assert poll([[]], 300) == ([], [0.0], 0.0)


def test_what_was_just_read_is_not_read_again():
    assert poll([['never asked']], 300, state=[]) == ([], [], 0.0)


def test_pauses_grow_to_their_limit():
    looks = poll([['no']] * 12 + [[]], 300)[1]
    pauses = [later - earlier for earlier, later in zip(looks, looks[1:])]
    assert pauses[0] == wait.FIRST_PAUSE and pauses[-1] == wait.LONGEST_PAUSE
    assert pauses == sorted(pauses)


def test_time_out_tells_the_last_reasons():
    with pytest.raises(wait.WaitTimeout) as caught:
        poll([['a is dead', 'b is dead'], ['b is dead']], 10)
    assert caught.value.reasons == ['b is dead'] and caught.value.state == ['b is dead']


@pytest.mark.parametrize('timeout, looks', [(0, 1), (1, 3)])
def test_looks_at_least_once_and_last_at_the_end(timeout, looks):
    states = [['no']] * (looks - 1) + [[]]
    assert poll(states, timeout)[1][-1] == timeout


def test_a_leader_change_is_waited_for():
    assert poll([SqlError('no leader', NO_LEADER), []], 10)[0] == []


def test_a_leader_that_never_comes_is_told():
    with pytest.raises(wait.WaitTimeout, match='no leader') as caught:
        poll([SqlError('no leader', NO_LEADER)], 10)
    assert caught.value.state is None


def test_an_answer_ends_the_wait():
    with pytest.raises(SqlError, match='denied'):
        poll([SqlError('denied', DENIED)], 10)


ALIVE = {'host': 'h', 'edit_log_port': 9010, 'query_port': 9030, 'role': 'FOLLOWER', 'join': True, 'alive': True,
         'err_msg': '', 'start_time': '2026-11-23T03:15:46Z'}
REFUSED = 'got exception'


@pytest.mark.parametrize('row, previous, answers, words', [
    (ALIVE, None, True, ''),
    (ALIVE, '2026-11-23 03:00:00', True, ''),
    (None, None, True, 'not in SHOW FRONTENDS'),
    (dict(ALIVE, join=False, err_msg=REFUSED), None, True, 'has not joined (ErrMsg: got exception)'),
    (dict(ALIVE, alive=False, err_msg=REFUSED), None, True, 'is not alive (ErrMsg: got exception)'),
    # The ghost of the process before: section 0.1.
    (ALIVE, '2026-11-23T03:15:46Z', True, 'StartTime of the process before'),
    (dict(ALIVE, start_time=None), '2026-11-23T03:15:46Z', True, 'StartTime of the process before'),
    (dict(ALIVE, start_time=None), None, True, ''),
    (dict(ALIVE, query_port=None), None, True, 'query port is not known yet'),
    (ALIVE, None, False, 'nothing answers at its query port 9030'),
])
def test_evidence_of_a_frontend(row, previous, answers, words):
    reason = wait.frontend_lacks(row, previous, lambda host, port: answers)
    assert words in reason and bool(words) == bool(reason)


@pytest.mark.parametrize('row, previous, words', [
    ({'alive': True, 'last_start_time': 'b'}, None, ''),
    ({'alive': True, 'last_start_time': 'b'}, 'a', ''),
    ({'alive': True, 'last_start_time': 'a'}, 'a', 'LastStartTime of the process before'),
    ({'alive': True, 'last_start_time': '2026-11-23T03:05:32Z'}, '2026-11-23T03:05:32Z', 'of the process before'),
    ({'alive': True, 'last_start_time': None}, 'a', 'LastStartTime of the process before'),
    ({'alive': False, 'err_msg': 'Unmatched cluster id'}, None, 'ErrMsg: Unmatched cluster id'),
    ({'alive': False, 'err_msg': ''}, None, 'no error reported yet'),
    (None, None, 'is not registered'),
])
def test_evidence_of_a_node(row, previous, words):
    reason = wait.node_lacks(row, previous)
    assert words in reason and bool(words) == bool(reason)


def test_port_answers():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        port = server.getsockname()[1]
        assert not wait.port_answers('127.0.0.1', port)
        server.listen(1)
        assert wait.port_answers('127.0.0.1', port)
    assert not wait.port_answers('no-such-host.invalid', 9030)
