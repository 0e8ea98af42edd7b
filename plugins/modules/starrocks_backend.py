#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_backend
short_description: Register, drop and decommission back ends of a StarRocks cluster
version_added: 0.1.0
description:
  - Brings a list of back ends to one state, over one connection and with one statement for all of them.
  - Names and addresses are compared through name resolution, because a cluster in IP mode stores the address of a name.
options:
  nodes:
    description: The back ends.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Address or name of the host.
        type: str
        required: true
      heartbeat_service_port:
        description: The back end's C(heartbeat_service_port).
        type: int
        default: 9050
      previous_start_time:
        description:
          - The C(last_start_time) that was shown before the back end was restarted.
          - Given, the wait ends only once another one is shown. For up to 20 s a dead process is still shown as alive.
        type: str
  state:
    description:
      - V(present) registers what is missing, and takes back a decommissioning that is under way.
      - V(absent) drops back ends that hold no tablet.
      - V(decommissioned) has the data moved to other back ends; StarRocks drops each one by itself when it is empty.
    type: str
    choices: [present, absent, decommissioned]
    default: present
  force:
    description: With O(state=absent), drop back ends that hold data too. Data whose only replica is there is lost.
    type: bool
    default: false
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.wait
  - starrocks.cluster.connection.attributes
seealso:
  - module: starrocks.cluster.starrocks_compute_node
  - module: starrocks.cluster.starrocks_cluster_info
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Register three back ends and wait until they are alive
  starrocks.cluster.starrocks_backend:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes:
      - host: 10.0.0.21
      - host: 10.0.0.22
      - host: 10.0.0.23
        heartbeat_service_port: 9051

- name: Move the data of one back end away, which StarRocks then drops
  starrocks.cluster.starrocks_backend:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes:
      - host: 10.0.0.23
        heartbeat_service_port: 9051
    state: decommissioned
    wait_timeout: 7200

- name: Drop a back end that will not come back, with the data on it
  starrocks.cluster.starrocks_backend:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes:
      - host: 10.0.0.22
    state: absent
    force: true
"""

RETURN = r"""
queries:
  description: The statements that were run, or in check mode would be, without those that only read.
  returned: always
  type: list
  elements: str
  sample: ['ALTER SYSTEM ADD BACKEND "10.0.0.21:9050", "10.0.0.22:9050"']
nodes:
  description:
    - The rows of SHOW BACKENDS of these back ends, in snake_case and typed; sizes in bytes, unknown values null.
    - In check mode, and without O(wait), a new back end has only C(host), C(heartbeat_port), C(alive) and C(err_msg).
  returned: always
  type: list
  elements: dict
  sample:
    - backend_id: 10001
      host: 10.0.0.21
      heartbeat_port: 9050
      alive: true
      system_decommissioned: false
      tablet_num: 83
      total_capacity: 214748364800
      last_start_time: '2026-11-23 03:05:32'
      err_msg: ''
      version: 3.5.0-0be11fd
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._changes import BACKEND
from ansible_collections.starrocks.cluster.plugins.module_utils._node_module import node_arguments, run_nodes
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule, wait_arguments


def main():
    arguments = dict(
        nodes=dict(node_arguments(BACKEND, with_start_time=True), required=True),
        state=dict(type='str', choices=['present', 'absent', 'decommissioned'], default='present'),
        force=dict(type='bool', default=False),
    )
    arguments.update(wait_arguments())
    SqlModule(arguments).run(lambda module: run_nodes(module, BACKEND))


if __name__ == '__main__':
    main()
