# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rolling change: from live tables, hosts and a target to ordered batches, or to refusals. No I/O.

What a node is stands in _rolling_nodes.py, what is refused in _rolling_checks.py and, where it is about versions, in
_version_rules.py. Here are the batches, and what goes with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.starrocks.cluster.plugins.module_utils._versions import Version, parse_or_none
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling_checks import (
    CHECKS,
    REFUSE,
    WARN,
    check_answer,
    check_options,
    judged,
)
from ansible_collections.starrocks.cluster.plugins.plugin_utils._rolling_nodes import (
    BACK,
    CORE,
    DEFAULTS,
    DOWN,
    NAMES,
    ORDER,
    UP,
    Member,
    Situation,
    by_kind,
    by_version,
    match_rows,
    place_of,
    release,
    same,
    side,
    switch_ends,
    told,
)

OPERATIONS = ('upgrade', 'downgrade', 'rollback', 'restart')

BLACKLIST_SINCE = {'be': (3, 3), 'cn': (4, 0)}
"""The first release line whose front ends can keep queries off a node (starrocks.md 7.6, 0.19)."""

GRACEFUL_SINCE = (3, 4)
"""The first release line in which a node can let its queries end before it stops (starrocks.md 4.2)."""


def plan_rolling(operation: str, target: str | None, cluster: dict, nodes: list[dict],
                 options: dict | None = None) -> dict:
    """Return the plan of a rolling change.

    ``operation``: one of OPERATIONS; ``target``: a version, not looked at for restart. ``cluster``: what
    starrocks_cluster_info returned, of the subsets frontends, backends, compute_nodes, brokers and statistic.
    ``nodes``: all of the inventory, see _rolling_nodes. ``options``, all optional:

    * batch: how many back ends or compute nodes at once, a number or ``25%`` of the nodes of a kind.
    * skip: hosts whose nodes are left out because they are dead.
    * kinds, limit: only these kinds, only these hosts; empty for all.
    * canary: whether the first batch of back ends is a single one.
    * allow_downtime, allow_unhealthy: go on without a majority of followers; with unhealthy tablets.
    * run_mode: what the inventory says of it.

    Returns a dict:

    * refusals, warnings: dicts of message, why (the rule) and statements (SQL to run before). With a refusal there are
      no batches, and nothing is to be done.
    * operation, target, direction (up or down).
    * from: release -> kind -> hosts that have it and change.
    * batches: see `batches_of`.
    * done, skipped: kind -> hosts that are at the target; that are left out.
    * asks, before, after: texts.
    """
    options = dict(DEFAULTS, **{key: value for key, value in (options or {}).items() if value is not None})
    target = None if operation == 'restart' else target
    plan = {'operation': operation, 'target': target, 'direction': UP, 'refusals': [], 'warnings': [], 'from': {},
            'batches': [], 'done': {}, 'skipped': {}, 'asks': [], 'before': [], 'after': []}
    findings = [*check_options(operation, target, options, nodes),
                *check_answer(cluster, nodes, options['kinds'] or ORDER[UP])]
    if not findings:
        situation = situation_of(operation, target, cluster, nodes, options)
        findings = [one for check in CHECKS for one in check(situation)]
        plan.update({'direction': situation.direction,
                     'from': {version: by_kind(some) for version, some in by_version(situation.changing).items()},
                     'done': by_kind(member for member in situation.members if member.chosen and member.done),
                     'skipped': by_kind(member for member in situation.members if member.skipped)})
        if all(severity != REFUSE for severity, dummy in findings):
            plan.update(batches=situation.batches, asks=asked(situation), before=done_before(situation),
                        after=done_after(situation))
    plan['refusals'] = [one for severity, one in findings if severity == REFUSE]
    plan['warnings'] = [one for severity, one in findings if severity == WARN]
    return plan


def situation_of(operation: str, target: str | None, cluster: dict, nodes: list[dict], options: dict) -> Situation:
    """Return what a plan is made from. The cluster has a leader."""
    rows, strangers = match_rows(nodes, cluster)
    situation = Situation(operation, target, cluster, options, [], strangers)
    leader = place_of(cluster['leader'], 'fe')
    for node, row in zip(nodes, rows):
        member = Member(node, row, target, rolls_back=operation == 'rollback')
        # Whose process is gone leads no more, whatever the rows still say.
        member.leads = member.kind == 'fe' and member.alive and place_of(row, 'fe') == leader
        member.chosen = member.kind in situation.kinds and (not options['limit'] or member.host in options['limit'])
        member.skipped = member.chosen and member.host in options['skip'] and not member.alive
        situation.members.append(member)
    situation.direction = direction_of(situation)
    situation.batches = list(batches_of(situation))
    return situation


def direction_of(situation: Situation) -> str:
    """Return which way the kinds go. A rollback goes as its versions do; brokers count where nothing else changes."""
    if situation.operation != 'rollback':
        return DOWN if situation.operation == 'downgrade' else UP
    members = situation.core or situation.changing
    return DOWN if any(side(member) == DOWN for member in members) else UP


# --- batches ---------------------------------------------------------------------------------------------------------

def batches_of(situation: Situation) -> Iterator[dict]:
    """Yield the batches in their order.

    A batch is a dict: kind, hosts, canary (a person may want to look before the next one), leader (the front end
    leads), resume (its nodes were begun by a run that was cut off), location (of its back ends, '' where they are not
    told apart by it), why.
    """
    for kind in ORDER[situation.direction]:
        members = [member for member in situation.changing if member.kind == kind]
        canary = has_canary(situation, kind)
        chosen = _front_ends(situation, members) if kind == 'fe' else _others(situation, kind, members, canary)
        for number, batch in enumerate(chosen):
            if canary and number == 0:
                batch.update(canary=True, why=batch['why'] + '; the canary')
            yield batch


def has_canary(situation: Situation, kind: str) -> bool:
    """Whether the first batch of a kind is a canary, as long as no node of the kind has the target.

    That is the first of back ends (or of compute nodes, where there are no back ends), wherever it stands, and the
    first of all: on the way down the follower that shows whether metadata can be read (design 6; the manual wants a
    trial on a back end and a front end, starrocks.md 7.1).
    """
    chosen = [member for member in situation.members if member.chosen]
    if not situation.options['canary'] or any(member.done and member.kind == kind for member in chosen):
        return False
    back = [one for one in BACK if any(member.kind == one for member in chosen)]
    first = [one for one in ORDER[situation.direction] if any(member.kind == one for member in situation.changing)]
    return back[:1] == [kind] or (first[:1] == [kind] and not any(member.done for member in chosen))


def _batch(kind: str, members: list[Member], why: str, location: str = '') -> dict:
    resume = all(member.unfinished for member in members)
    return {'kind': kind, 'hosts': [member.host for member in members], 'canary': False,
            'leader': any(member.leads for member in members), 'resume': resume, 'location': location,
            'why': _why_resumed(members) if resume else why}


def _why_resumed(members: list[Member]) -> str:
    pending = next((member.node['pending'] for member in members if member.node.get('pending')), None)
    if pending:
        return 'a switch from %s to %s was cut off there, so it comes first' % switch_ends(pending)
    if any(member.node.get('begun') for member in members):
        return 'a run that was cut off had begun there, so it comes first'
    if any(member.alive for member in members):
        return 'other files are there than those that run, so it comes first'
    return 'it was changed and does not run, so it comes first'


def _front_ends(situation: Situation, members: list[Member]) -> Iterator[dict]:
    """One at a time, whoever leads now last; those that were begun first, followers before observers (7.1).

    On the way down the first is a follower: one that cannot read the newer metadata is seen before any other is touched
    (design 6, starrocks.md 0.21).
    """
    members = sorted(members, key=lambda member: (member.leads, not member.unfinished, member.observer))
    trial = situation.direction == DOWN and not any(member.done and member.kind == 'fe'
                                                    for member in situation.members)
    for number, member in enumerate(members):
        role = 'observer' if member.observer else 'follower'
        if member.leads and len(situation.rows('fe')) == 1:
            why = 'the only front end'
        elif member.leads:
            why = 'the leader last: when it stops, another follower is elected'
        elif trial and number == 0:
            why = 'one %s alone, which must come up and catch up before any other is touched' % role
        else:
            why = '%s before the leader, one at a time' % role
        yield _batch('fe', [member], why)


def _others(situation: Situation, kind: str, members: list[Member], canary: bool) -> Iterator[dict]:
    """Back ends and compute nodes as many at once as may be, of one location; brokers one after another.

    What was begun is not mixed with what still serves.
    """
    width, racks = situation.width(kind), situation.racks if kind == 'be' else []
    groups: dict[tuple, list[Member]] = {}
    for member in members:
        location = ((member.row or {}).get('location') or '') if racks else ''
        groups.setdefault((not member.unfinished, location), []).append(member)
    for (dummy, location), group in sorted(groups.items()):
        while group:
            size, canary = 1 if canary else width, False
            yield _batch(kind, group[:size], _why_there(situation, kind, location), location)
            group = group[size:]


def _why_there(situation: Situation, kind: str, location: str) -> str:
    if kind == 'broker':
        return 'independent of the rest, one after another'
    why = 'before front ends' if situation.direction == UP else 'after front ends'
    if situation.changes_version:
        why += (', which work with newer %ss' if situation.direction == UP else ', which do not work with older %ss'
                ) % NAMES[kind]
    return '%s; location %s' % (why, location) if location else why


# --- what goes with them ---------------------------------------------------------------------------------------------

def asked(situation: Situation) -> list[str]:
    """Return in words what is asked of nodes that serve."""
    texts = []
    front = _front_version(situation)
    for kind in BACK:
        if not situation.batches_of(kind):
            continue
        if front and front.line >= BLACKLIST_SINCE[kind] and len(situation.of_kind(kind)) > 1:
            texts.append('Every front end: send no query to a %s that is about to stop (ADD %s BLACKLIST).' % (
                NAMES[kind], {'be': 'BACKEND', 'cn': 'COMPUTE NODE'}[kind]))
        texts.append('Each %s: %s.' % (NAMES[kind], 'let its queries end, then stop' if _graceful(situation, kind)
                                       else 'stop; queries that it works for may fail'))
    fronts = situation.batches_of('fe')
    if fronts and len(situation.followers) == 1:
        texts.append('%s: stop, though it is the only one that leads.' % situation.leader_name)
    elif fronts:
        # One that would leave no majority behind ends at once (starrocks.md 4.2).
        graceful = _graceful(situation, 'fe') and len(situation.followers) > 2
        texts.append('Each front end: %s.' % ('hand its clients over, then stop' if graceful
                                              else 'stop; its clients connect to another'))
        if any(batch['leader'] for batch in fronts):
            texts.append('%s: lead until all other front ends are done, then stop, so that another is elected (%s).' % (
                situation.leader_name, 'it hands over, in some 18 s' if graceful
                else 'writes fail for about a second'))
    if situation.batches_of('broker'):
        texts.append('Each broker: stop; loads and exports by way of it fail meanwhile.')
    return texts


def _graceful(situation: Situation, kind: str) -> bool:
    """Whether the nodes of a kind can stop gracefully, by the scripts that they have before the change."""
    versions = [parse_or_none(member.version) for member in situation.changing if member.kind == kind]
    return all(version and version.line >= GRACEFUL_SINCE for version in versions)


def _front_version(situation: Situation) -> Version | None:
    """The version of front ends while back ends change: on the way down they have the target by then."""
    down = situation.direction == DOWN and situation.batches_of('fe')
    return parse_or_none(situation.target if down else situation.leader_version)


def done_before(situation: Situation) -> list[str]:
    """Return in words what is done before the first batch, in its order (starrocks.md 7.2, 7.3; design 6)."""
    texts = []
    if situation.changes_version and situation.batches_of(*CORE):
        texts += ['The leader makes an image of the metadata, and every front end has it (ALTER SYSTEM CREATE IMAGE).',
                  "A backup is made of each front end's metadata, and of the configuration of each node."]
    elif situation.changes_version and situation.batches:
        texts.append('A backup is made of the configuration of each node.')
    staged = [member for member in situation.changing
              if not same(member.node.get('installed'), situation.target) and not member.node.get('pending')]
    if staged and situation.operation in ('upgrade', 'downgrade'):
        texts.append('%s is unpacked beside the release of each node, while all serve: %s.' % (
            release(situation.target), told(staged)))
    if situation.batches_of('be', 'fe'):
        texts.append('The four settings of balancing are saved, and balancing is switched off; again after each front '
                     'end that was restarted.')
    return texts


def done_after(situation: Situation) -> list[str]:
    """Return in words what is done, or is to be done by a person, after the last batch."""
    texts = []
    if situation.batches_of('be', 'fe'):
        texts.append('The four settings of balancing get their saved values back, also after a failure.')
    if situation.changes_version and situation.batches_of(*CORE):
        texts.append('The leader makes another image, without which no other change of version may follow.')
    if situation.changes_version and situation.batches:
        texts += [text for rule, dummy, dummy in judged(situation) for text in rule.after]
    return texts


def next_batch(batches: list[dict], walked: list[dict], leader: str) -> dict:
    """Return the batch of a plan that is due after those that were ``walked``, {} where none is left.

    The leader may have moved since the plan was made: ``leader``, the host that leads now, is put off until no other
    front end is left, and the one that led before takes its turn.
    """
    past = {(batch['kind'], tuple(batch['hosts'])) for batch in walked}
    left = [batch for batch in batches if (batch['kind'], tuple(batch['hosts'])) not in past]
    if not left or left[0]['kind'] != 'fe':
        return left[0] if left else {}
    fronts = [batch for batch in left if batch['kind'] == 'fe']
    due = next((batch for batch in fronts if leader not in batch['hosts']), fronts[0])
    leads = leader in due['hosts']
    if leads == due['leader']:
        return due
    return dict(due, leader=leads, why='it leads now, so it is the last' if leads
                else 'it leads no more, so it comes before %s' % (leader or 'who does'))
