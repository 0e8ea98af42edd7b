#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_prerequisites
short_description: Set what StarRocks asks of its host
description:
  - Limits of logins, PAM and the SSH server, kernel settings, transparent huge pages, swap, I/O scheduler, time, time
    zone, locale, host names, SELinux and firewall, in one run on the host.
  - Each part is switched on by its option and left alone without it.
  - Files of the collection's own are written whole. In files of others, lines are added between marks or put out of
    force behind one, and what a value of the kernel was is kept beside the new one, so that O(state=absent) gives back
    what was there.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  state:
    description:
      - V(present) sets the parts that are switched on.
      - >-
        V(absent) takes back all that this module has set on the host, whichever parts are switched on. Time zone and
        chrony stay, since logs and clocks of the host count on them.
    type: str
    choices: [present, absent]
    default: present
  user:
    description: The service account, whose logins get the limits and the locale.
    type: str
    required: true
  limits:
    description: Limits of logins, in a file of C(limits.d). They do not reach units, which have their own.
    type: dict
    suboptions:
      path:
        description: The file.
        type: path
        default: /etc/security/limits.d/99-starrocks.conf
      nofile:
        description: Open files, a number or V(infinity).
        type: str
        default: '655350'
      nproc:
        description: Processes and threads, a number or V(infinity).
        type: str
        default: '65535'
      memlock:
        description: Locked memory in bytes, or V(infinity).
        type: str
        default: infinity
      stack:
        description: Stack in bytes, or V(infinity).
        type: str
        default: infinity
  pam:
    description:
      - Have C(/etc/pam.d/login) and C(/etc/pam.d/sshd) set limits (C(pam_limits.so)), where neither they nor what they
        include does.
    type: bool
    default: false
  sshd:
    description:
      - Have the SSH server use PAM (C(UsePAM yes)), where it does not, since limits have no effect otherwise.
      - The new configuration has to pass C(sshd -t) before it takes the old one's place; the server is then reloaded,
        never restarted.
    type: bool
    default: false
  hosts:
    description: Entries of C(/etc/hosts), for clusters that know each other by name.
    type: list
    elements: dict
    suboptions:
      address:
        description: The address.
        type: str
        required: true
      names:
        description: Its names, the canonical one first.
        type: list
        elements: str
        required: true
  timezone:
    description: Name of the time zone, V(Asia/Shanghai) for example.
    type: str
  time:
    description: >-
      Keep the clock right with chrony, which has to be installed. Another time client that runs already is left to do
      it.
    type: dict
    suboptions:
      servers:
        description: Time servers, instead of those that the distribution has set.
        type: list
        elements: str
        default: []
      timeout:
        description:
          - Seconds to wait for the clock to be synchronised once something about it has changed. A clock that is not
            is a warning, not a failure.
        type: int
        default: 60
  sysctl:
    description: Settings of the kernel, in a file of C(sysctl.d) and in force at once.
    type: dict
    suboptions:
      path:
        description: The file. It should be the last one in the order of names.
        type: path
        default: /etc/sysctl.d/99-zz-starrocks.conf
      settings:
        description:
          - Name to value, V(vm.swappiness=0) for example.
          - >-
            C(net.core.somaxconn), C(vm.max_map_count), C(kernel.threads-max) and C(kernel.pid_max) are raised to the
            value and never lowered.
        type: dict
        required: true
  huge_pages:
    description: Mode of transparent huge pages, now and after each boot.
    type: str
    choices: [always, madvise, never]
  swap_off:
    description: Switch swap off, now and in C(/etc/fstab).
    type: bool
    default: false
  io_scheduler:
    description: Schedulers of block devices, by a rule of udev.
    type: dict
    suboptions:
      rotational:
        description: Of disks that rotate, V(mq-deadline) for example.
        type: str
      solid_state:
        description: Of those that do not, V(none) or V(kyber) for example.
        type: str
  locale:
    description: Locale of the service account's logins, V(C.UTF-8) for example.
    type: str
  selinux:
    description: Mode of SELinux. To disable it takes a boot, until which it is permissive.
    type: str
    choices: [permissive, disabled]
  firewall:
    description: Let TCP ports in.
    type: dict
    suboptions:
      backend:
        description: What filters on this host.
        type: str
        choices: [firewalld, nftables]
        required: true
      ports:
        description: The ports.
        type: list
        elements: int
        required: true
      sources:
        description: Networks in CIDR form that may reach them. All without it.
        type: list
        elements: str
        default: []
      zone:
        description: Zone of firewalld. Its default zone without it.
        type: str
      chain:
        description: Chain of nftables that filters what comes in, as family, table and name.
        type: str
        default: inet filter input
  apply:
    description:
      - Whether the running kernel is changed (C(/proc/sys), huge pages, swap, I/O scheduler, SELinux), besides files.
        Switch it off where the host may not do that, in containers for example.
    type: bool
    default: true
attributes:
  check_mode:
    description: Says what would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows each file and each value that changes, and the commands that are run.
    support: full
'''

EXAMPLES = r'''
- name: Set limits and kernel settings for StarRocks
  starrocks.cluster.starrocks_prerequisites:
    user: starrocks
    limits: {nofile: 655350, nproc: 65535}
    pam: true
    sshd: true
    huge_pages: madvise
    sysctl:
      settings: {vm.overcommit_memory: 1, vm.swappiness: 0}

- name: Take all of it back
  starrocks.cluster.starrocks_prerequisites:
    state: absent
    user: starrocks
    limits: {}
    sysctl: {settings: {}}
'''

RETURN = r'''
parts:
  description: The parts that changed, or would change.
  type: list
  elements: str
  returned: success
  sample: [limits, kernel]
commands:
  description: The commands that were run, or would be run.
  type: list
  elements: str
  returned: success
  sample: [systemctl reload ssh.service]
time_client:
  description: The program that keeps the host's time; null where none runs.
  type: str
  returned: with O(state=present)
synchronised:
  description: Whether the clock is synchronised; null where that cannot be known.
  type: bool
  returned: with O(state=present)
'''

import ipaddress
import os
import re
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _prerequisites, _prerequisites_facts
from ansible_collections.starrocks.cluster.plugins.module_utils._files import Files
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight_facts import Reader, listeners, time_client

ROOT = '/'
"""Where the files of the host are. Tests lay out a host of their own."""

UNFINISHED = '/run/starrocks-prerequisites'
"""Names the parts whose files have changed and whose commands have not been run yet. A boot does what they do, and
takes the file away."""

LISTENING_SECONDS = 10
MOMENT_SECONDS = 1

ARGUMENTS = dict(
    state=dict(type='str', choices=['present', 'absent'], default='present'),
    user=dict(type='str', required=True),
    limits=dict(type='dict', options=dict(
        path=dict(type='path', default='/etc/security/limits.d/99-starrocks.conf'),
        nofile=dict(type='str', default='655350'), nproc=dict(type='str', default='65535'),
        memlock=dict(type='str', default='infinity'), stack=dict(type='str', default='infinity'))),
    pam=dict(type='bool', default=False),
    sshd=dict(type='bool', default=False),
    hosts=dict(type='list', elements='dict', options=dict(
        address=dict(type='str', required=True), names=dict(type='list', elements='str', required=True))),
    timezone=dict(type='str'),
    time=dict(type='dict', options=dict(
        servers=dict(type='list', elements='str', default=[]), timeout=dict(type='int', default=60))),
    sysctl=dict(type='dict', options=dict(
        path=dict(type='path', default='/etc/sysctl.d/99-zz-starrocks.conf'),
        settings=dict(type='dict', required=True))),
    huge_pages=dict(type='str', choices=['always', 'madvise', 'never']),
    swap_off=dict(type='bool', default=False),
    io_scheduler=dict(type='dict', options=dict(rotational=dict(type='str'), solid_state=dict(type='str'))),
    locale=dict(type='str'),
    selinux=dict(type='str', choices=['permissive', 'disabled']),
    firewall=dict(type='dict', options=dict(
        backend=dict(type='str', choices=['firewalld', 'nftables'], required=True),
        ports=dict(type='list', elements='int', required=True),
        sources=dict(type='list', elements='str', default=[]),
        zone=dict(type='str'), chain=dict(type='str', default='inet filter input'))),
    apply=dict(type='bool', default=True),
)


class Machine(Files):
    """A host whose parts are put in place."""

    def __init__(self, module, reader):
        super(Machine, self).__init__(module)
        self.reader = reader
        self.unfinished = reader.path(UNFINISHED)
        self.commands = []
        self.parts = []

    def run(self, words):
        """Run a command that changes the host; what it says on failure is the error."""
        self.commands.append(' '.join(words))
        self.note('+ %s\n' % self.commands[-1])
        if self.check_mode:
            return
        status, output, error = self.module.run_command(words)
        if status != 0:
            self.module.fail_json(
                msg="'%s' failed on this host: %s. Mend the cause and run again; what was done stays done." % (
                    ' '.join(words), (error.strip() or output.strip() or 'it says nothing')), diff=self.diff)

    def accept(self, words):
        """Return a check for Files.file: the command line has to accept the new text."""
        def check(path):
            status, output, error = self.module.run_command([path if word == '{}' else word for word in words])
            if status != 0:
                said = (error.strip() or output.strip()).replace(path, 'the new file')
                self.module.fail_json(msg="The new file is refused, and the old one stays: '%s' says: %s" % (
                    ' '.join(words), said))
        return check if words else None

    def put(self, wanted):
        """Have a file, or not."""
        path = self.reader.path(wanted.path)
        if wanted.text is None:
            return self.remove(path)
        # Files of others are reached through links that a distribution makes; our own are where they are.
        path = os.path.realpath(path) if wanted.mode is None else path
        return self.file(path, wanted.text, wanted.mode, check=self.accept(wanted.check))

    def link(self, wanted):
        """Have a symbolic link, in one step."""
        before = self.reader.link(wanted.path) or 'no link'
        self.note('--- %s -> %s\n+++ %s -> %s\n' % (wanted.path, before, wanted.path, wanted.target))
        if self.check_mode:
            return
        path = self.reader.path(wanted.path)
        if os.path.lexists(path + '.starrocks'):
            os.unlink(path + '.starrocks')
        os.symlink(wanted.target, path + '.starrocks')
        os.rename(path + '.starrocks', path)

    def set(self, wanted):
        """Write a value into the running kernel."""
        self.note('--- %s: %s\n+++ %s: %s\n' % (wanted.path, wanted.before, wanted.path, wanted.value))
        if self.check_mode:
            return
        try:
            with open(self.reader.path(wanted.path), 'w') as handle:
                handle.write(wanted.value + '\n')
        except (IOError, OSError) as error:
            self.module.fail_json(
                msg='%s cannot be set to %s on this host: %s. Where a host may not change its kernel (containers), set '
                    'starrocks_kernel_apply: false.' % (wanted.path, wanted.value, error.strerror), diff=self.diff)

    def read_unfinished(self):
        try:
            with open(self.unfinished) as handle:
                return set(handle.read().split())
        except (IOError, OSError):
            return set()

    def write_unfinished(self, names):
        """Keep which parts wait for their commands, so that a run that is cut off is made good by the next one."""
        if self.check_mode or names == self.read_unfinished():
            return
        if not names:
            os.unlink(self.unfinished)
            return
        with open(self.unfinished, 'w') as handle:
            handle.write('\n'.join(sorted(names)) + '\n')

    def converge(self, part, undo=False):
        """Put one part in place. What is undone is taken out of use before its files go."""
        noted, waiting = len(self.diff), self.read_unfinished()
        changes = [wanted for wanted in part.files if self.differs(wanted)]
        if part.after and changes:
            self.write_unfinished(waiting | {part.name})
        if undo:
            for words in part.commands:
                self.run(words)
        for wanted in part.files:
            self.put(wanted)
        for wanted in part.links:
            self.link(wanted)
        for wanted in part.settings:
            self.set(wanted)
        if not undo:
            for words in part.commands:
                self.run(words)
        if changes or part.name in waiting:
            before = listeners(self.reader) if part.listens else {}
            for words in part.after:
                self.run(words)
            self.wait_for(part.listens, before)
        self.write_unfinished(waiting - {part.name})
        if len(self.diff) > noted:
            self.parts.append(part.name)
        for text in part.warnings:
            self.module.warn(text)

    def wait_for(self, ports, before):
        """Wait until somebody listens anew on the ports; ``before``: port -> sockets that were there.

        A reload comes back before it is done. One that keeps its sockets is given a moment.
        """
        begun = time.time()
        while not self.check_mode:
            now, waited = listeners(self.reader), time.time() - begun
            if all(now.get(port) and (now[port] != before.get(port) or waited > MOMENT_SECONDS) for port in ports):
                return
            if waited > LISTENING_SECONDS:
                self.module.fail_json(
                    msg='Nobody listens on port %s of this host %d s after: %s. Look at it before the connection is '
                        'lost.' % (', '.join(map(str, ports)), LISTENING_SECONDS, self.commands[-1]), diff=self.diff)
            time.sleep(0.02)

    def differs(self, wanted):
        """Tell whether a file's text is another one than it should be."""
        try:
            with open(self.reader.path(wanted.path), 'rb') as handle:
                return handle.read().decode('utf-8', 'replace') != wanted.text
        except (IOError, OSError):
            return wanted.text is not None


def switched_on(wishes):
    """Return the names of the parts that are switched on."""
    options = {'kernel': wishes['sysctl'], 'swap': wishes['swap_off']}
    return [name for name, dummy, dummy in _prerequisites.PARTS if options.get(name, wishes.get(name)) not in (
        None, False)]


TEXTS = (
    ('user', r'[A-Za-z_][\w.-]*\$?', 'an account'),
    ('locale', r'[\w.@-]+', 'a locale'),
    ('time.servers', r'[\w.:-]+', 'a host name or an address'),
    ('hosts.names', r'[\w.-]+', 'a host name'),
    ('sysctl.settings', r'[\w-]+([./][\w-]+)+', 'a setting of the kernel'),
    ('io_scheduler.rotational', r'[\w-]+', 'an I/O scheduler'),
    ('io_scheduler.solid_state', r'[\w-]+', 'an I/O scheduler'),
    ('firewall.zone', r'[\w-]+', 'a zone'),
    ('firewall.chain', r'\w+ [\w-]+ [\w-]+', 'family, table and name of a chain'),
)
"""What texts have to look like that become parts of files and command lines: option, pattern, what it stands for."""


def given(wishes, option):
    """Return all texts of an option such as time.servers, as a list; [] where it is not given."""
    name, dummy, inner = option.partition('.')
    value = wishes[name]
    values = [value] if not inner else [row[inner] for row in (value if isinstance(value, list) else [value]) if row]
    return [text for value in values if value for text in (value if isinstance(value, (list, dict)) else [value])]


def problems(wishes, reader):
    """Return all that is wrong with the options, before anything is changed."""
    found = ["%s: '%s' is not %s" % (option, text, what) for option, pattern, what in TEXTS
             for text in given(wishes, option) if not re.match('^(?:%s)$' % pattern, text)]
    for name in ('nofile', 'nproc', 'memlock', 'stack'):
        value = (wishes['limits'] or {}).get(name, '1')
        if value != 'infinity' and not (value.isdigit() and int(value) > 0):
            found.append("limits.%s: '%s' is neither a number above 0 nor infinity" % (name, value))
    for option, read in (('hosts.address', ipaddress.ip_address), ('firewall.sources', ipaddress.ip_network)):
        for text in given(wishes, option):
            try:
                read(text)
            except ValueError as error:
                found.append('%s: %s' % (option, error))
    found += ['hosts: %s has no name' % row['address'] for row in wishes['hosts'] or () if not row['names']]
    found += ['firewall.ports: %d is not between 1 and 65535' % port
              for port in given(wishes, 'firewall.ports') if not 1 <= port <= 65535]
    zone = wishes['timezone']
    if zone and (zone.startswith('/') or '..' in zone or not reader.exists(_prerequisites.ZONES + zone)):
        found.append("timezone: this host has no time zone '%s' (%s)" % (zone, _prerequisites.ZONES))
    return found


def wait_for_time(look, timeout):
    """Look until the clock is synchronised, or the time is up. Returns what was seen last."""
    end = time.time() + timeout
    seen = look()
    while seen is not None and seen['synchronised'] is False and time.time() < end:
        time.sleep(1)
        seen = look()
    return seen


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    wishes = dict(module.params, check_mode=module.check_mode)
    wishes['timezone'] = wishes['timezone'] or None
    reader = Reader(module.run_command, ROOT)
    found = problems(wishes, reader)
    if found:
        module.fail_json(msg='The options of starrocks_prerequisites are not right, and nothing was changed:\n- %s' % (
            '\n- '.join(found)))
    programs = _prerequisites_facts.Programs(module.run_command)
    client = time_client(reader)
    facts = _prerequisites_facts.collect(reader, programs, wishes, client and client['name'])
    machine, undo = Machine(module, reader), wishes['state'] == 'absent'
    on = switched_on(wishes)
    for name, present, absent in _prerequisites.PARTS:
        if undo or name in on:
            machine.converge((absent if undo else present)(facts, wishes), undo)
    result = dict(changed=machine.changed, diff=machine.diff, parts=machine.parts, commands=machine.commands)
    if not undo:
        wait = wishes['time']['timeout'] if 'time' in machine.parts and not module.check_mode else 0
        client = wait_for_time(lambda: time_client(reader), wait) if wishes['time'] else client
        result.update(time_client=client and client['name'], synchronised=client and client['synchronised'])
        if wishes['time'] and client and client['synchronised'] is False and not module.check_mode:
            module.warn("The clock of this host is not synchronised%s. Look at '%s', and at starrocks_ntp_servers." % (
                ', after %d s' % wait if wait else '',
                'chronyc sources' if client['name'] == 'chronyd' else client['name']))
    module.exit_json(**result)


if __name__ == '__main__':
    main()
