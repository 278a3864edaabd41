"""An interrupted push: nothing half-written is visible, and the next push repairs it."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from igor_core.errors import HostError, IgorError
from igor_core.paths import HostPaths
from igor_core.push.report import PushOptions
from igor_core.ssh.login import Login
from tests.lab import Host, Lab
from tests.lab.command import run
from tests.support.pushing import Desk, desk, ready, receivers
from tests.support.waiting import wait_until

BIG = 60_000_000

#: A path and the hash of a content that it had.
Version = tuple[bytes, bytes]


@pytest.fixture
async def apollo(lab: Lab, ssh_home: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    """A clone that is pushed via rsync."""
    host = lab["apollo"]
    host.run(["rm", "-rf", "dev", "full"], check=True)
    async with desk(host, tmp_path / "project", transport="rsync") as made:
        yield made


@pytest.fixture
async def waiting(lab: Lab, ssh_home: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    """A clone that is pushed via a receiver."""
    host = lab["apollo"]
    host.run(["rm", "-rf", "dev", "full"], check=True)
    async with desk(host, tmp_path / "project") as made:
        yield made


@pytest.fixture
async def pythonless(pythonless_host: Host, ssh_home: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    pythonless_host.run(["rm", "-rf", "dev"], check=True)
    async with desk(pythonless_host, tmp_path / "project") as made:
        yield made


def as_root(host: Host, argv: list[str]) -> None:
    run(host._machine.enter(argv))


def local_rsyncs() -> list[int]:
    """Return the rsyncs that this process has started, without their `-e` programs."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [pid for file in children for pid in file.read_text().split()]
    return [int(pid) for pid in pids if _name(pid) == "rsync"]


def _name(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""  # it has ended


def kill(pids: list[int]) -> None:
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def kill_local_rsync(clone: Desk) -> None:
    kill(local_rsyncs())


def kill_rsync_there(clone: Desk) -> None:
    kill(clone.lab_host.pids("rsync"))


def kill_receivers(clone: Desk) -> None:
    kill(receivers(clone))


def kill_sshd(clone: Desk) -> None:
    clone.lab_host.kill_sshd()


def cut(clone: Desk) -> None:
    clone.lab_host.cut()


FAULTS = [kill_local_rsync, kill_rsync_there, kill_sshd]


async def pushed_first(clone: Desk) -> set[Version]:
    clone.write("small", "old")
    clone.write("old", b"old" * 100)
    await clone.push()
    return versions(clone)


async def broken_off(clone: Desk, fault: Callable[[Desk], None], whole: set[Version]) -> IgorError:
    """Push an old and a new big file, and let `fault` interrupt it in the middle.

    `whole` are the versions of files that may be on the host; those of this push are added.
    """
    clone.write("old", os.urandom(BIG))
    clone.write("new", os.urandom(BIG))
    clone.write("small", os.urandom(3))
    whole |= versions(clone)
    pushing = asyncio.ensure_future(clone.push())
    await half_written(clone)
    fault(clone)
    with pytest.raises(HostError) as error:
        await pushing
    seen = {(path, digest(entry.content)) for path, entry in clone.on_host().items()}
    assert seen <= whole, "something half-written is in the tree"
    return error.value


def versions(clone: Desk) -> set[Version]:
    return {(path, digest(entry.content)) for path, entry in clone.local().items()}


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


async def half_written(clone: Desk) -> None:
    """Wait until a big file is partly on the host, as far as its folder for temp files shows."""
    temporary = clone.lab_host.path(clone.paths.temporary)
    before = set(temporary.iterdir()) if temporary.exists() else set()

    def is_half_there() -> bool:
        try:
            new = set(temporary.iterdir()) - before
            return any(path.stat().st_size > BIG // 10 for path in new)
        except OSError:
            return False

    await asyncio.to_thread(wait_until, is_half_there)


async def assert_heals(clone: Desk) -> None:
    report = await clone.push()
    assert (report.held_back, report.moving) == ([], [])
    # An assert on the contents themselves would print them.
    there, here = clone.on_host(), clone.local()
    assert set(there) == set(here)
    assert all(there[path] == entry for path, entry in here.items())
    assert (await clone.push()).sent == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_push_that_is_broken_off_heals(apollo: Desk, fault: Callable[[Desk], None]) -> None:
    error = await broken_off(apollo, fault, await pushed_first(apollo))
    assert "apollo" in error.message
    apollo.lab_host.heal()
    await assert_heals(apollo)


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_same_without_python3(pythonless: Desk, fault: Callable[[Desk], None]) -> None:
    await broken_off(pythonless, fault, await pushed_first(pythonless))
    pythonless.lab_host.heal()
    await assert_heals(pythonless)


async def test_a_cut_cable_is_noticed_and_the_next_push_heals(apollo: Desk) -> None:
    before = await pushed_first(apollo)
    error = await asyncio.wait_for(broken_off(apollo, cut, before), 60)
    assert error.message == "the connection to apollo was lost during the push"
    apollo.lab_host.mend()
    await assert_heals(apollo)


async def test_a_push_by_a_receiver_that_is_broken_off_heals(waiting: Desk) -> None:
    error = await broken_off(waiting, kill_sshd, await pushed_first(waiting))
    assert error.message == "the connection to apollo was lost during the push"
    waiting.lab_host.heal()
    await assert_heals(waiting)


async def test_a_receiver_s_cable_that_is_cut_is_noticed(waiting: Desk) -> None:
    before = await pushed_first(waiting)
    error = await asyncio.wait_for(broken_off(waiting, cut, before), 60)
    assert error.message == "the connection to apollo was lost during the push"
    waiting.lab_host.mend()
    await assert_heals(waiting)


async def test_a_receiver_that_dies_is_replaced_and_the_push_goes_on(waiting: Desk) -> None:
    await pushed_first(waiting)
    waiting.write("old", os.urandom(BIG))
    waiting.write("new", os.urandom(BIG))
    pushing = asyncio.ensure_future(waiting.push())
    await half_written(waiting)
    kill_receivers(waiting)
    report = await pushing
    assert report.held_back == []
    assert waiting.remote.state == "connected"
    await assert_heals(waiting)
    temporary = waiting.lab_host.path(waiting.paths.temporary)
    assert list(temporary.iterdir()) == []


async def test_a_save_whose_receiver_dies_arrives_all_the_same(waiting: Desk) -> None:
    await pushed_first(waiting)
    waiting.write("small", "new")
    kill_receivers(waiting)
    report = await waiting.save("small")
    assert [file.path for file in report.sent] in ([b"small"], [])
    assert not waiting.host_tree.verified
    await assert_heals(waiting)
    assert waiting.host_tree.verified


async def test_saves_that_nobody_answered_are_no_conflict_later(waiting: Desk) -> None:
    await pushed_first(waiting)
    for content in ("second", "third!"):
        stopped = receivers(waiting)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        waiting.write("small", content)
        saving = asyncio.ensure_future(waiting.save("small"))
        await asyncio.sleep(0.1)
        waiting.lab_host.kill_sshd()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        with pytest.raises(HostError):
            await saving
        waiting.lab_host.heal()
        waiting.new_agent()
        await assert_heals(waiting)


async def test_a_cancelled_push_by_a_receiver_leaves_nothing_half_written(waiting: Desk) -> None:
    waiting.write("new", os.urandom(BIG))
    task = asyncio.ensure_future(waiting.push())
    await half_written(waiting)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    temporary = waiting.lab_host.path(waiting.paths.temporary)
    await asyncio.to_thread(wait_until, lambda: list(temporary.iterdir()) == [])
    assert set(waiting.on_host()) == set()
    await assert_heals(waiting)


async def test_a_python3_that_breaks_later_is_replaced_by_rsync_and_said_once(
    waiting: Desk,
) -> None:
    waiting.write("a", "1")
    assert (await waiting.push()).notice == ""
    there = waiting.lab_host.path("/usr/bin/python3")
    there.rename(there.with_name("python3.away"))
    try:
        for number in range(3):
            waiting.write("a", f"content {number}")
            if number < 2:
                waiting.remote.close()
                await asyncio.to_thread(wait_until, lambda: not waiting.host_tree.opened)
            await waiting.remote.connect(Login())
            tree = waiting.scan()
            report = await waiting.host_tree.push(ready(tree), PushOptions(), waiting.person)
            assert [file.path for file in report.sent] == [b"a"]
            assert ("using rsync" in report.notice) == (number == 0)
        waiting.write("a", "a save")
        assert [file.path for file in (await waiting.save("a")).sent] == [b"a"]
    finally:
        there.with_name("python3.away").rename(there)


async def test_what_changed_since_the_breaks_is_no_conflict(apollo: Desk) -> None:
    """Interrupt three pushes, each with other content: all files on the host are igor's."""
    whole = await pushed_first(apollo)
    for fault in FAULTS:
        await broken_off(apollo, fault, whole)
        apollo.lab_host.heal()
        apollo.new_agent()
    apollo.write("new", "third")
    apollo.remove("old")
    await assert_heals(apollo)


async def test_a_cancelled_push_ends_rsync_on_both_sides(apollo: Desk) -> None:
    apollo.write("new", os.urandom(BIG))
    task = asyncio.ensure_future(apollo.push())
    await half_written(apollo)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(
        wait_until, lambda: not local_rsyncs() and not apollo.lab_host.pids("rsync")
    )
    assert set(apollo.on_host()) == set()
    await assert_heals(apollo)


@pytest.mark.parametrize("transport", ["receiver", "rsync"])
async def test_a_full_disk_is_one_sentence(apollo: Desk, transport: str) -> None:
    apollo.transport = transport
    machine = apollo.lab_host
    folder = f"/run/user/{machine.uid}/full"
    machine.run(["mkdir", "-p", folder], check=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size=20m,uid={machine.uid}", "full", folder]
    as_root(machine, mount)
    try:
        apollo.paths = HostPaths.of(folder, machine.home, "project")
        apollo.write("a", "fits")
        await apollo.push()
        apollo.write("a", "two")
        apollo.write("big", os.urandom(BIG))
        with pytest.raises(HostError) as error:
            await apollo.push()
        said = "rsync failed: " if transport == "rsync" else ""
        assert error.value.message == f"apollo: {said}No space left on device"
        assert error.value.hint == "free space on that file system"
        assert b"big" not in apollo.on_host()
        apollo.remove("big")
        await assert_heals(apollo)
    finally:
        # A receiver that still waits has its folder open.
        as_root(machine, ["umount", "--lazy", folder])


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("/etc/igor", "mkdir: cannot create directory '/etc/igor': Permission denied"),
        ("/etc/passwd", "mkdir: cannot create directory '/etc/passwd': File exists"),
        ("/proc/igor", "mkdir: cannot create directory '/proc/igor': No such file or directory"),
    ],
)
async def test_a_folder_that_can_t_be_made_is_one_sentence(
    apollo: Desk, folder: str, message: str
) -> None:
    apollo.write("a")
    apollo.paths = HostPaths.of(folder, "", "project")
    with pytest.raises(HostError) as error:
        await apollo.push()
    assert error.value.message == f"apollo: {message}"
    if "Permission" in message:
        assert error.value.hint == 'does "dir" in the config name a folder that you may write?'


async def test_a_host_without_rsync_is_one_sentence(apollo: Desk) -> None:
    await is_one_sentence_without_rsync(apollo)


async def test_a_host_with_neither_python3_nor_rsync_is_one_sentence(pythonless: Desk) -> None:
    await is_one_sentence_without_rsync(pythonless)


async def is_one_sentence_without_rsync(clone: Desk) -> None:
    clone.write("a")
    there = clone.lab_host.path("/usr/bin/rsync")
    there.rename(there.with_name("rsync.away"))
    try:
        with pytest.raises(HostError) as error:
            await clone.push()
    finally:
        there.with_name("rsync.away").rename(there)
    assert error.value.message == f"{clone.lab_host.name} has no rsync"
    await assert_heals(clone)


async def test_a_find_that_is_not_gnu_s_is_refused_before_anything_is_done(apollo: Desk) -> None:
    apollo.write("a", "ours")
    apollo.write_there("a", "theirs")
    there = apollo.lab_host.path("/usr/bin/find")
    there.rename(there.with_name("find.away"))
    there.write_text("#!/bin/sh\necho 'find: unrecognized: -printf' >&2; exit 1\n")
    there.chmod(0o755)
    try:
        with pytest.raises(HostError, match="needs GNU find"):
            await apollo.push()
    finally:
        there.with_name("find.away").rename(there)
    assert apollo.on_host()[b"a"].content == b"theirs"


async def test_a_shell_that_talks_confuses_no_survey(pythonless: Desk) -> None:
    pythonless.write("a", "1")
    await pythonless.push()
    rc = pythonless.lab_host.path(".bashrc")
    before = rc.read_bytes()
    rc.write_bytes(b"echo 'Welcome to the machine'; printf 'tree\\0x\\0'\n" + before)
    try:
        assert (await pythonless.push()).unchanged == 1
    finally:
        rc.write_bytes(before)


async def test_what_a_crash_left_is_swept_after_an_hour(apollo: Desk) -> None:
    apollo.write("a", "1")
    await apollo.push()
    # Names as rsync makes them, except for one: igor must not remove that.
    apollo.sh_there(
        "cd ../.igor-host/tmp/project && touch .young.aB3dE6 && "
        "touch -d '2 hours ago' .old.aB3dE6 somebodys"
    )
    await apollo.push()
    left = apollo.lab_host.path("dev/.igor-host/tmp/project").iterdir()
    assert sorted(path.name for path in left) == [".young.aB3dE6", "somebodys"]


async def test_without_rsync_here_it_is_one_sentence(
    apollo: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    apollo.write("a")
    tree = apollo.scan()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(IgorError, match="rsync is not installed on this machine"):
        await apollo.push_tree(tree)


async def test_a_chmod_that_was_lost_with_its_connection_is_made_up_for(waiting: Desk) -> None:
    await pushed_first(waiting)
    script = waiting.write("run.sh", "#!/bin/sh\n")
    await waiting.push()
    stopped = receivers(waiting)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    script.chmod(0o755)
    saving = asyncio.ensure_future(waiting.save("run.sh"))
    await asyncio.sleep(0.1)
    kill(stopped)
    waiting.lab_host.kill_sshd()
    with pytest.raises(HostError):
        await saving
    waiting.lab_host.heal()
    await assert_heals(waiting)
