"""Frames over one channel, and what their answers mean."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from igor_core.errors import HostError
from igor_core.push.channel.channel import CHANGED_HERE, NOT_THE_BASE, Answer, Channel, OpenedTree
from igor_core.push.in_flight import Refusal, Transfer
from igor_core.push.manifest import Record
from igor_core.push.transport.base import FATAL, Delete, OnProgress, Write
from igor_core.push.transport.patch_bases import PatchBases
from igor_core.worktree.content import Read, is_seen
from igor_core.worktree.files import with_parents
from igor_core.worktree.open_inside import Inside

# The content of larger files comes with no refusal.
HASHED = 64 << 20


@dataclass
class Progress:
    """How far a push has come, over all its channels."""

    tell: OnProgress
    size: int = 0
    files: int = 0
    under_way: dict[bytes, int] = field(default_factory=dict)

    def partly(self, path: bytes, size: int) -> None:
        self.under_way[path] = size
        self.tell(self.size + sum(self.under_way.values()), self.files)

    def wholly(self, path: bytes, size: int) -> None:
        self.under_way.pop(path, None)
        self.size += size
        self.files += 1
        self.tell(self.size + sum(self.under_way.values()), self.files)


class FramesOut:
    """Sends writes and deletes to one tree over one channel; the ledger hears what became of them.

    `hopeless`: something has failed that will fail for each further file.
    """

    def __init__(
        self,
        channel: Channel,
        tree: OpenedTree,
        bases: PatchBases,
        ledger: Transfer,
        on_progress: OnProgress = lambda size, files: None,
    ) -> None:
        self.channel = channel
        self.ledger = ledger
        self._tree = tree
        self._bases = bases
        self._progress = Progress(on_progress)

    def over(self, channel: Channel, tree: OpenedTree) -> "FramesOut":
        """The same over another channel."""
        other = FramesOut(channel, tree, self._bases, self.ledger)
        other._progress = self._progress
        return other

    @property
    def hopeless(self) -> bool:
        return any(reason in FATAL for reason in self.ledger.outcomes.failed.values())

    def take(self, item: Write, read: Read) -> bool:
        """Whether the path may be written now, and its content is as it was planned."""
        if not self.ledger.take(item.path):
            return False
        if read.moved:
            self.ledger.moved(item.path)
        elif read.unreadable:
            self.ledger.unreadable(item.path)
        return not (read.moved or read.unreadable)

    def write(self, item: Write, read: Read) -> None:
        """What has been taken and intended leaves at the end of this turn of the event loop."""
        sent = self._sent(item, read)
        record = Record.of(item.file, read.hash)
        # Of what a push has read itself nothing is kept: it would be all, and all at once.
        content = read.content if item.content is not None else b""
        sent.add_done_callback(partial(self._answered, item, record, content))

    def _sent(self, item: Write, read: Read) -> "asyncio.Future[Answer]":
        file, channel, tree = item.file, self.channel, self._tree
        if file.kind == "l":
            return channel.link(
                tree, file.path, file.target, mtime_ns=file.mtime_ns, expect=item.expect
            )
        middle = self._bases.middle(item)
        if middle is not None:
            return channel.patch(
                tree, file.path, base=middle.base, prefix=middle.prefix, suffix=middle.suffix,
                middle=middle.data, hash=read.hash, mode=file.mode, mtime_ns=file.mtime_ns,
                expect=item.expect,
            )  # fmt: skip
        return channel.write(
            tree, file.path, read.content, mode=file.mode, mtime_ns=file.mtime_ns,
            expect=item.expect,
        )  # fmt: skip

    async def write_large(self, root: Path, item: Write) -> None:
        """A file of any size; returns with its answer."""
        if not self.ledger.take(item.path):
            return
        try:
            with opened(root, item) as source:
                if not is_seen(source.fileno(), item.file):
                    self.ledger.moved(item.path)
                    return
                answer = await self._send_large(item, source)
        except HostError:
            self.ledger.lost(item.path)
        except (FileNotFoundError, NotADirectoryError):
            self.ledger.moved(item.path)
        except OSError:
            self.ledger.unreadable(item.path)
        except BaseException:
            self.ledger.lost(item.path)
            raise
        else:
            record = Record.of(item.file, answer.hash)
            self._take_answer(item, record, item.content or b"", answer)

    async def _send_large(self, item: Write, source: BinaryIO) -> Answer:
        file = item.file
        return await self.channel.write_large(
            self._tree, file.path, source, file.size, mode=file.mode, mtime_ns=file.mtime_ns,
            expect=item.expect, on_progress=partial(self._progress.partly, file.path),
        )  # fmt: skip

    def delete(self, items: Sequence[Delete], folders: Collection[bytes]) -> None:
        for item in items:
            if self.ledger.take(item.path):
                above = with_parents([item.path]) & set(folders)
                sent = self.channel.delete(
                    self._tree, item.path, expect=item.expect, remove_empty=above
                )
                sent.add_done_callback(partial(self._delete_answered, item.path))

    def _answered(
        self, item: Write, record: Record, content: bytes, sent: "asyncio.Future[Answer]"
    ) -> None:
        if sent.cancelled() or sent.exception() is not None:
            self.ledger.lost(item.path)
        else:
            self._take_answer(item, record, content, sent.result())

    def _take_answer(self, item: Write, record: Record, content: bytes, answer: Answer) -> None:
        path, state = item.path, answer.state
        self._bases.drop(path)
        if not answer.ok or state is None:
            self._take_failure(path, answer)
            return
        self._bases.keep(path, content, record.hash)
        # Equal content that was there stays as it is; a file system may know seconds only.
        kept = state.mtime_ns // 10**9 != record.mtime_ns // 10**9 and state.kind == "f"
        self._progress.wholly(path, item.file.size)
        self.ledger.wrote(path, replace(record, mtime_ns=state.mtime_ns), kept)

    def _delete_answered(self, path: bytes, sent: "asyncio.Future[Answer]") -> None:
        self._bases.drop(path)
        if sent.cancelled() or sent.exception() is not None:
            self.ledger.lost(path)
        elif sent.result().ok:
            self.ledger.deleted(path)
        else:
            self._take_failure(path, sent.result())

    def _take_failure(self, path: bytes, answer: Answer) -> None:
        if answer.reason == NOT_THE_BASE:
            self.ledger.again(path)
        elif answer.reason == CHANGED_HERE:
            self.ledger.moved(path)
        elif answer.obstacle or not answer.reason:
            state = answer.state
            unknown = state is not None and state.size > HASHED and not answer.hash
            self.ledger.refused(
                path, Refusal(state, None if unknown else answer.hash, answer.obstacle)
            )
        else:
            self.ledger.failed(path, answer.reason)


def opened(root: Path, item: Write) -> BinaryIO:
    """The local file of a write; no link on the way is followed. Raises OSError."""
    with Inside(root) as inside:
        return open(inside.open(item.path), "rb")
