# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host from its deploy to its destruction. The tests are the parts of one story, in this order."""

import re

import pymysql
import pytest
from shared.cluster import UNITS, differences

EVERYTHING = {"fe": ["s1"], "be": ["s1"], "broker": ["s1"]}
CONFIGURATION = {
    "fe": "/opt/starrocks/fe/conf/fe.conf",
    "be": "/opt/starrocks/be/conf/be.conf",
    "broker": "/opt/starrocks/apache_hdfs_broker/conf/apache_hdfs_broker.conf",
}

# What a destroyed cluster leaves: packages, and the notes that apt, useradd and the journal keep of what went on.
LEFT_BEHIND = re.compile(
    r"/usr/(lib|share|local|bin)/.*(py|doc|lintian).*"
    r"|/var/(lib/(dpkg|apt|systemd)|cache/(apt|debconf|ldconfig|man)|log)/.*|/var/cache/ldconfig.*"
    r"|/etc/(passwd|shadow|group|gshadow|subuid|subgid)-?|/etc/\.pwd\.lock|/etc/ld\.so\.cache"
)


def test_everything_is_alive(cluster):
    cluster.wait_alive(**EVERYTHING)
    (frontend,), (backend,), (broker,) = (cluster.rows(kind).values() for kind in EVERYTHING)
    assert (frontend["Role"], frontend["EditLogPort"], frontend["QueryPort"]) == ("LEADER", "9010", "9030")
    assert frontend["Version"].startswith("3.5.0") and backend["Version"].startswith("3.5.0")
    assert (backend["HeartbeatPort"], backend["BePort"], backend["HttpPort"], backend["BrpcPort"]) == (
        "9050", "9060", "8040", "8060")  # fmt: skip
    assert (broker["Name"], broker["Port"]) == ("broker", "8000")


@pytest.mark.parametrize("password", ["", "wrong"])
def test_root_needs_the_password(cluster, password):
    with pytest.raises(pymysql.err.OperationalError, match="1045.*Access denied"):
        cluster.connect("s1", password)


@pytest.mark.parametrize("kind", EVERYTHING)
def test_systemd_keeps_the_node(cluster, kind):
    host, unit = cluster.on("s1"), UNITS[kind]
    assert host.service(unit).is_running and host.service(unit).is_enabled
    (process,) = host.process.filter(pid=cluster.pids()["s1", unit])
    assert process.user == "starrocks"
    limits = host.check_output(f"cat /proc/{process.pid}/limits")
    assert re.search(r"Max open files +20000 +20000", limits)
    unit_file = host.file(f"/etc/systemd/system/{unit}.service")
    assert (unit_file.user, unit_file.mode) == ("root", 0o644)


@pytest.mark.parametrize(("kind", "path"), CONFIGURATION.items())
def test_configuration_is_whole_sorted_and_private(cluster, kind, path):
    file = cluster.on("s1").file(path)
    assert (file.user, file.group, file.mode) == ("starrocks", "starrocks", 0o640)
    lines = file.content_string.splitlines()
    assert lines[0].startswith("# Managed by Ansible")
    keys = [re.split(r"\s*=", line)[0] for line in lines[1:]]
    assert keys == sorted(keys) and len(keys) == len(set(keys))


def test_configuration_says_what_was_asked_for(cluster):
    text = cluster.on("s1").file(CONFIGURATION["fe"]).content_string
    for line in ("http_port = 8030", "rpc_port = 9020", "query_port = 9030", "edit_log_port = 9010",
                 "heartbeat_timeout_second = 1", "priority_networks = 10.213.0.0/16",
                 "meta_dir = /var/lib/starrocks/fe/meta"):  # fmt: skip
        assert f"\n{line}\n" in text
    assert "-Xmx256m" in text


def test_check_mode_after_the_deploy_changes_nothing(cluster):
    pids = cluster.pids()
    played = cluster.play("deploy", "--check", "--diff")
    assert played.changed == 0
    assert cluster.pids() == pids


def test_a_second_deploy_changes_nothing_and_tells_no_secret(cluster):
    """Molecule's idempotence counts changes; processes and, with all there is to say, secrets are looked at here."""
    pids, files = cluster.pids(), cluster.files("s1")
    played = cluster.play("deploy", "-vvv", "--diff")
    assert played.changed == 0
    assert cluster.pids() == pids
    # The cluster writes its own metadata, storage and logs.
    changed = differences(files, cluster.files("s1"))
    assert [path for path in changed if not path.startswith(("/var/lib/starrocks/", "/var/log/"))] == []


def test_status_prints_one_table(cluster):
    played = cluster.play("status")
    address = re.escape(cluster.address("s1"))
    for line in (
        rf"front end +s1 +{address}:9010 +leader +3\.5\.0\S* +yes",
        rf"back end +s1 +{address}:9050 +3\.5\.0\S* +yes",
        rf"broker +s1 +{address}:8000 +broker +yes",
        r"Alive: 1 of 1 front end, 1 of 1 back end, 1 of 1 broker\.",
    ):
        assert re.search(line, played.output), line
    assert played.changed == 0


def test_a_new_setting_waits_for_a_restart_and_a_hand_made_one_goes(cluster):
    host, pids = cluster.on("s1"), cluster.pids()
    host.check_output(f"echo 'query_port = 1' >> {CONFIGURATION['fe']}")
    host.check_output(f"chmod 0666 {CONFIGURATION['broker']}")
    settings = {"starrocks_be_config": {"min_file_descriptor_number": 1000, "tablet_max_versions": 777}}
    played = cluster.play("deploy", "--diff", extra=settings)
    assert "+tablet_max_versions = 777" in played.output and "-query_port = 1" in played.output
    assert re.search(r"Waits for a restart to see its new files: .*starrocks-be.* on s1", played.output)
    assert "\ntablet_max_versions = 777\n" in host.file(CONFIGURATION["be"]).content_string
    assert "query_port = 1\n" not in host.file(CONFIGURATION["fe"]).content_string
    assert host.file(CONFIGURATION["broker"]).mode == 0o640
    assert cluster.pids() == pids
    assert cluster.play("deploy", extra=settings).changed == 0


def test_the_dead_come_back(cluster):
    """The units start again what was killed."""
    pids = cluster.pids()
    cluster.on("s1").check_output(f"kill -9 {' '.join(map(str, pids.values()))}")
    cluster.wait_alive(**EVERYTHING)
    after = cluster.pids()
    assert after.keys() == pids.keys() and not set(after.values()) & set(pids.values())


def test_stop_and_start(cluster):
    cluster.sql("CREATE DATABASE kept")
    pids = cluster.pids()
    cluster.play("stop")
    assert cluster.pids() == {}
    assert cluster.on("s1").run("pgrep -u starrocks").stdout == ""
    assert "No front end answers." in cluster.play("status").output
    played = cluster.play("start")
    assert "Alive: 1 of 1 front end, 1 of 1 back end, 1 of 1 broker." in played.words
    cluster.wait_alive(**EVERYTHING)
    assert not set(cluster.pids().values()) & set(pids.values())
    assert cluster.play("start").changed == 0


def test_destroy_asks_for_the_name_of_the_cluster(cluster):
    pids = cluster.pids()
    for given in ({}, {"starrocks_destroy_confirm": "starrocks"}):
        played = cluster.play("destroy", extra=given, status=None)
        assert "-e starrocks_destroy_confirm=story" in played.words
    assert cluster.pids() == pids


def test_destroy_keeps_the_data_and_deploy_finds_it_again(cluster):
    ids = cluster.cluster_ids()
    assert len(ids) == 1
    cluster.play("destroy", extra={"starrocks_destroy_confirm": "story"})
    host = cluster.on("s1")
    assert cluster.units("s1") == {}
    assert not host.file("/opt/starrocks").exists
    assert host.file("/var/lib/starrocks/fe/meta/image/VERSION").exists
    assert host.file("/var/lib/starrocks/be/storage/cluster_id").exists
    cluster.play("deploy")
    cluster.wait_alive(**EVERYTHING)
    assert cluster.cluster_ids() == ids
    assert {"Database": "kept"} in cluster.sql("SHOW DATABASES")


def test_destroy_with_the_data_leaves_a_clean_host(cluster):
    confirmed = {"starrocks_destroy_confirm": "story", "starrocks_destroy_data": True}
    cluster.play("destroy", extra=confirmed)
    host = cluster.on("s1")
    left = differences(cluster.recall("bare"), cluster.files("s1"))
    assert [path for path in left if not LEFT_BEHIND.fullmatch(path)] == []
    assert "starrocks" not in host.check_output("cat /etc/passwd /etc/group /etc/shadow")
    assert cluster.units("s1") == {}
    assert host.run("pgrep -f starrocks").stdout == ""
    assert cluster.play("destroy", extra=confirmed).changed == 0
