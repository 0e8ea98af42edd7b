# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of SHOW FRONTENDS, BACKENDS, COMPUTE NODES and BROKER by version (starrocks.md 1.2 to 1.5)."""

import itertools

import pytest
from fe_cluster import SIMULATOR  # noqa: F401  (puts the stand-in's modules on the path)
from standin.fe import show
from standin.version import Version

FRONTENDS = """Name IP EditLogPort HttpPort QueryPort RpcPort Role ClusterId Join Alive ReplayedJournalId LastHeartbeat
    IsHelper ErrMsg StartTime Version"""
BACKENDS = """BackendId IP HeartbeatPort BePort HttpPort BrpcPort LastStartTime LastHeartbeat Alive SystemDecommissioned
    ClusterDecommissioned TabletNum DataUsedCapacity AvailCapacity TotalCapacity UsedPct MaxDiskUsedPct ErrMsg Version
    Status DataTotalCapacity DataUsedPct CpuCores {memory} NumRunningQueries MemUsedPct CpuUsedPct {cache} {location}
    {status} {worker}"""
COMPUTE_NODES = """ComputeNodeId IP HeartbeatPort BePort HttpPort BrpcPort LastStartTime LastHeartbeat Alive
    SystemDecommissioned ClusterDecommissioned ErrMsg Version {cores} {memory} {load} {cache} {path} {status} {worker}
    {tablets}"""
BROKERS = "Name IP Port Alive LastStartTime LastUpdateTime ErrMsg"

# What came when, to stay: (since, {place: columns}); "worker" and "tablets" in shared-data alone.
BACKENDS_LATER = [
    ("3.0.0", {"worker": "StarletPort WorkerId"}), ("3.2.8", {"location": "Location"}),
    ("3.3.0", {"cache": "DataCacheMetrics", "worker": "StarletPort WorkerId WarehouseName"}),
    ("3.3.4", {"memory": "MemLimit"}), ("3.4.0", {"status": "StatusCode"}),
]
COMPUTE_NODES_LATER = [
    ("3.0.0", {"cores": "CpuCores", "load": "NumRunningQueries MemUsedPct CpuUsedPct"}),
    ("3.1.0", {"worker": "StarletPort WorkerId"}), ("3.1.1", {"path": "HasStoragePath"}),
    ("3.1.10", {"tablets": "TabletNum"}), ("3.2.0", {"tablets": ""}), ("3.2.5", {"tablets": "TabletNum"}),
    ("3.3.0", {"cache": "DataCacheMetrics", "worker": "StarletPort WorkerId WarehouseName"}),
    ("3.3.4", {"memory": "MemLimit"}), ("3.4.0", {"status": "StatusCode"}),
]
RELEASES = """2.5.0 2.5.22 3.0.0 3.0.9 3.1.0 3.1.1 3.1.9 3.1.10 3.1.17 3.2.0 3.2.5 3.2.7 3.2.8 3.2.16 3.3.0 3.3.3 3.3.4
    3.3.15 3.4.0 3.4.4 3.5.0 3.5.7 4.0.6 4.1.3 4.2.0""".split()


def wanted(version, kind, shared_data):
    """The columns of a kind of node as the tables above have them."""
    if kind == "frontends":
        return f"{'Id ' if version >= '3.5.0' else ''}{FRONTENDS}".split()
    if kind == "brokers":
        return BROKERS.split()
    text, later = (BACKENDS, BACKENDS_LATER) if kind == "backends" else (COMPUTE_NODES, COMPUTE_NODES_LATER)
    places = dict.fromkeys(("memory", "cache", "location", "status", "worker", "cores", "load", "path", "tablets"), "")
    for since, columns in later:
        if version >= since:
            places.update({place: names for place, names in columns.items()
                           if shared_data or place not in ("worker", "tablets")})
    return text.format(**places).split()


@pytest.mark.parametrize(("release", "kind", "shared_data"), list(itertools.product(
    RELEASES, ("frontends", "backends", "compute_nodes", "brokers"), (False, True))))
def test_columns(release, kind, shared_data):
    version = Version(release, "abcdef0")
    if version >= "3.0" or not shared_data:
        assert show.columns(version, kind, shared_data) == wanted(version, kind, shared_data)


@pytest.mark.parametrize(("release", "kind", "count"), [
    ("3.5.0", "frontends", 17), ("3.5.0", "backends", 30), ("3.5.0", "compute_nodes", 21), ("4.2.0", "brokers", 7)])
def test_as_many_as_recorded(release, kind, count):
    """Section 0.17."""
    assert len(show.columns(Version(release, "abcdef0"), kind, False)) == count
