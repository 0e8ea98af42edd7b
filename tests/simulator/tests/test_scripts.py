# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of each version: options, exit statuses, pid files, JDK checks (starrocks.md section 4.1, 4.2, 0.20).

The scripts are the packed ones. What they start is a small program that writes a pid file and waits, and the JDK is
a script that says which version it is, but where a test is about the real one.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

SIMULATOR = pathlib.Path(__file__).resolve().parent.parent
NOBODY_PID = 4194303  # above what this kernel gives out by default

# Stands for lib/standin/java: shows what it was started with, then is a "java" with a pid file until a signal comes.
PROGRAM = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$LOG_DIR/arguments"
env > "$LOG_DIR/environment"
[[ -n $PROGRAM_STATUS ]] && exit "$PROGRAM_STATUS"
exec -a "java com.starrocks.StarRocksFE" /usr/bin/python3 -c '
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(15, b"java", 0, 0, 0)
path = os.path.join(os.environ["PID_DIR"], sys.argv[1])
if sys.argv[1] == "fe.pid":
    with open(path, "w") as file:
        file.write(str(os.getpid()))
signal.signal(signal.SIGUSR1, lambda *_: None if os.environ.get("DEAF") else sys.exit(0))
while True:
    signal.pause()
' "$1"
"""
BACKEND = """#!/usr/bin/python3
import os, signal, sys
with open(os.path.join(os.environ["PID_DIR"], "cn.pid" if "--cn" in sys.argv else "be.pid"), "w") as file:
    file.write("%d\\n" % os.getpid())
signal.signal(signal.SIGTERM, (lambda *_: None) if os.environ.get("DEAF") else (lambda *_: sys.exit(0)))
if os.environ.get("PROGRAM_STATUS"):
    sys.exit(int(os.environ["PROGRAM_STATUS"]))
while True:
    signal.pause()
"""
JDK = """#!/usr/bin/env bash
for argument in "$@"; do
    if [[ $argument == -version ]]; then
        echo 'openjdk version "{version}" 2024-01-16' >&2
    fi
done
"""


class Home:
    """An unpacked component, and the scripts in it."""

    def __init__(self, path):
        self.path = path
        self.log = path / "log"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(path), "LANG": "C"}

    def run(self, script, *arguments, **environment):
        """Run bin/SCRIPT; returns (exit status, standard output, standard error)."""
        result = subprocess.run([self.path / "bin" / script, *arguments], env={**self.environment, **environment},
                                capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        return result.returncode, result.stdout, result.stderr

    def pid(self, name):
        """The content of a pid file, once it is there."""
        for _attempt in range(100):
            path = self.path / "bin" / name
            if path.exists() and path.read_text().strip():
                return int(path.read_text())
            time.sleep(0.05)
        raise AssertionError(f"no {name}")

    def has(self, name):
        """Say whether a pid file exists."""
        return (self.path / "bin" / name).exists()

    def write_pid(self, name, pid):
        """Write a pid file."""
        (self.path / "bin" / name).write_text(str(pid))

    def started_with(self):
        """The arguments of the program that the script started."""
        return (self.log / "arguments").read_text().splitlines()


def alive(pid):
    """Say whether a process runs; a dead child that nobody waited for does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid, seconds=10):
    """Wait until a process has ended; returns whether it has."""
    for _attempt in range(seconds * 20):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="session")
def archive():
    """A function: the tarball of a version."""
    def path(version):
        return subprocess.run([sys.executable, SIMULATOR / "build", "--version", version], check=True,
                              capture_output=True, text=True).stdout.strip()
    return path


@pytest.fixture
def unpack(tmp_path, archive):
    """A function: a component of a version, unpacked, with a JDK of a version; all it started is ended after it."""
    def home(version, component, jdk="17.0.15"):
        subprocess.run(["tar", "-xzf", archive(version), "-C", tmp_path, "--strip-components=1"], check=True)
        path = tmp_path / component
        if component == "be":
            program = path / "lib" / "starrocks_be"
            program.write_text(BACKEND)
        else:
            program = path / "lib" / "standin" / "java"
            name = "fe.pid" if component == "fe" else "-"
            program.write_text(PROGRAM.replace('"$1"\n', f"{name}\n"))
        found = Home(path)
        if jdk:
            (tmp_path / "jdk" / "bin").mkdir(parents=True)
            for name in ("java", "javac"):
                (tmp_path / "jdk" / "bin" / name).write_text(JDK.format(version=jdk))
                (tmp_path / "jdk" / "bin" / name).chmod(0o755)
            found.environment["JAVA_HOME"] = str(tmp_path / "jdk")
        return found

    yield home
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            mine = str(tmp_path).encode() in (process / "environ").read_bytes()
        except OSError:
            continue
        if mine and int(process.name) != os.getpid():
            os.kill(int(process.name), signal.SIGKILL)


def configure(home, name, text):
    """Add lines to a configuration file."""
    with open(home.path / "conf" / name, "a", encoding="utf-8") as file:
        file.write(text)


# start_fe.sh

@pytest.mark.parametrize("version", ["2.5.22", "3.2.16", "3.5.0", "4.2.0"])
def test_fe_starts_and_stops(version, unpack):
    home = unpack(version, "fe")
    assert home.run("start_fe.sh", "--daemon")[0] == 0
    pid = home.pid("fe.pid")
    status, output, _errors = home.run("start_fe.sh", "--daemon")
    assert (status, output.splitlines()[-1]) == (1, f"Frontend running as process {pid}. Stop it first.")
    assert home.run("stop_fe.sh")[0] == 0
    assert gone(pid)
    assert not home.has("fe.pid")


def test_fe_daemon_returns_0_whatever_comes(unpack):
    home = unpack("3.5.0", "fe")
    assert home.run("start_fe.sh", "--daemon", PROGRAM_STATUS="3")[0] == 0


def test_fe_foreground_has_the_status_of_the_program(unpack):
    home = unpack("3.5.0", "fe")
    assert home.run("start_fe.sh", PROGRAM_STATUS="3")[0] == 3


@pytest.mark.parametrize(("option", "message"), [
    ("--bogus", "unrecognized option '--bogus'"),
    ("--help", "option '--helper' requires an argument"),
])
def test_fe_starts_in_spite_of_an_unknown_option(option, message, unpack):
    home = unpack("3.5.7", "fe")
    status, _output, errors = home.run("start_fe.sh", option, PROGRAM_STATUS="7")
    assert errors.strip() == f"{home.path}/bin/start_fe.sh: {message}"
    assert status == 7, "the program was not started"


@pytest.mark.parametrize(("arguments", "passed"), [
    (["--helper", "10.0.0.1:9010"], ["-helper", "10.0.0.1:9010"]),
    (["--host_type", "FQDN", "--helper", "a:1,b:2"], ["-host_type", "FQDN", "-helper", "a:1,b:2"]),
    (["--cluster_snapshot"], ["-cluster_snapshot"]),
])
def test_fe_options_reach_the_program(arguments, passed, unpack):
    home = unpack("3.5.0", "fe")
    home.run("start_fe.sh", *arguments, PROGRAM_STATUS="0")
    started = home.started_with()
    assert started[started.index("com.starrocks.StarRocksFE") + 1:] == passed


def test_fe_failpoint_needs_its_file(unpack):
    home = unpack("4.0.0", "fe")
    status, output, _errors = home.run("start_fe.sh", "--failpoint")
    assert (status, output) == (1, f"failpoint config file does not exist: {home.path}/conf/failpoint.btm\n")


@pytest.mark.parametrize(("version", "jdk", "status", "message"), [
    ("2.5.22", "1.8.0_292", 0, "Tips: current JDK version is 8, JDK 11 or 17 is highly recommended"),
    ("3.1.17", "1.8.0_292", 0, ""),
    ("3.1.17", "9.0.4", 255, "JDK 9 is not supported, please use JDK 8, 11 or 17"),
    ("3.2.16", "10.0.2", 255, "JDK 10 is not supported, please use JDK 8, 11 or 17"),
    ("3.3.15", "1.8.0_292", 255, "Error: JDK 8 is not supported, please use JDK version 11 or higher"),
    ("3.4.4", "11.0.22", 0, ""),
    ("3.5.0", "11.0.22", 255, "Error: JDK 11 is not supported, please use JDK version 17 or higher"),
    ("4.2.0", "11.0.22", 255, "Error: JDK 11 is not supported, please use JDK version 17 or higher"),
    ("4.2.0", "25.0.1", 0, ""),
])
def test_fe_jdk_floor(version, jdk, status, message, unpack):
    home = unpack(version, "fe", jdk)
    got, output, _errors = home.run("start_fe.sh", PROGRAM_STATUS="0")
    assert got == status
    assert output.startswith(message) if message else output == ""


def test_fe_without_a_jdk_there(unpack):
    home = unpack("3.5.7", "fe", jdk=None)
    result = home.run("start_fe.sh", "--daemon", JAVA_HOME="/nosuch")
    assert result[:2] == (255, "Error: JDK  is not supported, please use JDK version 17 or higher\n")


@pytest.mark.parametrize(("version", "status"), [("3.3.15", 1), ("3.4.4", 0)])
def test_fe_needs_javac_up_to_3_3(version, status, unpack, tmp_path):
    home = unpack(version, "fe")
    (tmp_path / "jdk" / "bin" / "javac").unlink()
    got, output, _errors = home.run("start_fe.sh", PROGRAM_STATUS="0")
    assert got == status
    assert ("pointing to a non-JDK path" in output) == bool(status)


@pytest.mark.parametrize(("version", "jdk", "settings", "taken"), [
    ("2.5.22", "1.8.0_292", "", "-Dplain"),
    ("2.5.22", "11.0.22", "", "-Dnine"),
    ("3.2.16", "11.0.22", "", "-Deleven"),
    ("3.2.16", "17.0.15", "", "-Dplain"),
    ("3.4.4", "11.0.22", "", "-Deleven"),
    ("3.4.4", "17.0.15", "", "-Dplain"),
    ("3.5.0", "17.0.15", "", "-Deleven"),
    ("3.5.0", "17.0.15", "JAVA_OPTS_FOR_JDK_11=\n", "-Dplain"),
    ("3.5.0", "17.0.15", "JAVA_OPTS_FOR_JDK_11=\nJAVA_OPTS=\n", "-Xmx8192m"),
])
def test_fe_choice_of_java_opts(version, jdk, settings, taken, unpack):
    home = unpack(version, "fe", jdk)
    configure(home, "fe.conf", 'JAVA_OPTS="-Dplain"\nJAVA_OPTS_FOR_JDK_9="-Dnine"\nJAVA_OPTS_FOR_JDK_11="-Deleven"\n'
              + settings)
    home.run("start_fe.sh", PROGRAM_STATUS="0")
    assert home.started_with()[0] == taken


def test_fe_uppercase_settings_are_evaluated_and_win(unpack, tmp_path):
    home = unpack("3.5.0", "fe")
    configure(home, "fe.conf", f'LOG_DIR  =  "{tmp_path}/elsewhere"\nPID_DIR={tmp_path}\nMY_SUM = $((1 + 2))\n'
                               'lower_case = $(touch "$STARROCKS_HOME/evaluated")\nJAVA_OPTS="-Da=${MY_SUM} -Db"')
    home.run("start_fe.sh", PROGRAM_STATUS="0", LOG_DIR="/nosuch")
    home.log = tmp_path / "elsewhere"
    assert home.started_with()[:2] == ["-Da=3", "-Db"]
    assert f"PID_DIR={tmp_path}\n" in (home.log / "environment").read_text()
    assert not (home.path / "evaluated").exists()


@pytest.mark.parametrize(("version", "made"), [("3.1.17", False), ("3.2.16", True), ("3.5.0", True)])
def test_fe_meta_dir_is_made_from_3_2_on(version, made, unpack, tmp_path):
    home = unpack(version, "fe")
    configure(home, "fe.conf", "meta_dir = ${STARROCKS_HOME}/../elsewhere/meta\n")
    home.run("start_fe.sh", PROGRAM_STATUS="0")
    assert (tmp_path / "elsewhere" / "meta").is_dir() == made


def test_fe_output_goes_to_fe_out_or_the_console(unpack):
    home = unpack("3.5.0", "fe")
    assert home.run("start_fe.sh", PROGRAM_STATUS="0")[1] == ""
    assert "start time: " in (home.log / "fe.out").read_text()
    assert "start time: " in home.run("start_fe.sh", "--logconsole", PROGRAM_STATUS="0")[1]
    assert "start time: " in home.run("start_fe.sh", PROGRAM_STATUS="0", SYS_LOG_TO_CONSOLE="1")[1]


@pytest.mark.parametrize(("version", "refused"), [("3.0.9", True), ("3.5.0", False)])
def test_fe_pid_of_another_program(version, refused, unpack):
    """Up to 3.0 any living process stops the start."""
    home = unpack(version, "fe")
    home.write_pid("fe.pid", os.getpid())
    assert home.run("start_fe.sh", PROGRAM_STATUS="5")[0] == (1 if refused else 5)


def test_real_jvm_judges_the_options(archive, tmp_path):
    """The flags of JDK 8 that 3.2 ships end the start on JDK 17; only fe.out says so."""
    java = shutil.which("java")
    assert java, "this test needs a JDK"
    subprocess.run(["tar", "-xzf", archive("3.2.16"), "-C", tmp_path, "--strip-components=1"], check=True)
    home = Home(tmp_path / "fe")
    home.environment["JAVA_HOME"] = str(pathlib.Path(os.path.realpath(java)).parent.parent)
    status, _output, _errors = home.run("start_fe.sh")
    assert status == 1
    assert "Unrecognized VM option" in (home.log / "fe.out").read_text()
    assert home.run("start_fe.sh", "--daemon")[0] == 0


# stop_fe.sh

@pytest.mark.parametrize("version", ["2.5.22", "3.5.0", "4.2.0"])
def test_fe_stop_without_pid_file(version, unpack):
    assert unpack(version, "fe").run("stop_fe.sh") == (0, "", "")


@pytest.mark.parametrize(("version", "status", "output", "kept"), [
    ("3.3.15", 0, "ERROR: pid process may not be fe. \n", True),
    ("3.4.4", 1, "ERROR: pid process may not be FE. \n", True),
    ("4.0.0", 1, "ERROR: pid process may not be FE. \n", True),
    ("4.1.0", 0, f"Process {NOBODY_PID} does not exist, removing stale pid file\n", False),
])
def test_fe_stop_with_a_stale_pid_file(version, status, output, kept, unpack):
    home = unpack(version, "fe")
    home.write_pid("fe.pid", NOBODY_PID)
    assert home.run("stop_fe.sh")[:2] == (status, output)
    assert home.has("fe.pid") == kept


@pytest.mark.parametrize(("version", "status", "output", "killed"), [
    ("3.3.15", 0, "ERROR: pid process may not be fe. \n", True),
    ("3.5.7", 1, "ERROR: pid process may not be FE. \n", False),
    ("4.2.0", 1, "ERROR: Process {pid} is not a Java process (comm: sleep)\n", False),
])
def test_fe_stop_with_the_pid_of_another_program(version, status, output, killed, unpack):
    home = unpack(version, "fe")
    # A process that its parent buries at once: kill -0 would still see a zombie.
    shell = subprocess.Popen(["bash", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    pid = int(shell.stdout.readline())
    try:
        home.write_pid("fe.pid", pid)
        got, text, _errors = home.run("stop_fe.sh")
        assert (got, text.startswith(output.format(pid=pid))) == (status, True), text
        assert gone(pid, 1) == killed
        assert home.has("fe.pid") != killed
    finally:
        subprocess.run(["kill", "-9", str(pid)], capture_output=True, check=False)
        shell.wait()


def test_fe_stop_says_what_it_waits_for_up_to_3_3(unpack):
    home = unpack("3.3.15", "fe")
    home.run("start_fe.sh", "--daemon")
    pid = home.pid("fe.pid")
    status, output, _errors = home.run("stop_fe.sh")
    assert status == 0
    assert output.endswith("stop java, and remove pid file. \n")
    assert not alive(pid)


def test_fe_graceful_stop_and_its_timeout(unpack):
    home = unpack("3.5.0", "fe")
    home.run("start_fe.sh", "--daemon", DEAF="1")
    pid = home.pid("fe.pid")
    result = home.run("stop_fe.sh", "-g", "--timeout", "1")
    assert result[:2] == (0, "graceful exit timeout, forced termination of the process\n")
    assert gone(pid)  # a signal is sent, not waited for
    home.run("start_fe.sh", "--daemon")
    pid = home.pid("fe.pid")
    assert home.run("stop_fe.sh", "--graceful") == (0, "", "")
    assert not alive(pid)


def test_fe_stop_help(unpack):
    status, output, _errors = unpack("3.5.7", "fe").run("stop_fe.sh", "--help")
    assert status == 0
    assert "send USER1 to FE process instead of SIGTERM" in output


def test_fe_version_puts_the_pid_file_aside(unpack):
    home = unpack("3.5.0", "fe")
    home.write_pid("fe.pid", 4711)
    home.log.mkdir()
    assert home.run("show_fe_version.sh", PROGRAM_STATUS="0")[0] == 0
    assert home.started_with() == ["com.starrocks.StarRocksFE", "-v"]
    assert home.pid("fe.pid") == 4711


# start_be.sh, start_cn.sh, stop_be.sh, stop_cn.sh

@pytest.mark.parametrize("kind", ["be", "cn"])
@pytest.mark.parametrize("version", ["2.5.22", "3.5.0", "4.2.0"])
def test_be_and_cn_start_and_stop(version, kind, unpack):
    home = unpack(version, "be")
    assert home.run(f"start_{kind}.sh", "--daemon")[0] == 0
    pid = home.pid(f"{kind}.pid")
    assert pathlib.Path(f"/proc/{pid}/comm").read_text() == "starrocks_be\n"
    status, output, _errors = home.run(f"start_{kind}.sh", "--daemon")
    assert (status, output.splitlines()[-1]) == (1, f"Backend running as process {pid}. Stop it first.")
    assert home.run(f"stop_{kind}.sh")[0] == 0
    assert gone(pid)
    assert not home.has(f"{kind}.pid")


def test_be_statuses(unpack):
    home = unpack("3.5.0", "be")
    assert home.run("start_be.sh", PROGRAM_STATUS="9")[0] == 9
    assert home.run("start_be.sh", "--daemon", PROGRAM_STATUS="9")[0] == 0


def test_be_start_backend_needs_its_execute_bit(unpack):
    home = unpack("3.5.0", "be")
    (home.path / "bin" / "start_backend.sh").chmod(0o644)
    assert home.run("start_be.sh", "--daemon")[0] == 126


def test_be_stale_pid_file_is_removed_at_the_start(unpack):
    home = unpack("3.5.0", "be")
    home.write_pid("be.pid", NOBODY_PID)
    assert home.run("start_be.sh", "--daemon")[0] == 0
    assert home.pid("be.pid") != NOBODY_PID


def test_be_java_home_is_optional(unpack):
    home = unpack("3.5.0", "be", jdk=None)
    status, output, _errors = home.run("start_be.sh", PROGRAM_STATUS="0")
    assert (status, output) == (
        0, "JAVA_HOME env not set. Functions or features that requires jni will not work at all.\n")


@pytest.mark.parametrize(("script", "version", "status", "output"), [
    ("stop_be.sh", "3.3.15", 1, "ERROR: pid process may not be be. \n"),
    ("stop_be.sh", "3.5.0", 1, "ERROR: pid process may not be BE\n"),
    ("stop_cn.sh", "3.5.0", 1, "ERROR: pid process may not be cn. \n"),
])
def test_be_stop_with_a_stale_pid_file(script, version, status, output, unpack):
    home = unpack(version, "be")
    name = script[5:7] + ".pid"
    home.write_pid(name, NOBODY_PID)
    assert home.run(script)[:2] == (status, output)
    assert home.has(name)


@pytest.mark.parametrize(("script", "version", "status"), [
    ("stop_be.sh", "3.5.0", 0), ("stop_cn.sh", "3.5.0", 1), ("stop_cn.sh", "3.5.7", 0), ("stop_cn.sh", "4.0.0", 0),
])
def test_be_stop_without_pid_file(script, version, status, unpack):
    home = unpack(version, "be")
    output = f"{home.path}/bin/cn.pid does not exist\n" if status else ""
    assert home.run(script) == (status, output, "")


@pytest.mark.parametrize(("version", "waits"), [("3.5.0", False), ("3.5.7", True)])
def test_cn_stop_waits_from_3_5_7_on(version, waits, unpack):
    home = unpack(version, "be")
    home.run("start_cn.sh", "--daemon", DEAF="1")
    pid = home.pid("cn.pid")
    if waits:
        result = home.run("stop_cn.sh", "--graceful", "--timeout", "1")
        assert result[:2] == (0, "graceful exit timeout, forced termination of the process\n")
    else:
        result = home.run("stop_cn.sh", "--graceful")
        assert result[:2] == (0, "stop starrocks_be using signal 15, and remove pid file. \n")
    assert gone(pid) if waits else alive(pid)
    assert not home.has("cn.pid")


def test_be_graceful_stop_with_timeout(unpack):
    home = unpack("3.4.4", "be")
    home.run("start_be.sh", "--daemon", DEAF="1")
    pid = home.pid("be.pid")
    result = home.run("stop_be.sh", "-g", "--timeout", "1")
    assert result[:2] == (0, "graceful exit timeout, forced termination of the process\n")
    assert not alive(pid)


# start_broker.sh, stop_broker.sh

def test_broker_starts_and_stops(unpack):
    home = unpack("3.5.0", "apache_hdfs_broker")
    name = "apache_hdfs_broker.pid"
    assert home.run("start_broker.sh", "--daemon")[0] == 0
    pid = home.pid(name)
    time.sleep(0.5)
    assert "-Xmx1024m" in home.started_with()
    status, output, _errors = home.run("start_broker.sh", "--daemon")
    assert (status, output) == (1, f"Broker running as process {pid}.  Stop it first.\n")
    assert home.run("stop_broker.sh")[:2] == (0, "stop java, and remove pid file. \n")
    assert gone(pid)
    assert not home.has(name)


def test_broker_in_the_foreground_hides_the_status(unpack):
    home = unpack("3.5.0", "apache_hdfs_broker")
    assert home.run("start_broker.sh", PROGRAM_STATUS="3") == (0, "", "")
    assert (home.path / "bin" / "apache_hdfs_broker.pid").read_text() == "\n"


def test_broker_needs_java_home(unpack):
    home = unpack("3.5.0", "apache_hdfs_broker", jdk=None)
    assert home.run("start_broker.sh", "--daemon")[:2] == (1, "Error: JAVA_HOME is not set.\n")


def test_broker_unknown_option(unpack):
    home = unpack("3.5.0", "apache_hdfs_broker")
    status, _output, errors = home.run("start_broker.sh", "--bogus")
    assert status == 1
    assert "ehco" in errors


def test_broker_stop_with_a_stale_pid_file(unpack):
    home = unpack("3.5.0", "apache_hdfs_broker")
    home.write_pid("apache_hdfs_broker.pid", NOBODY_PID)
    assert home.run("stop_broker.sh")[:2] == (0, "ERROR: pid process may not be fe. \n")
    assert home.has("apache_hdfs_broker.pid")
    (home.path / "bin" / "apache_hdfs_broker.pid").unlink()
    assert home.run("stop_broker.sh")[:2] == (0, "")
