"""Errors, warnings and stack traces as programs print them, with paths as they stand there."""

from dataclasses import dataclass
from typing import Literal

#: As in Vim's quickfix lists: error, warning, information, note.
Kind = Literal["E", "W", "I", "N"]


@dataclass(frozen=True)
class RawLocation:
    """A path as it stands in the output, with line and column (from 1; 0: unknown).

    `kind` "" is a frame of a trace: the first one in the project carries the trace's title. A
    `context` frame is listed only if no frame before it was in the project. `certain`: see
    SourceTree.locate. `symbol` is the function to look for if there is no line. `folders`: where
    its path may start.
    """

    path: str
    line: int
    column: int = 0
    text: str = ""
    kind: Kind | Literal[""] = ""
    certain: bool = True
    context: bool = False
    symbol: str = ""
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trace:
    """What failed (`title`), and the frames, the innermost first."""

    title: str
    locations: tuple[RawLocation, ...]


@dataclass(frozen=True)
class ErrorReport:
    """An exception with its causes, or a diagnostic with its notes.

    `order` numbers the reports of a job. `last`: the program printed nothing after it. `cut`: the
    beginning is missing. `exception` is its type: two of one type from the same locations are the
    same report, whatever their messages are.
    """

    kind: Kind
    traces: tuple[Trace, ...]
    order: int = 0
    last: bool = False
    cut: bool = False
    exception: str = ""
