# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a back end or compute node is told: be.conf or cn.conf, its defaults, the folders of storage_root_path."""

import os
import re

from standin.properties import expand, properties

# The settings (starrocks.md section 5.2): name -> (default, type, mutable). Those without a use here are kept for
# /varz and information_schema.be_configs.
SETTINGS = {
    "be_port": ("9060", "int", False),
    "be_http_port": ("8040", "int", False),
    "heartbeat_service_port": ("9050", "int", False),
    "brpc_port": ("8060", "int", False),
    "starlet_port": ("9070", "int", False),
    "arrow_flight_port": ("-1", "int", False),
    "mem_limit": ("90%", "string", False),
    "storage_root_path": ("${STARROCKS_HOME}/storage", "string", False),
    "priority_networks": ("", "string", False),
    "sys_log_dir": ("${STARROCKS_HOME}/log", "string", False),
    "sys_log_level": ("INFO", "string", False),
    "sys_log_roll_mode": ("SIZE-MB-1024", "string", False),
    "sys_log_roll_num": ("10", "int", False),
    "min_file_descriptor_number": ("60000", "long", False),
    "storage_flood_stage_usage_percent": ("95", "int", True),
    "storage_flood_stage_left_capacity_bytes": ("107374182400", "long", True),
    "trash_file_expire_time_sec": ("86400", "long", True),
    "report_disk_state_interval_seconds": ("60", "int", True),
    "report_tablet_interval_seconds": ("60", "int", True),
    "loop_count_wait_fragments_finish": ("2", "int", True),
    "graceful_exit_wait_for_frontend_heartbeat": ("false", "bool", True),
    "datacache_enable": ("true", "bool", True),
    "datacache_mem_size": ("0", "string", True),
    "datacache_disk_size": ("0", "string", True),
    "block_cache_enable": ("false", "bool", False),
    "ignore_broken_disk": ("false", "bool", False),
    "user_function_dir": ("${STARROCKS_HOME}/lib/udf", "string", False),
    "small_file_dir": ("${STARROCKS_HOME}/lib/small_file/", "string", False),
    "local_library_dir": ("${UDF_RUNTIME_DIR}", "string", False),
    "enable_transparent_data_encryption": ("false", "bool", False),
    "net_use_ipv6_when_priority_networks_empty": ("false", "bool", False),
}
SINCE = {
    "starlet_port": "3.0", "datacache_enable": "3.2", "datacache_mem_size": "3.2", "datacache_disk_size": "3.2",
    "enable_transparent_data_encryption": "3.3", "net_use_ipv6_when_priority_networks_empty": "3.3",
    "arrow_flight_port": "3.4", "graceful_exit_wait_for_frontend_heartbeat": "3.4",
}
# Names that earlier versions used and later ones still take (starrocks.md section 5.2).
ALIASES = {"webserver_port": "be_http_port", "thrift_port": "be_port"}
DEFAULTS_BEFORE = {"loop_count_wait_fragments_finish": ("3.4", "0"), "datacache_mem_size": ("3.3", "10%")}

# As information_schema.be_configs calls the types (be/src/common/configbase.h).
SHOWN_TYPES = {"int": "int32", "long": "int64"}

MEDIA = ("HDD", "SSD")
UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class BadConfig(Exception):
    """A setting that ends the start; the text is for the log."""


def storage_paths(text):
    """Take "/data1,medium:HDD;/data2" apart: [(path, medium)]. Raises BadConfig.

    Paths are absolute, each is named once; "medium" is the only property, a bare number (capacity) is passed over.
    """
    failed = BadConfig(f"parse config storage path failed, path={text}")
    found = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        path, *properties_ = (part.strip() for part in entry.split(","))
        medium = "HDD"
        for item in properties_:
            name, colon, value = item.partition(":")
            if colon and name.strip().lower() == "medium" and value.strip().upper() in MEDIA:
                medium = value.strip().upper()
            elif colon or not item.isdigit():
                raise failed
        path = path.rstrip("/") or "/"
        if not os.path.isabs(path) or path in found:
            raise failed
        found[path] = medium
    return list(found.items())


def memory_limit(text):
    """mem_limit in bytes: "90%" of the machine's memory, "8G", or a number of bytes. Raises BadConfig."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%|[BKMGT]?)", text.strip().upper())
    if not match:
        raise BadConfig(f"mem_limit is not valid: {text}")
    number, unit = float(match.group(1)), match.group(2)
    if unit == "%":
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * number / 100)
    return int(number * UNITS[unit])


class Config:
    """The settings of one node, as text by name."""

    def __init__(self, home, kind, version):
        self.home = home
        self.kind = kind
        self.version = version
        given = properties(os.path.join(home, "conf", f"{kind}.conf"))
        self.values = {name: self.default(name) for name in SETTINGS if version >= SINCE.get(name, "0.0")}
        for name, value in given.items():
            name = ALIASES.get(name, name)
            if name in self.values:
                self.values[name] = expand(value)

    def default(self, name):
        """The default of a setting in this version."""
        before, value = DEFAULTS_BEFORE.get(name, ("0.0", None))
        return expand(value if self.version < before else SETTINGS[name][0])

    def port(self, name):
        """A port number. Raises BadConfig."""
        value = self.values[name]
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise BadConfig(f"Invalid config, {name}={value}")
        return int(value)

    def ports(self):
        """{name: number} of the ports that the node listens on."""
        names = ["be_port", "be_http_port", "heartbeat_service_port", "brpc_port", "starlet_port"]
        return {name: self.port(name) for name in names if name in self.values}

    def integer(self, name):
        """A whole number. Raises BadConfig."""
        try:
            return int(self.values[name])
        except ValueError:
            raise BadConfig(f"Invalid config, {name}={self.values[name]}") from None

    def flag(self, name):
        """A yes or no; a setting that the version does not know is a no."""
        return self.values.get(name, "false").lower() == "true"

    def fault(self, name, kind=float):
        """The value of a fault that is switched on, else None. The file is read each time: faults come and go."""
        value = properties(os.path.join(self.home, "conf", "standin.conf")).get(name)
        return None if value in (None, "") else kind(value)

    def set(self, name, value):
        """Change a setting in memory, as /api/update_config does; returns an error text or None."""
        name = ALIASES.get(name, name)
        if name not in self.values:
            return f"Not found: '{name}' is not found"
        _default, kind, mutable = SETTINGS[name]
        if not mutable:
            return f"Not supported: '{name}' is immutable"
        if (kind in ("int", "long") and not re.fullmatch(r"-?\d+", value)) or (
                kind == "bool" and value not in ("true", "false")):
            return f"Invalid argument: Invalid value of config '{name}': '{value}'"
        self.values[name] = value
        return None

    def describe(self):
        """The settings as information_schema.be_configs shows them."""
        return [{"name": name, "value": value, "type": SHOWN_TYPES.get(kind, kind), "default": self.default(name),
                 "mutable": mutable}
                for name, value in sorted(self.values.items()) for _default, kind, mutable in [SETTINGS[name]]]
