"""Look at the paths that an editor reports as saved; the report need not be true."""

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.worktree.open_inside import Inside, is_inside
from igor_core.worktree.scanner import open_root
from igor_core.worktree.tree import File, file_of

# Files that decide which files belong to the tree.
_RULES = {b".igor/ignore", b".igor/config.json", b".git/info/exclude", b".git/config"}
_IGNORE_FILE = b".gitignore"


@dataclass
class Looked:
    """What a look at saved paths found.

    `files` are the paths as they are now, None for known ones that are gone. These need not be the
    given paths: a file saved through a link is where the link points. `unasked` are paths that
    only git can place, see `LocalTree.ask`. `reconcile` says that more than these may have changed
    (an ignore file, a folder, a repository inside).
    """

    files: dict[bytes, File | None] = field(default_factory=dict)
    unasked: tuple[bytes, ...] = ()
    reconcile: bool = False


FileLookup = Callable[[bytes], File | None]


def find(root: bytes, paths: Iterable[bytes], known: FileLookup) -> Looked:
    """Look at paths below `root`, except those in .git; `known` returns the files known so far.

    A link, or a path behind one, is also looked up at its real location, if that is below the
    root. Raises IgorError if the root is gone.
    """
    found = Looked()
    for given in paths:
        if given in _RULES or given.rpartition(b"/")[2] == _IGNORE_FILE:
            found.reconcile = True
        if path := cleaned(given):
            _find(root, path, known, found)
    return found


def cleaned(path: bytes) -> bytes:
    """Remove "." and doubled slashes; return "" for paths not below the root, or git's own."""
    if path.startswith(b"/"):
        return b""
    if not is_inside(path):
        path = b"/".join(name for name in path.split(b"/") if name not in (b"", b"."))
    return path if is_inside(path) else b""


def _find(root: bytes, path: bytes, known: FileLookup, found: Looked, real: bool = False) -> None:
    """Look at one path; with `real`, follow no more links."""
    name, was_known = root + b"/" + path, known(path) is not None
    try:
        with Inside(root) as inside:
            about = inside.lstat(path)
            file = file_of(path, about, inside)
    except (FileNotFoundError, NotADirectoryError):
        if _has_link(root, path):
            found.reconcile |= was_known
            _find_real(root, name, known, found, real)
        elif was_known:
            _find_gone(root, path, found)
    except OSError:
        found.reconcile = True
    else:
        if file is not None:
            found.files[path] = file
        else:
            found.reconcile |= was_known or stat.S_ISDIR(about.st_mode)
        if stat.S_ISLNK(about.st_mode):
            _find_real(root, name, known, found, real)


def _find_real(root: bytes, name: bytes, known: FileLookup, found: Looked, real: bool) -> None:
    top, target = os.path.realpath(root) + b"/", os.path.realpath(name)
    path = cleaned(target.removeprefix(top)) if target.startswith(top) else b""
    if path and not real:
        _find(root, path, known, found, real=True)


def _find_gone(root: bytes, path: bytes, found: Looked) -> None:
    if not os.path.isdir(root):
        os.close(open_root(Path(os.fsdecode(root))))
    found.files[path] = None
    found.reconcile |= not os.path.isdir(os.path.dirname(root + b"/" + path))


def _has_link(root: bytes, path: bytes) -> bool:
    """Return whether a folder above the path is a link."""
    above = path.split(b"/")[:-1]
    return any(
        os.path.islink(os.path.join(root, *above[: depth + 1])) for depth in range(len(above))
    )
