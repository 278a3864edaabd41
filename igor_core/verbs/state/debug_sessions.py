"""Which programs this agent is at: of what runs once in a container the older gives way."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

# The older session's debuggers hear of its end first.
WAIT_SECONDS = 5.0

Before = Callable[[], Awaitable[None]]


class DebugSessions:
    """The sessions of an agent by host and container."""

    def __init__(self) -> None:
        self._ended: dict[tuple[str, str], asyncio.Event] = {}
        self._latest: dict[tuple[str, str], asyncio.Event] = {}

    def has(self, host: str, group: str) -> bool:
        """Whether there is such a session."""
        return (host, group) in self._ended

    @contextlib.contextmanager
    def job(self, host: str, group: str, *, starts: bool) -> Iterator[asyncio.Event]:
        """To be held by a job from its own start; gives what is set when a newer one `starts` a
        program there, whichever of the two is quicker."""
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
        """To be held by a session; gives what waits until the one before it has let go."""
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
