"""Places as the agent reports them at the end of a job."""

from pathlib import Path
from typing import Any

from igor_core.output.entry import QuickfixEntry
from tests.support.nvim.scene import Scene

ENDED = """
local job = require('igor.job.list').get(...)
return job and job.status ~= nil
"""
DECODER = "/usr/lib/python3.11/json/decoder.py"


def here(path: Path, line: int, text: str = "", **more: Any) -> dict[str, Any]:
    """Return a place in a file of the project."""
    given = {"column": 0, "kind": "E", "hosts": ("apollo",), **more}
    return QuickfixEntry(str(path), "", line, text=text, **given).to_wire()


def there(path: str, line: int, text: str = "", **more: Any) -> dict[str, Any]:
    """Return a place in a file that only the host has."""
    given = {"column": 0, "kind": "N", "hosts": ("apollo",), "library": True, **more}
    return QuickfixEntry("", path, line, text=text, **given).to_wire()


def finish(on: Scene, request: int, *places: dict[str, Any], status: int = 1, **more: Any) -> None:
    """End a job whose program failed, and wait until the editor shows it."""
    on.agent.result(request, "apollo", status, f"exit status {status}" if status else "")
    on.agent.finish(request, status, places=list(places), **{"dropped": 0, **more})
    on.editor.wait("the end", lambda: on.editor.lua(ENDED, request))


def fail(on: Scene, *places: dict[str, Any], command: str = "IgorExec pytest -q") -> None:
    """Run a command whose output names these places."""
    finish(on, on.start(command), *places)


def rows(on: Scene) -> list[dict[str, Any]]:
    """Return the quickfix list's entries, each with the name of its file."""
    found: list[dict[str, Any]] = on.editor.lua("""
        return vim.tbl_map(function(item)
          item.name = item.bufnr > 0 and vim.api.nvim_buf_get_name(item.bufnr) or ''
          return item
        end, vim.fn.getqflist())
    """)
    return found


def at(on: Scene) -> tuple[str, int]:
    """Return the file in the current window, and the cursor's line."""
    return on.editor.nvim.current.buffer.name, on.editor.nvim.current.window.cursor[0]
