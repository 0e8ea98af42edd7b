# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage folders: what they can hold, and which cluster they belong to."""

import os
import zlib

GB = 1 << 30
# Figures of the recorded back ends: each folder has 200 GB of which 199 are free, and one byte of data.
TOTAL, AVAILABLE, DATA_USED = 200 * GB, 199 * GB, 1


class BrokenDisks(Exception):
    """No storage folder can be used."""


class ClusterMismatch(Exception):
    """The storage folders do not belong to one cluster."""


class Storage:
    """The folders of a node, with the cluster id and the token that they were claimed with (file cluster_id).

    A node that once joined a cluster refuses all others until its folders are emptied (starrocks.md section 1.7).
    """

    def __init__(self, paths, ignore_broken):
        self.media = {}
        for path, medium in paths:
            try:
                os.makedirs(os.path.join(path, "data"), exist_ok=True)
                self.media[path] = medium
            except OSError:
                if not ignore_broken:
                    raise BrokenDisks(f"open disk failed, path={path}") from None
        if paths and not self.media:
            raise BrokenDisks("All disks are broken, exit.")
        self.cluster_id, self.token = self._read()

    def _files(self):
        return [os.path.join(path, "cluster_id") for path in self.media]

    def _read(self):
        """(cluster id or None, token or "") that the folders hold."""
        claims = set()
        for file_name in self._files():
            if os.path.exists(file_name):
                with open(file_name, encoding="utf-8") as file:
                    claims.add(file.read().strip())
        if len(claims) > 1:
            raise ClusterMismatch("multiple cluster ids is not equal. " + ", ".join(sorted(claims)))
        for claim in claims:
            cluster_id, _, token = claim.partition("-")
            return int(cluster_id), token
        return None, ""

    def claim(self, cluster_id, token):
        """Belong to a cluster from now on."""
        self.cluster_id, self.token = cluster_id, token
        for file_name in self._files():
            with open(file_name + ".tmp", "w", encoding="utf-8") as file:
                file.write(f"{cluster_id}-{token}")
            os.replace(file_name + ".tmp", file_name)

    def disks(self, full):
        """The folders as a back end reports them, in bytes; "full" is the fault disk_full."""
        return [{
            "root_path": path, "path_hash": zlib.crc32(path.encode()) << 32 | len(path), "medium": medium,
            "total": TOTAL, "available": 0 if full else AVAILABLE, "data_used": TOTAL if full else DATA_USED,
            "state": "ONLINE" if os.path.isdir(path) else "OFFLINE",
        } for path, medium in self.media.items()]
