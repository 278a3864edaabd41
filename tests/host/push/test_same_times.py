"""Other content behind the same size and time, here or on the host; other times of the same."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.push_means import assert_is_settled, held_back, sent
from tests.support.pushing import Desk

THEN = (0, 1_700_000_000_000_000_000)


def dated(clone: Desk, path: str, text: str) -> Path:
    """Write a file as `git checkout` or an archive does: many with one time."""
    file = clone.write(path, text)
    os.utime(file, ns=THEN)
    return file


def sh_here(clone: Desk, command: str) -> None:
    subprocess.run(command, shell=True, cwd=clone.root, check=True)


LOCAL = {
    "swapped": "mv a c && mv b a && mv c b",
    "moved over": "mv b a",
    "copied with its time": "cp -p b a",
    "written, and the time set back": "touch -r a t && printf 222 >a && touch -r t a && rm t",
    "linked over": "ln -f b a",
    "extracted": "tar -cf ../t.tar b && rm a && tar -xf ../t.tar --transform s/b/a/",
}


@pytest.mark.parametrize("command", LOCAL.values(), ids=LOCAL)
async def test_content_that_changed_here_is_sent_whatever_its_time(
    clone: Desk, command: str
) -> None:
    dated(clone, "a", "111")
    dated(clone, "b", "222")
    await clone.push()
    sh_here(clone, command)
    assert (clone.root / "a").stat().st_mtime_ns == THEN[1]
    await clone.push()
    assert clone.on_host()[b"a"].content == b"222"
    await assert_is_settled(clone)


@pytest.mark.parametrize(
    "command",
    [
        "touch a b",
        "cp a c && mv c a",
        "printf 9 >a && printf 111 >a",
        "sed -i s/1/1/ a",
        "chmod 600 a; chmod 644 a",
    ],
)
async def test_only_what_differs_travels(clone: Desk, command: str) -> None:
    clone.write("a", "111")
    clone.write("b", "222")
    await clone.push()
    before = clone.on_host()
    sh_here(clone, command)
    report = await clone.push()
    assert (sent(report), report.held_back) == ([], [])
    assert clone.on_host() == before
    clone.write("b", "333")
    assert sent(await clone.push()) == [b"b"]


THERE = {
    "copied with its time": "cp -p b a",
    "moved over": "cp -p b c && mv c a",
    "edited, and the time set back": "touch -r a t && sed -i s/1/2/g a && touch -r t a && rm t",
}


@pytest.mark.parametrize("command", THERE.values(), ids=THERE)
async def test_what_a_program_changed_there_behind_the_same_time_is_not_overwritten(
    clone: Desk, command: str
) -> None:
    path = dated(clone, "a", "111")
    dated(clone, "b", "222")
    await clone.push()
    clone.sh_there(command)
    path.write_text("333")
    assert held_back(await clone.push()) == {b"a": "changed on the host"}
    path.unlink()
    reason = "deleted locally, but changed on the host"
    assert held_back(await clone.push()) == {b"a": reason}
    assert clone.on_host()[b"a"].content == b"222"


@pytest.mark.parametrize("command", THERE.values(), ids=THERE)
async def test_force_compares_contents(clone: Desk, command: str) -> None:
    dated(clone, "a", "111")
    dated(clone, "b", "222")
    await clone.push()
    clone.sh_there(command)
    assert sent(await clone.push(force=True)) == [b"a"]
    assert clone.on_host()[b"a"].content == b"111"
    assert sent(await clone.push(force=True)) == []
