#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_backend_config
short_description: Change settings of running StarRocks back ends and compute nodes
version_added: 0.1.0
description:
  - Compares settings with what C(information_schema.be_configs) tells of each living back end and compute node, and
    sets those that differ, by one statement per setting for all the nodes that need it (StarRocks 3.0 and later).
  - Names, types and mutability are checked before anything is set, all settings at once.
  - The values are in the memory of the nodes alone, and one that restarts has forgotten them. What is to last belongs
    into C(be.conf) or C(cn.conf) as well, with the roles of this collection by C(starrocks_be_config) or
    C(starrocks_cn_config).
  - A node that is not alive is named in a warning and in RV(backends).
  - Both the comparison and the change run as queries, so at least one back end has to be alive. A call that changes
    nothing costs C(SHOW BACKENDS), C(SHOW COMPUTE NODES) and one query.
options:
  settings:
    description:
      - Settings by name.
      - A value is a boolean, a number or a text; StarRocks changes no lists while a node runs.
      - Values of settings whose name ends like that of a secret, such as C(_password), C(_secret) or C(_token), are
        hidden in all that is returned or written into the host's log.
    type: dict
    required: true
  nodes:
    description:
      - The back ends and compute nodes to set, each as C(host), C(host:heartbeat_service_port) or by its id.
      - A host without a port stands for all of them on that host. Each has to be registered and alive.
      - Without it, all that are alive.
    type: list
    elements: str
  immutable:
    description:
      - What to do where a setting that differs takes its value only at the start of a node.
      - V(fail) refuses the whole call; V(report) sets the others, and names it in RV(restart_required).
    type: str
    choices: [fail, report]
    default: fail
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.attributes
seealso:
  - module: starrocks.cluster.starrocks_frontend_config
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Empty the trash after an hour, on every back end
  starrocks.cluster.starrocks_backend_config:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    settings:
      trash_file_expire_time_sec: 3600

- name: Let one back end fill its disks further, to gain time
  starrocks.cluster.starrocks_backend_config:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    nodes: ['10.0.0.21:9050']
    settings:
      storage_flood_stage_usage_percent: 97
      storage_flood_stage_left_capacity_bytes: 10737418240
"""

RETURN = r"""
queries:
  description: The statements that were run, or in check mode would be, without those that only read.
  returned: always
  type: list
  elements: str
  sample:
    - "UPDATE information_schema.be_configs SET VALUE = '97' WHERE NAME = 'storage_flood_stage_usage_percent' AND
       BE_ID = 10001"
restart_required:
  description: Settings that differ and take another value only with a restart, by name.
  returned: when the settings could be compared
  type: list
  elements: str
  sample: []
backends:
  description:
    - Each of these back ends and compute nodes with the values of these settings as it showed them last, typed; in
      check mode as they would be.
    - Also returned by a failure, as far as the nodes could be asked.
  returned: when the settings could be compared
  type: list
  elements: dict
  contains:
    be_id:
      description: The id by which C(be_configs) calls it.
      type: int
    kind:
      description: V(back end) or V(compute node).
      type: str
    host:
      description: Its address or name, as StarRocks shows it.
      type: str
    heartbeat_port:
      description: Its C(heartbeat_service_port).
      type: int
    alive:
      description: Whether the cluster shows it as alive.
      type: bool
    settings:
      description: The values, null where they are not known.
      type: dict
    error:
      description: Why they are not known, else null.
      type: str
  sample:
    - be_id: 10001
      kind: back end
      host: 10.0.0.21
      heartbeat_port: 9050
      alive: true
      settings:
        trash_file_expire_time_sec: 3600
      error: null
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._changes import Feature, version_lacks
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import NO_WORKER, StatementError
from ansible_collections.starrocks.cluster.plugins.module_utils._live_settings import (
    BACKEND,
    NodeSettings,
    backend_settings,
    discreet_settings,
    read_when_told,
    settle,
    start,
    update_backend_config,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import (
    join_host_port,
    same_host,
    split_host_port,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure, SqlModule
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import quote
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import BACKENDS, COMPUTE_NODES

TABLE = 'information_schema.be_configs'
# Section 2.2.
CHANGE = Feature('changing settings of back ends over SQL', '3.0.0',
                 'write them into be.conf and restart the back ends')
# A setting that nodes of every kind and version have: who does not show it does not answer.
SIGN_OF_LIFE = 'heartbeat_service_port'
# The listings of nodes that be_configs tells of, and what such a node is.
LISTINGS = ((BACKENDS, 'back end'), (COMPUTE_NODES, 'compute node'))


def parse_node(text):
    """``(id, host, port)`` of one element of the option ``nodes``; what it does not tell is None. Raises ValueError."""
    text = text.strip()
    if text.isdigit():
        return int(text), None, None
    try:
        host, port = split_host_port(text, None)
    except ValueError as error:
        raise ValueError('nodes: %s' % error)
    return None, host, port


def parse_nodes(texts):
    """``(nodes, findings)`` of the option ``nodes``; None where it is not given."""
    if texts is None:
        return None, []
    if not texts:
        return [], ['nodes is empty: leave it out to mean all']
    nodes, findings = [], []
    for text in texts:
        try:
            nodes.append(parse_node(text))
        except ValueError as error:
            findings.append(str(error))
    findings += ['nodes names %s twice' % text for text in sorted({text for text in texts if texts.count(text) > 1})]
    return nodes, findings


def is_meant(node, row, resolve):
    """Whether the parsed ``node`` means the node with this row."""
    number, host, port = node
    if number is not None:
        return row['be_id'] == number
    return port in (None, row['heartbeat_port']) and same_host(host, row['host'], resolve)


def read_nodes(session, wished):
    """Rows of the ``wished`` nodes (None: of all), as the module returns them. Raises Failure where one is lacking."""
    rows = []
    for table, title in LISTINGS:
        for row in session.rows(table):
            rows.append(dict(be_id=row[table.id], kind=title, host=row['host'],
                             heartbeat_port=row['heartbeat_port'], alive=row['alive']))
    if wished is None:
        if not any(row['alive'] for row in rows):
            raise Failure('no back end and no compute node is alive, so there is nothing to compare or set: start one')
        return rows
    chosen, missing = [], []
    for number, host, port in wished:
        found = [row for row in rows if is_meant((number, host, port), row, session.resolve)]
        name = str(number) if host is None else host if port is None else join_host_port(host, port)
        missing += ['%s is not alive' % name for row in found if not row['alive']]
        missing += [] if found else ['%s is not registered as back end or compute node' % name]
        chosen += [row for row in found if row not in chosen]
    if missing:
        raise Failure('refused, and nothing was set: %s' % '. '.join(missing))
    return chosen


def read_settings(session, rows, names):
    """NodeSettings of the nodes with these ``rows``."""
    asked = ', '.join(quote(name) for name in sorted(set(names) | {SIGN_OF_LIFE}))
    settings, said = {}, '%s tells nothing of it' % TABLE
    try:
        settings = backend_settings(session.dicts('SELECT * FROM %s WHERE NAME IN (%s)' % (TABLE, asked)))
    except StatementError as error:
        # One node that has just died, or is on the blacklist because it did, and the query is refused for all.
        if error.rule is not NO_WORKER:
            raise
        said = error.message
    lacking = [row['be_id'] for row in rows if not set(names) <= set(settings.get(row['be_id'], names))]
    others = ()
    if lacking:
        # To tell what a wrong name was meant to be.
        listed = session.dicts('SELECT * FROM %s WHERE BE_ID = %d' % (TABLE, lacking[0]))
        others = tuple(backend_settings(listed).get(lacking[0], ()))
    nodes = []
    for row in rows:
        found, problem = settings.get(row['be_id']), None
        if not row['alive']:
            found, problem = None, 'it is not alive'
        elif found is None:
            problem = 'it is shown alive, but %s' % said
        nodes.append(NodeSettings(row['kind'], join_host_port(row['host'], row['heartbeat_port']), row, found, problem,
                                  others))
    return nodes


def run(module):
    wished, findings = parse_nodes(module.params['nodes'])
    start(module, BACKEND, findings=findings)
    session = module.session
    names = list(module.params['settings'])

    def look():
        return read_settings(session, read_nodes(session, wished), names)

    def read():
        try:
            return read_when_told(look)
        except StatementError:
            refuse_too_old(session)
            raise

    def statements_of(pending):
        refuse_too_old(session)
        return [update_backend_config(pending.name, pending.text, sorted(node.row['be_id'] for node in pending.nodes))]

    return settle(module, BACKEND, 'backends', read, statements_of, session.change)


def refuse_too_old(session):
    """End the module if the server is older than the statement."""
    reasons = version_lacks(session.version(), [CHANGE])
    if reasons:
        raise Failure('. '.join(reasons))


def main():
    SqlModule(dict(
        settings=dict(type='dict', required=True),
        nodes=dict(type='list', elements='str'),
        immutable=dict(type='str', choices=['fail', 'report'], default='fail'),
    ), discreet=dict(settings=discreet_settings)).run(run)


if __name__ == '__main__':
    main()
