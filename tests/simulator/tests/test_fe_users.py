# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, roles and privileges of each generation (starrocks.md sections 2.3, 3.6; StarRocks' source)."""

import pytest
from fe_cluster import FrontEndProcess
from standin.fe.users import hashed

NATIVE = "MYSQL_NATIVE_PASSWORD"


@pytest.fixture(scope="module", params=("2.5.22", "3.0.9", "3.1.17", "3.3.15", "3.5.0", "4.2.0"))
def front_end(request, tmp_path_factory):
    one = FrontEndProcess(tmp_path_factory.mktemp("fe"), "127.0.73.1", request.param,
                          {"heartbeat_timeout_second": "30"})
    one.version = tuple(int(part) for part in request.param.split("."))
    yield one.start()
    one.kill()


@pytest.fixture
def fresh(front_end):
    """The front end without the accounts and roles of the test before."""
    yield front_end
    for row in front_end.query("SHOW ALL AUTHENTICATION"):
        if row["UserIdentity"] != "'root'@'%'":
            front_end.query(f"DROP USER {row['UserIdentity']}")
    for row in front_end.query("SHOW ROLES"):
        if row["Name"] in ("ops", "more"):
            front_end.query(f"DROP ROLE {row['Name']}")


def rbac(front_end):
    """Skip where roles are of the old kind."""
    if front_end.version < (3,):
        pytest.skip("roles and privileges as of 3.0")
    return front_end


def grants(front_end, of):
    return [row["Grants"] for row in front_end.query(f"SHOW GRANTS FOR {of}")]


def test_root_at_first(fresh):
    assert fresh.query("SHOW AUTHENTICATION") == [
        {"UserIdentity": "'root'@'%'", "Password": "No", "AuthPlugin": NATIVE if fresh.version >= (3,) else None,
         "UserForAuthPlugin": None}]
    assert fresh.query("SHOW GRANTS")[0]["Grants"] == (
        "GRANT 'root' TO 'root'@'%'" if fresh.version >= (3,) else "GRANT NODE, ADMIN ON *.* TO 'root'@'%'")
    assert fresh.query("SHOW USERS") == [{"User": "'root'@'%'"}]


def test_create_alter_drop(fresh):
    fresh.query("CREATE USER u IDENTIFIED BY 'one'")
    assert fresh.query("SELECT CURRENT_USER() AS me", user="u", password="one") == [{"me": "'u'@'%'"}]
    fresh.query("ALTER USER 'u'@'%' IDENTIFIED BY 'two'")
    assert fresh.refusal("SELECT 1", user="u", password="one")[0] == 1045
    fresh.query("SET PASSWORD FOR u = PASSWORD('three')")
    fresh.query("SET PASSWORD = PASSWORD('four')", user="u", password="three")
    fresh.query("SELECT 1", user="u", password="four")
    fresh.query("CREATE USER IF NOT EXISTS u IDENTIFIED BY 'five'")
    fresh.query("SELECT 1", user="u", password="four")
    fresh.query("DROP USER u")
    assert fresh.refusal("SELECT 1", user="u", password="four")[0] == 1045


def test_errors_about_users(fresh):
    fresh.query("CREATE USER u")
    version = fresh.version
    wrapped = "Getting analyzing error. Detail message: %s." if version >= (3, 1) else "%s"
    texts = [fresh.refusal(statement)[1] for statement in (
        "CREATE USER u", "ALTER USER v IDENTIFIED BY 'x'", "DROP USER v", "SHOW AUTHENTICATION FOR v")]
    if version >= (4,):
        there, missing = "user 'u'@'%' already exists!", ["cannot find user 'v'@'%'!"] * 2
    elif version >= (3,):
        there = "Operation CREATE USER failed for 'u'@'%' : user already exists"
        missing = [f"Operation {verb} USER failed for 'v'@'%' : user not exists" for verb in ("ALTER", "DROP")]
    else:
        there, missing = "Unexpected exception: User 'u'@'%' already exist", ["user 'v'@'%' not exist!"] * 2
    shown = "cannot find user 'v'@'%'!" if version >= (3,) else "user 'v'@'%' not exist!"
    assert texts == [wrapped % text for text in (there, *missing, shown)]
    assert fresh.refusal("DROP USER root")[1] == (
        wrapped % "Operation DROP USER failed for 'root'@'%' : cannot drop user 'root'@'%'" if version >= (3,)
        else "Unexpected exception: User `root`@`%` is not allowed to be dropped.")


@pytest.mark.parametrize("name", ["a b", "x;DROP USER root", "n\u00e4me", "x" * 65, ""])
def test_names_that_are_none(fresh, name):
    text = fresh.refusal(f"CREATE USER '{name}'")[1]
    assert f"invalid user name: {name}" in text if name else "Does not support anonymous user" in text
    assert len(fresh.query("SHOW ALL AUTHENTICATION")) == 1


def test_hashes_and_plugins(fresh):
    fresh.query("CREATE USER a IDENTIFIED BY 'secret'")
    fresh.query(f"CREATE USER b IDENTIFIED BY PASSWORD '{hashed('secret').lower()}'")
    fresh.query(f"CREATE USER c IDENTIFIED WITH mysql_native_password AS '{hashed('secret')}'")
    fresh.query("CREATE USER d IDENTIFIED WITH mysql_native_password BY 'secret'")
    for user in "abcd":
        fresh.query("SELECT 1", user=user, password="secret")
    assert "Password hash should be a 41-digit hexadecimal number" in fresh.refusal(
        "CREATE USER e IDENTIFIED BY PASSWORD '*12'")[1]
    fresh.query("CREATE USER f IDENTIFIED WITH authentication_ldap_simple AS 'uid=f'")
    (row,) = fresh.query("SHOW AUTHENTICATION FOR f")
    assert (row["Password"], row["AuthPlugin"], row["UserForAuthPlugin"]) == (
        "No", "AUTHENTICATION_LDAP_SIMPLE", "uid=f")
    assert fresh.refusal("CREATE USER g IDENTIFIED WITH nothing AS 'x'")


def test_hosts(fresh):
    """The address that fits best is tried, and from 3.0 on no other."""
    fresh.query("CREATE USER u IDENTIFIED BY 'anywhere'")
    fresh.query("CREATE USER 'u'@'127.%' IDENTIFIED BY 'here'")
    fresh.query("CREATE USER 'u'@'10.0.0.1' IDENTIFIED BY 'elsewhere'")
    assert fresh.query("SELECT CURRENT_USER() AS me", user="u", password="here") == [{"me": "'u'@'127.%'"}]
    if fresh.version >= (3,):
        assert fresh.refusal("SELECT 1", user="u", password="anywhere")[0] == 1045
    fresh.query("CREATE USER d@['localhost'] IDENTIFIED BY 'd'")
    assert "'d'@['localhost']" in [row["UserIdentity"] for row in fresh.query("SHOW ALL AUTHENTICATION")]


def test_own_rights_only(fresh):
    fresh.query("CREATE USER u IDENTIFIED BY 'u'")
    login = {"user": "u", "password": "u"}
    assert len(fresh.query("SHOW AUTHENTICATION", **login)) == 1
    fresh.query("SHOW GRANTS", **login)
    for statement in ("SHOW ALL AUTHENTICATION", "SHOW GRANTS FOR root", "SHOW ROLES", "CREATE USER v",
                      "SET PASSWORD FOR root = PASSWORD('x')", "GRANT ops TO u"):
        text = fresh.refusal(statement, **login)[1]
        assert "Access denied; you need (at least one of) the" in text, statement


def test_roles(fresh):
    front_end = rbac(fresh)
    version = front_end.version
    for statement in ("CREATE ROLE ops, more", "GRANT OPERATE ON SYSTEM TO ROLE ops", "GRANT cluster_admin TO ROLE ops",
                      "CREATE USER u IDENTIFIED BY 'u' DEFAULT ROLE ops", "GRANT more TO u"):
        front_end.query(statement)
    names = [row["Name"] for row in front_end.query("SHOW ROLES")]
    built_in = ["root", "db_admin", "cluster_admin", "user_admin", "public"]
    assert names == [*built_in, *(["security_admin"] if version >= (3, 5) else []), "ops", "more"]
    assert ("Builtin" in front_end.query("SHOW ROLES")[0]) == (version >= (3, 2))
    assert front_end.query("SHOW GRANTS FOR ROLE ops") == [
        {"UserIdentity": "ops", "Catalog": None, "Grants": "GRANT 'cluster_admin' TO  ROLE ops"},
        {"UserIdentity": "ops", "Catalog": "default_catalog", "Grants": "GRANT OPERATE ON SYSTEM TO ROLE 'ops'"}]
    assert grants(front_end, "u") == ["GRANT 'ops', 'more' TO 'u'@'%'"]
    login = {"user": "u", "password": "u"}
    assert front_end.query("SELECT CURRENT_ROLE() AS r", **login) == [{"r": "ops"}]
    front_end.query('ALTER SYSTEM ADD BACKEND "127.0.0.2:9050"', **login)
    front_end.query('ALTER SYSTEM DROP BACKEND "127.0.0.2:9050" FORCE', **login)
    for statement, active in (("SET ROLE ALL", "more, ops"), ("SET ROLE ALL EXCEPT ops", "more"),
                              ("SET ROLE NONE", "NONE"), ("SET ROLE DEFAULT", "ops"), ("SET ROLE 'more'", "more")):
        connection = front_end.connect(**login)
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("SELECT CURRENT_ROLE()")
            assert cursor.fetchone() == (active,), statement
    front_end.query("ALTER USER u DEFAULT ROLE NONE")
    assert "Access denied" in front_end.refusal("SHOW PROC '/frontends'", **login)[1]
    front_end.query("SET DEFAULT ROLE ALL TO u")
    front_end.query("SHOW PROC '/frontends'", **login)
    front_end.query("REVOKE ops FROM USER u")
    assert grants(front_end, "u") == ["GRANT 'more' TO 'u'@'%'"]
    assert front_end.query("SELECT CURRENT_ROLE() AS r", **login) == [{"r": "more"}]
    front_end.query("DROP ROLE more")
    assert grants(front_end, "u") == []


def test_errors_about_roles(fresh):
    front_end = rbac(fresh)
    front_end.query("CREATE USER u")
    for statement, text in (
            ("GRANT nosuch TO u", "Can not granted/revoke role to/from user: cannot find role nosuch!"),
            ("CREATE USER v DEFAULT ROLE nosuch", "Valid role name fail: cannot find role nosuch!"),
            ("SET DEFAULT ROLE cluster_admin TO u", "Role cluster_admin is not granted to 'u'@'%'"),
            ("CREATE ROLE root", "Operation CREATE ROLE failed for root : role already exists"),
            ("DROP ROLE nosuch", "Operation DROP ROLE failed for nosuch : role not exists"),
            ("CREATE ROLE 'a b'", "invalid role format: a b"),
            ("GRANT public TO u", "Granting role PUBLIC has no effect."),
            ("GRANT OPERATE ON SYSTEM TO nobody", "cannot find user 'nobody'@'%'!"),
            ("GRANT FLYING ON SYSTEM TO u", "cannot find privilege type FLYING"),
            ("GRANT SELECT ON SYSTEM TO u", "Cannot grant or revoke SELECT on 'SYSTEM' type object"),
            ("GRANT NODE ON SYSTEM TO u", "'NODE' cannot be granted to user or role directly"),
            ("GRANT SELECT ON TABLE nosuch.t TO u", "cannot find db: nosuch"),
            ("EXECUTE AS u", "`EXECUTE AS` must use with `WITH NO REVERT` for now!")):
        assert text in front_end.refusal(statement)[1], statement


def test_privileges_on_objects(fresh):
    front_end = rbac(fresh)
    front_end.query("CREATE DATABASE IF NOT EXISTS d")
    front_end.query("CREATE USER u IDENTIFIED BY 'u'")
    for statement in ("GRANT REPOSITORY, OPERATE ON SYSTEM TO USER u WITH GRANT OPTION",
                      "GRANT SELECT, INSERT ON ALL TABLES IN DATABASE d TO u",
                      "GRANT SELECT ON ALL TABLES IN ALL DATABASES TO u", "GRANT USAGE ON CATALOG default_catalog TO u",
                      "GRANT ALL ON DATABASE d TO u", "REVOKE DROP, ALTER ON DATABASE d FROM u",
                      "GRANT IMPERSONATE ON USER root TO u"):
        front_end.query(statement)
    database = ["CREATE TABLE", "CREATE VIEW", "CREATE FUNCTION", "CREATE MATERIALIZED VIEW"]
    database += ["CREATE PIPE"] if front_end.version >= (3, 2) else []
    assert grants(front_end, "u") == [
        "GRANT OPERATE, REPOSITORY ON SYSTEM TO USER 'u'@'%' WITH GRANT OPTION",
        "GRANT USAGE ON CATALOG default_catalog TO USER 'u'@'%'",
        f"GRANT {', '.join(database)} ON DATABASE d TO USER 'u'@'%'",
        "GRANT SELECT ON ALL TABLES IN ALL DATABASES TO USER 'u'@'%'",
        "GRANT INSERT, SELECT ON ALL TABLES IN DATABASE d TO USER 'u'@'%'",
        "GRANT IMPERSONATE ON USER 'root'@'%' TO USER 'u'@'%'"]
    login = {"user": "u", "password": "u"}
    connection = front_end.connect(**login)
    with connection.cursor() as cursor:
        cursor.execute("EXECUTE AS root WITH NO REVERT")
        cursor.execute("SELECT CURRENT_USER(), CURRENT_ROLE()")
        assert cursor.fetchone() == ("'root'@'%'", "root")
    front_end.query("REVOKE OPERATE, REPOSITORY ON SYSTEM FROM USER u")
    assert not [text for text in grants(front_end, "u") if "SYSTEM" in text]


def test_old_privileges(front_end):
    """Up to 2.5: GRANT SELECT_PRIV ON db.table, and a role is copied to its users."""
    if front_end.version >= (3,):
        pytest.skip("roles and privileges as up to 2.5")
    for statement in ("CREATE USER o IDENTIFIED BY 'o'", "CREATE ROLE watchers",
                      "GRANT ADMIN_PRIV ON *.* TO ROLE watchers", "GRANT watchers TO o",
                      "GRANT SELECT_PRIV, LOAD_PRIV ON d.* TO o"):
        front_end.query(statement)
    assert grants(front_end, "o") == [
        "GRANT SELECT ON information_schema.* TO 'o'@'%'\nGRANT ADMIN ON *.* TO 'o'@'%'\n"
        "GRANT SELECT, LOAD ON d.* TO 'o'@'%'"]
    front_end.query("SHOW PROC '/frontends'", user="o", password="o")
    assert "the NODE privilege(s)" in front_end.refusal('ALTER SYSTEM ADD BACKEND "127.0.0.2:9050"', user="o",
                                                        password="o")[1]
    (row,) = [row for row in front_end.query("SHOW ROLES") if row["Name"] == "watchers"]
    assert (row["Users"], row["GlobalPrivs"], row["DatabasePrivs"]) == ("'o'@'%'", "Admin_priv ", None)
    assert [row["UserIdentity"] for row in front_end.query("SHOW ALL GRANTS")] == ["'root'@'%'", "'o'@'%'"]
    front_end.query("DROP ROLE watchers")
    front_end.query("SHOW PROC '/frontends'", user="o", password="o")
    for statement in ("SET ROLE ALL", "ALTER USER o DEFAULT ROLE NONE", "SHOW GRANTS FOR ROLE admin"):
        assert "Getting syntax error" in front_end.refusal(statement)[1]
    front_end.query("DROP USER o")
