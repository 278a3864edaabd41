"""List a tree's files: what git lists, or, outside git, what the .gitignore files leave."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from igor_core.worktree.scanner import Scanner
from igor_core.worktree.tree import File, Tree, look, shown, with_parents

__all__ = ["File", "Tree", "look", "next_number", "scan", "shown", "with_parents"]

_numbers = itertools.count(1)


def next_number() -> int:
    """Return the number of the next tree of this process."""
    return next(_numbers)


def scan(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Tree:
    """List the tree below `root`. Blocks; takes about 5 ms per thousand files.

    `exclude` (after `.igor/ignore`) removes files, `include` adds files that git ignores, both in
    gitignore syntax. Raises IgorError if git refuses.
    """
    number = next_number()
    found = Scanner(root, include, exclude).scan()
    return Tree(root, found.files, found.passed_over, found.unreadable, number)
