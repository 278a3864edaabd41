"""A local port behind which a debugged program listens.

Each debugger's connection is joined with a remote relay of its own. One relay is started ahead,
since starting it takes most of the time that a connection takes.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable

from igor_core.debug.launch import HELPER
from igor_core.debug.port.peer_check import CHUNK, first_bytes, is_ours
from igor_core.debug.port.screening import Screening
from igor_core.errors import HostError, IgorError
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import LOST, Command, Process

LOOPBACK = "127.0.0.1"
TRIES = 64
_TERMINATED = re.compile(rb'"event"\s*:\s*"terminated"')
_DISCONNECT = re.compile(rb'"command"\s*:\s*"disconnect"')

# Exit statuses of a relay that ended by itself, with the program, or with the connection.
_USUAL = (0, 130, 137, 143, LOST)

Leave = Callable[[], Awaitable[None]]


class DebugListener:
    """Listens on 127.0.0.1 for one session, from `open` to `close`; `port` is the port in use.

    `leaving` is awaited before the last debugger's `disconnect` reaches debugpy, or after it closed
    its connection without one: debugpy lets a stopped program run on. `report` is called with
    the reason if a connection cannot be joined with its relay.
    """

    def __init__(
        self,
        host: RemoteHost,
        relay: Callable[[], Command],
        leaving: Leave,
        report: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.port = 0
        self._report = report
        self._host = host
        self._relay = relay
        self._leaving = leaving
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[object] = set()
        self._told: set[object] = set()
        self._departing: set[object] = set()
        self._news = asyncio.Event()
        self._spare: asyncio.Task[Process] | None = None
        self._closed = False

    def warm(self) -> None:
        """Start the relay for the next connection."""
        if self._spare is None and not self._closed:
            self._spare = asyncio.ensure_future(self._start())
            self._spare.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def open(self, first: int) -> None:
        """Listen on `first` or the next free port. Raises HostError if none is free."""
        for port in range(first, min(first + TRIES, 1 << 16)):
            try:
                self._server = await asyncio.start_server(self._accept, LOOPBACK, port)
            except OSError:
                continue
            self.port = port
            return
        raise HostError(
            f"no free port on {LOOPBACK} from {first} on", 'choose another "debug_port"'
        )

    async def told(self, seconds: float) -> None:
        """Wait until each debugger knows that the program has ended, at most `seconds`.

        One that has sent `disconnect` knows when debugpy has closed its connection.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while (self._open - self._told) | (self._open & self._departing):
            self._news.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, left))
            except asyncio.TimeoutError:
                return

    async def close(self) -> None:
        """Stop listening; end the connections and their relays."""
        self._closed = True
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._spare is not None:
            with contextlib.suppress(IgorError, asyncio.CancelledError):
                await (await self._spare).end()

    async def _start(self) -> Process:
        process = await self._host.start(self._relay())
        await process.write(HELPER.payload)
        return process

    async def _take_spare(self) -> Process:
        self.warm()
        assert self._spare is not None
        taken, self._spare = self._spare, None
        process = await taken
        if process.finished:
            process = await self._start()
        self.warm()
        return process

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # A client that only probes the port must not reach debugpy, which would serve no other.
            first = await first_bytes(reader) if is_ours(writer) else b""
            if first:
                await self._join(first, reader, writer)
        except (ConnectionError, IgorError, ValueError):
            # ValueError: the client does not speak the Debug Adapter Protocol.
            pass
        finally:
            writer.close()

    async def _join(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        name = object()
        self._open.add(name)
        try:
            process = await self._take_spare()
        except BaseException:
            self._open.discard(name)
            raise
        upward = asyncio.ensure_future(self._upward(name, first, reader, process))
        downward = asyncio.ensure_future(self._downward(name, process, writer))
        try:
            await asyncio.wait([upward, downward], return_when=asyncio.FIRST_COMPLETED)
            if downward.done() and isinstance(downward.exception(), ValueError):
                self._report(f"unexpected output from the relay: {downward.exception()}")
            elif downward.done() and not downward.exception() and process.status not in _USUAL:
                self._report(downward.result() or process.error)
            if upward.done() and not downward.done():
                await self._leave(name)
                process.write_eof()
                await asyncio.wait([downward], timeout=3.0)
            elif process.status == 0:
                # debugpy has closed the connection.
                await self._leave(name)
        finally:
            self._open.discard(name)
            self._told.discard(name)
            self._departing.discard(name)
            self._news.set()
            upward.cancel()
            downward.cancel()
            if not process.finished:
                await asyncio.shield(process.end())

    async def _leave(self, name: object) -> None:
        """A debugger is about to leave: the last one that leaves a live program ends it."""
        others = self._open - self._told - self._departing - {name}
        if name not in self._told and not others:
            await self._leaving()

    async def _upward(
        self, name: object, data: bytes, reader: asyncio.StreamReader, process: Process
    ) -> None:
        last = b""
        with contextlib.suppress(ConnectionError):
            while data:
                last = last[-64:] + data
                if name not in self._departing and _DISCONNECT.search(last):
                    self._departing.add(name)
                    await self._leave(name)
                await process.write(data)
                data = await reader.read(CHUNK)

    async def _downward(self, name: object, process: Process, writer: asyncio.StreamWriter) -> str:
        """Copy until the relay ends; return the last line of its standard error."""
        last = said = b""
        screening = Screening()
        while (item := await process.read()) is not None:
            stream, data = item
            if stream != "stdout":
                said = (said + data)[-1000:]
                continue
            writer.write(screening.feed(data))
            await writer.drain()
            last = last[-64:] + data
            if _TERMINATED.search(last):
                self._told.add(name)
                self._news.set()
        return (said.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
