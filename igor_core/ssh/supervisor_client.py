"""The agent's end of the supervisor: many processes over one ssh session."""

import itertools
import json
import struct
from collections.abc import Callable
from typing import Any

import asyncssh

from igor_core.remote.packer import Bundle
from igor_core.remote.supervisor import child
from igor_core.remote.supervisor import supervisor as host_side
from igor_core.shapes import MOST_WORDS, WrongShape, file_path, items, members, number, parsed, text
from igor_core.ssh.process import Command, Process
from igor_core.ssh.program import RemoteProgram, Script

_FACTS = members(
    {
        "pid": number(1), "python": items(number(), 3, 3), "uid": number(0, 1 << 32),
        "gid": number(0, 1 << 32), "user": text(256), "home": file_path,
    }
)  # fmt: skip
_EXIT = members({"status": number(0, 1 << 16), "ended": text(64), "error": text(MOST_WORDS)})
_KINDS = frozenset({host_side.STDOUT, host_side.STDERR, host_side.CREDIT, host_side.EXIT})
_MOST_EXIT = 1 << 16
# What the supervisor held back as the beginning of an announcement counts when it is sent.
_HELD_BACK = 1 << 12

SCRIPT = Script(Bundle(host_side.__name__), host_side.MAGIC, _FACTS)


class SupervisorClient:
    """A session of the supervisor. Carries processes; tells once when it is lost."""

    def __init__(self) -> None:
        self._program: RemoteProgram | None = None
        self._processes: dict[int, Process] = {}
        # How much more each may send.
        self._receivable: dict[int, int] = {}
        self._idents = itertools.count(1)

    @classmethod
    async def open(cls, connection: asyncssh.SSHClientConnection) -> "SupervisorClient":
        """Send the supervisor to the host and wait until it is ready.

        Raises NoPython where python3 is missing or too old.
        """
        session = cls()
        session._program = await RemoteProgram.open(connection, SCRIPT, session._take)
        session._program.on_lost(session._lose)
        return session

    @property
    def alive(self) -> bool:
        return self._program is not None and self._program.alive

    @property
    def facts(self) -> dict[str, Any]:
        """What the supervisor's READY said of the host."""
        return self._program.facts if self._program else {}

    @property
    def rtt(self) -> float:
        return self._program.rtt if self._program else 0.0

    @property
    def why_lost(self) -> str:
        """What the host did wrong, where that is why the session is lost."""
        return self._program.broken if self._program else ""

    def on_lost(self, callback: Callable[[], None]) -> None:
        if self._program:
            self._program.on_lost(callback)

    def start(self, command: Command) -> Process:
        """Start a process; costs no round trip. What goes wrong is in its `error`."""
        process = Process(self, next(self._idents), child.WINDOW_BYTES)
        if not self.alive:
            process.exited(255, error="the connection to the host is lost")
            return process
        self._processes[process.ident] = process
        self._receivable[process.ident] = child.WINDOW_BYTES + _HELD_BACK
        order = {
            "argv": list(command.argv),
            "cwd": command.cwd,
            "env": dict(command.env),
            "pty": command.pty,
            "announce": command.announce,
            "end": list(command.end),
        }
        self._send(host_side.START, process.ident, json.dumps(order).encode("ascii"))
        return process

    def close(self) -> None:
        """End the session; the supervisor ends what still runs."""
        if self._program:
            self._program.close()

    # What processes ask of their carrier.

    def send_input(self, process: Process, data: bytes) -> None:
        self._send(host_side.DATA, process.ident, data)

    def send_eof(self, process: Process) -> None:
        self._send(host_side.EOF, process.ident)

    def send_resize(self, process: Process, columns: int, rows: int) -> None:
        self._send(host_side.WINDOW, process.ident, struct.pack(">HH", columns, rows))

    def send_signal(self, process: Process, name: str) -> None:
        self._send(host_side.SIGNAL, process.ident, name.encode("ascii"))

    def send_end(self, process: Process) -> None:
        self._send(host_side.END, process.ident)

    def grant(self, process: Process, count: int) -> None:
        if process.ident in self._receivable:
            self._receivable[process.ident] += count
        self._send(host_side.CREDIT, process.ident, struct.pack(">I", count))

    def _lose(self) -> None:
        why = f": {self.why_lost}" if self.why_lost else ""
        for process in list(self._processes.values()):
            process.exited(255, error=f"the connection to the host was lost{why}")
        self._processes.clear()
        self._receivable.clear()

    def _take(self, kind: int, ident: int, payload: bytes) -> None:
        """ValueError, struct.error where that is no frame of the supervisor's."""
        if kind not in _KINDS:
            raise WrongShape(f"a frame of kind {kind}")
        process = self._processes.get(ident)
        if process is None:
            # It has ended, or the host says so of what was never started: nobody listens.
            return
        if kind == host_side.STDOUT:
            self._spend(ident, payload)
            process.received("stdout", payload)
        elif kind == host_side.STDERR:
            self._spend(ident, payload)
            process.received("stderr", payload)
        elif kind == host_side.CREDIT:
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
