# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation shows is run, and what it says of results is compared with the results.

The EXAMPLES of every module with connection options, and the YAML of docs/modules.md, are run by one ansible-playbook
against a living cluster, in the order of SCENES. Examples name hosts and versions that do not exist; localised() says
by which rule they become those of the cluster. Results are then held against RETURN.
"""

import importlib
import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from conftest import BROKER_PORT, COLLECTIONS, MODULES, PASSWORD, ROOT, address, founded, run_ansible, secured

VERSION = "4.2.0"
COLLECTION = "starrocks.cluster."
GUIDE = "docs/modules.md"
SECRET = "a 'secret' of the examples"

# What Ansible itself puts into results.
OF_ANSIBLE = {
    "ansible_facts", "ansible_loop_var", "attempts", "changed", "deprecations", "diff", "exception", "failed",
    "failed_when_result", "failed_when_suppressed_exception", "invocation", "item", "skip_reason", "skipped",
    "stdout", "stderr", "warnings",
}


def backends(*numbers, **options):
    return {COLLECTION + "starrocks_backend": {"nodes": [{"host": address(number)} for number in numbers], **options}}


def frontend(number, **options):
    return {COLLECTION + "starrocks_frontend": {"host": address(number), **options}}


# Page or module -> tasks that come before its examples. In this order they are run, since one leaves to the next what
# it has done: front ends last, as one of them gets a name there under which it cannot be found.
SCENES = {
    "starrocks_user": [],
    "starrocks_query": [],
    "starrocks_broker": [],
    "starrocks_compute_node": [],
    "starrocks_backend": [],
    "starrocks_wait": [backends(21, 22, 24)],
    "starrocks_cluster_info": [],
    "starrocks_frontend_config": [],
    "starrocks_backend_config": [backends(21, blacklisted=False)],
    "starrocks_image": [],
    # A fourth one, to which the data of one that leaves can go.
    GUIDE: [backends(23, heartbeat_service_port=9051)],
    "starrocks_frontend": [frontend(14, role="observer", wait=False)],
}

# Examples that cannot come true here: (page or module, task) -> what the module then says.
FAILING = {
    # It is asked of two front ends that are not there.
    ("starrocks_wait", "Wait until another front end leads"): "the conditions did not hold within",
}
if pathlib.Path("/.dockerenv").exists():
    # Front ends do not write their fe.conf in a container (starrocks.md 0.10).
    FAILING["starrocks_frontend_config", "Keep a setting over restarts"] = "current running mode is not persisted"
# Seconds: no wait is longer, whatever an example allows; and that of starrocks_wait where the example says nothing.
PATIENCE = 20
IMPATIENCE = 3

# Tasks that need hosts with systemd or an installed release: (page or module, task) -> what is done in their place.
REPLACED = {
    # It was started with its helper, and waits to be registered.
    (GUIDE, "Start it for the first time"): {"ansible.builtin.debug": {}},
    (GUIDE, "Restart a back end"): {
        "ansible.builtin.shell": "{{ home_of_21 }}/bin/stop_be.sh; {{ home_of_21 }}/bin/start_be.sh --daemon"},
}

# What the examples expect their reader to have.
VARIABLES = {
    "starrocks_root_password": PASSWORD,
    "monitor_password": SECRET,
    "operations_password": SECRET,
}

# The filter of another collection that is the customary way to JMESPath.
JSON_QUERY = """
import jmespath

class FilterModule:
    def filters(self):
        return {"json_query": lambda data, expression: jmespath.search(expression, data)}
"""


# -- the examples, made fit for the cluster

# Pattern -> what it becomes; of the machine in the examples' network 10.0.0.0/24, and of names, which have to resolve.
HERE = (
    (re.compile(r"\b10\.0\.0\.(\d+)\b"), lambda match: address(int(match.group(1)))),
    (re.compile(r"\b(?:fe|be|cn)\d\.example\.com\b"), lambda match: "localhost"),
    (re.compile(r"\bfe(\d)\b"), lambda match: address(10 + int(match.group(1)))),
    (re.compile(r"\b3\.5\.0\b"), lambda match: VERSION),
)


def localised(value):
    """``value`` with every address, name and version of the examples replaced by one of the cluster."""
    if isinstance(value, dict):
        return {localised(key): min(one, PATIENCE) if key in ("timeout", "wait_timeout") else localised(one)
                for key, one in value.items()}
    if isinstance(value, list):
        return [localised(one) for one in value]
    if isinstance(value, str):
        for pattern, replacement in HERE:
            value = pattern.sub(replacement, value)
    return value


def as_tasks(name, entries):
    """Tasks of a list of tasks or plays. A play becomes a block with its defaults and variables."""
    tasks = []
    for entry in entries:
        if "hosts" in entry:
            kept = {key: entry[key] for key in ("name", "vars", "module_defaults") if key in entry}
            tasks.append({**kept, "block": as_tasks(name, entry["tasks"])})
        elif (name, entry["name"]) in REPLACED:
            tasks.append({"name": entry["name"], **REPLACED[name, entry["name"]]})
        else:
            tasks.append(entry)
    return tasks


def leaves(tasks):
    """The tasks themselves, those in blocks too."""
    for task in tasks:
        if "block" in task:
            for part in ("block", "rescue", "always"):
                yield from leaves(task.get(part, ()))
        else:
            yield task


def documented(name):
    """The module's own DOCUMENTATION, EXAMPLES and RETURN, read."""
    module = importlib.import_module(MODULES + name)
    return tuple(yaml.safe_load(getattr(module, part)) for part in ("DOCUMENTATION", "EXAMPLES", "RETURN"))


def connecting_modules():
    """The modules with the shared connection options."""
    names = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("starrocks_*.py"))
    return [name for name in names
            if COLLECTION + "connection" in documented(name)[0].get("extends_documentation_fragment", ())]


MODULES_HERE = connecting_modules()
RETURN_OF = {name: localised(documented(name)[2]) for name in MODULES_HERE}


def patient():
    """module_defaults that shorten the waits of which an example says nothing, and name the port of brokers."""
    defaults = {}
    for name in MODULES_HERE:
        said = documented(name)[0]
        if COLLECTION + "connection.wait" in said["extends_documentation_fragment"]:
            defaults[COLLECTION + name] = {"wait_timeout": PATIENCE}
        elif "timeout" in said.get("options", {}):
            defaults[COLLECTION + name] = {"timeout": IMPATIENCE}
    defaults[COLLECTION + "starrocks_broker"]["broker_ipc_port"] = BROKER_PORT
    return defaults


def blocks(page):
    """The YAML blocks of a page, read."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def examples(name):
    """The tasks of a module's EXAMPLES, or of a page's blocks of tasks and plays."""
    if name.endswith(".md"):
        return as_tasks(name, (entry for block in blocks(name) if isinstance(block, list) for entry in block))
    return as_tasks(name, documented(name)[1])


def inventory_examples():
    """The examples of the inventory plugin: its own, and those of the page."""
    plugin = importlib.import_module(MODULES.replace(".modules.", ".inventory.") + "starrocks")
    return {"starrocks": [yaml.safe_load(plugin.EXAMPLES)],
            GUIDE: [block for block in blocks(GUIDE) if isinstance(block, dict) and "plugin" in block]}


INVENTORIES = inventory_examples()


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A cluster with the processes that the examples speak of. All but the first front end wait to be registered."""
    cluster = founded(VERSION, tmp_path_factory.mktemp("cluster"), 11)
    try:
        secured(cluster)
        cluster.node("fe", 12).start("--helper", f"{cluster.first}:9010")
        cluster.restarted = cluster.node("be", 21).start("--daemon")
        for number in (22, 24):
            cluster.node("be", number).start()
        cluster.node("be", 23, heartbeat_service_port=9051).start()
        for number in (31, 32):
            cluster.node("cn", number).start()
        # It listens on all addresses, so that it is the broker of every host.
        cluster.node("broker", 21).start()
        yield cluster
        # The examples have started it anew.
        subprocess.run([cluster.restarted.home / "bin" / "stop_be.sh"], check=True, timeout=60)
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def journal(grown, tmp_path_factory):
    """What every example returned, as callback/result_journal.py writes it down: a list of dicts."""
    folder = tmp_path_factory.mktemp("documentation")
    common = {
        "hosts": "localhost", "gather_facts": False, "vars": {**VARIABLES, "home_of_21": str(grown.restarted.home)},
        "module_defaults": {"group/starrocks.cluster.starrocks": {"login_hosts": [grown.first],
                                                                  "login_password": PASSWORD}, **patient()},
    }
    plays = []
    for name, before in SCENES.items():
        plays.append({**common, "name": f"before {name}", "tasks": before})
        plays.append({**common, "name": name, "tasks": localised(examples(name)), "ignore_errors": True})
    book = folder / "examples.yml"
    book.write_text(json.dumps(plays), encoding="utf-8")
    filters = folder / "ansible_collections" / "community" / "general" / "plugins" / "filter"
    filters.mkdir(parents=True)
    (filters / "json_query.py").write_text(JSON_QUERY, encoding="utf-8")
    results = folder / "results"
    done = run_ansible(
        ["ansible-playbook", "--inventory", "localhost,", "--connection", "local", book], folder, {
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{folder}",
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "integration" / "sql" / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "result_journal",
            "STARROCKS_RESULT_JOURNAL": str(results),
        }, timeout=300)
    # To be looked at when something fails.
    (folder / "output").write_text(done.stdout + done.stderr, encoding="utf-8")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


# -- what is said of results

TYPES = {"str": str, "path": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict,
         "complex": dict}
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ?$")


def is_a(value, type_name):
    """Whether a value has a documented type. In Python a bool is an int; in documentation it is none."""
    if type_name in (None, "raw", "any", "json"):
        return True
    return isinstance(value, TYPES[type_name]) and (type_name == "bool" or not isinstance(value, bool))


def misfits(said, value, where):
    """What is wrong with a value, by its documentation ``said`` (type, elements, contains). Yields texts."""
    if value is None:
        if not re.search(r"\bnull\b", str(said["description"]), re.IGNORECASE):
            yield f"{where} is null, which its description does not speak of"
        return
    if not is_a(value, said.get("type")):
        yield f"{where} is {value!r} and no {said.get('type')}"
        return
    elements = value if isinstance(value, list) else [value]
    for number, element in enumerate(elements):
        place = f"{where}[{number}]" if isinstance(value, list) else where
        if isinstance(value, list) and not is_a(element, said.get("elements")):
            yield f"{place} is {element!r} and no {said.get('elements')}"
        elif said.get("contains"):
            yield from misfits_of_dict(said["contains"], element, place)


def misfits_of_dict(contained, value, where):
    """The same for a dict of which the keys are documented."""
    for key in sorted(set(value) - set(contained)):
        yield f"{where}.{key} is not documented"
    for key, said in contained.items():
        if key in value:
            yield from misfits(said, value[key], f"{where}.{key}")
        elif said.get("returned") == "always":
            yield f"{where}.{key} is returned always, it says, and is missing"


def shape(value):
    """The type of a value as one sees it in a sample: times are told from other texts."""
    if isinstance(value, str) and TIME.match(value):
        return "time " + re.sub(r"\d", "0", value)
    return type(value).__name__


def gaps(said, values, where):
    """Where a documented sample shows what none of the returned ``values`` has: a key, or a value of another shape."""
    yield from sample_gaps(said.get("sample"), values, where)
    elements = [element for value in values for element in (value if isinstance(value, list) else [value])]
    for key, inner in (said.get("contains") or {}).items():
        having = [element[key] for element in elements if isinstance(element, dict) and key in element]
        yield from gaps(inner, having, f"{where}.{key}")


def sample_gaps(sample, values, where):
    values = [value for value in values if value is not None]
    if isinstance(sample, dict) and values:
        for key, one in sample.items():
            # A key that is no word, such as an address or a version, is data: any other will do.
            having = [value[own] for value in values if isinstance(value, dict) for own in value
                      if own == key or not (own.isidentifier() or key.isidentifier())]
            if having:
                yield from sample_gaps(one, having, f"{where}.{key}")
            else:
                yield f"the sample shows {where}.{key}, which was never returned"
    elif isinstance(sample, list) and sample:
        elements = [element for value in values if isinstance(value, list) for element in value]
        if elements:
            yield from sample_gaps(sample[0], elements, where)
    elif values and sample is not None and shape(sample) not in map(shape, values):
        yield f"the sample of {where} is {sample!r}, returned was {values[0]!r}"


# -- the tests

def test_every_block_is_run():
    """A block is a list of tasks or plays, or the settings of the inventory plugin."""
    others = [block for block in blocks(GUIDE) if not isinstance(block, list) and block not in INVENTORIES[GUIDE]]
    assert others == []


def test_every_module_has_a_scene():
    without = [name for name in MODULES_HERE if name not in SCENES]
    assert without == [], "say in SCENES what has to be there before the examples of these modules are run"


@pytest.mark.parametrize("name", SCENES)
def test_examples_run(journal, name):
    entries = [entry for entry in journal if entry["play"] == name]
    assert {entry["task"] for entry in entries} == {task["name"] for task in leaves(examples(name))}
    for entry in entries:
        words = FAILING.get((name, entry["task"]))
        told = f"{entry['task']}: {entry['result'].get('msg')}"
        assert entry["failed"] == (words is not None), told
        assert words is None or words in told


@pytest.mark.parametrize("settings", [
    pytest.param(settings, id=f"{name} {number}") for name, sources in INVENTORIES.items()
    for number, settings in enumerate(sources)
])
def test_inventories(journal, grown, tmp_path, settings):
    """The examples of the inventory plugin list the cluster that the other examples have left."""
    if "cache_connection" in settings:
        settings = {**settings, "cache_connection": str(tmp_path)}
    source = tmp_path / "sales.starrocks.yml"
    source.write_text(json.dumps(localised(settings)), encoding="utf-8")
    done = run_ansible(["ansible-inventory", "--inventory", source, "--list"], tmp_path,
                       {"STARROCKS_LOGIN_PASSWORD": PASSWORD, "SALES_PASSWORD": PASSWORD})
    assert "Failed to parse" not in done.stderr, done.stderr
    assert len(json.loads(done.stdout)["starrocks_be"]["hosts"]) == len(grown.ask("SHOW BACKENDS")) > 0


@pytest.mark.parametrize("name", MODULES_HERE)
def test_returned_is_what_is_documented(journal, name):
    said = RETURN_OF[name]
    entries = [entry for entry in journal if entry["module"] == COLLECTION + name and not entry["failed"]]
    assert entries
    wrong = [f"{entry['task']}: {text}" for entry in entries
             for text in misfits_of_dict(said, without_ansible(entry["result"], said), "result")]
    wrong += gaps({"contains": said}, [entry["result"] for entry in entries], "result")
    assert not wrong, "\n".join(wrong)


def without_ansible(result, said):
    """A result without what Ansible puts into it."""
    return {key: value for key, value in result.items()
            if key in said or not (key in OF_ANSIBLE or key.startswith("_ansible_"))}
