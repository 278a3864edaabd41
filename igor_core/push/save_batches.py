"""Batches of a save that need no survey first, one per turn of the event loop."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from igor_core.push.plan import Change, PlanInput
from igor_core.push.preconditions import is_below
from igor_core.push.push import Push
from igor_core.push.transfer import Refusal, Transfer
from igor_core.worktree.files import with_parents

# One turn of the event loop sends at most this much, since everything else waits meanwhile.
TURN_FILES = 64
TURN_BYTES = 1 << 19


@dataclass
class SaveBatch:
    """The paths sent in one turn: their transfer, and what it was planned with."""

    transfer: Transfer
    known: PlanInput


@dataclass
class SaveBatches:
    """The batches of one save: those already sent, and those still waiting, in order."""

    push: Push
    waiting: list[list[Change]]
    launched: list[SaveBatch] = field(default_factory=list)
    covered: set[bytes] = field(default_factory=set)
    sent: int = 0

    async def landed(self) -> tuple[dict[bytes, Refusal | None], PlanInput]:
        """Wait for all answers. Return the paths to plan again, and what is known of them."""
        for batch in self.launched:
            await batch.transfer.landed()
        again: dict[bytes, Refusal | None] = {}
        known = PlanInput({}, {}, {}, {})
        for batch in self.launched:
            again |= self.push.enter(batch.transfer, batch.known)
            known = PlanInput(
                {**known.local, **batch.known.local},
                {**known.written, **batch.known.written},
                {},
                {**known.remote, **batch.known.remote},
                local_hashes={**known.local_hashes, **batch.known.local_hashes},
            )
        return again, known


def batches_of(changes: Mapping[bytes, Change]) -> list[list[Change]]:
    """Split the changes into turns: deletes in the way of a file first, other deletes last."""
    written = {path for path, change in changes.items() if change.file is not None}
    above = with_parents(written)

    def rank(change: Change) -> int:
        if change.file is not None:
            return 1
        return 0 if change.path in above or is_below(change.path, written) else 2

    batches: list[list[Change]] = [[]]
    size = 0
    for change in sorted(changes.values(), key=rank):
        size += len(change.content or b"")
        if batches[-1] and (size > TURN_BYTES or len(batches[-1]) == TURN_FILES):
            batches.append([])
            size = len(change.content or b"")
        batches[-1].append(change)
    return batches
