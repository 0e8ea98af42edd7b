# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup of a node's files on its own host: what belongs to it, how each file gets there, and which backups go.

Metadata is copied from a front end that runs, so what is copied must be what a crash at that moment would have left;
from that its Berkeley DB (JE) recovers by itself. That holds when:

- journal files (``bdb/*.jdb``) are taken in ascending order, the newest last. They are only appended to, and no longer
  changed once there is a newer one, so all but the newest can be hard links (JE marks entries in place that a majority
  never had, when it rolls them back; such entries are seconds old, and ``verify`` would tell);
- no file that was seen at the beginning is gone at the end, since JE removes a journal file only after newer ones hold
  all that was in it;
- no image came meanwhile. Images have their final name when they are complete, and entries older than the newest image
  are removed from the journal. Image and journal of two moments may lack the entries between them.

Where one of the last two does not hold, all of the source is copied again. The order that makes an interruption
harmless: all files are on the disk before the manifest is, and the manifest before the folder has its name.
"""

import collections
import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import socket
import stat
import time

from ansible_collections.starrocks.cluster.plugins.module_utils import _release_disk as disk
from ansible_collections.starrocks.cluster.plugins.module_utils._release import human_size

FORMAT = 1
MANIFEST = 'manifest.json'

METADATA, CONFIGURATION = 'metadata', 'configuration'

FREE_FOR_FRONT_END = 5 * 1024 ** 3
"""What the file system of a meta_dir must have free: a front end of 3.0 and later does not start with less
("Free capacity left for meta dir: <d> is less than 5GB")."""

ATTEMPTS = 5
"""How often a source that changes meanwhile is copied anew."""

BLOCK = 1024 * 1024

# What a file takes beyond its bytes.
_FILE_OVERHEAD = 4096

_NAME = re.compile(r'^[A-Za-z0-9][A-Za-z0-9._+-]*\Z')
_JOURNAL = re.compile(r'(?:^|/)([0-9a-f]{8})\.jdb$')
# Not yet complete (image.ckpt of a checkpoint, .part of a transfer), and locks of the process that runs.
_PASSING = re.compile(r'(?:\.ckpt|\.part|\.tmp|\.lck)$')
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP)

Found = collections.namedtuple('Found', 'kind size device target')
"""One path of a source: kind 'file', 'folder', 'link' or 'other'; target of a link."""


class BackupError(Exception):
    """No backup can be made; the text says why and what to do."""


class _Meanwhile(Exception):
    """The source changed while it was copied: (what)."""


# -- what is decided


def check_request(name, dest, sources, keep):
    """Raise BackupError where what is asked for cannot be meant."""
    if not _NAME.match(name):
        raise BackupError("name: '%s' is no name of a folder: letters, digits and . _ + - after the first." % name)
    if keep < 1:
        raise BackupError('keep: %d. At least the new backup is kept.' % keep)
    if not sources:
        raise BackupError('sources: nothing to back up.')
    places = []
    for source in sources:
        place = source['as']
        if place != os.path.normpath(place) or place.startswith(('/', '.')) or place.split('/')[0] == MANIFEST:
            raise BackupError("sources: as '%s' is no path below the backup." % place)
        for other in places:
            if (place + '/').startswith(other + '/') or (other + '/').startswith(place + '/'):
                raise BackupError("sources: '%s' and '%s' are in each other's place." % (other, place))
        places.append(place)
        if (os.path.realpath(dest) + '/').startswith(os.path.realpath(source['path']) + '/'):
            raise BackupError('dest: %s is below %s, which would go into its own backup.' % (dest, source['path']))


def belongs(path, kind):
    """Return whether a path of a source belongs to its backup."""
    return kind != METADATA or not _PASSING.search(path)


def _journal_number(path):
    match = _JOURNAL.search(path)
    return int(match.group(1), 16) if match else -1


def in_order(paths, kind):
    """Return the files of a source in the order in which they are copied: the newest of the journal comes last."""
    if kind != METADATA:
        return sorted(paths)
    return sorted(paths, key=lambda path: (path.startswith('bdb/'), _journal_number(path), path))


def linkable(paths, kind):
    """Return the files of a source that are changed no more: the journal's, but for its newest."""
    if kind != METADATA:
        return set()
    journal = sorted((path for path in paths if _journal_number(path) >= 0), key=_journal_number)
    return set(journal[:-1])


def changed_meanwhile(before, after, kind):
    """Return what became of a source between two listings that makes its copy worthless, None where nothing did."""
    gone = sorted(set(before) - set(after))
    if gone:
        return '%s went away' % gone[0]
    images = sorted(path for path in set(after) - set(before) if path.startswith('image/'))
    if kind == METADATA and images:
        return '%s came' % images[0]
    return None


def room_needed(foreseen):
    """Return how many bytes files ({path: record}) need that are not there yet."""
    return sum(_FILE_OVERHEAD + (0 if one.get('linked') else one.get('size', 0)) for one in foreseen.values())


def room_refusal(folder, free, needed, shared):
    """Return why there is not enough room, or None. shared: whether a front end's metadata is on that file system.

    A file system that has too little for a front end already is for its preflight to see.
    """
    reserve = FREE_FOR_FRONT_END if shared and free >= FREE_FOR_FRONT_END else 0
    if free >= needed + reserve:
        return None
    beside = (', and %s beside it for the metadata there, with less of which a front end does not start'
              % human_size(reserve)) if reserve else ''
    return ('%s has %s of free space, and the backup needs %s%s. Nothing was copied. Make room, or choose another dest.'
            % (folder, human_size(free), human_size(needed), beside))


def outdated(times, keep, new):
    """Return the names of the backups that go: all but the newest, and never the new one. times: {name: time}."""
    others = sorted((name for name in times if name != new), key=lambda name: (times[name], name), reverse=True)
    return sorted(others[keep - 1:])


def summary(files):
    """Return {bytes, files, linked} of files ({path: record})."""
    return {'bytes': sum(one.get('size', 0) for one in files.values()), 'files': len(files),
            'linked': len([one for one in files.values() if one.get('linked')])}


def listed(path, files):
    """Return the files of a new backup as lines of a diff."""
    how = {path: 'linked' if one.get('linked') else 'a link' if 'link' in one else 'copied'
           for path, one in files.items()}
    return '--- %s (absent)\n+++ %s\n%s' % (
        path, path, ''.join('+%s (%s)\n' % one for one in sorted(how.items())))


def problems(recorded, found):
    """Return what is wrong with the files of a backup ({path: record}, each), as sorted lines."""
    lines = ['%s is missing' % path for path in set(recorded) - set(found)]
    lines.extend('%s does not belong there' % path for path in set(found) - set(recorded))
    for path in set(recorded) & set(found):
        differing = [name for name in ('link', 'size', 'sha256') if recorded[path].get(name) != found[path].get(name)]
        # A link shares its content with the live file, which nobody should have changed since.
        if recorded[path].get('linked') and recorded[path]['mtime_ns'] != found[path].get('mtime_ns'):
            differing.append('time')
        if differing:
            lines.append('%s has another %s' % (path, ' and '.join(differing)))
    return sorted(lines)


# -- looking


def listing(root, kind):
    """{path: Found} of what belongs to a source, a folder; links are not followed. A file is {'': Found}."""
    found = {}

    def look(path):
        status = _lstat(os.path.join(root, path) if path else root)
        if stat.S_ISDIR(status.st_mode):
            found[path] = Found('folder', 0, status.st_dev, None)
            for name in _names(os.path.join(root, path) if path else root):
                below = os.path.join(path, name)
                if belongs(below, kind):
                    look(below)
        elif stat.S_ISLNK(status.st_mode):
            target = os.readlink(os.path.join(root, path))
            if kind == METADATA:
                raise BackupError('%s is a link to %s. Links are not followed, so the backup would lack it. Give '
                                  'metadata without links in it.' % (os.path.join(root, path), target))
            found[path] = Found('link', 0, status.st_dev, target)
        elif stat.S_ISREG(status.st_mode):
            found[path] = Found('file', status.st_size, status.st_dev, None)

    look('')
    return found


def _lstat(path):
    try:
        return os.lstat(path)
    except OSError as error:
        raise _gone(error)


def _names(path):
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        raise _gone(error)


def _gone(error):
    """What an error means that came because somebody removed the path meanwhile."""
    return _Meanwhile('%s went away' % error.filename) if error.errno in (errno.ENOENT, errno.ENOTDIR) else error


def root_of(source):
    """Where a source really is. Raises BackupError."""
    root = os.path.realpath(source['path'])
    if not os.path.exists(root):
        raise BackupError('sources: there is no %s on this host.' % source['path'])
    return root


def foresee(dest, sources):
    """{path: record} of what a backup would hold, without checksums. Raises BackupError where it has no room."""
    folder = dest
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    device = os.stat(folder).st_dev
    foreseen, shared = {}, False
    for source in sources:
        found = _settled(_list, source)
        links = linkable(found, source['kind'])
        for path, one in found.items():
            shared = shared or (source['kind'] == METADATA and one.device == device)
            place = os.path.join(source['as'], path) if path else source['as']
            if one.kind == 'link':
                foreseen[place] = {'link': one.target}
            elif one.kind == 'file':
                linked = path in links and one.device == device
                foreseen[place] = dict({'size': one.size}, **({'linked': True} if linked else {}))
    status = os.statvfs(folder)
    free = status.f_frsize * (status.f_bavail if os.geteuid() else status.f_bfree)
    refusal = room_refusal(folder, free, room_needed(foreseen), shared)
    if refusal:
        raise BackupError(refusal)
    return foreseen


def _list(source):
    return listing(root_of(source), source['kind'])


def _settled(attempt, source):
    """What an attempt gives under which the source does not change. Raises BackupError after a few."""
    for dummy in range(ATTEMPTS):
        try:
            return attempt(source)
        except _Meanwhile as reason:
            last = reason
    raise BackupError('%s changed each time while it was copied, %d times (%s at last). Run again when less is going '
                      'on.' % (source['path'], ATTEMPTS, last))


def read_manifest(path):
    """The manifest of a backup, None where there is none that can be understood."""
    try:
        with open(os.path.join(path, MANIFEST), 'rb') as stream:
            manifest = json.loads(stream.read().decode('utf-8'))
    except (IOError, OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get('format') == FORMAT else None


def existing(dest, name, sources):
    """The manifest of the backup of that name, None where there is none. Raises BackupError for anything else there."""
    path = os.path.join(dest, name)
    if not os.path.lexists(path):
        return None
    manifest = read_manifest(path)
    if manifest is None:
        raise BackupError('%s is in the way: it is no backup that this version of the collection knows. Move it aside '
                          'and run again, or choose another name.' % path)
    if sorted(map(_key, manifest['sources'])) != sorted(map(_key, sources)):
        raise BackupError('%s is a backup of other files: %s. Choose another name, or a dest for each node.' % (
            path, ', '.join(source['path'] for source in manifest['sources'])))
    return manifest


def _key(source):
    return source['path'], source['kind'], source['as']


def times(dest):
    """{name: time} of the whole backups in a folder."""
    found = {}
    for name in os.listdir(dest) if os.path.isdir(dest) else ():
        manifest = read_manifest(os.path.join(dest, name)) if _NAME.match(name) else None
        if manifest is not None and manifest['name'] == name:
            found[name] = manifest['time']
    return found


def verify(path):
    """What is wrong with a backup, as lines; none where it is as its manifest says. Raises BackupError."""
    manifest = read_manifest(path)
    if manifest is None:
        raise BackupError('%s is no backup: it has no %s that this version of the collection knows.' % (path, MANIFEST))
    found = {}
    for one, what in listing(path, None).items():
        recorded = manifest['files'].get(one, {})
        if what.kind == 'link':
            found[one] = {'link': what.target}
        elif what.kind == 'file' and one != MANIFEST:
            found[one] = {'size': what.size, 'mtime_ns': os.lstat(os.path.join(path, one)).st_mtime_ns}
            if 'sha256' in recorded:
                found[one]['sha256'] = _sha256(os.path.join(path, one))
    return problems(manifest['files'], found)


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as stream:
        for block in iter(lambda: stream.read(BLOCK), b''):
            digest.update(block)
    return digest.hexdigest()


# -- writing


def make(dest, name, sources, versions, owner, mode):
    """Make a backup; returns its manifest. Raises BackupError and EnvironmentError; then there is none of that name.

    owner: (uid, gid) of the folders made for it, each -1 for as it comes; files keep their own, so that they can be put
    back as they are.
    """
    if not os.path.isdir(dest):
        os.makedirs(dest, 0o755, exist_ok=True)
        os.chown(dest, *owner)
        os.chmod(dest, mode)
    with _Staging(dest, name) as staging:
        for source in sources:
            _settled(staging.add, source)
        manifest = {'format': FORMAT, 'name': name, 'host': socket.gethostname(), 'versions': versions,
                    'time': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
                    'sources': [{key: source[key] for key in ('path', 'kind', 'as')} for source in sources],
                    'files': staging.records()}
        staging.become(os.path.join(dest, name), manifest, owner, mode)
    return manifest


class _Staging(object):
    """The folder in which a backup is made; a context that removes it, unless it was renamed.

    It is locked meanwhile, so that the next run can tell a leftover from the work of another.
    """

    def __init__(self, dest, name):
        self.path = os.path.join(dest, '.%s.staging' % name)
        self.files = {}  # {path: record}
        self.folders = {}  # {path: status of its source}
        self._lock = None

    def __enter__(self):
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.path, 0o700)
        self._lock = disk.locked(self.path)
        if self._lock is None or not self._is_ours():
            raise BackupError('%s is in use: another run makes this backup. Wait for it to end, then run again.'
                              % self.path)
        os.chmod(self.path, 0o700)
        for name in os.listdir(self.path):
            disk.remove(os.path.join(self.path, name))
        return self

    def __exit__(self, *dummy):
        try:
            if self._is_ours():
                shutil.rmtree(self.path, ignore_errors=True)
        finally:
            os.close(self._lock)

    def _is_ours(self):
        try:
            return os.path.samestat(os.lstat(self.path), os.fstat(self._lock))
        except OSError:
            return False

    def add(self, source):
        """Copy one source, from the beginning. Raises _Meanwhile where it changed under that."""
        kind, place = source['kind'], source['as']
        self._forget(place)
        root = root_of(source)
        before = listing(root, kind)
        links = linkable(before, kind)
        os.makedirs(os.path.dirname(os.path.join(self.path, place)), 0o700, exist_ok=True)
        for path in sorted(path for path, one in before.items() if one.kind == 'folder'):
            there = os.path.join(place, path) if path else place
            os.mkdir(os.path.join(self.path, there), 0o700)
            self.folders[there] = _lstat(os.path.join(root, path))
        for path in in_order([path for path, one in before.items() if one.kind != 'folder'], kind):
            there = os.path.join(place, path) if path else place
            self.files[there] = self._put(os.path.join(root, path) if path else root, there, before[path],
                                          path in links)
        reason = changed_meanwhile(before, listing(root, kind), kind)
        if reason:
            raise _Meanwhile(reason)

    def _forget(self, place):
        """Take away what an earlier attempt copied."""
        for known in (self.files, self.folders):
            for path in [path for path in known if (path + '/').startswith(place + '/')]:
                del known[path]
        if os.path.lexists(os.path.join(self.path, place)):
            disk.remove(os.path.join(self.path, place))

    def _put(self, path, there, found, may_link):
        target = os.path.join(self.path, there)
        if found.kind == 'link':
            os.symlink(found.target, target)
            return {'link': found.target}
        if may_link:
            try:
                os.link(path, target, follow_symlinks=False)
                return {'linked': True}
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise _gone(error)
        return _copy(path, target)

    def records(self):
        """{path: record} of all files: of copies with a checksum, of hard links as they are now."""
        for path, one in self.files.items():
            if one.get('linked'):
                status = os.lstat(os.path.join(self.path, path))
                one.update(size=status.st_size, mtime_ns=status.st_mtime_ns)
        return self.files

    def become(self, home, manifest, owner, mode):
        """Have all of it on the disk, then the manifest, then the name."""
        for parent, below, dummy in os.walk(self.path, topdown=False):
            for name in below:
                path = os.path.join(parent, name)
                if os.path.islink(path):
                    continue
                source = self.folders.get(os.path.relpath(path, self.path))
                if source is None:
                    os.chown(path, *owner)
                else:
                    _own(path, source)
                    os.chmod(path, stat.S_IMODE(source.st_mode))
                disk.sync(path)
        handle = os.open(os.path.join(self.path, MANIFEST), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, 'wb') as stream:
            stream.write(json.dumps(manifest, indent=1, sort_keys=True).encode('utf-8'))
            os.fchown(handle, *owner)
            stream.flush()
            os.fsync(handle)
        os.chown(self.path, *owner)
        os.chmod(self.path, mode)
        disk.sync(self.path)
        try:
            os.rename(self.path, home)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            raise BackupError('%s came to be while this backup was made: another run is at work. Run again.' % home)
        disk.sync(os.path.dirname(home))


def _copy(path, target):
    """Copy a file as it is now, on to the disk; returns its record."""
    try:
        source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _gone(error)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(source, 'rb', 0) as stream:
        status = os.fstat(source)
        if not stat.S_ISREG(status.st_mode):
            raise _Meanwhile('%s became something else' % path)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, 'wb', 0) as copy:
            # What is appended from now on is not waited for: somebody may append for ever.
            while size < status.st_size:
                block = stream.read(min(BLOCK, status.st_size - size))
                if not block:
                    break
                copy.write(block)
                digest.update(block)
                size += len(block)
            _own(handle, status)
            os.fchmod(handle, stat.S_IMODE(status.st_mode))
            os.utime(handle, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(handle)
    return {'size': size, 'mtime_ns': status.st_mtime_ns, 'sha256': digest.hexdigest()}


def _own(path, status):
    """Give a copy the owner of what it was copied from, where that is for this user to give."""
    if os.geteuid() == 0:
        os.chown(path, status.st_uid, status.st_gid)


def leftovers(dest):
    """Folders of backups that were not finished, or were being removed, when their run ended; not those in use."""
    found = []
    for name in sorted(os.listdir(dest)) if os.path.isdir(dest) else ():
        path = os.path.join(dest, name)
        if not (name.startswith('.') and name.endswith('.staging') and _NAME.match(name[1:])):
            continue
        if os.path.islink(path) or not os.path.isdir(path):
            continue
        handle = disk.locked(path)
        if handle is not None:
            os.close(handle)
            found.append(path)
    return found


def remove_leftovers(paths):
    """Remove what ``leftovers`` found, but what another run has taken up since."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            handle = disk.locked(path)
            if handle is not None:
                try:
                    disk.remove(path)
                finally:
                    os.close(handle)


def remove(dest, name):
    """Remove a backup so that an interruption leaves none that looks whole."""
    passing = os.path.join(dest, '.%s.staging' % name)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(passing)
    os.rename(os.path.join(dest, name), passing)
    disk.sync(dest)
    shutil.rmtree(passing)
