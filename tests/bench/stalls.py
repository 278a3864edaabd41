"""The editor's longest stall while 100,000 lines arrive, in a REPL and in the output of a job.

A timer of 1 ms inside Neovim records the gaps between its turns: whatever is longer, a person can't
type through. Of a gap the time in which the editor was ready and waited for a CPU does not count
(schedstat, in Linux' Documentation/scheduler): here it shares them with hosts, containers and more.
Neovim has a terminal that takes all it draws. Beside igor's: no lines at all, and the same lines in
a plain `:terminal` of a program on this machine.
"""

import argparse
import itertools
import json
import statistics
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Any

import pynvim

from tests.bench.room import Room
from tests.lab import Lab, LabError
from tests.lab.cache import neovim
from tests.support.cli_process import Terminal
from tests.support.nvim.editor import INIT, variables

LINES = 100_000
GOAL_MS = 20
SECONDS = 120
# 70 columns, and a last line that is not in the command itself.
FLOOD = f"seq -f '%6g of the lines that arrive in the editor, as long as lines are' {LINES}"
FINISH = "; echo all''there"
WATCH = """
_G.schedule = _G.schedule or vim.uv.fs_open('/proc/self/schedstat', 'r', 0)
local function waited()
  return tonumber(vim.uv.fs_read(_G.schedule, 100, 0):match('^%d+ (%d+)'))
end
local last, last_waited = vim.uv.hrtime(), waited()
_G.longest, _G.over = 0, 0
_G.watch = _G.watch or vim.uv.new_timer()
_G.watch:start(1, 1, function()
  local now, all = vim.uv.hrtime(), waited()
  local gap = (now - last - (all - last_waited)) / 1e6
  last, last_waited, _G.longest = now, all, math.max(_G.longest, gap)
  _G.over = _G.over + (gap > 20 and 1 or 0)
end)
"""
TAKE = "_G.watch:stop(); return { _G.longest, _G.over }"
HAS = """
for _, buf in ipairs(vim.api.nvim_list_bufs()) do
  local count = vim.api.nvim_buf_line_count(buf)
  local tail = vim.api.nvim_buf_get_lines(buf, math.max(0, count - 100), count, false)
  if table.concat(tail, '\\n'):find(..., 1, true) then
    return true
  end
end
"""


_numbers = itertools.count()


class Screen(Terminal):
    """A Neovim on a terminal of 150 columns and 50 rows that takes all it draws at once."""

    def __init__(self, nvim: Path, place: Path, environment: Mapping[str, str]) -> None:
        socket = place.parent / f"{next(_numbers)}.sock"
        own = variables(place.parent, "{}")
        command = [str(nvim), "-u", str(INIT), "--listen", str(socket)]
        env = {**environment, **own, "TERM": "xterm-256color"}
        super().__init__(command=command, cwd=place, env=env)
        ioctl(self._descriptor, TIOCSWINSZ, struct.pack("HHHH", 50, 150, 0, 0))
        threading.Thread(target=self._take, daemon=True).start()
        wait(socket.exists, "Neovim")
        self.nvim = pynvim.attach("socket", path=str(socket))

    def _take(self) -> None:
        with suppress(AssertionError):
            while self._read():
                self.screen = b""

    def has(self, text: str) -> bool:
        return bool(self.nvim.exec_lua(HAS, text))

    def leave(self) -> None:
        with suppress(OSError, EOFError):
            self.nvim.command("qa!")


def wait(holds: Callable[[], Any], what: str) -> None:
    """Asks seldom: what is asked for takes the editor's time."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise LabError(f"no {what} within {SECONDS} s")
        time.sleep(0.1)


def nothing(screen: Screen) -> None:
    time.sleep(2)


def plain_terminal(screen: Screen) -> None:
    screen.nvim.command("belowright split | terminal sh")
    screen.nvim.input(f"i{FLOOD}{FINISH}<CR>")
    wait(lambda: screen.has("\nallthere"), "end of the lines")


def repl(screen: Screen) -> None:
    screen.nvim.command("IgorRepl bash --norc")
    wait(lambda: screen.has("$ "), "prompt")
    screen.nvim.exec_lua(WATCH)
    screen.nvim.input(f"{FLOOD}{FINISH}<CR>")
    wait(lambda: screen.has("\nallthere"), "end of the lines")


def output(screen: Screen) -> None:
    screen.nvim.command(f"IgorExec {FLOOD}{FINISH}")
    wait(lambda: screen.has("\nallthere"), "end of the lines")


WAYS: dict[str, Callable[[Screen], None]] = {
    "nothing arrives": nothing,
    "`:terminal`, a local program": plain_terminal,
    "`:IgorRepl`": repl,
    "`:IgorExec`": output,
}


def main() -> int:
    arguments = _arguments()
    print(f"| Neovim | {LINES:,} lines in | longest stall, ms | over {GOAL_MS} ms | seconds |")
    print("| --- | --- | --- | --- | --- |")
    try:
        with _place() as (place, environment):
            for version in ("0.10", "0.12"):
                for way, does in WAYS.items():
                    samples = [
                        _measure(neovim(version), place, environment, does)
                        for _ in range(arguments.repeat)
                    ]
                    print(f"| {version} | {way} | {_row(samples)} |", flush=True)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(
    nvim: Path, place: Path, environment: Mapping[str, str], does: Callable[[Screen], None]
) -> tuple[float, int, float]:
    screen = Screen(nvim, place, environment)
    try:
        time.sleep(1)
        screen.nvim.exec_lua(WATCH)
        start = time.monotonic()
        does(screen)
        seconds = time.monotonic() - start
        longest, over = screen.nvim.exec_lua(TAKE)
        return longest, over, seconds
    finally:
        screen.leave()


def _row(samples: list[tuple[float, int, float]]) -> str:
    longest, over, seconds = zip(*samples, strict=True)
    spread = f"{statistics.median(longest):.1f} ({min(longest):.1f}…{max(longest):.1f})"
    return f"{spread} | {max(over)} | {statistics.median(seconds):.1f}"


@contextmanager
def _place() -> Iterator[tuple[Path, Mapping[str, str]]]:
    """A project with a running container, and a warm agent."""
    with tempfile.TemporaryDirectory(prefix="igor-bench-") as folder, Lab(1) as lab:
        room = Room("stalls", Path(folder, "room"), lab.ssh_config)
        root = room.folder / "project"
        try:
            (root / ".igor").mkdir(parents=True)
            (root / ".igor/config.json").write_text(json.dumps(lab.project_config()))
            (root / "dockerfile").write_text("FROM igor-base:latest\n")
            room.run([sys.executable, "-m", "igor_core.cli", "-C", str(root), "docker", "setup"])
            yield root, room.environment
        finally:
            room.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stalls", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="how often each is measured")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
