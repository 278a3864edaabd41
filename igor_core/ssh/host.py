"""One remote host: its warm connection, and running things over it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import asyncssh

from igor_core.errors import HostError, IgorError, NeedsLogin
from igor_core.ssh.failures import explain
from igor_core.ssh.login import Address, Login, connect, is_known
from igor_core.ssh.plain import PlainSession, command_line
from igor_core.ssh.process import Command, Completed, Process, complete
from igor_core.ssh.supervised import NoSupervisor, Supervised

# sshd's default MaxSessions is 10 and the user's own ssh may share nothing with us.
SESSIONS_PER_CONNECTION = 8
_WHO = 'id -u; id -g; id -un; printf "%s\\n" "$HOME"; uname -m'


@dataclass(frozen=True)
class Account:
    """Who igor is on the host."""

    uid: int
    gid: int
    user: str
    home: str


class RemoteHost:
    """A host and its connection, made on first use and again after a loss.

    `state` is "not connected", "connecting", "connected", "needs login" or "offline"; `reason`
    says why where it is one of the last two. `supervised` is false on a host without python3.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = address.name
        self.state = "not connected"
        self.reason = ""
        self.why_plain = ""
        self.endpoint = ("", 0, "")
        self.account = Account(-1, -1, "", "")
        self._connections: dict[asyncssh.SSHClientConnection, int] = {}
        self._supervisor: Supervised | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._login = Login()
        self._background: set[asyncio.Task[None]] = set()

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
        while self.state != "connected":
            if self._connecting is None:
                self._connecting = asyncio.ensure_future(self._connect(login))
            attempt, asked = self._connecting, self._login
            try:
                await asyncio.shield(attempt)
            except NeedsLogin:
                # It was somebody else's attempt, with nobody to ask: ours may do better.
                if asked is login or login.ask is None:
                    raise

    async def _connect(self, login: Login) -> None:
        self.state, self.reason, self._login = "connecting", "", login
        try:
            connection = await self._open(login)
            await self._settle(connection)
            self.state = "connected"
        except IgorError as error:
            self.state = "needs login" if isinstance(error, NeedsLogin) else "offline"
            self.reason = error.message
            raise
        except BaseException:
            self.state = "not connected"
            raise
        finally:
            self._connecting = None

    async def _open(self, login: Login) -> asyncssh.SSHClientConnection:
        try:
            connection = await connect(self.address, login)
        except (asyncssh.Error, OSError, ValueError, TimeoutError) as error:
            raise explain(self.name, error, await self._is_known(error)) from None
        self._connections[connection] = 0
        self._soon(self._watch(connection))
        return connection

    async def _is_known(self, error: Exception) -> bool:
        """Whether known_hosts has a key for the host, so that a refused key is a changed one."""
        return isinstance(error, asyncssh.HostKeyNotVerifiable) and await is_known(self.address)

    async def _settle(self, connection: asyncssh.SSHClientConnection) -> None:
        """Start the supervisor and learn who we are there."""
        peer = connection.get_extra_info("peername") or ("", 0)
        self.endpoint = (str(peer[0]), int(peer[1]), connection.get_extra_info("username") or "")
        try:
            self._supervisor = await Supervised.open(connection)
        except NoSupervisor as error:
            self.why_plain = str(error)
            await self._settle_plain()
            return
        except asyncssh.Error as error:
            raise explain(self.name, error) from None
        self._connections[connection] += 1
        facts = self._supervisor.facts
        self.account = Account(facts["uid"], facts["gid"], facts["user"], facts["home"])
        self._supervisor.on_lost(self._supervisor_lost(connection, self._supervisor))

    async def _settle_plain(self) -> None:
        self._supervisor = None
        who = await complete(await self._start_plain(Command(["sh", "-c", _WHO])), b"")
        lines = who.stdout.decode("utf-8", "replace").splitlines()
        if len(lines) < 4:
            said = who.stderr.decode("utf-8", "replace").strip()
            raise HostError(f"{self.name}: no command can be run there: {said or who.status}")
        self.account = Account(int(lines[0]), int(lines[1]), lines[2], lines[3])

    def _supervisor_lost(
        self, connection: asyncssh.SSHClientConnection, supervisor: Supervised
    ) -> Callable[[], None]:
        def lost() -> None:
            # Without its supervisor a connection is of no use: the next command makes another.
            if self._supervisor is supervisor:
                connection.abort()

        return lost

    async def _watch(self, connection: asyncssh.SSHClientConnection) -> None:
        with contextlib.suppress(Exception):
            await connection.wait_closed()
        self._connections.pop(connection, None)
        if not self._connections and self.state == "connected":
            self.state, self.reason = "not connected", "the connection was lost"
            self._supervisor = None

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def start(self, command: Command) -> Process:
        """Start a process. It must be read to its end, or ended."""
        if self._supervisor is not None:
            return self._supervisor.start(command)
        return await self._start_plain(command)

    async def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "",
    ) -> Completed:
        """Run a command to its end; one round trip on a host with a supervisor.

        Raises HostError when the connection is lost.
        """
        command = Command(argv, cwd=cwd or self.account.home, env=env or {})
        process = await self.start(command)
        done = await complete(process, input)
        if process.lost:
            raise HostError(
                f"the connection to {self.name} was lost", "igor connects again on next use"
            )
        return done

    @contextlib.asynccontextmanager
    async def process(self, command: Command) -> AsyncIterator[Process]:
        """A process that is ended, inside a container too, when the block is left early."""
        process = await self.start(command)
        try:
            yield process
        finally:
            if not process.finished:
                await asyncio.shield(process.end())

    async def _start_plain(self, command: Command) -> Process:
        connection = await self._with_room()
        self._connections[connection] += 1
        try:
            _channel, session = await connection.create_session(
                lambda: PlainSession(command, self._run_quietly),
                command_line(command),
                encoding=None,
                request_pty="force" if command.pty else False,
                term_type=command.env.get("TERM", "xterm-256color") if command.pty else None,
                term_size=command.pty or (),
            )
        except (asyncssh.Error, OSError) as error:
            self._connections[connection] -= 1
            raise explain(self.name, error) from None
        process = cast(PlainSession, session).process
        self._soon(self._release(connection, process))
        return process

    async def _release(self, connection: asyncssh.SSHClientConnection, process: Process) -> None:
        await process.wait()
        if connection in self._connections:
            self._connections[connection] -= 1

    async def _with_room(self) -> asyncssh.SSHClientConnection:
        """A connection that may carry one more session; a further one where all are full."""
        for connection, sessions in self._connections.items():
            if sessions < SESSIONS_PER_CONNECTION:
                return connection
        return await self._open(self._login)

    async def _run_quietly(self, command: Command) -> None:
        with contextlib.suppress(IgorError):
            await complete(await self._start_plain(replace(command, cwd="/")), b"")

    def close(self) -> None:
        """Drop the connection; the supervisor ends what still runs under it."""
        self.state = "not connected"
        for connection in list(self._connections):
            connection.close()
