"""setup: push, build if needed, and have the container run with the code mounted."""

import asyncio

from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.container import image_lock, prepare, pushed, set_up
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def setup(job: Job, context: Context) -> Outcome:
    """On each host: push, build if needed, and have the container run with the code mounted."""
    targets = targets_of(job, context)
    pusher = Pusher(job, context, targets[0])

    async def on(target: Target) -> Done:
        environment = await target.connect()
        if environment.container is None:
            renewing = environment.renew_helper_files()
            said, _ = await asyncio.gather(pushed(target, pusher), renewing)
            return Done(said)
        site = await prepare(target, pusher)
        async with image_lock(target, site.environment, context):
            return Done(await set_up(site))

    return await each(targets, on)
