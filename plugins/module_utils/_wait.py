# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting in one process, and the evidence that a node really is there.

``Alive: true`` is believed only with evidence of the process that is meant: for up to 20 s StarRocks shows it for one
that has died (starrocks.md section 0.1).
"""

import socket
import time

from ansible_collections.starrocks.cluster.plugins.module_utils._connection import AGAIN, SqlError

# Seconds between two looks: the first ones close together, as most waits are short, later ones further apart.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 3.0
GROWTH = 1.5

# Seconds to wait for a TCP connection to a front end's own port.
PORT_TIMEOUT = 2.0


class WaitTimeout(Exception):
    """``state`` is what was read last (None if nothing could be read), ``reasons`` what it still lacked."""

    def __init__(self, state, reasons):
        super(WaitTimeout, self).__init__('; '.join(reasons))
        self.state = state
        self.reasons = reasons


def poll(read, lacks, timeout, state=None, clock=time.monotonic, sleep=time.sleep):
    """Call ``read()`` until ``lacks(state)``, a list of reasons in words, is empty; return that state.

    Always looks at least once; ``state`` is what was read just before, if anything, and saves the first look. A front
    end that cannot be asked for the moment (SqlError to be tried again) counts as one more reason. Raises WaitTimeout
    after ``timeout`` seconds.
    """
    deadline = clock() + timeout
    pause = FIRST_PAUSE
    fresh = state is not None
    while True:
        try:
            state = state if fresh else read()
            fresh = False
            reasons = lacks(state)
        except SqlError as error:
            if error.outcome != AGAIN:
                raise
            reasons = [error.message]
        if not reasons:
            return state
        left = deadline - clock()
        if left <= 0:
            raise WaitTimeout(state, reasons)
        sleep(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def port_answers(host, port, timeout=PORT_TIMEOUT):
    """Whether something takes connections there. A front end opens its ports only once it is ready (section 3.6)."""
    try:
        socket.create_connection((host, port), timeout).close()
    except (OSError, UnicodeError):
        return False
    return True


def said(row):
    """The row's ErrMsg in brackets, '' where it has none."""
    return ' (ErrMsg: %s)' % row['err_msg'] if row.get('err_msg') else ''


def frontend_lacks(row, previous_start_time, answers):
    """What a front end's row lacks for being joined, alive and the process that is meant; '' if nothing.

    ``previous_start_time`` is the StartTime shown before the restart, as a typed row has it, or None.
    ``answers(host, port)`` tells whether its own port answers.
    """
    if row is None:
        return 'is not in SHOW FRONTENDS'
    if not row['join']:
        return 'has not joined%s' % said(row)
    if not row['alive']:
        return 'is not alive%s' % said(row)
    if previous_start_time and row.get('start_time') in (None, previous_start_time):
        return 'is shown alive, but with the StartTime of the process before the restart (%s)' % previous_start_time
    if not row['query_port']:
        return 'is alive, but its query port is not known yet'
    if not answers(row['host'], row['query_port']):
        return 'is shown alive, but nothing answers at its query port %d%s' % (row['query_port'], said(row))
    return ''


def node_lacks(row, previous_start_time):
    """What the row of a back end, compute node or broker lacks for being alive; '' if nothing."""
    if row is None:
        return 'is not registered'
    if not row['alive']:
        return 'is not alive%s' % (said(row) or ' (no error reported yet)')
    if previous_start_time and row.get('last_start_time') in (None, previous_start_time):
        return 'is shown alive, but with the LastStartTime of the process before the restart (%s)' % previous_start_time
    return ''
