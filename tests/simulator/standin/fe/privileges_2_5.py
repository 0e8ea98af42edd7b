# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and privileges up to 2.5: a role is copied to whom it is granted, and is never active by itself.

No front end of these versions was recorded; this is their source: Auth, Role, RoleManager, PrivPredicate,
PrivilegeChecker, PrivilegeStmtAnalyzer. A grant is ``[pattern, [privilege, ...]]``, ``["*.*", ["ADMIN"]]``.
"""

from standin.fe import errors
from standin.fe.privileges import shown

_ORDER = ("NODE", "ADMIN", "GRANT", "SELECT", "LOAD", "ALTER", "CREATE", "DROP", "USAGE", "IMPERSONATE")
BUILT_IN_ROLES = {"operator": [["*.*", ["NODE", "ADMIN"]]], "admin": [["*.*", ["ADMIN"]]]}
_ROOT = "root@%"

# What later versions ask for -> (what is asked for here, any of which will do; what the refusal calls it).
_NEEDED = {
    ("NODE",): (("NODE",), "NODE"),
    ("OPERATE",): (("ADMIN",), "ADMIN"),
    ("OPERATE", "NODE"): (("ADMIN", "NODE"), "ADMIN/OPERATOR"),
    ("GRANT",): (("ADMIN", "GRANT"), "GRANT"),
    ("CREATE DATABASE",): (("ADMIN", "CREATE"), "CREATE"),
    ("IMPERSONATE",): (("IMPERSONATE",), "IMPERSONATE"),
}
_REFUSED = {"create_user": "CREATE USER", "alter_user": "CREATE USER", "create_role": "CREATE USER",
            "drop_user": "DROP USER"}


def _grants_of(state, key):
    """All grants of a user: root has the role operator, everybody else may read information_schema."""
    first = BUILT_IN_ROLES["operator"] if key == _ROOT else [["information_schema.*", ["SELECT"]]]
    return [*first, *state["users"][key]["grants"]]


def require(session, any_of, target="SYSTEM", statement=None):  # pylint: disable=unused-argument
    """Raise "Access denied" unless the session's user holds one of these privileges globally."""
    enough, called = _NEEDED[tuple(any_of)]
    held = {name for pattern, names in _grants_of(session.frontend.replica.state, session.user)
            if pattern == "*.*" for name in names}
    if not held & set(enough):
        raise errors.access_denied(session.version, _REFUSED.get(statement, called), target, (), ())


def user_of(context, state, key):
    """The record of a user; raises if there is none."""
    if key not in state["users"]:
        raise errors.analysis(context.version, f"user {shown(key)} not exist!")
    return state["users"][key]


def _role_of(context, state, name):
    if name not in BUILT_IN_ROLES and name not in state["roles"]:
        raise errors.analysis(context.version, f"role {name} not exist!")
    return {"grants": BUILT_IN_ROLES[name]} if name in BUILT_IN_ROLES else state["roles"][name]


def create_role(context, state, roles, **_later):
    for name in roles:
        if name in BUILT_IN_ROLES or name in state["roles"]:
            raise errors.execution(context.version, f"Role {name} already exists")
        state["roles"][name] = {"grants": [], "roles": []}


def drop_role(context, state, roles, **_later):
    """Whoever got the role keeps what it gave."""
    for name in roles:
        if name not in state["roles"]:
            raise errors.execution(context.version, f"Role {name} does not exist")
        del state["roles"][name]


def new_user_roles(context, state, roles):
    """CREATE USER ... DEFAULT ROLE grants the role."""
    for name in roles:
        _role_of(context, state, name)
    return list(roles)


def copied(context, state, roles):
    """The grants that a user gets of roles."""
    return [[pattern, list(names)] for name in roles for pattern, names in _role_of(context, state, name)["grants"]]


def _change(holder, pattern, names, add):
    grant = next((grant for grant in holder["grants"] if grant[0] == pattern), None)
    have = set(grant[1] if grant else ())
    have = have | set(names) if add else have - set(names)
    if grant:
        holder["grants"].remove(grant)
    if have:
        holder["grants"].append([pattern, [name for name in _ORDER if name in have]])


def _copy_role(context, state, roles, user, add):
    holder = user_of(context, state, user)
    for pattern, names in copied(context, state, roles):
        _change(holder, pattern, names, add)
    for name in roles:
        if (name in holder["roles"]) != add:
            (holder["roles"].append if add else holder["roles"].remove)(name)


def grant_role(context, state, roles, user):
    _copy_role(context, state, roles, user, True)


def revoke_role(context, state, roles, user):
    _copy_role(context, state, roles, user, False)


def _change_privileges(context, state, privileges, pattern, user, role, add):
    names = [name.upper().removesuffix("_PRIV") for name in privileges]
    names = [name for name in _ORDER if name in names or ("ALL" in names and name not in ("NODE", "ADMIN", "GRANT"))]
    if not names:
        raise errors.analysis(context.version, f"No privileges in {'grant' if add else 'revoke'} statement.")
    holders = [user_of(context, state, user)] if user else []
    if role:
        holders = [_role_of(context, state, role),
                   *(holder for holder in state["users"].values() if role in holder["roles"])]
    for holder in holders:
        _change(holder, pattern.replace("`", "").replace(" ", ""), names, add)


def grant_privilege(context, state, privileges, object, user=None, role=None, **_later):
    _change_privileges(context, state, privileges, object, user, role, True)


def revoke_privilege(context, state, privileges, object, user=None, role=None):
    _change_privileges(context, state, privileges, object, user, role, False)


GRANTS_COLUMNS = ("UserIdentity", "Grants")


def grants_rows(context, state, user=None, role=None):  # pylint: disable=unused-argument
    """The row of SHOW GRANTS: all grants of a user in one cell, one a line."""
    user_of(context, state, user)
    lines = [f"GRANT {', '.join(names)} ON {pattern} TO {shown(user)}" for pattern, names in _grants_of(state, user)]
    return [(shown(user), "\n".join(lines))]


def roles_table(context, state):  # pylint: disable=unused-argument
    """(columns, rows) of SHOW ROLES."""
    rows = []
    for name, grants in {**BUILT_IN_ROLES, **{name: role["grants"] for name, role in state["roles"].items()}}.items():
        users = [shown(key) for key, record in state["users"].items()
                 if name in record["roles"] or (name, key) == ("operator", _ROOT)]
        cells = []
        for level in ("GLOBAL", "DATABASE", "TABLE"):
            found = [(pattern, "".join(f"{privilege.capitalize()}_priv " for privilege in names))
                     for pattern, names in grants if _level(pattern) == level]
            texts = [names if level == "GLOBAL" else f"{pattern}: {names}" for pattern, names in found]
            cells.append("; ".join(texts) or None)
        rows.append((name, ", ".join(users), *cells, None))
    return ("Name", "Users", "GlobalPrivs", "DatabasePrivs", "TablePrivs", "ResourcePrivs"), rows


def _level(pattern):
    if pattern == "*.*":
        return "GLOBAL"
    return "DATABASE" if pattern.endswith(".*") else "TABLE"
