#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_plan
short_description: Plan a rolling change of a cluster, print the plan, and refuse what must not be
description:
  - Puts what the cluster says beside what is on the hosts and the version that is wanted, and makes ordered batches of
    nodes of it, each with its reason. Nodes that are at the version already are left out, so that a run after one that
    was cut off goes on where that one stopped.
  - >-
    The order of an upgrade is back ends, compute nodes, front ends, and the front end that leads now last; that of a
    downgrade is one follower alone, the other front ends, the leader, back ends, compute nodes. Brokers come last.
    Never two front ends at once.
  - >-
    Refused are, all at once: a cluster without an answer or a leader, nodes that are dead, not in the inventory or not
    in the cluster, too few followers, unhealthy replicas, a decommission in progress, versions on the wrong side of the
    target, steps that StarRocks forbids, a JDK that is too old, a backup that is not there.
  - An action that runs on the controller without a connection. It looks at all hosts of O(hosts), so it is run once.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  operation:
    description:
      - What is to be done. V(rollback) goes to a release that is kept on the hosts, up or down.
      - V(restart) changes no version.
    type: str
    required: true
    choices: [upgrade, downgrade, rollback, restart]
  version:
    description: The version to go to. Needed for all but V(restart).
    type: str
  cluster:
    description: >-
      What M(starrocks.cluster.starrocks_cluster_info) returned, with the subsets V(frontends), V(backends),
      V(compute_nodes), V(brokers) and V(statistic).
    type: dict
    required: true
  hosts:
    description:
      - The inventory's hosts by kind, with the keys C(fe), C(be), C(cn) and C(broker).
      - >-
        Of each host its fact C(starrocks_host) is read (M(starrocks.cluster.starrocks_preflight)), and its variable
        C(_starrocks_releases), a list with C(kind), C(installed), C(backups) and C(pending) of each node.
    type: dict
    required: true
  begun:
    description: >-
      Batches (with C(kind) and C(hosts)) that a run which was cut off had begun with. That they are down is its work
      then, and no failure, and they come first.
    type: list
    elements: dict
    default: []
  batch:
    description:
      - How many back ends or compute nodes at once, as a number, or as V(25%) of the nodes of a kind (rounded down).
      - One of each kind always goes on serving. With locations, all back ends of a batch are in one of them.
    type: str
    default: '1'
  skip:
    description: Hosts whose dead nodes are left out. A host that lives is refused.
    type: list
    elements: str
    default: []
  kinds:
    description: Only nodes of these kinds; all if empty.
    type: list
    elements: str
    choices: [be, cn, fe, broker]
    default: []
  limit:
    description: Only nodes of these hosts; all if empty.
    type: list
    elements: str
    default: []
  canary:
    description: Whether the first batch of back ends is a single one, and the first batches are marked as canaries.
    type: bool
    default: true
  allow_downtime:
    description: Go on although fewer followers than a majority are alive while a front end is restarted.
    type: bool
    default: false
  allow_unhealthy:
    description: Go on although tablets are unhealthy.
    type: bool
    default: false
  run_mode:
    description: The run mode that the inventory says, to be compared with that of the cluster.
    type: str
  name:
    description: Name of the cluster, for the headline.
    type: str
    default: starrocks
  fail:
    description: Whether the task fails when the plan is refused. With V(false) that is left to who reads RV(plan).
    type: bool
    default: true
  quiet:
    description: Print nothing.
    type: bool
    default: false
attributes:
  action:
    description: It is an action plugin alone.
    support: full
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
seealso:
  - module: starrocks.cluster.starrocks_cluster_info
  - module: starrocks.cluster.starrocks_preflight
  - plugin: starrocks.cluster.next_batch
    plugin_type: filter
'''

EXAMPLES = r'''
- name: Ask the cluster
  starrocks.cluster.starrocks_cluster_info:
    login_hosts: [10.10.0.11]
    login_password: "{{ vault_starrocks_root_password }}"
    subset: [frontends, backends, compute_nodes, brokers, statistic]
  register: cluster
  run_once: true

- name: Plan the upgrade, two back ends at once
  starrocks.cluster.starrocks_plan:
    operation: upgrade
    version: 3.5.7
    cluster: "{{ cluster }}"
    hosts:
      fe: "{{ groups['starrocks_fe'] }}"
      be: "{{ groups['starrocks_be'] }}"
    batch: 2
  run_once: true
  register: rolling
'''

RETURN = r'''
plan:
  description: The plan.
  returned: when the task does not fail
  type: dict
  contains:
    operation:
      description: As O(operation).
      type: str
    target:
      description: As O(version); null for a restart.
      type: str
    direction:
      description: In which order the kinds go, that of an upgrade (V(up)) or of a downgrade (V(down)).
      type: str
    refusals:
      description: >-
        What stands in the way, with C(message), C(why) (the rule that it comes from) and C(statements). With any, there
        are no batches, and the task fails, with all of them in its message.
      type: list
      elements: dict
    warnings:
      description: What is to be known before, as RV(plan.refusals); C(statements) are to be run in SQL by a person.
      type: list
      elements: dict
    from:
      description: Release, kind and hosts of all nodes that change.
      type: dict
      sample: {3.4.10: {be: [be1, be2], fe: [fe1]}}
    batches:
      description: The batches in their order.
      type: list
      elements: dict
      contains:
        kind:
          description: V(fe), V(be), V(cn) or V(broker).
          type: str
        hosts:
          description: Inventory names. A batch of front ends or brokers has one.
          type: list
          elements: str
        canary:
          description: Whether a person may want to look before the next batch.
          type: bool
        leader:
          description: Whether the front end leads.
          type: bool
        resume:
          description: Whether a run that was cut off had begun with these nodes.
          type: bool
        location:
          description: The location of the back ends; empty where they are not told apart by it.
          type: str
        why:
          description: Why here.
          type: str
    done:
      description: Hosts by kind that are at the target and alive.
      type: dict
    skipped:
      description: Hosts by kind that are left out because of O(skip).
      type: dict
    asks:
      description: What is asked of whom.
      type: list
      elements: str
    before:
      description: What is done before the first batch.
      type: list
      elements: str
    after:
      description: What is done after the last batch.
      type: list
      elements: str
lines:
  description: The plan as it was printed.
  returned: when the task does not fail
  type: list
  elements: str
'''
