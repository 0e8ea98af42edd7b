# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases changed under a client that queries through all front ends. The tests are the parts of one story."""

import io
import subprocess
import tarfile

import pytest
from shared.client import QueryClient
from shared.cluster import PROJECT, UNITS, wait_for

FOLLOWERS = ["u1", "u2", "u3"]
EVERYTHING = {"fe": [*FOLLOWERS, "u4"], "be": FOLLOWERS, "cn": ["u4"], "broker": FOLLOWERS}
SETTINGS = ("tablet_sched_max_scheduling_tablets", "tablet_sched_max_balancing_tablets",
            "tablet_sched_disable_balance", "tablet_sched_disable_colocate_balance")  # fmt: skip
KEPT = "cd / && find opt/starrocks/*/conf var/lib/starrocks/be/storage -type f | xargs -r sha256sum | sort -k2"


def release(version: str) -> dict[str, str]:
    """What a user changes in the inventory."""
    command = [str(PROJECT / "tests/simulator/build"), "--version", version]
    built = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return {"starrocks_version": version, "starrocks_archive": built}


def versions(cluster) -> dict[str, set[str]]:
    """Kind -> the releases that the leader sees."""
    return {kind: {row["Version"].partition("-")[0] for row in cluster.rows(kind).values()}
            for kind in ("fe", "be", "cn")}  # fmt: skip


def settings(cluster) -> list[dict[str, str]]:
    """The four settings of balancing on each front end."""
    return [{row["Key"]: row["Value"] for name in SETTINGS
             for row in cluster.ask(host, f"ADMIN SHOW FRONTEND CONFIG LIKE '{name}'")}
            for host in EVERYTHING["fe"]]  # fmt: skip


def begun(cluster) -> dict[tuple[str, str], float]:
    """(host, unit) -> when its process began, on the clock that all hosts share."""
    return {
        (name, unit): float(cluster.on(name).check_output(f"stat -c %Y.%y /proc/{pid} | cut -d. -f1,3 | cut -c1-16"))
        for (name, unit), pid in cluster.pids().items()
    }


@pytest.fixture(scope="module")
def before(cluster):
    """The cluster with settings of its own, which must be the same in the end."""
    cluster.wait_alive(**EVERYTHING)
    cluster.sql("CREATE DATABASE IF NOT EXISTS kept")
    cluster.sql('ADMIN SET FRONTEND CONFIG ("tablet_sched_max_balancing_tablets" = "321")')
    return {"ids": cluster.cluster_ids(), "settings": settings(cluster)}


def assert_whole(cluster, before, version):
    """All serve with this version, with data and settings as they were, and nobody works at the cluster."""
    cluster.wait_alive(**EVERYTHING)
    assert versions(cluster) == {"fe": {version}, "be": {version}, "cn": {version}}
    assert cluster.cluster_ids() == before["ids"] and {"Database": "kept"} in cluster.sql("SHOW DATABASES")
    assert settings(cluster) == before["settings"]
    for name in EVERYTHING["fe"]:
        assert not cluster.on(name).file("/var/lib/starrocks/operation.json").exists
    assert all(not row for row in cluster.sql("SHOW BACKEND BLACKLIST"))


def test_check_mode_prints_the_plan_and_touches_nothing(cluster, before):
    pids, files = cluster.pids(), {name: cluster.on(name).check_output(KEPT) for name in EVERYTHING["fe"]}
    played = cluster.play("upgrade", "--check", extra=release("3.5.0"))
    assert played.changed == 0 and cluster.pids() == pids
    assert {name: cluster.on(name).check_output(KEPT) for name in EVERYTHING["fe"]} == files
    assert "3.4.4" in played.words and "3.5.0" in played.words


def test_an_upgrade_fails_no_query(cluster, before):
    leader, pids = cluster.leader(), cluster.pids()
    with QueryClient(cluster) as client:
        cluster.play("upgrade", extra=release("3.5.0"))
    print(client)
    assert client.failed == [] and client.answered > 100
    assert_whole(cluster, before, "3.5.0")
    assert not set(pids.values()) & set(cluster.pids().values())
    when = begun(cluster)
    of = {kind: [when[name, UNITS[kind]] for name in names] for kind, names in EVERYTHING.items()}
    assert max(of["be"]) <= min(of["cn"]) <= min(of["fe"])
    assert when[leader, UNITS["fe"]] == max(of["fe"])


def test_the_release_before_is_kept(cluster):
    for name in FOLLOWERS:
        for path in ("fe/bin.bak-3.4.4", "fe/lib.bak-3.4.4", "fe/spark-dpp.bak-3.4.4", "be/lib.bak-3.4.4"):
            assert cluster.on(name).file(f"/opt/starrocks/{path}").is_directory, path


def test_the_same_again_changes_nothing(cluster, before):
    pids = cluster.pids()
    assert cluster.play("upgrade", extra=release("3.5.0")).changed == 0
    assert cluster.play("deploy", extra=release("3.5.0")).changed == 0
    assert cluster.pids() == pids


def test_an_upgrade_that_goes_down_is_refused(cluster):
    pids = cluster.pids()
    played = cluster.play("upgrade", extra=release("3.4.4"), status=None)
    assert "starrocks.cluster.downgrade" in played.words or "downgrade" in played.words
    assert played.changed == 0 and cluster.pids() == pids


def test_a_downgrade_goes_the_other_way_round(cluster, before):
    leader = cluster.leader()
    with QueryClient(cluster) as client:
        played = cluster.play("downgrade", extra={**release("3.4.10"), "starrocks_rolling_pause": 1})
    print(client)
    assert client.failed == []
    # The first follower, and the first back end.
    assert played.output.count("Pausing for 1 seconds") == 2
    assert "Alive: 4 of 4 front ends" in played.words
    assert_whole(cluster, before, "3.4.10")
    when = begun(cluster)
    of = {kind: [when[name, UNITS[kind]] for name in names] for kind, names in EVERYTHING.items()}
    assert max(of["fe"]) <= min(of["be"]) and when[leader, UNITS["fe"]] == max(of["fe"])


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A release whose front end ends as soon as it starts."""
    good = release("3.5.2")
    made = tmp_path_factory.mktemp("broken") / "StarRocks-3.5.2-ubuntu-amd64.tar.gz"
    with tarfile.open(good["starrocks_archive"]) as whole, tarfile.open(made, "w:gz", compresslevel=1) as changed:
        for member in whole:
            data = whole.extractfile(member).read() if member.isfile() else None
            if member.name.endswith("/fe/bin/start_fe.sh"):
                data = b"#!/bin/sh\necho it does not come up, by design\nexit 1\n"
                member.size = len(data)
            changed.addfile(member, None if data is None else io.BytesIO(data))
    return {**good, "starrocks_archive": str(made)}


def test_a_node_that_does_not_come_up_is_put_back_and_the_change_ends(cluster, before, broken):
    with QueryClient(cluster) as client:
        played = cluster.play("upgrade", extra=broken, status=None)
    print(client)
    assert client.failed == []
    assert "so it was put back on the release before" in played.words and "did not start" in played.words
    cluster.wait_alive(**EVERYTHING)
    assert versions(cluster) == {"fe": {"3.4.10"}, "be": {"3.5.2"}, "cn": {"3.5.2"}}
    assert settings(cluster) == before["settings"]


def test_a_half_done_upgrade_is_taken_back(cluster, before, broken):
    with QueryClient(cluster) as client:
        cluster.play("rollback", extra=broken)
    print(client)
    assert client.failed == []
    assert_whole(cluster, before, "3.4.10")
    assert cluster.play("deploy", "--diff", extra=release("3.4.10")).changed == 0


@pytest.mark.parametrize("task", ["Have folders, files and unit of starrocks-be", "Wait for versions",
                                  "Have folders, files and unit of starrocks-fe"])  # fmt: skip
def test_a_run_that_was_killed_goes_on(cluster, before, task):
    with QueryClient(cluster) as client:
        playing = cluster.start("upgrade", extra=release("3.5.0"))
        playing.until(f"TASK [starrocks.cluster.common : {task}")
        playing.kill()
        if task.startswith("Wait"):
            # No front end is restarted, which would forget its blacklist.
            wait_for(lambda: "3.5.0" in versions(cluster)["be"], 60, "a back end with the new version")
            cluster.play("upgrade", extra={**release("3.5.0"), "starrocks_rolling_kinds": ["be"]})
            assert not any(cluster.ask(host, "SHOW BACKEND BLACKLIST") for host in EVERYTHING["fe"])
        if task.endswith("fe"):
            cluster.play("upgrade", extra=release("3.5.0"))
            assert_whole(cluster, before, "3.5.0")
    print(client)
    assert client.failed == []
