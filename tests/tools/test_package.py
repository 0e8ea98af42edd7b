# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make build` makes holds what users need and no more, installs, and its playbooks read README's inventory."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MEBIBYTE = 1024 * 1024
SHIPPED = {
    "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "README.zh-CN.md",
    "bindep.txt", "changelogs", "docs", "meta", "playbooks", "plugins", "requirements.txt", "roles",
}  # fmt: skip


def run(*command: str, collections: Path | str = "/nowhere") -> str:
    """Run a command away from the checkout, so that it finds the installed collection and no other."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    variables |= {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"}
    answer = subprocess.run(command, cwd="/", env=variables, check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    run(str(ROOT / "tests/tools/copy_checkout"), str(folder))
    source = folder / "ansible_collections/starrocks/cluster"
    run("ansible-galaxy", "collection", "build", str(source), "--output-path", str(folder))
    (archive,) = folder.glob("starrocks-cluster-*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collections")
    run("ansible-galaxy", "collection", "install", str(package), "--collections-path", str(folder), "--offline",
        collections=folder)
    return folder


def test_package_holds_what_users_need_and_no_more(package: Path) -> None:
    with tarfile.open(package) as archive:
        names = archive.getnames()
    assert {name.split("/")[0] for name in names} <= SHIPPED
    assert package.stat().st_size < 2 * MEBIBYTE


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/deploy.md"])
def test_playbooks_read_the_inventories_of_the_documentation(installed: Path, page: str, tmp_path: Path) -> None:
    playbooks = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
    assert playbooks
    inventory = tmp_path / "inventory.yml"
    text = (ROOT / page).read_text(encoding="utf-8")
    inventory.write_text(re.search(r"```yaml\n((?:#.*\n)?all:\n.*?)```", text, re.DOTALL).group(1), encoding="utf-8")
    names = [f"starrocks.cluster.{playbook}" for playbook in playbooks]
    output = run("ansible-playbook", "--inventory", str(inventory), "--syntax-check", *names, collections=installed)
    assert output.count(f"playbook: {installed}") == len(playbooks)
