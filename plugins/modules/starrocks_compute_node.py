#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_compute_node
short_description: Register and drop compute nodes of a StarRocks cluster
version_added: 0.1.0
description:
  - Brings a list of compute nodes to one state, over one connection and with one statement for all of them.
  - Names and addresses are compared through name resolution, because a cluster in IP mode stores the address of a name.
options:
  nodes:
    description: The compute nodes.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Address or name of the host.
        type: str
        required: true
      heartbeat_service_port:
        description: The compute node's C(heartbeat_service_port).
        type: int
        default: 9050
      previous_start_time:
        description:
          - The C(last_start_time) that was shown before the compute node was restarted.
          - Given, the wait ends only once another one is shown. For up to 20 s a dead process is still shown as alive.
        type: str
  state:
    description:
      - V(present) registers what is missing.
      - V(absent) drops what is there. Compute nodes hold no data.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.wait
  - starrocks.cluster.connection.attributes
seealso:
  - module: starrocks.cluster.starrocks_backend
  - module: starrocks.cluster.starrocks_cluster_info
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Register two compute nodes and wait until they are alive
  starrocks.cluster.starrocks_compute_node:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes:
      - host: 10.0.0.31
      - host: 10.0.0.32

- name: Drop one
  starrocks.cluster.starrocks_compute_node:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes:
      - host: 10.0.0.32
    state: absent
"""

RETURN = r"""
queries:
  description: The statements that were run, or in check mode would be, without those that only read.
  returned: always
  type: list
  elements: str
  sample: ['ALTER SYSTEM ADD COMPUTE NODE "10.0.0.31:9050", "10.0.0.32:9050"']
nodes:
  description:
    - The rows of SHOW COMPUTE NODES of these compute nodes, in snake_case and typed; unknown values null.
    - In check mode, and without O(wait), a new one has only C(host), C(heartbeat_port), C(alive) and C(err_msg).
  returned: always
  type: list
  elements: dict
  sample:
    - compute_node_id: 10005
      host: 10.0.0.31
      heartbeat_port: 9050
      alive: true
      last_start_time: '2026-11-23 03:05:32'
      err_msg: ''
      version: 3.5.0-0be11fd
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._changes import COMPUTE_NODE
from ansible_collections.starrocks.cluster.plugins.module_utils._node_module import node_arguments, run_nodes
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule, wait_arguments


def main():
    arguments = dict(
        nodes=dict(node_arguments(COMPUTE_NODE, with_start_time=True), required=True),
        state=dict(type='str', choices=['present', 'absent'], default='present'),
    )
    arguments.update(wait_arguments())
    SqlModule(arguments).run(lambda module: run_nodes(module, COMPUTE_NODE))


if __name__ == '__main__':
    main()
