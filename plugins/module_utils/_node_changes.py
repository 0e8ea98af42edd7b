# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From rows of a listing and wishes to a Change: back ends, compute nodes and brokers. Pure functions, no I/O.

The three are the same thing with different words, told apart by a NodeKind. What only one kind has (a location, a
warehouse, disks) is an attribute of the wish that the others never carry.
"""

from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils import _statements
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import (
    ABSENT,
    BACKEND_BLACKLIST,
    COMPUTE_NODE_BLACKLIST,
    DECOMMISSIONED,
    DISKS,
    IPV6,
    LOCATIONS,
    PRESENT,
    WAREHOUSES,
    Change,
    find_renamed,
    refuse_rename,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import (
    is_address,
    is_ipv4,
    is_loopback,
    join_host_port,
    normalise,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import (
    BACKENDS,
    BROKERS,
    COMPUTE_NODES,
    address_of,
    place_of,
)

NodeKind = namedtuple('NodeKind', ('title', 'table', 'port_option', 'default_port', 'noun', 'blacklist'))
NodeKind.__doc__ = """``port_option`` wishes what the column ``table.port`` shows; ``noun`` is the kind's name in
statements (for brokers completed by their name); ``blacklist`` the Feature, if the kind has one."""

BACKEND = NodeKind('back end', BACKENDS, 'heartbeat_service_port', 9050, 'BACKEND', BACKEND_BLACKLIST)
COMPUTE_NODE = NodeKind('compute node', COMPUTE_NODES, 'heartbeat_service_port', 9050, 'COMPUTE NODE',
                        COMPUTE_NODE_BLACKLIST)
BROKER = NodeKind('broker', BROKERS, 'broker_ipc_port', 8000, 'BROKER', None)

Node = namedtuple('Node', ('host', 'port', 'location', 'warehouse', 'renamed_from', 'blacklisted', 'disks',
                           'previous_start_time'))
Node.__doc__ = """A node as the user wishes it; None where nothing is wished. ``location`` has no blanks, '' is none;
``renamed_from`` is the host by which it may still be registered; ``disks`` a dict of root path -> disk state."""
Node.__new__.__defaults__ = (None,) * 6

# The warehouse that every cluster has, and where nodes go that are added without a word of warehouses (section 1.3).
DEFAULT_WAREHOUSE = 'default_warehouse'

# Words of the option -> the column State of SHOW PROC '/backends/<id>' (DiskInfo.DiskState in StarRocks' source;
# OFFLINE, a broken disk, cannot be wished).
ONLINE, DISABLED = 'online', 'disabled'
DISK_STATES = {ONLINE: 'ONLINE', DISABLED: 'DISABLED', DECOMMISSIONED: 'DECOMMISSIONED'}


class Finder(object):
    """``finder(node)`` -> all rows that mean ``node``: usually one; more if it was added twice (section 0.8).

    A row that shows the very host that is wished is preferred to one that means it by name resolution. Names are
    looked up only where the spelling does not tell, and each row once, so that a hundred nodes cost no more than they
    must.
    """

    def __init__(self, rows, port_column, resolve):
        self._rows = rows
        self._port_column = port_column
        self._resolve = resolve
        # (host, port) -> positions of the rows that show it
        self._shown = {}
        # (address, port) -> positions of the rows whose name has that address; made when it is first needed
        self._meant = None
        for position, row in enumerate(rows):
            self._shown.setdefault((normalise(row['host']), row[port_column]), []).append(position)

    def __call__(self, node):
        return [self._rows[position] for position in
                self._shown.get((normalise(node.host), node.port)) or sorted(self._by_resolution(node))]

    def others(self, node):
        """As a call, but by spelling and by name resolution alike."""
        return [self._rows[position] for position in sorted(
            self._by_resolution(node).union(self._shown.get((normalise(node.host), node.port), ())))]

    def _by_resolution(self, node):
        if self._meant is None:
            self._meant = {}
            for position, row in enumerate(self._rows):
                if not is_address(row['host']):
                    for address in self._resolve(row['host']):
                        self._meant.setdefault((address, row[self._port_column]), []).append(position)
        if is_address(node.host):
            return set(self._meant.get((normalise(node.host), node.port), ()))
        positions = set()
        for address in self._resolve(node.host):
            positions.update(self._shown.get((address, node.port), ()))
            # Debian maps each host's own name to 127.0.1.1: a shared loopback address makes no two names one host.
            if not is_loopback(address):
                positions.update(self._meant.get((address, node.port), ()))
        return positions


def duplicates(nodes, resolve):
    """Nodes that mean one that stands before them: StarRocks adds an address twice if told so twice (section 0.8)."""
    finder = Finder([dict(host=node.host, port=node.port, place=place) for place, node in enumerate(nodes)], 'port',
                    resolve)
    return [node for place, node in enumerate(nodes) if any(twin['place'] < place for twin in finder.others(node))]


def is_shared_data(row):
    """Only a cluster in shared-data mode lists workers (sections 1.3, 1.4)."""
    return 'worker_id' in row


def decide_nodes(kind, rows, nodes, state, resolve, force=False, name=None):
    """The Change that brings ``nodes`` of one ``kind`` to ``state`` (present, absent, decommissioned).

    ``rows``: typed rows of the kind's table. ``name``: of brokers, whose rows count only under that name; with no
    nodes and state absent, all brokers of the name are meant. ``force`` drops back ends that hold data.
    """
    noun = kind.noun
    if name is not None:
        rows = [row for row in rows if row['name'] == name]
        noun = _statements.broker_noun(name)
        if state == ABSENT and not nodes:
            nodes = [Node(row['host'], row['port']) for row in rows]
    if state == PRESENT:
        return _Presence(kind, noun, rows, name, resolve).change(nodes)
    finder = Finder(rows, kind.table.port, resolve)
    matches = [(node, finder(node)) for node in nodes]
    if state == DECOMMISSIONED:
        return _decide_decommissioned(kind, matches)
    return _decide_absent(kind, noun, matches, force, len(rows), name)


class _Presence(object):
    """One decision for state present, collected node by node."""

    def __init__(self, kind, noun, rows, name, resolve):
        self.kind = kind
        self.noun = noun
        self.rows = rows
        self.name = name
        self.resolve = resolve
        self.finder = Finder(rows, kind.table.port, resolve)
        self.before, self.after = {}, {}
        self.missing, self.leaving, self.predicted = [], [], []
        self.renames, self.locations, self.later = [], [], []
        self.refusals, self.needs = [], []

    def change(self, nodes):
        for node in nodes:
            found, is_renamed = self._find(node)
            if found and not is_renamed:
                found = self._rename(found, node, nodes)
            for row in found:
                self._keep(row, node)
            if not found and node.renamed_from is None:
                self._add(node)
        additions = [_statements.add_nodes(self.noun, [(node.host, node.port) for node in group], warehouse)
                     for warehouse, group in _grouped(self.missing, lambda node: node.warehouse)]
        leaving = _stored(self.kind, self.leaving)
        cancel = [_statements.cancel_decommission_backends(leaving)] if leaving else []
        return Change(self.renames + additions + cancel + self.locations, self.before, self.after, self.predicted,
                      self.refusals, [], self.needs, self.later)

    def _find(self, node):
        """``(rows, whether they need no renaming)``; a refusal where there is none to rename."""
        if node.renamed_from is None:
            return self.finder(node), True
        of_port = [row for row in self.rows if row[self.kind.table.port] == node.port]
        found, is_renamed = find_renamed(of_port, node.renamed_from, node.host, self.resolve)
        if not found:
            self.refusals.append(
                'no %s is registered as %s or as %s, so there is none to rename: look at renamed_from, or leave it out '
                'to register a new one' % (self.kind.title, join_host_port(node.renamed_from, node.port),
                                           join_host_port(node.host, node.port)))
        return found, is_renamed

    def _rename(self, found, node, nodes):
        """The rows as they will be called.

        MODIFY BACKEND HOST names no port, and renames the first of the back ends of that host which StarRocks comes
        across (SystemInfoService.modifyBackendHost): with several of them on one host, all have to go, one statement
        each.
        """
        self._refuse_rename(found[0], node, nodes)
        renamed = [dict(row, host=node.host) for row in found]
        for old, new in zip(found, renamed):
            self.renames.append(_statements.rename_backend(old['host'], node.host))
            address = self._address(new)
            self._say(address + ' known as', self._address(old), address)
        return renamed

    def _refuse_rename(self, row, node, nodes):
        title, address = self.kind.title, self._address(row)
        self.refusals += refuse_rename(title, row['host'], node.host)
        if is_shared_data(row):
            self.refusals.append('%s %s cannot be renamed: StarRocks does not rename back ends in shared-data mode. '
                                 'Remove it and add it again' % (title, address))
        going = [other.port for other in nodes
                 if other.renamed_from is not None and normalise(other.host) == normalise(node.host)]
        staying = [self._address(other) for other in self.rows
                   if other['host'] == row['host'] and other[self.kind.table.port] not in going]
        if staying:
            self.refusals.append(
                '%s cannot be renamed alone: StarRocks does not say which %s of a host it renames. Give %s the same '
                'new host and renamed_from in the same call' % (address, title, ', '.join(staying)))

    def _add(self, node):
        address = join_host_port(node.host, node.port)
        self.missing.append(node)
        self._say(address, ABSENT, PRESENT)
        if ':' in node.host:
            self.needs.append(IPV6)
        row = {'host': node.host, self.kind.table.port: node.port, 'alive': False, 'err_msg': ''}
        if self.name is not None:
            row['name'] = self.name
        if node.warehouse is not None:
            self.needs.append(WAREHOUSES)
            row['warehouse_name'] = node.warehouse
        if node.location:
            row['location'] = node.location
            self._locate(address, node.host, None, node.location)
        self.predicted.append(row)

    def _keep(self, row, node):
        address = self._address(row)
        self.refusals += _refuse_warehouse(self.kind, row, node.warehouse)
        leaving = bool(row.get('system_decommissioned'))
        self._say(address, DECOMMISSIONED if leaving else PRESENT, PRESENT)
        changed = dict(row)
        if leaving:
            changed['system_decommissioned'] = False
            self.leaving.append(row)
        if node.location is not None and node.location != (row.get('location') or ''):
            changed['location'] = node.location or None
            self._locate(address, row['host'], row.get('location'), node.location)
        self.predicted.append(changed)

    def _locate(self, address, host, old, new):
        if ':' in host:
            self.refusals.append('%s %s can have no location: StarRocks reads no IPv6 address in that statement. '
                                 'Register it by its name' % (self.kind.title, address))
        self.needs.append(LOCATIONS)
        self._say(address + ' location', old or '', new)
        statement = _statements.set_location(address, new)
        is_new = self.before[address] == ABSENT
        # In IP mode a name that is added is stored as its address, which only the listing tells (section 2.4).
        place = self.later if is_new and not is_ipv4(host) else self.locations
        if statement not in place:
            place.append(statement)

    def _address(self, row):
        return address_of(self.kind.table, row)

    def _say(self, what, before, after):
        self.before[what] = before
        self.after[what] = after


def _refuse_warehouse(kind, row, warehouse):
    """Reasons why a registered node cannot be in ``warehouse`` (None: any): StarRocks moves none (section 2.1)."""
    if warehouse is None:
        return []
    shown = row.get('warehouse_name') or DEFAULT_WAREHOUSE
    if shown.lower() == warehouse.lower():
        return []
    return ['%s %s is in warehouse %s, not %s, and StarRocks does not move it: remove it (state: absent) and add it '
            'again' % (kind.title, address_of(kind.table, row), shown, warehouse)]


def _grouped(things, key):
    """``[(key, things)]`` in the order in which the keys come first."""
    groups = []
    for thing in things:
        for known, members in groups:
            if known == key(thing):
                members.append(thing)
                break
        else:
            groups.append((key(thing), [thing]))
    return groups


def _state(row):
    return DECOMMISSIONED if row.get('system_decommissioned') else PRESENT


def _said(kind, matches, state):
    """``(before, after)`` where every node of ``matches`` that is there comes to ``state``."""
    before = {address_of(kind.table, row): _state(row) for dummy, rows in matches for row in rows}
    after = dict.fromkeys(before, state)
    nowhere = {join_host_port(node.host, node.port): ABSENT for node, rows in matches if not rows}
    return dict(before, **nowhere), dict(after, **nowhere)


def _stored(kind, rows):
    """``(host, port)`` of ``rows``, each once."""
    addresses = []
    for row in rows:
        if place_of(kind.table, row) not in addresses:
            addresses.append(place_of(kind.table, row))
    return addresses


def _decide_absent(kind, noun, matches, force, registered, name):
    there = [row for dummy, rows in matches for row in rows]
    refusals = []
    for node, rows in matches:
        for row in rows:
            refusals += _refuse_warehouse(kind, row, node.warehouse)
            refusals += [] if force else _refuse_loss(kind, row)
    if name is not None and there and len(there) == registered:
        # Dropping the last address would leave the empty name behind (section 3.4).
        statements = [_statements.drop_all_brokers(name)]
    else:
        # Without a warehouse, DROP looks for a node in the default one alone (section 3.4).
        statements = [_statements.drop_nodes(noun, _stored(kind, rows), warehouse, force and kind is BACKEND)
                      for warehouse, rows in _grouped(there, _other_warehouse)]
    before, after = _said(kind, matches, ABSENT)
    return Change(statements, before, after, [], refusals, [])


def _other_warehouse(row):
    warehouse = row.get('warehouse_name')
    return None if warehouse is None or warehouse.lower() == DEFAULT_WAREHOUSE else warehouse


def _refuse_loss(kind, row):
    """Reasons not to drop a node for what it holds.

    Compute nodes, and back ends in shared-data mode, show tablets too, but these are a cache: nothing is lost.
    """
    if kind is not BACKEND or is_shared_data(row) or not row.get('tablet_num'):
        return []
    return ['back end %s holds %d tablets: dropping it can lose data. Move them away first with state: decommissioned, '
            'or throw them away with force: true' % (address_of(kind.table, row), row['tablet_num'])]


def _decide_decommissioned(kind, matches):
    """Of a node that was added twice StarRocks decommissions one row, and the next one once that is gone.

    Source: SystemInfoService.decommissionBackend, which asks for the one back end of an address.
    """
    there = [row for dummy, rows in matches for row in rows]
    leaving = _stored(kind, [row for row in there if _state(row) == DECOMMISSIONED])
    staying = _stored(kind, [row for row in there if _state(row) == PRESENT])
    addresses = [address for address in staying if address not in leaving]
    before, after = _said(kind, matches, DECOMMISSIONED)
    before.update((join_host_port(*address), DECOMMISSIONED) for address in leaving)
    going = list(addresses)
    rows = []
    for row in there:
        address = place_of(kind.table, row)
        if address in going:
            going.remove(address)
            row = dict(row, system_decommissioned=True)
        rows.append(row)
    return Change([_statements.decommission_backends(addresses)] if addresses else [], before, after, rows, [], [])


# How a disk gets from one state to another (section 2.1). It is brought back before it goes another way.
_BACK = {'DECOMMISSIONED': 'CANCEL DECOMMISSION', 'DISABLED': 'CANCEL DISABLE'}
_AWAY = {'DECOMMISSIONED': 'DECOMMISSION', 'DISABLED': 'DISABLE'}


def decide_disks(disks_by_address, wishes, force=False):
    """The Change that brings single disks of back ends to their states.

    ``disks_by_address``: ``host:port`` -> typed rows of SHOW PROC '/backends/<id>', None for a back end that is not
    registered yet, whose disks are taken to be online. ``wishes``: ``host:port`` -> dict of root path -> state.
    ``force`` disables disks that hold data.
    """
    steps, before, after, refusals = [], {}, {}, []
    for address, wished in wishes.items():
        rows = disks_by_address.get(address)
        shown = {path: {'state': 'ONLINE'} for path in wished} if rows is None else {
            row['root_path']: row for row in rows}
        for path in sorted(wished):
            goal = DISK_STATES[wished[path]]
            row = shown.get(path)
            what = '%s disk %s' % (address, path)
            if row is None:
                refusals.append('back end %s shows no disk %s, but %s: name it as in storage_root_path'
                                % (address, path, ', '.join(sorted(shown)) or 'none so far'))
                continue
            before[what], after[what] = row['state'].lower(), goal.lower()
            if row['state'] == goal:
                continue
            refusals += _refuse_disk(address, path, row, goal, force)
            steps += [(action, address, path)
                      for action in (_BACK.get(row['state']), _AWAY.get(goal)) if action is not None]
    refusals += ['%s: StarRocks reads no IPv6 address in statements about disks. Register the back end by its name'
                 % address for address in sorted({address for dummy, address, dummy2 in steps if '[' in address})]
    # All that comes back comes before what goes.
    steps.sort(key=lambda step: not step[0].startswith('CANCEL'))
    statements = [_statements.change_disks(action, [path for dummy, dummy2, path in group], address)
                  for (action, address), group in _grouped(steps, lambda step: step[:2])]
    return Change(statements, before, after, [], refusals, [], [DISKS] if statements else [])


def _refuse_disk(address, path, row, goal, force):
    if row['state'] == 'OFFLINE':
        return ['disk %s of back end %s is OFFLINE, which means that the back end cannot use it: mend or replace it, '
                'or take it out of storage_root_path and restart the back end' % (path, address)]
    if goal == 'DISABLED' and row.get('tablet_num') and not force:
        return ['disk %s of back end %s holds %d tablets, which disabling drops: move them away first with state: '
                'decommissioned, or throw them away with force: true' % (path, address, row['tablet_num'])]
    return []
