# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the operating system of a host is set: mounts, kernel, locale, clock. _system_checks.py judges.

``reader`` is a _preflight_facts.Reader everywhere. A value that cannot be read is None.
"""

import os
import re

from ansible_collections.starrocks.cluster.plugins.module_utils._host_parts import chosen_word
from ansible_collections.starrocks.cluster.plugins.module_utils._system_checks import locale_key

try:
    import ctypes
except ImportError:
    # Left out of some small builds of Python.
    ctypes = None

KERNEL_FILES = {
    'overcommit': '/proc/sys/vm/overcommit_memory',
    'swappiness': '/proc/sys/vm/swappiness',
    'pid_max': '/proc/sys/kernel/pid_max',
    'threads_max': '/proc/sys/kernel/threads-max',
}

HUGE_PAGES_FILES = {
    'huge_pages': '/sys/kernel/mm/transparent_hugepage/enabled',
    'huge_pages_defrag': '/sys/kernel/mm/transparent_hugepage/defrag',
}

TIME_CLIENTS = ('chronyd', 'ntpd', 'systemd-timesyncd', 'ntp-daemon', 'ptp4l', 'phc2sys')
"""Programs that keep a clock; ntp-daemon is ntpd-rs. The first one of those that run is told."""

CHRONYD = ('/usr/sbin/chronyd', '/usr/bin/chronyd', '/sbin/chronyd', '/usr/local/sbin/chronyd')

CHRONY_LEAP = {'Normal': True, 'Insert second': True, 'Delete second': True, 'Not synchronised': False}
"""Whether the clock is synchronised, by the leap status that ``chronyc tracking`` ends with (chronyc(1))."""

TIMEX_BYTES = 256
"""More than struct timex has anywhere (208 bytes on 64 bits)."""

TIME_ERROR = 5
"""What adjtimex(2) returns for a clock that is not synchronised."""

BUILT_IN_LOCALES = ('c', 'posix')

C_UTF8_SINCE = (2, 35)
"""From this version on glibc has C.UTF-8 built in (its NEWS)."""


def _program_says(reader, *arguments):
    """Return what a program prints, '' where it fails, is missing or takes longer than seconds."""
    try:
        status, out, dummy = reader.run_command(['timeout', '5'] + list(arguments), handle_exceptions=False)
    except EnvironmentError:
        return ''
    return out if status == 0 else ''


# --- filesystems -----------------------------------------------------------------------------------------------------

def _unescape(path):
    """Return a path of mountinfo as it is: blanks and the like stand there as octal numbers."""
    return re.sub(r'\\([0-7]{3})', lambda match: chr(int(match.group(1), 8)), path)


def mounts(reader):
    """Return {mount point: filesystem} of /proc/self/mountinfo (proc(5)); where two lie on one point, the upper one."""
    found = {}
    for line in reader.text('/proc/self/mountinfo').splitlines():
        before, dash, after = line.partition(' - ')
        if dash:
            found[_unescape(before.split()[4])] = after.split()[0]
    return found


def mount_of(known, path):
    """Return (mount point, filesystem) of a path whose links are followed, (None, None) where unknown."""
    while path not in known and path not in ('/', ''):
        path = os.path.dirname(path)
    return (path, known[path]) if path in known else (None, None)


# --- kernel ----------------------------------------------------------------------------------------------------------

def kernel(reader):
    """Return the kernel's settings that are judged: numbers, and the chosen words of the huge pages' files."""
    found = {}
    for key, path in KERNEL_FILES.items():
        text = reader.text(path).strip()
        found[key] = int(text) if text.isdigit() else None
    for key, path in HUGE_PAGES_FILES.items():
        found[key] = chosen_word(reader.text(path))
    return found


def swaps(reader):
    """Return the names of what is swapped to."""
    lines = reader.text('/proc/swaps').splitlines()
    return [line.split()[0] for line in lines[1:] if line.strip()] if lines else None


def selinux(reader):
    """Tell whether SELinux is enforced; None on a system without."""
    text = reader.text('/sys/fs/selinux/enforce').strip()
    return text == '1' if text else None


def operating_system(reader):
    """Return {id, like, version} of os-release(5); empty texts where unknown."""
    text = reader.text('/etc/os-release') or reader.text('/usr/lib/os-release')
    entries = dict(line.split('=', 1) for line in text.splitlines() if '=' in line and not line.startswith('#'))
    values = {key.strip(): value.strip().strip('"\'') for key, value in entries.items()}
    return {'id': values.get('ID', ''), 'like': values.get('ID_LIKE', '').split(),
            'version': values.get('VERSION_ID', '')}


# --- locale ----------------------------------------------------------------------------------------------------------

def glibc_version():
    """Return the version of the C library as two numbers, (0, 0) where it is another one."""
    try:
        text = os.confstr('CS_GNU_LIBC_VERSION') or ''
    except (ValueError, OSError):
        text = ''
    match = re.match(r'glibc (\d+)\.(\d+)', text)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def locale_there(reader, wanted):
    """Return {exists, names}: whether a locale is there, and, only where it is not, which are.

    Folders are looked at first; the other ones are in an archive that only ``locale -a`` knows.
    """
    key = locale_key(wanted)
    try:
        folders = os.listdir(reader.path('/usr/lib/locale'))
    except OSError:
        folders = []
    if key in BUILT_IN_LOCALES + tuple(locale_key(name) for name in folders) or (
            key == 'c.utf8' and glibc_version() >= C_UTF8_SINCE):
        return {'exists': True, 'names': []}
    names = _program_says(reader, 'locale', '-a').split()
    if key in [locale_key(name) for name in names]:
        return {'exists': True, 'names': []}
    return {'exists': False if names else None, 'names': names}


# --- clock -----------------------------------------------------------------------------------------------------------

def time_client(reader, names):
    """Return {name, synchronised} of what keeps the clock, among the names of programs that run; None if nothing does.

    ``synchronised`` is None where it cannot be seen.
    """
    name = next((name for name in TIME_CLIENTS if name in names), None)
    if name is None:
        return None
    answer = chrony_synchronised(reader) if name == 'chronyd' else None
    return {'name': name, 'synchronised': kernel_synchronised() if answer is None else answer}


def chrony_installed(reader):
    return any(reader.exists(path) for path in CHRONYD)


def chrony_synchronised(reader):
    """Tell whether chronyd says that the clock is synchronised; it may do without telling the kernel."""
    return CHRONY_LEAP.get(_program_says(reader, 'chronyc', '-n', '-c', 'tracking').strip().split(',')[-1])


def kernel_synchronised():
    """Tell whether a time client has told the kernel that its clock is synchronised: adjtimex(2), changing nothing."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (AttributeError, OSError):
        return None
    return None if state < 0 else state != TIME_ERROR


def time_zone(reader):
    """Return the name of the time zone, Europe/Berlin, None where it has none."""
    dummy, below, name = reader.link('/etc/localtime').partition('zoneinfo/')
    return name if below else reader.text('/etc/timezone').strip() or None
