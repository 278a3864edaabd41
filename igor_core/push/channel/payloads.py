"""Payloads of the frames that the agent sends to the receiver."""

from igor_core.push.channel.precondition import Precondition, Version
from igor_core.remote.receiver import frames

MOST_LISTED = 255


def target(tree: int, path: bytes, expect: Precondition, mode: int = 0, mtime_ns: int = 0) -> bytes:
    """A path, and what is expected there."""
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
    """The version that a patch is against."""
    packed: bytes = frames.BASE.pack(version.size, version.mtime_ns, prefix, suffix, content)
    return packed


def number(value: int) -> bytes:
    packed: bytes = frames.NUMBER.pack(value)
    return packed
