# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster of real processes on loopback addresses, and the modules run against it as Ansible runs them.

The release comes from tests/simulator/build, or from the tarball that STARROCKS_ARCHIVE names. Nodes are started by
the scripts of the release alone.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pymysql
import pytest
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import TELL_ARGUMENTS

ROOT = pathlib.Path(__file__).resolve().parents[3]
# Where this collection lies as Ansible looks for it: build/ in the checkout, elsewhere under ansible-test.
COLLECTIONS = next(path for path in sys.path if pathlib.Path(path, "ansible_collections/starrocks/cluster").is_dir())
MODULES = "ansible_collections.starrocks.cluster.plugins.modules."
# What makes a module tell its arguments: from 2.21 on it is asked to with -vvv alone, before it does so always.
PASSWORD = "it's \"secret\" \\ enough"

# Each node has an address of its own in 127.0.0.0/8, so that one machine holds a cluster with one set of ports, and
# each run a network of its own, so that several can go on at once.
NETWORK = f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}."
# A broker listens on all addresses of the machine.
BROKER_PORT = 20000 + os.getpid() % 10000


def address(number):
    return f"{NETWORK}{number}"


class Node:
    """One process of the cluster, with a home of its own."""

    SCRIPTS = {"fe": ("fe", "start_fe.sh", "fe.conf"), "be": ("be", "start_be.sh", "be.conf"),
               "cn": ("be", "start_cn.sh", "cn.conf"),
               "broker": ("apache_hdfs_broker", "start_broker.sh", "apache_hdfs_broker.conf")}

    # Words before the start script, such as those of a program that runs it in surroundings of its own.
    before = ()

    def __init__(self, release, kind, number, folder, **settings):
        component, self.script, config = self.SCRIPTS[kind]
        self.kind = kind
        self.host = address(number)
        self.home = folder / f"{kind}{number}"
        self.process = None
        subprocess.run(["cp", "-r", release / component, self.home], check=True)
        with open(self.home / "conf" / config, "a", encoding="utf-8") as file:
            file.write("\n" + "".join(f"{key} = {value}\n" for key, value in {**self.settings(), **settings}.items()))
        (self.home / "meta").mkdir(exist_ok=True)
        (self.home / "storage").mkdir(exist_ok=True)

    def settings(self):
        network = {"priority_networks": f"{self.host}/32"}
        return {
            "fe": {**network, "frontend_address": self.host, "meta_dir": self.home / "meta",
                   "heartbeat_timeout_second": 1, "JAVA_OPTS": '"-Xmx1g"', "JAVA_OPTS_FOR_JDK_9": '"-Xmx1g"'},
            "be": {**network, "storage_root_path": self.home / "storage", "min_file_descriptor_number": 256},
            "cn": {**network, "storage_root_path": self.home / "storage", "min_file_descriptor_number": 256},
            "broker": {"broker_ipc_port": BROKER_PORT},
        }[self.kind]

    def start(self, *arguments):
        environment = dict(os.environ, JAVA_HOME=str(pathlib.Path(shutil.which("java")).resolve().parents[1]))
        with open(self.home / "out", "ab") as out:
            self.process = subprocess.Popen([*self.before, self.home / "bin" / self.script, *arguments],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment,
                                            start_new_session=True)
        return self

    def stop(self):
        """Kill the process as a power cut would."""
        if self.process is not None:
            subprocess.run(["kill", "-KILL", "--", f"-{self.process.pid}"], check=False, stderr=subprocess.DEVNULL)
            self.process.wait(30)
            self.process = None

    def wait_for_port(self, port, seconds=40):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                pymysql.connect(host=self.host, port=port, user="root", password=PASSWORD, connect_timeout=2).close()
                return self
            except pymysql.err.OperationalError as error:
                if error.args[0] == 1045:  # ready, and another password is wanted
                    return self
            assert self.process.poll() is None, self.told()
            time.sleep(0.1)
        raise AssertionError(f"{self.host}:{port} does not answer: {self.told()}")

    def told(self):
        """The end of what the process wrote, wherever it did."""
        texts = [path.read_text(encoding="utf-8", errors="replace")
                 for path in (self.home / "out", *(self.home / "log").glob("*.out")) if path.exists()]
        return "".join(texts)[-2000:]


def run_module(module, arguments, folder):
    """Run a module as Ansible does, in a process of its own; returns its result without the arguments."""
    path = folder / "arguments.json"
    path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), encoding="utf-8")
    environment = dict(os.environ, PYTHONPATH=COLLECTIONS)
    done = subprocess.run([sys.executable, "-m", MODULES + module, path], capture_output=True, text=True,
                          env=environment, timeout=300, check=False)
    assert done.stdout.strip(), done.stderr
    result = json.loads(done.stdout)
    result["seen_arguments"] = result.pop("invocation", None)
    return result


def run_ansible(command, folder, environment=None, timeout=120):
    """Run one of Ansible's programs in ``folder`` with this collection; returns the finished process."""
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                 "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "2000",
                 **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=variables, timeout=timeout,
                          check=False)


def texts_in(value):
    """All texts in a result, keys too, one per line."""
    if isinstance(value, dict):
        return "\n".join(f"{key}\n{texts_in(one)}" for key, one in value.items())
    if isinstance(value, list):
        return "\n".join(texts_in(one) for one in value)
    return str(value)


class Cluster:
    """Nodes of one release in one folder."""

    def __init__(self, release, folder, first):
        self.release = release
        self.folder = folder
        self.first = address(first)
        self.nodes = []
        self.password = ""

    def node(self, kind, number, **settings):
        """A node that is not started yet; ``settings`` are for its configuration file."""
        made = Node(self.release, kind, number, self.folder, **settings)
        self.nodes.append(made)
        return made

    def stop(self):
        for node in self.nodes:
            node.stop()

    def ask(self, statement, host=None):
        """What the server itself says: a list of dicts."""
        connection = pymysql.connect(host=host or self.first, port=9030, user="root", password=self.password,
                                     cursorclass=pymysql.cursors.DictCursor, read_timeout=60)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def run(self, module, check=False, /, **arguments):
        """Run a module as Ansible does, in a process of its own; returns its result."""
        arguments.setdefault("login_hosts", [self.first])
        arguments.setdefault("login_password", self.password)
        arguments.update(_ansible_check_mode=check, _ansible_diff=True, **TELL_ARGUMENTS)
        result = run_module(module, arguments, self.folder)
        assert not self.password or self.password not in texts_in(result)
        return result

    def succeed(self, module, check=False, /, **arguments):
        result = self.run(module, check, **arguments)
        assert not result.get("failed"), result["msg"]
        return result

    def by_law(self, module, listing, statements, /, **arguments):
        """Check mode changes nothing, the real call runs ``statements``, a second call runs none.

        ``listing()`` is what the server is asked in between. Returns the result of the real call.
        """
        before = listing()
        tried = self.succeed(module, True, **arguments)
        assert (tried["changed"], tried["queries"]) == (True, statements)
        assert listing() == before
        done = self.succeed(module, **arguments)
        assert (done["changed"], done["queries"], done["diff"]) == (True, statements, tried["diff"])
        after = listing()
        assert after != before
        again = self.succeed(module, **arguments)
        assert (again["changed"], again["queries"]) == (False, [])
        assert listing() == after
        return done


def unpack(version, folder):
    archive = os.environ.get("STARROCKS_ARCHIVE")
    if not archive:
        archive = subprocess.run([sys.executable, ROOT / "tests" / "simulator" / "build", "--version", version],
                                 check=True, capture_output=True, text=True).stdout.split()[-1]
    subprocess.run(["tar", "--extract", "--gzip", f"--file={archive}", f"--directory={folder}",
                    "--strip-components=1"], check=True)
    return folder


def founded(version, folder, first, **settings):
    """A cluster of one front end, the ``first``, with ``settings`` in its fe.conf; root has no password."""
    release = folder / "release"
    release.mkdir()
    cluster = Cluster(unpack(version, release), folder, first)
    cluster.node("fe", first, **settings).start().wait_for_port(9030)
    return cluster


def secured(cluster):
    """The cluster, with a password for root."""
    cluster.ask("SET PASSWORD FOR 'root'@'%%' = PASSWORD('%s')" % PASSWORD.replace("\\", "\\\\").replace("'", "\\'"))
    cluster.password = PASSWORD
    return cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A 3.5.0 cluster of one front end, with a password for root."""
    made = founded("3.5.0", tmp_path_factory.mktemp("cluster"), 11)
    try:
        yield secured(made)
    finally:
        made.stop()


@pytest.fixture
def new_cluster(tmp_path):
    """A function: a cluster of one front end of a version, with settings in its fe.conf; ended after the test."""
    made = []

    def found(version, **settings):
        made.append(founded(version, tmp_path, 10, **settings))
        return made[-1]

    yield found
    for cluster in made:
        cluster.stop()
