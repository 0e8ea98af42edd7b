# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the data files of this folder from the transcripts: ``python3 generate.py <folder of the transcripts>``.

frontend_config.json: the settings of a front end. ``{"versions": [...], "keys": {key: {version: row}}}``; a row is
``[alias, type, mutable, comment, default]`` and stands for every later version until another one says something
else; ``null`` says that the key is gone. The versions are those that were recorded.

metrics.json: the lines of /metrics. ``{"versions": [...], "lines": [[line, [version, ...]], ...]}``, in order.
"""

import difflib
import json
import os
import re
import sys

CONFIG_VERSIONS = ("3.5.0", "3.5.7", "4.0.0", "4.1.0", "4.2.0")
METRICS = {"3.3.15": "compare/3.3.15/08-metrics.txt", "3.4.4": "compare/3.4.4/08-metrics.txt",
           "3.5.0": "compare/3.5.0/08-metrics.txt"}


def config_rows(path):
    """The rows of one ADMIN SHOW FRONTEND CONFIG; a comment may run over several lines."""
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("| "):
                rows.append(line)
            elif rows and not line.startswith(("+", "mysql[", "[mysql")) and not rows[-1].endswith("|\n"):
                rows[-1] += line
    for row in rows[1:]:
        cells = re.match(r"\| (.*?) \| \[(.*?)\] \| (.*?) ?\| (\S+) \| (true|false) \| ?(.*?) ?\|\n$", row, re.S)
        key, alias, value, kind, mutable, comment = cells.groups()
        yield key, alias, value, kind, mutable == "true", comment


def frontend_config(transcripts):
    keys = {}
    for version in CONFIG_VERSIONS:
        rows = {key: [alias, kind, mutable, comment, value.replace("/opt/starrocks/fe", "${STARROCKS_HOME}")]
                for key, alias, value, kind, mutable, comment in config_rows(
                    os.path.join(transcripts, version, "09-all-frontend-config.txt"))}
        for key in {*keys, *rows}:
            history = keys.setdefault(key, {})
            latest = list(history.values())[-1] if history else None
            if rows.get(key) != latest:
                history[version] = rows.get(key)
    return {"versions": list(CONFIG_VERSIONS), "keys": dict(sorted(keys.items()))}


def metrics(transcripts):
    merged = []
    for version, path in METRICS.items():
        with open(os.path.join(transcripts, path), encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file]
        lines = [line for line in lines if line and not line.startswith(("$ curl", "[curl"))]
        bare = [re.sub(r" [-+0-9.eENa]+$", "", line) if not line.startswith("#") else line for line in lines]
        known = [entry[2] for entry in merged]
        result = []
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, known, bare, autojunk=False).get_opcodes():
            if tag == "equal":
                result += [[lines[j], merged[i][1] + [version], bare[j]] for i, j in zip(range(i1, i2), range(j1, j2))]
            else:
                result += merged[i1:i2] + [[lines[j], [version], bare[j]] for j in range(j1, j2)]
        merged = result
    return {"versions": list(METRICS), "lines": [entry[:2] for entry in merged]}


def dump(name, content, rows):
    """JSON with one row a line, so that a change shows what changed."""
    entries = content[rows]
    if isinstance(entries, dict):
        body = ",\n".join(f"{json.dumps(key)}: {json.dumps(row)}" for key, row in entries.items())
        body = "{\n" + body + "\n}"
    else:
        body = "[\n" + ",\n".join(json.dumps(row) for row in entries) + "\n]"
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{{"versions": {json.dumps(content["versions"])},\n"{rows}": {body}}}\n')


if __name__ == "__main__":
    dump("frontend_config.json", frontend_config(sys.argv[1]), "keys")
    dump("metrics.json", metrics(sys.argv[1]), "lines")
