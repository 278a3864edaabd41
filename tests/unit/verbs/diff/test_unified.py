"""Two versions of a path in words and hunks, and a local file that gives way to a host's."""

import asyncio
import hashlib
import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from igor_core.errors import IgorError
from igor_core.push.channel.state import State
from igor_core.verbs.diff.replace_local import Backup, Replacement, replace_local
from igor_core.verbs.diff.side import LARGE, Side, local_side, side_on_host
from igor_core.verbs.diff.unified import difference

THERE = "apollo:/data/p/x"


def there(content: bytes | None, mode: int = 0o644, name: str = THERE) -> Side:
    """What a host has: a file with this content, or nothing."""
    if content is None:
        return Side(name)
    state = State("f", len(content), 1_700_000_000 * 10**9, mode)
    digest = hashlib.sha256(content).digest()
    return side_on_host(name, state, content[: LARGE + 1], digest)


def here(content: bytes | None, mode: int = 0o644) -> Side:
    return there(content, mode, "x")


async def shown(first: Side, second: Side, why: str = "", colour: bool = False) -> list[str]:
    text = await difference(first, second, why, colour=colour)
    return text.decode().split("\n")[:-1] if text else []


async def test_two_texts_are_a_unified_diff_that_names_both_sides() -> None:
    lines = await shown(there(b"a\nb\nc\n"), here(b"a\nB\nc\n"), "changed on the host")
    assert lines[0] == f"diff {THERE} x: changed on the host"
    assert lines[1].startswith(f"--- {THERE}\t2023-11-1")
    assert lines[2].startswith("+++ x\t2023-11-1")
    assert lines[3:] == ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]


def test_patch_makes_the_one_side_of_the_other(tmp_path: Path) -> None:
    old, new = b"one\ntwo\nthree", b"one\n2\nthree\n\n"
    text = asyncio.run(difference(there(old), here(new), "changed on the host", colour=False))
    (tmp_path / "x").write_bytes(old)
    text = text.replace(THERE.encode(), b"x")
    words = ["git", "apply", "-p0", "-"]
    done = subprocess.run(words, input=text, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x").read_bytes() == new


async def test_colours_are_those_of_git_and_end_before_a_carriage_return() -> None:
    lines = await shown(there(b"a\r\n"), here(b"b\r\n"), colour=True)
    assert lines[0].startswith("\x1b[1mdiff ")
    assert lines[3:] == ["\x1b[36m@@ -1 +1 @@\x1b[0m", "\x1b[31m-a\x1b[0m\r", "\x1b[32m+b\x1b[0m\r"]


async def test_what_is_missing_on_a_side_is_said_so() -> None:
    lines = await shown(there(b"left\n"), here(None), "deleted locally, but changed on the host")
    assert lines[2:] == ["+++ /dev/null\t(x: does not exist)", "@@ -1 +0,0 @@", "-left"]
    lines = await shown(there(None), here(b"new\n"))
    assert lines[1:] == [
        f"--- /dev/null\t({THERE}: does not exist)",
        *lines[2:3],
        "@@ -0,0 +1 @@",
        "+new",
    ]


async def test_an_empty_file_that_is_missing_elsewhere_is_a_difference() -> None:
    assert len(await shown(there(b""), here(None))) == 3


async def test_binary_files_are_named_with_size_and_hash() -> None:
    lines = await shown(there(b"\0" * 1234), here(b"\0" * 5))
    digest = hashlib.sha256(b"\0" * 5).hexdigest()[:16]
    assert lines[3].startswith("-binary file, 1,234 bytes, mode 644, sha256 ")
    assert lines[4] == f"+binary file, 5 bytes, mode 644, sha256 {digest}"


async def test_links_are_named_with_their_targets() -> None:
    link = Side(THERE, "l", 4, 10**18, 0o777, b"../\x1by")
    lines = await shown(link, here(b"text\n"))
    assert lines[3] == r"-link to ../\x1by"
    assert lines[4].startswith("+text file, 5 bytes")


async def test_what_is_large_is_not_shown_but_compared() -> None:
    large = b"x" * (LARGE + 1)
    assert (await shown(there(large), here(b"x\n")))[3].startswith(
        "-file too large to show, 4,194,"
    )
    assert await shown(there(large), here(large)) == []
    assert await shown(there(large), here(large[:-1] + b"y")) != []


async def test_whether_it_is_executable_counts_and_other_permissions_do_not() -> None:
    lines = await shown(there(b"a\n", 0o755), here(b"a\n", 0o644))
    assert lines[3:] == ["-mode 755", "+mode 644"]
    assert await shown(there(b"a\n", 0o664), here(b"a\n", 0o644)) == []


async def test_what_cant_be_read_is_no_equal_file() -> None:
    unread = side_on_host(THERE, State("f", 2, 0, 0), None, b"")
    assert (await shown(unread, here(b"a\n")))[3].startswith("-file that can't be read, 2 bytes")


# The local side, and replacing it.


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "src").mkdir(parents=True)
    return tmp_path / "root"


def taken(root: Path, path: bytes, content: bytes | None) -> Path | None:
    """Replace a path as it is now by a file, or by a link where there is no content."""
    seen = local_side(root, path, "x")
    if content is None:
        new = Replacement(Side(THERE, "l", 1, 0, 0o777, b"elsewhere"))
    else:
        new = Replacement(there(content, 0o600), io.BytesIO(content))
    return replace_local(root, path, seen, new, Backup.of("p"))


def test_the_local_bytes_are_kept_and_the_mode_stays(root: Path) -> None:
    (root / "src" / "x").write_bytes(b"mine")
    (root / "src" / "x").chmod(0o640)
    kept = taken(root, b"src/x", b"theirs")
    assert (root / "src" / "x").read_bytes() == b"theirs"
    assert (root / "src" / "x").stat().st_mode & 0o777 == 0o640
    assert kept is not None
    assert kept.read_bytes() == b"mine"
    assert kept.match("igor/replaced/p/*/src/x")
    assert os.listdir(root / "src") == ["x"]


def test_what_is_replaced_at_one_time_twice_is_kept_twice(root: Path) -> None:
    (root / "x").write_bytes(b"1")
    first, second = taken(root, b"x", b"2"), taken(root, b"x", b"3")
    assert first is not None
    assert second is not None
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")


def test_an_executable_version_is_executable_here(root: Path) -> None:
    (root / "x").write_bytes(b"mine")
    (root / "x").chmod(0o640)
    seen = local_side(root, b"x", "x")
    new = Replacement(there(b"#!", 0o755), io.BytesIO(b"#!"))
    replace_local(root, b"x", seen, new, Backup.of("p"))
    assert (root / "x").stat().st_mode & 0o777 == 0o750


def test_a_deleted_file_comes_back_with_its_folders(root: Path) -> None:
    assert taken(root, b"new/deep/x", b"theirs") is None
    assert (root / "new" / "deep" / "x").read_bytes() == b"theirs"


def test_a_link_replaces_a_file_and_a_file_a_link_that_nobody_follows(
    root: Path, tmp_path: Path
) -> None:
    (root / "x").write_bytes(b"mine")
    taken(root, b"x", None)
    assert os.readlink(root / "x") == "elsewhere"
    outside = tmp_path / "outside"
    outside.write_bytes(b"safe")
    (root / "x").unlink()
    (root / "x").symlink_to(outside)
    kept = taken(root, b"x", b"theirs")
    assert kept is not None
    assert os.readlink(kept) == str(outside)
    assert (outside.read_bytes(), (root / "x").read_bytes()) == (b"safe", b"theirs")
    assert not (root / "x").is_symlink()


def test_no_link_on_the_way_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(IgorError, match="a local folder above it is a link"):
        taken(root, b"link/x", b"theirs")
    with pytest.raises(IgorError, match="left unchanged"):
        taken(root, b"../outside/x", b"theirs")
    assert os.listdir(tmp_path / "outside") == []


CHANGES: list[Callable[[Path], object]] = [
    lambda file: file.write_bytes(b"newer!"),
    lambda file: os.utime(file, ns=(1, 1)),
    lambda file: file.unlink(),
]


@pytest.mark.parametrize("change", CHANGES, ids=["written", "touched", "deleted"])
def test_a_file_that_changed_since_it_was_seen_is_left_alone(
    root: Path, change: Callable[[Path], object]
) -> None:
    (root / "x").write_bytes(b"mine")
    seen = local_side(root, b"x", "x")
    change(root / "x")
    now = sorted((p.name, p.read_bytes()) for p in root.iterdir() if p.is_file())
    new = Replacement(there(b"theirs"), io.BytesIO(b"theirs"))
    with pytest.raises(IgorError, match="has changed since igor read it"):
        replace_local(root, b"x", seen, new, Backup.of("p"))
    assert sorted((p.name, p.read_bytes()) for p in root.iterdir() if p.is_file()) == now


def test_a_folder_in_the_place_of_the_file_is_left_alone(root: Path) -> None:
    (root / "x").mkdir()
    with pytest.raises(IgorError, match="x is neither a file nor a link"):
        taken(root, b"x", b"theirs")
    assert sorted(os.listdir(root)) == ["src", "x"]


@pytest.mark.parametrize(
    "attack",
    [
        b"\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07",
        b"\x1b]0;title\x07",
        b"\x1b[2J\x1b[H",
        b"\x1bP+q544e\x1b\\",
        b"\xc2\x9b2J",
        b"\x9b2J",
        b"before\rafter",
        b"\x08\x08\x7f",
        "a\u202eb\u2066".encode(),
    ],
)
async def test_no_content_of_a_file_commands_the_screen(attack: bytes) -> None:
    there = side_on_host("there", State("f", 1, 1, 0o644), b"x = 1\n" + attack + b"\n", b"")
    for one, other in ((there, Side("here")), (Side("here"), there)):
        shown = await difference(one, other, "", colour=False, screen=True)
        text = shown.decode()
        assert not [char for char in text if not char.isprintable() and char not in "\n\t"], text
        exact = await difference(one, other, "", colour=False)
        assert attack in exact
    painted = await difference(there, Side("here"), "", colour=True, screen=True)
    assert attack not in painted


async def test_letters_blanks_and_line_ends_are_as_they_are() -> None:
    content = "\tdef größe(值):\u3000# ½ 🙂\r\n".encode()
    there = side_on_host("there", State("f", 1, 1, 0o644), content, b"")
    assert b"-" + content in await difference(there, Side("here"), "", colour=False, screen=True)
