# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules for back ends, compute nodes and brokers share: the option ``nodes``, the run from it to a result."""

from ansible_collections.starrocks.cluster.plugins.module_utils import _sql_address, _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import (
    ABSENT,
    DECOMMISSIONED,
    PRESENT,
    Node,
    decide_nodes,
    find,
    without_duplicates,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure


def wished_nodes(module, kind, resolve):
    """The nodes of the option ``nodes`` as ``[(Node, previous_start_time)]``, checked, each once."""
    nodes, starts = [], {}
    for entry in module.params['nodes'] or []:
        try:
            node = Node(_sql_address.check_host(entry['host']), _sql_address.check_port(entry[kind.port_option]))
        except ValueError as error:
            raise Failure('nodes: %s' % error)
        nodes.append(node)
        starts.setdefault(node, entry.get('previous_start_time') or None)
    kept, dropped = without_duplicates(nodes, resolve)
    for node in dropped:
        module.module.warn('nodes names %s twice: StarRocks would add it twice, so it is taken once'
                           % _sql_address.join_host_port(*node))
    return [(node, starts[node]) for node in kept]


def node_arguments(kind, with_start_time):
    """The option ``nodes`` of the modules for back ends, compute nodes and brokers."""
    options = dict(host=dict(type='str', required=True))
    options[kind.port_option] = dict(type='int', default=kind.default_port)
    if with_start_time:
        options['previous_start_time'] = dict(type='str')
    return dict(type='list', elements='dict', options=options)


def run_nodes(module, kind, name=None):
    """The whole of starrocks_backend, starrocks_compute_node and starrocks_broker."""
    state = module.params['state']
    resolve = module.session.resolve
    wishes = wished_nodes(module, kind, resolve)
    if not wishes and not (name is not None and state == ABSENT and module.params['nodes'] is None):
        raise Failure('nodes is empty: name at least one %s' % kind.title)
    nodes = [node for node, dummy in wishes]

    def read():
        return module.session.rows(kind.table)

    def decide(rows):
        return decide_nodes(kind, rows, nodes, state, resolve, force=module.params.get('force', False), name=name)

    def ours(rows):
        """Rows of the wished nodes, in the order of the wishes."""
        mine = [row for row in rows if name is None or row['name'] == name]
        return [row for node in nodes for row in find(mine, kind.port_column, node, resolve)]

    def lacks(rows):
        reasons = []
        mine = [row for row in rows if name is None or row['name'] == name]
        for node, previous_start_time in wishes:
            found = find(mine, kind.port_column, node, resolve)
            if state == DECOMMISSIONED:
                reasons += ['%s still holds %s tablets' % (_sql_address.join_host_port(*node), row['tablet_num'])
                            for row in found]
                continue
            reason = _wait.node_lacks(found[0] if found else None, previous_start_time)
            if reason:
                reasons.append('%s %s' % (_sql_address.join_host_port(*node), reason))
        return reasons

    change, seen = module.converge(read, decide, again_at_end=state == ABSENT)
    rows = change.rows
    if module.params['wait'] and not module.check_mode and state != ABSENT:
        title = 'not all %ss were %s' % (kind.title, 'alive' if state == PRESENT else 'gone')
        rows = ours(module.wait_until(read, lacks, title, lambda last: dict(nodes=ours(last)), seen))
    return dict(nodes=rows, diff=dict(before=change.before, after=change.after))
