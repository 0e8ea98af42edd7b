# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node is made of on its host: directories, files, a unit; and how far the host is from it.

The functions here decide; plugins/modules/starrocks_node.py reads and does.
"""

import difflib
import os
import re

SECRET_NAME = re.compile(r'(?i)(secret|password|passwd|token|shared_key|access_key|credential)')
"""Names of settings whose values never appear in a diff (aws_s3_secret_key, ssl_key_password, ...)."""

MASK = '********'

UNIT_PROPERTIES = ('LoadState', 'ActiveState', 'SubState', 'MainPID', 'UnitFileState', 'NeedDaemonReload',
                   'ConditionResult', 'NRestarts', 'Result')

FIRST_START_VARIABLE = 'STARROCKS_FIRST_START_ARGUMENTS'
"""The variable of first_start.env that the unit of a front end puts behind start_fe.sh."""


def mask_secrets(text):
    """Return a configuration text with the values of secret settings masked, line by line.

    Understands ``key = value`` and Hadoop's ``<name>key</name><value>value</value>`` on one line.
    """
    lines = []
    for line in text.splitlines(True):
        name, equals, value = line.partition('=')
        if '<value>' in line and SECRET_NAME.search(line.split('<value>')[0]):
            line = re.sub(r'<value>.*?</value>', '<value>%s</value>' % MASK, line)
        elif equals and not line.lstrip().startswith('#') and SECRET_NAME.search(name):
            line = '%s= %s%s' % (name, MASK, '\n' if value.endswith('\n') else '')
        lines.append(line)
    return ''.join(lines)


def file_diff(path, before, after, before_attributes='', after_attributes=''):
    """Return a unified diff of one file as text, secrets masked; attributes are `owner:group mode` texts.

    ``before`` is None for a file that is not there, ``after`` is None for one that goes away.
    """
    masked_before = mask_secrets(before or '').splitlines(True)
    masked_after = mask_secrets(after or '').splitlines(True)
    lines = list(difflib.unified_diff(masked_before, masked_after,
                                      '%s (%s)' % (path, before_attributes or 'absent'),
                                      '%s (%s)' % (path, after_attributes or 'absent')))
    if not lines and (before != after or before_attributes != after_attributes):
        lines = ['--- %s (%s)\n' % (path, before_attributes or 'absent'),
                 '+++ %s (%s)\n' % (path, after_attributes or 'absent')]
        if before is not None and after is not None and before != after:
            lines.append('a secret setting changes\n')
    return ''.join(line if line.endswith('\n') else line + '\n' for line in lines)


def parse_properties(text):
    """Return the ``Key=Value`` lines of ``systemctl show`` as a dict."""
    return dict(line.split('=', 1) for line in text.splitlines() if '=' in line)


def unit_state(properties):
    """Return what systemd says of a unit: {loaded, active, failed, enabled, main_pid, restarts, sub_state}."""
    active = properties.get('ActiveState', 'inactive')
    return {
        'loaded': properties.get('LoadState') == 'loaded',
        'active': active in ('active', 'reloading'),
        # auto-restart: the process died and systemd will try again
        'starting': active == 'activating',
        'failed': active == 'failed',
        'enabled': properties.get('UnitFileState') in ('enabled', 'enabled-runtime'),
        'main_pid': int(properties.get('MainPID') or 0),
        'restarts': int(properties.get('NRestarts') or 0),
        'sub_state': properties.get('SubState', ''),
        'condition_met': properties.get('ConditionResult', 'yes') != 'no',
        'reload_needed': properties.get('NeedDaemonReload') == 'yes',
    }


def process_start_time(stat_line, uptime_seconds, now, ticks_per_second):
    """Return when a process began, in seconds of the epoch, from its /proc/<pid>/stat line.

    The command's name stands in parentheses and may hold spaces, so fields are counted behind the last one;
    field 22 is the start in clock ticks since boot (proc(5)).
    """
    fields = stat_line.rsplit(')', 1)[1].split()
    started_after_boot = float(fields[19]) / ticks_per_second
    return now - uptime_seconds + started_after_boot


def pending_restart(modified, started):
    """Return the paths that changed after the process began, sorted.

    ``modified``: path -> time of its last change (epoch seconds); ``started``: the process' begin, or None.
    Ten milliseconds is what /proc measures in.
    """
    if started is None:
        return []
    return sorted(path for path, changed in modified.items() if changed > started + 0.01)


def first_start_text(arguments):
    """Return the content of first_start.env for the given start_fe.sh arguments ('' for a new cluster)."""
    return '# Managed by Ansible: this front end has not joined its cluster yet.\n%s=%s\n' % (
        FIRST_START_VARIABLE, arguments)


def tail(path, lines=20, block=16384):
    """Return the last lines of a text file as a list; an empty list where it cannot be read."""
    try:
        with open(path, 'rb') as handle:
            handle.seek(0, os.SEEK_END)
            handle.seek(max(0, handle.tell() - block))
            text = handle.read().decode('utf-8', 'replace')
    except (IOError, OSError):
        return []
    return text.splitlines()[-lines:]


def listening_ports():
    """Return the TCP ports that somebody listens on in this host, at whatever address: a set."""
    ports = set()
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        try:
            with open(table) as handle:
                ports.update(parse_listening(handle.read()))
        except (IOError, OSError):
            continue  # a kernel without IPv6
    return ports


def parse_listening(text):
    """Return {port: set of socket inodes} of what a /proc/net/tcp or tcp6 text shows in state LISTEN (0A)."""
    found = {}
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == '0A':
            found.setdefault(int(fields[1].rsplit(':', 1)[1], 16), set()).add(int(fields[9]))
    return found
