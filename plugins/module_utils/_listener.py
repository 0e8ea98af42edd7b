# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that listens on ports for the moment of a check, and ends by itself.

The module opens the sockets, so that it can say what went wrong, and hands them over. The process outlives the module,
whose files are gone then, so it gets this very file through its standard input: imports are those of the standard
library. The kernel takes connections as soon as a socket listens, so nobody has to wait for the process.
"""

import errno
import inspect
import os
import selectors
import signal
import socket
import struct
import sys
import time

WORD = 'starrocks-preflight-listener'
"""By this word in its command line the process is known."""

COMMAND = ('-I', '-S', '-', WORD)
"""What follows the Python in that command line: the standard library alone, and the program from standard input."""

FAMILIES = {'4': socket.AF_INET, '6': socket.AF_INET6}

NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""What a kernel without IPv6 answers."""


def open_sockets(address, port):
    """Return sockets that listen on a port of an address, or of all addresses with ''. OSError where that fails."""
    wanted = [('6' if ':' in address else '4', address)] if address else [('4', '0.0.0.0'), ('6', '::')]
    opened = []
    try:
        for family, host in wanted:
            try:
                opened.append(_open_socket(FAMILIES[family], host, port))
            except OSError as error:
                if address or error.errno not in NO_SUCH_FAMILY:
                    raise
    except OSError:
        for one in opened:
            one.close()
        raise
    return opened


def _open_socket(family, host, port):
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def start(sockets, idle, seconds):
    """Have a process of its own serve the sockets; returns its pid. The caller may close its own copies then.

    It has left the session of the caller by then: sudo ends what is in its terminal's session when the caller ends.
    """
    handed = ['%s:%d' % ('6' if one.family == socket.AF_INET6 else '4', one.fileno()) for one in sockets]
    program, feed = os.pipe()
    begun, begins = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.chdir('/')
            os.dup2(program, 0)
            for descriptor in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            for one in sockets:
                one.set_inheritable(True)
            os.execv(sys.executable, [sys.executable] + list(COMMAND) + [str(idle), str(seconds)] + handed)
        finally:
            os._exit(127)
    os.close(program)
    os.close(begins)
    # Closed by the kernel when the new program takes over, or at the end of a process that came to nothing.
    os.read(begun, 1)
    os.close(begun)
    with os.fdopen(feed, 'wb') as stream:
        stream.write(inspect.getsource(sys.modules[__name__]).encode('utf-8'))
    return pid


def serve(sockets, idle, seconds, clock=time.monotonic):
    """Accept connections and close them at once, until ``idle`` seconds after the last one, ``seconds`` at most.

    They are closed with a reset (SO_LINGER 0): else the port would be in TIME_WAIT when the node wants it.
    """
    last = end = clock() + seconds
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            one.setblocking(False)
            selector.register(one, selectors.EVENT_READ)
        while clock() < end:
            for key, dummy in selector.select(max(0, end - clock())):
                try:
                    connection = key.fileobj.accept()[0]
                except OSError:
                    continue  # whoever came is gone already
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                connection.close()
                end = min(last, clock() + idle)


def is_listener(arguments):
    """Tell whether a command line, as a list, is that of the process."""
    return tuple(arguments[1:1 + len(COMMAND)]) == COMMAND


def running(proc='/proc'):
    """Return the pids of all such processes of the host, ascending."""
    pids = []
    for name in os.listdir(proc):
        if name.isdigit():
            try:
                with open(os.path.join(proc, name, 'cmdline'), 'rb') as handle:
                    arguments = handle.read().decode('utf-8', 'replace').split('\0')
            except (IOError, OSError):
                continue  # it has ended
            if is_listener(arguments):
                pids.append(int(name))
    return sorted(pids)


def holds_sockets(pid, proc='/proc'):
    """Tell whether a process may hold its sockets still.

    One that ends loses its command line before it closes them, and is a zombie (Z, X) only after that.
    """
    try:
        with open(os.path.join(proc, str(pid), 'stat'), 'rb') as handle:
            return handle.read().rsplit(b')', 1)[1].split()[0] not in (b'Z', b'X')
    except (IOError, OSError):
        return False


def end(patience=2.0):
    """End all such processes; returns (pids that ended, pids that did not: another account's)."""
    found = left = running()
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            try:
                os.kill(pid, number)
            except OSError:
                pass  # it has just ended, or it is not ours to end
        waited = time.monotonic() + patience
        while left and time.monotonic() < waited:
            time.sleep(0.01)
            left = [pid for pid in left if holds_sockets(pid)]
    return [pid for pid in found if pid not in left], left


def main(arguments):
    """What the process does: arguments are idle, seconds, and the sockets as FAMILY:DESCRIPTOR."""
    handed = [one.split(':') for one in arguments[2:]]
    sockets = [socket.socket(FAMILIES[family], socket.SOCK_STREAM, fileno=int(number)) for family, number in handed]
    serve(sockets, float(arguments[0]), float(arguments[1]))


if __name__ == '__main__':
    main(sys.argv[2:])
