"""A stream of the Debug Adapter Protocol, cut into its messages (3.6).

https://microsoft.github.io/debug-adapter-protocol/overview
"""

import re

LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
END = b"\r\n\r\n"


class Messages:
    """Bytes in, the bodies of whole messages out; `rest` is the beginning of the next."""

    def __init__(self, rest: bytes = b"") -> None:
        self.rest = rest

    def feed(self, data: bytes) -> "list[bytes]":
        self.rest += data
        found = []  # type: list[bytes]
        while True:
            head, end, rest = self.rest.partition(END)
            length = LENGTH.search(head)
            if not end or length is None or len(rest) < int(length.group(1)):
                return found
            size = int(length.group(1))
            found.append(rest[:size])
            self.rest = rest[size:]


def packed(body: bytes) -> bytes:
    return b"Content-Length: %d%s%s" % (len(body), END, body)
