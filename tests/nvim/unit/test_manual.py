"""The manual agrees with the code on Neovim's commands, options and highlights."""

import re
from pathlib import Path

from tests.support.nvim.editor import CHECKOUT, running

MANUAL = CHECKOUT / "doc" / "igor.txt"


def manual() -> str:
    """Return the manual with each run of white space replaced by one blank."""
    return re.sub(r"\s+", " ", MANUAL.read_text(encoding="utf-8"))


def test_commands_options_and_highlights_have_their_tags(nvim: Path, home: Path) -> None:
    with running(nvim, home, home) as editor:
        verbs = editor.lua("return require('igor.command.generated').verbs")
        options = [option["name"] for option in editor.lua("return require('igor.options').list")]
        groups = editor.lua("return vim.tbl_keys(require('igor.ui.highlights').links)")
    wanted = [
        f"*:{name}*" for name in (verb["command"] for verb in verbs.values() if "command" in verb)
    ]
    wanted += [f"*igor-option-{name}*" for name in options]
    wanted += [f"*hl-{name}*" for name in groups]
    assert [tag for tag in wanted if tag not in manual()] == []


def test_the_manual_describes_each_option_in_its_own_words(nvim: Path, home: Path) -> None:
    with running(nvim, home, home) as editor:
        options = editor.lua("return require('igor.options').list")
    assert [o["name"] for o in options if o["desc"] not in manual()] == []
