# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules for back ends, compute nodes and brokers share: from the option ``nodes`` to a result."""

import re

from ansible_collections.starrocks.cluster.plugins.module_utils import _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._blacklist import hold_blacklist
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import (
    ABSENT,
    DECOMMISSIONED,
    PRESENT,
    read_start_time,
    refuse_rename,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import StatementError
from ansible_collections.starrocks.cluster.plugins.module_utils._node_changes import (
    DISK_STATES,
    Finder,
    Node,
    decide_disks,
    decide_nodes,
    duplicates,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import (
    Resolver,
    check_host,
    check_port,
    is_address,
    join_host_port,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import address_of, disks_table

# What StarRocks takes as a location (section 2.1); blanks in it mean nothing.
_LOCATION = re.compile(r'^[a-z_0-9]+:[a-z_0-9]+$')

# What open-source builds of all recorded versions answer to every statement about single disks (section 0.19).
_NO_DISKS = 'not support'


def _read_location(text):
    location = re.sub(r'\s', '', text)
    if location and not _LOCATION.match(location):
        raise ValueError('%r is no location such as rack:r1 (small letters, digits and underscores around one colon; '
                         'an empty text is none)' % text[:80])
    return location


def _read_warehouse(text):
    if not text.strip() or '\0' in text:
        raise ValueError('a warehouse needs a name')
    return text


def _disk_states(entries):
    disks = {}
    for entry in entries:
        path = entry['path']
        if not path.startswith('/') or '\0' in path:
            raise ValueError('%r is no path of a disk: name it as in storage_root_path' % path[:80])
        if path in disks:
            raise ValueError('%s is named twice' % path)
        disks[path] = entry['state']
    return disks


# What an entry of nodes may say besides where the node is: field of Node -> (its argument, how it is read). Those that
# have a default for all nodes are options of the module too.
_FIELDS = {
    'location': (dict(type='str'), _read_location),
    'warehouse': (dict(type='str'), _read_warehouse),
    'blacklisted': (dict(type='bool'), bool),
    'renamed_from': (dict(type='str'), check_host),
    'disks': (dict(type='list', elements='dict', options=dict(
        path=dict(type='str', required=True),
        state=dict(type='str', choices=sorted(DISK_STATES), required=True))), _disk_states),
    'previous_start_time': (dict(type='str'), read_start_time),
}
_FOR_ALL = ('location', 'warehouse', 'blacklisted')


def node_arguments(kind, fields=()):
    """The option ``nodes`` with these fields of Node, and the options that are defaults for all nodes."""
    options = dict(host=dict(type='str', required=True))
    options[kind.port_option] = dict(type='int')
    options.update((field, _FIELDS[field][0]) for field in fields)
    arguments = dict(nodes=dict(type='list', elements='dict', options=options))
    arguments[kind.port_option] = dict(type='int', default=kind.default_port)
    arguments.update((field, _FIELDS[field][0]) for field in fields if field in _FOR_ALL)
    return arguments


def _read_options(given, prefix, readers):
    """``(values, findings)`` of the options that are ``given``; ``prefix`` stands before their names in findings.

    ``readers``: list of (field of Node, option, function that reads it or raises ValueError).
    """
    values, findings = {}, []
    for field, option, read in readers:
        if given.get(option) is None:
            continue
        try:
            values[field] = read(given[option])
        except ValueError as error:
            findings.append('%s%s: %s' % (prefix, option, error))
    return values, findings


def wished_nodes(params, kind, resolve, may_be_none=False):
    """``(list of Node, findings)``: the option ``nodes``, checked, and all that is wrong with it in words."""
    readers = [('host', 'host', check_host), ('port', kind.port_option, check_port)]
    readers += [(field, field, read) for field, (dummy, read) in sorted(_FIELDS.items())]
    for_all, findings = _read_options(params, '', [
        reader for reader in readers if reader[0] == 'port' or reader[0] in _FOR_ALL])
    nodes = []
    for place, entry in enumerate(params['nodes'] or ()):
        own, found = _read_options(entry, 'nodes[%d].' % place, readers)
        findings += found
        values = dict(for_all, **own)
        if 'host' in values and values.get('renamed_from'):
            findings += refuse_rename('nodes[%d]:' % place, values['renamed_from'], values['host'])
        if 'host' in values and 'port' in values:
            nodes.append(Node(**values))
    resolve.prepare([node.host for node in nodes] + [node.renamed_from for node in nodes if node.renamed_from])
    for node in duplicates(nodes, resolve):
        findings.append('nodes: %s is named twice, by spelling or by name resolution, and StarRocks would add it twice'
                        % join_host_port(node.host, node.port))
    for node in duplicates([Node(node.renamed_from, node.port) for node in nodes if node.renamed_from], resolve):
        findings.append('nodes: %s is named twice in renamed_from' % join_host_port(node.host, node.port))
    if not params['nodes'] and not (may_be_none and params['nodes'] is None):
        findings.append('nodes is empty: name at least one %s' % kind.title)
    return nodes, findings


def run_nodes(module, kind, name=None, findings=()):
    """The whole of starrocks_backend, starrocks_compute_node and starrocks_broker.

    ``name``: of brokers. ``findings``: what is wrong with other options.
    """
    return _Run(module, kind, name, findings).result()


def _still_there(address, row):
    if not row['system_decommissioned']:
        return '%s was added twice, and StarRocks decommissions one of the two at a time: run this again' % address
    if row['tablet_num']:
        return '%s still holds %d tablets' % (address, row['tablet_num'])
    return ('%s holds no tablets any more, but is not dropped yet (it never is with drop_backend_after_decommission = '
            'false)' % address)


class _Run(object):
    """One module call for one list of nodes: register or drop them, blacklists, the wait, disks."""

    def __init__(self, module, kind, name, findings):
        self.module = module
        self.kind = kind
        self.name = name
        self.state = module.params['state']
        self.force = module.params.get('force', False)
        self.resolve = Resolver()
        self.nodes, wrong = wished_nodes(module.params, kind, self.resolve, name is not None and self.state == ABSENT)
        module.refuse(list(findings) + wrong)
        self.results = {}

    def result(self):
        module = self.module
        change, seen = module.converge(self.read, self.decide, again_at_end=self._reads_again())
        if module.check_mode:
            module.queries.extend(change.later)
        self.results.update(self.shown(change.rows), diff=dict(before=change.before, after=change.after))
        if self.state != ABSENT:
            if any(node.blacklisted is not None for node in self.nodes):
                seen = self._hold_blacklists(seen)
            if module.params['wait'] and not module.check_mode:
                seen = module.wait_until(self.read, self.lacks, self._title(), self._results_on_failure, seen)
                self.results.update(self.shown(seen))
        if self.state == PRESENT and any(node.disks for node in self.nodes):
            self._change_disks(seen)
        return self.results

    def read(self):
        return self.module.session.rows(self.kind.table)

    def decide(self, rows):
        return decide_nodes(self.kind, rows, self.nodes, self.state, self.resolve, force=self.force, name=self.name)

    def _reads_again(self):
        """Whether the listing has to be read again after the last statement.

        DROP takes one of the rows of a node that was added twice; and by which address a node that is added by its name
        is given a location, the listing alone tells.
        """
        return self.state == ABSENT or any(
            node.location and not is_address(node.host) for node in self.nodes)

    def ours(self, rows):
        """``[(Node, its rows)]`` in the order of the wishes."""
        finder = Finder([row for row in rows if self.name is None or row['name'] == self.name], self.kind.table.port,
                        self.resolve)
        return [(node, finder(node)) for node in self.nodes]

    def shown(self, rows):
        """What is returned of a listing."""
        ours = self.ours(rows)
        shown = dict(nodes=[row for dummy, found in ours for row in found])
        if self.state == DECOMMISSIONED:
            # A back end that is not there any more has none left.
            shown['tablets_left'] = {join_host_port(node.host, node.port):
                                     sum(row['tablet_num'] or 0 for row in found) for node, found in ours}
        return shown

    def _results_on_failure(self, rows):
        return {key: value for key, value in dict(self.results, **self.shown(rows)).items() if key != 'diff'}

    def _title(self):
        return 'not all %ss were %s' % (self.kind.title, 'alive' if self.state == PRESENT else 'gone')

    def lacks(self, rows):
        reasons = []
        for node, found in self.ours(rows):
            if self.state == DECOMMISSIONED:
                reasons += [_still_there(address_of(self.kind.table, row), row) for row in found]
                continue
            reason = _wait.node_lacks(found[0] if found else None, node.previous_start_time)
            if reason:
                reasons.append('%s %s' % (join_host_port(node.host, node.port), reason))
        return reasons

    def _say(self, before, after):
        self.results['diff']['before'].update(before)
        self.results['diff']['after'].update(after)

    def _hold_blacklists(self, seen):
        """Set and clear entries of the front ends' lists; returns the rows by which they were found."""
        rows = self.read() if seen is None else seen
        wishes, addresses = {}, {}
        for node, found in self.ours(rows):
            if node.blacklisted is None:
                continue
            for row in found:
                addresses[row[self.kind.table.id]] = address_of(self.kind.table, row)
                wishes[row[self.kind.table.id]] = node.blacklisted
            if not found and node.blacklisted and self.module.check_mode:
                address = join_host_port(node.host, node.port)
                addresses['<id of %s>' % address] = address
                wishes['<id of %s>' % address] = True
        reports, before, after = hold_blacklist(self.module, self.kind, wishes, addresses) if wishes else ([], {}, {})
        self.results['blacklists'] = reports
        self._say(before, after)
        return rows

    def _change_disks(self, seen):
        rows = self.read() if seen is None else seen
        wishes, numbers = {}, {}
        for node, found in self.ours(rows):
            if node.disks:
                address = address_of(self.kind.table, found[0]) if found else join_host_port(node.host, node.port)
                wishes[address] = node.disks
                numbers[address] = found[0][self.kind.table.id] if found else None

        def read():
            return {address: None if number is None else self.module.session.rows(disks_table(number))
                    for address, number in numbers.items()}

        def decide(disks):
            return decide_disks(disks, wishes, self.force)

        try:
            change, disks = self.module.converge(read, decide)
        except StatementError as error:
            if _NO_DISKS not in error.words:
                raise
            raise Failure('%s. To do: this build of StarRocks changes no single disks, only the Enterprise Edition '
                          'does. Take the disk out of storage_root_path in be.conf and restart the back end, or '
                          'decommission the whole back end' % str(error).rstrip('. '))
        self._say(change.before, change.after)
        self.results['disks'] = [dict(disk, node=address) for address, shown in sorted((disks or read()).items())
                                 for disk in shown or () if disk['root_path'] in wishes[address]]
