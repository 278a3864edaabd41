"""Clients of the agent for its tests, and a job as such a client sees it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from igor_core import directories
from igor_core.agent.client import Client, connect
from igor_core.agent.protocol import Frame, Kind
from igor_core.config.project import CONFIG_FILE

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


def python(code: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a Python process with igor importable and its output on a pipe."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd="/",  # otherwise the checkout would precede PYTHONPATH
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(is_true: Callable[[], Any], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def client(*, answers: bool = False, start: bool = True) -> Client:
    found = connect("test", answers=answers, start=start)
    found.wait_at_most(SECONDS)
    return found


def agent_pid() -> int:
    return int(directories.pid_path().read_text())


def agents() -> list[int]:
    """Return the running agents of this test's home."""
    home = f"HOME={os.environ['HOME']}".encode()
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_agent(path, home)]


def _is_agent(process: Path, home: bytes) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        return b"igor_core.agent" in words and home in (process / "environ").read_bytes()
    except OSError:
        return False


def kill_agent() -> None:
    pid = agent_pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid not in agents())


def memory_mb(pid: int) -> float:
    """Return the process's resident memory in MB (proc(5), statm)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def project_without_containers(folder: Path, *hosts: str) -> Path:
    """Create a project whose commands run on the hosts themselves."""
    (folder / ".igor").mkdir(parents=True)
    entries = [{"host": host, "dir": f"~/{folder.parent.name}"} for host in hosts]
    config = {"user": "t", "runtime": "none", "host_groups": {"dev": {"hosts": entries}}}
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    return folder


class Seen:
    """A job as its client sees it; frames are read only while a method waits for them."""

    def __init__(self, client: Client, verb: str, root: Path | str = "", **args: Any) -> None:
        self.client = client
        self.events: list[dict[str, Any]] = []
        self.outcome: dict[str, Any] | None = None
        self.stream = 0
        self.request = client.request(verb, str(root), args)

    def until(self, is_true: Callable[["Seen"], Any], *, grant: bool = True) -> "Seen":
        """Read until `is_true`, granting credit for what it reads, as a client must."""
        while not is_true(self):
            for frame in self.client.receive():
                self._take(frame, grant)
        return self

    def end(self) -> dict[str, Any]:
        self.until(lambda seen: seen.outcome is not None)
        assert self.outcome is not None
        return self.outcome

    @property
    def output(self) -> bytes:
        return b"".join(event["data"] for event in self.events if event["type"] == "output")

    @property
    def number(self) -> int:
        """Return the job's number, for `cancel`."""
        self.until(lambda seen: seen.events)
        job: int = self.events[0]["job"]
        return job

    def prompts(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == "prompt"]

    def answer(self, text: str | None, *, count: int = 1) -> dict[str, Any]:
        """Wait for the question with that number, answer it, and return it."""
        self.until(lambda seen: len(seen.prompts()) >= count or seen.outcome)
        assert len(self.prompts()) >= count, self.outcome
        prompt = self.prompts()[count - 1]
        self.client.send(Kind.ANSWER, self.request, prompt["prompt"], text)
        return prompt

    def _take(self, frame: Frame, grant: bool) -> None:
        kind, ident = frame[:2]
        if kind is Kind.EVENT and ident == self.request:
            self.events.append(frame[2])
            if grant and frame[2]["type"] == "output":
                self.client.send(Kind.CREDIT, ident, len(frame[2]["data"]))
        elif kind is Kind.FINISHED and ident == self.request:
            self.outcome = frame[2]
        elif kind is Kind.OPEN:
            self.stream = ident
