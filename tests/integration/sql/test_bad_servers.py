# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that hang, close, drip, or speak something else: a plain error in time, and the next front end is asked."""

import concurrent.futures
import contextlib
import socket
import ssl
import subprocess
import threading
import time

import pytest
from conftest import run_module

CONNECT_TIMEOUT, READ_TIMEOUT = 1, 2

# A greeting of the MySQL protocol, then a login that is accepted.
CAPABILITIES = 0xF7FF
SSL = 0x0800  # CLIENT_SSL


def greeting(capabilities=CAPABILITIES):
    return (b"\x0a8.0.33\x00\x01\x00\x00\x00abcdefgh\x00" + capabilities.to_bytes(2, "little")
            + b"\x21\x02\x00\x08\x00\x15" + b"\x00" * 10 + b"abcdefghijkl\x00mysql_native_password\x00")


OK = b"\x00\x00\x00\x02\x00\x00\x00"
END = b"\xfe\x00\x00\x02\x00"


def packet(number, body):
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def hang(connection):
    connection.recv(1)


def close(connection):
    pass


def speak_ssh(connection):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    connection.recv(1)


def speak_http(connection):
    """As web servers do, it waits for a request."""
    connection.recv(1)


def drip(connection, data):
    for letter in data:
        connection.sendall(bytes([letter]))
        time.sleep(0.2)


def drip_a_greeting(connection):
    drip(connection, packet(0, greeting()))


def error_packet(errno, words):
    return b"\xff" + errno.to_bytes(2, "little") + b"#HY000" + words.encode()


def too_many_connections(connection):
    connection.sendall(packet(0, error_packet(1040, "Too many connections")))


def table(columns, rows):
    """The packets of a result, all of its values texts."""
    def text(value):
        return bytes([len(value)]) + value.encode()

    bodies = [bytes([len(columns)])]
    bodies += [text("def") + b"\x00" * 3 + text(name) * 2 + b"\x0c\x21\x00\xff\x00\x00\x00\xfd\x00\x00\x00\x00\x00"
               for name in columns]
    bodies += [END, *(b"".join(text(value) for value in row) for row in rows), END]
    return b"".join(packet(number, body) for number, body in enumerate(bodies, 1))


def answer_until_show(connection, comment="3.5.0-0be11fd"):
    """Answer what each session begins with; returns when something is to be shown."""
    while True:
        statement = connection.recv(4096)
        if b"SHOW" in statement or not statement:
            return
        answer = table(["@@version_comment"], [[comment]]) if b"version_comment" in statement else packet(1, OK)
        connection.sendall(answer)


def log_in(connection, comment="3.5.0-0be11fd"):
    connection.sendall(packet(0, greeting()))
    connection.recv(4096)
    connection.sendall(packet(2, OK))
    answer_until_show(connection, comment)


def be_another_server(comment):
    def behaviour(connection):
        log_in(connection, comment)
        connection.sendall(packet(1, error_packet(1064, "You have an error in your SQL syntax; check the manual")))
    return behaviour


def hang_after_login(connection):
    log_in(connection)
    connection.recv(1)


def close_within_an_answer(connection):
    log_in(connection)
    connection.sendall(packet(1, b"\x02")[:4])


def garbage_for_an_answer(connection):
    log_in(connection)
    connection.sendall(b"\x01\x00\x00\x01\x01\x00\x00\x00\x00garbage" * 5)


def drip_an_answer(connection):
    log_in(connection)
    drip(connection, table(["Name"], [["x" * 100]]))


def drip_rows_without_end(connection):
    log_in(connection)
    connection.sendall(table(["Name"], [])[:-len(packet(0, END))])
    for number in range(10000):
        connection.sendall(packet((number + 4) % 256, b"\x01x"))
        time.sleep(0.2)


def announce_a_huge_packet(connection):
    log_in(connection)
    connection.sendall(b"\xff\xff\xff\x01")
    drip(connection, b"x" * 1000)


def send_without_end(connection):
    log_in(connection)
    megabytes = b"\x00" * (1 << 20)
    for number in range(10000):
        connection.sendall(b"\xff\xff\xff" + bytes([(number + 1) % 256]) + megabytes * 15 + megabytes[1:])


@contextlib.contextmanager
def servers():
    """A function: a server on a free port that does one thing with each connection; returns host:port."""
    listeners = []

    def one(behaviour):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer(connection):
            with connection:
                try:
                    behaviour(connection)
                except OSError:
                    pass

        def loop():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        return "127.0.0.1:%d" % listener.getsockname()[1]

    yield one
    for listener in listeners:
        listener.close()


@pytest.fixture
def serve():
    with servers() as one:
        yield one


def look(tmp_path, address, **options):
    """starrocks_cluster_info of one server; returns (result, seconds)."""
    started = time.monotonic()
    result = run_module("starrocks_cluster_info", dict(
        dict(login_hosts=[address], subset=["frontends"], connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT),
        **options), tmp_path)
    return result, time.monotonic() - started


SILENT = "takes connections, but does not greet as a query_port does"


@pytest.mark.parametrize("behaviour, words", [
    (hang, SILENT), (close, SILENT), (speak_http, SILENT),
    (speak_ssh, "does not speak MySQL's protocol: its first bytes are b'SSH-2.0-OpenSSH"),
    (drip_a_greeting, "no complete answer within 1 s"),
    (too_many_connections, "Too many connections"),
])
def test_no_greeting(serve, tmp_path, behaviour, words):
    address = serve(behaviour)
    result, seconds = look(tmp_path, address)
    assert result["failed"] and f"no front end could be logged in to: {address}: " in result["msg"]
    assert words in result["msg"], result["msg"]
    assert "To do: " in result["msg"] and "Traceback" not in result["msg"] and seconds < CONNECT_TIMEOUT + 5


@pytest.mark.parametrize("comment, words", [
    ("MySQL Community Server - GPL", "it is not StarRocks, but says of itself: MySQL Community Server"),
    ("Doris version doris-2.1.0-rc11-6c5cbcd", "it is not StarRocks, but says of itself: Doris"),
    ("mariadb.org binary distribution", "it is not StarRocks"),
    ("Debian 12", "this is another MySQL server"),  # MariaDB as Debian packs it
    ("StarRocks version 2.4.5", "older than StarRocks 2.5"),
])
def test_another_server(serve, tmp_path, comment, words):
    address = serve(be_another_server(comment))
    result, seconds = look(tmp_path, address)
    assert result["failed"] and address in result["msg"] and words in result["msg"]
    assert seconds < 5  # an answer, nothing to try again


NO_ANSWERS = (hang_after_login, close_within_an_answer, garbage_for_an_answer, drip_an_answer, drip_rows_without_end,
              announce_a_huge_packet, send_without_end)


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    """Of each of NO_ANSWERS: (its address, result, seconds). All at the same time, as each is asked again for 10 s."""
    with servers() as one, concurrent.futures.ThreadPoolExecutor() as pool:
        addresses = [one(behaviour) for behaviour in NO_ANSWERS]
        folders = [tmp_path_factory.mktemp("look") for _ in NO_ANSWERS]
        return {behaviour: (address, *answer)
                for behaviour, address, answer in zip(NO_ANSWERS, addresses, pool.map(look, folders, addresses))}


@pytest.mark.parametrize("behaviour", NO_ANSWERS)
def test_no_answer(looks, behaviour):
    address, result, seconds = looks[behaviour]
    assert result["failed"] and address in result["msg"] and "SHOW" in result["msg"]
    # It is asked again for 10 s, in case that the leader changes.
    assert "Traceback" not in result["msg"] and seconds < 10 + 3 * READ_TIMEOUT + 10


def test_a_wait_ends_in_time_though_answers_may_take_longer(serve, tmp_path):
    """timeout counts, not read_timeout: the last look has connect_timeout for its answer."""
    started = time.monotonic()
    result = run_module("starrocks_wait", dict(
        login_hosts=[serve(hang_after_login)], connect_timeout=CONNECT_TIMEOUT, read_timeout=600, timeout=3,
        conditions=[dict(condition="leader")]), tmp_path)
    assert result["failed"] and "the conditions did not hold within 3 s" in result["msg"]
    assert "no complete answer within" in result["msg"] and time.monotonic() - started < 3 + 2 * CONNECT_TIMEOUT + 5


def test_they_count_as_no_answer(serve, tmp_path):
    silent, closing = serve(hang), serve(close)
    result = run_module("starrocks_cluster_info", dict(
        login_hosts=[silent, closing], connect_timeout=CONNECT_TIMEOUT, require_answer=False), tmp_path)
    assert not result.get("failed") and not result["answered"]
    assert [entry["host"] for entry in result["not_answering"]] == [silent, closing]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key) for the name localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key",
                    "-out", folder / "certificate"], check=True, capture_output=True)
    return str(folder / "certificate"), str(folder / "key")


@pytest.fixture
def with_tls(certificate):
    """A front end that demands TLS, and has no tables."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def behaviour(connection):
        connection.sendall(packet(0, greeting(CAPABILITIES | SSL)))
        connection.recv(36)  # the client's wish for TLS
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(packet(3, OK))
            answer_until_show(secured)
            columns = ["Name", "IP", "EditLogPort", "QueryPort", "Role", "Join", "Alive"]
            secured.sendall(table(columns, [["a", "10.0.0.1", "9010", "9030", "FOLLOWER", "true", "true"]]))
            secured.recv(1)
    return behaviour


@pytest.mark.parametrize("host, check_hostname, words", [
    ("localhost", None, ""), ("localhost", True, ""), ("127.0.0.1", False, ""),
    ("127.0.0.1", None, "[SSL: CERTIFICATE_"),
])
def test_tls(serve, tmp_path, with_tls, certificate, host, check_hostname, words):
    address = host + ":" + serve(with_tls).rpartition(":")[2]
    options = {} if check_hostname is None else {"check_hostname": check_hostname}
    result, _ = look(tmp_path, address, ca_cert=certificate[0], **options)
    if words:
        assert result["failed"] and words in result["msg"] and "To do: check ca_cert" in result["msg"]
    else:
        assert not result.get("failed") and result["frontends"][0]["host"] == "10.0.0.1"


def test_the_password_is_not_sent_where_tls_was_asked_for_and_is_not_there(serve, tmp_path, certificate):
    said = []

    def behaviour(connection):
        connection.sendall(packet(0, greeting()))
        said.append(connection.recv(4096))

    result, _ = look(tmp_path, serve(behaviour), ca_cert=certificate[0])
    assert result["failed"] and "it offers no TLS" in result["msg"] and said == [b""]


def test_an_option_file(serve, tmp_path, with_tls, certificate):
    """The connection from a file alone; nothing of the file is shown."""
    host, _, port = serve(with_tls).partition(":")
    path = tmp_path / "my.cnf"
    path.write_text(f"[client]\nhost = {host}\nport = {port}\nuser = admin\npassword = 'it''s'\n"
                    f"ssl-ca = {certificate[0]}\nssl-mode = VERIFY_CA\n", encoding="utf-8")
    options = {"config_file": str(path), "login_hosts": None}
    result, _ = look(tmp_path, None, **options)
    assert not result.get("failed") and result["answered_by"] == f"{host}:{port}"
