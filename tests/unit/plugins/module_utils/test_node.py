# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import subprocess
import sys
import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _node as node


@pytest.mark.parametrize(
    'line, shown',
    [
        ('aws_s3_secret_key = abc\n', 'aws_s3_secret_key = ********\n'),
        ('azure_blob_sas_token=abc=def\n', 'azure_blob_sas_token= ********\n'),
        ('ssl_keystore_password = x\n', 'ssl_keystore_password = ********\n'),
        ('http_port = 8030\n', 'http_port = 8030\n'),
        ('# the password = of the manual\n', '# the password = of the manual\n'),
        (
            '  <property><name>fs.s3a.secret.key</name><value>abc</value></property>\n',
            '  <property><name>fs.s3a.secret.key</name><value>********</value></property>\n',
        ),
        (
            '  <property><name>dfs.nameservices</name><value>ns</value></property>\n',
            '  <property><name>dfs.nameservices</name><value>ns</value></property>\n',
        ),
    ],
)
def test_secrets_are_masked_and_nothing_else(line, shown):
    assert node.mask_secrets(line) == shown


def test_a_diff_shows_the_change_and_no_secret():
    text = node.file_diff(
        '/fe.conf', 'a = 1\naws_s3_secret_key = old\n', 'a = 2\naws_s3_secret_key = new\n', '0:0 0640', '0:0 0640'
    )
    assert '-a = 1\n+a = 2\n' in text and 'old' not in text and 'new' not in text


def test_a_change_of_a_secret_alone_is_still_a_diff():
    text = node.file_diff('/fe.conf', 'token = old\n', 'token = new\n', 'x', 'x')
    assert 'a secret setting changes' in text and 'old' not in text


def test_a_change_of_mode_alone_is_a_diff():
    assert (
        node.file_diff('/fe.conf', 'a\n', 'a\n', '0:0 0644', '0:0 0640')
        == '--- /fe.conf (0:0 0644)\n+++ /fe.conf (0:0 0640)\n'
    )


def test_a_new_file_and_a_removed_one():
    assert '+++ /f (0:0 0640)\n' in node.file_diff('/f', None, 'a\n', '', '0:0 0640')
    assert '+++ /f (absent)\n' in node.file_diff('/f', 'a\n', None, '0:0 0640', '')


def test_unit_state_of_a_process_that_died_and_waits_to_be_started_again():
    state = node.unit_state(
        node.parse_properties(
            'LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nMainPID=0\n'
            'UnitFileState=enabled\nNRestarts=3\nConditionResult=yes\nNeedDaemonReload=no\n'
        )
    )
    assert state == {
        'loaded': True,
        'active': False,
        'starting': True,
        'failed': False,
        'enabled': True,
        'main_pid': 0,
        'restarts': 3,
        'sub_state': 'auto-restart',
        'condition_met': True,
        'reload_needed': False,
    }


def test_pending_restart_names_what_changed_after_the_start():
    assert node.pending_restart({'/b': 20.0, '/a': 30.0, '/c': 5.0}, 10.0) == ['/a', '/b']
    assert node.pending_restart({'/a': 30.0}, None) == []


@pytest.mark.skipif(not os.path.exists('/proc/self/stat'), reason='no /proc')
def test_the_start_time_of_a_real_process():
    before = time.time()
    process = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'])
    try:
        with open('/proc/%d/stat' % process.pid) as stat, open('/proc/uptime') as uptime:
            begun = node.process_start_time(
                stat.read(), float(uptime.read().split()[0]), time.time(), os.sysconf('SC_CLK_TCK')
            )
    finally:
        process.kill()
        process.wait()
    assert before - 0.5 < begun < time.time() + 0.5


def test_a_command_name_with_spaces_and_parentheses_does_not_mislead():
    fields = ['S'] + ['0'] * 18 + ['500'] + ['0'] * 5
    assert node.process_start_time('17 (a (b) c) ' + ' '.join(fields), 100.0, 1000.0, 100) == 905.0


def test_listening_ports():
    rest = ' 00000000:00000000 00:00000000 00000000     0        0 %d 1 0000000000000000 100 0 0 10 0'
    text = (
        '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
        + '   0: 0100007F:2346 00000000:0000 0A' + rest % 71 + '\n'
        + '   1: 00000000:1F5E 00000000:0000 0A' + rest % 72 + '\n'
        + '   2: 0100007F:8AE0 0100007F:2346 01' + rest % 73 + '\n')
    assert node.parse_listening(text) == {9030: {71}, 8030: {72}}


def test_a_host_without_proc_net_has_no_ports(monkeypatch):
    monkeypatch.setattr('builtins.open', lambda *dummy: (_ for _ in ()).throw(OSError()))
    assert node.listening_ports() == set()


def test_tail(tmp_path):
    log = tmp_path / 'fe.log'
    log.write_text(''.join('line %d\n' % number for number in range(100)))
    assert node.tail(str(log), 2) == ['line 98', 'line 99']
    assert node.tail(str(tmp_path / 'none')) == []
