# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A back end, compute node or broker of a few lines, for what a front end sees of nodes."""

import time

from fe_cluster import SIMULATOR  # noqa: F401  (puts the stand-in's modules on the path)
from standin import thrift

types = thrift.types


class Node:
    """A back end, compute node or broker that answers what it is told to."""

    def __init__(self, address, service=types.HeartbeatService, port=29050):
        self.address = address
        self.service = service
        self.port = port
        self.status = types.TStatusCode.OK
        self.message = None
        self.version = "3.5.0-0be11fd"
        self.starlet_port = 29070
        self.reboot_time = int(time.time()) - 100
        self.asked = []
        self._listener = None

    @property
    def member(self):
        return f"{self.address}:{self.port}"

    def up(self):
        self._listener = thrift.listen(self.address, self.port)
        thrift.serve(self.service, self, self._listener)
        return self

    def down(self):
        self._listener.shutdown(2)
        self._listener.close()

    def heartbeat(self, master_info):
        self.asked.append(master_info)
        return types.THeartbeatResult(
            status=types.TStatus(status_code=self.status, error_msgs=[self.message] if self.message else None),
            backend_info=types.TBackendInfo(be_port=9060, http_port=28040, brpc_port=8060, version=self.version,
                                            num_hardware_cores=4, reboot_time=self.reboot_time,
                                            starlet_port=self.starlet_port, mem_limit_bytes=8 * 1024 ** 3))

    def ping(self, request):
        self.asked.append(request)
        return types.TBrokerOperationStatus(statusCode=0)
