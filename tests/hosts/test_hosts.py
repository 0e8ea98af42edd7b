# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test hosts themselves: the rules, then one real set of two hosts (root only, about ten seconds)."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from testhosts import image, machine, recipe, sets  # noqa: E402
from testhosts.commands import HostsError  # noqa: E402

SETTINGS = recipe.MachineSettings("http://mirror.test/debian", "http://mirror.test/debian-security")


def plan(**hosts: str) -> sets.Plan:
    """A set named demo with these hosts: name=address."""
    return sets.Plan("demo", "/srv/a checkout/build/hosts/demo", "10.213.7.0/24", "",
                     {name: sets.Host(address, "bookworm") for name, address in hosts.items()})  # fmt: skip


# -- the rules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["h1", "fe-1", "a", "a" * 30])
def test_good_names(name):
    assert sets.check_name("host", name) == name


@pytest.mark.parametrize("name", ["", "1h", "H1", "h_1", "h1-", "-h", "a.b", "../up", "a" * 31])
def test_names_that_are_no_host_names_are_refused(name):
    with pytest.raises(HostsError, match="lower-case"):
        sets.check_name("host", name)


def test_two_checkouts_may_have_a_set_of_the_same_name():
    assert sets.set_key("demo", Path("/a")) != sets.set_key("demo", Path("/b"))
    assert sets.set_key("demo", Path("/a")) == sets.set_key("demo", Path("/a"))


@pytest.mark.parametrize(
    ("taken", "free"),
    [
        ([], "10.213.1.0/24"),
        (["192.0.2.0/24", "127.0.0.1"], "10.213.1.0/24"),
        (["10.213.1.0/24", "10.213.3.0/24"], "10.213.2.0/24"),
        (["10.213.1.77"], "10.213.2.0/24"),
        (["10.213.0.0/17"], "10.213.128.0/24"),
    ],
)
def test_a_set_gets_the_first_free_subnet(taken, free):
    assert sets.free_subnet(taken) == free


def test_no_free_subnet_is_told():
    with pytest.raises(HostsError, match="no free subnet"):
        sets.free_subnet(["10.0.0.0/8"])


def test_a_host_gets_the_first_free_address():
    assert sets.free_address(plan()) == "10.213.7.11"
    assert sets.free_address(plan(h1="10.213.7.11", h3="10.213.7.13")) == "10.213.7.12"


def test_the_mac_address_follows_from_the_address():
    assert sets.mac_address("10.213.7.11") == "02:53:0a:d5:07:0b"


@pytest.mark.parametrize(
    ("state", "ran", "new"),
    [
        ("absent", False, True),
        ("absent", True, True),  # somebody removed the container
        ("created", False, True),
        ("initialized", False, True),
        ("created", True, False),  # how podman shows all containers after a reboot of the machine
        ("exited", True, False),
        ("running", False, False),  # cut off before it was noted
    ],
)
def test_only_hosts_that_never_ran_are_made_anew(state, ran, new):
    planned = plan(h1="10.213.7.11")
    planned.hosts["h1"].ran = ran
    assert sets.is_new(planned, "h1", state) is new


def test_a_plan_survives_being_written_down():
    before = plan(h1="10.213.7.11")
    assert sets.Plan.from_json(before.to_json()) == before
    assert before.gateway == "10.213.7.1"


def test_inventory():
    written = yaml.safe_load(sets.inventory(plan(h1="10.213.7.11", h2="10.213.7.12")))["all"]
    assert written["hosts"] == {"h1": {"ansible_host": "10.213.7.11"}, "h2": {"ansible_host": "10.213.7.12"}}
    assert written["vars"]["ansible_user"] == "root"
    arguments = shlex.split(written["vars"]["ansible_ssh_common_args"])
    assert "UserKnownHostsFile=/srv/a checkout/build/hosts/demo/known_hosts" in arguments
    assert "StrictHostKeyChecking=yes" in arguments


def test_the_full_name_of_a_host_comes_first():
    assert "10.213.7.11 h1.demo.test h1\n" in sets.hosts_file(plan(h1="10.213.7.11"))


def test_mirrors_are_this_machines():
    sources = """\
# deb http://old.test/debian bookworm main
deb [signed-by=/k.gpg] https://packages.test/apt cloud main
deb http://near.test/debian bookworm main
Types: deb
URIs: http://near.test/debian-security/
"""
    assert image.mirrors(sources) == ("http://near.test/debian", "http://near.test/debian-security")
    assert image.mirrors("") == (image.DEFAULT_MIRROR, image.DEFAULT_SECURITY_MIRROR)


def test_apt_options_are_those_about_the_way_to_the_mirrors():
    dump = """\
APT::Architecture "amd64";
Acquire::Check-Date "false";
Acquire::http "";
Acquire::http::Proxy "http://proxy.test:3128";
Acquire::Languages:: "none";
"""
    assert image.apt_options(dump, {"http_proxy": "http://other.test", "HTTPS_PROXY": "http://p.test"}) == (
        'Acquire::Check-Date "false";',
        'Acquire::http::Proxy "http://proxy.test:3128";',
        'Acquire::https::Proxy "http://p.test";',
    )


def test_certificates_beyond_the_packaged_ones():
    def certificate(body):
        return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"

    bundle = "\n".join(map(certificate, ("AAAA", "BBBB")))
    assert image.extra_certificates(bundle, {certificate("AAAA") + "\n"}) == (certificate("BBBB") + "\n",)


def test_only_what_is_in_the_image_changes_its_fingerprint():
    known = recipe.fingerprint("bookworm", SETTINGS, "script")
    assert recipe.fingerprint("bookworm", SETTINGS, "script") == known
    other = recipe.MachineSettings("http://other.test/debian", SETTINGS.security_mirror)
    others = [("trixie", SETTINGS, "script"), ("bookworm", other, "script"), ("bookworm", SETTINGS, "changed")]
    assert len({known, *(recipe.fingerprint(*arguments) for arguments in others)}) == 4


def test_mounts_are_read_as_the_kernel_writes_them():
    text = """\
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
65 42 0:4 mnt:[4026532177] /root/a\\040cache/mnt rw - nsfs nsfs rw
66 42 0:4 / /shared rw shared:1 master:2 - ext4 /dev/vda rw
"""
    assert machine.bound_namespaces(text) == {"/root/a cache/mnt"}
    assert machine.mount_points(text) == {"/sys/fs/cgroup/unified", "/root/a cache/mnt", "/shared"}


def test_only_our_chains_are_removed():
    assert machine.chains_to_remove(["NETAVARK_FORWARD"], ["NETAVARK_FORWARD", "NETAVARK-12", "DOCKER"]) == [
        "NETAVARK-12"
    ]


def test_networks_that_netavark_still_serves_are_seen():
    rules = [
        ["-A", "NETAVARK-12", "!", "-d", "224.0.0.0/4", "-j", "MASQUERADE"],
        ["-A", "FORWARD", "-d", "172.17.0.0/16", "-j", "DOCKER"],
    ]
    assert machine.networks_in_use(rules) == []
    assert machine.networks_in_use([*rules, ["-A", "NETAVARK_FORWARD", "-s", "10.88.0.0/16"]]) == ["10.88.0.0/16"]


# -- one real set -----------------------------------------------------------------------------------------------------

SET = "selftest"
FILES = HERE.parents[1] / "build" / "hosts" / SET
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="hosts are made by root")

CLOCK_PROGRAM = "import time; time.clock_settime(time.CLOCK_REALTIME, time.time())"  # harmless where it is let through


def hosts(*words: str, status: int = 0) -> str:
    """Run the tool; returns what it printed."""
    done = subprocess.run([HERE / "hosts", *words], capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def ssh(host: str, command: str, status: int = 0) -> str:
    """Run a command on a host over SSH; returns what it printed, errors too."""
    line = ["ssh", "-F", FILES / "ssh_config", host, command]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return (done.stdout + done.stderr).strip()


def started(host: str) -> str:
    """When the host's systemd started, in the kernel's own count: another one after each boot."""
    return ssh(host, "cut -d' ' -f22 /proc/1/stat")


@pytest.fixture(scope="class")
def two_hosts():
    hosts("down", SET)
    hosts("up", SET, "h1", "h2")
    yield
    hosts("down", SET)


@needs_root
@pytest.mark.usefixtures("two_hosts")
class TestTwoHosts:
    def test_ansible_reaches_them(self):
        ansible = Path(sys.executable).with_name("ansible")
        line = [ansible, "-i", FILES / "hosts.yml", "all", "-m", "ansible.builtin.ping"]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=environment)
        assert done.stdout.count("SUCCESS") == 2, done.stdout + done.stderr

    def test_they_have_systemd_a_jdk_and_names(self):
        assert ssh("h1", "systemctl is-system-running") == "running"
        assert "javac" in ssh("h1", "javac -version")
        assert ssh("h1", "hostname -f") == f"h1.{SET}.test"
        assert ssh("h1", "getent hosts h2").split()[1:] == [f"h2.{SET}.test", "h2"]
        assert ssh("h1", "timeout 5 bash -c 'read -r line < /dev/tcp/h2/22; echo $line'").startswith("SSH-")

    def test_what_is_the_machines_cannot_be_changed(self):
        assert "Operation not permitted" in ssh("h1", f"python3 -c '{CLOCK_PROGRAM}'", status=1)
        assert "Operation not permitted" in hosts("exec", SET, "h1", "--", "python3", "-c", CLOCK_PROGRAM, status=1)
        assert "denied" in ssh("h1", "sysctl -w vm.swappiness=$(cat /proc/sys/vm/swappiness)", status=1)
        assert "Read-only" in ssh("h1", "echo never > /sys/kernel/mm/transparent_hugepage/enabled", status=1)
        assert "Read-only" in ssh("h1", "touch /sys/kernel/x", status=1)

    def test_up_again_leaves_them_alone(self):
        before = started("h1")
        hosts("up", SET, "h1")
        assert started("h1") == before

    def test_a_reboot_keeps_files_and_address(self):
        before = started("h1"), started("h2")
        ssh("h1", "echo kept > /root/file; touch /run/file")
        hosts("reboot", SET)
        assert started("h1") != before[0] and started("h2") != before[1]
        assert ssh("h1", "cat /root/file; ls /run/file", status=2).splitlines()[0] == "kept"
        address = yaml.safe_load((FILES / "hosts.yml").read_text())["all"]["hosts"]["h1"]["ansible_host"]
        assert address in ssh("h1", "ip -br address show eth0")

    def test_a_power_cut_and_the_start_after_it(self):
        ssh("h1", "echo kept > /root/cut && sync")
        before = started("h2")
        hosts("kill", SET, "h1")
        assert "not running" in hosts("exec", SET, "h1", "--", "true", status=1)
        hosts("start", SET, "h1")
        assert ssh("h1", "cat /root/cut") == "kept"
        assert started("h2") == before

    def test_a_host_added_later_is_known_to_the_others(self):
        hosts("up", SET, "h3")
        assert ssh("h1", "getent hosts h3").split()[-1] == "h3"
        assert ssh("h3", "getent hosts h1").split()[-1] == "h1"

    def test_exec_passes_input_and_status(self):
        assert hosts("exec", SET, "h2", "--", "hostname").strip() == "h2"
        done = subprocess.run([HERE / "hosts", "exec", SET, "h2", "--", "sh", "-c", "cat; exit 7"], input="text",
                              capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
        assert (done.returncode, done.stdout) == (7, "text")

    def test_a_host_that_is_not_there_is_named(self):
        assert "has no host 'nobody'; it has: h1, h2" in hosts("exec", SET, "nobody", "--", "true", status=1)


@needs_root
def test_down_leaves_nothing_of_the_set():
    here = machine.Machine()
    hosts("up", SET, "h1")
    of_set = sets.HostSet(here, SET, FILES)
    subnet = of_set.plan().subnet
    assert subnet in sets.routed_subnets()
    hosts("down", SET)
    assert not FILES.exists() and not of_set.folder.exists()
    assert subnet not in sets.routed_subnets()
    assert subnet.split("/")[0] not in subprocess.run(["iptables-save"], capture_output=True, text=True).stdout
    assert of_set.key not in subprocess.run(["ps", "-ef"], capture_output=True, text=True).stdout
    if here.is_open():  # other sets live
        assert of_set.key not in here.podman("ps", "--all").stdout + here.podman("network", "ls").stdout
    else:
        assert not here.set_folders()
        assert "NETAVARK" not in json.dumps(machine.tables_and_chains())
        assert str(here.cache) not in Path("/proc/self/mountinfo").read_text()


@needs_root
def test_a_set_that_does_not_exist_is_told():
    assert "no set 'nowhere'" in hosts("reboot", "nowhere", status=1)
    assert "say which hosts" in hosts("up", "nowhere", status=1)
    hosts("down", "nowhere")  # nothing to do is no error
