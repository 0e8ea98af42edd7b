# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what was found on all hosts as one table, on the controller, and end the run where something failed."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _preflight_report as report


class ActionModule(ActionBase):
    """Options and results are documented in plugins/modules/starrocks_preflight_report.py."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec({
            'hosts': {'type': 'dict', 'required': True},
            'name': {'type': 'str', 'default': 'starrocks'},
            'skip': {'type': 'list', 'elements': 'str', 'default': []},
            'fail': {'type': 'bool', 'default': True},
        })
        kinds = {kind: list(names or []) for kind, names in options['hosts'].items()}
        hosts = report.gather_hosts(
            list(task_vars['ansible_play_hosts_all']), task_vars['hostvars'],
            list(task_vars['ansible_play_hosts']), list(task_vars['ansible_play_batch']))
        findings = report.collect(hosts, kinds, options['skip'])
        merged = report.merge(findings)
        lines = report.report_lines(options['name'], hosts, findings, options['skip'])
        Display().display('\n' + '\n'.join(lines) + '\n')
        result.update(changed=False, counts=report.counts(findings, merged))
        message = report.failure_text(merged)
        if message and options['fail']:
            # The table has all; a list of it would only bury the message in what Ansible prints of a failed task.
            result.update(failed=True, msg=message)
        else:
            result.update(findings=merged, msg=message or lines[0])
        return result
