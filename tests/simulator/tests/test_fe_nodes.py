# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A front end and the nodes that it asks: heartbeats, ghosts, drain, brokers; the nodes are doubles of a few lines."""

import time

import pytest
from fe_cluster import FrontEndProcess, wait_for
from thrift_double import Node, types

# A double that goes down closes the socket that its thread waits on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

FIRST, SECOND, THIRD = "127.0.72.11", "127.0.72.12", "127.0.72.13"


@pytest.fixture
def front_end(tmp_path):
    """A front end alone, which makes no statistics tables."""
    one = FrontEndProcess(tmp_path / "fe", "127.0.72.1", settings={"statistic_manager_sleep_time_sec": "600"})
    yield one.start()
    one.kill()


def backend(front_end, address):
    return next((row for row in front_end.query("SHOW BACKENDS") if row["IP"] == address), None)


def alive(front_end, *nodes):
    return all(backend(front_end, node.address)["Alive"] == "true" for node in nodes)


@pytest.fixture
def three(front_end):
    """Three live back ends, known to the front end together with their disks."""
    nodes = [Node(address).up() for address in (FIRST, SECOND, THIRD)]
    front_end.query("ALTER SYSTEM ADD BACKEND " + ", ".join(f'"{node.member}"' for node in nodes))
    wait_for(lambda: all(backend(front_end, node.address)["TotalCapacity"] == "200.000 GB" for node in nodes), "disks")
    yield nodes
    for node in nodes:
        node.down()


def test_backend_from_add_to_alive(front_end):
    node = Node(FIRST)
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{node.member}"')
    row = backend(front_end, FIRST)
    assert (row["BePort"], row["Alive"], row["Version"], row["StatusCode"]) == ("-1", "false", "", "CONNECTING")
    assert row["LastStartTime"] is row["LastHeartbeat"] is None
    node.up()
    row = wait_for(lambda: backend(front_end, FIRST)["Alive"] == "true" and backend(front_end, FIRST), "alive")
    assert (row["BePort"], row["HttpPort"], row["BrpcPort"], row["CpuCores"], row["MemLimit"], row["StatusCode"]) == (
        "9060", "28040", "8060", "4", "8.000GB", "OK")
    assert row["LastStartTime"] == time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(node.reboot_time))
    info = node.asked[-1]
    cluster = front_end.query("SHOW FRONTENDS")[0]["ClusterId"]
    assert (str(info.cluster_id), info.backend_ip, str(info.backend_id)) == (cluster, FIRST, row["BackendId"])
    assert info.network_address.hostname == front_end.address and info.token and info.node_type == 0
    node.down()


def test_fourth_missed_heartbeat_tells(front_end, three):
    node = three[0]
    before = backend(front_end, FIRST)
    node.down()
    stopped = time.monotonic()
    row = wait_for(lambda: backend(front_end, FIRST)["Alive"] == "false" and backend(front_end, FIRST), "not alive")
    assert time.monotonic() - stopped > 2, "three missed heartbeats, one a second, change nothing"
    assert row["ErrMsg"] == "java.net.ConnectException: Connection refused"
    assert (row["StatusCode"], row["Version"]) == ("DISCONNECTED", before["Version"])
    assert front_end.get("/api/health") == '{"online_backend_num":2,"total_backend_num":3,"status":"OK"}'
    node.version, node.reboot_time = "3.5.1-abcdef0", int(time.time())
    node.up()
    row = wait_for(lambda: alive(front_end, node) and backend(front_end, FIRST), "alive again")
    assert (row["Version"], row["ErrMsg"]) == ("3.5.1-abcdef0", "")
    assert row["LastStartTime"] > before["LastStartTime"]


def test_restart_within_three_heartbeats_is_never_seen_as_dead(front_end, three):
    node = three[0]
    node.down()
    time.sleep(1.2)
    assert alive(front_end, node) and backend(front_end, FIRST)["Version"] == "3.5.0-0be11fd", "the ghost"
    node.version = "3.5.1-abcdef0"
    node.up()
    wait_for(lambda: backend(front_end, FIRST)["Version"] == "3.5.1-abcdef0", "the new process")


def test_shutdown_and_errors(front_end, three):
    three[0].status = types.TStatusCode.SHUTDOWN
    row = wait_for(lambda: not alive(front_end, three[0]) and backend(front_end, FIRST), "shut down at once", 2)
    assert (row["StatusCode"], row["ErrMsg"]) == ("SHUTDOWN", "")
    three[1].status, three[1].message = types.TStatusCode.INTERNAL_ERROR, "Unmatched cluster id"
    row = wait_for(lambda: not alive(front_end, three[1]) and backend(front_end, SECOND), "refused")
    assert (row["StatusCode"], row["ErrMsg"]) == ("DISCONNECTED", "Unmatched cluster id")


def test_decommissioned_backend_drains_and_vanishes(front_end, three):
    fourth = Node("127.0.72.14").up()
    front_end.query("CREATE DATABASE t")
    front_end.query("CREATE TABLE t.a (k INT) DISTRIBUTED BY HASH(k) BUCKETS 4 PROPERTIES('replication_num'='3')")
    front_end.query("CREATE TABLE t.b (k INT) DISTRIBUTED BY HASH(k) BUCKETS 3 PROPERTIES('replication_num'='1')")
    statement = f'ALTER SYSTEM DECOMMISSION BACKEND "{three[0].member}"'
    assert "because the table t.a requires 3 replicas." in front_end.refusal(statement)[1]
    guarded = front_end.refusal(f'ALTER SYSTEM DROP BACKEND "{three[0].member}"')[1]
    assert guarded.startswith("Tables such as [t.b] on the backend[")
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{fourth.member}"')
    wait_for(lambda: alive(front_end, fourth), "the fourth lives")
    front_end.query(statement)
    front_end.query(statement)
    assert backend(front_end, FIRST)["SystemDecommissioned"] == "true"
    total = {row["DbName"]: row for row in front_end.query("SHOW PROC '/statistic'")}
    assert total["t"]["ReplicaNum"] == "15" and int(total["t"]["UnhealthyTabletNum"]) > 0
    wait_for(lambda: backend(front_end, FIRST) is None, "gone by itself")
    rows = front_end.query("SHOW PROC '/statistic'")
    assert (rows[-1]["ReplicaNum"], rows[-1]["UnhealthyTabletNum"]) == ("15", "0")
    fourth.down()


def test_decommission_cancelled_stays(front_end, three):
    front_end.query("ADMIN SET FRONTEND CONFIG ('drop_backend_after_decommission' = 'false')")
    front_end.query(f'ALTER SYSTEM DECOMMISSION BACKEND "{three[0].member}"')
    time.sleep(3)
    assert backend(front_end, FIRST)["SystemDecommissioned"] == "true"
    front_end.query(f'CANCEL DECOMMISSION BACKEND "{three[0].member}"')
    assert backend(front_end, FIRST)["SystemDecommissioned"] == "false"


def test_brokers(front_end):
    node = Node(FIRST, types.TFileBrokerService, 28000).up()
    front_end.query(f"ALTER SYSTEM ADD BROKER b1 '{node.member}', '{SECOND}:28000', 'no-such-host.invalid:8000'")

    def brokers():
        return {row["IP"]: row for row in front_end.query("SHOW BROKER")}
    row = wait_for(lambda: brokers()[FIRST]["Alive"] == "true" and brokers()[FIRST], "broker alive")
    assert row["LastStartTime"] and row["LastUpdateTime"] and row["ErrMsg"] == ""
    wait_for(lambda: brokers()[SECOND]["ErrMsg"] == "java.net.ConnectException: Connection refused", "refused")
    assert brokers()["no-such-host.invalid"]["ErrMsg"] == "java.net.UnknownHostException: no-such-host.invalid"
    node.down()
    row = wait_for(lambda: brokers()[FIRST]["Alive"] == "false" and brokers()[FIRST], "broker dead")
    assert row["LastStartTime"] and row["ErrMsg"] == "java.net.ConnectException: Connection refused"


def test_own_tables_appear_in_time(tmp_path):
    """The front end makes _statistics_ by itself; its single replicas guard a back end nobody has used (0.9)."""
    one = FrontEndProcess(tmp_path / "fe", "127.0.72.1", settings={
        "statistic_manager_sleep_time_sec": "1", "table_keeper_interval_second": "1"})
    node = Node(FIRST).up()
    try:
        one.start()
        wait_for(lambda: {"Database": "_statistics_"} in one.query("SHOW DATABASES"), "_statistics_")
        one.query(f'ALTER SYSTEM ADD BACKEND "{node.member}"')
        wait_for(lambda: int(backend(one, FIRST)["TabletNum"]) > 80, "its tables")
        assert "[_statistics_." in one.refusal(f'ALTER SYSTEM DROP BACKEND "{node.member}"')[1]
        one.query(f'ALTER SYSTEM DROP BACKEND "{node.member}" FORCE')
    finally:
        one.kill()
        node.down()
