"""Looking at the Python processes of a project on a host, without touching them."""

import asyncio
from collections.abc import Sequence

from igor_core.container.engine_errors import engine_error, last_line
from igor_core.container.exec import exec_command
from igor_core.container.inspection import inspect
from igor_core.debug.launch import NO_PYTHON
from igor_core.debug.processes.model import ProbeResult, probe_result
from igor_core.debug.processes.probe import PROBE, probe_words
from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.ssh.process import Completed
from igor_core.verbs.steps.container import spec_for
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.targets import Target

SECONDS = 60.0
DENIED = frozenset({"user", "yama", "denied"})


async def look_at(
    target: Target,
    paths: HostPaths,
    *,
    pids: Sequence[int] | None = None,
    stacks: bool = False,
    means: bool = False,
) -> ProbeResult:
    """The processes in the project's container, or the user's in its folder on the host.

    Raises HostError where nothing can be looked at.
    """
    tree = paths.tree if target.runtime is None else None
    words = probe_words(tree=tree, pids=pids, stacks=stacks, means=means)
    look = await _look(target, paths, words)
    denied = [process.pid for process in look.processes if process.problem in DENIED]
    if denied and look.root_may and look.uid != 0 and target.runtime is not None:
        # The config has given the container what only its root can use.
        target.step("reads the rest as root of the container, by its SYS_PTRACE")
        words = probe_words(tree=None, pids=denied, stacks=stacks)
        look = look.completed_by(await _look(target, paths, words, user="0"))
    return look


async def _look(
    target: Target, paths: HostPaths, words: Sequence[str], user: str = ""
) -> ProbeResult:
    argv = python_for(target).runs(words)
    spec = spec_for(target, paths)
    if target.runtime is not None:
        argv = target.runtime.exec(spec.owner.container, argv, user=user)
    command = exec_command(None, spec, argv)
    done = await _run(target, command.argv, command.cwd if target.runtime is None else "")
    if done.status != 0:
        raise await _not_looked(target, paths, done)
    try:
        return probe_result(done.stdout)
    except ValueError as error:
        said = last_line(done.stdout[-4000:].decode("utf-8", "replace"))
        raise HostError(
            f"{target.name}: the Python there said something else ({error}): {said[-200:]}"
        ) from None


async def _run(target: Target, argv: Sequence[str], cwd: str) -> Completed:
    running = target.remote.run(argv, input=PROBE.payload, cwd=cwd)
    try:
        return await asyncio.wait_for(running, SECONDS)
    except asyncio.TimeoutError:
        raise HostError(f"{target.name} did not answer within {SECONDS:.0f} s") from None


async def _not_looked(target: Target, paths: HostPaths, done: Completed) -> HostError:
    said = done.stderr.decode("utf-8", "replace")
    where = "on" if target.runtime is None else "in the container on"
    if target.runtime is not None:
        found = await inspect(target.remote, target.runtime, spec_for(target, paths).owner)
        if found.container is None or found.container.status != "running":
            return HostError(
                f"no container of this project runs on {target.name}", "igor docker setup"
            )
        if done.status in (125, 126):
            return engine_error(target.runtime, done.status, said)
    if done.status == NO_PYTHON:
        return HostError(
            f"{where} {target.name}: {last_line(said)}",
            'name one that is there in the config: "debug": {"python": "…"}',
        )
    return HostError(f"{where} {target.name}: Python ended with {done.status}: {last_line(said)}")
