"""Diagnostics with the location on the next line, `--> file:line:column`: rustc, ruff, uv."""

import re

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, Kind, RawLocation, Trace

_ARROW = re.compile(
    r" {0,12}(?P<sign>-->|:::) (?P<path>[^\s:][^:]{0,1023}):(?P<line>\d{1,7}):(?P<column>\d{1,5})$"
)
_NOTE = re.compile(r"(?:note|help)\b")
_MOST = 40


class ArrowDiagnostics:
    open = False

    def __init__(self, context: FormatContext) -> None:
        self._context = context
        self._order = 0
        self._kind: Kind = "E"
        self._title = ""
        self._locations: list[RawLocation] = []

    def take(self, line: str) -> bool:
        match = _ARROW.match(line) if "--> " in line or "::: " in line else None
        if not match:
            return False
        header = self._context.previous.strip()
        place = match["path"], int(match["line"]), int(match["column"])
        if self._locations and (match["sign"] == ":::" or _NOTE.match(header)):
            if len(self._locations) < _MOST:
                said = one_line(header.removeprefix("note: ")) if match["sign"] == "-->" else ""
                self._locations.append(RawLocation(*place, text=said, kind="N", certain=False))
            return True
        self.flush()
        self._order, self._title = self._context.count(), one_line(header)
        self._kind = "W" if header.startswith("warning") else "E"
        self._locations = [RawLocation(*place, certain=False)]
        return True

    def flush(self) -> None:
        if self._locations:
            traces = (Trace(self._title, tuple(self._locations)),)
            self._context.emit(ErrorReport(self._kind, traces, self._order))
        self._locations = []
