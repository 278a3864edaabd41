"""Keep two jobs from making the same image or container on a host at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from igor_core.ssh.host import RemoteHost


class ImageLock:
    """One lock per image and host, which also covers the containers made from the image."""

    def __init__(self) -> None:
        self._locks: dict[tuple[RemoteHost, str], asyncio.Lock] = {}

    @contextlib.asynccontextmanager
    async def take(
        self, host: RemoteHost, image: str, say: Callable[[str], None]
    ) -> AsyncIterator[None]:
        """Wait for the lock, say so if another job has it, and hold it to the end of the block."""
        lock = self._locks.setdefault((host, image), asyncio.Lock())
        if lock.locked():
            say(f"waits until another job is done with {image}")
        async with lock:
            yield
