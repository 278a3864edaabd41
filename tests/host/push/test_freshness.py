"""What a host lacks is never forgotten, and never reported as present."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from igor_core.config import find_project
from igor_core.errors import HostError, IgorError
from igor_core.push import save
from igor_core.push.manifest import Manifest
from igor_core.push.plan import Change, PlanInput
from igor_core.push.push import Push
from igor_core.push.report import Nobody, PushOptions, PushReport
from igor_core.push.sync import local_files
from igor_core.push.sync.clone import Clone
from igor_core.push.sync.host_sync import HostSync
from igor_core.push.sync.local_files import LocalFiles
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login
from igor_core.trust import revoke, trust
from igor_core.verbs.state.context import Context
from igor_core.verbs.state.editor_project import Watcher
from igor_core.worktree import changes
from igor_core.worktree.files import Tree
from tests.lab import Lab
from tests.support.pushing import Desk, desk

SECONDS = 60.0


@pytest.fixture
async def one(lab: Lab, ssh_home: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    """A git repository with one file, and an empty host."""
    host = lab["apollo"]
    host.run(["rm", "-rf", "dev"], check=True)
    async with desk(host, tmp_path / "project") as made:
        made.git("init", "-q")
        made.write("main.py", "first")
        yield made


def following(one: Desk, clone: Clone, where: str = "dir") -> HostSync:
    return clone.on(one.remote, (where,), lambda: one.host_tree)


async def pass_barrier(clone: Clone, host: HostSync) -> PushReport:
    return await host.reach(clone.scan(), PushOptions(), Nobody())


async def followed(one: Desk) -> tuple[Clone, HostSync]:
    clone = Clone(one.root)
    host = following(one, clone)
    host.follow({})
    await until(lambda: host.state == "fresh")
    return clone, host


async def until(is_true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def main_there(one: Desk) -> str:
    return (one.there / "main.py").read_text()


# -- the barrier


async def test_after_a_change_of_the_rules_the_barrier_compares_all(one: Desk) -> None:
    before = Clone(one.root)
    await pass_barrier(before, following(one, before))
    one.write("main.py", "by another program")
    before.close()
    after = Clone(one.root, exclude=["*.bin"])
    await pass_barrier(after, following(one, after))
    assert main_there(one) == "by another program"


async def test_a_tree_by_another_name_is_compared_anew(one: Desk) -> None:
    clone = Clone(one.root)
    await pass_barrier(clone, following(one, clone))
    one.write("main.py", "second")
    await clone.scan()
    await pass_barrier(clone, following(one, clone, "the same dir"))
    assert main_there(one) == "second"


async def test_a_push_of_an_older_tree_verifies_nothing(
    one: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = Clone(one.root)
    host = following(one, clone)
    await pass_barrier(clone, host)
    one.write("other.py")
    older, may_end, run = await clone.scan(), asyncio.Event(), Push.run

    async def slowly(push: Push, known: PlanInput) -> PushReport:
        report = await run(push, known)
        await may_end.wait()
        return report

    async def scanned() -> Tree:
        return older

    monkeypatch.setattr(Push, "run", slowly)
    scan = asyncio.ensure_future(scanned())
    pushing = asyncio.ensure_future(host.push(scan, PushOptions(), Nobody()))
    await until(lambda: (one.there / "other.py").exists())
    # More paths than are remembered one by one.
    monkeypatch.setattr(changes, "LIMIT", 1)
    one.write("main.py", "second")
    one.write("other.py", "second")
    await clone.scan()
    may_end.set()
    await pushing
    assert host.state == "stale"
    await pass_barrier(clone, host)
    assert main_there(one) == "second"


# -- saves


async def test_a_write_that_hides_behind_size_and_time_of_another_is_sent(
    one: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Makes files written within the last second racy.
    monkeypatch.setattr(local_files, "RACY_SECONDS", 1.0)
    clone, host = await followed(one)
    path, now = one.root / "main.py", time.time_ns()
    for content in ("one", "two"):
        path.write_text(content)
        os.utime(path, ns=(now, now))
        await clone.saved([b"main.py"])
    await until(lambda: host.state == "fresh" and main_there(one) == "two")
    path.write_text("six")
    os.utime(path, ns=(now, now))
    await until(lambda: main_there(one) == "six")
    host.unfollow()


async def test_an_intent_that_fails_keeps_nobody_waiting(
    one: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = Clone(one.root)
    host = following(one, clone)
    await pass_barrier(clone, host)
    one.write("main.py", "second")

    def full(*_records: object) -> None:
        raise IgorError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "intend", full)
        with pytest.raises(IgorError, match="no room"):
            await host.push(clone.scan(), PushOptions(), Nobody())
    await asyncio.wait_for(host.push(clone.scan(), PushOptions(), Nobody()), SECONDS)
    assert main_there(one) == "second"


async def test_a_host_is_followed_even_after_a_bug(
    one: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = Clone(one.root)
    host = following(one, clone)

    def broken(_files: LocalFiles) -> None:
        raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "scan", broken)
        host.follow({})
        await until(lambda: host.error)
    host.follow({})
    await until(lambda: host.state == "fresh")
    host.unfollow()


async def test_a_receiver_that_dies_with_a_save_is_replaced(one: Desk) -> None:
    clone, host = await followed(one)
    channel = await one.trees.receivers.channel(one.remote)
    one.write("main.py", "second")
    await clone.saved([b"main.py"])
    channel.close()
    await until(lambda: host.state == "fresh")
    assert main_there(one) == "second"
    host.unfollow()


async def test_a_save_that_fails_does_not_put_off_the_next_attempt(
    one: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, host = await followed(one)
    flight: asyncio.Future[PushReport] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(host.host_tree, "send", lambda changes: flight)
    one.write("main.py", "second")
    await clone.saved([b"main.py"])
    attempts: list[float] = []

    async def refuse(login: Login) -> None:
        attempts.append(time.monotonic())
        if not flight.done():
            flight.set_exception(HostError("lost"))
            await asyncio.sleep(0.05)
        raise HostError("refused")

    monkeypatch.setattr(RemoteHost, "state", "offline")
    monkeypatch.setattr(host.remote, "connect", refuse)
    # As after a lost connection: nothing is known for sure any more.
    host.compare_all(clone.files.tree.number + 1)
    await until(lambda: len(attempts) == 2)
    assert attempts[1] - attempts[0] < 5


async def test_what_fails_for_one_host_is_told_to_the_next(
    one: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, host = await followed(one)
    second = following(one, clone, "second")
    one.write("main.py", "second")

    def broken(_save: save.Save, _path: bytes, _in_flight: object) -> bool:
        raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(save.Save, "_may_leave", broken)
        await clone.saved([b"main.py"])
    assert set(host.backlog.behind) == set(second.backlog.behind) == {b"main.py"}
    await until(lambda: host.error)
    assert host.state == "stale"
    host.follow({})
    await until(lambda: host.state == "fresh")
    assert main_there(one) == "second"
    host.unfollow()


async def test_what_moves_while_it_is_sent_stays_behind(one: Desk) -> None:
    clone, host = await followed(one)

    def send(changes: Sequence[Change]) -> "asyncio.Future[PushReport]":
        return ended(PushReport("", moving=[change.path for change in changes]))

    host.host_tree.send = send  # type: ignore[method-assign]
    one.write("main.py", "second")
    await clone.saved([b"main.py"])
    await asyncio.sleep(0.02)
    assert set(host.backlog.behind) == {b"main.py"}
    host.unfollow()


def ended(report: PushReport) -> "asyncio.Future[PushReport]":
    future: asyncio.Future[PushReport] = asyncio.get_running_loop().create_future()
    future.set_result(report)
    return future


# -- editors


@pytest.fixture
async def context(one: Desk) -> AsyncIterator[Context]:
    """The context as in an agent; the project is trusted and pushes on write."""
    hosts = [{"host": one.remote.name, "dir": "~/dev"}]
    config = {"user": "lab", "push_on_write": True, "host_groups": {"dev": {"hosts": hosts}}}
    one.write(".igor/config.json", json.dumps(config))
    trust(find_project(one.root))
    made = Context()
    yield made
    made.close()


def only_host(one: Desk, context: Context) -> HostSync:
    project = find_project(one.root)
    return context.clones.host_sync(project, project.config.hosts()[0])


def editor() -> Watcher:
    return Watcher(None, {}, lambda: None)


async def test_a_new_file_that_an_editor_leaves_behind_is_sent(one: Desk, context: Context) -> None:
    host = only_host(one, context)
    for number in range(5):
        with context.saves.watching(str(one.root), editor()):
            await until(lambda: host.state == "fresh" and not context.saves.busy)
            name = f"new{number}.py"
            one.write(name, name)
            context.saves.saved(str(one.root), [name.encode()], {})
            # By now, git is asked about the file.
            await asyncio.sleep(0)
        await until((one.there / name).exists)


async def test_an_editor_that_comes_learns_what_changed_before(one: Desk, context: Context) -> None:
    host = only_host(one, context)
    with context.saves.watching(str(one.root), editor()):
        await until(lambda: host.state == "fresh" and not context.saves.busy)
    one.write("main.py", "while no editor was there")
    with context.saves.watching(str(one.root), editor()):
        await until(lambda: main_there(one) == "while no editor was there")


async def test_what_was_saved_without_trust_goes_with_the_trust(
    one: Desk, context: Context
) -> None:
    host, project = only_host(one, context), find_project(one.root)
    with context.saves.watching(str(one.root), editor()):
        await until(lambda: host.state == "fresh" and not context.saves.busy)
        revoke(project)
        context.saves.trust_changed(str(one.root))
        one.write("main.py", "without trust")
        context.saves.saved(str(one.root), [b"main.py"], {})
        await asyncio.sleep(0.2)
        assert main_there(one) == "first"
        trust(project)
        context.saves.trust_changed(str(one.root))
        await until(lambda: main_there(one) == "without trust")
