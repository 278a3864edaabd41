"""The trees on hosts that this agent has had to do with, and what is known of each."""

import threading
from collections.abc import Callable
from pathlib import Path

from igor_core.paths import HostPaths
from igor_core.push.channel.receivers import Receivers
from igor_core.push.in_flight import InFlight
from igor_core.push.manifest import Manifest, TreeKey
from igor_core.push.sync.host_tree import HostTree
from igor_core.ssh.host import RemoteHost


class Trees:
    """Hands out one `HostTree` for all who name the same clone, folder and host.

    What a host has of a tree is known once for the tree, by whatever names it is reached.
    """

    def __init__(self) -> None:
        self.receivers = Receivers()
        self._trees: dict[tuple[RemoteHost, HostPaths, Path, str], HostTree] = {}
        self._manifests: dict[TreeKey, Manifest] = {}
        self._traffic: dict[TreeKey, InFlight] = {}
        self._pushed: dict[tuple[str, str], TreeKey] = {}
        self._opening = threading.Lock()
        self._said: set[str] = set()

    def on(
        self, remote: RemoteHost, paths: HostPaths, root: Path, transport: str = "receiver"
    ) -> HostTree:
        """The tree of the clone in `root` on a host; `transport` as in the config."""
        key = remote, paths, root, transport
        if key not in self._trees:
            self._trees[key] = HostTree(self, remote, paths, root, transport)
        return self._trees[key]

    def manifest(self, key: TreeKey) -> Manifest:
        """The tree's manifest. Blocks the first time."""
        with self._opening:
            if key not in self._manifests:
                self._manifests[key] = Manifest(key)
            return self._manifests[key]

    def traffic(self, manifest: Manifest) -> InFlight:
        """What is on its way to the tree of a manifest."""
        if manifest.key not in self._traffic:
            self._traffic[manifest.key] = InFlight(manifest)
        return self._traffic[manifest.key]

    def remember(self, host: str, tree: str, key: TreeKey) -> None:
        """`key` is what the tree's configured path on a host turned out to be."""
        self._pushed[host, tree] = key

    def pushed(self, host: str, tree: str) -> Manifest | None:
        """The manifest of a tree that was pushed since the agent started."""
        key = self._pushed.get((host, tree))
        return self._manifests.get(key) if key else None

    def say_once(self, host: str, say: Callable[[], str]) -> str:
        """What is to be said of a host just once in the agent's life; empty from then on."""
        if host in self._said:
            return ""
        self._said.add(host)
        return say()

    def close(self) -> None:
        self.receivers.close()
        for manifest in self._manifests.values():
            manifest.close()
        self._manifests.clear()
        self._traffic.clear()
