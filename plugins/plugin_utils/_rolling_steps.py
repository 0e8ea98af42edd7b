# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of a batch need to know: which nodes are meant, what is waited for, how they are stopped. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none, satisfies
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling import BLACKLIST_SINCE, GRACEFUL_SINCE

COMPONENTS = {'fe': 'fe', 'be': 'be', 'cn': 'be', 'broker': 'apache_hdfs_broker'}
"""Kind -> the component that it runs from."""

TABLES = {'fe': 'frontends', 'be': 'backends', 'cn': 'compute_nodes', 'broker': 'brokers'}
PORTS = {'fe': 'edit_log_port', 'be': 'heartbeat_service_port', 'cn': 'heartbeat_service_port',
         'broker': 'broker_ipc_port'}
"""Kind -> the port that it is registered with, as nodes call it."""

ROW_PORTS = {'fe': 'edit_log_port', 'be': 'heartbeat_port', 'cn': 'heartbeat_port', 'broker': 'port'}
START_TIMES = {'fe': 'start_time', 'be': 'last_start_time', 'cn': 'last_start_time', 'broker': 'last_start_time'}

GRACEFUL_SIGNAL = 'SIGUSR1'
"""What stop_fe.sh --graceful sends (starrocks.md 4.2). With fewer than three followers the front end ends at once."""


def release_node(node: Mapping) -> dict:
    """Return of a role's node description what starrocks_release_info looks at."""
    return {'kind': node['kind'], 'component': node['component']}


def components_to_change(batches: Iterable[Mapping], host: str) -> list[str]:
    """Return the components of a host whose release the batches change, each once."""
    return list(dict.fromkeys(COMPONENTS[batch['kind']] for batch in batches if host in batch['hosts']))


def backup_sources(nodes: Iterable[Mapping]) -> list[dict]:
    """Return what starrocks_backup keeps of these node descriptions: configuration, and metadata of a front end."""
    sources = []
    for node in nodes:
        sources.append({'path': node['home'] + '/conf', 'kind': 'configuration', 'as': node['kind'] + '/conf'})
        if node.get('meta_dir'):
            sources.append({'path': node['meta_dir'], 'kind': 'metadata', 'as': node['kind'] + '/meta'})
    return sources


def places(batch: Mapping, hostvars) -> list[dict]:
    """Return [{host, heartbeat_service_port}] of a batch's nodes, as they are registered; the port by its name."""
    port, found = PORTS[batch['kind']], []
    for name in batch['hosts']:
        seen = hostvars[name]['starrocks_host']
        ports = next(node['ports'] for node in seen['nodes'] if node['kind'] == batch['kind'])
        found.append({'host': seen['address'], port: int(ports[port])})
    return found


def row_of(place: Mapping, kind: str, cluster: Mapping) -> dict:
    """Return the row of a node, {} where there is none."""
    return next((row for row in cluster.get(TABLES[kind]) or []
                 if (row['host'], row[ROW_PORTS[kind]]) == (place['host'], place[PORTS[kind]])), {})


def batch_conditions(batch: Mapping, hostvars, cluster: Mapping, version: str, replicas: bool) -> list[dict]:
    """Return what starrocks_wait waits for after a batch: each node with the version and a process of its own.

    ``cluster``: what was asked before the batch began; ``replicas``: whether the data has to be whole. A broker shows
    no version, and its start time only when it was seen dead in between.
    """
    kind, told = batch['kind'], []
    for place in places(batch, hostvars):
        shown = '[%s]:%d' if ':' in place['host'] else '%s:%d'
        common = {'kind': TABLES[kind], 'nodes': [shown % (place['host'], place[PORTS[kind]])]}
        if kind == 'broker':
            told.append(dict(common, condition='heard'))
            continue
        row = row_of(place, kind, cluster)
        since = row.get(START_TIMES[kind]) if row.get('alive') else None
        told.append(dict(common, condition='version', version=version))
        told.append(dict(common, condition='alive', **({'after': since} if since else {})))
        told.append(dict(common, condition='heard'))
    if replicas and kind in ('be', 'fe'):
        told.append({'condition': 'replicas'})
    return told


def queries_can_be_kept_off(batch: Mapping, cluster: Mapping) -> bool:
    """Tell whether front ends know a blacklist for the nodes of a batch (starrocks.md 7.6, 0.19)."""
    since = BLACKLIST_SINCE.get(batch['kind'])
    versions = [parse_or_none(row.get('version')) for row in cluster.get('frontends') or [] if row.get('alive')]
    return bool(since and versions) and all(version and version.line >= since for version in versions)


def batch_steps(batch: Mapping, hostvars, cluster: Mapping, version: str, replicas: bool = True) -> dict:
    """Return what the steps of a batch need: component, nodes, blacklist (whether there is one), conditions."""
    return {'component': COMPONENTS[batch['kind']], 'nodes': places(batch, hostvars),
            'blacklist': queries_can_be_kept_off(batch, cluster),
            'conditions': batch_conditions(batch, hostvars, cluster, version, replicas)}


def graceful_signal(batch: Mapping, cluster: Mapping, installed: str | None) -> str:
    """Return the signal after which the front end of a batch hands over and ends in its own time, '' for none."""
    version = parse_or_none(installed or '')
    followers = [row for row in cluster.get('frontends') or [] if row.get('role') != 'OBSERVER' and row.get('alive')]
    if batch['kind'] != 'fe' or version is None or version.line < GRACEFUL_SINCE or len(followers) < 3:
        return ''
    return GRACEFUL_SIGNAL


def previous_release(release: Mapping | None, target: str) -> str | None:
    """Return the version that a node is put back on when it does not come up on another one, None where there is none.

    ``release``: what starrocks_release_info said of it before the batch. A change that was cut off says where it began;
    a node that has the target's files already was changed by an earlier run, which kept the ones before.
    """
    if not release:
        return None
    if release.get('pending'):
        return release['pending']['from']
    if release.get('installed') and not satisfies(release['installed'], target):
        return release['installed']
    return next((version for version in release.get('backups') or [] if not satisfies(version, target)), None)


def rollback_version(names: Iterable[str], hostvars, version: str) -> str:
    """Return the version that a rollback goes to: what the nodes had before they were changed to ``version``.

    Nodes that have another version were not changed, so that it is no matter what they keep; where no node has it, all
    count. Raises AnsibleFilterError where there is nothing to go back to, or more than one version.
    """
    releases = [(name, release) for name in dict.fromkeys(names)
                for release in (hostvars[name].get('_starrocks_releases') or {}).get('releases') or []]
    changed = [(name, release) for name, release in releases
               if release.get('pending') or satisfies(release.get('installed'), version)]
    found: dict[str, list[str]] = {}
    for name, release in changed or releases:
        was = (release.get('pending') or {}).get('from') or next(iter(release.get('backups') or []), None)
        if was and name not in found.setdefault(was, []):
            found[was].append(name)
    if len(found) == 1:
        return next(iter(found))
    told = '; '.join(f"{was} on {', '.join(hosts)}" for was, hosts in sorted(found.items()))
    raise AnsibleFilterError(
        f'It is not clear where to go back to: {told}. Set starrocks_rollback_version.' if found else
        'No host has kept a release to go back to. Use starrocks.cluster.downgrade.')


def first_operation(operations: Iterable[Mapping | None]) -> dict:
    """Return the operation that was begun first, of what starrocks_operation returned on several hosts; {} for none.

    A host that was away when it began has a later one, or none.
    """
    found = [one['operation'] for one in operations if one and one.get('operation')]
    return min(found, key=lambda one: one['since']) if found else {}
