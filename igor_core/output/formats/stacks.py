"""Stack traces of node, go and rust, and failed tests of go."""

import re

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, RawLocation, Trace

_NODE_FRAME = re.compile(
    r"\s{1,12}at (?:(?P<function>[^(]{1,500}) \()?(?:async )?(?P<path>(?:file://)?/[^:()]{1,1024}):(?P<line>\d{1,7}):(?P<column>\d{1,7})\)?$"
)
_NODE_INNER = re.compile(r"\s{1,12}at .{0,500}\(?(?:node:|<anonymous>)")
_NODE_HEAD = re.compile(r"(?P<path>(?:file://)?/[^:]{1,1024}\.[cm]?[jt]sx?):(?P<line>\d{1,7})$")
_GO_PANIC = re.compile(r"(?:panic|fatal error): ")
_GO_FRAME = re.compile(r"\t(?P<path>[^\s:]{1,1024}\.go):(?P<line>\d{1,7})(?: \+0x[0-9a-f]{1,16})?$")
_GO_TEST = re.compile(r" {4,64}(?P<path>[\w.-]{1,255}\.go):(?P<line>\d{1,7}): (?P<said>.*)$")
_RUST_PANIC = re.compile(
    r"thread '.{0,200}' (?:\(\d{1,10}\) )?panicked at (?:'(?P<said>.*)', )?"
    r"(?P<path>[^\s:'][^:']{0,1023}):(?P<line>\d{1,7}):(?P<column>\d{1,5}):?$"
)
_RUST_FRAME = re.compile(
    r" {6,20}at (?P<path>[^\s:][^:]{0,1023}):(?P<line>\d{1,7}):(?P<column>\d{1,5})$"
)
_RUST_NAME = re.compile(r" {1,6}\d{1,5}: ")
_MOST = 60


class StackTraces:
    """One stack at a time, innermost frame first; `_in` is the language it is in, or ""."""

    def __init__(self, context: FormatContext) -> None:
        self._context = context
        self._in = ""
        self._order = 0
        self._title = ""
        self._locations: list[RawLocation] = []
        self._head: RawLocation | None = None
        self._panic = ""
        self._failed = False
        self._after = 0

    @property
    def open(self) -> bool:
        return bool(self._in or self._panic or self._failed or self._head)

    def take(self, line: str) -> bool:
        if self._in and self._goes_on(line):
            return True
        if self._in:
            self.flush()
        if line.startswith("--- FAIL: ") or line.lstrip().startswith("--- FAIL: "):
            self._failed = True
        elif self._failed and (match := _GO_TEST.match(line)):
            self._test(match)
            return True
        elif self._failed and line[:1] not in ("", " "):
            self._failed = False
        return self._begins(line)

    def flush(self) -> None:
        locations = self._locations
        if self._head and not any(location.path == self._head.path for location in locations):
            locations.insert(0, self._head)
        if locations and self._title:
            self._context.emit(
                ErrorReport("E", (Trace(one_line(self._title), tuple(locations)),), self._order)
            )
        self._locations, self._head, self._in, self._title = [], None, "", ""

    def _begins(self, line: str) -> bool:
        if match := _NODE_HEAD.match(line):
            self._head = RawLocation(match["path"], int(match["line"]))
            self._after = 0
            return True
        if line.lstrip().startswith("at ") and (_NODE_FRAME.match(line) or _NODE_INNER.match(line)):
            self._start("node", self._context.previous)
            return self._goes_on(line)
        if _GO_PANIC.match(line):
            self._panic = line
            return True
        if self._panic and line.startswith("goroutine "):
            self._start("go", self._panic)
            self._panic = ""
            return True
        if match := _RUST_PANIC.match(line):
            self._start("rust", match["said"] or "")
            self._locations.append(_location(match))
            return True
        return self._forget(line)

    def _forget(self, line: str) -> bool:
        """Forget a head or a panic that no stack follows within a few lines."""
        if line.strip():
            self._after += 1
        if self._after > 12:
            self._head, self._panic = None, ""
        return False

    def _start(self, language: str, title: str) -> None:
        self._in, self._title, self._order = language, title, self._context.count()
        self._after = 0

    def _goes_on(self, line: str) -> bool:
        if self._in == "node":
            return self._add(_NODE_FRAME.match(line)) or bool(_NODE_INNER.match(line))
        if self._in == "go":
            function = bool(line.strip()) and line[:1] not in (" ", "\t") and line.endswith(")")
            return self._add(_GO_FRAME.match(line)) or function
        return self._rust(line)

    def _rust(self, line: str) -> bool:
        if not self._title and line.strip():
            self._title = line
            return True
        known = line.startswith(("stack backtrace:", "note: ")) or _RUST_NAME.match(line)
        return self._add(_RUST_FRAME.match(line)) or bool(known)

    def _add(self, match: re.Match[str] | None) -> bool:
        if match and len(self._locations) < _MOST:
            self._locations.append(_location(match))
        return match is not None

    def _test(self, match: re.Match[str]) -> None:
        trace = Trace(one_line(match["said"]), (RawLocation(match["path"], int(match["line"])),))
        self._context.emit(ErrorReport("E", (trace,), self._context.count()))


def _location(match: re.Match[str]) -> RawLocation:
    groups = match.groupdict()
    said = f"in {groups['function'].strip()}" if groups.get("function") else ""
    column = int(groups.get("column") or 0)
    return RawLocation(match["path"], int(match["line"]), column, text=said)
