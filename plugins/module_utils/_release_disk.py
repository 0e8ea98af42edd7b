# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An installed release on the disk: look at it, stage another beside it, put files in place, stamp it.

The order that makes an interruption harmless: all files are on the disk before the stamp is, and the stamp before the
folder has its name. What is staged lies in ``.COMPONENT.staging-VERSION`` beside the component's folder; it is locked
while somebody fills it, so that a rerun can tell a leftover from the work of another run. A staged release that waits
for its upgrade is one with a stamp.
"""

import errno
import fcntl
import filecmp
import grp
import hashlib
import json
import os
import pwd
import shutil
import stat
import time

from ansible_collections.starrocks.cluster.plugins.module_utils._release import (
    HASHED_SIZE,
    JOURNAL_FORMAT,
    JOURNAL_NAME,
    NODE_FOLDERS,
    RELEASE_FOLDERS,
    RUNTIME_PATH,
    STAMP_FORMAT,
    STAMP_NAME,
    Drift,
    Found,
    ReleaseError,
    drift,
    human_size,
    is_release_path,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._release_probe import probe
from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import BLOCK

# A stamp, or a journal, that is being written.
_NEW_STAMP = STAMP_NAME + '.new'
_FILE_SYSTEM_BLOCK = 4096


# -- looking


def record(path):
    """What a file is, as the stamp holds it (see ``_release.difference``), or None where nothing is."""
    try:
        status = os.lstat(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    if stat.S_ISLNK(status.st_mode):
        return {'link': os.readlink(path)}
    if not stat.S_ISREG(status.st_mode):
        return {'other': True}
    found = {'size': status.st_size, 'mtime_ns': status.st_mtime_ns, 'mode': '%04o' % stat.S_IMODE(status.st_mode)}
    if status.st_size <= HASHED_SIZE:
        with open(path, 'rb') as stream:
            found['sha256'] = hashlib.sha256(stream.read()).hexdigest()
    return found


def below(folder):
    """The function from a path below a folder to the path."""
    return lambda path: os.path.join(folder, path)


def records(place, paths):
    """{path: record} of those paths of a release that exist; place: the function from such a path to where it lies."""
    found = ((path, record(place(path))) for path in paths)
    return {path: one for path, one in found if one is not None}


def release_paths(home, component):
    """(files, folders) of the release in a folder that was filled by hand, as sorted paths below it."""
    files, folders = [], []
    for top in RELEASE_FOLDERS[component]:
        if not os.path.isdir(os.path.join(home, top)):
            continue
        folders.append(top)
        for parent, below, names in os.walk(os.path.join(home, top)):
            parent = os.path.relpath(parent, home)
            links = [name for name in below if os.path.islink(os.path.join(home, parent, name))]
            below[:] = [name for name in below
                        if name not in links and not RUNTIME_PATH.match(os.path.join(parent, name))]
            folders.extend(os.path.join(parent, name) for name in below)
            files.extend(os.path.join(parent, name) for name in names + links)
    return sorted(path for path in files if not RUNTIME_PATH.match(path)), sorted(folders)


def read_stamp(home, name=STAMP_NAME):
    """The stamp of a component's folder, or None where there is none. Raises ReleaseError for one that is damaged."""
    path = os.path.join(home, name)
    try:
        with open(path, 'rb') as stream:
            stamp = json.loads(stream.read().decode('utf-8'))
    except IOError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    except ValueError as error:
        raise ReleaseError('%s is damaged (%s). Remove it: the files are then recognised as if installed by hand.'
                           % (path, error))
    if not isinstance(stamp, dict) or stamp.get('format') != STAMP_FORMAT:
        raise ReleaseError('%s has a form that this version of the collection does not know. It was written by another '
                           'one: use that, or remove the file to have the files recognised anew.' % path)
    return stamp


def read_journal(home):
    """The journal of a switch that has not come to its end, or None. Raises ReleaseError for one that is damaged."""
    path = os.path.join(home, JOURNAL_NAME)
    try:
        with open(path, 'rb') as stream:
            journal = json.loads(stream.read().decode('utf-8'))
    except IOError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    except ValueError as error:
        raise ReleaseError('%s is damaged (%s): a switch was interrupted, and what of it was done is not known. Look '
                           'at the folders beside it, put those of one version in place, and remove the file.'
                           % (path, error))
    if not isinstance(journal, dict) or journal.get('format') != JOURNAL_FORMAT:
        raise ReleaseError('%s has a form that this version of the collection does not know. It was written by another '
                           'one: use that to bring the interrupted switch to its end.' % path)
    return journal


def installed(home, component, run_command):
    """Found of a component's folder without its drift: the files are not compared with the stamp."""
    if not os.path.lexists(home):
        return Found('absent', None, None, [])
    if not os.path.isdir(home):
        raise ReleaseError('%s is no folder. Move it away.' % home)
    journal = read_journal(home)
    if journal is not None and journal['state'] == 'swapping':
        return Found('switching', None, journal, [])
    stamp = read_stamp(home)
    if stamp is None:
        if any(os.path.lexists(os.path.join(home, name)) for name in ('bin', 'lib')):
            return Found('unstamped', probe(home, component, run_command), None, [])
        return Found('empty', None, None, [])
    if not stamp['complete']:
        return Found('unfinished', None, stamp, [])
    return Found('stamped', stamp['version'], stamp, [])


def look(home, component, owner, run_command):
    """Found: what a component's folder holds. owner: (uid, gid) that all should have, each None for any."""
    found = installed(home, component, run_command)
    if found.kind != 'stamped':
        return found
    differences = compare(found.stamp, owner, below(home))
    wrong = _wrong_owner(home, owner)
    if wrong:
        differences.append(Drift('.', wrong, True))
    return found._replace(drift=sorted(differences))


def compare(stamp, owner, place):
    """List of Drift between a stamp and the files, sorted. place: the function from a path to where it lies."""
    differences = drift(stamp['files'], records(place, stamp['files']))
    missing = [path for path in stamp['folders'] if not os.path.isdir(place(path))]
    differences.extend(Drift(path, 'missing', False) for path in missing)
    gone = {one.path for one in differences}
    for path in stamp['folders'] + sorted(stamp['files']):
        if path not in gone:
            wrong = _wrong_owner(place(path), owner)
            if wrong:
                differences.append(Drift(path, wrong, True))
    return sorted(differences)


def staged(home):
    """{path of a staging folder: its stamp} of the releases that wait beside a component's folder."""
    found = {}
    for path in _staging_folders(home):
        try:
            stamp = read_stamp(path)
        except ReleaseError:
            continue  # damaged: as good as none
        if stamp is not None and stamp['complete']:
            found[path] = stamp
    return found


def look_staged(path, owner):
    """Found of a staging folder: stamped, or absent where no complete release was staged there."""
    try:
        stamp = read_stamp(path)
    except ReleaseError:
        stamp = None
    if stamp is None or not stamp['complete']:
        return Found('absent', None, None, [])
    return Found('stamped', stamp['version'], stamp, compare(stamp, owner, below(path)))


def size_of(home, paths):
    """The bytes that files below a folder take on the disk; those that are not there take none."""
    total = 0
    for path in paths:
        try:
            total += -(-os.lstat(os.path.join(home, path)).st_size // _FILE_SYSTEM_BLOCK) * _FILE_SYSTEM_BLOCK
        except OSError:
            continue
    return total


def check_one_file_system(home):
    """Raise ReleaseError where a component's folder cannot get files by renaming from beside it."""
    if os.stat(home).st_dev != os.stat(os.path.dirname(home)).st_dev:
        raise ReleaseError('%s is a file system of its own, so a release that is staged beside it cannot take its '
                           'place in one step. Mount it on the folder above, or on the folders of data below (meta, '
                           'storage, log).' % home)


def account_numbers(user, group, check_mode):
    """(uid, gid) of names or numbers, None where not given. Raises ReleaseError for one that does not exist.

    In check mode it may be missing: it would have been made before.
    """
    return (_number(user, pwd.getpwnam, 'pw_uid', 'user', check_mode),
            _number(group, grp.getgrnam, 'gr_gid', 'group', check_mode))


def _number(name, look_up, field, kind, check_mode):
    if name is None or name.isdigit():
        return None if name is None else int(name)
    try:
        return getattr(look_up(name), field)
    except KeyError:
        if check_mode:
            return None
        raise ReleaseError('the %s "%s" does not exist on this host.' % (kind, name))


def _wrong_owner(path, owner):
    status = os.lstat(path)
    wanted = tuple(have if want is None else want for want, have in zip(owner, (status.st_uid, status.st_gid)))
    if wanted == (status.st_uid, status.st_gid):
        return None
    return 'owned by %d:%d, wanted %d:%d' % (status.st_uid, status.st_gid, wanted[0], wanted[1])


def check_room(folder, size):
    """Raise ReleaseError where a file system has less room than ``size`` bytes."""
    status = os.statvfs(folder)
    free = status.f_frsize * (status.f_bavail if os.geteuid() else status.f_bfree)
    if free < size:
        raise ReleaseError('%s has %s of free space, and %s are needed. Make room, or choose another '
                           'starrocks_install_dir.' % (folder, human_size(free), human_size(size)))


# -- writing


def sync(path):
    """Have a file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_stamp(home, stamp, owner, mtime_ns=None, name=STAMP_NAME):
    """Write a stamp, or another small file of that kind, so that there is either the old or the new one.

    mtime_ns: the time it shall bear. Whoever wants to know whether a process is older than its files looks at the
    stamp's time.
    """
    path = os.path.join(home, _NEW_STAMP)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, 'wb') as stream:
        stream.write(json.dumps(stamp, indent=1, sort_keys=True).encode('utf-8'))
        os.fchmod(handle, 0o644)
        _own(handle, owner)
        stream.flush()
        os.fsync(handle)
    if mtime_ns is not None:
        os.utime(path, ns=(mtime_ns, mtime_ns))
    os.rename(path, os.path.join(home, name))
    sync(home)


def new_stamp(component, version, archive, files, folders, adopted=False, complete=True):
    """A stamp: {'format', 'complete', 'component', 'version', 'archive': {'name', 'size', 'sha256'} or None,
    'adopted', 'installed_at' (UTC), 'files': {path: record}, 'folders': [path]}.
    """
    now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
    return {'format': STAMP_FORMAT, 'complete': complete, 'component': component, 'version': version,
            'archive': archive, 'adopted': adopted, 'installed_at': now, 'files': files, 'folders': folders}


def mend_attributes(place, stamp, differences, owner):
    """Put mode and owner of the named paths right. place: the function from a path to where it lies."""
    for one in differences:
        path = place(one.path)
        os.chown(path, _id(owner[0]), _id(owner[1]), follow_symlinks=False)
        if 'mode' in stamp['files'].get(one.path, {}):
            os.chmod(path, int(stamp['files'][one.path]['mode'], 8))


def _id(number):
    return -1 if number is None else number


def _own(path, owner):
    if owner != (None, None):
        os.chown(path, _id(owner[0]), _id(owner[1]))


class Staging:
    """The folder in which one component of one version is unpacked; a context that removes it, unless it was moved or
    is to stay.

    home: the component's folder beside which it lies; mends: whether what is staged are some files of the release that
    is installed there. Raises ReleaseError where another run is at work in it.
    """

    def __init__(self, home, version, owner, mends=False):
        self.home = home
        self.path = staging_path(home, version)
        self.owner = owner
        self.files = []
        self.folders = []
        self._copied_from = (self.path, home) if mends else (self.path,)
        self._lock = None
        self._stays = False

    def __enter__(self):
        # Mode 0700: nobody looks inside before it is complete, though the files already belong to the service account.
        if not os.path.isdir(self.path):
            os.mkdir(self.path, 0o700)
        self._lock = locked(self.path)
        if self._lock is None or not self._is_ours():
            raise ReleaseError('%s is in use: another run is installing here. Wait for it to end, then run again.'
                               % self.path)
        os.chmod(self.path, 0o700)
        for name in os.listdir(self.path):
            remove(os.path.join(self.path, name))
        return self

    def __exit__(self, *dummy):
        try:
            if self._is_ours() and not self._stays:
                shutil.rmtree(self.path, ignore_errors=True)
        finally:
            os.close(self._lock)

    def _is_ours(self):
        try:
            return os.path.samestat(os.lstat(self.path), os.fstat(self._lock))
        except OSError:
            return False

    def add(self, entry, blocks):
        """Put one entry of an archive there; blocks: its bytes, of a file. Raises ReleaseError."""
        if not entry.path:
            return
        path = os.path.join(self.path, entry.path)
        self._make_folders(os.path.dirname(entry.path), entry)
        if entry.kind == 'directory':
            self._make_folders(entry.path, entry)
            return
        if os.path.lexists(path):
            raise ReleaseError('the archive holds %s twice. Nothing was installed.' % entry.member.name)
        if entry.kind == 'link':
            os.symlink(entry.target, path)
            os.chown(path, _id(self.owner[0]), _id(self.owner[1]), follow_symlinks=False)
        elif entry.kind == 'copy':
            self._copy(entry, path)
        else:
            self._write(path, blocks, entry.mode, entry.mtime, entry.size)
        self.files.append(entry.path)

    def _make_folders(self, path, entry):
        """Make a folder and its parents. What stands there and is no folder (a link, say) is not followed."""
        made = ''
        for part in path.split('/') if path else ():
            made = os.path.join(made, part)
            place = os.path.join(self.path, made)
            try:
                os.mkdir(place, 0o755)
            except OSError as error:
                if error.errno != errno.EEXIST:
                    raise
                if os.path.islink(place) or not os.path.isdir(place):
                    raise ReleaseError('the archive holds %s below something that is no folder. Nothing was installed.'
                                       % entry.member.name)
                continue
            os.chmod(place, 0o755)
            _own(place, self.owner)
            self.folders.append(made)

    def _write(self, path, blocks, mode, mtime, size):
        if size > BLOCK:
            check_room(self.path, size)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, 'wb', 0) as stream:
            for block in blocks:
                stream.write(block)
            os.fchmod(handle, mode)
            _own(handle, self.owner)
        os.utime(path, (mtime, mtime), follow_symlinks=False)

    def _copy(self, entry, path):
        """A hard link of the archive becomes a file of its own, taken from the staged or, of the same release, the
        installed first one."""
        for folder in self._copied_from:
            source = os.path.join(folder, entry.target)
            if os.path.isfile(source) and not os.path.islink(source):
                status = os.stat(source)
                with open(source, 'rb') as stream:
                    self._write(path, iter(lambda: stream.read(BLOCK), b''), stat.S_IMODE(status.st_mode),
                                int(status.st_mtime), status.st_size)
                return
        raise ReleaseError('the archive holds %s as a link to %s, which it does not hold before it. Nothing was '
                           'installed.' % (entry.member.name, entry.target))

    def release_files(self):
        """{path: record} of the staged files that belong to the release."""
        return records(below(self.path), [path for path in self.files if is_release_path(path)])

    def release_folders(self):
        """The staged folders that belong to the release, sorted."""
        return sorted(path for path in self.folders if is_release_path(path))

    def finish(self):
        """Have all that was staged on the disk. Raises ReleaseError for a link that leads outside by way of another."""
        root = os.path.realpath(self.path)
        for path in self.files:
            place = os.path.join(self.path, path)
            if os.path.islink(place):
                if not os.path.realpath(place).startswith(root + os.sep):
                    raise ReleaseError('the link %s of the archive points outside. Nothing was installed.' % path)
            else:
                sync(place)
        for path in self.folders:
            sync(os.path.join(self.path, path))
        sync(self.path)

    def become_home(self, stamp):
        """Take the component's place, which is free: stamp, then one rename."""
        write_stamp(self.path, stamp, self.owner)
        os.chmod(self.path, 0o755)
        _own(self.path, self.owner)
        sync(self.path)
        try:
            os.rename(self.path, self.home)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            raise ReleaseError('%s came to be while its release was unpacked: another run is at work. Run again.'
                               % self.home)
        sync(os.path.dirname(self.home))

    def stay(self, stamp):
        """Wait beside the component's folder for its upgrade: stamped, and as closed to others as while it was filled.

        Nobody looks inside before the switch, and its folders are moved one by one then.
        """
        write_stamp(self.path, stamp, self.owner)
        sync(os.path.dirname(self.path))
        self._stays = True

    def place(self, paths=None):
        """Move staged files into the component's folder, each by one rename; paths: those alone, or all.

        Folders of the node (conf) get what they lack and keep what they have.
        """
        touched = {''}
        for path in self.folders if paths is None else _parents(paths, self.folders):
            self._place_folder(path, touched)
        for path in self.files if paths is None else [one for one in self.files if one in paths]:
            live = os.path.join(self.home, path)
            if not is_release_path(path) and os.path.lexists(live):
                continue
            if os.path.isdir(live) and not os.path.islink(live):
                raise ReleaseError('%s is a folder where the release has a file. Move it away, then run again.' % live)
            os.rename(os.path.join(self.path, path), live)
            touched.add(os.path.dirname(path))
        for path in sorted(touched):
            sync(os.path.join(self.home, path))

    def _place_folder(self, path, touched):
        live = os.path.join(self.home, path)
        try:
            os.mkdir(live, 0o755)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
            if not os.path.isdir(live) or (os.path.islink(live) and path.split('/')[0] not in NODE_FOLDERS):
                raise ReleaseError('%s is no folder, as it is in the release. Move it away, then run again.' % live)
            return
        os.chmod(live, 0o755)
        _own(live, self.owner)
        touched.update((path, os.path.dirname(path)))


def _parents(paths, folders):
    """Those of the folders that are among the paths or above one of them, in their order."""
    wanted = set(paths)
    for path in paths:
        while path:
            path = os.path.dirname(path)
            wanted.add(path)
    return [path for path in folders if path in wanted]


def staging_path(home, version):
    """The staging folder of a version, beside the component's folder."""
    return os.path.join(os.path.dirname(home), '.%s.staging-%s' % (os.path.basename(home), version))


def _staging_folders(home):
    """The staging folders of a component that are there, sorted, whatever is in them."""
    folder, start = os.path.split(staging_path(home, ''))
    paths = (os.path.join(folder, name) for name in (sorted(os.listdir(folder)) if os.path.isdir(folder) else ())
             if name.startswith(start))
    return [path for path in paths if os.path.isdir(path) and not os.path.islink(path)]


def locked(path):
    """A handle that holds the lock of a folder, or None where somebody else holds it. It ends with the process."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (IOError, OSError):
        os.close(handle)
        return None
    return handle


def remove(path):
    """Remove a file, or a folder with all that is in it."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def leftovers(home):
    """What an interrupted run of this component left: a half-written stamp, staging folders not stamped and not in use.

    A staging folder with a stamp is a complete release that waits for its upgrade.
    """
    half_written = os.path.join(home, _NEW_STAMP)
    found = [half_written] if os.path.lexists(half_written) else []
    for path in _staging_folders(home):
        if os.path.exists(os.path.join(path, STAMP_NAME)):
            continue
        try:
            handle = locked(path)
        except OSError:
            continue  # another user's: not ours to remove
        if handle is not None:
            os.close(handle)
            found.append(path)
    return found


def remove_leftovers(paths):
    """Remove what ``leftovers`` found."""
    for path in paths:
        remove(path)


def remove_staged(path):
    """Remove a staging folder; the stamp goes first, so that what an interruption leaves is a leftover."""
    stamp = os.path.join(path, STAMP_NAME)
    if os.path.lexists(stamp):
        os.unlink(stamp)
        sync(path)
    if os.path.lexists(path):
        remove(path)


def equals(home, entry, blocks):
    """Whether what a folder holds is what an archive holds; blocks: the entry's bytes, of a file."""
    path = os.path.join(home, entry.path)
    try:
        status = os.lstat(path)
    except OSError:
        return False
    if entry.kind == 'directory':
        return stat.S_ISDIR(status.st_mode)
    if entry.kind == 'link':
        return stat.S_ISLNK(status.st_mode) and os.readlink(path) == entry.target
    if not stat.S_ISREG(status.st_mode):
        return False
    if entry.kind == 'copy':
        first = os.path.join(home, entry.target)
        return os.path.isfile(first) and filecmp.cmp(first, path, shallow=False)
    if status.st_size != entry.size:
        return False
    with open(path, 'rb') as stream:
        return all(stream.read(len(block)) == block for block in blocks)
