"""Why stacks could not be read, one sentence for all processes with the same reason, and a hint."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from igor_core.debug.processes.model import PythonProcess
from igor_core.debug.processes.stacks import numbers

_STATES = {"D": "in the kernel (D)", "T": "stopped (T)", "t": "stopped by a debugger (t)"}


@dataclass(frozen=True)
class Remedies:
    """What to do where the programs run: to have py-spy, and to let it look."""

    py_spy: str
    ptrace: str


ON_HOST = Remedies(
    "pip install py-spy on the host", "on the host: sudo sysctl kernel.yama.ptrace_scope=0"
)
IN_CONTAINER = Remedies(
    "igor docker exec pip install py-spy, or add it to the dockerfile",
    '"docker_run_args": ["--cap-add=SYS_PTRACE"] in the config, then: igor docker setup',
)


@dataclass(frozen=True)
class Unread:
    """Why some processes could not be read, and a hint."""

    text: str
    hint: str


def unread(processes: Sequence[PythonProcess], remedies: Remedies) -> list[Unread]:
    """Return the reasons for all processes whose stacks could not be read."""
    kinds: dict[str, list[PythonProcess]] = defaultdict(list)
    for process in processes:
        if not process.threads:
            kinds[process.problem].append(process)
    return [_said(kind, found, remedies) for kind, found in kinds.items()]


def _said(kind: str, found: Sequence[PythonProcess], remedies: Remedies) -> Unread:
    word = "process" if len(found) == 1 else "processes"
    text = f"{word} {numbers([process.pid for process in found])} can't be read: "
    said, state = found[0].said, found[0].state
    if kind == "no py-spy":
        hint = f"{remedies.py_spy}; programs that `igor run` or `igor debug` start need none"
        return Unread(text + "py-spy is not installed", hint)
    if kind == "silent":
        state = _STATES.get(state, f"state {state}")
        return Unread(f"{text}{said or 'no answer'}, {state}", "try again")
    if kind in _DENIED:
        return Unread(text + _DENIED[kind], remedies.ptrace)
    return Unread(f"{text}py-spy: {said}", "try again")


_DENIED = {
    "user": "owned by another user",
    "yama": "kernel.yama.ptrace_scope forbids it on this host",
    "denied": "the kernel forbids it",
}
