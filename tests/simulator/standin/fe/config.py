# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fe.conf, and the settings as a front end knows them: key, alias, type, mutability, default by version."""

import functools
import os
import re

from standin.fe import recorded
from standin.properties import expand, properties

# Settings whose recorded value is that of the recorded machine or session, not the default.
_DEFAULTS = {"priority_networks": "", "tablet_sched_repair_delay_factor_second": "60"}

# The recorded settings are those of 3.5.0 and later; these are known to have come in between (section 5.1).
_SINCE = {
    "tablet_sched_pk_index_rebuild_threshold_seconds": "3.4.0",
    "min_graceful_exit_time_second": "3.4.0",
    "max_graceful_exit_time_second": "3.4.0",
    "arrow_flight_port": "3.4.0",
    "run_mode": "3.0.0",
    "cloud_native_meta_port": "3.0.0",
    "drop_backend_after_decommission": "2.5.0",
}

# Settings that decide about this double alone (conf/standin.conf), all absent in a healthy one.
FAULTS = ("start_delay_seconds", "die_after_seconds", "refuse_start", "clock_skew_seconds", "unhealthy_tablets",
          "late_start_time_seconds", "in_container")

_INTEGERS = {"int": 32, "long": 64, "short": 16}


class BadValue(Exception):
    """A value that its type cannot take; the text is what Java says."""


def convert(kind, text):
    """The text of a value as its Java type prints it. Raises BadValue with the words of the JVM."""
    text = text.strip()
    if kind == "boolean":
        return "true" if text.lower() == "true" else "false"  # Boolean.parseBoolean: never an error
    if kind in _INTEGERS:
        limit = 2 ** (_INTEGERS[kind] - 1)
        if not re.fullmatch(r"[-+]?\d+", text) or not -limit <= int(text) < limit:
            raise BadValue(f'For input string: "{text}"')
        return str(int(text))
    if kind in ("double", "float"):
        try:
            return repr(float(text))
        except ValueError:
            raise BadValue("empty String" if not text else f'For input string: "{text}"') from None
    if kind.endswith("[]"):
        return f"[{', '.join(convert(kind[:-2], item) for item in text.split(',') if text)}]"
    return text


def check(version, key, text):
    """What ConfigBase.validateConfValue has against a value besides its type. Raises BadValue."""
    items = [item.strip() for item in text.split(",")]
    if key == "authentication_chain" and version >= "3.5" and ("native" not in items or len(set(items)) < len(items)):
        raise BadValue("'authentication_chain' configuration invalid, 'native' must be in the list, and cannot have "
                       f"duplicates, current value: {text.strip()}")


class Setting:
    """One setting: its description, and its value as shown."""

    def __init__(self, key, alias, kind, mutable, comment, value):
        self.key = key
        self.alias = alias
        self.kind = kind
        self.mutable = mutable
        self.comment = comment
        self.value = value


def _recorded(version):
    """The settings with their defaults as recorded."""
    for key, (*description, value) in recorded.history("frontend_config.json", "keys", version):
        if version >= _SINCE.get(key, "0.0"):
            yield Setting(key, *description, expand(_DEFAULTS.get(key, value)))


class Config:
    """The settings of one front end. ADMIN SET changes them in memory only; a restart reads fe.conf again."""

    def __init__(self, home, version):
        self.home = home
        self.version = version
        self.path = os.path.join(home, "conf", "fe.conf")
        self.given = properties(self.path)
        self.faults = properties(os.path.join(home, "conf", "standin.conf"))
        # What ADMIN SET ... WITH PERSISTENT asks for (section 0.10, 0.16); ConfigBase.init looks once, at the start.
        in_container = self.fault("in_container", str) or str(os.path.exists("/.dockerenv")).lower()
        self.persistable = in_container == "false" and os.access(self.path, os.W_OK)
        self.settings = {setting.key: setting for setting in _recorded(version)}
        if "mysql_server_version" in self.settings:
            self.settings["mysql_server_version"].value = version.mysql
        for key, text in self.given.items():
            setting = self.find(key)
            if setting:
                setting.value = convert(setting.kind, expand(text))

    @functools.cached_property
    def session_variables(self):
        """{name: text} of the session variables' defaults."""
        return dict(recorded.history("session_variables.json", "names", self.version))

    def find(self, name):
        """The Setting of a key or alias, or None."""
        setting = self.settings.get(name)
        if setting is None:
            setting = next((item for item in self.settings.values() if name and item.alias == name), None)
        return setting

    def text(self, key):
        setting = self.settings.get(key)
        return setting.value if setting else self.given.get(key, "")

    def integer(self, key):
        return int(self.text(key))

    def flag(self, key):
        return self.text(key) == "true"

    def fault(self, name, kind=float):
        """The value of a fault that is switched on, else None."""
        value = self.faults.get(name)
        return None if value in (None, "") else kind(value)

    @property
    def meta_dir(self):
        return self.text("meta_dir")

    @property
    def time_scale(self):
        """What to multiply the real one's waits with: tests shorten heartbeat_timeout_second (5 by default)."""
        return self.integer("heartbeat_timeout_second") / 5

    def persist(self, name, value, user, when):
        """Write one setting into fe.conf as WITH PERSISTENT does: before any check (section 0.16).

        As ConfigBase.appendPersistedProperties: every line of that name is replaced.
        """
        with open(self.path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        before = properties(self.path).get(name)
        comment = f"changed {before} to {value}" if before else f"added {name}={value}"
        added = [f"# The user {user} {comment} at {when}", f"{name} = {value}"]
        result = []
        for line in lines:
            result += added if re.match(rf"{re.escape(name)}\s*=", line.strip()) else [line]
        if result == lines:
            result += ["", *added]
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("\n".join(result) + "\n")
