# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preflight says of hosts that are well: before a cluster is there, while it runs, and when a part is down."""

import re

import pytest
from shared.cluster import differences, wait_for
from shared.table import headline, rows

HOSTS = ["g1", "g2"]
EVERYTHING = {"fe": ["g1", "g2"], "be": ["g1"], "broker": ["g1"]}

# What test hosts cannot have: their kernel, clock and disks are those of the machine.
OF_THE_MACHINE = {"clock", "disk", "disk_size", "filesystem", "huge_pages", "overcommit", "process_limit", "swap",
                  "swappiness"}  # fmt: skip


def listeners(cluster) -> str:
    """What is left of the processes that listen for the moment of the check."""
    return "".join(cluster.on(name).run("pgrep -f -- '- starrocks-preflight-listener'").stdout for name in HOSTS)


@pytest.mark.parametrize("arguments", [["--check"], []], ids=["check mode", "for real"])
def test_bare_hosts_can_take_a_cluster(cluster, arguments):
    before = {name: cluster.files(name) for name in HOSTS}
    played = cluster.play("preflight", *arguments)
    assert headline(played)["failures"] == 0 and headline(played)["hosts"] == 2
    # Each host has reached every port of the other: that is no row, but counted among what is well.
    assert {row.check for row in rows(played)} <= {*OF_THE_MACHINE, "pymysql"}
    assert played.changed == 0 and listeners(cluster) == ""
    assert {name: differences(before[name], cluster.files(name)) for name in HOSTS} == {"g1": {}, "g2": {}}


def test_what_is_left_out_is_said(cluster):
    skip = [*sorted(OF_THE_MACHINE), "pymysql", "cores", "cpu_avx2", "memory", "open_files"]
    played = cluster.play("preflight", extra={"starrocks_preflight_skip": skip})
    assert headline(played)["well"] > 10 and rows(played) == []
    assert re.search(r"Left out by starrocks_preflight_skip: .*swappiness", played.words)


def test_what_the_role_can_mend_is_mended_when_asked_for(cluster):
    cluster.on("g2").check_output("DEBIAN_FRONTEND=noninteractive apt-get -q -y purge 'openjdk-17-*'")
    found = {(row.check, row.status, row.hosts) for row in rows(cluster.play("preflight"))}
    assert {("jdk", "warning", "g2"), ("pymysql", "warning", "g1")} <= found
    played = cluster.play("preflight", extra={"starrocks_preflight_fix": True})
    assert played.changed > 0
    assert {row.check for row in rows(played)} <= OF_THE_MACHINE
    assert cluster.on("g2").run("java -version").rc == 0
    assert cluster.on("g1").file("/etc/security/limits.d/99-starrocks.conf").exists
    assert cluster.play("preflight", extra={"starrocks_preflight_fix": True}).changed == 0


def test_a_deploy_begins_with_it(cluster):
    played = cluster.play("deploy")
    assert headline(played)["failures"] == 0
    assert played.output.index("Preflight of StarRocks cluster story") < played.output.index("Install the release")
    cluster.wait_alive(**EVERYTHING)


def test_a_cluster_that_runs_is_well_and_not_disturbed(cluster):
    pids = cluster.pids()
    played = cluster.play("preflight")
    assert headline(played)["failures"] == 0 and played.changed == 0
    assert {row.check for row in rows(played)} <= OF_THE_MACHINE
    assert cluster.pids() == pids and listeners(cluster) == ""


def test_a_deploy_that_finds_all_running_leaves_the_network_out(cluster):
    played = cluster.play("deploy")
    assert played.changed == 0 and "Reach for each other" not in played.output


def test_a_node_that_is_down_has_its_port_tried_and_gets_it(cluster):
    """Somebody listens on its free port for a moment; the node starts there right after."""
    cluster.on("g1").check_output("systemctl stop starrocks-be")
    played = cluster.play("deploy")
    assert "Reach for each other" in played.output and headline(played)["failures"] == 0
    cluster.wait_alive(**EVERYTHING)
    assert listeners(cluster) == ""


def test_a_listener_that_a_cut_off_run_left_is_no_stranger(cluster):
    cluster.on("g1").check_output("systemctl stop starrocks-be")
    playing = cluster.start("preflight")
    playing.until("TASK [starrocks.cluster.common : Gather who listens where]")
    playing.kill()
    wait_for(lambda: listeners(cluster), 5, "a listener is left")
    played = cluster.play("deploy")
    assert headline(played)["failures"] == 0
    cluster.wait_alive(**EVERYTHING)
    assert listeners(cluster) == ""
