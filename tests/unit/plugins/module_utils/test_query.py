# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import datetime
import decimal
import json

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _query as query
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import Result


def ask(*statements, positional=None, named=None, read_only='auto'):
    return query.read_questions(list(statements), positional, named, read_only)


def test_positional_arguments_are_handed_out_in_turn():
    questions, findings = ask('SELECT %s, %s', 'SELECT 1', 'SELECT %s', positional=[1, 'a', None])
    assert findings == []
    assert questions == [('SELECT %s, %s', [1, 'a']), ('SELECT 1', []), ('SELECT %s', [None])]


def test_named_arguments_go_to_each():
    named = {'a': 1, 'more': [1, 2]}
    assert ask('SELECT %(a)s', 'SELECT %(a)s, %(a)s', named=named) == (
        [('SELECT %(a)s', named), ('SELECT %(a)s, %(a)s', named)], [])


def test_without_arguments_a_percent_sign_is_one():
    assert ask("SHOW TABLES LIKE 'a%'") == ([("SHOW TABLES LIKE 'a%'", None)], [])


@pytest.mark.parametrize('statement, given, finding', [
    ('SELECT 1; DROP TABLE t', {}, 'one statement'), ('', {}, 'one statement'), ("SELECT 'a", {}, 'one statement'),
    ('SELECT 1 # one', {}, 'write --'),
    ('DROP TABLE t', dict(read_only='true'), 'read_only: true is not taken'),
    ('SELECT %s', dict(positional=[]), 'query has 1 places (%s), and 0 values are given'),
    ('SELECT 1', dict(positional=[1]), 'query has 0 places (%s), and 1 values are given'),
    ('SELECT %(a)s', dict(named={}), '%(a)s stands in query, and no such value is given'),
    ('SELECT %s', dict(named={'a': 1}), '%s in query needs positional_args'),
    ("SELECT '%s'", dict(positional=['x']), 'leave the quotes out'),
    ('SELECT 5 % 2', dict(named={}), 'write %% for a percent sign'),
    ('SELECT %s', dict(positional=[{'a': 1}]), '1 holds a dict'), ('SELECT %s', dict(positional=[[]]), 'an empty list'),
    ('SELECT %s', dict(positional=[[[1]]]), '1 holds a list'),
    ('SELECT %s', dict(positional=[float('nan')]), '1 is nan'),
    ('SELECT %(a)s', dict(named={'a': {}}), 'a holds a dict'),
])
def test_refused(statement, given, finding):
    findings = ask(statement, **given)[1]
    assert len(findings) == 1 and finding in findings[0]


def test_all_findings_at_once_and_none_with_a_secret():
    findings = ask("SET PASSWORD = PASSWORD('s3cret'); SELECT 1", 'SELECT %d', positional=[{}, 1])[1]
    assert len(findings) == 4 and 's3cret' not in str(findings)
    assert ask()[1] == ['query: there is no statement']
    assert len(ask('SELECT ' + 'x' * 5000 + ';;SELECT 1')[1][0]) < 300


def test_names_for_positional_arguments():
    findings = ask('SELECT %(a)s', positional=[1])[1]
    assert findings == ['positional_args: %(a)s in query needs named_args']


@pytest.mark.parametrize('statement, read_only, expected', [
    ('SELECT 1', 'auto', True), ('DROP TABLE t', 'auto', False), ('SELECT insert(a, 1, 2, b)', 'auto', False),
    ('SELECT insert(a, 1, 2, b)', 'true', True), ('SELECT 1', 'false', False),
])
def test_is_harmless(statement, read_only, expected):
    assert query.is_harmless(statement, read_only) is expected


@pytest.mark.parametrize('value, expected', [
    (None, None), (1, 1), (2 ** 70, 2 ** 70), (1.5, 1.5), ('a', 'a'), (True, True),
    (decimal.Decimal('1.10'), '1.10'), (decimal.Decimal('1E-10'), '0.0000000001'),
    (decimal.Decimal('12345678901234567890.123456789'), '12345678901234567890.123456789'),
    (float('nan'), 'nan'), (float('inf'), 'inf'),
    (datetime.date(2026, 11, 23), '2026-11-23'), (datetime.datetime(2026, 11, 23, 3, 5, 32), '2026-11-23 03:05:32'),
    (datetime.datetime(2026, 11, 23, 3, 5, 32, 5), '2026-11-23 03:05:32.000005'),
    (datetime.timedelta(hours=30, seconds=1), '30:00:01'),
    (-datetime.timedelta(hours=1, microseconds=5), '-01:00:00.000005'),
    (b'plain', 'plain'), ('\u4e2d'.encode('utf-8'), '\u4e2d'), (b'\xff\x00', '0xff00'), (bytearray(b'x'), 'x'),
])
def test_plain(value, expected):
    assert query.plain(value) == expected
    json.loads(json.dumps(query.plain(value), allow_nan=False))


def test_no_cell_gets_lost():
    result = Result(['id', 'id', 'id_2', 'id'], [3, 253, 246, 12], [(1, 'a', None, 2)], 1)
    assert query.shown_result(result) == dict(
        columns=['id', 'id_2', 'id_2_2', 'id_3'],
        types={'id': 'int', 'id_2': 'varchar', 'id_2_2': 'decimal', 'id_3': 'datetime'},
        rows=[{'id': 1, 'id_2': 'a', 'id_2_2': None, 'id_3': 2}], affected_rows=1)
    assert query.shown_result(Result([], [], [], 3)) == dict(columns=[], types={}, rows=[], affected_rows=3)
