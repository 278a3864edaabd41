"""The agent's end of the supervisor: many processes over one ssh session."""

import asyncio
import contextlib
import itertools
import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh

from igor_core.ssh import announcement, child
from igor_core.ssh import supervisor as host_side
from igor_core.ssh.process import Command, Process

# Read alike by any login shell (sh, bash, zsh, fish, csh): it holds nothing that one would expand.
# -I and -S: no file of the home folder, and no installed package, may stand for a module.
BOOTSTRAP = (
    "exec python3 -I -S -u -c 'import sys;f=sys.stdin.buffer;exec(f.read(int(f.readline())))'"
)
# Each after those that it imports.
MODULES = (announcement, child, host_side)
LOADER = b"""
import types
for name, source in sources:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
module.main()
"""
BEAT_SECONDS = 10.0
START_SECONDS = 20.0


def _program() -> bytes:
    """The host's side: its modules, each under its own name, then the call that runs it."""
    sources = [(module.__name__, Path(str(module.__file__)).read_text()) for module in MODULES]
    return b"sources = %s\n%s" % (ascii(sources).encode("ascii"), LOADER)


class NoSupervisor(Exception):
    """The host has no python3 (3.6 or later) that could run the supervisor."""


PROGRAM = _program()


class Supervised(asyncssh.SSHClientSession[bytes]):
    """A session of the supervisor. Carries processes; tells `lost` once when it is gone."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.rtt = 0.0
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._processes: dict[int, Process] = {}
        self._idents = itertools.count(1)
        self._inbox = bytearray()
        self._greeted = False
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._beating: asyncio.Task[None] | None = None
        self._lost: list[Callable[[], None]] = []
        self._last_words = b""
        self._heard = time.monotonic()

    @property
    def alive(self) -> bool:
        return self._channel is not None

    @classmethod
    async def open(cls, connection: asyncssh.SSHClientConnection) -> "Supervised":
        """Send the supervisor to the host and wait until it is ready.

        Raises NoSupervisor where python3 is missing or too old.
        """
        session = cls()
        await connection.create_session(
            lambda: session, BOOTSTRAP, encoding=None, request_pty=False
        )
        session._write(b"%d\n%s" % (len(PROGRAM), PROGRAM))
        session._send_beat()
        try:
            await asyncio.wait_for(session._ready, START_SECONDS)
        except asyncio.TimeoutError:
            session.close()
            raise NoSupervisor("python3 on the host does not answer") from None
        if session.alive:
            session._beating = asyncio.ensure_future(session._beat())
        return session

    def on_lost(self, callback: Callable[[], None]) -> None:
        self._lost.append(callback)

    def start(self, command: Command) -> Process:
        """Start a process; costs no round trip. What goes wrong is in its `error`."""
        process = Process(self, next(self._idents), child.WINDOW_BYTES)
        if self._channel is None:
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
        if self._channel is not None:
            self._channel.close()

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

    # What asyncssh tells a session.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is not None:
            self._last_words = (self._last_words + data)[-2000:]
            return
        self._inbox += data
        if not self._greeted and not self._find_greeting():
            return
        at = 0
        while len(self._inbox) - at >= host_side.HEADER.size:
            kind, ident, length = host_side.HEADER.unpack_from(self._inbox, at)
            start = at + host_side.HEADER.size
            if len(self._inbox) - start < length:
                break
            at = start + length
            self._take(kind, ident, bytes(self._inbox[start:at]))
        del self._inbox[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ready.done():
            words = self._last_words or bytes(self._inbox[-2000:])
            said = words.decode("utf-8", "replace").strip().splitlines()
            self._ready.set_exception(NoSupervisor(said[-1] if said else "no python3"))
        self._lose()

    def _lose(self) -> None:
        """It is of no use any more, whether its session has ended or not."""
        self._channel = None
        if self._beating is not None:
            self._beating.cancel()
        for process in list(self._processes.values()):
            process.exited(255, error="the connection to the host was lost")
        self._processes.clear()
        callbacks, self._lost = self._lost, []
        for callback in callbacks:
            callback()

    def _find_greeting(self) -> bool:
        """Pass over what the host's login shell may have printed first."""
        at = self._inbox.find(host_side.MAGIC)
        if at < 0:
            return False
        del self._inbox[: at + len(host_side.MAGIC)]
        self._greeted = True
        return True

    def _take(self, kind: int, ident: int, payload: bytes) -> None:
        if kind == host_side.BEAT:
            self._heard = time.monotonic()
            self.rtt = self._heard - struct.unpack(">d", payload)[0]
            return
        if kind == host_side.READY:
            self.facts = json.loads(payload)
            if not self._ready.done():
                self._ready.set_result(None)
            return
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

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._send_beat()
            if time.monotonic() - self._heard > host_side.SILENCE_SECONDS and self._channel:
                # sshd answers, the supervisor does not: it is stopped or the host is thrashing.
                self._lose()

    def _send_beat(self) -> None:
        self._send(host_side.BEAT, 0, struct.pack(">d", time.monotonic()))

    def _send(self, kind: int, ident: int, payload: bytes = b"") -> None:
        self._write(host_side.HEADER.pack(kind, ident, len(payload)) + payload)

    def _write(self, data: bytes) -> None:
        # A session that is just breaking refuses the write; connection_lost follows.
        if self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.write(data)
