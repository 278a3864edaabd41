"""What the process probe found on a host, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from igor_core.shapes import items, members, moment, number, optional, parsed, text, truth
from igor_core.ssh.process import MOST_OUTPUT


@dataclass(frozen=True)
class Frame:
    """One call and its position; `line` is 0 if unknown."""

    path: str
    line: int
    function: str


@dataclass(frozen=True)
class Thread:
    """A thread and its calls, innermost first. `active` and `gil` are None if unknown."""

    name: str
    ident: int
    active: bool | None
    gil: bool | None
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Means:
    """What a debugger needs to attach to a process, as far as it is available.

    `version` is that of the process's Python, `adapter` that of the project's Python, which is at
    `python`. `debugpy` is the folder with debugpy, `denied` a word for why the process may not be
    traced, `gdb_version` gdb's major version. What is missing is empty or 0.
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
    """A process as /proc shows it: `started` is Unix time, `state` the letter of proc(5).

    `by` names the reader of its stacks ("py-spy", "faulthandler"); without one `problem` is a word
    for the reason, and `said` the reader's message. `session` names the igor debug session it
    belongs to; `remote_exec` is false if it refuses code from other processes (PEP 768).
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
    """The processes; `root_may` if container root has the capability SYS_PTRACE (for all of them).

    `uid` is the user that looked.
    """

    processes: tuple[PythonProcess, ...]
    root_may: bool
    uid: int

    def completed_by(self, other: "ProbeResult") -> "ProbeResult":
        """Return this result with the stacks that only the other one has."""
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
_RESULT = members(
    {
        "processes": items(_PROCESS), "root_may": truth,
        "uid": number(0, 1 << 32),
    },
    others=True,
)  # fmt: skip


# Members that are taken as they are.
_PLAIN = ("pid", "ppid", "state", "started", "uid", "exe", "rank", "session", "remote_exec")


def probe_result(data: bytes) -> ProbeResult:
    """Read the probe's output. Raises ValueError if it is malformed."""
    said = parsed(data, _RESULT, "the probe's output", MOST_OUTPUT)
    processes = tuple(_process(item) for item in said["processes"])
    return ProbeResult(processes, said["root_may"], said["uid"])


def _process(item: Mapping[str, Any]) -> PythonProcess:
    return PythonProcess(
        **{name: item[name] for name in _PLAIN},
        argv=tuple(item["argv"]),
        threads=tuple(_thread(thread) for thread in item.get("threads", ())),
        by=item.get("by", ""),
        problem=item.get("problem", ""),
        said=item.get("said") or "",
        means=_means(item["means"]) if "means" in item else None,
    )


def _means(item: Mapping[str, Any]) -> Means:
    versions = {name: tuple(item[name]) for name in ("version", "adapter")}
    return Means(**{**item, **versions})


def _thread(item: Mapping[str, Any]) -> Thread:
    frames = (Frame(frame["path"], frame["line"], frame["function"]) for frame in item["frames"])
    return Thread(item["name"], item["id"], item["active"], item["gil"], tuple(frames))
