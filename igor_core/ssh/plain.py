"""Processes on hosts without python3: one ssh session each, no supervisor.

A process is ended by a `kill` on a second session, which works only while the connection
does: after a cut cable it may live on. Such hosts are told what they miss (`igor doctor`).
"""

import asyncio
import contextlib
import re
import shlex
import signal as signals
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import asyncssh

from igor_core.errors import IgorError
from igor_core.remote.supervisor.announcement import Announcement
from igor_core.ssh.process import LOST, Command, Process, complete

# The shell's number first, which leads its session: what the supervisor knows by itself.
_RUN = 'printf "\\036igor-host:%s\\n" "$$"; cd -- "$1" && shift && exec env "$@"'
_MARK = b"\x1eigor-host:"
# Without /proc, or for a session that has only its own group, the group is all there is.
_END = """
members() {
  for folder in /proc/[0-9]*; do
    line=
    { read -r line <"$folder/stat"; } 2>/dev/null
    rest=${line##*) }
    set -- "$1" $rest
    case ${2:-Z} in Z|X) continue ;; esac
    [ "$4" = "$1" ] || [ "$5" = "$1" ] || continue
    printf '%s ' "${folder#/proc/}"
  done
}
for name in INT TERM KILL; do
  kill -s $name -- "-$1" $(members "$1") 2>/dev/null
  tries=30
  while kill -0 -- "-$1" 2>/dev/null || [ -n "$(members "$1")" ]; do
    [ $tries -gt 0 ] || continue 2
    tries=$((tries-1)); sleep 0.1
  done
  echo $name
  exit
done
"""
_WINDOW = 1 << 20
_ANNOUNCE_SECONDS = 10.0
_SAFE = re.compile(rb"[A-Za-z0-9_./:=@%+,-]+")

Start = Callable[[Command], Awaitable[Process]]


def command_line(command: Command) -> str:
    """The one place that makes a shell line of an argument list: all words are quoted.

    The line is for the login shell, whichever it is. A backslash, a newline or a "!" within
    quotes isn't the same to fish and csh as to sh, so such lines travel as octal numbers.
    """
    environment = [f"{name}={value}" for name, value in command.env.items()]
    words = ["sh", "-c", _RUN, "igor", command.cwd or ".", *environment, *command.argv]
    packed = b"".join(
        part if _SAFE.fullmatch(part) else b"".join(b"\\0%03o" % byte for byte in part)
        for part in re.split(rb"([^A-Za-z0-9_./:=@%+,-]+)", os_bytes(shlex.join(words)))
        if part
    )
    return f"exec sh -c 'eval \"$(printf %b \"$1\")\"' igor 'exec {packed.decode()}'"


def os_bytes(text: str) -> bytes:
    """A name as the host knows it: names that are not UTF-8 travel as lone surrogates."""
    return text.encode("utf-8", "surrogateescape")


async def start_plain(
    connection: asyncssh.SSHClientConnection,
    command: Command,
    start: Start,
    over: Callable[[], None],
) -> Process:
    """Start a process on a session of its own; `over` is called when that is free again.

    `start` starts the command that ends it. Raises what asyncssh raises.
    """
    _channel, session = await connection.create_session(
        lambda: PlainSession(command, start, over),
        command_line(command),
        encoding=None,
        request_pty="force" if command.pty else False,
        term_type=command.env.get("TERM", "xterm-256color") if command.pty else None,
        term_size=command.pty or (),
    )
    return cast(PlainSession, session).process


class PlainSession(asyncssh.SSHClientSession[bytes]):
    """One process over one session of its own."""

    def __init__(self, command: Command, start: Start, over: Callable[[], None]) -> None:
        self.process = Process(self, 0, _WINDOW)
        self._command = command
        self._start = start
        self._over = over
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._here = Announcement(_MARK)
        self._inside = Announcement() if command.announce else None
        self._announced = asyncio.Event()
        self._status = -1
        self._unread = 0
        self._unsent = 0
        self._may_send = True
        self._ending: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # What the process asks of its carrier.

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
        if self._here.pid:
            kill = ["sh", "-c", 'kill -s "$1" -- "-$2"', "igor", name, self._here.pid]
            self._spawn(self._run(kill))

    def send_end(self, process: Process) -> None:
        if self._ending is None:
            self._ending = self._spawn(self._end())

    def grant(self, process: Process, count: int) -> None:
        self._unread -= count
        if self._channel is not None and self._unread < _WINDOW:
            self._channel.resume_reading()

    # What asyncssh tells a session.

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
        for announcement in filter(None, (self._here, self._inside)):
            if rest := announcement.rest():
                self.process.received("stdout", rest)
        self._over()
        if self._ending is None or self._ending.done():
            self._exited()

    def _exited(self) -> None:
        if self._status >= 0:
            self.process.exited(self._status, self.process.ended)
        else:
            self.process.exited(LOST, self.process.ended, "the connection to the host was lost")

    def _without_announcements(self, data: bytes) -> bytes:
        """The program's own output: what came before our shell's first word is the login's."""
        if not self._here.over:
            data = self._here.feed(data)
            if not self._here.pid:
                return data if self._here.over else b""
            data = data[self._here.found_at :]
        if self._inside is not None:
            data = self._inside.feed(data)
        if self._inside is None or self._inside.over:
            self._announced.set()
        return data

    async def _end(self) -> None:
        """Inside the container first, then here; as a last resort, close the session."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._announced.wait(), _ANNOUNCE_SECONDS)
        if self._inside is not None and self._inside.pid and self._command.end:
            pid = self._inside.pid
            await self._run([word.replace("{pid}", pid) for word in self._command.end])
        if self._channel is not None and self._here.pid:
            await self._run(["sh", "-c", _END, "igor", self._here.pid])
        if self._channel is not None:
            self._channel.close()
        else:
            self._exited()

    async def _run(self, argv: list[str]) -> None:
        """Run a command beside the process; the last word of the first says what ended it."""
        with contextlib.suppress(IgorError):
            done = await complete(await self._start(Command(argv, cwd="/")), b"")
            said = done.stdout.decode("utf-8", "replace").split()
            self.process.ended = self.process.ended or (said[-1] if said else "")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
