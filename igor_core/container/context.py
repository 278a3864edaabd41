"""The context of a build: exactly the files that igor pushed, less what .dockerignore names."""

import os
import posixpath
from collections.abc import Iterable, Set
from pathlib import Path

from igor_core.container import dockerignore
from igor_core.errors import UsageError
from igor_core.worktree.open_inside import read_small


def context_list(root: Path, dockerfile: str, pushed: Iterable[bytes]) -> bytes:
    """The context as the list that `tar --null -T -` reads: './' in front, NUL behind each.

    `pushed` are the paths of the pushed files, relative to `root`. Folders are in the list for
    their modes. The dockerfile and the ignore file stay in, as docker needs them there.
    UsageError when the dockerfile isn't pushed, IgorError when the ignore file can't be read.
    """
    dockerfile = posixpath.normpath(dockerfile)
    paths = {os.fsdecode(path) for path in pushed}
    if dockerfile not in paths:
        raise UsageError(
            f"{dockerfile} is not among the files that are pushed, so no host can build from it",
            'git ignores it; name it under "include" in the config, or take it out of .gitignore',
        )
    name = ignore_file(dockerfile, paths)
    ignore = _read(root, name) if name else dockerignore.Ignore(())
    kept = {path for path in paths if path in (dockerfile, name) or not ignore.ignores(path)}
    # A folder stays, as docker has it, when all that it holds is ignored but not itself.
    folders = {folder for folder in _parents(paths) if not ignore.ignores(folder)}
    names = sorted(folders | _parents(kept) | kept)
    return b"".join(b"./" + os.fsencode(path) + b"\0" for path in names)


def ignore_file(dockerfile: str, paths: Set[str]) -> str:
    """The file that says what stays out: `<dockerfile>.dockerignore`, else `.dockerignore`."""
    candidates = (f"{dockerfile}.dockerignore", ".dockerignore")
    return next((name for name in candidates if name in paths), "")


def _read(root: Path, name: str) -> dockerignore.Ignore:
    content = read_small(root, os.fsencode(name))
    if content is None:
        raise UsageError(f"{root / name} is gone", "push again")
    try:
        return dockerignore.read(content.decode("utf-8", "surrogateescape"))
    except dockerignore.BadPattern as error:
        raise UsageError(f"{root / name}, {error}", "docker would refuse it too") from None


def _parents(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        parent = posixpath.dirname(path)
        while parent and parent not in found:
            found.add(parent)
            parent = posixpath.dirname(parent)
    return found
