"""Listing a folder outside git: all files that no .gitignore there ignores (gitignore(5))."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.push.gitignore import Patterns

IGNORE_FILE = b".gitignore"


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


@dataclass
class _Decided:
    """What the rules say of the names in one folder, those of folders with a "/"."""

    rules: _Rules
    ignored: dict[bytes, bool] = field(default_factory=dict)


class Walk:
    """Lists a folder again and again, and remembers what the rules said of each name.

    The paths are all that is no folder, and folders that are repositories. Of what is ignored only
    what `include` names, by its path with `prefix`.
    """

    def __init__(self, root: bytes, prefix: bytes, include: Patterns) -> None:
        self._root = root
        self._prefix = prefix
        self._include = include
        self._rules: dict[bytes, tuple[bytes, Patterns]] = {}
        self._decided: dict[bytes, _Decided] = {}

    def paths(self, unreadable: list[bytes]) -> Iterator[bytes]:
        """From the root of the tree. Folders that can't be read are added to `unreadable`."""
        yield from self._folder(b"", (), False, unreadable)

    def has(self, path: bytes) -> bool:
        """Whether a path that is there is one of these; it is no folder and in no repository."""
        path = path.removeprefix(self._prefix)
        rules: _Rules = ()
        names, ignored = path.split(b"/"), False
        for depth in range(len(names)):
            folder = b"".join(name + b"/" for name in names[:depth])
            rules = (*rules, *self._own_rules(folder))
            is_folder = depth < len(names) - 1
            ignored = ignored or _ignores(rules, folder + names[depth], is_folder)
        return not ignored or self._include.cover(self._prefix + path)

    def _folder(
        self, folder: bytes, rules: _Rules, ignored: bool, unreadable: list[bytes]
    ) -> Iterator[bytes]:
        """`folder` is empty or ends with "/"; `ignored` says that it is, and so all in it."""
        try:
            entries = sorted(os.scandir(self._root + b"/" + folder), key=_name)
        except OSError:
            unreadable.append(self._prefix + folder.rstrip(b"/"))
            return
        if any(entry.name == IGNORE_FILE for entry in entries):
            rules = (*rules, *self._own_rules(folder))
        decided = self._decided.get(folder)
        if decided is None or decided.rules != rules:
            decided = self._decided[folder] = _Decided(rules)
        for entry in entries:
            name = entry.name
            if name == b".git":
                continue
            path, is_folder = folder + name, entry.is_dir(follow_symlinks=False)
            is_ignored = ignored
            if rules and not ignored:
                key = name + b"/" if is_folder else name
                said = decided.ignored.get(key)
                if said is None:
                    said = decided.ignored[key] = _ignores(rules, path, is_folder)
                is_ignored = said
            if is_folder and not os.path.lexists(os.path.join(self._root, path, b".git")):
                if not is_ignored or self._include:
                    yield from self._folder(path + b"/", rules, is_ignored, unreadable)
            elif not is_ignored or self._include.cover(self._prefix + path):
                yield self._prefix + path

    def _own_rules(self, folder: bytes) -> _Rules:
        name = os.path.join(self._root, folder, IGNORE_FILE)
        try:
            # Like git, follow no link to an ignore file.
            if not stat.S_ISREG(os.lstat(name).st_mode):
                return ()
            with open(name, "rb") as stream:
                content = stream.read()
        except OSError:
            return ()
        known = self._rules.get(folder)
        if known is None or known[0] != content:
            known = self._rules[folder] = content, Patterns.read(content)
        return ((folder, known[1]),)


def _name(entry: "os.DirEntry[bytes]") -> bytes:
    return entry.name


def _ignores(rules: _Rules, path: bytes, is_folder: bool) -> bool:
    """The innermost file that says anything decides."""
    for folder, patterns in reversed(rules):
        said = patterns.decide(path[len(folder) :], is_folder)
        if said is not None:
            return said
    return False
