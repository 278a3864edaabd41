"""Text sent to a REPL: cells, regions, and Python code adapted to Python's own prompt."""

import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_process import Terminal
from tests.support.nvim.editor import CHECKOUT, Editor, running
from tests.support.nvim.sending import SAID, SOURCE

ENCODE = """
local text, pastes, plain, is_python = ...
local send_text = require('igor.repl.send_text')
local lines, left_out = send_text.clean(vim.split(text, '\\n'))
return { send_text.encode({ lines = lines, is_python = is_python }, pastes, plain), left_out }
"""


@pytest.fixture
def editor(nvim: Path, home: Path) -> Any:
    with running(nvim, home, home) as editor:
        yield editor


def encode(
    editor: Editor, text: str, pastes: bool, plain: bool = False, is_python: bool = True
) -> tuple[str, int]:
    sent, left_out = editor.lua(ENCODE, text, pastes, plain, is_python)
    return sent, left_out


def test_python_s_own_prompt_understands_all_of_it(editor: Editor, home: Path) -> None:
    takes_pastes = sys.version_info >= (3, 13)
    python = Terminal(command=[sys.executable, "-q"], cwd=home)
    python.wait_for(">>> ")
    python.type(encode(editor, SOURCE, takes_pastes, plain=True)[0])
    python.wait_for("the end")
    python.type("exit()\r")
    python.end()
    shown = python.screen.decode()
    assert [line for line in SAID if line not in shown] == []
    assert "Error" not in shown.replace("ZeroDivisionError:", "")


@pytest.mark.parametrize(
    ("source", "typed"),
    [
        ("x = 1\n\ny = 2", "x = 1\ry = 2\r"),
        ("def f():\n    a\n\n    b\nc", "def f():\r    a\r    b\r\rc\r"),
        ("for a in b: c", "for a in b: c\r\r"),
        (
            "if a:\n    b\nelif c:\n    d\nelse:\n    e",
            "if a:\r    b\relif c:\r    d\relse:\r    e\r\r",
        ),
        ("    a = 1\n    if a:\n        b", "a = 1\rif a:\r    b\r\r"),
        ("\tif a:\n\t\tb", "if a:\r        b\r\r"),
        ("f(\n\n  a,\n# no\n)", "f(\r  a,\r)\r"),
        ("'''a\n\n\tb'''", "'''a\r\r\\tb'''\r"),
        ("r'''a\n\n\tb'''", "r'''a\r\r\tb'''\r"),
        ("a = '#' # b\n# c\nd", "a = '#' # b\rd\r"),
        ('a = "\\"("\nb', 'a = "\\"("\rb\r'),
        ("if a:\n    '''\nb\n'''\nc", "if a:\r    '''\rb\r'''\r\rc\r"),
        ("@a\n@b\ndef c(): d\ne", "@a\r@b\rdef c(): d\r\re\r"),
        ("a + \\\n    b\nc", "a + \\\r    b\rc\r"),
        ("# a \\\nfor a in b: c\nd", "for a in b: c\r\rd\r"),
        ("x = 'unclosed\nfor a in b:\n    c", "x = 'unclosed\rfor a in b:\r    c\r\r"),
    ],
)
def test_blocks_end_where_they_end(editor: Editor, source: str, typed: str) -> None:
    assert encode(editor, source, False)[0] == typed


def test_a_paste_is_as_it_is_written_and_ends_in_return(editor: Editor) -> None:
    assert encode(editor, "x = 1", True)[0] == "\x1b[200~x = 1\x1b[201~\r"
    assert encode(editor, "if x:\n\ty\n\n\tz\n", True)[0] == (
        "\x1b[200~if x:\r\ty\r\r\tz\r\x1b[201~\r"
    )
    assert encode(editor, "a\n\n b\n", True, is_python=False)[0] == "\x1b[200~a\r\r b\x1b[201~\r"


def test_nothing_can_act_as_a_key_or_end_a_paste(editor: Editor) -> None:
    text = "a\x1b[201~\rrm -rf x\x03\x7f\x00\x9b201~ü\u0085b\tc\r\nd\r"
    for pastes in (True, False):
        sent, left_out = encode(editor, text, pastes, is_python=False)
        inner = sent.replace("\x1b[200~", "", 1).removesuffix("\x1b[201~\r").rstrip("\r")
        assert inner == "a[201~rm -rf x201~üb\tc\rd"
        assert left_out == 7


CELLS = """\
a = 0
# %% first
b = 1
c = 1
    # %% second
#%%
d = 3
# % no cell
e = 3"""
RECORD = """
_G.sent = {}
require('igor.repl').some = function(_, put)
  put({ terminal = { state = 'running' }, queue = { put = function(_, block)
    table.insert(_G.sent, table.concat(block.lines, '\\n'))
  end } })
end
"""


def sent(editor: Editor) -> list[str]:
    found: list[str] = editor.lua("local sent = _G.sent; _G.sent = {}; return sent")
    return found


def in_project(nvim: Path, home: Path, name: str = "cells.py") -> Any:
    (home / ".igor").mkdir()
    (home / ".igor/config.json").write_text('{"host_groups": {}}')
    (home / name).write_text(CELLS)
    keys = '{"keymaps": {"send": "gs", "send_line": "gss", "send_cell_move": "gc"}}'
    return running(nvim, home, home, keys, name)


def press(editor: Editor, keys: str) -> list[str]:
    editor.keys(keys)
    editor.wait(f"what {keys} sends", lambda: editor.lua("return #_G.sent > 0"))
    return sent(editor)


def test_each_way_to_send(nvim: Path, home: Path) -> None:
    with in_project(nvim, home) as editor:
        editor.lua(RECORD)
        assert press(editor, ":IgorSend<CR>") == ["a = 0"]
        assert press(editor, ":3,4IgorSend<CR>") == ["b = 1\nc = 1"]
        # By the second time, the command has already been expanded once.
        assert press(editor, ":7IgorSend<CR>") == ["d = 3"]
        assert press(editor, ":IgorSend!<CR>") == [CELLS]
        assert press(editor, ":%IgorSend<CR>") == [CELLS]
        assert press(editor, "gg:IgorSend file<CR>") == [CELLS]
        assert press(editor, ":IgorSend cell<CR>") == ["a = 0"]
        assert press(editor, "4G:IgorSend cell<CR>") == ["b = 1\nc = 1"]
        assert press(editor, "gg:4IgorSend cell<CR>") == ["b = 1\nc = 1"]
        assert press(editor, "2G:IgorSend cell<CR>") == ["b = 1\nc = 1"]
        assert press(editor, "9G:IgorSend cell<CR>") == ["d = 3\n# % no cell\ne = 3"]
        assert press(editor, "3Ggsj") == ["b = 1\nc = 1"]
        assert press(editor, "3Gwgsiw") == ["="]
        assert press(editor, "3GVjgs") == ["b = 1\nc = 1"]
        assert press(editor, "3G$v0gs") == ["b = 1"]
        assert press(editor, "3G0<C-v>jgs") == ["b\nc"]
        assert press(editor, "3G2gss") == ["b = 1\nc = 1"]
        assert editor.mode() == "n"
        assert press(editor, "3Ggc") == ["b = 1\nc = 1"]
        assert editor.nvim.current.window.cursor == (6, 0)
        editor.keys("5G:IgorSend cell<CR>")
        editor.wait_message("nothing to send")
        editor.keys(":IgorSend cells<CR>")
        editor.wait_message("cells is unknown (known: cell, file, line)")
        assert editor.nvim.call("getcompletion", "IgorSend ", "cmdline") == ["cell", "file", "line"]


def test_other_languages_have_cells_behind_their_own_comments(nvim: Path, home: Path) -> None:
    with in_project(nvim, home, "cells.lua") as editor:
        editor.lua(RECORD)
        editor.command("set filetype=lua commentstring=--\\ %s")
        editor.nvim.current.buffer[:] = ["-- %% one", "a = 1", "# %% no", "--%% two", "b = 2"]
        assert press(editor, "2G:IgorSend cell<CR>") == ["a = 1\n# %% no"]


def test_outside_of_a_project_it_says_so(editor: Editor) -> None:
    editor.nvim.current.line = "x"
    editor.command("IgorSend")
    editor.wait_message("igor: send: this is not in a project of igor")


def test_ten_thousand_lines_do_not_hold_the_editor(editor: Editor) -> None:
    source = (CHECKOUT / "igor_core/agent/server.py").read_text()
    lines = (source * 100).splitlines()
    assert seconds_of_encoding(editor, lines[:10_000]) < 30 * seconds_of_encoding(
        editor, lines[:1000]
    )


def seconds_of_encoding(editor: Editor, lines: list[str]) -> float:
    """Return the best of three, without the time that other processes take."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        encoded, _left_out = encode(editor, "\n".join(lines), False)
        seconds.append(time.perf_counter() - start)
        assert len(re.findall("\r", encoded)) > len(lines) / 2
    return min(seconds)
