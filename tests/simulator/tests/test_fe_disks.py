# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of back ends as the front end shows them, and the repair and drain of tablets while it goes on."""

import shutil

import pytest
from fe_cluster import NETWORK, FrontEndProcess, wait_for
from standin_nodes import Node as Process
from standin_nodes import unpack
from thrift_double import Node

# A double that goes down closes the socket that its thread waits on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def front_end(tmp_path):
    one = FrontEndProcess(tmp_path / "fe", f"{NETWORK}.79.1", settings={"statistic_manager_sleep_time_sec": "600"})
    yield one.start()
    one.kill()


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return unpack("3.5.0", tmp_path_factory.mktemp("release"))


@pytest.fixture
def back_ends(front_end, release, tmp_path):
    """Two processes with two storage folders each, known to the front end."""
    made = []
    for number in (11, 12):
        address, home = f"{NETWORK}.79.{number}", tmp_path / f"be{number}"
        paths = f"{home}/fast,medium:SSD;{home}/slow"
        made.append(Process(release, "be", home, {
            "priority_networks": f"{address}/32", "min_file_descriptor_number": "256", "mem_limit": "8G",
            "storage_root_path": paths}).start())
        made[-1].address = address
        made[-1].wait_for_url(f"http://{address}:8040/api/health")
        front_end.query(f'ALTER SYSTEM ADD BACKEND "{address}:9050"')
    wait_for(lambda: [row["TotalCapacity"] for row in front_end.query("SHOW BACKENDS")] == ["400.000 GB"] * 2, "disks")
    yield made
    for one in made:
        one.stop()


def row_of(front_end, back_end):
    return next(row for row in front_end.query("SHOW BACKENDS") if row["IP"] == back_end.address)


def disks_of(front_end, back_end):
    return front_end.query(f"SHOW PROC '/backends/{row_of(front_end, back_end)['BackendId']}'")


def test_disks_and_one_that_is_lost(front_end, back_ends):
    first, _second = back_ends
    fast, slow = disks_of(front_end, first)
    assert (fast["RootPath"], slow["RootPath"]) == (f"{first.home}/fast", f"{first.home}/slow")
    assert (fast["StorageMedium"], slow["StorageMedium"]) == ("SSD", "HDD")
    assert (fast["TotalCapacity"], fast["AvailCapacity"], fast["State"]) == ("200.000 GB", "199.000 GB", "ONLINE")
    shutil.rmtree(first.home / "slow")
    wait_for(lambda: [disk["State"] for disk in disks_of(front_end, first)] == ["ONLINE", "OFFLINE"], "a lost disk")
    assert front_end.refusal("SHOW PROC '/backends/1'")[1] == "Backend[1] does not exist."
    assert front_end.refusal("SHOW PROC '/backends/x'")[1] == "Invalid backend id format: x"


def test_full_disks_take_no_tablets(front_end, back_ends):
    first, second = back_ends
    second.fault({"disk_full": "true"})
    full = wait_for(lambda: row_of(front_end, second)["MaxDiskUsedPct"] == "100.00 %" and row_of(front_end, second),
                    "full disks")
    assert (full["UsedPct"], full["AvailCapacity"], full["Alive"]) == ("100.00 %", "1.000 B", "true")
    assert front_end.refusal(f'ALTER SYSTEM DECOMMISSION BACKEND "{first.address}:9050"') == (
        1064, "It will cause insufficient disk space if these BEs are decommissioned.")
    second.fault({})
    wait_for(lambda: row_of(front_end, second)["MaxDiskUsedPct"] == "0.50 %", "room again")
    front_end.query(f'ALTER SYSTEM DECOMMISSION BACKEND "{first.address}:9050"')
    wait_for(lambda: [row["IP"] for row in front_end.query("SHOW BACKENDS")] == [second.address], "it is drained")


def balance(front_end):
    return {row["Item"]: int(row["Number"]) for row in front_end.query("SHOW PROC '/cluster_balance'")}


def unhealthy(front_end):
    return int(front_end.query("SHOW PROC '/statistic'")[-1]["UnhealthyTabletNum"])


def test_drain_is_seen_as_it_goes_and_needs_the_scheduler(front_end):
    """With tablet_sched_max_scheduling_tablets = 0, as before an upgrade, nothing moves (section 7.3)."""
    nodes = [Node(f"{NETWORK}.79.{number}").up() for number in (21, 22)]
    front_end.query("ALTER SYSTEM ADD BACKEND " + ", ".join(f'"{node.member}"' for node in nodes))
    wait_for(lambda: all(row["TotalCapacity"] == "200.000 GB" for row in front_end.query("SHOW BACKENDS")), "disks")
    front_end.query("CREATE DATABASE d")
    front_end.query("CREATE TABLE d.t (k INT) DISTRIBUTED BY HASH(k) BUCKETS 200 PROPERTIES ('replication_num'='1')")
    front_end.query("ADMIN SET FRONTEND CONFIG ('tablet_sched_max_scheduling_tablets' = '0')")
    front_end.query(f'ALTER SYSTEM DECOMMISSION BACKEND "{nodes[0].member}"')
    assert unhealthy(front_end) == 100
    with pytest.raises(AssertionError):
        wait_for(lambda: unhealthy(front_end) < 100, "no drain without the scheduler", 3)
    assert balance(front_end)["all_tablets"] == 0
    front_end.query("ADMIN SET FRONTEND CONFIG ('tablet_sched_max_scheduling_tablets' = '10000')")
    seen = []

    def drained():
        numbers = balance(front_end)
        assert numbers["all_tablets"] == numbers["pending_tablets"] + numbers["running_tablets"]
        seen.append(numbers["all_tablets"])
        return len(front_end.query("SHOW BACKENDS")) == 1
    wait_for(drained, "the drained one gone", 30)
    assert unhealthy(front_end) == 0
    assert len(set(seen)) >= 3 and seen == sorted(seen, reverse=True), f"it goes step by step: {seen}"
    for node in nodes:
        node.down()
