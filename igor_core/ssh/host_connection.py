"""The warm connection to a host: made on first use, and again after a loss."""

import asyncio
import contextlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import asyncssh

from igor_core.errors import HostError, IgorError, NeedsLogin
from igor_core.shapes import words
from igor_core.ssh.account import ACCOUNT_COMMAND, UNKNOWN, HostAccount, parse_account
from igor_core.ssh.address import Address
from igor_core.ssh.connections import Connections
from igor_core.ssh.failures import connection_lost, explain, not_started
from igor_core.ssh.login import Connection, Login, connect
from igor_core.ssh.plain_session import start_plain
from igor_core.ssh.process import MOST_OUTPUT, Command, Completed, Process, TooMuch, complete
from igor_core.ssh.remote_program import NoPython, NotStarted
from igor_core.ssh.supervisor_client import SupervisorClient


@dataclass(frozen=True)
class Attempt:
    """A login that is under way, and who can answer its questions."""

    login: Login
    task: "asyncio.Task[None]"


class HostConnection:
    """The state of the connection to a host, its ssh connections and its supervisor.

    `state` is "not connected", "connecting", "connected", "needs login" or "offline"; `reason`
    says why. `endpoint` is HostName (with the jump hosts, if any), Port and User as ssh_config
    resolves them. `protocol_error` says how the host broke the protocol, if that ended the last
    connection. A host without python3 has no supervisor; `why_no_supervisor` is what it said.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = address.name
        self.reason = ""
        self.why_no_supervisor = ""
        self.protocol_error = ""
        self.endpoint = ("", 0, "")
        self.account: HostAccount = UNKNOWN
        self._connections = Connections(self._open)
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

    def _set_state(self, state: str, reason: str = "") -> None:
        changed = (state, reason) != (self._state, self.reason)
        self._state, self.reason = state, reason
        for callback in self._on_state if changed else ():
            callback()

    @property
    def has_supervisor(self) -> bool:
        return self._supervisor is not None

    @property
    def rtt(self) -> float:
        """The round trip of the last heartbeat in seconds; 0 if unknown."""
        return self._supervisor.rtt if self._supervisor else 0.0

    async def connect(self, login: Login) -> None:
        """Connect, or join the attempt that is under way.

        Raises HostError; NeedsLogin when the host asks and `login` has nobody to answer.
        """
        if self.state == "connected":
            # A further connection asks the user who came last.
            self._login = login
        while self.state != "connected":
            attempt = self._attempt or self._begin_attempt(login)
            try:
                await asyncio.shield(attempt.task)
            except NeedsLogin:
                # Another caller's attempt had nobody to ask: ours may have.
                if attempt.login is login or login.ask is None:
                    raise
            else:
                return

    def _begin_attempt(self, login: Login) -> Attempt:
        self._login = login
        self.protocol_error = ""
        self._set_state("connecting")
        self._attempt = Attempt(login, asyncio.ensure_future(self._connect()))
        # Retrieve the exception even if all who waited were cancelled.
        self._attempt.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._attempt

    async def _connect(self) -> None:
        try:
            self._connections.add(await self._open())
            await self._start_supervisor()
            self._set_state("connected")
        except IgorError as error:
            state = "needs login" if isinstance(error, NeedsLogin) else "offline"
            self._set_state(state, error.message)
            self._connections.abort()
            raise
        except BaseException:
            self._set_state("not connected")
            self._connections.abort()
            raise
        finally:
            self._attempt = None

    async def _open(self) -> Connection:
        connection, settings = await connect(self.address, self._login)
        host = f"{settings.host} {settings.detour}".strip()
        self.endpoint = (host, settings.port, settings.user)
        task = asyncio.ensure_future(self._watch(connection))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        return connection

    async def _start_supervisor(self) -> None:
        """Start the supervisor and learn the account; do without one if there is no python3."""
        shared = await self._connections.acquire()
        try:
            supervisor = await SupervisorClient.open(shared.connection)
        except NoPython as error:
            shared.release()
            self.why_no_supervisor = str(error)
            await self._do_without_supervisor()
            return
        except NotStarted as error:
            raise not_started(self.name, error) from None
        except (asyncssh.Error, OSError) as error:
            raise explain(self.address, error) from None
        facts = supervisor.facts
        self.account = HostAccount(facts["uid"], facts["gid"], facts["user"], facts["home"])
        self._supervisor = supervisor
        supervisor.on_lost(lambda: self._supervisor_lost(supervisor, shared.connection))
        if not supervisor.alive:
            raise connection_lost(self.name, supervisor.protocol_error)

    async def _do_without_supervisor(self) -> None:
        self._supervisor = None
        command = Command(ACCOUNT_COMMAND)
        done = await self._completed(await self._start_plain(command), command)
        account = parse_account(done.stdout)
        if account is None:
            said = words(done.stderr) or self.why_no_supervisor or f"status {done.status}"
            raise HostError(f"{self.name} can't run commands: {said}", f"try: ssh {self.name} id")
        self.account = account

    async def _completed(
        self, process: Process, command: Command, input: bytes = b"", most: int = MOST_OUTPUT
    ) -> Completed:
        try:
            return await complete(process, input, most)
        except TooMuch as error:
            what = words(shlex.join(command.argv[:3]))[:80]
            raise HostError(
                f"{self.name}: {error.message} and was killed: {what}",
                f"see what it prints: ssh {self.name}",
            ) from None

    async def _start_plain(self, command: Command) -> Process:
        """Start a process on an ssh session of its own. Raises HostError."""
        try:
            return await self._connections.open_session(
                lambda shared: start_plain(
                    shared.connection, command, self._start_plain, shared.release
                )
            )
        except asyncssh.ChannelOpenError as error:
            raise explain(self.address, error) from None
        except (asyncssh.Error, OSError):
            raise connection_lost(self.name) from None

    def _supervisor_lost(self, supervisor: SupervisorClient, connection: Connection) -> None:
        """Drop the connection, which is useless without its supervisor; the next use reconnects."""
        if self._supervisor is supervisor:
            self.protocol_error = supervisor.protocol_error
            self._disconnected()
            connection.abort()

    async def _watch(self, connection: Connection) -> None:
        with contextlib.suppress(Exception):
            await connection.wait_closed()
        self._connections.remove(connection)
        if not self._connections:
            self._disconnected()

    def _disconnected(self) -> None:
        self._supervisor = None
        if self.state == "connected":
            self._set_state("not connected", self.protocol_error or "the connection was lost")

    def close(self) -> None:
        """Drop the connection; the supervisor kills what still runs."""
        self._set_state("not connected", self.reason)
        self._connections.close()
