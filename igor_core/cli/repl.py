"""`igor docker repl`: give the terminal to a program on a host, and take it back."""

import os
from typing import Any

from igor_core.agent.client import AgentLost, Client, connect
from igor_core.agent.protocol import Kind
from igor_core.cli import embedded, job
from igor_core.cli.interrupts import Interrupts
from igor_core.cli.lines import Lines
from igor_core.cli.outlet import STDOUT, Outlet
from igor_core.cli.raw_terminal import RawTerminal, key, terminal_size
from igor_core.cli.session import Session
from igor_core.cli.stdin import STDIN, Stdin
from igor_core.commands.parse import Invocation
from igor_core.errors import OWN_FAILURE, IgorError, UsageError

OF_TERMINAL = ("TERM", "COLORTERM", "LANG")
AGAIN = b"r"
# q, ctrl-d, and the end of the input; ctrl-c interrupts.
LEAVE = (b"q", b"\x04", b"")


def run(invocation: Invocation) -> int:
    """Run a program on the terminal; return its exit status, or 255 if igor itself failed."""
    if invocation.values.get("end"):
        return job.run(invocation)
    _need_terminal(invocation)
    root = job.directory(invocation)
    arguments = job.verb_arguments(invocation)
    status, lost = _once(root, arguments)
    while lost:
        if not _again(lost):
            return OWN_FAILURE
        os.write(STDOUT, embedded.note(embedded.STARTING))
        status, lost = _once(root, arguments, again=True)
    return status


def _again(lost: str) -> bool:
    """Ask whether to start again. Ignore other keys: they were typed for the lost program."""
    question = f"{embedded.note(embedded.LOST).decode()}igor: {lost}; r starts again, q leaves\n"
    pressed = key(question)
    while pressed not in (AGAIN, *LEAVE):
        pressed = key("")
    return pressed == AGAIN


def _need_terminal(invocation: Invocation) -> None:
    if invocation.values.get("json"):
        raise UsageError("'igor docker repl' has no --json", "igor docker exec --json CMD…")
    if not (os.isatty(STDIN) and os.isatty(STDOUT)):
        raise UsageError(
            "igor docker repl needs a terminal for its input and output",
            "without one: igor docker exec CMD…",
        )


def _once(root: str, arguments: dict[str, Any], *, again: bool = False) -> tuple[int, str]:
    """Run the program once; return its exit status, and why it was lost ("" if it was not)."""
    outlet = Outlet()
    with RawTerminal() as raw, Interrupts() as interrupts:
        try:
            client = connect("cli", answers=True)
        except IgorError as error:
            if not again:
                raise
            return OWN_FAILURE, error.message
        lines = ProgramLines(outlet, lambda: False)
        program = Program(client, outlet, raw, lines)
        session = Session(client, lines, outlet, interrupts, program)
        try:
            outcome = session.run("repl", root, {**arguments, **_of_terminal()})
        except AgentLost:
            if not program.host:
                raise
            _end_line(raw)
            return OWN_FAILURE, f"the connection to {program.host} was lost"
        except IgorError:
            lines.hide()
            outlet.drain()
            raise
    missed = again and not program.host and outcome["status"] == OWN_FAILURE
    return outcome["status"], program.lost or ("it did not work" if missed else "")


def _of_terminal() -> dict[str, Any]:
    """Return the terminal's properties that the program needs, as arguments of the verb."""
    columns, rows = terminal_size()
    names = [name for name in os.environ if name in OF_TERMINAL or name.startswith("LC_")]
    return {"columns": columns, "rows": rows, "env": {name: os.environ[name] for name in names}}


def _end_line(raw: RawTerminal) -> None:
    raw.leave(abnormal=True)
    os.write(STDOUT, b"\n")


class Program(Stdin):
    """The program at the other end of the stream.

    `host` is "" until it runs; `lost` says why the connection to it was lost, if it was.
    """

    def __init__(
        self, client: Client, outlet: Outlet, raw: RawTerminal, lines: "ProgramLines"
    ) -> None:
        super().__init__(client)
        self.host = self.lost = ""
        self._outlet = outlet
        self._raw = raw
        self._lines = lines
        self._size = terminal_size()

    def opened(self, stream: int, parameters: dict[str, Any]) -> None:
        """End igor's own lines, then give the terminal to the program."""
        self._lines.hide()
        self._outlet.drain()
        super().opened(stream, parameters)
        self.host = str(parameters.get("host", ""))
        self._raw.enter()
        self._outlet.put(STDOUT, embedded.note(embedded.RUNNING))
        self.woken()

    def received(self, stream: int, data: bytes) -> None:
        at = self._raw.shows(data)
        if at:
            self._outlet.put(STDOUT, data[:at] + embedded.note(self._reads()))
        self._outlet.put(STDOUT, data[at:])
        self._outlet.mark(len(data), stream)

    def _reads(self) -> str:
        if not self._raw.modes.takes_pastes:
            return embedded.BUSY
        return embedded.EDITOR if self._raw.modes.has_set_keys else embedded.PROMPT

    def closed(self, stream: int, status: int, reason: str) -> None:
        super().closed(stream, status, reason)
        self._outlet.drain()
        self.lost = reason
        self._lines.silent = bool(reason)
        if reason:
            _end_line(self._raw)
        self._raw.leave()

    def woken(self) -> None:
        """Tell the program the window's size, if it has changed."""
        size = terminal_size()
        if self.is_open and size != self._size:
            self._size = size
            self._client.send(Kind.WINDOW, self._stream, *size)


class ProgramLines(Lines):
    """Igor's lines before and after the program; `silent` if another line says how it ended."""

    silent = False

    def finished(self, verb: str, outcome: dict[str, Any]) -> None:
        """Show the outcome, unless another line has already said how the program ended."""
        if not self.silent:
            told = [result for result in outcome["results"] if result["text"]]
            super().finished(verb, {**outcome, "results": told})
