# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles of the user's own playbook have made, seen by SQL and on the hosts."""

EVERYTHING = {"fe": ["p1"], "be": ["p1", "p2"], "broker": ["p3"]}


def test_everything_is_alive_under_its_name(cluster):
    cluster.wait_alive(**EVERYTHING)
    rows = [row for kind in EVERYTHING for row in cluster.rows(kind).values()]
    assert sorted(row["IP"] for row in rows) == [
        f"{name}.mol-roles.test" for name in ("p1", "p1", "p2", "p3")]  # fmt: skip


def test_ports_are_those_asked_for(cluster):
    (frontend,) = cluster.rows("fe").values()
    assert (frontend["EditLogPort"], frontend["HttpPort"], frontend["QueryPort"], frontend["RpcPort"]) == (
        "19010", "18030", "19030", "19020")  # fmt: skip
    assert {row["HeartbeatPort"] for row in cluster.rows("be").values()} == {"19050"}
    (broker,) = cluster.rows("broker").values()
    assert (broker["Name"], broker["Port"]) == ("hdfs", "18000")


def test_folders_and_account_are_those_asked_for(cluster):
    for (name, _), pid in cluster.pids().items():
        (process,) = cluster.on(name).process.filter(pid=pid)
        assert process.user == "olap"
    for name in cluster.hosts:
        assert not any(cluster.on(name).file(path).exists for path in (
            "/opt/starrocks", "/var/lib/starrocks", "/var/log/starrocks"))  # fmt: skip
    site = cluster.on("p3").file("/srv/starrocks/release/apache_hdfs_broker/conf/hdfs-site.xml")
    assert "<name>dfs.nameservices</name><value>sales &amp; more</value>" in site.content_string


def test_the_playbooks_take_over_what_the_roles_made(cluster):
    pids = cluster.pids()
    assert cluster.play("deploy").changed == 0
    assert cluster.pids() == pids


def test_the_account_for_reports_can_log_in(cluster):
    with cluster.connect("p1", user="reports") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall()
