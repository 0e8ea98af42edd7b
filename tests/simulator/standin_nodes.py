# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run single programs of an unpacked stand-in release, each with a home of its own.

The programs are started as the scripts would start them, but without the JVM that judges JAVA_OPTS.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

SIMULATOR = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"


class NodeError(Exception):
    """A node did not come up."""


def unpack(version, folder):
    """Build a release and unpack it without its top folder; returns the folder."""
    archive = subprocess.run([sys.executable, SIMULATOR / "build", "--version", version], check=True,
                             capture_output=True, text=True).stdout.strip()
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "--extract", "--gzip", f"--file={archive}", f"--directory={folder}",
                    "--strip-components=1"], check=True)
    return folder


def settings_text(settings):
    """The text of a properties file."""
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


class Node:
    """One process. "kind" is fe, be, cn or broker; a loopback address of its own tells nodes of one machine apart."""

    COMPONENT = {"fe": "fe", "be": "be", "cn": "be", "broker": "apache_hdfs_broker"}
    CONFIG = {"fe": "fe.conf", "be": "be.conf", "cn": "cn.conf", "broker": "apache_hdfs_broker.conf"}

    def __init__(self, release, kind, home, settings=None, faults=None):
        self.kind = kind
        self.release = pathlib.Path(release) / self.COMPONENT[kind]
        self.home = pathlib.Path(home)
        self.process = None
        (self.home / "log").mkdir(parents=True)
        (self.home / "run").mkdir()
        (self.home / "meta").mkdir()
        for name in ("bin", "lib"):
            (self.home / name).symlink_to(self.release / name)
        shutil.copytree(self.release / "conf", self.home / "conf")
        self.configure(settings or {})
        self.fault(faults or {})
        self.version_file = self.release / "lib" / "standin-version.json"

    def configure(self, settings):
        """Write the settings of the node, those of the shipped file replaced."""
        (self.home / "conf" / self.CONFIG[self.kind]).write_text(settings_text(settings), encoding="utf-8")

    def fault(self, faults):
        """Switch faults on, and all others off (read at the next start)."""
        (self.home / "conf" / "standin.conf").write_text(settings_text(faults), encoding="utf-8")

    def command(self):
        """The program and its arguments."""
        if self.kind in ("be", "cn"):
            return [PYTHON, str(self.home / "lib" / "starrocks_be"), *(["--cn"] if self.kind == "cn" else [])]
        program = {"fe": "com.starrocks.StarRocksFE", "broker": "com.starrocks.broker.hdfs.BrokerBootstrap"}[self.kind]
        return ["java", "-m", "standin.jvm", program]

    def start(self, *arguments):
        """Start the process; returns at once."""
        environment = dict(os.environ, STARROCKS_HOME=str(self.home), BROKER_HOME=str(self.home),
                           LOG_DIR=str(self.home / "log"), PID_DIR=str(self.home / "run"), TZ="UTC",
                           STANDIN_VERSION_FILE=str(self.version_file), PYTHONPATH=str(self.release / "lib/standin"))
        with open(self.home / "log" / "out", "ab") as out:
            self.process = subprocess.Popen([*self.command(), *arguments], executable=PYTHON, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        return self

    def stop(self, with_signal=signal.SIGKILL):
        """End the process and wait for it; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(30)

    def wait_for_url(self, url, seconds=30):
        """Wait until the URL answers. Raises NodeError with the output of the process."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return answer.read().decode()
            except OSError:
                time.sleep(0.05)
            if self.process.poll() is not None:
                break
        raise NodeError(f"{self.kind} in {self.home} does not answer at {url}: "
                        f"{(self.home / 'log' / 'out').read_text(encoding='utf-8')[-2000:]}")
