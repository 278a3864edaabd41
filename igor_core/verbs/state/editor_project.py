"""A project that editors work on: its editors, and the hosts that get its saves."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from igor_core import events
from igor_core.config import Project, find_project
from igor_core.config.hosts import host_names
from igor_core.config.model import DEFAULT_GROUP
from igor_core.config.project import CONFIG_FILE, IGNORE_FILE
from igor_core.errors import IgorError, UsageError
from igor_core.push.sync.host_sync import HostSync
from igor_core.trust import is_trusted
from igor_core.verbs.state.clones import Clones
from igor_core.worktree.files import shown


@dataclass(eq=False)
class Watcher:
    """An editor that is told how fresh the hosts are; `changed` is called on possible news.

    `push_on_write` is the editor's own option, None where it leaves that to the config.
    """

    push_on_write: bool | None
    environment: Mapping[str, str]
    changed: Callable[[], None]


class EditorProject:
    """The project in `root`. Igor does nothing on its own unless the user trusts the project."""

    def __init__(self, root: Path, clones: Clones) -> None:
        self.root = root
        self.watchers: set[Watcher] = set()
        self._clones = clones
        self._project: Project | None = None
        self._seen: tuple[int, ...] = ()
        self._hosts: dict[str, HostSync] = {}
        # Saves that the hosts have not been told of yet.
        self._coming = 0

    @property
    def busy(self) -> bool:
        """Return whether changes are on their way to a host."""
        return any(host.state == "syncing" for host in self._hosts.values())

    @property
    def behind(self) -> set[bytes]:
        """Return the paths that hosts lack, of the hosts that are kept up to date."""
        return {
            path
            for host in self._hosts.values()
            if host.is_followed
            for path in host.backlog.behind
        }

    async def saved(self, paths: Sequence[bytes], environment: Mapping[str, str]) -> None:
        """Take saved paths; without any, something may have changed. Raises IgorError."""
        project = self.refresh()
        if not is_trusted(project):
            return
        # A save asks for a push; a look without paths does not.
        if paths or self.pushes_on_write(project):
            for host in self._hosts.values():
                host.follow(environment)
        clone = self._clones.of(project)
        self._coming += 1
        try:
            await (clone.saved(paths) if paths else clone.scan())
        finally:
            self._coming -= 1
            self._rest()

    def refresh(self) -> Project:
        """Return the project by its current config, and take over the hosts of that config.

        Raises IgorError if the config is wrong or gone.
        """
        seen = _signature(self.root)
        if self._project is None or seen != self._seen:
            before, self._seen = self._seen, seen
            try:
                self._project = _project_in(self.root)
            except IgorError:
                self._project = None
                self._leave()
                if seen != before:
                    self._tell()
                raise
            self._meet(self._project)
            self._tell()
        return self._project

    def _leave(self) -> None:
        """Stop pushing to all hosts, since there is no valid config that names them."""
        for host in self._hosts.values():
            host.unfollow()
        self._hosts = {}

    def _meet(self, project: Project) -> None:
        entries = project.config.hosts()
        hosts = {
            name: self._clones.host_sync(project, entry)
            for name, entry in zip(host_names(entries), entries, strict=True)
        }
        for old in set(self._hosts.values()) - set(hosts.values()):
            old.unfollow()
        self._hosts = hosts
        for host in hosts.values():
            host.on_change = self._changed
            if not is_trusted(project):
                # The trust went with the old config.
                host.unfollow()

    def _changed(self) -> None:
        self._tell()
        self._rest()

    def _tell(self) -> None:
        for watcher in self.watchers:
            watcher.changed()

    def _rest(self) -> None:
        """Once no editor is left, stop keeping hosts up to date that have everything."""
        if self.watchers or self._coming:
            return
        for host in self._hosts.values():
            if host.state == "fresh":
                host.unfollow()

    # The editors that are told of changes.

    def watch(self, watcher: Watcher) -> None:
        """Tell the watcher of changes from now on; make a trusted project's hosts ready."""
        self.watchers.add(watcher)
        self.warm(watcher.environment)

    def unwatch(self, watcher: Watcher) -> None:
        self.watchers.discard(watcher)
        self._rest()

    def warm(self, environment: Mapping[str, str]) -> None:
        """In a trusted project, connect in the background, and with push on write catch up."""
        with contextlib.suppress(IgorError):
            project = self.refresh()
            if is_trusted(project):
                for host in self._hosts.values():
                    if self.pushes_on_write(project):
                        host.follow(environment, anew=True)
                    else:
                        host.warm(environment)

    def trust_changed(self) -> None:
        """Note that the user trusts the project from now on, or no longer."""
        for host in self._hosts.values():
            host.unfollow()
        for watcher in self.watchers:
            self.warm(watcher.environment)
        self._tell()

    def pushes_on_write(self, project: Project) -> bool:
        """Return whether saves are pushed: the editors' setting, else the config's."""
        said = [w.push_on_write for w in self.watchers if w.push_on_write is not None]
        return any(said) if said else project.config.push_on_write

    def news(self) -> events.Freshness:
        """Return how fresh the hosts are now."""
        try:
            project = self.refresh()
        except IgorError as error:
            return events.Freshness(DEFAULT_GROUP, False, False, (), error.message)
        hosts = tuple(_told(name, host) for name, host in self._hosts.items())
        force = self.pushes_on_write(project)
        return events.Freshness(DEFAULT_GROUP, is_trusted(project), force, hosts)


def _project_in(root: Path) -> Project:
    """Load the project in `root`.

    Raises UsageError if its config is gone, even if a folder above has one; ConfigError.
    """
    project = find_project(root)
    if project.root != root:
        raise UsageError(f"no {CONFIG_FILE} in {root}", "run 'igor init' in the project's folder")
    return project


def _told(name: str, host: HostSync) -> events.HostFreshness:
    return events.HostFreshness(
        name,
        host.state,
        len(host.backlog.behind),
        host.backlog.since,
        tuple(shown(path) for path in sorted(host.backlog.held_back)),
        host.error.message if host.error else host.remote.reason,
    )


def _signature(root: Path) -> tuple[int, ...]:
    """Return a value that changes with the config and with the patterns of ignored files."""
    signature: tuple[int, ...] = ()
    for name in (CONFIG_FILE, IGNORE_FILE):
        try:
            found = os.stat(root / name)
        except OSError:
            signature += (0,)
        else:
            signature += (found.st_ino, found.st_size, found.st_mtime_ns)
    return signature
