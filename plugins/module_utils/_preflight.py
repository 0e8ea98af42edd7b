# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is ready for its nodes: from facts (_preflight_facts.py) and wishes to named checks. No I/O.

``wishes`` are the options of starrocks_preflight. Each check function takes (facts, wishes) and returns a list of
checks (see _checks.py), empty where the check has no meaning on this host. What is about the operating system alone is
in _system_checks.py.
"""

import collections
import ipaddress
import re
import sys

from ansible_collections.starrocks.cluster.plugins.module_utils import _jdk_packages, _system_checks
from ansible_collections.starrocks.cluster.plugins.module_utils._checks import (
    COMPONENTS,
    FAILURE,
    GIB,
    NODE_NAMES,
    OK,
    WARNING,
    check,
    kinds,
    size_text,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import Version

JdkRule = collections.namedtuple('JdkRule', 'since lowest recommended needs_javac refused')

JDK_RULES = (
    JdkRule((2, 5), 8, 11, True, ()),
    JdkRule((3, 1), 8, 11, True, (9, 10)),
    JdkRule((3, 3), 11, 11, True, ()),
    JdkRule((3, 4), 11, 11, False, ()),
    JdkRule((3, 5), 17, 17, False, ()),
    JdkRule((4, 2), 17, 21, False, ()),
)
"""What start_fe.sh accepts, by the first version it holds for (starrocks.md 4.1 JDK check and JAVA_HOME, 6 JDK)."""

META_FREE_BYTES = 5 * GIB
META_FREE_SINCE = (3, 0)
"""A front end refuses to start with less free space below meta_dir (starrocks.md 4.3; with BDB-JE 18, so from 3.0)."""

FLOOD_USED_PERCENT, FLOOD_LEFT_BYTES = 95, 107374182400
"""storage_flood_stage_usage_percent and _left_capacity_bytes: past both, loads into a folder are refused (starrocks.md
5.2)."""

RELEASE_BYTES = {'fe': 3 * GIB, 'be': 8 * GIB, 'apache_hdfs_broker': 1 * GIB}
"""Room for the unpacked files of a component. An estimate: StarRocks documents no sizes (starrocks.md 8)."""

FILESYSTEMS = ('ext4', 'xfs')
"""What the manual asks for (starrocks.md 6)."""

SIZING = {
    'fe': {'cores': 8, 'memory': 16 * GIB, 'disk': 100 * GIB},
    'be': {'cores': 16, 'memory': 64 * GIB, 'disk': 0},
    'cn': {'cores': 16, 'memory': 64 * GIB, 'disk': 0},
    'broker': {'cores': 0, 'memory': 0, 'disk': 0},
}
"""What the manual's sizing asks of a production host, per node (starrocks.md 6)."""

SIZING_TOLERANCE = 0.9
"""A machine sold as 16 GB shows some less, since the kernel and the firmware take theirs."""

NO_METADATA = {'fe': False, 'complete': False, 'missing': [], 'first_start': False, 'role': None, 'name': None,
               'host': None, 'edit_log_port': None, 'host_type': None, 'cluster_id': None, 'run_mode': None,
               'meta_dir': None}
"""What a host without a front end says of metadata: the keys of _preflight_facts.metadata."""


def port_variable(kind, name):
    """Return the variable that sets a port: starrocks_be_be_http_port; broker_ipc_port is starrocks_broker_ipc_port."""
    return 'starrocks_%s' % name if name.startswith('broker_') else 'starrocks_%s_%s' % (kind, name)


def parse_heap(text):
    """Return a Java heap size (8g, 1024m) in bytes. ValueError if it is none."""
    match = re.match(r'^(\d+)([kmgtKMGT]?)$', text)
    if not match:
        raise ValueError("'%s' is not a Java heap size (8g or 4096m, for example)" % text)
    return int(match.group(1)) * 1024 ** ' kmgt'.index(match.group(2).lower() or ' ')


# --- address ---------------------------------------------------------------------------------------------------------

def choose_address(facts, wishes):
    """Return (address, check): the name the node is registered under, None where there is no right one.

    starrocks.md 4.3: in IP mode a front end takes an address of its priority_networks, and without a match any other
    one, silently; in FQDN mode its canonical host name must resolve back to it.
    """
    if wishes['host_type'] == 'FQDN':
        return _choose_name(facts['canonical'], facts['addresses'], wishes['manage_hosts_file'])
    return _choose_ip(facts, wishes)


def _choose_ip(facts, wishes):
    """The IP address, in FQDN mode too, where it is what the name should stand for."""
    if wishes['priority_networks']:
        networks = [ipaddress.ip_network(network.strip(), strict=False) for network in wishes['priority_networks']]
        return _choose_within(facts['addresses'], networks)
    return _choose_without_networks(facts['addresses'], facts['default_address'])


def _choose_within(own, networks):
    """Networks are given: exactly one of the host's addresses must be in them."""
    needed = 'exactly one address of the host in %s' % ', '.join(str(network) for network in networks)
    matching = [address for address in own if any(ipaddress.ip_address(address) in network for network in networks)]
    if len(matching) == 1:
        return matching[0], check('address', OK, matching[0], needed)
    if matching:
        return None, check('address', FAILURE, '%d are in it: %s' % (len(matching), ', '.join(matching)), needed,
                           'Narrow starrocks_priority_networks until it holds one of them; for this host alone, %s.'
                           % host_network(matching[0]))
    example = ', %s for example' % host_network(own[0]) if own else ''
    return None, check('address', FAILURE, 'no address of the host is in it; it has %s' % _show_addresses(own), needed,
                       'Set starrocks_priority_networks to a network that holds the one to be used%s.' % example)


def _choose_without_networks(own, default_address):
    """No network is given: the only IPv4 address, or with a warning the one of the default route."""
    needed = 'one IPv4 address, or starrocks_priority_networks that says which'
    fix = 'Set starrocks_priority_networks to the network of the cluster'
    candidates = [address for address in own if ipaddress.ip_address(address).version == 4]
    if len(candidates) == 1:
        return candidates[0], check('address', OK, candidates[0], needed)
    if default_address in candidates:
        found = '%s, the address of the default route, out of %s' % (default_address, ', '.join(candidates))
        return default_address, check('address', WARNING, found, needed, fix + ': routes can change.')
    found = 'none of %s is the address of the default route' % ', '.join(candidates) if candidates else (
        'no IPv4 address but loopback; it has %s' % _show_addresses(own))
    return None, check('address', FAILURE, found, needed, fix + '.')


def _choose_name(canonical, own, hosts_file):
    """FQDN mode: the canonical host name, if it stands for an address that other hosts can reach this one by.

    ``hosts_file``: a later step writes /etc/hosts, which mends names that do not resolve.
    """
    needed = 'a host name that resolves to an address of the host, and back to the name (starrocks_host_type: FQDN)'
    reachable = [address for address in canonical['addresses'] if address in own]
    if reachable and not canonical['error']:
        return canonical['name'], check('address', OK, '%s (%s)' % (canonical['name'], ', '.join(reachable)), needed)
    found = canonical['error'] or "its name '%s' stands for %s, and its addresses are %s" % (
        canonical['name'], ', '.join(canonical['addresses']), _show_addresses(own))
    if hosts_file:
        return None, check('address', WARNING, found, needed,
                           'The role starrocks.cluster.prerequisites writes /etc/hosts.')
    return None, check('address', FAILURE, found, needed,
                       'Give the host a name in DNS, or in /etc/hosts of every host, that stands for its own address.')


def _show_addresses(own):
    return ', '.join(own) or 'none but loopback'


def host_network(address):
    """Return the network that holds this one address."""
    return '%s/%d' % (address, ipaddress.ip_address(address).max_prefixlen)


def networks_to_write(facts, wishes, address):
    """Return what priority_networks must hold for StarRocks to take the same address as we did.

    Without it a front end takes the first address it meets, so a choice among several must be written down.
    """
    if wishes['priority_networks'] or wishes['host_type'] == 'FQDN' or address is None:
        return wishes['priority_networks']
    several = len([other for other in facts['addresses'] if ipaddress.ip_address(other).version == 4]) > 1
    return [host_network(address)] if several else []


def check_address(facts, wishes):
    return [choose_address(facts, wishes)[1]]


# --- JDK -------------------------------------------------------------------------------------------------------------

def jdk_rule(version):
    """Return the JdkRule that holds for a version; the oldest one for what is older still."""
    wanted = Version.parse(version).line
    rule = JDK_RULES[0]
    for candidate in JDK_RULES:
        if candidate.since <= wanted:
            rule = candidate
    return rule


def jdk_lack(jdk, rule):
    """Return what keeps a JDK from being used, '' if nothing does."""
    if jdk['major'] < rule.lowest:
        return 'older than %d' % rule.lowest
    if jdk['major'] in rule.refused:
        return 'refused by start_fe.sh'
    if rule.needs_javac and not jdk['javac']:
        return 'without javac'
    return ''


def choose_jdk(facts, wishes):
    """Return the JDK to use, None where no right one is there: the given one, or the best of those found.

    The recommended version is best, then the next newer ones, then older ones.
    """
    rule = jdk_rule(wishes['version'])
    if wishes['java_home']:
        return facts['jdk'] if facts['jdk'] and not jdk_lack(facts['jdk'], rule) else None
    good = [jdk for jdk in facts['jdks'] if not jdk_lack(jdk, rule)]
    prefer = _jdk_packages.preference(rule)
    good.sort(key=lambda jdk: (prefer(jdk['major']), jdk['home']))
    return good[0] if good else None


def choose_jdk_package(facts, wishes):
    """Return the package that would bring a fitting JDK: the one given, or the distribution's, or None."""
    return wishes['jdk_package'] or _jdk_packages.choose_package(facts['os'], jdk_rule(wishes['version']))


def _describe_jdk(jdk, rule):
    lack = jdk_lack(jdk, rule)
    return '%s (%s%s)' % (jdk['home'], jdk['version'], ', ' + lack if lack else '')


def _describe_system(system):
    return ('%s %s' % (system['id'] or 'this system', system['version'])).strip()


def check_jdk(facts, wishes):
    """FE and broker need a JDK; BE and CN start without one and lose what asks for JNI (starrocks.md 4.2)."""
    wanted = kinds(wishes)
    if not wanted:
        return []
    rule = jdk_rule(wishes['version'])
    needed = '%s %d or newer for StarRocks %s (%d recommended)' % (
        'a JDK (with javac)' if rule.needs_javac else 'Java', rule.lowest, wishes['version'], rule.recommended)
    jdk = choose_jdk(facts, wishes)
    if jdk:
        return [check('jdk', OK, _describe_jdk(jdk, rule), needed)]
    if wishes['java_home']:
        found = _describe_jdk(facts['jdk'], rule) if facts['jdk'] else 'no Java in %s' % wishes['java_home']
        return [check('jdk', FAILURE, found, needed, 'Point starrocks_java_home to a fitting one, or leave it empty to '
                      'have one found.')]
    found = ', '.join(_describe_jdk(candidate, rule) for candidate in facts['jdks']) or 'none'
    if wishes['jdk_archive']:
        return [check('jdk', WARNING, found, needed, 'The role starrocks.cluster.prerequisites unpacks the one of '
                      'starrocks_java_archive.')]
    package = choose_jdk_package(facts, wishes)
    if wishes['install_jdk'] and package:
        return [check('jdk', WARNING, found, needed, 'The role starrocks.cluster.prerequisites installs %s.' % package)]
    fix = 'Install JDK %d, or set starrocks_java_home to one.' % rule.recommended
    if wishes['install_jdk']:
        fix = ('%s is known to have no package of one: set starrocks_java_archive to an archive of JDK %d, or '
               'starrocks_java_home to one that is there.' % (_describe_system(facts['os']), rule.recommended))
    only_wished = not set(wanted) & {'fe', 'broker'}
    return [check('jdk', WARNING if only_wished else FAILURE, found, needed, fix)]


# --- ports and processes ---------------------------------------------------------------------------------------------

def check_ports(facts, wishes):
    """A wanted port must be free, or held by the very node that wants it."""
    taken = [row for row in facts['ports'] if not row['own']]
    wanted = sorted({port for node in wishes['nodes'] for port in node['ports'].values()})
    if not taken:
        held = sorted({row['port'] for row in facts['ports']})
        return [check('ports', OK, '%d free, %d held by our own nodes' % (len(wanted) - len(held), len(held)),
                      'free: %s' % ', '.join(str(port) for port in wanted))] if wanted else []
    return [check(
        'ports', FAILURE, '%d is taken by %s' % (row['port'], _describe_owner(row)),
        'free for %s of the %s' % (row['name'], NODE_NAMES[row['kind']]),
        'Stop that program, or set %s to a free port.' % port_variable(row['kind'], row['name'])) for row in taken]


def _describe_owner(row):
    if not row['pid']:
        return 'a program that this account cannot see'
    return '%s (process %d)' % (row['program'] or 'a program', row['pid'])


def check_processes(facts, wishes):
    """A node that was started by hand keeps its unit from starting it; one of another installation takes its room."""
    checks = []
    for node in facts['processes']:
        strangers = [row['pid'] for row in node['found'] if not row['managed']]
        if node['unit'] and strangers and not any(row['managed'] for row in node['found']):
            checks.append(check(
                'processes', WARNING, 'a %s from %s runs outside of a unit (process %d)' % (
                    NODE_NAMES[node['kind']], node['home'], strangers[0]),
                'run by the unit %s alone' % node['unit'],
                'It was started by hand or by another tool: stop it with its own script when it can be spared, then '
                'run again.'))
    checks += [check(
        'processes', WARNING, 'a %s that is none of ours runs from %s (process %d)' % (
            NODE_NAMES[row['kind']], row['home'], row['pid']),
        'a host without another installation: it takes memory and ports',
        'If its cluster is to be given up, stop it with the scripts in %s/bin; if it is to be managed from here, set '
        'starrocks_install_dir to the folder above.' % row['home']) for row in facts['strangers']]
    return checks or [check('processes', OK, 'none but our own units')]


# --- room, size, limits ----------------------------------------------------------------------------------------------

def check_disk(facts, wishes):
    """Free space: for metadata, for loads, and for a release that is yet to be installed."""
    checks = _metadata_room(facts, wishes) + _storage_room(facts, wishes) + _release_room(facts, wishes)
    folders = [path for dummy, path in storage_folders(wishes)] + [home for dummy, home in _missing(facts, wishes)]
    if checks or not folders:
        return checks
    return [check('disk', OK, 'room enough in %s' % ', '.join(sorted(set(folders))))]


def _runs(facts, kind):
    return any(row['kind'] == kind and row['found'] for row in facts['processes'])


def _metadata_room(facts, wishes):
    """Below meta_dir. A front end that runs is not stopped by it, but would not start again."""
    if Version.parse(wishes['version']).line < META_FREE_SINCE:
        return []
    checks = []
    for node in wishes['nodes']:
        if node['kind'] != 'fe' or not node.get('meta_dir'):
            continue
        space = facts['space'][node['meta_dir']]
        enough = space['free'] >= META_FREE_BYTES
        checks.append(check('disk', OK if enough else (WARNING if _runs(facts, 'fe') else FAILURE),
                            '%s free at %s' % (size_text(space['free']), space['nearest']),
                            '%s free for the metadata in %s' % (size_text(META_FREE_BYTES), node['meta_dir']),
                            '' if enough else 'Free some, or put the metadata on a larger disk (starrocks_data_dir): '
                            'the front end does not start with less.'))
    return checks


def storage_folders(wishes):
    """Return (kind, folder) of all storage folders of back ends and compute nodes."""
    return [(node['kind'], path) for node in wishes['nodes'] if node['kind'] in ('be', 'cn')
            for path in node.get('storage_paths') or []]


def _storage_room(facts, wishes):
    """A back end refuses loads into a folder that is too full; one that runs is there to be helped, so it is a warning.

    Compute nodes keep only a cache there.
    """
    checks = []
    for kind, path in storage_folders(wishes):
        space = facts['space'][path]
        used = 100.0 * (space['size'] - space['free']) / space['size'] if space['size'] else 0
        if used >= FLOOD_USED_PERCENT and space['free'] <= FLOOD_LEFT_BYTES:
            checks.append(check(
                'disk', FAILURE if kind == 'be' and not _runs(facts, kind) else WARNING,
                '%.1f %% used and %s left at %s' % (used, size_text(space['free']), space['nearest']),
                'less than %d %% used, or more than %s left: else loads into %s are refused' % (
                    FLOOD_USED_PERCENT, size_text(FLOOD_LEFT_BYTES), path),
                'Free some, or set starrocks_%s_storage_root_path to a folder on a larger disk.' % kind))
    return checks


def _missing(facts, wishes):
    """Return (component, home) of the components that are not installed yet."""
    return sorted({(COMPONENTS[node['kind']], node['home']) for node in wishes['nodes']
                   if node.get('home') and not facts['installed'][node['home']]})


def _release_room(facts, wishes):
    """Per filesystem, since components that share one need their room together."""
    by_mount = {}
    for component, home in _missing(facts, wishes):
        by_mount.setdefault(facts['space'][home]['mount'], []).append((component, home))
    checks = []
    for homes in (by_mount[mount] for mount in sorted(by_mount, key=str)):
        space = facts['space'][homes[0][1]]
        asked = wishes['release_space_gib'] * GIB
        needed = sum(asked or RELEASE_BYTES[component] for component, dummy in homes)
        if space['free'] < needed:
            checks.append(check(
                'disk', WARNING, '%s free at %s' % (size_text(space['free']), space['nearest']),
                '%s for the release in %s%s' % (size_text(needed), ', '.join(home for dummy, home in homes), '' if asked
                                                else ' (an estimate: StarRocks documents no sizes)'),
                'Free some, or set starrocks_install_dir to a folder on a larger disk.'))
    return checks


def check_disk_size(facts, wishes):
    """The disk of a front end against the manual's sizing."""
    folders = [node['meta_dir'] for node in wishes['nodes'] if node['kind'] == 'fe' and node.get('meta_dir')]
    return [row for folder in folders for row in _sizing('disk', facts['space'][folder]['size'], wishes, size_text)]


def check_filesystem(facts, wishes):
    """The manual asks for ext4 or xfs; one finding for each filesystem that is another."""
    folders = [path for dummy, path in storage_folders(wishes)]
    folders += [node[option] for node in wishes['nodes'] for option in ('meta_dir', 'home') if node.get(option)]
    by_mount = {}
    for folder in sorted(set(folders)):
        space = facts['space'][folder]
        if space['filesystem']:
            by_mount.setdefault((space['mount'], space['filesystem']), []).append(folder)
    needed = 'ext4 or xfs'
    fix = ('Take folders on such a filesystem for production (starrocks_install_dir, starrocks_data_dir, '
           'starrocks_be_storage_root_path).')
    checks = [check('filesystem', WARNING, '%s at %s, for %s' % (place[1], place[0], ', '.join(by_mount[place])),
                    needed, fix) for place in sorted(by_mount) if place[1] not in FILESYSTEMS]
    if checks or not by_mount:
        return checks
    return [check('filesystem', OK, ', '.join(sorted({filesystem for dummy, filesystem in by_mount})), needed)]


def check_paths(facts, wishes):
    """Every folder a node needs can be made: its nearest parent is a folder, writable, on a writable filesystem."""
    checks = []
    for path, space in sorted(facts['space'].items()):
        if not space['directory']:
            checks.append(check('paths', FAILURE, '%s is not a folder' % space['nearest'], 'a folder %s' % path,
                                'Move it aside, or choose another path.'))
        elif space['read_only']:
            checks.append(check('paths', FAILURE, '%s is on a filesystem mounted read-only' % space['nearest'],
                                'a writable folder %s' % path, 'Mount it writable, or choose another path.'))
        elif space['writable'] is False:
            checks.append(check('paths', FAILURE, 'the account may not write to %s' % space['nearest'],
                                'a folder %s that %s may write to' % (path, wishes['user'] or 'the account'),
                                'Have it made and given to the account once, or choose a path in its home folder '
                                '(starrocks_install_dir, starrocks_data_dir, starrocks_log_dir).'))
    return checks or ([check('paths', OK, 'all can be made or are there', ', '.join(sorted(facts['space'])))]
                      if facts['space'] else [])


def check_memory(facts, wishes):
    """The heaps asked for must fit; less than the manual's sizing is worth a word."""
    memory = facts['memory']
    if memory is None:
        return []
    heaps = sum(parse_heap(node['heap_size']) for node in wishes['nodes'] if node.get('heap_size'))
    if heaps > memory:
        return [check('memory', FAILURE, size_text(memory), '%s for the Java heap asked for' % size_text(heaps),
                      'Lower starrocks_fe_heap_size, or take a larger host.')]
    return _sizing('memory', memory, wishes, size_text)


def check_cores(facts, wishes):
    """Cores against the manual's sizing."""
    return _sizing('cores', facts['cpu']['cores'], wishes, str) if facts['cpu']['cores'] else []


def _sizing(what, found, wishes, shown):
    sized = [kind for kind in kinds(wishes) if SIZING[kind][what]]
    if not sized:
        return []
    wanted = sum(SIZING[kind][what] for kind in sized)
    enough = found >= wanted * SIZING_TOLERANCE
    name = 'disk_size' if what == 'disk' else what
    needed = '%s for %s in production' % (shown(wanted), ' and '.join(NODE_NAMES[kind] for kind in sized))
    return [check(name, OK if enough else WARNING, shown(found), needed,
                  '' if enough else 'Enough for a trial; take a larger host for production.')]


def check_cpu_avx2(facts, wishes):
    """The x86 releases of BE and CN are built for AVX2 and end at once without it (starrocks.md 4.2, 6)."""
    avx2 = facts['cpu']['avx2']
    if avx2 is None or not set(kinds(wishes)) & {'be', 'cn'}:
        return []
    return [check('cpu_avx2', OK if avx2 else FAILURE, 'AVX2' if avx2 else 'no AVX2 among the flags in /proc/cpuinfo',
                  'a processor with AVX2',
                  '' if avx2 else 'Take another host, or let the hypervisor pass the processor through. For a release '
                  'that was built without AVX2, set starrocks_preflight_skip: [cpu_avx2].')]


# --- account, systemd, Python ----------------------------------------------------------------------------------------

def check_systemd(facts, wishes):
    if facts['systemd']:
        return [check('systemd', OK, 'running', 'systemd')]
    if wishes['systemd_scope'] == 'user':
        return [check('systemd', FAILURE, 'no systemd manager for the account',
                      'a user manager (starrocks_systemd_scope: user)',
                      'An administrator runs once: loginctl enable-linger %s' % (wishes['user'] or 'ACCOUNT'))]
    return [check('systemd', FAILURE, 'the host was not started by systemd', 'systemd',
                  'Take a host that runs systemd.')]


def check_account(facts, wishes):
    """In user scope all is done as the service account; in system scope the role makes the account."""
    name, account = wishes['user'], facts['account']
    if not name:
        return []
    if wishes['systemd_scope'] == 'user':
        if account and account['uid'] == facts['uid']:
            return [check('account', OK, name, 'run as %s' % name)]
        return [check('account', FAILURE, 'the connection works as user id %d' % facts['uid'],
                      'the service account %s (starrocks_systemd_scope: user)' % name,
                      'Set ansible_user to %s, without become, or starrocks_user to the account that connects.' % name)]
    return [check('account', OK, name if account else 'not there yet; the role prerequisites makes it', name)]


def check_linger(facts, wishes):
    """Without lingering a user's units stop at logout and do not come back at boot."""
    if facts['lingers'] is None:
        return []
    return [check('linger', OK if facts['lingers'] else FAILURE, 'enabled' if facts['lingers'] else 'not enabled',
                  'units that run without a login', '' if facts['lingers'] else
                  'An administrator runs once: loginctl enable-linger %s' % wishes['user'])]


def check_python(facts, wishes):
    version = facts['python']
    enough = version >= (3, 6)
    return [check('python', OK if enough else FAILURE, '%d.%d.%d' % version, '3.6 or newer',
                  '' if enough else 'Set ansible_python_interpreter to a newer one.')]


def check_pymysql(facts, wishes):
    if not wishes['sql']:
        return []
    needed = 'PyMySQL for the Python that Ansible uses here, since SQL is run on this host'
    if facts['pymysql']:
        return [check('pymysql', OK, 'there', needed)]
    if wishes['install_pymysql']:
        return [check('pymysql', WARNING, 'missing', needed, 'The role starrocks.cluster.prerequisites installs it.')]
    return [check('pymysql', FAILURE, 'missing', needed, 'Install the package python3-pymysql (python3-PyMySQL on '
                  'RedHat), or PyMySQL by pip.')]


# --- metadata --------------------------------------------------------------------------------------------------------

def check_metadata(facts, wishes):
    """Metadata found for the front end must be whole, and be this host's (starrocks.md 4.3, 7.6)."""
    found = facts['metadata']
    if found is None:
        return []
    if not found['fe']:
        return [check('metadata', OK, 'none in %s' % found['meta_dir'])]
    if not found['complete']:
        if found['first_start']:
            return [check('metadata', WARNING, 'a join that did not come to its end, in %s' % found['meta_dir'], '',
                          'Nothing to do: it is moved aside before the next try.')]
        return [check('metadata', FAILURE, '%s/image has no %s' % (found['meta_dir'], found['missing'][0]),
                      'ROLE and VERSION both, or neither: the front end does not start with one of them',
                      'Restore the missing file from a backup. Only if this front end never was a member, move %s '
                      'aside.' % found['meta_dir'])]
    address = choose_address(facts, wishes)[0]
    text = '%s of cluster %s, known as %s' % (found['role'], found['cluster_id'], found['name'])
    if wishes['run_mode'] and found['run_mode'] and found['run_mode'] != wishes['run_mode']:
        # "Unmatched run mode between config file and version file" ends the front end at its next start.
        return [check('metadata', FAILURE, '%s, made in mode %s' % (text, found['run_mode']),
                      'starrocks_run_mode is %s, and a cluster keeps the mode it was made in' % wishes['run_mode'],
                      'Set starrocks_run_mode: %s, or deploy a cluster of its own elsewhere.' % found['run_mode'])]
    same_type = (found['host_type'] or wishes['host_type']) == wishes['host_type']
    if address and same_type and found['host'] and found['host'] != address:
        return [check('metadata', WARNING, text, 'made as %s, the address chosen today' % address,
                      'If the host was renamed in the cluster (MODIFY FRONTEND HOST) all is well; else set '
                      'starrocks_priority_networks so that %s is chosen again.' % found['host'])]
    if not same_type:
        return [check('metadata', WARNING, '%s, by %s' % (text, found['host_type']),
                      'starrocks_host_type is %s' % wishes['host_type'],
                      'Set starrocks_host_type: %s, or change the cluster over first.' % found['host_type'])]
    return [check('metadata', OK, text)]


# --- all of it -------------------------------------------------------------------------------------------------------

CHECKS = (
    ('address', check_address),
    ('systemd', check_systemd),
    ('account', check_account),
    ('linger', check_linger),
    ('python', check_python),
    ('pymysql', check_pymysql),
    ('jdk', check_jdk),
    ('cpu_avx2', check_cpu_avx2),
    ('cores', check_cores),
    ('memory', check_memory),
    ('open_files', _system_checks.check_open_files),
    ('process_limit', _system_checks.check_process_limit),
    ('disk', check_disk),
    ('disk_size', check_disk_size),
    ('filesystem', check_filesystem),
    ('paths', check_paths),
    ('ports', check_ports),
    ('processes', check_processes),
    ('metadata', check_metadata),
    ('huge_pages', _system_checks.check_huge_pages),
    ('swap', _system_checks.check_swap),
    ('overcommit', _system_checks.check_overcommit),
    ('swappiness', _system_checks.check_swappiness),
    ('selinux', _system_checks.check_selinux),
    ('locale', _system_checks.check_locale),
    ('clock', _system_checks.check_clock),
)
"""All checks of one host, in the order in which they are shown."""

CLUSTER_CHECKS = ('connection', 'clock_skew', 'timezone', 'names', 'network', 'cluster_id')
"""Checks that compare hosts; here only so that they can be named where checks are left out."""

CHECK_NAMES = tuple(name for name, dummy in CHECKS) + CLUSTER_CHECKS


def judge(facts, wishes):
    """Return the checks that are not in ``wishes['skip']``, as a list."""
    return [row for name, function in CHECKS if name not in wishes['skip'] for row in function(facts, wishes)]


def host_summary(facts, wishes):
    """Return what later steps of a deploy need to know of the host (the module's ``host``, but for its checks)."""
    address = choose_address(facts, wishes)[0]
    account = facts['account']
    jdk = choose_jdk(facts, wishes) if kinds(wishes) else None
    metadata = facts['metadata']
    return {
        'address': address,
        'ip_address': _choose_ip(facts, wishes)[0],
        'priority_networks': networks_to_write(facts, wishes, address),
        'host_name': facts['host_name'],
        'fqdn': facts['canonical']['name'] if facts['canonical'] else None,
        'addresses': facts['addresses'],
        'java_home': jdk['home'] if jdk else None,
        'java_version': jdk['version'] if jdk else None,
        'java_major': jdk['major'] if jdk else None,
        'jdk_package': choose_jdk_package(facts, wishes),
        'os': {'id': facts['os']['id'], 'version': facts['os']['version'],
               'family': _jdk_packages.family(facts['os'])},
        'account': {key: account[key] for key in ('uid', 'group', 'home', 'shell')} if account else None,
        'nodes': [{'kind': node['kind'], 'ports': node['ports']} for node in wishes['nodes']],
        'metadata': metadata or NO_METADATA,
        'first_start': bool(metadata and metadata['first_start']),
        'storage_cluster_ids': facts['storage_cluster_ids'],
        'ports_in_use': facts['ports'],
        'processes': {node['kind']: node['found'][0]['pid'] if node['found'] else None
                      for node in facts['processes']},
        'pymysql': facts['pymysql'],
        'memory_bytes': facts['memory'],
        'cores': facts['cpu']['cores'],
        'time': facts['time'],
        'timezone': facts['timezone'],
        'utc_offset': facts['utc_offset'],
        'time_client': facts['time_client'],
        'chrony_installed': facts['chrony_installed'],
    }


def failure_text(checks, version):
    """Return the message for a host that is not ready, all failures in it; '' if there is none."""
    failures = [row for row in checks if row['status'] == FAILURE]
    if not failures:
        return ''
    lines = ['%s: found: %s%s%s' % (row['name'], row['found'], '; needed: ' + row['needed'] if row['needed'] else '',
                                    '. ' + row['fix'] if row['fix'] else '') for row in failures]
    return 'This host is not ready for StarRocks %s; nothing was changed. What stands in the way (%d):\n- %s' % (
        version, len(lines), '\n- '.join(lines))


def python_version():
    """Return the version of the Python that runs, as a tuple of three numbers."""
    return tuple(sys.version_info[:3])
