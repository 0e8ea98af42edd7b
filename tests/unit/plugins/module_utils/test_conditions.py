# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _conditions as conditions

EMPTY = dict.fromkeys(conditions.OPTIONS)
ADDRESSES = {'alias': frozenset(['10.0.0.1']), 'h1': frozenset(['10.0.0.1'])}


def resolve(host):
    return ADDRESSES.get(host, frozenset())


def options(name, **given):
    return dict(EMPTY, condition=name, **given)


def checked(name, **given):
    made, findings = conditions.check_conditions([options(name, **given)], resolve)
    assert findings == []
    return made[0]


def backend(host, alive=True, version='3.5.0-0be11fd', heard='2026-11-23T03:10:00Z', **columns):
    return dict({'host': host, 'heartbeat_port': 9050, 'alive': alive, 'version': version, 'err_msg': '',
                 'last_heartbeat': heard, 'last_start_time': '2026-11-23T03:00:00Z', 'system_decommissioned': False,
                 'tablet_num': 5}, **columns)


def frontend(host, role='FOLLOWER', **columns):
    return dict({'host': host, 'edit_log_port': 9010, 'role': role, 'alive': True, 'err_msg': '', 'http_port': 8030,
                 'replayed_journal_id': 70}, **columns)


TABLES = {
    'frontends': [frontend('f1'), frontend('f2', 'LEADER', replayed_journal_id=77)],
    'backends': [backend('h1'), backend('h2', alive=False, err_msg='Connection refused'),
                 backend('h3', version='3.4.4-x', heard='2026-11-23T03:09:55Z', system_decommissioned=True),
                 backend('h4', system_decommissioned=True, tablet_num=0)],
    'brokers': [],
    'statistic': {'unhealthy_tablet_num': 3, 'inconsistent_tablet_num': 1},
    'scheduling': {'pending_tablets': 2, 'running_tablets': 0, 'history_tablets': 9},
    'images': [{'host': 'f1', 'port': 8030, 'journal_id': 70, 'time': None, 'error': ''},
               {'host': 'f2', 'port': 8030, 'journal_id': 77, 'time': None, 'error': ''}],
}
DEAD = 'h2:9050 is not alive (ErrMsg: Connection refused)'


@pytest.mark.parametrize('name, given, expected', [
    ('leader', {}, []),
    ('leader', {'host': 'f2'}, []),
    ('leader', {'host': 'f1'}, ['f2 leads, not f1']),
    ('leader', {'not_host': 'f1'}, []),
    ('leader', {'not_host': 'f2'}, ['f2 still leads']),
    ('alive', {'kind': 'backends'}, [DEAD]),
    ('alive', {'kind': 'backends', 'at_least': 3}, []),
    ('alive', {'kind': 'backends', 'at_least': 4}, ['3 of at least 4', DEAD]),
    ('alive', {'kind': 'backends', 'nodes': ['h1']}, []),
    ('alive', {'kind': 'backends', 'nodes': ['10.0.0.1']}, []),
    ('alive', {'kind': 'backends', 'nodes': ['h1:9051']}, ['h1:9051 is not registered']),
    ('alive', {'kind': 'backends', 'nodes': ['h1:9050', 'h9']}, ['h9 is not registered']),
    ('alive', {'kind': 'backends', 'nodes': ['h1'], 'after': '2026-11-23T02:59:59Z'}, []),
    ('alive', {'kind': 'backends', 'nodes': ['h1'], 'after': '2026-11-23 03:00:00'},
     ['h1:9050 is shown alive, but started at 2026-11-23T03:00:00Z']),
    ('alive', {'kind': 'brokers'}, ['no brokers are registered']),
    ('alive', {'kind': 'brokers', 'at_least': 1}, ['0 of at least 1']),
    ('heard', {'kind': 'backends', 'after': '2026-11-23T03:09:55Z'},
     [DEAD, 'h3:9050 was last heard of at 2026-11-23T03:09:55Z']),
    ('version', {'kind': 'backends', 'version': '3.5.0'}, [DEAD, 'h3:9050 has version 3.4.4-x']),
    ('version', {'kind': 'backends', 'version': '3.5.0', 'nodes': ['h1']}, []),
    ('absent', {'kind': 'backends', 'nodes': ['h1', 'h9']}, ['h1:9050 is still registered']),
    ('absent', {'kind': 'backends', 'nodes': ['h9']}, []),
    ('decommissioned', {'nodes': ['h1', 'h3', 'h4', 'h9']},
     ['h1:9050 is not being decommissioned', 'h3:9050 still holds 5 tablets']),
    ('replicas', {}, ['3 unhealthy tablets', '1 inconsistent tablets']),
    ('scheduling', {}, ['2 pending tablets']),
    ('image', {'journal_id': 70}, []),
    ('image', {'journal_id': 71}, ['f1:8030 has image.70, and it has to be image.71 or a later one']),
])
def test_what_is_lacking(name, given, expected):
    assert conditions.lacks(checked(name, **given), TABLES, resolve) == expected


def test_no_leader():
    tables = dict(TABLES, frontends=[frontend('f1')])
    assert conditions.lacks(checked('leader'), tables, resolve) == ['no front end leads']
    image = conditions.with_beginning(checked('image'), tables)
    assert conditions.lacks(image, tables, resolve) == ['no front end leads']


def test_what_is_measured_from_the_first_look():
    image = conditions.with_beginning(checked('image'), TABLES)
    assert image['journal_id'] == 77
    later = dict(TABLES, frontends=[frontend('f2', 'LEADER', replayed_journal_id=99)])
    assert conditions.with_beginning(image, later) is image

    heard = conditions.with_beginning(checked('heard', kind='backends', nodes=['h1']), TABLES)
    assert heard['after'] == '2026-11-23T03:10:00Z'
    assert conditions.lacks(heard, TABLES, resolve) == ['h1:9050 was last heard of at 2026-11-23T03:10:00Z']
    again = {'backends': [backend('h1', heard='2026-11-23T03:10:05Z')]}
    assert conditions.lacks(heard, again, resolve) == []
    # Nobody was heard of yet: any time is later.
    nobody = {'backends': [backend('h1', heard=None)]}
    unknown = conditions.with_beginning(checked('heard', kind='backends'), nobody)
    assert unknown['after'] is None
    assert conditions.lacks(unknown, nobody, resolve) == ['h1:9050 was last heard of at an unknown time']


def test_each_table_once():
    made = [checked('leader'), checked('image'), checked('alive', kind='backends'),
            checked('decommissioned', nodes=['a']), checked('replicas'), checked('alive', kind='frontends')]
    assert conditions.tables_of(made) == ['frontends', 'backends', 'images', 'statistic']


@pytest.mark.parametrize('name, given, words', [
    ('alive', {}, ['kind is needed']),
    ('version', {'kind': 'backends'}, ['version is needed']),
    ('version', {'kind': 'brokers', 'version': '3.5.0'}, ['brokers tell no version']),
    ('version', {'kind': 'backends', 'version': '3.5'},
     ["version: '3.5' is no version such as 3.5.0 or 3.5.0-0be11fd"]),
    ('version', {'kind': 'backends', 'version': 'MAIN-RELEASE-d094052'}, []),
    ('absent', {'kind': 'backends'}, ['nodes is needed']),
    ('leader', {'version': '3.5.0', 'kind': 'backends'}, ['takes no kind', 'takes no version']),
    ('alive', {'kind': 'backends', 'nodes': []}, ['nodes is empty; leave it out to mean all that are registered']),
    ('alive', {'kind': 'backends', 'nodes': ['a b', 'h1:0']},
     ["nodes: 'a b' is neither an address nor a host name", 'nodes: port 0 is not between 1 and 65535']),
    ('alive', {'kind': 'backends', 'nodes': ['h1', 'H1.']}, ['nodes: H1. is there twice']),
    ('alive', {'kind': 'backends', 'nodes': ['h1:9050', 'alias:9050']}, ['nodes: alias:9050 is there twice']),
    ('alive', {'kind': 'backends', 'at_least': 0}, ['at_least: 0 is not at least 1']),
    # A host may have several.
    ('alive', {'kind': 'backends', 'at_least': 2, 'nodes': ['h1']}, []),
    ('alive', {'kind': 'backends', 'at_least': 2, 'nodes': ['h1:9050']}, ['at_least: there are but 1 nodes']),
    ('alive', {'kind': 'backends', 'after': 'noon'}, ["after: 'noon' is no time such as 2026-11-23T03:05:32Z"]),
    ('leader', {'host': 'a;b'}, ["host: 'a;b' is neither an address nor a host name"]),
    ('image', {'journal_id': -1}, ['journal_id: -1 is not at least 1']),
])
def test_findings(name, given, words):
    findings = conditions.check_conditions([options('leader'), options(name, **given)], resolve)[1]
    assert findings == ['conditions[1], %s: %s' % (name, text) for text in words]


def test_the_same_host_with_another_port_is_another_node():
    assert checked('alive', kind='backends', nodes=['h1:9050', 'h1:9051'])['nodes'] == [('h1', 9050), ('h1', 9051)]


def test_a_thousand_nodes_take_no_minute():
    hosts = ['10.0.%d.%d' % (number // 200, number % 200 + 1) for number in range(1000)]
    rows = [backend(host, backend_id=number) for number, host in enumerate(hosts)]
    began = time.monotonic()
    condition = checked('alive', kind='backends', nodes=hosts)
    assert conditions.lacks(condition, {'backends': rows}, resolve) == []
    assert time.monotonic() - began < 10
