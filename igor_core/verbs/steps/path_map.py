"""Map paths that a job's programs print on a host to local files."""

import asyncio
import os
from collections.abc import Sequence
from functools import cached_property

from igor_core.environment import Environment
from igor_core.errors import IgorError
from igor_core.output import SourceTree
from igor_core.verbs.steps.pusher import Pusher
from igor_core.verbs.steps.request import flag
from igor_core.verbs.steps.targets import Target
from igor_core.worktree import files
from igor_core.worktree.open_inside import read_small


async def find_places(target: Target, environment: Environment, pusher: Pusher) -> None:
    """From now on, find source locations in the host's output, if the job is asked for them."""
    if flag(target.job, "places"):
        tree = await pusher.tree(target)
        dockerfile = await asyncio.to_thread(_dockerfile, environment)
        found = tree_of(environment, tree, dockerfile, pusher.real_path(target))
        target.job.find_places(target.name, found)


def tree_of(
    environment: Environment, tree: files.Tree, dockerfile: tuple[str, str], real: str = ""
) -> SourceTree:
    """Return the project's tree by its paths on the host and in its container.

    `dockerfile` is its path and text; `real` is the host's folder without links, if known.
    """
    # Before the first connection the host's home is not known, and so neither is the folder.
    roots = [root for root in (*environment.roots, real) if root.startswith("/")]
    known = _Files(tree)
    return SourceTree(
        str(environment.project.root), tuple(dict.fromkeys(roots)),
        known.has, known.named, dockerfile=dockerfile[0], dockerfile_text=dockerfile[1],
    )  # fmt: skip


class _Files:
    """The files of a tree, looked up without copying them."""

    def __init__(self, tree: files.Tree) -> None:
        self._tree = tree

    def has(self, path: str) -> bool:
        return os.fsencode(path) in self._tree.files

    def named(self, name: str) -> Sequence[str]:
        return [os.fsdecode(path) for path in self._by_name.get(os.fsencode(name), ())]

    @cached_property
    def _by_name(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for path in self._tree.files:
            found.setdefault(path.rpartition(b"/")[2], []).append(path)
        return found


def _dockerfile(environment: Environment) -> tuple[str, str]:
    """Return the dockerfile's path from the root and its text; empty if there is none."""
    if environment.container is None:
        return "", ""
    try:
        path = environment.project.dockerfile()
        content = read_small(environment.project.root, os.fsencode(path))
    except IgorError:
        return "", ""
    return (path, content.decode("utf-8", "replace")) if content is not None else ("", "")
