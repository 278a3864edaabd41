"""watch: tell an editor how fresh the hosts are, for as long as it is there."""

import asyncio
import contextlib
import time
from collections import deque

from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.state.editor_project import EditorProject, Watcher
from igor_core.verbs.steps.request import Job, choice

# So many events at once, and while something is on its way no more than these in so many seconds:
# a save and its acknowledgement are told when they happen, a storm of saves costs an editor little.
BURST = 4
BURST_SECONDS = 0.4


async def watch(job: Job, context: Context) -> Outcome:
    """The first event comes at once, the others when something has changed. Ends by cancel."""
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
    """Wait until then, or until nothing is on its way any more."""
    while followed.busy and (left := until - time.monotonic()) > 0:
        changed.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(changed.wait(), left)
