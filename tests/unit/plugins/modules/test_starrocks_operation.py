# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_operation on real files, by runs that are made up, in processes that are not."""

import fcntl
import json
import os
import signal
import stat

import pytest
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_operation
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import run_module

CONTROLLER = {'name': 'bastion', 'machine': 'm1', 'boot': 'b1', 'namespace': 'pid:[1]'}
SAVED = {'disable_balance': 'false', 'tablet_sched_max_balancing_tablets': '500'}


def a_run(name):
    return {'id': name, 'owner': '%s@bastion' % name, 'controller': CONTROLLER, 'pid': 4711, 'started': '100'}


class Host:
    """A front end host with its file, on which runs call the module."""

    def __init__(self, folder):
        self.path = folder / 'starrocks' / 'operation.json'

    def __call__(self, state, run='anna', check_mode=False, **arguments):
        if state == 'begun':
            arguments = dict({'cluster': 'prod', 'operation': 'upgrade to 3.5.1'}, **arguments)
        return run_module(starrocks_operation, dict(arguments, path=self.path, state=state, run=a_run(run)), check_mode)

    def by_law(self, state, **arguments):
        """Check mode, the real run, and once more. Returns what the real run returned."""
        before = self.text()
        foreseen = self(state, check_mode=True, **arguments)
        assert self.text() == before
        done = self(state, **arguments)
        assert not done['failed'], done['msg']
        assert (foreseen['changed'], foreseen['mine']) == (done['changed'], done['mine'])
        assert without_time(foreseen) == without_time(done)
        after = self.text()
        assert (after != before) == done['changed'] == bool(done['diff']['prepared'])
        again = self(state, **arguments)
        assert (again['changed'], again['diff']['prepared'], again['operation']) == (False, '', done['operation'])
        assert self.text() == after
        assert self.left() <= {'operation.json'}
        return done

    def text(self):
        return self.path.read_text() if self.path.exists() else None

    def says(self):
        return json.loads(self.text())

    def left(self):
        return set(os.listdir(self.path.parent)) if self.path.parent.exists() else set()


def without_time(result):
    return {**(result['operation'] or {}), 'since': None}


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_an_operation_begins_is_noted_and_ends(host):
    done = host.by_law('begun', saved=SAVED, notes={'started_from': {'fe1': '3.4.4'}})
    assert done['changed'] and done['mine'] and done['taken_over'] is None
    assert done['operation'] == host.says() and host.says()['owner'] == 'anna@bastion'
    assert stat.S_IMODE(host.path.stat().st_mode) == 0o600
    done = host.by_law('noted', saved={'disable_balance': 'true', 'disable_colocate_balance': 'false'},
                       notes={'started_from': {'fe1': '3.4.4', 'fe2': '3.4.4'}})
    assert done['changed'] and stat.S_IMODE(host.path.stat().st_mode) == 0o600
    assert host.says()['saved'] == dict(SAVED, disable_colocate_balance='false')
    assert host.says()['notes'] == {'started_from': {'fe1': '3.4.4', 'fe2': '3.4.4'}}
    assert host.by_law('looked')['operation'] == host.says()
    done = host.by_law('ended')
    assert done['changed'] and not done['mine'] and host.left() == set()
    assert host.by_law('looked')['operation'] is None
    assert not host.by_law('ended')['changed']


def test_another_run_is_refused_and_changes_nothing(host):
    host('begun', saved=SAVED)
    before = host.text()
    for state, check_mode in (('begun', False), ('begun', True), ('noted', False)):
        refused = host(state, 'bert', check_mode, notes={'mine': 1}, **(
            {'take_over': 'anna@bastion'} if state == 'begun' else {}))
        assert refused['failed'] and 'anna@bastion' in refused['msg'] and not refused['mine']
        assert refused['operation'] == host.says()
    # An end that is called whatever came before, and takes nothing from anybody.
    ended = host.by_law('ended', run='bert')
    assert (ended['changed'], ended['mine'], ended['operation']) == (False, False, host.says())
    assert host('looked', 'bert')['mine'] is False and host('looked')['mine'] is True
    assert host.text() == before


def test_a_run_that_is_over_is_replaced_with_all_it_saved(host):
    host('begun', saved=SAVED, notes={'started_from': '3.4.4'})
    taken = host('begun', 'bert', replace_run='anna', saved={'disable_balance': 'true'}, operation='rollback')
    assert taken['changed'] and taken['mine'] and host.says()['saved'] == SAVED
    assert (host.says()['operation'], host.says()['notes']) == ('rollback', {'started_from': '3.4.4'})
    assert taken['taken_over']['owner'] == 'anna@bastion' and 'saved' not in taken['taken_over']
    # Who was judged before that is not who has it now.
    refused = host('begun', 'carl', replace_run='anna')
    assert refused['failed'] and refused['operation']['run'] == 'bert'
    # The run that was taken for dead learns it, and cannot undo it.
    assert 'was taken over' in host('noted', notes={'n': 1})['msg'] and not host('ended')['changed']
    assert not host('begun', 'bert', replace_run='anna')['changed']


def test_nothing_is_noted_in_a_file_that_is_gone(host):
    refused = host('noted', notes={'n': 1})
    assert refused['failed'] and 'Nothing was noted' in refused['msg'] and host.left() == set()
    # In check mode none was begun.
    assert not host('noted', check_mode=True, notes={'n': 1})['failed']


def test_secrets_are_not_shown_in_the_diff(host):
    done = host('begun', saved={'aws_s3_secret_key': 'hush-hush'})
    assert 'hush-hush' not in done['diff']['prepared'] and 'aws_s3_secret_key' in done['diff']['prepared']


@pytest.mark.parametrize('state', ['begun', 'noted', 'ended', 'looked'])
def test_what_stands_there_and_is_no_operation_is_left(host, state, tmp_path):
    host.path.parent.mkdir()
    host.path.write_text('{')
    assert 'is damaged' in host(state)['msg'] and host.text() == '{'
    host.path.unlink()
    (tmp_path / 'other').write_text('{}')
    host.path.symlink_to(tmp_path / 'other')
    assert 'is a link' in host(state)['msg']
    host.path.unlink()
    host.path.mkdir()
    assert 'cannot be kept' in host(state)['msg']


def test_a_link_under_the_name_of_the_new_file_is_not_followed(host, tmp_path):
    host.path.parent.mkdir()
    (tmp_path / 'other').write_text('kept')
    (host.path.parent / '.operation.json.new').symlink_to(tmp_path / 'other')
    host.by_law('begun')
    assert (tmp_path / 'other').read_text() == 'kept' and host.left() == {'operation.json'}


def test_what_is_missing_is_said(host):
    assert 'action plugin' in run_module(starrocks_operation, {'path': host.path})['msg']
    result = run_module(starrocks_operation, {'path': host.path, 'state': 'begun', 'run': a_run('anna')})
    assert result['failed'] and 'cluster' in result['msg']
    host.path.parent.write_text('')
    assert 'cannot be kept' in host('begun')['msg']
    assert not host('ended')['failed'] and host('looked')['operation'] is None


def test_a_run_that_hangs_in_the_middle_is_waited_for_and_then_named(host, monkeypatch):
    monkeypatch.setattr(starrocks_operation, 'LOCK_SECONDS', 0.1)
    host('begun')
    handle = os.open(host.path.parent, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert 'holds the lock' in host('ended')['msg']
    assert host('looked')['mine'] and host('begun', check_mode=True)['mine']
    os.close(handle)
    assert host('ended')['changed']


# -- several at once, and one cut short


def in_children(*calls):
    """Have each call made by a process of its own, all at once; returns what each returned, None for one killed."""
    start, begin = os.pipe()
    children = []
    for call in calls:
        answers, answer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(begin)
                os.read(start, 1)  # ends when the parent closes the pipe
                os.write(answer, json.dumps(call()).encode())
            finally:
                os._exit(0)
        os.close(answer)
        children.append((child, answers))
    os.close(start)
    os.close(begin)
    results = []
    for child, answers in children:
        with os.fdopen(answers, 'rb') as stream:
            text = stream.read()
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert killed or text
        results.append(None if killed else json.loads(text))
    return results


@pytest.mark.parametrize('round_', range(5))
def test_of_runs_that_begin_at_once_just_one_wins(host, round_):
    names = ['run%d' % number for number in range(8)]
    results = in_children(*[lambda name=name: host('begun', name) for name in names])
    winners = [name for name, result in zip(names, results) if not result['failed']]
    assert len(winners) == 1 and host.says()['run'] == winners[0]
    assert {result['operation']['run'] for result in results} == set(winners)
    assert host.left() == {'operation.json'}


@pytest.mark.parametrize('round_', range(5))
def test_of_runs_that_replace_a_dead_one_at_once_just_one_wins(host, round_):
    host('begun', 'dead', saved=SAVED)
    names = ['run%d' % number for number in range(8)]
    results = in_children(*[lambda name=name: host('begun', name, replace_run='dead') for name in names])
    winners = [name for name, result in zip(names, results) if not result['failed']]
    assert len(winners) == 1 and host.says()['run'] == winners[0] and host.says()['saved'] == SAVED


def test_an_end_takes_nothing_from_who_begins_at_that_moment(host):
    for dummy in range(10):
        host('begun', 'anna')
        ended, begun = in_children(lambda: host('ended', 'anna'), lambda: host('begun', 'bert'))
        assert ended['changed']
        assert (host.text() is None) == begun['failed']
        host('ended', 'bert')


STEPS = ('makedirs', 'open', 'unlink', 'fdopen', 'fchmod', 'fsync', 'rename', 'close')


def killed_at(step, call):
    """Make a call in a child that is killed before its n-th call of the system for files; whether it came to that."""
    def child():
        count = [0]

        def counted(function):
            def counting(*arguments, **options):
                count[0] += 1
                if count[0] == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)
            return counting
        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        call()
        return {}
    return in_children(child) == [None]


@pytest.mark.parametrize(('prepare', 'state', 'arguments'), [
    ((), 'begun', {'saved': SAVED}),
    (('begun',), 'noted', {'saved': SAVED}),
    (('begun',), 'ended', {}),
])
def test_killed_anywhere_there_is_the_old_or_the_new_file(host, prepare, state, arguments):
    seen = set()
    for step in range(1, 100):
        for earlier in prepare:
            host(earlier)
        before = host.text()
        killed = killed_at(step, lambda: host(state, **arguments))
        after = host.text()
        if after != before:
            seen.add('changed' if killed else 'done')
            assert after is None or host.says()['saved'] == arguments['saved']
        # The next run sees no trace of it.
        assert not host(state, **arguments)['failed'] and host.left() <= {'operation.json'}
        host('ended')
        assert host.left() == set()
        if not killed:
            break
    assert not killed and seen == {'changed', 'done'} and step > 5
