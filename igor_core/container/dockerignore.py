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

from igor_core.container.steps import Steps

_FOLDERS = "(?:.*/)?"
_LONGEST = 1 << 14


class BadPattern(ValueError):
    """A pattern that docker would refuse too."""


@dataclass(frozen=True)
class Pattern:
    """One pattern; `takes_back` for those after a '!'."""

    expression: re.Pattern[str] | Steps
    takes_back: bool = False

    def matches(self, path: str) -> bool:
        """Whether it matches this very path; folders above it aren't looked at."""
        return self.expression.match(path) is not None


class Ignore:
    """The patterns of one file, in order."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._patterns = tuple(patterns)
        self._known: dict[str, tuple[bool, ...]] = {"": (False,) * len(self._patterns)}

    def ignores(self, path: str) -> bool:
        """Whether a path from the context's root, without './', stays out of the build."""
        ignored = False
        for pattern, matches in zip(self._patterns, self._matching(path), strict=True):
            if matches:
                ignored = not pattern.takes_back
        return ignored

    def _matching(self, path: str) -> tuple[bool, ...]:
        """For each pattern, whether it matches the path or a folder above it."""
        unknown = []
        while path not in self._known:
            unknown.append(path)
            path = path.rpartition("/")[0]
        found = self._known[path]
        for path in reversed(unknown):
            found = tuple(
                matched or pattern.matches(path)
                for pattern, matched in zip(self._patterns, found, strict=True)
            )
            self._known[path] = found
        return found


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


def compile_pattern(pattern: str) -> re.Pattern[str] | Steps:
    """One pattern as what has `match`. BadPattern where it can't be one."""
    if len(pattern) > _LONGEST:
        raise BadPattern(f"a pattern of {len(pattern)} characters; the most is {_LONGEST}")
    translated = translate(pattern)
    try:
        expression = re.compile(translated, re.ASCII)
    except re.error as error:
        raise BadPattern(f"{pattern!r} is not a pattern: {error.msg}") from None
    # With more stars Python may try for as long as a hostile path likes.
    rest = translated.removeprefix(_FOLDERS)
    is_quick = rest.count("*") < 2 and not (rest != translated and ".*" in rest)
    return expression if is_quick else Steps(translated)


def _clean(pattern: str) -> str:
    """As Go's filepath.Clean, and without the '/' in front."""
    clean = posixpath.normpath(pattern)
    return clean.lstrip("/") or "/"


def translate(pattern: str) -> str:
    """One pattern as Python's expression, which may try for very long."""
    pattern = _clean(pattern)
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
        return _FOLDERS
    if len(token) == 2 or token in "[]-":
        return token
    return {"*": "[^/]*", "?": "[^/]"}.get(token) or re.escape(token)
