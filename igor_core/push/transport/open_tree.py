"""Opening a tree on a host by the best transport that the host allows."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from igor_core.paths import HostPaths
from igor_core.push.channel.script import NoReceiver
from igor_core.push.in_flight import InFlight
from igor_core.push.known_trees import KnownTrees
from igor_core.push.record import TreeKey
from igor_core.push.transport.base import Transport
from igor_core.push.transport.receiver import ReceiverTransport
from igor_core.push.transport.rsync.transport import RsyncTransport
from igor_core.ssh.host import RemoteHost


@dataclass(frozen=True)
class OpenTree:
    """A clone (`root`) and its open tree on a host.

    `path` is the tree's real path on the host. `why_rsync` is why there is no receiver, where the
    config asks for one.
    """

    host: str
    root: Path
    path: str
    transport: Transport
    in_flight: InFlight
    why_rsync: str = ""

    @property
    def alive(self) -> bool:
        return self.transport.alive


@dataclass(frozen=True)
class TreeOpener:
    """Opens one tree on one connected host, as the clone that `claim` names.

    `wanted` is the transport as in the config, "receiver" or "rsync".
    """

    trees: KnownTrees
    remote: RemoteHost
    paths: HostPaths
    root: Path
    claim: str
    wanted: str

    async def open(self, *, writing: bool, take_over: bool) -> OpenTree:
        """Raises HostError."""
        why_rsync = ""
        if self.wanted == "receiver":
            receiver = ReceiverTransport(self.trees.receivers, self.remote, self.paths, self.root)
            try:
                return await self._open(receiver, writing=writing, take_over=take_over)
            except NoReceiver as error:
                why_rsync = str(error)
        rsync = RsyncTransport(self.remote, self.paths, self.root)
        return await self._open(rsync, writing=writing, take_over=take_over, why_rsync=why_rsync)

    async def _open(
        self, transport: Transport, *, writing: bool, take_over: bool, why_rsync: str = ""
    ) -> OpenTree:
        found = await transport.open(self.claim, writing=writing, take_over=take_over)
        host, port, user = self.remote.endpoint
        key = TreeKey(host, port, user, found.path)
        manifest = await asyncio.to_thread(self.trees.manifest, key)
        self.trees.remember(self.remote.name, self.paths.tree, key)
        in_flight = self.trees.in_flight(manifest)
        return OpenTree(self.remote.name, self.root, found.path, transport, in_flight, why_rsync)
