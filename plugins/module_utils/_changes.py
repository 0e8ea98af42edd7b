# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From rows and wishes to a change: pure functions, no I/O.

Front ends have rules of their own (roles, the leader, majorities). Back ends, compute nodes and brokers are the same
thing with different words, so they share one function and are told apart by a NodeKind.
"""

from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils import _statements
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port, same_host
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import BACKENDS, BROKERS, COMPUTE_NODES

Change = namedtuple('Change', ('statements', 'before', 'after', 'rows', 'refusals', 'notes'))
Change.__doc__ = """``statements`` in order; ``before`` and ``after`` dicts of address -> state in words, for the diff;
``rows`` the typed rows of the wished nodes as they will be as far as that is known; ``refusals`` reasons not to do it;
``notes`` what the user should know."""

Node = namedtuple('Node', ('host', 'port'))
Node.__doc__ = """A node as the user names it."""

NodeKind = namedtuple('NodeKind', ('title', 'table', 'port_column', 'port_option', 'default_port', 'noun'))
NodeKind.__doc__ = """``port_column`` of the table holds what the option ``port_option`` wishes; ``noun`` is the
kind's name in statements (for brokers completed by their name)."""

BACKEND = NodeKind('back end', BACKENDS, 'heartbeat_port', 'heartbeat_service_port', 9050, 'BACKEND')
COMPUTE_NODE = NodeKind('compute node', COMPUTE_NODES, 'heartbeat_port', 'heartbeat_service_port', 9050, 'COMPUTE NODE')
BROKER = NodeKind('broker', BROKERS, 'port', 'broker_ipc_port', 8000, 'BROKER')

ABSENT = 'absent'
PRESENT = 'present'
DECOMMISSIONED = 'decommissioned'


def find(rows, port_column, node, resolve):
    """All rows that mean ``node``: usually one; more if the node was added twice in one statement (section 0.8)."""
    return [row for row in rows
            if row[port_column] == node.port and same_host(node.host, row['host'], resolve)]


def without_duplicates(nodes, resolve):
    """``(nodes, dropped)``: StarRocks adds an address twice when one statement names it twice (section 0.8)."""
    kept, dropped = [], []
    for node in nodes:
        twin = any(node.port == other.port and same_host(node.host, other.host, resolve) for other in kept)
        (dropped if twin else kept).append(node)
    return kept, dropped


def _stored(port_column, row):
    """The address as StarRocks stores it, which DROP and its like must name to the letter (section 2.4)."""
    return row['host'], row[port_column]


def _state(row):
    return DECOMMISSIONED if row.get('system_decommissioned') else PRESENT


def decide_nodes(kind, rows, nodes, state, resolve, force=False, name=None):
    """The Change that brings ``nodes`` of one ``kind`` to ``state`` (present, absent, decommissioned).

    ``rows``: typed rows of the kind's table. ``name``: of brokers, whose rows count only under that name; with no
    nodes and state absent, all brokers of the name are meant. ``force`` drops back ends that hold data.
    """
    noun = kind.noun
    if name is not None:
        rows = [row for row in rows if row['name'] == name]
        noun = _statements.broker_noun(name)
    if name is not None and state == ABSENT and not nodes:
        nodes = [Node(row['host'], row['port']) for row in rows]

    missing, there = [], []
    for node in nodes:
        found = find(rows, kind.port_column, node, resolve)
        there.extend(found)
        if not found:
            missing.append(node)

    before = {join_host_port(*_stored(kind.port_column, row)): _state(row) for row in there}
    before.update((join_host_port(*node), ABSENT) for node in missing)
    act = {PRESENT: _decide_present, ABSENT: _decide_absent, DECOMMISSIONED: _decide_decommissioned}[state]
    statements, touched, refusals = act(kind, noun, missing, there, force)
    if state == ABSENT and name is not None and statements and len(there) == len(rows):
        # Dropping the last address would leave the empty name behind (section 3.4).
        statements = [_statements.drop_all_brokers(name)]

    after = dict(before)
    after.update((join_host_port(*address), state) for address in touched)
    if state == ABSENT:
        predicted = []
    else:
        predicted = [dict(row, system_decommissioned=state == DECOMMISSIONED) if 'system_decommissioned' in row else row
                     for row in there]
        if state == PRESENT:
            predicted += [_new_row(kind, node, name) for node in missing]
    return Change(statements, before, after, predicted, refusals, [])


def _new_row(kind, node, name):
    row = {'host': node.host, kind.port_column: node.port, 'alive': False, 'err_msg': ''}
    if name is not None:
        row['name'] = name
    return row


def _decide_present(kind, noun, missing, there, force):
    leaving = _addresses(kind, [row for row in there if _state(row) == DECOMMISSIONED])
    statements = []
    if missing:
        statements.append(_statements.add_nodes(noun, missing))
    if leaving:
        statements.append(_statements.cancel_decommission_backends(leaving))
    return statements, list(missing) + leaving, []


def _decide_absent(kind, noun, missing, there, force):
    refusals = []
    for row in there:
        # Compute nodes show a tablet_num in shared-data mode, which is a cache of theirs: nothing is lost with them.
        if kind is BACKEND and row.get('tablet_num') and not force:
            refusals.append(
                'back end %s holds %d tablets: dropping it can lose data. Move them away first with state: '
                'decommissioned, or throw them away with force: true'
                % (join_host_port(*_stored(kind.port_column, row)), row['tablet_num']))
    addresses = _addresses(kind, there)
    statements = [_statements.drop_nodes(noun, addresses, force and kind is BACKEND)] if addresses else []
    return statements, addresses, refusals


def _decide_decommissioned(kind, noun, missing, there, force):
    addresses = _addresses(kind, [row for row in there if _state(row) == PRESENT])
    statements = [_statements.decommission_backends(addresses)] if addresses else []
    return statements, addresses, []


def _addresses(kind, rows):
    """Stored addresses of ``rows``, each once."""
    addresses = []
    for row in rows:
        address = _stored(kind.port_column, row)
        if address not in addresses:
            addresses.append(address)
    return addresses


def decide_user(exists, fits, name, host, password, update_password, state):
    """The Change of one account. ``exists``: whether it is there; ``fits``: whether ``password`` lets it in.

    ``password`` is None where it is not to be touched. Diffs tell that a password changes, never which.
    """
    identity = _statements.user_identity(name, host)
    before = {'user': identity, 'state': PRESENT if exists else ABSENT}
    if state == ABSENT:
        refusals = ['StarRocks does not drop root'] if exists and name == 'root' else []
        statements = [_statements.drop_user(name, host)] if exists else []
        return Change(statements, before, dict(before, state=ABSENT), [], refusals, [])
    if not exists:
        refusals = [] if password is not None else [
            'user %s does not exist, and to create it a password is needed' % identity]
        statements = [] if refusals else [_statements.create_user(name, host, password)]
        return Change(statements, before, dict(before, state=PRESENT), [], refusals, [])
    if password is None or fits or update_password == 'on_create':
        return Change([], before, before, [], [], [])
    return Change([_statements.set_password(name, host, password)], dict(before, password='another'),
                  dict(before, password='the given one'), [], [], [])


# Front ends

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


def decide_frontend(rows, host, port, role, state, resolve):
    """The Change that makes the front end ``host``:``port`` present with ``role``, or absent.

    ``rows``: typed rows of SHOW FRONTENDS from the leader.
    """
    row = find_frontend(rows, host, resolve)
    address = join_host_port(host, port) if row is None else join_host_port(row['host'], row['edit_log_port'])
    before = {address: ABSENT if row is None else frontend_role(row)}
    if state == ABSENT:
        if row is None:
            return Change([], before, before, [], [], [])
        statement = _statements.drop_frontend(frontend_role(row).upper(), row['host'], row['edit_log_port'])
        notes = ['front end %s was alive when it was dropped: it goes on listening with a stale view of the cluster '
                 'until it is stopped. Stop it and move its meta_dir aside' % address] if row['alive'] else []
        return Change([statement], before, {address: ABSENT}, [], refuse_frontend_drop(rows, row), notes)

    if row is None:
        new_row = {'host': host, 'edit_log_port': port, 'role': role.upper(), 'join': False, 'alive': False,
                   'err_msg': '', 'start_time': None, 'version': None, 'query_port': 0}
        return Change([_statements.add_frontend(role.upper(), host, port)], before, {address: role}, [new_row], [], [])
    return Change([], before, before, [row], _refuse_frontend_difference(row, address, port, role), [])


def _refuse_frontend_difference(row, address, port, role):
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


def refuse_frontend_drop(rows, row):
    """Reasons not to drop the front end ``row``; empty if it may go.

    The leader cannot be dropped. A joined follower counts in the majority of the others, dead or alive; one that never
    joined does not (section 3.7), nor does an observer.
    """
    address = join_host_port(row['host'], row['edit_log_port'])
    if row['role'] == 'LEADER':
        return ['front end %s leads the cluster, and StarRocks does not drop the leader: stop it, wait until another '
                'follower leads, then run this again' % address]
    if frontend_role(row) == OBSERVER or not (row['join'] or row['alive']):
        return []
    others = [other for other in rows if other is not row and frontend_role(other) == FOLLOWER
              and (other['join'] or other['alive'])]
    living = [other for other in others if other['alive']]
    needed = majority(len(others))
    if len(living) < needed:
        dead = ', '.join(join_host_port(other['host'], other['edit_log_port'])
                         for other in others if not other['alive'])
        return ['without front end %s only %d of %d followers would be alive, fewer than the majority of %d, and the '
                'cluster would stop: start or drop the dead ones first (%s)'
                % (address, len(living), len(others), needed, dead or 'none is registered')]
    return []
