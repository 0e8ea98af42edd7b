# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ADMIN SET FRONTEND CONFIG where there are three front ends."""

import pytest
from fe_cluster import NETWORK, FrontEndProcess, join, wait_for

KEY = "tablet_sched_max_balancing_tablets"


@pytest.fixture
def trio(tmp_path):
    """A function: three followers of a version, the first of them leads."""
    made = []

    def start(version):
        made.extend(FrontEndProcess(tmp_path / f"fe{number}", f"{NETWORK}.75.{number}", version=version)
                    for number in (1, 2, 3))
        made[0].start()
        for other in made[1:]:
            join(made[0], other)
        return made
    yield start
    for one in made:
        one.kill()


def value(front_end):
    (row,) = front_end.query(f"ADMIN SHOW FRONTEND CONFIG LIKE '{KEY}'")
    return row["Value"]


def change(number):
    return f"ADMIN SET FRONTEND CONFIG ('{KEY}' = '{number}')"


@pytest.mark.parametrize(("version", "number"), [("3.4.4", 5076), ("3.5.0", 5101), ("3.5.7", None)])
def test_set_on_all_front_ends(version, number, trio):
    """Each tells its own; whoever is dead makes it an error before 3.5.1, but all others have the value by then."""
    first, second, third = trio(version)
    second.query(change(7))
    assert [value(one) for one in (first, second, third)] == ["7"] * 3
    third.kill()
    wait_for(lambda: first.frontends()[third.address]["Alive"] == "false", "the third is seen as dead")
    if number:
        refusal = second.refusal(change(8))
        assert refusal[0] == number and third.address in refusal[1]
    else:
        second.query(change(8))
    assert [value(one) for one in (first, second)] == ["8"] * 2
    third.start()
    assert value(third) not in ("7", "8"), "a restart reads fe.conf again"
