# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Front ends: joining, evidence after a restart, a change of leader, a lost majority. Each goes on from the last."""

import threading
import time

import pytest
from conftest import address

FIRST, SECOND, THIRD, FOURTH = (address(number) for number in (11, 12, 13, 14))
ALL = [FIRST, SECOND, THIRD]


@pytest.fixture(scope="module")
def front_ends(cluster):
    """host -> Node, the first of them started."""
    made = {node.host: node for node in cluster.nodes}
    made.update({address(number): cluster.node("fe", number) for number in (12, 13, 14)})
    return made


def members(cluster, host=None):
    return sorted((row["IP"], row["Role"].replace("LEADER", "FOLLOWER"))
                  for row in cluster.ask("SHOW PROC '/frontends'", host))


def leader(cluster, login_hosts=ALL):
    return cluster.succeed("starrocks_cluster_info", login_hosts=login_hosts, subset=["frontends"])["leader"]["host"]


@pytest.mark.parametrize("host, role", [(SECOND, "follower"), (THIRD, "follower"), (FOURTH, "observer")],
                         ids=["second", "third", "fourth"])  # addresses differ from one worker to the next
def test_join(cluster, front_ends, host, role):
    cluster.by_law("starrocks_frontend", lambda: members(cluster),
                   [f'ALTER SYSTEM ADD {role.upper()} "{host}:9010"'], host=host, role=role, wait=False)
    late = cluster.run("starrocks_frontend", host=host, role=role, wait_timeout=2)
    assert late["failed"] and "has not joined" in late["msg"] and late["frontend"]["alive"] is False
    front_ends[host].start("--helper", f"{FIRST}:9010")
    joined = cluster.succeed("starrocks_frontend", host=host, role=role, wait_timeout=60)
    assert not joined["changed"]
    assert joined["frontend"]["join"] and joined["frontend"]["alive"] and joined["frontend"]["start_time"]


def test_what_cannot_be_changed_is_refused(cluster):
    before = members(cluster)
    for arguments, words in (
            (dict(host=SECOND, role="observer"), "registered as follower, not observer"),
            (dict(host=FOURTH, role="follower"), "registered as observer, not follower"),
            (dict(host=SECOND, edit_log_port=9011), "registered with edit_log_port 9010, not 9011"),
            (dict(host=FIRST, state="absent"), "leads the cluster")):
        refused = cluster.run("starrocks_frontend", **arguments)
        assert refused["failed"] and words in refused["msg"] and refused["queries"] == []
    assert members(cluster) == before


def test_any_front_end_may_be_asked(cluster):
    nodes = [{"host": address(21), "broker_ipc_port": 8000}]
    for host in (SECOND, FOURTH):
        done = cluster.succeed("starrocks_broker", login_hosts=[host], name="b", nodes=nodes, wait=False)
        assert done["changed"]
        assert not cluster.succeed("starrocks_broker", login_hosts=[host], name="b", nodes=nodes, wait=False)["changed"]
        cluster.succeed("starrocks_broker", login_hosts=[host], name="b", state="absent")
        info = cluster.succeed("starrocks_cluster_info", login_hosts=[host])
        assert info["brokers"] == [] and info["answered_by"] == f"{FIRST}:9030"


def test_a_blacklist_is_kept_by_every_front_end(cluster, front_ends):
    everywhere = [*ALL, FOURTH]
    host = address(41)
    cluster.succeed("starrocks_backend", nodes=[{"host": host}], wait=False)
    number = cluster.ask("SHOW BACKENDS")[0]["BackendId"]
    add, delete = f"ADD BACKEND BLACKLIST {number}", f"DELETE BACKEND BLACKLIST {number}"
    wish = dict(nodes=[{"host": host}], blacklisted=True, wait=False)

    def look():
        return [[(row["BackendId"], row["AddBlackListType"])
                 for row in cluster.ask("SHOW BACKEND BLACKLIST", front_end)] for front_end in everywhere]

    done = cluster.by_law("starrocks_backend", look, [add] * 4, **wish)
    assert [report["frontend"] for report in done["blacklists"]] == [f"{front_end}:9030" for front_end in everywhere]
    assert look() == [[(number, "MANUAL")]] * 4
    cluster.ask(delete, SECOND)
    assert cluster.succeed("starrocks_backend", **wish)["queries"] == [add]
    cluster.by_law("starrocks_backend", look, [delete] * 4, **dict(wish, blacklisted=False))
    before = cluster.succeed("starrocks_frontend", host=FOURTH, role="observer")["frontend"]
    front_ends[FOURTH].stop()  # and is still shown alive
    failed = cluster.run("starrocks_backend", **wish)
    assert failed["failed"] and failed["changed"] and failed["queries"] == [add] * 3
    assert f"not as wished at every living front end: {FOURTH}:9030" in failed["msg"]
    assert [report["error"] is None for report in failed["blacklists"]] == [True, True, True, False]
    cluster.succeed("starrocks_backend", nodes=[{"host": host}], state="absent")
    front_ends[FOURTH].start()
    cluster.succeed("starrocks_frontend", host=FOURTH, role="observer", wait_timeout=60,
                    previous_start_time=before["start_time"])


def test_a_ghost_is_not_believed(cluster, front_ends):
    before = cluster.succeed("starrocks_frontend", host=FOURTH, role="observer")["frontend"]
    front_ends[FOURTH].stop()
    shown = [row for row in cluster.ask("SHOW FRONTENDS") if row["IP"] == FOURTH][0]
    assert shown["Alive"] == "true"  # of the process that is dead
    ghost = cluster.run("starrocks_frontend", host=FOURTH, role="observer", wait_timeout=1)
    assert ghost["failed"] and "nothing answers at its query port" in ghost["msg"]
    front_ends[FOURTH].start()
    back = cluster.succeed("starrocks_frontend", host=FOURTH, role="observer", wait_timeout=60,
                           previous_start_time=before["start_time"])["frontend"]
    assert back["start_time"] > before["start_time"]


def test_an_observer_leaves(cluster, front_ends):
    gone = cluster.by_law("starrocks_frontend", lambda: members(cluster),
                          [f'ALTER SYSTEM DROP OBSERVER "{FOURTH}:9010"'], host=FOURTH, role="observer", state="absent")
    assert gone["frontend"] is None and "move its meta_dir aside" in str(gone["warnings"])
    assert gone["still_listening"] == f"{FOURTH}:9030"
    front_ends[FOURTH].stop()


def test_a_follower_that_died_just_now_counts_in_no_majority(cluster, front_ends):
    front_ends[THIRD].stop()
    shown = [row for row in cluster.ask("SHOW FRONTENDS") if row["IP"] == THIRD][0]
    assert shown["Alive"] == "true"
    for check in (True, False):
        refused = cluster.run("starrocks_frontend", check, host=SECOND, state="absent")
        assert refused["failed"] and refused["queries"] == []
        assert "only 1 of 2 followers would be alive" in refused["msg"]
        assert f"{THIRD}:9010 is shown alive, but nothing answers from here at its query port 9030" in refused["msg"]
    front_ends[THIRD].start()
    cluster.succeed("starrocks_frontend", host=THIRD, wait_timeout=60, previous_start_time=shown["StartTime"])


def test_the_leader_dies_under_way(cluster, front_ends):
    """Calls that go on while the leader is killed all succeed, and each back end is there once."""
    results, done = [], threading.Event()

    def go_on():
        number = 0
        while not done.is_set() or number < 6:
            number += 1
            results.append(cluster.run("starrocks_backend", login_hosts=ALL, wait=False,
                                       nodes=[{"host": address(100 + number)}]))

    worker = threading.Thread(target=go_on)
    worker.start()
    time.sleep(1)
    front_ends[FIRST].stop()
    time.sleep(3)
    done.set()
    worker.join(120)
    assert [result.get("msg") for result in results if result.get("failed")] == []
    assert all(result["changed"] for result in results)
    hosts = [row["IP"] for row in cluster.ask("SHOW BACKENDS", SECOND)]
    assert sorted(hosts) == sorted(address(101 + index) for index in range(len(results)))
    assert leader(cluster) in (SECOND, THIRD)


def test_a_follower_without_which_there_is_no_majority_stays(cluster):
    other = SECOND if leader(cluster) == THIRD else THIRD
    cluster.succeed("starrocks_wait", login_hosts=ALL, timeout=60, conditions=[
        {"condition": "alive", "kind": "frontends", "nodes": [SECOND, THIRD]}])
    deadline = time.monotonic() + 40
    while [row for row in cluster.ask("SHOW FRONTENDS", other) if row["IP"] == FIRST][0]["Alive"] == "true":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    refused = cluster.run("starrocks_frontend", login_hosts=ALL, host=other, state="absent")
    assert refused["failed"] and "only 1 of 2 followers would be alive" in refused["msg"]
    assert len(members(cluster, other)) == 3


def test_no_majority(cluster, front_ends):
    """The last follower has its own view to offer, or nothing; neither is taken for a cluster that does not exist."""
    leading = leader(cluster)
    last = SECOND if leading == THIRD else THIRD
    front_ends[leading].stop()
    info = cluster.run("starrocks_cluster_info", login_hosts=[leading, last], require_answer=False)
    assert not info.get("failed"), info["msg"]
    assert info["leader"] is None
    assert f"{leading}:9030" in [entry["host"] for entry in info["not_answering"]]
    if info["answered"]:
        assert last in [row["host"] for row in info["frontends"]]
    else:
        assert info["frontends"] is None
    write = cluster.run("starrocks_wait", login_hosts=ALL, timeout=3, conditions=[{"condition": "leader"}])
    assert write["failed"]


def test_the_majority_comes_back(cluster, front_ends):
    for host in ALL:
        front_ends[host].stop()
    for host in ALL:
        front_ends[host].start()
    cluster.succeed("starrocks_wait", login_hosts=ALL, timeout=90, conditions=[
        {"condition": "leader"}, {"condition": "alive", "kind": "frontends", "at_least": 3}])
    assert len(members(cluster, SECOND)) == 3
