# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process: what com.starrocks.StarRocksFE is to start_fe.sh (section 4.1, 4.3).

    StarRocksFE [-helper host:port,...] [-host_type IP|FQDN] [-v]

STARROCKS_HOME, LOG_DIR and PID_DIR come from start_fe.sh. Exit codes as of the JVM: 255 for every failure to start,
143 after SIGTERM, 0 after a graceful exit (SIGUSR1, 3.4 and later).
"""

import fcntl
import os
import signal
import threading
import time

from standin import net, version
from standin.fe import errors, frames, http, mysql, startup
from standin.fe.config import Config
from standin.fe.forward import Forwarder
from standin.fe.heartbeat import Heartbeats
from standin.fe.images import Images
from standin.fe.log import Log
from standin.fe.metadata import Metadata
from standin.fe.replication import Replica
from standin.fe.scheduler import Scheduler
from standin.fe.state import now_ms, voters
from standin.fe.workers import Blacklist, Workers
from standin.process import set_name

_FAILED = 255
_TERMINATED = 128 + signal.SIGTERM
# Where the lines of a graceful exit come from in the log.
_GRACEFUL_EXIT = (
    ("4.1", "StarRocksFEServer.lambda$handleGracefulExit$0():235"),
    ("4.0", "StarRocksFE.lambda$handleGracefulExit$0():260"),
    ("3.4", "StarRocksFE.lambda$handleGracefulExit$0():250"),
)
# What -v tells beside the version, as those of the recorded front ends told it.
_BUILD = """Build type: UNKNOWN
Build time: 2026-11-23 03:37:27
Build distributor id: debian
Build arch: x86_64
Build user: StarRocks@docker (Debian GNU/Linux 12 (bookworm))
Java compile version: openjdk full version "17.0.15+6-Debian-1deb12u1"
"""
_GROUP_TIMEOUT = 10    # seconds, times config.time_scale, that a leader without its followers thinks (section 0.4)


class PidFile:
    """fe.pid: written and locked by the process itself, without a newline, and deleted at its end."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "fe.pid")
        self._file = None

    def lock(self, tries, pause):
        for left in reversed(range(tries)):
            self._file = open(self.path, "a+", encoding="ascii")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._file.close()
                self._file = None
                if left:
                    time.sleep(pause)
                continue
            self._file.truncate(0)
            self._file.write(str(os.getpid()))
            self._file.flush()
            return
        raise startup.StartError("pid file is already locked.")

    def remove(self):
        if self._file:
            try:
                os.remove(self.path)
            except FileNotFoundError:
                pass


class FrontEnd:
    """One front end: its parts, and what they share."""

    def __init__(self, home, log_dir, pid_dir, release):
        self.version = release
        self.config = Config(home, release)
        self.log = Log(log_dir)
        self.pid_file = PidFile(pid_dir)
        self.metadata = Metadata(self.config.meta_dir, release)
        self.blacklist = Blacklist(self)
        self.workers = Workers(self)
        self.counted_logins = []  # names that /metrics has a line for: logins refused, 3.5.7 and later all
        self.start_time = 0
        self.exiting = False
        self.host = self.host_type = self.replica = None
        self._mysql = None
        self.forwarder = Forwarder(self)
        self.heartbeats = Heartbeats(self)
        self.scheduler = Scheduler(self)
        self.images = Images(self)

    now = staticmethod(now_ms)

    def sessions(self):
        return list(self._mysql.sessions.values())

    def count_login(self, name):
        if name not in self.counted_logins:
            self.counted_logins.append(name)

    # -- start -------------------------------------------------------------------------------------

    def start(self, helpers, host_type):
        """Come up, up to open ports. Raises StartError."""
        self.log.info("StarRocksFE.start():1", f"StarRocks FE starting, version: {self.version.full}")
        refusal = self.config.fault("refuse_start", str)
        if refusal:
            raise startup.StartError(refusal)
        self.pid_file.lock(3, 10 * self.config.time_scale)
        identity = startup.decide(self.config, self.version, self.metadata, helpers, host_type, self.log)
        time.sleep(self.config.fault("start_delay_seconds") or 0)
        self.host, self.host_type = identity.host, identity.host_type
        self.replica = Replica(identity.name, (identity.host, identity.port), self.config.integer("rpc_port"),
                               self.metadata, self.config, self.log, self)
        if identity.state:
            self.replica.found(identity.state)
        elif identity.cluster:
            self.replica.join(*identity.cluster)
        try:
            self.replica.start()
        except OSError:
            raise startup.StartError(f"edit_log_port {identity.port} is already in use. will exit.") from None
        self._wait_for_ready()
        startup.check_member(self.replica.state, identity)
        self.start_time = now_ms()
        self._open_ports()
        self.blacklist.start()
        self.heartbeats.start()
        self.scheduler.start()
        self.images.start()
        self.log.info("StarRocksFE.start():2", "FE started successfully")
        lifetime = self.config.fault("die_after_seconds")
        if lifetime is not None:
            threading.Timer(lifetime, os._exit, [1]).start()

    def _wait_for_ready(self):
        """Until this front end leads or has heard from a leader; section 3.6 has the words."""
        with self.replica.changed:
            noted = 0.0
            while not self.replica.ready:
                if time.monotonic() - noted > 2:
                    noted = time.monotonic()
                    self.log.info("GlobalStateMgr.waitForReady():1", "wait globalStateMgr to be ready. FE type: INIT. "
                                  "is ready: false")
                self.replica.changed.wait(0.1)

    def _open_ports(self):
        address = self.config.text("frontend_address") or "0.0.0.0"
        if address == "0.0.0.0":
            address = net.any_address(self.host)
        servers = []
        for key, build in (("rpc_port", lambda at: frames.Server(at, self.forwarder.answer)),
                           ("http_port", lambda at: http.Server(at, self)),
                           ("query_port", lambda at: mysql.Server(at, self))):
            port = self.config.integer(key)
            try:
                servers.append(build((address, port)))
            except OSError as error:
                raise startup.StartError(f"{key} {port} can not be bound: {error.strerror}") from None
            if key == "rpc_port":
                self.log.info("ThriftServer.start():1", f"thrift server started with port {port}.")
        self._mysql = servers[-1]
        for server in servers:
            threading.Thread(target=server.serve_forever, name=type(server).__module__, daemon=True).start()

    # -- what the replica tells --------------------------------------------------------------------

    def became(self, kind):
        self.log.info("StateChangeExecutor.runOneCycle():1", f"transfer FE type to {kind}")
        if kind == "LEADER":
            self.images.took_over(self.replica.journal_id)

    def can_write(self):
        self.heartbeats.wake()

    def written(self, journal_id):
        self.images.written(journal_id)

    def fatal(self, text):
        """End the process, as the real one does when it can not go on."""
        self.log.error("StarRocksFE.fatal():1", text)
        self._exit(_FAILED)

    def _exit(self, code):
        self.pid_file.remove()
        os._exit(code)

    def check_group(self, kind):
        """Listing front ends asks the replication group, and fails on a leader that has lost it (section 0.4)."""
        if kind != "frontends" or not self.replica.leads:
            return
        deadline = time.monotonic() + _GROUP_TIMEOUT * self.config.time_scale
        while not self.replica.has_quorum():
            if time.monotonic() > deadline:
                needed = len(voters(self.replica.state)) // 2
                raise errors.SqlError(f"(JE {self.version.je}) Commit policy: SIMPLE_MAJORITY required {needed} replica"
                                      f"{'' if needed == 1 else 's'}. But none were active with this master.")
            time.sleep(0.1)

    # -- end ---------------------------------------------------------------------------------------

    def terminate(self):
        """What SIGTERM does."""
        self.log.info("StarRocksFE.addShutdownHook():1", "FE shutdown")
        self._exit(_TERMINATED)

    def exit_gracefully(self):
        """Hand over and leave, if a majority of followers stays (section 4.2); else end at once."""
        followers = [row for row in self.replica.state["frontends"] if row["role"] == "FOLLOWER"]
        alive = sum(row["alive"] or row["name"] == self.replica.name for row in followers)
        own = next((row for row in followers if row["name"] == self.replica.name), None)
        place = next(place for since, place in _GRACEFUL_EXIT if self.version >= since)
        if own and alive - 1 < len(followers) // 2 + 1:
            self.log.info(place, "The current number of FEs that are alive cannot match graceful exit condition, and "
                                 "can only exit forcefully.")
            self._exit(_FAILED)
        self.exiting = True
        self.log.info(place, "start to handle graceful exit")
        if self.replica.leads and not self.replica.hand_over():
            self.log.warn(place, "handle graceful exit failed: no follower takes over")
            self._exit(_FAILED)
        started = time.monotonic()
        least, most = (self.config.integer(f"{name}_graceful_exit_time_second") * self.config.time_scale
                       for name in ("min", "max"))
        while time.monotonic() < started + least or (self.replica.leader_address is None
                                                     and time.monotonic() < started + most):
            time.sleep(0.1)
        self.log.info(place, "handle graceful exit successfully")
        self._exit(0)


def _on_signal(number, action, name):
    """Do it in a thread: the signal may have come while the main thread held a lock."""
    signal.signal(number, lambda *_: threading.Thread(target=action, name=name, daemon=True).start())


class _Usage(Exception):
    """An option that ends the start; only the output says so."""


def _option(release, arguments, name, words, known=None):
    """The value of an option, None if it is not given. Raises _Usage."""
    if f"-{name}" not in arguments:
        return None
    place = arguments.index(f"-{name}") + 1
    value = arguments[place] if place < len(arguments) else ""
    if not value or (known and value not in known):
        raise _Usage(f"{'--' if release >= '4.0' else '-'}{name} need parameter {words}")
    return value


def main(arguments):
    """Run until the process is told to end; returns its exit code."""
    set_name("java")
    arguments = [argument[1:] if argument.startswith("--") else argument for argument in arguments]
    release = version.load()
    if "-v" in arguments or "-version" in arguments:
        print(f"Build version: {release.release}\nCommit hash: {release.commit}\n{_BUILD}", end="")
        return 0
    print("=====", flush=True)  # the last line of the logger's settings, which the real one shows here
    home = os.environ["STARROCKS_HOME"]
    frontend = FrontEnd(home, os.environ.get("LOG_DIR") or os.path.join(home, "log"),
                        os.environ.get("PID_DIR") or os.path.join(home, "bin"), release)
    _on_signal(signal.SIGTERM, frontend.terminate, "shutdown-hook")
    if release >= "3.4":
        _on_signal(signal.SIGUSR1, frontend.exit_gracefully, "graceful-exit")
    try:
        helpers = _option(release, arguments, "helper", "host:port,host:port")
        host_type = _option(release, arguments, "host_type", "FQDN or IP", ("FQDN", "IP"))
        frontend.start(helpers or "", host_type)
    except _Usage as error:
        print(error, flush=True)
        return _FAILED
    except startup.StartError as error:
        frontend.log.out(str(error))
        frontend.log.error("StarRocksFE.start():3", f"StarRocksFE start failed: {error}")
        frontend.pid_file.remove()
        return _FAILED
    while True:
        # Not signal.pause(): a signal just before it, or taken by another thread, would be seen at the next one only.
        time.sleep(0.2)
