"""What editors tell of their saves, passed on to the projects that they are in."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from igor_core import directories
from igor_core.errors import IgorError
from igor_core.verbs.clones import Clones
from igor_core.verbs.followed import Followed, Watcher

log = logging.getLogger(__name__)


class Saves:
    """All projects that editors work on."""

    def __init__(self, clones: Clones) -> None:
        self._clones = clones
        self._followed: dict[Path, Followed] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether a save is on its way."""
        return bool(self._tasks) or any(followed.busy for followed in self._followed.values())

    def followed(self, root: str) -> Followed:
        """The project in a folder, by whichever links it was reached."""
        path = Path(root).resolve()
        return self._followed.setdefault(path, Followed(path, self._clones))

    def saved(self, root: str, paths: Sequence[bytes], environment: Mapping[str, str]) -> None:
        """An editor has saved these, or something may have changed where there are none."""
        task = asyncio.ensure_future(self._saved(self.followed(root), paths, environment))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _saved(
        self, followed: Followed, paths: Sequence[bytes], environment: Mapping[str, str]
    ) -> None:
        try:
            await followed.saved(paths, environment)
        except IgorError as error:
            log.warning("a save in %s: %s", followed.root, error.message)
        except Exception:
            log.exception("a save in %s", followed.root)

    def take_unsent(self) -> None:
        """What was saved while no agent was there: look at those projects."""
        for root in _unsent_roots(directories.unsent_path()):
            self.saved(root, (), {})

    @contextlib.contextmanager
    def watching(self, root: str, watcher: Watcher) -> Iterator[Followed]:
        """The watcher hears of changes until the block is left."""
        followed = self.followed(root)
        followed.watch(watcher)
        try:
            yield followed
        finally:
            followed.unwatch(watcher)


def _unsent_roots(path: Path) -> set[str]:
    """The projects named in the list, which is emptied. A line is: root, NUL, path."""
    taken = path.with_suffix(".taken")
    # Where there is none, an agent may have ended between taking one and reading it.
    with contextlib.suppress(FileNotFoundError):
        path.rename(taken)
    try:
        lines = taken.read_bytes().split(b"\n")
    except FileNotFoundError:
        return set()
    taken.unlink()
    return {os.fsdecode(root) for line in lines for root, nul, _ in [line.partition(b"\0")] if nul}
