"""Messages of the Debug Adapter Protocol in a stream of bytes (3.6).

https://microsoft.github.io/debug-adapter-protocol/overview
"""

import re

LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
END = b"\r\n\r\n"
# Longer ones are refused.
MOST_HEAD, MOST_BODY = 1 << 16, 16 << 20


class Messages:
    """Bytes in, the bodies of complete messages out; `rest` is the start of the next one.

    `feed` raises ValueError for a malformed message.
    """

    def __init__(self, rest: bytes = b"") -> None:
        self.rest = rest
        self._wanted = 0

    def feed(self, data: bytes) -> "list[bytes]":
        self.rest += data
        found = []  # type: list[bytes]
        # Do not search again before the message can be complete.
        while len(self.rest) >= self._wanted:
            head, end, rest = self.rest.partition(END)
            length = LENGTH.search(head) if end else None
            if len(head) > MOST_HEAD or (end and length is None):
                raise ValueError("not a message of the Debug Adapter Protocol")
            if length is None:
                return found
            size = int(length.group(1))
            if size > MOST_BODY:
                raise ValueError(f"a message of {size} bytes")
            if len(rest) < size:
                self._wanted = len(self.rest) - len(rest) + size
                return found
            found.append(rest[:size])
            self.rest, self._wanted = rest[size:], 0
        return found


def packed(body: bytes) -> bytes:
    return b"Content-Length: %d%s%s" % (len(body), END, body)
