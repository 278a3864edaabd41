"""One clone of a project on this machine, and the hosts that get its changes."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from igor_core.push.plan import Change
from igor_core.push.sync.host_sync import HostSync
from igor_core.push.sync.host_tree import HostTree
from igor_core.push.sync.local_files import LocalFiles
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.files import Tree


class Clone:
    """Tells each host what changes in one local tree, in the order in which it is seen."""

    def __init__(
        self, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.root = root
        self.files = LocalFiles(root, include, exclude, self._tell)
        self.hosts: dict[tuple[RemoteHost, tuple[str, ...]], HostSync] = {}
        # The generation up to which the hosts have been told.
        self._told = 0

    def on(
        self, remote: RemoteHost, where: tuple[str, ...], locate: Callable[[], HostTree]
    ) -> HostSync:
        """The sync of this clone with a tree on a host; `where` tells trees on a host apart."""
        key = remote, where
        if key not in self.hosts:
            self.hosts[key] = HostSync(remote, locate, self.files)
        return self.hosts[key]

    async def saved(self, paths: Iterable[bytes]) -> None:
        """Send files that were just written or deleted. Raises IgorError."""
        await self.files.saved(paths)

    def scan(self) -> "asyncio.Future[Tree]":
        """Look at all files, and tell the hosts what has changed since they were told last.

        On return each host has what it lacks in its backlog. Raises IgorError.
        """
        return self.files.scan()

    async def _tell(self, saved: set[bytes]) -> None:
        """Tell of all changes since the last time, and of `saved` whether changed or not."""
        local = self.files.tree
        changed = local.changed_since(self._told) if self._told else None
        generation = self._told = local.number
        if changed is None:
            for host in self.hosts.values():
                host.compare_all(generation)
            return
        paths = changed | saved | await self.files.changed_again()
        changes: Sequence[Change] = ()
        if any(host.takes_saves for host in self.hosts.values()):
            reading = await self.files.read_in_turn(paths)
            changes = reading.changes
            for host in self.hosts.values():
                host.hold_back(reading)
        for host in self.hosts.values():
            host.take(paths, changes, generation)

    def close(self) -> None:
        for host in self.hosts.values():
            host.unfollow()
