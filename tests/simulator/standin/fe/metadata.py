# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front end keeps on disk below meta_dir (section 4.3).

``image/ROLE`` and ``image/VERSION`` are Java properties files; ``image/image.<N>`` is a checkpoint, from 3.3 on
``image/v2/image.<N>`` with its checksum, 3.3 and 3.4 having both; in shared-data there is ``image/starmgr/image.<N>``
too. ``bdb/journal.json`` stands in for the Berkeley DB: the newest entry of the journal.
"""

import json
import os
import re
import time
import zlib

from standin.fe.state import all_brokers
from standin.properties import properties
from standin.version import Version


def write_file(path, content):
    """Replace a file so that a crash leaves the old or the new one, and never a part."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def properties_text(values):
    """As java.util.Properties.store writes it, with its first line of the time."""
    lines = [time.strftime("#%a %b %d %H:%M:%S %Z %Y")]
    return "\n".join(lines + [f"{key}={values[key]}" for key in sorted(values)]) + "\n"


def unreadable(version, entry):
    """Why a front end of this version can not load this journal; None if it can (section 0.21, 7.5).

    Recorded: metadata with partitions that 4.1 has written ends the start of 4.0.0 and 3.5.7. Back from 4.1 the notes
    of the releases want 4.0.6 at least.
    """
    state = entry["state"]
    tables = state and any(database["tables"] for database in state["databases"].values())
    if tables and version < "4.0.6" and Version(entry.get("written_by", "0.0"), "") >= "4.1":
        return "java.lang.NullPointerException: null at com.starrocks.catalog.Partition.gsonPostProcess"
    return None


def after_restart(version, state):
    """What of the state is not in the journal, and gone with the process (transcript cluster/30)."""
    for node in (*state["frontends"], *state["backends"], *state["compute_nodes"], *all_brokers(state)):
        node["failures"] = 0
    for node in state["backends"]:
        node["report_time"] = 0
        if version >= "4.1":
            node["disks"] = []
    for broker in all_brokers(state) if version >= "4.1" else ():
        broker["last_update"] = 0


class Metadata:
    """The files of one meta_dir."""

    def __init__(self, meta_dir, version):
        self.directory = meta_dir
        self.image_dir = os.path.join(meta_dir, "image")
        self.bdb_dir = os.path.join(meta_dir, "bdb")
        self.journal_path = os.path.join(self.bdb_dir, "journal.json")
        self._folders = [self.image_dir] if version < "3.5" else []
        if version >= "3.3":
            self._folders.append(os.path.join(self.image_dir, "v2"))

    def create(self):
        for folder in (*self._folders, self.bdb_dir):
            os.makedirs(folder, exist_ok=True)

    def _image_dirs(self, subdir):
        """The folders that an image is written to; subdir: "" or "/starmgr"."""
        return [self.image_dir + subdir] if subdir else self._folders

    def read(self, name):
        """ROLE or VERSION as a dictionary, None if the file is not there."""
        path = os.path.join(self.image_dir, name)
        return properties(path) if os.path.exists(path) else None

    def read_text(self, name):
        with open(os.path.join(self.image_dir, name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, values):
        write_file(os.path.join(self.image_dir, name), properties_text(values))

    def load_journal(self):
        if not os.path.exists(self.journal_path):
            return None
        with open(self.journal_path, encoding="utf-8") as file:
            return json.load(file)

    def save_journal(self, entry):
        write_file(self.journal_path, json.dumps(entry))

    def newest_image(self, subdir=""):
        """(journal id, time in ms) of the newest image; (0, 0) without one."""
        found = []
        for folder in self._readable(subdir):
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                match = re.fullmatch(r"image\.(\d+)", name)
                if match:
                    found.append((int(match.group(1)), os.path.getmtime(os.path.join(folder, name))))
        number, modified = max(found, default=(0, 0))
        return number, int(modified * 1000)

    def _readable(self, subdir):
        """Where an image may be: also in the form of an earlier version."""
        return self._image_dirs(subdir) if subdir else dict.fromkeys([*self._folders, self.image_dir])

    def read_image(self, number, subdir=""):
        """The text of an image. Raises FileNotFoundError."""
        paths = [os.path.join(folder, f"image.{number}") for folder in self._readable(subdir)]
        with open(next(filter(os.path.exists, paths), paths[0]), encoding="utf-8") as file:
            return file.read()

    def write_image(self, number, content, subdir=""):
        """Keep this image alone, as the real one does after a checkpoint."""
        for folder in self._image_dirs(subdir):
            os.makedirs(folder, exist_ok=True)
            write_file(os.path.join(folder, f"image.{number}"), content)
            if folder.endswith("/v2"):
                write_file(os.path.join(folder, f"checksum.{number}"), str(zlib.crc32(content.encode())))
            for name in os.listdir(folder):
                match = re.fullmatch(r"(?:image|checksum)\.(\d+)", name)
                if match and int(match.group(1)) < number:
                    os.remove(os.path.join(folder, name))
