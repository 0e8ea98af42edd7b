# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins of the preflight in plays: the clock of a host, and the table of all hosts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.starrocks.cluster.plugins.action import starrocks_preflight
from ansible_collections.starrocks.cluster.plugins.module_utils import _preflight

# What lies above ansible_collections.
COLLECTIONS = Path(starrocks_preflight.__file__).parents[5]

LOCAL = {'ansible_connection': 'local', 'ansible_python_interpreter': sys.executable}
GONE = {'ansible_connection': 'ssh', 'ansible_host': '127.9.9.9', 'ansible_port': 1}
# Whoever connected to a host would fail at once.
NO_CONNECTION = {'ansible_connection': 'ssh', 'ansible_ssh_executable': '/none/such/ssh'}

CHECKS = [name for name, dummy in _preflight.CHECKS]

SHOW = {'ansible.builtin.copy': {'content': '{{ shown | to_json }}', 'dest': '{{ folder }}/{{ inventory_hostname }}'},
        'delegate_to': 'localhost', 'vars': LOCAL}


class Play:
    """Runs tasks on hosts, and returns what the variable ``shown`` of each is at the end."""

    def __init__(self, folder):
        self.folder = folder
        self.path = []

    def __call__(self, hosts, tasks):
        inventory = {'all': {'children': {'starrocks_fe': {'hosts': hosts}}}}
        plays = [{'hosts': 'starrocks_fe', 'gather_facts': False, 'tasks': [*tasks, SHOW]}]
        (self.folder / 'inventory.json').write_text(json.dumps(inventory))
        (self.folder / 'play.yml').write_text(yaml.safe_dump(plays))
        shown = self.folder / 'shown'
        shown.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, '-m', 'ansible.cli.playbook', '-i', str(self.folder / 'inventory.json'),
             str(self.folder / 'play.yml'), '-e', 'folder=%s' % shown],
            cwd=str(self.folder), capture_output=True, text=True, check=False,
            env={**os.environ, 'ANSIBLE_COLLECTIONS_PATH': str(COLLECTIONS), 'ANSIBLE_NOCOLOR': '1',
                 'ANSIBLE_HOME': str(self.folder / 'ansible'), 'ANSIBLE_LOCALHOST_WARNING': '0',
                 'ANSIBLE_REMOTE_TMP': str(self.folder / 'remote'),
                 'PATH': os.pathsep.join([*self.path, os.environ['PATH']])})
        self.output = done.stdout + done.stderr
        return done.returncode, {path.name: json.loads(path.read_text()) for path in shown.iterdir()}


@pytest.fixture
def play(tmp_path):
    return Play(tmp_path)


# --- starrocks_preflight ---

def look(*kinds, **changes):
    """A task that looks at a host with nodes of these kinds."""
    nodes = [{'kind': kind, 'home': '/opt/starrocks/%s' % kind, 'unit': 'starrocks-%s' % kind} for kind in kinds]
    return {'starrocks.cluster.starrocks_preflight': {'version': '3.5.0', 'nodes': nodes, 'skip': CHECKS},
            'register': 'shown', **changes}


def date(play, script):
    """Put another `date` before that of the machine."""
    folder = play.folder / 'bin'
    folder.mkdir()
    (folder / 'date').write_text('#!/bin/sh\n' + script)
    (folder / 'date').chmod(0o755)
    play.path = [str(folder)]


def test_the_clock_of_a_front_end_is_measured(play):
    status, shown = play({'h1': LOCAL}, [look('fe', 'be')])
    assert status == 0, play.output
    clock = shown['h1']['host']['clock']
    # Controller and host are one machine.
    assert 0 < clock['error'] < 5 and abs(clock['offset']) <= clock['error'] + 0.01
    assert shown['h1']['ansible_facts']['starrocks_host']['clock'] == clock


def test_a_wrong_clock_is_seen(play):
    date(play, 'exec /bin/date -d "7 seconds ago" "$@"\n')
    status, shown = play({'h1': LOCAL}, [look('fe')])
    assert status == 0, play.output
    clock = shown['h1']['host']['clock']
    assert abs(clock['offset'] + 7) <= clock['error'] + 0.01


def test_no_other_host_is_measured_and_an_answer_that_is_no_time_is_asked_for_a_few_times(play):
    date(play, 'echo asked >> %s; echo nothing\n' % (play.folder / 'asked'))
    kinds = "{{ [{'kind': 'fe' if inventory_hostname == 'h1' else 'be'}] }}"
    task = look()
    task['starrocks.cluster.starrocks_preflight']['nodes'] = kinds
    status, shown = play({'h1': LOCAL, 'h2': LOCAL}, [task])
    assert status == 0, play.output
    assert [shown[host]['host']['clock'] for host in ('h1', 'h2')] == 2 * [{'offset': None, 'error': None}]
    assert (play.folder / 'asked').read_text().count('asked') == 5


def test_a_module_that_failed_and_a_host_that_is_gone_say_so(play):
    broken = look('fe', ignore_errors=True, ignore_unreachable=True)
    broken['starrocks.cluster.starrocks_preflight']['version'] = 'x'
    status, shown = play({'h1': LOCAL, 'h2': GONE}, [broken])
    assert status == 0, play.output
    assert shown['h1']['failed'] and 'not right' in shown['h1']['msg'] and 'ansible_facts' not in shown['h1']
    assert shown['h2']['unreachable']


def test_a_host_that_goes_away_meanwhile_has_no_clock(monkeypatch):
    class Gone(starrocks_preflight.ActionModule):
        def __init__(self):
            pass

        def _low_level_execute_command(self, *dummy_arguments, **dummy_options):
            raise starrocks_preflight.AnsibleError('gone')

    assert Gone()._clock() == {'offset': None, 'error': None}


# --- starrocks_preflight_report ---

def fact(status='ok', **changes):
    """A host that was looked at; nobody connects to it."""
    checks = [{'name': 'jdk', 'status': status, 'found': 'Java 11', 'needed': 'Java 17', 'fix': 'Install it.'}]
    return dict(NO_CONNECTION, starrocks_host=dict({
        'checks': checks, 'nodes': [{'kind': 'fe'}], 'clock': {'offset': 0.0, 'error': 0.01}, 'timezone': 'UTC'},
        **changes))


def report(**options):
    hosts = {'fe': "{{ groups['starrocks_fe'] }}"}
    return {'starrocks.cluster.starrocks_preflight_report': {'hosts': hosts, **options}, 'run_once': True,
            'register': 'shown'}


def test_all_is_well_and_no_host_is_connected_to(play):
    status, shown = play({'h1': fact(), 'h2': fact()}, [report(name='sales')])
    assert status == 0, play.output
    assert (shown['h1']['changed'], shown['h1']['findings']) == (False, [])
    assert shown['h1']['counts'] == {'failures': 0, 'warnings': 0, 'ok': 5}
    assert '\nPreflight of StarRocks cluster sales: all is well, 5 checks on 2 hosts.\n' in play.output


def test_a_failure_ends_the_run_after_the_table(play):
    hosts = {'h1': fact('failure'), 'h2': fact('failure', clock={'offset': 6.0, 'error': 0.1})}
    status, shown = play(hosts, [report()])
    assert (status, shown) == (2, {})
    assert 'starrocks: 2 failures, 0 warnings, 2 checks well, on 2 hosts.' in play.output
    assert '\nfailure  jdk         h1, h2  Java 11\n' in play.output
    assert '\nfailure  clock_skew  h1, h2  the clock of h2 is 6.0 s ahead of that of h1 (± 0.11 s)' in play.output
    assert 'The hosts are not ready, so this run ends here: jdk (h1, h2); clock_skew (h1, h2).' in ' '.join(
        play.output.split())


def test_a_failure_can_be_overruled_or_left_to_who_reads_it(play):
    hosts = {'h1': fact('failure'), 'h2': fact('failure')}
    status, shown = play(hosts, [report(skip=['jdk'])])
    assert status == 0, play.output
    assert shown['h1']['findings'] == []
    status, shown = play(hosts, [report(fail=False)])
    assert status == 0, play.output
    assert [(row['name'], row['hosts']) for row in shown['h1']['findings']] == [('jdk', ['h1', 'h2'])]
    assert shown['h1']['msg'].startswith('The hosts are not ready')


def test_hosts_that_cannot_be_reached_are_in_the_table(play):
    hosts = {'h1': dict(LOCAL, starrocks_host=fact()['starrocks_host']), 'h2': GONE, 'h3': LOCAL}
    tasks = [{'ansible.builtin.ping': {}, 'ignore_unreachable': True, 'register': '_starrocks_look'},
             {'ansible.builtin.fail': {'msg': 'broken'}, 'when': "inventory_hostname == 'h3'"}, report()]
    status, shown = play(hosts, tasks)
    assert (status, shown) == (2, {})
    assert '\nfailure  connection  h2' in play.output and '127.9.9.9' in play.output
    assert '\nfailure  connection  h3     it left this run with an error (see above)\n' in play.output
