# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in answers as real front ends did: each transcript, statement by statement.

The transcripts lie beside the checkout (../shared/transcripts) or where STARROCKS_TRANSCRIPTS says.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import pytest
from standin_nodes import unpack

from .scenes import NOT_REPLAYED, SCENES

SIMULATOR = pathlib.Path(__file__).resolve().parent.parent
CHECKOUT = SIMULATOR.parent.parent
TRANSCRIPTS = pathlib.Path(os.environ.get("STARROCKS_TRANSCRIPTS") or CHECKOUT.parent / "shared" / "transcripts")
FILES = [(name, file_name) for name, scene in SCENES.items() for file_name in scene.files]


def replay(name, work):
    """Replay a scene in a network namespace of its own; returns what replay.run() does."""
    release = unpack(SCENES[name].version, work / "release")
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    result = subprocess.run(
        [*unshare, sys.executable, "-m", "conformance.replay", name, release, TRANSCRIPTS, work / "nodes"],
        cwd=SIMULATOR, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="session")
def replays(request, tmp_path_factory):
    """{scene: future of its replay} of the scenes that the chosen tests need; they mostly wait: six at a time."""
    base = tmp_path_factory.mktemp("conformance")
    chosen = {item.callspec.params["scene"] for item in request.session.items
              if "scene" in getattr(getattr(item, "callspec", None), "params", {})}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        # The last scenes are the longest.
        yield {name: pool.submit(replay, name, base / name) for name in reversed(SCENES) if name in chosen}


def test_transcripts_are_there():
    assert TRANSCRIPTS.is_dir(), f"no transcripts in {TRANSCRIPTS}; set STARROCKS_TRANSCRIPTS"


def test_every_file_is_in_a_scene():
    """No recorded file of these folders is forgotten."""
    for folder in {scene.folder for scene in SCENES.values()}:
        named = {file for scene in SCENES.values() if scene.folder == folder for file in scene.files}
        assert named == {path.name for path in (TRANSCRIPTS / folder).glob("*.txt")}


def test_few_statements_are_left_out():
    assert len(NOT_REPLAYED) <= 5
    assert all(why for why in NOT_REPLAYED.values())


@pytest.mark.parametrize(("scene", "file_name"), FILES)
def test_answers_as_recorded(scene, file_name, replays):
    result = replays[scene].result()[file_name]
    assert "error" not in result, result["error"]
    assert result["compared"] > 0
    report = [f"{file_name}:{item['line']}: {item['what']}\n    " + "\n    ".join(item["differences"])
              for item in result["differing"]]
    assert not report, "\n".join([f"{len(report)} of {result['compared']} differ", *report])
