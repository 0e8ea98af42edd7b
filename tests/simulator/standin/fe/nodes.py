# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER SYSTEM: front ends, back ends, compute nodes and brokers added, dropped and changed (section 3.3, 3.4).

Every function takes the session's context (version, config, host type, the leader's own name) and changes the state
that it is given, or raises SqlError.
"""

import re

from standin import net
from standin.fe import catalog, errors
from standin.fe import state as model

_LOCATION = re.compile(r"\s*[a-z_0-9]+\s*:\s*[a-z_0-9]+\s*")


def _address(context, text, kind, adding=False):
    """host:port of a statement; when adding in IP mode a name becomes its address (section 2.4)."""
    try:
        return net.split_host_port(text, context.version, adding and context.host_type == "IP")
    except net.BadHostPort as error:
        raise errors.host_port(context.version, kind, str(error)) from None


def _addresses(context, texts, kind, adding=False):
    return [_address(context, text, kind, adding) for text in texts]


def _same_host(first, second):
    """Are these one host, by text or by address?"""
    if first == second:
        return True
    try:
        return net.resolve(first) == net.resolve(second)
    except net.Unresolvable:
        return False


def _shown(context, host, port):
    return net.show_host_port(host, port, context.version)


# -- front ends ------------------------------------------------------------------------------------

def add_frontend(context, state, role, host):
    host, port = _address(context, host, "frontend", adding=True)
    if any(_same_host(row["host"], host) for row in state["frontends"]):
        raise errors.execution(context.version, f"FE with the same host: {host} already exists")
    number = model.frontend_id(state, context.version)
    if number is None:
        raise errors.execution(context.version, "No available frontend ID can allocate to new frontend")
    name = f"{host}_{port}_{model.now_ms()}"
    state["frontends"].append(model.new_frontend(number, name, host, port, role))


def drop_frontend(context, state, role, host):
    host, port = _address(context, host, "frontend")
    shown = _shown(context, host, port)
    row = next((row for row in state["frontends"] if row["edit_log_port"] == port
                and (row["host"] == host or (context.version >= "3.3" and _same_host(row["host"], host)))), None)
    if row and row["name"] == context.leader_name:
        raise errors.execution(context.version, "can not drop current master node.")
    if not row:
        raise errors.execution(context.version, f"frontend does not exist[{shown}]")
    if row["role"] != role:
        raise errors.execution(context.version, f"{role} does not exist[{shown}]")
    state["frontends"].remove(row)


def _check_new_host(context, old, new):
    if net.is_ip(old) and net.is_ip(new):
        raise errors.analysis(context.version, "Can't change ip to ip")
    for host in (old, new):
        try:
            net.resolve(host)
        except net.Unresolvable as error:
            raise errors.analysis(context.version, f"unknown host {error}") from None


def modify_frontend_host(context, state, old, new):
    _check_new_host(context, old, new)
    row = next((row for row in state["frontends"] if row["host"] == old), None)
    if row and row["name"] == context.leader_name:
        raise errors.execution(context.version, "can not modify current master node.")
    if not row:
        raise errors.execution(context.version, f"frontend [{old}] not found")
    if any(other["host"] == new for other in state["frontends"]):
        raise errors.execution(context.version, f"frontend with host [{new}] already exists ")
    row["host"] = new


# -- back ends and compute nodes -------------------------------------------------------------------

_KINDS = {"backends": ("Backend", "backend"), "compute_nodes": ("Compute node", "compute node")}


def _find(state, kind, host, port):
    return next((row for row in state[kind] if (row["host"], row["heartbeat_port"]) == (host, port)), None)


def _check_warehouse(context, warehouse):
    if warehouse not in (None, model.DEFAULT_WAREHOUSE):
        raise errors.unknown_warehouse(context.version, warehouse)


def _check_cngroup(cngroup):
    if cngroup:
        raise errors.SqlError("CNGroup feature not implemented", 5912, "0A000")


def _add(context, state, kind, hosts, warehouse, cngroup):
    addresses = _addresses(context, hosts, _KINDS[kind][1], adding=True)
    _check_warehouse(context, warehouse)
    _check_cngroup(cngroup)
    for host, port in addresses:  # all are checked first, but not against each other (section 0.8)
        for other, (title, lower) in _KINDS.items():
            if _find(state, other, host, port):
                if context.version >= "3.1":
                    raise errors.execution(context.version,
                                           f"{title} already exists with same host {host} and port {port}")
                raise errors.execution(context.version, f"Same {lower} already exists[{host}:{port}]")
    for host, port in addresses:
        state[kind].append(model.new_node(model.take_id(state), host, port, warehouse or model.DEFAULT_WAREHOUSE))


def add_backends(context, state, hosts, warehouse=None, cngroup=None):
    _add(context, state, "backends", hosts, warehouse, cngroup)


def add_compute_nodes(context, state, hosts, warehouse=None, cngroup=None):
    _add(context, state, "compute_nodes", hosts, warehouse, cngroup)


def _existing(context, state, kind, host, warehouse, cngroup):
    """The row of a node to be dropped. Up to 4.0 the warehouse is looked at first (transcripts 18)."""
    address, port = _address(context, host, _KINDS[kind][1])
    if context.version < "4.1":
        _check_warehouse(context, warehouse)
    row = _find(state, kind, address, port)
    if not row:
        raise errors.execution(context.version,
                               f"{_KINDS[kind][1]} does not exists[{_shown(context, address, port)}]")
    _check_warehouse(context, warehouse)
    _check_cngroup(cngroup)
    return row


def _check_single_replica(context, state, row):
    """The guard of DROP BACKEND: it names the first table with one replica that is here (section 3.4).

    The real one goes through hash maps of databases and tables; here the oldest table comes first.
    """
    for database, name, table in sorted(catalog.tables(state), key=lambda item: item[2]["id"]):
        if table["replication_num"] == 1 and any(row["id"] in catalog.holders(tablet) for tablet in table["tablets"]):
            table_name = f"[{database}.{name}]"
            raise errors.execution(
                context.version,
                f"Tables such as {table_name} on the backend[{row['host']}:{row['heartbeat_port']}] have only one "
                f"replica. To avoid data loss, please change the replication_num of {table_name} to three. ALTER "
                "SYSTEM DROP BACKEND <backends> FORCE can be used to forcibly drop the backend. ")


def drop_backends(context, state, hosts, warehouse=None, cngroup=None, force=False):
    for host in hosts:
        row = _existing(context, state, "backends", host, warehouse, cngroup)
        if not force and state["run_mode"] == "shared_nothing":
            _check_single_replica(context, state, row)
        state["backends"].remove(row)
        catalog.forget_node(state, row["id"])


def drop_compute_nodes(context, state, hosts, warehouse=None, cngroup=None):
    for host in hosts:
        row = _existing(context, state, "compute_nodes", host, warehouse, cngroup)
        state["compute_nodes"].remove(row)


def _check_space_and_replicas(context, state, rows):
    """May these back ends leave (section 3.4)? Shared-nothing only."""
    leaving = {row["id"] for row in rows}
    staying = [row for row in state["backends"] if row["id"] not in leaving and row["alive"]
               and not row["decommissioned"]]
    if not any(disk["total"] for row in state["backends"] for disk in row["disks"]):
        raise errors.execution(context.version, "Cluster has no available capacity")
    needed = sum(disk["data_used"] for row in rows for disk in row["disks"])
    if needed > sum(disk["available"] for row in staying for disk in row["disks"]):
        raise errors.execution(context.version,
                               "It will cause insufficient disk space if these BEs are decommissioned.")
    for database, name, table in catalog.tables(state):
        if database != catalog.STATISTICS and len(staying) < table["replication_num"]:
            raise errors.execution(
                context.version, "It will cause insufficient BE number if these BEs are decommissioned because the "
                f"table {database}.{name} requires {table['replication_num']} replicas.")


def decommission_backends(context, state, hosts):
    rows = []
    for host, port in _addresses(context, hosts, "backend"):
        row = _find(state, "backends", host, port)
        if not row:
            raise errors.execution(context.version, f"Backend does not exist[{_shown(context, host, port)}]")
        if not row["decommissioned"]:
            rows.append(row)
    if rows and state["run_mode"] == "shared_nothing":
        _check_space_and_replicas(context, state, rows)
    for row in rows:
        row["decommissioned"] = True


def cancel_decommission(context, state, hosts):
    for host, port in _addresses(context, hosts, "backend"):
        row = _find(state, "backends", host, port)
        if not row:
            raise errors.execution(context.version, f"Backend does not exist[{_shown(context, host, port)}]"
                                   if context.version >= "3.3" else f"Backend does not exists[{host}]")
        row["decommissioned"] = False


def modify_backend_host(context, state, old, new):
    """Of several back ends on the host one alone is renamed, and up to 3.2 the answer says how many are left.

    From 3.3 on there is no answer (section 3.4; SystemInfoService.modifyBackendHost; the misspelling up to 3.0 is
    inferred from the age of its copies).
    """
    _check_new_host(context, old, new)
    if state["run_mode"] == "shared_data" and context.version >= "3.3":
        raise errors.execution(context.version, "modify backend host is not supported in shared-data cluster.")
    rows = [row for row in state["backends"] if row["host"] == old]
    if not rows:
        raise errors.execution(context.version, f"backend [{old}] not found")
    renamed, *left = rows
    message = f"{old}:{renamed['heartbeat_port']}'s host has been modified to {new}"
    if left:
        execute = "execute" if context.version >= "3.1" else "exectue"
        message += f"\nplease {execute} {len(left)} times, to modify the remaining backends\n"
        message += "".join(f"{old}:{row['heartbeat_port']}\n" for row in left)
    renamed["host"] = new
    if context.version >= "3.3":
        return None
    return {"columns": ["Message"], "types": ["text"], "rows": [[message]]}


def modify_backend(context, state, host, key, value):
    if key != "labels.location":
        raise errors.analysis(context.version, f"unsupported property: {key}")
    if value and not _LOCATION.fullmatch(value):
        raise errors.analysis(context.version, f"invalid location format: {value}, should be like: 'key:val'")
    parts = host.split(":")
    row = len(parts) == 2 and parts[1].isdigit() and _find(state, "backends", parts[0], int(parts[1]))
    if not row:
        raise errors.execution(context.version, f"backend [{host}] not found")
    row["location"] = re.sub(r"\s", "", value)


def alter_disks(context, state, **_arguments):
    """Refused in every version that was recorded (section 0.19); nor has AstBuilder of 3.2 anything for them."""
    raise errors.analysis(context.version, "not support")


# -- brokers ---------------------------------------------------------------------------------------

def add_brokers(context, state, name, hosts):
    if not name.strip():
        raise errors.analysis(context.version, "Broker's name can't be empty.")
    brokers = state["brokers"].get(name, [])
    addresses = _addresses(context, hosts, "broker")
    for host, port in addresses:
        if any((row["host"], row["port"]) == (host, port) for row in brokers):
            raise errors.execution(context.version, f"Broker({host}:{port}) has already in brokers.")
    state["brokers"][name] = brokers + [model.new_broker(host, port) for host, port in addresses]


def _brokers(context, state, name):
    if name not in state["brokers"]:
        raise errors.execution(context.version, f"Unknown broker name({name})")
    return state["brokers"][name]


def drop_brokers(context, state, name, hosts):
    """The name stays behind when its last address has gone (section 3.4)."""
    brokers = _brokers(context, state, name)
    for host, port in _addresses(context, hosts, "broker"):
        row = next((row for row in brokers if (row["host"], row["port"]) == (host, port)), None)
        if not row:
            raise errors.execution(context.version, f"Broker({host}:{port}) has not in brokers.")
        brokers.remove(row)


def drop_all_brokers(context, state, name):
    _brokers(context, state, name)
    del state["brokers"][name]
