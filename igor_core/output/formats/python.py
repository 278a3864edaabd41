"""Python's tracebacks: plain, chained, of groups, of syntax errors, of faulthandler."""

import re
from collections import deque
from dataclasses import dataclass, field

from igor_core.output.formats.base import FormatContext, one_line
from igor_core.output.report import ErrorReport, Kind, RawLocation, Trace

_HEADER = "Traceback (most recent call last):"
_FRAME = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d{1,9})(?:,? in (?P<function>.+))?$')
_GUTTER = re.compile(r"(?P<depth> {2,60})[|+](?: (?P<text>.*))?$")
_SEPARATOR = re.compile(r" {2,60}\+(?:-\+)?-{8,}")
_CAUSES = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_CRASH = re.compile(r"(?:Current thread|Thread|Stack)\b[^']*\(most recent call first\):$")
_CRASH_WORDS = ("Fatal Python error: ", "Timeout (")
# Of a deeper recursion, the outermost frames are dropped.
_MOST_FRAMES = 100
# The most lines of a message after which a cause may still follow.
_PATIENCE = 20


@dataclass
class _Block:
    """One traceback. `far`: it is quoted from another process, where the error really was."""

    indent: int
    depth: int = 0
    last_first: bool = False
    far: bool = False
    cut: bool = False
    title: str = ""
    frames: deque[RawLocation] = field(default_factory=lambda: deque(maxlen=_MOST_FRAMES))


class PythonTracebacks:
    def __init__(self, context: FormatContext) -> None:
        self._context = context
        self._block: _Block | None = None
        # Exceptions that belong together: chains of causes, by the depth of their group.
        self._chains: list[list[_Block]] = []
        self._chained = self._apart = self._grouped = False
        self._order = self._after = 0
        self._kind: Kind = "E"
        self._crash = ""

    @property
    def open(self) -> bool:
        return bool(self._chains)

    def take(self, line: str) -> bool:
        depth, text = self._ungrouped(line)
        if text.rstrip().endswith(_HEADER):
            self._begin(text, depth)
        elif match := _FRAME.match(text.strip()):
            self._frame(match, text, depth)
        elif self._block is not None and self._within(self._block, text):
            pass
        elif _SEPARATOR.match(line) and self._grouped:
            self._apart = True
        else:
            return self._outside(text)
        return True

    def flush(self) -> None:
        self._block = None
        if not self._chains:
            return
        chains = _groups_last(self._chains)
        blocks = [block for chain in chains for block in _causes_last(chain)]
        traces = tuple(_trace(block) for block in blocks if block.frames)
        cut = all(block.cut for block in blocks)
        if traces:
            exception = traces[0].title.partition(":")[0]
            last = self._after < 2
            self._context.emit(
                ErrorReport(
                    self._kind, traces, self._order, last=last, cut=cut, exception=exception
                )
            )
        self._chains.clear()
        self._grouped = False

    def _ungrouped(self, line: str) -> tuple[int, str]:
        """Return the depth in exception groups, and the line without the groups' frame."""
        match = _GUTTER.match(line)
        if match and (self._grouped or line.endswith(_HEADER)):
            return len(match["depth"]), match["text"] or ""
        return 0, line

    def _begin(self, text: str, depth: int) -> None:
        indent = len(text) - len(text.lstrip())
        block = _Block(indent, depth, far=self._context.previous.strip() in ('"""', "'''"))
        self._add(block)
        self._grouped |= depth > 0

    def _add(self, block: _Block) -> None:
        inner = self._chains and block.depth > self._chains[-1][-1].depth
        if not (self._chained or self._apart or inner):
            self.flush()
        if not self._chains:
            self._order = self._context.count()
            ignored = self._context.previous.lstrip().startswith("Exception ignored")
            self._kind = "W" if ignored else "E"
        same = [chain for chain in self._chains if chain[0].depth == block.depth]
        if self._chained and same:
            same[-1].append(block)
        else:
            self._chains.append([block])
        self._block = block
        self._chained = self._apart = False
        self._after = 0

    def _frame(self, match: re.Match[str], text: str, depth: int) -> None:
        if self._block is None:
            indent = max(0, len(text) - len(text.lstrip()) - 2)
            self._add(_Block(indent, depth, cut=True))
        assert self._block is not None
        function = match["function"] or ""
        said = f"in {one_line(function, 80)}" if function else ""
        folders = tuple(self._context.folders)
        line = int(match["line"])
        self._block.frames.append(RawLocation(match["path"], line, text=said, folders=folders))

    def _within(self, block: _Block, text: str) -> bool:
        """Read source, marks or the message of the open traceback; return False if it has ended."""
        stripped = text.strip()
        if not stripped:
            self._block = None
            return False
        if len(text) - len(text.lstrip()) > block.indent:
            if block.frames and ": " not in block.frames[-1].text and not _is_mark(stripped):
                _say_source(block, stripped)
            return True
        block.title = stripped if block.frames and not block.last_first else block.title
        self._block = None
        return not block.last_first

    def _outside(self, text: str) -> bool:
        stripped = text.strip()
        if _CRASH.match(stripped) and "C stack" not in stripped:
            self._crashed(stripped)
            return True
        if stripped.startswith(_CRASH_WORDS):
            self._crash = stripped
        if self._chains and stripped in _CAUSES:
            self._chained = True
            return True
        if self._chains and stripped and stripped not in ('"""', "'''"):
            self._after += 1
            if self._after > _PATIENCE:
                self.flush()
        return False

    def _crashed(self, stripped: str) -> None:
        self.flush()
        self._add(_Block(0, last_first=True, title=self._crash or stripped.rstrip(":")))
        if stripped.startswith("Thread") and not self._crash:
            self._kind = "N"
        self._crash = ""


def _is_mark(stripped: str) -> bool:
    return not stripped.strip("^~ ") or stripped.startswith("[Previous line repeated")


def _say_source(block: _Block, source: str) -> None:
    last = block.frames.pop()
    said = f"{last.text}: {one_line(source, 200)}" if last.text else ""
    block.frames.append(RawLocation(last.path, last.line, text=said, folders=last.folders))


def _groups_last(chains: list[list[_Block]]) -> list[list[_Block]]:
    """Order the exceptions of a group before the group itself."""
    found, groups = list[list[_Block]](), list[list[_Block]]()
    for chain in chains:
        while groups and groups[-1][0].depth >= chain[0].depth:
            found.append(groups.pop())
        groups.append(chain)
    return found + groups[::-1]


def _causes_last(chain: list[_Block]) -> list[_Block]:
    """Order the uncaught exception before its causes; tracebacks of another process first."""
    newest_first = chain[::-1]
    return sorted(newest_first, key=lambda block: not block.far)


def _trace(block: _Block) -> Trace:
    frames = tuple(block.frames) if block.last_first else tuple(reversed(block.frames))
    return Trace(one_line(block.title), frames)
