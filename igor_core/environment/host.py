"""Programs that run on the host itself: "runtime" is "none"."""

import os
from collections.abc import Mapping, Sequence

from igor_core.config import Host, Project
from igor_core.debug.processes.unreadable import ON_HOST
from igor_core.env_variables import in_the_open, packed, taking_apart
from igor_core.environment.base import Environment, marked_variables
from igor_core.environment.kill_inside import ENDING
from igor_core.errors import HostError
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Completed

# The folder may not exist yet.
_IN_FOLDER = 'cd -- "$1" 2>/dev/null; shift; exec "$@"'


class HostEnvironment(Environment):
    """The host itself, in the project's folder; programs have the rights of the login's user."""

    container = None
    remedies = ON_HOST
    superuser = ""

    def __init__(
        self, *, name: str, project: Project, group: str, entry: Host, remote: RemoteHost
    ) -> None:
        super().__init__(name=name, project=project, group=group, entry=entry, remote=remote)
        self.where = f"on {name}"
        self.root = self.process_folder = self.paths.tree
        self.helper_folder = self.paths.run
        self.files = name

    def command(
        self,
        argv: Sequence[str],
        *,
        window: tuple[int, int] | None = None,
        env: Mapping[str, str] | None = None,
        signals: Sequence[str] = ENDING,
    ) -> Command:
        # The supervisor ends the programs that it has started.
        values = {**self.entry.env, **self.variables(window, env)}
        return Command(argv, cwd=self.root, env=values, pty=window)

    async def run(self, argv: Sequence[str], *, input: bytes = b"", user: str = "") -> Completed:
        words = ["sh", "-c", _IN_FOLDER, "igor", self.root, *argv]
        return await self.remote.run(words, input=input, env=self.entry.env)

    def marked(
        self, argv: Sequence[str], mark: str, env: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str]:
        values = {**self.entry.env, **marked_variables(mark, env)}
        pairs = [f"{name}={value}" for name, value in in_the_open(values).items()]
        return taking_apart(values, ["env", *pairs, *argv]), packed(values), self.root

    async def why_down(self) -> HostError | None:
        return None

    async def why_not_begun(self, done: Completed) -> HostError | None:
        return None

    async def check_was_not_lost(self, status: int) -> None:
        return None

    def as_programs_see(self, path: str) -> str:
        return path

    async def real_root(self) -> str:
        done = await self.remote.run(["pwd", "-P"], cwd=self.root)
        said = os.fsdecode(done.stdout).rstrip("\n")
        return said if done.status == 0 and said else self.root

    def debugged_root(self, told: str) -> str:
        return told

    def open_ports(self) -> str:
        return 'with "runtime": "none"'
