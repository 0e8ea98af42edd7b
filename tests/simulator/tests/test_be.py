# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back ends, compute nodes and brokers: their start, heartbeats, HTTP, storage and end."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

SIMULATOR = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SIMULATOR))

from standin import thrift  # noqa: E402  (the path is set above)
from standin.be.config import BadConfig, memory_limit, storage_paths  # noqa: E402
from standin_nodes import Node, unpack  # noqa: E402

ADDRESS = "127.0.77.1"
HTTP = f"http://{ADDRESS}:8040"
types = thrift.types


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    """A function: the unpacked release of a version."""
    base = tmp_path_factory.mktemp("releases")

    def path(version):
        folder = base / version
        return folder if folder.exists() else unpack(version, folder)
    return path


@pytest.fixture
def make(release, tmp_path):
    """A function: a node that is not started yet; ended after the test."""
    nodes = []

    def node(kind="be", version="3.5.0", settings=None, faults=None, name="node"):
        given = {"priority_networks": f"{ADDRESS}/32", "min_file_descriptor_number": "256", **(settings or {})}
        if kind == "broker":
            given, faults = settings or {}, {"listen_host": ADDRESS, **(faults or {})}
        nodes.append(Node(release(version), kind, tmp_path / name, given, faults))
        return nodes[-1]
    yield node
    for one in nodes:
        if one.process:
            one.stop()


@pytest.fixture
def start(make):
    """A function: a node that is up."""
    def node(*arguments, **options):
        made = make(*arguments, **options).start()
        if made.kind != "broker":
            made.wait_for_url(f"{HTTP}/api/health")
        return made
    return node


def heartbeat(address=ADDRESS, **changes):
    """Ask as a front end does; returns (status code, text, backend info)."""
    leader = changes.pop("leader", ("127.0.0.1", 9020))
    info = {"cluster_id": 4711, "token": "first-token", "epoch": 1, "backend_ip": address,
            "node_type": types.TNodeType.Backend, **changes}
    with thrift.client(types.HeartbeatService, address, 9050, timeout=5) as client:
        result = client.heartbeat(types.TMasterInfo(
            network_address=types.TNetworkAddress(hostname=leader[0], port=leader[1]), **info))
    return result.status.status_code, (result.status.error_msgs or [""])[0], result.backend_info


def get(path, data=None):
    """The body of an HTTP answer."""
    with urllib.request.urlopen(HTTP + path, data=data, timeout=5) as answer:
        return answer.read().decode()


def log_of(node, name="be.INFO"):
    """What a log holds."""
    return (node.home / "log" / name).read_text()


def output_of(node):
    """What went to be.out."""
    return (node.home / "log" / "out").read_text()


# Settings, without a process.

@pytest.mark.parametrize(("text", "paths"), [
    ("/data1", [("/data1", "HDD")]),
    ("/data1,medium:SSD;/data2,medium:hdd;", [("/data1", "SSD"), ("/data2", "HDD")]),
    (" /data1/ ; /data2,100", [("/data1", "HDD"), ("/data2", "HDD")]),
    ("", []),
])
def test_storage_paths(text, paths):
    assert storage_paths(text) == paths


@pytest.mark.parametrize("text", ["data1", "/data1,size:10", "/data1,medium:TAPE", "/data1;/data1", "/data1,fast"])
def test_bad_storage_paths(text):
    with pytest.raises(BadConfig, match="parse config storage path failed"):
        storage_paths(text)


@pytest.mark.parametrize(("text", "number"), [("8G", 8 << 30), ("512M", 512 << 20), ("1000", 1000), ("1.5K", 1536)])
def test_memory_limit(text, number):
    assert memory_limit(text) == number


def test_memory_limit_in_percent_and_bad():
    assert memory_limit("100%") == 2 * memory_limit("50%") or memory_limit("100%") - 2 * memory_limit("50%") == 1
    with pytest.raises(BadConfig):
        memory_limit("much")


# Start and end.

def test_good_start(start):
    node = start()
    log = log_of(node)
    assert "heartbeat has started listening port on 9050" in log
    assert "Waiting to receive first heartbeat from frontend" in log
    assert os.path.islink(node.home / "log" / "be.INFO")
    assert (node.home / "run" / "be.pid").read_text() == f"{node.process.pid}\n"
    assert pathlib.Path(f"/proc/{node.process.pid}/comm").read_text() == "starrocks_be\n"
    for port in (9060, 8060, 9070):
        socket.create_connection((ADDRESS, port), 5).close()
    assert node.stop(signal.SIGTERM) == 0
    assert (node.home / "run" / "be.pid").exists(), "the pid file stays"


def test_compute_node_has_names_of_its_own(start):
    node = start("cn", settings={"storage_root_path": ""})
    assert "heartbeat has started listening port" in log_of(node, "cn.INFO")
    assert (node.home / "run" / "cn.pid").exists()
    _code, _text, info = heartbeat(node_type=types.TNodeType.Compute)
    assert info.is_set_storage_path is False


@pytest.mark.parametrize(("settings", "status", "text"), [
    ({"storage_root_path": "relative"}, 255, "parse config storage path failed, path=relative"),
    ({"storage_root_path": "/proc/nosuch"}, 255, "open disk failed, path=/proc/nosuch"),
    ({"storage_root_path": "/proc/nosuch", "ignore_broken_disk": "true"}, 255, "All disks are broken, exit."),
    ({"be_port": "many"}, 255, "Invalid config, be_port=many"),
    ({"min_file_descriptor_number": "100000000"}, -signal.SIGABRT, "File descriptor number is less than 100000000"),
])
def test_refused_start(settings, status, text, make):
    node = make(settings=settings).start()
    assert node.process.wait(20) == status
    assert text in output_of(node)


def test_port_in_use(make):
    with socket.create_server((ADDRESS, 9060)):
        node = make().start()
        assert node.process.wait(20) == 1
    assert "be_port 9060: Address already in use" in output_of(node)


def test_version(release):
    result = subprocess.run([release("3.4.4") / "be/lib/starrocks_be", "--version"], capture_output=True, text=True,
                            check=True)
    assert result.stdout.splitlines()[0] == "3.4.4-bc987bb"


# Heartbeats.

def test_first_heartbeat_claims_the_node(start):
    node = start(settings={"mem_limit": "8G"}, faults={"cpu_cores": "4"})
    code, text, info = heartbeat()
    assert (code, text) == (types.TStatusCode.OK, "")
    assert (info.be_port, info.http_port, info.brpc_port, info.starlet_port) == (9060, 8040, 8060, 9070)
    assert info.version == "3.5.0-0be11fd"
    assert (info.num_hardware_cores, info.mem_limit_bytes) == (4, 8 << 30)
    assert abs(info.reboot_time - time.time()) < 60
    assert (node.home / "storage" / "cluster_id").read_text() == "4711-first-token"


@pytest.mark.parametrize(("changes", "text"), [
    ({"cluster_id": 4712}, "Unmatched cluster id"),
    ({"token": "second-token"}, "Unmatched token"),
    ({"epoch": 0}, "Out-dated epoch"),
    ({"backend_ip": "192.0.2.1"}, "Unmatched backend ip"),
    ({"backend_ip": "no-such-host.invalid"}, "FE saved address not match backend address"),
    ({"backend_ip": "127.0.0.1", "leader": ("192.0.2.1", 9020)},
     "FE heartbeat with localhost ip but BE is not deployed on the same machine"),
    ({"node_type": types.TNodeType.Compute}, "expect to be CN but actually BE,Unmatched node type!"),
])
def test_refused_heartbeats(changes, text, start):
    start()
    assert heartbeat()[0] == types.TStatusCode.OK
    assert heartbeat(**changes)[:2] == (types.TStatusCode.INTERNAL_ERROR, text)
    assert heartbeat()[0] == types.TStatusCode.OK


def test_a_claim_outlives_the_process_and_ends_with_the_storage(start, make):
    node = start()
    heartbeat()
    node.stop()
    node.start().wait_for_url(f"{HTTP}/api/health")
    assert heartbeat(cluster_id=4712)[1] == "Unmatched cluster id"
    node.stop()
    (node.home / "storage" / "cluster_id").unlink()
    node.start().wait_for_url(f"{HTTP}/api/health")
    assert heartbeat(cluster_id=4712)[0] == types.TStatusCode.OK


def test_old_front_ends_send_no_node_type(start):
    start()
    assert heartbeat(node_type=None)[0] == types.TStatusCode.OK


@pytest.mark.parametrize(("version", "code"), [
    ("3.3.15", types.TStatusCode.INTERNAL_ERROR), ("3.5.0", types.TStatusCode.SHUTDOWN),
])
def test_graceful_end_is_announced(version, code, start):
    node = start(version=version, faults={"fragments_seconds": "2"},
                 settings={"loop_count_wait_fragments_finish": "1"})
    heartbeat()
    node.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert heartbeat()[:2] == (code, "BE is shutting down")
    assert node.process.wait(10) == 0


@pytest.mark.parametrize(("version", "waits"), [("3.3.15", False), ("3.5.0", True)])
def test_fragments_are_waited_for_by_default_from_3_4_on(version, waits, start):
    node = start(version=version, faults={"fragments_seconds": "2"})
    started = time.monotonic()
    assert node.stop(signal.SIGTERM) == 0
    assert (time.monotonic() - started > 1.5) == waits


# Faults.

def test_faults_come_and_go(start):
    node = start()
    node.fault({"heartbeat_error": "double: heartbeat error"})
    assert heartbeat()[:2] == (types.TStatusCode.INTERNAL_ERROR, "double: heartbeat error")
    node.fault({})
    assert heartbeat()[0] == types.TStatusCode.OK


def test_start_delay_and_death(make):
    node = make(faults={"start_delay_seconds": "0.5", "die_after_seconds": "0.5"})
    started = time.monotonic()
    node.start().wait_for_url(f"{HTTP}/api/health")
    assert time.monotonic() - started > 0.5
    assert node.process.wait(10) == -signal.SIGABRT


def test_refused_start_says_why(make):
    node = make(faults={"refuse_start": "the moon is full"}).start()
    assert node.process.wait(10) == 255
    assert "the moon is full" in output_of(node)


# HTTP.

def test_http(start):
    node = start()
    assert get("/api/health") == '{"status": "OK","msg": "To Be Added"}'
    assert "heartbeat_service_port=9050\n" in get("/varz")
    assert f'starrocks_be_disks_total_capacity{{path="{node.home}/storage"}} {200 << 30}\n' in get("/metrics")
    report = json.loads(get("/standin/report"))
    assert [(disk["root_path"], disk["total"], disk["available"]) for disk in report["disks"]] == [
        (f"{node.home}/storage", 200 << 30, 199 << 30)]
    node.fault({"disk_full": "true"})
    assert json.loads(get("/standin/report"))["disks"][0]["available"] == 0


@pytest.mark.parametrize(("query", "status", "text"), [
    ("report_tablet_interval_seconds=5", "OK", ""),
    ("nosuch=5", "BAD", "Not found"),
    ("be_port=5", "BAD", "immutable"),
    ("report_tablet_interval_seconds=often", "BAD", "Invalid argument"),
])
def test_update_config(query, status, text, start):
    start()
    answer = json.loads(get(f"/api/update_config?{query}", data=b""))
    assert answer["status"] == status
    assert text in answer["msg"]
    assert (f"{query}\n" in get("/varz")) == (status == "OK")


@pytest.mark.parametrize(("version", "name"), [("2.5.22", "webserver_port"), ("3.5.0", "be_http_port")])
def test_http_port_by_its_name_of_the_time(version, name, make):
    make(version=version, settings={name: "18040"}).start().wait_for_url(f"http://{ADDRESS}:18040/api/health")


# Broker.

def ping():
    """Ping the broker as a front end does."""
    with thrift.client(types.TFileBrokerService, ADDRESS, 8000, timeout=5) as client:
        return client.ping(types.TBrokerPingBrokerRequest(version=1, clientId="127.0.0.1")).statusCode


def wait_for(text, node):
    """Wait for a line in the broker's log."""
    path = node.home / "log" / "apache_hdfs_broker.log"
    for _attempt in range(200):
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"no {text!r} in the log: {output_of(node)}")


def test_broker(start):
    node = start("broker")
    wait_for("starting apache hdfs broker....succeed", node)
    assert ping() == types.TBrokerOperationStatusCode.OK
    assert pathlib.Path(f"/proc/{node.process.pid}/comm").read_text() == "java\n"
    command = pathlib.Path(f"/proc/{node.process.pid}/cmdline").read_text()
    assert "com.starrocks.broker.hdfs.BrokerBootstrap" in command
    assert node.stop(signal.SIGTERM) == 143


def test_broker_port_in_use(start):
    with socket.create_server((ADDRESS, 8000)):
        node = start("broker")
        assert node.process.wait(10) == 255
    wait_for("starting apache hdfs broker....failed", node)
