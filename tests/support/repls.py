"""For tests of REPLs: igor on a terminal that the test controls."""

import fcntl
import os
import select
import struct
import termios
from pathlib import Path
from typing import Any

from tests.support.cli_process import Terminal, environment


class Repl(Terminal):
    """`igor docker repl …` in a project, on a terminal of 100 columns and 30 rows.

    `modes_before` and `modes_after` are the terminal's settings (termios).
    """

    def __init__(self, root: Path, *words: str, **more: str) -> None:
        env = environment(**{"COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **more})
        super().__init__("docker", "repl", *words, cwd=root, env=env)
        self.resize(100, 30)
        self.modes_before = self.modes
        self.modes_after: list[Any] = []

    @property
    def modes(self) -> list[Any]:
        return termios.tcgetattr(self._descriptor)

    def set_modes(self, modes: list[Any]) -> None:
        """Set the terminal's modes, as a shell does after its job was stopped."""
        termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)

    def resize(self, columns: int, rows: int) -> None:
        """Resize the terminal like a window: the kernel sends SIGWINCH to the foreground."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def say(self, line: str, expected: str) -> None:
        """Type a line and wait for what it prints, which must not be in the line itself."""
        assert expected not in line
        self.screen = b""
        self.type(line + "\r")
        self.wait_for(expected)

    def see(self, expected: str) -> None:
        """Wait for text that is written from now on."""
        self.screen = b""
        self.wait_for(expected)

    def read_for(self, seconds: float) -> None:
        """Read for that time, and return what arrived."""
        if select.select([self._descriptor], [], [], seconds)[0]:
            self._read()

    def end(self) -> int:
        while self._read():
            pass
        self.modes_after = self.modes
        return super().end()

    def close_window(self) -> None:
        """Hang up the terminal, as a terminal emulator does when its window is closed."""
        os.close(self._descriptor)
        os.waitpid(self.pid, 0)
