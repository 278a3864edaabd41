"""The location under a cursor: what `gf` and `gF` open in output."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from igor_core.output.line_splitter import LONGEST_LINE, plain
from igor_core.output.prefix import split_prefix
from igor_core.output.source_tree import SourceTree, address

# Names with spaces must be quoted.
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
class CursorTarget:
    """`name` is a local path or an igor:// address; line and column are 0 if unknown."""

    name: str
    line: int = 0
    column: int = 0


def location_at(
    line: str, column: int, trees: Mapping[str, SourceTree], host: str = ""
) -> CursorTarget | None:
    """Return the location of the path at or after `column` (a character of `line`, from 0).

    The path is on `host`, or on the host whose name begins the line.
    """
    line = plain(line[:LONGEST_LINE])
    said = split_prefix(line).host
    host = said if said in trees else host
    tree = trees.get(host)
    if tree is None:
        return None
    for match in sorted(_paths(line), key=lambda path: path.start()):
        after = _LINE.match(line, match.end())
        if column >= (after or match).end():
            continue
        path = next(name for name in match.groups() if name).rstrip(".")
        found = tree.locate(path, certain=True)
        if found is not None:
            return CursorTarget(found.path or address(host, found.remote), *_position(after))
    return None


def _paths(line: str) -> Iterator[re.Match[str]]:
    yield from _QUOTED.finditer(line)
    yield from _BARE.finditer(line)


def _position(match: re.Match[str] | None) -> tuple[int, int]:
    if match is None:
        return 0, 0
    line = next(match[name] for name in "abcd" if match[name])
    return int(line), int(match["ac"] or match["bc"] or 0)
