# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that hang, close, or send garbage: a plain error within the timeouts, and the next front end is asked."""

import socket
import threading
import time

import pytest
from conftest import run_module

CONNECT_TIMEOUT, READ_TIMEOUT = 1, 2

# A greeting of the MySQL protocol, then a login that is accepted.
GREETING = (b"\x0a8.0.33\x00\x01\x00\x00\x00abcdefgh\x00\xff\xf7\x21\x02\x00\x08\x00\x15" + b"\x00" * 10
            + b"abcdefghijkl\x00mysql_native_password\x00")
OK = b"\x00\x00\x00\x02\x00\x00\x00"


def packet(number, body):
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def hang(connection):
    connection.recv(1)


def close(connection):
    pass


def garbage(connection):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)


def log_in(connection):
    connection.sendall(packet(0, GREETING))
    connection.recv(4096)
    connection.sendall(packet(2, OK))
    while True:
        statement = connection.recv(4096)
        if b"SHOW" in statement or not statement:
            return
        connection.sendall(packet(1, OK))


def hang_after_login(connection):
    log_in(connection)
    connection.recv(1)


def close_within_an_answer(connection):
    log_in(connection)
    connection.sendall(packet(1, b"\x02")[:4])


def garbage_for_an_answer(connection):
    log_in(connection)
    connection.sendall(b"\x01\x00\x00\x01\x01\x00\x00\x00\x00garbage" * 5)


@pytest.fixture
def serve():
    """A function: a server on a free port that does one thing with each connection; returns host:port."""
    listeners = []

    def one(behaviour):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer(connection):
            with connection:
                try:
                    behaviour(connection)
                except OSError:
                    pass

        def loop():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        return "127.0.0.1:%d" % listener.getsockname()[1]

    yield one
    for listener in listeners:
        listener.close()


def look(tmp_path, address):
    """starrocks_cluster_info of one server; returns (result, seconds)."""
    started = time.monotonic()
    result = run_module("starrocks_cluster_info", dict(
        login_hosts=[address], subset=["frontends"], connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT), tmp_path)
    return result, time.monotonic() - started


@pytest.mark.parametrize("behaviour", [hang, close, garbage])
def test_no_greeting(serve, tmp_path, behaviour):
    address = serve(behaviour)
    result, seconds = look(tmp_path, address)
    assert result["failed"] and f"no front end could be logged in to: {address}: " in result["msg"]
    assert "Traceback" not in result["msg"] and seconds < CONNECT_TIMEOUT + 5


@pytest.mark.parametrize("behaviour", [hang_after_login, close_within_an_answer, garbage_for_an_answer])
def test_no_answer(serve, tmp_path, behaviour):
    address = serve(behaviour)
    result, seconds = look(tmp_path, address)
    assert result["failed"] and address in result["msg"] and "SHOW" in result["msg"]
    # It is asked again for 10 s, in case that the leader changes.
    assert "Traceback" not in result["msg"] and seconds < 10 + 3 * READ_TIMEOUT + 5


def test_they_count_as_no_answer(serve, tmp_path):
    silent, closing = serve(hang), serve(close)
    result = run_module("starrocks_cluster_info", dict(
        login_hosts=[silent, closing], connect_timeout=CONNECT_TIMEOUT, require_answer=False), tmp_path)
    assert not result.get("failed") and not result["answered"]
    assert [entry["host"] for entry in result["not_answering"]] == [silent, closing]
