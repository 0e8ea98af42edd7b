# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blacklists: nodes to which a front end gives no queries (starrocks.md sections 0.19, 2.2).

Each front end has a list of its own, in memory, that it answers and changes for itself alone. Entries of type MANUAL
are made by a statement and stay until it restarts. Entries of type AUTO are made by the front end when it cannot reach
a node, and go away by themselves when it can; a statement turns one into MANUAL or takes it away (StarRocks'
qe/HostBlacklist).
"""

from ansible_collections.starrocks.cluster.plugins.module_utils import _statements
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import Change, version_lacks
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import PAUSE, SqlError, StatementError
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS

MANUAL = 'MANUAL'
TYPE_COLUMN = 'add_black_list_type'

# How often a front end is told of a node that it does not know yet.
TRIES = 3

# What a front end says of an id that it does not know (transcripts 18).
_NOT_KNOWN = ('Not found backend', 'Not found compute node')


def decide_blacklist(kind, entries, wishes):
    """The Change of one front end's list; its ``before`` and ``after`` are dicts of id -> whether it is on the list.

    ``entries``: rows of its SHOW ... BLACKLIST. ``wishes``: id -> whether the node is to be on the list; a node that is
    only foreseen has a text in place of the id. True is met by a MANUAL entry alone, since another one goes by itself;
    False by no entry of either type.
    """
    types = _types(kind, entries)
    added = sorted((number for number, wished in wishes.items() if wished and types.get(number) != MANUAL), key=str)
    deleted = sorted((number for number, wished in wishes.items() if not wished and number in types), key=str)
    statements = [_statements.change_blacklist(action, kind.noun, numbers)
                  for action, numbers in (('ADD', added), ('DELETE', deleted)) if numbers]
    before = {number: types.get(number) == MANUAL if wished else number in types for number, wished in wishes.items()}
    return Change(statements, before, dict(wishes), entries, [], [])


def _types(kind, entries):
    """id -> type of the rows of a list."""
    return {int(entry[kind.table.id]): entry[TYPE_COLUMN] for entry in entries}


def hold_blacklist(module, kind, wishes, addresses):
    """Make every living front end's list as wished. Returns ``(reports, before, after)``, the latter for the diff.

    ``wishes``: id -> bool. ``addresses``: id -> ``host:port`` of the node. A report is a dict: ``frontend``
    (host:port), ``entries`` (list of {node, type} of the nodes of ``wishes``; None where the list is not known) and
    ``error`` (None, or why not). Raises Failure when the list of a living front end cannot be made so; those of the
    others are made so first.
    """
    frontends = sorted(module.session.rows(FRONTENDS), key=lambda row: (row['host'], row['query_port']))
    living = [row for row in frontends if row['alive'] and row['query_port']]
    lacks = ['front end %s: %s' % (row['host'], reason)
             for row in living for reason in version_lacks(row.get('version'), [kind.blacklist])]
    if lacks:
        raise Failure('refused: %s' % '. '.join(lacks))
    reports, before, after, failed = [], {}, {}, []
    for row in frontends:
        place = join_host_port(row['host'], row['query_port']) if row['query_port'] else row['host']
        report = {'frontend': place, 'entries': None, 'error': None}
        reports.append(report)
        if row not in living:
            report['error'] = 'is not alive; its list is empty when it has started'
            continue
        try:
            change, entries = _change_one(module, (row['host'], row['query_port']), kind, wishes)
        except SqlError as error:
            report['error'] = error.message
            failed.append('%s: %s' % (report['frontend'], error.message))
            continue
        report['entries'] = [{'node': addresses[number], 'type': type_name}
                             for number, type_name in sorted(_types(kind, entries).items()) if number in wishes]
        for number in wishes:
            what = '%s blacklisted by %s' % (addresses[number], report['frontend'])
            before[what], after[what] = change.before[number], change.after[number]
    if failed:
        raise Failure('the blacklist of %ss is not as wished at every living front end: %s'
                      % (kind.title, '; '.join(failed)), blacklists=reports)
    return reports, before, after


def _is_behind(error):
    """Whether a front end does not know the node: a follower hears a moment later of one that was added just now."""
    return any(words in error.words for words in _NOT_KNOWN)


def _change_one(module, target, kind, wishes):
    """Read, decide, do on one front end; ``(the first Change, the entries as read last)``."""

    def read():
        return session.dicts(_statements.show_blacklist(kind.noun))

    def run(statement):
        for left in reversed(range(TRIES)):
            try:
                return session.change(statement)
            except StatementError as error:
                if not left or not _is_behind(error):
                    raise
            session.sleep(PAUSE)

    with module.session.beside(target, patience=TRIES * PAUSE) as session:
        change, entries = module.converge(read, lambda entries: decide_blacklist(kind, entries, wishes), run=run)
        return change, read() if entries is None else entries
