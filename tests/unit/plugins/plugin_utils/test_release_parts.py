# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of archives that the controller keeps."""

import contextlib
import hashlib
import os
import pathlib
import tarfile
import threading
import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _release_parts as parts
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import (
    contents,
    release_members,
    write_archive,
)


@pytest.fixture(name='place')
def _place(tmp_path, monkeypatch):
    """(function that gives a part and what is in it, list of packed components, cache folder)."""
    cache, run, packed = tmp_path / 'cache', tmp_path / 'run', []
    cache.mkdir()
    pack = parts._pack

    def counted(wanted, *arguments):
        packed.append(wanted.component)
        pack(wanted, *arguments)
    monkeypatch.setattr(parts, '_pack', counted)

    def get(archive, component='fe', version='3.5.0', algorithm=None, digest=None, run=run):
        wanted = parts.Wanted(str(archive), component, version, algorithm, digest)
        with parts.part(wanted, cache, run, lambda line: None) as part:
            with tarfile.open(part.path) as tar:
                files = {info.name.partition('/')[2]: tar.extractfile(info).read() for info in tar if info.isfile()}
            assert hashlib.sha256(pathlib.Path(part.path).read_bytes()).hexdigest() == part.sha256
            return part, files
    return get, packed, cache


def of_component(component):
    return {path: data for path, data in contents().items() if path.startswith(component + '/')}


def test_a_part_holds_its_component_alone(tmp_path, place):
    get, packed, _cache = place
    archive = write_archive(tmp_path)
    part, files = get(archive)
    assert files == of_component('fe')
    assert part.part_of == {
        'name': archive.name, 'size': archive.stat().st_size,
        'sha256': hashlib.sha256(archive.read_bytes()).hexdigest(), 'unpacked_size': part.part_of['unpacked_size']}
    size = sum(len(data) for data in files.values())
    assert size < part.part_of['unpacked_size'] < size + 4096 * len(files)
    assert get(archive)[0] == part and packed == ['fe']
    assert get(archive, 'apache_hdfs_broker')[1] == of_component('apache_hdfs_broker')


def test_a_changed_archive_is_packed_anew_and_the_old_part_goes(tmp_path, place):
    get, packed, cache = place
    archive = write_archive(tmp_path)
    get(archive)
    files = dict(contents(), **{'fe/lib/large.jar': b'other'})
    write_archive(tmp_path, members=release_members(files=files))
    assert get(archive)[1]['fe/lib/large.jar'] == b'other' and packed == ['fe', 'fe']
    archive.unlink()
    (tmp_path / 'other').mkdir()
    get(write_archive(tmp_path / 'other'), 'be')
    assert sorted(path.suffix for path in cache.iterdir()) == ['.gz', '.json', '.lock']


def test_a_part_that_nobody_asked_for_in_a_month_goes(tmp_path, place):
    get, _packed, cache = place
    archive = write_archive(tmp_path)
    get(archive)
    old = time.time() - 31 * 24 * 3600
    os.utime(next(cache.glob('*.json')), (old, old))
    get(archive, 'be')
    assert len(list(cache.glob('*.tar.gz'))) == 1
    assert get(archive, 'be')[1] == of_component('be')


@pytest.mark.parametrize('damage', ['part', 'index'])
def test_a_damaged_cache_is_packed_anew(tmp_path, place, damage):
    get, packed, cache = place
    archive = write_archive(tmp_path)
    get(archive)
    next(cache.glob('*.tar.gz' if damage == 'part' else '*.json')).write_bytes(b'x')
    assert get(archive)[1] == of_component('fe') and packed == ['fe', 'fe']


def test_what_a_killed_run_left_is_cleared(tmp_path, place):
    get, _packed, cache = place
    (cache / 'abc.xyz.new').write_bytes(b'half')
    get(write_archive(tmp_path))
    assert not list(cache.glob('abc*'))


@pytest.mark.parametrize('algorithm', ['sha256', 'sha512'])
def test_the_checksum_of_the_whole_archive(tmp_path, place, algorithm):
    get, packed, _cache = place
    archive = write_archive(tmp_path)
    get(archive)
    digest = hashlib.new(algorithm, archive.read_bytes()).hexdigest()
    assert get(archive, algorithm=algorithm, digest=digest)[1] == of_component('fe')
    for _again in range(2):
        with pytest.raises(ReleaseError, match=f'its {algorithm} is {digest}'):
            get(archive, algorithm=algorithm, digest='0' * len(digest))
    assert packed == ['fe']


@pytest.mark.parametrize(('size', 'words'), [
    (0.5, r'3\.5\.0-ubuntu.*cut short'), (0.999, r'3\.5\.0-ubuntu.*cut short'), (0, r'3\.5\.0-ubuntu.*no \.tar\.gz')])
def test_a_bad_archive_is_read_once_in_a_run(tmp_path, place, size, words):
    get, packed, cache = place
    archive = write_archive(tmp_path)
    data = archive.read_bytes()
    archive.write_bytes(data[:int(len(data) * size)])
    for _again in range(3):
        with pytest.raises(ReleaseError, match=words):
            get(archive)
    assert packed == ['fe'] and not list(cache.glob('*.tar.gz')) and not list(cache.glob('*.new'))
    with pytest.raises(ReleaseError, match=words):
        get(archive, run=tmp_path / 'next')
    assert packed == ['fe', 'fe'], 'the next run looks again'


def test_another_version_is_refused(tmp_path, place):
    get, _packed, _cache = place
    with pytest.raises(ReleaseError, match='not the wanted 3.5.1'):
        get(write_archive(tmp_path), version='3.5.1')


def test_many_at_once_pack_once(tmp_path, place, monkeypatch):
    get, packed, _cache = place
    archive = write_archive(tmp_path)
    pack = parts._pack

    def slow(*arguments):
        time.sleep(0.2)
        pack(*arguments)
    monkeypatch.setattr(parts, '_pack', slow)
    results = []
    threads = [threading.Thread(target=lambda: results.append(get(archive)[1])) for _one in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [of_component('fe')] * 5 and packed == ['fe']


def test_a_part_in_use_is_not_removed(tmp_path, place):
    get, _packed, cache = place
    archive = write_archive(tmp_path)
    with parts.part(parts.Wanted(str(archive), 'fe', '3.5.0', None, None), cache, tmp_path, print) as part:
        archive.rename(tmp_path / 'moved.tar.gz')
        get(tmp_path / 'moved.tar.gz', 'be')
        assert pathlib.Path(part.path).exists()
    get(tmp_path / 'moved.tar.gz', 'apache_hdfs_broker')
    assert not pathlib.Path(part.path).exists()


def test_the_cache_of_the_user_or_else_the_fallback(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'mine'))
    folder = parts.cache_folder(str(tmp_path / 'fallback'))
    assert folder == tmp_path / 'mine/starrocks.cluster/parts' and folder.stat().st_mode & 0o777 == 0o700
    (tmp_path / 'file').touch()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    assert parts.cache_folder(str(tmp_path / 'fallback')) == tmp_path / 'fallback/starrocks.cluster/parts'
    with pytest.raises(ReleaseError, match='can be written'):
        parts.cache_folder(str(tmp_path / 'file'))


def test_progress_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, '_PROGRESS_SECONDS', 0)
    lines = []
    wanted = parts.Wanted(str(write_archive(tmp_path)), 'fe', '3.5.0', None, None)
    with contextlib.ExitStack() as stack:
        stack.enter_context(parts.part(wanted, tmp_path, tmp_path, lines.append))
    assert lines and all(line.startswith('packing fe of StarRocks-3.5.0') for line in lines)
