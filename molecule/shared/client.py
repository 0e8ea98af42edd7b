# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that queries the cluster for as long as something is done to it, as an application with a pool does."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pymysql

from .cluster import Cluster

# The first needs a living back end or compute node, the second a front end alone.
QUERIES = ("SELECT current_version()", "SELECT 1")
PAUSE_SECONDS = 0.02
# What a client of MySQL's protocol says itself when nobody answers, or nobody does any more (CR_SERVER_GONE_ERROR,
# CR_SERVER_LOST, CR_CONN_HOST_ERROR, and their like): nothing that a server answered.
CONNECTION_ERRORS = range(2000, 2100)


@dataclass
class QueryClient:
    """Queries in turn through all front ends: the next one is tried when a connection is refused or lost.

    An error that a server answered is a failed query. `with QueryClient(cluster) as client: ...; client.failed`.
    """

    cluster: Cluster
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    longest_wait: float = 0.0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> QueryClient:
        self._thread.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self._stop.set()
        self._thread.join(120)

    def __str__(self) -> str:
        return f"{self.answered} queries, {len(self.failed)} failed, longest wait {self.longest_wait:.1f} s"

    def _work(self) -> None:
        names = self.cluster.names("fe")
        connections: dict[str, pymysql.Connection] = {}
        for number in itertools.count():
            if self._stop.is_set():
                break
            # Each front end is the first choice in its turn, so that none is left out.
            order = [names[(number + step) % len(names)] for step in range(len(names))]
            self._ask(connections, order, QUERIES[number % len(QUERIES)])
            self._stop.wait(PAUSE_SECONDS)
        for connection in connections.values():
            connection.close()

    def _ask(self, connections: dict[str, pymysql.Connection], order: Sequence[str], query: str) -> None:
        """Have one query answered, whoever does it; the wait counts from its first try."""
        begun = time.monotonic()
        while not self._stop.is_set():
            for name in order:
                try:
                    if name not in connections:
                        connections[name] = self.cluster.connect(name)
                    with connections[name].cursor() as cursor:
                        cursor.execute(query)
                        cursor.fetchall()
                except (pymysql.MySQLError, OSError) as error:
                    lost = connections.pop(name, None)
                    if lost is not None and lost.open:
                        lost.close()
                    # InterfaceError: PyMySQL's own word for a connection that it has closed.
                    if isinstance(error, (OSError, pymysql.err.InterfaceError)) or error.args[0] in CONNECTION_ERRORS:
                        continue
                    self.failed.append(f"{name}: {query}: {error}")
                    return
                self.answered += 1
                self.longest_wait = max(self.longest_wait, time.monotonic() - begun)
                return
            time.sleep(0.1)
