# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster comes of it, wherever a deploy is killed, and whatever is done to hosts that have not joined.

Each killed run goes on from what the one before it left behind. The tests are the parts of one story, in this order.
"""

import re
import time

import pytest
from shared.cluster import UNITS

HOSTS = ["r1", "r2", "r3"]
EVERYTHING = dict.fromkeys(("fe", "be", "broker"), HOSTS)

# What the output must hold before the kill, and the seconds from then. Each point is later than the one before.
KILLED = {
    "while the release is installed": ("Install the release of starrocks-be] ***", 0.5),
    "before anything is started": ("Ask the front ends for their cluster] ***", 0),
    "after the start of the first front end": ("Start and see it listen, starrocks-fe] ***", 0.3),
    "between registration and start of a follower": ("changed: [r2 -> r1(", 0),
    "between two followers": ("From now on it starts without a helper] ***", 0),
    "during the first start of a follower": ("changed: [r3 -> r1(", 1),
    "while the back ends are registered": ("Register the back ends of this run, and wait for them] ***", 0.3),
}


def clusters(cluster) -> set[str]:
    """The cluster ids of all metadata on all hosts, dead or alive, joined or not, moved aside or not."""
    texts = (
        cluster.on(name).run("find /var/lib/starrocks -path '*image/VERSION' -exec cat {} +").stdout for name in HOSTS
    )
    return {number for text in texts for number in re.findall(r"clusterId=(\d+)", text)}


def frontends_running(cluster) -> set[str]:
    return {name for name, unit in cluster.pids() if unit == UNITS["fe"]}


def test_a_new_cluster_does_not_begin_with_a_part_of_the_hosts(cluster):
    before = cluster.files("r2")
    played = cluster.play("deploy", "--limit", "r2", status=None)
    assert "r1, r3 are not part of this run" in played.words and "without --limit" in played.words
    assert frontends_running(cluster) == set() and clusters(cluster) == set()
    assert cluster.files("r1").keys() & {"/opt/starrocks", "/var/lib/starrocks"} == set()
    assert "/var/lib/starrocks" not in before


@pytest.mark.parametrize("point", KILLED)
def test_killed(cluster, point):
    text, seconds = KILLED[point]
    playing = cluster.start("deploy")
    playing.until(text)
    time.sleep(seconds)
    playing.kill()
    assert len(clusters(cluster)) < 2
    if point == "before anything is started":
        neither_a_hand_nor_a_reboot_founds_a_cluster(cluster)


def neither_a_hand_nor_a_reboot_founds_a_cluster(cluster):
    """The unit of a front end that has not joined starts nothing."""
    assert cluster.on("r3").file(f"/etc/systemd/system/{UNITS['fe']}.service").exists
    cluster.on("r3").run(f"systemctl start {UNITS['fe']}")
    cluster.machine("reboot", "r2")
    time.sleep(2)
    assert frontends_running(cluster) == set()
    assert clusters(cluster) == set()


def test_the_last_run_completes_it(cluster):
    cluster.play("deploy")
    cluster.wait_alive(**EVERYTHING)
    assert len(clusters(cluster)) == 1 and clusters(cluster) == cluster.cluster_ids()
    assert set(cluster.rows("fe")) == set(cluster.rows("be")) == set(HOSTS)
    for name in HOSTS:
        assert cluster.ask(name, "SELECT 1")
        assert not cluster.on(name).file("/var/lib/starrocks/fe/first_start.env").exists
        assert all(state["UnitFileState"] == "enabled" for state in cluster.units(name).values())


def test_there_is_nothing_left_to_do(cluster):
    pids = cluster.pids()
    assert cluster.play("deploy").changed == 0
    assert cluster.pids() == pids


def test_all_of_it_survives_a_reboot(cluster):
    ids = cluster.cluster_ids()
    cluster.machine("reboot")
    cluster.wait_alive(seconds=90, **EVERYTHING)
    assert clusters(cluster) == ids
