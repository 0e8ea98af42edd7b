# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening the ports of a host's nodes in its firewall: firewalld, or nftables. As _prerequisites.py; no I/O.

Rules are added to what an administrator's firewall lets in; nothing that it lets in already is shut out.
"""

import hashlib
import re

from ansible_collections.starrocks.cluster.plugins.module_utils._host_parts import (
    HEADER,
    File,
    Part,
    changed,
    part,
    removed,
    with_block,
    without_block,
)

FIREWALLD_FILE = '/etc/firewalld/services/starrocks.xml'
NFTABLES_FILE = '/etc/nftables.d/starrocks.nft'
NFTABLES_MAIN_FILES = ('/etc/nftables.conf', '/etc/sysconfig/nftables.conf')
"""What the service nftables loads: Debian's place, and RedHat's."""

FIREWALL_FILES = (FIREWALLD_FILE, NFTABLES_FILE) + NFTABLES_MAIN_FILES
NFTABLES_COMMENT = 'starrocks.cluster'


def _families(sources):
    """Return [(family, [networks])] of networks in CIDR form, those that occur; [('', [])] for none."""
    by_family = {family: [text for text in sources if (':' in text) == (family == 'ip6')] for family in ('ip', 'ip6')}
    return [(family, by_family[family]) for family in ('ip', 'ip6') if by_family[family]] or [('', [])]


def firewalld_service(ports):
    """Return the text of a service of firewalld that holds these TCP ports."""
    lines = ['  <port protocol="tcp" port="%d"/>\n' % port for port in sorted(ports)]
    return ('<?xml version="1.0" encoding="utf-8"?>\n'
            '<!-- Managed by Ansible (starrocks.cluster): what is changed here by hand is lost at the next run. -->\n'
            '<service>\n  <short>StarRocks</short>\n%s</service>\n' % ''.join(lines))


def firewalld_rules(sources):
    """Return the words with which firewall-cmd adds what a zone should have of ours: all, or rules per network."""
    families = {'ip': 'ipv4', 'ip6': 'ipv6'}
    return ['--%%s-rich-rule=rule family="%s" source address="%s" service name="starrocks" accept' % (
        families[family], network) for family, networks in _families(sources) for network in networks
    ] or ['--%s-service=starrocks']


def firewalld_present(facts, wish):
    found = facts['firewalld']
    if found is None:
        return part('firewall', warnings=['firewalld does not run on this host, so no port was opened.'])
    reload_it, base = ['firewall-cmd', '--reload'], ['firewall-cmd', '--permanent', '--zone=' + found['zone']]
    files = [File(FIREWALLD_FILE, firewalld_service(wish['ports']), '0644', None)]
    wanted = firewalld_rules(wish['sources'])
    change = ([base + [rule % 'remove'] for rule in found['rules'] if rule not in wanted]
              + [base + [rule % 'add'] for rule in wanted if rule not in found['rules']])
    if change:
        # A zone takes a service only once firewalld has read its file.
        return part('firewall', files, commands=[reload_it] + change + [reload_it])
    return part('firewall', files, after=[reload_it],
                commands=[reload_it] if sorted(wanted) != sorted(found['in_force']) else [])


def firewalld_absent(facts, wish):
    found = facts['firewalld']
    files = removed(FIREWALLD_FILE, facts)
    if found is None:
        return part('firewall', files)
    base = ['firewall-cmd', '--permanent', '--zone=' + found['zone']]
    change = [base + [rule % 'remove'] for rule in found['rules']]
    return part('firewall', files, commands=change, after=[['firewall-cmd', '--reload']])


def nftables_rules(wish):
    """Return the rules that open the ports, in nft's language, each with a comment that tells its very text."""
    ports = 'tcp dport { %s }' % ', '.join(str(port) for port in sorted(wish['ports']))
    rules = []
    for family, networks in _families(wish['sources']):
        match = '%s saddr { %s } %s' % (family, ', '.join(networks), ports) if family else ports
        digest = hashlib.sha256(match.encode('utf-8')).hexdigest()[:12]
        rules.append('%s accept comment "%s %s"' % (match, NFTABLES_COMMENT, digest))
    return rules


def nftables_main(facts):
    """Return (path, text) of what the service nftables loads, (None, None) where it is not installed."""
    return next(((path, facts['texts'][path]) for path in NFTABLES_MAIN_FILES if facts['texts'].get(path) is not None),
                (None, None))


def nftables_present(facts, wish):
    path, text = nftables_main(facts)
    found = facts['nftables']
    if path is None or found is None:
        return part('firewall', warnings=['nftables is not installed on this host, so no port was opened.'])
    if found['rules'] is None:
        return part('firewall', warnings=["nftables has no chain '%s' now, so no port was opened. Set "
                                          "starrocks_firewall_chain to the one that filters what comes in."
                                          % wish['chain']])
    rules = nftables_rules(wish)
    wanted = HEADER + ''.join('insert rule %s %s\n' % (wish['chain'], rule) for rule in rules)
    # The service loads all or nothing: a rule that does not fit there would leave the host without a firewall.
    check = ['nft', '--check', '--file', '{}']
    files = [File(NFTABLES_FILE, wanted, '0644', check),
             File(path, with_block(text, ['include "%s"' % NFTABLES_FILE]), None, check)]
    comments = {re.search(r'comment "(.*)"', rule).group(1) for rule in rules}
    if set(found['rules'].values()) == comments and len(found['rules']) == len(comments):
        return part('firewall', files)
    return part('firewall', files, commands=_nftables_delete(wish['chain'], found) + [['nft', '-f', NFTABLES_FILE]])


def _nftables_delete(chain, found):
    return [['nft', 'delete', 'rule'] + chain.split() + ['handle', str(handle)]
            for handle in sorted(found['rules'] or {})]


def nftables_absent(facts, wish):
    path, text = nftables_main(facts)
    # What includes our file goes first: the service nftables does not load with one that is missing.
    files = changed(path, facts, without_block(text)) if path is not None else []
    return part('firewall', files + removed(NFTABLES_FILE, facts),
                commands=_nftables_delete(wish['chain'], facts['nftables'] or {'rules': {}}))


FIREWALLS = {'firewalld': (firewalld_present, firewalld_absent), 'nftables': (nftables_present, nftables_absent)}
"""Backend -> (present, absent)."""


def firewall_present(facts, wishes):
    return FIREWALLS[wishes['firewall']['backend']][0](facts, wishes['firewall'])


def firewall_absent(facts, wishes):
    """Rules of either kind that are ours, whatever was asked for last."""
    if wishes['firewall'] is None:
        return part('firewall')
    parts = [absent(facts, wishes['firewall']) for dummy, absent in (FIREWALLS[name] for name in sorted(FIREWALLS))]
    return part('firewall', *(sum((list(getattr(one, field)) for one in parts), [])
                              for field in Part._fields if field != 'name'))
