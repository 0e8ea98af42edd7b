# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starrocks_connectivity says of what it tried."""

import errno

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _connectivity as connectivity


def target(host='h2', name='edit_log_port', port=9010, kind='fe', listening=True):
    return {'host': host, 'address': '10.0.0.2', 'port': port, 'name': name, 'kind': kind, 'listening': listening}


def of_host(name='h2.example', addresses=('10.0.0.2', 'fd00::2')):
    return {'host': 'h2', 'name': name, 'addresses': list(addresses)}


@pytest.mark.parametrize('number', [0, errno.ECONNRESET, errno.EPIPE])
def test_what_is_reached_is_one_row(number):
    targets = [target(), target(name='http_port', port=8030), target('h3')]
    assert connectivity.network_checks(targets, [0, 0, number], 3.0) == [{
        'name': 'network', 'status': 'ok', 'found': '3 of 3 ports on 2 hosts reached', 'needed': '', 'fix': ''}]


def test_nothing_to_try_is_nothing_to_say():
    assert connectivity.network_checks([], [], 3.0) == []
    assert connectivity.name_checks([], []) == []


@pytest.mark.parametrize('number, listening, status, found, fix', [
    (errno.ETIMEDOUT, True, 'failure', 'no answer within 3 s from h2 (10.0.0.2), port 9010 (edit_log_port) of its '
     'front end', 'Open there: 9010 (starrocks_fe_edit_log_port)'),
    (errno.EHOSTUNREACH, True, 'failure', 'no way to h2 (10.0.0.2)', 'ip route get 10.0.0.2'),
    (errno.ENETUNREACH, False, 'failure', '(Network is unreachable)', 'no route'),
    (errno.EACCES, True, 'failure', "this host's own rules forbid connections to h2", 'OUTPUT'),
    (errno.EPERM, True, 'failure', "this host's own rules forbid connections to h2", 'OUTPUT'),
    (errno.ECONNREFUSED, True, 'failure', 'refused by h2 (10.0.0.2)', 'REJECT'),
    (errno.ECONNREFUSED, False, 'warning', 'nobody listened there, so more cannot be known', 'Nothing, unless'),
    (connectivity.NAME_UNKNOWN, True, 'failure', 'no address is known here for h2', '/etc/hosts'),
    (errno.EMFILE, True, 'failure', 'no connection to h2 (10.0.0.2)', 'Mend that'),
])
def test_each_way_of_not_reaching_is_told(number, listening, status, found, fix):
    row, = connectivity.network_checks([target(listening=listening)], [number], 3.0)
    assert (row['name'], row['status']) == ('network', status)
    assert found in row['found'] and fix in row['fix'] and row['needed']
    assert '{' not in row['found'] + row['fix']


def test_what_fails_alike_on_a_host_is_one_row():
    targets = [target(), target(name='http_port', port=8030), target('h3'),
               target(kind='be', name='be_http_port', port=8040),
               target(kind='broker', name='broker_ipc_port', port=8000)]
    silent, other, refused = connectivity.network_checks(targets, 4 * [errno.ETIMEDOUT] + [errno.ECONNREFUSED], 0.5)
    assert silent['found'] == (
        'no answer within 0.5 s from h2 (10.0.0.2), ports 9010 (edit_log_port), 8030 (http_port) of its front end and '
        '8040 (be_http_port) of its back end')
    assert silent['fix'].endswith(
        'Open there: 9010 (starrocks_fe_edit_log_port), 8030 (starrocks_fe_http_port), 8040 '
        '(starrocks_be_be_http_port).')
    assert 'h3' in other['found']
    assert '8000 (starrocks_broker_ipc_port)' in refused['fix']


def test_a_host_that_is_named_by_its_address_is_named_once():
    row, = connectivity.network_checks([dict(target(), host='10.0.0.2')], [errno.ETIMEDOUT], 3.0)
    assert 'from 10.0.0.2, port' in row['found']


def test_what_a_later_step_opens_is_a_warning():
    row, = connectivity.network_checks([target()], [errno.ETIMEDOUT], 3.0, firewall_later=True)
    assert row['status'] == 'warning' and 'starrocks_manage_firewall' in row['fix']
    row, = connectivity.network_checks([target()], [connectivity.NAME_UNKNOWN], 3.0, firewall_later=True)
    assert row['status'] == 'failure'


@pytest.mark.parametrize('answer', [
    ['10.0.0.2'], ['10.0.0.2', 'fd00:0::2'], ['fe80::1%eth0', '10.0.0.2'],
])
def test_names_that_stand_for_their_host(answer):
    row, = connectivity.name_checks([of_host()], [answer])
    assert (row['status'], row['found']) == ('ok', '1 of 1 names stand for their hosts')


@pytest.mark.parametrize('answer, found', [
    ('Name or service not known', 'h2.example is not known here (Name or service not known)'),
    (['127.0.1.1'], 'h2.example stands for 127.0.1.1 here, and h2 has 10.0.0.2, fd00::2'),
    (['10.0.0.2', '10.0.0.9'], 'h2.example stands for 10.0.0.9 here, and h2 has 10.0.0.2, fd00::2'),
    (['fe80::1%eth0'], 'h2.example stands for nothing here, and h2 has 10.0.0.2, fd00::2'),
])
def test_names_that_do_not(answer, found):
    right, row = connectivity.name_checks([of_host(), of_host('right.example')], [answer, ['10.0.0.2']])
    assert right['found'] == '1 of 2 names stand for their hosts'
    assert (row['name'], row['status'], row['found']) == ('names', 'failure', found)
    assert row['fix'] == "Mend DNS, or write '10.0.0.2 h2.example' into /etc/hosts here."


def test_a_name_that_a_later_step_writes_is_a_warning():
    row, = connectivity.name_checks([of_host(addresses=[])], ['not known'], hosts_file_later=True)
    assert row['status'] == 'warning' and 'starrocks_manage_hosts_file' in row['fix']
    row, = connectivity.name_checks([of_host(addresses=[])], [['10.0.0.2']])
    assert row['found'].endswith('h2 has no address') and 'ADDRESS h2.example' in row['fix']
