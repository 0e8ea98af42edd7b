# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three front ends as recorded: join, drop, rolling upgrade, quorum lost and found, downgrade, graceful stop."""

import json
import os
import subprocess
import sys

import pytest
from standin_nodes import unpack

from .stories import STORIES
from .test_conformance import SIMULATOR, TRANSCRIPTS


def versions_of(steps):
    """The releases that a story needs."""
    return {argument for step in steps if step[0] in ("make", "use") for argument in step[2:]
            if argument.count(".") == 2}


def test_every_file_is_told():
    told = [step[1] for steps in STORIES.values() for step in steps if step[0] == "file"]
    assert sorted(told) == sorted(path.name for path in (TRANSCRIPTS / "cluster").glob("*.txt"))


@pytest.mark.parametrize("name", STORIES)
def test_goes_as_recorded(name, tmp_path):
    for version in versions_of(STORIES[name]):
        unpack(version, tmp_path / "releases" / version)
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    done = subprocess.run([*unshare, sys.executable, "-m", "conformance.cluster", name, tmp_path / "releases",
                           TRANSCRIPTS, tmp_path / "nodes"], cwd=SIMULATOR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["compared"] > 10
    assert not result["differing"], "\n".join(result["differing"])
