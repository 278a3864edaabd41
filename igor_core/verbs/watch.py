"""watch: tell an editor how fresh the hosts are, for as long as it is there."""

import asyncio

from igor_core.events import Outcome
from igor_core.verbs.context import Context
from igor_core.verbs.followed import Watcher
from igor_core.verbs.job import Job, choice

# So often at most.
PAUSE_SECONDS = 0.1


async def watch(job: Job, context: Context) -> Outcome:
    """The first event comes at once, the others when something has changed. Ends by cancel."""
    changed = asyncio.Event()
    watcher = Watcher(choice(job, "push_on_write"), job.env, changed.set)
    with context.saves.watching(job.root, watcher) as followed:
        told = None
        while True:
            news = followed.news()
            if news != told:
                job.emit(news)
                told = news
            await asyncio.sleep(PAUSE_SECONDS)
            await changed.wait()
            changed.clear()
