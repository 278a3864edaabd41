"""Registry of debug sessions; a new one in a container replaces the old."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from igor_core.debug.editors.endpoints import HostKey

# How long a new session waits while the older one tells its debuggers of its end.
WAIT_SECONDS = 5.0

Before = Callable[[], Awaitable[None]]


class DebugSessions:
    """An agent's debug sessions, by host and environment."""

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str], asyncio.Event] = {}
        self._latest: dict[tuple[str, str], asyncio.Event] = {}

    def has(self, host: str, group: str) -> bool:
        """Return whether a session is running."""
        return (host, group) in self._ended

    @contextlib.contextmanager
    def job(self, host: str, group: str, *, starts: bool) -> Iterator[asyncio.Event]:
        """Hold this from the start of a job; the event is set when a newer job `starts` a program
        in the same environment, whichever of the two is quicker."""
        before, mine = self._latest.get((host, group)), asyncio.Event()
        if starts and before is not None:
            before.set()
        self._latest[host, group] = mine
        try:
            yield mine
        finally:
            if self._latest.get((host, group)) is mine:
                del self._latest[host, group]

    @contextlib.contextmanager
    def session(self, host: str, group: str) -> Iterator[Before]:
        """Hold this during a session; call the result to wait until the earlier one has ended."""
        before, mine = self._ended.get((host, group)), asyncio.Event()
        self._ended[host, group] = mine

        async def wait() -> None:
            if before is not None:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(before.wait(), WAIT_SECONDS)

        try:
            yield wait
        finally:
            mine.set()
            if self._ended.get((host, group)) is mine:
                del self._ended[host, group]


class DebugPorts:
    """The local ports of debugged programs, by project, group and host.

    Hold `writing` to write them into the files that editors read.
    """

    def __init__(self) -> None:
        self.writing = asyncio.Lock()
        self._ports: dict[Path, dict[HostKey, int]] = {}

    def of(self, root: Path) -> Mapping[HostKey, int]:
        return dict(self._ports.get(root, {}))

    def opened(self, root: Path, key: HostKey, port: int) -> None:
        self._ports.setdefault(root, {})[key] = port

    def closed(self, root: Path, key: HostKey, port: int) -> None:
        """Forget a port, unless a newer session of that host has opened another."""
        if self._ports.get(root, {}).get(key) == port:
            del self._ports[root][key]
