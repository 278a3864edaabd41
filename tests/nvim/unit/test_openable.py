"""Text from hosts that names what must not be opened: commands, addresses, files of other kinds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nvim.gf import place, press, show, wait_at
from tests.support.nvim.places import fail, finish, here, rows, there
from tests.support.nvim.scene import Scene, scene

PROGRAMS = ("evil", "curl", "wget", "scp", "sftp", "ssh", "unzip", "tar", "man")
RECORD = '#!/bin/sh\nprintf "%s\\n" "$0 $*" >>"$IGOR_TEST_RAN"\n'


@pytest.fixture
def ran(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that records each program which Neovim or a plugin runs for a name."""
    folder = home / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(RECORD)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("IGOR_TEST_RAN", str(home / "ran"))
    return home / "ran"


@pytest.fixture
def on(nvim: Path, home: Path, ran: Path) -> Iterator[Scene]:
    with scene(nvim, home) as made:
        (made.project / "helper.py").write_text("import os\n" * 20)
        made.editor.command("edit main.py")
        yield made


def names(on: Scene) -> list[str]:
    return [str(buffer.name) for buffer in on.editor.nvim.buffers]


def in_output(on: Scene, line: str) -> None:
    show(on, line)


def in_terminal(on: Scene, line: str) -> None:
    on.editor.command("split")
    on.editor.lua(
        """
        local buf = vim.api.nvim_create_buf(true, false)
        vim.api.nvim_set_current_buf(buf)
        vim.fn.termopen({ 'sh', '-c', 'printf "%s\\n" "$1"; sleep 60', 'sh', ... })
        vim.b[buf].igor_root, vim.b[buf].igor_host = vim.fn.getcwd(), 'apollo'
        require('igor.places').map(buf)
        """,
        line,
    )
    on.editor.wait("the row", lambda: line in "\n".join(on.editor.nvim.current.buffer[:]))
    on.editor.nvim.current.window.cursor = (1, 0)


def in_remote_file(on: Scene, line: str) -> None:
    on.editor.command("edit igor://apollo/tmp/notes.py")
    query = on.agent.query("read")
    text = f"{line}\n"
    on.agent.answer(query, {"content": text.encode(), "size": len(text), "path": "/tmp/notes.py"})
    on.editor.wait("the text", lambda: on.editor.nvim.current.line == line)


def in_list(on: Scene, line: str) -> None:
    fail(on, here(on.project / "helper.py", 3, line))
    on.editor.command("copen")
    on.editor.nvim.current.window.cursor = (2, 0)
    on.editor.command(f"call search('{line}')")


TEXTS = {
    "output": in_output,
    "terminal": in_terminal,
    "remote file": in_remote_file,
    "list": in_list,
}
ADDRESSES = [
    "term://evil", "term://./evil", "http://127.0.0.1:9/x", "scp://127.0.0.1/x",
    "ftp://127.0.0.1/x", "man://ls", "file:///etc/hosts", "oil-ssh://127.0.0.1/x",
    "fugitive://x//y", "jdt://contents/x.class",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("keys", ["gf", "<C-w>gf", "]f", "vEgf"])
def test_a_command_in_a_text_of_a_host_is_not_run(
    on: Scene, ran: Path, text: str, keys: str
) -> None:
    TEXTS[text](on, "term://evil")
    press(on, keys, None)
    on.editor.wait_message("term://evil: only igor:// addresses are opened")
    assert not ran.exists()
    assert not any(name.endswith(":evil") for name in names(on))


@pytest.mark.parametrize("keys", ["gf", "vEgf"])
def test_in_a_list_of_somebody_else_the_keys_are_vims_own(on: Scene, keys: str) -> None:
    in_list(on, "some words")
    on.editor.command("call setqflist([{'text': 'helper.py', 'valid': 0}]) | copen")
    on.editor.command("call search('helper')")
    on.editor.keys(keys)
    wait_at(on, on.project / "helper.py", 1)


def test_no_address_but_igors_is_opened(on: Scene, ran: Path) -> None:
    for address in ADDRESSES:
        on.editor.command("messages clear")
        show(on, address)
        before = names(on)
        press(on, "gf", None)
        on.editor.wait_message(": only igor:// addresses are opened")
        assert (ran.exists(), names(on)) == (False, before)


@pytest.mark.parametrize("address", ["term://evil", "zipfile:///tmp/x.zip::y", "tarfile::x"])
def test_nor_is_one_that_the_agent_would_answer(on: Scene, ran: Path, address: str) -> None:
    show(on, "helper.py:7: x")
    before = names(on)
    press(on, "gF", place(address, 7))
    on.editor.wait_message("looks like an address")
    assert (ran.exists(), names(on)) == (False, before)


def test_igors_own_is(on: Scene) -> None:
    show(on, "igor://apollo/tmp/x.py")
    press(on, "gf", None)
    assert on.agent.query("read").args == {"name": "igor://apollo/tmp/x.py"}


@pytest.mark.parametrize("path", ["/tmp/x.zip", "/tmp/x.tar.gz", "/tmp/x.shada"])
def test_what_a_plugin_would_read_here_is_not_opened(on: Scene, ran: Path, path: str) -> None:
    show(on, path)
    before = names(on)
    press(on, "gf", None)
    on.editor.wait_message("is not read from the host")
    assert (ran.exists(), names(on)) == (False, before)


@pytest.mark.parametrize("name", ["tarfile::x", "zipfile:x/a"])
@pytest.mark.parametrize("way", ["gf", "list", "diff"])
def test_a_file_of_the_project_that_is_called_as_an_address(
    on: Scene, ran: Path, name: str, way: str
) -> None:
    path = on.project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine\n")
    if way == "gf":
        show(on, "helper.py:7: x")
        press(on, "gF", place(path, 7))
    elif way == "list":
        fail(on, here(path, 3, "ValueError: x"), here(on.project / "helper.py", 2, "y"))
        assert [row["name"] for row in rows(on)] == ["", "", str(on.project / "helper.py")]
        on.editor.command("cfirst | cnext")
        wait_at(on, on.project / "helper.py", 2)
    else:
        request = on.start("IgorDiff")
        side = {"text": True, "kind": "file", "words": "", "content": b"theirs\n"}
        found = {"host": "apollo", "path": name, "here": side, "there": side}
        on.agent.finish(request, 1, data=[found])
    if way != "list":
        on.editor.wait_message("looks like an address")
    assert not ran.exists()


HOSTILE = [
    "a|let g:igor_ran=1", "`evil`", "x`evil`.py", "%", "#", "$HOME", "~", "*", "[x]", "+evil", "-x",
    "b\\c", "tail ", "`=execute(getline(1))`", 'a"b', "a'b", "{a,b}", "<cfile>",
]  # fmt: skip


@pytest.mark.parametrize("way", ["gf", "diff", "list", "debug"])
def test_a_name_is_a_name_whatever_it_would_mean_to_vim(on: Scene, ran: Path, way: str) -> None:
    for name in HOSTILE:
        path = on.project / name
        path.write_text("mine\n")
        if way == "gf":
            on.editor.lua(
                "require('igor.places.open_location').open(...)",
                place(path),
                "here",
                str(on.project),
            )
        elif way == "diff":
            edit = "require('igor.places.open_location').edit(...)"
            on.editor.lua(edit, str(path), str(on.project), "tabnew")
        elif way == "list":
            finish(on, on.start("IgorExec pytest"), here(path, 1, "E: x"))
            on.editor.command("cfirst")
        else:
            on.editor.command("tabnew")
            on.editor.command("tabonly")
            given = {"program": name}
            on.editor.lua("require('igor.debug.file_window').enter(...)", str(on.project), given)
        assert on.editor.nvim.current.buffer.name == str(path)
    assert not ran.exists()
    assert on.editor.nvim.vars.get("igor_ran") is None


def test_what_is_no_regular_file_is_not_opened(on: Scene) -> None:
    os.mkfifo(on.project / "pipe.py")
    show(on, "helper.py:7: x")
    press(on, "gF", place(on.project / "pipe.py", 7))
    on.editor.wait_message("pipe.py is no regular file")


def test_a_name_with_control_characters_is_not_opened_and_shown_as_such(on: Scene) -> None:
    show(on, "helper.py:7: x")
    press(on, "gF", place(f"{on.project}/a\x1b]0;x\x07.py", 7))
    on.editor.wait_message("a^[]0;x^G.py has control characters")


@pytest.mark.parametrize("line", ["../outside.txt", "$IGOR_TEST_PLACE/outside.txt"])
def test_a_hosts_path_does_not_lead_out_of_where_vim_looks(
    on: Scene, home: Path, line: str
) -> None:
    (home / "outside.txt").write_text("mine\n")
    on.editor.lua("vim.env.IGOR_TEST_PLACE = ...", "..")
    show(on, line)
    press(on, "gf", None)
    on.editor.wait_message("no file of the project, nor of its hosts")
    assert str(home / "outside.txt") not in names(on)


def test_a_hosts_text_sets_no_options(on: Scene) -> None:
    on.editor.command("set modeline")
    on.editor.command("autocmd User Anything let g:igor_ran = 1")
    in_remote_file(on, "# vim: set tabstop=13 :")
    on.editor.command("doautocmd User Anything")
    assert on.editor.nvim.current.buffer.options["tabstop"] != 13
    on.editor.command("bwipeout")
    show(on, "# vim: set tabstop=13 :")
    on.editor.command("doautocmd User Anything")
    assert on.editor.nvim.current.buffer.options["tabstop"] != 13


def test_a_remote_place_that_a_plugin_would_read_is_listed_without_it(on: Scene, ran: Path) -> None:
    on.editor.command("autocmd BufReadCmd *.ipynb call system('evil')")
    fail(on, there("/tmp/x.ipynb", 3, "ValueError: x"))
    assert {row["name"] for row in rows(on)} == {""}
    on.editor.command("silent! cfirst")
    assert not ran.exists()
