#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_broker
short_description: Register and drop brokers of a StarRocks cluster
version_added: 0.1.0
description:
  - Brings a list of brokers under one name to one state, over one connection and with one statement for all of them.
  - Names and addresses are compared through name resolution. StarRocks itself stores a broker's host as it is given.
options:
  name:
    description: The broker name, under which jobs use any of its brokers.
    type: str
    required: true
  nodes:
    description:
      - The brokers. One that is named twice, by spelling or by name resolution, is an error.
      - Needed with O(state=present). Without it, O(state=absent) drops all brokers of the name.
    type: list
    elements: dict
    suboptions:
      host:
        description: Address or name of the host.
        type: str
        required: true
      broker_ipc_port:
        description: The broker's C(broker_ipc_port). By default what O(broker_ipc_port) says.
        type: int
  broker_ipc_port:
    description: The C(broker_ipc_port) of those of O(nodes) that do not say another.
    type: int
    default: 8000
  state:
    description:
      - V(present) registers what is missing. Other brokers of the name stay.
      - V(absent) drops what is there, and the name with its last broker.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.wait
  - starrocks.cluster.connection.attributes
seealso:
  - module: starrocks.cluster.starrocks_cluster_info
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Register a broker on two hosts and wait until both are alive
  starrocks.cluster.starrocks_broker:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    name: broker1
    nodes:
      - host: 10.0.0.21
      - host: 10.0.0.22

- name: Drop all brokers of a name
  starrocks.cluster.starrocks_broker:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    name: broker1
    state: absent
"""

RETURN = r"""
queries:
  description: The statements that were run, or in check mode would be, without those that only read.
  returned: always
  type: list
  elements: str
  sample: ['ALTER SYSTEM ADD BROKER "broker1" "10.0.0.21:8000", "10.0.0.22:8000"']
nodes:
  description:
    - The rows of SHOW BROKER of these brokers, in snake_case and typed; unknown values null.
    - In check mode, and without O(wait), a new one has only C(name), C(host), C(port), C(alive) and C(err_msg).
  returned: always
  type: list
  elements: dict
  sample:
    - name: broker1
      host: 10.0.0.21
      port: 8000
      alive: true
      last_start_time: '2026-11-23T03:01:11Z'
      last_update_time: '2026-11-23T03:01:31Z'
      err_msg: ''
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._node_changes import BROKER
from ansible_collections.starrocks.cluster.plugins.module_utils._node_module import node_arguments, run_nodes
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule, wait_arguments


def run(module):
    name = module.params['name']
    findings = [] if name.strip() and '\0' not in name else ['name: a broker needs a name']
    return run_nodes(module, BROKER, name=name, findings=findings)


def main():
    arguments = node_arguments(BROKER)
    arguments.update(
        name=dict(type='str', required=True),
        state=dict(type='str', choices=['present', 'absent'], default='present'),
    )
    arguments.update(wait_arguments())
    SqlModule(arguments, required_if=[('state', 'present', ('nodes',))]).run(run)


if __name__ == '__main__':
    main()
