"""The transport for hosts without python3, and for whoever asks for it: rsync, sh and GNU find.

rsync can't write conditionally: what is there is looked at just before, and a change made on the
host in the moment between can be overwritten. It sends copies, see `staging`.
"""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from igor_core.errors import IgorError
from igor_core.own_folder import FUNCTIONS
from igor_core.paths import HostPaths
from igor_core.push.channel.question import Question
from igor_core.push.channel.state import State
from igor_core.push.in_flight import Refusal, Transfer
from igor_core.push.manifest import Record
from igor_core.push.transport import rsync_process
from igor_core.push.transport.base import Delete, Found, OnProgress, Work, Write
from igor_core.push.transport.shell_survey import Asker, delete, hashes, is_as_expected
from igor_core.push.transport.staging import Staging, batches
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.content import changed
from igor_core.worktree.files import File, with_parents

_READ = FUNCTIONS + 'at "$1" && [ -f "$2" ] && [ ! -L "$2" ] && exec head -c "$3" -- "$2"; :'


class ByRsync:
    """One tree on one host, by a few commands there and rsync."""

    name = "rsync"
    conditional = False

    def __init__(self, host: RemoteHost, paths: HostPaths, root: Path) -> None:
        self._host = host
        self._paths = paths
        self._root = root
        self._asker = Asker(host, paths, "")
        self._tree = ""
        self._temporary = ""

    @property
    def alive(self) -> bool:
        return self._host.state == "connected"

    @property
    def broken(self) -> str:
        return self._host.protocol_error

    async def open(self, claim: str, *, writing: bool, taking: bool) -> Found:
        found = await Asker(self._host, self._paths, claim, writing, taking).survey([])
        # Whose it is, is asked each time anew; what was taken over is ours.
        self._asker = Asker(self._host, self._paths, claim, writing, taking and not writing)
        self._tree, self._temporary = found.path, found.temporary
        return Found(found.path, found.exists)

    async def survey(self, question: Question) -> dict[bytes, State | None]:
        found = (await self._asker.survey(question.paths)).states
        expected = question.expected
        return {
            path: found.get(path)
            for path in question.paths
            if not is_as_expected(found.get(path), expected.get(path))
        }

    @property
    def _looking(self) -> Asker:
        return replace(self._asker, writing=False, taking=True)

    async def hashes(self, paths: Collection[bytes]) -> dict[bytes, bytes]:
        return await hashes(self._host, self._tree, paths)

    async def read(self, path: bytes, limit: int) -> bytes:
        argv = ["sh", "-c", _READ, "igor", self._tree, os.fsdecode(b"./" + path), str(limit)]
        return (await self._host.run(argv)).stdout

    async def carry_out(self, work: Work, ledger: Transfer, on_progress: OnProgress) -> None:
        await self._delete(work.delete_first, work.folders, ledger)
        writes = [item for item in work.write if ledger.take(item.path)]
        if work.delete_first:
            writes = await self._not_blocked(writes, ledger)
        if writes:
            sending = _Sending(
                self._host, self._root, self._tree, self._temporary, self._looking, ledger
            )
            await sending.run(writes, on_progress)
        deletes = work.delete
        if writes and deletes:
            # Sending may have taken long: what has changed there meanwhile stays.
            deletes = await self._unchanged(deletes, ledger)
        await self._delete(deletes, work.folders, ledger)

    async def _delete(
        self, items: Sequence[Delete], folders: Collection[bytes], ledger: Transfer
    ) -> None:
        taken = [item.path for item in items if ledger.take(item.path)]
        if not taken:
            return
        above = with_parents(taken) & set(folders)
        left, why = await delete(self._host, self._tree, taken, above)
        for path in taken:
            if path in left:
                ledger.failed(path, why)
            else:
                ledger.deleted(path)

    async def _not_blocked(self, writes: list[Write], ledger: Transfer) -> list[Write]:
        """A folder that was to give way to a file may hold more than igor's: then it stays."""
        states = (await self._looking.survey(item.path for item in writes)).states
        free = []
        for item in writes:
            state = states.get(item.path)
            if state is not None and state.kind == "d":
                ledger.refused(item.path, Refusal(state))
            else:
                free.append(item)
        return free

    async def _unchanged(self, deletes: Sequence[Delete], ledger: Transfer) -> list[Delete]:
        states = (await self._looking.survey(item.path for item in deletes)).states
        still = []
        for item in deletes:
            state = states.get(item.path)
            if state == item.found:
                still.append(item)
            elif ledger.take(item.path):
                ledger.refused(item.path, Refusal(state))
        return still


@dataclass(frozen=True)
class _Sending:
    """Runs of rsync, each from the intents before it to what it has brought about."""

    host: RemoteHost
    root: Path
    tree: str
    temporary: str
    asker: Asker
    ledger: Transfer

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
        """Records of what is to be sent, on disk before it is."""
        try:
            found = await asyncio.to_thread(staging.take, self.root, files)
        except OSError as error:
            raise IgorError(
                f"{staging.folder}: what rsync is to send can't be copied: {error.strerror}",
                "make room there, or set XDG_STATE_HOME to a folder on a larger disk",
            ) from None
        records = {}
        for file in files:
            read = found[file.path]
            if read.moved:
                self.ledger.moved(file.path)
            elif read.unreadable:
                self.ledger.unreadable(file.path)
            else:
                records[file.path] = Record.of(file, read.hash)
        await self.ledger.intend_all(records)
        return records

    async def _record(
        self, records: dict[bytes, Record], moved: set[bytes], trouble: str | None
    ) -> None:
        """Where rsync could not write all of them, the host is the truth."""
        states: Mapping[bytes, State] = {}
        contents: dict[bytes, bytes] = {}
        if trouble is not None:
            states = (await self.asker.survey(records)).states
            contents = await hashes(self.host, self.tree, states)
        for path, record in records.items():
            if trouble is not None:
                state = states.get(path)
                if state is None or not _is(state, contents.get(path, b""), record):
                    self.ledger.failed(path, trouble or "no reason given")
                    continue
                record = replace(record, mtime_ns=state.mtime_ns)
            if path in moved:
                self.ledger.moved(path, record)
            else:
                self.ledger.wrote(path, record)


def _is(state: State, content: bytes, record: Record) -> bool:
    return (state.kind, content, state.target) == (record.kind, record.hash, record.target)
