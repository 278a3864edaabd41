"""Attacks by another user of a host who may write in `dir`, on both transports."""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from igor_core.errors import HostError
from igor_core.push.transport.rsync.files import delete, hashes
from igor_core.push.transport.rsync.survey import ShellSurveyor
from igor_core.remote.receiver import temp
from tests.support.neighbours import (
    NEIGHBOUR,
    PRECIOUS,
    USER,
    WORK,
    Login,
    Shared,
    as_user,
    opened_by_receiver,
    opened_by_shell,
    shared_folder,
)

Open = Callable[..., str]


@pytest.fixture
def shared() -> Iterator[Shared]:
    with shared_folder() as made:
        yield made


@pytest.fixture(params=[opened_by_receiver, opened_by_shell], ids=["receiver", "rsync"])
def open_tree(request: pytest.FixtureRequest) -> Open:
    way: Open = request.param
    return way


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_that_others_may_write_will_do(shared: Shared, open_tree: Open) -> None:
    assert [open_tree(shared), open_tree(shared), open_tree(shared, writing=False)] == [""] * 3
    assert mode(shared.private) == 0o700
    assert (shared.private / "claims/p").read_text() == "me"
    assert (shared.private / "tmp/p").is_dir()


def test_the_receiver_writes_there(shared: Shared) -> None:
    with as_user() as host:
        assert host.open(shared.base)["error"] == ""
        assert host.write("a/b.py", b"mine").ok
    assert (shared.base / "p/a/b.py").read_bytes() == b"mine"


@pytest.mark.parametrize("links", [[".igor-host"], ["p"], [".igor-host", "p"]])
@pytest.mark.parametrize("writing", [True, False])
def test_a_link_leads_nowhere(
    shared: Shared, open_tree: Open, links: list[str], writing: bool
) -> None:
    shared.precious("tmp/p")
    shared.precious("claims")
    before = shared.state()
    for link in links:
        shared.link(link, shared.own)
    if "p" not in links:
        shared.folder("p", USER)
    said = open_tree(shared, writing=writing)
    assert f"{shared.base}/" in said
    assert "\n" not in said
    assert shared.state() == before


@pytest.mark.parametrize("inner", ["tmp", "claims", "tmp/p"])
@pytest.mark.parametrize("owner", [NEIGHBOUR, USER], ids=["their folder", "a folder left open"])
def test_a_link_within_leads_nowhere(
    shared: Shared, open_tree: Open, inner: str, owner: int
) -> None:
    shared.precious()
    shared.precious("p")
    before = shared.state()
    shared.folder(".igor-host", owner, 0o777)
    if "/" in inner:
        shared.folder(".igor-host/tmp", owner, 0o777)
    shared.link(f".igor-host/{inner}", shared.own)
    assert open_tree(shared)
    assert shared.state() == before


def test_a_link_to_the_folder_beside_leads_nowhere(shared: Shared, open_tree: Open) -> None:
    other = shared.folder("other", USER)
    shared.link(".igor-host", "other")
    assert open_tree(shared)
    assert (list(other.iterdir()), mode(other)) == ([], 0o755)


@pytest.mark.parametrize("path", [".igor-host", "p"])
def test_a_folder_of_a_neighbours_is_not_taken(shared: Shared, open_tree: Open, path: str) -> None:
    made = shared.folder(path, NEIGHBOUR, 0o777)
    said = open_tree(shared)
    assert str(made) in said
    assert "another user of this host" in said
    assert list(made.iterdir()) == []


def test_a_claim_that_is_a_link_is_neither_read_nor_written(
    shared: Shared, open_tree: Open
) -> None:
    file = shared.precious()
    shared.folder(".igor-host", USER, 0o777)
    shared.folder(".igor-host/claims", USER, 0o777)
    shared.link(".igor-host/claims/p", file)
    assert WORK not in open_tree(shared, taking=True)
    assert file.read_text() == WORK


def test_a_folder_that_was_left_open_is_closed(shared: Shared, open_tree: Open) -> None:
    for path in (".igor-host", ".igor-host/tmp", ".igor-host/claims"):
        shared.folder(path, USER, 0o777)
    assert open_tree(shared) == ""
    for folder in (shared.private, shared.private / "tmp", shared.private / "claims"):
        assert mode(folder) == 0o700


def test_a_link_of_the_users_own_is_followed(shared: Shared, open_tree: Open) -> None:
    file = shared.precious()
    shared.link("p", shared.own, USER)
    assert open_tree(shared) == ""
    assert file.exists()
    with as_user() as host:
        assert host.open(shared.base)["path"] == str(shared.own)
        assert host.write("one", b"1").ok


def test_what_is_swapped_later_changes_nothing(shared: Shared) -> None:
    shared.precious()
    before = shared.state()
    with as_user() as host:
        host.open(shared.base)
        assert host.write("one", b"1").ok
        shared.private.rename(shared.base / "away")
        shared.link(".igor-host", shared.own)
        assert host.write("two", b"2").ok
        assert host.open(shared.base)["unsafe"]
        (shared.base / "p").rename(shared.base / "tree")
        theirs = shared.folder("p", NEIGHBOUR, 0o777)
        answer = host.write("three", b"3")
        assert not answer.ok
        assert "belongs to" in answer.reason
        theirs.rename(shared.base / "theirs")
        shared.link("p", shared.own)
        assert not host.write("four", b"4").ok
    assert sorted(path.name for path in (shared.base / "tree").iterdir()) == ["one", "two"]
    assert list((shared.base / "theirs").iterdir()) == []
    assert shared.state() == before


def test_a_temp_folder_that_is_made_again_is_looked_at(shared: Shared) -> None:
    shared.precious()
    before = shared.state()
    with as_user() as host:
        host.open(shared.base)
        shutil.rmtree(shared.private)
        shared.link(".igor-host", shared.own)
        answer = host.write("one", b"1")
    assert not answer.ok
    assert "is a link" in answer.reason
    assert shared.state() == before


@pytest.mark.parametrize("owner", [NEIGHBOUR, USER])
def test_nothing_is_deleted_or_read_where_the_tree_was_swapped(shared: Shared, owner: int) -> None:
    file = shared.precious()
    asyncio.run(ShellSurveyor(Login(), shared.paths, "me", writing=True).survey([]))
    (shared.base / "p").rename(shared.base / "away")
    shared.link("p", shared.own, owner)
    tree, name = shared.paths.tree, os.fsencode(PRECIOUS)
    with pytest.raises(HostError, match="is a link"):
        asyncio.run(delete(Login(), tree, [name], []))
    assert asyncio.run(hashes(Login(), tree, [name])) == {}
    assert file.read_text() == WORK


def aged(folder: Path, names: list[str]) -> list[str]:
    """Which of some old files are still there after a sweep."""
    return sorted(name for name in names if (folder / name).exists())


STAYS = ["thesis.tex", ".bashrc", "a.b.c.d", ".thesis.tex.old", "..a1B2c3", f"{PRECIOUS}x"]
GOES = [".thesis.tex.a1B2c3", PRECIOUS]


def test_only_names_that_igor_gives_are_swept_by_rsync(shared: Shared) -> None:
    opened_by_shell(shared)
    folder = shared.private / "tmp/p"
    for name in STAYS + GOES:
        (folder / name).touch()
        os.utime(folder / name, (1_600_000_000, 1_600_000_000))
    opened_by_shell(shared)
    assert aged(folder, STAYS + GOES) == sorted(STAYS)


def test_only_names_that_igor_gives_are_swept(tmp_path: Path) -> None:
    for name in STAYS + GOES:
        (tmp_path / name).touch()
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        later = os.fstat(folder).st_ctime + 100 * 24 * 3600
        temp.sweep(folder, lambda _path, _prefix: None, later)  # type: ignore[no-untyped-call]
    finally:
        os.close(folder)
    assert aged(tmp_path, STAYS + GOES) == sorted(STAYS)
