"""The verbs: what a user asks for, each a recipe that reads aloud."""

from collections.abc import Awaitable, Callable

from igor_core.errors import UsageError
from igor_core.events import Outcome
from igor_core.ssh.pool import Pool
from igor_core.verbs.job import Job

Verb = Callable[[Job, Pool], Awaitable[Outcome]]

VERBS: dict[str, Verb] = {}


async def run(job: Job, pool: Pool) -> Outcome:
    """Run the verb that the job names. Raises IgorError."""
    verb = VERBS.get(job.verb)
    if verb is None:
        raise UsageError(f"no such verb: {job.verb}", f"there are: {', '.join(sorted(VERBS))}")
    return await verb(job, pool)
