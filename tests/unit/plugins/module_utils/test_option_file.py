# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _option_file as option_file

FILE = r'''# for all clients
!includedir /etc/mysql/conf.d/
[mysqld]
port = 1
skip-networking
[client]   # ours
host = fe1
port=9031
; a comment
user	=	admin
password = "it's # \"secret\" \\ enough"  # quoted
ssl_ca = /etc/ca.pem
ssl-mode = verify_identity
[mysql]
host = elsewhere
'''
OURS = {'login_hosts': ['fe1'], 'login_port': 9031, 'login_user': 'admin', 'ca_cert': '/etc/ca.pem',
        'login_password': 'it\'s # "secret" \\ enough', 'check_hostname': True}
NOTHING = dict.fromkeys(('login_hosts', 'login_port', 'login_user', 'login_password', 'config_file', 'ca_cert',
                         'client_cert', 'client_key', 'check_hostname'))


def test_a_file():
    assert option_file.as_options(option_file.parse(FILE)) == OURS


@pytest.mark.parametrize('text, value', [
    ('plain', 'plain'), ('"a b"', 'a b'), ("'a#b'", 'a#b'), ('a # rest', 'a'), (r'a\sb\tc\\d\x', 'a b\tc\\d\\x'),
    ('', ''), ('""', ''), ("it's", "it's"), ('"half', '"half'), (r'"a\"b"', 'a"b'),
])
def test_values(text, value):
    assert option_file.parse_value(text) == value


@pytest.mark.parametrize('text, words', [
    ('host = fe1\n[client]\n', 'line 1 stands before the first'),
    ('[client]\n\npassword = sec#ret\n', 'line 3, password: put the value in quotes'),
    ('[client]\nport = secret\n', 'port holds none of its values'),
    ('[client]\nssl-mode = secret\n', 'ssl-mode holds none of its values'),
    ('[client]\nssl-verify-server-cert = secret\n', 'ssl-verify-server-cert holds none'),
])
def test_what_is_wrong_with_a_file_is_told_without_its_text(tmp_path, text, words):
    path = tmp_path / 'my.cnf'
    path.write_text(text)
    params, findings = option_file.settled(dict(NOTHING, config_file=str(path)))
    assert len(findings) == 1 and findings[0].startswith('config_file: %s: ' % path) and words in findings[0]
    assert 'sec' not in findings[0].replace(str(path), '')


@pytest.mark.parametrize('mode, check_hostname', [
    ('ssl-mode=DISABLED', None), ('ssl-mode=REQUIRED', False), ('ssl-mode=VERIFY_CA', False),
    ('ssl-verify-server-cert', True), ('ssl-verify-server-cert=off', False),
])
def test_tls_modes(mode, check_hostname):
    assert option_file.as_options(option_file.parse('[client]\n' + mode))['check_hostname'] is check_hostname


def test_a_file_that_cannot_be_read(tmp_path):
    assert option_file.settled(dict(NOTHING, config_file='/nowhere/my.cnf'))[1] == [
        'config_file: /nowhere/my.cnf: No such file or directory']
    path = tmp_path / 'my.cnf'
    path.write_bytes(b'[client]\npassword = \xff\n')
    assert option_file.settled(dict(NOTHING, config_file=str(path)))[1] == [
        'config_file: %s is no text in UTF-8' % path]


def test_what_the_task_says_wins(tmp_path):
    path = tmp_path / 'my.cnf'
    path.write_text(FILE)
    given = dict(NOTHING, config_file=str(path), login_hosts=['fe9'], login_password='', check_hostname=False)
    params, findings = option_file.settled(given)
    assert findings == []
    assert params == dict(OURS, config_file=str(path), login_hosts=['fe9'], login_password='', check_hostname=False,
                          client_cert=None, client_key=None)


def test_defaults():
    params, findings = option_file.settled(NOTHING)
    assert (params['login_port'], params['login_user'], params['login_password'], findings) == (9030, 'root', '', [])
