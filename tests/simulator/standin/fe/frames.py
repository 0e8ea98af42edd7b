# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames over TCP: a length of four bytes, then JSON. Front ends speak it with each other on edit_log_port and
rpc_port, where the real ones speak the Berkeley DB's replication protocol and Thrift."""

import json
import socketserver
import struct

from standin import net


def send(connection, message):
    body = json.dumps(message).encode()
    connection.sendall(struct.pack(">I", len(body)) + body)


def _read(connection, size):
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 16))
        if not part:
            raise EOFError("closed by peer")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive(connection):
    """The next message. Raises EOFError when the peer has gone, OSError as sockets do."""
    (size,) = struct.unpack(">I", _read(connection, 4))
    return json.loads(_read(connection, size))


class Server(socketserver.ThreadingTCPServer):
    """Answers each message with ``answer(message, context)``; context is a dictionary kept for one connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, answer, closed=None):
        self.answer = answer
        self.closed = closed
        self.address_family = net.family(address[0])
        super().__init__(address, _Handler)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        context = {"peer": self.client_address[0]}
        try:
            while True:
                reply = self.server.answer(receive(self.request), context)
                if reply is None:
                    return
                send(self.request, reply)
        except (EOFError, OSError):
            pass
        finally:
            if self.server.closed:
                self.server.closed(context)
