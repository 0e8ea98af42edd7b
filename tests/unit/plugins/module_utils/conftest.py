# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in this process, over the scripted driver of sql_double."""

import json

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.text.converters import to_bytes
from ansible_collections.starrocks.cluster.plugins.module_utils import _connection, _sql_module, _wait
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import (
    TELL_ARGUMENTS,
    as_on_a_host,
)
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import Clock


@pytest.fixture
def clock(monkeypatch):
    """Sessions and waits of modules take no time: they have this Clock."""
    made = Clock()
    monkeypatch.setattr(_sql_module, 'Session',
                        lambda options: _connection.Session(options, clock=made, sleep=made.sleep))
    monkeypatch.setattr(_wait.poll, '__defaults__', (None, made, made.sleep))
    monkeypatch.setattr(_wait, 'port_answers', lambda host, port: True)
    return made


@pytest.fixture
def use(monkeypatch, clock):
    """A function: the Driver with which modules connect."""
    return lambda driver: monkeypatch.setattr(_connection, '_wire', driver)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a module in this process: run(module, check=False, **arguments) -> its result.

    ``warned`` holds its warnings, ``logged`` what it wrote into the host's log.
    """

    def call(module, check=False, **arguments):
        arguments = dict(dict(login_hosts=['fe1']), _ansible_check_mode=check, _ansible_diff=True,
                         **TELL_ARGUMENTS, **arguments)
        monkeypatch.setattr(basic, '_ANSIBLE_ARGS', to_bytes(json.dumps({'ANSIBLE_MODULE_ARGS': arguments})))
        monkeypatch.setattr(basic, '_ANSIBLE_PROFILE', 'legacy', raising=False)
        warnings = []
        monkeypatch.setattr(basic.AnsibleModule, 'warn', lambda module, text: warnings.append(text))
        logged = []
        monkeypatch.setattr(basic.AnsibleModule, 'log', lambda module, text, log_args=None: logged.append(text))
        with pytest.raises(SystemExit), as_on_a_host():
            module.main()
        return dict(json.loads(capsys.readouterr().out), warned=' '.join(warnings), logged=' '.join(logged))

    return call
