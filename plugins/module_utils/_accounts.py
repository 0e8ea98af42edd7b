# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts: what one should be, what StarRocks shows of it, and the statements in between. No I/O.

What can be seen of an account (StarRocks' source, 2.5 to 4.2; the transcripts have nothing but an empty listing):

* SHOW ALL AUTHENTICATION (ShowAuthenticationStmt) tells that it exists and whether it has a password, never a hash.
* SHOW GRANTS FOR (ShowExecutor, AST2StringVisitor; 3.0 and later) tells roles and privileges, as statements, one row
  for all roles and one for each object. ALL is shown as the single privileges that it stands for.
* Which roles are default roles is shown nowhere. ``SET ROLE DEFAULT`` activates just them (SetRoleExecutor), and
  ``CURRENT_ROLE()`` tells the active ones; ``EXECUTE AS`` does it in somebody else's place (ExecuteAsExecutor).
"""

import re
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils._changes import ABSENT, PRESENT, Change, Feature
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import quote

# Up to 2.5 privileges had other names and roles could not be looked up (starrocks.md section 2.3).
GRANTS = Feature('roles and privileges as they are known here', '3.0.0',
                 'leave roles, default_roles and privileges out')

LIST_ACCOUNTS = 'SHOW ALL AUTHENTICATION'
WHO_AM_I = 'SELECT CURRENT_USER() AS user_identity'

ALWAYS = 'always'
ON_CREATE = 'on_create'

# What default_roles may hold instead of names.
ALL = 'ALL'
NONE = 'NONE'

ANY_HOST = '%'
ROOT = 'root'
# Granting and revoking is done in the catalog that a new session is in; other catalogs' privileges are left alone.
# The documentation of SHOW GRANTS calls it "default", the code "default_catalog".
OWN_CATALOGS = (None, 'default_catalog', 'default')

_DOMAIN = re.compile(r"^\[\s*(['\"]?)([^'\"\[\]]+)\1\s*\]$")
_HASH = re.compile(r'^\*[0-9A-Fa-f]{40}$')


class Identity(namedtuple('Identity', ('name', 'host'))):
    """Who an account is. ``host``: a pattern of addresses as in LIKE, or ``['domain']`` for a name to be resolved."""

    __slots__ = ()

    def _joined(self, spell):
        domain = _DOMAIN.match(self.host)
        return '%s@%s' % (spell(self.name), '[%s]' % spell(domain.group(2)) if domain else spell(self.host))

    @property
    def text(self):
        """As a statement has it."""
        return self._joined(quote)

    @property
    def shown(self):
        """As StarRocks prints it (UserIdentity.toString): quotes within a name stay as they are."""
        return self._joined("'{0}'".format)


Wish = namedtuple('Wish', ('identity', 'state', 'password', 'password_hash', 'update_password', 'roles', 'append_roles',
                           'default_roles', 'privileges', 'append_privileges'))
Wish.__doc__ = """What an account should be. ``password``, ``password_hash``, ``roles``, ``default_roles`` and
``privileges`` are None where they do not matter; roles are lists of names, ``privileges`` is as from
``read_privileges``."""

Account = namedtuple('Account', ('exists', 'fits', 'known_here', 'roles', 'default_roles', 'privileges'))
Account.__new__.__defaults__ = (None, True, None, None, None)
Account.__doc__ = """What an account is. ``fits``: whether the wished password lets it in; ``known_here``: whether that
can be told from this host at all. ``roles``, ``default_roles`` (lists of names) and ``privileges`` are None where
nobody looked."""


# -- privileges as text ----------------------------------------------------------------------------------------------

# Words of an object that are no names; the grammar of GRANT, 3.0 to 4.2.
_OBJECT_WORDS = frozenset(
    'ALL SYSTEM CATALOG CATALOGS DATABASE DATABASES TABLE TABLES VIEW VIEWS MATERIALIZED FUNCTION FUNCTIONS GLOBAL '
    'RESOURCE RESOURCES GROUP GROUPS USER USERS STORAGE VOLUME VOLUMES WAREHOUSE WAREHOUSES PIPE PIPES IN'.split())
# Words that end an object: with them a privilege would become another statement.
_FOREIGN_WORDS = frozenset('TO FROM ON WITH GRANT REVOKE SET'.split())

# What cannot be granted by itself (starrocks.md 0.11; DefaultAuthorizationProvider.validateGrant).
_BY_ROLE = {'NODE': 'cluster_admin', 'GRANT': 'user_admin'}

_NAME = r'(?:`[^`]+`|[\w$*]+)'
_OBJECT_PART = re.compile(r"\s*(?P<part>'[^'\\]*'@'[^'\\]*'|%s(?:\.%s)*|[(),])\s*" % (_NAME, _NAME))
_PLAIN_QUOTED = re.compile(r'`([A-Za-z_]\w*)`')
_PRIVILEGE = re.compile(r'^(?P<names>[A-Za-z_ ,]+?) ON (?P<object>.+?)(?P<grantable> WITH GRANT OPTION)?$',
                        re.IGNORECASE)
_SHOWN_GRANT = re.compile(r'^GRANT\s+(?P<what>.+?)(?P<on>\s+ON\s+(?P<object>.+?))?\s+TO\s+.*?'
                          r'(?P<grantable>\s+WITH\s+GRANT\s+OPTION)?$', re.IGNORECASE | re.DOTALL)


def same_object(text, unquote=True):
    """One spelling for an object: keywords in upper case, single blanks, no back quotes around plain names.

    Without ``unquote`` back quotes stay, as a statement needs them around words that are no names otherwise.

    Raises ValueError where there is more than an object, so that nothing else gets into a statement.
    """
    parts, position = [], 0
    while position < len(text):
        match = _OBJECT_PART.match(text, position)
        if not match:
            raise ValueError('%r does not belong there' % text[position:position + 20])
        part = match.group('part')
        if part.upper() in _FOREIGN_WORDS:
            raise ValueError('%s does not belong there' % part.upper())
        if part.upper() in _OBJECT_WORDS:
            part = part.upper()
        elif unquote:
            part = _PLAIN_QUOTED.sub(r'\1', part)
        parts.append(part)
        position = match.end()
    return ' '.join(parts).replace(' ,', ',').replace(' (', '(').replace('( ', '(').replace(' )', ')')


def read_privileges(text):
    """``{(privilege, object, grantable): object as written}`` of ``SELECT, INSERT ON TABLE db.t [WITH GRANT OPTION]``.

    The keys are what is compared. Raises ValueError with a reason.
    """
    match = _PRIVILEGE.match(' '.join(text.split()))
    if not match:
        raise ValueError('it is not like "OPERATE ON SYSTEM" or "SELECT, INSERT ON TABLE db.t"')
    found, written = {}, match.group('object')
    for name in match.group('names').upper().split(','):
        name = name.strip()
        if name in _BY_ROLE and written.upper() == 'SYSTEM':
            raise ValueError('StarRocks grants %s only by its built-in role: add %s to roles' % (name, _BY_ROLE[name]))
        if name in ('ALL', 'ALL PRIVILEGES'):
            raise ValueError('StarRocks shows ALL as single privileges, so it cannot be compared: name them')
        if not name:
            raise ValueError('a privilege has no name')
        found[name, same_object(written), bool(match.group('grantable'))] = same_object(written, unquote=False)
    return found


def _shown_object(text):
    try:
        return same_object(text)
    except ValueError:
        # What nobody can wish here can still be shown, and taken away as it was shown.
        return ' '.join(text.split())


def read_grants(rows):
    """``(roles, privileges)`` of the rows of SHOW GRANTS: a list of names, and a dict as from ``read_privileges``.

    ``rows``: dicts with ``catalog`` and ``grants``.
    """
    roles, privileges = [], {}
    for row in rows:
        match = _SHOWN_GRANT.match((row['grants'] or '').strip())
        if not match or row.get('catalog') not in OWN_CATALOGS:
            continue
        names, on, target = match.group('what', 'on', 'object')
        if on:
            privileges.update(((name.strip().upper(), _shown_object(target), bool(match.group('grantable'))),
                               target.strip()) for name in names.split(','))
        else:
            roles.extend(name.strip().strip("'`") for name in names.split(','))
    return sorted(roles), privileges


def privilege_texts(privileges):
    """``["INSERT, SELECT ON TABLE db.t", ...]``: one text for each object, as RETURN and diffs show them."""
    return ['%s ON %s%s' % (', '.join(names), same, option) for names, same, option in _by_object(privileges)]


def _by_object(privileges, spelled=False):
    """``[(names, object, ' WITH GRANT OPTION' or '')]``, sorted; with ``spelled`` objects are as they were written."""
    grouped = {}
    for (name, same, grantable), written in privileges.items():
        grouped.setdefault((same, grantable), [written, []])[1].append(name)
    return [(sorted(names), written if spelled else same, ' WITH GRANT OPTION' if grantable else '')
            for (same, grantable), (written, names) in sorted(grouped.items())]


def read_roles(text):
    """The list of names in what ``CURRENT_ROLE()`` returns."""
    return [] if text in (None, '', NONE) else sorted(name.strip() for name in text.split(','))


# -- statements (starrocks.md section 2.3) ---------------------------------------------------------------------------

def create_user(identity, password=None, password_hash=None):
    secret = 'PASSWORD ' + quote(password_hash) if password is None else quote(password)
    return 'CREATE USER %s IDENTIFIED BY %s' % (identity.text, secret)


def set_password(identity, password):
    return 'SET PASSWORD FOR %s = PASSWORD(%s)' % (identity.text, quote(password))


def drop_user(identity):
    return 'DROP USER %s' % identity.text


def show_grants(identity):
    return 'SHOW GRANTS FOR %s' % identity.text


def default_roles_of(identity):
    """Statements, the last of which tells them. The session is good for nothing else then."""
    return ['EXECUTE AS %s WITH NO REVERT' % identity.text, 'SET ROLE DEFAULT',
            'SELECT CURRENT_ROLE() AS default_roles']


def _names(names):
    return ', '.join(quote(name) for name in names)


def _grant_roles(identity, names):
    return ['GRANT %s TO USER %s' % (_names(names), identity.text)] if names else []


def _revoke_roles(identity, names):
    return ['REVOKE %s FROM USER %s' % (_names(names), identity.text)] if names else []


def _set_default_roles(identity, names):
    return ['SET DEFAULT ROLE %s TO %s' % (_names(names) or NONE, identity.text)]


def _grant_privileges(identity, privileges):
    return ['GRANT %s ON %s TO USER %s%s' % (', '.join(names), written, identity.text, option)
            for names, written, option in _by_object(privileges, spelled=True)]


def _revoke_privileges(identity, privileges):
    return ['REVOKE %s ON %s FROM USER %s' % (', '.join(names), written, identity.text)
            for names, written, dummy in _by_object(privileges, spelled=True)]


# -- wishes ----------------------------------------------------------------------------------------------------------

def read_wish(params):
    """``(Wish, findings)`` of the parameters of starrocks_user; ``findings`` are reasons to go no further."""
    findings = []
    for option in ('name', 'host', 'password'):
        value = params[option]
        if value is not None and '\0' in value:
            findings.append('%s: StarRocks holds no NUL character' % option)
    for option in ('name', 'host'):
        if not params[option].strip():
            findings.append('%s: must not be empty' % option)
    if params['host'].startswith('[') and not _DOMAIN.match(params['host']):
        findings.append("host: a domain is written as ['example.com']")
    identity = Identity(params['name'], params['host'])
    if params['state'] == ABSENT and identity == (ROOT, ANY_HOST):
        findings.append('state: StarRocks does not drop root')
    if params['password_hash'] is not None:
        findings.extend(_hash_findings(params))
    for option in ('roles', 'default_roles'):
        findings.extend('%s: %s' % (option, finding) for finding in _name_findings(params[option] or []))
    findings.extend(_default_role_findings(params))
    privileges = None
    if params['privileges'] is not None:
        privileges = {}
        for text in params['privileges']:
            try:
                privileges.update(read_privileges(text))
            except ValueError as error:
                findings.append('privileges: %s: %s' % (text, error))
    if identity == (ROOT, ANY_HOST) and params['roles'] is not None and not params['append_roles'] \
            and ROOT not in params['roles']:
        findings.append('roles: root would lose its role root: add it, or set append_roles')
    wish = Wish(identity, params['state'], params['password'], params['password_hash'], params['update_password'],
                params['roles'], params['append_roles'], params['default_roles'], privileges,
                params['append_privileges'])
    return wish, findings


def _hash_findings(params):
    if not _HASH.match(params['password_hash']):
        yield 'password_hash: it must be an asterisk and 40 hexadecimal digits'
    if params['update_password'] != ON_CREATE:
        yield ('password_hash: StarRocks shows no hash to compare and lets nobody in with one: set update_password: '
               'on_create, or give password')


def _name_findings(names):
    for name in names:
        if not name.strip() or '\0' in name:
            yield 'a role has no name, or one with a NUL character'
    for name in sorted(set(names)):
        if names.count(name) > 1:
            yield '%s stands there more than once' % name


def _default_role_findings(params):
    names = params['default_roles'] or []
    special = [name for name in names if name.upper() in (ALL, NONE)]
    if special and len(names) > 1:
        yield 'default_roles: %s stands alone' % special[0]
    elif params['roles'] is not None and not params['append_roles'] and not special:
        for name in sorted(set(names) - set(params['roles'])):
            yield 'default_roles: %s has to be in roles too' % name


# -- decisions -------------------------------------------------------------------------------------------------------

def decide_account(wish, account):
    """The Change that makes ``account`` what ``wish`` says.

    Rights are given before others are taken, so that an account in use never has less than both its old and its new
    rights have in common. Diffs tell that a password changes, never which.
    """
    before = _facts(wish, PRESENT if account.exists else ABSENT, account)
    if wish.state == ABSENT:
        statements = [drop_user(wish.identity)] if account.exists else []
        return _change(statements, before, {'user': wish.identity.shown, 'state': ABSENT})
    if not account.exists:
        if wish.password is None and wish.password_hash is None:
            return _change([], before, before, refusals=[
                'account %s does not exist, and to create it a password is needed (password or password_hash)'
                % wish.identity.shown])
        statements = [create_user(wish.identity, wish.password, wish.password_hash)]
        account = Account(True, True, True, [], [], {})
        rights, after = _decide_rights(wish, account)
        return _change(statements + rights, before, _facts(wish, PRESENT, after))

    statements, notes, changes = [], [], {}
    if wish.password is not None and wish.update_password == ALWAYS and not account.fits:
        statements.append(set_password(wish.identity, wish.password))
        before['password'] = 'another' if account.known_here else 'not known'
        changes['password'] = 'the given one'
        if not account.known_here:
            notes.append('whether account %s has the given password cannot be told from this host, so it is set on '
                         'each run: run the module where the account may come from, or set update_password: on_create'
                         % wish.identity.shown)
    rights, after = _decide_rights(wish, account)
    return _change(statements + rights, before, dict(_facts(wish, PRESENT, after), **changes), notes=notes)


def _change(statements, before, after, refusals=(), notes=()):
    return Change(statements, before, after, [], list(refusals), list(notes))


def wants_rights(wish):
    """Whether roles or privileges matter, so that they have to be looked up."""
    return wish.state == PRESENT and any(
        rights is not None for rights in (wish.roles, wish.default_roles, wish.privileges))


def _facts(wish, state, account):
    """What the diff and the result show of an account: as much as the task is about."""
    facts = {'user': wish.identity.shown, 'state': state}
    if state == PRESENT and wish.state == PRESENT:
        if wish.roles is not None or wish.default_roles is not None:
            facts['roles'] = account.roles
        if wish.default_roles is not None:
            facts['default_roles'] = account.default_roles
        if wish.privileges is not None:
            facts['privileges'] = privilege_texts(account.privileges)
    return facts


def _decide_rights(wish, account):
    """``(statements, Account)``: how an account that exists gets the wished rights, and what it is then."""
    identity = wish.identity
    granted, revoked, after = [], [], account
    if wish.privileges is not None:
        missing, surplus, replaced = _compare_privileges(wish, account.privileges)
        # REVOKE takes a privilege with and without the option to grant it, so it comes before the one that stays.
        granted += _revoke_privileges(identity, replaced) + _grant_privileges(identity, missing)
        revoked += _revoke_privileges(identity, surplus)
        kept = {key: written for key, written in account.privileges.items()
                if key not in surplus and key not in replaced}
        kept.update(missing)
        after = after._replace(privileges=kept)
    if wish.roles is not None:
        missing = [name for name in wish.roles if name not in account.roles]
        surplus = [] if wish.append_roles else [name for name in account.roles if name not in wish.roles]
        granted += _grant_roles(identity, missing)
        revoked += _revoke_roles(identity, surplus)
        after = after._replace(roles=sorted(set(account.roles + missing) - set(surplus)))
    if wish.default_roles is not None:
        special = wish.default_roles[0].upper() if len(wish.default_roles) == 1 else ''
        # By name, even where ALL is meant: what is revoked afterwards must not be among them.
        wished = sorted({ALL: after.roles, NONE: []}.get(special, wish.default_roles))
        if wished != account.default_roles:
            granted += _set_default_roles(identity, wished)
        after = after._replace(default_roles=wished)
    return granted + revoked, after


def _compare_privileges(wish, there):
    """``(missing, surplus, replaced)``: ``replaced`` are there with the option to grant them wrong."""
    wished, has = wish.privileges, set(there)
    if wish.append_privileges:
        has.update((name, same, False) for name, same, dummy in there)
    missing = {key: written for key, written in wished.items() if key not in has}
    surplus, replaced = {}, {}
    for key, written in there.items():
        if key not in wished and not wish.append_privileges:
            name, same, grantable = key
            (replaced if (name, same, not grantable) in wished else surplus)[key] = written
    return missing, surplus, replaced


def missing_after(wish, privileges):
    """The wished privileges that a listing made afterwards does not show, as texts."""
    shown = set(privileges) | {(name, same, False) for name, same, dummy in privileges}
    return privilege_texts({key: written for key, written in (wish.privileges or {}).items() if key not in shown})
