# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and privileges of 3.0 and later, as far as operating a cluster needs them (section 2.3, 3.6; transcript 10).

What transcripts do not show is from StarRocks' source: AuthorizationAnalyzer, AuthorizationMgr, ShowGrantsExecutor,
AST2StringBuilder, DefaultAuthorizationProvider.

A grant is ``[type, object, [privilege, ...], grantable]``: ``["SYSTEM", "", ["OPERATE"], False]``,
``["TABLE", "db.t", ["SELECT"], False]``, ``["TABLE", "ALL TABLES IN DATABASE db", ["SELECT"], False]``.
"""

import re

from standin.fe import errors, grammar

# Type of object -> (plural, its privileges in the order in which they are shown).
TYPES = {
    "SYSTEM": ("", ("GRANT", "NODE", "CREATE RESOURCE", "PLUGIN", "FILE", "BLACKLIST", "OPERATE",
                    "CREATE EXTERNAL CATALOG", "REPOSITORY", "CREATE RESOURCE GROUP", "CREATE GLOBAL FUNCTION",
                    "CREATE STORAGE VOLUME", "CREATE WAREHOUSE", "SECURITY")),
    "CATALOG": ("CATALOGS", ("USAGE", "CREATE DATABASE", "DROP", "ALTER")),
    "DATABASE": ("DATABASES", ("CREATE TABLE", "DROP", "ALTER", "CREATE VIEW", "CREATE FUNCTION",
                               "CREATE MATERIALIZED VIEW", "CREATE PIPE")),
    "TABLE": ("TABLES", ("DELETE", "DROP", "INSERT", "SELECT", "ALTER", "EXPORT", "UPDATE")),
    "VIEW": ("VIEWS", ("SELECT", "ALTER", "DROP")),
    "MATERIALIZED VIEW": ("MATERIALIZED VIEWS", ("ALTER", "REFRESH", "DROP", "SELECT")),
    "USER": ("USERS", ("IMPERSONATE",)),
    "RESOURCE": ("RESOURCES", ("USAGE", "ALTER", "DROP")),
    "RESOURCE GROUP": ("RESOURCE GROUPS", ("ALTER", "DROP")),
    "FUNCTION": ("FUNCTIONS", ("USAGE", "DROP")),
    "GLOBAL FUNCTION": ("GLOBAL FUNCTIONS", ("USAGE", "DROP")),
    "STORAGE VOLUME": ("STORAGE VOLUMES", ("DROP", "ALTER", "USAGE")),
    "PIPE": ("PIPES", ("ALTER", "DROP", "USAGE")),
    "WAREHOUSE": ("WAREHOUSES", ("USAGE", "ALTER", "DROP")),
}
_SINCE = {"CREATE STORAGE VOLUME": "3.1", "STORAGE VOLUME": "3.1", "CREATE PIPE": "3.2", "PIPE": "3.2",
          "CREATE WAREHOUSE": "3.3", "WAREHOUSE": "3.3", "SECURITY": "3.5"}
_IN_DATABASES = ("TABLE", "VIEW", "MATERIALIZED VIEW", "FUNCTION", "PIPE")
# These only come with a built-in role (section 0.11).
_NEVER_GRANTED = ("NODE", "GRANT")
# The objects that exist without anybody making them, of the types that nothing here can make.
_THERE = {"CATALOG": ("default_catalog",), "WAREHOUSE": ("default_warehouse",), "RESOURCE GROUP": ("default_wg",)}

# Name -> (since, comment), in the order of SHOW ROLES.
BUILT_IN_ROLES = {
    "root": ("3.0", "built-in root role which has all privileges on all objects"),
    "db_admin": ("3.0", "built-in database administration role"),
    "cluster_admin": ("3.0", "built-in cluster administration role"),
    "user_admin": ("3.0", "built-in user administration role"),
    "public": ("3.0", "built-in public role which is owned by any user"),
    "security_admin": ("3.5", "built-in security administration role"),
}
_DB_ADMIN_TYPES = ("CATALOG", "DATABASE", "TABLE", "VIEW", "MATERIALIZED VIEW", "RESOURCE", "RESOURCE GROUP",
                   "FUNCTION", "GLOBAL FUNCTION", "STORAGE VOLUME", "PIPE")

_ROLE_NAME = re.compile(r"[a-zA-Z]\w{0,63}|_[a-zA-Z0-9]\w{0,62}", re.ASCII)


def _privileges_of(version, kind):
    return [name for name in TYPES[kind][1] if version >= _SINCE.get(name, "3.0")]


def _everything(version, kind):
    """The grant of all privileges on all objects of a type."""
    return [kind, _all_of(kind), _privileges_of(version, kind), False]


def _all_of(kind, database=None):
    if kind == "SYSTEM":
        return ""
    where = (f" IN DATABASE {database}" if database else " IN ALL DATABASES") if kind in _IN_DATABASES else ""
    return f"ALL {TYPES[kind][0]}{where}"


def _built_in_grants(version, role):
    """The grants of a built-in role (AuthorizationMgr.initBuiltinRolesAndUsers)."""
    if role == "root":
        return [_everything(version, kind) for kind in TYPES if version >= _SINCE.get(kind, "3.0")]
    if role == "db_admin":
        system = [name for name in _privileges_of(version, "SYSTEM") if name not in _NEVER_GRANTED]
        return [["SYSTEM", "", system, False],
                *(_everything(version, kind) for kind in _DB_ADMIN_TYPES if version >= _SINCE.get(kind, "3.0"))]
    system = {"cluster_admin": ["NODE"], "user_admin": ["GRANT"], "security_admin": ["OPERATE", "SECURITY"]}.get(role)
    grants = [["SYSTEM", "", system, False]] if system else []
    if role == "user_admin":
        grants.append(_everything(version, "USER"))
    if role == "public":
        grants.append(["TABLE", _all_of("TABLE", "information_schema"), ["SELECT"], False])
    return grants


def _built_in(version, name):
    return name in BUILT_IN_ROLES and version >= BUILT_IN_ROLES[name][0]


# -- checks ----------------------------------------------------------------------------------------

def _roles_within(state, names):
    """These roles and all that were granted to them."""
    found = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += state["roles"].get(name, {"roles": []})["roles"]
    return found


def _held(version, state, key, active_roles):
    """All grants that a user has with these roles active."""
    grants = list(state["users"][key]["grants"])
    for name in _roles_within(state, active_roles):
        grants += state["roles"].get(name, {"grants": []})["grants"]
        grants += _built_in_grants(version, name)
    return grants


def require(session, any_of, target="SYSTEM", statement=None):  # pylint: disable=unused-argument
    """Raise the version's "Access denied" unless the session's user holds one of these privileges on the target."""
    state, kind = session.frontend.replica.state, target.partition(" ")[0]
    name = target.partition(" ")[2]
    held = _held(session.version, state, session.user, session.active_roles)
    if any(grant[0] == kind and grant[1] in (name, _all_of(kind)) and set(any_of) & set(grant[2]) for grant in held):
        return
    inactive = [role for role in state["users"][session.user]["roles"] if role not in session.active_roles]
    raise errors.access_denied(session.version, " OR ".join(any_of), target, session.active_roles, inactive)


def user_of(context, state, key):
    """The record of a user; raises if there is none."""
    if key not in state["users"]:
        raise errors.analysis(context.version, f"cannot find user {shown(key)}!")
    return state["users"][key]


def shown(key):
    """``root@%`` -> ``'root'@'%'``; ``u@[example.com]`` -> ``'u'@['example.com']``"""
    name, host = key.rsplit("@", 1)
    return f"'{name}'@['{host[1:-1]}']" if host.startswith("[") else f"'{name}'@'{host}'"


def _check_role(context, state, name, message):
    """Raise if there is no such role."""
    _check_role_name(context.version, name)
    if name not in state["roles"] and not _built_in(context.version, name):
        raise errors.analysis(context.version, f"{message}: cannot find role {name}!")


def _check_role_name(version, name):
    if not _ROLE_NAME.fullmatch(name):
        raise errors.analysis(version, f"invalid role format: {name}")


# -- roles -----------------------------------------------------------------------------------------

def create_role(context, state, roles, if_not_exists=False, comment=""):
    for name in roles:
        _check_role_name(context.version, name)
        if (name in state["roles"] or _built_in(context.version, name)) and not if_not_exists:
            raise errors.analysis(context.version, f"Operation CREATE ROLE failed for {name} : role already exists")
    for name in roles:
        if not _built_in(context.version, name):
            state["roles"].setdefault(name, {"grants": [], "roles": [], "comment": comment})


def drop_role(context, state, roles, if_exists=False):
    for name in roles:
        _check_role_name(context.version, name)
        if _built_in(context.version, name):
            raise errors.execution(context.version, f"failed to drop role {name}: role {name} cannot be dropped!")
        if name not in state["roles"] and not if_exists:
            raise errors.analysis(context.version, f"Operation DROP ROLE failed for {name} : role not exists")
    for name in roles:
        state["roles"].pop(name, None)
        for holder in (*state["users"].values(), *state["roles"].values()):
            _forget_role(holder, name)


def _forget_role(holder, name):
    for kind in ("roles", "default_roles"):
        if name in holder.get(kind, ()):
            holder[kind].remove(name)


def _role_holder(context, state, user, role, roles):
    """The record that roles are granted to or revoked from."""
    holder = user_of(context, state, user) if user else None
    if role:
        _check_role(context, state, role, "Can not granted/revoke role to/from role")
    for name in roles:
        _check_role(context, state, name, "Can not granted/revoke role to/from user")
    return holder or _changeable_role(context, state, role)


def _changeable_role(context, state, role):
    if role not in state["roles"]:
        raise errors.execution(context.version, f"role {role} is not mutable!")
    return state["roles"][role]


def grant_role(context, state, roles, user=None, role=None):
    """A granted role is active only when it is set, or a default role (section 0.11)."""
    holder = _role_holder(context, state, user, role, roles)
    for name in roles:
        if name == "public":
            raise errors.execution(context.version, "failed to grant role: Granting role PUBLIC has no effect.  Every "
                                   "user and role has role PUBLIC implicitly granted.")
        if role and role in _roles_within(state, [name]):
            raise errors.execution(context.version, f"failed to grant role: role {role} is already a predecessor role "
                                   f"of {name}")
    holder["roles"] += [name for name in dict.fromkeys(roles) if name not in holder["roles"]]


def revoke_role(context, state, roles, user=None, role=None):
    holder = _role_holder(context, state, user, role, roles)
    for name in roles:
        if name == "public":
            raise errors.execution(context.version, "failed to revoke role: Revoking role PUBLIC has no effect.  Every "
                                   "user and role has role PUBLIC implicitly granted.")
        _forget_role(holder, name)


def new_user_roles(context, state, roles):
    """The roles of CREATE USER ... DEFAULT ROLE; raises if there is none of a name."""
    for name in roles:
        _check_role(context, state, name, "Valid role name fail")
    return list(roles)


def named_roles(context, state, key, names):
    """NONE, ALL, ALL EXCEPT r, DEFAULT or a list of granted roles, as the list."""
    record = user_of(context, state, key)
    granted = list(record["roles"])
    first = names[0].upper() if names else "NONE"
    if first in ("NONE", "DEFAULT", "ALL") and len(names) == 1:
        return {"NONE": [], "DEFAULT": list(record["default_roles"]), "ALL": granted}[first]
    excepted = first.startswith("ALL EXCEPT ")
    if excepted:
        names = [names[0][len("ALL EXCEPT "):], *names[1:]]
    for name in names:
        _check_role(context, state, name, "Cannot set role")
        if name not in granted:
            raise errors.analysis(context.version, f"Role {name} is not granted to {shown(key)}")
    return [name for name in granted if name not in names] if excepted else list(dict.fromkeys(names))


def set_default_role(context, state, user, roles, if_exists=False):
    if if_exists and user not in state["users"]:
        return
    record = user_of(context, state, user)
    record["default_roles"] = named_roles(context, state, user, roles)


# -- privileges ------------------------------------------------------------------------------------

def _objects(context, state, text):
    """(type, [object, ...]) of what stands behind ON. Raises SqlError for what does not exist."""
    words = [token for token in grammar.tokens(text) if token.kind != "end"]
    upper = [token.value.upper() if token.kind == "word" else "" for token in words]
    everything = upper[:1] == ["ALL"]
    position = int(everything)
    kind = next((kind for kind, (plural, _privileges) in sorted(TYPES.items(), key=lambda item: -len(item[0]))
                 for spelled in ((plural, kind) if everything else (kind,))
                 if spelled and upper[position:position + len(spelled.split())] == spelled.split()), None)
    if kind == "SYSTEM":
        return kind, [""]
    if kind is None and everything:
        raise errors.analysis(context.version, f"cannot find privilege object type {upper[1] if upper[1:] else ''}")
    position += len((TYPES[kind][0] if everything else kind).split()) if kind else 0
    kind = kind or "TABLE"
    rest = words[position:]
    if everything:
        named = rest[2].value if upper[position:position + 2] == ["IN", "DATABASE"] and rest[2:] else None
        if named:
            _check_database(context, state, named)
        return kind, [_all_of(kind, named)]
    return kind, [_one(context, state, kind, "".join(token.value for token in part)) for part in _parts(rest)]


def _parts(tokens):
    """The tokens between commas."""
    parts = [[]]
    for token in tokens:
        if token.is_keyword(","):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _one(context, state, kind, name):
    """One object, as it is shown; raises if it does not exist."""
    if kind == "USER":
        key = name if "@" in name else f"{name}@%"
        user_of(context, state, key)
        return shown(key)
    if kind in _IN_DATABASES:
        database, _dot, table = name.rpartition(".")
        database = database.rpartition(".")[2] or context.database
        if database == "*":
            return _all_of(kind)
        found = _check_database(context, state, database)
        if table == "*":
            return _all_of(kind, database)
        if kind != "TABLE" or table not in found["tables"]:
            raise errors.analysis(context.version, f"cannot find {kind.lower()} {table} in db {database}")
        return f"{database}.{table}"
    if kind == "DATABASE":
        if name == "*":
            return _all_of(kind)
        _check_database(context, state, name)
        return name
    if name == "*":
        return _all_of(kind)
    if name not in _THERE.get(kind, ()):
        raise errors.analysis(context.version, f"cannot find {kind.lower()}: {name}")
    return name


def _check_database(context, state, name):
    if not name:
        raise errors.analysis(context.version, "No database selected")
    if name not in state["databases"]:
        raise errors.analysis(context.version, f"cannot find db: {name}")
    return state["databases"][name]


def _privilege_names(version, kind, names):
    """The privileges of a statement, in the order in which they are shown."""
    known = {name for _plural, privileges in TYPES.values() for name in privileges}
    wanted = []
    for name in (name.upper() for name in names):
        if name in ("ALL", "ALL PRIVILEGES"):
            wanted += _privileges_of(version, kind)
        elif name not in known:
            raise errors.analysis(version, f"cannot find privilege type {name}")
        elif name not in _privileges_of(version, kind):
            raise errors.analysis(version, f"Cannot grant or revoke {name} on '{kind}' type object")
        else:
            wanted.append(name)
    for name in wanted:
        if kind == "SYSTEM" and name in _NEVER_GRANTED:
            raise errors.analysis(version, f"Operation not permitted, '{name}' cannot be granted to user or role "
                                  "directly, use built-in role instead")
    return [name for name in TYPES[kind][1] if name in wanted]


def _privilege_holder(context, state, user, role):
    if user:
        return user_of(context, state, user)
    _check_role(context, state, role, "Can not grant/revoke to role")
    return _changeable_role(context, state, role)


def _change(holder, kind, names, objects, grantable, add):
    """Grant or revoke; a revocation takes the privilege with and without the option to grant it."""
    for name in objects:
        for option in (grantable,) if add else (False, True):
            grant = next((grant for grant in holder["grants"]
                          if (grant[0], grant[1], grant[3]) == (kind, name, option)), None)
            if add and grant is None:
                holder["grants"].append([kind, name, list(names), option])
            elif grant:
                have = set(grant[2]) | set(names) if add else set(grant[2]) - set(names)
                grant[2] = [privilege for privilege in TYPES[kind][1] if privilege in have]
                if not have:
                    holder["grants"].remove(grant)


def grant_privilege(context, state, privileges, object, user=None, role=None, grantable=False):
    holder = _privilege_holder(context, state, user, role)
    kind, objects = _objects(context, state, object)
    _change(holder, kind, _privilege_names(context.version, kind, privileges), objects, grantable, True)


def revoke_privilege(context, state, privileges, object, user=None, role=None):
    holder = _privilege_holder(context, state, user, role)
    kind, objects = _objects(context, state, object)
    _change(holder, kind, _privilege_names(context.version, kind, privileges), objects, False, False)


# -- what SHOW prints ------------------------------------------------------------------------------

GRANTS_COLUMNS = ("UserIdentity", "Catalog", "Grants")


def grants_rows(context, state, user=None, role=None):
    """The rows of SHOW GRANTS [FOR user | FOR ROLE role]."""
    if role:
        _check_role(context, state, role, f"There is no such grant defined for role {role}")
        record = state["roles"].get(role, {"roles": [], "grants": []})
        grants = record["grants"] + _built_in_grants(context.version, role)
        holder, to_roles, to_privileges = role, f" ROLE {role}", f"ROLE '{role}'"
    else:
        record = user_of(context, state, user)
        grants = record["grants"]
        holder = to_roles = shown(user)
        to_privileges = f"USER {holder}"
    rows = []
    if record["roles"]:
        rows.append((holder, None, f"GRANT {', '.join(repr(name) for name in record['roles'])} TO {to_roles}"))
    order = list(TYPES)
    for kind, name, privileges, grantable in sorted(
            grants, key=lambda grant: (order.index(grant[0]), not grant[1].startswith("ALL "), grant[1])):
        target = kind if kind == "SYSTEM" else name if name.startswith("ALL ") else f"{kind} {name}"
        option = " WITH GRANT OPTION" if grantable else ""
        # Where it is not one catalog's: all catalogs, and what built-in roles hold in all of them.
        anywhere = kind == "CATALOG" and name.startswith("ALL ")
        rows.append((holder, None if anywhere else "default_catalog",
                     f"GRANT {', '.join(privileges)} ON {target} TO {to_privileges}{option}"))
    return rows


def roles_table(context, state):
    """(columns, rows) of SHOW ROLES; comments came with 3.2."""
    rows = [(name, "true", comment) for name, (since, comment) in BUILT_IN_ROLES.items() if context.version >= since]
    rows += [(name, "false", role.get("comment", "")) for name, role in state["roles"].items()]
    if context.version >= "3.2":
        return ("Name", "Builtin", "Comment"), rows
    return ("Name",), [row[:1] for row in rows]
