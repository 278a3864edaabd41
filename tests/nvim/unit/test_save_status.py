"""The hosts' freshness in the editor: statusline, notices, and the question of trust."""

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import Kind
from tests.support.fake_agent import FakeAgent, host
from tests.support.nvim.saving import PUSHING, headless
from tests.support.nvim.scene import Scene, make_project
from tests.support.nvim.screen import TmuxScreen
from tests.support.nvim.status import ANSWERING, STATUS, asked, on

__all__ = ["on"]


def shows(on: Scene, text: str) -> None:
    on.editor.wait(f"status {text!r}", lambda: on.editor.lua(STATUS) == text)


@pytest.mark.parametrize(
    ("hosts", "text"),
    [
        ([host("a")], "igor: fresh"),
        ([host("a"), host("b")], "igor: fresh"),
        ([host("a", "syncing", 3)], "igor: syncing 3"),
        ([host("a", "syncing", 3), host("b", "syncing", 3)], "igor: syncing 3"),
        ([host("a", "stale", 1)], "igor: stale"),
        ([host("a", "offline", 2)], "igor: offline (a)"),
        ([host("a", "offline"), host("b", "offline")], "igor: offline (a, b)"),
        ([host("a"), host("b", "offline")], "igor: offline (b)"),
        ([host("a", "needs login")], "igor: needs login (a)"),
        ([host("a", "not connected"), host("b", "not connected")], "igor: not connected"),
        ([host("a", held_back=["x", "y"])], "igor: 2 held back"),
        ([host("a", held_back=["x"]), host("b", held_back=["x", "y"])], "igor: 2 held back"),
        (
            [host("a", "syncing", 1), host("b", "offline", held_back=["x"])],
            "igor: syncing 1 (a), offline (b), 1 held back",
        ),
    ],
)
def test_the_statusline_says_what_the_hosts_have(
    on: Scene, hosts: list[dict[str, Any]], text: str
) -> None:
    on.agent.fresh(on.project, *hosts)
    shows(on, text)


def test_how_long_a_host_is_stale_is_told_in_one_unit(on: Scene) -> None:
    for seconds, text in ((5, "0s"), (45, "40s"), (330, "5m"), (7300, "2h"), (200000, "2d")):
        on.agent.fresh(on.project, host("a", "stale", 1, since=time.time() - seconds))
        shows(on, f"igor: stale {text}")


def test_a_running_job_keeps_its_place_and_a_failed_one_is_added(on: Scene) -> None:
    on.agent.fresh(on.project)
    shows(on, "igor: fresh")
    request = on.start("IgorSetup")
    shows(on, "igor: setup …")
    on.agent.finish(request, 1, "it failed")
    shows(on, "igor: fresh · setup failed")
    request = on.start("IgorPush")
    on.agent.finish(request)
    shows(on, "igor: fresh")


def test_each_buffer_shows_its_own_project(on: Scene, home: Path) -> None:
    other = home / "other"
    make_project(other)
    on.agent.fresh(on.project)
    on.editor.command(f"edit {other}/project/main.py")
    assert on.agent.watch()[3] == f"{other}/project"
    on.agent.fresh(other / "project", host("a", "offline"))
    shows(on, "igor: offline (a)")
    on.editor.command(f"edit {on.project}/main.py")
    shows(on, "igor: fresh")
    on.editor.command(f"edit {home}/outside.py")
    shows(on, "")
    assert sorted(on.editor.lua("return vim.tbl_keys(require('igor').freshness())")) == [
        f"{other}/project",
        str(on.project),
    ]


def test_freshness_is_what_the_agent_says(on: Scene) -> None:
    apollo = host("apollo", "syncing", 2, since=12.5, held_back=["a.py"])
    on.agent.fresh(on.project, apollo)
    shows(on, "igor: syncing 2, 1 held back")
    found = on.editor.lua("return require('igor').freshness()")[str(on.project)]
    assert found["connected"] is True
    assert found["trusted"] is True
    assert found["push_on_write"] is True
    assert found["group"] == "dev"
    assert found["hosts"] == [apollo]


def test_the_end_of_the_agent_shows(on: Scene) -> None:
    on.agent.fresh(on.project)
    shows(on, "igor: fresh")
    on.agent.close()
    shows(on, "igor: no agent")


def test_the_statusline_is_drawn_again_when_it_changes(nvim: Path, home: Path, tmux: Any) -> None:
    project = make_project(home)
    agent = FakeAgent(home / "run")
    screen = TmuxScreen(tmux, nvim, home, project, PUSHING)
    screen.wait("print('hello')")
    screen.type(":set laststatus=2 statusline=<%{v:lua.require'igor'.status()}>")
    screen.press("Enter")
    agent.watch()
    agent.fresh(project, host("a", "syncing", 7))
    screen.wait("<igor: syncing 7>")
    agent.fresh(project)
    screen.wait("<igor: fresh>")
    agent.close()


def test_bad_news_come_once_and_good_news_only_after_them(on: Scene) -> None:
    on.agent.fresh(on.project, host("apollo"), host("enterprise"))
    shows(on, "igor: fresh")
    for pending in range(5):
        on.agent.fresh(on.project, host("apollo"), host("enterprise", "offline", pending))
        time.sleep(0.05)
    on.editor.wait_message("igor: enterprise: offline; saves wait")
    for _ in range(3):
        on.agent.fresh(on.project, host("apollo"), host("enterprise"))
        on.agent.fresh(on.project, host("apollo"), host("enterprise", "not connected"))
        on.agent.fresh(on.project, host("apollo"), host("enterprise"))
    on.editor.wait_message("igor: enterprise: back")
    shows(on, "igor: fresh")
    assert on.editor.messages().count("enterprise: offline") == 1
    assert on.editor.messages().count("back") == 1
    on.agent.fresh(on.project, host("apollo", "needs login"), host("enterprise", "offline"))
    on.editor.wait_message("igor: apollo: needs a login, :IgorPush asks")
    assert on.editor.messages().count("enterprise: offline") == 2


def test_a_file_that_is_held_back_is_named_once(on: Scene) -> None:
    for _ in range(3):
        on.agent.fresh(on.project, host("apollo", held_back=["src/a.py"]))
    on.editor.wait_message("igor: src/a.py was changed on apollo and is held back: :IgorDiff")
    on.agent.fresh(on.project, host("apollo", held_back=["src/a.py", "b", "c"]))
    on.editor.wait_message("igor: 2 files are held back: :IgorPush says why")
    assert on.editor.messages().count("src/a.py") == 1
    on.agent.fresh(on.project)
    shows(on, "igor: fresh")
    on.agent.fresh(on.project, host("apollo", held_back=["src/a.py"]))
    on.editor.wait("the notice", lambda: on.editor.messages().count("src/a.py") == 2)


def test_a_project_that_is_not_pushed_gives_no_notice(on: Scene) -> None:
    on.agent.fresh(on.project, host("a", "offline"), push_on_write=False)
    shows(on, "igor: offline (a)")
    time.sleep(0.3)
    assert "offline" not in on.editor.messages()


def test_a_config_that_is_wrong_is_told_once(on: Scene) -> None:
    for _ in range(3):
        on.agent.fresh(
            on.project, trusted=False, push_on_write=False, hosts=[], error="user: must be text"
        )
    on.editor.wait_message("igor: user: must be text")
    assert on.editor.messages().count("must be text") == 1
    assert on.editor.lua(STATUS) == ""


def test_a_watch_that_fails_is_told_and_begun_again_with_the_config(on: Scene) -> None:
    watcher = on.agent.watchers[0]
    outcome = {"status": 2, "error": "user: must be text", "hint": "", "results": [], "data": None}
    watcher.send(Kind.FINISHED, watcher.watches[str(on.project)], outcome)
    on.editor.wait_message("igor: user: must be text")
    on.editor.command("edit .igor/config.json | write")
    assert on.agent.watch()[3] == str(on.project)


def untrusted(on: Scene) -> None:
    on.agent.fresh(on.project, host("apollo"), host("enterprise"), trusted=False)


def test_trust_is_asked_for_once_and_given(on: Scene) -> None:
    on.editor.lua(ANSWERING)
    untrusted(on)
    untrusted(on)
    shows(on, "igor: not trusted")
    prompt, items = on.editor.wait("the question", lambda: asked(on))[0]
    name = "~/project"
    assert prompt == f"Let {name}'s config push each save to apollo, enterprise?"
    assert items == ["yes, push each save", "no"]
    assert on.agent.trusted.empty()
    on.editor.lua("_G.answer(1)")
    assert on.agent.trusted.get(timeout=5)[2:] == ["trust", str(on.project), {}]
    assert on.agent.save() == (str(on.project), [])
    untrusted(on)
    time.sleep(0.8)
    assert len(asked(on)) == 1


@pytest.mark.parametrize("answer", ["2", "nil"])
def test_no_holds_for_the_session_and_this_config(on: Scene, answer: str) -> None:
    on.editor.lua(ANSWERING)
    untrusted(on)
    on.editor.wait("the question", lambda: asked(on))
    on.editor.lua(f"_G.answer({answer})")
    untrusted(on)
    time.sleep(0.8)
    assert len(asked(on)) == 1
    assert on.agent.trusted.empty()
    config = on.project / ".igor" / "config.json"
    config.write_text(config.read_text() + "\n")
    untrusted(on)
    on.editor.wait("another question", lambda: len(asked(on)) == 2)


def test_a_config_that_changes_under_the_question_is_not_trusted(on: Scene) -> None:
    on.editor.lua(ANSWERING)
    untrusted(on)
    on.editor.wait("the question", lambda: asked(on))
    config = on.project / ".igor" / "config.json"
    config.write_text(config.read_text().replace("apollo", "evil"))
    on.editor.lua("_G.answer(1)")
    on.editor.wait_message("igor: the config has changed meanwhile")
    assert on.agent.trusted.empty()


def test_the_question_takes_no_key_that_is_being_typed(on: Scene) -> None:
    on.editor.lua(ANSWERING)
    on.editor.keys("o")
    on.editor.wait("insert mode", lambda: on.editor.mode() == "i")
    untrusted(on)
    on.editor.keys("typed")
    time.sleep(0.8)
    assert not asked(on)
    on.editor.keys("<Esc>")
    on.editor.wait("the question", lambda: asked(on))
    assert on.editor.nvim.current.line == "typed"


def test_a_project_that_does_not_push_is_not_asked_about(on: Scene) -> None:
    on.editor.lua(ANSWERING)
    on.agent.fresh(on.project, trusted=False, push_on_write=False)
    time.sleep(0.8)
    assert not asked(on)
    assert on.editor.lua(STATUS) == ""


def test_without_a_screen_nobody_is_asked(nvim: Path, home: Path) -> None:
    project = make_project(home)
    agent = FakeAgent(home / "run")
    wait = "+lua vim.defer_fn(function() vim.cmd('qa!') end, 2000)"
    select = "+lua vim.ui.select = function() io.stderr:write('asked') end"
    command = headless(nvim, home, "main.py", select, wait)
    editor = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE)
    agent.watch()
    agent.fresh(project, trusted=False)
    assert b"asked" not in editor.communicate(timeout=20)[1]
    agent.close()
