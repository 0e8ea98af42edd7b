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
  - What a cluster is too old for is refused with the version that has it; nothing is done then.
options:
  nodes:
    description: The compute nodes. One that is named twice, by spelling or by name resolution, is an error.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Address or name of the host. IPv6 addresses need StarRocks 3.3.
        type: str
        required: true
      heartbeat_service_port:
        description: The compute node's C(heartbeat_service_port). By default what O(heartbeat_service_port) says.
        type: int
      warehouse:
        description: The warehouse of this compute node. By default what O(warehouse) says.
        type: str
      blacklisted:
        description: Whether this compute node is blacklisted. By default what O(blacklisted) says.
        type: bool
      previous_start_time:
        description:
          - The C(last_start_time) that was shown before the compute node was restarted.
          - Given, the wait ends only once another one is shown. For up to 20 s a dead process is still shown as alive.
        type: str
  heartbeat_service_port:
    description: The C(heartbeat_service_port) of those of O(nodes) that do not say another.
    type: int
    default: 9050
  state:
    description:
      - V(present) registers what is missing.
      - V(absent) drops what is there. Compute nodes hold no data.
    type: str
    choices: [present, absent]
    default: present
  warehouse:
    description:
      - The warehouse of those of O(nodes) that do not say another. Needs StarRocks 3.3.
      - A compute node that is registered in another one is an error, since StarRocks does not move it.
    type: str
  blacklisted:
    description:
      - Whether the front ends give no queries to those of O(nodes) that do not say otherwise. Needs StarRocks 4.0.
      - Each front end has a list of its own, in memory. The module asks every living one over a connection of its own,
        so all have to be reachable. A front end that restarts starts with an empty list.
      - V(true) is met by an entry of type C(MANUAL). V(false) takes away entries of type C(AUTO) too, which a front end
        makes by itself when it cannot reach a compute node, and makes again if it still cannot.
      - Used with O(state=present). Not given, the lists are not looked at.
    type: bool
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

- name: Give no queries to one of them
  starrocks.cluster.starrocks_compute_node:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes:
      - host: 10.0.0.32
    blacklisted: true

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
  description:
    - The statements that were run, or in check mode would be, without those that only read.
    - A statement about a blacklist stands there once for each front end.
  returned: always
  type: list
  elements: str
  sample: ['ALTER SYSTEM ADD COMPUTE NODE "10.0.0.31:9050", "10.0.0.32:9050"']
nodes:
  description:
    - The rows of SHOW COMPUTE NODES of these compute nodes, in snake_case and typed; unknown values null.
    - In check mode, and without O(wait), a new one has only C(host), C(heartbeat_port), C(alive), C(err_msg) and
      the C(warehouse_name) that was wished.
  returned: always
  type: list
  elements: dict
  sample:
    - compute_node_id: 10005
      host: 10.0.0.31
      heartbeat_port: 9050
      alive: true
      last_start_time: '2026-11-23T03:05:32Z'
      err_msg: ''
      version: 3.5.0-0be11fd
blacklists:
  description: What the front ends have on their lists, one entry for each front end.
  returned: with O(blacklisted) or O(nodes[].blacklisted), unless O(state=absent)
  type: list
  elements: dict
  contains:
    frontend:
      description: C(host:port) of the front end.
      type: str
      returned: always
    entries:
      description:
        - Those of O(nodes) that are on its list, as it was after the module had changed it.
        - Null if it is not known.
      type: list
      elements: dict
      returned: always
      contains:
        node:
          description: C(host:port) of the compute node.
          type: str
          returned: always
        type:
          description: V(MANUAL) or V(AUTO).
          type: str
          returned: always
    error:
      description: Why its list is not known, null if it is. A front end that is not alive is no reason to fail.
      type: str
      returned: always
  sample:
    - frontend: fe1:9030
      entries:
        - node: 10.0.0.32:9050
          type: MANUAL
      error: null
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._node_changes import COMPUTE_NODE
from ansible_collections.starrocks.cluster.plugins.module_utils._node_module import node_arguments, run_nodes
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule, wait_arguments


def main():
    arguments = node_arguments(COMPUTE_NODE, ('warehouse', 'blacklisted', 'previous_start_time'))
    arguments['nodes']['required'] = True
    arguments.update(state=dict(type='str', choices=['present', 'absent'], default='present'))
    arguments.update(wait_arguments())
    SqlModule(arguments).run(lambda module: run_nodes(module, COMPUTE_NODE))


if __name__ == '__main__':
    main()
