"""Look at a project's Python processes on a host, without touching them."""

import asyncio
from collections.abc import Sequence

from igor_core.container.engine_errors import last_line
from igor_core.debug.processes.model import ProbeResult, probe_result
from igor_core.debug.processes.probe import PROBE, probe_words
from igor_core.environment import Environment
from igor_core.errors import HostError
from igor_core.project_python import HINT, NO_PYTHON
from igor_core.ssh.process import Completed
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.targets import Target

SECONDS = 60.0
DENIED = frozenset({"user", "yama", "denied"})


async def look_at(
    target: Target,
    environment: Environment,
    *,
    pids: Sequence[int] | None = None,
    stacks: bool = False,
    means: bool = False,
) -> ProbeResult:
    """Return the processes in the project's container, or the user's in its folder on the host.

    Raises HostError if no processes can be looked at.
    """
    tree = environment.process_folder
    words = probe_words(tree=tree, pids=pids, stacks=stacks, means=means)
    look = await _look(target, environment, words)
    denied = [process.pid for process in look.processes if process.problem in DENIED]
    if denied and look.root_may and look.uid != 0 and environment.superuser:
        # The config has given the container a right that only its root can use.
        target.step("reading the rest as container root (SYS_PTRACE)")
        words = probe_words(tree=tree, pids=denied, stacks=stacks)
        more = await _look(target, environment, words, user=environment.superuser)
        look = look.completed_by(more)
    return look


async def _look(
    target: Target, environment: Environment, words: Sequence[str], user: str = ""
) -> ProbeResult:
    argv = python_for(target).runs(words)
    running = environment.run(argv, input=PROBE.payload, user=user)
    try:
        done = await asyncio.wait_for(running, SECONDS)
    except asyncio.TimeoutError:
        raise HostError(f"{target.name} did not answer within {SECONDS:.0f} s") from None
    if done.status != 0:
        raise await _not_looked(environment, done)
    try:
        return probe_result(done.stdout)
    except ValueError as error:
        said = last_line(done.stdout[-4000:].decode("utf-8", "replace"))
        raise HostError(
            f"{target.name}: unexpected output from the host's Python ({error}): {said[-200:]}"
        ) from None


async def _not_looked(environment: Environment, done: Completed) -> HostError:
    if (error := await environment.why_not_begun(done)) is not None:
        return error
    where, said = environment.where, last_line(done.stderr.decode("utf-8", "replace"))
    if done.status == NO_PYTHON:
        return HostError(f"{where}: {said}", HINT)
    return HostError(f"{where}: Python ended with {done.status}: {said}")
