"""Payloads of the receiver's frames, packed and unpacked for the agent; the rest is plain data."""

from dataclasses import dataclass

from igor_core.push.channel.expectation import Expectation, Version
from igor_core.push.channel.question import Question, expected_facts, facts
from igor_core.push.channel.state import State
from igor_core.remote.receiver import frames
from igor_core.shapes import MOST_PATH, WrongShape, words

MOST_LISTED = 255
# find's %y, NUL for nothing, and what receiver/host/expect.py says of what it does not know.
_KINDS = frozenset({b"\0", b"f", b"d", b"l", b"p", b"s", b"b", b"c", b"?"})
_MOST_SIZE = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a frame.

    ok: `state` is what is there now (None: nothing). After `write` and `patch` it has the asked
    content, but not always the asked time and mode: where equal content was there that nobody
    expected, that file stays as it is, and only a different x bit is set.
    not ok, no reason: the expectation isn't met; `state` is what is there (None: nothing), `hash`
    the sha256 of its content if it is a readable file (empty for one above 64 MB: ask `hashes`).
    not ok, a reason: it failed, in the words of the host's system, NOT_THE_BASE or CHANGED_HERE.
    `obstacle` is the topmost path above that is there and is not a folder.
    After `write_large` succeeded, `hash` is that of the content.
    """

    ok: bool
    state: State | None = None
    hash: bytes = b""
    reason: str = ""
    obstacle: bytes = b""


def target(tree: int, path: bytes, expect: Expectation, mode: int = 0, mtime_ns: int = 0) -> bytes:
    """A path and what is expected there."""
    flags = frames.ABSENT * expect.absent + frames.ANYTHING * expect.anything
    versions, links = expect.versions[:MOST_LISTED], expect.targets[:MOST_LISTED]
    head: bytes = frames.TARGET.pack(
        tree, mode & 0o777, mtime_ns, len(path), flags, len(versions), len(links)
    )
    parts = [head, path]
    for version in versions:
        parts += (
            frames.VERSION.pack(version.size, version.mtime_ns),
            version.hash or frames.NO_HASH,
        )
    for link in links:
        parts += (frames.LENGTH.pack(len(link)), link)
    return b"".join(parts)


def base(version: Version, prefix: int, suffix: int, content: bytes) -> bytes:
    """What a patch is against."""
    packed: bytes = frames.BASE.pack(version.size, version.mtime_ns, prefix, suffix, content)
    return packed


def answer(payload: bytes) -> Answer:
    """ValueError, struct.error where it isn't one."""
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
    """None for nothing. WrongShape where no file system has the like."""
    if kind not in _KINDS or mode > 0o777 or size > _MOST_SIZE or len(target) > MOST_PATH:
        raise WrongShape("a file such as there is none")
    return None if kind == b"\0" else State(kind.decode("latin-1"), size, mtime_ns, mode, target)


def _is_below(path: bytes) -> bool:
    """Whether it is empty, or a path that does not leave the tree."""
    return not path or not (
        len(path) > MOST_PATH or b"\0" in path or {b"", b".", b".."} & set(path.split(b"/"))
    )


def differing(
    question: Question, part: bytes, told: set[int] | None = None
) -> dict[bytes, State | None]:
    """What a part of the answer to a survey says that is not as expected.

    `told` are the groups of earlier parts. Raises WrongShape, struct.error.
    """
    told = set() if told is None else told
    found: dict[bytes, State | None] = {}
    at = 0
    while at < len(part):
        (group,) = frames.NUMBER.unpack_from(part, at)
        at += frames.NUMBER.size
        if group in told or group * frames.GROUP >= len(question.paths):
            raise WrongShape(f"group {group}, which was not asked for")
        told.add(group)
        for path in question.paths[group * frames.GROUP : (group + 1) * frames.GROUP]:
            kind, size, mtime_ns, mode, length = frames.SEEN.unpack_from(part, at)
            at += frames.SEEN.size + length
            if at > len(part):
                raise WrongShape("a part of a survey that is cut off")
            link = part[at - length : at]
            expected = expected_facts(question.expected.get(path))
            if facts(kind, size, mtime_ns, link) != expected:
                found[path] = state(kind, size, mtime_ns, mode, link)
    return found


def number(value: int) -> bytes:
    packed: bytes = frames.NUMBER.pack(value)
    return packed
