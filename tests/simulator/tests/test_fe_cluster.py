# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several front ends: join, leader change, lost quorum, the split cluster, dropped members."""

import json
import signal
import socket
import time
from pathlib import Path

import pytest
from fe_cluster import EDIT_LOG, HTTP, NETWORK, QUERY, RPC, FrontEndProcess, is_member, join, leader_of, wait_for
from standin.fe import frames
from thrift_double import Node


@pytest.fixture
def make(tmp_path):
    """A function: the front end number N, not started yet; ended after the test."""
    made = []

    def front_end(number, **options):
        made.append(FrontEndProcess(tmp_path / f"fe{number}-{len(made)}", f"{NETWORK}.70.{number}", **options))
        return made[-1]
    yield front_end
    for one in made:
        one.kill()


@pytest.fixture
def trio(make):
    """Three followers, the first of them leads."""
    frontends = [make(number) for number in (1, 2, 3)]
    frontends[0].start()
    for other in frontends[1:]:
        join(frontends[0], other)
    return frontends


def test_first_front_end_founds_a_cluster(make):
    frontend = make(1).start()
    (row,) = wait_for(lambda: [row for row in frontend.query("SHOW FRONTENDS") if row["LastHeartbeat"]], "heartbeat")
    assert row["Role"] == "LEADER" and row["Join"] == row["Alive"] == row["IsHelper"] == "true"
    assert row["Id"] == "1"
    assert [row[name] for name in ("EditLogPort", "QueryPort", "RpcPort")] == [str(EDIT_LOG), str(QUERY), str(RPC)]
    assert row["Version"] == "3.5.0-0be11fd"
    assert frontend.stop() == 143
    assert not (frontend.home / "bin" / "fe.pid").exists()
    cluster = row["ClusterId"]
    frontend.start("-helper", f"{NETWORK}.70.9:{EDIT_LOG}")  # ignored: the metadata says who it is
    assert frontend.frontends()[frontend.address]["ClusterId"] == cluster
    assert f"ignore helper nodes: {NETWORK}.70.9:{EDIT_LOG}" in frontend.log()


def test_join_by_helper_in_either_order(make):
    leader, follower, observer = make(1).start(), make(2), make(3)
    follower.launch("-helper", f"{leader.member}")  # before it is added: it waits and asks
    wait_for(lambda: "current node is not added to the group" in follower.log(), "the wait is logged")
    assert not follower.listens(QUERY)
    leader.query(f'ALTER SYSTEM ADD FOLLOWER "{follower.member}"')
    row = leader.frontends()[follower.address]
    assert (row["Join"], row["Alive"], row["StartTime"], row["Version"]) == ("false", "false", "NULL", "NULL")
    assert row["LastHeartbeat"] is None
    wait_for(lambda: is_member(leader, follower), "follower has joined")
    join(leader, observer, "OBSERVER")
    rows = observer.frontends()
    assert {row["Role"] for row in rows.values()} == {"LEADER", "FOLLOWER", "OBSERVER"}
    assert rows[observer.address]["IsHelper"] == "false"
    observer.query("CREATE DATABASE via_observer")
    assert {"Database": "via_observer"} in follower.query("SHOW DATABASES")


def test_leader_killed_and_back(trio):
    first, second, third = trio
    second.query("CREATE DATABASE before")
    pooled = second.connect()
    with pooled.cursor() as cursor:
        cursor.execute("SHOW FRONTENDS")
    first.kill()
    started = time.monotonic()
    texts = set()

    def try_to_write():
        try:
            second.query("CREATE DATABASE IF NOT EXISTS after")
            return True
        except Exception as error:
            texts.add(error.args[1])
            raise
    wait_for(try_to_write, "a new leader", timeout=10)
    assert time.monotonic() - started < 10
    assert "java.net.ConnectException: Connection refused" in texts or "Socket is closed by peer." in texts
    assert texts <= {"Socket is closed by peer.", "java.net.ConnectException: Connection refused"}
    ghost = second.frontends()[first.address]
    assert ghost["Alive"] == "true" and ghost["ErrMsg"] == "", "the fourth missed heartbeat tells, not the first"
    dead = wait_for(lambda: [row for row in third.query("SHOW FRONTENDS") if row["Alive"] == "false"], "ghost gone")
    assert [row["IP"] for row in dead] == [first.address]
    assert dead[0]["ErrMsg"] == "Connection refused" and dead[0]["StartTime"] == "NULL" and dead[0]["Join"] == "true"
    assert dead[0]["Version"] == "3.5.0-0be11fd"
    first.start()
    wait_for(lambda: is_member(second, first), "the old leader is back")
    names = {row["Database"] for row in first.query("SHOW DATABASES")}
    assert {"before", "after"} <= names
    assert first.frontends()[first.address]["Role"] == "FOLLOWER"


def test_quorum_lost_and_found(trio):
    first, second, third = trio
    assert (second.stop(), third.stop()) == (143, 143)
    time.sleep(1)  # the leader notices by its next sign of life
    errno, text = first.refusal("SHOW PROC '/frontends'")
    assert errno == 1064
    assert text == ("(JE 18.3.20) Commit policy: SIMPLE_MAJORITY required 1 replica. But none were active with this "
                    "master.")
    with pytest.raises(Exception, match="Lost connection|closed"):
        first.query("CREATE DATABASE lost")
    assert first.wait(20) == 255
    assert "failed to begin txn after retried 3 times!" in first.out()
    first.launch()
    time.sleep(3)
    assert not any(first.listens(port) for port in (QUERY, HTTP, RPC)), "a follower alone opens no port"
    assert "wait globalStateMgr to be ready. FE type: INIT. is ready: false" in first.log()
    second.start()
    wait_for(first.answers, "two of three answer")
    third.start()
    wait_for(lambda: leader_of(trio) and is_member(leader_of(trio), third), "all are back")


def test_followers_without_a_leader_answer_from_what_they_have(trio):
    first, second, third = trio
    third.kill()
    first.kill()
    rows = wait_for(lambda: {row["Role"] for row in second.frontends().values()} == {"FOLLOWER"}
                    and second.frontends(), "no leader is shown")
    assert {row["Join"] for row in rows.values()} == {"false"}
    assert second.query("SELECT 1 AS one") == [{"one": 1}]
    assert second.refusal("SHOW FRONTENDS")[0] == 1064
    third.start()
    wait_for(lambda: leader_of([second, third]), "two of three elect one of them")


def test_two_followers_are_fewer_than_one(make):
    """A joined follower that is down counts: the other one alone has no majority, and its process ends."""
    first, second = make(1).start(), make(2)
    join(first, second)
    second.kill()
    assert first.wait(20) == 255
    assert "failed to begin txn after retried 3 times!" in first.out()
    first.launch()
    time.sleep(2)
    assert not first.listens(QUERY)
    second.start()
    wait_for(lambda: leader_of([first, second]), "both together have a leader")


def test_acknowledged_writes_survive_every_leader(trio):
    """Kill the leader again and again while a client writes: what was acknowledged is there in the end, everywhere."""
    acknowledged = []

    def write_through(frontend, name):
        frontend.query(f"CREATE DATABASE IF NOT EXISTS {name}")
        acknowledged.append(name)
        return True
    for number in range(4):
        leader = wait_for(lambda: leader_of(trio), "a leader")
        write_through(leader, f"by_leader_{number}")
        leader.kill()
        other = next(one for one in trio if one is not leader)
        wait_for(lambda other=other, number=number: write_through(other, f"by_other_{number}"), "writes go on")
        leader.start()
    for one in trio:
        wait_for(lambda one=one: set(acknowledged) <= {row["Database"] for row in one.query("SHOW DATABASES")},
                 f"{one.address} has all of {acknowledged}")
    assert len({one.frontends()[one.address]["ClusterId"] for one in trio}) == 1


def test_added_follower_that_never_starts_blocks_nothing(make):
    leader = make(1).start()
    leader.query(f'ALTER SYSTEM ADD FOLLOWER "{NETWORK}.70.8:{EDIT_LOG}"')
    leader.query("CREATE DATABASE goes_on")
    absent = f"{NETWORK}.70.8"
    row = wait_for(lambda: leader.frontends()[absent]["ErrMsg"] and leader.frontends()[absent], "ErrMsg")
    assert (row["ErrMsg"], row["Join"], row["Alive"]) == ("Connection refused", "false", "false")
    leader.query("CREATE DATABASE goes_on_still")
    leader.query(f'ALTER SYSTEM DROP FOLLOWER "{NETWORK}.70.8:{EDIT_LOG}"')
    assert list(leader.frontends()) == [leader.address]


def test_split_cluster_trap(make):
    """A second front end started without --helper makes a cluster of its own, and --helper does not mend that."""
    leader, stray = make(1).start(), make(2).start()
    ids = {frontend.frontends()[frontend.address]["ClusterId"] for frontend in (leader, stray)}
    assert len(ids) == 2
    leader.query(f'ALTER SYSTEM ADD FOLLOWER "{stray.member}"')
    stray.stop()
    stray.start("-helper", f"{leader.member}")
    row = wait_for(lambda: leader.frontends()[stray.address]["ErrMsg"] and leader.frontends()[stray.address], "ErrMsg")
    assert (row["ErrMsg"], row["Join"], row["Alive"]) == ("invalid parameter", "false", "false")
    stray.stop()
    stray.wipe()
    stray.start("-helper", f"{leader.member}")
    wait_for(lambda: is_member(leader, stray), "wiped, it joins")


def test_dropped_follower_that_runs_on(trio):
    first, second, third = trio
    second.query(f'ALTER SYSTEM DROP FOLLOWER "{second.member}"')
    wait_for(lambda: "notify new FE type transfer: UNKNOWN" in second.out().split("FOLLOWER")[-1], "it is UNKNOWN")
    assert second.refusal("SELECT 1") == (1064, "Internal error processing forward")
    stale = second.frontends()
    assert stale[second.address]["Join"] == "false" and stale[second.address]["Alive"] == "true"
    assert second.address not in first.frontends() and second.address not in third.frontends()
    second.stop()
    second.launch()
    assert second.wait() == 255
    assert "current node is not added to the cluster, will exit" in second.log()
    second.wipe()
    join(first, second)
    assert len(third.frontends()) == 3


def test_graceful_exit_hands_over_without_an_error(trio):
    first, second, _third = trio
    first.signal(signal.SIGUSR1)
    ends = time.monotonic() + 2.5
    number = 0
    while time.monotonic() < ends:
        second.query(f"CREATE DATABASE g{number}")
        number += 1
        time.sleep(0.1)
    assert first.wait(10) == 0
    assert leader_of(trio) is not first
    assert {f"g{index}" for index in range(number)} <= {row["Database"] for row in second.query("SHOW DATABASES")}


def test_a_front_end_alone_is_never_graceful(make):
    frontend = make(1).start()
    frontend.signal(signal.SIGUSR1)
    assert frontend.wait() == 255


def test_mixed_versions_answer_with_their_own_columns(make):
    old, new = make(1, version="3.4.4").start(), make(2, version="3.5.0")
    join(old, new)
    assert "Id" not in old.frontends()[new.address]
    assert old.frontends()[new.address]["Version"] == "3.5.0-0be11fd"
    assert {row["Id"] for row in new.frontends().values()} == {"0"}, "members from before 3.5 have no id"
    old.stop()
    old.use("3.5.0")
    old.launch()
    wait_for(lambda: leader_of([old, new]), "both lead on")
    row = wait_for(lambda: [row for row in new.query("SHOW FRONTENDS") if row["IP"] == old.address
                            and row["Version"] == "3.5.0-0be11fd"], "the new version is seen")[0]
    assert row["Alive"] == "true"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of the double that goes down
@pytest.mark.parametrize(("older", "loads"), [("4.0.0", False), ("4.0.6", True)])
def test_one_follower_first_when_going_down(make, older, loads):
    """Metadata of 4.1 may end the start of an older one; the others go on, and 4.1 comes back (section 0.21)."""
    leader, follower = make(1, version="4.1.0").start(), make(2, version="4.1.0")
    join(leader, follower)
    join(leader, make(3, version="4.1.0"))
    node = Node(f"{NETWORK}.70.21").up()
    leader.query(f'ALTER SYSTEM ADD BACKEND "{node.member}"')
    wait_for(lambda: leader.query("SHOW BACKENDS")[0]["Alive"] == "true", "a back end")
    leader.query("CREATE DATABASE d")
    leader.query("CREATE TABLE d.t (k INT) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES ('replication_num'='1')")
    follower.stop()
    follower.use(older)
    if loads:
        follower.start()
    else:
        follower.launch()
        assert follower.wait(20) == 255
        assert "java.lang.NullPointerException" in follower.log() and not follower.listens(QUERY)
        leader.query("CREATE DATABASE goes_on")
        follower.use("4.1.0")
        follower.start()
    wait_for(lambda: is_member(leader, follower), "the follower is back")
    node.down()


def test_clock_too_far_off_can_not_join(make):
    leader, late = make(1).start(), make(2, faults={"clock_skew_seconds": "-11"})
    leader.query(f'ALTER SYSTEM ADD FOLLOWER "{late.member}"')
    late.launch("-helper", f"{leader.member}")
    assert late.wait() == 255
    assert "exceeds max permissible delta: 5000 ms. HANDSHAKE_ERROR" in late.log()


def test_an_idle_leader_is_idle(trio):
    """Feeders once woke each other without end: thousands of rounds a second with two members or more."""
    leader = trio[0]
    before = context_switches(leader.process.pid)
    time.sleep(2)
    assert context_switches(leader.process.pid) - before < 2000


def context_switches(pid):
    """How often the threads of a process have waited for something."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        total += int(lines["voluntary_ctxt_switches"])
    return total


def test_a_member_that_stood_in_vain_does_not_end_the_leader(trio):
    """Its newer term once made a healthy leader give up, seen when a hand-over met a busy machine."""
    leader, _second, third = trio
    journal = json.loads((third.home / "meta" / "bdb" / "journal.json").read_text())
    row = next(row for row in journal["state"]["frontends"] if row["host"] == leader.address)
    with socket.create_connection((third.address, EDIT_LOG), 5) as connection:
        frames.send(connection, {
            "type": "vote", "sender": row["name"], "term": journal["term"] + 5, "pre": False, "asked": True,
            "entry": [journal["entry_term"] + 1, 0], **{key: journal["state"][key] for key in ("cluster_id", "token")}})
        assert frames.receive(connection)["granted"]
    for number in range(5):
        leader.query(f"CREATE DATABASE calm{number}")
        time.sleep(0.3)
    assert leader_of(trio) is leader
    wait_for(lambda: "calm4" in {row["Database"] for row in third.query("SHOW DATABASES")}, "third follows again")
