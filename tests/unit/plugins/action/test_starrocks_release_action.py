# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of starrocks_release, run by Ansible itself."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _release
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import contents, sha256, write_archive

COLLECTIONS = pathlib.Path(_release.__file__).parents[5]


class Controller:
    """Runs one task by the command ansible, on hosts that are all this machine."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(
            os.environ, HOME=str(folder), XDG_CACHE_HOME=str(folder / 'cache'),
            ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_LOCAL_TEMP=str(folder / 'tmp'),
            ANSIBLE_REMOTE_TMP=str(folder / 'remote'), ANSIBLE_CALLBACK_RESULT_FORMAT='json', ANSIBLE_NOCOLOR='1',
            ANSIBLE_PIPELINING='false')
        self.environment.pop('ANSIBLE_CONFIG', None)
        self.inventory = folder / 'inventory'
        self.output = ''

    def run(self, *flags, hosts=('one',), **arguments):
        """{host: (status, result)} of one task; each host has its own dest below the folder."""
        self.inventory.write_text(''.join(
            f'{host} ansible_connection=local ansible_python_interpreter={sys.executable}\n' for host in hosts))
        arguments = dict({'component': 'fe', 'version': '3.5.0', 'dest': f'{self.folder}/{{{{ inventory_hostname }}}}'},
                         **{key: str(value) for key, value in arguments.items()})
        process = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name('ansible')), 'all', '-i', str(self.inventory), '-m',
             'starrocks.cluster.starrocks_release', '-a', json.dumps(arguments), '-vvv', *flags],
            env=self.environment, cwd=self.folder, check=False, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.output = process.stdout
        results = {}
        for host in hosts:
            for status in ('SUCCESS', 'CHANGED', 'FAILED!'):
                mark = f'\n{host} | {status} => '
                if mark in self.output:
                    text = self.output[self.output.index(mark) + len(mark):]
                    results[host] = status, json.JSONDecoder().raw_decode(text)[0]
        assert set(results) == set(hosts), self.output
        return results

    @property
    def transfers(self):
        """How many files were sent, the module's own among them."""
        return self.output.count(' PUT ')

    @property
    def left_behind(self):
        """What is left in the hosts' temporary folder."""
        return [path for path in (self.folder / 'remote').rglob('*') if path.is_file()]


@pytest.fixture(name='controller')
def _controller(tmp_path):
    return Controller(tmp_path)


@pytest.fixture(name='archive')
def _archive(tmp_path):
    (tmp_path / 'files').mkdir()
    return write_archive(tmp_path / 'files')


def test_install_then_nothing(controller, archive, tmp_path):
    status, result = controller.run(src=archive, checksum=sha256(archive))['one']
    assert (status, result['action'], controller.transfers) == ('CHANGED', 'install', 3)
    assert result['stamp']['archive'] == {
        'name': archive.name, 'size': archive.stat().st_size, 'sha256': sha256(archive)[7:]}
    assert (tmp_path / 'one/fe/lib/large.jar').read_bytes() == contents()['fe/lib/large.jar']
    assert controller.left_behind == []
    status, result = controller.run(src=archive, checksum=sha256(archive))['one']
    assert (status, result['action'], controller.transfers) == ('SUCCESS', 'nothing', 1)
    # What is there is checked without the archive.
    archive.unlink()
    assert controller.run(src=archive)['one'][0] == 'SUCCESS'


def test_repair_sends_the_part_again(controller, archive, tmp_path):
    controller.run(src=archive)
    (tmp_path / 'one/fe/bin/start_fe.sh').unlink()
    status, result = controller.run('--diff', src=archive)['one']
    assert (status, result['action'], result['files']) == ('CHANGED', 'repair', ['bin/start_fe.sh'])
    assert '-bin/start_fe.sh: missing' in controller.output
    assert (tmp_path / 'one/fe/bin/start_fe.sh').exists() and controller.left_behind == []


def test_what_takes_no_archive_sends_none(controller, archive, tmp_path):
    controller.run(src=archive)
    (tmp_path / 'one/fe/bin/start_fe.sh').chmod(0o600)
    status, result = controller.run(src=archive)['one']
    assert (status, result['action'], controller.transfers) == ('CHANGED', 'attributes', 2)
    assert controller.run(src=archive)['one'][0] == 'SUCCESS'


def test_check_mode(controller, archive, tmp_path):
    status, result = controller.run('--check', '--diff', src=archive)['one']
    assert (status, result['action'], controller.transfers) == ('CHANGED', 'install', 1)
    assert not (tmp_path / 'one').exists() and not (tmp_path / 'cache').exists()
    assert '+version: 3.5.0' in controller.output
    archive.unlink()
    status, result = controller.run('--check', src=archive)['one']
    assert status == 'FAILED!' and 'the controller has no file' in result['msg']


def test_hosts_at_once_share_one_part(controller, archive, tmp_path):
    hosts = ('one', 'two', 'three')
    results = controller.run('--forks', '3', hosts=hosts, src=archive)
    assert [results[host][0] for host in hosts] == ['CHANGED'] * 3
    assert all((tmp_path / host / 'fe/lib/large.jar').exists() for host in hosts)
    assert len(list((tmp_path / 'cache').rglob('*.tar.gz'))) == 1


def test_errors_of_the_archive(controller, archive, tmp_path):
    status, result = controller.run(src=archive, checksum='sha256:' + '0' * 64)['one']
    assert status == 'FAILED!' and str(archive) in result['msg']
    assert 'Either the archive or the checksum' in result['msg']
    data = archive.read_bytes()
    archive.write_bytes(data[:len(data) // 2])
    results = controller.run(src=archive, hosts=('one', 'two'))
    assert all(status == 'FAILED!' and str(archive) in result['msg'] for status, result in results.values())
    status, result = controller.run(src='none.tar.gz')['one']
    assert status == 'FAILED!' and 'the controller has no file none.tar.gz' in result['msg']
    assert not (tmp_path / 'one').exists() and controller.left_behind == []


def test_a_path_on_the_host_is_left_to_the_module(controller, archive):
    status, result = controller.run(src=archive, remote_src='true')['one']
    assert (status, result['action'], controller.transfers) == ('CHANGED', 'install', 1)


def test_a_host_with_another_version_gets_nothing(controller, archive, tmp_path):
    controller.run(src=write_archive(tmp_path, '3.4.4'), version='3.4.4')
    status, result = controller.run(src=archive)['one']
    assert status == 'FAILED!' and 'holds version 3.4.4' in result['msg'] and controller.transfers == 1


def test_another_version_is_staged_from_the_controller(controller, archive, tmp_path):
    older = write_archive(tmp_path, '3.4.4')
    status, result = controller.run(src=archive, state='staged')['one']
    assert status == 'FAILED!' and 'holds no release' in result['msg'] and controller.transfers == 1
    controller.run(src=older, version='3.4.4')
    staging = tmp_path / 'one/.fe.staging-3.5.0'
    status, result = controller.run('--check', src=archive, state='staged')['one']
    assert (status, result['action'], controller.transfers) == ('CHANGED', 'stage', 1) and not staging.exists()
    status, result = controller.run('--diff', src=archive, state='staged', checksum=sha256(archive))['one']
    assert (status, result['action'], controller.transfers) == ('CHANGED', 'stage', 3)
    assert result['staging'] == str(staging) and '+staged: .fe.staging-3.5.0' in controller.output
    assert (staging / 'lib/large.jar').read_bytes() == contents()['fe/lib/large.jar'] and controller.left_behind == []
    # Nothing to do, the checksum known: it is that of the archive, not of the part.
    status, result = controller.run(src=archive, state='staged', checksum=sha256(archive))['one']
    assert (status, result['action'], controller.transfers) == ('SUCCESS', 'nothing', 1)
