#!/usr/bin/env python3
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/reference from what roles and plugins say of themselves.

    tests/tools/make_reference.py           write it
    tests/tools/make_reference.py --check   say what is out of date, and fail if anything is
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from _house import ROOT, finish, load_yaml, role_options, role_paths
from antsibull_docs_parser import dom, parser

REFERENCE = ROOT / "docs" / "reference"
NOTICE = "<!-- Made by `make docs`. Change the descriptions that it is made from. -->"
# Kinds of plugins that have a page each, in the order of the index. Roles share one page.
PLUGIN_KINDS = {
    "module": "Modules",
    "filter": "Filters",
    "test": "Tests",
    "lookup": "Lookups",
    "inventory": "Inventory plugins",
}

Options = dict[str, dict[str, Any]]


# -- Ansible's markup as Markdown

def code(value: Any) -> str:
    """Code in Markdown, also where the text has backticks."""
    text = str(value)
    fence = "``" if "`" in text else "`"
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def module_link(name: str) -> str:
    if name.startswith("starrocks.cluster."):
        return f"[{name}]({name.rpartition('.')[2]}.md)"
    return code(name)


def option_like(part: dom.OptionNamePart | dom.ReturnValuePart) -> str:
    return code(part.name if part.value is None else f"{part.name}={part.value}")


MARKUP: dict[dom.PartType, Callable[[Any], str]] = {
    dom.PartType.BOLD: lambda part: f"**{part.text}**",
    dom.PartType.CODE: lambda part: code(part.text),
    dom.PartType.ENV_VARIABLE: lambda part: code(part.name),
    dom.PartType.HORIZONTAL_LINE: lambda part: "",
    dom.PartType.ITALIC: lambda part: f"*{part.text}*",
    dom.PartType.LINK: lambda part: f"[{part.text}]({part.url})",
    dom.PartType.MODULE: lambda part: module_link(part.fqcn),
    dom.PartType.OPTION_NAME: option_like,
    dom.PartType.OPTION_VALUE: lambda part: code(part.value),
    dom.PartType.PLUGIN: lambda part: code(part.plugin.fqcn),
    dom.PartType.RETURN_VALUE: option_like,
    dom.PartType.RST_REF: lambda part: part.text,
    dom.PartType.TEXT: lambda part: part.text.replace("*", r"\*").replace("<", "&lt;"),
    dom.PartType.URL: lambda part: f"<{part.url}>",
}


def paragraphs(text: str | Iterable[str] | None) -> list[str]:
    """Descriptions, one paragraph or a list of them, as Markdown paragraphs. Raises ValueError on wrong markup."""
    texts = [text] if isinstance(text, str) else list(text or ())
    rendered = []
    for parts in parser.parse(texts, parser.Context(), errors="exception"):
        rendered.append(" ".join("".join(MARKUP[part.type](part) for part in parts).split()))
    return rendered


def one_line(text: str | Iterable[str] | None) -> str:
    return " ".join(paragraphs(text))


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return text.replace("|", r"\|").replace("\n", " ")


def as_json(value: Any) -> str:
    return code(json.dumps(value, ensure_ascii=False))


# -- pages

def type_of(option: dict[str, Any]) -> str:
    elements = f" of {option['elements']}" if option.get("elements") else ""
    return f"{option.get('type', 'str')}{elements}"


def default_of(option: dict[str, Any]) -> str:
    if option.get("required"):
        return "**required**"
    if option.get("default") is None:
        return ""
    return as_json(option["default"])


def meaning_of(option: dict[str, Any]) -> str:
    meaning = one_line(option.get("description"))
    if option.get("choices"):
        meaning += f" One of {', '.join(as_json(choice) for choice in option['choices'])}."
    if option.get("aliases"):
        meaning += f" Also called {', '.join(code(alias) for alias in option['aliases'])}."
    return meaning


def nested(options: Options, key: str, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The options and, named OPTION.SUBOPTION, those inside them. `key`: where those are, options or contains."""
    for name, option in options.items():
        yield prefix + name, option
        yield from nested(option.get(key) or {}, key, f"{prefix}{name}.")


def option_table(title: str, options: Options, key: str) -> Iterator[str]:
    yield f"| {title} | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    for name, option in nested(options, key):
        yield f"| {code(name)} | {type_of(option)} | {cell(default_of(option))} | {cell(meaning_of(option))} |"


def return_table(values: Options) -> Iterator[str]:
    yield "| Value | Type | Returned | Meaning |"
    yield "|---|---|---|---|"
    for name, value in nested(values, "contains"):
        returned, meaning = one_line(value.get("returned")), one_line(value.get("description"))
        yield f"| {code(name)} | {type_of(value)} | {cell(returned)} | {cell(meaning)} |"


def variables_page() -> str:
    lines = [
        NOTICE,
        "# Variables",
        "",
        "Every public variable of the roles. Set them in the inventory: what a whole cluster shares in the variables "
        "of the group `all`, what one node differs in beside its host. Names that begin with `_` are internal.",
    ]
    for role in role_paths():
        options = role_options(role)
        specification = load_yaml(role / "meta" / "argument_specs.yml").get("argument_specs", {}).get("main", {})
        lines += ["", f"## Role {code(f'starrocks.cluster.{role.name}')}", ""]
        lines += [specification.get("short_description", "").rstrip(".") + "."]
        for paragraph in paragraphs(specification.get("description")):
            lines += ["", paragraph]
        if options:
            lines += ["", *option_table("Variable", options, "options")]
    return "\n".join(lines) + "\n"


def plugin_page(name: str, plugin: dict[str, Any]) -> str:
    """The page of one plugin. `plugin`: {doc, examples, return} as ansible-doc gives them."""
    documentation = plugin["doc"]
    lines = [NOTICE, f"# {name}", "", one_line(documentation["short_description"]).rstrip(".") + "."]
    lines += ["", f"New in {documentation['version_added']}."] if documentation.get("version_added") else []
    for paragraph in paragraphs(documentation.get("description")):
        lines += ["", paragraph]
    if documentation.get("requirements"):
        lines += ["", "## Requirements", "", *(f"- {text}" for text in paragraphs(documentation["requirements"]))]
    if documentation.get("options"):
        lines += ["", "## Options", "", *option_table("Option", documentation["options"], "suboptions")]
    if documentation.get("attributes"):
        lines += ["", "## Attributes", "", "| Attribute | Support | Meaning |", "|---|---|---|"]
        for attribute, facts in documentation["attributes"].items():
            meaning = " ".join(paragraphs(facts.get("description")) + paragraphs(facts.get("details")))
            lines += [f"| {code(attribute)} | {facts.get('support') or ''} | {cell(meaning)} |"]
    if documentation.get("notes"):
        lines += ["", "## Notes", "", *(f"- {text}" for text in paragraphs(documentation["notes"]))]
    if plugin.get("examples"):
        lines += ["", "## Examples", "", "```yaml", plugin["examples"].strip(), "```"]
    if plugin.get("return"):
        lines += ["", "## Return values", "", *return_table(plugin["return"])]
    return "\n".join(lines) + "\n"


def playbook_lines() -> Iterator[str]:
    """The playbooks, each with the name of its first play."""
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        plays = yaml.safe_load(path.read_text(encoding="utf-8")) or [{}]
        yield f"- `starrocks.cluster.{path.stem}`: {plays[0].get('name', '')}"


def index_page(plugins: dict[str, dict[str, Any]]) -> str:
    lines = [NOTICE, "# Reference", "", "- [Variables of the roles](variables.md)"]
    lines += ["", "## Playbooks", "", *playbook_lines()]
    for kind, title in PLUGIN_KINDS.items():
        if plugins.get(kind):
            lines += ["", f"## {title}", ""]
            for name, plugin in sorted(plugins[kind].items()):
                short = one_line(plugin["doc"]["short_description"])
                lines += [f"- [{name}]({name.rpartition('.')[2]}.md): {short}"]
    return "\n".join(lines) + "\n"


def documented_plugins() -> dict[str, dict[str, Any]]:
    """All plugins of the collection: {kind: {full name: {doc, examples, return}}}."""
    answer = subprocess.run(
        ["ansible-doc", "--metadata-dump", "starrocks.cluster"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        sys.exit(f"ansible-doc failed: {answer.stderr.strip()}")
    return json.loads(answer.stdout)["all"]


def pages() -> dict[Path, str]:
    """The whole reference: {file: text}."""
    plugins = documented_plugins()
    texts = {REFERENCE / "README.md": index_page(plugins), REFERENCE / "variables.md": variables_page()}
    for kind in PLUGIN_KINDS:
        for name, plugin in plugins.get(kind, {}).items():
            texts[REFERENCE / f"{name.rpartition('.')[2]}.md"] = plugin_page(name, plugin)
    return texts


def out_of_date(texts: dict[Path, str]) -> Iterator[str]:
    for path in sorted(texts.keys() | set(REFERENCE.glob("*.md"))):
        if path not in texts:
            yield f"{path.relative_to(ROOT)}: describes what is no more: make docs"
        elif not path.exists() or path.read_text(encoding="utf-8") != texts[path]:
            yield f"{path.relative_to(ROOT)}: out of date: make docs"


def write(texts: dict[Path, str]) -> None:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path in set(REFERENCE.glob("*.md")) - texts.keys():
        path.unlink()
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        finish(out_of_date(pages()))
    write(pages())
