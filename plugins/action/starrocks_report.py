# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the status table on the controller, as lines and not as JSON."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _report


class ActionModule(ActionBase):
    """Options and results are documented in plugins/modules/starrocks_report.py."""

    _requires_connection = False
    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset(('cluster', 'hosts', 'name'))

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec({
            'cluster': {'type': 'dict', 'required': True},
            'hosts': {'type': 'dict', 'required': True},
            'name': {'type': 'str', 'default': 'starrocks'},
        })
        hostvars = task_vars['hostvars']
        pending = {}
        for name in {name for names in options['hosts'].values() for name in names}:
            waiting = hostvars[name].get('_starrocks_pending_restart')
            if waiting:
                pending[name] = list(waiting)
        nodes = _report.inventory_nodes(options['hosts'], hostvars)
        lines = _report.status_lines(options['cluster'], nodes, options['name'], pending)
        Display().display('\n' + '\n'.join(lines) + '\n')
        result.update(changed=False, lines=lines)
        return result
