# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hundred back ends: registered by one statement, dead or hanging, and the front end goes on."""

import socket
import time

import pytest
from fe_cluster import NETWORK, FrontEndProcess, wait_for
from thrift_double import Node

# A double that goes down closes the socket that its thread waits on.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

MANY = 100
PORT = 29050


@pytest.fixture
def front_end(tmp_path):
    one = FrontEndProcess(tmp_path / "fe", f"{NETWORK}.77.1", settings={"statistic_manager_sleep_time_sec": "600"})
    yield one.start()
    one.kill()


def addresses():
    return [f"{NETWORK}.77.{number}" for number in range(101, 101 + MANY)]


@pytest.fixture
def swallowing():
    """Ports that take connections and never answer."""
    listeners = [socket.create_server((address, PORT + 1), backlog=64) for address in addresses()]
    yield PORT + 1
    for listener in listeners:
        listener.close()


def seconds(action):
    started = time.monotonic()
    action()
    return time.monotonic() - started


def add(front_end, port):
    hosts = ",".join(f'"{address}:{port}"' for address in addresses())
    assert seconds(lambda: front_end.query(f"ALTER SYSTEM ADD BACKEND {hosts}")) < 2


def heartbeats_of(front_end, host, length):
    """The times of LastHeartbeat of one back end that were seen within a time in seconds."""
    end, seen = time.monotonic() + length, set()
    while time.monotonic() < end:
        seen.update(row["LastHeartbeat"] for row in front_end.query("SHOW BACKENDS") if row["IP"] == host)
        time.sleep(0.1)
    return seen


@pytest.mark.parametrize("hanging", [False, True], ids=["refusing", "hanging"])
def test_a_hundred_back_ends_that_do_not_answer(front_end, hanging, swallowing):
    """A living one among them is still heard of every second or two, and the listing takes no time."""
    living = Node(f"{NETWORK}.77.99", port=PORT).up()
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{living.member}"')
    add(front_end, swallowing if hanging else PORT)
    assert len(front_end.query("SHOW BACKENDS")) == MANY + 1
    rows = wait_for(lambda: sum(bool(row["ErrMsg"]) for row in front_end.query("SHOW BACKENDS")) == MANY
                    and front_end.query("SHOW BACKENDS"), "the fourth missed heartbeat of all", 20)
    assert {row["Alive"] for row in rows if row["ErrMsg"]} == {"false"}
    assert len(heartbeats_of(front_end, living.address, 6)) >= 3
    assert seconds(lambda: front_end.query("SHOW BACKENDS")) < 0.5
    living.down()
