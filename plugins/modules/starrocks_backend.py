#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_backend
short_description: Register, drop, decommission and label back ends of a StarRocks cluster
version_added: 0.1.0
description:
  - Brings a list of back ends to one state, over one connection and with one statement for all of them.
  - Names and addresses are compared through name resolution, because a cluster in IP mode stores the address of a name.
  - What a cluster is too old for is refused with the version that has it; nothing is done then.
options:
  nodes:
    description: The back ends. One that is named twice, by spelling or by name resolution, is an error.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Address or name of the host. IPv6 addresses need StarRocks 3.3.
        type: str
        required: true
      heartbeat_service_port:
        description: The back end's C(heartbeat_service_port). By default what O(heartbeat_service_port) says.
        type: int
      location:
        description: The location label of this back end. By default what O(location) says.
        type: str
      warehouse:
        description: The warehouse of this back end. By default what O(warehouse) says.
        type: str
      blacklisted:
        description: Whether this back end is blacklisted. By default what O(blacklisted) says.
        type: bool
      renamed_from:
        description:
          - The host by which the back end may still be registered. Where it is, it is renamed to O(nodes[].host).
          - StarRocks does not change one IPv4 address to another, and renames nothing in shared-data mode.
          - Of several back ends on one host StarRocks does not say which one it renames, so they have to be renamed
            together.
          - Used with O(state=present). A back end that is registered by neither host is an error.
        type: str
      disks:
        description:
          - States of single disks, as far as they matter. Used with O(state=present).
          - StarRocks has the statements since 3.1, but only its Enterprise Edition carries them out; other builds
            answer "not support".
        type: list
        elements: dict
        suboptions:
          path:
            description: The disk's root path, as in C(storage_root_path) and in C(SHOW PROC '/backends/<id>').
            type: str
            required: true
          state:
            description:
              - V(decommissioned) has its data moved to other disks, in the background.
              - V(disabled) drops what is on it. With data on it that needs O(force=true).
              - V(online) takes either back.
            type: str
            required: true
            choices: [decommissioned, disabled, online]
      previous_start_time:
        description:
          - The C(last_start_time) that was shown before the back end was restarted.
          - Given, the wait ends only once another one is shown. For up to 20 s a dead process is still shown as alive.
        type: str
  heartbeat_service_port:
    description: The C(heartbeat_service_port) of those of O(nodes) that do not say another.
    type: int
    default: 9050
  state:
    description:
      - V(present) registers what is missing, and takes back a decommissioning that is under way.
      - V(absent) drops back ends that hold no tablet.
      - V(decommissioned) has the data moved to other back ends; StarRocks drops each one by itself when it is empty.
        What does not fit on the others is refused by StarRocks, which check mode cannot foresee. With O(wait=false) the
        data moves on in the background; RV(tablets_left) says how much is left.
    type: str
    choices: [present, absent, decommissioned]
    default: present
  force:
    description:
      - With O(state=absent), drop back ends that hold data too. Data whose only replica is there is lost.
      - With O(nodes[].disks), disable disks that hold data too.
    type: bool
    default: false
  location:
    description:
      - The location label of those of O(nodes) that do not say another, such as V(rack:r1), by which StarRocks keeps
        replicas apart. Small letters, digits and underscores around one colon; an empty text takes it away.
      - Used with O(state=present). Not given, labels stay as they are. Needs StarRocks 3.2.8.
    type: str
  warehouse:
    description:
      - The warehouse of those of O(nodes) that do not say another. Needs StarRocks 3.3.
      - A back end that is registered in another one is an error, since StarRocks does not move it.
    type: str
  blacklisted:
    description:
      - Whether the front ends give no queries to those of O(nodes) that do not say otherwise. Needs StarRocks 3.3.
      - Each front end has a list of its own, in memory. The module asks every living one over a connection of its own,
        so all have to be reachable. A front end that restarts starts with an empty list.
      - V(true) is met by an entry of type C(MANUAL). V(false) takes away entries of type C(AUTO) too, which a front end
        makes by itself when it cannot reach a back end, and makes again if it still cannot.
      - Used with O(state=present) and O(state=decommissioned). Not given, the lists are not looked at.
    type: bool
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

- name: Label them by their racks
  starrocks.cluster.starrocks_backend:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    location: rack:r1
    nodes:
      - host: 10.0.0.21
      - host: 10.0.0.22
      - host: 10.0.0.23
        heartbeat_service_port: 9051
        location: rack:r2

- name: Give no queries to a back end that is about to be looked after
  starrocks.cluster.starrocks_backend:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes:
      - host: 10.0.0.21
    blacklisted: true

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
  description:
    - The statements that were run, or in check mode would be, without those that only read.
    - A statement about a blacklist stands there once for each front end.
  returned: always
  type: list
  elements: str
  sample: ['ALTER SYSTEM ADD BACKEND "10.0.0.21:9050", "10.0.0.22:9050"']
nodes:
  description:
    - The rows of SHOW BACKENDS of these back ends, in snake_case and typed; sizes in bytes, unknown values null.
    - In check mode, and without O(wait), a new back end has only C(host), C(heartbeat_port), C(alive), C(err_msg), and
      the location and C(warehouse_name) that were wished.
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
      last_start_time: '2026-11-23T03:05:32Z'
      err_msg: ''
      version: 3.5.0-0be11fd
      location: rack:r1
tablets_left:
  description: How many tablets each back end still holds, by C(host:port); 0 for one that is not registered any more.
  returned: with O(state=decommissioned)
  type: dict
  sample:
    10.0.0.23:9051: 0
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
          description: C(host:port) of the back end.
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
        - node: 10.0.0.21:9050
          type: MANUAL
      error: null
disks:
  description: The disks that O(nodes[].disks) names, as rows of C(SHOW PROC '/backends/<id>'), in snake_case and typed.
  returned: with O(nodes[].disks) and O(state=present)
  type: list
  elements: dict
  sample:
    - node: 10.0.0.21:9050
      root_path: /data1/starrocks
      state: DECOMMISSIONED
      tablet_num: 12
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._node_changes import BACKEND
from ansible_collections.starrocks.cluster.plugins.module_utils._node_module import node_arguments, run_nodes
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule, wait_arguments


def main():
    arguments = node_arguments(
        BACKEND, ('location', 'warehouse', 'blacklisted', 'renamed_from', 'disks', 'previous_start_time'))
    arguments['nodes']['required'] = True
    arguments.update(
        state=dict(type='str', choices=['present', 'absent', 'decommissioned'], default='present'),
        force=dict(type='bool', default=False),
    )
    arguments.update(wait_arguments())
    SqlModule(arguments).run(lambda module: run_nodes(module, BACKEND))


if __name__ == '__main__':
    main()
