# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From rows of SHOW FRONTENDS and a wish to a Change: pure functions, no I/O.

Front ends have rules of their own: roles, the leader, majorities, one per host (starrocks.md sections 2.4, 3.3, 3.7).
"""

from ansible_collections.starrocks.cluster.plugins.module_utils import _statements
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import (
    ABSENT,
    IPV6,
    Change,
    find_renamed,
    refuse_rename,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port, same_host

FOLLOWER = 'follower'
OBSERVER = 'observer'


def frontend_role(row):
    """follower or observer: the leader is a follower that leads."""
    return OBSERVER if row['role'] == 'OBSERVER' else FOLLOWER


def find_frontend(rows, host, resolve):
    """The row of the front end on ``host``, or None: there is one per host, whatever its port (section 3.3)."""
    for row in rows:
        if same_host(host, row['host'], resolve):
            return row
    return None


def decide_frontend(rows, host, port, role, state, resolve, renamed_from=None, answers=None):
    """The Change that makes the front end ``host``:``port`` present with ``role``, or absent.

    ``rows``: typed rows of SHOW FRONTENDS from the leader. ``renamed_from``: the host by which it may still be
    registered, with state present. ``answers``: see refuse_frontend_drop().
    """
    if state == ABSENT:
        return _decide_absent(rows, find_frontend(rows, host, resolve), join_host_port(host, port), answers)
    if renamed_from is not None:
        return _decide_renamed(rows, host, port, role, renamed_from, resolve)
    row = find_frontend(rows, host, resolve)
    return _decide_present(row, host, port, role)


def _decide_absent(rows, row, wished, answers):
    if row is None:
        return Change([], {wished: ABSENT}, {wished: ABSENT}, [], [], [])
    address = join_host_port(row['host'], row['edit_log_port'])
    statement = _statements.drop_frontend(frontend_role(row).upper(), row['host'], row['edit_log_port'])
    notes = ['front end %s was alive when it was dropped: it goes on listening with a stale view of the cluster '
             'until it is stopped. Stop it and move its meta_dir aside' % address] if row['alive'] else []
    return Change([statement], {address: frontend_role(row)}, {address: ABSENT}, [],
                  refuse_frontend_drop(rows, row, answers), notes)


def _decide_present(row, host, port, role):
    if row is None:
        address = join_host_port(host, port)
        new_row = {'host': host, 'edit_log_port': port, 'role': role.upper(), 'join': False, 'alive': False,
                   'err_msg': '', 'start_time': None, 'version': None, 'query_port': None}
        return Change([_statements.add_frontend(role.upper(), host, port)], {address: ABSENT}, {address: role},
                      [new_row], [], [], [IPV6] if ':' in host else [])
    address = join_host_port(row['host'], row['edit_log_port'])
    as_it_is = {address: frontend_role(row)}
    return Change([], as_it_is, as_it_is, [row], _refuse_difference(row, address, port, role), [])


def _decide_renamed(rows, host, port, role, renamed_from, resolve):
    found, is_renamed = find_renamed(rows, renamed_from, host, resolve)
    if not found:
        return Change([], {}, {}, [], [
            'no front end is registered as %s or as %s, so there is none to rename: look at renamed_from, or leave it '
            'out to register a new one' % (renamed_from, host)], [])
    row = found[0]
    if is_renamed:
        return _decide_present(row, host, port, role)
    old = join_host_port(row['host'], row['edit_log_port'])
    new = join_host_port(host, row['edit_log_port'])
    refusals = _refuse_difference(row, old, port, role) + refuse_rename('front end', row['host'], host)
    if row['role'] == 'LEADER':
        refusals.append('front end %s leads the cluster, and StarRocks does not rename the leader: stop it, wait until '
                        'another follower leads, then run this again' % old)
    notes = ['front end %s is known as %s from now on: when it is started the next time, its own address has to be '
             'that one (a name needs start_fe.sh --host_type FQDN)' % (old, new)]
    return Change([_statements.rename_frontend(row['host'], host)],
                  {new: '%s, known as %s' % (frontend_role(row), old)}, {new: frontend_role(row)},
                  [dict(row, host=host)], refusals, notes)


def _refuse_difference(row, address, port, role):
    refusals = []
    if row['edit_log_port'] != port:
        refusals.append(
            'front end %s is registered with edit_log_port %d, not %d, and StarRocks takes one front end per host: '
            'keep that port, or remove the front end (state: absent, stop it, move its meta_dir aside) and add it again'
            % (address, row['edit_log_port'], port))
    if frontend_role(row) != role:
        refusals.append(
            'front end %s is registered as %s, not %s, and StarRocks cannot change that in place: remove it (state: '
            'absent, stop it, move its meta_dir aside) and add it as %s'
            % (address, 'follower' if row['role'] == 'LEADER' else row['role'].lower(), role, role))
    return refusals


def majority(followers):
    """How many of so many followers elect a leader: floor(n / 2) + 1 (BDB-JE, StarRocks' BDBHA)."""
    return followers // 2 + 1


def refuse_frontend_drop(rows, row, answers=None):
    """Reasons not to drop the front end ``row``; empty if it may go.

    The leader cannot be dropped. A joined follower counts in the majority of the others, dead or alive; one that never
    joined does not (section 3.7), nor does an observer. ``answers(host, port)`` tells whether something listens there:
    for up to 20 s a dead follower is shown as alive (section 0.1). None: the rows are believed.
    """
    address = join_host_port(row['host'], row['edit_log_port'])
    if row['role'] == 'LEADER':
        return ['front end %s leads the cluster, and StarRocks does not drop the leader: stop it, wait until another '
                'follower leads, then run this again' % address]
    if frontend_role(row) == OBSERVER or not (row['join'] or row['alive']):
        return []
    others = [other for other in rows if other is not row and frontend_role(other) == FOLLOWER
              and (other['join'] or other['alive'])]
    dead = [(other, reason) for other, reason in ((other, _is_dead(other, answers)) for other in others) if reason]
    living = len(others) - len(dead)
    needed = majority(len(others))
    if living < needed:
        told = ', '.join('%s %s' % (join_host_port(other['host'], other['edit_log_port']), reason)
                         for other, reason in dead)
        return ['without front end %s only %d of %d followers would be alive, fewer than the majority of %d, and the '
                'cluster would stop: start or drop the dead ones first (%s)'
                % (address, living, len(others), needed, told or 'none is registered')]
    return []


def _is_dead(row, answers):
    """Why a follower does not count as alive, '' if it does. The leader has just answered."""
    if not row['alive']:
        return 'is not alive'
    if row['role'] == 'LEADER' or answers is None or row['query_port'] and answers(row['host'], row['query_port']):
        return ''
    return 'is shown alive, but nothing answers from here at its query port %s' % (row['query_port'] or '')
