"""Frames between the keeper and who is joined with it. Runs beside the program (3.6).

A frame is a kind (8 bits), a length (32 bits, big-endian) and that many bytes:

    NOTE    1  both    JSON: what is asked for or has happened
    STDOUT  2  keeper  bytes that the program wrote
    STDERR  3  keeper
    STDIN   4  keeper's peer  bytes for the program
    EOF     5  keeper's peer  no more of them
"""

import json
import struct

HEADER = struct.Struct(">BI")
NOTE, STDOUT, STDERR, STDIN, EOF = range(1, 6)
# No frame is longer: a note may hold a command line, or what a debugger has said.
MOST_BYTES = 16 << 20


def frame(kind: int, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def note(**fields: object) -> bytes:
    return frame(NOTE, json.dumps(fields).encode("ascii"))


class Frames:
    """Bytes in, whole frames out. Raises ValueError for what can be no frame."""

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
