# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SELECT without back ends: constants, @@variables, a few functions, and information_schema.be_configs."""

import re
import time

from standin.fe import be_configs, errors, grammar
from standin.fe.show import Table


def _current_version(session):
    session.frontend.workers.run()
    return session.frontend.version.full


_FUNCTIONS = {
    "version": lambda session: session.variable("version"),
    "current_version": _current_version,
    "current_user": lambda session: session.shown_user,
    "user": lambda session: f"'{session.name}'@'{session.host}'",
    "session_user": lambda session: f"'{session.name}'@'{session.host}'",
    "current_role": lambda session: ", ".join(sorted(session.active_roles)) or "NONE",
    "database": lambda session: session.database,
    "schema": lambda session: session.database,
    "connection_id": lambda session: session.number,
    "now": lambda session: time.strftime("%Y-%m-%d %H:%M:%S"),
}


def _items(text):
    """The parts between the commas outside of brackets and strings."""
    parts, depth, start = [], 0, 0
    for token in grammar.tokens(text):
        if token.kind == "symbol" and token.value in "()":
            depth += 1 if token.value == "(" else -1
        if token.kind == "end" or (token.kind == "symbol" and token.value == "," and not depth):
            parts.append(text[start:token.start].strip())
            start = token.end
    return parts


def _value(session, expression):
    """The value of one item of the list: int, float, str or None."""
    kinds = [token.kind for token in grammar.tokens(expression)]
    first = grammar.tokens(expression)[0]
    if kinds == ["string", "end"]:
        return first.value
    if kinds == ["number", "end"]:
        return float(expression) if "." in expression else int(expression)
    if expression.upper() == "NULL":
        return None
    variable = re.fullmatch(r"@@(?:global\.|session\.)?(\w+)", expression, re.I)
    if variable:
        return session.variable(variable.group(1))
    function = re.fullmatch(r"(\w+)\s*\(\s*\)", expression)
    if function and function.group(1).lower() in _FUNCTIONS:
        return _FUNCTIONS[function.group(1).lower()](session)
    if function:
        raise errors.analysis(session.frontend.version, f"No matching function with signature: {expression.lower()}")
    if re.fullmatch(r"[\w`.]+", expression):
        raise errors.analysis(session.frontend.version, f"Column '{expression}' cannot be resolved")
    raise session.frontend.workers.not_found()


def _from_be_configs(session, columns, condition):
    where = grammar.filter_of(condition, session.frontend.version) if condition else None
    table = be_configs.read(session.frontend, where)
    if columns == ["*"]:
        return table
    indexes = [table.columns.index(column.strip("`").upper()) for column in columns]
    return Table(columns, [[row[index] for index in indexes] for row in table.rows])


def select(session, text):
    """Run ``SELECT <text>``."""
    if re.search(r"\bFROM\s*$", text, re.I):
        start = len("SELECT ") + len(text)
        raise errors.syntax(session.frontend.version, 1, start, "No viable statement for input 'FROM'")
    text = re.sub(r"\s+LIMIT\s+\d+\s*$", "", text, flags=re.I)
    source = re.fullmatch(r"(.*?)\s+FROM\s+(.*?)(?:\s+WHERE\s+(.*))?", text, re.I | re.S)
    if source and source.group(2).replace("`", "").lower() == "information_schema.be_configs":
        return _from_be_configs(session, _items(source.group(1)), source.group(3))
    if source:
        raise session.frontend.workers.not_found()
    names, values = [], []
    for item in _items(text):
        *tokens, last, _end = grammar.tokens(item)
        alias = tokens and last.kind in ("word", "quoted", "string")
        if alias and tokens[-1].is_keyword("AS"):
            tokens.pop()
        expression = item[:tokens[-1].end] if alias else item
        names.append(last.value if alias else item)
        values.append(_value(session, expression))
    return Table(names, [values], ["number" if isinstance(value, (int, float)) else "text" for value in values])
