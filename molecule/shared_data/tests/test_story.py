# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shared-data cluster: its storage in fe.conf, compute nodes with a port for starlet."""

from shared.cluster import differences

EVERYTHING = {"fe": ["c1"], "cn": ["c1", "c2"]}
FE_CONF = "/opt/starrocks/fe/conf/fe.conf"
SECRET = "Only-4-tests-of-object-storage"


def test_everything_is_alive(cluster):
    cluster.wait_alive(**EVERYTHING)
    assert cluster.sql("SHOW BACKENDS") == []
    assert {row["StarletPort"] for row in cluster.rows("cn").values()} == {"9070"}
    (mode,) = cluster.sql("ADMIN SHOW FRONTEND CONFIG LIKE 'run_mode'")
    assert mode["Value"] == "shared_data"


def test_storage_is_in_a_private_file(cluster):
    file = cluster.on("c1").file(FE_CONF)
    assert (file.user, file.mode) == ("starrocks", 0o640)
    for line in ("run_mode = shared_data", "cloud_native_meta_port = 6090", "aws_s3_path = bucket/sales",
                 f"aws_s3_secret_key = {SECRET}"):  # fmt: skip
        assert f"\n{line}\n" in file.content_string


def test_the_secret_is_in_no_output(cluster):
    cluster.on("c1").check_output(f"sed -i s/{SECRET}/changed-by-hand/ {FE_CONF}")
    played = cluster.play("deploy", "-vvv", "--diff")
    assert played.changed > 0
    assert SECRET not in played.output and "changed-by-hand" not in played.output
    assert f"\naws_s3_secret_key = {SECRET}\n" in cluster.on("c1").file(FE_CONF).content_string


def test_status_shows_compute_nodes(cluster):
    assert "Alive: 1 of 1 front end, 2 of 2 compute nodes." in cluster.play("status").words


def test_the_mode_of_a_cluster_is_not_changed(cluster):
    """A front end whose fe.conf says another mode than its metadata does not start any more."""
    pids, files = cluster.pids(), cluster.files("c1")
    played = cluster.play("deploy", extra={"starrocks_run_mode": "shared_nothing"}, status=None)
    assert "Set starrocks_run_mode: shared_data" in played.words
    changed = differences(files, cluster.files("c1"))
    # The cluster writes its own metadata, storage and logs.
    assert [path for path in changed if not path.startswith(("/var/lib/starrocks/", "/var/log/"))] == []
    assert cluster.pids() == pids


def test_storage_that_cannot_work_is_refused(cluster):
    """Settings of object storage that are not whole; back ends where compute nodes belong."""
    storage = {"enable_load_volume_from_conf": True, "aws_s3_access_key": "key"}
    played = cluster.play("deploy", extra={"starrocks_fe_config": storage}, status=None)
    assert "c1: starrocks_fe_config: " in played.words
    assert "aws_s3_path" in played.words and "aws_s3_secret_key" in played.words
    cluster.extend("starrocks_be: {hosts: {c2: {}}}\n")
    played = cluster.play("deploy", status=None)
    assert "starrocks_run_mode: a shared_data cluster has compute nodes in place of back ends" in played.words
