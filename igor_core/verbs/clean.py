"""clean: remove the project's containers from the hosts."""

from igor_core.container.container import clean as clean_host
from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.container import needs_runtime, owner, turn
from igor_core.verbs.steps.request import Job, flag
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def clean(job: Job, context: Context) -> Outcome:
    """On each host: remove this project's containers of the group, and say which."""
    targets = targets_of(job, context)
    needs_runtime(targets[0])

    async def on(target: Target) -> Done:
        await target.connect()
        assert target.runtime is not None
        async with turn(target, context):
            done = await clean_host(
                target.remote, target.runtime, owner(target), images=flag(job, "images")
            )
        for name, reason in done.kept:
            target.warn(f"{name} was not removed: {reason}")
        removed = [*done.containers, *done.images]
        return Done(f"removed {', '.join(removed)}" if removed else "nothing to remove")

    return await each(targets, on)
