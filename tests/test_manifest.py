"""What igor remembers of a tree: durable, private, and worded when it can't be used."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from igor_core.errors import IgorError
from igor_core.push.files import File
from igor_core.push.manifest import Manifest, Record, TreeKey
from igor_core.push.trees import Trees

KEY = TreeKey("apollo", 22, "dino", "/home/dino/dev/\udcff\nproject")
FILE = File(b"\xff\n", "f", 3, 1_700_000_000_123_456_789, 0o644)
RECORD = Record.of(FILE, b"h" * 32)


def test_what_was_recorded_is_there_again() -> None:
    manifest = Manifest(KEY)
    manifest.intend({b"\xff\n": RECORD, b"b": RECORD})
    manifest.wrote({b"\xff\n": RECORD})
    manifest.tell({"held_back": "a\nb \udcff"})
    manifest.close()
    again = Manifest(KEY)
    assert again.written == {b"\xff\n": RECORD}
    assert again.intended == {b"b": RECORD}
    assert again.told("held_back") == "a\nb \udcff"
    assert again.told("nothing") == ""
    again.forget([b"\xff\n", b"b", b"unknown"])
    assert (again.written, again.intended) == ({}, {})


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
    Manifest(KEY).wrote({b"a": RECORD})
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
    assert manifest.file.parent.stat().st_mode & 0o77 == 0
    assert manifest.file.stat().st_mode & 0o77 == 0


def test_what_was_recorded_survives_a_kill() -> None:
    script = """
import sys
from tests.test_manifest import KEY, RECORD, Manifest
manifest = Manifest(KEY)
manifest.intend({b"a": RECORD})
print(flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert Manifest(KEY).intended == {b"a": RECORD}


def test_a_damaged_file_is_one_sentence_with_the_remedy() -> None:
    manifest = Manifest(KEY)
    manifest.close()
    manifest.file.write_bytes(b"no database at all, but long enough to be looked at " * 100)
    with pytest.raises(IgorError, match=r"igor's record of apollo:.* can't be used: file is not"):
        Manifest(KEY)


def test_a_newer_igor_s_file_is_left_alone() -> None:
    manifest = Manifest(KEY)
    manifest.close()
    with sqlite3.connect(manifest.file) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(IgorError, match="written by a newer igor"):
        Manifest(KEY)


def test_a_write_that_fails_changes_nothing_and_is_one_sentence() -> None:
    manifest = Manifest(KEY)
    manifest.wrote({b"a": RECORD})
    with sqlite3.connect(manifest.file) as other:
        other.execute("DROP TABLE intended")
    with pytest.raises(IgorError, match="can't be used"):
        manifest.wrote({b"b": RECORD})
    assert manifest.written == {b"a": RECORD}


def test_changes_are_counted_and_nothing_is_none() -> None:
    manifest = Manifest(KEY)
    manifest.wrote({})
    manifest.forget([])
    assert manifest.changes == 0
    manifest.intend({b"a": RECORD})
    manifest.wrote({b"a": RECORD})
    assert manifest.changes == 2


async def test_a_tree_is_held_by_one_at_a_time() -> None:
    trees, order = Trees(), []

    async def hold(name: str) -> None:
        async with trees.hold(KEY) as manifest:
            order.append(f"{name} in")
            await asyncio.sleep(0.01)
            assert manifest is trees.manifest(KEY)
            order.append(f"{name} out")

    assert not trees.is_held(KEY)
    first = asyncio.ensure_future(hold("a"))
    second = asyncio.ensure_future(hold("b"))
    await asyncio.sleep(0.005)
    assert trees.is_held(KEY)
    await asyncio.gather(first, second)
    assert order == ["a in", "a out", "b in", "b out"]
    assert trees.pushed("apollo", "~/dev") is None
    trees.remember("apollo", "~/dev", KEY)
    assert trees.pushed("apollo", "~/dev") is trees.manifest(KEY)
    trees.close()


def test_the_state_folder_is_the_user_s(home: Path) -> None:
    Manifest(KEY)
    assert os.listdir(home / "state/igor/manifests")
