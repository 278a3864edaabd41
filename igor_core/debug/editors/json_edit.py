"""Changing igor's part of a JSON text that is somebody else's, and not a byte of the rest."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from igor_core.config.scan import JsonSyntaxError, scan
from igor_core.debug.editors.json_spans import Nest, after_blanks, nest_at

# What is not closed goes on to the end: looking for one end again and again would take for ever.
_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*"?)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_LEADING = re.compile(r"\n([ \t]*)\Z")
_KINDS = {"{": "an object ({...})", "[": "a list ([...])"}


class Unusable(Exception):
    """The text can't be changed, for the reason that the message gives.

    `comments`: without its comments, which editors pass over, it would be JSON.
    """

    def __init__(self, message: str, *, comments: bool = False) -> None:
        super().__init__(message)
        self.comments = comments


def check(text: str) -> None:
    """Raises Unusable where `text` is not a JSON object that says each thing once."""
    try:
        node = scan(text)
    except JsonSyntaxError as error:
        raise _unusable(text, error) from None
    if not isinstance(node.value, dict):
        raise Unusable("it does not hold an object ({...})")
    for table in (node, *node.value.values()):
        for name, line in table.repeated:
            raise Unusable(f"line {line}: the key {name!r} stands there a second time")


def spliced(
    text: str, table: str, wanted: Mapping[str, Any], is_ours: Callable[[str], bool],
    bracket: str = "{",
) -> str:  # fmt: skip
    """`text`, which passed `check`, with just `wanted` of ours in its `table`.

    That is an object, or with `bracket` "[" a list of objects that are told apart by their `name`.
    Raises Unusable where it is something else.
    """
    nest = _nest(text, table, bracket)
    if nest is None:
        if not wanted:
            return text
        outermost = nest_at(text, after_blanks(text, 0))
        text = _with_last(text, outermost, [] if bracket == "[" else {}, table)
    while (stale := _stale(_known(text, table, bracket), wanted, is_ours)) is not None:
        text = _without(text, _known(text, table, bracket), stale)
    for name, value in wanted.items():
        nest = _known(text, table, bracket)
        part = next((part for part in nest.parts if part.key == name), None)
        if part is None:
            text = _with_last(text, nest, value, name if bracket == "{" else "")
        elif json.dumps(part.value) != json.dumps(value):
            rendered = _rendered(text, value, _indentation(text, part.start))
            text = text[: part.value_start] + rendered + text[part.end :]
    return text


def without_comments(text: str) -> str:
    """Blanks in place of comments, as editors read a file; line breaks stay."""

    def blank(found: re.Match[str]) -> str:
        return found[1] or re.sub(r"[^\n]", " ", found[0])

    return _COMMENT.sub(blank, text)


def _unusable(text: str, error: JsonSyntaxError) -> Unusable:
    without = without_comments(text)
    if without != text:
        try:
            scan(without)
        except JsonSyntaxError as other:
            return Unusable(f"line {other.line}: {other.message}")
        return Unusable(f"line {error.line}: it holds comments", comments=True)
    return Unusable(f"line {error.line}: {error.message}")


def _nest(text: str, table: str, bracket: str) -> Nest | None:
    outermost = nest_at(text, after_blanks(text, 0))
    part = next((part for part in outermost.parts if part.key == table), None)
    if part is None:
        return None
    if text[part.value_start] != bracket:
        raise Unusable(f"its '{table}' is not {_KINDS[bracket]}")
    return nest_at(text, part.value_start)


def _known(text: str, table: str, bracket: str) -> Nest:
    nest = _nest(text, table, bracket)
    assert nest is not None
    return nest


def _stale(nest: Nest, wanted: Mapping[str, Any], is_ours: Callable[[str], bool]) -> int | None:
    """The index of a part of ours that is not wanted, or there a second time."""
    seen: set[str] = set()
    for index, part in enumerate(nest.parts):
        if is_ours(part.key) and (part.key not in wanted or part.key in seen):
            return index
        seen.add(part.key)
    return None


def _without(text: str, nest: Nest, index: int) -> str:
    """Without a part, and without the comma that it makes superfluous."""
    parts = nest.parts
    if index + 1 < len(parts):
        return text[: parts[index].start] + text[parts[index + 1].start :]
    before = parts[index - 1].end if index else nest.opening + 1
    after = parts[index].end if index else nest.closing
    return text[:before] + text[after:]


def _with_last(text: str, nest: Nest, value: Any, key: str) -> str:
    """With one part more, at the end, indented as the others or by one step more than the nest."""
    if nest.parts:
        at = nest.parts[-1].end
        indentation = _indentation(text, nest.parts[-1].start)
        comma, closing = ",", ""
    else:
        at = nest.opening + 1
        own = _indentation(text, nest.opening)
        indentation = own + _step(text)
        comma, closing = "", _break(text) + own
        text = text[:at] + text[nest.closing :]
    label = f"{json.dumps(key, ensure_ascii=False)}: " if key else ""
    rendered = label + _rendered(text, value, indentation)
    return text[:at] + comma + _break(text) + indentation + rendered + closing + text[at:]


def _rendered(text: str, value: Any, indentation: str) -> str:
    shown = json.dumps(value, indent=_step(text), ensure_ascii=False)
    return shown.replace("\n", _break(text) + indentation)


def _indentation(text: str, at: int) -> str:
    """Of the line in which something stands."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _step(text: str) -> str:
    """By how much the file indents: as its first member stands."""
    outermost = nest_at(text, after_blanks(text, 0))
    found = _LEADING.search(text[: outermost.parts[0].start]) if outermost.parts else None
    return (found[1] if found else "") or "  "


def _break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
