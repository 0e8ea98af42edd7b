# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ADMIN SET and SHOW FRONTEND CONFIG (section 2.2, 3.5), and what back ends tell of themselves."""

import json
import urllib.request

from standin import net
from standin.fe import errors
from standin.fe.config import BadValue, check, convert
from standin.fe.log import stamp
from standin.fe.show import Table, like


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
        if not config.persistable:
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
        failure = frontend.forwarder.set_config(row, {"key": key, "value": value, "persistent": persistent,
                                                      "user": user})
        if failure:
            text += f"set config for fe[{row['host']}] failed: {failure}"
            if frontend.version >= "3.5":
                text += text  # ConfigBase.setConfig adds to its text what it has added itself already.
    if text and frontend.version >= "3.5":
        raise errors.SqlError(f"Set config failed: {text}", 5101, "F0000")
    if text:
        raise errors.execution(frontend.version, f"set config failed: {text}", 5076, "42000")


# -- back ends -------------------------------------------------------------------------------------

def url_of(node, path):
    """The address of a page of a back end or compute node."""
    return f"http://{net.in_url(node['host'])}:{node['http_port']}{path}"


def report(node):
    """What a stand-in's back end tells of itself, ``{disks, configs}``; None if it does not answer so."""
    try:
        with urllib.request.urlopen(url_of(node, "/standin/report"), timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None
