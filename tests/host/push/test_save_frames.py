"""Single saves: sent at once, never lost or undone, and never over what others wrote."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from igor_core.errors import HostError
from igor_core.push.channel.channel import LARGE
from igor_core.push.plan import Change
from igor_core.push.report import PushReport
from igor_core.push.save_batches import TURN_FILES
from tests.lab import Lab
from tests.support.push_means import assert_is_settled, clear, held_back, sent, take_away
from tests.support.pushing import Desk, desk, receivers


@pytest.fixture
async def apollo(lab: Lab, ssh_home: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    """A clone that is pushed via a receiver."""
    clear(lab["apollo"])
    async with desk(lab["apollo"], tmp_path / "project") as made:
        yield made


async def test_what_was_saved_is_there_and_recorded(clone: Desk) -> None:
    clone.write("a", "one")
    clone.write("b", "one")
    await clone.push()
    assert clone.host_tree.verified
    clone.write("a", "two")
    clone.write("new/deep/c", "two", 0o755)
    (clone.root / "link").symlink_to("a")
    clone.remove("b")
    report = await clone.save("a", "new/deep/c", "link", "b")
    assert sorted(sent(report)) == [b"a", b"link", b"new/deep/c"]
    assert (report.deleted, report.held_back, report.moving) == ([b"b"], [], [])
    assert clone.on_host() == clone.local()
    assert clone.host_tree.verified
    await assert_is_settled(clone)
    clone.new_agent()
    await assert_is_settled(clone)


async def test_a_save_before_anything_is_open_arrives(clone: Desk) -> None:
    clone.write("a", "one")
    await clone.push()
    clone.new_agent()
    clone.write("a", "two")
    assert sent(await clone.save("a")) == [b"a"]
    assert clone.on_host()[b"a"].content == b"two"
    assert not clone.host_tree.verified


async def test_a_save_into_a_tree_that_was_never_pushed_harms_nothing(clone: Desk) -> None:
    clone.write_there("theirs", "1")
    clone.write_there("differs", "1")
    clone.write("differs", "2")
    clone.write("mine", "3")
    report = await clone.save("differs", "mine")
    assert sent(report) == [b"mine"]
    assert held_back(report) == {b"differs": "on the host already, and different"}
    contents = {path: entry.content for path, entry in clone.on_host().items()}
    assert contents == {b"theirs": b"1", b"differs": b"1", b"mine": b"3"}


async def test_a_save_over_what_the_host_changed_is_held_back(clone: Desk) -> None:
    for name in ("a", "b", "c"):
        clone.write(name, "one")
    await clone.push()
    clone.write_there("a", "theirs")
    clone.write_there("b", "theirs")
    clone.sh_there("touch c")
    clone.write("a", "two")
    clone.remove("b")
    clone.write("c", "two")
    report = await clone.save("a", "b", "c")
    assert sent(report) == [b"c"]
    assert held_back(report) == {
        b"a": "changed on the host",
        b"b": "deleted locally, but changed on the host",
    }
    assert clone.manifest.note("held_back") == "a\nb"
    clone.write("a", "theirs")
    assert held_back(await clone.save("a")) == {}
    assert clone.manifest.note("held_back") == "b"


async def test_a_path_that_became_another_kind_arrives_by_a_save(clone: Desk) -> None:
    clone.write("p", "file")
    clone.write("q/x", "1")
    clone.write("q/y", "1")
    await clone.push()
    clone.remove("p")
    clone.write("p/x", "now a folder")
    clone.remove("q")
    clone.write("q", "now a file")
    # An editor reports only the files that it has written.
    await clone.save("p/x", "q")
    assert clone.on_host() == clone.local()
    await assert_is_settled(clone)


async def test_many_deletes_in_the_background_are_held_back(clone: Desk) -> None:
    names = [f"f{number}" for number in range(60)]
    for name in names:
        clone.write(name)
    await clone.push()
    for name in names[:59]:
        clone.remove(name)
    report = await clone.save(*names)
    assert report.deleted == []
    assert len(report.held_back) == 59
    assert len(clone.on_host()) == 60


async def test_the_last_of_many_saves_of_a_file_wins(clone: Desk) -> None:
    clone.write("a", "0")
    await clone.push()
    saves = []
    for number in range(1, 30):
        clone.write("a", f"content {number}")
        saves.append(asyncio.ensure_future(clone.save("a")))
        await asyncio.sleep(0.001 * (number % 3))
    reports = await asyncio.gather(*saves)
    assert all(report.held_back == [] for report in reports)
    assert clone.on_host()[b"a"].content == b"content 29"
    await assert_is_settled(clone)


async def test_an_old_content_that_comes_late_is_not_sent(clone: Desk) -> None:
    clone.write("a", "0")
    await clone.push()
    clone.write("a", "older")
    late = clone.changes("a")
    clone.write("a", "newer")
    await clone.save("a")
    await clone.host_tree.send(late)
    assert clone.on_host()[b"a"].content == b"newer"


async def test_a_save_in_the_warm_case_has_left_when_send_returns(apollo: Desk) -> None:
    apollo.write("a", "one")
    await apollo.push()
    for number in range(20):
        apollo.write("a", os.urandom(10_000))
        changes = apollo.changes("a")
        saved = apollo.host_tree.send(changes)
        # Only another process can bring the file to the host now: this loop never yields to
        # asyncio.
        there, deadline = apollo.there / "a", time.monotonic() + 60
        while there.read_bytes() != changes[0].content:
            assert time.monotonic() < deadline, number
        assert sent(await saved) == [b"a"]


async def test_a_save_is_one_round_trip(apollo: Desk) -> None:
    apollo.write("a", "one")
    apollo.write("big", os.urandom(3 * LARGE))
    await apollo.push()
    await take_away(apollo, 0)
    await apollo.push()
    apollo.lab_host.delay(2000)
    apollo.write("a", "two")
    apollo.write("new", "two")
    started = time.monotonic()
    await apollo.save("a", "new")
    assert 1.9 < time.monotonic() - started < 3.8


async def test_a_line_in_a_big_file_is_a_patch(apollo: Desk) -> None:
    content = os.urandom(5_000_000)
    apollo.write("big", content)
    await apollo.push()
    for middle in (b"one line", b"", b"another, longer line" * 100):
        apollo.write("big", content[:3_000_000] + middle + content[3_000_000:])
        report = await apollo.save("big")
        assert sent(report) == [b"big"]
        assert apollo.on_host() == apollo.local()
    await take_away(apollo, 0)
    apollo.write("big", content[:10] + b"x" + content[11:])
    assert sent(await apollo.save("big")) == [b"big"]
    await assert_is_settled(apollo)


async def test_a_patch_whose_base_was_changed_there_is_held_back(apollo: Desk) -> None:
    content = os.urandom(500_000)
    apollo.write("big", content)
    await apollo.push()
    apollo.write("big", content + b"1")
    await apollo.save("big")
    apollo.write_there("big", "theirs")
    apollo.write("big", content + b"2")
    assert held_back(await apollo.save("big")) == {b"big": "changed on the host"}
    assert apollo.on_host()[b"big"].content == b"theirs"


async def test_a_save_while_a_big_push_runs_does_not_wait_for_it(apollo: Desk) -> None:
    apollo.write("a", "one")
    await apollo.push()
    for number in range(20):
        apollo.write(f"big{number}", os.urandom(4_000_000))
    begun = asyncio.Event()
    apollo.person.on_progress = lambda done: begun.set() if done > 4_000_000 else None
    pushing = asyncio.ensure_future(apollo.push())
    await begun.wait()
    apollo.write("a", "two")
    assert sent(await apollo.save("a")) == [b"a"]
    assert not pushing.done()
    report = await pushing
    assert len(report.sent) == 20
    assert apollo.on_host() == apollo.local()


async def test_a_save_made_after_the_scan_is_not_undone_by_the_push(clone: Desk) -> None:
    for name in ("a", "gone", "kept"):
        clone.write(name, "one")
    await clone.push()
    older = clone.scan()
    clone.write("a", "two")
    clone.write("new", "two")
    clone.remove("gone")
    await clone.save("a", "new", "gone")
    report = await clone.push_tree(older)
    assert (report.sent, report.deleted) == ([], [])
    assert clone.on_host() == clone.local()


async def test_a_save_on_a_lost_connection_is_a_host_error(apollo: Desk) -> None:
    apollo.write("a", "one")
    await apollo.push()
    apollo.write("a", "two")
    saving = apollo.host_tree.send(apollo.changes("a"))
    apollo.remote.close()
    await asyncio.wait([saving])
    if saving.exception() is not None:
        assert isinstance(saving.exception(), HostError)
    with pytest.raises(HostError):
        await apollo.host_tree.send(apollo.changes("a"))
    assert not apollo.host_tree.opened
    assert (await apollo.push()).held_back == []
    assert apollo.on_host() == apollo.local()


async def test_equal_files_of_a_tree_that_was_there_are_taken_over_and_others_asked_about(
    clone: Desk,
) -> None:
    for number in range(8):
        clone.write(f"same{number}", "same")
        clone.write_there(f"same{number}", "same")
        clone.write(f"other{number}", "mine")
        clone.write_there(f"other{number}", "theirs")
    clone.person.answer = True
    report = await clone.push()
    assert sorted(sent(report)) == [b"other%d" % number for number in range(8)]
    (question,) = clone.person.asked
    assert "has 8 files that igor did not write and that differ from yours: other0" in question
    assert "and 3 more; overwrite?" in question
    assert all(entry.content in (b"same", b"mine") for entry in clone.on_host().values())
    assert (await clone.push()).sent == []


# -- concurrent saves and pushes


NAMES = ["a", "b", "d/a", "d/b", "d/e/a", "f/a", "g"]


class Life:
    """Edits, saves, and pushes of scans of any age, all running concurrently."""

    def __init__(self, clone: Desk, rng: random.Random) -> None:
        self.clone = clone
        self.rng = rng
        self.count = 0
        self.running: list[asyncio.Future[PushReport]] = []
        self.late: list[list[Change]] = []

    async def step(self) -> None:
        act = self.rng.choice(
            [self.edit] * 5 + [self.remove] * 2 + [self.save_late, self.push, self.reshape]
        )
        act(self.rng.choice(NAMES))
        if self.rng.random() < 0.5:
            await asyncio.sleep(self.rng.choice([0, 0, 0.001, 0.004, 0.02]))

    def edit(self, name: str) -> None:
        self.count += 1
        try:
            self.clone.write(name, f"{self.count:05}" * self.rng.choice([1, 1, 1000, 8000]))
        except OSError:
            return
        self.save(name)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with its content."""
        folder = self.clone.root / name
        below = [path for path in folder.rglob("*") if not path.is_dir()]
        self.clone.remove(name)
        self.save(name, *(str(path.relative_to(self.clone.root)) for path in below))

    def reshape(self, name: str) -> None:
        """Turn a file into a folder or the reverse, and report each path."""
        top = name.split("/")[0]
        self.remove(top)
        self.edit(self.rng.choice([top, f"{top}/a"]))

    def save(self, *names: str) -> None:
        changes = [self.seen(name) for name in names]
        # Nobody can tell that a delete comes late; whoever looks tells in the order of the looks.
        if self.rng.random() < 0.2 and all(change.file for change in changes):
            self.late.append(changes)
        else:
            self.running.append(self.clone.host_tree.send(changes))

    def save_late(self, name: str) -> None:
        if self.late:
            self.running.append(self.clone.host_tree.send(self.late.pop(0)))

    def seen(self, name: str) -> Change:
        try:
            return self.clone.change(name.encode())
        except OSError:
            return Change(name.encode(), None)

    def push(self, name: str) -> None:
        tree = self.clone.scan()

        async def later() -> PushReport:
            await asyncio.sleep(self.rng.choice([0, 0.002, 0.02]))
            return await self.clone.push_tree(tree, allow_deletes=True)

        self.running.append(asyncio.ensure_future(later()))


@pytest.mark.parametrize("seed", [int(os.environ.get("IGOR_SEED", "0")) or n for n in range(1, 7)])
@pytest.mark.parametrize("distance", [0, 10])
async def test_pushes_and_saves_at_once_lose_and_undo_nothing(
    apollo: Desk, seed: int, distance: int
) -> None:
    apollo.lab_host.delay(distance)
    if distance:
        await take_away(apollo, distance)
    await apollo.push()
    life = Life(apollo, random.Random(seed))
    for _step in range(120):
        await life.step()
    for changes in life.late:
        life.running.append(apollo.host_tree.send(changes))
    reports = await asyncio.gather(*life.running)
    conflicts = {item for report in reports for item in report.held_back}
    assert {item for item in conflicts if item.yields_to_force} == set(), "all is igor's own"
    # Empty folders on the host may be a program's, so igor leaves them.
    blocked = [item.path for item in conflicts]
    if blocked:
        apollo.sh_there("find . -mindepth 1 -depth -type d -empty -delete")
    # If the saves have brought everything, the host needs no push to be right.
    elif not any(report.moving for report in reports):
        assert {p: e.content for p, e in apollo.on_host().items()} == {
            p: e.content for p, e in apollo.local().items()
        }
    await apollo.push(allow_deletes=True)
    assert apollo.on_host() == apollo.local()
    await assert_is_settled(apollo)
    apollo.new_agent()
    await assert_is_settled(apollo)


async def test_a_save_of_many_files_leaves_in_parts_and_in_order(apollo: Desk) -> None:
    names = [f"d{number % 7}/f{number}" for number in range(300)]
    for name in [*names, "file", "folder/x", *(f"old/{number}" for number in range(30))]:
        apollo.write(name, "one")
    await apollo.push()
    for name in ("file", "folder", "old"):
        apollo.remove(name)
    gone = ["file", "folder/x", *(f"old/{number}" for number in range(30))]
    names += ["file/in/a/folder", "folder"]
    for name in names:
        apollo.write(name, os.urandom(5000))
    flight = apollo.host_tree.send(apollo.changes(*names, *gone))
    under_way = len(apollo.manifest.intended)
    assert 0 < under_way <= TURN_FILES
    report = await flight
    assert sorted(sent(report)) == sorted(os.fsencode(name) for name in names)
    assert (len(report.deleted), report.held_back, report.moving) == (len(gone), [], [])
    assert apollo.on_host() == apollo.local()
    await assert_is_settled(apollo)


async def test_a_later_save_overtakes_what_of_an_earlier_one_waits_for_its_turn(
    apollo: Desk,
) -> None:
    names = [f"f{number:03}" for number in range(200)]
    for name in names:
        apollo.write(name, "one")
    await apollo.push()
    for name in names:
        apollo.write(name, "the second")
    earlier = apollo.host_tree.send(apollo.changes(*names))
    apollo.write(names[-1], "third")
    later = apollo.host_tree.send(apollo.changes(names[-1]))
    await asyncio.gather(earlier, later)
    assert apollo.on_host() == apollo.local()
    await assert_is_settled(apollo)


async def test_an_old_delete_that_waits_does_not_undo_a_push_of_a_newer_state(
    apollo: Desk,
) -> None:
    for turn in range(5):
        apollo.write("a", f"first {turn}")
        await apollo.push()
        stopped = receivers(apollo)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        apollo.write("a", f"second {turn}")
        saves = [asyncio.ensure_future(apollo.save("a"))]
        await asyncio.sleep(0)
        apollo.remove("a")
        saves.append(asyncio.ensure_future(apollo.save("a")))
        await asyncio.sleep(0.005 * turn)
        apollo.write("a", f"third {turn}")
        pushing = asyncio.ensure_future(apollo.push(allow_deletes=True))
        await asyncio.sleep(0.05)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        await asyncio.gather(pushing, *saves)
        if not apollo.host_tree.verified:
            await apollo.push()
        assert apollo.on_host() == apollo.local()
