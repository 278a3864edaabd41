"""`.dockerignore`: which paths stay out of a build. The rules are docker's, not gitignore's.

Patterns are read as docker's client reads them (github.com/moby/patternmatcher, ignorefile and
patternmatcher): Go's filepath.Match with `**`, from the context's root; `!` negates; the last
pattern that matches a path or a folder above it wins. As in BuildKit, and unlike docker's client,
a later `!` pattern with a wildcard also applies to files in an ignored folder.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from igor_core.container.steps import Steps

_FOLDERS = "(?:.*/)?"
_LONGEST = 1 << 14


class BadPattern(ValueError):
    """A pattern that docker refuses too."""


@dataclass(frozen=True)
class DockerPattern:
    """One pattern; `negated` if it follows a '!'."""

    expression: re.Pattern[str] | Steps
    negated: bool = False

    def matches(self, path: str) -> bool:
        """Whether it matches this very path, not a folder above it."""
        return self.expression.match(path) is not None


class Ignore:
    """The patterns of one file, in order."""

    def __init__(self, patterns: Iterable[DockerPattern]) -> None:
        self._patterns = tuple(patterns)
        self._known: dict[str, tuple[bool, ...]] = {"": (False,) * len(self._patterns)}

    def ignores(self, path: str) -> bool:
        """Whether a path, relative to the context's root, stays out of the build."""
        ignored = False
        for pattern, matches in zip(self._patterns, self._matching(path), strict=True):
            if matches:
                ignored = not pattern.negated
        return ignored

    def _matching(self, path: str) -> tuple[bool, ...]:
        """Return for each pattern whether it matches the path or a folder above it."""
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
    """Read the text of a `.dockerignore`. Raises BadPattern, with the line."""
    patterns = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        try:
            pattern = _read_line(line)
        except BadPattern as error:
            raise BadPattern(f"line {number}: {error}") from None
        if pattern is not None:
            patterns.append(pattern)
    return Ignore(patterns)


def _read_line(line: str) -> DockerPattern | None:
    if line.startswith("#") or not line.strip():
        return None
    body = line.strip()
    negated = body.startswith("!")
    if negated:
        body = body[1:].strip()
        if not body:
            raise BadPattern("'!' must be followed by a pattern")
    return DockerPattern(compile_pattern(body), negated)


def compile_pattern(pattern: str) -> re.Pattern[str] | Steps:
    """Compile one pattern to an object with `match`. Raises BadPattern."""
    if len(pattern) > _LONGEST:
        raise BadPattern(f"a pattern of {len(pattern)} characters; the limit is {_LONGEST}")
    translated = translate(pattern)
    try:
        expression = re.compile(translated, re.ASCII)
    except re.error as error:
        raise BadPattern(f"{pattern!r} is not a valid pattern: {error.msg}") from None
    # With more stars, a hostile path can make Python backtrack for very long.
    rest = translated.removeprefix(_FOLDERS)
    is_quick = rest.count("*") < 2 and not (rest != translated and ".*" in rest)
    return expression if is_quick else Steps(translated)


def _clean(pattern: str) -> str:
    """Clean a path as Go's filepath.Clean does, and remove the leading '/'."""
    clean = posixpath.normpath(pattern)
    return clean.lstrip("/") or "/"


def translate(pattern: str) -> str:
    """Translate one pattern to a Python expression, which may backtrack for very long."""
    pattern = _clean(pattern)
    if pattern.startswith("**") and not re.search(r"[*?\[\]\\]", pattern[2:]):
        # As patternmatcher's suffixMatch: '**.c' and '**/a' match at the end of any path.
        return _suffix(pattern[2:])
    tokens = _TOKEN.findall(pattern)
    if tokens[-1] == "\\":
        raise BadPattern(f"{pattern!r} is not a valid pattern: nothing follows its last '\\'")
    if tokens[-1].startswith("**"):
        tokens[-1] = "(?s:.*)"
    else:
        tokens[-1] = _translate_token(tokens[-1])
    return "".join([*map(_translate_token, tokens[:-1]), tokens[-1]]) + r"\Z"


def _suffix(rest: str) -> str:
    start = "(?:.*/)?" if rest.startswith("/") else ".*"
    return f"(?s:{start})" + re.escape(rest.removeprefix("/")) + r"\Z"


# `**` includes a '/' after it; `\` quotes the next character.
_TOKEN = re.compile(r"\*\*/?|\\.|\[\^|.", re.DOTALL)


def _translate_token(token: str) -> str:
    if token.startswith("**"):
        return _FOLDERS
    if len(token) == 2 or token in "[]-":
        return token
    return {"*": "[^/]*", "?": "[^/]"}.get(token) or re.escape(token)
