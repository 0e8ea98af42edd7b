# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blacklists of several front ends, over a scripted driver."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._blacklist import decide_blacklist, hold_blacklist
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import ConnectionOptions, Session
from ansible_collections.starrocks.cluster.plugins.module_utils._node_changes import BACKEND, COMPUTE_NODE
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    FRONTEND_COLUMNS,
    Clock,
    Driver,
    Frontend,
    frontend_row,
    lost,
    said,
)

COLUMNS = ('BackendId', 'AddBlackListType', 'LostConnectionTime', 'LostConnectionNumberInPeriod', 'CheckTimePeriod(s)')


def entry(number, type_name='MANUAL'):
    return {'backend_id': str(number), 'add_black_list_type': type_name}


@pytest.mark.parametrize('entries, wishes, statements', [
    ([], {1: True, 2: True, 3: False}, ['ADD BACKEND BLACKLIST 1, 2']),
    ([entry(1), entry(7)], {1: True, 2: False}, []),
    ([entry(1), entry(2)], {1: False, 3: True}, ['ADD BACKEND BLACKLIST 3', 'DELETE BACKEND BLACKLIST 1']),
    # One that the front end made goes by itself, so it is no answer to a wish; and it is in the way of the opposite.
    ([entry(1, 'AUTO'), entry(2, 'AUTO')], {1: True, 2: False},
     ['ADD BACKEND BLACKLIST 1', 'DELETE BACKEND BLACKLIST 2']),
    ([], {'<id of h:1>': True, 10001: True}, ['ADD BACKEND BLACKLIST 10001, <id of h:1>']),
    ([], {}, []),
])
def test_what_has_to_be_changed(entries, wishes, statements):
    change = decide_blacklist(BACKEND, entries, wishes)
    assert change.statements == statements
    assert change.after == wishes
    assert (change.before == change.after) == (not statements)


def test_compute_nodes_have_a_list_of_their_own():
    entries = [{'compute_node_id': '5', 'add_black_list_type': 'MANUAL'}]
    assert decide_blacklist(COMPUTE_NODE, entries, {5: False}).statements == ['DELETE COMPUTE NODE BLACKLIST 5']


class Listed:
    """A front end with a blacklist, to which the back end 1 can be added."""

    def __init__(self, frontends):
        self.members = []
        self.frontend = Frontend({
            'SHOW FRONTENDS': (FRONTEND_COLUMNS, frontends),
            'SHOW BACKEND BLACKLIST': lambda: (
                COLUMNS, [[number, 'MANUAL', None, '0', '5'] for number in self.members]),
            'ADD BACKEND BLACKLIST 1': self.add,
        })

    def add(self):
        self.members.append('1')
        return (), []

    @property
    def changes(self):
        return [statement for statement in self.frontend.log if statement.startswith(('ADD', 'DELETE'))]


class Module:
    """What hold_blacklist uses of an SqlModule."""

    check_mode = False
    converge = SqlModule.converge
    _with_needs = SqlModule._with_needs

    def __init__(self, driver, clock):
        options = ConnectionOptions([('fe1', 9030)], 'root', '', False, 5, 60, None)
        self.session = Session(options, driver=driver, clock=clock, sleep=clock.sleep, resolve=lambda host: frozenset())
        self.queries = []


@pytest.fixture
def cluster():
    """Three front ends, the last of them dead, and a module."""
    rows = [frontend_row('fe1', 'LEADER'), frontend_row('fe2'), frontend_row('fe3', alive='false')]
    made = {name: Listed(rows) for name in ('fe1', 'fe2')}
    driver = Driver({(name, 9030): listed.frontend for name, listed in made.items()})
    clock = Clock()
    made['module'] = Module(driver, clock)
    return made


def hold(cluster):
    return hold_blacklist(cluster['module'], BACKEND, {1: True}, {1: 'be1:9050'})


def test_every_living_front_end_is_told(cluster):
    cluster['fe2'].add()
    reports, before, after = hold(cluster)
    entries = [{'node': 'be1:9050', 'type': 'MANUAL'}]
    assert reports == [
        {'frontend': 'fe1:9030', 'entries': entries, 'error': None},
        {'frontend': 'fe2:9030', 'entries': entries, 'error': None},
        {'frontend': 'fe3:9030', 'entries': None, 'error': 'is not alive; its list is empty when it has started'}]
    assert before == {'be1:9050 blacklisted by fe1:9030': False, 'be1:9050 blacklisted by fe2:9030': True}
    assert set(after.values()) == {True}
    assert cluster['module'].queries == ['ADD BACKEND BLACKLIST 1'] == cluster['fe1'].changes
    assert cluster['fe2'].changes == []


def test_check_mode_only_says_so(cluster):
    cluster['module'].check_mode = True
    reports, dummy, dummy2 = hold(cluster)
    assert reports[0]['entries'] == [] and cluster['fe1'].changes == cluster['fe2'].changes == []
    assert cluster['module'].queries == ['ADD BACKEND BLACKLIST 1'] * 2


@pytest.mark.parametrize('done, sent', [(True, 1), (False, 2)])
def test_a_statement_in_doubt_is_looked_up_before_it_is_repeated(cluster, done, sent):
    cluster['fe1'].frontend.faults.append(('ADD', lost(), done))
    reports, dummy, dummy2 = hold(cluster)
    assert cluster['fe1'].members == ['1'] and len(cluster['fe1'].changes) == sent
    assert cluster['module'].queries == ['ADD BACKEND BLACKLIST 1'] * 2 and reports[0]['error'] is None


def test_a_follower_hears_of_a_new_node_a_moment_later(cluster):
    cluster['fe2'].frontend.faults.append(('ADD', said('Not found backend: 1'), False))
    hold(cluster)
    assert cluster['fe2'].members == ['1'] and cluster['module'].queries == ['ADD BACKEND BLACKLIST 1'] * 2


@pytest.mark.parametrize('error', [lost(), said('Not found backend: 1'), said('Access denied', 5203)])
def test_the_others_are_told_though_one_fails(cluster, error):
    cluster['fe1'].frontend.faults.extend([('ADD', error, False)] * 9)
    with pytest.raises(Failure) as failure:
        hold(cluster)
    assert 'not as wished at every living front end: fe1:9030: ' in failure.value.message
    assert cluster['fe2'].members == ['1'] and cluster['module'].queries == ['ADD BACKEND BLACKLIST 1']
    assert [report['error'] is None for report in failure.value.results['blacklists']] == [False, True, False]


def test_a_front_end_that_is_too_old_is_named(cluster):
    cluster['fe1'].frontend.answers['SHOW FRONTENDS'][1][1][-1] = '3.2.16-8dea52d'
    with pytest.raises(Failure) as failure:
        hold(cluster)
    assert failure.value.message == ('refused: front end fe2: a blacklist of back ends came with StarRocks 3.3.0, and '
                                     'this is 3.2.16-8dea52d: upgrade the cluster, or leave blacklisted out')
    assert cluster['fe1'].changes == []
