# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as they come, made worse: all that the role is to mend is broken here first."""

import pytest
from prerequisites.hosts import CLOSED_FIREWALL, EDITED, WORSE, sshd_pid
from shared.cluster import differences, wait_for

HOSTS = ["p1", "p2"]


def install(host, *packages):
    host.check_output(f"DEBIAN_FRONTEND=noninteractive apt-get -q -y install {' '.join(packages)}")


def test_a_host_that_tells_the_time(cluster):
    host = cluster.on("t1")
    install(host, "chrony")
    host.check_output(r"printf 'local stratum 8\nallow\n' > /etc/chrony/chrony.conf && systemctl restart chrony")
    wait_for(lambda: "Normal" in host.check_output("chronyc -n -c tracking"), 30, "t1 believes its own clock")


@pytest.mark.parametrize("name", HOSTS)
def test_hosts_are_made_worse(cluster, name):
    host = cluster.on(name)
    # The test hosts' own /etc/hosts is mounted read-only.
    host.check_output("umount /etc/hosts")
    host.check_output(WORSE.replace("HOST", name))
    assert "usepam no" in host.check_output("/usr/sbin/sshd -T")


def test_firewalls_let_nothing_but_ssh_in(cluster):
    cluster.on("p1").check_output("apt-get -q update")
    install(cluster.on("p1"), "nftables")
    cluster.on("p1").check_output(f"cat > /etc/nftables.conf <<'end'\n{CLOSED_FIREWALL}end\n")
    cluster.on("p1").check_output("systemctl enable --now nftables")
    cluster.on("p2").check_output("apt-get -q update")
    install(cluster.on("p2"), "firewalld")
    cluster.on("p2").check_output("systemctl enable --now firewalld")
    wait_for(lambda: "running" in cluster.on("p2").run("firewall-cmd --state").stdout, 30, "firewalld runs")


def test_a_host_without_a_jdk_has_an_archive_of_one(cluster):
    host = cluster.on("p2")
    host.check_output("tar --dereference --exclude=src.zip -C /usr/lib/jvm -c java-17-openjdk-amd64"
                      " | gzip -1 > /tmp/starrocks-test-jdk.tar.gz")  # fmt: skip
    host.check_output("DEBIAN_FRONTEND=noninteractive apt-get -q -y purge 'openjdk-17-*'")
    assert host.run("command -v java").rc != 0


def test_check_mode_says_what_it_would_do_and_does_nothing(cluster):
    before = {name: cluster.files(name) for name in HOSTS}
    cluster.remember("bare", {name: {path: cluster.on(name).file(path).content_string for path in EDITED
                                     if cluster.on(name).file(path).exists} for name in HOSTS})
    cluster.remember("sshd", {name: sshd_pid(cluster.on(name)) for name in HOSTS})
    played = cluster.play("deploy", "--check", "--diff")
    for text in ("+starrocks - nofile 15000", "+UsePAM yes", "+session    required    pam_limits.so",
                 "+vm.swappiness = 0", "-UUID=2 none swap sw 0 0", "+SELINUX=permissive",
                 "/etc/localtime ->"):  # fmt: skip
        assert text in played.output, text
    assert {name: differences(before[name], cluster.files(name)) for name in HOSTS} == {"p1": {}, "p2": {}}
