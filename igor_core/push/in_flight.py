"""Who is at a path of a tree right now, and what became of what was sent."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from igor_core.push.channel.state import State
from igor_core.push.manifest import Manifest, Record
from igor_core.push.report import Report

# What has arrived is put on disk together, this often.
SAVE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is there instead of what was expected. `obstacle`: a path above that is no folder.

    `hash` is None where the content is not known yet, empty where it can't be read.
    """

    state: State | None
    hash: bytes | None = None
    obstacle: bytes = b""


@dataclass
class Outcomes:
    """What became of each path that a transport was given."""

    wrote: dict[bytes, Record] = field(default_factory=dict)
    # Content of igor's was there already, with a time of its own.
    kept: dict[bytes, Record] = field(default_factory=dict)
    deleted: list[bytes] = field(default_factory=list)
    refused: dict[bytes, Refusal] = field(default_factory=dict)
    failed: dict[bytes, str] = field(default_factory=dict)
    # Not as they were seen here any more.
    moved: set[bytes] = field(default_factory=set)
    # Not readable here.
    unreadable: set[bytes] = field(default_factory=set)


class InFlight:
    """Of one tree on one host: what is on its way, and which saves came when.

    At most one frame for a path is on its way. A save is newer than each scan with a smaller
    number: a push by such a scan leaves the path to the save.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        # Whole pushes are one at a time.
        self.lock = asyncio.Lock()
        self.newest = 0
        self._in_flight: dict[bytes, asyncio.Future[None] | None] = {}
        self._saved: dict[bytes, tuple[int, asyncio.Future[Report] | None]] = {}
        self._saving: asyncio.Task[None] | None = None

    def is_in_flight(self, path: bytes) -> bool:
        return path in self._in_flight

    async def landed(self, paths: Iterable[bytes]) -> None:
        """Wait until none of these is on its way."""
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
        self, paths: Iterable[bytes], number: int, save: "asyncio.Future[Report] | None"
    ) -> None:
        """A save of these came, and ends with `save`."""
        for path in paths:
            if self._saved.get(path, (0, None))[0] <= number:
                self._saved[path] = number, save

    def saved_after(self, path: bytes, number: int) -> bool:
        """Whether a later save has taken the path over, or a push by a later scan has."""
        return number < self.newest or self._saved.get(path, (0, None))[0] > number

    def latest_save(self, path: bytes) -> "asyncio.Future[Report] | None":
        return self._saved.get(path, (0, None))[1]

    def pushing(self, number: int) -> None:
        """A whole push by a scan of this number: older ones, and what they need, are history."""
        self.newest = number
        self._saved = {path: save for path, save in self._saved.items() if save[0] > number}

    def save_soon(self) -> None:
        """Put on disk what has become of what was sent, soon and outside of the event loop."""
        if self._saving is None or self._saving.done():
            self._saving = asyncio.ensure_future(self._save())

    async def _save(self) -> None:
        while not self.manifest.is_saved:
            await asyncio.sleep(SAVE_SECONDS)
            await asyncio.to_thread(self.manifest.save)


@dataclass
class Transfer:
    """What one push or save has on its way, up to the last answer.

    An intent that was certainly not carried out is withdrawn; one of which nothing is known,
    because the channel was lost, stays for the next survey to decide.
    """

    traffic: InFlight
    number: int
    outcomes: Outcomes = field(default_factory=Outcomes)
    # Left to a later save; or somebody else's at the moment, to be planned again.
    superseded: set[bytes] = field(default_factory=set)
    busy: set[bytes] = field(default_factory=set)
    lost_paths: set[bytes] = field(default_factory=set)
    _open: set[bytes] = field(default_factory=set)
    _announced: dict[bytes, Record] = field(default_factory=dict)
    _all_landed: "asyncio.Future[None] | None" = None

    def take(self, path: bytes) -> bool:
        if self.traffic.saved_after(path, self.number):
            self.superseded.add(path)
            return False
        if self.traffic.is_in_flight(path):
            self.busy.add(path)
            return False
        self.traffic.start(path)
        self._open.add(path)
        announced = self._announced.pop(path, None)
        if announced is not None:
            self.traffic.manifest.intends({path: announced})
        return True

    def intend(self, records: Mapping[bytes, Record]) -> None:
        """These are about to leave; of paths that have been taken."""
        try:
            self.traffic.manifest.intend(records)
        except BaseException:
            # Nothing leaves without: nobody is to wait for it.
            for path in records:
                self._close(path)
            raise

    async def intend_all(self, records: Mapping[bytes, Record]) -> None:
        """The same for many; on return they are safe from a power cut, too."""
        await asyncio.to_thread(self.traffic.manifest.record_intents, records)
        self.traffic.manifest.intends(records)

    async def announce(self, records: Mapping[bytes, Record]) -> None:
        """These will be taken one by one and sent then: one intent for all, and safe."""
        self._announced.update(records)
        manifest = self.traffic.manifest
        await asyncio.to_thread(manifest.record_intents, records)
        # A save that is on its way meanwhile has been overwritten on disk.
        saves = {path: manifest.intended[path] for path in records if path in manifest.intended}
        if saves:
            manifest.intend(saves)

    def again(self, path: bytes) -> None:
        """Nothing was done there; to be planned anew."""
        self.busy.add(path)
        self._nothing_done(path)

    def close(self) -> None:
        """Nothing more will be taken."""
        self.traffic.manifest.drop(self._announced)
        self._announced.clear()

    async def landed(self) -> None:
        """Wait for the last answer."""
        if self._open:
            self._all_landed = asyncio.get_running_loop().create_future()
            await self._all_landed

    def wrote(self, path: bytes, record: Record, kept: bool = False) -> None:
        (self.outcomes.kept if kept else self.outcomes.wrote)[path] = record
        self.traffic.manifest.wrote({path: record})
        self._close(path)

    def deleted(self, path: bytes) -> None:
        self.outcomes.deleted.append(path)
        self.traffic.manifest.forget([path])
        self._close(path)

    def refused(self, path: bytes, refusal: Refusal) -> None:
        self.outcomes.refused[path] = refusal
        self._nothing_done(path)

    def failed(self, path: bytes, reason: str) -> None:
        self.outcomes.failed[path] = reason
        self._nothing_done(path)

    def moved(self, path: bytes, found: Record | None = None) -> None:
        """Changed here meanwhile; `found` is a state in between that igor has written there."""
        self.outcomes.moved.add(path)
        if found is None:
            self._nothing_done(path)
        else:
            self.traffic.manifest.wrote({path: found})
            self._close(path)

    def unreadable(self, path: bytes) -> None:
        self.outcomes.unreadable.add(path)
        self._nothing_done(path)

    def lost(self, path: bytes) -> None:
        """Nobody knows whether it was carried out."""
        self.lost_paths.add(path)
        self._close(path)

    def lose_all(self) -> None:
        for path in list(self._open):
            self.lost(path)

    def _nothing_done(self, path: bytes) -> None:
        self.traffic.manifest.withdraw([path])
        self._close(path)

    def _close(self, path: bytes) -> None:
        self._open.discard(path)
        self.traffic.end(path)
        self.traffic.save_soon()
        if not self._open and self._all_landed is not None and not self._all_landed.done():
            self._all_landed.set_result(None)
