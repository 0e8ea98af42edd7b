# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that the node modules do, in each line of versions, on one cluster per version; each test cleans up after itself.

What a version does not have is refused with the version that has it, before anything is done.
"""

import functools
import importlib

import pytest
from ansible_collections.starrocks.cluster.tests.unit.plugins import in_process
from conftest import BROKER_PORT, MODULES, address, founded

VERSIONS = ("2.5.22", "3.1.17", "3.2.16", "3.3.15", "3.5.0", "4.2.0")


def run_here(cluster, module, check=False, /, **arguments):
    """Run a module in the process of the test: there are hundreds of runs here."""
    return in_process.run_module(importlib.import_module(MODULES + module),
                                 dict({"login_hosts": [cluster.first]}, **arguments), check)


@pytest.fixture(scope="module", params=VERSIONS)
def old_and_new(request, tmp_path_factory):
    """A cluster of one front end and two living back ends, the first of which is the one to be looked at."""
    cluster = founded(request.param, tmp_path_factory.mktemp("versions"), 10)
    cluster.run = functools.partial(run_here, cluster)
    cluster.version = tuple(int(part) for part in request.param.split("."))
    try:
        for number in (21, 22):
            cluster.node("be", number).start()
        nodes = [{"host": address(21)}, {"host": address(22)}]
        cluster.by_law("starrocks_backend", hosts(cluster, "SHOW BACKENDS"),
                       [f'ALTER SYSTEM ADD BACKEND "{address(21)}:9050", "{address(22)}:9050"'], nodes=nodes,
                       wait_timeout=60)
        yield cluster
    finally:
        cluster.stop()


def hosts(cluster, listing):
    """A function that tells what of a listing does not move by itself."""
    def look():
        return sorted((row["IP"], row.get("HeartbeatPort") or row.get("EditLogPort") or row["Port"], row.get("Name"),
                       row.get("SystemDecommissioned"), row.get("Location")) for row in cluster.ask(listing))
    return look


def refused(cluster, look, words, module, **arguments):
    """The call fails with ``words`` in check mode and without, and does nothing."""
    before = look()
    for check in (True, False):
        result = cluster.run(module, check, **arguments)
        assert result["failed"] and words in result["msg"], result["msg"]
        assert result["queries"] == [] and not result["changed"]
    assert look() == before


BE = [{"host": address(21)}]


def test_locations(old_and_new):
    cluster, look = old_and_new, hosts(old_and_new, "SHOW BACKENDS")
    if cluster.version < (3, 2, 8):
        refused(cluster, look, "location labels of back ends came with StarRocks 3.2.8", "starrocks_backend", nodes=BE,
                location="rack:r1", wait=False)
        return
    statement = f'ALTER SYSTEM MODIFY BACKEND "{address(21)}:9050" SET ("labels.location" = "%s")'
    done = cluster.by_law("starrocks_backend", look, [statement % "rack:r1"], nodes=BE, location="rack : r1")
    assert done["nodes"][0]["location"] == "rack:r1"
    assert done["diff"]["before"][f"{address(21)}:9050 location"] == ""
    cluster.by_law("starrocks_backend", look, [statement % "rack:r2"], location="rack:r1",
                   nodes=[{"host": address(21), "location": "rack:r2"}])
    assert not cluster.succeed("starrocks_backend", nodes=BE)["changed"]  # not given: as it is
    cluster.by_law("starrocks_backend", look, [statement % ""], nodes=BE, location="")
    # By its name, which this cluster stores as an address.
    named = [{"host": "localhost", "heartbeat_service_port": 9052, "location": "rack:r3"}]
    done = cluster.succeed("starrocks_backend", nodes=named, wait=False)
    assert done["queries"] == ['ALTER SYSTEM ADD BACKEND "localhost:9052"', (
        'ALTER SYSTEM MODIFY BACKEND "127.0.0.1:9052" SET ("labels.location" = "rack:r3")')]
    assert ("127.0.0.1", "9052", None, "false", "rack:r3") in look()
    assert not cluster.succeed("starrocks_backend", nodes=named, wait=False)["changed"]
    cluster.succeed("starrocks_backend", nodes=named, state="absent")


@pytest.mark.parametrize("module, listing, noun", [
    ("starrocks_backend", "SHOW BACKENDS", "BACKEND"),
    ("starrocks_compute_node", "SHOW COMPUTE NODES", "COMPUTE NODE")])
def test_warehouses(old_and_new, module, listing, noun):
    cluster, look = old_and_new, hosts(old_and_new, listing)
    nodes, there = [{"host": address(31)}], "default_warehouse"
    if cluster.version < (3, 3):
        refused(cluster, look, "warehouses came with StarRocks 3.3.0", module, nodes=nodes, warehouse=there, wait=False)
        return
    cluster.by_law(module, look, [f'ALTER SYSTEM ADD {noun} "{address(31)}:9050" INTO WAREHOUSE "{there}"'],
                   nodes=nodes, warehouse=there, wait=False)
    refused(cluster, look, "is in warehouse default_warehouse, not w1", module, nodes=nodes, warehouse="w1", wait=False)
    before = look()
    unknown = cluster.run(module, nodes=[{"host": address(32)}], warehouse="w1", wait=False)
    assert unknown["failed"] and "Warehouse name: w1 not exist." in unknown["msg"] and look() == before
    cluster.by_law(module, look, [f'ALTER SYSTEM DROP {noun} "{address(31)}:9050"'], nodes=nodes, warehouse=there,
                   state="absent")


@pytest.mark.parametrize("module, listing, noun, identity, since", [
    ("starrocks_backend", "SHOW BACKENDS", "BACKEND", "BackendId", (3, 3)),
    ("starrocks_compute_node", "SHOW COMPUTE NODES", "COMPUTE NODE", "ComputeNodeId", (4, 0))])
def test_blacklists(old_and_new, module, listing, noun, identity, since):
    cluster, nodes = old_and_new, [{"host": address(33)}]
    cluster.succeed(module, nodes=nodes, wait=False)
    if cluster.version < since:
        words = f"front end {cluster.first}: a blacklist of {noun.lower().replace('backend', 'back end')}s came with"
        refused(cluster, hosts(cluster, listing), words, module, nodes=nodes, blacklisted=True, wait=False)
    else:
        number = [row[identity] for row in cluster.ask(listing) if row["IP"] == address(33)][0]

        def look():
            return [(row[identity], row["AddBlackListType"]) for row in cluster.ask(f"SHOW {noun} BLACKLIST")
                    if row[identity] == number]

        done = cluster.by_law(module, look, [f"ADD {noun} BLACKLIST {number}"], nodes=nodes, blacklisted=True,
                              wait=False)
        assert done["blacklists"] == [{"frontend": f"{cluster.first}:9030", "error": None, "entries": [
            {"node": f"{address(33)}:9050", "type": "MANUAL"}]}]
        assert look() == [(number, "MANUAL")]
        cluster.by_law(module, look, [f"DELETE {noun} BLACKLIST {number}"], blacklisted=True, wait=False,
                       nodes=[{"host": address(33), "blacklisted": False}])
        foreseen = cluster.succeed(module, True, nodes=[{"host": address(34), "blacklisted": True}], wait=False)
        assert foreseen["queries"][1] == f"ADD {noun} BLACKLIST <id of {address(34)}:9050>"
        assert look() == []
    cluster.succeed(module, nodes=nodes, state="absent")


def test_renamed_back_ends(old_and_new):
    cluster, look = old_and_new, hosts(old_and_new, "SHOW BACKENDS")
    ports = (9052, 9053)
    cluster.ask('ALTER SYSTEM ADD BACKEND "127.0.0.1:9052", "127.0.0.1:9053"')
    nodes = [{"host": "localhost", "renamed_from": "127.0.0.1", "heartbeat_service_port": port} for port in ports]
    refused(cluster, look, "does not say which back end of a host it renames", "starrocks_backend", nodes=nodes[:1],
            wait=False)
    renames = ['ALTER SYSTEM MODIFY BACKEND HOST "127.0.0.1" TO "localhost"'] * 2
    done = cluster.by_law("starrocks_backend", look, renames, nodes=nodes, wait=False)
    assert [row["host"] for row in done["nodes"]] == ["localhost"] * 2
    refused(cluster, look, "no back end is registered as 127.0.0.9:9050 or as localhost:9050", "starrocks_backend",
            nodes=[{"host": "localhost", "renamed_from": "127.0.0.9"}], wait=False)
    # The row shows a name, and its address means it.
    cluster.by_law("starrocks_backend", look, ['ALTER SYSTEM DROP BACKEND "localhost:9052", "localhost:9053"'],
                   state="absent", nodes=[{"host": "127.0.0.1", "heartbeat_service_port": port} for port in ports])


def test_front_ends(old_and_new):
    cluster, look = old_and_new, hosts(old_and_new, "SHOW FRONTENDS")
    cluster.by_law("starrocks_frontend", look, ['ALTER SYSTEM ADD OBSERVER "127.0.0.1:9010"'], host="127.0.0.1",
                   role="observer", wait=False)
    renamed = dict(host="localhost", renamed_from="127.0.0.1", role="observer", wait=False)
    done = cluster.by_law("starrocks_frontend", look, ['ALTER SYSTEM MODIFY FRONTEND HOST "127.0.0.1" TO "localhost"'],
                          **renamed)
    assert done["frontend"]["host"] == "localhost" and "--host_type FQDN" in str(done["warnings"])
    gone = cluster.by_law("starrocks_frontend", look, ['ALTER SYSTEM DROP OBSERVER "localhost:9010"'], host="127.0.0.1",
                          state="absent")
    assert gone["still_listening"] is None
    refused(cluster, look, "leads the cluster, and StarRocks does not rename the leader", "starrocks_frontend",
            host="localhost", renamed_from=cluster.first, wait=False)
    refused(cluster, look, "no front end is registered as 127.0.0.1 or as localhost", "starrocks_frontend", **renamed)


def test_disks(old_and_new):
    cluster = old_and_new
    number = [row["BackendId"] for row in cluster.ask("SHOW BACKENDS") if row["IP"] == address(21)][0]

    def look():
        return [(row["RootPath"], row["State"]) for row in cluster.ask(f"SHOW PROC '/backends/{number}'")]

    (path, state), = look()
    assert state == "ONLINE"
    wish = {"host": address(21), "disks": [{"path": path, "state": "decommissioned"}]}
    online = cluster.succeed("starrocks_backend", nodes=[dict(wish, disks=[{"path": path, "state": "online"}])])
    assert not online["changed"] and online["disks"][0]["root_path"] == path
    assert online["disks"][0]["node"] == f"{address(21)}:9050" and online["disks"][0]["state"] == "ONLINE"
    refused(cluster, look, f"shows no disk /nowhere, but {path}", "starrocks_backend",
            nodes=[dict(wish, disks=[{"path": "/nowhere", "state": "online"}])])
    if cluster.version < (3, 1):
        refused(cluster, look, "statements about single disks came with StarRocks 3.1.0", "starrocks_backend",
                nodes=[wish])
        return
    tried = cluster.succeed("starrocks_backend", True, nodes=[wish])
    assert tried["queries"] == [f'ALTER SYSTEM DECOMMISSION DISK "{path}" ON BACKEND "{address(21)}:9050"']
    refusal = cluster.run("starrocks_backend", nodes=[wish])
    assert "not support" in refusal["msg"] and "only the Enterprise Edition does" in refusal["msg"]
    assert not refusal["changed"] and look() == [(path, "ONLINE")]


def test_decommissioning(old_and_new):
    cluster, look = old_and_new, hosts(old_and_new, "SHOW BACKENDS")
    cluster.ask("CREATE DATABASE d")
    cluster.ask("CREATE TABLE d.t (k INT) DISTRIBUTED BY HASH(k) BUCKETS 8 PROPERTIES('replication_num' = '1')")
    held = {row["IP"]: int(row["TabletNum"]) for row in cluster.ask("SHOW BACKENDS")}
    assert held[address(21)]
    refused(cluster, look, f"back end {address(21)}:9050 holds {held[address(21)]} tablets", "starrocks_backend",
            nodes=BE, state="absent")
    both = BE + [{"host": address(22)}]
    refusal = cluster.run("starrocks_backend", nodes=both, state="decommissioned")
    assert "It will cause insufficient" in refusal["msg"] and not refusal["changed"]
    # On its way, and back. An empty back end is kept so long, that it does not go in between.
    cluster.ask('ADMIN SET FRONTEND CONFIG ("drop_backend_after_decommission" = "false")')
    leaving = cluster.by_law("starrocks_backend", look, [f'ALTER SYSTEM DECOMMISSION BACKEND "{address(21)}:9050"'],
                             nodes=BE, state="decommissioned", wait=False)
    assert list(leaving["tablets_left"]) == [f"{address(21)}:9050"]
    assert leaving["nodes"][0]["system_decommissioned"]
    late = cluster.run("starrocks_backend", nodes=BE, state="decommissioned", wait_timeout=1)
    assert late["failed"] and f"not all back ends were gone within 1 s: {address(21)}:9050" in late["msg"]
    assert late["nodes"][0]["tablet_num"] == late["tablets_left"][f"{address(21)}:9050"]
    cluster.by_law("starrocks_backend", look, [f'CANCEL DECOMMISSION BACKEND "{address(21)}:9050"'], nodes=BE)
    cluster.ask('ADMIN SET FRONTEND CONFIG ("drop_backend_after_decommission" = "true")')
    # Until it has gone.
    gone = cluster.succeed("starrocks_backend", nodes=BE, state="decommissioned", wait_timeout=60)
    assert (gone["changed"], gone["nodes"], gone["tablets_left"]) == (True, [], {f"{address(21)}:9050": 0})
    assert [row[0] for row in look()] == [address(22)]
    assert not cluster.succeed("starrocks_backend", nodes=BE, state="decommissioned")["changed"]
    cluster.ask("DROP DATABASE d FORCE")


def test_brokers(old_and_new):
    cluster, look = old_and_new, hosts(old_and_new, "SHOW BROKER")
    nodes = [{"host": address(number)} for number in (21, 22)]
    several = ", ".join(f'"{address(number)}:{BROKER_PORT}"' for number in (21, 22))
    options = dict(name="b", broker_ipc_port=BROKER_PORT)
    cluster.by_law("starrocks_broker", look, [f'ALTER SYSTEM ADD BROKER "b" {several}'], nodes=nodes, wait=False,
                   **options)
    cluster.by_law("starrocks_broker", look, [f'ALTER SYSTEM DROP BROKER "b" "{address(21)}:{BROKER_PORT}"'],
                   nodes=nodes[:1], state="absent", **options)
    cluster.by_law("starrocks_broker", look, ['ALTER SYSTEM DROP ALL BROKER "b"'], state="absent", **options)


def test_ipv6(old_and_new):
    cluster, look = old_and_new, hosts(old_and_new, "SHOW COMPUTE NODES")
    nodes = [{"host": "fd00::1"}]
    if cluster.version < (3, 3):
        refused(cluster, look, "IPv6 addresses of nodes came with StarRocks 3.3.0", "starrocks_compute_node",
                nodes=nodes, wait=False)
        return
    cluster.by_law("starrocks_compute_node", look, ['ALTER SYSTEM ADD COMPUTE NODE "[fd00::1]:9050"'],
                   nodes=nodes, wait=False)
    assert not cluster.succeed("starrocks_compute_node", nodes=[{"host": "[FD00:0::1]"}], wait=False)["changed"]
    (shown,) = [row[0] for row in look()]
    cluster.by_law("starrocks_compute_node", look, [f'ALTER SYSTEM DROP COMPUTE NODE "[{shown}]:9050"'], nodes=nodes,
                   state="absent")
