#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_frontend_config
short_description: Change settings of running StarRocks front ends
version_added: 0.1.0
description:
  - Compares settings with what C(ADMIN SHOW FRONTEND CONFIG) tells, and sets those that differ, each by a statement of
    its own, as the grammar wants it.
  - Names, types and mutability are checked before anything is set, all settings at once, because StarRocks itself
    checks little; it takes C(maybe) for C(false).
  - Settings live in the memory of each front end, and one that restarts has forgotten them. So every living front end
    is asked (see O(compare)), and set whenever one of them differs.
  - A front end that is not alive is named in a warning and in RV(frontends). It starts with what its C(fe.conf)
    says.
options:
  settings:
    description:
      - Settings by name, or by one of their older names (C(AliasNames)).
      - A value is a boolean, a number, a text, or a list where the setting holds one.
      - Values of settings whose name ends like that of a secret, such as C(_password), C(_pwd), C(_secret) or
        C(_token), are hidden in all that is returned or written into the host's log.
    type: dict
    required: true
  persistent:
    description:
      - Have each front end write the settings that are set into its C(fe.conf) as well (StarRocks 3.5 and later).
      - StarRocks writes that file before it looks at the value. The module sets each value in memory first, and has
        it written only once it was taken. If then it may not be written (StarRocks refuses it in containers and where
        the file is read-only), the former value is set again and the task fails.
      - What C(fe.conf) holds cannot be seen over SQL. A setting that has its value in memory already is left alone, and
        whether C(fe.conf) has it too stays unknown; see O(force).
      - Where the roles of this collection write C(fe.conf), use C(starrocks_fe_config) instead; they would take the
        line out again.
    type: bool
    default: false
  force:
    description:
      - Set also what has its value already, which with O(persistent=true) has it written into C(fe.conf). Each call
        then reports a change.
    type: bool
    default: false
  immutable:
    description:
      - What to do where a setting that differs takes its value only at the start of a front end.
      - V(fail) refuses the whole call; V(report) sets the others, and names it in RV(restart_required).
    type: str
    choices: [fail, report]
    default: fail
  compare:
    description:
      - V(all) compares with every living front end, at the price of C(SHOW FRONTENDS) and of one connection and one
        statement to each of them. All must be reachable from where the module runs, and take the same login.
      - V(one) compares with the first front end of O(login_hosts) that answers, by a single statement. Others may have
        other values.
      - StarRocks sets a value on all front ends either way.
    type: str
    choices: [all, one]
    default: all
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes
seealso:
  - module: starrocks.cluster.starrocks_backend_config
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Switch balancing off, and let a replica be missing for an hour before it is made anew
  starrocks.cluster.starrocks_frontend_config:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    settings:
      tablet_sched_disable_balance: true
      tablet_sched_disable_colocate_balance: true
      tablet_sched_repair_delay_factor_second: 3600

- name: Set what can be set without a restart, and tell the rest
  starrocks.cluster.starrocks_frontend_config:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    settings:
      max_routine_load_task_num_per_be: 32
      heartbeat_mgr_threads_num: 16
    immutable: report
  register: settings

- name: Keep a setting over restarts
  starrocks.cluster.starrocks_frontend_config:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    settings:
      qe_slow_log_ms: 3000
    persistent: true
"""

RETURN = r"""
queries:
  description:
    - The statements that were run, or in check mode would be, without those that only read.
    - With O(persistent=true) there are two of each, see there.
  returned: always
  type: list
  elements: str
  sample: ['ADMIN SET FRONTEND CONFIG ("tablet_sched_disable_balance" = "true")']
restart_required:
  description: Settings that differ and take another value only with a restart, by name.
  returned: when the settings could be compared
  type: list
  elements: str
  sample: [heartbeat_mgr_threads_num]
frontends:
  description:
    - Each front end with the values of these settings as it showed them last, typed, and under their present names; in
      check mode as they would be.
    - Also returned by a failure, as far as the front ends could be asked.
  returned: when the settings could be compared
  type: list
  elements: dict
  contains:
    host:
      description: Its address or name, as StarRocks shows it; with O(compare=one) as in O(login_hosts).
      type: str
    query_port:
      description: Its C(query_port), null where not known.
      type: int
    alive:
      description: Whether the cluster shows it as alive.
      type: bool
    version:
      description: Its version, null where not known.
      type: str
    settings:
      description: The values, null where they are not known.
      type: dict
    error:
      description: Why they are not known, else null.
      type: str
  sample:
    - host: 10.0.0.11
      query_port: 9030
      alive: true
      version: 3.5.0-0be11fd
      settings:
        tablet_sched_disable_balance: true
      error: null
    - host: 10.0.0.12
      query_port: 9030
      alive: false
      version: 3.5.0-0be11fd
      settings: null
      error: 'it is not alive (ErrMsg: got exception)'
"""

import re

from ansible_collections.starrocks.cluster.plugins.module_utils import _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import Feature, version_lacks
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import (
    FINAL,
    SET_IN_PART,
    SqlError,
    StatementError,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._live_settings import (
    FORBIDDEN_IN_FILE,
    FRONTEND,
    NodeSettings,
    common_text,
    discreet_settings,
    frontend_settings,
    read_when_told,
    set_frontend_config,
    settle,
    start,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import split_host_port
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS

# Answered by the front end that is asked, from its own memory, in every version (fe-core ShowStmt is not forwarded).
SHOW_SETTINGS = 'ADMIN SHOW FRONTEND CONFIG'
# Section 2.2.
PERSISTENT = Feature('WITH PERSISTENT', '3.5.0', 'leave persistent out, and write fe.conf by other means')
# In the words of an error: the front ends on which a value was not set (section 3.5).
NOT_REACHED = re.compile(r'set config for fe\[([^\]]*)\] failed')


def look(session, row):
    """The NodeSettings of the front end with this row of SHOW FRONTENDS."""
    shown = {column: row[column] for column in ('host', 'query_port', 'alive', 'version')}
    if not row['alive']:
        return NodeSettings('front end', row['host'], shown, None, 'it is not alive' + _wait.said(row))
    try:
        with session.beside((row['host'], row['query_port'])) as beside:
            return NodeSettings('front end', row['host'], shown, frontend_settings(beside.dicts(SHOW_SETTINGS)))
    except SqlError as error:
        return NodeSettings('front end', row['host'], shown, None, 'it is shown alive, but %s' % error)


def look_at_one(session):
    settings = frontend_settings(session.dicts(SHOW_SETTINGS))
    host, port = split_host_port(session.address, None)
    row = dict(host=host, query_port=port, alive=True, version=session.version())
    return NodeSettings('front end', host, row, settings)


def read_all(session):
    """The NodeSettings of every front end; a dead one that is still shown alive is waited for to be shown dead."""
    return read_when_told(lambda: [look(session, row) for row in session.rows(FRONTENDS)],
                          '. compare: one does without the others')


def refuse_persistent(nodes):
    """End the module if a front end is too old to write its fe.conf."""
    reasons = ['front end %s: %s' % (node.address, reason) for node in nodes if node.settings is not None
               for reason in version_lacks(node.row['version'], [PERSISTENT])]
    if reasons:
        raise Failure('. '.join(reasons))


class Settings(object):
    """The settings of the front ends in one module call: read, set, taken back where one is refused half-way."""

    def __init__(self, module):
        self.module = module
        self.session = module.session
        self.persistent = module.params['persistent']
        # What StarRocks said of front ends that it did not reach, and those of them whose fe.conf it did not write.
        self.told = []
        self.unwritten = set()
        self._known = []
        # Statement that writes fe.conf -> (name, the text before, None where the front ends differed).
        self._former = {}

    def read(self):
        session = self.session
        nodes = read_all(session) if self.module.params['compare'] == 'all' else [look_at_one(session)]
        if self.persistent:
            refuse_persistent(nodes)
        self._known = [node for node in nodes if node.settings is not None]
        return nodes

    def statements_of(self, pending):
        statement = set_frontend_config(pending.name, pending.text)
        if not self.persistent:
            return [statement]
        # In memory first: a value that the front end refuses must not have been written into fe.conf by then.
        written = set_frontend_config(pending.name, pending.text, persistent=True)
        self._former[written] = (pending.name, common_text(pending.name, self._known))
        return [statement, written]

    def run(self, statement):
        try:
            self.session.change(statement)
        except StatementError as error:
            if error.rule is not SET_IN_PART:
                if error.outcome == FINAL and statement in self._former:
                    self._take_back(*self._former[statement])
                raise
            # Set on those that could be reached: what is left is seen when they are asked again.
            if error.words not in self.told:
                self.told.append(error.words)
            if statement in self._former:
                self.unwritten.update(NOT_REACHED.findall(error.words))

    def _take_back(self, name, text):
        """Undo the last statement: what is in memory alone would look like done to the next run."""
        if text is None:
            return
        statement = set_frontend_config(name, text)
        try:
            self.session.change(statement)
        except SqlError as error:
            self.module.module.warn('%s could not be taken back after this: %s' % (name, error))
        else:
            self.module.changed = len(self.module.queries) > 1
            self.module.queries.append(statement)


def run(module):
    params = module.params
    start(module, FRONTEND, FORBIDDEN_IN_FILE if params['persistent'] else ())
    settings = Settings(module)
    result = settle(module, FRONTEND, 'frontends', settings.read, settings.statements_of, settings.run, settings.told)
    said = 'StarRocks said: %s' % '; '.join(settings.told)
    if settings.told and params['compare'] == 'one':
        module.module.warn('the settings were not set on every front end. %s' % said)
    # Of what fe.conf holds nothing is seen when the settings are compared.
    lacking = settings.unwritten - {row['host'] for row in result['frontends'] if row['error']}
    if lacking:
        raise Failure('fe.conf was not written on %s. %s' % (', '.join(sorted(lacking)), said),
                      frontends=result['frontends'], restart_required=result['restart_required'])
    return result


def main():
    SqlModule(dict(
        settings=dict(type='dict', required=True),
        persistent=dict(type='bool', default=False),
        force=dict(type='bool', default=False),
        immutable=dict(type='str', choices=['fail', 'report'], default='fail'),
        compare=dict(type='str', choices=['all', 'one'], default='all'),
    ), discreet=dict(settings=discreet_settings)).run(run)


if __name__ == '__main__':
    main()
