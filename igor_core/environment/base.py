"""Where a project's programs run. A recipe may only ask if there is a container to set up."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from igor_core.config import Host, Project
from igor_core.container.names import Owner
from igor_core.container.run_folder import differing, run_files, write
from igor_core.debug.launch import HELPER
from igor_core.debug.processes.probe import REGISTRATION, registered, registration_source
from igor_core.debug.processes.unreadable import Remedies
from igor_core.environment.interactive import on_terminal, python_finder
from igor_core.environment.kill_inside import ENDING
from igor_core.environment.marked import MARK, mark_ender
from igor_core.errors import HostError
from igor_core.paths import DEBUG_HELPER, HostPaths
from igor_core.project_python import HINT
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Completed

if TYPE_CHECKING:
    from igor_core.environment.container import ContainerEnvironment


class EnvironmentDown(HostError):
    """The environment is down: the project's programs can't run in it."""


class Environment(ABC):
    """Where the programs of a project's host group run on one host.

    The host's home is not known before the first connection: until then, `paths` below "~" are not
    absolute.
    """

    #: Told to users: "on apollo", "in the container on apollo".
    where: str
    #: The project's folder as programs see it.
    root: str
    #: Igor's own files as programs see them: the debug helper, and the one that reports stacks.
    helper_folder: str
    #: Environments with the same value see the same files.
    files: str
    #: Hints for the user on how to make the stacks of processes readable.
    remedies: Remedies
    #: A process belongs to the project if it runs in this folder; None: all processes do.
    process_folder: str | None
    #: A user with more rights than the programs' own, "" if igor can't become one.
    superuser: str
    #: The container that igor builds and keeps; None if there is nothing to set up.
    container: ContainerEnvironment | None

    def __init__(
        self, *, name: str, project: Project, group: str, entry: Host, remote: RemoteHost
    ) -> None:
        """Take the host's `name` as the user knows it, and its `entry` in the config."""
        self.name = name
        self.project = project
        self.group = group
        self.entry = entry
        self.remote = remote
        self.owner = Owner(project.config.user, project.name, group)
        self.paths = HostPaths.of(entry.dir, remote.account.home, project.name)

    # -- running programs

    @abstractmethod
    def command(
        self,
        argv: Sequence[str],
        *,
        window: tuple[int, int] | None = None,
        env: Mapping[str, str] | None = None,
        signals: Sequence[str] = ENDING,
    ) -> Command:
        """Return the command for the host that runs `argv` in the project's folder.

        `window` is (columns, rows) for a program on a terminal. `env` is added to what the config
        says. Ending the command ends the program by `signals`, one after another.
        """

    @abstractmethod
    async def run(self, argv: Sequence[str], *, input: bytes = b"", user: str = "") -> Completed:
        """Run `argv` in the project's folder; one round trip. Raises HostError."""

    @abstractmethod
    def marked(
        self, argv: Sequence[str], mark: str, env: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str]:
        """Return a command line for the host that runs `argv` on a terminal, marked, and the
        variables and the folder on the host to run it with.
        """

    async def end_marked(self, mark: str) -> str:
        """End all programs with this mark; return the signal that did it, "gone" or "alive"."""
        done = await self.run(mark_ender(mark))
        return (done.stdout.decode("utf-8", "replace").split() or ["gone"])[-1]

    def variables(
        self, window: tuple[int, int] | None, env: Mapping[str, str] | None
    ) -> dict[str, str]:
        """Return `env` with what igor sets for each program, unless the config sets it.

        A Python whose output is no terminal would keep it back until it ends, or lose it if killed.
        """
        own = {} if window else {"PYTHONUNBUFFERED": "1"}
        missing = {name: value for name, value in own.items() if name not in self.entry.env}
        return {**missing, **(env or {})}

    def with_helpers(self, argv: Sequence[str]) -> list[str]:
        """Return `argv` such that it and its Python children can be asked for their stacks."""
        return registered(argv, self.helper_folder)

    def on_terminal(self, argv: Sequence[str], window: tuple[int, int]) -> list[str]:
        """Return `argv` such that its terminal has its size and UTF-8 from the first byte."""
        return on_terminal(argv, window, self.project.config.debug.python, self.project.name)

    async def find_python(self, prefer: str = "") -> str:
        """Return the Python to run the project's programs with; one round trip.

        Returns the program `prefer` ("ipython") instead if that Python has it. Raises HostError if
        there is no Python, or if the one that the config or VIRTUAL_ENV names can't be used.
        """
        finder = python_finder(self.project.config.debug.python, self.project.name, prefer)
        done = await self.run(finder)
        if done.status == 0:
            return os.fsdecode(done.stdout).strip()
        if (error := await self.why_not_begun(done)) is not None:
            raise error
        said = os.fsdecode(done.stderr).strip() or f"sh ended with status {done.status}"
        raise HostError(f"no Python {self.where}: {said}", HINT)

    # -- whether it is up

    @abstractmethod
    async def why_down(self) -> HostError | None:
        """Return why no program can run, None if one can; one round trip. Raises HostError."""

    @abstractmethod
    async def why_not_begun(self, done: Completed) -> HostError | None:
        """Return why a program that `run` should start did not even begin, None if it did."""

    @abstractmethod
    async def check_was_not_lost(self, status: int) -> None:
        """Raise HostError if a program that ended with `status` lost its environment."""

    # -- paths and files

    @property
    def identity(self) -> str:
        """Return a name that no other project, user or group on the host has."""
        return self.owner.container

    @property
    def roots(self) -> tuple[str, ...]:
        """Return all folders by which programs may name the project in their output."""
        return tuple(dict.fromkeys((self.root, self.paths.tree)))

    @abstractmethod
    def as_programs_see(self, path: str) -> str:
        """Return a path of the host's tree as programs see it; others are returned as they are."""

    @abstractmethod
    async def real_root(self) -> str:
        """Return `root` with links resolved, as processes know their files."""

    def debugged_root(self, told: str) -> str:
        """Return the project's folder as a debugged program names it; `told` is its own answer."""
        return self.root

    @abstractmethod
    def open_ports(self) -> str:
        """Return why other users of the host can reach a program's port; "" if they can't."""

    async def renew_helper_files(self) -> None:
        """Write igor's own files to the host if they are missing or differ.

        Takes one round trip or two. Raises HostError.
        """
        debugging = {DEBUG_HELPER: HELPER.file.encode(), REGISTRATION: registration_source()}
        files = run_files(debugging)
        names = await differing(self.remote, self.paths.run, files)
        if names:
            await write(self.remote, self.paths.run, files, names)


def marked_variables(mark: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` with the variable by which `end_marked` finds a program."""
    return {**env, MARK: mark}
