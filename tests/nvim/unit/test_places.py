"""The places in a job's output, in the quickfix list."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nvim.places import DECODER, at, fail, finish, here, rows, there
from tests.support.nvim.scene import Scene, scene


@pytest.fixture
def on(nvim: Path, home: Path) -> Iterator[Scene]:
    with scene(nvim, home) as made:
        (made.project / "main.py").write_text("".join(f"line {i}\n" for i in range(1, 40)))
        (made.project / "helper.py").write_text(
            "import os\n\n\nclass X:\n    def test_it(self): 1\n"
        )
        yield made


def test_the_failure_comes_first_and_cnext_passes_over_libraries(on: Scene) -> None:
    main, helper = on.project / "main.py", on.project / "helper.py"
    fail(
        on,
        there(DECODER, 353, "JSONDecodeError: no", kind="E"),
        there("/usr/lib/python3.11/json/__init__.py", 346),
        here(main, 7, "JSONDecodeError: no", column=5),
        here(helper, 2, "in load", kind="N"),
        command="IgorExec -g dev pytest -q",
    )
    listed = [(row["name"], row["lnum"], row["valid"], row["text"]) for row in rows(on)]
    assert listed == [
        (str(main), 7, 0, "apollo failed: exit status 1"),
        (f"igor://apollo{DECODER}", 353, 0, "JSONDecodeError: no"),
        ("igor://apollo/usr/lib/python3.11/json/__init__.py", 346, 0, ""),
        (str(main), 7, 1, "JSONDecodeError: no"),
        (str(helper), 2, 1, "in load"),
    ]
    about = on.editor.nvim.call("getqflist", {"title": 0, "idx": 0, "context": 0})
    assert (about["title"], about["idx"]) == ("igor exec · dev · pytest -q", 1)
    assert about["context"]["igor"]["root"] == str(on.project)
    on.editor.command("cnext")
    assert at(on) == (str(main), 7)
    assert tuple(on.editor.nvim.current.window.cursor) == (7, 4)
    on.editor.command("cnext")
    assert at(on) == (str(helper), 2)
    on.editor.command("cfirst")
    assert at(on) == (str(main), 7)
    assert "4 places: :cnext" in on.editor.output()


def test_a_single_place_is_reached_by_cnext(on: Scene) -> None:
    fail(on, here(on.project / "main.py", 3, "boom"))
    on.editor.command("cnext")
    assert at(on) == (str(on.project / "main.py"), 3)


def test_enter_opens_a_library_from_the_list(on: Scene) -> None:
    fail(on, here(on.project / "main.py", 3, "boom"), there(DECODER, 12, "in decode"))
    on.editor.command("copen")
    on.editor.keys("G<CR>")
    query = on.agent.query("read")
    assert query.args == {"name": f"igor://apollo{DECODER}"}
    assert query.root == str(on.project)
    assert at(on) == (f"igor://apollo{DECODER}", 12)


def test_cnext_in_the_output_leaves_the_output_where_it_is(on: Scene) -> None:
    on.editor.command("edit main.py")
    fail(on, here(on.project / "helper.py", 3, "boom"))
    output = on.editor.output_window()
    on.editor.nvim.current.window = output
    on.editor.command("cnext")
    assert at(on) == (str(on.project / "helper.py"), 3)
    assert "igor-output://" in output.buffer.name


def test_hosts_ranks_and_counts_are_told(on: Scene) -> None:
    main = on.project / "main.py"
    ranks = tuple(f"rank{i}" for i in range(8))
    fail(
        on,
        here(main, 1, "one", count=8, hosts=("apollo", "enterprise"), ranks=ranks),
        here(main, 2, "two", hosts=("enterprise",), ranks=("rank1",)),
        here(main, 3, "three\nlines"),
        command="IgorExec -g cluster pytest",
    )
    assert [row["text"] for row in rows(on)[1:]] == [
        "one \N{MULTIPLICATION SIGN}8 on apollo, enterprise (rank0, rank1, rank2 … rank7)",
        "two on enterprise (rank1)",
        "three lines on apollo",
    ]
    fail(on, here(main, 1, "again", count=2))
    assert [row["text"] for row in rows(on)[1:]] == ["again \N{MULTIPLICATION SIGN}2"]


def test_a_name_without_a_line_is_searched_for(on: Scene) -> None:
    fail(on, here(on.project / "helper.py", 0, "failed", symbol="test_it"))
    on.editor.command("cnext")
    assert at(on) == (str(on.project / "helper.py"), 5)


def test_what_there_was_no_room_for_is_counted(on: Scene) -> None:
    request = on.start("IgorExec pytest")
    finish(on, request, here(on.project / "main.py", 3, "boom"), dropped=20)
    assert rows(on)[-1]["text"] == "and 20 more"
    assert "21 places: :cnext" in on.editor.output()


TURNS = """
_G.sizes = {}
local timer = vim.uv.new_timer()
timer:start(1, 1, vim.schedule_wrap(function()
  local list = vim.fn.getqflist({ size = 0 })
  _G.sizes[list.size] = true
end))
"""


def many(on: Scene, count: int, text: str = "boom") -> list[dict[str, Any]]:
    """Return that many places, each in a file of its own."""
    return [here(on.project / f"src/module_{i}.py", i + 1, text) for i in range(count)]


def test_a_long_list_fills_while_the_editor_goes_on(on: Scene) -> None:
    on.editor.lua(TURNS)
    request = on.start("IgorExec pytest")
    finish(on, request, *many(on, 2000), dropped=7)
    assert rows(on)[0]["text"] == "apollo failed: exit status 1"
    on.editor.command("cnext")
    assert at(on)[0] == str(on.project / "src/module_0.py")
    on.editor.wait("the last row", lambda: rows(on)[-1]["text"] == "and 1507 more")
    listed = rows(on)
    assert [row["lnum"] for row in listed[1:-1]] == list(range(1, 501))
    sizes = on.editor.lua("return vim.tbl_keys(_G.sizes)")
    assert len([size for size in sizes if 0 < size < len(listed)]) >= 2
    assert "2007 places: :cnext" in on.editor.output()


def test_lists_that_fill_at_once_are_each_its_own_and_the_cursor_stays(on: Scene) -> None:
    first, second = on.start("IgorExec one"), on.start("IgorExec two")
    on.editor.lua("""
        vim.api.nvim_create_autocmd('User', {
          pattern = 'IgorJobFinished',
          callback = function()
            vim.cmd('copen | 3')
            vim.cmd('cc 3 | copen | 7')
          end,
          once = true,
        })
    """)
    on.agent.finish(first, 1, places=many(on, 400, "one"), dropped=0)
    on.editor.wait("the cursor", lambda: on.editor.lua("return vim.fn.getqflist({idx=0}).idx") == 3)
    on.agent.finish(second, 1, places=many(on, 400, "two"), dropped=0)
    both = "return {vim.fn.getqflist({nr=1,size=0}).size, vim.fn.getqflist({nr=2,size=0}).size}"
    on.editor.wait("both lists", lambda: on.editor.lua(both) == [401, 401])
    assert {row["text"] for row in rows(on)[1:]} == {"one"}
    assert on.editor.lua("return vim.fn.getqflist({idx=0}).idx") == 3
    assert at(on)[1] == 7
    assert len(on.editor.nvim.current.buffer[:]) == 401
    on.editor.command("silent cnewer")
    assert {row["text"] for row in rows(on)[1:]} == {"two"}


def test_a_list_that_somebody_else_has_filled_is_left_to_them(on: Scene) -> None:
    on.editor.lua("""
        vim.api.nvim_create_autocmd('User', {
          pattern = 'IgorJobFinished',
          callback = function()
            vim.fn.setqflist({}, 'r', { items = { { text = 'mine' } } })
            vim.defer_fn(function() _G.later = true end, 300)
          end,
        })
    """)
    fail(on, *many(on, 500))
    on.editor.wait("a while", lambda: on.editor.lua("return _G.later"))
    assert [row["text"] for row in rows(on)] == ["mine"]


def test_nothing_to_show_changes_no_list(on: Scene) -> None:
    on.editor.nvim.call("setqflist", [{"filename": "main.py", "lnum": 1, "text": "mine"}])
    fail(on)
    finish(on, on.start("IgorBuild"), status=0)
    assert [row["text"] for row in rows(on)] == ["mine"]
    assert not any(":cnext" in line for line in on.editor.output())


def test_a_list_is_pushed_and_older_ones_stay(on: Scene) -> None:
    for text in ("first", "second"):
        on.editor.nvim.call("setqflist", [], " ", {"title": text, "items": [{"text": text}]})
    on.editor.command("silent colder")
    fail(on, here(on.project / "main.py", 3, "boom"))
    assert on.editor.nvim.call("getqflist", {"nr": 0})["nr"] == 3
    on.editor.command("silent colder 2")
    assert rows(on)[0]["text"] == "first"


def test_a_list_that_one_is_in_stays(on: Scene) -> None:
    items = [{"filename": "main.py", "lnum": i, "text": "mine"} for i in range(1, 9)]
    on.editor.nvim.call("setqflist", [], " ", {"title": "mine", "items": items})
    request = on.start("IgorExec pytest")
    on.editor.command("copen | 5")
    finish(on, request, here(on.project / "main.py", 3, "boom"))
    assert at(on)[1] == 5
    assert rows(on)[0]["text"] == "mine"
    on.editor.command("silent cnewer")
    assert rows(on)[1]["text"] == "boom"


def quickfix_windows(on: Scene) -> list[int]:
    found: list[int] = on.editor.lua("""
        return vim.tbl_filter(function(win)
          return vim.fn.getwininfo(win)[1].quickfix == 1
        end, vim.api.nvim_list_wins())
    """)
    return found


@pytest.mark.parametrize("wanted", [False, True])
def test_the_list_opens_only_if_that_is_wanted(nvim: Path, home: Path, wanted: bool) -> None:
    setup = '{"quickfix": {"open": true}}' if wanted else "{}"
    with scene(nvim, home, setup) as on:
        window = on.editor.nvim.current.window
        fail(on, here(on.project / "main.py", 1, "boom"))
        assert len(quickfix_windows(on)) == wanted
        assert on.editor.nvim.current.window == window


def test_a_link_leads_to_the_buffer_that_is_open(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        (home / "link").symlink_to(on.project)
        on.editor.command(f"cd {home}/link | edit main.py")
        open_one = on.editor.nvim.current.buffer
        on.editor.command("new")
        fail(on, here(on.project / "main.py", 1, "boom"))
        assert rows(on)[1]["bufnr"] == open_one.number
        on.editor.command(f"%bwipe! | cd {home} | edit link/main.py")
        open_one = on.editor.nvim.current.buffer
        on.editor.command("new")
        fail(on, here(on.project / "main.py", 1, "boom"))
        on.editor.command("cnext")
        assert on.editor.nvim.current.buffer == open_one


def test_a_list_comes_while_the_command_line_window_is_open(on: Scene) -> None:
    request = on.start("IgorExec pytest")
    on.editor.keys("q:")
    on.editor.wait("the window", lambda: on.editor.nvim.call("getcmdwintype") == ":")
    on.agent.finish(request, 1, places=[here(on.project / "main.py", 3, "boom")], dropped=0)
    on.editor.wait("the list", lambda: len(rows(on)) == 2)
    on.editor.command("quit")
    on.editor.wait_output("ended in")
    on.editor.command("cnext")
    assert at(on) == (str(on.project / "main.py"), 3)


def test_a_list_that_can_not_be_shown_yet_is_added_once(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"quickfix": {"open": true}}') as on:
        request = on.start("IgorExec pytest")
        on.editor.keys("q:")
        on.editor.wait("the window", lambda: on.editor.nvim.call("getcmdwintype") == ":")
        on.editor.lua("vim.defer_fn(function() _G.later = true end, 500)")
        on.agent.finish(request, 1, places=[here(on.project / "main.py", 1, "boom")], dropped=0)
        on.editor.wait("the list", lambda: len(rows(on)) == 2)
        on.editor.wait("a while", lambda: on.editor.lua("return _G.later"))
        on.editor.command("quit")
        on.editor.wait("its window", lambda: quickfix_windows(on))
        assert on.editor.nvim.call("getqflist", {"nr": "$"})["nr"] == 1
