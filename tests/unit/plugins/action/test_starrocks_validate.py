# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_validate in plays: where variables come from, what --limit means, and that no host is connected to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.starrocks.cluster.plugins.action import starrocks_validate
from ansible_collections.starrocks.cluster.plugins.action.starrocks_validate import ROLES, read_roles

# What lies above ansible_collections.
COLLECTIONS = Path(starrocks_validate.__file__).parents[5]

# Whoever connected to a host would fail at once.
NO_CONNECTION = {'ansible_connection': 'ssh', 'ansible_ssh_executable': '/none/such/ssh'}

GOOD = {
    'starrocks_version': '3.5.0',
    'starrocks_archive': 'https://mirror.example/StarRocks-{{ starrocks_version }}-ubuntu-amd64.tar.gz',
    'starrocks_root_password': 'hunter2',
    **NO_CONNECTION,
}

TASK = {'starrocks.cluster.starrocks_validate': None, 'run_once': True, 'register': 'result'}

SHOW = {'ansible.builtin.copy': {'content': '{{ result | to_json }}', 'dest': '{{ show }}'}, 'delegate_to': 'localhost',
        'vars': {'ansible_connection': 'local', 'ansible_python_interpreter': sys.executable}, 'run_once': True}


class Play:
    """Runs starrocks_validate over an inventory."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, variables=None, hosts=None, play=None, task=None, arguments=()):
        hosts = hosts or {'fe1': {}, 'fe2': {}, 'fe3': {}}
        inventory = {'all': {'vars': GOOD if variables is None else variables, 'children': {
            'starrocks_fe': {'hosts': hosts}, 'starrocks_be': {'hosts': {'be1': {}, 'be2': {}, 'be3': {}}}}}}
        plays = [{'hosts': 'starrocks_fe', 'gather_facts': False, **(play or {}),
                  'tasks': [{**TASK, **(task or {})}, SHOW]}]
        (self.folder / 'inventory.json').write_text(json.dumps(inventory))
        (self.folder / 'play.yml').write_text(yaml.safe_dump(plays))
        shown = self.folder / 'shown.json'
        done = subprocess.run(
            [sys.executable, '-m', 'ansible.cli.playbook', '-i', str(self.folder / 'inventory.json'),
             str(self.folder / 'play.yml'), '-e', 'show=%s' % shown, *arguments],
            cwd=str(self.folder), capture_output=True, text=True, check=False,
            env={**os.environ, 'ANSIBLE_COLLECTIONS_PATH': str(COLLECTIONS), 'ANSIBLE_NOCOLOR': '1',
                 'ANSIBLE_HOME': str(self.folder / 'ansible'), 'ANSIBLE_LOCALHOST_WARNING': '0'})
        self.output = done.stdout + done.stderr
        assert 'hunter2' not in self.output
        return done.returncode, json.loads(shown.read_text()) if shown.exists() else None


@pytest.fixture
def play(tmp_path):
    return Play(tmp_path)


def test_a_good_inventory_passes_and_no_host_is_connected_to(play):
    status, result = play()
    assert status == 0, play.output
    assert (result['changed'], result['findings']) == (False, [])


def test_all_findings_come_in_one_message_and_warnings_as_warnings(play):
    bad = {**GOOD, 'starrocks_root_password': '', 'starrocks_fe_htp_port': 1}
    status, _ = play(bad, {'fe1': {'starrocks_fe_role': 'leader'}, 'fe2': {'starrocks_fe_role': 'observer'}})
    assert status == 2
    assert 'The inventory is refused, and nothing was changed. 3 things have to be put right:' in play.output
    for line in ('- all hosts: starrocks_root_password: is empty',
                 "- fe1: starrocks_fe_role: 'leader' is not one of its values",
                 '- fe1, fe2: starrocks_fe_role: no front end is a follower'):
        assert line in play.output
    assert 'Did you mean starrocks_fe_http_port?' in ' '.join(play.output.split())


def test_findings_are_returned_when_it_is_told_not_to_fail(play):
    status, result = play(hosts={'fe1': {'starrocks_fe_http_port': 0}},
                          task={'starrocks.cluster.starrocks_validate': {'fail': False}})
    assert status == 0, play.output
    assert [(row['severity'], row['host'], row['variable']) for row in result['findings']] == [
        ('failure', 'fe1', 'starrocks_fe_http_port')]
    assert result['findings'][0]['message'] in result['msg']


def test_hosts_outside_of_the_limit_are_checked_too(play):
    status, _ = play(hosts={'fe1': {}, 'fe2': {}, 'fe3': {'starrocks_fe_role': 'x'}}, arguments=['--limit', 'fe1'])
    assert status == 2
    assert "fe3: starrocks_fe_role: 'x'" in play.output


def test_variables_of_the_play_and_of_the_command_line_count_for_all_hosts(play):
    bare = {**NO_CONNECTION, 'starrocks_version': '2.5'}
    status, result = play(bare, play={'vars': {key: GOOD[key] for key in ('starrocks_version', 'starrocks_archive')}},
                          arguments=['-e', 'starrocks_root_password=hunter2'])
    assert status == 0, play.output
    assert result['findings'] == []


def test_variables_of_the_task_count(play):
    status, _ = play(task={'vars': {'starrocks_host_type': 'NAME'}})
    assert status == 2
    assert "all hosts: starrocks_host_type: 'NAME'" in play.output


def test_templates_are_computed_with_the_variables_of_their_host(play):
    hosts = {name: {'number': number} for number, name in enumerate(('fe1', 'fe2', 'fe3'))}
    status, _ = play({**GOOD, 'starrocks_fe_http_port': '{{ 8030 + (number | default(0)) }}',
                      'starrocks_data_dir': 'relative'}, hosts)
    assert status == 2
    assert '8030 on fe1, 8031 on fe2, 8032 on fe3' in play.output
    assert "starrocks_fe_meta_dir: 'relative/fe/meta' is not a full path" in play.output


def test_what_needs_facts_is_a_warning(play):
    status, result = play({**GOOD, 'starrocks_fe_heap_size': '{{ ansible_facts.memtotal_mb // 2 }}m'})
    assert status == 0, play.output
    row, = result['findings']
    assert (row['severity'], row['variable']) == ('warning', 'starrocks_fe_heap_size')
    assert 'memtotal_mb' in row['message']


def test_a_password_from_a_vault_is_read(play, tmp_path):
    secret = VaultSecret(b'key')
    (tmp_path / 'key').write_text('key')
    cipher = VaultLib().encrypt(b'hunter2', secret=secret).decode()
    hosts = {'fe1': {'starrocks_root_password': {'__ansible_vault': cipher}}, 'fe2': {}, 'fe3': {}}
    status, _ = play(hosts=hosts, arguments=['--vault-password-file', str(tmp_path / 'key')])
    assert status == 0, play.output


def test_specs_and_defaults_of_the_roles_are_found():
    defaults, specs = read_roles(ROLES)
    assert defaults['starrocks_fe_http_port'] == 8030
    assert set(defaults) - set(specs) == set()
    assert specs['starrocks_fe_role']['choices'] == ['follower', 'observer']


def test_a_collection_without_roles_has_none(tmp_path):
    assert read_roles(tmp_path) == ({}, {})
