"""What is expected at each path before it is written or deleted. Pure."""

from collections.abc import Collection, Iterable, Mapping

from igor_core.push.channel.precondition import ANYTHING, NOTHING, Precondition, Version
from igor_core.push.channel.state import State
from igor_core.push.channel.survey_request import Seen
from igor_core.push.plan import Change, Plan, PlanInput
from igor_core.push.record import Record
from igor_core.push.transfer import Refusal
from igor_core.push.transport.work import Delete, Work, Write
from igor_core.worktree.files import File


def work_of(
    plan: Plan, known: PlanInput, contents: Mapping[bytes, Change], folders: Collection[bytes]
) -> Work:
    """The plan as writes and deletes, each with its precondition."""

    def deletes(paths: Iterable[bytes]) -> list[Delete]:
        return [Delete(path, expected_at(known, path), known.remote.get(path)) for path in paths]

    def write(file: File) -> Write:
        expect, read = expected_at(known, file.path), contents.get(file.path)
        return Write(file, expect, read.content, read.hash) if read else Write(file, expect)

    return Work(
        deletes(plan.delete_first),
        [write(file) for file in plan.send],
        deletes(plan.delete),
        frozenset(folders),
    )


def expected_at(known: PlanInput, path: bytes) -> Precondition:
    """What the plan has found at a path, and so must still be there."""
    state = known.remote.get(path)
    if state is None or state.kind == "d":
        return NOTHING
    if state.kind == "l":
        return Precondition(absent=True, targets=(state.target,))
    if state.kind != "f":
        return ANYTHING if known.is_forced(path) else NOTHING
    return Precondition(absent=True, versions=(_version(known, path, state),))


def _version(known: PlanInput, path: bytes, state: State) -> Version:
    content = known.remote_hashes.get(path, b"")
    for record in (known.intended.get(path), known.written.get(path)):
        if record and (record.size, record.mtime_ns) == (state.size, state.mtime_ns):
            content = content or record.hash
    return Version(state.size, state.mtime_ns, content)


def is_simple(refusal: Refusal) -> bool:
    """Whether the refusal itself tells all that is needed to plan its path again."""
    state = refusal.state
    return not refusal.obstacle and (state is None or state.kind in ("f", "l"))


def state_of(seen: Seen) -> State:
    """The state of a path that is as igor recorded it; its mode is what igor has set."""
    mode = seen.mode if isinstance(seen, Record) else 0
    return State(seen.kind, seen.size, seen.mtime_ns, mode, seen.target)


def is_folder_on_host(known: PlanInput, path: bytes) -> bool:
    state = known.remote.get(path)
    return state is not None and state.kind == "d"


def is_below(path: bytes, files: Collection[bytes]) -> bool:
    """Whether one of the files stands where a folder above the path has to be."""
    at = path.find(b"/")
    while at >= 0:
        if path[:at] in files:
            return True
        at = path.find(b"/", at + 1)
    return False
