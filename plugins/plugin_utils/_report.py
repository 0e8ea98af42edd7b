# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that says what is running where: rows of the cluster beside what the inventory asks for."""

from __future__ import annotations

KINDS = (
    {'kind': 'fe', 'table': 'frontends', 'one': 'front end', 'port': None, 'since': 'start_time'},
    {'kind': 'be', 'table': 'backends', 'one': 'back end', 'port': 'heartbeat_port', 'since': 'last_start_time'},
    {'kind': 'cn', 'table': 'compute_nodes', 'one': 'compute node', 'port': 'heartbeat_port',
     'since': 'last_start_time'},
    {'kind': 'broker', 'table': 'brokers', 'one': 'broker', 'port': 'port', 'since': 'last_start_time'},
)
"""How each kind of node is called, and which columns its row is read by."""

HEADERS = ('KIND', 'HOST', 'ADDRESS', 'ROLE', 'VERSION', 'ALIVE', 'SINCE', 'LAST ERROR')


def align(rows: list[tuple]) -> list[str]:
    """Return rows of texts as lines with aligned columns, two spaces between, none at the end."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ['  '.join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]


def role_of(kind: str, row: dict) -> str:
    """Return what the ROLE column says: FE role, a broker's name, a decommissioning back end."""
    if kind == 'fe':
        return str(row.get('role') or '').lower()
    if kind == 'broker':
        return str(row.get('name') or '')
    return 'decommissioning' if row.get('system_decommissioned') else ''


def first_line(text) -> str:
    """Return an error's first line, cut to what a terminal shows."""
    lines = str(text or '').splitlines()
    return lines[0][:100] if lines else ''


def alive_text(row: dict) -> str:
    if not row.get('alive'):
        return 'no'
    return 'yes' if row.get('join', True) else 'not joined'


def table(cluster: dict, nodes: list[dict]) -> list[tuple]:
    """Return the rows of the status table without its header.

    ``cluster``: what starrocks_cluster_info returned. ``nodes``: of the inventory: name, kind, addresses, process
    (True, False or None where nobody looked). Registered nodes that the inventory does not have come with HOST ``-``.
    """
    rows = []
    for kind in KINDS:
        wanted = [node for node in nodes if node['kind'] == kind['kind']]
        seen = set()
        for row in sorted(cluster.get(kind['table']) or [], key=lambda row: str(row.get('host'))):
            node = next((node for node in wanted if row.get('host') in node['addresses']), None)
            seen.add(node['name'] if node else None)
            port = row.get(kind['port'] or 'edit_log_port')
            rows.append((kind['one'], node['name'] if node else '-', '%s:%s' % (row.get('host'), port),
                         role_of(kind['kind'], row), str(row.get('version') or ''), alive_text(row),
                         str(row.get(kind['since']) or ''), first_line(row.get('err_msg'))))
        for node in wanted:
            if node['name'] not in seen:
                process = {True: 'its process runs', False: 'no process', None: ''}[node['process']]
                rows.append((kind['one'], node['name'], str(node['addresses'][0]), '', '', 'no', '',
                             ', '.join(filter(None, ['not registered' if cluster.get('answered') else '', process]))))
    return rows


def totals(cluster: dict, rows: list[tuple]) -> str:
    """Return the line of totals under the table."""
    parts = []
    for kind in KINDS:
        here = [row for row in rows if row[0] == kind['one']]
        if here:
            alive = sum(row[5] == 'yes' for row in here)
            parts.append('%d of %d %s%s' % (alive, len(here), kind['one'], 's' if len(here) > 1 else ''))
    leader = cluster.get('leader') or {}
    return 'Alive: %s. Leader: %s.' % (', '.join(parts) or 'nothing', leader.get('host') or 'none')


def status_lines(cluster: dict, nodes: list[dict], name: str, pending: dict | None = None) -> list[str]:
    """Return the whole report as lines of text.

    ``pending``: inventory name -> unit names that wait for a restart to see their new files.
    """
    rows = table(cluster, nodes)
    lines = ['StarRocks cluster %s' % name, '']
    lines += align([HEADERS] + rows) if rows else ['No node is known.']
    lines += ['', totals(cluster, rows)]
    if not cluster.get('answered'):
        lines.append('No front end answers.')
    for problem in cluster.get('not_answering') or []:
        lines.append('Front end %s did not answer: %s' % (problem.get('host'), first_line(problem.get('error'))))
    for host, units in sorted((pending or {}).items()):
        lines.append('Waits for a restart to see its new files: %s on %s' % (', '.join(units), host))
    return lines


def inventory_nodes(hosts: dict, hostvars) -> list[dict]:
    """Return the inventory's nodes as `table` wants them; ``hosts``: kind -> inventory names."""
    nodes = []
    for kind, names in hosts.items():
        for name in names:
            variables = hostvars[name]
            seen = variables.get('starrocks_host') or {}
            addresses = [seen.get('address'), seen.get('fqdn'), variables.get('starrocks_address'),
                         variables.get('ansible_host'), name] + list(seen.get('addresses') or [])
            processes = seen.get('processes') or {}
            nodes.append({'name': name, 'kind': kind, 'addresses': [text for text in addresses if text],
                          'process': bool(processes[kind]) if kind in processes else None})
    return nodes
