"""Standard inputs of programs on hosts, which the agent has opened to the editor."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from igor_core.agent.protocol import INITIAL_CREDIT, Kind

Send = Callable[..., None]


@dataclass
class _Input:
    request: int
    credit: int = INITIAL_CREDIT
    waiting: deque[bytes] = field(default_factory=deque)
    has_ended: bool = False
    eof_sent: bool = False


class Streams:
    """What is typed, on its way: no more than the agent has granted, the rest waits here."""

    def __init__(self, send: Send) -> None:
        """`send` sends a frame of a kind with an id and fields."""
        self._send = send
        self._open: dict[int, _Input] = {}

    def opened(self, stream: int, request: int, parameters: dict[str, Any]) -> dict[str, Any]:
        """OPEN; the event that tells of it."""
        self._open[stream] = _Input(request)
        return {"type": "opened", "stream": stream, "host": parameters.get("host", "")}

    def granted(self, stream: int, count: int) -> None:
        if stream in self._open:
            self._open[stream].credit += count
            self._go_on(stream)

    def write(self, stream: int, data: bytes) -> None:
        """Send to the program's input; nothing where it has ended."""
        if stream in self._open and not self._open[stream].has_ended:
            self._open[stream].waiting.append(data)
            self._go_on(stream)

    def end(self, stream: int) -> None:
        """There will be no more input."""
        if stream in self._open and not self._open[stream].has_ended:
            self._open[stream].has_ended = True
            self._go_on(stream)

    def closed(self, stream: int) -> tuple[int, dict[str, Any]] | None:
        """CLOSE; the request that the stream was of, and the event that tells of it."""
        its = self._open.pop(stream, None)
        return None if its is None else (its.request, {"type": "closed", "stream": stream})

    def drop(self, request: int | None = None) -> None:
        """A request (None: each one) has ended, and its streams with it."""
        kept = {n: its for n, its in self._open.items() if request not in (None, its.request)}
        self._open = kept

    def _go_on(self, stream: int) -> None:
        its = self._open[stream]
        while its.waiting and its.credit:
            data = its.waiting.popleft()
            part, rest = data[: its.credit], data[its.credit :]
            its.credit -= len(part)
            self._send(Kind.BYTES, stream, part)
            if rest:
                its.waiting.appendleft(rest)
        if its.has_ended and not its.waiting and not its.eof_sent:
            its.eof_sent = True
            self._send(Kind.EOF, stream)
