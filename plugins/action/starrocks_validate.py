# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses an inventory that cannot become a cluster, before any host is connected to.

This part gathers what the rules need (all hosts' variables, the roles' defaults and argument specs); the rules are in
plugin_utils/_inventory.py.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.starrocks.cluster.plugins.plugin_utils._archives import archive_findings
from ansible_collections.starrocks.cluster.plugins.plugin_utils._inventory import (
    WARNING,
    Inventory,
    Unchecked,
    failure_text,
    findings,
    kind_hosts,
)

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 has no such notion: every string may be a template
    def trust_as_template(value):
        return value

ROLES = Path(__file__).resolve().parents[2] / 'roles'

CONNECTION_VARIABLES = ('ansible_host', 'ansible_port', 'ansible_connection')
"""What tells one machine from another, besides the variables of the roles."""


def read_roles(roles: Path) -> tuple[dict[str, object], dict[str, dict]]:
    """Return ({variable: default}, {variable: argument spec}) of all roles below a folder.

    Defaults can be templates; they are the collection's own files, so they are trusted.
    """
    defaults: dict[str, object] = {}
    specs: dict[str, dict] = {}
    for file in sorted(roles.glob('*/defaults/main.yml')):
        defaults.update(_trusted(yaml.safe_load(file.read_text(encoding='utf-8')) or {}))
    for file in sorted(roles.glob('*/meta/argument_specs.yml')):
        entry_points = (yaml.safe_load(file.read_text(encoding='utf-8')) or {}).get('argument_specs') or {}
        for entry_point in entry_points.values():
            specs.update((entry_point or {}).get('options') or {})
    return defaults, {name: specs.get(name) or {} for name in [*defaults, *specs]}


def _trusted(value):
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def _plain(value):
    """Return a templated value with everything in it computed (ansible-core 2.19 computes containers on access)."""
    if hasattr(value, 'items'):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


class ActionModule(ActionBase):
    """Runs on the controller alone; touches no host."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec({'fail': {'type': 'bool', 'default': True}})
        inventory = self._inventory(task_vars)
        found = findings(inventory)
        if not failure_text(found):
            found = [*found, *archive_findings(inventory, C.DEFAULT_LOCAL_TMP, Display().display)]
        result['changed'] = False
        warnings = [str(finding) for finding in found if finding.severity == WARNING]
        if warnings:
            result['warnings'] = result.get('warnings', []) + warnings
        message = failure_text(found)
        if message and options['fail']:
            # The message says all; a list beside it would only bury it in what Ansible prints of a failed task.
            result.update(failed=True, msg=message)
        else:
            result['findings'] = [finding.as_dict() for finding in found]
            result['msg'] = message or f'{len(inventory.hosts)} hosts: nothing stands in the way.'
        return result

    def _inventory(self, task_vars: dict) -> Inventory:
        """Return what the rules look at."""
        defaults, specs = read_roles(ROLES)
        groups = {name: list(hosts) for name, hosts in task_vars['groups'].items()}
        hosts = dict.fromkeys(host for hosts in kind_hosts(groups).values() for host in hosts)
        variables, given = {}, {}
        for host in hosts:
            raw = self._variables_of(host, task_vars)
            given[host] = {name for name in raw if name.startswith('starrocks_')}
            wanted = set(specs) | set(CONNECTION_VARIABLES) & set(raw)
            around = {'hostvars': task_vars['hostvars'], 'groups': groups}
            variables[host] = self._values(wanted, {**around, **defaults, **raw})
        return Inventory(groups, variables, given, specs)

    def _variables_of(self, host: str, task_vars: dict) -> dict:
        """Return a host's variables as they are written, with those of the play and the task.

        hostvars knows inventory, facts and extra variables only. Users also write variables into their play or hand
        them to a role, so the variable manager behind it is asked as it is asked for each task.
        """
        hostvars = task_vars['hostvars']
        manager = getattr(hostvars, '_variable_manager', None)
        stock = getattr(hostvars, '_inventory', None)
        if manager is None or stock is None:
            return dict(hostvars.raw_get(host))
        return manager.get_vars(play=self._task.get_play(), host=stock.get_host(host), task=self._task,
                                include_hostvars=False)

    def _values(self, names: set[str], context: dict) -> dict[str, object]:
        """Return name -> value of the named variables of one host; Unchecked where it cannot be computed."""
        templar = self._templar.copy_with_new_env(available_variables=context)
        values = {}
        for name in sorted(names & set(context)):
            try:
                values[name] = _plain(templar.template(context[name]))
            except AnsibleError as error:
                values[name] = Unchecked(str(error).splitlines()[0])
        return values
