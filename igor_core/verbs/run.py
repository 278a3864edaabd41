"""run: run a file of the project with the container's Python, on each host."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from igor_core.environment import Environment
from igor_core.errors import HostError, IgorError, UsageError
from igor_core.events import Outcome
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.named_files import below
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.request import Job, flag, list_argument, text_argument
from igor_core.verbs.steps.run_command import run_on
from igor_core.verbs.steps.targets import Target, targets_of
from igor_core.worktree.files import shown


@dataclass(frozen=True)
class ScriptFile:
    """A file of the project: its path from the root, and its path with links resolved."""

    path: bytes
    real: bytes

    @property
    def word(self) -> str:
        """Return the path as an argument that does not look like an option."""
        path = os.fsdecode(self.path)
        return f"./{path}" if path.startswith("-") else path


async def run(job: Job, context: Context) -> Outcome:
    """Make the hosts current, then run the file. With a single host, its status is the job's."""
    targets = targets_of(job, context)
    program = _program(job, targets[0].project.root)
    pusher = Pusher(job, context, targets[0])
    if not flag(job, "no_push"):
        await _check_is_pushed(program, pusher, targets[0])
    words = [program.word, *list_argument(job, "args")]

    async def command(target: Target, environment: Environment) -> Sequence[str]:
        python, _ = await asyncio.gather(environment.find_python(), _renewed(environment))
        target.step(f"runs {shown(program.path)} by {python}")
        return environment.with_helpers([python, *words])

    needed = [*words, os.fsdecode(program.real)]
    return await run_on(targets, context, pusher, needed, command)


async def _renewed(environment: Environment) -> None:
    """Renew the files that let `igor stack` ask the program; ignore failures."""
    with contextlib.suppress(HostError):
        await environment.renew_helper_files()


def _program(job: Job, root: Path) -> ScriptFile:
    """Return the file that the job names. Raises UsageError, before any host is touched."""
    name = text_argument(job, "file")
    if not name:
        raise UsageError("run: which file?", "igor run train.py")
    if "\0" in name:
        raise UsageError(f"run: {name!r} can't be the name of a file")
    path = below(root, Path(job.root), name)
    if path is None:
        raise UsageError(f"run: {name} is not in the project {root}")
    local = os.path.join(os.fsencode(root), path)
    if os.path.isdir(local):
        raise UsageError(f"run: {name} is a folder, not a program")
    if not os.path.lexists(local):
        raise UsageError(f"run: there is no {name}")
    if not os.path.isfile(local):
        what = "a link to nothing" if os.path.islink(local) else "no regular file"
        raise UsageError(f"run: {name} is {what}")
    return ScriptFile(path, below(root, root, os.path.realpath(os.fsdecode(local))) or path)


async def _check_is_pushed(program: ScriptFile, pusher: Pusher, target: Target) -> None:
    try:
        tree = await pusher.tree(target)
    except IgorError:
        return  # each host reports it
    if program.path not in tree.files and program.real not in tree.files:
        raise UsageError(
            f"run: {shown(program.path)} is not among the files that are pushed",
            'git ignores it; name it under "include" in the config, or take it out of .gitignore',
        )
