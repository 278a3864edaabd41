"""The programs of remote/process_probe, and the words that start them."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from igor_core.remote import process_probe
from igor_core.remote.packer import Bundle

#: The file in /run/igor; that folder goes to the front of PYTHONPATH.
REGISTRATION = "sitecustomize.py"

PROBE = Bundle("igor_core.remote.process_probe.main")
ADAPTER = Bundle("igor_core.remote.process_probe.adapter")

# A container may be older than the folder, or than its content.
_REGISTERED = """\
if [ -f "$1/sitecustomize.py" ]; then
    PYTHONPATH=$1${PYTHONPATH:+:$PYTHONPATH}
    export PYTHONPATH
fi
shift
exec "$@"
"""


def probe_words(
    *,
    tree: str | None,
    pids: Sequence[int] | None = None,
    stacks: bool = False,
    means: bool = False,
) -> list[str]:
    """Return what follows `python`: probe the container's Python processes, or those that run in
    the host's folder `tree`.

    The probe reads `PROBE.payload` from standard input first.
    """
    wanted = {"tree": tree, "pids": pids, "stacks": stacks, "means": means}
    return PROBE.argv([json.dumps(wanted)])


@cache
def registration_source() -> bytes:
    """Return the content of REGISTRATION, which makes a program answer for its stacks."""
    return Path(str(process_probe.__file__)).with_name(REGISTRATION).read_bytes()


def registered(argv: Sequence[str], folder: str) -> list[str]:
    """Return `argv` such that it and its Python children can be asked for their stacks.

    `folder` is where the program sees REGISTRATION; if the file is missing, nothing changes.
    """
    return ["sh", "-c", _REGISTERED, "igor", folder, *argv]
