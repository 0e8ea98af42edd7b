#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_cluster_info
short_description: Tell what a StarRocks cluster consists of and how it is
version_added: 0.1.0
description:
  - Reads the listings of a cluster as typed values, with one statement per listing.
  - Front ends that do not answer are passed over. If the cluster has no leader, a front end's own view is taken.
  - What the account may not see, or the version does not have, is null, and RV(not_read) says why.
options:
  subset:
    description:
      - What to read, and with C(!) before it, what not. V(all) means everything; nothing but names with C(!) means
        everything else.
      - V(frontends), V(backends), V(compute_nodes) and V(brokers) are the nodes, each in one statement. The front ends
        are read in any case, since they tell the leader.
      - V(statistic) and V(unhealthy) are the totals of databases and tablets, and the databases in which tablets are
        not as they should be; both are of one statement.
      - V(disks) are the disks of the back ends, which takes a statement for each back end.
      - V(warehouses) are those of a shared-data cluster of StarRocks 3.3 and later.
      - V(balance) are the settings by which back ends are balanced, and what the scheduler has to do.
    type: list
    elements: str
    default: ['all', '!disks']
  require_answer:
    description:
      - Whether it is an error when no front end answers.
      - A front end that answers with a refusal, such as a wrong password, is an error in any case.
    type: bool
    default: true
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes_read_only
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Look at the cluster
  starrocks.cluster.starrocks_cluster_info:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
  register: cluster

- name: Show the leader
  ansible.builtin.debug:
    msg: "{{ cluster.leader.host }} leads {{ cluster.totals.backends.alive }} living back ends"

- name: Refuse to go on while a back end is down, a replica is missing or versions are mixed
  ansible.builtin.assert:
    that:
      - cluster.backends | rejectattr('alive') | length == 0
      - cluster.unhealthy | length == 0
      - not cluster.mixed_versions

- name: See whether there is a cluster already
  starrocks.cluster.starrocks_cluster_info:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    check_implicit_admin: true
    require_answer: false
    subset: [frontends]
  register: found

- name: Look at the disks
  starrocks.cluster.starrocks_cluster_info:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    subset: [disks]
  register: cluster
"""

RETURN = r"""
answered:
  description: Whether a front end answered.
  returned: always
  type: bool
answered_by:
  description: The front end that was asked in the end, the leader if it could be reached. Null if none answered.
  returned: always
  type: str
  sample: 10.0.0.11:9030
implicit_admin:
  description: Whether C(root) got in with the empty password after O(login_password) had been refused.
  returned: always
  type: bool
leader:
  description: The row of the leader in RV(frontends); null if the cluster has none.
  returned: always
  type: dict
version:
  description: The version of the leader, or without one of a front end that is alive.
  returned: always
  type: str
  sample: 3.5.0-0be11fd
versions:
  description: For each listing of nodes that was read, how many have which version. Brokers tell none.
  returned: always
  type: dict
  sample:
    frontends: {3.5.0-0be11fd: 3}
    backends: {3.5.0-0be11fd: 2, 3.4.4-aec4b4d: 1}
mixed_versions:
  description: Whether RV(versions) has more than one version.
  returned: always
  type: bool
run_mode:
  description: V(shared_nothing) or V(shared_data); null where neither back ends nor compute nodes were read.
  returned: always
  type: str
  sample: shared_nothing
totals:
  description:
    - How many nodes of each kind are registered and alive, and the sums of RV(backends).
    - Null are those whose listing was not read.
  returned: always
  type: dict
  sample:
    frontends: {registered: 3, alive: 3}
    backends: {registered: 3, alive: 2}
    compute_nodes: {registered: 0, alive: 0}
    brokers: {registered: 3, alive: 3}
    tablet_num: 249
    data_used_capacity: 3221225472
    avail_capacity: 639950127104
    total_capacity: 644245094400
    used_pct: 0.67
frontends:
  description:
    - Rows of SHOW FRONTENDS, in snake_case and typed (C(IP) is C(host)). Sizes are in bytes, times in UTC, what is not
      known is null.
    - Null if they were not to be had.
  returned: always
  type: list
  elements: dict
  sample:
    - name: 10.0.0.11_9010_1795403738228
      host: 10.0.0.11
      edit_log_port: 9010
      query_port: 9030
      role: LEADER
      join: true
      alive: true
      start_time: '2026-11-23T03:15:46Z'
      last_heartbeat: '2026-11-23T03:15:49Z'
      err_msg: ''
backends:
  description: Rows of SHOW BACKENDS; null if not asked for or not to be had.
  returned: always
  type: list
  elements: dict
  sample:
    - backend_id: 10002
      host: 10.0.0.21
      heartbeat_port: 9050
      alive: true
      tablet_num: 83
      total_capacity: 214748364800
      used_pct: 0.5
      status: {last_success_report_tablets_time: '2026-11-23T03:10:22Z'}
compute_nodes:
  description: Rows of SHOW COMPUTE NODES; null if not asked for or not to be had.
  returned: always
  type: list
  elements: dict
brokers:
  description: Rows of SHOW BROKER; null if not asked for or not to be had.
  returned: always
  type: list
  elements: dict
statistic:
  description: The totals of SHOW PROC '/statistic', C(db_num) among them; null if not asked for or not to be had.
  returned: always
  type: dict
  sample:
    db_num: 3
    table_num: 7
    tablet_num: 83
    replica_num: 249
    unhealthy_tablet_num: 0
unhealthy:
  description:
    - Databases with tablets that are unhealthy, inconsistent or in an error state, as rows of SHOW PROC '/statistic'.
    - Null if not asked for or not to be had.
  returned: always
  type: list
  elements: dict
  sample:
    - db_id: 10210
      db_name: sales
      tablet_num: 40
      unhealthy_tablet_num: 3
      inconsistent_tablet_num: 0
disks:
  description:
    - The disks of all back ends, with the back end's C(backend_id), C(host) and C(heartbeat_port) in each row.
    - Null if not asked for or not to be had.
  returned: always
  type: list
  elements: dict
  sample:
    - backend_id: 10002
      host: 10.0.0.21
      heartbeat_port: 9050
      root_path: /data/starrocks
      state: ONLINE
      total_capacity: 214748364800
      total_used_pct: 0.5
warehouses:
  description: Rows of SHOW WAREHOUSES; null if not asked for or not to be had.
  returned: always
  type: list
  elements: dict
  sample:
    - id: 0
      name: default_warehouse
      state: AVAILABLE
      node_count: 3
balance:
  description: How back ends are balanced; null if not asked for or not to be had.
  returned: always
  type: dict
  contains:
    settings:
      description: The settings that are switched for an upgrade, as the leader has them.
      type: dict
      sample: {tablet_sched_disable_balance: false, tablet_sched_max_balancing_tablets: 500}
    enabled:
      description: Whether these settings let tablets move between back ends.
      type: bool
    scheduling:
      description: The numbers of SHOW PROC '/cluster_balance'.
      type: dict
      sample: {pending_tablets: 0, running_tablets: 0}
not_answering:
  description: Front ends that were tried in vain, with the reason.
  returned: always
  type: list
  elements: dict
  sample:
    - host: 10.0.0.13:9030
      error: "Can't connect to MySQL server on '10.0.0.13' ([Errno 111] Connection refused)"
not_read:
  description: Subsets that were asked for and could not be read, with the reason.
  returned: always
  type: list
  elements: dict
  sample:
    - subset: warehouses
      reason: only shared-data clusters of StarRocks 3.3 and later have warehouses
queries:
  description: Always empty, since nothing is changed.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.starrocks.cluster.plugins.module_utils import _overview
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import FINAL, ConnectError, SqlError
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import (
    FRONTENDS,
    TABLES,
    TableError,
    disks_table,
    leader_of,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none
from ansible_collections.starrocks.cluster.plugins.module_utils._view import view_of


class NotThere(Exception):
    """A subset that this cluster does not have, with the reason."""


class Reader(object):
    """Reads the subsets of one cluster, each once."""

    def __init__(self, view):
        self.view = view
        self.session = view.session
        self.read_so_far = {} if view.frontends is None else {FRONTENDS.name: view.frontends}
        self.statistics = None
        self.readers = {'statistic': self.statistic, 'unhealthy': self.unhealthy, 'disks': self.disks,
                        'warehouses': self.warehouses, 'balance': self.balance}

    def read(self, name):
        """A subset. Raises SqlError, TableError or NotThere."""
        if name not in self.read_so_far:
            self.read_so_far[name] = self.readers[name]() if name in self.readers else self.view.rows(TABLES[name])
        return self.read_so_far[name]

    def both_statistics(self):
        if self.statistics is None:
            self.statistics = self.session.statistic()
        return self.statistics

    def statistic(self):
        return self.both_statistics()[0]

    def unhealthy(self):
        return _overview.unhealthy_of(self.both_statistics()[1])

    def disks(self):
        disks = []
        for backend in self.read('backends'):
            owner = {key: backend[key] for key in ('backend_id', 'host', 'heartbeat_port')}
            disks += [dict(row, **owner) for row in self.view.rows(disks_table(backend['backend_id']))]
        return disks

    def warehouses(self):
        version = parse_or_none(self.session.version())
        mode = _overview.run_mode_of(self.session.columns, self.session.version())
        if mode == _overview.SHARED_NOTHING or (version and version.line < _overview.WAREHOUSES_SINCE):
            raise NotThere('only shared-data clusters of StarRocks 3.3 and later have warehouses')
        return self.view.rows(TABLES['warehouses'])

    def balance(self):
        return _overview.balance_of(self.session.dicts(_overview.SHOW_BALANCE_SETTINGS),
                                    self.session.dicts(_overview.SHOW_SCHEDULING))


def run(module):
    names, findings = _overview.chosen_subsets(module.params['subset'])
    module.refuse(findings)
    session = module.session
    results = dict.fromkeys(_overview.SUBSETS)
    results.update(answered=False, answered_by=None, implicit_admin=False, leader=None, not_read=[])
    try:
        view = view_of(session)
    except SqlError as error:
        if not isinstance(error, ConnectError):
            session.attempts.append({'host': error.address, 'error': error.words})
        if error.outcome == FINAL or module.params['require_answer']:
            raise Failure(error.message, not_answering=session.attempts)
        return complete(results, session, {})

    not_read = {FRONTENDS.name: str(view.problem)} if view.frontends is None else {}
    leader = leader_of(view.frontends) if view.led and view.frontends else None
    if leader and not session.ask_leader(view.frontends):
        module.module.warn('the leader %s could not be asked itself, so brokers, statistic and balance are as %s sees '
                           'them' % (leader['host'], session.address))
    reader = Reader(view)
    for name in names:
        if name in not_read:
            continue
        try:
            results[name] = reader.read(name)
        except (SqlError, TableError, NotThere) as error:
            # A leader that went away altogether is no matter of one subset.
            if view.led and isinstance(error, SqlError) and error.outcome != FINAL:
                raise
            not_read[name] = str(error)
    if view.frontends is None and all(results[name] is None for name in names):
        raise Failure(not_read[FRONTENDS.name], not_answering=session.attempts)
    results.update(answered=True, frontends=view.frontends, leader=leader, not_read=[
        dict(subset=name, reason=not_read[name]) for name in _overview.SUBSETS if name in not_read])
    return complete(results, session, reader.read_so_far)


def complete(results, session, tables):
    """``results`` with what follows from the ``tables`` that were read and from the ``session``."""
    versions, mixed = _overview.versions_of(tables)
    version = _overview.version_of(tables.get(FRONTENDS.name) or [], results['leader'])
    return dict(
        results, version=version, versions=versions, mixed_versions=mixed, totals=_overview.totals_of(tables),
        run_mode=_overview.run_mode_of(session.columns, version),
        answered_by=session.address if results['answered'] else None, implicit_admin=session.implicit_admin,
        not_answering=session.attempts)


def main():
    SqlModule(dict(
        subset=dict(type='list', elements='str', default=['all', '!disks']),
        require_answer=dict(type='bool', default=True),
    )).run(run)


if __name__ == '__main__':
    main()
