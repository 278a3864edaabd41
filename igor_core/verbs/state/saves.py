"""Pass editors' saves on to the projects that they belong to."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from igor_core import directories
from igor_core.errors import IgorError
from igor_core.verbs.state.clones import Clones
from igor_core.verbs.state.editor_project import EditorProject, Watcher

log = logging.getLogger(__name__)


class Saves:
    """All projects that editors work on."""

    def __init__(self, clones: Clones) -> None:
        self._clones = clones
        self._followed: dict[Path, EditorProject] = {}
        # Keyed by the name that the editor uses: a save has no time to resolve links.
        self._known: dict[str, EditorProject] = {}
        self._tasks: dict[asyncio.Task[None], tuple[str, Sequence[bytes]]] = {}
        self._leaving = False

    @property
    def busy(self) -> bool:
        """Return whether a save is on its way."""
        return bool(self._tasks) or any(followed.busy for followed in self._followed.values())

    def followed(self, root: str) -> EditorProject:
        """Return the project in a folder, whichever links the path goes through."""
        if root not in self._known:
            path = Path(root).resolve()
            self._known[root] = self._followed.setdefault(path, EditorProject(path, self._clones))
        return self._known[root]

    def saved(self, root: str, paths: Sequence[bytes], environment: Mapping[str, str]) -> None:
        """Take the paths that an editor saved; without any, something may have changed."""
        if self._leaving:
            _note(directories.unsent_path(), root, paths)
            return
        task = asyncio.ensure_future(self._saved(self.followed(root), paths, environment))
        self._tasks[task] = root, paths
        task.add_done_callback(self._tasks.pop)

    async def _saved(
        self, followed: EditorProject, paths: Sequence[bytes], environment: Mapping[str, str]
    ) -> None:
        try:
            await followed.saved(paths, environment)
        except IgorError as error:
            log.warning("a save in %s: %s", followed.root, error.message)
        except Exception:
            log.exception("a save in %s", followed.root)

    def leave(self) -> None:
        """Leave the saves that have not reached all hosts to the next agent, as this one ends."""
        self._leaving = True
        for root, paths in self._tasks.values():
            _note(directories.unsent_path(), root, paths)
        for followed in self._followed.values():
            if behind := followed.behind:
                _note(directories.unsent_path(), str(followed.root), sorted(behind))

    def take_unsent(self) -> None:
        """Look at the projects in which files were saved while no agent ran."""
        for root, paths in _unsent(directories.unsent_path()).items():
            self.saved(root, paths, {})

    def trust_changed(self, root: str) -> None:
        """Note that the user trusts the project from now on, or no longer."""
        followed = self.followed(root)
        followed.trust_changed()
        for watcher in followed.watchers:
            self.saved(root, (), watcher.environment)

    @contextlib.contextmanager
    def watching(self, root: str, watcher: Watcher) -> Iterator[EditorProject]:
        """Tell the watcher of changes until the block is left."""
        followed = self.followed(root)
        followed.watch(watcher)
        # Files may have changed unseen while no editor was open.
        self.saved(root, (), watcher.environment)
        try:
            yield followed
        finally:
            followed.unwatch(watcher)


def _note(path: Path, root: str, paths: Sequence[bytes]) -> None:
    """Add paths to the list of unsent saves; see `_unsent`."""
    lines = b"".join(os.fsencode(root) + b"\0" + name + b"\n" for name in paths or [b""])
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with open(descriptor, "ab") as unsent:
        unsent.write(lines)


def _unsent(path: Path) -> dict[str, list[bytes]]:
    """Return the saved paths in the list, by project, and empty the list.

    A line is: root, NUL, path; without a path, something may have changed below the root.
    """
    taken = path.with_suffix(".taken")
    # An agent may have ended between taking a list and reading it.
    found = _lines(taken)
    with contextlib.suppress(FileNotFoundError):
        path.rename(taken)
        found += _lines(taken)
    taken.unlink(missing_ok=True)
    saved: dict[str, list[bytes]] = {}
    for root, nul, name in (line.partition(b"\0") for line in found):
        if nul:
            saved.setdefault(os.fsdecode(root), []).extend([name] if name else [])
    return saved


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
