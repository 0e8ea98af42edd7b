# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SQL modules cost, beside what people use without them.

One front end on a loopback address; the modules run on the same machine, without SSH, which would be added to both
sides alike. Each side is a task of a playbook, timed from its start to the start of the next one.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import trial

HERE = Path(__file__).resolve().parent
FOLDER = trial.ROOT / "build" / "bench" / "modules"
ADDRESS = "127.0.93.11"
QUERY_PORT = 9030
PYTHON = str(trial.ROOT / ".venv" / "bin" / "python")
BACK_ENDS = 100
ROUNDS = 5
# Carries community.mysql, which is thus to be had without Galaxy.
ANSIBLE_WHEEL = "ansible==12.3.0"

NODES = [{"host": f"127.0.94.{number}"} for number in range(1, BACK_ENDS + 1)]
REGISTER = {
    "name": "Register",
    "starrocks.cluster.starrocks_backend": {"login_hosts": [ADDRESS], "nodes": NODES, "wait": False},
}
# The usual case: a few nodes of a large cluster.
UNCHANGED = {
    "name": "Unchanged",
    "starrocks.cluster.starrocks_backend": {"login_hosts": [ADDRESS], "nodes": NODES[:3], "wait": False},
}
UNCHANGED_100 = {**REGISTER, "name": "Unchanged 100"}
PING = {"name": "Ping", "ansible.builtin.ping": {}}
LOOP = {
    "name": "Register in a loop",
    "community.mysql.mysql_query": {
        "login_host": ADDRESS,
        "login_port": QUERY_PORT,
        "login_user": "root",
        "query": 'ALTER SYSTEM ADD BACKEND "{{ item.host }}:9050"',
    },
    "loop": NODES,
}
TAKE_AWAY = {
    "name": "Take away",
    "starrocks.cluster.starrocks_backend": {"login_hosts": [ADDRESS], "nodes": NODES, "state": "absent"},
}


def community_mysql() -> Path:
    """A folder of collections that holds community.mysql; fetched once. Raises TrialError."""
    collections = FOLDER.parent / "collections"
    if not (collections / "ansible_collections" / "community" / "mysql").is_dir():
        with tempfile.TemporaryDirectory() as folder:
            trial.answer(PYTHON, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                         "--dest", folder, ANSIBLE_WHEEL)  # fmt: skip
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                wanted = [name for name in wheel.namelist() if name.startswith("ansible_collections/community/mysql/")]
                wheel.extractall(collections, wanted)
    return collections


@contextlib.contextmanager
def front_end(release: trial.Release) -> Iterator[None]:
    """A front end of a new cluster, root without a password, that answers at ADDRESS. Raises TrialError."""
    sys.path.insert(0, str(trial.SIMULATOR_BUILD.parent))
    import standin_nodes

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpacked = standin_nodes.unpack(release.version, folder / "release")
        home = folder / "fe"
        home.mkdir()
        settings = {"priority_networks": f"{ADDRESS}/32", "frontend_address": ADDRESS, "meta_dir": home / "meta"}
        node = standin_nodes.Node(unpacked, "fe", home, settings).start()
        try:
            node.wait_for_url(f"http://{ADDRESS}:8030/api/health")
            yield
        except standin_nodes.NodeError as error:
            raise trial.TrialError(str(error))
        finally:
            node.stop()


@contextlib.contextmanager
def overheard() -> Iterator[list[str]]:
    """The statements sent to the front end meanwhile, beyond the set-up of connections; there when it has ended.

    A connection begins with SET and SELECT @@version_comment. Needs root, see statements.py. Raises TrialError.
    """
    found: list[str] = []
    with trial.listening([PYTHON, HERE / "statements.py", str(QUERY_PORT), ADDRESS]) as heard:
        yield found
    found += [text for text in heard if not text.upper().startswith(("SET ", "SELECT @@VERSION_COMMENT"))]


def play(name: str, tasks: Sequence[dict[str, Any]], changed: int) -> dict[str, float]:
    """Run tasks; the median of each one's seconds by name. Raises TrialError when not so many changed something."""
    inventory = FOLDER / "inventory.json"
    local = {"ansible_connection": "local", "ansible_python_interpreter": PYTHON}
    inventory.write_text(json.dumps({"all": {"hosts": {"localhost": local}}}), encoding="utf-8")
    playbook = FOLDER / f"{name}.json"
    playbook.write_text(
        json.dumps([{"name": name, "hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
    )
    collections = f"{trial.ROOT / 'build'}:{community_mysql()}"
    played = trial.play(playbook, inventory, name, ANSIBLE_COLLECTIONS_PATH=collections)
    if played.changed != changed:
        raise trial.TrialError(f"{name}: {played.changed} tasks changed something instead of {changed}: see"
                               f" {trial.shown_path(FOLDER)}")  # fmt: skip
    seconds: dict[str, list[float]] = {}
    for task, one in played.task_seconds():
        seconds.setdefault(task, []).append(one)
    return {task: statistics.median(of_it) for task, of_it in seconds.items()}


def measure(release: trial.Release) -> dict[str, float]:
    """The figures of build/bench.json about modules. Raises TrialError.

    register_100_backends_vs_loop: the seconds of one call of starrocks_backend, divided by those of a loop over
    community.mysql.mysql_query. register_100_backends_statements: what the call sends beyond the set-up of its
    connection. unchanged_module_vs_ping: a call for three of 100 registered back ends that finds all of it done,
    divided by a ping; unchanged_100_vs_ping: a call for all 100; unchanged_module_statements: what the former sends.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with front_end(release):
        both = play("register", [REGISTER, TAKE_AWAY] * ROUNDS + [LOOP, TAKE_AWAY], changed=2 * ROUNDS + 2)
        with overheard() as registering:
            play("register-once", [REGISTER], changed=1)
        unchanged = play("unchanged", [PING, UNCHANGED, UNCHANGED_100] * 4 * ROUNDS, changed=0)
        with overheard() as looking:
            play("unchanged-once", [UNCHANGED], changed=0)
    return {
        "register_100_backends_seconds": round(both["Register"], 2),
        "register_100_backends_loop_seconds": round(both["Register in a loop"], 2),
        "register_100_backends_vs_loop": round(both["Register"] / both["Register in a loop"], 4),
        "register_100_backends_statements": len(registering),
        "unchanged_module_vs_ping": round(unchanged["Unchanged"] / unchanged["Ping"], 2),
        "unchanged_100_vs_ping": round(unchanged["Unchanged 100"] / unchanged["Ping"], 2),
        "unchanged_module_statements": len(looking),
    }
