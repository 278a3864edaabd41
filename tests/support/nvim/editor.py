"""A real Neovim as a child of the test, with a screen attached, and private directories."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pynvim

INIT = Path(__file__).parent / "init.lua"
CHECKOUT = Path(__file__).parents[3]


def variables(home: Path, setup: str = "{}") -> dict[str, str]:
    """Return what a test's editor needs in its environment in addition to the test's own.

    `setup` is the options of `setup()` as JSON, or "none" where it isn't to be called.
    """
    return {
        "NVIM_RPLUGIN_MANIFEST": str(home / "rplugin.vim"),
        "NVIM_LOG_FILE": str(home / "nvim.log"),
        "IGOR_TEST_SETUP": setup,
        "IGOR_TEST_PYTHON": sys.executable,
    }


NEWEST_OUTPUT = """
local lines = {}
for _, buf in ipairs(vim.api.nvim_list_bufs()) do
  if vim.api.nvim_buf_get_name(buf):find('igor-output://', 1, true) then
    lines = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  end
end
return lines
"""


class Editor:
    """What a test asks of the editor: keys in, state out."""

    def __init__(self, nvim: Any) -> None:
        self.nvim = nvim
        self.lua = nvim.exec_lua
        self.command = nvim.command

    def keys(self, keys: str) -> None:
        self.nvim.input(keys)

    def wait(self, what: str, holds: Callable[[], Any], seconds: float = 60) -> Any:
        """Poll until `holds()` is true; return its value. Fail naming `what` and the messages."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = holds()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {what} within {seconds} s; messages:\n{self.messages()}")

    def messages(self) -> str:
        found: str = self.nvim.call("execute", "messages")
        return found

    def leave(self) -> None:
        """Quit with `:qa!`, and wait for the end of the process."""
        with contextlib.suppress(OSError, EOFError):
            self.command("qa!")

    def mode(self) -> str:
        found: str = self.nvim.api.get_mode()["mode"]
        return found

    def output_buffer(self) -> Any:
        """Return the newest buffer of a job's output, or None before the first."""
        names = [b for b in self.nvim.buffers if "igor-output://" in b.name]
        return names[-1] if names else None

    def output(self) -> list[str]:
        found: list[str] = self.lua(NEWEST_OUTPUT)
        return found

    def output_window(self) -> Any:
        shown = [w for w in self.nvim.windows if "igor-output://" in w.buffer.name]
        return shown[0] if shown else None

    def wait_output(self, text: str, seconds: float = 60) -> list[str]:
        """Wait for a line of output that contains `text`; return all lines."""
        self.wait(f"{text!r} in the output", lambda: any(text in x for x in self.output()), seconds)
        return self.output()

    def wait_message(self, text: str, seconds: float = 60) -> None:
        self.wait(f"message {text!r}", lambda: text in self.messages(), seconds)

    def highlights(self, line: int) -> list[tuple[int, int, dict[str, Any]]]:
        """Return the marks on a line of output: first byte, byte after the last, highlight."""
        buffer = self.output_buffer()
        namespace = self.nvim.api.create_namespace("igor_output")
        found = self.nvim.api.buf_get_extmarks(
            buffer.handle, namespace, [line, 0], [line, -1], {"details": True}
        )
        look = self.nvim.api.get_hl
        return [
            (column, detail["end_col"], look(0, {"name": detail["hl_group"], "link": False}))
            for _id, _line, column, detail in found
        ]


@contextmanager
def running(
    binary: Path, home: Path, place: Path, setup: str = "{}", *arguments: str
) -> Iterator[Editor]:
    """Start an editor in the folder `place`, 100 columns wide and 40 lines high."""
    given = [f"{name}={value}" for name, value in variables(home, setup).items()]
    start = ["env", "-C", str(place), *given, str(binary), "-u", str(INIT), "--embed", *arguments]
    nvim = pynvim.attach("child", argv=start)
    try:
        nvim.ui_attach(100, 40, rgb=True)
        yield Editor(nvim)
    finally:
        nvim.close()
