"""The local end of a debug session: a process of the debug helper joins it with the keeper."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from igor_core.debug.keeper_notes import (
    DebugRefused,
    Exit,
    ListeningProgram,
    listening_program,
    read_note,
)
from igor_core.debug.launch import HELPER
from igor_core.remote.debug_helper.frames import (
    EOF,
    NOTE,
    STDERR,
    STDIN,
    STDOUT,
    Frames,
    frame,
    note,
)
from igor_core.ssh.process import Process

# Gets the program's output: "stdout" or "stderr", and the bytes.
Write = Callable[[str, bytes], Awaitable[None]]

# TERM, KILL a second later, and then whatever the program had started.
END_SECONDS = 8.0
_STREAMS = {STDOUT: "stdout", STDERR: "stderr"}


class Lost(Exception):
    """The connection to the host was lost; the program lives on for its grace time."""


class DebugSession:
    """Follows what the keeper says; `write` gets the program's output meanwhile.

    `exited` is set as soon as the program has ended, while its keeper still cleans up. `dropped`
    counts bytes of output that the keeper did not keep.
    """

    def __init__(self, process: Process, write: Write) -> None:
        self.exited = asyncio.Event()
        self.dropped = 0
        self._process = process
        self._write = write
        self._frames = Frames()
        self._program: ListeningProgram | None = None
        self._exit: Exit | None = None
        self._is_over = False
        self._said = b""
        self._position = 0

    async def until_listening(self) -> ListeningProgram | None:
        """Wait for debugpy to listen; None if the program ends first. Raises DebugRefused, Lost."""
        await self._process.write(HELPER.payload)
        while self._program is None and not self.exited.is_set():
            await self._step()
        return self._program

    async def until_exited(self) -> Exit:
        """Wait for the program's end. Raises Lost."""
        while self._exit is None:
            await self._step()
        return self._exit

    async def until_over(self) -> Exit:
        """Wait until none of the program's processes is left. Raises Lost."""
        while not self._is_over:
            await self._step()
        assert self._exit is not None
        return self._exit

    async def feed(self, data: bytes) -> None:
        """Send bytes to the program's standard input."""
        await self._process.write(frame(STDIN, data))

    async def end_input(self) -> None:
        await self._process.write(frame(EOF))

    async def ask_to_stop(self, why: str) -> None:
        """Have the program ended; `until_over` returns when it is."""
        await self._process.write(note(do="stop", why=why))

    async def close(self) -> None:
        """Let debugpy end: its debuggers know that the program has ended."""
        await self._process.write(note(do="close"))

    async def stop(self, why: str) -> Exit | None:
        """End the program and wait for it, dropping its remaining output.

        Return None if how it ended is unknown.
        """
        self._write = _drop
        with contextlib.suppress(DebugRefused, Lost, asyncio.TimeoutError):
            await self.ask_to_stop(why)
            await self.close()
            return await asyncio.wait_for(self.until_over(), END_SECONDS)
        return None

    async def _step(self) -> None:
        item = await self._process.read()
        if item is None:
            self._raise_end()
            return
        stream, data = item
        if stream == "stderr":
            self._said = (self._said + data)[-4000:]
            return
        before = self._position
        try:
            for kind, payload in self._frames.feed(data):
                if kind == NOTE:
                    await self._take(read_note(payload))
                elif kind in _STREAMS:
                    await self._write(_STREAMS[kind], payload)
                    self._position += len(payload)
        except ValueError as error:
            # The caller ends the process.
            raise DebugRefused("", f"unexpected output from the debug helper: {error}") from None
        if self._position > before:
            await self._process.write(note(do="seen", position=self._position))

    async def _take(self, said: dict[str, Any]) -> None:
        event = said["event"]
        self._position = said.get("position", self._position)
        if event == "session" and said["phase"] == "listening":
            self._program = listening_program(said)
        elif event == "parked":
            # This end is connected, so the debugger left on purpose: it was not cut off.
            await self._process.write(note(do="release"))
        elif event == "dropped":
            self.dropped = said["bytes"]
        elif event == "exited":
            self._exit = Exit(said["status"], said["why"], listened=said["listened"])
            self.exited.set()
        elif event == "over" and self._exit is not None:
            self._exit = replace(self._exit, left=said["left"])
            self._is_over = True

    def _raise_end(self) -> None:
        """The helper ended without a last note, or another client has taken over the session."""
        if self._process.lost:
            raise Lost
        if self._exit is not None:
            self._is_over = True
            return
        lines = self._said.decode("utf-8", "replace").strip().splitlines()
        said = lines[-1] if lines else self._process.error
        status = self._process.status
        if self._program is not None and status == 0:
            raise DebugRefused("taken", said or "another client has attached to it")
        text = said or f"the debug helper ended with exit status {status}"
        raise DebugRefused("", text, status=status)


async def _drop(_stream: str, _data: bytes) -> None:
    pass
