# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster of a scenario, seen from outside: by SQL, by systemd, by files, and by what playbooks print.

Nothing here uses the collection's own code, so that a mistake of it cannot hide itself.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pymysql
import testinfra

from .playing import Played, Playing

PROJECT = Path(__file__).resolve().parents[2]

UNITS = {"fe": "starrocks-fe", "be": "starrocks-be", "cn": "starrocks-cn", "broker": "starrocks-broker"}
SHOW = {"fe": "SHOW FRONTENDS", "be": "SHOW BACKENDS", "cn": "SHOW COMPUTE NODES", "broker": "SHOW BROKER"}

# What a running system writes by itself, and where Ansible and apt keep notes. Found with find(1), so patterns of it.
RESTLESS_PATHS = (
    "/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp", "/var/log/journal", "/var/log/wtmp", "/var/log/lastlog",
    "/var/log/btmp", "/var/log/apt", "/var/lib/systemd", "/*/.ansible", "/home/*/.ansible", "/*/.cache",
    "/var/lib/private",
)  # fmt: skip


def wait_for(condition: Callable[[], object], seconds: float, what: str, pause: float = 0.3):
    """Call condition until it returns something true, and return that. A refused query counts as not yet."""
    end = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < end:
        try:
            last = condition()
            if last:
                return last
        except (pymysql.MySQLError, OSError, subprocess.SubprocessError) as error:
            last = error
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds} s; last seen: {last!r}")


class Cluster:
    """One scenario's hosts, and the StarRocks cluster on them."""

    def __init__(self, inventory: Path, scenario: str) -> None:
        self.inventory = inventory
        self.set = f"mol-{scenario.replace('_', '-')}"
        self.host_files = PROJECT / "build" / "hosts" / self.set
        self.logs = PROJECT / "build" / "logs" / "molecule" / scenario
        self._numbers = itertools.count(1)

    # -- the inventory ----------------------------------------------------------------------------------------

    @functools.cached_property
    def _listed(self) -> dict:
        """What ansible-inventory makes of the inventory; asked again after extend()."""
        command = ["ansible-inventory", "--inventory", str(self.inventory), "--list"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def extend(self, text: str) -> None:
        """Write more into the inventory, in YAML: as a user does who adds hosts."""
        (self.inventory / "added.yml").write_text(text, encoding="utf-8")
        self.__dict__.pop("_listed", None)

    def names(self, kind: str) -> list[str]:
        """The hosts of one kind of node. Brokers are on the back ends' hosts unless they have a group."""
        group = f"starrocks_{kind}"
        if kind == "broker" and group not in self._listed:
            group = "starrocks_be"
        return list(self._listed.get(group, {}).get("hosts", []))

    @property
    def hosts(self) -> list[str]:
        """All hosts that have a node."""
        return list(dict.fromkeys(name for kind in UNITS for name in self.names(kind)))

    def variables(self, name: str) -> dict:
        return self._listed["_meta"]["hostvars"][name]

    def address(self, name: str) -> str:
        return self.variables(name)["ansible_host"]

    @property
    def password(self) -> str:
        return self.variables(self.names("fe")[0])["starrocks_root_password"]

    # -- playbooks --------------------------------------------------------------------------------------------

    def start(self, playbook: str, *arguments: str, extra: Mapping[str, object] | None = None) -> Playing:
        """Start a playbook of the collection ("deploy"), or one by its path."""
        number = next(self._numbers)
        name = Path(playbook).stem
        path = playbook if "/" in playbook else f"starrocks.cluster.{playbook}"
        command = ["ansible-playbook", "--inventory", str(self.inventory), *arguments, path]
        if extra:
            command[1:1] = ["--extra-vars", json.dumps(extra)]
        return Playing(command, self.logs / f"{number:02}-{name}.log")

    def play(
        self, playbook: str, *arguments: str, extra: Mapping[str, object] | None = None, status: int | None = 0
    ) -> Played:
        """Run a playbook to its end and check its exit status (None: any but 0). No output may hold the password."""
        return self.ended(self.start(playbook, *arguments, extra=extra), status)

    def ended(self, playing: Playing, status: int | None = 0) -> Played:
        """Wait for the end of a run, and check it as play() does."""
        played = playing.finish()
        assert self.password not in played.output, f"the password is in {playing.log}"
        right = played.status != 0 if status is None else played.status == status
        assert right, f"exit status {played.status}, see {playing.log}:\n{played.tail()}"
        return played

    # -- SQL --------------------------------------------------------------------------------------------------

    def connect(self, name: str, password: str | None = None, user: str = "root") -> pymysql.Connection:
        """Log in to one front end, from the machine that runs the tests."""
        port = self.variables(name).get("starrocks_fe_query_port", 9030)
        return pymysql.connect(
            host=self.address(name),
            port=port,
            user=user,
            password=self.password if password is None else password,
            connect_timeout=3,
            read_timeout=60,
            autocommit=None,
            cursorclass=pymysql.cursors.DictCursor,
        )

    def ask(self, name: str, statement: str) -> list[dict]:
        """Run one statement on one front end."""
        with self.connect(name) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def sql(self, statement: str, seconds: float = 30) -> list[dict]:
        """Run one statement on the first front end that answers it; try for a while, leaders change."""
        end = time.monotonic() + seconds
        while True:
            errors = {}
            for name in self.names("fe"):
                try:
                    return self.ask(name, statement)
                except (pymysql.MySQLError, OSError) as error:
                    errors[name] = error
            assert time.monotonic() < end, f"{statement}: {errors}"
            time.sleep(0.3)

    def rows(self, kind: str) -> dict[str, dict]:
        """SHOW FRONTENDS and its like, as inventory name -> row; unknown members stand under what they are called."""
        names = {self.address(name): name for name in self.hosts} | {name: name for name in self.hosts}

        def name_of(member: str) -> str:
            return names.get(member) or names.get(member.partition(".")[0]) or member  # a full name: p1.test

        return {name_of(row["IP"]): row for row in self.sql(SHOW[kind])}

    def alive(self, kind: str) -> set[str]:
        """The hosts whose node of this kind is alive, and joined if it is a front end."""
        return {
            name
            for name, row in self.rows(kind).items()
            if row["Alive"] == "true" and row.get("Join", "true") == "true"
        }

    def wait_alive(self, seconds: float = 60, **wanted: Iterable[str]) -> None:
        """Wait until exactly these are alive: wait_alive(fe=["h1"], be=["h1"])."""
        for kind, names in wanted.items():
            wait_for(lambda kind=kind, names=set(names): self.alive(kind) == names, seconds,
                     f"{kind} of {', '.join(names)} alive")  # fmt: skip

    def leader(self) -> str | None:
        """The host whose front end leads, None while there is none."""
        leaders = [name for name, row in self.rows("fe").items() if row["Role"] == "LEADER"]
        assert len(leaders) < 2, f"two leaders: {leaders}"
        return leaders[0] if leaders else None

    def cluster_ids(self) -> set[str]:
        """The ClusterId of all rows, and clusterId of the metadata on every front end's host."""
        found = {row["ClusterId"] for row in self.rows("fe").values()}
        for name in self.names("fe"):
            data_dir = self.variables(name).get("starrocks_data_dir", "/var/lib/starrocks")
            version = self.on(name).file(f"{data_dir}/fe/meta/image/VERSION")
            found |= set(re.findall(r"^clusterId=(\d+)", version.content_string, re.MULTILINE))
        return found

    # -- hosts ------------------------------------------------------------------------------------------------

    @functools.cache  # noqa: B019 (one object, for as long as the tests run)
    def on(self, name: str) -> testinfra.host.Host:
        """A host as testinfra sees it, always as root."""
        return testinfra.get_host(f"ssh://{name}?controlpersist=300", ssh_config=str(self.host_files / "ssh_config"))

    def machine(self, verb: str, *words: str) -> str:
        """tests/hosts/hosts with this scenario's set: machine("reboot"), machine("kill", "h2")."""
        command = [str(PROJECT / "tests/hosts/hosts"), verb, self.set, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def units(self, name: str) -> dict[str, dict[str, str]]:
        """What systemd says of the StarRocks units of a host, those that are loaded."""
        properties = "Id,LoadState,ActiveState,MainPID,NRestarts,UnitFileState"
        units = " ".join(f"{unit}.service" for unit in UNITS.values())
        account = self.variables(name)["ansible_user"]
        scope = "" if account == "root" else f"--user --machine {account}@"
        output = self.on(name).check_output(f"systemctl {scope} show --property={properties} {units}")
        blocks = (dict(line.split("=", 1) for line in block.splitlines()) for block in output.split("\n\n"))
        return {block["Id"].removesuffix(".service"): block for block in blocks if block["LoadState"] == "loaded"}

    def pids(self, names: Iterable[str] | None = None) -> dict[tuple[str, str], int]:
        """(host, unit) -> main process of everything that runs."""
        return {
            (name, unit): int(state["MainPID"])
            for name in (self.hosts if names is None else names)
            for unit, state in self.units(name).items()
            if state["ActiveState"] == "active"
        }

    def files(self, name: str) -> dict[str, str]:
        """path -> type, mode, owner, size, time of change: all files of a host but those that change by themselves."""
        pruned = " -o ".join(f"-path '{path}'" for path in RESTLESS_PATHS)
        output = self.on(name).check_output(
            f"find / -xdev \\( {pruned} \\) -prune -o -type d -printf '%p\\t%y %m %U:%G\\n'"
            " -o -printf '%p\\t%y %m %U:%G %s %T@\\n'"
        )
        return dict(line.split("\t", 1) for line in output.splitlines() if "\t" in line)

    def remember(self, what: str, value: object) -> None:
        """Keep a value for later steps of the scenario, until its hosts are destroyed."""
        self._remembered(what).write_text(json.dumps(value), encoding="utf-8")

    def recall(self, what: str):
        """Return what an earlier step of the scenario kept."""
        return json.loads(self._remembered(what).read_text(encoding="utf-8"))

    def _remembered(self, what: str) -> Path:
        return self.inventory.parent / f"remembered-{what}.json"


def of_this_scenario() -> Cluster:
    """The cluster of the scenario that molecule runs."""
    return Cluster(Path(os.environ["MOLECULE_INVENTORY_FILE"]).parent, os.environ["MOLECULE_SCENARIO_NAME"])


def differences(before: Mapping, after: Mapping) -> dict:
    """Return key -> (before, after) where two snapshots differ; None for what is not there."""
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    }
