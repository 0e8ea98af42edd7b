# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in front end.

Who does what:

* ``main`` runs the process (arguments, pid file, signals, exit codes); ``startup`` decides what a first start is;
* ``replication`` keeps one copy of the cluster's state on every front end and says which of them leads;
* ``state`` is that copy: plain dictionaries, and the functions that change them;
* ``grammar`` turns a statement into a name and its arguments, ``statements`` runs it (here, or forwarded to the
  leader), ``nodes``, ``users``, ``catalog`` and ``settings`` hold what the statements do, ``show`` what they print;
* ``mysql`` and ``http`` are the two protocols, ``heartbeat`` and ``scheduler`` what only the leader does.

Facts come from starrocks.md and the transcripts of the project; a comment "section 1.7" means that document.
"""
