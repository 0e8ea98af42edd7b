# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""be.INFO, be.WARNING and so on, in glog's form: links to dated files."""

import os
import threading
import time

_LEVELS = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL"}


class Log:
    """Writes lines such as ``I1123 03:31:05.123456 4711 heartbeat_server.cpp:1] text``."""

    def __init__(self, directory, kind):
        os.makedirs(directory, exist_ok=True)
        self._directory = directory
        self._kind = kind
        self._start = time.strftime("%Y%m%d-%H%M%S")
        self._files = {}
        self._lock = threading.Lock()

    def _file(self, level):
        """The open file of a level; its first line makes the file and the link."""
        if level not in self._files:
            name = f"{self._kind}.{level}.log.{self._start}"
            self._files[level] = open(os.path.join(self._directory, name), "a", encoding="utf-8", buffering=1)
            link = os.path.join(self._directory, f"{self._kind}.{level}")
            if os.path.lexists(link):
                os.unlink(link)
            os.symlink(name, link)
        return self._files[level]

    def write(self, letter, where, text):
        """One line; a level's line is also in the files of the lower levels, as glog does it."""
        now = time.time()
        line = (f"{letter}{time.strftime('%m%d %H:%M:%S', time.localtime(now))}.{int(now % 1 * 1e6):06d} "
                f"{threading.get_native_id()} {where}] {text}\n")
        letters = list(_LEVELS)
        with self._lock:
            for lower in letters[: letters.index(letter) + 1]:
                self._file(_LEVELS[lower]).write(line)

    def info(self, where, text):
        self.write("I", where, text)

    def warning(self, where, text):
        self.write("W", where, text)

    def error(self, where, text):
        self.write("E", where, text)

    def fatal(self, where, text):
        self.write("F", where, text)
