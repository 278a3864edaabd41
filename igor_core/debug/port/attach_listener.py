"""A local port behind which debug adapters attach to one running process."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

from igor_core.debug.port.dap_rewrite import Answers, Rewriting
from igor_core.debug.port.listener import DebugListener
from igor_core.debug.processes.probe import ADAPTER
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.process import Command, Process

# How long an adapter may take to detach from the process.
LEAVE_SECONDS = 5.0


class AttachListener(DebugListener):
    """Each connection gets a remote adapter of its own, which attaches to process `pid`.

    The process lives on however a debugger leaves. `report` is as in DebugListener.
    """

    def __init__(
        self,
        host: RemoteHost,
        adapter: Callable[[], Command],
        pid: int,
        report: Callable[[str], None],
    ) -> None:
        super().__init__(host, adapter, _nothing, report)
        self._pid = pid
        self._came = False
        self._joined: set[_Rewritten] = set()

    async def until_left(self) -> None:
        """Wait until the last debugger has left, or each knows that the session has ended."""
        while not (self._came and self._is_left()):
            self._news.clear()
            await self._news.wait()

    def _is_left(self) -> bool:
        return not self._joined or self._all_told

    @property
    def _all_told(self) -> bool:
        return bool(self._open and self._open <= self._told)

    @property
    def ends(self) -> bool:
        """Whether the session ended without a debugger's request: the process is ending."""
        return self._all_told and not any(each.takes_leave for each in self._joined)

    async def close(self) -> None:
        """Let each adapter detach from the process: after one that is killed, no other adapter can
        attach for a while."""
        for reader in self._joined:
            reader.close()
        deadline = asyncio.get_running_loop().time() + LEAVE_SECONDS
        while self._joined and (left := deadline - asyncio.get_running_loop().time()) > 0:
            self._news.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)
        await super().close()

    async def _start(self) -> Process:
        process = await self._host.start(self._relay())
        await process.write(ADAPTER.payload)
        return process

    async def _join(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        rewritten = _Rewritten(reader, Rewriting(self._pid))
        start = await rewritten.starting_with(first)
        self._came = bool(start) or self._came
        if not start:
            return
        self._joined.add(rewritten)
        try:
            await super()._join(
                start,
                cast(asyncio.StreamReader, rewritten),
                cast(asyncio.StreamWriter, _Answered(writer)),
            )
        finally:
            self._joined.discard(rewritten)
            self._news.set()


class _Rewritten:
    """A reader of the debugger's messages as the adapter gets them."""

    def __init__(self, reader: asyncio.StreamReader, messages: Rewriting) -> None:
        self._reader = reader
        self._messages = messages
        self._closing = asyncio.Event()

    @property
    def takes_leave(self) -> bool:
        """Whether the debugger has asked to disconnect."""
        return self._messages.takes_leave

    def close(self) -> None:
        """Stop reading from the debugger."""
        self._closing.set()

    async def starting_with(self, data: bytes) -> bytes:
        return self._messages.feed(data) or await self.read(1 << 16)

    async def read(self, most: int) -> bytes:
        """Return whole messages, nothing at the end."""
        found = b""
        while not found and (data := await self._heard(most)):
            found = self._messages.feed(data)
        return found or self._messages.end()

    async def _heard(self, most: int) -> bytes:
        reading = asyncio.ensure_future(self._reader.read(most))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait([reading, closing], return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else b""
        finally:
            reading.cancel()
            closing.cancel()


class _Answered:
    """A writer of the adapter's messages as the debugger gets them."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._answers = Answers()

    def write(self, data: bytes) -> None:
        self._writer.write(self._answers.feed(data))

    async def drain(self) -> None:
        await self._writer.drain()


async def _nothing() -> None:
    """Leave the process alone when its debugger leaves."""
