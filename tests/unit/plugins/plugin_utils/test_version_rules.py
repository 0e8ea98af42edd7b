# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of starrocks.md 7.2 and 7.5: where it holds, and right beside that, where it does not."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import Version
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _version_rules as rules


def judge(old, new, kinds=('fe', 'be', 'cn'), facts=()):
    return rules.judge(Version.parse(old), Version.parse(new), kinds, facts)


def names(old, new, severity=None, **options):
    return [rule.name for rule, dummy in judge(old, new, **options) if severity in (None, rule.severity)]


@pytest.mark.parametrize('old, new, refused', [
    # patch to patch, any jump, both ways
    ('3.4.4', '3.4.10', []),
    ('3.4.10', '3.4.4', []),
    ('2.5.9', '2.5.10', []),
    # 3.3.1 is nobody's target; who has it may leave it
    ('3.3.0', '3.3.1', ['yanked']),
    ('3.3.2', '3.3.1', ['yanked']),
    ('3.3.1', '3.3.2', []),
    # to 3.0 only from 2.5; 3.x is not passed over
    ('2.4.5', '3.0.9', ['to 3.0 from 2.5']),
    ('2.5.22', '3.0.9', []),
    ('2.4.5', '2.5.22', []),
    ('2.5.22', '4.0.1', ['over a major version']),
    ('3.5.7', '4.0.1', []),
    # 2.5.0 goes back to 2.4 only
    ('2.5.0', '2.4.5', []),
    ('2.5.0', '2.3.9', ['back from 2.5.0']),
    ('2.5.1', '2.3.9', []),
    # from 3.0 back only to 2.5.3 and later
    ('3.0.9', '2.5.2', ['floor 2.5.3']),
    ('3.0.9', '2.5.3', []),
    ('3.0.9', '2.5.10', []),
    ('3.0.9', '2.4.5', ['floor 2.5.3']),
    # 3.3 not to 3.2.0 - 3.2.2, from 3.3.9 on to 3.2.11 and later
    ('3.3.8', '3.2.2', ['floor 3.2.3']),
    ('3.3.8', '3.2.3', []),
    ('3.3.9', '3.2.10', ['floor 3.2.11']),
    ('3.3.9', '3.2.11', []),
    ('3.3.15', '3.2.2', ['floor 3.2.11']),
    ('3.2.16', '3.2.2', []),
    # 3.4 to 3.3.9 and later
    ('3.4.0', '3.3.8', ['floor 3.3.9']),
    ('3.4.4', '3.3.8', ['floor 3.3.9']),
    ('3.4.0', '3.3.9', []),
    ('3.4.0', '3.3.15', []),
    # 3.5 to 3.4.6 and later, 3.5.2 not to 3.5.0, 3.5.1
    ('3.5.0', '3.4.5', ['floor 3.4.6']),
    ('3.5.0', '3.4.6', []),
    ('3.5.0', '3.4.10', []),
    ('3.5.2', '3.5.1', ['back from 3.5.2']),
    ('3.5.7', '3.5.0', ['back from 3.5.2']),
    ('3.5.7', '3.5.2', []),
    ('3.5.1', '3.5.0', []),
    # a longer way down goes through the next floor
    ('3.5.0', '3.3.15', ['floor 3.4.6']),
    # 4.0 to 3.5.2 and later
    ('4.0.1', '3.5.1', ['floor 3.5.2']),
    ('4.0.1', '3.5.2', []),
    # 4.1 to 4.0.6 and later
    ('4.1.0', '4.0.5', ['floor 4.0.6']),
    ('4.1.0', '4.0.6', []),
    ('4.1.3', '4.0.14', []),
    # a release candidate is of its line
    ('3.4.0-rc01', '3.3.8', ['floor 3.3.9']),
])
def test_steps_that_are_refused(old, new, refused):
    assert names(old, new, rules.REFUSE) == refused


@pytest.mark.parametrize('old, new, rule, holds', [
    ('3.3.15', '3.4.4', 'several lines', False),
    ('3.3.15', '3.5.0', 'several lines', True),
    ('2.5.22', '3.0.9', 'several lines', False),
    ('2.5.22', '3.1.17', 'several lines', True),
    ('3.5.7', '4.0.1', 'several lines', False),
    ('3.4.4', '4.0.1', 'several lines', True),
    ('3.2.16', '3.0.9', 'several lines', True),
    ('4.0.1', '3.5.7', 'several lines', False),
    ('3.5.0', '3.4.6', 'metadata down', True),
    ('3.5.7', '3.5.2', 'metadata down', False),
    ('3.4.6', '3.5.0', 'metadata down', False),
    # the key is one of the version that is gone to
    ('3.3.15', '3.2.16', 'unknown log id', True),
    ('3.3.15', '3.2.16', 'unknown operation type', False),
    ('3.4.4', '3.3.15', 'unknown operation type', True),
    ('3.4.4', '3.3.15', 'unknown log id', False),
    ('3.4.10', '3.4.4', 'unknown operation type', False),
    ('2.5.22', '2.4.5', 'unknown log id', True),
    ('2.1.9', '2.0.9', 'unknown log id', False),
    ('3.4.10', '3.5.0', 'another JDK', True),
    ('3.5.0', '3.4.10', 'another JDK', True),
    ('3.2.16', '3.3.15', 'another JDK', True),
    ('3.3.15', '3.4.4', 'another JDK', False),
    ('3.5.0', '4.0.1', 'another JDK', False),
    ('2.0.9', '2.1.1', 'vector_chunk_size', True),
    ('2.0.8', '2.0.9', 'vector_chunk_size', False),
    ('2.5.22', '3.0.9', '3.0', True),
    ('3.0.9', '3.1.17', '3.0', False),
    ('3.1.17', '3.2.16', 'pipeline engine', True),
    ('3.2.3', '3.2.16', 'pipeline engine', False),
    ('3.4.10', '3.5.0', 'JAVA_OPTS of 3.5', True),
    ('3.5.0', '3.5.7', 'JAVA_OPTS of 3.5', False),
    ('3.4.10', '3.5.0', 'JAVA_OPTS of back ends in 3.5', True),
    ('3.4.9', '3.5.0', 'low cardinality', True),
    ('3.4.10', '3.5.0', 'low cardinality', False),
    ('3.4.4', '3.4.10', 'low cardinality', False),
    ('4.0.6', '4.1.0', 'container images of 4.1.0', True),
    ('4.0.6', '4.1.3', 'container images of 4.1.0', False),
    ('3.0.9', '2.5.22', 'BDB-JE of 2.5', True),
    ('3.2.16', '3.1.17', 'bucket_size', True),
    ('3.3.15', '3.2.16', 'bucket_size', False),
    ('3.3.0', '3.2.16', 'schema changes', True),
    ('3.4.4', '3.3.15', 'schema changes', False),
    ('3.3.0', '3.2.7', 'lz4', True),
    ('3.3.0', '3.2.8', 'lz4', False),
    ('3.3.0', '3.1.13', 'lz4', True),
    ('3.3.0', '3.1.14', 'lz4', False),
    ('3.3.0', '3.2.16', 'temporary tables', False),
    ('3.3.2', '3.2.16', 'temporary tables', True),
    ('3.3.2', '3.2.16', 'renamed columns', True),
    ('3.4.4', '3.3.15', 'renamed columns', False),
    ('4.0.2', '4.0.1', 'meta scan', True),
    ('4.0.3', '4.0.2', 'meta scan', False),
    ('4.0.3', '3.5.10', 'meta scan', True),
    ('4.0.3', '3.5.11', 'meta scan', False),
    ('4.0.1', '3.5.7', 'meta scan', False),
])
def test_what_is_to_be_known(old, new, rule, holds):
    assert (rule in names(old, new, rules.WARN, kinds=rules.ALL)) is holds


def test_each_rule_is_met_by_a_test_and_has_a_source_and_a_name_of_its_own():
    table = [*rules.FLOORS, *rules.RULES]
    assert len({rule.name for rule in table}) == len(table)
    assert all(rule.source and rule.text.endswith('.') for rule in table)
    met = {rule.name for cases in (test_steps_that_are_refused, test_what_is_to_be_known)
           for case in cases.pytestmark[0].args[1] for rule, dummy in judge(case[0], case[1], rules.ALL, ['by name'])}
    met |= {'addresses below 2.4'}
    assert met == {rule.name for rule in table}


def test_names_must_go_before_2_4():
    assert 'addresses below 2.4' in names('2.5.22', '2.3.9', facts=['by name'])
    assert 'addresses below 2.4' not in names('2.5.22', '2.3.9')
    assert 'addresses below 2.4' not in names('2.5.22', '2.4.5', facts=['by name'])


def test_the_floor_that_is_told_is_the_next_on_the_way():
    assert names('3.5.0', '3.2.1', rules.REFUSE) == ['floor 3.4.6']
    assert judge('3.5.0', '3.2.1')[0][1] == (
        'From there the way down leads to 3.4.6 or later (older ones cannot read its metadata).')


@pytest.mark.parametrize('kinds, refused', [(('be', 'cn'), []), (('broker',), []), (('fe',), ['floor 3.4.6'])])
def test_back_ends_alone_may_go_back_since_metadata_is_no_matter_of_theirs(kinds, refused):
    assert names('3.5.0', '3.4.4', rules.REFUSE, kinds=kinds) == refused


def test_storage_written_by_4_1_is_a_matter_of_back_ends():
    assert names('4.1.0', '4.0.5', rules.REFUSE, kinds=('be',)) == ['floor 4.0.6']


def test_brokers_have_their_jdk_and_else_nothing():
    assert names('3.3.15', '3.5.0', kinds=('broker',)) == ['another JDK']


def test_the_statements_are_exact():
    told = {rule.name: rule.statements for rule, dummy in [*judge('3.3.2', '3.2.7'), *judge('3.4.4', '3.5.0')]}
    assert told['low cardinality'] == ('SET GLOBAL cbo_enable_low_cardinality_optimize = false;',)
    assert 'ADMIN SET FRONTEND CONFIG ("history_job_keep_max_second" = "0");' in told['schema changes']
    assert told['temporary tables'][0] == (
        'ADMIN SET FRONTEND CONFIG ("enable_experimental_temporary_table" = "false");')


def test_texts_name_the_versions():
    texts = {rule.name: text for rule, text in judge('3.3.15', '3.5.0')}
    assert texts['several lines'] == (
        '2 minor versions at once. One at a time is strongly recommended: 3.4 first.')
    assert texts['another JDK'].startswith('3.5.0 wants Java 17 or newer, 3.3.15 wanted 11.')


@pytest.mark.parametrize('old, new, apart', [
    ('3.5.0', '3.5.7', 0), ('3.4.0', '3.5.0', 1), ('2.5.0', '3.0.0', 1), ('2.4.0', '3.1.0', 3), ('3.5.0', '4.0.0', 1),
    ('2.5.0', '4.0.0', 7), ('4.2.0', '5.0.0', 1)])
def test_lines_are_counted_both_ways(old, new, apart):
    old, new = Version.parse(old), Version.parse(new)
    assert rules.lines_apart(old, new) == rules.lines_apart(new, old) == apart


@pytest.mark.parametrize('old, new, line', [
    ('3.3.0', '3.5.0', '3.4'), ('3.4.0', '4.1.0', '3.5'), ('3.5.0', '4.1.0', '4.0'), ('2.5.0', '3.1.0', '3.0'),
    ('4.0.1', '4.2.0', '4.1'), ('3.5.0', '3.3.0', '3.4'), ('4.0.1', '3.4.0', '3.5'), ('3.0.0', '2.4.0', '2.5')])
def test_the_next_line_on_the_way(old, new, line):
    assert rules.next_line(Version.parse(old), Version.parse(new)) == line


@pytest.mark.parametrize('version, text, holds', [
    ('3.3.9', '', True),
    ('3.3.10', '>=3.3.9', True),
    ('3.3.9', '>3.3.9', False),
    ('3.3.9', '<=3.3.9', True),
    ('3.3.9', '>=3.3.9 <3.4', True),
    ('3.4.0-rc01', '<3.4', False),
    ('3.3.1-rc01', '=3.3.1', True),
    ('3.5.10', '>=4.0 <4.0.2 | >=3.5.2 <3.5.11', True),
    ('3.5.11', '>=4.0 <4.0.2 | >=3.5.2 <3.5.11', False),
])
def test_ranges(version, text, holds):
    assert rules.within(Version.parse(version), text) is holds
