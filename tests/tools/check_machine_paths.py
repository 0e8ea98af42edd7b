#!/usr/bin/env python3
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No committed file names a folder of the machine it was written on, or a package index that machine uses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from _house import ROOT, files_of_checkout, finish

# Where people and their tools work; a host's own /root/.ssh or /home/starrocks may well be named.
MACHINE_PATHS = (
    r"/work/(main|shared)\b",
    r"/tmp/(briefs|bash_jobs)\b",
    r"/(root|home/\w+)/\.(pyenv|venv|local|cache|ansible)\b",
)
PUBLIC_HOSTS = {"pypi.org", "files.pythonhosted.org"}
# A private key, wherever it comes from.
SECRETS = (r"-----BEGIN [A-Z ]*PRIVATE KEY-----",)


def package_index_hosts() -> set[str]:
    """The hosts of the package indexes that pip uses here, unless they are everybody's."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    configured = subprocess.run(pip, check=False, capture_output=True, text=True).stdout
    configured += " ".join(value for name, value in os.environ.items() if name.startswith("PIP_"))
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s'\"]+", configured)}
    return {host for host in hosts if host} - PUBLIC_HOSTS


def patterns() -> re.Pattern[str]:
    # A checkout right below / has too common a name to search for.
    here = [re.escape(str(ROOT))] if len(ROOT.parts) > 2 else []
    hosts = [re.escape(host) for host in sorted(package_index_hosts())]
    return re.compile("|".join((*MACHINE_PATHS, *SECRETS, *here, *hosts)))


def findings() -> Iterator[str]:
    pattern = patterns()
    for path in files_of_checkout():
        if path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if found := pattern.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: {found.group()}"


if __name__ == "__main__":
    finish(findings())
