"""The process probe as one file, and the words that start it on a host."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from igor_core.debug.source import module_text
from igor_core.remote import process_probe

#: The file in /run/igor; that folder goes to the front of PYTHONPATH.
REGISTRATION = "sitecustomize.py"

# Each module after those that it imports.
_MODULES = (
    "process_probe/processes",
    "process_probe/access",
    "process_probe/py_spy",
    "process_probe/dumps",
    "debug_helper/folder",
    "debug_helper/env_marks",
    "debug_helper/debuggee",
    "process_probe/means",
    "process_probe/main",
)
_FOLDER = Path(str(process_probe.__file__)).parents[1]

# A container may be older than the folder, or than its content.
_REGISTERED = """\
if [ -f "$1/sitecustomize.py" ]; then
    PYTHONPATH=$1${PYTHONPATH:+:$PYTHONPATH}
    export PYTHONPATH
fi
shift
exec "$@"
"""


@cache
def probe_source() -> bytes:
    """Return the standard input for `probe_words`."""
    return ("\n\n\n".join(_text(name) for name in _MODULES) + "\n").encode()


@cache
def adapter_words() -> list[str]:
    """Return what follows `python`: debugpy's adapter on standard input and output."""
    return ["-I", "-c", _text("process_probe/adapter")]


def _text(name: str) -> str:
    return module_text(_FOLDER / f"{name}.py")


def probe_words(
    *,
    tree: str | None,
    pids: Sequence[int] | None = None,
    stacks: bool = False,
    means: bool = False,
) -> list[str]:
    """Return what follows `python`: probe the container's Python processes, or those that run in
    the host's folder `tree`.

    Python is isolated (-I), so that no remote module is imported instead of its own.
    """
    wanted = {"tree": tree, "pids": pids, "stacks": stacks, "means": means}
    start = "import sys;exec(sys.stdin.buffer.read())"
    return ["-I", "-c", start, json.dumps(wanted)]


@cache
def registration_source() -> bytes:
    """Return the content of REGISTRATION, which makes a program answer for its stacks."""
    return (_FOLDER / "process_probe" / REGISTRATION).read_bytes()


def registered(argv: Sequence[str], folder: str) -> list[str]:
    """Return `argv` such that it and its Python children can be asked for their stacks.

    `folder` is where the program sees REGISTRATION; if the file is missing, nothing changes.
    """
    return ["sh", "-c", _REGISTERED, "igor", folder, *argv]
