# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of /etc/hosts that make the hosts of a cluster known to one another by name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleFilterError


def address_of(variables: Mapping) -> str | None:
    """Return the IP address of a host: the one that was chosen on it, or one that the inventory gives; None else."""
    candidates = ((variables.get('starrocks_host') or {}).get('ip_address'), variables.get('starrocks_address'),
                  variables.get('ansible_host'))
    for candidate in candidates:
        try:
            return str(ipaddress.ip_address(str(candidate).strip('[]')))
        except ValueError:
            continue
    return None


def host_entries(names: Iterable[str], hostvars: Mapping[str, Mapping]) -> list[dict]:
    """Return [{address, names}] of these hosts of the inventory, in their order.

    A host's names are its starrocks_host_names, or else its name in the inventory. Raises AnsibleFilterError, for all
    hosts at once, where an address is not known: an entry left out would make the file of a partial run another one.
    """
    addresses = {name: address_of(hostvars[name]) for name in names}
    unknown = [name for name, address in addresses.items() if address is None]
    if unknown:
        raise AnsibleFilterError(
            f"{', '.join(unknown)}: the address for /etc/hosts is not known in this run. Set starrocks_address for "
            'these hosts, or run without --limit.')
    return [{'address': address, 'names': list(hostvars[name].get('starrocks_host_names') or [name])}
            for name, address in addresses.items()]
