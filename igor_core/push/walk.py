"""Listing a folder outside git: all files that no .gitignore there ignores (gitignore(5))."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from igor_core.push.gitignore import Patterns

IGNORE_FILE = ".gitignore"


def walk(root: Path, prefix: bytes, include: Patterns, unreadable: list[bytes]) -> Iterator[bytes]:
    """Paths from `root` of all that is no folder, and of folders that are repositories.

    Of what is ignored only what `include` names, by its path with `prefix`. Folders that can't
    be read are added to `unreadable`, with `prefix`.
    """
    yield from _Walk(os.fsencode(root), prefix, include, unreadable).folder(b"", (), False)


def unreadable_folders(root: Path, prefix: bytes) -> list[bytes]:
    """The folders below `root` that can't be read, with `prefix`."""
    top = os.fsencode(root)
    errors: list[OSError] = []
    for _folder, folders, _files in os.walk(top, onerror=errors.append):
        if b".git" in folders:
            folders.remove(b".git")
    return [prefix + os.path.relpath(os.fsencode(error.filename), top) for error in errors]


# The ignore files above a path, outermost first: the folder of each, and what it says.
_Rules = tuple[tuple[bytes, Patterns], ...]


@dataclass(frozen=True)
class _Walk:
    root: bytes
    prefix: bytes
    include: Patterns
    unreadable: list[bytes]

    def folder(self, folder: bytes, rules: _Rules, ignored: bool) -> Iterator[bytes]:
        """`folder` is empty or ends with "/"; `ignored` says that it is, and so all in it."""
        try:
            entries = sorted(os.scandir(self.root + b"/" + folder), key=lambda entry: entry.name)
        except OSError:
            self.unreadable.append(self.prefix + folder.rstrip(b"/"))
            return
        rules = (*rules, *self._own_rules(folder, entries))
        for entry in entries:
            path = folder + entry.name
            if entry.name == b".git":
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            is_ignored = ignored or _ignores(rules, path, is_folder)
            if is_folder and not os.path.lexists(os.path.join(self.root, path, b".git")):
                if not is_ignored or self.include:
                    yield from self.folder(path + b"/", rules, is_ignored)
            elif not is_ignored or self.include.cover(self.prefix + path):
                yield path

    def _own_rules(self, folder: bytes, entries: "list[os.DirEntry[bytes]]") -> _Rules:
        name = os.fsencode(IGNORE_FILE)
        # Like git, follow no link to an ignore file.
        if not any(e.name == name and e.is_file(follow_symlinks=False) for e in entries):
            return ()
        try:
            with open(os.path.join(self.root, folder, name), "rb") as stream:
                return ((folder, Patterns.read(stream.read())),)
        except OSError:
            return ()


def _ignores(rules: _Rules, path: bytes, is_folder: bool) -> bool:
    """The innermost file that says anything decides."""
    for folder, patterns in reversed(rules):
        said = patterns.decide(path[len(folder) :], is_folder)
        if said is not None:
            return said
    return False
