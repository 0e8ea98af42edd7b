# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thrift as StarRocks speaks it between front ends and other nodes: the types of heartbeat.thrift, client, server.

    with client(types.HeartbeatService, "10.0.0.1", 9050, timeout=5) as back_end:
        result = back_end.heartbeat(types.TMasterInfo(...))

    serve(types.HeartbeatService, handler, "0.0.0.0", 9050)  # returns a socket; handler.heartbeat(master_info)
"""

import contextlib
import logging
import os
import socket
import threading

import thriftpy2
import thriftpy2._compat

# Only pure Python is packed into the release; thriftpy2 would look for its compiled parts otherwise.
thriftpy2._compat.CYTHON = False

from thriftpy2.protocol.binary import TBinaryProtocol  # noqa: E402  (needs the line above)
from thriftpy2.thrift import TClient, TException, TProcessor  # noqa: E402
from thriftpy2.transport.base import TTransportException  # noqa: E402
from thriftpy2.transport.buffered import TBufferedTransport  # noqa: E402
from thriftpy2.transport.socket import TSocket  # noqa: E402

types = thriftpy2.load(os.path.join(os.path.dirname(__file__), "heartbeat.thrift"), module_name="heartbeat_thrift")

# What a call can end in, for callers' "except".
ERRORS = (OSError, TException, EOFError)


def _protocol(transport):
    return TBinaryProtocol(TBufferedTransport(transport), strict_read=False, strict_write=True)


@contextlib.contextmanager
def client(service, host, port, timeout):
    """A client of a service at host:port; the timeout, in seconds, is for connecting and for each answer.

    Raises one of ERRORS where nobody answers; the OSError of a refused connection comes out as it is.
    """
    connection = socket.create_connection((host, port), timeout)
    transport = TSocket(socket_timeout=timeout * 1000)
    transport.set_handle(connection)
    try:
        protocol = _protocol(transport)
        yield TClient(service, protocol, protocol)
    finally:
        connection.close()


def listen(host, port):
    """A listening socket. Raises OSError where the port is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


def serve(service, handler, listener):
    """Answer calls on a listening socket by threads of their own, as long as the process lives."""
    processor = TProcessor(service, handler)
    threading.Thread(target=_accept, args=(listener, processor), daemon=True, name="thrift-server").start()


def _accept(listener, processor):
    while True:
        connection, _address = listener.accept()
        threading.Thread(target=_answer, args=(connection, processor), daemon=True, name="thrift-call").start()


def _answer(connection, processor):
    """Answer the calls of one connection until the other side closes it."""
    transport = TSocket()
    transport.set_handle(connection)
    protocol = _protocol(transport)
    try:
        while True:
            processor.process(protocol, protocol)
    except (TTransportException, OSError, EOFError):
        pass  # the caller has gone: the end of every connection
    except Exception:  # a broken call ends its connection, not the server
        logging.getLogger(__name__).exception("a thrift call failed")
    finally:
        connection.close()
