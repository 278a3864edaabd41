"""Start a program for debugging, or attach to one again: all that precedes its session."""

import asyncio
from contextlib import AbstractContextManager

from igor_core.debug.keeper_notes import DebugRefused
from igor_core.debug.launch import control_words, install_words
from igor_core.verbs.debug.checks import check_is_pushed, refusal, warn_of_users
from igor_core.verbs.debug.install import install, may_install
from igor_core.verbs.debug.program import DebugTarget, needed_files, sha256_of
from igor_core.verbs.debug.session import Debugged, DebugSite
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.prepare import make_ready
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.python import python_for
from igor_core.verbs.steps.request import flag
from igor_core.verbs.steps.targets import Done


async def debug_on(
    debugged: Debugged, context: Context, pusher: Pusher, program: DebugTarget
) -> Done:
    """Start the program and follow it to its end; it replaces an older one."""
    with _job(debugged, context, starts=True) as overtaken:
        return await _debug_on(debugged, overtaken, context, pusher, program)


async def _debug_on(
    debugged: Debugged,
    overtaken: asyncio.Event,
    context: Context,
    pusher: Pusher,
    program: DebugTarget,
) -> Done:
    target = debugged.target
    file = program.known_file
    if file and not flag(target.job, "no_push"):
        await check_is_pushed(target, pusher, file)
    environment = await make_ready(target, context, pusher, needed_files(program), setup=True)
    warn_of_users(target, environment)
    place = DebugSite(debugged, overtaken, environment, python_for(target, program.python))
    launch = place.launch(program)
    if file and not flag(target.job, "no_push"):
        local = target.project.root / file
        launch = place.launch(program, await asyncio.to_thread(sha256_of, local))
    try:
        return await place.stay(context, launch.serve(), launch.ident, launch.environment)
    except DebugRefused as refused:
        if refused.what != "debugpy" or not await may_install(target, refused):
            raise refusal(environment, refused) from None
    await install(target, place.command(install_words()))
    return await place.stay_or_refuse(context, launch.serve(), launch.ident, launch.environment)


async def attach_again(debugged: Debugged, context: Context) -> Done:
    """Follow the program of an earlier session."""
    with _job(debugged, context, starts=False) as overtaken:
        environment = await debugged.target.connect()
        place = DebugSite(debugged, overtaken, environment, python_for(debugged.target))
        return await place.stay_or_refuse(context, control_words(place.group), "")


def _job(
    debugged: Debugged, context: Context, *, starts: bool
) -> AbstractContextManager[asyncio.Event]:
    target = debugged.target
    identity = target.environment().identity
    return context.debug_sessions.job(target.remote.name, identity, starts=starts)
