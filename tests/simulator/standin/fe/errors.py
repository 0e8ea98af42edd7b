# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error texts of front ends, by version (section 3)."""


class SqlError(Exception):
    """What a client gets: text, errno and SQLSTATE. Nearly all errors have 1064 and HY000 (section 3.1)."""

    def __init__(self, message, errno=1064, sqlstate="HY000"):
        super().__init__(message)
        self.message = message or "Unknown error"
        self.errno = errno
        self.sqlstate = sqlstate

    def packed(self):
        """As a dictionary, to be sent to the front end that forwarded the statement."""
        return {"message": self.message, "errno": self.errno, "sqlstate": self.sqlstate}


def syntax(version, line, column, detail):
    """A statement that does not parse (section 3.1)."""
    return SqlError(f"Getting syntax error at line {line}, column {column}. Detail message: {detail}.")


def analysis(version, text, errno=1064, sqlstate="HY000"):
    """An error found while a statement is analysed; 3.1 and later put words around it (section 3.1)."""
    return SqlError(f"Getting analyzing error. Detail message: {text}." if version >= "3.1" else text, errno, sqlstate)


def execution(version, text, errno=1064, sqlstate="HY000"):
    """An error found while a statement is carried out (section 3.1)."""
    return SqlError(text if version >= "3.3" else f"Unexpected exception: {text}", errno, sqlstate)


def host_port(version, kind, reason):
    """A wrong host:port (section 3.2). kind: "frontend", "backend", "compute node" or "broker"."""
    if version >= "3.3":
        return analysis(version, reason)
    if version >= "3.1":
        return analysis(version, f"{kind.upper()} host or port is wrong. {reason}")
    return analysis(version, f"{kind} host or port is wrong!")


def access_denied(version, privilege, target, current_roles, inactive_roles):
    """A missing privilege (section 3.6). target: "SYSTEM" or "CATALOG default_catalog"."""
    needed = f"Access denied; you need (at least one of) the {privilege} privilege(s)"
    if version < "3.1":
        return SqlError(f"{needed} for this operation", 1227, "42000")
    text = f"{needed} on {target} for this operation"
    if version < "3.2":
        return SqlError(text, 1252, "42000")
    roles = [f"[{', '.join(sorted(names))}]" if names else "NONE" for names in (current_roles, inactive_roles)]
    text += (". Please ask the admin to grant permission(s) or try activating existing roles using "
             f"<set [default] role>. Current role(s): {roles[0]}. Inactivated role(s): {roles[1]}.")
    return SqlError(text, 5203 if version >= "3.3" else 1252, "42000")


def unknown_warehouse(version, name):
    """Section 3.4."""
    return SqlError(f"Warehouse name: {name} not exist.", 5901 if version >= "3.5" else 10001, "42000")


def shared_data_only(version):
    """What shared-nothing says to SHOW WAREHOUSES (3.5.7 to 4.2.0 transcripts 18); before 3.5 numbers were others."""
    return SqlError("unsupported statement in shared_nothing mode", 5907 if version >= "3.5" else 10007, "42000")


def login_denied(user, with_password):
    """Section 3.6."""
    return SqlError(f"Access denied for user '{user}' (using password: {'YES' if with_password else 'NO'})",
                    1045, "28000")
