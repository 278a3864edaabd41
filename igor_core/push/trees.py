"""The trees on hosts that this agent has had to do with: one manifest and one lock each."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from igor_core.push.files import Tree
from igor_core.push.manifest import Manifest, TreeKey


class Trees:
    """Hands out a tree's manifest to one push at a time."""

    def __init__(self) -> None:
        self._manifests: dict[TreeKey, Manifest] = {}
        self._locks: dict[TreeKey, asyncio.Lock] = {}
        self._pushed: dict[tuple[str, str], TreeKey] = {}
        self._newest: dict[TreeKey, int] = {}
        self._opening = threading.Lock()

    def is_held(self, key: TreeKey) -> bool:
        """Whether `hold` would have to wait."""
        return key in self._locks and self._locks[key].locked()

    @contextlib.asynccontextmanager
    async def hold(self, key: TreeKey) -> AsyncIterator[Manifest]:
        """The tree's manifest, to nobody else until the block is left."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            yield await asyncio.to_thread(self.manifest, key)

    def manifest(self, key: TreeKey) -> Manifest:
        """The tree's manifest, to read. Blocks the first time."""
        with self._opening:
            if key not in self._manifests:
                self._manifests[key] = Manifest(key)
            return self._manifests[key]

    def is_outdated(self, key: TreeKey, tree: Tree) -> bool:
        """Whether a later scan of the local files than this one was pushed there."""
        return tree.number < self._newest.get(key, 0)

    def pushing(self, key: TreeKey, tree: Tree) -> None:
        """What this scan of the local files found is pushed there now."""
        self._newest[key] = tree.number

    def remember(self, host: str, tree: str, key: TreeKey) -> None:
        """`key` is what the tree's configured path on a host turned out to be."""
        self._pushed[host, tree] = key

    def pushed(self, host: str, tree: str) -> Manifest | None:
        """The manifest of a tree that was pushed since the agent started."""
        key = self._pushed.get((host, tree))
        return self._manifests.get(key) if key else None

    def close(self) -> None:
        for manifest in self._manifests.values():
            manifest.close()
        self._manifests.clear()
