"""Programs that run in the project's container, which igor builds and keeps on the host."""

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from igor_core.config import Host, Project
from igor_core.container.engine_errors import engine_error
from igor_core.container.inspection import Inspection, inspect
from igor_core.container.spec import Spec, spec_of
from igor_core.debug.processes.unreadable import IN_CONTAINER
from igor_core.env_variables import packed
from igor_core.environment.base import Environment, EnvironmentDown, marked_variables
from igor_core.environment.kill_inside import ENDING, announcing, killer
from igor_core.errors import HostError
from igor_core.paths import RUN_FOLDER
from igor_core.runtime import Runtime
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Completed

#: Exit statuses of the engine's client when engine or container went away under a program.
_LOST_STATUSES = (1, 125, 137, 255)
#: Printed with status 127 if the engine found no such program; else 127 is the program's own.
_NO_PROGRAM = re.compile(r"(?i)oci runtime|executable file")
_HOST_NETWORK = ("--network=host", "--net=host")


class ContainerEnvironment(Environment):
    """The project's container of one host group, with the code mounted at `root`."""

    helper_folder = RUN_FOLDER
    remedies = IN_CONTAINER
    process_folder = None
    superuser = "0"

    def __init__(
        self, *, name: str, project: Project, group: str, entry: Host, remote: RemoteHost,
        runtime: Runtime,
    ) -> None:  # fmt: skip
        super().__init__(name=name, project=project, group=group, entry=entry, remote=remote)
        self.container = self
        self.runtime = runtime
        self.where = f"in the container on {name}"
        self.root = project.config.workspace
        self.files = f"{name} {self.owner.container}"

    @cached_property
    def spec(self) -> Spec:
        """Return the config's container. Raises UsageError for an option that only igor may set."""
        return spec_of(self.project, self.entry, self.group, self.remote.account, self.paths)

    async def inspect(self) -> Inspection:
        """Ask the host for the image and the container; one round trip. Raises HostError."""
        return await inspect(self.remote, self.runtime, self.owner, self.spec.folders)

    def command(
        self,
        argv: Sequence[str],
        *,
        window: tuple[int, int] | None = None,
        env: Mapping[str, str] | None = None,
        signals: Sequence[str] = ENDING,
    ) -> Command:
        name, tty = self.owner.container, window is not None
        values = self.variables(window, env)
        return Command(
            self.runtime.exec(name, announcing(argv), tty=tty, env=values),
            cwd="/",
            env=packed(values),
            pty=window,
            announce=True,
            end=self.runtime.exec(name, killer(signals), stdin=False),
        )

    async def run(self, argv: Sequence[str], *, input: bytes = b"", user: str = "") -> Completed:
        words = self.runtime.exec(self.owner.container, argv, stdin=bool(input), user=user)
        return await self.remote.run(words, input=input)

    def marked(
        self, argv: Sequence[str], mark: str, env: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str], str]:
        values = marked_variables(mark, env)
        words = self.runtime.exec(self.owner.container, argv, tty=True, env=values)
        return words, packed(values), "/"

    async def why_down(self) -> HostError | None:
        found = await self.inspect()
        if found.container is not None and found.container.status == "running":
            return None
        return EnvironmentDown(
            f"no container of this project runs on {self.name}", "igor docker setup"
        )

    async def why_not_begun(self, done: Completed) -> HostError | None:
        if (down := await self.why_down()) is not None:
            return down
        said = done.stderr.decode("utf-8", "replace")
        if done.status in (125, 126) or (done.status == 127 and _NO_PROGRAM.search(said)):
            return engine_error(self.runtime, done.status, said)
        return None

    async def check_was_not_lost(self, status: int) -> None:
        if status in _LOST_STATUSES and await self.why_down() is not None:
            raise HostError(
                f"the container on {self.name} ended while the command ran", "igor docker setup"
            )

    def as_programs_see(self, path: str) -> str:
        tree = self.paths.tree
        if path == tree or path.startswith(f"{tree}/"):
            return self.root.rstrip("/") + path[len(tree) :]
        return path

    async def real_root(self) -> str:
        return self.root

    def open_ports(self) -> str:
        words = self.project.config.docker_run_args
        pairs = {f"{first}={second}" for first, second in itertools.pairwise(words)}
        return "with the host's network" if {*words, *pairs} & set(_HOST_NETWORK) else ""
