# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blacklists: nodes to which a front end gives no queries (starrocks.md sections 0.19, 2.2).

Each front end has a list of its own, in memory, that it answers and changes for itself alone. Entries of type MANUAL
are made by a statement and stay until it restarts. Entries of type AUTO are made by the front end when it cannot reach
a node, and go away by themselves when it can; a statement turns one into MANUAL or takes it away (StarRocks'
qe/HostBlacklist).
"""

from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils import _statements
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import version_lacks
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import (
    AGAIN,
    PAUSE,
    SqlError,
    StatementError,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS

MANUAL = 'MANUAL'
TYPE_COLUMN = 'add_black_list_type'

# How often the list of a front end is read, decided on and changed, when the connection is lost on the way.
ROUNDS = 3

# What a front end says of an id that it does not know (transcripts 18).
_NOT_KNOWN = ('Not found backend', 'Not found compute node')

BlacklistChange = namedtuple('BlacklistChange', ('statements', 'before', 'after'))
BlacklistChange.__doc__ = """``statements`` for one front end; ``before`` and ``after`` dicts of id -> whether it is on
the list."""


def decide_blacklist(kind, entries, wishes):
    """The BlacklistChange of one front end.

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
    return BlacklistChange(statements, before, dict(wishes))


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
    return isinstance(error, StatementError) and any(words in error.words for words in _NOT_KNOWN)


def _change_one(module, target, kind, wishes):
    """Read, decide, do on one front end; ``(the first change, the entries as read last)``.

    A statement whose answer was lost is never repeated blindly: the list is read again first.
    """
    show = _statements.show_blacklist(kind.noun)
    session = module.session.beside(target)
    first, in_doubt, problem = None, None, None
    try:
        for dummy in range(ROUNDS):
            try:
                entries = session.dicts(show)
                change = decide_blacklist(kind, entries, wishes)
                first = first or change
                if in_doubt is not None and in_doubt not in change.statements:
                    module.queries.append(in_doubt)
                in_doubt = None
                if module.check_mode:
                    module.queries.extend(change.statements)
                    return first, entries
                for statement in change.statements:
                    in_doubt = statement
                    session.change(statement)
                    module.queries.append(statement)
                    in_doubt = None
                return first, session.dicts(show) if change.statements else entries
            except SqlError as error:
                if error.outcome != AGAIN and not _is_behind(error):
                    raise
                problem = error
                session.sleep(PAUSE)
        raise problem
    finally:
        session.close()
