# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house's own checks find what they are for."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
import yaml

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

import check_argument_specs  # noqa: E402
import check_machine_paths  # noqa: E402
import make_reference  # noqa: E402


def load_driver() -> ModuleType:
    """tests/run as a module; it has no ending that Python knows."""
    loader = importlib.machinery.SourceFileLoader("driver_of_stages", str(TOOLS.parent / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module  # dataclasses look their module up
    loader.exec_module(module)
    return module


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tests/run, with its logs and working folder in tmp_path."""
    module = load_driver()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOGS", tmp_path / "build" / "logs")
    return module


def role(folder: Path, defaults: dict[str, object], options: dict[str, dict[str, object]]) -> Path:
    for name, content in {
        "defaults/main.yml": defaults,
        "meta/argument_specs.yml": {"argument_specs": {"main": {"options": options}}},
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


PORT = {"type": "int", "description": "A port.", "default": 9030}


@pytest.mark.parametrize(
    ("defaults", "options", "expected"),
    [
        ({"starrocks_port": 9030}, {"starrocks_port": PORT}, []),
        ({}, {"starrocks_port": PORT}, ["none in defaults/main.yml"]),
        ({"starrocks_port": 9030}, {}, ["not in meta/argument_specs.yml"]),
        ({"starrocks_port": 9031}, {"starrocks_port": PORT}, ["9031 in defaults/main.yml, 9030 in meta"]),
        ({"starrocks_on": 1}, {"starrocks_on": {"type": "bool", "description": "On.", "default": True}}, ["1 in def"]),
        ({"starrocks_port": 9030}, {"starrocks_port": {"type": "int", "description": "A port."}}, ["none in meta"]),
        ({"starrocks_port": True}, {"starrocks_port": {**PORT, "default": True}}, ["is not of type int"]),
        ({"starrocks_port": "{{ p }}"}, {"starrocks_port": {**PORT, "default": "{{ p }}"}}, []),
        ({"starrocks_port": 9030}, {"starrocks_port": {**PORT, "choices": [1, 2]}}, ["none of [1, 2]"]),
        ({"port": 9030}, {"port": {"default": 9030}}, ["begin with starrocks_", "has no type", "has no description"]),
    ],
)
def test_argument_specs(
    tmp_path: Path, defaults: dict[str, object], options: dict[str, dict[str, object]], expected: list[str]
) -> None:
    findings = list(check_argument_specs.findings_of_role(role(tmp_path / "fe", defaults, options)))
    assert len(findings) == len(expected)
    for finding, part in zip(findings, expected, strict=True):
        assert part in finding


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("path: /" + "work/main/x", True),
        ("python: /" + "root/.pyenv/shims/python", True),
        ("-----BEGIN OPENSSH " + "PRIVATE KEY-----", True),
        ("key: /root/.ssh/id_ed25519", False),
        ("dest: /opt/starrocks", False),
    ],
)
def test_machine_paths(line: str, found: bool) -> None:
    assert bool(check_machine_paths.patterns().search(line)) is found


@pytest.mark.parametrize(
    ("markup", "markdown"),
    [
        ("See O(nodes[].host) and V(true).", "See `nodes[].host` and `true`."),
        ("M(starrocks.cluster.starrocks_backend)", "[starrocks.cluster.starrocks_backend](starrocks_backend.md)"),
        ("B(never) < 2 * 3", r"**never** &lt; 2 \* 3"),
        ("C(a`b)", "``a`b``"),
    ],
)
def test_markup(markup: str, markdown: str) -> None:
    assert make_reference.one_line(markup) == markdown


def test_wrong_markup_is_an_error() -> None:
    with pytest.raises(ValueError):
        make_reference.one_line("O(")


def test_nested_options_are_named_by_their_path() -> None:
    options = {"nodes": {"type": "list", "suboptions": {"host": {"type": "str"}}}}
    assert [name for name, _ in make_reference.nested(options, "suboptions")] == ["nodes", "nodes.host"]


def test_driver_counts_and_shows_the_log_of_a_failure(driver: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    stages = [
        driver.Stage("good", ("sh", "-c", "echo ===== 3 passed, 1 skipped in 1s =====")),
        driver.Stage("bad", ("sh", "-c", "echo the reason; exit 3")),
    ]
    assert driver.run_stages(stages, cores=2) == (1, 1)
    output = capsys.readouterr().out
    assert "3 passed, 1 skipped" in output
    assert "    the reason" in output


def test_driver_runs_side_by_side_as_far_as_the_cores_go(driver: ModuleType, tmp_path: Path) -> None:
    def stage(name: str, cores: int) -> object:
        script = f'echo "begin {name}" >>order; sleep 0.5; echo "end {name}" >>order'
        return driver.Stage(name, ("sh", "-c", script), cores=cores)

    assert driver.run_stages([stage("a", 1), stage("b", 1), stage("c", 2)], cores=2) == (3, 0)
    order = (tmp_path / "order").read_text().splitlines()
    assert set(order[:2]) == {"begin a", "begin b"}
    assert order[-2:] == ["begin c", "end c"]


def test_driver_lets_a_stage_wait_for_others(driver: ModuleType, tmp_path: Path) -> None:
    def stage(name: str, seconds: float, after: tuple[str, ...] = ()) -> object:
        return driver.Stage(name, ("sh", "-c", f"sleep {seconds}; echo {name} >>order"), after=after)

    stages = [stage("sum", 0, after=("a", "b", "not run")), stage("a", 0.2), stage("b", 0.6), stage("c", 0)]
    assert driver.run_stages(stages, cores=4) == (4, 0)
    assert (tmp_path / "order").read_text().split() == ["c", "a", "b", "sum"]


def test_driver_ends_a_stage_that_hangs_with_its_children(driver: ModuleType, tmp_path: Path) -> None:
    script = "sleep 300 & echo $! >child; wait"
    stage = driver.Stage("hangs", ("sh", "-c", script), minutes=0.01, cleanup=("sh", "-c", "touch cleaned"))
    started = time.monotonic()
    assert driver.run_stages([stage], cores=1) == (0, 1)
    assert time.monotonic() - started < 30
    assert (tmp_path / "cleaned").exists()
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has reaped yet does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_driver_cleans_up_when_it_is_ended(driver: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = driver.Stage("long", ("sh", "-c", "touch begun; sleep 300"), cleanup=("sh", "-c", "touch cleaned"))

    sleep = time.sleep

    def interrupt_once(seconds: float) -> None:
        if (tmp_path / "begun").exists():
            monkeypatch.setattr(driver.time, "sleep", sleep)
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr(driver.time, "sleep", interrupt_once)
    with pytest.raises(KeyboardInterrupt):
        driver.run_stages([stage], cores=1)
    assert (tmp_path / "cleaned").exists()


def test_driver_hands_no_outer_make_on(driver: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "ARGS"):
        monkeypatch.setenv(name, "x")
    assert not {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "ARGS"} & driver.environment().keys()
