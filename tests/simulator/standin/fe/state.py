# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a cluster: plain dictionaries and lists, so that it is sent and stored as JSON.

Times are milliseconds since 1970, 0 for never; sizes are bytes. Shapes:

* frontend: id, name, host, edit_log_port, role (FOLLOWER, OBSERVER), joined (member of the replication group, and
  thereby a voter if a follower), alive, query_port, rpc_port, journal_id, last_heartbeat, start_time, version,
  err_msg, failures (heartbeats missed in a row);
* backend and compute node: see ``new_node``; disks as the stand-in's back end reports them, ``{root_path, path_hash,
  medium, total, available, data_used, state}``; broker: see ``new_broker``;
* database: ``{id, tables: {name: {id, replication_num, tablets: [{id, replicas: [[id, back end's id], ...]}]}}}``;
* user: ``{password, plugin, plugin_text, roles, default_roles, grants}``, keyed ``name@host``; role:
  ``{roles, grants}``. A grant is ``[type, object, [privileges], grantable]``, before 3.0 ``[pattern, [privileges]]``.
"""

import secrets
import time
import uuid

FIRST_ID = 10001
SYSTEM_DATABASES = {"information_schema": 1, "sys": 100}
DEFAULT_WAREHOUSE = "default_warehouse"

FRONTEND_KINDS = ("FOLLOWER", "OBSERVER")


def now_ms():
    return int(time.time() * 1000)


def new_cluster(version, run_mode, token=""):
    """The state of a cluster whose first front end starts just now, still without that front end."""
    return {
        "cluster_id": secrets.randbelow(2 ** 31 - 1) + 1,
        "token": token or str(uuid.uuid4()),
        "run_mode": run_mode,
        "next_id": FIRST_ID,
        "frontends": [],
        "backends": [],
        "compute_nodes": [],
        "brokers": {},
        "databases": {name: {"id": number, "tables": {}} for name, number in SYSTEM_DATABASES.items()
                      if name != "sys" or version >= "3.1"},
        "users": {"root@%": {"password": "", "roles": ["root"], "default_roles": ["root"], "grants": []}},
        "roles": {},
        "checkpoint_request": 0,
    }


def new_frontend(number, name, host, edit_log_port, role):
    return {"id": number, "name": name, "host": host, "edit_log_port": edit_log_port, "role": role, "joined": False,
            "alive": False, "query_port": 0, "rpc_port": 0, "journal_id": 0, "last_heartbeat": 0, "start_time": 0,
            "version": "", "err_msg": "", "failures": 0}


def new_node(number, host, heartbeat_port, warehouse=DEFAULT_WAREHOUSE):
    """A backend or compute node nobody has heard of yet."""
    return {"id": number, "host": host, "heartbeat_port": heartbeat_port, "be_port": -1, "http_port": -1,
            "brpc_port": -1, "starlet_port": 0, "start_time": 0, "last_heartbeat": 0, "alive": False,
            "decommissioned": False, "err_msg": "", "version": "", "status_code": "CONNECTING", "cpu_cores": 0,
            "mem_limit": 0, "has_storage_path": False, "warehouse": warehouse, "location": "", "failures": 0,
            "report_time": 0, "disks": [], "worker_id": -1}


def new_broker(host, port):
    return {"host": host, "port": port, "alive": False, "start_time": 0, "last_update": 0, "err_msg": "",
            "failures": 0}


def take_id(state):
    """The next global id: one counter for nodes, databases, tables and all else."""
    state["next_id"] += 1
    return state["next_id"] - 1


def frontend_id(state, version):
    """An id for a new front end (section 0.17, 1.2): the lowest free; 0 before 3.5, None if all 255 are taken."""
    if version < "3.5":
        return 0
    taken = {frontend["id"] for frontend in state["frontends"]}
    first = 2 if version >= "4.1" else 1
    return next((number for number in range(first, 256) if number not in taken), None)


def frontend_named(state, name):
    return next((frontend for frontend in state["frontends"] if frontend["name"] == name), None)


def voters(state):
    """The names of the members that count for a majority (section 3.7)."""
    return [frontend["name"] for frontend in state["frontends"]
            if frontend["role"] == "FOLLOWER" and frontend["joined"]]


def node_with_id(state, number):
    return next((node for node in state["backends"] + state["compute_nodes"] if node["id"] == number), None)


def all_brokers(state):
    return [broker for brokers in state["brokers"].values() for broker in brokers]


def java_buckets(names):
    """name -> the bucket in which a java.util.HashMap of these names keeps it."""
    capacity = 16
    while len(names) >= capacity * 3 // 4:
        capacity *= 2

    def bucket(name):
        number = 0
        for character in name:
            number = (number * 31 + ord(character)) & 0xFFFFFFFF
        return (number ^ (number >> 16)) & (capacity - 1)

    return {name: bucket(name) for name in names}


def java_order(names):
    """The order in which java.util.HashMap lists these names: SHOW BROKER and SHOW PROC '/' print it so.

    Names in one bucket keep the order in which they were put there.
    """
    return sorted(names, key=java_buckets(names).get)
