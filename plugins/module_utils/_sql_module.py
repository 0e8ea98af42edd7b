# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all SQL modules share: their connection options, the way from rows to a result, the way out.

Each module is the same four steps: read the table, decide (pure function in _changes), do, see the evidence.
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.starrocks.cluster.plugins.module_utils import _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import version_lacks
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import (
    FINAL,
    STALE,
    BadOptions,
    Session,
    SqlError,
    checked_options,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._option_file import settled
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import HIDDEN, hide_secrets, spellings
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import TableError
from ansible_collections.starrocks.cluster.plugins.module_utils._wire import PYMYSQL_IMPORT_ERROR

# Rounds of reading and deciding within one call. More than two happen only when the connection breaks again and again
# or somebody else changes the same nodes at the same time.
ROUNDS = 6


# Ansible hides a secret wherever its text is found, be it a part of another word or of a number: with the password 9
# even of port 9030. So secrets as short as that, or part of these words, are hidden only where they are known to stand.
SHORTEST_HIDDEN = 4
WORDS_OF_RESULTS = ('True', 'False', 'None')
# What Ansible itself shows for an argument with no_log.
NOT_SHOWN = 'VALUE_SPECIFIED_IN_NO_LOG_PARAMETER'


class Failure(Exception):
    """An end of the module with a message and, besides it, what is known."""

    def __init__(self, message, **results):
        super(Failure, self).__init__(message)
        self.message = message
        self.results = results


def connection_arguments():
    return dict(
        login_hosts=dict(type='list', elements='str'),
        login_port=dict(type='int'),
        login_user=dict(type='str'),
        login_password=dict(type='str', no_log=True),
        config_file=dict(type='path'),
        check_implicit_admin=dict(type='bool', default=False),
        connect_timeout=dict(type='int', default=5),
        read_timeout=dict(type='int', default=60),
        ca_cert=dict(type='path'),
        client_cert=dict(type='path'),
        client_key=dict(type='path', no_log=False),
        check_hostname=dict(type='bool'),
    )


def wait_arguments():
    return dict(
        wait=dict(type='bool', default=True),
        wait_timeout=dict(type='int', default=300),
    )


class DiscreetModule(AnsibleModule):
    """An AnsibleModule with options that hold secrets besides what may be seen.

    ``discreet``: {option: function that takes all parameters and returns its value as it may be shown}. So it goes into
    the host's log and into ``invocation``, which -vvv shows; nothing of it where the parameters are not valid.
    """

    def __init__(self, discreet, **specification):
        self._discreet = discreet
        self._is_valid = False
        super(DiscreetModule, self).__init__(**specification)
        self.no_log_values = {text for text in self.no_log_values if can_be_hidden(text)}

    def _log_invocation(self):
        # Called once the parameters are known to be valid.
        self._is_valid = True
        whole, self.params = self.params, self._shown_params()
        try:
            super(DiscreetModule, self)._log_invocation()
        finally:
            self.params = whole

    def _shown_params(self):
        shown = dict(self.params)
        for option in shown:
            if shown[option] in (None, ''):
                continue
            if option in self._discreet:
                shown[option] = self._discreet[option](self.params) if self._is_valid else HIDDEN
            elif self.argument_spec.get(option, {}).get('no_log'):
                shown[option] = NOT_SHOWN
            elif not is_text(shown[option]):
                # Ansible could not write it into the log.
                shown[option] = ascii(shown[option])
        return shown

    def exit_json(self, **results):
        super(DiscreetModule, self).exit_json(invocation=dict(module_args=self._shown_params()), **results)

    def fail_json(self, msg, **results):
        super(DiscreetModule, self).fail_json(msg, invocation=dict(module_args=self._shown_params()), **results)


def can_be_hidden(text):
    """Whether a text can be taken out of results without making them untrue."""
    return len(text) >= SHORTEST_HIDDEN and not any(text in word for word in WORDS_OF_RESULTS)


def is_text(value):
    """Whether all texts in a parameter can be sent: of a byte that is no UTF-8 Ansible makes half a character."""
    if isinstance(value, dict):
        return is_text(list(value) + list(value.values()))
    if isinstance(value, list):
        return all(is_text(element) for element in value)
    try:
        str(value).encode('utf-8')
    except UnicodeEncodeError:
        return False
    return True


class SqlModule(object):
    """An AnsibleModule with a Session and the list of statements that changed something.

    ``discreet``: as for DiscreetModule.
    """

    def __init__(self, arguments, discreet=None, **restrictions):
        specification = connection_arguments()
        specification.update(arguments)
        self.module = DiscreetModule(
            discreet or {},
            argument_spec=specification,
            supports_check_mode=True,
            **restrictions)
        # Findings about the file are told with all others: see refuse().
        self.params, self._file_findings = settled(self.module.params)
        self.hide([self.params['login_password']])
        self.check_mode = self.module.check_mode
        self.queries = []
        # Whether something was changed, or in check mode would be. None: if there are queries.
        self.changed = None
        self._options = None
        self._session = None

    @property
    def session(self):
        """The connection, made when it is first asked for: bad parameters are told before anybody is bothered."""
        if self._session is None:
            if PYMYSQL_IMPORT_ERROR:
                self.module.fail_json(msg=missing_required_lib('PyMySQL'), exception=PYMYSQL_IMPORT_ERROR)
            self._session = Session(self._connection_options())
        return self._session

    def _connection_options(self):
        """The ConnectionOptions, made once: certificates are in files. Raises BadOptions."""
        if self._options is None:
            self._options = checked_options(self.params, self._file_findings)
        return self._options

    def hide(self, secrets):
        """Keep these texts out of all that the module returns, also as servers may repeat them; None is none."""
        self.module.no_log_values.update(
            text for secret in secrets for text in spellings(secret or '') if can_be_hidden(text))

    def refuse(self, findings):
        """End the module if ``findings`` (texts) or the connection options have something against them.

        All of it is told at once, before any server is asked.
        """
        findings = ['%s: holds bytes that are no UTF-8 text' % option
                    for option in sorted(self.params) if not is_text(self.params[option])] + list(findings)
        if self.params.get('wait_timeout', 0) < 0:
            findings.append('wait_timeout: %d is not at least 0' % self.params['wait_timeout'])
        try:
            self._connection_options()
        except BadOptions as bad:
            findings = bad.findings + findings
        if findings:
            raise Failure('; '.join(findings))

    def run(self, main):
        """Call ``main(self)`` and end the module with the dict it returns, or with the error it meets."""
        try:
            results = main(self)
        except Failure as failure:
            self._fail(failure.message, **failure.results)
        except (SqlError, TableError) as error:
            self._fail(str(error))
        finally:
            if self._session is not None:
                self._session.close()
        if not self.module._diff:
            results.pop('diff', None)
        self.module.exit_json(changed=self._has_changed(), queries=self._shown_queries(), **results)

    def _fail(self, message, **results):
        self.module.fail_json(msg=hide_secrets(message), changed=self._has_changed() and not self.check_mode,
                              queries=self._shown_queries(), **results)

    def _has_changed(self):
        return bool(self.queries) if self.changed is None else self.changed

    def _shown_queries(self):
        return [hide_secrets(query) for query in self.queries]

    def converge(self, read, decide, again_at_end=False, run=None):
        """Read, decide, do. Returns ``(change, rows)``: the first Change, and the rows as read if they still hold,
        None if statements were run since.

        In check mode the statements are only noted. With ``again_at_end`` the table is read once more after the last
        statement and what is left is done too. A statement that may or may not have been done (the connection was
        lost, the leader changed) or that met a table changed by somebody else is never repeated blindly: the table is
        read again and decided again. ``run(statement)`` runs one, by default as Session.change() does.
        """
        run = run or self.session.change
        first, in_doubt, stale_before = None, None, False
        for dummy in range(ROUNDS):
            rows = read()
            change = self._with_needs(decide(rows))
            if in_doubt is not None and in_doubt not in change.statements:
                # It had been done before the answer was lost.
                self.queries.append(in_doubt)
            in_doubt = None
            first = first or change
            if change.refusals:
                raise Failure('refused: %s' % '. '.join(change.refusals))
            if not change.statements:
                return first, rows
            if self.check_mode:
                self.queries.extend(change.statements)
                return first, rows
            try:
                for statement in change.statements:
                    in_doubt = statement
                    run(statement)
                    self.queries.append(statement)
                    in_doubt = None
            except SqlError as error:
                if error.outcome == FINAL or (error.outcome == STALE and stale_before):
                    raise
                if error.outcome == STALE:
                    stale_before, in_doubt = True, None
                problem = error
                continue
            if not again_at_end:
                return first, None
            problem = None
        raise problem or Failure('the statements were accepted, but the listing does not show it: %s'
                                 % '; '.join(self._shown_queries()[-2:]))

    def _with_needs(self, change):
        """``change``, refused where the server is too old for what it needs."""
        lacks = version_lacks(self.session.version(), sorted(set(change.needs))) if change.needs else []
        return change._replace(refusals=change.refusals + lacks)

    def wait_until(self, read, lacks, title, results, state=None, timeout=None):
        """Poll until ``lacks(state)`` is empty and return that state; on time-out fail with ``results(state)`` added.

        ``state`` is what has been read just now, if anything: an unchanged call reads once. ``timeout`` in seconds is
        by default that of the option wait_timeout.
        """
        seconds = self.params['wait_timeout'] if timeout is None else timeout
        session = self.session
        patience = session.patience
        # poll() itself bears a leader change, and within the time that the user gave.
        session.patience, session.deadline = 0, session.clock() + seconds
        try:
            return _wait.poll(read, lacks, seconds, state=state)
        except _wait.WaitTimeout as late:
            raise Failure('%s within %d s: %s' % (title, seconds, '; '.join(late.reasons)), **results(late.state or []))
        finally:
            session.patience, session.deadline = patience, None
