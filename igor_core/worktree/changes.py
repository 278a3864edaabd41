"""Which paths have changed since when."""

from collections.abc import Iterable

# More paths than this that changed once are not remembered.
LIMIT = 200_000


class Changes:
    """Paths in the order of their last change, and the number of the tree that showed it."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._from: int | None = None

    def begin(self, number: int) -> None:
        """Nothing is known of what was before the tree of this number."""
        self._from = number

    def add(self, paths: Iterable[bytes], number: int) -> None:
        """`number` is not smaller than any before."""
        for path in paths:
            self._numbers.pop(path, None)
            self._numbers[path] = number
        while len(self._numbers) > LIMIT:
            self._from = self._numbers.pop(next(iter(self._numbers)))

    def since(self, number: int) -> set[bytes] | None:
        """What has changed after the tree of this number; None where that is too long ago."""
        if self._from is None or number < self._from:
            return None
        found = set()
        for path in reversed(self._numbers):
            if self._numbers[path] <= number:
                break
            found.add(path)
        return found
