"""The blocking client: find the agent, start one if none runs, talk to it.

Terminals and the editor's bridge use it, so it imports neither asyncio nor asyncssh: a warm
`igor push` with nothing to do spends most of its time starting Python.
"""

import contextlib
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from igor_core import __version__, directories
from igor_core.agent.protocol import PROTOCOL, Decoder, Frame, Kind, ProtocolError, encode
from igor_core.errors import AgentError

# A login needs these from the client's environment, not from the agent's own.
LOGIN_ENVIRONMENT = ("SSH_AUTH_SOCK",)
# An agent that shuts down may take 15 s to end its jobs, and the next one waits for that.
START_SECONDS = 30.0


class Client:
    """One connection to the agent. `receive` returns frames as they come; ids are the caller's."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._decoder = Decoder()
        self._next_request = 1

    def fileno(self) -> int:
        """Return the descriptor for select: readable when `receive` would not wait."""
        return self._socket.fileno()

    def detach(self) -> socket.socket:
        """Return the socket itself, for a caller with an event loop; this ends the client's use."""
        return self._socket

    def close(self) -> None:
        self._socket.close()

    def request(self, verb: str, root: str, args: dict[str, Any]) -> int:
        """Ask for a verb on the project around the folder `root`; returns the request's id."""
        request, self._next_request = self._next_request, self._next_request + 2
        self.send(Kind.REQUEST, request, verb, root, args)
        return request

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        try:
            self._socket.sendall(encode(kind, ident, *fields))
        except (OSError, ProtocolError) as error:
            raise _lost(error) from None

    def wait_at_most(self, seconds: float | None) -> None:
        """Limit how long `send` and `receive` wait; None (the default) for no limit."""
        self._socket.settimeout(seconds)

    def receive(self) -> list[Frame]:
        """Wait for bytes and return the frames they complete, perhaps none.

        Raises AgentError when the agent is gone.
        """
        try:
            data = self._socket.recv(1 << 18)
            if not data:
                raise ConnectionResetError
            return list(self._decoder.feed(data))
        except (OSError, ProtocolError) as error:
            raise _lost(error) from None

    def call(self, verb: str, root: str = "", **args: Any) -> dict[str, Any]:
        """Ask for a verb and wait for its outcome, ignoring its events."""
        request = self.request(verb, root, args)
        while True:
            for frame in self.receive():
                if frame[0] is Kind.FINISHED and frame[1] == request:
                    outcome: dict[str, Any] = frame[2]
                    return outcome


class AgentLost(AgentError):
    """The connection to the agent has ended."""


def _lost(error: Exception) -> AgentError:
    if isinstance(error, TimeoutError):
        return AgentError("the agent does not answer", "igor agent stop, or kill it")
    reason = f": {error}" if isinstance(error, ProtocolError) else ""
    return AgentLost(
        f"the agent has gone away{reason}", f"look into {directories.log_path()}, then try again"
    )


def connect(
    name: str, *, answers: bool, start: bool = True, patience: float | None = None
) -> Client:
    """Connect to an agent of the same protocol; start one if none runs.

    `name` says who is asking ("cli", "nvim"); `answers` whether a person can answer prompts;
    `patience` is how many seconds the agent may take to answer, None for START_SECONDS.
    Raises AgentError if there is no agent (with `start` false), if one of another version is
    busy, or if the new one does not start.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = open_socket() or (_start() if start else None)
        if connection is None:
            raise AgentError("no agent is running", "any igor command that needs one starts it")
        client = Client(connection)
        # An agent that shuts down at this moment (idle, or of another version) must be replaced.
        with contextlib.suppress(AgentLost):
            if _greet(client, name, answers, patience or START_SECONDS):
                return client
        client.close()
        time.sleep(0.02)
    raise AgentError("the agent leaves and does not end", _log_hint())


def _greet(client: Client, name: str, answers: bool, patience: float) -> bool:
    """Say HELLO. Return False if an idle agent of another version shuts down, to be replaced."""
    env = {key: os.environ[key] for key in LOGIN_ENVIRONMENT if key in os.environ}
    client.wait_at_most(patience)
    who = {"name": name, "pid": os.getpid(), "env": env, "answers": answers}
    client.send(Kind.HELLO, 0, PROTOCOL, __version__, who)
    frames: list[Frame] = []
    while not frames:
        frames = client.receive()
    client.wait_at_most(None)
    if frames[0][0] is Kind.WELCOME:
        return True
    if frames[0][0] is not Kind.REFUSED:
        raise AgentError("the agent does not say WELCOME", "igor agent stop")
    _kind, _id, _protocol, version, busy, pid = frames[0][:6]
    if busy:
        raise AgentError(
            f"an agent of igor {version} (pid {pid}) is running jobs; this is igor {__version__}",
            "wait until they end, or end them: igor agent stop",
        )
    return False


def open_socket() -> socket.socket | None:
    """Return a connection to the agent's socket, None if nobody listens."""
    own = directories.socket_path()
    # An agent with the same records may listen elsewhere: it was started with another
    # XDG_RUNTIME_DIR.
    for path in dict.fromkeys([own, directories.recorded_socket_path() or own]):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
        except OSError as error:
            connection.close()
            raise AgentError(f"{path}: {error.strerror or error}") from None
        else:
            return connection
    return None


def _start() -> socket.socket:
    """Start an agent and connect, under a lock: ten clients at once get one agent."""
    with _start_lock():
        connection = open_socket()
        if connection is not None:
            return connection
        try:
            _spawn()
        except AgentError:
            # The agent that was there may listen again.
            connection = open_socket()
            if connection is None:
                raise
            return connection
        connection = open_socket()
    if connection is None:
        raise AgentError("the agent ended as soon as it had started", _log_hint())
    return connection


@contextlib.contextmanager
def _start_lock() -> Iterator[None]:
    path = directories.runtime_directory() / "agent.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + START_SECONDS
    try:
        while not locked(descriptor):
            if time.monotonic() > deadline:
                raise AgentError(
                    f"another igor has been starting an agent for {START_SECONDS:.0f} s",
                    _log_hint(),
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def locked(descriptor: int) -> bool:
    """Lock a file for this process, unless another one has it; return whether it is locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def agent_python() -> str:
    """Return the Python that runs the agent: the checkout's own environment, else this one.

    An editor's Python host may have msgpack but not asyncssh.
    """
    own = Path(__file__).parents[2] / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def _spawn() -> None:
    """Start the agent detached and wait until it says that it listens."""
    reader, writer = os.pipe()
    with _open_log() as log:
        process = subprocess.Popen(
            # The user's PYTHONPATH is for the user's programs: a queue.py there would stand in for
            # the standard library's. igor is found in the folder that the agent starts in.
            [agent_python(), "-E", "-m", "igor_core.agent", "--ready-fd", str(writer)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
            pass_fds=(writer,),
        )
    os.close(writer)
    with os.fdopen(reader, "rb") as ready:
        if not select.select([ready], [], [], START_SECONDS)[0]:
            process.kill()
        if not ready.read(1):
            status = process.wait()
            raise AgentError(f"the agent did not start{_last_words(status)}", _log_hint())


def _open_log() -> BinaryIO:
    try:
        descriptor = os.open(
            directories.log_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise AgentError(f"{directories.log_path()}: {error.strerror}") from None
    return os.fdopen(descriptor, "ab")


def _last_words(status: int) -> str:
    """Return why the agent ended: the log's last line, which a failed start has written."""
    if status == -signal.SIGKILL:
        return f" within {START_SECONDS:.0f} s"
    lines = directories.log_path().read_text(errors="replace").strip().splitlines()
    return f": {lines[-1]}" if lines and status > 0 else f" (exit status {status})"


def _log_hint() -> str:
    return f"the reason is at the end of {directories.log_path()}"
