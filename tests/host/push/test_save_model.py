"""Random lives of a project that two hosts follow, with all that can fail on the way.

In the end each host has what is here, but for what its own programs wrote: that is kept, and named.
IGOR_SEED repeats one life; IGOR_LIVES is how many are lived, IGOR_STEPS how long each is.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from igor_core import directories
from igor_core.worktree.files import scan
from tests.lab import Host, Lab
from tests.support.agent_client import kill_agent
from tests.support.following import Editor, FollowedProject, found, on_disk
from tests.support.pushing import Entry, entry

SEED = int(os.environ.get("IGOR_SEED", "0"))
LIVES = int(os.environ.get("IGOR_LIVES", "8"))
STEPS = int(os.environ.get("IGOR_STEPS", "40"))

# "f" is sometimes a file and sometimes a folder, "g" a folder or a link.
NAMES = ["a", "b", "c.py", "d/a", "d/b", "d/e/a", "f", "f/a", "g/a", "-x", "o o"]
# Paths that only programs on the hosts write.
FOREIGN = ["out/1", "d/result", "d/e/result", "f/result", "run.log"]


@dataclass
class Life:
    """Local and remote changes; `theirs` is the last content of programs on each host, by path."""

    project: FollowedProject
    rng: random.Random
    theirs: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    count: int = 0

    def begin(self) -> None:
        self.theirs = {host.name: {} for host in self.project.hosts}
        for name in ("a", "b", "d/a", "d/e/a"):
            self.edit(name)
        self.project.git("add", "-A")
        self.project.git("commit", "-qm", "first")
        self.project.git("branch", "other")
        self.project.trust()
        self.editor = Editor(self.project)
        if self.rng.random() < 0.7:
            self.editor.until_fresh()

    def tell(self, text: str) -> None:
        self.story.append(f"{time.monotonic():.3f} {text}")

    def step(self) -> None:
        here = (
            [self.edit] * 3 + [self.edit_and_save] * 8 + [self.remove, self.rename, self.link] * 2
        )
        there = [self.program, self.program_deletes, self.foreign]
        act = self.rng.choice([*here, *there, *[self.happen] * 6])
        act(self.rng.choice(NAMES))
        time.sleep(self.rng.choice([0, 0, 0, 0.003, 0.02, 0.08]))

    def happen(self, _name: str) -> None:
        acts: list[Callable[[], None]] = [self.look] * 4 + [self.several, self.switch] * 2
        acts += [self.push, self.kill_agent, self.kill_receiver, self.stop_receiver]
        acts += [self.kill_sshd, self.start_sshd, self.cut]
        self.rng.choice(acts)()

    # Local changes.

    def edit(self, name: str) -> None:
        self.count += 1
        # Half of them have the same length.
        text = f"{self.count:04}" + "x" * self.rng.choice([0, 0, 0, 20_000]) * self.rng.choice(
            [0, 1]
        )
        self.tell(f"edit {name} {self.count}")
        try:
            self.project.write(name, text, self.rng.choice([0o644, 0o644, 0o755]))
        except OSError:
            self.remove(name.split("/")[0])

    def edit_and_save(self, name: str) -> None:
        self.edit(name)
        self.save(name)

    def save(self, *names: str) -> None:
        self.tell(f"save {' '.join(names)}")
        self.editor.save(*names)

    def several(self) -> None:
        names = self.rng.sample(NAMES, 3)
        for name in names:
            self.edit(name)
        self.save(*names)

    def remove(self, name: str) -> None:
        self.tell(f"remove {name}")
        path = self.project.root / self.rng.choice([name, name.split("/")[0]])
        self.project.run("rm", "-rf", "--", str(path))
        if self.rng.random() < 0.3:
            self.save(name)

    def rename(self, name: str) -> None:
        target = self.rng.choice(NAMES)
        self.tell(f"rename {name} {target}")
        with contextlib.suppress(OSError):
            (self.project.root / target).parent.mkdir(parents=True, exist_ok=True)
            (self.project.root / name).rename(self.project.root / target)

    def link(self, name: str) -> None:
        name = self.rng.choice(["a", "d/b", "g"])
        target = self.rng.choice(["b", "d", "nowhere"])
        self.tell(f"link {name} {target}")
        self.project.run("rm", "-rf", "--", str(self.project.root / name))
        with contextlib.suppress(OSError):
            (self.project.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.project.root / name).symlink_to(target)
        if self.rng.random() < 0.5:
            self.save(name)

    def look(self) -> None:
        self.tell("look")
        self.editor.look()

    def switch(self) -> None:
        branch = self.rng.choice(["main", "other"])
        self.tell(f"switch to {branch}")
        self.project.git("add", "-A")
        self.project.git("commit", "-q", "--allow-empty", "-m", "more")
        self.project.git("checkout", "-q", branch)

    # Changes on the hosts.

    def host(self) -> Host:
        return self.rng.choice(self.project.hosts)

    def program(self, name: str) -> None:
        """Write a file of the program's own or over one of igor's, but leave links and folders."""
        host = self.host()
        path = self.project.on(host) / name
        above = [self.project.on(host) / parent for parent in Path(name).parents]
        if path.is_symlink() or path.is_dir() or any(p.is_symlink() for p in above):
            return
        if any(p.exists() and not p.is_dir() for p in above) or not above[-1].exists():
            return
        self.count += 1
        content = f"there {self.count}"
        try:
            write_as_user(host, path, content)
        except OSError:
            return
        self.tell(f"{host.name}: program writes {name} {self.count}")
        self.theirs[host.name][name.encode()] = content.encode()

    def foreign(self, _name: str) -> None:
        self.program(self.rng.choice(FOREIGN))

    def program_deletes(self, name: str) -> None:
        host = self.host()
        path = self.project.on(host) / name
        above = [self.project.on(host) / parent for parent in Path(name).parents]
        if path.is_file() and not path.is_symlink() and not any(p.is_symlink() for p in above):
            self.tell(f"{host.name}: program deletes {name}")
            with contextlib.suppress(OSError):
                path.unlink()
                self.theirs[host.name].pop(name.encode(), None)

    # Faults, and commands.

    def push(self) -> None:
        self.tell("push")
        self.project.call("push", allow_deletes=True)

    def kill_agent(self) -> None:
        self.tell("agent killed")
        kill_agent()
        self.editor = Editor(self.project)

    def kill_receiver(self) -> None:
        host = self.host()
        self.tell(f"{host.name}: receiver killed")
        for pid in self.project.receivers(host):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop_receiver(self) -> None:
        host = self.host()
        self.tell(f"{host.name}: receiver stopped for a moment")
        pids = self.project.receivers(host)
        for how in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            for _ in range(3 if how == signal.SIGSTOP else 0):
                self.edit_and_save(self.rng.choice(NAMES))

    def kill_sshd(self) -> None:
        host = self.host()
        self.tell(f"{host.name}: sshd killed")
        host.kill_sshd()

    def start_sshd(self) -> None:
        self.tell("sshd started")
        for host in self.project.hosts:
            host.start_sshd()

    def cut(self) -> None:
        host = self.host()
        self.tell(f"{host.name}: cable cut for a moment")
        host.cut()
        self.edit_and_save(self.rng.choice(NAMES))
        time.sleep(self.rng.choice([0, 0.05, 0.3]))
        host.mend()

    # The end of a life.

    def end(self) -> None:
        self.start_sshd()
        if self.rng.random() < 0.5:
            self.rest()
        self.tell("the last push")
        # What is on its way when a push begins is left to whoever sends it: what a program deletes
        # just when that has arrived, only the next push sees.
        self.pushed_all()
        for result in self.pushed_all():
            assert result["ok"] or "held back: " in result["text"], result
        held_back = self.held_back()
        for host in self.project.hosts:
            self.check(host, held_back[host.name])
        self.editor.look()
        told = self.editor.until(lambda event: is_quiet(event, held_back))
        assert all(not host["error"] for host in told["hosts"]), told
        again = self.project.call("push")
        assert all("sent" not in r["text"] for r in again["results"] if r["ok"]), again
        assert self.held_back() == held_back

    def pushed_all(self) -> list[dict[str, Any]]:
        """Push until no connection is lost: the push that notices a loss fails, the next one
        succeeds.
        """
        while True:
            results = self.project.call("push", allow_deletes=True)["results"]
            if not any("connection" in result["text"] for result in results):
                return list(results)

    def rest(self) -> None:
        """Only let the editor look: what igor sends on its own must suffice."""
        self.tell("rest")
        self.editor.look()
        self.editor.until(
            lambda event: all(
                h["state"] == "fresh" or "would" in h["error"] for h in event["hosts"]
            )
        )

    def held_back(self) -> dict[str, set[bytes]]:
        told = self.project.call("status")["data"]["hosts"]
        return {host["host"]: {os.fsencode(path) for path in host["held_back"]} for host in told}

    def check(self, host: Host, held_back: set[bytes]) -> None:
        there, theirs = on_disk(self.project.on(host)), self.theirs[host.name]
        here = self.here()
        for path, content in theirs.items():
            assert path in there, f"{host.name}: {path!r} of a program is lost"
            assert there[path].content == content, f"{host.name}: {path!r} is overwritten"
        for path in held_back:
            assert any(is_near(path, other) for other in theirs), f"{path!r} is held back"
        for path, what in here.items():
            if path not in held_back:
                as_here = timeless(there.get(path)) == timeless(what)
                assert as_here, f"{host.name}: {path!r} is not as it is here"
        for path in there.keys() - here.keys() - theirs.keys():
            raise AssertionError(f"{host.name}: {path!r} is still there")
        temporary = self.project.on(host).parent / ".igor-host/tmp" / self.project.root.name
        assert not any(temporary.iterdir())

    def here(self) -> dict[bytes, Entry]:
        top = os.fsencode(self.project.root)
        return {path: entry(os.path.join(top, path)) for path in scan(self.project.root).files}


def is_quiet(event: dict[str, Any], held_back: dict[str, set[bytes]]) -> bool:
    return all(
        host["state"] == "fresh"
        and not host["pending"]
        and {os.fsencode(path) for path in host["held_back"]} == held_back[host["host"]]
        for host in event["hosts"]
    )


def timeless(entry: Entry | None) -> Entry | None:
    """Return an entry without its time: a branch that is switched back has another one here."""
    return entry and replace(entry, mtime_ns=0)


def is_near(path: bytes, other: bytes) -> bool:
    """Return whether one path is the other, or is in it."""
    return path == other or path.startswith(other + b"/") or other.startswith(path + b"/")


def write_as_user(host: Host, path: Path, content: str) -> None:
    """Write the file atomically: a program that writes into a file being replaced may lose its
    text.
    """
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        os.chown(parent, host.uid, host.uid)
    beside = host.path("beside")
    beside.write_text(content)
    os.chown(beside, host.uid, host.uid)
    beside.rename(path)


@pytest.fixture
def project(lab: Lab, ssh_home: Path, tmp_path: Path) -> Iterator[FollowedProject]:
    yield FollowedProject(tmp_path / "project", [lab["apollo"], lab["enterprise"]])
    said = directories.log_path().read_text()
    print(said)
    assert "Traceback" not in said


@pytest.mark.parametrize("seed", [SEED] if SEED else range(1, LIVES + 1))
def test_a_random_life(project: FollowedProject, seed: int) -> None:
    life = Life(project, random.Random(seed))
    try:
        life.begin()
        for _step in range(STEPS):
            life.step()
        life.end()
    except BaseException:
        print(f"IGOR_SEED={seed}", *life.story, sep="\n  ")
        for host in project.hosts:
            print(host.name, life.theirs.get(host.name), sorted(on_disk(project.on(host))))
        raise
    assert found(project.root / ".igor/config.json")
