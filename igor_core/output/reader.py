"""What the readers of formats have in common: each looks at the lines of one lane."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from igor_core.output.entry import Report

# Folders that a make has entered; deeper ones are not kept.
_DEEPEST = 32


@dataclass
class Lane:
    """Lines with one prefix in one stream. `previous` is the last one that is not blank."""

    emit: Callable[[Report], None]
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


class Reader(Protocol):
    """`open`: it is in the middle of something and wants every line."""

    @property
    def open(self) -> bool: ...

    def take(self, line: str) -> bool:
        """Whether the line is its own, so that no other reader need look at it."""

    def flush(self) -> None:
        """The lane has ended: report what is held back."""


def first(text: str, longest: int = 500) -> str:
    """For a row of a list: one line, not endless."""
    text = text.strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"
