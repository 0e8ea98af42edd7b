# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar (section 2): one line for each statement, and a small matcher that says what the real parser says.

A pattern has KEYWORDS and symbols as they stand, ``<name:kind>`` for what is captured, ``[...]`` for what may be
left out (``[name:...]`` captures True if it is there). Kinds: string, strings (with commas), ident (identifier or
string), idents, words (identifiers, keywords too), integers, user, object (of a privilege), name (``a`` or ``a.b``),
rest (all up to the end), or ``A|B`` (one of these keywords). Since and until limit a statement to versions.

A filter, of 4.2, is a tree of tuples: ``("and", left, right)``, ``("or", left, right)``, ``("not", tree)``,
``("compare", column, operator, value)`` with an operator like ``=`` or ``like``, ``("in", column, [value, ...])``.
Values are texts, ints, floats, True, False and None.
"""

import re

from standin.fe import errors

_STRING = "a string"  # a label that error() writes out
_IDENTIFIER = "a legal identifier"
_END = "<EOF>, ';'"

# What the parser proposes for a first word that it does not know (transcripts 14).
_FIRST_WORDS = ((None, "'SELECT', 'DELETE', 'EXECUTE', 'DEALLOCATE', 'SET', '(', ';'"),
                ("4.0", "'SELECT', 'DELETE', 'ENABLE', 'EXECUTE', 'DEALLOCATE', '(', ';'"))
_STRINGS = ("SINGLE_QUOTED_TEXT", "DOUBLE_QUOTED_TEXT")  # the one more like the input first (transcripts 08)

# Words that are no identifiers without back quotes (the few that matter here).
_RESERVED = frozenset("""ADD ALL ALTER AND AS BY CREATE DEFAULT DELETE DESC DROP EXISTS FALSE FOR FORCE FROM GRANT GROUP
    IN INSERT INTO IS KEY LIKE LIMIT NOT NULL ON OR ORDER PRIMARY REVOKE SELECT SET SHOW TABLE TO TRUE UPDATE USE
    USING VALUES WHERE WITH""".split())

_AUTHS = ("IDENTIFIED BY <password:string>", "IDENTIFIED BY PASSWORD <hash:string>",
          "IDENTIFIED WITH <plugin:ident> [<how:BY|AS> <auth:string>]")
_INTO = "[INTO WAREHOUSE <warehouse:ident>]"
_FROM = "[FROM WAREHOUSE <warehouse:ident>]"
_FILTER = "[WHERE <where:filter>] [ORDER BY <order:order>] [LIMIT <limit:integers>]"

_PATTERNS = [
    # statement, since, until, pattern
    ("add_frontend", None, None, "ALTER SYSTEM ADD <role:FOLLOWER|OBSERVER> <host:string>"),
    ("drop_frontend", None, None, "ALTER SYSTEM DROP <role:FOLLOWER|OBSERVER> <host:string>"),
    ("modify_frontend_host", None, None, "ALTER SYSTEM MODIFY FRONTEND HOST <old:string> TO <new:string>"),
    ("add_backends", None, "3.3", "ALTER SYSTEM ADD BACKEND <hosts:strings>"),
    ("add_backends", "3.3", "4.0", f"ALTER SYSTEM ADD BACKEND <hosts:strings> {_INTO}"),
    ("add_backends", "4.0", None, f"ALTER SYSTEM ADD BACKEND <hosts:strings> {_INTO[:-1]} [CNGROUP <cngroup:ident>]]"),
    ("drop_backends", None, "3.3", "ALTER SYSTEM DROP BACKEND <hosts:strings> [force:FORCE]"),
    ("drop_backends", "3.3", "4.0", f"ALTER SYSTEM DROP BACKEND <hosts:strings> {_FROM} [force:FORCE]"),
    ("drop_backends", "4.0", None,
     f"ALTER SYSTEM DROP BACKEND <hosts:strings> {_FROM[:-1]} [CNGROUP <cngroup:ident>]] [force:FORCE]"),
    ("decommission_backends", None, None, "ALTER SYSTEM DECOMMISSION BACKEND <hosts:strings>"),
    ("cancel_decommission", None, None, "CANCEL DECOMMISSION BACKEND <hosts:strings>"),
    ("modify_backend_host", None, None, "ALTER SYSTEM MODIFY BACKEND HOST <old:string> TO <new:string>"),
    ("modify_backend", "3.2.8", None,
     "ALTER SYSTEM MODIFY BACKEND <host:string> SET ( <key:string> = <value:string> )"),
    ("add_compute_nodes", None, "3.3", "ALTER SYSTEM ADD COMPUTE NODE <hosts:strings>"),
    ("add_compute_nodes", "3.3", "4.0", f"ALTER SYSTEM ADD COMPUTE NODE <hosts:strings> {_INTO}"),
    ("add_compute_nodes", "4.0", None,
     f"ALTER SYSTEM ADD COMPUTE NODE <hosts:strings> {_INTO[:-1]} [CNGROUP <cngroup:ident>]]"),
    ("drop_compute_nodes", None, "3.3", "ALTER SYSTEM DROP COMPUTE NODE <hosts:strings>"),
    ("drop_compute_nodes", "3.3", "4.0", f"ALTER SYSTEM DROP COMPUTE NODE <hosts:strings> {_FROM}"),
    ("drop_compute_nodes", "4.0", None,
     f"ALTER SYSTEM DROP COMPUTE NODE <hosts:strings> {_FROM[:-1]} [CNGROUP <cngroup:ident>]]"),
    ("add_brokers", None, None, "ALTER SYSTEM ADD BROKER <name:ident> <hosts:strings>"),
    ("drop_brokers", None, None, "ALTER SYSTEM DROP BROKER <name:ident> <hosts:strings>"),
    ("drop_all_brokers", None, None, "ALTER SYSTEM DROP ALL BROKER <name:ident>"),
    ("create_image", "2.5.3", None, "ALTER SYSTEM CREATE IMAGE"),
    ("clean_scheduler_queue", None, None, "ALTER SYSTEM CLEAN TABLET SCHEDULER QUEUE"),
    ("alter_disks", "3.1", None,
     "ALTER SYSTEM <action:DECOMMISSION|DISABLE> DISK <disks:strings> ON BACKEND <host:string>"),
    ("alter_disks", "3.1", None,
     "ALTER SYSTEM CANCEL <action:DECOMMISSION|DISABLE> DISK <disks:strings> ON BACKEND <host:string>"),
    ("set_config", None, "3.5", "ADMIN SET FRONTEND CONFIG ( <key:string> = <value:string> )"),
    ("set_config", "3.5", None,
     "ADMIN SET FRONTEND CONFIG ( <key:string> = <value:string> ) [persistent:WITH PERSISTENT]"),
    ("show_config", None, "4.2", "ADMIN SHOW FRONTEND CONFIG [LIKE <pattern:string>]"),
    ("show_config", "4.2", None, f"ADMIN SHOW FRONTEND CONFIG [LIKE <pattern:string>] {_FILTER}"),
    ("show_proc", None, None, "SHOW PROC <path:string>"),
    ("show_frontends", None, "4.2", "SHOW FRONTENDS"),
    ("show_backends", None, "4.2", "SHOW BACKENDS"),
    ("show_compute_nodes", None, "4.2", "SHOW COMPUTE NODES"),
    ("show_brokers", None, "4.2", "SHOW BROKER"),
    ("show_frontends", "4.2", None, f"SHOW FRONTENDS {_FILTER}"),
    ("show_backends", "4.2", None, f"SHOW BACKENDS {_FILTER}"),
    ("show_compute_nodes", "4.2", None, f"SHOW COMPUTE NODES {_FILTER}"),
    ("show_brokers", "4.2", None, f"SHOW BROKER {_FILTER}"),
    ("add_blacklist", "3.3", None, "ADD BACKEND BLACKLIST <ids:integers>"),
    ("delete_blacklist", "3.3", None, "DELETE BACKEND BLACKLIST <ids:integers>"),
    ("show_blacklist", "3.3", None, "SHOW BACKEND BLACKLIST"),
    ("add_cn_blacklist", "4.0", None, "ADD COMPUTE NODE BLACKLIST <ids:integers>"),
    ("delete_cn_blacklist", "4.0", None, "DELETE COMPUTE NODE BLACKLIST <ids:integers>"),
    ("show_cn_blacklist", "4.0", None, "SHOW COMPUTE NODE BLACKLIST"),
    ("show_warehouses", "3.3", None, "SHOW WAREHOUSES [LIKE <pattern:string>]"),
    ("show_warehouse_nodes", "3.3", None, "SHOW NODES FROM WAREHOUSES [LIKE <pattern:string>]"),
    ("show_warehouse_nodes", "3.3", None, "SHOW NODES FROM WAREHOUSE <warehouse:ident>"),
    ("show_cngroups", "3.3", None, "SHOW CLUSTERS FROM WAREHOUSE <warehouse:ident>"),
    ("show_cngroups", "4.0", None, "SHOW CNGROUPS FROM WAREHOUSE <warehouse:ident>"),
    ("change_warehouse", "3.3", None, "CREATE WAREHOUSE [IF NOT EXISTS] <warehouse:ident> [<more:rest>]"),
    ("change_warehouse", "3.3", None, "DROP WAREHOUSE [IF EXISTS] <warehouse:ident>"),
    ("change_warehouse", "3.3", None, "ALTER WAREHOUSE <warehouse:ident> SET ( <more:rest>"),
    ("change_cngroup", "4.0", None,
     "ALTER WAREHOUSE <warehouse:ident> <action:ADD|DROP|MODIFY|ENABLE|DISABLE> CNGROUP <cngroup:ident> [<more:rest>]"),
    ("show_automated_snapshot", "4.1", None, "ADMIN SHOW AUTOMATED CLUSTER SNAPSHOT"),
    ("set_automated_snapshot", "3.4", None,
     "ADMIN SET AUTOMATED CLUSTER SNAPSHOT <switch:ON|OFF> [STORAGE VOLUME <volume:ident>]"),
    ("set_automated_snapshot", "4.1", None,
     "ADMIN SET AUTOMATED CLUSTER SNAPSHOT <switch:ON> INTERVAL <interval:rest>"),
    ("alter_automated_snapshot", "4.1", None, "ADMIN ALTER AUTOMATED CLUSTER SNAPSHOT SET <interval:rest>"),
    ("execute_on_frontend", None, None, "ADMIN EXECUTE ON FRONTEND <script:string>"),
    ("execute_on_one", None, None, "ADMIN EXECUTE ON <numbers:integers> <script:string>"),
    ("execute_on_all", "4.2", None, "ADMIN EXECUTE ON ALL BACKENDS <script:string>"),
    ("show_replica_status", None, None, "ADMIN SHOW REPLICA STATUS FROM <table:name>"),
    ("show_replica_distribution", None, None, "ADMIN SHOW REPLICA DISTRIBUTION FROM <table:name>"),
    ("show_tablet_status", "4.2", None, "ADMIN SHOW TABLET STATUS FROM <table:name>"),
    ("skip_transaction", "4.2", None, "ADMIN SKIP COMMITTED TRANSACTION <numbers:integers> [REASON <reason:string>]"),
    ("show_empty", "4.1", None, "SHOW SQL DIGEST BLACKLIST"),
    ("refresh_connections", "4.1", None, "REFRESH CONNECTIONS"),
    *(("create_user", None, "3.0", f"CREATE USER [if_not_exists:IF NOT EXISTS] <user:user> {auth} "
       "[DEFAULT ROLE <role:string>]") for auth in (*_AUTHS, "")),
    *(("create_user", "3.0", None, f"CREATE USER [if_not_exists:IF NOT EXISTS] <user:user> {auth} "
       "[DEFAULT ROLE <roles:idents>] [PROPERTIES ( <properties:rest>]") for auth in (*_AUTHS, "")),
    *(("alter_user", None, "3.0", f"ALTER USER <user:user> {auth}") for auth in _AUTHS),
    *(("alter_user", "3.0", None, f"ALTER USER [if_exists:IF EXISTS] <user:user> {auth}") for auth in _AUTHS),
    ("set_default_role", "3.0", None, "ALTER USER [if_exists:IF EXISTS] <user:user> DEFAULT ROLE <roles:words>"),
    ("set_default_role", "3.0", None, "SET DEFAULT ROLE <roles:words> TO <user:user>"),
    ("drop_user", None, "3.0", "DROP USER <user:user>"),
    ("drop_user", "3.0", None, "DROP USER [if_exists:IF EXISTS] <user:user>"),
    ("set_password", None, None, "SET PASSWORD [FOR <user:user>] = PASSWORD ( <password:string> )"),
    ("set_password", None, None, "SET PASSWORD [FOR <user:user>] = <hash:string>"),
    ("create_role", None, "3.0", "CREATE ROLE <roles:idents>"),
    ("create_role", "3.0", "3.2", "CREATE ROLE [if_not_exists:IF NOT EXISTS] <roles:idents>"),
    ("create_role", "3.2", None, "CREATE ROLE [if_not_exists:IF NOT EXISTS] <roles:idents> [COMMENT <comment:string>]"),
    ("drop_role", None, "3.0", "DROP ROLE <roles:idents>"),
    ("drop_role", "3.0", None, "DROP ROLE [if_exists:IF EXISTS] <roles:idents>"),
    ("grant_privilege", None, "3.0", "GRANT <privileges:words> ON <object:object> TO <user:user>"),
    ("grant_privilege", "3.0", None,
     "GRANT <privileges:words> ON <object:object> TO [USER] <user:user> [grantable:WITH GRANT OPTION]"),
    ("grant_privilege", None, None,
     "GRANT <privileges:words> ON <object:object> TO ROLE <role:ident> [grantable:WITH GRANT OPTION]"),
    ("revoke_privilege", None, "3.0", "REVOKE <privileges:words> ON <object:object> FROM <user:user>"),
    ("revoke_privilege", "3.0", None, "REVOKE <privileges:words> ON <object:object> FROM [USER] <user:user>"),
    ("revoke_privilege", None, None, "REVOKE <privileges:words> ON <object:object> FROM ROLE <role:ident>"),
    ("grant_role", None, "3.0", "GRANT <roles:idents> TO <user:user>"),
    ("grant_role", "3.0", None, "GRANT <roles:idents> TO [USER] <user:user>"),
    ("grant_role", "3.0", None, "GRANT <roles:idents> TO ROLE <role:ident>"),
    ("revoke_role", None, "3.0", "REVOKE <roles:idents> FROM <user:user>"),
    ("revoke_role", "3.0", None, "REVOKE <roles:idents> FROM [USER] <user:user>"),
    ("revoke_role", "3.0", None, "REVOKE <roles:idents> FROM ROLE <role:ident>"),
    ("show_grants", None, None, "SHOW GRANTS [FOR <user:user>]"),
    ("show_grants", None, "3.0", "SHOW <everybody:ALL> GRANTS"),
    ("show_grants", "3.0", None, "SHOW GRANTS FOR USER <user:user>"),
    ("show_grants", "3.0", None, "SHOW GRANTS FOR ROLE <role:ident>"),
    ("show_roles", None, None, "SHOW ROLES"),
    ("show_users", None, None, "SHOW <which:USER|USERS>"),
    ("show_authentication", None, None, "SHOW AUTHENTICATION [FOR <user:user>]"),
    ("show_authentication", None, None, "SHOW [everybody:ALL] AUTHENTICATION"),
    ("set_role", "3.0", None, "SET ROLE <roles:words>"),
    ("execute_as", None, None, "EXECUTE AS <user:user> [no_revert:WITH NO REVERT]"),
    ("create_database", None, None, "CREATE DATABASE [if_not_exists:IF NOT EXISTS] <name:ident>"),
    ("drop_database", None, None, "DROP DATABASE [if_exists:IF EXISTS] <name:ident> [force:FORCE]"),
    ("create_table", None, None, "CREATE TABLE [if_not_exists:IF NOT EXISTS] <table:name> <definition:rest>"),
    ("drop_table", None, None, "DROP TABLE [if_exists:IF EXISTS] <table:name> [force:FORCE]"),
    ("show_databases", None, None, "SHOW DATABASES [LIKE <pattern:string>]"),
    ("show_tables", None, None, "SHOW TABLES [<preposition:FROM|IN> <database:ident>] [LIKE <pattern:string>]"),
    ("show_variables", None, None, "SHOW [<scope:GLOBAL|SESSION>] VARIABLES [LIKE <pattern:string>]"),
    ("show_variables", None, None, "SHOW [<scope:GLOBAL|SESSION>] VARIABLES WHERE <where:rest>"),
    ("show_empty", None, None, "SHOW WARNINGS"),
    ("show_empty", None, None, "SHOW RUNNING QUERIES"),
    ("show_empty", None, None, "SHOW RESOURCE GROUPS ALL"),
    ("show_processlist", None, "4.2", "SHOW [full:FULL] PROCESSLIST"),
    ("show_processlist", "4.2", None, f"SHOW [full:FULL] PROCESSLIST {_FILTER}"),
    ("update_be_configs", "3.0", None,
     "UPDATE information_schema . be_configs SET VALUE = <value:constant> [WHERE <where:filter>]"),
    ("use", None, None, "USE <name:ident>"),
    ("select", None, None, "SELECT <list:rest>"),
    ("set_variables", None, None, "SET <assignments:rest>"),
]

# Beginnings of statements that are not here, for the parser's proposals: with one way to go on it names it.
_ELSEWHERE = ["ADD SQLBLACKLIST", "DELETE FROM", "ADMIN CHECK", "ADMIN REPAIR", "ADMIN SHOW REPLICA",
              "REFRESH EXTERNAL", "REFRESH MATERIALIZED"]

_TOKEN = re.compile(r"""
    (?P<space>\s+|/\*.*?\*/|--[^\r\n]*)
  | (?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
  | (?P<quoted>`[^`]*`)
  | (?P<number>\d+\.\d+|\d+(?![A-Za-z_\d]))
  | (?P<word>@@?[A-Za-z_][\w.]*|[A-Za-z_\d$][\w$]*)
  | (?P<symbol>.)""", re.X | re.S)


class Token:
    """One token: its kind, its value (unquoted) and its place in the statement."""

    def __init__(self, kind, value, start, end):
        self.kind = kind
        self.value = value
        self.start = start
        self.end = end

    @property
    def is_identifier(self):
        return self.kind == "quoted" or (self.kind == "word" and self.value.upper() not in _RESERVED)

    def is_keyword(self, text):
        return self.kind in ("word", "symbol") and self.value.upper() == text.upper()


# What a backslash makes of a letter (AstBuilder.escapeBackSlash); it stays before the wildcards of LIKE.
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a", "_": "\\_", "%": "\\%"}


def _unquote(text):
    body = text[1:-1].replace(text[0] * 2, text[0])
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group(1)), body, flags=re.S)


def tokens(text):
    """The tokens of a text, ended by one of kind "end"."""
    result = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind != "space":
            value = match.group()
            value = _unquote(value) if kind == "string" else value[1:-1] if kind == "quoted" else value
            result.append(Token(kind, value, match.start(), match.end()))
    end = len(text.rstrip())
    return [*result, Token("end", "<EOF>", end, end)]


def split(text):
    """The statements of a text, at the semicolons outside of strings; empty ones are left out."""
    parts = []
    start = 0
    for token in tokens(text):
        if token.kind == "end" or (token.kind == "symbol" and token.value == ";"):
            part = text[start:token.start]
            if tokens(part)[0].kind != "end":
                parts.append(part.strip())
            start = token.end
    return parts


def _compile(pattern):
    """A pattern as a list: ("word", text), ("take", name, kind), ("option", name or None, list)."""
    items = re.findall(r"\[\w+:|\[|\]|<\w+:[^>]+>|[^\s\[\]]+", pattern)

    def build(stop):
        result = []
        while items:
            item = items.pop(0)
            if item == "]" and stop:
                return result
            if item.startswith("["):
                result.append(("option", item[1:-1] or None, build(True)))
            elif item.startswith("<"):
                name, kind = item[1:-1].split(":")
                result.append(("take", name, kind))
            else:
                result.append(("word", item))
        return result

    return build(False)


_COMPILED = [(name, since, until, _compile(pattern)) for name, since, until, pattern in [
    *_PATTERNS, *((None, None, None, f"{beginning} <rest:never>") for beginning in _ELSEWHERE)]]


class _Matcher:
    """Matches patterns against one statement, and remembers the furthest place where none went on."""

    def __init__(self, text):
        self.text = text
        self.tokens = tokens(text)
        self.furthest = 0
        self.expected = set()

    def fail(self, position, label):
        if position > self.furthest:
            self.furthest, self.expected = position, set()
        if position == self.furthest:
            self.expected.add(label)

    def match(self, items, position, captured):
        """Yield what the items capture, for each way to match them up to the end of the statement."""
        if not items:
            if self.tokens[position].kind == "end":
                yield captured
            else:
                self.fail(position, _END)
            return
        head, rest = items[0], items[1:]
        if head[0] == "word":
            if self.tokens[position].is_keyword(head[1]):
                yield from self.match(rest, position + 1, captured)
            else:
                self.fail(position, f"'{head[1].upper()}'")
        elif head[0] == "option":
            _, name, inner = head
            yield from self.match(inner + rest, position, {**captured, name: True} if name else captured)
            yield from self.match(rest, position, captured)
        else:
            _, name, kind = head
            for value, after in self.take(kind, position):
                yield from self.match(rest, after, {**captured, name: value})

    def take(self, kind, position):
        """(value, next position) of what a kind can capture here; nothing if it can not."""
        token = self.tokens[position]
        if kind.isupper():
            if any(token.is_keyword(word) for word in kind.split("|")):
                return [(token.value.upper(), position + 1)]
            for word in kind.split("|"):
                self.fail(position, f"'{word}'")
            return []
        return getattr(self, f"take_{kind}")(token, position)

    def take_never(self, _token, _position):
        return []

    def take_string(self, token, position):
        if token.kind == "string":
            return [(token.value, position + 1)]
        self.fail(position, _STRING)
        return []

    def take_ident(self, token, position):
        if token.kind == "string" or token.is_identifier:
            return [(token.value, position + 1)]
        self.fail(position, _IDENTIFIER)
        return []

    def _list(self, take, position):
        values = []
        while True:
            found = take(self.tokens[position], position)
            if not found:
                return []
            (value, position), = found
            values.append(value)
            if not self.tokens[position].is_keyword(","):
                return [(values, position)]
            position += 1

    def take_strings(self, _token, position):
        return self._list(self.take_string, position)

    def take_idents(self, _token, position):
        return self._list(self.take_ident, position)

    def take_words(self, _token, position):
        def take(token, place):
            words = []
            while token.kind in ("word", "quoted", "string") and token.value.upper() not in ("ON", "TO", "FROM"):
                words.append(token.value)
                place += 1
                token = self.tokens[place]
            if words:
                return [(" ".join(words), place)]
            self.fail(place, _IDENTIFIER)
            return []
        return self._list(take, position)

    def take_object(self, token, position):
        place = position
        while self.tokens[place].kind != "end" and not {"TO", "FROM"} & {self.tokens[place].value.upper()}:
            place += 1
        if place == position:
            self.fail(position, _IDENTIFIER)
            return []
        return [(self.text[token.start:self.tokens[place - 1].end], place)]

    def take_integers(self, _token, position):
        def take(token, place):
            if token.kind == "number" and token.value.isdigit():
                return [(int(token.value), place + 1)]
            self.fail(place, "INTEGER_VALUE")
            return []
        return self._list(take, position)

    def take_name(self, token, position):
        found = self.take_ident(token, position)
        if found and self.tokens[position + 1].is_keyword("."):
            second = self.take_ident(self.tokens[position + 2], position + 2)
            return [((token.value, value), after) for value, after in second]
        return [((None, value), after) for value, after in found]

    def take_user(self, token, position):
        """``name``, ``name@host`` or ``name@['domain']`` as the key ``name@host``, ``name@[domain]``."""
        if token.kind == "word" and "@" in token.value:  # the lexer took name and @ apart only at the sign
            return []
        found = self.take_ident(token, position)
        if not found:
            return []
        place = position + 1
        following = self.tokens[place]
        if following.kind == "symbol" and following.value == "@":
            bracket = self.tokens[place + 1].is_keyword("[")
            place += 2 if bracket else 1
            host = self.take_ident(self.tokens[place], place)
            return [(f"{token.value}@[{value}]" if bracket else f"{token.value}@{value}", after + bracket)
                    for value, after in host]
        if following.kind == "word" and following.value.startswith("@"):
            return [(token.value + following.value, place + 1)]
        return [(f"{token.value}@%", place)]

    def take_constant(self, _token, position):
        found = self._constant(position)
        return [(str(found[0]), position + 1)] if found else []

    # A filter (4.2). Each of these returns (tree, next position), or None where there is none.

    def take_filter(self, _token, position):
        found = self._either(position)
        return [found] if found else []

    def _chain(self, word, part, position):
        found = part(position)
        while found and self.tokens[found[1]].is_keyword(word):
            right = part(found[1] + 1)
            found = right and ((word.lower(), found[0], right[0]), right[1])
        return found

    def _either(self, position):
        return self._chain("OR", self._both, position)

    def _both(self, position):
        return self._chain("AND", self._condition, position)

    def _condition(self, position):
        token = self.tokens[position]
        if token.is_keyword("NOT"):
            found = self._condition(position + 1)
            return found and (("not", found[0]), found[1])
        if token.is_keyword("("):
            found = self._either(position + 1)
            return found and self.tokens[found[1]].is_keyword(")") and (found[0], found[1] + 1)
        if not token.is_identifier:
            self.fail(position, _IDENTIFIER)
            return None
        operator, after = self._operator(position + 1)
        if operator == "in":
            values, after = self._values(after)
            return values and (("in", token.value, values), after)
        value = self._constant(after) if operator else None
        return value and (("compare", token.value, operator, value[0]), after + 1)

    def _operator(self, position):
        """("=", "!=", "<", "like", "in" and so on, or None; next position)."""
        pair = "".join(token.value for token in self.tokens[position:position + 2])
        if pair in ("!=", "<=", ">=", "<>"):
            return "!=" if pair == "<>" else pair, position + 2
        for operator in ("=", "<", ">", "LIKE", "IN"):
            if self.tokens[position].is_keyword(operator):
                return operator.lower(), position + 1
        self.fail(position, "'='")
        return None, position

    def _constant(self, position):
        """[value] of the constant here, None where there is none."""
        token = self.tokens[position]
        words = {"TRUE": True, "FALSE": False, "NULL": None}
        if token.kind == "string":
            return [token.value]
        if token.kind == "number":
            return [float(token.value) if "." in token.value else int(token.value)]
        if token.kind == "word" and token.value.upper() in words:
            return [words[token.value.upper()]]
        self.fail(position, _STRING)
        return None

    def _values(self, position):
        """(values of ``(a, b, ...)``, next position); (None, ...) where there are none."""
        values = []
        while self.tokens[position].is_keyword("," if values else "("):
            value = self._constant(position + 1)
            if not value:
                return None, position
            values += value
            position += 2
        if values and self.tokens[position].is_keyword(")"):
            return values, position + 1
        self.fail(position, "')'" if values else "'('")
        return None, position

    def take_order(self, token, position):
        """``column [ASC|DESC]`` (4.2)."""
        found = self.take_ident(token, position)
        following = self.tokens[position + 1] if found else token
        if following.is_keyword("ASC") or following.is_keyword("DESC"):
            return [((token.value, following.is_keyword("DESC")), position + 2)]
        return [((token.value, False), position + 1)] if found else []

    def take_rest(self, token, position):
        if token.kind == "end":
            return []
        return [(self.text[token.start:], len(self.tokens) - 1)]

    def error(self, version):
        """The error for what none of the patterns matched."""
        token = self.tokens[self.furthest]
        before = self.text[:token.start]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
        what = token.value if token.kind == "end" else self.text[token.start:token.end]
        alter_system = self.tokens[0].is_keyword("ALTER") and self.furthest >= 2 and self.tokens[1].is_keyword("SYSTEM")
        if self.furthest == 0:
            similar = [text for since, text in _FIRST_WORDS if version.within(since, None)][-1]
        elif _END in self.expected or (alter_system and self.furthest == 2):
            similar = _END
        elif self.expected == {"'FRONTEND'", "INTEGER_VALUE"}:
            similar = "'FRONTEND', INTEGER_VALUE"
        elif len(self.expected) == 1:
            (similar,) = self.expected
            if similar == _STRING:
                similar = ", ".join(sorted(_STRINGS, key=lambda name: _distance(name, what.upper())))
        else:
            start = self.tokens[2 if alter_system else 0].start
            return errors.syntax(version, line, column,
                                 f"No viable statement for input '{self.text[start:token.end].strip()}'")
        return errors.syntax(version, line, column,
                             f"Unexpected input '{what}', the most similar input is {{{similar}}}")


def _distance(first, second):
    """How many characters have to be changed, added or taken away to make one text of the other (Levenshtein)."""
    row = list(range(len(second) + 1))
    for index, char in enumerate(first, 1):
        previous, row = row, [index]
        for place, other in enumerate(second, 1):
            row.append(min(previous[place] + 1, row[-1] + 1, previous[place - 1] + (char != other)))
    return row[-1]


def filter_of(text, version):
    """The filter that a text is. Raises SqlError."""
    matcher = _Matcher(text)
    for captured in matcher.match([("take", "where", "filter")], 0, {}):
        return captured["where"]
    raise matcher.error(version)


def parse(text, version):
    """(name of the statement, what it captured). Raises SqlError for a statement that this version does not know."""
    matcher = _Matcher(text)
    for name, since, until, items in _COMPILED:
        if version.within(since, until):
            for captured in matcher.match(items, 0, {}):
                return name, captured
    raise matcher.error(version)
