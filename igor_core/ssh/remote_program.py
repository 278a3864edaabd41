"""A Python program of igor's that runs on a host, on an ssh session of its own.

The session carries its packed source to `python3`, then frames both ways; nothing is installed.
"""

import asyncio
import contextlib
import shlex
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncssh

from igor_core.remote.frames import BEAT, HEADER, READY, SILENCE_SECONDS
from igor_core.remote.packer import SHELL_STATUS, Bundle
from igor_core.shapes import Shape, WrongShape, parsed, words
from igor_core.ssh.frame_reader import FrameReader

BEAT_SECONDS = 10.0
#: A start file of the login shell may load environments and modules from a slow disk.
START_SECONDS = 60.0
# The echo of an older heartbeat can't come: its session would have ended.
_OLDEST_BEAT = 3600.0
_BUFFER_BYTES = 1 << 20

# Called with kind, number and payload of each frame.
Receive = Callable[[int, int, bytes], None]


class NoPython(Exception):
    """The host has no python3 (3.6 or later) that runs the program; quotes what it printed."""


class NotStarted(Exception):
    """The program did not start, although the host may have a python3; says why."""


@dataclass(frozen=True, eq=False)
class ProgramSpec:
    """A program for hosts.

    `magic` is the line with which it greets, `facts` the shape of what it then says of itself,
    `most_bytes` the longest payload that it may send.
    """

    bundle: Bundle
    magic: bytes
    facts: Shape
    most_bytes: int = 1 << 20

    @property
    def command_line(self) -> str:
        """The line for the host's login shell. Standard input begins with the bundle's payload."""
        return shlex.join(["exec", "python3", *self.bundle.argv(site=False)])


class RemoteProgram(asyncssh.SSHClientSession[bytes]):
    """The ssh session of a program, from its greeting to its end.

    `facts` is what it said of itself, `rtt` the round trip of its last heartbeat in seconds,
    `reason` why it was lost, `protocol_error` the same if it broke the protocol. Frames go to
    `receive`, which raises ValueError or struct.error if they break the protocol.
    """

    def __init__(self, spec: ProgramSpec, receive: Receive, over: Callable[[], None]) -> None:
        self.facts: dict[str, Any] = {}
        self.rtt = 0.0
        self.reason = ""
        self.protocol_error = ""
        self._spec = spec
        self._receive = receive
        self._over = over
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._socket: socket.socket | None = None
        self._frames = FrameReader(spec.magic, spec.most_bytes)
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Nobody waits if the session can't even be opened: retrieve the exception.
        self._ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._may_write = asyncio.Event()
        self._heartbeat: asyncio.Task[None] | None = None
        self._on_lost: list[Callable[[], None]] = []
        self._stderr = b""
        self._status = 0
        self._heard = time.monotonic()

    @classmethod
    async def open(
        cls,
        connection: asyncssh.SSHClientConnection,
        spec: ProgramSpec,
        receive: Receive,
        over: Callable[[], None] = lambda: None,
    ) -> "RemoteProgram":
        """Send the program to the host and wait until it is ready.

        `over` is called when its session has ended. Raises NoPython if python3 is missing or too
        old, NotStarted, and what asyncssh raises.
        """
        program = cls(spec, receive, over)
        await connection.create_session(
            lambda: program, spec.command_line, encoding=None, request_pty=False
        )
        program.write(spec.bundle.payload + _beat_frame())
        try:
            await asyncio.wait_for(program._ready, START_SECONDS)
        except asyncio.TimeoutError:
            program.close()
            raise NotStarted(
                f"igor's program did not start within {START_SECONDS:.0f} s: a start file of the "
                "login shell (~/.bashrc, ~/.profile, …) is slow, or starts another shell"
            ) from None
        except BaseException:
            program.close()
            raise
        if program.alive:
            program._heartbeat = asyncio.ensure_future(program._beat())
        return program

    @property
    def alive(self) -> bool:
        return self._channel is not None

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call once when the program can't be used any more."""
        self._on_lost.append(callback)

    def send(self, kind: int, number: int, payload: bytes = b"") -> None:
        self.write(HEADER.pack(kind, number, len(payload)) + payload)

    def write(self, data: bytes) -> None:
        """Send whole frames in as few packets as possible."""
        # A session that is just breaking refuses the write; connection_lost follows.
        if self._channel is not None:
            with contextlib.suppress(OSError), self._corked():
                self._channel.write(data)

    async def drain(self) -> None:
        """Wait until little waits to be sent, or the program is lost."""
        await self._may_write.wait()

    def give_up(self, reason: str) -> None:
        """End the session because the program broke the protocol; read nothing more from it."""
        self.protocol_error = reason
        self._frames.clear()
        if not self._ready.done():
            self._ready.set_exception(NotStarted(reason))
        self._lose(reason)

    def close(self) -> None:
        """End the session; the program ends with its input."""
        self._lose("it was closed")

    # Called by asyncssh.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan
        chan.set_write_buffer_limits(_BUFFER_BYTES)
        self._socket = chan.get_extra_info("socket")
        self._may_write.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self._channel is None:
            return
        if datatype is not None:
            self._stderr = (self._stderr + data)[-2000:]
            return
        try:
            had_greeted = self._frames.greeted
            for kind, number, payload in self._frames.feed(data):
                self._take(kind, number, payload)
            if self._frames.greeted and not had_greeted:
                # What was printed before came from the login shell.
                self._stderr = b""
        except (ValueError, LookupError, struct.error) as error:
            self.give_up(f"the host answered nonsense: {error}")

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ready.done() and exc is not None:
            # The whole connection is gone, which says nothing about the host's python3.
            self._ready.set_exception(exc)
        elif not self._ready.done() and self._status == SHELL_STATUS:
            self._ready.set_exception(
                NotStarted(
                    "a start file of the login shell (~/.bashrc, ~/.profile, …) starts another "
                    "shell, which runs no command of ssh; start it only where somebody types: "
                    "case $- in *i*) exec … ;; esac"
                )
            )
        elif not self._ready.done():
            printed = self._stderr or self._frames.tail
            self._ready.set_exception(NoPython(_last_line(printed) or "no python3"))
        last = _last_line(self._stderr) if self._frames.greeted else ""
        self._lose(last or "the connection was lost")
        self._over()

    def _lose(self, reason: str) -> None:
        """Tell that the program can't be used any more, whether its session has ended or not."""
        if self._channel is None:
            return
        channel, self._channel = self._channel, None
        channel.close()
        self.reason = reason
        self._may_write.set()
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        callbacks, self._on_lost = self._on_lost, []
        for callback in callbacks:
            callback()

    def _take(self, kind: int, number: int, payload: bytes) -> None:
        self._heard = time.monotonic()
        if kind == BEAT:
            self.rtt = self._age_of(payload)
        elif kind == READY:
            if self._ready.done():
                raise WrongShape("it was ready twice")
            self.facts = parsed(payload, self._spec.facts, "what it says of itself")
            self._ready.set_result(None)
        else:
            self._receive(kind, number, payload)

    def _age_of(self, payload: bytes) -> float:
        """Return the seconds since the heartbeat was sent that this echoes."""
        age: float = self._heard - struct.unpack(">d", payload)[0]
        if not 0 <= age < _OLDEST_BEAT:
            raise WrongShape("the echo of a heartbeat that was never sent")
        return age

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self.write(_beat_frame())
            if time.monotonic() - self._heard > SILENCE_SECONDS:
                # sshd answers but the program doesn't: it is stopped, or the host is thrashing.
                self._lose(f"it sent nothing for {SILENCE_SECONDS:.0f} s")

    @contextlib.contextmanager
    def _corked(self) -> Iterator[None]:
        """Let TCP join the small packets that asyncssh sends (tcp(7), TCP_CORK)."""
        cork = getattr(socket, "TCP_CORK", None)
        if cork is None or self._socket is None:
            yield
            return
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, cork, 1)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, cork, 0)


def _beat_frame() -> bytes:
    payload = struct.pack(">d", time.monotonic())
    return HEADER.pack(BEAT, 0, len(payload)) + payload


def _last_line(printed: bytes) -> str:
    lines = printed.decode("utf-8", "replace").strip().splitlines()
    return words(lines[-1]) if lines else ""
