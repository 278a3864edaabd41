"""The output split: its text, the windows that follow it, and the output that is dropped."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.nvim.scene import Scene, scene


def lines_of(on: Scene) -> list[str]:
    return on.editor.output()


def test_a_host_alone_has_no_prefix_and_several_have(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.agent.output(request, b"alone\n")
        assert "alone" in on.editor.wait_output("alone")
        request = on.start("IgorExec -g cluster ls")
        on.agent.output(request, b"one\npar", "apollo")
        on.agent.output(request, b"two\n", "enterprise")
        on.agent.output(request, b"tial\n", "apollo")
        lines = on.editor.wait_output("partial")
        assert lines[1:] == ["apollo     │ one", "enterprise │ two", "apollo     │ partial"]


def test_a_partial_line_is_shown_at_once_and_completed_in_place(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.agent.output(request, b"Downloading")
        assert on.editor.wait_output("Downloading")[-1] == "Downloading"
        on.agent.output(request, b" done\r\nnext")
        assert on.editor.wait_output("next")[-2:] == ["Downloading done", "next"]


def test_colours_are_marks_that_end_with_their_reset(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec -g cluster ls")
        on.agent.output(request, b"\x1b[1;38;2;10;20;30mbold\x1b[0m")
        on.agent.output(request, b" plain \x1b[48;5;196mred\x1b[m\n\x1b[4munder")
        on.agent.output(request, b"lined\x1b[24m end\n")
        on.editor.wait_output("end")
        indent = len("apollo     │ ".encode())
        bold, red = on.editor.highlights(1)
        assert bold[:2] == (indent, indent + 4)
        assert (bold[2]["fg"], bold[2]["bold"]) == (0x0A141E, True)
        assert red[:2] == (indent + 11, indent + 14)
        assert (red[2]["bg"], red[2]["ctermbg"]) == (0xFF0000, 196)
        assert [mark[:2] for mark in on.editor.highlights(2)] == [(indent, indent + 10)]


def test_colours_survive_a_change_of_the_colour_scheme(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.agent.output(request, b"\x1b[38;5;21mblue\n")
        on.editor.wait_output("blue")
        on.editor.command("colorscheme habamax")
        assert on.editor.highlights(1)[0][2]["fg"] == 0x0000FF


def test_the_split_opens_below_and_the_cursor_stays(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"output": {"height": 7}}') as on:
        on.editor.command("edit main.py")
        before = on.editor.nvim.current.window
        on.start("IgorPush")
        window = on.editor.wait("the split", on.editor.output_window)
        assert on.editor.nvim.current.window == before
        assert window.height == 7


def test_it_follows_its_tail_until_the_cursor_leaves_it(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.agent.output(request, b"".join(b"%d\n" % i for i in range(100)))
        on.editor.wait_output("99")
        window = on.editor.output_window()
        assert window.cursor[0] == len(window.buffer)
        on.editor.nvim.current.window = window
        on.editor.keys("50G")
        on.editor.wait("the cursor at 50", lambda: window.cursor[0] == 50)
        on.agent.output(request, b"more\n")
        on.editor.wait_output("more")
        assert window.cursor[0] == 50
        on.editor.keys("G")
        on.agent.output(request, b"and more\n" * 50)
        on.editor.wait("the tail", lambda: window.cursor[0] == len(window.buffer) == 152)


def test_the_oldest_lines_are_dropped_and_the_cursor_keeps_its_line(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"output": {"lines": 1000}}') as on:
        request = on.start("IgorExec ls")
        on.agent.output(request, b"".join(b"\x1b[31mline %d\n" % i for i in range(1000)))
        on.editor.wait_output("line 999")
        window = on.editor.output_window()
        window.cursor = (800, 0)
        under = window.buffer[799]
        on.agent.output(request, b"".join(b"line %d\n" % i for i in range(1000, 1500)) + b"open")
        lines = on.editor.wait_output("open")
        assert lines == [*(f"line {i}" for i in range(500, 1500)), "open"]
        assert window.buffer[window.cursor[0] - 1] == under
        marks = on.editor.lua(
            "return #vim.api.nvim_buf_get_extmarks(..., vim.api.nvim_create_namespace("
            "'igor_output'), 0, -1, {})",
            window.buffer.handle,
        )
        assert marks == 1001


def test_q_closes_the_split_and_the_job_goes_on(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.agent.output(request, b"first\n")
        on.editor.wait_output("first")
        on.editor.command("wincmd j")
        on.editor.keys("q")
        on.editor.wait("no split", lambda: on.editor.output_window() is None)
        on.agent.output(request, b"second\n")
        on.editor.wait_output("second")
        on.editor.command("IgorOutput")
        window = on.editor.wait("the split again", on.editor.output_window)
        assert window.cursor[0] == len(window.buffer)
        assert on.editor.lua("return require('igor').status()") == "igor: exec …"


def test_q_in_the_last_window_leaves_the_editor_open(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.start("IgorPush")
        on.editor.wait("the split", on.editor.output_window)
        on.editor.command("wincmd j | only")
        on.editor.keys("q")
        on.editor.wait("an empty buffer", lambda: on.editor.nvim.current.buffer.name == "")


def test_progress_is_one_line_for_each_host(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorPush cluster")

        def progress(host: str, done: int) -> None:
            event: dict[str, Any] = {"label": "sending", "total": 8_000_000, "unit": "bytes"}
            on.agent.event(request, "progress", host=host, done=done, rate=2.5e6, **event)

        for done in range(0, 6_000_001, 80_000):
            progress("apollo", done)
            progress("enterprise", done // 2)
        lines = on.editor.wait_output("3.0 MB of")
        assert lines[1:] == [
            "apollo     │ sending: 6.0 MB of 8.0 MB (75 %), 2.5 MB/s",
            "enterprise │ sending: 3.0 MB of 8.0 MB (37 %), 2.5 MB/s",
        ]
        on.agent.event(request, "step", host="apollo", text="checking")
        lines = on.editor.wait_output("checking")
        assert lines[1] == "apollo     │ checking"
        assert len(lines) == 4
        progress("apollo", 8_000_000)
        on.agent.result(request, "enterprise", 1, "connection lost")
        assert on.editor.wait_output("connection lost")[2:] == [
            "enterprise │ sending: 3.0 MB of 8.0 MB (37 %), 2.5 MB/s",
            "enterprise │ failed: connection lost",
        ]


def test_the_end_says_what_became_of_each_host(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorSetup cluster")
        on.agent.result(request, "apollo", text="container started")
        on.agent.result(request, "enterprise", 1, "enterprise: no route to host", "is it on?")
        on.agent.finish(request, 1)
        on.editor.wait_message(
            "igor: setup: apollo ok (1.5 s), enterprise failed: no route to host"
        )
        lines = on.editor.wait_output("ended in")
        assert lines[1:4] == [
            "apollo     │ container started (1.5 s)",
            "enterprise │ failed: enterprise: no route to host",
            "enterprise │   is it on?",
        ]
        assert on.editor.lua("return require('igor').status()") == "igor: setup failed"


def test_a_config_mistake_is_shown_with_its_hint(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorSetup")
        on.agent.finish(request, 2, "config.json:3: unknown key", "did you mean 'port'?")
        on.editor.wait_message("igor: setup: config.json:3: unknown key")
        assert "  did you mean 'port'?" in on.editor.wait_output("did you mean")


def test_buffers_that_are_not_written_are_named(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.command("edit main.py")
        on.editor.command("call setline(1, 'changed')")
        on.editor.command("split elsewhere.py | call setline(1, 'x') | wincmd p")
        on.editor.command("file /tmp/not-of-the-project.py | edit! main.py")
        on.editor.command("call setline(1, 'changed')")
        on.start("IgorPush")
        on.editor.wait_message("igor: not written, so not sent (:wall): elsewhere.py, main.py")
        on.start("IgorClean")
        assert "not written" not in "".join(on.editor.wait_output("igor clean"))


def test_only_the_last_jobs_are_kept(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"output": {"jobs": 2}}') as on:
        for turn in range(5):
            request = on.start("IgorPush")
            on.agent.event(request, "step", host="", text=f"turn {turn}")
            on.agent.finish(request)
            on.editor.wait("end", lambda: any("done in" in x for x in on.editor.output()))
            on.editor.wait_output(f"turn {turn}")
        buffers = [b.name for b in on.editor.nvim.buffers if "igor-output://" in b.name]
        assert len(buffers) == 3
        assert on.editor.nvim.call("getcompletion", "IgorOutput ", "cmdline") == [
            "105",
            "107",
            "109",
        ]
        on.editor.command("IgorOutput 105")
        on.editor.wait("the older output", lambda: "//3/" in on.editor.output_window().buffer.name)


def test_output_that_was_wiped_out_harms_nobody(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec ls")
        on.editor.wait_output("igor exec")
        on.editor.command(f"bwipeout! {on.editor.output_buffer().handle}")
        on.agent.output(request, b"x\n" * 200_000)
        on.agent.finish(request)
        on.editor.wait_message("igor: exec: done")
        on.editor.command("IgorOutput")
        on.editor.wait_message("the output of that job was deleted")


@pytest.mark.parametrize("verb", ["push", "clean"])
def test_verbs_that_do_not_open_the_split_do_so_when_they_fail(
    nvim: Path, home: Path, verb: str
) -> None:
    with scene(nvim, home, '{"output": {"open": ["exec"]}}') as on:
        request = on.start(f"Igor{verb.title()}")
        on.editor.wait_output(f"igor {verb}")
        assert on.editor.output_window() is None
        on.agent.finish(request, 1, "no route to host")
        on.editor.wait("the split", on.editor.output_window)
