#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_operation
short_description: Let one changing operation at a time work on a cluster
description:
  - Keeps a file on the host that says which run of Ansible changes the cluster, who started it, where and since when.
    While it stands, other runs are refused.
  - The file outlives a run that was killed, with what the run noted in it. The same command again finds that the
    earlier process is gone, takes its place and goes on, with all that was saved.
  - Whether the process still lives is seen on the controller that started it. From another controller, from another
    container or after the start of a container it cannot be seen, and the run is taken over only by naming its owner.
  - A process that is seen to run is never taken over. Wait for it, or end it.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  path:
    description: The file. Its folder is made where it is missing.
    type: path
    required: true
  state:
    description:
      - V(begun), the operation is this run's. Refused while another run has it.
      - V(noted), adds to O(saved) and O(notes) of this run's operation. Refused when it has none.
      - V(ended), the file is gone, when it was this run's. Another run's file is left as it is, without an error.
      - V(looked), returns what is there.
    type: str
    choices: [begun, noted, ended, looked]
    default: looked
  cluster:
    description: Name of the cluster. Required with O(state=begun).
    type: str
  operation:
    description: What is done, in words, V(upgrade to 3.5.1) for example. Required with O(state=begun).
    type: str
  saved:
    description:
      - Values as they were before the operation changed them, by name.
      - A name that is stored already keeps its value, also when an earlier run stored it, since the first one is what
        has to be given back.
      - Kept in plain text and returned, so no place for secrets.
    type: dict
    default: {}
  notes:
    description:
      - What else a run after this one has to know.
      - With O(state=begun) a name that is stored already keeps its value; with O(state=noted) it gets the new one.
      - Kept in plain text and returned, so no place for secrets.
    type: dict
    default: {}
  take_over:
    description:
      - Owner of the run whose place is to be taken, as the refusal shows it, V(anna@bastion) for example.
      - For a run that cannot be seen from here. Another name, and a process that is seen to run, are refused.
    type: str
  run:
    description: This run, as the controller knows it. Set by the action plugin.
    type: dict
    suboptions:
      id:
        description: The same in all processes of one C(ansible-playbook), and in no other run.
        type: str
        required: true
      owner:
        description: The user and the controller, C(user@host).
        type: str
        required: true
      controller:
        description: C(name), C(machine), C(boot) and C(namespace), by which its processes are told from others.
        type: dict
        required: true
      pid:
        description: Process id of C(ansible-playbook).
        type: int
        required: true
      started:
        description: When that process began, as its system tells it.
        type: str
  replace_run:
    description: Id of the run whose place is taken, if the file is still its. Set by the action plugin.
    type: str
attributes:
  check_mode:
    description: Says what would change, and changes nothing. V(looked) is the same.
    support: full
  diff_mode:
    description: Shows how the file changes; values with the name of a secret are masked.
    support: full
'''

EXAMPLES = r'''
- name: This run alone changes the cluster
  starrocks.cluster.starrocks_operation:
    path: /var/lib/starrocks/operation.json
    state: begun
    cluster: production
    operation: upgrade to 3.5.1
    take_over: "{{ starrocks_take_over | default(omit) }}"

- name: Keep a setting's value before it is changed
  starrocks.cluster.starrocks_operation:
    path: /var/lib/starrocks/operation.json
    state: noted
    saved:
      disable_balance: 'false'
  register: noted

- name: All is done
  starrocks.cluster.starrocks_operation:
    path: /var/lib/starrocks/operation.json
    state: ended
'''

RETURN = r'''
operation:
  description: What the file says, or would say in check mode. Null where there is none.
  returned: always
  type: dict
  contains:
    cluster:
      description: Name of the cluster.
      type: str
    operation:
      description: What is done.
      type: str
    run:
      description: Id of the run.
      type: str
    owner:
      description: Who started it, C(user@host).
      type: str
    controller:
      description: Where, C(name) and what tells this machine from others.
      type: dict
    pid:
      description: Process id of C(ansible-playbook) there.
      type: int
    since:
      description: When it began, in UTC, by the clock of the host.
      type: str
    saved:
      description: What O(saved) gave, first values.
      type: dict
    notes:
      description: What O(notes) gave.
      type: dict
mine:
  description: Whether the operation is that of this run.
  returned: always
  type: bool
life:
  description:
    - Whether the process of the run in RV(operation) lives, V(alive), V(ended) or V(unknown), as seen from this
      controller. Null where there is no operation.
  returned: always
  type: str
taken_over:
  description:
    - Whose place was taken, as RV(operation) but without C(saved) and C(notes), which went over to this run. Null for
      nobody's.
  returned: with O(state=begun)
  type: dict
'''

import contextlib
import errno
import fcntl
import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _operation as rules
from ansible_collections.starrocks.cluster.plugins.module_utils._operation import OperationError

LOCK_SECONDS = 20
"""How long another run may take to read and write the file."""


class OperationFile(object):
    """The file of an operation. Who wants to change it holds the lock of its folder, which ends with the process."""

    def __init__(self, path, check_mode):
        self.path = path
        self.check_mode = check_mode
        self.folder, name = os.path.split(path)
        self.new = os.path.join(self.folder, '.%s.new' % name)

    @contextlib.contextmanager
    def locked(self, make_folder=False):
        """Nobody else changes the file meanwhile. In check mode, or where nothing is, there is nothing to lock."""
        if make_folder and not self.check_mode:
            os.makedirs(self.folder, 0o755, exist_ok=True)
        if self.check_mode or not os.path.isdir(self.folder):
            yield
            return
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock(handle)
            yield
        finally:
            os.close(handle)

    def _lock(self, handle):
        deadline = time.time() + LOCK_SECONDS
        while True:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (IOError, OSError) as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
            if time.time() > deadline:
                raise OperationError('Somebody holds the lock of %s for more than %d s: another run that hangs on this '
                                     'host. End it, then run again.' % (self.folder, LOCK_SECONDS))
            time.sleep(0.02)

    def read(self):
        """Return what the file says, None where there is none. Raises OperationError."""
        try:
            # What a link points to is somebody else's.
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            if error.errno == errno.ELOOP:
                raise OperationError('%s is a link, which nobody but a stranger makes there. Remove it.' % self.path)
            raise
        with os.fdopen(handle, 'rb') as stream:
            return rules.parse(stream.read().decode('utf-8', 'replace'), self.path)

    def write(self, record):
        """Have the file say this, on the disk, in one step."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.new)
        handle = os.open(self.new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, 'wb') as stream:
            stream.write(rules.text_of(record).encode('utf-8'))
            stream.flush()
            os.fchmod(handle, 0o600)
            os.fsync(handle)
        os.rename(self.new, self.path)
        self._sync()

    def remove(self):
        """Have it gone, with what an interrupted run left of it."""
        for path in (self.new, self.path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self._sync()

    def _sync(self):
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Refused(Exception):
    """The operation is not this run's: (what the file says, why not)."""


def begun(there, params):
    """Begin the operation; returns what the file said and says."""
    with there.locked(make_folder=True):
        found = there.read()
        now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        wanted = rules.begin(found, params['run'], params, params['replace_run'], now)
        if wanted is None:
            raise Refused(found, rules.refusal(found, rules.UNKNOWN, params['take_over'], there.path))
        if wanted != found and not there.check_mode:
            there.write(wanted)
        return found, wanted


def noted(there, params):
    """Add to this run's operation; returns what the file said and says."""
    with there.locked():
        found = there.read()
        if found is None and there.check_mode:  # in check mode none was begun
            return None, None
        if found is None:
            raise Refused(None, '%s is gone: no operation was begun, or somebody removed the file. Nothing was noted.'
                          % there.path)
        if found['run'] != params['run']['id']:
            raise Refused(found, rules.lost(found, there.path))
        wanted = rules.note(found, params)
        if wanted != found and not there.check_mode:
            there.write(wanted)
        return found, wanted


def ended(there, params):
    """Remove this run's file; returns what it said, and what stands there now."""
    with there.locked():
        found = there.read()
        if found is None or found['run'] != params['run']['id']:
            return found, found
        if not there.check_mode:
            there.remove()
        return found, None


def looked(there, dummy):
    """Only look."""
    found = there.read()
    return found, found


STATES = {'begun': begun, 'noted': noted, 'ended': ended, 'looked': looked}


def main():
    module = AnsibleModule(
        argument_spec=dict(
            path=dict(type='path', required=True),
            state=dict(type='str', choices=['begun', 'noted', 'ended', 'looked'], default='looked'),
            cluster=dict(type='str'),
            operation=dict(type='str'),
            saved=dict(type='dict', default={}),
            notes=dict(type='dict', default={}),
            take_over=dict(type='str'),
            run=dict(type='dict', options=dict(
                id=dict(type='str', required=True),
                owner=dict(type='str', required=True),
                controller=dict(type='dict', required=True),
                pid=dict(type='int', required=True),
                started=dict(type='str'))),
            replace_run=dict(type='str'),
        ),
        required_if=[('state', 'begun', ('cluster', 'operation'))],
        supports_check_mode=True,
    )
    params = module.params
    if params['run'] is None:
        module.fail_json(msg='The module was not called by way of its action plugin, which knows the run. Call it as '
                             'starrocks.cluster.starrocks_operation in a task.')
    there = OperationFile(params['path'], module.check_mode)
    try:
        before, after = STATES[params['state']](there, params)
    except Refused as refused:
        found, message = refused.args
        module.fail_json(msg=message, operation=found, mine=False)
    except OperationError as error:
        module.fail_json(msg=str(error))
    except EnvironmentError as error:
        module.fail_json(msg='The file of the operation cannot be kept: %s. It has to be written by who runs the '
                             'module.' % error)
    result = {'changed': before != after, 'operation': after,
              'mine': after is not None and after['run'] == params['run']['id'],
              'diff': {'prepared': rules.file_diff(params['path'], before, after)}}
    if params['state'] == 'begun':
        result['taken_over'] = None
        if before is not None and before['run'] != params['run']['id']:
            result['taken_over'] = {name: value for name, value in before.items() if name not in ('saved', 'notes')}
    module.exit_json(**result)


if __name__ == '__main__':
    main()
