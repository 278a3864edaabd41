"""The agent's end of the supervisor: many processes over one ssh session."""

import itertools
import json
import struct
from collections.abc import Callable
from typing import Any

import asyncssh

from igor_core.remote.packer import Bundle
from igor_core.remote.supervisor import frames
from igor_core.shapes import MOST_WORDS, WrongShape, file_path, items, members, number, parsed, text
from igor_core.ssh.process import LOST, Command, Process
from igor_core.ssh.remote_program import ProgramSpec, RemoteProgram

_FACTS = members(
    {
        "pid": number(1), "python": items(number(), 3, 3), "uid": number(0, 1 << 32),
        "gid": number(0, 1 << 32), "user": text(256), "home": file_path,
    }
)  # fmt: skip
_EXIT = members({"status": number(0, 1 << 16), "ended": text(64), "error": text(MOST_WORDS)})
_KINDS = frozenset({frames.STDOUT, frames.STDERR, frames.CREDIT, frames.EXIT})
_MOST_EXIT = 1 << 16
# The supervisor may hold back the beginning of an announcement, and send it beyond the credit.
_HELD_BACK = 1 << 12

SUPERVISOR = ProgramSpec(Bundle("igor_core.remote.supervisor.supervisor"), frames.MAGIC, _FACTS)


class SupervisorClient:
    """A running supervisor, and the processes that it carries."""

    def __init__(self) -> None:
        self._program: RemoteProgram | None = None
        self._processes: dict[int, Process] = {}
        # How many more bytes each process may send.
        self._receivable: dict[int, int] = {}
        self._idents = itertools.count(1)

    @classmethod
    async def open(cls, connection: asyncssh.SSHClientConnection) -> "SupervisorClient":
        """Send the supervisor to the host and wait until it is ready.

        Raises NoPython if python3 is missing or too old, NotStarted, asyncssh's errors.
        """
        session = cls()
        session._program = await RemoteProgram.open(connection, SUPERVISOR, session._take)
        session._program.on_lost(session._lose)
        return session

    @property
    def alive(self) -> bool:
        return self._program is not None and self._program.alive

    @property
    def facts(self) -> dict[str, Any]:
        """What the supervisor says of itself and the host: the fields of READY."""
        return self._program.facts if self._program else {}

    @property
    def rtt(self) -> float:
        return self._program.rtt if self._program else 0.0

    @property
    def protocol_error(self) -> str:
        """How the host broke the protocol, if that ended the session."""
        return self._program.protocol_error if self._program else ""

    def on_lost(self, callback: Callable[[], None]) -> None:
        if self._program:
            self._program.on_lost(callback)

    def start(self, command: Command) -> Process:
        """Start a process, without a round trip; its `error` says if that failed."""
        process = Process(self, next(self._idents), frames.WINDOW_BYTES)
        if not self.alive:
            process.exited(LOST, error="the connection to the host was lost")
            return process
        self._processes[process.ident] = process
        self._receivable[process.ident] = frames.WINDOW_BYTES + _HELD_BACK
        order = {
            "argv": list(command.argv),
            "cwd": command.cwd,
            "env": dict(command.env),
            "pty": command.pty,
            "announce": command.announce,
            "end": list(command.end),
        }
        self._send(frames.START, process.ident, json.dumps(order).encode("ascii"))
        return process

    def close(self) -> None:
        """End the session; the supervisor kills what still runs."""
        if self._program:
            self._program.close()

    # The carrier of its processes.

    def send_input(self, process: Process, data: bytes) -> None:
        self._send(frames.DATA, process.ident, data)

    def send_eof(self, process: Process) -> None:
        self._send(frames.EOF, process.ident)

    def send_resize(self, process: Process, columns: int, rows: int) -> None:
        self._send(frames.WINDOW, process.ident, struct.pack(">HH", columns, rows))

    def send_signal(self, process: Process, name: str) -> None:
        self._send(frames.SIGNAL, process.ident, name.encode("ascii"))

    def send_end(self, process: Process) -> None:
        self._send(frames.END, process.ident)

    def grant(self, process: Process, count: int) -> None:
        if process.ident in self._receivable:
            self._receivable[process.ident] += count
        self._send(frames.CREDIT, process.ident, struct.pack(">I", count))

    def _lose(self) -> None:
        why = f": {self.protocol_error}" if self.protocol_error else ""
        for process in list(self._processes.values()):
            process.exited(LOST, error=f"the connection to the host was lost{why}")
        self._processes.clear()
        self._receivable.clear()

    def _take(self, kind: int, ident: int, payload: bytes) -> None:
        """Handle a frame. Raises ValueError, struct.error if it breaks the protocol."""
        if kind not in _KINDS:
            raise WrongShape(f"a frame of kind {kind}")
        process = self._processes.get(ident)
        if process is None:
            # It has ended, or was never started: nobody listens.
            return
        if kind == frames.STDOUT:
            self._spend(ident, payload)
            process.received("stdout", payload)
        elif kind == frames.STDERR:
            self._spend(ident, payload)
            process.received("stderr", payload)
        elif kind == frames.CREDIT:
            process.credited(struct.unpack(">I", payload)[0])
        else:
            said = parsed(payload, _EXIT, "the end of a program", _MOST_EXIT)
            del self._processes[ident], self._receivable[ident]
            process.exited(**said)

    def _spend(self, ident: int, payload: bytes) -> None:
        left = self._receivable[ident] = self._receivable[ident] - len(payload)
        if left < 0 or not payload:
            raise WrongShape("more output than there was credit for" if payload else "no output")

    def _send(self, kind: int, ident: int, payload: bytes = b"") -> None:
        if self._program:
            self._program.send(kind, ident, payload)
