"""The request that a recipe gets: its arguments, and the way back to the client."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from igor_core.errors import UsageError
from igor_core.events import Event
from igor_core.output import SourceTree


class TerminalProgram(Protocol):
    """The process that a stream's window changes and signals go to."""

    def resize(self, columns: int, rows: int) -> None: ...

    def signal(self, name: str) -> None: ...


class ClientStream(Protocol):
    """The client's end of a program: its keys come in, the program's output goes out."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield what the client sends, to its end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send output to the client; wait while it does not read."""
        ...

    def close(self, status: int, reason: str = "") -> None:
        """Tell the client that the program has ended, or why it is out of reach."""
        ...


class Job(Protocol):
    """One running verb. Its events go to the client that asked, while it is connected."""

    verb: str
    root: str
    args: Mapping[str, Any]
    env: Mapping[str, str]

    def emit(self, event: Event) -> None:
        """Send an event to the client; never wait."""
        ...

    async def output(self, host: str, stream: str, data: bytes, *, joined: bool = False) -> None:
        """Pass on a program's output; wait while the client does not read.

        `joined`: lines on one stream refer to lines on the other.
        """
        ...

    def find_places(self, host: str, tree: SourceTree) -> None:
        """Find source locations in the host's output from now on; `tree` maps the host's paths."""
        ...

    async def ask(self, host: str, text: str, echo: bool) -> str | None:
        """Ask the user at the client; None if there is nobody or no answer."""
        ...

    @property
    def answers(self) -> bool:
        """Return whether a user can answer questions."""
        ...

    def stdin(self, host: str) -> AsyncIterator[bytes]:
        """Yield the client's standard input, to its end."""
        ...

    def open(self, host: str, program: TerminalProgram) -> ClientStream:
        """Give the client's terminal to a program on a host."""
        ...


async def confirm(job: Job, host: str, question: str) -> bool:
    """Ask the user at the client; no answer means no."""
    answer = await job.ask(host, f"{question} [y/N] ", echo=True)
    return (answer or "").strip().lower() in ("y", "yes")


def text_argument(job: Job, name: str) -> str | None:
    found: str | None = _argument(job, name, str, "a text")
    return found


def flag(job: Job, name: str) -> bool:
    return bool(_argument(job, name, bool, "true or false"))


def choice(job: Job, name: str) -> bool | None:
    """Return an argument that is true or false, None if it was not given."""
    found: bool | None = _argument(job, name, bool, "true or false")
    return found


def list_argument(job: Job, name: str) -> list[str]:
    found = _argument(job, name, list, "a list of texts") or []
    if not all(isinstance(item, str) for item in found):
        raise UsageError(f"{job.verb}: '{name}' must be a list of texts")
    return list(found)


def table_argument(job: Job, name: str) -> Mapping[str, str]:
    found = _argument(job, name, dict, "a table of texts") or {}
    if not all(isinstance(item, str) for pair in found.items() for item in pair):
        raise UsageError(f"{job.verb}: '{name}' must be a table of texts")
    return dict(found)


def number_argument(job: Job, name: str, least: int, most: int) -> int:
    found = job.args.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
        raise UsageError(f"{job.verb}: '{name}' must be a number from {least} to {most}")
    return found


def _argument(job: Job, name: str, wanted: type, described: str) -> Any:
    value = job.args.get(name)
    if value is not None and not isinstance(value, wanted):
        raise UsageError(f"{job.verb}: '{name}' must be {described}, not {value!r}")
    return value


def shell_line(line: str) -> list[str]:
    """Return a line that the user wrote for a shell as an argument list."""
    return ["sh", "-c", line]


MOST = 1 << 22  # proc(5), pid_max


def pid_argument(job: Job) -> int | None:
    """Return the process that the job names, None if it names none. Raises UsageError."""
    found = job.args.get("pid")
    if isinstance(found, str) and found.isdecimal():
        found = int(found)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= MOST:
        raise UsageError(f"{job.verb}: {found!r} is not the number of a process")
    return found


def pids_argument(job: Job) -> list[int] | None:
    pid = pid_argument(job)
    return None if pid is None else [pid]
