#!/usr/bin/env python3
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every role's defaults/main.yml and the defaults in its meta/argument_specs.yml say the same, both ways.

Also: each variable is specified by one role only, begins with starrocks_, has a type and a description, and a default
that fits its type and choices.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _house import ROOT, finish, load_yaml, role_options, role_paths

# What YAML gives for a default of each argument type; a template is text whatever it will be.
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "path": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
    "raw": (object,),
}


def is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def fits(value: Any, type_name: str) -> bool:
    """Whether the default is of its option's type. In Python a bool is an int, in an argument spec it is not."""
    if is_template(value):
        return True
    return isinstance(value, PYTHON_TYPES[type_name]) and not (type_name != "bool" and isinstance(value, bool))


def findings_of_option(name: str, option: dict[str, Any]) -> Iterator[str]:
    if not name.startswith("starrocks_"):
        yield f"{name}: public variables begin with starrocks_"
    for key in ("type", "description"):
        if not option.get(key):
            yield f"{name}: has no {key}"
    if option.get("type") not in PYTHON_TYPES or "default" not in option:
        return
    default = option["default"]
    if not fits(default, option["type"]):
        yield f"{name}: the default {default!r} is not of type {option['type']}"
    if "choices" in option and not is_template(default) and default not in option["choices"]:
        yield f"{name}: the default {default!r} is none of {option['choices']}"


def findings_of_role(role: Path) -> Iterator[str]:
    options = role_options(role)
    specified = {name: option["default"] for name, option in options.items() if "default" in option}
    defaults = load_yaml(role / "defaults" / "main.yml")
    if not (role / "meta" / "argument_specs.yml").exists():
        yield "has no meta/argument_specs.yml"
    for name in sorted(specified.keys() | defaults.keys()):
        if name not in defaults:
            yield f"{name}: has a default in meta/argument_specs.yml, none in defaults/main.yml"
        elif name not in options:
            yield f"{name}: stands in defaults/main.yml, not in meta/argument_specs.yml"
        elif name not in specified:
            yield f"{name}: has a default in defaults/main.yml, none in meta/argument_specs.yml"
        elif specified[name] != defaults[name] or type(specified[name]) is not type(defaults[name]):
            yield f"{name}: {defaults[name]!r} in defaults/main.yml, {specified[name]!r} in meta/argument_specs.yml"
    for name, option in options.items():
        yield from findings_of_option(name, option)


def findings() -> Iterator[str]:
    owners: dict[str, str] = {}
    for role in role_paths():
        for finding in findings_of_role(role):
            yield f"{role.relative_to(ROOT)}: {finding}"
        for name in role_options(role):
            if name in owners:
                yield f"{role.relative_to(ROOT)}: {name}: is specified by the role {owners[name]} too"
            owners[name] = role.name


if __name__ == "__main__":
    finish(findings())
