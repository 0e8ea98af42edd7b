# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down what each task returned, one JSON object a line."""

from __future__ import annotations

import json
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: result_journal
type: notification
short_description: Write down what each task returned
description:
  - One JSON object a line, with C(play) and C(task) (their names), C(module) (as the task calls it), C(result) (all
    that the module returned), C(failed) and C(time), in seconds since 1970. A loop has a line for each round.
options:
  path:
    description: The file. It is written anew.
    required: true
    type: path
    env:
      - name: STARROCKS_RESULT_JOURNAL
"""


class CallbackModule(CallbackBase):
    """The names of a result's parts have lost an underscore in ansible-core 2.19."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "result_journal"
    CALLBACK_NEEDS_ENABLED = True

    def set_options(self, *args, **kwargs):
        super().set_options(*args, **kwargs)
        self._file = open(self.get_option("path"), "w", encoding="utf-8", buffering=1)
        self._play = ""

    def v2_playbook_on_play_start(self, play):
        self._play = play.get_name()

    def _write(self, result, failed):
        task = getattr(result, "task", None) or result._task
        if "results" in self._returned(result) and task.loop is not None:
            return  # its rounds are written down
        self._file.write(json.dumps({"play": self._play, "task": task.get_name(), "module": task.action,
                                     "failed": failed, "time": time.time(),
                                     "result": self._returned(result)}, default=str) + "\n")

    @staticmethod
    def _returned(result):
        return result.result if hasattr(result, "result") else result._result

    def v2_runner_on_ok(self, result):
        self._write(result, False)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write(result, True)

    v2_runner_item_on_ok = v2_runner_on_ok
    v2_runner_item_on_failed = v2_runner_on_failed
