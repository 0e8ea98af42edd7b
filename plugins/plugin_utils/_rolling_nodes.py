# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a rolling change: what the inventory has, beside what the cluster says of it. No I/O.

A *node* here is a dict: host (in the inventory), kind (fe, be, cn, broker), addresses (all texts that its row may name
it by), port (it is registered with, None where unknown), installed (the version on its disk, None where unknown),
backups (versions kept there), pending (None, or from and to of a switch that was cut off), begun (a run that was cut
off had begun with it), running (whether its process lives, None where unknown), java_major (None where unknown) and
seen (whether this run looked at its host). Those after addresses may be missing, which means None, none or, for seen,
True.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.starrocks.cluster.plugins.module_utils._frontend_changes import (
    FOLLOWER,
    OBSERVER,
    frontend_role,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none
from ansible_collections.starrocks.cluster.plugins.plugin_utils._report import KINDS

UP, DOWN = 'up', 'down'

UNKNOWN = 'unknown'
"""What stands for a version that nobody knows."""

UNNAMED = 'an unknown version'
"""The same in a sentence."""

ORDER = {UP: ('be', 'cn', 'fe', 'broker'), DOWN: ('fe', 'be', 'cn', 'broker')}
"""In which order the kinds go (starrocks.md 7.1): an older front end works with newer back ends, not the other way.

Brokers are independent of the rest (7.1), so they do not hold it up. A restart goes the way up.
"""

BACK = ('be', 'cn')
CORE = ('fe', 'be', 'cn')
NAMES = {kind['kind']: kind['one'] for kind in KINDS}
TABLES = {kind['kind']: kind['table'] for kind in KINDS}

PORTS = {'fe': 'edit_log_port', 'be': 'heartbeat_port', 'cn': 'heartbeat_port', 'broker': 'port'}
"""The column of the port that a node of a kind is registered with."""

REGISTERED_PORTS = {'fe': 'edit_log_port', 'be': 'heartbeat_service_port', 'cn': 'heartbeat_service_port',
                    'broker': 'broker_ipc_port'}
"""What that port is called in the fact starrocks_host."""


# --- versions --------------------------------------------------------------------------------------------------------

def same(one: str | None, other: str | None) -> bool:
    """Whether two texts name one version: commits count only where both tell theirs."""
    first, second = parse_or_none(one), parse_or_none(other)
    if first is None or second is None:
        return one is not None and one == other
    return first.order == second.order and (None in (first.commit, second.commit) or first.commit == second.commit)


def release(text: str) -> str:
    """Return a version as it is told to people, without its commit."""
    version = parse_or_none(text)
    return version.release if version else text


# --- nodes -----------------------------------------------------------------------------------------------------------

@dataclass(eq=False)
class Member:
    """A node of the inventory beside its row (None where the cluster has none)."""

    node: dict
    row: dict | None
    target: str | None
    leads: bool = False
    chosen: bool = True  # by kinds and limit
    skipped: bool = False
    rolls_back: bool = False

    @property
    def host(self) -> str:
        return self.node['host']

    @property
    def kind(self) -> str:
        return self.node['kind']

    @property
    def observer(self) -> bool:
        return self.kind == 'fe' and self.row is not None and frontend_role(self.row) == OBSERVER

    @property
    def alive(self) -> bool:
        """A row says so for up to 20 s after a process died (starrocks.md 0.1), so the host is believed before it."""
        return bool(self.row and self.row.get('alive') and self.row.get('join', True)
                    and self.node.get('running') is not False)

    @property
    def running_version(self) -> str | None:
        return (self.row or {}).get('version')

    @property
    def done(self) -> bool:
        """Whether it is alive with the target's files, as the target. Brokers tell no version."""
        texts = [text for text in (self.node.get('installed'), self.running_version) if text]
        return bool(self.target and self.alive and texts and not self.node.get('pending')
                    and (self.running_version or self.kind == 'broker')
                    and all(same(text, self.target) for text in texts))

    @property
    def unfinished(self) -> bool:
        """Whether it is between two versions: that it is down is a change's work, and the change is what mends it.

        A cut-off run had begun with it, or it has files of a version that never ran there, or is dead with a version
        that is to be taken back.
        """
        installed = self.node.get('installed')
        between = bool(installed) and (same(installed, self.target) or bool(
            self.target and self.running_version and not same(installed, self.running_version)))
        failed = self.rolls_back and not self.alive and any(
            same(text, self.target) for text in self.node.get('backups') or [])
        return bool(self.node.get('pending') or self.node.get('begun') or between or failed) and not self.done

    @property
    def version(self) -> str | None:
        """The version that it goes from: of what it has on disk and what ran there, the one that is not the target."""
        pending = self.node.get('pending') or {}
        texts = [text for text in (pending.get('from'), pending.get('to'), self.node.get('installed'),
                                   self.running_version) if text]
        return next((text for text in texts if not same(text, self.target)), texts[0] if texts else None)

    @property
    def changing(self) -> bool:
        return self.chosen and not self.skipped and not self.done


def place_of(row: dict, kind: str) -> tuple[str, int | None]:
    """Return the host and port that a row is of."""
    return (row.get('host') or '').lower(), row.get(PORTS[kind])


def match_rows(nodes: list[dict], cluster: dict) -> tuple[list[dict | None], list[tuple[str, dict]]]:
    """Return the row of each node (or None), and the rows that no node has as (kind, row).

    Where a host has two rows of a kind, the one with the node's port is meant; the other is a stranger.
    """
    left = {kind: list(cluster.get(table) or []) for kind, table in TABLES.items()}
    found: list[dict | None] = []
    for node in nodes:
        names = {text.lower() for text in node['addresses']}
        rows = [row for row in left[node['kind']] if place_of(row, node['kind'])[0] in names]
        rows.sort(key=lambda row: place_of(row, node['kind'])[1] != node.get('port'))
        found.append(rows[0] if rows else None)
        if rows:
            left[node['kind']] = [row for row in left[node['kind']] if row is not rows[0]]
    return found, [(kind, row) for kind, rows in left.items() for row in rows]


def told(members: Iterable[Member]) -> str:
    """Return nodes as text: back ends be1, be2; front end fe1."""
    return told_hosts(by_kind(members))


def by_kind(members: Iterable[Member]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for member in members:
        result.setdefault(member.kind, []).append(member.host)
    return result


def told_hosts(hosts: dict[str, list[str]]) -> str:
    return '; '.join('%s%s %s' % (NAMES[kind], 's' if len(names) > 1 else '', ', '.join(names))
                     for kind, names in hosts.items())


def switch_ends(pending: dict) -> tuple[str, str]:
    """Return from what to what a switch went; what was installed by hand may not tell its version."""
    return pending.get('from') or UNNAMED, pending.get('to') or UNNAMED


def side(member: Member) -> str | None:
    """Return which way a node goes, None where that cannot be told or is no way."""
    old, new = parse_or_none(member.version), parse_or_none(member.target)
    if old is None or new is None or old.order == new.order:
        return None
    return UP if old < new else DOWN


def by_version(members: Iterable[Member]) -> dict[str, list[Member]]:
    """Return nodes by the release that they go from, in the order of versions, unknown ones last."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(release(member.version) if member.version else UNKNOWN, []).append(member)
    return dict(sorted(groups.items(), key=lambda item: _place_of_version(item[0])))


def _place_of_version(text: str) -> tuple:
    version = parse_or_none(text)
    return (0, version.order) if version else (2 if text == UNKNOWN else 1, text)


# --- the situation ---------------------------------------------------------------------------------------------------

_BATCH = re.compile(r'^([1-9]\d*|(100|[1-9]\d?)%)$')

DEFAULTS = {'batch': '1', 'skip': (), 'kinds': (), 'limit': (), 'canary': True, 'allow_downtime': False,
            'allow_unhealthy': False, 'run_mode': None}
"""The options of a plan: see _rolling.plan_rolling."""


def is_width(batch) -> bool:
    """Whether an option ``batch`` is a number from 1 on, or 1% to 100%."""
    return bool(_BATCH.match(str(batch)))


def wished_width(batch, total: int) -> int:
    """Return what a number, or per cent of the nodes of a kind, comes to; per cent are rounded down, to at least 1."""
    text = str(batch)
    return max(1, total * int(text[:-1]) // 100) if text.endswith('%') else int(text)


@dataclass
class Situation:
    """All that a plan is made from, and the batches as they would be."""

    operation: str
    target: str | None
    cluster: dict
    options: dict
    members: list[Member]
    strangers: list[tuple[str, dict]]
    direction: str = UP
    batches: list[dict] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.options['kinds'] or ORDER[UP])

    @property
    def changes_version(self) -> bool:
        return self.operation != 'restart'

    @property
    def changing(self) -> list[Member]:
        return [member for member in self.members if member.changing]

    @property
    def core(self) -> list[Member]:
        """The nodes that change, without brokers, which have nothing to do with the versions of the others."""
        return [member for member in self.changing if member.kind in CORE]

    def rows(self, kind: str) -> list[dict]:
        return self.cluster.get(TABLES[kind]) or []

    def of_kind(self, kind: str) -> list[Member]:
        """The nodes of a kind that are not given up for dead."""
        return [member for member in self.members if member.kind == kind and not member.skipped]

    def batches_of(self, *kinds: str) -> list[dict]:
        return [batch for batch in self.batches if batch['kind'] in kinds]

    @property
    def followers(self) -> list[dict]:
        """The rows of all electable front ends, the leader among them."""
        return [row for row in self.rows('fe') if frontend_role(row) == FOLLOWER]

    @property
    def leader_version(self) -> str | None:
        return (self.cluster.get('leader') or {}).get('version')

    @property
    def leader_name(self) -> str:
        """The inventory's name of the leader, its address where the inventory does not have it."""
        names = [member.host for member in self.members if member.leads]
        return names[0] if names else str(self.cluster['leader'].get('host'))

    @property
    def racks(self) -> list[str]:
        """The locations of back ends. Where all have the same, or none, they tell nothing of replicas: then none."""
        locations = {row.get('location') or '' for row in self.rows('be')}
        return sorted(locations - {''}) if len(locations) > 1 else []

    def width(self, kind: str) -> int:
        """How many nodes of a kind are changed at once: as the user said, but never all that serve."""
        if kind not in BACK:
            return 1
        total = len(self.of_kind(kind))
        return max(1, min(wished_width(self.options['batch'], total), total - 1))


# --- from hosts' variables -------------------------------------------------------------------------------------------

def gather_nodes(hosts: dict[str, list[str]], hostvars, begun: Iterable[dict] = ()) -> list[dict]:
    """Return the nodes of the inventory.

    ``hosts``: kind -> inventory names. Of each host: the fact starrocks_host of starrocks_preflight, and
    ``_starrocks_releases``, a list of {kind, installed, backups, pending}, alone or in a result under ``releases`` or
    ``nodes``; where there is none (a restart needs none), the fact alone says that the host was looked at.
    ``begun``: batches (kind, hosts) that a run which was cut off had begun with.
    """
    started = {(batch['kind'], host) for batch in begun for host in batch['hosts']}
    nodes = []
    for kind in ORDER[UP]:
        for host in hosts.get(kind) or []:
            variables = hostvars[host]
            seen = variables.get('starrocks_host') or {}
            found = next((one for one in _releases(variables) if one.get('kind') == kind), None)
            addresses = [seen.get('address'), seen.get('fqdn'), seen.get('host_name'),
                         variables.get('starrocks_address'), variables.get('ansible_host'), host,
                         *(seen.get('addresses') or [])]
            ports = next((one.get('ports') or {} for one in seen.get('nodes') or [] if one.get('kind') == kind), {})
            processes = seen.get('processes') or {}
            nodes.append({
                'host': host, 'kind': kind,
                'addresses': [text for index, text in enumerate(addresses) if text and text not in addresses[:index]],
                'port': ports.get(REGISTERED_PORTS[kind]),
                'installed': (found or {}).get('installed'),
                'backups': list((found or {}).get('backups') or []),
                'pending': (found or {}).get('pending') or None,
                'begun': (kind, host) in started,
                'running': bool(processes[kind]) if kind in processes else None,
                'java_major': seen.get('java_major'),
                'seen': found is not None or ('_starrocks_releases' not in variables and bool(seen)),
            })
    return nodes


def _releases(variables) -> list[dict]:
    found = variables.get('_starrocks_releases') or []
    if isinstance(found, dict):
        found = found.get('releases') or found.get('nodes') or []
    return [one for one in found if isinstance(one, dict)]
