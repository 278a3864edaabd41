"""Modified buffers, when a command is about to run what their files contain."""

import time
from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import Kind
from tests.support.nvim.scene import Scene, scene
from tests.support.nvim.status import ANSWERING, asked


def changed(on: Scene) -> None:
    on.editor.command("edit other.py | call setline(1, 'other') | edit main.py")
    on.editor.command("call setline(1, 'changed')")


def test_exec_asks_before_it_runs_and_writes(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua(ANSWERING)
        changed(on)
        on.editor.command("IgorExec ls -l")
        prompt, items = on.editor.wait("the question", lambda: asked(on))[0]
        assert prompt == "Not written: main.py, other.py"
        assert items == ["write all, then run", "run as saved"]
        assert on.agent.received.empty()
        on.editor.lua("_G.answer(1)")
        assert on.agent.frame(Kind.REQUEST)[4] == {"shell": "ls -l", "places": True}
        assert (on.project / "main.py").read_text() == "changed\n"
        assert (on.project / "other.py").read_text() == "other\n"


def test_exec_runs_as_saved_with_a_warning(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua(ANSWERING)
        changed(on)
        on.editor.command("IgorExec ls")
        on.editor.wait("the question", lambda: asked(on))
        on.editor.lua("_G.answer(2)")
        on.agent.request()
        on.editor.wait_message("igor: not written, so not sent (:wall): main.py, other.py")
        assert not (on.project / "other.py").exists()


def test_exec_is_dropped_where_nothing_is_chosen(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua(ANSWERING)
        changed(on)
        on.editor.command("IgorExec ls")
        on.editor.wait("the question", lambda: asked(on))
        on.editor.lua("_G.answer(nil)")
        on.editor.wait_message("igor: not run")
        time.sleep(0.3)
        assert on.agent.received.empty()
        on.editor.command("silent! wall")
        on.editor.leave()


def test_exec_does_not_run_where_a_file_can_not_be_written(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua(ANSWERING)
        on.editor.command("edit main.py | set readonly | call setline(1, 'changed')")
        on.editor.command("IgorExec ls")
        on.editor.wait("the question", lambda: asked(on))
        on.editor.lua("_G.answer(1)")
        on.editor.wait_message("igor: main.py can not be written: E45")
        time.sleep(0.3)
        assert on.agent.received.empty()


@pytest.mark.parametrize(
    ("setup", "command", "text"),
    [
        ('{"write_before_run": true}', "IgorExec ls", "changed\n"),
        ('{"write_before_run": false}', "IgorExec ls", "print('hello')\n"),
        ("{}", "IgorExec --no-push ls", "print('hello')\n"),
        ("{}", "IgorPush", "print('hello')\n"),
    ],
)
def test_nobody_is_asked(nvim: Path, home: Path, setup: str, command: str, text: str) -> None:
    with scene(nvim, home, setup) as on:
        on.editor.lua(ANSWERING)
        changed(on)
        on.start(command)
        assert (on.project / "main.py").read_text() == text
        assert not asked(on)


def test_the_question_is_the_editors_own_where_no_plugin_has_another(
    nvim: Path, home: Path, tmux: Any
) -> None:
    from tests.support.fake_agent import FakeAgent
    from tests.support.nvim.scene import make_project
    from tests.support.nvim.screen import TmuxScreen

    agent = FakeAgent(home / "run")
    screen = TmuxScreen(tmux, nvim, home, make_project(home), "{}")
    screen.wait("print('hello')")
    screen.type("Onew line")
    screen.press("Escape")
    screen.type(":IgorExec ls")
    screen.press("Enter")
    screen.wait("write all, then run")
    screen.type("1")
    screen.press("Enter")
    assert agent.frame(Kind.REQUEST)[4] == {"shell": "ls", "places": True}
    agent.close()
