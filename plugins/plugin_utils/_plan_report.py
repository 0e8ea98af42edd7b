# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rolling change as text: what is done where, in which order, why, and what stands in the way."""

from __future__ import annotations

import itertools
import textwrap

from ansible_collections.starrocks.cluster.plugins.plugin_utils._report import align
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling_nodes import NAMES, UNKNOWN, told_hosts

WIDTH = 118

HOSTS_WIDTH = 40
"""Of many hosts in one batch the names are wrapped."""

HEADERS = ('#', 'KIND', 'HOSTS', 'WHY')

TEXTS = (('asks', 'What is asked of whom'), ('before', 'Before'))
"""What stands before the batches, in this order: key of the plan, headline."""


def plan_lines(plan: dict, name: str) -> list[str]:
    """Return the whole plan as lines of text, no wider than WIDTH but for SQL and long names.

    What stands in the way comes last, where it is next to the prompt.
    """
    lines = [headline(plan, name), '']
    about = [('from', '%s: %s' % (_version(version), told_hosts(hosts))) for version, hosts in plan['from'].items()]
    about += [(title, told_hosts(plan[key])) for key, title in (('done', 'done already'), ('skipped', 'left out'))
              if plan[key]]
    if about:
        lines += [*_columns(about), '']
    if plan['batches']:
        for key, title in TEXTS:
            lines += _section(title, plan[key])
        lines += ['Batches', *table(plan['batches']), '']
        lines += _section('After', plan['after'])
    lines += _section('Warnings', plan['warnings'])
    lines += _section('Refused', plan['refusals'])
    return lines[:-1]


def headline(plan: dict, name: str) -> str:
    """Return what the plan is about, in a line."""
    versions = [_version(version) for version in plan['from']]
    what = '%s of StarRocks cluster %s' % (plan['operation'].capitalize(), name)
    if plan['target']:
        what += ': %s%s' % ('%s -> ' % ', '.join(versions) if versions else '', plan['target'])
    if plan['refusals']:
        return what + ', refused: nothing is to be done'
    count = len(plan['batches'])
    if not count:
        return what + ', nothing is left to do'
    nodes = sum(len(batch['hosts']) for batch in plan['batches'])
    return what + ', %d node%s in %d batch%s' % (
        nodes, '' if nodes == 1 else 's', count, '' if count == 1 else 'es')


def _version(text: str) -> str:
    return 'version not known' if text == UNKNOWN else text


def _columns(rows: list[tuple[str, str]]) -> list[str]:
    """Return titles with texts beside them, wrapped under each other."""
    width = max(len(title) for title, dummy in rows) + 4
    lines: list[str] = []
    for title, text in rows:
        lines += _wrap(text, ('  ' + title).ljust(width), ' ' * width)
    return lines


def _section(title: str, entries: list) -> list[str]:
    """Return a headline with entries under it, texts or findings; nothing where there are none."""
    lines = [title]
    for entry in entries:
        found = entry if isinstance(entry, dict) else {'message': entry, 'statements': []}
        lines += _wrap(found['message'], '  - ', '    ')
        lines += ['      ' + statement for statement in found['statements']]
    return [*lines, ''] if entries else []


def _wrap(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False,
                         break_on_hyphens=False)


def table(batches: list[dict]) -> list[str]:
    """Return the batches as numbered lines."""
    rows: list[tuple] = [HEADERS]
    kinds = max(len(HEADERS[1]), *(len(NAMES[batch['kind']]) for batch in batches))
    hosts = min(HOSTS_WIDTH, max(len(', '.join(batch['hosts'])) for batch in batches))
    left = max(30, WIDTH - len(str(len(batches))) - kinds - max(hosts, len(HEADERS[2])) - 8)
    for number, batch in enumerate(batches, 1):
        cells = [[str(number)], [NAMES[batch['kind']]], _cell(', '.join(batch['hosts']), hosts),
                 _cell(batch['why'], left)]
        rows += itertools.zip_longest(*cells, fillvalue='')
    return ['  ' + line for line in align(rows)]


def _cell(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def failure_text(plan: dict) -> str:
    """Return why the run ends, all refusals at once; '' where there are none."""
    if not plan['refusals']:
        return ''
    return 'The %s is refused, and nothing was touched: %s' % (
        plan['operation'], ' '.join(_numbered([found['message'] for found in plan['refusals']])))


def _numbered(texts: list[str]) -> list[str]:
    return texts if len(texts) == 1 else ['(%d) %s' % (number, text) for number, text in enumerate(texts, 1)]
