"""Processes on hosts without python3: one ssh session each, no supervisor.

A process is ended by a `kill` on a second session, which works only while the connection
does: after a cut cable it may live on. Such hosts are told what they miss (`igor doctor`).
"""

import asyncio
import shlex
from collections.abc import Callable, Coroutine
from typing import Any

import asyncssh

from igor_core.ssh.process import Command, Process

# The group's number first, then the program itself: what the supervisor knows by itself.
_ANNOUNCING = 'printf "\\036igor-pid:%s\\n" $$; cd -- "$1" && shift && exec "$@"'
_ENDING = """
for name in INT TERM KILL; do
  kill -$name -- "-$1" 2>/dev/null || { echo gone; exit; }
  waited=0
  while kill -0 -- "-$1" 2>/dev/null && [ $waited -lt 30 ]; do sleep 0.1; waited=$((waited+1)); done
  kill -0 -- "-$1" 2>/dev/null || { echo $name; exit; }
done
"""
_MARK = b"\x1eigor-pid:"
_WINDOW = 1 << 20


def command_line(command: Command) -> str:
    """The one place that makes a shell line of an argument list: all words are quoted."""
    environment = [f"{name}={value}" for name, value in command.env.items()]
    # A program that announces itself (inside a container) must have the first line.
    script = _ANNOUNCING if not command.announce else 'cd -- "$1" && shift && exec "$@"'
    argv = ["sh", "-c", script, "igor", command.cwd or ".", "env", *environment, *command.argv]
    return "exec " + shlex.join(argv)


class PlainSession(asyncssh.SSHClientSession[bytes]):
    """One process over one session of its own."""

    def __init__(
        self, command: Command, run: Callable[[Command], Coroutine[Any, Any, None]]
    ) -> None:
        self.process = Process(self, 0, _WINDOW)
        self._command = command
        self._run = run
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._head: bytes | None = b""
        self._group = asyncio.Event()
        self._pid = ""
        self._unread = 0
        self._ending = False
        self._tasks: set[asyncio.Task[None]] = set()

    # What the process asks of its carrier.

    def send_input(self, process: Process, data: bytes) -> None:
        if self._channel is not None:
            self._channel.write(data)
            process.credited(len(data))

    def send_eof(self, process: Process) -> None:
        if self._channel is not None:
            self._channel.write_eof()

    def send_resize(self, process: Process, columns: int, rows: int) -> None:
        if self._channel is not None:
            self._channel.change_terminal_size(columns, rows)

    def send_signal(self, process: Process, name: str) -> None:
        if self._pid:
            kill = ["sh", "-c", 'kill "-$1" -- "-$2"', "igor", name, self._pid]
            self._spawn(self._run(Command(kill)))

    def send_end(self, process: Process) -> None:
        if not self._ending:
            self._ending = True
            self._spawn(self._end())

    def grant(self, process: Process, count: int) -> None:
        self._unread -= count
        if self._channel is not None and self._unread < _WINDOW:
            self._channel.resume_reading()

    # What asyncssh tells a session.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is None and self._head is not None:
            data = self._strip(data)
        if not data:
            return
        self._unread += len(data)
        if self._unread >= _WINDOW and self._channel is not None:
            self._channel.pause_reading()
        self.process.received("stdout" if datatype is None else "stderr", data)

    def exit_status_received(self, status: int) -> None:
        self.process.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        lost = "the connection to the host was lost" if exc else ""
        self._channel = None
        self._group.set()
        self.process.exited(255 if exc else self.process.status, error=lost)

    def _strip(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        line, newline, rest = head.partition(b"\n")
        if not newline and len(head) < 64 and _MARK.startswith(line[: len(_MARK)]):
            self._head = head
            return b""
        self._head = None
        if not line.startswith(_MARK):
            return head
        self._pid = line[len(_MARK) :].strip().decode("ascii", "replace")
        self._group.set()
        return rest

    async def _end(self) -> None:
        await asyncio.wait_for(self._group.wait(), 5)
        if self._command.end:
            argv = [word.replace("{pid}", self._pid) for word in self._command.end]
        else:
            argv = ["sh", "-c", _ENDING, "igor", self._pid]
        await self._run(Command(argv))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
