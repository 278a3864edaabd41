"""The context of a build: the files that igor pushed, without those in .dockerignore."""

import os
import posixpath
from collections.abc import Iterable, Set
from pathlib import Path

from igor_core.container import dockerignore
from igor_core.errors import UsageError
from igor_core.worktree.open_inside import read_small


def context_list(root: Path, dockerfile: str, pushed: Iterable[bytes]) -> bytes:
    """Return the context as a list for `tar --null -T -`: './path NUL' for each.

    `pushed` are the paths of the pushed files, relative to `root`. The list has folders too, for
    their modes, and always the dockerfile and the ignore file, which docker needs. Raises
    UsageError when the dockerfile isn't pushed, IgorError when the ignore file can't be read.
    """
    dockerfile = posixpath.normpath(dockerfile)
    paths = {os.fsdecode(path) for path in pushed}
    if dockerfile not in paths:
        raise UsageError(
            f"igor does not push {dockerfile}, so no host can build from it",
            'git ignores it: add it to "include" in the config, or remove it from .gitignore',
        )
    name = ignore_file(dockerfile, paths)
    ignore = _read(root, name) if name else dockerignore.Ignore(())
    kept = {path for path in paths if path in (dockerfile, name) or not ignore.ignores(path)}
    # As in docker, a folder stays in if only its content is ignored, not the folder itself.
    folders = {folder for folder in _parents(paths) if not ignore.ignores(folder)}
    names = sorted(folders | _parents(kept) | kept)
    return b"".join(b"./" + os.fsencode(path) + b"\0" for path in names)


def ignore_file(dockerfile: str, paths: Set[str]) -> str:
    """Return the ignore file: `<dockerfile>.dockerignore`, else `.dockerignore`, else nothing."""
    candidates = (f"{dockerfile}.dockerignore", ".dockerignore")
    return next((name for name in candidates if name in paths), "")


def _read(root: Path, name: str) -> dockerignore.Ignore:
    content = read_small(root, os.fsencode(name))
    if content is None:
        raise UsageError(f"{root / name} no longer exists", "push again")
    try:
        return dockerignore.read(content.decode("utf-8", "surrogateescape"))
    except dockerignore.BadPattern as error:
        raise UsageError(
            f"{root / name}, {error}", "docker refuses it too; correct the pattern"
        ) from None


def _parents(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        parent = posixpath.dirname(path)
        while parent and parent not in found:
            found.add(parent)
            parent = posixpath.dirname(parent)
    return found
