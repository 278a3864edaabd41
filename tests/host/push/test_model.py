"""Random sequences of changes to a project and its host: no file of the host's programs is lost."""

import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.pushing import Desk, desk

STEPS = 60
NAMES = ["a", "b", "c", "d/a", "d/b", "d/e/a", "f/a", "-x", "o o"]


@pytest.fixture(params=["receiver", "rsync"])
async def apollo(
    request: pytest.FixtureRequest, lab: Lab, ssh_home: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    host = lab["apollo"]
    host.run(["rm", "-rf", "dev"], check=True)
    async with desk(host, tmp_path / "project", transport=request.param) as made:
        yield made


@dataclass
class Life:
    """Local and remote changes; `theirs` is the last content of its programs, by path."""

    clone: Desk
    rng: random.Random
    theirs: dict[bytes, bytes] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    count: int = 0

    async def step(self) -> None:
        acts = [self.edit] * 4 + [self.remove, self.rename, self.link, self.program] * 2
        acts += [self.delete_there]
        act = self.rng.choice([*acts, None, None, None, None])
        if act is not None:
            act(self.rng.choice(NAMES))
        elif self.rng.random() < 0.2:
            self.story.append("new agent")
            self.clone.new_agent()
        else:
            await self.push()

    def edit(self, name: str) -> None:
        self.count += 1
        self.story.append(f"edit {name} {self.count}")
        try:
            # Half of them have the same length.
            self.clone.write(name, f"{self.count:04}" + "x" * self.rng.choice([0, self.count]))
        except OSError:
            self.remove(name.split("/")[0])

    def remove(self, name: str) -> None:
        self.story.append(f"remove {name}")
        self.clone.remove(name)

    def rename(self, name: str) -> None:
        target = self.rng.choice(NAMES)
        self.story.append(f"rename {name} {target}")
        try:
            (self.clone.root / target).parent.mkdir(parents=True, exist_ok=True)
            (self.clone.root / name).rename(self.clone.root / target)
        except OSError:
            self.story.append("  not possible")

    def link(self, name: str) -> None:
        target = self.rng.choice(NAMES)
        self.story.append(f"link {name} {target}")
        self.clone.remove(name)
        try:
            (self.clone.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone.root / name).symlink_to(target)
        except OSError:
            self.story.append("  not possible")

    def program(self, name: str) -> None:
        """Write a file of the program's own or over one of igor's, but leave links and folders."""
        path = self.clone.there / name
        parents = [
            self.clone.there / Path(*Path(name).parts[:n]) for n in range(1, len(Path(name).parts))
        ]
        if path.is_symlink() or path.is_dir() or any(p.is_symlink() for p in parents):
            return
        if any(p.exists() and not p.is_dir() for p in parents) or not self.clone.there.exists():
            return
        self.count += 1
        self.story.append(f"program writes {name} {self.count}")
        self.clone.write_there(name, f"there {self.count}")
        self.theirs[name.encode()] = f"there {self.count}".encode()

    def delete_there(self, name: str) -> None:
        if (self.clone.there / name).is_file() and not (self.clone.there / name).is_symlink():
            self.story.append(f"program deletes {name}")
            self.clone.sh_there('rm -f -- "./$1"', name)
            self.theirs.pop(name.encode(), None)

    async def push(self) -> None:
        report = await self.clone.push(allow_deletes=True)
        held_back = {item.path for item in report.held_back}
        self.story.append(f"push: held back {sorted(held_back)}")
        there, here = self.clone.on_host(), self.clone.local()
        for path, content in list(self.theirs.items()):
            assert path in there, f"{path!r} is lost"
            assert there[path].content == content, f"{path!r} is overwritten"
            if path in here and here[path].content == content:
                del self.theirs[path]  # the same on both sides: igor's from now on
        for path, entry in here.items():
            if path not in held_back:
                assert path in there, f"{path!r} has not arrived"
                assert there[path].content == entry.content, path
        again = await self.clone.push()
        assert (again.sent, again.deleted) == ([], []), "a second push does nothing"
        assert {item.path for item in again.held_back} >= held_back - set(there)


@pytest.mark.parametrize("seed", [int(os.environ.get("IGOR_SEED", "0")) or n for n in range(1, 9)])
async def test_a_random_life(apollo: Desk, seed: int) -> None:
    life = Life(apollo, random.Random(seed))
    await life.push()
    try:
        for _step in range(STEPS):
            await life.step()
        await life.push()
    except BaseException:
        print(f"seed {seed}", *life.story, sep="\n  ")
        raise
