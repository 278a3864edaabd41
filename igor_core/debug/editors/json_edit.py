"""Edit igor's entries in a JSON text that belongs to the user; every other byte stays.

Comments (`//` and `/* */`, which Vimspector and VS Code allow) stay too: positions are found in a
copy of the text in which blanks of the same length replace the comments.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from igor_core.config.scan import JsonSyntaxError, scan
from igor_core.debug.editors.json_spans import Spans, after_blanks, spans_at

# A comment or string that is not closed extends to the end of the text: a regular expression that
# looks for the missing end from every position takes quadratic time.
_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*"?)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_LEADING = re.compile(r"\n([ \t]*)\Z")


class CannotEdit(Exception):
    """The text is not the JSON that was expected; the message says why."""


@dataclass(frozen=True)
class OwnTable:
    """igor's entries in a table of the file: those whose names begin with `prefix`.

    The table is an object, or with `is_list` a list of objects, each with a `name` member.
    """

    name: str
    prefix: str
    is_list: bool = False

    def has(self, entry: str) -> bool:
        return entry.startswith(self.prefix)


def check(text: str) -> None:
    """Raise CannotEdit unless `text` is a JSON object without repeated keys."""
    try:
        node = scan(without_comments(text))
    except JsonSyntaxError as error:
        raise CannotEdit(f"line {error.line}: {error.message}") from None
    if not isinstance(node.value, dict):
        raise CannotEdit("the file must hold an object ({...})")
    for table in (node, *node.value.values()):
        for name, line in table.repeated:
            raise CannotEdit(f"line {line}: the key {name!r} is repeated")


def edited(text: str, table: OwnTable, wanted: Mapping[str, Any]) -> str:
    """Return `text` with `wanted` as igor's only entries in the table. `text` passed `check`.

    Raises CannotEdit where the table is not of its kind.
    """
    if _find(text, table) is None:
        if not wanted:
            return text
        text = _with_entry(text, _outermost(text), [] if table.is_list else {}, table.name)
    while (stale := _stale(_entries(text, table), table, wanted)) is not None:
        text = _without_entry(text, _entries(text, table), stale)
    for name, value in wanted.items():
        spans = _entries(text, table)
        entry = next((entry for entry in spans.entries if entry.key == name), None)
        if entry is None:
            text = _with_entry(text, spans, value, "" if table.is_list else name)
        elif json.dumps(entry.value) != json.dumps(value):
            rendered = _rendered(text, value, _indentation(text, entry.start))
            text = text[: entry.value_start] + rendered + text[entry.end :]
    return text


# An edit asks for the same text again and again.
@lru_cache(maxsize=1)
def without_comments(text: str) -> str:
    """Return `text` with blanks instead of comments; each line and column stays where it was."""

    def blank(found: re.Match[str]) -> str:
        return found[1] or re.sub(r"[^\n]", " ", found[0])

    return _COMMENT.sub(blank, text)


def _outermost(text: str) -> Spans:
    plain = without_comments(text)
    return spans_at(plain, after_blanks(plain, 0))


def _find(text: str, table: OwnTable) -> Spans | None:
    plain = without_comments(text)
    entries = spans_at(plain, after_blanks(plain, 0)).entries
    entry = next((entry for entry in entries if entry.key == table.name), None)
    if entry is None:
        return None
    if not isinstance(entry.value, list if table.is_list else dict):
        kind = "a list ([...])" if table.is_list else "an object ({...})"
        raise CannotEdit(f"'{table.name}' must be {kind}")
    return spans_at(plain, entry.value_start)


def _entries(text: str, table: OwnTable) -> Spans:
    spans = _find(text, table)
    assert spans is not None
    return spans


def _stale(spans: Spans, table: OwnTable, wanted: Mapping[str, Any]) -> int | None:
    """The index of one of igor's entries that is not wanted, or repeated."""
    seen: set[str] = set()
    for index, entry in enumerate(spans.entries):
        if table.has(entry.key) and (entry.key not in wanted or entry.key in seen):
            return index
        seen.add(entry.key)
    return None


def _without_entry(text: str, spans: Spans, index: int) -> str:
    """Remove an entry and the comma that it leaves over; comments around it stay."""
    entries, entry = spans.entries, spans.entries[index]
    if index + 1 < len(entries):
        comma = without_comments(text).index(",", entry.end)
        after = after_blanks(text, comma + 1)
        return text[: entry.start] + _comments(text[entry.end : comma]) + text[after:]
    rest = text[entry.end :]
    if index == 0:
        comments = _comments(text[spans.opening + 1 : entry.start])
        rest = rest if comments else rest.lstrip(" \t\r\n")
        return text[: spans.opening + 1] + comments + rest
    before = entries[index - 1].end
    comma = without_comments(text).index(",", before)
    return text[:before] + _comments(text[before:comma] + text[comma + 1 : entry.start]) + rest


def _comments(between: str) -> str:
    """What is between two entries, if it is more than blanks."""
    return between.rstrip(" \t") if between.strip() else ""


def _with_entry(text: str, spans: Spans, value: Any, key: str) -> str:
    """Add an entry at the end, indented as the others or one step deeper than the table."""
    begin = spans.entries[-1].end if spans.entries else spans.opening + 1
    # After the comments that follow the last entry.
    at = begin + len(text[begin : spans.closing].rstrip(" \t\r\n"))
    if spans.entries:
        indentation, comma = _indentation(text, spans.entries[-1].start), ","
        rest = text[at:]
    else:
        own = _indentation(text, spans.opening)
        indentation, comma = own + _step(text), ""
        rest = _break(text) + own + text[spans.closing :]
    label = f"{json.dumps(key, ensure_ascii=False)}: " if key else ""
    entry = indentation + label + _rendered(text, value, indentation)
    return text[:begin] + comma + text[begin:at] + _break(text) + entry + rest


def _rendered(text: str, value: Any, indentation: str) -> str:
    shown = json.dumps(value, indent=_step(text), ensure_ascii=False)
    return shown.replace("\n", _break(text) + indentation)


def _indentation(text: str, at: int) -> str:
    """The indentation of the line that `at` is in."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _step(text: str) -> str:
    """One step of the file's indentation: that of its first member."""
    entries = _outermost(text).entries
    found = _LEADING.search(text[: entries[0].start]) if entries else None
    return (found[1] if found else "") or "  "


def _break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
