"""make, ninja and cmake: the folders that they enter and the recipes that fail."""

import re

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, RawLocation, Trace

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


class MakeErrors:
    def __init__(self, context: FormatContext) -> None:
        self._context = context
        self._locations: list[RawLocation] = []
        self._error = False
        self._title = ""
        self._order = 0

    @property
    def open(self) -> bool:
        return bool(self._locations)

    def take(self, line: str) -> bool:
        if match := _CMAKE.match(line):
            return self._begin(match)
        if self._locations:
            return self._within(line)
        if "make" in line and (match := _RECIPE.match(line)):
            return self._recipe(match)
        if "directory" in line and (match := _FOLDER.match(line)):
            go = self._context.enter if match["what"] == "Entering" else self._context.leave
            go(match["path"])
            return True
        return False

    def flush(self) -> None:
        if self._locations:
            traces = (Trace(self._title, tuple(self._locations)),)
            self._context.emit(ErrorReport("E" if self._error else "W", traces, self._order))
        self._locations.clear()
        self._title = ""

    def _begin(self, match: re.Match[str]) -> bool:
        self.flush()
        self._order, self._error = self._context.count(), match["what"] == "Error"
        self._locations.append(RawLocation(match["path"], int(match["line"])))
        return True

    def _within(self, line: str) -> bool:
        """Read cmake's message and its callers, up to the first line that is not indented."""
        if match := _CALL.match(line):
            if len(self._locations) < _MOST:
                said = f"calls {match['command']}"
                self._locations.append(RawLocation(match["path"], int(match["line"]), text=said))
        elif line.startswith("  "):
            self._title = self._title or one_line(line)
        elif line.strip() and not line.startswith("Call Stack"):
            self.flush()
            return False
        return True

    def _recipe(self, match: re.Match[str]) -> bool:
        location = RawLocation(
            match["path"], int(match["line"]), folders=tuple(self._context.folders)
        )
        said = match["said"].replace("]", ":", 1)
        kind = "E" if match["stop"] else "W"
        trace = Trace(one_line(said), (location,))
        self._context.emit(
            ErrorReport("E" if kind == "E" else "W", (trace,), self._context.count())
        )
        return True
