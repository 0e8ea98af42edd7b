#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_report
short_description: Print what is running where, as one table
description:
  - Puts what the cluster says beside what the inventory asks for, and prints one aligned table with a line of totals.
  - An action that runs on the controller without a connection.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  cluster:
    description: What M(starrocks.cluster.starrocks_cluster_info) returned.
    type: dict
    required: true
  hosts:
    description: The inventory's hosts by kind, with the keys C(fe), C(be), C(cn) and C(broker).
    type: dict
    required: true
  name:
    description: Name of the cluster, for the headline.
    type: str
    default: starrocks
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
'''

EXAMPLES = r'''
- name: Ask the cluster
  starrocks.cluster.starrocks_cluster_info:
    login_hosts: [10.10.0.11]
    login_password: "{{ vault_starrocks_root_password }}"
  register: cluster

- name: Print it
  starrocks.cluster.starrocks_report:
    cluster: "{{ cluster }}"
    hosts:
      fe: "{{ groups['starrocks_fe'] }}"
      be: "{{ groups['starrocks_be'] }}"
'''

RETURN = r'''
lines:
  description: The lines that were printed.
  type: list
  elements: str
  returned: always
'''
