"""What an adapter on a host says, without what would make a debugger act on this machine.

A debugger opens the paths of frames as its editor opens any name (`term://…` runs a command there),
and starts what a `runInTerminal` or a `startDebugging` asks for. igor attaches only, to programs on
hosts, so an adapter that asks for more is not debugpy.
"""

import json
import re
from typing import Any

from igor_core.output import is_address
from igor_core.remote.debug_helper.dap import Messages, packed

# JSON can spell each of its strings by escapes.
_SUSPECT = re.compile(rb"\\|\xc2[\x80-\x9f]|[A-Za-z][\w+.-]*:|runInTerminal|startDebugging")


class Screening:
    """What the adapter says, as bytes in and bytes out."""

    def __init__(self) -> None:
        self._messages = Messages()

    def feed(self, data: bytes) -> bytes:
        """The whole messages that there are by now. Raises ValueError for what can be none."""
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
    """A child of what is debugged may be attached to; nothing may be started."""
    if message.get("type") != "request":
        return False
    arguments = message.get("arguments")
    asked = arguments.get("request") if isinstance(arguments, dict) else None
    return message.get("command") != "startDebugging" or asked != "attach"


def _without_addresses(message: dict[str, Any]) -> bool:
    """Take the paths that are addresses out of all sources; whether there were any."""
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
