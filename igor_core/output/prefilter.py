"""Skips lines that can't be or begin a report: most lines of most programs."""

import re

# A colon and a number, but not of a time or of JSON; "x.c(3,4):".
_PLACE = r""":(?: \d{1,7}: |(?<=[^\s\d:"')\]}]:)\d|(?<=\.\w\d:)\d|(?<=\.\w\d\d:)\d)"""
_PARENTHESES = r"\(\d{1,7}(?:,\d{1,5})?\) ?:"
_WORDS = (
    ", line ", ": line ", "most recent call", "FAILED ", "ERROR ", "rootdir: ", "___", "===",
    "--- FAIL", "anic", "fatal error", "Fatal", "directory ", "Step ", "STEP ", " > [",
    "anitizer: ", "Exception ignored", "parse error",
)  # fmt: skip

_IN_TEXT = re.compile(_PLACE, re.ASCII), re.compile(_PARENTHESES, re.ASCII)
_IN_BYTES = re.compile(_PLACE.encode()), re.compile(_PARENTHESES.encode())
_BYTE_WORDS = tuple(word.encode() for word in _WORDS)
# With these the text of a line differs from its bytes.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def may_matter(line: str) -> bool:
    """Return whether a line may begin a report."""
    return any(word in line for word in _WORDS) or any(pattern.search(line) for pattern in _IN_TEXT)


def nothing_matters(data: bytes) -> bool:
    """Return whether no whole line of `data` may begin a report."""
    return not (
        any(word in data for word in _BYTE_WORDS)
        or any(pattern.search(data) for pattern in _IN_BYTES)
        or _CONTROL.search(data)
    )
