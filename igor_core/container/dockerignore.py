"""`.dockerignore`: which paths stay out of a build. Not gitignore's rules, docker's own.

Patterns are read as docker's client reads them (github.com/moby/patternmatcher, ignorefile and
patternmatcher): Go's filepath.Match with `**`, from the context's root; `!` takes back; the last
pattern that matches a path or a folder above it wins. Unlike docker's client, a folder that is
ignored is still looked into for files that a later `!` pattern with a wildcard takes back, as
BuildKit does.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache


class BadPattern(ValueError):
    """A pattern that docker would refuse too."""


@dataclass(frozen=True)
class Pattern:
    """One pattern; `takes_back` for those after a '!'."""

    expression: re.Pattern[str]
    takes_back: bool = False

    def matches(self, path: str) -> bool:
        """Whether it matches this very path; folders above it aren't looked at."""
        return self.expression.match(path) is not None


class Ignore:
    """The patterns of one file, in order."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._patterns = tuple(patterns)
        self._matching = cache(self._matches_with_parents)

    def ignores(self, path: str) -> bool:
        """Whether a path from the context's root, without './', stays out of the build."""
        ignored = False
        for pattern, matches in zip(self._patterns, self._matching(path), strict=True):
            if matches:
                ignored = not pattern.takes_back
        return ignored

    def _matches_with_parents(self, path: str) -> tuple[bool, ...]:
        """For each pattern, whether it matches the path or a folder above it."""
        parent = posixpath.dirname(path)
        above = self._matching(parent) if parent else (False,) * len(self._patterns)
        return tuple(
            matched or pattern.matches(path)
            for pattern, matched in zip(self._patterns, above, strict=True)
        )


def read(text: str) -> Ignore:
    """The patterns of a `.dockerignore`. BadPattern names the line."""
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        try:
            pattern = _read_line(line)
        except BadPattern as error:
            raise BadPattern(f"line {number}: {error}") from None
        if pattern is not None:
            patterns.append(pattern)
    return Ignore(patterns)


def _read_line(line: str) -> Pattern | None:
    if line.startswith("#") or not line.strip():
        return None
    body = line.strip()
    takes_back = body.startswith("!")
    if takes_back:
        body = body[1:].strip()
        if not body:
            raise BadPattern("'!' must be followed by a pattern")
    return Pattern(compile_pattern(body), takes_back)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """One pattern as a regular expression for `match`. BadPattern where it can't be one."""
    clean = _clean(pattern)
    try:
        return re.compile(_translate(clean), re.ASCII)
    except re.error as error:
        raise BadPattern(f"{pattern!r} is not a pattern: {error.msg}") from None


def _clean(pattern: str) -> str:
    """As Go's filepath.Clean, and without the '/' in front."""
    clean = posixpath.normpath(pattern)
    return clean.lstrip("/") or "/"


def _translate(pattern: str) -> str:
    if pattern.startswith("**") and not re.search(r"[*?\[\]\\]", pattern[2:]):
        # As patternmatcher's suffixMatch: '**.c' and '**/a' match at the end of any path.
        return _suffix(pattern[2:])
    tokens = _TOKEN.findall(pattern)
    if tokens[-1] == "\\":
        raise BadPattern(f"{pattern!r} is not a pattern: nothing follows its last '\\'")
    if tokens[-1].startswith("**"):
        tokens[-1] = "(?s:.*)"
    else:
        tokens[-1] = _translate_token(tokens[-1])
    return "".join([*map(_translate_token, tokens[:-1]), tokens[-1]]) + r"\Z"


def _suffix(rest: str) -> str:
    start = "(?:.*/)?" if rest.startswith("/") else ".*"
    return f"(?s:{start})" + re.escape(rest.removeprefix("/")) + r"\Z"


# `**` eats a '/' behind it; `\` makes the next character ordinary.
_TOKEN = re.compile(r"\*\*/?|\\.|\[\^|.", re.DOTALL)


def _translate_token(token: str) -> str:
    if token.startswith("**"):
        return "(?:.*/)?"
    if len(token) == 2 or token in "[]-":
        return token
    return {"*": "[^/]*", "?": "[^/]"}.get(token) or re.escape(token)
