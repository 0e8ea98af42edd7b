# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""starrocks_query against a front end."""

import jmespath
from conftest import address


def query(cluster, *statements, check=False, **arguments):
    return cluster.succeed("starrocks_query", check, query=list(statements), **arguments)


def databases(cluster):
    return {row["Database"] for row in cluster.ask("SHOW DATABASES")}


def test_by_law(cluster):
    assert not query(cluster, "SELECT 1")["changed"]
    tried = query(cluster, "SHOW DATABASES", "CREATE DATABASE made_here", check=True)
    assert tried["changed"] and len(tried["results"]) == 1 and "made_here" not in databases(cluster)
    done = query(cluster, "CREATE DATABASE made_here", "SHOW DATABASES")
    assert done["changed"] and {"Database": "made_here"} in done["rows"] and "made_here" in databases(cluster)
    assert done["results"][0]["rows"] == [] and done["results"][0]["columns"] == []
    query(cluster, "DROP DATABASE made_here")
    assert "made_here" not in databases(cluster)


def test_one_request_holds_one_statement(cluster):
    before = databases(cluster)
    for several in ("SELECT 1; CREATE DATABASE smuggled", "SELECT 1 -- '\n; CREATE DATABASE smuggled -- '",
                    "SELECT '\\\\'; CREATE DATABASE smuggled", "SELECT 1;;CREATE DATABASE smuggled", ";", "-- nothing",
                    "SELECT 1 -- \r; CREATE DATABASE smuggled", "SELECT 1 /* ; CREATE DATABASE smuggled"):
        refused = cluster.run("starrocks_query", query=several)
        assert refused["failed"] and "one statement" in refused["msg"] and refused["queries"] == []
    # For MySQL the statement ends before #; StarRocks would take what follows for a string.
    mixed = cluster.run("starrocks_query", query="SELECT 1 # '\n; CREATE DATABASE smuggled -- '")
    assert "# begins no comment" in mixed["msg"]
    assert databases(cluster) == before
    assert query(cluster, "SELECT ';' -- ; '")["rows"]


def test_errors_tell_front_end_statement_and_words(cluster):
    wrong = cluster.run("starrocks_query", query=["SHOW DATABASES", "SELEC 1", "SHOW DATABASES"])
    assert wrong["failed"] and not wrong["changed"]
    assert f"front end {address(11)}:9030, statement SELEC 1: (1064) Getting syntax error" in wrong["msg"]
    assert len(wrong["results"]) == 1 and wrong["queries"] == ["SHOW DATABASES", "SELEC 1"]


HOSTILE = ["'", '"', "\\", "''", "\\'", "a'; CREATE DATABASE smuggled; --", "/* */ -- # ;", "a\nb\r\tc", "\0a\x1a\b",
           "%", "%s %(a)s", "\u4e2d\U0001f600", "x" * 10000, "", "SLEEP(10)", "`", "' OR '1'='1"]


def test_hostile_arguments_are_text(cluster):
    """They come back as they were, and nothing else has happened."""
    before = databases(cluster), cluster.ask("SHOW ALL AUTHENTICATION")
    done = query(cluster, *["SELECT %s"] * len(HOSTILE), positional_args=HOSTILE)
    assert [[*result["rows"][0].values()] for result in done["results"]] == [[text] for text in HOSTILE]
    named = query(cluster, *["SHOW DATABASES LIKE %(a b)s"] * 2, named_args={"a b": HOSTILE[5], "unused": "x"})
    assert named["rows"] == [] and not done["changed"] and not named["changed"]
    assert (databases(cluster), cluster.ask("SHOW ALL AUTHENTICATION")) == before


def test_arguments_that_do_not_fit_are_told_before_anybody_is_asked(cluster):
    for given, finding in (
            ({"positional_args": ["a"]}, "query has 2 places (%s), and 1 values are given"),
            ({"named_args": {"a": 1}}, "%s in query needs positional_args"),
            ({"positional_args": ["a", {"b": 1}]}, "2 holds a dict")):
        refused = cluster.run("starrocks_query", login_hosts=["203.0.113.1"], query="SELECT %s, %s", **given)
        assert finding in refused["msg"]
    quoted = cluster.run("starrocks_query", login_hosts=["203.0.113.1"], query="SHOW DATABASES LIKE '%s'",
                         positional_args=["' ; CREATE DATABASE smuggled -- "])
    assert "leave the quotes out" in quoted["msg"]


def test_types_and_values(cluster):
    done = query(cluster, "SELECT 1 AS number, 'a' AS text, NULL AS nothing", "SHOW FRONTENDS")
    first, second = done["results"]
    assert first["rows"] == [{"number": 1, "text": "a", "nothing": None}]
    assert first["columns"] == ["number", "text", "nothing"] and set(first["types"]) == set(first["columns"])
    assert first["types"]["text"] == "varchar" and "int" in first["types"]["number"]
    assert second["types"]["Alive"] == "varchar" and second["affected_rows"] == 1
    assert jmespath.search("results[1].rows[?Role=='LEADER'].IP | [0]", done) == address(11)
    assert query(cluster, "SELECT 1, 1")["rows"] == [{"1": 1, "1_2": 1}]


def test_read_only(cluster):
    assert query(cluster, "SHOW DATABASES", read_only=False)["changed"]
    tried = query(cluster, "SHOW DATABASES", read_only=False, check=True)
    assert tried["changed"] and tried["results"] == []
    # insert() is a function here, which the words alone do not tell.
    unsure = "SHOW DATABASES WHERE insert"
    assert query(cluster, "SELECT 'a' AS `insert`", read_only=True, check=True)["rows"] == [{"insert": "a"}]
    assert cluster.run("starrocks_query", True, query=unsure)["failed"]
    refused = cluster.run("starrocks_query", query="DROP DATABASE IF EXISTS x", read_only=True)
    assert "read_only: true is not taken" in refused["msg"]


def test_secrets_are_hidden(cluster):
    done = query(cluster, "CREATE USER hidden IDENTIFIED BY 's3cret'", "SET PASSWORD FOR hidden = PASSWORD(%s)",
                 positional_args=["t0psecret"])
    shown = str(done)
    assert "s3cret" not in shown and "t0psecret" not in shown and "********" in shown
    wrong = cluster.run("starrocks_query", query="SET PASSWORD FOR nobody = PASSWORD('s3cret')")
    assert wrong["failed"] and "s3cret" not in str(wrong)
    query(cluster, "DROP USER hidden")
