# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the hosts' image once per recipe, and keeping it in the cache."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from . import recipe
from .commands import QUIET_SECONDS, HostsError, lock, run, say, write_file
from .machine import Machine

BUILD_SCRIPT = Path(__file__).parent / "build_image.sh"
REPOSITORY = "localhost/starrocks-test-host"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
DEFAULT_SECURITY_MIRROR = "http://deb.debian.org/debian-security"

# How the machine's apt reaches its mirrors; all else in its configuration is its own business.
APT_OPTION = re.compile(r"^Acquire::(?:https?|ftp)::|^Acquire::Check-(?:Date|Valid-Until) ", re.IGNORECASE)
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def apt_options(dump: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Lines for the hosts' apt.conf, from what `apt-config dump` says and from proxy variables."""
    lines = [line for line in dump.splitlines() if APT_OPTION.match(line) and not line.endswith(' "";')]
    for scheme in ("http", "https"):
        proxy = environment.get(f"{scheme}_proxy") or environment.get(f"{scheme.upper()}_PROXY")
        if proxy and not any(line.lower().startswith(f"acquire::{scheme}::proxy ") for line in lines):
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return tuple(lines)


def mirrors(sources: str) -> tuple[str, str]:
    """(mirror, security mirror) of Debian, from the texts of sources.list and *.sources; the public ones if none."""
    found = re.findall(r"https?://[^\s\]]+", "\n".join(
        line for line in sources.splitlines() if not line.lstrip().startswith("#")))  # fmt: skip
    plain = [url.rstrip("/") for url in found if re.search(r"/debian/?$", url)]
    security = [url.rstrip("/") for url in found if re.search(r"/debian-security/?$", url)]
    return (plain or [DEFAULT_MIRROR])[0], (security or [DEFAULT_SECURITY_MIRROR])[0]


def extra_certificates(bundle: str, packaged: set[str]) -> tuple[str, ...]:
    """Certificates this machine trusts beyond its ca-certificates package, for instance a proxy's."""
    known = {"".join(certificate.split()) for text in packaged for certificate in CERTIFICATE.findall(text)}
    return tuple(f"{certificate}\n" for certificate in CERTIFICATE.findall(bundle)
                 if "".join(certificate.split()) not in known)  # fmt: skip


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def machine_settings() -> recipe.MachineSettings:
    """How this machine reaches its packages."""
    apt = Path("/etc/apt")
    lists = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))]
    mirror, security_mirror = mirrors("\n".join(_read(path) for path in lists))
    packaged = {_read(path) for path in Path("/usr/share/ca-certificates").glob("**/*.crt")}
    return recipe.MachineSettings(
        mirror=mirror,
        security_mirror=security_mirror,
        apt_options=apt_options(run(["apt-config", "dump"]).stdout, os.environ),
        extra_certificates=extra_certificates(_read(Path("/etc/ssl/certs/ca-certificates.crt")), packaged),
    )


def ensure(machine: Machine, release: str) -> str:
    """The name of the image for this Debian release, made first if the cache has none.

    Takes the machine's lock for moments only: other sets can be used while an image is made.
    """
    settings = machine_settings()
    name = f"{REPOSITORY}:{release}-{recipe.fingerprint(release, settings, _read(BUILD_SCRIPT))}"
    with lock(machine.cache / f"image-{release}.lock", f"image {release}"):
        with machine.opened():
            known = machine.podman("image", "exists", name, check=False).returncode == 0
        if not known:
            _build(machine, release, settings, name)
    return name


def _build(machine: Machine, release: str, settings: recipe.MachineSettings, name: str) -> None:
    """Make the image. It gets its name in the last step, so an interrupted build leaves nothing that looks whole."""
    start = time.monotonic()
    say(f"making the image for Debian {release}, once (a minute or two)")
    work = machine.cache / f"build-{release}"
    shutil.rmtree(work, ignore_errors=True)  # left by a run that was cut off
    try:
        for path, text in recipe.files(release, settings).items():
            write_file(work / "files" / path.lstrip("/"), text)
        _run_build_script(machine, release, settings, work)
        say("storing the image")
        with machine.opened():
            _store(machine, work / "root", name)
            _remove_older(machine, release, name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    say(f"image ready after {time.monotonic() - start:.0f} s")


def _run_build_script(machine: Machine, release: str, settings: recipe.MachineSettings, work: Path) -> None:
    """Run build_image.sh, its output in a log file, saying at least every QUIET_SECONDS that work goes on."""
    log = machine.cache / f"image-{release}.log"
    start = time.monotonic()
    # If this tool dies, so does unshare (--pdeathsig), all that the build has started (--kill-child), and its mounts.
    command = ["setpriv", "--pdeathsig", "KILL",
               "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
               "bash", "-c", 'exec 3>&1 >"$0" 2>&1; exec bash "$@"', log, BUILD_SCRIPT, work]  # fmt: skip
    environment = {
        **os.environ,
        "RELEASE": release,
        "MIRROR": settings.mirror,
        "PACKAGES": " ".join(recipe.packages(release)),
        "DOWNLOADED_PACKAGES": " ".join(recipe.DOWNLOADED_PACKAGES),
        "MASKED_UNITS": " ".join(recipe.MASKED_UNITS),
        "ENABLED_UNITS": " ".join(recipe.ENABLED_UNITS),
    }
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          bufsize=0) as build:  # fmt: skip
        while True:
            if not select.select([build.stdout], [], [], QUIET_SECONDS)[0]:
                say(f"  ... {time.monotonic() - start:.0f} s")
                continue
            line = build.stdout.readline()
            if not line:
                break
            say(line.decode().strip())
    if build.returncode != 0:
        tail = "\n  ".join(_read(log).splitlines()[-15:])
        raise HostsError(f"making the image failed; the end of {log}:\n  {tail}")


def _store(machine: Machine, root: Path, name: str) -> None:
    """Make a podman image of a folder. Hold the machine's lock."""
    store = machine.podman_command("import", "--quiet", "-", name)
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
        stored = subprocess.run(store, stdin=tar.stdout, capture_output=True, text=True, check=False)
    if tar.returncode or stored.returncode:
        raise HostsError(f"the image could not be stored: {stored.stderr.strip()}")


def _remove_older(machine: Machine, release: str, name: str) -> None:
    """Remove this release's images of other recipes. Those that a host still uses are refused by podman and stay."""
    listed = machine.podman("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    for old in listed:
        if old.startswith(f"{REPOSITORY}:{release}-") and old != name:
            machine.podman("rmi", old, check=False)
