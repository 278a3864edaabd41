"""The question of a survey: which paths, and what is expected there. Pure, and blocks.

A survey of a tree that is as expected is to cost next to nothing on the wire: the list of paths
travels compressed and once, and what is expected as one digest for each group of paths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Seen(Protocol):
    """What is expected at a path: survey.py's State, manifest.py's Record."""

    @property
    def kind(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...
    @property
    def target(self) -> bytes: ...


@dataclass(frozen=True)
class Question:
    """Paths and what is expected there, ready to be sent. Make it in a thread, and keep it.

    Of folders only the kind counts, of files kind, size and time, of links kind and target.
    """

    paths: Sequence[bytes]
    expected: Mapping[bytes, Seen]

    @classmethod
    def of(
        cls,
        paths: Sequence[bytes],
        expected: Mapping[bytes, Seen],
        earlier: "Question | None" = None,
    ) -> "Question":
        """`paths`, sorted, with the folders above; nothing is expected where `expected` has none.

        A folder is expected by a State of kind "d". `earlier` is a question of the same list
        object: only what changed since is computed anew.
        """
        return cls(paths, expected)
