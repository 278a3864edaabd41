"""The command line as a process, with pipes or on a terminal of its own."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: The installed script: `python -m` would import from the test's working directory.
COMMAND = [str(Path(sys.executable).with_name("igor"))]
SECONDS = 60.0


def environment(**more: str) -> dict[str, str]:
    """Return the test's environment without the variables that control colour, and with igor
    importable.
    """
    colour = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE")
    base = {key: value for key, value in os.environ.items() if key not in colour}
    return {**base, "PYTHONPATH": str(ROOT), "TERM": "xterm", **more}


def igor(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    """Run igor to its end without a terminal; stdin is empty unless `input` is given."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("env", environment())
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        timeout=SECONDS,
        start_new_session=True,  # no /dev/tty, even if the test runner has one
        check=False,
        **options,
    )


def start(*arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Start igor with pipes, in a session of its own."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    options = {"env": environment(), "start_new_session": True, **pipes, **options}
    return subprocess.Popen([*COMMAND, *arguments], **options)


class Terminal:
    """Igor, or another program, on a terminal of its own; `screen` is all that it has written."""

    def __init__(
        self,
        *arguments: str,
        command: list[str] = COMMAND,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = b""
        self.status: int | None = None
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(cwd or os.getcwd())
            os.execvpe(command[0], [*command, *arguments], {**(env or environment())})

    def type(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    def wait_for(self, text: str) -> None:
        """Wait until `text` is on the screen; AssertionError if it does not appear in time."""
        deadline = time.monotonic() + SECONDS
        while text.encode() not in self.screen:
            assert time.monotonic() < deadline, f"no {text!r} in {self.screen!r}"
            assert self._read() or text.encode() in self.screen, f"no {text!r} in {self.screen!r}"

    def pass_over(self, text: bytes) -> None:
        """Read until `text` and drop what precedes it, which may be long."""
        last = b""
        while text not in last:
            last = last[-len(text) :] + os.read(self._descriptor, 1 << 16)

    def end(self) -> int:
        """Wait for the end and return the exit status, negative for a signal."""
        while self._read():
            pass
        _pid, status = os.waitpid(self.pid, 0)
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(status)

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def _read(self) -> bool:
        """Read the available bytes; return False at the end."""
        ready, _, _ = select.select([self._descriptor], [], [], SECONDS)
        assert ready, f"nothing happens after {self.screen!r}"
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:  # EIO on Linux: the last process has closed the terminal
            return False
        self.screen += data
        return bool(data)
