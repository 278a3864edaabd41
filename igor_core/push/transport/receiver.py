"""The transport by the receiver on the host: each path only if there is what is expected."""

import asyncio
import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.channel.channel import LARGE, Channel, NoReceiver, OpenedTree
from igor_core.push.channel.question import Question
from igor_core.push.channel.receivers import Receivers
from igor_core.push.channel.state import State
from igor_core.push.in_flight import Transfer
from igor_core.push.manifest import Record
from igor_core.push.transport.base import Found, OnProgress, Work, Write
from igor_core.push.transport.patch_bases import PatchBases
from igor_core.push.transport.receiver_writes import FramesOut
from igor_core.push.transport.shell_survey import claimed
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.content import Read, read_all

# So much is read, taken, intended and sent at once; more goes in batches.
FILES_AT_ONCE = 256
BYTES_AT_ONCE = 4 << 20
BATCH_BYTES = 1 << 20
BATCH_FILES = 64
# From so much on, further channels pay: sshd lets 2 MB a round trip into each at most.
# To a host that is near, one channel is as fast, and further receivers must start first.
BIG = 4 << 20
BIG_WHEN_NEAR = 32 << 20
FAR_SECONDS = 0.01
CHANNELS = 6
# Batches on their way from the disk to one channel.
DEPTH = 2


class ByReceiver:
    """One tree on one host, by the host's receiver."""

    name = "receiver"
    conditional = True

    def __init__(
        self, receivers: Receivers, host: RemoteHost, paths: HostPaths, root: Path
    ) -> None:
        self._receivers = receivers
        self._host = host
        self._paths = paths
        self._root = root
        self._bases = PatchBases()
        self._claim = ""
        self._channel: Channel | None = None
        self._tree = OpenedTree(0, "", False)

    @property
    def alive(self) -> bool:
        return self._channel is not None and self._channel.alive

    @property
    def broken(self) -> str:
        return self._channel.broken if self._channel else ""

    @property
    def channel(self) -> Channel:
        if self._channel is None:
            raise HostError(f"{self._host.name}: the tree is not open")
        return self._channel

    async def open(self, claim: str, *, writing: bool, taking: bool) -> Found:
        """Raises NoReceiver as well."""
        channel = await self._receivers.channel(self._host)
        again = self._tree if writing and channel is self._channel and self._tree.exists else None
        tree = await channel.open_tree(
            self._paths, claim, writing=writing, taking=taking, again=again
        )
        if tree.claimed_by:
            raise claimed(self._host.name, self._paths.tree, tree.claimed_by)
        self._claim, self._channel, self._tree = claim, channel, tree
        return Found(tree.path, tree.exists)

    async def survey(self, question: Question) -> dict[bytes, State | None]:
        return await self.channel.survey(self._tree, question)

    async def hashes(self, paths: Collection[bytes]) -> dict[bytes, bytes]:
        return await self.channel.hashes(self._tree, list(paths))

    async def read(self, path: bytes, limit: int) -> bytes:
        return await self.channel.read(self._tree, path, limit)

    def launch(self, work: Work, ledger: Transfer) -> None:
        """Send what needs no more reading; it is on the wire when this returns."""
        out = FramesOut(self.channel, self._tree, self._bases, ledger)
        self._launch(work, {}, out)
        self.channel.flush()

    async def rest(self, sent: int) -> None:
        """Let others have their turn before more of a save is launched; `sent`: bytes so far.

        So much goes unasked, more only as fast as the line takes it.
        """
        if sent > BYTES_AT_ONCE:
            await self.channel.drain()
        await asyncio.sleep(0)

    def fits(self, item: Write) -> bool:
        """Whether a write needs no more than one frame, and no more reading."""
        if item.file.kind == "l":
            return True
        if item.content is None:
            return False
        return len(item.content) <= LARGE or self._bases.middle(item) is not None

    async def carry_out(self, work: Work, ledger: Transfer, on_progress: OnProgress) -> None:
        out = FramesOut(self.channel, self._tree, self._bases, ledger, on_progress)
        missing = [item.file for item in work.write if item.content is None]
        size = sum(item.file.size for item in work.write)
        many = len(work.write) > FILES_AT_ONCE or size > BYTES_AT_ONCE
        large = any(item.file.size > LARGE and not self.fits(item) for item in work.write)
        if not many and not large:
            read = await asyncio.to_thread(read_all, self._root, missing)
            self._launch(work, read, out)
            return
        out.delete(work.delete_first, work.folders)
        await ledger.landed()
        await self._send_many(work.write, out)
        out.delete(work.delete, work.folders)

    def _launch(self, work: Work, read: dict[bytes, Read], out: FramesOut) -> None:
        ready = [
            (item, content)
            for item in work.write
            if out.take(item, content := _content_of(item, read))
        ]
        out.ledger.intend({item.path: Record.of(item.file, read.hash) for item, read in ready})
        out.delete(work.delete_first, work.folders)
        for item, content in ready:
            out.write(item, content)
        out.delete(work.delete, work.folders)

    async def _send_many(self, writes: Sequence[Write], out: FramesOut) -> None:
        """In batches, over further channels where it is much. What is sent next is done after."""
        await out.ledger.announce(await asyncio.to_thread(_records, writes))
        batches = _batches(writes)
        extra: list[Channel] = []
        lanes = [asyncio.ensure_future(self._lane(batches, out)) for _ in range(DEPTH)]
        big = BIG if self._host.rtt >= FAR_SECONDS else BIG_WHEN_NEAR
        if sum(item.file.size for item in writes) >= big:
            lanes += [
                asyncio.ensure_future(self._further_lane(batches, out, extra))
                for _ in range(CHANNELS - 1)
            ]
        try:
            await asyncio.gather(*lanes)
            if extra:
                # What follows goes by another channel.
                await out.ledger.landed()
        finally:
            for lane in lanes:
                lane.cancel()
            out.ledger.close()
            for channel in extra:
                channel.close()

    async def _further_lane(
        self, batches: Iterator[list[Write]], out: FramesOut, extra: list[Channel]
    ) -> None:
        """A host that grants no more sessions is served by those there are."""
        with contextlib.suppress(HostError, NoReceiver):
            channel = await Channel.open(self._host)
            extra.append(channel)
            tree = await channel.open_tree(self._paths, self._claim, writing=True)
            if tree.path == self._tree.path and not tree.claimed_by:
                further = out.over(channel, tree)
                await asyncio.gather(*(self._lane(batches, further) for _ in range(DEPTH)))

    async def _lane(self, batches: Iterator[list[Write]], out: FramesOut) -> None:
        for batch in batches:
            if out.hopeless or not out.channel.alive:
                return
            if len(batch) == 1 and batch[0].file.size > LARGE:
                await out.write_large(self._root, batch[0])
                continue
            missing = [item.file for item in batch if item.content is None]
            read = await asyncio.to_thread(read_all, self._root, missing)
            for item in batch:
                content = _content_of(item, read)
                if out.take(item, content):
                    out.write(item, content)
            await out.channel.drain()


def _records(writes: Sequence[Write]) -> dict[bytes, Record]:
    return {item.path: Record.of(item.file, item.hash) for item in writes}


def _content_of(item: Write, read: dict[bytes, Read]) -> Read:
    if item.content is not None or item.file.kind == "l":
        return Read(item.content or b"", item.hash)
    return read[item.path]


def _batches(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """What is too large for a frame alone and first, so that all channels end together."""
    yield from ([item] for item in writes if item.file.size > LARGE)
    batch: list[Write] = []
    size = 0
    for item in writes:
        if item.file.size > LARGE:
            continue
        if batch and (size + item.file.size > BATCH_BYTES or len(batch) == BATCH_FILES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.file.size
    if batch:
        yield batch
