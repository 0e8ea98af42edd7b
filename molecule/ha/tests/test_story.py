# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a highly available cluster lives through. The tests are the parts of one story, in this order."""

import pytest
from shared.cluster import wait_for

FOLLOWERS = ["h1", "h2", "h3"]
EVERYTHING = {"fe": [*FOLLOWERS, "h4"], "be": FOLLOWERS, "cn": ["h4"], "broker": FOLLOWERS}
GROWN = {"fe": [*FOLLOWERS, "h4"], "be": [*FOLLOWERS, "h5"], "cn": ["h4", "h6"], "broker": [*FOLLOWERS, "h5"]}


def test_everything_is_alive_in_its_role(cluster):
    cluster.wait_alive(**EVERYTHING)
    roles = {name: row["Role"] for name, row in cluster.rows("fe").items()}
    assert sorted(roles[name] for name in FOLLOWERS) == ["FOLLOWER", "FOLLOWER", "LEADER"]
    assert roles["h4"] == "OBSERVER"
    assert len(cluster.cluster_ids()) == 1


@pytest.mark.parametrize("name", EVERYTHING["fe"])
def test_every_front_end_serves_and_needs_its_helper_no_more(cluster, name):
    assert cluster.ask(name, "SELECT 1")
    host = cluster.on(name)
    assert host.file("/var/lib/starrocks/fe/meta/image/ROLE").exists
    assert not host.file("/var/lib/starrocks/fe/first_start.env").exists


def test_the_leader_is_killed_and_comes_back(cluster):
    cluster.sql("CREATE DATABASE kept")
    old, pids = cluster.leader(), cluster.pids()
    killed = cluster.rows("fe")[old]
    cluster.on(old).check_output(f"kill -9 {pids[old, 'starrocks-fe']}")
    wait_for(lambda: cluster.leader() not in (None, old), 30, "another leader")
    wait_for(lambda: cluster.rows("fe")[old]["StartTime"] not in (None, "NULL", killed["StartTime"]), 60,
             f"the front end on {old} with a new StartTime")  # fmt: skip
    cluster.wait_alive(**EVERYTHING)
    after = cluster.pids()
    assert {node for node in pids if pids[node] != after.get(node)} == {(old, "starrocks-fe")}
    assert {"Database": "kept"} in cluster.ask(old, "SHOW DATABASES")


def test_deploy_has_nothing_to_do_then(cluster):
    pids = cluster.pids()
    assert cluster.play("deploy").changed == 0
    assert cluster.pids() == pids


def test_all_hosts_are_rebooted_at_once_and_all_is_back(cluster):
    ids, pids = cluster.cluster_ids(), cluster.pids()
    cluster.machine("reboot")
    cluster.wait_alive(seconds=90, **EVERYTHING)
    assert cluster.pids().keys() == pids.keys()
    assert cluster.leader() in FOLLOWERS
    assert cluster.cluster_ids() == ids
    assert {"Database": "kept"} in cluster.sql("SHOW DATABASES")


def test_new_hosts_join_and_nothing_else_restarts(cluster):
    pids = cluster.pids()
    cluster.extend("{starrocks_be: {hosts: {h5: }}, starrocks_cn: {hosts: {h6: }}}")
    cluster.play("deploy")
    cluster.wait_alive(**GROWN)
    after = cluster.pids()
    assert pids.items() <= after.items()
    assert after.keys() - pids.keys() == {("h5", "starrocks-be"), ("h5", "starrocks-broker"), ("h6", "starrocks-cn")}


def test_the_power_of_a_host_is_cut(cluster):
    """The others go on; status says what is missing; deploy refuses to do half; and the host comes back by itself.

    It is the first front end's host, so that nothing may count on that one.
    """
    victim = "h1"
    pids = cluster.pids(name for name in cluster.hosts if name != victim)
    cluster.machine("kill", victim)
    for kind in ("fe", "be", "broker"):
        wait_for(lambda kind=kind: victim not in cluster.alive(kind), 30, f"{kind} on {victim} seen as dead")
    cluster.sql("CREATE DATABASE made_meanwhile")

    table = cluster.play("status", status=None).words
    assert "Alive: 3 of 4 front ends, 3 of 4 back ends, 2 of 2 compute nodes, 3 of 4 brokers." in table
    refused = cluster.play("deploy", status=None)
    assert refused.changed == 0

    cluster.machine("start", victim)
    cluster.wait_alive(seconds=90, **GROWN)
    assert {"Database": "made_meanwhile"} in cluster.ask(victim, "SHOW DATABASES")
    assert pids.items() <= cluster.pids().items()


def test_the_majority_is_not_stopped(cluster):
    pids = cluster.pids()
    played = cluster.play("stop", "--limit", "h1,h2", status=None)
    assert "1 of 3 followers" in played.words and "majority" in played.words
    assert cluster.pids() == pids


def test_one_follower_is_stopped_and_started(cluster):
    name = next(name for name in FOLLOWERS if name != cluster.leader())
    pids = cluster.pids()
    cluster.play("stop", "--limit", name, "--tags", "fe")
    assert pids.keys() - cluster.pids().keys() == {(name, "starrocks-fe")}
    cluster.play("start", "--limit", name)
    cluster.wait_alive(**GROWN)
    after = cluster.pids()
    assert {node for node in pids if pids[node] != after.get(node)} == {(name, "starrocks-fe")}


def test_everything_is_stopped_and_started(cluster):
    ids = cluster.cluster_ids()
    cluster.play("stop")
    assert cluster.pids() == {}
    cluster.play("start")
    cluster.wait_alive(**GROWN)
    assert cluster.cluster_ids() == ids
