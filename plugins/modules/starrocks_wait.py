#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_wait
short_description: Wait until conditions hold in a StarRocks cluster
version_added: 0.1.0
description:
  - Waits in one process, over one connection, until all conditions hold at the same time. Each look reads a listing
    once, however many conditions are about it.
  - Front ends that do not answer meanwhile are waited for too; a wrong password is an error at once.
options:
  conditions:
    description: What has to hold, all of it at the same time.
    type: list
    elements: dict
    required: true
    suboptions:
      condition:
        description:
          - V(leader) holds when a front end leads; with O(conditions[].host) this one, with O(conditions[].not_host)
            another than this one.
          - V(alive) holds when the nodes are alive, and with O(conditions[].after) started after that time.
          - V(heard) holds when the nodes are alive and have answered a heartbeat since the wait began, or after
            O(conditions[].after). A node that has died is shown alive for up to 20 s, but is not heard of any more.
          - V(version) holds when the nodes are alive and have O(conditions[].version).
          - V(absent) holds when none of O(conditions[].nodes) is registered any more.
          - V(decommissioned) holds when back ends being decommissioned hold no more tablets, or have gone.
          - V(replicas) holds when no tablet is unhealthy or inconsistent.
          - V(scheduling) holds when the leader has no tablets left to repair or to balance.
          - V(image) holds when each living front end has an image of the metadata that holds all that had been written
            when the wait began, or up to O(conditions[].journal_id). Front ends are asked for it at their C(http_port).
        type: str
        choices: [leader, alive, heard, version, absent, decommissioned, replicas, scheduling, image]
        required: true
      kind:
        description: The listing to look at, for V(alive), V(heard), V(version) and V(absent), which need it.
        type: str
        choices: [frontends, backends, compute_nodes, brokers]
      nodes:
        description:
          - Hosts, each as C(host) or C(host:port). The port is the C(edit_log_port), C(heartbeat_service_port) or
            C(broker_ipc_port); without it, all nodes on the host are meant.
          - Without this option all nodes that are registered are meant, and there must be one. V(absent) and
            V(decommissioned) need it.
        type: list
        elements: str
      at_least:
        description: So many of the nodes are enough, for V(alive), V(heard) and V(version).
        type: int
      version:
        description: The version, such as V(3.5.0), or with its commit V(3.5.0-0be11fd).
        type: str
      after:
        description:
          - A time in UTC such as V(2026-11-23T03:05:32Z), as starrocks_cluster_info returns it, for V(alive) and
            V(heard). Take it from the cluster rather than from another host's clock.
        type: str
      host:
        description: The front end that has to lead.
        type: str
      not_host:
        description: The front end that must not lead any more.
        type: str
      journal_id:
        description: The journal entry that the images have to hold, as starrocks_image returns it.
        type: int
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 300
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes_read_only
notes:
  - To wait for a node that was restarted, use V(alive) with O(conditions[].after), or the module of its kind with
    O(ignore:previous_start_time).
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Wait for a leader and three living back ends
  starrocks.cluster.starrocks_wait:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    conditions:
      - condition: leader
      - condition: alive
        kind: backends
        at_least: 3

- name: Wait until all front ends have the new version
  starrocks.cluster.starrocks_wait:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    conditions:
      - condition: version
        kind: frontends
        version: 3.5.0
    timeout: 120

- name: Before the next back end is restarted, see that all answer and that no replica is missing
  starrocks.cluster.starrocks_wait:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    conditions:
      - condition: heard
        kind: backends
      - condition: replicas
    timeout: 1800

- name: Wait until another front end leads
  starrocks.cluster.starrocks_wait:
    login_hosts: [fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    conditions:
      - condition: leader
        not_host: fe1
"""

RETURN = r"""
conditions:
  description: For each condition what it still lacks; empty if it holds.
  returned: always
  type: list
  elements: dict
  contains:
    condition:
      description: The condition.
      type: str
    kind:
      description: The listing that it looks at, null where it looks at none of them.
      type: str
    met:
      description: Whether it holds.
      type: bool
    lacks:
      description: What it lacks, node by node.
      type: list
      elements: str
elapsed:
  description: Seconds that were waited.
  returned: always
  type: int
queries:
  description: Always empty, since nothing is changed.
  returned: always
  type: list
  elements: str
"""

import time

from ansible_collections.starrocks.cluster.plugins.module_utils import _conditions
from ansible_collections.starrocks.cluster.plugins.module_utils._images import pages_for, read_images
from ansible_collections.starrocks.cluster.plugins.module_utils._overview import SHOW_SCHEDULING, scheduling_of
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import Resolver
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import STATISTIC, TABLES


def read_tables(session, names):
    """What _conditions calls tables: each of ``names`` read once."""
    tables = {}
    for name in names:
        if name == _conditions.IMAGES:
            tables[name] = read_images(tables['frontends'], pages_for(session))
        elif name == _conditions.SCHEDULING:
            tables[name] = scheduling_of(session.dicts(SHOW_SCHEDULING))
        elif name == STATISTIC.name:
            session.ask_leader(tables.get('frontends'))
            tables[name] = session.statistic()[0]
        else:
            tables[name] = session.rows(TABLES[name])
    return tables


def run(module):
    resolve = Resolver()
    conditions, findings = _conditions.check_conditions(module.params['conditions'], resolve)
    if module.params['timeout'] < 0:
        findings.append('timeout: %d is not at least 0' % module.params['timeout'])
    module.refuse(findings)
    session = module.session
    names = _conditions.tables_of(conditions)
    started = time.monotonic()

    def read():
        tables = read_tables(session, names)
        conditions[:] = [_conditions.with_beginning(condition, tables) for condition in conditions]
        return tables

    def report(tables):
        """One entry per condition; without tables nothing is known of any."""
        entries = []
        for condition in conditions:
            lacks = _conditions.lacks(condition, tables, resolve) if tables else ['no front end answered']
            entries.append(dict(condition=condition['condition'], kind=condition['kind'], met=not lacks, lacks=lacks))
        return dict(conditions=entries, elapsed=int(time.monotonic() - started))

    def lacks(tables):
        return ['%s%s: %s' % (entry['condition'], ' of %s' % entry['kind'] if entry['kind'] else '', reason)
                for entry in report(tables)['conditions'] for reason in entry['lacks']]

    tables = module.wait_until(read, lacks, 'the conditions did not hold', report, timeout=module.params['timeout'])
    return report(tables)


def main():
    SqlModule(dict(
        conditions=dict(type='list', elements='dict', required=True, options=dict(
            condition=dict(type='str', required=True, choices=[
                'leader', 'alive', 'heard', 'version', 'absent', 'decommissioned', 'replicas', 'scheduling', 'image']),
            kind=dict(type='str', choices=['frontends', 'backends', 'compute_nodes', 'brokers']),
            nodes=dict(type='list', elements='str'),
            at_least=dict(type='int'),
            version=dict(type='str'),
            after=dict(type='str'),
            host=dict(type='str'),
            not_host=dict(type='str'),
            journal_id=dict(type='int'),
        )),
        timeout=dict(type='int', default=300),
    )).run(run)


if __name__ == '__main__':
    main()
