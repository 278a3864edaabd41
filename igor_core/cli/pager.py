"""Show long output in the user's pager, as git does."""

import os
import re
import shlex
import subprocess
from typing import Any

from igor_core.cli.outlet import STDERR, STDOUT, Outlet
from igor_core.cli.session import Renderer

# As git sets it: colours, quit at once if all fits on the screen, don't clear the screen.
DEFAULTS = {"LESS": "FRX", "LV": "-c"}
FOR_A_SHELL = re.compile(r"[|&;<>()$`\\\"'*?\[#~=%\n]")


def pager_command() -> list[str] | None:
    """Return $PAGER, `less` if it is not set, None for no pager."""
    line = os.environ.get("PAGER", "less").strip()
    if line in ("", "cat"):
        return None
    return ["sh", "-c", line] if FOR_A_SHELL.search(line) else shlex.split(line)


class Pager:
    """A renderer that starts the pager with the first output and takes it as the screen.

    While the pager runs, it gets stdout, and stderr if that is the terminal.
    """

    def __init__(self, renderer: Renderer, outlet: Outlet, command: list[str]) -> None:
        self.used = False
        self._renderer = renderer
        self._outlet = outlet
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, int] = {}

    def event(self, event: dict[str, Any]) -> None:
        if event["type"] == "output" and self._process is None:
            self._renderer.hide()
            self._outlet.drain()
            self._start()
        self._renderer.event(event)

    def finished(self, verb: str, outcome: dict[str, Any]) -> None:
        self._renderer.finished(verb, outcome)

    def hide(self) -> None:
        """Wait until the user has quit the pager, since a question needs the screen."""
        self._renderer.hide()
        if self._process is not None:
            self._outlet.drain()
            self.close()

    def say(self, text: str) -> None:
        self._renderer.say(text)

    def tick(self) -> float | None:
        return None

    def close(self) -> None:
        """Give the screen back, when the user quits the pager."""
        for descriptor, before in self._before.items():
            os.dup2(before, descriptor)
            os.close(before)
        self._before.clear()
        while self._process is not None:
            try:
                self._process.wait()
                self._process = None
            except KeyboardInterrupt:  # the pager handles ctrl-c while it runs
                continue

    def _start(self) -> None:
        reader, writer = os.pipe()
        environment = {**DEFAULTS, **os.environ}
        try:
            self._process = subprocess.Popen(self._command, stdin=reader, env=environment)
        except OSError:  # no such pager: write to the terminal
            os.close(writer)
        else:
            self.used = True
            for descriptor in (STDOUT, STDERR):
                if os.isatty(descriptor):
                    self._before[descriptor] = os.dup(descriptor)
                    os.dup2(writer, descriptor)
            os.close(writer)
        finally:
            os.close(reader)
