"""What igor remembers of a tree: durable, private, and worded when it can't be used."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from igor_core.errors import IgorError
from igor_core.push.known_trees import KnownTrees
from igor_core.push.manifest import Manifest
from igor_core.push.record import Record, TreeKey
from igor_core.worktree.files import File

KEY = TreeKey("apollo", 22, "dino", "/home/dino/dev/\udcff\nproject")
FILE = File(b"\xff\n", "f", 3, 1_700_000_000_123_456_789, 0o644)
RECORD = Record.of(FILE, b"h" * 32)


def test_what_was_recorded_is_there_again() -> None:
    manifest = Manifest(KEY)
    manifest.intend({b"\xff\n": RECORD, b"b": RECORD})
    manifest.wrote({b"\xff\n": RECORD})
    assert not manifest.is_saved
    manifest.set_notes({"held_back": "a\nb \udcff"})
    manifest.close()
    again = Manifest(KEY)
    assert again.written == {b"\xff\n": RECORD}
    assert again.intended == {b"b": RECORD}
    assert again.note("held_back") == "a\nb \udcff"
    assert again.note("nothing") == ""
    again.forget([b"\xff\n", b"b", b"unknown"])
    assert (again.written, again.intended) == ({}, {})


def test_an_intent_that_takes_another_s_place_leaves_what_that_has_become() -> None:
    manifest = Manifest(KEY)
    later = replace(RECORD, mtime_ns=RECORD.mtime_ns + 1, hash=b"l" * 32)
    manifest.intend({b"a": RECORD, b"b": RECORD})
    manifest.wrote({b"a": RECORD, b"b": RECORD})
    manifest.intend({b"a": later})
    manifest.write_intents({b"b": later})
    # As after a kill: nothing more is saved.
    again = Manifest(KEY)
    assert again.written == {b"a": RECORD, b"b": RECORD}
    assert again.intended == {b"a": later, b"b": later}


def test_a_record_knows_whether_the_local_file_is_still_the_same() -> None:
    assert RECORD.is_local(FILE)
    for other in (
        File(b"x", "f", 3, FILE.mtime_ns + 1, 0o644),
        File(b"x", "f", 4, FILE.mtime_ns, 0o644),
        File(b"x", "f", 3, FILE.mtime_ns, 0o755),
        File(b"x", "l", 3, FILE.mtime_ns, 0o644, b"abc"),
    ):
        assert not RECORD.is_local(other)


def test_trees_that_differ_in_anything_have_manifests_of_their_own() -> None:
    manifest = Manifest(KEY)
    manifest.wrote({b"a": RECORD})
    manifest.save()
    for key in (
        TreeKey("apollo", 22, "dino", "/home/dino/dev/other"),
        TreeKey("apollo", 22, "other", KEY.path),
        TreeKey("apollo", 2222, "dino", KEY.path),
        TreeKey("enterprise", 22, "dino", KEY.path),
    ):
        assert Manifest(key).written == {}


def test_nobody_else_may_read_it() -> None:
    manifest = Manifest(KEY)
    manifest.wrote({b"a": RECORD})
    assert manifest.file.path.parent.stat().st_mode & 0o77 == 0
    assert manifest.file.path.stat().st_mode & 0o77 == 0


def test_what_was_recorded_survives_a_kill() -> None:
    script = """
import sys
from tests.unit.push.test_manifest import KEY, RECORD, Manifest
manifest = Manifest(KEY)
manifest.intend({b"a": RECORD})
print(flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert Manifest(KEY).intended == {b"a": RECORD}


def test_a_damaged_file_is_one_sentence_with_the_remedy() -> None:
    manifest = Manifest(KEY)
    manifest.close()
    manifest.file.path.write_bytes(b"no database at all, but long enough to be looked at " * 100)
    with pytest.raises(IgorError, match=r"igor's record of apollo:.* can't be used: file is not"):
        Manifest(KEY)


def test_a_newer_igor_s_file_is_left_alone() -> None:
    manifest = Manifest(KEY)
    manifest.close()
    with sqlite3.connect(manifest.file.path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(IgorError, match="written by a newer igor"):
        Manifest(KEY)


def test_an_intent_that_can_t_be_written_is_none_and_is_one_sentence() -> None:
    manifest = Manifest(KEY)
    with sqlite3.connect(manifest.file.path) as other:
        other.execute("DROP TABLE intended")
    with pytest.raises(IgorError, match="can't be used"):
        manifest.intend({b"b": RECORD})
    assert manifest.intended == {}


def test_what_can_t_be_saved_is_kept_for_the_next_time() -> None:
    manifest = Manifest(KEY)
    manifest.wrote({b"a": RECORD})
    with sqlite3.connect(manifest.file.path) as other:
        other.execute("ALTER TABLE written RENAME TO away")
    with pytest.raises(IgorError, match="can't be used"):
        manifest.save()
    with sqlite3.connect(manifest.file.path) as other:
        other.execute("ALTER TABLE away RENAME TO written")
    manifest.save()
    assert Manifest(KEY).written == {b"a": RECORD}


def test_changes_are_counted_and_nothing_is_none() -> None:
    manifest = Manifest(KEY)
    manifest.wrote({})
    manifest.forget([])
    assert (manifest.changes, manifest.path_changes) == (0, 0)
    manifest.intend({b"a": RECORD})
    assert (manifest.changes, manifest.path_changes) == (1, 1)
    manifest.wrote({b"a": RECORD})
    assert (manifest.changes, manifest.path_changes) == (2, 1)
    manifest.forget([b"a"])
    assert (manifest.changes, manifest.path_changes) == (3, 2)


def test_what_is_settled_late_takes_no_later_intent_with_it() -> None:
    """A crash between two saves of a path must not make igor's own file a stranger's."""
    manifest = Manifest(KEY)
    later = replace(RECORD, mtime_ns=RECORD.mtime_ns + 1, hash=b"i" * 32)
    manifest.intend({b"a": RECORD})
    manifest.wrote({b"a": RECORD})
    manifest.intend({b"a": later})
    manifest.save()
    again = Manifest(KEY)
    assert (again.written, again.intended) == ({b"a": RECORD}, {b"a": later})
    manifest.withdraw([b"a"])
    manifest.save()
    assert Manifest(KEY).intended == {}
    assert Manifest(KEY).written == {b"a": RECORD}


def test_the_last_of_many_in_one_save_counts() -> None:
    manifest = Manifest(KEY)
    manifest.wrote({b"a": RECORD, b"b": RECORD})
    manifest.forget([b"a"])
    manifest.forget([b"b"])
    manifest.wrote({b"b": RECORD})
    manifest.save()
    assert Manifest(KEY).written == {b"b": RECORD}


def test_intents_recorded_in_bulk_and_never_begun_can_be_dropped() -> None:
    manifest = Manifest(KEY)
    records = {b"%d" % number: RECORD for number in range(2500)}
    manifest.write_intents(records)
    assert (manifest.intended, len(Manifest(KEY).intended)) == ({}, 2500)
    manifest.drop(records)
    manifest.save()
    assert Manifest(KEY).intended == {}


def test_the_log_does_not_grow_for_ever() -> None:
    manifest = Manifest(KEY)
    for number in range(40):
        manifest.wrote({b"%d" % n: replace(RECORD, size=number) for n in range(1000)})
        manifest.save()
    log = manifest.file.path.with_name(manifest.file.path.name + "-wal")
    assert log.stat().st_size < 8_000_000


def test_an_intent_does_not_take_longer_in_a_large_manifest() -> None:
    assert seconds_of_an_intent(20_000) < 10 * seconds_of_an_intent(50)


def seconds_of_an_intent(files: int) -> float:
    """The median of fifty, in a manifest of so many files."""
    manifest = Manifest(replace(KEY, path=f"/home/dino/{files}"))
    manifest.wrote({b"%d" % number: RECORD for number in range(files)})
    manifest.save()
    seconds = []
    for number in range(50):
        started = time.perf_counter()
        manifest.intend({b"%d" % number: replace(RECORD, size=number)})
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[25]


async def test_a_tree_has_one_manifest_by_whatever_name_it_is_reached() -> None:
    trees = KnownTrees()
    assert trees.pushed("apollo", "~/dev") is None
    trees.remember("apollo", "~/dev", KEY)
    assert trees.manifest(KEY) is trees.pushed("apollo", "~/dev") is trees.manifest(KEY)
    assert trees.in_flight(trees.manifest(KEY)) is trees.in_flight(trees.manifest(KEY))
    trees.close()


def test_the_state_folder_is_the_user_s(home: Path) -> None:
    Manifest(KEY)
    assert os.listdir(home / "state/igor/manifests")
