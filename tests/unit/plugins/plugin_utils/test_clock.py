# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _clock as clock


def test_the_offset_is_that_from_the_middle_of_the_round_trip():
    assert clock.sample(100.0, '107.250000000\n', 100.5) == {'offset': 7.0, 'error': 0.25}


@pytest.mark.parametrize('answer', ['', '1764000000.%N', 'sh: date: not found'])
def test_an_answer_that_is_no_time_is_no_measure(answer):
    assert clock.sample(100.0, answer, 100.1) == clock.NOT_MEASURED


def test_the_shorter_round_trip_is_better_and_any_than_none():
    long, short = {'offset': 1.0, 'error': 0.5}, {'offset': 1.2, 'error': 0.1}
    assert clock.better(long, short) is short and clock.better(short, long) is short
    assert clock.better(clock.NOT_MEASURED, long) is long and clock.better(long, clock.NOT_MEASURED) is long


def test_a_tenth_of_a_second_is_good_enough():
    assert clock.good_enough({'offset': 0.0, 'error': 0.09})
    assert not clock.good_enough({'offset': 0.0, 'error': 0.11}) and not clock.good_enough(clock.NOT_MEASURED)
