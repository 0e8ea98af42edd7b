# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rpc_port: statements that go to the leader, settings that go to everyone (section 3.5, 3.6).

What a client sees when the leader goes away is what the real one shows (section 0.3): the first statement finds a
broken connection, ``Socket is closed by peer.``; until another leader is known the next ones find nobody,
``java.net.ConnectException: Connection refused``.
"""

import socket
import threading
import time

from standin.fe import frames, settings, statements
from standin.fe.errors import SqlError
from standin.fe.replication import NotLeader
from standin.fe.show import Table

_CONNECT_TIMEOUT = 5     # seconds
_ANSWER_TIMEOUT = 310    # seconds: query_timeout and thrift_rpc_timeout_ms
_RETRY_TIME = 10         # seconds to wait for a leader that is just changing
_STRANGER = "Internal error processing forward"


def _java(error):
    """A socket's failure in the words of Java."""
    if isinstance(error, ConnectionRefusedError):
        return "java.net.ConnectException: Connection refused"
    if isinstance(error, socket.timeout):
        return "java.net.SocketTimeoutException: connect timed out"
    return f"java.net.SocketException: {error.strerror or error}"


class Forwarder:
    """Both sides of rpc_port."""

    def __init__(self, frontend):
        self.frontend = frontend
        self._lock = threading.Lock()
        self._idle = {}  # address -> open connections that nobody uses
        self._leader = None

    # -- asking ------------------------------------------------------------------------------------

    def forward(self, session, text):
        """Let the leader run a statement of this session."""
        replica = self.frontend.replica
        message = {"type": "statement", "sender": replica.name, "text": text, "user": session.user,
                   "host": session.host, "roles": session.active_roles, "database": session.database,
                   "variables": session.variables}
        deadline = time.monotonic() + _RETRY_TIME
        while True:
            address = replica.leader_address
            self._keep_to(address)
            reply = self._ask(address, message) if address else {"retry": True}
            if not reply.get("retry"):
                break
            if time.monotonic() > deadline:
                raise SqlError(f"com.sleepycat.je.rep.UnknownMasterException: (JE {self.frontend.version.je}) "
                               f"Could not determine master from helpers at:{self._helpers()}")
            time.sleep(0.1)
        if "error" in reply:
            raise SqlError(**reply["error"])
        self._wait_for(reply["journal_id"])
        table = reply["table"]
        return Table(table["columns"], table["rows"], table["types"]) if table else None

    def _helpers(self):
        return [f"/{row['host']}:{row['edit_log_port']}" for row in self.frontend.replica.state["frontends"]]

    def _wait_for(self, journal_id):
        """Until this front end has what the statement has changed."""
        replica = self.frontend.replica
        with replica.changed:
            deadline = time.monotonic() + 2
            while replica.journal_id < journal_id and time.monotonic() < deadline:
                replica.changed.wait(0.1)

    def _keep_to(self, leader):
        """Forget the connections to former leaders: they may have been restarted since, and lead again one day."""
        with self._lock:
            if leader and leader != self._leader:
                self._leader = leader
                for connection in (one for address in list(self._idle) for one in self._idle.pop(address)):
                    connection.close()

    def _ask(self, address, message):
        with self._lock:
            free = self._idle.setdefault(address, [])
            connection = free.pop() if free else None
        if connection is None:
            try:
                connection = socket.create_connection(address, _CONNECT_TIMEOUT)
                connection.settimeout(_ANSWER_TIMEOUT)
            except OSError as error:
                raise SqlError(_java(error)) from None
        try:
            frames.send(connection, message)
            reply = frames.receive(connection)
        except (OSError, EOFError):
            connection.close()
            raise SqlError("Socket is closed by peer.") from None
        with self._lock:
            self._idle.setdefault(address, []).append(connection)
        return reply

    def set_config(self, row, change):
        """Set a setting on another front end; returns None or what went wrong."""
        try:
            reply = self._ask((row["host"], row["rpc_port"]),
                              dict(change, type="set_config", sender=self.frontend.replica.name))
        except SqlError as error:
            return error.message
        return reply.get("error")

    def make_image(self, row, number, subdir):
        """Have another front end make an image; True if it did."""
        try:
            reply = self._ask((row["host"], row["rpc_port"]), {
                "type": "make_image", "sender": self.frontend.replica.name, "number": number, "subdir": subdir})
        except SqlError:
            return False
        return "error" not in reply

    # -- answering ---------------------------------------------------------------------------------

    def answer(self, message, _context):
        """One message of another front end."""
        members = [row["name"] for row in self.frontend.replica.state["frontends"]]
        if message["sender"] not in members:
            return {"error": SqlError(_STRANGER).packed()}
        if message["type"] == "set_config":
            try:
                settings.set_here(self.frontend.config, message["key"], message["value"], message["persistent"],
                                  message.get("user", "root"))
            except SqlError as error:
                return {"error": error.message}
            return {}
        if message["type"] == "make_image":
            if message["number"] > self.frontend.replica.journal_id:
                return {"error": f"can not find journal id: {message['number']}"}
            self.frontend.images.make(message["number"], message["subdir"])
            return {}
        session = statements.Session(self.frontend, message["user"], message["host"], message["database"],
                                     message["roles"], message["variables"])
        try:
            table = session.run_as_leader(message["text"])
        except NotLeader:
            return {"retry": True}
        except SqlError as error:
            return {"error": error.packed()}
        return {"table": table.packed() if table else None, "journal_id": self.frontend.replica.journal_id}
