"""Sending the writes of a save at once, without a survey before."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from igor_core.push.channel.channel import LARGE, Channel, ChannelTree
from igor_core.push.record import Record
from igor_core.push.transfer import Transfer
from igor_core.push.transport.channel_writer import ChannelWriter
from igor_core.push.transport.patch_bases import PatchBases
from igor_core.push.transport.work import OnProgress, Work, Write
from igor_core.worktree.content import Read

# A save sends this much without waiting for the line.
UNPACED_BYTES = 4 << 20


@dataclass(frozen=True)
class Launcher:
    """Sends frames to one tree over one channel, in the turn of the event loop that calls it."""

    channel: Channel
    tree: ChannelTree
    patch_bases: PatchBases

    def fits(self, item: Write) -> bool:
        """Whether a write needs one frame at most, and no more reading."""
        if item.file.kind == "l":
            return True
        if item.content is None:
            return False
        return len(item.content) <= LARGE or self.patch_bases.middle(item) is not None

    def launch(self, work: Work, transfer: Transfer) -> None:
        """Send writes that fit, and deletes; they are on the wire on return."""
        self.send(work, {}, self.writer(transfer))
        self.channel.flush()

    def writer(self, transfer: Transfer, on_progress: OnProgress | None = None) -> ChannelWriter:
        return ChannelWriter(self.channel, self.tree, self.patch_bases, transfer, on_progress)

    def send(self, work: Work, read: Mapping[bytes, Read], out: ChannelWriter) -> None:
        """Send all of the work; `read` has the contents that the writes themselves lack."""
        ready = [
            (item, content)
            for item in work.write
            if out.take(item, content := content_of(item, read))
        ]
        out.transfer.intend({item.path: Record.of(item.file, read.hash) for item, read in ready})
        out.delete(work.delete_first, work.folders)
        for item, content in ready:
            out.write(item, content)
        out.delete(work.delete, work.folders)

    async def pause(self, sent: int) -> None:
        """Let others have their turn before more of a save is launched.

        `sent` are its bytes so far; from UNPACED_BYTES on, wait until the line has taken them.
        """
        if sent > UNPACED_BYTES:
            await self.channel.drain()
        await asyncio.sleep(0)


def content_of(item: Write, read: Mapping[bytes, Read]) -> Read:
    if item.content is not None or item.file.kind == "l":
        return Read(item.content or b"", item.hash)
    return read[item.path]
