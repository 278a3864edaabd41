"""The screen and the keys of a user: Neovim in tmux, its screen captured."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from igor_core.agent.protocol import Kind
from tests.support.fake_agent import FakeAgent
from tests.support.nvim.scene import make_project
from tests.support.nvim.screen import TmuxScreen

SENTENCE = "the quick brown fox jumps over the lazy dog"


@pytest.fixture
def agent(home: Path) -> Iterator[FakeAgent]:
    agent = FakeAgent(home / "run")
    yield agent
    agent.close()


@pytest.fixture
def screen(tmux: list[str], nvim: Path, home: Path) -> TmuxScreen:
    screen = TmuxScreen(tmux, nvim, home, make_project(home), '{"keymaps": true}')
    screen.wait("print('hello')")
    return screen


def test_typing_goes_on_while_output_comes(screen: TmuxScreen, agent: FakeAgent) -> None:
    screen.type(" ids")
    request = agent.request()
    screen.wait("igor setup")

    def build() -> None:
        for step in range(60):
            agent.output(request, b"\x1b[32mStep %d/60\x1b[0m : RUN something\n" % step)
            time.sleep(0.02)
        agent.result(request, "apollo", text="container started")
        agent.finish(request)

    threading.Thread(target=build, daemon=True).start()
    screen.type("o" + SENTENCE, pause=0.02)
    screen.wait("Step 59/60")
    screen.wait("container started (1.5 s)")
    assert "\x1b[32mStep 59/60" in screen.coloured()
    screen.type(" and on")
    screen.wait(SENTENCE + " and on")
    screen.press("Escape")
    screen.wait("igor: setup: apollo container started (1.5 s)")


def test_a_finished_job_never_asks_to_press_enter(screen: TmuxScreen, agent: FakeAgent) -> None:
    screen.type(":IgorSetup cluster")
    screen.press("Enter")
    request = agent.request()
    long = "no route to host " * 20
    agent.result(request, "apollo", 1, f"apollo: {long}", "look at the cable\nand at the switch")
    agent.result(request, "enterprise", 1, f"enterprise: {long}")
    agent.finish(request, 1)
    screen.wait("igor: setup: apollo failed: no route")
    assert "Press ENTER" not in screen.text()
    screen.type("otyped")
    screen.wait("typed")


def test_the_secret_of_a_login_does_not_show(screen: TmuxScreen, agent: FakeAgent) -> None:
    screen.type(" ip")
    request = agent.request()
    text = "Password for dino@apollo: "
    agent.event(request, "prompt", prompt=1, host="apollo", text=text, echo=False)
    screen.wait(text.strip())
    screen.type("s3cret")
    assert "s3cret" not in screen.wait("******")
    screen.press("Enter")
    assert agent.frame(Kind.ANSWER)[3] == "s3cret"


def test_q_closes_the_split_and_the_command_brings_it_back(
    screen: TmuxScreen, agent: FakeAgent
) -> None:
    screen.type(" ip")
    request = agent.request()
    agent.event(request, "step", host="apollo", text="comparing 12 files")
    screen.wait("comparing 12 files")
    screen.press("C-w", "j")
    screen.type("q")
    deadline = time.monotonic() + 5
    while "comparing" in screen.text():
        assert time.monotonic() < deadline
    screen.type(":IgorOutput")
    screen.press("Enter")
    screen.wait("comparing 12 files")
