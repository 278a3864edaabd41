"""From real output to the files: keys in Neovim, real containers, a real pytest."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Host, Lab
from tests.support.nvim.editor import Editor, running
from tests.support.nvim.terminals import LEAVE_TERMINAL, make_project, repl
from tests.support.sample_project import SampleProject

pytestmark = pytest.mark.timeout(300)

TRAIN = """\
import json
import sys


def load(text):
    return json.loads(text)


if __name__ == "__main__":
    print(load(" ".join(sys.argv[1:])))
"""
TEST = """\
from train import load


def test_it_loads():
    assert load("[1, 2]") == [1, 2]


def test_it_loads_what_is_no_json():
    load("{not json}")
"""


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[SampleProject]:
    hosts: list[Host] = [lab["apollo"]]
    root = make_project(ssh_home / f"places-{time.time_ns() % 10**9}", hosts)
    project = SampleProject(root, hosts)
    project.write("train.py", TRAIN)
    project.write("tests/test_train.py", TEST)
    project.write("conftest.py", "")
    assert project.igor("docker", "exec", "--setup", "true").returncode == 0
    yield project
    project.igor("docker", "clean", "--images")
    project.igor("agent", "stop")


@pytest.fixture
def editor(nvim: Path, home: Path, project: SampleProject) -> Iterator[Editor]:
    with running(nvim, home, project.root, '{"write_before_run": true}', "train.py") as editor:
        yield editor


def wait_at(editor: Editor, path: Path, line: int) -> None:
    def there() -> bool:
        name, number = editor.nvim.current.buffer.name, editor.nvim.current.window.cursor[0]
        return (name, number) == (str(path), line)

    editor.wait(f"{path}:{line}", there, 15)


def find_in_output(editor: Editor, text: str) -> None:
    """Put the cursor on a text in the output."""
    editor.nvim.current.window = editor.wait("the split", editor.output_window)
    editor.keys("gg/" + text.replace("/", "\\/") + "<CR>")
    editor.wait("the text", lambda: text in editor.nvim.current.line)


def read(editor: Editor) -> None:
    editor.wait("the text", lambda: editor.lua("return vim.b.igor_is_read"), 20)


def test_a_failing_test_is_reached_by_cnext_and_the_traceback_by_gf(
    editor: Editor, project: SampleProject
) -> None:
    editor.keys(":IgorExec pytest -q<CR>")
    editor.wait_message("exit status 1", 60)
    editor.keys(":cnext<CR>")
    wait_at(editor, project.root / "train.py", 6)
    editor.keys(":cnext<CR>")
    wait_at(editor, project.root / "tests/test_train.py", 9)
    editor.keys(":cfirst<CR>")
    wait_at(editor, project.root / "train.py", 6)
    output = "\n".join(editor.output())
    assert "ended in" in output

    find_in_output(editor, "decoder.py:")
    library, line = editor.nvim.current.line.split(":")[:2]
    editor.keys("0gF")
    editor.wait("the host's file", lambda: editor.nvim.current.buffer.name.startswith("igor://"))
    read(editor)
    assert editor.nvim.current.buffer.name == f"igor://apollo{library}"
    assert editor.nvim.current.window.cursor[0] == int(line)
    assert "JSONDecodeError" in "\n".join(editor.nvim.current.buffer[:])
    assert editor.nvim.current.line.strip() in output
    assert editor.lua("return vim.bo.filetype") == "python"

    find_in_output(editor, "test_train.py:9")
    editor.keys("0gF")
    wait_at(editor, project.root / "tests/test_train.py", 9)


def test_a_library_opens_from_the_list_and_says_why_not_without_its_container(
    editor: Editor, project: SampleProject
) -> None:
    editor.keys(":IgorRun {not json}<CR>")
    editor.wait_message("exit status 1", 60)
    editor.keys(":copen<CR>/decoder.py<CR>")
    editor.keys("<CR>")
    editor.wait("the host's file", lambda: "decoder.py" in editor.nvim.current.buffer.name)
    read(editor)
    line = editor.nvim.current.window.cursor[0]
    assert editor.nvim.current.line.strip() != ""
    assert project.igor("docker", "clean").returncode == 0
    editor.keys(":edit<CR>")
    editor.wait_message("no container of this project runs on apollo", 20)
    assert editor.nvim.current.buffer[:][1] == ":e tries again"
    assert project.igor("docker", "setup").returncode == 0
    editor.keys(":edit<CR>")
    editor.wait("the line again", lambda: editor.nvim.current.window.cursor[0] == line, 20)


def test_gf_in_a_repl(editor: Editor, project: SampleProject) -> None:
    opened = repl(editor, " python -i train.py", "Traceback")
    opened.see("JSONDecodeError")
    editor.keys(LEAVE_TERMINAL)
    editor.wait("normal mode", lambda: editor.mode() in ("n", "nt"))
    editor.keys("gg/line 6<CR>0gF")
    wait_at(editor, project.root / "train.py", 6)
