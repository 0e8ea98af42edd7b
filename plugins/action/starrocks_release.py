# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends a component's part of an archive on the controller to the hosts that need it.

The module is asked first, in check mode: a host that has all it should have costs that one run and no transfer.
Archives that hosts read themselves (a URL, a path on the host) are left to the module.
"""
from __future__ import annotations

import os
import pathlib
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError, parse_checksum
from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import is_url
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _release_parts as parts

_MODULE = 'starrocks.cluster.starrocks_release'

display = Display()


class ActionModule(ActionBase):
    """The action behind starrocks.cluster.starrocks_release."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        on_controller = self._on_controller()
        self._supports_async = not on_controller
        result = super().run(tmp, task_vars)
        if not on_controller:
            result.update(self._tell(self._task.args, task_vars, wrap_async=self._task.async_val))
            return result
        try:
            answer = self._ask(task_vars)
            if not answer.get('failed') and answer.get('changed'):
                needed = answer['archive_needed']
                archive = self._archive() if needed else None
                if not self._task.check_mode:
                    answer = self._send(archive, task_vars) if needed else self._tell(self._task.args, task_vars)
            result.update(answer)
            return result
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _on_controller(self) -> bool:
        source = self._task.args.get('src')
        return bool(source) and not is_url(str(source)) and not boolean(
            self._task.args.get('remote_src', False), strict=False)

    def _tell(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None, **how: Any) -> dict[str, Any]:
        return self._execute_module(module_name=_MODULE, module_args=dict(arguments), task_vars=task_vars, **how)

    def _ask(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What the module would do."""
        check_mode = self._task.check_mode
        self._task.check_mode = True
        try:
            return self._tell(self._task.args, task_vars)
        finally:
            self._task.check_mode = check_mode

    def _archive(self) -> str:
        """The archive's path on the controller."""
        source = os.path.expanduser(str(self._task.args['src']))
        try:
            path = source if os.path.isabs(source) else self._find_needle('files', source)
        except AnsibleError as error:
            raise AnsibleActionFail(f'src: the controller has no file {source}: {error}') from error
        if not os.path.isfile(path):
            raise AnsibleActionFail(
                f'src: the controller has no file {path}. For a path on the hosts, set remote_src: true.')
        return path

    def _send(self, archive: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Send the part and have it installed."""
        arguments = dict(self._task.args)
        try:
            wanted = parts.Wanted(archive, arguments['component'], str(arguments['version']),
                                  *parse_checksum(arguments.get('checksum')))
            cache = parts.cache_folder(C.DEFAULT_LOCAL_TMP)
            with parts.part(wanted, cache, pathlib.Path(C.DEFAULT_LOCAL_TMP), self._progress) as part:
                if not self._connection._shell.tmpdir:
                    self._make_tmp_path()
                folder = self._connection._shell.tmpdir
                remote = self._connection._shell.join_path(folder, 'part.tar.gz')
                self._transfer_file(part.path, remote)
        except ReleaseError as error:
            raise AnsibleActionFail(str(error)) from error
        except OSError as error:
            raise AnsibleActionFail(
                f'the part {arguments["component"]} of {archive} could not be packed and sent: {error}') from error
        self._fixup_perms2((folder, remote))
        arguments.update(src=remote, remote_src=True, checksum=f'sha256:{part.sha256}', part_of=part.part_of)
        return self._tell(arguments, task_vars)

    def _progress(self, line: str) -> None:
        display.display(f'{self._task.get_name()}: {line}')
