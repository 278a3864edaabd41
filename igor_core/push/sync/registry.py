"""The trees on hosts that this agent has opened."""

from pathlib import Path

from igor_core.paths import HostPaths
from igor_core.push.known_trees import KnownTrees
from igor_core.push.sync.host_tree import HostTree
from igor_core.ssh.host import RemoteHost


class Trees(KnownTrees):
    """Hands out one `HostTree` for all who name the same clone, folder and host."""

    def __init__(self) -> None:
        super().__init__()
        self._trees: dict[tuple[RemoteHost, HostPaths, Path, str], HostTree] = {}

    def on(
        self, remote: RemoteHost, paths: HostPaths, root: Path, transport: str = "receiver"
    ) -> HostTree:
        """The tree of the clone in `root` on a host; `transport` as in the config."""
        key = remote, paths, root, transport
        if key not in self._trees:
            self._trees[key] = HostTree(self, remote, paths, root, transport=transport)
        return self._trees[key]
