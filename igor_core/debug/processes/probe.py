"""The program that looks at Python processes, as one file, and the words that start it there."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from igor_core.debug.source import module_text
from igor_core.remote import process_probe

#: In /run/igor, and the folder to be put in front of PYTHONPATH is that one.
REGISTRATION = "sitecustomize.py"

# Each after those that it imports.
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

# A container may be older than the folder, or than what is in it.
_REGISTERED = """\
if [ -f "$1/sitecustomize.py" ]; then
    PYTHONPATH=$1${PYTHONPATH:+:$PYTHONPATH}
    export PYTHONPATH
fi
shift
exec "$@"
"""


@cache
def looking_source() -> bytes:
    """What goes to the standard input of `looking_words`."""
    return ("\n\n\n".join(_text(name) for name in _MODULES) + "\n").encode()


@cache
def adapter_words() -> list[str]:
    """What follows `python`: debugpy's adapter, which speaks on standard input and output."""
    return ["-I", "-c", _text("process_probe/adapter")]


def _text(name: str) -> str:
    return module_text(_FOLDER / f"{name}.py")


def looking_words(
    *,
    tree: str | None,
    pids: Sequence[int] | None = None,
    stacks: bool = False,
    means: bool = False,
) -> list[str]:
    """What follows `python`: look at this container's Python processes, or at those in a host's
    folder `tree`.

    Isolated: nothing there stands in its way.
    """
    wanted = {"tree": tree, "pids": pids, "stacks": stacks, "means": means}
    start = "import sys;exec(sys.stdin.buffer.read())"
    return ["-I", "-c", start, json.dumps(wanted)]


@cache
def registration_source() -> bytes:
    """The content of the file REGISTRATION: lets a program be asked for its stacks."""
    return (_FOLDER / "process_probe" / REGISTRATION).read_bytes()


def registered(argv: Sequence[str], folder: str) -> list[str]:
    """`argv` such that it and its Python children can be asked for their stacks.

    `folder` is where the program will see REGISTRATION; where it is not, all is as without.
    """
    return ["sh", "-c", _REGISTERED, "igor", folder, *argv]
