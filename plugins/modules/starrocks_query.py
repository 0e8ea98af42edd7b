#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_query
short_description: Run statements on a StarRocks cluster
version_added: 0.1.0
description:
  - Runs statements one after the other over one connection, and returns their rows.
  - Statements that only read (C(SELECT), C(SHOW), C(ADMIN SHOW), C(EXPLAIN), session C(SET) and their like) report no
    change and run in check mode too. All others report a change, and in check mode are not run.
options:
  query:
    description: The statement, or a list of them. Each entry holds one statement.
    type: list
    elements: str
    required: true
  positional_args:
    description:
      - Values for C(%s) in O(query), quoted as needed. With several statements, each gets all of them.
      - A literal percent sign is then written C(%%).
    type: list
    elements: raw
  named_args:
    description:
      - Values for C(%(name\)s) in O(query), quoted as needed.
      - A literal percent sign is then written C(%%).
    type: dict
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes_read_only
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Count the tablets that are not healthy
  starrocks.cluster.starrocks_query:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    query: SHOW PROC '/statistic'
  register: statistic

- name: Create a database
  starrocks.cluster.starrocks_query:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    query: CREATE DATABASE IF NOT EXISTS example

- name: Look for users by name
  starrocks.cluster.starrocks_query:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    query: SELECT * FROM information_schema.tables WHERE table_schema = %s
    positional_args: [example]
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
  description: What each statement that was run returned.
  returned: always
  type: list
  elements: dict
  contains:
    query:
      description: The statement, without its arguments, secrets hidden.
      type: str
    columns:
      description: Names of the columns; empty for a statement without rows.
      type: list
      elements: str
    rows:
      description: Its rows. Numbers stay numbers; decimals, dates and times are text.
      type: list
      elements: dict
    affected_rows:
      description: Rows that it returned or changed.
      type: int
queries:
  description: The statements that were run, or in check mode would be, without their arguments, secrets hidden.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import (
    hide_secrets,
    is_one_statement,
    is_read_only,
)


def plain(value):
    """A cell as JSON holds it: decimals and times keep their exact text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.decode('utf-8', 'replace')
    return str(value)


def run(module):
    statements = module.params['query']
    if not statements:
        raise Failure('query is empty')
    for statement in statements:
        if not is_one_statement(statement):
            raise Failure('query: each entry must hold one statement, not %s' % hide_secrets(statement))
    arguments = module.params['positional_args'] or module.params['named_args'] or None

    results = []
    module.changed = False
    for statement in statements:
        module.queries.append(statement)
        read_only = is_read_only(statement)
        if module.check_mode and not read_only:
            module.changed = True
            continue
        session = module.session
        result = session.read(statement, arguments) if read_only else session.change(statement, arguments)
        module.changed = module.changed or not read_only
        results.append(dict(
            query=hide_secrets(statement), columns=result.columns, affected_rows=result.affected,
            rows=[dict(zip(result.columns, [plain(cell) for cell in row])) for row in result.rows]))
    return dict(results=results, rows=results[-1]['rows'] if results else [])


def main():
    SqlModule(dict(
        query=dict(type='list', elements='str', required=True),
        positional_args=dict(type='list', elements='raw'),
        named_args=dict(type='dict'),
    ), mutually_exclusive=[('positional_args', 'named_args')]).run(run)


if __name__ == '__main__':
    main()
