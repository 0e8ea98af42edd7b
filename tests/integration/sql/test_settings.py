# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Live settings of front ends and back ends, in the versions whose statements or errors differ."""

import os

import conftest
import pytest
from conftest import address

BALANCE = "tablet_sched_disable_balance"
REPAIR = "tablet_sched_repair_delay_factor_second"
# Of new_cluster; 11 is the front end of the cluster that the whole module shares.
FIRST, SECOND, THIRD = (address(number) for number in (10, 12, 13))


def values(cluster, *names, host=None):
    shown = {row["Key"]: row["Value"] for row in cluster.ask("ADMIN SHOW FRONTEND CONFIG", host)}
    return [shown[name] for name in names]


def statement(name, text, way=""):
    return f'ADMIN SET FRONTEND CONFIG ("{name}" = "{text}"){way}'


def file_of(cluster, number=0):
    return (cluster.nodes[number].home / "conf" / "fe.conf").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["2.5.22", "3.1.17", "3.3.15", "3.5.0", "4.2.0"])
def test_front_end(new_cluster, version):
    cluster = new_cluster(version)
    done = cluster.by_law(
        "starrocks_frontend_config", lambda: values(cluster, BALANCE, REPAIR),
        [statement(BALANCE, "true"), statement(REPAIR, 3600)],
        settings={"disable_balance": True, REPAIR: "3600", "default_replication_num": 3})
    assert done["diff"] == {"before": {FIRST: {BALANCE: "false", REPAIR: "60"}},
                            "after": {FIRST: {BALANCE: "true", REPAIR: "3600"}}}
    row = done["frontends"][0]
    assert (row["host"], row["query_port"], row["alive"], row["error"]) == (FIRST, 9030, True, None)
    assert row["settings"] == {BALANCE: True, REPAIR: 3600, "default_replication_num": 3}
    assert done["restart_required"] == []

    before = values(cluster, BALANCE, REPAIR)
    wrong = cluster.run("starrocks_frontend_config", settings={
        "tablet_shed_disable_balance": True, "query_port": 9999, BALANCE: "maybe", REPAIR: "abc",
        "tablet_sched_max_balancing_tablets": 7})
    assert wrong["failed"] and wrong["queries"] == [] and not wrong["changed"]
    for words in ("tablet_shed_disable_balance is no setting of a front end (did you mean " + BALANCE,
                  "query_port takes another value only with a restart", f"{BALANCE}: maybe is neither true nor false",
                  f"{REPAIR}: abc is no whole number (its type is long)"):
        assert words in wrong["msg"]
    assert wrong["restart_required"] == ["query_port"]
    assert values(cluster, BALANCE, REPAIR) == before
    assert values(cluster, "tablet_sched_max_balancing_tablets") != ["7"]

    some = cluster.succeed("starrocks_frontend_config", settings={"query_port": 9999, REPAIR: 60}, immutable="report")
    assert (some["changed"], some["restart_required"]) == (True, ["query_port"])
    assert values(cluster, "query_port", REPAIR) == ["9030", "60"]

    everything = {row["Key"]: row["Value"].strip("[]") if row["Type"].endswith("[]") else row["Value"]
                  for row in cluster.ask("ADMIN SHOW FRONTEND CONFIG")}
    same = cluster.succeed("starrocks_frontend_config", settings=everything)
    assert not same["changed"] and len(same["frontends"][0]["settings"]) == len(everything)


def test_one_statement(cluster):
    """What compare: one costs is counted by the server: no FE is asked for the list of front ends."""
    done = cluster.succeed("starrocks_frontend_config", settings={BALANCE: True}, compare="one")
    assert done["queries"] == [statement(BALANCE, "true")]
    assert done["frontends"][0]["settings"] == {BALANCE: True}
    assert not cluster.succeed("starrocks_frontend_config", settings={BALANCE: True}, compare="one")["changed"]
    forced = cluster.succeed("starrocks_frontend_config", settings={BALANCE: True}, compare="one", force=True)
    assert (forced["changed"], forced["queries"]) == (True, [statement(BALANCE, "true")])
    cluster.succeed("starrocks_frontend_config", settings={BALANCE: False})


@pytest.mark.parametrize("settings", [
    {}, {'x" = "1") --': "1"}, {BALANCE: None}, {BALANCE: {"a": 1}}, {"profile_info_format": "x\nquery_port = 1"},
    {"x" * 10000: 1}, {"sys_log_warn_modules": ["a,b"]}])
def test_bad_input_is_refused_before_anybody_is_asked(cluster, settings):
    refused = cluster.run("starrocks_frontend_config", settings=settings, login_hosts=["192.0.2.1"], connect_timeout=1)
    assert refused["failed"] and "settings" in refused["msg"] and "192.0.2.1" not in refused["msg"]


def test_hostile_values_are_quoted(cluster):
    hostile = """'; DROP USER root; -- " ) /* \\ ☃"""
    name = "authentication_ldap_simple_bind_base_dn"
    before = [row for row in cluster.ask("ADMIN SHOW FRONTEND CONFIG") if row["Key"] != name]
    cluster.succeed("starrocks_frontend_config", settings={name: hostile})
    assert values(cluster, name) == [hostile]
    assert [row for row in cluster.ask("ADMIN SHOW FRONTEND CONFIG") if row["Key"] != name] == before
    assert not cluster.succeed("starrocks_frontend_config", settings={name: hostile})["changed"]


def test_secrets(cluster):
    name, secret = "authentication_ldap_simple_bind_root_pwd", "5ecr3t w0rds"
    for check in (True, False, False):
        done = cluster.succeed("starrocks_frontend_config", check, settings={name: secret})
        assert secret not in str(done)
    assert not done["changed"]
    assert values(cluster, name) == [secret]
    refused = cluster.run("starrocks_frontend_config", settings={name: secret, "nosuch": 1})
    assert refused["failed"] and secret not in str(refused)


@pytest.fixture
def outside_of_a_container(monkeypatch, tmp_path):
    """Front ends do not see /.dockerenv, where they would not write their fe.conf (starrocks.md section 0.16)."""
    if not os.path.exists("/.dockerenv"):
        return
    if os.geteuid() != 0:
        pytest.skip("only root can take /.dockerenv out of a front end's sight")
    program = tmp_path / "outside"
    program.write_text(f"""#!/bin/sh -e
        mkdir -p {tmp_path}/root
        mount -t tmpfs none {tmp_path}/root
        for entry in /*; do
            if [ -h "$entry" ]; then cp -P "$entry" {tmp_path}/root
            elif [ -d "$entry" ]; then mkdir {tmp_path}/root"$entry"; mount --rbind "$entry" {tmp_path}/root"$entry"
            fi
        done
        exec chroot {tmp_path}/root "$@"
        """, encoding="utf-8")
    monkeypatch.setattr(conftest.Node, "before", ["unshare", "--mount", "sh", program])


@pytest.mark.parametrize("version", ["3.5.7", "4.2.0"])
def test_persistent(outside_of_a_container, new_cluster, version):
    cluster = new_cluster(version)
    written = file_of(cluster)
    for settings in ({"nosuch_key": 1}, {"query_port": 9999}, {REPAIR: "abc"}, {BALANCE: "maybe"},
                     {"disable_balanse": True}, {"profile_info_format": "${HOME}"}, {"profile_info_format": "a\\b"},
                     # Refused by the server alone, which would have written it by then.
                     {"authentication_chain": ["ldap"]}):
        refused = cluster.run("starrocks_frontend_config", settings=settings, persistent=True)
        assert refused["failed"], settings
        assert file_of(cluster) == written, settings

    cluster.by_law("starrocks_frontend_config", lambda: (values(cluster, BALANCE), file_of(cluster)),
                   [statement(BALANCE, "true"), statement(BALANCE, "true", " WITH PERSISTENT")],
                   settings={"disable_balance": True}, persistent=True)
    assert f"{BALANCE} = true" in file_of(cluster).splitlines()
    assert "disable_balance = true" not in file_of(cluster).splitlines()

    # What was set in memory only is not in the file; force writes it.
    cluster.succeed("starrocks_frontend_config", settings={REPAIR: 100})
    assert not cluster.succeed("starrocks_frontend_config", settings={REPAIR: 100}, persistent=True)["changed"]
    assert f"{REPAIR} = 100" not in file_of(cluster)
    assert cluster.succeed("starrocks_frontend_config", settings={REPAIR: 100}, persistent=True, force=True)["changed"]
    assert f"{REPAIR} = 100" in file_of(cluster).splitlines()


def test_a_front_end_that_may_not_write_its_file(new_cluster):
    """It says so, with what to do, and has its former value."""
    in_container = os.path.exists("/.dockerenv")
    if os.geteuid() == 0 and not in_container:
        pytest.skip("root may write any file")
    cluster = new_cluster("3.5.0")
    if not in_container:
        cluster.nodes[0].stop()
        (cluster.nodes[0].home / "conf" / "fe.conf").chmod(0o400)
        cluster.nodes[0].start().wait_for_port(9030)
    for _again in range(2):
        refused = cluster.run("starrocks_frontend_config", settings={BALANCE: True}, persistent=True)
        assert "current running mode is not persisted" in refused["msg"] and "leave persistent out" in refused["msg"]
        assert (refused["changed"], refused["queries"]) == (
            False, [statement(BALANCE, "true"), statement(BALANCE, "false")])
        assert refused["frontends"][0]["settings"] == {BALANCE: False}
        assert values(cluster, BALANCE) == ["false"]


@pytest.mark.parametrize("version", ["2.5.22", "3.4.4"])
def test_versions_that_do_not_write_the_file(new_cluster, version):
    cluster = new_cluster(version)
    written = file_of(cluster)
    refused = cluster.run("starrocks_frontend_config", settings={BALANCE: True}, persistent=True)
    assert f"WITH PERSISTENT came with StarRocks 3.5.0, and this is {version}" in refused["msg"]
    assert values(cluster, BALANCE) == ["false"] and file_of(cluster) == written


def joined(cluster, number):
    """One more follower, alive."""
    node = cluster.node("fe", number)
    cluster.succeed("starrocks_frontend", host=node.host, role="follower", wait=False)
    node.start("--helper", f"{FIRST}:9010")
    cluster.succeed("starrocks_frontend", host=node.host, role="follower", wait_timeout=60)
    return node


@pytest.mark.parametrize("version", ["3.3.15", "3.5.0", "4.2.0"])
def test_three_front_ends(new_cluster, version):
    cluster = new_cluster(version)
    second, third = joined(cluster, 12), joined(cluster, 13)
    hosts = [FIRST, SECOND, THIRD]

    def balances():
        return [values(cluster, BALANCE, host=host)[0] for host in hosts]

    # Whichever is asked, all have it.
    done = cluster.by_law("starrocks_frontend_config", balances, [statement(BALANCE, "true")], login_hosts=[SECOND],
                          settings={BALANCE: True})
    assert balances() == ["true", "true", "true"]
    assert done["diff"]["after"] == {host: {BALANCE: "true"} for host in hosts}
    assert sorted(row["host"] for row in done["frontends"]) == hosts

    # One that restarts has forgotten it: another one alone does not know that.
    second.stop()
    second.start().wait_for_port(9030)
    cluster.succeed("starrocks_frontend", host=SECOND, role="follower", wait_timeout=60)
    assert balances() == ["true", "false", "true"]
    assert not cluster.succeed("starrocks_frontend_config", settings={BALANCE: True}, compare="one")["changed"]
    again = cluster.succeed("starrocks_frontend_config", settings={BALANCE: True})
    # The others may still hold a connection of the process before, and then say "Socket is closed by peer" once.
    assert again["changed"] and set(again["queries"]) == {statement(BALANCE, "true")}
    assert not cluster.succeed("starrocks_frontend_config", settings={BALANCE: True})["changed"]
    assert again["diff"] == {"before": {SECOND: {BALANCE: "false"}}, "after": {SECOND: {BALANCE: "true"}}}
    assert balances() == ["true", "true", "true"]

    # One that died is shown alive for a while; then it is named, and the others are set all the same.
    third.stop()
    hosts.remove(THIRD)
    mixed = cluster.by_law("starrocks_frontend_config", balances,
                           [statement(BALANCE, "false"), statement(REPAIR, "100")],
                           settings={BALANCE: False, REPAIR: 100})
    assert balances() == ["false", "false"]
    assert f"front end {THIRD}: it is not alive" in str(mixed["warnings"])
    rows = {row["host"]: row for row in mixed["frontends"]}
    assert rows[FIRST]["settings"] == rows[SECOND]["settings"] == {BALANCE: False, REPAIR: 100}
    assert (rows[THIRD]["settings"], rows[THIRD]["alive"]) == (None, False)
    assert "not alive" in rows[THIRD]["error"]


# Back ends.

TRASH = "trash_file_expire_time_sec"
FLOOD = "storage_flood_stage_usage_percent"


def update(name, text, *ids):
    nodes = f"= {ids[0]}" if len(ids) == 1 else f"IN ({', '.join(map(str, ids))})"
    return f"UPDATE information_schema.be_configs SET VALUE = '{text}' WHERE NAME = '{name}' AND BE_ID {nodes}"


@pytest.fixture
def back_ends(new_cluster):
    """A function: a cluster of a version with back ends 21 and 22 and, from 2.5 on, compute node 23; their ids too."""
    def register(version):
        cluster = new_cluster(version)
        kinds = {"starrocks_backend": ("be", [21, 22]), "starrocks_compute_node": ("cn", [23])}
        for module, (kind, numbers) in kinds.items():
            for number in numbers:
                cluster.node(kind, number).start()
            cluster.succeed(module, nodes=[{"host": address(number)} for number in numbers], wait_timeout=60)
        ids = [int(row["BackendId"]) for row in cluster.ask("SHOW BACKENDS")]
        ids += [int(row["ComputeNodeId"]) for row in cluster.ask("SHOW COMPUTE NODES")]
        return cluster, ids
    return register


def told(cluster, *names):
    """{(id, name): value} as the nodes tell it."""
    rows = cluster.ask("SELECT BE_ID, NAME, VALUE FROM information_schema.be_configs")
    return {(int(row["BE_ID"]), row["NAME"]): row["VALUE"] for row in rows if row["NAME"] in names}


@pytest.mark.parametrize("version", ["3.1.17", "3.3.15", "3.5.0", "4.2.0"])
def test_back_ends(back_ends, version):
    cluster, (first, second, third) = back_ends(version)
    done = cluster.by_law("starrocks_backend_config", lambda: told(cluster, TRASH, FLOOD),
                          [update(TRASH, 3600, first, second, third), update(FLOOD, 97, first, second, third)],
                          settings={TRASH: 3600, FLOOD: "97", "heartbeat_service_port": 9050})
    assert done["diff"]["after"][f"{address(21)}:9050"] == {TRASH: "3600", FLOOD: "97"}
    assert [(row["be_id"], row["kind"], row["error"]) for row in done["backends"]] == [
        (first, "back end", None), (second, "back end", None), (third, "compute node", None)]
    assert all(row["settings"] == {TRASH: 3600, FLOOD: 97, "heartbeat_service_port": 9050} for row in done["backends"])

    one = cluster.by_law("starrocks_backend_config", lambda: told(cluster, TRASH), [update(TRASH, 7200, second)],
                         nodes=[f"{address(22)}:9050"], settings={TRASH: 7200})
    assert [row["be_id"] for row in one["backends"]] == [second]
    assert set(told(cluster, TRASH).values()) == {"3600", "7200"}
    both = cluster.by_law("starrocks_backend_config", lambda: told(cluster, TRASH), [update(TRASH, 60, second, third)],
                          nodes=[str(third), address(22)], settings={TRASH: 60})
    assert sorted(row["be_id"] for row in both["backends"]) == [second, third]

    before = told(cluster, TRASH, FLOOD, "be_port")
    wrong = cluster.run("starrocks_backend_config", settings={
        "trash_file_expire_time": 1, "be_port": 9061, FLOOD: "much", TRASH: 1})
    for words in (f"trash_file_expire_time is no setting of a back end (did you mean {TRASH}?)",
                  "be_port takes another value only with a restart", f"{FLOOD}: much is no whole number"):
        assert words in wrong["msg"]
    assert wrong["failed"] and wrong["queries"] == [] and told(cluster, TRASH, FLOOD, "be_port") == before
    some = cluster.succeed("starrocks_backend_config", settings={"be_port": 9061, FLOOD: 90}, immutable="report")
    assert (some["changed"], some["restart_required"]) == (True, ["be_port"])

    # A node that restarts has forgotten them.
    cluster.nodes[2].stop()
    cluster.nodes[2].start()
    cluster.succeed("starrocks_wait", conditions=[{"condition": "alive", "kind": "backends"}], timeout=60)
    again = cluster.run("starrocks_backend_config", settings={FLOOD: 90})
    assert again["queries"] == [update(FLOOD, 90, second)], again

    # A dead one is named; asked for by name it is an error.
    cluster.nodes[2].stop()
    rest = cluster.succeed("starrocks_backend_config", settings={FLOOD: 80})
    assert f"back end {address(22)}:9050: it is not alive" in str(rest["warnings"])
    assert rest["queries"] == [update(FLOOD, 80, first, third)]
    assert [row["settings"] for row in rest["backends"]] == [{FLOOD: 80}, None, {FLOOD: 80}]
    dead = cluster.run("starrocks_backend_config", nodes=[address(22), "192.0.2.7", "77"], settings={FLOOD: 80})
    assert "%s is not alive" % address(22) in dead["msg"]
    assert "192.0.2.7 is not registered" in dead["msg"] and "77 is not registered" in dead["msg"]


def test_back_ends_of_2_5(back_ends):
    cluster, _ids = back_ends("2.5.22")
    before = told(cluster, TRASH)
    same = cluster.succeed("starrocks_backend_config", settings={TRASH: next(iter(before.values()))})
    assert not same["changed"]
    refused = cluster.run("starrocks_backend_config", settings={TRASH: 5})
    assert "came with StarRocks 3.0.0, and this is 2.5.22" in refused["msg"] and "be.conf" in refused["msg"]
    assert told(cluster, TRASH) == before


def test_no_back_end(cluster):
    refused = cluster.run("starrocks_backend_config", settings={TRASH: 5})
    assert "no back end and no compute node is alive" in refused["msg"]


@pytest.mark.parametrize("arguments, words", [
    ({"settings": {}}, "settings is empty"),
    ({"settings": {"a' OR 1=1": 1}}, "is no name of a setting"),
    ({"settings": {TRASH: 'x"y'}}, "quotation mark"),
    ({"settings": {TRASH: 1}, "nodes": []}, "nodes is empty"),
    ({"settings": {TRASH: 1}, "nodes": ["be1", "be1"]}, "names be1 twice"),
    ({"settings": {TRASH: None}, "nodes": ["be1; DROP", "be1:99999"]}, "be1; DROP"),
])
def test_bad_input_for_back_ends(cluster, arguments, words):
    refused = cluster.run("starrocks_backend_config", **arguments, login_hosts=["192.0.2.1"], connect_timeout=1)
    assert refused["failed"] and words in refused["msg"] and "192.0.2.1" not in refused["msg"]
