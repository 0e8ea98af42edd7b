# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module on the host, and measures the clock of a front end's host against that of the controller."""

from __future__ import annotations

import time

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _clock

_MODULE = 'starrocks.cluster.starrocks_preflight'


class ActionModule(ActionBase):
    """Options and results are documented in plugins/modules/starrocks_preflight.py."""

    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        result.update(self._execute_module(module_name=_MODULE, module_args=dict(self._task.args),
                                           task_vars=task_vars))
        if result.get('failed') or 'host' not in result:
            return result
        clock = self._clock() if self._has_front_end() else dict(_clock.NOT_MEASURED)
        result['host']['clock'] = clock
        result['ansible_facts']['starrocks_host']['clock'] = clock
        return result

    def _has_front_end(self) -> bool:
        """Only front ends mind what their clocks say: their journal refuses those that differ."""
        return any(node.get('kind') == 'fe' for node in self._task.args.get('nodes') or [])

    def _clock(self) -> dict:
        """The best of a few samples. The connection is warm: the module has just run over it."""
        best = dict(_clock.NOT_MEASURED)
        for dummy in range(_clock.SAMPLES):
            best = _clock.better(best, self._sample())
            if _clock.good_enough(best):
                break
        return best

    def _sample(self) -> dict:
        before = time.time()
        try:
            answer = self._low_level_execute_command(_clock.COMMAND, sudoable=False)
        except AnsibleError:  # the host went away: whatever comes next says so
            return dict(_clock.NOT_MEASURED)
        return _clock.sample(before, answer.get('stdout') or '', time.time())
