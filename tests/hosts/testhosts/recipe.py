# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a host's image. Data only: a change here, and nothing else, makes a new image."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

RELEASES = ("bookworm", "trixie")

# What a plain Debian server has, and what Ansible needs of a host (python3-apt, acl).
BASE_PACKAGES = (
    "acl",
    "ca-certificates",
    "curl",
    "dbus",
    "dbus-user-session",
    "iproute2",
    "iptables",
    "less",
    "libpam-systemd",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
)

# A JDK, not a JRE: the scripts of StarRocks 3.3 and older ask for javac. trixie has no JDK 17.
JDK_PACKAGE = {"bookworm": "openjdk-17-jdk-headless", "trixie": "openjdk-21-jdk-headless"}

# Not installed, since installing them is the roles' work, but downloaded, so that it takes a moment only.
DOWNLOADED_PACKAGES = ("chrony", "python3-pymysql")

# Would work by themselves at some odd moment of a test, wait for hardware that is not there, or let hosts at what
# belongs to the machine's kernel.
MASKED_UNITS = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "getty.target",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-modules-load.service",
    "systemd-networkd-wait-online.service",
)

ENABLED_UNITS = ("readonly-sys.service", "ssh.service")

# Where a host finds its own SSH host key and the keys that may log in: a read-only mount, made by the set.
HOST_FILES = "/etc/test-host"

FILES = {
    "/etc/ssh/sshd_config.d/test-host.conf": f"""\
HostKey {HOST_FILES}/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys {HOST_FILES}/authorized_keys/%u
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
MaxStartups 200
MaxSessions 100
""",
    # The clock belongs to the machine that runs the tests, and hosts are not let at it: chronyd only looks (-x).
    "/etc/systemd/system/chrony.service.d/test-host.conf": """\
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd $DAEMON_OPTS -x
""",
    # So do block devices, processors and all else that /sys can set. The cgroup mount below it stays writable.
    "/etc/systemd/system/readonly-sys.service": """\
[Unit]
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mount -o remount,bind,ro /sys

[Install]
WantedBy=sysinit.target
""",
    # Log files of a container that lives for minutes.
    "/etc/systemd/journald.conf.d/test-host.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\n",
    "/etc/default/locale": "LANG=C.UTF-8\n",
    "/etc/apt/apt.conf.d/90test-host": """\
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
DPkg::Lock::Timeout "120";
""",
}


@dataclass(frozen=True)
class MachineSettings:
    """How this machine reaches its packages: found when an image is made, never committed."""

    mirror: str
    security_mirror: str
    apt_options: tuple[str, ...] = ()
    extra_certificates: tuple[str, ...] = field(default=(), repr=False)


def packages(release: str) -> list[str]:
    """The packages installed in an image of this Debian release."""
    return sorted({*BASE_PACKAGES, JDK_PACKAGE[release]})


def apt_sources(release: str, settings: MachineSettings) -> str:
    """The sources.list of a host."""
    lines = [f"deb {settings.mirror} {release} main", f"deb {settings.mirror} {release}-updates main"]
    if settings.security_mirror:
        lines.append(f"deb {settings.security_mirror} {release}-security main")
    return "\n".join(lines) + "\n"


def files(release: str, settings: MachineSettings) -> dict[str, str]:
    """Path in the image -> text, all mode 0644."""
    texts = dict(FILES)
    texts["/etc/apt/sources.list"] = apt_sources(release, settings)
    if settings.apt_options:
        texts["/etc/apt/apt.conf.d/91machine"] = "\n".join(settings.apt_options) + "\n"
    for number, certificate in enumerate(settings.extra_certificates, 1):
        texts[f"/usr/local/share/ca-certificates/machine-{number}.crt"] = certificate
    return texts


def fingerprint(release: str, settings: MachineSettings, build_script: str) -> str:
    """12 hex digits that change exactly when a rebuilt image would have other contents."""
    everything = {
        "release": release,
        "packages": packages(release),
        "downloaded": DOWNLOADED_PACKAGES,
        "masked": MASKED_UNITS,
        "enabled": ENABLED_UNITS,
        "files": files(release, settings),
        "script": build_script,
    }
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:12]
