"""build: push, and build the image if what it is made from changed."""

from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.container import build_if_needed, container_of, image_lock, prepare
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def build(job: Job, context: Context) -> Outcome:
    """On each host: push, and build the image if what it is made from changed."""
    targets = targets_of(job, context)
    container_of(targets[0].environment(), job)
    pusher = Pusher(job, context, targets[0])

    async def on(target: Target) -> Done:
        site = await prepare(target, pusher)
        async with image_lock(target, site.environment, context):
            _inspection, text = await build_if_needed(site, await site.environment.inspect())
        return Done(text)

    return await each(targets, on)
