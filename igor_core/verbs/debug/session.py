"""One debugged program, from its start to the end of all its processes."""

import asyncio
import contextlib
import posixpath
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from igor_core.debug.keeper_notes import DebugRefused, Exit, ListeningProgram
from igor_core.debug.launch import Launch, Python, relay_words
from igor_core.debug.port.listener import DebugListener
from igor_core.debug.session import DebugSession, Lost
from igor_core.environment import Environment
from igor_core.errors import OWN_FAILURE, Cancelled, HostError, IgorError
from igor_core.ssh.process import Command, Process
from igor_core.verbs.debug.checks import refusal
from igor_core.verbs.debug.debuggee import debuggee, lost, open_port, reattach_command
from igor_core.verbs.debug.program import DebugTarget
from igor_core.verbs.debug.tell_editors import leave_editors
from igor_core.verbs.state.context import Context
from igor_core.verbs.state.debug_sessions import Before
from igor_core.verbs.steps.request import flag
from igor_core.verbs.steps.targets import Done, Ended, Target

# How long debuggers may take to learn of the program's end.
LAST_WORDS_SECONDS = 2.0
LEFT = "its debugger has left"
OVERTAKEN = "a newer session of its group was started"


@dataclass(frozen=True)
class Debugged:
    """A host whose program is debugged.

    If it `has_company`, the program runs on other hosts too; `stopped` tells these that this one
    was ended before its own end.
    """

    target: Target
    has_company: bool
    stopped: asyncio.Event


class DebugSite:
    """Where a program is debugged. `overtaken` is set when a newer job starts one in its place."""

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
        #: Has one session at a time.
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
        """Like `stay`, but raise HostError if nothing was started."""
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
            ended = await self._follow(session, listener, tasks, names, before, context)
            if not ended.listened and not ended.why:
                return Done(
                    f"ended before debugpy listened: {ended.how}", ended.status or OWN_FAILURE
                )
        except Lost:
            is_left = True
            self._end_company(context, self._config.debug.grace)
            raise lost(self._target, names[0]) from None
        except DebugRefused as refused:
            is_left = refused.what == "taken"
            if is_left:
                self._end_company(context, 0.0)
            raise
        except asyncio.CancelledError:
            raise Ended(await asyncio.shield(self._leave(session))) from None
        except IgorError:
            # No debugger can attach.
            await asyncio.shield(session.stop("no debugger can attach to it"))
            raise
        finally:
            if not is_left and (ended is None or ended.why):
                self._debugged.stopped.set()
            for task in tasks:
                task.cancel()
            leave_editors(self._target, context, listener.port)
            await asyncio.shield(listener.close())
        is_plain = ended.kind == "done" and not ended.why
        return Done("" if is_plain else ended.how, ended.status, ended.kind)

    async def _follow(
        self,
        session: DebugSession,
        listener: DebugListener,
        tasks: list[asyncio.Task[None]],
        names: list[str],
        before: Before,
        context: Context,
    ) -> Exit:
        """From debugpy's start to the end of all processes. `names[0]` is "" for a reattach."""
        starts = bool(names[0])
        program = await session.until_listening()
        tasks.append(asyncio.ensure_future(self._give_way(session)))
        if program is not None and not self._overtaken.is_set():
            names[0] = program.ident
            listener.warm()
            await before()
            await self._tell(listener, program, context)
        if flag(self._target.job, "stdin"):
            tasks.append(asyncio.ensure_future(self._feed(session)))
        elif starts:
            await session.end_input()
        return await self._until_over(session, listener)

    def _end_company(self, context: Context, seconds: float) -> None:
        """End the other hosts' programs when this one, which is no longer followed, ends or in
        `seconds`, whichever comes later."""
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
            self._target.warn(f"{session.dropped} bytes of earlier output were not kept")
        if ended.left:
            self._target.warn(
                f"{ended.left} of the program's processes could not be ended", "igor docker clean"
            )
        return ended

    async def _leave(self, session: DebugSession) -> str:
        """End the program of a cancelled job, or leave it running; return what happened."""
        if self._config.debug.detach:
            company = "; programs on other hosts were ended" if self._debugged.has_company else ""
            return f"left running{company}; attach again: {reattach_command(self._target)}"
        ended = await session.stop("igor was asked to end it")
        return ended.by_signal or ended.how if ended else ""

    async def _give_way(self, session: DebugSession) -> None:
        """End the program when a newer job wants its place."""
        await self._overtaken.wait()
        with contextlib.suppress(IgorError):
            await session.ask_to_stop(OVERTAKEN)

    async def _write(self, stream: str, data: bytes) -> None:
        await self._target.job.output(self._target.name, stream, data)

    def _report(self, text: str) -> None:
        self._target.warn(f"a debugger could not be connected to debugpy: {text}")

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
        self, listener: DebugListener, program: ListeningProgram, context: Context
    ) -> None:
        target = self._target
        await open_port(target, context, listener)
        target.step(f"{program.python}: debugpy waits behind 127.0.0.1:{listener.port}")
        root = self._environment.debugged_root(program.root)
        target.job.emit(debuggee(target, listener.port, replace(program, root=root)))
