# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Older releases on the JDK of a newer system. The tests are the parts of one story, in this order."""

import re
import subprocess
import tarfile
from pathlib import Path

from shared.cluster import PROJECT

EVERYTHING = {"fe": ["o1"], "be": ["o1"], "broker": ["o1"]}
FE_CONF = "/opt/starrocks/fe/conf/fe.conf"


def java_options(settings: str, key: str = "JAVA_OPTS") -> str:
    """One setting of fe.conf as start_fe.sh would put it together."""
    (options,) = re.findall(rf'^{key} *= *"(.*)"$', settings, re.MULTILINE)
    return options.replace("${LOG_DIR}", "/tmp").replace("$DATE", "today")


def test_everything_is_alive(cluster):
    cluster.wait_alive(**EVERYTHING)
    (frontend,) = cluster.rows("fe").values()
    assert frontend["Version"].startswith("3.1.17") and "Id" not in frontend


def test_it_runs_on_a_jdk_that_its_own_settings_do_not_start_on(cluster):
    host = cluster.on("o1")
    assert '"17.' in host.run("java -version").stderr
    with tarfile.open(cluster.variables("o1")["starrocks_archive"]) as release:
        (member,) = [name for name in release.getnames() if name.endswith("/fe/conf/fe.conf")]
        shipped = release.extractfile(member).read().decode()
    refused = host.run(f"java {java_options(shipped)} -version")
    assert refused.rc == 1 and "Unrecognized VM option" in refused.stdout + refused.stderr
    assert host.run(f"java {java_options(host.file(FE_CONF).content_string)} -version").rc == 0


def test_status_reads_its_tables(cluster):
    played = cluster.play("status")
    assert "Alive: 1 of 1 front end, 1 of 1 back end, 1 of 1 broker." in played.words
    assert played.output.count(" 3.1.17") == 2


def test_stop_and_start(cluster):
    cluster.play("stop")
    assert cluster.pids() == {}
    cluster.play("start")
    cluster.wait_alive(**EVERYTHING)


def test_the_oldest_line_too(cluster):
    """2.5: start_fe.sh wants a setting of its own for a JDK later than 8, be.conf has other names for ports."""
    cluster.play("destroy", extra={"starrocks_destroy_confirm": "story", "starrocks_destroy_data": True})
    build = [str(PROJECT / "tests/simulator/build"), "--version", "2.5.22"]
    archive = subprocess.run(build, check=True, capture_output=True, text=True).stdout.strip()
    assert Path(archive).is_file()
    oldest = {"starrocks_version": "2.5.22", "starrocks_archive": archive}
    cluster.play("deploy", extra=oldest)
    cluster.wait_alive(**EVERYTHING)
    (frontend,), (backend,) = cluster.rows("fe").values(), cluster.rows("be").values()
    assert frontend["Version"].startswith("2.5.22") and backend["Version"].startswith("2.5.22")
    settings = cluster.on("o1").file(FE_CONF).content_string
    assert java_options(settings, "JAVA_OPTS_FOR_JDK_9") == java_options(settings)
    assert "run_mode" not in settings
    assert "\nwebserver_port = 8040\n" in cluster.on("o1").file("/opt/starrocks/be/conf/be.conf").content_string
    assert cluster.play("deploy", extra=oldest).changed == 0
