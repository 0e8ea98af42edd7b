# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _accounts as accounts

HASH = '*' + '0123456789ABCDEF0123456789abcdef01234567'
OPERATE = accounts.read_privileges('OPERATE ON SYSTEM')


def parameters(**given):
    chosen = dict(name='u', host='%', password=None, password_hash=None, update_password='always', roles=None,
                  append_roles=False, default_roles=None, privileges=None, append_privileges=False, state='present')
    chosen.update(given)
    return chosen


def wish(**given):
    made, findings = accounts.read_wish(parameters(**given))
    assert findings == []
    return made


def there(**given):
    made = dict(exists=True, fits=True, known_here=True)
    made.update(given)
    return accounts.Account(**made)


def decide(account, **given):
    return accounts.decide_account(wish(**given), account)


ABSENT = accounts.Account(False)


# -- names -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name, host, text, shown', [
    ('u', '%', "'u'@'%'", "'u'@'%'"),
    ("o'x", '10.%', "'o\\'x'@'10.%'", "'o'x'@'10.%'"),
    ('u', "['example.com']", "'u'@['example.com']", "'u'@['example.com']"),
    ('u', '["example.com"]', "'u'@['example.com']", "'u'@['example.com']"),
    ('u', '[example.com]', "'u'@['example.com']", "'u'@['example.com']"),
    ("u'; DROP USER 'v", '%', "'u\\'; DROP USER \\'v'@'%'", "'u'; DROP USER 'v'@'%'"),
])
def test_identity(name, host, text, shown):
    identity = accounts.Identity(name, host)
    assert (identity.text, identity.shown) == (text, shown)


# -- privileges ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('text, keys', [
    ('OPERATE ON SYSTEM', [('OPERATE', 'SYSTEM', False)]),
    ('  operate   on system ', [('OPERATE', 'SYSTEM', False)]),
    ('CREATE RESOURCE GROUP, OPERATE ON SYSTEM', [('CREATE RESOURCE GROUP', 'SYSTEM', False),
                                                 ('OPERATE', 'SYSTEM', False)]),
    ('SELECT ON TABLE `db`.`T`', [('SELECT', 'TABLE db.T', False)]),
    ('select on all tables in all databases', [('SELECT', 'ALL TABLES IN ALL DATABASES', False)]),
    ('SELECT ON ALL TABLES IN DATABASE `my db` with grant option',
     [('SELECT', 'ALL TABLES IN DATABASE `my db`', True)]),
    ('SELECT ON TABLE a.b,c.d', [('SELECT', 'TABLE a.b, c.d', False)]),
    ('USAGE ON FUNCTION db.f( int , string )', [('USAGE', 'FUNCTION db.f(int, string)', False)]),
    ("IMPERSONATE ON USER 'a'@'%'", [('IMPERSONATE', "USER 'a'@'%'", False)]),
])
def test_read_privileges(text, keys):
    assert sorted(accounts.read_privileges(text)) == keys


@pytest.mark.parametrize('text, reason', [
    ('NODE ON SYSTEM', 'add cluster_admin to roles'), ('GRANT ON SYSTEM', 'add user_admin to roles'),
    ('ALL ON SYSTEM', 'name them'), ('ALL PRIVILEGES ON TABLE a.b', 'name them'), ('OPERATE', 'it is not like'),
    ('ON SYSTEM', 'it is not like'), ('', 'it is not like'), ('SELECT, ON TABLE a.b', 'has no name'),
    ("OPERATE ON SYSTEM TO USER 'x'", 'TO does not belong there'), ('SELECT ON TABLE a; DROP USER x', "';"),
    ('SELECT ON TABLE a -- b', '--'), ("SELECT ON TABLE 'a", "'a"), ('SELECT ON TABLE a FROM b', 'FROM does'),
    ('SELECT; DROP ON TABLE a', 'it is not like'), ("SELECT ON TABLE a\0", 'does not belong there'),
])
def test_privileges_that_are_none(text, reason):
    with pytest.raises(ValueError) as raised:
        accounts.read_privileges(text)
    assert reason in str(raised.value)


def test_read_grants():
    """Rows as ShowExecutor and AST2StringVisitor write them."""
    grants = [
        (None, "GRANT 'root', 'reports' TO  'u'@'%'"),
        ('default_catalog', "GRANT OPERATE, CREATE RESOURCE ON SYSTEM TO USER 'u'@'%'"),
        ('default_catalog', "GRANT SELECT ON TABLE db.t TO USER 'u'@'%' WITH GRANT OPTION"),
        ('default_catalog', "GRANT SELECT ON ALL TABLES IN ALL DATABASES TO USER 'u'@'%'"),
        ('lake', "GRANT USAGE ON CATALOG lake TO USER 'u'@'%'"),
        (None, ''),
    ]
    roles, privileges = accounts.read_grants([dict(catalog=catalog, grants=text) for catalog, text in grants])
    assert roles == ['reports', 'root']
    assert accounts.privilege_texts(privileges) == [
        'SELECT ON ALL TABLES IN ALL DATABASES', 'CREATE RESOURCE, OPERATE ON SYSTEM',
        'SELECT ON TABLE db.t WITH GRANT OPTION']


def test_a_shown_object_that_cannot_be_wished_can_be_revoked():
    dummy, privileges = accounts.read_grants([dict(catalog=None, grants="GRANT USAGE ON X  'odd' TO USER 'u'@'%'")])
    change = decide(there(privileges=privileges), privileges=[])
    assert change.statements == ["REVOKE USAGE ON X  'odd' FROM USER 'u'@'%'"]


@pytest.mark.parametrize('text, expected', [('NONE', []), (None, []), ('b, a', ['a', 'b']), ('a', ['a'])])
def test_read_roles(text, expected):
    assert accounts.read_roles(text) == expected


# -- wishes ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('given, reason', [
    (dict(name=' '), 'name: must not be empty'), (dict(host=''), 'host: must not be empty'),
    (dict(name='a\0'), 'name: StarRocks holds no NUL'), (dict(password='a\0'), 'password: StarRocks holds no NUL'),
    (dict(host="['a'b']"), "host: a domain is written as ['example.com']"),
    (dict(name='root', state='absent'), 'does not drop root'),
    (dict(password_hash='*12', update_password='on_create'), '40 hexadecimal digits'),
    (dict(password_hash=HASH), 'update_password: on_create'),
    (dict(roles=['a', 'a']), 'roles: a stands there more than once'), (dict(roles=['']), 'roles: a role has no name'),
    (dict(default_roles=['ALL', 'a']), 'default_roles: ALL stands alone'),
    (dict(default_roles=['a', 'none']), 'default_roles: none stands alone'),
    (dict(roles=['a'], default_roles=['a', 'b']), 'default_roles: b has to be in roles too'),
    (dict(privileges=['NODE ON SYSTEM']), 'privileges: NODE ON SYSTEM: '),
    (dict(name='root', roles=['cluster_admin']), 'root would lose its role root'),
])
def test_refused_wishes(given, reason):
    dummy, findings = accounts.read_wish(parameters(**given))
    assert len(findings) == 1 and reason in findings[0]


def test_all_findings_at_once():
    dummy, findings = accounts.read_wish(parameters(name='', password='\0', roles=['a', 'a'], privileges=['x', 'y']))
    assert len(findings) == 5


def test_wishes_that_are_none():
    for given in (dict(name='root', roles=['a'], append_roles=True), dict(roles=[], default_roles=['ALL']),
                  dict(roles=['a'], default_roles=['b'], append_roles=True),
                  dict(name='root', host='10.%', state='absent'),
                  dict(password_hash=HASH, update_password='on_create'), dict(password='')):
        assert accounts.read_wish(parameters(**given))[1] == []


# -- decisions -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('account, given, statements', [
    (ABSENT, dict(password="a'b"), ["CREATE USER 'u'@'%' IDENTIFIED BY 'a\\'b'"]),
    (ABSENT, dict(password=''), ["CREATE USER 'u'@'%' IDENTIFIED BY ''"]),
    (ABSENT, dict(password_hash=HASH, update_password='on_create'),
     ["CREATE USER 'u'@'%%' IDENTIFIED BY PASSWORD '%s'" % HASH]),
    (ABSENT, dict(password='x', roles=['b', 'a'], default_roles=['b'], privileges=['OPERATE ON SYSTEM']), [
        "CREATE USER 'u'@'%' IDENTIFIED BY 'x'", "GRANT OPERATE ON SYSTEM TO USER 'u'@'%'",
        "GRANT 'b', 'a' TO USER 'u'@'%'", "SET DEFAULT ROLE 'b' TO 'u'@'%'"]),
    (ABSENT, dict(password='x', roles=['b', 'a'], default_roles=['all']), [
        "CREATE USER 'u'@'%' IDENTIFIED BY 'x'", "GRANT 'b', 'a' TO USER 'u'@'%'",
        "SET DEFAULT ROLE 'a', 'b' TO 'u'@'%'"]),
    (ABSENT, dict(password='x', default_roles=['NONE']), ["CREATE USER 'u'@'%' IDENTIFIED BY 'x'"]),
    (ABSENT, dict(state='absent'), []),
    (there(), dict(state='absent'), ["DROP USER 'u'@'%'"]),
    (there(), dict(), []),
    (there(fits=True), dict(password='x'), []),
    (there(fits=False), dict(password='x'), ["SET PASSWORD FOR 'u'@'%' = PASSWORD('x')"]),
    (there(fits=False, known_here=False), dict(password='x'), ["SET PASSWORD FOR 'u'@'%' = PASSWORD('x')"]),
    (there(fits=None), dict(password='x', update_password='on_create'), []),
    (there(roles=['a']), dict(roles=['a']), []),
    (there(roles=['a', 'c']), dict(roles=['a', 'b']), ["GRANT 'b' TO USER 'u'@'%'", "REVOKE 'c' FROM USER 'u'@'%'"]),
    (there(roles=['a', 'c']), dict(roles=['b'], append_roles=True), ["GRANT 'b' TO USER 'u'@'%'"]),
    (there(roles=['a', 'c']), dict(roles=[]), ["REVOKE 'a', 'c' FROM USER 'u'@'%'"]),
    (there(roles=['a'], default_roles=[]), dict(default_roles=['ALL']), ["SET DEFAULT ROLE 'a' TO 'u'@'%'"]),
    (there(roles=['a'], default_roles=['a']), dict(default_roles=['ALL']), []),
    (there(roles=['a'], default_roles=['a']), dict(default_roles=[]), ["SET DEFAULT ROLE NONE TO 'u'@'%'"]),
    (there(roles=['a', 'c'], default_roles=['a', 'c']), dict(roles=['a', 'b'], default_roles=['ALL']), [
        "GRANT 'b' TO USER 'u'@'%'", "SET DEFAULT ROLE 'a', 'b' TO 'u'@'%'", "REVOKE 'c' FROM USER 'u'@'%'"]),
    (there(privileges={}), dict(privileges=['select, INSERT on table `a`.b', 'OPERATE ON SYSTEM']), [
        "GRANT OPERATE ON SYSTEM TO USER 'u'@'%'", "GRANT INSERT, SELECT ON TABLE `a`.b TO USER 'u'@'%'"]),
    (there(privileges=OPERATE), dict(privileges=['operate on system']), []),
    (there(privileges=OPERATE), dict(privileges=['FILE ON SYSTEM']), [
        "GRANT FILE ON SYSTEM TO USER 'u'@'%'", "REVOKE OPERATE ON SYSTEM FROM USER 'u'@'%'"]),
    (there(privileges=OPERATE), dict(privileges=['FILE ON SYSTEM'], append_privileges=True), [
        "GRANT FILE ON SYSTEM TO USER 'u'@'%'"]),
    # The option to grant: REVOKE takes both, so it comes first.
    (there(privileges=OPERATE), dict(privileges=['OPERATE ON SYSTEM WITH GRANT OPTION']), [
        "REVOKE OPERATE ON SYSTEM FROM USER 'u'@'%'", "GRANT OPERATE ON SYSTEM TO USER 'u'@'%' WITH GRANT OPTION"]),
    (there(privileges=accounts.read_privileges('OPERATE ON SYSTEM WITH GRANT OPTION')),
     dict(privileges=['OPERATE ON SYSTEM']), [
        "REVOKE OPERATE ON SYSTEM FROM USER 'u'@'%'", "GRANT OPERATE ON SYSTEM TO USER 'u'@'%'"]),
    (there(privileges=accounts.read_privileges('OPERATE ON SYSTEM WITH GRANT OPTION')),
     dict(privileges=['OPERATE ON SYSTEM'], append_privileges=True), []),
])
def test_statements(account, given, statements):
    change = decide(account, **given)
    assert (change.statements, change.refusals) == (statements, [])
    assert (change.before != change.after) == bool(statements)


def test_nobody_is_created_without_a_password():
    change = decide(ABSENT, roles=['a'])
    assert 'a password is needed' in change.refusals[0] and change.statements == []


def test_what_is_predicted_is_met():
    """The account after a change is one that needs no further change."""
    wanted = dict(password='x', roles=['a', 'b'], default_roles=['ALL'],
                  privileges=['OPERATE ON SYSTEM', 'SELECT ON TABLE a.b'])
    before = there(fits=False, roles=['b', 'c'], default_roles=['c'],
                   privileges=accounts.read_privileges('FILE ON SYSTEM'))
    facts = decide(before, **wanted).after
    privileges = {}
    for text in facts['privileges']:
        privileges.update(accounts.read_privileges(text))
    after = there(roles=facts['roles'], default_roles=facts['default_roles'], privileges=privileges)
    assert decide(after, **wanted).statements == []


def test_a_diff_never_tells_a_password():
    change = decide(there(fits=False), password='s3cret')
    assert change.before['password'] == 'another' and change.after['password'] == 'the given one'
    assert 's3cret' not in str((change.before, change.after, change.notes))


def test_where_a_password_cannot_be_checked_it_is_said():
    change = decide(there(fits=False, known_here=False), host='10.%', password='s3cret')
    assert 'cannot be told from this host' in change.notes[0] and change.before['password'] == 'not known'


@pytest.mark.parametrize('given, wanted', [
    (dict(password='x'), False), (dict(roles=[]), True), (dict(default_roles=[]), True), (dict(privileges=[]), True),
    (dict(roles=[], state='absent'), False),
])
def test_whether_rights_matter(given, wanted):
    assert accounts.wants_rights(wish(**given)) is wanted


def test_missing_after():
    wanted = wish(privileges=['OPERATE, FILE ON SYSTEM', 'SELECT ON TABLE a.b'])
    shown = accounts.read_privileges('OPERATE ON SYSTEM WITH GRANT OPTION')
    shown.update(accounts.read_privileges('SELECT ON TABLE a.b'))
    assert accounts.missing_after(wanted, shown) == ['FILE ON SYSTEM']
