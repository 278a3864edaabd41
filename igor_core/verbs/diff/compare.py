"""What a person compares before settling: paths that are held back, as they are there and here."""

import asyncio
import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from igor_core.errors import HostError, IgorError, UsageError
from igor_core.push.channel.state import State
from igor_core.push.manifest import Manifest
from igor_core.push.plan import HeldBack
from igor_core.push.push import claim_of
from igor_core.push.record import TreeKey
from igor_core.push.report import Nobody, PushOptions
from igor_core.push.sync.host_tree import HostTree
from igor_core.push.transport.rsync.files import hashes
from igor_core.push.transport.rsync.survey import ShellSurveyor
from igor_core.verbs.diff.side import LARGE, Side, local_side, side_on_host
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.named_files import below
from igor_core.verbs.steps.request import Job, list_argument
from igor_core.verbs.steps.targets import Target
from igor_core.worktree.files import shown
from igor_core.worktree.local_tree import LocalTree

# The note in a tree's manifest: what of each side the person has seen.
SEEN = "seen"


@dataclass(frozen=True)
class Pair:
    """A path on a host and here. `why` it is held back, empty where it isn't.

    `obstacle` is what stands there in the place of a folder above it.
    """

    path: bytes
    there: Side
    here: Side
    why: str = ""
    obstacle: bytes = b""

    @property
    def differs(self) -> bool:
        return not self.there.is_like(self.here)


@dataclass(frozen=True)
class Comparison:
    """One host, looked at: `paths` are those to compare, `held` those that are held back.

    `tree` is the tree's real path there.
    """

    target: Target
    there: HostTree
    local: LocalTree
    tree: str
    manifest: Manifest
    paths: Sequence[bytes]
    held: Mapping[bytes, HeldBack]
    states: Mapping[bytes, State]

    async def pair(self, path: bytes) -> Pair:
        """Both sides, with what they hold. Raises HostError, IgorError."""
        state, content, digest = self._state(path), None, b""
        if state is not None and state.kind == "f":
            if state.size <= LARGE:
                content = await self._content(path)
            if content is None or len(content) > LARGE:
                digest = (await hashes(self.target.remote, self.tree, [path])).get(path, b"")
        return await self._pair(path, content, digest)

    async def pairs(self) -> list[Pair]:
        """All paths that differ, without what they hold. Raises HostError, IgorError."""
        states = {path: self._state(path) for path in self.paths}
        files = [path for path, state in states.items() if state and state.kind == "f"]
        digests = await hashes(self.target.remote, self.tree, files) if files else {}
        found = [await self._pair(path, None, digests.get(path, b"")) for path in self.paths]
        return [pair for pair in found if pair.differs]

    async def _pair(self, path: bytes, content: bytes | None, digest: bytes) -> Pair:
        name = f"{self.target.name}:{shown(os.fsencode(self.tree))}/{shown(path)}"
        there = side_on_host(name, self._state(path), content, digest)
        here = await asyncio.to_thread(_here, self.target.project.root, path)
        if not there.exists and not here.exists:
            raise UsageError(
                f"{self.target.job.verb}: there is no {shown(path)}, neither here nor on "
                f"{self.target.name}"
            )
        why = self.held[path].reason if path in self.held else ""
        return Pair(path, there, here, why, self._obstacle(path))

    def _state(self, path: bytes) -> State | None:
        """What is there; nothing where it would be behind a link."""
        return None if self._obstacle(path) else self.states.get(path)

    async def _content(self, path: bytes) -> bytes | None:
        """At most a little more than what is shown; None where it can't be read."""
        argv = ["head", "-c", str(LARGE + 1), "--", f"{self.tree}/{os.fsdecode(path)}"]
        done = await self.target.remote.run(argv)
        return done.stdout if done.status == 0 else None

    def _obstacle(self, path: bytes) -> bytes:
        found, above = b"", path.rpartition(b"/")[0]
        while above:
            state = self.states.get(above)
            if state is not None and state.kind != "d":
                found = above
            above = above.rpartition(b"/")[0]
        return found

    def seen(self) -> dict[bytes, tuple[str, str]]:
        """The identities of both sides when they were last shown."""
        told = self.manifest.note(SEEN)
        known = json.loads(told) if told else {}
        return {os.fsencode(path): (there, here) for path, (there, here) in known.items()}

    async def remember(self, pairs: Iterable[Pair]) -> None:
        """The person has seen these; of others only those that are still held back."""
        known = {path: both for path, both in self.seen().items() if path in self.held}
        known |= {p.path: (identity(p.there), identity(p.here)) for p in pairs}
        text = json.dumps({os.fsdecode(path): both for path, both in known.items()})
        self.manifest.set_notes({SEEN: text})
        await asyncio.to_thread(self.manifest.save)


def identity(side: Side) -> str:
    """What tells one version from another, as a short text."""
    return f"{side.kind}:{(side.target if side.kind == 'l' else side.hash).hex()}"


async def compare(target: Target, context: Context, local: LocalTree) -> Comparison:
    """Look at one host: what is held back there, and the state of what was asked for. HostError."""
    paths = (await target.connect()).paths
    project = target.project
    there = context.trees.on(target.remote, paths, project.root, project.config.transport)
    report = await there.push(local.reconcile(), PushOptions(dry_run=True), Nobody())
    held = {item.path: item for item in report.held_back}
    chosen = _chosen(target.job, project.root, held)
    found = await ShellSurveyor(target.remote, paths, claim_of(project.root)).survey(chosen)
    if not found.exists:
        raise HostError(f"{target.name} has nothing of this project yet", "igor push")
    key = TreeKey(*target.remote.endpoint, found.path)
    manifest = await asyncio.to_thread(context.trees.manifest, key)
    return Comparison(target, there, local, found.path, manifest, chosen, held, found.states)


def _chosen(job: Job, root: Path, held: Collection[bytes]) -> list[bytes]:
    """The paths that the job is about: all that are held back, or what its arguments name."""
    named = list_argument(job, "paths")
    if not named:
        return sorted(held)
    found: set[bytes] = set()
    for name in named:
        path = _inside(job, root, name, held)
        below = {p for p in held if p.startswith(path + b"/") or path == b"."}
        local = os.path.join(os.fsencode(root), path)
        is_folder = os.path.isdir(local) and not os.path.islink(local)
        found |= below if path not in held and (is_folder or below) else {path}
    return sorted(found)


def _inside(job: Job, root: Path, name: str, held: Collection[bytes]) -> bytes:
    """The path from the project's root; b"." for the root itself. Raises UsageError.

    It is meant from the job's folder, as a shell completes it. But igor names paths from the
    root, and who copies one of these means that.
    """
    path = below(root, Path(job.root), name)
    if path is None or (path not in held and not _is_here(root, path)):
        from_root = below(root, root, name)
        path = from_root if from_root in held else path
    if path is None:
        raise UsageError(f"{job.verb}: {name} is not in the project {root}")
    if b".git" in path.split(b"/"):
        raise UsageError(f"{job.verb}: {name} is git's own, igor has no part in it")
    return path


def _is_here(root: Path, path: bytes) -> bool:
    return os.path.lexists(os.path.join(os.fsencode(root), path))


def _here(root: Path, path: bytes) -> Side:
    try:
        return local_side(root, path, shown(path))
    except OSError as error:
        raise IgorError(f"{shown(path)} can't be read here: {error.strerror}") from None
