# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to a backup, in which order, how much room it needs, and which backups go."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _node_backup as backup

META, CONF = backup.METADATA, backup.CONFIGURATION
GB = 1024 ** 3


def source(path='/srv/meta', kind=META, place='meta'):
    return {'path': path, 'kind': kind, 'as': place}


@pytest.mark.parametrize(('changes', 'words'), [
    ({}, None),
    ({'name': '20261130T1944-3.4.4_rc+1'}, None),
    ({'name': '../x'}, 'no name of a folder'),
    ({'name': '.x'}, 'no name of a folder'),
    ({'name': 'x\n'}, 'no name of a folder'),
    ({'name': ''}, 'no name of a folder'),
    ({'keep': 0}, 'At least the new backup is kept'),
    ({'sources': []}, 'nothing to back up'),
    ({'sources': [source(place='/etc')]}, 'no path below the backup'),
    ({'sources': [source(place='a/../b')]}, 'no path below the backup'),
    ({'sources': [source(place='..')]}, 'no path below the backup'),
    ({'sources': [source(place='')]}, 'no path below the backup'),
    ({'sources': [source(place='a/')]}, 'no path below the backup'),
    ({'sources': [source(place='manifest.json')]}, 'no path below the backup'),
    ({'sources': [source(place='fe/meta'), source('/srv/conf', CONF, 'fe/conf')]}, None),
    ({'sources': [source(place='fe/meta'), source('/srv/conf', CONF, 'fe')]}, "in each other's place"),
    ({'sources': [source(place='fe'), source('/srv/conf', CONF, 'fe')]}, "in each other's place"),
    ({'sources': [source(place='fe'), source('/srv/conf', CONF, 'fe2')]}, None),
    ({'dest': '/srv/meta/backups'}, 'into its own backup'),
    ({'dest': '/srv/meta'}, 'into its own backup'),
    ({'dest': '/srv/meta2'}, None),
])
def test_what_is_asked_for_can_be_meant(changes, words):
    asked = dict({'name': 'b1', 'dest': '/srv/backups', 'sources': [source()], 'keep': 3}, **changes)
    if words is None:
        backup.check_request(**asked)
        return
    with pytest.raises(backup.BackupError) as error:
        backup.check_request(**asked)
    assert words in str(error.value)


@pytest.mark.parametrize(('path', 'expected'), [
    ('image/image.120', True),
    ('image/ROLE', True),
    ('image/v2/checksum.120', True),
    ('image/image.ckpt', False),
    ('image/v2/image.130.part', False),
    ('bdb/00000000.jdb', True),
    ('bdb/je.info.0', True),
    ('bdb/je.config.csv', True),
    ('bdb/journal.json', True),
    ('bdb/journal.json.tmp', False),
    ('bdb/je.lck', False),
])
def test_what_passes_is_no_metadata(path, expected):
    assert backup.belongs(path, META) is expected
    assert backup.belongs(path, CONF)


JOURNAL = ['bdb/0000000a.jdb', 'bdb/00000009.jdb', 'bdb/je.info.0', 'image/ROLE', 'bdb/00000010.jdb', 'image/image.7']


def test_the_newest_of_the_journal_is_copied_last_and_not_linked():
    assert backup.in_order(JOURNAL, META) == ['image/ROLE', 'image/image.7', 'bdb/je.info.0', 'bdb/00000009.jdb',
                                              'bdb/0000000a.jdb', 'bdb/00000010.jdb']
    assert backup.linkable(JOURNAL, META) == {'bdb/00000009.jdb', 'bdb/0000000a.jdb'}
    assert backup.in_order(JOURNAL, CONF) == sorted(JOURNAL) and backup.linkable(JOURNAL, CONF) == set()
    assert backup.linkable(['bdb/00000000.jdb', 'bdb/x.jdb', 'bdb/0.jdb'], META) == set()


@pytest.mark.parametrize(('gone', 'come', 'kind', 'expected'), [
    ([], [], META, None),
    ([], ['bdb/00000011.jdb', 'bdb/je.info.1'], META, None),  # a crash a moment before
    (['bdb/00000009.jdb'], ['bdb/00000011.jdb'], META, 'bdb/00000009.jdb went away'),
    (['image/image.7'], ['image/image.9'], META, 'image/image.7 went away'),
    ([], ['image/v2/image.9'], META, 'image/v2/image.9 came'),
    ([], ['image/x'], CONF, None),
    (['image/ROLE'], [], CONF, 'image/ROLE went away'),
])
def test_what_makes_a_copy_worthless(gone, come, kind, expected):
    after = [path for path in JOURNAL if path not in gone] + come
    assert backup.changed_meanwhile(JOURNAL, after, kind) == expected


def test_room_is_needed_for_what_is_copied_and_for_the_front_end():
    files = {'a': {'size': 1000}, 'b': {'size': GB, 'linked': True}, 'c': {'link': 'a'}}
    assert backup.room_needed(files) == 1000 + 3 * 4096
    assert backup.room_refusal('/srv', 100, 100, False) is None
    text = backup.room_refusal('/srv', 10 ** 6, 2 * 10 ** 9, False)
    assert '/srv has 1 MB of free space, and the backup needs 2 GB. Nothing was copied' in text
    # Where the metadata is, a front end wants 5 GB for itself.
    assert backup.room_refusal('/srv', 6 * GB, GB, True) is None
    assert 'and 5.369 GB beside it' in backup.room_refusal('/srv', 6 * GB - 1, GB, True)
    assert backup.room_refusal('/srv', 6 * GB - 1, GB, False) is None
    # That it has them no more already is not for a backup to judge.
    assert backup.room_refusal('/srv', 4 * GB, GB, True) is None
    assert 'beside' not in backup.room_refusal('/srv', GB, 2 * GB, True)


@pytest.mark.parametrize(('keep', 'new', 'expected'), [
    (3, 'e', ['a', 'b']),
    (3, 'x', ['a', 'b', 'c']),  # not there yet
    (1, 'e', ['a', 'b', 'c', 'd']),
    (5, 'e', []),
    # By the time in the manifest, not by name; and never the new one, whatever the clock said.
    (2, 'a', ['b', 'c', 'd']),
])
def test_which_backups_go(keep, new, expected):
    times = {'a': '2026-01-01', 'b': '2026-01-02', 'c': '2026-01-03', 'd': '2026-01-04', 'e': '2026-01-05'}
    assert backup.outdated(times, keep, new) == expected


def test_backups_of_one_moment_go_by_name():
    assert backup.outdated({'a': '1', 'c': '1', 'b': '1', 'n': '1'}, 2, 'n') == ['a', 'b']


def test_what_is_wrong_with_a_backup():
    copied, linked = {'size': 5, 'sha256': 'x', 'mtime_ns': 1}, {'size': 5, 'mtime_ns': 1, 'linked': True}
    recorded = {'copied': copied, 'linked': linked, 'link': {'link': 'copied'}}
    seen = {'copied': dict(copied, mtime_ns=2), 'linked': {'size': 5, 'mtime_ns': 1}, 'link': {'link': 'copied'}}
    assert backup.problems(recorded, seen) == []
    assert backup.problems(recorded, {}) == ['copied is missing', 'link is missing', 'linked is missing']
    assert backup.problems({}, {'x': copied}) == ['x does not belong there']
    wrong = {'copied': dict(copied, sha256='y', size=6), 'linked': {'size': 5, 'mtime_ns': 2}, 'link': copied}
    assert backup.problems(recorded, wrong) == [
        'copied has another size and sha256', 'link has another link and size and sha256', 'linked has another time']
