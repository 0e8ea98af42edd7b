# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which state the transcripts were recorded: nodes to start, and what was done between statements.

A scene is one front end with the doubles around it, and the files recorded on it in their order.
"""

from dataclasses import dataclass, field

# Live doubles: kind and address. All else that the transcripts name was never there.
LIVE = [("be", "127.0.0.2"), ("be", "127.0.0.3"), ("cn", "127.0.0.4"), ("broker", "127.0.0.5")]


# All front ends ran in a container but those of 08b: it says whether ADMIN SET ... WITH PERSISTENT may be.
CONTAINER = {"in_container": "true"}


@dataclass
class Scene:
    """One recorded front end."""

    version: str
    folder: str
    files: list
    nodes: list = field(default_factory=lambda: list(LIVE))
    settings: dict = field(default_factory=dict)  # of the front end
    front_end_faults: dict = field(default_factory=lambda: dict(CONTAINER))
    # Whether the front end has the shipped fe.conf, and commands run beside it.
    shipped: bool = False
    # Whether no front end runs but those that the commands start.
    scripts: bool = False
    # of back ends and compute nodes: the recorded doubles ran no queries, and had no port for them
    faults: dict = field(default_factory=lambda: {"closed_port": "brpc_port"})
    # Statements that were run before the first file.
    before: list = field(default_factory=list)
    # (file, line) -> what was done before what stands there, line 0 for the start of the file: [(step, argument...)],
    # see replay.Replay.step_*. Heartbeats run every second, but from a "quiet" on only where a "tick" stands.
    steps: dict = field(default_factory=dict)


COMPARE = ["01-fresh.txt", "02-errors.txt", "03-add.txt", "04-show.txt", "05-decommission-drop.txt",
           "06-privileges.txt", "07-http.txt", "08-metrics.txt", "09-frontends.txt"]

SCENES = {
    f"compare-{version}": Scene(
        version, f"compare/{version}", COMPARE,
        # Recorded within the first minute, before the front end makes tables of its own, and before the back end that
        # 05 sends away had gone.
        settings={"statistic_manager_sleep_time_sec": "600", "alter_scheduler_interval_millisecond": "600000"},
        steps={("09-frontends.txt", 0): [("quiet",)]},
    )
    for version in ("3.3.15", "3.4.4", "3.5.0")
}

SCENES["3.5.0-nodes"] = Scene(
    "3.5.0", "3.5.0",
    ["01-show-fresh-cluster.txt", "02-backend-dead.txt", "03-compute-node-dead.txt", "04-backend-live.txt",
     "05-broker.txt", "06-decommission.txt"],
    # Recorded some minutes after the start: the front end has made its own database, then the first tables in it.
    settings={"statistic_manager_sleep_time_sec": "1", "table_keeper_interval_second": "600",
              # 06 was over before the back end that it sends away had gone.
              "alter_scheduler_interval_millisecond": "600000"},
    steps={
        ("02-backend-dead.txt", 0): [
            ("sql", "ADMIN SET FRONTEND CONFIG ('statistic_manager_sleep_time_sec'='600')"), ("quiet",),
        ],
        ("06-decommission.txt", 0): [
            ("sql", "ADMIN SET FRONTEND CONFIG ('table_keeper_interval_second'='1')"),
            ("database", "_statistics_", "TableNum", 3),
            ("sql", "ADMIN SET FRONTEND CONFIG ('table_keeper_interval_second'='600')"),
        ],
        ("04-backend-live.txt", 19): [("quick",)],
        ("05-broker.txt", 0): [("quiet",)],
        ("05-broker.txt", 64): [("quick",)],
    },
)
SCENES["3.5.0-drain"] = Scene(
    "3.5.0", "3.5.0",
    ["07b-decommission-drain-4-backends.txt", "08-admin-config.txt", "09-all-frontend-config.txt",
     "10-privileges.txt", "11-auth-errors.txt", "12-http.txt", "13-metrics-full.txt", "14-syntax-errors.txt",
     "15-backend-dies-and-returns.txt", "16-frontends-add-drop.txt", "17-dead-follower-quorum.txt"],
    nodes=[("be", f"127.0.0.{host}") for host in (2, 3, 10, 11)] + [("broker", "127.0.0.5")],
    before=['ALTER SYSTEM ADD BACKEND "127.0.0.2:9050","127.0.0.3:9050","127.0.0.10:9050","127.0.0.11:9050"'],
    # The statistics tables are there before 07b ends; 09 shows the defaults of the two settings.
    settings={"statistic_manager_sleep_time_sec": "1", "table_keeper_interval_second": "1"},
    steps={
        # The period of heartbeats also sets the pace of repair, and so of the drain.
        ("07b-decommission-drain-4-backends.txt", 34): [("quiet",)],
        ("08-admin-config.txt", 0): [
            ("sql", "ADMIN SET FRONTEND CONFIG ('statistic_manager_sleep_time_sec'='60')"),
            ("sql", "ADMIN SET FRONTEND CONFIG ('table_keeper_interval_second'='30')"),
        ],
        # Queries of the front end's own had found out that no back end runs any.
        ("10-privileges.txt", 109): [("try", "SELECT current_version()")] * 2,
        # 08 ends with the period of 5 s, which 09 shows.
        ("10-privileges.txt", 114): [("quick",), ("gone", "127.0.0.3")],
        ("15-backend-dies-and-returns.txt", 0): [
            ("sql", "ALTER SYSTEM ADD BROKER b1 '127.0.0.5:8000'"), ("quiet",), ("tick",),
        ],
        ("15-backend-dies-and-returns.txt", 1): [("kill", "127.0.0.11")],
        ("15-backend-dies-and-returns.txt", 150): [("start", "127.0.0.11", "3.5.1", "abcdef0")],
        ("15-backend-dies-and-returns.txt", 161): [
            ("fault", "127.0.0.10", "heartbeat_error", "double: heartbeat error"),
        ],
        ("15-backend-dies-and-returns.txt", 187): [("kill", "127.0.0.5")],
        ("16-frontends-add-drop.txt", 0): [("fault", "127.0.0.10", "heartbeat_error", ""), ("tick",)],
        ("16-frontends-add-drop.txt", 142): [("tick",)],
        ("17-dead-follower-quorum.txt", 32): [("tick",)],
    },
)


def later_scenes(version, *, late_start_time, statistics, shared_data, scripts):
    """The scenes of a folder recorded later, on one front end and one after another as below.

    late_start_time: whether 01 was recorded before the front end told its start time.
    statistics: whether it had made its statistics tables, and asked for more replicas of its others, by the end of 06.
    shared_data, scripts: whether the folder has 19 and 17, each recorded on a front end of its own.
    """
    def setting(name, value):
        return ("sql", f"ADMIN SET FRONTEND CONFIG ('{name}'='{value}')")

    yield f"{version}-nodes", Scene(
        version, version,
        ["01-show-fresh-cluster.txt", "02-backend-dead.txt", "03-compute-node-dead.txt", "04-backend-live.txt",
         "05-broker.txt", "06-decommission.txt", "08-admin-config.txt", "09-all-frontend-config.txt",
         "10-privileges.txt", "11-auth-errors.txt", "12-http.txt", "13-metrics-full.txt", "14-syntax-errors.txt",
         "16-frontends-add-drop.txt", "18-new-in-4.txt"],
        # 01 was recorded in the first seconds, before the front end made a database of its own.
        settings={"statistic_manager_sleep_time_sec": "600", "table_keeper_interval_second": "600"},
        front_end_faults={**CONTAINER, **({"late_start_time_seconds": "10"} if late_start_time else {})},
        steps={
            ("02-backend-dead.txt", 0): [
                ("quiet",), setting("statistic_manager_sleep_time_sec", 1), ("database", "_statistics_", "TableNum", 0),
                setting("statistic_manager_sleep_time_sec", 600),
            ],
            ("02-backend-dead.txt", 90): [("tick",)] * 4,
            ("02-backend-dead.txt", 211): [("tick",)] * 4,
            ("04-backend-live.txt", 19): [("quick",)],
            ("05-broker.txt", 0): [("quiet",)],
            ("05-broker.txt", 47): [("tick",)],
            ("05-broker.txt", 243): [("tick",)] * 3,
            # Two minutes after the query of 04, which is as long as failures are remembered, the front end had one of
            # its own: no back end could run it any more.
            ("06-decommission.txt", 0): [
                setting("black_host_history_sec", 1), ("forgotten",), setting("black_host_history_sec", 120),
                ("try", "SELECT current_version()"),
                setting("table_keeper_interval_second", 1), ("database", "_statistics_", "TableNum", 3),
                setting("table_keeper_interval_second", 600), ("quick",),
            ],
            ("06-decommission.txt", 55): [
                setting("statistic_manager_sleep_time_sec", 1), setting("table_keeper_interval_second", 1),
                ("database", "_statistics_", "TableNum", 10),
            ] if statistics else [],
            # 08 and 09 show the defaults.
            ("08-admin-config.txt", 0): [
                setting("statistic_manager_sleep_time_sec", 60), setting("table_keeper_interval_second", 30),
            ],
            # 08 ends with the period of 5 s, which 09 shows.
            ("10-privileges.txt", 0): [("quick",)],
            ("12-http.txt", 0): [setting("heartbeat_timeout_second", 5)],
            ("16-frontends-add-drop.txt", 0): [("quiet",)],
            ("16-frontends-add-drop.txt", 87): [("tick",)],
            ("18-new-in-4.txt", 0): [("tick",)],
        },
    )
    yield f"{version}-persistent", Scene(version, version, ["08b-config-persistent.txt"], nodes=[],
                                         front_end_faults={"in_container": "false"}, shipped=True)
    if scripts:
        yield f"{version}-scripts", Scene(version, version, ["17-fe-scripts.txt"], nodes=[], scripts=True)
    if shared_data:
        yield f"{version}-shared-data", Scene(
            version, version, ["19-shared-data.txt"], nodes=[("be", "127.0.0.2"), ("cn", "127.0.0.4")],
            # Recorded before the back end that leaves had gone.
            settings={"run_mode": "shared_data", "cloud_native_storage_type": "S3",
                      "alter_scheduler_interval_millisecond": "600000"})


SCENES.update(later_scenes("3.5.7", late_start_time=True, statistics=True, shared_data=False, scripts=True))
SCENES.update(later_scenes("4.0.0", late_start_time=False, statistics=True, shared_data=True, scripts=True))
SCENES.update(later_scenes("4.1.0", late_start_time=False, statistics=False, shared_data=True, scripts=False))
SCENES.update(later_scenes("4.2.0", late_start_time=False, statistics=True, shared_data=False, scripts=True))

# Statements that cannot be replayed: (folder, file, line) -> why. Kept as small as can be.
NOT_REPLAYED = {
    ("3.5.0", "07b-decommission-drain-4-backends.txt", 195): "figures of one moment in a repair that the recorded"
                                                             " doubles did not finish; 06 has the statement too",
    ("3.5.0", "15-backend-dies-and-returns.txt", 131): "as above",
    ("3.5.0", "12-http.txt", 161): "a web page with all settings and session variables, for eyes",
}
