# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay the transcripts of three front ends (folder cluster) against stand-ins, and print what differs, as JSON.

    unshare --net python3 -m conformance.cluster STORY RELEASES TRANSCRIPTS WORK

Runs in a network namespace of its own that has the recorded addresses, and so with the recorded ports. These files
are logs of what was done more than lists of statements: a story (``stories.py``) says line by line what is to be done
and looked at. Every statement, every request and every look of a file is used by its story, or named there with why
not; the rest of the lines is what processes printed and is checked by steps.

Which follower wins an election is chance. From then on the story calls the new leader by its recorded name: ``names``
is a permutation of the front ends that were alike at that moment, used on addresses asked and on answers.
"""

import contextlib
import functools
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pymysql
from standin_nodes import Node, NodeError

from . import compare, transcript
from .client import Client, curl
from .replay import loopback_up
from .stories import STORIES

NETWORK = "10.99.0."
PERIOD = 2          # heartbeat_timeout_second; the recorded front ends had the default
SCALE = PERIOD / 5  # of all times that the front end derives from it
PATIENCE = 20       # seconds for a look to come to be as recorded

COMMITS = {"3.4.4": "bc987bb", "3.5.0": "0be11fd", "3.5.7": "d2da301", "4.0.0": "d7c2237", "4.1.0": "70d1c24",
           "4.2.0": "beb03d3"}
SEEN = re.compile(r"## \S+ seen from (?P<host>\S+): (?P<columns>.+) of (?P<sql>SHOW .*)")
SEEN_ROW = re.compile(r"(\S+) (\S+) (\S+) (\S+) (\d+) \[(.*)\] (\S+)")
CLIENT_ERRORS = {2003: 2002}  # PyMySQL's number for a server that is not there -> the mysql client's
MASKED = {"ReplayedJournalId", "TabletNum"}


class StoryError(Exception):
    """The story can not go on."""


class Story:
    """One recorded file, or several that go on from each other, and the processes it is about."""

    def __init__(self, releases, transcripts, work):
        self.releases = pathlib.Path(releases)
        self.transcripts = pathlib.Path(transcripts) / "cluster"
        self.work = pathlib.Path(work)
        self.nodes = {}
        self.names = {}       # recorded address -> the one that plays it
        self.differing = []
        self.used = set()
        self.lines = []
        self.file = ""
        self.poller = None
        self.compared = 0

    # -- names -------------------------------------------------------------------------------------

    def real(self, address):
        """The address that plays a recorded one."""
        return self.names.get(address, address)

    def recorded(self, text):
        """A text with the recorded addresses in place of those that play them."""
        back = {played: name for name, played in self.names.items()}
        return re.sub(r"10\.99\.0\.\d+", lambda match: back.get(match.group(0), match.group(0)), text)

    def address(self, name):
        """fe2 -> 10.99.0.12, be1 -> 10.99.0.21; an address as it is."""
        if "." in name:
            return self.real(name)
        return self.real(f"{NETWORK}{ {'fe': 10, 'be': 20}[name[:2]] + int(name[2:])}")

    def node(self, name):
        return self.nodes[self.address(name)]

    # -- steps: processes --------------------------------------------------------------------------

    def do_file(self, name):
        """Go on with another file."""
        self.file, self.used = name, set()
        self.lines = (self.transcripts / name).read_text(encoding="utf-8").splitlines()

    def do_make(self, name, kind, version):
        """Set a node up; it is not started."""
        address = self.address(name)
        settings = {
            "fe": {"priority_networks": f"{address}/32", "frontend_address": address,
                   "heartbeat_timeout_second": str(PERIOD), "statistic_manager_sleep_time_sec": "1",
                   "table_keeper_interval_second": "1"},
            "be": {"priority_networks": f"{address}/32", "mem_limit": "8G", "min_file_descriptor_number": "256",
                   "storage_root_path": str(self.work / name / "storage")},
            "broker": {},
        }[kind]
        faults = {"fe": {}, "be": {"cpu_cores": "4"}, "broker": {"listen_host": address}}[kind]
        self.nodes[address] = Node(self.releases / version, kind, self.work / name, settings, faults)
        if kind == "be":  # all listen on all addresses of the machine, unless there is but one address to listen on
            self.nodes[address].configure({**settings, "priority_networks": f"{address}/32"})

    def do_use(self, name, version):
        """Exchange bin and lib: another version from the next start on."""
        node = self.node(name)
        component = self.releases / version / node.COMPONENT[node.kind]
        for folder in ("bin", "lib"):
            (node.home / folder).unlink()
            (node.home / folder).symlink_to(component / folder)
        node.release = component
        node.version_file = component / "lib" / "standin-version.json"

    def do_launch(self, name, *arguments):
        """Start and do not wait."""
        self.node(name).start(*arguments)

    def do_start(self, name, *arguments):
        """Start a front end and wait until it answers."""
        self.do_launch(name, *arguments)
        self.do_ready(name)

    def do_ready(self, name):
        """Wait until a front end answers."""
        try:
            self.node(name).wait_for_url(f"http://{self.address(name)}:8030/api/health")
        except NodeError as error:
            raise StoryError(str(error)) from None

    def do_stop(self, name, number="SIGTERM", status=143, recorded=None):
        """Send a signal and wait for the end of the process, with this exit status, after so many seconds."""
        started = time.monotonic()
        found = self.node(name).stop(getattr(signal, number))
        if status is not None and found != status:
            self.differs(f"{name} ended with {found} instead of {status}")
        if recorded:
            self.check_time(f"the end of {name}", started, recorded)

    def do_exits(self, name, status):
        """The process ends by itself."""
        try:
            found = self.node(name).process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise StoryError(f"{name} does not end") from None
        if found != status:
            self.differs(f"{name} ended with {found} instead of {status}")

    def check_time(self, what, started, recorded):
        """Did it take as long as recorded, by the scale of this front end's times?"""
        took = (time.monotonic() - started) / SCALE
        if not 0.75 * recorded < took < 1.25 * recorded + 5:
            self.differs(f"{what} took {took:.1f} s (by its scale) instead of {recorded}")

    def do_fresh(self, name):
        """Put what the process has written aside."""
        for path in (self.node(name).home / "log").iterdir():
            path.unlink()

    def do_runs(self, name):
        """The process is still there."""
        if self.node(name).process.poll() is not None:
            self.differs(f"{name} has ended with {self.node(name).process.returncode}")

    def do_says(self, name, text, where="out"):
        """A process has printed this (fe.out), or logged it."""
        path = self.node(name).home / "log" / where
        end = time.monotonic() + PATIENCE
        while not re.search(text, path.read_text(encoding="utf-8")):
            if time.monotonic() > end:
                self.differs(f"{name} says nowhere {text!r}")
                return
            time.sleep(0.1)

    def do_closed(self, name, seconds):
        """No port of a front end opens for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for port in (8030, 9020, 9030):
                output, status = curl(f"curl --connect-timeout 1 http://{self.address(name)}:{port}/")
                if status != 7:
                    self.differs(f"{name} has opened port {port}: {output}")
                    return
            time.sleep(0.2)

    def do_wipe(self, name):
        """Move the metadata away."""
        home = self.node(name).home
        (home / "meta").rename(home / f"meta.{time.monotonic_ns()}")
        (home / "meta").mkdir()

    def do_leader(self, recorded, *alike):
        """Wait for a leader among front ends that are alike, and call it by its recorded name.

        By SHOW PROC, which is not forwarded: the first statement that is meets the broken connection.
        """
        wanted = self.address(recorded)
        actual = self.wait("a leader", lambda: next(
            (row["IP"] for name in alike for row in self.rows(self.address(name), "SHOW PROC '/frontends'")
             if row["Role"] == "LEADER" and row["IP"] in map(self.address, alike)), None))
        if actual != wanted:
            names = {f"{NETWORK}{number}": self.real(f"{NETWORK}{number}") for number in (11, 12, 13)}
            back = {played: name for name, played in names.items()}
            names[back[wanted]], names[back[actual]] = actual, wanted
            self.names = names

    def do_rounds(self, count):
        """Let so many rounds of heartbeats pass."""
        time.sleep(count * PERIOD)

    # -- steps: asking -----------------------------------------------------------------------------

    def do_sql(self, name, sql):
        """A statement that is not in the file; it has to succeed."""
        answers = self.ask(self.address(name), [sql])
        if any(isinstance(answer, transcript.Error) for answer in answers):
            raise StoryError(f"{sql}: {answers}")

    def do_until(self, name, sql, column, *values):
        """Ask until a column has these values, in any order."""
        self.wait(f"{sql}: {column} {values}", lambda: sorted(
            str(row[column]) for row in self.rows(self.address(name), sql)) == sorted(values))

    def ask(self, address, statements):
        """Answers; an error of the client for a server that is not there."""
        answers = Client(address, 9030).run("root", "", statements)
        return [transcript.Error(CLIENT_ERRORS.get(answer.code, answer.code), answer.state, answer.text)
                if isinstance(answer, transcript.Error) else answer for answer in answers]

    def rows(self, address, sql):
        """The rows of a statement as dictionaries; none after an error."""
        answer = self.ask(address, [sql])[0]
        return [dict(zip(answer.columns, row)) for row in getattr(answer, "rows", ())]

    @staticmethod
    def wait(what, condition):
        end = time.monotonic() + 3 * PATIENCE
        while not (found := condition()):
            if time.monotonic() > end:
                raise StoryError(f"{what} did not come")
            time.sleep(0.1)
        return found

    def differs(self, what):
        self.differing.append(f"{self.file}: {what}")

    def until_none(self, line, differences, patience=PATIENCE):
        """Look until nothing differs or patience ends."""
        end = time.monotonic() + patience
        while True:
            found = differences()
            if not found:
                break
            if time.monotonic() > end:
                self.differs(f"line {line}: " + "; ".join(found))
                break
            time.sleep(0.2)
        self.compared += 1

    def do_line(self, *numbers):
        """The recorded statements, requests and looks that begin at these lines."""
        for number in numbers:
            self.used.add(number)
            line = self.lines[number - 1]
            if SEEN.fullmatch(line):
                self.look(number)
            elif line.startswith("$ curl"):
                self.request(number)
            elif line.startswith("IP\t"):
                self.watch(number)
            else:
                self.statement(number)

    def statement(self, number):
        match = transcript.PROMPT.fullmatch(self.lines[number - 1])
        recorded, end = transcript.statement_at(self.lines, number - 1)
        reading = recorded.sql.startswith("SHOW") and not isinstance(recorded.answers[0], transcript.Error)
        sql = re.sub(r"10\.99\.0\.\d+", lambda found: self.real(found.group(0)), recorded.sql)

        def differences():
            answers = self.ask(self.real(match["host"]), [sql])
            for answer in answers:
                if isinstance(answer, transcript.Table):
                    answer.rows = [[self.recorded(value) for value in row] for row in answer.rows]
            wanted = recorded.answers
            if isinstance(wanted[0], transcript.Error) and wanted[0].code in (2002, 2013):  # the client's own words
                return [] if [getattr(answer, "code", None) for answer in answers] == [wanted[0].code] else [
                    f"{answers} instead of {wanted}"]
            return compare.differences(recorded.sql, wanted, answers)

        started = time.monotonic()
        self.until_none(number, differences, PATIENCE if reading else 0)
        took = next(filter(None, (re.fullmatch(r"\s+took (\S+) s", line) for line in self.lines[number:end + 2])), None)
        if took:
            self.check_time(f"line {number}", started, float(took[1]))

    def request(self, number):
        recorded, _end = transcript.request_at(self.lines, number - 1)
        output, status = curl(recorded.command)
        if status != recorded.status:
            self.differs(f"line {number}: curl ends with {status} instead of {recorded.status}: {output}")
        self.compared += 1

    def watch(self, number):
        """A look at some columns of the back ends."""
        found, _end = transcript.watch_at(self.lines, number - 1)
        leader = f"{NETWORK}11"

        def differences():
            rows = [[row[name] if name not in MASKED else str(int(row[name]) > 0) for name in found.table.columns]
                    for row in self.rows(leader, "SHOW BACKENDS")]
            wanted = [[value if name not in MASKED else "True" for name, value in zip(found.table.columns, row)]
                      for row in found.table.rows]
            return [] if rows == wanted else [f"{rows} instead of {wanted}"]
        self.until_none(number, differences)

    def look(self, number):
        """Some columns of the front ends, as seen from one of them."""
        match = SEEN.fullmatch(self.lines[number - 1])
        columns = match["columns"].split()
        wanted = []
        for line in self.lines[number:]:
            row = SEEN_ROW.fullmatch(line)
            if not row:
                if not wanted and line.startswith("ERROR 2002"):
                    wanted = [2002]
                break
            wanted.append(list(row.groups()))

        def differences():
            answer = self.ask(self.real(match["host"]), [match["sql"]])[0]
            if isinstance(answer, transcript.Error):
                return [] if wanted == [answer.code] else [f"error {answer} instead of {wanted}"]
            got = [[self.recorded(str(row[answer.columns.index(name)])) for name in columns] for row in answer.rows]
            plain = [[value for name, value in zip(columns, row) if name not in MASKED] for row in sorted(got)]
            should = [wanted] if wanted == [2002] else [
                [value for name, value in zip(columns, row) if name not in MASKED] for row in sorted(wanted)]
            return [] if plain == should else [f"{plain} instead of {should}"]
        self.until_none(number, differences)

    def do_summary(self, *numbers):
        """Looks of one line each: ``11: address,role,join,error;...``, or an error."""
        columns = ("IP", "Role", "Join", "ErrMsg")

        def differences(host, text):
            answer = self.ask(self.real(NETWORK + host), ["SHOW FRONTENDS"])[0]
            if isinstance(answer, transcript.Error):
                return [] if f"ERROR {answer.code}" in text else [str(answer)]
            rows = [[self.recorded(row[answer.columns.index(name)]) for name in columns] for row in answer.rows]
            got = "".join(",".join(row) + ";" for row in sorted(rows))
            return [] if got == text else [f"{got} instead of {text}"]
        for number in numbers:
            host, _, text = self.lines[number - 1].partition(": ")
            self.until_none(number, functools.partial(differences, host, text))

    def do_files(self, name, *numbers):
        """What is in the folder of the images, a name a line."""
        wanted = [self.lines[number - 1] for number in numbers]
        self.wait("an image", lambda: list((self.node(name).home / "meta" / "image").glob("**/image.*")))
        found = sorted(path.name for path in (self.node(name).home / "meta" / "image").iterdir())
        if found != wanted:
            self.differs(f"lines {numbers}: {found} instead of {wanted}")

    # -- steps: a client that goes on ------------------------------------------------------------------

    def do_poll(self, name):
        """Make and drop a database through a front end, again and again, until the next "polled"."""
        self.poller = Poller(self.address(name))

    def do_polled(self, *texts):
        """End the client. The errors that it met, in their order, each once, are these; then it went on."""
        found, last = self.poller.end()
        if found != list(texts):
            self.differs(f"the client met {found} instead of {list(texts)}")
        if last is not None:
            self.differs(f"the client still fails: {last}")

    # -- all ---------------------------------------------------------------------------------------

    def left(self, skipped):
        """The lines of the file that its story does not use."""
        asked = [number for number, line in enumerate(self.lines, 1)
                 if transcript.PROMPT.fullmatch(line) or SEEN.fullmatch(line) or line.startswith(("$ curl", "IP\t"))]
        return sorted(set(asked) - self.used - set(skipped))

    def run(self, steps):
        try:
            for name, *arguments in steps:
                if name == "skip":
                    self.used.add(arguments[0])
                    continue
                if name == "file" and self.file and self.left(()):
                    self.differs(f"lines {self.left(())} are not used")
                getattr(self, f"do_{name}")(*arguments)
            if self.left(()):
                self.differs(f"lines {self.left(())} are not used")
        except StoryError as error:
            self.differs(f"the story ends at {name} {arguments}: {error}")
        finally:
            for node in self.nodes.values():
                if node.process:
                    node.stop()
        return {"compared": self.compared, "differing": self.differing}


class Poller(threading.Thread):
    """A client that writes all the time."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address = address
        self.errors = []
        self.last = None
        self._ending = threading.Event()
        self.start()

    def run(self):
        while not self._ending.wait(0.05):
            try:
                connection = pymysql.connect(host=self.address, user="root", port=9030, read_timeout=60)
                with contextlib.closing(connection), connection.cursor() as cursor:
                    cursor.execute("create database if not exists p")
                    cursor.execute("drop database if exists p")
                self.last = None
            except Exception as error:
                self.last = str(error.args[-1])
                if self.last not in self.errors:
                    self.errors.append(self.last)

    def end(self):
        self._ending.set()
        self.join(60)
        return self.errors, self.last


def main(arguments):
    """Replay one story."""
    name, releases, transcripts, work = arguments
    loopback_up()
    for number in (11, 12, 13, 21, 22, 23):
        subprocess.run(["ip", "address", "add", f"{NETWORK}{number}/32", "dev", "lo"], check=True)
    pathlib.Path(work).mkdir(parents=True)
    json.dump(Story(releases, transcripts, work).run(STORIES[name]), sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
