"""The rules at work: plan, carry out, and plan again what the host has refused.

Nothing is lost: the intent is recorded before anything leaves, what is there is overwritten or
deleted only if it is what the plan was made with, and what has arrived is recorded as it arrives.
"""

import asyncio
import getpass
import os
import socket
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from igor_core.errors import HostError
from igor_core.push.channel.question import Question
from igor_core.push.channel.state import State
from igor_core.push.delete_limit import too_many
from igor_core.push.in_flight import InFlight, Refusal, Transfer
from igor_core.push.plan import HeldBack, Known, Plan, make_plan
from igor_core.push.preconditions import expected_at, is_below, is_folder_there, is_simple, state_of
from igor_core.push.report import Options, Report, Reporter
from igor_core.push.transport.base import FATAL, Delete, Transport, Work, Write
from igor_core.push.transport.shell_survey import hint_for
from igor_core.worktree.content import hash_files
from igor_core.worktree.files import File, shown, with_parents

# How often a path is planned again when the host has refused it.
ROUNDS = 3
# Named in a question.
FEW = 5
# Plans of fewer paths take less than a millisecond.
HASTE = 100


def claim_of(root: Path) -> str:
    """How this clone names itself to a host: who, where."""
    return shown(
        f"{getpass.getuser()}@{socket.gethostname()}:{root}".encode(errors="surrogateescape")
    )


@dataclass
class Push:
    """One push or save to one tree. `number` is that of the scan or save.

    `adopting`: igor has never pushed there. `asks`: a person may be there; without, what is to be
    asked about is held back. `contents` are those that the caller has read: content and hash.
    """

    host: str
    root: Path
    transport: Transport
    traffic: InFlight
    options: Options
    reporter: Reporter
    number: int
    report: Report
    adopting: bool = False
    asks: bool = True
    contents: Mapping[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    # Paths that were left to later saves.
    superseded: set[bytes] = field(default_factory=set)
    # Folders there that were to become files.
    _emptied: set[bytes] = field(default_factory=set)

    async def run(self, known: Known) -> Report:
        """Carry out what follows from `known`. Raises HostError."""
        tries_folders = self.transport.conditional and not self.options.dry_run
        known = replace(known, tries_folders=tries_folders)
        plan, known = await self.settled(known)
        if self.adopting and not self.options.dry_run:
            plan, known = await self._adopt(plan, known)
        if self.options.dry_run:
            self.enter_plan(plan)
            self.report.sent = plan.send
            self.report.deleted = plan.delete_first + plan.delete
            return self.report
        await self._brake(plan)
        again = await self._round(plan, known)
        return await self.go_on(again, known)

    async def go_on(self, again: dict[bytes, Refusal | None], known: Known) -> Report:
        """Plan again what was refused (None: what became somebody else's for a moment)."""
        for _round in range(ROUNDS - 1):
            if not again:
                break
            known = await self._look_again(again, known)
            plan, known = await self.settled(known)
            plan.held_back = [self._told(item) for item in plan.held_back]
            again = await self._round(plan, known)
        reason = "keeps changing on the host"
        self.report.hold_back([HeldBack(path, reason, True) for path in sorted(again)])
        return self.report

    def _told(self, item: HeldBack) -> HeldBack:
        if item.path in self._emptied:
            return replace(item, reason="a folder on the host that holds files of others")
        return item

    async def settled(self, known: Known) -> tuple[Plan, Known]:
        """The plan, with hashes of just those files that size and time leave undecided."""
        plan = await _planned(known)
        if plan.undecided:
            here = [known.local[path] for path in plan.undecided if path in known.local]
            theirs, ours = await asyncio.gather(
                self.transport.hashes(plan.undecided),
                asyncio.to_thread(hash_files, self.root, here),
            )
            unreadable = dict.fromkeys(plan.undecided, b"")
            known = replace(
                known,
                local_hashes={**known.local_hashes, **ours},
                remote_hashes={**known.remote_hashes, **unreadable, **theirs},
            )
            plan = await _planned(known)
        return plan, known

    async def _adopt(self, plan: Plan, known: Known) -> tuple[Plan, Known]:
        """A tree that igor never pushed to: whose files there are to stay is a person's matter."""
        differ = [item.path for item in plan.held_back if item.yields_to_force]
        if not differ:
            return plan, known
        names = ", ".join(shown(path) for path in differ[:FEW])
        more = f" and {len(differ) - FEW} more" if len(differ) > FEW else ""
        what = "1 file" if len(differ) == 1 else f"{len(differ)} files"
        question = (
            f"{self.host}: {self.report.tree} has {what} that igor did not write and that differ "
            f"from yours: {names}{more}; overwrite?"
        )
        if not await self.reporter.confirm(question):
            return plan, known
        return await self.settled(replace(known, ours=known.ours | frozenset(differ)))

    async def _brake(self, plan: Plan) -> None:
        count, of = plan.deletions, len(self.traffic.manifest.written)
        if not too_many(count, of) or self.options.allow_deletes:
            return
        if not self.asks:
            reason = "deleted here with many others; igor push asks first"
            plan.held_back += [HeldBack(path, reason) for path in plan.delete_first + plan.delete]
            plan.delete_first, plan.delete = [], []
            return
        question = f"delete {count} of the {of} files that igor pushed to {self.host}?"
        if not await self.reporter.confirm(question):
            raise HostError(
                f"{self.host}: this push would delete {count} of the {of} files pushed before; "
                "nothing was done",
                "look at them: igor push --dry-run; then: igor push --allow-deletes",
            )

    async def _round(self, plan: Plan, known: Known) -> dict[bytes, Refusal | None]:
        """Carry out one plan; what it has left to be planned again."""
        outrun = self._outrun(plan, known)
        self.enter_plan(plan)
        self.record(plan, known)
        work = await asyncio.to_thread(lambda: self.work(plan, known, self.gone_folders(plan)))
        if not (work.delete_first or work.write or work.delete):
            return outrun
        in_folders = (file.path for file in plan.send if is_folder_there(known, file.path))
        self._emptied.update(in_folders)
        ledger = Transfer(self.traffic, self.number)
        try:
            await self.transport.carry_out(work, ledger, self._progress(work))
            await ledger.landed()
        finally:
            if not self.transport.conditional:
                ledger.lose_all()
        return {**outrun, **self.enter(ledger, known)}

    def enter_plan(self, plan: Plan) -> None:
        self.report.unchanged += plan.unchanged
        self.report.hold_back(plan.held_back)

    def record(self, plan: Plan, known: Known) -> None:
        """What the plan has found out; not of paths that others have been at since."""
        manifest = self.traffic.manifest
        take_over = plan.take_over.items()
        manifest.wrote({path: record for path, record in take_over if self._holds(path, known)})
        manifest.forget([path for path in plan.forget if self._holds(path, known)])
        self.traffic.save_soon()

    def _holds(self, path: bytes, known: Known) -> bool:
        """Whether what was known of a path when it was planned still is all that is known."""
        manifest = self.traffic.manifest
        return (
            manifest.written.get(path) is known.written.get(path)
            and manifest.intended.get(path) is known.intended.get(path)
            and not self.traffic.is_in_flight(path)
            and not self.traffic.saved_after(path, self.number)
        )

    def _outrun(self, plan: Plan, known: Known) -> dict[bytes, Refusal | None]:
        """Take out of the plan what is held back by knowledge that holds no more."""
        held_back, again = plan.held_back, dict[bytes, Refusal | None]()
        plan.held_back = []
        for item in held_back:
            if self.traffic.saved_after(item.path, self.number):
                self.superseded.add(item.path)
            elif not self._holds(item.path, known):
                again[item.path] = None
            else:
                plan.held_back.append(item)
        return again

    def gone_folders(self, plan: Plan) -> frozenset[bytes]:
        """The folders above deletes that are gone here too: an empty one may be for a program."""
        paths = plan.delete_first + plan.delete
        top = os.fsencode(self.root)
        above = with_parents(paths) - set(paths)
        return frozenset(path for path in above if not _is_folder(os.path.join(top, path)))

    def work(self, plan: Plan, known: Known, folders: Collection[bytes]) -> Work:
        def deletes(paths: Iterable[bytes]) -> list[Delete]:
            return [
                Delete(path, expected_at(known, path), known.remote.get(path)) for path in paths
            ]

        def write(file: File) -> Write:
            content, digest = self.contents.get(file.path, (None, b""))
            return Write(file, expected_at(known, file.path), content, digest)

        return Work(
            deletes(plan.delete_first),
            [write(file) for file in plan.send],
            deletes(plan.delete),
            frozenset(folders),
        )

    def _progress(self, work: Work) -> Callable[[int, int], None]:
        total, count, started = work.size, len(work.write), time.monotonic()

        def on_progress(done: int, complete: int) -> None:
            label = f"push, {complete} of {count} files"
            rate = done / max(time.monotonic() - started, 1e-3)
            self.reporter.progress(label, min(done, total), total, "bytes", rate)

        return on_progress

    def enter(self, ledger: Transfer, known: Known) -> dict[bytes, Refusal | None]:
        """Take what became of a round into the report; what is to be planned again."""
        if ledger.lost_paths:
            why = f": {self.transport.broken}" if self.transport.broken else ""
            raise HostError(
                f"the connection to {self.host} was lost during the push{why}",
                "nothing half-written is in the tree; push again",
            )
        outcomes, report = ledger.outcomes, self.report
        self.superseded |= ledger.superseded
        for reason in outcomes.failed.values():
            if reason in FATAL:
                raise HostError(f"{self.host}: {reason}", hint_for(reason))
        report.sent += [known.local[path] for path in outcomes.wrote]
        report.unchanged += len(outcomes.kept)
        report.deleted += outcomes.deleted
        report.moving += sorted(outcomes.moved)
        report.hold_back(
            [
                HeldBack(path, f"can't be {_action(path, known)}: {reason}")
                for path, reason in sorted(outcomes.failed.items())
            ]
        )
        unreadable = sorted(outcomes.unreadable)
        report.hold_back([HeldBack(path, "can't be read here") for path in unreadable])
        return {**outcomes.refused, **dict.fromkeys(ledger.busy)}

    async def unsettled(self) -> list[bytes]:
        """Wait for the saves that paths were left to; those that another push has to see to.

        These are what has failed, and what was held back though this push would overwrite it.
        """
        again = []
        for path in sorted(self.superseded):
            save = self.traffic.latest_save(path)
            if save is not None and self.transport.conditional:
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

    async def _look_again(self, again: Mapping[bytes, Refusal | None], known: Known) -> Known:
        """What is known of refused paths; of the host often by the refusal itself."""
        local = {path: known.local[path] for path in again if path in known.local}
        simple = (
            refusal is not None and is_simple(refusal) and self._holds(path, known)
            for path, refusal in again.items()
        )  # fmt: skip
        if not all(simple):
            return await self.look(local, again.keys() - local.keys(), known)
        refusals = {path: refusal for path, refusal in again.items() if refusal}
        remote = {path: r.state for path, r in refusals.items() if r.state is not None}
        hashes = {path: r.hash for path, r in refusals.items() if r.hash is not None}
        readable = [file for path, file in local.items() if hashes.get(path)]
        ours = await asyncio.to_thread(hash_files, self.root, readable)
        looked = self._known(local, again.keys() - local.keys(), known, remote)
        return replace(looked, remote_hashes=hashes, local_hashes={**looked.local_hashes, **ours})

    async def look(
        self, local: Mapping[bytes, File], gone: Collection[bytes], known: Known
    ) -> Known:
        """Ask the host what is at just these paths, and at those that stand in their way."""
        gone = {*gone, *self._in_the_way(local)}
        await self.traffic.landed([*local, *gone])
        asked = self._known(local, gone, known, {})
        paths = sorted(with_parents([*local, *gone]))
        question = await asyncio.to_thread(Question.of, paths, {})
        found = await self.transport.survey(question)
        now = self._known(local, gone, known, {})
        remote = {path: state for path, state in found.items() if state is not None}
        for path in (path for path in (*local, *gone) if not self._holds(path, asked)):
            # Others have been there meanwhile: before or after it was looked at, nobody knows.
            remote.pop(path, None)
            if (record := now.written.get(path)) is not None:
                remote[path] = state_of(record)
        return replace(now, remote=remote)

    def _known(
        self,
        local: Mapping[bytes, File],
        gone: Collection[bytes],
        known: Known,
        remote: Mapping[bytes, State],
    ) -> Known:
        manifest, paths = self.traffic.manifest, {*local, *gone}
        return Known(
            local,
            {path: manifest.written[path] for path in paths if path in manifest.written},
            {path: manifest.intended[path] for path in paths if path in manifest.intended},
            remote,
            known.kept,
            {path: self.contents[path][1] for path in local if path in self.contents},
            force=known.force,
            ours=known.ours,
        )

    def _in_the_way(self, local: Mapping[bytes, File]) -> set[bytes]:
        """What igor wrote above and below files that are here: it can't be here any more."""
        manifest = self.traffic.manifest
        own = manifest.written.keys() | manifest.intended.keys()
        above = (with_parents(local) - local.keys()) & own
        return above | {path for path in own if is_below(path, local)}


async def _planned(known: Known) -> Plan:
    if len(known.local) + len(known.written) < HASTE:
        return make_plan(known)
    return await asyncio.to_thread(make_plan, known)


def _action(path: bytes, known: Known) -> str:
    return "written there" if path in known.local else "deleted"


def _is_folder(name: bytes) -> bool:
    return os.path.isdir(name) and not os.path.islink(name)
