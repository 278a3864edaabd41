"""What a push is asked to do, whom it tells, and what it did."""

from dataclasses import dataclass, field
from typing import Protocol

from igor_core.push.plan import HeldBack
from igor_core.worktree.files import File


@dataclass(frozen=True)
class Options:
    """See `Plan` and the brake. `ours` are paths at which to overwrite what is on the host."""

    dry_run: bool = False
    force: bool = False
    take_over: bool = False
    allow_deletes: bool = False
    ours: frozenset[bytes] = frozenset()


class Reporter(Protocol):
    """Whoever wants to know how a push goes, and can be asked."""

    def progress(self, label: str, done: int, total: int, unit: str, rate: float) -> None: ...

    async def confirm(self, question: str) -> bool: ...


class Nobody:
    """For a push that nobody watches or can be asked about."""

    def progress(self, label: str, done: int, total: int, unit: str, rate: float) -> None:
        return

    async def confirm(self, question: str) -> bool:
        return False


@dataclass
class Report:
    """What a push or a save did, or with a dry run would do."""

    tree: str
    sent: list[File] = field(default_factory=list)
    deleted: list[bytes] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    unchanged: int = 0
    # Changed here while they were sent: another push is due.
    moving: list[bytes] = field(default_factory=list)
    # Nothing was done: what a later scan of the local files found was pushed before.
    outdated: bool = False
    # Why it went by rsync although it was to go by the receiver; said once for each host.
    notice: str = ""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.sent)

    def hold_back(self, items: list[HeldBack]) -> None:
        """These stay as they are on the host."""
        self.held_back = [*self.held_back, *items]

    def after(self, earlier: "Report") -> "Report":
        """This push and an earlier one of the same job as one."""
        again = {file.path for file in self.sent} | set(self.deleted)
        sent = [file for file in earlier.sent if file.path not in again] + self.sent
        deleted = [path for path in earlier.deleted if path not in again] + self.deleted
        unchanged = self.unchanged + len(self.sent) - len(sent)
        return Report(
            self.tree, sent, deleted, self.held_back, max(0, unchanged), self.moving,
            notice=earlier.notice or self.notice,
        )  # fmt: skip
