"""The connections to one host, and the ssh sessions that they share.

sshd grants a connection ten sessions unless its MaxSessions says otherwise, and refuses more;
so a further connection is opened when all are full. Port forwards don't count as sessions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import asyncssh

from igor_core.ssh.login import Connection

T = TypeVar("T")

# Below sshd's default of 10. A host with a lower limit teaches it by refusing a session.
SESSIONS_PER_CONNECTION = 8


@dataclass(eq=False)
class SharedConnection:
    """A connection, the number of sessions on it, and the most that it may carry."""

    connection: Connection
    sessions: int = 0
    most: int = SESSIONS_PER_CONNECTION

    def release(self) -> None:
        """Give back the session that `Connections.acquire` reserved."""
        self.sessions -= 1

    def session_refused(self) -> None:
        """Note that the host grants no more sessions than are open now."""
        self.sessions -= 1
        self.most = min(self.most, self.sessions)


class Connections:
    """All connections to a host; `open` makes a further one, never two at the same time."""

    def __init__(self, open: Callable[[], Awaitable[Connection]]) -> None:
        self._open = open
        self._all: list[SharedConnection] = []
        self._opening: asyncio.Future[SharedConnection] | None = None

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[SharedConnection]:
        return iter(self._all)

    def add(self, connection: Connection) -> SharedConnection:
        shared = SharedConnection(connection)
        self._all.append(shared)
        return shared

    def remove(self, connection: Connection) -> None:
        self._all = [shared for shared in self._all if shared.connection is not connection]

    async def acquire(self) -> SharedConnection:
        """Reserve a session on a connection that has room; the caller releases it."""
        while True:
            for shared in self._all:
                if shared.sessions < shared.most:
                    shared.sessions += 1
                    return shared
            if self._opening is None:
                self._opening = asyncio.ensure_future(self._open_further())
            await asyncio.shield(self._opening)

    async def _open_further(self) -> SharedConnection:
        try:
            return self.add(await self._open())
        finally:
            self._opening = None

    async def open_session(self, start: Callable[[SharedConnection], Awaitable[T]]) -> T:
        """Open a session via `start`, which releases it when it ends; retry on another connection.

        Raises ChannelOpenError when the host refuses even the first session of a connection.
        """
        while True:
            shared = await self.acquire()
            try:
                return await start(shared)
            except asyncssh.ChannelOpenError:
                shared.session_refused()
                if shared.most == 0:
                    raise
            except (asyncssh.Error, OSError):
                shared.release()
                raise

    def close(self) -> None:
        for shared in self._all:
            shared.connection.close()

    def abort(self) -> None:
        for shared in self._all:
            shared.connection.abort()
