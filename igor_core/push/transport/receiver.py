"""The transport by the receiver on the host, which checks each path before it writes."""

import asyncio
import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.channel.channel import LARGE, Channel, ChannelTree
from igor_core.push.channel.receivers import Receivers
from igor_core.push.channel.script import NoReceiver
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.push.record import Record
from igor_core.push.transfer import Transfer
from igor_core.push.transport.base import FoundTree
from igor_core.push.transport.channel_writer import ChannelWriter
from igor_core.push.transport.host_errors import claimed
from igor_core.push.transport.launcher import Launcher, content_of
from igor_core.push.transport.patch_bases import PatchBases
from igor_core.push.transport.work import OnProgress, Work, Write
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.content import read_all

# Up to this much is read, recorded and sent at once; more goes in batches.
FILES_AT_ONCE = 256
BYTES_AT_ONCE = 4 << 20
BATCH_BYTES = 1 << 20
BATCH_FILES = 64
# From this size on, further channels pay: sshd lets at most 2 MB per round trip into each. To a
# near host one channel is as fast, and further receivers would have to start first.
BIG = 4 << 20
BIG_WHEN_NEAR = 32 << 20
FAR_SECONDS = 0.01
CHANNELS = 6
# Batches per channel that are read from disk at the same time.
DEPTH = 2


class ReceiverTransport:
    """One tree on one host, reached by the host's receiver."""

    name = "receiver"
    conditional = True

    def __init__(
        self, receivers: Receivers, host: RemoteHost, paths: HostPaths, root: Path
    ) -> None:
        self._receivers = receivers
        self._host = host
        self._paths = paths
        self._root = root
        self._patch_bases = PatchBases()
        self._claim = ""
        self._channel: Channel | None = None
        self._tree = ChannelTree(0, "", exists=False)

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

    @property
    def launcher(self) -> Launcher:
        return Launcher(self.channel, self._tree, self._patch_bases)

    async def open(self, claim: str, *, writing: bool, take_over: bool) -> FoundTree:
        """Also raises NoReceiver."""
        channel = await self._receivers.channel(self._host)
        again = self._tree if writing and channel is self._channel and self._tree.exists else None
        tree = await channel.open_tree(
            self._paths, claim, writing=writing, take_over=take_over, again=again
        )
        if tree.claimed_by:
            raise claimed(self._host.name, self._paths.tree, tree.claimed_by)
        self._claim, self._channel, self._tree = claim, channel, tree
        return FoundTree(tree.path, tree.exists)

    async def survey(self, request: SurveyRequest) -> dict[bytes, State | None]:
        return await self.channel.survey(self._tree, request)

    async def hashes(self, paths: Collection[bytes]) -> dict[bytes, bytes]:
        return await self.channel.hashes(self._tree, list(paths))

    async def read(self, path: bytes, limit: int) -> bytes:
        return await self.channel.read(self._tree, path, limit)

    async def carry_out(self, work: Work, transfer: Transfer, on_progress: OnProgress) -> None:
        launcher = self.launcher
        out = launcher.writer(transfer, on_progress)
        missing = [item.file for item in work.write if item.content is None]
        many = len(work.write) > FILES_AT_ONCE or work.size > BYTES_AT_ONCE
        large = any(item.file.size > LARGE and not launcher.fits(item) for item in work.write)
        if not many and not large:
            read = await asyncio.to_thread(read_all, self._root, missing)
            launcher.send(work, read, out)
            return
        out.delete(work.delete_first, work.folders)
        await transfer.landed()
        await self._send_many(work.write, out)
        out.delete(work.delete, work.folders)

    async def _send_many(self, writes: Sequence[Write], out: ChannelWriter) -> None:
        """Send in batches, over further channels if it is much; deletes that follow come after."""
        await out.transfer.announce(await asyncio.to_thread(_records, writes))
        batches = _batches(writes)
        extra: list[Channel] = []
        senders = [asyncio.ensure_future(self._send_batches(batches, out)) for _ in range(DEPTH)]
        big = BIG if self._host.rtt >= FAR_SECONDS else BIG_WHEN_NEAR
        if sum(item.file.size for item in writes) >= big:
            senders += [
                asyncio.ensure_future(self._send_over_further(batches, out, extra))
                for _ in range(CHANNELS - 1)
            ]
        try:
            await asyncio.gather(*senders)
            if extra:
                # What follows goes over the first channel.
                await out.transfer.landed()
        finally:
            for sender in senders:
                sender.cancel()
            out.transfer.close()
            for channel in extra:
                channel.close()

    async def _send_over_further(
        self, batches: Iterator[list[Write]], out: ChannelWriter, extra: list[Channel]
    ) -> None:
        """Send over a channel of its own, if the host grants one more session."""
        with contextlib.suppress(HostError, NoReceiver):
            channel = await Channel.open(self._host)
            extra.append(channel)
            tree = await channel.open_tree(self._paths, self._claim, writing=True)
            if tree.path == self._tree.path and not tree.claimed_by:
                further = out.over(channel, tree)
                await asyncio.gather(*(self._send_batches(batches, further) for _ in range(DEPTH)))

    async def _send_batches(self, batches: Iterator[list[Write]], out: ChannelWriter) -> None:
        for batch in batches:
            if out.hopeless or not out.channel.alive:
                return
            if len(batch) == 1 and batch[0].file.size > LARGE:
                await out.write_large(self._root, batch[0])
                continue
            missing = [item.file for item in batch if item.content is None]
            read = await asyncio.to_thread(read_all, self._root, missing)
            for item in batch:
                content = content_of(item, read)
                if out.take(item, content):
                    out.write(item, content)
            await out.channel.drain()


def _records(writes: Sequence[Write]) -> dict[bytes, Record]:
    return {item.path: Record.of(item.file, item.hash) for item in writes}


def _batches(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Files too large for a frame come first, each alone, so that all channels end together."""
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
