#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_user
short_description: Set the password of a StarRocks account, create and drop accounts
version_added: 0.1.0
description:
  - Sets a password only where it is needed. Whether it is, is found out by logging in with it, since StarRocks shows
    no hash to compare.
  - Made for the first run, when C(root) has no password yet, as well as for every later one.
options:
  name:
    description: The account's name.
    type: str
    default: root
  host:
    description:
      - The hosts that the account may come from.
      - With another value than V(%) the login that tells whether O(password) is right may be refused for the host
        alone; the password is then set again on each run, unless O(update_password=on_create).
    type: str
    default: '%'
  password:
    description:
      - The password. Without it, that of an existing account is left alone.
      - If the account is O(login_user) itself and O(login_password) is refused, this one is tried too.
    type: str
  update_password:
    description: V(on_create) leaves the password of an account that exists as it is.
    type: str
    choices: [always, on_create]
    default: always
  state:
    description: Whether the account should exist.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Give root its password, on the first run and every later one
  starrocks.cluster.starrocks_user:
    login_hosts: [fe1]
    login_password: "{{ starrocks_root_password }}"
    check_implicit_admin: true
    password: "{{ starrocks_root_password }}"
  no_log: true

- name: Create an account for monitoring
  starrocks.cluster.starrocks_user:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    name: monitor
    password: "{{ monitor_password }}"

- name: Drop it
  starrocks.cluster.starrocks_user:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    name: monitor
    state: absent
"""

RETURN = r"""
queries:
  description:
    - The statements that were run, or in check mode would be, without those that only read. Passwords are hidden.
  returned: always
  type: list
  elements: str
  sample: ["SET PASSWORD FOR 'root'@'%' = PASSWORD('********')"]
user:
  description: The account.
  returned: always
  type: str
  sample: "'root'@'%'"
"""

from ansible_collections.starrocks.cluster.plugins.module_utils import _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import decide_user
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import DENIED, ConnectError
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import user_identity
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import TableError, snake_case

# Answered by 2.5 and later; one of its columns is the account as 'name'@'host'.
LIST_USERS = 'SHOW ALL AUTHENTICATION'
USER_COLUMN = 'user_identity'

# Seconds until a new password lets in: the front end that is asked may have to replay it first.
LOGIN_TIMEOUT = 10


def list_users(session):
    """The accounts as StarRocks writes them, ``'name'@'host'``."""
    session.ask_leader()
    result = session.read(LIST_USERS)
    columns = [snake_case(column) for column in result.columns]
    if USER_COLUMN not in columns:
        raise TableError('%s was answered without a column UserIdentity (columns: %s)'
                         % (LIST_USERS, ', '.join(result.columns)))
    return [row[columns.index(USER_COLUMN)] for row in result.rows]


def run(module):
    params = module.params
    name, host, password = params['name'], params['host'], params['password']
    for option in ('name', 'host'):
        if not params[option].strip() or '\0' in params[option]:
            raise Failure('%s: must not be empty or hold a NUL character' % option)
    session = module.session
    own = name == params['login_user'] and host == '%'

    def enter():
        try:
            session.connect()
        except ConnectError as error:
            # Its own password may have been changed to the wished one by an earlier run, or by this one just before
            # the connection was lost.
            if not own or password is None or error.rule is not DENIED:
                raise
            session.options = session.options._replace(password=password)
            session.connect()

    def read():
        enter()
        if own and (session.implicit_admin or session.options.password == password):
            # How we got in says it all.
            return True, password == ('' if session.implicit_admin else session.options.password)
        exists = own or user_identity(name, host) in list_users(session)
        matters = password is not None and params['update_password'] == 'always' and params['state'] == 'present'
        return exists, exists and matters and session.accepts(name, password)

    def decide(state):
        exists, fits = state
        return decide_user(exists, fits, name, host, password, params['update_password'], params['state'])

    change, dummy = module.converge(read, decide)
    if module.queries and not module.check_mode and params['state'] == 'present' and host == '%':
        try:
            _wait.poll(lambda: session.accepts(name, password), lambda accepted: [] if accepted else ['refused'],
                       LOGIN_TIMEOUT)
        except _wait.WaitTimeout:
            raise Failure('the password of %s was set, but front end %s does not let it in'
                          % (user_identity(name, host), session.address))
    return dict(user=user_identity(name, host), diff=dict(before=change.before, after=change.after))


def main():
    SqlModule(dict(
        name=dict(type='str', default='root'),
        host=dict(type='str', default='%'),
        password=dict(type='str', no_log=True),
        update_password=dict(type='str', choices=['always', 'on_create'], default='always', no_log=False),
        state=dict(type='str', choices=['present', 'absent'], default='present'),
    )).run(run)


if __name__ == '__main__':
    main()
