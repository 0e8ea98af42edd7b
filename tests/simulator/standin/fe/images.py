# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the metadata: when one is made, by whom, and how it reaches the other front ends (section 7.3).

As in StarRocks' source (fe-core, com.starrocks.leader.CheckpointController and Checkpoint, journal.JournalWriter and
CheckpointWorker, http.meta.MetaService, persist.Storage):

* The journal is *rolled*: by a leader that finds an older journal when it takes over, after edit_log_roll_num entries,
  and, after ALTER SYSTEM CREATE IMAGE, with the next entry that anybody writes. All that is older is finalized.
* The leader's checkpointer looks at once, and then every minute. Where the newest image is older than the finalized
  journal, a new one is made, ``image.<finalized journal id>``. So CREATE IMAGE only asks, and an image comes without
  it too.
* Until 3.3 the leader makes it. From 3.4 on (pull request 52103) another front end that lives does, and the leader
  fetches it, unless checkpoint_only_on_leader is set.
* Then it is pushed to the others: they are told to fetch it. Who is dead goes without; later releases (pull request
  40939) try again at every look, earlier ones do not.
* shared-data has a second journal with images of its own, of the StarManager: ``image/starmgr``.
"""

import json
import threading
import time
import urllib.parse
import urllib.request

from standin import net

_LOOK = 10               # seconds, times config.time_scale, between two looks of the checkpointer; the real one: 60
_TIMEOUT = 10            # seconds for one front end to fetch an image

STARMGR = "/starmgr"     # the "subdir" of the StarManager's images


def pushes_again(version):
    """Does the leader come back to front ends that did not get the image?"""
    return version.within("3.1.9", "3.2") or version >= "3.2.4"


class Images:
    """The checkpointer of one front end: at work while it leads, and when a leader asks it to make an image."""

    def __init__(self, frontend):
        self.frontend = frontend
        self._asked = False         # CREATE IMAGE came, the journal is rolled with the next entry
        self._rolled = 0            # the journal id of the last entry that is finalized
        self._entries = 0           # since the last roll
        self._missing = {}          # subdir -> names of the front ends that still have to get the newest image

    # -- the journal -------------------------------------------------------------------------------

    def request(self):
        """ALTER SYSTEM CREATE IMAGE; returns at once."""
        self._asked = True

    def took_over(self, journal_id):
        """This front end begins to lead. The journal of a new cluster has nothing to finalize."""
        self._asked, self._entries = False, 0
        self._rolled = journal_id if journal_id > 1 else 0
        self._missing = {}

    def written(self, journal_id):
        """An entry was written: roll the journal if it is time."""
        self._entries += 1
        many = self._entries >= self.frontend.config.integer("edit_log_roll_num")
        if many or self._asked:
            reason = "triggering a new checkpoint manually"
            if many:
                reason = f"rollEditCounter {self._entries} >= edit_log_roll_num"
            self._asked, self._entries, self._rolled = False, 0, journal_id
            self.frontend.log.info("JournalWriter.rollJournalAfterBatch():1", f"edit log rolled because {reason}")

    # -- the leader's looks ------------------------------------------------------------------------

    def start(self):
        threading.Thread(target=self._run, name="leaderCheckpointer", daemon=True).start()

    def _run(self):
        while True:
            while not self.frontend.replica.leads:
                time.sleep(0.1)
            try:
                self._look()
            except Exception as error:  # a broken look must not end the looks
                self.frontend.log.error("Checkpoint.runAfterCatalogReady():2", f"failed: {error!r}")
            time.sleep(_LOOK * self.frontend.config.time_scale)

    def _look(self):
        own = self.frontend
        for subdir in ("", STARMGR) if own.replica.state["run_mode"] == "shared_data" else ("",):
            newest, _ = own.metadata.newest_image(subdir)
            wanted = self._rolled
            own.log.info("Checkpoint.runAfterCatalogReady():1", f"checkpoint imageJournalId {newest}, logJournalId "
                                                                f"{wanted}")
            maker = self._make(wanted, subdir) if newest < wanted else None
            if maker:
                newest = wanted
                self._missing[subdir] = [row["name"] for row in own.replica.state["frontends"]
                                         if row["name"] not in (own.replica.name, maker)]
            if maker or pushes_again(own.version):
                self._push(newest, subdir)

    def _make(self, number, subdir):
        """Have an image made; returns the name of who did it, None if nobody could."""
        own = self.frontend
        workers = []
        if own.version >= "3.4" and not own.config.flag("checkpoint_only_on_leader"):
            workers = [row for row in own.replica.state["frontends"] if row["alive"]
                       and row["name"] != own.replica.name]
        for row in workers:
            if own.forwarder.make_image(row, number, subdir):
                own.log.info("CheckpointController.selectWorker():1", f"select worker: {row['name']} to do checkpoint")
                self.fetch(row["host"], number, subdir)
                return row["name"]
        self.make(number, subdir)
        return own.replica.name

    def make(self, number, subdir):
        """Write an image of what this front end has. Its content may be newer than its number, never older."""
        own = self.frontend
        own.log.info("GlobalStateMgr.checkpoint():1", f"begin to generate new image: image.{number}")
        with own.replica.changed:
            content = json.dumps(own.replica.state)
        own.metadata.write_image(number, content, subdir)
        own.log.info("GlobalStateMgr.checkpoint():2", f"checkpoint finished save image.{number}")

    def _push(self, number, subdir):
        own = self.frontend
        rows = {row["name"]: row for row in own.replica.state["frontends"]}
        waiting = [name for name in self._missing.get(subdir, ()) if name in rows]
        if not waiting:
            return
        failed = [name for name in waiting if not self._tell(rows[name], number, subdir)]
        self._missing[subdir] = failed
        own.log.info("Checkpoint.pushImage():1", f"push image.{number} from subdir [{subdir}] to other nodes. totally "
                     f"{len(waiting)} nodes, push succeeded {len(waiting) - len(failed)} nodes")

    def _tell(self, row, number, subdir):
        """Let one front end fetch the image; True if it has it then."""
        port = self.frontend.config.text("http_port")
        # "host" is not StarRocks': where a call comes from does not tell the front ends of one machine apart.
        query = urllib.parse.urlencode({"version": number, "port": port, "subdir": subdir, "host": self.frontend.host})
        url = f"http://{net.in_url(row['host'])}:{port}/put?{query}"
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
                return answer.status == 200
        except OSError as error:
            self.frontend.log.error("Checkpoint.pushImage():2", f"Exception when pushing image file. url = {url} "
                                                                f"{error}")
            return False

    def fetch(self, host, number, subdir):
        """Take an image from another front end. Raises OSError."""
        port = self.frontend.config.text("http_port")
        query = urllib.parse.urlencode({"version": number, "subdir": subdir})
        with urllib.request.urlopen(f"http://{net.in_url(host)}:{port}/image?{query}", timeout=_TIMEOUT) as answer:
            self.frontend.metadata.write_image(number, answer.read().decode(), subdir)
