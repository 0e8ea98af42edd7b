# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is like where starrocks_prerequisites may change it, read without changing it.

Nothing here judges; _prerequisites.py does. A program is asked only for a part that is switched on.
"""

import os
import posixpath
import re

from ansible_collections.starrocks.cluster.plugins.module_utils import _firewalls, _prerequisites
from ansible_collections.starrocks.cluster.plugins.module_utils._node import parse_properties, unit_state
from ansible_collections.starrocks.cluster.plugins.module_utils._system_facts import swaps

SSHD_PROGRAMS = ('/usr/sbin/sshd', '/sbin/sshd', '/usr/local/sbin/sshd')
SSHD_UNITS = ('ssh.service', 'sshd.service')
"""Debian's name, and everybody else's."""

CHRONY_UNITS = {'/etc/chrony/chrony.conf': 'chrony.service', '/etc/chrony.conf': 'chronyd.service'}


class Programs(object):
    """Runs programs that tell something; ``run_command``: AnsibleModule's."""

    def __init__(self, run_command):
        self.run_command = run_command

    def says(self, *words):
        """Return what a program prints, None where it is not there or fails."""
        try:
            status, output, dummy = self.run_command(list(words), handle_exceptions=False)
        except EnvironmentError:
            return None
        return output if status == 0 else None

    def units(self, names):
        """Return name -> what systemd says of a unit, as _node.unit_state gives it, with its name."""
        said = self.says('systemctl', 'show', '--property=LoadState,ActiveState,UnitFileState', *names) or ''
        blocks = said.strip().split('\n\n') if said.strip() else [''] * len(names)
        return {name: dict(unit_state(parse_properties(block)), name=name) for name, block in zip(names, blocks)}


def text_or_none(reader, path):
    """Return a file's text, None where there is none."""
    return reader.text(path) if reader.exists(path) else None


def texts(reader, wishes):
    """Return path -> text (None where absent) of all files that a part may change."""
    paths = _prerequisites.FILES + tuple(wishes[name]['path'] for name in ('limits', 'sysctl') if wishes[name])
    return {path: text_or_none(reader, path) for path in paths}


def pam_services(reader):
    """Return name -> text of all PAM services."""
    try:
        names = os.listdir(reader.path('/etc/pam.d'))
    except OSError:
        return {}
    return {name: reader.text('/etc/pam.d/' + name) for name in names}


def sshd(reader, programs, text, units):
    """Return {program, use_pam, ports, unit} of the SSH server, None where there is none.

    ``use_pam`` and ``ports`` are what the server makes of all its files (sshd -T), or of ``text`` where it cannot say.
    ``unit`` is None where none of ``units`` is active.
    """
    program = next((path for path in SSHD_PROGRAMS if reader.exists(path)), None)
    if program is None or text is None:
        return None
    said = programs.says(reader.path(program), '-T')
    told = re.findall(r'^\s*(usepam|port)\s+(\S+)', said if said is not None else text, re.MULTILINE | re.IGNORECASE)
    use_pam = [value.lower() for name, value in told if name.lower() == 'usepam']
    ports = [int(value) for name, value in told if name.lower() == 'port' and value.isdigit()]
    unit = next((name for name in SSHD_UNITS if units[name]['active']), None)
    return {'program': reader.path(program), 'use_pam': use_pam[:1] == ['yes'], 'ports': ports, 'unit': unit}


def kernel(reader, wishes, ours):
    """Return path -> text of the kernel's settings that a part may change, None for those it does not have.

    ``ours``: the text of our own file in /etc/sysctl.d, whose keys are to be given back.
    """
    keys = set(_prerequisites.parse_sysctl(ours or '')) | set(wishes['sysctl']['settings'] if wishes['sysctl'] else ())
    found = {path: reader.text(path).strip() or None for path in [_prerequisites.sysctl_path(key) for key in keys]}
    found.update({path: reader.text(path).strip() or None for path in _prerequisites.HUGE_PAGE_FILES})
    return found


def localtime(reader):
    """Return what /etc/localtime points to as a full path, '' where it is no link."""
    target = reader.link('/etc/localtime')
    return posixpath.normpath(posixpath.join('/etc', target)) if target else ''


def firewalld(programs, zone):
    """Return {zone, rules, in_force} of firewalld, None where it does not run.

    ``rules``: what its files say of us, ``in_force``: what it does now; both as _firewalls.firewalld_rules gives them.
    """
    if (programs.says('firewall-cmd', '--state') or '').strip() != 'running':
        return None
    zone = zone or (programs.says('firewall-cmd', '--get-default-zone') or '').strip()
    return {'zone': zone, 'rules': _rules_of_zone(programs, zone, ['--permanent']),
            'in_force': _rules_of_zone(programs, zone, [])}


def _rules_of_zone(programs, zone, options):
    base = ['firewall-cmd'] + options + ['--zone=' + zone]
    services = (programs.says(*(base + ['--list-services'])) or '').split()
    rich = (programs.says(*(base + ['--list-rich-rules'])) or '').splitlines()
    return ((['--%s-service=starrocks'] if 'starrocks' in services else [])
            + ['--%s-rich-rule=' + line.strip() for line in rich if 'service name="starrocks"' in line])


def nftables(programs, chain):
    """Return {rules: {handle: comment} of ours in a chain, None where there is no such chain}; None without nft."""
    if programs.says('nft', '--version') is None:
        return None
    said = programs.says('nft', '--handle', 'list', 'chain', *chain.split())
    if said is None:
        return {'rules': None}
    found = re.findall(r'comment "(%s [^"]*)" # handle (\d+)' % re.escape(_firewalls.NFTABLES_COMMENT), said)
    return {'rules': {int(handle): comment for comment, handle in found}}


def collect(reader, programs, wishes, time_client):
    """Return all that _prerequisites.py decides from, as one dict. ``time_client``: name of the one that runs."""
    found = texts(reader, wishes)
    path = wishes['sysctl']['path'] if wishes['sysctl'] else ''
    chrony = next((name for name in _prerequisites.CHRONY_FILES if found[name] is not None), None)
    firewall = wishes['firewall']
    absent = wishes['state'] == 'absent'
    units = programs.units(SSHD_UNITS + ((CHRONY_UNITS[chrony],) if chrony else ()))
    return {
        'texts': found,
        'pam': pam_services(reader),
        'sshd': sshd(reader, programs, found[_prerequisites.SSHD_FILE], units) if wishes['sshd'] or absent else None,
        'kernel': kernel(reader, wishes, found.get(path)),
        'swaps': swaps(reader) or [],
        'localtime': localtime(reader),
        'time_client': time_client,
        'chrony_unit': units[CHRONY_UNITS[chrony]] if chrony else None,
        'selinux': reader.text('/sys/fs/selinux/enforce').strip() or None,
        'firewalld': firewalld(programs, firewall['zone']) if firewall and (
            found[_firewalls.FIREWALLD_FILE] is not None if absent else firewall['backend'] == 'firewalld') else None,
        'nftables': nftables(programs, firewall['chain']) if firewall and (
            found[_firewalls.NFTABLES_FILE] is not None if absent else firewall['backend'] == 'nftables') else None,
    }
