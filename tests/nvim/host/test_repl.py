"""REPLs in Neovim for real: keys in, real containers, cut cables, and no orphans."""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.agent_client import kill_agent
from tests.support.nvim.editor import Editor, running
from tests.support.nvim.terminals import LEAVE_TERMINAL, Repl, inside, is_empty, make_project, repl

pytestmark = pytest.mark.timeout(300)

CELLS = '''\
# %% one
import os
answer = 6 * 7

# %% two
def total(count):
    """Of the numbers

    below `count`."""
    found = 0

    for number in range(count):
        found += number

    return found
print("to" + "tal", total(10), "ü€")

# %% three
for number in range(2):
	print("num" + "ber", number)
'''
# As htop does: draws again and again, and has the size of its window.
DRAWING = """\
import curses, time
def main(screen):
    curses.use_env(False)
    screen.nodelay(True)
    for turn in range(2000):
        curses.update_lines_cols()
        screen.getch()
        rows, columns = screen.getmaxyx()
        for row in range(rows):
            text = f"{row} of {rows} x {columns} at {turn} "
            screen.insstr(row, 0, (text * columns)[:columns])
        screen.refresh()
        time.sleep(0.02)
curses.wrapper(main)
"""
# Answers each question by its first choice.
FIRST_CHOICE = """
vim.ui.select = function(choices, given, answer)
  _G.asked = given.prompt
  answer(choices[1])
end
"""
_numbers = itertools.count(int(time.time()) % 10**6)


@pytest.fixture
def project(ssh_home: Path, lab: Lab) -> Iterator[Path]:
    root = make_project(ssh_home / f"r{next(_numbers)}", [lab["apollo"]])
    (root / "main.py").write_text(CELLS)
    (root / "drawing.py").write_text(DRAWING)
    yield root
    lab.heal()
    lab["apollo"].docker("rm", "-f", container(root))


def container(root: Path) -> str:
    return f"dino-{root.name}-dev"


@pytest.fixture
def editor(nvim: Path, home: Path, project: Path) -> Iterator[Editor]:
    with running(nvim, home, project, '{"keymaps": {"send": "gs"}}', "main.py") as editor:
        yield editor


def test_typing_completion_sending_resizing_and_no_orphans(
    editor: Editor, project: Path, lab: Lab
) -> None:
    python = repl(editor, "", "In [1]: ")
    assert [line for line in python.text.splitlines() if "In [1]" in line]
    editor.keys("import os<CR>'ü' * 3<CR>")
    python.see("'üüü'")
    editor.keys("os.getc")
    time.sleep(0.3)
    editor.keys("<Tab>")
    python.see("getcwdb")
    editor.keys("<C-e><C-u>")
    _send_by_keys(editor, python)
    shell = _resize_while_it_draws(editor)
    assert len(inside(lab["apollo"], container(project))) >= 2
    editor.command(f"bdelete! {python.buffer}")
    editor.wait(
        "the end of ipython",
        lambda: not any("ipython" in row for row in inside(lab["apollo"], container(project))),
        15,
    )
    assert shell.state == "running"
    editor.leave()
    assert is_empty(lab["apollo"], container(project), 15)


def _send_by_keys(editor: Editor, python: Repl) -> None:
    """Cells, a motion, a selection and a line; the cursor stays where it was."""
    editor.keys(f"{LEAVE_TERMINAL}<C-w>p8G:IgorSend cell<CR>")
    python.see("total 45 ü€")
    assert editor.nvim.current.window.cursor[0] == 8
    editor.keys("gg/three<CR>jgsG")
    python.see("number 1")
    editor.keys("3GV<Esc>:'<lt>,'>IgorSend<CR>")
    editor.keys("Goprint('ans' + 'wer', answer)<Esc>:IgorSend<CR>")
    python.see("answer 42")
    assert "Error" not in python.text
    assert editor.mode() == "n"


def _resize_while_it_draws(editor: Editor) -> Repl:
    editor.lua(FIRST_CHOICE)
    shell = repl(editor, "! bash", "$ ")
    assert editor.lua("return _G.asked") == "Not written: main.py"
    editor.keys("/venv/tools/bin/python drawing.py<CR>")
    shell.see(" at 9")
    for columns, rows in ((132, 50), (70, 30), (120, 44)):
        editor.nvim.ui_try_resize(columns, rows)
    window = next(w for w in editor.nvim.windows if w.buffer.handle == shell.buffer)
    shell.see(f"of {window.height} x {window.width} at")
    seen = shell.visible().splitlines()
    editor.wait("all rows drawn anew", lambda: _is_whole(shell, window.height, window.width), 10)
    assert len(seen) == window.height
    editor.keys("<C-c>")
    shell.see("KeyboardInterrupt")
    return shell


def _is_whole(shell: Repl, rows: int, columns: int) -> bool:
    """Whether each row of the screen is what the program drew for this size."""
    seen = shell.visible().splitlines()
    return [row.split(" at ")[0] for row in seen] == [
        f"{row} of {rows} x {columns}" for row in range(rows)
    ]


def kill_the_editor(editor: Editor) -> None:
    os.kill(editor.nvim.call("getpid"), signal.SIGKILL)


def kill_its_agent(_editor: Editor) -> None:
    kill_agent()


@pytest.mark.parametrize(
    ("nvim", "way"),
    [("0.10", kill_the_editor), ("0.12", kill_the_editor), ("0.12", kill_its_agent)],
    indirect=["nvim"],
)
def test_a_killed_editor_or_agent_leaves_nothing_in_the_container(
    editor: Editor, project: Path, lab: Lab, way: Callable[[Editor], None]
) -> None:
    repl(editor, " bash", "$ ")
    editor.keys("sleep 4321 & (trap '' HUP INT TERM; sleep 4321) &<CR>sleep 4321<CR>")
    host, name = lab["apollo"], container(project)
    editor.wait("three of them", lambda: sum("sleep 4321" in r for r in inside(host, name)) >= 3)
    way(editor)
    assert is_empty(host, name, 45)


def test_a_cut_cable_is_one_line_below_the_text_and_one_key_starts_again(
    editor: Editor, project: Path, lab: Lab
) -> None:
    shell = repl(editor, " bash --norc", "$ ")
    editor.keys("sleep 4321 & echo ke''pt<CR>")
    shell.see("\nkept")
    editor.keys(LEAVE_TERMINAL)
    python = repl(editor, "", "In [1]: ")
    lab["apollo"].cut()
    start = time.monotonic()
    assert is_empty(lab["apollo"], container(project), 45)
    python.reach("lost", 45)
    shell.reach("lost", 45)
    assert time.monotonic() - start < 50
    for one in (shell, python):
        assert "igor: the connection to apollo was lost; r starts again" in one.visible()
    editor.command("IgorSend file")
    editor.wait_message("not sent: the connection was lost")
    lab["apollo"].mend()
    _again_in_both_modes(editor, shell, python)


def _again_in_both_modes(editor: Editor, shell: Repl, python: Repl) -> None:
    assert editor.mode() == "t"
    editor.keys("r")
    python.reach("running", 40)
    editor.wait("a second prompt", lambda: python.text.count("In [1]: ") == 2, 20)
    window = next(w for w in editor.nvim.windows if w.buffer.handle == shell.buffer)
    editor.keys(LEAVE_TERMINAL)
    editor.wait("normal mode", lambda: editor.mode() == "nt")
    editor.nvim.current.window = window
    editor.keys("r")
    shell.reach("running", 40)
    editor.wait("its prompt", lambda: shell.text.rstrip().endswith("$"), 20)
    assert "\nkept" in shell.text
    assert "igor: the connection to apollo was lost" in shell.text
    editor.keys("iecho $((6*7))<CR>")
    shell.see("\n42")


@pytest.mark.parametrize("nvim", ["0.12"], indirect=True)
def test_a_persistent_repl_is_attached_to_again_until_it_is_ended(
    nvim: Path, home: Path, project: Path
) -> None:
    config = project / ".igor/config.json"
    config.write_text(config.read_text().replace("{", '{"repl_persist": true, ', 1))
    (project / "main.py").write_text(CELLS.replace("\t", "    "))
    with running(nvim, home, project, "{}", "main.py") as editor:
        # Python's own prompt, behind tmux, which asks for brackets that Python does not know.
        first = repl(editor, " python3 -q", ">>> ")
        editor.keys(f"{LEAVE_TERMINAL}<C-w>p:IgorSend!<CR>")
        first.see("total 45 ü€")
        assert "Error" not in first.text
        editor.command(f"bdelete! {first.buffer}")
        again = repl(editor, " python3 -q", ">>> ")
        editor.keys("'again' * 2, answer<CR>")
        again.see("('againagain', 42)")
        editor.keys(f"{LEAVE_TERMINAL}:IgorRepl --end python3 -q<CR>")
        editor.wait_message("has ended", 20)
        again.reach("ended")
