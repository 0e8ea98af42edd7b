# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input is refused before any host is changed, with all findings at once: variable, host, what to write instead."""

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from shared.cluster import differences
from shared.playing import Playing

HOSTS = ["b1", "b2"]

# Inventories in which the groups are not those of the collection.
WRONG_GROUPS = {
    "no group of ours": "starrocks_frontends: {hosts: {b1: {}}}\n",
    "no front end": "starrocks_be: {hosts: {b1: {}}}\n",
}

# Variables of hosts, which come before those of the scenario's group_vars.
WRONG_INVENTORY = """\
starrocks_fe:
  hosts:
    b1: &wrong
      starrocks_version: '3.5'
      starrocks_archive: http://192.0.2.1/StarRocks-3.5.0-ubuntu-amd64.tar.gz
      starrocks_root_password: ''
      starrocks_priority_networks: [10.213.0.1]
      starrocks_fe_role: observer
      starrocks_fe_heap: 1g
      starrocks_fe_config: {query_port: 9031}
    b2:
      <<: *wrong
      starrocks_fe_http_port: 8031
      starrocks_checksum: md5:0
    b3:
      <<: *wrong
      ansible_host: ADDRESS_OF_B1
      starrocks_host_type: ip
      starrocks_fe_rpc_port: twenty
starrocks_cn:
  hosts:
    b2:
"""

# Each in words of the one run: (host, variable, what is wrong, what to write instead).
INVENTORY_FINDINGS = {
    "no follower": ("b1, b2, b3: starrocks_fe_role: ", "no front end is a follower", "starrocks_fe_role: follower"),
    "two front ends on one machine": ("b1, b3: ansible_host: ", "one machine", "Give each its own ansible_host"),
    "different http ports": ("starrocks_fe_http_port: ", "8030 on b1, 8031 on b2", "set it once"),
    "no version": ("starrocks_version: ", "'3.5' is not a StarRocks version", "3.5.0 for example"),
    "http without a checksum": ("starrocks_archive: ", "checksum", "starrocks_allow_insecure_http"),
    "no checksum": ("b2: starrocks_checksum: ", '"md5:" has to be 32 hex digits, not "0"', ""),
    "no CIDR": ("starrocks_priority_networks: ", "'10.213.0.1' is not a network", "CIDR"),
    "no password": ("starrocks_root_password: ", "is empty", "starrocks_allow_empty_root_password: true"),
    "a port twice": ("b2: starrocks_cn_heartbeat_service_port: ", "9050 is also starrocks_be_heartbeat_service_port",
                     "Set starrocks_cn_heartbeat_service_port to a free port"),
    "a setting with its own variable": ("starrocks_fe_config: ", "sets query_port", "set starrocks_fe_query_port"),
    "none of the choices": ("b3: starrocks_host_type: ", "'ip' is not one of its values", "Write IP or FQDN"),
    "no number": ("b3: starrocks_fe_rpc_port: ", "'twenty' is not a number", "Write a port from 1024 to 65535"),
    "an unknown variable": ("starrocks_fe_heap: ", "not a variable", "Did you mean starrocks_fe_heap_size?"),
}  # fmt: skip

HOST_VARIABLES = """\
starrocks_fe:
  hosts:
    b1: {starrocks_priority_networks: [192.0.2.0/24]}
    b2: {starrocks_priority_networks: [10.0.0.0/8], starrocks_java_home: /opt/jdk-11}
"""

# How a row of the table begins, what is wrong, and what to do.
HOST_FINDINGS = {
    "no address in the CIDR": ("failure address b1 ", "192.0.2.0/24", "starrocks_priority_networks"),
    "two addresses in the CIDR": ("failure address b2 ", "10.200.0.9", "starrocks_priority_networks"),
    "JDK too old": ("failure jdk b2 ", "/opt/jdk-11 (11.0.25, older than 17)", "starrocks_java_home"),
    "port taken": ("failure ports b1 ", "9030 is taken by python3", "starrocks_fe_query_port"),
}


@pytest.fixture(scope="module")
def untouched(cluster):
    """Assert that no host has changed since before the first run."""
    prepare_hosts(cluster)
    before = {name: cluster.files(name) for name in HOSTS}

    def check():
        assert {name: differences(before[name], cluster.files(name)) for name in HOSTS} == {name: {} for name in HOSTS}
        assert cluster.pids(HOSTS) == {}

    return check


def prepare_hosts(cluster):
    """A stranger on the query port of b1; a second address and a JDK too old for 3.5 on b2."""
    cluster.on("b1").check_output("systemd-run --unit=stranger python3 -m http.server 9030")
    cluster.on("b2").check_output(
        "ip address add 10.200.0.9/32 dev eth0; mkdir -p /opt/jdk-11/bin && cd /opt/jdk-11 &&"
        " echo 'JAVA_VERSION=\"11.0.25\"' > release && cp /bin/true bin/java && cp /bin/true bin/javac"
    )


@pytest.mark.parametrize("groups", WRONG_GROUPS)
def test_wrong_groups(cluster, untouched, tmp_path, groups):
    """The least that can be written is refused in words too, though no host of it is in a play."""
    (tmp_path / "inventory.yml").write_text(WRONG_GROUPS[groups], encoding="utf-8")
    command = ["ansible-playbook", "--inventory", str(tmp_path / "inventory.yml"), "starrocks.cluster.deploy"]
    played = Playing(command, cluster.logs / f"groups-{groups.replace(' ', '-')}.log").finish()
    assert played.status != 0
    assert said_together(played.words, "starrocks_fe: ", "no host in this group", "into the group starrocks_fe")


@pytest.fixture(scope="module")
def wrong_inventory(cluster, untouched, tmp_path_factory):
    """What deploy says of an inventory that has it all wrong."""
    file = tmp_path_factory.mktemp("wrong") / "inventory.yml"
    file.write_text(WRONG_INVENTORY.replace("ADDRESS_OF_B1", cluster.address("b1")), encoding="utf-8")
    return cluster.play("deploy", "--inventory", str(file), status=None)


@pytest.mark.parametrize("finding", INVENTORY_FINDINGS)
def test_wrong_inventory(wrong_inventory, finding):
    where, wrong, instead = INVENTORY_FINDINGS[finding]
    assert said_together(wrong_inventory.words, where, wrong, instead)


def test_wrong_inventory_touches_no_host(wrong_inventory, untouched):
    assert wrong_inventory.changed == 0
    untouched()


@pytest.fixture(scope="module")
def unfit_hosts(cluster, untouched, tmp_path_factory):
    """What deploy says of hosts that do not fit."""
    file = tmp_path_factory.mktemp("unfit") / "inventory.yml"
    file.write_text(HOST_VARIABLES, encoding="utf-8")
    return cluster.play("deploy", "--inventory", str(file), status=None)


@pytest.mark.parametrize("finding", HOST_FINDINGS)
def test_unfit_hosts(unfit_hosts, finding):
    begin, wrong, instead = HOST_FINDINGS[finding]
    rows = re.split(r"(?=(?:failure|warning) [a-z_]+ b\d)", unfit_hosts.words)
    assert any(row.startswith(begin) and wrong in row and instead in row for row in rows)


def test_an_even_number_of_followers_is_worth_a_warning(unfit_hosts):
    assert said_together(unfit_hosts.words, "[WARNING]: ", "b1, b2: starrocks_fe_role: ", "Make it an odd number")


def test_unfit_hosts_are_not_touched(unfit_hosts, untouched):
    assert unfit_hosts.changed == 0
    untouched()


def without_component(release: Path, made: Path) -> None:
    with tarfile.open(release) as whole, tarfile.open(made, "w:gz") as part:
        for member in whole:
            if member.isfile() and "/be/" not in member.name:
                part.addfile(member, whole.extractfile(member))


def truncated(release: Path, made: Path) -> None:
    content = release.read_bytes()
    made.write_bytes(content[: len(content) // 2])


def pointing_outside(release: Path, made: Path) -> None:
    with tarfile.open(release) as whole, tarfile.open(made, "w:gz") as part:
        outside = tarfile.TarInfo(f"{whole.next().name}/be/../../../../../../etc/outside")
        outside.size = 1
        part.addfile(outside, io.BytesIO(b"!"))
        for member in whole:
            part.addfile(member, whole.extractfile(member) if member.isfile() else None)


# How the archive is made, the checksum given, and words of the refusal.
ARCHIVES = {
    "without the component": (without_component, "", "it holds no folder be"),
    "truncated": (truncated, "", "StarRocks-3.5.0-ubuntu-amd64.tar.gz: it is cut short"),
    "with a wrong checksum": (shutil.copyfile, f"sha256:{'0' * 64}", "0" * 64),
    "pointing outside": (pointing_outside, "", 'etc/outside" points outside'),
}

# The stranger has 9030.
FREE_PORT = {"starrocks_fe_query_port": 9130}


@pytest.mark.parametrize("archive", ARCHIVES)
def test_wrong_archive(cluster, untouched, tmp_path, archive):
    make, checksum, words = ARCHIVES[archive]
    release = Path(cluster.variables("b1")["starrocks_archive"])
    make(release, tmp_path / release.name)
    wrong = {"starrocks_archive": str(tmp_path / release.name), "starrocks_checksum": checksum}
    played = cluster.play("deploy", extra={**FREE_PORT, **wrong}, status=None)
    assert said_together(played.words, "all hosts: starrocks_archive: ", release.name, words)
    assert played.changed == 0
    untouched()


def test_warnings_stop_nobody(cluster, untouched):
    played = cluster.play("deploy", "--check", extra={**FREE_PORT, "starrocks_fe_heap": "1g"})
    assert said_together(played.words, "[WARNING]: ", "starrocks_fe_heap: ", "Did you mean starrocks_fe_heap_size?")
    assert said_together(played.words, "[WARNING]: ", "b1, b2: starrocks_fe_role: ", "Make it an odd number")
    assert played.changed > 0
    untouched()


# What the archive is made from, and where hosts that read it themselves find it; the checksum given, and words.
ARCHIVES_OF_HOSTS = {
    "truncated": (truncated, "/opt/releases/{}", True, "", "it is cut short"),
    "pointing outside": (pointing_outside, "/opt/releases/{}", True, "", 'etc/outside" points outside'),
    "with a wrong checksum": (shutil.copyfile, "http://b1:9030/opt/releases/{}", False, f"sha256:{'0' * 64}", "0" * 64),
}


@pytest.mark.parametrize("archive", ARCHIVES_OF_HOSTS)
def test_wrong_archive_that_hosts_read_themselves(cluster, tmp_path, archive):
    """Seen on the host, so after it was prepared: nothing of the release is in place then. So this comes last."""
    make, source, remote, checksum, words = ARCHIVES_OF_HOSTS[archive]
    release = Path(cluster.variables("b1")["starrocks_archive"])
    make(release, tmp_path / release.name)
    for name in HOSTS:
        put(cluster, name, tmp_path / release.name, "/opt/releases")
    wrong = {"starrocks_archive": source.format(release.name), "starrocks_archive_remote_src": remote,
             "starrocks_checksum": checksum}  # fmt: skip
    played = cluster.play("deploy", extra={**FREE_PORT, **wrong}, status=None)
    for name in HOSTS:
        assert words in played.words and played.recap[name]["failed"] == 1
        assert cluster.units(name) == {}
        left = cluster.on(name).run(
            "find /opt/starrocks /etc/outside /etc/systemd/system -name 'star*' -o -name outside"
        )
        assert left.stdout in ("", "/opt/starrocks\n")


def put(cluster, name: str, file: Path, folder: str) -> None:
    """Copy a file to a folder of a host."""
    cluster.on(name).check_output(f"mkdir -p {folder}")
    command = ["scp", "-q", "-F", str(cluster.host_files / "ssh_config"), str(file), f"{name}:{folder}/{file.name}"]
    subprocess.run(command, check=True)


def said_together(text: str, *parts: str) -> bool:
    """Whether one finding of a text, from one of its dashes or warnings to the next, has all these parts."""
    findings = text.replace("[WARNING]: ", " - [WARNING]: ").split(" - ")
    return any(all(part in finding for part in parts) for finding in findings)
