""":IgorDebug with the real agent, a real host and debugpy in its container.

The front end is a stand-in for nvim-dap, which speaks the Debug Adapter Protocol; the real ones are
in test_front_ends.py.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.agent_client import kill_agent
from tests.support.debugged import FILE, STOP, InContainer, make_project
from tests.support.nvim.debugging import stand_in
from tests.support.nvim.editor import Editor, running
from tests.support.nvim.front_ends import Dap
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

# Building the image is a part of the first session.
SECONDS = 90


@pytest.fixture
def project(ssh_home: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[SampleProject]:
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(stand_in("dap")))
    project = make_project(ssh_home, lab["apollo"])
    yield project
    project.igor("agent", "stop")


@pytest.fixture
def editor(nvim: Path, home: Path, project: SampleProject) -> Iterator[Editor]:
    with running(nvim, home, project.root) as editor:
        editor.command(f"edit {FILE}")
        yield editor


def stopped(editor: Editor, project: SampleProject, command: str) -> Dap:
    front = Dap(editor)
    front.breakpoint(project.root / FILE, STOP)
    editor.command(command)
    editor.wait_output("debugpy waits", SECONDS)
    assert front.stop(project.root / FILE, STOP).text == "answer += 1"
    return front


def test_breakpoint_value_exit_status_and_again(editor: Editor, project: SampleProject) -> None:
    front = stopped(editor, project, "IgorDebug")
    for _again in range(2):
        assert front.value("answer") == "41"
        front.go_on()
        front.stop(project.root / FILE, 17)  # its SystemExit
        front.go_on()
        editor.wait("the end", front.is_closed, 30)
        editor.wait_output("exit status 3", 30)
        assert "the answer is 42" in editor.output()
        InContainer(project).wait_until_empty()
        editor.command("IgorDebug!")
        front.stop(project.root / FILE, STOP)
    front.end()
    InContainer(project).wait_until_empty()
    editor.wait_message("apollo ended: its debugger has left")


def test_a_traceback_is_in_the_quickfix_list(editor: Editor, project: SampleProject) -> None:
    front = stopped(editor, project, "IgorDebug fail")
    front.go_on()
    front.stop(project.root / FILE, 15)
    front.go_on()
    editor.wait_message("apollo failed: exit status 1", 30)
    listed = [entry for entry in editor.nvim.call("getqflist") if "it failed" in entry["text"]]
    name = Path(editor.nvim.call("bufname", listed[0]["bufnr"])).name
    assert (name, listed[0]["lnum"]) == ("fit.py", 15)


def test_what_is_typed_reaches_the_program(editor: Editor, project: SampleProject) -> None:
    front = stopped(editor, project, "IgorDebug read")
    front.go_on()
    editor.command("IgorInput one line")
    editor.command("IgorInput!")
    editor.wait_output("read ONE LINE", 30)


def test_leaving_the_editor_ends_the_program_at_once(
    editor: Editor, project: SampleProject
) -> None:
    stopped(editor, project, "IgorDebug wait")
    inside = InContainer(project)
    assert inside.processes()
    began = time.monotonic()
    editor.leave()
    inside.wait_until_empty()
    assert time.monotonic() - began < 10


def test_cancel_ends_it_too(editor: Editor, project: SampleProject) -> None:
    front = stopped(editor, project, "IgorDebug wait")
    editor.command("IgorCancel")
    editor.wait_message("igor: debug: cancelled", 30)
    editor.wait("the end", front.is_closed)
    InContainer(project).wait_until_empty()


def test_after_a_killed_agent_one_key_attaches_again(
    editor: Editor, project: SampleProject
) -> None:
    front = stopped(editor, project, "IgorDebug wait")
    front.go_on()
    editor.wait_output("second 3", 30)
    kill_agent()
    editor.wait_output("press r or run :IgorDebug --reattach")
    editor.lua("vim.api.nvim_set_current_win(...)", editor.output_window().handle)
    editor.keys("r")
    editor.wait_output("debugpy waits", 30)
    editor.wait("a session", lambda: editor.lua("return require('dap').session() ~= nil"), 30)
    editor.wait_output("second 30", 30)
    front.end()
    InContainer(project).wait_until_empty()
