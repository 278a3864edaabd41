"""What is outside of a project is never read for it: crafted names, links, swapped folders."""

import asyncio
import contextlib
import hashlib
import os
import resource
import struct
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from igor_core.container.context import context_list
from igor_core.container.stamp import read_inputs
from igor_core.errors import IgorError
from igor_core.push.channel.precondition import NOTHING
from igor_core.push.transport.channel_writer import opened
from igor_core.push.transport.rsync.staging import Staging
from igor_core.push.transport.work import Write
from igor_core.worktree.content import hash_files, read_all
from igor_core.worktree.files import File, look, scan
from igor_core.worktree.local_tree import LocalTree
from igor_core.worktree.open_inside import LARGEST_SMALL_FILE, Inside, is_inside, read_small

SECRET = b"secret"
MEMORY = 2 << 30


@pytest.fixture(autouse=True)
def _limited_memory() -> Iterator[None]:
    """What reads a file without an end is stopped before the machine is."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "project"
    folder.mkdir(parents=True)
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True)


def craft_index(root: Path, names: list[bytes]) -> None:
    """An index as `git update-index` would never write it, and as every git reads it."""
    entries = b""
    for name in sorted(names):
        entry = struct.pack(">10I20sH", *[0] * 6, 0o100644, *[0] * 3, b"\1" * 20, len(name)) + name
        entries += entry + b"\0" * (8 - len(entry) % 8)
    content = b"DIRC" + struct.pack(">II", 2, len(names)) + entries
    hashed = subprocess.run(["sha1sum"], input=content, capture_output=True, check=True).stdout
    (root / ".git" / "index").write_bytes(content + bytes.fromhex(hashed[:40].decode()))


NAMES = [
    b"../secret", b"../../.ssh/id_ed25519", b"/etc/passwd", b"a/../../secret", b"..", b"a/..",
    b"./a", b"a/./b", b"a//b", b".git/config", b"a/.git/config", b".GIT/config", b".git/a/b",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("include", [(), ("*",)])
async def test_a_crafted_index_names_nothing_outside(
    root: Path, name: bytes, include: tuple[str, ...]
) -> None:
    git(root, "init", "-q")
    (root / "a").write_text("a")
    (root.parent / "secret").write_bytes(SECRET)
    craft_index(root, [name, b"zzz"])
    with pytest.raises(IgorError, match="outside of it or git's own") as caught:
        scan(root, include)
    assert str(root) in caught.value.message
    tree = LocalTree(root, include)
    with pytest.raises(IgorError, match="outside of it"):
        await tree.reconcile()
    found = tree.read(name)
    assert found is None or found.content == b"a"


async def test_a_crafted_index_of_a_repository_inside_names_nothing_outside(root: Path) -> None:
    git(root, "init", "-q")
    inner = root / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    craft_index(inner, [b"../../secret"])
    with pytest.raises(IgorError, match="outside of it"):
        scan(root)


def test_which_names_can_belong_to_a_tree() -> None:
    assert not any(map(is_inside, [*NAMES, b"", b"/", b"a/", b"a\0b", b"a/.gIt"]))
    for name in (b"a", b".a", b"..a", b"a..", b"...", b".gitignore", b"a/.github/b", b"a.git/b",
                 b" ", b"-", b"\n", b"\xff", b"a/ /b"):  # fmt: skip
        assert is_inside(name), name


# Ways to read the file of a tree that was seen before; each gives all that it read.
async def by_push(root: Path, file: File) -> bytes:
    return read_all(root, [file])[file.path].content


async def by_save(root: Path, file: File) -> bytes:
    try:
        found = LocalTree(root).read(file.path)
    except OSError:
        return b""
    return found.content or b"" if found else b""


async def by_rsync(root: Path, file: File) -> bytes:
    staging = await asyncio.to_thread(Staging)
    try:
        read = staging.take(root, [file])
        copy = staging.folder / os.fsdecode(file.path)
        assert read[file.path].moved == (not copy.exists())
        return copy.read_bytes() if copy.exists() else b""
    finally:
        staging.close()
        assert not staging.folder.exists()


async def by_hash(root: Path, file: File) -> bytes:
    return hash_files(root, [file]).get(file.path, b"")


async def by_stamp(root: Path, file: File) -> bytes:
    (root / "dockerfile").touch()
    try:
        inputs = read_inputs(root, "dockerfile", [os.fsdecode(file.path)], {}, [file.path])
    except IgorError:
        return b""
    return inputs.contents.get(file.path, b"")


async def by_ignore_file(root: Path, file: File) -> bytes:
    try:
        return read_small(root, file.path) or b""
    except IgorError:
        return b""


async def by_large_file(root: Path, file: File) -> bytes:
    try:
        with opened(root, Write(file, NOTHING)) as stream:
            return stream.read()
    except OSError:
        return b""


WAYS = [by_push, by_save, by_rsync, by_hash, by_stamp, by_ignore_file, by_large_file]

HARMLESS = b"a model"


def swap_file(root: Path, elsewhere: Path) -> None:
    (root / "a/b/c").unlink()
    (root / "a/b/c").symlink_to(elsewhere / "b/c")


def swap_folder(root: Path, elsewhere: Path) -> None:
    (root / "a/b").rename(root / "a/was")
    (root / "a/b").symlink_to(elsewhere / "b")


def swap_top(root: Path, elsewhere: Path) -> None:
    (root / "a").rename(root / "was")
    (root / "a").symlink_to(os.path.relpath(elsewhere, root))


def swap_chain(root: Path, elsewhere: Path) -> None:
    (root / "x").symlink_to(elsewhere)
    (root / "a/b").rename(root / "was")
    (root / "a/b").symlink_to("../x/b")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("swap", [swap_file, swap_folder, swap_top, swap_chain])
async def test_nothing_is_read_through_a_link_that_came_after_the_look(
    root: Path, way: Callable[[Path, File], Awaitable[bytes]], swap: Callable[[Path, Path], None]
) -> None:
    elsewhere = root.parent / "elsewhere"
    for file, content in ((root / "a/b/c", HARMLESS), (elsewhere / "b/c", SECRET + b"!")):
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        # What a look compares is the same.
        os.utime(file, ns=(10**18, 10**18))
    seen = look(root, b"a/b/c")
    assert seen is not None
    assert await way(root, seen) in (HARMLESS, hashlib.sha256(HARMLESS).digest())
    swap(root, elsewhere)
    assert await way(root, seen) == b""


def outside(root: Path, name: bytes) -> File:
    """A file by a name that no look would give it."""
    (root / "a").mkdir()
    git(root, "init", "-q")
    target = root / os.fsdecode(name)
    if not target.exists():
        target.write_bytes(SECRET)
    found = target.stat()
    return File(name, "f", found.st_size, found.st_mtime_ns, found.st_mode & 0o777)


@pytest.mark.parametrize("way", [by_push, by_save, by_rsync, by_large_file])
@pytest.mark.parametrize(
    "name", [b"../secret", b"/etc/hostname", b"a/../../secret", b".git/config"]
)
async def test_nothing_is_read_by_a_name_that_leads_out(
    root: Path, way: Callable[[Path, File], Awaitable[bytes]], name: bytes
) -> None:
    known = outside(root, name)
    with contextlib.suppress(NotADirectoryError):
        assert await way(root, known) == b""


def test_a_folder_stays_open_only_as_long_as_it_is_needed(root: Path) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    for name in ("a/b/c/1", "a/b/2", "a/d/3", "4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    before = count()
    with Inside(root) as inside:
        for name in (b"a/b/c/1", b"a/b/2", b"a/d/3", b"4", b"a/b/c/1"):
            with open(inside.open(name), "rb") as stream:
                assert stream.read() == name
            assert count() <= before + 1 + name.count(b"/")
        with pytest.raises(FileNotFoundError):
            inside.open(b"a/b/none/x")
        with open(inside.open(b"a/b/2"), "rb") as stream:
            assert stream.read() == b"a/b/2"
    assert count() == before


def link_to(target: str) -> Callable[[Path], None]:
    return lambda file: file.symlink_to(target)


def large(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(LARGEST_SMALL_FILE + 1)


UNFIT = {
    "endless": link_to("/dev/zero"),
    "random": link_to("/dev/urandom"),
    "outside": link_to("/etc/passwd"),
    "inside": link_to("other"),
    "fifo": os.mkfifo,
    "folder": Path.mkdir,
    "large": large,
}


@pytest.mark.parametrize("kind", UNFIT)
@pytest.mark.parametrize("name", [".igor/ignore", ".gitignore", ".dockerignore"])
def test_a_project_s_small_file_is_a_small_regular_file(root: Path, name: str, kind: str) -> None:
    (root / ".igor").mkdir()
    (root / "other").touch()
    UNFIT[kind](root / name)

    def ask() -> None:
        if name == ".dockerignore":
            context_list(root, "dockerfile", [b"dockerfile", b".dockerignore"])
        else:
            scan(root)

    if name == ".gitignore" and kind != "large":
        # git reads no other than regular ones, and without a word.
        ask()
        return
    with pytest.raises(IgorError) as caught:
        ask()
    assert str(root / name) in caught.value.message
    assert caught.value.hint


def test_a_folder_of_small_files_is_no_link_either(root: Path) -> None:
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ignore").write_text("*\n")
    (root / ".igor").symlink_to(elsewhere)
    with pytest.raises(IgorError, match="not a regular file of the project"):
        scan(root)


def test_a_small_file_that_is_not_there_is_none(root: Path) -> None:
    assert read_small(root, b".igor/ignore") is None
    (root / "empty").touch()
    assert read_small(root, b"empty") == b""
