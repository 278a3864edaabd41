"""What a program on a terminal finds: by a real sh and this machine's terminal descriptions."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from igor_core.environment.interactive import on_terminal

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def term_of(shell: str, home: Path, term: str) -> str:
    words = on_terminal(["printenv", "TERM"], (80, 24), None, "project")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": term}
    done = subprocess.run([shell, *words[1:]], env=env, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("term", "seen"),
    [
        ("xterm-256color", "xterm-256color"),
        ("linux", "linux"),
        ("dumb", "dumb"),
        ("xterm-nobody-has-this", "xterm-256color"),
        ("nobody-has-this", "xterm-256color"),
        ("screen.nobody", "xterm-256color"),
        ("screen-nobody", "screen-256color"),
        ("a b'$(id)", "xterm-256color"),
        ("", "xterm-256color"),
    ],
)
def test_an_unknown_terminal_is_the_nearest_known_one(
    shell: str, tmp_path: Path, term: str, seen: str
) -> None:
    assert term_of(shell, tmp_path, term) == seen


def test_the_users_own_description_counts(tmp_path: Path) -> None:
    entry = tmp_path / ".terminfo" / "n" / "nobody-has-this"
    entry.parent.mkdir(parents=True)
    entry.touch()
    assert term_of("sh", tmp_path, "nobody-has-this") == "nobody-has-this"
