# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory out of what a living cluster says of itself: typed rows in, hosts and variables out. No I/O.

*Tables* are what the inventory plugin reads: {name of the table: typed rows}, see module_utils/_tables. A *resolver* is
a callable from a host to the frozenset of its addresses. Only what the rows show becomes a variable: a node that was
never seen alive has port 0 or -1 (starrocks.md 1.2, 1.3), and what is unknown is left to the roles' defaults.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.starrocks.cluster.plugins.module_utils._frontend_changes import frontend_role
from ansible_collections.starrocks.cluster.plugins.module_utils._overview import version_of
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import (
    is_address,
    is_loopback,
    join_host_port,
    normalise,
    same_host,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import (
    BACKENDS,
    BROKERS,
    COMPUTE_NODES,
    FRONTENDS,
    Table,
    leader_of,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none

Tables = Mapping[str, list[dict]]
Resolver = Callable[[str], frozenset]

ROWS_VARIABLE = 'starrocks_live'
"""The host variable with all that the cluster says of a host's nodes: {kind: row}."""

_BACK_END_PORTS = {'heartbeat_port': 'heartbeat_service_port', 'be_port': 'be_port', 'http_port': 'be_http_port',
                   'brpc_port': 'brpc_port', 'starlet_port': 'starlet_port'}


@dataclass(frozen=True)
class Kind:
    """One kind of node. ``ports``: column -> the variable of the roles, without its beginning starrocks_<kind>_."""

    name: str
    table: Table
    ports: Mapping[str, str]

    @property
    def group(self) -> str:
        return f'starrocks_{self.name}'


KINDS = (
    Kind('fe', FRONTENDS, {name: name for name in ('edit_log_port', 'http_port', 'query_port', 'rpc_port')}),
    Kind('be', BACKENDS, _BACK_END_PORTS),
    Kind('cn', COMPUTE_NODES, _BACK_END_PORTS),
    Kind('broker', BROKERS, {'port': 'ipc_port'}),
)
"""In the order in which they name a host: its front end's spelling comes before its broker's."""


@dataclass
class Machine:
    """One host of the inventory: the name it gets unless the user wants another, its address as the cluster stores it,
    and per kind of node its row."""

    name: str
    address: str
    rows: dict[str, dict] = field(default_factory=dict)

    @property
    def groups(self) -> list[str]:
        return [kind.group for kind in KINDS if kind.name in self.rows]


def machines(tables: Tables, resolve: Resolver) -> tuple[list[Machine], list[str]]:
    """Return the hosts, each machine once, and sentences on what does not fit into an inventory.

    Roles have one node of a kind per host. Where the cluster has several on one machine, each further one becomes a
    host of its own, called ADDRESS_PORT, so that the inventory shows it; starrocks_validate refuses to deploy there.
    """
    found: dict[tuple[str, int | None], Machine] = {}
    remarks = []
    spelling = one_spelling([row['host'] for kind in KINDS for row in tables.get(kind.table.name, ())], resolve)
    for kind in KINDS:
        seen = set()
        for row in sorted(tables.get(kind.table.name, ()), key=lambda row: (_order(row['host']), row[kind.table.port])):
            address, port = spelling[row['host']], row[kind.table.port]
            if (address, port) in seen:
                remarks.append(f'{join_host_port(address, port)} is registered more than once in {kind.table.show}; '
                               'one of its rows is used')
                continue
            seen.add((address, port))
            machine = found.setdefault((address, None), Machine(address, address))
            if kind.name in machine.rows:
                machine = found.setdefault((address, port), Machine(f'{address}_{port}', address))
                remarks.append(f'{address} has several nodes in {kind.table.show}; that of port {port} is in the '
                               f'inventory as {machine.name}')
            machine.rows[kind.name] = row
    return list(found.values()), remarks


def _order(host: str) -> tuple:
    """Return a sort key: addresses by their number, then names. Front ends come in no order (starrocks.md 1.2)."""
    plain = normalise(host)
    if not is_address(plain):
        return (1, plain)
    number = ipaddress.ip_address(plain)
    return (0, number.version, int(number))


def one_spelling(hosts: Iterable[str], resolve: Resolver) -> dict[str, str]:
    """Return {host as stored: the spelling that stands for its machine}, which is the one met first.

    A cluster in IP mode stores addresses of front ends, back ends and compute nodes, but brokers as they were given
    (starrocks.md 2.4); one in FQDN mode may hold both. Names are resolved only where there are addresses to compare.
    """
    chosen: dict[str, str] = {}
    met: dict[bool, list[str]] = {True: [], False: []}
    for host in dict.fromkeys(hosts):
        plain = normalise(host)
        if plain not in chosen:
            kind = is_address(plain)
            chosen[plain] = next((other for other in met[not kind] if same_host(plain, other, resolve)), plain)
            met[kind].append(plain)
    return {host: chosen[normalise(host)] for host in hosts}


def host_variables(machine: Machine) -> dict:
    """Return the variables of one host, by the names that the roles read."""
    variables = {'ansible_host': machine.address, ROWS_VARIABLE: machine.rows}
    if is_address(machine.address):
        variables['starrocks_address'] = machine.address
    for kind in KINDS:
        row = machine.rows.get(kind.name, {})
        variables.update((f'{kind.group}_{variable}', row[column]) for column, variable in kind.ports.items()
                         if (row.get(column) or 0) > 0)
    if 'fe' in machine.rows:
        variables['starrocks_fe_role'] = frontend_role(machine.rows['fe'])
    if 'broker' in machine.rows:
        variables['starrocks_broker_name'] = machine.rows['broker']['name']
    return variables


def cluster_variables(tables: Tables, run_mode: str | None) -> dict:
    """Return what holds for all hosts, as variables of the group all, where a user's group_vars can overrule them."""
    variables = {}
    frontends = tables[FRONTENDS.name]
    # A development build has no version that a role could install.
    version = parse_or_none(version_of(frontends, leader_of(frontends)))
    if version:
        variables['starrocks_version'] = version.release
    # In IP mode these three store addresses only, whatever they were given (starrocks.md 2.4).
    stored = [row['host'] for kind in KINDS if kind.table is not BROKERS for row in tables.get(kind.table.name, ())]
    variables['starrocks_host_type'] = 'IP' if all(map(is_address, stored)) else 'FQDN'
    if run_mode:
        variables['starrocks_run_mode'] = run_mode
    return variables


def loopback_remarks(hosts: Iterable[Machine], asked: Iterable[str]) -> Iterator[str]:
    """Yield a warning for hosts known by a loopback address, though front ends were asked by others (``asked``)."""
    if any(is_address(host) and is_loopback(normalise(host)) for host in asked):
        return
    for machine in hosts:
        if is_address(machine.address) and is_loopback(machine.address):
            yield (f'the cluster knows {machine.name} by a loopback address, which for Ansible is the controller '
                   'itself: set its ansible_host with compose')
