"""exec: run a command in the project's container on each host, with its output as it comes."""

from collections.abc import Sequence

from igor_core.environment import Environment
from igor_core.errors import UsageError
from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.request import Job, list_argument, shell_line, text_argument
from igor_core.verbs.steps.run_command import run_on
from igor_core.verbs.steps.targets import Target, targets_of


async def exec(job: Job, context: Context) -> Outcome:
    """Make the hosts current, then run. With a single host, its status is the job's."""
    argv = _argv(job)
    targets = targets_of(job, context)

    async def command(_target: Target, _environment: Environment) -> Sequence[str]:
        return argv

    return await run_on(targets, context, Pusher(job, context, targets[0]), argv, command)


def _argv(job: Job) -> Sequence[str]:
    line, argv = text_argument(job, "shell"), list_argument(job, "argv")
    if bool(line) == bool(argv):
        raise UsageError("exec: which command?", "igor docker exec python train.py")
    return shell_line(line) if line else argv
