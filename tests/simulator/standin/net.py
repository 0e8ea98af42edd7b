# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: which one a front end takes for its own, and the forms host:port and [v6]:port (section 2.4, 4.3)."""

import fcntl
import ipaddress
import re
import socket
import struct
import time

_SIOCGIFADDR = 0x8915
_NEGATIVE_TTL = 10  # seconds; the JVM's networkaddress.cache.negative.ttl
_unresolved = {}


class Unresolvable(Exception):
    """A name without an address. ``str()`` is what java.net.UnknownHostException says."""


def resolve(host):
    """The IPv4 address of a name or address.

    The JVM remembers a failure for 10 s, and then says the bare name without the reason (3.5.0 transcript 16).
    """
    if _unresolved.get(host, 0) > time.monotonic():
        raise Unresolvable(host)
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        _unresolved[host] = time.monotonic() + _NEGATIVE_TTL
        raise Unresolvable(f"{host}: {error.strerror}") from None


def is_ip(host):
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return False


def local_addresses():
    """The IPv4 addresses of this host's interfaces, in the order of the interfaces."""
    result = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _index, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue
            result.append(socket.inet_ntoa(answer[20:24]))
    return result


def choose(priority_networks, addresses, warn):
    """The address of a front end in IP mode.

    The first address within priority_networks; without a match a warning and the first that is not loopback; else
    loopback. A single address of 127.0.0.0/8 in priority_networks is taken although no interface lists it: the whole
    block belongs to the host, and so several front ends can be tried on one machine.
    """
    networks = [ipaddress.ip_network(text.strip(), strict=False)
                for text in priority_networks.split(";") if text.strip()]
    for network in networks:
        for address in addresses:
            if ipaddress.ip_address(address) in network:
                return address
        if network.is_loopback and network.num_addresses == 1:
            return str(network.network_address)
    outside = [address for address in addresses if not ipaddress.ip_address(address).is_loopback]
    if networks:
        warn(f"ip address range configured for priority_networks does not include the current IP address, "
             f"will try other usable ip {outside or addresses}")
    return (outside or addresses or ["127.0.0.1"])[0]


def is_local(host, own):
    """True if ``host`` resolves to this machine."""
    try:
        address = resolve(host)
    except Unresolvable:
        return False
    return address == own or address in local_addresses()


class BadHostPort(Exception):
    """A host:port that is none; the text is what the front end says."""


def split_host_port(text, version, resolve_names):
    """``"h:9050"`` -> ``("h", 9050)`` by the rules of the version; names become addresses if asked for."""
    text = re.sub(r"\s+", "", text)
    if version >= "3.3":
        match = re.fullmatch(r"\[(.*)\]:(.*)", text) or re.fullmatch(r"(.*):(.*)", text)
        parts = match.groups() if match else ()
    else:
        parts = text.split(":")
    if len(parts) != 2:
        raise BadHostPort(f"Invalid host port: {text}")
    host, port = parts
    if not host:
        raise BadHostPort("Host is null")
    try:
        if resolve_names:
            host = resolve(host)
    except Unresolvable as error:
        raise BadHostPort(f"Unknown host: {error}") from None
    if not re.fullmatch(r"[-+]?\d+", port):
        raise BadHostPort(f'Encounter unknown exception: For input string: "{port}"')
    if not 0 < int(port) < 65536:
        reason = f"Port is out of range: {port}"
        raise BadHostPort(f"Encounter unknown exception: Getting analyzing error. Detail message: {reason}."
                          if version >= "3.3" else reason)
    return host, int(port)


def show_host_port(host, port, version):
    """As the error texts print it; IPv6 in brackets from 3.3 on."""
    return f"[{host}]:{port}" if ":" in host and version >= "3.3" else f"{host}:{port}"
