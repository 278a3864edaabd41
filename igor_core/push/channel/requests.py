"""Requests to a program on a host: frames out together, each answer to whoever waits for it."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from igor_core.errors import HostError
from igor_core.push.channel.pace import Pace
from igor_core.push.channel.progress import Progress
from igor_core.remote.frames import HEADER
from igor_core.remote.receiver import frames
from igor_core.shapes import WrongShape, words
from igor_core.ssh.failures import connection_lost
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.remote_program import ProgramSpec, RemoteProgram

T = TypeVar("T")

# So often, while anything is asked for, it is looked whether the receiver does it.
LOOK_SECONDS = 10.0
# What many answers lead to would hold up the event loop: in one turn so many are passed on.
ANSWERS_AT_ONCE = 128


class Requests:
    """The requests under way on one program."""

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
        # Files on their way, by what of them is not taken yet: nothing is owed but for that.
        self._uploads: dict[int, int] = {}
        self._progress = Progress()
        self._looking: asyncio.TimerHandle | None = None
        self._answered: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._passed_on = 0
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

        ValueError and struct.error from there mean nonsense. The future fails with a HostError
        when the program is lost.
        """
        return self.begin(kind, take, *payload)[1]

    def begin(
        self, kind: int, take: Callable[[int, bytes], T | None], *payload: bytes
    ) -> "tuple[int, asyncio.Future[T]]":
        """The same, with the request's number, for more frames under it."""
        self._last = number = next(self._numbers)
        future: asyncio.Future[T] = self._loop.create_future()
        if self.alive:
            self._waiting[number] = take, future
            self._sizes[number] = self.tell(kind, *payload, number=number)
            self._count_sent(self._sizes[number])
            if self._looking is None:
                self._begin_to_look()
        else:
            _fail(future, self._error())
        return number, future

    def begin_upload(
        self, take: Callable[[int, bytes], T | None], *payload: bytes
    ) -> "tuple[int, asyncio.Future[T]]":
        """The same for a file in chunks: its answer is due after the `commit`."""
        number, future = self.begin(frames.BEGIN, take, *payload)
        if self.alive:
            self._uploads[number] = 0
        return number, future

    def tell(self, kind: int, *payload: bytes, number: int = 0) -> int:
        """Send a frame; it leaves with all others of this turn of the event loop. Its size."""
        if not self._unsent:
            self._loop.call_soon(self.flush)
        size = sum(map(len, payload))
        self._unsent.append(HEADER.pack(kind, number, size))
        self._unsent += payload
        return size

    def send_chunk(self, number: int, chunk: bytes) -> None:
        """A part of what was begun under a number; the answer to it is its size."""
        if number in self._uploads:
            self._uploads[number] += len(chunk)
        self._count_sent(self.tell(frames.CHUNK, chunk, number=number))

    def commit(self, number: int) -> None:
        """All of it has been sent."""
        self._uploads.pop(number, None)
        self.tell(frames.COMMIT, number=number)

    def forget(self, number: int) -> None:
        """No answer comes to this any more."""
        self._waiting.pop(number, None)
        self._uploads.pop(number, None)
        self._count_taken(self._sizes.pop(number, 0))

    def flush(self) -> None:
        """Send now what is to be sent."""
        if self._unsent and self._program is not None:
            data = b"".join(self._unsent)
            self._unsent.clear()
            self._program.write(data)

    async def drain(self) -> None:
        """Wait until not too much is under way, or the program is lost."""
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
            raise WrongShape(f"it did not understand: {words(payload)}")
        if not 0 < number <= self._last:
            raise WrongShape(f"an answer to request {number}, which was never made")
        if kind == frames.WORKING:
            self._progress.works()
            return
        self._progress.moves()
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
            self._answered.append((future, value))
            self._pass_on()

    def _take_chunk(self, number: int, size: int) -> None:
        """Of a file that was given up, or that is whole, nobody counts any more."""
        if number in self._uploads:
            self._uploads[number] -= size
            if self._uploads[number] < 0:
                raise WrongShape("it took more of a file than was sent")
        self._count_taken(size)

    def _begin_to_look(self) -> None:
        self._progress = Progress()
        self._looking = self._loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """While anything is asked for: whether the receiver does it."""
        self._looking = None
        if not self.alive or not self._waiting:
            return
        owes = any(self._uploads.get(number, 1) for number in self._waiting)
        stuck = self._progress.stuck(owes)
        if stuck and self._program is not None:
            self._program.give_up(stuck)
            return
        self._looking = self._loop.call_later(LOOK_SECONDS, self._look)

    def _pass_on(self) -> None:
        while self._answered and self._passed_on < ANSWERS_AT_ONCE:
            if self._passed_on == 0:
                self._loop.call_soon(self._pass_on_more)
            self._passed_on += 1
            future, value = self._answered.popleft()
            if not future.done():
                future.set_result(value)

    def _pass_on_more(self) -> None:
        self._passed_on = 0
        self._pass_on()

    def _lose(self) -> None:
        self._may_send.set()
        if self._looking is not None:
            self._looking.cancel()
        waiting, self._waiting = self._waiting, {}
        for _take, future in waiting.values():
            _fail(future, self._error())

    def _error(self) -> HostError:
        if self._host.state != "connected":
            return connection_lost(self._host.name, self._host.protocol_error)
        return HostError(
            f"{self._host.name}: igor's program there ended: {self.why_lost}",
            "igor starts it again on next use",
        )


def _fail(future: "asyncio.Future[Any]", error: HostError) -> None:
    if not future.done():
        future.set_exception(error)
        # Whoever sent it may not care how it ended.
        future.exception()
