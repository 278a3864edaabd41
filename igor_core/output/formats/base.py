"""What the readers of formats share: each reads the lines of one speaker."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from igor_core.output.report import ErrorReport

# The most folders that a make has entered in each other; deeper ones are not kept.
_DEEPEST = 32


@dataclass
class FormatContext:
    """What readers know of their speaker: its `previous` line that is not blank, and the `folders`
    where relative paths may start. `emit` takes a report, `count` numbers it."""

    emit: Callable[[ErrorReport], None]
    count: Callable[[], int]
    previous: str = ""
    folders: list[str] = field(default_factory=list)

    def enter(self, folder: str) -> None:
        if len(self.folders) < _DEEPEST:
            self.folders.append(folder)

    def leave(self, folder: str) -> None:
        if folder in self.folders:
            at = len(self.folders) - 1 - self.folders[::-1].index(folder)
            del self.folders[at:]


class FormatReader(Protocol):
    """A reader of one format. While `open`, it is in the middle of a report."""

    @property
    def open(self) -> bool: ...

    def take(self, line: str) -> bool:
        """Read a line; return whether it is of this format, so that no other reader gets it."""

    def flush(self) -> None:
        """Emit what is held back: the output has ended."""


def one_line(text: str, longest: int = 500) -> str:
    """Shorten a text for a row of a list."""
    text = text.strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"
