"""Why stacks could not be read, a sentence for all processes of a kind, and what helps."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from igor_core.debug.processes.model import PythonProcess
from igor_core.debug.processes.stacks import numbers

MAY_LOOK = '"docker_run_args": ["--cap-add=SYS_PTRACE"] in the config, then: igor docker setup'
_STATES = {"D": "in the kernel (D)", "T": "stopped (T)", "t": "stopped by a debugger (t)"}


@dataclass(frozen=True)
class Unread:
    """Processes that are the same kind of trouble."""

    text: str
    hint: str


def unread(processes: Sequence[PythonProcess], in_container: bool) -> list[Unread]:
    """What there is to say of those whose stacks could not be read."""
    kinds: dict[str, list[PythonProcess]] = defaultdict(list)
    for process in processes:
        if not process.threads:
            kinds[process.problem].append(process)
    return [_said(kind, found, in_container) for kind, found in kinds.items()]


def _said(kind: str, found: Sequence[PythonProcess], in_container: bool) -> Unread:
    word = "process" if len(found) == 1 else "processes"
    who = f"{word} {numbers([process.pid for process in found])}"
    pip = "igor docker exec pip install py-spy, or put it into the dockerfile"
    if not in_container:
        pip = "pip install py-spy there"
    if kind == "no py-spy":
        they = "it" if len(found) == 1 else "they"
        text = f"{who}: there is no py-spy, and {they} can't be asked"
        return Unread(text, f"{pip}; what `igor run` and `igor debug` have started needs none")
    if kind == "silent":
        state = _STATES.get(found[0].state, f"state {found[0].state}")
        return Unread(f"{who}: {found[0].said or 'no answer'}, {state}", "ask again")
    if kind in _DENIED:
        hint = MAY_LOOK if in_container else "there: sudo sysctl kernel.yama.ptrace_scope=0"
        return Unread(f"{who} can't be read by py-spy: {_DENIED[kind]}", hint)
    return Unread(f"{who}: py-spy can't read {_them(found)}: {found[0].said}", "ask again")


def _them(found: Sequence[PythonProcess]) -> str:
    return "it" if len(found) == 1 else "them"


_DENIED = {
    "user": "another user's",
    "yama": "kernel.yama.ptrace_scope forbids it on this host",
    "denied": "the kernel forbids it",
}
