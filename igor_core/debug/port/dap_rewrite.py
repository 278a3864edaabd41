"""Rewrite the messages between a debugger and an adapter that attaches to a running process.

Debuggers attach to igor's port as to any program that waits for them, so igor adds the PID to the
request. And they end what they debug: nvim-dap sends `terminate`, others `disconnect` with
`terminateDebuggee`. A process that ran before the debugger came must live on.
"""

import json
from typing import Any

from igor_core.remote.debug_helper.dap import Messages, packed

# Other ways to name a program, which the adapter would prefer to the PID.
_OTHER_WAYS = ("connect", "listen", "host", "port")
_CHANGED = (b'"attach"', b'"terminate"', b'"disconnect"')
# The number of igor's own request; no debugger counts so far.
_OWN = 2_000_000_007


class Rewriting:
    """The debugger's messages, as bytes in and bytes out."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._messages = Messages()
        #: Whether the debugger has asked to disconnect.
        self.takes_leave = False

    def feed(self, data: bytes) -> bytes:
        """Return the messages that are complete by now."""
        return b"".join(packed(self._changed(body)) for body in self._messages.feed(data))

    def end(self) -> bytes:
        """Return the `disconnect` that the adapter waits for, unless the debugger has sent it."""
        if self.takes_leave:
            return b""
        leave = {"seq": _OWN, "type": "request", "command": "disconnect"}
        return packed(self._changed(json.dumps(leave).encode()))

    def _changed(self, body: bytes) -> bytes:
        message = _object(body) if any(word in body for word in _CHANGED) else {}
        arguments = message.get("arguments")
        arguments = arguments if isinstance(arguments, dict) else {}
        if message.get("command") == "attach":
            kept = {key: value for key, value in arguments.items() if key not in _OTHER_WAYS}
            message["arguments"] = {**kept, "processId": self._pid}
        elif message.get("command") in ("terminate", "disconnect"):
            self.takes_leave = True
            message["command"] = "disconnect"
            message["arguments"] = {**arguments, "terminateDebuggee": False}
        else:
            return body
        return json.dumps(message).encode()


class Answers:
    """The adapter's messages without the answer to igor's own request."""

    def __init__(self) -> None:
        self._messages = Messages()

    def feed(self, data: bytes) -> bytes:
        bodies = self._messages.feed(data)
        return b"".join(packed(body) for body in bodies if not _is_to_igor(body))


def _is_to_igor(body: bytes) -> bool:
    return str(_OWN).encode() in body and _object(body).get("request_seq") == _OWN


def _object(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
