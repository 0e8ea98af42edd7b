# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts made ready, seen by a new login, by the kernel's word on processes, by the programs concerned; then undone."""

import re
import subprocess

import pytest
from prerequisites.hosts import EDITED, sshd_pid
from shared.cluster import UNITS, wait_for

HOSTS = ["p1", "p2"]
PORTS = {"p1": [8030, 9010, 9020, 9030], "p2": [8000, 8040, 8060, 9050, 9060]}
UNDO = {"starrocks_prerequisites_state": "absent"}


def login_limits(cluster, name) -> dict[str, str]:
    """What `ulimit` says in a new login of the service account over SSH."""
    host = cluster.on(name)
    key = (cluster.host_files / "id_ed25519.pub").read_text()
    host.check_output("install -d -o starrocks -m 700 /var/lib/starrocks/.ssh")
    host.check_output(f"echo '{key.strip()}' > /var/lib/starrocks/.ssh/authorized_keys")
    words = "for limit in n u l s; do ulimit -H$limit; done; echo $LANG"
    done = subprocess.run(
        ["ssh", "-F", str(cluster.host_files / "ssh_config"), "-l", "starrocks", name, f"bash --login -c '{words}'"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    host.check_output("rm -rf /var/lib/starrocks/.ssh")
    return dict(zip(("nofile", "nproc", "memlock", "stack", "locale"), done.stdout.split(), strict=True))


def reachable(cluster, name, port) -> bool:
    """Whether a connection from t1 gets through: answered or refused, but not swallowed."""
    command = f"timeout 2 bash -c '</dev/tcp/{cluster.address(name)}/{port}'"
    done = cluster.on("t1").run(command)
    return done.rc == 0 or "refused" in done.stderr


def test_the_cluster_runs(cluster):
    cluster.wait_alive(fe=["p1"], be=["p2"], broker=["p2"])
    assert {name: sorted(row["IP"] for row in cluster.rows(kind).values())
            for name, kind in (("p1", "fe"), ("p2", "be"))} == {"p1": ["p1"], "p2": ["p2"]}


@pytest.mark.parametrize("name", HOSTS)
def test_a_new_login_has_the_limits(cluster, name):
    assert login_limits(cluster, name) == {
        "nofile": "15000", "nproc": "20000", "memlock": "4096", "stack": "16384", "locale": "C.UTF-8"}  # fmt: skip


@pytest.mark.parametrize(("name", "unit"), [("p1", UNITS["fe"]), ("p2", UNITS["be"]), ("p2", UNITS["broker"])])
def test_the_units_have_the_limits(cluster, name, unit):
    limits = cluster.on(name).check_output(f"cat /proc/{cluster.pids()[name, unit]}/limits")
    for line in (r"Max open files +15000 +15000", r"Max processes +20000 +20000",
                 r"Max locked memory +4194304 +4194304", r"Max stack size +16777216 +16777216"):  # fmt: skip
        assert re.search(line, limits), line
    tasks = cluster.on(name).check_output(f"systemctl show {unit} --property=TasksMax --value")
    assert tasks == "infinity"


@pytest.mark.parametrize("name", HOSTS)
def test_sshd_uses_pam_and_was_not_restarted(cluster, name):
    host = cluster.on(name)
    assert "usepam yes" in host.check_output("/usr/sbin/sshd -T")
    assert sshd_pid(host) == cluster.recall("sshd")[name]
    assert re.search(r"^session +required +pam_limits.so$", host.file("/etc/pam.d/login").content_string, re.MULTILINE)


@pytest.mark.parametrize("name", HOSTS)
def test_the_clock_follows_the_server_that_was_named(cluster, name):
    host = cluster.on(name)
    tracking = host.check_output("chronyc -n -c tracking").split(",")
    assert (tracking[1], tracking[-1]) == (cluster.address("t1"), "Normal")
    assert host.check_output("date +%Z") == "CST"
    assert host.file("/etc/timezone").content_string == "Asia/Shanghai\n"


@pytest.mark.parametrize("name", HOSTS)
def test_files_of_the_kernel_and_of_others(cluster, name):
    host = cluster.on(name)
    texts = {path: host.file(path).content_string for path in (
        "/etc/sysctl.d/99-zz-starrocks.conf", "/etc/tmpfiles.d/starrocks-huge-pages.conf",
        "/etc/udev/rules.d/60-starrocks-io-scheduler.rules", "/etc/fstab", "/etc/selinux/config",
        "/etc/hosts")}  # fmt: skip
    for path, line in (
        ("/etc/sysctl.d/99-zz-starrocks.conf", "vm.swappiness = 0"),
        ("/etc/sysctl.d/99-zz-starrocks.conf", "vm.overcommit_memory = 1"),
        ("/etc/tmpfiles.d/starrocks-huge-pages.conf", "w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise"),
        ("/etc/fstab", "#starrocks.cluster# UUID=2 none swap sw 0 0"),
        ("/etc/selinux/config", "SELINUX=permissive"),
        ("/etc/hosts", f"{cluster.address('p1')} p1"),
        ("/etc/hosts", f"{cluster.address('p2')} p2"),
    ):
        assert line in texts[path].splitlines(), (path, line)
    # systemd itself reads them: each says what it makes of the file.
    assert "vm.swappiness" in host.check_output("/lib/systemd/systemd-sysctl --cat-config")
    assert "transparent_hugepage/defrag - - - - madvise" in host.check_output("systemd-tmpfiles --cat-config")
    # A value of the machine that is high enough already was left alone.
    highest = int(host.check_output("cat /proc/sys/kernel/pid_max"))
    assert ("kernel.pid_max" in texts["/etc/sysctl.d/99-zz-starrocks.conf"]) == (highest < 200000)


@pytest.mark.parametrize("name", HOSTS)
def test_the_firewall_lets_exactly_the_ports_in(cluster, name):
    assert {port: reachable(cluster, name, port) for port in [*PORTS[name], 9999]} == {
        **dict.fromkeys(PORTS[name], True), 9999: False}  # fmt: skip


def test_the_rules_of_nftables_survive_a_reload(cluster):
    cluster.on("p1").check_output("systemctl reload nftables")
    assert reachable(cluster, "p1", 9030) and not reachable(cluster, "p1", 9999)
    assert cluster.on("p1").check_output("nft list ruleset").count('comment "starrocks.cluster') == 1


def test_the_jdk_of_the_archive_is_used(cluster):
    host = cluster.on("p2")
    home = "/opt/starrocks/jdk/java-17-openjdk-amd64"
    assert host.file(f"{home}/bin/java").exists
    assert f"\nEnvironment=JAVA_HOME={home}\n" in host.file("/etc/systemd/system/starrocks-be.service").content_string
    assert f'JAVA_HOME="{home}"' in host.file("/opt/starrocks/be/conf/be.conf").content_string
    broker = cluster.pids()["p2", UNITS["broker"]]
    assert f"JAVA_HOME={home}" in host.check_output(f"tr '\\0' '\\n' < /proc/{broker}/environ").splitlines()
    assert "/usr/lib/jvm/java-17" in cluster.on("p1").file("/opt/starrocks/fe/conf/fe.conf").content_string


def test_check_mode_after_the_deploy_changes_nothing(cluster):
    """Molecule's idempotence has seen to the real run."""
    pids = cluster.pids()
    assert cluster.play("deploy", "--check", "--diff").changed == 0
    assert cluster.pids() == pids


def test_a_run_that_was_cut_off_is_made_good(cluster):
    """The process dies after sshd_config was written and before sshd is reloaded; the next run reloads it."""
    host, path = cluster.on("p1"), "/etc/ssh/sshd_config"
    host.check_output(f"sed -i '/BEGIN starrocks/,/END starrocks/d' {path} && systemctl reload ssh && sleep 1")
    # systemctl, as the module finds it first, ends its caller.
    host.check_output(r"printf '#!/bin/sh\n[ $1 != reload ] || kill -9 $PPID\nexec /usr/bin/systemctl \"$@\"\n'"
                      " > /usr/local/sbin/systemctl && chmod 755 /usr/local/sbin/systemctl")  # fmt: skip
    cluster.play("deploy", status=None)
    assert "UsePAM yes" in host.file(path).content_string
    assert host.file("/run/starrocks-prerequisites").content_string == "sshd\n"
    host.check_output("rm /usr/local/sbin/systemctl")
    before = host.check_output("systemctl show ssh.service --property=ExecReload --value")
    played = cluster.play("deploy", "--diff")
    assert "systemctl reload ssh.service" in played.output
    assert host.check_output("systemctl show ssh.service --property=ExecReload --value") != before
    assert not host.file("/run/starrocks-prerequisites").exists
    assert cluster.play("deploy").changed == 0


def test_a_broken_configuration_of_sshd_is_not_made_to_look_whole(cluster):
    host, path = cluster.on("p1"), "/etc/ssh/sshd_config"
    whole = host.file(path).content_string
    host.check_output(f"sed -i '/BEGIN starrocks/,/END starrocks/d' {path} && echo Nonsense yes >> {path}")
    played = cluster.play("deploy", status=None)
    assert "The new file is refused, and the old one stays" in played.words and "Nonsense" in played.words
    assert "UsePAM yes" not in host.file(path).content_string
    assert sshd_pid(host) == cluster.recall("sshd")["p1"]
    host.check_output(f"cat > {path} <<'end'\n{whole}end\n")
    cluster.play("deploy")


@pytest.mark.parametrize("check", [True, False])
def test_all_of_it_is_taken_back(cluster, check, tmp_path):
    playbook = tmp_path / "undo.yml"
    playbook.write_text("- hosts: starrocks_fe:starrocks_be\n  gather_facts: false\n  become: true\n"
                        "  roles: [starrocks.cluster.prerequisites]\n")  # fmt: skip
    before = {name: cluster.files(name) for name in HOSTS}
    played = cluster.play(str(playbook), *(["--check"] if check else []), extra=UNDO)
    assert played.changed > 0
    if check:
        assert {name: cluster.files(name)["/etc/ssh/sshd_config"] for name in HOSTS} == {
            name: before[name]["/etc/ssh/sshd_config"] for name in HOSTS}  # fmt: skip
        return
    for name, texts in cluster.recall("bare").items():
        now = {path: cluster.on(name).file(path).content_string for path in EDITED if path in texts}
        assert now == texts
        assert "starrocks" not in cluster.on(name).check_output(
            "cat /etc/chrony/chrony.conf; ls /etc/security/limits.d /etc/sysctl.d /etc/tmpfiles.d /etc/udev/rules.d"
            " /etc/profile.d /etc/nftables.d /etc/firewalld/services 2>/dev/null || true")  # fmt: skip
        assert "usepam no" in cluster.on(name).check_output("/usr/sbin/sshd -T")
    assert {name: reachable(cluster, name, PORTS[name][0]) for name in HOSTS} == {"p1": False, "p2": False}
    assert cluster.play(str(playbook), extra=UNDO).changed == 0
    assert sshd_pid(cluster.on("p1")) == cluster.recall("sshd")["p1"]


def test_a_host_as_it_comes_is_ready_again_after_a_deploy(cluster):
    cluster.play("deploy")
    wait_for(lambda: reachable(cluster, "p1", 9030), 10, "the port is open")
    confirmed = {"starrocks_destroy_confirm": "story", "starrocks_destroy_data": True}
    cluster.play("destroy", extra=confirmed)
    for name in HOSTS:
        left = cluster.on(name).check_output("cat /etc/passwd; find /etc /opt /var/lib -name '*starrocks*'")
        assert "starrocks" not in left
    assert cluster.play("destroy", extra=confirmed).changed == 0
