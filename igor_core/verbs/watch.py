"""watch: tell an editor how fresh the hosts are, while it is connected."""

import asyncio
import contextlib
import time
from collections import deque

from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.state.editor_project import EditorProject, Watcher
from igor_core.verbs.steps.request import Job, choice

# While changes are on their way, at most BURST events in BURST_SECONDS: an editor hears of a save
# and its acknowledgement when they happen, and a storm of saves costs it little.
BURST = 4
BURST_SECONDS = 0.4


async def watch(job: Job, context: Context) -> Outcome:
    """Send the first event at once, the others when something changes. Ends when cancelled."""
    changed = asyncio.Event()
    watcher = Watcher(choice(job, "push_on_write"), job.env, changed.set)
    told: deque[float] = deque(maxlen=BURST)
    with context.saves.watching(job.root, watcher) as followed:
        last = None
        while True:
            news = followed.news()
            if news != last:
                job.emit(news)
                last = news
                told.append(time.monotonic())
            await changed.wait()
            if len(told) == BURST:
                await _pause(changed, followed, told[0] + BURST_SECONDS)
            changed.clear()


async def _pause(changed: asyncio.Event, followed: EditorProject, until: float) -> None:
    """Wait until that time, or until no changes are on their way any more."""
    while followed.busy and (left := until - time.monotonic()) > 0:
        changed.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(changed.wait(), left)
