"""What a debugger says to an adapter, such that it attaches to a process and lets it live.

Debuggers attach to igor's port as to any program that waits for them: which process is meant, the
adapter hears from here. And they know no better than to end what they debug: nvim-dap sends
`terminate`, others `disconnect` with `terminateDebuggee`. A process that was attached to is not
theirs to end.
"""

import json
import re
from typing import Any

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
# Where else the adapter could find a program.
_OTHER_WAYS = ("connect", "listen", "host", "port")
_LEAVE = b'{"seq": 999999, "type": "request", "command": "disconnect"}'
_CHANGED = (b'"attach"', b'"terminate"', b'"disconnect"')


class Rewriting:
    """A stream of messages of the Debug Adapter Protocol, as bytes in and bytes out."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._waiting = b""
        self._takes_leave = False

    def feed(self, data: bytes) -> bytes:
        """The whole messages that there are by now."""
        self._waiting += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return b"".join(found)

    def end(self) -> bytes:
        """What one that vanishes has not said; the adapter would wait for it. Then nothing."""
        if self._takes_leave:
            return b""
        return _packed(self._rewritten(_LEAVE))

    def _next(self) -> bytes | None:
        head, end, rest = self._waiting.partition(_END)
        length = _LENGTH.search(head)
        if not end or length is None or len(rest) < int(length[1]):
            return None
        body, self._waiting = rest[: int(length[1])], rest[int(length[1]) :]
        if any(word in body for word in _CHANGED):
            body = self._rewritten(body)
        return _packed(body)

    def _rewritten(self, body: bytes) -> bytes:
        try:
            message: dict[str, Any] = json.loads(body)
        except ValueError:
            return body
        arguments = message.get("arguments") or {}
        if message.get("command") == "attach":
            kept = {key: value for key, value in arguments.items() if key not in _OTHER_WAYS}
            message["arguments"] = {**kept, "processId": self._pid}
        elif message.get("command") in ("terminate", "disconnect"):
            self._takes_leave = True
            message["command"] = "disconnect"
            message["arguments"] = {**arguments, "terminateDebuggee": False}
        return json.dumps(message).encode()


def _packed(body: bytes) -> bytes:
    return b"Content-Length: %d%s%s" % (len(body), _END, body)
