"""The text of the statusline, and answers to the question of trust."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nvim.saving import PUSHING
from tests.support.nvim.scene import Scene, scene

STATUS = "return require('igor').status()"


@pytest.fixture
def on(nvim: Path, home: Path) -> Iterator[Scene]:
    """Start an editor with one file open, and wait until it has asked the agent to watch."""
    with scene(nvim, home, PUSHING, "main.py") as on:
        on.agent.watch()
        yield on


ANSWERING = """
_G.asked = {}
vim.ui.select = function(items, opts, answer)
  table.insert(_G.asked, { opts.prompt, items })
  _G.answer = function(n) answer(n and items[n], n) end
end
"""


def asked(on: Scene) -> Any:
    return on.editor.lua("return _G.asked")
