"""make, ninja and cmake: the folders they enter and the recipes that fail."""

import re

from igor_core.output.entry import Report, Spot, Trace
from igor_core.output.reader import Lane, first

_FOLDER = re.compile(
    r"[\w./+-]{1,100}(?:\[\d{1,3}\])?: "
    r"(?P<what>Entering|Leaving) directory [`'](?P<path>[^']{1,1024})'$"
)
_RECIPE = re.compile(
    r"[\w./+-]{0,100}make(?:\[\d{1,3}\])?: "
    r"(?P<stop>\*\*\* )?\[(?P<path>[^\s:]{1,1024}):(?P<line>\d{1,7}): (?P<said>.+)$"
)
_CMAKE = re.compile(
    r"CMake (?P<what>Error|Warning|Deprecation Warning)(?: \(dev\))? at "
    r"(?P<path>[^:]{1,1024}):(?P<line>\d{1,7}) \((?P<command>\w{1,60})\):"
)
_CALL = re.compile(r"  (?P<path>[^\s:][^:]{0,1023}):(?P<line>\d{1,7}) \((?P<command>\w{1,60})\)$")
_MOST = 40


class Makes:
    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._spots: list[Spot] = []
        self._error = False
        self._title = ""
        self._order = 0

    @property
    def open(self) -> bool:
        return bool(self._spots)

    def take(self, line: str) -> bool:
        if match := _CMAKE.match(line):
            return self._begin(match)
        if self._spots:
            return self._within(line)
        if "make" in line and (match := _RECIPE.match(line)):
            return self._recipe(match)
        if "directory" in line and (match := _FOLDER.match(line)):
            go = self._lane.enter if match["what"] == "Entering" else self._lane.leave
            go(match["path"])
            return True
        return False

    def flush(self) -> None:
        if self._spots:
            traces = (Trace(self._title, tuple(self._spots)),)
            self._lane.emit(Report("E" if self._error else "W", traces, self._order))
        self._spots.clear()
        self._title = ""

    def _begin(self, match: re.Match[str]) -> bool:
        self.flush()
        self._order, self._error = self._lane.count(), match["what"] == "Error"
        self._spots.append(Spot(match["path"], int(match["line"])))
        return True

    def _within(self, line: str) -> bool:
        """cmake's message, then who called; ends with what is not indented."""
        if match := _CALL.match(line):
            if len(self._spots) < _MOST:
                said = f"calls {match['command']}"
                self._spots.append(Spot(match["path"], int(match["line"]), text=said))
        elif line.startswith("  "):
            self._title = self._title or first(line)
        elif line.strip() and not line.startswith("Call Stack"):
            self.flush()
            return False
        return True

    def _recipe(self, match: re.Match[str]) -> bool:
        spot = Spot(match["path"], int(match["line"]), folders=tuple(self._lane.folders))
        said = match["said"].replace("]", ":", 1)
        kind = "E" if match["stop"] else "W"
        trace = Trace(first(said), (spot,))
        self._lane.emit(Report("E" if kind == "E" else "W", (trace,), self._lane.count()))
        return True
