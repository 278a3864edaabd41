"""Opening a tree on a host by the best means that the host has."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from igor_core.paths import HostPaths
from igor_core.push.channel.channel import NoReceiver
from igor_core.push.channel.receivers import Receivers
from igor_core.push.in_flight import InFlight
from igor_core.push.manifest import Manifest, TreeKey
from igor_core.push.transport.base import Found, Transport
from igor_core.push.transport.receiver import ByReceiver
from igor_core.push.transport.rsync import ByRsync
from igor_core.ssh.host import RemoteHost


class Known(Protocol):
    """What is known of all trees: push/sync/registry.py's."""

    receivers: Receivers

    def manifest(self, key: TreeKey) -> Manifest: ...

    def traffic(self, manifest: Manifest) -> InFlight: ...

    def remember(self, host: str, tree: str, key: TreeKey) -> None: ...


@dataclass(frozen=True)
class Opened:
    """A tree that is open: by what, where it really is, and what is known of it.

    `why_rsync`: what was said where the receiver was wished for and can't be had.
    """

    transport: Transport
    traffic: InFlight
    path: str
    why_rsync: str = ""

    @property
    def alive(self) -> bool:
        return self.transport.alive


@dataclass(frozen=True)
class Opener:
    """Opens one tree on one connected host, as the clone that `claim` names."""

    trees: Known
    remote: RemoteHost
    paths: HostPaths
    root: Path
    claim: str
    wished: str

    async def open(self, *, writing: bool, taking: bool) -> Opened:
        """Raises HostError."""
        if self.wished == "receiver":
            transport = ByReceiver(self.trees.receivers, self.remote, self.paths, self.root)
            try:
                return await self._with(transport, writing, taking)
            except NoReceiver as error:
                return await self._by_rsync(writing, taking, str(error))
        return await self._by_rsync(writing, taking, "")

    async def _by_rsync(self, writing: bool, taking: bool, why: str) -> Opened:
        return await self._with(ByRsync(self.remote, self.paths, self.root), writing, taking, why)

    async def _with(
        self, transport: Transport, writing: bool, taking: bool, why: str = ""
    ) -> Opened:
        found = await transport.open(self.claim, writing=writing, taking=taking)
        return await self.opened(transport, found, why)

    async def opened(self, transport: Transport, found: Found, why: str = "") -> Opened:
        where, port, user = self.remote.endpoint
        key = TreeKey(where, port, user, found.path)
        manifest = await asyncio.to_thread(self.trees.manifest, key)
        traffic = self.trees.traffic(manifest)
        self.trees.remember(self.remote.name, self.paths.tree, key)
        return Opened(transport, traffic, found.path, why)
