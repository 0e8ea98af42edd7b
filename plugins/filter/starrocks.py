# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure functions of plugin_utils, for the roles."""

from __future__ import annotations

from ansible_collections.starrocks.cluster.plugins.plugin_utils import (
    _frontends,
    _host_names,
    _reachability,
    _rolling,
    _rolling_steps,
    _settings,
)


def frontend_hosts(names, hostvars, in_run, defaults):
    """Return the front ends of the inventory as the plan wants them, see _frontends.frontend_host."""
    return [_frontends.frontend_host(name, hostvars[name], name in in_run, defaults) for name in names]


def preflight_node(node):
    """Return of a role's node description what starrocks_preflight looks at."""
    result = {'kind': node['kind'], 'home': node['home'], 'unit': node['name'], 'ports': node['ports'],
              'paths': node['directories'] + [node['home']], 'storage_paths': node['data']}
    for option in ('meta_dir', 'heap_size'):
        if node.get(option):
            result[option] = node[option]
    return result


class FilterModule:
    """Filters that the roles of this collection use."""

    def filters(self):
        return {
            'back_end_settings': _settings.back_end_settings,
            'backup_sources': _rolling_steps.backup_sources,
            'batch_steps': _rolling_steps.batch_steps,
            'components_to_change': _rolling_steps.components_to_change,
            'connectivity_names': _reachability.connectivity_names,
            'connectivity_peers': _reachability.connectivity_peers,
            'connectivity_ports': _reachability.connectivity_ports,
            'connectivity_targets': _reachability.connectivity_targets,
            'connectivity_wanted': _reachability.connectivity_wanted,
            'first_operation': _rolling_steps.first_operation,
            'front_end_settings': _settings.front_end_settings,
            'frontend_hosts': frontend_hosts,
            'frontend_plan': _frontends.frontend_plan,
            'graceful_signal': _rolling_steps.graceful_signal,
            'host_entries': _host_names.host_entries,
            'join_error': _frontends.join_error,
            'leader_name': _frontends.leader_name,
            'next_batch': _rolling.next_batch,
            'preflight_node': preflight_node,
            'previous_release': _rolling_steps.previous_release,
            'registered_nodes': _frontends.registered_nodes,
            'release_node': _rolling_steps.release_node,
            'rollback_version': _rolling_steps.rollback_version,
            'start_time_of': _frontends.start_time_of,
            'stop_refusal': _frontends.stop_refusal,
            'storage_folders': _settings.storage_folders,
            'unsettled': _frontends.unsettled,
        }
