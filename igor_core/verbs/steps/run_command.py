"""Run a command in the project's environment, and pass on its output as it comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from igor_core.environment import Environment
from igor_core.errors import OWN_FAILURE, HostError
from igor_core.events import Outcome
from igor_core.ssh.process import Command, Process
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.prepare import how_it_ended, make_ready
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.request import flag
from igor_core.verbs.steps.targets import Done, Ended, Target, each

# How long to wait for the last output of a program that is being ended, and for a client that
# does not read.
LAST_WORDS_SECONDS = 10.0


UNREAD_SECONDS = 2.0


# Returns the command for a host that is ready for it, in the given environment.
Choose = Callable[[Target, Environment], Awaitable[Sequence[str]]]


async def run_on(
    targets: Sequence[Target],
    context: Context,
    pusher: Pusher,
    words: Sequence[str],
    choose: Choose,
) -> Outcome:
    """Make the hosts current, then run what `choose` says; `words` name the files it needs."""
    job = targets[0].job
    with_stdin = flag(job, "stdin") and len(targets) == 1

    async def on(target: Target) -> Done:
        environment = await make_ready(target, context, pusher, words, setup=flag(job, "setup"))
        command = environment.command(await choose(target, environment))
        stdin = job.stdin(target.name) if with_stdin else None
        status = await run_command(target, command, stdin)
        await environment.check_was_not_lost(status)
        return Done.exited(status)

    return await each(targets, on, failure=OWN_FAILURE)


async def run_command(target: Target, command: Command, stdin: AsyncIterator[bytes] | None) -> int:
    """Run it; return the exit status. Cancelling ends the command inside the container too."""
    async with target.remote.process(command) as process:
        feeding = asyncio.ensure_future(_feed(process, stdin))
        try:
            while (item := await process.read()) is not None:
                await target.job.output(target.name, *item)
        except asyncio.CancelledError:
            await asyncio.shield(_end(target, process))
            raise Ended(how_it_ended(target, process.ended)) from None
        finally:
            feeding.cancel()
    if process.lost:
        why = f": {target.remote.protocol_error}" if target.remote.protocol_error else ""
        raise HostError(
            f"the connection to {target.name} was lost while the command ran{why}",
            "the remote command will be killed within 30 s",
        )
    if process.error:
        raise HostError(f"{target.name}: {process.error}")
    return process.status


async def _end(target: Target, process: Process) -> None:
    """End the command, and show its last output: that it saved its state, or a traceback."""

    async def show() -> None:
        while (item := await process.read()) is not None:
            await asyncio.wait_for(target.job.output(target.name, *item), UNREAD_SECONDS)

    process.begin_end()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(show(), LAST_WORDS_SECONDS)
    await process.end()


async def _feed(process: Process, stdin: AsyncIterator[bytes] | None) -> None:
    if stdin is not None:
        async for data in stdin:
            await process.write(data)
    process.write_eof()
