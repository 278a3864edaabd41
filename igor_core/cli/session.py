"""One job of the agent, seen from the terminal: its events, questions, input and end."""

import select
from collections import Counter, deque
from contextlib import ExitStack
from typing import Any, Protocol

from igor_core.agent.client import Client
from igor_core.agent.protocol import INITIAL_CREDIT, Frame, Kind
from igor_core.cli.interrupts import Interrupts
from igor_core.cli.outlet import Outlet
from igor_core.cli.stdin import STDIN, Stdin
from igor_core.cli.terminal import Question, question_text, somebody_there
from igor_core.commands.table import verb_named
from igor_core.errors import CANCELLED

GRANT_AT = INITIAL_CREDIT // 8  # fewer frames than a grant per write, and a producer never runs dry


LOOK_AGAIN = 0.5  # seconds between checks that igor is in the foreground


class Renderer(Protocol):
    """Shows a job's events; see Lines and JsonLines."""

    def event(self, event: dict[str, Any]) -> None: ...

    def finished(self, verb: str, outcome: dict[str, Any]) -> None: ...

    def hide(self) -> None: ...

    def say(self, text: str) -> None: ...

    def tick(self) -> float | None: ...


class Session:
    """Runs one request to its end. `run` returns the outcome."""

    def __init__(
        self, client: Client, renderer: Renderer, outlet: Outlet, interrupts: Interrupts,
        stdin: Stdin | None = None,
    ) -> None:  # fmt: skip
        self.job = 0
        self._client = client
        self._renderer = renderer
        self._outlet = outlet
        self._interrupts = interrupts
        self._stdin = stdin or Stdin(client)
        self._prompts: deque[dict[str, Any]] = deque()
        self._verb = ""
        self._request = 0
        self._cancelled = False
        self._ungranted: Counter[int] = Counter()
        self._outcome: dict[str, Any] | None = None

    def run(self, verb: str, root: str, args: dict[str, Any]) -> dict[str, Any]:
        """Ask for a verb and follow it until its outcome is shown.

        Raises KeyboardInterrupt if the user quits early; BrokenPipeError if nobody reads the output
        any more and output is the verb's purpose.
        """
        self._verb = verb
        self._request = self._client.request(verb, root, args)
        while self._outcome is None or self._outlet.waits_for() is not None:
            self._turn()
        if self._cancelled and self._outcome["status"]:
            self._outcome["status"] = CANCELLED
        return self._outcome

    def _turn(self) -> None:
        """Wait until a descriptor can be read or written, and do so."""
        if self._prompts and self._outlet.waits_for() is None:
            self._ask(self._prompts.popleft())
            return
        wait = self._wait()  # first, since it may draw, which leaves something to write
        writable = self._outlet.waits_for()
        reading: list[Any] = [self._interrupts]
        if self._outcome is None:
            reading.append(self._client)
            if self._stdin.wanted():
                reading.append(STDIN)
        writing = [] if writable is None else [writable]
        ready, room, _ = select.select(reading, writing, [], wait)
        if room:
            self._write()
        self._read(ready)

    def _wait(self) -> float | None:
        """Return the seconds until the next timed work; None for never."""
        redraw = self._renderer.tick()
        look = LOOK_AGAIN if self._stdin.in_background() else None
        return min((wait for wait in (redraw, look) if wait is not None), default=None)

    def _read(self, ready: list[Any]) -> None:
        if self._interrupts in ready:
            self._interrupts.clear()
            self._cancel_if_asked()
            self._stdin.woken()
        if self._client in ready:
            for frame in self._client.receive():
                self._take(frame)
        if STDIN in ready and self._outcome is None and self._stdin.wanted():
            self._stdin.pass_on()

    def _write(self) -> None:
        self._outlet.write()
        if self._outlet.stdout_closed and verb_named(self._verb).writes_output:
            raise BrokenPipeError
        self._grant()

    def _grant(self) -> None:
        self._ungranted += self._outlet.take_consumed()
        for source, count in list(self._ungranted.items()):
            if count >= GRANT_AT and self._outcome is None:
                self._client.send(Kind.CREDIT, source, count)
                del self._ungranted[source]

    def _take(self, frame: Frame) -> None:
        kind, ident, *fields = frame
        if kind is Kind.EVENT and ident == self._request:
            self._event(fields[0])
        elif kind is Kind.FINISHED and ident == self._request:
            self._outcome = fields[0]
            self._prompts.clear()
            self._renderer.finished(self._verb, fields[0])
        elif kind is Kind.OPEN:
            self._stdin.opened(ident, fields[1])
        elif kind is Kind.BYTES:
            self._stdin.received(ident, fields[0])
        elif kind is Kind.CREDIT:
            self._stdin.granted(ident, fields[0])
        elif kind is Kind.CLOSE:
            self._stdin.closed(ident, fields[0], fields[1])

    def _event(self, event: dict[str, Any]) -> None:
        if event["type"] == "prompt":
            self._prompts.append(event)
        elif event["type"] == "accepted":
            self.job = event["job"]
        self._renderer.event(event)
        if event["type"] == "output":
            self._outlet.mark(len(event["data"]), self._request)
            self._grant()

    def _cancel_if_asked(self) -> None:
        if self._interrupts.asked and not self._cancelled and self._outcome is None:
            self._cancelled = True
            self._renderer.say("igor: cancelling; ctrl-c again leaves at once")
            self._client.send(Kind.CANCEL, self._request)

    def _ask(self, prompt: dict[str, Any]) -> None:
        """Ask a question at the terminal; write nothing else until it is answered."""
        self._renderer.hide()
        self._outlet.drain()
        answer = None
        if somebody_there():
            with ExitStack() as stack:
                question = stack.enter_context(Question(question_text(prompt), prompt["echo"]))
                answer = self._wait_for_answer(question)
        if self._outcome is None and not self._cancelled:
            self._client.send(Kind.ANSWER, self._request, prompt["prompt"], answer)

    def _wait_for_answer(self, question: Question) -> str | None:
        """Return the typed line; None if the job was cancelled or has ended meanwhile."""
        while self._outcome is None and not self._cancelled:
            watched: list[Any] = [self._interrupts, self._client, question]
            ready, _, _ = select.select(watched, [], [])
            if question in ready:
                return question.answer()
            self._read(ready)
        return None
