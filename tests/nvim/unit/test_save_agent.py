"""Push on write when the agent is absent, exits, is killed, or has another version."""

import contextlib
import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from igor_core.agent.client import connect
from igor_core.errors import AgentError
from tests.support.fake_agent import FakeAgent
from tests.support.nvim.editor import running
from tests.support.nvim.saving import PUSHING, headless
from tests.support.nvim.scene import make_project, processes_with, scene

STARTER = "from igor_core.agent.client import connect"


@pytest.fixture
def no_python(monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """Replace the Python that starts an agent by a program that records how it was started."""
    program = home / "python"
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$PWD" "$PYTHONPATH" "$*" >>{home}/started\n'
        f"sleep ${{STARTER_SECONDS:-0}}; exit ${{STARTER_STATUS:-0}}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("IGOR_TEST_AGENT_PYTHON", str(program))
    return program


def unsent(home: Path) -> list[str]:
    """Return the lines of the file, each as "root path"."""
    path = home / "state" / "igor" / "unsent"
    if not path.exists():
        return []
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    assert text.endswith("\n")
    return [line.replace("\0", " ") for line in text.splitlines()]


def starts(home: Path) -> int:
    path = home / "started"
    return path.read_text().count("from igor_core") if path.exists() else 0


def write_and_quit(nvim: Path, home: Path, project: Path, name: str) -> None:
    command = headless(nvim, home, name, "+call setline(1, 'x')", "+wq")
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=20)


def test_without_an_agent_each_save_is_in_the_file_and_an_agent_is_started(
    nvim: Path, home: Path, no_python: Path
) -> None:
    project = make_project(home)
    for turn in range(20):
        write_and_quit(nvim, home, project, f"{turn}.py")
        assert unsent(home)[turn:] == [f"{project} {turn}.py"]
    deadline = time.monotonic() + 5
    while starts(home) < 20:
        assert time.monotonic() < deadline, starts(home)
        time.sleep(0.02)
    place, path, words = (home / "started").read_text().splitlines()[:3]
    assert place == str(Path(__file__).parents[3])
    assert path == os.environ.get("PYTHONPATH", "")
    assert words.startswith(f"-E -c {STARTER}")
    folder = home / "state" / "igor"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "unsent").stat().st_mode) == 0o600


def test_an_agent_is_started_in_the_background_by_the_first_file(nvim: Path, home: Path) -> None:
    project = make_project(home)
    with running(nvim, home, project, "{}", "main.py") as editor:
        editor.wait(
            "the connection", lambda: editor.lua("return require('igor.client').is_up()"), 20
        )
        agent = connect("test", answers=False, start=False)
        assert agent.call("agent-status")["data"]["clients"] >= 1
        assert editor.nvim.call("remote#host#IsRunning", "igor") == 0
        agent.call("agent-stop")
        agent.close()


def test_an_agent_that_was_stopped_is_not_started_before_there_is_work(
    nvim: Path, home: Path
) -> None:
    project = make_project(home)
    with running(nvim, home, project, PUSHING, "main.py") as editor:
        editor.lua("vim.ui.select = function() end")  # the question of trust
        is_up = "return require('igor.client').is_up()"
        editor.wait("the connection", lambda: editor.lua(is_up), 20)
        with contextlib.closing(connect("test", answers=False, start=False)) as agent:
            agent.call("agent-stop")
        editor.wait("the end", lambda: not editor.lua(is_up))
        time.sleep(3)
        with pytest.raises(AgentError):
            connect("test", answers=False, start=False)
        editor.command("doautocmd FocusGained")
        editor.wait("the connection", lambda: editor.lua(is_up), 20)


def test_saves_wait_in_the_file_until_an_agent_listens(
    nvim: Path, home: Path, no_python: Path
) -> None:
    project = make_project(home)
    with running(nvim, home, project, PUSHING) as editor:
        editor.command("edit main.py")
        editor.command("write | write other.py")
        editor.wait("the file", lambda: len(unsent(home)) == 2)
        agent = FakeAgent(home / "run")
        assert agent.watch(10)[3] == str(project)
        editor.command("write")
        assert agent.save() == (str(project), ["main.py"])
        assert sorted(unsent(home)) == [f"{project} main.py", f"{project} other.py"]
        agent.close()


def test_an_agent_that_listens_a_moment_later_gets_the_save_itself(
    nvim: Path, home: Path, no_python: Path
) -> None:
    """A starting agent reads the file once it listens; later saves must be sent to it."""
    project = make_project(home)
    with running(nvim, home, project, PUSHING, "main.py") as editor:
        editor.lua("""
            local unsent = require('igor.client.offline')
            local append = unsent.append
            unsent.append = function(saves)
              unsent.append = append
              vim.uv.sleep(300)
              return append(saves)
            end
        """)
        editor.nvim.command("write", async_=True)
        time.sleep(0.1)
        agent = FakeAgent(home / "run")
        assert agent.save(3) == (str(project), ["main.py"])
        agent.close()


def test_what_the_agent_has_not_spoken_of_is_kept_when_it_dies(
    nvim: Path, home: Path, no_python: Path
) -> None:
    with scene(nvim, home, PUSHING, "main.py") as on:
        on.agent.watch()
        on.editor.command("write")
        on.agent.save()
        on.agent.fresh(on.project)
        on.editor.wait(
            "the event", lambda: on.editor.lua("return next(require('igor').freshness())")
        )
        time.sleep(0.2)
        on.editor.command("write late.py")
        on.agent.save()
        on.agent.hang_up()
        on.editor.wait("the file", lambda: unsent(home))
        assert unsent(home) == [f"{on.project} late.py"]
        on.editor.wait("a start", lambda: starts(home) == 1)
        assert on.agent.watch()[3] == str(on.project)
        assert on.agent.save() == (str(on.project), [])


def test_an_agent_that_dies_of_each_save_is_not_started_in_a_loop(
    nvim: Path, home: Path, no_python: Path
) -> None:
    with scene(nvim, home, PUSHING, "main.py") as on:
        on.agent.watch()
        before = time.monotonic()
        for _ in range(5):
            on.editor.command("write")
            on.agent.save()
            on.agent.hang_up()
            on.agent.watch()
        seconds = time.monotonic() - before
        assert 1 <= starts(home) < 2 + seconds / 2
        assert "igor:" not in on.editor.messages()


def test_an_agent_that_dies_right_after_its_start_is_started_again_later(
    nvim: Path, home: Path, no_python: Path
) -> None:
    project = make_project(home)
    with running(nvim, home, project, PUSHING, "main.py") as editor:
        editor.wait("a start", lambda: starts(home) == 1)
        agent = FakeAgent(home / "run")
        agent.watch()
        editor.command("write")
        agent.save()
        (home / "run" / "igor" / "agent.sock").unlink()
        agent.close()
        editor.wait("the file", lambda: unsent(home))
        editor.wait("another start", lambda: starts(home) >= 2, 20)


def test_a_start_that_fails_is_told_once(nvim: Path, home: Path, no_python: Path) -> None:
    project = make_project(home)
    no_python.write_text("#!/bin/sh\necho no module >&2; exit 1\n")
    with running(nvim, home, project, PUSHING) as editor:
        editor.command("edit main.py")
        editor.command("write")
        editor.wait_message("igor: the agent does not start: see ")
        said = (home / "state" / "igor" / "agent.log").read_text().splitlines()
        assert set(said) == {"no module"}
        time.sleep(1.2)
        editor.command("write")
        time.sleep(0.5)
        assert editor.messages().count("does not start") == 1


def test_a_busy_agent_of_another_version_is_told_once_and_the_saves_wait(
    nvim: Path, home: Path, no_python: Path
) -> None:
    with scene(nvim, home, PUSHING) as on:
        on.agent.refuse = ("9.9", True)
        on.editor.command("edit main.py")
        on.editor.command("write")
        on.editor.wait_message("igor: an agent of igor 9.9 (pid")
        on.editor.wait("the file", lambda: f"{on.project} main.py" in unsent(home))
        on.editor.command("write other.py")
        on.editor.wait("the file", lambda: f"{on.project} other.py" in unsent(home))
        assert on.editor.messages().count("igor 9.9") == 1


def test_an_idle_agent_of_another_version_is_replaced(
    nvim: Path, home: Path, no_python: Path
) -> None:
    with scene(nvim, home, PUSHING) as on:
        on.agent.refuse = ("9.9", False)
        on.editor.command("edit main.py")
        on.editor.command("write")
        on.editor.wait("a start", lambda: starts(home) == 1)
        on.agent.refuse = None
        on.agent.watch()
        assert "igor:" not in on.editor.messages()


def test_a_socket_in_a_folder_that_others_may_enter_is_not_used(nvim: Path, home: Path) -> None:
    with scene(nvim, home, PUSHING) as on:
        (home / "run" / "igor").chmod(0o755)
        on.editor.command("edit main.py | write")
        on.editor.wait_message("is not private to you")
        on.editor.wait("the file", lambda: unsent(home) == [f"{on.project} main.py"])
        assert on.agent.watchers == []


def test_an_agent_that_does_not_read_holds_nobody(nvim: Path, home: Path) -> None:
    project = make_project(home)
    agent = FakeAgent(home / "run")
    agent.stop_reading()
    before = time.perf_counter()
    for turn in range(3):
        write_and_quit(nvim, home, project, f"{turn}.py")
    assert time.perf_counter() - before < 3
    agent.close()


def test_the_file_is_renamed_away_while_it_is_written_to(nvim: Path, home: Path) -> None:
    """A save that lands in a file which an agent has already read is written again."""
    project = make_project(home)
    state = home / "state" / "igor"
    with running(nvim, home, project, "{}") as editor:
        editor.lua("""
            local write, uv = vim.uv.fs_write, vim.uv
            vim.uv.fs_write = function(...)
              vim.uv.fs_write = write
              local state = vim.env.XDG_STATE_HOME .. '/igor/'
              uv.fs_rename(state .. 'unsent', state .. 'taken')
              return write(...)
            end
            assert(require('igor.client.offline').append({ ['/p'] = { ['a.py'] = true } }))
        """)
    assert (state / "taken").read_bytes() == b"/p\0a.py\n"
    assert (state / "unsent").read_bytes() == b"/p\0a.py\n"


def test_several_editors_at_once_start_one_agent(nvim: Path, home: Path) -> None:
    project = make_project(home)
    commands = [
        headless(nvim, home, f"{turn}.py", "+call setline(1, 'x')", "+wq") for turn in range(8)
    ]
    editors = [subprocess.Popen(c, cwd=project, stderr=subprocess.DEVNULL) for c in commands]
    assert [editor.wait(20) for editor in editors] == [0] * 8
    deadline = time.monotonic() + 20
    while True:
        with (
            contextlib.suppress(AgentError),
            contextlib.closing(connect("test", answers=False, start=False)) as agent,
        ):
            pid = agent.call("agent-status")["data"]["pid"]
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    agents = [p for p in processes_with("igor_core.agent --ready-fd") if is_ours(p, home)]
    assert agents == [pid]


def is_ours(pid: int, home: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.fsencode(f"XDG_STATE_HOME={home}") in Path(f"/proc/{pid}/environ").read_bytes()
    return False
