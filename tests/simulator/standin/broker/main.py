# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker: answers the ping of front ends, and writes the log that a real one writes at its start."""

import os
import signal
import sys
import threading
import time

from standin.properties import properties
from standin.thrift import listen, serve, types

# Defaults of conf/apache_hdfs_broker.conf that this program uses (starrocks.md section 5.4).
DEFAULTS = {"broker_ipc_port": "8000", "sys_log_dir": "${BROKER_HOME}/log"}


class Handler:
    """The service TFileBrokerService, as far as front ends use it to see whether the broker lives."""

    @staticmethod
    def ping(request):
        return types.TBrokerOperationStatus(statusCode=types.TBrokerOperationStatusCode.OK)


class Log:
    """apache_hdfs_broker.log."""

    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        self._file = open(os.path.join(directory, "apache_hdfs_broker.log"), "a", encoding="utf-8", buffering=1)

    def write(self, level, text):
        now = time.time()
        self._file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))},{int(now % 1 * 1000):03d} "
                         f"{level} [main] [BrokerBootstrap.main] - {text}\n")


def main():
    """The program; returns its exit status."""
    home = os.environ["BROKER_HOME"]
    config = dict(DEFAULTS, **properties(os.path.join(home, "conf", "apache_hdfs_broker.conf")))
    faults = properties(os.path.join(home, "conf", "standin.conf"))
    log = Log(config["sys_log_dir"].replace("${BROKER_HOME}", home))
    log.write("INFO", "starting apache hdfs broker....")
    ending = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_arguments: ending.set())
    if faults.get("refuse_start"):
        log.write("ERROR", faults["refuse_start"])
        return 255
    if ending.wait(float(faults.get("start_delay_seconds") or 0)):
        return 143
    try:
        listener = listen(faults.get("listen_host") or "0.0.0.0", int(config["broker_ipc_port"]))
    except (OSError, ValueError) as error:
        log.write("ERROR", f"starting apache hdfs broker....failed: {error}")
        sys.stderr.write(f"{error}\n")
        return 255
    serve(types.TFileBrokerService, Handler(), listener)
    log.write("INFO", "starting apache hdfs broker....succeed")
    if not ending.wait(float(faults["die_after_seconds"]) if faults.get("die_after_seconds") else None):
        os.kill(os.getpid(), signal.SIGKILL)
    return 143  # as a JVM ends on SIGTERM
