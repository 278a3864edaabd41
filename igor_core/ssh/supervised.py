"""The agent's end of the supervisor: many processes over one ssh session."""

import itertools
import json
import struct
from collections.abc import Callable
from typing import Any

import asyncssh

from igor_core.ssh import announcement, child
from igor_core.ssh import supervisor as host_side
from igor_core.ssh.process import Command, Process
from igor_core.ssh.program import Program, Script

SCRIPT = Script((announcement, child, host_side), host_side.MAGIC)


class Supervised:
    """A session of the supervisor. Carries processes; tells once when it is lost."""

    def __init__(self) -> None:
        self._program: Program | None = None
        self._processes: dict[int, Process] = {}
        self._idents = itertools.count(1)

    @classmethod
    async def open(cls, connection: asyncssh.SSHClientConnection) -> "Supervised":
        """Send the supervisor to the host and wait until it is ready.

        Raises NoPython where python3 is missing or too old.
        """
        session = cls()
        session._program = await Program.open(connection, SCRIPT, session._take)
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
        self._send(host_side.CREDIT, process.ident, struct.pack(">I", count))

    def _lose(self) -> None:
        for process in list(self._processes.values()):
            process.exited(255, error="the connection to the host was lost")
        self._processes.clear()

    def _take(self, kind: int, ident: int, payload: bytes) -> None:
        process = self._processes.get(ident)
        if process is None:
            return
        if kind == host_side.STDOUT:
            process.received("stdout", payload)
        elif kind == host_side.STDERR:
            process.received("stderr", payload)
        elif kind == host_side.CREDIT:
            process.credited(struct.unpack(">I", payload)[0])
        elif kind == host_side.EXIT:
            del self._processes[ident]
            process.exited(**json.loads(payload))

    def _send(self, kind: int, ident: int, payload: bytes = b"") -> None:
        if self._program:
            self._program.send(kind, ident, payload)
