"""Long output through the user's pager, as git has it."""

import os
import re
import shlex
import subprocess
from typing import Any

from igor_core.cli.outlet import STDERR, STDOUT, Outlet
from igor_core.cli.session import Renderer

# What git gives them too: colours, the end at once where all fits on the screen, no clearing.
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

    While it is there, stdout and what went to the terminal by stderr go to it.
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
        """A question needs the screen: wait until the person has left the pager."""
        self._renderer.hide()
        if self._process is not None:
            self._outlet.drain()
            self.close()

    def say(self, text: str) -> None:
        self._renderer.say(text)

    def tick(self) -> float | None:
        return None

    def close(self) -> None:
        """Give the screen back, when the person leaves the pager."""
        for descriptor, before in self._before.items():
            os.dup2(before, descriptor)
            os.close(before)
        self._before.clear()
        while self._process is not None:
            try:
                self._process.wait()
                self._process = None
            except KeyboardInterrupt:  # ctrl-c is the pager's while it is there
                continue

    def _start(self) -> None:
        reader, writer = os.pipe()
        environment = {**DEFAULTS, **os.environ}
        try:
            self._process = subprocess.Popen(self._command, stdin=reader, env=environment)
        except OSError:  # no such pager: the terminal will do
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
