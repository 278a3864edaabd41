"""What a job tells while it runs: plain data, the same to Neovim, to a terminal and to `--json`.

On the wire an event is a map with its kind under "type". The last word of a job
is not an event but its `Outcome`, which travels in the FINISHED frame.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """Base of all events; `host` is empty where the event speaks of the whole job."""

    type: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"type": self.type, **asdict(self)}


@dataclass(frozen=True)
class Accepted(Event):
    """The agent took the request; `job` is the number that `igor cancel` takes."""

    type = "accepted"
    job: int
    verb: str


@dataclass(frozen=True)
class Step(Event):
    """One line: what igor does, or found, on a host."""

    type = "step"
    host: str
    text: str


@dataclass(frozen=True)
class Warning(Event):
    """Something the user should know that does not stop the job."""

    type = "warning"
    host: str
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Output(Event):
    """Bytes that a program wrote, as it wrote them; `stream` is "stdout" or "stderr"."""

    type = "output"
    host: str
    stream: str
    data: bytes


@dataclass(frozen=True)
class Progress(Event):
    """How far a transfer is; `rate` is in units a second, `total` 0 where it is not known."""

    type = "progress"
    host: str
    label: str
    done: int
    total: int
    unit: str
    rate: float


@dataclass(frozen=True)
class Prompt(Event):
    """A login question; the client answers with an ANSWER frame carrying the number `prompt`."""

    type = "prompt"
    prompt: int
    host: str
    text: str
    echo: bool


@dataclass(frozen=True)
class Result(Event):
    """One host has ended its part.

    `status` is an exit status: 0, the command's own, or igor's (1 failed, 130 cancelled,
    255 igor's own failure where the command has a status of its own).
    """

    type = "result"
    host: str
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
    """Whether the hosts of a group have the last save. `push_on_write` is what is in force.

    `error` says what is wrong with the config; there are no hosts then.
    """

    type = "freshness"
    group: str
    trusted: bool
    push_on_write: bool
    hosts: tuple[HostFreshness, ...]
    error: str = ""


@dataclass(frozen=True)
class Debuggee(Event):
    """A program waits for its debugger at `port` of this machine's 127.0.0.1.

    `rank` is the host's place in its group, `session` a name that is new each time.
    `configuration` is the debugger's, in the files that igor generates. `local_root` and
    `remote_root` are the same folder, here and where the program runs. `command` is what follows
    `python`. `process` is 0, or the number of a process that ran before and is attached to.
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
    """The connection to a debugged program was lost; it lives on, and can be attached to again.

    `grace` is for how many seconds, None: until it ends or is ended.
    """

    type = "lost-debuggee"
    host: str
    rank: int
    session: str
    grace: float | None


@dataclass(frozen=True)
class Outcome:
    """The end of a job: its exit status, its error if it has one, a result per host, and data.

    `places` are what was found in output, rows of a quickfix list with the failure first (see
    output/entry.py); there was no room for `dropped` more. Only of jobs that were asked for them.
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
