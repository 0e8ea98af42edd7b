#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_preflight_report
short_description: Print what was found on all hosts as one table, and end the run where something failed
description:
  - Puts together what M(starrocks.cluster.starrocks_preflight) found on the hosts of the play (their fact
    C(starrocks_host)), adds the checks that need several hosts, and prints one table, worst first. What was found alike
    on several hosts is one row.
  - >-
    Its own checks are connection (every host was looked at), clock_skew (between front ends; a warning from 1 second, a
    failure from 5), timezone (the same on all nodes) and cluster_id (metadata and storage that are there are of one
    cluster). Those named network and names are what the role common keeps of
    M(starrocks.cluster.starrocks_connectivity).
  - An action that runs on the controller without a connection. It looks at all hosts of the play, so it is run once.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  hosts:
    description: The inventory's hosts by kind, with the keys C(fe), C(be), C(cn) and C(broker).
    type: dict
    required: true
  name:
    description: Name of the cluster, for the headline.
    type: str
    default: starrocks
  skip:
    description: Names of checks to leave out, those of a single host too.
    type: list
    elements: str
    default: []
  fail:
    description: Whether the task fails when a check does.
    type: bool
    default: true
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
seealso:
  - module: starrocks.cluster.starrocks_preflight
  - module: starrocks.cluster.starrocks_connectivity
'''

EXAMPLES = r'''
- name: Look at the host
  starrocks.cluster.starrocks_preflight:
    version: 3.5.0
    fail: false
    nodes:
      - kind: fe
        home: /opt/starrocks/fe
        unit: starrocks-fe
        meta_dir: /var/lib/starrocks/fe/meta
        ports: {http_port: 8030, rpc_port: 9020, query_port: 9030, edit_log_port: 9010}

- name: Say what stands in the way, on all hosts
  starrocks.cluster.starrocks_preflight_report:
    hosts:
      fe: "{{ groups['starrocks_fe'] }}"
    skip: [timezone]
  run_once: true
'''

RETURN = r'''
findings:
  description: What is not well, worst first.
  type: list
  elements: dict
  returned: when the task does not fail
  contains:
    hosts:
      description: Names of the hosts that it is about.
      type: list
      elements: str
    name:
      description: Name of the check.
      type: str
    status:
      description: V(warning) or V(failure).
      type: str
    found:
      description: What there is.
      type: str
    needed:
      description: What there should be.
      type: str
    fix:
      description: How to mend it.
      type: str
  sample:
    - hosts: [fe1, fe3]
      name: clock_skew
      status: failure
      found: >-
        the clock of fe3 is 7.3 s ahead of that of fe1 (± 0.03 s); against the controller's: fe3 +7.3 s, fe1 +0.0 s
      needed: >-
        less than 5 s between front ends, or one does not start (max_bdbje_clock_delta_ms); usual are milliseconds
      fix: >-
        Have a time client (chrony) run on both, with the same servers; the role starrocks.cluster.prerequisites sets
        one up.
counts:
  description: How many C(failures) and C(warnings) the table shows, and how many checks of a host are C(ok).
  type: dict
  returned: always
'''
