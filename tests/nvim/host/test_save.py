"""Push on write for real: keys in Neovim, the real agent, real hosts."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from igor_core.agent.client import connect
from igor_core.directories import pid_path
from tests.lab import Host, Lab
from tests.support.nvim.editor import running
from tests.support.nvim.saving import LEAVING_KEYS, PUSHING, TURNS, headless, type_and_leave
from tests.support.nvim.status import ANSWERING, STATUS

pytestmark = pytest.mark.timeout(300)


class Project:
    """A project whose group `dev` is both hosts, and its trees there."""

    def __init__(self, root: Path, hosts: list[Host]) -> None:
        self.root = root
        self.hosts = hosts
        (root / ".igor").mkdir(parents=True)
        groups = {"dev": {"hosts": [{"host": host.name, "dir": "~/dev"} for host in hosts]}}
        config = {"user": "lab", "runtime": "none", "host_groups": groups}
        (root / ".igor" / "config.json").write_text(json.dumps(config))
        (root / "main.py").write_text("print('hello')\n")

    def trust(self) -> None:
        with contextlib.closing(connect("test", answers=False)) as agent:
            assert agent.call("trust", str(self.root))["status"] == 0

    def there(self, host: Host, name: str) -> str | None:
        """What a host has in a file, None where it isn't there."""
        with contextlib.suppress(OSError):
            return Path(host.path(f"dev/{self.root.name}/{name}")).read_text()
        return None

    def arrives(self, name: str, text: str, seconds: float = 20) -> None:
        until(
            lambda: all(self.there(host, name) == text for host in self.hosts),
            f"{text!r} in {name}, but {[self.there(host, name) for host in self.hosts]}",
            seconds,
        )


def until(holds: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[Project]:
    name = f"saves-{time.time_ns() % 10**9}"
    yield Project(ssh_home / name, [lab["apollo"], lab["enterprise"]])
    with (
        contextlib.suppress(Exception),
        contextlib.closing(connect("test", answers=False, start=False)) as agent,
    ):
        agent.call("agent-stop")


def test_yes_to_the_question_pushes_and_then_each_save_arrives(
    nvim: Path, home: Path, project: Project
) -> None:
    with running(nvim, home, project.root, PUSHING, "main.py") as editor:
        editor.lua(ANSWERING)
        editor.wait("the question", lambda: editor.lua("return _G.asked[1]"), 30)
        assert editor.lua(STATUS) == "igor: not trusted"
        assert project.there(project.hosts[0], "main.py") is None
        editor.lua("_G.answer(1)")
        project.arrives("main.py", "print('hello')\n")
        editor.wait("fresh", lambda: editor.lua(STATUS) == "igor: fresh", 20)
        for turn in range(10):
            editor.keys(f":call setline(1, 'turn {turn}')<CR>:w<CR>")
            project.arrives("main.py", f"turn {turn}\n")
        assert "igor:" not in editor.messages().replace("igor: fresh", "")


@pytest.mark.parametrize("way", LEAVING_KEYS)
def test_a_save_that_ends_a_fresh_editor_arrives(
    nvim: Path, home: Path, project: Project, way: str
) -> None:
    project.trust()
    for turn in range(TURNS):
        (project.root / f"{turn}.py").write_text("")
        keys = f":call setline(1, 'turn {turn}')<CR>" + LEAVING_KEYS[way].replace("ix<Esc>", "")
        type_and_leave(nvim, home, project.root, f"{turn}.py", keys)
        project.arrives(f"{turn}.py", f"turn {turn}\n")


def test_a_save_and_one_more_that_ends_the_editor_arrive(
    nvim: Path, home: Path, project: Project
) -> None:
    """The agent tells of the first one while the second comes in and the editor goes."""
    project.trust()
    for turn in range(TURNS):
        keys = f":call setline(1, '{turn}')<CR>:w<CR>:call setline(1, 'last {turn}')<CR>:wq<CR>"
        type_and_leave(nvim, home, project.root, "main.py", keys)
        project.arrives("main.py", f"last {turn}\n")


def test_a_save_without_an_agent_arrives(nvim: Path, home: Path, project: Project) -> None:
    project.trust()
    for turn in range(3):
        os.kill(int(pid_path().read_text()), signal.SIGKILL)
        command = headless(nvim, home, "main.py", f"+call setline(1, 'turn {turn}')", "+wq")
        subprocess.run(command, cwd=project.root, check=True, capture_output=True, timeout=20)
        project.arrives("main.py", f"turn {turn}\n", 40)


def test_an_agent_that_is_killed_under_an_editor_loses_nothing(
    nvim: Path, home: Path, project: Project
) -> None:
    project.trust()
    with running(nvim, home, project.root, PUSHING, "main.py") as editor:
        editor.wait("fresh", lambda: editor.lua(STATUS) == "igor: fresh", 30)
        for turn in range(3):
            editor.keys(f":call setline(1, 'turn {turn}')<CR>:w<CR>")
            os.kill(int(pid_path().read_text()), signal.SIGKILL)
            editor.keys(f":call setline(1, 'more {turn}')<CR>:w<CR>")
            project.arrives("main.py", f"more {turn}\n", 40)


def test_a_host_that_is_away_is_told_once_and_gets_it_all_when_it_is_back(
    nvim: Path, home: Path, project: Project, lab: Lab
) -> None:
    project.trust()
    apollo = project.hosts[0]
    with running(nvim, home, project.root, PUSHING, "main.py") as editor:
        editor.wait("fresh", lambda: editor.lua(STATUS) == "igor: fresh", 30)
        lab["enterprise"].cut()
        for turn in range(3):
            editor.keys(f":call setline(1, 'turn {turn}')<CR>:w<CR>")
            until(lambda: project.there(apollo, "main.py") == f"turn {turn}\n", "apollo", 10)  # noqa: B023
        editor.wait_message("igor: enterprise: offline", 60)
        assert "offline (enterprise)" in editor.lua(STATUS)
        lab.heal()
        editor.command("doautocmd FocusGained")
        project.arrives("main.py", "turn 2\n", 60)
        editor.wait_message("igor: enterprise: back", 30)
        editor.wait("fresh", lambda: editor.lua(STATUS) == "igor: fresh", 30)
        assert editor.messages().count("offline") == 1


def test_a_file_that_was_changed_on_a_host_is_held_back_and_named(
    nvim: Path, home: Path, project: Project
) -> None:
    project.trust()
    apollo, enterprise = project.hosts
    with running(nvim, home, project.root, PUSHING, "main.py") as editor:
        editor.wait("fresh", lambda: editor.lua(STATUS) == "igor: fresh", 30)
        Path(apollo.path(f"dev/{project.root.name}/main.py")).write_text("theirs\n")
        editor.keys(":call setline(1, 'ours')<CR>:w<CR>")
        editor.wait_message("igor: main.py was changed on apollo and is held back: :IgorDiff", 20)
        until(lambda: project.there(enterprise, "main.py") == "ours\n", "enterprise", 10)
        assert project.there(apollo, "main.py") == "theirs\n"
        assert editor.lua(STATUS) == "igor: 1 held back"
