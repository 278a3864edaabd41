"""Which modules below lua/ require each other in a circle, at whatever time they do."""

import re
from collections.abc import Iterator
from pathlib import Path

#: Not `v:lua.require'igor.x'`: a name for Vim to call, as a key's or a command's is.
_REQUIRE = re.compile(r"\brequire\(['\"](igor[\w.]*)['\"]\)")
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)

Requires = dict[str, set[str]]


def requires(root: Path) -> Requires:
    """Each module below `root`, and those of igor that its text names to require."""
    found = {}
    for path in sorted(root.rglob("*.lua")):
        text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
        found[_module(root, path)] = set(_REQUIRE.findall(text))
    return {module: names & found.keys() - {module} for module, names in found.items()}


def circles(requires: Requires) -> list[frozenset[str]]:
    """Groups of modules each of which leads to all others of its group."""
    reached = {module: _reached(requires, module) for module in requires}
    groups = {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in requires
    }
    return sorted((group for group in groups if group), key=sorted)


def _reached(requires: Requires, start: str) -> set[str]:
    found: set[str] = set()
    ahead = set(requires[start])
    while ahead:
        found |= ahead
        ahead = {name for module in ahead for name in requires[module]} - found
    return found


def steps(requires: Requires, circle: frozenset[str]) -> Iterator[str]:
    """The circle's requires, one a line."""
    for module in sorted(circle):
        yield f"{module} → {', '.join(sorted(requires[module] & circle))}"


def _module(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "init" else parts)
