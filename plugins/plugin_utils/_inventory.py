# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an inventory, found without a connection: all of it at once.

Each rule is a function from an Inventory to findings, one per host; `findings` runs them all and puts together those
that say the same of several hosts. No I/O but the one question whether the archive lies on the controller.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.starrocks.cluster.plugins.module_utils._node import SECRET_NAME
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight import parse_heap
from ansible_collections.starrocks.cluster.plugins.module_utils._release import (
    ReleaseError,
    parse_checksum,
    version_of_name,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import archive_name, check_url, is_url
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import Version, parse_or_none
from ansible_collections.starrocks.cluster.plugins.plugin_utils._settings import BACK_END_PORT_KEYS, storage_folders

FAILURE, WARNING = 'failure', 'warning'

NODE_NAMES = {'fe': 'front end', 'be': 'back end', 'cn': 'compute node', 'broker': 'broker'}

PORTS = {
    'fe': ('http_port', 'rpc_port', 'query_port', 'edit_log_port', 'cloud_native_meta_port'),
    'be': ('be_port', 'be_http_port', 'heartbeat_service_port', 'brpc_port', 'starlet_port'),
    'cn': ('be_port', 'be_http_port', 'heartbeat_service_port', 'brpc_port', 'starlet_port'),
    'broker': ('ipc_port',),
}
"""The ports of each kind of node: ``starrocks_<kind>_<port>`` is the variable, the roles' defaults are the defaults."""

SHARED_DATA_PORTS = ('cloud_native_meta_port',)
"""Opened in shared-data mode only (starrocks.md 5.1). starlet_port is opened in both modes, whatever its use."""

CLUSTER_WIDE = ('starrocks_version', 'starrocks_cluster_name', 'starrocks_run_mode', 'starrocks_host_type',
                'starrocks_root_password', 'starrocks_broker_name')
"""One inventory is one cluster: these say the same on every host."""

OWNED_SETTINGS = {
    'fe': {'meta_dir': 'starrocks_fe_meta_dir', 'priority_networks': 'starrocks_priority_networks',
           'run_mode': 'starrocks_run_mode', 'sys_log_dir': 'starrocks_fe_log_dir', 'LOG_DIR': 'starrocks_fe_log_dir',
           'JAVA_OPTS': 'starrocks_fe_java_opts', 'JAVA_OPTS_FOR_JDK_9': 'starrocks_fe_java_opts',
           'JAVA_OPTS_FOR_JDK_11': 'starrocks_fe_java_opts', 'JAVA_HOME': 'starrocks_java_home'},
    'be': {'storage_root_path': 'starrocks_be_storage_root_path', 'priority_networks': 'starrocks_priority_networks',
           'sys_log_dir': 'starrocks_be_log_dir', 'LOG_DIR': 'starrocks_be_log_dir',
           'JAVA_HOME': 'starrocks_java_home'},
    'cn': {'storage_root_path': 'starrocks_cn_storage_root_path', 'priority_networks': 'starrocks_priority_networks',
           'sys_log_dir': 'starrocks_cn_log_dir', 'LOG_DIR': 'starrocks_cn_log_dir',
           'JAVA_HOME': 'starrocks_java_home'},
    'broker': {'broker_ipc_port': 'starrocks_broker_ipc_port', 'sys_log_dir': 'starrocks_broker_log_dir',
               'LOG_DIR': 'starrocks_broker_log_dir'},
}
"""Settings of the configuration files that a variable of their own stands for, besides the ports.

The roles rely on these variables (they wait for ports, make folders, read logs), so that another value in
``starrocks_<kind>_config`` would only half work.
"""

STORAGE_SETTINGS = {
    'S3': (('aws_s3_path',), (('aws_s3_use_aws_sdk_default_behavior',), ('aws_s3_use_instance_profile',),
                              ('aws_s3_access_key', 'aws_s3_secret_key'))),
    'AZBLOB': (('azure_blob_path', 'azure_blob_endpoint'), (('azure_blob_shared_key',), ('azure_blob_sas_token',))),
    'HDFS': (('cloud_native_hdfs_url',), ()),
}
"""Per cloud_native_storage_type: the settings it needs, and the sets of credentials of which one must be whole.

starrocks.md 5.1, 5.5. Types that are not named here are left alone.
"""

STORAGE_PREFIXES = ('aws_s3_', 'azure_', 'gcp_', 'cloud_native_hdfs_url', 'cloud_native_storage_type')

OLDEST_LINE = (2, 5)
NEWEST_LINE = (4, 2)
"""The release lines whose tables and errors the collection knows (starrocks.md)."""

SHARED_DATA_SINCE = (3, 0)
VOLUME_BY_SQL_SINCE = (3, 1)
VOLUME_FROM_CONFIGURATION_OFF_SINCE = (3, 4)
"""enable_load_volume_from_conf: default true in 3.1 to 3.3, false later (starrocks.md 5.1)."""

DEFAULT_REPLICATION_NUM = 3

UNPRIVILEGED_PORTS = 1024

SSH_CONNECTIONS = ('ssh', 'smart', 'paramiko', 'paramiko_ssh')

NAMES_OUTSIDE_OF_ROLES = ('starrocks_host', 'starrocks_live', 'starrocks_destroy_confirm', 'starrocks_destroy_data')
"""Known names without an argument spec: the fact of starrocks_preflight, the rows of the inventory plugin, and what is
said to the playbook destroy."""


@dataclass(frozen=True)
class Unchecked:
    """Stands for a value that cannot be computed on the controller, and says why; no rule looks at it."""

    reason: str


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, in which variable, and what to write instead."""

    severity: str
    host: str
    variable: str
    message: str

    def __str__(self) -> str:
        return ': '.join(part for part in (self.host, self.variable, self.message) if part)

    def as_dict(self) -> dict[str, str]:
        return {'severity': self.severity, 'host': self.host, 'variable': self.variable, 'message': self.message}


@dataclass
class Inventory:
    """All that the rules look at.

    groups: name -> hosts. variables: host -> name -> value, templated, the roles' defaults filled in, Unchecked where
    the value cannot be computed. given: host -> names that the user gave. specs: name -> argument spec of all roles.
    """

    groups: Mapping[str, list[str]]
    variables: Mapping[str, Mapping[str, object]]
    given: Mapping[str, Iterable[str]] = field(default_factory=dict)
    specs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    file_exists: Callable[[str], bool] = os.path.exists

    def hosts_of(self, kind: str) -> list[str]:
        return kind_hosts(self.groups)[kind]

    @property
    def hosts(self) -> list[str]:
        """All hosts that have a node, in the order of the kinds, each once."""
        return list(dict.fromkeys(host for hosts in kind_hosts(self.groups).values() for host in hosts))

    def value(self, host: str, name: str):
        return self.variables.get(host, {}).get(name)

    def text(self, host: str, name: str) -> str:
        """Return a value as text without blanks around it; '' for none and for what cannot be computed."""
        value = self.value(host, name)
        return '' if value is None or isinstance(value, Unchecked) else str(value).strip()

    def flag(self, host: str, name: str) -> bool:
        return is_true(self.value(host, name))

    def checked(self, host: str, name: str) -> bool:
        return not isinstance(self.value(host, name), Unchecked)

    def settings(self, host: str, kind: str) -> dict:
        """Return ``starrocks_<kind>_config`` of a host, {} where it is none (a rule of its own says so)."""
        value = self.value(host, f'starrocks_{kind}_config')
        return dict(value) if isinstance(value, Mapping) else {}

    def ports(self, host: str, kind: str) -> dict[str, int]:
        """Return {variable: port} of the valid ports of one node, as far as its mode opens them."""
        shared_data = self.text(host, 'starrocks_run_mode') == 'shared_data'
        names = (f'starrocks_{kind}_{port}' for port in PORTS[kind] if shared_data or port not in SHARED_DATA_PORTS)
        return {name: int(self.value(host, name)) for name in names if port_problem(self.value(host, name)) == ''}

    def machine(self, host: str) -> tuple:
        """Return what tells the machine behind an inventory name from others: how and where it is connected to."""
        connection = self.text(host, 'ansible_connection').rsplit('.', 1)[-1] or 'ssh'
        address = (self.text(host, 'ansible_host') or host).lower().strip('[]').rstrip('.')
        if connection == 'local':
            return ('local',)
        if connection in SSH_CONNECTIONS:
            return ('ssh', address, self.text(host, 'ansible_port') or '22')
        return (connection, address)

    def machines(self, hosts: Iterable[str]) -> dict[tuple, list[str]]:
        """Return the inventory names of each machine, among these."""
        found: dict[tuple, list[str]] = {}
        for host in hosts:
            found.setdefault(self.machine(host), []).append(host)
        return found


def kind_hosts(groups: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return kind -> hosts. Brokers run on the back ends' hosts unless the inventory has a group for them."""
    backends = list(groups.get('starrocks_be', []))
    return {'fe': list(groups.get('starrocks_fe', [])), 'be': backends, 'cn': list(groups.get('starrocks_cn', [])),
            'broker': list(groups.get('starrocks_broker', backends))}


def is_true(value) -> bool:
    """Read a boolean as Ansible does."""
    return value is True or str(value).strip().lower() in ('yes', 'true', 'on', '1', 'y', 't')


def port_problem(value) -> str:
    """Return what is wrong with a port, '' if nothing is."""
    if isinstance(value, bool) or not re.fullmatch(r'[+-]?\d+', str(value).strip()):
        return 'is not a number'
    return '' if 1 <= int(value) <= 65535 else 'is not between 1 and 65535'


def shown(name: str, value) -> str:
    """Return a value for a message: quoted, short, and nothing at all of secrets and of what may hold them."""
    if SECRET_NAME.search(name) or isinstance(value, (Mapping, list, tuple)) or name.endswith('_config'):
        return f'a {type_name(value)}'
    text = str(value)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def type_name(value) -> str:
    """Return the name of a value's type as YAML people say it."""
    for kind, name in ((bool, 'boolean'), (int, 'number'), (float, 'number'), (str, 'text'), (Mapping, 'dictionary'),
                       (list, 'list')):
        if isinstance(value, kind):
            return name
    return 'null' if value is None else type(value).__name__


# --- shape of the inventory ------------------------------------------------------------------------------------------

def groups_filled(inventory: Inventory) -> Iterator[Finding]:
    """A cluster needs a follower, an odd number of them, and something that stores or computes."""
    frontends = inventory.hosts_of('fe')
    followers = [host for host in frontends if inventory.text(host, 'starrocks_fe_role') == 'follower']
    if not frontends:
        yield Finding(FAILURE, '', 'starrocks_fe', 'the inventory has no host in this group. Put one host, or three '
                      'for high availability, into the group starrocks_fe')
    elif not followers and all(inventory.checked(host, 'starrocks_fe_role') for host in frontends):
        yield Finding(FAILURE, ', '.join(frontends), 'starrocks_fe_role', 'no front end is a follower, so nobody can '
                      'lead. Write starrocks_fe_role: follower for one of them, or for three')
    elif followers and len(followers) % 2 == 0:
        yield Finding(WARNING, ', '.join(followers), 'starrocks_fe_role', f'{len(followers)} followers survive no more '
                      f'failures than {len(followers) - 1} do. Make it an odd number: add one, or make one an observer')
    if frontends and not inventory.hosts_of('be') and not inventory.hosts_of('cn'):
        yield Finding(WARNING, '', 'starrocks_be', 'the inventory has neither back ends (group starrocks_be) nor '
                      'compute nodes (starrocks_cn): the cluster can hold no data')


def one_node_of_a_kind_per_machine(inventory: Inventory) -> Iterator[Finding]:
    """Two inventory names for one machine would share folders, unit and ports; StarRocks takes one FE per host."""
    for hosts in inventory.machines(inventory.hosts).values():
        names, told = _doubled(inventory, hosts)
        if names:
            yield Finding(FAILURE, names, 'ansible_host', f'these names stand for one machine, so it would have '
                          f'{told}, and one of a kind is all it can have. Give each its own ansible_host, or take all '
                          f'but one out of the groups')
    by_address: dict[str, list[str]] = {}
    for host in inventory.hosts:
        by_address.setdefault(inventory.text(host, 'starrocks_address'), []).append(host)
    for address, hosts in by_address.items():
        names, told = _doubled(inventory, hosts)
        if address and names:
            yield Finding(FAILURE, names, 'starrocks_address', f'{address} is given to {told}. Give each its own')


def _doubled(inventory: Inventory, hosts: list[str]) -> tuple[str, str]:
    """Return (the names, how many of what) where several of these hosts have a node of one kind, else two ''."""
    by_kind = {kind: [host for host in hosts if host in inventory.hosts_of(kind)] for kind in NODE_NAMES}
    doubled = {kind: names for kind, names in by_kind.items() if len(names) > 1}
    told = ' and '.join(f'{len(names)} {NODE_NAMES[kind]}s' for kind, names in doubled.items())
    return ', '.join(dict.fromkeys(host for names in doubled.values() for host in names)), told


def same_everywhere(inventory: Inventory) -> Iterator[Finding]:
    """Some variables belong to the cluster, not to a host."""
    for name in CLUSTER_WIDE:
        hosts = inventory.hosts_of('broker') if name == 'starrocks_broker_name' else inventory.hosts
        values: dict[str, list[str]] = {}
        for host in hosts:
            if inventory.checked(host, name):
                values.setdefault(inventory.text(host, name), []).append(host)
        if len(values) > 1:
            told = '' if SECRET_NAME.search(name) else ': ' + '; '.join(
                f"{value or 'empty'} on {', '.join(hosts)}" for value, hosts in values.items())
            yield Finding(FAILURE, '', name, f'differs between hosts{told}. One inventory is one cluster: set it once, '
                          f'for the group all')


# --- ports -----------------------------------------------------------------------------------------------------------

def ports_valid(inventory: Inventory) -> Iterator[Finding]:
    """Each port is a number that the service account may listen on."""
    for kind in PORTS:
        for host in inventory.hosts_of(kind):
            for name in (f'starrocks_{kind}_{port}' for port in PORTS[kind]):
                value = inventory.value(host, name)
                if value is None or isinstance(value, Unchecked):
                    continue
                problem = port_problem(value)
                if problem:
                    yield Finding(FAILURE, host, name, f'{shown(name, value)} {problem}. Write a port from 1024 to '
                                  f'65535')
                elif int(value) < UNPRIVILEGED_PORTS:
                    yield Finding(WARNING, host, name, f'only root may listen on port {value}, and StarRocks runs as '
                                  f"{inventory.text(host, 'starrocks_user') or 'its own account'}. Write a port from "
                                  f'1024 on')


def ports_alike(inventory: Inventory) -> Iterator[Finding]:
    """All FEs have one http_port: a joining FE asks its helper on its own (starrocks.md 4.3).

    With mixed edit_log_ports, SHOW FRONTENDS shows a wrong Join (starrocks.md 1.2).
    """
    for name, severity, reason in (
            ('starrocks_fe_http_port', FAILURE, 'A front end can join only if all have the same'),
            ('starrocks_fe_edit_log_port', WARNING, 'SHOW FRONTENDS shows Join wrongly then, from 3.3 on. Better give '
             'all the same')):
        values = {host: int(inventory.value(host, name)) for host in inventory.hosts_of('fe')
                  if not port_problem(inventory.value(host, name))}
        if len(set(values.values())) > 1:
            told = ', '.join(f'{port} on {host}' for host, port in values.items())
            yield Finding(severity, '', name, f'differs between front ends: {told}. {reason}: set it once, for the '
                          f'group starrocks_fe')


def ports_apart(inventory: Inventory) -> Iterator[Finding]:
    """No two nodes of one machine have the same port."""
    for hosts in inventory.machines(inventory.hosts).values():
        users: dict[int, list[tuple[str, str, str]]] = {}
        for host in hosts:
            for kind in PORTS:
                if host in inventory.hosts_of(kind):
                    for name, port in inventory.ports(host, kind).items():
                        users.setdefault(port, []).append((host, kind, name))
        for port, found in sorted(users.items()):
            names = list(dict.fromkeys(name for dummy, dummy, name in found))
            if len(names) > 1:
                kinds = list(dict.fromkeys(NODE_NAMES[kind] for dummy, kind, dummy in found))
                reason = (f"{' and '.join(kinds)} share this machine" if len(kinds) > 1 else f'one {kinds[0]} uses it '
                          f'twice')
                yield Finding(FAILURE, ', '.join(dict.fromkeys(host for host, dummy, dummy in found)), names[-1],
                              f"{port} is also {' and '.join(names[:-1])}, and {reason}. Set {names[-1]} to a free "
                              f'port')


# --- release ---------------------------------------------------------------------------------------------------------

def version_known(inventory: Inventory) -> Iterator[Finding]:
    """starrocks_version is a StarRocks version of a line that the collection knows."""
    name = 'starrocks_version'
    for host in inventory.hosts:
        if not inventory.checked(host, name):
            continue
        text = inventory.text(host, name)
        version = parse_or_none(text)
        if not text:
            yield Finding(FAILURE, host, name, 'is not set. Write the version to run, 3.5.0 for example')
        elif version is None:
            yield Finding(FAILURE, host, name, f"'{text}' is not a StarRocks version. Write all three numbers, 3.5.0 "
                          f'for example (with quotes if there were only two, YAML reads them as one number)')
        elif version.line < OLDEST_LINE:
            yield Finding(FAILURE, host, name, f'{text} is older than {_line(OLDEST_LINE)}, the oldest that this '
                          f'collection supports. Write a version of {_line(OLDEST_LINE)} to {_line(NEWEST_LINE)}')
        elif version.line > NEWEST_LINE:
            yield Finding(WARNING, host, name, f'{text} is newer than {_line(NEWEST_LINE)}, the newest that this '
                          f'collection was made for; look for a newer collection')


def _line(line: tuple[int, int]) -> str:
    return '%d.%d' % line


def archive_usable(inventory: Inventory) -> Iterator[Finding]:
    """The archive is named, can be had safely, and is not visibly of another version."""
    for host in inventory.hosts:
        for problem in _archive_problems(inventory, host):
            yield Finding(FAILURE, host, 'starrocks_archive', problem)


def _archive_problems(inventory: Inventory, host: str) -> Iterator[str]:
    name = 'starrocks_archive'
    if not inventory.checked(host, name):
        return
    archive = inventory.text(host, name)
    if not archive:
        yield ('is not set. Write the URL or the path of the release, '
               'https://releases.starrocks.io/starrocks/StarRocks-3.5.0-ubuntu-amd64.tar.gz for example')
        return
    on_hosts = inventory.flag(host, 'starrocks_archive_remote_src')
    if is_url(archive):
        checksum = inventory.text(host, 'starrocks_checksum')
        try:
            check_url(archive, bool(checksum) or inventory.flag(host, 'starrocks_allow_insecure_http'))
        except ReleaseError as error:
            yield str(error)
    elif on_hosts and not archive.startswith('/'):
        yield f"'{archive}' is not a full path, and starrocks_archive_remote_src takes it on the hosts. Begin it with /"
    elif not on_hosts and archive.startswith(('/', '~')) and not inventory.file_exists(os.path.expanduser(archive)):
        yield (f"'{archive}' is not on the controller. Correct the path; if the file is on the hosts, set "
               'starrocks_archive_remote_src: true')
    told = parse_or_none(version_of_name(archive_name(archive)))
    wanted = parse_or_none(inventory.text(host, 'starrocks_version'))
    if told and wanted and told.order != wanted.order:
        yield (f'{archive_name(archive)} is {told.release} by its name, and starrocks_version is {wanted.release}. '
               'Make them say the same')


def checksum_valid(inventory: Inventory) -> Iterator[Finding]:
    """A checksum, when given, is one."""
    for host in inventory.hosts:
        try:
            parse_checksum(inventory.text(host, 'starrocks_checksum'))
        except ReleaseError as error:
            yield Finding(FAILURE, host, 'starrocks_checksum', str(error).partition(': ')[2])


# --- network and names -----------------------------------------------------------------------------------------------

def networks_valid(inventory: Inventory) -> Iterator[Finding]:
    """starrocks_priority_networks is a list of CIDRs."""
    name = 'starrocks_priority_networks'
    for host in inventory.hosts:
        value = inventory.value(host, name)
        if not isinstance(value, list):
            continue
        for network in value:
            problem = network_problem(network)
            if problem:
                yield Finding(FAILURE, host, name, f"'{network}' {problem}. Write networks in CIDR form, "
                              f'[10.10.0.0/16] for example')


def network_problem(network) -> str:
    """Return what is wrong with a CIDR, '' if nothing is."""
    if '/' not in str(network):
        return 'is not a network (no /)'
    try:
        ipaddress.ip_network(str(network).strip(), strict=False)
    except ValueError:
        return 'is not a network'
    return ''


# --- safety ----------------------------------------------------------------------------------------------------------

def password_set(inventory: Inventory) -> Iterator[Finding]:
    """root has a password, unless an empty one is asked for by name."""
    name = 'starrocks_root_password'
    for host in inventory.hosts:
        if inventory.checked(host, name) and not inventory.text(host, name) \
                and not inventory.flag(host, 'starrocks_allow_empty_root_password'):
            yield Finding(FAILURE, host, name, 'is empty: whoever reaches the query port would be root. Set it (best '
                          'from a vault), or write starrocks_allow_empty_root_password: true')


# --- mode of the cluster ---------------------------------------------------------------------------------------------

def mode_fits(inventory: Inventory) -> Iterator[Finding]:
    """Back ends store data in shared-nothing clusters only; shared-data is known from 3.0 on (starrocks.md 5.5)."""
    shared_data = [host for host in inventory.hosts if inventory.text(host, 'starrocks_run_mode') == 'shared_data']
    for host in shared_data:
        version = parse_or_none(inventory.text(host, 'starrocks_version'))
        if version and version.line < SHARED_DATA_SINCE:
            yield Finding(FAILURE, host, 'starrocks_run_mode', f'StarRocks {version.release} knows no shared_data. '
                          f'Take 3.0 or later, or write shared_nothing')
        if host in inventory.hosts_of('be'):
            yield Finding(FAILURE, host, 'starrocks_run_mode', 'a shared_data cluster has compute nodes in place of '
                          'back ends. Move the host from the group starrocks_be to starrocks_cn, or write '
                          'shared_nothing')
    if shared_data and not inventory.hosts_of('cn'):
        yield Finding(FAILURE, '', 'starrocks_cn', 'the inventory has no host in this group, and a shared_data cluster '
                      'works with compute nodes. Put hosts into it')


def storage_given(inventory: Inventory) -> Iterator[Finding]:
    """A shared-data cluster is told where its data lies, in fe.conf or later by SQL (starrocks.md 5.5)."""
    for host in inventory.hosts_of('fe'):
        version = parse_or_none(inventory.text(host, 'starrocks_version'))
        if inventory.text(host, 'starrocks_run_mode') == 'shared_data' and version \
                and inventory.checked(host, 'starrocks_fe_config'):
            yield from _storage_findings(host, version, inventory.settings(host, 'fe'))


def _storage_findings(host: str, version: Version, settings: Mapping) -> Iterator[Finding]:
    name = 'starrocks_fe_config'
    from_configuration = is_true(settings.get('enable_load_volume_from_conf',
                                              version.line < VOLUME_FROM_CONFIGURATION_OFF_SINCE))
    told = any(str(key).startswith(STORAGE_PREFIXES) for key in settings)
    if not told and version.line >= VOLUME_BY_SQL_SINCE:
        yield Finding(WARNING, host, name, 'names no storage for the shared_data cluster, so it can hold no table '
                      'until you make a volume (CREATE STORAGE VOLUME ... ; SET ... AS DEFAULT STORAGE VOLUME)')
        return
    if told and not from_configuration:
        yield Finding(WARNING, host, name, f'its storage settings do nothing in StarRocks {version.release} without '
                      'enable_load_volume_from_conf: true. Add that, or make the volume by SQL and take them out')
        return
    storage = str(settings.get('cloud_native_storage_type', 'S3')).upper()
    if storage not in STORAGE_SETTINGS:
        return
    needed, credentials = STORAGE_SETTINGS[storage]
    missing = [key for key in needed if not str(settings.get(key) or '').strip()]
    if missing:
        yield Finding(FAILURE, host, name, f"lacks {' and '.join(missing)}, which storage of type {storage} needs. Add "
                      f'them, or set cloud_native_storage_type to another type')
    if credentials and not any(all(_set(settings.get(key)) for key in block) for block in credentials):
        yield Finding(FAILURE, host, name, f'has no credentials for storage of type {storage}. Add '
                      + ', or '.join(' and '.join(block) for block in credentials))


def _set(value) -> bool:
    """Tell whether a setting is given and is not switched off."""
    return value is not None and str(value).strip().lower() not in ('', 'false')


def replicas_possible(inventory: Inventory) -> Iterator[Finding]:
    """A table has three replicas by default, on three back ends (default_replication_num, starrocks.md 5.1)."""
    backends = len(inventory.hosts_of('be'))
    if not backends or backends >= DEFAULT_REPLICATION_NUM:
        return
    for host in inventory.hosts_of('fe'):
        if inventory.checked(host, 'starrocks_fe_config') \
                and 'default_replication_num' not in inventory.settings(host, 'fe'):
            yield Finding(WARNING, host, 'starrocks_fe_config', f'with {backends} back '
                          f'end{"s" if backends > 1 else ""}, CREATE TABLE fails by default, since it asks for '
                          f'{DEFAULT_REPLICATION_NUM} replicas. Add default_replication_num: {backends}, or give '
                          f'replication_num with each table')


# --- types, names and settings ---------------------------------------------------------------------------------------

NUMBER = re.compile(r'[+-]?\d+(\.0*)?')
BOOLEAN = re.compile(r'(?i)yes|no|true|false|on|off|[01ynft]')

TYPE_TESTS: dict[str, tuple[Callable[[object], object], str]] = {
    'int': (lambda value: not isinstance(value, bool) and NUMBER.fullmatch(str(value).strip()), 'a number'),
    'bool': (lambda value: BOOLEAN.fullmatch(str(value).strip()), 'true or false'),
    'list': (lambda value: isinstance(value, list), 'a list, [a, b] for example'),
    'dict': (lambda value: isinstance(value, Mapping), 'a dictionary, {key: value} for example'),
    'str': (lambda value: not isinstance(value, (Mapping, list)), 'text'),
    'path': (lambda value: not isinstance(value, (Mapping, list)), 'a path'),
}
"""Type of an argument spec -> (test, what to write). Types that are not here are not tested."""


def types_right(inventory: Inventory) -> Iterator[Finding]:
    """Every variable that the user gave is of the type, and among the choices, of the roles' argument specs."""
    ports = {f'starrocks_{kind}_{port}' for kind, names in PORTS.items() for port in names}
    for host in inventory.hosts:
        for name in sorted(set(inventory.given.get(host, ())) & set(inventory.specs) - ports):
            value, spec = inventory.value(host, name), inventory.specs[name]
            if isinstance(value, Unchecked):
                continue
            right, wanted = TYPE_TESTS.get(str(spec.get('type', 'str')), (lambda value: True, ''))
            if value is None or not right(value):
                yield Finding(FAILURE, host, name, f'{shown(name, value)} is not right. Write {wanted}')
            elif spec.get('choices') and value not in spec['choices'] and str(value) not in map(str, spec['choices']):
                choices = ' or '.join(str(choice) for choice in spec['choices'])
                yield Finding(FAILURE, host, name, f'{shown(name, value)} is not one of its values. Write {choices}')


def paths_full(inventory: Inventory) -> Iterator[Finding]:
    """Folders on the hosts are full paths: units and scripts have no working directory to count on."""
    for name in (name for name in inventory.specs if name.endswith(('_dir', '_java_home'))):
        kind = name.split('_')[1]
        for host in inventory.hosts_of(kind) if kind in PORTS else inventory.hosts:
            text = inventory.text(host, name)
            if text and not text.startswith('/'):
                yield Finding(FAILURE, host, name, f"'{text}' is not a full path. Begin it with /")
    for kind in ('be', 'cn'):
        name = f'starrocks_{kind}_storage_root_path'
        for host in inventory.hosts_of(kind):
            for folder in storage_folders(inventory.text(host, name)):
                if not folder.startswith('/'):
                    yield Finding(FAILURE, host, name, f"'{folder}' is not a full path. Write it as "
                                  '/data1,medium:SSD;/data2 for example')


def storage_apart(inventory: Inventory) -> Iterator[Finding]:
    """A back end and a compute node of one host do not share a storage folder: each claims it for itself."""
    name = 'starrocks_cn_storage_root_path'
    for host in inventory.hosts_of('cn'):
        if host not in inventory.hosts_of('be'):
            continue
        both = set(storage_folders(inventory.text(host, name))) & set(
            storage_folders(inventory.text(host, 'starrocks_be_storage_root_path')))
        if both:
            yield Finding(FAILURE, host, name, f"{', '.join(sorted(both))} is also in starrocks_be_storage_root_path. "
                          f'Give the compute node a folder of its own')


def heap_valid(inventory: Inventory) -> Iterator[Finding]:
    """starrocks_fe_heap_size is what Java takes behind -Xmx."""
    name = 'starrocks_fe_heap_size'
    for host in inventory.hosts_of('fe'):
        if not inventory.text(host, name):
            continue
        try:
            parse_heap(inventory.text(host, name))
        except ValueError:
            yield Finding(FAILURE, host, name, f'{shown(name, inventory.value(host, name))} is not a Java heap size. '
                          f'Write 8g or 4096m, for example')


def settings_right(inventory: Inventory) -> Iterator[Finding]:
    """A setting of a configuration file that a variable stands for is given by that variable; values are plain."""
    for kind in PORTS:
        name = f'starrocks_{kind}_config'
        owned = owned_settings(kind)
        for host in inventory.hosts_of(kind):
            for key, value in inventory.settings(host, kind).items():
                if key in owned:
                    yield Finding(FAILURE, host, name, f'sets {key}, which the role sets itself. Take it out, and set '
                                  f'{owned[key]}')
                elif isinstance(value, (Mapping, list)) or '\n' in str(value):
                    what = 'several lines' if isinstance(value, str) else f'a {type_name(value)}'
                    yield Finding(FAILURE, host, name, f'gives {key} {what}. Write a number, or text on one line')


def owned_settings(kind: str) -> dict[str, str]:
    """Return setting -> variable of all settings that the role of this kind sets by a variable of their own."""
    ports = {port: f'starrocks_{kind}_{port}' for port in PORTS[kind] if kind != 'broker'}
    before = {old: f'starrocks_{kind}_{port}'
              for (owner, port), (dummy, old) in BACK_END_PORT_KEYS.items() if owner == kind}
    return {**ports, **before, **OWNED_SETTINGS[kind]}


def values_computable(inventory: Inventory) -> Iterator[Finding]:
    """A value that needs the facts of a host is not known yet: say that it was not looked at."""
    for host in inventory.hosts:
        for name in sorted(inventory.given.get(host, ())):
            value = inventory.value(host, name)
            if isinstance(value, Unchecked):
                reason = 'its template does not work' if SECRET_NAME.search(name) else value.reason
                yield Finding(WARNING, host, name, f'was not checked, since it cannot be computed here: {reason}')


def names_known(inventory: Inventory) -> Iterator[Finding]:
    """A variable that begins like ours and is none of ours is likely a typing error."""
    known = set(inventory.specs) | set(NAMES_OUTSIDE_OF_ROLES)
    if not inventory.specs:
        return
    for host in inventory.hosts:
        for name in sorted(inventory.given.get(host, ())):
            if name.startswith('starrocks_') and name not in known:
                nearest = difflib.get_close_matches(name, sorted(inventory.specs), 1)
                hint = f'Did you mean {nearest[0]}?' if nearest else 'Take it out; if it is your own, rename it.'
                yield Finding(WARNING, host, name, f'is not a variable of this collection and does nothing. {hint}')


# --- all of it -------------------------------------------------------------------------------------------------------

RULES: tuple[Callable[[Inventory], Iterator[Finding]], ...] = (
    groups_filled, one_node_of_a_kind_per_machine, same_everywhere, version_known, archive_usable, checksum_valid,
    password_set, ports_valid, ports_alike, ports_apart, networks_valid, mode_fits, storage_given, replicas_possible,
    types_right, paths_full, storage_apart, heap_valid, settings_right, values_computable,
    names_known)


def findings(inventory: Inventory) -> list[Finding]:
    """Return all that is wrong: failures first, each thing once, with all hosts that it is true of."""
    merged: dict[tuple[str, str, str], list[str]] = {}
    for rule in RULES:
        for finding in rule(inventory):
            hosts = merged.setdefault((finding.severity, finding.variable, finding.message), [])
            if finding.host and finding.host not in hosts:
                hosts.append(finding.host)
    found = []
    for (severity, variable, message), hosts in merged.items():
        everywhere = len(hosts) > 1 and set(hosts) == set(inventory.hosts)
        found.append(Finding(severity, 'all hosts' if everywhere else ', '.join(hosts), variable, message))
    return sorted(found, key=lambda finding: finding.severity != FAILURE)


def failure_text(found: Iterable[Finding]) -> str:
    """Return the message for an inventory that is refused, one line per failure; '' if there is none."""
    lines = [f'- {finding}' for finding in found if finding.severity == FAILURE]
    if not lines:
        return ''
    what = 'thing has' if len(lines) == 1 else 'things have'
    head = f'The inventory is refused, and nothing was changed. {len(lines)} {what} to be put right:'
    return '\n'.join([head, *lines])
