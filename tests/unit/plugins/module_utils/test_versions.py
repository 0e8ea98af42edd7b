# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import Version, parse_or_none, satisfies


@pytest.mark.parametrize('text, order, commit, release', [
    ('3.5.0', (3, 5, 0, (4, 0)), None, '3.5.0'),
    ('3.5.0-0be11fd', (3, 5, 0, (4, 0)), '0be11fd', '3.5.0'),
    ('3.3.0-rc01-3b8cb0c', (3, 3, 0, (3, 1)), '3b8cb0c', '3.3.0-rc01'),
    ('4.0.0-rc02', (4, 0, 0, (3, 2)), None, '4.0.0-rc02'),
    ('StarRocks version 3.0.9', (3, 0, 9, (4, 0)), None, '3.0.9'),
    (' 2.5.22 ', (2, 5, 22, (4, 0)), None, '2.5.22'),
])
def test_parse(text, order, commit, release):
    version = Version.parse(text)
    assert (version.order, version.commit, version.release) == (order, commit, release)


@pytest.mark.parametrize('text', ['', None, 'NULL', '3.5', '3.5.0.1', 'MAIN-RELEASE-d094052', 'v3.5.0', '3.5.0; DROP'])
def test_what_is_no_version(text):
    with pytest.raises(ValueError, match='is not a StarRocks version'):
        Version.parse(text)
    assert parse_or_none(text) is None


def test_order():
    ascending = ['2.5.9', '2.5.10', '2.5.22', '3.0.0-beta1', '3.0.0-rc01', '3.0.0-rc02', '3.0.0', '3.5.0', '3.10.0']
    assert sorted(set(ascending), key=Version.parse) == ascending


def test_the_commit_has_no_order():
    one, other = Version.parse('3.5.0-zzz'), Version.parse('3.5.0-aaa')
    assert one <= other <= one and one >= other and not one < other and not one > other


def test_line_and_text():
    assert Version.parse('3.5.0-0be11fd').line == (3, 5)
    assert str(Version.parse('StarRocks version 3.3.0-rc01-3b8cb0c')) == '3.3.0-rc01-3b8cb0c'


@pytest.mark.parametrize('shown, wished, expected', [
    ('3.5.0-0be11fd', '3.5.0', True),
    ('3.5.0-0be11fd', '3.5.0-0be11fd', True),
    ('3.5.0-0be11fd', '3.5.0-1111111', False),
    ('3.5.0', '3.5.0-0be11fd', False),
    ('3.5.1-0be11fd', '3.5.0', False),
    ('3.3.0-rc01-3b8cb0c', '3.3.0', False),
    (None, '3.5.0', False),
    ('MAIN-RELEASE-d094052', 'MAIN-RELEASE-d094052', True),
    ('MAIN-RELEASE-d094052', '3.5.0', False),
])
def test_satisfies(shown, wished, expected):
    assert satisfies(shown, wished) is expected
