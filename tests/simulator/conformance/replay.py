# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay the transcripts of one scene against a stand-in front end, and print how the answers differ, as JSON.

    unshare --net python3 -m conformance.replay SCENE RELEASE TRANSCRIPTS WORK

Runs in a network namespace of its own with nothing but the loopback interface, which is how the transcripts were
recorded: all addresses of 127.0.0.0/8 are the machine itself, names do not resolve, and nothing is in the way of the
default ports.
"""

import dataclasses
import fcntl
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import time

from standin_nodes import Node

from . import compare, transcript
from .client import Client, curl
from .scenes import NOT_REPLAYED, SCENES

FRONT_END = "127.0.0.1"
PATIENCE = 20  # seconds in which a reading statement must come to answer as recorded
PATIENCE_AFTER_FAILURE = 1
PATIENCE_FOR_COMMANDS = 60
QUICK, QUIET = 1, 300  # seconds between rounds of heartbeats; the recorded front ends had the default, 5
ROUND = 0.3  # seconds that a round of heartbeats takes at most
READING = re.compile(r"\s*(SHOW|SELECT|ADMIN SHOW)\b", re.IGNORECASE)
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def loopback_up():
    """Switch the loopback interface of a new network namespace on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags | IFF_UP, b""))


class Replay:
    """One scene: its nodes, and what differed."""

    def __init__(self, scene, release, transcripts, work):
        self.scene = scene
        self.release = release
        self.transcripts = pathlib.Path(transcripts) / scene.folder
        self.work = pathlib.Path(work)
        self.client = Client(FRONT_END, 9030)
        self.patience = PATIENCE
        self.quiet_period = 0
        self.nodes = {}
        self.ids = {}  # recorded ids of back ends and compute nodes -> those here

    def start(self):
        """Start the doubles and the front end; wait until it is ready."""
        for kind, address in self.scene.nodes:
            self.nodes[address] = self.node(kind, address).start()
        settings = {"heartbeat_timeout_second": str(QUICK), "priority_networks": f"{FRONT_END}/32",
                    **self.scene.settings}
        front_end = Node(self.release, "fe", self.work / "fe", settings, self.scene.front_end_faults)
        if self.scene.shipped:
            for name in ("fe.conf", "fe.conf.before"):
                shutil.copy(front_end.release / "conf" / "fe.conf", front_end.home / "conf" / name)
        self.nodes[FRONT_END] = front_end.start()
        self.nodes[FRONT_END].wait_for_url(f"http://{FRONT_END}:8030/api/bootstrap")
        for sql in self.scene.before:
            self.step_sql(sql)

    def node(self, kind, address):
        """A back end, compute node or broker as the recorded doubles were."""
        if kind == "broker":
            return Node(self.release, kind, self.work / address, {}, {"listen_host": address})
        settings = {"priority_networks": f"{address}/32", "mem_limit": "8G", "min_file_descriptor_number": "256",
                    "storage_root_path": "" if kind == "cn" else str(self.work / address / "storage")}
        return Node(self.release, kind, self.work / address, settings, {**self.scene.faults, "cpu_cores": "4"})

    def stop(self):
        """End all processes."""
        for node in self.nodes.values():
            if node.process:
                node.stop()

    # What scenes.py names.

    def step_try(self, sql):
        """Run a statement as root, whatever comes of it."""
        self.client.run("root", self.client.passwords["root"], [sql])

    def step_sql(self, sql):
        """Run a statement as root; it has to succeed."""
        answers = self.client.run("root", self.client.passwords["root"], [sql])
        if any(isinstance(answer, transcript.Error) for answer in answers):
            raise RuntimeError(f"{sql}: {answers}")

    def rows(self, path):
        """The rows of SHOW PROC as dictionaries."""
        answer = self.client.run("root", self.client.passwords["root"], [f"SHOW PROC '{path}'"])[0]
        if isinstance(answer, transcript.Error):
            raise RuntimeError(f"SHOW PROC '{path}': {answer}")
        return [dict(zip(answer.columns, row)) for row in getattr(answer, "rows", [])]

    def wait(self, what, condition):
        """Wait until a condition holds."""
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"{what} did not come")
            time.sleep(0.1)

    def step_gone(self, address):
        """Wait until a back end has vanished."""
        self.wait(f"{address} gone", lambda: address not in [row["IP"] for row in self.rows("/backends")])

    def step_database(self, name, column, number):
        """Wait until the front end has made a database, with so much in it as SHOW PROC '/statistic' counts."""
        self.wait(f"{number} {column} in {name}", lambda: any(
            row["DbName"] == name and int(row[column]) >= number for row in self.rows("/statistic")))

    def step_forgotten(self):
        """Wait until no failure of a query is remembered any more."""
        self.wait("no failures", lambda: all(row[3] == "0" for row in self.client.run(
            "root", self.client.passwords["root"], ["SHOW BACKEND BLACKLIST"])[0].rows))

    def set_period(self, seconds):
        """Change the period of heartbeats and wait for the round that begins with it.

        The statement fails where another front end is registered and not there, but has done its work here by then.
        A report of a back end also makes a journal entry: for the case that it was one, the round has time to end.
        """
        before = self.journal()
        self.client.run("root", self.client.passwords["root"],
                        [f"ADMIN SET FRONTEND CONFIG ('heartbeat_timeout_second'='{seconds}')"])
        self.wait("a heartbeat", lambda: self.journal() > before)
        time.sleep(ROUND)

    def journal(self):
        """The number of the last journal entry: each round of heartbeats writes one."""
        return max(int(row["ReplayedJournalId"]) for row in self.rows("/frontends"))

    def step_quick(self):
        """A round of heartbeats every second."""
        self.set_period(QUICK)

    def step_quiet(self):
        """No more heartbeats by themselves."""
        self.step_tick()

    def step_tick(self):
        """One round of heartbeats."""
        self.quiet_period = QUIET + (self.quiet_period == QUIET)
        self.set_period(self.quiet_period)

    def step_kill(self, address):
        """kill -9."""
        self.nodes[address].stop()

    def step_start(self, address, version, commit):
        """Start a back end again, with another version it may be."""
        node = self.nodes[address]
        node.version_file = node.home / "version.json"
        node.version_file.write_text(json.dumps({"version": version, "commit": commit}), encoding="utf-8")
        node.start().wait_for_url(f"http://{address}:8040/api/health")

    def step_fault(self, address, name, value):
        """Switch a fault on, or with an empty value off."""
        self.nodes[address].fault({**self.scene.faults, "cpu_cores": "4", name: value})

    def do_steps(self, file_name, line):
        """Do what the scene says for a line."""
        for name, *arguments in self.scene.steps.get((file_name, line), ()):
            getattr(self, f"step_{name}")(*arguments)

    # Files and what is in them.

    def as_recorded(self, text):
        """The front end's home as the recorded one's."""
        return text.replace(str(self.work / "fe"), "/opt/starrocks/fe")

    def learn_ids(self, recorded, answers):
        """Remember which node of the transcript is which one here, by its address."""
        for wanted, got in zip(recorded, answers):
            if all(isinstance(one, transcript.Table) and one.columns[:2] in (["BackendId", "IP"],
                                                                             ["ComputeNodeId", "IP"])
                   for one in (wanted, got)):
                own = {row[1]: row[0] for row in got.rows}
                self.ids.update({row[0]: own[row[1]] for row in wanted.rows if row[1] in own})

    def ask(self, statement):
        """The answers to a statement, with the ids of nodes as here and with paths as recorded."""
        sql = re.sub(r"(?<=BLACKLIST )\d+", lambda match: self.ids.get(match[0], match[0]), statement.sql)
        answers = self.client.ask(dataclasses.replace(statement, sql=sql))
        self.learn_ids(statement.answers, answers)
        for answer in answers:
            if isinstance(answer, transcript.Table):
                answer.rows = [[self.as_recorded(value) for value in row] for row in answer.rows]
        return answers

    def until_none(self, differences, again):
        """Ask until nothing differs or patience ends; returns what differs at last."""
        end = time.monotonic() + (self.patience if again else 0)
        while True:
            found = differences()
            if not found or time.monotonic() > end:
                break
            time.sleep(0.2)
        if found and again:
            self.patience = PATIENCE_AFTER_FAILURE
        return found

    def replay_statement(self, item):
        """A statement: asked once, or as long as it takes if it only reads."""
        reading = READING.match(item.sql) and not any(isinstance(one, transcript.Error) for one in item.answers)
        return item.sql, self.until_none(
            lambda: compare.differences(item.sql, item.answers, self.ask(item)), bool(reading))

    def replay_request(self, item):
        """A curl command, with this front end's cluster id and token for the recorded ones."""
        command = item.command
        version, _status = curl(f"curl http://{FRONT_END}:8030/version")
        own = dict(re.findall(r"(clusterId|token)=(\S+)", version))
        command = re.sub(r"(cluster_id=)\d{2,}", rf"\g<1>{own.get('clusterId')}", command)
        command = re.sub(r"(token=)[0-9a-f]{8}-[-0-9a-f]+", rf"\g<1>{own.get('token')}", command)
        return item.command, self.until_none(
            lambda: compare.text_differences(item.output, self.as_recorded(curl(command)[0])), True)

    def replay_command(self, item):
        """A shell command, beside the settings."""
        result = subprocess.run(["bash", "-c", item.command], cwd=self.work / "fe" / "conf", capture_output=True,
                                text=True, check=False)
        return item.command, compare.text_differences(item.output, result.stdout + result.stderr)

    def replay_watch(self, item):
        """A look at some columns after the next round of heartbeats."""
        self.step_tick()
        path = "/brokers" if item.table.columns[0] == "Name" else "/backends"
        rows = [[row[name] for name in item.table.columns] for row in self.rows(path)]
        got = transcript.Table(item.table.columns, rows, [])
        return f"watch {path}", compare.table_differences(item.table, got, path == "/brokers")

    def replay_file(self, path):
        """Replay one file; returns [{line, what, differences}] of what differed, and how many were compared."""
        text = path.read_text(encoding="utf-8")
        self.do_steps(path.name, 0)
        if transcript.is_metrics(text):
            found = self.until_none(
                lambda: compare.metric_differences(text, curl(f"curl http://{FRONT_END}:8030/metrics")[0]), True)
            return 1, [{"line": 1, "what": "metrics", "differences": found}] if found else []
        count, differing = 0, []
        for item in transcript.parse(text):
            self.do_steps(path.name, item.line)
            if isinstance(item, transcript.Note) or (self.scene.folder, path.name, item.line) in NOT_REPLAYED:
                continue
            what, found = getattr(self, f"replay_{type(item).__name__.lower()}")(item)
            count += 1
            if found:
                differing.append({"line": item.line, "what": what, "differences": found})
        return count, differing

    def run(self):
        """Replay the files of the scene; returns {file: {compared, differing, error}}."""
        result = {}
        for name in self.scene.files:
            started = time.monotonic()
            try:
                count, differing = self.replay_file(self.transcripts / name)
                result[name] = {"compared": count, "differing": differing}
            except (RuntimeError, OSError, transcript.TranscriptError) as error:
                result[name] = {"compared": 0, "differing": [], "error": f"{type(error).__name__}: {error}"}
            result[name]["seconds"] = round(time.monotonic() - started, 1)
        return result


class ScriptReplay(Replay):
    """A scene in which only commands run, in the home of a front end that they start and stop."""

    TIMEOUT = 3  # seconds; those of the recording were 120, and only they end a start in the foreground
    TIMED_OUT = 124

    def start(self):
        """Prepare what was there: the unpacked release, a JDK, one that is too old, a process that is no front end."""
        self.home = self.work / "fe"
        shutil.copytree(pathlib.Path(self.release) / "fe", self.home, symlinks=True)
        for name, version in (("jdk17", "17.0.15"), ("jdk11", "11.0.20")):
            folder = self.work / name / "bin"
            folder.mkdir(parents=True)
            for program in ("java", "javac"):
                (folder / program).write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
                (folder / program).chmod(0o755)
        # Its parent lets go of it: stop_fe.sh would take a zombie for alive.
        self.stranger = subprocess.run(["bash", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"], check=True,
                                       capture_output=True, text=True).stdout.strip()

    def stop(self):
        """End what the commands have left."""
        pid_file = self.home / "bin" / "fe.pid"
        for pid in [self.stranger, *(pid_file.read_text().split() if pid_file.exists() else [])]:
            subprocess.run(["kill", "-9", pid], capture_output=True, check=False)

    def replay_command(self, item):
        """A shell command, with the folders, processes and waits as here."""
        command = re.sub(r"(?<!\S)(?=(?:bin|log)/)", f"{self.home}/", item.command)  # the recorder left it away
        command = re.sub(r"/tmp/jdk11-[\d.]+", str(self.work / "jdk11"), command)
        command = re.sub(r"echo (?!999999 )\d+ >", f"echo {self.stranger} >", command)
        environment = {"PATH": f"{self.work}/jdk17/bin:{os.environ['PATH']}", "LANG": "C", "TZ": "UTC"}
        seconds = self.TIMEOUT if item.status == self.TIMED_OUT else PATIENCE_FOR_COMMANDS
        with open(self.work / "output", "w+", encoding="utf-8") as output:  # a pipe would be held by what it starts
            result = subprocess.run(["timeout", str(seconds), "bash", "-c", command], cwd=self.home, env=environment,
                                    stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
            output.seek(0)
            texts = [re.sub(r"(?m)^\d+$", "<pid>", text) for text in (item.output, self.as_recorded(output.read()))]
            found = compare.text_differences(*texts)
        if result.returncode != item.status:
            found.append(f"exit status {result.returncode} instead of {item.status}")
        if command.endswith("--daemon") and item.status == 0:
            self.wait("a pid file", (self.home / "bin" / "fe.pid").exists)
        return item.command, found


def main(arguments):
    """Replay one scene."""
    name, release, transcripts, work = arguments
    loopback_up()
    scene = SCENES[name]
    replay = (ScriptReplay if scene.scripts else Replay)(scene, release, transcripts, work)
    try:
        replay.start()
        json.dump(replay.run(), sys.stdout, indent=1)
    finally:
        replay.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
