"""Frames between the keeper and its peers (3.6).

A frame is a kind (8 bits), a length (32 bits, big-endian) and that many bytes:

    NOTE    1  both    JSON: a request or an event
    STDOUT  2  keeper  bytes that the program wrote
    STDERR  3  keeper
    STDIN   4  peer    bytes for the program
    EOF     5  peer    end of those bytes
"""

import json
import struct

HEADER = struct.Struct(">BI")
NOTE, STDOUT, STDERR, STDIN, EOF = range(1, 6)
# Longer frames are refused; a note may hold a command line, or a dialogue.
MOST_BYTES = 16 << 20


def frame(kind: int, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def note(**fields: object) -> bytes:
    return frame(NOTE, json.dumps(fields).encode("ascii"))


class Frames:
    """Bytes in, complete frames out. `feed` raises ValueError for a malformed one."""

    def __init__(self) -> None:
        self.rest = bytearray()

    def feed(self, data: bytes) -> "list[tuple[int, bytes]]":
        self.rest += data
        found, at = [], 0
        while len(self.rest) - at >= HEADER.size:
            kind, length = HEADER.unpack_from(self.rest, at)
            if not NOTE <= kind <= EOF or length > MOST_BYTES:
                raise ValueError(f"a frame of kind {kind} and {length} bytes")
            end = at + HEADER.size + length
            if len(self.rest) < end:
                break
            found.append((kind, bytes(self.rest[at + HEADER.size : end])))
            at = end
        del self.rest[:at]
        return found
