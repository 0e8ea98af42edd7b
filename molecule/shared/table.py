# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the preflight, read from what a playbook printed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .playing import Played

HEADLINE = re.compile(
    r"Preflight of StarRocks cluster (?P<name>\S+): (?:all is well, (?P<well>\d+) checks?"
    r"|(?P<failures>\d+) failures?, (?P<warnings>\d+) warnings?, (?P<ok>\d+) checks? well,) on (?P<hosts>\d+) hosts?"
)


@dataclass(frozen=True)
class Row:
    """One finding; words: FOUND with what is needed and how to mend it, all white space as single blanks."""

    status: str
    check: str
    hosts: str
    words: str


def last_report(played: Played) -> list[str]:
    """The lines from the last headline to the blank line or task that ends the table."""
    lines = played.output.splitlines()
    begin = max(index for index, line in enumerate(lines) if HEADLINE.match(line))
    end = next((index for index in range(begin, len(lines)) if lines[index].startswith(("ok: ", "fatal: ", "[ERROR]"))),
               len(lines))  # fmt: skip
    return lines[begin:end]


def headline(played: Played) -> dict[str, int]:
    """The counts of the headline."""
    found = HEADLINE.match(last_report(played)[0])
    return {name: int(found[name] or 0) for name in ("failures", "warnings", "ok", "well", "hosts")}


def rows(played: Played) -> list[Row]:
    """The rows of the table, in their order."""
    found: list[list[str]] = []
    columns: list[int] = []
    for line in last_report(played):
        if line.startswith("STATUS "):
            columns = [line.index(header) for header in ("STATUS", "CHECK", "HOSTS", "FOUND")]
        elif columns and line.strip():
            cells = [line[begin:end].strip() for begin, end in zip(columns, [*columns[1:], None])]
            if cells[0]:
                found.append(cells)
            else:
                found[-1] = [f"{before} {more}".strip() for before, more in zip(found[-1], cells)]
    return [Row(*cells) for cells in found]
