# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of an installed release, and the parts of starrocks_release that need no disk."""

import os
import pathlib
import subprocess
import tempfile
import urllib.error

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _release as rules
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_archive as archives
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_probe as probe
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_source as source
from ansible_collections.starrocks.cluster.plugins.module_utils._release import Drift, Found, ReleaseError
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import version_class


@pytest.mark.parametrize(('name', 'version'), [
    ('StarRocks-3.5.0-ubuntu-amd64.tar.gz', '3.5.0'),
    ('StarRocks-3.3.15-centos-amd64', '3.3.15'),
    ('StarRocks-2.5.22.tar.gz', '2.5.22'),
    ('StarRocks-3.4.0-rc01-ubuntu-amd64.tar.gz', '3.4.0-rc01'),
    ('starrocks-4.0.14.tgz', '4.0.14'),
    ('StarRocks-3.5', None), ('release.tar.gz', None), ('StarRocks-latest.tar.gz', None), ('', None), (None, None),
])
def test_version_of_name(name, version):
    assert rules.version_of_name(name) == version


@pytest.mark.parametrize(('build', 'version'), [
    ('3.5.0', '3.5.0'), ('3.3.5-6d81f75', '3.3.5'), ('3.3.0-RC01-3b8cb0c', '3.3.0-rc01'),
    ('UNKNOWN', None), ('MAIN', None), ('', None), (None, None),
])
def test_version_of_build(build, version):
    assert rules.version_of_build(build) == version


FILE = {'size': 10, 'mtime_ns': 5, 'mode': '0644'}
SCRIPT = {'size': 10, 'mtime_ns': 5, 'mode': '0755', 'sha256': 'a'}


@pytest.mark.parametrize(('recorded', 'seen', 'words', 'attributes_only'), [
    (FILE, FILE, None, None),
    (FILE, None, 'missing', False),
    (FILE, dict(FILE, size=11), '11 bytes, released with 10', False),
    (FILE, dict(FILE, mtime_ns=6), 'written after', False),
    (FILE, dict(FILE, mode='0600'), 'mode 0600, released with 0644', True),
    (FILE, {'link': 'x'}, 'not the file', False),
    (FILE, {'other': True}, 'not the file', False),
    (SCRIPT, dict(SCRIPT, mtime_ns=6), None, None),
    (SCRIPT, dict(SCRIPT, sha256='b'), 'other content', False),
    ({'link': 'a'}, {'link': 'a'}, None, None),
    ({'link': 'a'}, {'link': 'b'}, 'not the link', False),
    ({'link': 'a'}, FILE, 'not the link', False),
])
def test_difference(recorded, seen, words, attributes_only):
    found = rules.difference(recorded, seen)
    if words is None:
        assert found is None
    else:
        assert words in found[0] and found[1] is attributes_only


def stamped(version='3.5.0', sha256=None, drift=()):
    archive = {'name': 'a', 'size': 1, 'sha256': sha256} if sha256 else None
    return Found('stamped', version, {'archive': archive, 'files': {}}, list(drift))


BROKEN, MODE = Drift('bin/a', 'missing', False), Drift('bin/b', 'mode', True)


@pytest.mark.parametrize(('found', 'sha256', 'action'), [
    (Found('absent', None, None, []), None, 'install'),
    (Found('empty', None, None, []), None, 'fill'),
    (Found('unfinished', None, {'files': {}}, []), None, 'fill'),
    (Found('unstamped', '3.5.0', None, []), None, 'adopt'),
    (Found('unstamped', '3.4.4', None, []), None, 'refuse'),
    (Found('unstamped', '3.5.10', None, []), None, 'refuse'),
    (Found('unstamped', None, None, []), None, 'compare'),
    (stamped(), None, 'nothing'),
    (stamped(sha256='a'), 'a', 'nothing'),
    (stamped(sha256='a'), None, 'nothing'),
    (stamped(), 'b', 'nothing'),
    (stamped(sha256='a'), 'b', 'refuse'),
    (stamped(sha256='a', drift=[BROKEN]), 'b', 'refuse'),
    (stamped('3.5.1'), None, 'refuse'),
    (stamped('3.5.1', drift=[BROKEN]), None, 'refuse'),
    (stamped(drift=[BROKEN]), None, 'repair'),
    (stamped(drift=[BROKEN, MODE]), None, 'repair'),
    (stamped(drift=[MODE]), None, 'attributes'),
])
def test_decide(found, sha256, action):
    decision = rules.decide(found, '3.5.0', sha256, '/opt/starrocks/fe')
    assert decision.action == action and decision.message
    if action == 'refuse':
        assert '/opt/starrocks/fe' in decision.message
        assert ('the build that is installed' if sha256 else 'upgrade') in decision.message


INSTALLED = stamped('3.4.4')._replace(stamp={'archive': {'name': 'a', 'size': 1, 'sha256': 'a' * 64}})
NOT_STAGED = Found('absent', None, None, [])
HALF_WAY = Found('switching', None, {'from': '3.4.4', 'to': '3.5.0'}, [])


@pytest.mark.parametrize(('found', 'staged', 'version', 'sha256', 'action'), [
    (Found('absent', None, None, []), NOT_STAGED, '3.5.0', None, 'refuse'),
    (Found('empty', None, None, []), NOT_STAGED, '3.5.0', None, 'refuse'),
    (Found('unfinished', None, {'files': {}}, []), NOT_STAGED, '3.5.0', None, 'refuse'),
    (Found('unstamped', None, None, []), NOT_STAGED, '3.5.0', None, 'stage'),
    (Found('unstamped', '3.5.0', None, []), NOT_STAGED, '3.5.0', None, 'nothing'),
    (INSTALLED, NOT_STAGED, '3.4.4', None, 'nothing'),
    (INSTALLED, NOT_STAGED, '3.4.4', 'a' * 64, 'nothing'),
    (INSTALLED, NOT_STAGED, '3.4.4', 'b' * 64, 'refuse'),
    (INSTALLED, NOT_STAGED, '3.4.10', 'b' * 64, 'stage'),
    (INSTALLED, stamped(), '3.5.0', None, 'nothing'),
    (INSTALLED, stamped(sha256='a' * 64), '3.5.0', 'a' * 64, 'nothing'),
    (INSTALLED, stamped(sha256='a' * 64), '3.5.0', 'b' * 64, 'stage'),
    (INSTALLED, stamped(drift=[MODE]), '3.5.0', None, 'attributes'),
    (INSTALLED, stamped(drift=[MODE, BROKEN]), '3.5.0', None, 'stage'),
    (HALF_WAY, stamped(drift=[BROKEN]), '3.5.0', None, 'nothing'),
    (HALF_WAY, NOT_STAGED, '3.4.4', None, 'nothing'),
    (HALF_WAY, NOT_STAGED, '3.5.1', None, 'refuse'),
])
def test_decide_staging(found, staged, version, sha256, action):
    decision = rules.decide_staging(found, staged, version, sha256, '/opt/starrocks/fe')
    assert decision.action == action and decision.message
    if action == 'refuse':
        assert '/opt/starrocks/fe' in decision.message


def test_obsolete():
    nothing, stage = rules.Decision('nothing', ''), rules.Decision('stage', '')
    both = ['.fe.staging-3.5.0', '.fe.staging-3.5.1']
    assert rules.obsolete(INSTALLED, stage, both, '3.5.0', both[0]) == [both[1]]
    assert rules.obsolete(INSTALLED, nothing, both, '3.4.4', '.fe.staging-3.4.4') == both
    assert rules.obsolete(stamped(), nothing, both, '3.5.0', both[0]) == both
    assert rules.obsolete(HALF_WAY, nothing, both, '3.5.0', both[0]) == []
    assert rules.obsolete(INSTALLED, rules.Decision('refuse', ''), both, '3.4.4', '') == []


def test_a_deploy_does_not_touch_what_is_half_switched():
    decision = rules.decide(HALF_WAY, '3.5.0', None, '/opt/starrocks/fe')
    assert decision.action == 'refuse' and 'half 3.4.4 and half 3.5.0' in decision.message


@pytest.mark.parametrize(('path', 'inside'), [
    ('bin/start_fe.sh', True), ('lib', True), ('spark-dpp/x.jar', True), ('confluent/x', True),
    ('conf', False), ('conf/fe.conf', False), ('meta/image', False), ('storage', False), ('log/fe.log', False),
    (rules.STAMP_NAME, False),
])
def test_is_release_path(path, inside):
    assert rules.is_release_path(path) is inside


@pytest.mark.parametrize(('path', 'runtime'), [
    ('bin/fe.pid', True), ('lib/udf', True), ('lib/udf-runtime/x.so', True), ('lib/small_file/1', True),
    ('lib/py-packages/__pycache__', True),
    ('bin/start_fe.sh', False), ('lib/udf-helper.jar', False), ('lib/fe.pid', False),
])
def test_what_a_node_writes_into_release_folders(path, runtime):
    assert bool(rules.RUNTIME_PATH.match(path)) is runtime


def test_human_size():
    assert [rules.human_size(size) for size in (0, 999, 1000, 1_840_000_000)] == ['0 B', '999 B', '1 kB', '1.84 GB']


# -- versions inside files


def test_constant_of_a_class():
    data = version_class('3.5.0')
    assert probe.constant_of_class(data, b'STARROCKS_VERSION') == '3.5.0'
    assert probe.constant_of_class(data, b'STARROCKS_COMMIT_HASH') == '0be11fd'
    assert probe.constant_of_class(data, b'OTHER') is None


@pytest.mark.parametrize('data', [b'', b'\xca\xfe\xba\xbe', b'PK\x03\x04' * 10, version_class('3.5.0')[:200]])
def test_what_is_no_class(data):
    with pytest.raises(ValueError, match='no Java class'):
        probe.constant_of_class(data, b'STARROCKS_VERSION')


# -- reading ahead


def test_read_ahead_keeps_order_and_errors():
    def items():
        yield from range(100)
        raise KeyError('late')
    seen = []
    with pytest.raises(KeyError, match='late'):
        for item in archives.ReadAhead(items()):
            seen.append(item)
    assert seen == list(range(100))


def test_read_ahead_is_bounded_and_ends_when_closed():
    taken = []

    def items():
        for item in range(10_000):
            taken.append(item)
            yield item
    reader = archives.ReadAhead(items())
    assert next(iter(reader)) == 0
    reader.close()
    reader._thread.join(5)
    assert not reader._thread.is_alive() and len(taken) < 30


# -- URLs


class Scripted:
    """An open_url that answers from a table of redirects."""

    def __init__(self, redirects):
        self.redirects = redirects
        self.asked = []

    def __call__(self, url, **dummy):
        self.asked.append(url)
        raise urllib.error.HTTPError(url, 302, 'Found', {'Location': self.redirects[url]}, None)


@pytest.mark.parametrize(('redirects', 'words'), [
    ({'https://a/r': 'http://b/r'}, 'plain http'),
    ({'https://a/r': '/x', 'https://a/x': 'http://a/x'}, 'plain http'),
    ({'https://a/r': 'file:///etc/passwd'}, 'not from "file:"'),
    ({'https://a/r': 'https://a/r'}, 'more than 10 redirects'),
])
def test_redirects_that_are_not_followed(redirects, words):
    open_url = Scripted(redirects)
    with pytest.raises(ReleaseError, match=words):
        list(source.UrlSource('https://a/r', open_url).blocks())
    assert set(open_url.asked) <= set(redirects)


def test_names_and_what_is_shown_of_a_url():
    url = 'https://reader@example.com:8443/a/StarRocks-3.5.0.tar.gz?token=t0ken'
    assert source.archive_name(url) == 'StarRocks-3.5.0.tar.gz'
    assert source.shown_url(url) == 'https://example.com:8443/a/StarRocks-3.5.0.tar.gz'
    assert source.archive_name('/srv/StarRocks-3.5.0.tar.gz') == 'StarRocks-3.5.0.tar.gz'


def run_command(arguments, cwd, handle_exceptions):
    """Runs a program as AnsibleModule.run_command does."""
    done = subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def program():
    """A function that writes lib/starrocks_be, a script, into a folder that everybody may enter; returns the folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / 'lib').mkdir()

        def write(script):
            path = folder / 'lib' / 'starrocks_be'
            path.write_text('#!/bin/sh\n%s\n' % script)
            path.chmod(0o755)
            if os.geteuid() == 0:
                os.chown(str(path), 65534, 65534)
            return str(folder)

        yield write


def test_the_back_end_tells_its_version_as_the_owner_of_its_file(program):
    home = program('[ "$1" = --version ] && [ "$STARROCKS_HOME" -ef "${0%/lib/*}" ] || exit 1\n'
                   'case $LD_LIBRARY_PATH in *$STARROCKS_HOME/lib) ;; *) exit 1 ;; esac\n'
                   '[ "$(stat -c %u "$0")" = "$(id -u)" ] && echo "3.5.0-0be11fd"')
    assert probe.backend_build(home, run_command) == '3.5.0-0be11fd'
    assert probe.probe(home, 'be', run_command) == '3.5.0'


@pytest.mark.parametrize('script', ['echo 3.5.0-0be11fd; exit 3', 'echo who knows', ':', 'kill -9 $$'])
def test_a_back_end_that_does_not_tell(program, script):
    assert probe.backend_build(program(script), run_command) is None


def test_no_back_end(tmp_path):
    assert probe.backend_build(str(tmp_path), run_command) is None
