"""The transport by rsync, sh and GNU find: for hosts without python3, or if the config says so.

rsync can't write conditionally: the host is surveyed just before, and a change made on the host in
the moment between can be overwritten. It sends copies of the local files, see `staging`.
"""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from igor_core.errors import IgorError
from igor_core.own_folder import FUNCTIONS
from igor_core.paths import HostPaths
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.push.record import Record
from igor_core.push.transfer import Refusal, Transfer
from igor_core.push.transport.base import FoundTree
from igor_core.push.transport.launcher import Launcher
from igor_core.push.transport.rsync import process as rsync_process
from igor_core.push.transport.rsync.files import delete, hashes
from igor_core.push.transport.rsync.staging import Staging, batches
from igor_core.push.transport.rsync.survey import ShellSurveyor, is_as_expected
from igor_core.push.transport.work import Delete, OnProgress, Work, Write
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.content import changed
from igor_core.worktree.files import File, with_parents

_READ = FUNCTIONS + 'at "$1" && [ -f "$2" ] && [ ! -L "$2" ] && exec head -c "$3" -- "$2"; :'


class RsyncTransport:
    """One tree on one host, reached by rsync and a few commands on the host."""

    name = "rsync"
    conditional = False
    # rsync needs a survey before each write.
    launcher: Launcher | None = None

    def __init__(self, host: RemoteHost, paths: HostPaths, root: Path) -> None:
        self._host = host
        self._paths = paths
        self._root = root
        self._surveyor = ShellSurveyor(host, paths, "")
        self._tree = ""
        self._temporary = ""

    @property
    def alive(self) -> bool:
        return self._host.state == "connected"

    @property
    def broken(self) -> str:
        return self._host.protocol_error

    async def open(self, claim: str, *, writing: bool, take_over: bool) -> FoundTree:
        found = await ShellSurveyor(
            self._host, self._paths, claim, writing=writing, take_over=take_over
        ).survey([])
        # The owner is checked again by each survey; a tree that was taken over is this clone's.
        self._surveyor = ShellSurveyor(
            self._host, self._paths, claim, writing=writing, take_over=take_over and not writing
        )
        self._tree, self._temporary = found.path, found.temporary
        return FoundTree(found.path, found.exists)

    async def survey(self, request: SurveyRequest) -> dict[bytes, State | None]:
        found = (await self._surveyor.survey(request.paths)).states
        expected = request.expected
        return {
            path: found.get(path)
            for path in request.paths
            if not is_as_expected(found.get(path), expected.get(path))
        }

    @property
    def _looking(self) -> ShellSurveyor:
        return replace(self._surveyor, writing=False, take_over=True)

    async def hashes(self, paths: Collection[bytes]) -> dict[bytes, bytes]:
        return await hashes(self._host, self._tree, paths)

    async def read(self, path: bytes, limit: int) -> bytes:
        argv = ["sh", "-c", _READ, "igor", self._tree, os.fsdecode(b"./" + path), str(limit)]
        return (await self._host.run(argv)).stdout

    async def carry_out(self, work: Work, transfer: Transfer, on_progress: OnProgress) -> None:
        await self._delete(work.delete_first, work.folders, transfer)
        writes = [item for item in work.write if transfer.take(item.path)]
        if work.delete_first:
            writes = await self._not_blocked(writes, transfer)
        if writes:
            sending = _Sending(
                host=self._host,
                root=self._root,
                tree=self._tree,
                temporary=self._temporary,
                surveyor=self._looking,
                transfer=transfer,
            )
            await sending.run(writes, on_progress)
        deletes = work.delete
        if writes and deletes:
            # Sending may have taken long: keep what has changed on the host meanwhile.
            deletes = await self._unchanged(deletes, transfer)
        await self._delete(deletes, work.folders, transfer)

    async def _delete(
        self, items: Sequence[Delete], folders: Collection[bytes], transfer: Transfer
    ) -> None:
        taken = [item.path for item in items if transfer.take(item.path)]
        if not taken:
            return
        above = with_parents(taken) & set(folders)
        left, why = await delete(self._host, self._tree, taken, above)
        for path in taken:
            if path in left:
                transfer.failed(path, why)
            else:
                transfer.deleted(path)

    async def _not_blocked(self, writes: list[Write], transfer: Transfer) -> list[Write]:
        """Refuse writes where the host still has a folder: it holds files that are not igor's."""
        states = (await self._looking.survey(item.path for item in writes)).states
        free = []
        for item in writes:
            state = states.get(item.path)
            if state is not None and state.kind == "d":
                transfer.refused(item.path, Refusal(state))
            else:
                free.append(item)
        return free

    async def _unchanged(self, deletes: Sequence[Delete], transfer: Transfer) -> list[Delete]:
        states = (await self._looking.survey(item.path for item in deletes)).states
        still = []
        for item in deletes:
            state = states.get(item.path)
            if state == item.found:
                still.append(item)
            elif transfer.take(item.path):
                transfer.refused(item.path, Refusal(state))
        return still


@dataclass(frozen=True)
class _Sending:
    """Runs of rsync, each with its intents before and its outcomes after."""

    host: RemoteHost
    root: Path
    tree: str
    temporary: str
    surveyor: ShellSurveyor
    transfer: Transfer

    async def run(self, writes: Sequence[Write], on_progress: OnProgress) -> None:
        bytes_before = files_before = 0

        def follow(done: int, rate: float, complete: int) -> None:
            on_progress(bytes_before + done, files_before + complete)

        for files in batches([item.file for item in writes]):
            await self._send(files, follow)
            bytes_before += sum(file.size for file in files)
            files_before += len(files)

    async def _send(self, files: Sequence[File], follow: rsync_process.OnProgress) -> None:
        staging = await asyncio.to_thread(Staging)
        try:
            records = await self._staged(staging, files)
            if records:
                trouble = await rsync_process.send(
                    self.host, staging.folder, self.tree, self.temporary, list(records), follow
                )
                moved = await asyncio.to_thread(changed, self.root, files)
                await self._record(records, moved, trouble)
        finally:
            await asyncio.to_thread(staging.close)

    async def _staged(self, staging: Staging, files: Sequence[File]) -> dict[bytes, Record]:
        """Copy the files, and record the intent of each copy on disk."""
        try:
            found = await asyncio.to_thread(staging.take, self.root, files)
        except OSError as error:
            raise IgorError(
                f"{staging.folder}: can't copy the files for rsync: {error.strerror}",
                "free space on that disk, or set XDG_STATE_HOME to a folder on a larger one",
            ) from None
        records = {}
        for file in files:
            read = found[file.path]
            if read.moved:
                self.transfer.moved(file.path)
            elif read.unreadable:
                self.transfer.unreadable(file.path)
            else:
                records[file.path] = Record.of(file, read.hash)
        await self.transfer.intend_all(records)
        return records

    async def _record(
        self, records: dict[bytes, Record], moved: set[bytes], trouble: str | None
    ) -> None:
        """Enter the outcomes; if rsync could not write all files, ask the host which it wrote."""
        states: Mapping[bytes, State] = {}
        contents: dict[bytes, bytes] = {}
        if trouble is not None:
            states = (await self.surveyor.survey(records)).states
            contents = await hashes(self.host, self.tree, states)
        for path, record in records.items():
            if trouble is not None:
                state = states.get(path)
                if state is None or not _is(state, contents.get(path, b""), record):
                    self.transfer.failed(path, trouble or "no reason given")
                    continue
                record = replace(record, mtime_ns=state.mtime_ns)
            if path in moved:
                self.transfer.moved(path, record)
            else:
                self.transfer.wrote(path, record)


def _is(state: State, content: bytes, record: Record) -> bool:
    return (state.kind, content, state.target) == (record.kind, record.hash, record.target)
