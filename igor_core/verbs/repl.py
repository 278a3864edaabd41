"""repl: run a program on a terminal in the project's container, while the client is connected."""

import asyncio
import shlex
from collections.abc import Sequence

from igor_core.environment import Environment
from igor_core.environment.kill_inside import ENDING_ON_TERMINAL
from igor_core.errors import OWN_FAILURE, HostError, UsageError
from igor_core.events import Outcome
from igor_core.ssh.process import LOST, Command, Process
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps import tmux_session
from igor_core.verbs.steps.prepare import make_ready, say_how_it_ended
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.request import (
    ClientStream,
    Job,
    flag,
    list_argument,
    shell_line,
    text_argument,
)
from igor_core.verbs.steps.targets import Done, Target, each, targets_of
from igor_core.verbs.steps.terminal import Screen, screen_of


async def repl(job: Job, context: Context) -> Outcome:
    """Make one host current, then give it the client's terminal. Ends with the client.

    With `end`, only end the session that `repl_persist` keeps on the host.
    """
    target = _only(targets_of(job, context))
    argv = _argv(target)
    if flag(job, "end"):
        return await each(
            [target], lambda target: tmux_session.end(target, argv), failure=OWN_FAILURE
        )
    screen = screen_of(job)
    pusher = Pusher(job, context, target)

    async def on(target: Target) -> Done:
        environment = await make_ready(target, context, pusher, argv, setup=True)
        is_persistent = target.project.config.repl_persist
        choose = _persistent_command if is_persistent else _command
        status = await _converse(target, await choose(target, environment, argv, screen))
        if not is_persistent:
            await environment.check_was_not_lost(status)
        # A program on a terminal has itself shown how it ended.
        return Done("", status, "done")

    return await each([target], on, failure=OWN_FAILURE)


async def _command(
    target: Target, environment: Environment, argv: Sequence[str], screen: Screen
) -> Command:
    """Return the command; it runs under the supervisor, whose loss ends the program."""
    program = environment.on_terminal(argv or [await _default(target, environment)], screen.window)
    return environment.command(
        program, window=screen.window, env=screen.env, signals=ENDING_ON_TERMINAL
    )


async def _persistent_command(
    target: Target, environment: Environment, argv: Sequence[str], screen: Screen
) -> Command:
    session = tmux_session.session_of(environment, argv)
    if await tmux_session.is_there(target, session):
        target.step("attaching to the running session")
        return tmux_session.attached(session, screen)
    program = argv or [await _default(target, environment)]
    tmux_session.say_how_to_end(target, argv)
    return await tmux_session.started(environment, session, program, screen)


def _only(targets: Sequence[Target]) -> Target:
    if len(targets) > 1:
        names = ", ".join(target.name for target in targets)
        raise UsageError(
            f"a REPL runs on one host, and the group '{targets[0].group}' has {names}",
            f"name one: igor docker repl --host {targets[0].entry.host} …",
        )
    return targets[0]


def _argv(target: Target) -> Sequence[str]:
    """Return the program of the command line, else of the config; empty for the default."""
    line, argv = text_argument(target.job, "shell"), list_argument(target.job, "argv")
    if line and argv:
        raise UsageError("repl: 'argv' and 'shell' at once")
    if line or argv:
        return shell_line(line) if line else argv
    configured = target.project.config.repl_cmd or ""
    try:
        return shlex.split(configured)
    except ValueError as error:
        raise UsageError(
            f"{target.project.config_file}: repl_cmd: {error}; found {configured!r}",
            "its words are split as by a shell",
        ) from None


async def _default(target: Target, environment: Environment) -> str:
    """Return IPython if there is one, else Python; tell the user which."""
    try:
        found = await environment.find_python("ipython")
    except HostError as error:
        raise HostError(
            error.message, 'name a command: igor docker repl bash, or set "repl_cmd" in the config'
        ) from None
    target.step(f"runs {found}")
    return found


async def _converse(target: Target, command: Command) -> int:
    """Pass bytes both ways; return the exit status. Cancelling ends it in the container too."""
    async with target.remote.process(command) as process:
        stream = target.job.open(target.name, process)
        typing = asyncio.ensure_future(_pass_on(stream, process))
        try:
            while (item := await process.read()) is not None:
                await stream.write(item[1])
        except asyncio.CancelledError:
            await asyncio.shield(process.end())
            stream.close(process.status)
            say_how_it_ended(target, process.ended)
            raise
        finally:
            typing.cancel()
    if process.lost:
        reason = f"the connection to {target.name} was lost"
        stream.close(LOST, reason)
        raise HostError(reason, "the remote program will be killed within 45 s")
    stream.close(process.status)
    if process.error:
        raise HostError(f"{target.name}: {process.error}")
    return process.status


async def _pass_on(stream: ClientStream, process: Process) -> None:
    async for data in stream.chunks():
        await process.write(data)
