# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metrics of a front end: the recorded names of the nearest version, with the numbers that mean something here."""

import functools
import re

from standin.fe import catalog, recorded
from standin.fe.state import all_brokers, java_order

_SYS_TABLES = 6  # in the database sys; data/metrics.json knows how many information_schema has
_REPEATED = re.compile(r'\b(backend|db_name|db|user)="\*"')


@functools.lru_cache
def _recorded(release, is_older):
    """(lines in their order, number of tables in information_schema) of the newest recorded version that is not newer.

    The lines are templates, see data/generate.py.
    """
    content = recorded.load("metrics.json")
    versions = content["versions"]
    known = [name for name in versions if not is_older(name)] or list(versions)[:1]
    nearest = versions[known[-1]]
    lines = [content["lines"][number] for first, last in nearest["order"] for number in range(first, last + 1)]
    blanks = " " * nearest["blanks"]
    return ([re.sub(r"^# (HELP|TYPE) ", rf"# \1{blanks}", line) for line in lines], nearest["information_schema"])


def _repeated(frontend, information_schema):
    """Label -> {value: {metric: number}}: the lines that there is one of for each value, and what is known of them."""
    state = frontend.replica.state
    tables = {name: len(database["tables"]) for name, database in state["databases"].items()}
    for name, number in (("information_schema", information_schema), ("sys", _SYS_TABLES)):
        if name in tables:
            tables[name] = number
    return {
        "backend": {f"{node['host']}:{node['heartbeat_port']}":
                    {"starrocks_fe_tablet_num": catalog.tablets_on(state, node["id"])} for node in state["backends"]},
        "db_name": {name: {"starrocks_fe_table_num": tables[name]} for name in java_order(list(tables))},
        "db": {name: {} for name in java_order(list(tables)) if name not in ("information_schema", "sys")},
        "user": {name: {} for name in java_order(frontend.counted_logins)},
    }


def _own(frontend):
    """What is known of the other lines: the line without its value -> its value."""
    replica, state = frontend.replica, frontend.replica.state

    def alive(rows):
        return sum(row["alive"] for row in rows)

    frontends = [dict(row, alive=row["alive"] or row["name"] == replica.name) for row in state["frontends"]]
    nodes = {
        "fe_node_num": {"total": len(frontends), "alive": alive(frontends)},
        "be_node_num": {"total": len(state["backends"]), "alive": alive(state["backends"]),
                        "decommissioned": sum(node["decommissioned"] for node in state["backends"])},
        "broker_node_num": {"dead": sum(not broker["alive"] for broker in all_brokers(state))},
        "cn_node_num": {"total": len(state["compute_nodes"]), "alive": alive(state["compute_nodes"])},
    }
    return {
        "starrocks_fe_max_journal_id": replica.journal_id,
        "starrocks_fe_meta_log_count": replica.journal_id,
        "starrocks_fe_database_num": len(state["databases"]),
        'node_info{type="is_master"}': int(replica.leads),
        **{f'node_info{{type="{kind}", state="{name}"}}': number
           for kind, states in nodes.items() for name, number in states.items()},
    }


def _blocks(lines):
    """The lines in groups: (label, lines), where neighbours with the same repeated label and their comments are one."""
    label, block, comments = None, [], []
    for line in lines:
        if line.startswith("#"):
            comments.append(line)
            continue
        match = _REPEATED.search(line)
        found = match.group(1) if match else None
        if found != label:
            yield label, block
            label, block = found, []
        block += [*comments, line]
        comments = []
    yield label, block


def text(frontend):
    """The answer of /metrics. What is not known here is 0; the JVM's figures are the recorded ones."""
    lines, information_schema = _recorded(frontend.version.release, frontend.version.__lt__)
    own, repeated = _own(frontend), _repeated(frontend, information_schema)
    leads = f'is_leader="{str(frontend.replica.leads).lower()}"'
    result = []
    for label, block in _blocks(lines):
        for index, (name, known) in enumerate(repeated[label].items() if label else [(None, own)]):
            for line in block:
                if line.startswith("#"):
                    result += [line] if index == 0 else []
                    continue
                line = line.replace('is_leader="*"', leads)
                if label:
                    number = known.get(line.partition("{")[0], 0)
                    line = _REPEATED.sub(lambda match, name=name: f'{match.group(1)}="{name}"', line)
                    result.append(f"{line} {number}")
                else:
                    result.append(line if line.startswith("jvm_") else f"{line} {known.get(line, 0)}")
    return "\n".join(result)
