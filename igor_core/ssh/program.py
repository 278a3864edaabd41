"""A Python program of igor's that runs on a host: sent over the wire, nothing is installed.

One ssh session carries it: its sources to `python3`, then frames both ways.
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
from igor_core.remote.packer import Bundle
from igor_core.shapes import Shape, WrongShape, parsed, words

BEAT_SECONDS = 10.0
START_SECONDS = 20.0
# A login shell may print so much before the program greets.
MOST_PRINTED = 1 << 20
# An echo is that of a heartbeat that is younger: older ones have ended the session.
_OLDEST_BEAT = 3600.0
_BUFFER_BYTES = 1 << 20

Receive = Callable[[int, int, bytes], None]


class NoPython(Exception):
    """The host has no python3 (3.6 or later) that could run the program; says what it said."""


class Nonsense(Exception):
    """What answered before the program was ready is not the program; says how that is known."""


@dataclass(frozen=True, eq=False)
class Script:
    """A program for hosts and its greeting.

    `facts` is the shape of what it says of itself, and no frame of it is longer than `most_bytes`.
    """

    bundle: Bundle
    magic: bytes
    facts: Shape
    most_bytes: int = 1 << 20

    @property
    def line(self) -> str:
        """What the login shell runs; the program reads its own source first."""
        return shlex.join(["exec", "python3", *self.bundle.argv(site=False)])


class RemoteProgram(asyncssh.SSHClientSession[bytes]):
    """The session of a program, from its first word to its end.

    `facts` is what it said of itself, `rtt` the seconds of its last heartbeat, `reason` why it
    was lost, `broken` the same where it did not keep to the protocol. Frames go to `receive` as
    kind, number, payload; ValueError or struct.error from there mean that the host talks
    nonsense.
    """

    def __init__(self, script: Script, receive: Receive, over: Callable[[], None]) -> None:
        self.facts: dict[str, Any] = {}
        self.rtt = 0.0
        self.reason = ""
        self.broken = ""
        self._script = script
        self._receive = receive
        self._over = over
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._socket: socket.socket | None = None
        self._inbox = bytearray()
        # Of what came before the greeting, so much has been passed over.
        self._printed = 0
        self._greeted = False
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Where the session can't even be opened, nobody waits for it.
        self._ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._may_write = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None
        self._lost: list[Callable[[], None]] = []
        self._last_words = b""
        self._heard = time.monotonic()

    @classmethod
    async def open(
        cls,
        connection: asyncssh.SSHClientConnection,
        script: Script,
        receive: Receive,
        over: Callable[[], None] = lambda: None,
    ) -> "RemoteProgram":
        """Send the program to the host and wait until it is ready; `over`: its session has ended.

        Raises NoPython where python3 is missing or too old, Nonsense, and what asyncssh raises.
        """
        program = cls(script, receive, over)
        await connection.create_session(
            lambda: program, script.line, encoding=None, request_pty=False
        )
        program.write(script.bundle.payload + _beat())
        try:
            await asyncio.wait_for(program._ready, START_SECONDS)
        except asyncio.TimeoutError:
            program.close()
            raise NoPython("python3 on the host does not answer") from None
        except BaseException:
            program.close()
            raise
        if program.alive:
            program._beating = asyncio.ensure_future(program._beat())
        return program

    @property
    def alive(self) -> bool:
        return self._channel is not None

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call once when it is of no use any more."""
        self._lost.append(callback)

    def send(self, kind: int, number: int, payload: bytes = b"") -> None:
        self.write(HEADER.pack(kind, number, len(payload)) + payload)

    def write(self, data: bytes) -> None:
        """Send whole frames, as few packets as it takes."""
        # A session that is just breaking refuses the write; connection_lost follows.
        if self._channel is not None:
            with contextlib.suppress(OSError), self._corked():
                self._channel.write(data)

    async def drain(self) -> None:
        """Wait until not too much waits to be sent, or it is lost."""
        await self._may_write.wait()

    def give_up(self, reason: str) -> None:
        """End the session since the host does not do its part."""
        self._distrust(reason)

    def close(self) -> None:
        """End the session; the program ends with its input."""
        self._lose("it was closed")

    # What asyncssh tells a session.

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
            self._last_words = (self._last_words + data)[-2000:]
            return
        self._inbox += data
        try:
            if self._greeted or self._find_greeting(len(data)):
                self._take_frames()
        except (ValueError, LookupError, struct.error) as error:
            self._distrust(f"the host answered nonsense: {error}")

    def _distrust(self, reason: str) -> None:
        """It does not keep to the protocol: nothing more of it is read."""
        self.broken = reason
        self._inbox.clear()
        if not self._ready.done():
            self._ready.set_exception(Nonsense(reason))
        self._lose(reason)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ready.done() and exc is not None:
            # Nothing is known of the host's python3: the whole connection has gone.
            self._ready.set_exception(exc)
        elif not self._ready.done():
            last = self._last_words or bytes(self._inbox[-2000:])
            said = last.decode("utf-8", "replace").strip().splitlines()
            self._ready.set_exception(NoPython(words(said[-1]) if said else "no python3"))
        self._lose(self._said_last() or "the connection was lost")
        self._over()

    def _said_last(self) -> str:
        """The last line of what it said when it ended by itself."""
        said = self._last_words.decode("utf-8", "replace").strip().splitlines()
        return words(said[-1]) if said and self._greeted else ""

    def _lose(self, reason: str) -> None:
        """It is of no use any more, whether its session has ended or not."""
        if self._channel is None:
            return
        channel, self._channel = self._channel, None
        channel.close()
        self.reason = reason
        self._may_write.set()
        if self._beating is not None:
            self._beating.cancel()
        callbacks, self._lost = self._lost, []
        for callback in callbacks:
            callback()

    def _find_greeting(self, new: int) -> bool:
        """Pass over what the host's login shell may have printed first; `new` bytes just came.

        ValueError where that is more than any shell prints.
        """
        magic = self._script.magic
        at = self._inbox.find(magic, max(0, len(self._inbox) - new - len(magic)))
        if at < 0:
            passed = max(0, len(self._inbox) - 4 * len(magic) - 2000)
            self._printed += passed
            del self._inbox[:passed]
            if self._printed > MOST_PRINTED:
                raise ValueError(
                    f"it printed more than {MOST_PRINTED >> 20} MB before igor's program began"
                )
            return False
        del self._inbox[: at + len(magic)]
        # What was said before isn't the program's.
        self._last_words = b""
        self._greeted = True
        return True

    def _take_frames(self) -> None:
        at = 0
        while len(self._inbox) - at >= HEADER.size:
            kind, number, length = HEADER.unpack_from(self._inbox, at)
            if length > self._script.most_bytes:
                raise WrongShape(f"a frame of {length} bytes")
            start = at + HEADER.size
            if len(self._inbox) - start < length:
                break
            at = start + length
            self._take(kind, number, bytes(self._inbox[start:at]))
        del self._inbox[:at]

    def _take(self, kind: int, number: int, payload: bytes) -> None:
        self._heard = time.monotonic()
        if kind == BEAT:
            self.rtt = self._age_of(payload)
        elif kind == READY:
            if self._ready.done():
                raise WrongShape("it was ready twice")
            self.facts = parsed(payload, self._script.facts, "what it says of itself")
            self._ready.set_result(None)
        else:
            self._receive(kind, number, payload)

    def _age_of(self, payload: bytes) -> float:
        """Seconds since the heartbeat was sent that this is the echo of."""
        age: float = self._heard - struct.unpack(">d", payload)[0]
        if not 0 <= age < _OLDEST_BEAT:
            raise WrongShape("the echo of a heartbeat that was never sent")
        return age

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self.write(_beat())
            if time.monotonic() - self._heard > SILENCE_SECONDS:
                # sshd answers, the program does not: it is stopped or the host is thrashing.
                self._lose(f"it said nothing for {SILENCE_SECONDS:.0f} s")

    @contextlib.contextmanager
    def _corked(self) -> Iterator[None]:
        """Asyncssh sends several small packets where TCP could send one (tcp(7), TCP_CORK)."""
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


def _beat() -> bytes:
    payload = struct.pack(">d", time.monotonic())
    return HEADER.pack(BEAT, 0, len(payload)) + payload
