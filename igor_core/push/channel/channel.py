"""The agent's end of the receiver: files to a host, each only if there is what is expected.

What has one frame (write, patch, link, delete) is sent by a call that doesn't wait: all frames of
one turn of the event loop leave together, in the order of the calls, and are carried out and
answered in that order. An answer is a future; where the channel is lost before, it has the
HostError, and whether the frame was carried out is not known.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from igor_core.errors import HostError
from igor_core.paths import HostPaths, unsafe_hint
from igor_core.push.channel import answers
from igor_core.push.channel import frames as pack
from igor_core.push.channel.expectation import Expectation, Version
from igor_core.push.channel.frames import Answer
from igor_core.push.channel.question import Question, pack_paths
from igor_core.push.channel.requests import Requests
from igor_core.push.channel.state import State
from igor_core.push.channel.upload import CHANGED_HERE, Upload
from igor_core.remote.packer import Bundle
from igor_core.remote.receiver import frames
from igor_core.shapes import (
    items,
    members,
    number,
    words,
)
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.remote_program import NoPython, ProgramSpec
from igor_core.worktree.files import shown

__all__ = [
    "CHANGED_HERE",
    "LARGE",
    "NOT_THE_BASE",
    "Answer",
    "Channel",
    "NoReceiver",
    "OpenedTree",
]

# Content above this is for `write_large`, so that no frame holds up the others for long.
LARGE = 1 << 20
# Reasons of answers that igor itself gives; all others are the words of the host's system.
NOT_THE_BASE: str = frames.NOT_THE_BASE

RECEIVER = ProgramSpec(
    Bundle("igor_core.remote.receiver.receiver"),
    frames.MAGIC,
    members({"pid": number(1), "python": items(number(), 3, 3)}),
    # CONTENT has a byte more than what was read.
    frames.MOST_BYTES + 1,
)

NoReceiver = NoPython


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


class Channel:
    """One receiver on a host, on a session of its own. For big transfers open several."""

    def __init__(self, host: RemoteHost, requests: Requests) -> None:
        self.host = host
        self._requests = requests
        self._trees = itertools.count(1)
        # The list of paths that the receiver knows of each tree, by its hash.
        self._lists: dict[int, bytes] = {}

    @classmethod
    async def open(cls, host: RemoteHost) -> "Channel":
        """Start a receiver on a connected host.

        Raises NoReceiver where python3 is missing, too old or broken; HostError.
        """
        return cls(host, await Requests.open(host, RECEIVER))

    @property
    def alive(self) -> bool:
        """Whether frames can be sent."""
        return self._requests.alive

    @property
    def pending(self) -> int:
        """How many frames are not answered yet."""
        return self._requests.pending

    @property
    def why_lost(self) -> str:
        """Why it is not alive any more, in a few words."""
        return self._requests.why_lost

    @property
    def broken(self) -> str:
        """The same, where the receiver did not keep to the protocol."""
        return self._requests.broken

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call once when it is lost: connection, receiver, silence for 30 s, nonsense.

        The futures that are pending have failed by then.
        """
        self._requests.on_lost(callback)

    def close(self) -> None:
        """End the receiver; it removes its temp files. What is pending fails."""
        self._requests.close()

    async def open_tree(
        self,
        paths: HostPaths,
        claim: str,
        *,
        writing: bool,
        taking: bool = False,
        again: OpenedTree | None = None,
    ) -> OpenedTree:
        """Open a tree as the clone `claim`; with `writing` make and claim it, and sweep.

        A tree that another clone has claimed is opened only with `taking`. HostError where its
        folders can't be made or opened. `again` is the same tree opened before: it is looked at
        anew, whose it is too, and what is under way there goes on.
        """
        ident = next(self._trees) if again is None else again.ident
        order = {
            "base": paths.base, "project": paths.project, "claim": claim,
            "writing": writing, "taking": taking,
        }  # fmt: skip
        said = await self._requests.ask(
            frames.OPEN,
            answers.opened,
            pack.number(ident),
            json.dumps(order).encode("ascii"),
        )
        if said["error"]:
            hint = unsafe_hint(paths.base) if said.get("unsafe") else ""
            raise HostError(f"{self.host.name}: {said['error']}", hint)
        return OpenedTree(ident, said["path"], said["exists"], said["claimed_by"])

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
        target = pack.target(tree.ident, path, expect, mode, mtime_ns)
        return self._requests.ask(frames.WRITE, answers.answer, target, content)

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
        target = pack.target(tree.ident, path, expect, mode, mtime_ns)
        upload = Upload(self._requests, source, size, mtime_ns, on_progress)
        return await upload.send(target)

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
        target = pack.target(tree.ident, path, expect, mode, mtime_ns)
        against = pack.base(base, prefix, suffix, hash)
        return self._requests.ask(frames.PATCH, answers.answer, target, against, middle)

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
        place = pack.target(tree.ident, path, expect, mtime_ns=mtime_ns)
        return self._requests.ask(frames.LINK, answers.answer, place, target)

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
        deepest_first = sorted(remove_empty, key=lambda folder: folder.count(b"/"), reverse=True)
        place = pack.target(tree.ident, path, expect)
        return self._requests.ask(frames.DELETE, answers.answer, place, b"\0".join(deepest_first))

    async def survey(self, tree: OpenedTree, question: Question) -> dict[bytes, State | None]:
        """What is at those of the paths that are not as expected (None: nothing).

        Saves go on meanwhile: it is not a picture of one moment.
        """
        found: dict[bytes, State | None] = {}
        if not tree.exists:
            return dict.fromkeys(question.expected.keys() & set(question.paths))
        if self._lists.get(tree.ident) != question.list_hash:
            self._requests.tell(frames.LIST, pack.number(tree.ident), question.packed)
            self._lists[tree.ident] = question.list_hash
        return await self._requests.ask(
            frames.SURVEY,
            partial(
                answers.surveyed, question, found, answers.Budget.of_survey(len(question.paths))
            ),
            pack.number(tree.ident),
            question.list_hash,
            question.digests,
        )

    async def hashes(self, tree: OpenedTree, paths: Sequence[bytes]) -> dict[bytes, bytes]:
        """sha256 of the content of each of the paths that is a readable file."""
        if not tree.exists or not paths:
            return {}
        take = partial(answers.hashed, paths, {}, answers.Budget.of_hashes(len(paths)))
        return await self._requests.ask(
            frames.HASHES, take, pack.number(tree.ident), pack_paths(paths)
        )

    async def read(self, tree: OpenedTree, path: bytes, limit: int) -> bytes:
        """The first `limit` bytes (at most 8 MB) of a file. HostError where it can't be read."""
        content = await self._requests.ask(
            frames.READ,
            partial(answers.content, limit),
            pack.number(tree.ident),
            pack.number(limit),
            path,
        )
        if content[:1] != b"\1":
            reason = words(content[1:])
            raise HostError(f"{self.host.name}: {shown(path)} can't be read: {reason}")
        return content[1:]

    def flush(self) -> None:
        """Send now what else leaves at the end of this turn of the event loop."""
        self._requests.flush()

    async def drain(self) -> None:
        """Wait until more may be sent without holding too much in memory."""
        await self._requests.drain()
