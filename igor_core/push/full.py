"""A full push: find what has changed on either side by looking at both at once."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import SurveyRequest
from igor_core.push.in_flight import InFlight
from igor_core.push.plan import PlanInput
from igor_core.push.preconditions import is_below, state_of
from igor_core.push.record import Record
from igor_core.push.transport.open_tree import OpenTree
from igor_core.worktree.files import File, Tree, with_parents

FOLDER = State("d", 0, 0, 0)
# Up to this many new files are sent at once: the host refuses those that it has already. More
# are asked about first.
NEW_FILES = 256
NEW_BYTES = 4 << 20


class SurveyCache:
    """The survey request of a tree, kept from push to push: mostly little changes in it."""

    def __init__(self) -> None:
        self._key: object = None
        self._paths: list[bytes] = []
        self._folders: dict[bytes, State] = {}
        self._changes = -1
        self._request: SurveyRequest | None = None
        # Files of the last scan that igor did not write to the host.
        self.others: frozenset[bytes] = frozenset()

    async def request(self, in_flight: InFlight) -> SurveyRequest:
        """All paths that igor wrote or may have written, as it left them, and `others`."""
        manifest = in_flight.manifest
        key = (manifest.path_changes, self.others)
        if self._request is not None and (key, manifest.changes) == (self._key, self._changes):
            return self._request
        changes, records = manifest.changes, {**manifest.intended, **manifest.written}
        is_same_list = key == self._key
        self._request = await asyncio.to_thread(self._made, records, is_same_list)
        self._key, self._changes = key, changes
        return self._request

    def _made(self, records: Mapping[bytes, Record], is_same_list: bool) -> SurveyRequest:
        if not is_same_list:
            files = records.keys() | self.others
            every = with_parents(files)
            self._paths = sorted(every)
            self._folders = dict.fromkeys(every - files, FOLDER)
        earlier = self._request if is_same_list else None
        return SurveyRequest.of(self._paths, {**self._folders, **records}, earlier)


@dataclass
class HostView:
    """A host's tree before a push: what was asked, and what was not as expected."""

    request: SurveyRequest
    differs: Mapping[bytes, State | None]
    # The states of new local files, where they have been asked for.
    more: Mapping[bytes, State | None] = field(default_factory=dict)
    _asked: frozenset[bytes] | None = None

    @property
    def asked(self) -> frozenset[bytes]:
        if self._asked is None:
            self._asked = frozenset(self.request.paths)
        return self._asked

    def state(self, path: bytes, now: Record | None) -> State | None:
        """The state of a path on the host, where `now` is igor's record of it."""
        before = self.request.expected.get(path)
        if now is not (None if before is FOLDER else before):
            # A save has written it since the survey was asked for.
            return state_of(now) if now else None
        if path in self.differs:
            return self.differs[path]
        if before is not None:
            return before if isinstance(before, State) else state_of(before)
        return self.more.get(path)


async def look(
    cache: SurveyCache,
    opened: OpenTree,
    scanning: "asyncio.Future[Tree]",
    *,
    only_looking: bool,
) -> tuple[Tree, HostView]:
    """Survey the host while the local tree is scanned. Raises HostError, and the scan's errors.

    With `only_looking` nothing will be sent, so no refusal will tell what a survey leaves open.
    """
    transport = opened.transport
    request = await cache.request(opened.in_flight)
    differs = await transport.survey(request) if request.paths else {}
    tree = await asyncio.shield(scanning)
    view = HostView(request, differs)
    new = _new_files(tree, request, every=only_looking or not transport.conditional)
    if new:
        paths = await asyncio.to_thread(lambda: sorted(with_parents(new) - view.asked))
        asked = await asyncio.to_thread(SurveyRequest.of, paths, {})
        view = replace(view, more=await transport.survey(asked))
    return tree, view


def _new_files(tree: Tree, request: SurveyRequest, *, every: bool) -> list[bytes]:
    """The new local files to ask about: with `every` all, else only where there are many."""
    asked = request.expected
    new = [file for path, file in tree.files.items() if path not in asked]
    if every or not asked or len(new) > NEW_FILES or sum(file.size for file in new) > NEW_BYTES:
        return [file.path for file in new]
    return []


async def differing(
    tree: Tree, view: HostView, in_flight: InFlight, *, every: bool = False
) -> PlanInput:
    """Only the paths that differ on either side, or all; waits for those in flight to land."""
    manifest = in_flight.manifest
    files = await asyncio.to_thread(
        _candidates, tree, dict(manifest.written), dict(manifest.intended), view
    )
    if every:
        files = sorted({*files, *tree.files})
    await in_flight.landed(files)
    local = {path: tree.files[path] for path in files if path in tree.files}
    written = {path: manifest.written[path] for path in files if path in manifest.written}
    intended = {path: manifest.intended[path] for path in files if path in manifest.intended}
    remote: dict[bytes, State] = {}
    for path in with_parents(files):
        state = view.state(path, written.get(path) or intended.get(path))
        if state is not None:
            remote[path] = state
    kept = frozenset(path for path in files if path not in local and not tree.is_gone(path))
    return PlanInput(local, written, intended, remote, kept)


def _candidates(
    tree: Tree,
    written: Mapping[bytes, Record],
    intended: Mapping[bytes, Record],
    view: HostView,
) -> list[bytes]:
    files = tree.files
    found = {path for path, file in files.items() if not _is_local(written.get(path), file)}
    found.update(path for path in written if path not in files)
    found.update(intended)
    if view.differs:
        known = files.keys() | written.keys()
        found.update(path for path in view.differs if path in known)
        found |= _below_obstacles(view, known - found)
    return sorted(found)


def _is_local(record: Record | None, file: File) -> bool:
    return record is not None and record.is_local(file)


def _below_obstacles(view: HostView, paths: Iterable[bytes]) -> set[bytes]:
    """The files whose folder is no longer a folder on the host."""
    blocked = {path for path, state in view.differs.items() if state and state.kind != "d"}
    return {path for path in paths if is_below(path, blocked)} if blocked else set()
