"""Unexpected errors: one line for the user, the traceback into a file."""

import os
import platform
import time
import traceback

from igor_core import __version__, directories
from igor_core.cli.text import printable


def record(error: Exception, arguments: list[str]) -> tuple[str, str]:
    """Append the traceback to igor's own file; return the message and hint to show."""
    kind = type(error).__name__
    message = f"this is a bug in igor: {kind}: {printable(str(error))}"
    head = (
        f"{time.strftime('%Y-%m-%d %H:%M:%S')} igor {__version__}, "
        f"Python {platform.python_version()}, arguments {arguments!r}\n"
    )
    try:
        path = directories.state_directory() / "bugs.log"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with open(
            os.open(path, flags, 0o600), "a", encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(head + "".join(traceback.format_exception(error)) + "\n")
    except OSError as failure:
        return message, f"the traceback could not be written: {failure}"
    return message, f"the traceback is at the end of {path}; please report it"
