# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the plan of a rolling change on the controller, print it, and end the run where it is refused."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _plan_report as report
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling import OPERATIONS, plan_rolling
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling_nodes import DEFAULTS, ORDER, UP, gather_nodes

NAMES = {'type': 'list', 'elements': 'str', 'default': []}
FLAG = {'type': 'bool', 'default': False}


class ActionModule(ActionBase):
    """Options and results are documented in plugins/modules/starrocks_plan.py."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec({
            'operation': {'type': 'str', 'required': True, 'choices': list(OPERATIONS)},
            'version': {'type': 'str'},
            'cluster': {'type': 'dict', 'required': True},
            'hosts': {'type': 'dict', 'required': True},
            'begun': {'type': 'list', 'elements': 'dict', 'default': []},
            'batch': {'type': 'str', 'default': '1'},
            'skip': NAMES,
            'kinds': {'type': 'list', 'elements': 'str', 'default': [], 'choices': list(ORDER[UP])},
            'limit': NAMES,
            'canary': {'type': 'bool', 'default': True},
            'allow_downtime': FLAG,
            'allow_unhealthy': FLAG,
            'run_mode': {'type': 'str'},
            'name': {'type': 'str', 'default': 'starrocks'},
            'fail': {'type': 'bool', 'default': True},
            'quiet': FLAG,
        }, required_if=[('operation', name, ('version',)) for name in OPERATIONS if name != 'restart'])
        nodes = gather_nodes(options['hosts'], task_vars['hostvars'], options['begun'])
        plan = plan_rolling(options['operation'], options['version'], options['cluster'], nodes,
                            {name: options[name] for name in DEFAULTS})
        lines = report.plan_lines(plan, options['name'])
        if not options['quiet']:
            Display().display('\n' + '\n'.join(lines) + '\n')
        message = report.failure_text(plan)
        result.update(changed=False, msg=message or lines[0])
        if message and options['fail']:
            # What was printed has all; the plan would only bury the message in what Ansible prints of a failed task.
            result.update(failed=True)
        else:
            result.update(plan=plan, lines=lines)
        return result
