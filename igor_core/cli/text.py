"""Text for people: safe on a terminal, numbers in units."""

from typing import Any


def printable(text: str) -> str:
    """Return one line that can't move the cursor or colour the screen, whatever a host sent.

    Control characters, line breaks, invisible characters and bytes that are not UTF-8 are
    shown as escapes (`\\x1b`).
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def printable_lines(text: str) -> list[str]:
    """Return the lines of a message, each printable."""
    return [printable(line) for line in text.splitlines()]


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte that is not UTF-8, see PEP 383
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def utf8(value: Any) -> Any:
    """Return `value` with all text in it valid UTF-8: other bytes of file names as `\\xff`."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {utf8(key): utf8(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [utf8(item) for item in value]
    return value


def table(rows: list[list[str]], gap: str = "  ") -> list[str]:
    """Return the rows as lines, with printable, aligned cells."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
