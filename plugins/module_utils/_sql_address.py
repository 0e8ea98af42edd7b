# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses as users write them and as StarRocks stores them.

An IP-mode cluster resolves the name given to ALTER SYSTEM ADD and stores the address (starrocks.md section 2.4), so
a name and a stored address have to be compared through name resolution. A *resolver* is any callable from a host
to the frozenset of its addresses (as normalised text).
"""

import ipaddress
import re
import socket
import threading
from functools import lru_cache

_NAME = re.compile(r'^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$')

# Hosts that are looked up at the same time.
LOOKUPS = 32
# Spellings that are remembered: with hundreds of nodes each is compared with all others.
SPELLINGS = 8192


def _bare(host):
    """``host`` without blanks and brackets around it."""
    host = host.strip()
    return host[1:-1] if host.startswith('[') and host.endswith(']') else host


@lru_cache(maxsize=SPELLINGS)
def _address_in(host):
    """The address that ``host`` is, or None for a name.

    One with a zone (``fe80::1%eth0``) means nothing on another machine, and newer versions of Python let any text be
    the zone. An IPv4 address that is written as one of IPv6 is an IPv4 address to Java, and so to StarRocks.
    """
    bare = _bare(host)
    if '%' in bare:
        return None
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(address, 'ipv4_mapped', None) or address


@lru_cache(maxsize=SPELLINGS)
def normalise(host):
    """One spelling per host: addresses in their canonical form without brackets, names in lower case."""
    address = _address_in(host)
    return str(address) if address is not None else _bare(host).lower().rstrip('.')


def is_address(host):
    return _address_in(host) is not None


def is_ipv4(host):
    return is_address(host) and ':' not in normalise(host)


def is_loopback(address):
    return ipaddress.ip_address(address).is_loopback


def check_host(host):
    """``host`` without brackets and blanks around it; raise ValueError unless it is an address or a host name.

    What is let through here holds no quote, blank or semicolon, so nothing but an address gets into a statement.
    """
    bare = _bare(host or '')
    if is_address(bare):
        return bare
    if not _NAME.match(bare) or re.match(r'^[\d.]+$', bare):
        shown = host if len(host or '') < 80 else host[:77] + '...'
        raise ValueError('%r is neither an address nor a host name' % (shown,))
    return bare


def check_port(port):
    """``port`` as int, or ValueError."""
    number = int(port)
    if not 1 <= number <= 65535:
        raise ValueError('port %d is not between 1 and 65535' % number)
    return number


def join_host_port(host, port):
    """``host:port``, with brackets around an IPv6 address (understood by StarRocks 3.3 and later)."""
    return '[%s]:%s' % (host, port) if ':' in host else '%s:%s' % (host, port)


def split_host_port(text, default_port):
    """``(host, port)`` of ``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address. Raises ValueError.

    ``default_port`` may be None: then so is the port of a host alone.
    """
    text = text.strip()
    host, colon, port = text.rpartition(':')
    if is_address(text) or not colon:
        return check_host(text), None if default_port is None else check_port(default_port)
    if not re.match('^[0-9]+$', port):
        raise ValueError('%r is not host or host:port' % text)
    return check_host(host), check_port(port)


class Resolver(object):
    """The resolver of this machine, asking for each host once. A host that does not resolve has no addresses.

    A dot at the end, which DNS knows and /etc/hosts does not, is left out.
    """

    def __init__(self, lookup=socket.getaddrinfo):
        self._lookup = lookup
        self._known = {}

    def __call__(self, host):
        name = normalise(host)
        if name not in self._known:
            self._known[name] = self._ask(name)
        return self._known[name]

    def prepare(self, hosts):
        """Ask for several hosts at the same time: a hundred names one after the other take long where DNS is slow."""
        names = {normalise(host) for host in hosts if not is_address(host)}.difference(self._known)
        threads = [threading.Thread(target=self._ask_all, args=(names,)) for dummy in range(min(len(names), LOOKUPS))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask_all(self, names):
        """Look up ``names``, a set from which several threads take, until there is none left."""
        try:
            while True:
                name = names.pop()
                self._known[name] = self._ask(name)
        except KeyError:
            pass

    def _ask(self, host):
        try:
            answers = self._lookup(host, None)
        except (OSError, UnicodeError):
            return frozenset()
        return frozenset(normalise(answer[4][0].split('%')[0]) for answer in answers)


def same_host(given, stored, resolve):
    """Whether two spellings mean one host.

    Two names that share only a loopback address are not one host: Debian maps each host's own name to 127.0.1.1.
    """
    given, stored = normalise(given), normalise(stored)
    if given == stored:
        return True
    given_is_address, stored_is_address = is_address(given), is_address(stored)
    if given_is_address and stored_is_address:
        return False
    if stored_is_address:
        return stored in resolve(given)
    if given_is_address:
        return given in resolve(stored)
    return any(not is_loopback(address) for address in resolve(given) & resolve(stored))
