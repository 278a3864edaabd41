"""Match paths against gitignore(5) patterns, exactly as git does.

Follows git's dir.c and wildmatch.c, and like git skips lines that are not patterns. Paths and
patterns are bytes, so "?" matches one byte of a name, as it does for git.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from igor_core.worktree.wildcards import ANYTHING, FOLDERS, IN_FOLDER, NEVER, linear

# Longer lines are skipped: no path has more than 4096 bytes, and reading a line costs time.
_LONGEST = 1 << 14
_RUN = re.compile(rb"\*+")
_BOM = b"\xef\xbb\xbf"
_CLASSES = {
    b"alnum": rb"0-9A-Za-z", b"alpha": rb"A-Za-z", b"blank": rb" \t", b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9", b"graph": rb"\x21-\x7e", b"lower": rb"a-z", b"print": rb"\x20-\x7e",
    b"punct": rb"!-/:-@\[-`{-~", b"space": rb"\s", b"upper": rb"A-Z", b"xdigit": rb"0-9A-Fa-f",
}  # fmt: skip


@dataclass(frozen=True)
class IgnorePattern:
    """One line of an ignore file. It matches paths relative to the folder of that file."""

    text: bytes
    ignores: bool
    folders_only: bool
    by_name: bool

    @classmethod
    def of(cls, line: bytes) -> "IgnorePattern | None":
        """Parse a line; return None if it is a comment, empty or not a pattern."""
        if line.startswith(b"#") or len(line) > _LONGEST:
            return None
        line = _without_trailing_spaces(line)
        ignores = not line.startswith(b"!")
        text = line if ignores else line[1:]
        folders_only = text.endswith(b"/")
        text = text[:-1] if folders_only else text
        by_name = b"/" not in text
        text = text if by_name else text.removeprefix(b"/")
        return cls(text, ignores, folders_only, by_name) if text else None

    def names(self, path: bytes, is_folder: bool) -> bool:
        if self.folders_only and not is_folder:
            return False
        subject = path.rpartition(b"/")[2] if self.by_name else path
        return self.expression.fullmatch(subject) is not None

    @cached_property
    def expression(self) -> re.Pattern[bytes]:
        return re.compile(translate(self.text, slashes_count=not self.by_name), re.DOTALL)


class Patterns:
    """The patterns of one file or list; the last one that matches a path decides."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._patterns = [found for line in lines if (found := IgnorePattern.of(line)) is not None]
        self._patterns.reverse()
        self._folders: dict[bytes, bool] = {b"": False}

    @classmethod
    def read(cls, content: bytes) -> "Patterns":
        lines = content.removeprefix(_BOM).split(b"\n")
        return cls(line.removesuffix(b"\r") for line in lines)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def decide(self, path: bytes, is_folder: bool) -> bool | None:
        """Return whether this path itself is ignored; None if no pattern matches it."""
        for pattern in self._patterns:
            if pattern.names(path, is_folder):
                return pattern.ignores
        return None

    def cover(self, path: bytes) -> bool:
        """Return whether a file is ignored, by itself or through a folder above it."""
        return self._covers_folder(path.rpartition(b"/")[0]) or self.decide(path, False) is True

    def _covers_folder(self, folder: bytes) -> bool:
        unknown = []
        while folder not in self._folders:
            unknown.append(folder)
            folder = folder.rpartition(b"/")[0]
        covered = self._folders[folder]
        for folder in reversed(unknown):
            covered = covered or self.decide(folder, True) is True
            self._folders[folder] = covered
        return covered


def _without_trailing_spaces(line: bytes) -> bytes:
    """Strip trailing spaces, but keep one behind a backslash."""
    at = end = 0
    while at < len(line):
        if line[at : at + 1] == b" ":
            at += 1
        else:
            at += 2 if line[at : at + 1] == b"\\" else 1
            end = at
    return line[:end]


def translate(pattern: bytes, slashes_count: bool) -> bytes:
    """Translate as wildmatch.c matches; `slashes_count` is its WM_PATHNAME."""
    found, at = [], 0
    # git compares the text before the first wildcard separately, so it takes a "**" right after
    # that text as if it began the pattern: "a/b**" matches a/bc/d.
    special = re.search(rb"[*?\[\\]", pattern)
    start = special.start() if special else len(pattern)
    one = rb"[^/]" if slashes_count else rb"."
    while at < len(pattern):
        byte = pattern[at : at + 1]
        if byte == b"*":
            part, at = _stars(pattern, at, start, slashes_count)
        elif byte == b"?":
            part, at = one, at + 1
        elif byte == b"[":
            part, at = _bracket(pattern, at + 1, slashes_count)
        elif byte == b"\\":
            if at + 1 == len(pattern):
                return NEVER
            part, at = re.escape(pattern[at + 1 : at + 2]), at + 2
        else:
            part, at = re.escape(byte), at + 1
        found.append(part)
    return linear(found)


def _stars(pattern: bytes, at: int, start: int, slashes_count: bool) -> tuple[bytes, int]:
    """Translate the "*"s from `at`; return their expression and where to go on."""
    run = _RUN.match(pattern, at)
    end = run.end() if run else at + 1
    if not slashes_count:
        return ANYTHING, end
    opens = at == start or pattern[at - 1 : at] == b"/"
    if end - at < 2 or not opens:
        return IN_FOLDER, end
    if pattern.startswith(b"/", end):
        return FOLDERS, end + 1
    return ANYTHING if end == len(pattern) or pattern.startswith(b"\\/", end) else IN_FOLDER, end


def _bracket(pattern: bytes, at: int, slashes_count: bool) -> tuple[bytes, int]:
    """Translate a set of bytes from after its "["; return its expression and where to go on."""
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    members, first = [], True
    while first or pattern[at : at + 1] != b"]":
        first = False
        member, at = _member(pattern, at)
        if member is None:
            return NEVER, len(pattern)
        members.append(member)
    inside = b"".join(members)
    if not inside:
        return (rb"[^/]" if slashes_count else rb".") if negated else NEVER, at + 1
    slash = rb"(?!/)" if slashes_count else b""
    return slash + (rb"[^" if negated else rb"[") + inside + rb"]", at + 1


def _member(pattern: bytes, at: int) -> tuple[bytes | None, int]:
    """Translate a class, a range or a byte of a set; return None if the set never ends."""
    if pattern.startswith(b"[:", at):
        end = pattern.find(b"]", at + 2)
        if end > at + 2 and pattern[end - 1 : end] == b":":
            return _CLASSES.get(pattern[at + 2 : end - 1]), end + 1
    low, at = _byte(pattern, at)
    if low is None:
        return None, at
    if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"", b"]"):
        high, at = _byte(pattern, at + 1)
        if high is None:
            return None, at
        return (re.escape(low) + b"-" + re.escape(high) if low <= high else b""), at
    return re.escape(low), at


def _byte(pattern: bytes, at: int) -> tuple[bytes | None, int]:
    at += pattern[at : at + 1] == b"\\"
    return (pattern[at : at + 1], at + 1) if at < len(pattern) else (None, at)
