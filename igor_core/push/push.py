"""Push: make a tree on a host equal to the local one, losing nothing that igor did not write."""

import asyncio
import getpass
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push import rsync
from igor_core.push.content import changed, hash_files
from igor_core.push.files import Tree, shown, with_parents
from igor_core.push.manifest import Manifest, Record, TreeKey
from igor_core.push.plan import HeldBack, Known, Plan, make_plan
from igor_core.push.report import Options, Report, Reporter
from igor_core.push.survey import Asker, State, Survey, delete, hashes
from igor_core.push.trees import Trees
from igor_core.ssh.host import RemoteHost

__all__ = ["Options", "Report", "Reporter", "claim_of", "key_of", "push"]

# A push that would delete more than this asks first.
MANY_DELETIONS = 50
LARGE_SHARE = 0.3
FEW = 5


def claim_of(root: Path) -> str:
    """How this clone names itself to a host: who, where."""
    return shown(
        f"{getpass.getuser()}@{socket.gethostname()}:{root}".encode(errors="surrogateescape")
    )


def key_of(host: RemoteHost, tree: str) -> TreeKey:
    where, port, user = host.endpoint
    return TreeKey(where, port, user, tree)


async def push(
    host: RemoteHost,
    paths: HostPaths,
    tree: Tree,
    trees: Trees,
    options: Options,
    reporter: Reporter,
) -> Report:
    """Bring the host's tree to the state of `tree`. Raises HostError.

    Intent before sending, deletes only of what igor wrote and nobody changed, and a record of
    what has arrived: interrupted anywhere, the next push finds its own files again.
    """
    asker = Asker(host, paths, options.claim, not options.dry_run, options.take_over)
    # The manifest is found by the real path, which the first look learns; mostly it is known.
    before = trees.pushed(host.name, paths.tree)
    asked, changes = _of_interest(tree, before), before.changes if before else 0
    found = await asker.survey(asked)
    key = key_of(host, found.path)
    trees.remember(host.name, paths.tree, key)
    waited = trees.is_held(key)
    async with trees.hold(key) as manifest:
        if trees.is_outdated(key, tree):
            # It would delete there what was made here since.
            return Report(found.path, outdated=True)
        missing = _of_interest(tree, manifest) - asked
        if waited or manifest.changes != changes:
            found = await asker.survey(_of_interest(tree, manifest))
        elif missing:
            found = found.with_more(await asker.looking.survey(missing))
        if not options.dry_run:
            trees.pushing(key, tree)
        return await _Push(host, asker, tree, manifest, options, reporter, found).run()


def _of_interest(tree: Tree, manifest: Manifest | None) -> set[bytes]:
    known = [*manifest.written, *manifest.intended] if manifest else []
    return {*tree.files, *known}


@dataclass
class _Push:
    """One push to a tree that it holds, from what was found there to the end."""

    host: RemoteHost
    asker: Asker
    tree: Tree
    manifest: Manifest
    options: Options
    reporter: Reporter
    found: Survey

    async def run(self) -> Report:
        plan = await self._settled_plan()
        report = Report(
            self.found.path, plan.send, plan.delete_first + plan.delete, plan.held_back,
            plan.unchanged,
        )  # fmt: skip
        if not self.options.dry_run:
            await self._brake(plan)
            await self._carry_out(plan, report)
            held_back = "\n".join(shown(item.path) for item in report.held_back)
            notes = {"pushed": str(time.time()), "held_back": held_back}
            await asyncio.to_thread(self.manifest.tell, notes)
        return report

    async def _settled_plan(self) -> Plan:
        """The plan, with hashes of just those files that size and time leave undecided."""
        files, manifest = self.tree.files, self.manifest
        others = {*manifest.written, *manifest.intended} - set(files)
        kept = frozenset(path for path in others if not self.tree.is_gone(path))
        known = Known(
            files, manifest.written, manifest.intended, self.found.states, kept,
            force=self.options.force,
        )  # fmt: skip
        plan = await asyncio.to_thread(make_plan, known)
        if plan.undecided:
            here = [files[path] for path in plan.undecided if path in files]
            theirs = await hashes(self.host, self.found.path, plan.undecided)
            ours = await asyncio.to_thread(hash_files, self.tree.root, here)
            unreadable = dict.fromkeys(plan.undecided, b"")
            known = replace(known, local_hashes=ours, remote_hashes={**unreadable, **theirs})
            plan = await asyncio.to_thread(make_plan, known)
        return plan

    async def _brake(self, plan: Plan) -> None:
        count, of = plan.deletions, len(self.manifest.written)
        many = count > MANY_DELETIONS or (count > FEW and count > LARGE_SHARE * of)
        if not many or self.options.allow_deletes:
            return
        name = self.host.name
        question = f"delete {count} of the {of} files that igor pushed to {name}?"
        if not await self.reporter.confirm(question):
            raise HostError(
                f"{name}: this push would delete {count} of the {of} files pushed before; "
                "nothing was done",
                "look at them: igor push --dry-run; then: igor push --allow-deletes",
            )

    async def _carry_out(self, plan: Plan, report: Report) -> None:
        await asyncio.to_thread(self.manifest.wrote, plan.take_over)
        await asyncio.to_thread(self.manifest.forget, plan.forget)
        if plan.delete_first:
            await self._delete(plan.delete_first, report)
            await self._hold_back_blocked(report)
        if report.sent:
            await self._send(report)
        if plan.delete:
            # Sending may have taken long: what has changed there meanwhile stays.
            still = await self._unchanged_there(plan.delete, report) if plan.send else plan.delete
            await self._delete(still, report)

    async def _delete(self, paths: list[bytes], report: Report) -> None:
        folders = await asyncio.to_thread(self._gone_folders, paths)
        left, why = await delete(self.host, report.tree, paths, folders)
        await asyncio.to_thread(self.manifest.forget, [path for path in paths if path not in left])
        report.hold_back([HeldBack(path, f"can't be deleted: {why}") for path in sorted(left)])

    def _gone_folders(self, paths: list[bytes]) -> list[bytes]:
        """The folders above that are gone here too: an empty one may be there for a program."""
        root = os.fsencode(self.tree.root)
        above = with_parents(paths) - set(paths)
        return [path for path in above if not _is_folder(os.path.join(root, path))]

    async def _hold_back_blocked(self, report: Report) -> None:
        """A folder that was to give way to a file may hold more than igor's: then it stays."""
        states = (await self.asker.looking.survey(file.path for file in report.sent)).states
        reason = "a folder on the host that holds files of others"
        report.hold_back(
            [
                HeldBack(file.path, reason)
                for file in report.sent
                if (state := states.get(file.path)) is not None and state.kind == "d"
            ]
        )

    async def _unchanged_there(self, paths: list[bytes], report: Report) -> list[bytes]:
        states = (await self.asker.looking.survey(paths)).states
        touched = {path for path in paths if states.get(path) != self.found.states.get(path)}
        reason = "deleted here, but changed on the host"
        report.hold_back([HeldBack(path, reason, True) for path in sorted(touched)])
        return [path for path in paths if path not in touched]

    async def _send(self, report: Report) -> None:
        records = await self._intended(report)
        if not records:
            return
        total = report.size

        def on_progress(done: int, rate: float, files: int) -> None:
            label = f"push, {files} of {len(records)} files"
            self.reporter.progress(label, min(done, total), total, "bytes", rate)

        trouble = await rsync.send(
            self.host, self.tree.root, report.tree, self.found.temporary, list(records), on_progress
        )
        report.moving = await asyncio.to_thread(changed, self.tree.root, report.sent)
        doubtful = list(records) if trouble is not None else report.moving
        arrived = {path: records[path] for path in records.keys() - set(doubtful)}
        await asyncio.to_thread(self.manifest.wrote, arrived)
        if doubtful:
            await self._record_as_found(report, records, doubtful, trouble or "no reason given")

    async def _intended(self, report: Report) -> dict[bytes, Record]:
        """Records of what is to be sent, on disk before it is. What can't be read is held back."""
        contents = await asyncio.to_thread(hash_files, self.tree.root, report.sent)
        lost = [file for file in report.sent if file.kind == "f" and file.path not in contents]
        vanished = set(await asyncio.to_thread(changed, self.tree.root, lost))
        unreadable = [file.path for file in lost if file.path not in vanished]
        report.hold_back([HeldBack(path, "can't be read here") for path in unreadable])
        records = {file.path: Record.of(file, contents.get(file.path, b"")) for file in report.sent}
        await asyncio.to_thread(self.manifest.intend, records)
        return records

    async def _record_as_found(
        self, report: Report, records: Mapping[bytes, Record], doubtful: list[bytes], trouble: str
    ) -> None:
        """Record what rsync has really written where files changed under its hands or failed."""
        states = (await self.asker.looking.survey(doubtful)).states
        contents = await hashes(self.host, report.tree, doubtful)
        moving, arrived, failed = set(report.moving), {}, []
        for path in doubtful:
            state, sent, content = states.get(path), records[path], contents.get(path, b"")
            if state is not None and _is(state, content, sent):
                arrived[path] = replace(sent, mtime_ns=state.mtime_ns)
            elif path not in moving:
                failed.append(HeldBack(path, f"can't be written there: {trouble}"))
            elif state is not None and state != self.found.states.get(path):
                # Neither what was to be sent nor what was there: a state in between.
                arrived[path] = Record(
                    state.kind, state.size, state.mtime_ns, state.mode, content, state.target, -1
                )
        await asyncio.to_thread(self.manifest.wrote, arrived)
        report.hold_back(failed)


def _is(state: State, content: bytes, record: Record) -> bool:
    return (state.kind, content, state.target) == (record.kind, record.hash, record.target)


def _is_folder(name: bytes) -> bool:
    return os.path.isdir(name) and not os.path.islink(name)
