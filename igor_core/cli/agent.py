"""Commands about the agent itself, which do not start one."""

import os
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path

from igor_core import directories
from igor_core.agent.client import Client, connect, open_socket
from igor_core.cli import report
from igor_core.cli.job import follow
from igor_core.cli.outlet import STDOUT, Outlet
from igor_core.cli.text import printable
from igor_core.commands.parse import Invocation
from igor_core.errors import AgentError, IgorError, UsageError

#: How long an agent may take to answer, and then to end what it has started on the hosts.
ANSWER_SECONDS = 5.0
STOP_SECONDS = 20.0
LOOK_AGAIN = 0.25  # seconds between looks at a log that `-f` follows
PROGRAM = ("-m", "igor_core.agent")  # in the command line of every agent


def status(invocation: Invocation) -> int:
    """Run `igor agent status`; exit status 1 if no agent runs."""
    client = _client()
    if client is None:
        raise IgorError("no agent is running", "any igor command that needs one starts it")
    return follow(invocation, client, "", {})


def jobs(invocation: Invocation) -> int:
    client = _client()
    if client is None:
        return report.answer(invocation, ["no jobs: no agent is running"], [])
    return follow(invocation, client, "", {})


def cancel(invocation: Invocation) -> int:
    number = invocation.values["job"]
    if not number.isdecimal():
        raise UsageError(f"{number!r} is not the number of a job", "igor jobs")
    client = _client()
    if client is None:
        raise IgorError(f"there is no job {number}: no agent is running")
    return follow(invocation, client, "", {"job": int(number)})


def stop(invocation: Invocation) -> int:
    """Run `igor agent stop`, even for an agent of another version, which reads no request, and for
    one that hangs.
    """
    try:
        client = _client(ANSWER_SECONDS)
        seconds = STOP_SECONDS
    except AgentError:
        _send(signal.SIGTERM)
        seconds = ANSWER_SECONDS
    else:
        if client is None:
            return report.answer(invocation, ["no agent is running"])
        ended = follow(invocation, client, "", {})
        if ended:
            return ended
    said = "the agent has ended"
    if not _ends_within(seconds):
        _send(signal.SIGKILL)
        said = "the agent did not answer and was killed; what it ran on hosts ends within 30 s"
        if not _ends_within(ANSWER_SECONDS):
            raise IgorError("the agent can't be killed", f"its log: {_log()}")
    if not invocation.values.get("json"):
        report.show(STDOUT, [said])
    return 0


def _ends_within(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _listens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def log(invocation: Invocation) -> int:
    """Run `igor agent log`: print the whole log; with `-f` go on with new lines until ctrl-c."""
    outlet = Outlet()
    position = _copy(outlet, 0)
    while invocation.values.get("follow") and not outlet.stdout_closed:
        time.sleep(LOOK_AGAIN)
        position = _copy(outlet, position)
    return 0


def _log() -> Path:
    return directories.log_path()


def _copy(outlet: Outlet, start: int) -> int:
    """Print the log's complete lines from `start`; return where to go on. A new log starts at 0."""
    try:
        with open(_log(), "rb") as stream:
            stream.seek(start if start <= os.fstat(stream.fileno()).st_size else 0)
            start = stream.tell()
            while line := stream.readline():
                if not line.endswith(b"\n"):
                    break
                outlet.lines(STDOUT, [printable(line.decode(errors="surrogateescape")[:-1])])
                outlet.drain()
                start += len(line)
    except FileNotFoundError:
        return 0
    return start


def _client(patience: float | None = None) -> Client | None:
    """Return a client of the running agent, None if no agent runs."""
    if not _listens():
        return None
    try:
        return connect("cli", answers=False, start=False, patience=patience)
    except AgentError:
        if _listens():
            raise
        return None  # the agent was idle and of another version, and has shut down


def _listens() -> bool:
    connection = open_socket()
    if connection is None:
        return False
    connection.close()
    return True


def _send(number: signal.Signals) -> None:
    """Send a signal to the pid file's process, if that process is an agent."""
    file = directories.pid_path()
    try:
        process = int(file.read_text())
    except (OSError, ValueError):
        raise AgentError(f"{file} doesn't name the agent's process") from None
    words = _command_line(process)
    if PROGRAM not in pairwise(words):
        raise AgentError(f"process {process}, named by {file}, is not an igor agent")
    os.kill(process, number)


def _command_line(process: int) -> list[str]:
    """Return the words of a process's command line, none if there is no such process."""
    listing = ["ps", "-ww", "-o", "command=", "-p", str(process)]
    done = subprocess.run(listing, capture_output=True, check=False)
    return done.stdout.decode(errors="replace").split()
