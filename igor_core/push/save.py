"""A save: a few paths that have changed here, on the wire at once where nothing stands in the way.

What is there is assumed to be as igor left it, and travels as the frame's expectation. What the
host refuses, and what can't go at once, goes as a small push of its own.
"""

import asyncio
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.push.change import Change
from igor_core.push.delete_limit import too_many
from igor_core.push.in_flight import InFlight, Transfer
from igor_core.push.plan import HeldBack, Known, Plan, make_plan
from igor_core.push.preconditions import state_of
from igor_core.push.push import ROUNDS, Push
from igor_core.push.report import Nobody, Options, Report
from igor_core.push.save_batches import SaveBatch, SaveBatches, in_turns
from igor_core.push.transport.base import Work
from igor_core.push.transport.open_tree import Opened
from igor_core.push.transport.receiver import ByReceiver
from igor_core.worktree.files import File, look, shown, with_parents


class Save:
    """One call of `HostTree.send`. `number` tells it from older and newer saves and scans."""

    def __init__(self, host: str, root: Path, changes: Sequence[Change], number: int) -> None:
        self.changes = {change.path: change for change in changes}
        self.number = number
        self._host = host
        self._root = root
        self._traffic: InFlight | None = None
        self._task: asyncio.Future[Report] | None = None
        self._flight: SaveBatches | None = None
        self._error: Exception | None = None
        self._superseded: set[bytes] = set()

    def known_as(self, task: "asyncio.Future[Report]") -> None:
        """`task` ends when this save is settled."""
        self._task = task
        if self._traffic is not None:
            self._traffic.saved(self.changes, self.number, task)

    def _is_known_to(self, traffic: InFlight) -> None:
        if self._traffic is not traffic:
            self._traffic = traffic
            traffic.saved(self.changes, self.number, self._task)

    def join(self, later: "Save") -> None:
        """Take over what a later save brings."""
        self.changes.update(later.changes)
        self.number = later.number

    def begin(self, opened: Opened) -> None:
        """Send what can leave at once. It is on the wire when this returns; of many the first."""
        self._is_known_to(opened.traffic)
        gone = [path for path, change in self.changes.items() if change.file is None]
        written = opened.traffic.manifest.written
        if too_many(len(written.keys() & gone), len(written)):
            return
        if isinstance(opened.transport, ByReceiver):
            push = self._push(opened, self._contents(self.changes))
            self._flight = SaveBatches(push, in_turns(self.changes))
            try:
                self._launch_next(self._flight, opened.transport)
            except Exception as error:
                # Whoever sends to several hosts must not stop at this one.
                self._error = error

    def _launch_next(self, flight: SaveBatches, transport: ByReceiver) -> None:
        push, changes = flight.push, flight.waiting.pop(0)
        covered = {c.path for c in changes if self._may_leave(c.path, push.traffic)}
        known, plan, work = self._planned(covered, push)
        unfit = {item.path for item in work.write if not transport.fits(item)}
        if unfit:
            covered -= unfit
            known, plan, work = self._planned(covered, push)
        push.enter_plan(plan)
        push.record(plan, known)
        ledger = Transfer(push.traffic, self.number)
        try:
            transport.launch(work, ledger)
        except BaseException:
            ledger.lose_all()
            raise
        flight.parts.append(SaveBatch(ledger, known))
        flight.covered |= covered
        flight.sent += work.size

    def _may_leave(self, path: bytes, traffic: InFlight) -> bool:
        """Whether nothing stands in the way, and the file still is as it came with the save."""
        if traffic.is_in_flight(path) or path in traffic.manifest.intended:
            return False
        if not self._is_way_free(path, traffic):
            return False
        change = self.changes[path]
        try:
            return change.file is None or look(self._root, path) == change.file
        except OSError:
            return False

    def _contents(self, paths: Collection[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
        changes = [self.changes[path] for path in paths]
        return {
            change.path: (change.content, change.hash)
            for change in changes
            if change.content is not None
        }

    def _planned(self, paths: Collection[bytes], push: Push) -> tuple[Known, Plan, Work]:
        """What follows if what is there is as igor left it."""
        manifest = push.traffic.manifest
        local = {path: file for path in paths if (file := self.changes[path].file) is not None}
        written = {path: manifest.written[path] for path in paths if path in manifest.written}
        remote = {path: state_of(record) for path, record in written.items()}
        hashes = {path: push.contents[path][1] for path in paths if path in push.contents}
        known = Known(local, written, {}, remote, local_hashes=hashes)
        plan = make_plan(known)
        return known, plan, push.work(plan, known, push.gone_folders(plan))

    def _is_way_free(self, path: bytes, traffic: InFlight) -> bool:
        """Whether no folder above is a file there, as far as is known, that stays."""
        written, intended = traffic.manifest.written, traffic.manifest.intended
        for above in with_parents([path]) - {path}:
            if above in intended or (above in written and above not in self.changes):
                return False
        return True

    def _push(self, opened: Opened, contents: dict[bytes, tuple[bytes, bytes]]) -> Push:
        return Push(
            self._host, self._root, opened.transport, opened.traffic, Options(), Nobody(),
            self.number, Report(opened.path), asks=False, contents=contents,
        )  # fmt: skip

    async def settle(self, opened: Opened) -> Report:
        """Wait for what has left, and do what could not. Raises HostError.

        What a later save has taken over is not waited for: `settle_later` does.
        """
        self._is_known_to(opened.traffic)
        if self._error is not None:
            raise self._error
        flight, rest = self._flight, set(self.changes)
        if flight is None:
            report = await self._settle_slowly(rest, opened)
        else:
            report = await self._settle_flight(flight, rest, opened)
        self._note(report, opened.traffic)
        return report

    async def _settle_flight(self, flight: SaveBatches, rest: set[bytes], opened: Opened) -> Report:
        assert isinstance(opened.transport, ByReceiver)
        while flight.waiting:
            await opened.transport.rest(flight.sent)
            self._launch_next(flight, opened.transport)
        slow = asyncio.ensure_future(self._settle_slowly(rest - flight.covered, opened))
        try:
            again, known = await flight.landed()
            report = joined(await flight.push.go_on(again, known), await slow)
        finally:
            slow.cancel()
        self._superseded |= flight.push.superseded
        return report

    async def settle_anew(self, opened: Opened) -> Report:
        """After the means of the first attempt was lost: what is there now decides."""
        self._flight = self._error = None
        return await self.settle(opened)

    async def settle_later(self, opened: Opened) -> Report:
        """What has become of paths that later saves have taken over. Raises what these raise."""
        report = Report(opened.path)
        for path in self._superseded:
            later = opened.traffic.latest_save(path)
            if later is None or later is self._task:
                # A push of a newer state has it: whether it got there, a comparison tells.
                report.moving.append(path)
            else:
                theirs = await asyncio.shield(later)
                report.hold_back([item for item in theirs.held_back if item.path == path])
                report.moving += {path} & set(theirs.moving)
        return report

    async def _settle_slowly(self, paths: Collection[bytes], opened: Opened) -> Report:
        """A push of these paths alone: of those that no later save has taken over."""
        report = Report(opened.path)
        left = set(paths)
        for _round in range(ROUNDS):
            if not left:
                break
            await opened.traffic.landed(left)
            later = {path for path in left if opened.traffic.saved_after(path, self.number)}
            self._superseded |= later
            left -= later
            found = await self._push_as_it_is(left, opened)
            left, found.moving = set(found.moving), []
            report = joined(report, found)
        report.moving = sorted(left)
        return report

    async def _push_as_it_is(self, paths: Collection[bytes], opened: Opened) -> Report:
        if not paths:
            return Report(opened.path)
        local, contents, unreadable = await asyncio.to_thread(self._looked, paths)
        push = self._push(opened, contents)
        push.report.hold_back([HeldBack(path, "can't be read here") for path in unreadable])
        gone = set(paths) - local.keys() - unreadable
        known = await push.look(local, gone, Known({}, {}, {}, {}))
        report = await push.run(known)
        self._superseded |= push.superseded
        return report

    def _looked(
        self, paths: Collection[bytes]
    ) -> tuple[dict[bytes, File], dict[bytes, tuple[bytes, bytes]], set[bytes]]:
        """The files as they are by now; the content that came with the save may still be theirs.

        And those that can't be looked at.
        """
        root, local, contents, unreadable = os.fsencode(self._root), {}, {}, set()
        for path in paths:
            change = self.changes[path]
            try:
                file = look(root, path) if change.file is not None else None
            except OSError:
                unreadable.add(path)
                continue
            if file is not None:
                local[path] = file
                if file == change.file and change.content is not None:
                    contents[path] = change.content, change.hash
        return local, contents, unreadable

    def _note(self, report: Report, traffic: InFlight) -> None:
        """Keep what is told of held back paths up to date."""
        before = set(filter(None, traffic.manifest.told("held_back").split("\n")))
        undecided = self._superseded | set(report.moving)
        after = before - {shown(path) for path in self.changes if path not in undecided}
        after |= {shown(item.path) for item in report.held_back}
        if after != before:
            traffic.manifest.tell({"held_back": "\n".join(sorted(after))})
            traffic.save_soon()


@dataclass
class Batches:
    """Saves by rsync: those that come while a push runs go together, when it is done."""

    _waiting: Save | None = None
    _task: "asyncio.Future[Report] | None" = field(default=None)

    async def settle(self, save: Save, opened: Opened) -> Report:
        if self._waiting is None or self._task is None:
            self._waiting = save
            self._task = asyncio.ensure_future(self._run(opened))
        elif self._waiting is not save:
            self._waiting.join(save)
        return await asyncio.shield(self._task)

    async def _run(self, opened: Opened) -> Report:
        async with opened.traffic.lock:
            save, self._waiting = self._waiting, None
            assert save is not None
            return await save.settle(opened)


def joined(one: Report, other: Report) -> Report:
    """Two parts of one save."""
    one.sent += other.sent
    one.deleted += other.deleted
    one.held_back += other.held_back
    one.unchanged += other.unchanged
    one.moving += other.moving
    return one
