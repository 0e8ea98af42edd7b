# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, asked by ansible-inventory, against a cluster with nodes of every kind, alive and dead."""

import json
import time

import pytest
import yaml
from conftest import BROKER_PORT, PASSWORD, address, run_ansible

LEADER, OBSERVER, BACKEND, DEAD_BACKEND, COMPUTE_NODE = (address(number) for number in (11, 12, 21, 22, 31))
PLUGIN = "starrocks.cluster.starrocks"


def grown(cluster):
    """The cluster with a back end beside the leader, and others that never lived."""
    for statement in (
        f'ALTER SYSTEM ADD OBSERVER "{OBSERVER}:9010"',
        f'ALTER SYSTEM ADD BACKEND "{LEADER}:9050", "{BACKEND}:9050", "{BACKEND}:9051", "{DEAD_BACKEND}:9050"',
        f'ALTER SYSTEM ADD COMPUTE NODE "{COMPUTE_NODE}:9050"',
        f'ALTER SYSTEM ADD BROKER "b1" "{LEADER}:{BROKER_PORT}"',
        f'ALTER SYSTEM MODIFY BACKEND "{BACKEND}:9050" SET ("labels.location" = "rack:r1")',
        f'ALTER SYSTEM MODIFY BACKEND "{DEAD_BACKEND}:9050" SET ("labels.location" = "rack:r2")',
    ):
        cluster.ask(statement)
    cluster.node("be", 11).start()
    cluster.succeed("starrocks_backend", nodes=[{"host": LEADER}], wait_timeout=60)
    # The row of a node that never lived changes once more, when its fourth heartbeat has failed.
    end = time.monotonic() + 60
    while not all(row["Alive"] == "true" or row["ErrMsg"] for statement in ("SHOW BACKENDS", "SHOW COMPUTE NODES")
                  for row in cluster.ask(statement)):
        assert time.monotonic() < end, "heartbeats to the dead do not fail"
        time.sleep(0.2)
    return cluster


@pytest.fixture(scope="module")
def living(cluster):
    return grown(cluster)


def inventory(folder, *arguments, environment=None, name="a.starrocks.yml", **options):
    """Run ansible-inventory with a file of these options; returns the finished process. None takes an option away."""
    settings = {"plugin": PLUGIN, "login_hosts": [LEADER], "login_password": PASSWORD, **options}
    source = folder / name
    source.write_text(yaml.safe_dump({name: value for name, value in settings.items() if value is not None}))
    done = run_ansible(["ansible-inventory", "--inventory", source, *(arguments or ["--list"])], folder, environment)
    assert PASSWORD not in done.stderr and json.dumps(PASSWORD)[1:-1] not in done.stdout
    return done


def understood(done):
    """What --list printed. Texts that are no templates come marked as such."""
    assert "Failed to parse" not in done.stderr and done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))


def hosts_of(found):
    return {name: set(group["hosts"]) for name, group in found.items() if "hosts" in group}


def refused(done):
    """What is said of a source that cannot be read."""
    assert "Failed to parse" in done.stderr, done.stdout
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_groups_and_variables(living, tmp_path):
    done = inventory(tmp_path)
    assert f"{BACKEND} has several nodes in SHOW BACKENDS; that of port 9051" in done.stderr
    # What a server says is no template, in no version of Ansible.
    assert '"__ansible_unsafe": "rack:r1"' in done.stdout
    found = understood(done)
    second = f"{BACKEND}_9051"
    assert hosts_of(found) == {
        "starrocks_fe": {LEADER, OBSERVER},
        "starrocks_be": {LEADER, BACKEND, second, DEAD_BACKEND},
        "starrocks_cn": {COMPUTE_NODE},
        "starrocks_broker": {LEADER},
    }
    variables = found["_meta"]["hostvars"]
    rows = {host: variables[host].pop("starrocks_live") for host in variables}
    common = {"starrocks_version": "3.5.0", "starrocks_host_type": "IP", "starrocks_run_mode": "shared_nothing"}
    assert variables[LEADER] == {
        "ansible_host": LEADER, "starrocks_address": LEADER, **common, "starrocks_fe_role": "follower",
        "starrocks_fe_edit_log_port": 9010, "starrocks_fe_http_port": 8030, "starrocks_fe_query_port": 9030,
        "starrocks_fe_rpc_port": 9020, "starrocks_be_heartbeat_service_port": 9050, "starrocks_be_be_port": 9060,
        "starrocks_be_be_http_port": 8040, "starrocks_be_brpc_port": 8060, "starrocks_broker_name": "b1",
        "starrocks_broker_ipc_port": BROKER_PORT,
    }
    # Of nodes that never lived, the cluster knows what they were registered with, and the port that all share.
    assert variables[OBSERVER] == {
        "ansible_host": OBSERVER, "starrocks_address": OBSERVER, **common, "starrocks_fe_role": "observer",
        "starrocks_fe_edit_log_port": 9010, "starrocks_fe_http_port": 8030,
    }
    assert variables[second] == {"ansible_host": BACKEND, "starrocks_address": BACKEND, **common,
                                 "starrocks_be_heartbeat_service_port": 9051}
    assert variables[COMPUTE_NODE] == {"ansible_host": COMPUTE_NODE, "starrocks_address": COMPUTE_NODE, **common,
                                       "starrocks_cn_heartbeat_service_port": 9050}
    assert set(rows[LEADER]) == {"fe", "be", "broker"} and rows[LEADER]["be"]["alive"] is True
    assert rows[BACKEND]["be"]["location"] == "rack:r1"
    asked = living.succeed("starrocks_cluster_info", subset=["compute_nodes"])["compute_nodes"]
    assert rows[COMPUTE_NODE] == {"cn": asked[0]}


def test_names_groups_and_variables_of_the_user(living, tmp_path):
    found = understood(inventory(
        tmp_path,
        login_hosts=[address(99), LEADER],
        hostnames=["nothing_such", "'node-' ~ starrocks_address.split('.')[3] ~ starrocks_live.be.heartbeat_port"
                   " | default('')", "'node-' ~ starrocks_address.split('.')[3]"],
        compose={"rack": "starrocks_live.be.location.split(':')[1]"},
        groups={"dead": "starrocks_live.values() | rejectattr('alive') | length > 0"},
        keyed_groups=[{"key": "starrocks_live.be.location | default('')", "prefix": "", "separator": ""}],
    ))
    groups = hosts_of(found)
    assert groups["rack_r1"] == {"node-219050"} and groups["rack_r2"] == {"node-229050"}
    # Beside the leader a broker never started; all others never did.
    assert groups["dead"] == {"node-119050", "node-12", "node-219050", "node-219051", "node-229050", "node-31"}
    assert found["_meta"]["hostvars"]["node-219050"]["rack"] == "r1"
    assert "rack" not in found["_meta"]["hostvars"]["node-12"]


def test_two_hosts_of_one_name_are_refused(living, tmp_path):
    told = refused(inventory(tmp_path, hostnames=["'same'"]))
    assert f"{LEADER} and " in told or f" and {LEADER} would both be called same" in told
    told = refused(inventory(tmp_path, hostnames=["no_such"], strict=True))
    assert f"hostnames: no_such for {LEADER}" in told


def test_variables_of_the_user_win(living, tmp_path):
    """The version is a variable of the group all, so group_vars, where an upgrade is written down, overrule it."""
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("starrocks_version: 3.5.7\n")
    variables = understood(inventory(tmp_path))["_meta"]["hostvars"]
    assert {own["starrocks_version"] for own in variables.values()} == {"3.5.7"}


def test_the_connection_may_come_from_the_environment(living, tmp_path):
    environment = {"STARROCKS_LOGIN_HOSTS": f"{address(99)},{LEADER}", "STARROCKS_LOGIN_PASSWORD": PASSWORD}
    found = understood(inventory(tmp_path, login_hosts=None, login_password=None, environment=environment))
    assert OBSERVER in hosts_of(found)["starrocks_fe"]
    template = "{{ lookup('ansible.builtin.env', 'OUR_PASSWORD') }}"
    found = understood(inventory(tmp_path, login_password=template, environment={"OUR_PASSWORD": PASSWORD}))
    assert OBSERVER in hosts_of(found)["starrocks_fe"]


@pytest.mark.parametrize("options, told", [
    ({"login_password": "wrong"}, "Access denied for user 'root'"),
    ({"login_hosts": [address(99)]}, "no front end could be logged in to"),
    ({"login_hosts": []}, "login_hosts"),
    ({"login_hosts": ["fe1; DROP"]}, "neither an address nor a host name"),
    ({"login_hosts": None}, "login_hosts"),
    ({"login_port": 8030}, "no front end could be logged in to"),
])
def test_what_does_not_answer_is_told_in_words(living, tmp_path, options, told):
    assert told in refused(inventory(tmp_path, connect_timeout=2, **options))


def test_a_file_of_another_name_is_not_taken(living, tmp_path):
    assert "could not be verified" in refused(inventory(tmp_path, name="cluster.yml"))


def test_cache(new_cluster, tmp_path):
    """With a cache, the cluster is asked once; a refresh asks again. 2.5 has neither ids nor locations."""
    cluster = new_cluster("2.5.22")
    cluster.ask(f'ALTER SYSTEM ADD BACKEND "{BACKEND}:9050"')
    options = {"login_hosts": [cluster.first], "login_password": None, "cache": True, "cache_timeout": 600,
               "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    first = understood(inventory(tmp_path, **options))
    assert hosts_of(first) == {"starrocks_fe": {cluster.first}, "starrocks_be": {BACKEND}}
    cluster.ask(f'ALTER SYSTEM DROP BACKEND "{BACKEND}:9050" FORCE')
    assert understood(inventory(tmp_path, **options)) == first
    assert "" == refresh(tmp_path)
    refreshed = understood(inventory(tmp_path, **options))
    assert hosts_of(refreshed) == {"starrocks_fe": {cluster.first}}
    cluster.stop()
    assert understood(inventory(tmp_path, **options)) == refreshed
    assert "no front end could be logged in to" in refresh(tmp_path)


def refresh(folder):
    """What is said when the file of the last inventory is read anew."""
    book = folder / "book.yml"
    book.write_text("[{hosts: all}]")
    done = run_ansible(["ansible-playbook", "--flush-cache", "--list-hosts", "--inventory", folder / "a.starrocks.yml",
                        book], folder)
    return " ".join(done.stderr.split())


def test_without_a_leader_the_view_of_one_front_end_is_taken(new_cluster, tmp_path):
    cluster = new_cluster("3.5.0")
    cluster.ask(f'ALTER SYSTEM ADD FOLLOWER "{OBSERVER}:9010"')
    follower = cluster.node("fe", 12).start("--helper", f"{cluster.first}:9010").wait_for_port(9030)
    cluster.succeed("starrocks_frontend", host=OBSERVER, wait_timeout=60)
    cluster.nodes[0].stop()
    done = inventory(tmp_path, login_hosts=[follower.host], login_password=None)
    assert "the cluster has no leader" in done.stderr
    assert hosts_of(understood(done))["starrocks_fe"] == {cluster.first, OBSERVER}
