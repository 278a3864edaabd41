"""What is expected at a path before something is done there. Pure."""

from collections.abc import Collection

from igor_core.push.channel.expectation import ANYTHING, NOTHING, Expectation, Version
from igor_core.push.channel.question import Seen
from igor_core.push.channel.state import State
from igor_core.push.in_flight import Refusal
from igor_core.push.manifest import Record
from igor_core.push.plan import Known


def is_simple(refusal: Refusal) -> bool:
    """Whether nothing but the path itself need be looked at."""
    state = refusal.state
    return not refusal.obstacle and (state is None or state.kind in ("f", "l"))


def expected_at(known: Known, path: bytes) -> Expectation:
    """What was found at a path, and so must still be there when it is written or deleted."""
    state = known.remote.get(path)
    if state is None or state.kind == "d":
        return NOTHING
    if state.kind == "l":
        return Expectation(absent=True, targets=(state.target,))
    if state.kind != "f":
        return ANYTHING if known.is_forced(path) else NOTHING
    return Expectation(absent=True, versions=(_version(known, path, state),))


def _version(known: Known, path: bytes, state: State) -> Version:
    content = known.remote_hashes.get(path, b"")
    for record in (known.intended.get(path), known.written.get(path)):
        if record and (record.size, record.mtime_ns) == (state.size, state.mtime_ns):
            content = content or record.hash
    return Version(state.size, state.mtime_ns, content)


def state_of(seen: Seen) -> State:
    """What is there if it is as igor recorded it; its mode is what igor has set."""
    mode = seen.mode if isinstance(seen, Record) else 0
    return State(seen.kind, seen.size, seen.mtime_ns, mode, seen.target)


def is_folder_there(known: Known, path: bytes) -> bool:
    state = known.remote.get(path)
    return state is not None and state.kind == "d"


def is_below(path: bytes, files: Collection[bytes]) -> bool:
    at = path.find(b"/")
    while at >= 0:
        if path[:at] in files:
            return True
        at = path.find(b"/", at + 1)
    return False
