"""Commands that run as jobs of the agent: ask, follow, return the exit status."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from igor_core.agent.client import Client, connect
from igor_core.cli.interrupts import Interrupts
from igor_core.cli.outlet import STDERR, Outlet
from igor_core.cli.session import Renderer, Session
from igor_core.cli.terminal import somebody_there
from igor_core.commands.operand_words import command_of_words
from igor_core.commands.options import GLOBAL
from igor_core.commands.parse import Invocation
from igor_core.errors import IgorError, UsageError


def run(invocation: Invocation) -> int:
    """Run a command's verb in the agent; start an agent if none runs."""
    arguments = verb_arguments(invocation)
    root = directory(invocation)
    return follow(invocation, connect("cli", answers=somebody_there()), root, arguments)


def follow(
    invocation: Invocation,
    client: Client,
    root: str,
    arguments: dict[str, Any],
    wrap: Callable[[Renderer, Outlet], Renderer] = lambda renderer, _outlet: renderer,
) -> int:
    """Ask for a job, show it until it has ended, and return its exit status."""
    assert invocation.verb is not None
    verb = invocation.verb
    outlet = Outlet()
    renderer = wrap(_renderer(invocation, outlet, root), outlet)
    with Interrupts() as interrupts:
        session = Session(client, renderer, outlet, interrupts)
        try:
            status: int = session.run(verb.name, root, arguments)["status"]
        except KeyboardInterrupt:
            if not verb.ends_with_client and session.job:
                os.write(STDERR, f"igor: left; job {session.job} may go on: igor jobs\n".encode())
            raise
        except IgorError:
            renderer.hide()
            outlet.drain()
            raise
    return status


def directory(invocation: Invocation) -> str:
    """Return the folder from which to find the project: that of `-C`, or the current one."""
    given = invocation.values.get("directory", ".")
    try:
        folder = os.path.join(os.getcwd(), given)
    except FileNotFoundError:
        raise UsageError("the current folder doesn't exist any more") from None
    if not os.path.isdir(folder):
        raise UsageError(f"{given} is not a folder")
    return os.path.normpath(folder)


def verb_arguments(invocation: Invocation) -> dict[str, Any]:
    """Return the arguments of the request: the given options and the operand."""
    own = {option.key for option in GLOBAL}
    values = {key: value for key, value in invocation.values.items() if key not in own}
    assert invocation.verb is not None
    verb = invocation.verb
    if verb.lists_locations and invocation.values.get("json"):
        values["places"] = True
    if verb.reads_stdin:
        values["stdin"] = True
    if program := values.pop("program", None):
        values |= {"file": program[0], "args": program[1:]}
    if command := values.pop("command", None):
        if command == [""]:
            raise UsageError(f"'igor {verb.words}' needs CMD…, found an empty word")
        values |= command_of_words(command)
    return values


def _renderer(invocation: Invocation, outlet: Outlet, root: str) -> Renderer:
    assert invocation.verb is not None
    if invocation.values.get("json"):
        from igor_core.cli.json_lines import JsonLines

        return JsonLines(outlet)
    from igor_core.cli.lines import Lines

    several = functools.cache(lambda: several_hosts(root, invocation.values))
    return Lines(outlet, several)


def several_hosts(root: str, values: dict[str, Any]) -> bool:
    """Return whether output lines need their host's name. Called only when there is output."""
    from igor_core.config import find_project

    try:
        config = find_project(Path(root)).config
        return len(config.hosts(values.get("group"), values.get("hosts", ()))) > 1
    except UsageError:  # the config has changed since the agent read it
        return True
