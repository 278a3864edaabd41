"""Editors that save and exit."""

import time
from pathlib import Path

from tests.support.nvim.editor import INIT, Editor, running, variables

PUSHING = '{"push_on_write": true}'


TURNS = 20


LEAVING_KEYS = {
    ":wq": ":wq<CR>",
    ":x": "ix<Esc>:x<CR>",
    "ZZ": "ix<Esc>ZZ",
    ":wqa": "ix<Esc>:wqa<CR>",
}


def type_and_leave(nvim: Path, home: Path, project: Path, name: str, keys: str) -> None:
    """Type keys in a new editor, which exits because of them."""
    with running(nvim, home, project, PUSHING, name) as editor:
        editor.keys(keys)
        wait_for_the_end(editor)


def wait_for_the_end(editor: Editor) -> None:
    deadline = time.monotonic() + 10
    try:
        while time.monotonic() < deadline:
            editor.nvim.eval("1")
            time.sleep(0.005)
    except (OSError, EOFError):
        return
    raise AssertionError(f"the editor does not end: {editor.messages()}")


def headless(nvim: Path, home: Path, *arguments: str, setup: str = PUSHING) -> list[str | Path]:
    given = [f"{name}={value}" for name, value in variables(home, setup).items()]
    return ["env", *given, nvim, "-u", INIT, "--headless", *arguments]
