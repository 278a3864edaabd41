"""Random changes of every kind: the kept tree is at each step what a scan from nothing finds."""

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from igor_core.errors import IgorError
from igor_core.worktree.files import Tree, scan
from igor_core.worktree.local_tree import LocalTree
from tests.support.git_trees import write

NAMES = ["a", "b.py", "c.log", "d.o", "data", "lib", "new\nline", "\udcff", "sub", "x y"]
PATTERNS = ["*.log", "*.o", "data/", "!data/b.py", "/lib", "sub/*", "!*.log", "a", "!a", "b.*", "*"]
INCLUDE, EXCLUDE = ["*.o", "/data/**"], ["x y", "sub/lib"]


@dataclass
class World:
    """A project that somebody works on."""

    root: Path
    rng: random.Random

    def git(self, *words: str, where: Path | None = None) -> None:
        # A merge that fails or a commit of nothing is a state like others.
        command = ["git", "-C", str(where or self.root), "-c", "protocol.file.allow=always"]
        subprocess.run([*command, *words], capture_output=True, check=False)

    def path(self) -> Path:
        depth = self.rng.choice([1, 1, 2, 2, 3])
        return self.root.joinpath(*(self.rng.choice(NAMES) for _ in range(depth)))

    def some(self) -> Path:
        """Something that is there, if there is anything."""
        found = [p for p in self.root.rglob("*") if ".git" not in p.parts]
        return self.rng.choice(found) if found else self.path()

    def write(self) -> None:
        path = self.path()
        if path.is_file() or not path.exists():
            name = os.fsencode(path.relative_to(self.root))
            write(self.root, name, "x" * self.rng.randint(0, 9))

    def edit(self) -> None:
        path = self.some()
        if path.is_file() and not path.is_symlink():
            path.write_text("y" * self.rng.randint(0, 30))

    def edit_with_the_old_time(self) -> None:
        path = self.some()
        if path.is_file() and not path.is_symlink():
            before = path.stat()
            path.write_text("k" * self.rng.randint(0, 30))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def replace(self) -> None:
        (fresh := self.root / "fresh").write_text("z" * self.rng.randint(0, 9))
        fresh.rename(self.some())

    def chmod(self) -> None:
        self.some().chmod(self.rng.choice([0o644, 0o755, 0o600, 0o4755]))

    def delete(self) -> None:
        path = self.some()
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def rename(self) -> None:
        self.some().rename(self.path())

    def link(self) -> None:
        self.path().symlink_to(self.rng.choice(["a", "../b.py", "sub", "/etc", "nowhere"]))

    def to_link(self) -> None:
        """A folder gives way to a link to where it is now."""
        path = self.some()
        if path.is_dir():
            away = self.root.parent / f"away{self.rng.random()}"
            path.rename(away)
            path.symlink_to(away)

    def to_folder(self) -> None:
        path = self.some()
        if not path.is_dir():
            path.unlink()
            write(path, "b.py")

    def fifo(self) -> None:
        os.mkfifo(self.path())

    def ignore(self) -> None:
        folder = self.rng.choice(["", "sub/", "data/", "lib/"])
        kind = self.rng.choice([".gitignore", ".gitignore", ".igor/ignore", ".git/info/exclude"])
        lines = "\n".join(self.rng.sample(PATTERNS, self.rng.randint(0, 3)))
        write(self.root, folder + kind if kind == ".gitignore" else kind, lines)

    def unreadable(self) -> None:
        path = self.some()
        if path.is_dir() and not path.is_symlink():
            path.chmod(self.rng.choice([0, 0o444, 0o111]))

    def readable(self) -> None:
        for folder, _folders, _files in os.walk(self.root):
            for entry in os.scandir(folder):
                if entry.is_dir(follow_symlinks=False):
                    os.chmod(entry.path, 0o755)

    def add(self) -> None:
        self.git("add", self.rng.choice(["-A", "-u", "-f"]), str(self.some()))

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "x")

    def uncommit(self) -> None:
        self.git("reset", self.rng.choice(["-q", "--hard"]), "HEAD~1")

    def branch(self) -> None:
        name = self.rng.choice(["one", "two"])
        self.git("branch", name)
        self.git("checkout", "-qf", name)

    def merge(self) -> None:
        self.git("merge", "-q", self.rng.choice(["one", "two"]))

    def untrack(self) -> None:
        self.git("rm", "-rq", "--cached", str(self.some()))

    def clean(self) -> None:
        self.git("clean", "-qfd")

    def repository(self) -> None:
        path = self.some()
        if path.is_dir() and not path.is_symlink():
            self.git("init", "-q", where=path)
            write(path, ".gitignore", self.rng.choice(PATTERNS))
            if self.rng.random() < 0.5:
                self.git("add", "-A", where=path)
                self.git("commit", "-qm", "x", where=path)

    def no_repository(self) -> None:
        found = [p for p in self.root.rglob(".git") if p.parent != self.root]
        if found:
            path = self.rng.choice(found)
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def submodule(self) -> None:
        other = self.root.parent / "other"
        if not other.exists():
            write(other, "a")
            write(other, ".gitignore", "*.o\n")
            for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
                self.git(*words, where=other)
        where = self.rng.choice(["lib", "module"])
        self.git("submodule", "--quiet", "add", "--force", str(other), where)

    def git_or_not(self) -> None:
        here, away = self.root / ".git", self.root.parent / "git-away"
        away.rename(here) if away.exists() else here.rename(away)


STEPS: list[Callable[[World], None]] = [
    World.write, World.write, World.write, World.edit, World.edit_with_the_old_time,
    World.replace, World.chmod, World.delete, World.rename, World.rename, World.link,
    World.to_link, World.to_folder, World.fifo, World.ignore, World.ignore, World.unreadable,
    World.readable, World.readable, World.add, World.add, World.commit, World.commit,
    World.uncommit, World.branch, World.branch, World.merge, World.untrack, World.untrack,
    World.clean, World.repository, World.repository, World.no_repository, World.submodule,
    World.git_or_not,
]  # fmt: skip


def answer(root: Path, include: list[str], exclude: list[str]) -> Tree | str:
    try:
        return scan(root, include, exclude)
    except IgorError as error:
        return str(error)


def differences(one: Tree, other: Tree) -> set[bytes]:
    paths = one.files.keys() | other.files.keys()
    return {path for path in paths if one.files.get(path) != other.files.get(path)}


async def save(local: LocalTree, world: World) -> None:
    """Tell of some paths as an editor would; what it answers must be so."""
    root = world.root
    paths = [os.fsencode(world.some().relative_to(root)) for _ in range(3)]
    try:
        looked = local.look(paths)
        asked = await local.ask(looked.unasked)
        truth = scan(root, INCLUDE, EXCLUDE)
    except IgorError:
        return
    found = {**looked.files, **asked.files}
    for path, file in found.items():
        assert local.file(path) == file
        assert file is None or truth.files.get(path, file) == file
    for path in asked.files:
        # Of what git was asked for only an ignore file of igor's that is not known yet may differ.
        assert path in truth.files or b".igor/ignore" in truth.files


@pytest.mark.parametrize("seed", range(30))
async def test_the_kept_tree_is_always_what_a_scan_finds(normal_root: Path, seed: int) -> None:
    rng = random.Random(seed)
    world = World(normal_root, rng)
    os.mkdir(normal_root)
    world.git("init", "-q")
    world.git("config", "user.name", "x")
    world.git("config", "user.email", "x@x")
    include, exclude = (INCLUDE, EXCLUDE) if seed % 2 else ([], [])
    local = LocalTree(normal_root, include, exclude)
    known: Tree | None = None
    for _round in range(25):
        for _change in range(rng.choice([1, 1, 2, 5])):
            step = rng.choice(STEPS)
            with contextlib.suppress(OSError):
                step(world)
        if seed % 2 and rng.random() < 0.5:
            await save(local, world)
        expected = answer(normal_root, include, exclude)
        try:
            found: Tree | str = await local.reconcile()
        except IgorError as error:
            found = str(error)
        if isinstance(found, str) or isinstance(expected, str):
            assert found == expected
            continue
        assert found.files == expected.files
        assert found.passed_over == expected.passed_over
        assert found.unreadable == expected.unreadable
        if known is not None:
            changed = local.changed_since(known.number)
            assert changed is not None
            assert changed >= differences(known, found)
        known = found
    world.readable()
