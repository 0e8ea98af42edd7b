# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values by type, what is refused before anybody is asked, and the plan from wishes and nodes to statements."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._live_settings import (
    BACKEND,
    FORBIDDEN_IN_FILE,
    FRONTEND,
    NodeSettings,
    Pending,
    Setting,
    backend_settings,
    check_wishes,
    frontend_settings,
    is_secret,
    nearest,
    plan,
    read_shown,
    read_value,
    report,
    secrets_in,
    text_of,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import TableError


def shown(key, value, kind, mutable="true", aliases="[]"):
    return {"key": key, "alias_names": aliases, "value": value, "type": kind, "is_mutable": mutable, "comment": ""}


def frontend(address="fe1", **values):
    """NodeSettings of a front end; ``values`` replace those of its settings."""
    rows = [
        shown("tablet_sched_disable_balance", "false", "boolean", aliases="[disable_balance]"),
        shown("tablet_sched_repair_delay_factor_second", "60", "long"),
        shown("tablet_sched_balance_load_score_threshold", "0.1", "double"),
        shown("default_replication_num", "3", "short"),
        shown("audit_log_modules", "[slow_query, query]", "String[]"),
        shown("tablet_sched_colocate_balance_high_prio_backends", "[]", "long[]"),
        shown("query_port", "9030", "int", mutable="false"),
        shown("mysql_server_version", "8.0.33", "String"),
        shown("ldap_pwd", "old", "String"),
    ]
    for row in rows:
        row["value"] = values.get(row["key"], row["value"])
    return NodeSettings("front end", address, {"host": address}, frontend_settings(rows))


DEAD = NodeSettings("front end", "fe9", {"host": "fe9"}, None, "it is not alive")


@pytest.mark.parametrize("kind, value, typed", [
    ("boolean", True, True),
    ("boolean", "TRUE", True),
    ("boolean", " false ", False),
    ("bool", "false", False),
    ("int", 5, 5),
    ("int", "-1", -1),
    ("int", "+7", 7),
    ("int", 2147483647, 2147483647),
    ("long", 2147483648, 2147483648),
    ("Long", "300", 300),
    ("short", "-32768", -32768),
    ("int32_t", "8", 8),
    ("double", "0.10", 0.1),
    ("double", 1, 1.0),
    ("double", "1.0E-4", 0.0001),
    ("String", " x y ", "x y"),
    ("String", 8, "8"),
    ("String", True, "true"),
    ("std::string", "90%", "90%"),
    ("MutableString", "", ""),
    ("no such type", "x", "x"),
    ("String[]", ["a", "b"], ["a", "b"]),
    ("String[]", "a, b", ["a", "b"]),
    ("String[]", "", []),
    ("long[]", [1, "2"], [1, 2]),
    ("std::vector<std::string>", "a,b", ["a", "b"]),
    ("std::vector<int32_t>", "1,2", [1, 2]),
    ("list<int32>", "1,2", [1, 2]),
    ("int64", "8", 8),
])
def test_values(kind, value, typed):
    assert read_value(kind, value) == typed
    assert isinstance(read_value(kind, value), type(typed))
    assert read_value(kind, text_of(typed)) == typed


@pytest.mark.parametrize("kind, value, reason", [
    ("boolean", "maybe", "neither true nor false"),
    ("boolean", "yes", "neither true nor false"),
    ("boolean", 1, "neither true nor false"),
    ("boolean", "", "neither true nor false"),
    ("int", True, "no whole number"),
    ("int", 1.5, "no whole number"),
    ("int", "10G", "no whole number"),
    ("int", "", "no whole number"),
    ("int", "٣", "no whole number"),
    ("int", 2147483648, "32 bits"),
    ("short", 40000, "16 bits"),
    ("long", 2 ** 63, "64 bits"),
    ("int64_t", -2 ** 63 - 1, "64 bits"),
    ("double", "NaN", "no number"),
    ("double", "1.5m", "no number"),
    ("long[]", ["1", "x"], "no whole number"),
    ("String", ["a"], "is a list"),
])
def test_values_that_do_not_fit(kind, value, reason):
    with pytest.raises(ValueError, match=reason):
        read_value(kind, value)


@pytest.mark.parametrize("kind, text, typed", [
    ("String[]", "[slow_query, query]", ["slow_query", "query"]),
    ("String[]", "[]", []),
    ("long[]", "[10001, 10002]", [10001, 10002]),
    ("double", "1.0E-4", 0.0001),
    ("boolean", "true", True),
    ("bool", "1", True),
    ("bool", "0", False),
    ("list<string>", "a,b", ["a", "b"]),
    ("int", "", ""),  # not what its type says
    ("String", None, ""),
])
def test_shown_values(kind, text, typed):
    assert read_shown(Setting("x", text, kind, True)) == typed


def test_aliases_lead_to_the_setting():
    settings = frontend_settings([shown("new", "1", "int", aliases="[old, older]"), shown("old_too", "2", "int")])
    assert settings["old"] is settings["older"] is settings["new"]
    assert sorted(settings) == ["new", "old", "old_too", "older"]


def test_back_ends_that_tell_less():
    """The first releases of 3.0 have three columns; the rest is left to the server."""
    row = {"be_id": "10001", "name": "x", "value": "1"}
    assert backend_settings([row]) == {10001: {"x": Setting("x", "1", "string", None)}}
    full = dict(row, type="int32_t", default="0", mutable="1")
    assert backend_settings([full, dict(full, be_id="10002", mutable="0")]) == {
        10001: {"x": Setting("x", "1", "int32_t", True)}, 10002: {"x": Setting("x", "1", "int32_t", False)}}


@pytest.mark.parametrize("read", [frontend_settings, backend_settings])
def test_another_table_is_no_settings(read):
    assert read([]) == {}
    with pytest.raises(TableError, match="without"):
        read([{"variable_name": "x", "value": "1"}])


@pytest.mark.parametrize("settings, findings", [
    ({}, ["settings is empty: name at least one setting"]),
    (None, ["settings is empty: name at least one setting"]),
    ({"ok": 1, "also_ok": [1, 2], "text": "a, b", "nothing": ""}, []),
    ({'x" = "1"); DROP': 1}, ["""settings: 'x" = "1"); DROP' is no name of a setting"""]),
    ({"x" * 10000: 1}, ["settings: '%s... is no name of a setting" % ("x" * 76)]),
    ({"ж": 1}, ["settings: 'ж' is no name of a setting"]),
    ({"x": None}, ["settings: x has no value"]),
    ({"x": {"y": 1}}, ["settings: x is neither one value nor a list of values"]),
    ({"x": ["a", None]}, ["settings: x has no value"]),
    ({"x": ["a,b"]}, ["settings: x has an element with a comma, which StarRocks takes for two elements"]),
    ({"x": "1\nquery_port = 1", "y": "\0"},
     ["settings: x holds a line break or another control character",
      "settings: y holds a line break or another control character"]),
])
def test_refused_before_anybody_is_asked(settings, findings):
    assert check_wishes(FRONTEND, settings) == findings


def test_what_the_file_and_back_ends_cannot_take():
    wishes = {"a": "C:\\d", "b": "${HOME}/x", "c": 'say "x"'}
    assert check_wishes(FRONTEND, wishes) == []
    assert [text.split()[1] for text in check_wishes(FRONTEND, wishes, FORBIDDEN_IN_FILE)] == ["a", "b"]
    assert [text.split()[1] for text in check_wishes(BACKEND, wishes)] == ["a", "b", "c"]


def test_secrets():
    assert all(is_secret(name) for name in (
        "ssl_keystore_password", "authentication_ldap_simple_ssl_conn_trust_store_pwd", "aws_s3_secret_key",
        "auth_token", "azure_adls2_oauth2_client_secret", "aws_s3_access_key", "azure_blob_shared_key",
        "oauth2_credentials"))
    assert not any(is_secret(name) for name in (
        "arrow_token_cache_size", "enable_token_check", "enable_task_info_mask_credential", "oauth2_token_server_url",
        "tablet_sched_disable_balance", "key_file"))
    assert secrets_in({"a_password": "x y", "b_pwd": 12345, "c_secret": "", "d_token": True, "e": "z", 7: "q"}) == {
        "x y", "12345"}


def test_only_what_differs_is_pending():
    nodes = [frontend("fe1", tablet_sched_repair_delay_factor_second="3600"), frontend("fe2"), DEAD]
    done = plan(FRONTEND, {"disable_balance": "TRUE", "tablet_sched_repair_delay_factor_second": 3600,
                           "audit_log_modules": ["slow_query", "query"],
                           "tablet_sched_balance_load_score_threshold": "0.10", "query_port": 9030}, nodes)
    assert done.findings == done.restart_required == []
    assert done.pending == [Pending("tablet_sched_disable_balance", "true", nodes[:2]),
                            Pending("tablet_sched_repair_delay_factor_second", "3600", nodes[1:2])]
    assert done.before == {"fe1": {"tablet_sched_disable_balance": "false"},
                           "fe2": {"tablet_sched_disable_balance": "false",
                                   "tablet_sched_repair_delay_factor_second": "60"}}
    assert done.after == {"fe1": {"tablet_sched_disable_balance": "true"},
                          "fe2": {"tablet_sched_disable_balance": "true",
                                  "tablet_sched_repair_delay_factor_second": "3600"}}


def test_all_findings_at_once():
    done = plan(FRONTEND, {"tablet_sched_disable_balanse": True, "QUERY_PORT": 1, "nosuch": 1, "query_port": 9999,
                           "tablet_sched_disable_balance": "maybe", "default_replication_num": 70000,
                           "ldap_pwd": ["a"]}, [frontend()])
    assert [text.split(":")[0] for text in done.findings] == [
        "tablet_sched_disable_balanse is no setting of a front end (did you mean tablet_sched_disable_balance?)",
        "QUERY_PORT is no setting of a front end (did you mean query_port?)",
        "nosuch is no setting of a front end",
        "query_port takes another value only with a restart (it is 9030 on fe1)",
        "tablet_sched_disable_balance", "default_replication_num", "ldap_pwd"]
    assert "write it into fe.conf" in done.findings[3]
    assert done.findings[5] == "default_replication_num: 70000 does not fit into 16 bits (its type is short)"
    assert "ldap_pwd: the value is a list" in done.findings[6]
    assert done.restart_required == ["query_port"]


def test_a_restart_may_be_only_reported():
    done = plan(FRONTEND, {"query_port": 9999, "default_replication_num": 1}, [frontend()], report_immutable=True)
    assert (done.findings, done.restart_required) == ([], ["query_port"])
    assert [pending.name for pending in done.pending] == ["default_replication_num"]


def test_force_sets_what_is_right_already_but_nothing_immutable():
    done = plan(FRONTEND, {"query_port": 9030, "disable_balance": False}, [frontend()], force=True)
    assert done.pending == [Pending("tablet_sched_disable_balance", "false", [])]
    assert (done.before, done.after) == ({}, {})


def test_one_setting_by_two_names():
    done = plan(FRONTEND, {"disable_balance": True, "tablet_sched_disable_balance": False}, [frontend()])
    assert done.findings == ["disable_balance and tablet_sched_disable_balance are one setting: keep one of them"]


def test_a_setting_that_one_version_lacks():
    newer = frontend("fe2")
    newer.settings["brand_new"] = Setting("brand_new", "1", "int", True)
    done = plan(FRONTEND, {"brand_new": 2}, [frontend("fe1"), newer])
    assert done.findings == ["brand_new is no setting of a front end on fe1"]


def test_the_name_that_all_versions_know():
    older = frontend_settings([shown("disable_balance", "false", "boolean")])
    nodes = [frontend("fe1"), NodeSettings("front end", "fe2", {}, older)]
    done = plan(FRONTEND, {"disable_balance": True}, nodes)
    assert [pending.name for pending in done.pending] == ["disable_balance"]


def test_a_back_end_shows_six_digits():
    node = NodeSettings("back end", "be1", {}, {"x": Setting("x", "0.123457", "double", True)})
    assert plan(BACKEND, {"x": 0.12345678}, [node]).pending == []
    assert plan(BACKEND, {"x": 0.123}, [node]).pending == [Pending("x", "0.123", [node])]
    exact = NodeSettings("front end", "fe1", {}, node.settings)
    assert plan(FRONTEND, {"x": 0.12345678}, [exact]).pending == [Pending("x", "0.12345678", [exact])]


def test_secrets_are_told_to_nobody():
    done = plan(FRONTEND, {"ldap_pwd": "new"}, [frontend()])
    assert done.before == {"fe1": {"ldap_pwd": "another value"}}
    assert done.after == {"fe1": {"ldap_pwd": "the given value"}}
    assert report([frontend()], done.names)[0]["settings"] == {"ldap_pwd": "********"}


def test_report():
    rows = report([frontend("fe1"), DEAD], {"tablet_sched_disable_balance": True, "default_replication_num": 1},
                  {"tablet_sched_disable_balance": True})
    assert rows == [
        {"host": "fe1", "error": None,
         "settings": {"tablet_sched_disable_balance": True, "default_replication_num": 3}},
        {"host": "fe9", "settings": None, "error": "it is not alive"}]


@pytest.mark.parametrize("name, found", [
    ("tablet_sched_disable_balance", "tablet_sched_disable_balance"),
    ("TABLET_sched_disable_balance", "tablet_sched_disable_balance"),
    ("tablet_shed_disable_balance", "tablet_sched_disable_balance"),
    ("qery_port", "query_port"),
    ("wholly_different", None),
])
def test_nearest(name, found):
    assert nearest(name, ["query_port", "tablet_sched_disable_balance"]) == found

