"""The verbs: what a user asks for, each a recipe that reads aloud."""

from collections.abc import Awaitable, Callable

from igor_core.errors import UsageError
from igor_core.events import Outcome
from igor_core.verbs.attach import attach
from igor_core.verbs.build import build
from igor_core.verbs.clean import clean
from igor_core.verbs.debug import debug
from igor_core.verbs.debug.editor_files import vimspector, vscode
from igor_core.verbs.diff import diff
from igor_core.verbs.doctor import doctor
from igor_core.verbs.exec import execute
from igor_core.verbs.locate import locate
from igor_core.verbs.processes import processes
from igor_core.verbs.read import read_file
from igor_core.verbs.repl import repl
from igor_core.verbs.run import run_file
from igor_core.verbs.setup import setup
from igor_core.verbs.stack import stack
from igor_core.verbs.state.context import Context
from igor_core.verbs.status import status
from igor_core.verbs.steps.pusher import push
from igor_core.verbs.steps.request import Job
from igor_core.verbs.trust import trust
from igor_core.verbs.watch import watch

Verb = Callable[[Job, Context], Awaitable[Outcome]]

VERBS: dict[str, Verb] = {
    "push": push,
    "build": build,
    "setup": setup,
    "clean": clean,
    "exec": execute,
    "run": run_file,
    "repl": repl,
    "debug": debug,
    "vimspector": vimspector,
    "vscode": vscode,
    "diff": diff,
    "trust": trust,
    "status": status,
    "stack": stack,
    "attach": attach,
    "processes": processes,
    "doctor": doctor,
    "watch": watch,
    "locate": locate,
    "read": read_file,
}


async def run(job: Job, context: Context) -> Outcome:
    """Run the verb that the job names. Raises IgorError."""
    verb = VERBS.get(job.verb)
    if verb is None:
        raise UsageError(f"no such verb: {job.verb}", f"there are: {', '.join(sorted(VERBS))}")
    return await verb(job, context)
