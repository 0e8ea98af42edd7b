# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: made when asked for and by themselves, pushed to all that live, with what SHOW_HA says of them."""

import json
import time

import pytest
from fe_cluster import NETWORK, FrontEndProcess, join, wait_for


@pytest.fixture
def make(tmp_path):
    """A function: the front end number N, not started yet; ended after the test."""
    made = []

    def front_end(number, **options):
        made.append(FrontEndProcess(tmp_path / f"fe{number}", f"{NETWORK}.76.{number}", **options))
        return made[-1]
    yield front_end
    for one in made:
        one.kill()


def ha(frontend):
    """What SHOW_HA answers, figures as numbers."""
    answer = json.loads(frontend.get("/api/show_meta_info?action=SHOW_HA"))
    return {key: int(value) if value.isdigit() else value for key, value in answer.items()}


def files(frontend, folder="image"):
    return sorted(path.name for path in (frontend.home / "meta" / folder).glob("*.*") if path.is_file())


def wait_for_image(frontends, journal_id):
    """Until each of these has one and the same image, at least as new as this journal id; returns its number."""
    def there():
        versions = {ha(one)["last_checkpoint_version"] for one in frontends}
        return versions if len(versions) == 1 and min(versions) >= journal_id else None
    return wait_for(there, f"image {journal_id} on {[one.address for one in frontends]}").pop()


@pytest.mark.parametrize("version", ["3.2.16", "3.3.15", "3.5.0"])
def test_image_reaches_followers_and_observers(make, version):
    leader, follower, observer = everybody = [make(number, version=version) for number in (1, 2, 3)]
    leader.start()
    join(leader, follower)
    join(leader, observer, "OBSERVER")
    for one in everybody:
        assert (ha(one)["last_checkpoint_version"], ha(one)["last_checkpoint_time"]) == (0, 0), "none by itself"
    asked, before = time.time() * 1000, ha(leader)["current_journal_id"]
    observer.query("ALTER SYSTEM CREATE IMAGE")
    number = wait_for_image(everybody, before)
    for one in everybody:
        answer = ha(one)
        assert asked - 1000 < answer["last_checkpoint_time"] < time.time() * 1000
        assert answer["master"] == leader.address
        assert (answer["electable_nodes"], answer["observer_nodes"]) == (follower.address, observer.address)
        assert files(one) == ([f"image.{number}"] if version < "3.5" else [])
        assert files(one, "image/v2") == ([f"checksum.{number}", f"image.{number}"] if version >= "3.3" else [])
    assert "edit log rolled because triggering a new checkpoint manually" in leader.log()
    worker = next(one for one in everybody if f"checkpoint finished save image.{number}" in one.log())
    assert (worker is leader) == (version < "3.4"), "from 3.4 on another front end makes the image"
    pushed = 1 if version >= "3.4" else 2
    wait_for(lambda: f"push image.{number} from subdir [] to other nodes. totally {pushed} nodes, push succeeded "
                     f"{pushed} nodes" in leader.log(), "the push is logged")
    observer.query("ALTER SYSTEM CREATE IMAGE")
    assert wait_for_image(everybody, number + 1) > number


def test_checkpoint_only_on_leader(make):
    leader, follower = make(1, settings={"checkpoint_only_on_leader": "true"}).start(), make(2)
    join(leader, follower)
    leader.query("ALTER SYSTEM CREATE IMAGE")
    number = wait_for_image([leader, follower], 1)
    assert f"checkpoint finished save image.{number}" in leader.log()


@pytest.mark.parametrize(("version", "again"), [("3.1.8", False), ("3.1.17", True), ("3.5.0", True)])
def test_who_is_dead_goes_without(make, version, again):
    first, second, third = trio = [make(number, version=version) for number in (1, 2, 3)]
    first.start()
    for other in (second, third):
        join(first, other)
    third.kill()
    before = ha(first)["current_journal_id"]
    first.query("ALTER SYSTEM CREATE IMAGE")
    number = wait_for_image([first, second], before)
    wait_for(lambda: "Exception when pushing image file" in first.log(), "the failed push")
    third.start()
    if again:
        assert wait_for_image(trio, number) == number
    else:
        time.sleep(5)  # two looks of the checkpointer
        assert ha(third)["last_checkpoint_version"] == 0


def test_a_leader_that_takes_over_makes_an_image_by_itself(make):
    frontend = make(1).start()
    frontend.query("CREATE DATABASE kept")
    frontend.stop()
    frontend.start()
    number = wait_for(lambda: ha(frontend)["last_checkpoint_version"], "an image nobody asked for")
    assert number < ha(frontend)["current_journal_id"]
    time.sleep(3)
    assert ha(frontend)["last_checkpoint_version"] == number, "and no further one"


def test_no_image_without_a_leader(make):
    """And who answers says so: nobody knows the members, "unknown" leads."""
    first, second = make(1).start(), make(2)
    join(first, second)
    first.kill()
    answer = wait_for(lambda: ha(second)["master"] == "unknown" and ha(second), "the loss is noticed")
    assert "electable_nodes" not in answer and answer["observer_nodes"] == ""
    assert second.refusal("ALTER SYSTEM CREATE IMAGE")[0] == 1064


def test_journal_is_rolled_after_so_many_entries(make):
    frontend = make(1, settings={"edit_log_roll_num": "5"}).start()
    first = wait_for(lambda: ha(frontend)["last_checkpoint_version"], "an image after five entries")
    wait_for(lambda: ha(frontend)["last_checkpoint_version"] > first, "and a next one")
    assert "edit log rolled because rollEditCounter 5 >= edit_log_roll_num" in frontend.log()


def test_starmanager_has_images_of_its_own(make):
    shared = {"run_mode": "shared_data"}
    leader, follower = make(1, settings=shared).start(), make(2, settings=shared)
    join(leader, follower)
    leader.query("ALTER SYSTEM CREATE IMAGE")
    number = wait_for_image([leader, follower], 1)
    for one in (leader, follower):
        wait_for(lambda one=one: files(one, "image/starmgr") == [f"image.{number}"], "the StarManager's image")
    assert f'"imageJournalId":{number}' in leader.get("/info?subdir=/starmgr")


def test_a_leader_takes_no_image_and_nobody_one_of_the_future(make):
    leader, follower = make(1).start(), make(2)
    join(leader, follower)
    for one, number, reason in ((leader, 1, "this node is master, reject image put"),
                                (follower, 10 ** 6, "image version is bigger than local max journal id")):
        with pytest.raises(OSError) as refusal:
            one.get(f"/put?version={number}&port=1")
        assert refusal.value.code == 400 and reason in refusal.value.read().decode()
