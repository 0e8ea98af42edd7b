# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import socket
import threading

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _sql_address as address

NAMES = {'h1': {'10.0.0.1'}, 'h1.example': {'10.0.0.1', 'fd00::1'}, 'h2': {'10.0.0.2'}, 'me': {'127.0.1.1'},
         'myself': {'127.0.1.1'}, 'localhost': {'127.0.0.1', '::1'}}


def resolve(host):
    return frozenset(NAMES.get(host, ()))


@pytest.mark.parametrize('given, stored, expected', [
    ('10.0.0.1', '10.0.0.1', True),
    ('10.0.0.1', '10.0.0.2', False),
    ('h1', '10.0.0.1', True),
    ('10.0.0.1', 'h1', True),
    ('H1.Example.', 'h1.example', True),
    ('h1', 'h1.example', True),
    ('h1', 'h2', False),
    ('h1', '10.0.0.2', False),
    ('unknown', '10.0.0.1', False),
    ('unknown', 'other', False),
    ('unknown', 'UNKNOWN', True),
    ('me', 'myself', False),
    ('localhost', '127.0.0.1', True),
    ('[fd00::1]', 'fd00:0:0::1', True),
    ('h1.example', 'fd00::1', True),
    # Java makes an IPv4 address of it, which is then stored.
    ('::ffff:10.0.0.1', '10.0.0.1', True),
])
def test_same_host(given, stored, expected):
    assert address.same_host(given, stored, resolve) is expected


@pytest.mark.parametrize('text, expected', [
    ('fe1', ('fe1', 9030)),
    ('fe1:9031', ('fe1', 9031)),
    ('10.0.0.1:1', ('10.0.0.1', 1)),
    ('fd00::1', ('fd00::1', 9030)),
    ('[fd00::1]', ('fd00::1', 9030)),
    ('[fd00::1]:9031', ('fd00::1', 9031)),
    (' fe-1.example_net.org ', ('fe-1.example_net.org', 9030)),
])
def test_split_host_port(text, expected):
    assert address.split_host_port(text, 9030) == expected


@pytest.mark.parametrize('text, expected', [
    ('be1', ('be1', None)), ('fd00::1', ('fd00::1', None)), ('be1:9050', ('be1', 9050)), ('be1:09050', ('be1', 9050))])
def test_a_port_may_be_left_open(text, expected):
    assert address.split_host_port(text, None) == expected


@pytest.mark.parametrize('text', ['', ':9030', 'fe1:', 'fe1:abc', 'fe1:0', 'fe1:65536', 'fe1:\u0663', 'fe1:\u00b2',
                                  'fe80::1%"; x', '10.0.0.1.', '[fe1]:9030]',
                                  'fe1:9030:9030', 'a b', "fe'1", 'fe1;x', 'f\ne1:9030', '10.0.0', '1.2.3.4.5',
                                  '-- x', 'fe"1:9050', 'x' * 10000])
def test_what_is_no_address(text):
    with pytest.raises(ValueError):
        address.split_host_port(text, 9030)


@pytest.mark.parametrize('host', ['h"', "h' OR 1", 'a;b', 'a/*b', 'a b', 'a\nb', '', None,
                                  'fe80::1%a"b', 'fe80::1%eth0', '10.0.0.1.', '[10.0.0.1.]', '300.1.1.1',
                                  'é', 'a..b', '-a'])
def test_hostile_hosts(host):
    with pytest.raises(ValueError, match='neither an address nor a host name'):
        address.check_host(host)


def test_a_name_is_asked_for_once_in_whichever_spelling():
    asked = []
    resolver = address.Resolver(lambda host, port: asked.append(host) or [(None, None, None, None, ('10.0.0.1', 0))])
    assert resolver('FE1.') == resolver('fe1') == frozenset(['10.0.0.1'])
    assert asked == ['fe1']


def test_many_names_are_asked_for_at_the_same_time():
    all_are_asking = threading.Barrier(3, timeout=10)
    asked = []

    def lookup(host, port):
        all_are_asking.wait()
        asked.append(host)
        raise socket.gaierror()

    resolver = address.Resolver(lookup)
    resolver.prepare(['fe1', 'FE1', '10.0.0.1', 'fe2.', 'fe3'])
    assert [resolver(host) for host in ('fe1', 'fe2', 'fe3')] == [frozenset()] * 3
    assert sorted(asked) == ['fe1', 'fe2', 'fe3']


def test_a_long_name_is_not_repeated_whole():
    with pytest.raises(ValueError) as caught:
        address.check_host('x' * 10000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize('port', [0, -1, 65536, 'abc'])
def test_bad_ports(port):
    with pytest.raises(ValueError):
        address.check_port(port)


@pytest.mark.parametrize('host, expected', [
    ('h1', 'h1:9050'), ('10.0.0.1', '10.0.0.1:9050'), ('fd00::1', '[fd00::1]:9050')])
def test_join(host, expected):
    assert address.join_host_port(host, 9050) == expected


def test_resolver_asks_once():
    asked = []

    def lookup(host, port):
        asked.append(host)
        if host == 'nowhere':
            raise socket.gaierror(-2, 'Name or service not known')
        return [(socket.AF_INET6, 1, 6, '', ('fe80::1%eth0', 0, 0, 2)), (socket.AF_INET, 1, 6, '', ('10.0.0.1', 0))]

    resolver = address.Resolver(lookup)
    assert resolver('h') == resolver('h') == {'fe80::1', '10.0.0.1'}
    assert resolver('nowhere') == frozenset()
    assert asked == ['h', 'nowhere']
