"""A remote host, and running programs on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import asyncssh

from igor_core.env_variables import KEEP, concealed, exports, in_the_open, reading
from igor_core.errors import HostError
from igor_core.ssh.connections import SharedConnection
from igor_core.ssh.failures import connection_lost, explain, not_started
from igor_core.ssh.host_connection import HostConnection
from igor_core.ssh.process import MOST_OUTPUT, Command, Completed, Process
from igor_core.ssh.remote_program import NotStarted, ProgramSpec, Receive, RemoteProgram


class RemoteHost(HostConnection):
    """A host that runs processes, via its supervisor or, without python3, an ssh session each."""

    async def start(self, command: Command) -> Process:
        """Start a process; the caller must read it to its end, or end it. Raises HostError."""
        if self._supervisor is not None:
            return self._supervisor.start(command)
        if self.state != "connected":
            raise connection_lost(self.name, self.protocol_error)
        return await self._start_plain(command)

    async def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "",
        most: int = MOST_OUTPUT,
    ) -> Completed:
        """Run a command to its end; one round trip on a host with a supervisor.

        Raises HostError when the connection is lost, or the command writes more than `most` bytes.
        """
        command = Command(argv, cwd=cwd or self.account.home, env=env or {})
        return await self.complete(command, input, most)

    async def complete(self, command: Command, input: bytes, most: int = MOST_OUTPUT) -> Completed:
        """Like `run`, for a Command: without `cwd`, it runs where the login starts."""
        process = await self.start(command)
        done = await self._completed(process, command, input, most)
        if process.lost:
            raise connection_lost(self.name, self.protocol_error)
        return done

    @contextlib.asynccontextmanager
    async def process(self, command: Command) -> AsyncIterator[Process]:
        """Run a process that is ended, inside a container too, if the block is left early."""
        process = await self.start(command)
        try:
            yield process
        finally:
            if not process.finished:
                await asyncio.shield(process.end())

    async def open_program(self, spec: ProgramSpec, receive: Receive) -> RemoteProgram:
        """Start one of igor's own programs on an ssh session of its own.

        Raises NoPython if python3 is missing or too old; HostError.
        """
        opening = asyncio.ensure_future(self._open_program(spec, receive))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # A half open session can't be closed: let it open first.
            opening.add_done_callback(_close_unwanted)
            raise

    async def _open_program(self, spec: ProgramSpec, receive: Receive) -> RemoteProgram:
        async def start(shared: SharedConnection) -> RemoteProgram:
            return await RemoteProgram.open(shared.connection, spec, receive, shared.release)

        if self.state != "connected":
            raise connection_lost(self.name, self.protocol_error)
        try:
            return await self._connections.open_session(start)
        except asyncssh.ChannelOpenError as error:
            raise explain(self.address, error) from None
        except NotStarted as error:
            raise not_started(self.name, error) from None
        except (asyncssh.Error, OSError):
            raise connection_lost(self.name, self.protocol_error) from None

    async def keep(self, values: Mapping[str, str]) -> str:
        """Write variables to a file for the one command that reads it; return its path.

        Raises HostError.
        """
        content = exports(values).encode("utf-8", "surrogateescape")
        done = await self.run(KEEP, input=content)
        if done.status != 0:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())
            raise HostError(f"{self.name}: can't write the file of variables: {said}")
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    async def _start_plain(self, command: Command) -> Process:
        # A session's command line shows in `ps`: secret values travel in a file.
        if hidden := concealed(command.env):
            argv = reading(await self.keep(hidden), command.argv)
            command = replace(command, argv=argv, env=in_the_open(command.env))
        return await super()._start_plain(command)


def _close_unwanted(opening: "asyncio.Task[RemoteProgram]") -> None:
    """Close a program whose caller was cancelled while it was opened."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
