"""Neovim in a tmux window: type keys, and read the screen as its user sees it."""

import os
import shlex
import subprocess
import time
from pathlib import Path

from tests.support.nvim.editor import INIT, variables


class TmuxScreen:
    """A window of 110 columns and 40 lines in which Neovim runs."""

    def __init__(self, tmux: list[str], nvim: Path, home: Path, place: Path, setup: str = "{}"):
        self._tmux = tmux
        environ = [f"{name}={value}" for name, value in variables(home, setup).items()]
        command = shlex.join(["env", *environ, str(nvim), "-u", str(INIT), "main.py"])
        size = ["-x", "110", "-y", "40"]
        self._run("new-session", "-d", *size, "-c", str(place), f"TERM=tmux-256color {command}")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments], env=os.environ, check=True, capture_output=True, text=True
        )
        return done.stdout

    def type(self, text: str, pause: float = 0) -> None:
        """Type `text` character by character, with a pause after each."""
        for character in text:
            # tmux would take a lone semicolon as the end of its own command.
            self._run("send-keys", "-l", "\\;" if character == ";" else character)
            time.sleep(pause)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: Enter, Escape, C-c."""
        self._run("send-keys", *keys)

    def text(self) -> str:
        return self._run("capture-pane", "-p")

    def coloured(self) -> str:
        """Return the screen with its colours as escape sequences."""
        return self._run("capture-pane", "-p", "-e")

    def wait(self, text: str, seconds: float = 60) -> str:
        """Wait until the screen shows `text`, and return the screen."""
        deadline = time.monotonic() + seconds
        while text not in (screen := self.text()):
            assert time.monotonic() < deadline, f"{text!r} is not on the screen:\n{screen}"
            time.sleep(0.05)
        return screen
