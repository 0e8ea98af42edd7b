# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts that must not succeed, faults, the root password, and what survives a restart."""

import pytest
from fe_cluster import EDIT_LOG, IN_CONTAINER, NETWORK, NOT_PERSISTED, FrontEndProcess, wait_for
from standin.fe.config import Config
from standin.version import Version


@pytest.fixture
def make(tmp_path):
    """A function: a front end that is not started yet; ended after the test."""
    made = []

    def front_end(number=1, **options):
        made.append(FrontEndProcess(tmp_path / str(len(made)), f"{NETWORK}.73.{number}", **options))
        return made[-1]
    yield front_end
    for one in made:
        one.kill()


def refused(front_end, *arguments):
    """Start, expect exit 255, and return fe.log."""
    front_end.launch(*arguments)
    assert front_end.wait() == 255
    assert "StarRocksFE start failed" in front_end.log() and not (front_end.home / "bin" / "fe.pid").exists()
    return front_end.log()


def test_only_role_or_only_version(make):
    one = make().start()
    one.stop()
    (one.home / "meta" / "image" / "VERSION").unlink()
    assert "role file and version file must both exist or both not exist." in refused(one)


def test_image_without_journal(make):
    one = make().start()
    one.query("ALTER SYSTEM CREATE IMAGE")
    wait_for(lambda: "checkpoint finished save image." in one.log(), "the image")
    one.stop()
    (one.home / "meta" / "bdb" / "journal.json").unlink()
    assert "image exists, but bdb dir is empty" in refused(one)


def test_wrong_arguments(make):
    one = make()
    assert "helper's format seems was wrong [nonsense], eg. host:port,host:port" in refused(one, "-helper", "nonsense")
    assert "Do not specify the helper node to FE itself." in refused(one, "-helper", one.member)


@pytest.mark.parametrize(("version", "dashes"), [("3.5.0", "-"), ("4.0.0", "--")])
def test_options_without_their_values(version, dashes, make):
    """Only the output says so."""
    one = make(version=version)
    for arguments, words in ((["--helper"], "helper need parameter host:port,host:port"),
                             (["--host_type", "NAME"], "host_type need parameter FQDN or IP")):
        one.launch(*arguments)
        assert one.wait() == 255
        assert one.out().endswith(f"\n{dashes}{words}\n")


def test_metadata_folder_missing(make):
    one = make()
    (one.home / "meta").rmdir()
    assert f"meta dir {one.home}/meta does not exist" in refused(one)


def test_run_mode_never_changes(make):
    one = make().start()
    one.stop()
    with open(one.home / "conf" / "fe.conf", "a", encoding="utf-8") as file:
        file.write("run_mode = shared_data\n")
    assert "Unmatched run mode between config file and version file: shared_data shared_nothing" in refused(one)


def test_port_in_use(make):
    one, other = make().start(), make()
    assert f"edit_log_port {EDIT_LOG} is already in use. will exit." in refused(other)
    assert one.query("SELECT 1")


def test_second_process_of_one_folder(make):
    one = make().start()
    (one.home / "conf" / "fe.conf").write_text("heartbeat_timeout_second = 0\n")
    first = one.process
    one.launch()
    assert one.wait() == 255
    assert "pid file is already locked." in one.log()
    assert (one.home / "bin" / "fe.pid").read_text() == str(first.pid)
    first.kill()
    first.wait()


def test_no_address_in_priority_networks_is_only_a_warning(make):
    one = make()
    one.configure({"priority_networks": "203.0.113.0/24", "heartbeat_timeout_second": "1"})
    one.launch()
    wait_for(lambda: "does not include the current IP address" in one.log("fe.warn.log"), "the warning")


def test_faults(make):
    assert "no such luck" in refused(make(faults={"refuse_start": "no such luck"}))
    slow = make(2, faults={"start_delay_seconds": "1.5", "die_after_seconds": "1", "unhealthy_tablets": "7"})
    slow.launch()
    with pytest.raises(AssertionError):
        wait_for(lambda: slow.query("SELECT 1"), "too early", 1)
    wait_for(slow.answers, "up in the end")
    assert slow.query("SHOW PROC '/statistic'")[-1]["UnhealthyTabletNum"] == "7"
    assert slow.wait() == 1


def test_root_password_survives_and_is_needed(make):
    one = make().start()
    one.query("SET PASSWORD FOR 'root' = PASSWORD('r\"p')")
    assert one.refusal("SELECT 1") == (1045, "Access denied for user 'root' (using password: NO)")
    assert one.refusal("SELECT 1", user="nobody") == (1045, "Access denied for user 'nobody' (using password: NO)")
    one.stop()
    one.launch()
    wait_for(lambda: one.query("SELECT 1", password='r"p'), "the password is kept")
    assert 'r"p' not in one.log("fe.audit.log") + one.log() + (one.home / "meta/bdb/journal.json").read_text()
    one.query("SET PASSWORD = PASSWORD('')", password='r"p')
    assert one.query("SELECT 1")


def test_settings_are_lost_with_the_process_and_kept_by_persistent(make):
    one = make().start()
    one.query("ADMIN SET FRONTEND CONFIG ('tablet_sched_max_balancing_tablets' = '0')")
    persistent = "ADMIN SET FRONTEND CONFIG ('tablet_sched_max_scheduling_tablets' = '0') WITH PERSISTENT"
    if IN_CONTAINER:
        assert one.refusal(persistent) == (1064, NOT_PERSISTED)
    else:
        one.query(persistent)
    one.stop()
    one.start()
    values = {row["Key"]: row["Value"] for row in one.query("ADMIN SHOW FRONTEND CONFIG LIKE 'tablet_sched_max%'")}
    assert values["tablet_sched_max_balancing_tablets"] == "500"
    assert values["tablet_sched_max_scheduling_tablets"] == ("10000" if IN_CONTAINER else "0")


def test_persistent_edits_fe_conf_in_place(tmp_path):
    """As recorded in 3.5.7/08b-config-persistent.txt."""
    (tmp_path / "conf").mkdir()
    path = tmp_path / "conf" / "fe.conf"
    path.write_text("# a comment\nquery_port = 9030\n")
    config = Config(str(tmp_path), Version("3.5.7", "x"))
    for name, value in (("query_port", "9999"), ("disable_balance", "true"), ("disable_balance", "false")):
        config.persist(name, value, "root", "2026-11-23 03:55:52")
    assert path.read_text().splitlines() == [
        "# a comment",
        "# The user root changed 9030 to 9999 at 2026-11-23 03:55:52",
        "query_port = 9999",
        "",
        "# The user root added disable_balance=true at 2026-11-23 03:55:52",
        "# The user root changed true to false at 2026-11-23 03:55:52",
        "disable_balance = false",
    ]


def test_accounts_are_listed(make):
    """SHOW ALL AUTHENTICATION has everybody, SHOW AUTHENTICATION oneself."""
    one = make().start()
    one.query("CREATE USER reports IDENTIFIED BY 'r'")
    rows = {row["UserIdentity"]: row["Password"] for row in one.query("SHOW ALL AUTHENTICATION")}
    assert rows == {"'root'@'%'": "No", "'reports'@'%'": "Yes"}
    login = {"user": "reports", "password": "r"}
    assert [row["UserIdentity"] for row in one.query("SHOW AUTHENTICATION", **login)] == ["'reports'@'%'"]
    assert "GRANT" in one.refusal("SHOW ALL AUTHENTICATION", **login)[1]


def test_operations_account(make):
    """Least privilege: a role with OPERATE and cluster_admin in it, as a default role (section 0.11)."""
    one = make().start()
    for statement in ("CREATE USER ops IDENTIFIED BY 'o'", "CREATE ROLE operations",
                      "GRANT OPERATE ON SYSTEM TO ROLE operations", "GRANT cluster_admin TO ROLE operations",
                      "GRANT operations TO USER ops"):
        one.query(statement)
    login = {"user": "ops", "password": "o"}
    assert "Inactivated role(s): [operations]." in one.refusal("SHOW PROC '/frontends'", **login)[1]
    one.query("SET DEFAULT ROLE operations TO ops")
    assert one.query("SHOW PROC '/frontends'", **login)
    one.query('ALTER SYSTEM ADD BACKEND "127.0.0.2:9050"', **login)
    for statement in ("SHOW BACKEND BLACKLIST", "ADD BACKEND BLACKLIST 1", "DELETE BACKEND BLACKLIST 1"):
        assert "the BLACKLIST privilege(s) on SYSTEM" in one.refusal(statement, **login)[1]
    one.query("GRANT BLACKLIST ON SYSTEM TO ROLE operations")
    assert one.query("SHOW BACKEND BLACKLIST", **login) == []
    assert "'NODE' cannot be granted to user or role directly" in one.refusal("GRANT NODE ON SYSTEM TO USER ops")[1]


def test_several_statements_in_one_query(make):
    one = make().start()
    connection = one.connect()
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE a; SELECT 'x;y', 2; SHOW DATABASES LIKE 'a'")
        results = [cursor.fetchall()]
        while cursor.nextset():
            results.append(cursor.fetchall())
    assert results[-2:] == [(("x;y", 2),), (("a",),)]


def test_dropped_connection_does_no_harm(make):
    one = make().start()
    one.connect()._sock.close()
    assert one.query("SELECT 1 AS one") == [{"one": 1}]
