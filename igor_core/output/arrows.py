"""Diagnostics whose place follows them: rustc, cargo, ruff, uv: `--> file:line:column`."""

import re

from igor_core.output.entry import Kind, Report, Spot, Trace
from igor_core.output.reader import Lane, first

_ARROW = re.compile(
    r" {0,12}(?P<sign>-->|:::) (?P<path>[^\s:][^:]{0,1023}):(?P<line>\d{1,7}):(?P<column>\d{1,5})$"
)
_NOTE = re.compile(r"(?:note|help)\b")
_MOST = 40


class Arrows:
    open = False

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._order = 0
        self._kind: Kind = "E"
        self._title = ""
        self._spots: list[Spot] = []

    def take(self, line: str) -> bool:
        match = _ARROW.match(line) if "--> " in line or "::: " in line else None
        if not match:
            return False
        header = self._lane.previous.strip()
        place = match["path"], int(match["line"]), int(match["column"])
        if self._spots and (match["sign"] == ":::" or _NOTE.match(header)):
            if len(self._spots) < _MOST:
                said = first(header.removeprefix("note: ")) if match["sign"] == "-->" else ""
                self._spots.append(Spot(*place, text=said, kind="N", certain=False))
            return True
        self.flush()
        self._order, self._title = self._lane.count(), first(header)
        self._kind = "W" if header.startswith("warning") else "E"
        self._spots = [Spot(*place, certain=False)]
        return True

    def flush(self) -> None:
        if self._spots:
            traces = (Trace(self._title, tuple(self._spots)),)
            self._lane.emit(Report(self._kind, traces, self._order))
        self._spots = []
