# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an operation is, who may have it next, and what is said to the others."""

import json

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _operation as rules

BASTION = {'name': 'bastion', 'machine': 'm1', 'boot': 'b1', 'namespace': rules.INITIAL_NAMESPACE}
ANNA = {'id': 'r1', 'owner': 'anna@bastion', 'controller': BASTION, 'pid': 4711, 'started': '100'}
BERT = {'id': 'r2', 'owner': 'bert@laptop', 'controller': dict(BASTION, name='laptop', machine='m2', boot='b2'),
        'pid': 12, 'started': '5'}
NOW = '2026-11-30T19:44:05Z'
PATH = '/var/lib/starrocks/operation.json'


def begin(found=None, run=ANNA, replace=None, operation='upgrade to 3.5.1', saved=None, notes=None, now=NOW):
    asked = {'cluster': 'prod', 'operation': operation, 'saved': saved or {}, 'notes': notes or {}}
    return rules.begin(found, run, asked, replace, now)


# -- what is done with the file


def test_a_run_begins_and_begins_again():
    record = begin(saved={'a': '1'}, notes={'from': ['3.4.4']})
    assert record == {'format': 1, 'cluster': 'prod', 'operation': 'upgrade to 3.5.1', 'run': 'r1',
                      'owner': 'anna@bastion', 'controller': BASTION, 'pid': 4711, 'started': '100', 'since': NOW,
                      'saved': {'a': '1'}, 'notes': {'from': ['3.4.4']}}
    assert begin(record, now='later', operation='restart') == record
    # The first value is the true one: the second was read when the first change was made already.
    again = begin(record, saved={'a': '2', 'b': '3'}, notes={'from': ['3.5.1'], 'more': 1})
    assert (again['saved'], again['notes']) == ({'a': '1', 'b': '3'}, {'from': ['3.4.4'], 'more': 1})
    assert record['saved'] == {'a': '1'}


def test_another_run_is_replaced_by_its_id_alone():
    record = begin(saved={'a': '1'}, notes={'from': '3.4.4'})
    assert begin(record, BERT) is None
    assert begin(record, BERT, replace='r0') is None
    taken = begin(record, BERT, replace='r1', saved={'a': '0', 'b': '2'}, notes={'from': 'x'}, operation='rollback',
                  now='later')
    assert taken == dict(record, run='r2', owner='bert@laptop', controller=BERT['controller'], pid=12, started='5',
                         operation='rollback', since='later', saved={'a': '1', 'b': '2'}, notes={'from': '3.4.4'})
    # The run that was judged has ended its operation meanwhile, as it should.
    assert begin(None, BERT, replace='r1')['saved'] == {}


def test_notes_take_the_newest_value_and_saved_keeps_the_first():
    record = rules.note(begin(saved={'a': '1'}, notes={'n': 1, 'm': 1}), {'saved': {'a': '2'}, 'notes': {'n': 2}})
    assert (record['saved'], record['notes']) == ({'a': '1'}, {'n': 2, 'm': 1})
    assert rules.note(record, {'saved': {}, 'notes': {}}) == record


def test_what_is_read_is_what_was_written():
    record = begin(saved={'size': 5, 'list': (1, 2)}, notes={'1': None})
    assert rules.parse(rules.text_of(record), PATH) == record
    # Names that are no text in YAML, as JSON has them, so that a rerun sees no difference.
    assert begin(notes={3: 'x'})['notes'] == {'3': 'x'}


@pytest.mark.parametrize(('text', 'words'), [
    ('', 'damaged'),
    ('[]', 'damaged (no dictionary)'),
    ('{"format": 2}', 'a form that this version of the collection does not know'),
    ('{"format": 1, "cluster": "c"}', 'damaged (no controller, notes, operation, owner, pid, run, saved, since)'),
])
def test_what_cannot_be_read_is_said(text, words):
    with pytest.raises(rules.OperationError) as error:
        rules.parse(text, PATH)
    assert words in str(error.value) and PATH in str(error.value)


@pytest.mark.parametrize('pid', [0, -1, 2 ** 40])
def test_a_process_id_is_one(pid):
    with pytest.raises(rules.OperationError):
        rules.parse(json.dumps(dict(begin(), pid=pid)), PATH)


def test_the_diff_masks_secrets():
    record = begin(saved={'aws_s3_secret_key': 'hush'}, notes={'list': [{'root_password': 'hush'}], 'x': 'seen'})
    text = rules.file_diff(PATH, None, record)
    assert text.startswith('--- %s (absent)\n+++ %s\n' % (PATH, PATH)) and 'hush' not in text and 'seen' in text
    assert rules.file_diff(PATH, record, record) == ''
    assert '-' in rules.file_diff(PATH, record, None)


def test_a_run_has_an_id_of_its_own():
    ids = {rules.run_id(BASTION, 1, '5'), rules.run_id(BASTION, 2, '5'), rules.run_id(BASTION, 1, '6'),
           rules.run_id(dict(BASTION, boot='b2'), 1, '5'), rules.run_id(BERT['controller'], 1, '5')}
    assert len(ids) == 5
    assert rules.run_id(dict(reversed(BASTION.items())), 1, '5') in ids


# -- who may have it next

THERE, GONE = {'exists': True, 'started': '100'}, {'exists': False, 'started': None}
OTHER = {'exists': True, 'started': '999'}
BOX = dict(BASTION, namespace='pid:[4026532999]')


@pytest.mark.parametrize(('there', 'here', 'seen', 'expected'), [
    # On the same controller its process tells.
    (BASTION, BASTION, THERE, 'alive'),
    (BASTION, BASTION, GONE, 'ended'),
    (BASTION, BASTION, OTHER, 'ended'),  # the id was used again
    (BASTION, BASTION, {'exists': True, 'started': None}, 'alive'),  # hidden from this user
    (dict(BASTION, machine=None), dict(BASTION, machine=None), GONE, 'ended'),
    # A boot ends all processes.
    (BASTION, dict(BASTION, boot='b2'), OTHER, 'ended'),
    (BASTION, dict(BASTION, boot='b2'), THERE, 'ended'),
    # In another container of the same host the process could not be seen, whatever has its number here.
    (BOX, BASTION, GONE, 'unknown'),
    (BASTION, BOX, OTHER, 'unknown'),
    (BOX, dict(BOX, namespace='pid:[4026533000]'), GONE, 'unknown'),
    (BOX, BOX, GONE, 'ended'),
    # Two hosts that run containers of one image, which has a machine id in it.
    (BOX, dict(BOX, boot='b2'), GONE, 'unknown'),
    (BASTION, dict(BASTION, boot='b2', name='other'), GONE, 'unknown'),
    # Another controller.
    (BASTION, BERT['controller'], GONE, 'unknown'),
    # Nothing is known of them.
    (dict(BASTION, boot=None), dict(BASTION, boot=None), GONE, 'unknown'),
    (dict(BASTION, machine=None), dict(BASTION, machine=None, boot='b2'), GONE, 'unknown'),
    ({}, BASTION, GONE, 'unknown'),
])
def test_whether_a_run_lives(there, here, seen, expected):
    assert rules.life(dict(begin(), controller=there), here, seen) == expected


@pytest.mark.parametrize(('alive', 'take_over', 'expected'), [
    ('ended', None, True),
    ('ended', 'bert@laptop', True),
    ('unknown', None, False),
    ('unknown', '', False),
    ('unknown', 'bert@laptop', False),
    ('unknown', 'anna@bastion', True),
    ('alive', None, False),
    ('alive', 'anna@bastion', False),
])
def test_who_may_take_over(alive, take_over, expected):
    assert rules.may_replace(begin(), alive, take_over) is expected


def test_a_refusal_says_who_what_where_since_when_and_what_to_do():
    for alive in ('alive', 'unknown'):
        text = rules.refusal(begin(), alive, None, PATH)
        for part in ('anna@bastion', 'prod', 'upgrade to 3.5.1', NOW, '4711', 'on bastion', PATH):
            assert part in text
    assert 'end it' in rules.refusal(begin(), 'alive', 'anna@bastion', PATH)
    assert '-e starrocks_take_over=anna@bastion' in rules.refusal(begin(), 'unknown', None, PATH)
    assert "take_over names 'x'" in rules.refusal(begin(), 'unknown', 'x', PATH)
    assert 'its controller' in rules.refusal(dict(begin(), controller={}), 'unknown', None, PATH)
    assert 'anna@bastion' in rules.lost(begin(), PATH) and PATH in rules.lost(begin(), PATH)
