"""Where the entries of a JSON object or array are in its text."""

import re
from json import JSONDecoder
from typing import Any, NamedTuple

_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = JSONDecoder()


class JsonEntry(NamedTuple):
    """A member, with its key, or an item, with its `name` member as key ("" without one).

    It is text[start:end]; its value begins at `value_start`.
    """

    key: str
    start: int
    value_start: int
    end: int
    value: Any


class Spans(NamedTuple):
    """The entries of an object or array, and the offsets of its brackets."""

    opening: int
    closing: int
    entries: list[JsonEntry]


def spans_at(text: str, opening: int) -> Spans:
    """The object or array whose bracket is at `opening`; `text` is known to be JSON."""
    is_object = text[opening] == "{"
    entries: list[JsonEntry] = []
    at = after_blanks(text, opening + 1)
    while text[at] not in "]}":
        if text[at] == ",":
            at = after_blanks(text, at + 1)
        entries.append(_member(text, at) if is_object else _item(text, at))
        at = after_blanks(text, entries[-1].end)
    return Spans(opening, at, entries)


def after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int) -> JsonEntry:
    key, end = _DECODER.raw_decode(text, at)
    colon = after_blanks(text, end)
    start = after_blanks(text, colon + 1)
    value, end = _DECODER.raw_decode(text, start)
    return JsonEntry(key, at, start, end, value)


def _item(text: str, at: int) -> JsonEntry:
    value, end = _DECODER.raw_decode(text, at)
    name = value.get("name") if isinstance(value, dict) else None
    return JsonEntry(name if isinstance(name, str) else "", at, at, end, value)
