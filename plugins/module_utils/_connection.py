# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to a StarRocks cluster: several front ends in turn, the leader found, errors understood.

What an error means is data (ERROR_RULES), because StarRocks answers nearly everything with errno 1064: the words
decide (starrocks.md section 3.1).
"""

import ssl
import time
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils import _wire
from ansible_collections.starrocks.cluster.plugins.module_utils._option_file import settled
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import (
    Resolver,
    join_host_port,
    same_host,
    split_host_port,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import hide_secrets
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import (
    FRONTENDS,
    STATISTIC,
    in_utc,
    is_believable,
    leader_of,
    offset_of,
    read_dicts,
    read_rows,
    read_statistic,
    snake_case,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import (
    OLDEST_LINE,
    is_another_server,
    is_too_old,
    parse_or_none,
    without_product,
)

# How long a statement is tried again while the leader changes, in seconds. A stopped leader was replaced within
# 1.2 s, three front ends from cold took 20 s (starrocks.md sections 0.2, 0.3).
PATIENCE = 60.0
# Seconds between two tries.
PAUSE = 0.5

# What a new connection begins with: times in UTC where the server has a choice, and who is there.
ASK_FOR_UTC = "SET time_zone = '+00:00'"
ASK_VERSION = 'SELECT @@version_comment'

# What follows from an error.
AGAIN = 'again'    # Says nothing about the statement: it may or may not have been done. Ask again, at another FE too.
STALE = 'stale'    # The table was not as it had been read: read it again, decide again.
FINAL = 'final'    # An answer.

ErrorRule = namedtuple('ErrorRule', ('name', 'errnos', 'texts', 'outcome', 'advice', 'source'))
ErrorRule.__doc__ = """An error falls under the first rule whose ``errnos`` hold its errno (empty: any) and of whose
``texts`` one is in its words (empty: any)."""

LOST = ErrorRule(
    'connection lost', (0, 2006, 2013, 2014, 2055), (), AGAIN,
    'the front end went away or was too slow; look at its fe.log, or raise read_timeout',
    'starrocks.md 0.4: a write without a majority hangs, then the connection is lost')
DENIED = ErrorRule(
    'access denied', (1045,), (), FINAL,
    'check login_user and login_password; on a cluster whose root has no password yet set check_implicit_admin: true',
    'starrocks.md 3.6')
NO_LEADER = ErrorRule(
    'no leader', (),
    ('UnknownMasterException', 'Could not determine master', 'Commit policy: SIMPLE_MAJORITY'),
    AGAIN, 'the cluster has no leader: start front ends until a majority of the followers runs',
    'starrocks.md 0.4, 3.6')
LEADER_CHANGES = ErrorRule(
    'leader changes', (),
    ('Socket is closed by peer', 'java.net.ConnectException', 'TTransportException', 'java.net.SocketException',
     'java.net.SocketTimeoutException', 'Read timed out', 'forward too many times'),
    AGAIN, 'the leader did not answer the front end that forwarded the statement; see whether a leader is there',
    'starrocks.md 0.3, 3.6')
NOT_A_MEMBER = ErrorRule(
    'front end is no member', (), ('Internal error processing forward', 'request from invalid host was rejected'),
    AGAIN, 'this front end is no member of the cluster any more (dropped, but running): take it out of login_hosts, '
    'stop it and move its meta_dir aside', 'starrocks.md 0.6, 3.6')
BUSY = ErrorRule(
    'metadata busy', (), ('Failed to acquire globalStateMgr lock', 'frontend name already exists'),
    AGAIN, 'the leader is busy: try again', 'starrocks.md 3.3')
PRIVILEGE_MISSING = ErrorRule(
    'privilege missing', (1227, 1252, 5203), (), FINAL,
    'ALTER SYSTEM and the node listings need the role cluster_admin, SHOW PROC and settings the privilege OPERATE, '
    'accounts the role user_admin; roles have to be default roles of the account', 'starrocks.md 0.11, 3.6')

NO_ANSWER = ErrorRule(
    'no answer', (2002, 2003, 2005), (), AGAIN,
    'check login_hosts and login_port, and that the front ends run: they open the port only once they are ready',
    'starrocks.md 3.6')
NOT_STARROCKS = ErrorRule(
    'not StarRocks', (), ('You have an error in your SQL syntax',), FINAL,
    'this is another MySQL server, not a StarRocks front end: check login_hosts and login_port (9030)',
    "MySQL's and MariaDB's own words; StarRocks says 'Getting syntax error', starrocks.md 3.1")
TOO_OLD = ErrorRule(
    'too old', (), ('is older than StarRocks',), FINAL, 'upgrade it by hand first',
    'starrocks.md, whose facts begin with 2.5')

# Its words hold those of whatever kept the other front end from it, so it is looked for first.
SET_IN_PART = ErrorRule(
    'set on some front ends only', (), ('et config failed: set config for fe[',), FINAL,
    'the front end that asked the others has the value, and so has each that could be reached; start the one that '
    'could not', 'starrocks.md 2.2, 3.5')
NO_WORKER = ErrorRule(
    'no node to run on', (), ('Backend node not found', 'Compute node not found', 'rpc failed'), FINAL,
    'this statement runs on back ends: see which of them are not alive, or are on the blacklist of this front end',
    'starrocks.md 0.13')

ERROR_RULES = (
    SET_IN_PART,
    DENIED,
    ErrorRule('TLS', (2026,), (), FINAL, 'the front end has TLS only with ssl_keystore_location in its fe.conf; '
              'without it leave ca_cert and check_hostname out', 'PyMySQL, CR_SSL_CONNECTION_ERROR'),
    ErrorRule('TLS', (2003,), ('[SSL',), FINAL,
              'check ca_cert, and that the certificate is for the name in login_hosts', "Python's ssl"),
    NO_ANSWER,
    ErrorRule('not MySQL', (2007,), (), FINAL, 'login_port is the query_port of the front ends (9030), not another of '
              'their ports', '_wire'),
    LOST,
    NO_LEADER,
    LEADER_CHANGES,
    NOT_A_MEMBER,
    BUSY,
    ErrorRule('TLS demanded', (5205, 3159), (), FINAL, 'the front end takes encrypted connections only: set ca_cert',
              'starrocks.md 3.6'),
    ErrorRule('too many connections', (1040, 1203), (), FINAL, 'close connections, or raise qe_max_connection or the '
              "user's max_user_connections", 'starrocks.md 3.6'),
    ErrorRule('too many connections', (), ('Reach cluster-wide connection limit',), FINAL,
              'close connections, or raise qe_max_connection', 'starrocks.md 3.6'),
    PRIVILEGE_MISSING,
    NOT_STARROCKS,
    TOO_OLD,
    ErrorRule('account is not as it was', (),
              ('user already exists', "' already exists!", "' already exist", 'user not exists', "' not exist!",
               'cannot find user'), STALE,
              'somebody else may have changed the account meanwhile: look at SHOW ALL AUTHENTICATION',
              'starrocks.md 3.6; AuthenticationAnalyzer of 4.x'),
    ErrorRule('already there', (),
              ('already exists with same host', 'Same backend already exists', 'Same compute node already exists',
               'FE with the same host', 'has already in brokers'), STALE,
              'StarRocks resolves names to addresses and knows this node under another spelling, or as a node of the '
              'other kind (back end, compute node): look at the listings',
              'starrocks.md 2.4, 3.3, 3.4'),
    ErrorRule('not there', (),
              ('backend does not exist', 'Backend does not exist', 'compute node does not exist',
               'frontend does not exist[', 'FOLLOWER does not exist[', 'OBSERVER does not exist[',
               'has not in brokers', 'Unknown broker name'), STALE,
              'look at the listing: something else may have changed it meanwhile', 'starrocks.md 3.3, 3.4'),
    ErrorRule('not persisted', (), ('current running mode is not persisted',), FINAL,
              'this front end may not write its fe.conf, or takes itself to be in a container (/.dockerenv): leave '
              'persistent out, and write fe.conf by other means', 'starrocks.md 0.10, 0.16'),
    NO_WORKER,
    ErrorRule('single replica', (), ('have only one replica',), FINAL,
              'state: decommissioned moves the data away first; force: true throws it away', 'starrocks.md 0.9, 3.4'),
    ErrorRule('decommission does not fit', (), ('It will cause insufficient', 'has no available capacity'), FINAL,
              'add back ends first, or drop tables or lower their replication_num', 'starrocks.md 3.4'),
    ErrorRule('host and port', (), ('Invalid host port', 'host or port is wrong'), FINAL,
              'the front end itself has to resolve the name (IPv6 addresses need StarRocks 3.3 or later)',
              'starrocks.md 2.4, 3.2'),
    ErrorRule('name unknown', (), ('Unknown host', 'unknown fqdn host', 'unknown host'), FINAL,
              'the front end itself has to resolve the name: mend its /etc/hosts or DNS, or give the address',
              'starrocks.md 2.4, 3.2, 3.3'),
)
UNNAMED = ErrorRule('error', (), (), FINAL, '', '')


def rule_for(errno, words):
    """The rule that an error with ``errno`` (int, or None where the driver gave none) and ``words`` falls under."""
    for rule in ERROR_RULES:
        if rule.errnos and errno not in rule.errnos:
            continue
        if rule.texts and not any(text in words for text in rule.texts):
            continue
        return rule
    return UNNAMED


class SqlError(Exception):
    """What happened, at which front end, what it said, what to do next. ``outcome`` is AGAIN, STALE or FINAL."""

    def __init__(self, message, rule=UNNAMED):
        super(SqlError, self).__init__(message)
        self.message = message
        self.rule = rule

    @property
    def outcome(self):
        return self.rule.outcome


class StatementError(SqlError):
    """A front end answered a statement with an error, or was lost meanwhile."""

    def __init__(self, address, statement, errno, words, rule):
        self.address = address
        self.statement = hide_secrets(statement)
        self.errno = errno
        self.words = hide_secrets(words)
        message = 'front end %s, statement %s: %s%s' % (
            address, self.statement, '' if errno is None else '(%s) ' % errno, self.words)
        super(StatementError, self).__init__(_with_advice(message, rule), rule)


class ConnectError(SqlError):
    """No front end could be entered. ``attempts`` is a list of {host, error}; ``rule`` that of the most telling."""

    def __init__(self, attempts, rule):
        self.attempts = attempts
        message = 'no front end could be logged in to: %s' % '; '.join(
            '%s: %s' % (attempt['host'], attempt['error']) for attempt in attempts)
        super(ConnectError, self).__init__(_with_advice(message, rule), rule)


def _with_advice(message, rule):
    return '%s. To do: %s.' % (message.rstrip('. '), rule.advice) if rule.advice else message


ConnectionOptions = namedtuple('ConnectionOptions', (
    'targets', 'user', 'password', 'check_implicit_admin', 'connect_timeout', 'read_timeout', 'tls'))
ConnectionOptions.__doc__ = """``targets``: list of (host, port); timeouts in seconds; ``tls``: None or an
ssl.SSLContext."""

Result = namedtuple('Result', ('columns', 'types', 'rows', 'affected'))
Result.__doc__ = """``columns`` list of names, ``types`` list of MySQL type codes, ``rows`` list of tuples,
``affected`` int."""


class BadOptions(ValueError):
    """Connection options that cannot be; ``findings`` is the list of what is wrong with them."""

    def __init__(self, findings):
        super(BadOptions, self).__init__('; '.join(findings))
        self.findings = findings


def options_from(params):
    """ConnectionOptions from a module's parameters and its config file, which is read here. As checked_options()."""
    return checked_options(*settled(params))


def checked_options(params, findings):
    """ConnectionOptions from what settled() gave. Raises BadOptions with all findings, those ``findings`` among them;
    asks no server."""
    findings, targets = list(findings), []
    if not params['login_hosts'] and not findings:
        findings.append('login_hosts is empty: name at least one front end, or a config_file that does')
    for text in params['login_hosts'] or ():
        try:
            targets.append(split_host_port(text, params['login_port']))
        except ValueError as error:
            findings.append('login_hosts or login_port: %s' % error)
    for option in ('connect_timeout', 'read_timeout'):
        if params[option] < 1:
            findings.append('%s: %d is not at least 1' % (option, params[option]))
    if params.get('check_hostname') and not params.get('ca_cert'):
        findings.append('check_hostname: true needs ca_cert, by which the certificate of the front end is checked')
    if params.get('client_key') and not params.get('client_cert'):
        findings.append('client_key is of no use without client_cert')
    try:
        tls = tls_context(*[params.get(option) for option in TLS_OPTIONS])
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        findings.append('ca_cert, client_cert or client_key (%s): %s' % (
            ', '.join(params[option] for option in TLS_OPTIONS[:3] if params.get(option)), error))
    if findings:
        raise BadOptions(findings)
    return ConnectionOptions(
        targets=targets,
        user=params['login_user'],
        password=params['login_password'],
        check_implicit_admin=params['check_implicit_admin'],
        connect_timeout=params['connect_timeout'],
        read_timeout=params['read_timeout'],
        tls=tls)


TLS_OPTIONS = ('ca_cert', 'client_cert', 'client_key', 'check_hostname')


def tls_context(ca_cert, client_cert, client_key, check_hostname):
    """The ssl.SSLContext that these options ask for, None if they ask for none.

    Without ``ca_cert`` the server is not checked. Raises OSError or ValueError for files that are none.
    """
    if ca_cert is None and client_cert is None and check_hostname is None:
        return None
    context = ssl.create_default_context(cafile=ca_cert)
    # Python 3.13 and later would refuse certificates of most private authorities.
    context.verify_flags &= ~getattr(ssl, 'VERIFY_X509_STRICT', 0)
    context.check_hostname = ca_cert is not None and check_hostname is not False
    context.verify_mode = ssl.CERT_NONE if ca_cert is None else ssl.CERT_REQUIRED
    if client_cert is not None:
        # A key with a passphrase is an error; without the argument it would be asked for at the terminal.
        context.load_cert_chain(client_cert, client_key, password='')
    return context


def _only_text(result):
    """The text of the one cell of a Result, '' where there is none."""
    cells = [cell for row in read_dicts(result.columns, result.rows) for cell in row.values()]
    return cells[0] or '' if cells else ''


def _close(connection):
    try:
        connection.close()
    except Exception:  # the connection is given up: how it breaks is of no interest
        pass


class Session(object):
    """A connection that outlives its front end: on a lost connection it goes on with the next one.

    ``driver`` is the module _wire or what behaves like it; ``clock`` and ``now`` tell the monotonic time and the time
    since 1970 in seconds. In a with statement it is closed at the end. Not for use by several threads.
    """

    def __init__(self, options, patience=PATIENCE, driver=None, clock=time.monotonic, sleep=time.sleep, resolve=None,
                 now=time.time):
        self.options = options
        # Seconds for which read() tries again.
        self.patience = patience
        # The time of ``clock`` at which somebody waits no longer, None if nobody does.
        self.deadline = None
        # Whether root got in with the empty password after the given one had been refused.
        self.implicit_admin = False
        # Front ends tried in vain: list of {host, error}.
        self.attempts = []
        # Table name -> the columns with which it was last answered, in snake_case. Some tell by being there.
        self.columns = {}
        self.resolve = resolve or Resolver()
        self.clock = clock
        self.sleep = sleep
        self.now = now
        self._driver = driver or _wire
        self._targets = list(options.targets)
        self._connection = None
        self._target = None
        # Whether the front end that is asked is known to be the leader.
        self._leads = False
        self._was_in = False
        # The version of the front end that is asked, None where it did not say.
        self._version = None
        # Whether it has accepted to show times in UTC, and by how many seconds the zone that it shows is ahead of it.
        self._accepted_utc = False
        self._zone_offset = 0

    def __enter__(self):
        return self

    def __exit__(self, *dummy):
        self.close()

    @property
    def address(self):
        """``host:port`` of the front end that is asked, or None."""
        return join_host_port(*self._target) if self._target else None

    @property
    def password_in_use(self):
        """The password with which the front end that is asked lets us in."""
        return '' if self.implicit_admin else self.options.password

    def connect(self):
        """Enter the first front end that lets us in; raise ConnectError if none does."""
        if self._connection is not None:
            return
        attempts, rules = [], []
        for target in list(self._targets):
            if attempts and self._time_left() <= 0:
                break
            try:
                self._enter(target)
                return
            except StatementError as error:
                attempts.append({'host': error.address, 'error': error.words})
                rules.append(error.rule)
            finally:
                self.attempts.extend(attempt for attempt in attempts if attempt not in self.attempts)
        # An answer, be it a refusal, tells more than silence.
        told = [rule for rule in rules if rule.outcome == FINAL]
        raise ConnectError(attempts, told[0] if told else NO_ANSWER)

    def close(self):
        if self._connection is not None:
            _close(self._connection)
        self._connection = None
        self._target = None
        self._leads = False
        self._version = None
        self._accepted_utc = False
        self._zone_offset = 0

    def read(self, statement, arguments=None):
        """The Result of a statement that changes nothing; tried again for ``patience`` seconds while that may help.

        ``arguments`` are filled in for %s (a sequence) or %(name)s (a dict).
        """
        deadline = self.clock() + self.patience
        while True:
            try:
                self.connect()
                return self._run(statement, arguments)
            except SqlError as error:
                if error.outcome != AGAIN:
                    raise
                self._leave()
                # Nobody there at the very first is an answer; nobody there later is a leader change or a restart.
                if not self._was_in or self.clock() >= deadline:
                    raise
            self.sleep(PAUSE)

    def change(self, statement, arguments=None):
        """Run a statement that changes something, once.

        With an error whose outcome is AGAIN it is unknown whether it was done: read the table again before asking
        for anything (see _sql_module.converge).
        """
        self.connect()
        try:
            return self._run(statement, arguments)
        except StatementError as error:
            if error.outcome == AGAIN:
                self._leave()
            raise

    def dicts(self, statement, arguments=None):
        """What read() gives as a list of dicts: column name in snake_case -> text, or None for an SQL NULL alone."""
        result = self.read(statement, arguments)
        return read_dicts(result.columns, result.rows)

    def version(self):
        """The version of the front end that is asked, such as ``3.5.0-0be11fd`` (section 0.13); read once.

        Builds of one's own may have a text that _versions cannot read.
        """
        self.connect()
        if self._version is None:
            self._version = without_product(_only_text(self.read(ASK_VERSION)))
        return self._version

    def statistic(self):
        """``(totals, databases)`` as from read_statistic, in the view of the front end that is asked."""
        result = self.read(STATISTIC.proc)
        return read_statistic(result.columns, result.rows)

    def rows(self, table):
        """Typed rows of ``table`` as the leader sees it."""
        if not table.forwarded:
            self.ask_leader()
        return self._typed(table, table.show)

    def local_rows(self, table):
        """Typed rows of ``table`` as the front end that is asked sees it, which needs no leader."""
        return self._typed(table, table.proc)

    def ask_leader(self, frontends=None):
        """Go on with the leader itself: SHOW BROKER and most of SHOW PROC answer from the asked one's own view.

        ``frontends`` are typed rows just read, if there are any. Returns whether the leader is now asked.
        """
        if self._leads and self._connection is not None:
            return True
        rows = self.rows(FRONTENDS) if frontends is None else frontends
        self.learn(rows)
        leader = leader_of(rows)
        if leader is None or not leader['query_port']:
            return False
        target = (leader['host'], leader['query_port'])
        if not self._is_asked(target):
            try:
                self._enter(target)
            except StatementError as error:
                self.attempts.append({'host': error.address, 'error': error.words})
                return False
        self._leads = True
        return True

    def learn(self, frontends):
        """Remember living front ends, to go on there if the named ones go away."""
        for row in frontends:
            target = (row['host'], row['query_port'])
            if row['alive'] and row['query_port'] and target not in self._targets:
                self._targets.append(target)

    def beside(self, target=None, patience=0, **options):
        """A Session with one front end, ``target`` (host, port) or the one that is asked, to be used in a with
        statement. It never goes on elsewhere, as this one does. ``options`` are other ConnectionOptions than its own.
        """
        return Session(self.options._replace(targets=[target or self._target], **options), patience=patience,
                       driver=self._driver, clock=self.clock, sleep=self.sleep, resolve=self.resolve, now=self.now)

    def accepts(self, user, password):
        """Whether the front end that is asked lets ``user`` in with ``password``. Raises StatementError otherwise."""
        self.connect()
        try:
            self._open(self._target, user, password).close()
        except StatementError as error:
            if error.rule is DENIED:
                return False
            raise
        return True

    def _time_left(self):
        """Seconds until the deadline."""
        return float('inf') if self.deadline is None else self.deadline - self.clock()

    def _is_asked(self, target):
        return (self._target is not None and self._target[1] == target[1]
                and same_host(self._target[0], target[0], self.resolve))

    def _leave(self):
        """Give the connection up; the front end that was asked comes last in the next round."""
        if self._target in self._targets:
            self._targets.remove(self._target)
            self._targets.append(self._target)
        self.close()

    def _enter(self, target):
        options = self.options
        try:
            connection = self._open(target, options.user, options.password)
            implicit = False
        except StatementError as error:
            if not (error.rule is DENIED and options.check_implicit_admin and options.user == 'root'
                    and options.password):
                raise
            try:
                connection = self._open(target, options.user, '')
            except StatementError:
                raise error
            implicit = True
        try:
            version, accepted_utc = self._begin(connection, target)
        except StatementError:
            _close(connection)
            raise
        self.close()
        self._connection, self._target, self._version = connection, target, version
        self._accepted_utc = accepted_utc
        self._was_in = True
        self.implicit_admin = self.implicit_admin or implicit

    def _begin(self, connection, target):
        """Ask for UTC and for the version: ``(version, whether UTC was accepted)``.

        None and False for a follower that has lost its leader for long: it answers neither, but its own view all the
        same. Raises StatementError for what is not our StarRocks.
        """
        answers = {}
        for statement in (ASK_FOR_UTC, ASK_VERSION):
            try:
                answers[statement] = self._ask(connection, target, statement)
            except StatementError as error:
                if error.rule is LOST:
                    raise
        comment = _only_text(answers[ASK_VERSION]) if ASK_VERSION in answers else ''
        version = without_product(comment)
        if is_another_server(comment):
            rule, words = NOT_STARROCKS, 'it is not StarRocks, but says of itself: %s' % comment
        elif is_too_old(version):
            rule, words = TOO_OLD, 'it has version %s, which is older than StarRocks %d.%d' % ((version,) + OLDEST_LINE)
        else:
            return version or None, ASK_FOR_UTC in answers
        raise StatementError(join_host_port(*target), ASK_VERSION, None, words, rule)

    def _open(self, target, user, password):
        options = self.options
        try:
            # StarRocks hashes the UTF-8 of a password; of a text the driver would take the Latin 1.
            connection = self._driver.connect(
                host=target[0], port=target[1], user=user, password=password.encode('utf-8'), charset='utf8mb4',
                autocommit=True, connect_timeout=options.connect_timeout, read_timeout=options.read_timeout,
                write_timeout=options.connect_timeout, ssl=options.tls)
        except Exception as error:  # a server that is none may break the driver in any way
            raise self._understood(error, target, 'login of ' + user)
        return connection

    def _run(self, statement, arguments=None):
        return self._ask(self._connection, self._target, statement, arguments)

    def _ask(self, connection, target, statement, arguments=None):
        options = self.options
        # The last look of somebody who waits has to have time for an answer, so that he does not wait in vain.
        connection.answer_timeout = max(min(options.read_timeout, self._time_left()), options.connect_timeout)
        try:
            cursor = connection.cursor()
            try:
                affected = cursor.execute(statement, arguments)
                description = cursor.description or ()
                return Result([column[0] for column in description], [column[1] for column in description],
                              list(cursor.fetchall()) if description else [], affected)
            finally:
                cursor.close()
        except Exception as error:  # as above: garbage in an answer raises what it likes
            raise self._understood(error, target, statement)

    def _understood(self, error, target, statement):
        """The StatementError for whatever the driver raised."""
        arguments = error.args
        if isinstance(error, self._driver.err.MySQLError) and arguments and isinstance(arguments[0], int):
            errno = arguments[0]
            words = str(arguments[1]) if len(arguments) > 1 else ''
            rule = rule_for(errno, words)
        else:
            errno = None
            words = 'the answer could not be understood (%s: %s)' % (type(error).__name__, error)
            rule = LOST
        return StatementError(join_host_port(*target), statement, errno, words or 'no words given', rule)

    def _typed(self, table, statement):
        result = self.read(statement)
        rows = read_rows(table, result.columns, result.rows)
        self.columns[table.name] = [snake_case(column) for column in result.columns]
        offset = offset_of(table, rows, self.now())
        if is_believable(offset, parse_or_none(self._version), self._accepted_utc):
            self._zone_offset = offset
        return in_utc(table, rows, self._zone_offset)
