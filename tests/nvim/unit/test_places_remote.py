"""igor://host/path: buffers of files that only a host has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_agent import Query
from tests.support.nvim.places import DECODER, at, fail, here, there
from tests.support.nvim.scene import Scene, scene

NAME = f"igor://apollo{DECODER}"
TEXT = b"".join(b"    line %d\n" % i for i in range(1, 401))


@pytest.fixture
def on(nvim: Path, home: Path) -> Iterator[Scene]:
    with scene(nvim, home) as made:
        made.editor.command("edit main.py")
        yield made


def give(on: Scene, query: Query, content: bytes = TEXT) -> None:
    on.agent.answer(query, {"content": content, "size": len(content), "path": DECODER})


def read(on: Scene, command: str, content: bytes = TEXT) -> None:
    """Open a file on the host, and wait for its text."""
    on.editor.command(command)
    give(on, on.agent.query("read"), content)
    on.editor.wait("the text", lambda: on.editor.lua("return vim.b.igor_is_read"))


def option(on: Scene, name: str) -> object:
    found: object = on.editor.nvim.api.get_option_value(name, {"buf": 0})
    return found


def screen(on: Scene) -> str:
    """Return the text in the window, including virtual text."""
    found: str = on.editor.lua("""
        local rows = {}
        for row = 1, vim.o.lines do
          local cells = {}
          for column = 1, vim.o.columns do
            cells[column] = vim.fn.screenstring(row, column)
          end
          rows[row] = table.concat(cells)
        end
        return table.concat(rows, '\\n')
    """)
    return found


def test_it_is_shown_to_be_read_and_not_to_be_changed(on: Scene) -> None:
    read(on, f"edit {NAME}")
    assert on.editor.nvim.current.buffer[:] == TEXT.decode().splitlines()
    assert option(on, "filetype") == "python"
    assert not option(on, "modifiable")
    assert not option(on, "modified")
    assert not option(on, "swapfile")
    on.editor.command("write")
    on.editor.wait_message("igor: not written: the file is on apollo")
    on.editor.command("write! copy.py")
    assert (on.project / "copy.py").read_bytes() == TEXT


def test_the_cursor_is_where_it_was_wanted(on: Scene) -> None:
    read(on, f"edit +120 {NAME}")
    assert at(on) == (NAME, 120)
    on.editor.command("edit main.py | normal! gg")
    on.editor.command(f"buffer {NAME}")
    assert at(on) == (NAME, 120)
    read(on, "edit")
    assert at(on) == (NAME, 120)


def test_a_line_beyond_the_end_is_the_last_one(on: Scene) -> None:
    read(on, f"edit +1200 {NAME}", b"one\ntwo")
    assert at(on) == (NAME, 2)
    assert not option(on, "endofline")


def test_the_quickfix_list_leads_to_line_and_column_and_keeps_them(on: Scene) -> None:
    fail(on, there(DECODER, 353, "boom", column=5), there(DECODER, 337), here(on.project, 1))
    read(on, "cc 2")
    assert at(on) == (NAME, 353)
    assert tuple(on.editor.nvim.current.window.cursor) == (353, 4)
    on.editor.command("cc 3")
    assert at(on) == (NAME, 337)
    assert [item["lnum"] for item in on.editor.nvim.call("getqflist")[1:3]] == [353, 337]
    on.editor.command("cc 2")
    assert at(on) == (NAME, 353)


def test_it_says_that_it_reads_and_the_editor_goes_on(on: Scene) -> None:
    on.editor.command(f"edit +30 {NAME}")
    query = on.agent.query("read")
    on.editor.wait("a word", lambda: f"reading {DECODER} from apollo" in screen(on))
    on.editor.command("wincmd v | edit main.py")
    on.editor.keys("itext<Esc>")
    on.editor.wait("what was typed", lambda: on.editor.nvim.current.line.startswith("text"))
    give(on, query)
    on.editor.command("wincmd p")
    on.editor.wait("the line", lambda: on.editor.nvim.current.line == "    line 30")
    assert "reading" not in screen(on)


def test_a_failure_is_told_and_edit_tries_again_at_the_same_line(on: Scene) -> None:
    on.editor.command(f"edit +30 {NAME}")
    error = "no container of this project runs on apollo"
    on.agent.answer(on.agent.query("read"), None, error, "igor docker setup")
    on.editor.wait_message(f"igor: {error}")
    assert on.editor.nvim.current.buffer[:] == [f"{error} (igor docker setup)", ":e tries again"]
    assert not option(on, "modified")
    read(on, "edit")
    assert at(on) == (NAME, 30)


def test_an_agent_that_goes_away_is_told(on: Scene) -> None:
    on.editor.command(f"edit {NAME}")
    on.agent.query("read")
    on.agent.hang_up()
    on.editor.wait_message("igor: the agent has gone away")
    read(on, "edit")


def test_a_late_answer_harms_nobody(on: Scene) -> None:
    on.editor.command(f"edit {NAME}")
    first = on.agent.query("read")
    on.editor.command("edit")
    second = on.agent.query("read")
    give(on, first, b"old\n")
    give(on, second, b"new\n")
    on.editor.wait("the text", lambda: on.editor.nvim.current.line == "new")
    on.editor.command("edit")
    third = on.agent.query("read")
    on.editor.command("bwipeout")
    give(on, third)
    read(on, f"edit {NAME}")
    assert on.editor.nvim.current.line == "    line 1"
    assert "rror" not in on.editor.messages()


def test_neighbours_are_reached_by_relative_names(on: Scene, home: Path) -> None:
    read(on, f"edit {NAME}")
    on.editor.command(f"cd {home}")
    on.editor.command("edit %:h/scanner.py")
    query = on.agent.query("read")
    assert query.args == {"name": NAME.replace("decoder", "scanner")}
    assert query.root == str(on.project)


def test_the_project_is_found_from_the_folder(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.command(f"edit {NAME}")
        assert on.agent.query("read").root == str(on.project)
        on.editor.command(f"bwipeout | cd {home} | edit {NAME}")
        on.editor.wait_message("belongs to no project")


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"\xef\xbb\xbfone\r\ntwo\r\n", ["one", "two"]),
        (b"caf\xe9\n", ["caf\N{LATIN SMALL LETTER E WITH ACUTE}"]),
        (b"a\0b\n", ["a\0b"]),
        (b"", [""]),
    ],
)
def test_bytes_of_any_kind_are_shown(on: Scene, content: bytes, shown: list[str]) -> None:
    read(on, f"edit {NAME}", content)
    lines = [line.replace("\n", "\0") for line in on.editor.nvim.current.buffer[:]]
    assert lines == shown


def test_it_opens_from_the_command_line_of_the_editor(nvim: Path, home: Path) -> None:
    with scene(nvim, home, "{}", "+12", NAME) as on:
        give(on, on.agent.query("read"))
        on.editor.wait("the line", lambda: on.editor.nvim.current.line == "    line 12")


def test_a_session_brings_it_back(nvim: Path, home: Path) -> None:
    session = home / "session.vim"
    with scene(nvim, home) as on:
        on.editor.command("edit main.py")
        read(on, f"split +77 {NAME}")
        on.editor.command(f"mksession {session}")
        on.editor.command(f"%bwipeout! | source {session}")
        give(on, on.agent.query("read"))
        on.editor.wait("the text", lambda: on.editor.nvim.current.line == "    line 1")
        assert (at(on)[0], option(on, "filetype")) == (NAME, "python")
        assert not option(on, "modifiable")
        assert len(on.editor.nvim.windows) == 2


def test_the_editor_has_its_turns_while_a_big_file_is_put_in(on: Scene) -> None:
    content = b"some line of code that is as long as lines are\n" * 80_000
    on.editor.lua("""
        _G.turns = 0
        vim.uv.new_timer():start(1, 1, vim.schedule_wrap(function()
          local begun = vim.api.nvim_buf_get_lines(0, 0, 1, false)[1] ~= ''
          _G.turns = _G.turns + (begun and not vim.b.igor_is_read and 1 or 0)
        end))
    """)
    on.editor.command("new")
    read(on, f"edit +70000 {NAME}", content)
    assert at(on) == (NAME, 50_000)
    assert on.editor.nvim.api.buf_line_count(0) == 80_000
    assert on.editor.lua("return _G.turns") >= 2


# A key that waits for another one locks the text meanwhile.
WAIT_FOR_KEY = """
vim.keymap.set('n', 's', function()
  _G.waits = true
  vim.fn.getcharstr()
  return ''
end, { expr = true })
"""


@pytest.mark.parametrize("error", ["", "apollo is offline"])
def test_an_answer_waits_while_text_is_locked(on: Scene, error: str) -> None:
    on.editor.lua(WAIT_FOR_KEY)
    on.editor.command(f"edit +30 {NAME}")
    query = on.agent.query("read")
    on.editor.keys("s")
    on.editor.wait("the lock", lambda: on.editor.lua("return _G.waits"))
    on.editor.lua("""
        vim.defer_fn(function()
          _G.later = vim.api.nvim_get_option_value('modifiable', { buf = 0 }) and 'open' or 'closed'
        end, 400)
    """)
    if error:
        on.agent.answer(query, None, error)
    else:
        give(on, query)
    on.editor.wait("a while", lambda: on.editor.lua("return _G.later == 'closed'"))
    assert not on.editor.lua("return vim.b.igor_is_read")
    on.editor.keys("x")
    on.editor.wait("the text", lambda: on.editor.lua("return vim.b.igor_is_read"))
    if error:
        assert on.editor.nvim.current.buffer[:] == [error, ":e tries again"]
        on.editor.wait_message(f"igor: {error}")
    else:
        assert on.editor.nvim.current.line == "    line 30"
    assert "E565" not in on.editor.messages()
