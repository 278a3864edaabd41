"""When a change is to be seen on the hosts, and when its sender says that it has arrived.

The hosts' disks are folders of this machine. The kernel tells of each change in the folders where
something is awaited (inotify), so waiting costs nothing and disturbs nobody; where a folder isn't
there yet, one path is looked at every 0.3 ms.
"""

import ctypes
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import BenchError
from tests.bench.tree import Sight

#: From inotify(7): what ends a write in place, a rename, a removal, a new mode or time.
_CLOSE_WRITE, _MOVED, _CREATE, _DELETE = 0x8, 0xC0, 0x100, 0x200
_MASK = _CLOSE_WRITE | _MOVED | _CREATE | _DELETE
_LOOK_MS = 0.3
#: Should the kernel ever tell too late: the files are looked at as often as this anyhow.
_SAFETY_MS = 20.0


@dataclass
class Turn:
    """A contestant at work on one change.

    `answers` is a descriptor that is readable when something came from it, None where it never
    says that it is done; `is_done` reads it. `began_ns` may be known only afterwards. `patience`
    is for one that may not say it: so many seconds after all is to be seen.
    """

    began_ns: Callable[[], int]
    answers: int | None = None
    is_done: Callable[[], bool] = lambda: True
    patience: float | None = None


@dataclass(frozen=True)
class Times:
    """Milliseconds from the begin; None where there was nothing to see, or no answer."""

    visible: float | None
    acknowledged: float | None


class Watch:
    """The changes that are awaited, on each host's tree; made before the change."""

    def __init__(self, tops: Sequence[Path], sights: Sequence[Sight]) -> None:
        self._awaited = _unseen(tops, sights)
        self._next = next(self._awaited, None)
        self._has_sights = self._next is not None
        self._notify = _inotify()
        folders = {os.path.dirname(f"{top}/{sight.path}") for top in tops for sight in sights}
        is_told = [_add(self._notify, folder) for folder in sorted(folders)]
        self._look_ms = _SAFETY_MS if all(is_told) else _LOOK_MS

    def follow(self, turn: Turn, seconds: float) -> Times:
        """Wait until all is seen and acknowledged. Raises BenchError after `seconds`."""
        visible = acknowledged = None
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._notify, select.POLLIN)
        if turn.answers is not None:
            poll.register(turn.answers, select.POLLIN)
        while self._next or (turn.answers is not None and acknowledged is None):
            if visible and turn.patience is not None and _is_over(visible, turn.patience):
                break
            ready = [descriptor for descriptor, _ in poll.poll(self._look_ms)]
            # First what was told, then the look: what comes in between is told anew.
            if self._notify in ready:
                os.read(self._notify, 1 << 16)
            if self._next and self._all_seen():
                visible = time.monotonic_ns()
            if turn.answers in ready and turn.is_done():
                acknowledged = time.monotonic_ns()
                poll.unregister(turn.answers)
            if time.monotonic() > deadline:
                raise BenchError(self._overdue(seconds))
        return _since(turn.began_ns(), visible, acknowledged)

    def close(self) -> None:
        os.close(self._notify)

    def _all_seen(self) -> bool:
        while self._next:
            top, sight = self._next
            if not sight.is_seen(top):
                return False
            self._next = next(self._awaited, None)
        return True

    def _overdue(self, seconds: float) -> str:
        if self._next:
            return f"after {seconds:.0f} s {self._next[1].path} is not as it should be on the host"
        return f"no answer within {seconds:.0f} s"


def _unseen(tops: Sequence[Path], sights: Sequence[Sight]) -> Iterator[tuple[str, Sight]]:
    return iter([(str(top), sight) for top in tops for sight in sights])


def _since(began: int, visible: int | None, acknowledged: int | None) -> Times:
    later = (
        None if moment is None else (moment - began) / 1e6 for moment in (visible, acknowledged)
    )
    return Times(*later)


def _is_over(moment: int, seconds: float) -> bool:
    return time.monotonic_ns() > moment + seconds * 1e9


def _inotify() -> int:
    descriptor: int = _libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise BenchError(f"inotify: {os.strerror(ctypes.get_errno())}")
    return descriptor


def _add(notify: int, folder: str) -> bool:
    """Whether the kernel will tell of that folder."""
    found: int = _libc().inotify_add_watch(notify, os.fsencode(folder), _MASK)
    return found >= 0


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
