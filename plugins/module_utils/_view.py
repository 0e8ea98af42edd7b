# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As whom a cluster is looked at: its leader, or, while there is none, one front end with its own view."""

from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils._connection import (
    FINAL,
    NOT_A_MEMBER,
    PRIVILEGE_MISSING,
    ConnectError,
    SqlError,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS

# Seconds to bear a change of leader before the cluster is taken to have none (starrocks.md section 0.3).
PATIENCE = 10.0


class View(namedtuple('View', ('session', 'frontends', 'led', 'problem'))):
    """``frontends``: typed rows, None where the account may not see them; ``led``: whether they are the leader's;
    ``problem``: the SqlError that tells why one of the two is not so, else None."""

    __slots__ = ()

    def rows(self, table):
        """Typed rows of another table, seen as the front ends were."""
        return self.session.rows(table) if self.led else self.session.local_rows(table)


def view_of(session):
    """The View of the leader, else of the first front end that shows its own. Raises the last SqlError without one."""
    session.patience = PATIENCE
    try:
        return View(session, session.rows(FRONTENDS), True, None)
    except ConnectError:
        raise
    except SqlError as error:
        if error.rule is PRIVILEGE_MISSING:
            return View(session, None, True, error)
        # One that was dropped has nothing but a stale view to offer.
        if error.outcome == FINAL or error.rule is NOT_A_MEMBER:
            raise
        problem = error
    session.patience = 0
    for dummy in session.options.targets:
        try:
            return View(session, session.local_rows(FRONTENDS), False, problem)
        except SqlError as error:
            if error.rule is PRIVILEGE_MISSING:
                return View(session, None, False, error)
            if error.outcome == FINAL:
                raise
            problem = error
    raise problem
