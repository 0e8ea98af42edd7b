# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the transcripts of real front ends: what was asked, what was answered.

A file is a list of
  Statement   mysql[user@host:port]> SQL, with its answers and the client's exit status
  Request     $ curl ..., with its output and curl's exit status
  Command     $ anything else, with its output, its exit status and how long it took where that was recorded
  Watch       a table printed with tabs after a note: one look in a series of looks
  Note        ## what was done meanwhile
"""

import re
from dataclasses import dataclass, field

PROMPT = re.compile(r"mysql\[(?P<user>[^@]*)@(?P<host>.*):(?P<port>\d+)\]> ?(?P<sql>.*)")
MYSQL_EXIT = re.compile(r"\[mysql exit (\d+)\]")
CURL_EXIT = re.compile(r"(?P<text>.*)\[curl exit (?P<status>\d+)\]")
ERROR = re.compile(r"ERROR (?P<code>\d+) \((?P<state>\w{5})\)(?: at line \d+)?: (?P<text>.*)")
DONE = re.compile(r"Query OK, (\d+) rows? affected")
COUNT = re.compile(r"(\d+) rows? in set")
COMMAND_EXIT = re.compile(r"(?P<text>.*)\[exit (?P<status>\d+), (?P<seconds>[\d.]+) s\]")
VERTICAL = re.compile(r"\*{20,} (\d+)\. row \*{20,}")


@dataclass
class Table:
    """Rows of text; None for a column whose alignment does not show, else whether it is right-aligned (a number)."""

    columns: list
    rows: list
    numeric: list = field(default_factory=list)


@dataclass
class Empty:
    """A result without rows: the client does not show its columns."""


@dataclass
class Done:
    """Query OK."""

    affected: int


@dataclass
class Error:
    """What the server refused, with its number, SQLSTATE and text."""

    code: int
    state: str
    text: str


@dataclass
class Statement:
    """One call of the mysql client; several statements of one call have an answer each, up to the first error."""

    line: int
    user: str
    sql: str
    vertical: bool
    answers: list
    status: int


@dataclass
class Request:
    """One call of curl."""

    line: int
    command: str
    output: str
    status: int


@dataclass
class Command:
    """One shell command; 0 for a status and None for seconds that were not recorded."""

    line: int
    command: str
    output: str
    status: int
    seconds: float


@dataclass
class Watch:
    """One look at a few columns of a table."""

    line: int
    table: Table


@dataclass
class Note:
    """A remark of who recorded."""

    line: int
    text: str


class TranscriptError(Exception):
    """A transcript that is not in the form described above."""


def _cells(line, width):
    """The raw cells of a table row; the values may be longer than the frame, and may hold a bar where it fits."""
    inner = line.strip(" ")[1:-1]
    if sum(width) + len(width) - 1 == len(inner):
        cells, start = [], 0
        for size in width:
            cells.append(inner[start:start + size])
            start += size + 1
        return cells
    return inner.split("|", len(width) - 1)


def _alignment(raw_cells):
    """True if the cells of a column are right-aligned, False if left-aligned, None if that does not show."""
    for cell in raw_cells:
        if cell.startswith("  ") and not cell.endswith("  "):
            return True
        if cell.endswith("  ") and not cell.startswith("  "):
            return False
    return None


def _row(lines, count):
    """Take one row from the front; a value with line breaks makes a row of several lines."""
    row = lines.pop(0)
    while not (row.rstrip(" ").endswith("|") and row.count("|") > count) and not lines[0].startswith("+-"):
        row += "\n" + lines.pop(0)
    return row


def _framed(lines):
    """Read a table drawn with +---+ lines; "lines" is taken from its front."""
    width = [len(part) for part in lines.pop(0).strip().strip("+").split("+")]
    columns = [cell.strip() for cell in _cells(lines.pop(0), width)]
    lines.pop(0)
    raw = []
    while not lines[0].startswith("+-"):
        raw.append(_cells(_row(lines, len(columns)), width))
        if len(raw[-1]) != len(columns):
            raise TranscriptError(f"a row of {len(raw[-1])} cells under {len(columns)} columns: {raw[-1]}")
    lines.pop(0)
    rows = [[cell[1:].rstrip() if not cell.startswith("  ") else cell.strip() for cell in row] for row in raw]
    return Table(columns, rows, [_alignment(column) for column in zip(*raw)])


def _vertical(lines):
    """Read rows printed with \\G."""
    columns, rows = [], []
    while lines and VERTICAL.fullmatch(lines[0]):
        lines.pop(0)
        row = []
        while lines and not VERTICAL.fullmatch(lines[0]) and not COUNT.fullmatch(lines[0]):
            name, _, value = lines.pop(0).partition(": ")
            row.append((name.strip(), value.rstrip()))
        columns = [name for name, _value in row]
        rows.append([value for _name, value in row])
    return Table(columns, rows, [None] * len(columns))


def answers_of(lines):
    """Read what the mysql client printed."""
    lines = [line for line in lines if not line.startswith("## ")]
    answers = []
    while lines:
        line = lines[0]
        if not line.strip():
            lines.pop(0)
        elif line.startswith("ERROR "):
            match = ERROR.fullmatch(" ".join(lines).rstrip() if len(lines) > 1 and lines[1].strip() else line)
            if not match:
                raise TranscriptError(f"not an error: {line}")
            answers.append(Error(int(match["code"]), match["state"], match["text"].rstrip()))
            return answers
        elif DONE.fullmatch(line):
            answers.append(Done(int(DONE.fullmatch(lines.pop(0))[1])))
        elif line == "Empty set":
            lines.pop(0)
            answers.append(Empty())
        elif line.startswith("+-") or VERTICAL.fullmatch(line):
            table = _framed(lines) if line.startswith("+-") else _vertical(lines)
            if lines and COUNT.fullmatch(lines[0]) and int(COUNT.fullmatch(lines.pop(0))[1]) != len(table.rows):
                raise TranscriptError(f"not as many rows as said after {table.columns}")
            answers.append(table)
        else:
            raise TranscriptError(f"what is this: {line}")
    return answers


def statement_at(lines, number):
    match = PROMPT.fullmatch(lines[number])
    body, at = [], number + 1
    while not MYSQL_EXIT.fullmatch(lines[at]):
        body.append(lines[at])
        at += 1
    sql = match["sql"]
    vertical = sql.endswith("\\G")
    statement = Statement(number + 1, match["user"], sql.removesuffix("\\G"), vertical, answers_of(body),
                          int(MYSQL_EXIT.fullmatch(lines[at])[1]))
    return statement, at + 1


def request_at(lines, number):
    body, at = [], number + 1
    while not CURL_EXIT.fullmatch(lines[at]):
        body.append(lines[at])
        at += 1
    match = CURL_EXIT.fullmatch(lines[at])
    body.append(match["text"])
    return Request(number + 1, lines[number][2:], "\n".join(body), int(match["status"])), at + 1


def _command(lines, number):
    """Read a command up to its exit status, or to the end of the file where none was recorded."""
    body = []
    for at in range(number + 1, len(lines)):
        match = COMMAND_EXIT.fullmatch(lines[at])
        body.append(match["text"] if match else lines[at])
        if match:
            return Command(number + 1, lines[number][2:], "\n".join(body), int(match["status"]),
                           float(match["seconds"])), at + 1
    return Command(number + 1, lines[number][2:], "\n".join(body), 0, None), len(lines)


def watch_at(lines, number):
    at = number
    while at < len(lines) and "\t" in lines[at]:
        at += 1
    rows = [line.split("\t") for line in lines[number:at]]
    return Watch(number + 1, Table(rows[0], rows[1:], [None] * len(rows[0]))), at


def parse(text):
    """Read a transcript; returns a list of Statement, Request, Command, Watch, Note. Raises TranscriptError."""
    lines = text.splitlines()
    found, at = [], 0
    while at < len(lines):
        line = lines[at]
        if PROMPT.fullmatch(line):
            item, at = statement_at(lines, at)
        elif line.startswith("$ curl "):
            item, at = request_at(lines, at)
        elif line.startswith("$ "):
            item, at = _command(lines, at)
        elif line.startswith("## "):
            item, at = Note(at + 1, line[3:]), at + 1
        elif "\t" in line:
            item, at = watch_at(lines, at)
        elif not line.strip():
            at += 1
            continue
        else:
            raise TranscriptError(f"line {at + 1}: what is this: {line}")
        found.append(item)
    return found


def is_metrics(text):
    """Say whether a file holds nothing but what /metrics answered."""
    return text.startswith("# HELP ")
