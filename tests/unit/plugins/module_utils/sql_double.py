# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scripted driver in place of PyMySQL: front ends that answer from a dict, and fail when told to.

It knows nothing of StarRocks but the shape of its listings. What StarRocks does is tested against the stand-in
(tests/integration/sql).
"""

import pymysql
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import ASK_FOR_UTC, ASK_VERSION

FRONTEND_COLUMNS = ('Name', 'IP', 'EditLogPort', 'QueryPort', 'Role', 'Join', 'Alive', 'ErrMsg', 'StartTime', 'Version')
BACKEND_COLUMNS = ('BackendId', 'IP', 'HeartbeatPort', 'Alive', 'SystemDecommissioned', 'TabletNum', 'ErrMsg',
                   'LastStartTime', 'Version')
BROKER_COLUMNS = ('Name', 'IP', 'Port', 'Alive', 'ErrMsg')


def frontend_row(host, role='FOLLOWER', alive='true', join='true', query_port='9030'):
    return [host + '_9010_1', host, '9010', query_port, role, join, alive, '', '2026-11-23 03:15:46', '3.5.0-0be11fd']


def backend_row(host, alive='true', tablets='0', leaving='false'):
    return ['10001', host, '9050', alive, leaving, tablets, '', '2026-11-23 03:05:32', '3.5.0-0be11fd']


def lost():
    return pymysql.err.OperationalError(2013, 'Lost connection to MySQL server during query')


def said(words, errno=1064):
    return pymysql.err.ProgrammingError(errno, words)


class Frontend:
    """One front end. ``answers``: statement -> (columns, rows) or a callable that returns them.

    ``faults``: list of (beginning of a statement, exception, whether it is done all the same), each met once.
    """

    def __init__(self, answers=None, passwords=None):
        self.answers = answers or {}
        self.passwords = passwords or {'root': ''}
        self.faults = []
        self.log = []
        # What each connection begins with; not in the log.
        self.set_up = {ASK_FOR_UTC: ((), []), ASK_VERSION: (('@@version_comment',), [['3.5.0-0be11fd']])}

    def execute(self, statement):
        if statement in self.set_up:
            return self.set_up[statement]
        self.log.append(statement)
        for fault in list(self.faults):
            beginning, error, done = fault
            if statement.startswith(beginning):
                self.faults.remove(fault)
                if done:
                    self.answer(statement)
                raise error
        return self.answer(statement)

    def answer(self, statement):
        answer = self.answers[statement]
        return answer() if callable(answer) else answer


class Cursor:
    def __init__(self, frontend):
        self.frontend = frontend
        self.description = None
        self.rows = ()

    def execute(self, statement, arguments=None):
        filled = tuple(arguments) if isinstance(arguments, list) else arguments
        columns, self.rows = self.frontend.execute(statement % filled if filled else statement)
        self.description = [(column, 253) for column in columns] or None
        return len(self.rows)

    def fetchall(self):
        return [tuple(row) for row in self.rows]

    def close(self):
        pass


class Connection:
    def __init__(self, frontend):
        self.frontend = frontend
        self.closed = False

    def cursor(self):
        return Cursor(self.frontend)

    def close(self):
        self.closed = True


class Driver:
    """Takes the place of the module pymysql. ``frontends``: (host, port) -> Frontend, or an exception to raise."""

    err = pymysql.err

    def __init__(self, frontends):
        self.frontends = frontends
        self.connects = []

    def connect(self, host, port, user, password, **options):
        password = password.decode('utf-8')
        self.connects.append((host, port, user, password))
        self.options = options
        frontend = self.frontends.get((host, port))
        if isinstance(frontend, Exception):
            raise frontend
        if frontend is None:
            raise self.err.OperationalError(2003, "Can't connect to MySQL server on '%s' (refused)" % host)
        if frontend.passwords.get(user) != password:
            raise self.err.OperationalError(1045, "Access denied for user '%s' (using password: YES)" % user)
        self.last = Connection(frontend)
        return self.last


class Clock:
    """A clock that moves only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
