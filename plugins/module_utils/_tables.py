# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node tables of StarRocks as typed rows: one reader for all versions, by column name.

Order and number of columns differ by version, and in a mixed cluster by the FE that answers (starrocks.md sections
1.1 to 1.5 and 0.7), so nothing here knows a position. A typed row is a dict: column name in snake_case (``IP`` is
called ``host``), int for counts, int bytes for sizes, float for percents, bool for true and false, None for unknown.
Times are texts in UTC, ``2026-11-23T03:05:32Z``: see in_utc().
"""

import calendar
import json
import re
import time
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port

# What StarRocks prints for "not known" (section 1.6).
UNKNOWN = frozenset(('', 'NULL', '\\N', 'N/A'))

_RENAMED = {'ip': 'host'}
_WORD_BORDER = re.compile(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])')
_SIZE = re.compile(r'^(?P<number>-?\d+(?:\.\d+)?)\s*(?P<unit>[KMGTP]?B)?$')
_SIZE_UNITS = ('B', 'KB', 'MB', 'GB', 'TB', 'PB')
_BOOLEANS = {'true': True, 'false': False}
_TIME = re.compile(r'^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?Z?$')
_ISO = '%Y-%m-%dT%H:%M:%SZ'

# Zones of the world differ from UTC by whole quarter-hours, within these seconds.
ZONE_STEP = 900
ZONE_LIMITS = (-12 * 3600, 14 * 3600)
# Servers of this line and later may show times in Asia/Shanghai even if they have accepted to show UTC: StarRocks
# issue 72025, which came with #66360 to 4.1 and the development line and went with #73619.
STUBBORN_SINCE = (4, 1)
STUBBORN_OFFSET = 8 * 3600
# A living node was heard of at most so many seconds ago: heartbeats come every 5 s, tablet reports every 60 s, and a
# node that is not heard of is shown alive for up to 20 s more (section 1.7).
HEARTBEAT_AGE = 120
REPORT_AGE = 300

Table = namedtuple('Table', ('name', 'show', 'proc', 'forwarded', 'required', 'id', 'port', 'started', 'heard'))
Table.__doc__ = """A listing. ``show`` is answered by the leader where ``forwarded``, else by the asked FE from its own
view, as ``proc`` always is (section 1.1); without the columns ``required`` an answer is none of this table. The rest
are the columns of a table of nodes, None where there is none: its number; the port by which, with the host, a node is
named; when its process started; when a living one was last heard of."""
Table.__new__.__defaults__ = (None,) * 4

FRONTENDS = Table('frontends', 'SHOW FRONTENDS', "SHOW PROC '/frontends'", True,
                  ('host', 'edit_log_port', 'query_port', 'role', 'join', 'alive'),
                  None, 'edit_log_port', 'start_time', 'last_heartbeat')
BACKENDS = Table('backends', 'SHOW BACKENDS', "SHOW PROC '/backends'", True,
                 ('backend_id', 'host', 'heartbeat_port', 'alive', 'system_decommissioned', 'tablet_num'),
                 'backend_id', 'heartbeat_port', 'last_start_time', 'last_heartbeat')
COMPUTE_NODES = Table('compute_nodes', 'SHOW COMPUTE NODES', "SHOW PROC '/compute_nodes'", True,
                      ('compute_node_id', 'host', 'heartbeat_port', 'alive'),
                      'compute_node_id', 'heartbeat_port', 'last_start_time', 'last_heartbeat')
BROKERS = Table('brokers', 'SHOW BROKER', "SHOW PROC '/brokers'", False, ('name', 'host', 'port', 'alive'),
                None, 'port', 'last_start_time', 'last_update_time')
# There is no SHOW form of the statistic.
STATISTIC = Table('statistic', "SHOW PROC '/statistic'", "SHOW PROC '/statistic'", False,
                  ('db_id', 'unhealthy_tablet_num'))

# Shared-data clusters of 3.3 and later (transcript 4.0.0/19).
WAREHOUSES = Table('warehouses', 'SHOW WAREHOUSES', "SHOW PROC '/warehouses'", True, ('id', 'name', 'state'))

TABLES = {table.name: table for table in (FRONTENDS, BACKENDS, COMPUTE_NODES, BROKERS, STATISTIC, WAREHOUSES)}


def disks_table(backend_id):
    """The disks of one back end (section 1.8)."""
    proc = "SHOW PROC '/backends/%d'" % backend_id
    return Table('disks', proc, proc, False, ('root_path', 'state', 'total_capacity'))


def place_of(table, row):
    """``(host, port)`` of a node as it is stored, which DROP and its like must name to the letter (section 2.4)."""
    return row['host'], row[table.port]


def address_of(table, row):
    """The same as ``host:port``."""
    return join_host_port(*place_of(table, row))


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


def parse_port(text):
    """A port, or None for one that is not known before the first heartbeat: 0 of front ends, -1 of all others."""
    return int(text) if int(text) > 0 else None


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


def parse_time(text):
    """``2026-11-23T03:05:32Z`` of ``2026-11-23 03:05:32``, as if that were UTC; ISO text is taken as well."""
    match = _TIME.match(text.strip())
    if not match:
        raise ValueError('no time')
    iso = '%sT%sZ' % match.groups()
    time.strptime(iso, _ISO)
    return iso


def seconds_of(iso):
    """Seconds since 1970 of ``2026-11-23T03:05:32Z``."""
    return calendar.timegm(time.strptime(iso, _ISO))


def iso_of(seconds):
    """``2026-11-23T03:05:32Z`` of seconds since 1970."""
    return time.strftime(_ISO, time.gmtime(seconds))


def parse_status(text):
    """The JSON of a back end's Status, ``{"lastSuccessReportTabletsTime":"2026-11-23 03:10:22"}``, as a typed row."""
    status = json.loads(text)
    if status == 'N/A':
        return None
    if not isinstance(status, dict):
        raise ValueError('no JSON object')
    names = {key: snake_case(key) for key in status}
    return {names[key]: read_cell(names[key], value) for key, value in status.items()}


def parse_cache(text):
    """``Status: Normal, DiskUsage: 0B/44.4GB, MemUsage: 0B/2.5GB`` as a dict; of usages, used and total bytes."""
    parts = [part.partition(':') for part in text.split(',')]
    cache = {snake_case(key.strip()): value.strip() for key, colon, value in parts if colon}
    for key, value in cache.items():
        used, slash, total = value.partition('/')
        if slash:
            cache[key] = {'used': parse_size(used), 'total': parse_size(total)}
    return cache or {'status': text}


# Column -> reader of its text. A column that is not listed stays text.
_READERS = {}
_READERS.update((column, int) for column in (
    'id', 'db_id', 'edit_log_port', 'cluster_id', 'replayed_journal_id',
    'backend_id', 'compute_node_id', 'heartbeat_port', 'worker_id', 'port',
    'tablet_num', 'cpu_cores', 'num_running_queries', 'node_count', 'current_cluster_count', 'max_cluster_count',
    'started_clusters', 'running_sql', 'queued_sql',
    'table_num', 'partition_num', 'index_num', 'replica_num', 'unhealthy_tablet_num', 'inconsistent_tablet_num',
    'cloning_tablet_num', 'error_state_tablet_num'))
_READERS.update((column, parse_port) for column in (
    'http_port', 'query_port', 'rpc_port', 'be_port', 'brpc_port', 'starlet_port'))
_READERS.update((column, parse_size) for column in (
    'data_used_capacity', 'other_used_capacity', 'avail_capacity', 'total_capacity', 'data_total_capacity',
    'mem_limit'))
_READERS.update((column, parse_percent) for column in (
    'used_pct', 'total_used_pct', 'max_disk_used_pct', 'data_used_pct', 'mem_used_pct', 'cpu_used_pct'))
_READERS.update((column, parse_boolean) for column in (
    'join', 'alive', 'is_helper', 'is_master', 'system_decommissioned', 'cluster_decommissioned', 'has_storage_path'))
TIME_COLUMNS = ('last_heartbeat', 'start_time', 'last_start_time', 'last_update_time', 'created_on', 'resumed_on',
                'updated_on')
# Within Status, stamped when a back end has reported its tablets.
REPORT_TIME = 'last_success_report_tablets_time'
_READERS.update((column, parse_time) for column in TIME_COLUMNS + (REPORT_TIME,))
_READERS['status'] = parse_status
_READERS['data_cache_metrics'] = parse_cache


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


def read_dicts(columns, rows):
    """Rows as dicts of column name in snake_case -> text, None for an SQL NULL alone."""
    names = [snake_case(column) for column in columns]
    return [dict(zip(names, (_text(cell) for cell in row))) for row in rows]


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


def zone_offset(times, now, age):
    """By how many seconds the zone in which ``times`` are shown is ahead of UTC; None where they tell nothing.

    ``times`` (ISO texts or None) are of what was heard of at most ``age`` seconds before ``now`` (seconds since 1970):
    what is left of the newest after taking off whole quarter-hours must be that little.
    """
    known = [seconds_of(text) for text in times if text]
    if not known:
        return None
    ahead = max(known) - now
    offset = int(round(ahead / float(ZONE_STEP))) * ZONE_STEP
    if abs(ahead - offset) > age or not ZONE_LIMITS[0] <= offset <= ZONE_LIMITS[1]:
        return None
    return offset


def offset_of(table, rows, now):
    """The zone_offset() of freshly read typed ``rows``, by when the living ones were last heard of."""
    return zone_offset([row.get(table.heard) for row in rows if row.get('alive')], now, HEARTBEAT_AGE)


def is_believable(offset, version, accepted):
    """Whether a server may show times in a zone so far ahead of UTC (see offset_of; None is not known).

    ``version``: its Version, None where it is not known. ``accepted``: whether it has accepted to show UTC. Where it
    has, and is not of the stubborn ones, another zone only means that the clock of this host is wrong.
    """
    if offset is None:
        return False
    may_be_stubborn = version is None or version.line >= STUBBORN_SINCE
    return offset == 0 or not accepted or (may_be_stubborn and offset == STUBBORN_OFFSET)


def in_utc(table, rows, offset):
    """Typed ``rows`` of ``table`` with their times moved from a zone that is ``offset`` seconds ahead to UTC.

    The time in Status was made into text when the tablets were reported, in the zone of the server and not of the
    session, so it is judged by itself, against when the living nodes were last heard of.
    """
    living = [row for row in rows if row.get('alive')]
    heard = [seconds_of(row[table.heard]) for row in living if row.get(table.heard)]
    reports = [(row.get('status') or {}).get(REPORT_TIME) for row in living]
    reported = zone_offset(reports, max(heard) - offset, REPORT_AGE) or 0 if heard else 0
    return [_moved_row(row, offset, reported) for row in rows]


def _moved_row(row, offset, reported):
    row = dict(row)
    for column in TIME_COLUMNS:
        if offset and row.get(column):
            row[column] = iso_of(seconds_of(row[column]) - offset)
    status = row.get('status')
    if reported and status and status.get(REPORT_TIME):
        row['status'] = dict(status, **{REPORT_TIME: iso_of(seconds_of(status[REPORT_TIME]) - reported)})
    return row


def read_statistic(columns, rows):
    """``(totals, databases)`` of SHOW PROC '/statistic', whose last row is called Total.

    ``totals``: ints by column, plus ``db_num``. ``databases``: typed rows.
    """
    names = [snake_case(column) for column in columns]
    if 'db_id' not in names:
        read_rows(STATISTIC, columns, ())
    key = names.index('db_id')
    total_rows = [row for row in rows if _text(row[key]) == 'Total']
    if not total_rows:
        raise TableError('%s was answered without a row Total' % STATISTIC.show)
    cells = dict(zip(names, total_rows[-1]))
    cells.pop('db_id')
    totals = {name: read_cell(name, cell) for name, cell in cells.items() if name != 'db_name'}
    # In the row Total the column DbName holds the number of databases.
    totals['db_num'] = int(_text(cells['db_name']))
    return totals, read_rows(STATISTIC, columns, [row for row in rows if _text(row[key]) != 'Total'])


def leader_of(frontends):
    """The typed row of the leader, or None. Up to 2.3 it was shown by IsMaster, since 2.4 by Role."""
    for row in frontends:
        if row.get('role') == 'LEADER' or row.get('is_master'):
            return row
    return None
