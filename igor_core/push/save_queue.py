"""Saves through rsync, one at a time."""

import asyncio

from igor_core.push.report import PushReport
from igor_core.push.save import Save
from igor_core.push.transport.open_tree import OpenTree


class SaveQueue:
    """Joins the saves that come while a push runs into one, which starts after that push."""

    def __init__(self) -> None:
        self._waiting: Save | None = None
        self._task: asyncio.Future[PushReport] | None = None

    async def finish(self, save: Save, tree: OpenTree) -> PushReport:
        if self._waiting is None or self._task is None:
            self._waiting = save
            self._task = asyncio.ensure_future(self._run(tree))
        elif self._waiting is not save:
            self._waiting.join(save)
        return await asyncio.shield(self._task)

    async def _run(self, tree: OpenTree) -> PushReport:
        async with tree.in_flight.lock:
            save, self._waiting = self._waiting, None
            assert save is not None
            return await save.finish(tree)
