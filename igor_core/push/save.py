"""A save: a few changed paths, sent at once if nothing is in the way.

Igor assumes that the host's files are as it left them, and sends that along as the precondition of
each write. Writes that the host refuses, or that can't be sent at once, become a small push.
"""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from igor_core.push.in_flight import InFlight
from igor_core.push.plan import Change, Plan, PlanInput, exceeds_delete_limit, make_plan
from igor_core.push.preconditions import state_of
from igor_core.push.push import ROUNDS, Push, unreadable
from igor_core.push.report import PushOptions, PushReport
from igor_core.push.save_batches import SaveBatch, SaveBatches, batches_of
from igor_core.push.transfer import Transfer
from igor_core.push.transport.launcher import Launcher
from igor_core.push.transport.open_tree import OpenTree
from igor_core.push.transport.work import Work
from igor_core.worktree.files import File, look, shown, with_parents


class Save:
    """One call of `HostTree.send`. `number` orders the save among other saves and scans."""

    def __init__(self, root: Path, changes: Sequence[Change], number: int) -> None:
        self.changes = {change.path: change for change in changes}
        self.number = number
        self._root = root
        self._in_flight: InFlight | None = None
        self._task: asyncio.Future[PushReport] | None = None
        self._batches: SaveBatches | None = None
        self._error: Exception | None = None
        self._superseded: set[bytes] = set()

    def known_as(self, task: "asyncio.Future[PushReport]") -> None:
        """Set the task that ends when this save is done."""
        self._task = task
        if self._in_flight is not None:
            self._in_flight.saved(self.changes, self.number, task)

    def _register(self, in_flight: InFlight) -> None:
        if self._in_flight is not in_flight:
            self._in_flight = in_flight
            in_flight.saved(self.changes, self.number, self._task)

    def join(self, later: "Save") -> None:
        """Take over the changes of a later save."""
        self.changes.update(later.changes)
        self.number = later.number

    def begin(self, tree: OpenTree) -> None:
        """Send what can leave at once: on return all of it, or its first batch, is on the wire."""
        self._register(tree.in_flight)
        gone = [path for path, change in self.changes.items() if change.file is None]
        written, launcher = tree.in_flight.manifest.written, tree.transport.launcher
        if exceeds_delete_limit(len(written.keys() & gone), len(written)) or launcher is None:
            return
        self._batches = SaveBatches(self._push(tree, self.changes), batches_of(self.changes))
        try:
            self._launch_next(self._batches, launcher)
        except Exception as error:
            # The caller sends to other hosts as well, and must not fail at this one.
            self._error = error

    def _launch_next(self, batches: SaveBatches, launcher: Launcher) -> None:
        push, changes = batches.push, batches.waiting.pop(0)
        in_flight = push.tree.in_flight
        covered = {c.path for c in changes if self._may_leave(c.path, in_flight)}
        known, plan, work = self._planned(covered, push)
        unfit = {item.path for item in work.write if not launcher.fits(item)}
        if unfit:
            covered -= unfit
            known, plan, work = self._planned(covered, push)
        push.enter_plan(plan)
        push.record(plan, known)
        transfer = Transfer(in_flight, self.number)
        try:
            launcher.launch(work, transfer)
        except BaseException:
            transfer.lose_all()
            raise
        batches.launched.append(SaveBatch(transfer, known))
        batches.covered |= covered
        batches.sent += work.size

    def _may_leave(self, path: bytes, in_flight: InFlight) -> bool:
        """Return whether the way is free, and the local file is still as the save found it."""
        if in_flight.has(path) or path in in_flight.manifest.intended:
            return False
        if not self._is_way_free(path, in_flight):
            return False
        change = self.changes[path]
        try:
            return change.file is None or look(self._root, path) == change.file
        except OSError:
            return False

    def _is_way_free(self, path: bytes, in_flight: InFlight) -> bool:
        """Return whether, as far as is known, no folder above the path is a file on the host."""
        written, intended = in_flight.manifest.written, in_flight.manifest.intended
        for above in with_parents([path]) - {path}:
            if above in intended or (above in written and above not in self.changes):
                return False
        return True

    def _planned(self, paths: Collection[bytes], push: Push) -> tuple[PlanInput, Plan, Work]:
        """Plan on the assumption that the host's files are as igor left them."""
        manifest = push.tree.in_flight.manifest
        local = {path: file for path in paths if (file := self.changes[path].file) is not None}
        written = {path: manifest.written[path] for path in paths if path in manifest.written}
        remote = {path: state_of(record) for path, record in written.items()}
        hashes = {path: push.contents[path].hash for path in paths if path in push.contents}
        known = PlanInput(local, written, {}, remote, local_hashes=hashes)
        plan = make_plan(known)
        return known, plan, push.work(plan, known)

    def _push(self, tree: OpenTree, read: Mapping[bytes, Change]) -> Push:
        """Return a push of this save; `read` are the paths whose contents may be used."""
        contents = {path: change for path, change in read.items() if change.content is not None}
        return Push(tree, self.number, PushOptions(asks=False), contents=contents)

    async def finish(self, tree: OpenTree) -> PushReport:
        """Wait for the batches that were sent, and push the rest. Raises HostError.

        Leaves paths that a later save has taken over to `finish_superseded`.
        """
        self._register(tree.in_flight)
        if self._error is not None:
            raise self._error
        if self._batches is None or tree.transport.launcher is None:
            report = await self._push_surveyed(self.changes, tree)
        else:
            report = await self._finish_batches(self._batches, tree.transport.launcher, tree)
        self._note_held_back(report, tree.in_flight)
        return report

    async def finish_anew(self, tree: OpenTree) -> PushReport:
        """Start over, after the receiver of the first attempt was lost. Raises HostError."""
        self._batches = self._error = None
        return await self.finish(tree)

    async def finish_superseded(self, tree: OpenTree) -> PushReport:
        """Report the paths that later saves have taken over. Raises what these saves raise."""
        report = PushReport(tree.path)
        for path in self._superseded:
            later = tree.in_flight.latest_save(path)
            if later is None or later is self._task:
                # A push of a newer scan has the path; a comparison will tell whether it arrived.
                report.moving.append(path)
            else:
                theirs = await asyncio.shield(later)
                report.hold_back([item for item in theirs.held_back if item.path == path])
                report.moving += {path} & set(theirs.moving)
        return report

    async def _finish_batches(
        self, batches: SaveBatches, launcher: Launcher, tree: OpenTree
    ) -> PushReport:
        while batches.waiting:
            await launcher.pause(batches.sent)
            self._launch_next(batches, launcher)
        rest = self.changes.keys() - batches.covered
        surveyed = asyncio.ensure_future(self._push_surveyed(rest, tree))
        try:
            again, known = await batches.landed()
            report = await batches.push.go_on(again, known)
            report.add(await surveyed)
        finally:
            surveyed.cancel()
        self._superseded |= batches.push.superseded
        return report

    async def _push_surveyed(self, paths: Collection[bytes], tree: OpenTree) -> PushReport:
        """Push these paths after a survey, except those that a later save has taken over."""
        report = PushReport(tree.path)
        left = set(paths)
        for _round in range(ROUNDS):
            if not left:
                break
            await tree.in_flight.landed(left)
            later = {path for path in left if tree.in_flight.saved_after(path, self.number)}
            self._superseded |= later
            left -= later
            found = await self._push_once(left, tree)
            left, found.moving = set(found.moving), []
            report.add(found)
        report.moving = sorted(left)
        return report

    async def _push_once(self, paths: Collection[bytes], tree: OpenTree) -> PushReport:
        if not paths:
            return PushReport(tree.path)
        local, read, failed = await asyncio.to_thread(self._look, paths)
        push = self._push(tree, read)
        push.report.hold_back([unreadable(path) for path in failed])
        gone = set(paths) - local.keys() - failed
        known = await push.lookup.survey(local, gone, PlanInput({}, {}, {}, {}))
        report = await push.run(known)
        self._superseded |= push.superseded
        return report

    def _look(
        self, paths: Collection[bytes]
    ) -> tuple[dict[bytes, File], dict[bytes, Change], set[bytes]]:
        """Return the local files as they are now, the changes still true, and unreadable paths."""
        root, local, read, failed = os.fsencode(self._root), {}, {}, set()
        for path in paths:
            change = self.changes[path]
            try:
                file = look(root, path) if change.file is not None else None
            except OSError:
                failed.add(path)
                continue
            if file is not None:
                local[path] = file
                if file == change.file:
                    read[path] = change
        return local, read, failed

    def _note_held_back(self, report: PushReport, in_flight: InFlight) -> None:
        """Update the manifest's note of the paths that are held back."""
        before = set(filter(None, in_flight.manifest.note("held_back").split("\n")))
        undecided = self._superseded | set(report.moving)
        after = before - {shown(path) for path in self.changes if path not in undecided}
        after |= {shown(item.path) for item in report.held_back}
        if after != before:
            in_flight.manifest.set_notes({"held_back": "\n".join(sorted(after))})
            in_flight.save_soon()
