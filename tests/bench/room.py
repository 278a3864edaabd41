"""A contestant's private surroundings: its home, its processes, the account of their CPU time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench import BenchError
from tests.bench.account import open_account
from tests.support.cli_process import ROOT

#: In the environment of all that a room starts, so that nothing of it stays.
MARK = "IGOR_BENCH_ROOM"
_LAUNCHER = Path(__file__).with_name("launcher.py")
_XDG = ("STATE_HOME", "RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME", "DATA_HOME")
_FOREIGN = ("SSH_", "GIT_", "NVIM", "VIM", "TMUX", "DOCKER_", "IGOR_AGENT", "XDG_", "UNISON")


class Room:
    """`name` is for errors, `folder` is new, `ssh_config` knows the hosts."""

    def __init__(self, name: str, folder: Path, ssh_config: Path) -> None:
        self.name = name
        self.folder = folder
        self.ssh_config = ssh_config
        self.home = folder / "home"
        self.environment = self._furnish()
        self._ended_ns = 0
        self._served: list[subprocess.Popen[bytes]] = []
        self.account = open_account(
            f"igor-bench-{os.getpid()}-{folder.name}", self.members, lambda: self._ended_ns
        )
        self._launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,
        )
        self.account.enter(self._launcher.pid)

    def _furnish(self) -> Mapping[str, str]:
        own = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
        places = {f"XDG_{name}": self.folder / name.lower() for name in _XDG}
        for path in (self.home / ".ssh", *places.values()):
            path.mkdir(mode=0o700, parents=True)
        (self.home / ".ssh" / "config").write_text(f"Include {self.ssh_config}\n")
        xdg = {name: str(path) for name, path in places.items()}
        mine = {"HOME": str(self.home), MARK: str(self.folder), "PYTHONPATH": str(ROOT)}
        return {**own, **xdg, **mine, "TERM": "xterm"}

    @property
    def answers(self) -> int:
        """Readable once the commands of `start` have ended."""
        assert self._launcher.stdout is not None
        return self._launcher.stdout.fileno()

    def start(self, *commands: Sequence[str], cwd: Path | None = None) -> int:
        """Start commands, all at once; the time just before, in nanoseconds (monotonic)."""
        order = json.dumps({"commands": commands, "cwd": str(cwd or self.folder)})
        assert self._launcher.stdin is not None
        now = time.monotonic_ns()
        self._launcher.stdin.write(order.encode() + b"\n")
        self._launcher.stdin.flush()
        return now

    def finish(self) -> None:
        """Wait until they have ended. Raises BenchError where one failed."""
        assert self._launcher.stdout is not None
        answer: dict[str, Any] = json.loads(self._launcher.stdout.readline() or "{}")
        self._ended_ns = answer.get("cpu_ns", self._ended_ns)
        statuses = answer.get("statuses", ["killed"])
        if any(statuses):
            said = answer.get("said", "").strip()
            raise BenchError(f"it ended with {statuses}: {said}")

    def run(self, *commands: Sequence[str], cwd: Path | None = None) -> None:
        self.start(*commands, cwd=cwd)
        self.finish()

    def serve(self, words: Sequence[str]) -> None:
        """Start a program that stays; it counts from its first moment."""
        process = subprocess.Popen(
            words,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "output").open("ab"),
            stderr=subprocess.STDOUT,
            env=self.environment,
            start_new_session=True,
        )
        self.account.enter(process.pid)
        self._served.append(process)

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = 30) -> None:
        """Until `holds()`. Raises BenchError with the last words of what `serve` started."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                log = self.folder / "output"
                said = log.read_text(errors="replace")[-1000:].strip() if log.exists() else ""
                raise BenchError(f"no {what} within {seconds:.0f} s; {said}")
            time.sleep(0.02)

    def members(self) -> list[int]:
        """Ids of the processes that were started here and live."""
        mark = f"{MARK}={self.folder}".encode()
        return [
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if mark in _environment(process)
        ]

    def close(self) -> None:
        while members := self.members():
            for pid in members:
                _kill(pid)
            time.sleep(0.01)
            for process in self._served:
                process.poll()
        self._launcher.communicate()
        self.account.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []  # ended meanwhile


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
