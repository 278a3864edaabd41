"""What a debugger and an adapter say to each other, such that the adapter attaches to a process
and lets it live.

Debuggers attach to igor's port as to any program that waits for them: which process is meant, the
adapter hears from here. And they know no better than to end what they debug: nvim-dap sends
`terminate`, others `disconnect` with `terminateDebuggee`. A process that was attached to is not
theirs to end.
"""

import json
from typing import Any

from igor_core.remote.debug_helper.dap import Messages, packed

# Where else the adapter could find a program.
_OTHER_WAYS = ("connect", "listen", "host", "port")
_CHANGED = (b'"attach"', b'"terminate"', b'"disconnect"')
# Of the message that igor sends for who says nothing; no debugger counts so far.
_OWN = 2_000_000_007


class Rewriting:
    """What the debugger says, as bytes in and bytes out."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._messages = Messages()
        #: Whether the debugger has said that it goes.
        self.takes_leave = False

    def feed(self, data: bytes) -> bytes:
        """The whole messages that there are by now."""
        return b"".join(packed(self._changed(body)) for body in self._messages.feed(data))

    def end(self) -> bytes:
        """What one that vanishes has not said; the adapter would wait for it. Then nothing."""
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
    """What the adapter says, without the answer to what only igor has said."""

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
