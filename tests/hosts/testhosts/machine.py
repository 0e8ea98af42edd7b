# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of this machine while hosts exist, and putting it back afterwards.

All of podman runs in one private mount namespace, for two reasons. Where a machine mounts cgroup v1 and v2
together, crun refuses to work; in the namespace only v2 is mounted. And what podman mounts and keeps under /run
is seen by nobody else and goes with the namespace. It must be the same namespace each time, or podman loses sight
of the network namespaces it has mounted; so it is bound to a file in the cache, shared by all sets.

netavark, podman's network program, turns on IPv4 forwarding and makes iptables chains, and takes neither back.
What the machine had before is written down first and put back when the last set has gone.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .commands import HostsError, lock, run, say, write_file

# Program -> the Debian package that has it. netavark and aardvark-dns live outside PATH.
PROGRAMS = {
    "podman": "podman",
    "debootstrap": "debootstrap",
    "crun": "crun",
    "conmon": "conmon",
    "/usr/lib/podman/netavark": "netavark",
    "ip": "iproute2",
    "iptables": "iptables",
    "nft": "nftables",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}

# What hosts' addresses are taken from; a set gets a /24 of it.
ADDRESSES = ipaddress.ip_network("10.213.0.0/16")

IPV4_SETTINGS = Path("/proc/sys/net/ipv4")

# Writing net.ipv4.ip_forward makes the kernel reset others of the same interface folder
# (Documentation/networking/ip-sysctl.rst), so all of these are saved and put back.
SAVED_IPV4_SETTINGS = ("ip_forward", "conf/*/forwarding", "conf/*/accept_redirects", "conf/*/rp_filter",
                       "conf/*/route_localnet")  # fmt: skip

CONTAINERS_CONF = """\
[containers]
log_driver = "k8s-file"
log_size_max = 1048576
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "crun"
network_cmd_path = ""
[network]
network_backend = "netavark"
"""

# Folders that podman, crun and netavark use and no option moves. (crun's --root would be one, but the `podman
# container cleanup` that follows the end of a container does not know of it, and it could not be started again.)
RUN_FOLDERS = ("/run/netns", "/run/crun", "/run/containers")

# Folders that are taken away afterwards if they were not there before: those, and what mount(8) makes for itself.
MADE_FOLDERS = (*RUN_FOLDERS, "/run/mount")

# Runs in the new namespace. $1 is the folder for podman's running state, the others are RUN_FOLDERS.
PREPARE_NAMESPACE = """\
set -e
umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs -o mode=755 none "$1"
for folder in "${@:2}"; do mount -t tmpfs -o mode=755 none "$folder"; done
mkdir "$1/tmp" "$1/networks"
"""


def cache_folder() -> Path:
    """Where images, containers and the state of all sets live."""
    default = Path.home() / ".cache" / "starrocks.cluster"
    return Path(os.environ.get("STARROCKS_TEST_CACHE") or default).resolve() / "hosts"


def missing_packages() -> list[str]:
    """Debian packages that hold a program this tool needs and this machine has not."""

    def present(name: str) -> bool:
        return Path(name).exists() if name.startswith("/") else shutil.which(name) is not None

    return sorted({package for name, package in PROGRAMS.items() if not present(name)})


def setup() -> list[str]:
    """Install the programs that are missing; returns the packages installed. Quick when there is nothing to do."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.geteuid() != 0:
        raise HostsError("containers with systemd and addresses of their own need root. Run this as root.")
    missing = missing_packages()
    if not missing:
        return []
    if shutil.which("apt-get") is None:
        raise HostsError(f"missing, and no apt-get to install them with: {', '.join(missing)}")
    say(f"installing on this machine: {' '.join(missing)}")
    apt = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "-q", "-y", "install", "--no-install-recommends", *missing]
    if run(install, check=False, env=apt, timeout=580).returncode != 0:  # perhaps the package lists are old
        run(["apt-get", "-q", "update"], env=apt, timeout=580)
        run(install, env=apt, timeout=580)
    return missing


def bound_namespaces(mountinfo: str) -> set[str]:
    """Paths that a namespace is bound to, from the text of /proc/self/mountinfo (proc(5): mount point is the fifth
    field, the type of file system the first after the dash)."""
    paths = set()
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.split(" ", 1)[0] == "nsfs":
            paths.add(before.split(" ")[4].replace("\\040", " "))
    return paths


def mount_points(mountinfo: str) -> set[str]:
    """All mount points in the text of /proc/self/mountinfo."""
    return {line.split(" ")[4].replace("\\040", " ") for line in mountinfo.splitlines()}


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _mountinfo() -> str:
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def iptables_rules(table: str) -> list[list[str]]:
    """The chains and rules of an iptables table, as the words that would make them. Listing makes no table."""
    return [shlex.split(line) for line in run(["iptables", "-w", "-t", table, "-S"]).stdout.splitlines()]


def tables_and_chains() -> dict[str, list[str]]:
    """What the packet filter holds: nft tables ("ip nat"), and iptables chains by table."""
    found = {"tables": [line.removeprefix("table ") for line in run(["nft", "list", "tables"]).stdout.splitlines()]}
    for table in ("filter", "nat"):
        found[table] = [rule[1] for rule in iptables_rules(table) if rule[0] == "-N"]
    return found


def ipv4_settings() -> dict[str, str]:
    """The settings of SAVED_IPV4_SETTINGS as they are now: path below /proc/sys/net/ipv4 -> value."""
    values = {}
    for pattern in SAVED_IPV4_SETTINGS:
        for path in sorted(IPV4_SETTINGS.glob(pattern)):
            with contextlib.suppress(OSError):  # an interface went away meanwhile
                values[str(path.relative_to(IPV4_SETTINGS))] = path.read_text(encoding="ascii").strip()
    return values


def chains_to_remove(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """netavark's chains that were not there before: the others may belong to another podman of this machine."""
    return [chain for chain in now if chain.startswith("NETAVARK") and chain not in before]


def networks_in_use(rules: Iterable[Sequence[str]]) -> list[str]:
    """Subnets in netavark's chains. When our sets are gone, those left are of another podman (or another cache)."""
    found = set()
    for rule in rules:
        if rule[0] == "-A" and rule[1].startswith("NETAVARK"):
            found.update(ipaddress.ip_network(word) for word in rule if re.match(r"^\d+\.\d+\.\d+\.\d+/\d+$", word))
    return sorted(str(subnet) for subnet in found if not subnet.is_multicast)


class Machine:
    """This machine as a place for hosts: the namespace, podman in it, and what was there before."""

    def __init__(self, cache: Path | None = None) -> None:
        self.cache = cache or cache_folder()
        self.sets = self.cache / "sets"
        self._namespace_folder = self.cache / "namespace"
        self._namespace = self._namespace_folder / "mnt"
        self._run = self.cache / "run"
        self._before = self.cache / "machine-before.json"

    def lock(self):
        """Held while the namespace, images, networks or podman's shared state change."""
        return lock(self.cache / "machine.lock", "machine")

    # -- the namespace ------------------------------------------------------------------------------------------

    def is_open(self) -> bool:
        """Whether the namespace stands."""
        return str(self._namespace) in bound_namespaces(_mountinfo())

    def open(self) -> None:
        """Make the namespace unless it stands. Hold the lock."""
        if self.is_open():
            return
        self.close()  # what a run that was cut off may have left half-made
        made = [folder for folder in MADE_FOLDERS if not Path(folder).exists()]
        before = {"boot": _boot_id(), "settings": ipv4_settings(), "filter": tables_and_chains(), "folders": made}
        write_file(self._before, json.dumps(before, indent=1))
        write_file(self.cache / "containers.conf", CONTAINERS_CONF)
        for folder in (self._namespace_folder, self._run, *map(Path, RUN_FOLDERS)):
            folder.mkdir(parents=True, exist_ok=True)
        # A namespace can be bound only to a file on a private mount.
        run(["mount", "--bind", self._namespace_folder, self._namespace_folder])
        run(["mount", "--make-private", self._namespace_folder])
        self._namespace.touch()
        run(["unshare", f"--mount={self._namespace}", "--propagation", "private",
             "bash", "-c", PREPARE_NAMESPACE, "bash", self._run, *RUN_FOLDERS])  # fmt: skip

    def close(self) -> None:
        """Remove the namespace and put back what was changed. Hold the lock. Does nothing a second time."""
        while str(self._namespace) in mount_points(_mountinfo()):
            run(["umount", "-l", self._namespace])
        while str(self._namespace_folder) in mount_points(_mountinfo()):
            run(["umount", "-l", self._namespace_folder])
        if self._before.exists():
            before = json.loads(self._before.read_text(encoding="utf-8"))
            if before["boot"] == _boot_id():  # a reboot has put everything back
                self._put_back(before)
            self._before.unlink()
        for folder in (self._namespace_folder, self._run):
            shutil.rmtree(folder, ignore_errors=True)

    def close_if_unused(self) -> None:
        """Close when no set is left. Hold the lock."""
        if not self.set_folders():
            self.close()

    def set_folders(self) -> list[Path]:
        """The folder of every set known on this machine, from whatever checkout it was made."""
        return sorted(path.parent for path in self.sets.glob("*/set.json"))

    @staticmethod
    def _put_back(before: dict) -> None:
        """Undo netavark's and podman's traces, by what was noted before the first host."""
        for folder in before["folders"]:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        _remove_empty_cgroups()
        strangers = networks_in_use(iptables_rules("nat") + iptables_rules("filter"))
        if strangers:
            say(f"another podman on this machine has networks ({', '.join(strangers)}): IPv4 forwarding and netavark's"
                " iptables chains are left to it")  # fmt: skip
            return
        for table in ("nat", "filter"):
            _remove_chains(table, chains_to_remove(before["filter"][table], tables_and_chains()[table]))
            left = [rule for rule in iptables_rules(table) if rule[0] != "-P"]
            made = f"ip {table}" in set(tables_and_chains()["tables"]) - set(before["filter"]["tables"])
            if made and not left:
                run(["nft", "delete", "table", "ip", table])
        for name, value in before["settings"].items():  # ip_forward comes first, for it resets others
            path = IPV4_SETTINGS / name
            with contextlib.suppress(OSError):  # an interface went away meanwhile
                if path.read_text(encoding="ascii").strip() != value:
                    path.write_text(value, encoding="ascii")

    @contextlib.contextmanager
    def opened(self) -> Iterator[Machine]:
        """Hold the lock with the namespace open; close it again if no set needs it."""
        with self.lock():
            self.open()
            try:
                yield self
            finally:
                self.close_if_unused()

    # -- podman ---------------------------------------------------------------------------------------------------

    def podman_command(self, *words: str | Path) -> list[str]:
        """The command line that runs podman in the namespace, with all its state in the cache."""
        return [
            "nsenter", f"--mount={self._namespace}", f"--wdns={self.cache}",
            "env", f"CONTAINERS_CONF={self.cache}/containers.conf",
            "podman", "--root", f"{self.cache}/storage", "--runroot", f"{self._run}/root",
            "--tmpdir", f"{self._run}/tmp", "--network-config-dir", f"{self._run}/networks",
            "--storage-driver", "overlay", "--runtime", "crun", *map(str, words),
        ]  # fmt: skip

    def podman(self, *words: str | Path, check: bool = True, timeout: float = 300):
        """Run podman to its end; see commands.run."""
        called = f"podman {' '.join(map(str, words))}"
        return run(self.podman_command(*words), check=check, timeout=timeout, called=called)

    def forget_addresses(self) -> None:
        """Remove podman's record of the addresses in use. Sets keep their own, and podman makes a new one."""
        run(["nsenter", f"--mount={self._namespace}", "rm", "-f", "/run/containers/networks/ipam.db"])

    @staticmethod
    def sweep_network(subnet: str) -> None:
        """Remove what is left of a network that podman has removed: when a run is cut off while podman connects a host,
        podman forgets the interfaces and rules made so far. Hold the lock."""
        for bridge in json.loads(run(["ip", "-4", "-json", "address", "show", "to", subnet]).stdout or "[]"):
            name = bridge["ifname"]
            ports = json.loads(run(["ip", "-json", "link", "show", "master", name]).stdout or "[]")
            for interface in (*(port["ifname"] for port in ports), name):
                run(["ip", "link", "delete", interface], check=False)  # one may go with the other
        for table in ("nat", "filter"):
            chains = set()
            for rule in iptables_rules(table):
                if rule[0] == "-A" and subnet in rule:
                    run(["iptables", "-w", "-t", table, "-D", *rule[1:]])
                    chains |= {word for word in (rule[1], rule[-1]) if word.startswith("NETAVARK-")}
            wanted = {rule[-1] for rule in iptables_rules(table) if rule[0] == "-A"}
            for chain in sorted(chains - wanted):
                _remove_chains(table, [chain])

    def controllers(self) -> set[str]:
        """The cgroup controllers that hosts can be limited by. v1 controllers of the machine are not among them."""
        listed = run(["nsenter", f"--mount={self._namespace}", "cat", "/sys/fs/cgroup/cgroup.controllers"]).stdout
        return set(listed.split())


def _remove_chains(table: str, chains: Sequence[str]) -> None:
    """Remove these chains and the rules elsewhere that jump to them."""
    for rule in iptables_rules(table):
        if rule[0] == "-A" and rule[1] not in chains and rule[-1] in chains:
            run(["iptables", "-w", "-t", table, "-D", *rule[1:]])
    for flag in ("--flush", "--delete-chain"):  # all emptied first: they jump to one another
        for chain in chains:
            run(["iptables", "-w", "-t", table, flag, chain])


def _remove_empty_cgroups() -> None:
    """Remove podman's own cgroup folders, if nothing lives in them (another podman may use the same ones)."""
    for root in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        for folder in (root / "libpod_parent", root / "conmon"):
            for path in [*sorted(folder.glob("**/"), reverse=True)]:
                with contextlib.suppress(OSError):
                    path.rmdir()
