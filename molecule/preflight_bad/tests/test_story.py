# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check that can fail, made to fail for real on a host; one run of the preflight tells all of it."""

import re

import pytest
from shared.cluster import differences
from shared.table import headline, rows

HOSTS = ["x1", "x2", "x3"]

INVENTORY = """\
all:
  hosts:
    x1: {starrocks_fe_heap_size: 100000g}
    x2: {starrocks_limit_nofile: 655350}
    x3: {starrocks_priority_networks: [192.0.2.0/24]}
starrocks_be:
  hosts:
    x9: {ansible_host: ABSENT}
"""

# No release of a clock can be had for a test host, but its programs can be told another time: those of each login.
WRONG_CLOCK = """\
apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install libfaketime
echo "SetEnv LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1) FAKETIME=+7s" > /etc/ssh/sshd_config.d/clock.conf
systemctl reload ssh
"""

BROKEN = {
    "x1": r"""
systemd-run --unit=stranger python3 -m http.server 9030
mkdir -p /var/lib/starrocks && mount -t tmpfs -o size=100M none /var/lib/starrocks
mkdir -p /var/lib/starrocks/fe/meta/image && echo role=FOLLOWER > /var/lib/starrocks/fe/meta/image/ROLE
mkdir -p /home/old/fe && systemd-run --unit=by-hand --setenv=STARROCKS_HOME=/home/old/fe \
  python3 -c 'import time; time.sleep(9999)' com.starrocks.StarRocksFE
iptables -A INPUT -p tcp --dport 9010 -j DROP
""",
    "x2": r"""
mv /usr/lib/jvm /usr/lib/jvm.away
ip address add 10.213.250.9/32 dev eth0
ln -sf /usr/share/zoneinfo/Asia/Shanghai /etc/localtime
""",
    "x3": r"""
sed 's/ avx2 / /' /proc/cpuinfo > /run/cpuinfo && mount --bind /run/cpuinfo /proc/cpuinfo
mkdir -p /var/lib/starrocks/be/storage && mount -t tmpfs -o size=50M none /var/lib/starrocks/be/storage
echo 4711-do-not-show > /var/lib/starrocks/be/storage/cluster_id
head -c 49M /dev/zero > /var/lib/starrocks/be/storage/data || true
touch /opt/starrocks
""",
}

# (status, check, hosts, words of the finding, words of what to do)
FINDINGS = {
    "a taken port": ("failure", "ports", "x1", "9030 is taken by python3", "starrocks_fe_query_port"),
    "too large a heap": ("failure", "memory", "x1", "100000.0 GiB for the Java heap", "starrocks_fe_heap_size"),
    "a full disk": ("failure", "disk", "x1", "5.0 GiB free for the metadata", "starrocks_data_dir"),
    "half of the metadata": ("failure", "metadata", "x1", "has no VERSION", "Restore the missing file"),
    "another installation": ("warning", "processes", "x1", "/home/old/fe", "stop it"),
    "no JDK": ("failure", "jdk", "x2", "none", "Install JDK 17"),
    "two addresses": ("failure", "address", "x2", "2 are in it", "10.213.250.9"),
    "low limits": ("failure", "open_files", "x2", "20000 at most", "Set starrocks_limit_nofile to 20000"),
    "another time zone": ("warning", "timezone", "x2", "Asia/Shanghai", "starrocks_timezone"),
    "a wrong network": ("failure", "address", "x3", "192.0.2.0/24", "starrocks_priority_networks"),
    "no AVX2": ("failure", "cpu_avx2", "x3", "no AVX2", "starrocks_preflight_skip: [cpu_avx2]"),
    "full storage": ("failure", "disk", "x3", "/var/lib/starrocks/be/storage", "loads"),
    "a file in a folder's place": ("failure", "paths", "x3", "/opt/starrocks is not a folder", "Move it aside"),
    "storage of another cluster": ("failure", "cluster_id", "x3", "data of cluster 4711", "move"),
    "no PyMySQL": ("failure", "pymysql", "x1", "missing", "python3-pymysql"),
    "a host that is not there": ("failure", "connection", "x9", "", "ansible x9 -m ansible.builtin.ping"),
    "a wrong clock": ("failure", "clock_skew", "x", "ahead of that of", "chrony"),
    "a closed port": ("failure", "network", "x", "no answer within 3 s from x1", "9010 (starrocks_fe_edit_log_port)"),
    "a kernel as it comes": ("warning", "overcommit", "x", "vm.overcommit_memory", "prerequisites sets it"),
    "no time client": ("warning", "clock", "x", "no time client runs", "Install chrony"),
    "a filesystem of containers": ("warning", "filesystem", "x", "overlay", "ext4 or xfs"),
    "too small for production": ("warning", "cores", "x", "in production", "larger host"),
}  # fmt: skip


@pytest.fixture(scope="module")
def broken(cluster):
    """The hosts with all that is wrong; asserts that no run has changed them."""
    for name, script in BROKEN.items():
        cluster.on(name).check_output(f"set -e\n{script}")
    cluster.on("x2").check_output(WRONG_CLOCK)
    network = cluster.address("x1").rsplit(".", 1)[0]
    cluster.extend(INVENTORY.replace("ABSENT", f"{network}.250"))
    before = {name: cluster.files(name) for name in HOSTS}

    def check():
        assert {name: differences(before[name], cluster.files(name)) for name in HOSTS} == {name: {} for name in HOSTS}
        assert cluster.pids(HOSTS) == {}

    return check


@pytest.fixture(scope="module")
def told(cluster, broken):
    """What the preflight says of them."""
    played = cluster.play("preflight", status=None)
    broken()
    return played


@pytest.mark.parametrize("finding", FINDINGS)
def test_what_is_wrong_is_told_with_what_to_do(told, finding):
    status, check, hosts, found, fix = FINDINGS[finding]
    right = [row for row in rows(told) if (row.status, row.check) == (status, check) and hosts in row.hosts]
    assert any(found in row.words and fix in row.words for row in right), right


def test_worst_comes_first_and_each_thing_once(told):
    statuses = [row.status for row in rows(told)]
    assert statuses == sorted(statuses)  # failure, warning
    assert len(set(rows(told))) == len(rows(told))
    assert headline(told)["failures"] == statuses.count("failure") >= 14
    assert all("needed:" in row.words and "to mend:" in row.words for row in rows(told) if row.status == "failure")


def test_the_clock_is_off_by_what_it_is_off(told):
    """Seven seconds, to well under one, though hosts are asked one after another."""
    (row,) = [row for row in rows(told) if row.check == "clock_skew"]
    ahead = float(re.search(r"the clock of x2 is ([\d.]+) s ahead of that of x[13]", row.words)[1])
    assert 6.5 < ahead < 7.5
    assert float(re.search(r"± ([\d.]+) s", row.words)[1]) < 0.5


def test_no_secret_of_a_storage_folder_is_shown(told):
    assert "do-not-show" not in told.output


def test_the_end_names_the_checks_and_how_to_overrule_one(told):
    assert re.search(r"starrocks_preflight_skip: \[[a-z_]+", told.words)
    assert told.status == 2


def test_a_deploy_is_stopped_by_the_same_findings(cluster, broken, told):
    played = cluster.play("deploy", status=None)
    assert {(row.status, row.check) for row in rows(played)} == {(row.status, row.check) for row in rows(told)}
    assert played.changed == 0 and "Install the release" not in played.output
    broken()


def test_checks_are_overruled_by_name(cluster, broken, told):
    wrong = sorted({row.check for row in rows(told) if row.status == "failure"} - {"connection"})
    played = cluster.play("preflight", "--limit", "!x9", extra={"starrocks_preflight_skip": wrong})
    assert headline(played)["failures"] == 0
    assert not {row.check for row in rows(played)} & set(wrong)
    broken()
