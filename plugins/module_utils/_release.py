# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of an installed release: what belongs to it, what a stamp says, what is to be done.

Everything here is a pure function or a table. Reading and writing is in ``_release_disk`` (folders and
stamps), ``_release_archive`` (tarballs), ``_release_source`` (files and URLs) and ``_release_probe``
(the version of an installation made by hand).
"""

import errno
import re
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none, satisfies

STAMP_NAME = '.starrocks-release.json'
STAMP_FORMAT = 1

# The journal of a switch (``_switch``). While it says 'swapping', the files may be those of two versions.
JOURNAL_NAME = '.starrocks-switch.json'
JOURNAL_FORMAT = 1

# The folders of each component in a release tarball, without conf (build.sh of StarRocks 2.5 to 4.x:
# fe, be and apache_hdfs_broker of the output folder). Needed only for an installation made by hand, whose
# files are listed from the disk; a release that this collection installs is listed from its archive.
RELEASE_FOLDERS = {
    'fe': ('bin', 'lib', 'spark-dpp', 'webroot', 'hive-udf'),
    'be': ('bin', 'lib', 'www'),
    'apache_hdfs_broker': ('bin', 'lib'),
}
COMPONENTS = tuple(sorted(RELEASE_FOLDERS))

# Folders that belong to the node as soon as it is installed. An archive may fill them where they are empty
# (conf), and never writes in them again.
NODE_FOLDERS = ('conf', 'log', 'meta', 'storage', 'plugins', 'small_files', 'temp_dir')

# What a running node writes into release folders: pid files (start_fe.sh, start_backend.sh: PID_DIR defaults
# to bin) and the back end's user-defined functions and small files (be/src/common/config.h).
RUNTIME_PATH = re.compile(r'^(bin/[^/]+\.pid|lib/(udf|udf-runtime|small_file)(/.*)?|(.*/)?__pycache__(/.*)?)$')

# Files up to this size are compared by content, larger ones by size and time: scripts are what people edit,
# and reading all of a release (gigabytes) on every run would cost seconds.
HASHED_SIZE = 64 * 1024

CHECKSUM_LENGTHS = {'md5': 32, 'sha1': 40, 'sha256': 64, 'sha512': 128}

# StarRocks-3.5.0-ubuntu-amd64, StarRocks-3.0.9, StarRocks-3.4.0-rc01-centos-amd64 (starrocks.md section 8).
_VERSION_IN_NAME = re.compile(r'StarRocks-(\d+\.\d+\.\d+(?:-(?:rc|alpha|beta|preview)\.?\d+)?)(?=[-.]|$)',
                              re.IGNORECASE)

# What the disk shows. kind: absent, empty (a folder with no release in it), unfinished (an interrupted install),
# unstamped (installed by hand), stamped, switching (half of another version; stamp is then the journal of the switch).
# version: str or None. stamp: dict or None. drift: list of Drift.
Found = namedtuple('Found', 'kind version stamp drift')

# One difference between a stamp and the disk. what: text for people; attributes_only: it takes no archive to mend.
Drift = namedtuple('Drift', 'path what attributes_only')

# action: install (one rename), fill (into an existing folder), adopt (write a stamp), compare (with the archive,
# then adopt), repair (put files back), stage (beside another version), attributes (mode and owner), nothing, refuse.
# message: for people.
Decision = namedtuple('Decision', 'action message')

# Actions that read the archive.
ARCHIVE_ACTIONS = ('install', 'fill', 'compare', 'repair', 'stage')

_OTHER_VERSION = (
    '%(home)s holds version %(found)s%(how)s, wanted %(wanted)s. A deploy never changes the version of an installed '
    'node. To change it, run the playbook starrocks.cluster.upgrade (or starrocks.cluster.downgrade); to keep it, set '
    'starrocks_version to %(found)s.')

_OTHER_BUILD = (
    '%(home)s was installed as %(version)s from an archive with sha256 %(found)s, and the archive wanted now has '
    'sha256 %(wanted)s: another build of the same version. Give archive and checksum of the build that is installed: '
    'builds of one version are not exchanged for one another.')

_SWITCHING = (
    '%(home)s is half %(from)s and half %(to)s: a switch was interrupted. Run the playbook that was at work again, to '
    'have it at %(to)s, or starrocks.cluster.rollback, to have it at %(from)s.')

_NOTHING_TO_STAGE_BESIDE = (
    '%(home)s holds no release, so there is nothing beside which %(version)s would wait. Install it with the playbook '
    'starrocks.cluster.deploy (state: present).')

_OTHER_STAGED_BUILD = (
    '%(home)s was installed as %(version)s from an archive with sha256 %(found)s, and the archive wanted now has '
    'sha256 %(wanted)s: another build of the same version, which a change of version cannot tell from it.')


class ReleaseError(Exception):
    """A refusal or failure, in words that a user can act on."""


def version_of_name(name):
    """The version that a file or folder name tells (StarRocks-3.5.0-ubuntu-amd64.tar.gz), or None."""
    match = _VERSION_IN_NAME.search(name or '')
    return match.group(1) if match else None


def version_of_build(text):
    """The version in what a program says of its build (3.5.0-0be11fd gives 3.5.0), or None.

    A development build calls itself UNKNOWN or by the name of its branch: that is None too.
    """
    version = parse_or_none(text)
    return version.release if version else None


def check_evidence(source, told, wanted):
    """Raise ReleaseError where a version that was found (or None) is not the wanted one."""
    if told and not satisfies(told, wanted):
        raise ReleaseError('%s is version %s, not the wanted %s. Correct starrocks_version or starrocks_archive.'
                           % (source, told, wanted))


def parse_checksum(text):
    """(algorithm, hex digest) of 'sha256:ab12...', or (None, None) of nothing. Raises ReleaseError."""
    if not text:
        return None, None
    algorithm, separator, digest = text.strip().partition(':')
    algorithm, digest = algorithm.lower(), digest.strip().lower()
    if not separator or algorithm not in CHECKSUM_LENGTHS:
        raise ReleaseError('checksum: "%s" does not begin with one of %s. Write it as sha256:<64 hex digits>.'
                           % (text, ', '.join('%s:' % name for name in sorted(CHECKSUM_LENGTHS))))
    if not re.match(r'^[0-9a-f]{%d}$' % CHECKSUM_LENGTHS[algorithm], digest):
        raise ReleaseError('checksum: what follows "%s:" has to be %d hex digits, not "%s".'
                           % (algorithm, CHECKSUM_LENGTHS[algorithm], digest))
    return algorithm, digest


def is_release_path(path):
    """Whether a path below the component's folder belongs to the release, not to the node."""
    return path != STAMP_NAME and path.split('/', 1)[0] not in NODE_FOLDERS


def human_size(size):
    """A size in bytes as people read it: 1.3 GB."""
    value = float(size)
    for unit in ('B', 'kB', 'MB'):
        if value < 1000:
            return '%.4g %s' % (value, unit)
        value /= 1000
    return '%.4g GB' % value


def difference(recorded, seen):
    """What is wrong with one file, as (text, attributes_only), or None.

    Both are records of ``_release_disk.record``: {'size', 'mtime_ns', 'mode', 'sha256'} of a file (sha256 only up to
    HASHED_SIZE), {'link'} of a symbolic link, {'other': True} of anything else; seen is None where nothing is.
    """
    if seen is None:
        return 'missing', False
    if 'link' in recorded or 'link' in seen or 'other' in seen:
        kind = 'link' if 'link' in recorded else 'file'
        return None if recorded == seen else ('not the %s of the release' % kind, False)
    if recorded['size'] != seen['size']:
        return 'changed (%d bytes, released with %d)' % (seen['size'], recorded['size']), False
    if recorded.get('sha256'):
        if recorded['sha256'] != seen.get('sha256'):
            return 'changed (other content)', False
    elif recorded['mtime_ns'] != seen['mtime_ns']:
        return 'changed (written after the install)', False
    if recorded['mode'] != seen['mode']:
        return 'mode %s, released with %s' % (seen['mode'], recorded['mode']), True
    return None


def drift(recorded, seen):
    """List of Drift between a stamp's files and those on the disk, both {path: record}, sorted by path."""
    found = []
    for path in sorted(recorded):
        wrong = difference(recorded[path], seen.get(path))
        if wrong:
            found.append(Drift(path, wrong[0], wrong[1]))
    return found


def decide(found, version, sha256, home):
    """The Decision for one component.

    found: Found; version: the wanted one; sha256: of the wanted archive, or None when not known; home: the folder,
    for the messages. A deploy never changes the version of an installed node: that is an upgrade, which stops the node,
    keeps a backup and can go back.
    """
    if found.kind in ('absent', 'unfinished', 'empty'):
        return Decision({'absent': 'install'}.get(found.kind, 'fill'), 'installed %s' % version)
    if found.kind == 'switching':
        return Decision('refuse', _SWITCHING % dict(found.stamp, home=home))
    if found.version is None:
        return Decision('compare', 'adopted %s, installed by hand: its files equal those of the archive' % version)
    if not satisfies(found.version, version):
        how = '' if found.stamp else ' (installed by hand)'
        return Decision('refuse', _OTHER_VERSION % {
            'home': home, 'found': found.version, 'how': how, 'wanted': version})
    if found.kind == 'unstamped':
        return Decision('adopt', 'adopted %s, installed by hand' % version)
    stamped = _archive_sha256(found.stamp)
    if _is_another(stamped, sha256):
        return Decision('refuse', _OTHER_BUILD % {'home': home, 'version': version, 'found': stamped, 'wanted': sha256})
    if not found.drift:
        return Decision('nothing', '%s is installed' % version)
    if all(one.attributes_only for one in found.drift):
        return Decision('attributes', 'mode or owner of %d paths put right' % len(found.drift))
    broken = [one for one in found.drift if not one.attributes_only]
    return Decision('repair', '%d files of %s put back' % (len(broken), version))


def decide_staging(found, staged, version, sha256, home):
    """The Decision for a version that is to wait beside the installed one.

    found: Found of the installed one, without drift; staged: Found of the staging folder of that version; else as
    ``decide``.
    """
    if found.kind in ('absent', 'unfinished', 'empty'):
        return Decision('refuse', _NOTHING_TO_STAGE_BESIDE % {'home': home, 'version': version})
    if found.kind == 'switching':
        if any(satisfies(found.stamp[end], version) for end in ('from', 'to')):
            return Decision('nothing', 'a switch from %(from)s to %(to)s is half done, and has all that it needs'
                            % found.stamp)
        return Decision('refuse', _SWITCHING % dict(found.stamp, home=home))
    if found.version and satisfies(found.version, version):
        stamped = _archive_sha256(found.stamp)
        if _is_another(stamped, sha256):
            return Decision('refuse', _OTHER_STAGED_BUILD % {
                'home': home, 'version': version, 'found': stamped, 'wanted': sha256})
        return Decision('nothing', '%s is installed' % version)
    if staged.kind != 'stamped' or _is_another(_archive_sha256(staged.stamp), sha256):
        return Decision('stage', 'staged %s' % version)
    if any(not one.attributes_only for one in staged.drift):
        return Decision('stage', 'staged %s again, since its files had changed' % version)
    if staged.drift:
        return Decision('attributes', 'mode or owner of %d staged paths put right' % len(staged.drift))
    return Decision('nothing', '%s is staged' % version)


def obsolete(found, decision, staged, version, wanted):
    """Those of the staged releases (paths) that nobody waits for. wanted: the path of the wanted version.

    A version that is installed has nothing that needs to wait. A switch that is half done needs all that there is.
    """
    if decision.action == 'refuse' or found.kind == 'switching':
        return []
    here = bool(found.version) and satisfies(found.version, version)
    return [path for path in staged if here or path != wanted]


def _archive_sha256(stamp):
    """The checksum of the archive that a stamp (or None) tells, or None."""
    return ((stamp or {}).get('archive') or {}).get('sha256')


def _is_another(stamped, wanted):
    """Whether two checksums, each None where it is not known, are those of two archives."""
    return bool(stamped and wanted and stamped != wanted)


def explain(error):
    """What an operating system error means for whoever installs a release."""
    place = ' (%s)' % error.filename if getattr(error, 'filename', None) else ''
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return 'No room is left on the device%s. Make room, then run again.' % place
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return '%s%s. Run as root (become: true), or as the user who owns the install folder.' % (error.strerror, place)
    return '%s%s' % (error.strerror or error, place)


def describe(found):
    """Text of what is installed, for the diff."""
    if found.kind == 'absent':
        return ''
    lines = {
        'empty': ['no release'],
        'unfinished': ['an unfinished install'],
        'unstamped': ['version: %s' % (found.version or 'not known'), 'installed by hand'],
        'stamped': ['version: %s' % found.version],
        'switching': ['half of one version, half of another'],
    }[found.kind]
    return '\n'.join(lines + ['%s: %s' % (one.path, one.what) for one in found.drift]) + '\n'


def describe_after(found, decision, version):
    """Text of what is installed after the decision was carried out, for the diff."""
    if decision.action in ('nothing', 'refuse'):
        return describe(found)
    return '\n'.join(['version: %s' % version] + ['%s: as released' % one.path for one in found.drift]) + '\n'


def describe_staging(found, names, drift):
    """Text of what is installed and of what is staged beside it, for the diff. drift: of what is staged."""
    return (describe(found) + ''.join('staged: %s\n' % name for name in sorted(names))
            + ''.join('%s: %s\n' % (one.path, one.what) for one in drift))
