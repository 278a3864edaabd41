"""The request of a survey: which paths, and what is expected there. Pure; blocks.

A survey of a tree that is as expected costs next to nothing on the wire: the list of paths is sent
once and compressed, and the expected states as one digest for each group of paths.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from igor_core.remote.receiver import frames

_NOTHING = (frames.NOTHING_FACT, 0)
# The host's side has no annotations.
_list_hash: Callable[[bytes], bytes] = frames.list_hash
_digests_of: Callable[[list[int]], bytes] = frames.digests
_link_fact: Callable[[bytes], int] = frames.link_fact


class Seen(Protocol):
    """What is expected at a path, a `State` or a `Record`."""

    @property
    def kind(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...
    @property
    def target(self) -> bytes: ...


@dataclass(frozen=True)
class SurveyRequest:
    """Paths and what is expected there, packed. Make it in a thread, and reuse it.

    Compared are the kind of a folder, the size and time of a file, and the target of a link.
    """

    paths: Sequence[bytes]
    expected: Mapping[bytes, Seen]
    packed: bytes
    list_hash: bytes
    digests: bytes

    @classmethod
    def of(
        cls,
        paths: Sequence[bytes],
        expected: Mapping[bytes, Seen],
        earlier: "SurveyRequest | None" = None,
    ) -> "SurveyRequest":
        """Make a request. `paths` are sorted and include the folders above.

        A path that is not in `expected` is expected to be absent. An `earlier` request of the same
        `paths` object lends its packed list, so the list must not change afterwards.
        """
        if earlier is not None and earlier.paths is paths:
            packed, list_hash = earlier.packed, earlier.list_hash
        else:
            packed = pack_paths(paths)
            list_hash = _list_hash(packed)
        return cls(paths, expected, packed, list_hash, _digests(paths, expected))


def pack_paths(paths: Sequence[bytes]) -> bytes:
    return zlib.compress(b"\0".join(paths), 1)


def _digests(paths: Sequence[bytes], expected: Mapping[bytes, Seen]) -> bytes:
    found: list[int] = []
    for path in paths:
        seen = expected.get(path)
        if seen is not None and seen.kind == "f":
            found += (seen.size, seen.mtime_ns)
        else:
            found += expected_facts(seen)
    return _digests_of(found)


def expected_facts(seen: Seen | None) -> tuple[int, int]:
    if seen is None:
        return _NOTHING
    return facts(seen.kind.encode("latin-1"), seen.size, seen.mtime_ns, seen.target)


def facts(kind: bytes, size: int, mtime_ns: int, target: bytes) -> tuple[int, int]:
    """The two numbers per path that digests are made of."""
    if kind == b"f":
        return size, mtime_ns
    if kind == b"l":
        return frames.LINK_FACT, _link_fact(target)
    if kind == b"\0":
        return _NOTHING
    return (frames.FOLDER_FACT if kind == b"d" else frames.OTHER_FACT), 0
