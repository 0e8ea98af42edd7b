# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node tables of StarRocks as typed rows: one reader for all versions, by column name.

Order and number of columns differ by version, and in a mixed cluster by the FE that answers (starrocks.md sections
1.1 to 1.5 and 0.7), so nothing here knows a position. A typed row is a dict: column name in snake_case (``IP`` is
called ``host``), int for counts, int bytes for sizes, float for percents, bool for true and false, None for unknown.
Times stay the text that was shown, because their zone is not to be relied on (section 0.18).
"""

import re
from collections import namedtuple

# What StarRocks prints for "not known" (section 1.6).
UNKNOWN = frozenset(('', 'NULL', '\\N', 'N/A'))

_RENAMED = {'ip': 'host'}
_WORD_BORDER = re.compile(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])')
_SIZE = re.compile(r'^(?P<number>-?\d+(?:\.\d+)?)\s*(?P<unit>[KMGTP]?B)?$')
_SIZE_UNITS = ('B', 'KB', 'MB', 'GB', 'TB', 'PB')
_BOOLEANS = {'true': True, 'false': False}

Table = namedtuple('Table', ('name', 'show', 'proc', 'forwarded', 'required'))
Table.__doc__ = """A listing. ``show`` is answered by the leader where ``forwarded``, else by the asked FE from its own
view, as ``proc`` always is (section 1.1); without the columns ``required`` an answer is none of this table."""

FRONTENDS = Table('frontends', 'SHOW FRONTENDS', "SHOW PROC '/frontends'", True,
                  ('host', 'edit_log_port', 'query_port', 'role', 'join', 'alive'))
BACKENDS = Table('backends', 'SHOW BACKENDS', "SHOW PROC '/backends'", True,
                 ('backend_id', 'host', 'heartbeat_port', 'alive', 'system_decommissioned', 'tablet_num'))
COMPUTE_NODES = Table('compute_nodes', 'SHOW COMPUTE NODES', "SHOW PROC '/compute_nodes'", True,
                      ('compute_node_id', 'host', 'heartbeat_port', 'alive'))
BROKERS = Table('brokers', 'SHOW BROKER', "SHOW PROC '/brokers'", False, ('name', 'host', 'port', 'alive'))
# There is no SHOW form of the statistic.
STATISTIC = Table('statistic', "SHOW PROC '/statistic'", "SHOW PROC '/statistic'", False,
                  ('db_id', 'unhealthy_tablet_num'))

TABLES = {table.name: table for table in (FRONTENDS, BACKENDS, COMPUTE_NODES, BROKERS, STATISTIC)}


class TableError(Exception):
    """The answer is not the table that was asked for."""


def snake_case(column):
    """``BackendId`` -> ``backend_id``, ``BE_ID`` -> ``be_id``, ``IP`` -> ``host``."""
    name = _WORD_BORDER.sub('_', column).lower()
    return _RENAMED.get(name, name)


def parse_size(text):
    """Bytes of ``341.965 GB``, ``57.600GB``, or ``0.000 `` (so printed up to 3.1.0); units count by 1024."""
    match = _SIZE.match(text.strip())
    if not match:
        raise ValueError('no size')
    return int(round(float(match.group('number')) * 1024 ** _SIZE_UNITS.index(match.group('unit') or 'B')))


def parse_percent(text):
    """The number in ``83.04 %``."""
    number, sign, rest = text.partition('%')
    if not sign or rest.strip():
        raise ValueError('no percentage')
    return float(number)


def parse_boolean(text):
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError('neither true nor false')


# Column -> reader of its text. A column that is not listed stays text.
_READERS = {}
_READERS.update((column, int) for column in (
    'id', 'edit_log_port', 'http_port', 'query_port', 'rpc_port', 'cluster_id', 'replayed_journal_id',
    'backend_id', 'compute_node_id', 'heartbeat_port', 'be_port', 'brpc_port', 'starlet_port', 'worker_id', 'port',
    'tablet_num', 'cpu_cores', 'num_running_queries',
    'table_num', 'partition_num', 'index_num', 'replica_num', 'unhealthy_tablet_num', 'inconsistent_tablet_num',
    'cloning_tablet_num', 'error_state_tablet_num'))
_READERS.update((column, parse_size) for column in (
    'data_used_capacity', 'avail_capacity', 'total_capacity', 'data_total_capacity', 'mem_limit'))
_READERS.update((column, parse_percent) for column in (
    'used_pct', 'max_disk_used_pct', 'data_used_pct', 'mem_used_pct', 'cpu_used_pct'))
_READERS.update((column, parse_boolean) for column in (
    'join', 'alive', 'is_helper', 'is_master', 'system_decommissioned', 'cluster_decommissioned', 'has_storage_path'))


def _text(cell):
    if isinstance(cell, bytes):
        return cell.decode('utf-8', 'replace')
    return None if cell is None else str(cell)


def read_cell(column, cell):
    """The typed value of one cell; ``column`` is in snake_case. Raises ValueError."""
    text = _text(cell)
    if column == 'err_msg':
        return text or ''
    if text is None or text.strip() in UNKNOWN:
        return None
    return _READERS.get(column, str)(text)


def read_rows(table, columns, rows):
    """Typed rows of ``table`` from what a cursor gave: the column names and a sequence of rows.

    Raises TableError where needed columns are missing or a cell does not hold what its column holds.
    """
    names = [snake_case(column) for column in columns]
    missing = [column for column in table.required if column not in names]
    if missing:
        raise TableError('%s was answered without %s (columns: %s): this is not a StarRocks front end of version 2.5 '
                         'or later' % (table.show, ', '.join(missing), ', '.join(columns)))
    return [_read_row(table, columns, names, row) for row in rows]


def _read_row(table, columns, names, row):
    typed = {}
    for column, name, cell in zip(columns, names, row):
        try:
            typed[name] = read_cell(name, cell)
        except ValueError as error:
            raise TableError('%s: column %s holds %r: %s' % (table.show, column, _text(cell), error))
    return typed


def read_statistic(columns, rows):
    """The totals of SHOW PROC '/statistic' (its last row, called Total), as ints by column, plus ``db_num``."""
    names = [snake_case(column) for column in columns]
    if 'db_id' not in names:
        read_rows(STATISTIC, columns, ())
    totals = [row for row in rows if _text(row[names.index('db_id')]) == 'Total']
    if not totals:
        raise TableError('%s was answered without a row Total' % STATISTIC.show)
    cells = dict(zip(names, totals[-1]))
    cells.pop('db_id')
    typed = {name: read_cell(name, cell) for name, cell in cells.items() if name != 'db_name'}
    # In the row Total the column DbName holds the number of databases.
    typed['db_num'] = int(_text(cells['db_name']))
    return typed


def leader_of(frontends):
    """The typed row of the leader, or None. Up to 2.3 it was shown by IsMaster, since 2.4 by Role."""
    for row in frontends:
        if row.get('role') == 'LEADER' or row.get('is_master'):
            return row
    return None
