# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action starrocks_plan in a play: no host is connected to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.starrocks.cluster.plugins.action import starrocks_plan
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling_nodes import DEFAULTS

# What lies above ansible_collections.
COLLECTIONS = Path(starrocks_plan.__file__).parents[5]
MODULE = Path(starrocks_plan.__file__).parents[1] / 'modules' / 'starrocks_plan.py'

LOCAL = {'ansible_connection': 'local', 'ansible_python_interpreter': sys.executable}
SHOW = {'ansible.builtin.copy': {'content': '{{ shown | to_json }}', 'dest': '{{ file }}'}, 'delegate_to': 'localhost',
        'vars': LOCAL, 'check_mode': False}


def host(number, *kinds, installed='3.4.10'):
    """A host that was looked at; whoever connected to it would fail at once."""
    return {
        'ansible_connection': 'ssh', 'ansible_ssh_executable': '/none/such/ssh',
        'starrocks_host': {'address': '10.0.0.%d' % number, 'java_major': 17, 'processes': dict.fromkeys(kinds, 17)},
        '_starrocks_releases': [{'kind': kind, 'installed': installed, 'backups': [], 'pending': None}
                                for kind in kinds]}


HOSTS = {'n1': host(1, 'fe', 'be'), 'n2': host(2, 'fe', 'be'), 'n3': host(3, 'fe', 'be')}


def cluster(version='3.4.10-aec4b4d'):
    common = [{'host': '10.0.0.%d' % number, 'alive': True, 'version': version} for number in (1, 2, 3)]
    fronts = [dict(row, edit_log_port=9010, role='FOLLOWER', join=True) for row in common]
    fronts[0]['role'] = 'LEADER'
    return {'answered': True, 'leader': fronts[0], 'frontends': fronts, 'compute_nodes': [], 'brokers': [],
            'backends': [dict(row, heartbeat_port=9050, system_decommissioned=False) for row in common],
            'statistic': {'unhealthy_tablet_num': 0}}


@pytest.fixture
def run(tmp_path):
    """Run the task with options; return the exit status, what was registered, and the output."""
    def run(*arguments, **options):
        kinds = {'fe': ['n1', 'n2', 'n3'], 'be': ['n1', 'n2', 'n3']}
        options = {'operation': 'upgrade', 'cluster': cluster(), 'hosts': kinds, **options}
        play = {'hosts': 'all', 'gather_facts': False, 'tasks': [
            {'starrocks.cluster.starrocks_plan': options, 'register': 'shown', 'run_once': True},
            dict(SHOW, run_once=True)]}
        (tmp_path / 'inventory.json').write_text(json.dumps({'all': {'hosts': HOSTS}}))
        (tmp_path / 'play.yml').write_text(yaml.safe_dump([play]))
        shown = tmp_path / 'shown'
        done = subprocess.run(
            [sys.executable, '-m', 'ansible.cli.playbook', '-i', str(tmp_path / 'inventory.json'),
             str(tmp_path / 'play.yml'), '-e', 'file=%s' % shown, *arguments],
            cwd=str(tmp_path), capture_output=True, text=True, check=False,
            env={**os.environ, 'ANSIBLE_COLLECTIONS_PATH': str(COLLECTIONS), 'ANSIBLE_NOCOLOR': '1',
                 'ANSIBLE_HOME': str(tmp_path / 'ansible'), 'ANSIBLE_LOCALHOST_WARNING': '0',
                 'ANSIBLE_REMOTE_TMP': str(tmp_path / 'remote')})
        return done.returncode, json.loads(shown.read_text()) if shown.exists() else {}, done.stdout + done.stderr
    return run


@pytest.mark.parametrize('arguments', [(), ('--check',)])
def test_the_plan_is_printed_and_returned_in_check_mode_too(run, arguments):
    status, shown, output = run(*arguments, version='3.5.7', batch=2, name='sales')
    assert status == 0, output
    assert [(batch['kind'], batch['hosts']) for batch in shown['plan']['batches']] == [
        ('be', ['n1']), ('be', ['n2', 'n3']), ('fe', ['n2']), ('fe', ['n3']), ('fe', ['n1'])]
    assert not shown['changed'] and not shown.get('failed')
    assert '\nUpgrade of StarRocks cluster sales: 3.4.10 -> 3.5.7, 6 nodes in 5 batches\n' in output
    assert '\n  5  front end  n1      the leader last' in output


def test_options_reach_the_plan_and_it_can_be_quiet(run):
    status, shown, output = run(version='3.5.7', kinds=['be'], limit=['n3'], begun=[{'kind': 'be', 'hosts': ['n3']}],
                                quiet=True)
    assert status == 0, output
    assert [(batch['hosts'], batch['resume']) for batch in shown['plan']['batches']] == [(['n3'], True)]
    assert 'Upgrade of' not in output


def test_a_refusal_ends_the_run_with_all_reasons(run):
    status, shown, output = run(version='3.3.1', skip=['n2'])
    assert (status, shown) == (2, {})
    assert '\nRefused\n' in output
    said = ' '.join(output.split())
    assert 'The upgrade is refused, and nothing was touched: (1) n2 is to be skipped, and lives.' in said
    assert '3.3.1 was withdrawn.' in said
    assert '"plan"' not in output


def test_a_refusal_can_be_left_to_who_reads_it(run):
    status, shown, output = run(version='3.3.1', fail=False)
    assert status == 0, output
    assert shown['plan']['batches'] == [] and shown['msg'].startswith('The upgrade is refused')
    assert any('3.3.1 was withdrawn.' in refusal['message'] for refusal in shown['plan']['refusals'])


def test_a_version_is_needed_but_for_a_restart(run):
    status, dummy, output = run()
    assert status == 2 and 'version' in output
    status, shown, output = run(operation='restart')
    assert status == 0 and len(shown['plan']['batches']) == 6, output


def test_options_and_their_documentation_are_the_same():
    text = MODULE.read_text().split("DOCUMENTATION = r'''", 1)[1].split("'''", 1)[0]
    options = yaml.safe_load(text)['options']
    assert set(options) == set(DEFAULTS) | {'operation', 'version', 'cluster', 'hosts', 'begun', 'name', 'fail',
                                             'quiet'}
    for name, value in DEFAULTS.items():
        assert options[name].get('default') == (list(value) if isinstance(value, tuple) else value)
