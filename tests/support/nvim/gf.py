"""gf in output, and what it opens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nvim.places import at
from tests.support.nvim.scene import Scene, scene


@pytest.fixture
def on(nvim: Path, home: Path) -> Iterator[Scene]:
    with scene(nvim, home) as made:
        (made.project / "main.py").write_text("".join(f"line {i}\n" for i in range(1, 40)))
        (made.project / "helper.py").write_text("import os\n" * 20)
        made.editor.command("edit main.py")
        yield made


def show(on: Scene, line: str, command: str = "IgorExec pytest") -> int:
    """Add a line to the output, with the cursor on its first letter; return the job's request."""
    request = on.start(command)
    on.agent.output(request, line.encode() + b"\n")
    lines = on.editor.wait_output(line)
    on.editor.nvim.current.window = on.editor.wait("the split", on.editor.output_window)
    number = next(i for i, shown in enumerate(lines) if line in shown)
    on.editor.nvim.current.window.cursor = (number + 1, 0)
    return request


def press(on: Scene, keys: str, data: Any = None, error: str = "") -> dict[str, Any]:
    """Press keys that ask the agent, and answer; return the arguments of the request."""
    on.editor.keys(keys)
    query = on.agent.query("locate")
    on.agent.answer(query, data, error)
    return query.args


def place(path: Path | str, line: int = 0, column: int = 0) -> dict[str, Any]:
    return {"name": str(path), "line": line, "column": column}


def wait_at(on: Scene, path: Path | str, line: int) -> None:
    on.editor.wait(f"{path}:{line}", lambda: at(on) == (str(path), line))
