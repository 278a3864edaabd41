"""Processes that run already, from Neovim: their stacks in the quickfix list, and a debugger."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab
from tests.lab.required import require_plugin
from tests.support.attached import (
    FILE,
    LATE,
    PTRACE,
    PYTHON,
    STOP,
    Running,
    late_config,
    make_project,
)
from tests.support.nvim.editor import Editor, running
from tests.support.nvim.front_ends import Dap, FrontEnd, Vimspector

pytestmark = pytest.mark.timeout(300)

#: After the text of what there is two times.
TWICE = " \N{MULTIPLICATION SIGN}2"
#: A picker that shows what it was given, and takes the second.
PICK = """
vim.ui.select = function(items, opts, answer)
  vim.g.asked = { opts.prompt, vim.tbl_map(opts.format_item, items) }
  answer(items[2], 2)
end
"""


@pytest.fixture
def late(ssh_home: Path, lab: Lab) -> Iterator[list[Running]]:
    """Two of the program, in a container of Python 3.14."""
    host = lab["apollo"]
    project = make_project(ssh_home, host, LATE, **late_config(host, PTRACE))
    assert project.igor("docker", "setup").returncode == 0
    programs = [Running(project)]
    programs.append(Running(project, place=1))
    yield programs
    for program in programs:
        program.kill()
    project.igor("agent", "stop")


def rows(editor: Editor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = editor.nvim.call("getqflist")
    return found


def are_together(editor: Editor) -> bool:
    """Whether both are asleep, as they mostly are, and so have one stack."""
    editor.nvim.call("setqflist", [])
    editor.command("IgorStack")
    editor.wait("the list", lambda: len(rows(editor)) > 2, 30)
    return str(rows(editor)[1]["text"]).endswith(f"in step{TWICE}")


def test_stacks_are_in_the_quickfix_list_each_once(
    nvim: Path, home: Path, late: list[Running]
) -> None:
    project = late[0].project
    with running(nvim, home, project.root) as editor:
        editor.wait("both at one place", lambda: are_together(editor), 60)
        assert f"Process {late[0].pid}: {PYTHON} {FILE}" in editor.output()
        _summary, first, second = rows(editor)[:3]
        assert (first["valid"], second["text"]) == (1, f"in <module>{TWICE}")
        editor.command("cfirst")
        assert editor.nvim.current.buffer.name == str(project.root / FILE)
        editor.command(f"IgorStack {late[1].pid}")
        editor.wait("one", lambda: f"process {late[1].pid} " in rows(editor)[1]["text"], 30)
    for program in late:
        program.goes_on()


def test_without_a_front_end_no_process_is_asked_for(nvim: Path, ssh_home: Path, lab: Lab) -> None:
    project = make_project(ssh_home, lab["apollo"], LATE)
    with running(nvim, ssh_home, project.root) as editor:
        editor.lua(PICK)
        editor.command("IgorAttach")
        editor.wait_message("neither Vimspector nor nvim-dap is installed")
        assert "asked" not in editor.nvim.vars


@pytest.mark.parametrize("kind", [Vimspector, Dap], ids=lambda kind: kind.name)
def test_the_chosen_process_stops_at_a_breakpoint_and_runs_on(
    nvim: Path, home: Path, late: list[Running], kind: type[FrontEnd],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(require_plugin(kind.name)))
    chosen, file = late[1], late[1].project.root / FILE
    with running(nvim, home, chosen.project.root, "{}", *kind.arguments) as editor:
        editor.nvim.ui_try_resize(200, 60)
        editor.command(f"edit {FILE}")
        editor.lua(PICK)
        front = kind(editor)
        front.breakpoint(file, STOP)
        editor.command("IgorAttach")
        assert front.stop(file, STOP).text == "print(text, flush=True)"
        assert front.value("text").startswith("'step ")
        # What is ended before igor has seen it up has not come up.
        time.sleep(1)
        front.end()
        editor.wait("the end", front.is_closed, 30)
        editor.wait_message(f"process {chosen.pid} runs on", 30)
        chosen.goes_on()
        prompt, items = editor.nvim.vars["asked"]
        assert prompt == "igor: attach to which process?"
        assert [item.split()[0] for item in items] == [str(program.pid) for program in late]
        assert all(item.endswith(f"python3.14 {FILE}") for item in items)
