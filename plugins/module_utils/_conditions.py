# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conditions of starrocks_wait: what each takes, reads, and still lacks. Pure functions, no I/O.

A *condition* is a dict of the options of starrocks_wait, with ``nodes`` a list of (host, port or None) or None.
*Tables* are what was read in one look, by name: typed rows of listings; ``statistic``, the totals of that listing;
``scheduling``, item -> number of '/cluster_balance'; ``images``, see _images.read_images.
"""

import re
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils._images import images_lack, journal_id_of
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import (
    check_host,
    join_host_port,
    normalise,
    same_host,
    split_host_port,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import TABLES, address_of, leader_of, parse_time
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none, satisfies
from ansible_collections.starrocks.cluster.plugins.module_utils._wait import said

SCHEDULING = 'scheduling'
IMAGES = 'images'
# Work of the scheduler that is not done (section 1.8).
UNDONE = ('pending_tablets', 'running_tablets')
# How a version begins that is meant to be one of numbers; builds of one's own may be called anything.
_NUMBERS = re.compile(r'^\d')
OPTIONS = ('kind', 'nodes', 'at_least', 'version', 'after', 'host', 'not_host', 'journal_id')


def _leader_lacks(condition, tables, resolve):
    leader = leader_of(tables['frontends'])
    if leader is None:
        return ['no front end leads']
    if condition['host'] and not same_host(condition['host'], leader['host'], resolve):
        return ['%s leads, not %s' % (leader['host'], condition['host'])]
    if condition['not_host'] and same_host(condition['not_host'], leader['host'], resolve):
        return ['%s still leads' % leader['host']]
    return []


def _chosen(condition, tables, resolve):
    """``(rows, missing)``: the rows that a condition is about, and the (host, port or None) without one."""
    rows = tables[condition['kind']]
    if condition['nodes'] is None:
        return rows, []
    port_column = TABLES[condition['kind']].port
    chosen, missing, shown = [], [], {}
    for row in rows:
        shown.setdefault(normalise(row['host']), []).append(row)
    for host, port in condition['nodes']:
        # Names are looked up only where the spelling does not tell.
        found = [row for row in shown.get(normalise(host), ()) if port in (None, row[port_column])] or [
            row for row in rows if port in (None, row[port_column]) and same_host(host, row['host'], resolve)]
        chosen += [row for row in found if row not in chosen]
        if not found:
            missing.append((host, port))
    return chosen, missing


def _shown(host, port):
    return host if port is None else join_host_port(host, port)


def _address(condition, row):
    return address_of(TABLES[condition['kind']], row)


def _nodes_lack(row_lacks):
    """The function of a condition that holds when ``row_lacks(condition, row)`` is empty for all nodes, or enough."""
    def lacks(condition, tables, resolve):
        chosen, missing = _chosen(condition, tables, resolve)
        reasons = ['%s is not registered' % _shown(*node) for node in missing]
        told = [(row, row_lacks(condition, row)) for row in chosen]
        reasons += ['%s %s' % (_address(condition, row), reason) for row, reason in told if reason]
        if condition['at_least'] is None:
            return reasons if chosen or reasons else ['no %s are registered' % condition['kind']]
        good = len([row for row, reason in told if not reason])
        return [] if good >= condition['at_least'] else ['%d of at least %d' % (good, condition['at_least'])] + reasons
    return lacks


def _alive_lacks(condition, row):
    if not row['alive']:
        return 'is not alive%s' % said(row)
    started = row.get(TABLES[condition['kind']].started)
    if condition['after'] and (started is None or started <= condition['after']):
        return 'is shown alive, but started at %s' % (started or 'an unknown time')
    return ''


def _heard_lacks(condition, row):
    if not row['alive']:
        return 'is not alive%s' % said(row)
    heard = row.get(TABLES[condition['kind']].heard)
    if condition['after'] is None or heard is None or heard <= condition['after']:
        return 'was last heard of at %s%s' % (heard or 'an unknown time', said(row))
    return ''


def _version_lacks(condition, row):
    if not row['alive']:
        return 'is not alive%s' % said(row)
    if not satisfies(row.get('version'), condition['version']):
        return 'has version %s' % (row.get('version') or 'unknown')
    return ''


def _absent_lacks(condition, tables, resolve):
    return ['%s is still registered' % _address(condition, row) for row in _chosen(condition, tables, resolve)[0]]


def _decommissioned_lacks(condition, tables, resolve):
    """A back end that is empty vanishes, unless drop_backend_after_decommission is false (section 3.4)."""
    reasons = []
    for row in _chosen(condition, tables, resolve)[0]:
        if not row['system_decommissioned']:
            reasons.append('%s is not being decommissioned' % _address(condition, row))
        elif row['tablet_num']:
            reasons.append('%s still holds %d tablets' % (_address(condition, row), row['tablet_num']))
    return reasons


def _replicas_lack(condition, tables, resolve):
    reasons = []
    for column in ('unhealthy_tablet_num', 'inconsistent_tablet_num'):
        if tables['statistic'].get(column):
            reasons.append('%d %s tablets' % (tables['statistic'][column], column.partition('_')[0]))
    return reasons


def _scheduling_lacks(condition, tables, resolve):
    numbers = tables[SCHEDULING]
    return ['%d %s' % (numbers[item], item.replace('_', ' ')) for item in UNDONE if numbers.get(item)]


def _image_lacks(condition, tables, resolve):
    if condition['journal_id'] is None:
        return ['no front end leads']
    return images_lack(tables[IMAGES], condition['journal_id'])


Kind = namedtuple('Kind', ('takes', 'needs', 'reads', 'lacks'))
Kind.__doc__ = """A kind of condition. ``takes``: options that it may have; ``needs``: those it must have; ``reads``:
tables, where the option kind does not name it; ``lacks(condition, tables, resolve)``: why it does not hold, a list."""

KINDS = {
    'leader': Kind(('host', 'not_host'), (), ('frontends',), _leader_lacks),
    'alive': Kind(('kind', 'nodes', 'at_least', 'after'), ('kind',), (), _nodes_lack(_alive_lacks)),
    'heard': Kind(('kind', 'nodes', 'at_least', 'after'), ('kind',), (), _nodes_lack(_heard_lacks)),
    'version': Kind(('kind', 'nodes', 'at_least', 'version'), ('kind', 'version'), (), _nodes_lack(_version_lacks)),
    'absent': Kind(('kind', 'nodes'), ('kind', 'nodes'), (), _absent_lacks),
    'decommissioned': Kind(('nodes',), ('nodes',), ('backends',), _decommissioned_lacks),
    'replicas': Kind((), (), ('statistic',), _replicas_lack),
    'scheduling': Kind((), (), (SCHEDULING,), _scheduling_lacks),
    'image': Kind(('journal_id',), (), ('frontends', IMAGES), _image_lacks),
}


def check_conditions(given, resolve):
    """``(conditions, findings)``: ``given`` as conditions, and all that is wrong with it as texts."""
    conditions, findings = [], []
    for number, options in enumerate(given):
        condition, found = _check(options, resolve)
        conditions.append(condition)
        findings += ['conditions[%d], %s: %s' % (number, options['condition'], finding) for finding in found]
    return conditions, findings if given else ['conditions is empty: name at least one']


def _check(options, resolve):
    kind = KINDS[options['condition']]
    condition = dict(options)
    findings = ['%s is needed' % name for name in kind.needs if options[name] is None]
    findings += ['takes no %s' % name for name in OPTIONS if options[name] is not None and name not in kind.takes]
    if options['condition'] == 'decommissioned':
        condition['kind'] = 'backends'
    if options['condition'] == 'version' and options['kind'] == 'brokers':
        findings.append('brokers tell no version')
    if options['version'] is not None and _NUMBERS.match(options['version']) and not parse_or_none(options['version']):
        findings.append('version: %r is no version such as 3.5.0 or 3.5.0-0be11fd' % options['version'][:80])
    for name in ('at_least', 'journal_id'):
        if options[name] is not None and options[name] < 1:
            findings.append('%s: %d is not at least 1' % (name, options[name]))
    for name, read in (('host', check_host), ('not_host', check_host), ('after', parse_time)):
        if options[name] is not None:
            try:
                condition[name] = read(options[name])
            except ValueError as error:
                findings.append('%s: %s' % (name, error if name != 'after' else '%r is no time such as '
                                            '2026-11-23T03:05:32Z' % options[name]))
    if options['nodes'] is not None:
        condition['nodes'], found = _check_nodes(options['nodes'], resolve)
        findings += found
        all_are_single = all(port is not None for dummy, port in condition['nodes'])
        if all_are_single and options['at_least'] is not None and options['at_least'] > len(options['nodes']):
            findings.append('at_least: there are but %d nodes' % len(options['nodes']))
    return condition, findings


def _check_nodes(texts, resolve):
    nodes, findings = [], []
    if not texts:
        findings.append('nodes is empty; leave it out to mean all that are registered')
    for text in texts:
        try:
            node = split_host_port(text, None)
        except ValueError as error:
            findings.append('nodes: %s' % error)
            continue
        if any(port == node[1] and (normalise(host) == normalise(node[0]) or same_host(host, node[0], resolve))
               for host, port in nodes):
            findings.append('nodes: %s is there twice' % text)
        nodes.append(node)
    return nodes, findings


def tables_of(conditions):
    """The names of the tables that ``conditions`` need, each once; what the others are found by comes first."""
    names = set()
    for condition in conditions:
        names.update(KINDS[condition['condition']].reads or (condition['kind'],))
    return sorted(names, key=lambda name: (name != 'frontends', name))


def with_beginning(condition, tables):
    """``condition`` with what it is measured by since the first look, where its options leave that open.

    heard: the newest heartbeat that was shown; image: the last entry of the journal. Both stay open while unknown.
    """
    if condition['condition'] == 'heard' and condition['after'] is None:
        times = [row.get(TABLES[condition['kind']].heard) for row in tables[condition['kind']]]
        return dict(condition, after=max([time for time in times if time] or [None]))
    if condition['condition'] == 'image' and condition['journal_id'] is None:
        return dict(condition, journal_id=journal_id_of(tables['frontends']))
    return condition


def lacks(condition, tables, resolve):
    """Why ``condition`` does not hold, as a list of reasons in words."""
    return KINDS[condition['condition']].lacks(condition, tables, resolve)
