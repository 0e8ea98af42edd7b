# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fe.log, fe.warn.log and fe.out, in the form that the real ones have."""

import os
import sys
import threading
import time


def stamp(now=None):
    """``2026-11-23 03:26:27``"""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))


class Log:
    """Writes lines such as ``2026-11-23 03:26:12.745Z INFO (main|1) [StarRocksFE.start():1] text``."""

    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        self._lock = threading.Lock()
        self._all = open(os.path.join(directory, "fe.log"), "a", encoding="utf-8", buffering=1)
        self._warnings = open(os.path.join(directory, "fe.warn.log"), "a", encoding="utf-8", buffering=1)
        self._audit = open(os.path.join(directory, "fe.audit.log"), "a", encoding="utf-8", buffering=1)

    def _write(self, level, where, text):
        now = time.time()
        thread = threading.current_thread()
        line = (f"{stamp(now)}.{int(now % 1 * 1000):03d}Z {level} ({thread.name}|{thread.native_id}) "
                f"[{where}] {text}\n")
        with self._lock:
            self._all.write(line)
            if level != "INFO":
                self._warnings.write(line)

    def info(self, where, text):
        self._write("INFO", where, text)

    def warn(self, where, text):
        self._write("WARN", where, text)

    def error(self, where, text):
        self._write("ERROR", where, text)

    def audit(self, user, statement):
        """One statement of a client, without anything that may be a password."""
        with self._lock:
            self._audit.write(f"{stamp()} [query] |User={user}|Stmt={statement}\n")

    @staticmethod
    def out(text):
        """A line for fe.out, where start_fe.sh sends the standard output."""
        sys.stdout.write(f"[{stamp()}] {text}\n")
        sys.stdout.flush()
