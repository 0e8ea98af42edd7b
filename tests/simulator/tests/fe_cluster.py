# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Front ends as processes of this machine, each on a loopback address of its own, for the tests."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pymysql
from pymysql.constants import CLIENT

SIMULATOR = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SIMULATOR))

# Addresses of this run alone, so that several can go on at once on one machine.
NETWORK = f"127.{os.getpid() % 200 + 20}"

# Other ports than the usual ones: a front end that listens on all addresses may be running beside the tests.
HTTP, RPC, QUERY, EDIT_LOG = 28030, 29020, 29030, 29010

# Where a front end takes itself to be in a container, WITH PERSISTENT is refused (starrocks.md section 0.10).
IN_CONTAINER = os.path.exists("/.dockerenv")
NOT_PERSISTED = "set persisted config failed, because current running mode is not persisted"

COMMITS = {"3.3.15": "b2be47a", "3.4.4": "bc987bb", "3.5.0": "0be11fd"}


def wait_for(condition, what, timeout=15):
    """The first true value of ``condition()``; its SQL and socket errors are as good as false."""
    deadline = time.monotonic() + timeout
    seen = None
    while time.monotonic() < deadline:
        try:
            seen = condition()
            if seen:
                return seen
        except (pymysql.MySQLError, OSError, KeyError) as error:
            seen = error
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout} s: {what}; last seen: {seen!r}")


class FrontEndProcess:
    """One front end: its folder, its address, its process."""

    def __init__(self, home, address, version="3.5.0", settings=None, faults=None):
        self.home = pathlib.Path(home)
        self.address = address
        self.process = None
        for folder in ("bin", "conf", "lib", "meta"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        self.use(version)
        self.configure({"priority_networks": f"{address}/32", "frontend_address": address,
                        "heartbeat_timeout_second": "1", "http_port": HTTP, "rpc_port": RPC, "query_port": QUERY,
                        "edit_log_port": EDIT_LOG, **(settings or {})})
        (self.home / "conf" / "standin.conf").write_text(
            "".join(f"{key} = {value}\n" for key, value in (faults or {}).items()))

    def use(self, version):
        """Be of this version from the next start on."""
        content = {"version": version, "commit": COMMITS.get(version, "abcdef0")}
        (self.home / "lib" / "standin-version.json").write_text(json.dumps(content))

    def configure(self, settings):
        (self.home / "conf" / "fe.conf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))

    def launch(self, *arguments):
        """Start the process and do not wait for it."""
        environment = {**os.environ, "STARROCKS_HOME": str(self.home), "PYTHONPATH": str(SIMULATOR)}
        environment.pop("LOG_DIR", None)
        environment.pop("PID_DIR", None)
        with open(self.home / "fe.out", "a", encoding="utf-8") as output:
            self.process = subprocess.Popen([sys.executable, "-m", "standin.fe", *arguments], env=environment,
                                            stdout=output, stderr=subprocess.STDOUT)
        return self

    def start(self, *arguments):
        """Start the process and wait until it answers."""
        self.launch(*arguments)
        wait_for(self.answers, f"{self.address} answers")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.address} ended with {self.process.returncode}:\n{self.log()}")
        return self.query("SELECT 1")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=10):
        """The exit code."""
        return self.process.wait(timeout)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def wipe(self):
        """Move the metadata away, as the manual says before a front end is added again."""
        (self.home / "meta").rename(self.home / f"meta.{time.monotonic_ns()}")
        (self.home / "meta").mkdir()

    def log(self, name="fe.log"):
        path = self.home / "log" / name
        return path.read_text() if path.exists() else ""

    def out(self):
        return (self.home / "fe.out").read_text()

    @property
    def member(self):
        """host:edit_log_port, as ALTER SYSTEM and --helper take it."""
        return f"{self.host_in_url}:{EDIT_LOG}"

    @property
    def host_in_url(self):
        return f"[{self.address}]" if ":" in self.address else self.address

    # -- asking ------------------------------------------------------------------------------------

    def connect(self, user="root", password="", **more):
        return pymysql.connect(host=self.address, port=QUERY, user=user, password=password, connect_timeout=3,
                               read_timeout=30, client_flag=CLIENT.MULTI_STATEMENTS, **more)

    def query(self, statement, **login):
        """The rows of the statement as dictionaries, by a connection of its own."""
        connection = self.connect(cursorclass=pymysql.cursors.DictCursor, **login)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def refusal(self, statement, **login):
        """(errno, text) of the error that the statement must end in."""
        try:
            rows = self.query(statement, **login)
        except pymysql.MySQLError as error:
            return error.args
        raise AssertionError(f"no error but {rows}")

    def frontends(self):
        """The rows of SHOW PROC '/frontends' by address."""
        return {row["IP"]: row for row in self.query("SHOW PROC '/frontends'")}

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.host_in_url}:{HTTP}{path}", timeout=5) as answer:
            return answer.read().decode()

    def listens(self, port):
        with socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET) as probe:
            return probe.connect_ex((self.address, port)) == 0


def leader_of(frontends):
    """The one of these that the others that answer take for the leader; None while there is none."""
    for frontend in frontends:
        if frontend.process.poll() is None:
            rows = frontend.query("SHOW FRONTENDS")
            for row in rows:
                if row["Role"] == "LEADER":
                    return next((one for one in frontends if one.address == row["IP"]
                                 and one.process.poll() is None), None)
    return None


def is_member(leader, other):
    """Does the leader see the other as a member that lives?"""
    row = leader.frontends()[other.address]
    return row["Join"] == row["Alive"] == "true"


def join(leader, new, role="FOLLOWER"):
    """Add, start with --helper, and wait until the leader sees it as a member that lives."""
    leader.query(f'ALTER SYSTEM ADD {role} "{new.member}"')
    new.start("-helper", f"{leader.member}")
    wait_for(lambda: is_member(leader, new), f"{new.address} has joined")
