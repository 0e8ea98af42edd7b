# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of a team that is not root on its hosts. The tests are the parts of one story, in this order."""

import re

from shared.cluster import UNITS, differences

EVERYTHING = {"fe": ["u1", "u2"], "be": ["u1"], "cn": ["u2"], "broker": ["u1"]}
NODES = {(name, UNITS[kind]) for kind, names in EVERYTHING.items() for name in names}

# What makes up a deployed cluster: everything else in the home belongs to its owner.
OURS = re.compile(r"/home/tester/(starrocks|data|log)(/.*)?|/home/tester/\.config/systemd/user/.*starrocks-.*")

# podman writes it anew when a test host is rebooted.
REBOOTED = "/etc/resolv.conf"


def outside(cluster) -> set[str]:
    """What has changed outside of the account's home on any host since before the deploy."""
    bare = cluster.recall("bare")
    changed = {path for name in cluster.hosts for path in differences(bare[name], cluster.files(name))}
    return {path for path in changed if not path.startswith("/home/tester/")}


def test_everything_is_alive(cluster):
    cluster.wait_alive(**EVERYTHING)
    roles = {name: row["Role"] for name, row in cluster.rows("fe").items()}
    assert roles == {"u1": "LEADER", "u2": "OBSERVER"}


def test_all_of_it_belongs_to_the_account(cluster):
    pids = cluster.pids()
    assert pids.keys() == NODES
    for (name, unit), pid in pids.items():
        (process,) = cluster.on(name).process.filter(pid=pid)
        assert process.user == "tester"
        assert cluster.units(name)[unit]["UnitFileState"] == "enabled"
        assert cluster.on(name).file(f"/home/tester/.config/systemd/user/{unit}.service").user == "tester"
    for name in EVERYTHING["fe"]:
        settings = cluster.on(name).file("/home/tester/starrocks/fe/conf/fe.conf")
        assert (settings.user, settings.mode) == ("tester", 0o640)


def test_nothing_outside_its_home_was_touched(cluster):
    assert outside(cluster) == set()


def test_nothing_is_changed_by_check_mode_or_a_second_deploy(cluster):
    """Molecule's idempotence counts changes; here is looked at what the runs say, and at processes."""
    pids = cluster.pids()
    for arguments in (["--check", "--diff"], ["-vvv", "--diff"]):
        assert cluster.play("deploy", *arguments).changed == 0
    assert cluster.pids() == pids


def test_status_prints_one_table(cluster):
    played = cluster.play("status")
    assert played.changed == 0
    assert ("Alive: 2 of 2 front ends, 1 of 1 back end, 1 of 1 compute node, 1 of 1 broker. "
            f"Leader: {cluster.address('u1')}.") in played.words  # fmt: skip


def test_the_dead_come_back(cluster):
    """The account's own systemd starts again what was killed."""
    pids = cluster.pids()
    for name in cluster.hosts:
        cluster.on(name).check_output(
            f"kill -9 {' '.join(str(pid) for (host, _), pid in pids.items() if host == name)}"
        )
    cluster.wait_alive(**EVERYTHING)
    after = cluster.pids()
    assert after.keys() == NODES and not set(after.values()) & set(pids.values())


def test_all_is_back_after_a_reboot(cluster):
    """Lingering: nobody logs in."""
    ids = cluster.cluster_ids()
    assert len(ids) == 1
    cluster.machine("reboot")
    cluster.wait_alive(seconds=90, **EVERYTHING)
    assert cluster.pids().keys() == NODES
    assert cluster.cluster_ids() == ids


def test_stop_and_start(cluster):
    cluster.play("stop")
    assert cluster.pids() == {}
    assert all(cluster.on(name).run("pgrep -u tester -f starrocks").stdout == "" for name in cluster.hosts)
    cluster.play("start")
    cluster.wait_alive(**EVERYTHING)


def test_destroy_leaves_nothing(cluster):
    cluster.play("destroy", extra={"starrocks_destroy_confirm": "story", "starrocks_destroy_data": True})
    for name in cluster.hosts:
        assert [path for path in cluster.files(name) if OURS.fullmatch(path)] == []
        assert cluster.units(name) == {}
        assert cluster.on(name).run("pgrep -u tester -f starrocks").stdout == ""
    assert outside(cluster) <= {REBOOTED}
