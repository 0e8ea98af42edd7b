# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is, read without changing it: addresses, listeners, processes, JDKs, space, metadata.

Nothing here judges; _preflight.py does. Files are read from below a root folder, so that tests can lay out a host of
their own. /proc is read where it has the answer, because a subprocess costs more than all of these together.
"""

import collections
import glob
import grp
import ipaddress
import os
import pwd
import re
import resource
import socket
import time

from ansible_collections.starrocks.cluster.plugins.module_utils import _system_facts
from ansible_collections.starrocks.cluster.plugins.module_utils._checks import UNLIMITED
from ansible_collections.starrocks.cluster.plugins.module_utils._listener import is_listener
from ansible_collections.starrocks.cluster.plugins.module_utils._node import parse_listening
from ansible_collections.starrocks.cluster.plugins.module_utils._release import STAMP_NAME

Process = collections.namedtuple('Process', 'pid arguments units')
"""A process: pid, its command line as a list, and the parts of its cgroup paths that name systemd units."""

PROGRAMS = {
    'fe': {'program': 'StarRocksFE', 'flag': None, 'home_variable': 'STARROCKS_HOME'},
    'be': {'program': 'starrocks_be', 'flag': None, 'home_variable': 'STARROCKS_HOME'},
    'cn': {'program': 'starrocks_be', 'flag': '--cn', 'home_variable': 'STARROCKS_HOME'},
    'broker': {'program': 'BrokerBootstrap', 'flag': None, 'home_variable': 'BROKER_HOME'},
}
"""How each kind of node looks in a process list (starrocks.md 4.1, 4.2): the last part of a Java class name or of a
path on its command line, the flag that tells a compute node from a back end, and the variable its script exports."""

JDK_FOLDERS = ('/usr/lib/jvm/*', '/usr/lib64/jvm/*', '/usr/java/*', '/opt/java/*', '/opt/jdk*')
"""Where distributions, and people, put JDKs."""

OWN_UNITS = frozenset('starrocks-%s.service' % kind for kind in PROGRAMS)
"""The units that the roles of this collection make; a play may look at some of a host's nodes only."""

LIMITS = {'open_files': ('Max open files', resource.RLIMIT_NOFILE),
          'processes': ('Max processes', resource.RLIMIT_NPROC)}
"""Limits of units: their row in /proc/<pid>/limits, and their number."""

DOCUMENTATION_ADDRESS = '192.0.2.1'
"""RFC 5737: an address that is nowhere, asked for the way out; connecting a UDP socket sends nothing."""


class Reader(object):
    """Reads the files of a host, below ``root``; ``run_command``: AnsibleModule's."""

    def __init__(self, run_command, root='/'):
        self.run_command = run_command
        self.root = root

    def path(self, path):
        """Return where a path of the host lies."""
        return os.path.join(self.root, path.lstrip('/')) if self.root != '/' else path

    def text(self, path):
        """Return a file's text, '' where it cannot be read."""
        try:
            with open(self.path(path), 'rb') as handle:
                return handle.read().decode('utf-8', 'replace')
        except (IOError, OSError):
            return ''

    def link(self, path):
        """Return what a link points to, '' where it cannot be read."""
        try:
            return os.readlink(self.path(path))
        except OSError:
            return ''

    def real_path(self, path):
        """Return a path of the host with its links followed."""
        real = os.path.realpath(self.path(path))
        return real if self.root == '/' else real[len(os.path.realpath(self.root)):] or '/'

    def exists(self, path):
        return os.path.exists(self.path(path))

    def pids(self):
        """Return the ids of all processes, ascending."""
        return sorted(int(name) for name in os.listdir(self.path('/proc')) if name.isdigit())


# --- addresses -------------------------------------------------------------------------------------------------------

def addresses(reader):
    """Return the host's own addresses as text, IPv4 first, without loopback and link-local ones.

    IPv4 from the kernel's local routes (a ``/32 host LOCAL`` leaf is an address of this host), IPv6 from if_inet6.
    """
    found = []
    leaf = ''
    for line in reader.text('/proc/net/fib_trie').splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == '|--':
            leaf = words[1]
        elif words[:3] == ['/32', 'host', 'LOCAL']:
            found.append(ipaddress.ip_address(leaf))
    for line in reader.text('/proc/net/if_inet6').splitlines():
        found.append(ipaddress.ip_address(int(line.split()[0], 16).to_bytes(16, 'big')))
    usable = {address for address in found if not (address.is_loopback or address.is_link_local)}
    return [str(address) for address in sorted(usable, key=lambda address: (address.version, address))]


def default_address():
    """Return the address that packets to elsewhere leave with, None without a default route. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((DOCUMENTATION_ADDRESS, 9))
            return probe.getsockname()[0]
        except OSError:
            return None


def canonical_name(host_name):
    """Return {name, addresses, error} as a front end in FQDN mode sees its host (starrocks.md 4.3).

    Java's getLocalHost().getCanonicalHostName(): the host name's address, and the name of that address.
    """
    try:
        address = socket.gethostbyname(host_name)
    except OSError as error:
        return {'name': host_name, 'addresses': [],
                'error': "its host name '%s' does not resolve: %s" % (host_name, error)}
    try:
        name = socket.gethostbyaddr(address)[0]
    except OSError as error:
        return {'name': host_name, 'addresses': [address],
                'error': "its address %s has no name (reverse lookup): %s" % (address, error)}
    try:
        answers = socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM)
    except OSError as error:
        return {'name': name, 'addresses': [], 'error': "its name '%s' does not resolve: %s" % (name, error)}
    return {'name': name, 'addresses': sorted({answer[4][0] for answer in answers}), 'error': None}


# --- processes and ports ---------------------------------------------------------------------------------------------

def processes(reader):
    """Return all processes that have a command line (kernel threads have none)."""
    found = []
    for pid in reader.pids():
        arguments = reader.text('/proc/%d/cmdline' % pid).rstrip('\0').split('\0')
        if arguments == ['']:
            continue
        cgroup = reader.text('/proc/%d/cgroup' % pid)
        units = {part for line in cgroup.splitlines() for part in line.split('/') if part.endswith('.service')}
        found.append(Process(pid, arguments, units))
    return found


def _is_program(process, kind):
    """Tell whether a command line is that of a node of this kind."""
    program = PROGRAMS[kind]['program']
    if not any(re.split(r'[/.]', argument)[-1] == program for argument in process.arguments):
        return False
    others = {row['flag'] for row in PROGRAMS.values() if row['program'] == program and row['flag']}
    flags = others & set(process.arguments)
    return flags == {PROGRAMS[kind]['flag']} if PROGRAMS[kind]['flag'] else not flags


def _lives_in(reader, process, home, variable):
    """Tell whether a process was started from a home folder: command line, working directory or environment."""
    below = home.rstrip('/') + '/'
    if any(below in argument for argument in process.arguments):
        return True
    if (reader.link('/proc/%d/cwd' % process.pid) + '/').startswith(below):
        return True
    environment = reader.text('/proc/%d/environ' % process.pid).split('\0')
    return any(entry.startswith(variable + '=') and (entry.split('=', 1)[1].rstrip('/') + '/') == below
               for entry in environment)


def in_own_namespace(reader, pid):
    """Tell whether a process is in this PID namespace, not in that of a container; true where it cannot be read."""
    return reader.link('/proc/%d/ns/pid' % pid) in ('', reader.link('/proc/self/ns/pid'))


def node_processes(reader, running, node):
    """Return the processes of one node: those of its unit, and those of its program started from its home.

    The main one comes first. ``managed`` says whether it belongs to the unit. A container's processes show in /proc
    too and can look the same, so the PID namespace must be this one (where it can be read).
    """
    unit = node['unit'] + '.service' if node.get('unit') and not node['unit'].endswith('.service') else node.get('unit')
    variable = PROGRAMS[node['kind']]['home_variable']
    found = []
    for process in running:
        program = _is_program(process, node['kind'])
        managed = unit in process.units
        if not managed and not (program and node.get('home') and _lives_in(reader, process, node['home'], variable)):
            continue
        if not in_own_namespace(reader, process.pid):
            continue
        found.append((not program, process.pid, managed))
    return [{'pid': pid, 'managed': managed} for dummy, pid, managed in sorted(found)]


def _home_of(reader, process, kind):
    """Return the folder that a process was started from, by what its script exports or by its command line, or None."""
    variable = PROGRAMS[kind]['home_variable'] + '='
    for entry in reader.text('/proc/%d/environ' % process.pid).split('\0'):
        if entry.startswith(variable):
            return entry[len(variable):].rstrip('/') or None
    match = re.search(r'(?:^|[\0:])(/[^\0:]+?)/lib/', '\0'.join(process.arguments))
    return match.group(1) if match else None


def strangers(reader, running, by_node):
    """Return the StarRocks processes that belong to none of our nodes: list of {kind, pid, home}.

    Without a folder that it was started from, a process is more likely one that only has such a name in its command
    line, and is left out.
    """
    own = {row['pid'] for rows in by_node for row in rows}
    found = []
    for process in running:
        if process.pid in own or process.units & OWN_UNITS:
            continue
        kind = next((kind for kind in PROGRAMS if _is_program(process, kind)), None)
        home = _home_of(reader, process, kind) if kind and in_own_namespace(reader, process.pid) else None
        if home:
            found.append({'kind': kind, 'pid': process.pid, 'home': home})
    return found


def listeners(reader):
    """Return {port: set of socket inodes} of all TCP sockets in state LISTEN (0A)."""
    found = {}
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        for port, inodes in parse_listening(reader.text(table)).items():
            found.setdefault(port, set()).update(inodes)
    return found


def socket_owners(reader, inodes, likely, running):
    """Return {inode: pid} for the given sockets; the likely processes are looked at first, the others only if needed.

    Sockets of processes that may not be looked into (another account's, without root) are left out.
    """
    wanted = {'socket:[%d]' % inode: inode for inode in inodes}
    owners = {}
    for pid in list(likely) + [process.pid for process in running]:
        if len(owners) == len(wanted):
            break
        folder = '/proc/%d/fd' % pid
        try:
            names = os.listdir(reader.path(folder))
        except OSError:
            continue
        for name in names:
            inode = wanted.get(reader.link('%s/%s' % (folder, name)))
            if inode is not None:
                owners.setdefault(inode, pid)
    return owners


def ports_in_use(reader, nodes, running, by_node):
    """Return who listens on the ports that the nodes want: list of {port, name, kind, pid, program, own}.

    ``by_node`` is node_processes per node, in the same order. ``own`` is true for the node's own process; pid and
    program are None where the owner cannot be seen. Our own listener, which is there for the moment of a check, does
    not count.
    """
    listening = listeners(reader)
    wanted = {port for node in nodes for port in node['ports'].values()}
    inodes = {inode for port in wanted for inode in listening.get(port, ())}
    likely = [row['pid'] for rows in by_node for row in rows]
    owners = socket_owners(reader, inodes, likely, running)
    programs = {process.pid: process.arguments for process in running}
    passing = {process.pid for process in running if is_listener(process.arguments)}
    found = []
    for node, rows in zip(nodes, by_node):
        own_pids = {row['pid'] for row in rows}
        for name, port in sorted(node['ports'].items()):
            open_sockets = {inode for inode in listening.get(port, ()) if owners.get(inode) not in passing}
            if not open_sockets:
                continue
            pids = {owners[inode] for inode in open_sockets if inode in owners}
            strangers = sorted(pids - own_pids)
            pid = strangers[0] if strangers else (sorted(pids)[0] if pids else None)
            found.append({'port': port, 'name': name, 'kind': node['kind'], 'pid': pid,
                          'program': describe_program(programs.get(pid)), 'own': bool(pids) and not strangers})
    return found


def describe_program(arguments):
    """Return a short name for a command line: the program, and for Java its main class. Never the options.

    Options can hold secrets, so nothing else of the command line is shown.
    """
    if not arguments:
        return None
    name = os.path.basename(arguments[0].split(' ')[0].rstrip(':'))
    classes = [argument for argument in arguments[1:] if re.match(r'^([a-z_][\w]*\.)+[A-Z]\w*$', argument)]
    return '%s %s' % (name, classes[0]) if classes else name


# --- JDKs ------------------------------------------------------------------------------------------------------------

def parse_java_version(text):
    """Return (version, major) from a JDK's ``release`` file or from what ``java -version`` says, (None, None) else.

    Up to 8 the major number is the second part: 1.8.0_392.
    """
    match = re.search(r'JAVA_VERSION="([^"]+)"', text) or re.search(r'version "([^"]+)"', text)
    if not match:
        return None, None
    version = match.group(1)
    numbers = re.findall(r'\d+', version)
    if not numbers:
        return None, None
    major = int(numbers[1]) if numbers[0] == '1' and len(numbers) > 1 else int(numbers[0])
    return version, major


def read_jdk(reader, home):
    """Return {home, version, major, javac} of a folder, None if there is no Java in it."""
    java = os.path.join(home, 'bin', 'java')
    if not os.access(reader.path(java), os.X_OK):
        return None
    version, major = parse_java_version(reader.text(os.path.join(home, 'release')))
    if major is None:
        version, major = parse_java_version(_java_says(reader, java))
    if major is None:
        return None
    return {'home': home, 'version': version, 'major': major,
            'javac': os.access(reader.path(os.path.join(home, 'bin', 'javac')), os.X_OK)}


def _java_says(reader, java):
    """Return the output of ``java -version`` (some builds have no release file), '' on any error."""
    try:
        status, out, err = reader.run_command(['timeout', '20', reader.path(java), '-Xms32M', '-Xmx32M', '-version'],
                                              handle_exceptions=False)
    except EnvironmentError:
        return ''
    return out + err if status == 0 else ''


def _java_home_on_path(search_path):
    """Return the homes of the java and javac found on a search path, links followed."""
    homes = []
    for folder in search_path.split(os.pathsep):
        for name in ('javac', 'java'):
            program = os.path.join(folder, name)
            if folder and os.access(program, os.X_OK):
                home = os.path.dirname(os.path.dirname(os.path.realpath(program)))
                parent = os.path.dirname(home)
                # Java 8 has its runtime in a folder of the JDK
                homes.append(parent if os.path.basename(home) == 'jre' else home)
    return homes


def jdks(reader, environment, folders=()):
    """Return every JDK of the host once, each under the name that is likeliest to last. ``folders``: more to look in.

    Distributions give one JDK several names. The folder that names a build (java-17-openjdk-17.0.9.0.9-2.el8.x86_64)
    goes away with an update, and default-java moves to another version, so the shortest name that holds the major
    number is taken.
    """
    candidates = [environment['JAVA_HOME']] if environment.get('JAVA_HOME') else []
    for pattern in JDK_FOLDERS + tuple(os.path.join(folder, '*') for folder in folders):
        candidates += [path if reader.root == '/' else path[len(reader.root.rstrip('/')):]
                       for path in glob.glob(reader.path(pattern))]
    if reader.root == '/':
        candidates += _java_home_on_path(environment.get('PATH', '') + ':/usr/local/bin:/usr/bin')
    by_place = {}
    for home in candidates:
        jdk = read_jdk(reader, home)
        if jdk:
            by_place.setdefault(os.path.realpath(reader.path(home)), []).append(jdk)
    return sorted((min(same, key=_name_preference) for same in by_place.values()),
                  key=lambda jdk: (jdk['major'], jdk['home']))


def _name_preference(jdk):
    name = os.path.basename(jdk['home'].rstrip('/'))
    return (re.search(r'(?<!\d)%d(?!\d)' % jdk['major'], name) is None, name.startswith('jre'), len(name), name)


# --- space, memory, limits -------------------------------------------------------------------------------------------

def space(reader, path, account=None, mounts=None):
    """Return what is known of a path, or of its nearest parent.

    {path, exists, nearest, free, size, read_only, directory, writable, mount, filesystem}: ``free`` is what an account
    without root may use, ``size`` all there is on the filesystem, in bytes. ``writable`` is None when ``account`` is
    (root makes the folders and gives them away), else whether this process may write there. mount and filesystem are
    looked up in ``mounts`` (_system_facts.mounts), None where unknown.
    """
    nearest = path
    while not os.path.lexists(reader.path(nearest)) and nearest not in ('/', ''):
        nearest = os.path.dirname(nearest)
    real = reader.path(nearest)
    try:
        status = os.statvfs(real)
    except OSError:
        # A link to nowhere, which is no folder either.
        status = os.statvfs(os.path.dirname(real))
    mount, filesystem = _system_facts.mount_of(mounts or {}, reader.real_path(nearest))
    return {'path': path, 'nearest': nearest, 'exists': nearest == path, 'directory': os.path.isdir(real),
            'free': status.f_bavail * status.f_frsize, 'size': status.f_blocks * status.f_frsize,
            'read_only': bool(status.f_flag & os.ST_RDONLY), 'mount': mount, 'filesystem': filesystem,
            'writable': None if account is None else os.access(real, os.W_OK | os.X_OK)}


def installed(reader, home):
    """Tell whether a node's folder holds a release: ours has a stamp, one that was unpacked by hand has its lib."""
    return reader.exists(os.path.join(home, STAMP_NAME)) or os.path.isdir(reader.path(os.path.join(home, 'lib')))


def memory_bytes(reader):
    """Return the host's memory in bytes, None where unknown."""
    match = re.search(r'^MemTotal:\s+(\d+) kB', reader.text('/proc/meminfo'), re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None


def cpu(reader):
    """Return {machine, cores, avx2} (avx2 None where the word means nothing, on arm64)."""
    machine = os.uname()[4]
    text = reader.text('/proc/cpuinfo')
    flags = re.search(r'^flags\s*:(.*)$', text, re.MULTILINE)
    return {'machine': machine, 'cores': len(re.findall(r'^processor\s*:', text, re.MULTILINE)) or None,
            'avx2': ' avx2 ' in flags.group(1) + ' ' if flags else None}


def _hard_limit(limits_text, row):
    """Return a hard limit in a /proc/<pid>/limits text, None where absent."""
    match = re.search(r'^%s\s+\S+\s+(\S+)' % row, limits_text, re.MULTILINE)
    if not match:
        return None
    return UNLIMITED if match.group(1) == 'unlimited' else int(match.group(1))


def unit_limit(reader, scope, name, asked, uid, running):
    """Return the most of a limit (LIMITS) that a unit can get, in so far as it is less than ``asked``, else ``asked``.

    A user's units inherit from that user's manager, which cannot raise it. The system's manager can (open files up to
    fs.nr_open), unless it has lost the right to (containers): tried in a child process, whose limit ends with it.
    """
    row, number = LIMITS[name]
    if scope == 'user':
        managers = [process.pid for process in running
                    if process.arguments[-1:] == ['--user'] and process.arguments[0].endswith('systemd')
                    and 'user@%d.service' % uid in process.units]
        limits = [_hard_limit(reader.text('/proc/%d/limits' % pid), row) for pid in managers]
        known = [limit for limit in limits if limit is not None]
        return min([asked] + (known or [_hard_limit(reader.text('/proc/self/limits'), row) or asked]))
    hard = _hard_limit(reader.text('/proc/1/limits'), row)
    if hard is None or hard >= asked or os.geteuid() != 0 or _can_raise(number, asked):
        return asked
    return hard


def _can_raise(number, asked):
    """Tell whether this process may have such a hard limit; tried in a child process."""
    limit = resource.RLIM_INFINITY if asked >= UNLIMITED else asked
    pid = os.fork()
    if pid == 0:
        try:
            resource.setrlimit(number, (limit, limit))
        except Exception:  # pylint: disable=broad-except
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


# --- accounts and systemd --------------------------------------------------------------------------------------------

def account(name):
    """Return {name, uid, group, home, shell} of an account, None where it does not exist."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    try:
        group = grp.getgrgid(entry.pw_gid).gr_name
    except KeyError:
        # A group that was removed from under its account.
        group = str(entry.pw_gid)
    return {'name': name, 'uid': entry.pw_uid, 'group': group, 'home': entry.pw_dir, 'shell': entry.pw_shell}


def lingers(reader, name):
    """Tell whether an account's units run without a login (logind keeps one empty file per such account)."""
    return reader.exists('/var/lib/systemd/linger/%s' % name)


def systemd_runs(reader, scope, uid):
    """Tell whether systemd runs the host (sd_booted(3)), or a manager runs for the user."""
    return reader.exists('/run/systemd/system') and (scope == 'system' or reader.exists('/run/user/%d/systemd' % uid))


def time_client(reader, running=None):
    """Return {name, synchronised} of what keeps the host's clock, None if nothing does (_system_facts.time_client)."""
    programs = [(os.path.basename(process.arguments[0].split(' ')[0].rstrip(':')), process.pid)
                for process in (processes(reader) if running is None else running)]
    return _system_facts.time_client(reader, {name for name, pid in programs if name in _system_facts.TIME_CLIENTS
                                              and in_own_namespace(reader, pid)})


# --- metadata of a front end -----------------------------------------------------------------------------------------

def properties(text):
    """Return the ``key=value`` lines of a Java properties text as a dict."""
    pairs = (line.split('=', 1) for line in text.splitlines() if '=' in line and not line.startswith(('#', '!')))
    return {key.strip(): value.strip().replace('\\:', ':') for key, value in pairs}


def metadata(reader, meta_dir, first_start_file):
    """Return what a front end's meta_dir holds (starrocks.md 4.3); the cluster's token is left where it is.

    {fe, complete, role, name, host, edit_log_port, host_type, cluster_id, run_mode, meta_dir, first_start}: ``fe`` is
    true if ROLE or VERSION is there, ``complete`` if both are; the others are None where unknown. ``name`` is
    ``<host>_<edit_log_port>_<milliseconds>``.
    """
    role_text = reader.text(os.path.join(meta_dir, 'image', 'ROLE'))
    version_text = reader.text(os.path.join(meta_dir, 'image', 'VERSION'))
    role, version = properties(role_text), properties(version_text)
    name = re.match(r'^(?P<host>.+)_(?P<port>\d+)_\d{13,}$', role.get('name', ''))
    cluster_id = version.get('clusterId', '')
    return {
        'fe': bool(role_text or version_text),
        'complete': bool(role_text and version_text),
        'missing': [file for file, text in (('ROLE', role_text), ('VERSION', version_text))
                    if not text and (role_text or version_text)],
        'role': role.get('role', '').lower() or None,
        'name': role.get('name') or None,
        'host': name.group('host') if name else None,
        'edit_log_port': int(name.group('port')) if name else None,
        'host_type': role.get('hostType') or None,
        'cluster_id': int(cluster_id) if re.match(r'^-?\d+$', cluster_id) else None,
        'run_mode': version.get('runMode', '').lower() or None,
        'meta_dir': meta_dir,
        'first_start': reader.exists(first_start_file),
    }


def storage_cluster_id(reader, folder):
    """Return the cluster that a storage folder belongs to, None where unknown. A token may follow the number."""
    match = re.match(r'\s*(-?\d+)', reader.text(os.path.join(folder, 'cluster_id')))
    return int(match.group(1)) if match else None


def storage_cluster_ids(reader, nodes):
    """Return {folder: cluster id} of all storage folders that a back end or compute node has used already."""
    folders = [path for node in nodes if node['kind'] in ('be', 'cn') for path in node.get('storage_paths') or []]
    known = {folder: storage_cluster_id(reader, folder) for folder in folders}
    return {folder: number for folder, number in known.items() if number is not None}


# --- all of it -------------------------------------------------------------------------------------------------------

def collect(reader, wishes, environment):
    """Return all that _preflight.py judges, as one dict. ``wishes`` are the options of starrocks_preflight."""
    nodes = wishes['nodes']
    running = processes(reader)
    by_node = [node_processes(reader, running, node) for node in nodes]
    host_name = socket.gethostname()
    scope = wishes['systemd_scope']
    own = scope == 'user'
    uid = os.geteuid()
    service_account = account(wishes['user']) if wishes['user'] else None
    frontend = next((node for node in nodes if node['kind'] == 'fe' and node.get('meta_dir')), None)
    paths = [path for node in nodes for path in (node.get('paths') or []) + (node.get('storage_paths') or [])]
    homes = [node['home'] for node in nodes if node.get('home')]
    java_home = wishes['java_home']
    mounts = _system_facts.mounts(reader)
    local = time.localtime()
    client = time_client(reader, running)
    return {
        'host_name': host_name,
        'addresses': addresses(reader),
        'default_address': default_address(),
        'canonical': canonical_name(host_name) if wishes['host_type'] == 'FQDN' else None,
        'ports': ports_in_use(reader, nodes, running, by_node),
        'processes': [dict(kind=node['kind'], home=node.get('home'), unit=node.get('unit'), found=rows)
                      for node, rows in zip(nodes, by_node)],
        'jdk': read_jdk(reader, java_home) if java_home else None,
        'strangers': strangers(reader, running, by_node),
        'jdks': [] if java_home else jdks(reader, environment, wishes['jdk_folders']),
        'space': {path: space(reader, path, wishes['user'] if own else None, mounts)
                  for path in paths + homes + ([frontend['meta_dir']] if frontend else [])},
        'installed': {home: installed(reader, home) for home in homes},
        'memory': memory_bytes(reader),
        'cpu': cpu(reader),
        'open_files': unit_limit(reader, scope, 'open_files', wishes['limit_nofile'], uid, running),
        'process_limit': unit_limit(reader, scope, 'processes', wishes['limit_nproc'], uid, running),
        'kernel': _system_facts.kernel(reader),
        'swaps': _system_facts.swaps(reader),
        'selinux': _system_facts.selinux(reader),
        'os': _system_facts.operating_system(reader),
        'locale': _system_facts.locale_there(reader, wishes['locale']),
        'time_client': client,
        # Asked only where no client answers for it.
        'kernel_synchronised': None if client else _system_facts.kernel_synchronised(),
        'chrony_installed': _system_facts.chrony_installed(reader),
        'metadata': metadata(reader, frontend['meta_dir'], frontend.get('first_start_file') or os.path.join(
            os.path.dirname(frontend['meta_dir'].rstrip('/')), 'first_start.env')) if frontend else None,
        'storage_cluster_ids': storage_cluster_ids(reader, nodes),
        'account': service_account,
        'uid': uid,
        'lingers': lingers(reader, wishes['user']) if own and wishes['user'] else None,
        'systemd': systemd_runs(reader, scope, uid),
        'time': time.time(),
        'timezone': _system_facts.time_zone(reader) or time.tzname[local.tm_isdst > 0],
        'utc_offset': local.tm_gmtoff,
    }
