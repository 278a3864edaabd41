"""A process on a host, whether the supervisor carries it or an ssh session of its own."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from igor_core.errors import HostError
from igor_core.shapes import WrongShape

# The exit status that ssh, too, uses for its own failure.
LOST = 255
# Waiting output is joined up to this size, and credit is granted in such steps: so the echo of a
# key costs one packet, and much output few.
STEP = 1 << 16
# With more pieces than this, output is joined even out of turn: each piece costs 200 bytes.
MOST_PIECES = 1 << 12
# How much a command may write whose whole output is collected, unless its caller says otherwise.
MOST_OUTPUT = 16 << 20
# Killing takes INT, TERM and KILL, in the container and then on the host: 35 s at most.
END_SECONDS = 60.0


@dataclass(frozen=True)
class Command:
    """What to run: an argument list, never a line for a shell.

    `pty` is (columns, rows) for a process on a pseudo-terminal. `announce` and `end` belong to
    programs inside a container: the first line of output names the process group there, and
    `end` is the command that kills it (see remote/supervisor/frames.py).
    """

    argv: Sequence[str]
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    pty: tuple[int, int] | None = None
    announce: bool = False
    end: Sequence[str] = ()


@dataclass(frozen=True)
class Completed:
    """The exit status of a process (128 + n for signal n), and all that it wrote."""

    status: int
    stdout: bytes
    stderr: bytes


class TooMuch(HostError):
    """A command wrote more than its caller reads; it has been killed."""


class Carrier(Protocol):
    """Carries a process's input, window size and signals to the host."""

    def send_input(self, process: "Process", data: bytes) -> None: ...

    def send_eof(self, process: "Process") -> None: ...

    def send_resize(self, process: "Process", columns: int, rows: int) -> None: ...

    def send_signal(self, process: "Process", name: str) -> None: ...

    def send_end(self, process: "Process") -> None: ...

    def grant(self, process: "Process", count: int) -> None: ...


class Process:
    """A running process. Read it to its end; then `status`, `ended` and `error` are set.

    `status` is its exit status, 128 + n for signal n, 255 if the connection was lost. `ended`
    names the signal with which `end` killed it. `error` says why it could not be started or was
    lost.
    """

    def __init__(self, carrier: Carrier, ident: int, input_credit: int) -> None:
        self.ident = ident
        self.status = LOST
        self.ended = ""
        self.error = ""
        self._carrier = carrier
        self._output: deque[tuple[str, bytearray]] = deque()
        self._news = asyncio.Event()
        self._ungranted = 0
        self._finished = asyncio.Event()
        self._dropping = False
        self._input_credit = self._most_credit = input_credit
        self._may_write = asyncio.Event()
        self._may_write.set()

    @property
    def finished(self) -> bool:
        return self._finished.is_set()

    @property
    def lost(self) -> bool:
        """Whether the connection ended before the process did."""
        return self.finished and self.status == LOST and bool(self.error)

    async def read(self) -> tuple[str, bytes] | None:
        """Return the next ("stdout" or "stderr", bytes), or None when the process has ended.

        Reading grants the program as much output again: if the reader stops, so does the program.
        """
        while not self._output:
            if self._finished.is_set():
                return None
            self._news.clear()
            await self._news.wait()
        stream, data = self._output.popleft()
        self._ungranted += len(data)
        if self._ungranted >= STEP:
            self._grant(0)
        return stream, bytes(data)

    async def write(self, data: bytes) -> None:
        """Send to standard input; wait while the program does not read."""
        view = memoryview(data)
        while view:
            await self._may_write.wait()
            if self._finished.is_set():
                return
            part, view = view[: self._input_credit], view[self._input_credit :]
            self._spend(len(part))
            self._carrier.send_input(self, bytes(part))

    def write_eof(self) -> None:
        self._carrier.send_eof(self)

    def resize(self, columns: int, rows: int) -> None:
        self._carrier.send_resize(self, columns, rows)

    def signal(self, name: str) -> None:
        """Send a signal ("INT", "TERM", …) to the process group."""
        self._carrier.send_signal(self, name)

    def begin_end(self) -> None:
        """Ask for it to be killed; its last output must still be read."""
        if not self._finished.is_set():
            self._carrier.send_end(self)

    async def end(self) -> None:
        """Kill it for good (INT, TERM, KILL) and wait until it has ended.

        Stop waiting after END_SECONDS; whatever the host sends later is ignored.
        """
        self.abandon()
        try:
            await asyncio.wait_for(self._finished.wait(), END_SECONDS)
        except asyncio.TimeoutError:
            self.exited(LOST, error=f"the host did not kill it within {END_SECONDS:.0f} s")

    def abandon(self) -> None:
        """Ask for it to be killed, without waiting; drop what it still writes."""
        if not self._finished.is_set():
            self._dropping = True
            waiting = sum(len(data) for _stream, data in self._output)
            self._output.clear()
            self._grant(waiting)
            self._carrier.send_end(self)

    async def wait(self) -> int:
        await self._finished.wait()
        return self.status

    # Called by the carrier.

    def received(self, stream: str, data: bytes) -> None:
        if self._dropping:
            self._grant(len(data))
            return
        if self._output and self._output[-1][0] == stream and len(self._output[-1][1]) < STEP:
            self._output[-1][1].extend(data)
        elif len(self._output) > MOST_PIECES and self._output[-2][0] == stream:
            self._output[-2][1].extend(data)
        else:
            self._output.append((stream, bytearray(data)))
        self._news.set()

    def credited(self, count: int) -> None:
        """Note that the program took input. Raises WrongShape for more than was sent."""
        self._input_credit += count
        if self._input_credit > self._most_credit:
            raise WrongShape("more credit than it has taken input")
        self._may_write.set()

    def exited(self, status: int, ended: str = "", error: str = "") -> None:
        if self._finished.is_set():
            return
        self.status, self.ended, self.error = status, ended, error
        self._finished.set()
        self._may_write.set()
        self._news.set()

    def _grant(self, count: int) -> None:
        self._carrier.grant(self, self._ungranted + count)
        self._ungranted = 0

    def _spend(self, count: int) -> None:
        self._input_credit -= count
        if self._input_credit <= 0:
            self._may_write.clear()


async def complete(process: Process, data: bytes, most: int = MOST_OUTPUT) -> Completed:
    """Feed `data` to a process, read it to its end, and return all that it wrote.

    Kills the process if the caller is cancelled, or if it writes more than `most` bytes; raises
    TooMuch then.
    """
    chunks: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    feeding = asyncio.ensure_future(_feed(process, data))
    left = most
    try:
        while (item := await process.read()) is not None:
            left -= len(item[1])
            if left < 0:
                process.abandon()
                raise TooMuch(f"it printed more than {most >> 20} MB")
            chunks[item[0]].append(item[1])
    except asyncio.CancelledError:
        process.abandon()
        raise
    finally:
        feeding.cancel()
    if process.error:
        chunks["stderr"].append(process.error.encode("utf-8", "replace"))
    return Completed(process.status, b"".join(chunks["stdout"]), b"".join(chunks["stderr"]))


async def _feed(process: Process, data: bytes) -> None:
    await process.write(data)
    process.write_eof()
