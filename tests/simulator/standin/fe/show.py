# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SHOW statements and PROC paths print: tables of columns by version, values by function (section 1)."""

import json
import re

from standin.fe import catalog, errors, zones
from standin.fe.state import DEFAULT_WAREHOUSE, java_order

_UNITS = ((1024 ** 4, "TB"), (1024 ** 3, "GB"), (1024 ** 2, "MB"), (1024, "KB"))


class Table:
    """A result: column names and rows; a cell is a text, a number or None for NULL.

    types: "number" for columns that the client aligns to the right; all others are texts.
    """

    def __init__(self, columns, rows, types=()):
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]
        self.types = list(types) or ["text"] * len(self.columns)

    def packed(self):
        return {"columns": self.columns, "rows": self.rows, "types": self.types}


class View:
    """All that a listing is made from: the state as this front end has it, and the front end itself."""

    def __init__(self, frontend, zone=None):
        """zone: the session's time_zone; None for that of the process."""
        replica = frontend.replica
        self.zone = "Asia/Shanghai" if frontend.version == "4.1.0" else zone  # section 0.18
        self.version = frontend.version
        self.config = frontend.config
        self.state = replica.state
        self.own_name = replica.name
        self.kind = replica.kind
        self.leader = replica.known_leader
        self.journal_id = replica.journal_id
        self.shared_data = self.state["run_mode"] == "shared_data"

    def time(self, milliseconds):
        """A time as shown; None for never."""
        return zones.shown(milliseconds, self.zone)

    def size(self, amount, separator=" "):
        """``199.000 GB``. Up to 3.1.0 nothing at all is ``0.000 `` without a unit (section 1.3)."""
        for factor, unit in _UNITS:
            if amount >= factor:
                return f"{amount / factor:.3f}{separator}{unit}"
        if not amount and self.version < "3.1.1":
            return f"0.000{separator}"
        return f"{amount:.3f}{separator}B"


def like(pattern, flags=re.I):
    """A LIKE pattern as a compiled expression; behind a backslash a wildcard is none."""
    wildcards = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", pattern, re.S)
    return re.compile("".join(wildcards.get(part, re.escape(part[-1])) for part in parts), flags | re.S)


def _flag(value):
    return "true" if value else "false"


def _percent(part, whole):
    return f"{100 * part / whole if whole else 0:.2f} %"


# -- front ends (section 1.2) ----------------------------------------------------------------------

def _role(view, row):
    return "LEADER" if row["name"] == view.leader else row["role"]


def _own(view, row, own, other):
    return own if row["name"] == view.own_name else other


def _joined(view, row):
    """Nobody has joined as long as no leader is known (section 3.6), nor a dropped member in its own view (0.6)."""
    dropped = view.kind == "UNKNOWN" and row["name"] == view.own_name
    return _flag(row["joined"] and view.leader and not dropped)


_FRONTENDS = [
    # column, since, until, value
    ("Id", "3.5.0", None, lambda view, row: row["id"]),
    ("Name", None, None, lambda view, row: row["name"]),
    ("IP", None, None, lambda view, row: row["host"]),
    ("EditLogPort", None, None, lambda view, row: row["edit_log_port"]),
    ("HttpPort", None, None, lambda view, row: view.config.text("http_port")),
    ("QueryPort", None, None, lambda view, row: _own(view, row, view.config.text("query_port"), row["query_port"])),
    ("RpcPort", None, None, lambda view, row: _own(view, row, view.config.text("rpc_port"), row["rpc_port"])),
    ("Role", None, None, _role),
    ("ClusterId", None, None, lambda view, row: view.state["cluster_id"]),
    ("Join", None, None, _joined),
    ("Alive", None, None, lambda view, row: _flag(_own(view, row, True, row["alive"]))),
    ("ReplayedJournalId", None, None, lambda view, row: _own(view, row, view.journal_id, row["journal_id"])),
    ("LastHeartbeat", None, None, lambda view, row: view.time(row["last_heartbeat"])),
    ("IsHelper", None, None, lambda view, row: _flag(row["role"] == "FOLLOWER")),
    ("ErrMsg", None, None, lambda view, row: row["err_msg"]),
    ("StartTime", None, None,
     lambda view, row: view.time(row["start_time"]) if _own(view, row, True, row["alive"]) else "NULL"),
    ("Version", None, None, lambda view, row: row["version"] or _own(view, row, view.version.full, "NULL")),
]


# -- back ends and compute nodes (section 1.3, 1.4) ------------------------------------------------

class _Disks:
    """The sums that SHOW BACKENDS prints of a node's disks."""

    def __init__(self, row):
        self.used = sum(disk["data_used"] for disk in row["disks"])
        self.available = sum(disk["available"] for disk in row["disks"])
        self.total = sum(disk["total"] for disk in row["disks"])
        self.fullest = max((_percent(disk["total"] - disk["available"], disk["total"]) for disk in row["disks"]),
                           default="0.00 %", key=lambda text: float(text.split()[0]))


def _on_disk(value):
    """A column that shows something of the disks."""
    return lambda view, row: value(view, _Disks(row))


def _status(view, row):
    return json.dumps({"lastSuccessReportTabletsTime": view.time(row["report_time"]) or "N/A"}, separators=(",", ":"))


_SHARED = "shared_data"

_NODE_START = [
    ("IP", None, None, lambda view, row: row["host"]),
    ("HeartbeatPort", None, None, lambda view, row: row["heartbeat_port"]),
    ("BePort", None, None, lambda view, row: row["be_port"]),
    ("HttpPort", None, None, lambda view, row: row["http_port"]),
    ("BrpcPort", None, None, lambda view, row: row["brpc_port"]),
    ("LastStartTime", None, None, lambda view, row: view.time(row["start_time"])),
    ("LastHeartbeat", None, None, lambda view, row: view.time(row["last_heartbeat"])),
    ("Alive", None, None, lambda view, row: _flag(row["alive"])),
    ("SystemDecommissioned", None, None, lambda view, row: _flag(row["decommissioned"])),
    ("ClusterDecommissioned", None, None, lambda view, row: "false"),
]
_ERR_MSG = ("ErrMsg", None, None, lambda view, row: row["err_msg"])
_NODE_VERSION = ("Version", None, None, lambda view, row: row["version"])
_CPU_CORES = ("CpuCores", None, None, lambda view, row: row["cpu_cores"])
_MEM_LIMIT = ("MemLimit", "3.3.4", None, lambda view, row: view.size(row["mem_limit"], ""))
_LOAD = [
    ("NumRunningQueries", None, None, lambda view, row: 0),
    ("MemUsedPct", None, None, lambda view, row: "0.00 %"),
    ("CpuUsedPct", None, None, lambda view, row: "0.0 %"),
    ("DataCacheMetrics", "3.3.0", None, lambda view, row: "N/A"),
]
_STATUS_CODE = ("StatusCode", "3.4.0", None, lambda view, row: row["status_code"])
_WORKER = [
    ("StarletPort", "3.0.0", None, lambda view, row: row["starlet_port"], _SHARED),
    ("WorkerId", "3.0.0", None, lambda view, row: row["worker_id"], _SHARED),
    ("WarehouseName", "3.3.0", None, lambda view, row: row["warehouse"], _SHARED),
]
_TABLETS_OF_WORKER = (lambda view, row: catalog.tablets_on(view.state, row["id"]), _SHARED)

_BACKENDS = [
    ("BackendId", None, None, lambda view, row: row["id"]),
    *_NODE_START,
    ("TabletNum", None, None, lambda view, row: catalog.tablets_on(view.state, row["id"])),
    ("DataUsedCapacity", None, None, _on_disk(lambda view, disks: view.size(disks.used))),
    # a back end without a report counts as one byte, so that nothing is divided by zero
    ("AvailCapacity", None, None, _on_disk(lambda view, disks: view.size(disks.available or 1))),
    ("TotalCapacity", None, None, _on_disk(lambda view, disks: view.size(disks.total))),
    ("UsedPct", None, None, _on_disk(lambda view, disks: _percent(disks.total - disks.available, disks.total))),
    ("MaxDiskUsedPct", None, None, _on_disk(lambda view, disks: disks.fullest)),
    _ERR_MSG,
    _NODE_VERSION,
    ("Status", None, None, _status),
    ("DataTotalCapacity", None, None, _on_disk(lambda view, disks: view.size(
        disks.available + disks.used if disks.total else 0))),
    ("DataUsedPct", None, None, _on_disk(lambda view, disks: _percent(disks.used, disks.available + disks.used))),
    _CPU_CORES,
    _MEM_LIMIT,
    *_LOAD,
    ("Location", "3.2.8", None, lambda view, row: row["location"]),
    _STATUS_CODE,
    *_WORKER,
]

_COMPUTE_NODES = [
    ("ComputeNodeId", None, None, lambda view, row: row["id"]),
    *_NODE_START,
    _ERR_MSG,
    _NODE_VERSION,
    *[(name, max(since or "3.0.0", "3.0.0"), until, value) for name, since, until, value in
      (_CPU_CORES, _MEM_LIMIT, *_LOAD)],
    ("HasStoragePath", "3.1.1", None, lambda view, row: _flag(row["has_storage_path"])),
    _STATUS_CODE,
    *[(name, max(since, "3.1.0"), *more) for name, since, *more in _WORKER],
    ("TabletNum", "3.1.10", "3.2.0", *_TABLETS_OF_WORKER),
    ("TabletNum", "3.2.5", None, *_TABLETS_OF_WORKER),
]

_BROKERS = [
    ("Name", None, None, lambda view, row: row["name"]),
    ("IP", None, None, lambda view, row: row["host"]),
    ("Port", None, None, lambda view, row: row["port"]),
    ("Alive", None, None, lambda view, row: _flag(row["alive"])),
    ("LastStartTime", None, None, lambda view, row: view.time(row["start_time"])),
    ("LastUpdateTime", None, None, lambda view, row: view.time(row["last_update"])),
    ("ErrMsg", None, None, lambda view, row: row["err_msg"]),
]


def _nodes(kind):
    return lambda view: sorted(view.state[kind], key=lambda row: (row["host"], row["be_port"]))


def _frontends(view):
    by_name = {row["name"]: row for row in view.state["frontends"]}
    return [by_name[name] for name in java_order(list(by_name))]


def _brokers(view):
    result = []
    for name in java_order(list(view.state["brokers"])):
        brokers = view.state["brokers"][name]
        for host in java_order(list(dict.fromkeys(broker["host"] for broker in brokers))):
            result += [dict(broker, name=name) for broker in brokers if broker["host"] == host]
    return result


_LISTINGS = {
    "frontends": (_FRONTENDS, _frontends),
    "backends": (_BACKENDS, _nodes("backends")),
    "compute_nodes": (_COMPUTE_NODES, _nodes("compute_nodes")),
    "brokers": (_BROKERS, _brokers),
}


def _shown(version, kind, shared_data):
    return [column for column in _LISTINGS[kind][0]
            if version.within(column[1], column[2]) and (len(column) == 4 or shared_data)]


def columns(version, kind, shared_data):
    """The names of the columns that a version shows of one kind of node, in their order."""
    return [column[0] for column in _shown(version, kind, shared_data)]


def listing(view, kind):
    """The table of one kind of node; every cell is a text (section 1.1)."""
    cells = [[column[3](view, row) for column in _shown(view.version, kind, view.shared_data)]
             for row in _LISTINGS[kind][1](view)]
    return Table(columns(view.version, kind, view.shared_data),
                 [[None if cell is None else str(cell) for cell in row] for row in cells])


# WHERE, ORDER BY and LIMIT of 4.2 (4.2.0 transcript 18). Values are compared as texts, with a number as numbers; what
# cannot be compared, a truth value for one, is refused. ORDER BY changes nothing, as recorded.

_COMPARISONS = {"=": lambda left, right: left == right, "!=": lambda left, right: left != right,
                "<": lambda left, right: left < right, "<=": lambda left, right: left <= right,
                ">": lambda left, right: left > right, ">=": lambda left, right: left >= right,
                "like": lambda left, right: bool(like(right, flags=0).fullmatch(left))}


class _Incomparable(Exception):
    """A comparison that the server leaves unsolved."""


def _compared(cell, operator, value):
    if isinstance(value, bool) or value is None:
        raise _Incomparable
    if isinstance(value, str):
        return _COMPARISONS[operator](cell, value)
    try:
        return operator != "like" and _COMPARISONS[operator](float(cell), value)
    except ValueError:
        raise _Incomparable from None


def _holds(where, cells):
    """Does a filter hold for a row, ``{column in lower case: text}``? Raises SqlError for a column that is none."""
    kind = where[0]
    if kind == "not":
        return not _holds(where[1], cells)
    if kind in ("and", "or"):
        left, right = (_holds(part, cells) for part in where[1:])
        return left and right if kind == "and" else left or right
    column = where[1]
    if column.lower() not in cells:
        raise errors.SqlError(f"Can't get column {column}")
    cell = cells[column.lower()]
    if cell is None:
        return False
    if kind == "in":
        return any(_compared(cell, "=", value) for value in where[2])
    return _compared(cell, *where[2:])


def _sql(where):
    """A filter as the server writes it."""
    def constant(value):
        return f"'{value}'" if isinstance(value, str) else str("NULL" if value is None else value).upper()

    kind = where[0]
    if kind == "not":
        return f"NOT ({_sql(where[1])})"
    if kind in ("and", "or"):
        return f"({_sql(where[1])}) {kind.upper()} ({_sql(where[2])})"
    if kind == "in":
        return f"{where[1]} IN ({', '.join(constant(value) for value in where[2])})"
    return f"{where[1]} {where[2].upper()} {constant(where[3])}"


def filtered(table, where=None, order=None, limit=None):
    """What WHERE and LIMIT leave of a table. Raises SqlError."""
    rows = table.rows
    if where:
        names = [name.lower() for name in table.columns]
        try:
            rows = [row for row in rows if _holds(where, dict(zip(names, row)))]
        except _Incomparable:
            raise errors.SqlError(f"doesn't support predicate: {_sql(where)}") from None
    if limit:
        first, count = limit if len(limit) == 2 else (0, limit[0])
        rows = rows[first:first + count]
    return Table(table.columns, rows, table.types)


# -- SHOW PROC (section 1.8) -----------------------------------------------------------------------

_ROOT = [
    # path, since, until
    ("auth", None, "3.0"), ("backends", None, None), ("compute_nodes", None, None), ("dbs", None, None),
    ("jobs", None, None), ("statistic", None, None), ("tasks", None, None), ("frontends", None, None),
    ("brokers", None, None), ("resources", None, None), ("load_error_hub", None, None), ("transactions", None, None),
    ("monitor", None, None), ("current_queries", None, None), ("current_backend_instances", None, None),
    ("cluster_balance", None, None), ("routine_loads", None, None), ("stream_loads", None, None),
    ("colocation_group", None, None), ("catalog", None, None), ("compactions", "3.1", None),
    ("warehouses", "3.1", None), ("meta_recovery", "3.1", None), ("replications", "3.1", None),
    ("global_current_queries", "3.3", None), ("historical_nodes", "3.5.1", None),
]

_STATISTIC = ("DbId", "DbName", "TableNum", "PartitionNum", "IndexNum", "TabletNum", "ReplicaNum",
              "UnhealthyTabletNum", "InconsistentTabletNum", "CloningTabletNum", "ErrorStateTabletNum")
_BALANCE_ITEMS = (("balance_stat", "3.5.1"), ("cluster_load_stat", None), ("working_slots", None),
                  ("sched_stat", None), ("priority_repair", None), ("pending_tablets", None),
                  ("running_tablets", None), ("history_tablets", None), ("all_tablets", None))
_QUERIES = {"2.5": ("QueryId", "ConnectionId", "Database", "User", "ScanBytes", "ProcessRows", "ExecTime"),
            "3.1": ("StartTime", "QueryId", "ConnectionId", "Database", "User", "ScanBytes", "ScanRows", "MemoryUsage",
                    "DiskSpillSize", "CPUTime", "ExecTime"),
            "3.2": ("StartTime", "QueryId", "ConnectionId", "Database", "User", "ScanBytes", "ScanRows", "MemoryUsage",
                    "DiskSpillSize", "CPUTime", "ExecTime", "Warehouse"),
            "3.3": ("StartTime", "feIp", "QueryId", "ConnectionId", "Database", "User", "ScanBytes", "ScanRows",
                    "MemoryUsage", "DiskSpillSize", "CPUTime", "ExecTime", "Warehouse"),
            "3.5": ("StartTime", "feIp", "QueryId", "ConnectionId", "Database", "User", "ScanBytes", "ScanRows",
                    "MemoryUsage", "DiskSpillSize", "CPUTime", "ExecTime", "ExecProgress", "Warehouse",
                    "CustomQueryId", "ResourceGroup")}


def _statistic(view):
    rows = []
    for name, database in sorted(view.state["databases"].items()):
        tables = database["tables"].values()
        tablets = [tablet for table in tables for tablet in table["tablets"]]
        rows.append([str(database["id"]), name, len(tables), len(tables), len(tables), len(tablets),
                     sum(len(tablet["replicas"]) for tablet in tablets), catalog.unhealthy(view.state, tables),
                     0, 0, 0])
    total = ["Total", len(rows)] + [sum(row[column] for row in rows) for column in range(2, len(_STATISTIC))]
    total[7] += int(view.config.fault("unhealthy_tablets") or 0)
    return Table(_STATISTIC, [[str(cell) for cell in row] for row in [*rows, total]])


def _balance(view):
    moved = catalog.moved_at_once(view.config)
    moving = catalog.pending(view.state) if moved else 0
    running = min(moving, moved)
    numbers = {"cluster_load_stat": 1, "sched_stat": 1, "all_tablets": moving,
               "pending_tablets": moving - running, "running_tablets": running,
               "balance_stat": 1}
    return Table(("Item", "Number"), [(item, str(numbers.get(item, 0))) for item, since in _BALANCE_ITEMS
                                      if view.version.within(since, None)])


def _queries(view):
    columns = next(names for since, names in reversed(_QUERIES.items()) if view.version >= since)
    return Table(columns, [])


# What lists the nodes and the groups of a warehouse is empty for the one that there is (transcripts 18, 19); columns:
# StarRocks' ShowResultMetaFactory, 4.0.
WAREHOUSE_NODES = Table(
    ("WarehouseName", "CNGroupId", "WorkerGroupId", "NodeId", "WorkerId", "IP", "HeartbeatPort", "BePort", "HttpPort",
     "BrpcPort", "StarletPort", "LastStartTime", "LastUpdateMs", "Alive", "ErrMsg", "Version", "NumRunningQueries",
     "CpuCores", "MemUsedPct", "CpuUsedPct", "CNGroupName"), [])
CNGROUPS = Table(("CNGroupId", "CNGroupName", "WorkerGroupId", "ComputeNodeIds", "Pending", "Running", "Enabled",
                  "Properties"), [])


def warehouses(_view):
    """SHOW WAREHOUSES: the one there is without the enterprise edition (4.0.0, 4.1.0 transcripts 19)."""
    return Table(("Id", "Name", "State", "NodeCount", "CurrentClusterCount", "MaxClusterCount", "StartedClusters",
                  "RunningSql", "QueuedSql", "CreatedOn", "ResumedOn", "UpdatedOn", "Property", "Comment"),
                 [("0", DEFAULT_WAREHOUSE, "AVAILABLE", "0", "1", "1", "1", "0", "0", "", "", "", "",
                   "An internal warehouse init after FE is ready")])


def _disks(view, number):
    if not number.isdigit():
        raise errors.execution(view.version, f"Invalid backend id format: {number}")
    node = next((row for row in view.state["backends"] if row["id"] == int(number)), None)
    if not node:
        raise errors.execution(view.version, f"Backend[{number}] does not exist.")
    tablets = str(catalog.tablets_on(view.state, node["id"]))
    rows = []
    for disk in node["disks"]:
        used, available, total = disk["data_used"], disk["available"], disk["total"]
        rows.append((disk["root_path"], view.size(used), view.size(max(0, total - available - used)),
                     view.size(available), view.size(total), _percent(total - available, total), disk["state"],
                     str(disk["path_hash"]), disk["medium"], tablets, view.size(available + used),
                     _percent(used, available + used)))
    return Table(("RootPath", "DataUsedCapacity", "OtherUsedCapacity", "AvailCapacity", "TotalCapacity",
                  "TotalUsedPct", "State", "PathHash", "StorageMedium", "TabletNum", "DataTotalCapacity",
                  "DataUsedPct"), rows)


def proc(view, path):
    """SHOW PROC: the table at a path. Raises SqlError for a path that is none."""
    unknown = f"Unknown proc node path: {path}. msg: "
    if not path.startswith("/"):
        raise errors.analysis(view.version, f"{unknown}Path({path}) does not start with '/'")
    names = [name for name, since, until in _ROOT if view.version.within(since, until)]
    parts = [part for part in path.split("/") if part]
    if not parts:
        return Table(("name",), [(name,) for name in java_order(names)])
    if parts[0] not in names:
        raise errors.analysis(view.version, f"{unknown}Cannot find path: {path}")
    if len(parts) == 2 and parts[0] == "backends":
        return _disks(view, parts[1])
    if len(parts) == 1 and parts[0] in _LISTINGS:
        return listing(view, parts[0])
    special = {"statistic": _statistic, "cluster_balance": _balance, "current_queries": _queries,
               "global_current_queries": _queries, "warehouses": warehouses}.get(parts[0])
    return special(view) if special and len(parts) == 1 else Table(("name",), [])
