"""What is found in output: reports as a program made them, entries as an editor lists them."""

from dataclasses import dataclass, field
from typing import Any, Literal

from igor_core.output.tree import address

#: As in Vim's quickfix lists: error, warning, information, note.
Kind = Literal["E", "W", "I", "N"]


@dataclass(frozen=True)
class Spot:
    """A path as it stands in the output, with line and column (from 1; 0: not known).

    `kind` "" is a frame: where its trace's title belongs, if the spots before it are libraries'.
    `context` is such a frame that is of interest only then. `certain`: see Tree.place. `symbol` is
    the function to look for where there is no line. `folders`: where its path may start.
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
    """What failed, and where: the innermost frame first."""

    title: str
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class Report:
    """What belongs together: an exception with its causes, a diagnostic with its notes.

    `order` counts what a lane of output begins. `last`: the program said nothing after it.
    `cut`: its beginning is missing. `exception` is one's type: of the same type from the same
    places are the same, whatever they say.
    """

    kind: Kind
    traces: tuple[Trace, ...]
    order: int = 0
    last: bool = False
    cut: bool = False
    exception: str = ""


@dataclass(frozen=True)
class Entry:
    """One row of a quickfix list.

    `path` is local and absolute; where only the hosts have the file it is empty and `remote` is
    its path there (see `address`). `line` is 0 where only `symbol`, a function's name, is known.
    `library`: to be listed, and to be skipped by :cnext. `count` is how often it was said, on
    `hosts`, and by `ranks` (the prefixes of the lines, "rank0").
    """

    path: str
    remote: str
    line: int
    column: int
    kind: Kind
    text: str
    library: bool = False
    symbol: str = ""
    count: int = 1
    hosts: tuple[str, ...] = ()
    ranks: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """What an editor opens."""
        return self.path or address(self.hosts[0] if self.hosts else "", self.remote)

    def to_wire(self) -> dict[str, Any]:
        # Not asdict, which copies all deeply: ten times slower, and there may be thousands.
        return {"name": self.name, **vars(self)}
