# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module run in the process of the test: for tests that call one hundreds of times."""

import contextlib
import io
import json
import pathlib
from unittest import mock

from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # before ansible-core 2.19

    def patch_module_args(arguments):
        return mock.patch.object(basic, '_ANSIBLE_ARGS', json.dumps({'ANSIBLE_MODULE_ARGS': arguments}).encode())

    def as_on_a_host():
        return contextlib.nullcontext()

else:

    def as_on_a_host():
        """A test before may have made Ansible take this process for the controller, which prints warnings, and checks
        what modules are given."""
        return mock.patch.multiple('ansible.module_utils._internal', is_controller=False,
                                   import_controller_module=lambda name: None)


# What makes a module tell its arguments: from 2.21 on it is asked to with -vvv alone, before it does so always.
TELL_ARGUMENTS = {'_ansible_inject_invocation': True} if 'inject_invocation' in basic.PASS_VARS else {}


def run_module(module, arguments, check_mode=False):
    """Run a module, given as what was imported; returns its result, with failed true or false."""
    arguments = {key: str(value) if isinstance(value, pathlib.Path) else value for key, value in arguments.items()}
    out = io.StringIO()
    with patch_module_args(dict(arguments, _ansible_check_mode=check_mode, _ansible_diff=True, **TELL_ARGUMENTS)), \
            contextlib.redirect_stdout(out), contextlib.suppress(SystemExit), as_on_a_host():
        module.main()
    return dict({'failed': False}, **json.loads(out.getvalue()))
