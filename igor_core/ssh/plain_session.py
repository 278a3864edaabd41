"""Processes on hosts without python3: one ssh session each, no supervisor.

A process is killed via a second session, which needs the connection: after a cut cable it may
live on. `igor doctor` says so for such a host.
"""

import asyncio
import contextlib
import signal as signals
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import asyncssh

from igor_core.errors import IgorError
from igor_core.remote.supervisor.announcement import Announcement
from igor_core.ssh.process import LOST, Command, Process, complete
from igor_core.ssh.shell_line import MARK, kill_command, shell_line

_WINDOW = 1 << 20
_ANNOUNCE_SECONDS = 10.0

Start = Callable[[Command], Awaitable[Process]]


async def start_plain(
    connection: asyncssh.SSHClientConnection,
    command: Command,
    start: Start,
    over: Callable[[], None],
) -> Process:
    """Start a process on a session of its own; call `over` when the session has ended.

    `start` starts the command that kills the process. Raises what asyncssh raises.
    """
    _channel, session = await connection.create_session(
        lambda: PlainSession(command, start, over),
        shell_line(command),
        encoding=None,
        request_pty="force" if command.pty else False,
        term_type=command.env.get("TERM", "xterm-256color") if command.pty else None,
        term_size=command.pty or (),
    )
    return cast(PlainSession, session).process


class PlainSession(asyncssh.SSHClientSession[bytes]):
    """A process and its ssh session."""

    def __init__(self, command: Command, start: Start, over: Callable[[], None]) -> None:
        self.process = Process(self, 0, _WINDOW)
        self._command = command
        self._start = start
        self._over = over
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._on_host = Announcement(MARK)
        self._in_container = Announcement() if command.announce else None
        self._announced = asyncio.Event()
        self._status = -1
        self._unread = 0
        self._unsent = 0
        self._may_send = True
        self._killing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # The carrier of its process.

    def send_input(self, process: Process, data: bytes) -> None:
        if self._channel is not None:
            # A session that is just ending refuses the write; connection_lost follows.
            with contextlib.suppress(OSError):
                self._channel.write(data)
            self._unsent += len(data)
            if self._may_send:
                self.resume_writing()

    def send_eof(self, process: Process) -> None:
        if self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.write_eof()

    def send_resize(self, process: Process, columns: int, rows: int) -> None:
        if self._channel is not None:
            self._channel.change_terminal_size(columns, rows)

    def send_signal(self, process: Process, name: str) -> None:
        if self._on_host.pid:
            kill = ["sh", "-c", 'kill -s "$1" -- "-$2"', "igor", name, self._on_host.pid]
            self._spawn(self._run(kill))

    def send_end(self, process: Process) -> None:
        if self._killing is None:
            self._killing = self._spawn(self._kill())

    def grant(self, process: Process, count: int) -> None:
        self._unread -= count
        if self._channel is not None and self._unread < _WINDOW:
            self._channel.resume_reading()

    # Called by asyncssh.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def pause_writing(self) -> None:
        self._may_send = False

    def resume_writing(self) -> None:
        self._may_send = True
        sent, self._unsent = self._unsent, 0
        self.process.credited(sent)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is None:
            data = self._without_announcements(data)
        if not data:
            return
        self._unread += len(data)
        if self._unread >= _WINDOW and self._channel is not None:
            self._channel.pause_reading()
        self.process.received("stdout" if datatype is None else "stderr", data)

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def exit_signal_received(self, signal: str, core: bool, msg: str, lang: str) -> None:
        self._status = 128 + getattr(signals, f"SIG{signal}", 0)

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel = None
        self._announced.set()
        for announcement in filter(None, (self._on_host, self._in_container)):
            if rest := announcement.rest():
                self.process.received("stdout", rest)
        self._over()
        if self._killing is None or self._killing.done():
            self._exited()

    def _exited(self) -> None:
        if self._status >= 0:
            self.process.exited(self._status, self.process.ended)
        else:
            self.process.exited(LOST, self.process.ended, "the connection to the host was lost")

    def _without_announcements(self, data: bytes) -> bytes:
        """Return the program's own output, without what the login shell printed before."""
        if not self._on_host.over:
            data = self._on_host.feed(data)
            if not self._on_host.pid:
                return data if self._on_host.over else b""
            data = data[self._on_host.found_at :]
        if self._in_container is not None:
            data = self._in_container.feed(data)
        if self._in_container is None or self._in_container.over:
            self._announced.set()
        return data

    async def _kill(self) -> None:
        """Kill it in the container, then on the host; as a last resort, close the session."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._announced.wait(), _ANNOUNCE_SECONDS)
        if self._in_container is not None and self._in_container.pid and self._command.end:
            pid = self._in_container.pid
            await self._run([word.replace("{pid}", pid) for word in self._command.end])
        if self._channel is not None and self._on_host.pid:
            await self._run(kill_command(self._on_host.pid))
        if self._channel is not None:
            self._channel.close()
        else:
            self._exited()

    async def _run(self, argv: list[str]) -> None:
        """Run a command that kills; the last word that the first one prints is the signal."""
        with contextlib.suppress(IgorError):
            done = await complete(await self._start(Command(argv, cwd="/")), b"")
            said = done.stdout.decode("utf-8", "replace").split()
            self.process.ended = self.process.ended or (said[-1] if said else "")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
