"""Changes that were not written from a buffer: when the editor asks the agent to check what."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nvim.saving import PUSHING
from tests.support.nvim.scene import Scene, make_project, scene


@pytest.fixture
def on(nvim: Path, home: Path) -> Iterator[Scene]:
    project = make_project(home)
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "first")
    with scene(nvim, home, PUSHING, "main.py") as on:
        on.agent.watch()
        on.editor.wait(
            "the connection", lambda: on.editor.lua("return require('igor.client').is_up()")
        )
        yield on


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def looks(on: Scene, seconds: float = 20) -> None:
    """Wait for a request to check all files; those that follow immediately belong to it."""
    assert on.agent.save(seconds) == (str(on.project), [])
    drain(on)


def drain(on: Scene) -> None:
    """Skip the pending requests to check all files."""
    time.sleep(0.3)
    while not on.agent.saves.empty():
        assert on.agent.save()[1] == []


def nothing(on: Scene) -> None:
    time.sleep(0.4)
    assert on.agent.saves.empty()


@pytest.mark.parametrize(
    "command",
    [
        "doautocmd FocusGained", "doautocmd VimResume", "silent !true",
        "doautocmd User OilActionsPost", "doautocmd User MiniFilesActionDelete",
    ],
)  # fmt: skip
def test_events_after_which_files_may_have_changed(on: Scene, command: str) -> None:
    nothing(on)
    on.editor.command(command)
    looks(on)


@pytest.mark.parametrize(
    "commands",
    [
        ["checkout -q -b other"],
        ["commit -q --allow-empty -m second", "reset -q --hard HEAD~"],
        ["rm -q main.py"],
        ["stash -q"],
    ],
)
def test_git_changes_what_is_checked_out(on: Scene, commands: list[str]) -> None:
    if commands == ["stash -q"]:
        (on.project / "main.py").write_text("changed\n")
    drain(on)
    for command in commands:
        git(on.project, *command.split())
    looks(on)


def test_git_in_a_worktree_and_with_the_project_below_its_root(nvim: Path, home: Path) -> None:
    repository = home / "repository"
    project = make_project(repository)
    git(repository, "init", "-q")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "first")
    git(repository, "worktree", "add", "-q", str(home / "tree"))
    with scene(nvim, home, PUSHING) as on:
        for root in (project, home / "tree" / "project"):
            on.editor.command(f"edit {root}/main.py")
            assert on.agent.watch()[3] == str(root)
            time.sleep(0.3)
            git(root, "checkout", "-q", "-b", f"other-{root.parent.name}")
            assert on.agent.save() == (str(root), [])
            drain(on)


def test_a_renamed_buffer_makes_the_agent_look(on: Scene) -> None:
    on.editor.command("call rename('main.py', 'new.py') | file new.py")
    looks(on)
    on.editor.command("write!")
    assert on.agent.save() == (str(on.project), ["new.py"])


def test_a_deleted_file_whose_buffer_goes_is_told(on: Scene) -> None:
    on.editor.command("edit other.py | write")
    assert on.agent.save()[1] == ["other.py"]
    on.editor.command("call delete('other.py') | bdelete")
    assert on.agent.save() == (str(on.project), ["other.py"])


def test_a_buffer_that_goes_while_its_file_stays_tells_nothing(on: Scene) -> None:
    on.editor.command("edit other.py | write")
    on.agent.save()
    on.editor.command("bdelete")
    nothing(on)


def test_leaving_netrw_makes_the_agent_look(on: Scene) -> None:
    on.editor.command("runtime plugin/netrwPlugin.vim")
    on.editor.command(f"Explore {on.project}")
    on.editor.wait("netrw", lambda: on.editor.nvim.eval("&filetype") == "netrw")
    drain(on)
    on.editor.command("edit main.py")
    looks(on)


def test_a_project_made_in_the_session_is_found_on_focus(nvim: Path, home: Path) -> None:
    with scene(nvim, home, PUSHING) as on:
        late = home / "late"
        late.mkdir()
        on.editor.command(f"edit {late}/a.py | write")
        (late / ".igor").mkdir()
        shutil.copy(on.project / ".igor" / "config.json", late / ".igor")
        on.editor.command("doautocmd FocusGained")
        assert on.agent.watch()[3] == str(late)
        drain(on)
        on.editor.command("write")
        assert on.agent.save() == (str(late), ["a.py"])


def test_the_watch_on_git_ends_with_the_project(on: Scene, home: Path) -> None:
    def watches() -> int:
        pid = on.editor.nvim.call("getpid")
        return sum(
            Path(f"/proc/{pid}/fdinfo/{entry}").read_text().count("inotify wd")
            for entry in os.listdir(f"/proc/{pid}/fdinfo")
            if Path(f"/proc/{pid}/fdinfo/{entry}").exists()
        )

    on.editor.wait("the watch", lambda: watches() == 1)
    on.editor.command(f"edit {home}/outside.py | bwipeout main.py")
    on.editor.wait("its end", lambda: watches() == 0)
