# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heartbeats: what a back end or compute node says to a front end that calls, and which ones it refuses.

The texts are those of starrocks.md section 1.7.
"""

import contextlib
import socket
import threading

from standin.thrift import types

SHUTTING_DOWN = "BE is shutting down"


class Refused(Exception):
    """The heartbeat is answered with INTERNAL_ERROR and this text."""


def is_own_address(address):
    """Say whether the address is one of this machine's: a socket can be bound to it."""
    with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def addresses_of(host):
    """The addresses of a name or address; none when it has none."""
    try:
        return {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def check_address(backend_ip, leader_host):
    """Refuse a heartbeat to an address that is not this machine's. Raises Refused."""
    found = addresses_of(backend_ip)
    if not found:
        raise Refused("FE saved address not match backend address")
    own = {address for address in found if is_own_address(address)}
    if not own:
        raise Refused("Unmatched backend ip")
    if own <= {"127.0.0.1", "::1"} and not any(map(is_own_address, addresses_of(leader_host))):
        raise Refused("FE heartbeat with localhost ip but BE is not deployed on the same machine")


class Handler:
    """The service HeartbeatService of one node."""

    def __init__(self, node):
        self.node = node
        self.leader = None
        self.epoch = 0
        self.shutting_down = False
        self.shutdown_seen = threading.Event()
        self._lock = threading.Lock()

    def heartbeat(self, master_info):
        """The one call of the service."""
        status = types.TStatus(status_code=types.TStatusCode.OK)
        with self._lock:
            try:
                self._check(master_info)
            except Refused as refusal:
                code = types.TStatusCode.INTERNAL_ERROR
                if self.shutting_down:
                    self.shutdown_seen.set()
                    if self.node.version >= "3.4":
                        code = types.TStatusCode.SHUTDOWN
                status = types.TStatus(status_code=code, error_msgs=[str(refusal)])
        return types.THeartbeatResult(status=status, backend_info=self._backend_info())

    def _check(self, info):
        """Accept the caller, belong to its cluster when belonging to none. Raises Refused."""
        if self.shutting_down:
            raise Refused(SHUTTING_DOWN)
        fault = self.node.config.fault("heartbeat_error", str)
        if fault:
            raise Refused(fault)
        self._check_kind(info)
        storage = self.node.storage
        if storage.cluster_id is not None and info.cluster_id is not None and storage.cluster_id != info.cluster_id:
            raise Refused("Unmatched cluster id")
        if info.backend_ip:
            check_address(info.backend_ip, info.network_address.hostname)
        if storage.token and info.token and storage.token != info.token:
            raise Refused("Unmatched token")
        leader = (info.network_address.hostname, info.network_address.port)
        if info.epoch < self.epoch:
            raise Refused("Out-dated epoch")
        if leader != self.leader:
            self.node.log.info("heartbeat_server.cpp:1", f"get a new leader {leader[0]}:{leader[1]}, "
                                                         f"epoch {info.epoch}")
        self.leader, self.epoch = leader, info.epoch
        if (storage.cluster_id, storage.token) != (info.cluster_id, info.token or ""):
            storage.claim(info.cluster_id, info.token or "")

    def _check_kind(self, info):
        if info.node_type is None:
            return
        called = "CN" if info.node_type == types.TNodeType.Compute else "BE"
        if called != self.node.kind.upper():
            raise Refused(f"expect to be {called} but actually {self.node.kind.upper()},Unmatched node type!")

    def _backend_info(self):
        """Who answers, refusals included."""
        node = self.node
        return types.TBackendInfo(
            be_port=node.ports["be_port"],
            http_port=node.ports["be_http_port"],
            be_rpc_port=-1,
            brpc_port=node.ports["brpc_port"],
            version=node.version.full,
            num_hardware_cores=node.cpu_cores,
            starlet_port=node.ports.get("starlet_port", 0),
            reboot_time=node.reboot_time,
            is_set_storage_path=bool(node.storage.media),
            mem_limit_bytes=node.memory_limit,
            arrow_flight_port=int(node.config.values.get("arrow_flight_port", -1)),
        )
