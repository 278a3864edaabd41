"""What the keeper of a debugged program says in its notes, checked and as data."""

import signal
from dataclasses import dataclass
from typing import Any

from igor_core.events import ResultKind
from igor_core.shapes import (
    MOST_WORDS,
    anything,
    items,
    members,
    number,
    parsed,
    text,
    truth,
    words,
)

MOST_NOTE = 4 << 20
_WORD = text(1 << 16)
_NOTE = members({"event": text(40)}, {"position": number()}, others=True)
# A keeper of another igor version may say more.
_NOTES = {
    "refused": members({"what": text(40), "text": _WORD}, {"folder": _WORD}, others=True),
    "session": members(
        {
            "phase": text(40), "id": text(200), "pid": number(0, 1 << 32), "python": _WORD,
            "root": _WORD, "command": items(text(1 << 21)),
        },
        others=True,
    ),
    "dropped": members({"bytes": number()}, others=True),
    "exited": members(
        {"status": number(-256, 1 << 16), "why": text(MOST_WORDS), "listened": truth}, others=True
    ),
    "over": members({"left": number(0, 1 << 32)}, others=True),
}  # fmt: skip


class DebugRefused(Exception):
    """Nothing was started, or the session belongs to another client now.

    `what` is a word for programs, `text` the sentence for the user. `what` is "" where the helper
    itself did not run; `text` is then what was printed.
    """

    def __init__(self, what: str, text: str, **more: Any) -> None:
        super().__init__(text)
        self.what = what
        self.text = text
        self.more = more


@dataclass(frozen=True)
class ListeningProgram:
    """A program for which debugpy listens; `root` is the folder in which the helper started."""

    ident: str
    pid: int
    python: str
    root: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Exit:
    """How the program ended: its status (128 + n for signal n), and why igor ended it, if it did.

    `listened` is false if debugpy never listened; `left` counts processes of the program that
    could not be ended.
    """

    status: int
    why: str = ""
    listened: bool = True
    left: int = 0

    @property
    def how(self) -> str:
        """The end in a few words."""
        if self.why:
            return f"ended: {self.why}"
        return self.by_signal or f"exit status {self.status}"

    @property
    def kind(self) -> ResultKind:
        if self.status == 0:
            return "done"
        return "ended" if self.why else "exited"

    @property
    def by_signal(self) -> str:
        try:
            return f"ended by {signal.Signals(self.status - 128).name.removeprefix('SIG')}"
        except ValueError:
            return ""


def read_note(payload: bytes) -> dict[str, Any]:
    """Return a note with its fields checked. Raises ValueError, and DebugRefused for a refusal."""
    said: dict[str, Any] = parsed(payload, _NOTE, "a note", MOST_NOTE)
    event = said["event"]
    _NOTES.get(event, anything)(said, f"the note {words(event)!r}")
    if event == "refused":
        more = {name: value for name, value in said.items() if name == "folder"}
        raise DebugRefused(said["what"], words(said["text"]), **more)
    return said


def listening_program(said: dict[str, Any]) -> ListeningProgram:
    return ListeningProgram(
        ident=said["id"],
        pid=said["pid"],
        python=said["python"],
        root=said["root"],
        command=tuple(said["command"]),
    )
