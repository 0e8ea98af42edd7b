# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""starrocks_user and starrocks_query from their arguments to their result, over a scripted driver."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _accounts
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_query, starrocks_user
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    FRONTEND_COLUMNS,
    Driver,
    Frontend,
    frontend_row,
    lost,
    said,
)

SHOWN = "SET PASSWORD FOR 'root'@'%' = PASSWORD('********')"
DENIED = said("Access denied; you need (at least one of) the OPERATE privilege(s)", 5203)
GRANTS = ('UserIdentity', 'Catalog', 'Grants')


class Accounts:
    """One front end that knows root and 'u'@'%'; CREATE, DROP and SET PASSWORD of the answers change it."""

    def __init__(self):
        self.names = ["'root'@'%'", "'u'@'%'"]
        self.who = "'root'@'%'"
        self.grants = []
        self.frontend = Frontend({
            'SHOW FRONTENDS': (FRONTEND_COLUMNS, [frontend_row('fe1', 'LEADER')]),
            _accounts.LIST_ACCOUNTS: lambda: (('UserIdentity', 'Password'), [[name, 'Yes'] for name in self.names]),
            _accounts.WHO_AM_I: lambda: (('user_identity',), [[self.who]]),
            "SHOW GRANTS FOR 'u'@'%'": lambda: (GRANTS, [["'u'@'%'", None, text] for text in self.grants]),
            "EXECUTE AS 'u'@'%' WITH NO REVERT": ((), []),
            'SET ROLE DEFAULT': ((), []),
            'SELECT CURRENT_ROLE() AS default_roles': (('default_roles',), [['a']]),
        }, {'root': '', 'u': 'pw'})
        self.driver = Driver({('fe1', 9030): self.frontend})

    def takes(self, statement, then=lambda: None):
        """Let ``statement`` be answered, doing ``then``."""
        self.frontend.answers[statement] = lambda: (then(), ((), []))[1]

    def takes_password(self, password):
        self.takes("SET PASSWORD FOR 'root'@'%%' = PASSWORD('%s')" % password,
                   lambda: self.frontend.passwords.update(root=password))

    @property
    def changes(self):
        return [statement for statement in self.frontend.log if not statement.startswith(('SHOW', 'SELECT', 'EXECUTE',
                                                                                          'SET ROLE'))]


@pytest.fixture
def accounts(use):
    made = Accounts()
    use(made.driver)
    return made


# -- passwords -------------------------------------------------------------------------------------------------------

def test_the_first_password_of_root(accounts, run):
    accounts.takes_password('new')
    arguments = dict(password='new', login_password='new', check_implicit_admin=True)
    result = run(starrocks_user, check=True, **arguments)
    assert (result['changed'], result['queries'], accounts.changes) == (True, [SHOWN], [])
    result = run(starrocks_user, **arguments)
    assert (result['changed'], result['queries'], accounts.frontend.passwords['root']) == (True, [SHOWN], 'new')
    del accounts.frontend.log[:]
    result = run(starrocks_user, **arguments)
    assert (result['changed'], result['queries'], accounts.frontend.log) == (False, [], [_accounts.WHO_AM_I])


def test_a_password_is_changed_once(accounts, run):
    """The second run still logs in with the old one."""
    accounts.frontend.passwords['root'] = 'old'
    accounts.takes_password('new')
    assert run(starrocks_user, password='new', login_password='old')['changed']
    assert not run(starrocks_user, password='new', login_password='old')['changed']


def test_the_connection_is_lost_after_the_password_was_set(accounts, run):
    accounts.frontend.passwords['root'] = 'old'
    accounts.takes_password('new')
    accounts.frontend.faults.append(('SET', lost(), True))
    result = run(starrocks_user, password='new', login_password='old')
    assert (result['changed'], result['queries'], len(accounts.changes)) == (True, [SHOWN], 1)


def test_a_password_that_does_not_let_in(accounts, run):
    accounts.takes("SET PASSWORD FOR 'root'@'%' = PASSWORD('new')")
    result = run(starrocks_user, password='new', login_password='')
    assert result['failed'] and 'does not let it in' in result['msg']


def test_a_wrong_login_password_stays_one(accounts, run):
    accounts.frontend.passwords['root'] = 'old'
    result = run(starrocks_user, password='new', login_password='wrong')
    assert result['failed'] and 'Access denied' in result['msg'] and accounts.frontend.log == []


def test_accounts_come_and_go(accounts, run):
    accounts.takes("CREATE USER 'v'@'%' IDENTIFIED BY 'pw'",
                   lambda: (accounts.names.append("'v'@'%'"), accounts.frontend.passwords.update(v='pw')))
    accounts.takes("DROP USER 'v'@'%'", lambda: accounts.names.remove("'v'@'%'"))
    assert not run(starrocks_user, name='v', state='absent')['changed']
    assert 'a password is needed' in run(starrocks_user, name='v')['msg']
    assert run(starrocks_user, name='v', password='pw')['queries'] == ["CREATE USER 'v'@'%' IDENTIFIED BY '********'"]
    assert not run(starrocks_user, name='v', password='pw')['changed']
    assert run(starrocks_user, name='v', state='absent')['changed'] and accounts.names == ["'root'@'%'", "'u'@'%'"]


def test_an_account_that_another_one_shadows(accounts, run):
    """StarRocks lets u in as 'u'@'10.0.0.1', whose password tells nothing of that of 'u'@'%'."""
    accounts.names.append("'u'@'10.0.0.1'")
    accounts.takes("SET PASSWORD FOR 'u'@'%' = PASSWORD('pw')")
    accounts.who = "'u'@'10.0.0.1'"
    result = run(starrocks_user, name='u', password='pw')
    assert result['changed'] and 'cannot be told from this host' in result['warned']
    accounts.who = "'u'@'%'"
    result = run(starrocks_user, name='u', password='pw')
    assert not result['changed'] and not result['warned']


def test_an_account_of_other_hosts(accounts, run):
    accounts.names.append("'w'@'10.9.%'")
    accounts.takes("SET PASSWORD FOR 'w'@'10.9.%' = PASSWORD('pw')")
    result = run(starrocks_user, name='w', host='10.9.%', password='pw')
    assert result['changed'] and 'cannot be told from this host' in result['warned']
    assert not run(starrocks_user, name='w', host='10.9.%', password='pw', update_password='on_create')['changed']


def test_a_server_that_fails_at_the_login_of_another(accounts, run):
    accounts.names.append("'w'@'10.9.%'")
    accounts.frontend.passwords['w'] = 'pw'
    accounts.frontend.faults.append((_accounts.WHO_AM_I, said('Too many connections', 1040), False))
    assert 'Too many connections' in run(starrocks_user, name='w', host='10.9.%', password='pw')['msg']


def test_who_may_not_see_the_front_ends_asks_the_one_at_hand(accounts, run):
    accounts.frontend.faults.append(('SHOW FRONTENDS', DENIED, False))
    assert not run(starrocks_user, name='u', password='pw')['changed']
    accounts.frontend.faults.append(('SHOW FRONTENDS', said('something else'), False))
    assert 'something else' in run(starrocks_user, name='u', password='pw')['msg']


def test_another_server(accounts, run):
    accounts.frontend.answers[_accounts.LIST_ACCOUNTS] = (('Something',), [['x']])
    assert 'without a column UserIdentity' in run(starrocks_user, name='u')['msg']


def test_what_is_wrong_is_told_before_anybody_is_asked(accounts, run):
    result = run(starrocks_user, name='', roles=['a', 'a'], login_port=0)
    for words in ('name: must not be empty', 'a stands there more than once', 'port 0'):
        assert words in result['msg']
    assert accounts.driver.connects == [] and not result['changed']
    assert 'mutually exclusive' in run(starrocks_user, password='secret', password_hash='*12')['msg']


def test_a_server_that_repeats_the_password(accounts, run):
    """The words of a server are hidden too, also where it repeats the password as the statement has it."""
    secret = "it's secret"
    accounts.frontend.faults.append(('CREATE USER', said("no viable input 'it\\'s secret' at it's secret"), False))
    result = run(starrocks_user, name='v', password=secret)
    assert result['failed'] and 'secret' not in result['msg'].replace('********', '')


# -- roles and privileges --------------------------------------------------------------------------------------------

WISHES = dict(name='u', roles=['a'], default_roles=['ALL'], privileges=['OPERATE ON SYSTEM'])


def test_rights_that_are_as_wished(accounts, run):
    accounts.grants = ["GRANT 'a' TO  'u'@'%'", "GRANT OPERATE ON SYSTEM TO USER 'u'@'%'"]
    result = run(starrocks_user, **WISHES)
    assert (result['changed'], result['roles'], result['default_roles'], result['privileges']) == (
        False, ['a'], ['a'], ['OPERATE ON SYSTEM'])
    assert result['diff']['before'] == result['diff']['after']


def test_privileges_that_are_shown_otherwise(accounts, run):
    accounts.takes("GRANT SELECT ON a.* TO USER 'u'@'%'",
                   lambda: accounts.grants.append("GRANT SELECT ON ALL TABLES IN DATABASE a TO USER 'u'@'%'"))
    result = run(starrocks_user, name='u', privileges=['SELECT ON a.*'])
    assert result['failed'] and result['changed']
    assert 'SELECT ON a.*. It shows: SELECT ON ALL TABLES IN DATABASE a' in result['msg']


def test_rights_need_3_0(accounts, run):
    accounts.frontend.set_up['SELECT @@version_comment'] = (('x',), [['StarRocks version 2.5.22']])
    result = run(starrocks_user, **WISHES)
    assert 'came with StarRocks 3.0.0, and this is 2.5.22' in result['msg'] and accounts.changes == []


def test_default_roles_need_impersonate(accounts, run):
    accounts.grants = ["GRANT 'a' TO 'u'@'%'"]
    accounts.frontend.faults.append(('EXECUTE AS', DENIED, False))
    result = run(starrocks_user, name='u', default_roles=['a'])
    assert 'needs IMPERSONATE' in result['msg'] and accounts.changes == []
    accounts.frontend.faults.append(('EXECUTE AS', said('something else'), False))
    assert 'something else' in run(starrocks_user, name='u', default_roles=['a'])['msg']


def test_default_roles_are_never_read_as_somebody_else(accounts, run):
    """A connection that is lost between EXECUTE AS and the question is given up, and all is asked again."""
    accounts.grants = ["GRANT 'a' TO 'u'@'%'"]
    accounts.frontend.faults.append(('SET ROLE', lost(), False))
    assert not run(starrocks_user, name='u', default_roles=['a'])['changed']
    asked = [statement for statement in accounts.frontend.log if statement.startswith(('EXECUTE', 'SET ROLE'))]
    assert asked == ["EXECUTE AS 'u'@'%' WITH NO REVERT", 'SET ROLE DEFAULT'] * 2
    accounts.frontend.faults += [('SET ROLE', lost(), False)] * 2
    assert 'Lost connection' in run(starrocks_user, name='u', default_roles=['a'])['msg']


# -- questions -------------------------------------------------------------------------------------------------------

ADD = 'ALTER SYSTEM ADD BACKEND "10.0.0.1:9050"'


def test_query(accounts, run):
    accounts.takes(ADD)
    result = run(starrocks_query, query=_accounts.LIST_ACCOUNTS)
    assert not result['changed'] and result['rows'][0] == {'UserIdentity': "'root'@'%'", 'Password': 'Yes'}
    assert result['results'][0]['types'] == {'UserIdentity': 'varchar', 'Password': 'varchar'}
    result = run(starrocks_query, check=True, query=[_accounts.LIST_ACCOUNTS, ADD])
    assert (result['changed'], len(result['results']), accounts.changes) == (True, 1, [])
    result = run(starrocks_query, query=ADD)
    assert (result['changed'], result['rows'], accounts.changes) == (True, [], [ADD])
    assert 'one statement' in run(starrocks_query, query='SELECT 1; DROP TABLE t')['msg']
    assert 'there is no statement' in run(starrocks_query, query=[])['msg']


def test_query_with_arguments(accounts, run):
    accounts.frontend.answers['SELECT 7'] = (('a',), [[7]])
    assert run(starrocks_query, query='SELECT %s', positional_args=[7])['rows'] == [{'a': 7}]
    result = run(starrocks_query, query='SELECT %(n)s', named_args={'n': 7})
    assert result['rows'] == [{'a': 7}] and result['queries'] == ['SELECT %(n)s']
    del accounts.driver.connects[:]
    assert 'values are given' in run(starrocks_query, query='SELECT %s', positional_args=[7, 8])['msg']
    assert accounts.driver.connects == []


@pytest.mark.parametrize('read_only, check, changed, sent', [
    ('auto', False, False, 1), ('auto', True, False, 1), (True, True, False, 1), ('true', False, False, 1),
    (False, False, True, 1), ('false', True, True, 0)])
def test_read_only(accounts, run, read_only, check, changed, sent):
    accounts.frontend.answers['SELECT 7'] = (('a',), [[7]])
    result = run(starrocks_query, check=check, query='SELECT 7', read_only=read_only)
    assert (result['changed'], accounts.frontend.log) == (changed, ['SELECT 7'] * sent)


def test_what_was_answered_before_an_error_is_kept(accounts, run):
    accounts.frontend.answers['SELECT 7'] = (('a',), [[7]])
    accounts.frontend.faults.append((ADD, said('no'), False))
    result = run(starrocks_query, query=['SELECT 7', ADD])
    assert result['failed'] and not result['changed'] and result['rows'] == [{'a': 7}]
    assert 'front end fe1:9030, statement %s: (1064) no' % ADD in result['msg'] and 'not known' not in result['msg']


def test_a_change_in_doubt_is_said_and_not_repeated(accounts, run):
    accounts.takes(ADD)
    accounts.frontend.faults.append((ADD, lost(), True))
    result = run(starrocks_query, query=ADD)
    assert 'It is not known whether the statement was done' in result['msg'] and accounts.changes == [ADD]


@pytest.mark.parametrize('first, asked', [
    ('SELECT 1', 2), ('USE db', 1), ('/* c */ set catalog hive', 1), ('EXECUTE AS u WITH NO REVERT', 1), ('BEGIN', 1),
    ('CREATE TEMPORARY TABLE t (a int)', 1)])
def test_what_an_earlier_statement_set_for_the_session_is_not_lost_unnoticed(accounts, run, first, asked):
    """A question is asked again over a new connection, but not where it would mean something else there."""
    accounts.frontend.answers.update({first: ((), []), 'SELECT 7': (('a',), [[7]])})
    accounts.frontend.faults.append(('SELECT 7', lost(), False))
    result = run(starrocks_query, query=[first, 'SELECT 7'])
    assert accounts.frontend.log.count('SELECT 7') == asked
    assert result.get('failed', False) is (asked == 1)
    if asked == 1:
        assert 'the statements before it hold for the lost connection alone' in result['msg']


# -- secrets in arguments --------------------------------------------------------------------------------------------

def test_statements_with_secrets_are_hidden_wherever_arguments_are_shown(accounts, run):
    """In what -vvv shows (invocation) and in the host's log, too."""
    accounts.takes("SET PASSWORD = PASSWORD('it\\'s S3CRET')")
    accounts.takes("SET PASSWORD FOR open = PASSWORD(S3CRET two)")  # as the double fills arguments in
    accounts.frontend.answers['SELECT 7'] = lambda: (('a',), [["it's S3CRET"]])
    for result in (
            run(starrocks_query, query=["SET PASSWORD = PASSWORD('it\\'s S3CRET')", 'SELECT 7']),
            run(starrocks_query, query='SET PASSWORD FOR %s = PASSWORD(%s)', positional_args=['open', 'S3CRET two']),
            run(starrocks_query, query='SET PASSWORD FOR %(u)s = PASSWORD(%(p)s)',
                named_args={'u': 'open', 'p': 'S3CRET two'})):
        assert not result.get('failed') and 'S3CRET' not in str(result)
        assert 'PASSWORD' in result['logged'] and 'PASSWORD' in str(result['invocation']['module_args']['query'])
    assert result['invocation']['module_args']['named_args'] == {'u': 'open', 'p': '********'}


def test_arguments_that_are_refused_are_not_shown(accounts, run):
    result = run(starrocks_query, query="SET PASSWORD = PASSWORD('S3CRET')", read_only='maybe',
                 positional_args=['S3CRET'])
    assert 'read_only' in result['msg'] and 'S3CRET' not in str(result)
    result = run(starrocks_query, query="SET PASSWORD = PASSWORD('S3CRET'); SELECT %s", positional_args=[])
    assert 'holds one statement' in result['msg'] and 'S3CRET' not in str(result)


@pytest.mark.parametrize('password', ['e', '9', 'True', 'als'])
def test_a_password_that_is_part_of_everything(accounts, run, password):
    """It hides itself and nothing else."""
    accounts.frontend.passwords['root'] = password
    accounts.frontend.answers['SELECT 7'] = (('port', 'alive'), [[9030, False]])
    result = run(starrocks_query, query='SELECT 7', login_password=password)
    assert result['rows'] == [{'port': 9030, 'alive': False}] and result['changed'] is False
    accounts.takes("SET PASSWORD FOR 'u'@'%%' = PASSWORD('%s')" % password,
                   lambda: accounts.frontend.passwords.update(u=password))
    result = run(starrocks_user, name='u', password=password, login_password=password)
    assert (result['user'], result['queries']) == ("'u'@'%'", ["SET PASSWORD FOR 'u'@'%' = PASSWORD('********')"])
    hidden = {result['invocation']['module_args'][option] for option in ('password', 'login_password')}
    assert hidden == {'VALUE_SPECIFIED_IN_NO_LOG_PARAMETER'}


@pytest.mark.parametrize('module, option, value', [
    (starrocks_query, 'query', ["SELECT 'a\udcff'"]), (starrocks_query, 'positional_args', ['\udcff']),
    (starrocks_query, 'named_args', {'\udcff': 1}), (starrocks_user, 'name', '\udcff'),
    (starrocks_user, 'password', '\udcff'), (starrocks_user, 'login_password', 'S3CRET\udcff'),
])
def test_bytes_that_are_no_text_are_refused(accounts, run, module, option, value):
    """Ansible hands over a byte that is no UTF-8, from a file or another command, as half a character."""
    arguments = dict({'query': 'SELECT 1'} if module is starrocks_query else {'password': 'S3CRET'}, **{option: value})
    result = run(module, **arguments)
    assert '%s: holds bytes that are no UTF-8 text' % option in result['msg'] and 'S3CRET' not in str(result)
    assert accounts.driver.connects == []
