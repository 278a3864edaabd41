"""Frames, byte for byte: the editor's Lua writes them too."""

import random
import struct
from typing import Any

import pytest

from igor_core.agent.protocol import FIELDS, MAX_FRAME, Decoder, Kind, ProtocolError, encode

# Each kind once, with its bytes as any other writer must make them. Length, then msgpack.
TABLE: list[tuple[tuple[Any, ...], bytes]] = [
    ((Kind.HELLO, 0, 1, "0.1", {}), b"\0\0\0\x09\x95\x00\x00\x01\xa30.1\x80"),
    (
        (Kind.WELCOME, 0, 1, "0.1", {"pid": 7}),
        b"\0\0\0\x0e\x95\x01\x00\x01\xa30.1\x81\xa3pid\x07",
    ),
    ((Kind.REFUSED, 0, 1, "0.1", True, 300), b"\0\0\0\x0c\x96\x02\x00\x01\xa30.1\xc3\xcd\x01\x2c"),
    ((Kind.REQUEST, 1, "push", "/p", {}), b"\0\0\0\x0c\x95\x03\x01\xa4push\xa2/p\x80"),
    ((Kind.EVENT, 1, {"a": 1}), b"\0\0\0\x07\x93\x04\x01\x81\xa1a\x01"),
    ((Kind.FINISHED, 1, {"a": None}), b"\0\0\0\x07\x93\x05\x01\x81\xa1a\xc0"),
    ((Kind.CANCEL, 3), b"\0\0\0\x03\x92\x06\x03"),
    ((Kind.ANSWER, 1, 2, "x"), b"\0\0\0\x06\x94\x07\x01\x02\xa1x"),
    ((Kind.ANSWER, 1, 2, None), b"\0\0\0\x05\x94\x07\x01\x02\xc0"),
    ((Kind.OPEN, 2, 1, {}), b"\0\0\0\x05\x94\x08\x02\x01\x80"),
    ((Kind.BYTES, 2, b"\0\xff"), b"\0\0\0\x07\x93\x09\x02\xc4\x02\x00\xff"),
    ((Kind.WINDOW, 2, 80, 24), b"\0\0\0\x05\x94\x0a\x02\x50\x18"),
    ((Kind.SIGNAL, 2, "INT"), b"\0\0\0\x07\x93\x0b\x02\xa3INT"),
    ((Kind.EOF, 2), b"\0\0\0\x03\x92\x0c\x02"),
    ((Kind.CLOSE, 2, 255, "x"), b"\0\0\0\x07\x94\x0d\x02\xcc\xff\xa1x"),
    ((Kind.CREDIT, 2, 1 << 20), b"\0\0\0\x08\x93\x0e\x02\xce\x00\x10\x00\x00"),
    ((Kind.SAVE, 0, "/p", ["a"]), b"\0\0\0\x09\x94\x0f\x00\xa2/p\x91\xa1a"),
]


def test_the_table_has_every_kind() -> None:
    assert {frame[0] for frame, _ in TABLE} == set(Kind) == set(FIELDS)


@pytest.mark.parametrize(("frame", "written"), TABLE, ids=[row[0][0].name for row in TABLE])
def test_a_frame_has_exactly_these_bytes_both_ways(frame: tuple[Any, ...], written: bytes) -> None:
    assert encode(*frame) == written
    assert list(Decoder().feed(written)) == [list(frame)]


def test_frames_survive_any_split_of_the_bytes() -> None:
    stream = b"".join(written for _, written in TABLE)
    chance = random.Random(1)
    for size in [1, 2, 3, *(chance.randrange(1, len(stream)) for _ in range(50))]:
        decoder = Decoder()
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        frames = [frame for part in parts for frame in decoder.feed(part)]
        assert frames == [list(frame) for frame, _ in TABLE]


def test_names_that_are_not_utf_8_survive_the_way() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert list(Decoder().feed(encode(Kind.REQUEST, 1, "push", name, {}))) == [
        [Kind.REQUEST, 1, "push", name, {}]
    ]


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="a web browser"),
        pytest.param(framed(b""), id="nothing"),
        pytest.param(framed(b"\xc1"), id="never used by msgpack"),
        pytest.param(framed(b"\x05"), id="a number"),
        pytest.param(framed(b"\x80"), id="a map"),
        pytest.param(framed(b"\x90"), id="an empty array"),
        pytest.param(framed(b"\x92\x63\x01"), id="an unknown kind"),
        pytest.param(framed(b"\x92\x06\xa1x"), id="an id that is a text"),
        pytest.param(framed(b"\x92\x09\x02"), id="BYTES without bytes"),
        pytest.param(framed(b"\x93\x09\x02\xa1x"), id="BYTES with a text"),
        pytest.param(framed(b"\x92\x06\x03\x00"), id="more after the frame"),
        pytest.param(framed(b"\xdd\xff\xff\xff\xff"), id="an array of 4 billion"),
        pytest.param(framed(b"\x91" * 5000 + b"\x00"), id="too deep"),
        pytest.param(framed(b"\x93\x04\x01\x81\x90\x01"), id="a map with an array for a key"),
    ],
)
def test_garbage_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Decoder().feed(data))


def test_random_bytes_are_frames_or_refused_and_never_anything_else() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        body = bytes([0x90 + chance.randrange(6), chance.randrange(16)]) + chance.randbytes(8)
        try:
            list(Decoder().feed(framed(body)))
        except ProtocolError:
            continue


def test_a_frame_over_the_limit_is_refused_by_its_length_alone() -> None:
    with pytest.raises(ProtocolError, match="is over"):
        list(Decoder().feed(struct.pack(">I", MAX_FRAME + 1)))
    with pytest.raises(ProtocolError, match="BYTES"):
        encode(Kind.BYTES, 2, bytes(MAX_FRAME))


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    assert list(Decoder().feed(framed(b"\x93\x06\x03\xa3new"))) == [[Kind.CANCEL, 3, "new"]]
