"""A port on this machine, each connection to which becomes a process on a host."""

import asyncio
import contextlib
from collections.abc import Callable

from igor_core.errors import IgorError
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Process

CHUNK = 1 << 16
LOOPBACK = "127.0.0.1"

# Told in one sentence why a connection could not be joined to its process.
Report = Callable[[str], None]


class Forward:
    """Listens on 127.0.0.1 until it is closed. `port` is the port that it got."""

    def __init__(self, host: RemoteHost, command: Callable[[], Command], report: Report) -> None:
        self.port = 0
        self._host = host
        self._command = command
        self._report = report
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> None:
        try:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, port)
        except OSError as error:
            raise IgorError(
                f"{LOOPBACK}:{port} can't be listened on: {error.strerror}",
                "another program has it; choose another port",
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and end what runs for the open connections."""
        if self._server is not None:
            self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._relay(reader, writer))
        self._relays.add(task)
        task.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._host.process(self._command()) as process:
                upward = asyncio.ensure_future(_upward(reader, process))
                try:
                    said = await _downward(process, writer)
                finally:
                    upward.cancel()
                if process.status != 0:
                    self._report(said or process.error or f"it ended with {process.status}")
        except IgorError as error:
            self._report(error.message)
        except ConnectionError:
            # The program that had connected is gone; its process has been ended.
            pass
        finally:
            writer.close()


async def listen(
    host: RemoteHost, port: int, command: Callable[[], Command], report: Report
) -> Forward:
    """Listen on 127.0.0.1:`port` (0: any); each connection gets a process of its own.

    Its standard input and output are the connection's two directions, with back-pressure both
    ways. Raises IgorError where the port is taken.
    """
    forward = Forward(host, command, report)
    await forward.open(port)
    return forward


async def _upward(reader: asyncio.StreamReader, process: Process) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            await process.write(data)
    process.write_eof()


async def _downward(process: Process, writer: asyncio.StreamWriter) -> str:
    """Copy to the process's end; the last line of its standard error."""
    said = b""
    while (item := await process.read()) is not None:
        stream, data = item
        if stream == "stdout":
            writer.write(data)
            await writer.drain()
        else:
            said = (said + data)[-1000:]
    with contextlib.suppress(OSError):
        writer.write_eof()
    return (said.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
