"""What the agent knows of the trees on hosts: channels, manifests, and what is in flight."""

import threading

from igor_core.push.channel.receivers import Receivers
from igor_core.push.in_flight import InFlight
from igor_core.push.manifest import Manifest
from igor_core.push.record import TreeKey


class KnownTrees:
    """One entry per tree on a host, by whatever names and from whichever clone it is reached."""

    def __init__(self) -> None:
        self.receivers = Receivers()
        self._manifests: dict[TreeKey, Manifest] = {}
        self._in_flight: dict[TreeKey, InFlight] = {}
        self._pushed: dict[tuple[str, str], TreeKey] = {}
        self._opening = threading.Lock()
        self._told: set[str] = set()

    def manifest(self, key: TreeKey) -> Manifest:
        """The tree's manifest. Blocks the first time."""
        with self._opening:
            if key not in self._manifests:
                self._manifests[key] = Manifest(key)
            return self._manifests[key]

    def in_flight(self, manifest: Manifest) -> InFlight:
        """What is in flight to the tree of a manifest."""
        if manifest.key not in self._in_flight:
            self._in_flight[manifest.key] = InFlight(manifest)
        return self._in_flight[manifest.key]

    def remember(self, host: str, tree: str, key: TreeKey) -> None:
        """Remember which tree the configured path `tree` on a host leads to."""
        self._pushed[host, tree] = key

    def pushed(self, host: str, tree: str) -> Manifest | None:
        """The manifest of a tree that was pushed since the agent started."""
        key = self._pushed.get((host, tree))
        return self._manifests.get(key) if key else None

    def is_news(self, host: str) -> bool:
        """True the first time in the agent's life, so that a notice about a host is given once."""
        if host in self._told:
            return False
        self._told.add(host)
        return True

    def close(self) -> None:
        self.receivers.close()
        for manifest in self._manifests.values():
            manifest.close()
        self._manifests.clear()
        self._in_flight.clear()
