# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""starrocks_user against a front end of each line of versions."""

import json
import sys

import pymysql
import pytest
from conftest import PASSWORD, run_ansible, texts_in

SECRET = "s'e\"c\\ret %s; -- \u4e2d"
OTHER = "another one"
HASH = "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"  # of 123456
ROOT_PASSWORD = "SET PASSWORD FOR 'root'@'%' = PASSWORD('********')"


def lets_in(cluster, user, password):
    """The account as which the front end lets a client in, None if it does not."""
    try:
        return asked_as(cluster, user, password, "SELECT CURRENT_USER() AS me")[0]["me"]
    except pymysql.err.OperationalError as error:
        assert error.args[0] == 1045
        return None


def asked_as(cluster, user, password, *statements):
    """What the last of the statements answers, run as ``user``: a list of dicts."""
    connection = pymysql.connect(host=cluster.first, port=9030, user=user, password=password.encode("utf-8"),
                                 charset="utf8mb4", cursorclass=pymysql.cursors.DictCursor, read_timeout=60)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def everything(cluster):
    """All that statements of these tests could do, as the server shows it."""
    accounts = sorted((row["UserIdentity"], row["Password"]) for row in cluster.ask("SHOW ALL AUTHENTICATION"))
    grants = [cluster.ask(f"SHOW GRANTS FOR {account}") for account, _ in accounts]
    # A front end makes _statistics_ by itself, some time after its start.
    databases = {row["Database"] for row in cluster.ask("SHOW DATABASES")} - {"_statistics_"}
    return accounts, grants, cluster.ask("SHOW ROLES"), databases, cluster.ask("SHOW BACKENDS")


def user(cluster, check=False, /, **arguments):
    """Run the module where it has to succeed; no password is in its result."""
    result = cluster.succeed("starrocks_user", check, **arguments)
    shown = texts_in(result)
    assert not any(secret in shown for secret in (SECRET, OTHER, "s\\'e"))
    return result


@pytest.mark.parametrize("version", ["2.5.22", "3.1.17", "3.3.15", "3.5.0", "4.2.0"])
def test_an_account_in_every_line_of_versions(new_cluster, version):
    cluster = new_cluster(version)
    with_rights = version >= "3.0"

    def look():
        return everything(cluster)

    # the first password of root
    first = {"login_password": PASSWORD, "password": PASSWORD, "check_implicit_admin": True}
    assert user(cluster, True, **first)["queries"] == [ROOT_PASSWORD]
    assert lets_in(cluster, "root", "")
    done = user(cluster, **first)
    assert (done["changed"], done["queries"]) == (True, [ROOT_PASSWORD])
    assert (lets_in(cluster, "root", ""), lets_in(cluster, "root", PASSWORD)) == (None, "'root'@'%'")
    cluster.password = PASSWORD
    again = user(cluster, **first)
    assert (again["changed"], again["queries"]) == (False, [])
    wrong = cluster.run("starrocks_user", login_password="wrong", check_implicit_admin=True)
    assert wrong["failed"] and "Access denied" in wrong["msg"]

    # an account that comes, gets another password and goes
    wishes = {"name": "monitor", "password": SECRET}
    created = ["CREATE USER 'monitor'@'%' IDENTIFIED BY '********'"]
    cluster.by_law("starrocks_user", look, created, **wishes)
    assert lets_in(cluster, "monitor", SECRET) == "'monitor'@'%'"
    cluster.by_law("starrocks_user", lambda: [lets_in(cluster, "monitor", secret) for secret in (SECRET, OTHER)],
                   ["SET PASSWORD FOR 'monitor'@'%' = PASSWORD('********')"], **{**wishes, "password": OTHER})
    assert lets_in(cluster, "monitor", OTHER)
    assert not user(cluster, **wishes, update_password="on_create")["changed"]
    assert lets_in(cluster, "monitor", OTHER)
    cluster.by_law("starrocks_user", look, ["DROP USER 'monitor'@'%'"], name="monitor", state="absent")

    # an account with rights
    rights = {"privileges": ["OPERATE ON SYSTEM"], "roles": ["cluster_admin"], "default_roles": ["cluster_admin"]}
    if not with_rights:
        before = look()
        refused = cluster.run("starrocks_user", **wishes, **rights)
        assert "came with StarRocks 3.0.0, and this is 2.5.22" in refused["msg"]
        assert look() == before
        return
    done = cluster.by_law("starrocks_user", look, [
        *created, "GRANT OPERATE ON SYSTEM TO USER 'monitor'@'%'", "GRANT 'cluster_admin' TO USER 'monitor'@'%'",
        "SET DEFAULT ROLE 'cluster_admin' TO 'monitor'@'%'"], **wishes, **rights)
    assert {key: done[key] for key in rights} == rights
    asked_as(cluster, "monitor", SECRET, "SHOW PROC '/statistic'", 'ALTER SYSTEM ADD BROKER b "127.0.0.9:8000"',
             "ALTER SYSTEM DROP ALL BROKER b", "ADMIN SHOW FRONTEND CONFIG LIKE 'query_port'")
    with pytest.raises(pymysql.err.MySQLError, match="CREATE DATABASE privilege"):
        asked_as(cluster, "monitor", SECRET, "CREATE DATABASE nope")

    # other rights: what is new is given before what is left over is taken
    cluster.by_law("starrocks_user", look, [
        "GRANT REPOSITORY ON SYSTEM TO USER 'monitor'@'%'", "GRANT 'db_admin' TO USER 'monitor'@'%'",
        "SET DEFAULT ROLE 'db_admin' TO 'monitor'@'%'", "REVOKE OPERATE ON SYSTEM FROM USER 'monitor'@'%'",
        "REVOKE 'cluster_admin' FROM USER 'monitor'@'%'"],
        name="monitor", roles=["db_admin"], default_roles=["ALL"], privileges=["repository on system"])
    asked_as(cluster, "monitor", SECRET, "CREATE DATABASE yes")
    cluster.by_law("starrocks_user", look, ["DROP USER 'monitor'@'%'"], name="monitor", state="absent")


def test_rights_are_added(cluster):
    wishes = {"name": "monitor", "password": SECRET}
    user(cluster, **wishes, roles=["db_admin"], default_roles=["ALL"], privileges=["repository on system"])
    cluster.ask("CREATE DATABASE sales")
    added = user(cluster, name="monitor", roles=["user_admin"], append_roles=True, append_privileges=True,
                 privileges=["FILE ON SYSTEM", "SELECT ON ALL TABLES IN DATABASE `sales`"])
    assert added["roles"] == ["db_admin", "user_admin"]
    assert added["privileges"] == ["SELECT ON ALL TABLES IN DATABASE sales", "FILE, REPOSITORY ON SYSTEM"]
    assert asked_as(cluster, "monitor", SECRET, "SELECT CURRENT_ROLE() AS roles") == [{"roles": "db_admin"}]
    # The option to grant comes and goes without the privilege being lost.
    grantable = "FILE ON SYSTEM WITH GRANT OPTION"
    for privilege in (grantable, "FILE ON SYSTEM"):
        assert user(cluster, name="monitor", privileges=[privilege])["privileges"] == [privilege]
        assert not user(cluster, name="monitor", privileges=[privilege])["changed"]
    user(cluster, name="monitor", state="absent")
    cluster.ask("DROP DATABASE sales")


def test_an_account_manages_others_and_itself(cluster):
    user(cluster, name="monitor", password=SECRET, roles=["db_admin", "user_admin"], default_roles=["db_admin"])
    own = {"login_user": "monitor", "login_password": SECRET}
    refused = cluster.run("starrocks_user", **own, name="third", password=OTHER)
    assert "GRANT privilege" in refused["msg"] and "accounts the role user_admin" in refused["msg"]
    user(cluster, name="monitor", default_roles=["user_admin"])
    user(cluster, **own, name="third", password=OTHER, default_roles=[])
    assert user(cluster, **own, name="monitor", password=OTHER)["changed"]
    assert not user(cluster, **own, name="monitor", password=OTHER)["changed"]  # tries the old one first
    for name in ("third", "monitor"):
        user(cluster, name=name, state="absent")


def test_hosts(cluster):
    """Accounts of one name and several hosts; this host is 127.0.0.1 to the front end."""
    here, elsewhere = ({"name": "visitor", "host": host, "password": SECRET} for host in ("127.0.0.%", "10.%"))
    assert user(cluster, **here)["user"] == "'visitor'@'127.0.0.%'"
    assert not user(cluster, **here)["changed"]
    assert user(cluster, **elsewhere)["changed"]
    # From here nobody can tell whether the password is right.
    again = user(cluster, **elsewhere)
    assert again["changed"] and "cannot be told from this host" in texts_in(again["warnings"])
    assert not user(cluster, **elsewhere, update_password="on_create")["changed"]
    # What lets in from here is the other account, whatever this one's password is.
    assert user(cluster, name="visitor", password=OTHER)["changed"]
    assert lets_in(cluster, "visitor", SECRET) == "'visitor'@'127.0.0.%'"
    domain = user(cluster, name="visitor", host="['example.com']", password=SECRET)
    assert domain["user"] == "'visitor'@['example.com']"
    for host in ("%", "127.0.0.%", "10.%", "['example.com']"):
        assert user(cluster, name="visitor", host=host, state="absent")["changed"]
        assert not user(cluster, name="visitor", host=host, state="absent")["changed"]
    assert "visitor" not in str(everything(cluster))


def test_a_hash(cluster):
    wishes = {"name": "hashed", "password_hash": HASH, "update_password": "on_create"}
    done = user(cluster, **wishes)
    assert done["queries"] == ["CREATE USER 'hashed'@'%' IDENTIFIED BY PASSWORD '********'"]
    assert HASH not in texts_in(done) and lets_in(cluster, "hashed", "123456")
    assert not user(cluster, **wishes)["changed"]
    user(cluster, name="hashed", state="absent")


@pytest.mark.parametrize("password", ["a'; DROP USER 'root'@'%'; --", "\\", "/* \" */ # b\n-- c\r\t\x1a %s %(a)s %",
                                      "\u4e2d\U0001f600" * 5000, " "])
def test_hostile_passwords(cluster, password):
    before = everything(cluster)
    assert cluster.succeed("starrocks_user", name="hostile", password=password)["changed"]
    assert lets_in(cluster, "hostile", password)
    assert not cluster.succeed("starrocks_user", name="hostile", password=password)["changed"]
    cluster.succeed("starrocks_user", name="hostile", state="absent")
    assert everything(cluster) == before


@pytest.mark.parametrize("option, hostile", [
    ("name", "a'; DROP USER 'root'@'%'; --"), ("name", "x" * 10000), ("name", "\u4e2d\n\\"), ("name", "`a` # b"),
    ("roles", "a'; DROP DATABASE witness; --"), ("roles", "\u4e2d\\"),
    ("privileges", "OPERATE ON SYSTEM TO USER 'root'@'%'; DROP DATABASE witness"),
    ("privileges", "SELECT ON TABLE a.b -- c"), ("privileges", "x" * 10000),
])
def test_hostile_names(cluster, option, hostile):
    """They are refused here or by the front end, which takes them for one name; nothing else happens."""
    cluster.ask("CREATE DATABASE IF NOT EXISTS witness")
    before = everything(cluster)
    refused = cluster.run("starrocks_user", **{"name": "hostile", "password": SECRET,
                                               option: hostile if option == "name" else [hostile]})
    assert refused["failed"] and SECRET not in texts_in(refused)
    if refused["changed"]:
        # It was made before the front end refused the role.
        user(cluster, name="hostile", state="absent")
    assert everything(cluster) == before


def test_refused_before_anybody_is_asked(cluster):
    refused = cluster.run("starrocks_user", login_hosts=["203.0.113.1"], name="", password="a\0", roles=["a", "a"],
                          privileges=["NODE ON SYSTEM"], default_roles=["b"])
    for finding in ("name: must not be empty", "password: StarRocks holds no NUL",
                    "roles: a stands there more than once", "add cluster_admin to roles",
                    "default_roles: b has to be in roles too"):
        assert finding in refused["msg"]
    assert not refused["changed"]


def test_a_role_that_is_not_there(cluster):
    refused = cluster.run("starrocks_user", name="viewer", password=SECRET, roles=["nobody"])
    assert "cannot find role nobody" in refused["msg"] and refused["changed"]
    assert refused["queries"] == ["CREATE USER 'viewer'@'%' IDENTIFIED BY '********'"]
    # Run again with what was meant, it goes on where it stopped.
    assert user(cluster, name="viewer", password=SECRET, roles=["db_admin"])["queries"] == [
        "GRANT 'db_admin' TO USER 'viewer'@'%'"]
    user(cluster, name="viewer", state="absent")


# From ansible-core 2.21 on -vvv shows arguments only where that is asked for.
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_inject_invocation: true}
  module_defaults:
    group/starrocks.cluster.starrocks: {login_hosts: ["{{ front_end }}"], login_password: "{{ root_password }}"}
  tasks:
    - starrocks.cluster.starrocks_user: {name: shown, password: "{{ secret }}"}
    - starrocks.cluster.starrocks_user: {name: shown, password: "{{ secret }} new", roles: [nobody]}
      ignore_errors: true
    - starrocks.cluster.starrocks_query:
        query: ["SET PASSWORD FOR shown = PASSWORD('{{ secret }} \\\\' two')", "SET PASSWORD FOR shown = PASSWORD(%s)"]
        positional_args: ["{{ secret }} three"]
    - starrocks.cluster.starrocks_query:
        query: SET PASSWORD FOR nobody = PASSWORD(%(p)s)
        named_args: {p: "{{ secret }}"}
      ignore_errors: true
    - starrocks.cluster.starrocks_frontend_config:
        settings: {authentication_ldap_simple_bind_root_pwd: '{{ secret }} "four"', nosuch_token: "{{ secret }}"}
      ignore_errors: true
    - starrocks.cluster.starrocks_frontend_config:
        settings: {authentication_ldap_simple_bind_root_pwd: '{{ secret }} "five"'}
    - starrocks.cluster.starrocks_user: {name: shown, state: absent}
"""


def test_no_secret_is_shown_with_vvv(cluster, tmp_path):
    (tmp_path / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    (tmp_path / "secrets.json").write_text(json.dumps({
        "front_end": cluster.first, "root_password": cluster.password, "secret": "S3CRET",
        "ansible_python_interpreter": sys.executable}), encoding="utf-8")
    done = run_ansible(["ansible-playbook", "-i", "localhost,", "-c", "local", "-e", "@secrets.json", "-vvv", "--diff",
                        "play.yml"], tmp_path)
    assert done.returncode == 0 and "failed=0" in done.stdout and "ignored=3" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("module_args") == 7
    assert "S3CRET" not in done.stdout + done.stderr and PASSWORD not in done.stdout + done.stderr
