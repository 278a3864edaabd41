"""Where the parts of a JSON text stand in it."""

import re
from json import JSONDecoder
from typing import Any, NamedTuple

BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = JSONDecoder()


class Span(NamedTuple):
    """A member, with its key, or an item, with the `name` in it if it has one.

    It is text[start:end]; its value begins at `value_start`.
    """

    key: str
    start: int
    value_start: int
    end: int
    value: Any


class Nest(NamedTuple):
    """An object or an array: its parts, and the offsets of its brackets."""

    opening: int
    closing: int
    parts: list[Span]


def nest_at(text: str, opening: int) -> Nest:
    """The object or array whose bracket stands at `opening`; the text is known to be JSON."""
    is_object = text[opening] == "{"
    parts: list[Span] = []
    at = after_blanks(text, opening + 1)
    while text[at] not in "]}":
        if text[at] == ",":
            at = after_blanks(text, at + 1)
        part = _member(text, at) if is_object else _item(text, at)
        parts.append(part)
        at = after_blanks(text, part.end)
    return Nest(opening, at, parts)


def after_blanks(text: str, at: int) -> int:
    found = BLANK.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int) -> Span:
    key, end = _DECODER.raw_decode(text, at)
    colon = after_blanks(text, end)
    start = after_blanks(text, colon + 1)
    value, end = _DECODER.raw_decode(text, start)
    return Span(key, at, start, end, value)


def _item(text: str, at: int) -> Span:
    value, end = _DECODER.raw_decode(text, at)
    name = value.get("name") if isinstance(value, dict) else None
    return Span(name if isinstance(name, str) else "", at, at, end, value)
