"""The connections to one host, and how many sessions each may carry.

sshd grants a connection ten sessions unless its MaxSessions says otherwise, and refuses the
next one; so there is a further connection where all are full. Port forwards don't count.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from igor_core.ssh.login import Connection

# Below sshd's default of 10: a host's own limit may be lower, and is learned by its refusal.
SESSIONS_PER_CONNECTION = 8


@dataclass(eq=False)
class Lane:
    """One connection, the sessions that it carries, and how many it may."""

    connection: Connection
    sessions: int = 0
    room: int = SESSIONS_PER_CONNECTION

    def leave(self) -> None:
        self.sessions -= 1

    def refused(self) -> None:
        """The host grants no more sessions than there are now."""
        self.sessions -= 1
        self.room = min(self.room, self.sessions)


class Connections:
    """All connections to a host. `open` makes a further one, and is asked for one at a time."""

    def __init__(self, open: Callable[[], Awaitable[Connection]]) -> None:
        self._open = open
        self._lanes: list[Lane] = []
        self._opening: asyncio.Future[Lane] | None = None

    def __len__(self) -> int:
        return len(self._lanes)

    def add(self, connection: Connection) -> Lane:
        lane = Lane(connection)
        self._lanes.append(lane)
        return lane

    def remove(self, connection: Connection) -> None:
        self._lanes = [lane for lane in self._lanes if lane.connection is not connection]

    async def enter(self) -> Lane:
        """A connection with room for one more session, which is the caller's from now on."""
        while True:
            for lane in self._lanes:
                if lane.sessions < lane.room:
                    lane.sessions += 1
                    return lane
            if self._opening is None:
                self._opening = asyncio.ensure_future(self._further())
            await asyncio.shield(self._opening)

    async def _further(self) -> Lane:
        try:
            return self.add(await self._open())
        finally:
            self._opening = None

    def close(self) -> None:
        for lane in self._lanes:
            lane.connection.close()

    def abort(self) -> None:
        for lane in self._lanes:
            lane.connection.abort()
