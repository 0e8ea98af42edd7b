# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the operating system is set as StarRocks' manual asks: limits, kernel, clock, locale. No I/O.

The rules are those of starrocks.md 6, unless said otherwise. What cannot be read gives no check.
"""

from ansible_collections.starrocks.cluster.plugins.module_utils._checks import (
    FAILURE,
    OK,
    UNLIMITED,
    WARNING,
    check,
    kinds,
    limit_text,
    role_sets,
)

BE_LOWEST_OPEN_FILES = 60000
"""min_file_descriptor_number: a back end or compute node aborts with fewer (starrocks.md 5.2)."""

LOWEST_PROCESSES = 65535
"""What the manual's limits.conf has for nproc, and start_fe.sh raises its own limit to (starrocks.md 4.1)."""

KERNEL_COUNTS = (('kernel.pid_max', 'pid_max', 200000), ('kernel.threads-max', 'threads_max', 120000))
"""Settings below which all processes of a host together stay: name, key of the facts, what the manual asks for."""

HUGE_PAGES = ('madvise', 'never')

TIME_CLIENTS = 'chronyd, ntpd, systemd-timesyncd or another time client'


# --- limits ----------------------------------------------------------------------------------------------------------

def _too_low(possible, variable, unit_setting, wishes):
    """Return (found, fix) for a limit that units ask for and cannot get."""
    fix = 'Set %s to %d' % (variable, possible)
    if wishes['systemd_scope'] == 'user':
        fix += ", or have an administrator raise %s of the account's user@.service" % unit_setting
    return 'a unit can have %d at most here' % possible, fix + '.'


def check_open_files(facts, wishes):
    """The unit must be able to get the limit it asks for: systemd would give it less, or not start it (205/LIMITS).

    Infinity is what the kernel allows (fs.nr_open), so there it is as much as can be had.
    """
    asked, possible = wishes['limit_nofile'], facts['open_files']
    needed = '%s, as starrocks_limit_nofile asks' % limit_text(asked)
    if possible < asked < UNLIMITED:
        found, fix = _too_low(possible, 'starrocks_limit_nofile', 'LimitNOFILE', wishes)
        return [check('open_files', FAILURE, found, needed, fix)]
    if possible < BE_LOWEST_OPEN_FILES and set(kinds(wishes)) & {'be', 'cn'}:
        fix = ('Raise starrocks_limit_nofile' if asked < UNLIMITED else 'Have the limit of systemd itself raised') + (
            ', or lower min_file_descriptor_number in starrocks_be_config for a trial.')
        return [check('open_files', WARNING, '%d, as starrocks_limit_nofile asks' % possible if asked < UNLIMITED
                      else 'a unit can have %d at most here' % possible,
                      '%d: a back end or compute node aborts with less' % BE_LOWEST_OPEN_FILES, fix)]
    return [check('open_files', OK, limit_text(possible), needed)]


def check_process_limit(facts, wishes):
    """The processes (and threads) that a unit can have: by its own limit and by those of the whole host."""
    asked, possible = wishes['limit_nproc'], facts['process_limit']
    checks = []
    if possible < asked and (asked < UNLIMITED or possible < LOWEST_PROCESSES):
        # systemd then gives what it has, and the start scripts only warn.
        found, fix = _too_low(possible, 'starrocks_limit_nproc', 'LimitNPROC', wishes)
        checks.append(check('process_limit', WARNING, found, '%s, as starrocks_limit_nproc asks' % limit_text(asked),
                            fix))
    elif asked < LOWEST_PROCESSES:
        checks.append(check('process_limit', WARNING, '%d, as starrocks_limit_nproc asks' % asked,
                            '%d, as the manual asks' % LOWEST_PROCESSES, 'Raise starrocks_limit_nproc.'))
    for setting, key, manual in KERNEL_COUNTS:
        value = facts['kernel'][key]
        if value is not None and value < LOWEST_PROCESSES:
            checks.append(check('process_limit', WARNING, '%s = %d' % (setting, value),
                                '%d at least, since all processes share it; the manual asks for %d' % (
                                    LOWEST_PROCESSES, manual),
                                role_sets(wishes, 'sysctl -w %s=%d' % (setting, manual))))
    return checks or [check('process_limit', OK, limit_text(possible),
                            '%s, as starrocks_limit_nproc asks' % limit_text(asked))]


# --- kernel ----------------------------------------------------------------------------------------------------------

def check_huge_pages(facts, wishes):
    """Transparent huge pages only for those who ask: otherwise memory grows and allocations stall."""
    modes = [(file, facts['kernel'][key]) for file, key in (('enabled', 'huge_pages'), ('defrag', 'huge_pages_defrag'))
             if facts['kernel'][key]]
    if not modes or not kinds(wishes):
        return []
    good = all(mode in HUGE_PAGES for dummy, mode in modes)
    return [check('huge_pages', OK if good else WARNING, ', '.join('%s: %s' % row for row in modes),
                  'madvise in enabled and defrag of /sys/kernel/mm/transparent_hugepage', '' if good else
                  role_sets(wishes, 'echo madvise into both files, at every boot'))]


def check_swap(facts, wishes):
    if facts['swaps'] is None or not kinds(wishes):
        return []
    return [check('swap', WARNING if facts['swaps'] else OK, ', '.join(facts['swaps']) or 'none', 'no swap',
                  'Set starrocks_manage_swap: true, or run swapoff -a and take it out of /etc/fstab.'
                  if facts['swaps'] else '')]


def _kernel_setting(name, setting, key, wanted, facts, wishes):
    value = facts['kernel'][key]
    if value is None or not kinds(wishes):
        return []
    return [check(name, OK if value == wanted else WARNING, '%s = %d' % (setting, value), '%d' % wanted,
                  '' if value == wanted else role_sets(wishes, 'sysctl -w %s=%d' % (setting, wanted)))]


def check_overcommit(facts, wishes):
    return _kernel_setting('overcommit', 'vm.overcommit_memory', 'overcommit', 1, facts, wishes)


def check_swappiness(facts, wishes):
    return _kernel_setting('swappiness', 'vm.swappiness', 'swappiness', 0, facts, wishes)


def check_selinux(facts, wishes):
    """Present and enforcing; a system without SELinux gives no check."""
    if facts['selinux'] is None or not kinds(wishes):
        return []
    return [check('selinux', WARNING if facts['selinux'] else OK, 'enforcing' if facts['selinux'] else 'permissive',
                  'disabled or permissive, as the manual asks', 'Set starrocks_manage_selinux: true, or run setenforce '
                  '0 and set SELINUX=permissive in /etc/selinux/config.' if facts['selinux'] else '')]


# --- locale and clock ------------------------------------------------------------------------------------------------

LOCALE_PREFERENCE = ('c.utf8', 'en_us.utf8')


def locale_key(name):
    """Return a locale's name as names are compared: C.utf8 is C.UTF-8."""
    return name.lower().replace('-', '')


def check_locale(facts, wishes):
    """The locale of the units; with one that the host does not have, programs fall back to ASCII."""
    found = facts['locale']
    if found['exists'] is None or not kinds(wishes):
        return []
    needed = '%s, the locale of the units (starrocks_locale)' % wishes['locale']
    if found['exists']:
        return [check('locale', OK, wishes['locale'], needed)]
    others = [name for name in found['names'] if locale_key(name).endswith('.utf8')]
    others.sort(key=lambda name: (locale_key(name) not in LOCALE_PREFERENCE, name))
    fix = 'Set starrocks_locale: %s, which it has.' % others[0] if others else (
        'Install a UTF-8 locale (the package locales, or glibc-langpack-en on RedHat) and set starrocks_locale to it.')
    return [check('locale', WARNING, 'the host does not have it', needed, fix)]


def check_clock(facts, wishes):
    """Whether something keeps the clock right: front ends more than 5 s apart do not start (starrocks.md 4.3)."""
    client = facts['time_client']
    needed = 'a clock kept by %s' % TIME_CLIENTS
    if not client:
        found = 'no time client runs%s' % (
            ', though the kernel takes its clock for synchronised' if facts['kernel_synchronised'] else '')
        return [check('clock', WARNING, found, needed, 'The role starrocks.cluster.prerequisites installs chrony.'
                      if wishes['install_time_client'] else 'Install chrony and start it.')]
    name, synchronised = client['name'], client['synchronised']
    if synchronised is None:
        return [check('clock', OK, '%s runs; whether the clock is synchronised cannot be seen' % name, needed)]
    if synchronised:
        return [check('clock', OK, 'synchronised by %s' % name, needed)]
    return [check('clock', WARNING, '%s runs, and the clock is not synchronised' % name, needed,
                  'Wait for it, or see whether it reaches its servers%s.' % (
                      ' (chronyc -n sources)' if name == 'chronyd' else ''))]
