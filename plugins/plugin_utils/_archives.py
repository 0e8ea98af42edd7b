# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the archives on the controller, found by packing the parts that a deploy sends anyway.

An archive that hosts fetch or have themselves cannot be looked at from here; starrocks_release refuses it on the host,
before anything of the release is in place.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError, parse_checksum
from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import is_url
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _release_parts
from ansible_collections.starrocks.cluster.plugins.plugin_utils._inventory import (
    FAILURE,
    Finding,
    Inventory,
    is_true,
    kind_hosts,
)

COMPONENTS = {'fe': 'fe', 'be': 'be', 'cn': 'be', 'broker': 'apache_hdfs_broker'}
"""Kind of node -> the folder of a release that it runs from."""


def wanted_parts(inventory: Inventory) -> dict[tuple[str, str, str, str], list[str]]:
    """Return (archive, component, version, checksum) -> hosts, for archives that are files on the controller."""
    wanted: dict[tuple[str, str, str, str], list[str]] = {}
    for kind, hosts in kind_hosts(inventory.groups).items():
        for host in hosts:
            variables = inventory.variables[host]
            archive = os.path.expanduser(str(variables.get('starrocks_archive') or ''))
            if is_url(archive) or is_true(variables.get('starrocks_archive_remote_src')) or not os.path.isfile(archive):
                continue
            key = (archive, COMPONENTS[kind], str(variables['starrocks_version']),
                   str(variables.get('starrocks_checksum') or ''))
            named = wanted.setdefault(key, [])
            if host not in named:
                named.append(host)
    return wanted


def archive_findings(inventory: Inventory, fallback: str, progress: Callable[[str], None]) -> list[Finding]:
    """Return a failure for each part that cannot be packed: cut short, damaged, without the component, unsafe.

    ``fallback``: a folder of this run, for a failure to be remembered in, and for parts where there is no user's cache.
    """
    problems: dict[str, list[str]] = {}
    for (archive, component, version, checksum), hosts in wanted_parts(inventory).items():
        try:
            wanted = _release_parts.Wanted(archive, component, version, *parse_checksum(checksum))
            with _release_parts.part(wanted, _release_parts.cache_folder(fallback), pathlib.Path(fallback), progress):
                pass
        except (ReleaseError, OSError) as error:
            named = problems.setdefault(str(error), [])
            named.extend(host for host in hosts if host not in named)
    return [Finding(FAILURE, 'all hosts' if len(hosts) == len(inventory.hosts) else ', '.join(hosts),
                    'starrocks_archive', message) for message, hosts in problems.items()]
