"""One push: plan, carry out, and plan again what the host has refused.

Nothing is lost: an intent is recorded before anything leaves, a file on the host is overwritten or
deleted only if it is the one that the plan saw, and what has arrived is recorded as it arrives.
"""

import asyncio
import getpass
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from igor_core.errors import HostError
from igor_core.push.path_lookup import PathLookup
from igor_core.push.plan import Change, HeldBack, Plan, PlanInput, exceeds_delete_limit, make_plan
from igor_core.push.preconditions import is_folder_on_host, work_of
from igor_core.push.questions import delete_question, deletes_declined, overwrite_question
from igor_core.push.report import Nobody, PushOptions, PushReport, Reporter
from igor_core.push.transfer import Refusal, Transfer
from igor_core.push.transport.host_errors import connection_lost, hint_for
from igor_core.push.transport.open_tree import OpenTree
from igor_core.push.transport.work import FATAL, Work
from igor_core.worktree.content import hash_files
from igor_core.worktree.files import shown, with_parents

# How often a path is planned again after the host has refused it.
ROUNDS = 3
# Planning fewer paths than this takes under a millisecond, and needs no thread.
FEW_PATHS = 100


def claim_of(root: Path) -> str:
    """How this clone names itself to a host: user, machine and folder."""
    return shown(
        f"{getpass.getuser()}@{socket.gethostname()}:{root}".encode(errors="surrogateescape")
    )


@dataclass
class Push:
    """One push or save to one tree. `number` is that of the scan or save.

    `first`: igor has never pushed to the tree. `contents` are the local contents that the caller
    has read.
    """

    tree: OpenTree
    number: int
    options: PushOptions = field(default_factory=PushOptions)
    reporter: Reporter = field(default_factory=Nobody)
    first: bool = field(default=False, kw_only=True)
    contents: Mapping[bytes, Change] = field(default_factory=dict, kw_only=True)
    report: PushReport = field(init=False)
    # Paths that were left to later saves.
    superseded: set[bytes] = field(default_factory=set, init=False)
    # Folders on the host that were to become files.
    _emptied: set[bytes] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.report = PushReport(self.tree.path)

    @cached_property
    def lookup(self) -> PathLookup:
        return PathLookup(self.tree, self.number, self.contents)

    async def run(self, known: PlanInput) -> PushReport:
        """Carry out what follows from `known`. Raises HostError."""
        tries_folders = self.tree.transport.conditional and not self.options.dry_run
        known = replace(known, tries_folders=tries_folders)
        plan, known = await self._decided(known)
        if self.first and not self.options.dry_run:
            plan, known = await self._ask_to_overwrite(plan, known)
        if self.options.dry_run:
            self.enter_plan(plan)
            self.report.sent = plan.send
            self.report.deleted = plan.delete_first + plan.delete
            return self.report
        await self._check_delete_limit(plan)
        again = await self._round(plan, known)
        return await self.go_on(again, known)

    async def go_on(self, again: dict[bytes, Refusal | None], known: PlanInput) -> PushReport:
        """Plan again what was refused (None: somebody else had the path in flight)."""
        for _round in range(ROUNDS - 1):
            if not again:
                break
            known = await self.lookup.after_refusals(again, known)
            plan, known = await self._decided(known)
            plan.held_back = [self._explained(item) for item in plan.held_back]
            again = await self._round(plan, known)
        reason = "keeps changing on the host"
        self.report.hold_back(
            [HeldBack(path, reason, yields_to_force=True) for path in sorted(again)]
        )
        return self.report

    def _explained(self, item: HeldBack) -> HeldBack:
        if item.path in self._emptied:
            return replace(item, reason="a folder on the host that holds other files")
        return item

    async def _decided(self, known: PlanInput) -> tuple[Plan, PlanInput]:
        """The plan, with the hashes of just those files that size and time leave undecided."""
        while True:
            plan = await _planned(known)
            if not self.tree.transport.conditional:
                plan.undecided += _unconfirmed(plan, known)
            paths = plan.undecided + plan.unhashed
            if not paths:
                return plan, known
            local = [known.local[path] for path in paths if path in known.local]
            theirs, ours = await asyncio.gather(
                self._remote_hashes(plan.undecided),
                asyncio.to_thread(hash_files, self.tree.root, local),
            )
            unreadable = dict.fromkeys((file.path for file in local), b"")
            known = replace(
                known,
                local_hashes={**known.local_hashes, **unreadable, **ours},
                remote_hashes={**known.remote_hashes, **theirs},
            )

    async def _remote_hashes(self, paths: Sequence[bytes]) -> dict[bytes, bytes]:
        """The hashes of files on the host; empty ones of those that can't be read."""
        found = await self.tree.transport.hashes(paths) if paths else {}
        return {**dict.fromkeys(paths, b""), **found}

    async def _ask_to_overwrite(self, plan: Plan, known: PlanInput) -> tuple[Plan, PlanInput]:
        """Let a person decide about the files in a tree that igor never pushed to."""
        differ = [item.path for item in plan.held_back if item.yields_to_force]
        if not differ:
            return plan, known
        question = overwrite_question(self.tree.host, self.tree.path, differ)
        if not await self.reporter.confirm(question):
            return plan, known
        return await self._decided(replace(known, ours=known.ours | frozenset(differ)))

    async def _check_delete_limit(self, plan: Plan) -> None:
        """Ask before many deletes; HostError if the answer is no."""
        count, of = plan.deletions, len(self.tree.in_flight.manifest.written)
        if not exceeds_delete_limit(count, of) or self.options.allow_deletes:
            return
        if not self.options.asks:
            reason = "deleted locally along with many others; igor push asks first"
            plan.held_back += [HeldBack(path, reason) for path in plan.delete_first + plan.delete]
            plan.delete_first, plan.delete = [], []
        elif not await self.reporter.confirm(delete_question(self.tree.host, count, of)):
            raise deletes_declined(self.tree.host, count, of)

    async def _round(self, plan: Plan, known: PlanInput) -> dict[bytes, Refusal | None]:
        """Carry out one plan; return what has to be planned again."""
        outrun = self._take_outrun(plan, known)
        self.enter_plan(plan)
        self.record(plan, known)
        work = await asyncio.to_thread(self.work, plan, known)
        if work.is_empty:
            return outrun
        in_folders = (file.path for file in plan.send if is_folder_on_host(known, file.path))
        self._emptied.update(in_folders)
        transport = self.tree.transport
        transfer = Transfer(self.tree.in_flight, self.number)
        try:
            await transport.carry_out(work, transfer, self._progress(work))
            await transfer.landed()
        finally:
            if not transport.conditional:
                transfer.lose_all()
        return {**outrun, **self.enter(transfer, known)}

    def _take_outrun(self, plan: Plan, known: PlanInput) -> dict[bytes, Refusal | None]:
        """Take out of the plan what is held back by knowledge that is out of date."""
        held_back, again = plan.held_back, dict[bytes, Refusal | None]()
        plan.held_back = []
        for item in held_back:
            if self.tree.in_flight.saved_after(item.path, self.number):
                self.superseded.add(item.path)
            elif not self.lookup.holds(item.path, known):
                again[item.path] = None
            else:
                plan.held_back.append(item)
        return again

    def enter_plan(self, plan: Plan) -> None:
        """Take into the report what the plan leaves as it is."""
        self.report.unchanged += plan.unchanged
        self.report.hold_back(plan.held_back)

    def record(self, plan: Plan, known: PlanInput) -> None:
        """Record what the plan has found out, but for paths that have been written since."""
        manifest, holds = self.tree.in_flight.manifest, self.lookup.holds
        manifest.wrote({path: r for path, r in plan.adopt.items() if holds(path, known)})
        manifest.forget([path for path in plan.forget if holds(path, known)])
        self.tree.in_flight.save_soon()

    def work(self, plan: Plan, known: PlanInput) -> Work:
        """The plan as work for a transport. Blocks."""
        return work_of(plan, known, self.contents, self._gone_folders(plan))

    def _gone_folders(self, plan: Plan) -> frozenset[bytes]:
        """The folders above deletes that are gone locally; any other may be wanted empty."""
        paths = plan.delete_first + plan.delete
        top = os.fsencode(self.tree.root)
        above = with_parents(paths) - set(paths)
        return frozenset(path for path in above if not _is_folder(os.path.join(top, path)))

    def _progress(self, work: Work) -> Callable[[int, int], None]:
        total, count, started = work.size, len(work.write), time.monotonic()

        def on_progress(done: int, complete: int) -> None:
            label = f"push, {complete} of {count} files"
            rate = done / max(time.monotonic() - started, 1e-3)
            self.reporter.progress(label, min(done, total), total, "bytes", rate)

        return on_progress

    def enter(self, transfer: Transfer, known: PlanInput) -> dict[bytes, Refusal | None]:
        """Take the outcomes into the report; return what has to be planned again."""
        if transfer.lost_paths:
            raise connection_lost(self.tree.host, self.tree.transport.broken)
        outcomes, report = transfer.outcomes, self.report
        self.superseded |= transfer.superseded
        for reason in outcomes.failed.values():
            if reason in FATAL:
                raise HostError(f"{self.tree.host}: {reason}", hint_for(reason))
        report.sent += [known.local[path] for path in outcomes.wrote]
        report.unchanged += len(outcomes.kept)
        report.deleted += outcomes.deleted
        report.moving += sorted(outcomes.moved)
        report.hold_back(
            [
                HeldBack(path, f"can't be {_action(path, known)} on the host: {reason}")
                for path, reason in sorted(outcomes.failed.items())
            ]
        )
        report.hold_back([unreadable(path) for path in sorted(outcomes.unreadable)])
        return {**outcomes.refused, **dict.fromkeys(transfer.busy)}

    async def wait_for_saves(self) -> list[bytes]:
        """Wait for the saves that paths were left to; return the paths that need another push.

        These are the paths of failed saves, and those that a save held back although this push
        would overwrite them.
        """
        again = []
        for path in sorted(self.superseded):
            save = self.tree.in_flight.latest_save(path)
            if save is not None and self.tree.transport.conditional:
                await asyncio.wait([save])
                if save.cancelled() or save.exception() or path in save.result().moving:
                    again.append(path)
                    continue
                items = [item for item in save.result().held_back if item.path == path]
                if items and (self.options.force or path in self.options.ours):
                    again.append(path)
                else:
                    self.report.hold_back(items)
        return again


def _unconfirmed(plan: Plan, known: PlanInput) -> list[bytes]:
    """The files that the plan would overwrite or delete on the word of their size and time only."""
    paths = [file.path for file in plan.send] + plan.delete + plan.delete_first
    return [
        path
        for path in paths
        if path not in known.remote_hashes
        and (state := known.remote.get(path)) is not None
        and state.kind == "f"
        and not known.is_forced(path)
    ]


def unreadable(path: bytes) -> HeldBack:
    return HeldBack(path, "the local file can't be read")


async def _planned(known: PlanInput) -> Plan:
    if len(known.local) + len(known.written) < FEW_PATHS:
        return make_plan(known)
    return await asyncio.to_thread(make_plan, known)


def _action(path: bytes, known: PlanInput) -> str:
    return "written" if path in known.local else "deleted"


def _is_folder(name: bytes) -> bool:
    return os.path.isdir(name) and not os.path.islink(name)
