"""The local changes that one host has not acknowledged yet, counted in generations. Pure.

A generation is the number of a local tree: it grows with each change that is seen. A host has
generation g when it has acknowledged all changes up to g.
"""

import time
from collections.abc import Collection, Iterable

from igor_core.push.plan import HeldBack
from igor_core.push.report import PushReport


class Backlog:
    """`behind` has the unacknowledged paths, with the generation of their last change.

    `held_back` are the paths that stay as they are on the host. `since` is the time (Unix) from
    which on the host has been behind, None if it is not.
    """

    def __init__(self) -> None:
        self.behind: dict[bytes, int] = {}
        self.held_back: dict[bytes, HeldBack] = {}
        self.since: float | None = None
        # The generations of the outcomes of saves that came after the last full push.
        self._decided_at: dict[bytes, int] = {}
        # The generation of the last full push, and the first one that a full push must compare.
        self._compared_at = 0
        self._to_compare = 1

    @property
    def is_compared(self) -> bool:
        """Whether all but `behind` has been compared by a full push."""
        return self._compared_at >= self._to_compare

    def late(self, generation: int) -> list[bytes]:
        """The unacknowledged paths up to a generation."""
        return [path for path, at in self.behind.items() if at <= generation]

    def add(self, paths: Iterable[bytes], generation: int) -> None:
        """Register changed paths."""
        for path in paths:
            self.behind[path] = generation
        self.since = self.since or time.time()

    def compare_all(self, generation: int) -> None:
        """Register that unknown paths have changed, which a full push of `generation` finds."""
        self._to_compare = generation

    def hold_back(self, item: HeldBack, generation: int) -> None:
        """Register a path that can't be sent."""
        self.held_back[item.path] = item
        self._decided_at[item.path] = generation
        self.behind.pop(item.path, None)

    def acknowledge(self, paths: Collection[bytes], generation: int, report: PushReport) -> None:
        """Enter the report of a save of these paths."""
        settled = set(paths).difference(report.moving)
        for path in settled:
            if self.behind.get(path, generation + 1) <= generation:
                del self.behind[path]
        # A later comparison or save knows better.
        oldest = max(self._compared_at, 1)
        news = {path for path in settled if self._decided_at.get(path, oldest) <= generation}
        for path in news:
            self._decided_at[path] = generation
            self.held_back.pop(path, None)
        self.held_back |= {item.path: item for item in report.held_back if item.path in news}
        self._update_since()

    def compared(self, generation: int, report: PushReport) -> None:
        """Enter the report of a full push."""
        self._compared_at = max(self._compared_at, generation)
        # The push knows nothing of what saves have found since.
        self._decided_at = {p: at for p, at in self._decided_at.items() if at > generation}
        later = {path: item for path, item in self.held_back.items() if path in self._decided_at}
        pushed = {i.path: i for i in report.held_back if i.path not in self._decided_at}
        self.held_back = pushed | later
        moving = set(report.moving)
        self.behind = {
            path: at for path, at in self.behind.items() if at > generation or path in moving
        }
        self._update_since()

    def _update_since(self) -> None:
        if not self.behind:
            self.since = None
