"""The project's files that a command line names, above all the program to run."""

import itertools
import os
import posixpath
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path


def named_files(argv: Sequence[str], roots: Iterable[str]) -> set[bytes]:
    """Return the words of a command that may be files of the project, as paths from its root.

    `roots` are the project's folders as programs on the host see them (/workspace). The word after
    `-m` is a module: `-m a.b` names a/b.py, a/b/__main__.py and a/b/__init__.py.
    """
    words = _words(argv)
    found = {path for word in words for path in _paths(word, roots)}
    modules = [after for before, after in itertools.pairwise(words) if before == "-m"]
    for module in modules:
        folder = module.replace(".", "/")
        found |= {f"{folder}.py", f"{folder}/__main__.py", f"{folder}/__init__.py"}
    return {os.fsencode(path) for path in found}


def _words(argv: Sequence[str]) -> list[str]:
    """Return the words, and those of a shell's command line if it can be parsed."""
    if list(argv[:2]) != ["sh", "-c"]:
        return list(argv)
    try:
        return shlex.split(argv[2], comments=True)
    except ValueError:
        return argv[2].split()


def _paths(word: str, roots: Iterable[str]) -> Iterable[str]:
    # pytest's tests/test_a.py::test_b
    path = posixpath.normpath(word.partition("::")[0])
    if not path.startswith("/"):
        return [path]
    return [path[len(root) + 1 :] for root in roots if path.startswith(root + "/")]


def below(root: Path, start: Path, name: str) -> bytes | None:
    """Return `name`, relative to `start`, as a path below the root; resolve links above it."""
    whole = os.path.normpath(os.path.join(start, name))
    for top, path in ((root, whole), (root, _resolved(whole))):
        if path == str(top):
            return b"."
        if path.startswith(f"{top}/"):
            return os.fsencode(path[len(str(top)) + 1 :])
    return None


def _resolved(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)
