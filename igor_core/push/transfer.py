"""The paths that one push or save is sending, and what became of each."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from igor_core.push.channel.state import State
from igor_core.push.in_flight import InFlight
from igor_core.push.record import Record


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the host has at a path instead of what was expected.

    `obstacle` is a path above that is not a folder. `hash` is None where the content is not known
    yet, and empty where the host can't read it.
    """

    state: State | None
    hash: bytes | None = None
    obstacle: bytes = b""


@dataclass
class Outcomes:
    """What became of each path that a transport was given."""

    wrote: dict[bytes, Record] = field(default_factory=dict)
    # The host had the content already, with a time of its own.
    kept: dict[bytes, Record] = field(default_factory=dict)
    deleted: list[bytes] = field(default_factory=list)
    refused: dict[bytes, Refusal] = field(default_factory=dict)
    failed: dict[bytes, str] = field(default_factory=dict)
    # The local file has changed since it was planned.
    moved: set[bytes] = field(default_factory=set)
    # The local file can't be read.
    unreadable: set[bytes] = field(default_factory=set)


@dataclass
class Transfer:
    """The paths that one push or save has in flight, up to the last answer.

    An intent that was certainly not carried out is withdrawn. If the channel is lost, nobody knows,
    and the intent stays for the next survey to decide.
    """

    in_flight: InFlight
    number: int
    outcomes: Outcomes = field(default_factory=Outcomes)
    # Paths that a later save has taken over.
    superseded: set[bytes] = field(default_factory=set)
    # Paths to be planned again: somebody else has them in flight, or nothing was done.
    busy: set[bytes] = field(default_factory=set)
    lost_paths: set[bytes] = field(default_factory=set)
    _open: set[bytes] = field(default_factory=set)
    _announced: dict[bytes, Record] = field(default_factory=dict)
    _all_landed: "asyncio.Future[None] | None" = None

    def take(self, path: bytes) -> bool:
        """Claim a path for this transfer; False if a later save or somebody else has it."""
        if self.in_flight.saved_after(path, self.number):
            self.superseded.add(path)
            return False
        if self.in_flight.has(path):
            self.busy.add(path)
            return False
        self.in_flight.start(path)
        self._open.add(path)
        announced = self._announced.pop(path, None)
        if announced is not None:
            self.in_flight.manifest.note_intents({path: announced})
        return True

    def intend(self, records: Mapping[bytes, Record]) -> None:
        """Record that these taken paths are about to leave."""
        try:
            self.in_flight.manifest.intend(records)
        except BaseException:
            # Without a recorded intent nothing leaves, so nobody must wait for it.
            for path in records:
                self._close(path)
            raise

    async def intend_all(self, records: Mapping[bytes, Record]) -> None:
        """Like `intend` for many paths; they are safe from a power cut on return."""
        await asyncio.to_thread(self.in_flight.manifest.write_intents, records)
        self.in_flight.manifest.note_intents(records)

    async def announce(self, records: Mapping[bytes, Record]) -> None:
        """Write the intents of paths that will be taken and sent one by one from now on."""
        self._announced.update(records)
        manifest = self.in_flight.manifest
        await asyncio.to_thread(manifest.write_intents, records)
        # On disk this has replaced the intent of a save that was in flight meanwhile.
        saves = {path: manifest.intended[path] for path in records if path in manifest.intended}
        if saves:
            manifest.intend(saves)

    def again(self, path: bytes) -> None:
        """Nothing was done at the path; it is to be planned again."""
        self.busy.add(path)
        self._nothing_done(path)

    def close(self) -> None:
        """Withdraw the announced paths that were not taken."""
        self.in_flight.manifest.drop(self._announced)
        self._announced.clear()

    async def landed(self) -> None:
        """Wait for the last answer."""
        if self._open:
            self._all_landed = asyncio.get_running_loop().create_future()
            await self._all_landed

    def wrote(self, path: bytes, record: Record, *, kept: bool = False) -> None:
        (self.outcomes.kept if kept else self.outcomes.wrote)[path] = record
        self.in_flight.manifest.wrote({path: record})
        self._close(path)

    def deleted(self, path: bytes) -> None:
        self.outcomes.deleted.append(path)
        self.in_flight.manifest.forget([path])
        self._close(path)

    def refused(self, path: bytes, refusal: Refusal) -> None:
        self.outcomes.refused[path] = refusal
        self._nothing_done(path)

    def failed(self, path: bytes, reason: str) -> None:
        self.outcomes.failed[path] = reason
        self._nothing_done(path)

    def moved(self, path: bytes, written: Record | None = None) -> None:
        """The local file changed meanwhile; `written` is an intermediate state now on the host."""
        self.outcomes.moved.add(path)
        if written is None:
            self._nothing_done(path)
        else:
            self.in_flight.manifest.wrote({path: written})
            self._close(path)

    def unreadable(self, path: bytes) -> None:
        self.outcomes.unreadable.add(path)
        self._nothing_done(path)

    def lost(self, path: bytes) -> None:
        """The connection was lost: whether the host did it is not known."""
        self.lost_paths.add(path)
        self._close(path)

    def lose_all(self) -> None:
        for path in list(self._open):
            self.lost(path)

    def _nothing_done(self, path: bytes) -> None:
        self.in_flight.manifest.withdraw([path])
        self._close(path)

    def _close(self, path: bytes) -> None:
        self._open.discard(path)
        self.in_flight.end(path)
        self.in_flight.save_soon()
        if not self._open and self._all_landed is not None and not self._all_landed.done():
            self._all_landed.set_result(None)
