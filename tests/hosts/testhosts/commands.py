# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs, saying what is done, file locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TypeVar

QUIET_SECONDS = 10  # a person sees a sign of life at least this often

Answer = TypeVar("Answer")


class HostsError(Exception):
    """What went wrong and what to do about it, in words for the person at the terminal."""


def say(text: str) -> None:
    """One line of progress. On stderr, so that stdout holds answers alone."""
    print(f"hosts: {text}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    check: bool = True,
    stdin: str | None = None,
    env: dict[str, str] | None = None,
    timeout: float = 300,
    called: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end with its output captured.

    Raises HostsError with the program's own words when it fails (unless check is false) or takes too long; called is
    how it names the command, where the whole line would hide what matters.
    """
    words = [str(word) for word in command]
    called = called or " ".join(words)
    try:
        done = subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            env=None if env is None else {**os.environ, **env},
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise HostsError(f"{words[0]} is not installed. Run: tests/hosts/hosts setup") from error
    except subprocess.TimeoutExpired as error:
        raise HostsError(f"{called}: no end after {timeout:.0f} s") from error
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "(it said nothing)").splitlines()[-15:]
        raise HostsError(f"{called}: exit status {done.returncode}\n  " + "\n  ".join(said))
    return done


def _try_lock(file: IO[str]) -> bool:
    """Whether the file is locked by us now, also when it was already."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def lock(path: Path, waiting_for: str) -> Iterator[None]:
    """Hold an exclusive lock on a file. The kernel frees it when the process ends, however that happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Close on exec (Python's default): a container that is started must not inherit and keep the lock.
    with open(path, "a", encoding="utf-8") as file:
        start = time.monotonic()
        while not _try_lock(file):
            say(f"waiting for another run of this tool ({waiting_for}), {time.monotonic() - start:.0f} s")
            until(lambda: _try_lock(file), QUIET_SECONDS, pause=0.1)
        yield


def write_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file in one step: readers see the old text or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def until(condition: Callable[[], Answer], seconds: float, pause: float = 0.05) -> Answer | None:
    """Call condition until it answers something true, and return that; None when the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= end:
            return None
        time.sleep(pause)
