"""A debugged program, from here: its keeper is at the other end of a process of the helper's."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from igor_core.debug.source import helper_bytes
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
from igor_core.shapes import (
    MOST_WORDS,
    anything,
    items,
    members,
    number,
    parsed,
    text,
    truth,
    words,
)
from igor_core.ssh.process import Process

# Takes in what the program wrote: "stdout" or "stderr", and the bytes.
Write = Callable[[str, bytes], Awaitable[None]]

MOST_NOTE = 4 << 20
_WORD = text(1 << 16)
_NOTE = members({"event": text(40)}, {"position": number()}, others=True)
# A keeper may be of another version than igor, so there may be more in each.
_NOTES = {
    "refused": members({"what": text(40), "text": _WORD}, {"folder": _WORD}, others=True),
    "session": members(
        {
            "phase": text(40), "id": text(200), "pid": number(0, 1 << 32), "python": _WORD,
            "root": _WORD, "command": items(text(1 << 21)),
        },
        others=True,
    ),
    "dropped": members({"bytes": number()}, others=True),
    "exited": members(
        {"status": number(-256, 1 << 16), "why": text(MOST_WORDS), "listened": truth}, others=True
    ),
    "over": members({"left": number(0, 1 << 32)}, others=True),
}  # fmt: skip

# TERM, a second later KILL, and then whatever the program had started.
END_SECONDS = 8.0
_STREAMS = {STDOUT: "stdout", STDERR: "stderr"}


class DebugRefused(Exception):
    """Nothing was started. `what` is a word for programs, `text` says it to people.

    `what` is "" where the helper itself could not run: `text` is what was said there.
    """

    def __init__(self, what: str, text: str, **more: Any) -> None:
        super().__init__(text)
        self.what = what
        self.text = text
        self.more = more


class Lost(Exception):
    """The connection to the host was lost; the program lives on for its grace."""


@dataclass(frozen=True)
class ListeningProgram:
    """A session that debugpy listens for; `root` is the folder in which the helper was started."""

    ident: str
    pid: int
    python: str
    root: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Exit:
    """How the program ended: its status (128 + n for signal n), and why igor ended it, if it did.

    `listened` is false where debugpy never got so far; `left` counts processes of it that could
    not be ended.
    """

    status: int
    why: str = ""
    listened: bool = True
    left: int = 0

    @property
    def how(self) -> str:
        """In a few words."""
        if self.why:
            return f"ended: {self.why}"
        return self.by_signal or f"exit status {self.status}"

    @property
    def by_signal(self) -> str:
        try:
            return f"ended by {signal.Signals(self.status - 128).name.removeprefix('SIG')}"
        except ValueError:
            return ""


class DebugSession:
    """What the keeper says, in turn. `write` gets the output meanwhile.

    `exit` is set as soon as the program has ended, while its keeper still clears up.
    """

    def __init__(self, process: Process, write: Write) -> None:
        self.exited = asyncio.Event()
        self.dropped = 0
        self._process = process
        self._write = write
        self._frames = Frames()
        self._facts: ListeningProgram | None = None
        self._exit: Exit | None = None
        self._is_over = False
        self._said = b""
        self._position = 0

    async def until_listening(self) -> ListeningProgram | None:
        """None where the program has ended before. Raises DebugRefused, Lost."""
        await self._process.write(helper_bytes())
        while self._facts is None and not self.exited.is_set():
            await self._step()
        return self._facts

    async def until_exited(self) -> Exit:
        """Raises Lost."""
        while self._exit is None:
            await self._step()
        return self._exit

    async def until_over(self) -> Exit:
        """Until nothing of it is left there."""
        while not self._is_over:
            await self._step()
        assert self._exit is not None
        return self._exit

    async def feed(self, data: bytes) -> None:
        """Bytes for the program's standard input."""
        await self._process.write(frame(STDIN, data))

    async def end_input(self) -> None:
        await self._process.write(frame(EOF))

    async def ask_to_stop(self, why: str) -> None:
        """End the program; `until_over` says when it has."""
        await self._process.write(note(do="stop", why=why))

    async def close(self) -> None:
        """The debuggers have heard of the end: debugpy may go too."""
        await self._process.write(note(do="close"))

    async def stop(self, why: str) -> Exit | None:
        """End the program and wait for it; what it still writes is dropped.

        None where it can't be told how it ended.
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
                    await self._take(parsed(payload, _NOTE, "a note", MOST_NOTE))
                elif kind in _STREAMS:
                    await self._write(_STREAMS[kind], payload)
                    self._position += len(payload)
        except ValueError as error:
            # Whoever has started it ends it.
            raise DebugRefused("", f"the debug helper there said nonsense: {error}") from None
        if self._position > before:
            await self._process.write(note(do="seen", position=self._position))

    async def _take(self, said: dict[str, Any]) -> None:
        event = said["event"]
        _NOTES.get(event, anything)(said, f"the note {words(event)!r}")
        self._position = said.get("position", self._position)
        if event == "refused":
            more = {name: value for name, value in said.items() if name == "folder"}
            raise DebugRefused(said["what"], words(said["text"]), **more)
        if event == "session" and said["phase"] == "listening":
            self._facts = ListeningProgram(
                said["id"], said["pid"], said["python"], said["root"], tuple(said["command"])
            )
        elif event == "parked":
            # We are here, so it was not the connection that took the debugger away.
            await self._process.write(note(do="release"))
        elif event == "dropped":
            self.dropped = said["bytes"]
        elif event == "exited":
            self._exit = Exit(said["status"], said["why"], said["listened"])
            self.exited.set()
        elif event == "over" and self._exit is not None:
            self._exit = replace(self._exit, left=said["left"])
            self._is_over = True

    def _raise_end(self) -> None:
        """The helper has ended without a last word, or another far end has taken over."""
        if self._process.lost:
            raise Lost
        if self._exit is not None:
            self._is_over = True
            return
        lines = self._said.decode("utf-8", "replace").strip().splitlines()
        said = lines[-1] if lines else self._process.error
        if self._facts is not None and self._process.status == 0:
            raise DebugRefused("taken", said or "another client has attached to it")
        raise DebugRefused("", said or f"the helper ended with {self._process.status}",
                      status=self._process.status)  # fmt: skip


async def _drop(_stream: str, _data: bytes) -> None:
    pass
