"""What takes the frames of an answer of the receiver: its value, None while more is to come.

Each raises WrongShape (or struct.error) for what no receiver answers to what was asked.
"""

from collections.abc import Sequence
from typing import Any

from igor_core.push.channel import frames as pack
from igor_core.push.channel.frames import Answer
from igor_core.push.channel.question import Question
from igor_core.push.channel.state import State
from igor_core.remote.receiver import frames
from igor_core.shapes import MOST_PATH, WrongShape, file_path, members, parsed, text, truth

# The targets of all links of a tree, at most.
MOST_TARGETS = 64 << 20
_OPENED = members(
    {"path": file_path, "exists": truth, "claimed_by": text(), "error": text(3 * MOST_PATH)}
)


class Budget:
    """How many bytes an answer may still have, and the groups of a survey that were told of."""

    def __init__(self, left: int) -> None:
        self.groups: set[int] = set()
        self._left = left

    @classmethod
    def of_survey(cls, paths: int) -> "Budget":
        return cls(MOST_TARGETS + paths * 2 * frames.SEEN.size)

    @classmethod
    def of_hashes(cls, paths: int) -> "Budget":
        return cls(paths * frames.HASH.size)

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise WrongShape("an answer that never ends")


def _of_kind(wanted: int, kind: int) -> None:
    if kind != wanted:
        raise WrongShape(f"kind {kind} where {wanted} was asked for")


def answer(kind: int, payload: bytes) -> Answer:
    _of_kind(frames.ANSWER, kind)
    return pack.answer(payload)


def opened(kind: int, payload: bytes) -> dict[str, Any]:
    _of_kind(frames.OPENED, kind)
    said: dict[str, Any] = parsed(payload, _OPENED, "a tree that is open")
    return said


def content(limit: int, kind: int, payload: bytes) -> bytes:
    _of_kind(frames.CONTENT, kind)
    if payload[:1] not in (b"\0", b"\1") or (payload[0] and len(payload) > limit + 1):
        raise WrongShape("content that was not asked for")
    return payload


def surveyed(
    question: Question, found: dict[bytes, State | None], told: Budget, kind: int, part: bytes
) -> dict[bytes, State | None] | None:
    _of_kind(frames.SURVEYED, kind)
    told.spend(len(part))
    found.update(pack.differing(question, part, told.groups))
    return None if part else found


def hashed(
    paths: Sequence[bytes], found: dict[bytes, bytes], told: Budget, kind: int, part: bytes
) -> dict[bytes, bytes] | None:
    _of_kind(frames.HASHED, kind)
    told.spend(len(part))
    for at, content in frames.HASH.iter_unpack(part):
        if at >= len(paths):
            raise WrongShape(f"a hash of path {at}, which was not asked for")
        found[paths[at]] = content
    return None if part else found
