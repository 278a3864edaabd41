""":IgorRun, and how the end of a job is reported: message, autocommand, result of a cancel."""

import time
from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import Kind
from tests.support.nvim.places import ENDED, fail, finish, here
from tests.support.nvim.scene import Scene, scene

LISTEN = """
_G.told = {}
vim.api.nvim_create_autocmd('User', {
  pattern = 'IgorJobFinished',
  callback = function(args) table.insert(_G.told, args.data) end,
})
"""


def told(on: Scene) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = on.editor.lua("return _G.told")
    return found


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ("", {}),
        (
            "-g cluster --host apollo --setup --lr 0.1 'two words' a\\ b",
            {
                "group": "cluster",
                "hosts": ["apollo"],
                "setup": True,
                "args": ["--lr", "0.1", "two words", "a b"],
            },
        ),
        ("-- --no-push | x", {"args": ["--no-push", "|", "x"]}),
    ],
)
def test_the_file_in_the_window_is_run(
    nvim: Path, home: Path, words: str, args: dict[str, Any]
) -> None:
    with scene(nvim, home) as on:
        on.editor.command("edit main.py")
        on.editor.command(f"IgorRun {words}")
        request = on.agent.frame(Kind.REQUEST)
        file = str(on.project / "main.py")
        assert request[2:] == ["run", str(on.project), {"file": file, "places": True, **args}]


def test_its_output_runs_it_again_and_has_its_name(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.command("edit main.py")
        request = on.start("IgorRun --epochs 3")
        assert on.editor.wait_output("igor run")[0] == "igor run · dev · main.py --epochs 3"
        finish(on, request)
        on.editor.nvim.current.window = on.editor.output_window()
        on.editor.command("IgorRun")
        assert on.agent.frame(Kind.REQUEST)[4]["file"] == str(on.project / "main.py")


def test_what_can_not_be_run_is_said(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.command("IgorRun")
        on.editor.wait_message("igor: run: the window has no file to run")
        on.editor.command("edit main.py")
        on.editor.command("IgorRun 'open")
        on.editor.wait_message("igor: run: a quote or a backslash has nothing to end it")
        assert on.agent.received.empty()


def test_changed_buffers_are_asked_about_before_a_run(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"write_before_run": true}') as on:
        on.editor.command("edit main.py | call setline(1, 'changed')")
        on.start("IgorRun")
        assert (on.project / "main.py").read_text() == "changed\n"


def test_the_key_of_run_is_mapped(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"keymaps": {"run": "<F5>"}}') as on:
        on.editor.command("edit main.py")
        on.editor.keys("<F5>")
        assert on.agent.frame(Kind.REQUEST)[2] == "run"


def test_the_autocommand_tells_the_end_of_a_job(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua(LISTEN)
        fail(on, here(on.project / "main.py", 1, "boom"), command="IgorExec -g cluster ls")
        (data,) = on.editor.wait("the event", lambda: told(on))
        assert data.pop("seconds") < 60
        assert data == {
            "verb": "exec",
            "root": str(on.project),
            "group": "cluster",
            "status": 1,
            "error": "",
            "hosts": {
                "apollo": {"status": 1, "ok": False, "seconds": 1.5, "text": "exit status 1"}
            },
            "places": 1,
        }
        request = on.start("IgorPush")
        on.agent.finish(request, 2, "config.json:3: unknown key")
        on.editor.wait("the second", lambda: len(told(on)) == 2)
        about = {name: told(on)[1][name] for name in ("verb", "status", "error", "hosts")}
        assert about == {
            "verb": "push", "status": 2, "error": "config.json:3: unknown key", "hosts": {},
        }  # fmt: skip


def test_jobs_that_a_lost_agent_takes_along_are_told_too(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua(LISTEN)
        on.start("IgorExec sleep 100")
        on.editor.wait_output("igor exec")
        on.agent.hang_up()
        (data,) = on.editor.wait("the event", lambda: told(on))
        assert (data["status"], data["error"]) == (255, "the agent has gone away")


def test_the_quickfix_list_is_there_when_the_event_comes(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.lua("""
            vim.api.nvim_create_autocmd('User', {
              pattern = 'IgorJobFinished',
              callback = function() vim.cmd('cfirst') end,
            })
        """)
        fail(on, here(on.project / "main.py", 1, "boom"))
        on.editor.wait(
            "the file", lambda: on.editor.nvim.current.buffer.name == str(on.project / "main.py")
        )


def messages(on: Scene, text: str) -> int:
    return on.editor.messages().count(text)


def end(on: Scene, request: int) -> None:
    on.agent.finish(request)
    on.editor.wait("the end", lambda: on.editor.lua(ENDED, request))


def test_the_end_of_a_long_job_that_nobody_saw_says_more(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"notify": {"after": 0}, "output": {"open": ["exec"]}}') as on:
        end(on, on.start("IgorExec ls"))
        on.editor.wait_message("igor: exec: done")
        end(on, on.start("IgorPush"))
        on.editor.wait_message("igor: push: done, after 0.")
        assert messages(on, "see :IgorOutput") == 1


def test_what_ended_without_the_focus_is_said_again(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"notify": {"after": 0}}') as on:
        request = on.start("IgorExec ls")
        on.editor.wait_output("igor exec")
        on.editor.nvim.api.ui_set_focus(False)
        end(on, request)
        on.editor.wait_message("see :IgorOutput")
        assert messages(on, "see :IgorOutput") == 1
        on.editor.nvim.api.ui_set_focus(True)
        on.editor.wait("it again", lambda: messages(on, "see :IgorOutput") == 2)
        on.editor.nvim.api.ui_set_focus(True)
        time.sleep(0.3)
        assert messages(on, "see :IgorOutput") == 2


def test_the_end_of_a_short_job_is_one_short_line(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        end(on, on.start("IgorPush"))
        on.editor.wait_message("igor: push: done")
        assert messages(on, "see :IgorOutput") == 0


@pytest.mark.parametrize("option", ["ambiwidth=single", "ambiwidth=double"])
def test_a_message_of_wide_characters_fits_into_its_line(
    nvim: Path, home: Path, option: str
) -> None:
    with scene(nvim, home) as on:
        on.editor.command(f"set {option} | edit main.py")
        on.agent.finish(on.start("IgorPush"), 1, "\u6587\u4ef6" * 80)
        on.editor.wait_message("igor: push: \u6587\u4ef6")
        shown = next(x for x in on.editor.messages().splitlines() if x.startswith("igor: push"))
        width = on.editor.nvim.call("strdisplaywidth", shown)
        room = on.editor.nvim.vvars["echospace"]
        assert room - 2 < width <= room
        assert shown.endswith("\N{HORIZONTAL ELLIPSIS}")
        assert not on.editor.nvim.api.get_mode()["blocking"]


def test_what_ended_a_cancelled_program_is_in_the_output(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        request = on.start("IgorExec sleep 100")
        on.editor.wait_output("igor exec")
        on.editor.command("IgorCancel")
        assert on.agent.frame(Kind.CANCEL)[1] == request
        on.agent.result(request, "apollo", 130, "ended by TERM")
        on.agent.finish(request, 130, "cancelled")
        lines = on.editor.wait_output("ended in")
        assert lines[1:-1] == ["cancelled, ended by TERM"]
        assert on.editor.lua("return require('igor').status()") == "igor: exec cancelled"
