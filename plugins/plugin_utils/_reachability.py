# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who must reach whom, and what starrocks_connectivity is told to try for it.

A *peer* here is a host of the run that was looked at: host (inventory name), kinds (of its nodes), name (as the nodes
know it), address (IP), addresses (all of them), ports (a list of kind, name, port, listening). ``seen`` is its fact
starrocks_host.
"""

from __future__ import annotations

from typing import NamedTuple


class Reach(NamedTuple):
    """Nodes of the kinds ``sources`` open connections to a port of each node of a kind, and why."""

    sources: tuple[str, ...]
    kind: str
    port: str
    why: str


BACK_ENDS = ('be', 'cn')

REACHES = (
    Reach(('fe',), 'fe', 'edit_log_port', 'the journal of the metadata is replicated over it'),
    Reach(('fe',), 'fe', 'http_port', 'a joining front end asks its helper for /role and /image; heartbeats'),
    Reach(('fe',), 'fe', 'rpc_port', 'what only the leader may do is forwarded to it'),
    Reach(('fe',), 'fe', 'query_port', 'modules of this collection run on a front end and ask the leader'),
    *(Reach(('fe',), kind, port, why) for kind in BACK_ENDS for port, why in (
        ('heartbeat_service_port', 'heartbeats'),
        ('be_port', 'tasks are handed out over it'),
        ('brpc_port', 'fragments of queries are sent to it'),
        ('be_http_port', 'loads are redirected to it, and logs and metrics read'),
    )),
    Reach(('fe',), 'broker', 'broker_ipc_port', 'files are listed, and heartbeats'),
    Reach(BACK_ENDS, 'fe', 'rpc_port', 'tasks and tablets are reported to the leader'),
    Reach(BACK_ENDS, 'fe', 'http_port', 'small files (certificates, keys) are fetched from it'),
    *(Reach(BACK_ENDS, kind, port, why) for kind in BACK_ENDS for port, why in (
        ('brpc_port', 'data is exchanged within a query, and written to replicas'),
        ('be_http_port', 'tablets are cloned over it'),
    )),
    Reach(BACK_ENDS, 'broker', 'broker_ipc_port', 'loads and exports read and write through it'),
)
"""Ports: starrocks.md 5 and 6. Directions: the tables of ports of Doris, which StarRocks comes from (docs, cluster
planning), and of StarRocks at Alibaba Cloud (EMR, "Access the UI and ports"); that of http_port from back ends and of
be_http_port from front ends: StarRocks' source (SmallFileMgr, LoadAction). The ports of shared data stand in none of
them, so they are not tried."""

TRIED = frozenset((reach.kind, reach.port) for reach in REACHES)


def unstarted(seen: dict) -> list[str]:
    """Return the kinds of a host's nodes that do not run."""
    return sorted(kind for kind, pid in (seen.get('processes') or {}).items() if not pid)


def is_seen(variables) -> bool:
    """Tell whether this run has looked at a host, from its variables."""
    look = variables.get('_starrocks_look') or {}
    return bool(variables.get('starrocks_host')) and not look.get('failed') and not look.get('unreachable')


def connectivity_wanted(names: list[str], hostvars) -> bool:
    """Tell whether hosts have to be asked for each other: some node of several hosts does not run yet.

    Nodes that run find each other, and the cluster says so where they do not.
    """
    if len(names) < 2:
        return False
    hosts = (hostvars[name] for name in names)
    return any(unstarted(variables['starrocks_host']) for variables in hosts if is_seen(variables))


def connectivity_ports(seen: dict) -> list[dict]:
    """Return the ports on which somebody must listen for the check: those of nodes that do not run."""
    idle = unstarted(seen)
    return [{'kind': node['kind'], 'name': name, 'port': int(port), 'address': ''}
            for node in seen.get('nodes') or [] if node['kind'] in idle
            for name, port in sorted(node['ports'].items()) if (node['kind'], name) in TRIED]


def connectivity_peers(names: list[str], hostvars) -> list[dict]:
    """Return the peers among the named hosts."""
    peers = []
    for host in names:
        variables = hostvars[host]
        if not is_seen(variables):
            continue
        seen = variables['starrocks_host']
        opened = (variables.get('_starrocks_listening') or {}).get('listening') or []
        listening = {int(row['port']) for row in [*opened, *(seen.get('ports_in_use') or [])]}
        peers.append({
            'host': host,
            'kinds': [node['kind'] for node in seen.get('nodes') or []],
            'name': seen.get('address'),
            'address': seen.get('ip_address') or seen.get('address'),
            'addresses': list(seen.get('addresses') or []),
            'ports': [{'kind': node['kind'], 'name': name, 'port': int(port), 'listening': int(port) in listening}
                      for node in seen.get('nodes') or [] for name, port in sorted(node['ports'].items())
                      if (node['kind'], name) in TRIED],
        })
    return peers


def connectivity_targets(peers: list[dict], host: str) -> list[dict]:
    """Return what a host must reach, as starrocks_connectivity takes it. A peer without an address is left out."""
    kinds = {kind for peer in peers if peer['host'] == host for kind in peer['kinds']}
    wanted = {(reach.kind, reach.port) for reach in REACHES if kinds & set(reach.sources)}
    return [{'host': peer['host'], 'address': peer['address'], **port}
            for peer in peers if peer['host'] != host and peer['address']
            for port in peer['ports'] if (port['kind'], port['name']) in wanted]


def connectivity_names(peers: list[dict], host: str) -> list[dict]:
    """Return the names that a host must know, as starrocks_connectivity takes them."""
    return [{'host': peer['host'], 'name': peer['name'], 'addresses': peer['addresses']}
            for peer in peers if peer['host'] != host and peer['name']]
