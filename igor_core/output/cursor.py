"""The place that a cursor is on: what `gf` and `gF` open in output."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from igor_core.output.lines import LONGEST_LINE, plain
from igor_core.output.prefix import split_prefix
from igor_core.output.tree import Tree, address

_PATH = re.compile(
    r"""(?P<quote>["'])(?P<quoted>[^"'\n]{1,1024})(?P=quote)
      | (?P<bare>[^\s"'`()\[\]<>|│,;=:]+)""",
    re.VERBOSE,
)
_LINE = re.compile(
    r":(?P<a>\d{1,9})(?::(?P<ac>\d{1,9}))?"
    r"|\((?P<b>\d{1,9})(?:,(?P<bc>\d{1,9}))?\)"
    r"|,? line (?P<c>\d{1,9})|: line (?P<d>\d{1,9})|: (?P<e>\d{1,9}):"
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
    for end, target in _targets(line, column, tree, host):
        if column < end:
            return target
    return None


def _targets(line: str, column: int, tree: Tree, host: str) -> Iterator[tuple[int, Target]]:
    for match in _PATH.finditer(line):
        after = _LINE.match(line, match.end())
        end = after.end() if after else match.end()
        if end <= column:
            continue
        path = match["quoted"] or match["bare"].rstrip(".")
        place = tree.place(path, certain=True)
        if place is not None:
            name = place.path or address(host, place.remote)
            yield end, Target(name, *_position(after))


def _position(match: re.Match[str] | None) -> tuple[int, int]:
    if match is None:
        return 0, 0
    line = next(match[name] for name in "abcde" if match[name])
    return int(line), int(match["ac"] or match["bc"] or 0)
