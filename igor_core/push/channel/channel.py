"""The agent's end of a receiver: writes files to a host, each under a precondition.

Single frames (write, patch, link, delete) are sent by calls that return a future at once. All
frames of one turn of the event loop leave together, in the order of the calls, and are carried out
and answered in that order. If the channel is lost, the future fails with HostError, and whether
the frame was carried out is not known.
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
from igor_core.push.channel import answers, payloads
from igor_core.push.channel.answers import Answer
from igor_core.push.channel.precondition import Precondition, Version
from igor_core.push.channel.requests import Requests
from igor_core.push.channel.script import RECEIVER
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest, pack_paths
from igor_core.push.channel.upload import Upload
from igor_core.remote.receiver import frames
from igor_core.shapes import words
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.files import shown

# Content above this goes by `write_large`, so that no frame holds up the others for long.
LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class ChannelTree:
    """A tree on a host as the frames of one channel name it; `path` is its real path.

    If another clone owns the tree, `claimed_by` names it and the tree is not open. A tree that was
    opened only to look at may not exist.
    """

    ident: int
    path: str
    exists: bool
    claimed_by: str = ""


class Channel:
    """One receiver on a host, in a session of its own. Big transfers use several."""

    def __init__(self, host: RemoteHost, requests: Requests) -> None:
        self.host = host
        self._requests = requests
        self._trees = itertools.count(1)
        # The hash of the list of paths that the receiver holds for each tree.
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
        """The number of unanswered frames."""
        return self._requests.pending

    @property
    def why_lost(self) -> str:
        """Why the channel is no longer alive, in a few words."""
        return self._requests.why_lost

    @property
    def broken(self) -> str:
        """How the receiver broke the protocol, if that is why."""
        return self._requests.broken

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when the channel is lost, after all pending futures have failed."""
        self._requests.on_lost(callback)

    def close(self) -> None:
        """End the receiver, which removes its temp files. Pending futures fail."""
        self._requests.close()

    async def open_tree(
        self,
        paths: HostPaths,
        claim: str,
        *,
        writing: bool,
        take_over: bool = False,
        again: ChannelTree | None = None,
    ) -> ChannelTree:
        """Open a tree as the clone `claim`; with `writing` make and claim it, and sweep temp files.

        A tree that another clone owns is opened only with `take_over`. `again` is the tree as it
        was opened before: its path and owner are checked again, and what is in flight goes on.
        Raises HostError if its folders can't be made or opened.
        """
        ident = next(self._trees) if again is None else again.ident
        request = {
            "base": paths.base, "project": paths.project, "claim": claim,
            "writing": writing, "taking": take_over,
        }  # fmt: skip
        said = await self._requests.ask(
            frames.OPEN,
            answers.opened,
            payloads.number(ident),
            json.dumps(request).encode("ascii"),
        )
        if said["error"]:
            hint = unsafe_hint(paths.base) if said.get("unsafe") else ""
            raise HostError(f"{self.host.name}: {said['error']}", hint)
        return ChannelTree(ident, said["path"], said["exists"], said["claimed_by"])

    def write(
        self,
        tree: ChannelTree,
        path: bytes,
        content: bytes,
        *,
        mode: int,
        mtime_ns: int,
        expect: Precondition,
    ) -> "asyncio.Future[Answer]":
        """Write a file of at most LARGE bytes, and make missing folders above it."""
        target = payloads.target(tree.ident, path, expect, mode, mtime_ns)
        return self._requests.ask(frames.WRITE, answers.answer, target, content)

    async def write_large(
        self,
        tree: ChannelTree,
        path: bytes,
        source: BinaryIO,
        size: int,
        *,
        mode: int,
        mtime_ns: int,
        expect: Precondition,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> Answer:
        """Write a file of any size from an open one, in chunks.

        `size` and `mtime_ns` are the source's; if it changes meanwhile, nothing is written
        (CHANGED_LOCALLY). The precondition is checked first, and again when all has arrived.
        """
        target = payloads.target(tree.ident, path, expect, mode, mtime_ns)
        upload = Upload(self._requests, source, size, mtime_ns, on_progress)
        return await upload.send(target)

    def patch(
        self,
        tree: ChannelTree,
        path: bytes,
        *,
        base: Version,
        prefix: int,
        suffix: int,
        middle: bytes,
        hash: bytes,
        mode: int,
        mtime_ns: int,
        expect: Precondition,
    ) -> "asyncio.Future[Answer]":
        """Write a file made of the first bytes of `base`, `middle`, and the last bytes of `base`.

        `hash` is the sha256 of the result. Answers NOT_THE_BASE if the host does not have the
        version `base`; the whole file has to be sent then.
        """
        target = payloads.target(tree.ident, path, expect, mode, mtime_ns)
        against = payloads.base(base, prefix, suffix, hash)
        return self._requests.ask(frames.PATCH, answers.answer, target, against, middle)

    def link(
        self,
        tree: ChannelTree,
        path: bytes,
        target: bytes,
        *,
        mtime_ns: int,
        expect: Precondition,
    ) -> "asyncio.Future[Answer]":
        """Make a symbolic link."""
        place = payloads.target(tree.ident, path, expect, mtime_ns=mtime_ns)
        return self._requests.ask(frames.LINK, answers.answer, place, target)

    def delete(
        self,
        tree: ChannelTree,
        path: bytes,
        *,
        expect: Precondition,
        remove_empty: Collection[bytes] = (),
    ) -> "asyncio.Future[Answer]":
        """Delete a file or link, then the folders in `remove_empty` that are empty.

        Succeeds if the path does not exist.
        """
        deepest_first = sorted(remove_empty, key=lambda folder: folder.count(b"/"), reverse=True)
        place = payloads.target(tree.ident, path, expect)
        return self._requests.ask(frames.DELETE, answers.answer, place, b"\0".join(deepest_first))

    async def survey(self, tree: ChannelTree, request: SurveyRequest) -> dict[bytes, State | None]:
        """The states of the paths that are not as expected (None: nothing is there).

        Saves go on meanwhile, so this is not a snapshot of one moment.
        """
        found: dict[bytes, State | None] = {}
        if not tree.exists:
            return dict.fromkeys(request.expected.keys() & set(request.paths))
        if self._lists.get(tree.ident) != request.list_hash:
            self._requests.tell(frames.LIST, payloads.number(tree.ident), request.packed)
            self._lists[tree.ident] = request.list_hash
        budget = answers.Budget.of_survey(len(request.paths))
        return await self._requests.ask(
            frames.SURVEY,
            partial(answers.surveyed, request, found, budget),
            payloads.number(tree.ident),
            request.list_hash,
            request.digests,
        )

    async def hashes(self, tree: ChannelTree, paths: Sequence[bytes]) -> dict[bytes, bytes]:
        """The sha256 of each path that is a readable file."""
        if not tree.exists or not paths:
            return {}
        take = partial(answers.hashed, paths, {}, answers.Budget.of_hashes(len(paths)))
        return await self._requests.ask(
            frames.HASHES, take, payloads.number(tree.ident), pack_paths(paths)
        )

    async def read(self, tree: ChannelTree, path: bytes, limit: int) -> bytes:
        """The first `limit` bytes (at most 8 MB) of a file. Raises HostError."""
        content = await self._requests.ask(
            frames.READ,
            partial(answers.content, limit),
            payloads.number(tree.ident),
            payloads.number(limit),
            path,
        )
        if content[:1] != b"\1":
            reason = words(content[1:])
            raise HostError(f"{self.host.name}: can't read {shown(path)}: {reason}")
        return content[1:]

    def flush(self) -> None:
        """Send now what would leave at the end of this turn of the event loop."""
        self._requests.flush()

    async def drain(self) -> None:
        """Wait until the line has taken enough of what was sent."""
        await self._requests.drain()
