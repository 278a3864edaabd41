"""Push to real hosts: what arrives, what is kept, and what it costs."""

import asyncio
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.transport.rsync import remote_shell as rsync_shell
from tests.lab import Lab
from tests.support.git_trees import ODD_NAMES
from tests.support.push_means import assert_is_settled, held_back, sent, take_away
from tests.support.pushing import Desk, desk

# -- what arrives


async def test_all_kinds_of_names_modes_and_links_arrive_right(clone: Desk) -> None:
    for name in ODD_NAMES:
        clone.write(name, name)
        clone.write(b"in " + name + b"/" + name, b"2" + name, 0o755)
    clone.write("empty", b"")
    clone.write("run", "#!/bin/sh\n", 0o755)
    clone.write("private", "p", 0o600)
    clone.write("readonly", "r", 0o444)
    clone.write("a" * 255, "long")
    clone.write("/".join(["deep" * 10] * 20), "deep")
    for link, target in (
        ("l1", "run"),
        ("l2", "no where\n"),
        ("l3", "/etc/passwd"),
        ("l4", "in ~"),
    ):
        (clone.root / link).symlink_to(target)
    (clone.root / "l5").symlink_to(os.fsdecode(b"\xff"))
    os.utime(clone.root / "run", ns=(0, 1_234_567_890_987_654_321))
    os.utime(clone.root / "empty", ns=(0, 1))
    report = await clone.push()
    assert len(report.sent) == len(clone.local()) == 2 * len(ODD_NAMES) + 11
    assert clone.on_host() == clone.local()
    await assert_is_settled(clone)


async def test_tracked_data_in_an_ignored_folder_arrives(clone: Desk) -> None:
    clone.write(".gitignore", "data/*\n")
    for name in ("src/project/data/__init__.py", "data/kept", "data/dropped"):
        clone.write(name)
    clone.git("init")
    clone.git("add", "-f", "data/kept", "src")
    await clone.push()
    assert set(clone.on_host()) == {b".gitignore", b"src/project/data/__init__.py", b"data/kept"}


async def test_a_push_with_nothing_to_do_is_one_round_trip(clone: Desk) -> None:
    for number in range(600):
        clone.write(f"d{number % 20}/f{number}", str(number))
    await clone.push()
    if clone.host_tree.by == "receiver":
        await take_away(clone, 0)
        await clone.push()
        clone.lab_host.delay(2000)
    runs, started = clone.remote.runs, time.monotonic()
    report = await clone.push()
    if clone.host_tree.by == "receiver":
        assert 1.9 < time.monotonic() - started < 3.8
    else:
        assert clone.remote.runs == runs + 1
    assert (report.sent, report.unchanged) == ([], 600)


@pytest.mark.parametrize(
    "folder",
    ["/tmp/q'uo\"te", "~/dev/$(touch dev/ran);`touch dev/ran2`", "~/dev/a  b*[c]?{d}~#&|<>"],
)
async def test_a_folder_s_name_is_never_code(clone: Desk, folder: str) -> None:
    host = clone.lab_host
    host.run(["mkdir", "-p", "dev"], check=True)
    clone.paths = HostPaths.of(folder, host.home, "pro'j $(id)")
    clone.write("a", "1")
    clone.write("b/c", "2")
    await clone.push()
    assert clone.on_host() == clone.local()
    (clone.root / "b/c").unlink()
    await clone.push()
    await assert_is_settled(clone)
    assert set(clone.on_host()) == {b"a"}
    assert not host.path("dev/ran").exists()
    assert not host.path("dev/ran2").exists()
    host.run(["rm", "-rf", "--", clone.paths.base], check=True)


async def test_a_checkout_s_path_may_hold_anything(
    lab: Lab, ssh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / 'it\'s a "check out" $(x)'
    odd.mkdir()
    helper = shutil.copy(rsync_shell.__file__, odd)
    monkeypatch.setattr(rsync_shell, "__file__", helper)
    async with desk(lab["apollo"], odd / "pro:ject", "~/dev/odd") as clone:
        clone.write("a", "1")
        await clone.push()
        assert clone.on_host() == clone.local()


async def test_rsync_s_variables_change_nothing(
    apollo: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RSYNC_ICONV", "utf8,latin1")
    monkeypatch.setenv("RSYNC_RSH", "false")
    monkeypatch.setenv("RSYNC_OLD_ARGS", "1")
    apollo.write("ö", "1")
    await apollo.push()
    assert apollo.on_host() == apollo.local()


async def test_a_dir_that_leads_through_a_link_is_the_same_tree(clone: Desk) -> None:
    clone.write("a", "1")
    await clone.push()
    clone.lab_host.run(["ln", "-s", "dev", "link"], check=True)
    clone.paths = HostPaths.of("~/link", clone.lab_host.home, clone.root.name)
    clone.write("a", "two")
    assert sent(await clone.push()) == [b"a"]
    assert clone.on_host() == clone.local()


async def test_a_tree_on_another_file_system_gets_no_half_written_files(apollo: Desk) -> None:
    apollo.lab_host.run(["sh", "-c", "mkdir -p dev /dev/shm/igor-tree"], check=True)
    apollo.lab_host.run(["ln", "-s", "/dev/shm/igor-tree", "dev/project"], check=True)
    try:
        apollo.write("a", "1")
        await apollo.push()
        assert apollo.on_host() == apollo.local()
        temporary = "/dev/shm/igor-tree/.igor-host/tmp"
        assert apollo.lab_host.run(["ls", temporary]).returncode == 0
        await assert_is_settled(apollo)
    finally:
        apollo.lab_host.run(["rm", "-rf", "/dev/shm/igor-tree"], check=True)


# -- changes


async def test_a_save_of_equal_length_in_the_same_second_is_sent(clone: Desk) -> None:
    path = clone.write("a", "one")
    os.utime(path, ns=(0, 1_700_000_000_000_000_001))
    await clone.push()
    path.write_text("two")
    os.utime(path, ns=(0, 1_700_000_000_000_000_002))
    assert sent(await clone.push()) == [b"a"]
    await assert_is_settled(clone)


async def test_a_change_of_mode_alone_is_sent(clone: Desk) -> None:
    path = clone.write("a", "one")
    await clone.push()
    path.chmod(0o755)
    await clone.push()
    assert clone.on_host()[b"a"].mode == 0o755
    await assert_is_settled(clone)


async def test_a_rename_is_a_delete_and_a_create(clone: Desk) -> None:
    clone.write("old/deep/a", "one")
    clone.write("b")
    await clone.push()
    (clone.root / "old").rename(clone.root / "new")
    report = await clone.push()
    assert (sent(report), report.deleted) == ([b"new/deep/a"], [b"old/deep/a"])
    assert not (clone.there / "old").exists()
    await assert_is_settled(clone)


async def test_a_folder_that_is_empty_here_too_stays(clone: Desk) -> None:
    clone.write("logs/.keep")
    await clone.push()
    (clone.root / "logs/.keep").unlink()
    await clone.push()
    assert (clone.there / "logs").is_dir()


SHAPES = ["file", "folder", "link", "link to folder"]


@pytest.mark.parametrize("before", SHAPES)
@pytest.mark.parametrize("after", SHAPES)
async def test_a_path_may_become_anything(apollo: Desk, before: str, after: str) -> None:
    apollo.write("other/x", "in the other folder")
    for when, shape in (("before", before), ("after", after)):
        apollo.remove("p")
        if shape == "file":
            apollo.write("p", when)
        elif shape == "folder":
            apollo.write("p/x", when)
            apollo.write("p/q/y", when)
        else:
            (apollo.root / "p").symlink_to("nowhere" if shape == "link" else "other")
        await apollo.push()
        await assert_is_settled(apollo)
        assert set(apollo.on_host()) == set(apollo.local())
    assert apollo.on_host()[b"other/x"].content == b"in the other folder"


# -- the delete limit


@pytest.mark.parametrize(
    ("files", "deleted", "asks"), [(200, 50, False), (200, 51, True), (10, 5, False), (10, 6, True)]
)
async def test_many_deletes_are_asked_for(
    apollo: Desk, files: int, deleted: int, asks: bool
) -> None:
    for number in range(files):
        apollo.write(f"f{number}")
    await apollo.push()
    for number in range(deleted):
        (apollo.root / f"f{number}").unlink()
    apollo.write("new")
    if not asks:
        assert len((await apollo.push()).deleted) == deleted
        return
    with pytest.raises(HostError, match=f"would delete {deleted} of the {files} files"):
        await apollo.push()
    assert apollo.person.asked == [
        f"delete {deleted} of the {files} files that igor pushed to apollo?"
    ]
    assert len(apollo.on_host()) == files, "nothing was done"
    apollo.person.answer = True
    assert len((await apollo.push()).deleted) == deleted
    await assert_is_settled(apollo)


async def test_deletes_may_be_allowed_beforehand(apollo: Desk) -> None:
    for number in range(60):
        apollo.write(f"f{number}")
    await apollo.push()
    for number in range(60):
        (apollo.root / f"f{number}").unlink()
    assert len((await apollo.push(allow_deletes=True)).deleted) == 60
    assert apollo.person.asked == []
    assert apollo.on_host() == {}


# -- dry run


async def test_a_dry_run_changes_nothing_at_all_on_the_host(clone: Desk) -> None:
    clone.write("a", "one")
    clone.lab_host.run(["mkdir", "-p", "dev"], check=True)
    report = await clone.push(dry_run=True)
    assert sent(report) == [b"a"]
    assert list(clone.lab_host.path("dev").iterdir()) == []
    await clone.push()
    clone.write("b", "two")
    (clone.root / "a").unlink()
    clone.write_there("c", "theirs")
    clone.write("c", "ours")
    report = await clone.push(dry_run=True)
    assert (sent(report), report.deleted) == ([b"b"], [b"a"])
    assert held_back(report) == {b"c": "on the host already, and different"}
    assert set(clone.on_host()) == {b"a", b"c"}


# -- claims


async def test_another_clone_is_refused_and_may_take_over(
    lab: Lab, apollo: Desk, tmp_path: Path
) -> None:
    apollo.write("a", "one")
    await apollo.push()
    async with desk(lab["apollo"], tmp_path / "other" / "project") as other:
        other.write("a", "two")
        for dry_run in (False, True):
            with pytest.raises(HostError, match=r"another clone pushes to .*: .*/project") as found:
                await other.push(dry_run=dry_run)
            assert "--take-over" in found.value.hint
        await other.push(take_over=True, dry_run=True)
        assert apollo.on_host()[b"a"].content == b"one"
        report = await other.push(take_over=True)
        # It is the same machine, so it remembers what igor wrote.
        assert sent(report) == [b"a"]
        await other.push()
        with pytest.raises(HostError, match="another clone pushes to"):
            await apollo.push()


async def test_two_pushes_at_once_come_one_after_the_other(apollo: Desk) -> None:
    for number in range(300):
        apollo.write(f"f{number}", str(number))
    reports = await asyncio.gather(*(apollo.push() for _ in range(4)))
    assert sorted(len(report.sent) for report in reports) == [0, 0, 0, 300]
    await assert_is_settled(apollo)


async def test_what_was_made_since_an_older_scan_is_not_deleted_by_it(clone: Desk) -> None:
    clone.write("a", "1")
    older = clone.scan()
    clone.write("b", "2")
    await clone.push()
    report = await clone.push_tree(older)
    assert report.outdated
    assert (report.sent, report.deleted) == ([], [])
    assert clone.on_host() == clone.local()


async def test_what_igor_wrote_is_known_after_the_agent_s_death(clone: Desk) -> None:
    clone.write("a", "one")
    clone.write("b", "one")
    await clone.push()
    clone.new_agent()
    clone.write("a", "two")
    (clone.root / "b").unlink()
    report = await clone.push()
    assert (sent(report), report.deleted) == ([b"a"], [b"b"])


async def test_without_its_manifest_igor_compares_by_content(clone: Desk, home: Path) -> None:
    clone.write("a", "one")
    clone.write("b", "one")
    await clone.push()
    clone.new_agent()
    for file in (home / "state/igor/manifests").iterdir():
        file.unlink()
    clone.write("b", "two")
    report = await clone.push()
    assert held_back(report) == {b"b": "on the host already, and different"}
    assert report.unchanged == 1


# -- files that change while they are sent


async def test_a_file_that_changes_while_it_is_sent_ends_right(apollo: Desk) -> None:
    path = apollo.write("a", os.urandom(5_000_000))
    apollo.write("b", "1")

    def change(done: int) -> None:
        if done > 1_000_000:
            path.write_bytes(b"changed %d" % done)

    apollo.person.on_progress = change
    report = await apollo.push()
    assert report.moving == [b"a"]
    apollo.person.on_progress = lambda done: None
    report = await apollo.push()
    assert (sent(report), report.held_back) == ([b"a"], [])
    await assert_is_settled(apollo)


async def test_a_file_that_changed_since_it_was_listed_ends_right(clone: Desk) -> None:
    clone.write("a", "one")
    clone.write("gone", "one")
    tree = clone.scan()
    clone.write("a", "three")
    (clone.root / "gone").unlink()
    report = await clone.push_tree(tree)
    assert set(report.moving) == {b"a", b"gone"}
    report = await clone.push()
    assert report.held_back == []
    assert {path: e.content for path, e in clone.on_host().items()} == {b"a": b"three"}
    await assert_is_settled(clone)


async def test_a_file_that_became_a_folder_since_it_was_listed_ends_right(clone: Desk) -> None:
    clone.write("a", "one")
    tree = clone.scan()
    (clone.root / "a").unlink()
    clone.write("a/b", "two")
    await clone.push_tree(tree)
    await clone.push()
    await assert_is_settled(clone)
    assert set(clone.on_host()) == {b"a/b"}


async def test_what_can_t_be_looked_at_here_is_not_deleted_there(clone: Desk) -> None:
    clone.write("a/b", "one")
    clone.write("c", "one")
    await clone.push()
    tree = clone.scan()
    files = {path: file for path, file in tree.files.items() if path == b"c"}
    report = await clone.push_tree(replace(tree, files=files, unreadable=(b"a",)))
    assert report.deleted == []
    assert set(clone.on_host()) == {b"a/b", b"c"}


async def test_a_file_that_can_t_be_written_there_is_named_and_the_others_go(clone: Desk) -> None:
    clone.write("locked/a", "one")
    await clone.push()
    clone.sh_there("chmod 555 locked")
    clone.write("locked/a", "two")
    clone.write("locked/new", "two")
    clone.write("b", "two")
    report = await clone.push()
    assert sent(report) == [b"b"]
    assert held_back(report) == dict.fromkeys(
        (b"locked/a", b"locked/new"), "can't be written on the host: Permission denied"
    )
    (clone.root / "locked/a").unlink()
    (clone.root / "locked/new").unlink()
    report = await clone.push()
    assert held_back(report) == {b"locked/a": "can't be deleted on the host: Permission denied"}
    clone.sh_there("chmod 755 locked")
    assert (await clone.push()).deleted == [b"locked/a"]
    await assert_is_settled(clone)
