#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_preflight
short_description: Check whether a host is ready for its StarRocks nodes
description:
  - Looks at a host in one run and says, check by check, what was found, what is needed and how to mend it.
  - Chooses the address and the JDK that the nodes of this host are to use, and finds the metadata and processes that
    are there already. Later steps of a deploy read them as the fact C(starrocks_host).
  - Changes nothing.
  - >-
    On hosts with a front end the controller also runs C(date) a few times, five at most, to measure the clock against
    its own.
  - >-
    The checks are address, systemd, account, linger, python, pymysql, jdk, cpu_avx2, cores, memory, open_files,
    process_limit, disk, disk_size, filesystem, paths, ports, processes, metadata, huge_pages, swap, overcommit,
    swappiness, selinux, locale and clock. One that has no meaning on the host, or asks for what cannot be read there,
    is left out.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  nodes:
    description: The nodes that this host has, or is to have.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the node.
        type: str
        choices: [fe, be, cn, broker]
        required: true
      home:
        description: The node's folder of the release, C(/opt/starrocks/fe) for example. Its processes are known by it.
        type: path
      unit:
        description: Name of its systemd unit.
        type: str
      ports:
        description: Its ports by name, C(http_port) for example. Each must be free or held by this very node.
        type: dict
        default: {}
      paths:
        description: Folders it needs. Each must be there, or be such that it can be made.
        type: list
        elements: path
        default: []
      storage_paths:
        description: Folders for the data of a back end or compute node. Looked at like O(nodes[].paths).
        type: list
        elements: path
        default: []
      meta_dir:
        description: Where a front end keeps its metadata.
        type: path
      first_start_file:
        description: >-
          The file that stands while a front end has not joined yet. By default C(first_start.env) in the folder that
          holds O(nodes[].meta_dir).
        type: path
      heap_size:
        description: Java heap that the node is to have, V(8g) for example.
        type: str
  version:
    description: The StarRocks version to be run.
    type: str
    required: true
  host_type:
    description: Whether nodes are known by their address or by their name.
    type: str
    choices: [IP, FQDN]
    default: IP
  priority_networks:
    description:
      - Networks in CIDR form. Exactly one of the host's addresses must be in them.
      - Without it, the only IPv4 address besides loopback is used, or the one of the default route if there are more.
    type: list
    elements: str
    default: []
  run_mode:
    description: The mode asked for. A cluster keeps the one it was made in, so metadata of the other is a failure.
    type: str
    choices: [shared_nothing, shared_data]
  java_home:
    description: The JDK to use. Without it the best of those on the host is chosen.
    type: path
  install_jdk:
    description: >-
      A later step may install packages, so that a missing JDK is a warning only, if there is a package for it:
      O(jdk_package), or one that the distribution is known to have.
    type: bool
    default: false
  jdk_package:
    description: The package that a later step installs for a JDK. Without it the one that fits O(version) best.
    type: str
  jdk_archive:
    description: A later step unpacks a JDK from an archive, so that a missing one is a warning only.
    type: bool
    default: false
  jdk_folders:
    description: Folders that hold JDKs, besides those where distributions put them.
    type: list
    elements: path
    default: []
  install_time_client:
    description: A later step installs a time client where none runs.
    type: bool
    default: false
  manage_hosts_file:
    description: >-
      A later step writes C(/etc/hosts), so that with O(host_type=FQDN) a name that does not resolve is a warning only.
    type: bool
    default: false
  locale:
    description: The locale that the units get.
    type: str
    default: C.UTF-8
  release_space_gib:
    description: >-
      Free space that each component to be installed needs, in GiB. V(0) stands for estimates, since StarRocks
      documents no sizes: 3 for a front end, 8 for a back end or compute node, 1 for a broker.
    type: float
    default: 0
  sql:
    description: SQL is run on this host, so that PyMySQL is needed.
    type: bool
    default: false
  install_pymysql:
    description: A later step installs PyMySQL, so that a missing one is a warning only.
    type: bool
    default: false
  user:
    description: The service account.
    type: str
  systemd_scope:
    description: Whether the nodes are units of the system, or of the service account that connects.
    type: str
    choices: [system, user]
    default: system
  limit_nofile:
    description: Limit of open files that the units ask for, a number or V(infinity).
    type: raw
    default: 655350
  limit_nproc:
    description: Limit of processes that the units ask for, a number or V(infinity).
    type: raw
    default: 65535
  skip:
    description:
      - Names of checks to leave out.
      - Those from V(connection) on are of checks that compare hosts. This module does not make them and takes their
        names, so that one list can serve all.
    type: list
    elements: str
    default: []
    choices: [address, systemd, account, linger, python, pymysql, jdk, cpu_avx2, cores, memory, open_files,
      process_limit, disk, disk_size, filesystem, paths, ports, processes, metadata, huge_pages, swap, overcommit,
      swappiness, selinux, locale, clock, connection, clock_skew, timezone, names, network, cluster_id]
  fail:
    description: Whether the module fails when a check does. With V(false) that is left to who reads RV(checks).
    type: bool
    default: true
attributes:
  check_mode:
    description: Runs the same way in check mode.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
'''

EXAMPLES = r'''
- name: See whether this host can take a front end
  starrocks.cluster.starrocks_preflight:
    version: 3.5.0
    priority_networks: [10.10.0.0/16]
    user: starrocks
    nodes:
      - kind: fe
        home: /opt/starrocks/fe
        unit: starrocks-fe
        meta_dir: /var/lib/starrocks/fe/meta
        paths: [/opt/starrocks/fe, /var/log/starrocks/fe]
        ports: {http_port: 8030, rpc_port: 9020, query_port: 9030, edit_log_port: 9010}
        heap_size: 8g

- name: Look at a host without failing
  starrocks.cluster.starrocks_preflight:
    version: 3.5.0
    fail: false
    skip: [cpu_avx2]
    nodes:
      - kind: be
        home: /opt/starrocks/be
        unit: starrocks-be
        storage_paths: [/data1, /data2]
        ports: {be_port: 9060, be_http_port: 8040, heartbeat_service_port: 9050, brpc_port: 8060}
'''

RETURN = r'''
checks:
  description:
    - The checks, in a fixed order. One name can come more than once, for several ports for example.
    - Of a failed run those that are not V(ok).
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the check.
      type: str
    status:
      description: V(ok), V(warning) or V(failure).
      type: str
    found:
      description: What the host has.
      type: str
    needed:
      description: What it should have.
      type: str
    fix:
      description: How to mend it; empty when there is nothing to mend.
      type: str
  sample:
    - name: jdk
      status: failure
      found: /usr/lib/jvm/java-11-openjdk-amd64 (11.0.21, older than 17)
      needed: Java 17 or newer for StarRocks 3.5.0 (17 recommended)
      fix: Install JDK 17, or set starrocks_java_home to one.
host:
  description: What later steps need to know of the host. Also the fact C(starrocks_host).
  type: dict
  returned: when the task does not fail
  contains:
    checks:
      description: All checks of this run, as RV(checks).
      type: list
      elements: dict
    address:
      description: The address or name that the nodes of this host are known by; null when there is no right one.
      type: str
    ip_address:
      description: >-
        The IP address, the same as RV(host.address) with O(host_type=IP). With O(host_type=FQDN) the one that
        O(priority_networks) or the default route choose; null when they do not.
      type: str
    priority_networks:
      description: What priority_networks must hold for StarRocks to choose the same address.
      type: list
      elements: str
    host_name:
      description: The host's own name.
      type: str
    fqdn:
      description: The canonical name, looked up only with O(host_type=FQDN).
      type: str
    addresses:
      description: All addresses but loopback and link-local ones.
      type: list
      elements: str
    java_home:
      description: The JDK to use; null when no fitting one is there.
      type: str
    java_version:
      description: Its version.
      type: str
    java_major:
      description: Its major version.
      type: int
    jdk_package:
      description: >-
        The package that would bring a fitting JDK, O(jdk_package) if given; null when the distribution is not known to
        have one.
      type: str
    os:
      description: >-
        The operating system: C(id) and C(version) as in C(/etc/os-release), and C(family), which is V(debian),
        V(redhat), V(suse) or V(other).
      type: dict
    account:
      description: C(uid), C(group), C(home) and C(shell) of the service account; null when it is not there.
      type: dict
    nodes:
      description: C(kind) and C(ports) of each of O(nodes).
      type: list
      elements: dict
    metadata:
      description: >-
        The metadata of a front end that is there. C(fe) says whether there is any, C(complete) whether both ROLE and
        VERSION are; C(role), C(name), C(host), C(edit_log_port), C(host_type), C(cluster_id) and C(run_mode) are what
        they say.
      type: dict
    first_start:
      description: Whether the front end was started for the first time and has not joined yet.
      type: bool
    storage_cluster_ids:
      description: The cluster that each storage folder belongs to, by folder, of those that were used already.
      type: dict
    ports_in_use:
      description: Which of the wanted ports are listened on, and by whom.
      type: list
      elements: dict
    processes:
      description: Process id per kind of node, null where it does not run.
      type: dict
    pymysql:
      description: Whether PyMySQL is there for the Python that runs modules.
      type: bool
    memory_bytes:
      description: Memory of the host in bytes.
      type: int
    cores:
      description: Processor cores.
      type: int
    time:
      description: The host's clock, in seconds since 1970.
      type: float
    clock:
      description: >-
        The host's clock against the controller's, C(offset) and C(error) in seconds; null where it was not measured,
        which is on hosts without a front end.
      type: dict
    timezone:
      description: Name of its time zone, V(Europe/Berlin) for example.
      type: str
    utc_offset:
      description: Seconds that its local time is ahead of UTC now.
      type: int
    time_client:
      description: >-
        What keeps its clock: C(name) of the program, and whether the clock is C(synchronised), which is null when that
        cannot be seen; null when no time client runs.
      type: dict
    chrony_installed:
      description: Whether chrony is installed.
      type: bool
ansible_facts:
  description: RV(host) as the fact C(starrocks_host).
  type: dict
  returned: when the task does not fail
  contains:
    starrocks_host:
      description: See RV(host).
      type: dict
'''

import ipaddress
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _preflight, _preflight_facts
from ansible_collections.starrocks.cluster.plugins.module_utils._checks import parse_limit
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import Version

try:
    import pymysql
except ImportError:
    pymysql = None

NODE_OPTIONS = dict(
    kind=dict(type='str', choices=['fe', 'be', 'cn', 'broker'], required=True),
    home=dict(type='path'),
    unit=dict(type='str'),
    ports=dict(type='dict', default={}),
    paths=dict(type='list', elements='path', default=[]),
    storage_paths=dict(type='list', elements='path', default=[]),
    meta_dir=dict(type='path'),
    first_start_file=dict(type='path'),
    heap_size=dict(type='str'),
)

ARGUMENTS = dict(
    nodes=dict(type='list', elements='dict', default=[], options=NODE_OPTIONS),
    version=dict(type='str', required=True),
    host_type=dict(type='str', choices=['IP', 'FQDN'], default='IP'),
    priority_networks=dict(type='list', elements='str', default=[]),
    run_mode=dict(type='str', choices=['shared_nothing', 'shared_data']),
    java_home=dict(type='path'),
    install_jdk=dict(type='bool', default=False),
    jdk_package=dict(type='str'),
    jdk_archive=dict(type='bool', default=False),
    jdk_folders=dict(type='list', elements='path', default=[]),
    install_time_client=dict(type='bool', default=False),
    manage_hosts_file=dict(type='bool', default=False),
    locale=dict(type='str', default='C.UTF-8'),
    release_space_gib=dict(type='float', default=0),
    sql=dict(type='bool', default=False),
    install_pymysql=dict(type='bool', default=False),
    user=dict(type='str'),
    systemd_scope=dict(type='str', choices=['system', 'user'], default='system'),
    limit_nofile=dict(type='raw', default=655350),
    limit_nproc=dict(type='raw', default=65535),
    skip=dict(type='list', elements='str', default=[], choices=list(_preflight.CHECK_NAMES)),
    fail=dict(type='bool', default=True),
)


def clean(params):
    """Return the options with ports and limits as numbers and empty texts as None. ValueError says what is wrong."""
    Version.parse(params['version'])
    for network in params['priority_networks']:
        ipaddress.ip_network(network.strip(), strict=False)
    nodes = []
    for node in params['nodes']:
        ports = {name: int(port) for name, port in node['ports'].items()}
        if node['heap_size']:
            _preflight.parse_heap(node['heap_size'])
        nodes.append(dict(node, ports=ports))
    limits = {name: parse_limit(params[name]) for name in ('limit_nofile', 'limit_nproc')}
    absent = {name: params[name] or None for name in ('java_home', 'jdk_package', 'user')}
    return dict(params, nodes=nodes, **dict(limits, **absent))


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        wishes = clean(module.params)
    except (ValueError, TypeError) as error:
        module.fail_json(msg='The options of starrocks_preflight are not right: %s' % error)
    facts = _preflight_facts.collect(_preflight_facts.Reader(module.run_command), wishes, os.environ)
    facts.update(python=_preflight.python_version(), pymysql=pymysql is not None)
    checks = _preflight.judge(facts, wishes)
    host = dict(_preflight.host_summary(facts, wishes), checks=checks)
    result = dict(changed=False, checks=checks, host=host, ansible_facts={'starrocks_host': host})
    failure = _preflight.failure_text(checks, wishes['version'])
    if failure and wishes['fail']:
        # Not all of the result: what Ansible prints of a failed task would bury the message.
        module.fail_json(msg=failure, checks=[one for one in checks if one['status'] != 'ok'])
    module.exit_json(**result)


if __name__ == '__main__':
    main()
