# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One state on all front ends, and one leader: Raft (Ongaro and Ousterhout, 2014) with a log of a single entry.

The state is small, so an entry is the whole of it, with the term and the journal id that it was written with. That
makes the log trivial and keeps the rest: terms, votes kept on disk, a majority for every write, the vote refused to
whoever has an older entry, a first entry of its own term before a new leader serves, members changed one at a time
by entries. Followers show an entry when they have it, the leader when a majority has it.

What the real one adds, and is so here: an added follower is no voter until it has received an entry (section 3.7),
observers receive and never vote, a leader that can not write gives up and its process ends (section 0.4), a dropped
member stays as it was, called UNKNOWN (section 0.6).
"""

import copy
import random
import select
import socket
import threading
import time

from standin import net
from standin.fe import frames
from standin.fe.metadata import after_restart, unreadable
from standin.fe.state import frontend_named, now_ms, voters

PING = 0.3                # seconds between two signs of life of a leader
ELECTION = (3.0, 5.0)     # seconds of silence after which a follower stands for election
ABANDONED = (0.2, 0.8)    # the same, when the leader's connection has broken
CALL_TIMEOUT = 2.0        # seconds for one message between front ends
COMMIT_TIMEOUT = 15.0     # seconds for one of three tries to write, times config.time_scale (section 0.4)
COMMIT_TRIES = 3


class NotLeader(Exception):
    """This front end does not lead (any more): ask the one that does."""


class Peer:
    """What the leader knows of another member."""

    def __init__(self):
        self.acked = None        # the journal id it has
        self.last_ack = 0.0      # time.monotonic()
        self.connection = None

    def heard(self):
        """Has it answered lately, and is its connection still open?"""
        if self.last_ack <= time.monotonic() - CALL_TIMEOUT - 2 * PING:
            return False
        connection = self.connection
        try:
            poll = select.poll()
            poll.register(connection, select.POLLIN)
            return not poll.poll(0) or connection.recv(1, socket.MSG_PEEK) != b""
        except (OSError, ValueError):  # closed on this side
            return False


class Replica:
    """This front end as a member of the group."""

    def __init__(self, name, address, rpc_port, metadata, config, log, events):
        """events: ``became(fe_type)``, ``can_write()`` on a leader that is ready, ``written(journal_id)`` after each of
        its entries, all called in any thread, and ``fatal(text)``, which ends the process.

        address: (host, edit_log_port). The journal is read from metadata, or is empty on a first start by a helper.
        """
        self.name = name
        self.address = address
        self.rpc_port = rpc_port
        self.metadata = metadata
        self.config = config
        self.log = log
        self.events = events
        self.changed = threading.Condition(threading.RLock())
        self.write_lock = threading.Lock()
        self._defence = threading.Lock()
        self.kind = "INIT"
        self.ready = False
        self.leader = None           # name, kept until another one is known
        self.leader_address = None   # (host, rpc_port)
        self.peers = {}
        self._entry = metadata.load_journal() or {"term": 0, "voted_for": None, "entry_term": 0, "journal_id": 0,
                                                  "state": None, "joining": None}
        if self._entry["state"]:
            after_restart(config.version, self._entry["state"])
        self.state = self._entry["state"]
        self._generation = 0
        self._deadline = 0.0
        self._last_contact = 0.0
        self._server = None

    # -- start and stop ----------------------------------------------------------------------------

    def found(self, state):
        """Begin a new cluster with this state."""
        self._entry.update(state=state, journal_id=1)
        self.state = state
        self.metadata.save_journal(self._entry)

    def join(self, cluster_id, token):
        """Wait for the first entry of this cluster and of no other."""
        self._entry["joining"] = {"cluster_id": cluster_id, "token": token}
        self.metadata.save_journal(self._entry)

    def start(self):
        """Open edit_log_port (OSError if it is taken) and take part."""
        host, port = self.address
        self._server = frames.Server((net.resolve(host), port), self._answer, self._connection_closed)
        self._transfer("UNKNOWN")
        only_voter = self.state and voters(self.state) == [self.name]
        self._deadline = time.monotonic() + (0 if only_voter else random.uniform(*ABANDONED))
        for target in (self._server.serve_forever, self._watch_leader, self._watch_members):
            threading.Thread(target=target, name=f"replica-{target.__name__}", daemon=True).start()

    def stop(self):
        if self._server:
            self._server.server_close()

    def _transfer(self, kind):
        if kind != self.kind:
            self.kind = kind
            self.log.out(f"notify new FE type transfer: {kind}")
            self.events.became(kind)

    # -- reading -----------------------------------------------------------------------------------

    @property
    def journal_id(self):
        return self._entry["journal_id"]

    @property
    def epoch(self):
        """Grows with every change of the leader."""
        return self._entry["term"]

    @property
    def leads(self):
        return self.kind == "LEADER" and self.ready

    @property
    def silence(self):
        """Seconds since this front end last heard from a leader; 0 on the leader, and for a dropped one."""
        if self.kind in ("LEADER", "UNKNOWN"):
            return 0.0
        return time.monotonic() - self._last_contact

    @property
    def known_leader(self):
        """The leader's name, None on a follower that has just lost it."""
        return self.leader if self.silence < ELECTION[1] else None

    def has_quorum(self):
        """Does this leader hear from a majority, itself included?"""
        return len(self.members_heard()) >= self._majority(self.state)

    def members_heard(self):
        """The names of the followers that answer now, this one included."""
        with self.changed:
            return [name for name in voters(self.state)
                    if name == self.name or self.peers.get(name, Peer()).heard()]

    @staticmethod
    def _majority(state):
        return len(voters(state)) // 2 + 1

    # -- writing -----------------------------------------------------------------------------------

    def write(self, change):
        """Run ``change(state)`` on a copy of the state and make it the state; returns what change returns.

        Raises NotLeader, or what change raises, and then nothing has happened. Waits for a majority; if there is
        none for COMMIT_TRIES times COMMIT_TIMEOUT the process ends.
        """
        with self.write_lock:
            if not self.leads:
                raise NotLeader
            state = copy.deepcopy(self.state)
            result = change(state)
            self._commit(state)
            self.events.written(self.journal_id)
            return result

    def _commit(self, state):
        with self.changed:
            generation = self._generation
            self._entry.update(entry_term=self._entry["term"], journal_id=self.journal_id + 1, state=state,
                               written_by=self._newest_writer())
            self.metadata.save_journal(self._entry)
            journal_id = self.journal_id
            self._start_feeders(state)
            self.changed.notify_all()
            for tries in range(1, COMMIT_TRIES + 1):
                deadline = time.monotonic() + COMMIT_TIMEOUT * self.config.time_scale
                while time.monotonic() < deadline:
                    if generation != self._generation:
                        raise NotLeader
                    if self._is_acked(state, journal_id):
                        self.state = state
                        self.changed.notify_all()
                        return
                    self.changed.wait(PING)
                text = f"failed to begin txn after retried {tries} times! db = CloseSafeDatabase{{db={journal_id}}}"
                self.log.error("BDBJEJournal.batchWriteBegin():319", text)
        self.log.warn("JournalWriter.writeOneBatch():140", "failed to write batch, will abort current journal "
                      f"com.starrocks.journal.JournalTask@{id(state):x} and commit")
        self.log.error("JournalWriter.abortJournalTask():196", text)
        self.log.out(text)
        self.events.fatal(text)

    def _newest_writer(self):
        """The newest version that has written to this journal: it decides which versions can load it."""
        own = self.config.version
        before = self._entry.get("written_by")
        return before if before and own < before else own.release

    def _check_readable(self, entry):
        """End the process if this version can not load an entry."""
        why = unreadable(self.config.version, entry)
        if why:
            self.log.error("StarRocksFE.start():1", "StarRocksFE start failed")
            self.events.fatal(why)

    def _is_acked(self, state, journal_id):
        have = [name for name in voters(state)
                if name == self.name or (self.peers.get(name, Peer()).acked or 0) >= journal_id]
        return len(have) >= self._majority(state)

    # -- the leader's side -------------------------------------------------------------------------

    def _message(self, kind, **more):
        state = self._entry["state"] or {}
        return dict(more, type=kind, sender=self.name, term=self._entry["term"], cluster_id=state.get("cluster_id"),
                    token=state.get("token"))

    def _lead(self):
        with self.changed:
            self._generation += 1
            self.ready = False
            self.peers = {}
            self.leader = self.name
            self._transfer("LEADER")
            state = self._entry["state"]
            self._check_readable(self._entry)
        try:
            with self.write_lock:
                self._commit(state)
        except NotLeader:
            return
        self.leader_address = (self.address[0], self.rpc_port)
        self.ready = True
        self.log.out("leader finished to replay journal, can write now.")
        self.events.can_write()

    def _start_feeders(self, state):
        for frontend in state["frontends"]:
            name = frontend["name"]
            if name != self.name and name not in self.peers:
                self.peers[name] = Peer()
                threading.Thread(target=self._feed, args=(frontend, self._generation), daemon=True,
                                 name=f"feeder-{name}").start()

    def _feed(self, frontend, generation):
        """Keep one member up to date for as long as this front end leads and the other is a member."""
        peer = self.peers[frontend["name"]]
        connection = None
        sent = None
        while True:
            with self.changed:
                # Not a plain wait: an acknowledgement of one member must not make the feeders of all others ping.
                self.changed.wait_for(lambda sent=sent: sent != self.journal_id or generation != self._generation, PING)
                if generation != self._generation:
                    return
                row = frontend_named(self._entry["state"], frontend["name"])
                entry = {key: self._entry[key] for key in ("entry_term", "journal_id", "written_by")}
                message = self._message(
                    "append" if row else "removed", receiver=frontend["name"], entry=entry, ready=self.ready,
                    state=self._entry["state"] if sent != self.journal_id else None,
                    leader_address=[self.address[0], self.rpc_port], clock=self.clock())
            try:
                if connection is None:
                    target = row or frontend
                    connection = socket.create_connection((target["host"], target["edit_log_port"]), CALL_TIMEOUT)
                    peer.connection = connection
                frames.send(connection, message)
                reply = frames.receive(connection)
            except (OSError, EOFError):
                if connection:
                    connection.close()
                connection = sent = None
                peer.last_ack = 0.0
                reply = {}
                time.sleep(PING)
            if row is None:
                self.peers.pop(frontend["name"], None)
                return
            if connection is None:
                continue
            if reply.get("term", 0) > self._entry["term"] and not self._defend(reply["term"], generation):
                return self._lost_leadership()
            with self.changed:
                if reply.get("ok"):
                    peer.acked = reply["journal_id"]
                    peer.last_ack = time.monotonic()
                    sent = entry["journal_id"]
                    self.changed.notify_all()
                else:
                    sent = None
            if not reply.get("ok"):
                time.sleep(PING)

    def _defend(self, term, generation):
        """Be voted for anew, since a member that stood for election in vain has a newer term. False if that fails.

        Whoever has the votes of a majority and its own entry may go on: nobody else can have led in between.
        """
        with self._defence:
            with self.changed:
                if generation != self._generation or self._entry["term"] >= term:
                    return True
                self._entry.update(term=term + 1, voted_for=self.name)
                self.metadata.save_journal(self._entry)
            return self._ballot(term + 1, pre=False, asked=True)

    def clock(self):
        return now_ms() + int((self.config.fault("clock_skew_seconds") or 0) * 1000)

    def _lost_leadership(self):
        text = "transfer FE type from LEADER to UNKNOWN. exit"
        self.log.warn("StateChangeExecutor.runOneCycle():1", text)
        self.log.out(text)
        self.events.fatal(text)

    def _watch_members(self):
        """Mark members that have got their first entry as joined."""
        while True:
            time.sleep(PING)
            if not self.leads:
                continue
            with self.changed:
                new = [frontend["name"] for frontend in self.state["frontends"] if not frontend["joined"]
                       and self.peers.get(frontend["name"], Peer()).acked is not None]
            for name in new:
                try:
                    self.write(lambda state, name=name: self._mark_joined(state, name))
                except NotLeader:
                    break

    @staticmethod
    def _mark_joined(state, name):
        frontend = frontend_named(state, name)
        if frontend:
            frontend["joined"] = True

    def hand_over(self):
        """Let an up-to-date follower lead (graceful exit of a leader, 3.4 and later). True if one was asked."""
        with self.write_lock, self.changed:
            heard = self.members_heard()
            fit = [frontend for frontend in self.state["frontends"] if frontend["name"] in heard
                   and frontend["name"] != self.name and self.peers[frontend["name"]].acked == self.journal_id]
            if not self.leads or not fit:
                return False
            self._generation += 1
            self.ready = False
            self.leader_address = None
            self._last_contact = time.monotonic()
            self._transfer("UNKNOWN")
            message = self._message("hand_over")
            self.changed.notify_all()
        self.log.out("this node is DETACHED")
        self._call(fit[0], message)
        return True

    # -- the follower's side -----------------------------------------------------------------------

    def _answer(self, message, context):
        handler = {"append": self._on_append, "vote": self._on_vote, "hand_over": self._on_hand_over,
                   "removed": self._on_removed}.get(message["type"])
        if not handler:
            return None
        expected = self._entry["state"] or self._entry.get("joining")
        if expected and (message["cluster_id"], message["token"]) != (expected["cluster_id"], expected["token"]):
            return {"refused": "another cluster", "term": 0}
        if message.get("receiver", self.name) != self.name:
            return {"refused": "another node", "term": 0}
        return handler(message, context)

    def _on_append(self, message, context):
        with self.changed:
            if not context.get("leader"):
                refused = self._check_clock(message)
                if refused:
                    return refused
            if message["term"] < self._entry["term"]:
                return {"ok": False, "term": self._entry["term"]}
            if self.kind == "LEADER":
                self._lost_leadership()
            context["leader"] = message["sender"]
            self.leader = message["sender"]
            self.leader_address = tuple(message["leader_address"])
            self._last_contact = time.monotonic()
            self._deadline = self._last_contact + random.uniform(*ELECTION)
            known = (self._entry["entry_term"], self.journal_id)
            if message["term"] > self._entry["term"] or message["state"]:
                vote = {} if message["term"] == self._entry["term"] else {"term": message["term"], "voted_for": None}
                entry = dict(message["entry"], state=message["state"]) if message["state"] else {}
                if entry and not self.ready:
                    self._check_readable(entry)
                self._entry.update(vote, **entry)
                self.metadata.save_journal(self._entry)
                self.state = self._entry["state"]
            elif known != (message["entry"]["entry_term"], message["entry"]["journal_id"]):
                return {"ok": False, "term": self._entry["term"]}
            row = self.state and frontend_named(self.state, self.name)
            if row:
                self._transfer(row["role"])
                self.ready = self.ready or message["ready"]
            self.changed.notify_all()
            return {"ok": True, "term": self._entry["term"], "journal_id": self.journal_id}

    def _check_clock(self, message):
        limit = self.config.integer("max_bdbje_clock_delta_ms")
        delta = abs(message["clock"] - self.clock())
        if delta <= limit:
            return None
        text = (f"Clock delta: {delta} ms. between Feeder: {message['sender']} and this Replica: {self.name} "
                f"exceeds max permissible delta: {limit} ms. HANDSHAKE_ERROR: Error during the handshake "
                "between two nodes.")
        self.log.error("BDBEnvironment.setupEnvironment():1", text)
        if not self.ready:
            self.events.fatal(text)
        return {"refused": text, "term": 0}

    def _on_removed(self, _message, _context):
        with self.changed:
            if not self.ready:
                self.events.fatal("current node is not added to the cluster, will exit")
            self._transfer("UNKNOWN")
            self._deadline = float("inf")
            return {"ok": True, "term": 0}

    def _on_hand_over(self, message, _context):
        self._last_contact = 0.0
        threading.Thread(target=self._stand, args=(True,), name="election", daemon=True).start()
        return {"ok": True, "term": message["term"]}

    def _connection_closed(self, context):
        with self.changed:
            if context.get("leader") and context["leader"] == self.leader and self._deadline != float("inf"):
                self._last_contact = 0.0
                self._deadline = time.monotonic() + random.uniform(*ABANDONED)

    # -- elections ---------------------------------------------------------------------------------

    def _watch_leader(self):
        while True:
            time.sleep(0.05)
            with self.changed:
                due = self.kind != "LEADER" and time.monotonic() > self._deadline
                if due:
                    self._deadline = time.monotonic() + random.uniform(*ABANDONED) + 0.3
            if due and self.state and self.name in voters(self._entry["state"]):
                self._stand(False)
            elif due and self.state and not self.ready:
                self._ballot(self._entry["term"] + 1, pre=True, asked=False)  # an observer learns that it was dropped

    def _stand(self, asked):
        """Stand for election. asked: the leader wants it so, and the others need not miss it first."""
        if not asked and not self._ballot(self._entry["term"] + 1, pre=True, asked=False):
            return
        with self.changed:
            if self.kind == "LEADER":
                return
            self._entry.update(term=self._entry["term"] + 1, voted_for=self.name)
            self.metadata.save_journal(self._entry)
            term = self._entry["term"]
        if self._ballot(term, pre=False, asked=asked):
            with self.changed:
                won = self._entry["term"] == term and self.kind != "LEADER"
            if won:
                self._lead()

    def _ballot(self, term, pre, asked):
        """Ask all voters at once; True if a majority is for this front end."""
        with self.changed:
            state = self._entry["state"]
            others = [frontend for frontend in state["frontends"]
                      if frontend["name"] in voters(state) and frontend["name"] != self.name]
            message = self._message("vote", pre=pre, asked=asked,
                                    entry=[self._entry["entry_term"], self._entry["journal_id"]])
            message["term"] = term
        replies = []
        threads = [threading.Thread(target=lambda other=other: replies.append(self._call(other, message)), daemon=True)
                   for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(CALL_TIMEOUT)
        answers = [reply for reply in list(replies) if reply]
        if any(answer.get("not_member") for answer in answers):
            self._on_removed(None, None)
            return False
        return 1 + sum(bool(answer.get("granted")) for answer in answers) >= self._majority(state)

    def _call(self, frontend, message):
        """Send one message and return its answer, None if there is none."""
        try:
            with socket.create_connection((frontend["host"], frontend["edit_log_port"]), CALL_TIMEOUT) as connection:
                frames.send(connection, message)
                return frames.receive(connection)
        except (OSError, EOFError):
            return None

    def _on_vote(self, message, _context):
        with self.changed:
            entry = self._entry
            heard = self.kind == "LEADER" or time.monotonic() - self._last_contact < ELECTION[0]
            if not entry["state"] or not frontend_named(entry["state"], message["sender"]):
                return {"granted": False, "term": entry["term"], "not_member": bool(entry["state"] and heard)}
            newest = tuple(message["entry"]) >= (entry["entry_term"], entry["journal_id"])
            if (heard and not message["asked"]) or not newest or message["term"] < entry["term"]:
                return {"granted": False, "term": entry["term"]}
            if message["pre"]:
                return {"granted": message["term"] > entry["term"], "term": entry["term"]}
            if message["term"] > entry["term"]:
                entry.update(term=message["term"], voted_for=None)
            granted = entry["voted_for"] in (None, message["sender"])
            if granted:
                entry["voted_for"] = message["sender"]
                self._deadline = time.monotonic() + random.uniform(*ELECTION)
            self.metadata.save_journal(entry)
            return {"granted": granted, "term": entry["term"]}
