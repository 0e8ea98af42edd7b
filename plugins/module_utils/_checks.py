# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check of a host looks like, and the words that all checks share. No I/O.

A check is {name, status, found, needed, fix}: status is ok, warning or failure, the others are text; fix is '' when
there is nothing to mend.
"""

OK, WARNING, FAILURE = 'ok', 'warning', 'failure'

GIB = 1024 ** 3

UNLIMITED = 2 ** 63
"""A limit of a unit that is 'infinity', as a number."""

NODE_NAMES = {'fe': 'front end', 'be': 'back end', 'cn': 'compute node', 'broker': 'broker'}

COMPONENTS = {'fe': 'fe', 'be': 'be', 'cn': 'be', 'broker': 'apache_hdfs_broker'}
"""The folder of a release that each kind of node runs from (starrocks.md 8)."""


def check(name, status, found, needed='', fix=''):
    """Return one check."""
    return {'name': name, 'status': status, 'found': found, 'needed': needed, 'fix': fix}


def kinds(wishes):
    """Return the kinds of nodes on this host, in a fixed order."""
    wanted = {node['kind'] for node in wishes['nodes']}
    return [kind for kind in ('fe', 'be', 'cn', 'broker') if kind in wanted]


def size_text(amount):
    """Return a size in bytes as text: 4.2 GiB."""
    return '%.1f GiB' % (amount / float(GIB))


def parse_limit(value):
    """Return a limit of a unit, a number or 'infinity', as a number. ValueError if it is neither."""
    text = str(value).strip()
    if text == 'infinity':
        return UNLIMITED
    if not text.isdigit() or int(text) == 0:
        raise ValueError("'%s' is not a limit (a number, or infinity)" % value)
    return int(text)


def limit_text(limit):
    """Return a limit as it stands in a unit."""
    return 'infinity' if limit >= UNLIMITED else '%d' % limit


def role_sets(wishes, by_hand):
    """Return the fix of what the role prerequisites mends; in user scope only an administrator can, ``by_hand``."""
    if wishes['systemd_scope'] == 'system':
        return 'The role starrocks.cluster.prerequisites sets it.'
    return 'An administrator sets it: %s' % by_hand
