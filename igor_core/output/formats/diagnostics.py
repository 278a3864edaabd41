"""Diagnostics on one line: of compilers, linters, type checkers, shells, Python's warnings."""

import re
from typing import Literal

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, Kind, RawLocation, Trace

_PLACE = re.compile(
    r"""\s{0,16}(?:In\ file\ included\ from\ |from\ )?
    (?P<path>[^\s:"'(<>|][^:"<>|]{0,1023})
    :(?P<line>\d{1,7})(?::(?P<column>\d{1,5}))?(?::\d{1,7}(?::\d{1,5})?)?
    (?P<said>\Z|[:,].*|\ -\ .*|\ .*)""",
    re.VERBOSE,
)
# The program in "/usr/bin/ld: x.c:3: …", "program: x.c:3: main: Assertion …".
_SPEAKER = re.compile(r"[\w./+-]{1,200}: (?=[\w./])")
_SEVERITY = re.compile(
    r"(?::| -) *(?:fatal |internal compiler |syntax )?"
    r"(?P<word>error|warning|note|info(?:rmation)?|remark|hint)"
    r"(?: TS\d{1,5}|\[[\w-]{1,60}\])?(?::|\b(?= TS)) *(?P<said>.*)",
)
_LEVEL = re.compile(r": (?P<word>ERROR|CRITICAL|SEVERE|WARNING): (?P<said>.+)")
_CODE = re.compile(r": (?P<code>[A-Z]{1,6}\d{1,5}):? (?P<said>.+)")
_EXCEPTION = re.compile(
    r": (?:[A-Za-z_]\w{0,60}\.){0,9}\w{0,60}?(?P<word>Error|Exception|Warning)(?::|$)"
)
_FAILURE = re.compile(
    r":\s(?:undefined\ reference\ to|multiple\ definition\ of|relocation\ |Failure|\*\*\*\ |"
    r"[^:]{0,200}:\s?Assertion\s)"
)  # fmt: skip
_CONTEXT = re.compile(r"[:,]\s+(?:required (?:from|by)|recursively required|in .*expansion of)\b")
_INCLUDED = re.compile(r"\s{0,16}(?:In file included from|from) ")
# bash prints "line 3: ", dash only "3: ", then the command.
_SHELL = re.compile(
    r"(?P<path>[^\s:][^:]{0,1023}): (?:line (?P<line>\d{1,7}): (?P<said>\S.*)"
    r"|(?P<number>\d{1,7}): (?P<words>[^:]{1,200}: .*))"
)
_ADDRESS = re.compile(
    r" {1,8}#\d{1,4} 0x[0-9a-f]{1,16} in (?P<said>[^/]{0,500}?)"
    r" (?P<path>[^\s:]{1,1024}):(?P<line>\d{1,7})(?::(?P<column>\d{1,5}))?$"
)
_PARENTHESES = re.compile(
    r"\s{0,8}(?P<path>[^\s:()][^:()]{0,1023})"
    r"\((?P<line>\d{1,7})(?:,(?P<column>\d{1,5}))?\)(?P<said> ?: .*)"
)

_WORDS: dict[str, Kind] = {
    "error": "E", "warning": "W", "note": "N", "remark": "N", "hint": "N", "info": "I",
    "information": "I", "ERROR": "E", "CRITICAL": "E", "SEVERE": "E", "WARNING": "W",
    "Error": "E", "Exception": "E", "Warning": "W",
}  # fmt: skip
# pylint's letters: convention, refactoring, warning, error, fatal, information.
_LETTERS: dict[str, Kind] = {"C": "I", "R": "I", "I": "I", "W": "W", "E": "E", "F": "E"}
# The most notes to one diagnostic, and the most includes before it.
_MOST = 40


class Diagnostics:
    def __init__(self, context: FormatContext) -> None:
        self._context = context
        self._order = 0
        self._kind: Kind = "E"
        self._title = ""
        self._locations: list[RawLocation] = []
        # Where what comes next was included or instantiated.
        self._included: list[RawLocation] = []
        self._sanitizer = ""

    @property
    def open(self) -> bool:
        return bool(self._sanitizer)

    def take(self, line: str) -> bool:
        if "AddressSanitizer: " in line or "runtime error: " in line or "Sanitizer: " in line:
            self._sanitizer = line.partition("ERROR: ")[2].partition(" on ")[0]
        elif self._sanitizer and (match := _ADDRESS.match(line)):
            return self._stack(match)
        elif self._sanitizer and not line.startswith(" "):
            self._sanitizer = self._sanitizer if self._context.previous.startswith("==") else ""
        match = _PLACE.match(line)
        if not match and (speaker := _SPEAKER.match(line)):
            match = _PLACE.match(line, speaker.end())
        if match:
            return self._place(line, match)
        if match := _PARENTHESES.match(line):
            return self._judged(match)
        match = _SHELL.match(line)
        return match is not None and self._shell(match)

    def flush(self) -> None:
        if self._locations:
            traces = (Trace(self._title, tuple(self._locations)),)
            self._context.emit(ErrorReport(self._kind, traces, self._order))
        self._locations = []

    def _place(self, line: str, match: re.Match[str]) -> bool:
        if _INCLUDED.match(line) or _CONTEXT.match(match["said"]):
            if len(self._included) < _MOST:
                self._included.append(
                    self._location(match, text=one_line(match["said"].lstrip(":, ")), context=True)
                )
            return True
        return self._judged(match)

    def _judged(self, match: re.Match[str]) -> bool:
        """Report the location if the rest of the line is a diagnostic; return whether it is."""
        said = match["said"]
        if found := _SEVERITY.match(said) or _LEVEL.match(said):
            kind = _WORDS[found["word"]]
            return (
                self._note(match, found["said"])
                if kind == "N"
                else self._new(match, kind, found["said"])
            )
        if found := _CODE.match(said):
            return self._new(match, _of_code(found["code"]), said[2:])
        if found := _EXCEPTION.match(said):
            return self._new(match, _WORDS[found["word"]], said[2:])
        if _FAILURE.match(said):
            return self._new(match, "E", said[2:])
        if match["column"] and said.startswith(": "):
            return self._new(match, "E", said[2:], certain=False)
        return False

    def _new(self, match: re.Match[str], kind: Kind, said: str, *, certain: bool = True) -> bool:
        self.flush()
        self._order, self._kind, self._title = self._context.count(), kind, one_line(said)
        self._locations = [self._location(match, certain=certain), *self._included]
        self._included = []
        return True

    def _note(self, match: re.Match[str], said: str) -> bool:
        if not self._locations:
            return self._new(match, "N", said)
        if len(self._locations) < _MOST:
            self._locations.append(self._location(match, text=one_line(said), kind="N"))
        return True

    def _shell(self, match: re.Match[str]) -> bool:
        self.flush()
        line, said = int(match["line"] or match["number"]), match["said"] or match["words"]
        location = RawLocation(match["path"], line, certain=False, folders=self._folders())
        self._context.emit(
            ErrorReport("E", (Trace(one_line(said), (location,)),), self._context.count())
        )
        return True

    def _stack(self, match: re.Match[str]) -> bool:
        """Read a frame of a sanitizer's report; only its first stack is where it failed."""
        if " #0 " in match.string:
            if self._title == self._sanitizer and self._locations:
                self._sanitizer = ""
                return True
            self.flush()
            self._order, self._kind, self._title = self._context.count(), "E", self._sanitizer
        if len(self._locations) < _MOST:
            self._locations.append(self._location(match, text=f"in {match['said']}"))
        return True

    def _location(
        self,
        match: re.Match[str],
        *,
        text: str = "",
        kind: Literal["N", ""] = "",
        context: bool = False,
        certain: bool = True,
    ) -> RawLocation:
        return RawLocation(
            match["path"], int(match["line"]), int(match["column"] or 0), text=text, kind=kind,
            certain=certain, context=context, folders=self._folders(),
        )  # fmt: skip

    def _folders(self) -> tuple[str, ...]:
        return tuple(self._context.folders)


def _of_code(code: str) -> Kind:
    letters = code.rstrip("0123456789")
    if len(letters) == 1 and len(code) == 5:
        return _LETTERS.get(letters, "E")
    return "W" if letters == "W" else "E"
