# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that run queries, and the blacklist of those that cannot be reached.

A query needs a node whose brpc_port takes connections. One that fails to is put on this front end's blacklist, where
users may put nodes as well, and comes off by itself once all its ports answer (StarRocks' DefaultWorkerProvider and
HostBlacklist, fe-core 3.5; 3.5.0 to 4.2.0 transcripts 04, 10, 18).
"""

import itertools
import socket
import threading
import time

from standin.fe import errors

_CONNECT_TIMEOUT = 1    # seconds
_REFRESH_PERIOD = 1     # seconds
_ATTEMPTS = 2           # max_query_retry_time
_HISTORY = 1000         # failures remembered
_NO_BACK_END = "Backend node not found. Check if any backend node is down.backend: "
_NO_COMPUTE_NODE = "Compute node not found. Check if any compute node is down.compute node: "
MANUAL, AUTO = "MANUAL", "AUTO"


def _reachable(node, *ports):
    """Do all these ports of a node take connections?"""
    try:
        for port in ports:
            socket.create_connection((node["host"], node[port]), _CONNECT_TIMEOUT).close()
    except (OSError, OverflowError):
        return False
    return True


class Blacklist:
    """The nodes that this front end gives no queries to, in its memory alone."""

    def __init__(self, frontend):
        self._frontend = frontend
        self._lock = threading.Lock()
        self._entries = {}  # node id -> (MANUAL or AUTO, since when in ms)
        self._failures = []  # (node id, when in ms), oldest first

    def __contains__(self, number):
        return number in self._entries

    def start(self):
        """Look after the list by a thread of its own."""
        threading.Thread(target=self._run, name="UpdateBlacklistThread", daemon=True).start()

    def _run(self):
        while True:
            time.sleep(_REFRESH_PERIOD)
            self.refresh()

    def _setting(self, name, default):
        return int(self._frontend.config.text(name) or default)

    def add(self, number):
        """A user's entry; it takes the place of an automatic one."""
        with self._lock:
            self._entries[number] = (MANUAL, self._frontend.now())

    def failed(self, number):
        """A query could not be sent to a node."""
        now = self._frontend.now()
        with self._lock:
            if self._entries.get(number, (AUTO,))[0] == AUTO:
                self._entries[number] = (AUTO, now)
            self._failures = [*self._failures, (number, now)][-_HISTORY:]

    def remove(self, number):
        with self._lock:
            self._entries.pop(number, None)

    def rows(self):
        """(node id, MANUAL or AUTO, since when in ms, failures not yet forgotten) by id."""
        with self._lock:
            return [(number, kind, since, sum(failed == number for failed, _when in self._failures))
                    for number, (kind, since) in sorted(self._entries.items())]

    def refresh(self):
        """Forget old failures, nodes that are gone, and automatic entries of nodes that can be reached again."""
        state = self._frontend.replica.state
        nodes = {node["id"]: node for node in state["backends"] + state["compute_nodes"]}
        deadline = self._frontend.now() - 1000 * self._setting("black_host_history_sec", 120)
        with self._lock:
            self._failures = [(number, when) for number, when in self._failures if when >= deadline]
        tolerated = self._setting("black_host_connect_failures_within_time", 5)
        for number, kind, _since, count in self.rows():
            node = nodes.get(number)
            if node is None or (kind == AUTO and node["alive"] and count < tolerated
                                and _reachable(node, "be_port", "brpc_port", "http_port")):
                self.remove(number)


class Workers:
    """Chooses nodes for queries, each in turn."""

    def __init__(self, frontend):
        self._frontend = frontend
        self._turn = itertools.count()

    def _usable(self, kind):
        blacklist = self._frontend.blacklist
        return sorted((node for node in self._frontend.replica.state[kind]
                       if node["alive"] and node["id"] not in blacklist), key=lambda node: node["id"])

    def not_found(self):
        """The error for a query that no node can run; from 3.5 on it names those that cannot be used alone."""
        state, blacklist = self._frontend.replica.state, self._frontend.blacklist
        shared_data = state["run_mode"] == "shared_data"
        named = [f"[{node['host']} alive: {str(node['alive']).lower()} "
                 f"inBlacklist: {str(node['id'] in blacklist).lower()}] "
                 for node in state["backends"] + (state["compute_nodes"] if shared_data else [])
                 if self._frontend.version < "3.5" or not node["alive"] or node["id"] in blacklist]
        return errors.SqlError((_NO_COMPUTE_NODE if shared_data else _NO_BACK_END) + "".join(named))

    def _send(self, node):
        """Send a query to a node. Raises SqlError if it cannot be reached."""
        if not _reachable(node, "brpc_port"):
            self._frontend.blacklist.failed(node["id"])
            raise errors.SqlError(f"rpc failed with {node['host']}: Unable to validate object, host: {node['host']} "
                                  f"backend [id={node['id']}] [host={node['host']}]")

    def run(self):
        """Run a query that any node can run: a back end, or without one a compute node. Raises SqlError."""
        shared_data = self._frontend.replica.state["run_mode"] == "shared_data"
        for left in reversed(range(_ATTEMPTS)):
            back_ends, compute_nodes = self._usable("backends"), self._usable("compute_nodes")
            candidates = back_ends + compute_nodes if shared_data else back_ends or compute_nodes
            if not candidates:
                raise self.not_found()
            try:
                return self._send(candidates[next(self._turn) % len(candidates)])
            except errors.SqlError:
                if not left:
                    raise

    def run_on_all(self):
        """Run a query that every living node takes part in, as on information_schema.be_configs. Raises SqlError."""
        state = self._frontend.replica.state
        for _attempt in range(_ATTEMPTS):
            nodes = [node for node in state["backends"] + state["compute_nodes"] if node["alive"]]
            if not nodes or any(node["id"] in self._frontend.blacklist for node in nodes):
                raise self.not_found()
            failures = []
            for node in nodes:
                try:
                    self._send(node)
                except errors.SqlError as error:
                    failures.append(error)
            if not failures:
                return
        raise failures[0]
