"""clean: remove the project's containers from the hosts."""

from igor_core.container.container import clean as clean_host
from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.container import container_of, image_lock
from igor_core.verbs.steps.request import Job, flag
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def clean(job: Job, context: Context) -> Outcome:
    """On each host: remove this project's containers of the group, and say which."""
    targets = targets_of(job, context)
    container_of(targets[0].environment(), job)

    async def on(target: Target) -> Done:
        environment = container_of(await target.connect(), job)
        async with image_lock(target, environment, context):
            done = await clean_host(
                target.remote, environment.runtime, environment.owner, images=flag(job, "images")
            )
        for name, reason in done.kept:
            target.warn(f"{name} was not removed: {reason}")
        removed = [*done.containers, *done.images]
        return Done(f"removed {', '.join(removed)}" if removed else "nothing to remove")

    return await each(targets, on)
