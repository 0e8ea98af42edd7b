#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_wait
short_description: Wait until conditions hold in a StarRocks cluster
version_added: 0.1.0
description:
  - Waits in one process, over one connection, until all conditions hold at the same time.
  - Front ends that do not answer meanwhile are waited for too; a wrong password is an error at once.
options:
  conditions:
    description: What has to hold.
    type: list
    elements: dict
    required: true
    suboptions:
      condition:
        description:
          - V(leader) holds when a front end leads.
          - V(alive) holds when the nodes are alive.
          - V(version) holds when the nodes are alive and have O(conditions[].version).
        type: str
        choices: [leader, alive, version]
        required: true
      kind:
        description: The listing to look at, for V(alive) and V(version).
        type: str
        choices: [frontends, backends, compute_nodes, brokers]
      nodes:
        description:
          - Hosts, each as C(host) or C(host:port). The port is the C(edit_log_port), C(heartbeat_service_port) or
            C(broker_ipc_port); without it, all nodes on the host are meant.
          - Without this option all nodes that are registered are meant, and there must be one.
        type: list
        elements: str
      at_least:
        description: So many of the nodes are enough.
        type: int
      version:
        description: The version, such as V(3.5.0), or with its commit V(3.5.0-0be11fd).
        type: str
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 300
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes_read_only
notes:
  - For up to 20 s after its death a node is still shown as alive. To wait for one that was restarted, use the module of
    its kind with O(ignore:previous_start_time).
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
      description: The listing that it looks at.
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

from ansible_collections.starrocks.cluster.plugins.module_utils import _sql_address, _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS, TABLES


def checked(condition):
    """``condition`` with its nodes as (host, port or None)."""
    nodes = condition['nodes']
    if nodes is not None:
        if not nodes:
            raise Failure('conditions: nodes is empty; leave it out to mean all that are registered')
        try:
            nodes = [split(text) for text in nodes]
        except ValueError as error:
            raise Failure('conditions: nodes: %s' % error)
    return dict(condition, nodes=nodes)


def split(text):
    """``(host, port or None)`` of ``host`` or ``host:port``."""
    bare = _sql_address.is_address(text) or ':' not in text
    return (_sql_address.check_host(text), None) if bare else _sql_address.split_host_port(text, 0)


def run(module):
    session = module.session
    conditions = [checked(condition) for condition in module.params['conditions']]
    if not conditions:
        raise Failure('conditions is empty: name at least one')
    names = sorted({condition['kind'] or FRONTENDS.name for condition in conditions})
    started = time.monotonic()

    def read():
        return {name: session.rows(TABLES[name]) for name in names}

    def report(tables):
        """One entry per condition; without tables nothing is known of any."""
        entries = []
        for condition in conditions:
            lacks = _wait.condition_lacks(condition, tables, session.resolve) if tables else ['no front end answered']
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
            condition=dict(type='str', choices=['leader', 'alive', 'version'], required=True),
            kind=dict(type='str', choices=['frontends', 'backends', 'compute_nodes', 'brokers']),
            nodes=dict(type='list', elements='str'),
            at_least=dict(type='int'),
            version=dict(type='str'),
        ), required_if=[
            ('condition', 'alive', ('kind',)),
            ('condition', 'version', ('kind', 'version')),
        ]),
        timeout=dict(type='int', default=300),
    )).run(run)


if __name__ == '__main__':
    main()
