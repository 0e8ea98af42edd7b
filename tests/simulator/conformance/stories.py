# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done while the files of folder cluster were recorded, step by step; ``cluster.py`` has the steps.

"line" compares what begins at these lines of the file; all other steps do what its notes and the printed lines say.
"""

SOCKET = "Socket is closed by peer."
REFUSED = "java.net.ConnectException: Connection refused"
NO_QUORUM = r"failed to begin txn after retried {} times! db = CloseSafeDatabase\{{db=\d+\}}"
UNKNOWN, FOLLOWER, LEADER = (f"notify new FE type transfer: {kind}" for kind in ("UNKNOWN", "FOLLOWER", "LEADER"))
ONLY = "127.0.0.1"


def exchanged(name, version):
    """Stop, exchange bin and lib, start."""
    return [("stop", name), ("use", name, version), ("start", name)]


STORIES = {
    "three": [
        ("make", "fe1", "fe", "3.4.4"), ("make", "fe2", "fe", "3.4.4"), ("make", "fe3", "fe", "3.4.4"),
        ("start", "fe1"), ("until", "fe1", "SHOW DATABASES", "Database", "_statistics_", "information_schema", "sys"),

        ("file", "20-multi-fe-join-3.4.4.txt"),
        ("line", 1, 9, 50, 91), ("rounds", 2),
        # The absent host is not known to be absent before its own fourth heartbeat.
        ("line", 131, 138, 195, 201),
        ("start", "fe2", "-helper", "10.99.0.11:9010"), ("line", 208),
        ("line", 248), ("start", "fe3", "-helper", "10.99.0.11:9010"),
        ("line", 254, 267, 280, 286, 301, 307),

        ("file", "21-drop-running-follower.txt"),
        ("says", "fe2", UNKNOWN), ("runs", "fe2"),
        ("skip", 6),  # asked 127.0.0.1 by mistake, as its first line says
        ("line", 10),
        ("line", 19), ("runs", "fe2"),

        # Between the files: fe2 came back with empty metadata, three back ends came.
        ("stop", "fe2"), ("wipe", "fe2"), ("sql", "fe1", 'ALTER SYSTEM ADD FOLLOWER "10.99.0.12:9010"'),
        ("start", "fe2", "-helper", "10.99.0.11:9010"),
        ("make", "be1", "be", "3.4.4"), ("make", "be2", "be", "3.4.4"), ("make", "be3", "be", "3.4.4"),
        ("launch", "be1"), ("launch", "be2"), ("launch", "be3"),
        ("sql", "fe1", 'ALTER SYSTEM ADD BACKEND "10.99.0.21:9050","10.99.0.22:9050","10.99.0.23:9050"'),

        ("file", "22-rolling-upgrade-3.4.4-to-3.5.0.txt"),
        ("line", 1, 5, 9, 13),
        ("stop", "fe3"), ("line", 19, 23, 27), ("use", "fe3", "3.5.0"), ("start", "fe3"), ("line", 31, 35, 39),
        *exchanged("fe2", "3.5.0"), ("line", 47, 51, 55),
        ("poll", "fe2"), ("rounds", 1), ("stop", "fe1"), ("leader", "fe3", "fe2", "fe3"),
        ("line", 61, 63, 67, 71, 73, 77, 81, 83, 87),          # the ghost of the old leader
        ("line", 91, 93, 97, 101, 103, 107), ("polled", SOCKET, REFUSED),
        ("use", "fe1", "3.5.0"), ("start", "fe1"), ("line", 181, 185, 189, 193, 253),

        ("file", "23-quorum-lost.txt"),
        ("stop", "fe1"), ("stop", "fe2"), ("line", 3, 9), ("exits", "fe3", 255),
        ("line", 17, 21, 25, 30),
        ("says", "fe3", NO_QUORUM.format(3)), ("says", "fe3", NO_QUORUM.format(2), "fe.warn.log"),
        ("says", "fe3", r"JournalWriter.writeOneBatch\(\):\d+\] failed to write batch, will abort current journal "
                        r"com.starrocks.journal.JournalTask@\w+ and commit", "fe.warn.log"),
        ("says", "fe3", r"JournalWriter.abortJournalTask\(\):\d+\] " + NO_QUORUM.format(3), "fe.warn.log"),

        ("file", "24-recover-and-downgrade.txt"),
        ("launch", "fe1"), ("closed", "fe1", 3), ("line", 2, 6), ("says", "fe1", UNKNOWN), ("runs", "fe1"),
        ("start", "fe2"), ("ready", "fe1"), ("start", "fe3"), ("leader", "fe2", "fe1", "fe2"), ("line", 17, 21, 25),
        *exchanged("fe3", "3.4.4"), ("says", "fe3", FOLLOWER), ("line", 31, 35, 39),
        *exchanged("fe1", "3.4.4"), ("line", 48, 52, 56),
        ("stop", "fe2"), ("leader", "fe3", "fe1", "fe3"), ("use", "fe2", "3.4.4"), ("start", "fe2"),
        ("line", 61, 65, 69, 73),

        ("file", "25-graceful-stop.txt"),
        ("poll", "fe1"), ("stop", "fe3", "SIGUSR1", 0, 18.5), ("leader", "fe2", "fe1", "fe2"),
        ("says", "fe3", f"{UNKNOWN}\n.*this node is DETACHED"), ("summary", 7, 8, 9), ("polled",),
    ],

    "up and down": [
        # The metadata of the recorded files of 3.5.7: two dead back ends, brokers that died a moment ago.
        ("make", ONLY, "fe", "3.5.7"), ("make", "127.0.0.2", "be", "3.5.7"), ("make", "127.0.0.3", "be", "3.5.7"),
        ("make", "127.0.0.5", "broker", "3.5.7"),
        ("launch", "127.0.0.2"), ("launch", "127.0.0.3"), ("launch", "127.0.0.5"), ("start", ONLY),
        ("sql", ONLY, 'ALTER SYSTEM ADD BACKEND "127.0.0.2:9050","127.0.0.3:9050"'),
        ("sql", ONLY, "CREATE DATABASE t"),
        ("until", ONLY, "SHOW BACKENDS", "TotalCapacity", "200.000 GB", "200.000 GB"),
        ("until", ONLY, "SHOW PROC '/backends'", "Alive", "true", "true"),
        ("stop", "127.0.0.2", "SIGKILL", -9), ("stop", "127.0.0.3", "SIGKILL", -9),
        ("until", ONLY, "SHOW BACKENDS", "StatusCode", "DISCONNECTED", "DISCONNECTED"),
        ("sql", ONLY, "ALTER SYSTEM ADD BROKER b1 '127.0.0.5:8000'"),
        ("sql", ONLY, "ALTER SYSTEM ADD BROKER `b 4` '127.0.0.5:8000'"),
        ("sql", ONLY, "ALTER SYSTEM ADD BROKER b5 'no-such-host.invalid:8000'"),
        ("until", ONLY, "SHOW BROKER", "Alive", "true", "true", "false"),
        ("stop", "127.0.0.5", "SIGKILL", -9), ("stop", ONLY),

        ("file", "30-meta-up-and-down.txt"),
        ("use", ONLY, "4.0.0"), ("start", ONLY), ("line", 2, 26, 38, 51, 65), ("files", ONLY, 71, 72, 73),
        *exchanged(ONLY, "4.1.0"), ("line", 75, 99, 111, 124, 138), ("files", ONLY, 144, 145, 146),
        *exchanged(ONLY, "4.2.0"), ("line", 148, 172, 184, 197, 211), ("files", ONLY, 217, 218, 219),
        *exchanged(ONLY, "4.1.0"), ("line", 221, 245, 257, 270, 284), ("files", ONLY, 290, 291, 292),
        *[step for version in ("4.0.0", "3.5.7") for step in [
            ("stop", ONLY, "SIGTERM", None), ("use", ONLY, version), ("fresh", ONLY), ("launch", ONLY),
            ("exits", ONLY, 255),
            ("says", ONLY, f"=====\n.*{UNKNOWN}\n.*{LEADER}\n"), ("says", ONLY, "StarRocksFE start failed", "fe.log"),
            ("says", ONLY, "java.lang.NullPointerException.*Partition.gsonPostProcess", "fe.log")]],
    ],
}
