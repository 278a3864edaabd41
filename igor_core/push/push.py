"""Push: make a tree on a host equal to the local one, losing nothing that igor did not write."""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push import rsync
from igor_core.push.files import File, Tree, look
from igor_core.push.manifest import Manifest, Record, TreeKey
from igor_core.push.plan import HeldBack, Known, Plan, make_plan
from igor_core.push.survey import Survey, delete, hashes, survey
from igor_core.push.trees import Trees
from igor_core.ssh.host import RemoteHost

# A push that would delete more than this asks first.
MANY_DELETIONS = 50
LARGE_SHARE = 0.3
FEW = 5


@dataclass(frozen=True)
class Options:
    """`claim` names this clone; see `Plan` and the brake for the rest."""

    claim: str
    dry_run: bool = False
    force: bool = False
    take_over: bool = False
    allow_deletes: bool = False

    @property
    def mode(self) -> str:
        return "look" if self.dry_run else "take" if self.take_over else "claim"


class Reporter(Protocol):
    """Whoever wants to know how a push goes, and can be asked."""

    def progress(self, label: str, done: int, total: int, unit: str, rate: float) -> None: ...

    async def confirm(self, question: str) -> bool: ...


@dataclass
class Report:
    """What a push did, or with a dry run would do."""

    tree: str
    sent: list[File] = field(default_factory=list)
    deleted: list[bytes] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    unchanged: int = 0
    # Changed here while they were sent: another push is due.
    moving: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.sent)


def claim_of(root: Path) -> str:
    """How this clone names itself to a host: who, where."""
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}:{root}"


def key_of(host: RemoteHost, tree: str) -> TreeKey:
    address, port, user = host.endpoint
    return TreeKey(address, port, user, tree)


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
    # The first look learns the real path, by which the manifest is found.
    first = await survey(host, paths, tree.files, options.claim, options.mode)
    key = key_of(host, first.path)
    trees.remember(host.name, paths.tree, key)
    async with trees.hold(key) as manifest:
        known_paths = {*manifest.written, *manifest.intended}
        if known_paths <= set(tree.files):
            found = first
        else:
            found = await survey(
                host, paths, known_paths | set(tree.files), options.claim, options.mode
            )
        plan = await _settled_plan(host, found, tree, manifest, options)
        report = Report(first.path, plan.send, plan.delete_first + plan.delete, plan.held_back,
                        plan.unchanged)  # fmt: skip
        if not options.dry_run:
            await _brake(host, plan, manifest, options, reporter)
            await _carry_out(host, paths, tree, manifest, plan, report, options, reporter)
            manifest.tell("pushed", str(time.time()))
            manifest.tell("held_back", _lines(report.held_back))
        return report


async def _settled_plan(
    host: RemoteHost, found: Survey, tree: Tree, manifest: Manifest, options: Options
) -> Plan:
    """The plan, with hashes of just those files that size and time leave undecided."""
    known = Known(tree.files, manifest.written, manifest.intended, found.states,
                  force=options.force)  # fmt: skip
    plan = make_plan(known)
    if plan.undecided:
        here = [tree.files[path] for path in plan.undecided if path in tree.files]
        theirs = await hashes(host, found.path, plan.undecided)
        ours = await asyncio.to_thread(hash_files, tree.root, here)
        unreadable = {path: b"" for path in plan.undecided if path not in theirs}
        known = replace(known, local_hashes=ours, remote_hashes={**theirs, **unreadable})
        plan = make_plan(known)
    return plan


async def _brake(
    host: RemoteHost, plan: Plan, manifest: Manifest, options: Options, reporter: Reporter
) -> None:
    count, of = plan.deletions, len(manifest.written)
    many = count > MANY_DELETIONS or (count > FEW and count > LARGE_SHARE * of)
    if not many or options.allow_deletes:
        return
    question = f"delete {count} of the {of} files that igor pushed to {host.name}?"
    if not await reporter.confirm(question):
        raise HostError(
            f"{host.name}: this push would delete {count} of the {of} files pushed before; "
            "nothing was done",
            "look at them: igor push --dry-run; then: igor push --allow-deletes",
        )


async def _carry_out(
    host: RemoteHost,
    paths: HostPaths,
    tree: Tree,
    manifest: Manifest,
    plan: Plan,
    report: Report,
    options: Options,
    reporter: Reporter,
) -> None:
    manifest.wrote(plan.take_over)
    manifest.forget(plan.forget)
    if plan.delete_first:
        await _delete(host, report.tree, manifest, plan.delete_first)
        await _hold_back_blocked(host, paths, plan, report, options)
    if plan.send:
        await _send(host, paths, tree, manifest, report, options, reporter)
    if plan.delete:
        await _delete(host, report.tree, manifest, plan.delete)


async def _delete(host: RemoteHost, tree: str, manifest: Manifest, files: list[bytes]) -> None:
    await delete(host, tree, files)
    manifest.forget(files)


async def _hold_back_blocked(
    host: RemoteHost, paths: HostPaths, plan: Plan, report: Report, options: Options
) -> None:
    """A folder that was to give way to a file may hold more than igor's: then it stays."""
    found = await survey(host, paths, [file.path for file in plan.send], options.claim, "look")
    blocked = {
        file.path
        for file in plan.send
        if (state := found.states.get(file.path)) is not None and state.kind == "d"
    }
    reason = "a folder on the host that holds files of others"
    report.held_back = [*plan.held_back, *(HeldBack(path, reason) for path in sorted(blocked))]
    plan.send = report.sent = [file for file in plan.send if file.path not in blocked]


async def _send(
    host: RemoteHost,
    paths: HostPaths,
    tree: Tree,
    manifest: Manifest,
    report: Report,
    options: Options,
    reporter: Reporter,
) -> None:
    contents = await asyncio.to_thread(hash_files, tree.root, report.sent)
    records = {file.path: Record.of(file, contents.get(file.path, b"")) for file in report.sent}
    await asyncio.to_thread(manifest.intend, records)
    total = report.size

    def on_progress(done: int, rate: float) -> None:
        reporter.progress("push", min(done, total), total, "bytes", rate)

    complete = await rsync.send(
        host, tree.root, report.tree, paths.temporary, list(records), on_progress
    )
    report.moving = await asyncio.to_thread(_changed, tree.root, report.sent)
    doubtful = list(records) if not complete else report.moving
    arrived = {path: record for path, record in records.items() if path not in set(doubtful)}
    await asyncio.to_thread(manifest.wrote, arrived)
    if doubtful:
        manifest.wrote(await _as_found(host, paths, report.tree, records, doubtful, options))


async def _as_found(
    host: RemoteHost,
    paths: HostPaths,
    tree: str,
    records: Mapping[bytes, Record],
    doubtful: Iterable[bytes],
    options: Options,
) -> dict[bytes, Record]:
    """Records of what rsync has really written where a file changed under its hands."""
    doubtful = list(doubtful)
    there = await survey(host, paths, doubtful, options.claim, "look")
    contents = await hashes(host, tree, doubtful)
    found = {}
    for path in doubtful:
        state, sent = there.states.get(path), records[path]
        if state is None or state.kind != sent.kind:
            continue
        same = sent.hash == contents.get(path, b"") and sent.target == state.target
        found[path] = Record(
            state.kind, state.size, state.mtime_ns, state.mode, contents.get(path, b""),
            state.target, sent.local_mtime_ns if same else -1,
        )  # fmt: skip
    return found


def hash_files(root: Path, files: Iterable[File]) -> dict[bytes, bytes]:
    """sha256 of each regular file's content; those that can't be read are left out. Blocks."""
    found = {}
    for file in files:
        if file.kind != "f":
            continue
        try:
            with open(os.path.join(os.fsencode(root), file.path), "rb") as stream:
                found[file.path] = _digest(stream.read)
        except OSError:
            continue
    return found


def _digest(read: Callable[[int], bytes]) -> bytes:
    digest = hashlib.sha256()
    while chunk := read(1 << 20):
        digest.update(chunk)
    return digest.digest()


def _changed(root: Path, files: Iterable[File]) -> list[bytes]:
    return [file.path for file in files if look(root, file.path) != file]


def _lines(held_back: Iterable[HeldBack]) -> str:
    return "\n".join(item.path.decode("utf-8", "backslashreplace") for item in held_back)
