# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, roles and privileges, as far as operating a cluster needs them (section 2.3, 3.6; transcripts 10, 11)."""

import hashlib

from standin.fe import errors

# What the built-in roles may do. NODE can not be granted in any other way (section 0.11).
_EVERYTHING = frozenset(("NODE", "OPERATE", "CREATE DATABASE", "GRANT"))
BUILT_IN_ROLES = {
    "root": _EVERYTHING,
    "cluster_admin": frozenset(("NODE",)),
    "db_admin": frozenset(("CREATE DATABASE",)),
    "user_admin": frozenset(("GRANT",)),
    "security_admin": frozenset(("OPERATE",)),
    "public": frozenset(),
}


def hashed(password):
    """mysql_native_password's form: ``*`` and the hexadecimal SHA1(SHA1(password)); empty for an empty one."""
    if not password:
        return ""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def matches(stored, scramble, nonce):
    """Is the client's answer right? scramble = SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password)))."""
    if not stored or not scramble:
        return not stored and not scramble
    twice = bytes.fromhex(stored[1:])
    mask = hashlib.sha1(nonce + twice).digest()
    once = bytes(left ^ right for left, right in zip(scramble, mask))
    return hashlib.sha1(once).digest() == twice


def login(state, name, host, scramble, nonce):
    """The key (``name@host``) of the user who logs in. Raises SqlError 1045."""
    for key in (f"{name}@{host}", f"{name}@%"):
        user = state["users"].get(key)
        if user and matches(user["password"], scramble, nonce):
            return key
    raise errors.login_denied(name, bool(scramble))


def login_with_password(state, name, host, password):
    """The same for HTTP Basic; returns None when it is refused."""
    for key in (f"{name}@{host}", f"{name}@%"):
        user = state["users"].get(key)
        if user and user["password"] == hashed(password):
            return key
    return None


def shown(key):
    """``root@%`` -> ``'root'@'%'``"""
    name, host = key.rsplit("@", 1)
    return f"'{name}'@'{host}'"


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


def privileges(state, key, active_roles):
    """The privileges on SYSTEM and the catalog that a user has with these roles active."""
    result = set(state["users"][key]["grants"])
    for name in _roles_within(state, active_roles):
        result |= BUILT_IN_ROLES.get(name, set())
        result |= set(state["roles"].get(name, {"grants": []})["grants"])
    return result


def require(version, state, key, active_roles, any_of, target="SYSTEM"):
    """Raise the version's "Access denied" unless the user holds one of these privileges."""
    if state["users"].get(key) is None:
        raise errors.login_denied(key.rsplit("@", 1)[0], True)
    if not any_of or privileges(state, key, active_roles) & set(any_of):
        return
    inactive = [name for name in state["users"][key]["roles"] if name not in active_roles]
    raise errors.access_denied(version, " OR ".join(any_of), target, active_roles, inactive)


# -- statements ------------------------------------------------------------------------------------

def _password(arguments):
    """The stored form of what an authOption or SET PASSWORD says; None if it says nothing."""
    if "password" in arguments:
        return hashed(arguments["password"])
    if "hash" in arguments:
        return arguments["hash"].upper()
    if "auth" in arguments:
        return hashed(arguments["auth"]) if arguments["how"] == "BY" else arguments["auth"].upper()
    return None


def _fail(version, operation, key, reason, old):
    if version < "3.0":
        return errors.execution(version, old)
    return errors.analysis(version, f"Operation {operation} failed for {shown(key)} : {reason}")


def _user(version, state, operation, key):
    if key not in state["users"]:
        raise _fail(version, operation, key, "user not exists", f"user {shown(key)} not exist!")
    return state["users"][key]


def create_user(context, state, user, if_not_exists=False, roles=(), **arguments):
    if user in state["users"]:
        if if_not_exists:
            return
        raise _fail(context.version, "CREATE USER", user, "user already exists", f"User {shown(user)} already exist")
    for role in roles:
        _role(context.version, state, role)
    state["users"][user] = {"password": _password(arguments) or "", "roles": list(roles),
                            "default_roles": list(roles), "grants": []}


def alter_user(context, state, user, if_exists=False, **arguments):
    if if_exists and user not in state["users"]:
        return
    record = _user(context.version, state, "ALTER USER", user)
    password = _password(arguments)
    if password is not None:
        record["password"] = password


def drop_user(context, state, user, if_exists=False):
    if if_exists and user not in state["users"]:
        return
    if user == "root@%":
        raise errors.analysis(context.version, f"cannot drop user {shown(user)}")
    _user(context.version, state, "DROP USER", user)
    del state["users"][user]


def set_password(context, state, user=None, **arguments):
    _user(context.version, state, "ALTER USER", user or context.user)["password"] = _password(arguments)


def alter_default_role(context, state, user, roles):
    record = _user(context.version, state, "ALTER USER", user)
    record["default_roles"] = named_roles(context.version, record, roles)


set_default_role = alter_default_role


def named_roles(version, record, names):
    """ALL, NONE or a list of granted roles, as the list."""
    if [name.upper() for name in names] == ["ALL"]:
        return list(record["roles"])
    if [name.upper() for name in names] == ["NONE"]:
        return []
    for name in names:
        if name not in record["roles"]:
            raise errors.analysis(version, f"Role {name} is not granted to the user")
    return list(names)


def _role(version, state, name):
    """The grants and roles of a role that can be changed; raises if there is none of that name."""
    if name not in state["roles"] and name not in BUILT_IN_ROLES:
        raise errors.analysis(version, f"cannot find role {name}")
    return state["roles"].get(name)


def create_role(context, state, role, if_not_exists=False):
    if role in state["roles"] or role in BUILT_IN_ROLES:
        if if_not_exists:
            return
        raise errors.analysis(context.version, f"Operation CREATE ROLE failed for {role} : role already exists")
    state["roles"][role] = {"grants": [], "roles": []}


def drop_role(context, state, role, if_exists=False):
    if role not in state["roles"]:
        if if_exists:
            return
        raise errors.analysis(context.version, f"Operation DROP ROLE failed for {role} : role not exists")
    del state["roles"][role]
    for holder in (*state["users"].values(), *state["roles"].values()):
        for kind in ("roles", "default_roles"):
            if role in holder.get(kind, ()):
                holder[kind].remove(role)


def _holder(context, state, user, role):
    return _user(context.version, state, "GRANT", user) if user else _role(context.version, state, role)


def grant_privilege(context, state, privileges, object, user=None, role=None):
    for privilege in privileges:
        if privilege.upper() == "NODE":
            raise errors.analysis(context.version, "Operation not permitted, 'NODE' cannot be granted to user or role "
                                  "directly, use built-in role instead")
    holder = _holder(context, state, user, role)
    holder["grants"] = sorted(set(holder["grants"]) | {privilege.upper() for privilege in privileges})


def revoke_privilege(context, state, privileges, object, user=None, role=None):
    holder = _holder(context, state, user, role)
    holder["grants"] = sorted(set(holder["grants"]) - {privilege.upper() for privilege in privileges})


def grant_role(context, state, roles, user=None, role=None):
    """A granted role is active only when it is set, or a default role (section 0.11)."""
    holder = _holder(context, state, user, role)
    for name in roles:
        _role(context.version, state, name)
        if name not in holder["roles"]:
            holder["roles"].append(name)


def revoke_role(context, state, roles, user=None, role=None):
    holder = _holder(context, state, user, role)
    for name in roles:
        for kind in ("roles", "default_roles"):
            if name in holder.get(kind, ()):
                holder[kind].remove(name)


def grants_rows(state, key):
    """The rows of SHOW GRANTS: UserIdentity, Catalog, Grants."""
    record = state["users"][key]
    rows = []
    if record["roles"]:
        rows.append((shown(key), None, f"GRANT {', '.join(repr(name) for name in record['roles'])} TO  {shown(key)}"))
    if record["grants"]:
        rows.append((shown(key), None, f"GRANT {', '.join(record['grants'])} ON SYSTEM TO USER {shown(key)}"))
    return rows


def authentication_row(state, key):
    """A row of SHOW AUTHENTICATION, as StarRocks' documentation shows it; no transcript has one."""
    password = state["users"][key]["password"]
    return (shown(key), "Yes", "MYSQL_NATIVE_PASSWORD", None) if password else (shown(key), "No", None, None)
