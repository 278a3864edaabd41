"""The frames between the agent and its clients; this module does no input or output.

A frame is a length (unsigned, 32 bits, big-endian) and that many bytes of msgpack:
an array of the frame's kind, an id and the fields of that kind.

    kind      no.  fields                                      from
    HELLO       0  0, protocol, version, client                client
    WELCOME     1  0, protocol, version, agent                 agent
    REFUSED     2  0, protocol, version, busy, pid             agent
    REQUEST     3  request, verb, root, args                   client
    EVENT       4  request, event                              agent
    FINISHED    5  request, outcome                            agent
    CANCEL      6  request                                     client
    ANSWER      7  request, prompt, text or nil                client
    OPEN        8  stream, request, parameters                 agent
    BYTES       9  stream, data                                both
    WINDOW     10  stream, columns, rows                       client
    SIGNAL     11  stream, name ("INT", "TERM", …)             client
    EOF        12  stream                                      both
    CLOSE      13  stream, status, reason                      agent
    CREDIT     14  stream or request, bytes                    both
    SAVE       15  0, root, paths                              client

Requests are numbered by the client and are odd, streams by the agent and are even, so a
CREDIT needs no kind of its own. A connection begins with HELLO; what follows it need not wait
for the WELCOME. `client` is a map: "name", "pid", "env" (the variables that a login needs),
"answers" (whether a person can be asked). REFUSED answers another protocol: an agent that is
not busy leaves right after it, so that the client can start its own.

SAVE: these files, relative to the project's folder `root`, were just written or deleted; an empty
list says that something may have changed. It has no answer: a client that wants to know how it
goes asks for the verb "watch". A path is a text, or bytes if its name is not UTF-8.

A stream belongs to a program: BYTES are its input and output. It ends with CLOSE, before FINISHED;
CLOSE has the program's exit status, and a `reason` only if the connection to the program was lost.

Credit: each side may send `INITIAL_CREDIT` bytes of a stream's BYTES, and of a request's
"output" events, before the reader grants more. So a slow reader stops only its own producer.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import msgpack

PROTOCOL = 1
INITIAL_CREDIT = 1 << 20
MAX_FRAME = 16 << 20

_LENGTH = struct.Struct(">I")

Frame = list[Any]


class Kind(IntEnum):
    """The kinds of frames; see the table above."""

    HELLO = 0
    WELCOME = 1
    REFUSED = 2
    REQUEST = 3
    EVENT = 4
    FINISHED = 5
    CANCEL = 6
    ANSWER = 7
    OPEN = 8
    BYTES = 9
    WINDOW = 10
    SIGNAL = 11
    EOF = 12
    CLOSE = 13
    CREDIT = 14
    SAVE = 15


FIELDS = {
    Kind.HELLO: (int, str, dict),
    Kind.WELCOME: (int, str, dict),
    Kind.REFUSED: (int, str, bool, int),
    Kind.REQUEST: (str, str, dict),
    Kind.EVENT: (dict,),
    Kind.FINISHED: (dict,),
    Kind.CANCEL: (),
    Kind.ANSWER: (int, (str, type(None))),
    Kind.OPEN: (int, dict),
    Kind.BYTES: (bytes,),
    Kind.WINDOW: (int, int),
    Kind.SIGNAL: (str,),
    Kind.EOF: (),
    Kind.CLOSE: (int, str),
    Kind.CREDIT: (int,),
    Kind.SAVE: (str, list),
}


class ProtocolError(Exception):
    """The peer sent something that is not a frame; the connection can't go on."""


def encode(kind: Kind, ident: int, *fields: Any) -> bytes:
    """Encode one frame. Lone surrogates (names that are not UTF-8) survive."""
    body: bytes = msgpack.packb([int(kind), ident, *fields], unicode_errors="surrogateescape")
    if len(body) > MAX_FRAME:
        raise ProtocolError(f"a {kind.name} frame of {len(body)} bytes is over {MAX_FRAME}")
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Return the frames that `data` completes. Raises ProtocolError for anything else."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise ProtocolError(f"a frame of {length} bytes is over {MAX_FRAME}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield _checked(body)


def _checked(body: bytes) -> Frame:
    """Decode the frame in `body`; check that its kind is known and its fields' types are right."""
    try:
        frame = msgpack.unpackb(body, unicode_errors="surrogateescape", strict_map_key=False)
        if not isinstance(frame, list) or not all(isinstance(part, int) for part in frame[:2]):
            raise TypeError("kind and id are not two numbers")
        kind = Kind(frame[0])
        fields = FIELDS[kind]
        # A later version may add fields at the end; the known ones must be there.
        if len(frame) < 2 + len(fields):
            raise TypeError("fields are missing")
        for value, wanted in zip(frame[2:], fields, strict=False):
            if not isinstance(value, wanted):
                raise TypeError(f"a field is {type(value).__name__}")
    except (ValueError, TypeError, IndexError, msgpack.UnpackException) as error:
        raise ProtocolError(f"not a frame: {error}") from None
    return [kind, *frame[1:]]
