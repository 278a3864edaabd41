"""For tests of saves: a project, hosts that follow it, and editors as the agent sees them."""

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from igor_core.agent.protocol import Kind
from tests.lab import Host
from tests.support.agent_client import Seen, client, wait_until
from tests.support.pushing import Entry, entries, entry

# Enough for anything that depends on the local machine alone.
SECONDS = 60.0

EventTest = Callable[[dict[str, Any]], Any]


class FollowedProject:
    """A git repository in `root` with runtime none, and its trees on hosts of the lab."""

    def __init__(self, root: Path, hosts: Sequence[Host], **more: Any) -> None:
        self.root = root
        self.hosts = list(hosts)
        root.mkdir()
        self.configure(**{"push_on_write": True, **more})
        self.git("init", "-q")
        for host in hosts:
            host.run(["rm", "-rf", "dev"], check=True)

    def configure(self, **more: Any) -> None:
        named = [{"host": host.name, "dir": "~/dev"} for host in more.pop("hosts", self.hosts)]
        config = {"user": "lab", "runtime": "none", "host_groups": {"dev": {"hosts": named}}}
        self.write(".igor/config.json", json.dumps({**config, **more}))

    def write(self, name: str, content: str | bytes = "x", mode: int = 0o644) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def git(self, *words: str) -> None:
        self.run("git", "-C", str(self.root), *words)

    def run(self, *argv: str) -> None:
        """Run a local command."""
        subprocess.run(argv, capture_output=True, check=True)

    def call(self, verb: str, **args: Any) -> dict[str, Any]:
        """Ask the agent for a verb, like a terminal that can't answer questions."""
        asking = client()
        try:
            outcome: dict[str, Any] = asking.call(verb, str(self.root), **args)
            return outcome
        finally:
            asking.close()

    def answering(self, verb: str, answer: str) -> int:
        """Ask for a verb and give `answer` to each question; return the number of questions."""
        asking = client(answers=True)
        job = Seen(asking, verb, self.root)
        answered = 0

        def is_asking(job: Seen) -> bool:
            return job.outcome is not None or len(job.prompts()) > answered

        while job.until(is_asking).outcome is None:
            answered += 1
            job.answer(answer, count=answered)
        assert job.end()["status"] == 0, job.outcome
        asking.close()
        return len(job.prompts())

    def trust(self) -> None:
        assert self.call("trust")["status"] == 0

    # The trees.

    def on(self, host: Host) -> Path:
        """Return the tree on a host."""
        return host.path(f"dev/{self.root.name}")

    def trees(self) -> list[Path]:
        return [self.on(host) for host in self.hosts]

    def here(self) -> dict[bytes, Entry]:
        """Return all local files except git's own; with an ignore file, the tree has fewer."""
        found = entries(self.root)
        return {path: what for path, what in found.items() if not path.startswith(b".git/")}

    def arrives(self, *names: str, hosts: Sequence[Host] = ()) -> None:
        """Wait until these are on all hosts (or those given) as they are locally, or gone if gone
        locally.
        """
        trees = [self.on(host) for host in hosts or self.hosts]
        wait_until(
            lambda: all(
                found(t / name) == found(self.root / name) for t in trees for name in names
            ),
            SECONDS,
        )

    def all_arrives(self, *hosts: Host) -> None:
        """Wait until the whole tree on all hosts (or those given) equals the local one."""
        trees = [self.on(host) for host in hosts or self.hosts]
        wait_until(lambda: all(on_disk(tree) == self.here() for tree in trees), SECONDS)

    def is_gone(self, name: str) -> None:
        """Wait until no host has anything by that name."""
        wait_until(lambda: not any((tree / name).exists() for tree in self.trees()), SECONDS)

    def write_there(self, host: Host, name: str, content: str) -> None:
        """Write a file as a program on the host would."""
        script = 'mkdir -p -- "$(dirname -- "$1")" && cat >"$1"'
        path = f"{host.home}/dev/{self.root.name}/{name}"
        host.run(["sh", "-c", script, "sh", path], input=content, check=True)

    def receivers(self, host: Host) -> list[int]:
        """Return the receivers on a host: processes that have its folder for temp files open."""
        return [pid for pid in host.pids("python3") if _has_open(pid, "/.igor-host/tmp/")]


class Editor:
    """A client that watches a project; `event` is the last one that it received."""

    def __init__(
        self, project: FollowedProject, push_on_write: bool | None = None, watch: bool = True
    ) -> None:
        self.root = str(project.root)
        self.events: list[dict[str, Any]] = []
        self._client = client()
        self._watch = 0
        if watch:
            args = {"push_on_write": push_on_write, "warm": True}
            self._watch = self._client.request("watch", self.root, args)

    def save(self, *names: str | bytes) -> None:
        self._client.send(Kind.SAVE, 0, self.root, list(names))

    def look(self) -> None:
        """Ask the agent to check the project, as an editor does when it gets the focus."""
        self.save()

    @property
    def event(self) -> dict[str, Any]:
        while select.select([self._client], [], [], 0)[0]:
            self._receive()
        if not self.events:
            self.until(lambda event: True)
        return self.events[-1]

    def until(self, is_true: EventTest, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait for an event for which that is true; the last received one counts too."""
        deadline = time.monotonic() + seconds
        while not (self.events and is_true(self.events[-1])):
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._client], [], [], left)[0]
            assert ready, f"it was not told: {self.events[-3:]}"
            self._receive()
        return self.events[-1]

    def until_fresh(self, seconds: float = SECONDS) -> dict[str, Any]:
        return self.until(is_fresh, seconds)

    def states(self) -> list[str]:
        return [host["state"] for host in self.event["hosts"]]

    def close(self) -> None:
        self._client.close()

    def _receive(self) -> None:
        for frame in self._client.receive():
            is_event = frame[0] is Kind.EVENT and frame[1] == self._watch
            if is_event and frame[2]["type"] == "freshness":
                self.events.append(frame[2])


def is_fresh(event: dict[str, Any]) -> bool:
    hosts = event["hosts"]
    return bool(hosts) and all(host["state"] == "fresh" and not host["pending"] for host in hosts)


def of(event: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an event's entry for a host."""
    return next(host for host in event["hosts"] if host["host"] == name)


def found(path: Path) -> Entry | None:
    """Return a file, link or folder as it is, or None if it does not exist."""
    try:
        return entry(os.fsencode(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        return Entry("d", 0, 0, b"")


def on_disk(root: Path) -> dict[bytes, Entry]:
    """Return a tree that may change meanwhile, without the entries that vanish during the scan."""
    try:
        return entries(root)
    except FileNotFoundError:
        return {}


def _has_open(pid: int, part: str) -> bool:
    try:
        return any(part in os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False  # it has ended
