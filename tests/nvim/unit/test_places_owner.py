"""igor://host/path: the project that a buffer's file is read for, and when it is read again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_agent import Query
from tests.support.nvim.places import DECODER, fail, there
from tests.support.nvim.scene import Scene, scene

NAME = f"igor://apollo{DECODER}"


@pytest.fixture
def on(nvim: Path, home: Path) -> Iterator[Scene]:
    with scene(nvim, home) as made:
        made.editor.command("edit main.py")
        yield made


def give(on: Scene, query: Query, word: str) -> None:
    content = "".join(f"    {word} {i}\n" for i in range(1, 401)).encode()
    on.agent.answer(query, {"content": content, "size": len(content), "path": DECODER})


def wait_line(on: Scene, text: str) -> None:
    on.editor.wait(text, lambda: on.editor.nvim.current.line == f"    {text}")


OPEN_FOR = """
local name, root, group = ...
local open = require('igor.places.open_location').open
open({ name = name, line = 2, column = 0 }, 'here', root, group)
"""


def test_the_group_of_the_job_is_read_from(on: Scene) -> None:
    fail(on, there(DECODER, 3), there("/x.py", 1), command="IgorExec -g cluster pytest")
    on.editor.command("cc 2")
    assert on.agent.query("read").args == {"name": NAME, "group": "cluster"}
    on.editor.command("edit %:h/scanner.py")
    beside = NAME.replace("decoder", "scanner")
    assert on.agent.query("read").args == {"name": beside, "group": "cluster"}


def test_another_project_with_that_host_shows_its_own_file(on: Scene, home: Path) -> None:
    other = home / "other"
    shutil.copytree(on.project / ".igor", other / ".igor")
    for root, group, word in (
        (on.project, None, "first"),
        (other, None, "other"),
        (other, "cluster", "cluster"),
    ):
        on.editor.command("edit main.py")
        on.editor.lua(OPEN_FOR, NAME, str(root), group)
        query = on.agent.query("read")
        assert (query.root, query.args.get("group")) == (str(root), group)
        give(on, query, word)
        wait_line(on, f"{word} 2")
    on.editor.command("edit main.py")
    on.editor.lua(OPEN_FOR, NAME, str(other), "cluster")
    assert on.editor.nvim.current.line == "    cluster 2"
    assert on.agent.queries.empty()


@pytest.mark.parametrize("is_shown", [False, True])
def test_what_a_newer_job_names_is_read_again(on: Scene, is_shown: bool) -> None:
    fail(on, there(DECODER, 353))
    on.editor.command("cc 2")
    give(on, on.agent.query("read"), "old")
    wait_line(on, "old 353")
    on.editor.command("normal! 0w")
    if not is_shown:
        on.editor.command("edit main.py")
    fail(on, there(DECODER, 353, column=6), there("/other.py", 3))
    if not is_shown:
        on.editor.command("cc 2")
    give(on, on.agent.query("read"), "new")
    wait_line(on, "new 353")
    column = on.editor.nvim.current.window.cursor[1]
    assert column == (4 if is_shown else 5)
    on.editor.command("edit main.py | cc 2")
    assert on.agent.queries.empty()
