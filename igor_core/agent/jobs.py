"""Jobs: running verbs, their listeners, and how they end."""

import asyncio
import functools
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Protocol

from igor_core import directories
from igor_core.agent.credit import Credit
from igor_core.agent.finding import Finding
from igor_core.agent.protocol import INITIAL_CREDIT, Kind
from igor_core.agent.stream import Controlled, Peer, Stream
from igor_core.commands.table import verb_named
from igor_core.errors import Cancelled, IgorError
from igor_core.events import Accepted, Event, Outcome, Output, Prompt, Result
from igor_core.output import SourceTree

log = logging.getLogger(__name__)

REMEMBERED = 20


class Listener(Peer, Protocol):
    """The client's connection as a job sees it."""

    name: str
    answers: bool
    env: Mapping[str, str]

    def finished(self, ident: int, outcome: dict[str, Any]) -> None: ...


class AgentJob:
    """One running verb; see verbs/job.py for what it offers to the verb."""

    def __init__(
        self, number: int, request: int, verb: str, root: str, args: Mapping[str, Any],
        listener: Listener,
    ) -> None:  # fmt: skip
        self.number = number
        self.verb = verb
        self.root = root
        self.args = args
        self.env = listener.env
        self.client = listener.name
        self.started = time.monotonic()
        self.ended: float | None = None
        self.outcome: Outcome | None = None
        self.task: asyncio.Task[Outcome] | None = None
        self._request = request
        self._listener: Listener | None = listener
        self._credit = Credit(INITIAL_CREDIT)
        self._prompts = itertools.count(1)
        self._asked: dict[int, asyncio.Future[str | None]] = {}
        self._streams: list[Stream] = []
        self._finding = Finding()
        self._results: list[Result] = []

    @property
    def answers(self) -> bool:
        return self._listener is not None and self._listener.answers

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of the hosts that have ended so far."""
        return tuple(self._results)

    def emit(self, event: Event) -> None:
        if isinstance(event, Result):
            self._results.append(event)
        if self._listener is not None:
            self._listener.send(Kind.EVENT, self._request, event.to_wire())

    async def output(self, host: str, stream: str, data: bytes, *, joined: bool = False) -> None:
        await self._credit.take(len(data))
        self.emit(Output(host, stream, data))
        await self._finding.read(host, stream, data, joined)

    def find_places(self, host: str, tree: SourceTree) -> None:
        self._finding.know(host, tree)

    async def ask(self, host: str, text: str, echo: bool) -> str | None:
        if not self.answers:
            return None
        number = next(self._prompts)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.emit(Prompt(number, host, text, echo))
        try:
            return await self._asked[number]
        finally:
            del self._asked[number]

    def stdin(self, host: str) -> AsyncIterator[bytes]:
        return self.open(host).chunks()

    def open(self, host: str, program: Controlled | None = None) -> Stream:
        if self._listener is None:
            raise Cancelled("the client has gone")
        stream = Stream(self._listener, program)
        self._streams.append(stream)
        self._listener.send(Kind.OPEN, stream.ident, self._request, {"host": host})
        return stream

    # The client's side.

    def answered(self, prompt: int, text: str | None) -> None:
        future = self._asked.get(prompt)
        if future is not None and not future.done():
            future.set_result(text)

    def granted(self, count: int) -> None:
        self._credit.grant(count)

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def detach(self) -> None:
        """Note that the client has gone: nobody listens, answers or types any more."""
        self._listener = None
        self._credit.lift()
        for prompt in list(self._asked):
            self.answered(prompt, None)
        self._end_streams()
        if verb_named(self.verb).ends_with_client:
            self.cancel()

    def finish(self, outcome: Outcome) -> None:
        self.outcome, self.ended = outcome, time.monotonic()
        # A login that others wait for too may still be asking this job's client.
        for prompt in list(self._asked):
            self.answered(prompt, None)
        if self._listener is not None:
            self._end_streams()
            if not outcome.places:
                places, dropped = self._finding.found()
                outcome = replace(outcome, places=places, dropped=dropped)
            self._listener.finished(self._request, outcome.to_wire())
            self._listener = None

    def _end_streams(self) -> None:
        for stream in self._streams:
            stream.gone()

    def describe(self) -> dict[str, Any]:
        return {
            "job": self.number,
            "verb": self.verb,
            "root": self.root,
            "client": self.client,
            "seconds": (self.ended or time.monotonic()) - self.started,
            "running": self.outcome is None,
            "status": self.outcome.status if self.outcome else None,
        }


class Jobs:
    """The jobs of an agent: those that run, and the last few that have ended."""

    def __init__(self, run: Callable[[AgentJob], Coroutine[Any, Any, Outcome]]) -> None:
        self._run = run
        self._numbers = itertools.count(1)
        self._jobs: dict[int, AgentJob] = {}

    def start(
        self, request: int, verb: str, root: str, args: Mapping[str, Any], listener: Listener
    ) -> AgentJob:
        job = AgentJob(next(self._numbers), request, verb, root, args, listener)
        self._jobs[job.number] = job
        job.emit(Accepted(job.number, verb))
        job.task = asyncio.ensure_future(self._run(job))
        # Not in the task itself: a task cancelled before its first step runs none of its code.
        job.task.add_done_callback(functools.partial(self._ended, job))
        return job

    def running(self) -> list[AgentJob]:
        return [job for job in self._jobs.values() if job.outcome is None]

    def working(self) -> list[AgentJob]:
        """Return the running jobs that a user waits for."""
        return [job for job in self.running() if verb_named(job.verb).is_work]

    def all(self) -> list[AgentJob]:
        return list(self._jobs.values())

    def get(self, number: int) -> AgentJob | None:
        return self._jobs.get(number)

    def _ended(self, job: AgentJob, task: "asyncio.Future[Outcome]") -> None:
        job.finish(_outcome(job, task))
        self._forget_old()

    def _forget_old(self) -> None:
        ended = [job.number for job in self._jobs.values() if job.outcome is not None]
        for number in ended[:-REMEMBERED]:
            del self._jobs[number]


def _outcome(job: AgentJob, task: "asyncio.Future[Outcome]") -> Outcome:
    """Return what the client is told, however the verb ended."""
    if task.cancelled():
        return Outcome(Cancelled.exit_status, "cancelled", results=job.results)
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, IgorError):
        return Outcome(error.exit_status, error.message, error.hint)
    log.error("%s failed", job.verb, exc_info=error)
    return Outcome(
        1,
        f"this is a bug in igor: {type(error).__name__}: {error}",
        f"please report it with the end of {directories.log_path()}",
    )
