"""A REPL that outlives its terminal, in a tmux session on the host.

It runs outside the supervisor on purpose: only the tmux client ends with the terminal.
"""

import shlex
from collections.abc import Sequence

from igor_core import tmux
from igor_core.env_variables import reading
from igor_core.environment import Environment
from igor_core.errors import HostError
from igor_core.ssh.process import Command
from igor_core.verbs.steps.targets import Done, Target
from igor_core.verbs.steps.terminal import Screen

# Not every host knows every terminal type, and tmux does not start with an unknown one.
_ATTACH = """\
infocmp "$TERM" >/dev/null 2>&1 || export TERM=xterm-256color
exec "$@"
"""
_NOT_FOUND = 127


def session_of(environment: Environment, words: Sequence[str]) -> str:
    """Return the session's name; it is the same for the same words."""
    return tmux.session_name(environment.identity, words)


async def is_there(target: Target, session: str) -> bool:
    """Return whether the session runs. Raises HostError on a host without tmux."""
    done = await target.remote.run(tmux.has_session(session))
    if done.status == _NOT_FOUND:
        raise HostError(
            f'{target.name} has no tmux, in which "repl_persist" keeps a REPL',
            'install tmux there, or set "repl_persist" to false',
        )
    return done.status == 0


async def started(
    environment: Environment, session: str, argv: Sequence[str], screen: Screen
) -> Command:
    """Return the command that creates the session and shows it.

    First ends programs of an earlier session in the container: they have lost their terminal.
    """
    await environment.end_marked(session)
    inner = {**screen.env, "TERM": tmux.TERM}
    words = environment.on_terminal(argv, screen.window)
    program, env, folder = environment.marked(words, session, inner)
    if env:
        # tmux has no other way to pass these into a session that it creates.
        program = reading(await environment.remote.keep(env), program)
    return _client(tmux.attach_or_start(session, program, folder), screen)


def attached(session: str, screen: Screen) -> Command:
    """Return the command that shows an existing session."""
    return _client(tmux.attach(session), screen)


def _client(words: Sequence[str], screen: Screen) -> Command:
    argv = ["sh", "-c", _ATTACH, "igor", *words]
    return Command(argv, cwd="/", env=screen.env, pty=screen.window)


def say_how_to_end(target: Target, words: Sequence[str]) -> None:
    typed = " ".join(["igor docker repl --end", shlex.join(words)]).strip()
    target.step(
        f"it keeps running on the host when you close this terminal or leave by {tmux.LEAVE}; "
        f"to end it: exit in it, or {typed}"
    )


async def end(target: Target, words: Sequence[str]) -> Done:
    """End the session and its programs. Raises HostError if any program lives on."""
    environment = await target.connect()
    session = session_of(environment, words)
    was_there = await is_there(target, session)
    how = await environment.end_marked(session)
    await target.remote.run(tmux.end(session))
    if how == "alive":
        raise HostError(f"{target.name}: the REPL could not be ended", "igor docker clean")
    ended = was_there or how != "gone"
    return Done(f"{session} has ended" if ended else f"{session} does not run")
