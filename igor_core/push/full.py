"""A push of a whole tree: what has changed on either side, found while both are looked at."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from igor_core.push.channel.question import Question
from igor_core.push.channel.state import State
from igor_core.push.in_flight import InFlight
from igor_core.push.manifest import Record
from igor_core.push.plan import Known
from igor_core.push.preconditions import is_below, state_of
from igor_core.push.transport.base import Transport
from igor_core.worktree.files import File, Tree, with_parents

FOLDER = State("d", 0, 0, 0)
# Up to so much that is new here is sent at once: the host says what it has there already.
# More is asked for first.
NEW_FILES = 256
NEW_BYTES = 4 << 20


class Asking:
    """The question about a tree, kept from push to push: mostly little or nothing changes in it."""

    def __init__(self) -> None:
        self._key: object = None
        self._paths: list[bytes] = []
        self._folders: dict[bytes, State] = {}
        self._changes = -1
        self._question: Question | None = None
        # Files of the last scan that igor did not write there.
        self.others: frozenset[bytes] = frozenset()

    async def question(self, traffic: InFlight) -> Question:
        """All that igor wrote, or may have, as it is expected to be, and `others`."""
        manifest = traffic.manifest
        key = (manifest.names, self.others)
        if self._question is not None and (key, manifest.changes) == (self._key, self._changes):
            return self._question
        changes, records = manifest.changes, {**manifest.intended, **manifest.written}
        is_same_list = key == self._key
        self._question = await asyncio.to_thread(self._made, records, is_same_list)
        self._key, self._changes = key, changes
        return self._question

    def _made(self, records: Mapping[bytes, Record], is_same_list: bool) -> Question:
        if not is_same_list:
            files = records.keys() | self.others
            every = with_parents(files)
            self._paths = sorted(every)
            self._folders = dict.fromkeys(every - files, FOLDER)
        earlier = self._question if is_same_list else None
        return Question.of(self._paths, {**self._folders, **records}, earlier)


@dataclass
class Sight:
    """What is known of a host before a push: what was asked, and where it was not as expected."""

    question: Question
    differs: Mapping[bytes, State | None]
    # Of files that are new here.
    more: Mapping[bytes, State | None] = field(default_factory=dict)
    _asked: frozenset[bytes] | None = None

    @property
    def asked(self) -> frozenset[bytes]:
        if self._asked is None:
            self._asked = frozenset(self.question.paths)
        return self._asked

    def state(self, path: bytes, now: Record | None) -> State | None:
        """What is at a path, where `now` is igor's record of it."""
        before = self.question.expected.get(path)
        if now is not (None if before is FOLDER else before):
            # A save has been there since it was asked for.
            return state_of(now) if now else None
        if path in self.differs:
            return self.differs[path]
        if before is not None:
            return before if isinstance(before, State) else state_of(before)
        return self.more.get(path)


async def look(
    asking: Asking,
    traffic: InFlight,
    transport: Transport,
    scanning: "asyncio.Future[Tree]",
    only_looking: bool,
) -> tuple[Tree, Sight]:
    """Look at both sides at once. Raises HostError, and what the scan does.

    `only_looking`: nothing will be sent whose refusal could tell more.
    """
    question = await asking.question(traffic)
    differs = await transport.survey(question) if question.paths else {}
    tree = await asyncio.shield(scanning)
    sight = Sight(question, differs)
    new = _new_files(tree, question, all=only_looking or not transport.conditional)
    if new:
        paths = await asyncio.to_thread(lambda: sorted(with_parents(new) - sight.asked))
        asked = await asyncio.to_thread(Question.of, paths, {})
        sight = replace(sight, more=await transport.survey(asked))
    return tree, sight


def _new_files(tree: Tree, question: Question, all: bool) -> list[bytes]:
    """Files that nothing is known of: all, or where they are so many that it pays to ask first."""
    asked = question.expected
    new = [file for path, file in tree.files.items() if path not in asked]
    if all or not asked or len(new) > NEW_FILES or sum(file.size for file in new) > NEW_BYTES:
        return [file.path for file in new]
    return []


async def narrowed(tree: Tree, sight: Sight, traffic: InFlight) -> Known:
    """Just what differs on either side; a path on its way there is waited for."""
    manifest = traffic.manifest
    files = await asyncio.to_thread(
        _candidates, tree, dict(manifest.written), dict(manifest.intended), sight
    )
    await traffic.landed(files)
    local = {path: tree.files[path] for path in files if path in tree.files}
    written = {path: manifest.written[path] for path in files if path in manifest.written}
    intended = {path: manifest.intended[path] for path in files if path in manifest.intended}
    remote: dict[bytes, State] = {}
    for path in with_parents(files):
        state = sight.state(path, written.get(path) or intended.get(path))
        if state is not None:
            remote[path] = state
    kept = frozenset(path for path in files if path not in local and not tree.is_gone(path))
    return Known(local, written, intended, remote, kept)


def _candidates(
    tree: Tree,
    written: Mapping[bytes, Record],
    intended: Mapping[bytes, Record],
    sight: Sight,
) -> list[bytes]:
    files = tree.files
    found = {path for path, file in files.items() if not _is_local(written.get(path), file)}
    found.update(path for path in written if path not in files)
    found.update(intended)
    if sight.differs:
        known = files.keys() | written.keys()
        found.update(path for path in sight.differs if path in known)
        found |= _below(sight, known - found)
    return sorted(found)


def _is_local(record: Record | None, file: File) -> bool:
    return record is not None and record.is_local(file)


def _below(sight: Sight, paths: Iterable[bytes]) -> set[bytes]:
    """Files in whose way stands what is no folder any more."""
    blocked = {path for path, state in sight.differs.items() if state and state.kind != "d"}
    return {path for path in paths if is_below(path, blocked)} if blocked else set()
