# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The traps of starrocks.md 10.3 that are SQL, and what the node statements of each version say, one by one."""

import datetime

import pymysql
import pytest
from fe_cluster import EDIT_LOG, FrontEndProcess, wait_for
from standin.version import Version
from thrift_double import Node

OWN, OTHER, THIRD = "127.0.74.1", "127.0.74.2", "127.0.74.3"
VERSIONS = ("2.5.22", "3.0.9", "3.1.17", "3.2.16", "3.3.15", "3.4.4", "3.5.0", "4.0.6", "4.1.3", "4.2.0")
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(scope="module", params=VERSIONS)
def release(request):
    return Version(request.param, "")


@pytest.fixture(scope="module")
def front_end(release, tmp_path_factory):
    """A front end of each version, alone; every test leaves it without other nodes."""
    one = FrontEndProcess(tmp_path_factory.mktemp("fe"), OWN, release.release,
                          {"heartbeat_timeout_second": "1", "statistic_manager_sleep_time_sec": "600"})
    yield one.start()
    one.kill()


@pytest.fixture
def node():
    """A back end or compute node that lives, and runs no queries."""
    one = Node(OTHER).up()
    yield one
    one.down()


def analysis(release, text):
    return f"Getting analyzing error. Detail message: {text}." if release >= "3.1" else text


def execution(release, text):
    return text if release >= "3.3" else f"Unexpected exception: {text}"


def backends(front_end):
    return {row["IP"]: row for row in front_end.query("SHOW BACKENDS")}


def warehouse_error(release):
    return (5901 if release >= "3.5" else 10001, "Warehouse name: nosuch not exist.")


# -- front ends ------------------------------------------------------------------------------------

def test_leader_is_not_dropped(front_end, release):
    assert front_end.refusal(f'ALTER SYSTEM DROP FOLLOWER "{OWN}:{EDIT_LOG}"') == (
        1064, execution(release, "can not drop current master node."))


def test_role_must_match(front_end, release):
    front_end.query(f'ALTER SYSTEM ADD OBSERVER "{OTHER}:{EDIT_LOG}"')
    assert front_end.refusal(f'ALTER SYSTEM DROP FOLLOWER "{OTHER}:{EDIT_LOG}"') == (
        1064, execution(release, f"FOLLOWER does not exist[{OTHER}:{EDIT_LOG}]"))
    front_end.query(f'ALTER SYSTEM DROP OBSERVER "{OTHER}:{EDIT_LOG}"')
    assert front_end.refusal(f'ALTER SYSTEM DROP OBSERVER "{OTHER}:{EDIT_LOG}"') == (
        1064, execution(release, f"frontend does not exist[{OTHER}:{EDIT_LOG}]"))


def test_one_front_end_a_host_whatever_the_port(front_end, release):
    for role in ("FOLLOWER", "OBSERVER"):
        assert front_end.refusal(f'ALTER SYSTEM ADD {role} "{OWN}:{EDIT_LOG + 1}"') == (
            1064, execution(release, f"FE with the same host: {OWN} already exists"))


def test_front_end_that_never_started(front_end, release):
    """NULL, the text NULL and the empty text are three things (10.3); the journal is nobody's yet."""
    front_end.query(f'ALTER SYSTEM ADD OBSERVER "{THIRD}:{EDIT_LOG}"')
    row = front_end.frontends()[THIRD]
    assert (row["QueryPort"], row["RpcPort"], row["Join"], row["Alive"], row["ReplayedJournalId"], row["IsHelper"]) == (
        "0", "0", "false", "false", "0", "false")
    assert (row["LastHeartbeat"], row["StartTime"], row["Version"], row["ErrMsg"]) == (None, "NULL", "NULL", "")
    assert ("Id" in row) == (release >= "3.5")
    front_end.query(f'ALTER SYSTEM DROP OBSERVER "{THIRD}:{EDIT_LOG}"')


def test_renamed_front_end(front_end, release):
    front_end.query(f'ALTER SYSTEM ADD OBSERVER "{OTHER}:{EDIT_LOG}"')
    rename = 'ALTER SYSTEM MODIFY FRONTEND HOST "{}" TO "{}"'.format
    assert front_end.refusal(rename(OTHER, THIRD)) == (1064, analysis(release, "Can't change ip to ip"))
    assert front_end.refusal(rename(OTHER, "no-such-host.invalid"))[1].startswith(
        analysis(release, "unknown host no-such-host.invalid").rstrip("."))
    assert front_end.refusal(rename(OWN, "localhost")) == (
        1064, execution(release, "can not modify current master node."))
    assert front_end.refusal(rename("127.0.74.99", "localhost")) == (
        1064, execution(release, "frontend [127.0.74.99] not found"))
    front_end.query(rename(OTHER, "localhost"))
    assert set(front_end.frontends()) == {OWN, "localhost"}
    front_end.query(f'ALTER SYSTEM DROP OBSERVER "localhost:{EDIT_LOG}"')


# -- back ends -------------------------------------------------------------------------------------

def test_back_end_that_never_started(front_end, release):
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{THIRD}:9050"')
    row = backends(front_end)[THIRD]
    assert (row["BePort"], row["HttpPort"], row["BrpcPort"], row["Alive"], row["Version"], row["ErrMsg"]) == (
        "-1", "-1", "-1", "false", "", "")
    assert row["LastStartTime"] is row["LastHeartbeat"] is None
    assert row["Status"] == '{"lastSuccessReportTabletsTime":"N/A"}'
    assert row.get("StatusCode") == ("CONNECTING" if release >= "3.4" else None)
    row = wait_for(lambda: backends(front_end)[THIRD]["ErrMsg"] and backends(front_end)[THIRD], "four rounds")
    assert row["ErrMsg"] == "java.net.ConnectException: Connection refused"
    assert row.get("StatusCode") == ("DISCONNECTED" if release >= "3.4" else None)
    front_end.query(f'ALTER SYSTEM DROP BACKEND "{THIRD}:9050" FORCE')


def test_address_twice_in_one_statement(front_end):
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{THIRD}:9050", "{THIRD}:9050"')
    rows = front_end.query("SHOW BACKENDS")
    assert [row["IP"] for row in rows] == [THIRD, THIRD] and rows[0]["BackendId"] != rows[1]["BackendId"]
    for _row in rows:
        front_end.query(f'ALTER SYSTEM DROP BACKEND "{THIRD}:9050" FORCE')


def test_name_becomes_an_address(front_end):
    """In IP mode; and DROP takes what SHOW shows (10.3)."""
    front_end.query('ALTER SYSTEM ADD BACKEND "localhost:9050"')
    assert list(backends(front_end)) == ["127.0.0.1"]
    assert "does not exists[localhost:9050]" in front_end.refusal('ALTER SYSTEM DROP BACKEND "localhost:9050"')[1]
    front_end.query('ALTER SYSTEM DROP BACKEND "127.0.0.1:9050"')


def test_name_stays_a_name_in_fqdn_mode(release, tmp_path):
    if release == "3.5.0":
        one = FrontEndProcess(tmp_path, "127.0.74.8", "3.5.0", {"heartbeat_timeout_second": "30"})
        try:
            try:
                one.start("-host_type", "FQDN")
            except AssertionError:
                pytest.skip("this machine has no name that leads back to it")
            one.query('ALTER SYSTEM ADD BACKEND "localhost:9050"')
            assert list(backends(one)) == ["localhost"]
        finally:
            one.kill()


def test_decommission_twice_and_cancel_of_a_normal_one(front_end, node, release):
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{node.member}", "{THIRD}:29050"')
    wait_for(lambda: backends(front_end)[OTHER]["TotalCapacity"] == "200.000 GB", "disks")
    front_end.query("ADMIN SET FRONTEND CONFIG ('drop_backend_after_decommission'='false')")
    for _again in range(2):
        front_end.query(f'ALTER SYSTEM DECOMMISSION BACKEND "{THIRD}:29050"')
        assert backends(front_end)[THIRD]["SystemDecommissioned"] == "true"
    for _again in range(2):
        front_end.query(f'CANCEL DECOMMISSION BACKEND "{THIRD}:29050"')
        assert backends(front_end)[THIRD]["SystemDecommissioned"] == "false"
    front_end.query("ADMIN SET FRONTEND CONFIG ('drop_backend_after_decommission'='true')")
    assert front_end.refusal(f'ALTER SYSTEM DECOMMISSION BACKEND "{THIRD}:1"') == (
        1064, execution(release, f"Backend does not exist[{THIRD}:1]"))
    front_end.query(f'ALTER SYSTEM DROP BACKEND "{node.member}", "{THIRD}:29050" FORCE')


def test_single_replica_guard_and_force(front_end, node, release):
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{node.member}"')
    wait_for(lambda: backends(front_end)[OTHER]["Alive"] == "true", "alive")
    front_end.query("CREATE DATABASE guarded")
    front_end.query("CREATE TABLE guarded.one (k INT) DISTRIBUTED BY HASH(k) BUCKETS 1 "
                    "PROPERTIES('replication_num'='1')")
    text = front_end.refusal(f'ALTER SYSTEM DROP BACKEND "{node.member}"')[1]
    assert text == execution(release, (
        f"Tables such as [guarded.one] on the backend[{node.member}] have only one replica. To avoid data loss, please "
        "change the replication_num of [guarded.one] to three. ALTER SYSTEM DROP BACKEND <backends> FORCE can be used "
        "to forcibly drop the backend. "))
    front_end.query(f'ALTER SYSTEM DROP BACKEND "{node.member}" FORCE')
    front_end.query("DROP DATABASE guarded FORCE")
    assert not backends(front_end)


def test_renamed_back_end(front_end, release):
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{THIRD}:9050"')
    assert front_end.refusal('ALTER SYSTEM MODIFY BACKEND HOST "127.0.74.99" TO "localhost"') == (
        1064, execution(release, "backend [127.0.74.99] not found"))
    rows = front_end.query(f'ALTER SYSTEM MODIFY BACKEND HOST "{THIRD}" TO "localhost"')
    assert list(rows) == ([] if release >= "3.3" else [
        {"Message": f"{THIRD}:9050's host has been modified to localhost"}])
    assert list(backends(front_end)) == ["localhost"]
    front_end.query('ALTER SYSTEM DROP BACKEND "localhost:9050" FORCE')


def test_location(front_end, release):
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{THIRD}:9050"')
    modify = 'ALTER SYSTEM MODIFY BACKEND "{}" SET ("{}" = "{}")'.format
    if release < "3.2.8":
        assert "Getting syntax error" in front_end.refusal(modify(f"{THIRD}:9050", "labels.location", "rack:r1"))[1]
    else:
        front_end.query(modify(f"{THIRD}:9050", "labels.location", "rack:r1"))
        assert backends(front_end)[THIRD]["Location"] == "rack:r1"
        assert front_end.refusal(modify(f"{THIRD}:9050", "labels.location", "rack")) == (
            1064, analysis(release, "invalid location format: rack, should be like: 'key:val'"))
        assert front_end.refusal(modify(f"{THIRD}:9050", "nosuch", "x")) == (
            1064, analysis(release, "unsupported property: nosuch"))
        assert front_end.refusal(modify(f"{THIRD}:1", "labels.location", "")) == (
            1064, execution(release, f"backend [{THIRD}:1] not found"))
        front_end.query(modify(f"{THIRD}:9050", "labels.location", ""))
        assert backends(front_end)[THIRD]["Location"] == ""
    front_end.query(f'ALTER SYSTEM DROP BACKEND "{THIRD}:9050" FORCE')


def test_disks(front_end, release):
    for action in ("DECOMMISSION", "CANCEL DECOMMISSION", "DISABLE", "CANCEL DISABLE"):
        text = front_end.refusal(f'ALTER SYSTEM {action} DISK "/data" ON BACKEND "{THIRD}:9050"')[1]
        assert text == analysis(release, "not support") if release >= "3.1" else "Getting syntax error" in text


def test_warehouses(front_end, release):
    for kind in ("BACKEND", "COMPUTE NODE"):
        add, drop = f'ALTER SYSTEM ADD {kind} "{THIRD}:9050"', f'ALTER SYSTEM DROP {kind} "{THIRD}:9050"'
        if release < "3.3":
            assert "Getting syntax error" in front_end.refusal(f"{add} INTO WAREHOUSE default_warehouse")[1]
            continue
        assert front_end.refusal(f"{add} INTO WAREHOUSE nosuch") == warehouse_error(release)
        front_end.query(f"{add} INTO WAREHOUSE default_warehouse")
        assert front_end.refusal(f"{drop} FROM WAREHOUSE nosuch") == warehouse_error(release)
        if release >= "4.0":
            assert front_end.refusal(f"{drop} FROM WAREHOUSE default_warehouse CNGROUP g") == (
                5912, "CNGroup feature not implemented")
        front_end.query(f"{drop} FROM WAREHOUSE default_warehouse")
        text = front_end.refusal(f"{drop} FROM WAREHOUSE nosuch")[1]
        assert text == (f"{kind.lower()} does not exists[{THIRD}:9050]" if release >= "4.1"
                        else warehouse_error(release)[1]), "what is looked at first"
    if release >= "3.3":
        assert front_end.refusal("SHOW WAREHOUSES")[1] == "unsupported statement in shared_nothing mode"
        assert not front_end.query("SHOW NODES FROM WAREHOUSE default_warehouse")


# -- brokers ---------------------------------------------------------------------------------------

def test_broker_name_outlives_its_last_address(front_end, release):
    front_end.query(f"ALTER SYSTEM ADD BROKER b '{THIRD}:8000', '{THIRD}:8001'")
    assert front_end.refusal(f"ALTER SYSTEM ADD BROKER b '{THIRD}:8000'") == (
        1064, execution(release, f"Broker({THIRD}:8000) has already in brokers."))
    front_end.query(f"ALTER SYSTEM DROP BROKER b '{THIRD}:8000', '{THIRD}:8001'")
    assert not front_end.query("SHOW BROKER")
    assert front_end.refusal(f"ALTER SYSTEM DROP BROKER b '{THIRD}:8000'") == (
        1064, execution(release, f"Broker({THIRD}:8000) has not in brokers."))
    front_end.query("ALTER SYSTEM DROP ALL BROKER b")
    assert front_end.refusal("ALTER SYSTEM DROP ALL BROKER b") == (
        1064, execution(release, "Unknown broker name(b)"))


# -- queries and the blacklist ---------------------------------------------------------------------

def blacklisted(front_end, kind="BACKEND"):
    return {row["BackendId" if kind == "BACKEND" else "ComputeNodeId"]: row
            for row in front_end.query(f"SHOW {kind} BLACKLIST")}


def test_blacklist_by_hand(front_end, release):
    if release < "3.3":
        assert "Getting syntax error" in front_end.refusal("SHOW BACKEND BLACKLIST")[1]
        return
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{THIRD}:9050"')
    number = backends(front_end)[THIRD]["BackendId"]
    front_end.query(f"ADD BACKEND BLACKLIST {number}")
    row = blacklisted(front_end)[number]
    assert (row["AddBlackListType"], row["LostConnectionNumberInPeriod"], row["CheckTimePeriod(s)"]) == (
        "MANUAL", "0", "5")
    assert front_end.refusal("ADD BACKEND BLACKLIST 99999") == (1064, "Not found backend: 99999")
    if release >= "4.0":
        assert front_end.refusal("DELETE BACKEND BLACKLIST 99999") == (1064, "Not found backend: 99999")
        assert front_end.refusal("ADD COMPUTE NODE BLACKLIST 99999") == (1064, "Not found compute node: 99999")
    else:
        front_end.query("DELETE BACKEND BLACKLIST 99999")
    front_end.query(f"DELETE BACKEND BLACKLIST {number}")
    assert not blacklisted(front_end)
    front_end.query(f"ADD BACKEND BLACKLIST {number}")
    front_end.query(f'ALTER SYSTEM DROP BACKEND "{THIRD}:9050" FORCE')
    wait_for(lambda: not blacklisted(front_end), "who is dropped comes off")


def test_blacklist_by_itself(front_end, release, node):
    """The double has no port for queries."""
    if release < "3.3":
        return
    front_end.query(f'ALTER SYSTEM ADD BACKEND "{node.member}"')
    wait_for(lambda: backends(front_end)[OTHER]["Alive"] == "true", "alive")
    number = backends(front_end)[OTHER]["BackendId"]
    text = front_end.refusal("SELECT current_version()")[1]
    assert text == ("Backend node not found. Check if any backend node is down.backend: "
                    f"[{OTHER} alive: true inBlacklist: true] "), "the second attempt finds nobody"
    row = blacklisted(front_end)[number]
    assert (row["AddBlackListType"], row["LostConnectionNumberInPeriod"]) == ("AUTO", "1")
    front_end.query(f"ADD BACKEND BLACKLIST {number}")
    assert blacklisted(front_end)[number]["AddBlackListType"] == "MANUAL", "a user's entry takes its place"
    front_end.query(f"DELETE BACKEND BLACKLIST {number}")
    front_end.query(f'ALTER SYSTEM DROP BACKEND "{node.member}" FORCE')


# -- times and filters -----------------------------------------------------------------------------

def last_heartbeat(front_end, zone):
    """LastHeartbeat of the front end itself as a session in a zone sees it."""
    connection = front_end.connect(cursorclass=pymysql.cursors.DictCursor)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SET time_zone = '{zone}'")
        cursor.execute("SHOW FRONTENDS")
        return datetime.datetime.fromisoformat(cursor.fetchall()[0]["LastHeartbeat"])


def test_times_are_in_the_zone_of_the_session(front_end):
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    for zone, hours in (("+00:00", 0), ("+5:30", 5.5), ("-12:00", -12), ("Asia/Tokyo", 9), ("CST", 8), ("UTC", 0)):
        assert abs(last_heartbeat(front_end, zone) - now - datetime.timedelta(hours=hours)) < datetime.timedelta(
            minutes=1), zone


def test_4_1_0_has_its_own_zone(tmp_path):
    """Section 0.18: Asia/Shanghai, whatever the session says."""
    one = FrontEndProcess(tmp_path, "127.0.74.9", "4.1.0")
    try:
        one.start()
        wait_for(lambda: one.query("SHOW FRONTENDS")[0]["LastHeartbeat"], "a heartbeat")
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        assert abs(last_heartbeat(one, "+00:00") - now - datetime.timedelta(hours=8)) < datetime.timedelta(minutes=1)
    finally:
        one.kill()


@pytest.mark.parametrize("zone", ["nowhere", "+14:01", "-12:01", "Mars/Olympus", "25:00", ""])
def test_unknown_time_zones(front_end, release, zone):
    assert front_end.refusal(f"SET time_zone = '{zone}'") == (
        1298, analysis(release, f"Unknown or incorrect time zone: '{zone}'"))


@pytest.mark.parametrize(("where", "found"), [
    ("IP = '127.0.74.1'", True), ("ip = '127.0.74.1'", True), ("IP = '127.0.74.2'", False), ("IP LIKE '127%'", True),
    ("IP IN ('a', '127.0.74.1')", True), ("NOT IP = '127.0.74.1'", False), ("IP != 'a' AND Role = 'OBSERVER'", False),
    ("IP = 'a' OR (Alive = 'true' AND Join = 'true')", True), ("EditLogPort > 1", True), ("Role = 'leader'", False),
])
def test_filters(front_end, release, where, found):
    statement = f"SHOW FRONTENDS WHERE {where}"
    if release >= "4.2":
        assert len(front_end.query(statement)) == found
    else:
        assert "Getting syntax error" in front_end.refusal(statement)[1]


@pytest.mark.parametrize(("where", "text"), [
    ("nosuch = 'x'", "Can't get column nosuch"), ("Alive = true", "doesn't support predicate: Alive = TRUE"),
    ("IP > 1", "doesn't support predicate: IP > 1"),
])
def test_filters_that_are_none(front_end, release, where, text):
    if release >= "4.2":
        assert front_end.refusal(f"SHOW FRONTENDS WHERE {where}") == (1064, text)


def test_limit(front_end, release):
    if release >= "4.2":
        front_end.query(f'ALTER SYSTEM ADD BACKEND "{OTHER}:9050", "{THIRD}:9050"')
        assert [row["IP"] for row in front_end.query("SHOW BACKENDS LIMIT 1")] == [OTHER]
        assert [row["IP"] for row in front_end.query("SHOW BACKENDS ORDER BY IP DESC LIMIT 1,1")] == [THIRD]
        front_end.query(f'ALTER SYSTEM DROP BACKEND "{OTHER}:9050", "{THIRD}:9050" FORCE')
