"""The agent: its socket, and when it starts and stops."""

import asyncio
import fcntl
import logging
import os
import signal
import time

from igor_core import __version__, directories
from igor_core.agent.connection import Connection
from igor_core.agent.jobs import AgentJob, Jobs
from igor_core.commands.recipe import load
from igor_core.commands.table import VERBS
from igor_core.errors import AgentError, UsageError
from igor_core.events import Outcome
from igor_core.verbs.state.context import Context

log = logging.getLogger(__name__)

IDLE_SECONDS = 600.0
# How long an agent that shuts down waits for its jobs to end what they have started.
LEAVING_SECONDS = 15.0


class Server:
    """Listens on the user's socket until it is told to stop or has been idle for long enough."""

    def __init__(self, idle_after: float) -> None:
        self.context = Context()
        self.jobs = Jobs(self._run)
        self.idle_after = idle_after
        self.started = self._last_use = time.monotonic()
        self._connections: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    async def serve(self, ready_fd: int | None) -> None:
        """Serve until stopped. Raises AgentError if another agent of this user runs."""
        lock = _hold_pid_file()
        # Load all recipes now, so that an update of igor can't mix old modules with new ones later.
        for verb in VERBS.values():
            if verb.recipe:
                load(verb.recipe)
        path = directories.socket_path()
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(name, self.stop, signal.Signals(name).name)
        listener = await asyncio.start_unix_server(self._accept, str(path))
        path.chmod(0o600)
        log.info("igor %s listens on %s", __version__, path)
        if ready_fd is not None:
            os.write(ready_fd, b"!")
            os.close(ready_fd)
        self.context.saves.take_unsent()
        try:
            await self._until_stopped()
        finally:
            # Remove the socket first: a client that comes now starts the next agent.
            path.unlink(missing_ok=True)
            listener.close()
            await self._leave()
            os.close(lock)

    def stop(self, reason: str) -> None:
        log.info("stopping: %s", reason)
        self._stop.set()

    def client_count(self) -> int:
        return len(self._connections)

    async def _until_stopped(self) -> None:
        while not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), min(1.0, max(0.05, self.idle_after)))
            except asyncio.TimeoutError:
                if self._connections or self.jobs.running() or self.context.saves.busy:
                    self._last_use = time.monotonic()
                elif time.monotonic() - self._last_use >= self.idle_after:
                    self.stop(f"idle for {self.idle_after:.0f} s")

    async def _leave(self) -> None:
        for job in self.jobs.running():
            job.cancel()
        tasks = [job.task for job in self.jobs.running() if job.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=LEAVING_SECONDS)
        self.context.close()
        for connection in self._connections:
            connection.cancel()
        # One turn of the loop lets the closing messages out.
        await asyncio.sleep(0.05)

    def _accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        saved = self.context.saves.saved
        connection = Connection(self.jobs, self.stop, saved, writer)
        task = asyncio.ensure_future(connection.serve())
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _run(self, job: AgentJob) -> Outcome:
        verb = VERBS.get(job.verb)
        if verb is None or not verb.recipe:
            known = sorted(verb.name for verb in VERBS.values() if verb.recipe)
            raise UsageError(f"no such verb: {job.verb}", f"known: {', '.join(known)}")
        outcome: Outcome = await load(verb.recipe)(job, self if verb.of_agent else self.context)
        return outcome


def _hold_pid_file() -> int:
    """Lock the pid file for the life of this process; the system drops the lock even after KILL.

    An agent that shuts down removes its socket first, and holds the lock until its jobs have ended.
    """
    descriptor = os.open(directories.pid_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LEAVING_SECONDS + 5
    while not _locked(descriptor):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise AgentError("another agent of yours is running", "igor agent status")
        time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, b"%d\n" % os.getpid())
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
