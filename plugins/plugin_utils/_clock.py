# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a host's clock is from the controller's, measured as NTP does it: by the middle of a round trip.

Hosts are asked one after another, so the times that they tell cannot be compared; their distances from one clock can.
"""

from __future__ import annotations

COMMAND = 'date +%s.%N'

GOOD_ROUND_TRIP = 0.2
"""Seconds: the offset is known to a tenth of a second then, and no further sample is taken."""

SAMPLES = 5

NOT_MEASURED = {'offset': None, 'error': None}


def sample(before: float, answer: str, after: float) -> dict:
    """Return the clock that one answer of COMMAND shows; ``before`` and ``after`` are times of the controller."""
    try:
        host = float(answer.strip())
    except ValueError:
        return dict(NOT_MEASURED)  # a `date` that does not know %N, or a shell that says something of its own
    return {'offset': round(host - (before + after) / 2, 6), 'error': round((after - before) / 2, 6)}


def better(one: dict, other: dict) -> dict:
    """Return which of two clocks is known better."""
    if one['error'] is None or other['error'] is None:
        return other if one['error'] is None else one
    return one if one['error'] <= other['error'] else other


def good_enough(clock: dict) -> bool:
    """Tell whether no further sample is needed."""
    return clock['error'] is not None and 2 * clock['error'] < GOOD_ROUND_TRIP
