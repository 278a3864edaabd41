"""In-flight writes per path, and the latest save of each path."""

import asyncio
from collections.abc import Iterable

from igor_core.push.manifest import Manifest
from igor_core.push.report import PushReport

# Results are saved to disk together, at this interval.
SAVE_SECONDS = 0.05


class InFlight:
    """The paths of one tree on one host that are being sent, and which saves came when.

    At most one frame per path is in flight. Saves and scans share one sequence of numbers: a push
    by a scan leaves each path to a save with a larger number.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        # Held by a full push: there is one at a time.
        self.lock = asyncio.Lock()
        # The number of the latest scan that was pushed.
        self.newest = 0
        self._in_flight: dict[bytes, asyncio.Future[None] | None] = {}
        self._saved: dict[bytes, tuple[int, asyncio.Future[PushReport] | None]] = {}
        self._saving: asyncio.Task[None] | None = None

    def has(self, path: bytes) -> bool:
        return path in self._in_flight

    async def landed(self, paths: Iterable[bytes]) -> None:
        """Wait until none of the paths is in flight."""
        for path in paths:
            while path in self._in_flight:
                waiter = self._in_flight[path]
                if waiter is None:
                    waiter = asyncio.get_running_loop().create_future()
                    self._in_flight[path] = waiter
                await asyncio.shield(waiter)

    def start(self, path: bytes) -> None:
        self._in_flight[path] = None

    def end(self, path: bytes) -> None:
        waiter = self._in_flight.pop(path, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def saved(
        self, paths: Iterable[bytes], number: int, save: "asyncio.Future[PushReport] | None"
    ) -> None:
        """Register a save of these paths, which ends with `save`."""
        for path in paths:
            if self._saved.get(path, (0, None))[0] <= number:
                self._saved[path] = number, save

    def saved_after(self, path: bytes, number: int) -> bool:
        """Whether a later save, or a push of a later scan, has taken the path over."""
        return number < self.newest or self._saved.get(path, (0, None))[0] > number

    def latest_save(self, path: bytes) -> "asyncio.Future[PushReport] | None":
        return self._saved.get(path, (0, None))[1]

    def pushing(self, number: int) -> None:
        """Register a full push of the scan with this number, and forget older saves."""
        self.newest = number
        self._saved = {path: save for path, save in self._saved.items() if save[0] > number}

    def save_soon(self) -> None:
        """Save the manifest to disk soon, outside of the event loop."""
        if self._saving is None or self._saving.done():
            self._saving = asyncio.ensure_future(self._save())

    async def _save(self) -> None:
        while not self.manifest.is_saved:
            await asyncio.sleep(SAVE_SECONDS)
            await asyncio.to_thread(self.manifest.save)
