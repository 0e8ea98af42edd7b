# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One component of a release tarball, read in one pass.

Reading and hashing, inflating, and what the caller does with the files run side by side in three threads, each a few
blocks ahead of the next, so memory stays small whatever the size of the archive. Nothing is believed before the end:
a member that points outside, a damaged or missing rest and a wrong checksum all raise ReleaseError.
"""

import hashlib
import posixpath
import queue
import tarfile
import threading
import zlib
from collections import namedtuple
from contextlib import contextmanager

from ansible_collections.starrocks.cluster.plugins.module_utils._release import (
    ReleaseError,
    check_evidence,
    version_of_name,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import (
    BLOCK,
    UnreadableError,
)

# Blocks that one thread may be ahead of the next: 2 MB each.
_AHEAD = 8

_GZIP_MAGIC = b'\x1f\x8b'
_TAR_MAGIC = b'ustar'
_TAR_MAGIC_AT = 257

# path: below the component's folder, '' for the folder itself. kind: file, directory, link (symbolic) or copy (hard
# link). target: of a link, as it stands in the archive; of a copy, the path below the component's folder. member: the
# TarInfo.
Entry = namedtuple('Entry', 'path kind mode mtime size target member')


class ReadAhead:
    """Runs an iterator in a thread of its own, at most ``_AHEAD`` items ahead of whoever iterates over this."""

    def __init__(self, items):
        self._items = items
        self._queue = queue.Queue(_AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.daemon = True
        self._thread.start()

    def _run(self):
        try:
            for item in self._items:
                if not self._put((True, item)):
                    return
            self._put((False, None))
        except BaseException as error:  # whatever it is, it is for the reader to see
            self._put((False, error))

    def _put(self, entry):
        while not self._stopped.is_set():
            try:
                self._queue.put(entry, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self):
        while not self._stopped.is_set():
            try:
                more, item = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item

    def close(self):
        """Let the thread end. It is not waited for: it may be inside a read from a silent server."""
        self._stopped.set()


def inflate(blocks):
    """Yield the tar stream within the blocks of a .tar.gz or .tar. Raises ReleaseError for anything else."""
    blocks = iter(blocks)
    head = b''
    for block in blocks:
        head += block
        if len(head) > _TAR_MAGIC_AT + len(_TAR_MAGIC):
            break
    if head[:2] == _GZIP_MAGIC:
        yield from _gunzip(_chain(head, blocks))
    elif head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        yield from _chain(head, blocks)
    else:
        raise ReleaseError('it is no .tar.gz (its first bytes are %s)' % (repr(head[:16]) if head else 'missing'))


def _chain(head, blocks):
    yield head
    yield from blocks


def _gunzip(blocks):
    """Yield what gzip members hold; bounded by BLOCK however much one block inflates to."""
    inflater = None
    for block in blocks:
        while block:
            if inflater is None:
                block = block.lstrip(b'\0')  # padding between or after members
                if not block:
                    break
                inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            out, block, inflater = _inflate_some(inflater, block)
            if out:
                yield out
    while inflater is not None:
        out, dummy, inflater = _inflate_some(inflater, b'')
        if inflater is not None and not out:
            raise ReleaseError('it is cut short: the compressed stream has no end')
        if out:
            yield out


def _inflate_some(inflater, block):
    """(output, what is left of the block, the inflater or None when its member is at the end)."""
    try:
        out = inflater.decompress(block, BLOCK)
    except zlib.error as error:
        raise ReleaseError('it is damaged: %s' % error)
    if inflater.eof:
        return out, inflater.unused_data, None
    return out, inflater.unconsumed_tail, inflater


class _StrictMember(tarfile.TarInfo):
    """tarfile takes a damaged or missing header in mid-archive for the end. Here only the end is the end."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        try:
            return super(_StrictMember, cls).frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise ReleaseError('it is cut short or damaged: %s' % error)


class _Stream:
    """An iterator of blocks as the file object that tarfile reads."""

    def __init__(self, blocks):
        self._blocks = iter(blocks)
        self._rest = b''

    def read(self, size):
        """The next bytes, at most ``size``, empty at the end only."""
        block = self._rest or next(self._blocks, b'')
        self._rest = block[size:]
        return block[:size]


def check_digest(shown, digests, algorithm, digest):
    """Raise ReleaseError where an archive has another checksum than the wanted one; algorithm None wants none."""
    if algorithm and digests[algorithm] != digest:
        raise ReleaseError('%s: its %s is %s, and the checksum wanted is %s. Either the archive or the checksum is not '
                           'the right one. Nothing was installed.' % (shown, algorithm, digests[algorithm], digest))


def _parts(name):
    """The parts of a member's name. Raises ReleaseError for one that points outside."""
    parts = [part for part in name.split('/') if part not in ('', '.')]
    if name.startswith('/') or '..' in parts:
        raise ReleaseError('its member "%s" points outside' % name)
    return parts


class ComponentArchive:
    """One component of an archive: ``entries()`` in order, then ``digests`` and ``size`` of the whole.

    source: a FileSource or UrlSource; version: the wanted one, refused early where the archive's top folder tells
    another; algorithm: a digest beside sha256, or None. Errors name the archive.
    """

    def __init__(self, source, component, version, algorithm=None):
        self.source = source
        self.component = component
        self.version = version
        self.size = 0
        names = ['sha256'] + [name for name in [algorithm] if name not in (None, 'sha256')]
        self._hashes = {name: hashlib.new(name) for name in names}
        self._top = None
        self._tar = None
        self._pumps = []

    @property
    def digests(self):
        """{algorithm: hex digest} of the whole archive; right after the last entry."""
        return {name: value.hexdigest() for name, value in self._hashes.items()}

    def entries(self):
        """Yield an Entry for each member of the component; the caller may read() it before asking for the next.

        After the last one the rest of the archive is read: only when this ends without an error is the archive whole.
        Raises ReleaseError.
        """
        raw = ReadAhead(self._hashed(self.source.blocks()))
        plain = ReadAhead(inflate(raw))
        self._pumps = [raw, plain]
        try:
            with self.named_errors():
                yield from self._component_entries(plain)
        finally:
            self.close()

    def open(self, entry):
        """The bytes of an entry of kind file, as a file object; to be read within ``named_errors``."""
        return self._tar.extractfile(entry.member)

    def read(self, entry):
        """Yield the bytes of an entry of kind file. Raises ReleaseError."""
        with self.named_errors():
            stream = self.open(entry)
            left = entry.size
            while left:
                block = stream.read(min(left, BLOCK))
                if not block:
                    raise ReleaseError('it is cut short within %s' % entry.member.name)
                left -= len(block)
                yield block

    @contextmanager
    def named_errors(self):
        """Within this context, errors of reading are ReleaseErrors that name the archive."""
        try:
            yield
        except tarfile.TarError as error:
            raise ReleaseError(self._said('it is cut short or damaged: %s' % error))
        except UnreadableError:
            raise  # names its address, or all of them
        except ReleaseError as error:
            raise ReleaseError(self._said(str(error)))

    def close(self):
        """Stop reading."""
        for pump in self._pumps:
            pump.close()

    def check(self, algorithm, digest):
        """Raise ReleaseError where the archive, read to its end, has another checksum."""
        check_digest(self.source.shown, self.digests, algorithm, digest)

    def _said(self, text):
        shown = self.source.shown
        return text if text.startswith(shown) else '%s: %s. Nothing was installed.' % (shown, text)

    def _hashed(self, blocks):
        for block in blocks:
            self.size += len(block)
            for value in self._hashes.values():
                value.update(block)
            yield block

    def _component_entries(self, plain):
        stream = _Stream(plain)
        self._tar = tarfile.open(fileobj=stream, mode='r|', bufsize=BLOCK, tarinfo=_StrictMember)
        seen = False
        for member in self._tar:
            path = self._component_path(_parts(member.name))
            if path is not None:
                seen = True
                yield self._entry(member, path)
        while stream.read(BLOCK):
            pass
        if not seen:
            raise ReleaseError('it holds no folder %s' % self.component)

    def _component_path(self, parts):
        """The path below the component's folder, or None for a member of something else.

        A release has one folder that holds the components; an archive without it is understood too.
        """
        for depth in (0, 1):
            if len(parts) > depth and parts[depth] == self.component:
                top = '/'.join(parts[:depth])
                if self._top is None:
                    self._top = top
                    check_evidence('its folder %s' % top, version_of_name(top), self.version)
                if top != self._top:
                    raise ReleaseError('it holds the folder %s twice, in "%s" and in "%s"'
                                       % (self.component, self._top, top))
                return '/'.join(parts[depth + 1:])
        return None

    def _entry(self, member, path):
        kind, target = self._kind(member, path)
        # Programs and other files, no more: start_backend.sh sets 755 on starrocks_be at each start anyway.
        mode = 0o755 if member.isdir() or member.mode & 0o111 else 0o644
        return Entry(path, kind, mode, int(member.mtime), member.size if kind == 'file' else 0, target, member)

    def _kind(self, member, path):
        """(kind, target) of a member. Raises ReleaseError for devices and for links that point outside."""
        if member.isreg() and path:
            return 'file', None
        if member.isdir():
            return 'directory', None
        if member.issym() and path:
            inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
            if member.linkname.startswith('/') or inside == '..' or inside.startswith('../'):
                raise ReleaseError('its link "%s" points outside, to "%s"' % (member.name, member.linkname))
            return 'link', member.linkname
        if member.islnk() and path:
            target = self._component_path(_parts(member.linkname))
            if not target:
                raise ReleaseError('its link "%s" points outside, to "%s"' % (member.name, member.linkname))
            return 'copy', target
        raise ReleaseError('its member "%s" is neither file, folder nor link' % member.name)
