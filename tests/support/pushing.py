"""For tests of push: a local tree, a lab host, and a direct look at its disk."""

import os
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from igor_core.paths import HostPaths
from igor_core.push.manifest import Manifest
from igor_core.push.plan import Change
from igor_core.push.record import TreeKey
from igor_core.push.report import PushOptions, PushReport
from igor_core.push.sync.host_tree import HostTree
from igor_core.push.sync.registry import Trees
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Address, Login
from igor_core.ssh.process import Completed
from igor_core.worktree.files import Tree, scan
from igor_core.worktree.reading import read
from tests.lab import Host


@dataclass(frozen=True)
class Entry:
    """A file or link as it is on disk; `content` is its text or target."""

    kind: str
    mode: int
    mtime_ns: int
    content: bytes


def entries(root: Path) -> dict[bytes, Entry]:
    """Return all files and links below a folder, read from the disk."""
    top, found = os.fsencode(root), {}
    for folder, folders, names in os.walk(top):
        for name in [*names, *(n for n in folders if os.path.islink(os.path.join(folder, n)))]:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = entry(path)
    return found


def entry(path: bytes) -> Entry:
    about = os.lstat(path)
    if stat.S_ISLNK(about.st_mode):
        return Entry("l", 0, 0, os.readlink(path))
    with open(path, "rb") as stream:
        return Entry("f", stat.S_IMODE(about.st_mode), about.st_mtime_ns, stream.read())


class Counting(RemoteHost):
    """A real host that counts the commands run on it."""

    runs = 0

    async def run(self, argv: Sequence[str], **options: Any) -> Completed:
        self.runs += 1
        return await super().run(argv, **options)


@dataclass
class Person:
    """Answer a push's questions, and record them and the progress."""

    answer: bool = False
    asked: list[str] = field(default_factory=list)
    seen: list[tuple[int, int]] = field(default_factory=list)
    on_progress: Callable[[int], None] = lambda done: None

    def progress(self, label: str, done: int, total: int, unit: str, rate: float) -> None:
        self.seen.append((done, total))
        self.on_progress(done)

    async def confirm(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer


@dataclass
class Desk:
    """A local clone and its tree on a lab host."""

    lab_host: Host
    remote: Counting
    root: Path
    paths: HostPaths
    transport: str = "receiver"
    trees: Trees = field(default_factory=Trees)
    person: Person = field(default_factory=Person)

    async def push(self, **options: Any) -> PushReport:
        return await self.push_tree(self.scan(), **options)

    async def push_tree(self, tree: Tree, **options: Any) -> PushReport:
        await self.remote.connect(Login())
        there = self.host_tree
        report = await there.push(ready(tree), replace(PushOptions(), **options), self.person)
        by_rsync = self.transport == "rsync" or not self.remote.has_supervisor
        assert there.by in ("", "rsync" if by_rsync else "receiver")
        return report

    async def save(self, *names: str) -> PushReport:
        """Send these files, as after an editor has written or removed them."""
        await self.remote.connect(Login())
        return await self.host_tree.send(self.changes(*names))

    def changes(self, *names: str) -> list[Change]:
        return [self.change(os.fsencode(name)) for name in names]

    def change(self, path: bytes) -> Change:
        found = read(os.fsencode(self.root), path, 8 << 20)
        if found is None:
            return Change(path, None)
        return Change(path, found.file, found.content, found.hash)

    @property
    def host_tree(self) -> HostTree:
        return self.trees.on(self.remote, self.paths, self.root, self.transport)

    def scan(self) -> Tree:
        return scan(self.root)

    def new_agent(self) -> None:
        """Forget all that an agent keeps in memory, as after its death."""
        self.trees.close()
        self.trees = Trees()

    @property
    def manifest(self) -> Manifest:
        where, port, user = self.remote.endpoint
        return self.trees.manifest(TreeKey(where, port, user, self.paths.tree))

    @property
    def there(self) -> Path:
        """Return the tree on the host, as a path that the test can open."""
        return self.lab_host.path(self.paths.tree)

    def on_host(self) -> dict[bytes, Entry]:
        return entries(self.there)

    def local(self) -> dict[bytes, Entry]:
        """Return the local files that belong to the tree."""
        top = os.fsencode(self.root)
        return {path: entry(os.path.join(top, path)) for path in self.scan().files}

    def write(self, name: str | bytes, content: bytes | str = b"x", mode: int = 0o644) -> Path:
        path = self.root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.root), *words], capture_output=True, check=True)

    def remove(self, name: str) -> None:
        """Remove a file, a link or a folder."""
        subprocess.run(["rm", "-rf", "--", str(self.root / name)], check=True)

    def write_there(self, name: str, content: str) -> None:
        """Write a file as a program on the host would."""
        script = 'mkdir -p -- "$(dirname -- "$1")" && cat >"$1"'
        path = f"{self.paths.tree}/{name}"
        self.lab_host.run(["sh", "-c", script, "sh", path], input=content, check=True)

    def sh_there(self, script: str, *arguments: str) -> str:
        """Run a script in the tree on the host, as its user."""
        line = f'cd -- "$1" && shift && {script}'
        words = ["sh", "-c", line, "sh", self.paths.tree, *arguments]
        return self.lab_host.run(words, check=True).stdout


async def ready(tree: Tree) -> Tree:
    return tree


@asynccontextmanager
async def desk(
    host: Host, root: Path, folder: str = "~/dev", transport: str = "receiver"
) -> AsyncIterator[Desk]:
    """Create an empty clone in `root`, for a tree below `folder` on a host."""
    os.makedirs(root, exist_ok=True)
    remote = Counting(Address(host.name))
    await remote.connect(Login())
    made = Desk(host, remote, root, HostPaths.of(folder, host.home, root.name), transport)
    try:
        yield made
    finally:
        made.trees.close()
        remote.close()


def receivers(clone: Desk) -> list[int]:
    """Return the processes that have the folder for temp files open."""
    return [pid for pid in clone.lab_host.pids("python3") if _has_open(pid, "/.igor-host/tmp/")]


def _has_open(pid: int, part: str) -> bool:
    try:
        files = list(Path(f"/proc/{pid}/fd").iterdir())
        return any(part in os.readlink(file) for file in files)
    except OSError:
        return False  # it has ended
