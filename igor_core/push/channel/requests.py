"""Requests to a receiver, sent together, and its answers, each to the future that waits for it."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, TypeVar

from igor_core.errors import HostError
from igor_core.push.channel.delivery import Delivery
from igor_core.push.channel.pace import Pace
from igor_core.push.channel.stall_watch import StallWatch
from igor_core.remote.frames import HEADER
from igor_core.remote.receiver import frames
from igor_core.shapes import WrongShape, words
from igor_core.ssh.failures import connection_lost
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.remote_program import ProgramSpec, RemoteProgram

T = TypeVar("T")


class Requests:
    """The open requests of one receiver."""

    def __init__(self, host: RemoteHost) -> None:
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._program: RemoteProgram | None = None
        self._numbers = itertools.count(1)
        self._last = 0
        self._waiting: dict[int, tuple[Callable[[int, bytes], Any], asyncio.Future[Any]]] = {}
        self._unsent: list[bytes] = []
        self._pace = Pace()
        self._sizes: dict[int, int] = {}
        # The unacknowledged bytes of each upload. Before its commit no other answer is due.
        self._uploads: dict[int, int] = {}
        self._stall_watch = StallWatch(self._is_owed, self._give_up)
        self._delivery = Delivery()
        self._may_send = asyncio.Event()
        self._may_send.set()

    @classmethod
    async def open(cls, host: RemoteHost, spec: ProgramSpec) -> "Requests":
        """Start the program. Raises NoPython, HostError."""
        requests = cls(host)
        program = await host.open_program(spec, requests._take)
        requests._program = program
        program.on_lost(requests._lose)
        if not program.alive:
            raise requests._error()
        return requests

    @property
    def alive(self) -> bool:
        return self._program is not None and self._program.alive

    @property
    def pending(self) -> int:
        return len(self._waiting)

    @property
    def why_lost(self) -> str:
        return self._program.reason if self._program else ""

    @property
    def broken(self) -> str:
        return self._program.protocol_error if self._program else ""

    def on_lost(self, callback: Callable[[], None]) -> None:
        if self._program is not None:
            self._program.on_lost(callback)

    def close(self) -> None:
        if self._program is not None:
            self._program.close()

    def ask(
        self, kind: int, take: Callable[[int, bytes], T | None], *payload: bytes
    ) -> "asyncio.Future[T]":
        """Send a request. `take` gets the answer's frames, and returns a value at the last one.

        If it raises ValueError or struct.error, the receiver has broken the protocol. The future
        fails with a HostError if the receiver is lost.
        """
        return self.begin(kind, take, *payload)[1]

    def begin(
        self, kind: int, take: Callable[[int, bytes], T | None], *payload: bytes
    ) -> "tuple[int, asyncio.Future[T]]":
        """Like `ask`, and return the number of the request, for further frames of it."""
        self._last = number = next(self._numbers)
        future: asyncio.Future[T] = self._loop.create_future()
        if self.alive:
            self._waiting[number] = take, future
            self._sizes[number] = self.tell(kind, *payload, number=number)
            self._count_sent(self._sizes[number])
            self._stall_watch.start()
        else:
            _fail(future, self._error())
        return number, future

    def begin_upload(
        self, take: Callable[[int, bytes], T | None], *payload: bytes
    ) -> "tuple[int, asyncio.Future[T]]":
        """Like `begin`, for a file in chunks; its answer is due after the `commit`."""
        number, future = self.begin(frames.BEGIN, take, *payload)
        if self.alive:
            self._uploads[number] = 0
        return number, future

    def tell(self, kind: int, *payload: bytes, number: int = 0) -> int:
        """Send a frame at the end of this turn of the event loop. Return its size."""
        if not self._unsent:
            self._loop.call_soon(self.flush)
        size = sum(map(len, payload))
        self._unsent.append(HEADER.pack(kind, number, size))
        self._unsent += payload
        return size

    def send_chunk(self, number: int, chunk: bytes) -> None:
        """Send a part of an upload; the receiver acknowledges its size."""
        if number in self._uploads:
            self._uploads[number] += len(chunk)
        self._count_sent(self.tell(frames.CHUNK, chunk, number=number))

    def commit(self, number: int) -> None:
        """Tell the receiver that all of an upload has been sent."""
        self._uploads.pop(number, None)
        self.tell(frames.COMMIT, number=number)

    def forget(self, number: int) -> None:
        """Drop a request whose answer nobody waits for."""
        self._waiting.pop(number, None)
        self._uploads.pop(number, None)
        self._count_taken(self._sizes.pop(number, 0))

    def flush(self) -> None:
        """Send now what would leave at the end of this turn of the event loop."""
        if self._unsent and self._program is not None:
            data = b"".join(self._unsent)
            self._unsent.clear()
            self._program.write(data)

    async def drain(self) -> None:
        """Wait until the line has taken enough, or the receiver is lost."""
        self.flush()
        while self.alive and not self._pace.may_send:
            self._may_send.clear()
            await self._may_send.wait()
        if self._program is not None:
            await self._program.drain()

    def _count_sent(self, size: int) -> None:
        self._pace.sent(size, self._loop.time())

    def _count_taken(self, size: int) -> None:
        self._pace.taken(size, self._loop.time())
        if self._pace.may_send:
            self._may_send.set()

    def _take(self, kind: int, number: int, payload: bytes) -> None:
        if kind == frames.NONSENSE:
            raise WrongShape(f"it did not understand igor: {words(payload)}")
        if not 0 < number <= self._last:
            raise WrongShape(f"an answer to request {number}, which was never made")
        if kind == frames.WORKING:
            self._stall_watch.note_work()
            return
        self._stall_watch.note_answer()
        if kind == frames.TAKEN:
            self._take_chunk(number, *frames.NUMBER.unpack(payload))
        else:
            self._count_taken(self._sizes.pop(number, 0))
        if number not in self._waiting:
            return
        take, future = self._waiting[number]
        value = take(kind, payload)
        if value is not None:
            del self._waiting[number]
            self._delivery.add(future, value)

    def _take_chunk(self, number: int, size: int) -> None:
        """Count an acknowledged chunk, also of an upload that has ended meanwhile."""
        if number in self._uploads:
            self._uploads[number] -= size
            if self._uploads[number] < 0:
                raise WrongShape("it took more of a file than was sent")
        self._count_taken(size)

    def _is_owed(self) -> bool | None:
        """Whether an answer is due; None while there are no requests."""
        if not self.alive or not self._waiting:
            return None
        return any(self._uploads.get(number, 1) for number in self._waiting)

    def _give_up(self, reason: str) -> None:
        if self._program is not None:
            self._program.give_up(reason)

    def _lose(self) -> None:
        self._may_send.set()
        self._stall_watch.stop()
        waiting, self._waiting = self._waiting, {}
        for _take, future in waiting.values():
            _fail(future, self._error())

    def _error(self) -> HostError:
        if self._host.state != "connected":
            return connection_lost(self._host.name, self._host.protocol_error)
        return HostError(
            f"{self._host.name}: the receiver on the host ended: {self.why_lost}",
            "igor starts it again when it is needed",
        )


def _fail(future: "asyncio.Future[Any]", error: HostError) -> None:
    if not future.done():
        future.set_exception(error)
        # The sender may not care how it ended.
        future.exception()
