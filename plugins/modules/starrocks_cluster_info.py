#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_cluster_info
short_description: Tell what a StarRocks cluster consists of
version_added: 0.1.0
description:
  - Reads the node listings of a cluster as typed values, with one statement per listing.
  - Front ends that do not answer are passed over. If the cluster has no leader, a front end's own view is taken.
options:
  subset:
    description: The listings to read. The front ends are read in any case, since they tell the leader.
    type: list
    elements: str
    choices: [frontends, backends, compute_nodes, brokers, statistic]
    default: [frontends, backends, compute_nodes, brokers, statistic]
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
    msg: "{{ cluster.leader.host }} leads {{ cluster.backends | length }} back ends"

- name: See whether there is a cluster already
  starrocks.cluster.starrocks_cluster_info:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    check_implicit_admin: true
    require_answer: false
    subset: [frontends]
  register: found
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
frontends:
  description: Rows of SHOW FRONTENDS, in snake_case and typed (C(IP) is C(host)), unknown values null.
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
      err_msg: ''
backends:
  description: Rows of SHOW BACKENDS, sizes in bytes; null if not asked for or not to be had.
  returned: always
  type: list
  elements: dict
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
not_answering:
  description: Front ends that were tried in vain, with the reason.
  returned: always
  type: list
  elements: dict
  sample:
    - host: 10.0.0.13:9030
      error: Can't connect to MySQL server on '10.0.0.13' ([Errno 111] Connection refused)
queries:
  description: Always empty, since nothing is changed.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._connection import (
    FINAL,
    NOT_A_MEMBER,
    ConnectError,
    SqlError,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import (
    FRONTENDS,
    STATISTIC,
    TABLES,
    leader_of,
    read_statistic,
)

SUBSETS = ['frontends', 'backends', 'compute_nodes', 'brokers', 'statistic']

# Seconds to bear a change of leader before the cluster is taken to have none (starrocks.md section 0.3).
PATIENCE = 10.0


def read_frontends(session):
    """``(rows, led)``: the leader's listing and True, or the own view of a front end and False if there is no leader.

    Raises the last SqlError if there is neither.
    """
    try:
        return session.rows(FRONTENDS), True
    except ConnectError:
        raise
    except SqlError as error:
        # One that was dropped has nothing but a stale view to offer.
        if error.outcome == FINAL or error.rule is NOT_A_MEMBER:
            raise
        problem = error
    session.patience = 0
    for dummy in session.options.targets:
        try:
            return session.local_rows(FRONTENDS), False
        except SqlError as error:
            if error.outcome == FINAL:
                raise
            problem = error
    raise problem


def read_table(session, name, led):
    """One listing, typed."""
    table = TABLES[name]
    if table is STATISTIC:
        result = session.read(table.proc)
        return read_statistic(result.columns, result.rows)
    return session.rows(table) if led else session.local_rows(table)


def version_of(frontends, leader):
    """The leader's version, else that of a front end that is alive, else None."""
    shown = [leader] if leader else []
    shown += [row for row in frontends if row['alive']]
    return next((row['version'] for row in shown if row.get('version')), None)


def run(module):
    session = module.session
    session.patience = PATIENCE
    results = dict.fromkeys(SUBSETS)
    results.update(answered=False, answered_by=None, implicit_admin=False, leader=None, version=None)
    try:
        frontends, led = read_frontends(session)
    except SqlError as error:
        if not isinstance(error, ConnectError):
            session.attempts.append({'host': error.address, 'error': error.words})
        if error.outcome == FINAL or module.params['require_answer']:
            raise Failure(error.message, not_answering=session.attempts)
        results['not_answering'] = session.attempts
        return results

    leader = leader_of(frontends) if led else None
    if led and not session.ask_leader(frontends):
        module.module.warn('the leader %s could not be asked itself, so brokers and statistic are as %s sees them'
                           % (leader and leader['host'], session.address))
    for name in module.params['subset']:
        if name == 'frontends':
            continue
        try:
            results[name] = read_table(session, name, led)
        except SqlError as error:
            if led:
                raise
            module.module.warn('without a leader %s could not be read: %s' % (name, error.message))
    results.update(answered=True, answered_by=session.address, implicit_admin=session.implicit_admin, leader=leader,
                   version=version_of(frontends, leader), frontends=frontends, not_answering=session.attempts)
    return results


def main():
    SqlModule(dict(
        subset=dict(type='list', elements='str', choices=SUBSETS, default=SUBSETS),
        require_answer=dict(type='bool', default=True),
    )).run(run)


if __name__ == '__main__':
    main()
