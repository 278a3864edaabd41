"""For tests of debugging: projects, sessions as a client sees them, and processes in containers."""

import contextlib
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab import Host
from tests.support.agent_client import Seen, client, wait_until
from tests.support.dap_client import Debugger
from tests.support.sample_project import SampleProject

DOCKERFILE = "FROM igor-base:latest\nENV VIRTUAL_ENV=/venv/tools\n"
FILE = "train/models/fit.py"
#: The tests stop at line 6.
PROGRAM = """\
import sys
import time
from pathlib import Path

answer = 41
answer += 1
print("the answer is", answer, flush=True)
if sys.argv[1:2] == ["wait"]:
    for second in range(int(sys.argv[-1]) if sys.argv[2:] else 600):
        print("second", second, flush=True)
        time.sleep(0.1)
if sys.argv[1:] == ["read"]:
    print("read", sys.stdin.read().upper())
if sys.argv[1:] == ["fail"]:
    raise ValueError("it failed")
Path("here").is_file()
sys.exit(3)
"""
STOP = 6
_numbers = itertools.count(1)


def make_project(folder: Path, *hosts: Host, **config: Any) -> SampleProject:
    """A project with a program two folders deep. An existing one in `folder` is reset: its image
    and container serve many tests."""
    # A name that Docker takes as it is.
    project = SampleProject(folder / f"debugged-{folder.name.replace('_', '')}", hosts)
    for host in hosts:
        # Another test's igor has written it; the folder itself is mounted.
        host.run(["find", f"{host.home}/dev/{project.root.name}", "-mindepth", "1", "-delete"])
    project.write("dockerfile", DOCKERFILE)
    project.write(FILE, PROGRAM)
    config = {"docker_rebuild_files": [], "debug_port": 20000 + 50 * next(_numbers), **config}
    project.configure(**config)
    return project


class Session:
    """A job of `debug`, from its request on."""

    def __init__(self, project: SampleProject, *args: str, **more: Any) -> None:
        self.project = project
        self.file = str(project.root / FILE)
        what = (
            {"program": self.file} if not {"module", "test", "name", "reattach"} & set(more) else {}
        )
        self.job = Seen(
            client(answers="answers" in more), "debug", project.root,
            **{**what, "args": list(args), **{k: v for k, v in more.items() if k != "answers"}},
        )  # fmt: skip

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.job.events if event["type"] == kind]

    def debuggee(self, count: int = 1) -> dict[str, Any]:
        """Return the event of a program that waits for its debugger, the last of `count`."""
        self.job.until(lambda job: job.outcome or len(self.events("debuggee")) >= count)
        assert self.job.outcome is None, (self.job.outcome, self.job.output[-2000:])
        return self.events("debuggee")[count - 1]

    def debuggee_seen(self, place: int = 0) -> dict[str, Any]:
        return self.events("debuggee")[place]

    def attach(self, *lines: int, event: dict[str, Any] | None = None, **more: Any) -> Debugger:
        event = event or self.debuggee()
        wanted = {self.file: list(lines)} if lines else {}
        debugger = Debugger(event["port"])
        return debugger.attach(self.project.root, event["remote_root"], wanted, **more)

    def said(self, text: str) -> "Session":
        """Wait until the program has written `text`."""
        self.job.until(lambda job: job.outcome or text.encode() in job.output)
        assert text.encode() in self.job.output, (self.job.outcome, self.job.output[-2000:])
        return self

    def end(self) -> dict[str, Any]:
        return self.job.end()

    def leave(self) -> None:
        """Close the connection, as a killed client does."""
        self.job.client.close()


class InContainer:
    """Processes and listening sockets in a project's container."""

    def __init__(
        self, project: SampleProject, host: Host | None = None, engine: str = "docker"
    ) -> None:
        self._host = host or project.hosts[0]
        self._engine = engine
        self._container = f"dino-{project.root.name}-dev"

    def processes(self) -> list[str]:
        """Return the command lines of all processes except the container's own."""
        columns = ["-eo", "pid,args"] if self._engine == "docker" else ["pid", "args"]
        done = self._host.run([self._engine, "top", self._container, *columns])
        assert done.returncode == 0, done.stderr
        rows = [line.partition(" ")[2].strip() for line in done.stdout.splitlines()[1:]]
        return [row for row in rows if "2147483647" not in row]

    def listeners(self) -> list[str]:
        """Return the listening addresses, in the notation of proc(5)."""
        return listeners(self.run("sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"))

    def folders(self) -> list[str]:
        """Return the remaining folders of sessions."""
        return self.run("sh", "-c", "ls /tmp/igor-debug-*").split()

    def run(self, *argv: str) -> str:
        done = self._host.run([self._engine, "exec", self._container, *argv])
        return done.stdout

    def is_empty(self) -> bool:
        return not (self.processes() or self.listeners() or self.folders())

    def wait_until_empty(self, seconds: float = 30) -> None:
        # The command that kills a program is a process in the container too, for a moment.
        with contextlib.suppress(AssertionError):
            wait_until(self.is_empty, seconds)
        assert self.is_empty(), (self.processes(), self.listeners(), self.folders())


def listeners(tables: str, inodes: set[str] | None = None) -> list[str]:
    """Return the rows in state 0A of /proc/net/tcp and tcp6 that have one of the inodes."""
    rows = [line.split() for line in tables.splitlines() if re.match(r"\s*\d+:", line)]
    listening = [row for row in rows if row[3] == "0A"]
    return [row[1] for row in listening if inodes is None or row[9] in inodes]


def program_runs(processes: Sequence[str]) -> bool:
    return any(" --wait-for-client " in line for line in processes)
