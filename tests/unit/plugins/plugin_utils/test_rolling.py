# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rolling change: its order, what it refuses, and that a run after any prefix of it does the rest."""

import copy

import pytest
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _rolling as rolling
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _rolling_nodes as nodes_of
from hypothesis import given, settings
from hypothesis import strategies as st

OLD, NEW = '3.4.10', '3.5.7'
COMMIT = {OLD: '3.4.10-aec4b4d', NEW: '3.5.7-0be11fd'}
PORTS = {'fe': ('edit_log_port', 9010), 'be': ('heartbeat_port', 9050), 'cn': ('heartbeat_port', 9050),
         'broker': ('port', 8000)}


class Cluster:
    """A cluster and its inventory, in which every node has a host of its own unless told otherwise."""

    def __init__(self, version=OLD, **counts):
        self.nodes, self.rows = [], {kind: [] for kind in PORTS}
        self.options = {}
        self.found = {}
        for kind, count in {'fe': 3, 'be': 3, **counts}.items():
            if kind == 'observer':
                continue
            for number in range(1, count + 1):
                self.add('%s%d' % ('br' if kind == 'broker' else kind, number), kind, version)
        for number in range(1, counts.get('observer', 0) + 1):
            self.add('ob%d' % number, 'fe', version, role='OBSERVER')

    def add(self, host, kind, version=OLD, address=None, **changes):
        address = address or '10.0.%d.%d' % (list(PORTS).index(kind), len(self.rows[kind]) + 1)
        name, port = PORTS[kind]
        self.nodes.append({'host': host, 'kind': kind, 'addresses': [address, host], 'port': port,
                           'installed': version, 'backups': [], 'pending': None, 'running': True, 'java_major': 17})
        row = {'host': address, name: port, 'alive': True, 'err_msg': ''}
        if kind == 'fe':
            row.update(role='FOLLOWER' if self.rows['fe'] else 'LEADER', join=True)
        if kind != 'broker':
            row['version'] = COMMIT.get(version, version)
        if kind == 'be':
            row.update(location=None, system_decommissioned=False, tablet_num=10)
        row.update(changes)
        self.rows[kind].append(row)

    def node(self, host, kind=None):
        return next(node for node in self.nodes if node['host'] == host and kind in (None, node['kind']))

    def row(self, host, kind=None):
        node = self.node(host, kind)
        return next(row for row in self.rows[node['kind']] if row['host'] in node['addresses'])

    def at(self, version, *hosts):
        """These hosts have the version, and run it."""
        for host in hosts:
            for node in [node for node in self.nodes if node['host'] == host]:
                node.update(installed=version, pending=None, begun=False, running=True)
                row = self.row(host, node['kind'])
                row['alive'] = True
                if node['kind'] != 'broker':
                    row['version'] = COMMIT.get(version, version)
        return self

    def dead(self, *hosts, **changes):
        for host in hosts:
            self.node(host).update(running=False, **changes)
            self.row(host)['alive'] = False
        return self

    def leads(self, host):
        for row in self.rows['fe']:
            if row['role'] == 'LEADER':
                row['role'] = 'FOLLOWER'
        self.row(host, 'fe')['role'] = 'LEADER'
        return self

    def set(self, **options):
        self.options.update(options)
        return self

    def backups(self, version, *hosts):
        for node in self.nodes:
            if not hosts or node['host'] in hosts:
                node['backups'] = [version]
        return self

    @property
    def cluster(self):
        leader = next((row for row in self.rows['fe'] if row['role'] == 'LEADER'), None)
        return {'answered': True, 'leader': leader, 'frontends': self.rows['fe'], 'backends': self.rows['be'],
                'compute_nodes': self.rows['cn'], 'brokers': self.rows['broker'], 'run_mode': 'shared_nothing',
                'statistic': {'unhealthy_tablet_num': 0, 'inconsistent_tablet_num': 0}, **self.found}

    def plan(self, operation='upgrade', target=NEW, **options):
        return rolling.plan_rolling(operation, target, self.cluster, self.nodes, dict(self.options, **options))


def order(plan):
    assert plan['refusals'] == []
    return ['+'.join(batch['hosts']) for batch in plan['batches']]


def refused(plan):
    """The words of the only refusal; with one there is nothing to do."""
    assert (plan['batches'], plan['asks'], plan['before'], plan['after']) == ([], [], [], [])
    (only,) = plan['refusals']
    return only['message']


def warned(plan):
    assert plan['refusals'] == []
    return ' | '.join(warning['message'] for warning in plan['warnings'])


# --- order ---

def test_an_upgrade_goes_from_back_ends_to_the_leader_and_brokers_stand_at_the_end():
    plan = Cluster(cn=1, observer=1, broker=2).plan()
    assert order(plan) == ['be1', 'be2', 'be3', 'cn1', 'fe2', 'fe3', 'ob1', 'fe1', 'br1', 'br2']
    assert [batch['leader'] for batch in plan['batches']] == 7 * [False] + [True, False, False]
    assert plan['from'] == {OLD: {'fe': ['fe1', 'fe2', 'fe3', 'ob1'], 'be': ['be1', 'be2', 'be3'], 'cn': ['cn1'],
                                  'broker': ['br1', 'br2']}}


def test_a_downgrade_begins_with_one_follower_and_back_ends_follow_the_leader():
    plan = Cluster(NEW, cn=1, observer=1, broker=1).plan('downgrade', OLD)
    assert order(plan) == ['fe2', 'fe3', 'ob1', 'fe1', 'be1', 'be2', 'be3', 'cn1', 'br1']
    assert 'must come up and catch up' in plan['batches'][0]['why']
    assert [batch['hosts'] for batch in plan['batches'] if batch['canary']] == [['fe2'], ['be1']]
    assert 'That is why one follower goes first' in warned(plan)


def test_the_only_follower_besides_observers_goes_after_them():
    plan = Cluster(NEW, fe=1, be=1, observer=1).plan('downgrade', OLD)
    assert order(plan) == ['ob1', 'fe1', 'be1']
    assert plan['batches'][0]['why'].startswith('one observer alone')


@pytest.mark.parametrize('operation, target, expected', [
    ('upgrade', NEW, ['fe3', 'fe1', 'fe2']), ('downgrade', OLD, ['fe1', 'fe3', 'fe2'])])
def test_whoever_leads_now_is_the_last_front_end(operation, target, expected):
    cluster = Cluster(OLD if operation == 'upgrade' else NEW).leads('fe2')
    if operation == 'upgrade':
        cluster.node('fe3').update(begun=True)
    plan = cluster.plan(operation, target, kinds=['fe', 'be'])
    assert [host for host in order(plan) if host.startswith('fe')] == expected


def test_a_leader_that_was_begun_with_and_still_leads_stays_the_last():
    cluster = Cluster().at(NEW, 'be1', 'be2', 'be3', 'fe2')
    cluster.node('fe1')['begun'] = True
    assert order(cluster.plan()) == ['fe3', 'fe1']


def test_a_leader_whose_process_is_gone_leads_no_more_and_comes_up_first():
    cluster = Cluster().at(NEW, 'be1', 'be2', 'be3')
    cluster.node('fe1').update(begun=True, running=False)
    assert order(cluster.plan()) == ['fe1', 'fe2', 'fe3']


def test_nodes_of_one_host_are_apart():
    cluster = Cluster(fe=0, be=0)
    for number in (1, 2, 3):
        for kind in ('fe', 'be', 'broker'):
            cluster.add('n%d' % number, kind, address='10.9.0.%d' % number)
    plan = cluster.plan()
    assert [(batch['kind'], batch['hosts']) for batch in plan['batches']] == [
        ('be', ['n1']), ('be', ['n2']), ('be', ['n3']), ('fe', ['n2']), ('fe', ['n3']), ('fe', ['n1']),
        ('broker', ['n1']), ('broker', ['n2']), ('broker', ['n3'])]


def test_brokers_alone_need_no_image_and_are_one_after_another():
    cluster = Cluster(broker=3).set(kinds=['broker'], batch=3)
    cluster.dead('be1').found['statistic'] = {'unhealthy_tablet_num': 9}
    plan = cluster.plan()
    assert order(plan) == ['br1', 'br2', 'br3']
    assert not any('image' in text or 'balancing' in text for text in [*plan['before'], *plan['after']])
    assert plan['asks'] == ['Each broker: stop; loads and exports by way of it fail meanwhile.']


def test_a_restart_goes_the_way_up_and_leaves_nobody_out():
    plan = Cluster(NEW, broker=1).plan('restart', None)
    assert order(plan) == ['be1', 'be2', 'be3', 'fe2', 'fe3', 'fe1', 'br1']
    assert plan['done'] == {} and plan['target'] is None and plan['warnings'] == []
    assert not any('image' in text or 'unpacked' in text for text in [*plan['before'], *plan['after']])


def test_versions_of_a_restart_are_no_matter():
    cluster = Cluster('3.3.15').at('3.5.0', 'be1').at('MAIN-RELEASE-d094052', 'be2')
    assert len(order(cluster.plan('restart', None))) == 6


@pytest.mark.parametrize('version, target, expected', [
    (NEW, OLD, ['fe2', 'fe3', 'fe1', 'be1', 'be2', 'be3']), (OLD, NEW, ['be1', 'be2', 'be3', 'fe2', 'fe3', 'fe1'])])
def test_a_rollback_goes_the_way_of_its_versions(version, target, expected):
    plan = Cluster(version).backups(target).plan('rollback', target)
    assert order(plan) == expected
    assert not any('unpacked' in text for text in plan['before'])


def test_a_rollback_of_a_half_done_upgrade_touches_what_was_changed():
    cluster = Cluster('3.4.4').at('3.5.0', 'be1', 'be2', 'fe2').backups('3.4.4', 'be1', 'be2', 'fe2')
    plan = cluster.plan('rollback', '3.4.4')
    assert order(plan) == ['fe2', 'be1', 'be2']
    # Back to 3.4.4 is no way of 3.5 (7.5), but the leader is there and has written the metadata.
    assert 'It goes on all the same, since the leader is at 3.4.4 already.' in warned(plan)


def test_what_the_leader_of_the_newer_version_wrote_cannot_be_taken_back():
    cluster = Cluster('3.5.0').backups('3.4.4')
    assert refused(cluster.plan('rollback', '3.4.4')).startswith(
        '3.5.0 to 3.4.4: From there the way down leads to 3.4.6 or later')


def test_back_ends_alone_may_be_taken_back_anywhere():
    cluster = Cluster('3.4.4').at('3.5.0', 'be1').backups('3.4.4')
    assert order(cluster.plan('rollback', '3.4.4')) == ['be1']


def test_what_does_not_come_up_with_the_new_version_is_taken_back_first():
    cluster = Cluster(NEW).backups(OLD).dead('be2')
    plan = cluster.plan('rollback', OLD)
    assert order(plan) == ['fe2', 'fe3', 'fe1', 'be2', 'be1', 'be3']
    assert plan['batches'][3]['why'].startswith('it was changed and does not run')
    cluster.node('be2')['backups'] = []
    assert len(cluster.plan('rollback', OLD)['refusals']) == 2


# --- half-way ---

def test_what_is_at_the_target_and_alive_is_left_out():
    plan = Cluster().at(NEW, 'be1', 'be2').plan()
    assert order(plan) == ['be3', 'fe2', 'fe3', 'fe1']
    assert plan['done'] == {'be': ['be1', 'be2']}
    assert not any(batch['canary'] for batch in plan['batches'])


def test_nothing_is_left_to_do():
    plan = Cluster(NEW).plan()
    assert order(plan) == [] and plan['before'] == plan['after'] == plan['asks'] == []
    assert plan['done'] == {'fe': ['fe1', 'fe2', 'fe3'], 'be': ['be1', 'be2', 'be3']}


@pytest.mark.parametrize('changes, why', [
    ({'pending': {'from': OLD, 'to': NEW}}, 'a switch from 3.4.10 to 3.5.7 was cut off there'),
    ({'pending': {'from': None, 'to': NEW}}, 'a switch from an unknown version to 3.5.7 was cut off there'),
    ({'begun': True}, 'a run that was cut off had begun there'),
    ({'installed': NEW}, 'it was changed and does not run'),
    ({'installed': '3.5.6'}, 'it was changed and does not run'),
])
def test_what_a_cut_off_run_left_down_comes_first_and_is_no_dead_node(changes, why):
    cluster = Cluster(be=4).at(NEW, 'be1').dead('be3', **changes)
    cluster.found['statistic'] = {'unhealthy_tablet_num': 7}
    plan = cluster.plan()
    assert order(plan)[:3] == ['be3', 'be2', 'be4']
    assert plan['batches'][0]['resume'] and plan['batches'][0]['why'].startswith(why)
    assert '7 tablets are unhealthy, while down: back end be3' in warned(plan)


def test_new_files_under_an_old_process_are_not_the_target():
    cluster = Cluster()
    cluster.node('be2')['installed'] = NEW
    plan = cluster.plan()
    assert order(plan)[0] == 'be2' and 'other files are there than those that run' in plan['batches'][0]['why']
    assert plan['from'] == {OLD: {'fe': ['fe1', 'fe2', 'fe3'], 'be': ['be1', 'be2', 'be3']}}


def test_a_batch_that_was_cut_off_is_not_filled_up_with_nodes_that_serve():
    cluster = Cluster(be=6).set(batch=3).at(NEW, 'be1', 'be2').dead('be3', 'be4', begun=True)
    assert order(cluster.plan())[:2] == ['be3+be4', 'be5+be6']


def test_a_front_end_that_is_down_comes_up_before_another_stops():
    cluster = Cluster().at(NEW, 'be1', 'be2', 'be3').dead('fe3', begun=True)
    assert order(cluster.plan()) == ['fe3', 'fe2', 'fe1']


def test_an_upgrade_that_was_cut_off_can_be_taken_back_by_the_end_of_the_switch_that_was_left():
    cluster = Cluster(be=2).dead('be1', pending={'from': OLD, 'to': NEW}, installed=None)
    plan = cluster.plan('rollback', OLD)
    assert order(plan) == ['be1'] and plan['from'] == {NEW: {'be': ['be1']}}


def test_a_switch_between_other_versions_must_be_ended_first():
    cluster = Cluster()
    cluster.node('be1')['pending'] = {'from': '3.4.4', 'to': OLD}
    assert 'a switch from 3.4.4 to 3.4.10 was cut off' in refused(cluster.plan())


def test_a_commit_counts_only_where_both_tell_theirs():
    assert order(Cluster(NEW).plan('upgrade', '3.5.7-0be11fd')) == []
    assert len(order(Cluster(NEW).plan('upgrade', '3.5.7-fffffff'))) == 6
    assert nodes_of.same('MAIN-RELEASE-d094052', 'MAIN-RELEASE-d094052') and not nodes_of.same(None, None)


def test_versions_are_compared_as_versions():
    assert order(Cluster('2.5.9').plan('upgrade', '2.5.10'))
    assert 'newer than the target' in refused(Cluster('2.5.10').plan('upgrade', '2.5.9'))


def test_a_node_installed_by_hand_is_known_by_what_the_leader_says():
    cluster = Cluster().at(NEW, 'be1')
    cluster.node('be1')['installed'] = cluster.node('be2')['installed'] = None
    assert order(cluster.plan())[0] == 'be2'


# --- width ---

@pytest.mark.parametrize('batch, backends, widths', [
    (1, 3, [1, 1, 1]), (2, 5, [1, 2, 2]), ('2', 5, [1, 2, 2]), ('25%', 9, [1, 2, 2, 2, 2]), ('10%', 3, [1, 1, 1]),
    ('50%', 5, [1, 2, 2]), (9, 4, [1, 3]), ('100%', 2, [1, 1]), (3, 1, [1])])
def test_the_width_of_batches_after_the_canary(batch, backends, widths):
    plan = Cluster(be=backends).plan(batch=batch)
    assert [len(one['hosts']) for one in plan['batches'] if one['kind'] == 'be'] == widths
    assert [one['canary'] for one in plan['batches']] == [True] + (len(plan['batches']) - 1) * [False]


def test_without_a_canary_the_first_batch_is_as_wide_as_the_others():
    plan = Cluster(be=4).plan(batch=2, canary=False)
    assert order(plan)[:2] == ['be1+be2', 'be3+be4'] and not any(batch['canary'] for batch in plan['batches'])


def test_back_ends_of_one_batch_are_in_one_rack():
    cluster = Cluster(be=6).set(batch=2)
    for number in range(1, 7):
        cluster.row('be%d' % number)['location'] = 'rack:r%d' % (number % 3)
    plan = cluster.plan()
    assert order(plan)[:4] == ['be3', 'be6', 'be1+be4', 'be2+be5']
    assert [batch['location'] for batch in plan['batches'][:4]] == ['rack:r0', 'rack:r0', 'rack:r1', 'rack:r2']
    assert 'location' not in warned(plan)


def test_two_racks_can_hold_two_replicas_of_three():
    cluster = Cluster(be=4).set(batch=2)
    for number in range(1, 5):
        cluster.row('be%d' % number)['location'] = 'rack:r%d' % (number % 2)
    assert 'With 2 locations, two replicas of three can be in one of them' in warned(cluster.plan(canary=False))


@pytest.mark.parametrize('locations', [[None, None, None], ['rack:r1'] * 3, ['rack:r1', None, None]])
def test_wide_batches_without_racks_are_warned_of(locations):
    cluster = Cluster(be=3).set(batch=2, canary=False)
    for number, location in enumerate(locations, 1):
        cluster.row('be%d' % number)['location'] = location
    assert 'may hold all replicas of a tablet, and up to 2 of them are down at once' in warned(cluster.plan())
    assert 'replicas' not in warned(cluster.plan(batch=1))


def test_one_of_a_kind_always_goes_on_serving():
    plan = Cluster(be=3, cn=3).plan(batch='100%', canary=False)
    assert order(plan)[:4] == ['be1+be2', 'be3', 'cn1+cn2', 'cn3']
    assert 'All 3 compute nodes at once were allowed; one goes on serving, so it is 2 at most.' in warned(plan)


def test_the_only_back_end_is_warned_of():
    assert 'Back end be1 is the only one, so no table is served' in warned(Cluster(be=1).plan())


def test_where_there_are_no_back_ends_the_canary_is_a_compute_node():
    plan = Cluster(be=0, cn=4).plan(batch=2)
    assert order(plan)[:3] == ['cn1', 'cn2+cn3', 'cn4'] and plan['batches'][0]['canary']


def test_compute_nodes_beside_back_ends_need_no_canary_of_their_own():
    assert order(Cluster(be=1, cn=3).plan(batch=2))[:3] == ['be1', 'cn1+cn2', 'cn3']


@pytest.mark.parametrize('batch', ['0', 0, '-1', 'all', '0%', '101%', '', '1.5', '5 %'])
def test_a_width_that_is_none(batch):
    assert refused(Cluster().plan(batch=batch)) == (
        'starrocks_rolling_batch: %s is neither a number from 1 on, nor 1%% to 100%%.' % batch)


# --- refusals ---

def test_no_answer_and_no_leader():
    cluster = Cluster()
    cluster.found = {'answered': False, 'frontends': None, 'backends': None, 'leader': None,
                     'not_answering': [{'host': '10.0.0.1:9030', 'error': 'refused'}]}
    assert refused(cluster.plan()).startswith('No front end answers, so nobody knows what the cluster is like '
                                              '(10.0.0.1:9030: refused).')
    cluster.found = {'leader': None}
    assert 'The cluster has no leader' in refused(cluster.plan())


def test_a_table_that_was_not_read():
    cluster = Cluster(broker=1)
    cluster.found = {'brokers': None, 'compute_nodes': None,
                     'not_read': [{'subset': 'brokers', 'reason': 'Access denied'}]}
    assert refused(cluster.plan()) == 'The brokers could not be listed: Access denied.'
    assert order(cluster.plan(kinds=['fe', 'be']))


@pytest.mark.parametrize('target', [None, '', 'latest', 'MAIN-RELEASE-d094052'])
def test_a_target_that_is_no_version(target):
    assert 'is no version of StarRocks' in refused(Cluster().plan('upgrade', target))


def test_the_wrong_direction_names_the_right_one():
    text = refused(Cluster().at('3.5.8', 'be1', 'be2').plan())
    assert text.startswith('3.5.8 is newer than the target 3.5.7: back ends be1, be2.')
    assert 'starrocks.cluster.downgrade (or rollback)' in text
    cluster = Cluster('3.4.8').at('3.4.4', 'fe2')
    assert refused(cluster.plan('downgrade', '3.4.6')).endswith('starrocks.cluster.upgrade.')
    assert 'no order fits both' in refused(cluster.backups('3.4.6').plan('rollback', '3.4.6'))


@pytest.mark.parametrize('versions, target, outcome', [
    ({'be1': NEW}, NEW, ''),  # half-way
    ({'be1': NEW, 'be2': '3.4.4'}, NEW, 'All of them go to 3.5.7'),  # three versions, one of which is the target
    ({'be1': '3.4.4'}, NEW, 'All of them go to 3.5.7'),  # patches of one line
    ({'be1': '3.3.15'}, NEW, 'a change was left half-way'),
    ({'be1': NEW, 'be2': '3.3.15'}, NEW, 'All of them go to 3.5.7'),
    ({'be1': '3.3.15'}, OLD, ''),
])
def test_mixed_versions(versions, target, outcome):
    cluster = Cluster()
    for host, version in versions.items():
        cluster.at(version, host)
    plan = cluster.plan('upgrade', target)
    texts = [one['message'] for one in [*plan['warnings'], *plan['refusals']]]
    mixed = [text for text in texts if 'several versions' in text]
    assert len(mixed) == bool(outcome) and all(outcome in text for text in mixed)
    assert bool(plan['refusals']) == ('left half-way' in outcome)


def test_brokers_of_another_version_make_no_mix():
    plan = Cluster(broker=2).at('3.2.16', 'br1', 'br2').plan()
    assert order(plan)[-2:] == ['br1', 'br2'] and 'several versions' not in warned(plan)


def test_a_version_that_nobody_knows():
    cluster = Cluster().at('MAIN-RELEASE-d094052', 'be1')
    assert 'MAIN-RELEASE-d094052 is a development build' in refused(cluster.plan())
    cluster = Cluster()
    cluster.node('be1')['installed'] = cluster.row('be1')['version'] = None
    assert refused(cluster.plan()) == 'Which version they have is not known: back end be1.'


@pytest.mark.parametrize('changes, row, reason', [
    ({'running': False}, {'alive': False, 'err_msg': 'refused\nat x'}, ' (the leader says: refused)'),
    ({'running': False}, {}, ' (its process does not run; the leader sees that within 20 s)'),
    ({}, {'alive': False}, ''),
])
def test_a_dead_back_end_is_refused_or_left_out_by_name(changes, row, reason):
    cluster = Cluster()
    cluster.node('be2').update(changes)
    cluster.row('be2').update(row)
    assert refused(cluster.plan()) == (
        'Back end be2 is not alive%s. Start it first (playbook starrocks.cluster.start), or leave it out by its name: '
        'starrocks_rolling_skip: [be2].' % reason)
    plan = cluster.plan(skip=['be2'])
    assert order(plan) == ['be1', 'be3', 'fe2', 'fe3', 'fe1'] and plan['skipped'] == {'be': ['be2']}
    assert 'Left out, since dead: back end be2.' in warned(plan)


def test_a_follower_that_has_not_joined_is_not_alive():
    cluster = Cluster(fe=5)
    cluster.row('fe4').update(join=False)
    assert 'Front end fe4 is not alive (it has not joined)' in refused(cluster.plan())
    assert 'fe4' not in order(cluster.plan(skip=['fe4']))


def test_what_lives_is_not_skipped_and_unknown_names_are_told():
    assert 'be1 is to be skipped, and lives' in refused(Cluster().plan(skip=['be1']))
    assert refused(Cluster().plan(skip=['be9'])) == 'skip: no host with a node is called so: be9.'
    assert refused(Cluster().plan(limit=['be8', 'be9'])) == 'limit: no host with a node is called so: be8, be9.'


def test_of_a_host_that_is_skipped_what_lives_is_changed():
    cluster = Cluster(broker=0)
    cluster.add('be1', 'broker')
    cluster.node('be1', 'broker')['running'] = False
    plan = cluster.plan(skip=['be1'])
    assert 'be1' in order(plan) and plan['skipped'] == {'broker': ['be1']}


def test_a_dead_node_that_is_not_registered_can_be_skipped_too():
    cluster = Cluster()
    cluster.rows['be'].pop()
    assert 'Not registered in the cluster: back end be3' in refused(cluster.plan())
    assert 'be3' not in order(cluster.plan(skip=['be3']))


def test_a_node_that_the_inventory_does_not_have():
    cluster = Cluster()
    del cluster.nodes[-1]
    assert refused(cluster.plan()).startswith('Back end 10.0.1.3:9050 belongs to the cluster and not to the inventory')
    assert order(cluster.plan(limit=['be1'])) == ['be1']
    assert order(Cluster(NEW).plan(kinds=['be'])) == []


def test_of_two_rows_of_a_host_the_one_with_its_port_is_meant():
    cluster = Cluster()
    cluster.rows['be'].insert(0, dict(cluster.row('be1'), heartbeat_port=9999, alive=False))
    assert refused(cluster.plan()).startswith('Back end 10.0.1.1:9999 belongs to the cluster and not')


def test_rows_are_known_by_any_name_of_the_host_and_the_case_is_no_matter():
    cluster = Cluster()
    cluster.row('be1')['host'] = 'BE1.Example.com'
    cluster.node('be1')['addresses'] = ['10.0.1.1', 'be1.example.com']
    assert order(cluster.plan())[0] == 'be1'


def test_a_node_whose_host_was_not_looked_at():
    cluster = Cluster()
    cluster.node('be2').update(seen=False, installed=None, running=None)
    assert refused(cluster.plan()).startswith('Back end be2 was not looked at in this run')
    assert order(cluster.at(NEW, 'be2').plan())


def test_a_decommission_in_progress():
    cluster = Cluster()
    cluster.row('be2')['system_decommissioned'] = True
    assert refused(cluster.plan()).startswith('Back end 10.0.1.2:9050 is being decommissioned.')
    assert order(cluster.plan(kinds=['broker'])) == []


@pytest.mark.parametrize('statistic', [{'unhealthy_tablet_num': 2}, {'inconsistent_tablet_num': 2}])
def test_unhealthy_tablets(statistic):
    cluster = Cluster()
    cluster.found['statistic'] = statistic
    assert refused(cluster.plan()).startswith('2 tablets are unhealthy.')
    assert '2 tablets are unhealthy: some may not be served' in warned(cluster.plan(allow_unhealthy=True))
    assert order(cluster.at(NEW, 'be1', 'be2', 'be3').plan())  # no back end is stopped


def test_a_statistic_that_was_not_read_is_warned_of():
    cluster = Cluster()
    cluster.found['statistic'] = None
    assert 'Whether replicas are healthy is not known' in warned(cluster.plan())


@pytest.mark.parametrize('major, refusals, warnings', [
    (11, 2, 1), (17, 0, 0), (21, 0, 0), (None, 0, 0)])
def test_a_jdk_that_is_too_old_for_the_target(major, refusals, warnings):
    cluster = Cluster(broker=1)
    for host in ('fe2', 'br1', 'be2'):
        cluster.node(host)['java_major'] = major
    plan = cluster.plan()
    wanted = 'has Java 11, older than 17: StarRocks 3.5.7 wants 17 or newer (17 recommended).'
    assert len([one for one in plan['refusals'] if wanted in one['message']]) == len(plan['refusals']) == refusals
    assert len([one for one in plan['warnings'] if wanted in one['message']]) == warnings


def test_a_rollback_needs_a_backup_on_each_node_that_changes():
    cluster = Cluster(NEW).backups(OLD, 'fe1', 'fe2', 'fe3', 'be1').at(OLD, 'be3')
    assert refused(cluster.plan('rollback', OLD)).startswith('No backup of 3.4.10 is kept on: back end be2.')


def test_one_node_may_be_rolled_back():
    cluster = Cluster().at(NEW, 'be1', 'be2').backups(OLD, 'be1')
    assert order(cluster.plan('rollback', OLD, limit=['be1'])) == ['be1']


@pytest.mark.parametrize('operation, version, target, options', [
    ('upgrade', OLD, NEW, {'kinds': ['fe']}), ('upgrade', OLD, NEW, {'limit': ['fe2', 'be1']}),
    ('downgrade', NEW, OLD, {'kinds': ['be']}), ('rollback', NEW, OLD, {'limit': ['be1']})])
def test_no_front_end_gets_newer_than_a_back_end(operation, version, target, options):
    plan = Cluster(version).backups(OLD).plan(operation, target, **options)
    assert 'Front ends would be newer than back end' in refused(plan)


@pytest.mark.parametrize('operation, version, target, options', [
    ('upgrade', OLD, NEW, {'kinds': ['be']}), ('downgrade', NEW, OLD, {'kinds': ['fe']}),
    ('upgrade', OLD, NEW, {'limit': ['be1']}), ('downgrade', NEW, OLD, {'limit': ['fe2']})])
def test_older_front_ends_work_with_newer_back_ends(operation, version, target, options):
    assert order(Cluster(version).plan(operation, target, **options))


def test_between_patches_a_newer_front_end_is_warned_of():
    cluster = Cluster('3.5.8').backups(NEW)
    assert 'Front ends would be newer than back end be1' in warned(cluster.plan('rollback', NEW, limit=['be1']))


def test_there_is_no_way_between_run_modes():
    assert 'There is no way from one to the other' in refused(Cluster().plan(run_mode='shared_data'))
    assert order(Cluster().plan(run_mode='shared-nothing'))


def test_names_keep_a_cluster_from_going_below_2_4():
    cluster = Cluster('2.5.22')
    assert order(cluster.plan('downgrade', '2.4.5'))
    cluster.row('fe1')['host'] = 'fe1'
    assert order(cluster.plan('downgrade', '2.4.5'))
    assert 'registered by their names' in refused(cluster.plan('downgrade', '2.3.9'))


def test_all_refusals_are_told_at_once_with_their_rule():
    cluster = Cluster().dead('be1')
    cluster.node('fe2')['java_major'] = 8
    del cluster.nodes[-1]
    plan = cluster.plan('upgrade', '3.5.7', skip=['fe1'])
    assert len(plan['refusals']) == 4 and all(one['why'] for one in plan['refusals'])


def test_statements_stand_beside_the_warning():
    plan = Cluster('3.4.4').plan()
    statements = [text for warning in plan['warnings'] for text in warning['statements']]
    assert statements == ['SET GLOBAL cbo_enable_low_cardinality_optimize = false;']
    assert plan['after'][-1].endswith('SET GLOBAL cbo_enable_low_cardinality_optimize = true;')


# --- followers ---

@pytest.mark.parametrize('followers, dead, outcome', [
    (1, 0, 'There is one follower alone'), (2, 0, 'leave 1 of 2 followers alive'), (3, 0, ''),
    (3, 1, 'leave 1 of 3 followers alive'), (4, 0, ''), (4, 1, 'leave 2 of 4 followers alive'), (5, 1, ''),
    (5, 2, 'leave 2 of 5 followers alive')])
def test_a_majority_of_followers_lives_on(followers, dead, outcome):
    cluster = Cluster(fe=followers, observer=1)
    names = ['fe%d' % number for number in range(followers, followers - dead, -1)]
    plan = cluster.dead(*names).plan(skip=names)
    if followers == 1 or not outcome:
        assert order(plan) and outcome in warned(plan)
    else:
        assert outcome in refused(plan)
        assert 'the cluster is down meanwhile' in warned(cluster.plan(skip=names, allow_downtime=True))


def test_back_ends_are_changed_whatever_the_number_of_followers():
    assert order(Cluster(fe=2).plan(kinds=['be']))


def test_a_follower_that_comes_up_first_counts_again():
    cluster = Cluster(fe=3).at(NEW, 'be1', 'be2', 'be3').dead('fe2', pending={'from': OLD, 'to': NEW})
    assert order(cluster.plan()) == ['fe2', 'fe3', 'fe1']


def test_a_follower_left_dead_outside_of_the_run_counts_against_the_majority():
    cluster = Cluster(NEW).dead('fe3')
    assert 'leave 1 of 3' in refused(cluster.plan('downgrade', OLD, limit=['fe2']))


# --- what is asked ---

def test_what_is_asked_of_whom_by_version():
    asks = ' '.join(Cluster(cn=2, broker=1).plan()['asks'])
    assert 'ADD BACKEND BLACKLIST' in asks and 'COMPUTE NODE BLACKLIST' not in asks
    assert 'Each back end: let its queries end, then stop.' in asks
    assert 'fe1: lead until all other front ends are done, then stop' in asks and '18 s' in asks
    old = ' '.join(Cluster('3.2.3', cn=2).plan('upgrade', '3.2.16')['asks'])
    assert 'BLACKLIST' not in old and 'queries that it works for may fail' in old and 'about a second' in old
    new = ' '.join(Cluster('4.0.6', cn=2).plan('upgrade', '4.0.14')['asks'])
    assert 'ADD COMPUTE NODE BLACKLIST' in new


def test_on_the_way_down_back_ends_are_blacklisted_by_front_ends_of_the_target():
    asks = Cluster('3.3.15').plan('downgrade', '3.2.16')['asks']
    assert not any('BLACKLIST' in text for text in asks)


def test_the_only_follower_is_told_that_it_stops():
    assert 'fe1: stop, though it is the only one that leads.' in Cluster(fe=1).plan()['asks']
    assert not any('18 s' in text for text in Cluster(fe=2).plan(allow_downtime=True)['asks'])


def test_staging_names_those_that_do_not_have_the_files():
    cluster = Cluster().dead('be1', installed=NEW)
    texts = [text for text in cluster.plan()['before'] if 'unpacked' in text]
    assert texts == ['3.5.7 is unpacked beside the release of each node, while all serve: front ends fe1, fe2, fe3; '
                     'back ends be2, be3.']


# --- the leader moves while the plan is walked ---

def test_the_batch_that_is_due():
    batches = Cluster(be=1).plan()['batches']
    assert rolling.next_batch(batches, [], 'fe1')['hosts'] == ['be1']
    assert rolling.next_batch(batches, batches[:1], 'fe1') == batches[1]
    assert rolling.next_batch(batches, batches, 'fe1') == {}


def test_a_leader_that_moved_is_put_off_and_who_led_before_takes_its_turn():
    batches = Cluster(be=1).plan()['batches']
    walked = batches[:1]
    due = rolling.next_batch(batches, walked, 'fe2')
    assert (due['hosts'], due['leader']) == (['fe3'], False)
    due = rolling.next_batch(batches, [*walked, due], 'fe2')
    assert (due['hosts'], due['leader'], due['why']) == (['fe1'], False, 'it leads no more, so it comes before fe2')
    due = rolling.next_batch(batches, [*walked, batches[2], due], 'fe2')
    assert (due['hosts'], due['leader'], due['why']) == (['fe2'], True, 'it leads now, so it is the last')
    assert rolling.next_batch(batches, batches, 'fe2') == {}


def test_brokers_wait_for_a_leader_that_was_put_off():
    batches = Cluster(be=0, broker=1).plan()['batches']
    assert rolling.next_batch(batches, batches[1:3], 'fe2')['hosts'] == ['fe2']


# --- from hosts' variables ---

def test_nodes_are_gathered_from_variables():
    hostvars = {
        'n1': {'starrocks_host': {'address': '10.0.0.1', 'fqdn': 'n1.example', 'host_name': 'n1',
                                  'addresses': ['10.0.0.1', '10.9.0.1'], 'java_major': 17,
                                  'processes': {'fe': 17, 'be': None},
                                  'nodes': [{'kind': 'fe', 'ports': {'edit_log_port': 9010}},
                                            {'kind': 'be', 'ports': {'heartbeat_service_port': 9050}}]},
               '_starrocks_releases': [{'kind': 'fe', 'installed': OLD, 'backups': ['3.4.4'], 'pending': None},
                                       {'kind': 'be', 'installed': None, 'pending': {'from': OLD, 'to': NEW}}]},
        'n2': {'ansible_host': '10.0.0.2', '_starrocks_releases': {'unreachable': True}},
        'n3': {'starrocks_host': {'address': '10.0.0.3'}},
        'n4': {'_starrocks_releases': {'releases': [{'kind': 'broker', 'installed': OLD}]}},
    }
    found = nodes_of.gather_nodes({'fe': ['n1', 'n2'], 'be': ['n1', 'n3'], 'broker': ['n4']}, hostvars,
                                  [{'kind': 'be', 'hosts': ['n3']}])
    by_name = {(node['host'], node['kind']): node for node in found}
    assert by_name['n1', 'fe'] == {
        'host': 'n1', 'kind': 'fe', 'addresses': ['10.0.0.1', 'n1.example', 'n1', '10.9.0.1'], 'port': 9010,
        'installed': OLD, 'backups': ['3.4.4'], 'pending': None, 'begun': False, 'running': True, 'java_major': 17,
        'seen': True}
    back_end = by_name['n1', 'be']
    assert (back_end['port'], back_end['running'], back_end['pending']) == (9050, False, {'from': OLD, 'to': NEW})
    assert by_name['n2', 'fe']['addresses'] == ['10.0.0.2', 'n2']
    assert {key: by_name['n2', 'fe'][key] for key in ('seen', 'running', 'installed', 'java_major')} == {
        'seen': False, 'running': None, 'installed': None, 'java_major': None}
    assert (by_name['n3', 'be']['seen'], by_name['n3', 'be']['begun']) == (True, True)
    assert (by_name['n4', 'broker']['seen'], by_name['n4', 'broker']['installed']) == (True, OLD)


# --- any cluster ---

@st.composite
def clusters(draw):
    """Clusters that can be changed, in any width and with any racks."""
    down = draw(st.booleans())
    cluster = Cluster(NEW if down else OLD, fe=draw(st.sampled_from([1, 3, 4, 5])), be=draw(st.integers(0, 9)),
                      cn=draw(st.integers(0, 4)), observer=draw(st.integers(0, 2)), broker=draw(st.integers(0, 3)))
    for row in cluster.rows['be']:
        row['location'] = draw(st.sampled_from([None, 'rack:a', 'rack:b', 'rack:c']))
    followers = [row for row in cluster.rows['fe'] if row['role'] != 'OBSERVER']
    cluster.leads(draw(st.sampled_from([node['host'] for node in cluster.nodes if node['host'].startswith('fe')]))
                  if followers else 'fe1')
    cluster.set(batch=draw(st.sampled_from([1, 2, 3, 100, '30%', '100%'])), canary=draw(st.booleans()))
    return cluster, ('downgrade', OLD) if down else ('upgrade', NEW)


def shape(batches):
    return [(batch['kind'], batch['hosts'], batch['canary'], batch['location']) for batch in batches]


@settings(deadline=None)
@given(clusters())
def test_each_node_once_front_ends_alone_and_the_leader_last(case):
    cluster, (operation, target) = case
    plan = cluster.plan(operation, target)
    assert plan['refusals'] == []
    hosts = [(batch['kind'], host) for batch in plan['batches'] for host in batch['hosts']]
    assert sorted(hosts) == sorted((node['kind'], node['host']) for node in cluster.nodes)
    fronts = [batch for batch in plan['batches'] if batch['kind'] == 'fe']
    assert all(len(batch['hosts']) == 1 for batch in fronts)
    assert [batch['leader'] for batch in fronts] == (len(fronts) - 1) * [False] + [True]
    kinds = [batch['kind'] for batch in plan['batches']]
    rank = nodes_of.ORDER[plan['direction']].index
    assert kinds == sorted(kinds, key=rank)
    for batch in plan['batches']:
        alike = [node for node in cluster.nodes if node['kind'] == batch['kind']]
        assert len(batch['hosts']) < len(alike) or len(alike) == 1
        if batch['kind'] == 'be' and len({row['location'] for row in cluster.rows['be']}) > 1:
            assert len({cluster.row(host, 'be')['location'] for host in batch['hosts']}) == 1


@settings(deadline=None)
@given(clusters(), st.data())
def test_a_run_after_any_prefix_of_batches_gives_the_rest(case, data):
    cluster, (operation, target) = case
    batches = cluster.plan(operation, target)['batches']
    walked = data.draw(st.integers(0, len(batches)))
    for batch in batches[:walked]:
        for host in batch['hosts']:
            cluster.at(target, host)
        if batch['leader'] and len([row for row in cluster.rows['fe'] if row['role'] == 'FOLLOWER']):
            other = next(node['host'] for node in cluster.nodes if node['kind'] == 'fe'
                         and cluster.row(node['host'], 'fe')['role'] == 'FOLLOWER')
            cluster.leads(other)
    again = cluster.plan(operation, target)
    assert again['refusals'] == []
    assert shape(again['batches']) == shape(batches[walked:])


@settings(deadline=None)
@given(clusters(), st.data())
def test_a_run_that_was_cut_off_in_a_batch_is_ended_or_taken_back(case, data):
    cluster, (operation, target) = case
    batches = cluster.plan(operation, target)['batches']
    walked = data.draw(st.integers(0, len(batches) - 1))
    for batch in batches[:walked]:
        for host in batch['hosts']:
            cluster.at(target, host)
    origin = OLD if target == NEW else NEW
    cut = batches[walked]
    if cut['leader']:
        return
    for host in cut['hosts']:
        node, row = cluster.node(host, cut['kind']), cluster.row(host, cut['kind'])
        node.update(data.draw(st.sampled_from([
            {'begun': True, 'running': False}, {'pending': {'from': origin, 'to': target}, 'running': False},
            {'installed': target, 'running': False, 'backups': [origin]}])))
        row['alive'] = data.draw(st.booleans())
    before = copy.deepcopy((cluster.cluster, cluster.nodes))
    again = cluster.plan(operation, target)
    assert again['refusals'] == []
    assert {host for batch in again['batches'] if batch['resume'] for host in batch['hosts']} == set(cut['hosts'])
    left = [(batch['kind'], host) for batch in again['batches'] for host in batch['hosts']]
    assert sorted(left) == sorted((batch['kind'], host) for batch in batches[walked:] for host in batch['hosts'])
    kind = [batch for batch in again['batches'] if batch['kind'] == cut['kind']]
    resumed = len([batch for batch in kind if batch['resume']])
    assert all(batch['resume'] for batch in kind[:resumed])
    back = cluster.backups(origin).plan('rollback', origin)
    assert back['refusals'] == []
    assert (cluster.cluster, [dict(node, backups=[]) for node in cluster.nodes]) == (
        before[0], [dict(node, backups=[]) for node in before[1]])


def test_a_back_end_and_a_compute_node_of_one_folder_are_refused():
    cluster = Cluster()
    cluster.add('be1', 'cn')
    assert any('run there from one folder' in one['message'] for one in cluster.plan()['refusals'])
    assert cluster.plan('restart', None)['refusals'] == []
