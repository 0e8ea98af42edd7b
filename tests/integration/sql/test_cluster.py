# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster is told to be, waited for, and its images, in every version."""

import calendar
import os
import pathlib
import subprocess
import sys
import time

import pytest
from conftest import PASSWORD, ROOT

VERSIONS = ("2.5.22", "3.0.9", "3.1.17", "3.2.16", "3.3.15", "3.4.4", "3.5.0", "4.0.0", "4.1.0", "4.2.0")
ISO = "%Y-%m-%dT%H:%M:%SZ"


def seconds_ago(text):
    return time.time() - calendar.timegm(time.strptime(text, ISO))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cluster_of_each_version(new_cluster, version):
    cluster = new_cluster(version)
    backend = cluster.node("be", 21).start()
    cluster.succeed("starrocks_backend", nodes=[{"host": backend.host}], wait_timeout=60)
    waited = cluster.succeed("starrocks_wait", timeout=60, conditions=[
        {"condition": "leader", "host": cluster.first},
        {"condition": "heard", "kind": "frontends"},
        {"condition": "heard", "kind": "backends", "nodes": [backend.host]},
        {"condition": "version", "kind": "backends", "version": version},
        {"condition": "absent", "kind": "compute_nodes", "nodes": [backend.host]},
        {"condition": "replicas"}, {"condition": "scheduling"}])
    assert all(entry["met"] for entry in waited["conditions"]) and not waited["changed"]

    info = cluster.succeed("starrocks_cluster_info", subset=["all"])
    assert [entry["subset"] for entry in info["not_read"]] == ["warehouses"]
    assert info["leader"]["host"] == cluster.first and info["run_mode"] == "shared_nothing"
    shown = info["version"]
    assert shown.startswith(version) and not info["mixed_versions"]
    assert info["versions"] == {"frontends": {shown: 1}, "backends": {shown: 1}, "compute_nodes": {}}
    assert info["totals"]["backends"] == {"registered": 1, "alive": 1} and info["totals"]["total_capacity"] > 0
    assert [(disk["host"], disk["state"]) for disk in info["disks"]] == [(backend.host, "ONLINE")]
    assert info["balance"]["enabled"] is True and None not in info["balance"]["settings"].values()
    assert info["balance"]["scheduling"]["running_tablets"] == 0
    # Times are in UTC whatever the server shows (a 4.1 cut: Asia/Shanghai).
    times = [info["frontends"][0]["last_heartbeat"], info["frontends"][0]["start_time"],
             info["backends"][0]["last_heartbeat"], info["backends"][0]["last_start_time"]]
    status = info["backends"][0]["status"]
    times += [status["last_success_report_tablets_time"]] if status else []
    assert all(-10 < seconds_ago(text) < 120 for text in times if text), times


def test_shared_data(new_cluster):
    cluster = new_cluster("3.5.0", run_mode="shared_data", cloud_native_storage_type="S3", aws_s3_path="bucket/path",
                          aws_s3_endpoint="http://127.0.0.1:9", enable_load_volume_from_conf="true")
    info = cluster.succeed("starrocks_cluster_info")
    assert info["run_mode"] == "shared_data" and info["not_read"] == []
    assert [row["name"] for row in info["warehouses"]] == ["default_warehouse"]


PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/starrocks.cluster.starrocks:
      login_hosts: [{host}]
      config_file: {path}
      connect_timeout: 3
  tasks:
    - starrocks.cluster.starrocks_cluster_info:
        subset: [frontends]
      register: info
    - starrocks.cluster.starrocks_wait:
        conditions: [condition: leader]
    - starrocks.cluster.starrocks_query:
        query: SELECT 1
    - starrocks.cluster.starrocks_image:
        wait: false
      check_mode: true
    - starrocks.cluster.starrocks_backend:
        nodes: [host: 10.9.9.9]
        state: absent
    - ansible.builtin.assert:
        that: info.leader.host == "{host}"
"""


def test_the_connection_is_written_once(cluster, tmp_path):
    """By module_defaults for the group of all SQL modules; the password from an option file."""
    options = tmp_path / "my.cnf"
    options.write_text("[client]\nuser = root\npassword = '%s'\n" % PASSWORD.replace("\\", "\\\\").replace("'", "\\'"),
                       encoding="utf-8")
    play = tmp_path / "play.yml"
    play.write_text(PLAY.format(host=cluster.first, path=options), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build"),
                   "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["ansible-playbook", "-v", "-i", "localhost,", "-c", "local",
         "-e", f"ansible_python_interpreter={sys.executable}", play],
        capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok=6" in done.stdout and PASSWORD not in done.stdout


def test_images_on_three_front_ends(new_cluster):
    """Made, seen everywhere, left while young; a dead front end is named."""
    cluster = new_cluster("3.5.0")
    others = [cluster.node("fe", number) for number in (12, 13)]  # 11 is that of the fixture cluster
    for node in others:
        cluster.succeed("starrocks_frontend", host=node.host, wait=False)
        node.start("--helper", f"{cluster.first}:9010").wait_for_port(9030)
        cluster.succeed("starrocks_frontend", host=node.host, wait_timeout=90)
    tried = cluster.succeed("starrocks_image", True)
    assert tried["changed"] and tried["queries"] == ["ALTER SYSTEM CREATE IMAGE"]
    done = cluster.succeed("starrocks_image", wait_timeout=120)
    assert done["changed"] and done["queries"] == ["ALTER SYSTEM CREATE IMAGE"]
    assert len(done["images"]) == 3 and all(image["journal_id"] >= done["journal_id"] for image in done["images"])
    assert all(-10 < seconds_ago(image["time"]) < 60 for image in done["images"]) and done["not_alive"] == []
    young = cluster.succeed("starrocks_image", max_age=3600)
    assert not young["changed"] and young["queries"] == [] and young["images"] == done["images"]
    waited = cluster.succeed("starrocks_wait", conditions=[{"condition": "image", "journal_id": done["journal_id"]}])
    assert waited["conditions"][0]["met"] and waited["elapsed"] < 5

    late = cluster.run("starrocks_wait", conditions=[{"condition": "image"}], timeout=1)
    assert late["failed"] and "and it has to be image." in late["msg"]
    others[1].stop()
    cluster.succeed("starrocks_wait", timeout=60, conditions=[
        {"condition": "alive", "kind": "frontends", "at_least": 2}, {"condition": "leader"}])
    dead = cluster.run("starrocks_wait", timeout=15, conditions=[
        {"condition": "heard", "kind": "frontends", "nodes": [others[1].host]}])
    assert dead["failed"] and f"{others[1].host}:9010 " in dead["msg"]
