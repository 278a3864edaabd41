"""Comparing paths on a host with the local ones, before one side replaces the other."""

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

# The note in a tree's manifest with the versions that the user was shown.
SEEN = "seen"


@dataclass(frozen=True)
class Pair:
    """A path on a host and locally. `why` is why it is held back, empty if it is not.

    `obstacle` is a path above that is not a folder on the host.
    """

    path: bytes
    host: Side
    local: Side
    why: str = ""
    obstacle: bytes = b""

    @property
    def differs(self) -> bool:
        return not self.host.is_like(self.local)


@dataclass(frozen=True)
class Comparison:
    """One host compared: `paths` are those to compare, `held` all that are held back.

    `tree` is the tree's real path on the host.
    """

    target: Target
    host_tree: HostTree
    local_tree: LocalTree
    tree: str
    manifest: Manifest
    paths: Sequence[bytes]
    held: Mapping[bytes, HeldBack]
    states: Mapping[bytes, State]

    async def pair(self, path: bytes) -> Pair:
        """Both sides of a path, with their contents. Raises HostError, IgorError."""
        state, content, digest = self._state(path), None, b""
        if state is not None and state.kind == "f":
            if state.size <= LARGE:
                content = await self._content(path)
            if content is None or len(content) > LARGE:
                digest = (await hashes(self.target.remote, self.tree, [path])).get(path, b"")
        return await self._pair(path, content, digest)

    async def pairs(self) -> list[Pair]:
        """All paths that differ, without their contents. Raises HostError, IgorError."""
        states = {path: self._state(path) for path in self.paths}
        files = [path for path, state in states.items() if state and state.kind == "f"]
        digests = await hashes(self.target.remote, self.tree, files) if files else {}
        found = [await self._pair(path, None, digests.get(path, b"")) for path in self.paths]
        return [pair for pair in found if pair.differs]

    async def _pair(self, path: bytes, content: bytes | None, digest: bytes) -> Pair:
        name = f"{self.target.name}:{shown(os.fsencode(self.tree))}/{shown(path)}"
        host = side_on_host(name, self._state(path), content, digest)
        local = await asyncio.to_thread(_local_side, self.target.project.root, path)
        if not host.exists and not local.exists:
            raise UsageError(
                f"{self.target.job.verb}: {shown(path)} exists neither locally nor on "
                f"{self.target.name}"
            )
        why = self.held[path].reason if path in self.held else ""
        return Pair(path, host, local, why, self._obstacle(path))

    def _state(self, path: bytes) -> State | None:
        """The state on the host; None if a link is on the way."""
        return None if self._obstacle(path) else self.states.get(path)

    async def _content(self, path: bytes) -> bytes | None:
        """The content of a file, up to one byte more than is shown; None if it can't be read."""
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
        """The identities of both sides when the user last saw them, the host's first."""
        told = self.manifest.note(SEEN)
        known = json.loads(told) if told else {}
        return {os.fsencode(path): (host, local) for path, (host, local) in known.items()}

    async def remember(self, pairs: Iterable[Pair]) -> None:
        """Note that the user has seen these; forget others that are no longer held back."""
        known = {path: both for path, both in self.seen().items() if path in self.held}
        known |= {p.path: (identity(p.host), identity(p.local)) for p in pairs}
        text = json.dumps({os.fsdecode(path): both for path, both in known.items()})
        self.manifest.set_notes({SEEN: text})
        await asyncio.to_thread(self.manifest.save)


def identity(side: Side) -> str:
    """A short text that is equal for equal versions."""
    return f"{side.kind}:{(side.target if side.kind == 'l' else side.hash).hex()}"


async def compare(target: Target, context: Context, local: LocalTree) -> Comparison:
    """Find what is held back on one host, and survey the chosen paths. Raises HostError."""
    paths = (await target.connect()).paths
    project = target.project
    host_tree = context.trees.on(target.remote, paths, project.root, project.config.transport)
    report = await host_tree.push(local.reconcile(), PushOptions(dry_run=True), Nobody())
    held = {item.path: item for item in report.held_back}
    chosen = _chosen(target.job, project.root, held)
    found = await ShellSurveyor(target.remote, paths, claim_of(project.root)).survey(chosen)
    if not found.exists:
        raise HostError(f"{target.name} does not have this project yet", "igor push")
    key = TreeKey(*target.remote.endpoint, found.path)
    manifest = await asyncio.to_thread(context.trees.manifest, key)
    return Comparison(
        target=target,
        host_tree=host_tree,
        local_tree=local,
        tree=found.path,
        manifest=manifest,
        paths=chosen,
        held=held,
        states=found.states,
    )


def _chosen(job: Job, root: Path, held: Collection[bytes]) -> list[bytes]:
    """The paths that the job names; all that are held back if it names none."""
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

    Names are relative to the job's folder, as a shell completes them, or to the root, as igor
    itself prints them.
    """
    path = below(root, Path(job.root), name)
    if path is None or (path not in held and not _exists(root, path)):
        from_root = below(root, root, name)
        path = from_root if from_root in held else path
    if path is None:
        raise UsageError(f"{job.verb}: {name} is not in the project {root}")
    if b".git" in path.split(b"/"):
        raise UsageError(f"{job.verb}: {name} belongs to git; igor does not push it")
    return path


def _exists(root: Path, path: bytes) -> bool:
    return os.path.lexists(os.path.join(os.fsencode(root), path))


def _local_side(root: Path, path: bytes) -> Side:
    try:
        return local_side(root, path, shown(path))
    except OSError as error:
        raise IgorError(f"can't read the local {shown(path)}: {error.strerror}") from None
