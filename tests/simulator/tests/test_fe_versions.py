# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One front end of each minor: columns, error texts and grammar of its version (starrocks.md sections 1 to 3)."""

import pytest
from fe_cluster import IN_CONTAINER, NOT_PERSISTED, FrontEndProcess
from standin.version import Version
from test_fe_columns import wanted

VERSIONS = ("2.5.22", "3.0.9", "3.1.17", "3.2.16", "3.3.15", "3.4.4", "3.5.0", "4.0.6", "4.1.3", "4.2.0")

@pytest.fixture(scope="module", params=VERSIONS)
def release(request):
    return request.param


@pytest.fixture(scope="module")
def front_end(release, tmp_path_factory):
    """A front end of each version, alone and fresh."""
    one = FrontEndProcess(tmp_path_factory.mktemp("fe"), "127.0.71.1", release, {"heartbeat_timeout_second": "30"})
    yield one.start()
    one.kill()


def version_of(front_end):
    """(3, 5) of 3.5.0-0be11fd."""
    text = front_end.query("SHOW PROC '/frontends'")[0]["Version"]
    return tuple(int(part) for part in text.split(".")[:2])


def columns(front_end, statement):
    connection = front_end.connect()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [column[0] for column in cursor.description]


STATEMENTS = {"frontends": "SHOW FRONTENDS", "backends": "SHOW BACKENDS", "compute_nodes": "SHOW COMPUTE NODES",
              "brokers": "SHOW BROKER"}


def check_columns(front_end, version, shared_data):
    """SHOW and SHOW PROC print what the version has."""
    for kind, statement in STATEMENTS.items():
        assert columns(front_end, statement) == wanted(Version(version, ""), kind, shared_data)
        assert columns(front_end, f"SHOW PROC '/{kind}'") == wanted(Version(version, ""), kind, shared_data)


def test_columns(front_end, release):
    check_columns(front_end, release, shared_data=False)


@pytest.mark.parametrize("version", [version for version in VERSIONS if version >= "3"])
def test_columns_of_shared_data(version, tmp_path):
    settings = {"run_mode": "shared_data", "heartbeat_timeout_second": "30"}
    one = FrontEndProcess(tmp_path, "127.0.71.2", version, settings)
    try:
        check_columns(one.start(), version, shared_data=True)
    finally:
        one.kill()


def test_versions_shown(front_end):
    version = version_of(front_end)
    row = front_end.query("SELECT @@version_comment AS comment, version() AS mysql")[0]
    assert row["mysql"] == ("8.0.33" if version >= (3, 4) else "5.1.0")
    assert row["comment"].startswith("StarRocks version " if version < (3, 1) else f"{version[0]}.{version[1]}.")
    assert front_end.connect().server_version == row["mysql"]


def test_errors_by_version(front_end):
    version = version_of(front_end)
    analysis = "Getting analyzing error. Detail message: {}." if version >= (3, 1) else "{}"
    execution = "{}" if version >= (3, 3) else "Unexpected exception: {}"
    if version >= (3, 3):
        bad_port = analysis.format("Invalid host port: 127.0.0.7")
    elif version >= (3, 1):
        bad_port = analysis.format("BACKEND host or port is wrong. Invalid host port: 127.0.0.7")
    else:
        bad_port = "backend host or port is wrong!"
    assert front_end.refusal('ALTER SYSTEM ADD BACKEND "127.0.0.7"') == (1064, bad_port)
    assert front_end.refusal('ALTER SYSTEM DROP BACKEND "127.0.0.99:9050"') == (
        1064, execution.format("backend does not exists[127.0.0.99:9050]"))
    assert front_end.refusal('CANCEL DECOMMISSION BACKEND "127.0.0.99:9050"')[1] == execution.format(
        "Backend does not exist[127.0.0.99:9050]" if version >= (3, 3) else "Backend does not exists[127.0.0.99]")
    front_end.query('ALTER SYSTEM ADD BACKEND "127.0.0.2:9050", "127.0.0.3:9050"')
    same = ("Backend already exists with same host 127.0.0.2 and port 9050" if version >= (3, 1)
            else "Same backend already exists[127.0.0.2:9050]")
    assert front_end.refusal('ALTER SYSTEM ADD BACKEND "127.0.0.4:9050", "127.0.0.2:9050"') == (
        1064, execution.format(same))
    assert len(front_end.query("SHOW BACKENDS")) == 2, "nothing is added when one of the list is there"
    front_end.refusal('ALTER SYSTEM DROP BACKEND "127.0.0.3:9050", "127.0.0.99:9050"')
    assert len(front_end.query("SHOW BACKENDS")) == (1 if version >= (3, 3) else 2), "from 3.3 on one by one"
    front_end.query('ALTER SYSTEM DROP BACKEND "127.0.0.2:9050" FORCE')


def test_privileges_by_version(front_end):
    version = version_of(front_end)
    front_end.query("CREATE USER viewer IDENTIFIED BY 'vpw'")
    login = {"user": "viewer", "password": "vpw"}
    errno, text = front_end.refusal("SHOW FRONTENDS", **login)
    assert errno == (5203 if version >= (3, 3) else 1252 if version >= (3, 1) else 1227)
    assert f"the {'OPERATE OR NODE' if version >= (3, 0) else 'ADMIN/OPERATOR'} privilege(s)" in text
    assert ("on SYSTEM" in text) == (version >= (3, 1))
    assert ("Current role(s): NONE." in text) == (version >= (3, 2))
    assert front_end.refusal("SELECT 1", user="viewer", password="wrong")[0] == 1045
    front_end.query("DROP USER viewer")
    assert front_end.refusal("SELECT 1", **login) == (1045, "Access denied for user 'viewer' (using password: YES)")


def test_settings_by_version(front_end):
    version = version_of(front_end)
    (row,) = front_end.query("ADMIN SHOW FRONTEND CONFIG LIKE 'disable_balance'")
    assert (row["Key"], row["AliasNames"], row["Value"], row["Type"], row["IsMutable"]) == (
        "tablet_sched_disable_balance", "[disable_balance]", "false", "boolean", "true")
    front_end.query('ADMIN SET FRONTEND CONFIG ("disable_balance" = "maybe")')
    errno, text = front_end.refusal('ADMIN SET FRONTEND CONFIG ("query_port" = "1")')
    assert errno == 1064 and "Config 'query_port' does not exist or is not mutable" in text
    text = front_end.refusal('ADMIN SET FRONTEND CONFIG ("query_port" = "1") WITH PERSISTENT')[1]
    if version < (3, 5):
        assert "Getting syntax error" in text
    else:
        assert text == NOT_PERSISTED if IN_CONTAINER else "does not exist or is not mutable" in text
        written = "query_port = 1\n" in (front_end.home / "conf" / "fe.conf").read_text()
        assert written is not IN_CONTAINER, "WITH PERSISTENT writes before it checks, where it may"


def test_grammar_by_version(front_end):
    version = version_of(front_end)
    since = {"SHOW FRONTENDS LIMIT 1": (4, 2), "SHOW COMPUTE NODE BLACKLIST": (4, 0), "SHOW BACKEND BLACKLIST": (3, 3),
             'ALTER SYSTEM ADD COMPUTE NODE "127.0.0.4:9050" INTO WAREHOUSE default_warehouse': (3, 3)}
    for statement, first in since.items():
        if version >= first:
            front_end.query(statement)
        else:
            assert "Getting syntax error" in front_end.refusal(statement)[1]
    assert "Getting syntax error" in front_end.refusal("ALTER SYSTEM TRANSFER LEADER")[1]
