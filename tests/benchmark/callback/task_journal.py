# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down what a run does and when, one JSON object a line."""

from __future__ import annotations

import json
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_journal
type: notification
short_description: Write down what a run does and when
description:
  - One JSON object a line, with C(event) and C(time), in seconds since 1970.
  - A C(task) starts, with C(task), its name. It ends on a C(host) as C(ok), C(failed), C(skipped) or C(unreachable),
    with C(changed). The last line is an C(end).
options:
  path:
    description: The file. It is written anew.
    required: true
    type: path
    env:
      - name: STARROCKS_TASK_JOURNAL
"""


class CallbackModule(CallbackBase):
    """Each line is flushed, so that who reads along knows what goes on."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_journal"
    CALLBACK_NEEDS_ENABLED = True

    def set_options(self, *args, **kwargs):
        super().set_options(*args, **kwargs)
        self._file = open(self.get_option("path"), "w", encoding="utf-8", buffering=1)

    def _write(self, event, **details):
        self._file.write(json.dumps({"event": event, "time": time.time(), **details}) + "\n")

    def _end(self, event, result):
        self._write(event, host=result.host.get_name(), changed=result.is_changed())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._write("task", task=task.get_name())

    def v2_runner_on_ok(self, result):
        self._end("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._end("failed", result)

    def v2_runner_on_skipped(self, result):
        self._end("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self._end("unreachable", result)

    def v2_playbook_on_stats(self, stats):
        self._write("end")
