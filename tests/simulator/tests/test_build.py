# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The builder: layout, versions, reproducible bytes."""

import importlib.machinery
import importlib.util
import json
import pathlib
import subprocess
import tarfile

import pytest

SIMULATOR = pathlib.Path(__file__).resolve().parent.parent
VERSIONS = ("2.5.0", "2.5.22", "3.0.9", "3.1.17", "3.2.16", "3.3.15", "3.4.4", "3.5.0", "3.5.7", "4.0.0", "4.1.0",
            "4.2.0")


def _load():
    loader = importlib.machinery.SourceFileLoader("standin_build", str(SIMULATOR / "build"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("standin_build", loader))
    loader.exec_module(module)
    return module


build = _load()


@pytest.fixture(scope="module")
def packed():
    """A function: the members of a version's tarball by path below the top folder."""
    found = {}

    def members(version):
        if version not in found:
            with tarfile.open(build.build(version, list(build.COMPONENTS))) as archive:
                found[version] = {
                    member.name.partition("/")[2]: (member, archive.extractfile(member).read()
                                                    if member.isfile() else None)
                    for member in archive.getmembers()
                }
        return found[version]

    return members


@pytest.mark.parametrize(("bounds", "version", "holds"), [
    ("", (2, 5, 0), True),
    (">=3.1", (3, 1, 0), True),
    (">=3.1", (3, 0, 9), False),
    ("<3.5", (3, 4, 4), True),
    ("<3.5", (3, 5, 0), False),
    (">=3.1 <3.3", (3, 2, 16), True),
    (">=3.1 <3.3", (3, 3, 0), False),
    (">=3.5.7", (3, 5, 10), True),
    (">=3.5.7", (3, 5, 6), False),
])
def test_bounds(bounds, version, holds):
    assert build.within(version, bounds) is holds


def test_parts_for_a_version():
    text = "a\n#@if >=3.4\nnew\n  #@if >=4.1\nnewest\n  #@else\nmiddle\n  #@end\n#@else\nold\n#@end\nz\n"
    assert build.for_version(text, (3, 3, 0)) == "a\nold\nz\n"
    assert build.for_version(text, (3, 5, 0)) == "a\nnew\nmiddle\nz\n"
    assert build.for_version(text, (4, 2, 0)) == "a\nnew\nnewest\nz\n"


def test_unclosed_part_is_refused():
    with pytest.raises(build.BuildError, match="do not match"):
        build.for_version("#@if >=3.4\nnew\n", (3, 5, 0))


@pytest.mark.parametrize("version", ["3.5", "latest", "3.5.0.1", "2.4.9", "4.3.0", "5.0.0", ""])
def test_not_a_version(version):
    with pytest.raises(build.BuildError):
        build.parse_version(version)


def test_same_input_same_bytes(tmp_path):
    for name in ("one", "two"):
        release = build.Release("3.5.0", "0" * 12)
        release.write(tmp_path / name, release.files(list(build.COMPONENTS), build.wheels()))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").stat().st_size < 15e6


@pytest.mark.parametrize("version", VERSIONS)
def test_layout(version, packed):
    members = packed(version)
    for path in ("LICENSE.txt", "NOTICE.txt", "fe/bin/start_fe.sh", "fe/bin/stop_fe.sh", "fe/bin/show_fe_version.sh",
                 "fe/conf/fe.conf", "fe/conf/hadoop_env.sh", "fe/lib/starrocks-fe.jar", "fe/webroot/index.html",
                 "fe/spark-dpp/spark-dpp-1.0.0-jar-with-dependencies.jar", "be/bin/start_be.sh", "be/bin/stop_be.sh",
                 "be/bin/start_cn.sh", "be/bin/stop_cn.sh", "be/bin/start_backend.sh", "be/conf/be.conf",
                 "be/conf/cn.conf", "be/lib/starrocks_be", "be/www/index.html",
                 "apache_hdfs_broker/bin/start_broker.sh", "apache_hdfs_broker/bin/stop_broker.sh",
                 "apache_hdfs_broker/conf/apache_hdfs_broker.conf", "apache_hdfs_broker/conf/hdfs-site.xml",
                 "apache_hdfs_broker/conf/log4j.properties"):
        assert path in members, path
    for component in build.COMPONENTS:
        identity = json.loads(members[f"{component}/lib/standin-version.json"][1])
        assert identity["version"] == version
    # Made at run time, so not in a release (starrocks.md section 8).
    for path in ("fe/meta", "fe/log", "be/storage", "be/log", "be/lib/udf-runtime"):
        assert path not in members


@pytest.mark.parametrize(("path", "since", "before"), [
    ("fe/conf/cluster_snapshot.yaml", "3.4.4", "3.3.15"),
    ("fe/lib/fe-core-main.jar", "4.1.0", "4.0.0"),
])
def test_parts_that_came_later(path, since, before, packed):
    assert path in packed(since)
    assert path not in packed(before)


@pytest.mark.parametrize("version", VERSIONS)
def test_scripts_are_scripts(version, packed):
    for path, (member, content) in packed(version).items():
        if content is None:
            continue
        assert b"#@" not in content or "/lib/standin/" in path, path
        if path.endswith(".sh") and "/bin/" in path and "meta_tool" not in path:
            assert member.mode == 0o755, path
            result = subprocess.run(["bash", "-n"], input=content, capture_output=True, check=False)
            assert result.returncode == 0, (path, result.stderr)


@pytest.mark.parametrize(("version", "names"), [
    ("2.5.0", {"JAVA_OPTS", "JAVA_OPTS_FOR_JDK_9"}),
    ("3.2.16", {"JAVA_OPTS", "JAVA_OPTS_FOR_JDK_11"}),
    ("3.3.15", {"JAVA_OPTS"}),
    ("3.5.0", {"JAVA_OPTS"}),
])
def test_java_options_in_fe_conf(version, names, packed):
    text = packed(version)["fe/conf/fe.conf"][1].decode()
    assert {line.split("=")[0].strip() for line in text.splitlines() if line.startswith("JAVA_OPTS")} == names
    assert ("PrintGCDateStamps" in text) == (version < "3.3")


def test_only_some_components():
    with tarfile.open(build.build("3.5.0", ["be"])) as archive:
        assert {name.split("/")[1] for name in archive.getnames() if "/" in name} == {"be", "LICENSE.txt", "NOTICE.txt"}


def test_nothing_compiled_is_packed(packed):
    compiled = [path for path in packed("3.5.0") if "/lib/standin/" in path and ".so" in path]
    assert compiled == []
