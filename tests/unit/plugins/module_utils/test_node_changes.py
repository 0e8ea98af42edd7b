# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import re

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import DISKS, IPV6, LOCATIONS, WAREHOUSES
from ansible_collections.starrocks.cluster.plugins.module_utils._node_changes import (
    BACKEND,
    BROKER,
    COMPUTE_NODE,
    Finder,
    Node,
    decide_disks,
    decide_nodes,
    duplicates,
)

NAMES = {'be1': {'10.0.0.1'}, 'be2': {'10.0.0.2'}, 'alias1': {'10.0.0.1'}, 'me': {'127.0.1.1'}, 'myself': {'127.0.1.1'},
         'six': {'fd00::1'}}


def resolve(host):
    return frozenset(NAMES.get(host, ()))


def backend(host, port=9050, tablets=0, leaving=False, alive=True):
    return {'host': host, 'heartbeat_port': port, 'alive': alive, 'system_decommissioned': leaving,
            'tablet_num': tablets, 'err_msg': ''}


def broker(name, host, port=8000):
    return {'name': name, 'host': host, 'port': port, 'alive': True, 'err_msg': ''}


ONE, TWO, THREE = Node('10.0.0.1', 9050), Node('10.0.0.2', 9050), Node('10.0.0.3', 9050)


@pytest.mark.parametrize('rows, nodes, state, force, expected', [
    # present
    ([], [ONE, TWO], 'present', False, ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050", "10.0.0.2:9050"']),
    ([backend('10.0.0.1')], [ONE, TWO], 'present', False, ['ALTER SYSTEM ADD BACKEND "10.0.0.2:9050"']),
    ([backend('10.0.0.1')], [ONE], 'present', False, []),
    ([backend('10.0.0.1', alive=False)], [ONE], 'present', False, []),
    ([backend('10.0.0.1')], [Node('be1', 9050)], 'present', False, []),
    ([backend('be1')], [ONE], 'present', False, []),
    ([backend('10.0.0.1')], [Node('be2', 9050)], 'present', False, ['ALTER SYSTEM ADD BACKEND "be2:9050"']),
    ([backend('10.0.0.1', port=9051)], [ONE], 'present', False, ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050"']),
    ([backend('10.0.0.1', leaving=True)], [ONE, TWO], 'present', False,
     ['ALTER SYSTEM ADD BACKEND "10.0.0.2:9050"', 'CANCEL DECOMMISSION BACKEND "10.0.0.1:9050"']),
    ([backend('10.0.0.1', leaving=True)], [Node('be1', 9050)], 'present', False,
     ['CANCEL DECOMMISSION BACKEND "10.0.0.1:9050"']),
    ([], [Node('fd00::1', 9050)], 'present', False, ['ALTER SYSTEM ADD BACKEND "[fd00::1]:9050"']),
    # absent: by the stored text
    ([], [ONE], 'absent', False, []),
    ([backend('10.0.0.1'), backend('10.0.0.2')], [Node('be1', 9050)], 'absent', False,
     ['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050"']),
    ([backend('10.0.0.1', tablets=5)], [ONE], 'absent', True, ['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050" FORCE']),
    ([backend('10.0.0.1'), backend('10.0.0.1')], [ONE], 'absent', False, ['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050"']),
    # decommissioned
    ([backend('10.0.0.1', tablets=5), backend('10.0.0.2', leaving=True)], [ONE, TWO, THREE], 'decommissioned', False,
     ['ALTER SYSTEM DECOMMISSION BACKEND "10.0.0.1:9050"']),
    ([], [ONE], 'decommissioned', False, []),
    ([backend('10.0.0.1', leaving=True)], [ONE], 'decommissioned', False, []),
    # added twice: one goes at a time
    ([backend('10.0.0.1', leaving=True), backend('10.0.0.1')], [ONE], 'decommissioned', False, []),
])
def test_backends(rows, nodes, state, force, expected):
    change = decide_nodes(BACKEND, rows, nodes, state, resolve, force)
    assert change.statements == expected
    assert change.refusals == []
    assert (change.before == change.after) == (not expected)


def test_a_backend_that_holds_data_is_not_dropped():
    rows = [backend('10.0.0.1', tablets=5), backend('10.0.0.2')]
    change = decide_nodes(BACKEND, rows, [ONE, TWO], 'absent', resolve)
    assert len(change.refusals) == 1
    assert '10.0.0.1:9050 holds 5 tablets' in change.refusals[0] and 'state: decommissioned' in change.refusals[0]


@pytest.mark.parametrize('rows, nodes, state, expected', [
    ([], [ONE, TWO], 'present', ['ALTER SYSTEM ADD COMPUTE NODE "10.0.0.1:9050", "10.0.0.2:9050"']),
    # In shared-data mode a compute node shows tablets, which are none of its own.
    ([backend('10.0.0.1', tablets=7)], [ONE], 'absent', ['ALTER SYSTEM DROP COMPUTE NODE "10.0.0.1:9050"']),
    ([backend('10.0.0.1')], [TWO], 'absent', []),
])
def test_compute_nodes(rows, nodes, state, expected):
    change = decide_nodes(COMPUTE_NODE, rows, nodes, state, resolve)
    assert (change.statements, change.refusals) == (expected, [])


B1, B2 = Node('10.0.0.1', 8000), Node('10.0.0.2', 8000)


@pytest.mark.parametrize('rows, nodes, state, expected', [
    ([], [B1, B2], 'present', ['ALTER SYSTEM ADD BROKER "b" "10.0.0.1:8000", "10.0.0.2:8000"']),
    ([broker('other', '10.0.0.1')], [B1], 'present', ['ALTER SYSTEM ADD BROKER "b" "10.0.0.1:8000"']),
    ([broker('b', '10.0.0.1')], [B1], 'present', []),
    ([broker('b', '10.0.0.1'), broker('b', '10.0.0.2')], [B1], 'absent',
     ['ALTER SYSTEM DROP BROKER "b" "10.0.0.1:8000"']),
    ([broker('b', '10.0.0.1'), broker('other', '10.0.0.2')], [B1], 'absent', ['ALTER SYSTEM DROP ALL BROKER "b"']),
    ([broker('b', '10.0.0.1'), broker('b', '10.0.0.2')], [], 'absent', ['ALTER SYSTEM DROP ALL BROKER "b"']),
    ([broker('other', '10.0.0.1')], [], 'absent', []),
])
def test_brokers(rows, nodes, state, expected):
    change = decide_nodes(BROKER, rows, nodes, state, resolve, name='b')
    assert (change.statements, change.refusals) == (expected, [])


def test_diff_and_predicted_rows():
    change = decide_nodes(
        BACKEND, [backend('10.0.0.1', leaving=True)], [Node('be1', 9050), TWO], 'present', resolve)
    assert change.before == {'10.0.0.1:9050': 'decommissioned', '10.0.0.2:9050': 'absent'}
    assert change.after == {'10.0.0.1:9050': 'present', '10.0.0.2:9050': 'present'}
    assert change.rows == [
        backend('10.0.0.1'), {'host': '10.0.0.2', 'heartbeat_port': 9050, 'alive': False, 'err_msg': ''}]


def test_rows_are_not_changed_by_deciding():
    rows = [backend('10.0.0.1', leaving=True)]
    decide_nodes(BACKEND, rows, [ONE], 'present', resolve)
    assert rows == [backend('10.0.0.1', leaving=True)]


@pytest.mark.parametrize('nodes, expected', [
    ([ONE, Node('be1', 9050), TWO, ONE, Node('10.0.0.1', 9051)], [Node('be1', 9050), ONE]),
    ([Node('be1', 9050), Node('alias1', 9050)], [Node('alias1', 9050)]),
    ([Node('BE1.', 9050), Node('be1', 9050)], [Node('be1', 9050)]),
    ([Node('fd00::1', 9050), Node('fd00:0:0::1', 9050)], [Node('fd00:0:0::1', 9050)]),
    # They share but the address that a Debian host gives to its own name.
    ([Node('me', 9050), Node('myself', 9050)], []),
    ([], []),
])
def test_duplicates(nodes, expected):
    assert duplicates(nodes, resolve) == expected


@pytest.mark.parametrize('hosts, node, expected', [
    (['10.0.0.1', '10.0.0.2'], Node('be2', 9050), ['10.0.0.2']),
    (['be1', 'be2'], Node('10.0.0.2', 9050), ['be2']),
    (['alias1', 'be2'], Node('be1', 9050), ['alias1']),
    # What is spelled as wished is meant, whatever else has its address.
    (['alias1', 'be1', '10.0.0.1'], Node('be1', 9050), ['be1']),
    (['10.0.0.1', '10.0.0.1'], ONE, ['10.0.0.1', '10.0.0.1']),
    (['[FD00::1]'], Node('fd00::1', 9050), ['[FD00::1]']),
    (['fd00:0:0:0:0:0:0:1'], Node('six', 9050), ['fd00:0:0:0:0:0:0:1']),
    (['127.0.1.1'], Node('me', 9050), ['127.0.1.1']),
    (['myself'], Node('me', 9050), []),
    (['nowhere'], Node('10.0.0.1', 9050), []),
])
def test_rows_are_found_by_spelling_and_by_resolution(hosts, node, expected):
    rows = [backend(host) for host in hosts]
    assert [row['host'] for row in Finder(rows, 'heartbeat_port', resolve)(node)] == expected
    assert Finder(rows, 'heartbeat_port', resolve)(node._replace(port=9051)) == []


def test_names_are_looked_up_only_where_they_must_be():
    asked = []

    def watched(host):
        asked.append(host)
        return resolve(host)

    rows = [backend('10.0.0.%d' % number) for number in range(100)] + [backend('be%d' % number) for number in range(9)]
    finder = Finder(rows, 'heartbeat_port', watched)
    assert all(len(finder(Node(row['host'], 9050))) == 1 for row in rows)
    assert asked == []
    assert finder(Node('alias1', 9050)) == [rows[1], rows[101]]
    assert len(asked) == 10


def located(host, location, **rest):
    return dict(backend(host, **rest), location=location)


@pytest.mark.parametrize('rows, node, expected, later', [
    ([located('10.0.0.1', None)], ONE._replace(location='rack:r1'),
     ['ALTER SYSTEM MODIFY BACKEND "10.0.0.1:9050" SET ("labels.location" = "rack:r1")'], []),
    ([located('10.0.0.1', 'rack:r1')], ONE._replace(location='rack:r1'), [], []),
    ([located('10.0.0.1', 'rack:r1')], ONE, [], []),
    ([located('10.0.0.1', 'rack:r1')], ONE._replace(location=''),
     ['ALTER SYSTEM MODIFY BACKEND "10.0.0.1:9050" SET ("labels.location" = "")'], []),
    ([located('10.0.0.1', None)], ONE._replace(location=''), [], []),
    # By the address that is stored.
    ([located('10.0.0.1', None)], Node('be1', 9050, location='rack:r1'),
     ['ALTER SYSTEM MODIFY BACKEND "10.0.0.1:9050" SET ("labels.location" = "rack:r1")'], []),
    ([], ONE._replace(location='rack:r1'),
     ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050"',
      'ALTER SYSTEM MODIFY BACKEND "10.0.0.1:9050" SET ("labels.location" = "rack:r1")'], []),
    # Whether a name is stored as a name, the listing tells when it is there.
    ([], Node('be1', 9050, location='rack:r1'), ['ALTER SYSTEM ADD BACKEND "be1:9050"'],
     ['ALTER SYSTEM MODIFY BACKEND "be1:9050" SET ("labels.location" = "rack:r1")']),
    ([], ONE._replace(location=''), ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050"'], []),
    # Added twice by somebody: one statement is for both.
    ([located('10.0.0.1', None), located('10.0.0.1', None)], ONE._replace(location='rack:r1'),
     ['ALTER SYSTEM MODIFY BACKEND "10.0.0.1:9050" SET ("labels.location" = "rack:r1")'], []),
])
def test_locations(rows, node, expected, later):
    change = decide_nodes(BACKEND, rows, [node], 'present', resolve)
    assert (change.statements, change.later, change.refusals) == (expected, later, [])
    assert (change.before == change.after) == (not expected)
    assert (LOCATIONS in change.needs) == ('location' in str(expected + later))
    if node.location is not None:
        assert (change.rows[0].get('location') or '') == node.location


def test_an_ipv6_address_can_have_no_location():
    change = decide_nodes(BACKEND, [], [Node('fd00::1', 9050, location='rack:r1')], 'present', resolve)
    assert 'can have no location' in change.refusals[0] and change.needs == [IPV6, LOCATIONS]


def housed(host, warehouse):
    return dict(backend(host), worker_id='1', warehouse_name=warehouse)


@pytest.mark.parametrize('rows, nodes, state, expected', [
    ([], [ONE._replace(warehouse='w'), TWO, THREE._replace(warehouse='w')], 'present',
     ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050", "10.0.0.3:9050" INTO WAREHOUSE "w"',
      'ALTER SYSTEM ADD BACKEND "10.0.0.2:9050"']),
    ([housed('10.0.0.1', 'w')], [ONE._replace(warehouse='W'), TWO], 'present',
     ['ALTER SYSTEM ADD BACKEND "10.0.0.2:9050"']),
    # In shared-nothing mode no warehouse is shown: all nodes are in the default one.
    ([backend('10.0.0.1')], [ONE._replace(warehouse='default_warehouse')], 'present', []),
    # DROP looks in the default warehouse unless it is told another.
    ([housed('10.0.0.1', 'w'), housed('10.0.0.2', 'default_warehouse'), housed('10.0.0.3', 'w')], [ONE, TWO, THREE],
     'absent', ['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050", "10.0.0.3:9050" FROM WAREHOUSE "w"',
                'ALTER SYSTEM DROP BACKEND "10.0.0.2:9050"']),
    ([], [ONE._replace(warehouse='x" FORCE; --')], 'present',
     ['ALTER SYSTEM ADD BACKEND "10.0.0.1:9050" INTO WAREHOUSE "x\\" FORCE; --"']),
])
def test_warehouses(rows, nodes, state, expected):
    change = decide_nodes(BACKEND, rows, nodes, state, resolve)
    assert (change.statements, change.refusals) == (expected, [])
    assert (WAREHOUSES in change.needs) == ('INTO' in str(expected))


@pytest.mark.parametrize('row, warehouse, state', [
    (housed('10.0.0.1', 'w'), 'default_warehouse', 'present'), (housed('10.0.0.1', 'w'), 'v', 'absent'),
    (backend('10.0.0.1'), 'w', 'present')])
def test_a_node_in_another_warehouse_is_refused(row, warehouse, state):
    change = decide_nodes(BACKEND, [row], [ONE._replace(warehouse=warehouse)], state, resolve)
    assert len(change.refusals) == 1
    assert 'not %s, and StarRocks does not move it' % warehouse in change.refusals[0]


def test_back_ends_in_shared_data_mode_hold_only_a_cache():
    row = dict(housed('10.0.0.1', 'default_warehouse'), tablet_num=9)
    change = decide_nodes(BACKEND, [row], [ONE], 'absent', resolve)
    assert (change.statements, change.refusals) == (['ALTER SYSTEM DROP BACKEND "10.0.0.1:9050"'], [])


RENAME = 'ALTER SYSTEM MODIFY BACKEND HOST "10.0.0.1" TO "be1"'
RENAMED = Node('be1', 9050, renamed_from='10.0.0.1')


@pytest.mark.parametrize('rows, nodes, expected', [
    ([backend('10.0.0.1')], [RENAMED], [RENAME]),
    ([backend('be1')], [RENAMED], []),
    ([backend('10.0.0.1')], [RENAMED._replace(renamed_from='alias1')], [RENAME]),
    ([backend('10.0.0.1', leaving=True)], [RENAMED], [RENAME, 'CANCEL DECOMMISSION BACKEND "be1:9050"']),
    ([located('10.0.0.1', None)], [RENAMED._replace(location='rack:r1')],
     [RENAME, 'ALTER SYSTEM MODIFY BACKEND "be1:9050" SET ("labels.location" = "rack:r1")']),
    # One statement for each back end of the host; no port is named.
    ([backend('10.0.0.1'), backend('10.0.0.1', port=9051)], [RENAMED, RENAMED._replace(port=9051)], [RENAME, RENAME]),
    ([backend('be1'), backend('10.0.0.1', port=9051)], [RENAMED, RENAMED._replace(port=9051)], [RENAME]),
    ([backend('10.0.0.1')], [RENAMED, TWO], [RENAME, 'ALTER SYSTEM ADD BACKEND "10.0.0.2:9050"']),
])
def test_renames(rows, nodes, expected):
    change = decide_nodes(BACKEND, rows, nodes, 'present', resolve)
    assert (change.statements, change.refusals) == (expected, [])
    assert (change.before == change.after) == (not expected)
    assert change.rows[0]['host'] == 'be1'


@pytest.mark.parametrize('rows, node, words', [
    ([backend('10.0.0.2')], RENAMED, 'no back end is registered as 10.0.0.1:9050 or as be1:9050'),
    ([backend('10.0.0.1', port=9051)], RENAMED, 'no back end is registered'),
    ([backend('10.0.0.1')], Node('10.0.0.7', 9050, renamed_from='be1'), '10.0.0.1 cannot be renamed to 10.0.0.7'),
    ([housed('10.0.0.1', 'w')], RENAMED, 'not rename back ends in shared-data mode'),
    ([backend('10.0.0.1'), backend('10.0.0.1', port=9051)], RENAMED,
     'renamed alone: .* Give 10.0.0.1:9051 the same new host'),
])
def test_refused_renames(rows, node, words):
    change = decide_nodes(BACKEND, rows, [node], 'present', resolve)
    assert len(change.refusals) == 1
    assert re.search(words, change.refusals[0])


def disk(path, state='ONLINE', tablets=0):
    return {'root_path': path, 'state': state, 'tablet_num': tablets}


@pytest.mark.parametrize('disks, wished, expected', [
    ([disk('/a'), disk('/b', 'DECOMMISSIONED')], {'/a': 'decommissioned', '/b': 'decommissioned'},
     ['ALTER SYSTEM DECOMMISSION DISK "/a" ON BACKEND "be1:9050"']),
    ([disk('/a'), disk('/b')], {'/a': 'decommissioned', '/b': 'decommissioned'},
     ['ALTER SYSTEM DECOMMISSION DISK "/a", "/b" ON BACKEND "be1:9050"']),
    ([disk('/a', 'DECOMMISSIONED'), disk('/b', 'DISABLED')], {'/a': 'online', '/b': 'online'},
     ['ALTER SYSTEM CANCEL DECOMMISSION DISK "/a" ON BACKEND "be1:9050"',
      'ALTER SYSTEM CANCEL DISABLE DISK "/b" ON BACKEND "be1:9050"']),
    ([disk('/a', 'DECOMMISSIONED')], {'/a': 'disabled'},
     ['ALTER SYSTEM CANCEL DECOMMISSION DISK "/a" ON BACKEND "be1:9050"',
      'ALTER SYSTEM DISABLE DISK "/a" ON BACKEND "be1:9050"']),
    ([disk('/a'), disk('/b', tablets=3)], {'/a': 'online'}, []),
    (None, {'/a': 'online'}, []),
    (None, {'/a': 'disabled'}, ['ALTER SYSTEM DISABLE DISK "/a" ON BACKEND "be1:9050"']),
    ([disk('/a"; DROP')], {'/a"; DROP': 'disabled'}, ['ALTER SYSTEM DISABLE DISK "/a\\"; DROP" ON BACKEND "be1:9050"']),
])
def test_disks(disks, wished, expected):
    change = decide_disks({'be1:9050': disks}, {'be1:9050': wished})
    assert (change.statements, change.refusals) == (expected, [])
    assert change.needs == ([DISKS] if expected else [])
    assert (change.before == change.after) == (not expected)


@pytest.mark.parametrize('address, disks, wished, words', [
    ('be1:9050', [disk('/a')], {'/c': 'online'}, 'shows no disk /c, but /a: name it as in storage_root_path'),
    ('be1:9050', [], {'/c': 'online'}, 'but none so far'),
    ('be1:9050', [disk('/a', 'OFFLINE')], {'/a': 'online'}, 'is OFFLINE'),
    ('be1:9050', [disk('/a', tablets=3)], {'/a': 'disabled'}, 'holds 3 tablets, which disabling drops'),
    ('[fd00::1]:9050', [disk('/a')], {'/a': 'disabled'}, 'reads no IPv6 address'),
])
def test_refused_disks(address, disks, wished, words):
    change = decide_disks({address: disks}, {address: wished})
    assert len(change.refusals) == 1 and words in change.refusals[0]


def test_disks_that_hold_data_are_disabled_by_force():
    assert decide_disks({'b:1': [disk('/a', tablets=3)]}, {'b:1': {'/a': 'disabled'}}, force=True).refusals == []
