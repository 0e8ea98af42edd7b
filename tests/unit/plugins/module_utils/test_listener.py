# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener of the network check, on real sockets of loopback."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _listener


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def answers(port, address='127.0.0.1'):
    """Whether somebody listens; who comes may see the reset before anything else."""
    with socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET) as client:
        client.settimeout(2)
        return client.connect_ex((address, port)) in (0, errno.ECONNRESET)


def until(condition, seconds=5.0):
    """Wait until a condition holds; returns whether it does."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.fixture(autouse=True)
def _no_listener_is_left():
    yield
    _listener.end()


def serve(sockets, idle, seconds):
    """Serve in a thread of the test; returns the thread and when it began."""
    began = time.monotonic()
    thread = threading.Thread(target=_listener.serve, args=(sockets, idle, seconds))
    thread.start()
    return thread, began


def test_connections_are_closed_at_once_and_leave_the_port_free():
    port = free_port()
    sockets = _listener.open_sockets('127.0.0.1', port)
    thread, dummy = serve(sockets, 0.2, 5)
    with pytest.raises(ConnectionResetError), socket.create_connection(('127.0.0.1', port), 2) as client:
        client.recv(1)
    thread.join(5)
    for one in sockets:
        one.close()
    # Nothing is in TIME_WAIT: also who does not set SO_REUSEADDR gets the port.
    with socket.socket() as node:
        node.bind(('127.0.0.1', port))


def test_it_ends_after_the_last_connection_or_at_the_latest():
    port = free_port()
    sockets = _listener.open_sockets('127.0.0.1', port)
    thread, began = serve(sockets, 0.3, 30)
    time.sleep(0.5)
    assert thread.is_alive() and answers(port)
    thread.join(5)
    assert 0.7 < time.monotonic() - began < 4
    thread = serve(sockets, 30, 0.3)[0]
    assert answers(port)
    thread.join(5)
    assert not thread.is_alive()
    for one in sockets:
        one.close()


def test_all_addresses_are_those_of_ipv4_and_ipv6():
    port = free_port()
    sockets = _listener.open_sockets('', port)
    assert answers(port) and answers(port, '127.8.8.8')
    if socket.has_ipv6 and os.path.exists('/proc/net/if_inet6'):
        assert answers(port, '::1')
    for one in sockets:
        one.close()


def test_a_port_that_is_taken_is_an_error():
    port = free_port()
    with socket.socket() as node:
        node.bind(('127.0.0.1', port))
        node.listen(1)
        for address in ('', '127.0.0.1'):
            with pytest.raises(OSError) as caught:
                _listener.open_sockets(address, port)
            assert caught.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError):
        _listener.open_sockets('192.0.2.1', port)


def test_a_kernel_without_ipv6_has_ipv4(monkeypatch):
    real = _listener._open_socket

    def without(family, host, port):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, 'no such family')
        return real(family, host, port)

    monkeypatch.setattr(_listener, '_open_socket', without)
    opened, = _listener.open_sockets('', free_port())
    assert opened.family == socket.AF_INET
    opened.close()
    with pytest.raises(OSError):
        _listener.open_sockets('::1', free_port())


def start(idle=30, seconds=30):
    """Start the process on a port and wait until it is known by its command line; returns (pid, port)."""
    port = free_port()
    sockets = _listener.open_sockets('', port)
    pid = _listener.start(sockets, idle, seconds)
    for one in sockets:
        one.close()
    assert until(lambda: _listener.running() == [pid])
    return pid, port


def test_the_process_listens_is_known_and_is_ended():
    pid, port = start()
    assert answers(port)
    assert os.getsid(pid) == pid
    with open('/proc/%d/cmdline' % pid) as handle:
        assert _listener.WORD in handle.read().split('\0')
    # A program that only speaks of it is none.
    other = subprocess.Popen([sys.executable, '-c', 'input()', _listener.WORD], stdin=subprocess.PIPE)
    assert _listener.running() == [pid]
    assert _listener.end() == ([pid], [])
    assert not answers(port), 'it is told to have ended while its port is still open'
    assert other.poll() is None
    other.communicate(b'\n')
    assert _listener.end() == ([], [])


def test_it_has_left_the_session_when_the_caller_goes_on():
    """Else a terminal's hang-up at the end of the caller (sudo with use_pty) would end it too."""
    for dummy in range(20):
        sockets = _listener.open_sockets('127.0.0.1', free_port())
        pid = _listener.start(sockets, 30, 30)
        assert os.getsid(pid) == pid != os.getsid(0)
        with open('/proc/%d/cmdline' % pid) as handle:
            assert _listener.is_listener(handle.read().split('\0'))
        for one in sockets:
            one.close()
    assert len(_listener.end()[0]) == 20


def test_the_process_ends_by_itself():
    port = start(idle=0.2, seconds=30)[1]
    assert answers(port)
    assert until(lambda: _listener.running() == []), 'it still listens after the last connection'
    port = start(idle=30, seconds=0.5)[1]
    assert until(lambda: _listener.running() == []), 'it still listens after its time'
    assert not answers(port)


def test_one_that_does_not_want_to_end_is_ended():
    pid = start()[0]
    os.kill(pid, signal.SIGSTOP)
    assert _listener.end(patience=0.3) == ([pid], [])


def test_one_of_another_account_is_left(monkeypatch):
    pid = start()[0]

    def forbidden(dummy_pid, dummy_number):
        raise PermissionError(errno.EPERM, 'not ours')

    with monkeypatch.context() as patch:
        patch.setattr(os, 'kill', forbidden)
        assert _listener.end(patience=0.1) == ([], [pid])


def test_processes_that_end_while_they_are_looked_at(tmp_path):
    (tmp_path / '12').mkdir()
    (tmp_path / 'self').mkdir()
    assert _listener.running(str(tmp_path)) == []


def test_main_serves_what_it_was_handed():
    opened = _listener.open_sockets('', free_port())
    port = opened[0].getsockname()[1]
    handed = ['%s:%d' % ('6' if one.family == socket.AF_INET6 else '4', os.dup(one.fileno())) for one in opened]
    thread = threading.Thread(target=_listener.main, args=(['0.2', '5', *handed],))
    thread.start()
    assert answers(port)
    thread.join(5)
    assert not thread.is_alive()
    for one in opened:
        one.close()
