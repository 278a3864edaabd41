"""The rules of a push: what is done with each path. Pure.

Igor overwrites and deletes only what it wrote itself and what is still as igor left it: by size and
time, and where these differ by content. All other paths are held back and reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from igor_core.push.channel.state import State
from igor_core.push.record import Record
from igor_core.worktree.files import File, shown, with_parents
from igor_core.worktree.reading import Content

# A push asks before it deletes more than MANY_DELETES files, or more than LARGE_SHARE of all files
# that igor wrote, unless these are just a few.
MANY_DELETES = 50
LARGE_SHARE = 0.3
FEW_DELETES = 5


def exceeds_delete_limit(count: int, of: int) -> bool:
    """Whether igor has to ask before it deletes `count` of the `of` files that it wrote."""
    return count > MANY_DELETES or (count > FEW_DELETES and count > LARGE_SHARE * of)


@dataclass(frozen=True)
class Change:
    """A path that has changed locally: the file as it is now, None if it is gone.

    `content` and its sha256 `hash` are read once for all hosts. `content` is None for deleted
    paths, for links, and for files too large to be held in memory.
    """

    path: bytes
    file: File | None
    content: bytes | None = None
    hash: bytes = b""

    @classmethod
    def of(cls, path: bytes, found: Content | None) -> "Change":
        """The change that a read of the path has found; None: it is gone."""
        if found is None:
            return cls(path, None)
        return cls(path, found.file, found.content, found.hash)


@dataclass(frozen=True)
class HeldBack:
    """A path that stays as it is on the host, and why.

    `yields_to_force` tells whether `igor push --force` would overwrite or delete it.
    """

    path: bytes
    reason: str
    yields_to_force: bool = False


@dataclass
class Plan:
    """What is to be done with each path.

    `undecided` paths need the hashes of both versions, `unhashed` ones the local one. `adopt` are
    files on the host that turn out to be igor's own, or equal to the local ones; they may be in
    `send` as well.
    """

    send: list[File] = field(default_factory=list)
    delete: list[bytes] = field(default_factory=list)
    delete_first: list[bytes] = field(default_factory=list)
    adopt: dict[bytes, Record] = field(default_factory=dict)
    forget: list[bytes] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    undecided: list[bytes] = field(default_factory=list)
    unhashed: list[bytes] = field(default_factory=list)
    unchanged: int = 0

    @property
    def deletions(self) -> int:
        return len(self.delete) + len(self.delete_first)


@dataclass(frozen=True)
class PlanInput:
    """What a plan is made from: both sides, and what igor wrote.

    Hashes are asked for only where a plan is undecided; an unreadable file has an empty one. `kept`
    are paths that are not in `local` but may exist, so they are not deleted. `force` applies to all
    paths, and compares all by content; `ours` names single ones. With `tries_folders` a file is
    sent even where the host has a folder: the host removes the folder if it is empty.
    """

    local: Mapping[bytes, File]
    written: Mapping[bytes, Record]
    intended: Mapping[bytes, Record]
    remote: Mapping[bytes, State]
    kept: frozenset[bytes] = frozenset()
    local_hashes: Mapping[bytes, bytes] = field(default_factory=dict)
    remote_hashes: Mapping[bytes, bytes] = field(default_factory=dict)
    force: bool = False
    ours: frozenset[bytes] = frozenset()
    tries_folders: bool = False

    def is_forced(self, path: bytes) -> bool:
        return self.force or path in self.ours


def make_plan(known: PlanInput) -> Plan:
    """Plan what to do; to be called again with hashes while paths are undecided."""
    plan = Plan()
    for path in sorted({*known.written, *known.intended} - set(known.local) - known.kept):
        _plan_delete(plan, known, path)
    gone = set(plan.delete)
    for _path, file in sorted(known.local.items()):
        _plan_write(plan, known, file, gone)
    _order_deletes(plan)
    return plan


def _plan_write(plan: Plan, known: PlanInput, file: File, gone: set[bytes]) -> None:
    path, state = file.path, known.remote.get(file.path)
    obstacle = _obstacle(known, path)
    if obstacle and obstacle not in gone:
        plan.held_back.append(HeldBack(path, f"{shown(obstacle)} is not a folder on the host"))
    elif state is None or obstacle:
        # What the survey saw behind a link that will be deleted is not in the way.
        plan.send.append(file)
    elif state.kind == "d":
        _plan_over_folder(plan, known, file, gone)
    elif state.kind == "f" and path not in known.remote_hashes and known.force:
        plan.undecided.append(path)
    elif (record := _own(known, path, state)) is not None:
        _plan_over_own(plan, known, file, record)
    elif state.kind == "f" and path not in known.remote_hashes and not known.is_forced(path):
        plan.undecided.append(path)
    else:
        _plan_over_other(plan, known, file, state)


def _plan_over_own(plan: Plan, known: PlanInput, file: File, record: Record) -> None:
    """Plan a write where the host has what igor wrote.

    Where only times or the inode differ, the content decides: nothing travels after `touch`. Where
    nothing differs, content that has been read decides too: two writes within one tick of the
    kernel's clock leave the same times.
    """
    path = file.path
    content = known.local_hashes.get(path)
    if file.kind == "f" and content is None and record.fits(file) and not record.is_local(file):
        plan.unhashed.append(path)
        return
    if record.fits(file) and (file.kind == "l" or content in (None, record.hash)):
        record = record.seen_as(file)
        plan.unchanged += 1
    else:
        plan.send.append(file)
    if known.written.get(path) != record:
        plan.adopt[path] = record


def _plan_over_other(plan: Plan, known: PlanInput, file: File, state: State) -> None:
    """Plan a write where the host's file is not as igor left it, or was never igor's."""
    path = file.path
    if _is_equal(known, file, state):
        # Its owner chose the permissions; only the executable bit, which git keeps, is adapted.
        if (state.mode ^ file.mode) & 0o100 and file.kind == "f":
            plan.send.append(file)
        else:
            content = known.remote_hashes.get(path, b"")
            plan.adopt[path] = replace(Record.of(file, content), mtime_ns=state.mtime_ns)
            plan.unchanged += 1
    elif known.is_forced(path):
        plan.send.append(file)
    else:
        changed = path in known.written or path in known.intended
        reason = "changed on the host" if changed else "on the host already, and different"
        plan.held_back.append(HeldBack(path, reason, yields_to_force=True))


def _is_equal(known: PlanInput, file: File, state: State) -> bool:
    if state.kind != file.kind:
        return False
    if file.kind == "l":
        return state.target == file.target
    content = known.remote_hashes.get(file.path, b"")
    return bool(content) and content == known.local_hashes.get(file.path)


def _plan_over_folder(plan: Plan, known: PlanInput, file: File, gone: set[bytes]) -> None:
    """Plan a file where the host has a folder: only if it is or becomes empty by igor's deletes."""
    inside = file.path + b"/"
    if known.tries_folders or any(path.startswith(inside) for path in gone):
        plan.send.append(file)
    else:
        plan.held_back.append(HeldBack(file.path, "a folder on the host"))


def _plan_delete(plan: Plan, known: PlanInput, path: bytes) -> None:
    state = known.remote.get(path)
    if state is None or state.kind == "d" or _obstacle(known, path):
        plan.forget.append(path)
    elif _own(known, path, state) is not None or known.is_forced(path):
        plan.delete.append(path)
    elif state.kind == "f" and path not in known.remote_hashes:
        plan.undecided.append(path)
    else:
        reason = "deleted locally, but changed on the host"
        plan.held_back.append(HeldBack(path, reason, yields_to_force=True))


def _order_deletes(plan: Plan) -> None:
    """Delete first what is in the way of a file, the rest after all files have arrived."""
    written = {file.path for file in plan.send}
    above = with_parents(written) - written
    first = {
        path for path in plan.delete if path in above or not written.isdisjoint(_parents(path))
    }
    plan.delete_first = [path for path in plan.delete if path in first]
    plan.delete = [path for path in plan.delete if path not in first]


def _obstacle(known: PlanInput, path: bytes) -> bytes:
    """The topmost path above that is on the host and is not a folder; empty if there is none."""
    found, parent = b"", path.rpartition(b"/")[0]
    while parent:
        state = known.remote.get(parent)
        if state is not None and state.kind != "d":
            found = parent
        parent = parent.rpartition(b"/")[0]
    return found


def _parents(path: bytes) -> set[bytes]:
    return with_parents([path]) - {path}


def _is_chmod(intended: Record, written: Record | None) -> bool:
    """Whether the intended write was only to change the permissions."""
    return written is not None and (intended.kind, intended.hash, intended.mtime_ns) == (
        written.kind, written.hash, written.mtime_ns,
    )  # fmt: skip


def _own(known: PlanInput, path: bytes, state: State) -> Record | None:
    """The record that the host's file still matches, with the host's time; None for no such."""
    content = known.remote_hashes.get(path, b"")
    written = known.written.get(path)
    for record in (known.intended.get(path), written):
        if record is None or record.kind != state.kind:
            continue
        if record is not written and _is_chmod(record, written) and record.mode != state.mode:
            continue  # it was lost with its connection
        if record.kind == "l":
            if record.target == state.target:
                return record
        elif content:
            if record.hash == content:
                return replace(record, mtime_ns=state.mtime_ns)
        elif (record.size, record.mtime_ns) == (state.size, state.mtime_ns):
            return record
    return None
