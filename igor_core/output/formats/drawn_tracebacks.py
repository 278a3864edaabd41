"""Tracebacks as rich and IPython draw them."""

import re
from collections import deque

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, RawLocation, Trace

_RICH = re.compile(r"[╭┌+][─-]{2,200} Traceback \(most recent call last\) [─-]{2,200}[╮┐+]$")
_RICH_FRAME = re.compile(
    r"(?P<path>[^\s:][^:]{0,1023}):(?P<line>\d{1,7}) in (?P<function>\S.{0,200})$"
)
_IPYTHON = re.compile(
    r"(?P<type>[A-Za-z_][\w.]{0,200})\s{2,200}Traceback \(most recent call last\)$"
)
_IPYTHON_FRAME = re.compile(
    r"File (?P<path>[^\s:][^:]{0,1023}):(?P<line>\d{1,7})(?:, in (?P<function>.{1,500}))?$"
)
_MOST_FRAMES = 100
# After this many lines without a frame, it was not a traceback.
_PATIENCE = 400


class DrawnTracebacks:
    def __init__(self, context: FormatContext) -> None:
        self._context = context
        self._in = ""
        self._type = self._title = ""
        self._order = self._lines = 0
        self._frames = deque[RawLocation](maxlen=_MOST_FRAMES)

    @property
    def open(self) -> bool:
        return bool(self._in)

    def take(self, line: str) -> bool:
        if self._in == "rich":
            return self._rich(line)
        if self._in == "ipython":
            return self._ipython(line)
        if self._in == "rich title":
            return self._below(line)
        if not line.endswith(("╮", "┐", "+", "(most recent call last)")):
            return False
        if _RICH.match(line):
            self._begin("rich", "")
        elif match := _IPYTHON.match(line):
            self._begin("ipython", match["type"])
        return self.open

    def flush(self) -> None:
        if self._frames:
            trace = Trace(one_line(self._title or self._type), tuple(reversed(self._frames)))
            exception = trace.title.partition(":")[0]
            self._context.emit(
                ErrorReport("E", (trace,), self._order, last=True, exception=exception)
            )
        self._frames.clear()
        self._in = self._title = ""

    def _begin(self, drawn: str, exception: str) -> None:
        self._in, self._type, self._lines = drawn, exception, 0
        self._order = self._context.count()

    def _rich(self, line: str) -> bool:
        if line[:1] in ("╰", "└"):
            self._in = "rich title"
            return True
        inner = line.strip("│| ")
        return self._frame(_RICH_FRAME.match(inner))

    def _below(self, line: str) -> bool:
        """Read the exception, which rich prints below the box."""
        if line.strip():
            self._title = line
            self.flush()
        return True

    def _ipython(self, line: str) -> bool:
        if line.startswith(self._type) and line[len(self._type) :][:1] in ("", ":"):
            self._title = line
            self.flush()
            return True
        return self._frame(_IPYTHON_FRAME.match(line))

    def _frame(self, match: re.Match[str] | None) -> bool:
        self._lines += 1
        if match:
            self._lines = 0
            function = match["function"]
            said = f"in {one_line(function, 80)}" if function else ""
            self._frames.append(RawLocation(match["path"], int(match["line"]), text=said))
        elif self._lines > _PATIENCE:
            self.flush()
        return True
