# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a host ready for StarRocks, part by part: from what is there to what should be. No I/O.

A part is a pair of functions that take (facts, wishes) and return a Part: one for state present, one for absent.
``facts`` are what _prerequisites_facts.py read, ``wishes`` the options of starrocks_prerequisites; a wish that is None
switches its part off. What a part changes in files of others stands between marks or behind one, and what a value of
the kernel was stands beside the new one, so that absent gives back what was there. Sources: starrocks.md section 6
(the manual's environment_configurations.md), and the FAQ on ulimit for limits, PAM and sshd.
"""

import posixpath
import re

from ansible_collections.starrocks.cluster.plugins.module_utils._firewalls import (
    FIREWALL_FILES,
    firewall_absent,
    firewall_present,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._host_parts import (
    BEGIN,
    HEADER,
    File,
    Link,
    Setting,
    changed,
    chosen_word,
    part,
    put_back,
    removed,
    set_aside,
    with_block,
    without_block,
)

AT_LEAST = ('net.core.somaxconn', 'vm.max_map_count', 'kernel.threads-max', 'kernel.pid_max')
"""Limits that the manual raises above the defaults of its day. Kernels of today begin higher (pid_max 4194304 with
systemd 243, somaxconn 4096 with Linux 5.4): then they are left alone, never lowered."""

HUGE_PAGE_FILES = ('/sys/kernel/mm/transparent_hugepage/enabled', '/sys/kernel/mm/transparent_hugepage/defrag')
HUGE_PAGES_FILE = '/etc/tmpfiles.d/starrocks-huge-pages.conf'
"""systemd-tmpfiles writes its lines at each boot, long before any service starts."""

IO_SCHEDULER_FILE = '/etc/udev/rules.d/60-starrocks-io-scheduler.rules'
LOCALE_FILE = '/etc/profile.d/starrocks.sh'
SSHD_FILE = '/etc/ssh/sshd_config'
PAM_SERVICES = ('login', 'sshd')
FSTAB = '/etc/fstab'
HOSTS_FILE = '/etc/hosts'
SELINUX_FILE = '/etc/selinux/config'
CHRONY_FILES = ('/etc/chrony/chrony.conf', '/etc/chrony.conf')
"""Debian's place, and RedHat's and SUSE's."""

ZONES = '/usr/share/zoneinfo/'
FILES = (SSHD_FILE, FSTAB, HOSTS_FILE, '/etc/timezone', SELINUX_FILE, HUGE_PAGES_FILE, IO_SCHEDULER_FILE,
         LOCALE_FILE) + CHRONY_FILES + FIREWALL_FILES
"""The files that parts may change, but those whose places are options, and those of PAM."""


# --- limits of logins: limits.d, PAM, sshd ---------------------------------------------------------------------------

IN_KILOBYTES = ('memlock', 'stack')
"""What limits.conf(5) counts in kilobytes; systemd counts in bytes, and so do our variables."""

PAM_SESSION = re.compile(r'^\s*-?session\s+(?P<control>\[.*?\]|\S+)\s+(?P<module>\S+)')


def limits_present(facts, wishes):
    limits = wishes['limits']
    lines = ['%s - %s %s\n' % (wishes['user'], name, limit_text(name, limits[name]))
             for name in ('nofile', 'nproc', 'memlock', 'stack')]
    return part('limits', [File(limits['path'], HEADER + ''.join(lines), '0644', None)])


def limit_text(name, value):
    """Return a limit as limits.conf has it; ``value``: a number (of bytes, where it is a size) or infinity."""
    if str(value) == 'infinity':
        return 'unlimited'
    return str(int(value) // 1024 if name in IN_KILOBYTES else int(value))


def limits_absent(facts, wishes):
    return part('limits', removed(wishes['limits']['path'], facts) if wishes['limits'] else [])


def has_limits(name, services, seen=()):
    """Tell whether a PAM service sets limits in its session, itself or by what it includes.

    ``services``: file name in /etc/pam.d -> text. Debian includes by ``@include common-session``, RedHat by
    ``session include password-auth`` and ``substack``.
    """
    for line in services.get(name, '').splitlines():
        match = re.match(r'^\s*@include\s+(?P<included>\S+)', line) or PAM_SESSION.match(line)
        if not match:
            continue
        found = match.groupdict()
        if posixpath.basename(found.get('module') or '') == 'pam_limits.so':
            return True
        included = found['included'] if 'included' in found else (
            found['module'] if found['control'] in ('include', 'substack') else None)
        if included and included not in seen and has_limits(included, services, tuple(seen) + (name,)):
            return True
    return False


def pam_present(facts, wishes):
    files = []
    services = {name: without_block(text) for name, text in facts['pam'].items()}
    for name in PAM_SERVICES:
        if name in services and not has_limits(name, services):
            path = '/etc/pam.d/' + name
            files.append(File(path, with_block(services[name], ['session    required    pam_limits.so']), None, None))
    return part('pam', files)


def pam_absent(facts, wishes):
    return part('pam', [File('/etc/pam.d/' + name, without_block(text), None, None)
                        for name, text in sorted(facts['pam'].items()) if BEGIN in text])


def sshd_present(facts, wishes):
    """UsePAM yes, without which PAM and so the limits have no say. sshd takes the first value it meets."""
    text, sshd = facts['texts'].get(SSHD_FILE), facts['sshd']
    if text is None or sshd is None:
        return part('sshd')
    return _sshd(sshd, text, text if BEGIN in text or sshd['use_pam'] else with_block(text, ['UsePAM yes'], first=True))


def sshd_absent(facts, wishes):
    text, sshd = facts['texts'].get(SSHD_FILE), facts['sshd']
    return part('sshd') if text is None or sshd is None else _sshd(sshd, text, without_block(text))


def _sshd(sshd, before, text):
    """Reloaded, never restarted; where a socket starts it for each login, there is nothing to reload.

    A reload closes the ports for a moment, which would refuse the next connection of Ansible's.
    """
    files = [File(SSHD_FILE, text, None, [sshd['program'], '-t', '-f', '{}'])] if text != before else []
    if not sshd['unit']:
        return part('sshd', files)
    return part('sshd', files, after=[['systemctl', 'reload', sshd['unit']]], listens=sshd['ports'])


# --- kernel ----------------------------------------------------------------------------------------------------------

def sysctl_path(key):
    """Return the file of a setting: vm.swappiness is /proc/sys/vm/swappiness."""
    return '/proc/sys/' + key.replace('.', '/')


def _normal(value):
    return ' '.join(str(value).split())


def _number(text):
    return int(text) if re.match(r'^-?\d+$', text) else None


def parse_sysctl(text):
    """Return {key: (value, what it was before)} of a file that sysctl_text made."""
    found, was = {}, None
    for line in text.splitlines():
        if line.startswith('# was '):
            was = line[len('# was '):].strip()
        elif '=' in line and not line.startswith('#'):
            key, value = line.split('=', 1)
            found[key.strip()] = (_normal(value), was)
            was = None
    return found


def wanted_sysctl(wanted, live, ours):
    """Return {key: (value, what it was)} that our file should hold.

    ``wanted``: key -> value. ``live``: key -> the kernel's value, None for a key it does not have. ``ours``: what
    parse_sysctl found. A limit that is high enough without us is left out.
    """
    result = {}
    for key, value in wanted.items():
        value, now = _normal(value), live.get(key)
        if now is None:
            continue
        enough = key in AT_LEAST and None not in (_number(now), _number(value)) and _number(now) >= _number(value)
        if enough and key not in ours:
            continue
        result[key] = (value, ours[key][1] if key in ours else now)
    return result


def sysctl_text(settings):
    """Return the text of our file in /etc/sysctl.d."""
    lines = ['%s%s = %s\n' % ('' if was is None else '# was %s\n' % was, key, value)
             for key, (value, was) in sorted(settings.items())]
    return HEADER + ''.join(lines)


def kernel_present(facts, wishes):
    path, wanted = wishes['sysctl']['path'], wishes['sysctl']['settings']
    live = {key: facts['kernel'].get(sysctl_path(key)) for key in wanted}
    ours = parse_sysctl(facts['texts'].get(path) or '')
    settings = wanted_sysctl(wanted, live, ours)
    unknown = sorted(key for key, value in live.items() if value is None)
    warnings = ['This kernel has no setting %s; it is left out.' % ', '.join(unknown)] if unknown else []
    return part('kernel', [File(path, sysctl_text(settings), '0644', None)], settings=_to_apply(
        wishes, [(sysctl_path(key), _normal(live[key]), value) for key, (value, dummy) in sorted(settings.items())
                 if not _is_enough(key, live[key], value)]), warnings=warnings)


def _is_enough(key, live, value):
    if key in AT_LEAST and None not in (_number(live), _number(value)):
        return _number(live) >= _number(value)
    return _normal(live) == value


def _to_apply(wishes, settings):
    """Return Settings of those whose value differs, if the running kernel is to be changed at all."""
    return [Setting(path, before, value) for path, before, value in settings
            if wishes['apply'] and before is not None and before != value]


def kernel_absent(facts, wishes):
    path = wishes['sysctl']['path'] if wishes['sysctl'] else None
    ours = parse_sysctl(facts['texts'].get(path) or '')
    return part('kernel', removed(path, facts), settings=_to_apply(
        wishes, [(sysctl_path(key), facts['kernel'].get(sysctl_path(key)), was)
                 for key, (dummy, was) in sorted(ours.items()) if was is not None]))


def _huge_pages_were(facts):
    """Return file -> word that it had before us, from our own file or else from the kernel."""
    text = facts['texts'].get(HUGE_PAGES_FILE) or ''
    recorded = dict(re.findall(r'^# (\S+) was (\S+)$', text, re.MULTILINE))
    return {path: recorded.get(path, chosen_word(facts['kernel'].get(path))) for path in HUGE_PAGE_FILES}


def huge_pages_present(facts, wishes):
    value, were = wishes['huge_pages'], _huge_pages_were(facts)
    there = [path for path in HUGE_PAGE_FILES if were[path]]
    if not there:
        return part('huge_pages', warnings=['This kernel has no transparent huge pages; nothing to set.'])
    lines = ['# %s was %s\nw %s - - - - %s\n' % (path, were[path], path, value) for path in there]
    return part('huge_pages', [File(HUGE_PAGES_FILE, HEADER + ''.join(lines), '0644', None)], settings=_to_apply(
        wishes, [(path, chosen_word(facts['kernel'].get(path)), value) for path in there]))


def huge_pages_absent(facts, wishes):
    files = removed(HUGE_PAGES_FILE, facts)
    back = [(path, chosen_word(facts['kernel'].get(path)), was)
            for path, was in sorted(_huge_pages_were(facts).items()) if files and was]
    return part('huge_pages', files, settings=_to_apply(wishes, back))


SWAP_LINE = r'^[^#\s]\S*\s+\S+\s+swap\s'


def swap_present(facts, wishes):
    """Swap off, now and at the next boot."""
    files = changed(FSTAB, facts, set_aside(facts['texts'].get(FSTAB) or '', SWAP_LINE))
    return part('swap', files, commands=[['swapoff', '-a']] if wishes['apply'] and facts['swaps'] else [])


def swap_absent(facts, wishes):
    return part('swap', changed(FSTAB, facts, put_back(facts['texts'].get(FSTAB) or '')),
                after=[['swapon', '-a']] if wishes['apply'] else [])


def io_scheduler_present(facts, wishes):
    lines = ['ACTION=="add|change", SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", KERNEL=="sd*|vd*|xvd*|nvme*", '
             'ATTR{queue/rotational}=="%d", ATTR{queue/scheduler}="%s"\n' % (rotational, wishes['io_scheduler'][name])
             for rotational, name in ((1, 'rotational'), (0, 'solid_state')) if wishes['io_scheduler'].get(name)]
    return part('io_scheduler', [File(IO_SCHEDULER_FILE, HEADER + ''.join(lines), '0644', None)],
                after=_udev_reload(wishes))


def _udev_reload(wishes):
    return [['udevadm', 'control', '--reload'],
            ['udevadm', 'trigger', '--action=change', '--subsystem-match=block']] if wishes['apply'] else []


def io_scheduler_absent(facts, wishes):
    """The schedulers in use stay until the next boot: what they were is not known."""
    return part('io_scheduler', removed(IO_SCHEDULER_FILE, facts), after=_udev_reload(wishes))


# --- locale, time zone, names ----------------------------------------------------------------------------------------

def locale_present(facts, wishes):
    """For logins of the service account; the units have it by themselves."""
    text = HEADER + 'if [ "${LOGNAME:-$USER}" = "%s" ]; then export LANG=%s; fi\n' % (wishes['user'], wishes['locale'])
    return part('locale', [File(LOCALE_FILE, text, '0644', None)])


def locale_absent(facts, wishes):
    return part('locale', removed(LOCALE_FILE, facts))


def timezone_present(facts, wishes):
    zone = wishes['timezone']
    links = [Link('/etc/localtime', ZONES + zone)] if facts['localtime'] != ZONES + zone else []
    # Debian says it a second time, in words.
    return part('timezone', changed('/etc/timezone', facts, zone + '\n'), links=links)


def timezone_absent(facts, wishes):
    """A host keeps the zone it was given: what is logged since is in it."""
    return part('timezone')


OWN_NAME_LINE = r'^127\.0\.1\.1\s'
"""Debian's line for the host's own name. A front end that is known by name would take it for its address."""


def hosts_present(facts, wishes):
    """All names of the cluster, before whatever else stands there for them."""
    lines = ['%s %s' % (row['address'], ' '.join(row['names'])) for row in wishes['hosts']]
    text = set_aside(facts['texts'].get(HOSTS_FILE) or '', OWN_NAME_LINE)
    return part('hosts', changed(HOSTS_FILE, facts, with_block(text, lines, first=True)))


def hosts_absent(facts, wishes):
    text = facts['texts'].get(HOSTS_FILE) or ''
    return part('hosts', changed(HOSTS_FILE, facts, put_back(without_block(text))))


# --- time ------------------------------------------------------------------------------------------------------------

TIME_SOURCE_LINE = r'^\s*(pool|server|peer)\s'


def chrony_file(facts):
    """Return (path, text) of chrony's configuration, (None, None) where it is not installed."""
    return next(((path, facts['texts'][path]) for path in CHRONY_FILES if facts['texts'].get(path) is not None),
                (None, None))


def time_present(facts, wishes):
    """chrony, unless another client keeps the time already."""
    client, servers = facts['time_client'], wishes['time']['servers']
    if client not in (None, 'chronyd'):
        warnings = ['%s keeps the time of this host, so that starrocks_ntp_servers is not used. Give them to it, or '
                    'remove it to get chrony.' % client] if servers else []
        return part('time', warnings=warnings)
    path, text = chrony_file(facts)
    if path is None:
        # In check mode a package that would be installed is not there.
        return part('time', warnings=[] if wishes['check_mode'] else [
            'No time client is on this host: allow packages (starrocks_install_packages), or install chrony.'])
    wanted = put_back(without_block(text))
    if servers:
        wanted = with_block(set_aside(wanted, TIME_SOURCE_LINE), ['server %s iburst' % name for name in servers])
    unit = facts['chrony_unit']
    commands = [] if unit['enabled'] else [['systemctl', 'enable', unit['name']]]
    if not unit['active']:
        commands.append(['systemctl', 'start', unit['name']])
    return part('time', changed(path, facts, wanted), commands=commands,
                after=[['systemctl', 'restart', unit['name']]] if unit['active'] else [])


def time_absent(facts, wishes):
    """Its own servers come back; chrony itself stays, since every host should have the right time."""
    path, text = chrony_file(facts)
    if path is None:
        return part('time')
    unit = facts['chrony_unit']
    return part('time', changed(path, facts, put_back(without_block(text))),
                after=[['systemctl', 'restart', unit['name']]] if unit['active'] else [])


# --- SELinux ---------------------------------------------------------------------------------------------------------

def selinux_present(facts, wishes):
    """Permissive or disabled. Disabling takes a boot; until then it is permissive."""
    text = facts['texts'].get(SELINUX_FILE)
    if text is None:
        return part('selinux')
    wanted = with_block(set_aside(put_back(without_block(text)), r'^\s*SELINUX\s*='), ['SELINUX=' + wishes['selinux']])
    warnings = []
    if wishes['selinux'] == 'disabled' and facts['selinux'] is not None:
        warnings.append('SELinux is switched off at the next boot; until then it is permissive.')
    return part('selinux', changed(SELINUX_FILE, facts, wanted), warnings=warnings,
                commands=[['setenforce', '0']] if wishes['apply'] and facts['selinux'] == '1' else [])


def selinux_absent(facts, wishes):
    text = facts['texts'].get(SELINUX_FILE) or ''
    wanted = put_back(without_block(text))
    enforcing = re.search(r'^\s*SELINUX\s*=\s*enforcing', wanted, re.MULTILINE)
    return part('selinux', changed(SELINUX_FILE, facts, wanted),
                after=[['setenforce', '1']] if wishes['apply'] and enforcing and facts['selinux'] == '0' else [])


# --- all of it -------------------------------------------------------------------------------------------------------

PARTS = (
    ('limits', limits_present, limits_absent),
    ('pam', pam_present, pam_absent),
    ('sshd', sshd_present, sshd_absent),
    ('hosts', hosts_present, hosts_absent),
    ('timezone', timezone_present, timezone_absent),
    ('time', time_present, time_absent),
    ('kernel', kernel_present, kernel_absent),
    ('huge_pages', huge_pages_present, huge_pages_absent),
    ('swap', swap_present, swap_absent),
    ('io_scheduler', io_scheduler_present, io_scheduler_absent),
    ('locale', locale_present, locale_absent),
    ('selinux', selinux_present, selinux_absent),
    ('firewall', firewall_present, firewall_absent),
)
"""(name, for present, for absent), in the order in which they are done."""
