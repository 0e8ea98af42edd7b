# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: starrocks
short_description: Hosts, groups and variables from a living StarRocks cluster
version_added: 0.1.0
description:
  - Asks a front end for the nodes of its cluster, so that a cluster that is there already can be operated without
    writing its inventory, or be taken over.
  - The file that configures it has a name that ends in C(starrocks.yml) or C(starrocks.yaml).
  - Each machine is one host, in the groups C(starrocks_fe), C(starrocks_be), C(starrocks_cn) and C(starrocks_broker) of
    the nodes that are registered there, dead ones too. All four groups are there, so that no brokers are deployed where
    there are none.
  - Hosts get C(ansible_host), C(starrocks_address), C(starrocks_fe_role), C(starrocks_broker_name) and the ports, by
    the names that the roles of this collection read. What the cluster does not know, such as ports of a node that never
    lived, is left out.
  - The group C(all) gets C(starrocks_version) (the leader's), C(starrocks_host_type) and C(starrocks_run_mode). The
    group variables of an inventory overrule them, for an upgrade for example.
  - C(starrocks_live) holds for each host all that is known of its nodes, by C(fe), C(be), C(cn) and C(broker), as
    M(starrocks.cluster.starrocks_cluster_info) returns it. It is made for O(compose), O(groups), O(keyed_groups) and
    O(hostnames).
  - A name and an address stand for one host where the name resolves to that address here.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [starrocks.cluster.starrocks]
  login_hosts:
    env:
      - name: STARROCKS_LOGIN_HOSTS
  login_port:
    env:
      - name: STARROCKS_LOGIN_PORT
  login_user:
    env:
      - name: STARROCKS_LOGIN_USER
  login_password:
    env:
      - name: STARROCKS_LOGIN_PASSWORD
  hostnames:
    description:
      - Jinja2 expressions for the name of a host, over its variables. The first that gives a text is taken, else the
        address or name that the cluster knows the host by.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - starrocks.cluster.connection
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
notes:
  - O(login_hosts), O(login_user), O(login_password) may be templates, and values may be encrypted with ansible-vault.
    The password is in no variable and in no cache.
  - If a machine has several back ends, or compute nodes, each further one is a host of its own, called after its
    address and heartbeat port. The roles of this collection have one of a kind per machine and refuse to deploy there.
seealso:
  - module: starrocks.cluster.starrocks_cluster_info
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
# sales.starrocks.yml; try it with: ansible-inventory -i sales.starrocks.yml --graph
# The first two lines are the least there can be; the password can come from the environment
# (STARROCKS_LOGIN_PASSWORD). Below them: names instead of addresses, groups by rack and of what is dead, and a cache
# for ten minutes.
plugin: starrocks.cluster.starrocks
login_hosts: [fe1, fe2, fe3]
login_user: root
login_password: "{{ lookup('ansible.builtin.env', 'SALES_PASSWORD') }}"
hostnames:
  - "'sales-' ~ starrocks_address | replace('.', '-')"
compose:
  ansible_user: "'admin'"
groups:
  sales: true
  dead: starrocks_live.values() | rejectattr('alive') | length > 0
keyed_groups:
  - key: starrocks_live.be.location | default('')
    prefix: ''
    separator: ''
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /tmp/starrocks-inventory
cache_timeout: 600
"""

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import (
    BadOptions,
    Session,
    SqlError,
    options_from,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._overview import run_mode_of, version_of
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import Resolver
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import connection_arguments
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS, TableError, leader_of
from ansible_collections.starrocks.cluster.plugins.module_utils._view import view_of
from ansible_collections.starrocks.cluster.plugins.module_utils._wire import PYMYSQL_IMPORT_ERROR
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _live_inventory

ENDINGS = ('starrocks.yml', 'starrocks.yaml')


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads the tables, or the cache of them; plugin_utils/_live_inventory makes hosts and variables of them."""

    NAME = 'starrocks.cluster.starrocks'

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(ENDINGS)

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        options = self._connection_options()
        answer = self._cached_answer(self.get_cache_key(path), options, cache)
        tables = answer['tables']
        machines, remarks = _live_inventory.machines(tables, Resolver())
        asked = [host for host, dummy in options.targets]
        for remark in [*remarks, *_live_inventory.loopback_remarks(machines, asked)]:
            self.display.warning(remark)
        self._populate(machines, _live_inventory.cluster_variables(tables, answer['run_mode']))

    def _connection_options(self):
        try:
            return options_from({name: self._templated(self.get_option(name)) for name in connection_arguments()})
        except BadOptions as bad:
            raise AnsibleParserError(str(bad))

    def _templated(self, value):
        if isinstance(value, list):
            return [self._templated(one) for one in value]
        return self.templar.template(value) if isinstance(value, str) else value

    def _cached_answer(self, key, options, may_read):
        """What the cluster said: {tables: typed rows by table, run_mode}; from the cache where it is on and filled.

        ``may_read``: False when the inventory is refreshed, which fills the cache anew.
        """
        if not self.get_option('cache'):
            return self._ask(options)
        if may_read:
            try:
                return self._cache[key]
            except KeyError:  # not there, or too old
                pass
        self._cache[key] = self._ask(options)
        return self._cache[key]

    def _ask(self, options):
        if PYMYSQL_IMPORT_ERROR:
            raise AnsibleParserError('the controller needs PyMySQL to ask a StarRocks cluster for its inventory: '
                                     'pip install PyMySQL, for the Python that runs Ansible')
        try:
            with Session(options) as session:
                view = view_of(session)
                if view.frontends is None:
                    raise view.problem
                if view.led:
                    session.ask_leader(view.frontends)
                else:
                    self.display.warning('the cluster has no leader, so the inventory is one front end\'s own view of '
                                         f'it: {view.problem}')
                tables = {kind.table.name: view.frontends if kind.table is FRONTENDS else view.rows(kind.table)
                          for kind in _live_inventory.KINDS}
                version = version_of(view.frontends, leader_of(view.frontends))
                return {'tables': tables, 'run_mode': run_mode_of(session.columns, version)}
        except (SqlError, TableError) as error:
            raise AnsibleParserError(str(error))

    def _populate(self, machines, cluster_variables):
        # What servers say is data: nothing of it is ever a template.
        for name, value in cluster_variables.items():
            self.inventory.set_variable('all', name, wrap_var(value))
        for kind in _live_inventory.KINDS:
            self.inventory.add_group(kind.group)
        taken = {}
        for machine in machines:
            variables = wrap_var(_live_inventory.host_variables(machine))
            name = self._name_of(machine, variables)
            if name in taken:
                raise AnsibleParserError(f'hostnames: {machine.name} and {taken[name]} would both be called {name}: '
                                         'choose an expression that tells them apart')
            taken[name] = machine.name
            self._add(name, machine.groups, variables)

    def _name_of(self, machine, variables):
        for expression in self.get_option('hostnames'):
            try:
                name = self._compose(expression, variables)
            except Exception as error:  # a template may raise what it likes
                if self.get_option('strict'):
                    raise AnsibleParserError(f'hostnames: {expression} for {machine.name}: {error}')
                continue
            if name and isinstance(name, str):
                return name
        return machine.name

    def _add(self, name, groups, variables):
        self.inventory.add_host(name)
        for group in groups:
            self.inventory.add_child(group, name)
        for variable, value in variables.items():
            self.inventory.set_variable(name, variable, value)
        strict = self.get_option('strict')
        self._set_composite_vars(self.get_option('compose'), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option('groups'), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option('keyed_groups'), variables, name, strict=strict)
