"""Failed builds of images: the instruction of the dockerfile that failed."""

import re
from dataclasses import dataclass

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, RawLocation, Trace

_STEP = re.compile(r"(?:Step|STEP) (?P<step>\d{1,4})/\d{1,4} ?: (?P<said>\S.*)$")
_STEP_FAILED = re.compile(
    r"(?:The command '.*' returned a non-zero code: \d|(?:COPY|ADD) failed: |"
    r"Error: building at STEP |error building at STEP )"
)
_SYNTAX = re.compile(
    r".{0,500}\b[Dd]ockerfile parse error (?:on )?line (?P<line>\d{1,6}): (?P<said>.*)"
)
_FAILED_STAGE = re.compile(r" > \[[^\]]{1,200}\] (?P<said>\S.*):$")
_SNIPPET = re.compile(r"(?P<path>[^\s:]{1,1024}):(?P<line>\d{1,6})$")
_SNIPPET_LINE = re.compile(r" {0,12}(?P<line>\d{1,6}) \|(?P<mark> >>>)?")
_ENDS = re.compile(r"(?:ERROR: |executor failed|failed to solve|error: failed to solve)")


@dataclass(frozen=True)
class Instruction:
    line: int
    text: str


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of a dockerfile, each on one line, with its first line's number."""
    found: list[Instruction] = []
    begun, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        begun = begun or number
        continued = stripped.endswith("\\")
        parts.append(stripped.removesuffix("\\"))
        if not continued:
            found.append(Instruction(begun, _joined(" ".join(parts))))
            begun, parts = 0, []
    return found


def _joined(text: str) -> str:
    return " ".join(text.split())


class ImageBuilds:
    """Finds the failed instruction in the dockerfile, `path` in the tree, with content `text`."""

    def __init__(self, context: FormatContext, path: str, text: str) -> None:
        self._context = context
        self._path = path
        self._instructions = instructions(text)
        self._step = 0
        # Where it failed, until the reason follows.
        self._failed: RawLocation | None = None
        self._snippet: tuple[str, int] | None = None
        self._in_snippet = False

    @property
    def open(self) -> bool:
        return bool(self._failed or self._snippet or self._step)

    def take(self, line: str) -> bool:
        if self._in_snippet:
            return self._inside(line)
        if match := _STEP.match(line):
            self._step = self._line_of(match["said"], int(match["step"]))
        elif self._step and _STEP_FAILED.match(line):
            self._report(RawLocation(self._path, self._step), line)
            self._step = 0
        elif self._path and not self._failed and (match := _SYNTAX.match(line)):
            self._report(RawLocation(self._path, int(match["line"])), match["said"])
        elif match := _FAILED_STAGE.match(line):
            found = self._line_of(match["said"])
            self._failed = RawLocation(self._path, found) if found else None
        elif self._snippet and line.startswith("-" * 20):
            self._in_snippet = True
        elif self._failed and _ENDS.match(line):
            self._report(self._failed, line.removeprefix("ERROR: "))
        else:
            match = _SNIPPET.match(line)
            self._snippet = (match["path"], int(match["line"])) if match else None
            return False
        return True

    def flush(self) -> None:
        if self._failed:
            self._report(self._failed, "the build failed here")

    def _inside(self, line: str) -> bool:
        """Read BuildKit's excerpt of the dockerfile: the first marked line is the instruction's."""
        match = _SNIPPET_LINE.match(line)
        if match and match["mark"] and self._snippet:
            self._failed = RawLocation(self._name(self._snippet[0]), int(match["line"]))
            self._snippet = None
        if not match:
            self._in_snippet, self._snippet = False, None
        return bool(match) or line.startswith("-" * 20)

    def _name(self, shown: str) -> str:
        """Return the path: BuildKit omits the folder when the dockerfile is sent on its own."""
        return self._path if self._path.rpartition("/")[2] == shown.rpartition("/")[2] else shown

    def _line_of(self, said: str, step: int = 0) -> int:
        """Return the line of an instruction as an engine repeats it, 0 if there is none."""
        said = _joined(said)
        if 0 < step <= len(self._instructions):
            instruction = self._instructions[step - 1]
            if instruction.text == said:
                return instruction.line
        return next((known.line for known in self._instructions if known.text == said), 0)

    def _report(self, location: RawLocation, said: str) -> None:
        self._context.emit(
            ErrorReport("E", (Trace(one_line(said), (location,)),), self._context.count())
        )
        self._failed = None
