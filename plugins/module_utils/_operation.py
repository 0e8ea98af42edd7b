# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One changing operation at a time on a cluster: what its file says, whose it is, and who may have it next.

The functions here decide. plugins/modules/starrocks_operation.py reads and writes the file on a host; whether the run
that wrote it still lives is seen on the controller, by plugins/action/starrocks_operation.py.
"""

import difflib
import hashlib
import json

from ansible_collections.starrocks.cluster.plugins.module_utils._node import MASK, SECRET_NAME

FORMAT = 1

# What is known of the process of a run.
ENDED, ALIVE, UNKNOWN = 'ended', 'alive', 'unknown'

INITIAL_NAMESPACE = 'pid:[4026531836]'
"""The namespace of process ids that is no container's: PROC_PID_INIT_INO of the Linux kernel, the same everywhere."""

# What a file must hold, by type, to be understood.
_TYPES = {'cluster': str, 'operation': str, 'run': str, 'owner': str, 'controller': dict, 'pid': int, 'since': str,
          'saved': dict, 'notes': dict}
_LARGEST_PID = 2 ** 22  # PID_MAX_LIMIT of the Linux kernel


class OperationError(Exception):
    """The file cannot be read for what it is; the text says what to do."""


# -- the file


def parse(text, path):
    """Return what the file of an operation says. Raises OperationError where that cannot be told."""
    try:
        record = json.loads(text)
    except ValueError as error:
        raise OperationError(_damaged(path, error))
    if not isinstance(record, dict):
        raise OperationError(_damaged(path, 'no dictionary'))
    if record.get('format') != FORMAT:
        raise OperationError('%s has a form that this version of the collection does not know: another version of it '
                             'is at work on this cluster, or was. Use that one.' % path)
    wrong = sorted(name for name, kind in _TYPES.items() if not isinstance(record.get(name), kind))
    if wrong:
        raise OperationError(_damaged(path, 'no %s' % ', '.join(wrong)))
    if not 0 < record['pid'] <= _LARGEST_PID:
        raise OperationError(_damaged(path, 'pid %d' % record['pid']))
    return record


def _damaged(path, reason):
    return ('%s is damaged (%s), so it cannot be told who is at work on this cluster. Make sure that nobody is, then '
            'remove the file and run again.' % (path, reason))


def text_of(record):
    """Return the file's text."""
    return json.dumps(record, indent=1, sort_keys=True) + '\n'


def file_diff(path, before, after):
    """Return a unified diff of the file's text, secrets masked; None for a file that is not there."""
    return ''.join(difflib.unified_diff(_lines(before), _lines(after), *[
        path if record is not None else path + ' (absent)' for record in (before, after)]))


def _lines(record):
    return [] if record is None else text_of(_masked(record)).splitlines(True)


def _masked(value):
    """Return a value with what has the name of a secret masked."""
    if isinstance(value, dict):
        return {key: MASK if SECRET_NAME.search(str(key)) else _masked(one) for key, one in value.items()}
    return [_masked(one) for one in value] if isinstance(value, list) else value


# -- what is done with it


def run_id(controller, pid, started):
    """Return the id of a run: the same in all processes of one ansible-playbook, and in no other run."""
    known = json.dumps([controller, pid, started], sort_keys=True)
    return hashlib.sha256(known.encode('utf-8')).hexdigest()[:16]


def begin(found, run, asked, replace_run, now):
    """Return what the file should say when a run begins an operation, or None where it is another's.

    found: what the file says, None where there is none; asked: {cluster, operation, saved, notes}. Another run's file
    is replaced only where ``replace_run`` is its id: whoever gives that has seen just this run to be over.
    What was saved or noted first is the truth that later runs must find, so it is kept.
    """
    if found is not None and found['run'] not in (run['id'], replace_run):
        return None
    kept = found or {'saved': {}, 'notes': {}}
    record = {'saved': _merged(asked['saved'], kept['saved']), 'notes': _merged(asked['notes'], kept['notes'])}
    if found is not None and found['run'] == run['id']:
        return dict(found, **record)
    return dict(record, format=FORMAT, cluster=asked['cluster'], operation=asked['operation'], run=run['id'],
                owner=run['owner'], controller=run['controller'], pid=run['pid'], started=run['started'], since=now)


def note(found, asked):
    """Return what the file should say with more noted: what is saved keeps its first value, a note takes the newest."""
    return dict(found, saved=_merged(asked['saved'], found['saved']), notes=_merged(found['notes'], asked['notes']))


def _merged(first, second):
    """Return both, the second where both have a name. By way of JSON, as the file will give it back."""
    both = dict(first or {})
    both.update(second or {})
    return json.loads(json.dumps(both))


# -- who may have it next


def life(record, here, seen):
    """Return whether the run of a file is 'alive', has 'ended', or 'unknown' where that cannot be seen from here.

    here: this controller, {name, machine, boot, namespace}; seen: what is found under the process' id here,
    {exists, started}. A process is the same when it began at the same time, since ids are used again.

    Ids mean something in one namespace of one boot only: in a container the same number is another process. After
    another boot all processes of before are gone; but a machine id may have been built into an image, and a
    container's boot is its host's, so that is believed outside of containers alone.
    """
    there = record['controller']
    if here['boot'] and there.get('boot') == here['boot'] and there.get('namespace') == here['namespace']:
        if not seen['exists']:
            return ENDED
        began = record.get('started')
        if seen['started'] is None or began is None:
            return ALIVE
        return ALIVE if seen['started'] == began else ENDED
    same_machine = here['machine'] and all(there.get(name) == here[name] for name in ('machine', 'name'))
    if same_machine and there.get('boot') != here['boot'] and there.get('boot') and here['boot'] \
            and there.get('namespace') == here['namespace'] == INITIAL_NAMESPACE:
        return ENDED
    return UNKNOWN


def may_replace(record, alive, take_over):
    """Return whether another run may have the file: its own is over, or whose it is was named and is not seen alive."""
    return alive == ENDED or (alive == UNKNOWN and bool(take_over) and take_over == record['owner'])


def refusal(record, alive, take_over, path):
    """Return why a run may not begin, and what to do: who, what, where, since when."""
    owner, pid, machine = record['owner'], record['pid'], record['controller'].get('name') or 'its controller'
    text = "%s is at work on cluster %s: %s, since %s, by process %d on %s (%s)." % (
        owner, record['cluster'], record['operation'], record['since'], pid, machine, path)
    if alive == ALIVE:
        return text + (' That process runs. Wait until it is through, or end it: the next run then goes on in its '
                       'place. Nothing was changed.')
    text += ' Whether that process still runs cannot be seen from this controller.'
    if take_over:
        text += " take_over names '%s', which is somebody else." % take_over
    return text + (" If you know that it does not, take its place by name: take_over: '%s' (for a playbook, -e "
                   "starrocks_take_over=%s). Nothing was changed." % (owner, owner))


def lost(record, path):
    """Return why a run may note nothing: somebody else has the operation by now."""
    return ('%s says by now that %s is at work on cluster %s: %s, since %s. The operation of this run was taken over; '
            'nothing was noted, and it should go no further.' % (
                path, record['owner'], record['cluster'], record['operation'], record['since']))
