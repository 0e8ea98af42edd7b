# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_mode = shared_data, a front end of each minor that has it: columns, workers, tablets, decommission, refusals."""

import pytest
from fe_cluster import NETWORK, FrontEndProcess, wait_for
from standin.version import Version
from thrift_double import Node

# A double that goes down closes the socket that its thread waits on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

VERSIONS = ("3.0.9", "3.1.17", "3.2.16", "3.3.15", "3.4.4", "3.5.0", "4.0.6", "4.1.3", "4.2.0")


@pytest.fixture(scope="module", params=VERSIONS)
def front_end(request, tmp_path_factory):
    one = FrontEndProcess(tmp_path_factory.mktemp("fe"), f"{NETWORK}.80.1", request.param, {
        "run_mode": "shared_data", "alter_scheduler_interval_millisecond": "5000"})
    one.version = Version(request.param, "x")
    yield one.start()
    one.kill()


@pytest.fixture(scope="module")
def nodes(front_end):
    """A compute node and a back end, alive."""
    made = {"CN": Node(f"{NETWORK}.80.11"), "BE": Node(f"{NETWORK}.80.12")}
    for node in made.values():
        node.version = front_end.version.full
        node.up()
    front_end.query(f'ALTER SYSTEM ADD COMPUTE NODE "{made["CN"].member}"')
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{made["BE"].member}"')
    wait_for(lambda: [rows[0]["Alive"] for rows in listings(front_end)] == ["true"] * 2, "both alive")
    yield made
    for node in made.values():
        node.down()


def listings(front_end):
    return front_end.query("SHOW COMPUTE NODES"), front_end.query("SHOW BACKENDS")


def test_columns_workers_and_tablets(front_end, nodes):
    """Section 1.3 and 1.4: what shared-data has at the end of both listings."""
    (compute_node,), (back_end,) = listings(front_end)
    warehouse = ["WarehouseName"] if front_end.version >= "3.3" else []
    tablets = ["TabletNum"] if front_end.version >= "3.1.10" else []
    assert list(back_end)[-2 - len(warehouse):] == ["StarletPort", "WorkerId", *warehouse]
    if front_end.version >= "3.1":
        assert list(compute_node)[-2 - len(warehouse + tablets):] == ["StarletPort", "WorkerId", *warehouse, *tablets]
        assert compute_node["StarletPort"] == str(nodes["CN"].starlet_port)
    else:
        assert "StarletPort" not in compute_node
    workers = [row.get("WorkerId", "1") for row in (compute_node, back_end)]
    assert all(int(number) > 0 for number in workers)
    assert back_end["TabletNum"] == "0" or front_end.version < "3.0"
    if warehouse:
        assert compute_node["WarehouseName"] == back_end["WarehouseName"] == "default_warehouse"


def test_a_node_keeps_its_worker(front_end, nodes):
    (before,) = front_end.query("SHOW BACKENDS")
    nodes["BE"].reboot_time += 50
    row = wait_for(lambda: front_end.query("SHOW BACKENDS")[0]["LastStartTime"] != before["LastStartTime"]
                   and front_end.query("SHOW BACKENDS")[0], "the restart is seen")
    assert row["WorkerId"] == before["WorkerId"]


def test_decommissioned_back_end_goes_at_the_next_tick(front_end, nodes):
    """No tablets to wait for, no space to check (section 3.4)."""
    third = Node(f"{NETWORK}.80.13").up()
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{third.member}"')
    wait_for(lambda: [row["Alive"] for row in front_end.query("SHOW BACKENDS")] == ["true"] * 2, "a third node")
    front_end.query(f'ALTER SYSTEM DECOMMISSION BACKEND "{third.member}"')
    wait_for(lambda: [row["IP"] for row in front_end.query("SHOW BACKENDS")] == [nodes["BE"].address], "it is gone")
    third.down()


def test_back_end_host_stays_from_3_3_on(front_end, nodes):
    statement = f'ALTER SYSTEM MODIFY BACKEND HOST "{nodes["BE"].address}" TO "localhost"'
    if front_end.version >= "3.3":
        assert front_end.refusal(statement) == (1064, "modify backend host is not supported in shared-data cluster.")
    else:
        front_end.query(statement)
        front_end.query(f'ALTER SYSTEM DROP BACKEND "localhost:{nodes["BE"].port}"')
