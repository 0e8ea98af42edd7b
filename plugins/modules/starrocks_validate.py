#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_validate
short_description: Refuse a wrong inventory before any host is touched
description:
  - Looks at the variables of all hosts in the groups C(starrocks_fe), C(starrocks_be), C(starrocks_cn) and
    C(starrocks_broker), also of those that C(--limit) leaves out, and says all that is wrong with them at once.
  - >-
    Among others: no follower, an even number of them (a warning), two nodes of a kind on one machine, ports that clash
    or differ where they must not, a version or checksum that is none, an archive over plain http without a checksum,
    networks that are none, an empty password for root, a run mode that does not fit, wrong types, unknown variables
    (a warning).
  - An archive on the controller is read where that was not done before, and the parts that hosts need of it are packed.
    One that is cut short, damaged, without the component, with another checksum, or with members that point outside is
    refused.
  - Runs on the controller and connects to no host. Once per play is enough, with C(run_once).
  - Variables of the play and of the task count too. The roles' defaults stand where a host says nothing.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  fail:
    description: Whether the task fails when there are failures. With V(false) that is left to who reads RV(findings).
    type: bool
    default: true
attributes:
  action:
    description: It is an action plugin alone.
    support: full
  check_mode:
    description: Runs the same way in check mode.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
notes:
  - A value that cannot be computed on the controller, since it needs facts of a host for example, is not checked, and a
    warning says so.
seealso:
  - module: starrocks.cluster.starrocks_preflight
'''

EXAMPLES = r'''
- name: Refuse a wrong inventory
  starrocks.cluster.starrocks_validate:
  run_once: true

- name: Only list what is wrong
  starrocks.cluster.starrocks_validate:
    fail: false
  run_once: true
  register: inventory_check
'''

RETURN = r'''
findings:
  description: >-
    All that is wrong, failures first. Warnings are also shown as warnings. A task that fails has all failures in its
    message instead.
  type: list
  elements: dict
  returned: when the task does not fail
  contains:
    severity:
      description: V(failure) or V(warning).
      type: str
    host:
      description: The host, or hosts; empty for the cluster as a whole.
      type: str
    variable:
      description: The variable or group to look at.
      type: str
    message:
      description: What is wrong and what to write instead. Never the value of a secret.
      type: str
  sample:
    - severity: failure
      host: fe2
      variable: starrocks_fe_role
      message: "'folower' is not one of its values. Write follower or observer"
'''
