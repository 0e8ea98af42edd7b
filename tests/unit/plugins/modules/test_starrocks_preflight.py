# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_preflight on this very machine, whatever it is: what depends on the machine is skipped or compared with it.

The rules of each check are tested with facts of their own in ../module_utils/test_preflight.py.
"""

import importlib.util
import os
import pwd
import socket
import sys
import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _preflight, _preflight_facts
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_preflight
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import run_module

CHECKS = list(_preflight.CHECK_NAMES)


def preflight(only=(), check_mode=False, module=starrocks_preflight, **arguments):
    """Run the module with the named checks alone (all without names)."""
    skip = [name for name in CHECKS if only and name not in only]
    return run_module(module, dict({'version': '3.5.0', 'skip': skip}, **arguments), check_mode)


def make_jdk(home, version):
    """Lay out what shows a Java of a version."""
    (home / 'bin').mkdir(parents=True)
    (home / 'bin' / 'java').write_text('#!/bin/sh\nexit 1\n')
    (home / 'bin' / 'java').chmod(0o755)
    (home / 'release').write_text('JAVA_VERSION="%s"\n' % version)
    return str(home)


def make_metadata(meta_dir, run_mode='shared_nothing'):
    image = meta_dir / 'image'
    image.mkdir(parents=True)
    (image / 'ROLE').write_text('role=FOLLOWER\nname=10.9.8.7_9010_1764000000000\nhostType=IP\n')
    (image / 'VERSION').write_text('clusterId=1234\ntoken=do-not-show\nrunMode=%s\n' % run_mode)
    return str(meta_dir)


def front_end(folder, **changes):
    return dict({'kind': 'fe', 'home': str(folder / 'fe'), 'unit': 'starrocks-fe', 'meta_dir': str(folder / 'meta'),
                 'paths': [str(folder / 'fe'), str(folder / 'log')]}, **changes)


def statuses(result):
    return [(one['name'], one['status']) for one in result['checks']]


@pytest.mark.parametrize('check_mode', [True, False])
def test_all_of_a_host_is_told_and_nothing_is_touched(tmp_path, check_mode):
    make_metadata(tmp_path / 'meta')
    before = sorted((str(path), path.stat().st_mtime_ns) for path in tmp_path.rglob('*'))
    result = preflight(check_mode=check_mode, fail=False, sql=True, user=pwd.getpwuid(os.getuid())[0],
                       nodes=[front_end(tmp_path)])
    assert (result['failed'], result['changed']) == (False, False)
    assert sorted((str(path), path.stat().st_mtime_ns) for path in tmp_path.rglob('*')) == before
    names = [one['name'] for one in result['checks']]
    assert names == sorted(names, key=CHECKS.index)
    assert {'address', 'systemd', 'account', 'python', 'pymysql', 'jdk', 'disk', 'paths', 'metadata',
            'clock'} <= set(names)
    assert all(set(one) == {'name', 'status', 'found', 'needed', 'fix'} for one in result['checks'])
    assert all(one['fix'] or one['status'] == 'ok' for one in result['checks'])
    assert result['host']['checks'] == result['checks']


def test_what_later_steps_need_is_the_fact_starrocks_host(tmp_path):
    make_metadata(tmp_path / 'meta')
    (tmp_path / 'first_start.env').touch()
    java_home = make_jdk(tmp_path / 'jdk', '17.0.9')
    result = preflight(only=['python'], java_home=java_home, nodes=[front_end(tmp_path)])
    host = result['host']
    assert result['ansible_facts'] == {'starrocks_host': host}
    assert host['host_name'] == socket.gethostname() and abs(host['time'] - time.time()) < 60
    assert (host['java_home'], host['java_version'], host['java_major']) == (java_home, '17.0.9', 17)
    assert (host['metadata']['role'], host['metadata']['cluster_id'], host['metadata']['host']) == (
        'follower', 1234, '10.9.8.7')
    assert host['first_start'] is True and host['processes'] == {'fe': None} and host['pymysql'] is True
    assert host['memory_bytes'] > 0 and host['cores'] > 0
    assert 'do-not-show' not in str(result)


def test_of_storage_that_was_used_only_the_cluster_is_told(tmp_path):
    storage = tmp_path / 'storage'
    storage.mkdir()
    (storage / 'cluster_id').write_text('1577643443-do-not-show')
    node = {'kind': 'be', 'home': str(tmp_path / 'be'), 'storage_paths': [str(storage)], 'ports': {'be_port': '1'}}
    result = preflight(only=['python'], nodes=[node], user=pwd.getpwuid(os.getuid())[0])
    host = result['host']
    assert host['storage_cluster_ids'] == {str(storage): 1577643443} and 'do-not-show' not in str(result)
    assert host['nodes'] == [{'kind': 'be', 'ports': {'be_port': 1}}]
    assert host['account']['uid'] == os.getuid() and host['os']['family'] in ('debian', 'redhat', 'suse', 'other')
    assert host['utc_offset'] == time.localtime().tm_gmtoff and host['timezone']


def test_a_jdk_is_found_in_folders_that_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(_preflight_facts, 'JDK_FOLDERS', ())
    monkeypatch.setattr(_preflight_facts, '_java_home_on_path', lambda search_path: [])
    monkeypatch.delenv('JAVA_HOME', raising=False)
    home = make_jdk(tmp_path / 'jdks' / 'jdk-17', '17.0.9')
    assert preflight(only=['jdk'], nodes=[front_end(tmp_path)])['failed']
    found = preflight(only=['jdk'], nodes=[front_end(tmp_path)], jdk_folders=[str(tmp_path / 'jdks')])
    assert found['host']['java_home'] == home


def test_limits_may_be_infinity_and_skipped_checks_of_the_cluster_are_taken(tmp_path):
    result = preflight(only=['open_files', 'process_limit'], nodes=[front_end(tmp_path)], limit_nofile='infinity',
                       limit_nproc='infinity')
    assert {'open_files', 'process_limit'} == {name for name, dummy in statuses(result)}
    assert not result['failed']


def test_a_host_without_nodes_is_told_all_the_same():
    host = preflight(only=['python'])['host']
    assert host['metadata']['fe'] is False and host['processes'] == {} and host['java_home'] is None


def test_all_that_stands_in_the_way_is_said_at_once_and_the_rest_is_left_out(tmp_path):
    (tmp_path / 'fe').write_text('a file\n')
    arguments = {'only': ['jdk', 'paths', 'metadata', 'python'], 'run_mode': 'shared_data',
                 'java_home': make_jdk(tmp_path / 'jdk', '11.0.21'), 'nodes': [front_end(tmp_path)]}
    make_metadata(tmp_path / 'meta')
    result = preflight(**arguments)
    assert result['failed'] and 'host' not in result and 'ansible_facts' not in result
    assert statuses(result) == [('jdk', 'failure'), ('paths', 'failure'), ('metadata', 'failure')]
    for text in ('not ready for StarRocks 3.5.0; nothing was changed', 'What stands in the way (3)',
                 '11.0.21, older than 17', '%s is not a folder' % (tmp_path / 'fe'), 'made in mode shared_nothing'):
        assert text in result['msg']
    asked_only = preflight(fail=False, **arguments)
    assert not asked_only['failed'] and asked_only['host']['metadata']['run_mode'] == 'shared_nothing'
    assert [one for one in asked_only['checks'] if one['status'] != 'ok'] == result['checks']
    assert ('python', 'ok') in statuses(asked_only)


def test_a_port_that_another_program_holds_is_found_and_its_holder_named(tmp_path):
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
        # Ports may come as text, from a template.
        nodes = [front_end(tmp_path, ports={'http_port': str(port)})]
        result = preflight(only=['ports'], nodes=nodes)
        assert result['failed'] and '%d is taken by' % port in result['msg']
        assert '(process %d)' % os.getpid() in result['msg'] and 'starrocks_fe_http_port' in result['msg']
        seen = preflight(only=['ports'], fail=False, nodes=nodes)['host']['ports_in_use']
        assert [(row['port'], row['name'], row['pid'], row['own']) for row in seen] == [
            (port, 'http_port', os.getpid(), False)]
    assert statuses(preflight(only=['ports'], nodes=nodes)) == [('ports', 'ok')]


def test_a_skipped_check_does_not_fail_the_host(tmp_path):
    nodes = [front_end(tmp_path)]
    missing = str(tmp_path / 'no-jdk')
    assert preflight(only=['jdk', 'python'], java_home=missing, nodes=nodes)['failed']
    assert statuses(preflight(only=['python'], java_home=missing, nodes=nodes)) == [('python', 'ok')]


@pytest.mark.parametrize('arguments, said', [
    ({'version': 'newest'}, 'newest'),
    ({'priority_networks': ['10.0.0.0/99']}, '10.0.0.0/99'),
    ({'nodes': [{'kind': 'fe', 'heap_size': 'plenty'}]}, 'plenty'),
    ({'nodes': [{'kind': 'fe', 'ports': {'http_port': 'http'}}]}, "'http'"),
    ({'nodes': [{'kind': 'fe', 'ports': {'http_port': None}}]}, 'NoneType'),
    ({'limit_nofile': 'plenty'}, "'plenty' is not a limit"),
    ({'limit_nproc': '-5'}, "'-5' is not a limit"),
], ids=['version', 'network', 'heap', 'port', 'no port', 'open files', 'processes'])
def test_options_that_are_not_right_are_named_before_anything_is_looked_at(arguments, said):
    result = preflight(**arguments)
    assert result['failed'] and 'The options of starrocks_preflight are not right' in result['msg']
    assert said in result['msg'] and 'checks' not in result


def test_a_heap_and_networks_that_are_right_are_taken(tmp_path):
    # Loopback addresses do not count, so no host has one in this network.
    result = preflight(only=['memory', 'address'], fail=False, priority_networks=[' 127.0.0.7/8 '],
                       nodes=[front_end(tmp_path, heap_size='100000g')])
    by_name = {one['name']: one for one in result['checks']}
    assert by_name['address']['status'] == 'failure' and '127.0.0.0/8' in by_name['address']['needed']
    assert by_name['memory']['status'] != 'ok'


@pytest.mark.parametrize('install, status', [(True, 'warning'), (False, 'failure')])
def test_a_host_without_pymysql(monkeypatch, install, status):
    monkeypatch.setitem(sys.modules, 'pymysql', None)
    spec = importlib.util.spec_from_file_location('preflight_without_pymysql', starrocks_preflight.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = preflight(only=['pymysql'], module=module, fail=False, sql=True, install_pymysql=install)
    assert statuses(result) == [('pymysql', status)] and result['host']['pymysql'] is False
