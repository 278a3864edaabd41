"""debug: run a program of the project under debugpy, behind a local port.

With several hosts the chosen ranks are debugged; on the others the program just runs.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import Any

from igor_core.errors import OWN_FAILURE, UsageError
from igor_core.events import Outcome
from igor_core.verbs.debug.program import DebugTarget, needed_files, program_of
from igor_core.verbs.debug.session import Debugged
from igor_core.verbs.debug.start import attach_again, debug_on
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.prepare import make_ready
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.request import Job, flag
from igor_core.verbs.steps.run_command import run_command
from igor_core.verbs.steps.targets import Done, Target, each, targets_of


async def debug(job: Job, context: Context) -> Outcome:
    """Bring the hosts up to date, start the program and follow it to its end."""
    targets = targets_of(job, context)
    stopped = asyncio.Event()
    debugged = _ranks(job, targets, stopped)
    if flag(job, "reattach"):

        async def again(target: Target) -> Done:
            return await attach_again(debugged[target.name], context)

        return await each([rank.target for rank in debugged.values()], again, failure=OWN_FAILURE)
    program = program_of(job, targets[0].project)
    pusher = Pusher(job, context, targets[0])

    async def on(target: Target) -> Done:
        if target.name in debugged:
            return await debug_on(debugged[target.name], context, pusher, program)
        return await _beside(_run_plain(target, context, pusher, program), stopped)

    return await each(targets, on, failure=OWN_FAILURE)


def _ranks(job: Job, targets: Sequence[Target], stopped: asyncio.Event) -> dict[str, Debugged]:
    """The hosts whose programs are debugged, by name; a rank is a host's place in its group."""
    group = targets[0].project.config.group(targets[0].group)
    ranks = {target.name: group.hosts.index(target.entry) for target in targets}
    chosen = job.args.get("ranks")
    if chosen is None:
        chosen = [min(ranks.values())]
    if not isinstance(chosen, list) or not chosen or set(chosen) - set(ranks.values()):
        known = ", ".join(f"{rank} ({name})" for name, rank in ranks.items())
        raise UsageError(f"debug: 'ranks' must be some of {known}, not {chosen!r}")
    found = [target for target in targets if ranks[target.name] in chosen]
    has_company = len(found) < len(targets)
    return {target.name: Debugged(target, has_company, stopped) for target in found}


async def _beside(plain: Coroutine[Any, Any, Done], stopped: asyncio.Event) -> Done:
    """Run a program beside debugged ones; it might wait for ever for one that was ended early."""
    running = asyncio.ensure_future(plain)
    stopping = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await running
        return Done("ended with the debugged program", OWN_FAILURE, "ended")
    finally:
        stopping.cancel()
        if not running.done():
            running.cancel()
            await asyncio.wait([running])


async def _run_plain(
    target: Target, context: Context, pusher: Pusher, program: DebugTarget
) -> Done:
    words = needed_files(program)
    environment = await make_ready(target, context, pusher, words, setup=True)
    root = environment.root
    argv = python_for(target, program.python).runs(program.words(root))
    argv = environment.with_helpers(argv)
    if program.cwd:
        argv = ["sh", "-c", 'cd -- "$1" && shift && exec "$@"', "igor", program.folder(root), *argv]
    status = await run_command(target, environment.command(argv, env=program.env), None)
    await environment.check_was_not_lost(status)
    return Done.exited(status)
