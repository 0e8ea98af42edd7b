# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps from version to version are allowed, and what each of them asks for: rules as data.

A *range* is a text: bounds that must all hold (``>=3.3.9 <3.4``), and alternatives between ``|``; an empty one holds
for every version. A bound of two numbers is about the release line, so 3.4.0-rc01 is not ``<3.4``; one of three numbers
takes a release candidate for its release.
"""

from __future__ import annotations

import operator
import re
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils._preflight import jdk_rule

REFUSE, WARN = 'refuse', 'warn'

FE = ('fe',)
BACK = ('be', 'cn')
CORE = ('fe', 'be', 'cn')
ALL = ('fe', 'be', 'cn', 'broker')

LAST_MINOR = {2: 5, 3: 5}
"""The last release line of a major version, after which the next one begins: 2.5 is followed by 3.0, 3.5 by 4.0."""

Rule = namedtuple('Rule', 'name old new kinds severity text source statements after when',
                  defaults=((), (), ()))
Rule.__doc__ = """One rule.

``old`` and ``new``: ranges of the versions that a node of one of ``kinds`` goes from and to. ``when``: names of
CONDITIONS, all of which must hold. ``text``: what to know or to do, with the names of `_words` in it. ``statements``:
SQL that a person decides on and runs before; ``after``: what is to be done when all nodes have the new version.
"""

Step = namedtuple('Step', 'old new facts')
Step.__doc__ = """From Version to Version; ``facts``: what is known of the cluster, a set of names (see CONDITIONS)."""


def lines_apart(old, new):
    """Return by how many release lines two versions are apart: 0 for 3.5.0 and 3.5.7, 1 for 3.5.0 and 4.0.1."""
    low, high = sorted((old.line, new.line))
    if low[0] == high[0]:
        return high[1] - low[1]
    left = max(LAST_MINOR.get(low[0], low[1]), low[1]) - low[1]
    return left + sum(LAST_MINOR.get(major, 0) + 1 for major in range(low[0] + 1, high[0])) + high[1] + 1


def next_line(old, new):
    """Return the release line that comes after that of ``old`` on the way to ``new``, as text."""
    major, minor = old.line
    if new.line > old.line:
        return '%d.0' % (major + 1) if minor >= LAST_MINOR.get(major, minor + 1) else '%d.%d' % (major, minor + 1)
    return '%d.%d' % (major - 1, LAST_MINOR.get(major - 1, 0)) if minor == 0 else '%d.%d' % (major, minor - 1)


CONDITIONS = {
    'down': lambda step: step.new.line < step.old.line,
    'several lines': lambda step: lines_apart(step.old, step.new) > 1,
    'another JDK': lambda step: jdk_rule(step.old.release).lowest != jdk_rule(step.new.release).lowest,
    'by name': lambda step: 'by name' in step.facts,
}
"""What a range cannot say. 'down' is about release lines; 'by name': nodes are registered by names, not addresses."""


def _floor(old, floor, why, source, kinds=FE):
    """Return the rule that versions ``old`` go down to ``floor`` at the lowest.

    The manual says so of the line before, and that one *must* go there: so a longer way down goes through it too.
    """
    return Rule('floor %s' % floor, old, '<' + floor, kinds, REFUSE,
                'From there the way down leads to %s or later (%s).' % (floor, why), source)


FLOORS = (
    _floor('>=3.0', '2.5.3', 'older ones cannot read its metadata', '7.2, major; 7.5, 3.0 to 2.5'),
    _floor('>=3.3', '3.2.3', '3.2.0 to 3.2.2 lose metadata', '7.5, 3.3 to 3.2'),
    _floor('>=3.3.9', '3.2.11', 'from 3.3.9 on', '7.5, 3.3 to 3.2'),
    _floor('>=3.4', '3.3.9', 'since 3.4.0', '7.5, 3.4.0 to 3.3'),
    _floor('>=3.5', '3.4.6', 'older ones cannot read its metadata', '7.5, 3.5 to 3.4'),
    _floor('>=4.0', '3.5.2', 'older ones cannot read its metadata', '7.5, 4.0 to 3.5 (documentation only)'),
    _floor('>=4.1', '4.0.6', 'older ones cannot read its metadata and storage', '7.5, 4.1 to 4.0 (documentation only)',
           CORE),
)
"""Where a way down leads through, ascending: the last one that holds is the next on the way."""

RULES = (
    # --- steps that are not taken ---
    Rule('yanked', '', '=3.3.1', ALL, REFUSE, '3.3.1 was withdrawn. Take a later 3.3.', '7.5, 3.3.1'),
    Rule('to 3.0 from 2.5', '<2.5', '>=3.0', CORE, REFUSE, '3.0 is reached from 2.5 only: go to 2.5 first.',
         '7.2, major'),
    Rule('over a major version', '<3.0', '>=4.0', CORE, REFUSE,
         'No way leads over all of 3.x at once: go by 3.0, then one minor version at a time.', '7.2, major [inf]'),
    Rule('back from 2.5.0', '=2.5.0', '<2.4', FE, REFUSE, '2.5.0 goes back to 2.4 only.', '7.5, 2.5.0'),
    Rule('back from 3.5.2', '>=3.5.2 <4.0', '>=3.5 <3.5.2', FE, REFUSE,
         'From 3.5.2 on there is no way back to 3.5.0 and 3.5.1.', '7.5, 3.5 to 3.4'),
    Rule('addresses below 2.4', '>=2.4', '<2.4', FE, REFUSE,
         'Nodes are registered by their names, which versions before 2.4 do not know: go over to addresses first.',
         '7.5, FQDN', when=('by name',)),

    # --- any step over release lines ---
    Rule('several lines', '', '', CORE, WARN,
         '%(apart)d minor versions at once. One at a time is strongly recommended: %(next)s first.', '7.2, minor',
         when=('several lines',)),
    Rule('metadata down', '', '', FE, WARN,
         'What %(old)s wrote into the metadata can keep a front end of %(new)s from starting, for good. That is why '
         'one follower goes first, and why backups of the metadata are made: keep them until all is well.',
         '0.21 (cluster/30)', when=('down',)),
    # The key is one of the version that reads the metadata, the one that is gone to.
    Rule('unknown log id', '>=2.2', '<3.3', FE, WARN,
         'Operations that %(new)s does not know end a front end at start ("UNKNOWN Operation Type"). The cure is '
         'ignore_unknown_log_id = true in fe.conf: starrocks_fe_config: {ignore_unknown_log_id: true}.',
         '7.5, any to older; 5.1', when=('down',),
         after=('Take ignore_unknown_log_id out of starrocks_fe_config again, once the first image is made.',)),
    Rule('unknown operation type', '>=2.2', '>=3.3', FE, WARN,
         'Operations that %(new)s does not know end a front end at start ("UNKNOWN Operation Type"). The cure is '
         'metadata_ignore_unknown_operation_type = true in fe.conf: starrocks_fe_config: '
         '{metadata_ignore_unknown_operation_type: true}.',
         '7.5, any to older; 5.1', when=('down',),
         after=('Take metadata_ignore_unknown_operation_type out of starrocks_fe_config again, once the first image is '
                'made.',)),
    Rule('another JDK', '', '', ('fe', 'broker'), WARN,
         '%(new)s wants Java %(jdk_new)d or newer, %(old)s wanted %(jdk_old)d. The JDK must be there before the files '
         'of a node are swapped; JAVA_HOME and the options in JAVA_OPTS change with the files, both ways.',
         '7.5, JDK; 4.1', when=('another JDK',)),

    # --- up ---
    Rule('vector_chunk_size', '>=2.0 <2.1', '>=2.1', CORE, WARN,
         'vector_chunk_size = 4096 belongs into be.conf, and the batch size must be the same.', '7.5, 2.0',
         statements=('SET GLOBAL batch_size = 4096;',)),
    Rule('3.0', '<3.0', '>=3.0', CORE, WARN,
         'With 3.0 come BDB-JE 18, which wants 5 GB free where the metadata is, and roles for good (RBAC): there is no '
         'way back to the old privileges. A database of yours that is called starrocks must be renamed before.',
         '7.5, 2.5 to 3.0',
         statements=("SHOW DATABASES LIKE 'starrocks';", 'ALTER DATABASE starrocks RENAME starrocks_of_mine;')),
    Rule('pipeline engine', '<3.2', '>=3.2', CORE, WARN,
         'The pipeline engine must be on. Tables with random bucketing and a bucket_size, once they exist, block the '
         'way back below 3.2.', '7.5, to 3.2', statements=('SET GLOBAL enable_pipeline_engine = true;',)),
    Rule('JAVA_OPTS of 3.5', '<3.5', '>=3.5', FE, WARN,
         'Options for CMS and for Java 8 must leave JAVA_OPTS (yours, if you set starrocks_fe_java_opts), and '
         'JAVA_OPTS_FOR_JDK_9 and _11 are read no more.', '7.5, to 3.5'),
    Rule('JAVA_OPTS of back ends in 3.5', '<3.5', '>=3.5', BACK, WARN,
         'With external catalogs or UDFs in Java, JAVA_OPTS in be.conf needs '
         '--add-opens=java.base/java.util=ALL-UNNAMED.', '7.5, to 3.5'),
    Rule('low cardinality', '<3.4.10', '>=3.5', CORE, WARN,
         'Come from 3.4.10 or later; else the optimization for low cardinality must be off while versions are mixed.',
         '7.5, to 3.5', statements=('SET GLOBAL cbo_enable_low_cardinality_optimize = false;',),
         after=('Where it was switched off before: SET GLOBAL cbo_enable_low_cardinality_optimize = true;',)),
    Rule('container images of 4.1.0', '<4.1.0', '=4.1.0', CORE, WARN,
         'The container images of 4.1.0 are to be avoided; take a later 4.1 if you can.',
         '7.5, 4.1 to 4.0 (documentation only)'),

    # --- down ---
    Rule('BDB-JE of 2.5', '>=3.0', '>=2.5.3 <3.0', FE, WARN,
         '2.5 cannot read the journal with its own BDB-JE: in its archive, fe/lib/starrocks-bdb-je-18.3.13.jar of 3.0 '
         'must take the place of fe/lib/je-7.*.jar.', '7.5, 3.0 to 2.5'),
    Rule('bucket_size', '>=3.2', '<3.2', FE, WARN,
         'Tables with random bucketing and a bucket_size cannot be read below 3.2: make others of them, and drop them, '
         'before.', '7.5, to 3.2'),
    Rule('schema changes', '>=3.3', '<3.3', FE, WARN,
         'Schema changes must be finished or cancelled, and their history must be empty, in every database.',
         '7.5, 3.3 to 3.2',
         statements=('ADMIN SET FRONTEND CONFIG ("history_job_keep_max_second" = "0");',
                     "SHOW PROC '/jobs/<db>/schema_change';", 'CANCEL ALTER TABLE COLUMN FROM <db>.<table>;')),
    Rule('lz4', '>=3.3', '>=3.2 <3.2.8 | <3.1.14', FE, WARN,
         'Materialized views with lz4 compression must be dropped before (or go to 3.2.8 or later).', '7.5, 3.3 to 3.2',
         statements=('DROP MATERIALIZED VIEW <db>.<view>;',)),
    Rule('temporary tables', '>=3.3.1', '<3.3', FE, WARN,
         'Temporary tables must be gone, and no new ones be made.', '7.5, 3.3.1 to 3.2',
         statements=('ADMIN SET FRONTEND CONFIG ("enable_experimental_temporary_table" = "false");',
                     'SELECT * FROM information_schema.temp_tables;',
                     "CLEAN TEMPORARY TABLE ON SESSION '<session>';")),
    Rule('renamed columns', '>=3.3', '<3.3', FE, WARN,
         'Columns that were renamed in 3.3 must get their old names back before.', '7.5, column rename',
         statements=('ALTER TABLE <db>.<table> RENAME COLUMN <new> TO <old>;',)),
    Rule('meta scan', '>=4.0.2', '>=3.5.2 <3.5.11 | >=4.0 <4.0.2', CORE, WARN,
         'Simple aggregations must not be rewritten to scans of metadata while versions are mixed.',
         '7.5, 4.0 to 3.5 (documentation only)',
         statements=('SET GLOBAL enable_rewrite_simple_agg_to_meta_scan = false;',),
         after=('SET GLOBAL enable_rewrite_simple_agg_to_meta_scan = true;',)),
)
"""All other rules, of starrocks.md sections 7.2, 7.5 and 0.21, refusals first.

What is about metadata is about front ends: back ends alone may always go back to the version of the front ends.
"""

_BOUND = re.compile(r'^(>=|<=|<|>|=)(\d+(?:\.\d+){1,2})$')
_OPERATORS = {'>=': operator.ge, '<=': operator.le, '<': operator.lt, '>': operator.gt, '=': operator.eq}


def within(version, text):
    """Whether a Version is in a range."""
    return not text or any(all(_holds(version, bound) for bound in part.split()) for part in text.split('|'))


def _holds(version, text):
    name, numbers = _BOUND.match(text).groups()
    wanted = tuple(int(number) for number in numbers.split('.'))
    return _OPERATORS[name](tuple(version[:len(wanted)]), wanted)


def judge(old, new, kinds, facts=()):
    """Return what FLOORS and RULES say of a step: list of (rule, text).

    ``kinds``: those of which nodes go from Version ``old`` to ``new``; ``facts``: see CONDITIONS.
    """
    step = Step(old, new, frozenset(facts))
    if old.order == new.order:
        return []
    rules = [rule for rule in FLOORS if _applies(rule, step, kinds)][-1:]
    rules += [rule for rule in RULES if _applies(rule, step, kinds)]
    return [(rule, rule.text % _words(old, new)) for rule in rules]


def _applies(rule, step, kinds):
    return (bool(set(rule.kinds) & set(kinds)) and within(step.old, rule.old) and within(step.new, rule.new)
            and all(CONDITIONS[name](step) for name in rule.when))


def _words(old, new):
    return {'old': old.release, 'new': new.release, 'apart': lines_apart(old, new), 'next': next_line(old, new),
            'jdk_old': jdk_rule(old.release).lowest, 'jdk_new': jdk_rule(new.release).lowest}
