"""Reading the frames of an answer: each function returns its value, None while more frames follow.

All raise WrongShape (or struct.error) for an answer that no receiver gives to the request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest, expected_facts, facts
from igor_core.remote.receiver import frames
from igor_core.shapes import MOST_PATH, WrongShape, file_path, members, parsed, text, truth, words

# The most bytes that the targets of all links of a tree may take.
MOST_TARGETS = 64 << 20
_OPENED = members(
    {"path": file_path, "exists": truth, "claimed_by": text(), "error": text(3 * MOST_PATH)}
)
# find's %y, NUL for nothing, and "?" for a kind that receiver/expect.py does not know.
_KINDS = frozenset({b"\0", b"f", b"d", b"l", b"p", b"s", b"b", b"c", b"?"})
_MOST_SIZE = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a frame.

    ok: `state` is what the host has now (None: nothing). After `write` and `patch` its content is
    the requested one, but not always its time and mode: an equal file that was there already stays
    as it is, except for the executable bit. After `write_large`, `hash` is that of the content.

    not ok, without a reason: the precondition does not hold. `state` is what the host has, `hash`
    the sha256 of a readable file (empty above 64 MB: ask `hashes`).

    not ok, with a reason: it failed. The reason is an error message of the host's system,
    NOT_THE_BASE or CHANGED_LOCALLY. `obstacle` is the topmost path above that is not a folder.
    """

    ok: bool
    state: State | None = None
    hash: bytes = b""
    reason: str = ""
    obstacle: bytes = b""


class Budget:
    """How many more bytes an answer may have, and which groups of a survey it has brought."""

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
            raise WrongShape("an answer without an end")


def _of_kind(wanted: int, kind: int) -> None:
    if kind != wanted:
        raise WrongShape(f"kind {kind} where {wanted} was asked for")


def answer(kind: int, payload: bytes) -> Answer:
    _of_kind(frames.ANSWER, kind)
    return read_answer(payload)


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
    request: SurveyRequest, found: dict[bytes, State | None], told: Budget, kind: int, part: bytes
) -> dict[bytes, State | None] | None:
    _of_kind(frames.SURVEYED, kind)
    told.spend(len(part))
    found.update(differing(request, part, told.groups))
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


def read_answer(payload: bytes) -> Answer:
    """Unpack an ANSWER. Raises ValueError, struct.error."""
    done, kind, size, mtime_ns, mode, *lengths = frames.REPLY.unpack_from(payload)
    fields, at = [], frames.REPLY.size
    for length in lengths:
        fields.append(payload[at : at + length])
        at += length
    if at != len(payload):
        raise ValueError("an answer of the wrong length")
    link, content, obstacle, reason = fields
    if done > 1 or len(content) not in (0, frames.HASH_SIZE) or not _is_below(obstacle):
        raise WrongShape("an answer that no receiver gives")
    seen = state(kind, size, mtime_ns, mode, link)
    return Answer(bool(done), seen, content, words(reason) if reason else "", obstacle)


def state(kind: bytes, size: int, mtime_ns: int, mode: int, target: bytes) -> State | None:
    """A state; None for nothing. Raises WrongShape if no file system has such a file."""
    if kind not in _KINDS or mode > 0o777 or size > _MOST_SIZE or len(target) > MOST_PATH:
        raise WrongShape("a file of an impossible kind, size or mode")
    return None if kind == b"\0" else State(kind.decode("latin-1"), size, mtime_ns, mode, target)


def _is_below(path: bytes) -> bool:
    """Whether the path is empty, or stays inside of the tree."""
    return not path or not (
        len(path) > MOST_PATH or b"\0" in path or {b"", b".", b".."} & set(path.split(b"/"))
    )


def differing(
    request: SurveyRequest, part: bytes, told: set[int] | None = None
) -> dict[bytes, State | None]:
    """The paths in a part of a survey's answer that are not as expected.

    `told` are the groups of earlier parts. Raises WrongShape, struct.error.
    """
    told = set() if told is None else told
    found: dict[bytes, State | None] = {}
    at = 0
    while at < len(part):
        (group,) = frames.NUMBER.unpack_from(part, at)
        at += frames.NUMBER.size
        if group in told or group * frames.GROUP >= len(request.paths):
            raise WrongShape(f"group {group}, which was not asked for")
        told.add(group)
        for path in request.paths[group * frames.GROUP : (group + 1) * frames.GROUP]:
            kind, size, mtime_ns, mode, length = frames.SEEN.unpack_from(part, at)
            at += frames.SEEN.size + length
            if at > len(part):
                raise WrongShape("a part of a survey that is cut off")
            link = part[at - length : at]
            expected = expected_facts(request.expected.get(path))
            if facts(kind, size, mtime_ns, link) != expected:
                found[path] = state(kind, size, mtime_ns, mode, link)
    return found
