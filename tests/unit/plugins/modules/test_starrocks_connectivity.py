# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_connectivity on real sockets of loopback."""

import contextlib
import errno
import socket
import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _listener
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_connectivity
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import run_module


def connectivity(check_mode=False, **arguments):
    result = run_module(starrocks_connectivity, arguments, check_mode)
    assert (result['failed'], result['changed']) == (False, False)
    return result


@contextlib.contextmanager
def listening(backlog=8):
    """A socket that listens on a free port of loopback."""
    with socket.socket() as node:
        node.bind(('127.0.0.1', 0))
        node.listen(backlog)
        yield node.getsockname()[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wish(port, **changes):
    return dict({'port': port, 'name': 'edit_log_port', 'kind': 'fe'}, **changes)


def target(port, **changes):
    return dict({'host': 'h2', 'address': '127.0.0.1', 'port': port, 'name': 'edit_log_port', 'kind': 'fe'}, **changes)


def pids_of_listeners():
    """The listeners that run; a process that was just made may take a moment to be known by its command line."""
    end = time.monotonic() + 5
    while not _listener.running() and time.monotonic() < end:
        time.sleep(0.02)
    return _listener.running()


@pytest.fixture(autouse=True)
def _no_listener_is_left():
    yield
    _listener.end()


@pytest.mark.parametrize('check_mode', [True, False])
def test_listen_be_reached_and_listen_no_more(check_mode):
    first, second = free_port(), free_port()
    with listening() as taken:
        result = connectivity(check_mode, state='listening', ports=[wish(first), wish(second), wish(taken)])
        assert sorted(row['port'] for row in result['listening']) == sorted([first, second, taken])
        assert (result['not_opened'], result['ended']) == ([], [])
        assert result['pid'] in pids_of_listeners()
        targets = [target(port, listening=True) for port in (first, second, taken)]
        row, = connectivity(check_mode, targets=targets)['checks']
        assert (row['status'], row['found']) == ('ok', '3 of 3 ports on 1 host reached')
    assert connectivity(check_mode, state='absent')['ended'] == [result['pid']]
    row, = connectivity(targets=[target(first)])['checks']
    assert (row['name'], row['status']) == ('network', 'warning')


def test_a_listener_that_was_left_is_ended_first():
    port = free_port()
    left = connectivity(state='listening', ports=[wish(port)])['pid']
    assert pids_of_listeners() == [left]
    result = connectivity(state='listening', ports=[wish(port)])
    assert result['ended'] == [left] and result['pid'] not in (None, left)
    assert [row['port'] for row in result['listening']] == [port]


def test_what_cannot_be_listened_on_is_told():
    result = connectivity(state='listening', ports=[wish(free_port(), address='192.0.2.1')])
    assert (result['listening'], result['pid']) == ([], None)
    assert result['not_opened'][0]['error'] == 'Cannot assign requested address'


def test_nothing_to_listen_on():
    with listening() as taken:
        result = connectivity(state='listening', ports=[wish(taken)])
    assert ([row['port'] for row in result['listening']], result['pid']) == ([taken], None)


def test_who_does_not_answer_is_given_up_after_the_timeout():
    with socket.socket() as deaf, contextlib.ExitStack() as stack:
        deaf.bind(('127.0.0.1', 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        # The kernel drops what comes when as many wait as may (backlog + 1).
        for dummy in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(('127.0.0.1', port))
        row, = connectivity(targets=[target(port)], timeout=0.3)['checks']
    assert (row['status'], row['found'].split(' from ')[0]) == ('failure', 'no answer within 0.3 s')


def test_many_are_tried_in_turns(monkeypatch):
    monkeypatch.setattr(starrocks_connectivity, 'AT_ONCE', 2)
    with listening() as port:
        row, = connectivity(targets=[target(port) for dummy in range(5)])['checks']
    assert row['found'] == '5 of 5 ports on 1 host reached'


def test_a_refusal_where_somebody_listens_is_a_firewall():
    row, = connectivity(targets=[target(free_port(), address='127.9.9.9', listening=True)])['checks']
    assert row['status'] == 'failure' and 'though it listens there' in row['found']


def no_such_name(*dummy_arguments):
    raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')


def test_names_are_looked_up(monkeypatch):
    names = [{'host': 'h1', 'name': 'localhost', 'addresses': ['127.0.0.1', '::1']}]
    row, = connectivity(names=names)['checks']
    assert (row['name'], row['status']) == ('names', 'ok')
    row, = connectivity(names=[dict(names[0], addresses=['10.0.0.1'])])['checks']
    assert row['status'] == 'failure' and 'localhost stands for 127.0.0.1' in row['found']
    monkeypatch.setattr(socket, 'getaddrinfo', no_such_name)
    row, = connectivity(names=names)['checks']
    assert 'localhost is not known here (Name or service not known)' in row['found']
    row, = connectivity(targets=[target(9010, address='h2.example')])['checks']
    assert row['found'].startswith('no address is known here for h2 (h2.example)')


def test_a_name_that_no_lookup_can_take():
    assert isinstance(starrocks_connectivity.look_up('.' + 'x' * 300), str)


def test_a_family_that_the_kernel_does_not_have(monkeypatch):
    def no_socket(*dummy_arguments):
        raise OSError(errno.EAFNOSUPPORT, 'no such family')

    monkeypatch.setattr(socket, 'socket', no_socket)
    assert starrocks_connectivity._begin(target(9010)) == (None, errno.EAFNOSUPPORT)
