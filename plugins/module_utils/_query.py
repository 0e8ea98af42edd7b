# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions with arguments, and answers as JSON holds them. No I/O."""

import datetime
import decimal
import math

from ansible_collections.starrocks.cluster.plugins.module_utils._statements import (
    HIDDEN,
    has_hash,
    hide_secrets,
    is_one_statement,
    is_read_only,
    placeholders,
    secret_places,
    secrets_of,
    surely_changes,
)

# Values of the option read_only.
AUTO = 'auto'
READS = 'true'
MAY_CHANGE = 'false'

# The type codes of MySQL's protocol (its field_types.h) by the names that StarRocks' columns have.
TYPE_NAMES = {
    0: 'decimal', 1: 'tinyint', 2: 'smallint', 3: 'int', 4: 'float', 5: 'double', 6: 'null', 7: 'timestamp',
    8: 'bigint', 9: 'mediumint', 10: 'date', 11: 'time', 12: 'datetime', 13: 'year', 15: 'varchar', 16: 'bit',
    245: 'json', 246: 'decimal', 249: 'varbinary', 250: 'varbinary', 251: 'varbinary', 252: 'varbinary', 253: 'varchar',
    254: 'char'}

# So much of a statement is shown where it is refused.
SHOWN = 200


def is_harmless(statement, read_only):
    """Whether a statement may run in check mode and is no change; ``read_only`` is the option."""
    return is_read_only(statement) if read_only == AUTO else read_only == READS


def read_questions(statements, positional, named, read_only):
    """``(questions, findings)``: pairs of statement and arguments (list, dict or None), and reasons to refuse them.

    ``positional`` (list) and ``named`` (dict) are None where they were not given. Positional ones are handed out in
    turn. Without any, a percent sign in a statement is a percent sign.
    """
    questions, findings, taken = [], [], 0
    given = positional is not None or named is not None
    if not statements:
        findings.append('query: there is no statement')
    for statement in statements:
        findings.extend('query: %s: %s' % (_short(statement), finding)
                        for finding in _statement_findings(statement, read_only))
        arguments = None
        if given:
            places, wrong = placeholders(statement)
            findings.extend('query: %s: %s' % (_short(statement), finding) for finding in wrong)
            if positional is not None:
                findings.extend('positional_args: %%(%s)s in query needs named_args' % name for name in places if name)
                arguments = positional[taken:taken + len(places)]
                taken += len(places)
            else:
                findings.extend(_missing_names(places, named))
                arguments = named
        questions.append((statement, arguments))
    if positional is not None and taken != len(positional):
        findings.append('positional_args: query has %d places (%%s), and %d values are given'
                        % (taken, len(positional)))
    findings.extend(_argument_findings('positional_args', enumerate(positional or [], 1)))
    findings.extend(_argument_findings('named_args', sorted((named or {}).items())))
    return questions, findings


def _secret_arguments(statements):
    """``(numbers, names)`` of the arguments that are put where a secret stands; numbers begin with 0."""
    numbers, names, taken = set(), set(), 0
    for statement in statements:
        for name, secret in zip(placeholders(statement)[0], secret_places(statement)):
            if secret:
                (numbers if name is None else names).add(taken if name is None else name)
            taken += name is None
    return numbers, names


def secrets_in(params):
    """The texts in the options of starrocks_query that must not be shown."""
    numbers, names = _secret_arguments(params['query'])
    secrets = [secret for statement in params['query'] for secret in secrets_of(statement)]
    secrets += [str(value) for number, value in enumerate(params['positional_args'] or []) if number in numbers]
    return secrets + [str(value) for name, value in (params['named_args'] or {}).items() if name in names]


def discreet_query(params):
    """The option ``query`` as it may be shown."""
    return [hide_secrets(statement) for statement in params['query']]


def discreet_positional(params):
    """The option ``positional_args`` as it may be shown."""
    secret = _secret_arguments(params['query'])[0]
    return [HIDDEN if number in secret else value for number, value in enumerate(params['positional_args'])]


def discreet_named(params):
    """The option ``named_args`` as it may be shown."""
    secret = _secret_arguments(params['query'])[1]
    return {name: HIDDEN if name in secret else value for name, value in params['named_args'].items()}


def _short(statement):
    shown = hide_secrets(statement)
    return shown if len(shown) <= SHOWN else shown[:SHOWN] + '...'


def _statement_findings(statement, read_only):
    if not is_one_statement(statement):
        yield 'an entry holds one statement, neither none nor several'
    elif has_hash(statement):
        yield '# begins no comment in StarRocks: write --'
    elif read_only == READS and surely_changes(statement):
        yield 'this changes something, so read_only: true is not taken'


def _missing_names(places, named):
    for name in places:
        if name is None:
            yield 'named_args: %s in query needs positional_args'
        elif name not in named:
            yield 'named_args: %%(%s)s stands in query, and no such value is given' % name


def _argument_findings(option, items):
    for which, value in items:
        values = value if isinstance(value, list) else [value]
        if not values:
            yield '%s: %s is an empty list, which no IN takes' % (option, which)
        for one in values:
            if not (one is None or isinstance(one, (bool, int, float, str))):
                yield '%s: %s holds a %s: give text, numbers, booleans, null, or a list of them' % (
                    option, which, type(one).__name__)
            elif isinstance(one, float) and not math.isfinite(one):
                yield '%s: %s is %s, which SQL cannot write' % (option, which, one)


def unique_names(names):
    """``['id', 'id_2']`` of ``['id', 'id']``: rows are dicts, and none of their cells may get lost."""
    unique = []
    for name in names:
        candidate, number = name, 1
        while candidate in unique:
            number += 1
            candidate = '%s_%d' % (name, number)
        unique.append(candidate)
    return unique


def plain(value):
    """A cell as JSON holds it; nothing is rounded."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, decimal.Decimal):
        return '{0:f}'.format(value)
    if isinstance(value, datetime.timedelta):
        return _time(value)
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode('utf-8')
        except UnicodeDecodeError:
            return '0x' + bytes(value).hex()
    return str(value)


def _time(value):
    """``-838:59:59.5`` of a timedelta: hours may be more than a day's, and below zero."""
    microseconds = value // datetime.timedelta(microseconds=1)
    seconds, fraction = divmod(abs(microseconds), 1000000)
    text = '%s%02d:%02d:%02d' % ('-' if microseconds < 0 else '', seconds // 3600, seconds // 60 % 60, seconds % 60)
    return '%s.%06d' % (text, fraction) if fraction else text


def shown_result(result):
    """columns, types, rows and affected_rows of a Result of _connection, as starrocks_query returns them."""
    columns = unique_names(result.columns)
    return dict(columns=columns,
                types={name: TYPE_NAMES.get(code, 'unknown') for name, code in zip(columns, result.types)},
                rows=[dict(zip(columns, [plain(cell) for cell in row])) for row in result.rows],
                affected_rows=result.affected)
