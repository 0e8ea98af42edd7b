# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the data files of this folder: ``python3 -m standin.data.generate <folder of the transcripts>``.

frontend_config.json: the settings of a front end. ``{"versions": [...], "keys": {key: {version: row}}}``; a row is
``[alias, type, mutable, comment, default]`` and stands for every later version until another one says something
else; ``null`` says that the key is gone. The versions are those that were recorded. The keys stand as /variable shows
those of one bucket of its hash map: in the order of their declaration, as far as that can be seen.

session_variables.json: their defaults, ``{"versions": [...], "names": {name: {version: value}}}``, read like settings.

metrics.json: the lines of /metrics, each once, as ``metric_templates`` makes them: ``{"versions": {version: {"blanks":
between HELP and the name, "order": [[first, last], ...] runs of line numbers, "information_schema": the number of its
tables}}, "lines": [...]}``.
"""

import graphlib
import heapq
import itertools
import json
import os
import re
import sys

from standin.fe.state import java_buckets

CONFIG_VERSIONS = ("3.5.0", "3.5.7", "4.0.0", "4.1.0", "4.2.0")
METRICS = {**{version: f"compare/{version}/08-metrics.txt" for version in ("3.3.15", "3.4.4", "3.5.0")},
           **{version: f"{version}/13-metrics-full.txt" for version in ("3.5.7", "4.0.0", "4.1.0", "4.2.0")}}
PASSING_METRICS = "starrocks_fe_brpc_pool_"


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
    return {"versions": list(CONFIG_VERSIONS), "keys": {key: keys[key] for key in declared(keys, transcripts)}}


def variable_page(transcripts, version):
    """The two parts of /variable, settings and session variables: dictionaries in the order of the page.

    The recorder replaced the first line of the settings, as it holds HTML too.
    """
    with open(os.path.join(transcripts, version, "12-http.txt"), encoding="utf-8") as file:
        text = file.read()
    page = re.search(r"an HTML page\]\n(\S+?=.*?)\n</pre><h2>Variable Info</h2><pre>(.*?)\n</pre>", text, re.S)
    return [dict(line.split("=", 1) for line in part.splitlines()) for part in page.groups()]


def declared(keys, transcripts):
    """The keys, sorted as long as /variable shows no other order of two that share a bucket."""
    graph = graphlib.TopologicalSorter(dict.fromkeys(keys, ()))
    for version in CONFIG_VERSIONS:
        shown = list(variable_page(transcripts, version)[0])
        known = [key for key, history in keys.items()
                 if [row for recorded, row in history.items() if recorded <= version][-1:] not in ([], [None])]
        (first,) = set(known) - set(shown)
        buckets = java_buckets(known)
        for one, other in itertools.pairwise([first, *shown]):
            if buckets[one] == buckets[other]:
                graph.add(other, one)
    graph.prepare()
    ready = []
    while graph.is_active():
        for key in graph.get_ready():
            heapq.heappush(ready, key)
        yield ready[0]
        graph.done(heapq.heappop(ready))


def metric_templates(path):
    """What /metrics printed, without its values: a list of lines; those of the JVM keep them.

    A line that comes once for each back end, database or user stands once, with ``*`` for the name; so does the name
    of the pools of connections to back ends, which only come with queries.
    """
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    result, block = [], []
    for line in lines:
        if not line or line.startswith(("$ curl", "[curl")) or PASSING_METRICS in line:
            continue
        line = re.sub(r"^# (HELP|TYPE) +", r"# \1 ", line)
        if not line.startswith(("#", "jvm_")):
            line = re.sub(r'\b(backend|db_name|db|user|is_leader)="[^"]*"', r'\1="*"', line.rpartition(" ")[0])
        if line in block:
            continue
        if not line.startswith("#"):
            repeated = re.search(r'\b(backend|db_name|db|user)="\*"', line)
            block = [*block, line] if repeated else []
        result.append(line)
    return result


def runs(numbers):
    """[4, 5, 6, 9] -> [[4, 6], [9, 9]]"""
    found = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def metrics(transcripts):
    lines, versions = {}, {}
    for version, path in METRICS.items():
        path = os.path.join(transcripts, path)
        templates = metric_templates(path)
        names = {line.rpartition(" ")[0]: number for line, number in lines.items() if line.startswith("jvm_")}
        numbers = []
        for line in templates:
            known = names.get(line.rpartition(" ")[0]) if line.startswith("jvm_") else lines.get(line)
            numbers.append(lines.setdefault(line, len(lines)) if known is None else known)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        versions[version] = {"blanks": len(re.search(r"# HELP( +)", text).group(1)), "order": runs(numbers),
                             "information_schema": int(re.search(r'db_name="information_schema"\} (\d+)', text)[1])}
    return {"versions": versions, "lines": list(lines)}


def session_variables(transcripts):
    """The session variables that /variable shows after the settings, as {name: {version: value}}."""
    names = {}
    for version in CONFIG_VERSIONS:
        values = variable_page(transcripts, version)[1]
        for name in {*names, *values}:
            history = names.setdefault(name, {})
            if values.get(name) != (list(history.values())[-1] if history else None):
                history[version] = values.get(name)
    for name in ("version", "version_comment"):
        del names[name]
    return {"versions": list(CONFIG_VERSIONS), "names": dict(sorted(names.items()))}


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
    dump("session_variables.json", session_variables(sys.argv[1]), "names")
    dump("metrics.json", metrics(sys.argv[1]), "lines")
