# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``starrocks_be [--cn] [--version]``: the process of a back end or compute node.

Exit statuses (starrocks.md section 4.2): 0 after SIGTERM, 255 for settings, storage or pid file, 1 for a port that is
taken, 134 (SIGABRT) where the real one ends by LOG(FATAL).
"""

import os
import resource
import signal
import sys
import threading
import time

from standin import net
from standin.be import heartbeat, http
from standin.be.config import BadConfig, Config, memory_limit, storage_paths
from standin.be.glog import Log
from standin.be.storage import BrokenDisks, ClusterMismatch, Storage
from standin.process import set_name
from standin.thrift import listen, serve, types
from standin.version import load

WHERE = "starrocks_main.cpp:1"
MUTE_PORTS = {"be_port", "brpc_port", "starlet_port"}  # open, so that others see the node, and nothing behind them
SECONDS_PER_LOOP = 10  # of loop_count_wait_fragments_finish


def hang_up(listener):
    """Take each connection and close it."""
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return  # the listener was closed


class Node:
    """One running node and what its services need to know."""

    def __init__(self, home, kind):
        self.kind = kind
        self.version = load()
        self.config = Config(home, kind, self.version)
        self.log = Log(self.config.values["sys_log_dir"], kind)
        self.reboot_time = int(time.time() + (self.config.fault("clock_skew_seconds") or 0))
        self.cpu_cores = self.config.fault("cpu_cores", int) or os.cpu_count()
        self.memory_limit = self.ports = self.storage = self.address = None
        self.heartbeats = heartbeat.Handler(self)
        self.ending = threading.Event()

    def disks(self):
        """The storage folders as reported."""
        return self.storage.disks(full=self.config.fault("disk_full", str) == "true")

    def prepare(self):
        """Read the settings and open the storage. Raises BadConfig, BrokenDisks, ClusterMismatch."""
        self.ports = self.config.ports()
        self.memory_limit = memory_limit(self.config.values["mem_limit"])
        paths = storage_paths(self.config.values["storage_root_path"])
        if not paths and self.kind == "be":
            raise BadConfig("parse config storage path failed, path=")
        self.storage = Storage(paths, self.config.flag("ignore_broken_disk"))
        networks = self.config.values["priority_networks"]
        self.address = net.choose(networks, net.local_addresses(), lambda text: self.log.warning(WHERE, text),
                                  self.config.flag("net_use_ipv6_when_priority_networks_empty"))

    def check_open_files(self):
        """End by SIGABRT, as LOG(FATAL) does, where too few files may be open."""
        needed = self.config.integer("min_file_descriptor_number")
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit != resource.RLIM_INFINITY and limit < needed:
            self.abort(f"File descriptor number is less than {needed}. Please use (ulimit -n) to set a value equal "
                       f"or greater than {needed}")

    def abort(self, text):
        """Say it in the log and in be.out, then SIGABRT."""
        self.log.fatal(WHERE, text)
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.abort()

    def start(self):
        """Open the ports and answer. Raises OSError where a port is taken."""
        # One loopback address in priority_networks: several nodes are tried on one machine.
        host = self.address if self.address.startswith(("127.", "::1")) else net.any_address(self.address)
        listeners = {}
        closed = self.config.fault("closed_port", str)
        for name, port in self.ports.items():
            if name == closed:
                continue
            try:
                listeners[name] = listen(host, port)
            except OSError as error:
                raise OSError(f"{name} {port}: {error.strerror}") from None
        for name in MUTE_PORTS & listeners.keys():
            threading.Thread(target=hang_up, args=(listeners[name],), daemon=True, name=name).start()
        http.serve(self, listeners["be_http_port"])
        serve(types.HeartbeatService, self.heartbeats, listeners["heartbeat_service_port"])
        self.log.info("thrift_server.cpp:1", f"heartbeat has started listening port on "
                                             f"{self.ports['heartbeat_service_port']}")
        self.log.info("heartbeat_server.cpp:1", "Waiting to receive first heartbeat from frontend")
        return listeners

    def run(self):
        """Live until SIGTERM, then end as the graceful stop does."""
        life = self.config.fault("die_after_seconds")
        if not self.ending.wait(life):
            self.abort(f"the fault die_after_seconds = {life:g}")
        self.heartbeats.shutting_down = True
        self.log.info(WHERE, "BE is shutting down")
        patience = self.config.integer("loop_count_wait_fragments_finish") * SECONDS_PER_LOOP
        time.sleep(min(self.config.fault("fragments_seconds") or 0, patience))
        if self.config.flag("graceful_exit_wait_for_frontend_heartbeat"):
            self.heartbeats.shutdown_seen.wait(patience)
        self.log.info(WHERE, "BE exited")


def write_pid_file(kind):
    """The pid with a newline; the file stays when the process ends."""
    with open(os.path.join(os.environ.get("PID_DIR", "."), f"{kind}.pid"), "w", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")


def fail(node, status, text):
    """Say why in the log and on the standard error; returns the exit status."""
    if node:
        node.log.error(WHERE, text)
    sys.stderr.write(f"{text}\n")
    return status


def main(arguments):
    """The program; returns its exit status."""
    set_name("starrocks_be")
    if "--version" in arguments:
        version = load()
        print(f"{version.full}\nBuildType: RELEASE\nBuild distributor id: ubuntu\nBuilt as a stand-in for tests")
        return 0
    home = os.environ.get("STARROCKS_HOME")
    if not home:
        return fail(None, 255, "you need set STARROCKS_HOME environment variable.")
    kind = "cn" if "--cn" in arguments else "be"
    node = Node(home, kind)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_arguments: node.ending.set())
    node.log.info(WHERE, f"version {node.version.full}")
    try:
        write_pid_file(kind)
    except OSError as error:
        return fail(node, 255, f"fail to create pid file: {error}")
    try:
        node.prepare()
    except (BadConfig, BrokenDisks, ClusterMismatch) as error:
        return fail(node, 255, str(error))
    node.check_open_files()
    refusal = node.config.fault("refuse_start", str)
    if refusal:
        return fail(node, 255, refusal)
    if node.ending.wait(node.config.fault("start_delay_seconds") or 0):
        return 0
    try:
        listeners = node.start()
    except OSError as error:
        return fail(node, 1, f"{kind.upper()} http service did not start correctly, exiting: {error}"
                    if "http" in str(error) else f"service did not start correctly, exiting: {error}")
    node.run()
    for listener in listeners.values():
        listener.close()
    return 0
