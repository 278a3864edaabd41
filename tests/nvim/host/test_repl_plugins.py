"""iron.nvim and vim-slime send to igor's REPLs, set up as the manual says.

They are taken from $IGOR_PLUGINS, a folder with their checkouts.
"""

import re
import time
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.lab.required import require_plugin
from tests.support.nvim.editor import CHECKOUT, running
from tests.support.nvim.terminals import LEAVE_TERMINAL, make_project, repl

pytestmark = pytest.mark.timeout(120)

CELLS = """\
# %% one
def total(count):
    found = 0

    for number in range(count):
        found += number
    return found
print("to" + "tal", total(10))
# %% two
print("t" + "wo", "ü")
"""
TERMINALS = """
local found = {}
for _, buf in ipairs(vim.api.nvim_list_bufs()) do
  if vim.bo[buf].buftype == 'terminal' then
    table.insert(found, table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\\n'))
  end
end
return table.concat(found, '\\n')
"""


def set_up(home: Path, word: str) -> Path:
    """A file with the manual's example that contains `word`."""
    manual = (CHECKOUT / "doc" / "igor.txt").read_text(encoding="utf-8")
    examples = re.findall(r">lua\n(.*?)\n<", manual, re.DOTALL)
    (example,) = [example for example in examples if word in example]
    (home / "example.lua").write_text(example)
    return home / "example.lua"


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Path:
    root = make_project(ssh_home / f"i{time.time_ns() % 10**9}", [lab["apollo"]])
    (root / "main.py").write_text(CELLS)
    return root


def test_vim_slime_sends_to_the_terminal_that_igor_has_opened(
    nvim: Path, home: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(require_plugin("vim-slime")))
    example = set_up(home, "slime_target")
    start = ("--cmd", f"luafile {example}", "main.py")
    with running(nvim, home, project, "{}", *start) as editor:
        editor.command("xmap gs <Plug>SlimeRegionSend")
        python = repl(editor, "", "In [1]: ")
        editor.keys(f"{LEAVE_TERMINAL}<C-w>p2GV8Ggs")
        python.see("total 45")
        editor.keys("9GVGgs")
        python.see("two ü")
        assert "Error" not in python.text


def test_iron_has_the_remote_repl_in_a_project_and_a_local_one_elsewhere(
    nvim: Path, home: Path, project: Path
) -> None:
    plugin = require_plugin("iron.nvim")
    example = set_up(home, "iron.core")
    # A local interpreter that every machine has.
    example.write_text(example.read_text().replace("{ 'ipython' }", "{ 'cat', '-A' }"))
    (home / "other.py").write_text("x = 'elsewhere'\n")
    for place, name, row, said in (
        (project, "main.py", 4, "total 45"),
        (home, "other.py", 1, "x = 'elsewhere'$"),
    ):
        with running(nvim, home, place, "{}", name) as editor:
            editor.command(f"set runtimepath+={plugin} filetype=python")
            editor.command(f"luafile {example}")
            editor.command("IronRepl")
            if place == project:
                editor.wait("a prompt", lambda: "In [1]: " in editor.lua(TERMINALS), 60)
            editor.lua(f"vim.api.nvim_win_set_cursor(0, {{ {row}, 0 }})")
            editor.lua("require('iron.core').send_code_block(false)")
            editor.wait(said, lambda: said in editor.lua(TERMINALS), 20)  # noqa: B023
