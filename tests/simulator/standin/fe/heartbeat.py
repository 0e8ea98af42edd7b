# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heartbeats of the leader to front ends, back ends, compute nodes and brokers (section 1.7).

One round every heartbeat_timeout_second asks all nodes at once and writes one journal entry with what they said. The
first heartbeat_retry_times failures of a node in a row change nothing that anybody sees; the next one does.
"""

import concurrent.futures
import functools
import json
import threading
import time
import urllib.parse
import urllib.request

from standin import net
from standin.fe import state as model
from standin.fe.replication import NotLeader

# The real one has 8 (heartbeat_mgr_threads_num). More here, so that a hundred nodes that swallow what they are sent
# delay a round by one timeout and not by a dozen.
_THREADS = 128
_LOOK = 0.1   # seconds between two looks at the period


def _reason(error, java):
    """A failed connection in the words of Java, with or without the name of its class."""
    error = getattr(error, "reason", error)
    if isinstance(error, ConnectionRefusedError):
        kind, text = "java.net.ConnectException", "Connection refused"
    elif isinstance(error, TimeoutError):
        kind, text = "java.net.SocketTimeoutException", "connect timed out"
    elif getattr(error, "errno", None) == 113:
        kind, text = "java.net.NoRouteToHostException", "No route to host"
    elif type(error).__name__ == "gaierror":
        kind, text = "java.net.UnknownHostException", None
    else:
        kind, text = "java.net.SocketException", getattr(error, "strerror", None) or str(error)
    return text, kind if java else None


def _failure(error, host, java=True):
    text, kind = _reason(error, java)
    text = host if text is None else text
    return {"ok": False, "message": f"{kind}: {text}" if kind else text}


class Heartbeats:
    """The leader's rounds."""

    def __init__(self, frontend):
        self.frontend = frontend
        self._wake = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(_THREADS, "heartbeat-mgr-pool")

    def start(self):
        threading.Thread(target=self._run, name="heartbeat mgr", daemon=True).start()

    def _run(self):
        while True:
            started = time.monotonic()
            period = self.frontend.config.integer("heartbeat_timeout_second")
            if self.frontend.replica.leads:
                try:
                    self.round()
                except NotLeader:
                    pass
                except Exception as error:  # a broken round must not end the rounds
                    self.frontend.log.error("HeartbeatMgr.runAfterCatalogReady():1", f"heartbeat failed: {error!r}")
            self._pause(started + period, period)

    def _pause(self, end, period):
        """Wait for the end of the period.

        A changed period begins a round at once, which the real one does not do: with a long period and changes of it
        a test has heartbeats exactly when it wants them.
        """
        while not self._wake.wait(min(_LOOK, max(0.0, end - time.monotonic()))):
            if time.monotonic() >= end or self.frontend.config.integer("heartbeat_timeout_second") != period:
                return
        self._wake.clear()

    def wake(self):
        """Begin a round now: a new leader does not wait."""
        self._wake.set()

    def round(self):
        """Ask everyone once, then write down what they said."""
        state = self.frontend.replica.state
        timeout = max(0.5, self.frontend.config.integer("heartbeat_timeout_second"))
        questions = [(("frontend", row["name"]), functools.partial(self._ask_frontend, state, row, timeout))
                     for row in state["frontends"]]
        for node_type, kind in enumerate(("backends", "compute_nodes")):
            questions += [(("node", row["id"]), functools.partial(self._ask_node, state, row, node_type, timeout))
                          for row in state[kind]]
        questions += [(("broker", name, row["host"], row["port"]), functools.partial(self._ask_broker, row, timeout))
                      for name, rows in state["brokers"].items() for row in rows]
        answers = dict(zip([key for key, _ in questions], self._pool.map(lambda item: item[1](), questions)))
        retries = self.frontend.config.integer("heartbeat_retry_times")
        self.frontend.replica.write(lambda current: apply(current, answers, retries, model.now_ms()))

    # -- asking ------------------------------------------------------------------------------------

    def _ask_frontend(self, state, row, timeout):
        """GET /api/bootstrap on the *own* http_port: all front ends must have the same (section 1.7)."""
        if row["name"] == self.frontend.replica.name:
            return {"ok": True, "queryPort": self.frontend.config.integer("query_port"),
                    "rpcPort": self.frontend.config.integer("rpc_port"), "feVersion": self.frontend.version.full,
                    "replayedJournalId": self.frontend.replica.journal_id, "feStartTime": self._own_start_time()}
        query = urllib.parse.urlencode({"cluster_id": state["cluster_id"], "token": state["token"]})
        url = f"http://{net.in_url(row['host'])}:{self.frontend.config.text('http_port')}/api/bootstrap?{query}"
        try:
            with urllib.request.urlopen(url, timeout=timeout) as answer:
                content = json.load(answer)
        except (OSError, ValueError) as error:
            return _failure(error, row["host"], java=False)
        if content["status"] != "OK":
            return {"ok": False, "message": content["msg"]}
        return dict(content, ok=True)

    def _own_start_time(self):
        """As told to others. The first rounds can come before the start is over: StartTime is NULL then (0.17)."""
        late = self.frontend.config.fault("late_start_time_seconds") or 0
        return self.frontend.start_time if self.frontend.now() >= self.frontend.start_time + 1000 * late else 0

    def _ask_node(self, state, row, node_type, timeout):
        from standin import thrift  # thriftpy2 takes a third of a second to load: not before the first node

        own = self.frontend
        info = thrift.types.TMasterInfo(
            network_address=thrift.types.TNetworkAddress(hostname=own.host, port=own.config.integer("rpc_port")),
            cluster_id=state["cluster_id"], epoch=own.replica.epoch, token=state["token"], backend_ip=row["host"],
            http_port=own.config.integer("http_port"), heartbeat_flags=0, backend_id=row["id"], min_active_txn_id=0,
            run_mode=1 if state["run_mode"] == "shared_data" else 0, node_type=node_type)
        try:
            with thrift.client(thrift.types.HeartbeatService, row["host"], row["heartbeat_port"], timeout) as node:
                result = node.heartbeat(info)
        except thrift.ERRORS as error:
            return _failure(error, row["host"])
        code = result.status.status_code
        shutdown = code == thrift.types.TStatusCode.SHUTDOWN
        if code != thrift.types.TStatusCode.OK and not shutdown:
            return {"ok": False, "message": (result.status.error_msgs or ["Unknown error"])[0]}
        answer = result.backend_info
        return {"ok": True, "shutdown": shutdown, "be_port": answer.be_port, "http_port": answer.http_port,
                "brpc_port": -1 if answer.brpc_port is None else answer.brpc_port, "version": answer.version or "",
                "starlet_port": answer.starlet_port or 0, "cpu_cores": answer.num_hardware_cores or 0,
                "mem_limit": answer.mem_limit_bytes or 0, "has_storage_path": bool(answer.is_set_storage_path),
                "reboot_time": (answer.reboot_time or 0) * 1000}

    def _ask_broker(self, row, timeout):
        from standin import thrift

        request = thrift.types.TBrokerPingBrokerRequest(version=1, clientId=self.frontend.host)
        try:
            with thrift.client(thrift.types.TFileBrokerService, row["host"], row["port"], timeout) as broker:
                status = broker.ping(request)
        except thrift.ERRORS as error:
            return _failure(error, row["host"])
        return {"ok": status.statusCode == 0, "message": status.message or ""}


# -- what the answers change: a pure function of state and answers ---------------------------------

def apply(state, answers, retries, now):
    """Write the answers of a round into the state; nodes that were dropped meanwhile are passed over."""
    for key, answer in answers.items():
        kind = key[0]
        if kind == "frontend":
            row = model.frontend_named(state, key[1])
        elif kind == "node":
            row = model.node_with_id(state, key[1])
        else:
            row = next((row for row in state["brokers"].get(key[1], ())
                        if (row["host"], row["port"]) == key[2:]), None)
        if row is None:
            continue
        if answer["ok"]:
            row["failures"] = 0
            {"frontend": _good_frontend, "node": _good_node, "broker": _good_broker}[kind](state, row, answer, now)
        elif row["failures"] < retries:
            row["failures"] += 1
        else:
            row["alive"] = False
            row["err_msg"] = answer["message"] or ("got exception" if kind == "frontend" else "Unknown error")
            if kind == "node":
                row["status_code"] = "DISCONNECTED"


def _good_frontend(_state, row, answer, now):
    row.update(alive=True, err_msg="", last_heartbeat=now, query_port=answer["queryPort"], rpc_port=answer["rpcPort"],
               journal_id=answer["replayedJournalId"], start_time=answer["feStartTime"],
               version=answer.get("feVersion", ""))


def _good_node(state, row, answer, now):
    if answer["shutdown"]:
        row.update(alive=False, status_code="SHUTDOWN", last_heartbeat=now)
        return
    if answer["reboot_time"] > row["start_time"] or not (row["alive"] or answer["reboot_time"]):
        row["start_time"] = answer["reboot_time"] or now
    if row["worker_id"] < 0 and state["run_mode"] == "shared_data":
        taken = [node["worker_id"] for node in state["backends"] + state["compute_nodes"]]
        row["worker_id"] = max([0, *taken]) + 1
    row.update(alive=True, status_code="OK", err_msg="", last_heartbeat=now,
               **{key: answer[key] for key in ("be_port", "http_port", "brpc_port", "version", "starlet_port",
                                               "cpu_cores", "mem_limit", "has_storage_path")})


def _good_broker(_state, row, _answer, now):
    if not row["alive"]:
        row["start_time"] = now
    row.update(alive=True, err_msg="", last_update=now)
