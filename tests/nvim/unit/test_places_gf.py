"""gf and gF in output and in terminals: the agent resolves what a path means."""

from pathlib import Path

import pytest

from tests.support.nvim.gf import on, place, press, show, wait_at
from tests.support.nvim.places import DECODER
from tests.support.nvim.scene import Scene, scene

__all__ = ["on"]


def test_the_agent_gets_the_line_the_cursor_and_the_host(on: Scene) -> None:
    show(on, "in /workspace/helper.py:7: x")
    on.editor.keys("f/")
    helper = on.project / "helper.py"
    args = press(on, "gF", place(helper, 7, 3))
    assert args == {"line": "in /workspace/helper.py:7: x", "column": 3, "host": "apollo"}
    wait_at(on, helper, 7)
    assert on.editor.nvim.current.window.cursor[1] == 2


def test_columns_count_characters_and_hosts_are_in_the_line(on: Scene) -> None:
    show(on, "é helper.py:7", command="IgorExec -g cluster pytest")
    line = on.editor.nvim.current.line
    assert " │ é helper.py:7" in line
    on.editor.keys("$")
    args = press(on, "gF", place(on.project / "helper.py", 7))
    assert args == {"line": line, "column": len(line) - 1, "group": "cluster"}
    wait_at(on, on.project / "helper.py", 7)


def test_gf_leaves_the_line_alone_and_the_output_where_it_is(on: Scene) -> None:
    show(on, "helper.py:7: x")
    output = on.editor.output_window()
    buffer = output.buffer.number
    press(on, "gf", place(on.project / "helper.py", 7))
    wait_at(on, on.project / "helper.py", 1)
    assert (len(on.editor.nvim.windows), output.buffer.number) == (2, buffer)
    on.editor.keys("<C-o>")
    wait_at(on, on.project / "main.py", 1)


def test_it_opens_in_the_window_that_one_came_from(on: Scene) -> None:
    on.editor.command("vsplit | vsplit")
    windows = [window.handle for window in on.editor.nvim.windows]
    show(on, "helper.py:7: x")
    on.editor.command(f"call win_gotoid({windows[1]}) | wincmd b")
    press(on, "gF", place(on.project / "helper.py", 7))
    wait_at(on, on.project / "helper.py", 7)
    assert on.editor.nvim.current.window.handle == windows[1]


@pytest.mark.parametrize(
    ("keys", "windows", "tabs"), [("<C-w>f", 3, 1), ("<C-w>F", 3, 1), ("<C-w>gF", 1, 2)]
)
def test_the_forms_for_splits_and_tab_pages(on: Scene, keys: str, windows: int, tabs: int) -> None:
    show(on, "helper.py:7: x")
    press(on, keys, place(on.project / "helper.py", 7))
    wait_at(on, on.project / "helper.py", 1 if keys == "<C-w>f" else 7)
    assert len(on.editor.nvim.current.tabpage.windows) == windows
    assert len(on.editor.nvim.tabpages) == tabs


def test_with_nothing_but_the_output_a_window_is_made(on: Scene) -> None:
    show(on, "helper.py:7: x")
    on.editor.command("only")
    press(on, "gF", place(on.project / "helper.py", 7))
    wait_at(on, on.project / "helper.py", 7)
    assert len(on.editor.nvim.windows) == 2


def test_a_file_that_only_the_host_has_is_shown(on: Scene) -> None:
    show(on, f'File "{DECODER}", line 353, in raw_decode')
    press(on, "gF", place(f"igor://apollo{DECODER}", 353, 9))
    query = on.agent.query("read")
    assert (query.args, query.root) == ({"name": f"igor://apollo{DECODER}"}, str(on.project))
    text = "".join(f"    line {i}\n" for i in range(1, 401))
    on.agent.answer(query, {"content": text.encode(), "size": len(text), "path": DECODER})
    on.editor.wait("the text", lambda: on.editor.nvim.current.line == "    line 353")
    assert tuple(on.editor.nvim.current.window.cursor) == (353, 8)


def test_what_the_agent_does_not_know_is_vims(on: Scene) -> None:
    (on.project / "notes.txt").write_text("one\ntwo\nthree\n")
    show(on, "notes.txt:2: hm")
    press(on, "gF", None)
    wait_at(on, on.project / "notes.txt", 2)


@pytest.mark.parametrize(
    ("command", "line", "path", "host"),
    [
        ("IgorExec ls", "root 174 {}: yes", "/etc/hosts", "apollo"),
        ("IgorExec -g cluster ls", "wrote {}, ok", "/tmp/x.csv", "enterprise"),
    ],
)
def test_an_absolute_path_is_the_hosts_and_never_of_this_machine(
    on: Scene, command: str, line: str, path: str, host: str
) -> None:
    request = on.start(command)
    on.agent.output(request, line.format(path).encode() + b"\n", host)
    on.editor.wait_output(path)
    on.editor.nvim.current.window = on.editor.wait("the split", on.editor.output_window)
    on.editor.command(f"call search('{path}')")
    press(on, "gf", None)
    args = on.agent.query("read").args
    group = {"group": "cluster"} if "cluster" in command else {}
    assert args == {"name": f"igor://{host}{path}", **group}
    assert on.editor.nvim.current.buffer.name == args["name"]


def test_an_absolute_path_of_a_host_that_is_not_known_is_not_opened(on: Scene) -> None:
    request = on.start("IgorExec -g cluster ls")
    on.agent.finish(request, 1, "see /etc/hosts")
    on.editor.wait_output("see /etc/hosts")
    on.editor.nvim.current.window = on.editor.wait("the split", on.editor.output_window)
    on.editor.command("call search('/etc/hosts')")
    press(on, "gf", None)
    on.editor.wait_message("igor: /etc/hosts: no file of the project, nor of its hosts")


def test_a_path_of_somebodys_home_is_not_that_of_this_one(on: Scene, home: Path) -> None:
    (home / "notes.csv").write_text("mine\n")
    on.editor.lua("vim.env.HOME = ...", str(home))
    show(on, "~/notes.csv here")
    press(on, "gf", None)
    on.editor.wait_message("notes.csv: no file of the project")


def test_a_word_that_is_no_file_is_said_once(on: Scene) -> None:
    show(on, "nonsense here")
    press(on, "gf", None)
    on.editor.wait_message("igor: nonsense: no file of the project, nor of its hosts")
    assert on.editor.messages().count("nonsense") == 1
    press(on, "gf", None, error="config.json:3: unknown key")
    on.editor.wait_message("igor: config.json:3: unknown key")


def test_who_has_gone_on_is_not_called_back(on: Scene) -> None:
    show(on, "helper.py:7: x")
    on.editor.keys("gF")
    query = on.agent.query("locate")
    on.editor.command("wincmd p")
    on.agent.answer(query, place(on.project / "helper.py", 7))
    show(on, "another line")
    assert not any(str(b.name).endswith("helper.py") for b in on.editor.nvim.buffers)


def test_a_changed_buffer_that_may_not_be_hidden_is_said_in_one_line(on: Scene) -> None:
    show(on, "helper.py:7: x")
    on.editor.command("wincmd p | set nohidden | call setline(1, 'changed') | wincmd p")
    press(on, "gF", place(on.project / "helper.py", 7))
    on.editor.wait_message("igor: E37: No write since last change")


TERMINAL = """
local buf = vim.api.nvim_create_buf(true, false)
vim.api.nvim_set_current_buf(buf)
vim.fn.termopen({ 'sh', '-c', ... })
vim.b[buf].igor_root, vim.b[buf].igor_host = vim.fn.getcwd(), 'enterprise'
require('igor.places').map(buf)
"""


def test_a_path_that_a_terminal_has_cut_is_one(on: Scene) -> None:
    long = "x" * 80 + "/workspace/helper.py:7: and so on " + "y" * 120
    on.editor.command("split")
    on.editor.lua(TERMINAL, f"echo before; echo '{long}'; echo after; sleep 60")
    on.editor.wait("the rows", lambda: "after" in "\n".join(on.editor.nvim.current.buffer[:]))
    on.editor.nvim.current.window.cursor = (3, 0)
    args = press(on, "gF", place(on.project / "helper.py", 7))
    assert args == {"line": long, "column": 100, "host": "enterprise"}
    wait_at(on, on.project / "helper.py", 7)


def test_without_an_agent_one_is_waited_for(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        show(on, "helper.py:7: x")
        (on.project / "helper.py").write_text("import os\n" * 20)
        on.editor.command("wincmd t | edit main.py")
        on.agent.watch()
        on.agent.watchers[0].hang_up()
        on.editor.command("wincmd b")
        press(on, "gF", place(on.project / "helper.py", 7))
        wait_at(on, on.project / "helper.py", 7)
