"""What a push is asked to do, who watches it, and what it did."""

from dataclasses import dataclass, field
from typing import Protocol

from igor_core.push.plan import HeldBack
from igor_core.worktree.files import File


@dataclass(frozen=True)
class PushOptions:
    """The options of `igor push`. `ours` are paths whose version on the host to overwrite.

    Without `asks` nobody answers questions: many deletes are held back, and the rest is done.
    """

    dry_run: bool = False
    force: bool = False
    take_over: bool = False
    allow_deletes: bool = False
    ours: frozenset[bytes] = frozenset()
    asks: bool = True


class Reporter(Protocol):
    """Shows the progress of a push, and answers its questions."""

    def progress(self, label: str, done: int, total: int, unit: str, rate: float) -> None: ...

    async def confirm(self, question: str) -> bool: ...


class Nobody:
    """The reporter of a push that nobody watches: no progress, and every question is declined."""

    def progress(self, label: str, done: int, total: int, unit: str, rate: float) -> None:
        return

    async def confirm(self, question: str) -> bool:
        return False


@dataclass
class PushReport:
    """What a push or a save did, or with --dry-run would do."""

    tree: str
    sent: list[File] = field(default_factory=list)
    deleted: list[bytes] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    unchanged: int = 0
    # Local files that changed while they were sent: another push is due.
    moving: list[bytes] = field(default_factory=list)
    # Nothing was done, because a later scan has been pushed already.
    outdated: bool = False
    # Why rsync was used in place of the receiver; said once for each host.
    notice: str = ""

    @property
    def size(self) -> int:
        """The bytes of all sent files."""
        return sum(file.size for file in self.sent)

    def hold_back(self, items: list[HeldBack]) -> None:
        """Add paths that stay as they are on the host."""
        self.held_back = [*self.held_back, *items]

    def add(self, other: "PushReport") -> None:
        """Add another part of the same save."""
        self.sent += other.sent
        self.deleted += other.deleted
        self.held_back += other.held_back
        self.unchanged += other.unchanged
        self.moving += other.moving

    def after(self, earlier: "PushReport") -> "PushReport":
        """Return this push and an earlier one of the same job as one report."""
        again = {file.path for file in self.sent} | set(self.deleted)
        sent = [file for file in earlier.sent if file.path not in again] + self.sent
        deleted = [path for path in earlier.deleted if path not in again] + self.deleted
        unchanged = self.unchanged + len(self.sent) - len(sent)
        return PushReport(
            tree=self.tree,
            sent=sent,
            deleted=deleted,
            held_back=self.held_back,
            unchanged=max(0, unchanged),
            moving=self.moving,
            notice=earlier.notice or self.notice,
        )
