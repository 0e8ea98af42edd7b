# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""starrocks_frontend_config and starrocks_backend_config over a scripted driver: what servers seldom do."""

import re

import pytest
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_backend_config, starrocks_frontend_config
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    BACKEND_COLUMNS,
    FRONTEND_COLUMNS,
    Driver,
    Frontend,
    backend_row,
    frontend_row,
    lost,
    said,
)

SHOW = 'ADMIN SHOW FRONTEND CONFIG'
SET = 'ADMIN SET FRONTEND CONFIG ("limit" = "5")'
COLUMNS = ('Key', 'AliasNames', 'Value', 'Type', 'IsMutable', 'Comment')


class FrontEnds:
    """fe1, which leads, fe2 and fe3, each with a ``limit`` of its own; a SET at one of them reaches ``reached``."""

    def __init__(self):
        self.values = {'fe1': '1', 'fe2': '1', 'fe3': '1'}
        self.alive = {'fe1': 'true', 'fe2': 'true', 'fe3': 'true'}
        self.reached = ['fe1', 'fe2', 'fe3']
        self.driver = Driver({(host, 9030): Frontend({
            'SHOW FRONTENDS': self.listing, SHOW: lambda host=host: self.settings(host), SET: self.set,
            SET + ' WITH PERSISTENT': self.set}) for host in self.values})

    def __getitem__(self, host):
        return self.driver.frontends[host, 9030]

    def listing(self):
        return FRONTEND_COLUMNS, [frontend_row(host, 'LEADER' if host == 'fe1' else 'FOLLOWER', self.alive[host])
                                  for host in self.values]

    def settings(self, host):
        return COLUMNS, [['limit', '[]', self.values[host], 'int', 'true', ''],
                         ['port', '[]', '1', 'int', 'false', '']]

    def set(self):
        self.values.update((host, '5') for host in self.reached)
        return (), []

    def refuse_to_write(self, host):
        raise not_reached(host, 'current running mode is not persisted')

    @property
    def changes(self):
        return [statement for frontend in self.driver.frontends.values() if isinstance(frontend, Frontend)
                for statement in frontend.log if statement.startswith('ADMIN SET')]


@pytest.fixture
def front_ends(use):
    made = FrontEnds()
    use(made.driver)
    return made


def not_reached(host, words='Connection refused'):
    return said('Set config failed: set config for fe[%s] failed: java.net.ConnectException: %s' % (host, words), 5101)


def test_statements_of_an_unchanged_call(front_ends, run):
    assert not run(starrocks_frontend_config, settings={'limit': 1})['changed']
    assert [front_ends[host].log for host in ('fe1', 'fe2', 'fe3')] == [['SHOW FRONTENDS', SHOW], [SHOW], [SHOW]]
    del front_ends['fe1'].log[:]
    assert not run(starrocks_frontend_config, settings={'limit': 1}, compare='one')['changed']
    assert front_ends['fe1'].log == [SHOW]


def test_one_that_was_not_reached_at_first(front_ends, run):
    """As after its restart, when the other one still holds the old connection."""
    front_ends.reached.remove('fe3')
    front_ends['fe1'].faults.append(('ADMIN SET', not_reached('fe3'), True))
    front_ends['fe1'].answers[SET] = lambda: (front_ends.set(), front_ends.reached.append('fe3'))[0]
    result = run(starrocks_frontend_config, settings={'limit': 5})
    assert result['queries'] == front_ends.changes == [SET, SET]
    assert [row['settings'] for row in result['frontends']] == [{'limit': 5}] * 3


def test_one_that_is_never_reached(front_ends, run):
    front_ends.reached.remove('fe2')
    front_ends['fe1'].faults.extend([('ADMIN SET', not_reached('fe2'), True)] * 9)
    result = run(starrocks_frontend_config, settings={'limit': 5})
    assert result['failed'] and result['msg'].startswith('limit could not be set on fe2. StarRocks said: Set config')
    assert result['msg'].count('Connection refused') == 1
    assert result['changed'] and front_ends.changes == [SET, SET]
    assert [row['settings'] for row in result['frontends']] == [{'limit': 5}, {'limit': 1}, {'limit': 5}]


def test_one_that_accepts_and_does_not_show(front_ends, run):
    front_ends.reached.remove('fe3')
    result = run(starrocks_frontend_config, settings={'limit': 5})
    assert result['failed'] and result['msg'] == 'limit could not be set on fe3'
    assert front_ends.changes == [SET, SET]


@pytest.mark.parametrize('done, sent', [(True, 1), (False, 2)])
def test_a_statement_in_doubt(front_ends, run, done, sent):
    front_ends['fe1'].faults.append(('ADMIN SET', lost(), done))
    result = run(starrocks_frontend_config, settings={'limit': 5}, login_hosts=['fe1', 'fe2'])
    assert (result['changed'], result['queries'], len(front_ends.changes)) == (True, [SET], sent)


def test_force_is_not_repeated(front_ends, run):
    front_ends.values = dict.fromkeys(front_ends.values, '5')
    result = run(starrocks_frontend_config, settings={'limit': 5}, persistent=True, force=True)
    assert result['queries'] == front_ends.changes == [SET, SET + ' WITH PERSISTENT']
    assert result['diff'] == {'before': {}, 'after': {}}


def test_a_refusal_tells_what_is_known(front_ends, run):
    front_ends['fe1'].faults.append(('ADMIN SET', said("Failed to set config 'limit'. err: too much"), False))
    result = run(starrocks_frontend_config, settings={'limit': 5}, persistent=True)
    assert result['failed'] and 'too much' in result['msg'] and not result['changed']
    assert front_ends.changes == [SET]  # nothing asked to be written into fe.conf
    assert [row['settings'] for row in result['frontends']] == [{'limit': 1}] * 3


def test_a_refusal_after_which_nobody_answers(front_ends, run):
    def refuse():
        front_ends.driver.frontends.clear()
        raise said("Failed to set config 'limit'. err: too much")

    front_ends['fe1'].answers[SET] = refuse
    result = run(starrocks_frontend_config, settings={'limit': 5})
    assert result['failed'] and 'too much' in result['msg'] and result['frontends'] == []


def test_a_dead_one_that_is_still_shown_alive(front_ends, run):
    """It is waited for until it is shown dead; if it never is, nothing is done."""
    del front_ends.driver.frontends['fe3', 9030]
    result = run(starrocks_frontend_config, settings={'limit': 5})
    assert result['failed'] and 'front end fe3: it is shown alive, but' in result['msg']
    assert front_ends.changes == []

    looks = []

    def listing():
        looks.append(1)
        front_ends.alive['fe3'] = 'true' if len(looks) < 3 else 'false'
        return front_ends.listing()

    front_ends['fe1'].answers['SHOW FRONTENDS'] = listing
    front_ends.reached.remove('fe3')
    result = run(starrocks_frontend_config, settings={'limit': 5})
    assert (result['changed'], result['queries']) == (True, [SET])
    assert [row['alive'] for row in result['frontends']] == [True, True, False]


def test_a_file_that_one_did_not_write(front_ends, run):
    """Its value in memory is the wished one by then, so nothing else would tell."""
    front_ends['fe1'].answers[SET + ' WITH PERSISTENT'] = lambda: front_ends.refuse_to_write('fe2')
    result = run(starrocks_frontend_config, settings={'limit': 5}, persistent=True)
    assert result['failed'] and result['msg'].startswith('fe.conf was not written on fe2. StarRocks said: ')
    assert [row['settings'] for row in result['frontends']] == [{'limit': 5}] * 3

    # That of a dead one could not be written; the warning tells that it starts with what it holds.
    front_ends.values = dict.fromkeys(front_ends.values, '1')
    front_ends.alive['fe2'] = 'false'
    result = run(starrocks_frontend_config, settings={'limit': 5}, persistent=True)
    assert result['changed'] and not result.get('failed') and 'front end fe2: it is not alive' in result['warned']


def test_a_file_that_nobody_may_write(front_ends, run):
    """The value is taken back, so that the next run does not find all as it should be and call that a success."""
    back = SET.replace('"5"', '"1"')
    front_ends['fe1'].answers[back] = lambda: (front_ends.values.update(dict.fromkeys(front_ends.values, '1')),
                                               ((), []))[1]
    arguments = dict(settings={'limit': 5}, persistent=True)
    for dummy in range(2):
        front_ends['fe1'].faults.append((SET + ' WITH', said('current running mode is not persisted'), False))
        result = run(starrocks_frontend_config, **arguments)
        assert result['failed'] and 'leave persistent out' in result['msg']
        assert (result['changed'], result['queries'], front_ends.changes[-3:]) == (
            False, [SET, back], [SET, SET + ' WITH PERSISTENT', back])
        assert [row['settings'] for row in result['frontends']] == [{'limit': 1}] * 3
    # Where they had several values there is none to go back to.
    front_ends.values['fe2'] = '2'
    front_ends['fe1'].faults.append((SET + ' WITH', said('current running mode is not persisted'), False))
    result = run(starrocks_frontend_config, **arguments)
    assert (result['changed'], result['queries']) == (True, [SET])
    # What takes it back may fail too.
    front_ends.values = dict.fromkeys(front_ends.values, '1')
    front_ends['fe1'].faults += [(SET + ' WITH', said('current running mode is not persisted'), False),
                                 (back, said('no'), False)]
    result = run(starrocks_frontend_config, **arguments)
    assert 'not persisted' in result['msg'] and (result['changed'], result['queries']) == (True, [SET])
    assert 'limit could not be taken back' in result['warned'] and '(1064) no' in result['warned']


def test_comparing_with_one_the_others_are_not_forgotten(front_ends, run):
    front_ends['fe1'].faults.append(('ADMIN SET', not_reached('fe3'), True))
    result = run(starrocks_frontend_config, settings={'limit': 5}, compare='one')
    assert result['changed'] and 'not set on every front end. StarRocks said: Set config failed' in result['warned']


def test_the_version_is_checked_on_each(front_ends, run):
    def listing():
        columns, rows = front_ends.listing()
        rows[1][columns.index('Version')] = '3.4.4-abc'
        rows[2][columns.index('Version')] = 'MAIN-abc'  # a build of one's own is not held against it
        return columns, rows

    front_ends['fe1'].answers['SHOW FRONTENDS'] = listing
    result = run(starrocks_frontend_config, settings={'limit': 5}, persistent=True)
    assert result['failed'] and result['msg'].startswith('front end fe2: WITH PERSISTENT came with StarRocks 3.5.0')
    assert front_ends.changes == []


# Back ends.

TABLE = 'information_schema.be_configs'
READ = "SELECT * FROM %s WHERE NAME IN ('heartbeat_service_port', 'limit')" % TABLE
UPDATE = "UPDATE %s SET VALUE = '5' WHERE NAME = 'limit' AND BE_ID = 10001" % TABLE


class BackEnds:
    """One back end, 10.0.0.1, with a setting ``limit``; what it tells comes from ``columns``."""

    def __init__(self):
        self.value = '1'
        self.columns = ('BE_ID', 'NAME', 'VALUE', 'TYPE', 'DEFAULT', 'MUTABLE')
        self.frontend = Frontend({
            'SHOW BACKENDS': (BACKEND_COLUMNS, [backend_row('10.0.0.1')]),
            'SHOW COMPUTE NODES': (('ComputeNodeId', 'IP', 'HeartbeatPort', 'Alive'), []),
            READ: self.read, UPDATE: self.update})
        self.driver = Driver({('fe1', 9030): self.frontend})

    def read(self):
        rows = [['10001', 'limit', self.value, 'int32', '1', '1'],
                ['10001', 'heartbeat_service_port', '9050', 'int32', '9050', '0']]
        return self.columns, [row[:len(self.columns)] for row in rows]

    def update(self):
        self.value = '5'
        return (), []


@pytest.fixture
def back_ends(use):
    made = BackEnds()
    use(made.driver)
    return made


def test_back_ends_that_tell_little(back_ends, run):
    back_ends.columns = back_ends.columns[:3]
    result = run(starrocks_backend_config, settings={'limit': 5})
    assert result['queries'] == [UPDATE] and result['backends'][0]['settings'] == {'limit': '5'}


def test_an_update_that_does_nothing_and_does_not_say_so(back_ends, run):
    """The first releases of 3.0 (StarRocks pull request 22658)."""
    back_ends.frontend.answers[UPDATE] = ((), [])
    result = run(starrocks_backend_config, settings={'limit': 5})
    assert result['failed'] and 'limit could not be set on 10.0.0.1:9050' in result['msg']
    assert result['backends'][0]['settings'] == {'limit': 1}


def test_a_query_that_a_node_keeps_from_running(back_ends, run):
    """For a while after a node died; it is asked again, and said if it stays so."""
    refusal = said('Backend node not found. Check if any backend node is down.backend: [10.0.0.1 alive: true]')
    back_ends.frontend.faults.extend([('SELECT', refusal, False)] * 2)
    assert run(starrocks_backend_config, settings={'limit': 5})['queries'] == [UPDATE]
    back_ends.frontend.faults.extend([('SELECT', refusal, False)] * 99)
    result = run(starrocks_backend_config, settings={'limit': 5})
    assert result['failed'] and re.search(r'10\.0\.0\.1:9050: it is shown alive, but .*on the blacklist', result['msg'])


def test_a_node_that_is_not_in_the_answer(back_ends, run):
    back_ends.frontend.answers[READ] = (back_ends.columns, [['-1', 'limit', '1', 'int32', '1', '1']])
    result = run(starrocks_backend_config, settings={'limit': 5})
    assert result['failed'] and '10.0.0.1:9050: it is shown alive, but %s tells nothing of it' % TABLE in result['msg']


def test_another_refusal_is_final(back_ends, run):
    back_ends.frontend.faults.append(('SELECT', said('Access denied; you need OPERATE', 5203), False))
    result = run(starrocks_backend_config, settings={'limit': 5})
    assert result['failed'] and 'Access denied' in result['msg'] and len(back_ends.frontend.log) == 3


# Secrets.

@pytest.mark.parametrize('secret', [
    'S3CRET "a" \'b\'', ' S3CRET ', ['S3CRET', 'b"S3CRET'], {'a': 'S3CRET'}, '\0S3CRET'])
@pytest.mark.parametrize('module, double', [
    (starrocks_frontend_config, FrontEnds), (starrocks_backend_config, BackEnds)])
def test_secrets_are_shown_nowhere(use, run, module, double, secret):
    """Neither in the result, nor in what -vvv shows of the arguments, nor in the host's log, whatever the outcome."""
    double = double()
    use(double.driver)
    result = run(module, settings={'x_password': secret, 'limit': 7})
    assert result['failed'] and 'S3CRET' not in str(result)
    assert result['invocation']['module_args']['settings'] == {'x_password': '********', 'limit': 7}
    assert 'x_password' in result['logged']
    wrong = run(module, settings={'x_password': secret}, immutable='maybe')
    assert 'immutable' in wrong['msg'] and 'S3CRET' not in str(wrong)


def test_a_secret_that_an_answer_repeats(front_ends, run):
    front_ends['fe1'].answers[SHOW] = (COLUMNS, [['x_pwd', '[]', 'old S3CRET', 'String', 'true', '']])
    for host in ('fe2', 'fe3'):
        front_ends.alive[host] = 'false'
    front_ends['fe1'].faults.append(('ADMIN SET', said("what is 'new \\'S3CRET'?"), False))
    result = run(starrocks_frontend_config, settings={'x_pwd': "new 'S3CRET"})
    assert 'what is' in result['msg'] and 'S3CRET' not in str(result)
    assert run(starrocks_frontend_config, check=True, settings={'x_pwd': "new 'S3CRET"})['diff']['after'] == {
        'fe1': {'x_pwd': 'the given value'}}
