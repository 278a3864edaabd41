"""The clones that the agent has worked with, and how fresh each host is."""

from dataclasses import dataclass

from igor_core.config import Host, Project
from igor_core.paths import HostPaths
from igor_core.push.sync.clone import Clone
from igor_core.push.sync.host_sync import HostSync
from igor_core.push.sync.host_tree import HostTree
from igor_core.push.sync.registry import Trees
from igor_core.ssh.address import Address
from igor_core.ssh.pool import Pool


@dataclass(frozen=True)
class _Rules:
    """The settings that decide which files belong to a clone."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]


class Clones:
    """Finds a project's clone: the same object until the config changes what belongs to it."""

    def __init__(self, pool: Pool, trees: Trees) -> None:
        self._pool = pool
        self._trees = trees
        self._clones: dict[str, tuple[_Rules, Clone]] = {}

    def of(self, project: Project) -> Clone:
        root = str(project.root)
        rules = _Rules(project.config.include, project.config.exclude)
        known = self._clones.get(root)
        if known is None or known[0] != rules:
            if known is not None:
                known[1].close()
            known = rules, Clone(project.root, rules.include, rules.exclude)
            self._clones[root] = known
        return known[1]

    def host_sync(self, project: Project, entry: Host) -> HostSync:
        """Return the sync of the project with its tree on one host of its config."""
        remote = self._pool.host(Address(entry.host, entry.user, entry.port))

        def locate() -> HostTree:
            paths = HostPaths.of(entry.dir, remote.account.home, project.name)
            return self._trees.on(remote, paths, project.root, project.config.transport)

        where = (entry.dir, project.name, project.config.transport)
        return self.of(project).on(remote, where, locate)

    def close(self) -> None:
        for _rules, clone in self._clones.values():
            clone.close()
