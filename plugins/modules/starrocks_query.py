#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_query
short_description: Run statements on a StarRocks cluster
version_added: 0.1.0
description:
  - Runs statements one after the other over one connection, and returns their rows with names and types.
  - Statements that only read (C(SELECT), C(SHOW), C(ADMIN SHOW), C(EXPLAIN), session C(SET) and their like) report no
    change and run in check mode too. All others report a change, and in check mode are not run.
  - When the connection is lost, statements that only read are tried again, unless C(USE), C(SET) or the like went
    before, of which another connection would not know.
options:
  query:
    description:
      - The statement, or a list of them. Each entry holds one statement.
      - Passwords, secret keys and the like in it are hidden in all that is returned or written into the host's log, and
        so are arguments that are put where such a secret stands, as in C(IDENTIFIED BY %s).
    type: list
    elements: str
    required: true
  positional_args:
    description:
      - Values for C(%s) in O(query), in the order in which these stand there; with several statements the first takes
        as many as it needs, and so on.
      - They are quoted as needed, so C(%s) stands without quotes. Text, numbers, booleans and null are taken, and lists
        of them, which become C((1, 2)) for C(IN %s). Names of tables and columns cannot be given so.
      - A literal percent sign is then written C(%%).
    type: list
    elements: raw
  named_args:
    description:
      - Values for C(%(name\)s) in O(query), otherwise like O(positional_args).
    type: dict
  read_only:
    description:
      - Whether the statements change nothing. V(auto) finds it out from the words of each statement, and takes what it
        does not know for a change.
      - V(true) says that none of them changes anything, so that they run in check mode too and report no change. Not
        taken for statements that do beyond doubt, such as C(DROP).
      - V(false) says that all of them may change something.
    type: str
    choices: [auto, 'true', 'false']
    default: auto
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes_read_only
attributes:
  check_mode:
    description: Statements that only read are run in check mode; the others are reported and not run.
seealso:
  - module: starrocks.cluster.starrocks_cluster_info
    description: The listings of nodes, with numbers as numbers and sizes in bytes.
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: List the databases
  starrocks.cluster.starrocks_query:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    query: SHOW DATABASES
  register: databases

- name: Tell their names
  ansible.builtin.debug:
    msg: "{{ databases.rows | map(attribute='Database') | join(', ') }}"

- name: Create a database
  starrocks.cluster.starrocks_query:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    query: CREATE DATABASE IF NOT EXISTS example

- name: Look for databases and settings by name
  starrocks.cluster.starrocks_query:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    query:
      - SHOW DATABASES LIKE %s
      - ADMIN SHOW FRONTEND CONFIG LIKE %s
    positional_args: [example, tablet_sched_disable_balance]
"""

RETURN = r"""
rows:
  description: The rows of the last statement that was run, each a dict by column name.
  returned: always
  type: list
  elements: dict
  sample:
    - Database: example
results:
  description: What each statement that was run returned. If one fails, those before it are here.
  returned: always
  type: list
  elements: dict
  contains:
    query:
      description: The statement, without its arguments, secrets hidden.
      type: str
    columns:
      description: >-
        Names of the columns in their order; empty for a statement without rows. A name that comes again has a number
        added (C(id), C(id_2)).
      type: list
      elements: str
    types:
      description: Column name to SQL type as StarRocks tells clients, which is C(varchar) for all listings.
      type: dict
    rows:
      description: >-
        Its rows, each a dict by column name. Integers and floating point numbers stay numbers, NULL is null. Decimals,
        dates and times are text as StarRocks prints them. Binary values that are no UTF-8 text are C(0x) and
        hexadecimal digits.
      type: list
      elements: dict
    affected_rows:
      description: Rows that it returned or changed.
      type: int
  sample:
    - query: SHOW DATABASES LIKE %s
      columns: [Database]
      types:
        Database: varchar
      rows:
        - Database: example
      affected_rows: 1
queries:
  description: The statements that were run, or in check mode would be, without their arguments, secrets hidden.
  returned: always
  type: list
  elements: str
  sample: [SHOW DATABASES LIKE %s]
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._connection import AGAIN, SqlError
from ansible_collections.starrocks.cluster.plugins.module_utils._query import (
    AUTO,
    discreet_named,
    discreet_positional,
    discreet_query,
    is_harmless,
    read_questions,
    secrets_in,
    shown_result,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import hide_secrets, sets_session


def _doubts(error, harmless, bound):
    """What else there is to say after ``error``."""
    if error.outcome != AGAIN:
        return ''
    return ('' if harmless else ' It is not known whether the statement was done.') + (
        ' It was not tried again: the statements before it hold for the lost connection alone.' if bound else '')


def run(module):
    params = module.params
    module.hide(secrets_in(params))
    questions, findings = read_questions(
        params['query'], params['positional_args'], params['named_args'], params['read_only'])
    module.refuse(findings)

    results = []
    module.changed = False
    bound = False
    for statement, arguments in questions:
        harmless = is_harmless(statement, params['read_only'])
        module.queries.append(statement)
        if module.check_mode and not harmless:
            module.changed = True
            continue
        # Not asked again over another connection where the words may mean something else there.
        ask = module.session.read if harmless and not bound else module.session.change
        try:
            result = ask(statement, arguments)
        except SqlError as error:
            raise Failure(str(error) + _doubts(error, harmless, bound), results=results,
                          rows=results[-1]['rows'] if results else [])
        module.changed = module.changed or not harmless
        bound = bound or sets_session(statement)
        results.append(dict(shown_result(result), query=hide_secrets(statement)))
    return dict(results=results, rows=results[-1]['rows'] if results else [])


def main():
    SqlModule(dict(
        query=dict(type='list', elements='str', required=True),
        positional_args=dict(type='list', elements='raw'),
        named_args=dict(type='dict'),
        read_only=dict(type='str', choices=[AUTO, 'true', 'false'], default=AUTO),
    ), discreet=dict(query=discreet_query, positional_args=discreet_positional, named_args=discreet_named),
        mutually_exclusive=[('positional_args', 'named_args')]).run(run)


if __name__ == '__main__':
    main()
