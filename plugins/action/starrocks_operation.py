# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the module which run this is, and sees on the controller whether the run that has the operation still lives.

The module refuses first, and is told to take the other's place only when that run was judged here, by its id: when a
third run was quicker, it refuses again.
"""
from __future__ import annotations

import getpass
import hashlib
import multiprocessing
import os
import pathlib
import socket
import subprocess
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.starrocks.cluster.plugins.module_utils import _operation as rules

_MODULE = 'starrocks.cluster.starrocks_operation'

# How often others may be quicker.
_ATTEMPTS = 5


class ActionModule(ActionBase):
    """Options and results are documented in plugins/modules/starrocks_operation.py."""

    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        here = controller()
        arguments = dict(self._task.args, run=this_run(here))
        arguments.pop('replace_run', None)
        take_over = arguments.get('take_over')
        for dummy in range(_ATTEMPTS):
            answer = self._execute_module(module_name=_MODULE, module_args=arguments, task_vars=task_vars)
            other = answer.get('operation')
            alive = rules.life(other, here, process(other['pid'])) if other else None
            if not (answer.get('failed') and other and arguments.get('state') == 'begun'):
                break
            if not rules.may_replace(other, alive, take_over):
                answer['msg'] = rules.refusal(other, alive, take_over, arguments['path'])
                break
            arguments['replace_run'] = other['run']
        result.update(answer, life=alive)
        return result


def this_run(here: dict[str, Any]) -> dict[str, Any]:
    """The run that this process works for, as the module takes it."""
    # Each task is carried out by a process that ansible-playbook made (its WorkerProcess, of multiprocessing).
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent else os.getpid()
    found = process(pid)
    if not found['exists']:
        raise AnsibleActionFail('ansible-playbook (process %d) was ended, and this is a task that it left behind. '
                                'Nothing was done.' % pid)
    return {'id': rules.run_id(here, pid, found['started']), 'owner': '%s@%s' % (user(), here['name']),
            'controller': here, 'pid': pid, 'started': found['started']}


def user() -> str:
    """Who runs Ansible: with sudo, the one who called it."""
    if os.geteuid() == 0 and os.environ.get('SUDO_USER'):
        return os.environ['SUDO_USER']
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, in a container
        return str(os.getuid())


def controller() -> dict[str, Any]:
    """This controller: its name, and what tells whether a process id of another run means anything here."""
    machine = _first_line('/etc/machine-id') or _first_line('/var/lib/dbus/machine-id')
    if machine:
        # machine-id(5) asks not to hand the id itself on.
        machine = hashlib.sha256(b'starrocks.cluster ' + machine.encode()).hexdigest()[:16]
    boot = _first_line('/proc/sys/kernel/random/boot_id')
    try:
        namespace = os.readlink('/proc/self/ns/pid')
    except OSError:
        namespace = None
    if boot is None:  # macOS
        boot = _output('sysctl', '-n', 'kern.bootsessionuuid')
    return {'name': socket.gethostname(), 'machine': machine, 'boot': boot, 'namespace': namespace}


def process(pid: int) -> dict[str, Any]:
    """What runs under a process id here: {exists, started}, started None where that cannot be seen."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return {'exists': False, 'started': None}
    except PermissionError:  # another user's
        pass
    try:
        stat = pathlib.Path(f'/proc/{pid}/stat').read_text(encoding='utf-8', errors='replace')
    except OSError:  # a system without /proc, or one that hides other users' processes (hidepid)
        return {'exists': True, 'started': _output('ps', '-o', 'lstart=', '-p', str(pid))}
    # Behind the command's name, which stands in parentheses and may hold any character: state, ..., field 22 of
    # proc(5), when it began in ticks since boot.
    fields = stat.rpartition(')')[2].split()
    if fields[0] in 'ZX':  # over, and not yet reaped
        return {'exists': False, 'started': None}
    return {'exists': True, 'started': fields[19]}


def _first_line(path: str) -> str | None:
    try:
        return pathlib.Path(path).read_text(encoding='utf-8', errors='replace').strip() or None
    except OSError:
        return None


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10,
                              stdin=subprocess.DEVNULL, env={**os.environ, 'LC_ALL': 'C'})
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
