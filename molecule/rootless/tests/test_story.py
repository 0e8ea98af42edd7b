# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of a team that is not root on its hosts. The tests are the parts of one story, in this order."""

import re

from shared.cluster import UNITS, differences

EVERYTHING = {"fe": ["u1", "u2"], "be": ["u1"], "cn": ["u2"], "broker": ["u1"]}


def outside(cluster) -> dict[str, list[str]]:
    """Host -> what has changed outside of the account's home since before the deploy. systemd and login keep notes."""
    bare = cluster.recall("bare")
    return {
        name: [path for path in differences(bare[name], cluster.files(name)) if not path.startswith("/home/tester/")]
        for name in cluster.hosts
    }


def test_everything_is_alive(cluster):
    cluster.wait_alive(**EVERYTHING)
    roles = {name: row["Role"] for name, row in cluster.rows("fe").items()}
    assert roles == {"u1": "LEADER", "u2": "OBSERVER"}


def test_all_of_it_belongs_to_the_account(cluster):
    nodes = {(name, UNITS[kind]) for kind, names in EVERYTHING.items() for name in names}
    pids = cluster.pids()
    assert pids.keys() == nodes
    for (name, _), pid in pids.items():
        (process,) = cluster.on(name).process.filter(pid=pid)
        assert process.user == "tester"


def test_nothing_outside_its_home_was_touched(cluster):
    assert outside(cluster) == {"u1": [], "u2": []}


def test_all_is_back_after_a_reboot(cluster):
    ids, pids = cluster.cluster_ids(), cluster.pids()
    cluster.machine("reboot")
    cluster.wait_alive(seconds=90, **EVERYTHING)
    assert cluster.pids().keys() == pids.keys()
    assert cluster.cluster_ids() == ids


def test_stop_and_start(cluster):
    cluster.play("stop")
    assert cluster.pids() == {}
    cluster.play("start")
    cluster.wait_alive(**EVERYTHING)


def test_destroy_leaves_the_home_as_it_was(cluster):
    cluster.play("destroy", extra={"starrocks_destroy_confirm": "story", "starrocks_destroy_data": True})
    made = re.compile(r"/home/tester/(starrocks|data|log)(/.*)?|.*starrocks-.*")
    for name in cluster.hosts:
        assert [path for path in cluster.files(name) if made.fullmatch(path)] == []
        assert cluster.on(name).run("pgrep -u tester -f starrocks").stdout == ""
    assert outside(cluster) == {"u1": [], "u2": []}
