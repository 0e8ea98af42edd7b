# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the leader does by itself: reports of back ends, repair and drain of tablets, statistics tables."""

import concurrent.futures
import json
import threading
import time

from standin.fe import catalog, settings
from standin.fe import state as model
from standin.fe.replication import NotLeader

GIGABYTE = 1024 ** 3

# The disk of a back end that tells nothing of its own: that of the transcripts' doubles.
DEFAULT_DISKS = [{"root_path": "/storage", "path_hash": 1, "medium": "HDD", "total": 200 * GIGABYTE,
                  "available": 199 * GIGABYTE, "data_used": 1, "state": "ONLINE"}]

_REPORT_PERIOD = 5        # seconds, times config.time_scale; the doubles of the transcripts report so often
_REPAIR_PERIOD = 10       # seconds, times config.time_scale


class Scheduler:
    """Runs the leader's chores, each with its own period in seconds."""

    def __init__(self, frontend):
        self.frontend = frontend
        config = frontend.config
        self._chores = [
            (lambda: _REPORT_PERIOD * config.time_scale, self.collect_reports),
            (lambda: _REPAIR_PERIOD * config.time_scale, self.repair),
            (lambda: config.integer("alter_scheduler_interval_millisecond") / 1000 * config.time_scale,
             self.drop_drained),
            (lambda: config.integer("statistic_manager_sleep_time_sec"), self.keep_statistics),
            (lambda: float(config.text("table_keeper_interval_second") or 30), self.keep_tables),
        ]

    def start(self):
        threading.Thread(target=self._run, name="tablet scheduler", daemon=True).start()

    def _run(self):
        done = [time.monotonic()] * len(self._chores)
        while True:
            time.sleep(0.1)
            for index, (period, chore) in enumerate(self._chores):
                if time.monotonic() >= done[index] + period():  # asked each time: a changed period counts at once
                    done[index] = time.monotonic()
                    if self.frontend.replica.leads:
                        self._do(chore)

    def _do(self, chore):
        try:
            chore()
        except NotLeader:
            pass
        except Exception as error:  # a broken chore must not end the others
            self.frontend.log.error(f"TabletScheduler.{chore.__name__}():1", f"failed: {error!r}")

    def _write_if(self, change):
        """Write only what changes something: try it on a copy first."""
        if change(json.loads(json.dumps(self.frontend.replica.state))):
            self.frontend.replica.write(change)

    def collect_reports(self):
        """Ask live back ends for their disks, as if they had reported."""
        nodes = [node for node in self.frontend.replica.state["backends"] if node["alive"]]
        if not nodes:
            return
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            reports = {node["id"]: (report or {}).get("disks") or DEFAULT_DISKS
                       for node, report in zip(nodes, pool.map(settings.report, nodes))}
        now = model.now_ms()

        def change(state):
            for number, disks in reports.items():
                node = model.node_with_id(state, number)
                if node:
                    node["disks"] = disks
                    if state["run_mode"] == "shared_nothing":  # shared-data has no tablet reports (4.0.0 transcript 19)
                        node["report_time"] = now

        self.frontend.replica.write(change)

    def repair(self):
        limit = catalog.moved_at_once(self.frontend.config)
        self._write_if(lambda state: catalog.repair(state, limit))

    def drop_drained(self):
        """A decommissioned back end that holds no tablet any more vanishes by itself (section 3.4)."""
        if not self.frontend.config.flag("drop_backend_after_decommission"):
            return

        def change(state):
            drained = [node for node in state["backends"] if node["decommissioned"]
                       and (state["run_mode"] == "shared_data" or not catalog.tablets_on(state, node["id"]))]
            for node in drained:
                state["backends"].remove(node)
            return bool(drained)

        self._write_if(change)

    def keep_statistics(self):
        if self.frontend.replica.state["run_mode"] == "shared_nothing":
            self._write_if(lambda state: catalog.keep_statistics(self.frontend.version, state))

    def keep_tables(self):
        if self.frontend.replica.state["run_mode"] == "shared_nothing":
            self._write_if(lambda state: catalog.keep_tables(self.frontend.version, state))
