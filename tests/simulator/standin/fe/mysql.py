# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MySQL protocol, as much of it as front ends speak (section 4.5).

mysql-mimic was tried first. It would have to be changed in most of what matters here: a SQLSTATE of our own for each
errno, the real error for unknown users, a connection that ends after a refused login, statements with semicolons,
threads that may wait for the leader. And importing it loads sqlglot, a second of CPU on a fresh host, for a parser
that is not to be used. What is left of the protocol is this page.
"""

import os
import socketserver
import struct

from standin import net
from standin.fe import grammar, users
from standin.fe.errors import SqlError
from standin.fe.statements import Session

_LONG_PASSWORD, _CONNECT_WITH_DB, _PROTOCOL_41 = 0x1, 0x8, 0x200
_TRANSACTIONS, _SECURE_CONNECTION, _MULTI_STATEMENTS = 0x2000, 0x8000, 0x10000
_MULTI_RESULTS, _PLUGIN_AUTH, _LENENC_AUTH = 0x20000, 0x80000, 0x200000
_CAPABILITIES = (_LONG_PASSWORD | _CONNECT_WITH_DB | _PROTOCOL_41 | _TRANSACTIONS | _SECURE_CONNECTION
                 | _MULTI_STATEMENTS | _MULTI_RESULTS | _PLUGIN_AUTH)

_UTF8 = 33
_AUTOCOMMIT, _MORE_RESULTS = 0x2, 0x8
_PLUGIN = b"mysql_native_password"
_TYPES = {"text": (253, 30), "number": (8, 20)}  # VARCHAR(30), BIGINT

_COM_QUIT, _COM_INIT_DB, _COM_QUERY, _COM_PING = 1, 2, 3, 14


def _length(number):
    """A length-encoded integer."""
    if number < 251:
        return bytes([number])
    if number < 1 << 16:
        return b"\xfc" + struct.pack("<H", number)
    if number < 1 << 24:
        return b"\xfd" + struct.pack("<I", number)[:3]
    return b"\xfe" + struct.pack("<Q", number)


def _text(value):
    """A length-encoded string; None is NULL."""
    if value is None:
        return b"\xfb"
    data = str(value).encode()
    return _length(len(data)) + data


def _column(name, kind):
    code, size = _TYPES[kind]
    return (_text("def") + _text("") + _text("") + _text("") + _text(name) + _text(name) + b"\x0c"
            + struct.pack("<HIBHB", _UTF8, size, code, 0, 0) + b"\0\0")


class Server(socketserver.ThreadingTCPServer):
    """The query_port of one front end."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, frontend):
        self.frontend = frontend
        self.sessions = {}
        self.address_family = net.family(address[0])
        super().__init__(address, _Connection)


class _Closed(Exception):
    """The client has gone."""


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        session = None
        try:
            session = self._login()
            while session:
                self._sequence = 0
                packet = self._read()
                if packet[:1] == bytes([_COM_QUIT]):
                    return
                self._command(session, packet)
        except (_Closed, OSError):
            pass
        finally:
            if session:
                self.server.sessions.pop(session.number, None)

    # -- packets -----------------------------------------------------------------------------------

    def _read(self):
        data = b""
        while True:
            header = self.rfile.read(4)
            if len(header) < 4:
                raise _Closed
            size = int.from_bytes(header[:3], "little")
            self._sequence = (header[3] + 1) % 256
            body = self.rfile.read(size)
            if len(body) < size:
                raise _Closed
            data += body
            if size < 0xFFFFFF:
                return data

    def _write(self, *packets):
        parts = []
        for packet in packets:
            parts.append(len(packet).to_bytes(3, "little") + bytes([self._sequence]) + packet)
            self._sequence = (self._sequence + 1) % 256
        self.wfile.write(b"".join(parts))

    def _ok(self, more=False):
        self._write(b"\0\0\0" + struct.pack("<HH", _AUTOCOMMIT | (_MORE_RESULTS if more else 0), 0))

    def _error(self, error):
        self._write(b"\xff" + struct.pack("<H", error.errno) + b"#" + error.sqlstate.encode() + error.message.encode())

    def _table(self, table, more=False):
        end = b"\xfe" + struct.pack("<HH", 0, _AUTOCOMMIT | (_MORE_RESULTS if more else 0))
        columns = [_column(name, kind) for name, kind in zip(table.columns, table.types)]
        rows = [b"".join(_text(cell) for cell in row) for row in table.rows]
        self._write(_length(len(columns)), *columns, end, *rows, end)

    # -- login -------------------------------------------------------------------------------------

    def _login(self):
        """Greet and check the client; returns its Session, or None when it was refused."""
        frontend = self.server.frontend
        nonce = bytes(byte % 94 + 33 for byte in os.urandom(20))
        self._sequence = 0
        version = (frontend.config.text("mysql_server_version") or frontend.version.mysql).encode()
        self._write(b"\x0a" + version + b"\0" + struct.pack("<I", os.getpid()) + nonce[:8] + b"\0"
                    + struct.pack("<HBHH", _CAPABILITIES & 0xFFFF, _UTF8, _AUTOCOMMIT, _CAPABILITIES >> 16)
                    + bytes([21]) + bytes(10) + nonce[8:] + b"\0" + _PLUGIN + b"\0")
        name, scramble, database, plugin = self._parse_login(self._read())
        if plugin not in (None, _PLUGIN):
            self._write(b"\xfe" + _PLUGIN + b"\0" + nonce + b"\0")
            scramble = self._read()
        host = self.client_address[0]
        try:
            user = users.login(frontend.version, frontend.replica.state, name, host, scramble, nonce)
            session = Session(frontend, user, host)
            session.port = self.client_address[1]
            if database:
                session.use(database)
        except SqlError as error:
            if error.errno == 1045:
                frontend.count_login(name)
            self._error(error)
            return None
        if frontend.version >= "3.5.7":
            frontend.count_login(name)
        self.server.sessions[session.number] = session
        self._ok()
        return session

    @staticmethod
    def _parse_login(packet):
        """(user, scramble, database, plugin) of a handshake response."""
        (capabilities,) = struct.unpack_from("<I", packet)
        name, rest = packet[32:].split(b"\0", 1)
        size = rest[0]
        scramble, rest = rest[1:1 + size], rest[1 + size:]
        database = plugin = None
        if capabilities & _CONNECT_WITH_DB:
            database, _, rest = rest.partition(b"\0")
        if capabilities & _PLUGIN_AUTH:
            plugin, _, rest = rest.partition(b"\0")
        return name.decode(), scramble, database.decode() if database else None, plugin or None

    # -- commands ----------------------------------------------------------------------------------

    def _command(self, session, packet):
        code, body = packet[0], packet[1:].decode("utf-8", "replace")
        try:
            if code == _COM_QUERY:
                self._query(session, body)
            elif code == _COM_INIT_DB:
                session.use(body)
                self._ok()
            elif code == _COM_PING:
                self._ok()
            else:
                raise SqlError(f"Unsupported command(COM_{code})", 1047, "08S01")
        except SqlError as error:
            self._error(error)

    def _query(self, session, text):
        statements = grammar.split(text)
        if not statements:
            self._ok()
        for index, statement in enumerate(statements):
            more = index < len(statements) - 1
            table = session.execute(statement)
            if table is None:
                self._ok(more)
            else:
                self._table(table, more)
