"""Writing and deleting paths over one channel, and what the answers mean."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from igor_core.errors import HostError
from igor_core.push.channel.answers import Answer
from igor_core.push.channel.channel import Channel, ChannelTree
from igor_core.push.channel.upload import CHANGED_LOCALLY
from igor_core.push.record import Record
from igor_core.push.transfer import Refusal, Transfer
from igor_core.push.transport.patch_bases import PatchBases
from igor_core.push.transport.work import FATAL, Delete, OnProgress, Write
from igor_core.remote.receiver import frames
from igor_core.worktree.content import Read, is_seen
from igor_core.worktree.files import with_parents
from igor_core.worktree.open_inside import Inside

# A refusal brings no hash of a file larger than this.
HASHED = 64 << 20


@dataclass
class PushProgress:
    """How far a push has come, over all its channels."""

    report: OnProgress
    size: int = 0
    files: int = 0
    partial_sizes: dict[bytes, int] = field(default_factory=dict)

    def advance(self, path: bytes, size: int) -> None:
        self.partial_sizes[path] = size
        self.report(self.size + sum(self.partial_sizes.values()), self.files)

    def complete(self, path: bytes, size: int) -> None:
        self.partial_sizes.pop(path, None)
        self.size += size
        self.files += 1
        self.report(self.size + sum(self.partial_sizes.values()), self.files)


class ChannelWriter:
    """Sends writes and deletes to one tree over one channel, and tells `transfer` the outcomes."""

    def __init__(
        self,
        channel: Channel,
        tree: ChannelTree,
        patch_bases: PatchBases,
        transfer: Transfer,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.channel = channel
        self.transfer = transfer
        self._tree = tree
        self._patch_bases = patch_bases
        self._progress = PushProgress(on_progress or (lambda size, files: None))

    def over(self, channel: Channel, tree: ChannelTree) -> "ChannelWriter":
        """A writer of the same transfer over another channel."""
        other = ChannelWriter(channel, tree, self._patch_bases, self.transfer)
        other._progress = self._progress
        return other

    @property
    def hopeless(self) -> bool:
        """Whether a write has failed for a reason that all further files will fail for."""
        return any(reason in FATAL for reason in self.transfer.outcomes.failed.values())

    def take(self, item: Write, read: Read) -> bool:
        """Claim a path; False if it can't be written now, or its local file is not as planned."""
        if not self.transfer.take(item.path):
            return False
        if read.moved:
            self.transfer.moved(item.path)
        elif read.unreadable:
            self.transfer.unreadable(item.path)
        return not (read.moved or read.unreadable)

    def write(self, item: Write, read: Read) -> None:
        """Send a claimed write; it leaves at the end of this turn of the event loop."""
        sent = self._sent(item, read)
        record = Record.of(item.file, read.hash)
        # Contents that the push itself has read are not kept: there are too many at once.
        content = read.content if item.content is not None else b""
        sent.add_done_callback(partial(self._answered, item, record, content))

    def _sent(self, item: Write, read: Read) -> "asyncio.Future[Answer]":
        file, channel, tree = item.file, self.channel, self._tree
        if file.kind == "l":
            return channel.link(
                tree, file.path, file.target, mtime_ns=file.mtime_ns, expect=item.expect
            )
        middle = self._patch_bases.middle(item)
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
        """Send a file of any size, and wait for the answer."""
        if not self.transfer.take(item.path):
            return
        try:
            with opened(root, item) as source:
                if not is_seen(source.fileno(), item.file):
                    self.transfer.moved(item.path)
                    return
                answer = await self._send_large(item, source)
        except HostError:
            self.transfer.lost(item.path)
        except (FileNotFoundError, NotADirectoryError):
            self.transfer.moved(item.path)
        except OSError:
            self.transfer.unreadable(item.path)
        except BaseException:
            self.transfer.lost(item.path)
            raise
        else:
            record = Record.of(item.file, answer.hash)
            self._take_answer(item, record, item.content or b"", answer)

    async def _send_large(self, item: Write, source: BinaryIO) -> Answer:
        file = item.file
        return await self.channel.write_large(
            self._tree, file.path, source, file.size, mode=file.mode, mtime_ns=file.mtime_ns,
            expect=item.expect, on_progress=partial(self._progress.advance, file.path),
        )  # fmt: skip

    def delete(self, items: Sequence[Delete], folders: Collection[bytes]) -> None:
        for item in items:
            if self.transfer.take(item.path):
                above = with_parents([item.path]) & set(folders)
                sent = self.channel.delete(
                    self._tree, item.path, expect=item.expect, remove_empty=above
                )
                sent.add_done_callback(partial(self._delete_answered, item.path))

    def _answered(
        self, item: Write, record: Record, content: bytes, sent: "asyncio.Future[Answer]"
    ) -> None:
        if sent.cancelled() or sent.exception() is not None:
            self.transfer.lost(item.path)
        else:
            self._take_answer(item, record, content, sent.result())

    def _take_answer(self, item: Write, record: Record, content: bytes, answer: Answer) -> None:
        path, state = item.path, answer.state
        self._patch_bases.drop(path)
        if not answer.ok or state is None:
            self._take_failure(path, answer)
            return
        self._patch_bases.keep(path, content, record.hash)
        # The host leaves an equal file as it is, time and all; file systems may round to seconds.
        kept = state.mtime_ns // 10**9 != record.mtime_ns // 10**9 and state.kind == "f"
        self._progress.complete(path, item.file.size)
        self.transfer.wrote(path, replace(record, mtime_ns=state.mtime_ns), kept=kept)

    def _delete_answered(self, path: bytes, sent: "asyncio.Future[Answer]") -> None:
        self._patch_bases.drop(path)
        if sent.cancelled() or sent.exception() is not None:
            self.transfer.lost(path)
        elif sent.result().ok:
            self.transfer.deleted(path)
        else:
            self._take_failure(path, sent.result())

    def _take_failure(self, path: bytes, answer: Answer) -> None:
        if answer.reason == frames.NOT_THE_BASE:
            self.transfer.again(path)
        elif answer.reason == CHANGED_LOCALLY:
            self.transfer.moved(path)
        elif answer.obstacle or not answer.reason:
            state = answer.state
            unknown = state is not None and state.size > HASHED and not answer.hash
            self.transfer.refused(
                path, Refusal(state, None if unknown else answer.hash, answer.obstacle)
            )
        else:
            self.transfer.failed(path, answer.reason)


def opened(root: Path, item: Write) -> BinaryIO:
    """Open the local file of a write, without following any link. Raises OSError."""
    with Inside(root) as inside:
        return open(inside.open(item.path), "rb")
