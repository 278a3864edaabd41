"""What of a save leaves without a question: in parts, each in one turn of the event loop."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from igor_core.push.change import Change
from igor_core.push.in_flight import Refusal, Transfer
from igor_core.push.plan import Known
from igor_core.push.preconditions import is_below
from igor_core.push.push import Push
from igor_core.worktree.files import with_parents

# A turn of the event loop launches at most so much: all else waits meanwhile.
TURN_FILES = 64
TURN_BYTES = 1 << 19


@dataclass
class SaveBatch:
    """What has left in one turn: the frames' ledger, and what they were planned with."""

    ledger: Transfer
    known: Known


@dataclass
class SaveBatches:
    """What has left without a question, and the paths that are still to leave so, in order."""

    push: Push
    waiting: list[list[Change]]
    parts: list[SaveBatch] = field(default_factory=list)
    covered: set[bytes] = field(default_factory=set)
    sent: int = 0

    async def landed(self) -> tuple[dict[bytes, Refusal | None], Known]:
        """What is to be planned again, and with what all was planned."""
        for part in self.parts:
            await part.ledger.landed()
        again: dict[bytes, Refusal | None] = {}
        known = Known({}, {}, {}, {})
        for part in self.parts:
            again |= self.push.enter(part.ledger, part.known)
            known = Known(
                {**known.local, **part.known.local},
                {**known.written, **part.known.written},
                {},
                {**known.remote, **part.known.remote},
                local_hashes={**known.local_hashes, **part.known.local_hashes},
            )
        return again, known


def in_turns(changes: Mapping[bytes, Change]) -> list[list[Change]]:
    """Parts for one turn of the event loop each: what stands in the way of a file is deleted first.

    All else that is gone is deleted last.
    """
    written = {path for path, change in changes.items() if change.file is not None}
    above = with_parents(written)

    def rank(change: Change) -> int:
        if change.file is not None:
            return 1
        return 0 if change.path in above or is_below(change.path, written) else 2

    turns: list[list[Change]] = [[]]
    size = 0
    for change in sorted(changes.values(), key=rank):
        size += len(change.content or b"")
        if turns[-1] and (size > TURN_BYTES or len(turns[-1]) == TURN_FILES):
            turns.append([])
            size = len(change.content or b"")
        turns[-1].append(change)
    return turns
