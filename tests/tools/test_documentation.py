# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pages for people name is there: variables, playbooks, roles, modules, make targets, files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _house import ROOT, files_of_checkout, role_options, role_paths

PAGES = [path for path in files_of_checkout() if path.suffix == ".md"]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# Names that begin like a variable of a role and are none: groups of the inventory, facts and what the inventory
# plugin tells, what playbooks take with -e.
GROUPS = {"starrocks_fe", "starrocks_be", "starrocks_cn", "starrocks_broker", "starrocks_monitoring"}
FACTS = {"starrocks_host", "starrocks_live"}
OF_PLAYBOOKS = {"starrocks_destroy_confirm", "starrocks_destroy_data"}


def pages(*, written_by_hand: bool = False) -> list[object]:
    chosen = [path for path in PAGES if not (written_by_hand and path.parent.name == "reference")]
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in chosen]


def blocks(path: Path, language: str) -> list[str]:
    return [text for _, name, text in BLOCK.findall(path.read_text(encoding="utf-8")) if name == language]


def names_of_collection() -> set[str]:
    """The playbooks, roles, plugins and action groups that starrocks.cluster.NAME can mean."""
    files = [path for folder in ("playbooks", "plugins") for path in ROOT.glob(f"{folder}/**/*.*")]
    return {path.stem for path in files} | {role.name for role in role_paths()} | {"starrocks"}


@pytest.mark.parametrize("page", pages())
def test_links_lead_to_files(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", pages())
def test_yaml_blocks_are_yaml(page: Path) -> None:
    for text in blocks(page, "yaml"):
        list(yaml.safe_load_all(text))


@pytest.mark.parametrize("page", pages(written_by_hand=True))
def test_names_of_the_collection_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bstarrocks\.cluster\.(\w+)", text))
    assert named - names_of_collection() == set()


@pytest.mark.parametrize("page", pages(written_by_hand=True))
def test_variables_exist(page: Path) -> None:
    known = {name for role in role_paths() for name in role_options(role)} | names_of_collection()
    named = set(re.findall(r"(?<![\w.])starrocks_\w+", page.read_text(encoding="utf-8")))
    assert named - known - GROUPS - FACTS - OF_PLAYBOOKS == set()


@pytest.mark.parametrize("page", pages(written_by_hand=True))
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    commands = re.findall(r"`make ([^`\n]+)`", text)
    commands += [line[5:] for block in blocks(page, "sh") for line in block.splitlines() if line.startswith("make ")]
    for command in commands:
        goals = re.match(r"[a-z -]*", re.sub(r" *(#|[A-Z]+=).*", "", command)).group().split()
        assert set(goals) - targets == set(), command
