# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PyMySQL with limits: an answer has a time within which it must be complete, and a size that it may have.

PyMySQL's own read_timeout starts anew with each byte, so that a server that drips would keep us for ever, and where
the server offers no TLS older versions go on without. This module takes the place of the module pymysql: it has
``connect`` and ``err``.
"""

import socket
import time
import traceback

try:
    from pymysql import err
    from pymysql.connections import Connection
    from pymysql.constants import CLIENT
    PYMYSQL_IMPORT_ERROR = None
except ImportError:
    err = None
    Connection = object
    PYMYSQL_IMPORT_ERROR = traceback.format_exc()

# MySQL's own numbers for what a client finds out by itself (errmsg.h).
LOST = 2013
OTHER_PROTOCOL = 2007
TLS_FAILED = 2026

# Bytes that one answer may have: more than any listing, less than a small machine's memory.
LARGEST_ANSWER = 256 * 1024 * 1024
# So much of a greeting that is none is shown.
SHOWN = 40


class LimitedConnection(Connection):
    """``connect_timeout`` limits the login after the TCP connection, ``read_timeout`` the answer to each statement."""

    # Seconds for the answers from now on, in place of read_timeout.
    answer_timeout = None
    # Set when the first packet was understood.
    _greeted = False
    _beginning = b''
    _allowed = 0
    _seconds = 0
    _deadline = 0.0

    def __init__(self, *arguments, **options):
        # Newer versions of PyMySQL take TLS where it is offered even if nobody asked, so self.ssl does not tell.
        self._demands_tls = options.get('ssl') is not None
        super(LimitedConnection, self).__init__(*arguments, **options)

    def _limit(self, seconds):
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._allowed = LARGEST_ANSWER

    def _get_server_information(self):
        self._limit(self.connect_timeout)
        try:
            super(LimitedConnection, self)._get_server_information()
        except err.OperationalError as error:
            if error.args[0] == LOST and not self._beginning:
                raise err.OperationalError(LOST, 'it takes connections, but does not greet as a query_port does (%s)'
                                           % error.args[1])
            # A server of the right kind that refuses: too many connections, host blocked.
            raise
        except Exception:
            raise err.OperationalError(OTHER_PROTOCOL, "it does not speak MySQL's protocol: its first bytes are %r"
                                       % self._beginning)
        self._greeted = True
        if self._demands_tls and not self.server_capabilities & CLIENT.SSL:
            raise err.OperationalError(TLS_FAILED, 'it offers no TLS')

    def _execute_command(self, command, sql):
        self._limit(self.answer_timeout or self._read_timeout)
        super(LimitedConnection, self)._execute_command(command, sql)

    def _read_bytes(self, num_bytes):
        self._allowed -= num_bytes
        if self._allowed < 0:
            self._lose('the answer is longer than %d bytes' % LARGEST_ANSWER)
        chunks, missing = [], num_bytes
        while missing:
            left = self._deadline - time.monotonic()
            if left <= 0:
                self._lose('no complete answer within %d s' % self._seconds)
            self._sock.settimeout(left)
            try:
                if not self._greeted:
                    self._beginning = self._beginning or self._rfile.peek()[:SHOWN]
                chunk = self._rfile.read1(missing)
            except socket.timeout:
                self._lose('no complete answer within %d s' % self._seconds)
            except OSError as error:
                self._lose(str(error))
            if not chunk:
                self._lose('the connection was closed%s' % (' within an answer' if self._greeted else ''))
            chunks.append(chunk)
            missing -= len(chunk)
        return b''.join(chunks)

    def _lose(self, words):
        self._force_close()
        raise err.OperationalError(LOST, words)


connect = LimitedConnection
