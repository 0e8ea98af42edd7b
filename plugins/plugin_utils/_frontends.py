# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which front end is started how: the plan that keeps one cluster one.

A *host* here is a dict: name (in the inventory), address, names (all texts it may be registered under), login
(``host:query_port``), edit_log_port, role (follower or observer), metadata (True, False, None: not seen in this run),
first_start (its first start has not come to its end), active (its process runs), in_run (this play acts on it).
"""

from __future__ import annotations

from ansible_collections.starrocks.cluster.plugins.module_utils._frontend_changes import (
    FOLLOWER,
    frontend_role,
    majority,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port


def frontend_host(name, variables, in_run, defaults):
    """Return the *host* of an inventory name from its variables.

    ``variables``: the host's variables, with the fact ``starrocks_host`` of starrocks_preflight when this run saw it.
    ``defaults``: edit_log_port, query_port and role where the inventory says nothing.
    """
    seen = variables.get('starrocks_host') or {}
    address = (seen.get('address') or variables.get('starrocks_address') or variables.get('ansible_host') or name)
    names = [address, seen.get('fqdn'), name] + list(seen.get('addresses') or [])
    metadata = seen.get('metadata')
    return {
        'name': name,
        'address': address,
        'names': [text for index, text in enumerate(names) if text and text not in names[:index]],
        'login': '%s:%s' % (address, variables.get('starrocks_fe_query_port', defaults['query_port'])),
        'edit_log_port': int(variables.get('starrocks_fe_edit_log_port', defaults['edit_log_port'])),
        'role': variables.get('starrocks_fe_role', defaults['role']),
        'metadata': bool(metadata.get('fe')) if isinstance(metadata, dict) else None,
        'first_start': bool(seen.get('first_start')),
        'active': bool((seen.get('processes') or {}).get('fe')),
        'in_run': in_run,
    }


def row_of(host, rows):
    """Return the SHOW FRONTENDS row of a host, None where it is not registered."""
    names = {text.lower() for text in host['names']}
    return next((row for row in rows if (row.get('host') or '').lower() in names), None)


def frontend_plan(found, hosts, done=None):
    """Return what the front ends need, from what the cluster says and what the hosts hold.

    ``found``: answered, leader (row or None), frontends (rows) as starrocks_cluster_info returns them.
    ``done``: the plan before, whose starts were carried out since the hosts were looked at.
    Returns a dict:

    * refusals: texts; nothing may be done while there is one.
    * found_on: name of the host that starts alone and founds the cluster, else None.
    * start: names that start with the metadata they have, all at once (alone none of them has a majority).
    * join: steps in their order: name, role, address, edit_log_port, add (register it first), set_aside (metadata of
      an unfinished join), previous_start_time (of a process that runs no more). Followers stand before observers.
    * leader: ``host:edit_log_port`` for --helper, else None.
    """
    plan = {'refusals': [], 'found_on': None, 'start': [], 'join': [], 'leader': None}
    rows = found.get('frontends') or []
    leader = found.get('leader')
    hosts = [_after(host, done) for host in hosts] if done else hosts
    if not found.get('answered'):
        _plan_without_answer(plan, hosts)
    elif not leader:
        _plan_without_leader(plan, hosts)
    else:
        plan['leader'] = join_host_port(leader['host'], leader['edit_log_port'])
        for host in hosts:
            if host['in_run']:
                _plan_member(plan, host, row_of(host, rows))
        plan['join'].sort(key=lambda step: step['role'] != 'follower')
    return plan


def _after(host, done):
    """Return a host as it is after the starts of a plan."""
    if host['name'] == done['found_on']:
        return dict(host, metadata=True, active=True, first_start=True)
    return dict(host, active=True) if host['name'] in done['start'] else host


def _plan_without_answer(plan, hosts):
    """Nobody answers: start what has metadata, else found a cluster, and only if every front end was seen empty."""
    members = [host for host in hosts if host['metadata']]
    if members:
        return _start_members(plan, hosts, members)
    unseen = [host['name'] for host in hosts if host['metadata'] is None]
    if unseen:
        return plan['refusals'].append(
            'No front end answers, and %s %s not part of this run, so nobody knows whether metadata of a cluster is '
            'there. A new cluster is founded only when every front end was seen to be empty: run once without --limit.'
            % (', '.join(unseen), 'is' if len(unseen) == 1 else 'are'))
    followers = [host for host in hosts if host['role'] == 'follower']
    if not followers:
        return plan['refusals'].append('No front end of the inventory is a follower; set starrocks_fe_role: follower.')
    plan['found_on'] = followers[0]['name']


def _plan_without_leader(plan, hosts):
    """Some follower answers from its own stale view, and there is no leader: more of the members must run."""
    stopped = [host for host in hosts if host['metadata'] and host['in_run'] and not host['active']]
    if stopped:
        plan['start'] = [host['name'] for host in stopped]
    else:
        plan['refusals'].append(
            'A front end answers, but the cluster has no leader: less than a majority of its followers is alive. '
            'Start the others (without --limit), or look at their fe.log.')


def _start_members(plan, hosts, members):
    """Start all that have metadata, unless what this run can start is no majority of them."""
    electable = [host for host in members if host['role'] == 'follower']
    running = [host for host in electable if host['in_run'] or host['active']]
    if electable and len(running) < majority(len(electable)):
        return plan['refusals'].append(
            'No front end answers. Metadata is on %s, and this run may start only %s: no majority, so none of them '
            'would open a port. Run without --limit.' % (
                ', '.join(host['name'] for host in electable), ', '.join(host['name'] for host in running) or 'none'))
    unseen = [host for host in hosts if host['metadata'] is None and host['role'] == 'follower']
    followers = [host for host in hosts if host['role'] == 'follower']
    if unseen and len(running) < majority(len(followers)):
        return plan['refusals'].append(
            'No front end answers, and %s %s not part of this run: what runs then may be no majority. Run without '
            '--limit.' % (', '.join(host['name'] for host in unseen), 'is' if len(unseen) == 1 else 'are'))
    plan['start'] = [host['name'] for host in members if host['in_run']]


def _plan_member(plan, host, row):
    """One front end of this run, while the cluster has a leader."""
    if row is None:
        if host['metadata'] and not host['first_start']:
            return plan['refusals'].append(
                '%s holds metadata of a front end, but the cluster at %s does not know it as %s: it was dropped, or '
                'belongs to another cluster. Stop it there, move its meta_dir aside, and run again.' % (
                    host['name'], plan['leader'], host['address']))
        return plan['join'].append(_join_step(host, None))
    role = frontend_role(row)
    if role != host['role']:
        return plan['refusals'].append(
            '%s is registered as %s, and the inventory says starrocks_fe_role: %s. A role cannot be changed in place: '
            'drop it (starrocks_frontend state=absent), move its meta_dir aside, and deploy it again; or correct the '
            'inventory.' % (host['name'], role, host['role']))
    if row['edit_log_port'] != host['edit_log_port']:
        return plan['refusals'].append(
            '%s is registered with edit_log_port %s, and the inventory says %s. Drop and add it again, or correct '
            'starrocks_fe_edit_log_port.' % (host['name'], row['edit_log_port'], host['edit_log_port']))
    if not host['metadata'] or host['first_start'] or not row['join']:
        return plan['join'].append(_join_step(host, row))
    if not host['active'] or not row['alive']:
        plan['start'].append(host['name'])


def _join_step(host, row):
    return {'name': host['name'], 'role': host['role'], 'address': host['address'],
            'edit_log_port': host['edit_log_port'], 'add': row is None,
            'set_aside': bool(row is None and host['metadata'] and host['first_start']),
            'previous_start_time': '' if host['active'] else (row or {}).get('start_time') or ''}


def unsettled(nodes, rows, port_variable, registered_only=False):
    """Return the nodes of a kind that a register-and-wait call is needed for.

    ``nodes``: dicts as `registered_nodes` returns them. ``rows``: typed rows, whose port stands under heartbeat_port
    (BE, CN) or port (broker). A node is settled when its row is alive and its process was not started just now.
    With ``registered_only``, nodes without a row are left out. Returns what the modules take as ``nodes``: host, its
    port, and for started ones previous_start_time.
    """
    key = PORT_KEYS[port_variable]
    known = {(row['host'], row.get('heartbeat_port', row.get('port'))): row for row in rows or []}
    result = []
    for node in nodes:
        row = known.get((node['host'], node[key]))
        if (row and row.get('alive') and not node['started']) or (row is None and registered_only):
            continue
        wish = {'host': node['host'], key: node[key]}
        # A broker's LastStartTime is when it turned alive, which a quick restart does not show.
        if row and node['started'] and row.get('last_start_time') and 'heartbeat_port' in row:
            wish['previous_start_time'] = row['last_start_time']
        result.append(wish)
    return result


def registered_nodes(names, hostvars, kind, port_variable, default_port):
    """Return the nodes of a kind as `unsettled` wants them, from their hosts' variables and facts.

    ``port_variable``: the role's variable of the port a node is registered with, one of PORT_KEYS.
    Each node is a dict: host, its port as the modules call it, started (it did not run before this play).
    """
    key = PORT_KEYS[port_variable]
    nodes = []
    for name in names:
        variables = hostvars[name]
        seen = variables.get('starrocks_host') or {}
        nodes.append({'host': seen.get('address') or name, key: int(variables.get(port_variable, default_port)),
                      'started': not (seen.get('processes') or {}).get(kind)})
    return nodes


PORT_KEYS = {
    'starrocks_be_heartbeat_service_port': 'heartbeat_service_port',
    'starrocks_cn_heartbeat_service_port': 'heartbeat_service_port',
    'starrocks_broker_ipc_port': 'broker_ipc_port',
}
"""The role variable of the port that a node is registered with -> what the modules call it."""


def start_time_of(found, host):
    """Return the StartTime that a found cluster shows for the front end of this address, '' where unknown."""
    row = row_of({'names': [host]}, found.get('frontends') or [])
    return (row or {}).get('start_time') or ''


def stop_refusal(found, hosts):
    """Return why the front ends of this run may not be stopped, '' if they may.

    All of them may (the cluster is stopped as a whole), or so few that a majority of the followers lives on.
    """
    rows = [row for row in found.get('frontends') or [] if frontend_role(row) == FOLLOWER]
    stopping = [row_of(host, rows) for host in hosts if host['in_run']]
    left = [row for row in rows if row.get('alive') and row not in stopping]
    if not any(stopping) or not left or len(left) >= majority(len(rows)):
        return ''
    return ('Stopping %s would leave %d of %d followers alive, less than the majority of %d that the cluster needs. '
            'Stop fewer of them, or all (without --limit).' % (
                ', '.join(row['host'] for row in stopping if row), len(left), len(rows), majority(len(rows))))


def leader_name(found, hosts):
    """Return the inventory name of the leader, '' where it is not known."""
    leader = found.get('leader')
    return next((host['name'] for host in hosts if leader and row_of(host, [leader])), '')


def join_error(step, leader, error, seen, stopped):
    """Return the message for a front end that did not join.

    ``step``: its step of the plan; ``error``: what failed; ``seen``: the cluster as found afterwards; ``stopped``: the
    result of stopping it, with the ends of its logs by path.
    """
    row = row_of({'names': [step['address']]}, seen.get('frontends') or [])
    parts = ['%s (%s) did not join the cluster at %s, and %s.' % (
        step['name'], step['address'], leader,
        'its registration was taken back' if step['add'] else 'stays registered as it was found'), error]
    if row and row.get('err_msg'):
        parts.append('The leader says of it: %s' % row['err_msg'])
    for path, lines in sorted((stopped.get('logs') or {}).items()):
        if lines and path not in error:
            parts.append('\n  '.join([path + ' ends so:'] + lines))
    return '\n'.join(parts)
