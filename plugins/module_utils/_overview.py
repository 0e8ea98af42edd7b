# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the tables of a cluster: pure functions of typed rows (see _tables), no I/O."""

from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none

NODE_TABLES = ('frontends', 'backends', 'compute_nodes', 'brokers')
SUBSETS = NODE_TABLES + ('statistic', 'unhealthy', 'disks', 'warehouses', 'balance')

# The four settings by which balancing is switched off for an upgrade (starrocks.md section 7.3), by their proper names.
BALANCE_SETTINGS = ('tablet_sched_max_scheduling_tablets', 'tablet_sched_max_balancing_tablets',
                    'tablet_sched_disable_balance', 'tablet_sched_disable_colocate_balance')
SHOW_BALANCE_SETTINGS = "ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched%'"
SHOW_SCHEDULING = "SHOW PROC '/cluster_balance'"

# Columns of '/statistic' that are 0 in a healthy database.
UNHEALTHY = ('unhealthy_tablet_num', 'inconsistent_tablet_num', 'error_state_tablet_num')

SHARED_DATA = 'shared_data'
SHARED_NOTHING = 'shared_nothing'
WAREHOUSES_SINCE = (3, 3)


def chosen_subsets(wishes):
    """``(names, findings)``: the subsets that ``wishes`` means, in the order of SUBSETS, and what is wrong with them.

    ``all``, a name, or a name with ``!`` to leave it out; with nothing but names to leave out, all others are meant.
    """
    known = SUBSETS + ('all',)
    findings = ['subset: %s is none of all, %s, each also with ! before it' % (wish, ', '.join(SUBSETS))
                for wish in wishes if (wish[1:] if wish.startswith('!') else wish) not in known]
    without = {wish[1:] for wish in wishes if wish.startswith('!')}
    with_ = {wish for wish in wishes if not wish.startswith('!')} or ({'all'} if without else set())
    names = [name for name in SUBSETS if (name in with_ or 'all' in with_) and name not in without]
    return ([] if 'all' in without else names), findings


def version_of(frontends, leader):
    """The leader's version, else that of a front end that is alive, else None."""
    shown = [leader] if leader else []
    shown += [row for row in frontends if row['alive']]
    return next((row['version'] for row in shown if row.get('version')), None)


def versions_of(tables):
    """``(versions, mixed)``: per table that was read, version -> number of nodes; and whether there is more than one.

    Nodes that never said their version are not counted. Brokers have none.
    """
    versions = {}
    for name in NODE_TABLES[:3]:
        if tables.get(name) is not None:
            counts = versions.setdefault(name, {})
            for row in tables[name]:
                if row.get('version'):
                    counts[row['version']] = counts.get(row['version'], 0) + 1
    return versions, len(set().union(*versions.values())) > 1


def run_mode_of(columns, version):
    """shared_data, shared_nothing, or None where it cannot be told.

    ``columns``: table name -> columns. Shared-data clusters show a WorkerId, also where there is no node (sections 1.3,
    1.4). Before 3.0 there was but one mode.
    """
    told = [columns[name] for name in ('backends', 'compute_nodes') if name in columns]
    if not told:
        return None
    parsed = parse_or_none(version)
    if parsed is not None and parsed.line < (3, 0):
        return SHARED_NOTHING
    return SHARED_DATA if any('worker_id' in names for names in told) else SHARED_NOTHING


def totals_of(tables):
    """Nodes registered and alive, by table that was read; tablets and bytes of all back ends together."""
    totals = dict.fromkeys(NODE_TABLES)
    for name in NODE_TABLES:
        if tables.get(name) is not None:
            rows = tables[name]
            totals[name] = {'registered': len(rows), 'alive': len([row for row in rows if row['alive']])}
    backends = tables.get('backends')
    for column in ('tablet_num', 'data_used_capacity', 'avail_capacity', 'total_capacity'):
        totals[column] = None if backends is None else sum(row.get(column) or 0 for row in backends)
    total = totals['total_capacity']
    totals['used_pct'] = round(100.0 * (total - totals['avail_capacity']) / total, 2) if total else None
    return totals


def unhealthy_of(databases):
    """The rows of '/statistic' with tablets that are unhealthy, inconsistent or in an error state."""
    return [row for row in databases if any(row.get(column) for column in UNHEALTHY)]


def scheduling_of(rows):
    """Item -> number, from the dicts of '/cluster_balance'."""
    return {row['item']: int(row['number']) for row in rows}


_SETTING_READERS = {'boolean': lambda text: text == 'true', 'int': int, 'long': int, 'short': int, 'double': float}


def balance_of(settings, scheduling):
    """What is known of balancing. ``settings`` and ``scheduling``: dicts from the two statements above.

    ``enabled``: whether the settings allow tablets to be moved between back ends.
    """
    typed = dict.fromkeys(BALANCE_SETTINGS)
    for row in settings:
        if row['key'] in typed:
            typed[row['key']] = _SETTING_READERS.get(row['type'], str)(row['value'])
    most_scheduled, most_balanced, disabled = [typed[name] for name in BALANCE_SETTINGS[:3]]
    known = None not in (most_scheduled, most_balanced, disabled)
    enabled = (not disabled and most_scheduled > 0 and most_balanced > 0) if known else None
    return {'settings': typed, 'enabled': enabled, 'scheduling': scheduling_of(scheduling)}
