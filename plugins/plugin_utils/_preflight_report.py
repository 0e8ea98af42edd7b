# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a run are like together: checks of several hosts, and one table of all that was found.

A *host* here is a dict: name (in the inventory), seen (its fact starrocks_host, None where it was not looked at),
problem (why not, a text), network (rows of starrocks_connectivity). ``kinds``: kind -> inventory names.
A *finding* is a check as in module_utils/_checks.py with the key hosts, the names of those that it is about.
"""

from __future__ import annotations

import collections
import itertools
import textwrap

from ansible_collections.starrocks.cluster.plugins.module_utils._checks import FAILURE, OK, WARNING, check
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight import CHECKS

WORST_FIRST = (FAILURE, WARNING)

CLOCK_WARNING = 1.0
"""Seconds. Clocks that a time client keeps differ by milliseconds."""

CLOCK_FAILURE = 5.0
"""Seconds: max_bdbje_clock_delta_ms, beyond which a front end does not start (starrocks.md 4.3)."""

NAMES_OF_UTC = frozenset(('UTC', 'Etc/UTC', 'Universal', 'Etc/Universal', 'Zulu', 'Etc/Zulu', 'UCT', 'Etc/UCT'))

NO_CLUSTER_ID = (None, '', '-1', -1)
"""What the storage of a back end says that belongs to no cluster yet."""

NAMES_SHOWN = 6
"""Names in a text; of more it says how many."""

WIDTH = 118

HOSTS_WIDTH = 24

HEADERS = ('STATUS', 'CHECK', 'HOSTS', 'FOUND')


def finding(hosts, name: str, status: str, found: str, needed: str = '', fix: str = '') -> dict:
    """Return a finding about the named hosts."""
    return dict(check(name, status, found, needed, fix), hosts=list(hosts))


def listed(names) -> str:
    """Return names as text, the first few of many."""
    names = list(names)
    if len(names) <= NAMES_SHOWN:
        return ', '.join(names)
    return '%s and %d more' % (', '.join(names[:NAMES_SHOWN - 1]), len(names) - NAMES_SHOWN + 1)


# --- the hosts of a run ----------------------------------------------------------------------------------------------

def gather_hosts(names: list[str], hostvars, active: list[str], batch: list[str]) -> list[dict]:
    """Return the hosts of a run.

    ``names``: all of the play, ``active``: those that have not failed, ``batch``: those whose turn it is (serial).
    """
    return [_gather_host(name, hostvars[name], name in active)
            for name in names if name in batch or name not in active]


def _gather_host(name: str, variables, active: bool) -> dict:
    look = variables.get('_starrocks_look') or {}
    seen = variables.get('starrocks_host') or None
    problem = ''
    if look.get('unreachable') or look.get('failed'):
        problem = ' '.join(str(look.get('msg') or 'it was not said why').split())[:300]
        problem = problem.removeprefix('Task failed: ')
    elif not active:
        problem = 'it left this run with an error (see above)'
    elif not seen:
        problem = 'it was not looked at'
    return {'name': name, 'seen': None if problem else seen, 'problem': problem,
            'network': _network_rows(variables.get('_starrocks_connectivity') or {})}


def _network_rows(result: dict) -> list[dict]:
    """Return the rows of a result of starrocks_connectivity, also of one that failed."""
    if result.get('failed'):
        return [check('network', WARNING, 'not known: the check itself failed (%s)' % ' '.join(
            str(result.get('msg')).split())[:300], 'hosts that reach each other')]
    return [dict(row) for row in result.get('checks') or []]


def front_ends(hosts: list[dict]) -> list[dict]:
    """Return the hosts whose front end was looked at, by name. A play without the role fe looks at none."""
    return sorted((host for host in hosts if host['seen']
                   and any(node['kind'] == 'fe' for node in host['seen'].get('nodes') or [])),
                  key=lambda host: host['name'])


# --- checks of several hosts -----------------------------------------------------------------------------------------

def check_connection(hosts: list[dict], kinds: dict) -> list[dict]:
    """Every host must have been looked at, or nobody knows what a run would do to it."""
    findings = [finding([host['name']], 'connection', FAILURE, host['problem'],
                        'a host that Ansible reaches and can run modules on',
                        'Mend that (try: ansible %s -m ansible.builtin.ping), or leave the host out by --limit.'
                        % host['name'])
                for host in hosts if host['problem']]
    reached = [host['name'] for host in hosts if not host['problem']]
    return findings + ([finding(reached, 'connection', OK, 'reached')] if reached else [])


def check_clock_skew(hosts: list[dict], kinds: dict) -> list[dict]:
    """The clocks of front ends must agree: the two that differ most, and each other one that is off the middle."""
    measured, findings = [], []
    for host in front_ends(hosts):
        clock = host['seen'].get('clock') or {}
        if clock.get('offset') is None:
            findings.append(host['name'])
        else:
            measured.append((clock['offset'], host['name'], clock['error']))
    unknown = [finding(findings, 'clock_skew', WARNING, 'the clock could not be read',
                       'clocks of front ends that agree', 'See whether `date +%s.%N` answers there.')]
    unknown = unknown if findings and len(findings) + len(measured) > 1 else []
    if len(measured) < 2:
        return unknown
    measured.sort()
    first, last, middle = measured[0], measured[-1], measured[(len(measured) - 1) // 2]
    if last[0] - first[0] < CLOCK_WARNING:
        return unknown + [finding([name for dummy, name, dummy in measured], 'clock_skew', OK,
                                  'all within %s' % _seconds(last[0] - first[0]))]
    others = [one for one in measured if one not in (first, last) and abs(one[0] - middle[0]) >= CLOCK_WARNING]
    others.sort(key=lambda one: -abs(one[0] - middle[0]))
    return [_skew(first, last)] + [_skew(*sorted((one, middle))) for one in others] + unknown


def _skew(behind: tuple, ahead: tuple) -> dict:
    """Return the finding for two clocks (offset, name, error)."""
    apart = ahead[0] - behind[0]
    return finding(
        sorted((ahead[1], behind[1])), 'clock_skew', FAILURE if apart >= CLOCK_FAILURE else WARNING,
        "the clock of %s is %s ahead of that of %s (± %s); against the controller's: %s %+.1f s, %s %+.1f s" % (
            ahead[1], _seconds(apart), behind[1], _seconds(ahead[2] + behind[2]),
            ahead[1], ahead[0], behind[1], behind[0]),
        'less than %g s between front ends, or one does not start (max_bdbje_clock_delta_ms); usual are milliseconds'
        % CLOCK_FAILURE,
        'Have a time client (chrony) run on both, with the same servers; the role starrocks.cluster.prerequisites '
        'sets one up.')


def _seconds(amount: float) -> str:
    return '%.1f s' % amount if amount >= 1 else '%.2f s' % amount


def check_timezone(hosts: list[dict], kinds: dict) -> list[dict]:
    """StarRocks wants one time zone on all nodes (starrocks.md 6)."""
    zones = collections.defaultdict(list)
    for host in hosts:
        if host['seen'] and host['seen'].get('timezone'):
            zones[_zone(host['seen'])].append(host['name'])
    if not zones:
        return []
    ordered = sorted(zones.items(), key=lambda item: (-len(item[1]), item[0]))
    if len(ordered) == 1:
        return [finding(ordered[0][1], 'timezone', OK, ordered[0][0])]
    return [finding(sorted(name for dummy, names in ordered[1:] for name in names), 'timezone', WARNING,
                    '; '.join('%s on %s' % (zone, listed(names)) for zone, names in ordered),
                    'one time zone on all nodes: times in logs and in SQL follow it',
                    'Set starrocks_timezone (the role starrocks.cluster.prerequisites sets it), or on those that '
                    'differ: timedatectl set-timezone ZONE')]


def _zone(seen: dict) -> str:
    """Return a host's time zone as text: UTC, or Europe/Berlin (UTC+1)."""
    if seen['timezone'] in NAMES_OF_UTC:
        return 'UTC'
    offset = seen.get('utc_offset')
    return seen['timezone'] if offset is None else '%s (UTC%+g)' % (seen['timezone'], offset / 3600)


def check_cluster_id(hosts: list[dict], kinds: dict) -> list[dict]:
    """Metadata and storage that are there already must be of one cluster (starrocks.md 4.3, 7)."""
    members, joining = collections.defaultdict(list), set()
    for host in front_ends(hosts):
        metadata = host['seen'].get('metadata') or {}
        if metadata.get('cluster_id') in NO_CLUSTER_ID:
            continue
        if host['seen'].get('first_start'):
            joining.add(str(metadata['cluster_id']))  # of a first start that has not come to its end
        else:
            members[str(metadata['cluster_id'])].append(host['name'])
    findings = _several_clusters(members)
    known = set(members) | joining
    if known or _all_front_ends_seen(hosts, kinds):
        findings += _foreign_storage(hosts, known)
    if not findings and members:
        findings.append(finding(next(iter(members.values())), 'cluster_id', OK, 'cluster %s' % next(iter(members))))
    return findings


def _several_clusters(members: dict) -> list[dict]:
    if len(members) < 2:
        return []
    ordered = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    return [finding(
        sorted(itertools.chain(*members.values())), 'cluster_id', FAILURE,
        '; '.join('metadata of cluster %s on %s' % (number, listed(names)) for number, names in ordered),
        'front ends of one cluster: one inventory is one cluster',
        'Find out which cluster is meant. Hosts of another belong into an inventory of their own. A front end that '
        'became a cluster of its own by mistake: stop it, move its metadata folder (starrocks_fe_meta_dir) aside, keep '
        'it, and run again; it joins with an empty one.')]


def _all_front_ends_seen(hosts: list[dict], kinds: dict) -> bool:
    """Only then nobody can have metadata that was not seen."""
    names = set(kinds.get('fe') or [])
    return bool(names) and names <= {host['name'] for host in front_ends(hosts)}


def _foreign_storage(hosts: list[dict], known: set[str]) -> list[dict]:
    """A back end does not join a cluster with storage of another one."""
    findings = []
    for host in hosts:
        for folder, number in sorted((((host['seen'] or {}).get('storage_cluster_ids')) or {}).items()):
            if number in NO_CLUSTER_ID or str(number) in known:
                continue
            of_ours = 'storage of cluster %s, or none' % ', '.join(sorted(known)) if known else (
                'empty storage: no front end has metadata, so this would be a new cluster')
            findings.append(finding(
                [host['name']], 'cluster_id', FAILURE, '%s holds data of cluster %s' % (folder, number), of_ours,
                'If that cluster is the one meant, its front ends are missing here: use its inventory, or restore '
                'their metadata. Else see whether the data is still needed, and move %s aside (keep it): the node '
                'starts with an empty folder.' % folder))
    return findings


CLUSTER_CHECKS = (
    ('connection', check_connection),
    ('clock_skew', check_clock_skew),
    ('timezone', check_timezone),
    ('cluster_id', check_cluster_id),
)
"""The checks that need several hosts; those named network and names come from starrocks_connectivity."""

FROM_NETWORK = ('names', 'network')

ORDER = ('connection', *(name for name, dummy in CHECKS), 'names', 'network', 'clock_skew', 'timezone', 'cluster_id')
"""In which order findings of one status are shown."""


def collect(hosts: list[dict], kinds: dict, skip: list[str]) -> list[dict]:
    """Return all findings, those of each host and those of several, but for the names in ``skip``."""
    rows = [finding([host['name']], **row) for host in hosts for row in _rows_of(host)]
    rows += [row for dummy, function in CLUSTER_CHECKS for row in function(hosts, kinds)]
    return [row for row in rows if row['name'] not in skip]


def _rows_of(host: dict) -> list[dict]:
    keys = ('name', 'status', 'found', 'needed', 'fix')
    seen = (host['seen'] or {}).get('checks') or []
    network = host['network'] if host['seen'] else []
    return [{key: row.get(key) or '' for key in keys} for row in [*seen, *network]]


def merge(findings: list[dict]) -> list[dict]:
    """Return the findings that are not well, worst first, those with the same words as one about all their hosts."""
    merged: dict[tuple, dict] = {}
    for row in findings:
        if row['status'] in WORST_FIRST:
            key = tuple(row[name] for name in ('status', 'name', 'found', 'needed', 'fix'))
            known = merged.setdefault(key, dict(row, hosts=[]))
            known['hosts'] += [host for host in row['hosts'] if host not in known['hosts']]
    return sorted(merged.values(), key=lambda row: (WORST_FIRST.index(row['status']), _place(row['name'])))


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


# --- the table -------------------------------------------------------------------------------------------------------

def counts(findings: list[dict], merged: list[dict]) -> dict:
    """Return how many findings of each kind there are, as they are shown; what is well is counted host by host."""
    result = {status: sum(row['status'] == status for row in merged) for status in WORST_FIRST}
    return {'failures': result[FAILURE], 'warnings': result[WARNING],
            'ok': sum(row['status'] == OK for row in findings)}


def counted(number: int, noun: str) -> str:
    return '%d %s%s' % (number, noun, '' if number == 1 else 's')


def report_lines(name: str, hosts: list[dict], findings: list[dict], skip: list[str]) -> list[str]:
    """Return the report as lines of text."""
    merged = merge(findings)
    numbers = counts(findings, merged)
    where = 'on %s' % counted(len(hosts), 'host')
    left_out = _wrap('Left out by starrocks_preflight_skip: %s.' % ', '.join(skip), WIDTH) if skip else []
    if not merged:
        return ['Preflight of StarRocks cluster %s: all is well, %s %s.' % (
            name, counted(numbers['ok'], 'check'), where), *left_out]
    return ['Preflight of StarRocks cluster %s: %s, %s, %s well, %s.' % (
        name, counted(numbers['failures'], 'failure'), counted(numbers['warnings'], 'warning'),
        counted(numbers['ok'], 'check'), where), *left_out, '', *table(merged)]


def table(merged: list[dict]) -> list[str]:
    """Return the findings as the lines of a table that is no wider than WIDTH, with what is needed and the cure."""
    longest = max(len(host) for row in merged for host in row['hosts'])
    widths = [max(len(HEADERS[0]), len(FAILURE)), max(len(HEADERS[1]), *(len(row['name']) for row in merged)),
              max(len(HEADERS[2]), longest, min(HOSTS_WIDTH, max(len(', '.join(row['hosts'])) for row in merged)))]
    widths.append(max(40, WIDTH - sum(widths) - 2 * len(widths)))
    lines = [_line(HEADERS, widths)]
    for row in merged:
        found = _wrap(row['found'], widths[3])
        if row['needed']:
            found += _wrap('needed: ' + row['needed'], widths[3])
        if row['fix']:
            found += _wrap('to mend: ' + row['fix'], widths[3])
        cells = [[row['status']], [row['name']], _wrap(', '.join(row['hosts']), widths[2]), found]
        lines += [_line(texts, widths) for texts in itertools.zip_longest(*cells, fillvalue='')]
    return lines


def _wrap(text: str, width: int) -> list[str]:
    """Wrap a text; what follows its first line is indented, so that the next one is told from it."""
    return textwrap.wrap(text, width, subsequent_indent='  ', break_long_words=False, break_on_hyphens=False) or ['']


def _line(texts, widths: list[int]) -> str:
    return '  '.join(text.ljust(width) for text, width in zip(texts, widths)).rstrip()


def failure_text(merged: list[dict]) -> str:
    """Return why the run ends; '' if nothing failed. The table has the details."""
    failed: dict[str, list[str]] = {}
    for row in merged:
        if row['status'] == FAILURE:
            names = failed.setdefault(row['name'], [])
            names += [host for host in row['hosts'] if host not in names]
    if not failed:
        return ''
    said = '; '.join('%s (%s)' % (name, listed(hosts)) for name, hosts in failed.items())
    # A host that is not there cannot be overruled: it is left out by --limit, as its row says.
    name = next((name for name in failed if name != 'connection'), None)
    overruled = ' A check that you know better than is overruled by its name: starrocks_preflight_skip: [%s]' % name
    return 'The hosts are not ready, so this run ends here: %s. The table above says what to do.%s' % (
        said, overruled if name else '')
