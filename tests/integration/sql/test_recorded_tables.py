# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every listing that real front ends showed, through the reader of the modules: all that is no text has its type.

The transcripts lie in shared/transcripts beside the checkout, or beside a folder that the checkout is in (copies of it
below build/), or where STARROCKS_TRANSCRIPTS says.
"""

import os
import pathlib
import re
import sys

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _overview, _tables
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "simulator"))
from conformance import transcript

BESIDE = [folder / "shared" / "transcripts" for folder in ROOT.parents]
NAMED = os.environ.get("STARROCKS_TRANSCRIPTS")
TRANSCRIPTS = pathlib.Path(NAMED) if NAMED else next(filter(pathlib.Path.is_dir, BESIDE), BESIDE[0])

FILES = sorted(TRANSCRIPTS.glob("*/*.txt"))


def named(path):
    return f"{path.parent.name}/{path.stem}"


TEXTS = {"frontends": {"name", "host", "role", "err_msg", "version"},
         "backends": {"host", "err_msg", "version", "location", "status_code", "warehouse_name"},
         "compute_nodes": {"host", "err_msg", "version", "status_code", "warehouse_name"},
         "brokers": {"name", "host", "err_msg"},
         "warehouses": {"name", "state", "property", "comment"},
         "statistic": {"db_name"}}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def table_of(sql):
    """The Table that a statement shows whole, None for any other statement."""
    wanted = sql.strip().rstrip(";").strip()
    return next((table for table in _tables.TABLES.values() if wanted in (table.show, table.proc)), None)


def recorded(path):
    """(line, Table of the modules, recorded table) of one transcript, whatever else stands between its statements."""
    asked, lines = None, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        prompt = transcript.PROMPT.fullmatch(line)
        if prompt:
            asked, lines = (number, table_of(prompt["sql"].replace("\\G", ""))), []
        elif transcript.MYSQL_EXIT.fullmatch(line) and asked:
            answers = transcript.answers_of(lines) if asked[1] else []
            yield from ((*asked, answer) for answer in answers if isinstance(answer, transcript.Table))
            asked = None
        else:
            lines.append(line)


def wrong(table, name, value):
    """Whether a value is not of the type that its column has."""
    if name == "status" and value is not None:
        return any(wrong(table, "last_heartbeat", inner) for inner in value.values())
    if name in _tables.TIME_COLUMNS:
        return value is not None and not ISO.fullmatch(value)
    return isinstance(value, str) and name not in TEXTS[table.name]


@pytest.mark.parametrize("path", FILES, ids=named)
def test_each_column_has_its_type(path):
    for line, table, answer in recorded(path):
        rows = answer.rows
        if table is _tables.STATISTIC:
            totals, typed = _tables.read_statistic(answer.columns, rows)
            assert all(isinstance(value, int) for value in totals.values())
        else:
            typed = _tables.read_rows(table, answer.columns, rows)
        bad = [(line, name, value) for row in typed for name, value in row.items() if wrong(table, name, value)]
        assert not bad
        now = max((_tables.seconds_of(row[table.heard]) for row in typed if row.get(table.heard)), default=0) + 4
        assert _tables.offset_of(table, typed, now) in (0, None)
        assert _tables.in_utc(table, typed, 0) == typed


def test_nothing_was_passed_over():
    """All kinds of tables were recorded and read, and the settings of balancing as well."""
    seen = {}
    for path in FILES:
        for _, table, _ in recorded(path):
            seen[table.name] = seen.get(table.name, 0) + 1
    assert set(seen) == set(TEXTS) and sum(seen.values()) > 150, seen


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "09-all-frontend-config.txt"], ids=named)
def test_balance(path):
    """The four settings are in every version's list, by these names and with these types."""
    rows = [line.strip("| \n").split(" | ") for line in path.read_text(encoding="utf-8").splitlines()
            if line.startswith("| tablet_sched")]
    settings = [{"key": cells[0], "value": cells[2], "type": cells[3]} for cells in rows]
    assert _overview.balance_of(settings, []) == {
        "settings": {"tablet_sched_max_scheduling_tablets": 10000, "tablet_sched_max_balancing_tablets": 500,
                     "tablet_sched_disable_balance": False, "tablet_sched_disable_colocate_balance": False},
        "enabled": True, "scheduling": {}}
