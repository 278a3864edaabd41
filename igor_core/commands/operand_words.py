"""Operands as arguments of a request, where terminal and editor agree."""

import re
import shlex
from typing import Any

from igor_core.errors import UsageError

# A word with other characters than these is a line for a shell: those that shlex.quote quotes.
_FOR_A_SHELL = re.compile(r"[^\w@%+=:,./-]", re.ASCII)
_RANKS = re.compile(r"\d{1,6}(,\d{1,6})*")


def command_of_words(words: list[str]) -> dict[str, Any]:
    """A command in words: several are a program and its arguments, one may be a shell line."""
    if len(words) == 1 and _FOR_A_SHELL.search(words[0]):
        return {"shell": words[0]}
    return {"argv": words}


def command_of_line(line: str) -> dict[str, Any]:
    """A command in one line, read as the words of a terminal would be; nothing for no line."""
    words = line.split()
    if any(_FOR_A_SHELL.search(word) for word in words):
        return {"shell": line}
    return {"argv": words} if words else {}


def split_arguments(line: str) -> list[str]:
    """A program's arguments, quoted as in a shell; nothing is expanded. Raises UsageError."""
    try:
        return shlex.split(line)
    except ValueError:
        raise UsageError("a quote or a backslash has nothing to end it", line) from None


def ranks(text: str) -> list[int]:
    """The value of --ranks, sorted. Raises UsageError."""
    if not _RANKS.fullmatch(text):
        raise UsageError(f"--ranks {text}: expected numbers separated by commas", "--ranks 0,2")
    return sorted({int(rank) for rank in text.split(",")})
