# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""StarRocks versions: read them, put them in order.

A version is printed as ``3.5.0``, ``3.5.0-0be11fd`` (with the commit), ``3.3.0-rc01-3b8cb0c`` or, in
``@@version_comment`` up to 3.0, ``StarRocks version 3.0.9``. Sources: starrocks.md sections 1.2 and 4.5.
"""

import re
from collections import namedtuple

_VERSION = re.compile(
    r'^(?:StarRocks version\s+)?'
    r'(?P<major>\d+)\.(?P<minor>\d+)\.(?P<patch>\d+)'
    r'(?:-(?P<stage>alpha|beta|preview|rc)\.?(?P<number>\d+))?'
    r'(?:-(?P<commit>[0-9A-Za-z_.]+))?$',
    re.IGNORECASE)

# Stages before a release, in the order in which they appear; a release proper comes after all of them.
_STAGES = {'preview': 0, 'alpha': 1, 'beta': 2, 'rc': 3}
_RELEASED = (4, 0)

# The oldest release line that this collection knows.
OLDEST_LINE = (2, 5)
# What stands before the version in @@version_comment up to 3.0.
_PRODUCT = 'StarRocks version '
# Words in the @@version_comment of other servers that speak MySQL's protocol: MySQL 'MySQL Community Server - GPL',
# Doris 'Doris version doris-2.1.0-rc11-...', MariaDB 'mariadb.org binary distribution', TiDB, Percona.
_OTHER_SERVERS = ('doris', 'mysql', 'mariadb', 'percona', 'tidb', 'selectdb', 'oceanbase', 'clickhouse')

_FIELDS = ('major', 'minor', 'patch', 'stage', 'commit')


class Version(namedtuple('Version', _FIELDS)):
    """One version. Ordered by its numbers and its stage; the commit says nothing about order.

    ``stage`` is ``(rank, number)``: ``(3, 1)`` for rc01, ``(4, 0)`` for a release.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text):
        """Read ``text``; raise ValueError with a plain sentence where it is no version."""
        match = _VERSION.match((text or '').strip())
        if not match:
            raise ValueError('%r is not a StarRocks version such as 3.5.0 or 3.5.0-0be11fd' % (text,))
        stage = _RELEASED
        if match.group('stage'):
            stage = (_STAGES[match.group('stage').lower()], int(match.group('number')))
        return cls(int(match.group('major')), int(match.group('minor')), int(match.group('patch')), stage,
                   match.group('commit'))

    @property
    def order(self):
        return self[:4]

    @property
    def line(self):
        """``(major, minor)``: the release line, by which columns and words differ."""
        return (self.major, self.minor)

    @property
    def release(self):
        """The version without its commit: ``3.5.0``, ``3.3.0-rc01``."""
        text = '%d.%d.%d' % (self.major, self.minor, self.patch)
        if self.stage != _RELEASED:
            names = {rank: name for name, rank in _STAGES.items()}
            text += '-%s%02d' % (names[self.stage[0]], self.stage[1])
        return text

    def __str__(self):
        return self.release if self.commit is None else '%s-%s' % (self.release, self.commit)

    # A namedtuple would compare the commit too, which has no order.
    def __lt__(self, other):
        return self.order < other.order

    def __le__(self, other):
        return self.order <= other.order

    def __gt__(self, other):
        return self.order > other.order

    def __ge__(self, other):
        return self.order >= other.order


def parse_or_none(text):
    """The version in ``text``, or None for an unknown one and for development builds (``MAIN-RELEASE-d094052``)."""
    try:
        return Version.parse(text)
    except ValueError:
        return None


def satisfies(shown, wished):
    """Whether the version that a node shows is the wished one.

    A wish without a commit is met by every build of that release; a wish with one by that build alone. Texts that
    are no versions (development builds) must be equal.
    """
    shown_version, wished_version = parse_or_none(shown), parse_or_none(wished)
    if shown_version is None or wished_version is None:
        return shown is not None and shown == wished
    if wished_version.commit is not None and wished_version.commit != shown_version.commit:
        return False
    return shown_version.order == wished_version.order


def without_product(comment):
    """The version in @@version_comment: ``3.0.9`` of ``StarRocks version 3.0.9``, ``3.5.0-0be11fd`` as it is."""
    return comment[len(_PRODUCT):] if comment.startswith(_PRODUCT) else comment


def is_another_server(comment):
    """Whether @@version_comment is certainly not StarRocks'. Builds of one's own may carry any text."""
    return parse_or_none(comment) is None and any(word in comment.lower() for word in _OTHER_SERVERS)


def is_too_old(text):
    """Whether the version in ``text`` is older than what this collection knows."""
    version = parse_or_none(text)
    return version is not None and version.line < OLDEST_LINE
