"""tmux's command line, tried with a real tmux."""

import subprocess
from pathlib import Path

import pytest

from igor_core import tmux
from tests.lab.required import require_peer
from tests.support.cli_process import Terminal, environment

NAMES = [
    ("dino-p-dev", ("bash",), "dino-p-dev/bash"),
    ("dino-p-dev", (), "dino-p-dev/default"),
    ("a.b-dev", ("/usr/bin/python3",), "a+b-dev/python3-"),
    ("a-dev", ("python", "-i", "x.py"), "a-dev/python--i-x-py-"),
]


@pytest.mark.parametrize(("container", "words", "begins"), NAMES)
def test_a_session_is_named_after_container_and_command(
    container: str, words: tuple[str, ...], begins: str
) -> None:
    assert tmux.session_name(container, words).startswith(begins)


def test_other_words_are_another_session() -> None:
    commands = [("a b",), ("a", "b"), ("a-b",), ("bash",), ("/bin/bash",), ("default",), ()]
    assert len({tmux.session_name("c", words) for words in commands}) == len(commands)


def test_words_reach_the_program_as_they_are(home: Path) -> None:
    require_peer("tmux")
    words = ["a b", "x;", ";", "#{pid}", "$HOME", "", "-d", "\\;"]
    script = 'printf "<%s>" "$@" >said; read line'
    command = tmux.attach_or_start("t/x", ["sh", "-c", script, "igor", *words], str(home))
    terminal = Terminal(command=command, env=environment(TMUX_TMPDIR=str(home)))
    terminal.type("\r")
    assert terminal.end() == 0
    assert (home / "said").read_text() == "".join(f"<{word}>" for word in words)
    gone = subprocess.run(
        tmux.has_session("t/x"), env=environment(TMUX_TMPDIR=str(home)), capture_output=True,
        check=False,
    )  # fmt: skip
    assert gone.returncode == 1
