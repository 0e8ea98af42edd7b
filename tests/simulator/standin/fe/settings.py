# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ADMIN SET and SHOW FRONTEND CONFIG, and information_schema.be_configs (section 2.2, 3.5)."""

import json
import re
import urllib.parse
import urllib.request

from standin import net
from standin.fe import errors
from standin.fe.config import BadValue, check, convert
from standin.fe.log import stamp
from standin.fe.show import Table, like

_BE_CONFIGS = ("BE_ID", "NAME", "VALUE", "TYPE", "DEFAULT", "MUTABLE")


def show_config(config, pattern=None):
    """LIKE looks at keys and aliases, and at upper and lower case (3.5.7 transcript 08)."""
    matcher = like("%" if pattern is None else pattern, flags=0)
    rows = [(setting.key, f"[{setting.alias}]", setting.value, setting.kind, "true" if setting.mutable else "false",
             setting.comment) for setting in sorted(config.settings.values(), key=lambda setting: setting.key)
            if matcher.fullmatch(setting.key) or (setting.alias and matcher.fullmatch(setting.alias))]
    return Table(("Key", "AliasNames", "Value", "Type", "IsMutable", "Comment"), rows)


def set_here(config, key, value, persistent=False, user="root"):
    """Set one setting of this front end. Raises SqlError, and WITH PERSISTENT has written fe.conf by then (0.16)."""
    version = config.version
    if persistent:
        if not config.persistable():
            raise errors.execution(version,
                                   "set persisted config failed, because current running mode is not persisted")
        config.persist(key, value, user, stamp())
    setting = config.find(key)
    if not setting or not setting.mutable:
        raise errors.execution(version, f"Config '{key}' does not exist or is not mutable")
    try:
        check(version, setting.key, value)
        setting.value = convert(setting.kind, value)
    except BadValue as error:
        raise errors.execution(version, f"Failed to set config '{key}'. err: {error}") from None


def set_everywhere(frontend, user, key, value, persistent=False):
    """Set it here, then on every other front end; one that does not answer is an error, and the others keep it.

    Since StarRocks pull request 60088 (after 3.5.0) one that is shown as dead is passed over.
    """
    set_here(frontend.config, key, value, persistent, user)
    text = ""
    for row in frontend.replica.state["frontends"]:
        if row["name"] == frontend.replica.name or (frontend.version >= "3.5.1" and not row["alive"]):
            continue
        failure = frontend.forwarder.set_config(row, {"key": key, "value": value, "persistent": persistent})
        if failure:
            text += f"set config for fe[{row['host']}] failed: {failure}"
            if frontend.version >= "3.5":
                text += text  # ConfigBase.setConfig adds to its text what it has added itself already.
    if text and frontend.version >= "3.5":
        raise errors.SqlError(f"Set config failed: {text}", 5101, "F0000")
    if text:
        raise errors.execution(frontend.version, f"set config failed: {text}", 5076, "42000")


# -- back ends' settings ---------------------------------------------------------------------------

def _url(node, path):
    return f"http://{net.in_url(node['host'])}:{node['http_port']}{path}"


def report(node):
    """What a stand-in's back end tells of itself, ``{disks, configs}``; None if it does not answer so."""
    try:
        with urllib.request.urlopen(_url(node, "/standin/report"), timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def be_configs(state, conditions):
    """The rows of information_schema.be_configs that meet [(column, "=" or "LIKE", value), ...]."""
    rows = []
    for node in state["backends"] + state["compute_nodes"]:
        if node["alive"]:
            rows += [(str(node["id"]), item["name"], str(item["value"]), item["type"], str(item["default"]),
                      "1" if item["mutable"] else "0") for item in (report(node) or {"configs": []})["configs"]]
    for column, operator, value in conditions:
        index = _BE_CONFIGS.index(column.upper())
        matcher = like(value) if operator == "LIKE" else re.compile(re.escape(value), re.I)
        rows = [row for row in rows if matcher.fullmatch(row[index])]
    return Table(_BE_CONFIGS, rows)


def update_be_configs(version, state, change):
    """UPDATE information_schema.be_configs SET value="v" WHERE name="n" [AND be_id=i]: by HTTP, on each back end."""
    values = dict(re.findall(r"""\b(value|name|be_id)\s*=\s*["']?([^"'\s]+)["']?""", change, re.I))
    values = {key.lower(): value for key, value in values.items()}
    if "value" not in values or "name" not in values:
        raise errors.analysis(version, "only support SET value=... WHERE name=...")
    for node in state["backends"] + state["compute_nodes"]:
        if node["alive"] and values.get("be_id", str(node["id"])) == str(node["id"]):
            query = urllib.parse.urlencode({values["name"]: values["value"]})
            try:
                with urllib.request.urlopen(_url(node, f"/api/update_config?{query}"), b"", timeout=5) as reply:
                    failure = json.load(reply)["msg"]
            except (OSError, ValueError) as error:
                failure = str(error)
            if failure:
                raise errors.SqlError(f"update be_configs on backend {node['id']} failed: {failure}")
