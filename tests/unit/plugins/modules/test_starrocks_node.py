# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_node on real files and real processes; only systemctl is a script of this test, and a user's home is not.

Every change is made by the same law: check mode says it and does nothing, the real run does it, the next one has
nothing to do (`Machine.by_law`).
"""

import grp
import json
import os
import pathlib
import pwd
import signal
import socket
import sys
import time
import types

import pytest
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_node
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import run_module
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import release_members, write_archive
from ansible_collections.starrocks.cluster.tests.unit.plugins.release_archives import run_module as run_release

NAME = 'starrocks-fe'

SYSTEMCTL = r'''#!/bin/sh
# As much of systemd as the module asks for: one unit, whose process is run by ./program.
bin=$(dirname "$0")
state=$bin/state
echo "$*" >> "$state/calls"
if [ "$1" = --user ]; then
    shift
    [ -n "$XDG_RUNTIME_DIR" ] && [ -n "$DBUS_SESSION_BUS_ADDRESS" ] || { echo 'no bus' >&2; exit 1; }
fi
if [ -e "$state/refuse" ] && [ "$(cat "$state/refuse")" = "$1" ]; then
    echo 'Access denied' >&2
    exit 1
fi
file=$bin/../home/.config/systemd/user/starrocks-fe.service
loaded=$state/loaded

alive() { [ -e "$state/pid" ] && [ -d "/proc/$(cat "$state/pid")" ]; }

run() {
    # The shell between takes note of the end, as systemd does; else a zombie would stay.
    ( "$state/program" & echo $! > "$state/pid"; wait ) > /dev/null 2>&1 < /dev/null &
    while [ ! -s "$state/pid" ]; do sleep 0.01; done
}

case $1 in
show)
    [ ! -e "$loaded" ] && [ -e "$file" ] && cp "$file" "$loaded"
    [ -e "$loaded" ] && echo LoadState=loaded || echo LoadState=not-found
    if cmp -s "$file" "$loaded" || [ ! -e "$loaded" ]; then echo NeedDaemonReload=no; else echo NeedDaemonReload=yes; fi
    if alive; then
        echo ActiveState=active; echo MainPID=$(cat "$state/pid")
    elif [ -e "$state/pid" ] && [ -e "$state/restarts" ]; then
        echo ActiveState=activating; echo MainPID=0
        echo $(($(cat "$state/restarts") + 1)) > "$state/restarts"
    elif [ -e "$state/pid" ]; then
        echo ActiveState=failed; echo MainPID=0
    else
        echo ActiveState=inactive; echo MainPID=0
    fi
    [ -e "$state/restarts" ] && echo NRestarts=$(cat "$state/restarts") || echo NRestarts=0
    [ -e "$state/condition" ] && echo ConditionResult=no || echo ConditionResult=yes
    [ -e "$state/enabled" ] && echo UnitFileState=enabled || echo UnitFileState=disabled
    ;;
daemon-reload) rm -f "$loaded"; [ ! -e "$file" ] || cp "$file" "$loaded" ;;
enable) touch "$state/enabled" ;;
disable) rm -f "$state/enabled" ;;
reset-failed) rm -f "$state/pid" ;;
start) [ -e "$state/condition" ] || { rm -f "$state/pid"; run; } ;;
stop) alive && kill "$(cat "$state/pid")"; rm -f "$state/pid" ;;
kill) kill -s "${3#--signal=SIG}" "$(cat "$state/pid")" ;;
*) echo "unknown verb $1" >&2; exit 1 ;;
esac
exit 0
'''

SLEEPS = '#!/bin/sh\nexec sleep 60\n'
DIES = '#!/bin/sh\nexit 3\n'
PYTHON = '#!/bin/sh\nexec "%s" -S -c \'%s\'\n'
# Takes its leave when it is asked to by SIGUSR1, and says so.
TAKES_LEAVE = PYTHON % (sys.executable, 'import pathlib, signal, sys, time; signal.signal(10, lambda *_: ('
                        'pathlib.Path("LEFT").touch(), sys.exit(0))); pathlib.Path("READY").touch(); time.sleep(60)')
DOES_NOT_END = PYTHON % (sys.executable, 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)')
LISTENS = PYTHON % (
    sys.executable, 'import socket, time; s = socket.create_server(("127.0.0.1", PORT)); time.sleep(60)')

CONFIGURATION = 'http_port = 8030\naws_s3_secret_key = hunter2\n# end\n'
UNIT = '[Unit]\nDescription=StarRocks\n[Service]\nExecStart=/bin/true\n'


class Machine:
    """A host below a folder, and the module run on it."""

    def __init__(self, folder):
        self.folder = folder
        self.state = folder / 'bin' / 'state'
        self.unit = folder / 'home' / '.config' / 'systemd' / 'user' / (NAME + '.service')
        self.configuration = folder / 'fe' / 'conf' / 'fe.conf'
        self.state.mkdir(parents=True)
        systemctl = folder / 'bin' / 'systemctl'
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)
        self.runs(SLEEPS)

    def runs(self, program):
        """Say what the unit's process is."""
        (self.state / 'program').write_text(program)
        (self.state / 'program').chmod(0o755)

    def module(self, check_mode=False, **arguments):
        return run_module(starrocks_node, dict({'name': NAME, 'scope': 'user', 'wait_timeout': 20}, **arguments),
                          check_mode)

    def tree(self):
        """Return all that is on the disk but what systemctl notes for itself: path -> (mode, content)."""
        found = {}
        for path in sorted(self.folder.rglob('*')):
            if path.name not in ('calls', 'loaded'):
                found[str(path.relative_to(self.folder))] = (
                    path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        return found

    def calls(self):
        """Return what systemctl was asked to change since the last time this was asked."""
        path = self.state / 'calls'
        lines = path.read_text().splitlines() if path.exists() else []
        path.write_text('')
        return [line.replace('--user ', '') for line in lines if ' show ' not in line]

    def pid(self):
        path = self.state / 'pid'
        return int(path.read_text()) if path.exists() else 0

    def by_law(self, **arguments):
        """Run in check mode, for real, and once more; returns the real run's result and its systemctl calls."""
        before = self.tree()
        self.calls()
        foretold = self.module(check_mode=True, **arguments)
        assert foretold['changed'] is True and not foretold['failed'], foretold
        assert self.tree() == before and self.calls() == []
        done = self.module(**arguments)
        assert done['changed'] is True and not done['failed'], done
        calls = self.calls()
        assert len(foretold['diff']) == len(done['diff'])
        again = self.module(**arguments)
        assert (again['changed'], again['diff'], again['failed'], self.calls()) == (False, [], False, [])
        assert 'hunter2' not in json.dumps([foretold, done, again])
        return done, calls

    def clean(self):
        if self.pid():
            try:
                os.kill(self.pid(), signal.SIGKILL)
            except ProcessLookupError:
                pass


@pytest.fixture
def machine(tmp_path, monkeypatch):
    one = Machine(tmp_path)
    monkeypatch.setenv('PATH', '%s:%s' % (tmp_path / 'bin', os.environ['PATH']))
    # The units of a user lie in the home that the list of accounts names: that of this test, not of who runs it.
    monkeypatch.setattr(starrocks_node, 'pwd', types.SimpleNamespace(
        getpwnam=pwd.getpwnam, getpwuid=lambda uid: types.SimpleNamespace(pw_dir=str(tmp_path / 'home'))))
    yield one
    one.clean()


def mode(path):
    return path.stat().st_mode & 0o7777


def shown(result):
    return ''.join(part['prepared'] for part in result['diff'])


def node(machine, **changes):
    """Return the options of a whole node."""
    return dict({
        'directories': [str(machine.folder / 'fe'), str(machine.folder / 'fe' / 'conf')],
        'directory_mode': '0750',
        'files': [{'path': str(machine.configuration), 'content': CONFIGURATION}],
        'unit': UNIT,
        'enabled': True,
    }, **changes)


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]


# --- present ---------------------------------------------------------------------------------------------------------


def test_a_node_is_laid_out_and_not_started(machine):
    result, calls = machine.by_law(**node(machine))
    assert machine.configuration.read_text() == CONFIGURATION and mode(machine.configuration) == 0o640
    assert mode(machine.folder / 'fe') == mode(machine.folder / 'fe' / 'conf') == 0o750
    assert machine.unit.read_text() == UNIT and mode(machine.unit) == 0o644
    assert calls == ['daemon-reload', 'enable starrocks-fe.service']
    assert (result['active'], result['enabled'], result['started'], result['main_pid']) == (False, True, False, 0)
    assert '+http_port = 8030' in shown(result) and '********' in shown(result)
    assert '+++ starrocks-fe.service enabled' in shown(result)


@pytest.mark.parametrize('drift, seen', [
    (lambda machine: machine.configuration.write_text('http_port = 1\n'), '-http_port = 1'),
    (lambda machine: machine.configuration.write_text(CONFIGURATION.replace('hunter2', 'older')),
     'a secret setting changes'),
    (lambda machine: machine.configuration.chmod(0o666), '0666'),
    (lambda machine: machine.configuration.unlink(), '(absent)'),
    (lambda machine: (machine.folder / 'fe').chmod(0o777), '0777'),
    (lambda machine: (machine.state / 'enabled').unlink(), 'starrocks-fe.service disabled'),
], ids=['content', 'secret', 'mode', 'gone', 'directory', 'disabled'])
def test_drift_is_mended_and_named(machine, drift, seen):
    machine.module(**node(machine))
    wanted = machine.tree()
    drift(machine)
    result, calls = machine.by_law(**node(machine))
    assert machine.tree() == wanted
    assert seen in shown(result) and 'older' not in shown(result) and len(result['diff']) == 1
    assert 'daemon-reload' not in calls


def test_a_changed_unit_is_read_again(machine):
    machine.module(**node(machine))
    result, calls = machine.by_law(**node(machine, unit=UNIT + 'LimitNOFILE=655350\n'))
    assert calls == ['daemon-reload'] and '+LimitNOFILE=655350' in shown(result)


def test_a_unit_that_systemd_has_not_read_yet_is_read_without_a_change(machine):
    machine.module(**node(machine))
    (machine.state / 'loaded').write_text('of yesterday\n')
    machine.calls()
    assert machine.module(**node(machine))['changed'] is False
    assert machine.calls() == ['daemon-reload']


def test_what_is_not_asked_for_is_left_as_it_is(machine):
    machine.module(**node(machine))
    other = machine.folder / 'fe' / 'conf' / 'hadoop.conf'
    other.write_text('mine\n')
    before = machine.tree()
    result = machine.module()
    assert (result['changed'], result['enabled']) == (False, True) and machine.tree() == before


def test_disabling_is_a_change_of_its_own(machine):
    machine.module(**node(machine))
    result, calls = machine.by_law(**node(machine, enabled=False))
    assert calls == ['disable starrocks-fe.service'] and result['enabled'] is False


def test_a_linked_directory_is_left_to_its_maker(machine):
    (machine.folder / 'disk').mkdir(mode=0o700)
    (machine.folder / 'fe').symlink_to(machine.folder / 'disk')
    machine.by_law(**node(machine))
    assert (machine.folder / 'fe').is_symlink() and mode(machine.folder / 'disk') == 0o700
    assert (machine.folder / 'disk' / 'conf' / 'fe.conf').read_text() == CONFIGURATION


@pytest.mark.parametrize('content', [CONFIGURATION, 'http_port = 1\n'])
def test_a_linked_file_becomes_a_file_and_its_target_is_left_alone(machine, content):
    target = machine.folder / 'shared.conf'
    target.write_text(content)
    target.chmod(0o600)
    machine.configuration.parent.mkdir(parents=True)
    machine.configuration.symlink_to(target)
    machine.by_law(**node(machine))
    assert not machine.configuration.is_symlink() and machine.configuration.read_text() == CONFIGURATION
    assert target.read_text() == content and mode(target) == 0o600


def test_a_link_to_nothing_becomes_a_file(machine):
    machine.configuration.parent.mkdir(parents=True)
    machine.configuration.symlink_to(machine.folder / 'nowhere')
    machine.by_law(**node(machine))
    assert machine.configuration.read_text() == CONFIGURATION and not (machine.folder / 'nowhere').exists()


def test_the_folder_of_a_file_is_made(machine):
    machine.by_law(files=[{'path': str(machine.configuration), 'content': CONFIGURATION, 'mode': '0600'}])
    assert mode(machine.configuration) == 0o600


def test_a_file_where_a_directory_belongs_is_refused(machine):
    (machine.folder / 'fe').write_text('a note\n')
    result = machine.module(**node(machine))
    assert result['failed'] and '/fe is in the way: a directory is needed there' in result['msg']
    assert (machine.folder / 'fe').read_text() == 'a note\n'


def test_a_directory_where_a_file_belongs_is_refused(machine):
    machine.configuration.mkdir(parents=True)
    result = machine.module(**node(machine))
    assert result['failed'] and 'fe.conf is in the way: a file is needed there' in result['msg']
    assert machine.configuration.is_dir()


def test_a_write_that_fails_leaves_the_file_and_nothing_beside_it(machine, monkeypatch):
    machine.module(**node(machine))
    before = machine.tree()

    def full(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        machine.module(**node(machine, files=[{'path': str(machine.configuration), 'content': 'http_port = 1\n'}]))
    monkeypatch.undo()
    assert machine.tree() == before


def test_an_account_that_is_missing_fails_the_run_and_not_the_check(machine):
    arguments = node(machine, owner='nobody-of-this-name')
    assert machine.module(check_mode=True, **arguments)['changed'] is True
    result = machine.module(**arguments)
    assert result['failed'] and "The owner 'nobody-of-this-name' does not exist on this host" in result['msg']
    assert not machine.configuration.exists()


def test_own_account_and_group_are_taken_by_name(machine):
    machine.by_law(**node(machine, owner=pwd.getpwuid(os.getuid())[0], group=grp.getgrgid(os.getgid())[0]))
    assert (machine.configuration.stat().st_uid, machine.configuration.stat().st_gid) == (os.getuid(), os.getgid())


@pytest.mark.skipif(os.getuid() != 0, reason='only root gives files away')
def test_files_are_given_to_the_account_and_the_unit_is_not(machine):
    nobody = pwd.getpwnam('nobody')
    machine.by_law(**node(machine, owner='nobody'))
    assert machine.configuration.stat().st_uid == (machine.folder / 'fe').stat().st_uid == nobody.pw_uid
    assert machine.unit.stat().st_uid == 0
    os.chown(machine.configuration, 0, -1)
    result, dummy = machine.by_law(**node(machine, owner='nobody'))
    assert '(%d:' % nobody.pw_uid in shown(result) and machine.configuration.stat().st_uid == nobody.pw_uid


def test_a_unit_of_the_system_lies_where_the_administrator_puts_units(machine):
    result = machine.module(check_mode=True, scope='system', name='starrocks-unit-test', unit=UNIT)
    assert '/etc/systemd/system/starrocks-unit-test.service' in shown(result)
    assert '--user' not in (machine.state / 'calls').read_text()


# --- systemd that fails ----------------------------------------------------------------------------------------------


def test_without_systemd_the_check_goes_on_and_the_run_says_what_to_do(machine):
    (machine.state / 'refuse').write_text('show')
    assert machine.module(check_mode=True, **node(machine))['changed'] is True
    result = machine.module(**node(machine))
    assert result['failed'] and 'systemd does not answer on this host: Access denied' in result['msg']
    assert 'loginctl enable-linger' in result['msg']


@pytest.mark.parametrize('verb', ['daemon-reload', 'enable', 'start'])
def test_what_systemctl_says_is_the_error(machine, verb):
    (machine.state / 'refuse').write_text(verb)
    result = machine.module(state='started', **node(machine))
    assert result['failed'] and 'systemctl %s' % verb in result['msg'] and 'Access denied' in result['msg']


# --- started ---------------------------------------------------------------------------------------------------------


def test_a_start_waits_until_the_process_listens(machine):
    port = free_port()
    machine.runs(LISTENS.replace('PORT', str(port)))
    result, calls = machine.by_law(state='started', wait_ports=[port], **node(machine))
    assert calls[-1] == 'start starrocks-fe.service'
    assert (result['started'], result['active'], result['main_pid']) == (True, True, machine.pid())
    assert result['pending_restart'] == []
    socket.create_connection(('127.0.0.1', port), timeout=5).close()


def test_files_that_changed_after_the_process_began_wait_for_a_restart(machine):
    stamp = machine.folder / 'release'
    stamp.write_text('3.5.0\n')
    arguments = node(machine, restart_on=[str(stamp)])
    machine.module(state='started', **arguments)
    pid = machine.pid()
    result, calls = machine.by_law(**dict(arguments, state='started', files=[
        {'path': str(machine.configuration), 'content': CONFIGURATION + 'query_port = 9030\n'}]))
    assert result['pending_restart'] == [str(machine.configuration)] and result['started'] is False
    assert calls == [] and machine.pid() == pid
    stamp.write_text('3.5.1\n')
    assert machine.module(**arguments)['pending_restart'] == sorted([str(machine.configuration), str(stamp)])
    machine.module(state='stopped')
    assert machine.module(**arguments)['pending_restart'] == []


def test_a_process_that_never_listens_fails_the_start_with_its_log(machine):
    log = machine.folder / 'fe.log'
    log.write_text('line 1\nport is taken\n')
    port = free_port()
    result = machine.module(state='started', wait_ports=[port], wait_timeout=1, logs=[str(log)], **node(machine))
    assert result['failed'] and result['started'] and result['changed'] and result['diff']
    assert 'after 1 s it does not listen on port %d' % port in result['msg']
    assert '%s:\n  line 1\n  port is taken' % log in result['msg']
    assert result['logs'] == {str(log): ['line 1', 'port is taken']}


def test_a_process_that_ends_fails_the_start_at_once_and_the_next_start_mends_it(machine):
    machine.runs(DIES)
    began = time.monotonic()
    result = machine.module(state='started', wait_ports=[free_port()], logs=['/nowhere.log'], **node(machine))
    assert time.monotonic() - began < 10
    assert result['failed'] and 'ended again and again' in result['msg'] and '(none of /nowhere.log' in result['msg']
    machine.runs(SLEEPS)
    result, calls = machine.by_law(state='started', **node(machine))
    assert calls == ['reset-failed starrocks-fe.service', 'start starrocks-fe.service'] and result['active']


def test_a_process_that_systemd_starts_again_and_again_is_not_waited_for(machine):
    machine.runs(DIES)
    (machine.state / 'restarts').write_text('0\n')
    result = machine.module(state='started', wait_ports=[free_port()], **node(machine))
    assert result['failed'] and 'ended again and again' in result['msg']


def test_a_unit_whose_condition_does_not_hold_is_not_waited_for(machine):
    (machine.state / 'condition').touch()
    result = machine.module(state='started', **node(machine))
    assert result['failed'] and 'a condition of the unit does not hold' in result['msg']


# --- the first start of a front end ----------------------------------------------------------------------------------


class FrontEnd:
    """Where a front end keeps what says that it has joined."""

    def __init__(self, machine):
        self.meta = machine.folder / 'fe' / 'meta'
        self.role = self.meta / 'image' / 'ROLE'
        self.file = machine.folder / 'fe' / 'first_start.env'

    def joins(self):
        self.role.parent.mkdir(parents=True)
        self.role.write_text('role=FOLLOWER\n')

    def arguments(self, **first_start):
        result = {'state': 'started', 'metadata': str(self.role)}
        if first_start:
            result['first_start'] = dict({'file': str(self.file)}, **first_start)
        return result


@pytest.mark.parametrize('first_start', [{}, {'done': True}], ids=['none', 'done'])
@pytest.mark.parametrize('check_mode', [True, False])
def test_a_front_end_without_metadata_is_not_started_by_itself(machine, first_start, check_mode):
    front_end = FrontEnd(machine)
    machine.module(**node(machine))
    machine.calls()
    result = machine.module(check_mode=check_mode, **front_end.arguments(**first_start))
    assert result['failed'] and 'started now it would found a cluster of its own' in result['msg']
    assert machine.calls() == [] and machine.pid() == 0


def test_a_first_start_stands_until_the_front_end_has_joined(machine):
    front_end = FrontEnd(machine)
    machine.module(**node(machine))
    result, dummy = machine.by_law(**front_end.arguments(arguments='--helper 10.0.0.1:9010'))
    assert result['started'] and result['set_aside'] is None
    assert 'STARROCKS_FIRST_START_ARGUMENTS=--helper 10.0.0.1:9010\n' in front_end.file.read_text()
    front_end.joins()
    result, calls = machine.by_law(**front_end.arguments(done=True))
    assert not front_end.file.exists() and calls == [] and result['started'] is False
    assert front_end.role.exists()


def test_a_member_starts_again_without_a_first_start(machine):
    front_end = FrontEnd(machine)
    machine.module(**node(machine))
    front_end.joins()
    result, dummy = machine.by_law(**front_end.arguments())
    assert result['started'] and not front_end.file.exists()


def test_metadata_of_an_unfinished_join_is_set_aside(machine):
    front_end = FrontEnd(machine)
    machine.module(**node(machine))
    front_end.joins()
    front_end.meta.chmod(0o750)
    front_end.file.write_text('of the join before\n')
    result, dummy = machine.by_law(**front_end.arguments(set_aside=str(front_end.meta)))
    moved = pathlib.Path(result['set_aside'])
    assert moved.name.startswith('meta.unfinished-') and (moved / 'image' / 'ROLE').exists()
    assert list(front_end.meta.iterdir()) == [] and mode(front_end.meta) == 0o750


@pytest.mark.parametrize('check_mode', [True, False])
def test_metadata_of_a_member_is_never_set_aside(machine, check_mode):
    front_end = FrontEnd(machine)
    machine.module(**node(machine))
    front_end.joins()
    before = machine.tree()
    result = machine.module(check_mode=check_mode, **front_end.arguments(set_aside=str(front_end.meta)))
    assert result['failed'] and 'was a member of a cluster, and is not moved' in result['msg']
    assert machine.tree() == before


# --- stopped and absent ----------------------------------------------------------------------------------------------


def test_a_stop_ends_the_process_and_touches_no_file(machine):
    log = machine.folder / 'fe.log'
    log.write_text('bye\n')
    machine.module(state='started', **node(machine))
    pid = machine.pid()
    result, calls = machine.by_law(state='stopped', logs=[str(log)])
    assert calls == ['stop starrocks-fe.service'] and not os.path.exists('/proc/%d' % pid)
    assert (result['active'], result['enabled'], result['logs']) == (False, True, {str(log): ['bye']})
    assert machine.configuration.exists() and machine.unit.exists()


def test_a_process_that_outlives_its_stop_is_named(machine):
    machine.runs(DOES_NOT_END)
    machine.module(state='started', **node(machine))
    pid = machine.pid()
    time.sleep(0.5)  # until it ignores the signal
    try:
        result = machine.module(state='stopped', wait_timeout=1)
        assert result['failed'] and 'Process %d of starrocks-fe.service is still there' % pid in result['msg']
    finally:
        os.kill(pid, signal.SIGKILL)


def test_absent_takes_away_what_it_was_given_and_nothing_else(machine):
    machine.module(state='started', **node(machine))
    data = machine.folder / 'data'
    (data / 'tablets').mkdir(parents=True)
    kept = machine.folder / 'kept'
    kept.mkdir()
    link = machine.folder / 'link'
    link.symlink_to(kept)
    pid = machine.pid()
    result, calls = machine.by_law(state='absent', remove=[str(data), str(link)], files=node(machine)['files'])
    assert calls == ['stop starrocks-fe.service', 'disable starrocks-fe.service', 'daemon-reload']
    assert not os.path.exists('/proc/%d' % pid) and (result['active'], result['enabled']) == (False, False)
    assert not machine.unit.exists() and not machine.configuration.exists() and not data.exists()
    assert kept.is_dir() and not link.is_symlink() and (machine.folder / 'fe').is_dir()
    assert '+++ %s (absent)' % data in shown(result)


def test_of_a_mount_point_only_what_is_in_it_goes_away(machine, monkeypatch):
    data = machine.folder / 'data1'
    (data / 'tablets').mkdir(parents=True)
    (data / 'cluster_id').write_text('1\n')
    # A mount of its own needs root.
    monkeypatch.setattr(os.path, 'ismount', lambda path: path == str(data))
    result, dummy = machine.by_law(state='absent', remove=[str(data)])
    assert data.is_dir() and list(data.iterdir()) == []
    assert len(result['diff']) == 2


# --- restarted -------------------------------------------------------------------------------------------------------

OLD, NEW = '3.4.4', '3.5.0'


@pytest.fixture(name='releases', scope='module')
def _releases(tmp_path_factory):
    """{version: archive}"""
    folder = tmp_path_factory.mktemp('archives')
    return {version: write_archive(folder, version, release_members(version)) for version in (OLD, NEW)}


def have_release(machine, releases, version, **changes):
    result = run_release(src=releases[version], remote_src=True, dest=machine.folder, version=version, component='fe',
                         **changes)
    assert not result['failed'], result


def wanted_release(machine, version):
    return {'component': 'fe', 'dest': str(machine.folder), 'version': version}


def runs_version(machine):
    return (machine.folder / 'fe' / 'bin' / 'start_fe.sh').read_text().split()[-1]


def test_a_restart_is_a_new_process_with_new_files(machine):
    machine.module(**node(machine, state='started'))
    before = machine.pid()
    machine.calls()
    changed = node(machine, state='restarted', files=[{'path': str(machine.configuration), 'content': 'a = 1\n'}])
    foretold = machine.module(check_mode=True, **changed)
    assert foretold['changed'] and machine.calls() == [] and machine.pid() == before
    assert machine.configuration.read_text() == CONFIGURATION and 'seconds' not in foretold
    done = machine.module(**changed)
    assert machine.calls() == ['stop starrocks-fe.service', 'start starrocks-fe.service']
    assert machine.pid() not in (0, before) and machine.configuration.read_text() == 'a = 1\n'
    assert (done['started'], done['active'], done['pending_restart']) == (True, True, [])
    assert set(done['seconds']) == {'stop', 'change', 'start'} and len(foretold['diff']) == len(done['diff'])


def test_a_node_that_does_not_run_is_started(machine):
    machine.module(**node(machine))
    assert machine.module(**node(machine, state='restarted'))['active'] and machine.pid()


def test_the_release_is_changed_while_the_process_is_gone(machine, releases):
    have_release(machine, releases, OLD)
    machine.module(**node(machine, state='started'))
    have_release(machine, releases, NEW, state='staged')
    asked = node(machine, state='restarted', release=wanted_release(machine, NEW))
    foretold = machine.module(check_mode=True, **asked)
    assert foretold['changed'] and runs_version(machine) == OLD and 'bin.bak-3.4.4' in shown(foretold)
    done = machine.module(**asked)
    assert (runs_version(machine), done['previous_version'], done['active']) == (NEW, OLD, True)
    assert (machine.folder / 'fe' / 'lib.bak-3.4.4' / 'starrocks-fe.jar').exists()
    # And back, from what was kept.
    done = machine.module(**node(machine, state='restarted', release=dict(wanted_release(machine, OLD),
                                                                          source='backup')))
    assert (runs_version(machine), done['previous_version'], done['failed']) == (OLD, NEW, False)


def test_a_node_that_needs_no_change_is_left_alone_when_that_is_wished(machine, releases):
    have_release(machine, releases, OLD)
    machine.module(**node(machine, state='started'))
    before = machine.pid()
    asked = node(machine, state='restarted', as_needed=True, release=wanted_release(machine, OLD))
    result = machine.module(**asked)
    assert (result['changed'], result['started'], machine.pid()) == (False, False, before)
    os.kill(before, signal.SIGKILL)
    while os.path.exists('/proc/%d' % before):
        time.sleep(0.01)
    result = machine.module(**asked)
    assert (result['changed'], result['started']) == (True, True) and machine.pid() not in (0, before)


def test_a_release_that_is_not_there_stops_nothing(machine, releases):
    have_release(machine, releases, OLD)
    machine.module(**node(machine, state='started'))
    before = machine.pid()
    machine.calls()
    result = machine.module(**node(machine, state='restarted', release=wanted_release(machine, NEW)))
    assert result['failed'] and 'was not stopped, since its release cannot be changed' in result['msg']
    assert machine.pid() == before and machine.calls() == []


def test_a_process_is_given_time_to_take_its_leave(machine):
    left, ready = machine.folder / 'left', machine.folder / 'ready'
    machine.runs(TAKES_LEAVE.replace('LEFT', str(left)).replace('READY', str(ready)))
    machine.module(**node(machine, state='started'))
    while not ready.exists():
        time.sleep(0.01)
    machine.calls()
    result = machine.module(**node(machine, state='restarted', stop_signal='SIGUSR1'))
    assert not result['failed'] and left.exists()
    assert machine.calls()[:2] == ['kill --kill-who=main --signal=SIGUSR1 starrocks-fe.service',
                                   'stop starrocks-fe.service']


def test_one_that_does_not_take_its_leave_is_stopped(machine):
    machine.runs(PYTHON % (sys.executable, 'import signal, time; signal.signal(10, signal.SIG_IGN); time.sleep(60)'))
    machine.module(**node(machine, state='started'))
    before = machine.pid()
    time.sleep(0.3)
    result = machine.module(**node(machine, state='restarted', stop_signal='SIGUSR1', stop_signal_timeout=0))
    assert not result['failed'] and machine.pid() not in (0, before)
