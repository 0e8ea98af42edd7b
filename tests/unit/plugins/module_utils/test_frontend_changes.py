# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import re

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import IPV6
from ansible_collections.starrocks.cluster.plugins.module_utils._frontend_changes import decide_frontend

NAMES = {'fe1': {'10.0.0.11'}, 'fe2': {'10.0.0.12'}, 'fe9': {'10.0.0.19'}}


def resolve(host):
    return frozenset(NAMES.get(host, ()))


def frontend(host, role='FOLLOWER', alive=True, join=True, port=9010):
    return {'host': host, 'edit_log_port': port, 'query_port': 9030, 'role': role, 'alive': alive, 'join': join,
            'err_msg': ''}


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
    change = decide_frontend(rows, host, 9010, role, state, resolve)
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
    change = decide_frontend(rows, host, port, role, state, resolve)
    assert len(change.refusals) == 1
    assert re.search(words, change.refusals[0])


def test_a_follower_that_only_seems_alive_counts_in_no_majority():
    def decide(answers):
        return decide_frontend([LEADER, SECOND, THIRD], '10.0.0.12', 9010, 'follower', 'absent', resolve,
                               answers=answers)

    assert decide(lambda host, port: (host, port) == ('10.0.0.13', 9030)).refusals == []
    refusal, = decide(lambda host, port: False).refusals
    assert 'only 1 of 2 followers would be alive' in refusal
    assert '10.0.0.13:9010 is shown alive, but nothing answers from here at its query port 9030' in refusal


def test_what_still_runs_is_told():
    alive = decide_frontend([LEADER, OBSERVER], '10.0.0.14', 9010, 'observer', 'absent', resolve)
    gone = [LEADER, dict(OBSERVER, alive=False)]
    dead = decide_frontend(gone, '10.0.0.14', 9010, 'observer', 'absent', resolve)
    assert 'Stop it and move its meta_dir aside' in alive.notes[0]
    assert dead.notes == []


@pytest.mark.parametrize('rows, host, renamed_from, expected', [
    ([LEADER, SECOND], 'fe2', '10.0.0.12', ['ALTER SYSTEM MODIFY FRONTEND HOST "10.0.0.12" TO "fe2"']),
    # By the stored spelling, whichever was given.
    ([LEADER, SECOND], 'other', 'fe2', ['ALTER SYSTEM MODIFY FRONTEND HOST "10.0.0.12" TO "other"']),
    ([LEADER, frontend('fe2')], '10.0.0.12', 'fe2', ['ALTER SYSTEM MODIFY FRONTEND HOST "fe2" TO "10.0.0.12"']),
    ([LEADER, frontend('gone')], 'fe2', 'gone', ['ALTER SYSTEM MODIFY FRONTEND HOST "gone" TO "fe2"']),
    # It has the new name already; the old address means it still, by name resolution.
    ([LEADER, frontend('fe2')], 'fe2', '10.0.0.12', []),
    ([LEADER, frontend('FE2')], 'fe2', 'gone', []),
])
def test_renamed_frontends(rows, host, renamed_from, expected):
    change = decide_frontend(rows, host, 9010, 'follower', 'present', resolve, renamed_from)
    assert (change.statements, change.refusals) == (expected, [])
    assert (change.before == change.after) == (not expected)
    assert change.rows[0]['host'].lower() == host
    assert ['--host_type FQDN' in note for note in change.notes] == [True] * len(expected)


@pytest.mark.parametrize('host, renamed_from, role, words', [
    ('fe1', '10.0.0.11', 'follower', 'leads the cluster, and StarRocks does not rename the leader'),
    ('10.0.0.19', 'fe2', 'follower', '10.0.0.12 cannot be renamed to 10.0.0.19: .*one IPv4 address to another'),
    ('fe9', '10.0.0.19', 'follower', 'no front end is registered as 10.0.0.19 or as fe9'),
    ('fe2', '10.0.0.12', 'observer', 'registered as follower, not observer'),
])
def test_refused_renames(host, renamed_from, role, words):
    change = decide_frontend([LEADER, SECOND], host, 9010, role, 'present', resolve, renamed_from)
    assert len(change.refusals) == 1
    assert re.search(words, change.refusals[0])


def test_an_ipv6_address_needs_a_version():
    assert decide_frontend([LEADER], 'fd00::1', 9010, 'follower', 'present', resolve).needs == [IPV6]
    assert not decide_frontend([LEADER], '10.0.0.12', 9010, 'follower', 'present', resolve).needs
