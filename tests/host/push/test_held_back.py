"""What a push holds back: files that others have changed on the host stay as they are."""

import os

import pytest

from tests.support.push_means import assert_is_settled, held_back, sent
from tests.support.pushing import Desk


async def test_what_a_program_wrote_on_the_host_stays(clone: Desk) -> None:
    clone.write("src/a", "1")
    await clone.push()
    clone.write_there("src/out.txt", "result")
    clone.write_there("runs/1/model", "weights")
    (clone.root / "src/a").unlink()
    report = await clone.push()
    assert report.deleted == [b"src/a"]
    assert set(clone.on_host()) == {b"src/out.txt", b"runs/1/model"}


async def test_a_file_edited_on_the_host_is_kept_and_named(clone: Desk) -> None:
    clone.write("a", "one")
    clone.write("b", "one")
    await clone.push()
    clone.write_there("a", "mine")
    clone.write("a", "two")
    clone.write("b", "two")
    for _again in range(2):
        report = await clone.push()
        assert held_back(report) == {b"a": "changed on the host"}
        assert clone.on_host()[b"a"].content == b"mine"
    assert clone.on_host()[b"b"].content == b"two"
    report = await clone.push(force=True)
    assert sent(report) == [b"a"]
    await assert_is_settled(clone)


async def test_an_edit_of_equal_size_and_time_to_the_second_is_seen(clone: Desk) -> None:
    path = clone.write("a", "one")
    os.utime(path, ns=(0, 1_700_000_000_000_000_001))
    await clone.push()
    clone.write_there("a", "two")
    clone.sh_there("touch -d @1700000000 a")
    path.write_text("333")
    assert held_back(await clone.push()) == {b"a": "changed on the host"}


async def test_a_file_edited_on_the_host_is_not_deleted(clone: Desk) -> None:
    clone.write("a", "one")
    await clone.push()
    clone.write_there("a", "mine")
    (clone.root / "a").unlink()
    report = await clone.push()
    assert held_back(report) == {b"a": "deleted locally, but changed on the host"}
    assert clone.on_host()[b"a"].content == b"mine"
    assert (await clone.push(force=True)).deleted == [b"a"]
    assert clone.on_host() == {}


async def test_a_file_touched_on_the_host_is_still_igor_s(clone: Desk) -> None:
    clone.write("a", "one")
    clone.write("b", "one")
    await clone.push()
    clone.sh_there("touch a b")
    clone.write("a", "two")
    (clone.root / "b").unlink()
    report = await clone.push()
    assert (sent(report), report.deleted, report.held_back) == ([b"a"], [b"b"], [])
    await assert_is_settled(clone)


async def test_a_file_deleted_on_the_host_comes_back(clone: Desk) -> None:
    clone.write("a", "one")
    await clone.push()
    clone.sh_there("rm a")
    assert sent(await clone.push()) == [b"a"]
    await assert_is_settled(clone)


async def test_equal_files_that_were_there_are_adopted_without_sending(clone: Desk) -> None:
    for name, content in (("a", "one"), ("b/c", "two"), ("run", "three"), ("differs", "four")):
        clone.write(name, content, 0o755 if name == "run" else 0o644)
        clone.write_there(name, content if name != "differs" else "other")
    clone.sh_there("chmod 755 run; chmod 664 a; ln -s run l")
    (clone.root / "l").symlink_to("run")
    report = await clone.push()
    assert (sent(report), report.unchanged) == ([], 4)
    assert held_back(report) == {b"differs": "on the host already, and different"}
    clone.write("a", "new")
    assert sent(await clone.push()) == [b"a"]
    (clone.root / "b/c").unlink()
    assert (await clone.push()).deleted == [b"b/c"]


async def test_an_equal_file_that_does_not_run_there_is_made_to(clone: Desk) -> None:
    clone.write("run", "three", 0o755)
    clone.write_there("run", "three")
    assert sent(await clone.push()) == [b"run"]
    await assert_is_settled(clone)


async def test_a_link_on_the_host_in_the_place_of_a_folder_is_not_followed(clone: Desk) -> None:
    clone.write("data/a", "1")
    await clone.push()
    clone.sh_there(
        "mkdir ../elsewhere && mv data/a ../elsewhere && rmdir data && ln -s ../elsewhere data"
    )
    elsewhere = clone.lab_host.path("dev/elsewhere")
    clone.write("data/a", "2")
    clone.write("data/b", "3")
    for force in (False, True):
        report = await clone.push(force=force)
        assert set(held_back(report)) == {b"data/a", b"data/b"}
        assert not report.held_back[0].yields_to_force
        assert [path.name for path in elsewhere.iterdir()] == ["a"]
        assert (elsewhere / "a").read_text() == "1"
    (clone.root / "data/a").unlink()
    (clone.root / "data/b").unlink()
    assert (await clone.push(force=True)).deleted == []
    assert (elsewhere / "a").read_text() == "1"


@pytest.mark.parametrize("force", [False, True])
async def test_a_folder_with_files_of_others_does_not_give_way(clone: Desk, force: bool) -> None:
    clone.write("p/mine", "1")
    await clone.push()
    clone.write_there("p/theirs", "2")
    clone.remove("p")
    clone.write("p", "now a file")
    clone.write("q", "goes on")
    report = await clone.push(force=force)
    assert held_back(report) == {b"p": "a folder on the host that holds other files"}
    assert clone.on_host()[b"p/theirs"].content == b"2"
    assert clone.on_host()[b"q"].content == b"goes on"
    clone.sh_there("rm -r p")
    await clone.push()
    await assert_is_settled(clone)


async def test_a_file_that_changes_on_the_host_while_others_are_sent_is_not_deleted(
    apollo: Desk,
) -> None:
    apollo.write("old", "one")
    await apollo.push()
    (apollo.root / "old").unlink()
    apollo.write("new", os.urandom(3_000_000))
    apollo.person.on_progress = lambda done: apollo.write_there("old", "mine")
    report = await apollo.push()
    assert held_back(report) == {b"old": "deleted locally, but changed on the host"}
    assert report.deleted == []
    assert apollo.on_host()[b"old"].content == b"mine"
