# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named sets of hosts.

A set has a network of its own, so that sets know nothing of one another. Its folder in the cache holds the truth
(set.json, keys, the hosts file); build/hosts/SET in the checkout holds what users need and is written anew by
each `up`. What is planned is in set.json before it is made: whatever a run that was cut off has left behind, the
next `up` completes it and `down` finds it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import resource
import shutil
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import image, recipe
from .commands import HostsError, lock, run, say, until, write_file
from .machine import ADDRESSES, Machine

SUBNETS = tuple(ADDRESSES.subnets(new_prefix=24))[1:255]
FIRST_ADDRESS = 11
NAME_PATTERN = re.compile(r"^[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?$")
ACCOUNT_UID = 1500
READY_SECONDS = 60
STOP_SECONDS = 120  # a real machine gives its units 90 s (systemd's DefaultTimeoutStopSec) to stop

# The most asked for where the machine sets no limit, or a higher one. Open files: the kernel's own limit, fs.nr_open.
# Processes: a machine may refuse to set even its own limit again, and a host needs far fewer.
MOST_OPEN_FILES = 1048576
MOST_PROCESSES = 32768

# What belongs to the machine and not to a host: its clock, kernel modules, swap. Hosts have to be --privileged (without
# it, crun filters devices, which needs more rights than root has on every machine), and podman then ignores --cap-drop:
# a `date -s` on a host would set the machine's clock. It keeps a seccomp profile, though, in which these calls are
# refused (EPERM), for `podman exec` too.
SECCOMP_PROFILE = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    "syscalls": [
        {
            "names": [
                *("clock_settime", "clock_settime64", "settimeofday", "stime"),
                *("adjtimex", "clock_adjtime", "clock_adjtime64"),
                *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"),
                *("swapon", "swapoff"),
            ],
            "action": "SCMP_ACT_ERRNO",
            "errnoRet": 1,
        }
    ],
}

CREATE_ACCOUNT = """\
set -e
id -u "$1" >/dev/null 2>&1 || useradd --uid "$2" --create-home --shell /bin/bash "$1"
loginctl enable-linger "$1"
"""


@dataclass
class Host:
    """One host as planned. cpus and memory are podman's own notation; empty means no limit. ran: it was started once,
    so its container may hold what somebody wants; podman cannot tell that after a reboot of the machine."""

    address: str
    release: str
    cpus: str = ""
    memory: str = ""
    ran: bool = False


@dataclass
class Plan:
    """What set.json holds."""

    name: str
    directory: str
    subnet: str
    account: str = ""
    hosts: dict[str, Host] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        values = json.loads(text)
        values["hosts"] = {name: Host(**host) for name, host in values["hosts"].items()}
        return cls(**values)

    @property
    def gateway(self) -> str:
        return str(next(ipaddress.ip_network(self.subnet).hosts()))


# -- pure functions ---------------------------------------------------------------------------------------------------


def check_name(kind: str, name: str) -> str:
    """The name, if it can be a host name. Raises HostsError."""
    if not NAME_PATTERN.match(name):
        raise HostsError(f"{kind} {name!r}: use 1 to 30 lower-case letters, digits and hyphens, a letter first")
    return name


def set_key(name: str, directory: Path) -> str:
    """A name for the set that is unique on this machine: two checkouts may each have a set called demo."""
    return f"{name}-{hashlib.sha256(str(directory).encode()).hexdigest()[:6]}"


def free_subnet(taken: Iterable[str]) -> str:
    """The first subnet that overlaps none of those taken (by other sets, or by the machine's routes)."""
    used = [ipaddress.ip_network(text, strict=False) for text in taken]
    for subnet in SUBNETS:
        if not any(subnet.overlaps(other) for other in used):
            return str(subnet)
    raise HostsError(f"no free subnet left from {SUBNETS[0]} to {SUBNETS[-1]}. Remove sets: hosts list, hosts down SET")


def free_address(plan: Plan) -> str:
    """The first address of the set's subnet that no host of it has."""
    network = ipaddress.ip_network(plan.subnet)
    used = {host.address for host in plan.hosts.values()}
    for number in range(FIRST_ADDRESS, network.num_addresses - 1):
        address = str(network[number])
        if address not in used:
            return address
    raise HostsError(f"set {plan.name} has no free address left in {plan.subnet}")


def is_new(plan: Plan, host: str, state: str) -> bool:
    """Whether the host has yet to be made, for it has no container or one that never ran."""
    return state == "absent" or not plan.hosts[host].ran and state in ("configured", "created", "initialized")


def mac_address(address: str) -> str:
    """A host's own MAC address, locally administered (the first octet is 02). It stays when the host is started again:
    with a new one each time, neighbours would send to the old one for up to half a minute."""
    return "02:53:" + ":".join(f"{octet:02x}" for octet in ipaddress.IPv4Address(address).packed)


def hosts_file(plan: Plan) -> str:
    """/etc/hosts, the same on all hosts of a set. The full name first, so that `hostname -f` and Java find it."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines += [f"{host.address} {name}.{plan.name}.test {name}" for name, host in plan.hosts.items()]
    return "\n".join(lines) + "\n"


def inventory(plan: Plan) -> str:
    """The set as an Ansible inventory in YAML. JSON's quoting is YAML's, too."""
    directory = Path(plan.directory)
    ssh_args = (f"-o UserKnownHostsFile='{directory}/known_hosts' -o GlobalKnownHostsFile=/dev/null"
                " -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes")  # fmt: skip
    lines = ["all:", "  vars:"]
    for key, value in (
        ("ansible_user", plan.account or "root"),
        ("ansible_ssh_private_key_file", f"{directory}/id_ed25519"),
        ("ansible_ssh_common_args", ssh_args),
        ("ansible_python_interpreter", "/usr/bin/python3"),
    ):
        lines.append(f"    {key}: {json.dumps(value)}")
    lines.append("  hosts:")
    for name, host in plan.hosts.items():
        lines += [f"    {name}:", f"      ansible_host: {host.address}"]
    return "\n".join(lines) + "\n"


def ssh_config(plan: Plan) -> str:
    """The set for `ssh -F`, always as root."""
    lines = []
    for name, host in plan.hosts.items():
        lines += [f"Host {name}", f"  HostName {host.address}"]
    lines += [
        "Host *",
        "  User root",
        f'  IdentityFile "{plan.directory}/id_ed25519"',
        "  IdentitiesOnly yes",
        f'  UserKnownHostsFile "{plan.directory}/known_hosts"',
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        "  BatchMode yes",
        "  ConnectTimeout 10",
    ]
    return "\n".join(lines) + "\n"


# -- what this machine offers -----------------------------------------------------------------------------------------


def routed_subnets() -> list[str]:
    """Every IPv4 subnet this machine has a route to; the default route says nothing."""
    routes = json.loads(run(["ip", "-4", "-json", "route", "show", "table", "all"]).stdout or "[]")
    return [route["dst"] for route in routes if re.match(r"^\d+\.", route["dst"])]


def outer_mtu() -> int:
    """The packet size of the way out of this machine: larger packets of hosts would be lost where it is below 1500."""
    routes = json.loads(run(["ip", "-4", "-json", "route", "show", "default"]).stdout or "[]")
    for route in routes:
        return int(Path(f"/sys/class/net/{route['dev']}/mtu").read_text(encoding="ascii"))
    return 1500


def limit_options() -> list[str]:
    """The limits of open files and processes for the hosts: as much as this machine can give."""
    options = []
    for name, what, most in (("nofile", resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
                             ("nproc", resource.RLIMIT_NPROC, MOST_PROCESSES)):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        value = most if hard == resource.RLIM_INFINITY else min(hard, most)
        options += ["--ulimit", f"{name}={value}:{value}"]
    return options


def in_parallel(action: Callable[[str], object], names: Sequence[str]) -> None:
    """Run action for every name at the same time; raises the first error when all have ended."""
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        for future in [pool.submit(action, name) for name in names]:
            future.result()


# -- a set ------------------------------------------------------------------------------------------------------------


class HostSet:
    """One named set of hosts on this machine."""

    def __init__(self, machine: Machine, name: str, directory: Path) -> None:
        self.machine = machine
        self.name = check_name("set", name)
        self.directory = directory
        self.key = set_key(name, directory)
        self.folder = machine.sets / self.key

    @classmethod
    def at(cls, machine: Machine, folder: Path) -> HostSet:
        """The set whose folder in the cache this is."""
        plan = Plan.from_json((folder / "set.json").read_text(encoding="utf-8"))
        return cls(machine, plan.name, Path(plan.directory))

    def exists(self) -> bool:
        return (self.folder / "set.json").exists()

    def plan(self) -> Plan:
        """What is planned. Raises HostsError when there is no such set."""
        if not self.exists():
            raise HostsError(f"there is no set {self.name!r} of this checkout. See: hosts list")
        return Plan.from_json((self.folder / "set.json").read_text(encoding="utf-8"))

    def lock(self):
        """Held while hosts of this set change. Always taken before the machine's lock."""
        return lock(self.machine.cache / "locks" / self.key, f"set {self.name}")

    def container(self, host: str) -> str:
        return f"{self.key}.{host}"

    def chosen(self, hosts: Sequence[str]) -> list[str]:
        """The hosts named, or all when none is named. Raises HostsError for a name the set does not have."""
        known = self.plan().hosts
        for host in hosts:
            if host not in known:
                raise HostsError(f"set {self.name} has no host {host!r}; it has: {', '.join(known)}")
        return list(hosts) or list(known)

    def states(self) -> dict[str, str]:
        """Host -> podman's word for its state (running, exited, created, ...), or "absent"."""
        found = {}
        if self.machine.is_open():
            listed = json.loads(self.machine.podman("ps", "--all", "--format", "json").stdout or "[]")
            found = {container["Names"][0]: container["State"] for container in listed}
        return {host: found.get(self.container(host), "absent") for host in self.plan().hosts}

    # -- verbs ----------------------------------------------------------------------------------------------------

    def up(self, hosts: Sequence[str], *, release: str, account: str = "", cpus: str = "", memory: str = "") -> None:
        """Have these hosts in the set, and the whole set running and reachable. Hosts that run are left alone."""
        if release not in recipe.RELEASES:
            raise HostsError(f"release {release!r}: choose one of {', '.join(recipe.RELEASES)}")
        for host in hosts:
            check_name("host", host)
        if account:
            check_name("account", account)
        with self.lock():
            if not hosts and not self.exists():
                raise HostsError(f"set {self.name} does not exist yet: say which hosts it has, hosts up"
                                 f" {self.name} NAME...")  # fmt: skip
            with self.machine.opened():
                self._check_limits(cpus, memory)
                plan = self._planned(hosts, release, account, cpus, memory)
                self._write_files(plan)
                states = self.states()
                started = [host for host, state in states.items() if state != "running"]
            releases = {plan.hosts[host].release for host in started if is_new(plan, host, states[host])}
            images = {of: image.ensure(self.machine, of) for of in sorted(releases)}
            with self.machine.opened():
                self._ensure_network(plan)
                for host in started:
                    self._run_or_start(plan, host, states[host], images.get(plan.hosts[host].release, ""))
            self._wait_ready(list(plan.hosts))
            if plan.account:
                in_parallel(lambda host: self._create_account(plan.account, host), list(plan.hosts))

    def down(self) -> None:
        """Remove the set: hosts, network, keys, inventory. And what the machine had to change, if no set is left."""
        with self.lock(), self.machine.opened():
            plan = self.plan()
            for host, state in self.states().items():
                if state != "absent":
                    self.machine.podman("rm", "--force", "--volumes", "--time", "0", self.container(host))
            if self._has_network():
                self.machine.podman("network", "rm", "--force", self.key)
            self.machine.sweep_network(plan.subnet)
            shutil.rmtree(plan.directory, ignore_errors=True)
            shutil.rmtree(self.folder)
        (self.machine.cache / "locks" / self.key).unlink(missing_ok=True)

    def stop(self, hosts: Sequence[str]) -> None:
        """Shut hosts down as a real machine does: systemd stops all units. All at once."""
        with self.lock():
            self._stop(self.chosen(hosts))

    def reboot(self, hosts: Sequence[str]) -> None:
        """Shut hosts down and start them, all at once. Files and addresses stay, /run and /tmp do not."""
        with self.lock():
            chosen = self.chosen(hosts)
            self._stop(chosen)
            self._start(chosen)

    def kill(self, hosts: Sequence[str]) -> None:
        """Cut the power: every process of the hosts is gone at once."""
        with self.lock():
            running = self._running(self.chosen(hosts))
            if running:
                self.machine.podman("kill", "--signal", "KILL", *map(self.container, running))
            self._wait_stopped(running)

    def start(self, hosts: Sequence[str]) -> None:
        """Start hosts that do not run."""
        with self.lock():
            self._start(self.chosen(hosts))

    def exec_command(self, host: str, command: Sequence[str], terminal: bool) -> list[str]:
        """The command line that runs a command on a host as root, without SSH."""
        (name,) = self.chosen([host])
        state = self.states()[name]
        if state != "running":
            raise HostsError(f"{name} is not running ({state}). Start it: hosts start {self.name} {name}")
        options = ["--interactive", *(["--tty"] if terminal else [])]
        return self.machine.podman_command("exec", *options, self.container(name), *command)

    # -- their parts ----------------------------------------------------------------------------------------------

    def _check_limits(self, cpus: str, memory: str) -> None:
        offered = self.machine.controllers()
        for option, value, controller in (("--cpus", cpus, "cpu"), ("--memory", memory, "memory")):
            if value and controller not in offered:
                raise HostsError(f"{option} cannot be had here: this machine does not offer the {controller} controller"
                                 " in cgroup v2 (it may hold it in v1). Leave the option out.")  # fmt: skip

    def _planned(self, hosts: Sequence[str], release: str, account: str, cpus: str, memory: str) -> Plan:
        """The set's plan with these hosts in it, written down. Hold both locks."""
        if self.exists():
            plan = self.plan()
            if account and account != plan.account:
                raise HostsError(f"set {self.name} was made with account {plan.account or 'root'!r}. Remove it first:"
                                 f" hosts down {self.name}")  # fmt: skip
        else:
            others = [HostSet.at(self.machine, folder).plan().subnet for folder in self.machine.set_folders()]
            subnet = free_subnet([*others, *routed_subnets()])
            plan = Plan(self.name, str(self.directory), subnet, account)
        for host in hosts:
            if host not in plan.hosts:
                plan.hosts[host] = Host(free_address(plan), release, cpus, memory)
        self._save(plan)
        return plan

    def _save(self, plan: Plan) -> None:
        write_file(self.folder / "set.json", plan.to_json())

    def _write_files(self, plan: Plan) -> None:
        """Keys and the hosts file in the cache, inventory and SSH files in the checkout."""
        self._ensure_key(self.folder / "id_ed25519", plan.name)
        public_key = (self.folder / "id_ed25519.pub").read_text(encoding="utf-8")
        known = []
        for name, host in plan.hosts.items():
            folder = self.folder / "hosts" / name
            self._ensure_key(folder / "ssh_host_ed25519_key", name)
            for account in filter(None, ("root", plan.account)):
                write_file(folder / "authorized_keys" / account, public_key)
            key_type, key = (folder / "ssh_host_ed25519_key.pub").read_text(encoding="utf-8").split()[:2]
            known.append(f"{host.address} {key_type} {key}\n")
        with open(self.folder / "etc_hosts", "w", encoding="utf-8") as file:  # in place: running hosts have it mounted
            file.write(hosts_file(plan))
        write_file(self.folder / "seccomp.json", json.dumps(SECCOMP_PROFILE))
        private_key = (self.folder / "id_ed25519").read_text(encoding="utf-8")
        for name, text, mode in (
            ("id_ed25519", private_key, 0o600),
            ("id_ed25519.pub", public_key, 0o644),
            ("known_hosts", "".join(known), 0o644),
            ("ssh_config", ssh_config(plan), 0o644),
            ("hosts.yml", inventory(plan), 0o644),
        ):
            write_file(self.directory / name, text, mode)

    @staticmethod
    def _ensure_key(path: Path, comment: str) -> None:
        if not path.with_suffix(".pub").exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # half of a pair, left by a run that was cut off
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])

    def _has_network(self) -> bool:
        return self.machine.podman("network", "exists", self.key, check=False).returncode == 0

    def _ensure_network(self, plan: Plan) -> None:
        if not self._has_network():  # also after the machine was rebooted
            self.machine.podman("network", "create", "--subnet", plan.subnet, "--gateway", plan.gateway,
                                "--disable-dns", "--opt", f"mtu={outer_mtu()}", self.key)  # fmt: skip

    def _run_or_start(self, plan: Plan, host: str, state: str, image_name: str = "") -> None:
        """Start one host, making its container if need be. Hold both locks."""
        say(f"starting {host} ({plan.hosts[host].address})")
        container = self.container(host)
        new = is_new(plan, host, state)
        if new and state != "absent":  # half-made by a run that was cut off
            self.machine.podman("rm", "--force", container)
        if state == "initialized" and not new:  # its start was cut off
            self.machine.podman("stop", "--time", "0", container)
        words = self._run_words(plan, host, image_name) if new else ["start", container]
        done = self.machine.podman(*words, check=False)
        if done.returncode != 0 and "already allocated" in done.stderr:
            # A run was cut off after podman had noted the address. It is this host's all the same.
            self.machine.forget_addresses()
            if new:
                self.machine.podman("rm", "--force", "--ignore", container)
            done = self.machine.podman(*words, check=False)
        if done.returncode != 0:
            raise HostsError(f"{host} does not start. podman said: {done.stderr.strip()}")
        if new:
            plan.hosts[host].ran = True
            self._save(plan)

    def _run_words(self, plan: Plan, host: str, image_name: str) -> list[str]:
        """podman's arguments that make and start a host."""
        limits = plan.hosts[host]
        return [
            "run", "--detach", "--name", self.container(host), "--hostname", host,
            "--privileged", "--security-opt", f"seccomp={self.folder}/seccomp.json",
            "--systemd=always", "--pids-limit=0",
            *limit_options(),
            *(["--cpus", limits.cpus] if limits.cpus else []),
            *(["--memory", limits.memory] if limits.memory else []),
            "--network", self.key, "--ip", limits.address, "--mac-address", mac_address(limits.address), "--no-hosts",
            "--volume", f"{self.folder}/etc_hosts:/etc/hosts:ro",
            "--volume", f"{self.folder}/hosts/{host}:{recipe.HOST_FILES}:ro",
            # vm.*, kernel.* and huge pages belong to the machine, not to the host.
            "--volume", "/proc/sys:/proc/sys:ro", "--volume", "/sys/kernel/mm:/sys/kernel/mm:ro",
            image_name, "/sbin/init",
        ]  # fmt: skip

    def _running(self, hosts: Sequence[str]) -> list[str]:
        states = self.states()
        return [host for host in hosts if states[host] == "running"]

    def _stop(self, hosts: Sequence[str]) -> None:
        running = self._running(hosts)
        if running:
            containers = map(self.container, running)
            self.machine.podman("stop", "--time", STOP_SECONDS, *containers, timeout=STOP_SECONDS + 60)
        self._wait_stopped(running)

    def _wait_stopped(self, hosts: Sequence[str]) -> None:
        """Wait until podman has also taken the hosts' network away: it does so a moment after they have stopped."""
        if not until(lambda: all(self.states()[host] == "exited" for host in hosts), 30, pause=0.2):
            raise HostsError(f"still not stopped after 30 s: {self.states()}")

    def _start(self, hosts: Sequence[str]) -> None:
        with self.machine.lock():
            if not self.machine.is_open():
                raise HostsError(f"this machine was rebooted since. Run: hosts up {self.name}")
            plan, states = self.plan(), self.states()
            for host in hosts:
                if is_new(plan, host, states[host]):
                    raise HostsError(f"{host} was never started. Run: hosts up {self.name}")
                if states[host] != "running":
                    self._run_or_start(plan, host, states[host])
        self._wait_ready(hosts)

    def _ssh(self, host: str, *words: str, timeout: float = 60):
        return run(["ssh", "-F", self.directory / "ssh_config", host, *words], check=False, timeout=timeout)

    def _wait_ready(self, hosts: Sequence[str]) -> None:
        """Wait until each host has booted and can be reached by SSH. Failed units are told, not judged."""
        plan = self.plan()

        def ssh_answers(address: str) -> bool:
            try:
                with socket.create_connection((address, 22), timeout=2) as connection:
                    return connection.recv(4) == b"SSH-"
            except OSError:
                return False

        def wait(host: str) -> None:
            address = plan.hosts[host].address
            if not until(lambda: ssh_answers(address), READY_SECONDS):
                raise HostsError(f"{host} ({address}) answers no SSH after {READY_SECONDS} s. Look at:"
                                 f" hosts exec {self.name} {host} -- journalctl -b")  # fmt: skip
            # Status 1 while units have failed, 255 while logins are not allowed yet (pam_nologin).
            state = until(lambda: self._ssh(host, "systemctl", "is-system-running", "--wait").stdout.strip(),
                          READY_SECONDS, pause=0.3)  # fmt: skip
            if not state:
                said = self._ssh(host, "true")
                raise HostsError(f"no login on {host} ({address}) by SSH: {said.stderr.strip()}")
            if state != "running":
                failed = self._ssh(host, "systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
                units = ", ".join(line.split()[0] for line in failed.splitlines() if line.strip())
                say(f"{host} is up, but {state}; failed units: {units or 'none now'}")

        in_parallel(wait, hosts)

    def _create_account(self, account: str, host: str) -> None:
        self.machine.podman("exec", self.container(host), "bash", "-c", CREATE_ACCOUNT, "bash", account, ACCOUNT_UID)
