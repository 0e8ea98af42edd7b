# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the SQL statements that reach a port of this host, one a line: as they go by on the wire, whoever sends them.

    python3 statements.py PORT [ADDRESS]     those sent to one address of this host

Runs on a test host, as root. "ready" is printed first; then it goes on until its standard input ends. What is
encrypted is not seen, and a statement longer than one packet only in part.
"""

import select
import socket
import struct
import sys

EVERY_PROTOCOL = 3  # ETH_P_ALL
SENT = 4  # PACKET_OUTGOING; what a host sends to itself is seen a second time, as received
QUERY = 3  # COM_QUERY, the first byte of a packet of MySQL's protocol that holds a statement


def statement(frame, port, address=None):
    """The statement in an Ethernet frame on its way to the port (of an address, as bytes), None if there is none."""
    ip = frame[14:]
    if frame[12:14] != b"\x08\x00" or ip[9] != socket.IPPROTO_TCP:
        return None
    if address not in (None, ip[16:20]):
        return None
    tcp = ip[4 * (ip[0] & 15) : struct.unpack("!H", ip[2:4])[0]]
    payload = tcp[4 * (tcp[12] >> 4) :]
    # Each command begins a new sequence: three bytes of length, number 0.
    if struct.unpack("!H", tcp[2:4])[0] != port or len(payload) < 6 or payload[3:5] != bytes((0, QUERY)):
        return None
    return " ".join(payload[5:].decode("utf-8", "replace").split())


def main():
    port = int(sys.argv[1])
    wanted = socket.inet_aton(sys.argv[2]) if len(sys.argv) > 2 else None
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL)) as wire:
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([wire, sys.stdin], [], [])
            if wire in readable:
                frame, address = wire.recvfrom(65535)
                found = statement(frame, port, wanted) if address[2] == SENT else None
                if found is not None:
                    print(found, flush=True)
            elif not sys.stdin.buffer.read1():
                return


if __name__ == "__main__":
    main()
