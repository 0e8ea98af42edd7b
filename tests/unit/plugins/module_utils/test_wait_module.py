# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""starrocks_wait over a scripted driver."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _images
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_wait
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    BROKER_COLUMNS,
    FRONTEND_COLUMNS,
    Driver,
    Frontend,
    frontend_row,
)


class Cluster:
    def __init__(self):
        self.frontend = Frontend({
            'SHOW FRONTENDS': (FRONTEND_COLUMNS, [frontend_row('fe1', 'LEADER'), frontend_row('fe2')]),
            'SHOW BROKER': (BROKER_COLUMNS, [['b', '10.0.0.1', '8000', 'true', '']]),
        })
        self.driver = Driver({('fe1', 9030): self.frontend})


@pytest.fixture
def cluster(use):
    made = Cluster()
    use(made.driver)
    return made


def test_wait(cluster, run):
    result = run(starrocks_wait, conditions=[{'condition': 'leader'}, {'condition': 'alive', 'kind': 'brokers'}])
    assert [entry['met'] for entry in result['conditions']] == [True, True] and not result['changed']
    result = run(starrocks_wait, timeout=4, conditions=[
        {'condition': 'leader'},
        {'condition': 'version', 'kind': 'frontends', 'version': '3.5.1', 'nodes': ['fe2:9010']}])
    assert result['msg'] == ('the conditions did not hold within 4 s: version of frontends: fe2:9010 has version '
                             '3.5.0-0be11fd')
    assert [entry['met'] for entry in result['conditions']] == [True, False]


@pytest.mark.parametrize('conditions, words', [
    ([], 'conditions is empty'), ([{'condition': 'alive'}], 'kind'),
    ([{'condition': 'alive', 'kind': 'backends', 'nodes': []}], 'nodes is empty'),
    ([{'condition': 'alive', 'kind': 'backends', 'nodes': ['a b']}], 'neither an address'),
])
def test_bad_conditions(cluster, run, conditions, words):
    assert words in run(starrocks_wait, conditions=conditions)['msg']
    assert cluster.driver.connects == []


def test_waiting_for_a_cluster_that_is_not_there(cluster, run):
    result = run(starrocks_wait, login_hosts=['fe9'], timeout=5, conditions=[{'condition': 'leader'}])
    assert result['failed'] and 'no front end could be logged in to' in result['msg']
    assert result['conditions'] == [
        {'condition': 'leader', 'kind': None, 'met': False, 'lacks': ['no front end answered']}]


def test_one_look_reads_each_table_once(cluster, run):
    cluster.frontend.answers["SHOW PROC '/statistic'"] = (('DbId', 'DbName', 'UnhealthyTabletNum'),
                                                          [['Total', '0', '0']])
    cluster.frontend.answers["SHOW PROC '/cluster_balance'"] = (('Item', 'Number'), [['pending_tablets', '0']])
    run(starrocks_wait, conditions=[
        {'condition': 'leader'}, {'condition': 'leader', 'not_host': 'fe2'},
        {'condition': 'alive', 'kind': 'frontends'}, {'condition': 'replicas'}, {'condition': 'scheduling'}])
    assert cluster.frontend.log == ['SHOW FRONTENDS', "SHOW PROC '/cluster_balance'", "SHOW PROC '/statistic'"]


def test_images_are_asked_for_over_http(cluster, run, monkeypatch):
    columns = FRONTEND_COLUMNS + ('HttpPort', 'ReplayedJournalId')
    cluster.frontend.answers['SHOW FRONTENDS'] = (columns, [frontend_row('fe1', 'LEADER') + ['8030', '77']])
    pages = iter(['{"last_checkpoint_version":"40"}', '{"last_checkpoint_version":"80"}'])
    asked = []

    def page(host, port, user, password, timeout):
        asked.append((host, port, user, password, timeout))
        return next(pages)

    monkeypatch.setattr(_images, 'fetch_page', page)
    result = run(starrocks_wait, conditions=[{'condition': 'image'}])
    assert result['conditions'] == [{'condition': 'image', 'kind': None, 'met': True, 'lacks': []}]
    assert asked == [('fe1', 8030, 'root', '', 5)] * 2


def test_bad_options_are_told_at_once(cluster, run):
    result = run(starrocks_wait, timeout=-1, conditions=[{'condition': 'leader', 'version': '3.5.0'}])
    assert 'timeout: -1' in result['msg'] and 'conditions[0], leader: takes no version' in result['msg']
    assert cluster.driver.connects == []
