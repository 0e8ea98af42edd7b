#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_node
short_description: Make one StarRocks node on this host what it should be
description:
  - Compares all that a node is made of on its host (directories, configuration files, systemd unit, enabled, running)
    with what is there, in one run, and changes what differs.
  - It never restarts a running process, but with O(state=restarted). Files that changed after the process began are
    returned as C(pending_restart).
  - A front end that has no metadata is started only with O(first_start), so that no second cluster comes to be.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  name:
    description: Name of the systemd unit, without C(.service).
    type: str
    required: true
  state:
    description:
      - V(present) makes directories, files and the unit, and leaves the process as it is.
      - V(started) also starts the process where it does not run, and waits until it listens on O(wait_ports).
      - V(restarted) stops the process, changes the release if O(release) asks for it, makes directories, files and the
        unit, and starts it, in one run, so that it is down no longer than it must. What can be seen to fail is refused
        before the process is stopped.
      - V(stopped) stops the process and makes sure that it is gone. Files are not touched.
      - V(absent) stops and disables it, removes the unit, the files, and the paths of O(remove).
    type: str
    choices: [present, started, restarted, stopped, absent]
    default: present
  scope:
    description: Whether the unit belongs to the system or to the user who runs the module (C(systemctl --user)).
    type: str
    choices: [system, user]
    default: system
  owner:
    description: Owner of directories and files. Not changed when left out.
    type: str
  group:
    description: Group of directories and files. Not changed when left out.
    type: str
  directories:
    description: Absolute paths of directories that must exist, parents first. What is in them is not touched.
    type: list
    elements: path
    default: []
  directory_mode:
    description: Permission bits of the directories, as an octal string.
    type: str
    default: '0755'
  files:
    description: Files that must exist with just this content.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: The whole content. Never logged; settings with secret names are masked in the diff.
        type: str
        required: true
      mode:
        description: Permission bits, as an octal string.
        type: str
        default: '0640'
  unit:
    description: Content of the unit file. The unit is not touched when left out.
    type: str
  enabled:
    description: Whether the unit starts with the host. Not changed when left out.
    type: bool
  restart_on:
    description: Further paths whose change asks for a restart, the stamp of the release for example.
    type: list
    elements: path
    default: []
  metadata:
    description:
      - For a front end, the file that shows that it has joined a cluster (C(image/ROLE) in its C(meta_dir)).
      - Without that file, O(state=started) is refused unless O(first_start) is given or was given before.
    type: path
  first_start:
    description: The first start of a front end. Its file stands until it is taken away with O(first_start.done=true).
    type: dict
    suboptions:
      file:
        description: Where the arguments are kept until the front end has joined; the unit reads them there.
        type: path
        required: true
      arguments:
        description:
          - What C(start_fe.sh) gets, C(--helper host:port) for example.
          - Empty for the one front end that founds a cluster.
        type: str
        default: ''
      done:
        description: Take the file away, since the front end has joined.
        type: bool
        default: false
      set_aside:
        description:
          - Rename this path (the metadata of a join that did not come to its end) out of the way before the start.
          - Refused unless O(first_start.file) exists, which says that it never was a member.
        type: path
  release:
    description: >-
      With O(state=restarted), the release that the node is to run after, see
      M(starrocks.cluster.starrocks_switch).
    type: dict
    suboptions:
      component:
        description: The component, named as its folder.
        type: str
        choices: [apache_hdfs_broker, be, fe]
        required: true
      dest:
        description: The folder that holds the component's folder.
        type: path
        required: true
      version:
        description: The version to run.
        type: str
        required: true
      source:
        description: Where its files are, V(staged) or V(backup). V(auto) takes the staged ones where they are complete.
        type: str
        choices: [auto, staged, backup]
        default: auto
      keep:
        description: How many earlier versions are kept.
        type: int
        default: 2
  as_needed:
    description: >-
      With O(state=restarted), leave a process alone that runs, and the node's files with it, when O(release) asks for
      no change. That is how a node is put back, whether it was changed or not.
    type: bool
    default: false
  stop_signal:
    description:
      - Signal that the main process gets first, so that it ends in its own time. V(SIGUSR1) makes a front end of 3.4
        and later hand over and let its queries end.
      - If it has not ended after O(stop_signal_timeout), the unit is stopped as always.
    type: str
  stop_signal_timeout:
    description: Seconds that the process has after O(stop_signal).
    type: int
    default: 90
  wait_ports:
    description: TCP ports that the process must listen on after a start. With V([]) only the process is looked at.
    type: list
    elements: int
    default: []
  wait_timeout:
    description: Seconds to wait for a start or a stop.
    type: int
    default: 120
  logs:
    description: Log files whose last lines are shown when a start fails, and returned after a stop.
    type: list
    elements: path
    default: []
  remove:
    description: Paths that O(state=absent) removes with all that is in them.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    description: Says what would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows each file and folder that changes, secret settings masked.
    support: full
'''

EXAMPLES = r'''
- name: Stop the back end of this host and be sure that it is gone
  starrocks.cluster.starrocks_node:
    name: starrocks-be
    state: stopped

- name: Start it, and wait until it listens for heartbeats
  starrocks.cluster.starrocks_node:
    name: starrocks-be
    state: started
    wait_ports: [9050]
    logs: [/var/log/starrocks/be/be.WARNING]
'''

RETURN = r'''
active:
  description: Whether the process runs, as systemd sees it.
  type: bool
  returned: always
enabled:
  description: Whether the unit starts with the host.
  type: bool
  returned: always
main_pid:
  description: Process id of the unit, 0 when it does not run.
  type: int
  returned: always
seconds:
  description: How long the process was stopping, its files were changed, and it was starting until it listened.
  type: dict
  returned: with O(state=restarted), not in check mode
  sample: {stop: 3.4, change: 0.1, start: 8.2}
previous_version:
  description: The version that was installed before.
  type: str
  returned: with O(release)
started:
  description: Whether this run started the process.
  type: bool
  returned: always
pending_restart:
  description: Paths that changed after the process began; it must be restarted to see them.
  type: list
  elements: str
  returned: always
set_aside:
  description: Where the metadata of an unfinished join was moved to.
  type: str
  returned: when it was moved
logs:
  description: The last lines of the log files of O(logs), by path.
  type: dict
  returned: when a start failed, and with O(state=stopped)
'''

import grp
import os
import pwd
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _switch
from ansible_collections.starrocks.cluster.plugins.module_utils._files import Files
from ansible_collections.starrocks.cluster.plugins.module_utils._node import (
    UNIT_PROPERTIES,
    first_start_text,
    listening_ports,
    parse_properties,
    pending_restart,
    process_start_time,
    tail,
    unit_state,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError, explain


class Host(Files):
    """Reads and changes the host; in check mode it only reads."""

    def __init__(self, module):
        super(Host, self).__init__(module)
        scope = module.params['scope']
        self.systemctl = [module.get_bin_path('systemctl', required=True)] + (['--user'] if scope == 'user' else [])
        if scope == 'user':
            runtime = '/run/user/%d' % os.getuid()
            module.run_command_environ_update = {
                'XDG_RUNTIME_DIR': runtime, 'DBUS_SESSION_BUS_ADDRESS': 'unix:path=%s/bus' % runtime}
            self.unit_folder = os.path.join(pwd.getpwuid(os.getuid()).pw_dir, '.config/systemd/user')
        else:
            self.unit_folder = '/etc/systemd/system'
        self.unit = module.params['name'] + '.service'
        self.unit_path = os.path.join(self.unit_folder, self.unit)
        self.owner = self._id(pwd.getpwnam, 'owner')
        self.group = self._id(grp.getgrnam, 'group')

    def _id(self, lookup, option):
        """Return the number of the account or group; -1 leaves it as it is (also in check mode before it exists)."""
        name = self.module.params[option]
        if name is None:
            return -1
        try:
            return lookup(name)[2]
        except KeyError:
            if self.check_mode:
                return -1
            self.module.fail_json(msg="The %s '%s' does not exist on this host. Run the role "
                                      "starrocks.cluster.prerequisites first, or create it." % (option, name))

    def systemd(self, *arguments):
        """Run systemctl; what it says on failure is the error."""
        status, dummy, error = self.module.run_command(self.systemctl + list(arguments))
        if status != 0:
            self.module.fail_json(msg="systemctl %s failed on this host: %s" % (' '.join(arguments), error.strip()))

    def state(self):
        """Return the unit's state as _node.unit_state gives it."""
        status, output, error = self.module.run_command(
            self.systemctl + ['show', self.unit, '--property=' + ','.join(UNIT_PROPERTIES)])
        if status != 0:
            if self.check_mode:
                return unit_state({})
            self.module.fail_json(
                msg="systemd does not answer on this host: %s. For scope 'user' the account needs lingering once "
                    "(loginctl enable-linger ACCOUNT, by an administrator)." % error.strip())
        return unit_state(parse_properties(output))

    def process_started(self, pid):
        """Return when the process began in epoch seconds, None where there is none."""
        try:
            with open('/proc/%d/stat' % pid) as handle:
                stat = handle.read()
            with open('/proc/uptime') as handle:
                uptime = float(handle.read().split()[0])
        except (IOError, OSError):
            return None
        return process_start_time(stat, uptime, time.time(), os.sysconf('SC_CLK_TCK'))


def converge(host, params):
    """Make directories, files and unit; return the unit's state, enabled as asked for."""
    for path in params['directories']:
        host.directory(path, params['directory_mode'])
    for wanted in params['files']:
        host.file(wanted['path'], wanted['content'], wanted['mode'])
    unit_changed = params['unit'] is not None and host.file(host.unit_path, params['unit'], '0644', owned=False)
    state = host.state()
    if (unit_changed or state['reload_needed']) and not host.check_mode:
        host.systemd('daemon-reload')
    enable(host, state, params['enabled'])
    return state


def enable(host, state, wanted):
    """Enable or disable the unit where it differs."""
    if wanted is None or state['enabled'] == wanted:
        return
    words = {True: 'enabled', False: 'disabled'}
    host.note('--- %s %s\n+++ %s %s\n' % (host.unit, words[state['enabled']], host.unit, words[wanted]))
    if not host.check_mode:
        host.systemd('enable' if wanted else 'disable', host.unit)
    state['enabled'] = wanted


def prepare_first_start(host, params):
    """Write first_start.env and set unfinished metadata aside; return where to."""
    first = params['first_start']
    moved = None
    if first['set_aside'] and os.path.lexists(first['set_aside']):
        if not os.path.exists(first['file']):
            host.module.fail_json(
                msg="%s holds the metadata of a front end that was a member of a cluster, and is not moved. If it may "
                    "go, move it aside by hand and run again." % first['set_aside'])
        moved = '%s.unfinished-%d' % (first['set_aside'], time.time())
        host.note('--- %s\n+++ %s\n' % (first['set_aside'], moved))
        if not host.check_mode:
            status = os.stat(first['set_aside'])
            os.rename(first['set_aside'], moved)
            os.mkdir(first['set_aside'], status.st_mode & 0o7777)
            os.chown(first['set_aside'], status.st_uid, status.st_gid)
    host.file(first['file'], first_start_text(first['arguments']), '0644')
    return moved


def refuse_start_without_metadata(host, params):
    """Rule: an FE without metadata never starts without a first start (it would found a cluster of its own)."""
    if not params['metadata'] or os.path.exists(params['metadata']):
        return
    first = params['first_start']
    if first and (not first['done'] or os.path.exists(first['file'])):
        return
    host.module.fail_json(
        msg="%s has no metadata (%s is absent): started now it would found a cluster of its own. Run "
            "starrocks.cluster.deploy, which lets it join." % (host.unit, params['metadata']))


def start(host, params, state):
    """Start the unit and wait until its process listens; fail with the end of its logs."""
    restarts = 0 if state['failed'] else state['restarts']
    if not (state['active'] or state['starting']):
        refuse_start_without_metadata(host, params)
        host.note('--- %s stopped\n+++ %s running\n' % (host.unit, host.unit))
        if host.check_mode:
            return dict(state, active=True)
        if state['failed']:
            host.systemd('reset-failed', host.unit)
        host.systemd('start', host.unit)
    deadline = time.time() + params['wait_timeout']
    while True:
        state = host.state()
        missing = sorted(set(params['wait_ports']) - listening_ports())
        if state['active'] and not missing:
            return state
        if not state['condition_met']:
            fail_start(host, params, 'systemd did not start it, since a condition of the unit does not hold')
        if state['failed'] or state['restarts'] > restarts + 2:
            fail_start(host, params, 'its process ended again and again after the start')
        if time.time() > deadline:
            fail_start(host, params, 'after %d s it does not listen on %s' % (
                params['wait_timeout'], ', '.join('port %d' % port for port in missing) or 'its ports'))
        time.sleep(0.25)


def fail_start(host, params, reason):
    """Fail with the reason and what the process wrote last."""
    logs = {path: tail(path) for path in params['logs']}
    shown = ['%s:\n  %s' % (path, '\n  '.join(lines)) for path, lines in sorted(logs.items()) if lines]
    host.module.fail_json(
        msg='%s did not start on this host: %s. Its logs end so:\n%s' % (
            host.unit, reason, '\n'.join(shown) or '(none of %s has a line)' % ', '.join(params['logs'])),
        logs=logs, started=True, changed=True, diff=host.diff)


def ask_to_end(host, params, pid):
    """Send the main process the signal after which it ends in its own time, and give it that time."""
    host.systemd('kill', '--kill-who=main', '--signal=' + params['stop_signal'], host.unit)
    deadline = time.time() + params['stop_signal_timeout']
    # systemd would start it again a few seconds after its end.
    while os.path.exists('/proc/%d' % pid) and time.time() < deadline:
        time.sleep(0.05)


def stop(host, params, state):
    """Stop the unit and make sure that its process is gone."""
    if not (state['active'] or state['starting']):
        return state
    host.note('--- %s running\n+++ %s stopped\n' % (host.unit, host.unit))
    if host.check_mode:
        return dict(state, active=False, starting=False, main_pid=0)
    pid = state['main_pid']
    if pid and params['stop_signal']:
        ask_to_end(host, params, pid)
    host.systemd('stop', host.unit)
    deadline = time.time() + params['wait_timeout']
    while pid and os.path.exists('/proc/%d' % pid):
        if time.time() > deadline:
            host.module.fail_json(msg="Process %d of %s is still there %d s after systemd stopped it. Look at "
                                      "'systemctl status %s'." % (pid, host.unit, params['wait_timeout'], host.unit))
        time.sleep(0.1)
    return host.state()


def prepare_release(module, host):
    """Return what _switch.prepare says of the release asked for, None without one. Fails before anything is touched."""
    wish = module.params['release']
    if wish is None:
        return None
    try:
        return _switch.prepare(os.path.join(wish['dest'], wish['component']), wish['component'], wish['version'],
                               source=wish['source'], keep=wish['keep'],
                               owner=tuple(number if number >= 0 else None for number in (host.owner, host.group)),
                               run_command=module.run_command)
    except (ReleaseError, EnvironmentError) as error:
        module.fail_json(msg='%s was not stopped, since its release cannot be changed: %s' % (host.unit, told(error)))


def told(error):
    """Return an error of the release's files as a sentence."""
    return str(error) if isinstance(error, ReleaseError) else explain(error)


def restart(host, params, state, release):
    """Stop, change what is to be changed, start. Returns (state, seconds of each)."""
    if params['as_needed'] and state['active'] and not (release is not None and release.changed):
        return state, {}
    refuse_start_without_metadata(host, params)
    marks = [time.time()]
    state = stop(host, params, state)
    marks.append(time.time())
    if release is not None and release.changed:
        host.note(release.diff)
        if not host.check_mode:
            try:
                release.apply()
            except (ReleaseError, EnvironmentError) as error:
                host.module.fail_json(
                    msg='%s is stopped, and its release was not changed to the end: %s Run the same again to finish, '
                        'or go back to %s.' % (host.unit, told(error), release.previous_version),
                    diff=host.diff, changed=True)
            for text in release.warnings:
                host.module.warn(text)
    converge(host, params)
    marks.append(time.time())
    state = start(host, params, dict(state, active=False, starting=False) if host.check_mode else host.state())
    marks.append(time.time())
    names = ('stop', 'change', 'start')
    return state, {name: round(end - begin, 3) for name, begin, end in zip(names, marks, marks[1:])}


def absent(host, params, state):
    """Stop, disable and remove."""
    state = stop(host, params, state)
    if state['loaded']:
        enable(host, state, False)
    host.remove(host.unit_path)
    if host.changed and not host.check_mode:
        host.systemd('daemon-reload')
    for wanted in params['files']:
        host.remove(wanted['path'])
    for path in params['remove']:
        host.remove(path)
    return state


def main():
    module = AnsibleModule(
        argument_spec=dict(
            name=dict(type='str', required=True),
            state=dict(type='str', choices=['present', 'started', 'restarted', 'stopped', 'absent'], default='present'),
            scope=dict(type='str', choices=['system', 'user'], default='system'),
            owner=dict(type='str'),
            group=dict(type='str'),
            directories=dict(type='list', elements='path', default=[]),
            directory_mode=dict(type='str', default='0755'),
            files=dict(type='list', elements='dict', default=[], options=dict(
                path=dict(type='path', required=True), content=dict(type='str', required=True, no_log=True),
                mode=dict(type='str', default='0640'))),
            unit=dict(type='str'),
            enabled=dict(type='bool'),
            restart_on=dict(type='list', elements='path', default=[]),
            metadata=dict(type='path'),
            first_start=dict(type='dict', options=dict(
                file=dict(type='path', required=True), arguments=dict(type='str', default=''),
                done=dict(type='bool', default=False), set_aside=dict(type='path'))),
            release=dict(type='dict', options=dict(
                component=dict(type='str', choices=['apache_hdfs_broker', 'be', 'fe'], required=True),
                dest=dict(type='path', required=True), version=dict(type='str', required=True),
                source=dict(type='str', choices=['auto', 'staged', 'backup'], default='auto'),
                keep=dict(type='int', default=2))),
            as_needed=dict(type='bool', default=False),
            stop_signal=dict(type='str'),
            stop_signal_timeout=dict(type='int', default=90),
            wait_ports=dict(type='list', elements='int', default=[]),
            wait_timeout=dict(type='int', default=120),
            logs=dict(type='list', elements='path', default=[]),
            remove=dict(type='list', elements='path', default=[]),
        ),
        supports_check_mode=True,
    )
    params = module.params
    host = Host(module)
    result = {'started': False}
    if params['state'] == 'absent':
        state = absent(host, params, host.state())
    elif params['state'] == 'restarted':
        release = prepare_release(module, host)
        state, seconds = restart(host, params, host.state(), release)
        result['started'] = host.changed
        if release is not None:
            result['previous_version'] = release.previous_version
        if not host.check_mode:
            result['seconds'] = seconds
    elif params['state'] == 'stopped':
        state = stop(host, params, host.state())
        result['logs'] = {path: tail(path) for path in params['logs']}
    else:
        state = converge(host, params)
        first = params['first_start']
        if first and first['done']:
            host.remove(first['file'])
        if params['state'] == 'started':
            result['started'] = not (state['active'] or state['starting'])
            if first and not first['done'] and result['started']:
                result['set_aside'] = prepare_first_start(host, params)
            state = start(host, params, state)
    watched = [wanted['path'] for wanted in params['files']] + params['restart_on'] + [host.unit_path]
    modified = {path: os.stat(path).st_mtime for path in watched if os.path.exists(path)}
    begun = host.process_started(state['main_pid']) if state['active'] and state['main_pid'] else None
    result.update(changed=host.changed, diff=host.diff, active=state['active'], enabled=state['enabled'],
                  main_pid=state['main_pid'], pending_restart=pending_restart(modified, begun))
    module.exit_json(**result)


if __name__ == '__main__':
    main()
