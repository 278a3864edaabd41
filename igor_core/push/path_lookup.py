"""What is known of single paths: by the manifest, by the host's refusals, or by a new survey."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.push.plan import Change, PlanInput
from igor_core.push.preconditions import is_below, is_simple, state_of
from igor_core.push.transfer import Refusal
from igor_core.push.transport.open_tree import OpenTree
from igor_core.worktree.content import hash_files
from igor_core.worktree.files import File, with_parents


@dataclass(frozen=True)
class PathLookup:
    """Looks up paths for the push or save with this number.

    `contents` are the local contents that the caller has read.
    """

    tree: OpenTree
    number: int
    contents: Mapping[bytes, Change]

    def holds(self, path: bytes, known: PlanInput) -> bool:
        """Whether nothing has been recorded or sent at a path since it was looked up."""
        in_flight = self.tree.in_flight
        manifest = in_flight.manifest
        return (
            manifest.written.get(path) is known.written.get(path)
            and manifest.intended.get(path) is known.intended.get(path)
            and not in_flight.has(path)
            and not in_flight.saved_after(path, self.number)
        )

    async def after_refusals(
        self, again: Mapping[bytes, Refusal | None], known: PlanInput
    ) -> PlanInput:
        """Look up refused paths; mostly the refusals themselves tell the host's side."""
        local = {path: known.local[path] for path in again if path in known.local}
        gone = again.keys() - local.keys()
        simple = (
            refusal is not None and is_simple(refusal) and self.holds(path, known)
            for path, refusal in again.items()
        )  # fmt: skip
        if not all(simple):
            return await self.survey(local, gone, known)
        refusals = {path: refusal for path, refusal in again.items() if refusal}
        remote = {path: r.state for path, r in refusals.items() if r.state is not None}
        hashes = {path: r.hash for path, r in refusals.items() if r.hash is not None}
        readable = [file for path, file in local.items() if hashes.get(path)]
        ours = await asyncio.to_thread(hash_files, self.tree.root, readable)
        found = self._known(local, gone, known, remote)
        return replace(found, remote_hashes=hashes, local_hashes={**found.local_hashes, **ours})

    async def survey(
        self, local: Mapping[bytes, File], gone: Collection[bytes], known: PlanInput
    ) -> PlanInput:
        """Ask the host about just these paths, and those that are in their way."""
        gone = {*gone, *self._in_the_way(local)}
        await self.tree.in_flight.landed([*local, *gone])
        asked = self._known(local, gone, known, {})
        paths = sorted(with_parents([*local, *gone]))
        request = await asyncio.to_thread(SurveyRequest.of, paths, {})
        found = await self.tree.transport.survey(request)
        now = self._known(local, gone, known, {})
        remote = {path: state for path, state in found.items() if state is not None}
        for path in (path for path in (*local, *gone) if not self.holds(path, asked)):
            # Written meanwhile: whether the survey saw it before or after that, nobody knows.
            remote.pop(path, None)
            if (record := now.written.get(path)) is not None:
                remote[path] = state_of(record)
        return replace(now, remote=remote)

    def _known(
        self,
        local: Mapping[bytes, File],
        gone: Collection[bytes],
        known: PlanInput,
        remote: Mapping[bytes, State],
    ) -> PlanInput:
        manifest, paths = self.tree.in_flight.manifest, {*local, *gone}
        return PlanInput(
            local=local,
            written={path: manifest.written[path] for path in paths if path in manifest.written},
            intended={path: manifest.intended[path] for path in paths if path in manifest.intended},
            remote=remote,
            kept=known.kept,
            local_hashes={
                path: self.contents[path].hash for path in local if path in self.contents
            },
            force=known.force,
            ours=known.ours,
        )

    def _in_the_way(self, local: Mapping[bytes, File]) -> set[bytes]:
        """What igor wrote above and below local files: locally it can't exist any more."""
        manifest = self.tree.in_flight.manifest
        own = manifest.written.keys() | manifest.intended.keys()
        above = (with_parents(local) - local.keys()) & own
        return above | {path for path in own if is_below(path, local)}
