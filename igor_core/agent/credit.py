"""Credit: how much may be sent before the reader grants more."""

import asyncio


class Credit:
    """A count of bytes. `take` waits while none are left; a grant lets it go on."""

    def __init__(self, initial: int) -> None:
        self._left = initial
        self._open = asyncio.Event()
        self._unlimited = False
        self._update()

    def grant(self, count: int) -> None:
        self._left += count
        self._update()

    def lift(self) -> None:
        """Lift the limit for good, since nobody reads any more."""
        self._unlimited = True
        self._update()

    async def take(self, count: int) -> None:
        """Wait until there is any credit, then use `count`, going below zero if need be."""
        await self._open.wait()
        self._left -= count
        self._update()

    def _update(self) -> None:
        if self._unlimited or self._left > 0:
            self._open.set()
        else:
            self._open.clear()
