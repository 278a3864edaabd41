"""Vimspector and nvim-dap themselves, in Neovim, with a program in a container on a real host.

They are taken from $IGOR_PLUGINS, a folder with their checkouts.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.lab.required import require_plugin
from tests.support.agent_client import kill_agent
from tests.support.debugged import FILE, PROGRAM, STOP, InContainer, make_project
from tests.support.nvim.editor import Editor, running
from tests.support.nvim.front_ends import Dap, FrontEnd, Vimspector
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

#: The line that goes into a library.
LIBRARY = 1 + PROGRAM.splitlines().index('Path("here").is_file()')
#: Where debugpy stops once more: SystemExit is an exception, and 3 is not 0.
EXIT = LIBRARY + 1

KIDS = """\
import multiprocessing

def work(n):
    assert n

if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=work, args=(3,))
    child.start()
    child.join()
    print("joined", child.exitcode)
"""


@pytest.fixture(params=[Vimspector, Dap], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[FrontEnd]:
    found: type[FrontEnd] = request.param
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(require_plugin(found.name)))
    return found


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    project = make_project(ssh_home, lab["apollo"])
    yield project
    project.igor("agent", "stop")


@pytest.fixture
def editor(
    nvim: Path, home: Path, kind: type[FrontEnd], project: SampleProject
) -> Iterator[Editor]:
    with running(nvim, home, project.root, "{}", *kind.arguments) as editor:
        editor.nvim.ui_try_resize(200, 60)
        editor.command(f"edit {FILE}")
        yield editor


#: The first igor's author's, but for the host and its folder; his Python was /venv/project.
CONFIG = """\
{{
    "user": "dino",
    "debug_port": 5556,
    "docker_rebuild_files": [ "requirements.txt" ],
    "dockerfile": "dockerfile",
    "repl_cmd": "ipython",
    "host_groups": {{
        "dev": {{
            "hosts": [
                {{"host": "{host}",
                 "dir": "{folder}"}}
            ]
        }}
    }}
}}
"""


def test_the_first_author_s_own_config_is_enough(
    nvim: Path, home: Path, kind: type[FrontEnd], ssh_home: Path, lab: Lab
) -> None:
    host = lab["apollo"]
    project = SampleProject(ssh_home / "project", [host])
    project.write("dockerfile", "FROM igor-base:latest\nRUN ln -s tools /venv/project\n")
    project.write("requirements.txt", "")
    project.write(FILE, PROGRAM)
    config = CONFIG.format(host=host.name, folder=f"{host.home}/{ssh_home.name}")
    project.write(".igor/config.json", config)
    with running(nvim, home, project.root, "{}", *kind.arguments) as editor:
        editor.nvim.ui_try_resize(200, 60)
        editor.command(f"edit {FILE}")
        front = kind(editor)
        front.breakpoint(project.root / FILE, STOP)
        editor.command("IgorDebug")
        front.stop(project.root / FILE, STOP)
        assert front.value("answer") == "41"
        assert any("runs /venv/project/bin/python" in line for line in editor.output())
        front.end()
        editor.wait("the end", front.is_closed, 30)
        InContainer(project).wait_until_empty()
    project.igor("docker", "clean")
    project.igor("agent", "stop")


def test_from_the_command_to_a_breakpoint_and_to_the_end(
    editor: Editor, kind: type[FrontEnd], project: SampleProject
) -> None:
    file = project.root / FILE
    front = kind(editor)
    front.breakpoint(file, STOP)
    front.breakpoint(file, LIBRARY)
    rounds = int(os.environ.get("IGOR_TEST_ROUNDS", "3"))
    for count in range(rounds):
        editor.command("IgorDebug" if count == 0 else "IgorDebug!")
        assert front.stop(file, STOP).text == "answer += 1"
        assert front.value("answer") == "41"
        front.go_on()
        front.stop(file, LIBRARY)
        if count == 0:
            front.step_in()
            editor.wait("a library's source", lambda: in_library(front.frame()), 30)
        front.go_on()
        front.stop(file, EXIT)
        front.go_on()
        editor.wait("the end", front.is_closed, 30)
        editor.wait_output("exit status 3", 30)
        assert "the answer is 42" in editor.output()
        InContainer(project).wait_until_empty()
    editor.wait_message("apollo failed: exit status 3")


def test_the_front_end_s_own_restart_and_end(
    editor: Editor, kind: type[FrontEnd], project: SampleProject
) -> None:
    front = kind(editor)
    front.breakpoint(project.root / FILE, STOP)
    editor.command("IgorDebug wait")
    front.stop(project.root / FILE, STOP)
    front.go_on()
    editor.wait_output("second 2", 30)
    front.restart()
    editor.wait("a new program", lambda: "second 2" not in editor.output(), 30)
    front.stop(project.root / FILE, STOP)
    front.end()
    editor.wait("the end", front.is_closed, 30)
    InContainer(project).wait_until_empty()
    editor.wait_message("igor: debug: apollo")


def test_after_a_killed_agent_one_key_returns_to_the_breakpoint(
    editor: Editor, kind: type[FrontEnd], project: SampleProject
) -> None:
    front = kind(editor)
    front.breakpoint(project.root / FILE, STOP)
    editor.command("IgorDebug")
    front.stop(project.root / FILE, STOP)
    kill_agent()
    editor.wait_output("press r or run :IgorDebug --reattach", 30)
    editor.wait("its windows are gone", front.is_closed, 30)
    editor.lua("vim.api.nvim_set_current_win(...)", editor.output_window().handle)
    editor.keys("r")
    assert front.stop(project.root / FILE, STOP).text == "answer += 1"
    assert front.value("answer") == "41"
    front.go_on()
    front.stop(project.root / FILE, EXIT)
    front.go_on()
    editor.wait_output("exit status 3", 30)
    editor.wait("the end", front.is_closed, 30)
    InContainer(project).wait_until_empty()


def test_a_failing_test_stops_at_the_breakpoint_and_nowhere_in_pytest(
    editor: Editor, kind: type[FrontEnd], project: SampleProject
) -> None:
    file = project.root / "test_it.py"
    project.write("test_it.py", "def test_it():\n    value = 6\n    assert value == 7\n")
    editor.command("edit test_it.py")
    front = kind(editor)
    front.breakpoint(file, 3)
    editor.command("3 | IgorDebug --test")
    front.stop(file, 3)
    assert front.value("value") == "6"
    front.go_on()
    editor.wait("the end", front.is_closed, 30)
    editor.wait_output("exit status 1", 30)
    InContainer(project).wait_until_empty()


def test_children_stop_at_breakpoints_too(
    nvim: Path, home: Path, kind: type[FrontEnd], ssh_home: Path, lab: Lab
) -> None:
    project = make_project(ssh_home, lab["apollo"], debug={"subprocess": True})
    project.write("kids.py", KIDS)
    with running(nvim, home, project.root, "{}", *kind.arguments) as editor:
        editor.nvim.ui_try_resize(200, 60)
        editor.command("edit kids.py")
        front = kind(editor)
        front.breakpoint(project.root / "kids.py", 4)
        editor.command("IgorDebug")
        front.stop(project.root / "kids.py", 4)
        assert front.value("n") == "3"
        front.go_on()
        editor.wait_output("joined 0", 30)
        editor.wait("the end", front.is_closed, 30)
        InContainer(project).wait_until_empty()
    project.igor("agent", "stop")


def test_two_ranks_have_a_session_each(
    nvim: Path, home: Path, kind: type[FrontEnd], ssh_home: Path, lab: Lab
) -> None:
    project = make_project(ssh_home, lab["apollo"], lab["enterprise"])
    with running(nvim, home, project.root, "{}", *kind.arguments) as editor:
        editor.nvim.ui_try_resize(200, 60)
        editor.command(f"edit {FILE}")
        front = kind(editor)
        front.breakpoint(project.root / FILE, STOP)
        editor.command("IgorDebug --ranks 0,1 wait")
        editor.wait("two that have stopped", lambda: front.stopped_sessions() == 2, 90)
        editor.command("IgorCancel")
        editor.wait("the end", front.is_closed, 30)
        for host in project.hosts:
            InContainer(project, host).wait_until_empty()
    project.igor("agent", "stop")


def in_library(frame: object) -> bool:
    return bool(frame) and "pathlib" in str(frame)
