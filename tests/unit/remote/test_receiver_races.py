"""What happens to the receiver's files when others write at the same moment, or disks are odd."""

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from igor_core.push.channel.answers import read_answer
from igor_core.push.channel.precondition import ANYTHING, NOTHING, Precondition, Version
from igor_core.remote.receiver import frames, rename
from igor_core.remote.receiver.rename import Raced
from igor_core.remote.receiver.temp import Temp
from tests.support.receiving import MTIME, Receiver, changed_source, entries, expecting, receiver

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


@contextmanager
def mounted(where: Path, *words: str) -> Iterator[None]:
    where.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *words, str(where)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def temp_files(base: Path) -> list[Path]:
    return [path for path in base.rglob("*igor-host*/**/*.*.*.*") if path.is_file()] + [
        path for path in base.rglob(".igor-host.*") if not path.is_dir()
    ]


# -- somebody writes between the look and the rename


@pytest.fixture(params=["renameat2", "without renameat2"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    if request.param != "renameat2":
        monkeypatch.setattr(rename, "_renameat2", [None])
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def our_temp(folder: int) -> Temp:
    temp = Temp({}, folder, b"temp")
    with open(temp.open(), "wb") as stream:
        stream.write(b"ours")
        stream.flush()
        temp.identity = os.fstat(stream.fileno())
    return temp


def changes() -> list[Callable[[Path], object]]:
    """What may come between: in place, by a rename, another type."""

    def in_place(path: Path) -> None:
        path.write_bytes(b"theirs")

    def renamed(path: Path) -> None:
        path.with_name("t").write_bytes(b"theirs")
        path.with_name("t").rename(path)

    def link(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.symlink_to("theirs")

    def made_folder(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.mkdir()
        (path / "theirs").write_bytes(b"theirs")

    return [in_place, renamed, link, made_folder]


@pytest.mark.parametrize("change", changes(), ids=lambda change: change.__name__)
def test_what_came_meanwhile_stays(
    folder: int, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    judged = path.lstat()
    change(path)
    before = entries(tmp_path)
    with pytest.raises(Raced):
        rename.put_over(our_temp(folder), folder, b"x", judged)
    assert entries(tmp_path) == {**before, b"temp": b"ours"}
    (tmp_path / "temp").unlink()
    with pytest.raises(Raced):
        rename.take_out(Temp({}, folder, b"temp"), folder, b"x", judged)
    assert entries(tmp_path) == before
    with pytest.raises(Raced):
        rename.put_in(our_temp(folder), folder, b"x")
    assert entries(tmp_path) == {**before, b"temp": b"ours"}


def test_what_vanished_meanwhile_is_noticed(folder: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    judged = path.lstat()
    path.unlink()
    with pytest.raises(Raced):
        rename.put_over(our_temp(folder), folder, b"x", judged)
    with pytest.raises(Raced):
        rename.take_out(Temp({}, folder, b"other"), folder, b"x", judged)
    assert entries(tmp_path) == {b"temp": b"ours"}


def test_what_can_not_go_back_is_kept_beside(folder: int, tmp_path: Path) -> None:
    (tmp_path / "temp").write_bytes(b"theirs")
    for name in ("x", "x.igor-kept"):
        (tmp_path / name).write_bytes(b"newer")
    rename.keep(Temp({}, folder, b"temp"), folder, b"x")
    assert entries(tmp_path) == {
        b"x": b"newer", b"x.igor-kept": b"newer", b"x.igor-kept-2": b"theirs",
    }  # fmt: skip


def test_of_what_others_write_all_the_time_nothing_is_lost(tmp_path: Path) -> None:
    """Igor replaces only what it has seen before; the last of theirs is never lost unseen."""
    stop = threading.Event()
    path = tmp_path / "p/x"
    written: list[bytes] = []

    def theirs() -> None:
        while not stop.is_set():
            content = b"theirs %d" % len(written)
            temp = tmp_path / "theirs"
            temp.write_bytes(content)
            temp.rename(path)
            written.append(content)
            time.sleep(0.0005)

    with receiver() as host:
        host.open(tmp_path)
        host.write("x", b"ours")
        thread = threading.Thread(target=theirs)
        thread.start()
        seen, done = {b"ours"}, 0
        try:
            known = hashlib.sha256(b"ours").digest(), 4
            for n in range(400):
                content = b"ours %d" % n
                expect = Precondition(versions=(Version(known[1], 0, known[0]),))
                answer = host.write("x", content, expect, mtime_ns=MTIME + n)
                if answer.ok:
                    done += 1
                    seen.add(content)
                    known = hashlib.sha256(content).digest(), len(content)
                elif answer.state and answer.hash:
                    known = answer.hash, answer.state.size
        finally:
            stop.set()
            thread.join()
        assert done > 0
        assert path.read_bytes() == written[-1] or path.read_bytes() in seen
        beside = [other for other in path.parent.iterdir() if other != path]
        # Theirs, where even putting it back met another write of theirs.
        assert all(other.name.startswith("x.igor-kept") for other in beside)
        assert all(other.read_bytes() in written for other in beside)
    assert temp_files(tmp_path) == []


# -- hosts without renameat2


def test_a_host_without_renameat2_keeps_the_same_rules(tmp_path: Path) -> None:
    with changed_source(rename, "_renameat2 = []", "_renameat2 = [None]"):
        host = Receiver()
    try:
        host.open(tmp_path)
        tree = tmp_path / "p"
        assert host.write("a/x", b"1").ok
        assert not host.write("a/x", b"2").ok
        assert host.write("a/x", b"2", expecting(tree / "a/x")).ok
        assert host.link("l", b"a").ok
        assert not host.link("l", b"b").ok
        assert host.link("l", b"b", expecting(tree / "l")).ok
        assert host.delete("a/x", expecting(tree / "a/x"), b"a").ok
        assert entries(tree) == {b"l": b"b"}
    finally:
        assert host.end() == 0
    assert temp_files(tmp_path) == []


# -- file systems


def everything(host: Receiver, tree: Path, folder: str) -> None:
    """Write, replace, chunk, link, delete in a folder."""
    name = f"{folder}/x"
    path = tree / name
    assert host.write(name, b"1").ok
    assert not host.write(name, b"2").ok
    assert host.write(name, b"2", expecting(path)).ok
    assert path.stat().st_mtime_ns == MTIME
    number = host.begin(name, 3, expecting(path))
    host.chunk(number, b"big")
    host.send(frames.COMMIT, number=number)
    answer = read_answer(host.frame()[2])
    assert answer.ok, answer
    assert path.read_bytes() == b"big"
    assert host.link(f"{folder}/l", b"x").ok
    assert host.link(f"{folder}/l", b"y", expecting(tree / folder / "l")).ok
    assert host.delete(f"{folder}/l", expecting(tree / folder / "l")).ok
    assert host.delete(name, expecting(path)).ok
    assert list((tree / folder).iterdir()) == []


@as_root
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_another_file_system_inside_the_tree_gets_its_files_too(tmp_path: Path, kind: str) -> None:
    (tmp_path / "source").mkdir()
    words = ["-t", "tmpfs", "tmpfs"] if kind == "tmpfs" else ["--bind", str(tmp_path / "source")]
    with mounted(tmp_path / "p/mnt", *words), receiver() as host:
        host.open(tmp_path)
        everything(host, tmp_path / "p", "mnt")
        everything(host, tmp_path / "p", "mnt")
        assert host.end() == 0
        assert temp_files(tmp_path) == []


@as_root
def test_a_tree_on_a_file_system_of_its_own_keeps_temp_files_there(tmp_path: Path) -> None:
    with mounted(tmp_path / "p", "-t", "tmpfs", "tmpfs"), receiver() as host:
        host.open(tmp_path)
        (tmp_path / "p/d").mkdir()
        everything(host, tmp_path / "p", "d")
        host.chunk(host.begin("big", 10), b"half")
        assert list((tmp_path / "p/.igor-host/tmp").iterdir())
        assert host.end() == 0
        assert temp_files(tmp_path) == []


@as_root
def test_what_a_killed_receiver_left_beside_its_targets_is_swept(tmp_path: Path) -> None:
    with mounted(tmp_path / "p/mnt", "-t", "tmpfs", "tmpfs"):
        theirs = tmp_path / "p/mnt/d/.igor-host.of-the-user"
        theirs.parent.mkdir()
        theirs.write_bytes(b"theirs")
        with receiver() as host:
            host.open(tmp_path)
            host.chunk(host.begin("mnt/d/big", 10), b"half")
            assert len(list(theirs.parent.iterdir())) == 2
            host.process.kill()
            host.process.wait()
        with receiver() as host:
            host.open(tmp_path)
            assert list(theirs.parent.iterdir()) == [theirs]
            assert list((tmp_path / ".igor-host/tmp/p").iterdir()) == []


@as_root
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        base = tmp_path / "disk"
        with receiver() as host:
            host.open(base)
            assert host.write("x", b"old").ok
            answer = host.write("x", bytes(1_000_000), expecting(base / "p/x"))
            assert (answer.ok, answer.reason) == (False, "No space left on device")
            number = host.begin("y", 1_000_000)
            host.send(frames.CHUNK, bytes(1_000_000), number=number)
            replies = [host.frame()[0], host.frame()[0]]
            assert sorted(replies) == [frames.ANSWER, frames.TAKEN]
            host.send(frames.COMMIT, number=number)
            assert host.write("z", b"small").ok
            assert entries(base / "p") == {b"x": b"old", b"z": b"small"}
            assert temp_files(base) == []


@as_root
def test_a_read_only_file_system_is_told(tmp_path: Path) -> None:
    with mounted(tmp_path / "p/mnt", "-t", "tmpfs", "tmpfs"):
        (tmp_path / "p/mnt/x").write_bytes(b"theirs")
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "p/mnt")], check=True)
        with receiver() as host:
            host.open(tmp_path)
            for answer in (
                host.write("mnt/new"), host.write("mnt/x", b"1", ANYTHING),
                host.delete("mnt/x", ANYTHING), host.link("mnt/l", b"x", NOTHING),
                host.write("mnt/d/new"),
            ):  # fmt: skip
                assert (answer.ok, answer.reason) == (False, "Read-only file system")
            assert host.write("beside").ok
            assert host.end() == 0
        assert entries(tmp_path / "p") == {b"mnt/x": b"theirs", b"beside": b"new"}
