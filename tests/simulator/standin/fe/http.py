# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP port of a front end: probes, metrics, and what front ends ask of each other (section 4.4; transcript 12)."""

import base64
import json
import os
import re
import time
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standin import net
from standin.fe import metrics, settings, show, users, variables
from standin.fe.errors import SqlError
from standin.fe.state import frontend_named, java_order

_JSON = "application/json"
_HTML = "text/html"
_NOT_FOUND = "<!DOCTYPE html><html><head><title>StarRocks</title></head><body><h1>404 Not Found</h1></body></html>"


def compact(content):
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


class Server(ThreadingHTTPServer):
    """The http_port of one front end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, frontend):
        self.frontend = frontend
        self.address_family = net.family(address[0])
        self.address_family = net.family(address[0])
        super().__init__(address, _Request)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        """Requests are not logged."""

    def _send(self, body="", content_type=_HTML, status="200 OK", headers=()):
        """An answer with the headers in the order of the real one: these before the type, or in place of it."""
        data = body.encode()
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(data)}", *headers]
        if content_type:
            lines += [f"content-type: {content_type}", "connection: keep-alive"]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + data)

    @property
    def _frontend(self):
        return self.server.frontend

    @property
    def _state(self):
        return self._frontend.replica.state

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        handler = getattr(self, "_get" + re.sub(r"/_*", "_", url.path).rstrip("_"), None)
        if handler:
            handler(query)
        else:
            self._page()

    do_POST = do_GET

    # -- who asks ----------------------------------------------------------------------------------

    def _user(self):
        """The user of HTTP Basic, or None after a 401 was sent."""
        header = self.headers.get("Authorization", "")
        reason = "Need auth information."
        if header.startswith("Basic "):
            name, _, password = base64.b64decode(header[6:]).decode().partition(":")
            user = users.login_with_password(self._frontend.version, self._state, name, self.client_address[0],
                                             password)
            if user:
                return user
            reason = f"Access denied for {name}@{self.client_address[0]}"
        self._refusal = reason
        return None

    def _api_user(self):
        user = self._user()
        if not user:
            self._send(compact({"status": "FAILED", "code": "1", "msg": self._refusal, "message": self._refusal}),
                       status="401 Unauthorized", headers=['www-authenticate: Basic realm=""'])
        return user

    def _page(self):
        if self._user():
            expires = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 86400))
            self._send(_NOT_FOUND, None, "404 Not Found", [
                f"content-type: {_HTML}", f"set-cookie: STARROCKS_SESSION_ID={uuid.uuid4()}; Max-Age=86400; "
                f"Expires={expires}; Path=/; HTTPOnly", "connection: keep-alive"])
        else:
            self._send(f"Authentication Failed. <br/> {self._refusal}", status="401 Unauthorized",
                       headers=['www-authenticate: Basic realm=""'])

    def _from_member(self):
        """Only front ends, and the machine itself, may ask for metadata."""
        client = self.client_address[0]
        if net.is_local(client, self._frontend.host):
            return True
        for row in self._state["frontends"]:
            try:
                if client == net.resolve(row["host"]):
                    return True
            except net.Unresolvable:
                continue
        self._send("invalid client host.", status="400 Bad Request")
        return False

    # -- probes ------------------------------------------------------------------------------------

    def _get_api_health(self, _query):
        if self._frontend.exiting:
            self._send(compact({"status": "FAILED", "msg": "frontend is exiting"}), _JSON, "500 Internal Server Error")
            return
        nodes = self._state["backends"]
        if self._state["run_mode"] == "shared_data":
            nodes = nodes + self._state["compute_nodes"]
        content_type = f"{_JSON}; charset=UTF-8" if self._frontend.version >= "3.4" else _JSON
        self._send(compact({"online_backend_num": sum(node["alive"] for node in nodes),
                            "total_backend_num": len(nodes), "status": "OK"}), content_type)

    def _get_api_bootstrap(self, query):
        frontend, version = self._frontend, self._frontend.version
        answer = {"replayedJournalId": 0, "queryPort": 0, "rpcPort": 0, "feStartTime": 0}
        problem = self._bootstrap_problem(query)
        if not problem and query.get("token"):
            answer.update(replayedJournalId=0 if frontend.replica.leads else frontend.replica.journal_id,
                          queryPort=frontend.config.integer("query_port"), rpcPort=frontend.config.integer("rpc_port"),
                          feStartTime=frontend.start_time, feVersion=version.full)
        if version >= "3.4":
            answer["heapUsedPercent"] = 0.61 if "feVersion" in answer else 0.0
        if version >= "4.0":
            answer["cpuCores"] = os.cpu_count() if "feVersion" in answer else 0
            answer.update({"macAddress": "unknown"} if "feVersion" in answer else {})
        answer.update(status="FAILED" if problem else "OK", code="0", msg=problem or "Success", message="OK")
        self._send(compact(answer), _JSON)

    def _bootstrap_problem(self, query):
        """Why the heartbeat of a front end is refused (section 1.7, 4.4); None if it is not."""
        version = self._frontend.version
        replica = self._frontend.replica
        if not replica.ready or replica.silence > self._frontend.config.integer("meta_delay_toleration_second"):
            return "not ready"
        wrong_id = version < "3.3" and query.get("cluster_id", "") not in ("", str(self._state["cluster_id"]))
        wrong_token = query.get("token", self._state["token"]) != self._state["token"]
        if version >= "3.1":
            return "invalid parameter" if wrong_id or wrong_token else None
        if wrong_id:
            return f"invalid cluster id: {query['cluster_id']}"
        return f"invalid token: {query['token']}" if wrong_token else None

    def _get_metrics(self, _query):
        self._send(metrics.text(self._frontend), "text/plain")

    def _get_api_show_meta_info(self, query):
        if query.get("action") == "SHOW_DB_SIZE":
            self._send(compact(dict.fromkeys(java_order(list(self._state["databases"])), 0)), _JSON)
            return
        replica = self._frontend.replica
        number, modified = self._frontend.metadata.newest_image()
        leader = frontend_named(self._state, replica.known_leader)
        # The replication group's members but the leader; nobody knows them while it has no leader.
        others = {role: [row["host"] for row in self._state["frontends"] if row["role"] == role and row["joined"]
                         and leader and row["name"] != leader["name"]] for role in ("FOLLOWER", "OBSERVER")}
        info = {"role": replica.kind, "current_journal_id": str(replica.journal_id),
                "master": leader["host"] if leader else "unknown", "observer_nodes": ",".join(others["OBSERVER"]),
                "can_read": "false" if replica.leads else str(replica.ready).lower(),
                "is_ready": str(replica.ready).lower(), "last_checkpoint_version": str(number),
                "last_checkpoint_time": str(modified)}
        if others["FOLLOWER"]:
            info["electable_nodes"] = ",".join(others["FOLLOWER"])
        self._send(compact({key: info[key] for key in java_order(list(info))}), _JSON)

    def _get_api_show_proc(self, query):
        if self._api_user():
            try:
                table = show.proc(show.View(self._frontend), query.get("path", ""))
            except SqlError as error:
                self._send(error.message, status="400 Bad Request")
                return
            self._send(compact([dict(zip(table.columns, ["\\N" if cell is None else cell for cell in row]))
                                for row in table.rows]), _JSON)

    def _get_api_set_config(self, query):
        if self._api_user():
            answer = {"set": {}, "err": {}}
            for key, value in query.items():
                try:
                    settings.set_here(self._frontend.config, key, value)
                    answer["set"][key] = value
                except SqlError:
                    answer["err"][key] = f"[{value}]"
            self._send(compact(answer), _JSON)

    def _get_api_connection(self, _query):
        self._send("not valid parameter", status="400 Bad Request")

    def _get_variable(self, _query):
        if not self._user():
            self._page()
            return
        config = self._frontend.config
        values = [f"{key}={config.settings[key].value}" for key in java_order(list(config.settings))]
        variables_ = [f"{name}={value}" for name, value in sorted(variables.of(config, self._state).items())]
        self._send("<!DOCTYPE html><html><head><title>StarRocks</title></head><body><div><h2>Configure Info</h2><pre>"
                   + "\n".join(values) + "\n</pre><h2>Variable Info</h2><pre>" + "\n".join(variables_)
                   + "\n</pre></div></body></html>")

    # -- between front ends ------------------------------------------------------------------------

    def _get_role(self, query):
        if not query.get("host") or not query.get("port"):
            self._send(status="404 Not Found")
        elif self._from_member():
            row = next((row for row in self._state["frontends"]
                        if (row["host"], str(row["edit_log_port"])) == (query["host"], query["port"])), None)
            self._send(headers=[f"role: {row['role']}", f"name: {row['name']}"] if row else ["role: UNKNOWN"])

    def _get_version(self, _query):
        if self._from_member():
            text = self._frontend.metadata.read_text("VERSION")
            self._send(text, None, headers=["content-disposition: attachment; filename=VERSION",
                                            "Content-disposition: attachment; filename=VERSION",
                                            "connection: keep-alive", "content-type: application/octet-stream",
                                            f"X-Image-Size: {len(text)}"])

    def _get_check(self, _query):
        if self._from_member():
            self._send(content_type=None, headers=["content-type: text/html", f"token: {self._state['token']}",
                                                   "connection: keep-alive"])

    def _get_info(self, query):
        if self._from_member():
            number, _ = self._frontend.metadata.newest_image(query.get("subdir", ""))
            answer = {"imageJournalId": number}
            if self._frontend.version >= "3.3":
                answer["imageFormatVersion"] = "v2"
            self._send(compact(answer), _JSON)

    def _get_image(self, query):
        if self._from_member():
            try:
                image = self._frontend.metadata.read_image(int(query["version"]), query.get("subdir", ""))
                self._send(image, "application/octet-stream")
            except (KeyError, ValueError, OSError):
                self._send(status="404 Not Found")

    def _get_put(self, query):
        """The leader has a new image: fetch it from there."""
        if not self._from_member():
            return
        number, replica = int(query["version"]), self._frontend.replica
        if replica.leads:
            self._send("this node is master, reject image put", status="400 Bad Request")
        elif number > replica.journal_id:
            self._send("image version is bigger than local max journal id, reject image put", status="400 Bad Request")
        else:
            try:
                host = query.get("host") or self.client_address[0]
                self._frontend.images.fetch(host, number, query.get("subdir", ""))
            except OSError:
                self._send(status="500 Internal Server Error")
                return
            self._send()

    def _get_journal_id(self, _query):
        if self._from_member():
            self._send(headers=[f"id: {self._frontend.replica.journal_id}"])
