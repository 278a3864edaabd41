""":IgorDiff: the local file beside the host's version, in a real Neovim."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import Kind
from tests.lab import Lab
from tests.support.differing import Differing
from tests.support.nvim.editor import Editor, running
from tests.support.nvim.scene import Scene, scene

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def fake(nvim: Path, home: Path) -> Iterator[Scene]:
    with scene(nvim, home) as made:
        yield made


def side(content: bytes | None, *, utf8: bool = True, kind: str = "f") -> dict[str, Any]:
    """A side of a difference, as the agent describes it; None: too large, binary, no file."""
    described = {"name": "x", "kind": kind, "size": 1, "text": content is not None, "words": kind}
    more = {} if content is None else {"content": content, "utf8": utf8}
    return {**described, **more}


def answer(fake: Scene, request: int, *data: dict[str, Any]) -> None:
    """End a diff as the agent does."""
    fake.agent.result(request, "apollo", 1, f"{len(data)} paths differ", how="differs")
    fake.agent.finish(request, 1, data=list(data))


def found(path: str, there: dict[str, Any], here: dict[str, Any] | None = None) -> dict[str, Any]:
    here = here or side(b"here")
    return {"host": "apollo", "path": path, "why": "", "there": there, "here": here}


TABS = """
return vim.tbl_map(function(tab)
  return vim.tbl_map(function(win)
    return vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(win))
  end, vim.api.nvim_tabpage_list_wins(tab))
end, vim.api.nvim_list_tabpages())
"""


def tabs(editor: Editor) -> list[list[str]]:
    """The names of the buffers in each tab page's windows, without those of jobs' output."""
    shown: list[list[str]] = editor.lua(TABS)
    return [[name for name in names if "/diff" not in name] for names in shown]


def text(editor: Editor, path: Path) -> list[str]:
    """What the editor has of a file."""
    found: list[str] = editor.lua(
        "return vim.api.nvim_buf_get_lines(vim.fn.bufnr(...), 0, -1, true)", str(path)
    )
    return found


def shown_there(editor: Editor) -> Any:
    return next(b for b in editor.nvim.buffers if b.name.startswith("igor-diff://apollo/"))


def args(fake: Scene, command: str) -> dict[str, Any]:
    fake.editor.command(command)
    given: dict[str, Any] = fake.agent.frame(Kind.REQUEST)[4]
    return given


def test_each_path_gets_a_tab_page_with_both_sides(fake: Scene) -> None:
    (fake.project / "other.txt").write_text("x\n")
    request = fake.start("IgorDiff")
    answer(fake, request, found("main.py", side(b"print('there')\n")),
           found("other.txt", side(b"y\n")))  # fmt: skip
    fake.editor.wait("three tab pages", lambda: len(fake.editor.nvim.tabpages) == 3)
    assert tabs(fake.editor)[1:] == [
        [str(fake.project / "main.py"), "igor-diff://apollo/main.py"],
        [str(fake.project / "other.txt"), "igor-diff://apollo/other.txt"],
    ]
    windows = fake.editor.nvim.tabpages[1].windows
    assert [w.options["diff"] for w in windows] == [True, True]
    there = shown_there(fake.editor)
    assert list(there) == ["print('there')"]
    assert (there.options["filetype"], there.options["buftype"]) == ("python", "nofile")
    assert (there.options["readonly"], there.options["modifiable"]) == (True, False)
    assert "failed" not in fake.editor.messages()
    assert "igor: diff: apollo 2 paths differ" in fake.editor.messages()


@pytest.mark.parametrize(
    ("content", "utf8", "lines", "options"),
    [
        (b"a\nb", True, ["a", "b"], {"endofline": False, "fileformat": "unix"}),
        (b"a\r\nb\r\n", True, ["a", "b"], {"endofline": True, "fileformat": "dos"}),
        (b"a\r\nb\n", True, ["a\r", "b"], {"fileformat": "unix"}),
        (b"\xef\xbb\xbfa\n", True, ["a"], {}),
        ("é\n".encode(), True, ["é"], {}),
        (b"\xe9\n", False, ["é"], {}),
        (b"", True, [""], {}),
    ],
)
def test_lines_are_as_neovim_would_have_read_them(
    fake: Scene, content: bytes, utf8: bool, lines: list[str], options: dict[str, Any]
) -> None:
    answer(fake, fake.start("IgorDiff"), found("main.py", side(content, utf8=utf8)))
    fake.editor.wait("a tab page", lambda: len(fake.editor.nvim.tabpages) == 2)
    there = shown_there(fake.editor)
    assert list(there) == lines
    assert {name: there.options[name] for name in options} == options


def test_what_is_no_text_is_a_message(fake: Scene) -> None:
    answer(fake, fake.start("IgorDiff"), found("main.py", side(None, kind="l")))
    fake.editor.wait_message("main.py: on apollo l, here f")
    assert len(fake.editor.nvim.tabpages) == 1


def test_a_file_that_is_gone_here_is_compared_with_nothing(fake: Scene) -> None:
    answer(fake, fake.start("IgorDiff"), found("gone.py", side(b"there\n"), side(None, kind="")))
    fake.editor.wait("a tab page", lambda: len(fake.editor.nvim.tabpages) == 2)
    assert tabs(fake.editor)[1] == [str(fake.project / "gone.py"), "igor-diff://apollo/gone.py"]


def test_it_waits_while_somebody_types(fake: Scene) -> None:
    fake.editor.keys("i")
    fake.editor.wait("insert mode", lambda: fake.editor.mode() == "i")
    answer(fake, fake.start("IgorDiff"), found("main.py", side(b"there\n")))
    fake.editor.wait_output("in 0.")
    fake.editor.keys("typed")
    assert len(fake.editor.nvim.tabpages) == 1
    fake.editor.keys("<Esc>")
    fake.editor.wait("a tab page", lambda: len(fake.editor.nvim.tabpages) == 2)


def test_paths_are_meant_from_the_working_directory_or_the_project(fake: Scene) -> None:
    root = fake.project
    (root / "src").mkdir()
    (root / "src" / "a b.py").write_text("x")
    fake.editor.command(f"edit {root}/main.py | cd {root}/src")
    assert args(fake, "IgorDiff %") == {"paths": [str(root / "main.py")], "contents": True}
    assert args(fake, "IgorDiff --ours a\\ b.py main.py --host apollo -g cluster --yes") == {
        "ours": True, "yes": True, "hosts": ["apollo"], "group": "cluster", "contents": True,
        "paths": [str(root / "src" / "a b.py"), str(root / "main.py")],
    }  # fmt: skip
    assert args(fake, "IgorDiff -- --ours")["paths"] == [str(root / "--ours")]


def test_theirs_needs_the_buffer_to_be_written(fake: Scene) -> None:
    fake.editor.command(f"edit {fake.project}/main.py")
    fake.editor.nvim.current.buffer[:] = ["changed"]
    fake.editor.command("IgorDiff --theirs %")
    fake.editor.wait_message("has unsaved changes")
    fake.editor.command("write")
    assert args(fake, "IgorDiff --theirs %")["theirs"] is True


def test_paths_are_completed(fake: Scene) -> None:
    complete = fake.editor.nvim.funcs.getcompletion
    assert complete("IgorDiff --t", "cmdline") == ["--theirs"]
    assert complete("IgorDiff ma", "cmdline") == ["main.py"]
    assert complete("IgorDiff --host a", "cmdline") == ["apollo"]


def test_on_a_real_host_it_is_shown_and_settled(
    nvim: Path, home: Path, lab: Lab, ssh_home: Path, tmp_path: Path
) -> None:
    project = Differing(tmp_path / "project", lab["apollo"])
    project.write("a.py", "one\n")
    project.write("b.py", "one\n")
    assert project.push().returncode == 0
    a = project.held_back("a.py", here=b"here\n", there=b"there\n")
    b = project.held_back("b.py", here=b"here\n", there=b"there\n")
    with running(nvim, home, project.root, "{}", "a.py") as editor:
        editor.command("IgorDiff")
        editor.wait("two tab pages more", lambda: len(editor.nvim.tabpages) == 3, 30)
        assert list(shown_there(editor)) == ["there"]
        assert editor.lua("return vim.fn.diff_hlID(1, 1)") > 0
        editor.command("IgorDiff --theirs a.py")
        editor.wait(
            "theirs in the buffer", lambda: text(editor, project.root / "a.py") == ["there"], 30
        )
        editor.command("IgorDiff --ours b.py")
        editor.wait("ours on the host", lambda: b.read_bytes() == b"here\n", 30)
        editor.wait("both settled", lambda: sorted(map(len, tabs(editor))) == [1, 1, 1])
    assert (project.root / "a.py").read_bytes() == a.read_bytes() == b"there\n"
    (kept,) = Path(os.environ["XDG_STATE_HOME"]).glob("igor/replaced/project/*/a.py")
    assert kept.read_bytes() == b"here\n"
    assert project.push().returncode == 0
