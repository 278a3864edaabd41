"""The local tree, kept between looks: always what a scan from nothing finds."""

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from igor_core.errors import IgorError
from igor_core.worktree import reading
from igor_core.worktree.files import File, Tree, scan
from igor_core.worktree.local_tree import LocalTree
from igor_core.worktree.scanner import Scanned, Scanner
from igor_core.worktree.tree import is_racy
from tests.support.git_trees import git, write


def same(found: Tree, expected: Tree) -> None:
    assert found.files == expected.files
    assert found.passed_over == expected.passed_over
    assert found.unreadable == expected.unreadable


@contextlib.contextmanager
def no_programs() -> Iterator[None]:
    def refuse(*_words: object, **_options: object) -> None:
        raise AssertionError("a program was started")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("subprocess.Popen", refuse)
        yield


async def reconciled(folder: Path, **options: list[str]) -> LocalTree:
    local = LocalTree(folder, options.get("include", ()), options.get("exclude", ()))
    await local.reconcile()
    return local


# -- reconcile


async def test_nothing_changed_is_the_same_dict_with_a_larger_number(repo: Path) -> None:
    write(repo, "a")
    local = LocalTree(repo)
    assert (local.number, local.tree, local.file(b"a")) == (0, None, None)
    first = await local.reconcile()
    second = await local.reconcile()
    assert second.files is first.files
    assert second.number > first.number
    assert local.tree is second
    assert local.changed_since(first.number) == set()


async def test_what_changed_since_a_number_is_told(repo: Path) -> None:
    for name in ("a", "b", "c"):
        write(repo, name)
    local = LocalTree(repo)
    first = await local.reconcile()
    write(repo, "a", "longer")
    second = await local.reconcile()
    (repo / "b").unlink()
    write(repo, "d")
    await local.reconcile()
    assert local.changed_since(first.number) == {b"a", b"b", b"d"}
    assert local.changed_since(second.number) == {b"b", b"d"}
    assert local.changed_since(local.number) == set()
    assert local.changed_since(first.number - 1) is None
    assert first.files.keys() == {b"a", b"b", b"c"}


async def test_what_is_there_before_the_call_is_in_the_result(repo: Path) -> None:
    """Callers during a scan get the next one, all of them the same."""
    for number in range(300):
        write(repo, f"f{number}")
    local = await reconciled(repo)
    for name in ("one", "two", "three"):
        first = asyncio.ensure_future(local.reconcile())
        await asyncio.sleep(0.0005)
        write(repo, name)
        others = [asyncio.ensure_future(local.reconcile()) for _ in range(3)]
        await first
        trees = [await other for other in others]
        assert all(name.encode() in tree.files for tree in trees)
        assert len({tree.number for tree in trees}) == 1


async def test_one_scan_at_a_time(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, "a")
    local, inside, most = LocalTree(repo), 0, 0
    really = Scanner.scan

    def counted(scanner: Scanner) -> Scanned:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.005)
        inside -= 1
        return really(scanner)

    monkeypatch.setattr(Scanner, "scan", counted)
    callers = []
    for _ in range(20):
        callers.append(asyncio.ensure_future(local.reconcile()))
        await asyncio.sleep(0.001)
    numbers = [(await caller).number for caller in callers]
    assert most == 1
    assert numbers == sorted(numbers)
    assert 2 <= len(set(numbers)) < 20


async def test_a_caller_who_is_cancelled_stops_nobody_else_s_scan(repo: Path) -> None:
    write(repo, "a")
    local = LocalTree(repo)
    cancelled, other = (asyncio.ensure_future(local.reconcile()) for _ in range(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert (await other).files.keys() == {b"a"}
    alone = asyncio.ensure_future(local.reconcile())
    await asyncio.sleep(0.0005)
    alone.cancel()
    write(repo, "b")
    assert (await local.reconcile()).files.keys() == {b"a", b"b"}


async def test_a_root_that_is_gone_or_no_folder_is_one_sentence_and_may_come_back(
    repo: Path,
) -> None:
    write(repo, "a")
    local = await reconciled(repo)
    os.rename(repo, repo.parent / "away")
    with pytest.raises(IgorError, match=f"^{repo} is gone$"):
        await local.reconcile()
    with pytest.raises(IgorError, match=f"^{repo} is gone$"):
        local.look([b"a"])
    write(repo.parent, repo.name)
    with pytest.raises(IgorError, match=f"^{repo} can't be read: Not a directory$"):
        await local.reconcile()
    os.unlink(repo)
    (repo.parent / "away").rename(repo)
    assert (await local.reconcile()).files.keys() == {b"a"}


async def test_another_folder_in_the_place_of_the_root_is_what_is_there_now(repo: Path) -> None:
    write(repo, "a")
    write(repo, "b", "1")
    local = await reconciled(repo)
    os.rename(repo, repo.parent / "away")
    write(repo, "b", "22")
    tree = await local.reconcile()
    assert tree.files == scan(repo).files
    assert set(tree.files) == {b"b"}


async def test_a_case_only_rename_is_one_gone_and_one_new(repo: Path) -> None:
    write(repo, "File.py")
    git(repo, "add", ".")
    local = await reconciled(repo)
    before = local.number
    (repo / "File.py").rename(repo / "file.py")
    assert set((await local.reconcile()).files) == {b"file.py"}
    assert local.changed_since(before) == {b"File.py", b"file.py"}


# -- look


async def test_before_the_first_reconcile_a_look_asks_for_one(repo: Path) -> None:
    write(repo, "a")
    assert LocalTree(repo).look([b"a"]).reconcile
    assert (await LocalTree(repo).ask([b"a"])).reconcile


async def test_a_saved_file_of_the_tree_needs_no_program(repo: Path) -> None:
    for name in ("folder/a", "b", "c"):
        write(repo, name)
    (repo / "c").unlink()
    (repo / "c").symlink_to("b")
    local = await reconciled(repo)
    before, files = local.number, dict(local.tree.files if local.tree else {})
    write(repo, "folder/a", "saved")
    with no_programs():
        found = local.look([b"folder/a", b"./b"])
    assert set(found.files) == {b"folder/a", b"b"}
    assert (found.unasked, found.reconcile) == ((), False)
    assert local.tree is not None
    assert local.tree.number == local.number > before
    assert local.tree.files == scan(repo).files != files
    assert local.file(b"folder/a") == found.files[b"folder/a"]
    # Even what seems to be as it was: it was written.
    assert local.changed_since(before) == {b"folder/a", b"b"}
    assert (await local.reconcile()).files == scan(repo).files
    assert local.changed_since(before) == {b"folder/a", b"b"}


async def test_a_tree_once_handed_out_stays_as_it_is(repo: Path) -> None:
    write(repo, "a")
    local = await reconciled(repo)
    tree = local.tree
    assert tree is not None
    write(repo, "a", "longer")
    local.look([b"a"])
    assert tree.files[b"a"].size == 1
    assert local.tree is not tree


async def test_a_file_saved_by_a_rename_is_the_new_one(repo: Path) -> None:
    write(repo, "a", "old")
    local = await reconciled(repo)
    write(repo, "a~", "newer").rename(repo / "a")
    file = local.look([b"a"]).files[b"a"]
    assert file is not None
    assert file.size == 5


async def test_a_saved_file_that_is_gone_again_is_none(repo: Path) -> None:
    for name in ("a", "folder/b"):
        write(repo, name)
    git(repo, "add", ".")
    local = await reconciled(repo)
    (repo / "a").unlink()
    found = local.look([b"a", b"never/there"])
    assert (found.files, found.unasked, found.reconcile) == ({b"a": None}, (), False)
    assert (local.file(b"a"), local.look([b"a"]).files) == (None, {})
    shutil.rmtree(repo / "folder")
    found = local.look([b"folder/b"])
    assert (found.files, found.reconcile) == ({b"folder/b": None}, True)
    assert local.tree is not None
    assert local.tree.files == {} == (await local.reconcile()).files
    write(repo, "a")
    assert (await local.ask([b"a"])).files.keys() == {b"a"}


async def test_what_was_gone_when_looked_at_and_is_back_has_changed(repo: Path) -> None:
    write(repo, "a")
    git(repo, "add", ".")
    local = await reconciled(repo)
    os.rename(repo / "a", repo.parent / "a")
    assert local.look([b"a"]).files == {b"a": None}
    number = local.number
    os.rename(repo.parent / "a", repo / "a")
    tree = await local.reconcile()
    assert set(tree.files) == {b"a"}
    assert local.changed_since(number) == {b"a"}


@pytest.mark.parametrize("inside_git", [True, False])
async def test_git_is_asked_for_a_new_file_alone(root: Path, inside_git: bool) -> None:
    if inside_git:
        git(root, "init", "-q")
    write(root, ".gitignore", "*.log\n/build/\n!/build/kept\n")
    write(root, "sub/.gitignore", "!x.log\n*.tmp\n")
    write(root, ".igor/ignore", "notes/\n")
    local = await reconciled(root, include=["*.bin", "build/wanted"], exclude=["*.md"])
    new = [b"new.py", b"x.log", b"sub/x.log", b"sub/a.tmp", b"deep/new/x", b"notes/a", b"a.md",
           b"build/a", b"build/kept", b"build/wanted", b"build/b.bin", b"*.py", b":(top)x", b"-x",
           b"a\nb", b"\xff"]  # fmt: skip
    for name in new:
        write(root, name)
    with no_programs():
        found = local.look(new)
    assert (found.files, found.unasked, found.reconcile) == ({}, tuple(new), False)
    asked = await local.ask(found.unasked)
    assert (asked.unasked, asked.reconcile) == ((), False)
    assert local.tree is not None
    expected = scan(root, ["*.bin", "build/wanted"], ["*.md"])
    assert local.tree.files == expected.files
    assert asked.files == {p: f for p, f in expected.files.items() if p in new}
    assert (await local.reconcile()).files == expected.files


@pytest.mark.parametrize(
    "path",
    [b"/etc/passwd", b"../outside", b"a/../../outside", b"", b".", b".git/HEAD", b".git", b"a\0b",
     b"lib/.git/HEAD", b"out/file", b"inside-git/HEAD"],
)  # fmt: skip
async def test_what_is_not_below_the_root_or_is_git_s_is_refused(repo: Path, path: bytes) -> None:
    write(repo.parent, "outside")
    write(repo.parent, "elsewhere/file")
    write(repo, "lib/a")
    git(repo / "lib", "init", "-q")
    (repo / "out").symlink_to("../elsewhere")
    (repo / "inside-git").symlink_to(".git")
    local = await reconciled(repo)
    before = local.number
    found = local.look([path])
    assert (found.files, found.unasked, found.reconcile) == ({}, (), False)
    assert (await local.ask([path])).files == {}
    assert local.number == before
    assert local.read(path) is None


@pytest.mark.parametrize(
    "path", [".gitignore", "sub/.gitignore", ".igor/ignore", ".igor/config.json",
             ".git/info/exclude"],
)  # fmt: skip
async def test_what_decides_on_others_needs_a_reconcile(repo: Path, path: str) -> None:
    write(repo, "a.log")
    write(repo, "sub/b.log")
    write(repo, path, "\n")
    local = await reconciled(repo)
    write(repo, path, "*.log\n")
    assert local.look([os.fsencode(path)]).reconcile


async def test_what_is_saved_through_a_link_is_where_the_link_points(repo: Path) -> None:
    write(repo, "real/a")
    write(repo, "b")
    (repo / "linked").symlink_to("real")
    (repo / "alias").symlink_to("b")
    local = await reconciled(repo)
    found = local.look([b"linked/a", b"alias"])
    assert set(found.files) == {b"real/a", b"b", b"alias"}
    assert (found.unasked, found.reconcile) == ((), False)
    write(repo, "linked/new")
    assert local.look([b"linked/new"]).unasked == (b"real/new",)
    assert (await local.ask([b"real/new"])).files.keys() == {b"real/new"}
    assert local.tree is not None
    assert local.tree.files == scan(repo).files


async def test_a_folder_that_became_a_link_needs_a_reconcile(repo: Path) -> None:
    write(repo, "a/b")
    git(repo, "add", ".")
    local = await reconciled(repo)
    (repo / "a").rename(repo.parent / "elsewhere")
    (repo / "a").symlink_to("../elsewhere")
    found = local.look([b"a/b"])
    assert (found.files, found.unasked, found.reconcile) == ({}, (), True)
    assert local.read(b"a/b") is None
    assert set((await local.reconcile()).files) == {b"a"}


async def test_files_of_repositories_inside_are_asked_of_them(repo: Path) -> None:
    write(repo, ".gitignore", "ignored/\n*.o\n")
    for name in ("lib", "ignored/dep"):
        write(repo, f"{name}/.gitignore", "*.log\n")
        git(repo / name, "init", "-q")
    local = await reconciled(repo)
    new = [b"lib/a.log", b"lib/b.o", b"lib/c", b"ignored/dep/d", b"e.o", b"f.log"]
    for path in new:
        write(repo, path)
    found = await local.ask(local.look(new).unasked)
    assert set(found.files) == {b"lib/b.o", b"lib/c", b"f.log"}
    assert not found.reconcile
    write(repo, "fresh/a")
    git(repo / "fresh", "init", "-q")
    found = await local.ask([b"fresh/a"])
    assert (found.files, found.reconcile) == ({}, True)
    assert local.tree is not None
    assert set(local.tree.files) | {b"fresh/a"} == set((await local.reconcile()).files)


async def test_a_type_change_needs_a_reconcile(repo: Path) -> None:
    write(repo, "a")
    write(repo, "b")
    local = await reconciled(repo)
    for name in ("a", "b"):
        (repo / name).unlink()
    write(repo, "a/inside")
    os.mkfifo(repo / "b")
    for path in (b"a", b"b"):
        found = local.look([path])
        assert (found.files, found.reconcile) == ({}, True)
    tree = await local.reconcile()
    assert (set(tree.files), tree.passed_over) == ({b"a/inside"}, ())


async def test_a_save_during_a_scan_is_not_undone_by_it(repo: Path) -> None:
    for number in range(500):
        write(repo, f"f{number}")
    local, during = await reconciled(repo), 0
    for size in range(2, 42):
        before = local.number
        scanning = asyncio.ensure_future(local.reconcile())
        await asyncio.sleep(random.random() * 0.003)
        during += not scanning.done()
        write(repo, "f7", "x" * size)
        saved = local.look([b"f7"]).files[b"f7"]
        number = local.number
        await scanning
        assert local.tree is not None
        assert local.tree.files[b"f7"] == saved == scan(repo).files[b"f7"]
        assert local.tree.number >= number > before
        assert local.changed_since(before) == {b"f7"}
    assert during > 5


async def test_very_many_new_files_are_left_to_a_reconcile(repo: Path) -> None:
    local = await reconciled(repo)
    new = [b"f%d" % number for number in range(300)]
    for path in new:
        write(repo, path)
    found = await local.ask(local.look(new).unasked)
    assert (found.files, found.reconcile) == ({}, True)


# -- read


def age(path: Path, seconds: float) -> None:
    then = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(then, then // 1000 * 1000 + 1))


async def test_a_file_is_read_with_its_hash(repo: Path) -> None:
    age(write(repo, "a", "text"), 1)
    await asyncio.sleep(0.03)
    local = LocalTree(repo)
    found = local.read(b"a")
    assert found is not None
    assert (found.content, found.hash) == (b"text", sha256(b"text").digest())
    assert (found.file, found.racy) == (scan(repo).files[b"a"], False)
    assert local.read(b"nothing") is None
    over = local.read(b"a", limit=3)
    assert over is not None
    assert (over.content, over.hash, over.file.size) == (None, b"", 4)
    at = local.read(b"a", limit=4)
    assert at is not None
    assert at.content == b"text"


async def test_a_link_is_not_followed_and_a_fifo_not_waited_for(repo: Path) -> None:
    (repo / "link").symlink_to("/etc/passwd")
    os.mkfifo(repo / "fifo")
    local = LocalTree(repo)
    found = local.read(b"link")
    assert found is not None
    assert (found.content, found.file.target, found.racy) == (None, b"/etc/passwd", False)
    assert local.read(b"fifo") is None


NOW = 1_700_000_000_123_456_789
SECOND = 1_000_000_000


@pytest.mark.parametrize("of", ["mtime_ns", "ctime_ns"])
@pytest.mark.parametrize(
    ("at", "racy"),
    [
        (NOW - 5_000_001, True),
        (NOW - 60_000_001, False),
        (NOW + 3_600_000_000_001, False),
        # Where times are whole seconds, for longer.
        (NOW // SECOND * SECOND - SECOND, True),
        (NOW // SECOND * SECOND - 3 * SECOND, False),
    ],
)
def test_a_file_that_has_just_changed_is_racy(of: str, at: int, racy: bool) -> None:
    file = replace(File(b"a", "f", 1, 1, 0o644, b"", 1), **{of: at})
    assert is_racy(file, NOW) is racy


async def test_a_file_that_was_just_written_is_racy_whatever_its_time(repo: Path) -> None:
    age(write(repo, "a"), 5)
    found = LocalTree(repo).read(b"a")
    assert found is not None
    assert found.racy


@pytest.mark.parametrize("writes", [1, 100])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    repo: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """The reading is real; a writer comes between it and the look after it."""
    age(write(repo, "a", "0"), 5)
    really, written = reading._read, 0

    def meddled(root: bytes, path: bytes, size: int) -> bytes:
        nonlocal written
        content = really(root, path, size)
        if written < writes:
            written += 1
            age(write(repo, "a", str(written)), 5 - written / 100)
        return content

    monkeypatch.setattr(reading, "_read", meddled)
    found = LocalTree(repo).read(b"a")
    assert found is not None
    if writes == 1:
        assert found.content == b"1"
        assert found.file == scan(repo).files[b"a"]
    else:
        assert found.racy
        assert written < 10


def test_what_is_read_is_never_a_mixture(repo: Path) -> None:
    """A program that replaces and one that appends, as fast as they can."""
    write(repo, "a")
    writer = subprocess.Popen(
        ["sh", "-c", "i=0; while :; do i=$((i+1)); printf %0${i}d $((i%10)) >b; mv b a; "
         "printf x >>c; done"],
        cwd=repo,
    )  # fmt: skip
    local = LocalTree(repo)
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            for path in (b"a", b"c"):
                found = local.read(path)
                assert found is None or found.content is not None
                if found and found.content is not None:
                    assert len(found.content) == found.file.size
                    assert found.hash == sha256(found.content).digest()
    finally:
        writer.kill()
        writer.wait()


async def test_a_file_that_can_t_be_read_is_an_error(normal_root: Path) -> None:
    write(normal_root, "a").chmod(0)
    local = LocalTree(normal_root)
    with pytest.raises(PermissionError):
        local.read(b"a")
