#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_user
short_description: StarRocks accounts, with password, roles and privileges
version_added: 0.1.0
description:
  - Creates, changes and drops an account. What is not given is left alone.
  - Whether a password is right is found out by logging in with it, since StarRocks shows no hash to compare.
  - Made for the first run, when C(root) has no password yet, as well as for every later one.
options:
  name:
    description: The account's name.
    type: str
    default: root
  host:
    description:
      - The hosts that the account may come from, a pattern as for C(LIKE), or C(['example.com']) with its brackets and
        quotes for a name that the front ends resolve.
      - C('monitor'@'%') and C('monitor'@'10.0.%') are two accounts.
      - With another value than V(%) the password can be checked only from a host that it covers. From elsewhere it is
        set again on each run, with a warning, unless O(update_password=on_create).
    type: str
    default: '%'
  password:
    description:
      - The password. Without it, that of an existing account is left alone. To create an account, this or
        O(password_hash) is needed; an empty text makes one without a password.
      - If the account is O(login_user) itself and O(login_password) is refused, this one is tried too, so that a run
        that was interrupted after the change can be run again.
    type: str
  password_hash:
    description:
      - The password as C(mysql_native_password) keeps it, an asterisk and 40 hexadecimal digits, for an account that is
        to be created. It cannot be compared later, so it needs O(update_password=on_create).
    type: str
  update_password:
    description: V(on_create) leaves the password of an account that exists as it is.
    type: str
    choices: [always, on_create]
    default: always
  roles:
    description:
      - Names of the roles that the account has; others are revoked, unless O(append_roles=true). An empty list
        revokes all.
      - A granted role has no effect before it is activated, which O(default_roles) does at each login.
      - Only C(root) can grant the roles C(root) and C(cluster_admin).
      - Needs StarRocks 3.0 or later.
    type: list
    elements: str
  append_roles:
    description: Leave roles that are not in O(roles).
    type: bool
    default: false
  default_roles:
    description:
      - The roles that are active when the account logs in, all of them granted before or by O(roles). V([ALL]) means
        all that the account has after this task, V([NONE]) or an empty list none.
      - StarRocks does not list them, so O(login_user) looks at them in the place of the account (C(EXECUTE AS)), for
        which it needs C(IMPERSONATE), as C(root) and the role C(user_admin) have it.
      - Needs StarRocks 3.0 or later.
    type: list
    elements: str
  privileges:
    description:
      - Privileges that the account has by itself, without a role, written as C(SHOW GRANTS) shows them between C(GRANT)
        and C(TO), such as V(OPERATE ON SYSTEM) or V(SELECT, INSERT ON ALL TABLES IN DATABASE sales), with
        C(WITH GRANT OPTION) at the end if need be. They are always active. Others are revoked, unless
        O(append_privileges=true).
      - C(ALL) is not taken, since StarRocks shows the privileges that it stands for. C(NODE ON SYSTEM) can be had by
        the role C(cluster_admin) alone, C(GRANT ON SYSTEM) by C(user_admin).
      - Privileges on objects of other catalogs than C(default_catalog) are neither granted nor revoked.
      - Needs StarRocks 3.0 or later.
    type: list
    elements: str
  append_privileges:
    description: Leave privileges that are not in O(privileges).
    type: bool
    default: false
  state:
    description: Whether the account should exist.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes
seealso:
  - module: starrocks.cluster.starrocks_query
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

- name: Have an account that may look at the nodes and settings, and nothing else
  starrocks.cluster.starrocks_user:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    name: monitor
    password: "{{ monitor_password }}"
    privileges: [OPERATE ON SYSTEM]

- name: Have an account with all that this collection's modules for nodes and settings need
  starrocks.cluster.starrocks_user:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    name: operations
    host: 10.0.%
    password: "{{ operations_password }}"
    update_password: on_create
    privileges: [OPERATE ON SYSTEM]
    roles: [cluster_admin]
    default_roles: [cluster_admin]

- name: Add a role to those that the account has, without activating it at login
  starrocks.cluster.starrocks_user:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    name: monitor
    roles: [user_admin]
    append_roles: true

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
  description: The account, as StarRocks writes it.
  returned: always
  type: str
  sample: "'root'@'%'"
roles:
  description: The roles of the account, sorted.
  returned: when O(roles) or O(default_roles) is given and O(state=present)
  type: list
  elements: str
  sample: [cluster_admin]
default_roles:
  description: The roles that are active when it logs in, sorted.
  returned: when O(default_roles) is given and O(state=present)
  type: list
  elements: str
  sample: [cluster_admin]
privileges:
  description: The privileges that it has by itself, one text for each object.
  returned: when O(privileges) is given and O(state=present)
  type: list
  elements: str
  sample: [OPERATE ON SYSTEM]
"""

from ansible_collections.starrocks.cluster.plugins.module_utils import _accounts, _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import PRESENT, version_lacks
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import (
    AGAIN,
    DENIED,
    PRIVILEGE_MISSING,
    ConnectError,
    SqlError,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import TableError

# Seconds until a new password lets in: the front end that is asked may have to replay it first.
LOGIN_TIMEOUT = 10


def list_accounts(session):
    """The accounts as StarRocks writes them, ``'name'@'host'``."""
    rows = session.dicts(_accounts.LIST_ACCOUNTS)
    if rows and 'user_identity' not in rows[0]:
        raise TableError('%s was answered without a column UserIdentity (columns: %s)'
                         % (_accounts.LIST_ACCOUNTS, ', '.join(sorted(rows[0]))))
    return [row['user_identity'] for row in rows]


def ask_leader(session):
    """Listings of accounts are not forwarded (RedirectStatus); who may not see the front ends takes the one at hand."""
    try:
        session.ask_leader()
    except SqlError as error:
        if error.rule is not PRIVILEGE_MISSING:
            raise


def identity_at_login(session, name, password):
    """The account as which this host gets in with that name and password, None if it does not."""
    try:
        with session.beside(user=name, password=password, check_implicit_admin=False) as visitor:
            return visitor.dicts(_accounts.WHO_AM_I)[0]['user_identity']
    except SqlError as error:
        if error.rule is not DENIED:
            raise
        return None


def look_in_place_of(session, identity):
    """The names of the default roles of an account, seen as that account."""
    with session.beside(password=session.password_in_use, check_implicit_admin=False) as actor:
        for statement in _accounts.default_roles_of(identity):
            # Not read(): after a new login the statements that are left would tell somebody else's roles.
            result = actor.change(statement)
        return _accounts.read_roles(result.rows[0][0])


def default_roles(session, identity):
    """The same, tried again once where the connection was lost."""
    try:
        return look_in_place_of(session, identity)
    except SqlError as error:
        if error.rule is PRIVILEGE_MISSING:
            raise Failure('to see the default roles of %s, the account %s needs IMPERSONATE on it: log in as root or '
                          'with the role user_admin (%s)' % (identity.shown, session.options.user, error))
        if error.outcome != AGAIN:
            raise
    return look_in_place_of(session, identity)


class Reader(object):
    """Finds out what an account is, asking no more than the wish needs."""

    def __init__(self, session, wish):
        self.session = session
        self.wish = wish
        self.checks_password = (wish.state == PRESENT and wish.password is not None
                                and wish.update_password == _accounts.ALWAYS)
        # Whether every login with that name comes out at this account. None: not known yet.
        self.only_one = None

    def read(self):
        """The Account."""
        session, wish = self.session, self.wish
        self.enter()
        if _accounts.wants_rights(wish):
            lacks = version_lacks(session.version(), [_accounts.GRANTS])
            if lacks:
                raise Failure('; '.join(lacks))
        own = wish.identity.name == session.options.user and (
            session.dicts(_accounts.WHO_AM_I)[0]['user_identity'] == wish.identity.shown)
        if own:
            exists, fits, known_here = True, session.password_in_use == wish.password, True
        else:
            ask_leader(session)
            accounts = list_accounts(session)
            exists = wish.identity.shown in accounts
            self.only_one = wish.identity.host == _accounts.ANY_HOST and not any(
                account.startswith(wish.identity.shown[:-len("'%'")]) for account in accounts
                if account != wish.identity.shown)
            fits, known_here = self.check_password() if exists else (None, True)
        account = _accounts.Account(exists, fits, known_here)
        return self.look_at_rights(account) if exists and _accounts.wants_rights(wish) else account

    def enter(self):
        session, wish = self.session, self.wish
        try:
            session.connect()
        except ConnectError as error:
            # Its own password may have been changed to the wished one by an earlier run, or by this one just before
            # the connection was lost.
            if wish.identity.name != session.options.user or wish.password is None or error.rule is not DENIED:
                raise
            session.options = session.options._replace(password=wish.password)
            session.connect()

    def check_password(self):
        """``(fits, known_here)``"""
        if not self.checks_password:
            return None, True
        name, password = self.wish.identity.name, self.wish.password
        if self.only_one:
            return self.session.accepts(name, password), True
        fits = identity_at_login(self.session, name, password) == self.wish.identity.shown
        return fits, fits

    def look_at_rights(self, account):
        roles, privileges = _accounts.read_grants(self.session.dicts(_accounts.show_grants(self.wish.identity)))
        defaults = None
        if self.wish.default_roles is not None:
            defaults = default_roles(self.session, self.wish.identity)
        return account._replace(roles=roles, privileges=privileges, default_roles=defaults)

    def see(self):
        """After statements were run: raise Failure unless the account is what was wished."""
        session, wish = self.session, self.wish
        if self.checks_password and self.only_one is not False:
            try:
                _wait.poll(lambda: session.accepts(wish.identity.name, wish.password),
                           lambda accepted: [] if accepted else ['refused'], LOGIN_TIMEOUT)
            except _wait.WaitTimeout:
                raise Failure('the password of %s was set, but front end %s does not let it in'
                              % (wish.identity.shown, session.address))
        if wish.privileges:
            privileges = _accounts.read_grants(session.dicts(_accounts.show_grants(wish.identity)))[1]
            missing = _accounts.missing_after(wish, privileges)
            if missing:
                raise Failure('StarRocks took the privileges, but does not show them under that name: %s. It shows: '
                              '%s. Write them so, or they are granted again on each run'
                              % ('; '.join(missing), '; '.join(_accounts.privilege_texts(privileges)) or 'none'))


def run(module):
    wish, findings = _accounts.read_wish(module.params)
    module.refuse(findings)
    module.hide([wish.password, wish.password_hash])
    reader = Reader(module.session, wish)
    change, dummy = module.converge(reader.read, lambda account: _accounts.decide_account(wish, account))
    if module.queries and not module.check_mode and wish.state == PRESENT:
        reader.see()
    for note in change.notes:
        module.module.warn(note)
    rights = {key: change.after[key] for key in ('roles', 'default_roles', 'privileges') if key in change.after}
    return dict(rights, user=wish.identity.shown, diff=dict(before=change.before, after=change.after))


def main():
    SqlModule(dict(
        name=dict(type='str', default='root'),
        host=dict(type='str', default='%'),
        password=dict(type='str', no_log=True),
        password_hash=dict(type='str', no_log=True),
        update_password=dict(type='str', choices=['always', 'on_create'], default='always', no_log=False),
        roles=dict(type='list', elements='str'),
        append_roles=dict(type='bool', default=False),
        default_roles=dict(type='list', elements='str'),
        privileges=dict(type='list', elements='str'),
        append_privileges=dict(type='bool', default=False),
        state=dict(type='str', choices=['present', 'absent'], default='present'),
    ), mutually_exclusive=[('password', 'password_hash')]).run(run)


if __name__ == '__main__':
    main()
