"""The place that a cursor is on: what `gf` and `gF` open in output."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from igor_core.output.lines import LONGEST_LINE, plain
from igor_core.output.prefix import split_prefix
from igor_core.output.tree import Tree, address

# Names with spaces are known by their quotes.
_QUOTED = re.compile(
    r""""(?P<path>[^"]{1,1024} [^"]{0,1024})"|'(?P<other>[^']{1,1024} [^']{0,1024})'"""
)
_BARE = re.compile(r"""(?P<path>[^\s"'`()\[\]<>|│,;=:]+)""")
_LINE = re.compile(
    r":(?P<a>\d{1,9})(?::(?P<ac>\d{1,9}))?"
    r"|\((?P<b>\d{1,9})(?:,(?P<bc>\d{1,9}))?\)"
    r"""|["']?(?:,|:)? line (?P<c>\d{1,9})"""
    r"|: (?P<d>\d{1,9}):"
)


@dataclass(frozen=True)
class Target:
    """`name` is a local path or an igor:// address; line and column are 0 where not said."""

    name: str
    line: int = 0
    column: int = 0


def place_under(line: str, column: int, trees: Mapping[str, Tree], host: str = "") -> Target | None:
    """What the path at or after `column` (a character of `line`, from 0) means.

    Paths are `host`'s, or those of the host whose name begins the line.
    """
    line = plain(line[:LONGEST_LINE])
    said = split_prefix(line).host
    host = said if said in trees else host
    tree = trees.get(host)
    if tree is None:
        return None
    for match in sorted(_paths(line), key=lambda found: found.start()):
        after = _LINE.match(line, match.end())
        if column >= (after or match).end():
            continue
        path = next(name for name in match.groups() if name).rstrip(".")
        place = tree.place(path, certain=True)
        if place is not None:
            return Target(place.path or address(host, place.remote), *_position(after))
    return None


def _paths(line: str) -> Iterator[re.Match[str]]:
    yield from _QUOTED.finditer(line)
    yield from _BARE.finditer(line)


def _position(match: re.Match[str] | None) -> tuple[int, int]:
    if match is None:
        return 0, 0
    line = next(match[name] for name in "abcd" if match[name])
    return int(line), int(match["ac"] or match["bc"] or 0)
