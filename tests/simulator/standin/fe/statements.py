# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client's session, and the statements: who may run which, and where it runs (section 1.1, 2, 3.6)."""

import itertools
import re
import uuid

from standin.fe import be_configs, catalog, errors, grammar, nodes, selects, settings, show, users, variables, zones
from standin.fe.replication import NotLeader
from standin.fe.show import Table, View
from standin.fe.state import DEFAULT_WAREHOUSE

_numbers = itertools.count(1)

# PROC paths that only the leader knows (section 1.1).
_LEADER_PATHS = ("cluster_balance", "routine_loads", "transactions", "compactions", "replications")

_NODE = ("NODE",)
_OPERATE = ("OPERATE",)
_EITHER = ("OPERATE", "NODE")
_GRANT = ("GRANT",)
_BLACKLIST = ("BLACKLIST",)
_CREATE = ("CREATE DATABASE",)

# Statements that change the state, on the leader: name -> (needed privileges, function(context, state, ...)).
_WRITES = {
    "add_frontend": (_NODE, nodes.add_frontend),
    "drop_frontend": (_NODE, nodes.drop_frontend),
    "modify_frontend_host": (_NODE, nodes.modify_frontend_host),
    "add_backends": (_NODE, nodes.add_backends),
    "drop_backends": (_NODE, nodes.drop_backends),
    "decommission_backends": (_NODE, nodes.decommission_backends),
    "cancel_decommission": (_NODE, nodes.cancel_decommission),
    "modify_backend_host": (_NODE, nodes.modify_backend_host),
    "modify_backend": (_NODE, nodes.modify_backend),
    "alter_disks": (_NODE, nodes.alter_disks),
    "add_compute_nodes": (_NODE, nodes.add_compute_nodes),
    "drop_compute_nodes": (_NODE, nodes.drop_compute_nodes),
    "add_brokers": (_NODE, nodes.add_brokers),
    "drop_brokers": (_NODE, nodes.drop_brokers),
    "drop_all_brokers": (_NODE, nodes.drop_all_brokers),
    "clean_scheduler_queue": (_NODE, lambda context, state: None),
    "create_user": (_GRANT, users.create_user),
    "alter_user": (_GRANT, users.alter_user),
    "drop_user": (_GRANT, users.drop_user),
    "set_password": (_GRANT, users.set_password),
    **{name: (_GRANT, users.by_version(name)) for name in (
        "set_default_role", "create_role", "drop_role", "grant_privilege", "revoke_privilege", "grant_role",
        "revoke_role")},
    "create_database": (_CREATE, lambda context, state, **more: catalog.create_database(
        context.version, state, **more)),
    "drop_database": (_CREATE, lambda context, state, force=False, **more: catalog.drop_database(
        context.version, state, **more)),
    "create_table": (_CREATE, lambda context, state, table, **more: catalog.create_table(
        context.version, state, context.config, table, current_database=context.database, **more)),
    "drop_table": (_CREATE, lambda context, state, table, force=False, **more: catalog.drop_table(
        context.version, state, table, context.database, **more)),
}

# Writes that 3.3 and later do address by address: those before a wrong one stay done (section 3.4).
_ONE_BY_ONE = ("drop_backends", "drop_compute_nodes", "drop_brokers")

# What may be set without any effect here.
_SETS_NOTHING = re.compile(r"\s*(NAMES|CHARSET|CHAR\s+SET|CHARACTER\s+SET|((GLOBAL|SESSION)\s+)?TRANSACTION)\b", re.I)

_LISTINGS = {"show_frontends": "frontends", "show_backends": "backends", "show_compute_nodes": "compute_nodes",
             "show_brokers": "brokers"}

# Other statements that the leader alone answers.
_LEADER_READS = ("show_frontends", "show_backends", "show_compute_nodes", "create_image")

# SHOW PROCESSLIST: (column, since, value) (transcripts 18).
_PROCESSES = [
    ("ServerName", "3.3", lambda session, view: view.own_name),
    ("Id", None, lambda session, view: str(session.number)),
    ("User", None, lambda session, view: session.name),
    ("Host", None, lambda session, view: f"{session.host}:{session.port}"),
    ("Db", None, lambda session, view: session.database or ""),
    ("Command", None, lambda session, view: "Query"),
    ("ConnectionStartTime", None, lambda session, view: view.time(session.connected)),
    ("Time", None, lambda session, view: "0"),
    ("State", None, lambda session, view: "OK"),
    ("Info", None, lambda session, view: session.statement),
    ("IsPending", "3.1", lambda session, view: "false"),
    ("Warehouse", "3.2", lambda session, view: DEFAULT_WAREHOUSE),
    ("CNGroup", "4.0", lambda session, view: ""),
    ("Catalog", "4.1", lambda session, view: "default_catalog"),
    ("QueryId", "4.1", lambda session, view: str(uuid.uuid4())),
]

# Never in fe.audit.log with their words.
_SECRET = ("create_user", "alter_user", "set_password")


class Session:
    """One connection of a client: who it is, its roles, its database and its variables."""

    def __init__(self, frontend, user, host, database=None, active_roles=None, set_variables=None):
        self.frontend = frontend
        self.user = user
        self.host = host
        self.database = database
        self.number = next(_numbers)
        self.port = 0
        self.connected = frontend.now()
        self.statement = ""
        self.variables = dict(set_variables or {})
        record = frontend.replica.state["users"].get(user)
        self.active_roles = list((record or {}).get("default_roles", ()) if active_roles is None else active_roles)

    # what the functions of nodes, users and catalog call their context
    @property
    def version(self):
        return self.frontend.version

    @property
    def config(self):
        return self.frontend.config

    @property
    def host_type(self):
        return self.frontend.host_type

    @property
    def leader_name(self):
        return self.frontend.replica.name

    @property
    def name(self):
        return self.user.rsplit("@", 1)[0]

    @property
    def shown_user(self):
        return users.shown(self.user)

    def variable(self, name):
        """The value of @@name. Raises SqlError 1193 for one that is unknown."""
        values = self.all_variables()
        if name.lower() not in values:
            raise errors.SqlError(f"Unknown system variable '{name}'", 1193, "HY000")
        return variables.selected(values[name.lower()])

    def all_variables(self):
        return {**variables.of(self.config, self.frontend.replica.state), **self.variables}

    def use(self, database):
        if database not in self.frontend.replica.state["databases"]:
            raise errors.SqlError(f"Unknown database '{database}'", 1049, "42000")
        self.database = database

    # -- running -----------------------------------------------------------------------------------

    def execute(self, text):
        """Run one statement; returns a Table, or None for "Query OK". Raises SqlError."""
        name, arguments = grammar.parse(text, self.version)
        self.statement = name if name in _SECRET else text
        self.frontend.log.audit(self.user, self.statement)
        if self._belongs_to_leader(name, arguments) and not self.frontend.replica.leads:
            return self.frontend.forwarder.forward(self, text)
        try:
            return self._run(name, arguments)
        except NotLeader:
            return self.frontend.forwarder.forward(self, text)

    def _belongs_to_leader(self, name, arguments):
        if name == "show_proc":
            first = arguments["path"].strip("/").split("/")[0]
            return first in _LEADER_PATHS or self.variables.get("forward_to_leader") == "true"
        if name == "set_config":
            return self.version >= "3.5"
        if name == "set_variables":
            return bool(re.match(r"\s*GLOBAL\b", arguments["assignments"], re.I))
        # a front end that was dropped answers nothing by itself but SHOW PROC (section 0.6)
        return name in _WRITES or name in _LEADER_READS or (self.frontend.replica.kind == "UNKNOWN"
                                                            and name != "show_brokers")

    def run_as_leader(self, text):
        """Run a statement that another front end forwarded. Raises NotLeader if this one does not lead."""
        if not self.frontend.replica.leads:
            raise NotLeader
        return self._run(*grammar.parse(text, self.version))

    def _run(self, name, arguments):
        if name in _WRITES:
            return self._write(name, arguments)
        if name in _LISTINGS:
            self._require(_EITHER)
            self.frontend.check_group(_LISTINGS[name])
            return show.filtered(show.listing(self._view(), _LISTINGS[name]), **arguments)
        return getattr(self, f"_{name}")(**arguments)

    def _view(self):
        everyone = self.frontend.replica.state.get("variables", {})
        return View(self.frontend, self.variables.get("time_zone") or everyone.get("time_zone"))

    def _require(self, privileges, target="SYSTEM", statement=None):
        users.require(self, privileges, target, statement)

    def _write(self, name, arguments):
        privileges, function = _WRITES[name]
        if not (name == "set_password" and arguments.get("user", self.user) == self.user):
            self._require(privileges, "CATALOG default_catalog" if privileges is _CREATE else "SYSTEM", name)
        if name in _ONE_BY_ONE and self.version >= "3.3":
            for host in arguments["hosts"]:
                one = {**arguments, "hosts": [host]}
                self.frontend.replica.write(lambda state, one=one: function(self, state, **one))
            return None
        answer = self.frontend.replica.write(lambda state: function(self, state, **arguments))
        return Table(answer["columns"], answer["rows"], answer["types"]) if answer else None

    # -- statements that change no state -----------------------------------------------------------

    def _show_proc(self, path):
        self._require(_OPERATE)
        self.frontend.check_group(path.strip("/"))
        return show.proc(self._view(), path)

    def _show_config(self, pattern=None, **filters):
        self._require(_OPERATE)
        return show.filtered(settings.show_config(self.config, pattern), **filters)

    def _set_config(self, key, value, persistent=False):
        self._require(_OPERATE)
        settings.set_everywhere(self.frontend, self.name, key, value, persistent)

    def _create_image(self):
        self._require(_NODE)
        self.frontend.images.request()

    def _show_grants(self, user=None, role=None, everybody=None):
        if everybody or role or user not in (None, self.user):
            self._require(_GRANT)
        state, rights = self.frontend.replica.state, users.rights(self.version)
        keys = list(state["users"]) if everybody else [user or self.user]
        return Table(rights.GRANTS_COLUMNS,
                     [row for key in keys for row in rights.grants_rows(self, state, key, role)])

    def _show_roles(self):
        self._require(_GRANT)
        return Table(*users.rights(self.version).roles_table(self, self.frontend.replica.state))

    def _show_users(self, which):
        if which == "USERS":
            self._require(_GRANT)
        return Table(("User",), [(users.shown(key),) for key in self.frontend.replica.state["users"]
                                 if which == "USERS" or key == self.user])

    def _show_authentication(self, everybody=False, user=None):
        state = self.frontend.replica.state
        if everybody or user not in (None, self.user):
            self._require(_GRANT)
        keys = list(state["users"]) if everybody else [user or self.user]
        return Table(("UserIdentity", "Password", "AuthPlugin", "UserForAuthPlugin"),
                     users.authentication_rows(self, state, keys))

    def _set_role(self, roles):
        self.active_roles = users.rights(self.version).named_roles(self, self.frontend.replica.state, self.user, roles)

    def _execute_as(self, user, no_revert=False):
        if not no_revert:
            raise errors.analysis(self.version, "`EXECUTE AS` must use with `WITH NO REVERT` for now!")
        record = users.rights(self.version).user_of(self, self.frontend.replica.state, user)
        self._require(("IMPERSONATE",), f"USER {users.shown(user)}")
        self.user, self.active_roles = user, list(record["default_roles"])

    def _set_variables(self, assignments):
        for part in assignments.split(","):
            match = re.fullmatch(r"\s*(GLOBAL\s+|SESSION\s+|@@(?:\w+\.)?)?([\w.]+)\s*:?=\s*(.*?)\s*", part, re.I | re.S)
            if not match and _SETS_NOTHING.match(part):
                continue
            if not match:
                raise errors.syntax(self.version, 1, 4, f"Unexpected input '{part.split()[0]}'" if part.split() else
                                    "Unexpected input '<EOF>'")
            scope, name, value = match.groups()
            value = value.strip("'\"")
            if name.lower() == "time_zone":
                value = zones.standard(self.version, value)
            if (scope or "").strip().upper() == "GLOBAL":
                self._require(_OPERATE)
                change = {name.lower(): value}
                self.frontend.replica.write(
                    lambda state, change=change: state.setdefault("variables", {}).update(change))
            else:
                self.variables[name.lower()] = value

    def _show_variables(self, scope=None, pattern=None, where=None):
        if where:
            match = re.search(r"""["']([^"']*)["']""", where)
            pattern = match.group(1) if match else "%"
        matcher = show.like(pattern if pattern is not None else "%")
        return Table(("Variable_name", "Value"), [(name, value) for name, value in sorted(self.all_variables().items())
                                                  if matcher.fullmatch(name)])

    def _show_databases(self, pattern="%"):
        matcher = show.like(pattern)
        return Table(("Database",), [(name,) for name in sorted(self.frontend.replica.state["databases"])
                                     if matcher.fullmatch(name)])

    def _show_tables(self, preposition=None, database=None, pattern="%"):
        name = database or self.database
        found = self.frontend.replica.state["databases"].get(name)
        if found is None:
            raise errors.SqlError(f"Unknown database '{name}'" if name else "No database selected",
                                  1049 if name else 1046, "42000" if name else "3D000")
        matcher = show.like(pattern)
        return Table((f"Tables_in_{name}",),
                     [(table,) for table in sorted(found["tables"]) if matcher.fullmatch(table)])

    def _show_empty(self):
        return Table(("Empty",), [])

    def _show_processlist(self, full=False, **filters):
        view = self._view()
        columns = [(name, value) for name, since, value in _PROCESSES if self.version.within(since, None)]
        rows = [[value(session, view) for _name, value in columns] for session in self.frontend.sessions()]
        names = [name for name, _value in columns]
        return show.filtered(Table(names, rows, ["number" if name == "Time" else "text" for name in names]), **filters)

    def _use(self, name):
        self.use(name)

    def _select(self, list):
        return selects.select(self, list)

    def _update_be_configs(self, value, where=None):
        self._require(_OPERATE)
        be_configs.update(self.frontend, value, where)

    # -- warehouses, snapshots, replicas -----------------------------------------------------------

    def _show_warehouses(self, pattern="%"):
        view = self._view()
        if not view.shared_data:
            raise errors.shared_data_only(self.version)
        table = show.warehouses(view)
        return Table(table.columns, [row for row in table.rows if show.like(pattern).fullmatch(row[1])])

    def _show_warehouse_nodes(self, **_what):
        return show.WAREHOUSE_NODES

    def _show_cngroups(self, **_what):
        return show.CNGROUPS

    def _change_warehouse(self, **_how):
        raise errors.execution(self.version, "Multi-Warehouse is not implemented")

    def _change_cngroup(self, **_how):
        raise errors.execution(self.version, "CnGroup is not implemented")

    def _show_automated_snapshot(self):
        self._require(_OPERATE)
        return Table(("Enabled", "Interval", "StorageVolume", "LastSnapshotTime", "NextSnapshotTime"),
                     [("false", None, None, None, None)])

    def _require_shared_data(self):
        self._require(_OPERATE)
        if not self._view().shared_data:
            raise errors.analysis(self.version, "Automated snapshot only support share data mode")

    def _set_automated_snapshot(self, switch, volume="builtin_storage_volume", interval=None):
        """Nobody can turn it on: there are no storage volumes here (transcripts 18, 19)."""
        self._require_shared_data()
        if switch == "OFF":
            self._alter_automated_snapshot()
        raise errors.analysis(self.version, f"Unknown storage volume: {volume}")

    def _alter_automated_snapshot(self, interval=None):
        self._require_shared_data()
        raise errors.analysis(self.version, "Automated snapshot has not been turned on")

    def _execute_on_frontend(self, script):
        self._require(_OPERATE)
        return Table(("result",), [("",)])

    def _execute_on_one(self, numbers, script):
        """No back end here runs scripts."""
        self._require(_OPERATE)
        raise errors.execution(self.version, f"execute script on backend {numbers[0]} failed: not supported")

    def _execute_on_all(self, script):
        self._require(_OPERATE)
        return Table(("node_id", "status", "result"), [
            (str(node["id"]), "ERROR",
             f"submit failed for TNetworkAddress(hostname:{node['host']}, port:{node['brpc_port']})")
            for node in self.frontend.replica.state["backends"] if node["alive"]])

    def _show_replica_status(self, table):
        self._require(_OPERATE)
        return Table(("TabletId", "ReplicaId", "BackendId", "Version", "LastFailedVersion", "LastSuccessVersion",
                      "CommittedVersion", "SchemaHash", "VersionNum", "IsBad", "IsSetBadForce", "State", "Status"),
                     catalog.replica_status(self.frontend.replica.state, table, self.database))

    def _show_replica_distribution(self, table):
        self._require(_OPERATE)
        return Table(("BackendId", "ReplicaNum", "Graph", "Percent"),
                     catalog.replica_distribution(self.frontend.replica.state, table, self.database))

    def _show_tablet_status(self, table):
        raise errors.analysis(self.version, "Only support show tablet status for cloud native table or materialized "
                              "view")

    def _skip_transaction(self, numbers, reason=None):
        self._require(_OPERATE)
        raise errors.SqlError(
            "ADMIN SKIP COMMITTED TRANSACTION is disabled. Set FE config enable_admin_skip_committed_txn=true to "
            "enable it. This is an operator-only escape hatch that discards transaction data; disable it again "
            "immediately after recovery.")

    def _refresh_connections(self):
        return None

    # -- blacklists: of this front end alone, in memory --------------------------------------------

    def _change_blacklist(self, ids, kind, title, change):
        self._require(_BLACKLIST)
        known = {node["id"] for node in self.frontend.replica.state[kind]}
        for number in ids:
            if number not in known and (change == self.frontend.blacklist.add or self.version >= "4.0"):
                raise errors.SqlError(f"Not found {title}: {number}")
        for number in ids:
            change(number)

    def _blacklist(self, kind, column):
        """Up to 3.5 one list for all nodes. Times are in the zone of the process, whatever the session's (0.18)."""
        self._require(_BLACKLIST)
        members = {node["id"] for node in self.frontend.replica.state[kind]}
        period = self.config.text("black_host_connect_failures_within_time") or "5"
        return Table((column, "AddBlackListType", "LostConnectionTime", "LostConnectionNumberInPeriod",
                      "CheckTimePeriod(s)"),
                     [(str(number), kind, zones.shown(since, None), str(failures), period)
                      for number, kind, since, failures in self.frontend.blacklist.rows()
                      if number in members or self.version < "4.0"])

    def _add_blacklist(self, ids):
        self._change_blacklist(ids, "backends", "backend", self.frontend.blacklist.add)

    def _delete_blacklist(self, ids):
        self._change_blacklist(ids, "backends", "backend", self.frontend.blacklist.remove)

    def _show_blacklist(self):
        return self._blacklist("backends", "BackendId")

    def _add_cn_blacklist(self, ids):
        self._change_blacklist(ids, "compute_nodes", "compute node", self.frontend.blacklist.add)

    def _delete_cn_blacklist(self, ids):
        self._change_blacklist(ids, "compute_nodes", "compute node", self.frontend.blacklist.remove)

    def _show_cn_blacklist(self):
        return self._blacklist("compute_nodes", "ComputeNodeId")
