"""pytest's own tracebacks (--tb=long, short, line) and its summary of failed tests."""

import re
from collections import deque

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, RawLocation, Trace

_SECTION = re.compile(r"_{3,} (?P<name>\S.*?) _{3,}$")
_PHASE = re.compile(r"ERROR (?:at (?:setup|teardown) of|collecting) ")
_PLACE = re.compile(r"(?P<path>[^\s:][^:]{0,1023}):(?P<line>\d{1,7}): ?(?P<said>.*)$")
_MESSAGE = re.compile(r"E {3,}(?P<said>\S.*)$")
_SUMMARY = re.compile(
    r"(?:FAILED|ERROR) (?P<path>[^\s:]{1,1024}\.\w{1,5})(?:::(?P<test>\S.*?))?(?: - (?P<said>.*))?$"
)
_TYPE = re.compile(r"[A-Za-z_][\w.]*$")
# The most failures that the summary is compared with.
_MOST = 2000


class PytestFailures:
    """Reads the sections of failed tests, and of the summary those that had no section."""

    def __init__(self, context: FormatContext) -> None:
        self._context = context
        self._section = ""
        self._in_failures = False
        self._title = self._source = ""
        self._locations: list[RawLocation] = []
        self._shown = deque[str](maxlen=_MOST)
        self._messages = deque[str](maxlen=_MOST)

    @property
    def open(self) -> bool:
        return bool(self._section) or self._in_failures

    def take(self, line: str) -> bool:
        if line.startswith(("___", "===")) and line.endswith(("___", "===")):
            return self._heading(line)
        if line.startswith(("FAILED ", "ERROR ")) and (match := _SUMMARY.match(line)):
            return self._summary(match)
        if line.startswith(">"):
            self._source = line[1:].strip()
        if line.startswith("rootdir: "):
            self._context.folders[:0] = [line.removeprefix("rootdir: ").split(",")[0]]
        if self.open and (match := _MESSAGE.match(line)):
            self._title = self._title or match["said"]
            return True
        if self.open and line[:1] not in ("", " ", ">") and (match := _PLACE.match(line)):
            return self._place(match)
        return False

    def seen(self) -> None:
        """Note that another reader has reported the section (--tb=native)."""
        if self._section:
            self._shown.append(self._section)

    def flush(self) -> None:
        if self._locations:
            self._shown.append(self._section)
            self._report(tuple(reversed(self._locations)))
        self._locations.clear()
        self._title = ""

    def _heading(self, line: str) -> bool:
        self.flush()
        match = _SECTION.match(line)
        self._section = _PHASE.sub("", match["name"]) if match else ""
        if line.startswith("="):
            self._in_failures = line.strip("= ") in ("FAILURES", "ERRORS")
        return True

    def _place(self, match: re.Match[str]) -> bool:
        said, line = match["said"], int(match["line"])
        inner = said if said.startswith("in ") else ""
        plain = not said or inner or _TYPE.match(said)
        if not plain and (self._section or not self._title):
            return False
        folders = tuple(self._context.folders)
        text = inner or one_line(self._source, 200)
        self._locations.append(RawLocation(match["path"], line, text=text, folders=folders))
        self._source = ""
        if not inner and said:
            self._title = self._title or said
            if not plain:
                self._messages.append(self._title)
        if not self._section:
            self.flush()
        return True

    def _summary(self, match: re.Match[str]) -> bool:
        test, said = match["test"] or "", match["said"] or ""
        if self._is_shown(test or match["path"], said):
            return True
        symbol = test.partition("[")[0].rpartition("::")[2]
        folders = tuple(self._context.folders)
        location = RawLocation(match["path"], 0, symbol=symbol, folders=folders)
        self._title = said or f"failed: {test or match['path']}"
        self._report((location,))
        self._title = ""
        return True

    def _is_shown(self, name: str, said: str) -> bool:
        names = (name.replace("::", "."), f"[doctest] {name}")
        begins = said.removesuffix("...")
        return any(shown in names for shown in self._shown) or (
            bool(begins) and any(message.startswith(begins) for message in self._messages)
        )

    def _report(self, locations: tuple[RawLocation, ...]) -> None:
        self._context.emit(
            ErrorReport("E", (Trace(one_line(self._title), locations),), self._context.count())
        )
