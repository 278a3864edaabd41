"""What a push does with each path: the rules, pure.

Igor overwrites and deletes only what it wrote itself and what still is as it wrote it: first
by size and time, where they disagree by content. Everything else is held back and named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from igor_core.push.channel.state import State
from igor_core.push.manifest import Record
from igor_core.worktree.files import File, shown, with_parents


@dataclass(frozen=True)
class HeldBack:
    """A path that stays as it is on the host, why, and whether force would overcome it."""

    path: bytes
    reason: str
    yields_to_force: bool = False


@dataclass
class Plan:
    """What is to be done. `undecided` paths need the hash of their content there (and here).

    `take_over` are files on the host that turn out to be igor's own, sent anew or not.
    """

    send: list[File] = field(default_factory=list)
    delete: list[bytes] = field(default_factory=list)
    delete_first: list[bytes] = field(default_factory=list)
    take_over: dict[bytes, Record] = field(default_factory=dict)
    forget: list[bytes] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    undecided: list[bytes] = field(default_factory=list)
    unchanged: int = 0

    @property
    def deletions(self) -> int:
        return len(self.delete) + len(self.delete_first)


@dataclass(frozen=True)
class Known:
    """All that a plan is made from. Hashes are asked for only where a plan is undecided.

    `kept` are paths that are not in `local` but may exist, and so are not to be deleted.
    A path has an empty hash in `remote_hashes` where its content could not be read. `force` is for
    all paths, `ours` names some. With `tries_folders` a folder that is in the way of a file may be
    an empty one, which the host removes.
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


def make_plan(known: Known) -> Plan:
    """The plan; to be made again with hashes while it has undecided paths."""
    plan = Plan()
    for path in sorted({*known.written, *known.intended} - set(known.local) - known.kept):
        _plan_delete(plan, known, path)
    gone = set(plan.delete)
    for _path, file in sorted(known.local.items()):
        _plan_write(plan, known, file, gone)
    _order_deletes(plan)
    return plan


def _plan_write(plan: Plan, known: Known, file: File, gone: set[bytes]) -> None:
    path, state = file.path, known.remote.get(file.path)
    obstacle = _obstacle(known, path)
    if obstacle and obstacle not in gone:
        plan.held_back.append(HeldBack(path, f"{shown(obstacle)} is not a folder on the host"))
    elif state is None or obstacle:
        # What was seen behind a link that will be gone is not in the way.
        plan.send.append(file)
    elif state.kind == "d":
        _plan_over_folder(plan, known, file, gone)
    elif (record := _own(known, path, state)) is not None:
        if known.written.get(path) != record:
            plan.take_over[path] = record
        if record.is_local(file) and _is_content(known, path, record):
            plan.unchanged += 1
        else:
            plan.send.append(file)
    elif state.kind == "f" and path not in known.remote_hashes and not known.is_forced(path):
        plan.undecided.append(path)
    else:
        _plan_over_other(plan, known, file, state)


def _is_content(known: Known, path: bytes, record: Record) -> bool:
    """Whether the local content, where it has been read, is what the record says.

    Two writes in one tick of the kernel's clock leave a file with the same size and time.
    """
    return record.kind != "f" or known.local_hashes.get(path, record.hash) == record.hash


def _plan_over_other(plan: Plan, known: Known, file: File, state: State) -> None:
    """What is there is not as igor left it, or igor never wrote it."""
    path = file.path
    if _is_equal(known, file, state):
        # Who put it there chose its permissions, but for the one that git keeps too.
        if (state.mode ^ file.mode) & 0o100 and file.kind == "f":
            plan.send.append(file)
        else:
            content = known.remote_hashes.get(path, b"")
            plan.take_over[path] = replace(Record.of(file, content), mtime_ns=state.mtime_ns)
            plan.unchanged += 1
    elif known.is_forced(path):
        plan.send.append(file)
    else:
        changed = path in known.written or path in known.intended
        reason = "changed on the host" if changed else "there already, and different"
        plan.held_back.append(HeldBack(path, reason, True))


def _is_equal(known: Known, file: File, state: State) -> bool:
    if state.kind != file.kind:
        return False
    if file.kind == "l":
        return state.target == file.target
    content = known.remote_hashes.get(file.path, b"")
    return bool(content) and content == known.local_hashes.get(file.path)


def _plan_over_folder(plan: Plan, known: Known, file: File, gone: set[bytes]) -> None:
    """A file here, a folder there: only if it is empty, or gets so by igor's own deletes."""
    inside = file.path + b"/"
    if known.tries_folders or any(path.startswith(inside) for path in gone):
        plan.send.append(file)
    else:
        plan.held_back.append(HeldBack(file.path, "a folder on the host"))


def _plan_delete(plan: Plan, known: Known, path: bytes) -> None:
    state = known.remote.get(path)
    if state is None or state.kind == "d" or _obstacle(known, path):
        plan.forget.append(path)
    elif _own(known, path, state) is not None or known.is_forced(path):
        plan.delete.append(path)
    elif state.kind == "f" and path not in known.remote_hashes:
        plan.undecided.append(path)
    else:
        plan.held_back.append(HeldBack(path, "deleted here, but changed on the host", True))


def _order_deletes(plan: Plan) -> None:
    """What stands in the way of a file goes first, the rest when all files have arrived."""
    written = {file.path for file in plan.send}
    above = with_parents(written) - written
    first = {
        path for path in plan.delete if path in above or not written.isdisjoint(_parents(path))
    }
    plan.delete_first = [path for path in plan.delete if path in first]
    plan.delete = [path for path in plan.delete if path not in first]


def _obstacle(known: Known, path: bytes) -> bytes:
    """The topmost path above that exists on the host and isn't a folder; empty for none."""
    found, parent = b"", path.rpartition(b"/")[0]
    while parent:
        state = known.remote.get(parent)
        if state is not None and state.kind != "d":
            found = parent
        parent = parent.rpartition(b"/")[0]
    return found


def _parents(path: bytes) -> set[bytes]:
    return with_parents([path]) - {path}


def _own(known: Known, path: bytes, state: State) -> Record | None:
    """The record of igor's own writing that the host's file still answers to, as it is there."""
    content = known.remote_hashes.get(path, b"")
    for records in (known.intended, known.written):
        record = records.get(path)
        if record is None or record.kind != state.kind:
            continue
        if record.kind == "l":
            if record.target == state.target:
                return record
        elif (record.size, record.mtime_ns) == (state.size, state.mtime_ns):
            return record
        elif content and record.hash == content:
            return replace(record, mtime_ns=state.mtime_ns)
    return None
