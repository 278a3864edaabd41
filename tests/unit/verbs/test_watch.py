"""What an editor is told while hosts get its saves: news at once, and a storm in a few words."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from igor_core.verbs.state.context import Context
from igor_core.verbs.state.editor_project import Watcher
from igor_core.verbs.steps.request import Job
from igor_core.verbs.watch import watch


class Hosts:
    """A followed project, so many of whose hosts lack something; the verb is asked for it."""

    def __init__(self) -> None:
        self.late = 0
        self.told: list[int] = []
        self.watcher: Watcher | None = None

    @property
    def busy(self) -> bool:
        return self.late > 0

    def news(self) -> int:
        return self.late

    @contextlib.contextmanager
    def watching(self, _root: str, watcher: Watcher) -> Iterator["Hosts"]:
        self.watcher = watcher
        yield self

    async def change(self, late: int) -> None:
        self.late = late
        assert self.watcher
        self.watcher.changed()
        for _turn in range(10):
            await asyncio.sleep(0)

    async def start(self) -> "asyncio.Task[Any]":
        job = SimpleNamespace(root="/p", args={}, env={}, emit=self.told.append)
        context = SimpleNamespace(saves=self)
        task = asyncio.ensure_future(watch(cast(Job, job), cast(Context, context)))
        await asyncio.sleep(0)
        return task


@pytest.fixture
async def hosts(monkeypatch: pytest.MonkeyPatch) -> Any:
    # The function has the name of its module.
    monkeypatch.setattr(sys.modules[watch.__module__], "BURST_SECONDS", 3600.0)
    made = Hosts()
    task = await made.start()
    yield made
    task.cancel()


async def test_that_the_last_of_many_hosts_has_it_is_told_at_once(hosts: Hosts) -> None:
    for late in range(8, -1, -1):
        await hosts.change(late)
    assert hosts.told == [0, 8, 7, 6, 0]


async def test_a_storm_is_told_in_a_few_words(hosts: Hosts) -> None:
    for late in range(1, 100):
        await hosts.change(late)
    assert hosts.told == [0, 1, 2, 3]
    await hosts.change(0)
    assert hosts.told[-1] == 0
