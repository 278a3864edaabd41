"""Settling differences: the local version replaces the host's, or the host's the local one."""

import asyncio
import tempfile
from collections.abc import Collection, Sequence

from igor_core.directories import state_directory
from igor_core.errors import HostError, IgorError, UsageError
from igor_core.events import Outcome
from igor_core.push.plan import Change
from igor_core.push.record import Record
from igor_core.verbs.diff.compare import Comparison, Pair, compare, identity
from igor_core.verbs.diff.fetch import fetch
from igor_core.verbs.diff.refusals import Refusals, refused_locally, refused_on_host
from igor_core.verbs.diff.replace_local import Backup, Replacement, replace_local
from igor_core.verbs.diff.side import Side
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import confirm, flag, list_argument
from igor_core.verbs.steps.targets import Done, Target, each
from igor_core.worktree.files import shown
from igor_core.worktree.local_tree import LocalTree

TROUBLE = 2
# A larger file is read while it is sent.
HELD_BYTES = 8 << 20
# Paths named in a question or an error.
NAMED = 5


async def ours(targets: Sequence[Target], context: Context, local: LocalTree) -> Outcome:
    """Replace the version on each host, as the user saw it, with the local one."""

    async def on(target: Target) -> Done:
        looked = await compare(target, context, local)
        pairs = await looked.pairs()
        if not pairs:
            return _nothing(looked)
        if not await _consent(
            target, f"overwrite the versions on {target.name} with the local ones", pairs
        ):
            raise HostError(f"{target.name}: nothing was changed")
        refused = refused_on_host(looked, pairs)
        settled = [pair for pair in pairs if pair.path not in refused]
        refused |= await _push_over(looked, settled, context)
        return _done(looked, pairs, refused, "host updated")

    return await each(targets, on, failure=TROUBLE)


async def theirs(targets: Sequence[Target], context: Context, local: LocalTree) -> Outcome:
    """Replace the local version, which is backed up, with the host's."""

    async def look(target: Target) -> tuple[Comparison, list[Pair]]:
        looked = await compare(target, context, local)
        return looked, await looked.pairs()

    looks = [asyncio.ensure_future(look(target)) for target in targets]
    answers = await asyncio.gather(*looks, return_exceptions=True)
    found = [answer for answer in answers if not isinstance(answer, BaseException)]
    _one_version_each(found)
    pairs = [pair for _looked, some in found for pair in some]
    offered = {pair.path for pair in pairs if pair.host.exists}
    if pairs and not await _consent(
        targets[0], "replace the local versions with the host's", pairs
    ):
        return Outcome(TROUBLE, "nothing was changed")
    taken: set[bytes] = set()
    replacing = asyncio.Lock()

    async def on(target: Target) -> Done:
        looked, every = await looks[targets.index(target)]
        # A host without the file gets it by the next push.
        pairs = [pair for pair in every if pair.host.exists or pair.path not in offered]
        if not pairs:
            return _nothing(looked)
        refused = refused_locally(looked, pairs)
        async with replacing:
            mine = [p for p in pairs if p.path not in refused and p.path not in taken]
            refused |= await _replace(looked, mine)
            taken.update(pair.path for pair in mine if pair.path not in refused)
        await local.reconcile()
        belong = [p for p in pairs if p.path not in refused and local.file(p.path)]
        refused |= await _push_over(looked, belong, context)
        return _done(looked, pairs, refused, "local files updated")

    return await each(targets, on, failure=TROUBLE)


async def _consent(target: Target, what: str, pairs: Sequence[Pair]) -> bool:
    """Ask, unless the paths were named. Raises UsageError if nobody can answer."""
    job = target.job
    if list_argument(job, "paths") or flag(job, "yes"):
        return True
    if not job.answers:
        raise UsageError(
            f"diff: nobody can answer whether to {what}: {_named(pairs)}",
            "name the paths, or use --yes",
        )
    return await confirm(job, "", f"{what}: {_named(pairs)}?")


def _one_version_each(found: Sequence[tuple[Comparison, list[Pair]]]) -> None:
    """Raise UsageError if two hosts have different versions of one path."""
    versions: dict[bytes, dict[str, str]] = {}
    for looked, pairs in found:
        for pair in pairs:
            if pair.host.exists:
                hosts = versions.setdefault(pair.path, {})
                hosts.setdefault(identity(pair.host), looked.target.name)
    for path, hosts in versions.items():
        if len(hosts) > 1:
            raise UsageError(
                f"diff: {shown(path)} differs between {' and '.join(hosts.values())}; which "
                "version shall replace the local one?",
                f"name a host, for example: --host {next(iter(hosts.values()))}",
            )


def _record(side: Side) -> Record:
    """The record of the host's version as if igor had written it, so that a push overwrites it."""
    return Record(
        kind=side.kind,
        size=side.size,
        mtime_ns=side.mtime_ns,
        mode=side.mode,
        hash=side.hash,
        target=side.target,
        local_mtime_ns=-1,
    )


async def _replace(looked: Comparison, pairs: Sequence[Pair]) -> Refusals:
    """Replace local versions with the host's."""
    if not pairs:
        return {}
    refused = {}
    root, target = looked.target.project.root, looked.target
    backup = await asyncio.to_thread(Backup.of, target.project.name)
    for pair in pairs:
        with tempfile.TemporaryFile(dir=state_directory()) as file:
            try:
                source = await fetch(looked, pair, file) if pair.host.kind == "f" else None
                new = Replacement(pair.host, source)
                kept = await asyncio.to_thread(
                    replace_local, root, pair.path, pair.local, new, backup
                )
            except IgorError as error:
                refused[pair.path] = error.message
                continue
        if kept is not None:
            target.step(f"{shown(pair.path)}: the local version was saved to {kept}")
    await asyncio.to_thread(backup.close)
    return refused


async def _push_over(looked: Comparison, pairs: Sequence[Pair], context: Context) -> Refusals:
    """Push just these paths, and return those that were not pushed.

    The versions on the host count as igor's own from now on, so that this push overwrites
    them, but no other version.
    """
    refused: Refusals = {}
    changes = []
    for pair in pairs:
        change = await asyncio.to_thread(_change, looked.local_tree, pair.path)
        if isinstance(change, Change):
            changes.append(change)
        else:
            refused[pair.path] = change
    if not changes:
        return refused
    pushed = [pair for pair in pairs if pair.path not in refused]
    looked.manifest.wrote({p.path: _record(p.host) for p in pushed if p.host.exists})
    report = await looked.host_tree.send(changes)
    refused |= dict.fromkeys(report.moving, "the local file keeps changing")
    refused |= {item.path: item.reason for item in report.held_back}
    _note(looked, context, {pair.path for pair in pushed} - refused.keys())
    return refused


def _change(local: LocalTree, path: bytes) -> Change | str:
    """The local file as it is now, or why it can't be pushed."""
    try:
        found = local.read(path, HELD_BYTES)
    except OSError as error:
        return f"the local file can't be read: {error.strerror}"
    if found is None:
        return Change(path, None)
    if local.file(path) is None:
        return "igor does not push it, because git or a pattern ignores it"
    return Change.of(path, found)


def _note(looked: Comparison, context: Context, settled: Collection[bytes]) -> None:
    """Note that paths are no longer held back, so that the statusline shows it at once."""
    target = looked.target
    sync = context.clones.host_sync(target.project, target.entry)
    for path in settled:
        sync.backlog.held_back.pop(path, None)
    sync.on_change()


def _nothing(looked: Comparison) -> Done:
    return Done("no difference" if looked.paths else "nothing is held back")


def _done(looked: Comparison, pairs: Sequence[Pair], refused: Refusals, what: str) -> Done:
    settled = [pair for pair in pairs if pair.path not in refused]
    if not refused:
        return Done(f"{what}: {_named(settled)}")
    reasons = "; ".join(f"{shown(path)}: {why}" for path, why in list(refused.items())[:NAMED])
    more = f" and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
    done = f"{what}: {_named(settled)}; " if settled else ""
    raise HostError(f"{done}not changed: {reasons}{more}")


def _named(pairs: Sequence[Pair]) -> str:
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    return ", ".join(shown(pair.path) for pair in pairs[:NAMED]) + more
