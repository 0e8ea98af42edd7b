# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives on the controller are refused before any host is touched; with real archives."""

import pytest
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _archives
from ansible_collections.starrocks.cluster.plugins.plugin_utils._inventory import Inventory
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import (
    member,
    release_members,
    sha256,
    write_archive,
)

GROUPS = {'starrocks_fe': ['h1'], 'starrocks_be': ['h1', 'h2']}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the user's that is this test's alone."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))


def findings(tmp_path, archive, **variables):
    every = {'starrocks_archive': str(archive), 'starrocks_version': '3.5.0', **variables}
    inventory = Inventory(GROUPS, dict.fromkeys(('h1', 'h2'), every), {'h1': set(), 'h2': set()}, {})
    return _archives.archive_findings(inventory, str(tmp_path / 'run'), lambda line: None)


def test_a_good_archive_is_packed_once_and_found_good(tmp_path):
    archive = write_archive(tmp_path)
    assert findings(tmp_path, archive) == []
    packed = sorted(path.name for path in (tmp_path / 'cache/starrocks.cluster/parts').glob('*.tar.gz'))
    assert len(packed) == 3
    assert findings(tmp_path, archive, starrocks_checksum=sha256(archive)) == []


def test_a_wrong_checksum(tmp_path):
    (found,) = findings(tmp_path, write_archive(tmp_path), starrocks_checksum='sha256:' + '0' * 64)
    assert found.host == 'all hosts' and found.variable == 'starrocks_archive' and 'sha256' in found.message


def test_a_truncated_archive(tmp_path):
    archive = write_archive(tmp_path)
    archive.write_bytes(archive.read_bytes()[:-2000])
    assert findings(tmp_path, archive)


def test_an_archive_without_a_component(tmp_path):
    members = [one for one in release_members() if '/apache_hdfs_broker' not in one[0].name]
    (found,) = findings(tmp_path, write_archive(tmp_path, members=members))
    assert 'apache_hdfs_broker' in found.message and found.host == 'all hosts'


def test_a_member_that_points_outside(tmp_path):
    members = [*release_members(), member('StarRocks-3.5.0-ubuntu-amd64/fe/../../../evil', b'x')]
    assert any('evil' in one.message for one in findings(tmp_path, write_archive(tmp_path, members=members)))


@pytest.mark.parametrize('variables', [
    {'starrocks_archive': 'https://mirror.example/StarRocks-3.5.0.tar.gz'},
    {'starrocks_archive_remote_src': True},
])
def test_what_the_hosts_read_themselves_is_left_to_them(tmp_path, variables):
    archive = write_archive(tmp_path)
    archive.write_bytes(b'no archive')
    assert findings(tmp_path, archive, **variables) == []
