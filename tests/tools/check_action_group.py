#!/usr/bin/env python3
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action group `starrocks` of meta/runtime.yml holds just the modules with the shared connection options."""

from __future__ import annotations

from collections.abc import Iterator

from _house import ROOT, finish, load_yaml

CONNECTION_FRAGMENT = "starrocks.cluster.connection"


def findings() -> Iterator[str]:
    group = set(load_yaml(ROOT / "meta" / "runtime.yml")["action_groups"]["starrocks"])
    modules = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "plugins" / "modules").glob("*.py")}
    connecting = {name for name, text in modules.items() if CONNECTION_FRAGMENT in text}
    for name in sorted(connecting - group):
        yield f"meta/runtime.yml: {name} has the connection options: put it into the action group starrocks"
    for name in sorted(group - connecting):
        why = "has not the connection options" if name in modules else "does not exist"
        yield f"meta/runtime.yml: the action group starrocks names {name}, which {why}"


if __name__ == "__main__":
    finish(findings())
