"""Events of a running job: plain data, the same for Neovim, a terminal and `--json`.

On the wire an event is a map with its kind under "type". A job ends not with an event but with
its `Outcome`, which travels in the FINISHED frame.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal


@dataclass(frozen=True)
class Event:
    """Base of all events; `host` is empty if the event is about the whole job."""

    type: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"type": self.type, **asdict(self)}


@dataclass(frozen=True)
class Accepted(Event):
    """The agent accepted the request; `job` is the number for `igor cancel`."""

    type = "accepted"
    job: int
    verb: str


@dataclass(frozen=True)
class Step(Event):
    """One line about what igor does or found on a host."""

    type = "step"
    host: str
    text: str


@dataclass(frozen=True)
class Warning(Event):
    """A problem that does not stop the job."""

    type = "warning"
    host: str
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Output(Event):
    """Bytes that a program wrote, unchanged; `stream` is "stdout" or "stderr"."""

    type = "output"
    host: str
    stream: str
    data: bytes


@dataclass(frozen=True)
class Progress(Event):
    """The progress of a transfer; `rate` is in units per second, `total` 0 if unknown."""

    type = "progress"
    host: str
    label: str
    done: int
    total: int
    unit: str
    rate: float


@dataclass(frozen=True)
class Prompt(Event):
    """A question; the client answers with an ANSWER frame that carries the number `prompt`."""

    type = "prompt"
    prompt: int
    host: str
    text: str
    echo: bool


#: How a host's part of a job ended: "done"; "exited", the user's program with a status other than
#: 0; "ended", by the debugger or the user who used it; "differs", as of diff(1); "cancelled";
#: "failed", in igor or on the host.
ResultKind = Literal["done", "exited", "ended", "differs", "cancelled", "failed"]


@dataclass(frozen=True)
class Result(Event):
    """The result of a job on one host.

    `status` is an exit status: 0, the command's own, or igor's (1 failed, 130 cancelled,
    255 igor's own failure, if the command has a status of its own).
    """

    type = "result"
    host: str
    kind: ResultKind
    status: int
    seconds: float
    text: str
    hint: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 0

    def to_wire(self) -> dict[str, Any]:
        return {**super().to_wire(), "ok": self.ok}


@dataclass(frozen=True)
class HostFreshness:
    """How far one host is behind the local tree.

    `state` is "fresh", "syncing", "stale", "offline", "needs login" or "not connected";
    `pending` counts paths, `since` (Unix time) is when it fell behind.
    """

    host: str
    state: str
    pending: int
    since: float | None
    held_back: tuple[str, ...]
    error: str


@dataclass(frozen=True)
class Freshness(Event):
    """Whether the hosts of a group have the last save, and whether push on write is in force.

    `error` says what is wrong with the config; `hosts` is empty then.
    """

    type = "freshness"
    group: str
    trusted: bool
    push_on_write: bool
    hosts: tuple[HostFreshness, ...]
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Debuggee(Event):
    """A program waits for its debugger at the local port 127.0.0.1:`port`.

    `rank` is the host's index in its group; `session` is unique. `configuration` names the
    debugger's configuration in the files that igor generates. `remote_root` is where the program
    sees the folder `local_root`. `command` follows `python` on the command line. `process` is the
    id of the process if it was attached to, else 0.
    """

    type = "debuggee"
    host: str
    rank: int
    session: str
    port: int
    configuration: str
    local_root: str
    remote_root: str
    just_my_code: bool
    subprocess: bool
    python: str
    command: tuple[str, ...]
    process: int = 0


@dataclass(frozen=True)
class LostDebuggee(Event):
    """The connection to a debugged program was lost; it can be attached to again.

    It is killed after `grace` seconds, or never if None.
    """

    type = "lost-debuggee"
    host: str
    rank: int
    session: str
    grace: float | None


@dataclass(frozen=True)
class Outcome:
    """The end of a job: its exit status, its error if it has one, a result per host, and data.

    `places` are the source locations in its output, as rows of a quickfix list with the failure
    first (see output/entry.py); `dropped` counts those left out. Only for jobs asked for them.
    """

    status: int
    error: str = ""
    hint: str = ""
    results: tuple[Result, ...] = ()
    data: Any = field(default=None)
    places: tuple[dict[str, Any], ...] = ()
    dropped: int = 0

    def to_wire(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "error": self.error,
            "hint": self.hint,
            "results": [result.to_wire() for result in self.results],
            "data": self.data,
            "places": list(self.places),
            "dropped": self.dropped,
        }
