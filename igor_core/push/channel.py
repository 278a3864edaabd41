"""The agent's end of the receiver: files to a host, each only if there is what is expected.

What has one frame (write, patch, link, delete) is sent by a call that doesn't wait: all frames of
one turn of the event loop leave together, in the order of the calls, and are carried out and
answered in that order. An answer is a future; where the channel is lost before, it has the
HostError, and whether the frame was carried out is not known.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from igor_core.paths import HostPaths
from igor_core.push.expectation import Expectation, Version
from igor_core.push.question import Question
from igor_core.push.survey import State
from igor_core.ssh.host import RemoteHost

# Content above this is for `write_large`, so that no frame holds up the others for long.
LARGE = 1 << 20
# Reasons of answers that igor itself gives; all others are the words of the host's system.
NOT_THE_BASE = "patch"
CHANGED_HERE = "changed here while it was sent"


class NoReceiver(Exception):
    """The host has no python3 (3.6 or later) that could run the receiver; says what it said."""


@dataclass(frozen=True, slots=True)
class OpenedTree:
    """A tree on a host, by its real path, as the frames of one channel name it.

    `claimed_by` is another clone that pushes there: then the tree is not open. Without
    `exists` (only where it was opened to look) nothing is there.
    """

    ident: int
    path: str
    exists: bool
    claimed_by: str = ""


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


class Channel:
    """One receiver on a host, on a session of its own. For big transfers open several."""

    def __init__(self, host: RemoteHost) -> None:
        self.host = host

    @classmethod
    async def open(cls, host: RemoteHost) -> "Channel":
        """Start a receiver on a connected host.

        Raises NoReceiver where python3 is missing, too old or broken; HostError.
        """
        raise NotImplementedError

    @property
    def alive(self) -> bool:
        """Whether frames can be sent."""
        raise NotImplementedError

    @property
    def pending(self) -> int:
        """How many frames are not answered yet."""
        raise NotImplementedError

    @property
    def why_lost(self) -> str:
        """Why it is not alive any more, in a few words."""
        raise NotImplementedError

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call once when it is lost: connection, receiver, silence for 30 s, nonsense."""
        raise NotImplementedError

    def close(self) -> None:
        """End the receiver; it removes its temp files. What is pending fails."""
        raise NotImplementedError

    async def open_tree(
        self, paths: HostPaths, claim: str, *, writing: bool, taking: bool = False
    ) -> OpenedTree:
        """Open a tree as the clone `claim`; with `writing` make and claim it, and sweep.

        A tree that another clone has claimed is opened only with `taking`. HostError where its
        folders can't be made or opened.
        """
        raise NotImplementedError

    def write(
        self,
        tree: OpenedTree,
        path: bytes,
        content: bytes,
        *,
        mode: int,
        mtime_ns: int,
        expect: Expectation,
    ) -> "asyncio.Future[Answer]":
        """Write a file, and the folders above that are missing. `content` up to LARGE."""
        raise NotImplementedError

    async def write_large(
        self,
        tree: OpenedTree,
        path: bytes,
        source: BinaryIO,
        size: int,
        *,
        mode: int,
        mtime_ns: int,
        expect: Expectation,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> Answer:
        """Write a file of any size from an open one, in chunks, in bounded memory.

        `size` and `mtime_ns` are the source's: one that is not so any more isn't written
        (CHANGED_HERE). What is there is checked first, and again when all has arrived.
        """
        raise NotImplementedError

    def patch(
        self,
        tree: OpenedTree,
        path: bytes,
        *,
        base: Version,
        prefix: int,
        suffix: int,
        middle: bytes,
        hash: bytes,
        mode: int,
        mtime_ns: int,
        expect: Expectation,
    ) -> "asyncio.Future[Answer]":
        """Write a file as its first `prefix` bytes, `middle`, and its last `suffix` bytes.

        `base` (by size and time) is the version that these are of, `hash` the sha256 of the result.
        NOT_THE_BASE where that isn't there: send the whole.
        """
        raise NotImplementedError

    def link(
        self,
        tree: OpenedTree,
        path: bytes,
        target: bytes,
        *,
        mtime_ns: int,
        expect: Expectation,
    ) -> "asyncio.Future[Answer]":
        """Make a symbolic link."""
        raise NotImplementedError

    def delete(
        self,
        tree: OpenedTree,
        path: bytes,
        *,
        expect: Expectation,
        remove_empty: Collection[bytes] = (),
    ) -> "asyncio.Future[Answer]":
        """Delete a file or link, then of the folders `remove_empty` those that are empty.

        Nothing there is well, too.
        """
        raise NotImplementedError

    async def survey(self, tree: OpenedTree, question: Question) -> dict[bytes, State | None]:
        """What is at those of the paths that are not as expected (None: nothing).

        Saves go on meanwhile: it is not a picture of one moment.
        """
        raise NotImplementedError

    async def hashes(self, tree: OpenedTree, paths: Sequence[bytes]) -> dict[bytes, bytes]:
        """sha256 of the content of each of the paths that is a readable file."""
        raise NotImplementedError

    async def read(self, tree: OpenedTree, path: bytes, limit: int) -> bytes:
        """The first `limit` bytes (at most 8 MB) of a file. HostError where it can't be read."""
        raise NotImplementedError

    def flush(self) -> None:
        """Send now what else leaves at the end of this turn of the event loop."""
        raise NotImplementedError

    async def drain(self) -> None:
        """Wait until more may be sent without holding too much in memory."""
        raise NotImplementedError
