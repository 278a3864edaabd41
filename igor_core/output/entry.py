"""Rows of a quickfix list."""

from dataclasses import dataclass, field
from typing import Any

from igor_core.output.report import Kind
from igor_core.output.source_tree import address


@dataclass(frozen=True)
class QuickfixEntry:
    """One row of a quickfix list.

    `path` is local and absolute. It is empty if only the hosts have the file: then `remote` is its
    path on them (see `address`). `line` is 0 if only `symbol`, a function's name, is known. A
    `library` entry is listed, but :cnext skips it. `count` is how often it was reported, by
    `hosts` and `ranks` (the prefixes of the lines, "rank0").
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
        """The name that an editor opens."""
        return self.path or address(self.hosts[0] if self.hosts else "", self.remote)

    def to_wire(self) -> dict[str, Any]:
        # Not asdict: its deep copies are ten times slower, and there may be thousands of entries.
        return {"name": self.name, **vars(self)}
