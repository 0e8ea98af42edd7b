# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook that want the same cluster: side by side, killed, and from another controller."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.starrocks.cluster.plugins.action import starrocks_operation as action
from ansible_collections.starrocks.cluster.plugins.module_utils import _operation as rules

# What lies above ansible_collections.
COLLECTIONS = Path(action.__file__).parents[5]

LOCAL = {'ansible_connection': 'local', 'ansible_python_interpreter': sys.executable}
HOSTS = ('fe1', 'fe2')
SAVED = {'disable_balance': 'false'}


def operation(state, **arguments):
    """A task that calls the module on each host's own file."""
    if state == 'begun':
        arguments = dict({'cluster': 'prod', 'operation': 'upgrade to 3.5.1'}, **arguments)
    arguments.update(path='{{ folder }}/{{ inventory_hostname }}/operation.json', state=state)
    return {'starrocks.cluster.starrocks_operation': arguments, 'register': 'shown'}


# A run that stays in the middle of its operation, as long as the file is there.
STAY = {'ansible.builtin.shell': {'cmd': 'touch {{ folder }}/begun; for i in $(seq 600); do '
                                         '[ -e {{ folder }}/begun ] || exit 0; sleep 0.1; done'}, 'run_once': True}


class Cluster:
    """Two front end hosts, and runs of ansible-playbook on them."""

    def __init__(self, folder):
        self.folder = folder
        self.runs = []
        (folder / 'inventory.json').write_text(json.dumps({'all': {'hosts': dict.fromkeys(HOSTS, LOCAL)}}))

    def start(self, *tasks, **environment):
        number = len(self.runs)
        play = self.folder / ('play%d.yml' % number)
        play.write_text(yaml.safe_dump([{'hosts': 'all', 'gather_facts': False, 'tasks': list(tasks)}]))
        self.runs.append(subprocess.Popen(
            [sys.executable, '-m', 'ansible.cli.playbook', '-i', str(self.folder / 'inventory.json'), str(play),
             '-e', 'folder=%s' % self.folder],
            cwd=str(self.folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**os.environ, 'ANSIBLE_COLLECTIONS_PATH': str(COLLECTIONS), 'ANSIBLE_NOCOLOR': '1',
                 'ANSIBLE_HOME': str(self.folder / 'ansible'), 'ANSIBLE_LOCALHOST_WARNING': '0',
                 'ANSIBLE_REMOTE_TMP': str(self.folder / 'remote'), **environment}))
        return self.runs[-1]

    def __call__(self, *tasks, **environment):
        """Run tasks, each whatever the one before gave; returns {host: result} of each."""
        both = []
        for number, task in enumerate(tasks):
            both += [dict(task, ignore_errors=True), {'ansible.builtin.copy': {
                'content': '{{ shown | to_json }}', 'dest': '{{ folder }}/{{ inventory_hostname }}.%d' % number}}]
        run = self.start(*both, **environment)
        output = run.communicate()[0]
        assert run.returncode == 0, output
        return [{name: json.loads((self.folder / ('%s.%d' % (name, number))).read_text()) for name in HOSTS}
                for number in range(len(tasks))]

    def stay(self):
        """Start a run that begins an operation and stays in it."""
        run = self.start(operation('begun', saved=SAVED), STAY)
        deadline = time.time() + 60
        while not (self.folder / 'begun').exists():
            assert run.poll() is None and time.time() < deadline, run.communicate()[0]
            time.sleep(0.05)
        return run

    def says(self):
        return {name: json.loads((self.folder / name / 'operation.json').read_text()) for name in HOSTS
                if (self.folder / name / 'operation.json').exists()}

    def close(self):
        (self.folder / 'begun').unlink(missing_ok=True)
        for run in self.runs:
            if run.stdout and not run.stdout.closed:
                run.stdout.close()
            if run.returncode is None or run.returncode < 0:
                try:
                    os.killpg(run.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                run.wait()


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


def failed(shown):
    return {result['failed'] for result in shown.values()}


def test_all_tasks_of_a_run_are_one_run(cluster):
    begun, noted = cluster(operation('begun', saved=SAVED), operation('noted', notes={'n': 1}), LOGNAME='anna',
                           SUDO_USER='')
    assert failed(begun) == failed(noted) == {False}
    says = cluster.says()
    assert len({says[name]['run'] for name in HOSTS}) == 1
    assert all(noted[name]['mine'] and noted[name]['life'] == 'alive' for name in HOSTS)
    assert says['fe1']['pid'] == cluster.runs[-1].pid and says['fe1']['notes'] == {'n': 1}
    assert says['fe1']['owner'] == 'anna@%s' % os.uname().nodename
    # It left its operation behind; looks are free, and the next run goes on in its place.
    looked, begun, ended = cluster(operation('looked'), operation('begun'), operation('ended'))
    assert looked['fe1']['life'] == 'ended' and not looked['fe1']['mine'] and not looked['fe1']['changed']
    assert failed(begun) == {False} and begun['fe2']['taken_over']['run'] == says['fe2']['run']
    assert cluster.says() == {} and ended['fe1']['life'] is None


def test_a_second_run_is_refused_until_the_first_is_killed(cluster):
    first = cluster.stay()
    before = cluster.says()
    owner = before['fe1']['owner']
    # Naming its owner does not help against a process that is seen to run.
    refused, named, noted, ended = cluster(operation('begun'), operation('begun', take_over=owner),
                                           operation('noted', notes={'n': 1}), operation('ended'))
    for name in HOSTS:
        for shown in (refused, named):
            for part in (owner, 'prod', 'upgrade to 3.5.1', str(first.pid), before[name]['since'], 'That process runs'):
                assert part in shown[name]['msg']
            assert shown[name]['failed'] and shown[name]['life'] == 'alive' and not shown[name]['mine']
        assert noted[name]['failed'] and not ended[name]['failed'] and not ended[name]['changed']
    assert cluster.says() == before
    first.send_signal(signal.SIGKILL)  # and it is not even reaped
    [begun] = cluster(operation('begun', saved={'disable_balance': 'true'}))
    after = cluster.says()
    for name in HOSTS:
        assert after[name]['saved'] == SAVED and after[name]['pid'] == cluster.runs[-1].pid
        assert begun[name]['taken_over']['pid'] == first.pid and begun[name]['changed']


def test_a_run_of_another_controller_is_taken_over_by_name(cluster):
    here = action.controller()
    there = dict(here, name='bastion', machine='another', boot='another')
    record = rules.begin(None, {'id': 'r1', 'owner': 'anna@bastion', 'controller': there, 'pid': os.getpid(),
                                'started': '1'},
                         {'cluster': 'prod', 'operation': 'upgrade to 3.5.1', 'saved': SAVED, 'notes': {}}, None,
                         '2026-11-30T19:44:05Z')
    for name in HOSTS:
        (cluster.folder / name).mkdir()
        (cluster.folder / name / 'operation.json').write_text(rules.text_of(record))
    results = cluster(
        operation('begun', take_over=''),
        operation('begun', take_over='bert@bastion'),
        # What a user gives in the place of the action plugin is not believed.
        operation('begun', replace_run='r1', run={'id': 'r1'}),
        operation('begun', take_over='anna@bastion'))
    for refused in results[:3]:
        assert failed(refused) == {True} and refused['fe1']['life'] == 'unknown'
        assert 'starrocks_take_over=anna@bastion' in refused['fe1']['msg']
    assert failed(results[3]) == {False} and results[3]['fe2']['taken_over']['owner'] == 'anna@bastion'
    assert all(one['saved'] == SAVED and one['pid'] == cluster.runs[-1].pid for one in cluster.says().values())


# -- what is seen of processes


def test_a_process_is_told_from_a_later_one_of_the_same_id():
    mine = action.process(os.getpid())
    assert mine['exists'] and int(mine['started']) > 0
    assert action.process(1)['exists']
    child = subprocess.Popen(['sleep', '60'])
    assert int(action.process(child.pid)['started']) >= int(mine['started'])
    child.kill()
    deadline = time.time() + 10
    while action.process(child.pid)['exists'] and time.time() < deadline:
        time.sleep(0.01)
    assert action.process(child.pid) == {'exists': False, 'started': None}  # not reaped
    child.wait()
    assert action.process(child.pid) == {'exists': False, 'started': None}


def test_a_system_without_proc_is_asked_by_ps_and_sysctl(monkeypatch):
    def hidden(self, *dummy, **options):
        raise FileNotFoundError(str(self))

    asked = []
    output = action._output
    monkeypatch.setattr(action.pathlib.Path, 'read_text', hidden)
    monkeypatch.setattr(action.os, 'readlink', lambda path: hidden(path))
    monkeypatch.setattr(action, '_output', lambda *command: asked.append(command) or 'told')
    assert action.process(os.getpid()) == {'exists': True, 'started': 'told'}
    assert action.controller() == {'name': os.uname().nodename, 'machine': None, 'boot': 'told', 'namespace': None}
    assert asked == [('ps', '-o', 'lstart=', '-p', str(os.getpid())), ('sysctl', '-n', 'kern.bootsessionuuid')]
    assert output('sh', '-c', 'echo 5') == '5' and output('true') is None and output('/none/such') is None


def test_another_users_process_exists(monkeypatch):
    def forbidden(pid, dummy):
        raise PermissionError

    monkeypatch.setattr(action.os, 'kill', forbidden)
    assert action.process(os.getpid())['exists']


def test_a_task_whose_run_was_killed_does_nothing(monkeypatch):
    monkeypatch.setattr(action, 'process', lambda pid: {'exists': False, 'started': None})
    with pytest.raises(AnsibleActionFail, match='left behind'):
        action.this_run(action.controller())


def test_the_owner_is_who_called(monkeypatch):
    monkeypatch.setattr(action.os, 'geteuid', lambda: 0)
    monkeypatch.setenv('SUDO_USER', 'anna')
    assert action.user() == 'anna'
    monkeypatch.setattr(action.os, 'geteuid', lambda: 1000)
    monkeypatch.setenv('LOGNAME', 'bert')
    assert action.user() == 'bert'

    def nameless():
        raise KeyError

    monkeypatch.setattr(action.getpass, 'getuser', nameless)
    assert action.user() == str(os.getuid())


def test_a_machine_id_is_not_handed_on():
    here = action.controller()
    assert here['machine'] and here['machine'] != Path('/etc/machine-id').read_text().strip()
    assert here == action.controller()
