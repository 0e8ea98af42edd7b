# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of release archives that the controller sends: one component each, packed once and kept.

A part is a .tar.gz of its own, whose members are those of the archive. Forks and runs that need the same part at the
same time wait for the one that packs it. A part is packed anew when its archive changed, and removed when its archive
is gone or when nobody asked for it for a month.
"""
from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import json
import os
import pathlib
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError
from ansible_collections.starrocks.cluster.plugins.module_utils._release_archive import ComponentArchive, check_digest
from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import BLOCK, FileSource

_KEPT_SECONDS = 30 * 24 * 3600
# Most of a release is jars, which do not get smaller: the fastest level costs a third of the default one.
_COMPRESSION = 1
_FILE_SYSTEM_BLOCK = 4096
# Seconds between two lines of progress.
_PROGRESS_SECONDS = 10


class Part(NamedTuple):
    """A part that is ready to be sent. part_of: the option of that name of the module starrocks_release."""

    path: str
    sha256: str
    part_of: dict[str, Any]


class Wanted(NamedTuple):
    """What is asked for: a component of the archive at a path, checked against a version and a checksum."""

    archive: str
    component: str
    version: str
    algorithm: str | None
    digest: str | None

    def key(self) -> str:
        """The name under which the part is kept: another one for each state of the archive."""
        status = os.stat(self.archive)
        seen = [os.path.realpath(self.archive), status.st_size, status.st_mtime_ns, self.component, self.version]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:32]


def cache_folder(fallback: str) -> pathlib.Path:
    """The folder for parts: the user's cache, or the fallback where that cannot be written."""
    home = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    for base in (home, fallback):
        folder = pathlib.Path(base, 'starrocks.cluster', 'parts')
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    raise ReleaseError(f'neither {home} nor {fallback} can be written: there is no place for the parts of the archive.')


@contextlib.contextmanager
def part(wanted: Wanted, cache: pathlib.Path, run: pathlib.Path, progress: Callable[[str], None]) -> Iterator[Part]:
    """The wanted part, kept from being removed while the context is open.

    cache: see cache_folder; run: a folder that lives as long as this run of Ansible, in which a failure is remembered,
    so that not every host reads a damaged archive anew. Raises ReleaseError and OSError.
    """
    key = wanted.key()
    while True:
        with _locked(cache / f'{key}.lock', fcntl.LOCK_SH):
            index = _index(cache, key)
            if index is not None:
                os.utime(cache / f'{key}.json')
                digests = _digests(cache, key, index, wanted)
                check_digest(wanted.archive, digests, wanted.algorithm, wanted.digest)
                yield Part(str(cache / f'{key}.tar.gz'), index['part']['sha256'], index['part_of'])
                return
        with _locked(cache / f'{key}.lock', fcntl.LOCK_EX):
            if _index(cache, key) is None:
                _once(run / f'starrocks-part-{key}.failed', lambda: _pack(wanted, cache, key, progress))
                _prune(cache, key)


def _once(memory: pathlib.Path, work: Callable[[], None]) -> None:
    """Do some work, unless it failed before in this run: then fail alike."""
    if memory.exists():
        raise ReleaseError(memory.read_text(encoding='utf-8'))
    try:
        work()
    except ReleaseError as error:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(str(error), encoding='utf-8')
        raise


@contextlib.contextmanager
def _locked(path: pathlib.Path, how: int) -> Iterator[None]:
    """Hold the lock of a file that others may remove while they hold it. Raises BlockingIOError with LOCK_NB."""
    while True:
        with path.open('w', encoding='utf-8') as lock:
            fcntl.flock(lock, how)
            if not path.exists() or not os.path.samestat(path.stat(), os.fstat(lock.fileno())):
                continue
            yield
            return


def _index(cache: pathlib.Path, key: str) -> dict[str, Any] | None:
    """What is known of a part, or None where it is not there whole."""
    try:
        index = json.loads((cache / f'{key}.json').read_text(encoding='utf-8'))
        whole = (cache / f'{key}.tar.gz').stat().st_size == index['part']['size']
    except (OSError, ValueError, KeyError):
        return None
    return index if whole else None


def _write_index(cache: pathlib.Path, key: str, index: dict[str, Any]) -> None:
    handle, path = tempfile.mkstemp(prefix=f'{key}.', suffix='.new', dir=cache)
    with os.fdopen(handle, 'w', encoding='utf-8') as stream:
        json.dump(index, stream)
        stream.flush()
        os.fsync(handle)
    os.rename(path, cache / f'{key}.json')


def _digests(cache: pathlib.Path, key: str, index: dict[str, Any], wanted: Wanted) -> dict[str, str]:
    """The archive's checksums; one that nobody asked for before is added."""
    digests = index['digests']
    if wanted.algorithm and wanted.algorithm not in digests:
        value = hashlib.new(wanted.algorithm)
        for block in FileSource(wanted.archive).blocks():
            value.update(block)
        digests[wanted.algorithm] = value.hexdigest()
        _write_index(cache, key, index)
    return digests


class _Hashed:
    """A file that is written and hashed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.value = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes) -> int:
        self.value.update(block)
        self.size += len(block)
        return self._stream.write(block)

    def flush(self) -> None:
        self._stream.flush()


def _pack(wanted: Wanted, cache: pathlib.Path, key: str, progress: Callable[[str], None]) -> None:
    """Read the archive once; write the part, then its index."""
    source = FileSource(wanted.archive)
    archive = ComponentArchive(source, wanted.component, wanted.version, wanted.algorithm)
    whole = os.path.getsize(wanted.archive)
    unpacked = 0
    told = time.monotonic()
    handle, path = tempfile.mkstemp(prefix=f'{key}.', suffix='.new', dir=cache)
    try:
        with os.fdopen(handle, 'wb') as stream:
            hashed = _Hashed(stream)
            with gzip.GzipFile(filename='', fileobj=hashed, mode='wb', compresslevel=_COMPRESSION, mtime=0) as packed, \
                    tarfile.open(fileobj=packed, mode='w|', bufsize=BLOCK, format=tarfile.PAX_FORMAT) as tar:
                for entry in archive.entries():
                    member = entry.member
                    member.uid = member.gid = 0
                    member.uname = member.gname = ''
                    with archive.named_errors():
                        tar.addfile(member, archive.open(entry) if entry.kind == 'file' else None)
                    unpacked += -(-entry.size // _FILE_SYSTEM_BLOCK) * _FILE_SYSTEM_BLOCK
                    if time.monotonic() - told > _PROGRESS_SECONDS:
                        told = time.monotonic()
                        progress(f'packing {wanted.component} of {source.name}: {100 * archive.size // whole} % read')
            stream.flush()
            os.fsync(handle)
        os.rename(path, cache / f'{key}.tar.gz')
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    finally:
        archive.close()
    _write_index(cache, key, {
        'archive': os.path.realpath(wanted.archive),
        'digests': archive.digests,
        'part': {'sha256': hashed.value.hexdigest(), 'size': hashed.size},
        'part_of': {'name': source.name, 'size': archive.size, 'sha256': archive.digests['sha256'],
                    'unpacked_size': unpacked},
    })


def _prune(cache: pathlib.Path, keep: str) -> None:
    """Remove the parts that nobody needs, and what killed runs left of theirs."""
    for path in cache.iterdir():
        key = path.name.partition('.')[0]
        if key == keep or not path.name.endswith(('.json', '.new', '.lock')):
            continue
        with contextlib.suppress(OSError), _locked(cache / f'{key}.lock', fcntl.LOCK_EX | fcntl.LOCK_NB):
            index = _index(cache, key)
            if index and os.path.exists(index['archive']) and _age(cache / f'{key}.json') < _KEPT_SECONDS:
                continue
            for name in cache.glob(f'{key}.*'):
                name.unlink()


def _age(path: pathlib.Path) -> float:
    return time.time() - path.stat().st_mtime
