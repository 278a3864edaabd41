"""A project that editors work on: who they are, and the hosts that get its saves."""

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
    """An editor that wants to hear how fresh the hosts are; `changed` when there may be news.

    `push_on_write` is the editor's own option, None where it leaves that to the config.
    """

    push_on_write: bool | None
    environment: Mapping[str, str]
    changed: Callable[[], None]


class EditorProject:
    """The project in `root`. Nothing happens by itself unless the user trusts it."""

    def __init__(self, root: Path, clones: Clones) -> None:
        self.root = root
        self.watchers: set[Watcher] = set()
        self._clones = clones
        self._project: Project | None = None
        self._seen: tuple[int, ...] = ()
        self._hosts: dict[str, HostSync] = {}
        # Saves of which the hosts have not been told yet.
        self._coming = 0

    @property
    def busy(self) -> bool:
        """Whether something is on its way to a host."""
        return any(host.state == "syncing" for host in self._hosts.values())

    @property
    def behind(self) -> set[bytes]:
        """Paths that a host lacks which is to be kept up to date."""
        return {
            path
            for host in self._hosts.values()
            if host.is_followed
            for path in host.backlog.behind
        }

    async def saved(self, paths: Sequence[bytes], environment: Mapping[str, str]) -> None:
        """These were saved; without any, something may have changed. Raises IgorError."""
        project = self.refresh()
        if not is_trusted(project):
            return
        # A save says that the project is to be pushed; a look does not.
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
        """The project by its config of now; its hosts are those that the config has now.

        Raises IgorError where the config is wrong or gone.
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
        """Nothing goes by itself to hosts of which the config says nothing any more."""
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
                # With its config the trust has gone.
                host.unfollow()

    def _changed(self) -> None:
        self._tell()
        self._rest()

    def _tell(self) -> None:
        for watcher in self.watchers:
            watcher.changed()

    def _rest(self) -> None:
        """Where no editor is there any more, hosts that have everything need not be kept so."""
        if self.watchers or self._coming:
            return
        for host in self._hosts.values():
            if host.state == "fresh":
                host.unfollow()

    # The editors that are told.

    def watch(self, watcher: Watcher) -> None:
        """From now on the watcher hears of changes; a trusted project's hosts are made ready."""
        self.watchers.add(watcher)
        self.warm(watcher.environment)

    def unwatch(self, watcher: Watcher) -> None:
        self.watchers.discard(watcher)
        self._rest()

    def warm(self, environment: Mapping[str, str]) -> None:
        """Connect in the background, and with push on write catch up; in trusted projects only."""
        with contextlib.suppress(IgorError):
            project = self.refresh()
            if is_trusted(project):
                for host in self._hosts.values():
                    if self.pushes_on_write(project):
                        host.follow(environment)
                    else:
                        host.warm(environment)

    def trust_changed(self) -> None:
        """The user trusts the project from now on, or no longer."""
        for host in self._hosts.values():
            host.unfollow()
        for watcher in self.watchers:
            self.warm(watcher.environment)
        self._tell()

    def pushes_on_write(self, project: Project) -> bool:
        """Whether saves are pushed: the editors' answer, else the config's."""
        said = [w.push_on_write for w in self.watchers if w.push_on_write is not None]
        return any(said) if said else project.config.push_on_write

    def news(self) -> events.Freshness:
        """How fresh the hosts are now."""
        try:
            project = self.refresh()
        except IgorError as error:
            return events.Freshness(DEFAULT_GROUP, False, False, (), error.message)
        hosts = tuple(_told(name, host) for name, host in self._hosts.items())
        force = self.pushes_on_write(project)
        return events.Freshness(DEFAULT_GROUP, is_trusted(project), force, hosts)


def _project_in(root: Path) -> Project:
    """Raises UsageError where its config is gone, though a folder above has one; ConfigError."""
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
    """A value that changes with the config and with the patterns of ignored files."""
    signature: tuple[int, ...] = ()
    for name in (CONFIG_FILE, IGNORE_FILE):
        try:
            found = os.stat(root / name)
        except OSError:
            signature += (0,)
        else:
            signature += (found.st_ino, found.st_size, found.st_mtime_ns)
    return signature
