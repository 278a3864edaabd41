"""What a debugger and an adapter say to each other, such that the adapter attaches to a process
and lets it live.

Debuggers attach to igor's port as to any program that waits for them: which process is meant, the
adapter hears from here. And they know no better than to end what they debug: nvim-dap sends
`terminate`, others `disconnect` with `terminateDebuggee`. A process that was attached to is not
theirs to end.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
# Where else the adapter could find a program.
_OTHER_WAYS = ("connect", "listen", "host", "port")
_CHANGED = (b'"attach"', b'"terminate"', b'"disconnect"')
# Of the message that igor sends for who says nothing; no debugger counts so far.
_OWN = 2_000_000_007


class _Messages:
    """A stream of the Debug Adapter Protocol, cut into its messages."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are whole by now."""
        self._waiting += data
        while True:
            head, end, rest = self._waiting.partition(_END)
            length = _LENGTH.search(head)
            if not end or length is None or len(rest) < int(length[1]):
                return
            body, self._waiting = rest[: int(length[1])], rest[int(length[1]) :]
            yield body


class Rewriting:
    """What the debugger says, as bytes in and bytes out."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._messages = _Messages()
        self._takes_leave = False

    def feed(self, data: bytes) -> bytes:
        """The whole messages that there are by now."""
        return b"".join(_packed(self._changed(body)) for body in self._messages.feed(data))

    def end(self) -> bytes:
        """What one that vanishes has not said; the adapter would wait for it. Then nothing."""
        if self._takes_leave:
            return b""
        leave = {"seq": _OWN, "type": "request", "command": "disconnect"}
        return _packed(self._changed(json.dumps(leave).encode()))

    def _changed(self, body: bytes) -> bytes:
        message = _object(body) if any(word in body for word in _CHANGED) else {}
        arguments = message.get("arguments") or {}
        if message.get("command") == "attach":
            kept = {key: value for key, value in arguments.items() if key not in _OTHER_WAYS}
            message["arguments"] = {**kept, "processId": self._pid}
        elif message.get("command") in ("terminate", "disconnect"):
            self._takes_leave = True
            message["command"] = "disconnect"
            message["arguments"] = {**arguments, "terminateDebuggee": False}
        else:
            return body
        return json.dumps(message).encode()


class Answers:
    """What the adapter says, without the answer to what only igor has said."""

    def __init__(self) -> None:
        self._messages = _Messages()

    def feed(self, data: bytes) -> bytes:
        bodies = self._messages.feed(data)
        return b"".join(_packed(body) for body in bodies if not _is_to_igor(body))


def _is_to_igor(body: bytes) -> bool:
    return str(_OWN).encode() in body and _object(body).get("request_seq") == _OWN


def _object(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _packed(body: bytes) -> bytes:
    return b"Content-Length: %d%s%s" % (len(body), _END, body)
