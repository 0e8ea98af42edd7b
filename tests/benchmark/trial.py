# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters on test hosts, for demo and benchmark: the hosts, an inventory, and playbooks that are watched."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOSTS_TOOL = ROOT / "tests" / "hosts" / "hosts"
SIMULATOR_BUILD = ROOT / "tests" / "simulator" / "build"
STANDIN_VERSION = "3.5.0"
PASSWORD = "only-a-trial"

QUIET_SECONDS = 10  # a person sees a sign of life at least this often
GRACE_SECONDS = 45  # for what is ended early to clean up
TAIL_LINES = 40

# What the collection asks for by default, and what a back end does: a host that has less needs settings of its own.
DEFAULT_OPEN_FILES = 655350
BACK_END_OPEN_FILES = 60000


class TrialError(Exception):
    """What went wrong and what to do about it, in words for the person at the terminal."""


def environment(**more: str) -> dict[str, str]:
    """For commands: the tools of .venv and the configuration of the checkout, also without make."""
    return {
        **os.environ,
        "PATH": f"{ROOT}/.venv/bin:{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        **more,
    }


# -- programs, watched ------------------------------------------------------------------------------------------------


def shown_path(path: Path) -> str:
    """Below the checkout, from there."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def watch(
    command: Sequence[str | Path],
    log: Path,
    *,
    show: bool,
    doing: Callable[[], tuple[str, float]] | None = None,
    variables: Mapping[str, str] | None = None,
) -> float:
    """Run a program to its end, with its output in a log, and return how long it took, in seconds.

    Its output is shown if `show` says so; each QUIET_SECONDS in which nothing was, a line says what goes on: `doing`
    returns that and for how many seconds it has been so. Raises TrialError when the program fails.
    """
    words = [str(word) for word in command]
    started = said = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        child = subprocess.Popen(
            words,
            cwd=ROOT,
            env=environment(**(variables or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            assert child.stdout
            while True:
                if select.select([child.stdout], [], [], 0.5)[0]:
                    output = os.read(child.stdout.fileno(), 65536)
                    if not output:
                        break
                    file.write(output)
                    if show:
                        sys.stdout.buffer.write(output)
                        sys.stdout.flush()
                        said = time.monotonic()
                if time.monotonic() - said >= QUIET_SECONDS:
                    what, seconds = doing() if doing else (Path(words[0]).name, time.monotonic() - started)
                    print(f"  ... still: {what} ({seconds:.0f} s)", flush=True)
                    said = time.monotonic()
            status = child.wait()
        finally:
            end(child)
    if status:
        tail = [] if show else log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
        raise TrialError("\n".join([f"{shlex.join(words)}: exit status {status}. Its output is in {shown_path(log)}",
                                    *(f"    {line}" for line in tail)]))  # fmt: skip
    return time.monotonic() - started


def end(child: subprocess.Popen) -> None:
    """Have it gone."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    if child.poll() is None:
        child.kill()
        child.wait()


def answer(*command: str | Path) -> str:
    """What a program prints on stdout; what it prints on stderr is shown. Raises TrialError when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise TrialError(f"{shlex.join(words)}: exit status {done.returncode}")
    return done.stdout


@contextlib.contextmanager
def listening(command: Sequence[str | Path]) -> Iterator[list[str]]:
    """Have a program run statements.py meanwhile. Yields what it hears, a line each; there when the context has ended.

    Raises TrialError when nobody could listen.
    """
    heard: list[str] = []
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as listener:
        try:
            if listener.stdout.readline() != "ready\n":
                raise TrialError(f"nobody can listen: see above ({words[0]})")
            yield heard
        finally:
            said, _ = listener.communicate(timeout=30)  # its standard input ends here
    if listener.returncode:
        raise TrialError(f"the listener ended with status {listener.returncode} ({words[0]})")
    heard += said.splitlines()


# -- hosts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hosts:
    """A set of test hosts. addresses: name -> address; connection: Ansible's variables to reach them."""

    name: str
    addresses: Mapping[str, str]
    connection: Mapping[str, str]
    open_files: int

    @property
    def files(self) -> Path:
        """The folder with ssh_config and more, see tests/hosts/README.md."""
        return ROOT / "build" / "hosts" / self.name

    @property
    def network(self) -> str:
        """The network that all of them are in."""
        return str(ipaddress.ip_network(f"{next(iter(self.addresses.values()))}/24", strict=False))


def hosts_up(name: str, wanted: Sequence[str]) -> Hosts:
    """Have these hosts, running."""
    answer(HOSTS_TOOL, "up", name, *wanted)
    listed = json.loads(answer("ansible-inventory", "--inventory", ROOT / f"build/hosts/{name}/hosts.yml", "--list"))
    variables = listed["_meta"]["hostvars"]
    limits = answer(HOSTS_TOOL, "exec", name, wanted[0], "--", "cat", "/proc/1/limits")
    found = re.search(r"^Max open files +\d+ +(\d+)", limits, re.MULTILINE)
    return Hosts(
        name=name,
        addresses={host: variables[host]["ansible_host"] for host in wanted},
        connection={key: text for key, text in variables[wanted[0]].items() if key != "ansible_host"},
        open_files=int(found[1]) if found else DEFAULT_OPEN_FILES,
    )


def hosts_down(name: str) -> None:
    """Have none of them. No error when there are none."""
    answer(HOSTS_TOOL, "down", name)


# -- releases ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Release:
    """A tarball, and the version that is in it."""

    archive: Path
    version: str


def version_of(archive: Path) -> str:
    """The version in a tarball's name: 3.5.0 of StarRocks-3.5.0-ubuntu-amd64.tar.gz. Raises TrialError."""
    pattern = r"(?<![\d.])\d+\.\d+\.\d+(?:-(?:alpha|beta|preview|rc)\.?\d+)?(?!\.?\d)"
    match = re.search(pattern, archive.name, re.IGNORECASE)
    if not match:
        raise TrialError(f"{archive.name}: no version in the name. Call it as the downloads are called:"
                         " StarRocks-3.5.0-ubuntu-amd64.tar.gz")  # fmt: skip
    return match[0]


def given_release(archive: Path) -> Release:
    """The release in a tarball of the user's. Raises TrialError when there is no such file."""
    path = archive.expanduser().resolve()
    if not path.is_file():
        raise TrialError(f"{path}: there is no such file")
    return Release(path, version_of(path))


def standin_release() -> Release:
    """The stand-in, see tests/simulator/README.md."""
    return Release(Path(answer(SIMULATOR_BUILD, "--version", STANDIN_VERSION).strip()), STANDIN_VERSION)


# -- inventories ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """A variable in an inventory, with a comment."""

    value: Any
    why: str = ""


@dataclass(frozen=True)
class Layout:
    """What runs where. groups: starrocks_fe and its like -> hosts; settings: of a group, by name."""

    name: str
    groups: Mapping[str, Sequence[str]]
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(host for hosts in self.groups.values() for host in hosts))


def in_yaml(value: Any) -> str:
    """A value as a person would write it, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {in_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_yaml, value)) + "]"
    plain = r"[A-Za-z/][\w./-]*|\d+\.\d+\.\d+[\w./-]*|\d+[gm]"
    return value if isinstance(value, str) and re.fullmatch(plain, value) else json.dumps(value)


def setting_lines(settings: Mapping[str, Setting], indent: int) -> list[str]:
    """Variables with their comments, as lines."""
    lines = []
    for name, setting in settings.items():
        lines += [f"# {line}" for line in setting.why.splitlines()]
        lines.append(f"{name}: {in_yaml(setting.value)}")
    return [" " * indent + line for line in lines]


def limit_settings(open_files: int) -> dict[str, Setting]:
    """What hosts need that cannot have as many open files as the collection asks for."""
    settings = {}
    if open_files < DEFAULT_OPEN_FILES:
        settings["starrocks_limit_nofile"] = Setting(
            open_files, f"These hosts cannot have more open files; the default is {DEFAULT_OPEN_FILES}."
        )
    if open_files < BACK_END_OPEN_FILES:
        enough = {"min_file_descriptor_number": open_files}
        settings["starrocks_be_config"] = Setting(
            enough, f"With fewer than {BACK_END_OPEN_FILES} open files, back ends and compute nodes ask to be told that"
            " it is meant."
        )  # fmt: skip
        settings["starrocks_cn_config"] = Setting(enough)
    return settings


def shared_machine_settings() -> dict[str, Setting]:
    """What hosts need that are containers of one machine."""
    settings = {
        "starrocks_kernel_apply": Setting(False, "Kernel and clock are the machine's, and not the hosts' to set."),
        "starrocks_manage_time": Setting(False),
    }
    if not re.search(r"^flags\s*:.*\bavx2\b", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE):
        why = "This machine has no AVX2, without which StarRocks' own releases do not start."
        settings["starrocks_preflight_skip"] = Setting(["cpu_avx2"], why)
    return settings


def inventory(layout: Layout, hosts: Hosts, release: Release, heading: str) -> str:
    """An inventory as a person would write it."""
    common = {
        "starrocks_cluster_name": Setting(layout.name),
        "starrocks_version": Setting(release.version),
        "starrocks_archive": Setting(str(release.archive)),
        "starrocks_priority_networks": Setting([hosts.network], "Exactly one address of each host is in it."),
        "starrocks_root_password": Setting(PASSWORD, "For hosts that others reach: one of your own, from a vault."),
        "starrocks_fe_heap_size": Setting("1g", "All hosts share the memory of one machine; the default is 8g."),
        **limit_settings(hosts.open_files),
        **shared_machine_settings(),
    }
    reach = [f"    {key}: {in_yaml(text)}" for key, text in hosts.connection.items()]
    lines = [f"# {heading}", "all:", "  vars:", *setting_lines(common, 4), "", "    # How Ansible reaches the hosts."]
    lines += [*reach, "  hosts:"]
    lines += [f"    {host}: {{ansible_host: {address}}}" for host, address in hosts.addresses.items()]
    for group, members in layout.groups.items():
        lines += ["", f"{group}:", "  hosts:", *(f"    {host}:" for host in members)]
        if group in layout.settings:
            lines += ["  vars:", *setting_lines(layout.settings[group], 4)]
    if "starrocks_broker" not in layout.groups:
        lines += ["", "# No group starrocks_broker: a broker runs beside each back end."]
    return "\n".join(lines) + "\n"


# -- playbooks --------------------------------------------------------------------------------------------------------


def journal_events(journal: Path) -> list[dict[str, Any]]:
    """What callback/task_journal.py has written so far."""
    text = journal.read_text(encoding="utf-8") if journal.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@dataclass(frozen=True)
class Played:
    """A playbook that ran without failure. events: see callback/task_journal.py."""

    seconds: float
    events: Sequence[Mapping[str, Any]]

    @property
    def changed(self) -> int:
        """How many task executions changed something, on all hosts together."""
        return sum(event.get("changed", False) for event in self.events)

    def executions(self, host: str) -> int:
        """How many task executions there were on a host; those that were skipped are none."""
        return sum(event["event"] == "ok" and event["host"] == host for event in self.events)

    def task_seconds(self) -> list[tuple[str, float]]:
        """Each task that any host ran, with its seconds from its start to the start of the next one."""
        starts = [index for index, event in enumerate(self.events) if event["event"] in ("task", "end")]
        return [
            (self.events[start]["task"], self.events[following]["time"] - self.events[start]["time"])
            for start, following in zip(starts, starts[1:])
            if self.events[start]["event"] == "task"
        ]


def play(playbook: str | Path, inventory_file: Path, name: str, *, show: bool = False, **variables: str) -> Played:
    """Run a playbook. Its log and its journal are beside the inventory: NAME.log, NAME.jsonl. Raises TrialError."""
    log = inventory_file.parent / f"{name}.log"
    journal = log.with_suffix(".jsonl")
    journal.unlink(missing_ok=True)
    started = time.time()

    def doing() -> tuple[str, float]:
        tasks = [event for event in journal_events(journal) if event["event"] == "task"]
        what, since = (tasks[-1]["task"], tasks[-1]["time"]) if tasks else (name, started)
        return what, time.time() - since

    seconds = watch(
        ["ansible-playbook", "--inventory", inventory_file, playbook],
        log,
        show=show,
        doing=doing,
        variables={
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).resolve().parent / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "task_journal",
            "STARROCKS_TASK_JOURNAL": str(journal),
            **variables,
        },
    )
    return Played(seconds, journal_events(journal))
