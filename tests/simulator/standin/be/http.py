# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP port of a back end or compute node: health, metrics, settings.

    GET  /api/health  /metrics  /varz
    POST /api/update_config?name=value
    GET  /standin/report    not StarRocks': what the stand-in's front end asks instead of waiting for the reports
                            that a real node sends (disks, settings), as JSON
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

METRICS = (
    # name, type, value from the node
    ("starrocks_be_process_mem_bytes", "gauge", lambda node: 268435456),
    ("starrocks_be_process_fd_num_used", "gauge", lambda node: 64),
    ("starrocks_be_process_thread_num", "gauge", lambda node: threading.active_count()),
    ("starrocks_be_fragment_requests_total", "counter", lambda node: 0),
    ("starrocks_be_query_scan_bytes_per_second", "gauge", lambda node: 0),
)
DISK_METRICS = (
    ("starrocks_be_disks_total_capacity", "total"),
    ("starrocks_be_disks_avail_capacity", "available"),
    ("starrocks_be_disks_data_used_capacity", "data_used"),
)


def metrics_text(node):
    """The metrics in Prometheus' text form."""
    lines = []
    for name, kind, value in METRICS:
        lines += [f"# TYPE {name} {kind}", f"{name} {value(node)}"]
    disks = node.disks()
    for name, key in DISK_METRICS if disks else ():
        lines.append(f"# TYPE {name} gauge")
        lines += [f'{name}{{path="{disk["root_path"]}"}} {disk[key]}' for disk in disks]
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    """Answers for the node that the server carries."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "brpc", ""

    def _answer(self, text, content_type="text/plain", status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        node = self.server.node
        path = urlsplit(self.path).path
        if path == "/api/health":
            self._answer('{"status": "OK","msg": "To Be Added"}', "application/json")
        elif path == "/metrics":
            self._answer(metrics_text(node))
        elif path == "/varz":
            self._answer("".join(f"{name}={value}\n" for name, value in sorted(node.config.values.items())))
        elif path == "/standin/report":
            report = {"disks": node.disks(), "configs": node.config.describe()}
            self._answer(json.dumps(report), "application/json")
        else:
            self._answer("Not Found\n", status=404)

    def do_POST(self):
        split = urlsplit(self.path)
        if split.path != "/api/update_config":
            self._answer("Not Found\n", status=404)
            return
        error = "Bad request: no setting given"
        for name, value in parse_qsl(split.query, keep_blank_values=True):
            reason = self.server.node.config.set(name, value)
            error = reason and f"set {name}={value} failed, reason: {reason}"
            if error:
                break
        answer = {"status": "BAD", "msg": error} if error else {"status": "OK", "msg": ""}
        self._answer(json.dumps(answer), "application/json")

    def log_message(self, *_arguments):
        """Requests are not logged."""


def serve(node, listener):
    """Answer on a listening socket by threads of their own, as long as the process lives."""
    server = ThreadingHTTPServer(listener.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.node = node
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="http-server").start()
