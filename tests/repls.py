"""For the tests of REPLs: igor on a terminal of the test's."""

import fcntl
import struct
import termios
from pathlib import Path
from typing import Any

from tests.cli_process import Terminal, environment


class Repl(Terminal):
    """`igor docker repl …` in a project, on a terminal of 100 columns and 30 rows."""

    def __init__(self, root: Path, *words: str, **more: str) -> None:
        env = environment(COLORTERM="truecolor", LC_ALL="C.UTF-8", **more)
        super().__init__("docker", "repl", *words, cwd=root, env=env)
        self.resize(100, 30)

    def resize(self, columns: int, rows: int) -> None:
        """As a window does: the kernel tells the terminal's foreground by SIGWINCH."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def say(self, line: str, expected: str) -> bytes:
        """Type a line; what comes until `expected`, which must not be in the line itself."""
        assert expected not in line
        self.screen = b""
        self.type(line + "\r")
        self.wait_for(expected)
        return self.screen

    def read(self) -> bool:
        """Read what there is; False at the end."""
        return self._read()

    @property
    def modes(self) -> list[Any]:
        """The terminal's settings (termios)."""
        return termios.tcgetattr(self._descriptor)
