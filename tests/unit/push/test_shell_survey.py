"""SurveyCache a host what it has: real sh, find and xargs, here and on a host."""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.channel.state import State
from igor_core.push.transport.host_errors import hint_for
from igor_core.push.transport.rsync.files import delete, hashes
from igor_core.push.transport.rsync.survey import ShellSurveyor
from igor_core.ssh.process import Completed
from tests.support.git_trees import ODD_NAMES


class Here:
    """This machine as a host."""

    name = "here"

    async def run(self, argv: Sequence[str], *, input: bytes = b"", most: int = 0) -> Completed:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stdout, stderr = await process.communicate(input)
        return Completed(process.returncode or 0, stdout, stderr)


@pytest.fixture
def paths(tmp_path: Path) -> HostPaths:
    return HostPaths.of(str(tmp_path / "base"), "", "project")


@pytest.fixture
def tree(paths: HostPaths) -> Path:
    folder = Path(paths.tree)
    folder.mkdir(parents=True)
    return folder


def asker(paths: HostPaths, **options: bool) -> ShellSurveyor:
    return ShellSurveyor(Here(), paths, "me@laptop:/code", **options)


def claim(paths: HostPaths) -> str:
    return Path(paths.private, "claims", "project").read_text()


def write(tree: Path, name: bytes, content: bytes = b"x") -> bytes:
    path = os.path.join(os.fsencode(tree), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)
    return path


async def test_states_are_those_of_lstat(paths: HostPaths, tree: Path) -> None:
    for name in ODD_NAMES:
        os.utime(write(tree, name + b"/" + name), ns=(0, 1_234_567_890_987_654_321))
    os.symlink(b"no\nwhere", tree / "link")
    os.mkfifo(tree / "fifo")
    os.utime(write(tree, b"old"), ns=(0, 5))
    asked = [name + b"/" + name for name in ODD_NAMES] + [b"link", b"fifo", b"old", b"no/thing"]
    found = (await asker(paths).survey(asked)).states
    assert set(found) == {*asked, *ODD_NAMES} - {b"no/thing"}
    for path, state in found.items():
        real = os.lstat(os.path.join(os.fsencode(tree), path))
        assert (state.size, state.mtime_ns, state.mode) == (
            real.st_size, real.st_mtime_ns, real.st_mode & 0o777,
        )  # fmt: skip
    assert found[b"link"].target == b"no\nwhere"
    assert {found[b"link"].kind, found[b"fifo"].kind, found[ODD_NAMES[0]].kind} == {"l", "p", "d"}
    assert found[b"old"] == State("f", 1, 5, 0o644)


async def test_looking_makes_nothing(paths: HostPaths, tmp_path: Path) -> None:
    found = await asker(paths).survey([b"a"])
    assert (found.exists, found.path, found.states) == (False, paths.tree, {})
    assert os.listdir(tmp_path) == []


async def test_writing_makes_the_folders_and_claims_the_tree(paths: HostPaths) -> None:
    found = await asker(paths, writing=True).survey([b"a"])
    assert (found.exists, found.temporary) == (True, paths.temporary)
    assert os.listdir(paths.tree) == os.listdir(paths.temporary) == []
    assert os.stat(paths.private).st_mode & 0o77 == 0
    assert claim(paths) == "me@laptop:/code"


async def test_a_claim_of_another_is_refused_but_for_taking(paths: HostPaths) -> None:
    await asker(paths, writing=True).survey([])
    other = ShellSurveyor(Here(), paths, "you@desk:/code", writing=True)
    with pytest.raises(HostError, match=r"another clone pushes to .*: me@laptop:/code"):
        await other.survey([])
    await ShellSurveyor(Here(), paths, "you@desk:/code", take_over=True).survey([])
    await ShellSurveyor(Here(), paths, "you@desk:/code", writing=True, take_over=True).survey([])
    assert claim(paths) == "you@desk:/code"


async def test_hashes_are_of_what_can_be_read(tree: Path) -> None:
    names = [*ODD_NAMES, b"cr\rlf\n", b"both\\\n"]
    for name in names:
        write(tree, name, name)
    found = await hashes(Here(), str(tree), [*names, b"missing"])
    assert found == {name: hashlib.sha256(name).digest() for name in names}


async def test_deletes_are_of_files_and_then_of_empty_folders(tree: Path) -> None:
    for name in ODD_NAMES:
        write(tree, b"deep/" + name + b"/" + name)
    write(tree, b"kept/a")
    write(tree, b"kept/of others")
    os.symlink("kept", tree / "link")
    files = [b"deep/" + name + b"/" + name for name in ODD_NAMES] + [b"kept/a", b"link", b"no"]
    folders = [b"deep/" + name for name in ODD_NAMES] + [b"deep", b"kept"]
    assert (await delete(Here(), str(tree), files, folders))[0] == frozenset()
    assert os.listdir(tree) == ["kept"]
    assert os.listdir(tree / "kept") == ["of others"]


async def test_a_folder_in_the_place_of_a_file_is_not_deleted(tree: Path) -> None:
    write(tree, b"a/theirs")
    assert await delete(Here(), str(tree), [b"a"], []) == (frozenset(), "it still exists")
    assert os.listdir(tree / "a") == ["theirs"]


async def test_many_deletes_take_a_moment(tree: Path) -> None:
    names = [b"d%d/f%d" % (number % 50, number) for number in range(10_000)]
    for name in names:
        write(tree, name)
    folders = [b"d%d" % number for number in range(50)]
    left, _why = await asyncio.wait_for(delete(Here(), str(tree), names, folders), 60)
    assert left == frozenset()
    assert os.listdir(tree) == []


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("mkdir: /x: Permission denied", "that you may write"),
        ("cannot create: No space left on device", "free space"),
        ("write error: Disk quota exceeded", "quota"),
        ("something else", "igor doctor"),
    ],
)
def test_reasons_have_remedies(reason: str, hint: str) -> None:
    assert hint in hint_for(reason)


@pytest.mark.parametrize(
    ("configured", "tree"),
    [
        ("/data/dev", "/data/dev/p"),
        ("/data//dev/./x/..", "/data/dev/p"),
        ("~/dev", "/home/dino/dev/p"),
        ("~", "/home/dino/p"),
        ("~/", "/home/dino/p"),
        ("/", "/p"),
    ],
)
def test_where_a_project_is_on_a_host(configured: str, tree: str) -> None:
    paths = HostPaths.of(configured, "/home/dino", "p")
    assert paths.tree == tree
    assert paths.temporary == tree[: -len("p")] + ".igor-host/tmp/p"
