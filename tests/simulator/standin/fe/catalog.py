# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases, tables and the replicas of their tablets, as far as node operations meet them."""

import re

from standin.fe import errors
from standin.fe.state import SYSTEM_DATABASES, node_with_id, now_ms, take_id

STATISTICS = "_statistics_"

# What the front end makes by itself in _statistics_: (table, tablets, since). The keeper's tables begin with one
# replica and get more later; the others have as many as there are back ends, three at most (3.5.0 transcripts 06, 07b).
KEEPER_TABLES = [("predicate_columns", 8, "3.4"), ("loads_history", 8, "3.3"), ("task_run_history", 3, "3.3"),
                 ("tablet_write_log_history", 8, "4.2")]
STATISTICS_TABLES = [("table_statistic_v1", 10, None), ("column_statistics", 10, None),
                     ("histogram_statistics", 10, None), ("external_column_statistics", 10, "3.2"),
                     ("external_histogram_statistics", 10, "3.3"), ("pipe_file_list", 8, "3.2"),
                     ("multi_column_statistics", 10, "3.5"), ("spm_baselines", 10, "4.0"),
                     ("query_history", 10, "4.0")]

_REPAIR_BATCH = 40            # replicas moved in one round
_BE_DOWN_TOLERATED = 900_000  # ms; tablet_sched_be_down_tolerate_time_s


def tables(state):
    """(database name, table name, table) of all tables."""
    for database_name, database in state["databases"].items():
        for table_name, table in database["tables"].items():
            yield database_name, table_name, table


def holders(tablet):
    """The ids of the nodes that hold a replica of a tablet."""
    return [holder for _replica, holder in tablet["replicas"]]


def tablets_on(state, number):
    """How many replicas a node holds."""
    return sum(holders(tablet).count(number) for _, _, table in tables(state) for tablet in table["tablets"])


def _remove_replica(tablet, number):
    tablet["replicas"] = [replica for replica in tablet["replicas"] if replica[1] != number]


def forget_node(state, number):
    """Take the replicas away that a dropped node held."""
    for _, _, table in tables(state):
        for tablet in table["tablets"]:
            _remove_replica(tablet, number)


def _usable(state, number):
    """Does a replica on this node count as healthy? A node that died a moment ago still does."""
    node = node_with_id(state, number)
    return bool(node and not node["decommissioned"]
                and (node["alive"] or now_ms() - node["last_heartbeat"] < _BE_DOWN_TOLERATED))


def unhealthy(state, some_tables):
    """How many tablets of the tables have too few replicas, or one that has to move."""
    usable = {node["id"] for node in state["backends"] + state["compute_nodes"] if _usable(state, node["id"])}
    return sum(any(number not in usable for number in holders(tablet))
               or len(tablet["replicas"]) < table["replication_num"]
               for table in some_tables for tablet in table["tablets"])


def available_backends(state):
    """The back ends that new replicas may go to, in the order of their ids."""
    return sorted(node["id"] for node in state["backends"] if node["alive"] and not node["decommissioned"])


def pending(state):
    """Tablets that wait to be repaired or moved, and could be."""
    candidates = available_backends(state)
    return sum(1 for _, _, table in tables(state) for tablet in table["tablets"] if _move(state, table, tablet,
                                                                                         candidates, dry=True))


def moved_at_once(config):
    """How many replicas one round of the tablet scheduler moves; none where it may schedule none (section 7.3)."""
    return min(_REPAIR_BATCH, config.integer("tablet_sched_max_scheduling_tablets"))


def _move(state, table, tablet, candidates, dry):
    """Give one tablet what it lacks: a further replica first, then away with the one that has to go."""
    present = holders(tablet)
    leaving = [number for number in present
               if node_with_id(state, number) is None or node_with_id(state, number)["decommissioned"]]
    staying = [number for number in present if number not in leaving]
    free = [number for number in candidates if number not in present]
    if len(staying) < table["replication_num"] and free:
        if not dry:
            counts = {number: tablets_on(state, number) for number in free}
            tablet["replicas"].append([take_id(state), min(free, key=lambda number: (counts[number], number))])
            if leaving:
                _remove_replica(tablet, leaving[0])
        return True
    if leaving and len(staying) >= table["replication_num"]:
        if not dry:
            _remove_replica(tablet, leaving[0])
        return True
    return False


def repair(state, limit):
    """One round of the tablet scheduler: move or add at most ``limit`` replicas. True if anything changed."""
    candidates = available_backends(state)
    moved = 0
    for _, _, table in tables(state):
        for tablet in table["tablets"]:
            if moved < limit and _move(state, table, tablet, candidates, dry=False):
                moved += 1
    return moved > 0


def add_table(state, database_name, table_name, buckets, replication_num, backends):
    """Make a table, its replicas dealt out over the back ends in turn.

    Ids are taken as the real front end takes them (3.5.7 to 4.2.0 transcripts 06, 18): four for the table, its
    partition, its physical partition and its index, then one for each tablet, followed by those of its replicas.
    """
    start = sum(tablets_on(state, number) for number in backends)
    number = take_id(state)
    for _partition_and_index in range(3):
        take_id(state)
    tablets = []
    for bucket in range(buckets if backends else 0):
        chosen = sorted(backends[(start + bucket + step) % len(backends)] for step in range(replication_num))
        tablets.append({"id": take_id(state), "replicas": [[take_id(state), holder] for holder in chosen]})
    state["databases"][database_name]["tables"][table_name] = {
        "id": number, "replication_num": replication_num, "tablets": tablets}


def create_database(version, state, name, if_not_exists=False):
    if name in state["databases"]:
        if if_not_exists:
            return
        raise errors.execution(version, f"Can't create database '{name}'; database exists", 1007, "HY000")
    state["databases"][name] = {"id": take_id(state), "tables": {}}


def drop_database(version, state, name, if_exists=False):
    if name in state["databases"] and name not in SYSTEM_DATABASES:
        del state["databases"][name]
    elif not if_exists:
        raise errors.execution(version, f"Can't drop database '{name}'; database doesn't exist", 1008, "HY000")


def _database(version, state, name):
    if name not in state["databases"]:
        raise errors.SqlError(f"Unknown database '{name}'", 1049, "42000")
    return state["databases"][name]


def create_table(version, state, config, name, definition, current_database, if_not_exists=False):
    """CREATE TABLE with BUCKETS and replication_num; the columns are not looked at."""
    database_name, table_name = name[0] or current_database, name[1]
    if not database_name:
        raise errors.SqlError("No database selected", 1046, "3D000")
    database = _database(version, state, database_name)
    if table_name in database["tables"]:
        if if_not_exists:
            return
        raise errors.execution(version, f"Table '{table_name}' already exists", 1050, "42S01")
    buckets = re.search(r"\bBUCKETS\s+(\d+)", definition, re.I)
    given = re.search(r"""["']replication_num["']\s*=\s*["'](\d+)["']""", definition)
    default = config.text("default_replication_num") or "3"
    replication_num = int(given.group(1) if given else default)
    backends = available_backends(state)
    shared_data = state["run_mode"] == "shared_data"
    if shared_data:
        backends = backends + [node["id"] for node in state["compute_nodes"] if node["alive"]]
        replication_num = 1
    if replication_num > len(backends):
        raise errors.execution(
            version, "Table replication num should be less than or equal to the number of available backends. You can "
            "change this default by setting the replication_num table properties. Current available backends: "
            f"[{','.join(map(str, backends))}], table={table_name}, replication_num={replication_num}, "
            f"default_replication_num={default}")
    add_table(state, database_name, table_name, int(buckets.group(1)) if buckets else 1, replication_num, backends)


def drop_table(version, state, name, current_database, if_exists=False):
    database_name, table_name = name[0] or current_database, name[1]
    database = state["databases"].get(database_name)
    if database and table_name in database["tables"]:
        del database["tables"][table_name]
    elif not if_exists:
        raise errors.SqlError(f"Unknown table '{database_name}.{table_name}'", 1051, "42S02")


def _missing(version, state, wanted):
    present = state["databases"].get(STATISTICS, {"tables": {}})["tables"]
    return [(name, buckets) for name, buckets, since in wanted if version.within(since, None) and name not in present]


def keep_statistics(version, state):
    """One round of the statistics manager: its database, then its tables as soon as there is a back end."""
    backends = available_backends(state)
    if STATISTICS not in state["databases"]:
        create_database(version, state, STATISTICS)
        return True
    missing = _missing(version, state, STATISTICS_TABLES) if backends else []
    for name, buckets in missing:
        add_table(state, STATISTICS, name, buckets, min(3, len(backends)), backends)
    return bool(missing)


def keep_tables(version, state):
    """One round of the table keeper: make its tables with one replica, later ask for as many as there can be."""
    backends = available_backends(state)
    if STATISTICS not in state["databases"] or not backends:
        return False
    missing = _missing(version, state, KEEPER_TABLES)
    for name, buckets in missing:
        add_table(state, STATISTICS, name, buckets, 1, backends)
    wanted = min(3, len(backends))
    kept = [name for name, _buckets, _since in KEEPER_TABLES]
    few = [] if missing else [table for name, table in state["databases"][STATISTICS]["tables"].items()
                              if name in kept and table["replication_num"] < wanted]
    for table in few:
        table["replication_num"] = wanted
    return bool(missing or few)


def _named(state, name, current_database):
    """A table by (database or None, name). Raises SqlError."""
    database_name, table_name = name[0] or current_database, name[1]
    if not database_name:
        raise errors.SqlError("No database selected", 1046, "3D000")
    database = state["databases"].get(database_name)
    if database is None:
        raise errors.SqlError(f"Unknown database '{database_name}'", 1049, "42000")
    if table_name not in database["tables"]:
        raise errors.SqlError(f"Unknown table '{database_name}.{table_name}'", 1051, "42S02")
    return database["tables"][table_name]


def replica_status(state, name, current_database):
    """The rows of ADMIN SHOW REPLICA STATUS (3.5.7 to 4.2.0 transcripts 18)."""
    rows = []
    for tablet in _named(state, name, current_database)["tablets"]:
        for replica, holder in tablet["replicas"]:
            node = node_with_id(state, holder)
            rows.append((str(tablet["id"]), str(replica), str(holder), "1", "-1", "1", "1", "0", "1", "false", "false",
                         "NORMAL", "OK" if node and node["alive"] else "DEAD"))
    return rows


def replica_distribution(state, name, current_database):
    """The rows of ADMIN SHOW REPLICA DISTRIBUTION: one ``>`` is what each back end would have (transcripts 18)."""
    counts = dict.fromkeys(sorted(node["id"] for node in state["backends"]), 0)
    for tablet in _named(state, name, current_database)["tablets"]:
        for holder in holders(tablet):
            counts[holder] = counts.get(holder, 0) + 1
    total = sum(counts.values())
    return [(str(number), str(count), ">" * (count * len(counts) // total if total else 0),
             f"{100 * count / total if total else 0:.2f} %") for number, count in counts.items()]
