"""One debugged program: from its start to the end of what it had started."""

import asyncio
import contextlib
import posixpath
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from igor_core.config.model import DEFAULT_GROUP
from igor_core.debug.editors.endpoints import usual_port
from igor_core.debug.keeper_notes import DebugRefused, Exit, ListeningProgram
from igor_core.debug.launch import Launch, Python, relay_words
from igor_core.debug.port.listener import DebugListener
from igor_core.debug.session import DebugSession, Lost
from igor_core.environment import Environment
from igor_core.errors import Cancelled, HostError, IgorError
from igor_core.events import Debuggee, LostDebuggee
from igor_core.ssh.process import Command, Process
from igor_core.verbs.debug.checks import refusal, say_port
from igor_core.verbs.debug.editor_files import leave_editors, tell_editors
from igor_core.verbs.debug.program import DebugTarget
from igor_core.verbs.state.context import Context
from igor_core.verbs.state.debug_sessions import Before
from igor_core.verbs.steps.request import flag
from igor_core.verbs.steps.targets import Done, Ended, Target

# How long debuggers may take to hear of the program's end.
LAST_WORDS_SECONDS = 2.0
FAILURE = 255
LEFT = "its debugger has left"
OVERTAKEN = "a newer session of its group was started"


@dataclass(frozen=True)
class Debugged:
    """A host whose program is debugged; `rank` is its place in its group.

    `stopped` tells those that run beside it, if it `has_company`, that it has not come to its own
    end.
    """

    target: Target
    rank: int
    has_company: bool
    stopped: asyncio.Event


class DebugSite:
    """Where a program is debugged. `overtaken` is set when a newer job starts one there."""

    def __init__(
        self,
        debugged: Debugged,
        overtaken: asyncio.Event,
        environment: Environment,
        python: Python,
    ) -> None:
        self._debugged = debugged
        self._overtaken = overtaken
        self._target = debugged.target
        self._config = debugged.target.project.config
        self._environment = environment
        self._python = python
        #: One session at a time; on a host itself projects would meet without the name.
        self.group = environment.identity
        self.root = environment.root

    def launch(self, program: DebugTarget, sha256: str = "") -> Launch:
        debug = self._config.debug
        return Launch(
            group=self.group,
            ident=secrets.token_hex(6),
            words=program.words(self.root),
            grace=debug.grace,
            detach=debug.detach,
            subprocess=debug.subprocess,
            cwd=program.folder(self.root),
            env=program.env,
            file=posixpath.join(self.root, program.known_file) if program.known_file else "",
            sha256=sha256,
        )

    def command(self, helper: Sequence[str], env: Mapping[str, str] | None = None) -> Command:
        words = self._environment.with_helpers(self._python.runs(helper))
        return self._environment.command(words, env=env)

    async def stay_or_refuse(
        self,
        context: Context,
        helper: Sequence[str],
        ident: str,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """`stay`, with a HostError where nothing was started."""
        try:
            return await self.stay(context, helper, ident, env)
        except DebugRefused as refused:
            raise refusal(self._environment, refused) from None

    async def stay(
        self,
        context: Context,
        helper: Sequence[str],
        ident: str,
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Start what joins the agent with the keeper; return how the program ended.

        Raises DebugRefused.
        """
        with context.debug_sessions.session(self._target.remote.name, self.group) as before:
            if ident:
                await before()
                self._check_is_latest()
            process = await self._target.remote.start(self.command(helper, env))
            try:
                return await self._stay(process, ident, before, context)
            except DebugRefused:
                if process.finished:
                    await self._environment.check_was_not_lost(process.status)
                raise
            finally:
                if not process.finished:
                    await asyncio.shield(process.end())

    def _check_is_latest(self) -> None:
        if self._overtaken.is_set():
            raise HostError(f"nothing was started on {self._target.name}: {OVERTAKEN}")

    async def _stay(self, process: Process, ident: str, before: Before, context: Context) -> Done:
        session = DebugSession(process, self._write)
        names = [ident]
        listener = DebugListener(
            self._target.remote, lambda: self.command(relay_words(names[0])),
            lambda: self._debugger_leaves(session), self._report,
        )  # fmt: skip
        if ident:
            listener.warm()
        tasks: list[asyncio.Task[None]] = []
        ended, is_left = None, False
        try:
            facts = await session.until_listening()
            tasks.append(asyncio.ensure_future(self._give_way(session)))
            if facts is not None and not self._overtaken.is_set():
                names[0] = facts.ident
                listener.warm()
                await before()
                await self._tell(listener, facts, context)
            if flag(self._target.job, "stdin"):
                tasks.append(asyncio.ensure_future(self._feed(session)))
            elif ident:
                await session.end_input()
            ended = await self._until_over(session, listener)
            if not ended.listened and not ended.why:
                return Done(f"ended before debugpy listened: {ended.how}", ended.status or FAILURE)
        except Lost:
            is_left = True
            self._end_company(context, self._config.debug.grace)
            raise self._lost(names[0]) from None
        except DebugRefused as refused:
            is_left = refused.what == "taken"
            if is_left:
                self._end_company(context, 0.0)
            raise
        except asyncio.CancelledError:
            raise Ended(await asyncio.shield(self._leave(session))) from None
        except IgorError:
            # Nobody can get to it.
            await asyncio.shield(session.stop("it can't be attached to"))
            raise
        finally:
            if not is_left and (ended is None or ended.why):
                self._debugged.stopped.set()
            for task in tasks:
                task.cancel()
            leave_editors(self._target, context, listener.port)
            await asyncio.shield(listener.close())
        return Done(ended.how, ended.status)

    def _end_company(self, context: Context, seconds: float) -> None:
        """Let what runs beside a program that lives on without us live as long as it may."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            if context.debug_sessions.has(self._target.remote.name, self.group):
                loop.call_later(1.0, look)
            else:
                self._debugged.stopped.set()

        if not self._config.debug.detach:
            loop.call_later(seconds, look)

    async def _until_over(self, session: DebugSession, listener: DebugListener) -> Exit:
        await session.until_exited()
        await listener.told(LAST_WORDS_SECONDS)
        await session.close()
        ended = await session.until_over()
        if session.dropped:
            self._target.warn(f"{session.dropped} bytes that it wrote meanwhile were not kept")
        if ended.left:
            self._target.warn(
                f"{ended.left} of its processes could not be ended", "igor docker clean"
            )
        return ended

    async def _leave(self, session: DebugSession) -> str:
        """Of a job that is cancelled: what becomes of the program."""
        if self._config.debug.detach:
            company = "; what ran beside it was ended" if self._debugged.has_company else ""
            return f"left running there{company}; again: {self._again()}"
        ended = await session.stop("igor was asked to end it")
        return ended.by_signal or ended.how if ended else ""

    async def _give_way(self, session: DebugSession) -> None:
        """Whoever starts the next one waits for it."""
        await self._overtaken.wait()
        with contextlib.suppress(IgorError):
            await session.ask_to_stop(OVERTAKEN)

    async def _write(self, stream: str, data: bytes) -> None:
        await self._target.job.output(self._target.name, stream, data)

    def _report(self, text: str) -> None:
        self._target.warn(f"a debugger could not be joined with debugpy: {text}")

    async def _feed(self, session: DebugSession) -> None:
        with contextlib.suppress(Cancelled):
            async for data in self._target.job.stdin(self._target.name):
                await session.feed(data)
            await session.end_input()

    async def _debugger_leaves(self, session: DebugSession) -> None:
        """End the program before debugpy lets it run on."""
        if self._config.debug.detach or session.exited.is_set():
            return
        await session.ask_to_stop(LEFT)
        try:
            await asyncio.wait_for(session.exited.wait(), LAST_WORDS_SECONDS)
        except asyncio.TimeoutError:
            return

    async def _tell(
        self, listener: DebugListener, facts: ListeningProgram, context: Context
    ) -> None:
        target, debug = self._target, self._config.debug
        first = usual_port(self._config.debug_port, self._debugged.rank)
        await listener.open(first)
        await say_port(target, first, listener.port)
        await tell_editors(target, context, listener.port)
        target.step(f"runs {facts.python}; debugpy waits behind 127.0.0.1:{listener.port}")
        target.job.emit(
            Debuggee(
                target.name,
                self._debugged.rank,
                facts.ident,
                listener.port,
                configuration(target),
                str(target.project.root),
                self._environment.debugged_root(facts.root),
                debug.just_my_code,
                debug.subprocess,
                facts.python,
                facts.command,
            )
        )

    def _lost(self, ident: str) -> HostError:
        target, debug = self._target, self._config.debug
        grace = None if debug.detach else debug.grace
        target.job.emit(LostDebuggee(target.name, self._debugged.rank, ident, grace))
        lost = f"the connection to {target.name} was lost; the program"
        if grace == 0:
            return HostError(f"{lost} is ended there", '"grace" in "debug" of the config')
        lives = "lives on" if grace is None else f"lives on for {grace:g} s"
        return HostError(f"{lost} {lives} there", f"attach again: {self._again()}")

    def _again(self) -> str:
        """The command that comes back to this program."""
        group = self._config.group(self._target.group)
        words = ["igor debug --reattach"]
        if group.name != DEFAULT_GROUP:
            words.append(f"-g {group.name}")
        if len(group.hosts) > 1:
            words.append(f"--ranks {self._debugged.rank}")
        return " ".join(words)


def configuration(target: Target) -> str:
    """The name of the debugger's configuration for a host."""
    several = len(target.project.config.group(target.group).hosts) > 1
    return f"igor: attach {target.group}" + (f" {target.name}" if several else "")
