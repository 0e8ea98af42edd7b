# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data files: what real front ends of some versions showed, for every version (see data/generate.py)."""

import json
import os


def load(name):
    """The content of a data file."""
    path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", name)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def history(name, rows, version):
    """Yield (key, row) of a file of histories as of the newest recorded version that is not newer than ``version``.

    Versions older than the first recorded one get that one's.
    """
    content = load(name)
    upto = [recorded for recorded in content["versions"] if version >= recorded] or content["versions"][:1]
    for key, changes in content[rows].items():
        row = None
        for recorded in upto:
            row = changes.get(recorded, row)
        if row is not None:
            yield key, row
