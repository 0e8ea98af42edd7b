# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare answers with recorded ones. What differs by nature is masked; the whole mask is MASKS below.

A mask replaces a pattern by a fixed text on both sides. It is for all texts ("*": errors, HTTP output, every column),
for a column of any table, or for a column of the tables with a certain first one ("BackendId/TabletNum").
"""

import re

from .transcript import Done, Error, Table, is_metrics

MASKS = [
    # where, pattern, replacement, why
    ("*", r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "<time>", "the time of day"),
    ("*", r"#?\w{3},? (?:\w{3} )?\d\d (?:\w{3} \d{4} )?\d\d:\d\d:\d\d (?:UTC|GMT)(?: \d{4})?", "<date>",
     "the time of day"),
    ("*", r"_9010_\d{13}\b", "_9010_<ms>", "a front end's name ends in the time it was added"),
    ("*", r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<token>", "random"),
    ("*", r"(?i)(cluster_?id\"?[:=]\"?)\d+", r"\1<cluster>", "random"),
    ("*", r"\b(\d+\.\d+\.\d+)-(?:double|[0-9a-f]{7})\b", r"\1-<commit>", "the recorded back ends were doubles"),
    ("*", r"((?:BackendId|ComputeNodeId)\":\"|\[id=)\d+", r"\1<id>", "given in the order of events within the FE"),
    ("*", r"(TabletNum\":\")\d+", r"\1<tablets>", "the FE spreads tablets, its own tables' too, as chance has it"),
    ("*", r"(available backends: )\[[\d,]+\]", r"\1<ids>", "given in the order of events within the FE"),
    ("*", r"(ReplayedJournalId\"?[:=]\"?|current_journal_id\":\")\d+", r"\1<journal>", "counts events within the FE"),
    ("*", r"(feStartTime\":)\d{13}", r"\1<ms>", "the time of day"),
    ("*", r"(heapUsedPercent\":)0\.\d{2,}", r"\1<heap>", "the state of the JVM's heap"),
    ("*", r"(?i)((?:content-length|X-Image-Size): )\d+", r"\1<length>", "the bodies hold the texts masked above"),
    ("*", r"\b(process |Process (?!999999 ))\d+", r"\1<pid>", "given by the system"),
    ("*", r"(<time>)\.\d{3}Z (\w+) \(([\w-]+)\|\d+\)", r"\1 \2 (\3)", "the time of day and the number of a thread"),
    ("BackendId", r"\d+", "<id>", "given in the order of events within the FE"),
    ("ComputeNodeId", r"\d+", "<id>", "given in the order of events within the FE"),
    ("node_id", r"\d+", "<id>", "given in the order of events within the FE"),
    ("TabletId", r"\d+", "<id>", "given in the order of events within the FE"),
    ("ReplicaId", r"\d+", "<id>", "given in the order of events within the FE"),
    ("ServerName/Id", r"\d+", "<connection>", "counts the connections of the FE"),
    ("ServerName/Host", r":\d+$", ":<port>", "the client's port"),
    ("*", r"\[_statistics_\.\w+\]", "[_statistics_.<table>]", "goes through a hash map by id"),
    ("DbId", r"\d{5}", "<id>", "given in the order of events within the FE"),
    ("ClusterId", r"\d+", "<cluster>", "random"),
    ("ReplayedJournalId", r"\d+", "<journal>", "counts events within the FE"),
    ("BackendId/TabletNum", r"\d+", "<tablets>", "the FE spreads tablets, its own tables' too, as chance has it"),
]

# Metrics that come and go: the FE has a pool of connections for each back end that it sent a query to.
PASSING_METRICS = re.compile(r"starrocks_fe_brpc_pool_")

OF_DATABASE = re.compile(r'[{ ]db="')

# Results whose rows the real front end keeps in a hash map: their order means nothing (starrocks.md 1.2, 1.5, 1.8).
UNORDERED = re.compile(r"SHOW (PROC '/(frontends|brokers)?'|FRONTENDS|BROKER)$")


def masked(text, column=None, first_column=None):
    """The text with all that differs by nature replaced, and runs of blanks squeezed."""
    for where, pattern, replacement, _why in MASKS:
        if where in ("*", column, f"{first_column}/{column}"):
            text = re.sub(pattern, replacement, text)
    return " ".join(text.split())


def masked_rows(table):
    """The rows of a table, masked."""
    first = table.columns[0]
    return [[masked(value, column, first) for column, value in zip(table.columns, row)] for row in table.rows]


def differences(sql, expected, actual):
    """Say in how far the answers of one call differ; a list of texts, empty for none."""
    found = []
    if len(expected) != len(actual):
        found.append(f"{len(actual)} answers instead of {len(expected)}: {actual}")
    for wanted, got in zip(expected, actual):
        if type(wanted) is not type(got):
            found.append(f"{_short(got)} instead of {_short(wanted)}")
        elif isinstance(wanted, Table):
            found += table_differences(wanted, got, bool(UNORDERED.match(sql)))
        elif isinstance(wanted, Error):
            if (wanted.code, wanted.state) != (got.code, got.state):
                found.append(f"error {got.code} ({got.state}) instead of {wanted.code} ({wanted.state})")
            if masked(wanted.text) != masked(got.text):
                found.append(f"text {masked(got.text)!r} instead of {masked(wanted.text)!r}")
        elif isinstance(wanted, Done) and wanted != got:
            found.append(f"{got} instead of {wanted}")
    return found


def _short(answer):
    text = repr(answer)
    return text if len(text) < 300 else text[:300] + "..."


def table_differences(wanted, got, unordered):
    """Compare columns (names, order, numbers or text), then rows."""
    if wanted.columns != got.columns:
        return [f"columns {got.columns} instead of {wanted.columns}"]
    found = [f"column {name} is {'a number' if is_number else 'text'}"
             for name, should, is_number in zip(wanted.columns, wanted.numeric, got.numeric)
             if should is not None and should != is_number]
    wanted_rows, got_rows = masked_rows(wanted), masked_rows(got)
    if unordered:
        wanted_rows.sort()
        got_rows.sort()
    if len(wanted_rows) != len(got_rows):
        keys, others = [row[0] for row in wanted_rows], [row[0] for row in got_rows]
        found.append(f"{len(got_rows)} rows instead of {len(wanted_rows)}; missing {sorted(set(keys) - set(others))}, "
                     f"too many {sorted(set(others) - set(keys))}")
        return found
    for row, other in zip(wanted_rows, got_rows):
        found += [f"{row[0]}: {name} {there!r} instead of {here!r}"
                  for name, here, there in zip(wanted.columns, row, other) if here != there]
    return found


def text_differences(wanted, got):
    """Compare the output of curl line by line."""
    if is_metrics(wanted):
        return metric_differences(wanted, got)
    wanted_lines, got_lines = [[masked(line) for line in text.strip().splitlines()] for text in (wanted, got)]
    if "[an HTML page]" in wanted_lines:  # the recorder's mark for a line of HTML
        wanted_lines, got_lines = [[line for line in lines if line and not line.startswith(("<", "["))]
                                   for lines in (wanted_lines, got_lines)]
    if wanted_lines == got_lines:
        return []
    only = [[line for line in lines if line not in others]
            for lines, others in ((got_lines, wanted_lines), (wanted_lines, got_lines))]
    if not any(only):
        return ["the same lines in another order"]
    return [f"{only[0]} instead of {only[1]}"]


def metric_names(text):
    """The names, labels and types of metrics in their order, with the values of labels that are ids masked.

    The figures of databases come by a hash map by id: these lines are sorted among themselves.
    """
    names = [masked(line if line.startswith("#") else line.rpartition(" ")[0]) for line in text.strip().splitlines()
             if not PASSING_METRICS.search(line)]
    of_databases = iter(sorted(name for name in names if OF_DATABASE.search(name)))
    return [next(of_databases) if OF_DATABASE.search(name) else name for name in names]


def metric_differences(wanted, got):
    """Compare names, labels, types and help texts of metrics; their values are figures of the moment."""
    wanted, got = metric_names(wanted), metric_names(got)
    missing = [line for line in wanted if line not in set(got)]
    extra = [line for line in got if line not in set(wanted)]
    found = [f"missing {line}" for line in missing] + [f"too many {line}" for line in extra]
    if not found and wanted != got:
        place, there = next((pair for pair in zip(wanted, got) if pair[0] != pair[1]), ("an end", "more"))
        found.append(f"the metrics are in another order, from {place} on, where {there} is")
    return found
