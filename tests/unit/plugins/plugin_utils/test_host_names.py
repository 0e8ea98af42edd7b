# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of /etc/hosts for a cluster that knows itself by name."""

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.starrocks.cluster.plugins.plugin_utils._host_names import host_entries

HOSTVARS = {
    'seen': {'starrocks_host': {'ip_address': '10.0.0.1'}, 'ansible_host': '203.0.113.9'},
    'said': {'starrocks_host': {'ip_address': None}, 'starrocks_address': '10.0.0.2', 'ansible_host': 'bastion'},
    'reached': {'ansible_host': 'fd00::3', 'starrocks_host_names': ['fe3.example.com', 'fe3']},
    'named': {'ansible_host': 'fe4.example.com', 'starrocks_address': ''},
    'lost': {},
}


def test_the_address_that_was_chosen_on_the_host_is_best():
    assert host_entries(['seen', 'said', 'reached'], HOSTVARS) == [
        {'address': '10.0.0.1', 'names': ['seen']},
        {'address': '10.0.0.2', 'names': ['said']},
        {'address': 'fd00::3', 'names': ['fe3.example.com', 'fe3']}]


def test_all_hosts_without_an_address_are_told_at_once():
    with pytest.raises(AnsibleFilterError, match='named, lost: the address .* starrocks_address .* --limit'):
        host_entries(['seen', 'named', 'lost'], HOSTVARS)
