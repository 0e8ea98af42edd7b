# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An older StarRocks on the JDK of a newer system, with SHOW tables of its own."""

EVERYTHING = {"fe": ["o1"], "be": ["o1"], "broker": ["o1"]}


def test_everything_is_alive(cluster):
    cluster.wait_alive(**EVERYTHING)
    (frontend,) = cluster.rows("fe").values()
    assert frontend["Version"].startswith("3.1.17") and "Id" not in frontend


def test_it_runs_on_a_jdk_that_its_own_settings_do_not_start_on(cluster):
    host = cluster.on("o1")
    assert "17." in host.run("java -version").stderr
    settings = host.file("/opt/starrocks/fe/conf/fe.conf").content_string
    assert "-XX:+UseConcMarkSweepGC" not in settings
    assert "--add-opens" in settings or "--add-exports" in settings or "G1GC" in settings


def test_status_reads_its_tables(cluster):
    assert "Alive: 1 of 1 front end, 1 of 1 back end, 1 of 1 broker." in cluster.play("status").words


def test_stop_and_start(cluster):
    cluster.play("stop")
    assert cluster.pids() == {}
    cluster.play("start")
    cluster.wait_alive(**EVERYTHING)
