"""The main job from Neovim: keys in tmux, the real agent, real hosts, while typing goes on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.nvim.editor import running
from tests.support.nvim.screen import TmuxScreen
from tests.support.sample_project import SampleProject, make_sample_project

pytestmark = pytest.mark.timeout(300)

SENTENCE = "all of this was typed while two hosts were building their images"


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    hosts = [lab["apollo"], lab["enterprise"]]
    project = make_sample_project(ssh_home / f"edit-{time.time_ns() % 10**9}", hosts)
    project.write("main.py", "print('hello')\n")
    yield project
    lab.heal()
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


@pytest.fixture
def screen(tmux: list[str], nvim: Path, home: Path, project: SampleProject) -> TmuxScreen:
    screen = TmuxScreen(tmux, nvim, home, project.root, '{"keymaps": true}')
    screen.wait("print('hello')")
    return screen


def test_setup_while_typing_then_exec_then_a_cut_cable(
    screen: TmuxScreen, project: SampleProject, lab: Lab
) -> None:
    screen.type(" ids")
    screen.type("o" + SENTENCE, pause=0.03)
    screen.wait(SENTENCE)
    screen.wait("done in", 120)
    screen.press("Escape")
    screen.wait("igor: setup: apollo ok")
    assert SENTENCE in screen.text()
    screen.type(":w")
    screen.press("Enter")
    screen.type(":IgorExec echo on $(hostname -s) in $PWD; head -n 1 main.py")
    screen.press("Enter")
    shown = screen.wait("igor: exec: apollo ok", 60)
    assert shown.count("in /workspace") >= 2
    assert shown.count("│ print('hello')") == 2
    lab["enterprise"].cut()
    screen.type(" ip")
    shown = screen.wait("enterprise failed", 90)
    assert "apollo ok" in shown
    lab.heal()
    screen.type(" ip")
    screen.wait("enterprise ok", 60)


def test_cancelling_ends_what_runs_in_the_containers(
    nvim: Path, home: Path, project: SampleProject
) -> None:
    assert project.igor("docker", "setup").returncode == 0

    def sleeping() -> list[int]:
        return [len(host.pids("sleep")) for host in project.hosts]

    before = sleeping()
    with running(nvim, home, project.root) as editor:
        editor.command("IgorExec echo begun; sleep 4321")
        editor.wait("both hosts", lambda: sum("│ begun" in x for x in editor.output()) == 2, 60)
        assert sleeping() == [count + 1 for count in before]
        editor.command("IgorCancel")
        editor.wait_message("igor: exec: cancelled", 60)
        assert sleeping() == before


def test_leaving_the_editor_leaves_setup_running(
    nvim: Path, home: Path, project: SampleProject
) -> None:
    with running(nvim, home, project.root) as editor:
        editor.command("IgorSetup")
        editor.wait_output("│", 60)
        editor.leave()
    deadline = time.monotonic() + 120
    name = f"dino-{project.root.name}-dev"
    for host in project.hosts:
        while host.docker("ps", "-q", "-f", f"name={name}").stdout.strip() == "":
            assert time.monotonic() < deadline
            time.sleep(0.5)
