# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users: who they are, their passwords, logging in (section 2.3, 3.6; transcripts 10, 11).

What transcripts do not show is from StarRocks' source: AuthenticationAnalyzer, AuthenticationMgr, ShowExecutor, and up
to 2.5 Auth and PrivilegeStmtAnalyzer. What users may do is in privileges.py, up to 2.5 in privileges_2_5.py.
"""

import hashlib
import re
import socket

from standin.fe import errors, privileges, privileges_2_5
from standin.fe.privileges import shown
from standin.fe.settings import like

NATIVE = "MYSQL_NATIVE_PASSWORD"
# Plugin -> since: those whose users are known by a text, and log in elsewhere.
_FOREIGN_PLUGINS = {"AUTHENTICATION_LDAP_SIMPLE": "2.5", "AUTHENTICATION_KERBEROS": "3.0", "AUTHENTICATION_JWT": "3.5",
                    "AUTHENTICATION_OAUTH2": "3.5"}
_ROOT = "root@%"
_USER_NAME = re.compile(r"\w{1,64}/?[.\w-]{0,63}", re.ASCII)
_HASH = re.compile(r"\*[0-9A-F]{40}")


def rights(version):
    """The module with the roles and privileges of a version."""
    return privileges if version >= "3.0" else privileges_2_5


def by_version(name):
    """The function of that name in the module with the roles and privileges of the context's version."""
    def run(context, state, **arguments):
        return getattr(rights(context.version), name)(context, state, **arguments)
    return run


# -- logging in ------------------------------------------------------------------------------------

def hashed(password):
    """mysql_native_password's form: ``*`` and the hexadecimal SHA1(SHA1(password)); empty for an empty one."""
    if not password:
        return ""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def _matches(stored, scramble, nonce):
    """Is the client's answer right? scramble = SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password)))."""
    if not stored or not scramble:
        return not stored and not scramble
    twice = bytes.fromhex(stored[1:])
    mask = hashlib.sha1(nonce + twice).digest()
    once = bytes(left ^ right for left, right in zip(scramble, mask))
    return hashlib.sha1(once).digest() == twice


def _resolved(domain):
    try:
        return {entry[4][0] for entry in socket.getaddrinfo(domain, None)}
    except OSError:
        return set()


def _candidates(state, name, host):
    """The keys of the users of that name who may come from an address: addresses first, then domains, then ``%``."""
    found = []
    for key in state["users"]:
        user, pattern = key.rsplit("@", 1)
        if user != name:
            continue
        if pattern.startswith("["):
            if host in _resolved(pattern[1:-1]):
                found.append((2, pattern, key))
        elif like(pattern).fullmatch(host):
            found.append((3 if pattern == "%" else 1, pattern, key))
    return [key for _score, _pattern, key in sorted(found)]


def _authenticated(version, state, name, host, fits):
    """The key of the user with a fitting password; 3.0 and later only try the first of that name, else None."""
    candidates = _candidates(state, name, host)
    for key in candidates[:1] if version >= "3.0" else candidates:
        record = state["users"][key]
        if record.get("plugin", NATIVE) in (None, NATIVE) and fits(record["password"]):
            return key
    return None


def login(version, state, name, host, scramble, nonce):
    """The key (``name@host``) of the user who logs in. Raises SqlError 1045."""
    key = _authenticated(version, state, name, host, lambda stored: _matches(stored, scramble, nonce))
    if key is None:
        raise errors.login_denied(name, bool(scramble))
    return key


def login_with_password(version, state, name, host, password):
    """The same for HTTP Basic; returns None when it is refused."""
    return _authenticated(version, state, name, host, lambda stored: stored == hashed(password))


def require(session, any_of, target="SYSTEM", statement=None):
    """Raise the version's "Access denied" unless the session's user holds one of these privileges."""
    if session.user not in session.frontend.replica.state["users"]:
        raise errors.login_denied(session.name, True)
    if any_of:
        rights(session.version).require(session, any_of, target, statement)


# -- statements ------------------------------------------------------------------------------------

def _stored(version, text):
    """A password that is given as its hash."""
    if text and not _HASH.fullmatch(text.upper()):
        raise errors.analysis(version, "Password hash should be a 41-digit hexadecimal number")
    return text.upper()


def _authentication(context, password=None, hash=None, plugin=None, how=None, auth=None):
    """What an authOption or SET PASSWORD says, as a part of a user's record."""
    version = context.version
    if plugin is None:
        stored = hashed(password or "") if hash is None else _stored(version, hash)
        return {"password": stored, "plugin": NATIVE if version >= "3.0" else None, "plugin_text": None}
    plugin = plugin.upper()
    if plugin == NATIVE:
        stored = hashed(auth) if how == "BY" else _stored(version, auth or "")
        return {"password": stored, "plugin": plugin, "plugin_text": None}
    if version < _FOREIGN_PLUGINS.get(plugin, "99"):
        if version < "3.0":
            raise errors.SqlError(f"Plugin '{plugin}' is not loaded", 1524)
        raise errors.analysis(version, f"Cannot find {plugin} from [mysql_native_password, mysql_clear_password]"
                              if version >= "3.5" else f"invalidate authentication: cannot find {plugin}")
    return {"password": "", "plugin": plugin, "plugin_text": auth}


def _check_name(context, user):
    name = user.rsplit("@", 1)[0]
    if not name:
        raise errors.analysis(context.version, "Does not support anonymous user")
    if not _USER_NAME.fullmatch(name) or len(name) > 64:
        raise errors.analysis(context.version, f"invalid user name: {name}")


def _missing(context, operation, user):
    """The error of a statement about a user who is not there."""
    version = context.version
    if version >= "4.0":
        return errors.analysis(version, f"cannot find user {shown(user)}!")
    if version >= "3.0":
        return errors.analysis(version, f"Operation {operation} failed for {shown(user)} : user not exists")
    return errors.analysis(version, f"user {shown(user)} not exist!")


def _exists(context, user):
    version = context.version
    if version >= "4.0":
        return errors.analysis(version, f"user {shown(user)} already exists!")
    if version >= "3.0":
        return errors.analysis(version, f"Operation CREATE USER failed for {shown(user)} : user already exists")
    return errors.execution(version, f"User {shown(user)} already exist")


def create_user(context, state, user, if_not_exists=False, roles=(), role=None, properties=None, **authentication):
    _check_name(context, user)
    if user in state["users"] and not if_not_exists:
        raise _exists(context, user)
    roles = rights(context.version).new_user_roles(context, state, [role] if role else roles)
    record = {**_authentication(context, **authentication), "roles": roles, "default_roles": list(roles), "grants": []}
    if context.version < "3.0":
        record["grants"] = privileges_2_5.copied(context, state, roles)
    state["users"].setdefault(user, record)


def alter_user(context, state, user, if_exists=False, **authentication):
    _check_name(context, user)
    if user not in state["users"]:
        if if_exists:
            return
        raise _missing(context, "ALTER USER", user)
    state["users"][user].update(_authentication(context, **authentication))


def drop_user(context, state, user, if_exists=False):
    _check_name(context, user)
    if context.version < "3.0":
        if user in (_ROOT, "admin@%"):
            name, host = user.rsplit("@", 1)
            raise errors.execution(context.version, f"User `{name}`@`{host}` is not allowed to be dropped.")
    elif user == _ROOT:
        raise errors.analysis(context.version,
                              f"Operation DROP USER failed for {shown(user)} : cannot drop user {shown(user)}")
    if user not in state["users"] and not if_exists:
        raise _missing(context, "DROP USER", user)
    state["users"].pop(user, None)


def set_password(context, state, user=None, **authentication):
    user = user or context.user
    if user not in state["users"]:
        if context.version < "3.0":
            raise errors.execution(context.version, f"user {shown(user)} does not exist")
        raise errors.SqlError(f"authentication info for user {shown(user)} not found")
    state["users"][user]["password"] = _authentication(context, **authentication)["password"]


# -- what SHOW prints ------------------------------------------------------------------------------

def authentication_rows(context, state, keys):
    """The rows of SHOW AUTHENTICATION. Raises if one of the users is not there."""
    for key in keys:
        rights(context.version).user_of(context, state, key)
    records = [(key, state["users"][key]) for key in keys]
    native = NATIVE if context.version >= "3.0" else None
    return [(shown(key), "Yes" if record["password"] else "No", record.get("plugin") or native,
             record.get("plugin_text")) for key, record in records]
