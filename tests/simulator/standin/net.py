# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: which one a front end takes for its own, and the forms host:port and [v6]:port (section 2.4, 4.3)."""

import ipaddress
import re
import socket
import struct
import time

_NEGATIVE_TTL = 10  # seconds; the JVM's networkaddress.cache.negative.ttl
_unresolved = {}

# rtnetlink(7): all addresses of all interfaces are asked for by one request.
_RTM_NEWADDR, _RTM_GETADDR, _NLMSG_DONE, _REQUEST_DUMP = 20, 22, 3, 0x301
_IFA_ADDRESS, _IFA_LOCAL = 1, 2


class Unresolvable(Exception):
    """A name without an address. ``str()`` is what java.net.UnknownHostException says."""


def resolve(host):
    """The address of a name, IPv4 before IPv6; an address as it is.

    The JVM remembers a failure for 10 s, and then says the bare name without the reason (3.5.0 transcript 16).
    """
    if is_ip(host):
        return host
    if _unresolved.get(host, 0) > time.monotonic():
        raise Unresolvable(host)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        _unresolved[host] = time.monotonic() + _NEGATIVE_TTL
        raise Unresolvable(f"{host}: {getattr(error, 'strerror', None) or error}") from None
    return min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0]


def is_ip(host):
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return False


def family(host):
    """The address family to listen with."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def any_address(host):
    """The address to listen on that takes in calls for this one and all others of the machine."""
    return "::" if ":" in host else "0.0.0.0"


def _attributes(data):
    """The attributes of a netlink message, {type: bytes}."""
    found = {}
    while len(data) >= 4:
        size, kind = struct.unpack_from("HH", data)
        found[kind] = data[4:size]
        data = data[(size + 3) & ~3:]
    return found


def local_addresses():
    """The addresses of this host's interfaces, in the order of the interfaces."""
    result = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as control:
        control.settimeout(5)
        control.send(struct.pack("=IHHII8x", 24, _RTM_GETADDR, _REQUEST_DUMP, 1, 0))
        kind = None
        while kind != _NLMSG_DONE:
            data = control.recv(1 << 16)
            while len(data) >= 16 and kind != _NLMSG_DONE:
                size, kind = struct.unpack_from("=IH", data)
                if kind == _RTM_NEWADDR:
                    attributes = _attributes(data[24:size])
                    packed = attributes.get(_IFA_LOCAL) or attributes[_IFA_ADDRESS]
                    result.append(str(ipaddress.ip_address(packed)))
                data = data[(size + 3) & ~3:]
    return result


def choose(priority_networks, addresses, warn, ipv6=False):
    """The address of a node in IP mode.

    The first address within priority_networks; without a match a warning and the first that is not loopback; else
    loopback. ipv6: take IPv6 addresses where priority_networks does not decide, and else only IPv4 (the setting
    net_use_ipv6_when_priority_networks_empty, 3.3 and later). A single address of 127.0.0.0/8 in priority_networks is
    taken although no interface lists it: the whole block belongs to the host, and so several nodes can be tried on one
    machine.
    """
    networks = [ipaddress.ip_network(text.strip(), strict=False)
                for text in priority_networks.split(";") if text.strip()]
    for network in networks:
        for address in addresses:
            if ipaddress.ip_address(address) in network:
                return address
        if network.is_loopback and network.num_addresses == 1:
            return str(network.network_address)
    usable = [address for address in addresses if (":" in address) == ipv6]
    outside = [address for address in usable if not _never(ipaddress.ip_address(address))]
    if networks:
        warn(f"ip address range configured for priority_networks does not include the current IP address, "
             f"will try other usable ip {outside or usable}")
    return (outside or usable or ["::1" if ipv6 else "127.0.0.1"])[0]


def _never(address):
    return address.is_loopback or address.is_link_local


def is_local(host, own):
    """True if ``host`` resolves to this machine. A call over IPv6 may come from an IPv4 address, ::ffff:127.0.0.1."""
    try:
        address = resolve(host.removeprefix("::ffff:"))
    except Unresolvable:
        return False
    return address == own or ipaddress.ip_address(address).is_loopback or address in local_addresses()


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
            host = resolve(host)  # an address stays as it was written
    except Unresolvable as error:
        raise BadHostPort(f"Unknown host: {error}") from None
    if not re.fullmatch(r"[-+]?\d+", port):
        raise BadHostPort(f'Encounter unknown exception: For input string: "{port}"')
    if not 0 < int(port) < 65536:
        reason = f"Port is out of range: {port}"
        raise BadHostPort(f"Encounter unknown exception: Getting analyzing error. Detail message: {reason}."
                          if version >= "3.3" else reason)
    return host, int(port)


def in_url(host):
    """As the host of a URL."""
    return f"[{host}]" if ":" in host else host


def show_host_port(host, port, version):
    """As the error texts print it; IPv6 in brackets from 3.3 on."""
    return f"[{host}]:{port}" if ":" in host and version >= "3.3" else f"{host}:{port}"
