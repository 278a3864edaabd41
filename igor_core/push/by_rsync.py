"""The transport for hosts without python3, and for whoever asks for it: rsync, sh and GNU find.

rsync can't write conditionally: what is there is looked at just before, and a change made on the
host in the moment between can be overwritten.
"""

import asyncio
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from igor_core.local.content import changed, hash_files
from igor_core.local.files import File, look, with_parents
from igor_core.paths import HostPaths
from igor_core.push import rsync
from igor_core.push.ledger import Ledger, Refusal
from igor_core.push.manifest import Record
from igor_core.push.survey import Asker, delete, hashes, is_as_expected
from igor_core.push.transport import Delete, Found, OnProgress, Work, Write
from igor_core.receiver.question import Question
from igor_core.receiver.state import State
from igor_core.ssh.host import RemoteHost

_READ = 'cd -- "$1" && [ -f "$2" ] && [ ! -L "$2" ] && exec head -c "$3" -- "$2"; :'


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

    async def carry_out(self, work: Work, ledger: Ledger, on_progress: OnProgress) -> None:
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
        self, items: Sequence[Delete], folders: Collection[bytes], ledger: Ledger
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

    async def _not_blocked(self, writes: list[Write], ledger: Ledger) -> list[Write]:
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

    async def _unchanged(self, deletes: Sequence[Delete], ledger: Ledger) -> list[Delete]:
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
    """One run of rsync, from the intents before it to what it has brought about."""

    host: RemoteHost
    root: Path
    tree: str
    temporary: str
    asker: Asker
    ledger: Ledger

    async def run(self, writes: Sequence[Write], on_progress: OnProgress) -> None:
        files = [item.file for item in writes]
        records = await self._intended(files)
        if not records:
            return

        def follow(done: int, rate: float, complete: int) -> None:
            on_progress(done, complete)

        trouble = await rsync.send(
            self.host, self.root, self.tree, self.temporary, list(records), follow
        )
        sent = [file for file in files if file.path in records]
        moved = await asyncio.to_thread(changed, self.root, sent)
        doubtful = set(records) if trouble is not None else set(moved)
        for path in records.keys() - doubtful:
            self.ledger.wrote(path, records[path])
        if doubtful:
            before = {item.path: item for item in writes}
            doubted = {path: before[path] for path in doubtful}
            await self._record_as_found(doubted, records, set(moved), trouble or "no reason given")

    async def _intended(self, files: Sequence[File]) -> dict[bytes, Record]:
        """Records of what is to be sent, on disk before it is."""
        contents = await asyncio.to_thread(hash_files, self.root, files)
        records = {}
        for file in files:
            if file.kind == "f" and file.path not in contents:
                if _is_as_seen(self.root, file):
                    self.ledger.unreadable(file.path)
                else:
                    self.ledger.moved(file.path)
            else:
                records[file.path] = Record.of(file, contents.get(file.path, b""))
        await self.ledger.intend_all(records)
        return records

    async def _record_as_found(
        self,
        doubtful: dict[bytes, Write],
        records: dict[bytes, Record],
        moved: set[bytes],
        trouble: str,
    ) -> None:
        """Some changed here while they were sent, or can't be written: the host is the truth."""
        states = (await self.asker.survey(doubtful)).states
        contents = await hashes(self.host, self.tree, states)
        for path, item in doubtful.items():
            state, sent, content = states.get(path), records[path], contents.get(path, b"")
            if state is not None and _is(state, content, sent):
                found = replace(sent, mtime_ns=state.mtime_ns)
                if path in moved:
                    self.ledger.moved(path, found)
                else:
                    self.ledger.wrote(path, found)
            elif path not in moved:
                self.ledger.failed(path, trouble)
            elif state is not None and not _was_there(state, item):
                # Neither what was to be sent nor what was there: a state in between.
                between = Record(
                    state.kind, state.size, state.mtime_ns, state.mode, content, state.target, -1
                )
                self.ledger.moved(path, between)
            else:
                self.ledger.moved(path)


def _is(state: State, content: bytes, record: Record) -> bool:
    return (state.kind, content, state.target) == (record.kind, record.hash, record.target)


def _was_there(state: State, item: Write) -> bool:
    return any(
        (version.size, version.mtime_ns) == (state.size, state.mtime_ns)
        for version in item.expect.versions
    )


def _is_as_seen(root: Path, file: File) -> bool:
    try:
        return look(root, file.path) == file
    except OSError:
        return False
