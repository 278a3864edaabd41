"""The REPLs of an editor: text and state of their terminals, and programs in a container."""

import json
import time
from pathlib import Path
from typing import Any

from tests.lab import Host
from tests.support.nvim.editor import Editor

FIND = """
for _, buf in ipairs(vim.api.nvim_list_bufs()) do
  local known = vim.b[buf].igor_repl
  if known and vim.api.nvim_buf_get_name(buf):find(..., 1, true) then
    local lines = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
    return { text = table.concat(lines, '\\n'), state = known.state, buf = buf }
  end
end
return { text = '', state = 'none', buf = 0 }
"""
# The window's lines as displayed.
VISIBLE = """
local buf = ...
local win = vim.fn.win_findbuf(buf)[1]
local first, last = vim.fn.line('w0', win), vim.fn.line('w$', win)
return table.concat(vim.api.nvim_buf_get_lines(buf, first - 1, last, false), '\\n')
"""
LEAVE_TERMINAL = "<C-\\><C-n>"


class Repl:
    """The REPL of an editor whose buffer's name contains `name`."""

    def __init__(self, editor: Editor, name: str) -> None:
        self.editor = editor
        self.name = name

    def _found(self) -> dict[str, Any]:
        found: dict[str, Any] = self.editor.lua(FIND, self.name)
        return found

    @property
    def text(self) -> str:
        text: str = self._found()["text"]
        return text

    @property
    def state(self) -> str:
        state: str = self._found()["state"]
        return state

    @property
    def buffer(self) -> int:
        buffer: int = self._found()["buf"]
        return buffer

    def visible(self) -> str:
        text: str = self.editor.lua(VISIBLE, self.buffer)
        return text

    def see(self, text: str, seconds: float = 60) -> None:
        try:
            self.editor.wait(f"{text!r} in {self.name}", lambda: text in self.text, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text[-3000:]}") from None

    def reach(self, state: str, seconds: float = 60) -> None:
        self.editor.wait(f"state {state}", lambda: self.state == state, seconds)


def repl(editor: Editor, command: str, prompt: str) -> Repl:
    """Open a REPL by keys, from Normal mode; wait for its prompt, in Terminal mode."""
    editor.keys(f":IgorRepl{command}<CR>")
    found = Repl(editor, "/" + (command.strip("! ") or "ipython"))
    found.see(prompt, 60)
    editor.wait("terminal mode", lambda: editor.mode() == "t")
    return found


def inside(host: Host, container: str) -> list[str]:
    """Return the programs in a container, except the one that keeps it running."""
    done = host.docker("top", container, "-o", "pid,args")
    rows = [line.split(None, 1)[1] for line in done.stdout.splitlines()[1:]]
    return [row for row in rows if "2147483647" not in row]


def is_empty(host: Host, container: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while rows := inside(host, container):
        if time.monotonic() > deadline:
            raise AssertionError(f"still there after {seconds} s: {rows}")
        time.sleep(0.1)
    return True


def make_project(root: Path, hosts: list[Host], **more: Any) -> Path:
    """Create a project whose containers have IPython."""
    entries = [{"host": host.name, "dir": f"{host.home}/repl"} for host in hosts]
    config = {
        "user": "dino", "dockerfile": "dockerfile", "repl_cmd": "ipython",
        "host_groups": {"dev": {"hosts": entries}}, **more,
    }  # fmt: skip
    (root / ".igor").mkdir(parents=True)
    (root / ".igor/config.json").write_text(json.dumps(config))
    (root / "dockerfile").write_text(
        "FROM igor-base:latest\nENV VIRTUAL_ENV=/venv/tools PATH=/venv/tools/bin:$PATH\n"
    )
    return root
