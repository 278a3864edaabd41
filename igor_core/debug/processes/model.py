"""What a look at a host's Python processes found, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from igor_core.shapes import items, members, moment, number, optional, parsed, text, truth
from igor_core.ssh.process import MOST_OUTPUT


@dataclass(frozen=True)
class Frame:
    """One call: where it stands. `line` is 0 where that is not known."""

    path: str
    line: int
    function: str


@dataclass(frozen=True)
class Thread:
    """A thread and its calls, the innermost first. `active` and `gil` are None where not known."""

    name: str
    ident: int
    active: bool | None
    gil: bool | None
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Means:
    """What a debugger would need to attach to a process, and what of it is there.

    `version` is of the process's Python, `adapter` of the project's, `python` its path;
    `debugpy` is the folder that has it, `denied` a word for why the process may not be looked
    into, `gdb_version` its major number. What is not there is empty or 0.
    """

    version: tuple[int, ...]
    adapter: tuple[int, ...]
    python: str
    debugpy: str
    denied: str
    may_write: bool
    gdb: str
    gdb_version: int


@dataclass(frozen=True)
class PythonProcess:
    """A process as /proc has it: `started` is Unix time, `state` proc(5)'s letter.

    `by` says what read its stacks ("py-spy", "faulthandler"); where nothing could, `problem` is
    a word for why, and `said` what was said. `session` names igor's debug session that it is of;
    `remote_exec` is false where it wants no code from others (PEP 768).
    """

    pid: int
    ppid: int
    argv: tuple[str, ...]
    state: str
    started: float
    uid: int
    exe: str
    rank: str
    session: str
    remote_exec: bool = True
    threads: tuple[Thread, ...] = ()
    by: str = ""
    problem: str = ""
    said: str = ""
    means: Means | None = None

    @property
    def command(self) -> str:
        return " ".join(self.argv)


@dataclass(frozen=True)
class ProbeResult:
    """`root_may`: root of that container has the capability to look into all its processes."""

    processes: tuple[PythonProcess, ...]
    root_may: bool
    uid: int

    def completed_by(self, other: "ProbeResult") -> "ProbeResult":
        """What could not be read here, as the other look has read it."""
        read = {process.pid: process for process in other.processes if process.threads}
        processes = tuple(
            process if process.threads else read.get(process.pid, process)
            for process in self.processes
        )
        return replace(self, processes=processes)


_WORD = text(1 << 16)
_PID = number(0, 1 << 32)
_VERSION = items(number(0, 1 << 16), 8)
_THREAD = members(
    {
        "name": _WORD, "id": number(-(1 << 63), (1 << 64) - 1), "active": optional(truth),
        "gil": optional(truth),
        "frames": items(
            members(
                {"path": _WORD, "line": number(0, 1 << 32), "function": _WORD}, others=True
            )
        ),
    },
    others=True,
)  # fmt: skip
_MEANS = members(
    {
        "version": _VERSION, "adapter": _VERSION, "python": _WORD, "debugpy": _WORD,
        "denied": _WORD, "may_write": truth, "gdb": _WORD, "gdb_version": number(0, 1 << 16),
    }
)  # fmt: skip
_PROCESS = members(
    {
        "pid": _PID, "ppid": _PID, "argv": items(text(1 << 21)), "state": text(4),
        "started": moment, "uid": number(-1, 1 << 32), "exe": _WORD, "rank": _WORD,
        "session": _WORD, "remote_exec": truth,
    },
    {
        "threads": items(_THREAD), "by": _WORD, "problem": _WORD, "said": optional(text(1 << 20)),
        "means": _MEANS,
    },
    others=True,
)  # fmt: skip
_LOOK = members(
    {
        "processes": items(_PROCESS), "root_may": truth,
        "uid": number(0, 1 << 32),
    },
    others=True,
)  # fmt: skip


def probe_result(data: bytes) -> ProbeResult:
    """From what the program there wrote. Raises ValueError where that is something else."""
    said = parsed(data, _LOOK, "what it says", MOST_OUTPUT)
    processes = tuple(_process(item) for item in said["processes"])
    return ProbeResult(processes, said["root_may"], said["uid"])


def _process(item: Mapping[str, Any]) -> PythonProcess:
    return PythonProcess(
        item["pid"], item["ppid"], tuple(item["argv"]), item["state"], item["started"],
        item["uid"], item["exe"], item["rank"], item["session"], item["remote_exec"],
        tuple(_thread(thread) for thread in item.get("threads", ())),
        item.get("by", ""), item.get("problem", ""), item.get("said") or "",
        _means(item["means"]) if "means" in item else None,
    )  # fmt: skip


def _means(item: Mapping[str, Any]) -> Means:
    return Means(
        tuple(item["version"]), tuple(item["adapter"]), item["python"], item["debugpy"],
        item["denied"], item["may_write"], item["gdb"], item["gdb_version"],
    )  # fmt: skip


def _thread(item: Mapping[str, Any]) -> Thread:
    frames = (Frame(frame["path"], frame["line"], frame["function"]) for frame in item["frames"])
    return Thread(item["name"], item["id"], item["active"], item["gil"], tuple(frames))
