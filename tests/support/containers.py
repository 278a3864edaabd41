"""For tests of containers: a lab host as a Shell, and a small project on it."""

import asyncio
import io
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from igor_core.config import Config, HostGroup, Project
from igor_core.config import Host as ConfigHost
from igor_core.container.context import context_list
from igor_core.container.image import BuildCommand, build_command
from igor_core.container.inspection import Inspection, inspect
from igor_core.container.spec import Spec, spec_of
from igor_core.container.stamp import Inputs, read_inputs
from igor_core.environment import ContainerEnvironment, HostEnvironment
from igor_core.paths import HostPaths
from igor_core.runtime import Runtime
from igor_core.ssh.account import HostAccount
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Address
from igor_core.ssh.process import Completed
from tests.lab import Host


@dataclass
class LabShell:
    """Run commands on a lab host as its normal user, and count the round trips."""

    host: Host
    calls: int = 0
    commands: list[Sequence[str]] = field(default_factory=list)

    async def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "",
    ) -> Completed:
        self.calls += 1
        self.commands.append(argv)
        done = await asyncio.to_thread(
            self.host.run,
            # Like ssh's supervisor: in the environment, never on a command line.
            ["env", *(f"{name}={value}" for name, value in (env or {}).items()), *argv],
            input=os.fsdecode(input),
            timeout=300,
        )
        return Completed(done.returncode, os.fsencode(done.stdout), os.fsencode(done.stderr))


class Sample:
    """A project in a local folder, copied to a host as a push would, with igor's commands on it."""

    def __init__(self, root: Path, host: Host, runtime: Runtime, **config: Any) -> None:
        self.host = host
        self.runtime = runtime
        self.shell = LabShell(host)
        entry = ConfigHost(host=host.name, dir="~/dev")
        values = {"user": "lab", "project": "sample", **config}
        groups = {"dev": HostGroup("dev", (entry,))}
        self.project = Project(root, Config(host_groups=groups, **values), "")
        self.entry = entry
        self.paths = HostPaths.of("~/dev", host.home, self.project.name)

    def configure(self, **config: Any) -> None:
        self.project = replace(self.project, config=replace(self.project.config, **config))

    def write(self, name: str, text: str) -> None:
        path = self.project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def pushed(self) -> list[bytes]:
        root = os.fsencode(self.project.root)
        return sorted(
            os.path.relpath(path, root)
            for folder, folders, names in os.walk(root)
            for path in (os.path.join(folder, name) for name in [*folders, *names])
            if os.path.islink(path) or os.path.isfile(path)
        )

    def push(self) -> None:
        """Make the folder on the host contain exactly the project's files."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(self.project.root, ".", filter=_as_user)
        script = 'mkdir -p "$1" && cd "$1" && find . -mindepth 1 -delete && tar -xf -'
        self.host.run(
            ["sh", "-c", script, "sh", self.paths.tree],
            input=packed.getvalue().decode("utf-8", "surrogateescape"),
            check=True,
        )

    @property
    def spec(self) -> Spec:
        account = HostAccount(self.host.uid, self.host.uid, self.host.user, self.host.home)
        return spec_of(self.project, self.entry, "dev", account, self.paths)

    @property
    def inputs(self) -> Inputs:
        config = self.project.config
        return read_inputs(
            self.project.root,
            self.project.dockerfile(),
            config.docker_rebuild_files,
            config.docker_build_args,
            self.pushed,
        )

    def build_command(self) -> BuildCommand:
        dockerfile = self.project.dockerfile()
        return build_command(
            self.runtime,
            self.spec.owner,
            self.inputs,
            tree=self.paths.tree,
            dockerfile=dockerfile,
            args=self.project.config.docker_build_args,
            context=context_list(self.project.root, dockerfile, self.pushed),
        )

    async def build(self) -> Completed:
        command = self.build_command()
        return await self.shell.run(command.argv, input=command.input, env=command.env)

    def environment(self, remote: RemoteHost | None = None) -> ContainerEnvironment:
        """Return where its programs run; without `remote` only to get the command lines."""
        return ContainerEnvironment(
            name=self.host.name, project=self.project, group="dev", entry=self.entry,
            remote=remote or RemoteHost(Address(self.host.name)), runtime=self.runtime,
        )  # fmt: skip

    def host_environment(self, remote: RemoteHost | None = None) -> HostEnvironment:
        return HostEnvironment(
            name=self.host.name, project=self.project, group="dev", entry=self.entry,
            remote=remote or RemoteHost(Address(self.host.name)),
        )  # fmt: skip

    async def inspect(self) -> Inspection:
        return await inspect(self.shell, self.runtime, self.spec.owner, self.spec.folders)

    def engine(self, *arguments: str) -> str:
        """Return what the host's engine prints for a command."""
        return self.host.run([self.runtime.word, *arguments], check=True, timeout=180).stdout


def _as_user(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
