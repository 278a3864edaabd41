"""What can make debugging impossible, each in one sentence with a hint."""

import asyncio
import os

from igor_core.debug.keeper_notes import DebugRefused
from igor_core.doctor.local_port import port_use
from igor_core.environment import Environment
from igor_core.errors import HostError
from igor_core.project_python import HINT, NO_PYTHON
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.targets import Target
from igor_core.worktree.files import shown


async def check_is_pushed(target: Target, pusher: Pusher, file: str) -> None:
    tree = await pusher.tree(target)
    if os.fsencode(file) not in tree.files:
        raise HostError(
            f"{shown(os.fsencode(file))} is not among the files that are pushed",
            'git ignores it; name it under "include" in the config, or take it out of .gitignore',
        )


def warn_of_users(target: Target, environment: Environment) -> None:
    """Warn if other users of the host can reach debugpy, which has no authentication."""
    if why := environment.open_ports():
        target.warn(
            f"{why} the debugger's port on {target.name} is open to all users of the host",
            "debug in a container with a network of its own where you don't trust them",
        )


async def say_port(target: Target, wanted: int, got: int) -> None:
    """Name the program that has the config's port, if another port is used."""
    if wanted == got:
        return
    use = await asyncio.to_thread(port_use, wanted)
    holders = " and ".join(use.holders) or "another program"
    target.step(f"port {wanted} is taken by {holders}; using {got}")


def refusal(environment: Environment, refused: DebugRefused) -> HostError:
    """Return the error for what the debug helper refused."""
    text = f"{environment.where}: {refused.text}"
    if refused.what == "debugpy":
        return HostError(
            text,
            "add debugpy to the image, e.g. `RUN pip install debugpy`, then: igor docker setup",
        )
    if refused.what == "pytest":
        return HostError(
            text, "add pytest to the image, e.g. `RUN pip install pytest`, then: igor docker setup"
        )
    if refused.what in ("file", "differs"):
        return HostError(
            text,
            "the container may have an old or another folder mounted: igor docker setup --force; "
            "or it was saved just now: try again",
        )
    if refused.what == "gone":
        return HostError(text, "start it: igor debug FILE")
    if refused.what == "" and refused.more.get("status") == NO_PYTHON:
        return HostError(text, HINT)
    return HostError(text)
