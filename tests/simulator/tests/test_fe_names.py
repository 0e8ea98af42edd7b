# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Front ends and back ends known by name, renamed ones, and IPv6 addresses.

Each process has a host name of its own (a UTS namespace), and all see a hosts file of the test (a mount namespace).
"""

import os
import shlex
import subprocess
import sys

import pytest
from fe_cluster import EDIT_LOG, NETWORK, SIMULATOR, FrontEndProcess, is_member, join, wait_for
from thrift_double import Node

pytestmark = [
    # A double that goes down closes the socket that its thread waits on.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces with other host names need root"),
]

NAMES = {f"fe{number}.example": f"{NETWORK}.78.{number}" for number in (1, 2, 3)}
NAMES["be1.example"] = f"{NETWORK}.78.9"


class NamedFrontEnd(FrontEndProcess):
    """A front end on a host with this name, where NAMES are known."""

    def __init__(self, home, number, **options):
        super().__init__(home, f"{NETWORK}.78.{number}", **options)
        self.name = f"fe{number}.example"
        self.hosts = self.home / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n"
                                                                for name, address in NAMES.items()))

    def launch(self, *arguments):
        program = shlex.join([sys.executable, "-m", "standin.fe", *arguments])
        script = f"mount --bind {self.hosts} /etc/hosts && hostname {self.name} && exec {program}"
        environment = {**os.environ, "STARROCKS_HOME": str(self.home), "PYTHONPATH": str(SIMULATOR)}
        with open(self.home / "fe.out", "a", encoding="utf-8") as output:
            self.process = subprocess.Popen(["unshare", "--mount", "--uts", "sh", "-c", script], env=environment,
                                            stdout=output, stderr=subprocess.STDOUT)
        return self


@pytest.fixture
def make(tmp_path):
    made = []

    def front_end(number, kind=NamedFrontEnd, **options):
        made.append(kind(tmp_path / f"fe{number}", number, **options))
        return made[-1]
    yield front_end
    for one in made:
        one.kill()


def hosts(frontend):
    return sorted(frontend.frontends())


def test_cluster_by_name(make):
    """--host_type FQDN is stored, and a later start without it is by name again."""
    first, second = make(1), make(2)
    first.start("--host_type", "FQDN")
    assert hosts(first) == [first.name]
    assert "hostType=FQDN" in (first.home / "meta/image/ROLE").read_text()
    first.query(f'ALTER SYSTEM ADD FOLLOWER "{second.name}:{EDIT_LOG}"')
    second.start("--host_type", "FQDN", "-helper", f"{first.name}:{EDIT_LOG}")
    wait_for(lambda: first.frontends()[second.name]["Join"] == first.frontends()[second.name]["Alive"] == "true",
             "joined by name")
    second.stop()
    second.start()
    assert hosts(second) == [first.name, second.name]
    first.query("ALTER SYSTEM ADD BACKEND 'be1.example:9050'")
    assert [row["IP"] for row in first.query("SHOW BACKENDS")] == ["be1.example"], "a name stays one in FQDN mode"


def test_name_added_in_ip_mode_becomes_an_address(make):
    first = make(1).start()
    first.query("ALTER SYSTEM ADD BACKEND 'be1.example:9050'")
    assert [row["IP"] for row in first.query("SHOW BACKENDS")] == [NAMES["be1.example"]]
    assert "Unknown host: nowhere.example" in first.refusal("ALTER SYSTEM ADD BACKEND 'nowhere.example:9050'")[1]


def test_from_addresses_to_names(make):
    """The manual's way (section 7.6): stop a follower, rename it, start it with --host_type FQDN; the leader last."""
    first, second, third = trio = [make(number) for number in (1, 2, 3)]
    first.start()
    for other in (second, third):
        join(first, other)
    for other in (second, third):
        other.stop()
        first.query(f'ALTER SYSTEM MODIFY FRONTEND HOST "{other.address}" TO "{other.name}"')
        other.start("--host_type", "FQDN")
        row = wait_for(lambda other=other: first.frontends()[other.name]["Alive"] == "true"
                       and first.frontends()[other.name], "alive under its name")
        assert row["Join"] == "true" and row["Name"].startswith(f"{other.address}_{EDIT_LOG}_"), "Name stays"
    assert "can not modify current master node." in first.refusal(
        f'ALTER SYSTEM MODIFY FRONTEND HOST "{first.address}" TO "{first.name}"')[1]
    first.stop()
    wait_for(lambda: "LEADER" in [row["Role"] for row in second.query("SHOW FRONTENDS")], "a new leader")
    second.query(f'ALTER SYSTEM MODIFY FRONTEND HOST "{first.address}" TO "{first.name}"')
    first.start("--host_type", "FQDN")
    for one in trio:
        wait_for(lambda one=one: hosts(one) == ["fe1.example", "fe2.example", "fe3.example"], "all by name")


def test_renamed_and_started_by_its_old_address(make):
    """It does not find itself in the metadata, and ends."""
    first, second = make(1).start(), make(2)
    join(first, second)
    join(first, make(3))
    second.stop()
    first.query(f'ALTER SYSTEM MODIFY FRONTEND HOST "{second.address}" TO "{second.name}"')
    second.launch()
    assert second.wait() == 255
    assert "current node is not added to the cluster, will exit" in second.log()


def test_added_by_address_and_started_by_name(make):
    """Not refused when it is added; then it asks for its name, is unknown, and waits for ever (section 3.3)."""
    first, second = make(1).start(), make(2)
    first.query(f'ALTER SYSTEM ADD FOLLOWER "{second.member}"')
    second.launch("--host_type", "FQDN", "-helper", first.member)
    wait_for(lambda: second.log().count("current node is not added to the group. please add it first.") > 1, "it waits")
    assert second.process.poll() is None and first.frontends()[second.address]["Join"] == "false"


def test_renamed_back_end_is_asked_under_its_new_name(make):
    first = make(1).start()
    node = Node(NAMES["be1.example"]).up()
    first.query(f'ALTER SYSTEM ADD BACKEND "{node.member}"')
    wait_for(lambda: node.asked, "a heartbeat")
    first.query(f'ALTER SYSTEM MODIFY BACKEND HOST "{node.address}" TO "be1.example"')
    wait_for(lambda: node.asked[-1].backend_ip == "be1.example", "a heartbeat that names it so")
    (row,) = first.query("SHOW BACKENDS")
    assert (row["IP"], row["Alive"]) == ("be1.example", "true")
    node.down()


# -- IPv6 (3.3 and later) --------------------------------------------------------------------------

def on_ipv6(home, _number, **options):
    """The one front end at ::1."""
    return FrontEndProcess(home, "::1", settings={"priority_networks": "::1/128", "frontend_address": "::1"}, **options)


def test_front_end_and_back_end_at_an_ipv6_address(make):
    leader, follower = make(1).start(), make(2, kind=on_ipv6)
    leader.query(f'ALTER SYSTEM ADD FOLLOWER "[::1]:{EDIT_LOG}"')
    follower.start("-helper", leader.member)
    wait_for(lambda: is_member(leader, follower), "joined over IPv6")
    assert follower.frontends()["::1"]["Name"].startswith(f"::1_{EDIT_LOG}_")
    follower.query("CREATE DATABASE over_ipv6")
    node = Node("::1").up()
    leader.query('ALTER SYSTEM ADD BACKEND "[::1]:29050"')
    row = wait_for(lambda: leader.query("SHOW BACKENDS")[0]["Alive"] == "true" and leader.query("SHOW BACKENDS")[0],
                   "a back end alive over IPv6")
    assert row["IP"] == "::1"
    assert "already exists with same host ::1 and port 29050" in leader.refusal(
        'ALTER SYSTEM ADD BACKEND "[::1]:29050"')[1]
    leader.query('ALTER SYSTEM DROP BACKEND "[::1]:29050" FORCE')
    assert not leader.query("SHOW BACKENDS")
    node.down()


def test_no_ipv6_before_3_3(make):
    leader = make(1, kind=lambda home, number, **options: FrontEndProcess(home, f"{NETWORK}.78.{number}", **options),
                  version="3.2.16").start()
    assert "host or port is wrong" in leader.refusal('ALTER SYSTEM ADD BACKEND "[::1]:9050"')[1]
