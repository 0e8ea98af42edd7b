# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host reaches others and knows their names: from what was tried to checks (see _checks.py). No I/O.

A target is {host, address, port, name, kind, listening}, a name is {host, name, addresses}, as starrocks_connectivity
takes them. What was tried is an errno for each target, 0 where it was reached, and for each name the addresses that it
stands for, or the text of an error.
"""

import collections
import errno
import ipaddress
import os

from ansible_collections.starrocks.cluster.plugins.module_utils._checks import (
    FAILURE,
    NODE_NAMES,
    OK,
    WARNING,
    check,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight import port_variable

REFUSED, SILENT, NO_WAY, PROHIBITED, UNKNOWN_NAME, OTHER = (
    'refused', 'silent', 'no way', 'prohibited', 'unknown name', 'other')

REACHED = (0, errno.ECONNRESET, errno.EPIPE)
"""A listener closes a connection with a reset, which may be seen first. One that never was would be refused."""

NAME_UNKNOWN = -1
"""Stands among the errno for a target whose address is a name that stands for nothing."""

KIND_OF_ERRNO = {
    errno.ECONNREFUSED: REFUSED,
    errno.ETIMEDOUT: SILENT,
    errno.ENETUNREACH: NO_WAY,
    errno.EHOSTUNREACH: NO_WAY,
    errno.EACCES: PROHIBITED,
    errno.EPERM: PROHIBITED,
    NAME_UNKNOWN: UNKNOWN_NAME,
}
"""What an errno of connect() says about the way (connect(2), ip(7), icmp(7))."""

Outcome = collections.namedtuple('Outcome', 'status found fix')

OUTCOMES = {
    SILENT: Outcome(
        FAILURE, 'no answer within {seconds} s from {peer}',
        'A firewall on {host} or on the way drops packets, or {address} is not its address in the network of the '
        'cluster (starrocks_priority_networks). Open there: {variables}.'),
    NO_WAY: Outcome(
        FAILURE, 'no way to {peer} ({error})',
        'Either there is no route, or a firewall on {host} rejects (firewalld does it so). Check `ip route get '
        '{address}` here, and open there: {variables}.'),
    PROHIBITED: Outcome(
        FAILURE, "this host's own rules forbid connections to {peer} ({error})",
        'Let the firewall of this host (its OUTPUT rules) pass: {variables}.'),
    UNKNOWN_NAME: Outcome(
        FAILURE, 'no address is known here for {peer}', 'Give {address} an address in DNS, or in /etc/hosts here.'),
    OTHER: Outcome(FAILURE, 'no connection to {peer} ({error})', 'Mend that, and open there: {variables}.'),
}
"""How each kind of error is told, but for a refusal."""

FIREWALL_REFUSES = Outcome(
    FAILURE, 'refused by {peer}, though it listens there',
    'A firewall on {host} or on the way rejects it (REJECT looks like this). Open there: {variables}.')

NOBODY_LISTENS = Outcome(
    WARNING, 'refused by {peer}: the host answers, but nobody listened there, so more cannot be known',
    'Nothing, unless nodes do not find each other later: then look for a firewall that rejects {variables}.')
"""A firewall that rejects with a reset or with port-unreachable looks the same (ECONNREFUSED)."""


def outcome_of(target, number):
    """Return the Outcome of a target that was not reached."""
    kind = KIND_OF_ERRNO.get(number, OTHER)
    if kind == REFUSED:
        return FIREWALL_REFUSES if target['listening'] else NOBODY_LISTENS
    return OUTCOMES[kind]


FIREWALL_LATER = 'The role starrocks.cluster.prerequisites opens the firewall (starrocks_manage_firewall).'

HOSTS_FILE_LATER = 'The role starrocks.cluster.prerequisites writes /etc/hosts (starrocks_manage_hosts_file).'


def network_checks(targets, numbers, seconds, firewall_later=False):
    """Return the checks named network: what was reached in one, and one for each host and way of not reaching it.

    ``firewall_later``: a later step opens the firewall of hosts, so what is not reached now is a warning.
    """
    if not targets:
        return []
    reached = [target for target, number in zip(targets, numbers) if number in REACHED]
    checks = []
    if reached:
        hosts = {target['host'] for target in reached}
        checks.append(check('network', OK, '%d of %d ports on %d host%s reached' % (
            len(reached), len(targets), len(hosts), '' if len(hosts) == 1 else 's')))
    groups = collections.OrderedDict()
    for target, number in zip(targets, numbers):
        if number not in REACHED:
            key = target['host'], target['address'], outcome_of(target, number), number
            groups.setdefault(key, []).append(target)
    for (host, address, outcome, number), missed in groups.items():
        words = dict(host=host, address=address, seconds='%g' % seconds, peer=_peer(host, address, missed),
                     error='' if number == NAME_UNKNOWN else os.strerror(number),
                     variables=', '.join(_ports_and_variables(missed)))
        later = firewall_later and number != NAME_UNKNOWN
        checks.append(check('network', WARNING if later else outcome.status, outcome.found.format(**words),
                            'a connection to each port that this host uses there',
                            FIREWALL_LATER if later else outcome.fix.format(**words)))
    return checks


def _peer(host, address, missed):
    """h2 (10.0.0.2), ports 9010 (edit_log_port) and 8030 (http_port) of its front end"""
    kinds = collections.OrderedDict()
    for target in missed:
        kinds.setdefault(target['kind'], []).append('%d (%s)' % (target['port'], target['name']))
    parts = ['%s of its %s' % (', '.join(ports), NODE_NAMES[kind]) for kind, ports in kinds.items()]
    shown = host if host == address else '%s (%s)' % (host, address)
    return '%s, port%s %s' % (shown, '' if len(missed) == 1 else 's', ' and '.join(parts))


def _ports_and_variables(missed):
    return ['%d (%s)' % (target['port'], port_variable(target['kind'], target['name'])) for target in missed]


def name_checks(names, answers, hosts_file_later=False):
    """Return the checks named names: what is right in one, and one for each name that is wrong here.

    ``hosts_file_later``: a later step writes /etc/hosts of all hosts, so a name that is wrong now is a warning.
    """
    if not names:
        return []
    wrong = []
    for name, answer in zip(names, answers):
        found = _wrong_answer(name, answer)
        if found:
            fix = HOSTS_FILE_LATER if hosts_file_later else "Mend DNS, or write '%s %s' into /etc/hosts here." % (
                name['addresses'][0] if name['addresses'] else 'ADDRESS', name['name'])
            wrong.append(check('names', WARNING if hosts_file_later else FAILURE, found,
                               'a name that stands for an address of %s on every host (starrocks_host_type: FQDN)'
                               % name['host'], fix))
    right = len(names) - len(wrong)
    return ([check('names', OK, '%d of %d names stand for their hosts' % (right, len(names)))] if right else []) + wrong


def _wrong_answer(name, answer):
    """Return what is wrong with the addresses (or the error, a text) that a name stands for; '' if nothing is.

    All must be the host's, since a node may take any of them; what is link-local is not looked at, as on the host
    itself. An address of loopback is one of those that are wrong.
    """
    if not isinstance(answer, (list, tuple)):
        return '%s is not known here (%s)' % (name['name'], answer)
    own = {ipaddress.ip_address(address) for address in name['addresses']}
    seen = [ipaddress.ip_address(address.split('%')[0]) for address in answer]
    seen = [address for address in seen if not address.is_link_local]
    foreign = [str(address) for address in seen if address not in own]
    if seen and not foreign:
        return ''
    return '%s stands for %s here, and %s has %s' % (
        name['name'], ', '.join(foreign) or 'nothing', name['host'], ', '.join(name['addresses']) or 'no address')
