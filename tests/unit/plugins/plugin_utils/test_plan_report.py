# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rolling change as a person reads it."""

from ansible_collections.starrocks.cluster.plugins.plugin_utils import _plan_report as report


def batch(kind, *hosts, why='because'):
    return {'kind': kind, 'hosts': list(hosts), 'why': why, 'canary': False, 'leader': False, 'resume': False,
            'location': ''}


def finding(message, *statements):
    return {'message': message, 'why': 'starrocks.md', 'statements': list(statements)}


def plan(**changes):
    return {'operation': 'upgrade', 'target': '3.5.7', 'direction': 'up', 'refusals': [], 'warnings': [],
            'from': {'3.4.10': {'fe': ['fe1'], 'be': ['be2', 'be3']}}, 'done': {'be': ['be1']}, 'skipped': {},
            'batches': [batch('be', 'be2', 'be3', why='before front ends'), batch('fe', 'fe1', why='the only one')],
            'asks': ['Each back end: stop.'], 'before': ['An image.'], 'after': ['Balancing.'], **changes}


def test_the_whole_plan():
    lines = report.plan_lines(plan(warnings=[finding('Mind this.', 'SET GLOBAL x = 1;')]), 'sales')
    assert '\n'.join(lines) == '''\
Upgrade of StarRocks cluster sales: 3.4.10 -> 3.5.7, 3 nodes in 2 batches

  from          3.4.10: front end fe1; back ends be2, be3
  done already  back end be1

What is asked of whom
  - Each back end: stop.

Before
  - An image.

Batches
  #  KIND       HOSTS     WHY
  1  back end   be2, be3  before front ends
  2  front end  fe1       the only one

After
  - Balancing.

Warnings
  - Mind this.
      SET GLOBAL x = 1;'''


def test_refusals_stand_next_to_the_prompt_and_all_are_in_the_error():
    refusals = [finding('Be1 is dead.'), finding('No majority.')]
    refused = plan(batches=[], asks=[], before=[], after=[], refusals=refusals)
    lines = report.plan_lines(refused, 'sales')
    assert lines[0] == 'Upgrade of StarRocks cluster sales: 3.4.10 -> 3.5.7, refused: nothing is to be done'
    assert lines[-3:] == ['Refused', '  - Be1 is dead.', '  - No majority.']
    assert not any('Batches' in line for line in lines)
    assert report.failure_text(refused) == (
        'The upgrade is refused, and nothing was touched: (1) Be1 is dead. (2) No majority.')
    assert report.failure_text(plan(refusals=[finding('Be1 is dead.')])).endswith('touched: Be1 is dead.')
    assert report.failure_text(plan()) == ''


def test_nothing_is_left_to_do():
    nothing = plan(batches=[], asks=[], before=[], after=[], **{'from': {}})
    assert report.plan_lines(nothing, 'sales') == [
        'Upgrade of StarRocks cluster sales: 3.5.7, nothing is left to do', '', '  done already  back end be1']


def test_before_anything_is_known():
    unknown = plan(batches=[], asks=[], before=[], after=[], done={}, refusals=[finding('No answer.')], **{'from': {}})
    assert report.plan_lines(unknown, 'x') == [
        'Upgrade of StarRocks cluster x: 3.5.7, refused: nothing is to be done', '', 'Refused', '  - No answer.']


def test_a_restart_has_no_target_and_one_node_is_one():
    lines = report.plan_lines(plan(operation='restart', target=None, batches=[batch('be', 'be1')]), 'x')
    assert lines[0] == 'Restart of StarRocks cluster x, 1 node in 1 batch'


def test_versions_that_nobody_knows_are_told_so():
    lines = report.plan_lines(plan(skipped={'be': ['be9']}, **{'from': {'unknown': {'broker': ['br1']}}}), 'x')
    assert '  from          version not known: broker br1' in lines and '  left out      back end be9' in lines


def test_no_line_is_too_long():
    hosts = ['a-rather-long-host-name-%03d' % number for number in range(60)]
    words = 'words of a reason ' * 30
    long = plan(batches=[batch('cn', *hosts, why=words)], warnings=[finding(words)], asks=[words],
                **{'from': {'3.4.10': {'be': hosts}}})
    lines = report.plan_lines(long, 'sales')
    assert max(len(line) for line in lines) <= report.WIDTH
    text = '\n'.join(lines)
    assert all(text.count(host) == 2 for host in hosts)
