"""The agent: its socket, and when it starts and stops."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from igor_core import __version__, directories
from igor_core.agent.client import locked
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
        self._listener: asyncio.Server | None = None
        self._socket = Path()
        self._inode = 0
        self._locks: list[int] = []

    async def serve(self, ready_fd: int | None) -> None:
        """Serve until stopped. Raises AgentError if another agent of this user runs."""
        self._locks = [_hold_state(), _hold_pid_file()]
        # Load all recipes now, so that an update of igor can't mix old modules with new ones later.
        for verb in VERBS.values():
            if verb.recipe:
                load(verb.recipe)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(name, self.stop, signal.Signals(name).name)
        await self._listen()
        if ready_fd is not None:
            os.write(ready_fd, b"!")
            os.close(ready_fd)
        self.context.saves.take_unsent()
        try:
            await self._until_stopped()
        finally:
            # Remove the socket first: a client that comes now starts the next agent.
            self._unlisten()
            await self._leave()
            for lock in self._locks:
                os.close(lock)

    async def _listen(self) -> None:
        path = directories.socket_path()
        path.unlink(missing_ok=True)
        self._listener = await asyncio.start_unix_server(self._accept, str(path))
        path.chmod(0o600)
        self._socket, self._inode = path, path.stat().st_ino
        log.info("igor %s listens on %s", __version__, path)

    def _unlisten(self) -> None:
        if self._has_socket():
            self._socket.unlink(missing_ok=True)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _has_socket(self) -> bool:
        """Whether the socket is still there, and this agent's own."""
        try:
            return self._socket.stat().st_ino == self._inode
        except OSError:
            return False

    async def _keep_socket(self) -> None:
        """Listen again if somebody has removed the socket: a logout, a cleaner of old files."""
        if self._has_socket():
            return
        if _listens(self._socket):
            self.stop(f"another agent listens on {self._socket}")
            return
        if self._listener is not None:
            log.warning("%s is gone; it is made again", self._socket)
            self._unlisten()
        # After a logout the folder can only be made by the next login. What runs goes on meanwhile.
        with contextlib.suppress(OSError, AgentError):
            if not _is_open(self._locks, directories.pid_path()):
                self._locks.append(_hold_pid_file())
            await self._listen()

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
                await self._keep_socket()
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
    running = "another agent of yours is running"
    return _hold(directories.pid_path(), f"{os.getpid()}", running, "igor agent status")


def _hold_state() -> int:
    """Lock the state folder: two agents, found by different sockets, would undo each other's
    records. Raises AgentError.
    """
    path = directories.state_lock_path()
    holder = f"{os.getpid()} on {socket.gethostname()}\n{directories.socket_path()}"
    return _hold(path, holder, f"another agent of yours uses {path.parent}", "igor agent stop")


def _hold(path: Path, holder: str, refusal: str, hint: str) -> int:
    """Lock a file, and write the `holder` of the lock to it. Raises AgentError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LEAVING_SECONDS + 5
    while not locked(descriptor):
        # One that leaves has removed its socket; one that listens may have made it again.
        if time.monotonic() > deadline or _somebody_listens():
            theirs = os.read(descriptor, 300).decode(errors="replace").partition("\n")[0]
            os.close(descriptor)
            raise AgentError(f"{refusal} (process {theirs})", hint)
        time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{holder}\n".encode())
    return descriptor


def _somebody_listens() -> bool:
    """Whether an agent listens here, or where the last one with the same records did."""
    paths = (directories.socket_path(), directories.recorded_socket_path())
    return any(_listens(path) for path in paths if path is not None)


def _is_open(descriptors: Iterable[int], path: Path) -> bool:
    try:
        inode = path.stat().st_ino
    except OSError:
        return False
    return any(os.fstat(descriptor).st_ino == inode for descriptor in descriptors)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        return connection.connect_ex(str(path)) == 0
