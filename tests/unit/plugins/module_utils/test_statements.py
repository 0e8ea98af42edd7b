# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import time

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _statements as statements


@pytest.mark.parametrize('statement, expected', [
    (statements.add_frontend('FOLLOWER', '10.0.0.2', 9010), 'ALTER SYSTEM ADD FOLLOWER "10.0.0.2:9010"'),
    (statements.drop_frontend('OBSERVER', 'fe4', 9010), 'ALTER SYSTEM DROP OBSERVER "fe4:9010"'),
    (statements.add_nodes('BACKEND', [('10.0.0.1', 9050), ('fd00::1', 9051)]),
     'ALTER SYSTEM ADD BACKEND "10.0.0.1:9050", "[fd00::1]:9051"'),
    (statements.add_nodes('COMPUTE NODE', [('cn1', 9050)]), 'ALTER SYSTEM ADD COMPUTE NODE "cn1:9050"'),
    (statements.drop_nodes('BACKEND', [('10.0.0.1', 9050)]), 'ALTER SYSTEM DROP BACKEND "10.0.0.1:9050"'),
    (statements.drop_nodes('BACKEND', [('10.0.0.1', 9050)], force=True),
     'ALTER SYSTEM DROP BACKEND "10.0.0.1:9050" FORCE'),
    (statements.add_nodes(statements.broker_noun('b 4'), [('h', 8000)]), 'ALTER SYSTEM ADD BROKER "b 4" "h:8000"'),
    (statements.drop_all_brokers('b"1'), 'ALTER SYSTEM DROP ALL BROKER "b\\"1"'),
    (statements.decommission_backends([('a', 1), ('b', 2)]), 'ALTER SYSTEM DECOMMISSION BACKEND "a:1", "b:2"'),
    (statements.cancel_decommission_backends([('a', 1)]), 'CANCEL DECOMMISSION BACKEND "a:1"'),
])
def test_text(statement, expected):
    assert statement == expected


@pytest.mark.parametrize('text, expected', [
    ('plain', "'plain'"), ("it's", "'it\\'s'"), ('back\\slash', "'back\\\\slash'"), ('a\nb', "'a\\nb'"),
    ('say "x"', "'say \"x\"'"), ("'; DROP USER 'a", "'\\'; DROP USER \\'a'"), ('\u4e2d', "'\u4e2d'"), ('', "''"),
])
def test_quote(text, expected):
    assert statements.quote(text) == expected


def test_no_text_gets_out_of_its_quotes():
    """Whatever is quoted, the statement around it keeps its one string."""
    for hostile in ("'", "\\'", "\\", "''", "a\\\\'b", "*/ ; --", "'\\''", "\n;\n"):
        assert statements.skeleton("A %s B" % statements.quote(hostile)) == "A '' B"


def test_a_nul_is_refused():
    with pytest.raises(ValueError):
        statements.quote('a\0b')


@pytest.mark.parametrize('statement', [
    "SET PASSWORD FOR 'root'@'%' = PASSWORD('s3cr\\'et')",
    "CREATE USER 'u'@'%' IDENTIFIED BY 's3cr\\\\et'",
    "CREATE USER u IDENTIFIED /* here */ BY -- it comes\n 's3cret'",
    "SET PASSWORD FOR 'a=b'@'%' = '*s3cret'",
    "SET PASSWORD = 's3cret without an end",
    "SET query_timeout = 1, PASSWORD = PASSWORD('s3cret')",
    'CREATE ROUTINE LOAD d.j ON t FROM KAFKA ("property.sasl.jaas.config" = "x password=\\"s3cret\\"")',
    "SET PASSWORD = 's3cr*et'",
    'set password for root = password( "s3cr""et" )',
    "ALTER USER u IDENTIFIED BY PASSWORD '*s3cret'",
    "ALTER USER u IDENTIFIED WITH mysql_native_password AS 's3cret'",
    'CREATE STORAGE VOLUME v PROPERTIES ("aws.s3.secret_key" = "s3cret")',
    "LOAD LABEL l WITH BROKER b ('password' = 's3cret')",
    'CREATE EXTERNAL CATALOG c PROPERTIES ("azure.blob.shared_key"="s3cret", "x"="y")',
    'ADMIN SET FRONTEND CONFIG ("authentication_ldap_simple_bind_root_pwd" = "s3cret")',
    'LOAD LABEL l WITH BROKER b ("fs.azure.account.key.a.blob.core.windows.net" = "s3cret")',
    'LOAD LABEL l WITH BROKER b ("kerberos_keytab_content" = "s3cret")',
])
def test_secrets_are_hidden(statement):
    hidden = statements.hide_secrets(statement)
    assert 's3cr' not in hidden and statements.HIDDEN in hidden
    assert hidden.split()[0] == statement.split()[0]


@pytest.mark.parametrize('statement, found', [
    ("SET PASSWORD = PASSWORD('it\\'s')", ["it\\'s", "it's"]), ('SELECT 1', []),
    ("CREATE USER u IDENTIFIED BY 'a'; SET PASSWORD = 'b", ['a', 'b']),
    ('PROPERTIES ("x.password" = "a""b\\n", "user" = "c")', ['a""b\\n', 'a"b\n']),
])
def test_secrets_of_a_statement(statement, found):
    """As they are written and as they are meant."""
    assert statements.secrets_of(statement) == found


@pytest.mark.parametrize('statement, expected', [
    ('CREATE USER %s IDENTIFIED BY %s', [False, True]), ('SELECT 1', []), ("SELECT '0', %s", [False]),
    ('SET PASSWORD FOR %(user)s = PASSWORD( /* 100%% */ %(new)s)', [False, True]),
    ('PROPERTIES ("aws.s3.secret_key" = %s, "x" = %s)', [True, False]),
])
def test_secret_places_for_arguments(statement, expected):
    assert statements.secret_places(statement) == expected


@pytest.mark.parametrize('statement', [
    'ALTER SYSTEM ADD BACKEND "10.0.0.1:9050"', "SELECT 'password'", "SHOW PROC '/frontends'",
    "CREATE USER 'u'@'%' DEFAULT ROLE 'x'"])
def test_what_holds_no_secret_stays(statement):
    assert statements.hide_secrets(statement) == statement


@pytest.mark.parametrize('statement, expected', [
    ('SELECT 1', True), ('  select 1 ;', True), ('SHOW BACKENDS', True), ('(SELECT 1)', True), ('DESC t', True),
    ('/* c */ SELECT 1', True), ('-- c\nSHOW FRONTENDS', True), ('SELECT /*+ SET_VAR(x=1) */ 1', True),
    ("SELECT 'INSERT', `delete` FROM t", True), ('WITH a AS (SELECT 1) SELECT * FROM a', True),
    ("ADMIN SHOW FRONTEND CONFIG LIKE 'x'", True), ('EXPLAIN INSERT INTO t SELECT 1', True),
    ('EXPLAIN ANALYZE SELECT 1', True), ('SET query_timeout = 10', True), ('USE db', True),
    ('EXPLAIN ANALYZE INSERT INTO t SELECT 1', False), ('INSERT INTO t SELECT 1', False),
    ('WITH a AS (SELECT 1) DELETE FROM t USING a', False), ("SELECT 1 INTO OUTFILE 's3://x'", False),
    ("ADMIN SET FRONTEND CONFIG ('a'='b')", False), ('SET GLOBAL x = 1', False), ('SET @@global.x = 1', False),
    ("SET PASSWORD = PASSWORD('x')", False), ('SET DEFAULT ROLE ALL TO u', False), ('DROP TABLE t', False),
    ('/* SELECT */ DROP TABLE t', False), ('', False), ('CANCEL DECOMMISSION BACKEND "a:1"', False),
    ("SET query_timeout = 1, PASSWORD = PASSWORD('x')", False), ('SET ROLE DEFAULT', True), ('SET ROLE ALL', True),
    ('SHOW DELETE FROM db', True), ('SHOW CREATE TABLE t', True), ('KILL 1', False),
    ('SELECT 1 -- a\rINTO OUTFILE "x"', False), ('SELECT insert(a, 1, 2, b)', False),
])
def test_is_read_only(statement, expected):
    assert statements.is_read_only(statement) is expected


@pytest.mark.parametrize('statement, expected', [
    ('SELECT 1', True), ('SELECT 1;', True), ("SELECT ';'", True), ('SELECT 1 -- ; x', True), ('SELECT `a;b`', True),
    ('SELECT 1; DROP TABLE t', False), ('', False), (' ; ', False), ('-- only a comment', False),
    ('SELECT 1 # ; DROP TABLE t', False), ('SELECT 1 --; DROP TABLE t', True), ('SELECT `a; DROP TABLE t', False),
    ("SELECT 'a\\'; DROP TABLE t'", True), ("SELECT 'a; DROP TABLE t", False), ("SELECT 'a'''; DROP TABLE t", False),
    ('SELECT 1 -- a\r; DROP TABLE t', False), ('SELECT 1 -- a\r\n', True), ('SELECT 1 /* ; DROP TABLE t', False),
    ('SELECT 1 /*/ ; DROP TABLE t', False), ('SELECT 1 /**/', True),
    ("CREATE FUNCTION f(int) RETURNS int AS $$ def g(x):\n  return ';' # it's\n $$", True),
    ("-- c\ncreate or replace global function f() AS $$ ' $$; DROP TABLE t; -- '", False),
    ("CREATE FUNCTION f() AS $$ ; DROP TABLE t", False), ("SELECT $$ ' $$ -- ' ; DROP TABLE t", False),
    ("CREATE FUNCTION f$$() AS ';'", True),
])
def test_is_one_statement(statement, expected):
    assert statements.is_one_statement(statement) is expected


@pytest.mark.parametrize('statement, expected', [
    ('DROP TABLE t', True), ('/* c */ insert into t select 1', True), ("ADMIN SET FRONTEND CONFIG ('a'='b')", True),
    ('SET GLOBAL x = 1', True), ('SELECT insert(a, 1, 2, b)', False), ('SET x = 1', False), ('CALL f()', False),
    ('ADMIN SHOW FRONTEND CONFIG', False), ('', False),
])
def test_surely_changes(statement, expected):
    assert statements.surely_changes(statement) is expected


@pytest.mark.parametrize('statement, places', [
    ('SELECT %s, %s', [None, None]), ('SELECT %(a)s', ['a']), ('SELECT 100 %% 7', []), ('SELECT 1', []),
    ("SHOW TABLES LIKE 'a%%'", []), ('SELECT %(a b)s', ['a b']),
])
def test_places_for_arguments(statement, places):
    assert statements.placeholders(statement) == (places, [])


@pytest.mark.parametrize('statement, finding', [
    ("SELECT '%s'", 'stands within quotes'), ('SELECT "%(a)s"', 'stands within quotes'),
    ('SELECT 1 -- %s', 'or a comment'), ('SELECT /* %s */ 1', 'or a comment'), ('SELECT `%s`', 'stands within quotes'),
    ("SHOW TABLES LIKE 'a%'", 'write %% for a percent sign'), ('SELECT %d', 'neither %s nor %(name)s'),
])
def test_wrong_places_for_arguments(statement, finding):
    places, findings = statements.placeholders(statement)
    assert len(findings) == 1 and finding in findings[0]


@pytest.mark.parametrize('text', [
    'x' * 200000, 'password' * 20000, "\\'" * 50000, "PASSWORD '" + "a''" * 50000, '%(' * 50000, '/*' * 50000,
    '-' * 100000, '("' * 30000, 'CREATE FUNCTION ' + '$$' * 50000, '$ $$' * 30000, '%s' * 30000,
])
def test_hostile_texts_take_no_time(text):
    """Each of these once took, or would take, a time that grows with the square of the length."""
    started = time.process_time()
    statements.hide_secrets(text)
    statements.is_one_statement(text)
    statements.is_read_only(text)
    statements.placeholders(text)
    statements.secret_places(text)
    assert time.process_time() - started < 5
