"""A real Neovim as a child of the test, with a screen attached, and all its folders private."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pynvim

INIT = Path(__file__).parent / "init.lua"
CHECKOUT = Path(__file__).parents[2]


def cache() -> Path:
    """The folder that tests/lab/install.sh fills."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("IGOR_CACHE") or Path(base) / "igor-tests")


def nvim_binary(version: str) -> Path:
    return cache() / f"nvim-{version}" / "bin" / "nvim"


def environment(home: Path, setup: str = "{}") -> dict[str, str]:
    """The variables of an editor at home in `home`; `setup` is the options as JSON, or "none"."""
    runtime = home / "run"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("NVIM")},
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "NVIM_RPLUGIN_MANIFEST": str(home / "rplugin.vim"),
        "NVIM_LOG_FILE": str(home / "nvim.log"),
        "IGOR_TEST_SETUP": setup,
    }


class Editor:
    """What a test asks of the editor: keys in, state out."""

    def __init__(self, nvim: Any) -> None:
        self.nvim = nvim
        self.lua = nvim.exec_lua
        self.command = nvim.command

    def keys(self, keys: str) -> None:
        self.nvim.input(keys)

    def wait(self, what: str, holds: Callable[[], Any], seconds: float = 10) -> Any:
        """Poll until `holds()` is true; its value. Fails naming `what` and the messages."""
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

    def mode(self) -> str:
        found: str = self.nvim.api.get_mode()["mode"]
        return found

    def output_buffer(self) -> Any:
        """The newest buffer of a job's output, None before the first."""
        names = [b for b in self.nvim.buffers if "igor://" in b.name]
        return names[-1] if names else None

    def output(self) -> list[str]:
        buffer = self.output_buffer()
        return list(buffer[:]) if buffer is not None else []

    def output_window(self) -> Any:
        shown = [w for w in self.nvim.windows if "igor://" in w.buffer.name]
        return shown[0] if shown else None

    def wait_output(self, text: str, seconds: float = 10) -> list[str]:
        """Wait for a line of output that contains `text`; all lines."""
        self.wait(f"{text!r} in the output", lambda: any(text in x for x in self.output()), seconds)
        return self.output()

    def wait_message(self, text: str, seconds: float = 10) -> None:
        self.wait(f"message {text!r}", lambda: text in self.messages(), seconds)

    def highlights(self, line: int) -> list[tuple[int, int, dict[str, Any]]]:
        """The marks on a line of output: first byte, byte after the last, how they look."""
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
    version: str, home: Path, place: Path, setup: str = "{}", *arguments: str
) -> Iterator[Editor]:
    """An editor started in the folder `place`, 100 columns wide and 40 lines high."""
    environ = environment(home, setup)
    argv = [str(nvim_binary(version)), "-u", str(INIT), "--embed", *arguments]
    command = ["env", "-C", str(place), "-i", *(f"{k}={v}" for k, v in environ.items()), *argv]
    nvim = pynvim.attach("child", argv=command)
    try:
        nvim.ui_attach(100, 40, rgb=True)
        yield Editor(nvim)
    finally:
        nvim.close()
