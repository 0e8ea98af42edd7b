# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shared-data cluster: its storage in fe.conf, compute nodes with a port for starlet."""

EVERYTHING = {"fe": ["c1"], "cn": ["c1", "c2"]}
SECRET = "Only-4-tests-of-object-storage"


def test_everything_is_alive(cluster):
    cluster.wait_alive(**EVERYTHING)
    assert cluster.sql("SHOW BACKENDS") == []
    assert {row["StarletPort"] for row in cluster.rows("cn").values()} == {"9070"}


def test_storage_is_in_a_private_file(cluster):
    file = cluster.on("c1").file("/opt/starrocks/fe/conf/fe.conf")
    assert file.mode == 0o640
    for line in ("run_mode = shared_data", "cloud_native_meta_port = 6090", "aws_s3_path = bucket/sales",
                 f"aws_s3_secret_key = {SECRET}"):  # fmt: skip
        assert f"\n{line}\n" in file.content_string


def test_the_secret_is_in_no_output(cluster):
    cluster.on("c1").check_output("sed -i /aws_s3_secret_key/d /opt/starrocks/fe/conf/fe.conf")
    played = cluster.play("deploy", "-vvv", "--diff")
    assert played.changed > 0
    assert SECRET not in played.output


def test_status_shows_compute_nodes(cluster):
    assert "Alive: 1 of 1 front end, 2 of 2 compute nodes." in cluster.play("status").words
