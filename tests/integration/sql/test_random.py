# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences: others join and leave nodes by SQL, processes die, and the modules are called in between.

Whatever has happened: check mode changes nothing and tells what the call will do; the call reports a change exactly if
the server's listing changed; it returns what the server then lists; the same call again changes nothing. A call that
fails has said why and changed nothing.

The sequences are the same in each run, derived from the test itself; STARROCKS_RANDOM=N takes N new ones.
"""

import os

import pymysql
import pymysql.cursors
import pytest
from ansible_collections.starrocks.cluster.plugins.modules import (
    starrocks_backend,
    starrocks_broker,
    starrocks_compute_node,
    starrocks_frontend,
)
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import run_module
from conftest import BROKER_PORT, PASSWORD, address, secured
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

RANDOM = int(os.environ.get("STARROCKS_RANDOM", "0"))

# Addresses 41 to 44 are back ends' or compute nodes', 45 and 46 front ends' that never start, 47 and 48 brokers'.
# A process lives at the first one.
NODES = [41, 42, 43, 44]
FRONT_ENDS = [45, 46]
BROKERS = [47, 48]

subsets = st.lists(st.sampled_from(NODES), min_size=1, max_size=4, unique=True)
KINDS = {
    "BACKEND": (starrocks_backend, "SHOW BACKENDS"),
    "COMPUTE NODE": (starrocks_compute_node, "SHOW COMPUTE NODES"),
}
kinds = st.sampled_from(sorted(KINDS))


def quoted(numbers, port=9050):
    return ", ".join(f'"{address(number)}:{port}"' for number in numbers)


class Life(RuleBasedStateMachine):
    """One cluster of one front end, with nothing registered but that; at 41 lives a back end."""

    # Set by the test.
    password = None
    connection = None
    backend = None  # a Node

    def __init__(self):
        super().__init__()
        for kind, (_module, listing) in KINDS.items():
            for row in self.ask(listing):
                force = " FORCE" if kind == "BACKEND" else ""
                self.sql(f'ALTER SYSTEM DROP {kind} "{row["IP"]}:{row["HeartbeatPort"]}"{force}')
        for row in self.ask("SHOW FRONTENDS"):
            self.sql(f'ALTER SYSTEM DROP {row["Role"]} "{row["IP"]}:{row["EditLogPort"]}"')
        for name in ("b1", "b2"):
            self.sql(f"ALTER SYSTEM DROP ALL BROKER {name}")
        if self.backend.process is None:
            self.backend.start()

    def server(self):
        """All that the server lists, but for what moves by itself."""
        rows = {}
        for listing, columns in (
            ("SHOW FRONTENDS", ("IP", "EditLogPort", "Role")),
            ("SHOW BACKENDS", ("IP", "HeartbeatPort", "SystemDecommissioned")),
            ("SHOW COMPUTE NODES", ("IP", "HeartbeatPort")),
            ("SHOW BROKER", ("Name", "IP", "Port")),
        ):
            rows[listing] = sorted(tuple(row.get(column) for column in columns) for row in self.ask(listing))
        return rows

    def ask(self, statement):
        """The rows of a statement, over one connection: it is asked hundreds of times."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def sql(self, statement):
        """What somebody else does; the server may refuse it."""
        try:
            self.ask(statement)
        except pymysql.err.MySQLError:
            pass

    def call(self, module, /, **arguments):
        """One module call, by the law of this test. Returns its result."""
        arguments = {"login_hosts": [address(10)], "login_password": self.password, **arguments}
        before = self.server()
        tried = run_module(module, arguments, check_mode=True)
        assert self.server() == before, "check mode changed something"
        done = run_module(module, arguments)
        after = self.server()
        assert self.password not in str({key: done[key] for key in done if key != "invocation"})
        if done["failed"]:
            assert tried["failed"] and tried["msg"] == done["msg"] or done["queries"] == []
            assert after == before and not done["changed"], (done["msg"], done["queries"], before, after)
            return done
        assert not tried["failed"], tried["msg"]
        assert (tried["changed"], tried["queries"], tried["diff"]) == (done["changed"], done["queries"], done["diff"])
        assert done["changed"] == (after != before) == bool(done["queries"]), (done["queries"], before, after)
        again = run_module(module, arguments)
        assert (again["failed"], again["changed"], again["queries"]) == (False, False, [])
        assert self.server() == after
        return done

    # What others do

    @rule(kind=kinds, numbers=subsets)
    def others_add(self, kind, numbers):
        self.sql(f"ALTER SYSTEM ADD {kind} {quoted(numbers)}")

    @rule(kind=kinds, numbers=subsets)
    def others_drop(self, kind, numbers):
        self.sql(f"ALTER SYSTEM DROP {kind} {quoted(numbers)}{' FORCE' if kind == 'BACKEND' else ''}")

    @rule(number=st.sampled_from(NODES))
    def others_add_one_twice(self, number):
        self.sql(f"ALTER SYSTEM ADD BACKEND {quoted([number, number])}")

    @rule(numbers=subsets, back=st.booleans())
    def others_decommission(self, numbers, back):
        self.sql(f"{'CANCEL' if back else 'ALTER SYSTEM'} DECOMMISSION BACKEND {quoted(numbers)}")

    @rule(number=st.sampled_from(FRONT_ENDS), role=st.sampled_from(["FOLLOWER", "OBSERVER"]), there=st.booleans())
    def others_change_front_ends(self, number, role, there):
        self.sql(f"ALTER SYSTEM {'ADD' if there else 'DROP'} {role} {quoted([number], 9010)}")

    @rule(name=st.sampled_from(["b1", "b2"]), number=st.sampled_from(BROKERS), there=st.booleans())
    def others_change_brokers(self, name, number, there):
        self.sql(f"ALTER SYSTEM {'ADD' if there else 'DROP'} BROKER {name} {quoted([number], BROKER_PORT)}")

    @rule()
    def a_back_end_dies_or_comes_back(self):
        if self.backend.process is None:
            self.backend.start()
        else:
            self.backend.stop()

    # What the modules do

    @rule(kind=kinds, numbers=subsets, state=st.sampled_from(["present", "absent"]), force=st.booleans())
    def nodes(self, kind, numbers, state, force):
        module, listing = KINDS[kind]
        arguments = {"force": force} if kind == "BACKEND" else {}
        done = self.call(module, nodes=[{"host": address(number)} for number in numbers], state=state, wait=False,
                         **arguments)
        if done["failed"]:
            return
        hosts = {address(number) for number in numbers}
        listed = [row for row in self.ask(listing) if row["IP"] in hosts]
        assert sorted(row["host"] for row in done["nodes"]) == sorted(row["IP"] for row in listed)
        assert {row["IP"] for row in listed} == (hosts if state == "present" else set())
        if kind == "BACKEND":
            assert {row["SystemDecommissioned"] for row in listed} <= {"false"}

    @rule(numbers=subsets)
    def decommission(self, numbers):
        done = self.call(starrocks_backend, nodes=[{"host": address(number)} for number in numbers],
                         state="decommissioned", wait=False)
        if not done["failed"]:
            hosts = {address(number) for number in numbers}
            listed = [row for row in self.ask("SHOW BACKENDS") if row["IP"] in hosts]
            # Of one that was added twice, one goes at a time.
            leaving = {row["IP"] for row in listed if row["SystemDecommissioned"] == "true"}
            assert leaving == {row["IP"] for row in listed}

    @rule(number=st.sampled_from(FRONT_ENDS), role=st.sampled_from(["follower", "observer"]),
          state=st.sampled_from(["present", "absent"]))
    def front_end(self, number, role, state):
        done = self.call(starrocks_frontend, host=address(number), role=role, state=state, wait=False)
        listed = {row["IP"]: row["Role"].lower() for row in self.ask("SHOW FRONTENDS")}
        if not done["failed"]:
            assert listed.get(address(number)) == (role if state == "present" else None)
        else:
            assert state == "present" and listed[address(number)] != role

    @rule(name=st.sampled_from(["b1", "b2"]), numbers=st.lists(st.sampled_from(BROKERS), max_size=2, unique=True),
          state=st.sampled_from(["present", "absent"]))
    def brokers(self, name, numbers, state):
        nodes = {"nodes": [{"host": address(number), "broker_ipc_port": BROKER_PORT} for number in numbers]}
        if not numbers:
            nodes, state = {}, "absent"
        self.call(starrocks_broker, name=name, state=state, wait=False, **nodes)
        listed = {row["IP"] for row in self.ask("SHOW BROKER") if row["Name"] == name}
        wanted = {address(number) for number in numbers}
        assert wanted <= listed if state == "present" else not wanted & listed if numbers else not listed


@pytest.mark.parametrize("version", ["2.5.22", "3.5.0", "4.2.0"])
def test_whatever_happens(new_cluster, version):
    cluster = secured(new_cluster(version))
    # A decommissioned back end stays listed, so that what a sequence sees does not hang on the time it takes.
    cluster.ask("ADMIN SET FRONTEND CONFIG ('drop_backend_after_decommission' = 'false')")
    backend = cluster.node("be", 41).start()

    class Here(Life):
        pass

    with pymysql.connect(host=address(10), port=9030, user="root", password=PASSWORD, autocommit=True,
                         cursorclass=pymysql.cursors.DictCursor) as connection:
        Here.connection, Here.password, Here.backend = connection, PASSWORD, backend
        run_state_machine_as_test(Here, settings=settings(
            max_examples=RANDOM or 8, stateful_step_count=20, deadline=None, derandomize=not RANDOM, database=None,
            # Processes and heartbeats are not to be had twice alike, so a failing sequence is not made shorter.
            phases=[Phase.generate], suppress_health_check=list(HealthCheck)))
