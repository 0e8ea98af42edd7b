# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import ssl
import subprocess

import pymysql
import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _connection as connection
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import AGAIN, FINAL, STALE, Session
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import BACKENDS, BROKERS, FRONTENDS, seconds_of
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    BACKEND_COLUMNS,
    BROKER_COLUMNS,
    FRONTEND_COLUMNS,
    Clock,
    Driver,
    Frontend,
    backend_row,
    frontend_row,
    lost,
    said,
)

LISTING = (FRONTEND_COLUMNS, [frontend_row('fe1'), frontend_row('fe2', 'LEADER'), frontend_row('fe3', alive='false')])


def parameters(*hosts, **options):
    return dict(dict(login_hosts=list(hosts), login_port=9030, login_user='root', login_password='',
                     check_implicit_admin=False, connect_timeout=5, read_timeout=60), **options)


def session(frontends, *hosts, **options):
    clock = Clock()
    driver = Driver(frontends)
    patience = options.pop('patience', 10)
    made = Session(connection.options_from(parameters(*hosts, **options)), patience=patience, driver=driver,
                   clock=clock, sleep=clock.sleep, resolve=lambda host: frozenset())
    made.test_clock, made.test_driver = clock, driver
    return made


def frontends(**named):
    return {(name, 9030): frontend for name, frontend in named.items()}


# The words of real front ends: transcripts of the versions named.
@pytest.mark.parametrize('errno, words, name, outcome', [
    (1045, "Access denied for user 'root' (using password: YES)", 'access denied', FINAL),
    (2013, 'Lost connection to MySQL server during query', 'connection lost', AGAIN),
    (2006, 'MySQL server has gone away', 'connection lost', AGAIN),
    (1064, 'Socket is closed by peer.', 'leader changes', AGAIN),
    (1064, 'java.net.ConnectException: Connection refused', 'leader changes', AGAIN),
    (1064, '(JE 18.3.20) Commit policy: SIMPLE_MAJORITY required 1 replica. But none were active with this master.',
     'no leader', AGAIN),
    (1064, 'com.sleepycat.je.rep.UnknownMasterException: (JE 18.3.16) Could not determine master from helpers at:[]',
     'no leader', AGAIN),
    (1064, 'Internal error processing forward', 'front end is no member', AGAIN),
    (1064, 'Unexpected exception: Failed to acquire globalStateMgr lock. Try again', 'metadata busy', AGAIN),
    (1064, 'frontend name already exists 10.0.0.1_9010_1. Try again', 'metadata busy', AGAIN),
    (1064, 'Backend already exists with same host 127.0.0.7 and port 9050', 'already there', STALE),
    (1064, 'Unexpected exception: Same backend already exists[h:9050]', 'already there', STALE),
    (1064, 'FE with the same host: 127.0.0.9 already exists', 'already there', STALE),
    (1064, 'Broker(127.0.0.6:8000) has already in brokers.', 'already there', STALE),
    (1064, 'backend does not exists[127.0.0.99:9050]', 'not there', STALE),
    (1064, 'FOLLOWER does not exist[127.0.0.1:9010]', 'not there', STALE),
    (1064, 'Unknown broker name(nosuch)', 'not there', STALE),
    (1064, 'Tables such as [t.b] on the backend[127.0.0.3:9050] have only one replica. To avoid data loss',
     'single replica', FINAL),
    (1064, 'Getting analyzing error. Detail message: Unknown host: no-such-host.invalid: x.', 'name unknown', FINAL),
    (5203, 'Access denied; you need (at least one of) the NODE privilege(s) on SYSTEM', 'privilege missing', FINAL),
    (1227, 'Access denied; you need (at least one of) the OPERATE privilege(s)', 'privilege missing', FINAL),
    (1064, "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB", 'not StarRocks',
     FINAL),
    (1064, 'Unknown table t.x', 'error', FINAL),
])
def test_rules(errno, words, name, outcome):
    rule = connection.rule_for(errno, words)
    assert (rule.name, rule.outcome) == (name, outcome)


def test_every_rule_names_its_source_and_what_to_do():
    for rule in connection.ERROR_RULES:
        assert rule.source and rule.advice and (rule.errnos or rule.texts)


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    """A certificate that signs itself, for the name localhost, and its key."""
    folder = tmp_path_factory.mktemp('authority')
    certificate, key = str(folder / 'certificate.pem'), str(folder / 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out',
                    certificate, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
                   check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize('with_ca, with_pair, check_hostname, checked, name_checked', [
    (True, False, None, True, True),
    (True, True, True, True, True),
    (True, False, False, True, False),
    (False, False, False, False, False),
    (False, True, None, False, False),
])
def test_tls(authority, with_ca, with_pair, check_hostname, checked, name_checked):
    certificate, key = authority
    context = connection.options_from(parameters(
        'fe1', ca_cert=certificate if with_ca else None, client_cert=certificate if with_pair else None,
        client_key=key if with_pair else None, check_hostname=check_hostname)).tls
    assert (context.verify_mode is ssl.CERT_REQUIRED, context.check_hostname) == (checked, name_checked)


@pytest.mark.parametrize('given, words', [
    ({'check_hostname': True}, 'check_hostname: true needs ca_cert'),
    ({'client_key': '/k'}, 'client_key is of no use without client_cert'),
])
def test_tls_options_that_lack_another(given, words):
    with pytest.raises(connection.BadOptions, match=words):
        connection.options_from(parameters('fe1', **given))


def test_no_tls():
    assert connection.options_from(parameters('fe1')).tls is None


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    """Also files that are there and hold no certificate."""
    empty = tmp_path / 'empty.pem'
    empty.write_text('')
    with pytest.raises(connection.BadOptions) as caught:
        connection.options_from(parameters("fe'1", 'fe1:0', connect_timeout=0, ca_cert=str(empty)))
    assert [finding.partition(':')[0] for finding in caught.value.findings] == [
        'login_hosts or login_port', 'login_hosts or login_port', 'connect_timeout',
        'ca_cert, client_cert or client_key (%s)' % empty]
    with pytest.raises(connection.BadOptions, match='No such file'):
        connection.options_from(parameters('fe1', client_cert='/nowhere/c', client_key='/nowhere/k'))


@pytest.mark.parametrize('hosts', [[], ["fe'1"], ['fe1:0']])
def test_bad_hosts_are_told_before_connecting(hosts):
    with pytest.raises(ValueError):
        connection.options_from(parameters(*hosts))


def test_the_first_that_answers_is_taken():
    made = session(frontends(fe2=Frontend()), 'fe1', 'fe2', 'fe3')
    made.connect()
    assert made.address == 'fe2:9030'
    assert made.attempts == [{'host': 'fe1:9030', 'error': "Can't connect to MySQL server on 'fe1' (refused)"}]


def test_timeouts_are_passed_on():
    made = session(frontends(fe1=Frontend()), 'fe1', connect_timeout=3, read_timeout=7)
    made.connect()
    options = made.test_driver.options
    assert (options['connect_timeout'], options['read_timeout'], options['write_timeout']) == (3, 7, 3)


@pytest.mark.parametrize('left, seconds', [(None, 60), (100, 60), (20, 20), (2, 5), (-1, 5)])
def test_who_waits_no_longer_asks_no_longer(left, seconds):
    made = session(frontends(fe1=Frontend({'SELECT 1': (('1',), [['1']])})), 'fe1')
    made.deadline = None if left is None else made.clock() + left
    made.read('SELECT 1')
    assert made.test_driver.last.answer_timeout == seconds


@pytest.mark.parametrize('left, tried', [(None, 3), (1, 3), (0, 1)])
def test_after_the_deadline_no_further_front_end_is_tried(left, tried):
    made = session({}, 'fe1', 'fe2', 'fe3')
    made.deadline = left
    with pytest.raises(connection.ConnectError) as error:
        made.connect()
    assert len(error.value.attempts) == len(made.test_driver.connects) == tried


@pytest.mark.parametrize('comment, version', [
    ('3.5.0-0be11fd', '3.5.0-0be11fd'), ('StarRocks version 3.0.9', '3.0.9'),
    ('MAIN-RELEASE-d094052', 'MAIN-RELEASE-d094052'), ('StarRocks version 2.5.0-rc01', '2.5.0-rc01'),
])
def test_version(comment, version):
    fe1 = Frontend()
    fe1.set_up[connection.ASK_VERSION] = (('@@version_comment',), [[comment]])
    made = session(frontends(fe1=fe1), 'fe1')
    assert made.version() == version and fe1.log == []


def test_version_of_one_that_did_not_say_at_first():
    """A follower without a leader answers neither SET nor SELECT, and may later."""
    fe1 = Frontend({connection.ASK_VERSION: (('@@version_comment',), [['3.5.0-0be11fd']]), FRONTENDS.proc: LISTING})
    fe1.set_up = {}
    gone = said('com.sleepycat.je.rep.UnknownMasterException: (JE 18.3.16) Could not determine master')
    fe1.faults.extend([('S', gone, False)] * 2)
    made = session(frontends(fe1=fe1), 'fe1')
    assert len(made.local_rows(FRONTENDS)) == 3
    assert made.version() == '3.5.0-0be11fd'
    assert made.version() and fe1.log.count(connection.ASK_VERSION) == 2


@pytest.mark.parametrize('comment, words, name', [
    ('MySQL Community Server - GPL', 'not StarRocks, but says of itself: MySQL Community', 'not StarRocks'),
    ('mariadb.org binary distribution', 'not StarRocks', 'not StarRocks'),
    ('Doris version doris-2.1.0-rc11-6c5cbcd', 'not StarRocks', 'not StarRocks'),
    ('2.3.18-2a0f1f4', 'version 2.3.18-2a0f1f4, which is older than StarRocks 2.5', 'too old'),
    ('StarRocks version 2.4.5', 'version 2.4.5, which is older', 'too old'),
])
def test_servers_that_are_not_ours(comment, words, name):
    fe1 = Frontend()
    fe1.set_up[connection.ASK_VERSION] = (('@@version_comment',), [[comment]])
    made = session(frontends(fe1=fe1), 'fe1')
    with pytest.raises(connection.ConnectError) as caught:
        made.read('SHOW FRONTENDS')
    assert words in str(caught.value) and (caught.value.rule.name, caught.value.outcome) == (name, FINAL)
    assert made.test_driver.last.closed and fe1.log == [] and made.address is None


def session_at(now, version):
    """A session with a front end whose living row was heard of at 03:20:00, on a host that takes it to be ``now``."""
    heard = (FRONTEND_COLUMNS + ('LastHeartbeat',), [frontend_row('fe1', 'LEADER') + ['2026-11-23 03:20:00']])
    stopped = (BACKEND_COLUMNS, [backend_row('be1', alive='false')])
    fe1 = Frontend({FRONTENDS.show: heard, BACKENDS.show: stopped})
    fe1.set_up[connection.ASK_VERSION] = (('@@version_comment',), [[version]])
    made = session(frontends(fe1=fe1), 'fe1')
    made.now = lambda: seconds_of(now)
    return made


def test_times_of_a_server_that_will_not_be_told_the_zone():
    """A 4.1 cut (section 0.18): what a living row tells holds for the next table too."""
    made = session_at('2026-11-22T19:20:02Z', '4.1.0-70d1c24')
    assert made.rows(BACKENDS)[0]['last_start_time'] == '2026-11-23T03:05:32Z'
    assert made.rows(FRONTENDS)[0]['start_time'] == '2026-11-22T19:15:46Z'
    assert made.rows(BACKENDS)[0]['last_start_time'] == '2026-11-22T19:05:32Z'


@pytest.mark.parametrize('now, version', [
    ('2026-11-23T00:20:02Z', '3.5.0-0be11fd'), ('2026-11-22T19:20:02Z', '4.0.4-0be11fd'),
    ('2026-11-23T00:20:02Z', '4.1.0-70d1c24'), ('2026-11-23T00:20:02Z', 'MAIN-RELEASE-d094052')])
def test_a_clock_that_is_hours_off_moves_no_times(now, version):
    """A server that has accepted to show UTC is believed; of the stubborn ones the zone is known."""
    made = session_at(now, version)
    row, = made.rows(FRONTENDS)
    assert (row['last_heartbeat'], row['start_time']) == ('2026-11-23T03:20:00Z', '2026-11-23T03:15:46Z')


def test_times_of_a_server_that_refuses_to_show_utc():
    """A follower without a leader may refuse; what its rows show is then the evidence there is."""
    made = session_at('2026-11-23T00:20:02Z', '3.5.0-0be11fd')
    front_end = made.test_driver.frontends['fe1', 9030]
    del front_end.set_up[connection.ASK_FOR_UTC]
    front_end.faults.append((connection.ASK_FOR_UTC, said('no leader'), False))
    assert made.rows(FRONTENDS)[0]['start_time'] == '2026-11-23T00:15:46Z'


def test_dicts():
    made = session(frontends(fe1=Frontend({'SELECT 7': (('BE_ID', 'Value'), [[7, None]])})), 'fe1')
    assert made.dicts('SELECT %s', (7,)) == [{'be_id': '7', 'value': None}]


def test_nobody_answers():
    made = session({}, 'fe1', 'fe2')
    with pytest.raises(connection.ConnectError) as caught:
        made.read('SHOW FRONTENDS')
    assert caught.value.outcome == AGAIN
    assert 'fe1:9030' in str(caught.value) and 'fe2:9030' in str(caught.value) and 'To do:' in str(caught.value)
    # An absent cluster is told at once; patience is for one that was there.
    assert made.test_clock.now == 0


def test_a_refusal_tells_more_than_silence():
    made = session(frontends(fe2=Frontend(passwords={'root': 'x'})), 'fe1', 'fe2', 'fe3', login_password='wrong')
    with pytest.raises(connection.ConnectError) as caught:
        made.connect()
    assert caught.value.rule is connection.DENIED and caught.value.outcome == FINAL


@pytest.mark.parametrize('user, password, implicit, entered', [
    ('root', 'new', True, True),
    ('root', 'new', False, False),
    ('admin', 'new', True, False),
    ('root', '', True, True),
])
def test_the_empty_password_of_a_new_cluster(user, password, implicit, entered):
    made = session(frontends(fe1=Frontend(passwords={'root': '', 'admin': ''})), 'fe1', login_user=user,
                   login_password=password, check_implicit_admin=implicit)
    if entered:
        made.connect()
        assert made.implicit_admin is (password != '')
    else:
        with pytest.raises(connection.ConnectError):
            made.connect()


def test_the_empty_password_is_not_tried_when_the_right_one_fits():
    secured = Frontend(passwords={'root': 'x'})
    made = session(frontends(fe1=secured), 'fe1', login_password='x', check_implicit_admin=True)
    made.connect()
    assert len(made.test_driver.connects) == 1 and not made.implicit_admin


@pytest.mark.parametrize('error', [
    lost(), said('Socket is closed by peer.'), said('java.net.ConnectException: Connection refused'),
    pymysql.err.InternalError('Packet sequence number wrong - got 80 expected 1'), ValueError('garbage'),
    pymysql.err.InterfaceError(0, ''), said('Internal error processing forward'),
])
def test_a_read_goes_on_elsewhere(error):
    broken, good = Frontend({FRONTENDS.show: LISTING}), Frontend({FRONTENDS.show: LISTING})
    broken.faults.append(('SHOW', error, False))
    made = session(frontends(fe1=broken, fe2=good), 'fe1', 'fe2')
    assert len(made.rows(FRONTENDS)) == 3
    assert made.address == 'fe2:9030' and good.log == [FRONTENDS.show]


def test_patience_ends():
    broken = Frontend()
    broken.faults.extend([('SHOW', said('Socket is closed by peer.'), False)] * 100)
    made = session(frontends(fe1=broken), 'fe1', patience=5)
    with pytest.raises(connection.StatementError, match='front end fe1:9030, statement SHOW FRONTENDS: .1064. Socket'):
        made.rows(FRONTENDS)
    assert 5 <= made.test_clock.now < 7


def test_an_answer_is_not_asked_for_again():
    denied = Frontend()
    denied.faults.append(('SHOW', said('you need (at least one of) the NODE privilege(s)', 5203), False))
    made = session(frontends(fe1=denied), 'fe1')
    with pytest.raises(connection.StatementError, match='cluster_admin'):
        made.rows(FRONTENDS)
    assert denied.log == [FRONTENDS.show]


def test_a_change_is_sent_once():
    broken = Frontend()
    broken.faults.append(('ALTER', lost(), False))
    made = session(frontends(fe1=broken, fe2=Frontend()), 'fe1', 'fe2')
    with pytest.raises(connection.StatementError) as caught:
        made.change('ALTER SYSTEM ADD BACKEND "h:9050"')
    assert caught.value.outcome == AGAIN and broken.log == ['ALTER SYSTEM ADD BACKEND "h:9050"']
    made.connect()
    assert made.address == 'fe2:9030'


def test_a_secret_in_a_statement_is_not_told():
    broken = Frontend()
    broken.faults.append(('SET', said("Getting syntax error near PASSWORD('s3cret')"), False))
    made = session(frontends(fe1=broken), 'fe1')
    with pytest.raises(connection.StatementError) as caught:
        made.change("SET PASSWORD FOR 'root'@'%' = PASSWORD('s3cret')")
    assert 's3cret' not in str(caught.value)


def test_other_front_ends_are_learnt():
    first = Frontend({FRONTENDS.show: LISTING, BACKENDS.show: (BACKEND_COLUMNS, [])})
    leader = Frontend({BACKENDS.show: (BACKEND_COLUMNS, [backend_row('be1')])})
    made = session(frontends(fe1=first, fe2=leader), 'fe1')
    made.learn(made.rows(FRONTENDS))
    first.faults.append(('SHOW', lost(), False))
    assert made.rows(BACKENDS)[0]['host'] == 'be1'
    assert made.address == 'fe2:9030'


def test_brokers_are_asked_of_the_leader():
    first = Frontend({FRONTENDS.show: LISTING, BROKERS.show: (BROKER_COLUMNS, [])})
    leader = Frontend({BROKERS.show: (BROKER_COLUMNS, [['b', 'h', '8000', 'true', '']])})
    made = session(frontends(fe1=first, fe2=leader), 'fe1')
    assert made.rows(BROKERS)[0]['name'] == 'b'
    assert (made.address, first.log, leader.log) == ('fe2:9030', [FRONTENDS.show], [BROKERS.show])
    made.rows(BROKERS)
    assert leader.log == [BROKERS.show] * 2  # who leads is asked once per connection


def test_a_leader_that_cannot_be_reached():
    first = Frontend({FRONTENDS.show: LISTING, BROKERS.show: (BROKER_COLUMNS, [])})
    made = session(frontends(fe1=first), 'fe1')
    assert made.ask_leader() is False
    assert made.address == 'fe1:9030' and made.attempts[-1]['host'] == 'fe2:9030'


def test_no_connection_is_made_where_the_leader_is_asked_already():
    only = Frontend({FRONTENDS.show: (FRONTEND_COLUMNS, [frontend_row('fe1', 'LEADER')])})
    made = session(frontends(fe1=only), 'fe1')
    assert made.ask_leader() is True
    assert len(made.test_driver.connects) == 1


def test_local_rows_need_no_leader():
    first = Frontend({FRONTENDS.proc: LISTING})
    assert len(session(frontends(fe1=first), 'fe1').local_rows(FRONTENDS)) == 3


@pytest.mark.parametrize('password, expected', [('x', True), ('y', False), ('\u4e2d', False)])
def test_accepts(password, expected):
    made = session(frontends(fe1=Frontend(passwords={'root': '', 'u': 'x'})), 'fe1')
    assert made.accepts('u', password) is expected


def test_arguments_are_filled_in_by_the_driver():
    made = session(frontends(fe1=Frontend({'SELECT 7': (('7',), [[7]])})), 'fe1')
    assert made.read('SELECT %s', (7,)).rows == [(7,)]
