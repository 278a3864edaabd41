"""One remote host: its warm connection, and running things over it."""

import asyncio
import contextlib
import re
import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncssh

from igor_core.env_variables import KEEP, concealed, exports, in_the_open, reading
from igor_core.errors import HostError, IgorError, NeedsLogin
from igor_core.shapes import words
from igor_core.ssh.address import Address
from igor_core.ssh.connections import Connections
from igor_core.ssh.failures import explain, lost
from igor_core.ssh.login import Connection, Login, connect
from igor_core.ssh.plain import start_plain
from igor_core.ssh.process import MOST_OUTPUT, Command, Completed, Process, TooMuch, complete
from igor_core.ssh.program import Nonsense, NoPython, Receive, RemoteProgram, Script
from igor_core.ssh.supervisor_client import SupervisorClient

_WHO = 'id -u; id -g; id -un; printf "%s\\n" "$HOME"'
_ID = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True)
class Account:
    """Who igor is on the host."""

    uid: int
    gid: int
    user: str
    home: str


@dataclass(frozen=True)
class Attempt:
    """A connection that is being made, and for whom."""

    login: Login
    task: "asyncio.Task[None]"


class RemoteHost:
    """A host and its connection, made on first use and again after a loss.

    `state` is "not connected", "connecting", "connected", "needs login" or "offline"; `reason`
    says why where it is not connected any more, or one of the last two. `endpoint` is what
    ssh_config resolves: HostName (with the way there, if it isn't direct), Port, User.
    `broken` is what the host did that ended its last connection, where it broke the protocol.
    On a host without python3 `supervised` is false and `why_plain` says what the host said.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = address.name
        self.reason = ""
        self.why_plain = ""
        self.broken = ""
        self.endpoint = ("", 0, "")
        self.account = Account(-1, -1, "", "")
        self._lanes = Connections(self._open)
        self._supervisor: SupervisorClient | None = None
        self._attempt: Attempt | None = None
        self._login = Login()
        self._watching: set[asyncio.Task[None]] = set()
        self._state = "not connected"
        self._on_state: list[Callable[[], None]] = []

    @property
    def state(self) -> str:
        return self._state

    def on_state(self, callback: Callable[[], None]) -> None:
        """Call at each change of `state`, from the event loop; the callback must not raise."""
        self._on_state.append(callback)

    def _become(self, state: str, reason: str = "") -> None:
        changed = (state, reason) != (self._state, self.reason)
        self._state, self.reason = state, reason
        for callback in self._on_state if changed else ():
            callback()

    @property
    def supervised(self) -> bool:
        return self._supervisor is not None

    @property
    def rtt(self) -> float:
        """Seconds that the last heartbeat took there and back; 0 where it is not known."""
        return self._supervisor.rtt if self._supervisor else 0.0

    async def connect(self, login: Login) -> None:
        """Be connected. Whoever comes while a connection is being made waits for the same one.

        Raises HostError; NeedsLogin where the host asks and `login` has nobody to answer.
        """
        if self.state == "connected":
            # A further connection asks whoever came last.
            self._login = login
        while self.state != "connected":
            attempt = self._attempt or self._begin(login)
            try:
                await asyncio.shield(attempt.task)
            except NeedsLogin:
                # It was somebody else's attempt, with nobody to ask: ours may do better.
                if attempt.login is login or login.ask is None:
                    raise
            else:
                return

    def _begin(self, login: Login) -> Attempt:
        self._login = login
        self.broken = ""
        self._become("connecting")
        self._attempt = Attempt(login, asyncio.ensure_future(self._connect()))
        # All who waited may have been cancelled: then nobody asks how it ended.
        self._attempt.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._attempt

    async def _connect(self) -> None:
        try:
            self._lanes.add(await self._open())
            await self._settle()
            self._become("connected")
        except IgorError as error:
            state = "needs login" if isinstance(error, NeedsLogin) else "offline"
            self._become(state, error.message)
            self._lanes.abort()
            raise
        except BaseException:
            self._become("not connected")
            self._lanes.abort()
            raise
        finally:
            self._attempt = None

    async def _open(self) -> Connection:
        connection, settings = await connect(self.address, self._login)
        where = f"{settings.host} {settings.way}".strip()
        self.endpoint = (where, settings.port, settings.user)
        task = asyncio.ensure_future(self._watch(connection))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        return connection

    async def _settle(self) -> None:
        """Start the supervisor and learn who we are there."""
        lane = await self._lanes.enter()
        try:
            supervisor = await SupervisorClient.open(lane.connection)
        except NoPython as error:
            lane.leave()
            self.why_plain = str(error)
            await self._settle_plain()
            return
        except Nonsense as error:
            raise self._nonsense(error) from None
        except (asyncssh.Error, OSError) as error:
            raise explain(self.address, error) from None
        facts = supervisor.facts
        self.account = Account(facts["uid"], facts["gid"], facts["user"], facts["home"])
        self._supervisor = supervisor
        supervisor.on_lost(lambda: self._supervisor_lost(supervisor, lane.connection))
        if not supervisor.alive:
            raise lost(self.name, supervisor.why_lost)

    async def _settle_plain(self) -> None:
        self._supervisor = None
        command = Command(["sh", "-c", _WHO])
        who = await self._completed(await self._start_plain(command), command, b"", MOST_OUTPUT)
        lines = who.stdout.decode("utf-8", "replace").splitlines()
        if len(lines) != 4 or not all(map(_ID.fullmatch, lines[:2])):
            said = words(who.stderr) or self.why_plain
            raise HostError(
                f"{self.name}: no command can be run there: {said or f'status {who.status}'}",
                f"try: ssh {self.name} id",
            )
        self.account = Account(int(lines[0]), int(lines[1]), lines[2], lines[3])

    def _supervisor_lost(self, supervisor: SupervisorClient, connection: Connection) -> None:
        """Without its supervisor a connection is of no use: the next command makes another."""
        if self._supervisor is supervisor:
            self.broken = supervisor.why_lost
            self._gone()
            connection.abort()

    async def _watch(self, connection: Connection) -> None:
        with contextlib.suppress(Exception):
            await connection.wait_closed()
        self._lanes.remove(connection)
        if not self._lanes:
            self._gone()

    def _gone(self) -> None:
        self._supervisor = None
        if self.state == "connected":
            self._become("not connected", self.broken or "the connection was lost")

    async def start(self, command: Command) -> Process:
        """Start a process. It must be read to its end, or ended. Raises HostError."""
        if self._supervisor is not None:
            return self._supervisor.start(command)
        if self.state != "connected":
            raise lost(self.name, self.broken)
        return await self._start_plain(command)

    async def open_program(self, script: Script, receive: Receive) -> RemoteProgram:
        """Start one of igor's programs there, on a session of its own.

        Raises NoPython where python3 is missing or too old; HostError.
        """
        opening = asyncio.ensure_future(self._open_program(script, receive))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # What is half open can't be closed: the session comes first.
            opening.add_done_callback(_close_unwanted)
            raise

    async def _open_program(self, script: Script, receive: Receive) -> RemoteProgram:
        while True:
            if self.state != "connected":
                raise lost(self.name, self.broken)
            lane = await self._lanes.enter()
            try:
                program = await RemoteProgram.open(lane.connection, script, receive, lane.leave)
            except asyncssh.ChannelOpenError as error:
                lane.refused()
                if lane.room == 0:
                    raise explain(self.address, error) from None
            except Nonsense as error:
                raise self._nonsense(error) from None
            except (asyncssh.Error, OSError):
                lane.leave()
                raise lost(self.name) from None
            else:
                return program

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
        """The same for any command."""
        done = await self._completed(process := await self.start(command), command, input, most)
        if process.lost:
            raise lost(self.name, self.broken)
        return done

    async def _completed(
        self, process: Process, command: Command, input: bytes, most: int
    ) -> Completed:
        try:
            return await complete(process, input, most)
        except TooMuch as error:
            what = words(shlex.join(command.argv[:3]))[:80]
            raise HostError(
                f"{self.name}: {error.message}, and was ended: {what}",
                f"what does it print? ssh {self.name}",
            ) from None

    def _nonsense(self, error: Nonsense) -> HostError:
        return HostError(
            f"{self.name}: {error}", f"what does its login shell print? ssh {self.name} true"
        )

    @contextlib.asynccontextmanager
    async def process(self, command: Command) -> AsyncIterator[Process]:
        """A process that is ended, inside a container too, when the block is left early."""
        process = await self.start(command)
        try:
            yield process
        finally:
            if not process.finished:
                await asyncio.shield(process.end())

    async def keep(self, values: Mapping[str, str]) -> str:
        """Keep variables in a file for the one command that reads it; its path. HostError."""
        content = exports(values).encode("utf-8", "surrogateescape")
        done = await self.run(KEEP, input=content)
        if done.status != 0:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())
            raise HostError(f"{self.name}: the variables can't be kept in a file there: {said}")
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    async def _start_plain(self, command: Command) -> Process:
        """On a session of its own, on whichever connection the host grants one."""
        if hidden := concealed(command.env):
            argv = reading(await self.keep(hidden), command.argv)
            command = replace(command, argv=argv, env=in_the_open(command.env))
        while True:
            lane = await self._lanes.enter()
            try:
                return await start_plain(lane.connection, command, self._start_plain, lane.leave)
            except asyncssh.ChannelOpenError as error:
                lane.refused()
                if lane.room == 0:
                    raise explain(self.address, error) from None
            except (asyncssh.Error, OSError):
                lane.leave()
                raise lost(self.name) from None

    def close(self) -> None:
        """Drop the connection; the supervisor ends what still runs under it."""
        self._become("not connected", self.reason)
        self._lanes.close()


def _close_unwanted(opening: "asyncio.Task[RemoteProgram]") -> None:
    """Of someone who was cancelled while it was being opened."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
