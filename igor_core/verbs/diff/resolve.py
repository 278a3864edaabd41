"""Settling a difference: the laptop's version wins on the host, or the host's version here."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Collection, Sequence
from typing import BinaryIO

from igor_core.directories import state_directory
from igor_core.errors import HostError, IgorError, UsageError
from igor_core.events import Outcome
from igor_core.push.plan import Change
from igor_core.push.record import Record
from igor_core.shapes import words
from igor_core.ssh.process import Command
from igor_core.verbs.diff.compare import Comparison, Pair, compare, identity
from igor_core.verbs.diff.replace import Backup, Replacement
from igor_core.verbs.diff.replace import replace as replace_here
from igor_core.verbs.diff.side import MOST_TAKEN, Side
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import flag, list_argument
from igor_core.verbs.steps.targets import Done, Target, each
from igor_core.worktree.files import shown
from igor_core.worktree.local_tree import LocalTree

TROUBLE = 2
# A larger file is read while it is sent.
HELD_BYTES = 8 << 20
NAMED = 5
MOST_SAID = 4000


async def ours(targets: Sequence[Target], context: Context, local: LocalTree) -> Outcome:
    """On each host the local version takes the place of the version that the person saw."""

    async def on(target: Target) -> Done:
        looked = await compare(target, context, local)
        pairs = await looked.pairs()
        if not pairs:
            return _nothing(looked)
        if not await _consent(target, f"overwrite on {target.name} by the local version", pairs):
            raise HostError(f"{target.name}: left as it is")
        refused = _refused_there(looked, pairs)
        settled = [pair for pair in pairs if pair.path not in refused]
        refused |= await _push_over(looked, settled, context)
        return _done(looked, pairs, refused, "there now as here")

    return await each(targets, on, failure=TROUBLE)


async def theirs(targets: Sequence[Target], context: Context, local: LocalTree) -> Outcome:
    """The host's version takes the place of the local one, which is kept elsewhere."""

    async def look(target: Target) -> tuple[Comparison, list[Pair]]:
        looked = await compare(target, context, local)
        return looked, await looked.pairs()

    looks = [asyncio.ensure_future(look(target)) for target in targets]
    answers = await asyncio.gather(*looks, return_exceptions=True)
    found = [answer for answer in answers if not isinstance(answer, BaseException)]
    _one_version_each(found)
    pairs = [pair for _looked, some in found for pair in some]
    offered = {pair.path for pair in pairs if pair.there.exists}
    if pairs and not await _consent(targets[0], "replace here by the host's version", pairs):
        return Outcome(TROUBLE, "left as it is")
    taken: set[bytes] = set()
    replacing = asyncio.Lock()

    async def on(target: Target) -> Done:
        looked, every = await looks[targets.index(target)]
        # A host that has none gets it by the next push.
        pairs = [pair for pair in every if pair.there.exists or pair.path not in offered]
        if not pairs:
            return _nothing(looked)
        refused = _refused_here(looked, pairs)
        async with replacing:
            mine = [p for p in pairs if p.path not in refused and p.path not in taken]
            refused |= await _replace(looked, mine)
            taken.update(pair.path for pair in mine if pair.path not in refused)
        await local.reconcile()
        belong = [p for p in pairs if p.path not in refused and local.file(p.path)]
        refused |= await _push_over(looked, belong, context)
        return _done(looked, pairs, refused, "here now as there")

    return await each(targets, on, failure=TROUBLE)


async def _consent(target: Target, what: str, pairs: Sequence[Pair]) -> bool:
    """Who names the paths has said yes. UsageError where nobody is there to ask."""
    job = target.job
    if list_argument(job, "paths") or flag(job, "yes"):
        return True
    if not job.answers:
        raise UsageError(
            f"diff: nobody is there to be asked whether to {what}: {_named(pairs)}",
            "name the paths, or: --yes",
        )
    answer = await job.ask("", f"{what}: {_named(pairs)}? [y/N] ", True)
    return (answer or "").strip().lower() in ("y", "yes")


def _one_version_each(found: Sequence[tuple[Comparison, list[Pair]]]) -> None:
    """UsageError where two hosts have different versions of one path."""
    versions: dict[bytes, dict[str, str]] = {}
    for looked, pairs in found:
        for pair in pairs:
            if pair.there.exists:
                hosts = versions.setdefault(pair.path, {})
                hosts.setdefault(identity(pair.there), looked.target.name)
    for path, hosts in versions.items():
        if len(hosts) > 1:
            raise UsageError(
                f"diff: {shown(path)} differs on {' and '.join(hosts.values())} too: whose "
                "version shall replace the local one?",
                f"say so, for example: --host {next(iter(hosts.values()))}",
            )


Refused = dict[bytes, str]


def _refused_there(looked: Comparison, pairs: Sequence[Pair]) -> Refused:
    """What must not be overwritten on the host, and why."""
    refused, seen = {}, looked.seen()
    for pair in pairs:
        there = pair.there
        if pair.obstacle:
            refused[pair.path] = f"{shown(pair.obstacle)} is not a folder there; move it away"
        elif there.exists and there.kind not in ("f", "l"):
            refused[pair.path] = "neither a file nor a link there; move it away"
        elif there.kind == "f" and not there.hash:
            refused[pair.path] = "can't be read there"
        elif not pair.here.exists and not pair.why:
            refused[pair.path] = "not here, and igor has never pushed it; delete it there yourself"
        elif seen.get(pair.path, (identity(there),))[0] != identity(there):
            refused[pair.path] = "changed there again since you looked; look again: igor diff"
    return refused


def _refused_here(looked: Comparison, pairs: Sequence[Pair]) -> Refused:
    """What can't replace the local version, or must not, and why."""
    refused, seen = {}, looked.seen()
    for pair in pairs:
        there, here = pair.there, pair.here
        if not there.exists:
            refused[pair.path] = "there is none there"
        elif there.kind not in ("f", "l"):
            refused[pair.path] = "neither a file nor a link there"
        elif there.kind == "f" and not there.hash:
            refused[pair.path] = "can't be read there"
        elif there.kind == "f" and there.size > MOST_TAKEN:
            refused[pair.path] = f"larger than {MOST_TAKEN >> 30} GB there; fetch it yourself"
        elif here.kind not in ("", "f", "l"):
            refused[pair.path] = "neither a file nor a link here; move it away"
        elif seen.get(pair.path, ("", identity(here)))[1] != identity(here):
            refused[pair.path] = "changed here since you looked; look again: igor diff"
    return refused


def _record(side: Side) -> Record:
    """The host's version as if igor had written it: a push overwrites just this one."""
    return Record(side.kind, side.size, side.mtime_ns, side.mode, side.hash, side.target, -1)


async def _replace(looked: Comparison, pairs: Sequence[Pair]) -> Refused:
    """Bring the host's versions here."""
    if not pairs:
        return {}
    refused = {}
    root, target = looked.target.project.root, looked.target
    keeper = await asyncio.to_thread(Backup.of, target.project.name)
    for pair in pairs:
        with tempfile.TemporaryFile(dir=state_directory()) as file:
            try:
                source = await _fetched(looked, pair, file) if pair.there.kind == "f" else None
                new = Replacement(pair.there, source)
                kept = await asyncio.to_thread(
                    replace_here, root, pair.path, pair.here, new, keeper
                )
            except IgorError as error:
                refused[pair.path] = error.message
                continue
        if kept is not None:
            target.step(f"{shown(pair.path)}: the local version is kept in {kept}")
    await asyncio.to_thread(keeper.close)
    return refused


async def _fetched(looked: Comparison, pair: Pair, file: BinaryIO) -> BinaryIO:
    """The host's file as it was looked at, in `file`. Raises HostError."""
    # One byte more tells that it has grown since.
    path = f"{looked.tree}/{os.fsdecode(pair.path)}"
    command = Command(["head", "-c", str(pair.there.size + 1), "--", path])
    digest, said, left = hashlib.sha256(), b"", pair.there.size
    async with looked.target.remote.process(command) as process:
        while (item := await process.read()) is not None:
            stream, data = item
            if stream == "stdout":
                left -= len(data)
                if left < 0:
                    raise HostError("it is larger there than when it was looked at")
                digest.update(data)
                await asyncio.to_thread(file.write, data)
            else:
                said = (said + data)[-MOST_SAID:]
    if process.status != 0:
        reason = process.error or said.decode("utf-8", "replace").strip().rpartition(": ")[2]
        raise HostError(words(reason) or "it can't be read there")
    if digest.digest() != pair.there.hash:
        raise HostError("it changed there while it was read")
    return file


async def _push_over(looked: Comparison, pairs: Sequence[Pair], context: Context) -> Refused:
    """Push just these paths; what the host still holds back, or igor doesn't push, and why.

    What was seen there counts as igor's own from now on, so that a push overwrites just that.
    """
    refused: Refused = {}
    changes = []
    for pair in pairs:
        change = await asyncio.to_thread(_change, looked.local, pair.path)
        if isinstance(change, Change):
            changes.append(change)
        else:
            refused[pair.path] = change
    if not changes:
        return refused
    pushed = [pair for pair in pairs if pair.path not in refused]
    looked.manifest.wrote({p.path: _record(p.there) for p in pushed if p.there.exists})
    report = await looked.there.send(changes)
    refused |= dict.fromkeys(report.moving, "changes here again and again")
    refused |= {item.path: item.reason for item in report.held_back}
    _note(looked, context, {pair.path for pair in pushed} - refused.keys())
    return refused


def _change(local: LocalTree, path: bytes) -> Change | str:
    """The path as it is here now, or why it can't be pushed."""
    try:
        found = local.read(path, HELD_BYTES)
    except OSError as error:
        return f"can't be read here: {error.strerror}"
    if found is None:
        return Change(path, None)
    if local.file(path) is None:
        return "igor doesn't push it: git or a pattern ignores it"
    return Change(path, found.file, found.content, found.hash)


def _note(looked: Comparison, context: Context, settled: Collection[bytes]) -> None:
    """These are no longer held back, which the statusline shows without a whole push."""
    target = looked.target
    fresh = context.clones.host_sync(target.project, target.entry)
    for path in settled:
        fresh.backlog.held_back.pop(path, None)
    fresh.on_change()


def _nothing(looked: Comparison) -> Done:
    return Done("no difference" if looked.paths else "nothing is held back")


def _done(looked: Comparison, pairs: Sequence[Pair], refused: Refused, what: str) -> Done:
    settled = [pair for pair in pairs if pair.path not in refused]
    if not refused:
        return Done(f"{what}: {_named(settled)}")
    reasons = "; ".join(f"{shown(path)}: {why}" for path, why in list(refused.items())[:NAMED])
    more = f" and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
    done = f"{what}: {_named(settled)}; " if settled else ""
    raise HostError(f"{done}left as it is: {reasons}{more}")


def _named(pairs: Sequence[Pair]) -> str:
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    return ", ".join(shown(pair.path) for pair in pairs[:NAMED]) + more
