# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the house's own checks share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def files_of_checkout() -> list[Path]:
    """Tracked files, and new ones that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def load_yaml(path: Path) -> Any:
    """The file's content; an empty file or none is {}."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.exists() else {}


def role_paths() -> list[Path]:
    return sorted(path for path in ROOT.glob("roles/*") if path.is_dir())


def role_options(role: Path) -> dict[str, dict[str, Any]]:
    """The options of a role's entry point `main`: {variable: specification}."""
    specifications = load_yaml(role / "meta" / "argument_specs.yml").get("argument_specs", {})
    return specifications.get("main", {}).get("options", {})


def finish(findings: Iterable[str]) -> None:
    """Print the findings and exit: 0 when there are none, else 1."""
    findings = list(findings)
    print("\n".join(findings))
    sys.exit(bool(findings))
