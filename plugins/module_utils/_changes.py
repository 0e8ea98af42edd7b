# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change is, in the words that all kinds of nodes have in common.

The rules themselves, from rows and wishes to a Change, are pure functions: _frontend_changes, _node_changes.
"""

from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import is_ipv4, normalise, same_host
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import parse_time
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none

ABSENT = 'absent'
PRESENT = 'present'
DECOMMISSIONED = 'decommissioned'

Change = namedtuple('Change', ('statements', 'before', 'after', 'rows', 'refusals', 'notes', 'needs', 'later'))
Change.__doc__ = """``statements`` in order; ``before`` and ``after`` dicts of what -> state in words, for the diff;
``rows`` the typed rows of the wished nodes as they will be as far as that is known; ``refusals`` reasons not to do it;
``notes`` what the user should know; ``needs`` Features without which a server does not understand the statements;
``later`` statements that follow when the table has been read again, as far as they are foreseen."""
Change.__new__.__defaults__ = ((), ())

Feature = namedtuple('Feature', ('title', 'since', 'instead'))
Feature.__doc__ = """What StarRocks has from the version ``since`` on (a text), called ``title`` in errors, and what to
do without it."""

# Sections 2.1, 2.2, 2.4 and 0.19.
IPV6 = Feature('IPv6 addresses of nodes', '3.3.0', 'give host names or IPv4 addresses')
LOCATIONS = Feature('location labels of back ends', '3.2.8', 'leave location out')
WAREHOUSES = Feature('warehouses', '3.3.0', 'leave warehouse out')
DISKS = Feature('statements about single disks', '3.1.0', 'leave disks out')
BACKEND_BLACKLIST = Feature('a blacklist of back ends', '3.3.0', 'leave blacklisted out')
COMPUTE_NODE_BLACKLIST = Feature('a blacklist of compute nodes', '4.0.0', 'leave blacklisted out')


def version_lacks(version, needs):
    """Reasons, each a sentence, why a server that shows ``version`` (text or None) does not take Features ``needs``.

    A development build, whose version is no number, is taken to have them all.
    """
    known = parse_or_none(version)
    if known is None:
        return []
    return ['%s came with StarRocks %s, and this is %s: upgrade the cluster, or %s'
            % (feature.title, feature.since, known, feature.instead)
            for feature in needs if known[:3] < parse_or_none(feature.since)[:3]]


def read_start_time(text):
    """The option previous_start_time: a time as StarRocks shows it or as this collection does, '' for none known."""
    try:
        return parse_time(text) if text else None
    except ValueError:
        raise ValueError('%r is no time such as 2026-11-23T03:05:32Z' % text[:80])


def find_renamed(rows, old, new, resolve):
    """``(rows, is_renamed)``: those of the node that is to be called ``new`` and may still be called ``old``.

    A name and its address mean one host, so here the spelling counts: a row that shows ``new`` is renamed already.
    """
    renamed = [row for row in rows if normalise(row['host']) == normalise(new)]
    if renamed:
        return renamed, True
    return [row for row in rows if same_host(old, row['host'], resolve)], False


def refuse_rename(title, old, new):
    """Reasons why StarRocks does not rename the node ``old`` to ``new``: it refuses "ip to ip" (section 3.2)."""
    if is_ipv4(old) and is_ipv4(new):
        return ["%s %s cannot be renamed to %s: StarRocks does not change one IPv4 address to another (Can't change ip "
                "to ip). Give a host name, or remove the node and add it again" % (title, old, new)]
    return []
