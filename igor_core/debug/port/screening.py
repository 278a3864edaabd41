"""Drop from a remote adapter's messages what would make a debugger run something locally.

A debugger opens the paths of stack frames as its editor opens any name (`term://…` runs a command
in Neovim), and starts what `runInTerminal` or `startDebugging` ask for. igor only attaches to
remote programs, so an adapter that asks for more is not debugpy.
"""

import json
import re
from typing import Any

from igor_core.output import is_address
from igor_core.remote.debug_helper.dap import Messages, packed

# JSON can write any string with escapes, so each backslash is suspect.
_SUSPECT = re.compile(rb"\\|\xc2[\x80-\x9f]|[A-Za-z][\w+.-]*:|runInTerminal|startDebugging")


class Screening:
    """The adapter's messages, as bytes in and bytes out."""

    def __init__(self) -> None:
        self._messages = Messages()

    def feed(self, data: bytes) -> bytes:
        """Return the messages that are complete by now. Raises ValueError for a malformed one."""
        return b"".join(map(_screened, self._messages.feed(data)))


def _screened(body: bytes) -> bytes:
    if not _SUSPECT.search(body):
        return packed(body)
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return b""
    if not isinstance(message, dict) or _acts_here(message):
        return b""
    return packed(json.dumps(message).encode() if _without_addresses(message) else body)


def _acts_here(message: dict[str, Any]) -> bool:
    """Whether the message asks to start something; attaching to a child process is allowed."""
    if message.get("type") != "request":
        return False
    arguments = message.get("arguments")
    asked = arguments.get("request") if isinstance(arguments, dict) else None
    return message.get("command") != "startDebugging" or asked != "attach"


def _without_addresses(message: dict[str, Any]) -> bool:
    """Remove each path that is an address; return whether there was one."""
    found = False
    waiting: list[Any] = [message]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and is_address(path):
                del value["path"]
                found = True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found
