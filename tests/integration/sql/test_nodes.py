# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Back ends, compute nodes and brokers, against one front end."""

import pymysql
import pytest
from conftest import BROKER_PORT, address


def stable(rows):
    """What does not move by itself."""
    return sorted((row["IP"], row.get("HeartbeatPort") or row["Port"], row.get("Name"), row.get("SystemDecommissioned"))
                  for row in rows)


@pytest.mark.parametrize("module, kind, listing, noun, numbers", [
    ("starrocks_backend", "be", "SHOW BACKENDS", "BACKEND", (21, 22)),
    ("starrocks_compute_node", "cn", "SHOW COMPUTE NODES", "COMPUTE NODE", (31, 32)),
])
def test_nodes_come_and_go(cluster, module, kind, listing, noun, numbers):
    def look():
        return stable(cluster.ask(listing))

    processes = [cluster.node(kind, number).start() for number in numbers]
    one, other = (process.host for process in processes)
    both = [{"host": one}, {"host": other}]
    done = cluster.by_law(module, look, [f'ALTER SYSTEM ADD {noun} "{one}:9050", "{other}:9050"'], nodes=both,
                          wait_timeout=60)
    assert [row["alive"] for row in done["nodes"]] == [True, True]
    assert done["nodes"][0]["version"].startswith("3.5.0") and done["nodes"][0]["last_start_time"]

    processes[0].stop()
    processes[0].start()
    started = done["nodes"][0]["last_start_time"]
    seen = cluster.succeed(module, nodes=[{"host": one, "previous_start_time": started}], wait_timeout=60)
    assert seen["nodes"][0]["last_start_time"] > started and not seen["changed"]

    cluster.by_law(module, look, [f'ALTER SYSTEM DROP {noun} "{one}:9050", "{other}:9050"'], nodes=both, state="absent")
    for process in processes:
        process.stop()


def test_one_of_two_is_there_already(cluster):
    one, other = address(23), address(24)
    cluster.succeed("starrocks_backend", nodes=[{"host": one}], wait=False)
    done = cluster.succeed("starrocks_backend", nodes=[{"host": one}, {"host": other}], wait=False)
    assert done["queries"] == [f'ALTER SYSTEM ADD BACKEND "{other}:9050"']
    assert len(cluster.ask("SHOW BACKENDS")) == 2
    late = cluster.run("starrocks_backend", nodes=[{"host": one}], wait_timeout=7)
    assert late["failed"] and f"{one}:9050 is not alive (ErrMsg: " in late["msg"] and not late["changed"]
    assert late["nodes"][0]["host"] == one
    cluster.succeed("starrocks_backend", nodes=[{"host": one}, {"host": other}], state="absent", force=True)
    assert cluster.ask("SHOW BACKENDS") == []


def test_duplicates_made_by_others_are_dropped_whole(cluster):
    host = address(25)
    cluster.ask(f'ALTER SYSTEM ADD BACKEND "{host}:9050", "{host}:9050"')
    assert len(cluster.ask("SHOW BACKENDS")) == 2
    assert not cluster.succeed("starrocks_backend", nodes=[{"host": host}], wait=False)["changed"]
    cluster.succeed("starrocks_backend", nodes=[{"host": host}], state="absent")
    assert cluster.ask("SHOW BACKENDS") == []


def test_a_name_is_the_address_that_it_stands_for(cluster):
    """In IP mode the front end stores the address of a name."""
    named = {"host": "localhost", "heartbeat_service_port": 9052}
    cluster.succeed("starrocks_compute_node", nodes=[named], wait=False)
    assert [row["IP"] for row in cluster.ask("SHOW COMPUTE NODES")] == ["127.0.0.1"]
    assert not cluster.succeed("starrocks_compute_node", nodes=[named], wait=False)["changed"]
    done = cluster.succeed("starrocks_compute_node", nodes=[named], state="absent")
    assert done["queries"] == ['ALTER SYSTEM DROP COMPUTE NODE "127.0.0.1:9052"']
    assert cluster.ask("SHOW COMPUTE NODES") == []


def test_decommissioned_backends_vanish(cluster):
    processes = [cluster.node("be", number).start() for number in (26, 27)]
    leaving, staying = (process.host for process in processes)
    nodes = [{"host": leaving}]
    cluster.succeed("starrocks_backend", nodes=nodes + [{"host": staying}], wait_timeout=60)
    tried = cluster.succeed("starrocks_backend", True, nodes=nodes, state="decommissioned")
    assert tried["queries"] == [f'ALTER SYSTEM DECOMMISSION BACKEND "{leaving}:9050"']
    assert {row["SystemDecommissioned"] for row in cluster.ask("SHOW BACKENDS")} == {"false"}
    gone = cluster.succeed("starrocks_backend", nodes=nodes, state="decommissioned", wait_timeout=60)
    assert gone["queries"] == tried["queries"] and gone["nodes"] == []
    assert [row["IP"] for row in cluster.ask("SHOW BACKENDS")] == [staying]
    assert not cluster.succeed("starrocks_backend", nodes=nodes, state="decommissioned")["changed"]
    refused = cluster.run("starrocks_backend", nodes=[{"host": staying}], state="decommissioned")
    assert refused["failed"] and "It will cause insufficient" in refused["msg"] and not refused["changed"]
    cluster.succeed("starrocks_backend", nodes=[{"host": staying}], state="absent")
    for process in processes:
        process.stop()


def test_entries_that_the_front_end_made(cluster):
    """They go by themselves, so they are no answer to a wish, and are in the way of the opposite."""
    processes = [cluster.node("be", number).start() for number in (28, 29)]
    one, other = ({"host": process.host} for process in processes)
    cluster.succeed("starrocks_backend", nodes=[one, other], wait_timeout=60)
    numbers = {row["IP"]: row["BackendId"] for row in cluster.ask("SHOW BACKENDS")}
    for process in processes:
        process.stop()
    with pytest.raises(pymysql.err.Error):  # of the front end, which believes them alive and finds them gone
        cluster.ask("SELECT current_version()")

    def look():
        return sorted((row["BackendId"], row["AddBlackListType"]) for row in cluster.ask("SHOW BACKEND BLACKLIST"))

    first, second = numbers[one["host"]], numbers[other["host"]]
    assert look() == sorted([(first, "AUTO"), (second, "AUTO")])
    done = cluster.by_law("starrocks_backend", look, [f"ADD BACKEND BLACKLIST {first}",
                                                      f"DELETE BACKEND BLACKLIST {second}"],
                          nodes=[dict(one, blacklisted=True), dict(other, blacklisted=False)], wait=False)
    assert done["blacklists"][0]["entries"] == [{"node": f"{one['host']}:9050", "type": "MANUAL"}]
    cluster.succeed("starrocks_backend", nodes=[one, other], state="absent", force=True)


def test_brokers_come_and_go(cluster):
    process = cluster.node("broker", 21).start()
    nodes = [{"host": address(21), "broker_ipc_port": BROKER_PORT}]
    dead = [{"host": address(29), "broker_ipc_port": 1}]

    def look():
        return stable(cluster.ask("SHOW BROKER"))

    done = cluster.by_law("starrocks_broker", look, [f'ALTER SYSTEM ADD BROKER "b 1" "{address(21)}:{BROKER_PORT}"'],
                          name="b 1", nodes=nodes, wait_timeout=60)
    assert done["nodes"][0]["alive"] is True
    cluster.succeed("starrocks_broker", name="b 1", nodes=dead, wait=False)
    cluster.succeed("starrocks_broker", name="other", nodes=nodes)
    late = cluster.run("starrocks_broker", name="b 1", nodes=dead + nodes, wait_timeout=7)
    assert late["failed"] and f"{address(29)}:1 is not alive" in late["msg"] and f"{address(21)}:" not in late["msg"]
    cluster.by_law("starrocks_broker", look, [f'ALTER SYSTEM DROP BROKER "b 1" "{address(29)}:1"'], name="b 1",
                   nodes=dead, state="absent")
    cluster.by_law("starrocks_broker", look, ['ALTER SYSTEM DROP ALL BROKER "b 1"'], name="b 1", state="absent")
    cluster.by_law("starrocks_broker", look, ['ALTER SYSTEM DROP ALL BROKER "other"'], name="other", nodes=nodes,
                   state="absent")
    process.stop()


@pytest.mark.parametrize("host", ['x"; DROP', "a' OR 1", "h -- x", "h\nx", "ü", "x" * 10000, "a;b", "/*"])
def test_hostile_names_reach_no_server(cluster, host):
    def seen():
        databases = {row["Database"] for row in cluster.ask("SHOW DATABASES")}
        return cluster.ask("SHOW BACKENDS"), databases - {"_statistics_"}  # which a front end makes by itself

    before = seen()
    for module in ("starrocks_backend", "starrocks_compute_node"):
        assert "neither an address" in cluster.run(module, nodes=[{"host": host}], wait=False)["msg"]
    assert "neither an address" in cluster.run("starrocks_frontend", host=host, wait=False)["msg"]
    assert seen() == before


@pytest.mark.parametrize("name", ['a"b', "a'b", "a;b -- c", "a`b", "a\\", "\u00fc\u4e2d", '" "127.0.0.1:1'])
def test_hostile_broker_names_are_quoted(cluster, name):
    nodes = [{"host": address(29), "broker_ipc_port": 8000}]
    cluster.succeed("starrocks_broker", name=name, nodes=nodes, wait=False)
    assert [row["Name"] for row in cluster.ask("SHOW BROKER")] == [name]
    assert not cluster.succeed("starrocks_broker", name=name, nodes=nodes, wait=False)["changed"]
    cluster.succeed("starrocks_broker", name=name, state="absent")
    assert cluster.ask("SHOW BROKER") == []


def test_wait(cluster):
    met = cluster.succeed("starrocks_wait", timeout=20, conditions=[
        {"condition": "leader"}, {"condition": "version", "kind": "frontends", "version": "3.5.0"}])
    assert [entry["met"] for entry in met["conditions"]] == [True, True]
    late = cluster.run("starrocks_wait", timeout=2, conditions=[
        {"condition": "leader"}, {"condition": "alive", "kind": "backends", "at_least": 1}])
    assert late["failed"] and [entry["met"] for entry in late["conditions"]] == [True, False]


def test_info(cluster):
    info = cluster.succeed("starrocks_cluster_info", login_hosts=[address(19), address(11)])
    assert info["answered_by"] == f"{address(11)}:9030" and info["leader"]["host"] == address(11)
    assert info["version"].startswith("3.5.0") and not info["implicit_admin"]
    assert [entry["host"] for entry in info["not_answering"]] == [f"{address(19)}:9030"]
    assert info["statistic"]["unhealthy_tablet_num"] == 0
    silent = cluster.succeed("starrocks_cluster_info", login_hosts=[address(19)], require_answer=False)
    assert not silent["answered"] and silent["leader"] is None


@pytest.mark.parametrize("version", ["2.5.22", "3.1.17", "3.2.16", "3.3.15", "4.2.0"])
def test_every_line_of_versions(new_cluster, version):
    cluster = new_cluster(version)
    info = cluster.succeed("starrocks_cluster_info")
    assert info["leader"]["version"].startswith(version) and info["statistic"]["unhealthy_tablet_num"] == 0

    def look(listing):
        return lambda: stable(cluster.ask(listing))

    nodes, brokers = [{"host": address(21)}], [{"host": address(21), "broker_ipc_port": 8000}]
    cluster.by_law("starrocks_backend", look("SHOW BACKENDS"), [f'ALTER SYSTEM ADD BACKEND "{address(21)}:9050"'],
                   nodes=nodes, wait=False)
    cluster.by_law("starrocks_backend", look("SHOW BACKENDS"), [f'ALTER SYSTEM DROP BACKEND "{address(21)}:9050"'],
                   nodes=nodes, state="absent")
    cluster.by_law("starrocks_compute_node", look("SHOW COMPUTE NODES"),
                   [f'ALTER SYSTEM ADD COMPUTE NODE "{address(21)}:9050"'], nodes=nodes, wait=False)
    cluster.by_law("starrocks_broker", look("SHOW BROKER"), [f'ALTER SYSTEM ADD BROKER "b" "{address(21)}:8000"'],
                   name="b", nodes=brokers, wait=False)
    info = cluster.succeed("starrocks_cluster_info")
    assert len(info["compute_nodes"]) == len(info["brokers"]) == 1 and info["backends"] == []
