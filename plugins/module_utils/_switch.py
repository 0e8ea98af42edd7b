# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of one version exchanged for those of another, whole, and back again.

What is exchanged are the entries of a component's folder that belong to the release (bin, lib, ...), each by renaming:
the old one to ``bin.bak-3.4.4`` beside it, then the new one from the staging folder, or from such a backup, into its
place. A journal that is on the disk before the first renaming says which these are. Where each of them stands can be
seen on the disk at any time::

    old one in place      no backup, source there      as it was
    neither               backup,    source there      half-way
    new one in place      backup,    source gone       exchanged

So an interrupted switch can be brought to its end, or undone, by whoever reads the journal, and as often as need be.
``bin`` goes first and comes last: while the files are those of two versions, there is nothing that starts them.

``prepare`` finds all that can be known while the node still serves; ``Prepared.apply`` does it once the node is
stopped.
"""

import glob
import os
import re
import shutil
import stat
import time
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils import _release_disk as disk
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight_facts import (
    Reader,
    node_processes,
    processes,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._release import (
    JOURNAL_FORMAT,
    JOURNAL_NAME,
    STAMP_NAME,
    Drift,
    ReleaseError,
    explain,
    is_release_path,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none, satisfies

SOURCES = ('auto', 'staged', 'backup')

# What stands for the version of an installation made by hand whose files do not tell it.
UNKNOWN = 'unknown'

# The nodes that run from a component's folder: kinds of _preflight_facts.PROGRAMS, and what people call them. A compute
# node is the back end's program (starrocks.md 5.2).
NODES = {
    'fe': {'fe': 'front end'},
    'be': {'be': 'back end', 'cn': 'compute node'},
    'apache_hdfs_broker': {'broker': 'broker'},
}

# What a node keeps inside release folders: user_function_dir, small_file_dir and local_library_dir of a back end or
# compute node are below lib by default (starrocks.md 5.2).
CARRIED = {'be': ('lib/udf', 'lib/small_file', 'lib/udf-runtime')}

# The folder with the scripts that start a node. Pid files are in it too (starrocks.md 7.4).
_SCRIPTS = 'bin'

_BACKUP_STAMP = re.compile(r'^\.starrocks-release\.bak-(.+)\.json$')

# How many flaws of a release a message names.
_NAMED_FLAWS = 2

# One entry of a component's folder. name: there; backup: what the old one is kept as, or None where there is no old
# one; source: where the new one comes from, relative to the folder, or None where there is no new one.
Entry = namedtuple('Entry', 'name backup source')

# A release that could be switched to, or is kept. source: staged or backup; stamp: what it was when it was put there
# (see ``as_kept``), None where that cannot be read; drift: list of Drift, what differs now; entries: {name: where it
# lies, relative to the component's folder}; stamp_file: likewise; made_at, number: of a backup, when it was made, by
# the clock and in order.
Kept = namedtuple('Kept', 'source version stamp drift entries stamp_file made_at number')


# -- rules


def choose_label(version, names):
    """What follows ``.bak-`` in the names of a new backup: one that none of the names there ends with."""
    label, number = version, 1
    while any(name.endswith('.bak-' + label) or name == backup_stamp_name(label) for name in names):
        number += 1
        label = '%s-%d' % (version, number)
    return label


def backup_stamp_name(label):
    """The file that holds the stamp of a backup."""
    return '.starrocks-release.bak-%s.json' % label


def plan_entries(old, new, label):
    """List of Entry, bin first. old: names that are there; new: {name: source}."""
    names = sorted(set(old) | set(new), key=lambda name: (name != _SCRIPTS, name))
    return [Entry(name, '%s.bak-%s' % (name, label) if name in old else None, new.get(name)) for name in names]


def tops(stamp):
    """The entries of a component's folder in which the files of a stamp lie, sorted."""
    return sorted({path.split('/', 1)[0] for path in list(stamp['files']) + stamp['folders']})


def as_kept(stamp):
    """The stamp of a backup with its files as they were when it was made: people edit scripts."""
    differs = stamp['backup']['differs']
    files = {path: one for path, one in stamp['files'].items() if path not in differs}
    files.update((path, one) for path, one in differs.items() if one is not None)
    return dict(stamp, files=files, folders=[path for path in stamp['folders'] if path not in differs])


def flaws(kept):
    """What a release lacks to be switched to, as texts; none where it is complete."""
    if kept.stamp is None:
        return ['its stamp cannot be read']
    return ['%s: %s' % (one.path, one.what) for one in kept.drift if not one.attributes_only]


def newest_first(backups):
    """Backups (list of Kept), the one made last first. Clocks are set back, so their order does not come from them."""
    return sorted(backups, key=lambda one: one.number, reverse=True)


def to_prune(backups, keep, live):
    """Those of the backups that are to go after a switch to the version ``live``.

    keep: how many complete ones stay; the one made last always does. One of the live version is of no use any more.
    """
    pruned, complete = [], 0
    for one in newest_first(backups):
        if one.stamp is None:
            continue  # what belongs to it is not known
        if complete >= max(keep, 1) or satisfies(one.version, live):
            pruned.append(one)
        elif not flaws(one):
            complete += 1
    return pruned


def choose(version, source, staged, backups):
    """The release (Kept) to switch to, or None: a staged one before a backup, the newest backup before older ones."""
    candidates = (staged if source != 'backup' else []) + (newest_first(backups) if source != 'staged' else [])
    fitting = [one for one in candidates if satisfies(one.version, version) and not flaws(one)]
    return fitting[0] if fitting else None


def tell(kept):
    """A release that is kept or staged, for a message: ``3.4.4 (complete)``."""
    found = flaws(kept)
    more = len(found) - _NAMED_FLAWS
    named = ', '.join(found[:_NAMED_FLAWS]) + (' and %d more' % more if more > 0 else '')
    return '%s (%s)' % (kept.version, 'incomplete: ' + named if found else 'complete')


def describe(home, journal, action, pruned):
    """What a switch, its rest or its undoing changes, as a diff. pruned: names that go."""
    ends = {'before': journal['from'], 'after': journal['to']}
    if action == 'resume':
        ends['before'] = 'half %(from)s, half %(to)s' % journal
    elif action == 'undo':
        ends = {'before': 'half %(from)s, half %(to)s' % journal, 'after': journal['from']}
    lines = ['--- %s (%s)' % (home, ends['before']), '+++ %s (%s)' % (home, ends['after'])]
    for entry in _entries(journal):
        if action == 'undo':
            lines += ['-%s, to %s' % (entry.name, entry.source)] if entry.source else []
            lines += ['+%s, from %s' % (entry.name, entry.backup)] if entry.backup else []
        else:
            lines += ['-%s, kept as %s' % (entry.name, entry.backup)] if entry.backup else []
            lines += ['+%s, from %s' % (entry.name, entry.source)] if entry.source else []
    if action != 'undo':
        lines += [' %s, carried over' % path for path in journal['carried']]
    return '\n'.join(lines + ['-%s' % name for name in pruned]) + '\n'


def _entries(journal):
    return [Entry(*one) for one in journal['entries']]


# -- looking


def installed_version(home, component, run_command):
    """The version of a component's files, by their stamp or by themselves; None where they do not tell, where nothing
    is installed, and where a switch is half done."""
    return disk.installed(os.path.realpath(home), component, run_command).version


def pending(home):
    """{'from', 'to', 'source', 'begun_at'} of a switch that is half done, or None."""
    journal = disk.read_journal(os.path.realpath(home))
    if journal is None or journal['state'] != 'swapping':
        return None
    return {name: journal[name] for name in ('from', 'to', 'source', 'begun_at')}


def backups(home):
    """List of {'version', 'made_at', 'complete'} of the kept versions, the one made last first."""
    home = os.path.realpath(home)
    return [{'version': one.version, 'made_at': one.made_at, 'complete': not flaws(one)}
            for one in newest_first(_backups(home, (None, None)))]


def _backups(home, owner):
    """List of Kept."""
    found = []
    for name in sorted(os.listdir(home)) if os.path.isdir(home) else ():
        match = _BACKUP_STAMP.match(name)
        if not match:
            continue
        try:
            stamp = disk.read_stamp(home, name)
            record = stamp['backup']
            stamp = as_kept(stamp)
            kept = Kept('backup', stamp['version'], stamp, [], record['entries'], name, record['made_at'],
                        record['number'])
        except (ReleaseError, KeyError, TypeError):
            found.append(Kept('backup', match.group(1), None, [], {}, name, None, 0))
            continue
        found.append(kept._replace(drift=_drift(home, kept, owner)))
    return found


def _staged(home, owner):
    """List of Kept."""
    found = []
    for path, stamp in sorted(disk.staged(home).items()):
        folder = os.path.join('..', os.path.basename(path))
        kept = Kept('staged', stamp['version'], stamp, [], {name: os.path.join(folder, name) for name in tops(stamp)},
                    os.path.join(folder, STAMP_NAME), None, None)
        found.append(kept._replace(drift=_drift(home, kept, owner)))
    return found


def _place(home, entries):
    """The function from a path of a release to where it lies."""
    def place(path):
        top, dummy, rest = path.partition('/')
        where = os.path.join(home, entries.get(top, top + '.missing'))
        return os.path.join(where, rest) if rest else where
    return place


def _drift(home, kept, owner):
    found = disk.compare(kept.stamp, owner, _place(home, kept.entries))
    # What was no part of the release, and was in the way of a part of the next one.
    others = set(kept.entries) - set(tops(kept.stamp))
    return found + [Drift(name, 'missing', False) for name in sorted(others)
                    if not os.path.lexists(os.path.join(home, kept.entries[name]))]


def living(homes, component, run_command):
    """List of (what it is, pid) of the node's processes that live from a folder, given by all its paths."""
    reader = Reader(run_command)
    running = processes(reader)
    found = {}
    for kind, title in NODES[component].items():
        for home in homes:
            for row in node_processes(reader, running, {'kind': kind, 'home': home, 'unit': None}):
                found[row['pid']] = title
    return [(title, pid) for pid, title in sorted(found.items())]


# -- doing


class _Swap:
    """A switch by its journal: forward to its end, back to its beginning, from wherever it stands."""

    def __init__(self, home, journal, owner):
        self.home = home
        self.journal = journal
        self.owner = owner
        self.entries = _entries(journal)

    def write_journal(self, state):
        """Have the journal on the disk, in a state: 'swapping', or 'swapped' when only tidying is left."""
        self.journal['state'] = state
        disk.write_stamp(self.home, self.journal, self.owner, name=JOURNAL_NAME)

    def forward(self):
        """Put the new release in place. Raises ReleaseError and EnvironmentError."""
        self._remove_pid_files()
        self._carry()
        if not self._is_there(self.journal['backup_stamp_file']):
            disk.write_stamp(self.home, self.journal['backup_stamp'], self.owner,
                             name=self.journal['backup_stamp_file'])
        for entry in self.entries:
            if entry.backup and not self._is_there(entry.backup):
                self._move(entry.name, entry.backup)
        disk.sync(self.home)
        for entry in reversed(self.entries):
            if entry.source and self._is_there(entry.source):
                self._move(entry.source, entry.name)
        gone = [entry.name for entry in self.entries if entry.source and not self._is_there(entry.name)]
        if gone:
            raise ReleaseError('%s of %s is neither where it waited nor in place: somebody removed it'
                               % (', '.join(gone), self.journal['to']))
        self._sync()
        self._stamp(self._new_stamp())
        self.write_journal('swapped')

    def backward(self):
        """Put the old release in place again. Raises ReleaseError and EnvironmentError."""
        if disk.read_journal(self.home)['state'] != 'swapping':
            self.write_journal('swapping')
        for entry in self.entries:
            if entry.source and not self._is_there(entry.source) and self._is_there(entry.name):
                folder = os.path.dirname(self._path(entry.source))
                if not os.path.isdir(folder):
                    os.mkdir(folder, 0o700)
                self._move(entry.name, entry.source)
        for entry in reversed(self.entries):
            if entry.backup and self._is_there(entry.backup):
                self._move(entry.backup, entry.name)
        self._sync()
        self._stamp(_without_backup(self.journal['backup_stamp']) if self.journal['stamped'] else None)
        self._unlink(self.journal['backup_stamp_file'])
        disk.sync(self.home)
        self._end()

    def tidy(self, keep):
        """After the new release has come into its place: remove what nobody needs, the journal last.

        Returns the versions of the complete backups that stay, the one made last first.
        """
        if self.journal['source'] == 'staged':
            disk.remove_staged(os.path.dirname(self._path(self.journal['source_stamp_file'])))
        else:
            self._unlink(self.journal['source_stamp_file'])
        kept = _backups(self.home, (None, None))
        pruned = to_prune(kept, keep, self.journal['to'])
        for one in pruned:
            for name in sorted(one.entries.values()):
                if self._is_there(name):
                    disk.remove(self._path(name))
            # Its stamp goes last: while it is there, the next run sees what is to go.
            self._unlink(one.stamp_file)
        disk.sync(self.home)
        self._end()
        return _versions([one for one in kept if one not in pruned])

    def _end(self):
        self._unlink(JOURNAL_NAME)
        disk.sync(self.home)

    def _path(self, name):
        return os.path.normpath(os.path.join(self.home, name))

    def _is_there(self, name):
        return os.path.lexists(self._path(name))

    def _unlink(self, name):
        if self._is_there(name):
            os.unlink(self._path(name))

    def _move(self, name, to):
        if self._is_there(to):
            raise ReleaseError('%s is in the way of %s. Move it away' % (self._path(to), self._path(name)))
        os.rename(self._path(name), self._path(to))

    def _sync(self):
        folders = {os.path.dirname(self._path(one.source)) for one in self.entries if one.source}
        for folder in sorted(folders | {self.home}):
            if os.path.isdir(folder):
                disk.sync(folder)

    def _new_stamp(self):
        """The stamp of the new release; None for one that had none and does not tell its version."""
        stamp = disk.read_stamp(self.home, self.journal['source_stamp_file'])
        if stamp is None:
            raise ReleaseError('%s is gone' % self._path(self.journal['source_stamp_file']))
        return None if stamp['version'] == UNKNOWN else _without_backup(stamp)

    def _stamp(self, wanted):
        if wanted is None:
            self._unlink(STAMP_NAME)
            disk.sync(self.home)
        elif disk.read_stamp(self.home) != wanted:
            disk.write_stamp(self.home, wanted, self.owner)

    def _remove_pid_files(self):
        """A pid file without its process makes stop scripts fail, for ever (starrocks.md 4.2)."""
        folders = [_SCRIPTS] + [entry.source for entry in self.entries if entry.name == _SCRIPTS and entry.source]
        for folder in folders:
            for path in glob.glob(os.path.join(glob.escape(self._path(folder)), '*.pid')):
                os.unlink(path)

    def _carry(self):
        """Copy what the node keeps inside release folders into the new ones; the old ones keep theirs."""
        by_name = {entry.name: entry for entry in self.entries}
        for path in self.journal['carried']:
            top, dummy, rest = path.partition('/')
            entry = by_name[top]
            if not self._is_there(entry.source):
                continue  # in place, so this was done
            old = self._path(os.path.join(entry.backup if self._is_there(entry.backup) else top, rest))
            new = self._path(os.path.join(entry.source, rest))
            if not os.path.lexists(old):
                continue
            partial = new + '.carried'
            for one in (partial, new):
                if os.path.lexists(one):
                    disk.remove(one)
            _copy_tree(old, partial)
            os.rename(partial, new)
            disk.sync(os.path.dirname(new))


def _versions(kept):
    return [one.version for one in newest_first(kept) if not flaws(one)]


def _without_backup(stamp):
    return {name: value for name, value in stamp.items() if name != 'backup'}


def _copy_tree(source, target):
    """Copy a folder, a file or a link with mode, owner and time, and have it on the disk.

    Sockets and pipes are left out: they were somebody's who lives no more.
    """
    status = os.lstat(source)
    if stat.S_ISDIR(status.st_mode):
        os.mkdir(target, 0o700)
        for name in sorted(os.listdir(source)):
            _copy_tree(os.path.join(source, name), os.path.join(target, name))
    elif stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISREG(status.st_mode):
        shutil.copyfile(source, target)
    else:
        return
    os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(target, stat.S_IMODE(status.st_mode))
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        disk.sync(target)


class Prepared:
    """A switch that has been found possible, or nothing to do.

    action: switch, resume (of an interrupted one), undo, nothing. version: of the files afterwards; previous_version:
    of those before, or what they were on their way to (undo); each None where it is not known. backup: names of the
    folders that the old release is kept as. backups: versions that are kept afterwards, the one made last first. diff:
    a text. warnings: what could not be tidied up after ``apply``; the next run does it.
    """

    def __init__(self, asked, action, versions, kept, journal=None, swap=None, mend=None, diff=''):
        """asked: the arguments of ``prepare``; versions: previous and new one; kept: versions of backups; journal: the
        one that is there; swap: what to do; mend: what to do to the source first."""
        self.action = action
        self.previous_version, self.version = (None if one == UNKNOWN else one for one in versions)
        self.backup = [] if swap is None or action == 'undo' else [one.backup for one in swap.entries if one.backup]
        self.backups = kept
        self.diff = diff
        self.warnings = []
        self._asked = asked
        self._home = os.path.realpath(asked['home'])
        self._seen = journal
        self._swap = swap
        self._mend = mend

    @property
    def changed(self):
        """Whether ``apply`` changes anything."""
        return self.action != 'nothing'

    @property
    def message(self):
        """What is done, in one line."""
        known = {'version': self.version or 'an unknown version', 'before': self.previous_version or 'an unknown one'}
        return {
            'switch': 'switched from %(before)s to %(version)s',
            'resume': 'brought the interrupted switch to %(version)s to its end',
            'undo': 'undid the interrupted switch to %(before)s: it is %(version)s',
            'nothing': '%(version)s is in place',
        }[self.action] % known

    def check_stopped(self):
        """Raise ReleaseError while a process of the node lives from the folder, unless nothing is to be moved."""
        if not self._moves:
            return
        found = living({self._asked['home'].rstrip('/'), self._home}, self._asked['component'],
                       self._asked['run_command'])
        if found:
            raise ReleaseError(
                'Nothing was switched in %s, since %s from there. Stop it first (the unit of the node, or the stop '
                'script in %s/bin where there is none), and run again.'
                % (self._home, ' and '.join('the %s with pid %d lives' % one for one in found), self._home))

    @property
    def _moves(self):
        return self._swap is not None and not (self.action == 'resume' and self._swap.journal['state'] == 'swapped')

    def apply(self):
        """Do it. Raises ReleaseError; then the release that was there is there again, complete, unless it says that
        the next run has to go on."""
        if not self.changed:
            return
        handle = disk.locked(self._home)
        if handle is None:
            raise ReleaseError('%s is in use: another run is switching it. Wait for it to end, then run again.'
                               % self._home)
        try:
            self._apply()
        finally:
            os.close(handle)

    def _apply(self):
        if disk.read_journal(self._home) != self._seen:
            raise ReleaseError('Another run has switched %s, or begun to, since this one looked. Run again.'
                               % self._home)
        self.check_stopped()
        if self._seen is not None and self.action == 'switch':
            # The switch before came to its end, but for the tidying.
            self._tidy(_Swap(self._home, self._seen, self._swap.owner))
            warnings = self.warnings
            self.__dict__.update(prepare(**self._asked).__dict__)
            self.warnings = warnings
        if self.action == 'undo':
            self._undo()
            return
        if self.action == 'switch':
            self._begin()
        if self._moves:
            try:
                self._swap.forward()
            except (ReleaseError, EnvironmentError) as error:
                self._fall_back(error)
        self._tidy(self._swap)

    def _begin(self):
        journal = self._swap.journal
        journal['begun_at'] = journal['backup_stamp']['backup']['made_at'] = time.strftime(
            '%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        try:
            self._mend()
            self._swap.write_journal('swapping')
        except EnvironmentError as error:
            raise ReleaseError('%s: %s. Nothing was switched.' % (self._home, _why(error)))

    def _fall_back(self, error):
        """After an error: put the old release back, and raise."""
        told = {'home': self._home, 'why': _why(error), 'from': self._swap.journal['from'],
                'to': self._swap.journal['to']}
        try:
            self._swap.backward()
        except (ReleaseError, EnvironmentError) as second:
            raise ReleaseError('%(home)s is half %(from)s and half %(to)s: %(why)s, and going back failed: %(second)s. '
                               'Put that right and run again, for either version.' % dict(told, second=_why(second)))
        raise ReleaseError('%(home)s could not be switched from %(from)s to %(to)s: %(why)s. It is %(from)s again, '
                           'complete.' % told)

    def _undo(self):
        try:
            self._swap.backward()
        except (ReleaseError, EnvironmentError) as error:
            journal = self._swap.journal
            raise ReleaseError('%s is half %s and half %s, and going back failed: %s. Put that right and run again, '
                               'for either version.' % (self._home, journal['from'], journal['to'], _why(error)))

    def _tidy(self, swap):
        try:
            self.backups = swap.tidy(self._asked['keep'])
        except (ReleaseError, EnvironmentError) as error:
            self.warnings.append('%s is %s, complete. What is not needed any more could not be removed: %s. The next '
                                 'run tries again.' % (self._home, swap.journal['to'], _why(error)))


def _why(error):
    """An error as a part of a sentence."""
    return (str(error) if isinstance(error, ReleaseError) else explain(error)).rstrip('.')


def prepare(home, component, version=None, source='auto', keep=2, owner=(None, None), run_command=None):
    """Prepared for having a component's folder at a version. Nothing is changed, and the node may run.

    version: None asks for no more than the end of an interrupted switch; source: one of SOURCES; keep: how many backups
    stay after a switch; owner: (uid, gid) of the files, each None for any; run_command: AnsibleModule's. Raises
    ReleaseError with all that can be known before the node is stopped.
    """
    asked = {'home': home, 'component': component, 'version': version, 'source': source, 'keep': keep, 'owner': owner,
             'run_command': run_command}
    if version not in (None, UNKNOWN) and parse_or_none(version) is None:
        raise ReleaseError('version: "%s" is not a StarRocks version, such as 3.5.0.' % version)
    home = os.path.realpath(home)
    found = disk.installed(home, component, run_command)
    if found.kind == 'switching':
        return _prepare_rest(asked, home, found.stamp)
    if found.kind in ('absent', 'empty', 'unfinished'):
        raise ReleaseError('%s holds no complete release that could be switched to another version. Install one with '
                           'the playbook starrocks.cluster.deploy.' % home)
    current = found.version or UNKNOWN
    journal = disk.read_journal(home)
    if version is not None and not satisfies(current, version):
        return _prepare_switch(asked, home, found, journal)
    kept = _versions(_backups(home, (None, None)))
    if journal is None:
        return Prepared(asked, 'nothing', (current, current), kept)
    path = os.path.join(home, JOURNAL_NAME)
    return Prepared(asked, 'resume', (journal['from'], current), kept, journal, _Swap(home, journal, owner),
                    diff='--- %s\n+++ %s (absent)\n' % (path, path))


def _prepare_rest(asked, home, journal):
    """Prepared for the rest of an interrupted switch, or for its undoing."""
    version, old, new = asked['version'], journal['from'], journal['to']
    made, used = journal['backup_stamp_file'], journal['source_stamp_file']
    if version is None or satisfies(new, version):
        action, versions, whole, gone = 'resume', (old, new), made, used
    elif satisfies(old, version):
        action, versions, whole, gone = 'undo', (new, old), used, made
    else:
        raise ReleaseError('%s is half %s and half %s: a switch was interrupted. Have it at one of the two first, then '
                           'at %s.' % (home, old, new, version))
    kept = [one._replace(drift=[] if one.stamp_file == whole else one.drift)
            for one in _backups(home, (None, None)) if one.stamp_file != gone]
    return Prepared(asked, action, versions, _versions(kept), journal, _Swap(home, dict(journal), asked['owner']),
                    diff=describe(home, journal, action, []))


def _prepare_switch(asked, home, found, finished):
    """Prepared for a switch. finished: the journal of the one before, where its tidying was interrupted."""
    component, owner = asked['component'], asked['owner']
    kept, waiting = _backups(home, owner), _staged(home, owner)
    chosen = choose(asked['version'], asked['source'], waiting, kept)
    if chosen is None:
        raise ReleaseError(_no_source(home, asked, waiting, kept))
    current = found.version or UNKNOWN
    stamp, differs = _as_it_is(home, component, found)
    old = {name for name in set(tops(stamp)) | set(chosen.entries)
           if is_release_path(name) and os.path.lexists(os.path.join(home, name))}
    new = {name: path for name, path in chosen.entries.items()
           if is_release_path(name) and os.path.lexists(os.path.join(home, path))}
    label = choose_label(current, os.listdir(home))
    entries = plan_entries(old, new, label)
    carried = [path for path in CARRIED.get(component, ())
               if os.path.lexists(os.path.join(home, path)) and path.split('/')[0] in new]
    _check_renaming(home, chosen, old, carried)
    _check_room(home, chosen, carried)
    number = 1 + max([one.number for one in kept] or [0])
    record = {'made_at': None, 'number': number, 'differs': differs,
              'entries': {entry.name: entry.backup for entry in entries if entry.backup}}
    journal = {
        'format': JOURNAL_FORMAT, 'state': 'swapping', 'component': component, 'from': current, 'to': chosen.version,
        'source': chosen.source, 'begun_at': None, 'entries': [list(entry) for entry in entries], 'carried': carried,
        'stamped': found.stamp is not None, 'source_stamp_file': chosen.stamp_file,
        'backup_stamp_file': backup_stamp_name(label), 'backup_stamp': dict(stamp, backup=record)}
    made = Kept('backup', current, stamp, [], record['entries'], journal['backup_stamp_file'], None, number)
    after = [one for one in kept if one is not chosen] + [made]
    pruned = to_prune(after, asked['keep'], chosen.version)
    gone = sorted(name for one in pruned for name in one.entries.values())
    return Prepared(
        asked, 'switch', (current, chosen.version), _versions([one for one in after if one not in pruned]), finished,
        _Swap(home, journal, owner), diff=describe(home, journal, 'switch', gone),
        mend=lambda: disk.mend_attributes(_place(home, chosen.entries), chosen.stamp,
                                          [one for one in chosen.drift if one.attributes_only], owner))


def _as_it_is(home, component, found):
    """(stamp, {path: record or None} of what differs from it) of the release that is to be kept."""
    if found.stamp is not None:
        drift = disk.compare(found.stamp, (None, None), disk.below(home))
        return found.stamp, {one.path: disk.record(os.path.join(home, one.path)) for one in drift}
    files, folders = disk.release_paths(home, component)
    return disk.new_stamp(component, found.version or UNKNOWN, None, disk.records(disk.below(home), files), folders,
                          adopted=True), {}


def _no_source(home, asked, waiting, kept):
    """The message where there is no release to switch to, with what there is."""
    wanted = {'auto': 'neither a staged release nor a backup', 'staged': 'no staged release',
              'backup': 'no backup'}[asked['source']]
    return ('For %s there is %s of version %s that is complete. Staged beside it: %s. Kept in it: %s. Stage that '
            'version with the module starrocks_release (state: staged), or choose one that is complete.' % (
                home, wanted, asked['version'], ', '.join(tell(one) for one in waiting) or 'nothing',
                ', '.join(tell(one) for one in newest_first(kept)) or 'nothing'))


def _check_renaming(home, chosen, old, carried):
    """Raise ReleaseError for what cannot be renamed."""
    if chosen.source == 'staged':
        disk.check_one_file_system(home)
    for name in sorted(old) + carried:
        if os.path.ismount(os.path.join(home, name)):
            raise ReleaseError('%s is a mount point, and a release is put in place by renaming. Mount that file system '
                               'somewhere else.' % os.path.join(home, name))


def _check_room(home, chosen, carried):
    """Raise ReleaseError where there is no room for a copy of what is carried over."""
    paths = [os.path.join(parent, name) for path in carried
             for parent, dummy, names in os.walk(os.path.join(home, path)) for name in names]
    if paths:
        disk.check_room(os.path.dirname(os.path.join(home, chosen.stamp_file)), disk.size_of(home, paths))
