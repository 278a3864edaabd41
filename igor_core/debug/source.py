"""The debug helper as one file, and the words that start it beside the program."""

import re
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from igor_core.remote import debug_helper

# Each after those that it imports.
_MODULES = (
    "frames",
    "fd_passing",
    "dap",
    "dialogue",
    "folder",
    "env_marks",
    "debuggee",
    "output_tail",
    "plumbing",
    "parked",
    "debugger_connections",
    "keeper",
    "controller",
    "resume",
    "relay",
    "main",
)
_NOT_THERE = re.compile(
    r"^(?:from igor_core\..* import (?:\([^)]*\)|.*)|# mypy.*|# ruff.*)\n", re.MULTILINE
)
# What stands in `ps` is this line, not the whole source; that comes first on standard input.
# The name at its beginning is for whoever lists processes there.
_BOOTSTRAP = (
    "'/debug_helper.py';import os,zlib;t=lambda n,d=b'':d if len(d)==n else "
    "t(n,d+(os.read(0,n-len(d))or os._exit(70)));exec(zlib.decompress(t(int(t(8)))))"
)


@cache
def helper_source() -> str:
    """The helper as the text of one Python file: its modules, joined."""
    folder = Path(str(debug_helper.__file__)).parent
    parts = [f'"""{debug_helper.__doc__}"""\n']
    for name in _MODULES:
        parts.append(module_text(folder / f"{name}.py"))
    return "\n\n".join(parts)


def module_text(path: Path) -> str:
    """A module without what only this side reads: imports of igor's own, words for checkers."""
    return _NOT_THERE.sub("", path.read_text(encoding="utf-8"))


@cache
def helper_bytes() -> bytes:
    """What goes to the standard input of `helper_words`, before anything else."""
    packed = zlib.compress(helper_source().encode("utf-8"), 9)
    return b"%08d%s" % (len(packed), packed)


def helper_words(arguments: Sequence[str]) -> list[str]:
    """The arguments of a Python that runs the helper: isolated, nothing there stands in its way."""
    return ["-I", "-c", _BOOTSTRAP, *arguments]
