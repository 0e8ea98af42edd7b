# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a rolling change, or is to be known before it: rules of order and safety. No I/O.

Each has its source in starrocks.md or design.md; the rules of versions are in _version_rules.py.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from ansible_collections.starrocks.cluster.plugins.module_utils._frontend_changes import majority
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight import jdk_lack, jdk_rule
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import Version, parse_or_none
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _version_rules as version_rules
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling_nodes import (
    BACK,
    CORE,
    DOWN,
    NAMES,
    PORTS,
    TABLES,
    UP,
    Member,
    Situation,
    by_version,
    is_width,
    release,
    same,
    side,
    switch_ends,
    told,
    wished_width,
)

REFUSE, WARN = version_rules.REFUSE, version_rules.WARN

BY_ORDER = 'versions are compared as versions (examples.md)'

SAFE_RACKS = 3
"""With fewer locations than replicas, two of the usual three are in one of them (starrocks.md 1.3) [inf]."""

UNHEALTHY = ('unhealthy_tablet_num', 'inconsistent_tablet_num')
"""What must be 0 before a back end is stopped, as it must before the next one is (starrocks.md 1.8; _conditions)."""


def finding(severity: str, message: str, why: str, statements: Iterable[str] = ()) -> tuple[str, dict]:
    """Return (severity, dict); ``why`` names the rule that it comes from, ``statements`` what to run in SQL before."""
    return severity, {'message': message, 'why': why, 'statements': list(statements)}


def named(member: Member) -> str:
    """Return a node at the beginning of a sentence: Back end be1."""
    return '%s %s' % (NAMES[member.kind].capitalize(), member.host)


def check_options(operation: str, target: str | None, options: dict, nodes: list[dict]) -> Iterator[tuple[str, dict]]:
    if operation != 'restart' and parse_or_none(target) is None:
        yield finding(REFUSE, '%s is no version of StarRocks such as 3.5.0, so nobody knows what comes before it.' % (
            target or 'Nothing'), BY_ORDER)
    if not is_width(options['batch']):
        yield finding(REFUSE, 'starrocks_rolling_batch: %s is neither a number from 1 on, nor 1%% to 100%%.' % (
            options['batch'],), 'design 6')
    known = {node['host'] for node in nodes}
    for option in ('skip', 'limit'):
        unknown = [name for name in options[option] if name not in known]
        if unknown:
            yield finding(REFUSE, '%s: no host with a node is called so: %s.' % (option, ', '.join(unknown)),
                          'design 6')


def check_answer(cluster: dict, nodes: list[dict], kinds: Iterable[str]) -> Iterator[tuple[str, dict]]:
    if not cluster.get('answered'):
        said = '; '.join('%s: %s' % (one.get('host'), one.get('error')) for one in cluster.get('not_answering') or [])
        yield finding(REFUSE, 'No front end answers, so nobody knows what the cluster is like%s. Start it first '
                      '(playbook starrocks.cluster.start).' % (' (%s)' % said if said else ''), 'design 7, rule 8')
    elif not cluster.get('leader'):
        yield finding(REFUSE, 'The cluster has no leader: less than a majority of its followers is alive. Start the '
                      'others first (playbook starrocks.cluster.start), or look at their fe.log.', 'design 7, rule 2')
    else:
        reasons = {one.get('subset'): one.get('reason') for one in cluster.get('not_read') or []}
        for kind in kinds:
            if cluster.get(TABLES[kind]) is None and any(node['kind'] == kind for node in nodes):
                yield finding(REFUSE, 'The %ss could not be listed%s.' % (
                    NAMES[kind], ': %s' % reasons[TABLES[kind]] if TABLES[kind] in reasons else ''), 'design 7, rule 8')


def check_inventory(situation: Situation) -> Iterator[tuple[str, dict]]:
    """What is registered and what the inventory has must be the same: what is left out keeps its version."""
    if not situation.options['limit']:
        for kind, row in situation.strangers:
            if kind in situation.kinds:
                yield finding(REFUSE, '%s %s:%s belongs to the cluster and not to the inventory: it would stay behind. '
                              'Add it to the inventory, or drop it from the cluster.' % (
                                  NAMES[kind].capitalize(), row.get('host'), row.get(PORTS[kind])), 'design 6')
    missing = [member for member in situation.changing if member.row is None]
    if missing:
        yield finding(REFUSE, 'Not registered in the cluster: %s. Deploy first (playbook starrocks.cluster.deploy), or '
                      'take out of the inventory what is not to be.' % told(missing), 'design 6')
    mode = (situation.cluster.get('run_mode') or '').replace('-', '_')
    wished = (situation.options['run_mode'] or '').replace('-', '_')
    if mode and wished and mode != wished:
        yield finding(REFUSE, 'The cluster is %s, and the inventory says starrocks_run_mode: %s. There is no way from '
                      'one to the other.' % (mode, wished), 'starrocks.md 7.2')


def check_alive(situation: Situation) -> Iterator[tuple[str, dict]]:
    """A dead node is left out only where it was named; one that a cut-off run had begun with is no dead node."""
    for member in situation.members:
        if member.row is None or not member.chosen:
            continue
        if not member.alive and not member.unfinished and not member.skipped:
            yield finding(REFUSE, '%s is not alive%s. Start it first (playbook starrocks.cluster.start), or leave it '
                          'out by its name: starrocks_rolling_skip: [%s].' % (
                              named(member), _death(member), member.host), 'design 6')
        elif member.changing and not member.node.get('seen', True):
            yield finding(REFUSE, '%s was not looked at in this run: its host was not reached, or left out by --limit.'
                          % named(member), 'design 6')
    for name in situation.options['skip']:
        here = [member for member in situation.members if member.host == name and member.chosen]
        if here and all(member.alive for member in here):
            yield finding(REFUSE, '%s is to be skipped, and lives. Only what is dead is left out: take it out of '
                          'starrocks_rolling_skip.' % name, 'design 6')
    skipped = [member for member in situation.members if member.skipped]
    if skipped:
        yield finding(WARN, 'Left out, since dead: %s. It keeps its version: do not start it before the same command '
                      'has been run for it too.' % told(skipped), 'design 6')


def _death(member: Member) -> str:
    """Return in words how it is known that a node is dead."""
    said = str((member.row or {}).get('err_msg') or '').splitlines()
    if said:
        return ' (the leader says: %s)' % said[0][:200]
    if member.row and not member.row.get('join', True):
        return ' (it has not joined)'
    if member.row and member.row.get('alive'):
        return ' (its process does not run; the leader sees that within 20 s)'
    return ''


def check_direction(situation: Situation) -> Iterator[tuple[str, dict]]:
    """An upgrade goes up and a downgrade down, with each node; a rollback goes one way with all but brokers."""
    wrong = {'upgrade': DOWN, 'downgrade': UP}.get(situation.operation)
    why = 'starrocks.md 7.1: the order depends on it'
    if wrong:
        members = [member for member in situation.changing if side(member) == wrong]
        for version, some in by_version(members).items():
            yield finding(REFUSE, '%s is %s than the target %s: %s. That way leads the playbook '
                          'starrocks.cluster.%s.' % (
                              version, 'newer' if wrong == DOWN else 'older', situation.target, told(some),
                              'downgrade (or rollback)' if wrong == DOWN else 'upgrade'), why)
    elif situation.operation == 'rollback':
        newer = [member for member in situation.core if side(member) == DOWN]
        older = [member for member in situation.core if side(member) == UP]
        if newer and older:
            yield finding(REFUSE, 'Some nodes are newer than %s (%s), others older (%s): no order fits both.' % (
                situation.target, told(newer), told(older)), why)


def check_mix(situation: Situation) -> Iterator[tuple[str, dict]]:
    """What is half-way from one version to the target goes on; a change over an unfinished other one does not begin.

    - One version besides the target: the plain case, and the rerun.
    - Several, and some node is at the target already: bringing the rest there is what ends the mix.
    - Several patches of one line, none at the target: any patch goes to any other (7.2), so it may be.
    - Several lines, none at the target: some change was left half-way. It is ended first, or taken back.
    """
    if not situation.changes_version:
        return
    versions = by_version(member for member in situation.core if side(member) == situation.direction)
    if len(versions) < 2:
        return
    listing = '; '.join('%s: %s' % (text, told(some)) for text, some in versions.items())
    reached = any(member.done for member in situation.members if member.kind in CORE)
    lines = {Version.parse(text).line for text in versions}
    if len(lines) > 1 and not reached:
        yield finding(REFUSE, 'Nodes have several versions, and none is at %s (%s): a change was left half-way. Bring '
                      'all to one version first, by the command that was run before, or by rollback.' % (
                          situation.target, listing), 'starrocks.md 7.2: one step at a time')
    else:
        yield finding(WARN, 'Nodes have several versions (%s). All of them go to %s.' % (listing, situation.target),
                      'starrocks.md 7.2')


def check_versions(situation: Situation) -> Iterator[tuple[str, dict]]:
    """What is known of the steps from each version to the target."""
    if not situation.changes_version:
        return
    unknown = [member for member in situation.core if parse_or_none(member.version) is None]
    for version, some in by_version(unknown).items():
        yield finding(REFUSE, ('Which version they have is not known: %s.' % told(some)) if version == 'unknown' else
                      '%s is a development build, whose place among releases is not known: %s.' % (version, told(some)),
                      BY_ORDER)
    for rule, old, text in judged(situation):
        message = '%s to %s: %s' % (old, release(situation.target), text)
        severity = rule.severity
        if severity == REFUSE and same(situation.leader_version, situation.target):
            # The target leads, so it can read the metadata, and those that are behind must not stay there: otherwise
            # a change that was cut off could neither be ended nor be taken back.
            severity = WARN
            message += ' It goes on all the same, since the leader is at %s already.' % release(situation.target)
        yield finding(severity, message, 'starrocks.md %s' % rule.source, rule.statements)


def judged(situation: Situation) -> list[tuple]:
    """Return what the rules of versions say, each rule once: (rule, release that is left, text)."""
    result, known = [], set()
    new = parse_or_none(situation.target)
    facts = {'by name'} if _by_name(situation) else set()
    for version, members in by_version(situation.changing).items():
        old = parse_or_none(version)
        if old is None or new is None:
            continue
        for rule, text in version_rules.judge(old, new, {member.kind for member in members}, facts):
            if rule.name not in known:
                known.add(rule.name)
                result.append((rule, version, text))
    return result


def _by_name(situation: Situation) -> bool:
    """Whether nodes are registered by names, which is so for all of them or for none (starrocks_host_type)."""
    return any(not _is_address(row['host']) for row in situation.rows('fe') if row.get('host'))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_jdk(situation: Situation) -> Iterator[tuple[str, dict]]:
    """A JDK that start_fe.sh refuses; back ends start with any, and lose what needs it. None at all: see preflight."""
    if not situation.changes_version:
        return
    rule = jdk_rule(release(situation.target))
    for member in situation.changing:
        major = member.node.get('java_major')
        lack = jdk_lack({'major': major, 'javac': True}, rule) if major else ''
        if lack:
            yield finding(WARN if member.kind in BACK else REFUSE,
                          '%s has Java %d, %s: StarRocks %s wants %d or newer (%d recommended).' % (
                              named(member), major, lack, release(situation.target), rule.lowest, rule.recommended),
                          'starrocks.md 4.1, 6, 7.5')


def check_pending(situation: Situation) -> Iterator[tuple[str, dict]]:
    """A switch that was cut off is ended or undone by what goes to one of its ends."""
    for member in situation.changing:
        pending = member.node.get('pending')
        if pending and not any(same(pending.get(end), situation.target) for end in ('from', 'to')):
            old, new = switch_ends(pending)
            yield finding(REFUSE, 'On %s %s a switch from %s to %s was cut off. End it by going to %s, or undo it by '
                          'going to %s.' % (NAMES[member.kind], member.host, old, new, new, old), 'design 7, rule 5')


def check_shared_folder(situation: Situation) -> Iterator[tuple[str, dict]]:
    """A back end and a compute node of one host run from one folder, and its release is not changed under a process."""
    hosts = {kind: {member.host for member in situation.members if member.kind == kind} for kind in ('be', 'cn')}
    changing = {member.host for member in situation.changing if member.kind in hosts}
    both = sorted(hosts['be'] & hosts['cn'] & changing) if situation.changes_version else []
    if both:
        yield finding(REFUSE, '%s: a back end and a compute node run there from one folder, so that the release of '
                      'neither can be changed while the other runs. Stop the compute node, take its host out of '
                      'starrocks_cn, and run again.' % ', '.join(both), 'design 7, rule 5')


def check_backups(situation: Situation) -> Iterator[tuple[str, dict]]:
    """A rollback takes what is kept on the nodes, so all of them must have it."""
    if situation.operation != 'rollback':
        return
    without = []
    for member in situation.changing:
        kept = list(member.node.get('backups') or []) + [member.node.get('installed')]
        kept += list((member.node.get('pending') or {}).values())
        if not any(same(text, situation.target) for text in kept):
            without.append(member)
    if without:
        yield finding(REFUSE, 'No backup of %s is kept on: %s. Go there by downgrade or upgrade, with the archive of '
                      'that release, or leave kinds out that never had it.' % (situation.target, told(without)),
                      'design 6')


def check_followers(situation: Situation) -> Iterator[tuple[str, dict]]:
    """Never fewer followers alive than a majority (design 7, rule 2); those that are down come up first."""
    followers, needed = situation.followers, majority(len(situation.followers))
    rows = {member.host: member.row for member in situation.members if member.kind == 'fe'}
    dead = {id(member.row) for member in situation.members if not member.alive}
    alive = {id(row) for row in followers if row.get('alive') and row.get('join', True)} - dead
    left = []
    for batch in situation.batches_of('fe'):
        row = rows[batch['hosts'][0]]
        if id(row) in alive:
            left.append(len(alive) - 1)
        elif any(row is follower for follower in followers):
            alive.add(id(row))
    why = 'design 7, rule 2'
    if not left or min(left) >= needed:
        return
    if len(followers) == 1:
        yield finding(WARN, 'There is one follower alone, so nobody answers while it is restarted: the cluster is down '
                      'meanwhile.', why)
    elif situation.options['allow_downtime']:
        yield finding(WARN, 'While a front end is restarted, %d of %d followers are alive, less than the majority of '
                      '%d: the cluster is down meanwhile.' % (min(left), len(followers), needed), why)
    else:
        yield finding(REFUSE, 'Stopping one front end would leave %d of %d followers alive, less than the majority of '
                      '%d that the cluster needs. Bring up those that are dead, or add a follower; or accept that the '
                      'cluster is down meanwhile: starrocks_rolling_allow_downtime: true.' % (
                          min(left), len(followers), needed), why)


def check_left_behind(situation: Situation) -> Iterator[tuple[str, dict]]:
    """Never a front end newer than a back end or compute node for long (starrocks.md 7.1).

    Between patches of one line it is a warning: any of them works with any other (7.2).
    """
    if not situation.changes_version:
        return
    versions = [(member, parse_or_none(member.target if member.changing else member.version))
                for member in situation.members]
    fronts = [(member.changing, version) for member, version in versions if member.kind == 'fe' and version]
    newer = {REFUSE: [], WARN: []}
    for member, version in versions:
        if member.kind in BACK and version and member.alive:
            beyond = [front for changing, front in fronts if front > version and (changing or member.changing)]
            if beyond:
                newer[WARN if all(front.line == version.line for front in beyond) else REFUSE].append(member)
    for severity, members in newer.items():
        if members:
            yield finding(severity, 'Front ends would be newer than %s, and are not to be for long. Change these in '
                          'the same run.' % told(members), 'starrocks.md 7.1')


def check_decommission(situation: Situation) -> Iterator[tuple[str, dict]]:
    """Data is being moved off a node: nothing else may be in motion."""
    for kind in BACK:
        leaving = [row for row in situation.rows(kind) if row.get('system_decommissioned')]
        if leaving and kind in situation.kinds:
            yield finding(REFUSE, '%s %s is being decommissioned. Wait until it is gone, or take it back '
                          '(starrocks_%s with state: present).' % (
                              NAMES[kind].capitalize(), ', '.join('%s:%s' % (row.get('host'), row.get(PORTS[kind]))
                                                                  for row in leaving),
                              {'be': 'backend', 'cn': 'compute_node'}[kind]), 'starrocks.md 7.6')


def check_health(situation: Situation) -> Iterator[tuple[str, dict]]:
    """Whoever stops a back end takes replicas away, so all must be there before."""
    if not situation.batches_of('be'):
        return
    statistic, why = situation.cluster.get('statistic'), 'starrocks.md 1.8'
    if statistic is None:
        yield finding(WARN, 'Whether replicas are healthy is not known: the statistic was not read.', why)
        return
    count = sum(statistic.get(column) or 0 for column in UNHEALTHY)
    down = [member for member in situation.changing if member.kind == 'be' and not member.alive]
    if count and situation.options['allow_unhealthy']:
        yield finding(WARN, '%d tablets are unhealthy: some may not be served while back ends are restarted.' % count,
                      why)
    elif count and down:
        yield finding(WARN, '%d tablets are unhealthy, while down: %s. What is down comes first, and nothing else is '
                      'touched until the tablets are healthy.' % (count, told(down)), why)
    elif count:
        yield finding(REFUSE, "%d tablets are unhealthy. Wait until they are repaired (SHOW PROC '/statistic'), or "
                      'accept that some are not served meanwhile: starrocks_rolling_allow_unhealthy: true.' % count,
                      why)


def check_width(situation: Situation) -> Iterator[tuple[str, dict]]:
    """What is not served while nodes are down."""
    racks, why = situation.racks, 'design 6'
    wide = [batch for batch in situation.batches_of('be') if len(batch['hosts']) > 1]
    if any(not batch['location'] for batch in wide):
        yield finding(WARN, 'Back ends without a location of their own may hold all replicas of a tablet, and up to %d '
                      'of them are down at once: such a tablet is not served meanwhile.' % max(
                          len(batch['hosts']) for batch in wide if not batch['location']), why)
    if wide and racks and len(racks) < SAFE_RACKS:
        yield finding(WARN, 'With %d locations, two replicas of three can be in one of them: what is loaded into such '
                      'tablets is refused while several back ends of it are down.' % len(racks), why)
    for kind in BACK:
        total = len(situation.of_kind(kind))
        if situation.batches_of(kind) and wished_width(situation.options['batch'], total) >= total > 1:
            yield finding(WARN, 'All %d %ss at once were allowed; one goes on serving, so it is %d at most.' % (
                total, NAMES[kind], total - 1), why)
    serving = [member for kind in BACK for member in situation.of_kind(kind)]
    if len(serving) == 1 and serving[0].changing:
        yield finding(WARN, '%s is the only one, so no table is served while it is restarted.' % named(serving[0]), why)


CHECKS = (
    check_inventory,
    check_alive,
    check_direction,
    check_mix,
    check_versions,
    check_jdk,
    check_pending,
    check_shared_folder,
    check_backups,
    check_followers,
    check_left_behind,
    check_decommission,
    check_health,
    check_width,
)
"""All that is looked at, in the order in which it is told."""
