"""Vimspector and nvim-dap as a user drives them in a real Neovim, by the same methods."""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.nvim.editor import Editor

SECONDS = 60


class Frame(NamedTuple):
    """A position in the code window."""

    file: str
    line: int
    text: str


_HERE = """
local win = ...
local buf = vim.api.nvim_win_get_buf(win)
local line = vim.api.nvim_win_get_cursor(win)[1]
local name = vim.uv.fs_realpath(vim.api.nvim_buf_get_name(buf)) or vim.api.nvim_buf_get_name(buf)
return { name, line, vim.trim(vim.api.nvim_buf_get_lines(buf, line - 1, line, false)[1]) }
"""

# Functions that may ask a question: waiting for their return would block.
_LATER = "local name, args = ...; vim.schedule(function() vim.fn[name](unpack(args)) end)"


class FrontEnd:
    """A front end as its user drives and sees it; Neovim is started with `arguments`."""

    name = ""
    arguments: tuple[str, ...] = ()

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    def breakpoint(self, file: Path, line: int) -> None:
        raise NotImplementedError

    def frame(self) -> Frame | None:
        """Wait for a stop; return its position in the code window."""
        raise NotImplementedError

    def value(self, name: str) -> str:
        """Return the value of a variable at the stop."""
        raise NotImplementedError

    def step_in(self) -> None:
        raise NotImplementedError

    def go_on(self) -> None:
        raise NotImplementedError

    def restart(self) -> None:
        """Restart with the front end's own command."""
        raise NotImplementedError

    def end(self) -> None:
        """End the session as a user does."""
        raise NotImplementedError

    def stopped_sessions(self) -> int:
        """Return how many programs are stopped."""
        raise NotImplementedError

    def is_closed(self) -> bool:
        """Return whether no windows, connections or other sessions are left."""
        raise NotImplementedError

    def stop(self, file: Path, line: int) -> Frame:
        """Wait until the code window shows the position."""
        wanted = (os.path.realpath(file), line)
        self.editor.wait(
            f"stop at {wanted}", lambda: (f := self.frame()) and f[:2] == wanted, SECONDS
        )
        found = self.frame()
        assert found
        return found


class Vimspector(FrontEnd):
    name = "vimspector"
    arguments = (
        "--cmd", "let g:vimspector_base_dir = expand('$HOME/vimspector')",
        "--cmd", "let g:jumps = 0 | autocmd User VimspectorJumpedToFrame let g:jumps += 1",
    )  # fmt: skip

    def call(self, name: str, *args: Any) -> None:
        self.editor.lua(_LATER, f"vimspector#{name}", list(args))

    def breakpoint(self, file: Path, line: int) -> None:
        self.editor.nvim.call("vimspector#SetLineBreakpoint", str(file), line)

    def frame(self) -> Frame | None:
        windows = self.editor.nvim.vars.get("vimspector_session_windows", {})
        if not self.editor.nvim.vars["jumps"] or "code" not in windows:
            return None
        if not self.editor.nvim.call("win_id2win", windows["code"]):
            return None
        return Frame(*self.editor.lua(_HERE, windows["code"]))

    def value(self, name: str) -> str:
        def found() -> str:
            window = self.editor.nvim.vars["vimspector_session_windows"]["variables"]
            buffer = self.editor.nvim.call("winbufnr", window)
            lines = self.editor.nvim.api.buf_get_lines(buffer, 0, -1, False)
            rows = [re.match(rf"[\s*+-]*{name} *(?:\([^)]*\))?: (.*)", line) for line in lines]
            return next((row[1] for row in rows if row), "")

        value: str = self.editor.wait(f"value of {name}", found, SECONDS)
        return value

    def step_in(self) -> None:
        self.editor.nvim.vars["jumps"] = 0
        self.call("StepInto")

    def go_on(self) -> None:
        self.editor.nvim.vars["jumps"] = 0
        self.call("Continue")

    def restart(self) -> None:
        self.editor.nvim.vars["jumps"] = 0
        self.call("Restart")

    def end(self) -> None:
        self.editor.lua("vim.schedule(function() vim.cmd.VimspectorReset() end)")

    def stopped_sessions(self) -> int:
        found: int = self.editor.nvim.call(
            "py3eval",
            "len([s for s in _vimspector_session_man.sessions.values() if s._stackTraceView"
            " and s._stackTraceView.GetCurrentFrame()])",
        )
        return found

    def is_closed(self) -> bool:
        # Vimspector forgets its sessions of children only if they end before their parent.
        left = (
            "[s for s in _vimspector_session_man.sessions.values() if s._connection or s.HasUI()"
            " or s.session_id and not s.parent_session]"
        )
        tabs: int = self.editor.nvim.call("tabpagenr", "$")
        return tabs == 1 and not self.editor.nvim.call("py3eval", f"len({left})")


class Dap(FrontEnd):
    name = "nvim-dap"

    def breakpoint(self, file: Path, line: int) -> None:
        self.editor.lua(
            "local file, line = ...; vim.cmd.edit(file);"
            "vim.api.nvim_win_set_cursor(0, { line, 0 }); require('dap').set_breakpoint()",
            str(file), line,
        )  # fmt: skip

    def frame(self) -> Frame | None:
        found = self.editor.lua(
            "local s = require('dap').session(); local f = s and s.stopped_thread_id and"
            " s.current_frame; return f and f.line"
        )
        here = Frame(*self.editor.lua(_HERE, self.editor.nvim.current.window.handle))
        return here if found == here.line else None

    def value(self, name: str) -> str:
        self.editor.lua(
            "local name = ...; vim.g.value = nil; require('dap').session():evaluate({expression ="
            " name, context = 'repl'}, function(err, r) vim.g.value = r and r.result end)",
            name,
        )
        value: str = self.editor.wait(
            f"value of {name}", lambda: self.editor.nvim.vars.get("value"), SECONDS
        )
        return value

    def step_in(self) -> None:
        self.editor.lua("require('dap').step_into()")

    def go_on(self) -> None:
        self.editor.lua("require('dap').continue()")

    def restart(self) -> None:
        self.editor.lua("require('dap').restart()")

    def end(self) -> None:
        self.editor.lua("require('dap').terminate()")

    def stopped_sessions(self) -> int:
        found: int = self.editor.lua(
            "return #vim.tbl_filter(function(s) return s.stopped_thread_id end,"
            " vim.tbl_values(require('dap').sessions()))"
        )
        return found

    def is_closed(self) -> bool:
        return not self.editor.lua("return next(require('dap').sessions()) ~= nil")
