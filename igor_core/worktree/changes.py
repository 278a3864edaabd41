"""The paths that have changed since a given tree."""

from collections.abc import Iterable

# At most this many changed paths are remembered.
LIMIT = 200_000


class Changes:
    """Paths in order of their last change, each with the number of the tree that showed it."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._from: int | None = None

    def begin(self, number: int) -> None:
        """Start with the tree of this number; earlier changes are unknown."""
        self._from = number

    def add(self, paths: Iterable[bytes], number: int) -> None:
        """Add changed paths; numbers never decrease."""
        for path in paths:
            self._numbers.pop(path, None)
            self._numbers[path] = number
        while len(self._numbers) > LIMIT:
            self._from = self._numbers.pop(next(iter(self._numbers)))

    def since(self, number: int) -> set[bytes] | None:
        """Return the paths that changed after the tree of this number; None if that is too old."""
        if self._from is None or number < self._from:
            return None
        found = set()
        for path in reversed(self._numbers):
            if self._numbers[path] <= number:
                break
            found.add(path)
        return found
