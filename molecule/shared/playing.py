# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks as a user runs them: started, watched, killed, and what came of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RECAP_LINE = re.compile(r"^(?P<host>\S+)\s+: (?P<counts>ok=\d+.*)$", re.MULTILINE)
TAIL_LINES = 60
LONGEST_SECONDS = 300


@dataclass(frozen=True)
class Played:
    """A run that has ended. recap: host -> {ok, changed, unreachable, failed, skipped, rescued, ignored}."""

    status: int
    output: str
    seconds: float
    recap: dict[str, dict[str, int]]

    @property
    def changed(self) -> int:
        """How many tasks changed something, on all hosts together."""
        return sum(counts["changed"] for counts in self.recap.values())

    @property
    def words(self) -> str:
        """The output with all white space as single blanks, since Ansible wraps what it prints."""
        return " ".join(self.output.split())

    def tail(self) -> str:
        return "\n".join(self.output.splitlines()[-TAIL_LINES:])


def parse_recap(output: str) -> dict[str, dict[str, int]]:
    """Return the PLAY RECAP of a run; empty for one that did not come that far."""
    _, _, recap = output.rpartition("PLAY RECAP")
    return {
        match["host"]: {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", match["counts"])}
        for match in RECAP_LINE.finditer(recap)
    }


class Playing:
    """An ansible-playbook that runs, with its output in a file."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        self.started = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # A process group of its own, so that it can be killed with all its workers.
            self.process = subprocess.Popen(
                command,
                # Forced colour, which molecule asks for on a terminal, would win over none.
                env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, text: str, seconds: float = 120) -> None:
        """Wait until the run has printed this, the name of a task for example."""
        end = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None, f"the run ended before {text!r}:\n{self.output[-4000:]}"
            assert time.monotonic() < end, f"no {text!r} within {seconds} s:\n{self.output[-4000:]}"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL for ansible-playbook and all its processes: nothing of it can clean up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def finish(self, seconds: float = LONGEST_SECONDS) -> Played:
        """Wait for its end."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end after {seconds} s:\n{self.output[-4000:]}") from None
        return Played(self.process.returncode, self.output, time.monotonic() - self.started, parse_recap(self.output))
